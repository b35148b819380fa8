#include "gen_split.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define ROOM_BYTES ((size_t)1 << 28) /* of open points, and of a part */
/* Longitudes of the least part, beside its margins, and of those sampled together. */
enum { LEAST = 16, TOGETHER = 8 };

void
gen_split_init(struct gen_split *s, size_t ranks)
{
    *s = (struct gen_split){.ranks = ranks};
}

void
gen_split_release(struct gen_split *s)
{
    size_t i;

    for (i = 0; i < GEN_OPEN; i++)
        free(s->open[i].strips);
    *s = (struct gen_split){.ranks = 0};
}

/* Longitudes of the least part: what is looked at beside it is done twice. */
static size_t
least(const struct iris_parts *p)
{
    return LEAST + 2 * p->margin;
}

/* ... and of the largest. */
static size_t
most(const struct iris_parts *p)
{
    return ROOM_BYTES / (p->strip * sizeof(double));
}

int
gen_split_can(const struct gen_split *s, const struct iris_parts *parts)
{
    return s->ranks > 1 && parts->lon && parts->lon >= least(parts) + least(parts) / 2 &&
           most(parts) >= least(parts);
}

static size_t
left_of(const struct gen_open *o)
{
    return o->used && !o->failed ? o->parts.lon - o->next : 0;
}

struct gen_open *
gen_split_pick(struct gen_split *s, size_t snapshot, int (*may)(void *, size_t), void *self)
{
    struct gen_open *best = NULL;
    size_t i;

    for (i = 0; i < GEN_OPEN; i++) {
        struct gen_open *o = &s->open[i];

        if (left_of(o) && (snapshot == SIZE_MAX || o->task.snapshot == snapshot) &&
            (!may || may(self, o->task.snapshot)) && (!best || left_of(o) > left_of(best)))
            best = o;
    }
    return best;
}

int
gen_split_has_room(const struct gen_split *s, const struct iris_parts *parts)
{
    size_t n = 0, room = most(parts) / parts->lon, i;

    for (i = 0; i < GEN_OPEN; i++)
        n += s->open[i].used != 0;
    return n < GEN_OPEN && n < (room < 1 ? 1 : room);
}

struct gen_open *
gen_split_begin(struct gen_split *s, const struct iris_task *task, const struct iris_parts *parts)
{
    struct gen_open *o = s->open;
    double *strips = malloc(parts->lon * parts->strip * sizeof *strips);

    if (!strips)
        return NULL;
    while (o->used)
        o++;
    *o = (struct gen_open){.used = 1, .task = *task, .parts = *parts, .strips = strips};
    return o;
}

/* Two thirds of a rank's share of all that is left, as long as that is worth it: even
 * a rank of half the speed is done with the first before the others are with the rest. */
void
gen_split_cut(struct gen_split *s, struct gen_open *o, uint64_t points, struct gen_share *share)
{
    const struct iris_parts *p = &o->parts;
    size_t left = left_of(o), n, all, i;

    all = (size_t)(points < s->ranks ? points : s->ranks) * p->lon;
    for (i = 0; i < GEN_OPEN; i++)
        all += left_of(&s->open[i]);
    n = 2 * all / (3 * s->ranks) / TOGETHER * TOGETHER;
    n = n < least(p) ? least(p) : n > most(p) ? most(p) : n;
    if (n + least(p) / 2 > left)
        n = left;
    *share = (struct gen_share){o->task, o, o->next, o->next + n};
    o->next += n;
    o->out++;
}

int
gen_split_put(const struct gen_share *share, struct gen_result *r)
{
    struct gen_open *o = share->open;
    size_t n = share->lon1 - share->lon0, strip = o->parts.strip;

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
    return o->there == o->parts.lon;
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
gen_split_close(struct gen_open *o)
{
    if (o->out || (!o->failed && o->there < o->parts.lon))
        return;
    free(o->strips);
    *o = (struct gen_open){.used = 0};
}
