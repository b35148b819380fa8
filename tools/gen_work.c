#include <inttypes.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "clock.h"
#include "gen_message.h"
#include "machine.h"

/* The maker is of the settings at hand, and the tables are what its maker uses: they
 * go in that order. */
enum iris_status
gen_turn(struct gen_job *job, const char *changes, const char *digest, struct iris_err *err)
{
    struct iris_tables tables = gen_lines_tables(&job->lines);
    struct iris_variant *v;
    enum iris_status st;

    if (job->variant && !strcmp(job->variant->changes, changes))
        return IRIS_OK;
    st = iris_variant_new(&v, &job->law, changes, err);
    if (st)
        return st;
    if (digest && strcmp(digest, v->digest)) {
        st = iris_fail(err, IRIS_E_DATA,
                       "rank %d has other settings or molecular files than rank 0: their digest "
                       "is %s, not %s",
                       iris_pool_rank(job->pool), v->digest, digest);
        iris_variant_free(v);
        return st;
    }
    iris_maker_release(&job->maker);
    gen_lines_turn(&job->lines, v->hyper, !*changes);
    iris_variant_free(job->variant);
    job->variant = v;
    st = iris_maker_init(&job->maker, v->hyper, &v->run, job->o->dataset, &tables, job->pause, err);
    job->lines.pause = &job->maker.pause;
    job->maker.commons = gen_commons(job->cells);
    job->maker.kernels = job->kernels;
    job->maker.looks_only = job->looks_only;
    return st;
}

static enum iris_status
do_part(struct gen_job *job, const struct gen_task *task, struct gen_result *r,
        struct iris_err *err)
{
    struct iris_parts parts;
    enum iris_status st;

    st = iris_maker_parts(&job->maker, &parts, err);
    if (st)
        return st;
    r->n_strips = (task->lon1 - task->lon0) * parts.strip;
    r->strips = malloc(r->n_strips * sizeof *r->strips);
    if (!r->strips)
        return iris_fail_memory(err);
    return iris_maker_part(&job->maker, task->point, task->lon0, task->lon1, r->strips, &r->gas,
                           err);
}

/* Should this process die, it was with this in hand. */
static void
take_off(struct gen_job *job, const struct gen_task *task, uint32_t point)
{
    char *name = iris_plan_name(task->digest, task->id, point);

    if (name)
        iris_flight_begin(&job->flight, name);
    free(name);
}

static enum iris_status
do_task(struct gen_job *job, const struct gen_task *task, struct gen_result *r,
        struct iris_err *err)
{
    int foreign = 0, publishing = 0;
    enum iris_status st;

    st = gen_turn(job, task->changes, task->digest, err);
    if (st) {
        r->scope = *task->changes ? GEN_SNAPSHOT : GEN_RUN;
        return st;
    }
    if (task->on_gpu)
        job->maker.device = cli_gpu_device(&job->gpu);
    take_off(job, task, IRIS_PLAN_VERIFY);
    st = iris_maker_load(&job->maker, task->id, task->path, task->files, &r->warnings, &foreign,
                         &publishing, err);
    if (st) {
        r->scope = publishing ? GEN_RUN : foreign ? GEN_FOREIGN : GEN_SNAPSHOT;
        return st;
    }
    if (task->kind == GEN_KIND_AHEAD || task->point == IRIS_PLAN_VERIFY)
        return IRIS_OK;
    take_off(job, task, task->point);
    if (task->kind == GEN_KIND_TRY)
        st = iris_maker_try(&job->maker, task->point, task->lon0, task->lon1, err);
    else if (task->lon1)
        st = do_part(job, task, r, err);
    else
        st = iris_maker_point(&job->maker, task->point, &publishing, err);
    if (publishing || (job->maker.is_broken && !*task->changes))
        r->scope = GEN_RUN;
    else if (job->maker.is_broken)
        r->scope = GEN_SNAPSHOT;
    return st;
}

/* To wait for a GPU is not to make points. */
static void
report_gpu(const struct gen_job *job, double waited, struct gen_result *r)
{
    snprintf(r->gpu, sizeof r->gpu, "%s", job->gpu.model);
    r->gpu_peak = job->gpu.peak;
    r->waited = job->gpu.waited - waited;
    r->spent.seconds[IRIS_MAKING] -= r->waited;
}

void
gen_do(struct gen_job *job, const struct gen_task *task, struct gen_result *r)
{
    struct iris_err err = {0};
    double start = iris_seconds(), waited = job->gpu.waited;

    job->maker.spent = (struct iris_spent){.read = 0};
    r->scope = GEN_POINT;
    r->status = do_task(job, task, r, &err);
    iris_flight_end(&job->flight);
    snprintf(r->message, sizeof r->message, "%s", err.msg);
    r->seconds = iris_seconds() - start;
    r->spent = job->maker.spent;
    if (task->on_gpu)
        report_gpu(job, waited, r);
    r->peak = iris_process_peak();
    r->own = task->kind == GEN_KIND_TRY ? iris_process_own() : 0;
    gen_journal_add(job, task, r);
}

static enum iris_status
answer(struct gen_job *job, const struct iris_buf *message, struct iris_err *err)
{
    struct gen_result r = {.status = IRIS_OK};
    struct iris_buf reply = {0};
    struct gen_task task;
    enum iris_status st;

    job->called_off = 0;
    gen_read_task(message, &task);
    gen_do(job, &task, &r);
    st = gen_write_result(&reply, &r, err);
    gen_result_release(&r);
    if (!st)
        st = iris_pool_send(job->pool, 0, &reply, err);
    iris_buf_release(&reply);
    return st;
}

static int
is(const struct iris_buf *message, char kind)
{
    return message->len && message->data[0] == kind;
}

/* The master has nothing else to say to a rank that is busy; should it, that waits
 * for its turn. */
int
gen_is_called_off(struct gen_job *job)
{
    int from = -1;

    if (job->called_off || job->heard.len || iris_pool_poll(job->pool, &from, &job->heard, NULL) ||
        from < 0)
        return job->called_off;
    job->called_off = is(&job->heard, GEN_BREAK);
    if (job->called_off)
        iris_buf_clear(&job->heard);
    return job->called_off;
}

/* What the master says next; *from is -1 when it says nothing. */
static enum iris_status
listen(struct gen_job *job, int *from, struct iris_buf *message, struct iris_err *err)
{
    if (!job->heard.len)
        return iris_pool_poll(job->pool, from, message, err);
    *from = 0;
    iris_buf_release(message);
    *message = job->heard;
    job->heard = (struct iris_buf){0};
    return IRIS_OK;
}

enum iris_status
gen_work(struct gen_job *job, int *told, struct iris_err *err)
{
    struct iris_buf message = {0};
    enum iris_status st = IRIS_OK;
    unsigned idle = 0;
    int from;

    for (;;) {
        st = listen(job, &from, &message, err);
        if (st)
            break;
        if (from < 0) {
            iris_pool_nap(&idle);
            continue;
        }
        idle = 0;
        if (is(&message, GEN_BREAK))
            continue; /* the point was done before it came */
        if (is(&message, GEN_FORGET)) {
            iris_maker_drop(&job->maker);
            continue;
        }
        if (is(&message, GEN_END)) {
            st = gen_read_end(&message);
            *told = 1;
            break;
        }
        st = answer(job, &message, err);
        if (st)
            break;
    }
    iris_buf_release(&message);
    return st;
}
