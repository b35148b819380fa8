/* transfer -- the spectrum of a line along a ray.
 *
 * Samples along a ray become emission and absorption of a line and of dust;
 * these are integrated on every channel over a background, and the continuum is
 * subtracted. Velocities are positive towards the observer, and a cell emits in
 * the channel that is labelled with its own velocity.
 *
 * Two arithmetics: precise, all in double and channel by channel, is the
 * yardstick; the other works with the line's excess over the continuum in
 * single precision, within windows around the lines (bundle.h), and agrees with
 * the first to 1e-5 of a ray's peak (3e-5 for thick formal). It leaves to the
 * first: rays with strong maser steps, with lines deeper than 1e7 a step, and those
 * of which next to nothing is left of what their steps would show each alone;
 * bands wider than 0.3 % of c; and selectively thin formal transfer.
 *
 * Steps with T <= 0 or rho <= 0 hold no gas; steps of infinite T have dust but
 * no line. A ray without any tracer is exactly zero after subtraction.
 *
 *   source  physics of the reference, "frequencies, profile, dust" and
 *           "radiative transfer", in velocity space
 */
#ifndef IRIS_TRANSFER_H
#define IRIS_TRANSFER_H

#include <stddef.h>

#include "abundance.h"
#include "err.h"
#include "linetable.h"
#include "sampler.h"
#include "transfer_law.h"
#include "units.h"

struct iris_kernels;

/* A spectral line. Everything in the unit system. */
struct iris_line {
    const struct iris_line_table *table;
    struct iris_abundance abundance; /* its table is not owned here */
    double kappa;                    /* opacity of dust, area per mass of gas */
    double v_turb;                   /* microturbulence: b^2 = 2kT/m + v_turb^2 */
};

struct iris_transfer_law {
    enum iris_transfer transfer;
    enum iris_integration integration;
    enum iris_subtraction subtraction;
    enum iris_output_units output;
    struct iris_lookup lookup;
    int far_to_near;       /* march from the far end; 0: from the near end */
    int cell_average;      /* thick: profile averaged over a fine cell; 0: at its centre */
    int complete_simpson;  /* thin smooth: add the last interval for even r_steps */
    int consistent_formal; /* selectively thin formal: dust absorbs the continuum once */
    int precise;           /* all in double */
    size_t r_steps;        /* at least 2 */
    double ds;             /* between samples of a ray */
    size_t v_steps;        /* channels, at least 2 */
    double v_min, v_max;   /* velocity of the first and last */
    size_t v_subsamples;   /* thick: sub-channels a channel; 0: channel centres only */
    double k, h, c;        /* J/K, J s, m/s */
    double number;         /* particles that count as one */
    double T_cmb;          /* K, background; 0: none */
    struct iris_unit_system units;
    const struct iris_kernels *kernels; /* NULL: the best of this machine; same results */
};

struct iris_solver;

/*   in   lines  [n_lines] kept by reference, must outlive t
 *   out  t      owned by the caller, iris_solver_free
 *
 *   return  IRIS_OK
 *           IRIS_E_DATA  sizes overflow
 *           IRIS_E_IO    no memory
 */
enum iris_status iris_solver_new(const struct iris_transfer_law *law, const struct iris_line *lines,
                                 size_t n_lines, struct iris_solver **t, struct iris_err *err);
void iris_solver_free(struct iris_solver *t);

/* Rays are observed side by side, as many as this at a time. */
enum { IRIS_SOLVER_RAYS = 8 };

/* Samples of up to so many rays, in the unit system: sample i from the near end of ray k
 * has the velocity v[i * v_row + k], positive towards the observer, and otherwise
 * field[f][i * row + k]. T may be +inf, all else is finite. */
struct iris_rays {
    size_t n;
    const double *v;
    const float *field[IRIS_FIELDS]; /* but IRIS_V_R */
    size_t v_row, row;
};

/* Their spectra. What a ray gives does not depend on those beside it.
 *
 *   out  spectra  [n][n_lines][v_steps] in the output units
 *
 *   return  whether any of them holds gas
 */
int iris_solver_rays(struct iris_solver *t, const struct iris_rays *rays, double *spectra);

/* The same for one ray, whose samples need not be single precision.
 *
 *   in   sample  [IRIS_FIELDS] arrays [r_steps] from the near end
 */
int iris_solver_ray(struct iris_solver *t, const double *const sample[IRIS_FIELDS],
                    double *spectrum);

#endif
