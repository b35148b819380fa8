#include "linetable.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "elementary.h"
#include "lookup_law.h"
#include "num.h"

static const double pi = 3.14159265358979323846;

/* ---- axes ---- */

static void
even_axis(double *x, size_t n, double lo, double hi)
{
    double step = (hi - lo) / (double)(n - 1);
    size_t i;

    for (i = 0; i < n; i++)
        x[i] = lo + (double)i * step;
    x[n - 1] = hi;
}

static void
fill_axes(struct iris_line_table *t, const struct iris_table_law *law)
{
    double q_max = iris_asinh(law->N_max / law->bolic), lo = 0, hi = law->T_max;
    size_t i;

    t->dq = q_max / (double)(t->n_N - 1);
    for (i = 0; i < t->n_N; i++)
        t->rho[i] = iris_sinh((double)i * t->dq) * t->bolic * t->rho_per_N;
    t->dx = 0.5 / (double)(t->n_x - 1);
    even_axis(t->x, t->n_x, 0, 0.5);
    if (t->fine) {
        lo = iris_log(IRIS_FINE_T_MIN);
        hi = iris_log(law->T_max);
    }
    even_axis(t->T, t->n_T, lo, hi);
    t->dT = (hi - lo) / (double)(t->n_T - 1);
    for (i = 0; i < t->n_T; i++)
        t->T[i] = (t->fine ? iris_exp(t->T[i]) : t->T[i]) * law->units.temperature;
    if (!t->fine)
        t->dT *= law->units.temperature;
    t->per_dq = 1 / t->dq;
    t->per_dx = (double)(t->n_x - 1) / 0.5;
    t->per_dT = 1 / t->dT;
}

enum iris_status
iris_line_table_init(struct iris_line_table *t, const struct iris_molecule *m,
                     const struct iris_table_law *law, struct iris_err *err)
{
    const struct iris_transition *line = iris_molecule_transition(m, law->upper, law->lower);
    const struct iris_unit_system *u = &law->units;
    double cubic_metre = u->length * u->length * u->length;
    size_t nodes;

    *t = (struct iris_line_table){
        .n_N = law->n_N, .n_x = law->n_x, .n_T = law->n_T, .fine = law->fine};
    if (!line)
        return iris_fail(err, IRIS_E_DATA, "%s has no transition from level %zu to level %zu",
                         m->name ? m->name : "the molecule", law->upper, law->lower);
    if (law->fine && !(law->T_max > IRIS_FINE_T_MIN))
        return iris_fail(err, IRIS_E_DATA,
                         "a fine table starts at %g K, its last temperature must be above that",
                         IRIS_FINE_T_MIN);
    if (iris_mul_size(t->n_N, t->n_x, &nodes) || iris_mul_size(nodes, t->n_T, &nodes) ||
        iris_mul_size(nodes, IRIS_NODE * sizeof *t->node, &nodes))
        return iris_fail(err, IRIS_E_DATA, "a line table of %zu x %zu x %zu nodes is too large",
                         t->n_N, t->n_x, t->n_T);
    t->bolic = law->bolic / (law->number * cubic_metre);
    t->rho_per_N = (law->m_H + law->balance.abundance_He * law->m_He) * u->mass * law->number;
    t->nu = line->GHz * 1e9 / u->time;
    t->mass = m->weight / law->L / 1000 * u->mass;
    t->rho = malloc((t->n_N + t->n_x + t->n_T) * sizeof *t->rho);
    if (!t->rho)
        return iris_fail_memory(err);
    t->x = t->rho + t->n_N;
    t->T = t->x + t->n_x;
    fill_axes(t, law);
    return IRIS_OK;
}

void
iris_line_table_release(struct iris_line_table *t)
{
    free(t->rho);
    if (!t->borrowed)
        free(t->node);
    *t = (struct iris_line_table){0};
}

size_t
iris_line_table_size(const struct iris_line_table *t)
{
    return t->n_N * t->n_x * t->n_T * IRIS_NODE;
}

/* ---- values ---- */

enum iris_status
iris_line_table_solve(struct iris_line_table *t, const struct iris_molecule *m,
                      const struct iris_table_law *law, size_t first, size_t n,
                      struct iris_err *err)
{
    const struct iris_unit_system *u = &law->units;
    double cubic_metre = u->length * u->length * u->length, area = u->length * u->length;
    double per_N = 1 / (law->number * cubic_metre);
    /* h nu / 4 pi of one counted particle: energy; A per time, B mass^-1 time */
    double energy = law->balance.h * u->mass * area / u->time * law->number * t->nu / (4 * pi);
    struct iris_balance b = {0};
    struct iris_einstein e;
    double *N, *p = NULL;
    enum iris_status st;
    size_t iN, ix, iT;

