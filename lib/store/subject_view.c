#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "quantity.h"
#include "sampler.h"
#include "subject.h"

/* ---- axes ---- */

/* n grid points from lo to hi, of which those from first on; in pixels where
 * the settings do not say. */
static struct iris_scale
axis(const struct iris_subject *s, double lo, double hi, size_t steps, size_t first, size_t n,
     const char *title, const char *pixels)
{
    double step = steps > 1 ? (hi - lo) / (double)(steps - 1) : 1;

    if (!s->hyper || !isfinite(lo) || !isfinite(hi))
        return (struct iris_scale){0, 1, n, pixels};
    return (struct iris_scale){lo + (double)first * step, step, n, title};
}

static struct iris_scale
axis_r(const struct iris_subject *s, size_t first, size_t n)
{
    return axis(s, s->settings.coordinate.r_min, s->settings.coordinate.r_max,
                (size_t)s->settings.coordinate.r_steps, first, n, "distance from the observer [pc]",
                "distance from the observer [pixel]");
}

static struct iris_scale
axis_lon(const struct iris_subject *s, size_t n)
{
    return axis(s, s->settings.coordinate.lon_min, s->settings.coordinate.lon_max, n, 0, n,
                "longitude [°]", "longitude [pixel]");
}

static struct iris_scale
axis_v(const struct iris_subject *s, size_t n)
{
    return axis(s, s->settings.cube.v_min, s->settings.cube.v_max, n, 0, n,
                "velocity towards the observer [km/s]", "velocity [pixel]");
}

/* ---- quantities ---- */

/* What values are, and what they are multiplied by to be that. */
struct quantity {
    const char *name, *unit;
    double factor;
    const char *ascii, *cgs; /* NULL: not known */
    double to_cgs;
    enum iris_curve curve;
    enum iris_map map;
};

static enum iris_status
quantity_of(const struct iris_subject *s, enum iris_kind kind, size_t channel, struct quantity *q,
            struct iris_err *err)
{
    double scaling = s->raw ? 1 : iris_quantity_scaling(kind, s->type, channel, &s->units);
    struct iris_quantity x;
    enum iris_status st;

    q->factor = 1;
    q->unit = !s->hyper ? "unit of the file" : s->raw ? "processing units" : "IRIS units";
    if (!s->hyper || (kind == IRIS_OBSERVED && !s->type))
        return IRIS_OK;
    st = iris_quantity_of(kind, s->type, channel, s->hyper, &x, err);
    if (st)
        return st;
    q->name = x.label;
    if (isfinite(x.to_unit / scaling)) {
        q->unit = x.unit;
        q->factor = x.to_unit / scaling;
        q->ascii = x.name;
        q->cgs = x.cgs;
        q->to_cgs = x.to_cgs / scaling;
    }
    return IRIS_OK;
}

/* ---- views ---- */

/* Planes of the three kinds, x along longitude. Each names its panel. */

static enum iris_status
view_column(const struct iris_subject *s, const struct iris_npy *a, struct iris_plane *plane,
            struct iris_panel *p, struct quantity *q, struct iris_buf *title, struct iris_err *err)
{
    size_t nr = a->shape.dim[1], nlon = a->shape.dim[2];

    *plane = (struct iris_plane){0, nlon, 1, nr, nlon};
    p->y = axis_r(s, s->hyper ? (size_t)s->settings.coordinate.r_crop_min : 0, nr);
    *q = (struct quantity){
        .name = "H₂ mass density, latitude mean", .curve = IRIS_LOG, .map = IRIS_VIRIDIS};
    if (quantity_of(s, IRIS_COLUMN, 0, q, err))
        return err->status;
    iris_buf_puts(title, q->name);
    return IRIS_OK;
}

static enum iris_status
view_observed(const struct iris_subject *s, const struct iris_npy *a, size_t line,
              struct iris_plane *plane, struct iris_panel *p, struct quantity *q,
              struct iris_buf *title, struct iris_err *err)
{
    size_t nlon = a->shape.dim[1], nv = a->shape.dim[2];

    *plane = (struct iris_plane){line * nlon * nv, nlon, nv, nv, 1};
    p->y = axis_v(s, nv);
    *q = (struct quantity){.name = "observed", .curve = IRIS_ASINH, .map = IRIS_INFERNO};
    if (a->shape.dim[0] > 1)
        iris_buf_printf(title, "line %zu: ", line + 1);
    if (quantity_of(s, IRIS_OBSERVED, 0, q, err))
        return err->status;
    iris_buf_puts(title, q->name);
    return IRIS_OK;
}

