/* The rays are taken 16 x 16 at a time, all of r, in blocks of 16 samples on a
 * side. For a block
 *  1. the cell nearest to its centre, the pivot, is found;
 *  2. the tree gives all leaves in which the pivot may be beaten at some point
 *     of the block, and their cells that may do so become its candidates;
 *  3. the block is cut into eight, and again, and each part keeps those of the
 *     candidates that may beat the one nearest to its centre;
 *  4. a candidate left alone fills its part; else each sample of a block of 4
 *     on a side takes the nearest of those left.
 * A block with more candidates than there is room for is cut before the tree is
 * asked.
 *
 * Only "may beat" is asked in single precision, and rounding never makes a no
 * of a yes: see margin. Samples with two candidates that single precision
 * cannot tell apart are decided by the formula of iris_cells_nearest. So are,
 * one by one, the samples of a block that a periodic image could reach. */
#include "packet.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "nearest_law.h"
#include "packet_work.h"

/* Candidates that are not worth sorting out further. */
enum { FEW = 6 };

/* ---- work space ---- */

static void
work_free(struct iris_packet *w)
{
    if (w)
        free(w->near[0].x);
    free(w);
}

static struct iris_packet *
work_new(void)
{
    size_t room = IRIS_PACKET_ROOM + IRIS_NEAR_PAD, i;
    struct iris_packet *w = aligned_alloc(_Alignof(struct iris_packet), sizeof *w);
    float *memory = w ? malloc(IRIS_BLOCK_LEVELS * room * (4 * sizeof(float) + sizeof(uint32_t)))
                      : NULL;

    if (!memory) {
        free(w);
        return NULL;
    }
    memset(w, 0, sizeof *w);
    for (i = 0; i < IRIS_BLOCK_LEVELS; i++) {
        struct iris_near *n = &w->near[i];

        n->x = memory + 5 * room * i;
        n->y = n->x + room;
        n->z = n->y + room;
        n->n2 = n->z + room;
        n->cell = (uint32_t *)(void *)(n->n2 + room);
    }
    return w;
}

/* ---- samples ---- */

/* The place of a sample in the output of its block of 16. */
static size_t
where(size_t r, size_t lon, size_t lat)
{
    return (r % IRIS_SIDE * IRIS_SIDE + lon) * IRIS_SIDE + lat;
}

/* One cell is the nearest of the whole block. */
static void
fill(struct iris_packet *w, const struct iris_block *b, uint32_t cell)
{
    float value[IRIS_FIELDS][IRIS_NEAR_SAMPLES];
    size_t i, j, k;
    int f;

    w->kernels->near_values(w->s, &cell, 1, value);
    for (f = 0; f < IRIS_FIELDS; f++) {
        for (i = 0; i < b->n_r; i++) {
            for (j = 0; j < b->n_lon; j++) {
                float *out = w->out[f] + where(b->r + i, b->lon + j, b->lat);

                for (k = 0; k < b->n_lat; k++)
                    out[k] = value[f][0];
            }
        }
    }
}

static void
sample_at(const struct iris_packet *w, size_t r, size_t lon, size_t lat, double q[3])
{
    size_t ray = lon * IRIS_SIDE + lat;
    double d[3] = {w->rays->direction[0][ray], w->rays->direction[1][ray],
                   w->rays->direction[2][ray]},
           x[3];

    iris_ray_at(w->s->view.origin, iris_packet_r(w, r), d, x);
    iris_map_back(&w->s->map, w->s->back, x, q);
}

/* The nearest candidate by the formula that decides. */
static int32_t
decide_in_double(const struct iris_packet *w, const struct iris_near *near, size_t r, size_t lon,
                 size_t lat)
{
    const struct iris_cells *c = w->s->cells;
    double q[3], least = (double)INFINITY;
    size_t best = 0, i;

    sample_at(w, r, lon, lat, q);
    for (i = 0; i < near->n; i++) {
        size_t cell = near->cell[i];
        double d2 = iris_norm2(&w->s->map, q[0] - c->x[cell], q[1] - c->y[cell], q[2] - c->z[cell]);

        if (d2 < least || (d2 == least && c->order[cell] < c->order[near->cell[best]])) {
            least = d2;
            best = i;
        }
    }
    return (int32_t)best;
}

