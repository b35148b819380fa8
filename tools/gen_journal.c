#include <fcntl.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/time.h>
#include <unistd.h>

#include "file.h"
#include "gen_message.h"

/* The first nine columns are those of the joblog of GNU parallel. */
static const char header[] = "#Seq\tHost\tStarttime\tJobRuntime\tSend\tReceive\tExitval\tSignal\t"
                             "Command\tpeak_kib\tmessage\tgpu_peak_kib\tgpu_wait\tgpu\n";

void
gen_journal_open(struct gen_job *job)
{
    char *state = iris_dataset_state(job->o->dataset, job->o->run);
    char *dir = state ? iris_format("%s/journal", state) : NULL;
    char *path = dir ? iris_format("%s/rank%d.tsv", dir, iris_pool_rank(job->pool)) : NULL;

    job->journal = -1;
    if (path && !iris_mkdirs(dir, NULL))
        job->journal = iris_file_open(path, O_WRONLY | O_CREAT | O_APPEND);
    if (job->journal >= 0 && lseek(job->journal, 0, SEEK_END) == 0 &&
        write(job->journal, header, sizeof header - 1) < 0)
        gen_journal_close(job);
    free(path);
    free(dir);
    free(state);
}

void
gen_journal_close(struct gen_job *job)
{
    if (job->journal >= 0)
        close(job->journal);
    job->journal = -1;
}

/* What was done, as a command. */
static void
put_command(struct iris_buf *line, const struct gen_task *t, const char *digest)
{
    const char *verb = t->kind == GEN_KIND_AHEAD      ? "load"
                       : t->point == IRIS_PLAN_VERIFY ? "verify"
                                                      : "make";

    iris_buf_printf(line, "%s %s.%s", verb, digest, t->id);
    if (t->kind == GEN_KIND_POINT && t->point != IRIS_PLAN_VERIFY)
        iris_buf_printf(line, ".p%03" PRIu32, t->point);
    if (t->lon1)
        iris_buf_printf(line, " longitudes %" PRIu64 " to %" PRIu64, t->lon0, t->lon1 - 1);
}

void
gen_journal_add(struct gen_job *job, const struct gen_task *task, const struct gen_result *r)
{
    struct iris_buf line = {0};
    char host[128] = "";
    struct timeval now;

    if (job->journal < 0)
        return;
    gethostname(host, sizeof host - 1);
    gettimeofday(&now, NULL);
    iris_buf_printf(&line, "%" PRIu64 "\t%s\t%.3f\t%.3f\t%" PRIu64 "\t%" PRIu64 "\t%d\t0\t",
                    ++job->seq, host, (double)now.tv_sec + 1e-6 * (double)now.tv_usec - r->seconds,
                    r->seconds, r->spent.read, r->spent.written, (int)r->status);
    put_command(&line, task, task->digest);
    iris_buf_printf(&line, "\t%" PRIu64 "\t", r->peak / 1024);
    iris_buf_put_plain(&line, r->status ? r->message : ".");
    iris_buf_printf(&line, "\t%" PRIu64 "\t%.3f\t", r->gpu_peak / 1024, r->waited);
    iris_buf_put_plain(&line, *r->gpu ? r->gpu : ".");
    iris_buf_putc(&line, '\n');
    if (!line.failed && write(job->journal, line.data, line.len) < 0)
        gen_journal_close(job);
    iris_buf_release(&line);
}
