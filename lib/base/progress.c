#include "progress.h"

#include <inttypes.h>
#include <stdio.h>

/* Rates span many orders: a thousand small points a second, an hour a large one. */
static int
put_rate(char *text, size_t size, double per_second)
{
    if (per_second >= 1)
        return snprintf(text, size, ", %.1f/s", per_second);
    if (per_second * 60 >= 1)
        return snprintf(text, size, ", %.1f/min", per_second * 60);
    return snprintf(text, size, ", %.1f/h", per_second * 3600);
}

/* An amount in the unit that leaves one to four digits before the point. */
static int
put_bytes(char *text, size_t size, double bytes, const char *after)
{
    static const char *const units[] = {"B", "KiB", "MiB", "GiB", "TiB"};
    size_t k = 0;

    for (; bytes >= 1024 && k + 1 < sizeof units / sizeof units[0]; k++)
        bytes /= 1024;
    return snprintf(text, size, ", %.*f %s%s", k ? 1 : 0, bytes, units[k], after);
}

static void
put_left(char *text, size_t size, double seconds)
{
    uint64_t s = (uint64_t)(seconds + 0.5);

    snprintf(text, size, ", %" PRIu64 ":%02" PRIu64 ":%02" PRIu64 " left", s / 3600, s / 60 % 60,
             s % 60);
}

/* What the bytes say: how many, how fast, how long still. */
static void
put_flow(const struct iris_progress *p, char *rate, size_t rate_size, char *left, size_t left_size)
{
    double per_second = p->seconds > 0 ? (double)p->bytes / p->seconds : 0;
    int n = put_bytes(rate, rate_size, (double)p->bytes, "");

    if (n > 0 && (size_t)n < rate_size)
        put_bytes(rate + n, rate_size - (size_t)n, per_second, "/s");
    if (per_second > 0 && p->bytes_total > p->bytes_done)
        put_left(left, left_size, (double)(p->bytes_total - p->bytes_done) / per_second);
}

char *
iris_progress_text(const struct iris_progress *p, char *text, size_t size)
{
    uint64_t made = p->done - p->skipped;
    char notes[80] = "", rate[80] = "", left[40] = "", total[24] = "", memory[32] = "";

    if (p->skipped && p->failed)
        snprintf(notes, sizeof notes, " (%" PRIu64 " there already, %" PRIu64 " failed)",
                 p->skipped, p->failed);
    else if (p->skipped)
        snprintf(notes, sizeof notes, " (%" PRIu64 " there already)", p->skipped);
    else if (p->failed)
        snprintf(notes, sizeof notes, " (%" PRIu64 " failed)", p->failed);
    if (p->total)
        snprintf(total, sizeof total, "/%" PRIu64, p->total);
    if (p->bytes_total) {
        put_flow(p, rate, sizeof rate, left, sizeof left);
    } else if (made && p->seconds > 0) {
        double per_second = (double)made / p->seconds;

        put_rate(rate, sizeof rate, per_second);
        if (p->total > p->done)
            put_left(left, sizeof left, (double)(p->total - p->done) / per_second);
    }
    if (p->memory)
        put_bytes(memory, sizeof memory, (double)p->memory, "");
    snprintf(text, size, "%" PRIu64 "%s%s%s%s%s", p->done, total, notes, rate, left, memory);
    return text;
}
