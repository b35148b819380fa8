/* line_slow -- the transfer of a line as its formulas say it: every step on
 * every frequency, nothing skipped or reordered, in long double. Only the
 * look-up of a table and of an abundance are the library's. */
#ifndef LINE_SLOW_H
#define LINE_SLOW_H

#include "line_case.h"

typedef long double real;

struct slow {
    const struct iris_transfer_law *law;
    const struct iris_line *line;
    size_t R, V, F; /* steps, channels, frequencies of the thick profile */
    real k, h, c, nu, dv, ds;
    real *v_fine, *v_chan; /* [F], [V] */
    real *back;            /* [V] */
    real *j, *a;           /* [R][F] or [R][V] when not thick */
    real *jd, *ad;         /* [R][V], [R] */
    real *total, *cont;    /* [V] results */
    real *I;               /* [R] work */
};

static inline real
slow_planck(const struct slow *s, real nu, real T)
{
    real B = T > 0 ? 2 * s->h * nu * nu * nu / (s->c * s->c) / expm1l(s->h * nu / (s->k * T)) : 0;

    return isfinite((double)B) ? B : 0;
}

static inline void
slow_grids(struct slow *s)
{
    const struct iris_transfer_law *law = s->law;
    size_t q = law->v_subsamples, i;

    s->dv = ((real)law->v_max - law->v_min) / (real)(s->V - 1);
    for (i = 0; i < s->V; i++)
        s->v_chan[i] = law->v_min + s->dv * (real)i;
    for (i = 0; i < s->F; i++)
        s->v_fine[i] = q ? law->v_min - s->dv / 2 + s->dv / (real)(2 * q) * (real)i : s->v_chan[i];
    for (i = 0; i < s->V; i++)
        s->back[i] = slow_planck(s, s->nu * (1 + s->v_chan[i] / s->c),
                                 law->T_cmb * law->units.temperature);
}

/* The share of a line that falls into [v - w/2, v + w/2], per frequency. */
static inline real
slow_mean_profile(const struct slow *s, real v, real w, real v_r, real b)
{
    real to = (v + w / 2 - v_r) / (1 + v_r / s->c) / b;
    real from = (v - w / 2 - v_r) / (1 + v_r / s->c) / b;

    return (erfl(to) - erfl(from)) / 2 / (w * s->nu / s->c);
}

static inline real
slow_profile(const struct slow *s, real v, real v_r, real b)
{
    real x = (v - v_r) / (1 + v_r / s->c) / b;

    return expl(-x * x) / (b * s->nu / s->c * sqrtl(acosl(-1)));
}

/* Which step is the s-th of the march. */
static inline size_t
slow_place(const struct slow *s, size_t i)
{
    return s->law->far_to_near ? s->R - 1 - i : i;
}

static inline void
slow_cell(struct slow *s, const double *const f[IRIS_FIELDS], size_t i)
{
    const struct iris_transfer_law *law = s->law;
    size_t at = slow_place(s, i), q = law->v_subsamples, k;
    double T = f[IRIS_T][at], rho = f[IRIS_RHO][at], j0, a0;
    real v_r = f[IRIS_V_R][at], x, b, phi, cubic = powl(law->units.length, 3);

    if (!(T > 0) || !(rho > 0))
        return;
    s->ad[i] = s->line->kappa * (real)rho;
    for (k = 0; k < s->V; k++)
        s->jd[i * s->V + k] = s->ad[i] *
                              slow_planck(s, s->nu * (1 + s->v_chan[k] / s->c) / (1 + v_r / s->c),
                                          f[IRIS_T_DUST][at]);
    if (isinf(T))
        return;
    iris_line_table_at(s->line->table, &law->lookup, rho, f[IRIS_X_H2][at], T, &j0, &a0);
    x = iris_abundance_at(&s->line->abundance,
                          (double)(rho / s->line->table->rho_per_N * law->number * cubic),
                          T / law->units.temperature, f[IRIS_X_CO][at]);
    b = sqrtl(2 * s->k * T / s->line->table->mass + (real)s->line->v_turb * s->line->v_turb);
    for (k = 0; k < s->F; k++) {
        if (law->transfer != IRIS_THICK)
            phi = slow_mean_profile(s, s->v_chan[k], s->dv, v_r, b);
        else if (law->cell_average)
            phi = slow_mean_profile(s, s->v_fine[k], q ? s->dv / (real)(2 * q) : s->dv, v_r, b);
        else
            phi = slow_profile(s, s->v_fine[k], v_r, b);
        s->j[i * s->F + k] = j0 * phi * x;
        s->a[i * s->F + k] = a0 * phi * x;
    }
}

static inline real
slow_relu(real v)
{
    return v < 0 ? 0 : v;
}

/* One frequency of 13.1: emission J and absorption A of every step, I of every
 * step into s->I. */
