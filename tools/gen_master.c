#include "gen_master.h"

#include <inttypes.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "clock.h"
#include "slurm.h"

/* What a batch job does after its points are made takes some time. */
static const double after_s = 30;

static void
say_failed(const struct gen_master *m, const struct iris_plan_snapshot *s, uint32_t point,
           const char *message)
{
    iris_cli_note(m->job->cli, "snapshot '%s' point %" PRIu32 ": %s", s->id, point, message);
}

/* ---- what comes back ---- */

/* Whoever had it in hand has lived. */
static void
forget_suspect(const struct gen_master *m, size_t snapshot, uint32_t point)
{
    const char *digest = gen_variant_of(m, snapshot)->digest;
    char *name = m->suspects.n ? iris_plan_name(digest, m->plan->snapshot[snapshot].id, point)
                               : NULL;

    if (name && iris_suspects_deaths(&m->suspects, name))
        iris_suspects_clear(m->suspects_dir, name, NULL);
    free(name);
}

static enum iris_status
acquit(const struct gen_master *m, const struct iris_task *task, struct iris_err *err)
{
    enum iris_status st = IRIS_OK;

    if (m->plan->snapshot[task->snapshot].suspect) {
        forget_suspect(m, task->snapshot, IRIS_PLAN_VERIFY);
        st = iris_plan_acquit(m->plan, task->snapshot, err);
    }
    if (task->point != IRIS_PLAN_VERIFY)
        forget_suspect(m, task->snapshot, task->point);
    return st;
}

/* What has become of a point. Parts may say of the same one that it failed. */
static void
settle(struct gen_master *m, const struct iris_task *task, const struct gen_result *r)
{
    const struct iris_plan_snapshot *s = &m->plan->snapshot[task->snapshot];
    int said = task->point != IRIS_PLAN_VERIFY && s->message[task->point];
    enum iris_status st;

    if (r->status == IRIS_E_RETRY && gen_is_stopped(m))
        return; /* the point stays to do */
    if (r->status &&
        (r->scope == GEN_RUN || r->status == IRIS_E_RETRY || r->status == IRIS_E_BUG)) {
        if (!m->status)
            m->status = iris_fail(m->err, r->status, "%s", r->message);
        return;
    }
    st = acquit(m, task, m->err);
    if (!st)
        st = iris_plan_end(m->plan, task, r->status ? r->message : NULL, r->scope == GEN_SNAPSHOT,
                           r->scope == GEN_FOREIGN, m->err);
    if (st && !m->status)
        m->status = st;
    if (r->status && !said)
        say_failed(m, s, task->point, r->message);
}

/* Nobody reads a snapshot any more once all of its points are done, with whatever
 * settings. */
static void
let_go(struct gen_master *m, size_t snapshot)
{
    const struct iris_plan_snapshot *s = &m->plan->snapshot[snapshot];
    size_t i;

    for (i = 0; i < m->plan->n && m->caches.release; i++) {
        if (strcmp(m->plan->snapshot[i].id, s->id) == 0 &&
            (!iris_plan_is_over(m->plan, i) || gen_split_is_at(&m->split, i)))
            return;
    }
    gen_caches_release(&m->caches, s);
}

