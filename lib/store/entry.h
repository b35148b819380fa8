/* entry -- one data point of a data set: its row, its files, their shapes.
 *
 * Paths of entries are relative to the data set directory:
 *   entries/<digest>/raw/<snapshot>/pNNN.<kind>.npy            processing units
 *   entries/<digest>/iris-<units>/<snapshot>/pNNN.<kind>.npy   IRIS units
 */
#ifndef IRIS_ENTRY_H
#define IRIS_ENTRY_H

#include <stddef.h>
#include <stdint.h>

#include "buf.h"
#include "err.h"
#include "hyper.h"
#include "manifest.h"
#include "npy.h"
#include "perturb.h"

#define IRIS_TENSOR_CHANNELS 6

/* An array of an entry. */
enum iris_kind { IRIS_COLUMN, IRIS_OBSERVED, IRIS_TENSOR, IRIS_KINDS };

/* The arrays of a type of data set, in the order the reader wants them.
 *
 *   return  how many: 1 or 2
 */
size_t iris_type_kinds(enum iris_type type, enum iris_kind kind[2]);

const char *iris_kind_file(enum iris_kind k);   /* "columnized", "observed", "tensor" */
const char *iris_kind_column(enum iris_kind k); /* of the manifest: "column", ... */
const char *iris_kind_hash(enum iris_kind k);   /* of the manifest: "column_xxh128", ... */

/* Shape of an array as the settings make it. */
void iris_kind_shape(enum iris_kind k, enum iris_type type, const struct iris_settings *s,
                     struct iris_shape *shape);

/* Bytes of its file. */
uint64_t iris_kind_bytes(enum iris_kind k, enum iris_type type, const struct iris_settings *s);

/* Append the directory of a snapshot's entries, or the path of an array.
 *
 *   in   units  8 digits, or NULL for raw
 */
void iris_entry_dir(struct iris_buf *out, const char *digest, const char *units,
                    const char *snapshot);
void iris_entry_path(struct iris_buf *out, const char *digest, const char *units,
                     const char *snapshot, uint32_t point, enum iris_kind k);

/* Viewing angle of a point in deg: 360 * point / points + theta_zero. */
double iris_entry_theta(const struct iris_settings *s, uint32_t point);

/* The law of the random changes, from the settings. */
void iris_perturb_law_of(const struct iris_settings *s, struct iris_perturb_law *law);

/* What all rows of one run of iris-gen have in common. */
struct iris_entry_run {
    const struct iris_settings *settings;
    enum iris_type type;
    uint64_t seed;
    uint32_t round;
    int precise; /* synthetic: in double */
    const char *digest;
};

/* An empty manifest of entries with the columns of that type. */
enum iris_status iris_entry_manifest(struct iris_manifest *m, enum iris_type type,
                                     struct iris_err *err);

/* Append the row of a point; with a message it is a failed one, else raw. */
enum iris_status iris_entry_add(struct iris_manifest *m, const struct iris_entry_run *run,
                                const char *snapshot, uint32_t point, const char *message,
                                struct iris_err *err);

enum iris_state { IRIS_RAW, IRIS_NORMALIZED, IRIS_FAILED };

/* A row taken apart; strings belong to the manifest. */
struct iris_entry {
    size_t row;
    const char *id, *snapshot, *digest;
    uint32_t point;
    enum iris_type type;
    enum iris_state state;
    size_t n_kinds;
    enum iris_kind kind[2];
    const char *path[2]; /* NULL in failed rows */
    const char *hash[2]; /* NULL when the row has none yet */
    const char *message; /* of failed rows */
};

/* Take a row apart and check it: known words, paths that stay inside the data
 * set.
 *
 *   return  IRIS_OK, or IRIS_E_DATA naming the entry
 */
enum iris_status iris_entry_get(const struct iris_manifest *m, size_t row, struct iris_entry *e,
                                struct iris_err *err);

/* Whether a row says that it has failed; nothing else of it is looked at. */
int iris_entry_has_failed(const struct iris_manifest *m, size_t row);

/* Every row of one type? An empty manifest is an error.
 *
 *   return  IRIS_OK, or IRIS_E_DATA
 */
enum iris_status iris_entry_type(const struct iris_manifest *m, enum iris_type *type,
                                 struct iris_err *err);

/* Mark a row failed: no paths, no hashes, a message. */
enum iris_status iris_entry_fail(struct iris_manifest *m, size_t row, const char *message,
                                 struct iris_err *err);

/* root/path in memory of its own.
 *
 *   owns  the caller, with free(); NULL when out of memory
 */
char *iris_path_join(const char *root, const char *path);

/* Whether a path is relative and leads nowhere upwards. */
int iris_path_is_inside(const char *path);

#endif
