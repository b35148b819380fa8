/* sample_contest -- a block of samples and which cells may be the nearest of any of them;
 * see sample.cu. Private to it. All threads of a block call these together.
 */
#ifndef IRIS_SAMPLE_CONTEST_H
#define IRIS_SAMPLE_CONTEST_H

#include "gpu_work.h"

extern "C" {
#include "cells_law.h"
#include "sampler_law.h"
}

static constexpr int THREADS = 128;
static constexpr int SIDE = 8; /* samples on a side of a block */
static constexpr int EACH = SIDE * SIDE * SIDE / THREADS;

/* A contest of a pivot with all others over a block. */
struct contest {
    double turn[3][3];    /* from the cells' space to the frame */
    double stretch[3][3]; /* absolute values of that */
    double centre[3];     /* of the block, in the cells' space */
    double reach;         /* how large numbers there are, for rounding */
    double h[3];          /* half the block's extent in the frame */
    double pivot[3];      /* in the frame, from the centre */
};

/* What the threads of a block find together: minima and maxima. */
struct extent {
    double lo[3][THREADS], hi[3][THREADS];
};

/* The samples of a thread. */
struct mine {
    double q[EACH][3];
    double d2[EACH];
    unsigned cell[EACH];
    int is[EACH]; /* within the region */
};

struct job {
    struct iris_cells cells;
    struct iris_sight sight;
    struct iris_region region;
    unsigned r0, r1;
    struct iris_fields field;
    int *fault;
    unsigned long long *compared; /* NULL: nobody counts */
};

/* ---- the block ---- */

/* Place e of this block of samples. */
struct place {
    unsigned r, lon, lat; /* from the region's first */
};

static __device__ struct place
place_of(int e)
{
    struct place p = {blockIdx.x * SIDE + (unsigned)e / (SIDE * SIDE),
                      blockIdx.y * SIDE + (unsigned)e / SIDE % SIDE,
                      blockIdx.z * SIDE + (unsigned)e % SIDE};

    return p;
}

static __device__ void
direction_of(const struct iris_sight *s, unsigned lon, unsigned lat, double d[3])
{
    const double *a = s->lon + 2 * lon, *b = s->lat + 2 * lat;

    d[0] = b[0] * a[0];
    d[1] = b[0] * a[1];
    d[2] = b[1];
}

static __device__ void
take_samples(const struct job *job, struct mine *m)
{
    const struct iris_region *a = &job->region;
    int i, k;

    for (i = 0; i < EACH; i++) {
        struct place p = place_of((int)threadIdx.x + i * THREADS);
        double d[3], x[3];

        m->is[i] = p.r < job->r1 - job->r0 && p.lon < iris_region_lons(a) &&
                   p.lat < iris_region_lats(a);
        m->d2[i] = INFINITY;
        m->cell[i] = 0;
        for (k = 0; k < 3; k++)
            m->q[i][k] = 0;
        if (!m->is[i])
            continue;
        direction_of(&job->sight, a->lon0 + p.lon, a->lat0 + p.lat, d);
        iris_ray_at(job->sight.sampler.view.origin, job->sight.r[job->r0 + p.r], d, x);
        iris_map_back(&job->sight.sampler.map, job->sight.sampler.back, x, m->q[i]);
    }
}

/* ---- the frame ---- */

/* The plane part of the map, unscaled. */
static __device__ void
metric(const struct iris_linear_map *m, const double q[3], double y[3])
{
    y[0] = m->skewed ? m->a * q[0] + m->b * q[1] : q[0];
    y[1] = m->skewed ? m->b * q[0] + m->c * q[1] : q[1];
    y[2] = q[2];
}

/* Axes along the block's middle ray, across and up; the rows of turn. */
static __device__ void
set_frame(const struct job *job, struct contest *c)
{
    const struct iris_linear_map *m = &job->sight.sampler.map;
    const struct iris_region *a = &job->region;
    unsigned lon = min(blockIdx.y * SIDE + SIDE / 2, iris_region_lons(a) - 1);
    unsigned lat = min(blockIdx.z * SIDE + SIDE / 2, iris_region_lats(a) - 1);
    double d[3], q[3], e[3][3], size, flat;
    int i, k;

    direction_of(&job->sight, a->lon0 + lon, a->lat0 + lat, d);
    iris_map_back(m, job->sight.sampler.back, d, q);
    metric(m, q, e[0]);
    size = sqrt(e[0][0] * e[0][0] + e[0][1] * e[0][1] + e[0][2] * e[0][2]);
    for (k = 0; k < 3; k++)
        e[0][k] /= size;
    flat = sqrt(e[0][0] * e[0][0] + e[0][1] * e[0][1]);
    e[1][0] = flat > 1e-6 ? -e[0][1] / flat : 1;
    e[1][1] = flat > 1e-6 ? e[0][0] / flat : 0;
    e[1][2] = 0;
    e[2][0] = e[0][1] * e[1][2] - e[0][2] * e[1][1];
    e[2][1] = e[0][2] * e[1][0] - e[0][0] * e[1][2];
    e[2][2] = e[0][0] * e[1][1] - e[0][1] * e[1][0];
    for (i = 0; i < 3; i++) {
        /* times the metric's matrix, which is symmetric */
        metric(m, e[i], c->turn[i]);
        for (k = 0; k < 3; k++)
            c->stretch[i][k] = fabs(c->turn[i][k]);
    }
}

