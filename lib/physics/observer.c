#include "observer.h"

#include <string.h>

#include "aligned.h"

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

static inline void
take_few(const float *from, size_t n, double *to)
{
    size_t l;

    if (n == IRIS_SOLVER_RAYS) /* the common case, without a loop */
        for (l = 0; l < IRIS_SOLVER_RAYS; l++)
            to[l] = (double)from[l];
    else
        for (l = 0; l < n; l++)
            to[l] = (double)from[l];
}

/* Rays [k, k + n) side by side. Those after them are fetched from memory, where
 * rows are far apart, while these are observed. (A function that does nothing else
 * is lost by some compilers.) */
static void
take_rays(struct iris_solver *solver, const struct iris_column *c, size_t k, size_t n)
{
    size_t next = k + IRIS_SOLVER_RAYS, i, f;
    int is_line = next % (IRIS_CACHE_LINE / sizeof(float)) == 0, is_more = next < c->n_rays;

    for (i = 0; i < c->n_r; i++) {
        double *row = iris_solver_row(solver, i);
        const double *v = c->v + i * c->n_rays;

        memcpy(row, v + k, n * sizeof *row);
        if (is_more)
            __builtin_prefetch(v + next, 0, 3);
        for (f = IRIS_V_R + 1; f < IRIS_FIELDS; f++) {
            const float *from = c->field[f] + i * c->stride;

            take_few(from + k, n, row + f * IRIS_SOLVER_RAYS);
            if (is_more && is_line)
                __builtin_prefetch(from + next, 0, 3);
        }
    }
}

static void
observe_lines(void *self, const struct iris_column *c, double *spectra)
{
    struct iris_line_observer *o = self;
    size_t k, n;

    for (k = 0; k < c->n_rays; k += n) {
        n = c->n_rays - k < IRIS_SOLVER_RAYS ? c->n_rays - k : IRIS_SOLVER_RAYS;
        take_rays(o->solver, c, k, n);
        o->gas |= iris_solver_rays(o->solver, n, spectra + k * o->values);
    }
}

struct iris_observer
iris_observer_lines(struct iris_line_observer *o)
{
    unsigned all = (1U << IRIS_FIELDS) - 1;

    return (struct iris_observer){observe_lines, o, all & ~(1U << IRIS_V_R), o->values};
}
