#include "moment.h"

#include <fitsio.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#include "quantity.h"

enum { AXES = 3 };

void
iris_cube_close(struct iris_cube_reader *c)
{
    int ignored = 0;

    if (c->fits)
        fits_close_file(c->fits, &ignored);
    if (!c->fits && c->path)
        iris_npy_close(&c->npy);
    free(c->hdu);
    free(c->path);
    *c = (struct iris_cube_reader){.npy = {.fd = -1}};
}

static enum iris_status
begin(const char *path, struct iris_cube_reader *c, struct iris_err *err)
{
    *c = (struct iris_cube_reader){
        .path = strdup(path), .factor = 1, .name = "integrated intensity", .npy = {.fd = -1}};
    return c->path ? IRIS_OK : iris_fail_memory(err);
}

/* ---- .npy ---- */

static struct iris_scale
axis(double lo, double hi, size_t n, const char *title)
{
    return (struct iris_scale){lo, n > 1 ? (hi - lo) / (double)(n - 1) : 1, n, title};
}

static enum iris_status
take_settings(const struct iris_subject *s, struct iris_cube_reader *c, struct iris_err *err)
{
    enum iris_type type = s->type == IRIS_SIMPLE ? IRIS_SIMPLE : IRIS_SYNTHETIC;
    const struct iris_settings *x = &s->settings;
    struct iris_quantity q;
    enum iris_status st;

    if (c->n_lon != (size_t)x->coordinate.lon_steps ||
        c->n_lat != (size_t)x->coordinate.lat_steps || c->n_v != (size_t)x->cube.v_steps)
        return iris_fail(err, IRIS_E_DATA,
                         "'%s' has the shape (%zu, %zu, %zu, %zu), but its settings give (lines, "
                         "%lld, %lld, %lld)",
                         c->path, c->n_lines, c->n_lon, c->n_lat, c->n_v,
                         (long long)x->coordinate.lon_steps, (long long)x->coordinate.lat_steps,
                         (long long)x->cube.v_steps);
    c->lon = axis(x->coordinate.lon_min, x->coordinate.lon_max, c->n_lon, "longitude [°]");
    c->lat = axis(x->coordinate.lat_min, x->coordinate.lat_max, c->n_lat, "latitude [°]");
    c->v = axis(x->cube.v_min, x->cube.v_max, c->n_v, "km/s");
    st = iris_quantity_of(IRIS_OBSERVED, type, 0, s->hyper, &q, err);
    if (st)
        return st;
    c->factor = isfinite(q.to_unit) ? q.to_unit : 1;
    if (type == IRIS_SIMPLE) {
        c->name = "mass per area";
        snprintf(c->unit, sizeof c->unit, "M☉ pc⁻²");
    } else {
        snprintf(c->unit, sizeof c->unit, "%s km/s",
                 isfinite(q.to_unit) ? q.unit : "processing units");
    }
    return IRIS_OK;
}

enum iris_status
iris_cube_read_npy(const char *path, const struct iris_subject *s, struct iris_cube_reader *c,
                   struct iris_err *err)
{
    char text[128];
    const size_t *dim;
    enum iris_status st;

    st = begin(path, c, err);
    if (!st)
        st = iris_npy_open(path, &c->npy, err);
    if (st)
        return st;
    dim = c->npy.shape.dim;
    if (c->npy.shape.n != 4 || !c->npy.count)
        return iris_fail(err, IRIS_E_DATA,
                         "'%s' has the shape %s, but a cube has (lines, lon, lat, v)", path,
                         iris_shape_text(&c->npy.shape, text, sizeof text));
    c->n_lines = dim[0];
    c->n_lon = dim[1];
    c->n_lat = dim[2];
    c->n_v = dim[3];
    if (s->hyper)
        return take_settings(s, c, err);
    c->lon = (struct iris_scale){0, 1, c->n_lon, "longitude [pixel]"};
    c->lat = (struct iris_scale){0, 1, c->n_lat, "latitude [pixel]"};
    c->v = (struct iris_scale){0, 1, c->n_v, "channels"};
    c->channels = 1;
    snprintf(c->unit, sizeof c->unit, "unit of the file");
    return IRIS_OK;
}

/* ---- FITS ---- */

