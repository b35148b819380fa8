#include "pair.h"

#include <stdlib.h>
#include <string.h>

/* Samples of one column that are held at once, at most (unless lat_steps
 * cannot be cut finer): 8 bytes each in the window, times the kernel. */
enum { BAND_SAMPLES = 1 << 18 };

struct window {
    const struct iris_simple_pair *pair;
    size_t n_lat; /* latitudes of a band */
    size_t half_lat, half_lon;
    struct iris_column_part part;
    size_t next;           /* longitude sampled next */
    size_t depth;          /* columns held, the kernel's size */
    double **velocity;     /* [depth] of [r][n_want], blurred in r and lat */
    float **rho;           /* [depth] of [r][n_lat_in] */
    double *row, *blurred; /* work space of a column */
    float *v, *x_H2;
    double *spectrum; /* [v_steps] of one longitude */
};

static void
window_release(struct window *w)
{
    size_t i;

    for (i = 0; i < w->depth; i++) {
        if (w->velocity)
            free(w->velocity[i]);
        if (w->rho)
            free(w->rho[i]);
    }
    free(w->velocity);
    free(w->rho);
    free(w->row);
    free(w->blurred);
    free(w->v);
    free(w->x_H2);
    free(w->spectrum);
}

static enum iris_status
window_init(struct window *w, const struct iris_simple_pair *p, struct iris_err *err)
{
    size_t widest, size, in, i;

    *w = (struct window){.pair = p};
    w->half_lat = p->blur.n[2] / 2;
    w->half_lon = p->blur.n[1] / 2;
    w->n_lat = BAND_SAMPLES / p->r_steps;
    w->n_lat = w->n_lat < 8 ? 8 : w->n_lat;
    w->n_lat = w->n_lat > p->lat_steps ? p->lat_steps : w->n_lat;
    widest = w->n_lat + 2 * w->half_lat;
    w->depth = p->blur.n[1];
    size = p->r_steps * w->n_lat;
    in = p->r_steps * widest;
    w->velocity = calloc(w->depth, sizeof *w->velocity);
    w->rho = calloc(w->depth, sizeof *w->rho);
    w->row = malloc(size * sizeof *w->row);
    w->blurred = malloc(size * sizeof *w->blurred);
    w->v = malloc(in * sizeof *w->v);
    w->x_H2 = malloc(in * sizeof *w->x_H2);
    w->spectrum = malloc(p->law.v_steps * sizeof *w->spectrum);
    if (!w->velocity || !w->rho || !w->row || !w->blurred || !w->v || !w->x_H2 || !w->spectrum)
        return iris_fail_memory(err);
    for (i = 0; i < w->depth; i++) {
        w->velocity[i] = malloc(size * sizeof **w->velocity);
        w->rho[i] = malloc(in * sizeof **w->rho);
        if (!w->velocity[i] || !w->rho[i])
            return iris_fail_memory(err);
    }
    return IRIS_OK;
}

/* The latitudes [first, first + n) with the kernel's margin where there is any. */
static void
window_start_band(struct window *w, size_t first, size_t n)
{
    size_t all = w->pair->lat_steps, lo, hi;

    lo = first > w->half_lat ? first - w->half_lat : 0;
    hi = first + n + w->half_lat < all ? first + n + w->half_lat : all;
    w->part = (struct iris_column_part){w->pair->r_steps, all, lo, hi - lo, first, n};
    w->next = 0;
}

/* Sums over the latitudes of the band, so far in order of latitude. */
static void
add_columns(struct window *w, size_t lon, const float *rho, double *sums)
{
    const struct iris_simple_pair *p = w->pair;
    const struct iris_column_part *part = &w->part;
    size_t i, k, offset = part->want_first - part->lat_first;

    for (i = p->crop_min; i < p->crop_max; i++) {
        const float *r = rho + i * part->n_lat_in + offset;
        const float *x = w->x_H2 + i * part->n_lat_in + offset;
        double *sum = &sums[(i - p->crop_min) * p->lon_steps + lon];

        for (k = 0; k < part->n_want; k++)
            *sum += (double)r[k] * (double)x[k] * p->H2_factor;
    }
}

/* Sample the next longitude into its place in the window. */
static enum iris_status
window_advance(struct window *w, const struct iris_columns *columns, double *sums,
               struct iris_err *err)
{
    size_t slot = w->next % w->depth;
    struct iris_tile tile = {0,           w->part.n_r,       w->next,
                             w->next + 1, w->part.lat_first, w->part.lat_first + w->part.n_lat_in};
    float *field[IRIS_FIELDS] = {
        [IRIS_V_R] = w->v, [IRIS_RHO] = w->rho[slot], [IRIS_X_H2] = w->x_H2};
    enum iris_status st;

