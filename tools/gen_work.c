#include <fcntl.h>
#include <inttypes.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <time.h>
#include <unistd.h>

#include "clock.h"
#include "gen_message.h"

void
gen_open_journal(struct gen_job *job)
{
    static const char header[] = "#when\tsnapshot\tpoint\tseconds\tstatus\tpeak_kib\tmessage\n";
    char *path = iris_format("%s/.iris/journal/rank%d.tsv", job->dataset->root,
                             iris_pool_rank(job->pool));

    job->journal = -1;
    if (path)
        job->journal = open(path, O_WRONLY | O_CREAT | O_APPEND | O_CLOEXEC, 0666);
    if (job->journal >= 0 && lseek(job->journal, 0, SEEK_END) == 0 &&
        write(job->journal, header, sizeof header - 1) < 0) {
        close(job->journal);
        job->journal = -1;
    }
    free(path);
}

static void
log_task(const struct gen_job *job, const struct gen_task *task, const struct gen_result *r,
         double seconds)
{
    struct rusage usage = {0};
    char when[32] = "", part[64] = "", line[2048];
    time_t t = time(NULL);
    struct tm tm;
    int n;

    if (job->journal < 0)
        return;
    getrusage(RUSAGE_SELF, &usage);
    if (gmtime_r(&t, &tm))
        strftime(when, sizeof when, "%Y-%m-%dT%H:%M:%SZ", &tm);
    if (task->lon1)
        snprintf(part, sizeof part, "longitudes %" PRIu64 " to %" PRIu64 "%s", task->lon0,
                 task->lon1 - 1, r->status ? ": " : "");
    n = snprintf(line, sizeof line, "%s\t%s\t%" PRIu32 "\t%.3f\t%d\t%ld\t%s%s\n", when, task->id,
                 task->point, seconds, (int)r->status, usage.ru_maxrss, part,
                 r->status    ? r->message
                 : task->lon1 ? ""
                              : ".");
    if (n > 0 && (size_t)n < sizeof line && write(job->journal, line, (size_t)n) < 0)
        return;
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

void
gen_do(struct gen_job *job, const struct gen_task *task, struct gen_result *r)
{
    struct iris_err err = {0};
    double start = iris_seconds();
    int foreign = 0, publishing = 0;

    r->scope = GEN_POINT;
    r->status = iris_maker_load(&job->maker, task->id, task->path, task->files, &r->warnings,
                                &foreign, &publishing, &err);
    if (r->status) {
        r->scope = publishing ? GEN_RUN : foreign ? GEN_FOREIGN : GEN_SNAPSHOT;
    } else if (task->lon1) {
        r->status = do_part(job, task, r, &err);
    } else if (task->point != IRIS_PLAN_VERIFY) {
        r->status = iris_maker_point(&job->maker, task->point, &publishing, &err);
        if (publishing)
            r->scope = GEN_RUN;
    }
    if (r->status && job->maker.is_broken)
        r->scope = GEN_RUN;
    snprintf(r->message, sizeof r->message, "%s", err.msg);
    log_task(job, task, r, iris_seconds() - start);
}

static enum iris_status
answer(struct gen_job *job, const struct iris_buf *message, struct iris_err *err)
{
    struct gen_result r = {.status = IRIS_OK};
    struct iris_buf reply = {0};
    struct gen_task task;
    enum iris_status st;

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