static enum iris_status
fits_failed(const struct iris_cube_reader *c, int bad, struct iris_err *err)
{
    char text[FLEN_STATUS] = "";

    fits_get_errstatus(bad, text);
    fits_clear_errmsg();
    return iris_fail(err, bad == MEMORY_ALLOCATION ? IRIS_E_IO : IRIS_E_DATA,
                     "cannot read '%s' as FITS: %s", c->path, text);
}

/* The numbers along axis k of the image at hand, from 1. */
static struct iris_scale
header_axis(fitsfile *f, int k, size_t n, double unit, const char *title, int *bad)
{
    double value = 0, pixel = 1, step = 1;
    char key[FLEN_KEYWORD];

    snprintf(key, sizeof key, "CRVAL%d", k);
    fits_read_key_dbl(f, key, &value, NULL, bad);
    snprintf(key, sizeof key, "CRPIX%d", k);
    fits_read_key_dbl(f, key, &pixel, NULL, bad);
    snprintf(key, sizeof key, "CDELT%d", k);
    fits_read_key_dbl(f, key, &step, NULL, bad);
    return (struct iris_scale){(value + (1 - pixel) * step) * unit, step * unit, n, title};
}

/* A text of the header, or another where it has none. */
static void
header_text(fitsfile *f, const char *key, const char *otherwise, char text[FLEN_VALUE])
{
    int missing = 0;

    fits_write_errmark();
    if (fits_read_key_str(f, key, text, NULL, &missing))
        snprintf(text, FLEN_VALUE, "%s", otherwise);
    fits_clear_errmark();
}

/* The unit of axis k in degrees or km/s; an axis of another kind is refused. */
static enum iris_status
axis_unit(const struct iris_cube_reader *c, int k, double *factor, struct iris_err *err)
{
    static const struct {
        const char *name;
        double factor;
        int velocity;
    } known[] = {{"deg", 1, 0},      {"m/s", 1e-3, 1},     {"m s-1", 1e-3, 1},
                 {"m.s-1", 1e-3, 1}, {"m s**-1", 1e-3, 1}, {"km/s", 1, 1},
                 {"km s-1", 1, 1},   {"km.s-1", 1, 1},     {"km s**-1", 1, 1}};
    char unit[FLEN_VALUE], type[FLEN_VALUE], key[FLEN_KEYWORD];
    int velocity = k == AXES;
    size_t i;

    snprintf(key, sizeof key, "CUNIT%d", k);
    header_text(c->fits, key, velocity ? "m/s" : "deg", unit);
    snprintf(key, sizeof key, "CTYPE%d", k);
    header_text(c->fits, key, velocity ? "VRAD" : "", type);
    for (i = 0; i < sizeof known / sizeof known[0]; i++) {
        if (known[i].velocity != velocity || strcmp(known[i].name, unit))
            continue;
        *factor = known[i].factor;
        if (!velocity || type[0] == 'V') /* VRAD, VELO-LSR, ... */
            return IRIS_OK;
    }
    return iris_fail(err, IRIS_E_DATA, "'%s': axis %d is '%s' in '%s', not %s", c->path, k, type,
                     unit, velocity ? "a velocity in m/s or km/s" : "an angle in deg");
}

struct axes {
    struct iris_scale lon, lat, v;
};

static enum iris_status
read_axes(const struct iris_cube_reader *c, const LONGLONG size[AXES], struct axes *a, int *bad,
          struct iris_err *err)
{
    double unit[AXES] = {1, 1, 1};
    enum iris_status st = IRIS_OK;
    int k;

    for (k = 1; k <= AXES && !st; k++)
        st = axis_unit(c, k, &unit[k - 1], err);
    if (st)
        return st;
    a->lon = header_axis(c->fits, 1, (size_t)size[0], unit[0], "longitude [°]", bad);
    a->lat = header_axis(c->fits, 2, (size_t)size[1], unit[1], "latitude [°]", bad);
    a->v = header_axis(c->fits, 3, (size_t)size[2], unit[2], "km/s", bad);
    return IRIS_OK;
}

static int
same_axis(const struct iris_scale *a, const struct iris_scale *b)
{
    double least = 1e-6 * fabs(a->step); /* what differs by rounding is the same */

    return a->n == b->n && fabs(a->first - b->first) <= least &&
           fabs(a->step - b->step) * (double)a->n <= least;
}

/* The file has as many values as the header says, as far as they are not compressed. */
static enum iris_status
check_size(const struct iris_cube_reader *c, const LONGLONG size[AXES], int *bad,
           struct iris_err *err)
{
    const struct iris_shape shape = {AXES, {(size_t)size[0], (size_t)size[1], (size_t)size[2]}};
    int bits = 0, packed = fits_is_compressed_image(c->fits, bad);
    LONGLONG head = 0, data = 0, end = 0;
    struct stat sb;
    size_t count;

