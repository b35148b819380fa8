/* maker -- makes data points: holds one snapshot, observes it from any point,
 * publishes the arrays.
 *
 * One maker a process. What it writes depends on its settings, the snapshot
 * and the point only.
 */
#ifndef IRIS_MAKER_H
#define IRIS_MAKER_H

#include <stdint.h>

#include "buf.h"
#include "cells.h"
#include "err.h"
#include "hyper.h"
#include "pair.h"

struct iris_maker {
    struct iris_settings settings;
    enum iris_type type;
    uint64_t seed;
    uint32_t round;
    char digest[IRIS_SETTINGS_DIGEST];
    char *root;     /* of the data set */
    char *snapshot; /* id of the one loaded, NULL: none */
    struct iris_cells cells;
    struct iris_pause pause; /* called between pieces of work; never NULL */
};

/*   in   root    the data set directory, open already
 *   owns iris_maker_release; safe on zeroed and twice
 */
enum iris_status iris_maker_init(struct iris_maker *m, const struct iris_hyper *h,
                                 enum iris_type type, uint64_t seed, uint32_t round,
                                 const char *root, struct iris_pause pause, struct iris_err *err);
void iris_maker_release(struct iris_maker *m);

/* Load a snapshot unless it is loaded, and claim its folder in the data set.
 *
 *   inout  warnings    lines appended
 *   out    foreign     set when the folder belongs to another snapshot
 *   out    publishing  set when a failure was one of the data set's disk
 *
 *   return  IRIS_OK, or as iris_snapshot_load and iris_dataset_claim; then
 *           nothing is loaded
 */
enum iris_status iris_maker_load(struct iris_maker *m, const char *id, const char *path,
                                 uint64_t files, struct iris_buf *warnings, int *foreign,
                                 int *publishing, struct iris_err *err);

/* Make a point of the snapshot that is loaded and publish its arrays.
 *
 *   out  publishing  set when a failure was one of writing
 *
 *   return  IRIS_OK
 *           IRIS_E_DATA   the view cannot be sampled
 *           IRIS_E_IO     no memory, or the arrays cannot be written
 *           IRIS_E_RETRY  pause said stop; nothing was published
 */
enum iris_status iris_maker_point(struct iris_maker *m, uint32_t point, int *publishing,
                                  struct iris_err *err);

#endif
