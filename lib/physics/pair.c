#include "pair.h"

#include <stdlib.h>
#include <string.h>

struct work {
    const struct iris_pair_law *law;
    const struct iris_beam *beam;
    const struct iris_observer *observer;
    const struct iris_cube_sink *sink;
    size_t n_lon, n_lat;
    double *spectra; /* [rays of a column][values] */
    size_t room;     /* rays there is room for */
    double *sums;    /* column map, summed over latitude */
    double *folded;  /* [n_lon][values] */
    double *share;   /* [n_lat] of a mean */
    float *single;   /* [rays of a column][values] for the sink */
    struct iris_beam_window window;
};

static void
work_release(struct work *w)
{
    free(w->spectra);
    free(w->sums);
    free(w->folded);
    free(w->share);
    free(w->single);
    iris_beam_window_release(&w->window);
}

/* Room for the spectra of a column, whose size is known when it comes. */
static enum iris_status
make_room(struct work *w, const struct iris_column *c, struct iris_err *err)
{
    size_t size = c->n_rays * w->observer->values;

    if (c->n_rays <= w->room)
        return IRIS_OK;
    free(w->spectra);
    free(w->single);
    w->single = NULL;
    w->spectra = malloc(size * sizeof *w->spectra);
    if (w->sink)
        w->single = malloc(size * sizeof *w->single);
    w->room = w->spectra && (!w->sink || w->single) ? c->n_rays : 0;
    return w->room ? IRIS_OK : iris_fail_memory(err);
}

/* ---- column map ---- */

static void
add_column(const struct work *w, const struct iris_column *c)
{
    const struct iris_pair_law *law = w->law;
    size_t i, k;

    for (i = law->crop_min; i < law->crop_max; i++) {
        const float *rho = c->field[IRIS_RHO] + i * c->stride + c->skip;
        const float *x = c->field[IRIS_X_H2] + i * c->stride + c->skip;
        double *sum = &w->sums[(i - law->crop_min) * w->n_lon + c->lon];

        for (k = 0; k < c->n_own; k++)
            *sum += (double)rho[k] * (double)x[k] * law->H2_factor;
    }
}

/* ---- reductions ---- */

static enum iris_status
visit_mean(void *self, const struct iris_column *c, struct iris_err *err)
{
    struct work *w = self;
    size_t n = w->observer->values, k, v;
    double *to = w->folded + c->lon * n;
    enum iris_status st = make_room(w, c, err);

    if (st)
        return st;
    add_column(w, c);
    w->observer->observe(w->observer->self, c, w->spectra);
    for (k = 0; k < c->n_rays; k++)
        for (v = 0; v < n; v++)
            to[v] += w->share[c->lat + k] * w->spectra[k * n + v];
    return IRIS_OK;
}

static enum iris_status
fold_max(void *self, size_t lon, const struct iris_column *c, const double *smoothed,
         struct iris_err *err)
{
    struct work *w = self;
    size_t n = w->observer->values, k, v;
    double *to = w->folded + lon * n;
    int first = c->lat + c->skip == 0;

    (void)err;
    for (k = 0; k < c->n_own; k++)
        for (v = 0; v < n; v++)
            if ((first && k == 0) || smoothed[k * n + v] > to[v])
                to[v] = smoothed[k * n + v];
    return IRIS_OK;
}

static enum iris_status
visit_max(void *self, const struct iris_column *c, struct iris_err *err)
{
    struct work *w = self;
    struct iris_beam_done done = {fold_max, w};
    enum iris_status st = make_room(w, c, err);

    if (st)
        return st;
    add_column(w, c);
    w->observer->observe(w->observer->self, c, w->spectra);
    return iris_beam_window_put(&w->window, c, w->spectra, &done, err);
}

/* A mean over latitude and the beam's smoothing of longitude can change
 * places. */
static void
smooth_longitudes(const struct work *w, const double *folded, double *out)
{
    const struct iris_beam_axis *a = &w->beam->lon;
    size_t n = w->observer->values, lon, m, v;

    memset(out, 0, w->n_lon * n * sizeof *out);
    for (lon = 0; lon < w->n_lon; lon++) {
        for (m = 0; m < a->size; m++) {
            size_t from = iris_reflect((long)(lon + m) - (long)(a->size / 2), w->n_lon);

            for (v = 0; v < n; v++)
                out[lon * n + v] += a->weight[m] * folded[from * n + v];
        }
    }
}

