/* The steps of a ray one by one, in double: what the precise arithmetic works
 * with. */
#include <math.h>
#include <string.h>

#include "elementary.h"
#include "transfer_ray.h"

static double
tracer(const struct iris_solver *t, const struct iris_line *line, double rho, double T, double x_CO)
{
    const struct iris_unit_system *u = &t->law.units;
    double per_m3 = t->law.number * u->length * u->length * u->length;

    return iris_abundance_at(&line->abundance, rho / line->table->rho_per_N * per_m3,
                             T / u->temperature, x_CO);
}

/* The line of a step, but for its velocity. */
static void
make_line(const struct iris_solver *t, const struct iris_line *line, const double *sample, double x,
          struct iris_step *s)
{
    const struct iris_transfer_constants *k = &t->constant;
    double T = sample[IRIS_T];

    iris_line_table_at(line->table, &t->law.lookup, sample[IRIS_RHO], sample[IRIS_X_H2], T, &s->j,
                       &s->a);
    s->j *= x;
    s->a *= x;
    s->b = sqrt(2 * k->k * T / line->table->mass + line->v_turb * line->v_turb);
    s->norm = k->c / (s->b * line->table->nu * 1.7724538509055160273);
}

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
make_step(const struct iris_solver *t, const struct iris_line *line, const double *sample,
          const double *last, const struct iris_step *before, struct iris_step *s)
{
    const struct iris_transfer_constants *k = &t->constant;
    double rho = sample[IRIS_RHO], T = sample[IRIS_T], T_dust = sample[IRIS_T_DUST], x;
    double v = sample[IRIS_V_R], stretch = 1 + v / k->c;

    if (!(rho > 0) || !(T > 0) || !(stretch > 0)) {
        *s = (struct iris_step){0};
        return;
    }
    if (before && before->is_gas && is_same(sample, last)) {
        *s = *before;
    } else {
        *s = (struct iris_step){0};
        s->is_gas = 1;
        s->ad = line->kappa * rho;
        x = tracer(t, line, rho, isfinite(T) ? T : 0, sample[IRIS_X_CO]);
        if (x > 0 && isfinite(T))
            make_line(t, line, sample, x, s);
        if (T_dust > 0 && isfinite(T_dust))
            s->rest_per_kT = k->h / (k->k * T_dust);
    }
    s->v = v;
    if (s->rest_per_kT > 0) {
        s->per_kT = s->rest_per_kT / stretch;
        s->planck = 2 * k->h / (k->c * k->c * stretch * stretch * stretch);
    }
    if (s->b > 0)
        s->per_b = 1 / (s->b * stretch);
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
        make_step(t, &t->line[line], sample[i % 2], sample[1 - i % 2], i ? &t->step[i - 1] : NULL,
                  &t->step[i]);
    }
}

struct iris_window
iris_transfer_window(const struct iris_solver *t, const struct iris_step *s, double reach)
{
    double wide, lo, hi, n = (double)t->n;
    struct iris_window w = {0, 0};

    if (s->j == 0 && s->a == 0)
        return w;
    wide = reach / s->per_b + (t->average ? t->v_step / 2 : 0);
    lo = (s->v - wide - t->v_first) * t->per_v_step;
    hi = (s->v + wide - t->v_first) * t->per_v_step;
    /* whole numbers at or above lo, and at or below hi */
    if (hi >= 0 && lo < n) {
        w.from = lo > 0 ? (size_t)lo + ((double)(size_t)lo < lo) : 0;
        w.to = hi < n - 1 ? (size_t)hi + 1 : t->n;
    }
    if (w.to < w.from)
        w.to = w.from;
    return w;
}

void
iris_transfer_profile(const struct iris_solver *t, const struct iris_band *b,
                      const struct iris_step *s, struct iris_window w, double *phi)
{
    double here, next;
    size_t f;

    if (!t->average) {
        for (f = w.from; f < w.to; f++) {
            double x = (t->v_first + (double)f * t->v_step - s->v) * s->per_b;

            phi[f] = s->norm * iris_exp(-x * x);
        }
        return;
    }
    here = iris_erf((t->v_first + ((double)w.from - 0.5) * t->v_step - s->v) * s->per_b);
    for (f = w.from; f < w.to; f++) {
        next = iris_erf((t->v_first + ((double)f + 0.5) * t->v_step - s->v) * s->per_b);
        phi[f] = (next - here) / (2 * b->width);
        here = next;
    }
}

/* exp(nu per_kT) at even frequencies is a geometric sequence, taken up anew
 * before its rounding errors matter. */
void
iris_transfer_dust(const struct iris_solver *t, const struct iris_band *b,
                   const struct iris_step *s, double *jd)
{
    enum { ANEW = 32 };
    size_t n = t->law.v_steps, i;
    double ratio, e = 0;

    if (s->planck * s->ad == 0) {
        memset(jd, 0, n * sizeof *jd);
        return;
    }
    ratio = iris_exp(b->nu_step * s->per_kT);
    for (i = 0; i < n; i++) {
        double nu = b->nu_first + (double)i * b->nu_step, x = nu * s->per_kT, less;

        e = i % ANEW ? e * ratio : iris_exp(x);
        less = x < 0.1 ? iris_expm1(x) : e - 1;
        jd[i] = s->planck * nu * nu * nu / less * s->ad;
        if (!isfinite(jd[i]))
            jd[i] = 0;
    }
}
