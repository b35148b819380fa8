#include <inttypes.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "file.h"
#include "gen_caches.h"
#include "gen_input.h"
#include "gen_split.h"

struct rank {
    struct gen_share share; /* what it works on */
    int busy;
    size_t last; /* index of the snapshot it has at hand, SIZE_MAX: none */
};

/* Rank 0's view of the run. */
struct master {
    struct gen_job *job;
    struct iris_plan *plan;
    struct gen_input input;
    struct gen_split split;
    struct gen_caches caches;
    size_t arrived; /* snapshots of the plan that were looked at */
    struct rank *rank;
    int running;    /* busy ranks other than 0 */
    int called_off; /* they know that the run ends */
    struct iris_meter meter;
    double told;             /* when the status was last written */
    enum iris_status status; /* why no more work is handed out */
    struct iris_err *err;
};

static int
stopped(const struct master *m)
{
    return m->status != IRIS_OK || iris_cli_stop();
}

/* Points in hand are broken off. SIGUSR1 asks for a calm end, with them finished. */
static int
ends_at_once(const struct master *m)
{
    int stop = iris_cli_stop();

    return m->status != IRIS_OK || (stop && stop != SIGUSR1);
}

static void
say_failed(const struct master *m, const struct iris_plan_snapshot *s, uint32_t point,
           const char *message)
{
    iris_cli_note(m->job->cli, "snapshot '%s' point %" PRIu32 ": %s", s->id, point, message);
}

/* The file that watchers read; only for them, so a failure is no failure. */
static void
write_status(const struct master *m, const char *state)
{
    struct iris_buf text = {0};
    char *path = iris_path_join(m->job->dataset->root, ".iris/status.json");

    iris_buf_printf(&text,
                    "{\"state\": \"%s\", \"digest\": \"%s\", \"ranks\": %d, \"points\": %" PRIu64
                    ", \"done\": %" PRIu64 ", \"there_before\": %" PRIu64 ", \"failed\": %" PRIu64
                    "}\n",
                    state, m->plan->run.digest, iris_pool_size(m->job->pool), m->plan->total,
                    m->plan->done, m->plan->skipped, m->plan->failed);
    if (path && !text.failed)
        iris_write_file(path, text.data, text.len, NULL);
    iris_buf_release(&text);
    free(path);
}

static void
show_progress(struct master *m, int last)
{
    struct iris_progress p = {.done = m->plan->done,
                              .total = m->plan->total,
                              .failed = m->plan->failed,
                              .skipped = m->plan->skipped};

    iris_cli_progress(m->job->cli, &m->meter, &p, last);
    if (!last && p.seconds - m->told >= 2) {
        m->told = p.seconds;
        write_status(m, "running");
    }
}

/* What has become of a point. Parts may say of the same one that it failed. */
static void
settle(struct master *m, const struct iris_task *task, const struct gen_result *r)
{
    const struct iris_plan_snapshot *s = &m->plan->snapshot[task->snapshot];
    int said = task->point != IRIS_PLAN_VERIFY && s->message[task->point];
    enum iris_status st;

    if (r->status == IRIS_E_RETRY && stopped(m))
        return; /* the point stays to do */
    if (r->status &&
        (r->scope == GEN_RUN || r->status == IRIS_E_RETRY || r->status == IRIS_E_BUG)) {
        if (!m->status)
            m->status = iris_fail(m->err, r->status, "%s", r->message);
        return;
    }
    st = iris_plan_end(m->plan, task, r->status ? r->message : NULL, r->scope == GEN_SNAPSHOT,
                       r->scope == GEN_FOREIGN, m->err);
    if (st && !m->status)
        m->status = st;
    if (r->status && !said)
        say_failed(m, s, task->point, r->message);
}

/* Nobody reads a snapshot any more once all of its points are done. */
static void
let_go(struct master *m, size_t snapshot)
{
    if (iris_plan_is_over(m->plan, snapshot) && !gen_split_is_at(&m->split, snapshot))
        gen_caches_release(&m->caches, &m->plan->snapshot[snapshot]);
}

