/* march_law -- the formulas of transfer, one step at one frequency, in double, for
 * this processor and for GPUs: as the reference has them, see transfer.h. Private to
 * transfer.
 */
#ifndef IRIS_MARCH_LAW_H
#define IRIS_MARCH_LAW_H

#include <math.h>

#include "both.h"
#include "elementary.h"
#include "lookup_law.h"
#include "sampler.h"

/* ---- steps ---- */

/* One step of a ray, in the order of marching. The line's emission and
 * absorption at velocity v is j phi and a phi, phi = norm exp(-x^2) with
 * x = (v - step.v) * per_b. */
struct iris_step {
    double v;
    double j, a;  /* 0: no line */
    double ad;    /* absorption by dust */
    double per_b; /* 1 / (b (1 + v/c)) */
    double norm;  /* 1 / (D sqrt(pi)), D = b nu_ul / c */
    /* source of dust: B = planck nu^3 / expm1(nu per_kT), at the frequencies nu
     * of the channels as the gas sees them; planck 0: none */
    double planck, per_kT;
    /* without the stretch of 1 + v/c: width, 0 without a line; h/kT of dust */
    double b, rest_per_kT;
    int is_gas;
};

/* What samples become steps with, of one line; in the unit system. */
struct iris_step_law {
    double k, h, c;
    double kappa, v_turb;
    double per_m3;      /* particles that are counted as one in a volume of 1, per m^3 */
    double temperature; /* of 1 K */
    struct iris_lookup lookup;
};

/* The line of a step, but for its velocity.
 *
 *   in  x  abundance of the tracer
 */
IRIS_BOTH void
iris_step_line(const struct iris_step_law *k, const struct iris_line_table *table,
               const double *sample, double x, struct iris_step *s)
{
    double T = sample[IRIS_T];

    iris_table_read(table, &k->lookup, sample[IRIS_RHO], sample[IRIS_X_H2], T, &s->j, &s->a);
    s->j *= x;
    s->a *= x;
    s->b = sqrt(2 * k->k * T / table->mass + k->v_turb * k->v_turb);
    s->norm = k->c / (s->b * table->nu * 1.7724538509055160273);
}

/* What of a step does not depend on its velocity.
 *
 *   in   sample  [IRIS_FIELDS], of gas
 *   out  s       zeroed before
 *   out  tracer  whether there is any
 */
IRIS_BOTH void
iris_step_matter(const struct iris_step_law *k, const struct iris_line_table *table,
                 const struct iris_abundance *abundance, const double *sample, struct iris_step *s,
                 int *tracer)
{
    double rho = sample[IRIS_RHO], T = sample[IRIS_T], T_dust = sample[IRIS_T_DUST], x;

    s->is_gas = 1;
    s->ad = k->kappa * rho;
    x = iris_abundance_of(abundance, rho / table->rho_per_N * k->per_m3,
                          (isfinite(T) ? T : 0) / k->temperature, sample[IRIS_X_CO]);
    *tracer = x > 0;
    if (x > 0 && isfinite(T))
        iris_step_line(k, table, sample, x, s);
    if (T_dust > 0 && isfinite(T_dust))
        s->rest_per_kT = k->h / (k->k * T_dust);
}

/* Whether a sample holds gas; stretch is 1 + v/c. */
IRIS_BOTH int
iris_step_is_gas(const double *sample, double stretch)
{
    return sample[IRIS_RHO] > 0 && sample[IRIS_T] > 0 && stretch > 0;
}

/* The rest, from the velocity. */
IRIS_BOTH void
iris_step_move(const struct iris_step_law *k, double v, struct iris_step *s)
{
    double stretch = 1 + v / k->c;

    s->v = v;
    if (s->rest_per_kT > 0) {
        s->per_kT = s->rest_per_kT / stretch;
        s->planck = 2 * k->h / (k->c * k->c * stretch * stretch * stretch);
    }
    if (s->b > 0)
        s->per_b = 1 / (s->b * stretch);
}

/* ---- grids of frequency ---- */

/* The grid on which profiles are evaluated: n values v_first + i v_step; with
 * average each is a mean over a cell of width v_step, width in frequency. */
struct iris_profile_grid {
    size_t n;
    double v_first, v_step, per_v_step;
    double width;
    int average;
};

/* How far from its centre a profile is not zero in double, in Doppler widths. */
#define IRIS_REACH_PRECISE 27.3
#define IRIS_REACH_AVERAGE 6.0

