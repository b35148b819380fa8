#include "sky.h"

#include <stdlib.h>

/* Samples of one column that are held at once, at most (unless lat_steps
 * cannot be cut finer): up to 28 bytes each in the window, times the kernel. */
enum { BAND_SAMPLES = 1 << 17, BAND_LEAST = 8 };

struct window {
    const struct iris_sky *sky;
    const struct iris_visitor *visitor;
    size_t half_lon, half_lat;
    size_t depth;      /* columns held, the kernel's size */
    size_t lon0, lon1; /* longitudes visited */
    size_t next, end;  /* longitude sampled next, and beyond the last one sampled */
    struct iris_column_part part;
    struct iris_column column;  /* what of it does not change in a band */
    double **velocity;          /* [depth] of [r][n_want], blurred in r and lat */
    float **field[IRIS_FIELDS]; /* [depth] of [r][n_lat_in] */
    double *row, *blurred;      /* work space of a column */
    float *v;
};

static void
window_release(struct window *w)
{
    size_t i;
    int c;

    for (c = 0; c < IRIS_FIELDS; c++) {
        for (i = 0; w->field[c] && i < w->depth; i++)
            free(w->field[c][i]);
        free(w->field[c]);
    }
    for (i = 0; w->velocity && i < w->depth; i++)
        free(w->velocity[i]);
    free(w->velocity);
    free(w->row);
    free(w->blurred);
    free(w->v);
}

static size_t
at_most(size_t a, size_t b)
{
    return a < b ? a : b;
}

/* Latitudes of a band of its own. */
static size_t
band_size(const struct iris_sky *sky)
{
    size_t n = BAND_SAMPLES / sky->r_steps;

    return at_most(n < BAND_LEAST ? BAND_LEAST : n, sky->lat_steps);
}

static enum iris_status
window_init(struct window *w, const struct iris_sky *sky, size_t lon0, size_t lon1,
            const struct iris_visitor *visitor, struct iris_err *err)
{
    size_t want, in, i;
    int c, lacking;

    *w = (struct window){
        .sky = sky, .visitor = visitor, .depth = sky->blur.n[1], .lon0 = lon0, .lon1 = lon1};
    w->half_lon = sky->blur.n[1] / 2;
    w->half_lat = sky->blur.n[2] / 2;
    w->end = at_most(lon1 + w->half_lon, sky->lon_steps);
    want = sky->r_steps * at_most(band_size(sky) + 2 * visitor->margin, sky->lat_steps);
    in = sky->r_steps *
         at_most(band_size(sky) + 2 * (visitor->margin + w->half_lat), sky->lat_steps);
    w->row = malloc(want * sizeof *w->row);
    w->blurred = malloc(want * sizeof *w->blurred);
    w->v = malloc(in * sizeof *w->v);
    w->velocity = calloc(w->depth, sizeof *w->velocity);
    lacking = !w->row || !w->blurred || !w->v || !w->velocity;
    for (i = 0; i < w->depth && !lacking; i++)
        lacking = !(w->velocity[i] = malloc(want * sizeof **w->velocity));
    for (c = 0; c < IRIS_FIELDS && !lacking; c++) {
        if (!(visitor->fields >> c & 1))
            continue;
        lacking = !(w->field[c] = calloc(w->depth, sizeof *w->field[c]));
        for (i = 0; i < w->depth && !lacking; i++)
            lacking = !(w->field[c][i] = malloc(in * sizeof **w->field[c]));
    }
    return lacking ? iris_fail_memory(err) : IRIS_OK;
}

/* The latitudes [first, first + n) with the visitor's margin, and the kernel's
 * beside that, where there are any. */
