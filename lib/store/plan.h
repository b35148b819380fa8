/* plan -- which points of which snapshots are there, and which are to be made.
 *
 * Bookkeeping only: it reads directories of the data set, opens no snapshot and
 * makes nothing.
 *
 * A row of the manifest is a snapshot with settings, see variant.h; here both
 * together are "a snapshot", since nothing is common to two rows.
 */
#ifndef IRIS_PLAN_H
#define IRIS_PLAN_H

#include <stddef.h>
#include <stdint.h>

#include "dataset.h"
#include "entry.h"
#include "err.h"
#include "flight.h"
#include "manifest.h"
#include "variant.h"

#define IRIS_PLAN_VERIFY UINT32_MAX /* a task that only compares the content */

/* As often as this a point, or the loading of a snapshot, is in hand when a run
 * dies; then it is not tried again. */
enum { IRIS_PLAN_DEATHS = 2 };

struct iris_plan_snapshot {
    char *id;
    char *path;   /* what is read; NULL: it is on another machine and was not fetched */
    char *source; /* its path in the row; NULL: on another machine, or not told */
    int remote;   /* the row says that it is on another machine */
    uint64_t files, bytes;
    size_t variant;       /* of the plan's */
    uint32_t points;      /* that there are to be */
    unsigned char *point; /* [points] state, private */
    char **message;       /* [points] of failed points */
    uint32_t there;       /* points that were there when it was added */
    uint32_t todo;        /* points missing then, also those that have failed at once; all
                             of them when it would have to be fetched to be compared */
    uint32_t left;        /* points that can be begun */
    uint32_t doubtful;    /* ... apart from those that were in hand when a run died */
    uint32_t next;
    int suspect; /* a run died while it was being loaded: its points are doubtful */
    int unknown; /* there are arrays, but no record of what they were made from */
    int verify;  /* all points there, but the size has changed; private */
    int warned;  /* its warnings were shown */
    int refused; /* its points fail without being tried */
};

struct iris_plan {
    struct iris_variants variants;
    const struct iris_dataset *dataset;
    const struct iris_suspects *suspects; /* set by the caller after init; NULL: none */
    size_t n;
    struct iris_plan_snapshot *snapshot;
    size_t first;                          /* no snapshot before it has anything to begin */
    uint64_t total, done, failed, skipped; /* points; done counts all three */
    uint64_t left;                         /* of all snapshots */
    int at_doubtful;                       /* one of those points is in hand */
    size_t n_sets;
    struct iris_manifest_column *set; /* columns of changes, for the rows of points */
};

struct iris_task {
    size_t snapshot; /* index into the plan */
    uint32_t point;
};

/* Nothing planned yet; dataset is kept by reference.
 *
 *   owns  iris_plan_release
 */
enum iris_status iris_plan_init(struct iris_plan *p, const struct iris_variant_law *law,
                                const struct iris_dataset *dataset, struct iris_err *err);
void iris_plan_release(struct iris_plan *p);

/* The settings of a snapshot. */
const struct iris_variant *iris_plan_variant(const struct iris_plan *p,
                                             const struct iris_plan_snapshot *s);

/* Add the snapshot of a row of a "snapshots" or "fetched" manifest. Where it is
 * on another machine and there is no copy, the points to be made have failed then;
 * all of them when the size has changed. So have points that were in hand when
 * IRIS_PLAN_DEATHS runs died.
 *
 *   return  IRIS_OK
 *           IRIS_E_DATA  a bad row, bad settings, or an id that is there already
 *                        with the same ones
 *           IRIS_E_IO    the data set cannot be read
 */
enum iris_status iris_plan_add(struct iris_plan *p, const struct iris_manifest *m, size_t row,
                               struct iris_err *err);

/* Why a snapshot has as much to do as it has, in words.
 *
 *   return  text
 */
char *iris_plan_why(const struct iris_plan *p, const struct iris_plan_snapshot *s, char *text,
                    size_t size);

/* What is to be begun of a snapshot: a comparison with its record, or points in
 * their order. Of points that were in hand when a run died, wherever they are, one
 * is in hand at a time, and they wait until the caller has nothing else.
 *
 *   in   doubtful  whether to take one of those
 *
 *   return  has: whether there is any; take: 1 with *task, or 0
 */
int iris_plan_has(const struct iris_plan *p, size_t snapshot, int doubtful);
int iris_plan_take(struct iris_plan *p, size_t snapshot, int doubtful, struct iris_task *task);

/* A suspect snapshot was loaded, and this run lives: of its points only those are
 * doubtful now that were in hand themselves. */
enum iris_status iris_plan_acquit(struct iris_plan *p, size_t snapshot, struct iris_err *err);

/* A task has ended.
 *
 *   in  message  NULL when it went well
 *   in  rest     a failure that the points not begun share: their snapshot
 *                cannot be loaded
 *   in  all      ... and the points that are there: it is another snapshot
 */
enum iris_status iris_plan_end(struct iris_plan *p, const struct iris_task *task,
                               const char *message, int rest, int all, struct iris_err *err);

/* Whether a point was there when its snapshot was added, or was made; with
 * IRIS_PLAN_VERIFY, whether all are, and none has to be compared. */
int iris_plan_is_there(const struct iris_plan *p, size_t snapshot, uint32_t point);

/* Whether nothing of a snapshot is to be done any more, nor under way. */
int iris_plan_is_over(const struct iris_plan *p, size_t snapshot);

/* The name of a point, or of the loading of a snapshot (IRIS_PLAN_VERIFY), in the
 * records of what is in hand; see flight.h.
 *
 *   return  NULL when out of memory
 *   owns    the caller, with free()
 */
char *iris_plan_name(const char *digest, const char *snapshot, uint32_t point);

/* The rows of all points that are done or failed, sorted. */
enum iris_status iris_plan_entries(const struct iris_plan *p, struct iris_manifest *m,
                                   struct iris_err *err);

#endif
