#include "balance.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "aligned.h"
#include "elementary.h"
#include "simd.h"

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
    return 2 * law->h * nu * nu * nu / (law->c * law->c) / iris_expm1(x);
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

/* Either elimination has its work space. */
static size_t
work_of(size_t n)
{
    size_t fold = iris_balance_work(n), pivot = n * iris_balance_stride(n);

    return fold > pivot ? fold : pivot;
}

enum iris_status
iris_balance_init(struct iris_balance *b, const struct iris_molecule *m,
                  const struct iris_balance_law *law, struct iris_err *err)
{
    size_t square = m->n * m->n, work = work_of(m->n), bytes, i;
    double *memory;

    *b = (struct iris_balance){.molecule = m, .law = *law, .n = m->n};
    if (!b->law.kernels)
        b->law.kernels = iris_kernels_best();
    /* work owns all */
    bytes = (work + square * (3 + SOURCES)) * sizeof *memory + m->n * sizeof *b->row;
    memory = iris_aligned(bytes);
    if (!memory)
        return iris_fail_memory(err);
    memset(memory, 0, bytes);
    b->work = memory;
    b->radiative = memory + work;
    b->boltzmann = b->radiative + square;
    b->C = b->boltzmann + square;
    for (i = 0; i < SOURCES; i++)
        b->down[i] = b->C + (1 + i) * square;
    b->row = (double **)(b->down[SOURCES - 1] + square);
    fill_radiative(b);
    return IRIS_OK;
}

void
iris_balance_release(struct iris_balance *b)
{
    free(b->work);
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
        matrix[with->pair[p].lower * b->n + with->pair[p].upper] = r;
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

            b->boltzmann[i * b->n + j] = 1;
            b->boltzmann[j * b->n + i] = T > 0 ? m->g[i] / m->g[j] * iris_exp(E / (b->law.k * T))
                                               : 0;
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
    const double *source[SOURCES];
    size_t s;

    for (s = 0; s < SOURCES; s++)
        source[s] = b->down[s];
    return b->law.kernels->balance_mix(b->n * b->n, source, share, b->boltzmann, b->C);
}

static enum iris_status
no_way_out(const struct iris_balance *b, size_t level, double N, struct iris_err *err)
{
    return iris_fail(err, IRIS_E_DATA,
                     "level %zu of %s cannot be left at a density of %g per m^3: its rates and "
                     "transitions downward are 0",
                     level + 1, b->molecule->name ? b->molecule->name : "the molecule", N);
}

/* Without gas nothing is populated, whatever the proportions, which then need
 * not exist. */
static enum iris_status
eliminate(struct iris_balance *b, const double *total, double *const p[LANES], struct iris_err *err)
{
    struct iris_balance_rates rates = {b->n, b->C, b->radiative};
    double N[LANES];
    size_t l, stuck;

    for (l = 0; l < LANES; l++)
        N[l] = total[l] > 0 ? total[l] : 1;
    stuck = b->law.kernels->balance_fold(&rates, N, total, b->work, p);
    return stuck ? no_way_out(b, stuck, total[0], err) : IRIS_OK;
}

/* Row i is the gain of level i; row 0 the sum of all. */
static enum iris_status
solve_signed(struct iris_balance *b, double N, double *p, struct iris_err *err)
{
    size_t n = b->n, stride = iris_balance_stride(n), i, j;
    double *m = b->work;

    memset(p, 0, n * sizeof *p);
    if (!(N > 0))
        return IRIS_OK;
    memset(m, 0, n * stride * sizeof *m);
    for (i = 0; i < n; i++)
        for (j = 0; j < n; j++)
            if (j != i) {
                double q = N * b->C[i * n + j] + b->radiative[i * n + j];

                m[j * stride + i] = q;
                m[i * stride + i] -= q;
            }
    for (j = 0; j < n; j++)
        m[j] = 1;
    m[n] = N;
    return b->law.kernels->balance_pivot(n, stride, m, b->row, p) ? no_way_out(b, n - 1, N, err)
                                                                  : IRIS_OK;
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
