#include "observer.h"

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
    *o = (struct iris_line_observer){.values = n_lines * law->v_steps};
    return iris_solver_new(law, lines, n_lines, &o->solver, err);
}

void
iris_line_observer_release(struct iris_line_observer *o)
{
    iris_solver_free(o->solver);
    *o = (struct iris_line_observer){0};
}

static void
observe_lines(void *self, const struct iris_column *c, double *spectra)
{
    struct iris_line_observer *o = self;
    struct iris_rays rays = {.v_row = c->n_rays, .row = c->stride};
    size_t k, f;

    for (k = 0; k < c->n_rays; k += rays.n) {
        rays.n = c->n_rays - k < IRIS_SOLVER_RAYS ? c->n_rays - k : IRIS_SOLVER_RAYS;
        rays.v = c->v + k;
        for (f = IRIS_V_R + 1; f < IRIS_FIELDS; f++)
            rays.field[f] = c->field[f] + k;
        o->gas |= iris_solver_rays(o->solver, &rays, spectra + k * o->values);
    }
}

struct iris_observer
iris_observer_lines(struct iris_line_observer *o)
{
    unsigned all = (1U << IRIS_FIELDS) - 1;

    return (struct iris_observer){observe_lines, o, all & ~(1U << IRIS_V_R), o->values};
}
