/* The yardstick: every step on every channel, in double, as the formulas are
 * written. */
#include <math.h>
#include <string.h>

#include "elementary.h"
#include "transfer_ray.h"

/* An intensity on its way: at the last step and the one before. */
struct march {
    double *now, *before;
};

/* Emission and absorption on a grid, of this step and the one before. */
struct matter {
    double *j, *a, *last_j, *last_a;
};

enum { ARRAYS_FINE = 7, ARRAYS_COARSE = 6 };

size_t
iris_transfer_precise_size(const struct iris_solver *t)
{
    return ARRAYS_FINE * t->n + ARRAYS_COARSE * t->law.v_steps;
}

static void
exchange(double **a, double **b)
{
    double *keep = *a;

    *a = *b;
    *b = keep;
}

static void
pass(struct matter *m)
{
    exchange(&m->j, &m->last_j);
    exchange(&m->a, &m->last_a);
}

/* Trapezoid for the first interval, then the two-step backward formula. */
static void
step_smooth(size_t s, double h, size_t n, const struct matter *m, struct march *I)
{
    size_t f;

    if (s == 0)
        return;
    for (f = 0; f < n; f++) {
        if (s == 1)
            I->before[f] = iris_smooth_first(h, m->last_j[f], m->last_a[f], m->j[f], m->a[f],
                                             I->now[f]);
        else
            I->before[f] = iris_smooth_next(h, m->j[f], m->a[f], I->now[f], I->before[f]);
    }
    exchange(&I->now, &I->before);
}

static void
step_formal(double h, size_t n, const struct matter *m, struct march *I)
{
    size_t f;

    for (f = 0; f < n; f++)
        I->now[f] = iris_formal_step(h, m->j[f], m->a[f], I->now[f]);
}

/* Dust alone, on the channels. */
static void
fill_dust(const struct iris_solver *t, const struct iris_band *b, const struct iris_step *s,
          struct matter *dust)
{
    size_t i;

    iris_transfer_dust(t, b, s, dust->j);
    for (i = 0; i < t->law.v_steps; i++)
        dust->a[i] = s->ad;
}

/* A step's line is added to dust on the grid of profiles: phi is work space. */
static struct iris_window
line_profile(const struct iris_solver *t, const struct iris_band *b, const struct iris_step *s,
             double *phi)
{
    double reach = t->average ? IRIS_REACH_AVERAGE : IRIS_REACH_PRECISE;
    struct iris_window w = iris_step_window(&b->grid, s, reach);

    iris_transfer_profile(b, s, w, phi);
    return w;
}

static void
fill_thick(const struct iris_solver *t, const struct iris_band *b, const struct iris_step *s,
           const struct matter *dust, struct matter *all, double *phi)
{
    size_t fine = iris_transfer_fine(&t->law), last = t->law.v_steps - 1, f;
    struct iris_window w = line_profile(t, b, s, phi);

    for (f = 0; f < t->n; f++) {
        size_t k = fine ? f / fine : f;

        all->j[f] = dust->j[k < last ? k : last];
        all->a[f] = s->ad;
    }
    for (f = w.from; f < w.to; f++) {
        all->j[f] += s->j * phi[f];
        all->a[f] += s->a * phi[f];
    }
}

/* Selectively thin: the line emits, and absorbs the continuum C; only dust
 * absorbs what comes of it. */
static void
fill_selective(const struct iris_solver *t, const struct iris_band *b, const struct iris_step *s,
               const struct matter *dust, const double *C, struct matter *all, double *phi)
{
    struct iris_window w = line_profile(t, b, s, phi);
    size_t f;

    memcpy(all->j, dust->j, t->n * sizeof *all->j);
    memcpy(all->a, dust->a, t->n * sizeof *all->a);
    for (f = w.from; f < w.to; f++)
        all->j[f] += s->j * phi[f] - s->a * phi[f] * C[f];
}

/* The formal step of selectively thin transfer, as the reference has it: the
 * continuum's loss to dust counts twice. */
static void
step_selective_formal(const struct iris_solver *t, const struct iris_band *b,
                      const struct iris_step *s, const struct matter *dust, const double *C,
                      struct march *I, double *phi)
{
    struct iris_window w = line_profile(t, b, s, phi);
    double h = t->law.ds;
    size_t f;

