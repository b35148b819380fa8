#include "beam.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "elementary.h"

#define FWHM_PER_SIGMA 2.3548200450309493 /* 2 sqrt(2 ln 2) */

static enum iris_status
init_axis(struct iris_beam_axis *a, double fwhm, size_t steps, double wide, struct iris_err *err)
{
    size_t i, middle;
    double sum = 0;

    *a = (struct iris_beam_axis){.steps = steps, .size = 1};
    if (!isnan(fwhm)) {
        a->sigma = fwhm / wide * (double)steps / FWHM_PER_SIGMA;
        a->size = 10 * a->sigma < (double)steps ? (size_t)(10 * a->sigma) : steps;
        if (a->size % 2 == 0)
            a->size = a->size == steps ? a->size - 1 : a->size + 1;
    }
    a->weight = malloc(a->size * sizeof *a->weight);
    if (!a->weight)
        return iris_fail_memory(err);
    middle = a->size / 2;
    for (i = 0; i < a->size; i++) {
        double x = ((double)i - (double)middle) / a->sigma;

        a->weight[i] = a->size > 1 ? iris_exp(-x * x / 2) : 1;
        sum += a->weight[i];
    }
    for (i = 0; i < a->size; i++)
        a->weight[i] /= sum;
    return IRIS_OK;
}

enum iris_status
iris_beam_init(struct iris_beam *b, double fwhm, size_t lon_steps, double wide_lon,
               size_t lat_steps, double wide_lat, struct iris_err *err)
{
    enum iris_status st;

    *b = (struct iris_beam){0};
    st = init_axis(&b->lon, fwhm, lon_steps, wide_lon, err);
    if (!st)
        st = init_axis(&b->lat, fwhm, lat_steps, wide_lat, err);
    if (st)
        iris_beam_release(b);
    return st;
}

void
iris_beam_release(struct iris_beam *b)
{
    free(b->lon.weight);
    free(b->lat.weight);
    *b = (struct iris_beam){0};
}

static size_t
neighbour(const struct iris_beam_axis *a, size_t i, size_t m)
{
    return iris_reflect((long)(i + m) - (long)(a->size / 2), a->steps);
}

void
iris_beam_shares(const struct iris_beam_axis *a, double *share)
{
    size_t i, m;

    memset(share, 0, a->steps * sizeof *share);
    for (i = 0; i < a->steps; i++)
        for (m = 0; m < a->size; m++)
            share[neighbour(a, i, m)] += a->weight[m];
}

enum iris_status
iris_beam_window_init(struct iris_beam_window *w, const struct iris_beam *beam, size_t rays,
                      size_t values, struct iris_err *err)
{
    size_t i;
    int lacking;

    *w = (struct iris_beam_window){
        .beam = beam, .values = values, .rays = rays, .lon1 = beam->lon.steps};
    w->column = calloc(beam->lon.size, sizeof *w->column);
    w->out = malloc(rays * values * sizeof *w->out);
    lacking = !w->column || !w->out;
    for (i = 0; i < beam->lon.size && !lacking; i++)
        lacking = !(w->column[i] = malloc(rays * values * sizeof **w->column));
    if (!lacking)
        return IRIS_OK;
    iris_beam_window_release(w);
    return iris_fail_memory(err);
}

void
iris_beam_window_release(struct iris_beam_window *w)
{
    size_t i;

    for (i = 0; w->column && i < w->beam->lon.size; i++)
        free(w->column[i]);
    free(w->column);
    free(w->out);
    *w = (struct iris_beam_window){0};
}

static void
add_scaled(double *to, const double *from, double weight, size_t n)
{
    size_t i;

    for (i = 0; i < n; i++)
        to[i] += weight * from[i];
}

static void
smooth_latitudes(const struct iris_beam_window *w, const struct iris_column *c,
                 const double *spectra, double *out)
{
    const struct iris_beam_axis *a = &w->beam->lat;
    size_t k, m;

    memset(out, 0, c->n_own * w->values * sizeof *out);
    for (k = 0; k < c->n_own; k++)
        for (m = 0; m < a->size; m++)
            add_scaled(out + k * w->values,
                       spectra + (neighbour(a, c->lat + c->skip + k, m) - c->lat) * w->values,
                       a->weight[m], w->values);
}

static enum iris_status
finish(struct iris_beam_window *w, const struct iris_column *c, size_t lon,
       const struct iris_beam_done *done, struct iris_err *err)
{
    const struct iris_beam_axis *a = &w->beam->lon;
    size_t m;

    if (lon < w->lon0 || lon >= w->lon1)
        return IRIS_OK;
    memset(w->out, 0, c->n_own * w->values * sizeof *w->out);
    for (m = 0; m < a->size; m++)
        add_scaled(w->out, w->column[neighbour(a, lon, m) % a->size], a->weight[m],
                   c->n_own * w->values);
    return done->fn(done->self, lon, c, w->out, err);
}

enum iris_status
iris_beam_window_put(struct iris_beam_window *w, const struct iris_column *c, const double *spectra,
                     const struct iris_beam_done *done, struct iris_err *err)
{
    const struct iris_beam_axis *a = &w->beam->lon;
    size_t half = a->size / 2, lon;
    enum iris_status st = IRIS_OK;

    smooth_latitudes(w, c, spectra, w->column[c->lon % a->size]);
    if (c->lon >= half)
        st = finish(w, c, c->lon - half, done, err);
    if (c->lon + 1 < a->steps)
        return st;
    /* the last longitudes have all the neighbours there are */
    for (lon = a->steps - half; lon < a->steps && !st; lon++)
        st = finish(w, c, lon, done, err);
    return st;
}
