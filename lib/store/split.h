/* split -- which entries of a data set are for training, which for validation.
 *
 * Drawn by hash from a seed and names, so it is the same whatever the order, and asking
 * for more moves none back.
 */
#ifndef IRIS_SPLIT_H
#define IRIS_SPLIT_H

#include <stddef.h>
#include <stdint.h>

#include "err.h"
#include "manifest.h"

enum { IRIS_SPLIT_TRAIN, IRIS_SPLIT_VALIDATION };

/* Draw entries one by one: the first floor(fraction * n) by hash are for validation.
 * Points of one snapshot look alike, so what a network has learned is judged too well
 * by these.
 *
 *   in   id        [n], all different
 *   in   fraction  0 to 1
 *   out  part      [n]
 *
 *   return  IRIS_OK, or IRIS_E_IO out of memory
 */
enum iris_status iris_split_entries(const char *const *id, size_t n, double fraction, uint64_t seed,
                                    unsigned char *part, struct iris_err *err);

/* Draw whole snapshots, by hash, while that brings the number of entries for
 * validation nearer to fraction * n. There is at least one if the fraction is above 0,
 * and one for training; a single snapshot is for training.
 *
 *   in   snapshot  [n] of each entry
 */
enum iris_status iris_split_snapshots(const char *const *snapshot, size_t n, double fraction,
                                      uint64_t seed, unsigned char *part, struct iris_err *err);

/* One of the two for the rows of a manifest, by that column: "id" or "snapshot".
 *
 *   return  as above, and IRIS_E_DATA where a row has none
 */
enum iris_status iris_split_rows(const struct iris_manifest *m, const char *column, double fraction,
                                 uint64_t seed, unsigned char *part, struct iris_err *err);

#endif
