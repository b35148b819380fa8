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

char *
iris_progress_text(const struct iris_progress *p, char *text, size_t size)
{
    uint64_t made = p->done - p->skipped;
    char notes[80] = "", rate[40] = "", left[40] = "", total[24] = "";

    if (p->skipped && p->failed)
        snprintf(notes, sizeof notes, " (%" PRIu64 " there already, %" PRIu64 " failed)",
                 p->skipped, p->failed);
    else if (p->skipped)
        snprintf(notes, sizeof notes, " (%" PRIu64 " there already)", p->skipped);
    else if (p->failed)
        snprintf(notes, sizeof notes, " (%" PRIu64 " failed)", p->failed);
    if (p->total)
        snprintf(total, sizeof total, "/%" PRIu64, p->total);
    if (made && p->seconds > 0) {
        double per_second = (double)made / p->seconds;

        put_rate(rate, sizeof rate, per_second);
        if (p->total > p->done) {
            uint64_t s = (uint64_t)((double)(p->total - p->done) / per_second + 0.5);

            snprintf(left, sizeof left, ", %" PRIu64 ":%02" PRIu64 ":%02" PRIu64 " left", s / 3600,
                     s / 60 % 60, s % 60);
        }
    }
    snprintf(text, size, "%" PRIu64 "%s%s%s%s", p->done, total, notes, rate, left);
    return text;
}