/* A row has come: it may be a copy, or nothing that can be read, or all done. */
static void
arrive(struct master *m, size_t snapshot)
{
    const struct iris_plan_snapshot *s = &m->plan->snapshot[snapshot];
    uint32_t k;

    gen_caches_hold(&m->caches, s);
    for (k = 0; k < m->plan->points; k++) {
        if (s->message[k])
            say_failed(m, s, k, s->message[k]);
    }
    let_go(m, snapshot);
}

static void
take_input(struct master *m, int wait_ms)
{
    enum iris_status st = gen_input_read(&m->input, m->plan, wait_ms, m->err);

    for (; m->arrived < m->plan->n; m->arrived++)
        arrive(m, m->arrived);
    /* when a calm end was asked for, iris-fetch may have been asked too */
    if (!st && m->input.is_cut && !iris_cli_stop())
        st = iris_fail(m->err, IRIS_E_RETRY,
                       "%s ended before its line '##rows': iris-fetch has gone; run again to "
                       "continue",
                       m->input.reader.name);
    if (st && !m->status)
        m->status = st;
}

/* All parts are in: *r becomes the point's. */
static void
finish_point(struct master *m, const struct gen_open *open, struct gen_result *r)
{
    const char *id = m->plan->snapshot[open->task.snapshot].id;
    struct iris_err err = {0};
    int publishing;

    r->status = iris_maker_finish(&m->job->maker, id, open->task.point, open->strips, open->gas,
                                  &publishing, &err);
    r->scope = publishing ? GEN_RUN : GEN_POINT;
    snprintf(r->message, sizeof r->message, "%s", err.msg);
}

static void
take_result(struct master *m, const struct gen_share *share, struct gen_result *r)
{
    struct iris_plan_snapshot *s = &m->plan->snapshot[share->task.snapshot];
    struct gen_open *open = share->open;
    int complete = !open || gen_split_put(&m->split, share, r);

    if (r->warnings.len && !s->warned) {
        s->warned = 1;
        iris_cli_warn_lines(m->job->cli, &r->warnings);
    }
    if (open && complete)
        finish_point(m, open, r);
    if (complete || r->status)
        settle(m, &share->task, r);
    if (open)
        gen_split_close(&m->split, open);
    let_go(m, share->task.snapshot);
}

/* Something to do for a rank. A calm end finishes the points in hand.
 *
 *   out  t  what of it goes to the rank; strings of the plan
 */
static int
next_share(struct master *m, int rank, struct gen_task *t)
{
    struct rank *r = &m->rank[rank];
    const struct iris_plan_snapshot *s;

    if (ends_at_once(m) || !gen_split_next(&m->split, r->last, !stopped(m), &r->share))
        return 0;
    r->last = r->share.task.snapshot;
    s = &m->plan->snapshot[r->last];
    *t = (struct gen_task){s->id,         s->path,      s->files, r->share.task.point,
                           r->share.lon0, r->share.lon1};
    return 1;
}

static enum iris_status
hand_out(struct master *m, int rank, struct iris_err *err)
{
    struct iris_buf message = {0};
    struct gen_task t;
    enum iris_status st;

    if (!next_share(m, rank, &t))
        return IRIS_OK;
    st = gen_write_task(&message, &t, err);
    if (!st)
        st = iris_pool_send(m->job->pool, rank, &message, err);
    iris_buf_release(&message);
    if (!st) {
        m->rank[rank].busy = 1;
        m->running++;
    }
    return st;
}

/* Take the answers that have come, give work to the ranks that wait. */
static enum iris_status
serve(struct master *m, struct iris_err *err)
{
    struct iris_buf message = {0};
    enum iris_status st;
    int from, rank;

    for (;;) {
        struct gen_result r = {.status = IRIS_OK};

        st = iris_pool_poll(m->job->pool, &from, &message, err);
        if (st || from < 0)
            break;
        st = gen_read_result(&message, &r, err);
        if (st)
            break;
        m->rank[from].busy = 0;
        m->running--;
        take_result(m, &m->rank[from].share, &r);
        gen_result_release(&r);
    }
    iris_buf_release(&message);
    for (rank = 1; rank < iris_pool_size(m->job->pool) && !st; rank++) {
        if (!m->rank[rank].busy)
            st = hand_out(m, rank, err);
    }
    return st;
}