static void
take_result(struct gen_master *m, int rank, struct gen_result *r)
{
    struct gen_worker *w = &m->worker[rank];
    const struct gen_share *share = &w->share;
    struct iris_plan_snapshot *s = &m->plan->snapshot[share->task.snapshot];
    struct gen_node *node = &m->nodes.node[m->nodes.of[rank]];
    struct gen_task task = {.kind = w->ahead ? GEN_KIND_AHEAD : GEN_KIND_POINT,
                            .lon1 = share->lon1};
    struct gen_open *open = share->open;
    int complete;

    w->busy = 0;
    gen_count(&m->totals, &task, r);
    gen_node_loaded(node, share->task.snapshot);
    if (r->warnings.len && !s->warned) {
        s->warned = 1;
        iris_cli_warn_lines(m->job->cli, &r->warnings);
    }
    if (w->ahead) {
        node->loading = 0;
        if (r->status && r->scope == GEN_RUN && !gen_is_stopped(m))
            m->status = iris_fail(m->err, r->status, "%s", r->message);
        return; /* what else is wrong is told by its points */
    }
    complete = !open || gen_split_put(share, r);
    if (open && complete) {
        gen_finisher_do(&m->finisher, m->job, gen_variant_of(m, share->task.snapshot), s->id, open,
                        r);
        gen_count(&m->totals, &task, r);
    }
    if (complete || r->status)
        settle(m, &share->task, r);
    m->totals.gpu_points += complete && !r->status && m->on_gpu[share->task.snapshot] &&
                            share->task.point != IRIS_PLAN_VERIFY;
    if (open)
        gen_split_close(open);
    let_go(m, share->task.snapshot);
}

/* ---- what arrives ---- */

/* What its run has finished, and died only then, has not killed it. */
static void
forget_finished(const struct gen_master *m, size_t snapshot)
{
    uint32_t k;

    for (k = 0; k < m->plan->snapshot[snapshot].points; k++) {
        if (iris_plan_is_there(m->plan, snapshot, k))
            forget_suspect(m, snapshot, k);
    }
    if (iris_plan_is_there(m->plan, snapshot, IRIS_PLAN_VERIFY))
        forget_suspect(m, snapshot, IRIS_PLAN_VERIFY);
}

/* A row has come: it may be a copy, or nothing that can be read, or all done. */
static enum iris_status
arrive(struct gen_master *m, size_t snapshot, struct iris_err *err)
{
    const struct iris_plan_snapshot *s = &m->plan->snapshot[snapshot];
    const struct iris_variant *v = gen_variant_of(m, snapshot);
    enum iris_status st;
    uint32_t k;

    /* settings are on record before anything is made with them */
    st = iris_dataset_settings(m->job->dataset, v->digest, &v->text, err);
    if (!st)
        st = gen_choose_device(m, snapshot, err);
    if (!st && s->todo)
        st = iris_dataset_hold(m->job->dataset, v->digest, s->id, err);
    if (!st && (s->left || s->doubtful) && s->path)
        st = gen_memory_check(m, s, err);
    if (st)
        return st;
    gen_caches_hold(&m->caches, s);
    if (m->suspects.n)
        forget_finished(m, snapshot);
    for (k = 0; k < s->points; k++) {
        if (s->message[k])
            say_failed(m, s, k, s->message[k]);
    }
    let_go(m, snapshot);
    return IRIS_OK;
}

static void
take_input(struct gen_master *m, int wait_ms)
{
    enum iris_status st = gen_input_read(&m->input, m->plan, wait_ms, m->err);

    for (; m->arrived < m->plan->n && !st; m->arrived++)
        st = arrive(m, m->arrived, m->err);
    /* when a calm end was asked for, iris-fetch may have been asked too */
    if (!st && m->input.is_cut && !iris_cli_stop())
        st = iris_fail(m->err, IRIS_E_RETRY,
                       "%s ended before its line '##rows': iris-fetch has gone; run again to "
                       "continue",
                       m->input.reader.name);
    if (st && !m->status)
        m->status = st;
}

/* ---- what is handed out ---- */

static enum iris_status
hand_out(struct gen_master *m, int rank, struct iris_err *err)
{
    struct iris_buf message = {0};
    struct gen_task t;
    enum iris_status st;

    if (!gen_next_share(m, rank, &t, err))
        return m->job->broken ? m->status : IRIS_OK;
    st = gen_write_task(&message, &t, err);
    if (!st)
        st = iris_pool_send(m->job->pool, rank, &message, err);
    iris_buf_release(&message);
    m->running += !st;
    return st;
}

/* To all ranks that wait. When there is nothing for one of a node, there is nothing for
 * the others there. */
