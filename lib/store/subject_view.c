#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "sampler.h"
#include "subject.h"
#include "units.h"

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
    enum iris_curve curve;
    enum iris_map map;
};

/* As they are in the file. */
static void
as_stored(const struct iris_subject *s, struct quantity *q)
{
    q->factor = 1;
    q->unit = !s->hyper ? "unit of the file" : s->raw ? "processing units" : "IRIS units";
}

/* A factor from processing units, where the array's own one is known. */
static void
convert(const struct iris_subject *s, double per_processing, double factor, const char *unit,
        struct quantity *q)
{
    q->unit = unit;
    q->factor = s->raw ? factor : factor / per_processing;
    if (!s->hyper || !isfinite(q->factor))
        as_stored(s, q);
}

static void
processing(const struct iris_subject *s, struct iris_unit_system *p)
{
    iris_settings_units(&s->settings, p);
}

static void
of_density(const struct iris_subject *s, const char *name, struct quantity *q)
{
    struct iris_unit_system p = {0};

    *q = (struct quantity){.name = name, .curve = IRIS_LOG, .map = IRIS_VIRIDIS};
    if (s->hyper)
        processing(s, &p);
    /* kg m^-3 are 1e-3 g cm^-3 */
    convert(s, s->units.density, 1e-3 / iris_units_density(&p), "g cm⁻³", q);
}

static void
of_mass(const struct iris_subject *s, struct quantity *q)
{
    double parsec = s->settings.dataset.meters_per_parsec, factor;
    struct iris_unit_system p;

    q->name = "mass per area and velocity";
    processing(s, &p);
    /* to kg m^-2 (m/s)^-1, to (km/s)^-1 */
    factor = 1000 / (iris_units_density(&p) * p.time);
    convert(s, s->units.v_density, factor * parsec * parsec / IRIS_SOLAR_MASS, "M☉ pc⁻² (km/s)⁻¹",
            q);
}

/* The intensity of an observation is in the units of suite_hyper.output_units;
 * iris-normalize multiplies it by the factor of temperatures whatever it is. */
static enum iris_status
of_intensity(const struct iris_subject *s, struct quantity *q, struct iris_err *err)
{
    struct iris_buf units = {0};
    struct iris_unit_system p;
    enum iris_status st;
    const char *word;

    st = iris_hyper_value(s->hyper, "suite_hyper.output_units", &units, err);
    word = iris_buf_str(&units);
    processing(s, &p);
    q->name = "brightness temperature";
    if (!strcmp(word, "\"I\"") || !strcmp(word, "\"I Jy per Sr\""))
        q->name = "intensity";
    if (!strcmp(word, "\"I\""))
        convert(s, s->units.temperature, p.time * p.time / p.mass, "W m⁻² Hz⁻¹ sr⁻¹", q);
    else if (!strcmp(word, "\"I Jy per Sr\""))
        convert(s, s->units.temperature, 1, "Jy sr⁻¹", q);
    else
        convert(s, s->units.temperature, strstr(word, " K\"") ? 1 : 1 / p.temperature, "K", q);
    iris_buf_release(&units);
    return st;
}

static enum iris_status
of_observed(const struct iris_subject *s, struct quantity *q, struct iris_err *err)
{
    *q = (struct quantity){.name = "observed", .curve = IRIS_ASINH, .map = IRIS_INFERNO};
    as_stored(s, q);
    if (s->hyper && s->type == IRIS_SYNTHETIC)
        return of_intensity(s, q, err);
    if (s->hyper && s->type == IRIS_SIMPLE)
        of_mass(s, q);
    return IRIS_OK;
}

static void
of_temperature(const struct iris_subject *s, struct quantity *q)
{
    *q = (struct quantity){.name = "gas temperature", .curve = IRIS_LOG, .map = IRIS_INFERNO};
    convert(s, s->units.temperature, s->settings.writer.temperature_K, "K", q);
}

/* ---- views ---- */

/* Planes of the three kinds, x along longitude. Each names its panel. */

static void
view_column(const struct iris_subject *s, const struct iris_npy *a, struct iris_plane *plane,
            struct iris_panel *p, struct quantity *q, struct iris_buf *title)
{
    size_t nr = a->shape.dim[1], nlon = a->shape.dim[2];

    *plane = (struct iris_plane){0, nlon, 1, nr, nlon};
    p->y = axis_r(s, s->hyper ? (size_t)s->settings.coordinate.r_crop_min : 0, nr);
    of_density(s, "H₂ mass density, latitude mean", q);
    iris_buf_puts(title, q->name);
}

static enum iris_status
view_observed(const struct iris_subject *s, const struct iris_npy *a, size_t line,
              struct iris_plane *plane, struct iris_panel *p, struct quantity *q,
              struct iris_buf *title, struct iris_err *err)
{
    size_t nlon = a->shape.dim[1], nv = a->shape.dim[2];

    *plane = (struct iris_plane){line * nlon * nv, nlon, nv, nv, 1};
    p->y = axis_v(s, nv);
    if (a->shape.dim[0] > 1)
        iris_buf_printf(title, "line %zu: ", line + 1);
    if (of_observed(s, q, err))
        return err->status;
    iris_buf_puts(title, q->name);
    return IRIS_OK;
}

static void
view_tensor(const struct iris_subject *s, const struct iris_npy *a, size_t i,
            struct iris_plane *plane, struct iris_panel *p, struct quantity *q,
            struct iris_buf *title)
{
    size_t nr = a->shape.dim[1], nlon = a->shape.dim[2], nlat = a->shape.dim[3];
    size_t middle = nlat / 2, channel = i ? IRIS_T : IRIS_RHO;
    struct iris_scale lat = axis(s, s->settings.coordinate.lat_min, s->settings.coordinate.lat_max,
                                 nlat, middle, nlat, "°", "");

    *plane = (struct iris_plane){channel * nr * nlon * nlat + middle, nlon, nlat, nr, nlon * nlat};
    p->y = axis_r(s, 0, nr);
    if (i)
        of_temperature(s, q);
    else
        of_density(s, "gas density", q);
    iris_buf_printf(title, "%s at latitude ", q->name);
    if (*lat.title)
        iris_buf_printf(title, "%.3f°", lat.first);
    else
        iris_buf_printf(title, "pixel %zu", middle);
}

void
iris_view_panel_release(struct iris_view_panel *v)
{
    iris_raster_release(&v->raster);
    free(v->title);
    *v = (struct iris_view_panel){.title = NULL};
}

enum iris_status
iris_subject_view(const struct iris_subject *s, const struct iris_npy *a, enum iris_kind kind,
                  size_t i, size_t max_x, size_t max_y, struct iris_view_panel *v,
                  struct iris_err *err)
{
    struct iris_panel *p = &v->panel;
    struct iris_buf title = {0};
    struct iris_plane plane;
    enum iris_status st = IRIS_OK;
    struct quantity q;

    *v = (struct iris_view_panel){.title = NULL};
    if (kind == IRIS_COLUMN)
        view_column(s, a, &plane, p, &q, &title);
    else if (kind == IRIS_TENSOR)
        view_tensor(s, a, i, &plane, p, &q, &title);
    else
        st = view_observed(s, a, i, &plane, p, &q, &title, err);
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
