/* balance -- the level populations of a molecule in statistical equilibrium.
 *
 * Collisions with H2 (para and ortho), H and He, spontaneous emission, and
 * absorption and stimulated emission of a Planck field; the gas is optically
 * thin in its own lines. SI throughout.
 *
 *   sum_j p_j q_ji = p_i sum_j q_ij,  sum_i p_i = N
 *   q_ij = N C_ij + A_ij + J_ij B_ij   (i above j)
 *   q_ij = N C_ij + J_ji B_ij          (i below j)
 *
 * with N the density of H nuclei and C_ij rate coefficients per H nucleus:
 * down x_H2 (f_p C_para + (1 - f_p) C_ortho) + (1 - 2 x_H2) C_H + x_He C_He,
 * f_p = 1/(1 + ortho_to_para), up by detailed balance (none at T = 0).
 *
 *   source  physics of the reference, "level balance tables"
 *   method  Grassmann-Taksar-Heyman elimination, which subtracts nothing, for
 *           IRIS_BALANCE_LANES densities at once, see eliminate.h; where a rate is
 *           negative (extrapolated ones can be) Gaussian elimination with pivots
 *   memory  0.23 MB for 41 levels, 1.2 MB for 100
 */
#ifndef IRIS_BALANCE_H
#define IRIS_BALANCE_H

#include <stddef.h>

#include "err.h"
#include "molecule.h"

struct iris_kernels;

struct iris_balance_law {
    double k, h, c;       /* J/K, J s, m/s */
    double T_continuum;   /* K, of the radiation field; NaN: none */
    double abundance_He;  /* per H nucleus */
    double ortho_to_para; /* of H2 */
    int clamp_rates;      /* hold rates at the ends of the file's temperatures and
                             at 0 or above; 0: extrapolate the first and last
                             interval linearly */
    /* How, not what: all give the same bytes. NULL: the best of this machine. */
    const struct iris_kernels *kernels;
};

/* Coefficients of a radiative transition. */
struct iris_einstein {
    double nu;         /* Hz */
    double A;          /* 1/s */
    double B_ul, B_lu; /* s/kg, per mean specific intensity */
    double J;          /* W m^-2 Hz^-1 sr^-1 of the radiation field */
};

/*   in  t  of m
 *   source  B_ul = A c^2 / (2 h nu^3), B_lu = B_ul g_u / g_l */
void iris_einstein(const struct iris_molecule *m, const struct iris_transition *t,
                   const struct iris_balance_law *law, struct iris_einstein *e);

struct iris_balance {
    const struct iris_molecule *molecule;
    struct iris_balance_law law;
    size_t n;
    double *radiative; /* [n][n] from level, to level; 1/s */
    double *boltzmann; /* [n][n] coefficient over the downward one of the two levels
                          at this temperature */
    double *down[4];   /* [n][n] downward para-H2, ortho-H2, H, He at this temperature,
                          in both places of two levels */
    double *C;         /* [n][n] sum of them, times boltzmann */
    double *work;      /* for the elimination */
    double **row;      /* [n] */
};

/*   in   m  kept by reference, must outlive b
 *   owns iris_balance_release; safe on zeroed and twice
 *
 *   return  IRIS_OK, or IRIS_E_IO
 */
enum iris_status iris_balance_init(struct iris_balance *b, const struct iris_molecule *m,
                                   const struct iris_balance_law *law, struct iris_err *err);
void iris_balance_release(struct iris_balance *b);

/* Set the temperature [K] of what follows; 0 or more. */
void iris_balance_temperature(struct iris_balance *b, double T);

/* Populations for densities at one composition.
 *
 *   in   x_H2  0 to 0.5
 *   in   N     [n] m^-3
 *   out  p     [n][levels] m^-3 per unit abundance of the tracer
 *
 *   return  IRIS_OK
 *           IRIS_E_DATA  a level cannot be left, so there is no equilibrium
 */
enum iris_status iris_balance_solve(struct iris_balance *b, double x_H2, const double *N, size_t n,
                                    double *p, struct iris_err *err);

#endif
