/* pair -- from samples to a pair of column map and longitude-velocity map.
 *
 * Samples are streamed, a longitude column at a time: neither the physical
 * tensor nor the cube of spectra is ever held. The window is as wide as the
 * blur kernel; long columns are walked in bands of latitude, so memory grows
 * with neither lon_steps nor, beyond a bound, r_steps * lat_steps.
 *
 * The source of columns is a function, so the same code observes a snapshot
 * (iris_sampler_tile) and a stored tensor.
 */
#ifndef IRIS_PAIR_H
#define IRIS_PAIR_H

#include <stddef.h>

#include "blur.h"
#include "err.h"
#include "sampler.h"
#include "simple.h"

/* Fill field arrays [r][1][lat1-lat0] for one longitude. */
struct iris_columns {
    enum iris_status (*get)(void *self, const struct iris_tile *tile,
                            float *const field[IRIS_FIELDS], struct iris_err *err);
    void *self;
};

/* Called between columns, so that a process can do other things meanwhile.
 * A nonzero return stops the work with IRIS_E_RETRY. */
struct iris_pause {
    int (*fn)(void *self);
    void *self;
};

struct iris_simple_pair {
    size_t r_steps, lon_steps, lat_steps;
    size_t crop_min, crop_max; /* half-open, of r */
    double H2_factor;          /* iris_H2_mass_factor */
    struct iris_blur blur;     /* iris_blur_none: none */
    struct iris_simple_law law;
    int max; /* reduction over latitude: maximum, 0: mean */
};

/* Make a pair.
 *
 *   out  column    [crop_max - crop_min][lon_steps] mean mass density of H2
 *   out  observed  [lon_steps][v_steps] mass per area and velocity
 *
 *   return  IRIS_OK
 *           IRIS_E_RETRY  pause said stop
 *           IRIS_E_IO     no memory
 *           or what columns->get returned; outputs undefined unless IRIS_OK
 */
enum iris_status iris_simple_pair_make(const struct iris_simple_pair *p,
                                       const struct iris_columns *columns,
                                       const struct iris_pause *pause, float *column,
                                       float *observed, struct iris_err *err);

/* Columns straight from a sampler. */
struct iris_columns iris_columns_of_sampler(struct iris_sampler *s);

#endif