    for (f = 0; f < t->n; f++) {
        int inside = f >= w.from && f < w.to;
        double j = dust->j[f] + (inside ? s->j * phi[f] : 0);
        double a = s->ad + (inside ? s->a * phi[f] : 0);

        I->now[f] = iris_selective_step(h, j, a, s->ad, C[f], I->now[f]);
    }
}

/* The same with the line's loss only, and exact for any optical depth. */
static void
step_selective_consistent(const struct iris_solver *t, const struct matter *all, double ad,
                          struct march *I)
{
    struct iris_consistent c = iris_consistent_of(t->law.ds, ad);
    size_t f;

    for (f = 0; f < t->n; f++)
        I->now[f] = iris_consistent_step(t->law.ds, all->j[f], c, I->now[f]);
}

/* Mean of the sub-channels by Simpson's rule. */
static void
average(const struct iris_solver *t, const double *I, double *total)
{
    size_t q = t->law.v_subsamples, fine = iris_transfer_fine(&t->law), k, m;

    if (!fine) {
        memcpy(total, I, t->law.v_steps * sizeof *total);
        return;
    }
    for (k = 0; k < t->law.v_steps; k++) {
        const double *f = I + k * fine;
        double sum = 0;

        for (m = 0; m < q; m++)
            sum += f[2 * m] + 4 * f[2 * m + 1] + f[2 * m + 2];
        total[k] = sum / (6 * (double)q);
    }
}

static double *
take(double **work, size_t n)
{
    double *p = *work;

    *work += n;
    return p;
}

void
iris_transfer_precise(struct iris_solver *t, size_t line)
{
    const struct iris_band *b = &t->band[line];
    size_t n = t->n, V = t->law.v_steps, fine = iris_transfer_fine(&t->law), s, f;
    double *work = t->real, h = t->law.ds;
    double *phi = take(&work, n);
    struct matter all = {take(&work, n), take(&work, n), take(&work, n), take(&work, n)};
    struct march I = {take(&work, n), take(&work, n)};
    struct matter dust = {take(&work, V), take(&work, V), take(&work, V), take(&work, V)};
    struct march C = {take(&work, V), take(&work, V)};
    int smooth = t->law.integration == IRIS_SMOOTH, thick = t->law.transfer == IRIS_THICK;

    memcpy(C.now, b->background, V * sizeof *C.now);
    for (f = 0; f < n; f++)
        I.now[f] = b->background[fine ? f / fine < V ? f / fine : V - 1 : f];
    for (s = 0; s < t->law.r_steps; s++) {
        const struct iris_step *step = &t->step[s];

        fill_dust(t, b, step, &dust);
        if (smooth)
            step_smooth(s, h, V, &dust, &C);
        else
            step_formal(h, V, &dust, &C);
        if (thick)
            fill_thick(t, b, step, &dust, &all, phi);
        else if (smooth || t->law.consistent_formal)
            fill_selective(t, b, step, &dust, C.now, &all, phi);
        if (smooth)
            step_smooth(s, h, n, &all, &I);
        else if (thick)
            step_formal(h, n, &all, &I);
        else if (t->law.consistent_formal)
            step_selective_consistent(t, &all, step->ad, &I);
        else
            step_selective_formal(t, b, step, &dust, C.now, &I, phi);
        pass(&dust);
        pass(&all);
    }
    average(t, I.now, t->total);
    for (f = 0; f < V; f++) {
        t->continuum[f] = C.now[f];
        t->excess[f] = t->total[f] - C.now[f];
    }
}

/* ---- thin transfer ---- */

void
iris_transfer_thin(struct iris_solver *t, size_t line)
{
    const struct iris_band *b = &t->band[line];
    size_t n = t->law.v_steps, i, f;
    double *phi = t->real;

    memset(t->excess, 0, n * sizeof *t->excess);
    memcpy(t->continuum, b->background, n * sizeof *t->continuum);
    for (i = 0; i < t->law.r_steps; i++) {
        const struct iris_step *s = &t->step[i];
        struct iris_window w = iris_step_window(&b->grid, s, IRIS_REACH_AVERAGE);

        if (t->weight[i] == 0)
            continue;
        iris_transfer_profile(b, s, w, phi);
        for (f = w.from; f < w.to; f++)
            t->excess[f] += t->weight[i] * s->j * phi[f];
        if (t->law.subtraction == IRIS_SUBTRACT_I)
            continue;
        iris_transfer_dust(t, b, s, phi);
        for (f = 0; f < n; f++)
            t->continuum[f] += t->weight[i] * phi[f];
    }
}