static enum iris_status
view_tensor(const struct iris_subject *s, const struct iris_npy *a, size_t i,
            struct iris_plane *plane, struct iris_panel *p, struct quantity *q,
            struct iris_buf *title, struct iris_err *err)
{
    size_t nr = a->shape.dim[1], nlon = a->shape.dim[2], nlat = a->shape.dim[3];
    size_t middle = nlat / 2, channel = i ? IRIS_T : IRIS_RHO;
    struct iris_scale lat = axis(s, s->settings.coordinate.lat_min, s->settings.coordinate.lat_max,
                                 nlat, middle, nlat, "°", "");

    *plane = (struct iris_plane){channel * nr * nlon * nlat + middle, nlon, nlat, nr, nlon * nlat};
    p->y = axis_r(s, 0, nr);
    *q = (struct quantity){.name = i ? "gas temperature" : "gas density",
                           .curve = IRIS_LOG,
                           .map = i ? IRIS_INFERNO : IRIS_VIRIDIS};
    if (quantity_of(s, IRIS_TENSOR, channel, q, err))
        return err->status;
    iris_buf_printf(title, "%s at latitude ", q->name);
    if (*lat.title)
        iris_buf_printf(title, "%.3f°", lat.first);
    else
        iris_buf_printf(title, "pixel %zu", middle);
    return IRIS_OK;
}

void
iris_view_panel_release(struct iris_view_panel *v)
{
    iris_raster_release(&v->raster);
    free(v->title);
    *v = (struct iris_view_panel){.title = NULL};
}

/* View i of an array: what is read, the axis up, the values, a title. */
static enum iris_status
view(const struct iris_subject *s, const struct iris_npy *a, enum iris_kind kind, size_t i,
     struct iris_plane *plane, struct iris_panel *p, struct quantity *q, struct iris_buf *title,
     struct iris_err *err)
{
    if (kind == IRIS_COLUMN)
        return view_column(s, a, plane, p, q, title, err);
    if (kind == IRIS_TENSOR)
        return view_tensor(s, a, i, plane, p, q, title, err);
    return view_observed(s, a, i, plane, p, q, title, err);
}

enum iris_status
iris_subject_map(const struct iris_subject *s, const struct iris_npy *a, enum iris_kind kind,
                 size_t i, struct iris_view_map *m, struct iris_err *err)
{
    struct iris_panel p = {.nx = 0};
    struct iris_buf title = {0};
    enum iris_status st;
    struct quantity q;

    if (!s->hyper)
        return iris_fail(err, IRIS_E_DATA,
                         "'%s' is in no data set, so its axes are not known; name its settings",
                         a->path);
    st = view(s, a, kind, i, &m->plane, &p, &q, &title, err);
    iris_buf_release(&title);
    if (st)
        return st;
    if (!q.cgs)
        return iris_fail(err, IRIS_E_DATA,
                         "'%s': its type or the factors of its units are not known", a->path);
    m->x = axis_lon(s, m->plane.nx);
    m->y = p.y;
    m->name = q.ascii;
    m->unit = q.cgs;
    m->factor = q.to_cgs;
    return IRIS_OK;
}

enum iris_status
iris_subject_view(const struct iris_subject *s, const struct iris_npy *a, enum iris_kind kind,
                  size_t i, size_t max_x, size_t max_y, struct iris_view_panel *v,
                  struct iris_err *err)
{
    struct iris_panel *p = &v->panel;
    struct iris_buf title = {0};
    struct iris_plane plane;
    enum iris_status st;
    struct quantity q;

    *v = (struct iris_view_panel){.title = NULL};
    st = view(s, a, kind, i, &plane, p, &q, &title, err);
    if (!st) {
        iris_buf_printf(&title, " [%s]", q.unit);
        st = iris_buf_check(&title, err);
    }
    if (!st)
        st = iris_raster_read(a, &plane, max_x, max_y, q.factor, &v->raster, err);
    v->title = title.data;
    if (st) {
        iris_view_panel_release(v);
        return st;
    }
    p->x = axis_lon(s, plane.nx);
    p->x_leftwards = p->x.step > 0;
    p->nx = v->raster.nx;
    p->ny = v->raster.ny;
    p->value = v->raster.value;
    p->title = v->title;
    p->map = q.map;
    p->stretch = (struct iris_stretch){q.curve, (double)NAN, (double)NAN, 1};
    return IRIS_OK;
}
