#include "balance.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

#define LANES   IRIS_BALANCE_LANES
#define LEAST_A 1e-15 /* 1/s, the reference's limit below which there is no line */

enum { PARA, ORTHO, ATOM, HELIUM, SOURCES };

static double
planck(const struct iris_balance_law *law, double nu)
{
    double x;

    if (isnan(law->T_continuum))
        return 0;
    x = law->h * nu / (law->k * law->T_continuum);
    return 2 * law->h * nu * nu * nu / (law->c * law->c) / expm1(x);
}

void
iris_einstein(const struct iris_molecule *m, const struct iris_transition *t,
              const struct iris_balance_law *law, struct iris_einstein *e)
{
    double nu = t->GHz * 1e9;

    e->nu = nu;
    e->A = t->A;
    e->B_ul = t->A * law->c * law->c / (2 * law->h * nu * nu * nu);
    e->B_lu = m->g[t->upper] / m->g[t->lower] * e->B_ul;
    e->J = planck(law, nu);
}

static void
fill_radiative(struct iris_balance *b)
{
    const struct iris_molecule *m = b->molecule;
    struct iris_einstein e;
    size_t i;

    for (i = 0; i < m->n_transitions; i++) {
        const struct iris_transition *t = &m->transition[i];

        if (!(t->A > LEAST_A))
            continue;
        iris_einstein(m, t, &b->law, &e);
        b->radiative[t->upper * b->n + t->lower] = e.A + e.J * e.B_ul;
        b->radiative[t->lower * b->n + t->upper] = e.J * e.B_lu;
    }
}

enum iris_status
iris_balance_init(struct iris_balance *b, const struct iris_molecule *m,
                  const struct iris_balance_law *law, struct iris_err *err)
{
    size_t square = m->n * m->n, i;
    double *memory;

    *b = (struct iris_balance){.molecule = m, .law = *law, .n = m->n};
    /* radiative owns all */
    memory = calloc(square * (3 + SOURCES + LANES), sizeof *memory);
    if (!memory)
        return iris_fail_memory(err);
    b->radiative = memory;
    b->boltzmann = memory + square;
    b->C = memory + 2 * square;
    for (i = 0; i < SOURCES; i++)
        b->down[i] = memory + (3 + i) * square;
    b->lanes = memory + (3 + SOURCES) * square;
    fill_radiative(b);
    return IRIS_OK;
}

void
iris_balance_release(struct iris_balance *b)
{
    free(b->radiative);
    *b = (struct iris_balance){0};
}

/* Where T stands among the file's temperatures: between i and i + 1. */
static double
place(const struct iris_collisions *with, double T, int clamp, size_t *i)
{
    size_t last = with->n_T - 1;

    *i = 0;
    if (!last)
        return 0;
    while (*i + 1 < last && T >= with->T[*i + 1])
        ++*i;
    if (clamp)
        T = fmin(fmax(T, with->T[0]), with->T[last]);
    return (T - with->T[*i]) / (with->T[*i + 1] - with->T[*i]);
}

static void
interpolate(const struct iris_balance *b, const struct iris_collisions *with, double T,
            double *matrix)
{
    double share;
    size_t i, p;

    memset(matrix, 0, b->n * b->n * sizeof *matrix);
    if (!with->n_T)
        return;
    share = place(with, T, b->law.clamp_rates, &i);
    for (p = 0; p < with->n; p++) {
        const double *rate = with->rate + p * with->n_T + i;
        double r = rate[0];

        if (with->n_T > 1)
            r += share * (rate[1] - rate[0]);
        if (b->law.clamp_rates)
            r = fmax(r, 0);
        matrix[with->pair[p].upper * b->n + with->pair[p].lower] = r;
    }
}

void
iris_balance_temperature(struct iris_balance *b, double T)
{
    const struct iris_molecule *m = b->molecule;
    const struct iris_collisions *with = m->with, *any = &with[IRIS_H2];
    double per_wave_number = 100 * b->law.h * b->law.c;
    size_t i, j;

    interpolate(b, with[IRIS_PARA_H2].n_T ? &with[IRIS_PARA_H2] : any, T, b->down[PARA]);
    interpolate(b, with[IRIS_ORTHO_H2].n_T ? &with[IRIS_ORTHO_H2] : any, T, b->down[ORTHO]);
    interpolate(b, &with[IRIS_H], T, b->down[ATOM]);
    interpolate(b, &with[IRIS_HE], T, b->down[HELIUM]);
    for (i = 0; i < b->n; i++) {
        for (j = 0; j < i; j++) {
            double E = (m->energy[j] - m->energy[i]) * per_wave_number;

            b->boltzmann[i * b->n + j] = T > 0 ? m->g[i] / m->g[j] * exp(E / (b->law.k * T)) : 0;
        }
    }
}

/* Coefficients per H nucleus, [from][to].
 *
 *   return  whether one is negative
 */
static int
mix(struct iris_balance *b, double x_H2)
{
    double f_para = 1 / (1 + b->law.ortho_to_para);
    double share[SOURCES] = {x_H2 * f_para, x_H2 * (1 - f_para), 1 - 2 * x_H2, b->law.abundance_He};
    size_t n = b->n, i, j, s;
    int negative = 0;

    for (i = 0; i < n; i++) {
        for (j = 0; j < i; j++) {
            size_t at = i * n + j;
            double sum = 0;

            for (s = 0; s < SOURCES; s++)
                sum += share[s] * b->down[s][at];
            b->C[at] = sum;
            b->C[j * n + i] = sum * b->boltzmann[at];
            negative |= sum < 0;
        }
    }
    return negative;
}

/* q[from][to][lane] for LANES densities. Without gas nothing is populated,
 * whatever the proportions, which then need not exist. */