static void
rays_of(const struct iris_packet *w, const struct iris_block *b, struct iris_near_rays *rays)
{
    size_t group = iris_block_place(b), i;
    double r = iris_packet_r(w, b->r);
    int k, l;

    for (k = 0; k < 3; k++) {
        double from = w->centre[k] - w->rays->origin[k], factor = -2 * w->scale;

        for (l = 0; l < IRIS_NEAR_RAYS; l++) {
            rays->start[k][l] = (float)(factor * (r * w->rays->slope[group][k][l] - from));
            rays->slope[k][l] = (float)(-2 * w->rays->slope[group][k][l]);
        }
    }
    for (i = 0; i < IRIS_NEAR_EDGE; i++) {
        size_t at = i < b->n_r ? i : b->n_r - 1;

        rays->along[i] = (float)((iris_packet_r(w, b->r + at) - r) * w->scale);
    }
}

/* The cells that are taken, each once; which[] becomes an index of these. */
static size_t
taken(const struct iris_near *near, int32_t which[IRIS_NEAR_SAMPLES],
      uint32_t cell[IRIS_NEAR_SAMPLES])
{
    int16_t slot[IRIS_PACKET_ROOM];
    size_t n = 0, i;

    memset(slot, -1, near->n * sizeof *slot);
    for (i = 0; i < IRIS_NEAR_SAMPLES; i++) {
        int32_t k = which[i];

        if (slot[k] < 0) {
            slot[k] = (int16_t)n;
            cell[n++] = near->cell[k];
        }
        which[i] = slot[k];
    }
    return n;
}

/* Their values are wanted soon. */
static void
fetch_cells(const struct iris_cells *c, const struct iris_near *near)
{
    size_t n = near->n < IRIS_NEAR_RAYS ? near->n : IRIS_NEAR_RAYS, i;

    for (i = 0; i < n; i++)
        __builtin_prefetch(&c->gas[near->cell[i]], 0, 3);
}

/* A block of the smallest size. */
static void
finish(struct iris_packet *w, const struct iris_block *b, const struct iris_near *near)
{
    float value[IRIS_FIELDS][IRIS_NEAR_SAMPLES];
    uint32_t cell[IRIS_NEAR_SAMPLES];
    int32_t which[IRIS_NEAR_SAMPLES];
    struct iris_near_rays rays;
    size_t n = near->n;
    uint64_t unsure;

    fetch_cells(w->s->cells, near);
    rays_of(w, b, &rays);
    unsure = w->kernels->near_decide(near, &rays, w->margin, which);
    for (; unsure; unsure &= unsure - 1) {
        size_t at = (size_t)__builtin_ctzll(unsure), l = at % IRIS_NEAR_RAYS;
        size_t i = at / IRIS_NEAR_RAYS, j = l / IRIS_NEAR_EDGE, k = l % IRIS_NEAR_EDGE;

        if (i < b->n_r && j < b->n_lon && k < b->n_lat)
            which[at] = decide_in_double(w, near, b->r + i, b->lon + j, b->lat + k);
    }
    if (n > IRIS_NEAR_RAYS)
        n = taken(near, which, cell);
    w->kernels->near_values(w->s, near->n > IRIS_NEAR_RAYS ? cell : near->cell, n, value);
    w->kernels->near_spread(value, n, which, w->out[0] + where(b->r, b->lon, b->lat));
}

/* Every sample for itself. */
static enum iris_status
one_by_one(struct iris_packet *w, const struct iris_block *b, struct iris_err *err)
{
    struct iris_nearest found = {.cell = w->guess};
    enum iris_status st = IRIS_OK;
    float value[IRIS_FIELDS];
    size_t i, j, k;
    int f;

    for (j = 0; j < b->n_lon; j++) {
        for (k = 0; k < b->n_lat; k++) {
            for (i = 0; i < b->n_r && !st; i++) {
                double q[3];

                sample_at(w, b->r + i, b->lon + j, b->lat + k, q);
                st = iris_cells_nearest(w->s->cells, &w->s->map, q, &found, err);
                if (st)
                    return st;
                iris_sampler_look_up(w->s, &found, value);
                for (f = 0; f < IRIS_FIELDS; f++)
                    w->out[f][where(b->r + i, b->lon + j, b->lat + k)] = value[f];
            }
        }
    }
    return IRIS_OK;
}

/* ---- blocks ---- */

/* A block with `near` as its candidates. */
static void
refine(struct iris_packet *w, const struct iris_block *b, const struct iris_near *near)
{
    int part;

    if (near->n == 1) {
        fill(w, b, near->cell[0]);
        return;
    }
    if (b->level == IRIS_BLOCK_LEVELS - 1) {
        finish(w, b, near);
        return;
    }
    for (part = 0; part < 8; part++) {
        struct iris_near_block block;
        struct iris_block child;

        if (!iris_block_cut(b, part, &child))
            continue;
        if (near->n <= FEW && child.level == IRIS_BLOCK_LEVELS - 1) {
            finish(w, &child, near);
            continue;
        }
        iris_packet_block(w, &child, &block);
        w->kernels->near_reduce(near, &block, &w->near[child.level]);
        refine(w, &child, &w->near[child.level]);
    }
}