/* Into the frame, from the centre. */
static __device__ void
turned(const struct contest *c, const double q[3], double f[3])
{
    double d[3] = {q[0] - c->centre[0], q[1] - c->centre[1], q[2] - c->centre[2]};
    int k;

    for (k = 0; k < 3; k++)
        f[k] = c->turn[k][0] * d[0] + c->turn[k][1] * d[1] + c->turn[k][2] * d[2];
}

/* Minima and maxima of all threads' lo and hi; all threads call it. */
static __device__ void
find_extent(struct extent *s)
{
    int t = (int)threadIdx.x, n, k;

    for (n = THREADS / 2; n > 0; n /= 2) {
        __syncthreads();
        if (t >= n)
            continue;
        for (k = 0; k < 3; k++) {
            s->lo[k][t] = fmin(s->lo[k][t], s->lo[k][t + n]);
            s->hi[k][t] = fmax(s->hi[k][t], s->hi[k][t + n]);
        }
    }
    __syncthreads();
}

static __device__ void
extent_of(struct extent *s, const struct contest *c, const struct mine *m, int in_frame)
{
    double lo[3] = {INFINITY, INFINITY, INFINITY}, hi[3] = {-INFINITY, -INFINITY, -INFINITY};
    int i, k;

    for (i = 0; i < EACH; i++) {
        double f[3];

        if (!m->is[i])
            continue;
        if (in_frame)
            turned(c, m->q[i], f);
        for (k = 0; k < 3; k++) {
            lo[k] = fmin(lo[k], in_frame ? f[k] : m->q[i][k]);
            hi[k] = fmax(hi[k], in_frame ? f[k] : m->q[i][k]);
        }
    }
    for (k = 0; k < 3; k++) {
        s->lo[k][threadIdx.x] = lo[k];
        s->hi[k][threadIdx.x] = hi[k];
    }
    find_extent(s);
}

/* Centre and extent of the block's samples. */
static __device__ void
set_contest(const struct job *job, struct contest *c, struct extent *s, const struct mine *m)
{
    int k;

    extent_of(s, c, m, 0);
    if (threadIdx.x == 0) {
        set_frame(job, c);
        c->reach = 0;
        for (k = 0; k < 3; k++) {
            c->centre[k] = 0.5 * (s->lo[k][0] + s->hi[k][0]);
            c->reach += fabs(s->lo[k][0]) + fabs(s->hi[k][0]);
        }
        /* what rounding adds to a number in the frame */
        for (k = 0; k < 3; k++)
            c->reach = fmax(c->reach, c->reach * c->stretch[k][k]);
    }
    __syncthreads();
    extent_of(s, c, m, 1);
    if (threadIdx.x == 0) {
        for (k = 0; k < 3; k++)
            c->h[k] = fmax(-s->lo[k][0], s->hi[k][0]) + 1e-14 * c->reach;
    }
    __syncthreads();
}

/* ---- the contest ---- */

/* By how much the pivot beats a box of middle f and half extent e, at least; below 0: it
 * may be beaten. h scales the block: 0 is its middle alone. */
static __device__ double
lead(const struct contest *c, const double f[3], const double e[3], double h)
{
    double sum = 0, size = 0;
    int k;

    for (k = 0; k < 3; k++) {
        double half = h * c->h[k], far, near, to, less, more;

        /* at either side of the block, and of the box the nearest point */
        to = half - f[k];
        far = fmax(fabs(to) - e[k], 0.);
        near = half - c->pivot[k];
        more = far * far - near * near;
        to = -half - f[k];
        far = fmax(fabs(to) - e[k], 0.);
        near = -half - c->pivot[k];
        less = far * far - near * near;
        sum += fmin(less, more);
        size += fabs(f[k]) + e[k] + half + fabs(c->pivot[k]);
    }
    return sum - (1e-11 * size + 1e-13 * c->reach) * size;
}

static __device__ int
box_may_win(const struct job *job, const struct contest *c, int node, double h)
{
    const struct iris_boxes *b = &job->cells.node[node / IRIS_BOXES];
    int l = node % IRIS_BOXES, k;
    double q[3], half[3], f[3], e[3];

    for (k = 0; k < 3; k++) {
        q[k] = 0.5 * (b->lo[k][l] + b->hi[k][l]);
        half[k] = 0.5 * (b->hi[k][l] - b->lo[k][l]);
    }
    turned(c, q, f);
    for (k = 0; k < 3; k++)
        e[k] = c->stretch[k][0] * half[0] + c->stretch[k][1] * half[1] + c->stretch[k][2] * half[2];
    return lead(c, f, e, h) <= 0;
}

static __device__ void
cell_at(const struct iris_cells *c, size_t i, double q[3])
{
    q[0] = c->x[i];
    q[1] = c->y[i];
    q[2] = c->z[i];
}

#endif
