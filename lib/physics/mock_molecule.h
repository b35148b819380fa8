/* mock_molecule -- carbon monoxide with made-up collisions.
 *
 * Levels and lines are near those of nature; the collision rates have its order
 * of magnitude and nothing else. For trials of the programs, never for science,
 * which takes a file of the Leiden Atomic and Molecular Database.
 *
 * Pure arithmetic: no I/O, no global state. Thread safe.
 */
#ifndef IRIS_MOCK_MOLECULE_H
#define IRIS_MOCK_MOLECULE_H

#include "err.h"
#include "molecule.h"

#define IRIS_MOCK_LEVELS 41 /* J = 0 to 40 */

/* Fill a molecule.
 *
 *   in   name  12CO, 13CO or C18O
 *   out  m     owned by the caller, iris_molecule_release; released unless
 *              IRIS_OK. Rates for para-H2, ortho-H2 and H at 25 temperatures
 *              from 2 to 3000 K, all above 0. Level J is number J.
 *
 *   return  IRIS_OK
 *           IRIS_E_USAGE  another name; the sentence has those that are known
 *           IRIS_E_IO     no memory
 *   method  energies    B x - D x^2 + H x^3, x = J (J + 1); weight 2 J + 1
 *           lines       J to J - 1, nu the difference of the energies,
 *                       A = 64 pi^4 nu^3 mu^2 / (3 h c^3) * J / (2 J + 1) in cgs,
 *                       with the dipole moment mu that of J = 0: too large an A
 *                       by 1 % at J = 3 and by 43 % at J = 40
 *           collisions  from J down to J', in cm^3/s,
 *                       3e-11 f sqrt(1 + T / 100 K) (2 J' + 1) / (2 J + 1)
 *                           exp(-0.3 (J - J' - 1)),
 *                       f = 1 for para-H2, 1.2 for ortho-H2, 0.5 for H; a guess
 *                       A and rates are rounded to four digits, as files have them
 *   source  A: J. G. Mangum, Y. L. Shirley (2015), PASP 127, 266, linear molecules.
 *           B and mu: the catalogues of JPL and Cologne (CDMS). D and H of 12CO:
 *           G. Winnewisser et al. (1997), J. Mol. Spectrosc. 184, 468. B, D and H
 *           of 13CO: G. Cazzoli, C. Puzzarini, A. V. Lapinov (2004), ApJ 611, 615,
 *           fit 2. D and H of C18O: those of 12CO, with the second and third
 *           power of B.
 */
enum iris_status iris_mock_molecule(const char *name, struct iris_molecule *m,
                                    struct iris_err *err);

#endif
