/* march -- what the two marches share: which sample is which step of a ray. Private
 * to cuda/. */
#ifndef IRIS_MARCH_H
#define IRIS_MARCH_H

#include "gpu_work.h"

/* Where a ray's samples are: the first, and from one to the next. */
struct iris_ray_place {
    size_t v, v_row, field, row;
};

static inline __device__ struct iris_ray_place
iris_ray_place_of(const struct iris_rays_at *rays, size_t ray)
{
    size_t lats = iris_region_lats(&rays->seen), wide = iris_region_lats(&rays->taken);
    struct iris_ray_place p;

    p.v = ray;
    p.v_row = iris_region_rays(&rays->seen);
    p.field = (ray / lats + rays->seen.lon0 - rays->taken.lon0) * wide + ray % lats +
              rays->seen.lat0 - rays->taken.lat0;
    p.row = iris_region_rays(&rays->taken);
    return p;
}

/* Step s of a ray, in the order of marching.
 *
 *   inout  is  bits of the ray
 */
static inline __device__ struct iris_step
iris_step_of(const struct iris_rays_at *rays, const struct iris_gpu_line *line,
             const struct iris_ray_place *place, unsigned s, unsigned *is)
{
    size_t at = line->far_to_near ? line->n_r - 1 - s : s;
    double sample[IRIS_FIELDS];
    struct iris_step step = {};
    int f, tracer = 0;

    sample[IRIS_V_R] = rays->v[place->v + at * place->v_row];
    for (f = IRIS_V_R + 1; f < IRIS_FIELDS; f++)
        sample[f] = (double)rays->field[f][place->field + at * place->row];
    if (!iris_step_is_gas(sample, 1 + sample[IRIS_V_R] / line->step.c))
        return step;
    iris_step_matter(&line->step, &line->table, &line->abundance, sample, &step, &tracer);
    iris_step_move(&line->step, sample[IRIS_V_R], &step);
    *is |= (unsigned)IRIS_RAY_GAS | (tracer ? (unsigned)IRIS_RAY_TRACER : 0U);
    return step;
}

/* The channel of a point of the grid of profiles. */
static inline __device__ unsigned
iris_channel_of(const struct iris_gpu_line *line, unsigned point)
{
    unsigned k = line->fine ? point / line->fine : point;

    return k < line->v_steps ? k : line->v_steps - 1;
}

#endif