static void
start_band(struct window *w, size_t first, size_t n)
{
    size_t all = w->sky->lat_steps, margin = w->visitor->margin, lo, hi, in_lo, in_hi;

    lo = first > margin ? first - margin : 0;
    hi = at_most(first + n + margin, all);
    in_lo = lo > w->half_lat ? lo - w->half_lat : 0;
    in_hi = at_most(hi + w->half_lat, all);
    w->part = (struct iris_column_part){w->sky->r_steps, all, in_lo, in_hi - in_lo, lo, hi - lo};
    w->column = (struct iris_column){.lat = lo,
                                     .n_rays = hi - lo,
                                     .skip = first - lo,
                                     .n_own = n,
                                     .n_r = w->sky->r_steps,
                                     .stride = in_hi - in_lo};
    w->next = w->lon0 > w->half_lon ? w->lon0 - w->half_lon : 0;
}

/* Sample the next longitude into its place in the window. */
static enum iris_status
sample_next(struct window *w, const struct iris_columns *columns, struct iris_err *err)
{
    size_t slot = w->next % w->depth;
    struct iris_tile tile = {0,           w->part.n_r,       w->next,
                             w->next + 1, w->part.lat_first, w->part.lat_first + w->part.n_lat_in};
    float *field[IRIS_FIELDS] = {[IRIS_V_R] = w->v};
    enum iris_status st;
    int c;

    for (c = 0; c < IRIS_FIELDS; c++)
        if (w->field[c])
            field[c] = w->field[c][slot];
    st = columns->get(columns->self, &tile, field, err);
    if (st)
        return st;
    iris_blur_column(&w->sky->blur, &w->part, w->v, w->row, w->velocity[slot]);
    w->next++;
    return IRIS_OK;
}

static enum iris_status
visit_longitude(struct window *w, size_t lon, struct iris_err *err)
{
    size_t offset = w->part.want_first - w->part.lat_first, m;
    const double *kernel[IRIS_BLUR_MAX];
    int c;

    for (m = 0; m < w->depth; m++) {
        size_t from = iris_reflect((long)(lon + m) - (long)w->half_lon, w->sky->lon_steps);

        kernel[m] = w->velocity[from % w->depth];
    }
    iris_blur_across(&w->sky->blur, kernel, w->part.n_r * w->part.n_want, w->blurred);
    w->column.lon = lon;
    w->column.v = w->blurred;
    for (c = 0; c < IRIS_FIELDS; c++)
        w->column.field[c] = w->field[c] ? w->field[c][lon % w->depth] + offset : NULL;
    return w->visitor->visit(w->visitor->self, &w->column, err);
}

static enum iris_status
walk_band(struct window *w, const struct iris_columns *columns, const struct iris_pause *pause,
          struct iris_err *err)
{
    enum iris_status st = IRIS_OK;
    size_t lon;

    for (lon = w->lon0; lon < w->lon1 && !st; lon++) {
        while (w->next < w->end && w->next <= lon + w->half_lon) {
            st = sample_next(w, columns, err);
            if (st)
                return st;
            if (pause && pause->fn(pause->self))
                return iris_fail(err, IRIS_E_RETRY, "stopped");
        }
        st = visit_longitude(w, lon, err);
    }
    return st;
}

enum iris_status
iris_sky_walk(const struct iris_sky *sky, size_t lon0, size_t lon1,
              const struct iris_columns *columns, const struct iris_visitor *visitor,
              const struct iris_pause *pause, struct iris_err *err)
{
    size_t n = band_size(sky), lat;
    struct window w;
    enum iris_status st;

    st = window_init(&w, sky, lon0, lon1, visitor, err);
    for (lat = 0; lat < sky->lat_steps && !st; lat += n) {
        start_band(&w, lat, at_most(n, sky->lat_steps - lat));
        st = walk_band(&w, columns, pause, err);
    }
    window_release(&w);
    return st;
}

static enum iris_status
sample_column(void *self, const struct iris_tile *tile, float *const field[IRIS_FIELDS],
              struct iris_err *err)
{
    const struct iris_sampler *s = self;

    return iris_sampler_tile(s, tile, field, err);
}

struct iris_columns
iris_columns_of_sampler(struct iris_sampler *s)
{
    return (struct iris_columns){sample_column, s};
}
