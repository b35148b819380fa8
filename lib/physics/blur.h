/* blur -- the smoothing of the velocity field before it is observed.
 *
 * A Gaussian over (r, lon, lat) whose sigma is a fraction s of the kernel's
 * size on each axis, cut at the kernel's size, normalised to sum 1. It is the
 * product of three one-dimensional kernels and is applied as such. Beyond an
 * edge the field is reflected without repeating the edge sample.
 *
 * It works on a stream of longitude columns: each column is blurred along r
 * and lat as it comes (iris_blur_column), and columns are then summed along lon
 * (iris_blur_across). Arrays of a column are [r][lat]; double.
 */
#ifndef IRIS_BLUR_H
#define IRIS_BLUR_H

#include <stddef.h>

#include "both.h"
#include "err.h"

#define IRIS_BLUR_MAX 1023 /* largest kernel */

struct iris_blur {
    size_t n[3];                     /* sizes on r, lon, lat; odd */
    double weight[3][IRIS_BLUR_MAX]; /* each sums to 1 */
};

/*   in   n      odd, 1 to IRIS_BLUR_MAX
 *   in   sigma  > 0, in kernel sizes
 *
 *   return  IRIS_OK, or IRIS_E_DATA
 *   source  reference: w = exp(-a^2 / (2 (n sigma)^2)) at offsets a from n/2
 */
enum iris_status iris_blur_init(struct iris_blur *b, size_t n_r, size_t n_lon, size_t n_lat,
                                double sigma, struct iris_err *err);

/* A kernel that changes nothing. */
void iris_blur_none(struct iris_blur *b);

/* The index that stands for i on an axis of n, -n < i < 2n-1; n > 1 unless i
 * is 0. */
IRIS_BOTH size_t
iris_reflect(long i, size_t n)
{
    long last = (long)n - 1;

    if (i < 0)
        i = -i;
    return (size_t)(i > last ? 2 * last - i : i);
}

/* Blur a column along r and lat.
 *
 *   in   in    [n_r][n_lat_in] single precision, rows `stride` apart (0: n_lat_in),
 *              latitudes from lat_first of an axis of lat_all
 *   in   want_first, n_want  the latitudes wanted; the kernel's half width
 *              beside them must be in the column unless reflected
 *   out  out   [n_r][n_want]
 *   out  row   [n[0], at most n_r][n_want] work space
 */
struct iris_column_part {
    size_t n_r, lat_all;
    size_t lat_first, n_lat_in;
    size_t want_first, n_want;
    size_t stride;
};
void iris_blur_column(const struct iris_blur *b, const struct iris_column_part *part,
                      const float *in, double *row, double *out);

/* Sum b->n[1] columns of n values under the longitude kernel into out. */
void iris_blur_across(const struct iris_blur *b, const double *const column[], size_t n,
                      double *out);

#endif