static enum iris_status
do_block(struct iris_packet *w, const struct iris_block *b, struct iris_err *err)
{
    enum iris_status st = IRIS_OK;
    int part;

    if (iris_packet_candidates(w, b)) {
        refine(w, b, &w->near[b->level]);
        return IRIS_OK;
    }
    if (b->level == IRIS_BLOCK_LEVELS - 1)
        return one_by_one(w, b, err);
    for (part = 0; part < 8 && !st; part++) {
        struct iris_block child;

        if (iris_block_cut(b, part, &child))
            st = do_block(w, &child, err);
    }
    return st;
}

static void
put_outputs(const struct iris_packet *w, const struct iris_block *b)
{
    size_t i, j;
    int f;

    for (f = 0; f < IRIS_FIELDS; f++) {
        for (i = 0; i < b->n_r && w->field[f]; i++) {
            const float *from = w->out[f] + where(i, 0, 0);
            float *to = w->field[f] + w->at + (b->r + i) * w->stride[0];

            for (j = 0; j < b->n_lon; j++, from += IRIS_SIDE, to += w->stride[1]) {
                if (b->n_lat == IRIS_SIDE)
                    memcpy(to, from, IRIS_SIDE * sizeof *to); /* no call */
                else
                    memcpy(to, from, b->n_lat * sizeof *to);
            }
        }
    }
}

/* Rays side by side: their outputs are neighbours, so a part of r at a time. */
static enum iris_status
do_strip(struct iris_packet *w, size_t n_strip, size_t at, size_t n_r, struct iris_err *err)
{
    enum iris_status st = IRIS_OK;
    struct iris_block b = {0};
    size_t i, k;

    for (b.r = 0; b.r < n_r; b.r += IRIS_SIDE) {
        b.n_r = n_r - b.r < IRIS_SIDE ? n_r - b.r : IRIS_SIDE;
        for (i = 0; i < b.n_r; i++)
            w->r[i] = iris_axis_at(&w->s->view.r, w->r0 + b.r + i);
        for (k = 0; k < n_strip; k++) {
            w->rays = &w->strip[k];
            w->at = at + k * IRIS_SIDE;
            b.n_lon = w->rays->n_lon;
            b.n_lat = w->rays->n_lat;
            st = do_block(w, &b, err);
            if (st)
                return st;
            put_outputs(w, &b);
        }
    }
    return IRIS_OK;
}

static void
set_work(struct iris_packet *w, const struct iris_sampler *s, const struct iris_kernels *kernels,
         const struct iris_tile *t, float *const field[IRIS_FIELDS])
{
    const double *o = s->view.origin;
    double reach = fmax(fabs(s->view.r.first), fabs(s->view.r.last));

    w->s = s;
    w->kernels = kernels;
    w->field = field;
    w->stride[1] = t->lat1 - t->lat0;
    w->stride[0] = iris_tile_row(t);
    w->r0 = t->r0;
    w->kappa = 1 / s->map.min_norm2;
    w->error = 1e-14 * w->kappa * (sqrt(o[0] * o[0] + o[1] * o[1]) + fabs(o[2]) + reach) /
               s->map.scale;
}

enum iris_status
iris_packet_tile(const struct iris_sampler *s, const struct iris_kernels *kernels,
                 const struct iris_tile *t, float *const field[IRIS_FIELDS], struct iris_err *err)
{
    struct iris_packet *w = work_new();
    enum iris_status st = IRIS_OK;
    size_t lon, lat, k, first;

    if (!w)
        return iris_fail_memory(err);
    set_work(w, s, kernels, t, field);
    for (lon = t->lon0; lon < t->lon1 && !st; lon += IRIS_SIDE) {
        size_t n_lon = t->lon1 - lon < IRIS_SIDE ? t->lon1 - lon : IRIS_SIDE;

        for (first = t->lat0; first < t->lat1 && !st; first += IRIS_PACKET_STRIP * IRIS_SIDE) {
            for (k = 0, lat = first; k < IRIS_PACKET_STRIP && lat < t->lat1; k++, lat += IRIS_SIDE)
                iris_rays_set(&w->strip[k], s, lon, lat, n_lon,
                              t->lat1 - lat < IRIS_SIDE ? t->lat1 - lat : IRIS_SIDE);
            st = do_strip(w, k, (lon - t->lon0) * w->stride[1] + first - t->lat0, t->r1 - t->r0,
                          err);
        }
    }
    work_free(w);
    return st;
}