/* [lon][line][channel] to [line][lon][channel] */
static void
store_observed(const struct work *w, const double *folded, double scale, float *observed)
{
    size_t lines = w->law->n_lines, n_v = w->observer->values / lines, lon, l, v;

    for (lon = 0; lon < w->n_lon; lon++)
        for (l = 0; l < lines; l++)
            for (v = 0; v < n_v; v++)
                observed[(l * w->n_lon + lon) * n_v + v] =
                    (float)(folded[(lon * lines + l) * n_v + v] * scale);
}

static enum iris_status
prepare_pair(struct work *w, struct iris_err *err)
{
    const struct iris_pair_law *law = w->law;
    size_t values = w->observer->values;

    w->sums = calloc((law->crop_max - law->crop_min) * w->n_lon, sizeof *w->sums);
    w->folded = calloc(w->n_lon * values, sizeof *w->folded);
    w->share = malloc(w->n_lat * sizeof *w->share);
    if (!w->sums || !w->folded || !w->share)
        return iris_fail_memory(err);
    iris_beam_shares(&w->beam->lat, w->share);
    return law->max ? iris_beam_window_init(&w->window, w->beam, w->n_lat, values, err) : IRIS_OK;
}

enum iris_status
iris_pair_make(const struct iris_pair_law *law, const struct iris_columns *columns,
               const struct iris_observer *observer, const struct iris_pause *pause, float *column,
               float *observed, struct iris_err *err)
{
    struct work w = {.law = law,
                     .beam = law->beam,
                     .observer = observer,
                     .n_lon = law->sky.lon_steps,
                     .n_lat = law->sky.lat_steps};
    struct iris_visitor visitor = {.visit = law->max ? visit_max : visit_mean,
                                   .self = &w,
                                   .fields = observer->fields | 1U << IRIS_RHO | 1U << IRIS_X_H2,
                                   .margin = law->max ? law->beam->lat.size / 2 : 0};
    size_t n = (law->crop_max - law->crop_min) * w.n_lon, i;
    double share = 1 / (double)w.n_lat, *smoothed = NULL;
    enum iris_status st;

    st = prepare_pair(&w, err);
    if (!st)
        st = iris_sky_walk(&law->sky, columns, &visitor, pause, err);
    for (i = 0; i < n && !st; i++)
        column[i] = (float)(w.sums[i] * share);
    if (!st && law->max) {
        store_observed(&w, w.folded, 1, observed);
    } else if (!st) {
        smoothed = malloc(w.n_lon * observer->values * sizeof *smoothed);
        st = smoothed ? IRIS_OK : iris_fail_memory(err);
        if (!st) {
            smooth_longitudes(&w, w.folded, smoothed);
            store_observed(&w, smoothed, share, observed);
        }
    }
    free(smoothed);
    work_release(&w);
    return st;
}

/* ---- cubes ---- */

static enum iris_status
put_smoothed(void *self, size_t lon, const struct iris_column *c, const double *smoothed,
             struct iris_err *err)
{
    struct work *w = self;
    size_t n = c->n_own * w->observer->values, i;

    for (i = 0; i < n; i++)
        w->single[i] = (float)smoothed[i];
    return w->sink->put(w->sink->self, lon, c->lat + c->skip, c->n_own, w->single, err);
}

static enum iris_status
visit_cube(void *self, const struct iris_column *c, struct iris_err *err)
{
    struct work *w = self;
    struct iris_beam_done done = {put_smoothed, w};
    enum iris_status st = make_room(w, c, err);

    if (st)
        return st;
    w->observer->observe(w->observer->self, c, w->spectra);
    return iris_beam_window_put(&w->window, c, w->spectra, &done, err);
}

enum iris_status
iris_cube_make(const struct iris_sky *sky, const struct iris_beam *beam,
               const struct iris_columns *columns, const struct iris_observer *observer,
               const struct iris_pause *pause, const struct iris_cube_sink *sink,
               struct iris_err *err)
{
    struct work w = {.beam = beam,
                     .observer = observer,
                     .sink = sink,
                     .n_lon = sky->lon_steps,
                     .n_lat = sky->lat_steps};
    struct iris_visitor visitor = {visit_cube, &w, observer->fields, beam->lat.size / 2};
    enum iris_status st;

    st = iris_beam_window_init(&w.window, beam, w.n_lat, observer->values, err);
    if (!st)
        st = iris_sky_walk(sky, columns, &visitor, pause, err);
    work_release(&w);
    return st;
}
