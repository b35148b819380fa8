/* The fields at the samples of a region, exactly as iris_sampler_tile has them. Compiled
 * without fused operations: every formula gives the bits it gives on a processor.
 *
 * A block of threads takes a block of samples, 8 on a side:
 *  1. it finds the cell nearest to the middle of its samples, the pivot;
 *  2. it walks the tree with a stack that all threads share, eight children of a node
 *     at a time, which lie side by side three levels below it, and keeps the leaves in
 *     which the pivot may be beaten at some point of the block;
 *  3. whenever there are enough of those, their cells that may beat the pivot become
 *     candidates, which all samples are compared with, in double, by the formula that
 *     decides.
 * So no list can be too long: what does not fit is compared, and forgotten.
 *
 * Boxes and cells are looked at in a frame along the block's rays, in the metric of the
 * map. The pivot beats a cell everywhere in the block, whose corners are at the signs of
 * h, when  |c|^2 - |pivot|^2 > 2 sum_k h_k |c_k - pivot_k|;  it beats a box when that is
 * so of every point of it. That is asked with a margin for its rounding.
 *
 * Where a periodic image could be nearer, samples search for themselves. */
#include "sample_contest.h"
#include "watch.h"

static constexpr int POP = THREADS / IRIS_BOXES; /* nodes taken off the stack at a time */
static constexpr int STACK = 512;
/* one node at a time from here on: each of ten levels at most leaves seven behind */
static constexpr int STACK_FULL = STACK - POP * IRIS_BOXES - 80;
static constexpr int LEAVES = 256;
static constexpr int LEAVES_AT_ONCE = 16;
static constexpr int CANDIDATES = 768;
[[maybe_unused]] static constexpr int BLOCKS =
    4; /* that a multiprocessor is to hold: nothing is spilled */

/* What the threads of a block share. */
struct shared {
    struct contest contest;
    int stack[STACK], leaf[LEAVES];
    int n_stack, n_leaves, n_candidates;
    unsigned pivot;
    double x[CANDIDATES], y[CANDIDATES], z[CANDIDATES];
    unsigned cell[CANDIDATES];
    struct extent extent;
};

/* ---- the tree ---- */

/* Nodes of the level from which groups of eight lead down to the leaves. */
static __device__ int
width_of(const struct iris_cells *c)
{
    size_t width = c->leaves;

    while (width >= IRIS_BOXES)
        width /= IRIS_BOXES;
    return (int)width;
}

/* Start from there. */
static __device__ void
begin_walk(const struct job *job, struct shared *s)
{
    int width = width_of(&job->cells), t = (int)threadIdx.x;
    int are_leaves = (size_t)width == job->cells.leaves;

    if (t == 0) {
        s->n_leaves = are_leaves ? width : 0;
        s->n_stack = are_leaves ? 0 : width;
    }
    if (t < width && are_leaves)
        s->leaf[t] = t;
    else if (t < width)
        s->stack[t] = width + t;
    __syncthreads();
}

/* Take nodes off the stack; their children that may win go onto it, or are leaves. */
static __device__ void
walk_on(const struct job *job, struct shared *s, double h)
{
    int n = s->n_stack > STACK_FULL ? 1 : min(s->n_stack, POP), t = (int)threadIdx.x;
    int top = s->n_stack - n, group = t / IRIS_BOXES, node = 0, wins = 0, at;

    if (group < n) {
        node = s->stack[top + group] * IRIS_BOXES + t % IRIS_BOXES;
        wins = box_may_win(job, &s->contest, node, h);
    }
    __syncthreads();
    if (t == 0)
        s->n_stack = top;
    __syncthreads();
    if (wins && (size_t)node < job->cells.leaves) {
        at = atomicAdd(&s->n_stack, 1);
        s->stack[at] = node;
    } else if (wins) {
        at = atomicAdd(&s->n_leaves, 1);
        s->leaf[at] = node - (int)job->cells.leaves;
    }
    __syncthreads();
}

/* ---- the pivot ---- */

/* Which of n nodes from first on is nearest to the centre. */
static __device__ int
nearest_node(const struct job *job, struct shared *s, int first, int n)
{
    const double *centre = s->contest.centre;
    int t = (int)threadIdx.x, i, best = 0;

    if (t < n) {
        const struct iris_boxes *b = &job->cells.node[(first + t) / IRIS_BOXES];
        int l = (first + t) % IRIS_BOXES, k;
        double d2 = 0;

        for (k = 0; k < 3; k++) {
            double d = fmax(fmax(b->lo[k][l] - centre[k], centre[k] - b->hi[k][l]), 0.);

            d2 += d * d;
        }
        s->extent.lo[0][t] = d2;
    }
    __syncthreads();
    for (i = 1; i < n; i++)
        best = s->extent.lo[0][i] < s->extent.lo[0][best] ? i : best;
    __syncthreads();
    return first + best;
}