static enum iris_status
hand_out_all(struct gen_master *m, struct iris_err *err)
{
    enum iris_status st = IRIS_OK;
    size_t i;
    int rank;

    for (i = 0; i < m->nodes.n; i++)
        m->nodes.node[i].waits = 0;
    for (rank = 1; rank < iris_pool_size(m->job->pool) && !st; rank++) {
        struct gen_node *node = &m->nodes.node[m->nodes.of[rank]];

        if (m->worker[rank].busy || node->waits)
            continue;
        st = hand_out(m, rank, err);
        node->waits = !m->worker[rank].busy;
    }
    return st;
}

/* Take the answers that have come, give work to the ranks that wait. */
static enum iris_status
serve(struct gen_master *m, struct iris_err *err)
{
    struct iris_buf message = {0};
    enum iris_status st;
    int from;

    for (;;) {
        struct gen_result r = {.status = IRIS_OK};

        st = iris_pool_poll(m->job->pool, &from, &message, err);
        if (st || from < 0)
            break;
        st = gen_read_result(&message, &r, err);
        if (st)
            break;
        m->running--;
        take_result(m, from, &r);
        gen_result_release(&r);
    }
    iris_buf_release(&message);
    return st ? st : hand_out_all(m, err);
}

/* Tell the ranks that are at work that the run ends, or those of them that load what
 * nobody will need; they answer as ever. */
static enum iris_status
call_off(struct gen_master *m, int all, struct iris_err *err)
{
    enum iris_status st = IRIS_OK;
    int rank;

    for (rank = 1; rank < iris_pool_size(m->job->pool) && !st; rank++) {
        if (m->worker[rank].busy && (all || m->worker[rank].ahead))
            st = gen_send_plain(m, rank, gen_write_break, err);
    }
    return st;
}

static enum iris_status
call_off_once(struct gen_master *m, struct iris_err *err)
{
    int all = gen_ends_at_once(m), wanted = all ? 2 : gen_is_stopped(m);

    if (m->called_off >= wanted)
        return IRIS_OK;
    m->called_off = wanted;
    return call_off(m, all, err);
}

/* Between the pieces of rank 0's own work. */
static int
pause_master(void *self)
{
    struct gen_master *m = self;
    enum iris_status st;

    iris_flight_alive(&m->job->flight);
    if (!m->status)
        take_input(m, 0);
    st = serve(m, m->err);
    if (!st)
        st = call_off_once(m, m->err);
    m->job->broken = st != IRIS_OK;
    if (st && !m->status)
        m->status = st;
    gen_show(m, 0);
    return gen_ends_at_once(m);
}

/* A point of rank 0's own, or a part of one; 0 when there is nothing to do. */
static int
work_self(struct gen_master *m)
{
    struct gen_result r = {.status = IRIS_OK};
    struct gen_task t;

    /* rows that arrive meanwhile may move the list, not the strings */
    if (!gen_next_share(m, 0, &t, m->err))
        return 0;
    gen_do(m->job, &t, &r);
    take_result(m, 0, &r);
    gen_result_release(&r);
    return 1;
}

static void
run(struct gen_master *m)
{
    unsigned idle = 0;

    for (;;) {
        if ((pause_master(m) && !m->running) || m->job->broken)
            break;
        if (work_self(m)) {
            idle = 0;
        } else if (gen_is_stopped(m)) {
            if (!m->running)
                break;
            iris_pool_nap(&idle);
        } else if (m->input.fd < 0 && !m->running) {
            break;
        } else if (m->input.fd >= 0 && !m->running) {
            take_input(m, 200);
        } else {
            iris_pool_nap(&idle);
        }
    }
}

/* ---- begin and end ---- */

static enum iris_status
init_ranks(struct gen_master *m, struct iris_err *err)
{
    size_t size = (size_t)iris_pool_size(m->job->pool), i;
    int *first = calloc(size, sizeof *first);
    enum iris_status st;

    m->worker = calloc(size, sizeof *m->worker);
    if (!m->worker || !first) {
        free(first);
        return iris_fail_memory(err);
    }
    for (i = 0; i < size; i++) {
        m->worker[i].last = SIZE_MAX;
        first[i] = m->ranks[i].first;
    }
    gen_split_init(&m->split, size);
    st = gen_nodes_init(&m->nodes, first, size, m->job->o->read_ahead, err);
    free(first);
    return st;
}

