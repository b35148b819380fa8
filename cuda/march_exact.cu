/* The precise arithmetic of transfer, as transfer_precise.c has it: all kinds, to the bit
 * where nothing is taken from the GPU's own functions. Compiled without fused operations.
 *
 * A block of threads takes a ray, some points of the grid of profiles at a time, one a
 * thread: it works out its steps some at a time, one a thread, and then walks along them. */
#include "march.h"

static constexpr int THREADS = 128;

struct job {
    struct iris_rays_at rays;
    struct iris_gpu_line line;
    struct iris_marched out;
    int wild_only;
};

/* A step, and what of it is the same for all points. */
struct stride {
    struct iris_step step;
    struct iris_window window; /* points that the line reaches */
    double ratio;              /* of exp(nu/kT) of dust, from one channel to the next */
};

/* A point of the grid of profiles, on its way. */
struct point {
    double nu, nu_anew; /* of its channel, and of where the sequence of dust begins */
    unsigned since;     /* channels from there */
    unsigned at;
    double I, I_before, C, C_before;
    double j, a, dust_j, dust_a; /* of the last step */
};

static __device__ void
begin(const struct iris_gpu_line *line, unsigned at, struct point *p)
{
    unsigned k = iris_channel_of(line, at);

    p->at = at;
    p->since = k % IRIS_DUST_ANEW;
    p->nu = line->nu_first + (double)k * line->nu_step;
    p->nu_anew = line->nu_first + (double)(k - p->since) * line->nu_step;
    p->C = line->background[k];
    p->I = line->transfer == IRIS_THIN ? 0 : p->C;
    p->I_before = p->C_before = p->j = p->a = p->dust_j = p->dust_a = 0;
}

static __device__ double
dust_at(const struct stride *s, const struct point *p)
{
    double e;
    unsigned i;

    if (s->step.planck * s->step.ad == 0)
        return 0;
    e = iris_exp(p->nu_anew * s->step.per_kT);
    for (i = 0; i < p->since; i++)
        e *= s->ratio;
    return iris_dust_emission(&s->step, p->nu, e);
}

static __device__ int
is_inside(const struct stride *s, const struct point *p)
{
    return p->at >= s->window.from && p->at < s->window.to;
}

/* The profile at a point that is inside. */
static __device__ double
profile_at(const struct iris_gpu_line *line, const struct iris_step *s, const struct point *p)
{
    const struct iris_profile_grid *g = &line->grid;
    double i = (double)p->at;

    if (!g->average)
        return iris_profile_centre(g, s, i);
    return (iris_profile_edge(g, s, i + 0.5) - iris_profile_edge(g, s, i - 0.5)) / (2 * g->width);
}

static __device__ void
step_smooth(unsigned s, double h, double j, double a, double last_j, double last_a, double *I,
            double *before)
{
    double next;

    if (s == 0)
        return;
    next = s == 1 ? iris_smooth_first(h, last_j, last_a, j, a, *I)
                  : iris_smooth_next(h, j, a, *I, *before);
    *before = *I;
    *I = next;
}

static __device__ void
step_thick(const struct iris_gpu_line *line, unsigned s, double j, double a, struct point *p)
{
    if (line->integration == IRIS_SMOOTH)
        step_smooth(s, line->ds, j, a, p->j, p->a, &p->I, &p->I_before);
    else
        p->I = iris_formal_step(line->ds, j, a, p->I);
    p->j = j;
    p->a = a;
}

static __device__ void
step_selective(const struct iris_gpu_line *line, unsigned s, const struct iris_step *step,
               double dust, double phi, int inside, struct point *p)
{
    double all = dust;

    if (line->integration == IRIS_FORMAL && !line->consistent) {
        all = dust + (inside ? step->j * phi : 0);
        p->I = iris_selective_step(line->ds, all, step->ad + (inside ? step->a * phi : 0), step->ad,
                                   p->C, p->I);
        return;
    }
    if (inside)
        all += step->j * phi - step->a * phi * p->C;
    if (line->integration == IRIS_SMOOTH)
        step_smooth(s, line->ds, all, step->ad, p->j, p->a, &p->I, &p->I_before);
    else
        p->I = iris_consistent_step(line->ds, all, iris_consistent_of(line->ds, step->ad), p->I);
    p->j = all;
    p->a = step->ad;
}

