#include "simple.h"

#include <math.h>

void
iris_simple_add(const struct iris_simple_law *law, const double *v, size_t v_stride,
                const float *rho, size_t rho_stride, size_t n, double *spectrum)
{
    iris_simple_deposit(law, v, v_stride, rho, rho_stride, n, spectrum);
}

double
iris_H2_mass_factor(double mw_H2, double mw_H, double mw_He, double abundance_He)
{
    return mw_H2 / (mw_H + abundance_He * mw_He);
}