static enum iris_status
set_deadline(struct gen_master *m, struct iris_err *err)
{
    double left = m->job->o->deadline;
    enum iris_status st;

    if (!m->job->o->has_deadline)
        return IRIS_OK;
    if (!isnan(left)) {
        m->end = m->job->start + left;
        return IRIS_OK;
    }
    st = iris_slurm_left(&left, err);
    if (!st && isfinite(left))
        m->end = iris_seconds() + (left > after_s ? left - after_s : 0);
    return st;
}

static enum iris_status
find_suspects(struct gen_master *m, struct iris_err *err)
{
    enum iris_status st = IRIS_OK;

    m->suspects_dir = iris_dataset_suspects(m->job->dataset);
    if (!m->suspects_dir)
        return iris_fail_memory(err);
    if (m->job->o->retry_failed)
        st = iris_suspects_clear_all(m->suspects_dir, err);
    if (!st)
        st = iris_suspects_read(&m->suspects, m->suspects_dir, err);
    m->plan->suspects = &m->suspects;
    return st;
}

static enum iris_status
begin(struct gen_master *m, struct iris_err *err)
{
    enum iris_status st;

    m->job->pause = (struct iris_pause){pause_master, m};
    st = init_ranks(m, err);
    if (!st)
        st = set_deadline(m, err);
    if (!st)
        st = find_suspects(m, err);
    if (!st)
        st = gen_turn(m->job, "", NULL, err);
    return st ? st : gen_input_open(&m->input, m->job->o->input, err);
}

/* A signal that came when all was done stopped nothing. */
static void
conclude(struct gen_master *m)
{
    const struct iris_plan *p = m->plan;
    int is_asked = iris_cli_stop() || gen_is_late(m);

    if (m->status || (p->done == p->total && m->input.fd < 0 && !m->input.is_cut))
        return;
    if (is_asked)
        m->status = iris_fail(
            m->err, IRIS_E_RETRY,
            "stopped by %s with %" PRIu64 " of %" PRIu64 " points done; run again to continue",
            iris_cli_stop() ? "a signal" : "the deadline", p->done - p->failed, p->total);
    else if (p->done != p->total)
        m->status = iris_fail(m->err, IRIS_E_BUG,
                              "%" PRIu64 " of %" PRIu64 " points were neither made nor have failed",
                              p->total - p->done, p->total);
}

enum iris_status
gen_master(struct gen_job *job, const struct gen_rank *ranks, struct iris_plan *plan,
           struct iris_err *err)
{
    struct gen_master m = {.job = job,
                           .plan = plan,
                           .ranks = ranks,
                           .input = {.fd = -1},
                           .caches = {.cli = job->cli, .release = job->o->release},
                           .err = err};

    m.status = begin(&m, err);
    if (!m.status) {
        gen_write_status(&m, "running");
        run(&m);
        gen_show(&m, 1);
        conclude(&m);
        gen_write_status(&m, m.status ? "stopped" : "finished");
        gen_say_totals(&m);
    }
    plan->suspects = NULL;
    gen_caches_end(&m.caches);
    gen_input_close(&m.input);
    gen_split_release(&m.split);
    gen_nodes_release(&m.nodes);
    gen_finisher_release(&m.finisher);
    iris_suspects_release(&m.suspects);
    free(m.suspects_dir);
    free(m.on_gpu);
    free(m.worker);
    return m.status;
}

void
gen_dismiss(struct gen_job *job, enum iris_status status)
{
    char room[64]; /* who waits for this would wait for ever where memory is wanting */
    struct iris_buf message = iris_buf_in(room, sizeof room);
    int rank;

    gen_write_end(&message, status);
    for (rank = 1; rank < iris_pool_size(job->pool); rank++)
        iris_pool_send(job->pool, rank, &message, NULL);
}
