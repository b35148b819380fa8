/* simple -- observing without radiative transfer: mass by velocity.
 *
 * Every sample deposits rho * dr / dv into the two velocity channels beside
 * its velocity, in proportion (cloud in cell). The result is mass per area and
 * velocity.
 *
 *   source  reference, "simple observer"
 */
#ifndef IRIS_SIMPLE_H
#define IRIS_SIMPLE_H

#include <math.h>
#include <stddef.h>

#include "both.h"

struct iris_simple_law {
    double v_min, v_max; /* velocity of the first and last channel */
    size_t v_steps;      /* at least 2 */
    double dr;           /* length of a sample along the ray */
    int drop;            /* gas more than half a channel outside the band is
                            dropped; 0: it all goes into the end channels */
};

/* Add n samples to a spectrum.
 *
 *   in     v, rho    [n], each with its stride
 *   inout  spectrum  [v_steps]
 */
void iris_simple_add(const struct iris_simple_law *law, const double *v, size_t v_stride,
                     const float *rho, size_t rho_stride, size_t n, double *spectrum);

/* As iris_simple_add; for this processor and for GPUs. */
IRIS_BOTH void
iris_simple_deposit(const struct iris_simple_law *law, const double *v, size_t v_stride,
                    const float *rho, size_t rho_stride, size_t n, double *spectrum)
{
    double dv = (law->v_max - law->v_min) / (double)(law->v_steps - 1);
    double per_rho = law->dr / dv, top = (double)(law->v_steps - 2);
    size_t i;

    for (i = 0; i < n; i++) {
        double p = (v[i * v_stride] - law->v_min) / dv;
        double channel = fmin(fmax(floor(p), 0.0), top);
        double u = p - channel, w = (double)rho[i * rho_stride] * per_rho;
        double *to = spectrum + (size_t)channel;

        if (law->drop && (u <= -0.5 || u >= 1.5))
            continue;
        u = fmin(fmax(u, 0.0), 1.0);
        to[0] += w * (1 - u);
        to[1] += w * u;
    }
}

/* Factor from total mass density of gas to mass density of H2 at x_H2 = 1.
 *
 *   in  mw_H2, mw_H, mw_He  molecular weights; abundance_He per H nucleus
 */
double iris_H2_mass_factor(double mw_H2, double mw_H, double mw_He, double abundance_He);

#endif