/* A cell of the leaf that the nearest children lead to. */
static __device__ void
guess_pivot(const struct job *job, struct shared *s)
{
    int width = width_of(&job->cells), node = 1;

    if (width > 1)
        node = nearest_node(job, s, width, width);
    while ((size_t)node < job->cells.leaves)
        node = nearest_node(job, s, node * IRIS_BOXES, IRIS_BOXES);
    if (threadIdx.x == 0) {
        double q[3];

        s->pivot = (unsigned)iris_leaf_start(&job->cells, (size_t)node - job->cells.leaves);
        cell_at(&job->cells, s->pivot, q);
        turned(&s->contest, q, s->contest.pivot);
    }
    __syncthreads();
}

/* The cell of the leaves found so far that is nearest to the centre, if it is nearer
 * than the thread's last. */
static __device__ void
nearer_cell(const struct job *job, const struct shared *s, double *least, unsigned *cell)
{
    int n = s->n_leaves * IRIS_LEAF_CELLS, i;

    for (i = (int)threadIdx.x; i < n; i += THREADS) {
        size_t leaf = (size_t)s->leaf[i / IRIS_LEAF_CELLS];
        size_t at = iris_leaf_start(&job->cells, leaf) + (size_t)(i % IRIS_LEAF_CELLS);
        double q[3], f[3], d2;

        if (at >= iris_leaf_start(&job->cells, leaf + 1))
            continue;
        cell_at(&job->cells, at, q);
        turned(&s->contest, q, f);
        d2 = f[0] * f[0] + f[1] * f[1] + f[2] * f[2];
        if (d2 < *least) {
            *least = d2;
            *cell = (unsigned)at;
        }
    }
}

/* The nearest of all threads becomes the pivot, if there is any. */
static __device__ void
choose_pivot(const struct job *job, struct shared *s, double least, unsigned cell)
{
    int t = (int)threadIdx.x, n;

    s->extent.lo[0][t] = least;
    s->cell[t] = cell;
    for (n = THREADS / 2; n > 0; n /= 2) {
        __syncthreads();
        if (t < n && s->extent.lo[0][t + n] < s->extent.lo[0][t]) {
            s->extent.lo[0][t] = s->extent.lo[0][t + n];
            s->cell[t] = s->cell[t + n];
        }
    }
    if (t == 0 && s->extent.lo[0][0] < INFINITY) {
        double q[3];

        s->pivot = s->cell[0];
        cell_at(&job->cells, s->pivot, q);
        turned(&s->contest, q, s->contest.pivot);
    }
    __syncthreads();
}

/* The cell nearest to the middle of the block, but for rounding: any pivot would do. */
static __device__ void
find_pivot(const struct job *job, struct shared *s)
{
    double least = INFINITY;
    unsigned cell = 0;

    guess_pivot(job, s);
    begin_walk(job, s);
    while (s->n_stack > 0 || s->n_leaves > 0) {
        if (s->n_stack > 0)
            walk_on(job, s, 0);
        if (s->n_stack > 0 && s->n_leaves <= LEAVES - THREADS)
            continue;
        nearer_cell(job, s, &least, &cell);
        __syncthreads();
        if (threadIdx.x == 0)
            s->n_leaves = 0;
        __syncthreads();
    }
    choose_pivot(job, s, least, cell);
}

/* ---- candidates ---- */

/* Those cells of some leaves that may win. */
static __device__ void
add_candidates(const struct job *job, struct shared *s, int first, int n)
{
    const double none[3] = {0, 0, 0};
    int i;

    for (i = (int)threadIdx.x; i < n * IRIS_LEAF_CELLS; i += THREADS) {
        size_t leaf = (size_t)s->leaf[first + i / IRIS_LEAF_CELLS];
        size_t at = iris_leaf_start(&job->cells, leaf) + (size_t)(i % IRIS_LEAF_CELLS);
        double q[3], f[3];
        int to;

        if (at >= iris_leaf_start(&job->cells, leaf + 1))
            continue;
        cell_at(&job->cells, at, q);
        turned(&s->contest, q, f);
        if (lead(&s->contest, f, none, 1) > 0)
            continue;
        to = atomicAdd(&s->n_candidates, 1);
        s->x[to] = q[0];
        s->y[to] = q[1];
        s->z[to] = q[2];
        s->cell[to] = (unsigned)at;
    }
}

/* All samples of this thread with all candidates; then there are none. What is at work
 * stays in registers: no index is known at run time only. */
static __device__ void
compare(const struct job *job, struct shared *s, struct mine *m)
{
    const struct iris_linear_map *map = &job->sight.sampler.map;
    struct mine own = *m;
    int count = s->n_candidates, i, n;

    for (n = 0; n < count; n++) {
        double x = s->x[n], y = s->y[n], z = s->z[n];
        unsigned cell = s->cell[n];

#pragma unroll
        for (i = 0; i < EACH; i++) {
            double d2 = iris_norm2(map, own.q[i][0] - x, own.q[i][1] - y, own.q[i][2] - z);

            if (d2 < own.d2[i] ||
                (d2 == own.d2[i] && job->cells.order[cell] < job->cells.order[own.cell[i]])) {
                own.d2[i] = d2;
                own.cell[i] = cell;
            }
        }
    }
    *m = own;
    __syncthreads();
    if (threadIdx.x == 0 && job->compared)
        atomicAdd(job->compared, (unsigned long long)count * (THREADS * EACH));
    if (threadIdx.x == 0)
        s->n_candidates = 0;
    __syncthreads();
}

