#include <fcntl.h>
#include <inttypes.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <time.h>
#include <unistd.h>

#include "gen_message.h"
#include "num.h"

void
gen_put(struct iris_buf *b, const char *s)
{
    iris_buf_append(b, s, strlen(s) + 1);
}

void
gen_put_number(struct iris_buf *b, uint64_t v)
{
    char text[24];

    snprintf(text, sizeof text, "%" PRIu64, v);
    gen_put(b, text);
}

const char *
gen_take(const struct iris_buf *b, size_t *at)
{
    const char *s = b->data + *at;

    if (*at >= b->len || !memchr(s, '\0', b->len - *at))
        return "";
    *at += strlen(s) + 1;
    return s;
}

uint64_t
gen_take_number(const struct iris_buf *b, size_t *at)
{
    uint64_t v = 0;

    iris_parse_u64(gen_take(b, at), &v);
    return v;
}

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

static double
now(void)
{
    struct timespec t;

    clock_gettime(CLOCK_MONOTONIC, &t);
    return (double)t.tv_sec + 1e-9 * (double)t.tv_nsec;
}

static void
log_task(const struct gen_job *job, const struct gen_task *task, const struct gen_result *r,
         double seconds)
{
    struct rusage usage = {0};
    char when[32] = "", line[2048];
    time_t t = time(NULL);
    struct tm tm;
    int n;

    if (job->journal < 0)
        return;
    getrusage(RUSAGE_SELF, &usage);
    if (gmtime_r(&t, &tm))
        strftime(when, sizeof when, "%Y-%m-%dT%H:%M:%SZ", &tm);
    n = snprintf(line, sizeof line, "%s\t%s\t%" PRIu32 "\t%.3f\t%d\t%ld\t%s\n", when, task->id,
                 task->point, seconds, (int)r->status, usage.ru_maxrss,
                 r->status ? r->message : ".");
    if (n > 0 && (size_t)n < sizeof line && write(job->journal, line, (size_t)n) < 0)
        return;
}

void
gen_do(struct gen_job *job, const struct gen_task *task, struct gen_result *r)
{
    struct iris_err err = {0};
    double start = now();
    int foreign = 0, publishing = 0;

    iris_buf_clear(&r->warnings);
    r->scope = GEN_POINT;
    r->status = iris_maker_load(&job->maker, task->id, task->path, task->files, &r->warnings,
                                &foreign, &publishing, &err);
    if (r->status) {
        r->scope = publishing ? GEN_RUN : foreign ? GEN_FOREIGN : GEN_SNAPSHOT;
    } else if (task->point != IRIS_PLAN_VERIFY) {
        r->status = iris_maker_point(&job->maker, task->point, &publishing, &err);
        if (publishing)
            r->scope = GEN_RUN;
    }
    snprintf(r->message, sizeof r->message, "%s", err.msg);
    log_task(job, task, r, now() - start);
}

static enum iris_status
answer(struct gen_job *job, const struct iris_buf *message, struct iris_err *err)
{
    struct gen_result r = {.status = IRIS_OK};
    struct iris_buf reply = {0};
    struct gen_task task;
    enum iris_status st;
    size_t at = 1;

    task.id = gen_take(message, &at);
    task.path = gen_take(message, &at);
    task.files = gen_take_number(message, &at);
    task.point = (uint32_t)gen_take_number(message, &at);
    gen_do(job, &task, &r);
    gen_put_number(&reply, (uint64_t)r.status);
    gen_put_number(&reply, (uint64_t)r.scope);
    gen_put(&reply, r.message);
    gen_put(&reply, iris_buf_str(&r.warnings));
    st = iris_buf_check(&reply, err);
    if (!st)
        st = iris_pool_send(job->pool, 0, &reply, err);
    iris_buf_release(&reply);
    iris_buf_release(&r.warnings);
    return st;
}

enum iris_status
gen_work(struct gen_job *job, int *told, struct iris_err *err)
{
    struct iris_buf message = {0};
    enum iris_status st = IRIS_OK;
    unsigned idle = 0;
    int from;

    for (;;) {
        st = iris_pool_poll(job->pool, &from, &message, err);
        if (st)
            break;
        if (from < 0) {
            iris_pool_nap(&idle);
            continue;
        }
        idle = 0;
        if (message.len && message.data[0] == GEN_END) {
            size_t at = 1;

            st = (enum iris_status)gen_take_number(&message, &at);
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
