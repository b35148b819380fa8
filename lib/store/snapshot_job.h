/* snapshot_job -- datasets of a snapshot in pieces: into all cells, or past a few of
 * them; private to lib/store.
 */
#ifndef IRIS_SNAPSHOT_JOB_H
#define IRIS_SNAPSHOT_JOB_H

#include <hdf5.h>

#include "snapshot_read.h"

enum { IRIS_SNAPSHOT_ROWS = 32768 }; /* of a piece */

/* The datasets. Those before LOADED make data points. */
enum iris_snapshot_dataset {
    COORDINATES,
    VELOCITIES,
    DENSITY,
    ENERGY,
    ABUNDANCES,
    DUST,
    LOADED,
    MASSES = LOADED,
    DATASETS
};

/* As "PartType0/Coordinates". */
const char *iris_snapshot_path(enum iris_snapshot_dataset d);

/* The order in which those of a cell are read. */
extern const enum iris_snapshot_dataset iris_snapshot_order[LOADED];

/* One load, or one walk. */
struct iris_snapshot_job {
    const struct iris_settings *s;
    struct iris_snapshot_meta *meta;
    struct iris_cells *cells;
    int wanted[DATASETS];
    struct iris_digest *content[LOADED]; /* NULL: not hashed */
    double *mass, *density; /* [IRIS_SNAPSHOT_ROWS] the two in double; NULL: not wanted */
    double *chunk;          /* values as they are read */
    double unit[DATASETS];  /* code to processing units, of this file */
    double energy_si;       /* u in J/kg per code unit */
    int want_T, want_H2, want_CO;
};

/* Which datasets the settings want for fields. */
void iris_snapshot_job_want(struct iris_snapshot_job *job, unsigned fields);

/* The same, and memory for a piece.
 *
 *   inout  job  s, meta and cells are set
 *   owns   the caller frees job->chunk
 */
enum iris_status iris_snapshot_job_begin(struct iris_snapshot_job *job, unsigned fields,
                                         struct iris_err *err);

/* The factors of one file, job->meta->coordinate_factor among them. */
enum iris_status iris_snapshot_units(struct iris_snapshot_job *job, const struct iris_part *p,
                                     struct iris_err *err);

/* Put into all cells what no dataset says. */
void iris_snapshot_constants(const struct iris_snapshot_job *job);

/* Put n rows of job->chunk into the cells from number `at` on.
 *
 *   return  n, or the first row that makes no number: of single precision and, but for
 *           the temperature, finite
 */
size_t iris_snapshot_keep(const struct iris_snapshot_job *job, enum iris_snapshot_dataset d,
                          size_t columns, size_t n, size_t at);

/* A dataset of one file, of n rows. A failure notes its remedy in job->meta. */
struct iris_snapshot_source {
    hid_t dataset, space;
    size_t columns;
};
enum iris_status iris_snapshot_source_open(const struct iris_snapshot_job *job,
                                           const struct iris_part *p, enum iris_snapshot_dataset d,
                                           size_t n, struct iris_snapshot_source *source,
                                           struct iris_err *err);

/* Safe after failure and twice. */
void iris_snapshot_source_close(struct iris_snapshot_source *source);

/* Rows [first, first + rows), at most IRIS_SNAPSHOT_ROWS, checked and put into the
 * cells from number `at` on. */
enum iris_status iris_snapshot_source_read(const struct iris_snapshot_job *job,
                                           const struct iris_part *p, enum iris_snapshot_dataset d,
                                           const struct iris_snapshot_source *source, size_t first,
                                           size_t rows, size_t at, struct iris_err *err);

/* Some cells in file order. */
struct iris_snapshot_piece {
    const struct iris_cells *cells; /* [n] as iris_snapshot_read makes them */
    const double *mass;             /* [n] processing units; NULL: not read */
    const double *density;          /* [n] the same, where density is wanted */
    size_t n;
};

enum iris_masses {
    IRIS_MASSES_UNREAD,
    IRIS_MASSES_IF_ANY, /* where a file has them */
    IRIS_MASSES_NEEDED
};

/* Read a snapshot through without keeping it.
 *
 *   in   meta   from iris_snapshot_survey
 *   in   visit  called for every piece; what it returns other than IRIS_OK ends it
 *
 *   return  as iris_snapshot_load, or what visit has returned
 *   memory  a piece, whatever the snapshot
 */
enum iris_status iris_snapshot_walk(
    const char *path, uint64_t files, const struct iris_settings *s, unsigned fields,
    enum iris_masses masses, struct iris_snapshot_meta *meta,
    enum iris_status (*visit)(void *, const struct iris_snapshot_piece *, struct iris_err *),
    void *self, struct iris_err *err);

#endif