    fits_get_img_type(c->fits, &bits, bad);
    fits_get_hduaddrll(c->fits, &head, &data, &end, bad);
    if (iris_shape_count(&shape, &count, err))
        return iris_fail_in(err, "'%s'", c->path);
    if (!*bad && !packed &&
        (stat(c->path, &sb) || data > sb.st_size ||
         count > (size_t)(sb.st_size - data) / (size_t)(abs(bits) / 8)))
        return iris_fail(err, IRIS_E_DATA, "'%s' is cut short", c->path);
    return IRIS_OK;
}

static void
take_first(struct iris_cube_reader *c, const struct axes *a)
{
    char unit[FLEN_VALUE];

    c->lon = a->lon;
    c->lat = a->lat;
    c->v = a->v;
    c->n_lon = a->lon.n;
    c->n_lat = a->lat.n;
    c->n_v = a->v.n;
    header_text(c->fits, "BUNIT", "processing units", unit);
    snprintf(c->unit, sizeof c->unit, "%.60s km/s", unit);
}

/* Images of three axes are lines; all have the axes of the first. */
static enum iris_status
take_image(struct iris_cube_reader *c, int hdu, int *bad, struct iris_err *err)
{
    int type = 0, axes = 0;
    LONGLONG size[AXES] = {0};
    struct axes a;

    fits_movabs_hdu(c->fits, hdu, &type, bad);
    if (*bad || type != IMAGE_HDU)
        return IRIS_OK;
    fits_get_img_dim(c->fits, &axes, bad);
    if (*bad || axes != AXES)
        return IRIS_OK;
    fits_get_img_sizell(c->fits, AXES, size, bad);
    if (!*bad && (size[0] < 1 || size[1] < 1 || size[2] < 1))
        return IRIS_OK;
    if (!*bad && (check_size(c, size, bad, err) || read_axes(c, size, &a, bad, err)))
        return err->status;
    if (*bad)
        return IRIS_OK; /* the caller says so */
    if (!c->n_lines)
        take_first(c, &a);
    if (!same_axis(&c->lon, &a.lon) || !same_axis(&c->lat, &a.lat) || !same_axis(&c->v, &a.v))
        return iris_fail(err, IRIS_E_DATA, "'%s': images %d and %d have not the same axes", c->path,
                         c->hdu[0], hdu);
    c->hdu[c->n_lines++] = hdu;
    return IRIS_OK;
}

enum iris_status
iris_cube_read_fits(const char *path, struct iris_cube_reader *c, struct iris_err *err)
{
    fitsfile *f = NULL;
    enum iris_status st;
    int bad = 0, n = 0, k;

    st = begin(path, c, err);
    if (st)
        return st;
    fits_open_diskfile(&f, path, READONLY, &bad);
    c->fits = f;
    fits_get_num_hdus(f, &n, &bad);
    if (bad)
        return fits_failed(c, bad, err);
    c->hdu = calloc((size_t)n, sizeof *c->hdu);
    if (!c->hdu)
        return iris_fail_memory(err);
    for (k = 1; k <= n && !bad && !st; k++)
        st = take_image(c, k, &bad, err);
    if (!st && bad)
        st = fits_failed(c, bad, err);
    if (!st && !c->n_lines)
        st = iris_fail(err, IRIS_E_DATA, "'%s' has no image of three axes", path);
    return st;
}

/* ---- sums ---- */

/* What has been read so far; while it grows, map[k] is the sum of T v^k. */
struct sums {
    const struct iris_cube_reader *c;
    struct iris_moment_maps *m;
    double *count; /* [ny][nx] values that are finite */
    double *row;   /* a piece of the cube */
};

static void
add(struct sums *s, size_t lon, size_t lat, size_t channel, double value)
{
    struct iris_moment_maps *m = s->m;
    size_t at = lat * m->ny / s->c->n_lat * m->nx + lon * m->nx / s->c->n_lon;
    double v = s->c->v.first + s->c->v.step * (double)channel;

    if (!isfinite(value))
        return;
    s->count[at]++;
    m->map[0][at] += value;
    m->map[1][at] += value * v;
    m->map[2][at] += value * v * v;
}