static void
assemble(struct iris_balance *b, const double *N)
{
    size_t square = b->n * b->n, i, l;

    for (i = 0; i < square; i++)
        for (l = 0; l < LANES; l++)
            b->lanes[i * LANES + l] = (N[l] > 0 ? N[l] : 1) * b->C[i] + b->radiative[i];
}

/* Fold level k into those below it: what goes to k goes on in the proportions
 * in which k is left. */
static int
fold_level(double *q, size_t n, size_t k)
{
    double out[LANES] = {0}, share[LANES];
    const double *leave = q + k * n * LANES;
    size_t i, j, l;

    for (j = 0; j < k; j++)
        for (l = 0; l < LANES; l++)
            out[l] += leave[j * LANES + l];
    for (l = 0; l < LANES; l++)
        if (!(out[l] > 0))
            return -1;
    for (i = 0; i < k; i++) {
        double *row = q + i * n * LANES;

        for (l = 0; l < LANES; l++)
            row[k * LANES + l] = share[l] = row[k * LANES + l] / out[l];
        for (j = 0; j < k; j++)
            for (l = 0; l < LANES; l++)
                row[j * LANES + l] += share[l] * leave[j * LANES + l];
    }
    return 0;
}

static enum iris_status
no_way_out(const struct iris_balance *b, size_t level, double N, struct iris_err *err)
{
    return iris_fail(err, IRIS_E_DATA,
                     "level %zu of %s cannot be left at a density of %g per m^3: its rates and "
                     "transitions downward are 0",
                     level + 1, b->molecule->name ? b->molecule->name : "the molecule", N);
}

static enum iris_status
eliminate(struct iris_balance *b, const double *N, double *const p[LANES], struct iris_err *err)
{
    double *q = b->lanes, sum[LANES];
    size_t n = b->n, i, k, l;

    assemble(b, N);
    for (k = n - 1; k > 0; k--)
        if (fold_level(q, n, k))
            return no_way_out(b, k, N[0], err);
    for (l = 0; l < LANES; l++) {
        p[l][0] = 1;
        sum[l] = 1;
        for (k = 1; k < n; k++) {
            p[l][k] = 0;
            for (i = 0; i < k; i++)
                p[l][k] += p[l][i] * q[(i * n + k) * LANES + l];
            sum[l] += p[l][k];
        }
        for (k = 0; k < n; k++)
            p[l][k] *= N[l] / sum[l];
    }
    return IRIS_OK;
}

static void
swap_rows(double *m, double *right, size_t n, size_t a, size_t b)
{
    double keep = right[a];
    size_t j;

    right[a] = right[b];
    right[b] = keep;
    for (j = 0; j < n; j++) {
        keep = m[a * n + j];
        m[a * n + j] = m[b * n + j];
        m[b * n + j] = keep;
    }
}

/* m x = right by Gaussian elimination with row pivots; m is destroyed and
 * right becomes x.
 *
 *   return  0, or -1 when m is singular
 */
static int
solve_dense(double *m, double *right, size_t n)
{
    size_t i, j, k;

    for (k = 0; k < n; k++) {
        size_t pivot = k;

        for (i = k + 1; i < n; i++)
            if (fabs(m[i * n + k]) > fabs(m[pivot * n + k]))
                pivot = i;
        if (!(fabs(m[pivot * n + k]) > 0))
            return -1;
        if (pivot != k)
            swap_rows(m, right, n, pivot, k);
        for (i = k + 1; i < n; i++) {
            double f = m[i * n + k] / m[k * n + k];

            if (f == 0)
                continue;
            for (j = k + 1; j < n; j++)
                m[i * n + j] -= f * m[k * n + j];
            right[i] -= f * right[k];
        }
    }
    for (k = n; k-- > 0;) {
        for (j = k + 1; j < n; j++)
            right[k] -= m[k * n + j] * right[j];
        right[k] /= m[k * n + k];
    }
    return 0;
}

/* Row i is the gain of level i; row 0 the sum of all. */
static enum iris_status
solve_signed(struct iris_balance *b, double N, double *p, struct iris_err *err)
{
    double *m = b->lanes;
    size_t n = b->n, i, j;

    memset(p, 0, n * sizeof *p);
    if (!(N > 0))
        return IRIS_OK;
    for (j = 0; j < n; j++)
        m[j] = 1;
    p[0] = N;
    for (i = 1; i < n; i++)
        for (j = 0; j < n; j++)
            m[i * n + j] = i == j ? 0 : N * b->C[j * n + i] + b->radiative[j * n + i];
    for (i = 1; i < n; i++)
        for (j = 0; j < n; j++)
            if (j != i)
                m[i * n + i] -= N * b->C[i * n + j] + b->radiative[i * n + j];
    return solve_dense(m, p, n) ? no_way_out(b, n - 1, N, err) : IRIS_OK;
}

enum iris_status
iris_balance_solve(struct iris_balance *b, double x_H2, const double *N, size_t n, double *p,
                   struct iris_err *err)
{
    enum iris_status st = IRIS_OK;
    int negative = mix(b, x_H2);
    size_t i, l;

    for (i = 0; i < n && negative && !st; i++)
        st = solve_signed(b, N[i], p + i * b->n, err);
    for (i = 0; i < n && !negative && !st; i += LANES) {
        double lane_N[LANES], *lane_p[LANES];

        /* the last lanes repeat the last density, into the same place */
        for (l = 0; l < LANES; l++) {
            size_t at = i + l < n ? i + l : n - 1;

            lane_N[l] = N[at];
            lane_p[l] = p + at * b->n;
        }
        st = eliminate(b, lane_N, lane_p, err);
    }
    return st;
}
