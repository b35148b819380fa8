/* The line's excess over the continuum, in single precision, where the line is:
 * optically thick, smooth, with profiles at points (transfer_single.c has the
 * equations, march.h how they are gone through).
 *
 * How far a step's line is followed depends on how much it matters: what its
 * wings add or take beyond is below a part in a million of the ray's peak, over
 * all steps together. The peak is estimated from what the steps would show each
 * alone; where it turns out lower the ray is done again.
 */
#include <math.h>
#include <string.h>

#include "transfer_continuum.h"

#define NEGLECTED  1e-6 /* of the ray's peak, over all steps */
#define LEAST_DIM  1e-6 /* the factor g is given back below */
#define LEAST_LEFT 1e-280
#define LAST_X2    (IRIS_REACH_SINGLE * IRIS_REACH_SINGLE)
#define MAX_ROUNDS 4

static size_t
blocks_of(const struct iris_solver *t)
{
    return (t->n + IRIS_BLOCK - 1) / IRIS_BLOCK;
}

size_t
iris_transfer_march_size(const struct iris_solver *t)
{
    return 2 * blocks_of(t) * IRIS_BLOCK;
}

/* Factors of a step, and what is left at the end of a ray of light that is there
 * before it. */
struct dimming {
    double g, last_g, left;
};

/* Of finite numbers: fmax and fmin are calls. */
static inline double
larger(double a, double b)
{
    return a > b ? a : b;
}

static void
dim(struct iris_march_step *m, struct dimming *d, size_t s, double dust)
{
    double under = (s > 1 ? 3 : 4) + dust, g, next;

    m->now = m->before = 1;
    if (d->g < LEAST_DIM) {
        m->now = (float)d->g;
        m->before = (float)d->last_g;
        d->last_g = d->g = 1;
        m->plain = 0;
    }
    m->under = (float)under;
    if (s == 1) {
        m->keep = (float)(4 / under);
        m->trend = 0;
        m->plain = 0;
        d->left *= 4 / under;
        return;
    }
    if (s == 2) {
        m->before = 0; /* at the first step there was no excess */
        m->plain = 0;
    }
    g = (4 * d->g - d->last_g) / under;
    next = g > d->g / 2 ? g : d->g;
    m->keep = (float)(g / next);
    m->plain &= g == next;
    m->trend = (float)(d->last_g / (under * next));
    /* thick dust dims by the size of a complex root */
    d->left *= g > d->g * 0.6 ? g / d->g : sqrt(1 / under);
    d->left = larger(d->left, LEAST_LEFT);
    d->last_g = d->g;
    d->g = next;
}

static double
largest(const struct iris_nodes *y)
{
    return larger(fabs(y->at[0]), larger(fabs(y->at[1]), fabs(y->at[2])));
}

/* The place of a line on the grid.
 *
 *   return  x of its profile at the grid point nearest to its centre
 */
static double
locate(const struct iris_solver *t, const struct iris_step *s, struct iris_march_step *m)
{
    double near = (s->v - t->v_first) / t->v_step + 0.5, last = (double)(t->n - 1), x;

    near = near > 0 ? near < last ? (double)(size_t)near : last : 0;
    x = (t->v_first + near * t->v_step - s->v) * s->per_b;
    m->x = (float)x;
    m->near = (float)near;
    m->dx = (float)(t->v_step * s->per_b);
    return x;
}

/* All steps of the ray, but for how far their lines are followed.
 *
 *   out  strength  [r_steps][2] what the line's centre adds at the end of the ray,
 *                  and its absorption 2h norm a
 *   return  what the brightest step would show of itself
 */
static double
prepare(struct iris_solver *t, const struct iris_band *b, struct iris_march *m,
        struct iris_march_step *out, double (*strength)[2], struct iris_continuum *C, double *g)
{
    double h = t->law.ds, peak = 0, floor_C = HUGE_VAL;
    struct dimming d = {1, 1, 1};
    size_t n = t->law.r_steps, s;
    struct iris_nodes G;
    int i;

