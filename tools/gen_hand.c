#include <signal.h>

#include "clock.h"
#include "gen_master.h"

/* The deadline is near: a point that is begun now would not be done before. */
int
gen_is_late(const struct gen_master *m)
{
    return m->end > 0 && iris_seconds() + m->totals.longest >= m->end;
}

int
gen_is_stopped(const struct gen_master *m)
{
    return m->status != IRIS_OK || iris_cli_stop() || gen_is_late(m);
}

/* Points in hand are broken off. SIGUSR1 asks for a calm end, with them finished. */
int
gen_ends_at_once(const struct gen_master *m)
{
    int stop = iris_cli_stop();

    return m->status != IRIS_OK || (stop && stop != SIGUSR1) ||
           (m->end > 0 && iris_seconds() >= m->end);
}

const struct iris_variant *
gen_variant_of(const struct gen_master *m, size_t snapshot)
{
    return iris_plan_variant(m->plan, &m->plan->snapshot[snapshot]);
}

enum iris_status
gen_send_plain(struct gen_master *m, int rank, void (*write)(struct iris_buf *),
               struct iris_err *err)
{
    struct iris_buf message = {0};
    enum iris_status st;

    write(&message);
    st = iris_buf_check(&message, err);
    if (!st)
        st = iris_pool_send(m->job->pool, rank, &message, err);
    iris_buf_release(&message);
    return st;
}

/* Snapshots of a node that nothing is to be begun of, and nobody there is at, make
 * room for others. Who waits with one lets go of it. */
static enum iris_status
clear_node(struct gen_master *m, size_t index, struct iris_err *err)
{
    struct gen_node *node = &m->nodes.node[index];
    int size = iris_pool_size(m->job->pool), rank;
    enum iris_status st = IRIS_OK;
    size_t i, used;

    for (i = node->n; i-- > 0 && !st;) {
        size_t snapshot = node->live[i].snapshot;

        used = (size_t)(iris_plan_has(m->plan, snapshot, 0) ||
                        gen_split_pick(&m->split, snapshot, NULL, NULL));
        for (rank = 0; rank < size; rank++)
            used += m->nodes.of[rank] == index && m->worker[rank].busy &&
                    m->worker[rank].last == snapshot;
        if (used)
            continue;
        gen_node_remove(node, snapshot);
        for (rank = 0; rank < size && !st; rank++) {
            struct gen_worker *w = &m->worker[rank];

            if (m->nodes.of[rank] != index || w->busy || w->last != snapshot)
                continue;
            w->last = SIZE_MAX;
            if (rank)
                st = gen_send_plain(m, rank, gen_write_forget, err);
            else
                iris_maker_drop(&m->job->maker);
        }
    }
    return st;
}

/* One rank of a node loads what comes next while the others are at work. */
static int
choose_ahead(struct gen_master *m, int rank, struct gen_node *node, struct gen_share *share)
{
    size_t snapshot;

    if (!rank || node->ranks < 2 || node->loading || !node->n || !gen_node_is_loaded(node))
        return 0;
    snapshot = gen_nodes_ahead(&m->nodes, node, m->plan);
    if (snapshot == SIZE_MAX || m->plan->snapshot[snapshot].left == 0)
        return 0;
    gen_node_add(&m->nodes, node, snapshot);
    node->loading = 1;
    *share = (struct gen_share){.task = {snapshot, IRIS_PLAN_VERIFY}};
    return 1;
}

/* Begin a point of a snapshot; one that is made in parts when few are left.
 *
 *   return  1 with *share or *open
 */
static int
begin_point(struct gen_master *m, struct gen_node *node, int doubtful, struct gen_share *share,
            struct gen_open **open)
{
    size_t snapshot = gen_nodes_choose(&m->nodes, node, m->plan, doubtful);
    struct iris_parts parts;
    enum iris_status st;
    int few;

    if (snapshot == SIZE_MAX)
        return 0;
    st = gen_finisher_parts(&m->finisher, m->job, gen_variant_of(m, snapshot), &parts, m->err);
    if (st) {
        m->status = st;
        return 0;
    }
    few = gen_split_can(&m->split, &parts) && m->plan->left < m->split.ranks;
    if ((few && !gen_split_has_room(&m->split, &parts)) ||
        !iris_plan_take(m->plan, snapshot, doubtful, &share->task))
        return 0;
    gen_node_add(&m->nodes, node, snapshot);
    if (few && share->task.point != IRIS_PLAN_VERIFY)
        *open = gen_split_begin(&m->split, &share->task, &parts);
    if (!*open)
        *share = (struct gen_share){.task = share->task};
    return 1;
}

/* Whether a node has a snapshot, or may have it. */
struct reach {
    const struct gen_nodes *nodes;
    const struct gen_node *node;
};

static int
is_in_reach(void *self, size_t snapshot)
{
    const struct reach *r = self;

    return gen_node_has(r->node, snapshot) || gen_node_has_room(r->nodes, r->node);
}

/* A part of an open point of the snapshot at hand, another point, a part of another. */
static int
choose(struct gen_master *m, int rank, struct gen_node *node, struct gen_share *share)
{
    struct gen_worker *w = &m->worker[rank];
    struct reach reach = {&m->nodes, node};
    struct gen_open *open = NULL;
    int begin = !gen_is_stopped(m), got = 0;

    w->ahead = begin && choose_ahead(m, rank, node, share);
    if (w->ahead)
        return 1;
    if (w->last != SIZE_MAX)
        open = gen_split_pick(&m->split, w->last, NULL, NULL);
    if (!open && begin)
        got = begin_point(m, node, 0, share, &open);
    if (!open && !got)
        open = gen_split_pick(&m->split, SIZE_MAX, is_in_reach, &reach);
    if (!open && !got && begin)
        got = begin_point(m, node, 1, share, &open);
    if (open) {
        gen_node_add(&m->nodes, node, open->task.snapshot);
        gen_split_cut(&m->split, open, m->plan->left, share);
    }
    return open || got;
}

int
gen_next_share(struct gen_master *m, int rank, struct gen_task *t, struct iris_err *err)
{
    struct gen_worker *w = &m->worker[rank];
    size_t node = m->nodes.of[rank];
    const struct iris_plan_snapshot *s;
    enum iris_status st;

    if (gen_ends_at_once(m))
        return 0;
    st = clear_node(m, node, err);
    if (st) {
        m->job->broken = 1;
        m->status = st;
        return 0;
    }
    if (!choose(m, rank, &m->nodes.node[node], &w->share))
        return 0;
    w->last = w->share.task.snapshot;
    w->busy = 1;
    s = &m->plan->snapshot[w->last];
    *t = (struct gen_task){.kind = w->ahead ? GEN_KIND_AHEAD : GEN_KIND_POINT,
                           .id = s->id,
                           .path = s->path,
                           .files = s->files,
                           .point = w->share.task.point,
                           .lon0 = w->share.lon0,
                           .lon1 = w->share.lon1,
                           .changes = gen_variant_of(m, w->last)->changes,
                           .digest = gen_variant_of(m, w->last)->digest,
                           .on_gpu = m->on_gpu[w->last]};
    return 1;
}