static inline real
slow_smooth(struct slow *s, real I0, const real *J, const real *A)
{
    real h = s->ds, *I = s->I;
    size_t i;

    I[0] = I0;
    I[1] = slow_relu((2 * h * J[0] + 2 * h * J[1] + (4 - 2 * h * A[0]) * I0) / (4 + 2 * h * A[1]));
    for (i = 2; i < s->R; i++)
        I[i] = slow_relu((2 * h * J[i] + 4 * I[i - 1] - I[i - 2]) / (3 + 2 * h * A[i]));
    return I[s->R - 1];
}

/* One step of 13.2; what is not finite in double is not finite. */
static inline real
slow_formal_step(real I, real tau, real S, real hJ)
{
    real E = slow_relu((real)(double)((I - S) * (real)(double)expl(-tau) + S));

    if (!isfinite((double)E) || fabsl(tau) < 1e-6L)
        return I + hJ;
    return slow_relu((I - S) * expl(-tau) + S);
}

static inline real
slow_formal(struct slow *s, real I, const real *J, const real *A)
{
    size_t i;

    for (i = 0; i < s->R; i++)
        I = s->I[i] = slow_formal_step(I, s->ds * A[i], J[i] / A[i], s->ds * J[i]);
    return I;
}

static inline real
slow_march(struct slow *s, real I, const real *J, const real *A)
{
    return s->law->integration == IRIS_SMOOTH ? slow_smooth(s, I, J, A) : slow_formal(s, I, J, A);
}

static inline void
slow_continuum(struct slow *s, size_t k, real *J)
{
    size_t i;

    for (i = 0; i < s->R; i++)
        J[i] = s->jd[i * s->V + k];
    s->cont[k] = slow_march(s, s->back[k], J, s->ad);
}

static inline void
slow_thick(struct slow *s, real *J, real *A, real *fine)
{
    size_t q = s->law->v_subsamples, k, i, m;

    for (k = 0; k < s->F; k++) {
        size_t chan = q ? k / (2 * q) : k;

        chan = chan < s->V ? chan : s->V - 1;
        for (i = 0; i < s->R; i++) {
            J[i] = s->j[i * s->F + k] + s->jd[i * s->V + chan];
            A[i] = s->a[i * s->F + k] + s->ad[i];
        }
        fine[k] = slow_march(s, s->back[chan], J, A);
    }
    for (k = 0; k < s->V; k++) {
        real sum = 0;

        for (m = 0; m < q; m++) {
            const real *at = fine + 2 * (k * q + m);

            sum += at[0] + 4 * at[1] + at[2];
        }
        s->total[k] = q ? sum / (real)(6 * q) : fine[k];
        slow_continuum(s, k, J);
    }
}

/* 13.5; consistent: dust absorbs the continuum once, and thin steps follow
 * the same law. */
static inline real
slow_selective_step(const struct slow *s, real I, real C, real j, real a, real ad)
{
    real tau = s->ds * ad, S;

    if (!s->law->consistent_formal) {
        S = j / ad - (a + ad) / ad * C;
        return slow_formal_step(I, tau, S, s->ds * j);
    }
    S = s->ds * (j - a * C) * (tau != 0 ? -expm1l(-tau) / tau : 1);
    return slow_relu(I * expl(-tau) + S);
}

static inline void
slow_selective(struct slow *s, real *J, real *A, real *forcing)
{
    size_t k, i;

    (void)A;
    for (k = 0; k < s->V; k++) {
        real I = s->back[k];

        slow_continuum(s, k, J);
        for (i = 0; i < s->R; i++) {
            real j = s->j[i * s->F + k], a = s->a[i * s->F + k];

            forcing[i] = j + J[i] - a * s->I[i];
            if (s->law->integration == IRIS_FORMAL)
                I = slow_selective_step(s, I, s->I[i], j + J[i], a, s->ad[i]);
        }
        s->total[k] = s->law->integration == IRIS_FORMAL
                          ? I
                          : slow_smooth(s, s->back[k], forcing, s->ad);
    }
}

static inline real
slow_sum(const struct slow *s, const real *X)
{
    real sum = 0;
    size_t i;

    for (i = 0; i < s->R && s->law->integration == IRIS_FORMAL; i++)
        sum += s->ds * X[i];
    if (s->law->integration == IRIS_FORMAL)
        return sum;
    for (i = 1; i + 1 < s->R; i += 2)
        sum += s->ds / 3 * (X[i - 1] + 4 * X[i] + X[i + 1]);
    if (s->law->complete_simpson && s->R % 2 == 0)
        sum += s->ds / 2 * (X[s->R - 2] + X[s->R - 1]);
    return sum;
}

static inline void
slow_thin(struct slow *s, real *J)
{
    size_t k, i;

    for (k = 0; k < s->V; k++) {
        for (i = 0; i < s->R; i++)
            J[i] = s->jd[i * s->V + k];
        s->cont[k] = s->back[k] + slow_sum(s, J);
        for (i = 0; i < s->R; i++)
            J[i] = s->j[i * s->F + k];
        s->total[k] = s->cont[k] + slow_sum(s, J);
    }
}