static __device__ void
compare_leaves(const struct job *job, struct shared *s, struct mine *m)
{
    int first, n, are;

    for (first = 0; first < s->n_leaves; first += n) {
        n = min(s->n_leaves - first, LEAVES_AT_ONCE);
        add_candidates(job, s, first, n);
        __syncthreads();
        are = s->n_candidates;
        __syncthreads();
        if (are > CANDIDATES - LEAVES_AT_ONCE * IRIS_LEAF_CELLS)
            compare(job, s, m);
    }
    __syncthreads();
    if (threadIdx.x == 0)
        s->n_leaves = 0;
    __syncthreads();
}

static __device__ void
find_nearest(const struct job *job, struct shared *s, struct mine *m)
{
    if (threadIdx.x == 0)
        s->n_candidates = 0;
    begin_walk(job, s);
    while (s->n_stack > 0 || s->n_leaves > 0) {
        if (s->n_stack > 0)
            walk_on(job, s, 1);
        if (s->n_stack > 0 && s->n_leaves <= LEAVES - THREADS)
            continue;
        compare_leaves(job, s, m);
    }
    compare(job, s, m);
}

/* ---- periodic boxes ---- */

/* Whether any sample of the block lies beyond a face. */
static __device__ int
leaves_box(const struct job *job, const struct mine *m)
{
    const struct iris_cells *c = &job->cells;
    int out = 0, i, k;

    if (c->faces != IRIS_FACES_WRAP)
        return 0;
    for (i = 0; i < EACH; i++) {
        for (k = 0; k < 3 && m->is[i]; k++)
            out |= !c->closed[k] && (m->q[i][k] < c->box.lo[k] || m->q[i][k] >= c->box.hi[k]);
    }
    return __syncthreads_or(out);
}

/* What was found in the box, or across its faces. */
static __device__ void
look_across(const struct job *job, const struct mine *m, int i, struct iris_nearest *found)
{
    const struct iris_linear_map *map = &job->sight.sampler.map;
    struct iris_best best = {m->cell[i], m->d2[i]};
    double shift[3] = {0, 0, 0};
    int k;

    if (job->cells.faces == IRIS_FACES_GUARD &&
        iris_face_bound(&job->cells, map, m->q[i]) <= best.d2)
        *job->fault = 1;
    if (job->cells.faces == IRIS_FACES_WRAP &&
        iris_face_bound(&job->cells, map, m->q[i]) <= best.d2)
        iris_search_images(&job->cells, map, m->q[i], &best, shift);
    found->cell = best.cell;
    found->d2 = best.d2;
    for (k = 0; k < 3; k++)
        found->shift[k] = shift[k];
}

/* ---- values ---- */

static __device__ void
give_values(const struct job *job, int i, const struct iris_nearest *found)
{
    struct place p = place_of((int)threadIdx.x + i * THREADS);
    size_t at = ((size_t)p.r * iris_region_lons(&job->region) + p.lon) *
                    iris_region_lats(&job->region) +
                p.lat;
    float value[IRIS_FIELDS];
    int f;

    iris_cell_values(&job->sight.sampler, &job->cells, found, value);
    for (f = 0; f < IRIS_FIELDS; f++) {
        if (job->field.at[f])
            job->field.at[f][at] = value[f];
    }
}

static __global__ void
__launch_bounds__(THREADS, BLOCKS) sample_block(const __grid_constant__ struct job job)
{
    __shared__ struct shared s;
    struct mine m;
    int i, alone;

    take_samples(&job, &m);
    alone = leaves_box(&job, &m);
    set_contest(&job, &s.contest, &s.extent, &m);
    find_pivot(&job, &s);
    if (!alone)
        find_nearest(&job, &s, &m);
    for (i = 0; i < EACH; i++) {
        struct iris_nearest found = {s.pivot, {0, 0, 0}, 0};

        if (!m.is[i])
            continue;
        if (alone)
            iris_nearest_wrapped(&job.cells, &job.sight.sampler.map, m.q[i], &found);
        else
            look_across(&job, &m, i, &found);
        give_values(&job, i, &found);
    }
}

cudaError_t
iris_gpu_sample(const struct iris_cells *cells, const struct iris_sight *sight,
                struct iris_region region, unsigned r0, unsigned r1, struct iris_fields field,
                int *fault, const struct iris_watch *watch, cudaStream_t stream)
{
    unsigned long long *compared = watch && watch->is_on ? watch->work + IRIS_WORK_COMPARED : NULL;
    struct job job = {*cells, *sight, region, r0, r1, field, fault, compared};
    dim3 grid((r1 - r0 + SIDE - 1) / SIDE, (iris_region_lons(&region) + SIDE - 1) / SIDE,
              (iris_region_lats(&region) + SIDE - 1) / SIDE);

    return iris_launch(sample_block, grid, dim3(THREADS, 1, 1), stream, job);
}
