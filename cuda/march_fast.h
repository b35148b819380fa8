/* march_fast -- what the two fast marches share. Private to march_smooth.cu and
 * march_formal.cu, which are compiled with fused operations.
 *
 * First the steps of all rays become rows of what does not depend on the frequency. Then
 * every thread carries some points of the grid of profiles of a ray along the rows, in
 * registers. Three things make a step on a point cheap:
 *  - dust's emission varies by a part in a thousand over a band: it is a parabola, through
 *    the frequencies at both ends and in the middle, and so is the continuum; u is -1 to 1
 *    over the band;
 *  - a line is looked at only where it is more than a part in 1e18 of the background at
 *    hand, which no double shows;
 *  - divisions are made once a step, but in the line.
 * Rays for which that is not so are wild, and left to the exact march: dust that shines far
 * beyond its peak, and a continuum that the formula of the reference takes to 0.
 */
#ifndef IRIS_MARCH_FAST_H
#define IRIS_MARCH_FAST_H

#include "march.h"
#include "watch.h"

static constexpr int EACH = 3; /* points of a thread */
static constexpr int WARP = 32;
static constexpr int GROUP = EACH * WARP; /* of a warp */
static constexpr int ROWS = 64;           /* at hand at a time */

#define NOTHING   41.4 /* -ln of what is not seen */
#define TOO_STEEP 0.06 /* of h nu / kT over a band */

struct job {
    struct iris_rays_at rays;
    struct iris_gpu_line line;
    struct iris_marched out;
};

/* ---- rows ---- */

/* Dust's Planck function at the three frequencies as a parabola.
 *
 *   return  whether it is none
 */
static inline __device__ int
source_of(const struct iris_gpu_line *line, const struct iris_step *s, double Q[3])
{
    double B[3] = {0, 0, 0};
    int i;

    for (i = 0; i < 3 && s->planck > 0; i++) {
        double nu = line->node[i];

        B[i] = s->planck * nu * nu * nu / expm1(nu * s->per_kT);
        B[i] = isfinite(B[i]) ? B[i] : 0;
    }
    Q[0] = B[1];
    Q[1] = (B[2] - B[0]) / 2;
    Q[2] = (B[2] + B[0]) / 2 - B[1];
    return s->per_kT * (line->node[2] - line->node[0]) > TOO_STEEP;
}

/* How far the line is to be followed, in Doppler widths: to what is nothing beside the
 * background in the middle.
 *
 *   in  adds   at the centre, to an intensity
 *   in  takes  of one
 */
static inline __device__ double
reach_of(const struct iris_gpu_line *line, double adds, double takes)
{
    double gives = fabs(adds) / line->node_background[1], most = fmax(gives, fabs(takes));
    double limit = line->grid.average ? IRIS_REACH_AVERAGE : IRIS_REACH_PRECISE;
    double x2 = log(most) + NOTHING;

    /* not a number is not below either */
    if (!(gives < 1e300) || !(fabs(takes) < 1e300))
        return limit;
    return x2 > 0 ? fmin(sqrt(x2), limit) : 0;
}

/*   in  h     factor of emission and absorption, and
 *   in  more  what makes a step's of them */
static inline __device__ void
place_line(const struct iris_gpu_line *line, const struct iris_step *s, double h, double more,
           struct iris_row *r)
{
    const struct iris_profile_grid *g = &line->grid;
    double norm = h * (g->average ? 1 / (2 * g->width) : s->norm);
    struct iris_window w = {0, 0};

    r->x0 = (g->v_first - s->v) * s->per_b;
    r->dx = g->v_step * s->per_b;
    r->J = s->j * norm;
    r->A = s->a * norm;
    if (s->b > 0)
        w = iris_step_window(g, s, reach_of(line, more * r->J, more * r->A));
    r->from = (unsigned)w.from;
    r->to = (unsigned)w.to;
}

/* Fill the rows of all steps, one thread a step.
 *
 *   FILL  of a row; whether it is steep
 */
template <int (*FILL)(const struct iris_gpu_line *line, const struct iris_step *step, unsigned s,
                      struct iris_row *r)>
static __global__ void
prepare(const __grid_constant__ struct job job)
{
    size_t i = iris_thing(), n = iris_region_rays(&job.rays.seen), ray = i % n;
    const struct iris_gpu_line *line = &job.line;
    struct iris_ray_place place = iris_ray_place_of(&job.rays, ray);
    unsigned s = (unsigned)(i / n), is = 0;
    struct iris_step step;

    if (s >= line->n_r)
        return;
    step = iris_step_of(&job.rays, line, &place, s, &is);
    if (FILL(line, &step, s, &job.out.row[i]))
        is |= IRIS_RAY_WILD;
    if (is & ~job.out.is[ray])
        atomicOr(&job.out.is[ray], is);
}

/* ---- points ---- */

/* The points of a thread: base + i WARP. */
struct points {
    double I[EACH], before[EACH]; /* at the last step and the one before */
    double u[EACH];
    unsigned base, first, end; /* of the thread; of its warp, half-open */
};

/*   in  group  of points, that the thread's warp has */
static inline __device__ void
begin(const struct iris_gpu_line *line, unsigned group, struct points *p)
{
    unsigned i;

    p->first = group * GROUP;
    p->end = p->first + GROUP;
    p->base = p->first + threadIdx.x % WARP;
    for (i = 0; i < EACH; i++) {
        unsigned k = iris_channel_of(line, p->base + i * WARP);

        p->u[i] = 2 * (double)k / (double)(line->v_steps - 1) - 1;
        p->I[i] = p->before[i] = 0;
    }
}

static inline __device__ double
parabola(const double Q[3], double u)
{
    return Q[0] + u * (Q[1] + u * Q[2]);
}

/* The profile of a row at a point, but for its norm. */
template <int AVERAGE>
static inline __device__ double
profile(const struct iris_row *r, unsigned at)
{
    double x = r->x0 + (double)at * r->dx, half = r->dx / 2;

    return AVERAGE ? erf(x + half) - erf(x - half) : exp(-x * x);
}

static inline __device__ int
reaches(const struct iris_row *r, unsigned at)
{
    return at >= r->from && at < r->to;
}

/* Whether it reaches any point of the warp. */
static inline __device__ int
reaches_warp(const struct iris_row *r, const struct points *p)
{
    return r->from < p->end && r->to > p->first;
}

/* Take rows of a ray to where all threads of the block have them. */
static inline __device__ void
fetch(const struct job *job, size_t ray, unsigned first, unsigned some, struct iris_row *to)
{
    enum { PARTS = sizeof(struct iris_row) / sizeof(double2) };
    const struct iris_row *from = job->out.row + ray;
    size_t n = iris_region_rays(&job->rays.seen);
    unsigned i;

    for (i = threadIdx.x; i < some * PARTS; i += blockDim.x)
        ((double2 *)to)[i] = ((const double2 *)(from + (first + i / PARTS) * n))[i % PARTS];
}

/* Groups of so many points. */
static inline unsigned
groups_of(unsigned points)
{
    return (points + GROUP - 1) / GROUP;
}

#endif