    iris_einstein(m, iris_molecule_transition(m, law->upper, law->lower), &law->balance, &e);
    st = iris_balance_init(&b, m, &law->balance, err);
    N = malloc(t->n_N * sizeof *N);
    p = malloc(t->n_N * m->n * sizeof *p);
    if (!st && (!N || !p))
        st = iris_fail_memory(err);
    for (iN = 0; iN < t->n_N && !st; iN++)
        N[iN] = iris_sinh((double)iN * t->dq) * law->bolic;
    for (iT = first; iT < first + n && !st; iT++) {
        iris_balance_temperature(&b, t->T[iT] / u->temperature);
        for (ix = 0; ix < t->n_x && !st; ix++) {
            st = iris_balance_solve(&b, t->x[ix], N, t->n_N, p, err);
            for (iN = 0; iN < t->n_N && !st; iN++) {
                double up = p[iN * m->n + law->upper] * per_N;
                double low = p[iN * m->n + law->lower] * per_N;
                double *to = iris_node_at(t, iN, ix, iT);

                to[IRIS_NODE_J] = energy * up * e.A / u->time;
                to[IRIS_NODE_A] = energy * (low * e.B_lu - up * e.B_ul) * u->time / u->mass;
            }
        }
    }
    free(N);
    free(p);
    iris_balance_release(&b);
    return st;
}

/* Derivative along an axis of n nodes, stride apart. */
static void
gradient(const double *axis, size_t n, const double *value, double *to, size_t stride)
{
    size_t i;

    to[0] = (value[stride] - value[0]) / (axis[1] - axis[0]);
    for (i = 1; i + 1 < n; i++) {
        const double *f = value + i * stride;
        double d1 = axis[i] - axis[i - 1], d2 = axis[i + 1] - axis[i];

        to[i * stride] = -d2 / (d1 * (d1 + d2)) * f[-(ptrdiff_t)stride] +
                         (d2 - d1) / (d1 * d2) * f[0] + d1 / (d2 * (d1 + d2)) * f[stride];
    }
    to[(n - 1) * stride] = (value[(n - 1) * stride] - value[(n - 2) * stride]) /
                           (axis[n - 1] - axis[n - 2]);
}

void
iris_line_table_gradients(struct iris_line_table *t)
{
    size_t of_T = IRIS_NODE, of_x = t->n_T * of_T, of_N = t->n_x * of_x, i, j;
    int what;

    for (what = IRIS_NODE_J; what <= IRIS_NODE_A; what += IRIS_NODE_A - IRIS_NODE_J) {
        double *v = t->node + what;

        for (i = 0; i < t->n_x; i++)
            for (j = 0; j < t->n_T; j++)
                gradient(t->rho, t->n_N, v + i * of_x + j * of_T, v + i * of_x + j * of_T + 1,
                         of_N);
        for (i = 0; i < t->n_N; i++)
            for (j = 0; j < t->n_T; j++)
                gradient(t->x, t->n_x, v + i * of_N + j * of_T, v + i * of_N + j * of_T + 2, of_x);
        for (i = 0; i < t->n_N; i++)
            for (j = 0; j < t->n_x; j++)
                gradient(t->T, t->n_T, v + i * of_N + j * of_x, v + i * of_N + j * of_x + 3, of_T);
    }
}

enum iris_status
iris_line_table_make(struct iris_line_table *t, const struct iris_molecule *m,
                     const struct iris_table_law *law, struct iris_err *err)
{
    enum iris_status st;

    st = iris_line_table_init(t, m, law, err);
    if (!st) {
        t->node = malloc(iris_line_table_size(t) * sizeof *t->node);
        st = t->node ? iris_line_table_solve(t, m, law, 0, t->n_T, err) : iris_fail_memory(err);
    }
    if (st)
        iris_line_table_release(t);
    else
        iris_line_table_gradients(t);
    return st;
}

/* ---- lookup ---- */

void
iris_line_table_at(const struct iris_line_table *t, const struct iris_lookup *how, double rho,
                   double x_H2, double T, double *j, double *alpha)
{
    iris_table_read(t, how, rho, x_H2, T, j, alpha);
}
