/* lookup_law -- how tables are read, for this processor and for GPUs. Private to what
 * reads them.
 */
#ifndef IRIS_LOOKUP_LAW_H
#define IRIS_LOOKUP_LAW_H

#include <math.h>

#include "abundance.h"
#include "both.h"
#include "elementary.h"
#include "linetable.h"

/* The one function here that a GPU has to take from elsewhere. */
#ifdef __CUDA_ARCH__
#define IRIS_ASINH asinh
#else
#define IRIS_ASINH iris_asinh
#endif

/* ---- abundances ---- */

/* Between which two places of an axis v is, and how far from the first: i and
 * *u such that v = (1 - u) axis[i] + u axis[i + 1]. Beyond an end u is 0, where
 * i + 1 may not be a place. */
IRIS_BOTH size_t
iris_bracket(const double *axis, size_t n, double v, double *u)
{
    size_t low = 0, high = n - 1, middle;

    *u = 0;
    if (!(v > axis[0]))
        return 0;
    if (v >= axis[high])
        return high;
    while (high - low > 1) {
        middle = low + (high - low) / 2;
        if (axis[middle] <= v)
            low = middle;
        else
            high = middle;
    }
    *u = (v - axis[low]) / (axis[high] - axis[low]);
    return low;
}

IRIS_BOTH double
iris_row_between(const double *row, size_t i, double u)
{
    return u > 0 ? (1 - u) * row[i] + u * row[i + 1] : row[i];
}

IRIS_BOTH double
iris_abundance_look_up(const struct iris_abundance *a, double N_H, double T)
{
    double u_N, u_T, below;
    size_t i = iris_bracket(a->ln_N, a->n_N, iris_log(N_H), &u_N);
    size_t j = iris_bracket(a->ln_T, a->n_T, iris_log(T), &u_T);
    const double *row = a->x + i * a->n_T;

    below = iris_row_between(row, j, u_T);
    return u_N > 0 ? (1 - u_N) * below + u_N * iris_row_between(row + a->n_T, j, u_T) : below;
}

IRIS_BOTH int
iris_abundance_drops(const struct iris_abundance *a, double N_H, double T)
{
    if (isnan(a->T_drop) && isnan(a->n_drop))
        return 0;
    return (isnan(a->T_drop) || T < a->T_drop) && (isnan(a->n_drop) || N_H > a->n_drop);
}

/* As iris_abundance_at. */
IRIS_BOTH double
iris_abundance_of(const struct iris_abundance *a, double N_H, double T, double x_CO)
{
    double x = fabs(a->value);

    if (a->kind == IRIS_ABUNDANCE_RATIO)
        x *= x_CO;
    else if (a->kind == IRIS_ABUNDANCE_TABLE)
        x = iris_abundance_look_up(a, N_H, T);
    return iris_abundance_drops(a, N_H, T) ? x * a->drop : x;
}

/* ---- line tables ---- */

IRIS_BOTH double *
iris_node_at(const struct iris_line_table *t, size_t iN, size_t ix, size_t iT)
{
    return t->node + ((iN * t->n_x + ix) * t->n_T + iT) * IRIS_NODE;
}

/* The nearest node; u is the place in steps. */
IRIS_BOTH size_t
iris_node_nearest(double u, size_t n)
{
    double i = floor(u + 0.5);

    return i > 0 ? i < (double)(n - 1) ? (size_t)i : n - 1 : 0;
}

/* The node below; the last interval takes its own end. */
IRIS_BOTH size_t
iris_node_below(double u, size_t n)
{
    double i = floor(u);

    return i > 0 ? i < (double)(n - 2) ? (size_t)i : n - 2 : 0;
}

IRIS_BOTH double
iris_node_hold(double v, const double *axis, size_t n)
{
    return fmin(fmax(v, axis[0]), axis[n - 1]);
}

IRIS_BOTH double
iris_node_place_T(const struct iris_line_table *t, double T)
{
    return (t->fine ? iris_log(T / t->T[0]) : T) * t->per_dT;
}

IRIS_BOTH void
iris_table_between(const struct iris_line_table *t, const double at[3], const double u[3],
                   double *j, double *alpha)
{
    const double *axis[3] = {t->rho, t->x, t->T};
    size_t i[3] = {iris_node_below(u[0], t->n_N), iris_node_below(u[1], t->n_x),
                   iris_node_below(u[2], t->n_T)},
           corner;
    double share[3];
    int k;

    for (k = 0; k < 3; k++)
        share[k] = (at[k] - axis[k][i[k]]) / (axis[k][i[k] + 1] - axis[k][i[k]]);
    *j = *alpha = 0;
    for (corner = 0; corner < 8; corner++) {
        size_t a = corner >> 2, b = corner >> 1 & 1, c = corner & 1;
        const double *node = iris_node_at(t, i[0] + a, i[1] + b, i[2] + c);
        double w = (a ? share[0] : 1 - share[0]) * (b ? share[1] : 1 - share[1]) *
                   (c ? share[2] : 1 - share[2]);

        *j += w * node[IRIS_NODE_J];
        *alpha += w * node[IRIS_NODE_A];
    }
}

/* As iris_line_table_at. */
IRIS_BOTH void
iris_table_read(const struct iris_line_table *t, const struct iris_lookup *how, double rho,
                double x_H2, double T, double *j, double *alpha)
{
    double at[3] = {rho, x_H2, T}, u[3], d[3];
    const double *node;
    size_t i[3];

    if (how->multilinear || how->clamp) {
        at[0] = iris_node_hold(rho, t->rho, t->n_N);
        at[1] = iris_node_hold(x_H2, t->x, t->n_x);
        at[2] = iris_node_hold(T, t->T, t->n_T);
    }
    u[0] = IRIS_ASINH(at[0] / (t->rho_per_N * t->bolic)) * t->per_dq;
    u[1] = at[1] * t->per_dx;
    u[2] = iris_node_place_T(t, at[2]);
    if (how->multilinear) {
        iris_table_between(t, at, u, j, alpha);
        return;
    }
    i[0] = iris_node_nearest(u[0], t->n_N);
    i[1] = iris_node_nearest(u[1], t->n_x);
    i[2] = iris_node_nearest(u[2], t->n_T);
    node = iris_node_at(t, i[0], i[1], i[2]);
    d[0] = at[0] - t->rho[i[0]];
    d[1] = at[1] - t->x[i[1]];
    d[2] = at[2] - t->T[i[2]];
    *j = node[0] + node[1] * d[0] + node[2] * d[1] + node[3] * d[2];
    *alpha = node[4] + node[5] * d[0] + node[6] * d[1] + node[7] * d[2];
}

#endif
