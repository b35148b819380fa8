/* normalize -- arrays from processing units to IRIS units, into new files. */
#ifndef IRIS_NORMALIZE_H
#define IRIS_NORMALIZE_H

#include "entry.h"
#include "err.h"
#include "manifest.h"
#include "unitset.h"

/* Convert one array: file `from` times its factors becomes file `to`. With
 * factors of 1 it is a second name for the same file. A `to` that is there and
 * is what `from` becomes, or whose `from` is gone, is left alone.
 *
 *   in   hash  of `from` as recorded, NULL when it is not: compared
 *   out  made  hash of `to`
 *
 *   return  IRIS_OK
 *           IRIS_E_IO    cannot read or write
 *           IRIS_E_DATA  not an array, or not the one recorded
 *   method  single precision: value times factor
 */
enum iris_status iris_normalize_array(const char *from, const char *to, const float *factor,
                                      size_t channels, const char *hash, char made[33],
                                      struct iris_err *err);

/* Convert the arrays of a raw row and rewrite the row: state, paths, hashes,
 * and the column 'units'.
 *
 *   return  as iris_normalize_array; *writing is set when writing failed
 */
enum iris_status iris_normalize_row(const char *root, struct iris_manifest *m, size_t row,
                                    const struct iris_scaling *scaling, int *writing,
                                    struct iris_err *err);

/* Write the record of what a folder iris-<units> of a digest holds. */
enum iris_status iris_normalize_record(const char *root, const char *digest, enum iris_type type,
                                       const struct iris_scaling *scaling,
                                       const struct iris_unit_factors *u, struct iris_err *err);

#endif
