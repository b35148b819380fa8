/* nearest_law -- the formulas that decide which cell a sample takes, and what
 * it takes from it. Every path evaluates them as they stand here, operation by
 * operation, so all come to the same bits. Private to the index and the
 * sampler.
 */
#ifndef IRIS_NEAREST_LAW_H
#define IRIS_NEAREST_LAW_H

#include "both.h"
#include "perturb.h"

/* Squared length of (dx, dy, dz) in the metric of a map, unscaled. */
IRIS_BOTH double
iris_norm2(const struct iris_linear_map *m, double dx, double dy, double dz)
{
    if (m->skewed) {
        double ex = m->a * dx + m->b * dy, ey = m->b * dx + m->c * dy;

        return ex * ex + ey * ey + dz * dz;
    }
    return dx * dx + dy * dy + dz * dz;
}

/* From the observed space to the unperturbed box.
 *
 *   in  back  scale^-1 M^-1 in the plane: [0] xx, [1] xy, [2] yy
 */
IRIS_BOTH void
iris_map_back(const struct iris_linear_map *m, const double back[3], const double x[3], double q[3])
{
    q[0] = back[0] * x[0] + back[1] * x[1];
    q[1] = back[1] * x[0] + back[2] * x[1];
    q[2] = x[2] / m->scale;
}

/* The sample at distance r on the ray from origin along direction. */
IRIS_BOTH void
iris_ray_at(const double origin[3], double r, const double direction[3], double x[3])
{
    int k;

    for (k = 0; k < 3; k++)
        x[k] = origin[k] + r * direction[k];
}

#endif