    iris_continuum_start(C, t, b);
    for (s = 0; s < n; s++) {
        const struct iris_step *step = &t->step[s];
        double scale = 2 * h * step->norm, dust = 2 * h * step->ad, shown, per_g;
        struct iris_march_step *to = &out[s];

        iris_continuum_smooth(C, t, b, s);
        for (i = 0; i < IRIS_NODES; i++)
            G.at[i] = scale * (step->j - step->a * C->now.at[i]);
        *to = (struct iris_march_step){.plain = !C->is_clipped};
        if (s > 0)
            dim(to, &d, s, dust);
        per_g = 1 / d.g;
        for (i = 0; i < IRIS_NODES && s > 0; i++)
            if (C->now.at[i] * per_g < floor_C)
                floor_C = C->now.at[i] * per_g;
        to->a = (float)(scale * step->a);
        to->C = iris_fit(&C->now, per_g);
        to->G = iris_fit(&G, s > 0 ? per_g : 0.25);
        if (C->is_clipped)
            to->clipped = iris_fit(&C->clipped, per_g);
        strength[s][0] = largest(&G) / d.left;
        strength[s][1] = scale * step->a;
        if (step->j != 0 || step->a != 0) {
            double x = locate(t, step, to), phi;

            /* less than it would be with a profile of 1 */
            if (strength[s][0] <= peak * (4 + dust))
                continue;
            phi = exp(-x * x);
            shown = strength[s][0] * phi / (4 + dust + larger(strength[s][1], 0) * phi);
            peak = larger(peak, shown);
        }
    }
    for (s = 0; s < n; s++)
        strength[s][0] *= d.left;
    m->least = (float)(-0.99 * floor_C);
    *g = d.g;
    return peak * d.left;
}

/* A bound above ln(x), x > 1, from the power of two above it. */
static double
logarithm_above(double x)
{
    uint64_t bits;

    memcpy(&bits, &x, sizeof bits);
    return 0.69314718056 * (double)((int)(bits >> 52) - 1022);
}

/* Grid points where a line adds more than eps, or takes more than eps of what is
 * there. */
static void
reach(const struct iris_solver *t, const struct iris_step *s, const double strength[2], double peak,
      struct iris_march_step *m)
{
    double eps = NEGLECTED / (double)t->law.r_steps;
    double most = larger(strength[0], fabs(strength[1]) * peak) / (eps * peak), far;
    struct iris_window w = {0, 0};

    if (most > 1) {
        far = logarithm_above(most);
        w = iris_transfer_window(t, s, far < LAST_X2 ? sqrt(far) : IRIS_REACH_SINGLE);
    }
    m->from = (uint32_t)w.from;
    m->to = (uint32_t)w.to;
}

/* What the first step gives to the trapezoid of the first interval. */
static void
begin(const struct iris_march *m, const struct iris_march_step *s)
{
    size_t f, b;

    memset(m->Q, 0, 2 * m->blocks * IRIS_BLOCK * sizeof *m->Q);
    for (b = 0; b < m->blocks; b++)
        m->last[b] = -1;
    for (f = s->from; f < s->to; f++) {
        double x = (double)s->x + ((double)f - (double)s->near) * (double)s->dx,
               u = (double)m->place[f];
        double G = (double)s->G.c[0] + u * ((double)s->G.c[1] + u * (double)s->G.c[2]);

        m->Q[f] = (float)(exp(-x * x) * G);
        m->last[f / IRIS_BLOCK] = 0;
    }
}

static double
highest(const struct iris_solver *t)
{
    double top = 0;
    size_t i;

    for (i = 0; i < t->law.v_steps; i++)
        top = fmax(top, fabs(t->excess[i]));
    return top;
}

int
iris_transfer_march(struct iris_solver *t, size_t line)
{
    const struct iris_band *b = &t->band[line];
    size_t n = t->law.r_steps, s;
    struct iris_march m = {.steps = n - 1,
                           .step = t->march + 1,
                           .blocks = blocks_of(t),
                           .place = t->place,
                           .Q = t->single,
                           .before = t->single + blocks_of(t) * IRIS_BLOCK,
                           .last = t->last};
    struct iris_continuum C;
    double g, peak, seen = 0;
    int round;

    peak = prepare(t, b, &m, t->march, t->strength, &C, &g);
    for (round = 0; round < MAX_ROUNDS; round++) {
        for (s = 0; s < n; s++)
            reach(t, &t->step[s], t->strength[s], peak, &t->march[s]);
        begin(&m, &t->march[0]);
        iris_march_smooth(&m);
        iris_transfer_collect(t, m.Q, g, &C);
        seen = highest(t);
        if (!isfinite(seen))
            return -1;
        if (seen >= peak / 4 || seen == 0)
            break;
        peak = seen;
    }
    return 0;
}