/* One spectrum at a time. */
static enum iris_status
sum_npy(struct sums *s, size_t line, struct iris_err *err)
{
    const struct iris_cube_reader *c = s->c;
    enum iris_status st = IRIS_OK;
    size_t lon, lat, k;

    for (lon = 0; lon < c->n_lon; lon++) {
        for (lat = 0; lat < c->n_lat; lat++) {
            size_t first = ((line * c->n_lon + lon) * c->n_lat + lat) * c->n_v;

            st = iris_npy_read_f64(&c->npy, first, c->n_v, s->row, err);
            if (st)
                return st;
            for (k = 0; k < c->n_v; k++)
                add(s, lon, lat, k, s->row[k]);
        }
    }
    return st;
}

/* One row of longitudes at a time. */
static enum iris_status
sum_fits(struct sums *s, size_t line, struct iris_err *err)
{
    const struct iris_cube_reader *c = s->c;
    double nothing = (double)NAN;
    int bad = 0, any;
    size_t lon, lat, k;

    fits_movabs_hdu(c->fits, c->hdu[line], NULL, &bad);
    for (k = 0; k < c->n_v; k++) {
        for (lat = 0; lat < c->n_lat; lat++) {
            LONGLONG first[AXES] = {1, (LONGLONG)lat + 1, (LONGLONG)k + 1};

            if (fits_read_pixll(c->fits, TDOUBLE, first, (LONGLONG)c->n_lon, &nothing, s->row, &any,
                                &bad))
                return fits_failed(c, bad, err);
            for (lon = 0; lon < c->n_lon; lon++)
                add(s, lon, lat, k, s->row[lon]);
        }
    }
    return bad ? fits_failed(c, bad, err) : IRIS_OK;
}

/* From sums to moments. */
static void
finish(struct sums *s)
{
    struct iris_moment_maps *m = s->m;
    double width = fabs(s->c->v.step) * s->c->factor, largest = 0;
    size_t i, n = m->nx * m->ny;

    for (i = 0; i < n; i++) {
        double sum = m->map[0][i], mean = m->map[1][i] / sum;
        double variance = m->map[2][i] / sum - mean * mean;

        m->map[1][i] = mean;
        m->map[2][i] = variance >= 0 ? sqrt(variance) : (double)NAN;
        /* of the mean spectrum of what was summed up */
        m->map[0][i] = s->count[i] > 0 ? sum / s->count[i] * (double)s->c->n_v * width
                                       : (double)NAN;
        if (m->map[0][i] > largest)
            largest = m->map[0][i];
    }
    for (i = 0; i < n; i++) {
        if (!(m->map[0][i] > 0) || m->map[0][i] < IRIS_MOMENT_LEAST * largest)
            m->map[1][i] = m->map[2][i] = (double)NAN;
    }
}

enum iris_status
iris_moment_maps_make(const struct iris_cube_reader *c, size_t line, size_t max_x, size_t max_y,
                      struct iris_moment_maps *m, struct iris_err *err)
{
    struct sums s = {.c = c, .m = m};
    enum iris_status st = IRIS_OK;
    char name[FLEN_VALUE] = "";
    int k;

    *m = (struct iris_moment_maps){.nx = c->n_lon < max_x ? c->n_lon : max_x,
                                   .ny = c->n_lat < max_y ? c->n_lat : max_y};
    s.count = calloc(m->nx * m->ny, sizeof *s.count);
    s.row = malloc((c->n_v > c->n_lon ? c->n_v : c->n_lon) * sizeof *s.row);
    for (k = 0; k < IRIS_MOMENTS; k++) {
        m->map[k] = calloc(m->nx * m->ny, sizeof *m->map[k]);
        if (!m->map[k])
            st = iris_fail_memory(err);
    }
    if (!s.count || !s.row)
        st = iris_fail_memory(err);
    if (!st)
        st = c->fits ? sum_fits(&s, line, err) : sum_npy(&s, line, err);
    if (!st) {
        finish(&s);
        if (c->fits)
            header_text(c->fits, "EXTNAME", "", name);
        snprintf(m->line, sizeof m->line, "%s", name);
    }
    free(s.count);
    free(s.row);
    if (st)
        iris_moment_maps_release(m);
    return st;
}

void
iris_moment_maps_release(struct iris_moment_maps *m)
{
    int k;

    for (k = 0; k < IRIS_MOMENTS; k++)
        free(m->map[k]);
    *m = (struct iris_moment_maps){.nx = 0};
}
