/* sky -- walk over the sky, longitude by longitude, with the samples of a
 * column at a time.
 *
 * Neither the physical tensor nor a cube of spectra is ever held. The window is
 * as wide as the kernel of the velocity blur, and a few longitudes that are
 * sampled at a time; long columns are walked in bands
 * of latitude, so memory grows with neither lon_steps nor, beyond a bound,
 * r_steps * lat_steps.
 *
 * The source of samples is a function, so the same code observes a snapshot
 * (iris_sampler_tile) and a stored tensor.
 */
#ifndef IRIS_SKY_H
#define IRIS_SKY_H

#include <stddef.h>

#include "blur.h"
#include "err.h"
#include "sampler.h"

/* Fill the field arrays [r][lon1-lon0][lat1-lat0] that are not NULL, for up to
 * `many` longitudes at a time. */
struct iris_columns {
    enum iris_status (*get)(void *self, const struct iris_tile *tile,
                            float *const field[IRIS_FIELDS], struct iris_err *err);
    void *self;
    size_t many; /* 0: 1; above 1 there may be more than that from row to row */
};

/* Columns straight from a sampler. */
struct iris_columns iris_columns_of_sampler(struct iris_sampler *s);

/* Called between columns, so that a process can do other things meanwhile.
 * A nonzero return stops the work with IRIS_E_RETRY. */
struct iris_pause {
    int (*fn)(void *self);
    void *self;
};

/* What is walked over. */
struct iris_sky {
    size_t r_steps, lon_steps, lat_steps;
    struct iris_blur blur; /* of the velocity; iris_blur_none: none */
};

/* Latitudes of a band, but for the last. */
size_t iris_sky_band(const struct iris_sky *sky);

/* The rays of one longitude, in a band of latitude. */
struct iris_column {
    size_t lon;
    size_t lat, n_rays; /* latitude of the first ray, and how many */
    size_t skip, n_own; /* rays [skip, skip + n_own) are of no other band */
    size_t n_r;
    const double *v;                 /* [n_r][n_rays] blurred velocity */
    const float *field[IRIS_FIELDS]; /* [n_r][stride] what was asked for */
    size_t stride;
};

struct iris_visitor {
    enum iris_status (*visit)(void *self, const struct iris_column *column, struct iris_err *err);
    void *self;
    unsigned fields; /* bits 1 << enum iris_field, beside IRIS_V_R */
    size_t margin;   /* rays wanted beside a band's own, where there are any */
};

/* Visit the columns [lon0, lon1): bands in order of latitude, longitudes in
 * order within each. What a column is does not depend on the range: columns
 * beside it are sampled as the kernel needs them.
 *
 *   in   lon0, lon1  of lon_steps
 *   in   pause       NULL: never
 *
 *   return  IRIS_OK
 *           IRIS_E_RETRY  pause said stop
 *           IRIS_E_IO     no memory
 *           or what columns or visitor returned
 */
enum iris_status iris_sky_walk(const struct iris_sky *sky, size_t lon0, size_t lon1,
                               const struct iris_columns *columns,
                               const struct iris_visitor *visitor, const struct iris_pause *pause,
                               struct iris_err *err);

#endif
