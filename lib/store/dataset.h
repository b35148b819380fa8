/* dataset -- the directory a data set is made in; see iris-dataset(5). */
#ifndef IRIS_DATASET_H
#define IRIS_DATASET_H

#include <stdint.h>

#include "buf.h"
#include "digest.h"
#include "err.h"

struct iris_dataset {
    char *root;
    char *state; /* once locked: what the run writes about itself is below this directory */
    int lock;    /* -1: not locked */
    int own;     /* of a run with a name: its own lock, -1 otherwise */
    int held;    /* ... and what it holds snapshots by */
    int planned; /* opened to look only: nothing is changed */
};
#define IRIS_DATASET_INIT                                                                          \
    {                                                                                              \
        .lock = -1, .own = -1, .held = -1                                                          \
    }

/* What to do about a directory that does not exist. */
enum iris_dataset_mode {
    IRIS_DATASET_EXISTING, /* fail */
    IRIS_DATASET_CREATE,   /* make it, and its bookkeeping */
    IRIS_DATASET_PLANNED   /* take it for an empty one, make nothing */
};

/* Open a data set directory.
 *
 *   return  IRIS_OK
 *           IRIS_E_IO    missing, unwritable
 *           IRIS_E_DATA  a directory that is neither empty nor a data set
 *   owns    iris_dataset_close
 */
enum iris_status iris_dataset_open(struct iris_dataset *d, const char *root,
                                   enum iris_dataset_mode mode, struct iris_err *err);

/* Where a run writes about itself: DATASET/.iris, or DATASET/.iris/runs/NAME.
 *
 *   in   run  name, NULL: none
 *
 *   return  NULL when out of memory
 *   owns    the caller, with free()
 */
char *iris_dataset_state(const char *root, const char *run);

/* Whether a word can be the name of a run. */
int iris_dataset_is_run(const char *name);

/* Keep other runs out until close (or death). A run with a name keeps out those
 * without and those of the same name; with those of other names it shares the
 * data set, but no snapshot.
 *
 *   in   run  name, NULL: none
 *
 *   return  IRIS_OK
 *           IRIS_E_RETRY  in use; the sentence names host, process and batch job
 *           IRIS_E_USAGE  no name of a run: letters, digits and . _ - only
 */
enum iris_status iris_dataset_lock(struct iris_dataset *d, const char *run, struct iris_err *err);

/* Keep other runs off a snapshot until close. A run without a name has all.
 *
 *   return  IRIS_OK
 *           IRIS_E_RETRY  another run has it
 */
enum iris_status iris_dataset_hold(struct iris_dataset *d, const char *digest, const char *snapshot,
                                   struct iris_err *err);
void iris_dataset_close(struct iris_dataset *d);

/* Make suspects of what runs that died had in hand, see flight.h: earlier runs of
 * this name; any run, for one without a name, which has the data set alone. Locked,
 * and before this run has records of its own.
 *
 *   return  IRIS_OK, or as iris_suspects_collect
 */
enum iris_status iris_dataset_autopsy(const struct iris_dataset *d, struct iris_err *err);

/* Where suspects are.
 *
 *   return  NULL when out of memory
 *   owns    the caller, with free()
 */
char *iris_dataset_suspects(const struct iris_dataset *d);

/* Record what a settings digest stands for, or compare with the record.
 *
 *   return  IRIS_OK
 *           IRIS_E_DATA  other settings have this digest
 */
enum iris_status iris_dataset_settings(const struct iris_dataset *d, const char *digest,
                                       const struct iris_buf *settings, struct iris_err *err);

/* The record of the snapshot that a folder of raw entries was made from. */
struct iris_source {
    uint64_t bytes;
    char content[IRIS_DIGEST_TEXT];
};

/*   return  IRIS_OK with *found 0 or 1, or IRIS_E_DATA, IRIS_E_IO */
enum iris_status iris_dataset_source(const struct iris_dataset *d, const char *digest,
                                     const char *snapshot, struct iris_source *source, int *found,
                                     struct iris_err *err);

/* Write the record, or compare the content with it; a record that no array was
 * made under is replaced.
 *
 *   return  IRIS_OK
 *           IRIS_E_DATA  another snapshot was here under this id
 */
enum iris_status iris_dataset_claim(const struct iris_dataset *d, const char *digest,
                                    const char *snapshot, const struct iris_source *source,
                                    struct iris_err *err);

/* Which points of a snapshot are complete: done[p] is set for each p below n
 * that has all its arrays. Temporary files left by a killed run are removed,
 * unless the data set is only planned for or somebody still writes them.
 *
 *   return  IRIS_OK also when the folder does not exist
 */
enum iris_status iris_dataset_done(const struct iris_dataset *d, const char *digest,
                                   const char *snapshot, unsigned kinds, uint32_t n,
                                   unsigned char *done, struct iris_err *err);

#endif