    st = columns->get(columns->self, &tile, field, err);
    if (st)
        return st;
    add_columns(w, w->next, w->rho[slot], sums);
    iris_blur_column(&w->pair->blur, &w->part, w->v, w->row, w->velocity[slot]);
    w->next++;
    return IRIS_OK;
}

/* The spectra of one longitude, folded over the latitudes of the band. */
static void
observe_longitude(struct window *w, size_t lon, double *folded)
{
    const struct iris_simple_pair *p = w->pair;
    const struct iris_column_part *part = &w->part;
    const double *kernel[IRIS_BLUR_MAX];
    const float *rho = w->rho[lon % w->depth];
    size_t m, k, c, n_v = p->law.v_steps, offset = part->want_first - part->lat_first;
    float *line = w->v; /* free again once blurred */
    double *column = w->row;
    size_t i;

    for (m = 0; m < p->blur.n[1]; m++) {
        size_t from = iris_reflect((long)(lon + m) - (long)w->half_lon, p->lon_steps);

        kernel[m] = w->velocity[from % w->depth];
    }
    iris_blur_across(&p->blur, kernel, part->n_r * part->n_want, w->blurred);
    for (k = 0; k < part->n_want; k++) {
        double *spectrum = p->max ? w->spectrum : folded;

        for (i = 0; i < part->n_r; i++) {
            column[i] = w->blurred[i * part->n_want + k];
            line[i] = rho[i * part->n_lat_in + offset + k];
        }
        if (p->max)
            memset(spectrum, 0, n_v * sizeof *spectrum);
        iris_simple_add(&p->law, column, line, part->n_r, 1, spectrum);
        for (c = 0; p->max && c < n_v; c++)
            folded[c] = spectrum[c] > folded[c] ? spectrum[c] : folded[c];
    }
}

static enum iris_status
walk_band(struct window *w, const struct iris_columns *columns, const struct iris_pause *pause,
          double *sums, double *folded, struct iris_err *err)
{
    size_t n_lon = w->pair->lon_steps, n_v = w->pair->law.v_steps, lon;
    enum iris_status st;

    for (lon = 0; lon < n_lon; lon++) {
        while (w->next < n_lon && w->next <= lon + w->half_lon) {
            st = window_advance(w, columns, sums, err);
            if (st)
                return st;
            if (pause && pause->fn(pause->self))
                return iris_fail(err, IRIS_E_RETRY, "stopped");
        }
        observe_longitude(w, lon, folded + lon * n_v);
    }
    return IRIS_OK;
}

enum iris_status
iris_simple_pair_make(const struct iris_simple_pair *p, const struct iris_columns *columns,
                      const struct iris_pause *pause, float *column, float *observed,
                      struct iris_err *err)
{
    size_t n_column = (p->crop_max - p->crop_min) * p->lon_steps;
    size_t n_observed = p->lon_steps * p->law.v_steps, lat, i;
    double *sums = calloc(n_column, sizeof *sums);
    double *folded = calloc(n_observed, sizeof *folded);
    struct window w = {0};
    enum iris_status st;

    st = sums && folded ? window_init(&w, p, err) : iris_fail_memory(err);
    for (lat = 0; !st && lat < p->lat_steps; lat += w.part.n_want) {
        size_t left = p->lat_steps - lat;

        window_start_band(&w, lat, left < w.n_lat ? left : w.n_lat);
        st = walk_band(&w, columns, pause, sums, folded, err);
    }
    if (!st) {
        double share = 1 / (double)p->lat_steps;

        for (i = 0; i < n_column; i++)
            column[i] = (float)(sums[i] * share);
        for (i = 0; i < n_observed; i++)
            observed[i] = (float)(p->max ? folded[i] : folded[i] * share);
    }
    window_release(&w);
    free(sums);
    free(folded);
    return st;
}

static enum iris_status
sample_column(void *self, const struct iris_tile *tile, float *const field[IRIS_FIELDS],
              struct iris_err *err)
{
    struct iris_sampler *s = self;

    return iris_sampler_tile(s, tile, field, err);
}

struct iris_columns
iris_columns_of_sampler(struct iris_sampler *s)
{
    return (struct iris_columns){sample_column, s};
}