/* Indices [from, to) of the grid that a step's line reaches. */
struct iris_window {
    size_t from, to;
};

IRIS_BOTH struct iris_window
iris_step_window(const struct iris_profile_grid *g, const struct iris_step *s, double reach)
{
    double wide, lo, hi, n = (double)g->n;
    struct iris_window w = {0, 0};

    if (s->j == 0 && s->a == 0)
        return w;
    wide = reach / s->per_b + (g->average ? g->v_step / 2 : 0);
    lo = (s->v - wide - g->v_first) * g->per_v_step;
    hi = (s->v + wide - g->v_first) * g->per_v_step;
    /* whole numbers at or above lo, and at or below hi */
    if (hi >= 0 && lo < n) {
        w.from = lo > 0 ? (size_t)lo + ((double)(size_t)lo < lo) : 0;
        w.to = hi < n - 1 ? (size_t)hi + 1 : g->n;
    }
    if (w.to < w.from)
        w.to = w.from;
    return w;
}

/* The profile at point i: per unit of frequency. */
IRIS_BOTH double
iris_profile_centre(const struct iris_profile_grid *g, const struct iris_step *s, double i)
{
    double x = (g->v_first + i * g->v_step - s->v) * s->per_b;

    return s->norm * iris_exp(-x * x);
}

/* The integral of the profile, from the line's centre to where i is: means over
 * cells are its differences over twice the width. */
IRIS_BOTH double
iris_profile_edge(const struct iris_profile_grid *g, const struct iris_step *s, double i)
{
    return iris_erf((g->v_first + i * g->v_step - s->v) * s->per_b);
}

/* exp(nu per_kT) at even frequencies is a geometric sequence, taken up anew so often,
 * before its rounding errors matter. */
enum { IRIS_DUST_ANEW = 32 };

/* The dust's emission at a frequency: B * ad.
 *
 *   in  e  exp(nu per_kT)
 */
IRIS_BOTH double
iris_dust_emission(const struct iris_step *s, double nu, double e)
{
    double x = nu * s->per_kT, less = x < 0.1 ? iris_expm1(x) : e - 1;
    double j = s->planck * nu * nu * nu / less * s->ad;

    return isfinite(j) ? j : 0;
}

/* ---- steps of light ---- */

/* max(x, 0), not a number stays what it is */
IRIS_BOTH double
iris_relu(double x)
{
    return x < 0 ? 0 : x;
}

/* The first interval, by the trapezoid: from emission and absorption at its ends. */
IRIS_BOTH double
iris_smooth_first(double h, double last_j, double last_a, double j, double a, double I)
{
    return iris_relu((2 * h * last_j + 2 * h * j + (4 - 2 * h * last_a) * I) / (4 + 2 * h * a));
}

/* The others, by the two-step backward formula. */
IRIS_BOTH double
iris_smooth_next(double h, double j, double a, double I, double before)
{
    return iris_relu((2 * h * j + 4 * I - before) / (3 + 2 * h * a));
}

IRIS_BOTH double
iris_formal_step(double h, double j, double a, double I)
{
    double tau = h * a, S = j / a, E = iris_relu((I - S) * iris_exp(-tau) + S);

    return !isfinite(E) || fabs(tau) < 1e-6 ? I + h * j : E;
}

/* Selectively thin, as the reference has it: the continuum's loss to dust counts
 * twice.
 *
 *   in  a   absorption by dust and line, ad by dust
 *   in  C   continuum
 */
IRIS_BOTH double
iris_selective_step(double h, double j, double a, double ad, double C, double I)
{
    double tau = h * ad, S = j / ad - a / ad * C;
    double E = iris_relu((I - S) * iris_exp(-tau) + S);

    return !isfinite(E) || fabs(tau) < 1e-6 ? I + h * j : E;
}

/* What a consistent step takes and how much of what it emits comes out. */
struct iris_consistent {
    double less, share;
};

IRIS_BOTH struct iris_consistent
iris_consistent_of(double h, double ad)
{
    double tau = h * ad;
    struct iris_consistent c = {iris_exp(-tau), tau > 0 ? -iris_expm1(-tau) / tau : 1};

    return c;
}

/* The same with the line's loss only, in j, and exact for any optical depth. */
IRIS_BOTH double
iris_consistent_step(double h, double j, struct iris_consistent c, double I)
{
    return iris_relu(I * c.less + h * j * c.share);
}

#endif
