#include "pair.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

struct work {
    const struct iris_pair_law *law;
    const struct iris_beam *beam;
    const struct iris_observer *observer;
    const struct iris_cube_sink *sink;
    size_t n_lat;
    size_t lon0, lon1; /* of the part */
    double *strips;    /* [lon1 - lon0][strip] */
    size_t strip;
    double *spectra; /* [rays of a column][values] */
    size_t room;     /* rays there is room for */
    double *share;   /* [n_lat] of a mean */
    float *single;   /* [rays of a column][values] for the sink */
    struct iris_beam_window window;
};

static void
work_release(struct work *w)
{
    free(w->spectra);
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

/* ---- strips ---- */

static size_t
crop(const struct iris_pair_law *law)
{
    return law->crop_max - law->crop_min;
}

size_t
iris_pair_strip(const struct iris_pair_law *law, size_t values)
{
    return crop(law) + values;
}

/* Longitudes observed beside a part. */
static size_t
beside(const struct iris_pair_law *law)
{
    return law->max ? law->beam->lon.size / 2 : 0;
}

size_t
iris_pair_margin(const struct iris_pair_law *law)
{
    return beside(law) + law->sky.blur.n[1] / 2;
}

static double *
sums_of(const struct work *w, size_t lon)
{
    return w->strips + (lon - w->lon0) * w->strip;
}

static double *
folded_of(const struct work *w, size_t lon)
{
    return sums_of(w, lon) + crop(w->law);
}

/* Sums side by side, for none of them has to wait for another. */
enum { PARTS = 8 };

static void
add_column(const struct work *w, const struct iris_column *c)
{
    const struct iris_pair_law *law = w->law;
    size_t i, k, p;

    for (i = law->crop_min; i < law->crop_max; i++) {
        const float *rho = c->field[IRIS_RHO] + i * c->stride + c->skip;
        const float *x = c->field[IRIS_X_H2] + i * c->stride + c->skip;
        double part[PARTS] = {0}, sum = 0;

        for (k = 0; k + PARTS <= c->n_own; k += PARTS)
            for (p = 0; p < PARTS; p++)
                part[p] += (double)rho[k + p] * (double)x[k + p];
        for (p = 0; k < c->n_own; k++, p++)
            part[p] += (double)rho[k] * (double)x[k];
        for (p = 0; p < PARTS; p++)
            sum += part[p];
        sums_of(w, c->lon)[i - law->crop_min] += sum * law->H2_factor;
    }
}

/* ---- reductions ---- */

static enum iris_status
visit_mean(void *self, const struct iris_column *c, struct iris_err *err)
{
    struct work *w = self;
    size_t n = w->observer->values, k, v;
    double *to = folded_of(w, c->lon);
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
    double *to = folded_of(w, lon);
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
    if (c->lon >= w->lon0 && c->lon < w->lon1)
        add_column(w, c);
    w->observer->observe(w->observer->self, c, w->spectra);
    return iris_beam_window_put(&w->window, c, w->spectra, &done, err);
}

static enum iris_status
prepare_part(struct work *w, struct iris_err *err)
{
    const struct iris_pair_law *law = w->law;
    enum iris_status st = IRIS_OK;

    memset(w->strips, 0, (w->lon1 - w->lon0) * w->strip * sizeof *w->strips);
    w->share = malloc(w->n_lat * sizeof *w->share);
    if (!w->share)
        return iris_fail_memory(err);
    iris_beam_shares(&w->beam->lat, w->share);
    if (law->max)
        st = iris_beam_window_init(&w->window, w->beam, w->n_lat, w->observer->values, err);
    w->window.lon0 = w->lon0;
    w->window.lon1 = w->lon1;
    return st;
}

enum iris_status
iris_pair_part(const struct iris_pair_law *law, const struct iris_columns *columns,
               const struct iris_observer *observer, const struct iris_pause *pause, size_t lon0,
               size_t lon1, double *strips, struct iris_err *err)
{
    struct work w = {.law = law,
                     .beam = law->beam,
                     .observer = observer,
                     .n_lat = law->sky.lat_steps,
                     .lon0 = lon0,
                     .lon1 = lon1,
                     .strips = strips,
                     .strip = iris_pair_strip(law, observer->values)};
    struct iris_visitor visitor = {.visit = law->max ? visit_max : visit_mean,
                                   .self = &w,
                                   .fields = observer->fields | 1U << IRIS_RHO | 1U << IRIS_X_H2,
                                   .margin = law->max ? law->beam->lat.size / 2 : 0};
    size_t more = beside(law), n_lon = law->sky.lon_steps;
    enum iris_status st;

    st = prepare_part(&w, err);
    if (!st)
        st = iris_sky_walk(&law->sky, lon0 > more ? lon0 - more : 0,
                           lon1 + more < n_lon ? lon1 + more : n_lon, columns, &visitor, pause,
                           err);
    work_release(&w);
    return st;
}

/* ---- from all strips to a pair ---- */

/* A mean over latitude and the beam's smoothing of longitude can change
 * places. out is [values]. */
static void
smooth_longitude(const struct iris_pair_law *law, size_t values, const double *strips, size_t lon,
                 double *out)
{
    const struct iris_beam_axis *a = &law->beam->lon;
    size_t strip = iris_pair_strip(law, values), m, v;

    memset(out, 0, values * sizeof *out);
    for (m = 0; m < a->size; m++) {
        size_t at = iris_reflect((long)(lon + m) - (long)(a->size / 2), law->sky.lon_steps);
        const double *from = strips + at * strip + crop(law);

        for (v = 0; v < values; v++)
            out[v] += a->weight[m] * from[v];
    }
}

/* Gas with inverted levels amplifies without bound. */
static enum iris_status
check_finite(const float *v, size_t n, struct iris_err *err)
{
    size_t i;

    for (i = 0; i < n; i++)
        if (!isfinite(v[i]))
            return iris_fail(err, IRIS_E_DATA,
                             "a spectrum is not finite: a line is amplified beyond all numbers, by "
                             "levels that are inverted");
    return IRIS_OK;
}

enum iris_status
iris_pair_finish(const struct iris_pair_law *law, size_t values, const double *strips,
                 float *column, float *observed, struct iris_err *err)
{
    size_t n_lon = law->sky.lon_steps, n_v = values / law->n_lines, lon, i, l, v;
    double share = 1 / (double)law->sky.lat_steps, scale = law->max ? 1 : share;
    double *smoothed = malloc(values * sizeof *smoothed);

    if (!smoothed)
        return iris_fail_memory(err);
    for (lon = 0; lon < n_lon; lon++) {
        const double *strip = strips + lon * iris_pair_strip(law, values);
        const double *from = strip + crop(law);

        for (i = 0; i < crop(law); i++)
            column[i * n_lon + lon] = (float)(strip[i] * share);
        if (!law->max) {
            smooth_longitude(law, values, strips, lon, smoothed);
            from = smoothed;
        }
        for (l = 0; l < law->n_lines; l++)
            for (v = 0; v < n_v; v++)
                observed[(l * n_lon + lon) * n_v + v] = (float)(from[l * n_v + v] * scale);
    }
    free(smoothed);
    return check_finite(observed, n_lon * values, err);
}

enum iris_status
iris_pair_make(const struct iris_pair_law *law, const struct iris_columns *columns,
               const struct iris_observer *observer, const struct iris_pause *pause, float *column,
               float *observed, struct iris_err *err)
{
    size_t n = law->sky.lon_steps;
    double *strips = malloc(n * iris_pair_strip(law, observer->values) * sizeof *strips);
    enum iris_status st;

    if (!strips)
        return iris_fail_memory(err);
    st = iris_pair_part(law, columns, observer, pause, 0, n, strips, err);
    if (!st)
        st = iris_pair_finish(law, observer->values, strips, column, observed, err);
    free(strips);
    return st;
}

/* ---- cubes ---- */

static enum iris_status
put_smoothed(void *self, size_t lon, const struct iris_column *c, const double *smoothed,
             struct iris_err *err)
{
    struct work *w = self;
    size_t n = c->n_own * w->observer->values, i;
    enum iris_status st;

    for (i = 0; i < n; i++)
        w->single[i] = (float)smoothed[i];
    st = check_finite(w->single, n, err);
    if (st)
        return st;
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
    struct work w = {.beam = beam, .observer = observer, .sink = sink, .n_lat = sky->lat_steps};
    struct iris_visitor visitor = {visit_cube, &w, observer->fields, beam->lat.size / 2};
    enum iris_status st;

    st = iris_beam_window_init(&w.window, beam, w.n_lat, observer->values, err);
    if (!st)
        st = iris_sky_walk(sky, 0, sky->lon_steps, columns, &visitor, pause, err);
    work_release(&w);
    return st;
}
