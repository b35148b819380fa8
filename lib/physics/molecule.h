/* molecule -- levels, transitions and collision rates of a molecule, as the
 * Leiden Atomic and Molecular Database (LAMDA) lays them out in a text file.
 *
 * A file is headings, lines that begin with '!', and what stands below them:
 * name, weight, number of levels, levels, number of transitions, transitions,
 * number of collision partners, and for each partner its number and name, the
 * numbers of rates and of temperatures, temperatures and rates. What follows is
 * notes. The words of a heading mean nothing, but for COLLISION, in any case,
 * above a partner beyond the number that was promised. Empty lines, blanks at the ends of a line,
 * carriage returns and words behind the numbers of a row are passed over; an exponent may be
 * Fortran's, 1.0D-08.
 *
 * Values are those of the file, in double, nothing converted but the rates:
 * cm^-1, s^-1, GHz, K, and m^3/s. Levels count from 0.
 *
 * Pure arithmetic: no I/O, no global state. Thread safe.
 *
 *   source  F. L. Schoeier, F. F. S. van der Tak, E. F. van Dishoeck, J. H. Black
 *           (2005), A&A 432, 369; home.strw.leidenuniv.nl/~moldata/
 */
#ifndef IRIS_MOLECULE_H
#define IRIS_MOLECULE_H

#include <stddef.h>

#include "buf.h"
#include "err.h"

enum iris_partner { IRIS_H2, IRIS_PARA_H2, IRIS_ORTHO_H2, IRIS_H, IRIS_HE, IRIS_PARTNERS };

struct iris_transition {
    size_t upper, lower;
    double A;   /* Einstein coefficient [1/s] */
    double GHz; /* frequency */
};

/* Downward rate coefficients for collisions with one partner. */
struct iris_collisions {
    size_t n_T; /* 0: the file has no rates for this partner */
    double *T;  /* [n_T] K, increasing */
    size_t n;
    struct iris_level_pair {
        size_t upper, lower;
    } * pair;     /* [n] none twice */
    double *rate; /* [n][n_T] m^3/s, >= 0 */
};

struct iris_molecule {
    char *name;
    double weight;  /* u */
    size_t n;       /* levels */
    double *energy; /* [n] cm^-1 */
    double *g;      /* [n] statistical weight, > 0 */
    size_t n_transitions;
    struct iris_transition *transition; /* [] none twice */
    struct iris_collisions with[IRIS_PARTNERS];
};

/* Parse a molecular file.
 *
 *   in     text, len  the file
 *   in     name       what stands for the file in messages
 *   out    m          owned by the caller, iris_molecule_release; undefined
 *                     and released unless IRIS_OK. In a pair upper > lower, and
 *                     the energy is not less; of a transition it is more. There
 *                     are rates for H2, or for both para-H2 and ortho-H2.
 *   inout  warnings   lines "<name>:<line>: <sentence>\n" appended for what is
 *                     suspicious but usable: partners that are not used or not
 *                     promised, upper levels of rates with a gap, levels not in
 *                     order of energy, frequencies that do not fit the energies
 *
 *   return  IRIS_OK
 *           IRIS_E_DATA  names file and line; also a file that is cut short, if
 *                        only within its last number
 *           IRIS_E_IO    no memory
 */
enum iris_status iris_molecule_parse(const char *text, size_t len, const char *name,
                                     struct iris_molecule *m, struct iris_buf *warnings,
                                     struct iris_err *err);
void iris_molecule_release(struct iris_molecule *m);

/* The transition between two levels; NULL when the file has none. */
const struct iris_transition *iris_molecule_transition(const struct iris_molecule *m, size_t upper,
                                                       size_t lower);

/* Write m in the same format, appended; reads back to equal values. (A rate that
 * no number of cm^3/s gives exactly, which comes from no file, reads back to its
 * neighbour.) */
void iris_molecule_print(const struct iris_molecule *m, struct iris_buf *out);

#endif
