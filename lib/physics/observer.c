#include "observer.h"

#include <stdlib.h>
#include <string.h>

static void
observe_simple(void *self, const struct iris_column *c, double *spectra)
{
    const struct iris_simple_law *law = self;
    const float *rho = c->field[IRIS_RHO];
    size_t k;

    memset(spectra, 0, c->n_rays * law->v_steps * sizeof *spectra);
    for (k = 0; k < c->n_rays; k++)
        iris_simple_add(law, c->v + k, c->n_rays, rho + k, c->stride, c->n_r,
                        spectra + k * law->v_steps);
}

struct iris_observer
iris_observer_simple(struct iris_simple_law *law)
{
    return (struct iris_observer){observe_simple, law, 1U << IRIS_RHO, law->v_steps};
}

enum iris_status
iris_line_observer_init(struct iris_line_observer *o, const struct iris_transfer_law *law,
                        const struct iris_line *lines, size_t n_lines, struct iris_err *err)
{
    enum iris_status st;

    *o = (struct iris_line_observer){.r_steps = law->r_steps, .values = n_lines * law->v_steps};
    st = iris_solver_new(law, lines, n_lines, &o->solver, err);
    if (st)
        return st;
    o->sample = malloc(IRIS_FIELDS * law->r_steps * sizeof *o->sample);
    if (!o->sample) {
        iris_line_observer_release(o);
        return iris_fail_memory(err);
    }
    return IRIS_OK;
}

void
iris_line_observer_release(struct iris_line_observer *o)
{
    iris_solver_free(o->solver);
    free(o->sample);
    *o = (struct iris_line_observer){0};
}

static void
observe_lines(void *self, const struct iris_column *c, double *spectra)
{
    struct iris_line_observer *o = self;
    const double *sample[IRIS_FIELDS];
    size_t k, i;
    int f;

    for (f = 0; f < IRIS_FIELDS; f++)
        sample[f] = o->sample + (size_t)f * o->r_steps;
    for (k = 0; k < c->n_rays; k++) {
        for (i = 0; i < c->n_r; i++)
            o->sample[i] = c->v[i * c->n_rays + k];
        for (f = IRIS_V_R + 1; f < IRIS_FIELDS; f++)
            for (i = 0; i < c->n_r; i++)
                o->sample[(size_t)f * o->r_steps + i] = (double)c->field[f][i * c->stride + k];
        o->gas |= iris_solver_ray(o->solver, sample, spectra + k * o->values);
    }
}

struct iris_observer
iris_observer_lines(struct iris_line_observer *o)
{
    unsigned all = (1U << IRIS_FIELDS) - 1;

    return (struct iris_observer){observe_lines, o, all & ~(1U << IRIS_V_R), o->values};
}
