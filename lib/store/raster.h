/* raster -- a plane through an array file, made as small as a picture of it.
 *
 * The file is read in pieces, so memory grows with the picture and not with
 * the array.
 */
#ifndef IRIS_RASTER_H
#define IRIS_RASTER_H

#include <stddef.h>

#include "err.h"
#include "npy.h"

/* Element (x, y) of the plane is element first + x * x_stride + y * y_stride
 * of the array. */
struct iris_plane {
    size_t first;
    size_t nx, x_stride;
    size_t ny, y_stride;
};

struct iris_raster {
    size_t nx, ny;
    double *value; /* [ny][nx] */
};

/* Read a plane.
 *
 *   in   max_x, max_y  where the plane has more elements than these, the raster
 *                      has this many, each the mean of an equal part (but for
 *                      rounding to whole elements)
 *   in   factor        what values are multiplied by
 *
 *   return  IRIS_OK
 *           IRIS_E_DATA  the plane is empty or outside of the array, or the
 *                        file is cut short
 *           IRIS_E_IO    cannot be read, or no memory
 *   owns    iris_raster_release; safe after failure
 *   method  means are of the finite elements; without any it is +infinity
 *           where there is one, else not a number
 */
enum iris_status iris_raster_read(const struct iris_npy *a, const struct iris_plane *plane,
                                  size_t max_x, size_t max_y, double factor, struct iris_raster *f,
                                  struct iris_err *err);
void iris_raster_release(struct iris_raster *f);

#endif
