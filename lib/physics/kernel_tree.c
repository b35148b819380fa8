#include "kernel.h"
#include "nearest.h"

/* A leaf has more than 8 cells wherever there is more than one, so more nodes
 * than MANY hold more cells than any block has room for. */
enum { WIDE = VEC / 2, FANOUT = IRIS_BOXES, BELOW = 3, MANY = 1024 };

struct bounds {
    vecd lo[3], hi[3];
};

/* Boxes as they lie in the frame: the hulls of what they become. */
static inline void
turn(const struct iris_near_contest *c, const struct iris_boxes *boxes, int l, struct bounds *b)
{
    vecd lo, hi, centre[3], half[3];
    int k;

    for (k = 0; k < 3; k++) {
        memcpy(&lo, boxes->lo[k] + l, sizeof lo);
        memcpy(&hi, boxes->hi[k] + l, sizeof hi);
        centre[k] = 0.5 * (lo + hi);
        half[k] = 0.5 * (hi - lo);
    }
    for (k = 0; k < 3; k++) {
        const double *t = c->turn[k], *a = c->stretch[k];
        vecd moved = t[0] * centre[0] + t[1] * centre[1] + t[2] * centre[2];
        vecd wide = a[0] * half[0] + a[1] * half[1] + a[2] * half[2] + c->slack;

        b->lo[k] = moved - wide;
        b->hi[k] = moved + wide;
    }
}

/* By how much can a cell in a box be nearer than the pivot, at most, at some
 * point of the block? The difference of squares is a sum over the axes, and
 * convex on each, so the ends of the block tell. */
static inline void
compete(const struct iris_near_contest *c, const struct iris_boxes *boxes, int l, int64_t *keep,
        int64_t *inside)
{
    struct bounds b;
    vecd sum = {0};
    vecl in = ~(vecl){0};
    int k;

    turn(c, boxes, l, &b);
    for (k = 0; k < 3; k++) {
        vecd zero = {0};
        vecd first = greater_double(greater_double(b.lo[k] - c->lo[k], c->lo[k] - b.hi[k]), zero);
        vecd last = greater_double(greater_double(b.lo[k] - c->hi[k], c->hi[k] - b.hi[k]), zero);

        sum += greater_double(c->lo2[k] - first * first, c->hi2[k] - last * last);
        in &= (b.lo[k] >= c->lo[k]) & (b.hi[k] <= c->hi[k]);
    }
    in &= ~(sum < c->least);
    sum = (vecd) ~(sum < c->least);
    memcpy(keep + l, &sum, sizeof sum);
    memcpy(inside + l, &in, sizeof in);
}

/* A node that is wholly in the block needs no further look: this bit is set. */
static const size_t settled = (size_t)1 << 63;

static inline void
fetch(const void *from, size_t bytes)
{
    const char *p = from;
    size_t i;

    for (i = 0; i < bytes; i += 64)
        __builtin_prefetch(p + i, 0, 3);
}

/* From the nodes at one depth to those below that compete, in order.
 *
 *   return  how many; 0: too many
 */
static size_t
descend(const struct iris_near_contest *contest, const size_t *from, size_t n, size_t *to)
{
    const struct iris_cells *c = contest->cells;
    int64_t keep[FANOUT], inside[FANOUT];
    size_t i, k, n_to = 0;
    int l;

    for (i = 0; i < n; i++) {
        size_t before = n_to;

        if (n_to + FANOUT > MANY)
            return 0;
        if (from[i] & settled) {
            to[n_to++] = from[i];
            continue;
        }
        for (l = 0; l < FANOUT; l += WIDE)
            compete(contest, &c->node[from[i]], l, keep, inside);
        /* written whether it is kept or not: which are cannot be foreseen */
        for (l = 0; l < FANOUT; l++) {
            size_t node = from[i] * FANOUT + (size_t)l;

            to[n_to] = node | ((size_t)inside[l] & settled);
            n_to += (size_t)-keep[l];
        }
        for (k = before; k < n_to && from[i] * FANOUT < c->leaves; k++) {
            if (!(to[k] & settled))
                fetch(&c->node[to[k]], sizeof c->node[to[k]]);
        }
    }
    return n_to;
}

/* The cells of nodes in order, as runs. */
static int
collect(const struct iris_cells *c, const size_t *list, size_t n, size_t room,
        struct iris_near_runs *runs)
{
    int levels = __builtin_ctzll(c->leaves);
    size_t i, cells = 0;

    runs->n = 0;
    for (i = 0; i < n; i++) {
        size_t node = list[i] & ~settled;
        int below = levels - 63 + __builtin_clzll(node);
        size_t first = (((node << below) - c->leaves) * c->n) >> levels;
        size_t last = ((((node + 1) << below) - c->leaves) * c->n) >> levels;

        cells += last - first;
        if (cells > room)
            return 0;
        fetch(c->x + first, (last - first) * sizeof *c->x);
        fetch(c->y + first, (last - first) * sizeof *c->y);
        fetch(c->z + first, (last - first) * sizeof *c->z);
        if (runs->n && runs->run[runs->n - 1].last == first)
            runs->run[runs->n - 1].last = last;
        else if (runs->n < IRIS_NEAR_RUNS)
            runs->run[runs->n++] = (struct iris_near_run){first, last};
        else
            return 0;
    }
    return 1;
}

iris_near_ask_fn IRIS_LEVEL(iris_near_ask);
int
IRIS_LEVEL(iris_near_ask)(const struct iris_near_contest *contest, size_t room,
                          struct iris_near_runs *runs)
{
    const struct iris_cells *c = contest->cells;
    size_t list[2][MANY], n = 0, node;
    int levels = __builtin_ctzll(c->leaves), which = 0;

    /* as many levels from the top that the leaves are whole steps below */
    for (node = (size_t)1 << levels % BELOW; node < (size_t)2 << levels % BELOW; node++)
        list[0][n++] = node;
    for (levels -= levels % BELOW; levels && n; levels -= BELOW) {
        n = descend(contest, list[which], n, list[1 - which]);
        which = 1 - which;
    }
    return n && collect(c, list[which], n, room, runs);
}
