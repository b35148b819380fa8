#include <stdlib.h>

#include "snapshot_job.h"

struct walk {
    struct iris_snapshot_job job;
    struct iris_snapshot_source source[DATASETS];
    enum iris_masses masses;
    int has_mass; /* of this file */
    enum iris_status (*visit)(void *, const struct iris_snapshot_piece *, struct iris_err *);
    void *self;
};

/* All that are wanted, before anything is read: what is missing shows at once. */
static enum iris_status
open_sources(struct walk *w, const struct iris_part *p, size_t n, struct iris_err *err)
{
    enum iris_status st = IRIS_OK;
    int d;

    for (d = 0; d < LOADED && !st; d++) {
        if (w->job.wanted[d])
            st = iris_snapshot_source_open(&w->job, p, (enum iris_snapshot_dataset)d, n,
                                           &w->source[d], err);
    }
    w->has_mass = 0;
    if (st || w->masses == IRIS_MASSES_UNREAD)
        return st;
    st = iris_snapshot_source_open(&w->job, p, MASSES, n, &w->source[MASSES],
                                   w->masses == IRIS_MASSES_NEEDED ? err : NULL);
    w->has_mass = !st;
    return w->masses == IRIS_MASSES_NEEDED ? st : IRIS_OK;
}

/* Where they cannot be read and need not be, there are none. */
static enum iris_status
read_masses(struct walk *w, const struct iris_part *p, size_t first, size_t rows,
            struct iris_err *err)
{
    int needed = w->masses == IRIS_MASSES_NEEDED;
    enum iris_status st;

    st = iris_snapshot_source_read(&w->job, p, MASSES, &w->source[MASSES], first, rows, 0,
                                   needed ? err : NULL);
    w->has_mass = !st;
    return needed ? st : IRIS_OK;
}

/* All datasets of some cells: a temperature needs two of them. */
static enum iris_status
read_piece(struct walk *w, const struct iris_part *p, size_t first, size_t rows,
           struct iris_err *err)
{
    const struct iris_snapshot_job *job = &w->job;
    enum iris_status st = IRIS_OK;
    size_t i;

    iris_snapshot_constants(job);
    for (i = 0; i < LOADED && !st; i++) {
        enum iris_snapshot_dataset d = iris_snapshot_order[i];

        if (job->wanted[d])
            st = iris_snapshot_source_read(job, p, d, &w->source[d], first, rows, 0, err);
    }
    if (!st && w->has_mass)
        st = read_masses(w, p, first, rows, err);
    if (!st)
        st = w->visit(w->self,
                      &(struct iris_snapshot_piece){job->cells, w->has_mass ? job->mass : NULL,
                                                    job->density, rows},
                      err);
    return st;
}

static enum iris_status
walk_part(struct walk *w, const char *path, uint64_t part, uint64_t files, struct iris_err *err)
{
    const struct iris_snapshot_meta *meta = w->job.meta;
    size_t n = meta->first[part + 1] - meta->first[part], done, rows;
    struct iris_part p;
    enum iris_status st;
    int d;

    if (!n)
        return IRIS_OK;
    for (d = 0; d < DATASETS; d++)
        w->source[d] = (struct iris_snapshot_source){-1, -1, 0};
    st = iris_snapshot_open_part(path, part, files, &p, err);
    if (st)
        return st;
    st = iris_snapshot_units(&w->job, &p, err);
    if (!st)
        st = open_sources(w, &p, n, err);
    for (done = 0; done < n && !st; done += rows) {
        rows = n - done < IRIS_SNAPSHOT_ROWS ? n - done : IRIS_SNAPSHOT_ROWS;
        st = read_piece(w, &p, done, rows, err);
    }
    for (d = 0; d < DATASETS; d++)
        iris_snapshot_source_close(&w->source[d]);
    return iris_snapshot_end_part(&p, st, err);
}

enum iris_status
iris_snapshot_walk(const char *path, uint64_t files, const struct iris_settings *s, unsigned fields,
                   enum iris_masses masses, struct iris_snapshot_meta *meta,
                   enum iris_status (*visit)(void *, const struct iris_snapshot_piece *,
                                             struct iris_err *),
                   void *self, struct iris_err *err)
{
    struct iris_cells cells = {0};
    struct walk w = {.job = {.s = s, .meta = meta, .cells = &cells},
                     .masses = masses,
                     .visit = visit,
                     .self = self};
    struct iris_snapshot_job *job = &w.job;
    enum iris_status st;
    uint64_t part;

    st = iris_cells_new(&cells, IRIS_SNAPSHOT_ROWS, err);
    if (!st)
        st = iris_snapshot_job_begin(job, fields, err);
    job->mass = calloc(IRIS_SNAPSHOT_ROWS, sizeof *job->mass);
    job->density = calloc(IRIS_SNAPSHOT_ROWS, sizeof *job->density);
    if (!st && (!job->mass || !job->density))
        st = iris_fail_memory(err);
    for (part = 0; part < files && !st; part++)
        st = walk_part(&w, path, part, files, err);
    iris_cells_release(&cells);
    free(job->chunk);
    free(job->mass);
    free(job->density);
    return st;
}
