/* pair -- from samples to a pair of column map and longitude-velocity map, or
 * to a cube; streamed, column by column.
 */
#ifndef IRIS_PAIR_H
#define IRIS_PAIR_H

#include <stddef.h>

#include "beam.h"
#include "err.h"
#include "observer.h"
#include "sky.h"

struct iris_pair_law {
    struct iris_sky sky;
    const struct iris_beam *beam; /* of the same sky */
    size_t crop_min, crop_max;    /* half-open, of r */
    double H2_factor;             /* iris_H2_mass_factor */
    int max;                      /* reduction over latitude: maximum, 0: mean */
    size_t n_lines;               /* observer's values are [n_lines][channels] */
};

/* Make a pair.
 *
 *   in   observer  spectra; its values are reduced over latitude after the beam
 *   out  column    [crop_max - crop_min][lon_steps] mean mass density of H2
 *   out  observed  [n_lines][lon_steps][channels]
 *
 *   return  IRIS_OK
 *           IRIS_E_RETRY  pause said stop
 *           IRIS_E_IO     no memory
 *           IRIS_E_DATA   a value is not finite
 *           or what columns->get returned; outputs undefined unless IRIS_OK
 */
enum iris_status iris_pair_make(const struct iris_pair_law *law, const struct iris_columns *columns,
                                const struct iris_observer *observer,
                                const struct iris_pause *pause, float *column, float *observed,
                                struct iris_err *err);

/* ---- in parts ---- */

/* What is to know of a longitude before the beam smooths longitudes: a strip of
 * doubles, as many as this.
 *
 *   in   values  of the observer
 */
size_t iris_pair_strip(const struct iris_pair_law *law, size_t values);

/* Longitudes on either side of a part that are looked at for it. */
size_t iris_pair_margin(const struct iris_pair_law *law);

/* Make the strips of the longitudes [lon0, lon1). They have the same bits
 * whatever the range is, so parts that were made apart are put together by
 * copying.
 *
 *   out  strips  [lon1 - lon0][iris_pair_strip]
 *
 *   return  as iris_pair_make
 */
enum iris_status iris_pair_part(const struct iris_pair_law *law, const struct iris_columns *columns,
                                const struct iris_observer *observer,
                                const struct iris_pause *pause, size_t lon0, size_t lon1,
                                double *strips, struct iris_err *err);

/* Make a pair of all its strips.
 *
 *   in   values  of the observer
 *   in   strips  [lon_steps][iris_pair_strip]
 *   out  column, observed  as iris_pair_make
 *
 *   return  IRIS_OK, or IRIS_E_IO: no memory
 */
enum iris_status iris_pair_finish(const struct iris_pair_law *law, size_t values,
                                  const double *strips, float *column, float *observed,
                                  struct iris_err *err);

/* ---- cubes ---- */

/* Make a cube: spectra after the beam, handed over a column at a time.
 *
 *   in   put  [n_lat][values] of latitudes from lat; every (lon, lat) comes once
 */
struct iris_cube_sink {
    enum iris_status (*put)(void *self, size_t lon, size_t lat, size_t n_lat, const float *spectra,
                            struct iris_err *err);
    void *self;
};
enum iris_status iris_cube_make(const struct iris_sky *sky, const struct iris_beam *beam,
                                const struct iris_columns *columns,
                                const struct iris_observer *observer,
                                const struct iris_pause *pause, const struct iris_cube_sink *sink,
                                struct iris_err *err);

#endif
