/* sampler_law -- what a sample takes from its cell, for this processor and for GPUs.
 * Private to the samplers.
 */
#ifndef IRIS_SAMPLER_LAW_H
#define IRIS_SAMPLER_LAW_H

#include <math.h>

#include "both.h"
#include "nearest_law.h"
#include "sampler.h"

IRIS_BOTH void
iris_map_forth(const struct iris_sampler *s, const double q[3], double x[3])
{
    x[0] = s->map.scale * (s->map.a * q[0] + s->map.b * q[1]);
    x[1] = s->map.scale * (s->map.b * q[0] + s->map.c * q[1]);
    x[2] = s->map.scale * q[2];
}

IRIS_BOTH double
iris_radial_velocity(const struct iris_sampler *s, const struct iris_cells *c,
                     const struct iris_nearest *found)
{
    const struct iris_gas *gas = &c->gas[found->cell];
    double q[3] = {c->x[found->cell] + found->shift[0], c->y[found->cell] + found->shift[1],
                   c->z[found->cell] + found->shift[2]};
    double u[3] = {(double)gas->v[0], (double)gas->v[1], (double)gas->v[2]};
    double x[3], v[3], to[3], norm;
    int k;

    iris_map_forth(s, q, x);
    iris_map_forth(s, u, v);
    for (k = 0; k < 3; k++)
        to[k] = s->view.origin[k] - x[k];
    norm = sqrt(to[0] * to[0] + to[1] * to[1] + to[2] * to[2]);
    return norm > 0 ? (v[0] * to[0] + v[1] * to[1] + v[2] * to[2]) / norm : 0;
}

/* What iris_sampler_look_up gives, of cells that need not be where the sampler says. */
IRIS_BOTH void
iris_cell_values(const struct iris_sampler *s, const struct iris_cells *c,
                 const struct iris_nearest *found, float value[IRIS_FIELDS])
{
    const struct iris_gas *gas = &c->gas[found->cell];

    value[IRIS_V_R] = (float)iris_radial_velocity(s, c, found);
    value[IRIS_RHO] = (float)((double)gas->rho * s->density);
    value[IRIS_T] = gas->T;
    value[IRIS_X_H2] = gas->x_H2;
    value[IRIS_X_CO] = gas->x_CO;
    value[IRIS_T_DUST] = gas->T_dust;
}

#endif
