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
axis_lat(const struct iris_subject *s, size_t n)
{
    return axis(s, s->settings.coordinate.lat_min, s->settings.coordinate.lat_max, n, 0, n,
                "latitude [°]", "latitude [pixel]");
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
    enum iris_curve curve;
    enum iris_map map;
    const char *ascii, *cgs; /* NULL: not known */
    double to_cgs;
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

/* How a field is drawn, and its name where no settings give it. */
static const struct {
    const char *word, *name;
    enum iris_curve curve;
    enum iris_map map;
} fields[IRIS_FIELDS] = {
    [IRIS_V_R] = {"v_r", "velocity towards the observer", IRIS_LINEAR, IRIS_RED_BLUE},
    [IRIS_RHO] = {"rho", "gas density", IRIS_LOG, IRIS_VIRIDIS},
    [IRIS_T] = {"T", "gas temperature", IRIS_LOG, IRIS_INFERNO},
    [IRIS_X_H2] = {"x_H2", "H₂ abundance", IRIS_LINEAR, IRIS_VIRIDIS},
    [IRIS_X_CO] = {"x_CO", "CO abundance", IRIS_LOG, IRIS_VIRIDIS},
    [IRIS_T_DUST] = {"T_dust", "dust temperature", IRIS_LINEAR, IRIS_INFERNO},
};

const char *
iris_field_name(enum iris_field field)
{
    return fields[field].word;
}

/* The pixel that a slice goes through. */
static enum iris_status
slice_pixel(const struct iris_subject *s, const struct iris_npy *a, const struct iris_scale *x,
            size_t *pixel, struct iris_err *err)
{
    double at = s->slice.at, place = floor((at - x->first) / x->step + 0.5);

    *pixel = x->n / 2;
    if (isnan(at))
        return IRIS_OK;
    if (!(place >= 0 && place < (double)x->n))
        return iris_fail(err, IRIS_E_DATA,
                         "'%s': %s goes from %g to %g, so there is no slice at %g", a->path,
                         x->title, x->first, x->first + x->step * (double)(x->n - 1), at);
    *pixel = (size_t)place;
    return IRIS_OK;
}

/* "... at latitude 0.075°" */
static void
name_slice(const struct iris_subject *s, const struct iris_scale *x, size_t pixel,
           struct iris_buf *title)
{
    static const char *const where[] = {"latitude", "longitude", "distance"};
    double at = x->first + x->step * (double)pixel;

    iris_buf_printf(title, " at %s ", where[s->slice.axis]);
    if (!s->hyper)
        iris_buf_printf(title, "pixel %zu", pixel);
    else if (s->slice.axis == IRIS_SLICE_R)
        iris_buf_printf(title, "%.6g pc", at);
    else
        iris_buf_printf(title, "%.3f°", at);
}

static enum iris_status
view_tensor(const struct iris_subject *s, const struct iris_npy *a, size_t i,
            struct iris_plane *plane, struct iris_panel *p, struct quantity *q,
            struct iris_buf *title, struct iris_err *err)
{
    size_t nr = a->shape.dim[1], nlon = a->shape.dim[2], nlat = a->shape.dim[3], pixel = 0;
    size_t first = (size_t)s->field[i] * nr * nlon * nlat;
    struct iris_scale r = axis_r(s, 0, nr), lon = axis_lon(s, nlon), lat = axis_lat(s, nlat);
    const struct iris_scale *across = s->slice.axis == IRIS_SLICE_LAT   ? &lat
                                      : s->slice.axis == IRIS_SLICE_LON ? &lon
                                                                        : &r;

    if (!nr || !nlon || !nlat)
        return iris_fail(err, IRIS_E_DATA, "'%s' has no values to show", a->path);
    if (slice_pixel(s, a, across, &pixel, err))
        return err->status;
    *q = (struct quantity){.name = fields[s->field[i]].name,
                           .curve = fields[s->field[i]].curve,
                           .map = fields[s->field[i]].map};
    if (s->slice.axis == IRIS_SLICE_LAT)
        *plane = (struct iris_plane){first + pixel, nlon, nlat, nr, nlon * nlat};
    else if (s->slice.axis == IRIS_SLICE_LON)
        *plane = (struct iris_plane){first + pixel * nlat, nr, nlon * nlat, nlat, 1};
    else
        *plane = (struct iris_plane){first + pixel * nlon * nlat, nlon, nlat, nlat, 1};
    p->x = s->slice.axis == IRIS_SLICE_LON ? r : lon;
    p->y = s->slice.axis == IRIS_SLICE_LAT ? r : lat;
    if (quantity_of(s, IRIS_TENSOR, (size_t)s->field[i], q, err))
        return err->status;
    iris_buf_puts(title, q->name);
    name_slice(s, across, pixel, title);
    return IRIS_OK;
}

void
iris_view_panel_release(struct iris_view_panel *v)
{
    iris_raster_release(&v->raster);
    free(v->title);
    *v = (struct iris_view_panel){.title = NULL};
}

/* View i of an array: what is read, the axes, the values, a title. */
static enum iris_status
view(const struct iris_subject *s, const struct iris_npy *a, enum iris_kind kind, size_t i,
     struct iris_plane *plane, struct iris_panel *p, struct quantity *q, struct iris_buf *title,
     struct iris_err *err)
{
    if (kind != IRIS_TENSOR)
        p->x = axis_lon(s, a->shape.dim[kind == IRIS_COLUMN ? 2 : 1]);
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
    struct quantity q = {.unit = ""};

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
    m->x = p.x;
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
    struct quantity q = {.unit = ""};

    *v = (struct iris_view_panel){.title = NULL};
    if (kind == IRIS_TENSOR)
        v->field = s->field[i];
    st = view(s, a, kind, i, &plane, p, &q, &title, err);
    if (!st) {
        if (*q.unit)
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
    p->x_leftwards = p->x.step > 0 && (kind != IRIS_TENSOR || s->slice.axis != IRIS_SLICE_LON);
    p->nx = v->raster.nx;
    p->ny = v->raster.ny;
    p->value = v->raster.value;
    p->title = v->title;
    p->map = q.map;
    p->stretch = (struct iris_stretch){q.curve, (double)NAN, (double)NAN, 1};
    return IRIS_OK;
}
