#include <inttypes.h>
#include <stdlib.h>

#include "cells.h"
#include "gen_master.h"
#include "snapshot.h"

/* Of a rank for all that is its own. */
static const uint64_t of_rank = (uint64_t)16 << 20;
/* ... and of one that uses a GPU, for what CUDA has here and what comes from there. */
static const uint64_t of_gpu_rank = (uint64_t)512 << 20;
/* Of a cell while its snapshot is indexed. */
enum { INDEXING = 32 };
/* No snapshot takes more memory than so many times the bytes of its files, however
 * they are compressed: then it need not be looked into. */
enum { AT_MOST = 8 };

static enum iris_status
tables(const struct gen_job *job, uint64_t *bytes, struct iris_err *err)
{
    struct iris_buf warnings = {0};
    struct iris_lines lines = {0};
    enum iris_status st = IRIS_OK;

    *bytes = 0;
    if (job->law.type == IRIS_SYNTHETIC)
        st = iris_lines_init(&lines, job->law.hyper, &warnings, err);
    if (!st)
        *bytes = (uint64_t)iris_lines_values(&lines) * sizeof(double);
    iris_lines_release(&lines);
    iris_buf_release(&warnings);
    return st;
}

enum iris_status
gen_memory_need(const struct gen_job *job, size_t n, size_t cells, uint64_t *bytes,
                struct iris_err *err)
{
    enum iris_status st = IRIS_OK;
    uint64_t of_tables;
    size_t of_cells = 0;

    if (n && cells)
        st = iris_cells_size(cells, &of_cells, err);
    if (!st)
        st = tables(job, &of_tables, err);
    if (!st)
        *bytes = (uint64_t)n * of_cells + (uint64_t)INDEXING * cells + of_tables;
    return st;
}

/* The node that has least for its ranks. */
static const struct gen_rank *
poorest(const struct gen_master *m, uint64_t *room)
{
    size_t n = (size_t)iris_pool_size(m->job->pool), i;
    const struct gen_rank *least = NULL;

    for (i = 0; i < n; i++) {
        const struct gen_rank *r = &m->ranks[i];
        uint64_t has = m->job->o->memory ? m->job->o->memory : r->memory_free;
        uint64_t own = (m->job->has_gpus ? of_gpu_rank : of_rank) * (uint64_t)r->node_size;

        has = has > own ? has - own : has != 0;
        if (!r->node_rank && has && (!least || has < *room)) {
            *room = has;
            least = r;
        }
    }
    return least;
}

/* A header may be so damaged that looking into it ends the run. */
static enum iris_status
count_cells(struct gen_master *m, const struct iris_plan_snapshot *s, size_t *cells)
{
    const char *digest = iris_plan_variant(m->plan, s)->digest;
    char *name = iris_plan_name(digest, s->id, IRIS_PLAN_VERIFY);
    struct iris_flight_before before;
    enum iris_status st;

    iris_flight_interrupt(&m->job->flight, name ? name : "", &before);
    st = iris_snapshot_cells(s->path, s->files, cells, NULL);
    iris_flight_resume(&m->job->flight, &before);
    free(name);
    return st;
}

enum iris_status
gen_memory_check(struct gen_master *m, const struct iris_plan_snapshot *s, struct iris_err *err)
{
    size_t n = ++m->to_load < m->nodes.most ? m->to_load : m->nodes.most, cells;
    const struct gen_rank *node;
    uint64_t room = 0, need, one;
    enum iris_status st;

    node = poorest(m, &room);
    if (!node || s->bytes <= room / AT_MOST / (n + 1) ||
        (s->bytes <= m->bytes_seen && m->to_load > m->nodes.most))
        return IRIS_OK;
    if (s->bytes > m->bytes_seen)
        m->bytes_seen = s->bytes;
    /* what is wrong with it is told when it is loaded */
    if (count_cells(m, s, &cells))
        return IRIS_OK;
    st = gen_memory_need(m->job, n, cells, &need, err);
    if (!st)
        st = gen_memory_need(m->job, 1, cells, &one, err);
    if (st || need <= room)
        return st;
    return iris_fail(err, IRIS_E_IO,
                     "node '%s' has %.1f MiB of memory for snapshots, but %zu of the size of '%s' "
                     "need %.1f%s",
                     node->host, (double)room / (1 << 20), n, s->id, (double)need / (1 << 20),
                     n > 1 && one <= room ? "; --read-ahead=0 has one at a time" : "");
}
