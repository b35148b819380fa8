/* scan -- reading an array through once: its limits, its hash, what in it is no
 * number.
 */
#ifndef IRIS_SCAN_H
#define IRIS_SCAN_H

#include <stddef.h>

#include "digest.h"
#include "err.h"
#include "npy.h"

/* Moments of a number of values: m2 is the sum of squared deviations. */
struct iris_moments {
    double count, mean, m2;
};

/* Make a those of the values of both.
 *
 *   source  Chan, Golub, LeVeque 1979
 */
void iris_moments_join(struct iris_moments *a, const struct iris_moments *b);

/* What is wanted. */
enum {
    IRIS_SCAN_TENSOR = 1, /* the array is a tensor: temperatures may be +infinite */
    IRIS_SCAN_MOMENTS = 2
};

/* What reading an array through showed. */
struct iris_scan {
    struct iris_shape shape;
    size_t count;
    size_t bad;                  /* values that are not finite (of the temperature channel of
                                    a tensor: not a number, or -infinite) */
    size_t first_bad;            /* index of the first */
    float min, max;              /* of the finite values */
    double mean, m2;             /* of all values, where moments are wanted: m2 is the sum of
                                    squared deviations */
    char hash[IRIS_DIGEST_TEXT]; /* of the file's bytes */
};

/* Read the array of a file through once.
 *
 *   in   what  bits of the enum above
 *
 *   return  IRIS_OK, IRIS_E_IO, IRIS_E_DATA as iris_npy_open
 *   method  mean and m2 of blocks in two passes, joined by iris_moments_join
 */
enum iris_status iris_scan_array(const char *path, unsigned what, struct iris_scan *scan,
                                 struct iris_err *err);

/* The same of values that come in pieces, in order: begin, add, end. */
struct iris_scanner {
    struct iris_scan *scan;
    struct iris_digest *hash;
    size_t inf_lo, inf_hi; /* elements that may be +infinite */
    unsigned what;
};

/* Until the first values come the caller may add the header of a file to hash, as
 * iris_npy_hash_header does.
 *
 *   out  scan  filled until end; hash is "" before
 *
 *   return  IRIS_OK, IRIS_E_IO out of memory, IRIS_E_DATA as iris_shape_count
 *   owns    iris_scanner_end
 */
enum iris_status iris_scanner_begin(struct iris_scanner *s, const struct iris_shape *shape,
                                    unsigned what, struct iris_scan *scan, struct iris_err *err);
void iris_scanner_add(struct iris_scanner *s, const float *v, size_t n);

/* Free it; where scan is wanted its hash is filled in. Safe on zeroed. */
void iris_scanner_end(struct iris_scanner *s);

#endif
