/* tensor -- a physical tensor on disk, read a longitude at a time.
 *
 * An array (6, R, L, M) of '<f4' or '<f8': the fields of enum iris_field at
 * distances, longitudes and latitudes. It is never held; values are looked at
 * when they are read.
 *
 * Read only once open: any number of threads may use it.
 */
#ifndef IRIS_TENSOR_H
#define IRIS_TENSOR_H

#include <stddef.h>

#include "err.h"
#include "npy.h"
#include "sampler.h"
#include "sky.h"

struct iris_tensor {
    struct iris_npy file;
    size_t n_r, n_lon, n_lat;
};

/*   return  IRIS_OK
 *           IRIS_E_IO, IRIS_E_DATA  as iris_npy_open
 *           IRIS_E_DATA             another shape, or an axis without values
 *   owns    iris_tensor_close; safe after a failed open
 */
enum iris_status iris_tensor_open(const char *path, struct iris_tensor *t, struct iris_err *err);
void iris_tensor_close(struct iris_tensor *t);

/* The fields at one longitude, distances [r0, r1) and latitudes [lat0, lat1).
 * Neighbouring longitudes are neighbours on disk.
 *
 *   out  field  [IRIS_FIELDS] each NULL (not wanted) or an array
 *               [r1-r0][lat1-lat0], single precision, in the unit of the file
 *
 *   return  IRIS_OK
 *           IRIS_E_IO    cannot be read
 *           IRIS_E_DATA  a value that is not finite, but for a temperature of
 *                        +inf; names the first by file, channel and indices
 *           IRIS_E_BUG   outside of the tensor
 *           outputs undefined unless IRIS_OK
 */
enum iris_status iris_tensor_column(const struct iris_tensor *t, size_t lon, size_t lat0,
                                    size_t lat1, size_t r0, size_t r1,
                                    float *const field[IRIS_FIELDS], struct iris_err *err);

/* The tensor as what the sky is walked over with; t must outlive it. */
struct iris_columns iris_columns_of_tensor(struct iris_tensor *t);

#endif
