/* Optically thick smooth transfer, fast. What is carried is the line's excess D = I - C over
 * the continuum C, which is carried along each ray for itself. With m = 3 + 2h a_d (4 in the
 * first interval) and the equations of I and C subtracted from each other,
 *
 *   D = max(-C, ((4 D' - D'')/m + (J - A C) phi) / (1 + A phi)),  J = 2h j/m,  A = 2h a/m
 *
 * where D' and D'' are those of the last step and the one before: two operations a point
 * where there is no line, and none before the first. A ray's gas reaches few channels, and
 * most warps have nothing to do: each is a block for itself, so that those that have are
 * not kept out of a multiprocessor by others.
 *
 *   source  march_law.h, rearranged */
#include "march_fast.h"

[[maybe_unused]] static constexpr int BLOCKS = 20; /* that a multiprocessor is to hold */

/* ---- rows ---- */

/* The first row of smooth transfer keeps what the trapezoid needs: as if m were 1, with
 * 2h a_d in `before`. */
static __device__ int
fill_smooth(const struct iris_gpu_line *line, const struct iris_step *step, unsigned s,
            struct iris_row *r)
{
    double dust = 2 * line->ds * step->ad, m = s == 0 ? 1 : (s == 1 ? 4 : 3) + dust;
    int steep = source_of(line, step, r->Q), i;

    for (i = 0; i < 3; i++)
        r->Q[i] *= dust / m;
    r->last = 4 / m;
    r->before = s == 0 ? dust : 1 / m;
    place_line(line, step, 2 * line->ds / m, 1, r);
    return steep;
}

/* The continuum at the three frequencies. */
struct continuum {
    double C[3], before[3];
    int clipped;
};

static __device__ void
step_continuum(unsigned s, const struct iris_row *from, const struct iris_row *r,
               struct continuum *c)
{
    int i;

    for (i = 0; i < 3; i++) {
        double v = parabola(r->Q, i - 1) + r->last * c->C[i];

        if (s == 1)
            v += r->before * (parabola(from->Q, i - 1) - from->before * c->C[i]);
        else
            v -= r->before * c->before[i];
        c->before[i] = c->C[i];
        c->clipped |= v < 0;
        c->C[i] = iris_relu(v);
    }
}

static __device__ void
store_continuum(const struct continuum *c, struct iris_row *r)
{
    r->Q[0] = c->C[1];
    r->Q[1] = (c->C[2] - c->C[0]) / 2;
    r->Q[2] = (c->C[2] + c->C[0]) / 2 - c->C[1];
}

/* What all lines of a ray reach together. */
static __device__ void
widen(const struct iris_row *r, struct iris_reach *reach)
{
    if (r->from < r->to) {
        reach->from = min(reach->from, r->from);
        reach->to = max(reach->to, r->to);
    }
}

/* Rows that are fetched at a time: a thread has nothing else to do while it waits. */
static constexpr int BATCH = 8;

/* One thread a ray: dust's emission in its rows gives way to the continuum there. */
static __global__ void
carry_continuum(const __grid_constant__ struct job job)
{
    size_t ray = iris_thing(), n = iris_region_rays(&job.rays.seen);
    struct iris_row *r = job.out.row + ray, first, now[BATCH];
    struct continuum c = {{0, 0, 0}, {0, 0, 0}, 0};
    struct iris_reach reach = {~0U, 0};
    unsigned s, n_r = job.line.n_r;
    int i;

    if (ray >= n)
        return;
    first = *r;
    for (i = 0; i < 3; i++)
        c.C[i] = job.line.node_background[i];
    store_continuum(&c, r);
    widen(&first, &reach);
    for (s = 1; s < n_r; s += BATCH) {
#pragma unroll
        for (i = 0; i < BATCH; i++)
            now[i] = r[(s + i < n_r ? s + i : n_r - 1) * n];
#pragma unroll
        for (i = 0; i < BATCH; i++) {
            if (s + i >= n_r)
                break;
            widen(&now[i], &reach);
            step_continuum(s + i, &first, &now[i], &c);
            store_continuum(&c, &r[(s + i) * n]);
        }
    }
    for (i = 0; i < 3; i++)
        job.out.nodes[3 * ray + (size_t)i] = c.C[i];
    if (c.clipped)
        job.out.is[ray] |= IRIS_RAY_WILD;
    job.out.reach[ray] = reach;
}

