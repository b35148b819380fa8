#include "simple.h"

#include <math.h>

void
iris_simple_add(const struct iris_simple_law *law, const double *v, size_t v_stride,
                const float *rho, size_t rho_stride, size_t n, double *spectrum)
{
    double dv = (law->v_max - law->v_min) / (double)(law->v_steps - 1);
    double per_rho = law->dr / dv, top = (double)(law->v_steps - 2);
    size_t i;

    for (i = 0; i < n; i++) {
        double p = (v[i * v_stride] - law->v_min) / dv;
        double channel = fmin(fmax(floor(p), 0), top);
        double u = p - channel, w = (double)rho[i * rho_stride] * per_rho;
        double *to = spectrum + (size_t)channel;

        if (law->drop && (u <= -0.5 || u >= 1.5))
            continue;
        u = fmin(fmax(u, 0), 1);
        to[0] += w * (1 - u);
        to[1] += w * u;
    }
}

double
iris_H2_mass_factor(double mw_H2, double mw_H, double mw_He, double abundance_He)
{
    return mw_H2 / (mw_H + abundance_He * mw_He);
}
