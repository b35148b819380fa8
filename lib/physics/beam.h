/* beam -- the smoothing of finished spectra by the telescope.
 *
 * A Gaussian over (lon, lat), cut and normalised; beyond an edge the sky is
 * reflected without repeating the edge. It is the product of two kernels.
 *
 *   source  physics of the reference, "after the transfer": per axis
 *           sigma = fwhm / (max - min) * steps / (2 sqrt(2 ln 2)) pixels,
 *           size min(int(10 sigma), steps), made odd
 */
#ifndef IRIS_BEAM_H
#define IRIS_BEAM_H

#include <stddef.h>

#include "err.h"
#include "sky.h"

struct iris_beam_axis {
    size_t steps, size; /* of the sky, of the kernel; size is odd */
    double sigma;       /* pixels */
    double *weight;     /* [size], sums to 1; owned */
};

struct iris_beam {
    struct iris_beam_axis lon, lat;
};

/*   in   fwhm  deg; NaN: none, the kernels are 1 x 1
 *   in   wide_lon, wide_lat  deg, maximum less minimum
 *   owns iris_beam_release; safe on zeroed and twice
 */
enum iris_status iris_beam_init(struct iris_beam *b, double fwhm, size_t lon_steps, double wide_lon,
                                size_t lat_steps, double wide_lat, struct iris_err *err);
void iris_beam_release(struct iris_beam *b);

/* How much each of the axis' steps counts in a sum over all of them once they
 * are smoothed: the sum of smoothed values is sum_i share[i] value[i].
 *
 *   out  share  [steps]
 */
void iris_beam_shares(const struct iris_beam_axis *axis, double *share);

/* A window of smoothed columns. Columns of spectra go in by longitude; each
 * comes out smoothed once its neighbours are in. */
struct iris_beam_window {
    const struct iris_beam *beam;
    size_t values, rays; /* of a column at most */
    size_t lon0, lon1;   /* longitudes that come out; all unless set otherwise */
    double **column;     /* [beam->lon.size] of [rays][values], smoothed in latitude */
    double *out;         /* [rays][values] */
};

enum iris_status iris_beam_window_init(struct iris_beam_window *w, const struct iris_beam *beam,
                                       size_t rays, size_t values, struct iris_err *err);
void iris_beam_window_release(struct iris_beam_window *w);

/* Put in the next longitude of a band: the first is the kernel's half width
 * before lon0, the last beyond lon1, where there are any.
 *
 *   in   column   its own rays are smoothed over all of its rays
 *   in   spectra  [column->n_rays][values]
 *   in   done     called with each longitude that is complete and its own rays'
 *                 smoothed spectra [column->n_own][values], in order
 */
struct iris_beam_done {
    enum iris_status (*fn)(void *self, size_t lon, const struct iris_column *column,
                           const double *smoothed, struct iris_err *err);
    void *self;
};
enum iris_status iris_beam_window_put(struct iris_beam_window *w, const struct iris_column *column,
                                      const double *spectra, const struct iris_beam_done *done,
                                      struct iris_err *err);

#endif
