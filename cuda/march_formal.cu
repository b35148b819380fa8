/* Optically thick formal transfer, fast: light itself is carried. With e = exp(-h a_d),
 *
 *   outside the line  I = max(0, (I' - Q(u)) e + Q(u)),  Q dust's source,
 *                     or I = I' + Q(u),  Q = h j_d,  where the reference's limit has it;
 *   inside            as march_law.h has it.
 *
 * The continuum is carried along at three points more, which have no line. */
#include "march_fast.h"

/* A block of threads takes a ray, or as much of it as it can. */
static constexpr int MOST_WARPS = 11;
[[maybe_unused]] static constexpr int MOST = WARP * MOST_WARPS;
[[maybe_unused]] static constexpr int BLOCKS = 2; /* that a multiprocessor is to hold */

/* ---- rows ---- */

static __device__ int
fill_formal(const struct iris_gpu_line *line, const struct iris_step *step, unsigned s,
            struct iris_row *r)
{
    double tau = line->ds * step->ad;
    int steep = source_of(line, step, r->Q), thin = tau < 1e-6, i;

    (void)s;
    for (i = 0; i < 3 && thin; i++)
        r->Q[i] *= tau;
    r->last = thin ? -1 : exp(-tau);
    r->before = step->ad;
    place_line(line, step, 1, line->ds, r);
    return steep;
}

/* ---- points ---- */

enum { NODES = 3 };

/* Light at the start; of the three points more, too. */
static __device__ void
shine(const struct iris_gpu_line *line, struct points *p)
{
    unsigned n = (unsigned)line->grid.n, i;

    for (i = 0; i < EACH; i++) {
        unsigned at = p->base + i * WARP;

        p->I[i] = line->background[iris_channel_of(line, at)];
        if (at >= n && at < n + NODES) {
            p->u[i] = (double)(at - n) - 1;
            p->I[i] = line->node_background[at - n];
        }
    }
}

/* What is below 0 becomes 0; a continuum that does is not a parabola any more. */
static __device__ void
hold(const struct iris_gpu_line *line, struct points *p, int *clipped, int i)
{
    if (p->I[i] < 0) {
        *clipped |= p->base + (unsigned)i * WARP >= line->grid.n;
        p->I[i] = 0;
    }
}

template <int AVERAGE>
static __device__ void
step_formal(const struct iris_gpu_line *line, const struct iris_row *r, int *clipped,
            struct points *p)
{
    int is_thin = r->last < 0, inside = reaches_warp(r, p), i;

#pragma unroll
    for (i = 0; i < EACH; i++) {
        unsigned at = p->base + (unsigned)i * WARP;
        double Q = parabola(r->Q, p->u[i]), phi;

        if (inside && reaches(r, at)) {
            phi = profile<AVERAGE>(r, at);
            Q = is_thin ? Q / line->ds : Q * r->before;
            p->I[i] = iris_formal_step(line->ds, Q + phi * r->J, r->before + phi * r->A, p->I[i]);
        } else if (is_thin) {
            p->I[i] += Q;
        } else {
            p->I[i] = (p->I[i] - Q) * r->last + Q;
            hold(line, p, clipped, i);
        }
    }
}

static __device__ void
store(const struct job *job, const struct points *p)
{
    size_t n = job->line.grid.n, ray = blockIdx.x;
    unsigned i;

    for (i = 0; i < EACH; i++) {
        size_t at = p->base + i * WARP;

        if (at < n)
            job->out.I[ray * n + at] = p->I[i];
        else if (at < n + NODES)
            job->out.nodes[NODES * ray + at - n] = p->I[i];
    }
}

template <int AVERAGE>
static __global__ void
__launch_bounds__(MOST, BLOCKS) march_formal(const __grid_constant__ struct job job)
{
    __shared__ struct iris_row row[ROWS];
    const struct iris_gpu_line *line = &job.line;
    unsigned first, s;
    struct points p;
    int clipped = 0;

    begin(line, blockIdx.y * (blockDim.x / WARP) + threadIdx.x / WARP, &p);
    shine(line, &p);
    for (first = 0; first < line->n_r; first += ROWS) {
        unsigned some = min(line->n_r - first, (unsigned)ROWS);

        __syncthreads();
        fetch(&job, blockIdx.x, first, some, row);
        __syncthreads();
        for (s = 0; s < some; s++)
            step_formal<AVERAGE>(line, &row[s], &clipped, &p);
    }
    if (clipped)
        atomicOr(&job.out.is[blockIdx.x], (unsigned)IRIS_RAY_WILD);
    store(&job, &p);
}

cudaError_t
iris_gpu_march_formal(const struct iris_rays_at *rays, const struct iris_gpu_line *line,
                      struct iris_marched out, cudaStream_t stream)
{
    struct job job = {*rays, *line, out};
    size_t n = iris_region_rays(&rays->seen);
    unsigned warps = groups_of((unsigned)line->grid.n + NODES);
    unsigned each = warps < MOST_WARPS ? warps : (unsigned)MOST_WARPS;
    dim3 grid((unsigned)n, (warps + each - 1) / each, 1), threads(each * WARP, 1, 1);
    cudaError_t e;

    IRIS_TRY(e, iris_launch(prepare<fill_formal>, iris_blocks_for(n * line->n_r),
                            dim3(IRIS_GPU_THREADS, 1, 1), stream, job));
    IRIS_TRY(e, iris_tick(out.watch, IRIS_GPU_STEPS, stream));
    if (line->grid.average)
        IRIS_TRY(e, iris_launch(march_formal<1>, grid, threads, stream, job));
    else
        IRIS_TRY(e, iris_launch(march_formal<0>, grid, threads, stream, job));
    return iris_tick(out.watch, IRIS_GPU_MARCHING, stream);
}
