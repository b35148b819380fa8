#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <time.h>
#include <unistd.h>

#include "clock.h"
#include "file.h"
#include "gen_master.h"

static const char *const phases[IRIS_PHASES] = {"load", "wait", "tables", "make", "write"};

enum { STATUS_SECONDS = 2 };

void
gen_count(struct gen_totals *t, const struct gen_task *task, const struct gen_result *r)
{
    int i;

    for (i = 0; i < IRIS_PHASES; i++)
        t->spent.seconds[i] += r->spent.seconds[i];
    t->spent.read += r->spent.read;
    t->spent.written += r->spent.written;
    if (r->peak > t->peak)
        t->peak = r->peak;
    if (*r->gpu)
        snprintf(t->gpu, sizeof t->gpu, "%s", r->gpu);
    if (r->gpu_peak > t->gpu_peak)
        t->gpu_peak = r->gpu_peak;
    t->gpu_waited += r->waited;
    if (task->kind == GEN_KIND_POINT && !task->lon1 && !r->status &&
        r->seconds - r->spent.seconds[IRIS_LOADING] > t->longest)
        t->longest = r->seconds - r->spent.seconds[IRIS_LOADING];
}

static void
put_who(const struct gen_master *m, struct iris_buf *text)
{
    const char *job = getenv("SLURM_JOB_ID");
    time_t now = time(NULL);
    char when[32] = "";
    struct tm tm;

    if (gmtime_r(&now, &tm))
        strftime(when, sizeof when, "%Y-%m-%dT%H:%M:%SZ", &tm);
    iris_buf_printf(text, ", \"host\": \"%s\", \"process\": %ld", m->ranks[0].host, (long)getpid());
    if (job && *job)
        iris_buf_printf(text, ", \"job\": \"%s\"", job);
    iris_buf_printf(text, ", \"updated\": \"%s\"", when);
}

static void
put_gpu(const struct gen_totals *t, struct iris_buf *text)
{
    const char *c;

    if (!*t->gpu)
        return;
    iris_buf_puts(text, ", \"gpu\": \"");
    for (c = t->gpu; *c; c++) /* nothing that JSON would have to be told of */
        iris_buf_putc(text, (char)(*c < ' ' || *c > '~' || *c == '"' || *c == '\\' ? '?' : *c));
    iris_buf_printf(text,
                    "\", \"gpu_points\": %" PRIu64 ", \"peak_gpu_bytes\": %" PRIu64
                    ", \"gpu_wait_s\": %.3f",
                    t->gpu_points, t->gpu_peak, t->gpu_waited);
}

static void
put_rates(const struct gen_master *m, struct iris_buf *text)
{
    double seconds = m->meter.start > 0 ? iris_seconds() - m->meter.start : 0;
    uint64_t made = m->plan->done - m->plan->skipped;
    double rate = made && seconds > 0 ? (double)made / seconds : 0;
    int i;

    iris_buf_printf(text, ", \"seconds\": %.1f, \"rate_per_s\": %.6g", seconds, rate);
    if (rate > 0)
        iris_buf_printf(text, ", \"eta_s\": %.0f", (double)(m->plan->total - m->plan->done) / rate);
    if (m->end > 0)
        iris_buf_printf(text, ", \"deadline_s\": %.0f", m->end - iris_seconds());
    put_gpu(&m->totals, text);
    iris_buf_printf(text, ", \"peak_rank_bytes\": %" PRIu64 ", \"phases\": {", m->totals.peak);
    for (i = 0; i < IRIS_PHASES; i++)
        iris_buf_printf(text, "\"%s_s\": %.3f, ", phases[i], m->totals.spent.seconds[i]);
    iris_buf_printf(text, "\"read_bytes\": %" PRIu64 ", \"written_bytes\": %" PRIu64 "}",
                    m->totals.spent.read, m->totals.spent.written);
}

/* Only for those who look on, so a failure is no failure. */
void
gen_write_status(const struct gen_master *m, const char *state)
{
    char *path = iris_format("%s/status.json", m->job->dataset->state);
    struct iris_buf text = {0};

    iris_buf_printf(&text,
                    "{\"state\": \"%s\", \"digest\": \"%s\", \"ranks\": %d, \"points\": %" PRIu64
                    ", \"done\": %" PRIu64 ", \"there_before\": %" PRIu64 ", \"failed\": %" PRIu64,
                    state, m->plan->variants.variant[0]->digest, iris_pool_size(m->job->pool),
                    m->plan->total, m->plan->done, m->plan->skipped, m->plan->failed);
    put_rates(m, &text);
    put_who(m, &text);
    iris_buf_puts(&text, "}\n");
    if (path && !text.failed)
        iris_write_file(path, text.data, text.len, NULL);
    iris_buf_release(&text);
    free(path);
}

void
gen_show(struct gen_master *m, int last)
{
    struct iris_progress p = {.done = m->plan->done,
                              .total = m->plan->total,
                              .failed = m->plan->failed,
                              .skipped = m->plan->skipped,
                              .memory = m->totals.peak};

    iris_cli_progress(m->job->cli, &m->meter, &p, last);
    if (!last && p.seconds - m->told >= STATUS_SECONDS) {
        m->told = p.seconds;
        gen_write_status(m, "running");
    }
}

void
gen_say_totals(const struct gen_master *m)
{
    const struct iris_spent *s = &m->totals.spent;
    int i;

    iris_cli_note(m->job->cli, "%.1f s; of all ranks:", iris_seconds() - m->job->start);
    for (i = 0; i < IRIS_PHASES; i++)
        iris_cli_note(m->job->cli, "  %-6s %10.2f s", phases[i], s->seconds[i]);
    iris_cli_note(m->job->cli, "  read   %10.1f MiB", (double)s->read / (1 << 20));
    iris_cli_note(m->job->cli, "  written%10.1f MiB", (double)s->written / (1 << 20));
    iris_cli_note(m->job->cli, "  memory %10.1f MiB, the most of a rank",
                  (double)m->totals.peak / (1 << 20));
    if (*m->totals.gpu)
        iris_cli_note(m->job->cli,
                      "  GPU    %10.1f MiB, the most of a rank on '%s': %" PRIu64
                      " points, %.2f s waited for it",
                      (double)m->totals.gpu_peak / (1 << 20), m->totals.gpu, m->totals.gpu_points,
                      m->totals.gpu_waited);
}
