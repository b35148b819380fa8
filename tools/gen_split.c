#include "gen_split.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define ROOM_BYTES ((size_t)1 << 28) /* of open points, and of a part */
/* Longitudes of the least part, beside its margins, and of those sampled together. */
enum { LEAST = 16, TOGETHER = 8 };

void
gen_split_init(struct gen_split *s, const struct iris_parts *parts, struct iris_plan *plan,
               size_t ranks)
{
    *s = (struct gen_split){.parts = *parts, .plan = plan, .ranks = ranks};
    if (!parts->lon)
        return;
    /* what is looked at beside a part is done twice */
    s->least = LEAST + 2 * parts->margin;
    s->most = ROOM_BYTES / (parts->strip * sizeof(double));
    s->room = s->most / parts->lon;
    s->room = s->room < 1 ? 1 : s->room > GEN_OPEN ? GEN_OPEN : s->room;
    if (ranks < 2 || parts->lon < s->least + s->least / 2 || s->most < s->least)
        s->parts.lon = 0;
}

void
gen_split_release(struct gen_split *s)
{
    size_t i;

    for (i = 0; i < GEN_OPEN; i++)
        free(s->open[i].strips);
    *s = (struct gen_split){.plan = NULL};
}

static size_t
left_of(const struct gen_split *s, const struct gen_open *o)
{
    return o->used && !o->failed ? s->parts.lon - o->next : 0;
}

/* The open point with most left to hand out, one of that snapshot if there is. */
static struct gen_open *
most_left(struct gen_split *s, size_t snapshot)
{
    struct gen_open *best = NULL;
    size_t i;

    for (i = 0; i < GEN_OPEN; i++) {
        struct gen_open *o = &s->open[i];

        if (left_of(s, o) && (snapshot == SIZE_MAX || o->task.snapshot == snapshot) &&
            (!best || left_of(s, o) > left_of(s, best)))
            best = o;
    }
    return best;
}

static size_t
n_open(const struct gen_split *s)
{
    size_t n = 0, i;

    for (i = 0; i < GEN_OPEN; i++)
        n += s->open[i].used != 0;
    return n;
}

/* NULL when there is no memory. */
static struct gen_open *
begin_open(struct gen_split *s, const struct iris_task *task)
{
    struct gen_open *o = s->open;
    double *strips = malloc(s->parts.lon * s->parts.strip * sizeof *strips);

    if (!strips)
        return NULL;
    while (o->used)
        o++;
    *o = (struct gen_open){.used = 1, .task = *task, .strips = strips};
    return o;
}

/* Two thirds of a rank's share of all that is left, as long as that is worth it: even
 * a rank of half the speed is done with the first before the others are with the rest. */
static void
cut(struct gen_split *s, struct gen_open *o, struct gen_share *share)
{
    size_t left = left_of(s, o), n, all, i;

    all = (size_t)iris_plan_left(s->plan, s->ranks) * s->parts.lon;
    for (i = 0; i < GEN_OPEN; i++)
        all += left_of(s, &s->open[i]);
    n = 2 * all / (3 * s->ranks) / TOGETHER * TOGETHER;
    n = n < s->least ? s->least : n > s->most ? s->most : n;
    if (n + s->least / 2 > left)
        n = left;
    *share = (struct gen_share){o->task, o, o->next, o->next + n};
    o->next += n;
    o->out++;
}

int
gen_split_next(struct gen_split *s, size_t last, int begin, struct gen_share *share)
{
    struct gen_open *o = last == SIZE_MAX ? NULL : most_left(s, last);
    int few = s->parts.lon && iris_plan_left(s->plan, s->ranks) < s->ranks;

    if (!o && begin && (!few || n_open(s) < s->room) && iris_plan_next(s->plan, &share->task)) {
        if (few && share->task.point != IRIS_PLAN_VERIFY)
            o = begin_open(s, &share->task);
        if (!o) {
            *share = (struct gen_share){.task = share->task};
            return 1;
        }
    }
    if (!o)
        o = most_left(s, SIZE_MAX);
    if (!o)
        return 0;
    cut(s, o, share);
    return 1;
}

int
gen_split_put(struct gen_split *s, const struct gen_share *share, struct gen_result *r)
{
    struct gen_open *o = share->open;
    size_t n = share->lon1 - share->lon0, strip = s->parts.strip;

    o->out--;
    if (!r->status && (!r->strips || r->n_strips != n * strip)) {
        r->status = IRIS_E_BUG;
        snprintf(r->message, sizeof r->message, "a part of %zu values where %zu are needed",
                 r->n_strips, n * strip);
    }
    if (r->status || o->failed) {
        o->failed = 1;
        return 0;
    }
    memcpy(o->strips + share->lon0 * strip, r->strips, r->n_strips * sizeof *r->strips);
    o->there += n;
    o->gas |= r->gas;
    return o->there == s->parts.lon;
}

int
gen_split_is_at(const struct gen_split *s, size_t snapshot)
{
    int is_at = 0;
    size_t i;

    for (i = 0; i < GEN_OPEN && !is_at; i++)
        is_at = s->open[i].used && s->open[i].out && s->open[i].task.snapshot == snapshot;
    return is_at;
}

void
gen_split_close(struct gen_split *s, struct gen_open *o)
{
    if (o->out || (!o->failed && o->there < s->parts.lon))
        return;
    free(o->strips);
    *o = (struct gen_open){.used = 0};
}
