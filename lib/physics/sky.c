#include "sky.h"

#include <stdlib.h>
#include <string.h>

#include "aligned.h"

/* Samples of one column that are held at once, at most (unless lat_steps
 * cannot be cut finer): up to 28 bytes each in the window, times the kernel; and
 * samples that are taken at once, of several columns, 24 bytes each. */
enum { BAND_SAMPLES = 1 << 17, BAND_LEAST = 8, BATCH_SAMPLES = 5 << 17 };

struct window {
    const struct iris_sky *sky;
    const struct iris_visitor *visitor;
    const struct iris_columns *columns;
    size_t half_lon, half_lat;
    size_t depth;      /* blurred columns held, the kernel's size */
    size_t lon0, lon1; /* longitudes visited */
    size_t next, end;  /* longitude blurred next, and beyond the last one sampled */
    size_t many;       /* longitudes of a batch, at most */
    size_t at, n_at;   /* longitudes of the batch: first, and how many */
    size_t stride;     /* of the batch, from a sample to the next of the same ray */
    struct iris_column_part part;
    struct iris_column column; /* what of it does not change in a band */
    double **velocity;         /* [depth] of [r][n_want], blurred in r and lat */
    float *batch[IRIS_FIELDS]; /* [r][n_at][n_lat_in], see stride */
    float *kept[IRIS_FIELDS];  /* [half_lon] of [r][n_lat_in]: older, not visited yet */
    double *row, *blurred;     /* work space of a column */
};

static void
window_release(struct window *w)
{
    size_t i;
    int c;

    for (c = 0; c < IRIS_FIELDS; c++) {
        free(w->batch[c]);
        free(w->kept[c]);
    }
    for (i = 0; w->velocity && i < w->depth; i++)
        free(w->velocity[i]);
    free(w->velocity);
    free(w->row);
    free(w->blurred);
}

static size_t
at_most(size_t a, size_t b)
{
    return a < b ? a : b;
}

size_t
iris_sky_band(const struct iris_sky *sky)
{
    size_t n = BAND_SAMPLES / sky->r_steps;

    return at_most(n < BAND_LEAST ? BAND_LEAST : n, sky->lat_steps);
}

/* Rows of a batch n samples wide: an odd number of lines of the cache, for rows
 * that are a power of two apart have few places in it. */
static size_t
row_of(const struct window *w, size_t n)
{
    const size_t line = IRIS_CACHE_LINE / sizeof(float);

    return w->many > 1 ? ((n + line - 1) / line | 1) * line : n;
}

/* The arrays of the fields that the visitor wants, n samples a column. */
static int
make_fields(struct window *w, size_t n)
{
    size_t kept = w->half_lon ? w->half_lon : 1, room;
    int c, lacking = 0;

    w->many = BATCH_SAMPLES / n;
    w->many = at_most(w->many ? w->many : 1, w->columns->many ? w->columns->many : 1);
    room = w->sky->r_steps * row_of(w, w->many * (n / w->sky->r_steps));
    for (c = 0; c < IRIS_FIELDS && !lacking; c++) {
        unsigned wanted = w->visitor->fields >> c & 1;

        if (wanted)
            lacking = !(w->kept[c] = iris_aligned(kept * n * sizeof **w->kept));
        if ((wanted || c == IRIS_V_R) && !lacking)
            lacking = !(w->batch[c] = iris_aligned(room * sizeof **w->batch));
    }
    return !lacking;
}

static enum iris_status
window_init(struct window *w, const struct iris_sky *sky, size_t lon0, size_t lon1,
            const struct iris_columns *columns, const struct iris_visitor *visitor,
            struct iris_err *err)
{
    size_t want, in, i;
    int lacking;

    *w = (struct window){.sky = sky,
                         .visitor = visitor,
                         .columns = columns,
                         .depth = sky->blur.n[1],
                         .lon0 = lon0,
                         .lon1 = lon1};
    w->half_lon = sky->blur.n[1] / 2;
    w->half_lat = sky->blur.n[2] / 2;
    w->end = at_most(lon1 + w->half_lon, sky->lon_steps);
    want = sky->r_steps * at_most(iris_sky_band(sky) + 2 * visitor->margin, sky->lat_steps);
    in = sky->r_steps *
         at_most(iris_sky_band(sky) + 2 * (visitor->margin + w->half_lat), sky->lat_steps);
    w->row = malloc(at_most(sky->blur.n[0], sky->r_steps) * (want / sky->r_steps) * sizeof *w->row);
    w->blurred = malloc(want * sizeof *w->blurred);
    w->velocity = calloc(w->depth, sizeof *w->velocity);
    lacking = !w->row || !w->blurred || !w->velocity || !make_fields(w, in);
    for (i = 0; i < w->depth && !lacking; i++)
        lacking = !(w->velocity[i] = malloc(want * sizeof **w->velocity));
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
    w->part = (struct iris_column_part){w->sky->r_steps, all, in_lo, in_hi - in_lo, lo, hi - lo, 0};
    w->column = (struct iris_column){
        .lat = lo, .n_rays = hi - lo, .skip = first - lo, .n_own = n, .n_r = w->sky->r_steps};
    w->next = w->at = w->lon0 > w->half_lon ? w->lon0 - w->half_lon : 0;
    w->n_at = 0;
}