/* ---- points ---- */

/* Light is not below 0; what is not a number stays that. The sign is looked at as a whole
 * number: most numbers have none. */
static __device__ void
hold(const struct iris_row *r, struct points *p, int i)
{
    double floor;
    int64_t bits;

    memcpy(&bits, &p->I[i], sizeof bits);
    if (bits >= 0)
        return;
    floor = -parabola(r->Q, p->u[i]);
    if (p->I[i] < floor)
        p->I[i] = floor;
}

template <int AVERAGE>
static __device__ void
step_first(const struct iris_row *from, const struct iris_row *r, struct points *p)
{
    int i;

#pragma unroll
    for (i = 0; i < EACH; i++) {
        unsigned at = p->base + (unsigned)i * WARP;
        double last_phi = reaches(from, at) ? profile<AVERAGE>(from, at) : 0;
        double phi = reaches(r, at) ? profile<AVERAGE>(r, at) : 0;
        double v = r->before * last_phi * (from->J - from->A * parabola(from->Q, p->u[i]));

        v += phi * (r->J - r->A * parabola(r->Q, p->u[i]));
        p->I[i] = v / (1 + phi * r->A);
        hold(r, p, i);
    }
}

template <int AVERAGE>
static __device__ void
step_line(const struct iris_row *r, struct points *p)
{
    int i;

#pragma unroll
    for (i = 0; i < EACH; i++) {
        unsigned at = p->base + (unsigned)i * WARP;

        if (reaches(r, at)) {
            double phi = profile<AVERAGE>(r, at), G = r->J - r->A * parabola(r->Q, p->u[i]);

            p->I[i] = (p->I[i] + phi * G) / (1 + phi * r->A);
        }
    }
}

template <int AVERAGE>
static __device__ void
step_next(const struct iris_row *r, int is_line, struct points *p)
{
    double last = r->last, before = r->before;
    int i;

#pragma unroll
    for (i = 0; i < EACH; i++) {
        double v = last * p->I[i] - before * p->before[i];

        p->before[i] = p->I[i];
        p->I[i] = v;
    }
    if (is_line)
        step_line<AVERAGE>(r, p);
#pragma unroll
    for (i = 0; i < EACH; i++)
        hold(r, p, i);
}

/* Which rows reach the warp, a bit a row. */
struct masks {
    unsigned of[ROWS / 32];
};

static __device__ void
find_masks(const struct iris_row *row, unsigned some, const struct points *p, struct masks *m)
{
    unsigned i;

    if (threadIdx.x < ROWS / 32)
        m->of[threadIdx.x] = 0;
    __syncthreads();
    for (i = threadIdx.x; i < some; i += WARP) {
        if (reaches_warp(&row[i], p))
            atomicOr(&m->of[i / 32], 1U << i % 32);
    }
    __syncthreads();
}

/* Up to 32 rows. Before the first line there is nothing.
 *
 *   in     first    step of the first row
 *   inout  touched  whether there has been a line
 */
template <int AVERAGE>
static __device__ void
step_rows(const struct iris_row *row, unsigned first, unsigned some, unsigned mask, int *touched,
          struct points *p)
{
    unsigned s = 0;

    if (!*touched && !mask)
        return;
    if (!*touched)
        while (!(mask >> s & 1))
            s++;
    *touched = 1;
    for (; s < some; s++) {
        if (first + s > 1)
            step_next<AVERAGE>(&row[s], mask >> s & 1, p);
        else if (first + s == 1)
            step_first<AVERAGE>(&row[0], &row[1], p);
    }
}

