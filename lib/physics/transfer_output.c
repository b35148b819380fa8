/* From excess and continuum of a line to the units of the output. */
#include <math.h>

#include "elementary.h"
#include "transfer_ray.h"

static double
finite_or_0(double x)
{
    return isfinite(x) ? x : 0;
}

static double
I_of(const struct iris_transfer_constants *k, double nu, double Tb)
{
    return finite_or_0(2 * k->h * nu * nu * nu / (k->c * k->c) /
                       iris_expm1(k->h * nu / (k->k * Tb)));
}

double
iris_transfer_planck(const struct iris_transfer_constants *k, double nu, double T)
{
    return T > 0 ? I_of(k, nu, T) : 0;
}

static double
Tb_of(const struct iris_transfer_constants *k, double nu, double I)
{
    return finite_or_0(k->h * nu / k->k / iris_log1p(2 * k->h * nu * nu * nu / (I * k->c * k->c)));
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

static double
brightness(const struct iris_solver *t, double T)
{
    return t->law.output == IRIS_OUT_TB ? T : T / t->law.units.temperature;
}

/* The difference of brightness temperatures. */
static double
difference(const struct iris_solver *t, const struct iris_band *b, size_t i)
{
    const struct iris_transfer_constants *k = &t->constant;
    double nu = frequency(b, i), C = t->continuum[i];
    double E = Tb_of(k, nu, C + t->excess[i]) - Tb_of(k, nu, C);

    return b->scale[i] > 0 ? b->scale[i] * I_of(k, nu, E) : brightness(t, E);
}

void
iris_transfer_output(const struct iris_solver *t, size_t line, double *spectrum)
{
    const struct iris_band *b = &t->band[line];
    size_t n = t->law.v_steps, i;
    const double *I = t->law.subtraction == IRIS_SUBTRACT_CONTINUUM ? t->continuum : t->excess;

    if (t->law.subtraction == IRIS_SUBTRACT_TB)
        for (i = 0; i < n; i++)
            spectrum[i] = difference(t, b, i);
    else if (b->scale[0] > 0)
        for (i = 0; i < n; i++)
            spectrum[i] = b->scale[i] * I[i];
    else
        for (i = 0; i < n; i++)
            spectrum[i] = brightness(t, Tb_of(&t->constant, frequency(b, i), I[i]));
}
