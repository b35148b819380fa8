/* mock -- the gas of a made-up galactic centre.
 *
 * Cells of three populations around the middle of a cubic box: a molecular
 * zone inside 300 pc (a disc, two elliptical streams, and clouds that hold
 * clumps that hold cores), a bar with two dust lanes inside 5 kpc, and thin gas
 * everywhere. Density, chemistry, temperatures and velocities go together, so
 * that a column map and a longitude-velocity diagram look like those of a
 * galaxy; no observation is reproduced.
 *
 * Every random number is named by the seed and by the number of the cell, cloud
 * or clump it belongs to. A cell is the same whichever range it is asked for
 * in; clouds are the same for every number of cells.
 *
 * Pure arithmetic: no I/O, no global state. Thread safe.
 *
 * Conventions
 *   units   code units below; a length of 1 is 100 pc, a velocity 1 km/s, a
 *           mass 1 Msun. Abundances are per hydrogen nucleus.
 *   axes    the disc lies in z = 0 and turns clockwise seen from +z. The bar
 *           lies 25 degrees counter-clockwise of +x; more gas is at +y.
 *   arrays  C order; coordinates[3*i + k] is coordinate k of cell i
 */
#ifndef IRIS_MOCK_H
#define IRIS_MOCK_H

#include <stddef.h>
#include <stdint.h>

#include "err.h"

#define IRIS_MOCK_LENGTH_CM    3.08567758128e20 /* 100 pc */
#define IRIS_MOCK_MASS_G       1.989e33         /* Msun */
#define IRIS_MOCK_VELOCITY_CGS 1e5              /* 1 km/s */
#define IRIS_MOCK_BOX          240.0            /* side: 24 kpc */
#define IRIS_MOCK_MAX_CELLS    (UINT64_C(1) << 31)

/* Columns of the abundances. */
enum { IRIS_MOCK_H2, IRIS_MOCK_HP, IRIS_MOCK_CO, IRIS_MOCK_SPECIES };

/* Arrays of one range of cells; the caller owns them all. */
struct iris_mock_cells {
    double *coordinates;      /* [][3] 0 <= x < IRIS_MOCK_BOX */
    double *velocities;       /* [][3] */
    double *density;          /* [] gas with helium */
    double *internal_energy;  /* [] per mass, velocity squared */
    double *masses;           /* [] density times an estimate of the cell's volume */
    double *abundances;       /* [][3] H2 (0 to 0.5), H+ (0 to 1), CO (0 to 1.4e-4) */
    double *dust_temperature; /* [] K, 12 to 40 */
    uint64_t *ids;            /* [] 1 to n */
};

/* The cells first to first + count - 1 of n.
 *
 *   in   n      cells in all, 1 to IRIS_MOCK_MAX_CELLS; sets the volumes only
 *   out  cells  all arrays filled from their start, every value finite
 *
 *   return  IRIS_OK
 *           IRIS_E_USAGE  n or the range is out of bounds; arrays untouched
 */
enum iris_status iris_mock_cells(uint64_t seed, uint64_t n, uint64_t first, size_t count,
                                 const struct iris_mock_cells *cells, struct iris_err *err);

/* The internal energy of gas at a temperature.
 *
 *   in   kelvin    > 0
 *   in   h2, hp    abundances
 *   return  (km/s)^2
 *   method  u = 3/2 k T (1 + x_H+ - x_H2 + x_He) / mu, mu = m_H + x_He m_He, x_He = 0.1
 */
double iris_mock_energy(double kelvin, double h2, double hp);

#endif
