#include <math.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#include "file.h"
#include "plot.h"
#include "show.h"

/* Sizes in pixels of the font. */
enum { PANEL = 560, MARGIN = 12, FOOT = 4 };

struct layout {
    int columns, rows, width, panel_width, panel_height, zoom;
};

/* Twice, one beside the other: that is bold. */
void
show_title(struct iris_canvas *canvas, const char *title, int zoom)
{
    int x = (canvas->width - iris_text_width(title, zoom)) / 2;

    iris_canvas_text(canvas, x, MARGIN * zoom, title, zoom, IRIS_BLACK);
    iris_canvas_text(canvas, x + zoom, MARGIN * zoom, title, zoom, IRIS_BLACK);
}

enum iris_status
show_stretch(const struct show *o, enum iris_kind kind, enum iris_curve suggested,
             const double *value, size_t n, struct iris_stretch *s, struct iris_err *err)
{
    const struct show_look *look = &o->look[kind];
    enum iris_curve curve = look->has_curve ? look->curve : suggested;

    if (look->has_range)
        return iris_stretch_set(curve, look->range[0], look->range[1], s, err);
    return iris_stretch_auto(curve, value, n, s, err);
}

/* A tensor has two quantities in one array. */
enum iris_status
show_check_range(const struct show *o, const struct iris_arrays *a, struct iris_err *err)
{
    if (a->n && a->array[0].kind == IRIS_TENSOR && o->look[IRIS_TENSOR].has_range)
        return iris_fail(err, IRIS_E_USAGE,
                         "a tensor is drawn as density and temperature, which "
                         "have no range in common");
    if (a->n > 1 && o->range_of_all)
        return iris_fail(err, IRIS_E_USAGE,
                         "two quantities have no range in common: say --range=column:LO,HI or "
                         "--range=observed:LO,HI");
    return IRIS_OK;
}

/* ---- where to draw it ---- */

static enum iris_status
lay_out(const struct show *o, const struct iris_arrays *a, struct layout *l, struct iris_err *err)
{
    size_t views = a->array[0].views + (a->n > 1 ? a->array[1].views : 0);

    if (!views || views > IRIS_CANVAS_MAX)
        return iris_fail(err, IRIS_E_DATA, "'%s' has %zu lines; choose one with --line",
                         a->array[a->n - 1].npy.path, views);
    l->columns = views < 4 ? (int)views : views == 4 ? 2 : 3;
    l->rows = ((int)views + l->columns - 1) / l->columns;
    l->width = o->width ? o->width : PANEL * l->columns;
    l->panel_width = l->width / l->columns;
    l->zoom = l->panel_width < 2 * PANEL ? 1 : l->panel_width / PANEL;
    l->panel_height = iris_panel_height(l->panel_width, l->zoom);
    if (l->panel_width < iris_panel_least(l->zoom))
        return iris_fail(err, IRIS_E_USAGE, "too narrow: this picture needs --width=%d or more",
                         l->columns * iris_panel_least(l->zoom));
    return IRIS_OK;
}

static enum iris_status
draw_view(const struct show *o, const struct iris_array *x, size_t i, const struct iris_area *box,
          int zoom, struct iris_canvas *canvas, struct iris_err *err)
{
    struct iris_view_panel v = {.title = NULL};
    struct iris_stretch *s = &v.panel.stretch;
    struct iris_area image;
    enum iris_status st;

    iris_panel_image(box, zoom, &image);
    st = iris_subject_view(&x->subject, &x->npy, x->kind, i, (size_t)image.width,
                           (size_t)image.height, &v, err);
    if (!st)
        st = show_stretch(o, x->kind, s->curve, v.raster.value, v.raster.nx * v.raster.ny, s, err);
    if (!st && isnan(s->lo))
        iris_cli_warn(o->cli, "'%s' has no value to show: %s", x->npy.path,
                      s->curve == IRIS_LOG ? "none is finite and above 0" : "none is finite");
    if (!st) {
        iris_cli_note(o->cli, "%s: from %.6g to %.6g", v.title, s->lo, s->hi);
        st = iris_panel_draw(canvas, &v.panel, box, zoom, err);
    }
    iris_view_panel_release(&v);
    return st;
}

static enum iris_status
draw(const struct show *o, const struct iris_arrays *a, const struct layout *l,
     struct iris_canvas *canvas, struct iris_err *err)
{
    int n = 0, head = SHOW_HEAD * l->zoom;
    enum iris_status st;
    size_t k, i;

    st = iris_canvas_init(canvas, l->width, head + l->rows * l->panel_height + FOOT * l->zoom, err);
    if (st || o->cli->dry_run)
        return st;
    show_title(canvas, o->title, l->zoom);
    for (k = 0; k < a->n && !st; k++) {
        const struct iris_array *x = &a->array[k];

        for (i = 0; i < x->views && !st; i++, n++) {
            struct iris_area box = {n % l->columns * l->panel_width,
                                    head + n / l->columns * l->panel_height, l->panel_width,
                                    l->panel_height};

            st = draw_view(o, x, x->first + i, &box, l->zoom, canvas, err);
        }
    }
    return st;
}

enum iris_status
show_draw(struct show *o, struct iris_canvas *canvas, struct iris_err *err)
{
    struct iris_arrays a = {.n = 0};
    enum iris_status st;
    struct layout l = {0};
    struct stat sb;

    if (o->sheet && !stat(o->what.path, &sb)) {
        if (S_ISDIR(sb.st_mode))
            return show_sheet(o, canvas, err);
        return iris_fail(err, IRIS_E_USAGE, "'%s' is one array: --sheet is for data sets",
                         o->what.path);
    }
    st = iris_arrays_open(&o->what, &a, &o->title, err);
    if (!st)
        st = show_check_range(o, &a, err);
    if (!st)
        st = lay_out(o, &a, &l, err);
    if (!st)
        st = draw(o, &a, &l, canvas, err);
    iris_arrays_close(&a);
    return st;
}