static __device__ void
step_thin(const struct iris_gpu_line *line, unsigned s, const struct stride *stride,
          struct point *p)
{
    double weight = line->weight[s];

    if (weight == 0)
        return;
    if (is_inside(stride, p))
        p->I += weight * stride->step.j * profile_at(line, &stride->step, p);
    if (line->subtraction != IRIS_SUBTRACT_I)
        p->C += weight * dust_at(stride, p);
}

static __device__ void
step_point(const struct iris_gpu_line *line, unsigned s, const struct stride *stride,
           struct point *p)
{
    const struct iris_step *step = &stride->step;
    int inside = is_inside(stride, p);
    double dust, phi;

    if (line->transfer == IRIS_THIN) {
        step_thin(line, s, stride, p);
        return;
    }
    dust = dust_at(stride, p);
    if (line->integration == IRIS_SMOOTH)
        step_smooth(s, line->ds, dust, step->ad, p->dust_j, p->dust_a, &p->C, &p->C_before);
    else
        p->C = iris_formal_step(line->ds, dust, step->ad, p->C);
    p->dust_j = dust;
    p->dust_a = step->ad;
    phi = inside ? profile_at(line, step, p) : 0;
    if (line->transfer == IRIS_SELECTIVE)
        step_selective(line, s, step, dust, phi, inside, p);
    else if (inside)
        step_thick(line, s, dust + step->j * phi, step->ad + step->a * phi, p);
    else
        step_thick(line, s, dust, step->ad, p);
}

static __device__ struct stride
stride_of(const struct job *job, const struct iris_ray_place *place, unsigned s, unsigned *is)
{
    const struct iris_gpu_line *line = &job->line;
    double reach = line->grid.average ? IRIS_REACH_AVERAGE : IRIS_REACH_PRECISE;
    struct stride stride;

    stride.step = iris_step_of(&job->rays, line, place, s, is);
    stride.window = iris_step_window(&line->grid, &stride.step, reach);
    stride.ratio = iris_exp(line->nu_step * stride.step.per_kT);
    return stride;
}

/* Walk a point along all steps; all threads call it, those without a point too. */
static __device__ void
walk(const struct job *job, const struct iris_ray_place *place, struct stride *stride, unsigned at,
     struct point *p, unsigned *is)
{
    const struct iris_gpu_line *line = &job->line;
    unsigned n = (unsigned)line->grid.n, first, s;

    begin(line, at < n ? at : 0, p);
    for (first = 0; first < line->n_r; first += THREADS) {
        unsigned some = min(line->n_r - first, (unsigned)THREADS);

        if (threadIdx.x < some)
            stride[threadIdx.x] = stride_of(job, place, first + threadIdx.x, is);
        __syncthreads();
        for (s = 0; s < some && at < n; s++)
            step_point(line, first + s, &stride[s], p);
        __syncthreads();
    }
}

static __global__ void
__launch_bounds__(THREADS) march(const __grid_constant__ struct job job)
{
    __shared__ struct stride stride[THREADS];
    const struct iris_gpu_line *line = &job.line;
    struct iris_ray_place place = iris_ray_place_of(&job.rays, blockIdx.x);
    unsigned n = (unsigned)line->grid.n, fine = line->fine ? line->fine : 1, at, is = 0;
    struct point p;

    if (job.wild_only && !(job.out.is[blockIdx.x] & IRIS_RAY_WILD))
        return;
    for (at = threadIdx.x; at < n + threadIdx.x; at += THREADS) {
        walk(&job, &place, stride, at, &p, &is);
        if (at >= n)
            continue;
        job.out.I[blockIdx.x * (size_t)n + at] = p.I;
        /* the first point of a channel; the last of all has the one before's channel */
        if (iris_channel_of(line, at) * fine == at)
            job.out.C[blockIdx.x * (size_t)line->v_steps + iris_channel_of(line, at)] = p.C;
    }
    if (is)
        atomicOr(&job.out.is[blockIdx.x], is);
}

