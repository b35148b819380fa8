/* molecule -- levels, transitions and collision rates of a molecule, as the
 * LAMDA data base lays them out in a text file.
 *
 * Values are those of the file, in double, nothing converted but the rates:
 * cm^-1, s^-1, GHz, K, and m^3/s. Levels count from 0.
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
    } *pair;      /* [n] */
    double *rate; /* [n][n_T] m^3/s */
};

struct iris_molecule {
    char *name;
    double weight; /* u */
    size_t n;      /* levels */
    double *energy; /* [n] cm^-1 */
    double *g;      /* [n] statistical weight */
    size_t n_transitions;
    struct iris_transition *transition;
    struct iris_collisions with[IRIS_PARTNERS];
};

/* Parse a molecular file.
 *
 *   in     text, len  the file
 *   in     name       what stands for the file in messages
 *   out    m          owned by the caller, iris_molecule_release; undefined
 *                     and released unless IRIS_OK
 *   inout  warnings   lines "<name>:<line>: <sentence>\n" appended for what is
 *                     suspicious but usable
 *
 *   return  IRIS_OK
 *           IRIS_E_DATA  names file and line
 *           IRIS_E_IO    no memory
 */
enum iris_status iris_molecule_parse(const char *text, size_t len, const char *name,
                                     struct iris_molecule *m, struct iris_buf *warnings,
                                     struct iris_err *err);
void iris_molecule_release(struct iris_molecule *m);

/* The transition between two levels; NULL when the file has none. */
const struct iris_transition *iris_molecule_transition(const struct iris_molecule *m, size_t upper,
                                                       size_t lower);

/* Write m in the same format, appended; reads back to equal values. */
void iris_molecule_print(const struct iris_molecule *m, struct iris_buf *out);

#endif