/* A column of the batch, on its own. */
static void
copy_column(const struct window *w, const float *batch, size_t lon, float *to)
{
    size_t n = w->part.n_lat_in, i;

    for (i = 0; i < w->part.n_r; i++)
        memcpy(to + i * n, batch + i * w->stride + (lon - w->at) * n, n * sizeof *to);
}

/* Sample a batch that begins with the next longitude. Those from lon on are
 * still to be visited. */
static enum iris_status
sample_batch(struct window *w, size_t lon, struct iris_err *err)
{
    size_t n = w->part.n_r * w->part.n_lat_in, i;
    struct iris_tile tile = {.r1 = w->part.n_r,
                             .lon0 = w->next,
                             .lat0 = w->part.lat_first,
                             .lat1 = w->part.lat_first + w->part.n_lat_in};
    int c;

    for (c = 0; c < IRIS_FIELDS; c++)
        for (i = lon > w->at ? lon : w->at; w->kept[c] && i < w->at + w->n_at; i++)
            copy_column(w, w->batch[c], i, w->kept[c] + i % w->half_lon * n);
    w->at = w->next;
    w->n_at = at_most(w->many, w->end - w->next);
    tile.lon1 = w->at + w->n_at;
    tile.row = w->stride = row_of(w, w->n_at * w->part.n_lat_in);
    return w->columns->get(w->columns->self, &tile, w->batch, err);
}

static enum iris_status
blur_next(struct window *w, size_t lon, struct iris_err *err)
{
    enum iris_status st;

    if (w->next >= w->at + w->n_at) {
        st = sample_batch(w, lon, err);
        if (st)
            return st;
    }
    w->part.stride = w->stride;
    iris_blur_column(&w->sky->blur, &w->part,
                     w->batch[IRIS_V_R] + (w->next - w->at) * w->part.n_lat_in, w->row,
                     w->velocity[w->next % w->depth]);
    w->next++;
    return IRIS_OK;
}

/* Where the fields of a longitude are. */
static void
find_fields(struct window *w, size_t lon)
{
    size_t n_lat = w->part.n_lat_in, offset = w->part.want_first - w->part.lat_first;
    int c;

    w->column.stride = lon >= w->at ? w->stride : n_lat;
    for (c = 0; c < IRIS_FIELDS; c++) {
        if (!w->kept[c])
            w->column.field[c] = NULL;
        else if (lon >= w->at)
            w->column.field[c] = w->batch[c] + (lon - w->at) * n_lat + offset;
        else
            w->column.field[c] = w->kept[c] + lon % w->half_lon * w->part.n_r * n_lat + offset;
    }
}

static enum iris_status
visit_longitude(struct window *w, size_t lon, struct iris_err *err)
{
    const double *kernel[IRIS_BLUR_MAX];
    size_t m;

    for (m = 0; m < w->depth; m++) {
        size_t from = iris_reflect((long)(lon + m) - (long)w->half_lon, w->sky->lon_steps);

        kernel[m] = w->velocity[from % w->depth];
    }
    iris_blur_across(&w->sky->blur, kernel, w->part.n_r * w->part.n_want, w->blurred);
    w->column.lon = lon;
    w->column.v = w->blurred;
    find_fields(w, lon);
    return w->visitor->visit(w->visitor->self, &w->column, err);
}

static enum iris_status
walk_band(struct window *w, const struct iris_pause *pause, struct iris_err *err)
{
    enum iris_status st = IRIS_OK;
    size_t lon;

    for (lon = w->lon0; lon < w->lon1 && !st; lon++) {
        while (w->next < w->end && w->next <= lon + w->half_lon) {
            st = blur_next(w, lon, err);
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
    size_t n = iris_sky_band(sky), lat;
    struct window w;
    enum iris_status st;

    st = window_init(&w, sky, lon0, lon1, columns, visitor, err);
    for (lat = 0; lat < sky->lat_steps && !st; lat += n) {
        start_band(&w, lat, at_most(n, sky->lat_steps - lat));
        st = walk_band(&w, pause, err);
    }
    window_release(&w);
    return st;
}

/* Blocks of samples want some width. */
enum { SAMPLER_LON = 8 };

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
    return (struct iris_columns){sample_column, s, s->kernels ? SAMPLER_LON : 1};
}