/* Tell the ranks that are at work that the run ends; they answer as ever. */
static enum iris_status
call_off(struct master *m, struct iris_err *err)
{
    struct iris_buf message = {0};
    enum iris_status st;
    int rank;

    gen_write_break(&message);
    st = iris_buf_check(&message, err);
    for (rank = 1; rank < iris_pool_size(m->job->pool) && !st; rank++) {
        if (m->rank[rank].busy)
            st = iris_pool_send(m->job->pool, rank, &message, err);
    }
    iris_buf_release(&message);
    m->called_off = 1;
    return st;
}

/* Between the pieces of rank 0's own work. */
static int
pause_master(void *self)
{
    struct master *m = self;
    enum iris_status st;

    if (!m->status)
        take_input(m, 0);
    st = serve(m, m->err);
    if (!st && ends_at_once(m) && !m->called_off)
        st = call_off(m, m->err);
    m->job->broken = st != IRIS_OK;
    if (st && !m->status)
        m->status = st;
    show_progress(m, 0);
    return ends_at_once(m);
}

/* A point of rank 0's own, or a part of one; 0 when there is nothing to do. */
static int
work_self(struct master *m)
{
    struct gen_result r = {.status = IRIS_OK};
    struct gen_task t;

    /* rows that arrive meanwhile may move the list, not the strings */
    if (!next_share(m, 0, &t))
        return 0;
    gen_do(m->job, &t, &r);
    take_result(m, &m->rank[0].share, &r);
    gen_result_release(&r);
    return 1;
}

static void
run(struct master *m)
{
    unsigned idle = 0;

    for (;;) {
        if ((pause_master(m) && !m->running) || m->job->broken)
            break;
        if (work_self(m)) {
            idle = 0;
        } else if (stopped(m)) {
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

static enum iris_status
init_ranks(struct master *m, struct iris_err *err)
{
    size_t size = (size_t)iris_pool_size(m->job->pool), i;
    struct iris_parts parts;
    enum iris_status st;

    m->rank = calloc(size, sizeof *m->rank);
    if (!m->rank)
        return iris_fail_memory(err);
    for (i = 0; i < size; i++)
        m->rank[i].last = SIZE_MAX;
    st = iris_maker_parts(&m->job->maker, &parts, err);
    if (!st)
        gen_split_init(&m->split, &parts, m->plan, size);
    return st;
}

enum iris_status
gen_master(struct gen_job *job, const char *input, struct iris_plan *plan, struct iris_err *err)
{
    struct master m = {.job = job,
                       .plan = plan,
                       .input = {.fd = -1},
                       .caches = {.cli = job->cli, .release = job->release},
                       .err = err};

    job->maker.pause = (struct iris_pause){pause_master, &m};
    m.status = init_ranks(&m, err);
    if (!m.status)
        m.status = gen_input_open(&m.input, input, err);
    if (!m.status) {
        write_status(&m, "running");
        run(&m);
        show_progress(&m, 1);
        /* a signal that came when all was done stopped nothing */
        if (!m.status && iris_cli_stop() &&
            (m.input.fd >= 0 || m.input.is_cut || plan->done < plan->total))
            m.status = iris_fail(err, IRIS_E_RETRY,
                                 "stopped by a signal with %" PRIu64 " of %" PRIu64
                                 " points done; run again to continue",
                                 plan->done - plan->failed, plan->total);
        write_status(&m, m.status ? "stopped" : "finished");
    }
    gen_caches_end(&m.caches);
    gen_input_close(&m.input);
    gen_split_release(&m.split);
    free(m.rank);
    return m.status;
}

void
gen_dismiss(struct gen_job *job, enum iris_status status)
{
    struct iris_buf message = {0};
    int rank;

    gen_write_end(&message, status);
    for (rank = 1; rank < iris_pool_size(job->pool); rank++)
        iris_pool_send(job->pool, rank, &message, NULL);
    iris_buf_release(&message);
}
