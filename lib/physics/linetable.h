/* linetable -- emission and absorption of a line as tables over density, H2
 * abundance and temperature.
 *
 * Per unit tracer abundance and before the line profile:
 *
 *   j0     = h nu / (4 pi) p_u A_ul                   [energy flux / length ...]
 *   alpha0 = h nu / (4 pi) (p_l B_lu - p_u B_ul)
 *
 * with their gradients along each axis. Everything is in one unit system, with
 * particle numbers divided by its number unit; alpha0 is negative where levels
 * are inverted.
 *
 * Axes: density of H nuclei N_i = b sinh(i dq) from 0 to N_max; x_H2 even from
 * 0 to 0.5; temperature even from 0 to T_max, or (fine) in equal ratios from
 * 2 K to T_max.
 *
 *   source  physics of the reference, "level balance tables", "table lookup"
 */
#ifndef IRIS_LINETABLE_H
#define IRIS_LINETABLE_H

#include <stddef.h>

#include "balance.h"
#include "err.h"
#include "molecule.h"
#include "units.h"

#define IRIS_FINE_T_MIN 2.0 /* K, first temperature of a fine table */

struct iris_table_law {
    size_t upper, lower;  /* levels */
    size_t n_N, n_x, n_T; /* nodes, each at least 2 */
    double N_max, bolic;  /* 1/m^3 */
    double T_max;         /* K */
    int fine;             /* temperature in equal ratios */
    double m_H, m_He;     /* kg */
    double L;             /* 1/mol */
    double number;        /* particles that count as one in the unit system */
    struct iris_unit_system units;
    struct iris_balance_law balance;
};

enum { IRIS_NODE_J, IRIS_NODE_A = 4, IRIS_NODE = 8 };

struct iris_line_table {
    size_t n_N, n_x, n_T;
    int fine;
    double dq, bolic;              /* of the density axis; bolic in the unit system */
    double dx, dT;                 /* steps; dT of ln T when fine */
    double per_dq, per_dx, per_dT; /* the inverse */
    double rho_per_N;              /* mass density of gas per density of H nuclei */
    double nu;                     /* line frequency, per unit of time */
    double mass;                   /* of a tracer particle */
    double *rho, *x, *T;           /* axes in the unit system; owned */
    double *node;                  /* [n_N][n_x][n_T][IRIS_NODE]: j0 and d/drho, d/dx,
                                      d/dT, then alpha0 and its own */
    int borrowed;                  /* node is not owned */
};

/* Set axes and constants, without values: node is NULL.
 *
 *   owns iris_line_table_release; safe on zeroed and twice
 *
 *   return  IRIS_OK
 *           IRIS_E_DATA  the molecule has no such transition, or sizes overflow
 *           IRIS_E_IO    no memory
 */
enum iris_status iris_line_table_init(struct iris_line_table *t, const struct iris_molecule *m,
                                      const struct iris_table_law *law, struct iris_err *err);
void iris_line_table_release(struct iris_line_table *t);

/* Values at node, doubles. */
size_t iris_line_table_size(const struct iris_line_table *t);

/* Solve the level balance at the nodes of temperatures [first, first + n) and
 * store j0 and alpha0 there; then, once all are there, the gradients.
 *
 *   in  node  as allocated by the caller, t->node
 */
enum iris_status iris_line_table_solve(struct iris_line_table *t, const struct iris_molecule *m,
                                       const struct iris_table_law *law, size_t first, size_t n,
                                       struct iris_err *err);
void iris_line_table_gradients(struct iris_line_table *t);

/* All of it: init, memory, solve, gradients. */
enum iris_status iris_line_table_make(struct iris_line_table *t, const struct iris_molecule *m,
                                      const struct iris_table_law *law, struct iris_err *err);

/* How to read between nodes. */
struct iris_lookup {
    int multilinear; /* 0: nearest node and its gradients */
    int clamp;       /* nearest: hold rho and T at the table's ends, and x within
                        its own; multilinear always does */
};

/* Emission and absorption per unit tracer abundance.
 *
 *   in   rho, T  in the unit system, T finite; x_H2
 */
void iris_line_table_at(const struct iris_line_table *t, const struct iris_lookup *how, double rho,
                        double x_H2, double T, double *j, double *alpha);

#endif
