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
#include "dataset.h"
#include "device.h"
#include "entry.h"
#include "err.h"
#include "hyper.h"
#include "observe.h"

/* Where the line tables come from: asked for once, before the first point of a
 * synthetic data set. */
struct iris_tables {
    enum iris_status (*get)(void *self, const struct iris_lines **lines, struct iris_err *err);
    void *self;
};

/* Cells that many processes need: one of them loads a snapshot, all have it. A
 * maker uses one at a time. */
struct iris_commons {
    /*   in   key     names the snapshot
     *   out  block   of its cells, NULL when it could not be loaded
     *   out  note    [bytes] what the process that loaded it said of it
     *
     *   return  1   this process must load it, into memory, then call done
     *           0   block and note are there
     *           -1  pause said stop
     */
    int (*get)(void *self, const char *key, const struct iris_pause *pause, void **block,
               void *note, size_t bytes);
    struct iris_memory memory;
    /* note NULL: nothing came of it; keep 0: the block is of no use */
    void (*done)(void *self, const void *note, size_t bytes, int keep);
    /* The block is not used any more; safe when there is none. */
    void (*drop)(void *self);
    void *self;
};

enum { IRIS_COMMONS_NOTE = 2048 }; /* no note is longer */

/* What a maker's time goes into. */
enum iris_phase {
    IRIS_LOADING, /* snapshots read and indexed */
    IRIS_WAITING, /* for another process that loads one */
    IRIS_TABLING, /* tables of the lines made, read or waited for */
    IRIS_MAKING,  /* points sampled and observed */
    IRIS_WRITING, /* arrays written and made durable */
    IRIS_PHASES
};

struct iris_spent {
    double seconds[IRIS_PHASES];
    uint64_t read, written; /* bytes of snapshots that were loaded, of arrays */
};

struct iris_maker {
    const struct iris_hyper *hyper;
    struct iris_settings settings;
    struct iris_entry_run run; /* settings points to the above */
    char digest[IRIS_SETTINGS_DIGEST];
    char *root;     /* of the data set */
    char *snapshot; /* id of the one loaded, NULL: none */
    struct iris_cells cells;
    struct iris_commons commons;        /* set by the caller after init; zeroed: the heap */
    const struct iris_kernels *kernels; /* likewise; NULL: samples one by one */
    struct iris_device device;          /* likewise; zeroed: this processor */
    struct iris_tables tables;
    struct iris_observe observe;
    int is_broken;             /* no point can be made: what all of them need cannot be had */
    int can_observe;           /* observe is ready */
    struct iris_observe whole; /* finishes pairs that were made in parts */
    int can_finish;            /* whole is ready */
    struct iris_pause pause;   /* called between pieces of work; never NULL */
    int looks_only;            /* set by the caller after init: nothing is recorded of what
                                  is loaded, so no point can be published */
    struct iris_spent spent;   /* since init, or since the caller has cleared it */
};

/*   in   h       kept by reference, must outlive m
 *   in   run     copied
 *   in   root    the data set directory, open already
 *   in   tables  for synthetic data sets; tables stay the giver's
 *   owns iris_maker_release; safe on zeroed and twice
 */
enum iris_status iris_maker_init(struct iris_maker *m, const struct iris_hyper *h,
                                 const struct iris_entry_run *run, const char *root,
                                 const struct iris_tables *tables, struct iris_pause pause,
                                 struct iris_err *err);
void iris_maker_release(struct iris_maker *m);

/* Whether this machine has memory for the arrays of a pair, in all, free or not. It is
 * asked before any is taken, for a kernel may grant it and end the process when it is
 * used; what makes pairs asks it, too.
 *
 *   return  IRIS_OK    also for tensors, which are written piece by piece
 *           IRIS_E_IO  the sentence names the settings
 */
enum iris_status iris_maker_room(const struct iris_hyper *h, enum iris_type type,
                                 struct iris_err *err);

/* Load a snapshot unless it is loaded, and claim its folder in the data set;
 * or take what another process has loaded and claimed, or has failed to.
 *
 * Snapshots that are read ahead are loaded like any other.
 *
 *   inout  warnings    lines appended, by the process that reads it
 *   out    foreign     set when the folder belongs to another snapshot
 *   out    publishing  set when a failure was one of the data set's disk
 *
 *   return  IRIS_OK, or as iris_snapshot_load and iris_dataset_claim; then
 *           nothing is loaded
 */
enum iris_status iris_maker_load(struct iris_maker *m, const char *id, const char *path,
                                 uint64_t files, struct iris_buf *warnings, int *foreign,
                                 int *publishing, struct iris_err *err);

/* Nothing is loaded any more; safe when nothing was. */
void iris_maker_drop(struct iris_maker *m);

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

/* ---- points in parts ---- */

/* How points may be made in parts, by longitude. A part is strips of doubles,
 * see pair.h; tensors are not made in parts. */
struct iris_parts {
    size_t lon;    /* longitudes of a point, 0: not in parts */
    size_t strip;  /* doubles of a longitude */
    size_t margin; /* longitudes on either side of a part that are looked at for it */
};

/* Say it, and get ready to finish points. */
enum iris_status iris_maker_parts(struct iris_maker *m, struct iris_parts *parts,
                                  struct iris_err *err);

/* Make the longitudes [lon0, lon1) of a point of the snapshot that is loaded;
 * publishes nothing.
 *
 *   out  strips  [lon1 - lon0][strip]
 *   out  gas     whether there was any
 *
 *   return  as iris_maker_point
 */
enum iris_status iris_maker_part(struct iris_maker *m, uint32_t point, size_t lon0, size_t lon1,
                                 double *strips, int *gas, struct iris_err *err);

/* Make longitudes of a point of the snapshot that is loaded, of any type, and
 * throw them away: to see how long it takes.
 *
 *   return  as iris_maker_part
 */
enum iris_status iris_maker_try(struct iris_maker *m, uint32_t point, size_t lon0, size_t lon1,
                                struct iris_err *err);

/* Make a point of all its strips and publish its arrays. The snapshot was
 * loaded by those who made the parts, here it need not be. Neither this nor
 * iris_maker_parts disturbs a point that is being made: pause may call them.
 *
 *   in   gas  whether any part had some
 *
 *   return  as iris_maker_point
 */
enum iris_status iris_maker_finish(struct iris_maker *m, const char *snapshot, uint32_t point,
                                   const double *strips, int gas, int *publishing,
                                   struct iris_err *err);

/* ---- pairs from samples that come from elsewhere ---- */

/* Go on with another seed or round of the same settings and type; nothing is
 * loaded then.
 *
 *   in   run  copied
 */
void iris_maker_turn(struct iris_maker *m, const struct iris_entry_run *run);

/* Instead of load: no cells, but the folder is claimed for the snapshot.
 *
 *   return  IRIS_OK, or as iris_dataset_claim; then nothing is loaded
 */
enum iris_status iris_maker_adopt(struct iris_maker *m, const char *id,
                                  const struct iris_source *source, int *foreign, int *publishing,
                                  struct iris_err *err);

/* Make a pair of the snapshot that was adopted and publish its arrays.
 *
 *   in   columns  the samples of that point
 *
 *   return  as iris_maker_point, or what columns->get returned
 */
enum iris_status iris_maker_pair(struct iris_maker *m, uint32_t point,
                                 const struct iris_columns *columns, int *publishing,
                                 struct iris_err *err);

#endif
