/* The steps of a ray one by one, in double: what the precise arithmetic works
 * with. */
#include <math.h>
#include <string.h>

#include "elementary.h"
#include "transfer_ray.h"

/* Neighbouring samples are often of one cell. */
static int
is_same(const double *a, const double *b)
{
    int f;

    for (f = IRIS_V_R + 1; f < IRIS_FIELDS; f++)
        if (!(a[f] == b[f]))
            return 0;
    return 1;
}

/*   in  last    the sample before this one, and
 *   in  before  its step; NULL: none */
static void
make_step(const struct iris_step_law *k, const struct iris_line *line, const double *sample,
          const double *last, const struct iris_step *before, struct iris_step *s)
{
    double v = sample[IRIS_V_R];
    int tracer;

    if (!iris_step_is_gas(sample, 1 + v / k->c)) {
        *s = (struct iris_step){0};
        return;
    }
    if (before && before->is_gas && is_same(sample, last)) {
        *s = *before;
    } else {
        *s = (struct iris_step){0};
        iris_step_matter(k, line->table, &line->abundance, sample, s, &tracer);
    }
    iris_step_move(k, v, s);
}

static void
take_sample(const struct iris_samples *q, size_t i, size_t lane, double sample[IRIS_FIELDS])
{
    int f;

    if (!q->wide)
        sample[IRIS_V_R] = q->v[(ptrdiff_t)i * q->v_row + (ptrdiff_t)lane];
    for (f = q->wide ? IRIS_V_R : IRIS_V_R + 1; f < IRIS_FIELDS; f++)
        sample[f] = q->wide ? q->wide[(i * IRIS_FIELDS + (size_t)f) * IRIS_BUNDLE + lane]
                            : (double)q->field[f][(ptrdiff_t)i * q->row + (ptrdiff_t)lane];
}

void
iris_transfer_steps(struct iris_solver *t, size_t line, size_t lane)
{
    double sample[2][IRIS_FIELDS];
    size_t i;

    for (i = 0; i < t->law.r_steps; i++) {
        take_sample(&t->bundle.samples, i, lane, sample[i % 2]);
        make_step(&t->band[line].step, &t->line[line], sample[i % 2], sample[1 - i % 2],
                  i ? &t->step[i - 1] : NULL, &t->step[i]);
    }
}

void
iris_transfer_profile(const struct iris_band *b, const struct iris_step *s, struct iris_window w,
                      double *phi)
{
    const struct iris_profile_grid *g = &b->grid;
    double here, next;
    size_t f;

    if (!g->average) {
        for (f = w.from; f < w.to; f++)
            phi[f] = iris_profile_centre(g, s, (double)f);
        return;
    }
    here = iris_profile_edge(g, s, (double)w.from - 0.5);
    for (f = w.from; f < w.to; f++) {
        next = iris_profile_edge(g, s, (double)f + 0.5);
        phi[f] = (next - here) / (2 * g->width);
        here = next;
    }
}

void
iris_transfer_dust(const struct iris_solver *t, const struct iris_band *b,
                   const struct iris_step *s, double *jd)
{
    size_t n = t->law.v_steps, i;
    double ratio, e = 0;

    if (s->planck * s->ad == 0) {
        memset(jd, 0, n * sizeof *jd);
        return;
    }
    ratio = iris_exp(b->nu_step * s->per_kT);
    for (i = 0; i < n; i++) {
        double nu = b->nu_first + (double)i * b->nu_step;

        e = i % IRIS_DUST_ANEW ? e * ratio : iris_exp(nu * s->per_kT);
        jd[i] = iris_dust_emission(s, nu, e);
    }
}
