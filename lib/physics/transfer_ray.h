/* transfer_ray -- what the parts of transfer share. Private to transfer*.c. */
#ifndef IRIS_TRANSFER_RAY_H
#define IRIS_TRANSFER_RAY_H

#include "bundle.h"
#include "march_law.h"
#include "output_law.h"
#include "simd.h"
#include "transfer.h"

/* The grids of one line. */
struct iris_band {
    double nu_first, nu_step; /* frequencies of the channels, observer's frame */
    struct iris_profile_grid grid;
    struct iris_step_law step;
    double *background; /* [v_steps] of the continuum */
    double *scale;      /* [v_steps] from intensities to the output's units */
    struct iris_bundle_law bundle;
};

struct iris_solver {
    struct iris_transfer_law law;
    struct iris_transfer_constants constant;
    const struct iris_kernels *kernels;
    const struct iris_line *line;
    size_t n_lines;
    struct iris_band *band; /* [n_lines] */
    /* the grid on which profiles are evaluated: n values v_first + i v_step; with
     * average each is a mean over a cell of width v_step */
    size_t n;
    double v_first, v_step, per_v_step;
    int average;
    double *sample;                     /* [r_steps][IRIS_FIELDS][8] of few rays */
    struct iris_step *step;             /* [r_steps] */
    double *weight;                     /* [r_steps] of thin transfer */
    double *total, *excess, *continuum; /* [v_steps]: result of a line */
    double *real;                       /* work of the precise arithmetic */
    float *place;                       /* [n, in whole blocks] the channel, -1 to 1 */
    struct iris_bundle bundle;
};

/* Fine cells a channel. */
size_t iris_transfer_fine(const struct iris_transfer_law *law);

/* The Planck function; 0 for T that is not above 0. */
double iris_transfer_planck(const struct iris_transfer_constants *k, double nu, double T);

/* Fill t->step from the samples of a lane. */
void iris_transfer_steps(struct iris_solver *t, size_t line, size_t lane);

/* Excess over the continuum and continuum of a line, from t->step. */
void iris_transfer_precise(struct iris_solver *t, size_t line);
void iris_transfer_thin(struct iris_solver *t, size_t line);

/* Set up, once sizes and grids are there. */
enum iris_status iris_transfer_bundle_init(struct iris_solver *t, struct iris_err *err);
void iris_transfer_bundle_release(struct iris_solver *t);

/* Whether all is left to the precise arithmetic. The brightness temperature of a
 * difference goes with its logarithm: what is next to nothing shows.
 *
 *   in  c  of light, in the unit system
 */
int iris_transfer_is_left(const struct iris_transfer_law *law, double c);

/* Do the first n rays of the bundle on a line.
 *
 *   return  bits of those that are done; the others are to be done precisely */
unsigned iris_transfer_bundle(struct iris_solver *t, size_t line, size_t n);
/* Excess and continuum of one that is. */
void iris_transfer_collect(struct iris_solver *t, size_t line, size_t lane);

/* Excess and continuum to what was asked for. */
void iris_transfer_scale(const struct iris_solver *t, struct iris_band *b);
void iris_transfer_output(const struct iris_solver *t, size_t line, double *spectrum);

/* The profile of a step at grid indices [w.from, w.to), in double: per unit of
 * frequency. */
void iris_transfer_profile(const struct iris_band *b, const struct iris_step *s,
                           struct iris_window w, double *phi);

/* The dust's emission at every channel: B * ad. */
void iris_transfer_dust(const struct iris_solver *t, const struct iris_band *b,
                        const struct iris_step *s, double *jd);

/* Size of work space, doubles. */
size_t iris_transfer_precise_size(const struct iris_solver *t);

#endif
