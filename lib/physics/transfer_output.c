/* From excess and continuum of a line to the units of the output. */
#include <math.h>

#include "output_law.h"
#include "transfer_ray.h"

double
iris_transfer_planck(const struct iris_transfer_constants *k, double nu, double T)
{
    return T > 0 ? iris_I_of(k, nu, T) : 0;
}

static double
frequency(const struct iris_band *b, size_t i)
{
    return b->nu_first + (double)i * b->nu_step;
}

/* 0: brightness temperatures do not scale. */
void
iris_transfer_scale(const struct iris_solver *t, struct iris_band *b)
{
    const struct iris_transfer_constants *k = &t->constant;
    const struct iris_unit_system *u = &t->law.units;
    size_t i;

    for (i = 0; i < t->law.v_steps; i++) {
        double nu = frequency(b, i), per_I = k->c * k->c / (2 * k->k * nu * nu);

        switch (t->law.output) {
        case IRIS_OUT_I:
            b->scale[i] = 1;
            break;
        case IRIS_OUT_JY:
            b->scale[i] = 1 / (1e-26 * u->mass / (u->time * u->time));
            break;
        case IRIS_OUT_TRJ:
            b->scale[i] = per_I;
            break;
        case IRIS_OUT_TRJ_K:
            b->scale[i] = per_I / u->temperature;
            break;
        case IRIS_OUT_TB:
        case IRIS_OUT_TB_K:
            b->scale[i] = 0;
            break;
        }
    }
}

void
iris_transfer_output(const struct iris_solver *t, size_t line, double *spectrum)
{
    const struct iris_band *b = &t->band[line];
    struct iris_output_law law = {t->constant, t->law.subtraction, t->law.output,
                                  t->law.units.temperature};
    size_t i;

    for (i = 0; i < t->law.v_steps; i++)
        spectrum[i] = iris_output_of(&law, frequency(b, i), b->scale[i], t->excess[i],
                                     t->continuum[i]);
}
