/* output_law -- from excess and continuum to what was asked for, one channel, for this
 * processor and for GPUs. Private to transfer.
 */
#ifndef IRIS_OUTPUT_LAW_H
#define IRIS_OUTPUT_LAW_H

#include <math.h>

#include "both.h"
#include "elementary.h"
#include "transfer_law.h"

/* The one function here that a GPU has to take from elsewhere. */
#ifdef __CUDA_ARCH__
#define IRIS_LOG1P log1p
#else
#define IRIS_LOG1P iris_log1p
#endif

/* Constants in the unit system. */
struct iris_transfer_constants {
    double k, h, c;
};

struct iris_output_law {
    struct iris_transfer_constants constant;
    enum iris_subtraction subtraction;
    enum iris_output_units output;
    double temperature; /* of 1 K */
};

IRIS_BOTH double
iris_finite_or_0(double x)
{
    return isfinite(x) ? x : 0;
}

IRIS_BOTH double
iris_I_of(const struct iris_transfer_constants *k, double nu, double Tb)
{
    return iris_finite_or_0(2 * k->h * nu * nu * nu / (k->c * k->c) /
                            iris_expm1(k->h * nu / (k->k * Tb)));
}

IRIS_BOTH double
iris_Tb_of(const struct iris_transfer_constants *k, double nu, double I)
{
    return iris_finite_or_0(k->h * nu / k->k /
                            IRIS_LOG1P(2 * k->h * nu * nu * nu / (I * k->c * k->c)));
}

IRIS_BOTH double
iris_brightness(const struct iris_output_law *law, double T)
{
    return law->output == IRIS_OUT_TB ? T : T / law->temperature;
}

/*   in  scale  from intensities to the output's units; 0: brightness temperatures do
 *              not scale */
IRIS_BOTH double
iris_output_of(const struct iris_output_law *law, double nu, double scale, double excess, double C)
{
    const struct iris_transfer_constants *k = &law->constant;
    double I = law->subtraction == IRIS_SUBTRACT_CONTINUUM ? C : excess, E;

    if (law->subtraction == IRIS_SUBTRACT_TB) {
        /* the difference of brightness temperatures */
        E = iris_Tb_of(k, nu, C + excess) - iris_Tb_of(k, nu, C);
        return scale > 0 ? scale * iris_I_of(k, nu, E) : iris_brightness(law, E);
    }
    return scale > 0 ? scale * I : iris_brightness(law, iris_Tb_of(k, nu, I));
}

#endif
