/* balance_slow -- the level balance as its equations are written: one dense
 * system, eliminated with pivots in long double. */
#ifndef BALANCE_SLOW_H
#define BALANCE_SLOW_H

#include "balance.h"
#include "line_case.h"

typedef long double real;

static inline real
slow_rate(const struct iris_collisions *with, size_t pair, double T, int clamp)
{
    const double *rate = with->rate + pair * with->n_T;
    size_t i = 0;
    real r;

    while (i + 2 < with->n_T && T > with->T[i + 1])
        i++;
    if (clamp && T <= with->T[0])
        return rate[0] > 0 ? rate[0] : 0;
    if (clamp && T >= with->T[with->n_T - 1])
        return rate[with->n_T - 1] > 0 ? rate[with->n_T - 1] : 0;
    if (with->n_T == 1)
        return rate[0];
    r = rate[i] + ((real)rate[i + 1] - rate[i]) * ((real)T - with->T[i]) /
                      ((real)with->T[i + 1] - with->T[i]);
    return clamp && r < 0 ? 0 : r;
}

/* C[from][to] += share * the rates of a partner */
static inline void
slow_collide(const struct iris_molecule *m, const struct iris_balance_law *law,
             const struct iris_collisions *with, real share, double T, real *C)
{
    size_t n = m->n, i;

    for (i = 0; i < with->n; i++) {
        size_t up = with->pair[i].upper, low = with->pair[i].lower;
        real down = share * slow_rate(with, i, T, law->clamp_rates);
        real E = ((real)m->energy[up] - m->energy[low]) * 100 * law->h * law->c;

        C[up * n + low] += down;
        if (T > 0)
            C[low * n + up] += down * m->g[up] / m->g[low] * expl(-E / ((real)law->k * T));
    }
}

static inline const struct iris_collisions *
or_any(const struct iris_molecule *m, enum iris_partner with)
{
    return m->with[with].n_T ? &m->with[with] : &m->with[IRIS_H2];
}

/* Rates [from][to] of everything. */
static inline void
slow_rates(const struct iris_molecule *m, const struct iris_balance_law *law, double T, double x,
           double N, real *q)
{
    real para = 1 / (1 + (real)law->ortho_to_para), nu, B, J;
    size_t n = m->n, i;

    slow_collide(m, law, or_any(m, IRIS_PARA_H2), x * para, T, q);
    slow_collide(m, law, or_any(m, IRIS_ORTHO_H2), x * (1 - para), T, q);
    slow_collide(m, law, &m->with[IRIS_H], 1 - 2 * (real)x, T, q);
    slow_collide(m, law, &m->with[IRIS_HE], law->abundance_He, T, q);
    for (i = 0; i < n * n; i++)
        q[i] *= N;
    for (i = 0; i < m->n_transitions; i++) {
        const struct iris_transition *t = &m->transition[i];

        nu = (real)t->GHz * 1e9L;
        B = t->A * (real)law->c * law->c / (2 * law->h * nu * nu * nu);
        J = 2 * law->h * nu * nu * nu / ((real)law->c * law->c) /
            expm1l(law->h * nu / ((real)law->k * law->T_continuum));
        J = isnan(law->T_continuum) ? 0 : J;
        q[t->upper * n + t->lower] += t->A + J * B;
        q[t->lower * n + t->upper] += J * B * m->g[t->upper] / m->g[t->lower];
    }
}

static inline void
slow_eliminate(real *M, real *p, size_t n)
{
    size_t i, j, k, best;
    real f;

    for (k = 0; k < n; k++) {
        for (best = k, i = k + 1; i < n; i++)
            best = fabsl(M[i * n + k]) > fabsl(M[best * n + k]) ? i : best;
        for (j = 0; j < n && best != k; j++) {
            f = M[k * n + j];
            M[k * n + j] = M[best * n + j];
            M[best * n + j] = f;
        }
        f = p[k];
        p[k] = p[best];
        p[best] = f;
        for (i = k + 1; i < n; i++) {
            f = M[i * n + k] / M[k * n + k];
            for (j = k; j < n; j++)
                M[i * n + j] -= f * M[k * n + j];
            p[i] -= f * p[k];
        }
    }
    for (k = n; k-- > 0; p[k] /= M[k * n + k])
        for (j = k + 1; j < n; j++)
            p[k] -= M[k * n + j] * p[j];
}

static inline void
slow_solve(const struct iris_molecule *m, const struct iris_balance_law *law, double T, double x,
           double N, real *p)
{
    size_t n = m->n, i, j;
    real *q = need(2 * n * n * sizeof *q), *M = q + n * n;

    slow_rates(m, law, T, x, N, q);
    for (i = 0; i < n; i++) {
        p[i] = i ? 0 : N;
        for (j = 0; j < n; j++) {
            M[i * n + j] += i ? q[j * n + i] : 1;
            if (i && i != j)
                M[i * n + i] -= q[i * n + j];
        }
    }
    slow_eliminate(M, p, n);
    free(q);
}

#endif
