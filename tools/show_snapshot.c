#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "elementary.h"
#include "file.h"
#include "show.h"
#include "surface.h"

enum { KPC = 1000 }; /* pc; from this half width on axes are in kpc */

static enum iris_status
read_settings(const struct show *o, struct iris_settings *s, struct iris_err *err)
{
    struct iris_hyper *h = NULL;
    enum iris_status st;

    st = o->what.hyper ? iris_hyper_read(o->what.hyper, &h, err) : iris_hyper_defaults(&h, err);
    if (!st)
        iris_hyper_settings(h, s);
    iris_hyper_free(h);
    return st;
}

/* As far as the rays reach beyond the centre or before it, and a tenth more; 0: there
 * are no rays. */
static double
half_of(const struct show *o, const struct iris_settings *s)
{
    double radius = s->coordinate.observer_radius;
    double near = fabs(radius - s->coordinate.r_min), far = fabs(s->coordinate.r_max - radius);

    if (o->size > 0)
        return o->size;
    if (!o->what.hyper || !isfinite(near) || !isfinite(far))
        return 0;
    return 1.1 * fmax(near, far);
}

/* Where the first observer of the settings is; nonzero where they do not say. */
static int
place_observer(const struct show *o, const struct iris_settings *s, double unit,
               struct iris_mark *mark)
{
    double radius = s->coordinate.observer_radius;
    double theta = s->coordinate.theta_zero * (3.14159265358979323846 / 180);

    if (!o->what.hyper || !isfinite(radius) || !isfinite(theta))
        return -1;
    *mark = (struct iris_mark){radius * iris_cos(theta) / unit, radius * iris_sin(theta) / unit};
    return 0;
}

static struct iris_scale
axis_of(const struct iris_surface *m, double unit, const char *title)
{
    double step = 2 * m->half / (double)m->n / unit;

    return (struct iris_scale){-m->half / unit + step / 2, step, m->n, title};
}

static enum iris_status
draw(const struct show *o, const struct iris_settings *s, const struct iris_surface *m,
     struct show_page *page, struct iris_canvas *canvas, struct iris_err *err)
{
    int far = m->half >= KPC;
    double unit = far ? KPC : 1;
    struct iris_mark mark = {0, 0};
    struct iris_panel p = {.nx = m->n,
                           .ny = m->n,
                           .value = m->above,
                           .x = axis_of(m, unit, far ? "x [kpc]" : "x [pc]"),
                           .y = axis_of(m, unit, far ? "y [kpc]" : "y [pc]"),
                           .title = "gas column density, from above [M☉ pc⁻²]",
                           .stretch = {.curve = IRIS_LOG},
                           .map = IRIS_VIRIDIS,
                           .mark = &mark};
    enum iris_status st;

    p.marks = place_observer(o, s, unit, &mark) ? 0 : 1;
    st = show_panel(o, page, SHOW_SNAPSHOT, o->what.path, &p, canvas, err);
    if (st || !m->side)
        return st;
    p.value = m->side;
    p.y.title = far ? "z [kpc]" : "z [pc]";
    p.title = "gas column density, from the side [M☉ pc⁻²]";
    mark.y = 0;
    return show_panel(o, page, SHOW_SNAPSHOT, o->what.path, &p, canvas, err);
}

static enum iris_status
check_options(const struct show *o, struct iris_err *err)
{
    if (o->what.entry || o->sheet || o->what.line || o->what.kind >= 0 || o->what.type ||
        o->what.fields || o->what.has_slice || o->moments)
        return iris_fail(
            err, IRIS_E_USAGE,
            "'%s' is a snapshot: --entry, --sheet, --line, --field, --slice, --moment, --kind and "
            "--type are for data sets and arrays",
            o->what.path);
    return IRIS_OK;
}

enum iris_status
show_snapshot(struct show *o, struct iris_canvas *canvas, struct iris_err *err)
{
    struct iris_surface map = {.n = 0};
    struct show_page page = {0};
    struct iris_settings s = {0};
    size_t width = 0, height = 0;
    enum iris_status st;

    st = check_options(o, err);
    if (!st)
        st = read_settings(o, &s, err);
    if (!st && !(o->title = strdup(iris_file_name(o->what.path))))
        st = iris_fail_memory(err);
    if (!st)
        st = show_lay_out(o, o->side ? 2 : 1, &page, err);
    if (!st)
        st = show_begin(o, &page, canvas, err);
    if (st || o->cli->dry_run)
        return st;
    show_image(&page, &width, &height);
    st = iris_surface_make(o->what.path, &s, half_of(o, &s), width, o->side, &map, err);
    if (!st) {
        iris_cli_warn_lines(o->cli, &map.warnings);
        iris_cli_note(o->cli, "%zu cells, %.6g solar masses", map.cells, map.mass);
        st = draw(o, &s, &map, &page, canvas, err);
    }
    iris_surface_release(&map);
    return st;
}