/* All steps of a group of points. */
template <int AVERAGE>
static __device__ void
walk(const struct job *job, size_t ray, struct iris_row *row, struct masks *masks, struct points *p)
{
    unsigned first, at, n_r = job->line.n_r;
    int touched = 0;

    for (first = 0; first < n_r; first += ROWS) {
        unsigned some = min(n_r - first, (unsigned)ROWS);

        __syncthreads();
        fetch(job, ray, first, some, row);
        /* a barrier is in here */
        find_masks(row, some, p, masks);
        for (at = 0; at < some; at += 32)
            step_rows<AVERAGE>(row + at, first + at, min(some - at, 32U), masks->of[at / 32],
                               &touched, p);
    }
}

/* One warp: blocks that follow each other take the groups of a ray. */
template <int AVERAGE>
static __global__ void
__launch_bounds__(WARP, BLOCKS)
    march_smooth(const __grid_constant__ struct job job, unsigned groups)
{
    __shared__ struct iris_row row[ROWS];
    __shared__ struct masks masks;
    size_t ray = blockIdx.x / groups, n = job.line.grid.n;
    struct iris_reach reach = job.out.reach[ray];
    struct points p;
    unsigned i;

    begin(&job.line, blockIdx.x % groups, &p);
    if (reach.from < p.end && reach.to > p.first)
        walk<AVERAGE>(&job, ray, row, &masks, &p);
    for (i = 0; i < EACH; i++) {
        if (p.base + i * WARP < n)
            job.out.I[ray * n + p.base + i * WARP] = p.I[i];
    }
}

/* ---- how much there is to do ---- */

/* One thread a ray: the warps' walks, as march_smooth takes them. */
static __global__ void
count_work(const __grid_constant__ struct job job, unsigned long long *work)
{
    size_t ray = iris_thing(), n = iris_region_rays(&job.rays.seen);
    unsigned points = (unsigned)job.line.grid.n, first, s, n_r = job.line.n_r;
    unsigned long long walked = 0, lines = 0;

    if (ray >= n)
        return;
    for (first = 0; first < points; first += WARP) {
        unsigned from = first / GROUP * GROUP, touched = 0;

        for (s = 0; s < n_r; s++) {
            const struct iris_row *r = &job.out.row[s * n + ray];

            touched |= r->from < from + GROUP && r->to > from;
            walked += touched;
            lines += r->from < first + WARP && r->to > first;
        }
    }
    atomicAdd(&work[IRIS_WORK_POINTS], (unsigned long long)points * n_r);
    atomicAdd(&work[IRIS_WORK_WALKED], walked * WARP);
    atomicAdd(&work[IRIS_WORK_LINES], lines * WARP);
}

cudaError_t
iris_gpu_march_smooth(const struct iris_rays_at *rays, const struct iris_gpu_line *line,
                      struct iris_marched out, cudaStream_t stream)
{
    struct job job = {*rays, *line, out};
    size_t n = iris_region_rays(&rays->seen);
    unsigned groups = groups_of((unsigned)line->grid.n);
    dim3 one(IRIS_GPU_THREADS, 1, 1), warp(WARP, 1, 1), grid((unsigned)(n * groups), 1, 1);
    cudaError_t e;

    IRIS_TRY(e,
             iris_launch(prepare<fill_smooth>, iris_blocks_for(n * line->n_r), one, stream, job));
    /* rays may be few: they are spread */
    IRIS_TRY(e, iris_launch(carry_continuum, dim3((unsigned)((n + WARP - 1) / WARP), 1, 1), warp,
                            stream, job));
    IRIS_TRY(e, iris_tick(out.watch, IRIS_GPU_STEPS, stream));
    if (line->grid.average)
        IRIS_TRY(e, iris_launch(march_smooth<1>, grid, warp, stream, job, groups));
    else
        IRIS_TRY(e, iris_launch(march_smooth<0>, grid, warp, stream, job, groups));
    IRIS_TRY(e, iris_tick(out.watch, IRIS_GPU_MARCHING, stream));
    if (!out.watch || !out.watch->is_on)
        return cudaSuccess;
    IRIS_TRY(e, iris_launch(count_work, iris_blocks_for(n), one, stream, job, out.watch->work));
    return iris_tick(out.watch, -1, stream);
}
