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
dust_at(const struct iris_gpu_line *line, const struct iris_step *s, const struct point *p)
{
    double e, ratio;
    unsigned i;

    if (s->planck * s->ad == 0)
        return 0;
    e = iris_exp(p->nu_anew * s->per_kT);
    ratio = iris_exp(line->nu_step * s->per_kT);
    for (i = 0; i < p->since; i++)
        e *= ratio;
    return iris_dust_emission(s, p->nu, e);
}

/* The profile at the point; 0 and *inside 0 beyond its window. */
static __device__ double
profile_at(const struct iris_gpu_line *line, const struct iris_step *s, const struct point *p,
           int *inside)
{
    const struct iris_profile_grid *g = &line->grid;
    double reach = g->average ? IRIS_REACH_AVERAGE : IRIS_REACH_PRECISE, i = (double)p->at;
    struct iris_window w = iris_step_window(g, s, reach);

    *inside = p->at >= w.from && p->at < w.to;
    if (!*inside)
        return 0;
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
step_thin(const struct iris_gpu_line *line, unsigned s, const struct iris_step *step,
          struct point *p)
{
    double weight = line->weight[s], phi;
    int inside;

    if (weight == 0)
        return;
    phi = profile_at(line, step, p, &inside);
    if (inside)
        p->I += weight * step->j * phi;
    if (line->subtraction != IRIS_SUBTRACT_I)
        p->C += weight * dust_at(line, step, p);
}

static __device__ void
step_point(const struct iris_gpu_line *line, unsigned s, const struct iris_step *step,
           struct point *p)
{
    double dust, phi;
    int inside;

    if (line->transfer == IRIS_THIN) {
        step_thin(line, s, step, p);
        return;
    }
    dust = dust_at(line, step, p);
    if (line->integration == IRIS_SMOOTH)
        step_smooth(s, line->ds, dust, step->ad, p->dust_j, p->dust_a, &p->C, &p->C_before);
    else
        p->C = iris_formal_step(line->ds, dust, step->ad, p->C);
    p->dust_j = dust;
    p->dust_a = step->ad;
    phi = profile_at(line, step, p, &inside);
    if (line->transfer == IRIS_SELECTIVE)
        step_selective(line, s, step, dust, phi, inside, p);
    else if (inside)
        step_thick(line, s, dust + step->j * phi, step->ad + step->a * phi, p);
    else
        step_thick(line, s, dust, step->ad, p);
}

/* Walk a point along all steps; all threads call it, those without a point too. */
static __device__ void
walk(const struct job *job, const struct iris_ray_place *place, struct iris_step *step, unsigned at,
     struct point *p, unsigned *is)
{
    const struct iris_gpu_line *line = &job->line;
    unsigned n = (unsigned)line->grid.n, first, s;

    begin(line, at < n ? at : 0, p);
    for (first = 0; first < line->n_r; first += THREADS) {
        unsigned some = min(line->n_r - first, (unsigned)THREADS);

        if (threadIdx.x < some)
            step[threadIdx.x] = iris_step_of(&job->rays, line, place, first + threadIdx.x, is);
        __syncthreads();
        for (s = 0; s < some && at < n; s++)
            step_point(line, first + s, &step[s], p);
        __syncthreads();
    }
}

static __global__ void
__launch_bounds__(THREADS) march(const __grid_constant__ struct job job)
{
    __shared__ struct iris_step step[THREADS];
    const struct iris_gpu_line *line = &job.line;
    struct iris_ray_place place = iris_ray_place_of(&job.rays, blockIdx.x);
    unsigned n = (unsigned)line->grid.n, fine = line->fine ? line->fine : 1, at, is = 0;
    struct point p;

    if (job.wild_only && !(job.out.is[blockIdx.x] & IRIS_RAY_WILD))
        return;
    for (at = threadIdx.x; at < n + threadIdx.x; at += THREADS) {
        walk(&job, &place, step, at, &p, &is);
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
    struct iris_output_law law = {
        {line.step.k, line.step.h, line.step.c}, line.subtraction, line.output, line.temperature};
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