cudaError_t
iris_gpu_march_exact(const struct iris_rays_at *rays, const struct iris_gpu_line *line,
                     struct iris_marched out, cudaStream_t stream)
{
    struct job job = {*rays, *line, out, !line->exact};
    dim3 grid((unsigned)iris_region_rays(&rays->seen), 1, 1);

    return iris_launch(march, grid, dim3(THREADS, 1, 1), stream, job);
}

/* ---- spectra ---- */

/* The continuum of a channel; that of a fast march is a parabola. */
static __device__ double
continuum_of(const struct iris_gpu_line *line, const struct iris_marched *in, size_t ray,
             unsigned k, int is_fast)
{
    const double *node = in->nodes + 3 * ray;
    double u = 2 * (double)k / (double)(line->v_steps - 1) - 1;

    if (!is_fast)
        return in->C[ray * line->v_steps + k];
    return node[1] + u * ((node[2] - node[0]) / 2 + u * ((node[2] + node[0]) / 2 - node[1]));
}

/* Excess and continuum of a channel. */
static __device__ void
channel_of(const struct iris_gpu_line *line, const struct iris_marched *in, size_t ray, unsigned k,
           double *excess, double *C)
{
    const double *I = in->I + ray * line->grid.n, *f = I + (size_t)k * line->fine;
    int is_fast = !line->exact && !(in->is[ray] & IRIS_RAY_WILD);
    int is_excess = is_fast && line->integration == IRIS_SMOOTH;
    unsigned m, q = line->v_subsamples;
    double sum = 0;

    *C = continuum_of(line, in, ray, k, is_fast);
    if (line->transfer == IRIS_THIN || (is_excess && !line->fine)) {
        *excess = I[k];
    } else if (!line->fine) {
        *excess = I[k] - *C;
    } else {
        for (m = 0; m < q; m++)
            sum += f[2 * m] + 4 * f[2 * m + 1] + f[2 * m + 2];
        /* the last point of a channel has the next channel's continuum */
        if (is_excess && k + 1 < line->v_steps)
            sum += continuum_of(line, in, ray, k + 1, 1) - *C;
        *excess = sum / (6 * (double)q) - (is_excess ? 0 : *C);
    }
}

static __global__ void
collect(const __grid_constant__ struct iris_gpu_line line, struct iris_marched in, size_t n_rays,
        double *spectra, size_t values, int *gas)
{
    size_t i = iris_thing(), ray = i / line.v_steps;
    unsigned k = (unsigned)(i % line.v_steps);
    struct iris_output_law law = {{line.step.k, line.step.h, line.step.c},
                                  line.subtraction,
                                  line.output,
                                  line.step.temperature};
    double excess, C, out = 0;

    if (ray >= n_rays)
        return;
    if (in.is[ray] & IRIS_RAY_TRACER || line.subtraction == IRIS_SUBTRACT_CONTINUUM) {
        channel_of(&line, &in, ray, k, &excess, &C);
        out = iris_output_of(&law, line.nu_first + (double)k * line.nu_step, line.scale[k], excess,
                             C);
    }
    spectra[ray * values + k] = out;
    if (k == 0 && in.is[ray] & IRIS_RAY_GAS)
        *gas = 1;
}

cudaError_t
iris_gpu_collect(size_t n_rays, const struct iris_gpu_line *line, struct iris_marched in,
                 double *spectra, size_t values, int *gas, cudaStream_t stream)
{
    return iris_launch(collect, iris_blocks_for(n_rays * line->v_steps),
                       dim3(IRIS_GPU_THREADS, 1, 1), stream, *line, in, n_rays, spectra, values,
                       gas);
}