/* ---- 13.7 ---- */

static inline real
slow_finite(real v)
{
    return isfinite((double)v) ? v : 0;
}

static inline real
slow_Tb(const struct slow *s, real nu, real I)
{
    return slow_finite(s->h * nu / s->k / log1pl(2 * s->h * nu * nu * nu / (I * s->c * s->c)));
}

static inline real
slow_output(const struct slow *s, size_t k)
{
    const struct iris_unit_system *u = &s->law->units;
    real nu = s->nu * (1 + s->v_chan[k] / s->c), D = s->total[k] - s->cont[k];
    enum iris_output_units out = s->law->output;

    if (s->law->subtraction == IRIS_SUBTRACT_CONTINUUM)
        D = s->cont[k];
    if (s->law->subtraction == IRIS_SUBTRACT_TB) {
        D = slow_Tb(s, nu, s->total[k]) - slow_Tb(s, nu, s->cont[k]);
        if (out == IRIS_OUT_TB || out == IRIS_OUT_TB_K)
            return out == IRIS_OUT_TB ? D : D / u->temperature;
        D = slow_finite(2 * s->h * nu * nu * nu / (s->c * s->c) / expm1l(s->h * nu / (s->k * D)));
    }
    if (out == IRIS_OUT_I)
        return D;
    if (out == IRIS_OUT_JY)
        return D / (1e-26L * u->mass / (u->time * u->time));
    if (out == IRIS_OUT_TB || out == IRIS_OUT_TB_K)
        D = slow_Tb(s, nu, D);
    else
        D = s->c * s->c * D / (2 * s->k * nu * nu);
    return out == IRIS_OUT_TRJ_K || out == IRIS_OUT_TB_K ? D / u->temperature : D;
}

/* Whether brightness temperatures come into what is written of the excess. */
static inline int
slow_is_warm(const struct iris_transfer_law *law)
{
    return law->subtraction == IRIS_SUBTRACT_TB ||
           (law->subtraction == IRIS_SUBTRACT_I &&
            (law->output == IRIS_OUT_TB || law->output == IRIS_OUT_TB_K));
}

/* The spectrum of one line.
 *
 *   out  out    [v_steps] in the units asked for
 *   out  noise  [v_steps] what the rounding of intensities makes of it, in the same units; infinite
 * where the excess over the continuum is faint and passes through a brightness temperature, which
 * has no digits then
 */
static inline void
slow_spectrum(const struct iris_transfer_law *law, const struct iris_line *line,
              const struct line_ray *ray, double *out, double *noise)
{
    struct slow s = {.law = law, .line = line, .R = law->r_steps, .V = law->v_steps};
    real velocity = (real)law->units.length / law->units.time, *J, *A, *more;
    /* S = j / a of a thin step is large, and I - S has the less digits of I */
    real share = law->integration == IRIS_FORMAL ? 0x1p-34L : 0x1p-42L;
    size_t i;

    s.F = law->transfer == IRIS_THICK && law->v_subsamples ? 2 * s.V * law->v_subsamples + 1 : s.V;
    s.c = law->c * velocity;
    s.k = law->k * law->units.mass * velocity * velocity / law->units.temperature;
    s.h = law->h * law->units.mass * velocity * velocity * law->units.time;
    s.nu = line->table->nu;
    s.ds = law->ds;
    s.v_fine = need((2 * s.F + 4 * s.V + s.R * (2 * s.F + s.V + 5)) * sizeof(real));
    s.v_chan = s.v_fine + s.F;
    s.back = s.v_chan + s.V;
    s.total = s.back + s.V;
    s.cont = s.total + s.V;
    s.j = s.cont + s.V;
    s.a = s.j + s.R * s.F;
    s.jd = s.a + s.R * s.F;
    s.ad = s.jd + s.R * s.V;
    s.I = s.ad + s.R;
    J = s.I + s.R;
    A = J + s.R;
    more = A + s.R; /* R, then F */
    slow_grids(&s);
    for (i = 0; i < s.R; i++)
        slow_cell(&s, (const double *const *)ray->f, i);
    if (law->transfer == IRIS_THICK)
        slow_thick(&s, J, A, more + s.R);
    else if (law->transfer == IRIS_SELECTIVE)
        slow_selective(&s, J, A, more);
    else
        slow_thin(&s, J);
    for (i = 0; i < s.V; i++)
        out[i] = (double)slow_output(&s, i);
    for (i = 0; i < s.V; i++) {
        int deaf = fabsl(s.total[i] - s.cont[i]) <= 0x1p-34L * s.cont[i] && slow_is_warm(law);

        s.total[i] += share * (s.total[i] + s.cont[i]);
        noise[i] = deaf ? INFINITY : fabs((double)slow_output(&s, i) - out[i]);
    }
    free(s.v_fine);
}

#endif
