/* plan -- which points of which snapshots are there, and which are to be made.
 *
 * Bookkeeping only: it reads directories of the data set, opens no snapshot and
 * makes nothing.
 */
#ifndef IRIS_PLAN_H
#define IRIS_PLAN_H

#include <stddef.h>
#include <stdint.h>

#include "dataset.h"
#include "entry.h"
#include "err.h"
#include "manifest.h"

#define IRIS_PLAN_VERIFY UINT32_MAX /* a task that only compares the content */

struct iris_plan_snapshot {
    char *id;
    char *path;   /* what is read; NULL: it is on another machine and was not fetched */
    char *source; /* its path in the row; NULL: on another machine, or not told */
    int remote;   /* the row says that it is on another machine */
    uint64_t files, bytes;
    unsigned char *point; /* [points] state, private */
    char **message;       /* [points] of failed points */
    uint32_t todo;        /* points missing when it was added; all of them when it would
                             have to be fetched to be compared */
    uint32_t next;
    int verify;  /* all points there, but the size has changed; private */
    int warned;  /* its warnings were shown */
    int refused; /* its points fail without being tried */
};

struct iris_plan {
    struct iris_entry_run run;
    const struct iris_dataset *dataset;
    uint32_t points;
    size_t n;
    struct iris_plan_snapshot *snapshot;
    size_t next;
    uint64_t total, done, failed, skipped; /* points; done counts all three */
};

struct iris_task {
    size_t snapshot; /* index into the plan */
    uint32_t point;
};

/* Nothing planned yet; run and dataset are kept by reference.
 *
 *   owns  iris_plan_release
 */
void iris_plan_init(struct iris_plan *p, const struct iris_entry_run *run,
                    const struct iris_dataset *dataset);
void iris_plan_release(struct iris_plan *p);

/* Add the snapshot of a row of a "snapshots" or "fetched" manifest. Where it is
 * on another machine and there is no copy, the points to be made have failed then;
 * all of them when the size has changed.
 *
 *   return  IRIS_OK
 *           IRIS_E_DATA  a bad row, or an id that is there already
 *           IRIS_E_IO    the data set cannot be read
 */
enum iris_status iris_plan_add(struct iris_plan *p, const struct iris_manifest *m, size_t row,
                               struct iris_err *err);

/* The next task, in order of arrival.
 *
 *   return  1 with *task, or 0 when there is none at present
 */
int iris_plan_next(struct iris_plan *p, struct iris_task *task);

/* Points that are still to be begun, counted up to at_most. */
uint64_t iris_plan_left(const struct iris_plan *p, uint64_t at_most);

/* A task has ended.
 *
 *   in  message  NULL when it went well
 *   in  rest     a failure that the points not begun share: their snapshot
 *                cannot be loaded
 *   in  all      ... and the points that are there: it is another snapshot
 */
enum iris_status iris_plan_end(struct iris_plan *p, const struct iris_task *task,
                               const char *message, int rest, int all, struct iris_err *err);

/* Whether nothing of a snapshot is to be done any more, nor under way. */
int iris_plan_is_over(const struct iris_plan *p, size_t snapshot);

/* The rows of all points that are done or failed, sorted. */
enum iris_status iris_plan_entries(const struct iris_plan *p, struct iris_manifest *m,
                                   struct iris_err *err);

#endif
