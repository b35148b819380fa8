/* The line's excess D = I - C over the continuum, in single precision.
 *
 * The equations of the total and of the continuum are subtracted from each
 * other on paper, so that what is left is proportional to the line's own
 * emission and absorption and keeps its relative accuracy however faint the
 * line is. Differences of large numbers (emission against absorption of the
 * continuum) are formed in double, once a step.
 *
 * The continuum varies by a part in a thousand over a band: it is followed at
 * three frequencies, the ends and the middle, and is a parabola between them.
 *
 * A line is looked at only within its reach; outside it D runs on by itself,
 * and where no line has been yet it is zero. What is stored is D over a factor g
 * that follows, in double, how dust alone would dim it: tiny losses on many
 * steps would vanish in the rounding of D.
 */
#include <math.h>
#include <stdint.h>
#include <string.h>

#include "transfer_continuum.h"

/* D = g times what is stored. */
struct excess {
    float *now, *before, *phi;
    double g, last_g;
    const float *place;
    size_t from, to; /* outside: zero */
};

/* ---- single precision functions that compilers turn into vectors ---- */

static inline float
evaluate(struct iris_parabola p, float u)
{
    return p.c[0] + u * (p.c[1] + u * p.c[2]);
}

/* exp(y) for -87 <= y <= 87, relative error 2e-7: two to the nearest whole power
 * times a Taylor series. */
static inline float
exp_single(float y)
{
    float t = y * 1.44269504089f, p, r;
    int32_t n = (int32_t)(t + (t < 0 ? -0.5f : 0.5f));
    int32_t bits = (n + 127) * (1 << 23);
    float scale;

    memcpy(&scale, &bits, sizeof scale);
    r = (y - (float)n * 0.693359375f) + (float)n * 2.12194440e-4f;
    p = 1 + r * (1 + r * (0.5f + r * (1 / 6.0f + r * (1 / 24.0f + r * (1 / 120.0f + r / 720)))));
    return p * scale;
}

/* 1 - exp(-tau), tau > -1, with the relative accuracy of tau. */
static inline float
loss(float tau)
{
    float t = tau < 87 ? tau : 87;
    float series = t *
                   (1 - t * (0.5f - t * (1 / 6.0f - t * (1 / 24.0f - t * (1 / 120.0f - t / 720)))));

    return t < 0.25f && t > -0.25f ? series : 1 - exp_single(-t);
}

/* v exp(-tau): a small tau's loss is not rounded with 1, and of a large one no
 * difference is taken. */
static inline float
attenuated(float v, float tau)
{
    float t = tau < 87 ? tau : 87;

    return t < 0.25f && t > -0.25f ? v - v * loss(t) : v * exp_single(-t);
}

/* (1 - exp(-tau)) / tau */
static inline float
mean_escape(float tau)
{
    float safe = tau < 1e-6f && tau > -1e-6f ? 1 : tau;

    return tau < 1e-6f && tau > -1e-6f ? 1 - tau / 2 : loss(safe) / safe;
}

/* 1 - mean_escape(tau), with the relative accuracy of tau. */
static inline float
escape_lost(float tau)
{
    float series = tau * (0.5f - tau * (1 / 6.0f - tau * (1 / 24.0f - tau / 120)));

    return tau < 0.25f && tau > -0.25f ? series : 1 - mean_escape(tau);
}

/* mean_escape(line) - mean_escape(line + dust), with the relative accuracy of
 * dust: by the divided differences of its series, or by
 * dust / (line + dust) (f(line) - exp(-line) f(dust)). */
static inline float
escape_hindered(float line, float dust, float f_dust)
{
    float x = line + dust, y = line, xx = x * x, yy = y * y, xy = x * y;
    float series = 0.5f - (x + y) / 6 + (xx + xy + yy) / 24 - (x + y) * (xx + yy) / 120 +
                   (xx * xx + xy * (xx + xy + yy) + yy * yy) / 720;
    float far = x > 0.25f || x < -0.25f ? x : 1;

    if (x <= 0.25f && x > -0.25f)
        return dust * series;
    return dust / far * (mean_escape(line) - attenuated(f_dust, line));
}

/* ---- smooth ---- */

/* Of D itself, with D' and D'' one and two steps before, G = 2h norm (j - a C),
 * a = 2h norm a and dust = 2h a_d:
 *
 *   D = max(-C, (base E + phi G + clipped) / (base + dust + a phi))
 *
 * where base is 3 and base E = 4 D' - D'', but in the first interval base is 4
 * and base E what the step before gives to the trapezoid. Of D over g,
 *
 *   base E / (base + dust) = keep D' + trend (D' - D'')
 *
 * with keep 1 when g follows the same rule, g = (4 g' - g'') / (3 + dust). */
struct smooth {
    struct iris_parabola C, G, clipped; /* over g */
    float keep, trend, under, a;
    int is_clipped;
};

static void
run_on(const struct smooth *m, const struct excess *D, size_t from, size_t to)
{
    float *restrict before = D->before;
    const float *restrict now = D->now;
    const float *restrict place = D->place;
    struct smooth k = *m;
    size_t f;

    for (f = from; f < to; f++) {
        float v = k.keep * now[f] + (now[f] - before[f]) * k.trend;
        float least = -evaluate(k.C, place[f]);

        before[f] = v < least ? least : v;
    }
}

static void
run_line(const struct smooth *m, const struct excess *D, size_t from, size_t to)
{
    float *restrict before = D->before;
    const float *restrict now = D->now;
    const float *restrict place = D->place;
    const float *restrict phi = D->phi;
    struct smooth k = *m;
    size_t f;

    for (f = from; f < to; f++) {
        float v = k.keep * now[f] + (now[f] - before[f]) * k.trend, take = k.a * phi[f];
        float give = phi[f] * evaluate(k.G, place[f]), least = -evaluate(k.C, place[f]);

        if (k.is_clipped)
            give += evaluate(k.clipped, place[f]);
        v = take < 1 ? v + (give - v * take) / (k.under + take)
                     : (v * k.under + give) / (k.under + take);
        before[f] = v < least ? least : v;
    }
}

/* The profile over its norm, zero outside the window. */
static struct iris_window
fill_profile(const struct iris_solver *t, const struct iris_band *b, const struct iris_step *s,
             struct excess *D, double *norm)
{
    struct iris_window w = iris_transfer_window(
        t, s, t->average ? IRIS_REACH_AVERAGE : IRIS_REACH_SINGLE);
    double here = (t->v_first + (double)w.from * t->v_step - s->v) * s->per_b;
    double step = t->v_step * s->per_b;
    size_t f;

    if (w.from < w.to) {
        D->from = D->from < w.from ? D->from : w.from;
        D->to = D->to > w.to ? D->to : w.to;
    }
    *norm = s->norm;
    if (t->average) {
        iris_transfer_profile(t, b, s, w, t->real);
        *norm = 1 / b->width;
        for (f = w.from; f < w.to; f++)
            D->phi[f] = (float)(t->real[f] * b->width);
        return w;
    }
    for (f = w.from; f < w.to; f++) {
        double x = here + (double)(f - w.from) * step;

        D->phi[f] = exp_single((float)(-x * x));
    }
    return w;
}

static void
swap(struct excess *D)
{
    float *keep = D->now;

    D->now = D->before;
    D->before = keep;
}

/* Outside the window the line adds nothing; a clipped continuum does, though,
 * wherever D is not zero. */
static void
advance(struct smooth *m, struct excess *D, struct iris_window w)
{
    size_t f;

    if (m->is_clipped) {
        for (f = D->from; f < w.from && f < D->to; f++)
            D->phi[f] = 0;
        for (f = w.to > D->from ? w.to : D->from; f < D->to; f++)
            D->phi[f] = 0;
        run_line(m, D, D->from, D->to);
        return;
    }
    if (w.from >= w.to) {
        run_on(m, D, D->from, D->to);
        return;
    }
    run_on(m, D, D->from, w.from);
    run_line(m, D, w.from, w.to);
    run_on(m, D, w.to, D->to);
}

/* Take the factor of a step, unless dust is so thick that the rule for it does
 * not dim but oscillate. */
static void
dim(struct smooth *m, struct excess *D, size_t s, double dust)
{
    double g = s > 1 ? (4 * D->g - D->last_g) / (3 + dust) : 4 * D->g / (4 + dust);

    m->under = (float)((s > 1 ? 3 : 4) + dust);
    if (s > 1) {
        double next = g > D->g / 2 ? g : D->g;

        m->keep = (float)(g / next);
        m->trend = (float)(D->last_g / ((3 + dust) * next));
        D->last_g = D->g;
        D->g = next;
    } else {
        m->keep = (float)(4 / (4 + dust));
        m->trend = 0;
    }
}

/* Bring D' and D'' to a factor of 1, before the factor leaves the range of
 * single precision. */
static void
undim(struct excess *D)
{
    float g = (float)D->g, last_g = (float)D->last_g;
    size_t f;

    if (D->g > 1e-6)
        return;
    for (f = D->from; f < D->to; f++) {
        D->now[f] *= g;
        D->before[f] *= last_g;
    }
    D->g = D->last_g = 1;
}

static void
march_smooth(struct iris_solver *t, const struct iris_band *b, struct excess *D,
             struct iris_continuum *C)
{
    double h = t->law.ds;
    struct iris_nodes G;
    size_t s, f;
    int i;

    for (s = 0; s < t->law.r_steps; s++) {
        const struct iris_step *step = &t->step[s];
        double a = t->law.transfer == IRIS_THICK ? step->a : 0, norm;
        struct iris_window w = fill_profile(t, b, step, D, &norm);
        struct smooth m = {.a = (float)(2 * h * norm * a)};

        iris_continuum_smooth(C, t, b, s);
        for (i = 0; i < IRIS_NODES; i++)
            G.at[i] = 2 * h * norm * (step->j - step->a * C->now.at[i]);
        if (s == 0) {
            /* the first interval is a trapezoid: what this step gives to it */
            m.G = iris_fit(&G, 1);
            for (f = w.from; f < w.to; f++)
                D->now[f] = D->phi[f] * evaluate(m.G, D->place[f]) / 4;
        } else {
            undim(D);
            dim(&m, D, s, 2 * h * step->ad);
            m.G = iris_fit(&G, 1 / D->g);
            m.C = iris_fit(&C->now, 1 / D->g);
            m.clipped = iris_fit(&C->clipped, 1 / D->g);
            m.is_clipped = C->is_clipped;
            advance(&m, D, w);
            swap(D);
            if (s == 1)
                memset(D->before, 0, t->n * sizeof *D->before);
        }
    }
}

/* ---- formal ---- */

/* One step of a window, tau = tau_l phi + tau_d.
 *
 * No absorption by dust (thin):
 *   D = D' e + f (phi G - tau_d C') + h j_d (f - 1),   G = h norm (j - a C')
 * else, with the continuum C behind the step and the dust's source S,
 *   D = D' e + f phi G - tau_l (C - S) (f(tau_l) - f),  G = h norm (j - a C)
 * where e = exp(-tau) and f = (1 - e) / tau. Below the reference's limit for
 * absorption light is only added: D = D' + h j phi, and what dust took from the
 * continuum (rest). All over g, which dims by exp(-tau_d) where dust absorbs.
 */
struct formal {
    struct iris_parabola C, G, other, rest; /* over g */
    float tau_l, tau_d, j;                  /* j over g */
    float unthinned;                        /* D' over g without dust's loss, per D' over g */
    int thin;
};

static void
run_formal(const struct formal *m, const struct excess *D, struct iris_window w)
{
    static const float limit = 1e-6f;
    float *restrict now = D->now;
    const float *restrict phi = D->phi;
    const float *restrict place = D->place;
    struct formal k = *m;
    float f_dust = mean_escape(k.tau_d);
    size_t f;

    for (f = w.from; f < w.to; f++) {
        float line = k.tau_l * phi[f], tau = line + k.tau_d;
        float share = mean_escape(tau), other = evaluate(k.other, place[f]), v;
        float least = -evaluate(k.C, place[f]);

        v = attenuated(now[f], k.thin ? tau : line);
        v += share * phi[f] * evaluate(k.G, place[f]);
        if (k.thin)
            v -= other * escape_lost(tau) + share * k.tau_d * (evaluate(k.rest, place[f]));
        else
            v -= line * other * escape_hindered(line, k.tau_d, f_dust);
        if (!k.thin && tau < limit && tau > -limit)
            v = now[f] * k.unthinned + k.j * phi[f] + evaluate(k.rest, place[f]);
        now[f] = v < least ? least : v;
    }
}

/* Too thin to absorb: light is only added. */
static void
run_added(const struct formal *m, const struct excess *D, size_t from, size_t to)
{
    size_t f;

    for (f = from; f < to; f++)
        D->now[f] += m->j * D->phi[f];
}

/* Whether a point of a step with thin dust absorbs, which the reference decides
 * by a limit: single precision decides alike except near it. */
static int
absorbs(const struct iris_solver *t, const struct iris_band *b, const struct iris_step *s,
        const struct formal *m, const struct excess *D, size_t f)
{
    float near = fabsf(m->tau_l * D->phi[f] + m->tau_d) / 1e-6f;

    if (near > 0.999f && near < 1.001f) {
        iris_transfer_profile(t, b, s, (struct iris_window){f, f + 1}, t->real);
        return fabs(t->law.ds * (s->a * t->real[f] + s->ad)) >= 1e-6;
    }
    return near >= 1;
}

/* The part of a window that absorbs. */
static struct iris_window
absorbing(const struct iris_solver *t, const struct iris_band *b, const struct iris_step *s,
          const struct formal *m, const struct excess *D, struct iris_window w)
{
    while (w.from < w.to && !absorbs(t, b, s, m, D, w.from))
        w.from++;
    while (w.from < w.to && !absorbs(t, b, s, m, D, w.to - 1))
        w.to--;
    return w;
}

static void
march_formal(struct iris_solver *t, const struct iris_band *b, struct excess *D,
             struct iris_continuum *C)
{
    double h = t->law.ds, norm;
    struct iris_nodes G, other, rest;
    size_t s, f;
    int i;

    for (s = 0; s < t->law.r_steps; s++) {
        const struct iris_step *step = &t->step[s];
        struct iris_window w = fill_profile(t, b, step, D, &norm);
        struct formal m = {.tau_l = (float)(h * norm * step->a), .tau_d = (float)(h * step->ad)};

        iris_continuum_formal(C, t, b, s);
        m.thin = C->thin;
        for (i = 0; i < IRIS_NODES; i++) {
            double S = C->source.at[i], dust = h * step->ad * S;

            G.at[i] = h * norm * (step->j - step->a * (C->thin ? C->before.at[i] : C->now.at[i]));
            other.at[i] = C->thin ? dust : C->now.at[i] - S;
            rest.at[i] = C->thin ? C->before.at[i] : C->before.at[i] + dust - C->now.at[i];
        }
        undim(D);
        if (!C->thin && C->tau > 1) {
            /* too much for a factor */
            float e = (float)exp(-C->tau);

            for (f = D->from; f < D->to; f++)
                D->now[f] *= e;
            m.unthinned = 1 / e;
        } else if (!C->thin) {
            D->g *= exp(-C->tau);
            m.unthinned = (float)exp(C->tau);
        }
        m.j = (float)(h * norm * step->j / D->g);
        m.C = iris_fit(&C->now, 1 / D->g);
        m.G = iris_fit(&G, 1 / D->g);
        m.other = iris_fit(&other, 1 / D->g);
        m.rest = iris_fit(&rest, 1 / D->g);
        if (C->thin) {
            struct iris_window inner = absorbing(t, b, step, &m, D, w);

            run_added(&m, D, w.from, inner.from);
            run_added(&m, D, inner.to, w.to);
            w = inner;
        }
        run_formal(&m, D, w);
    }
}

/* ---- a line ---- */

size_t
iris_transfer_single_size(const struct iris_solver *t)
{
    return 3 * t->n;
}

int
iris_transfer_single(struct iris_solver *t, size_t line)
{
    const struct iris_band *b = &t->band[line];
    struct excess D = {.now = t->single,
                       .before = t->single + t->n,
                       .phi = t->single + 2 * t->n,
                       .g = 1,
                       .last_g = 1,
                       .place = t->place,
                       .from = t->n,
                       .to = 0};
    size_t last = t->law.v_steps - 1, k;
    struct iris_continuum C = {0};

    memset(D.now, 0, 2 * t->n * sizeof *D.now);
    iris_continuum_start(&C, t, b);
    if (t->law.integration == IRIS_SMOOTH)
        march_smooth(t, b, &D, &C);
    else
        march_formal(t, b, &D, &C);
    iris_transfer_collect(t, D.now, D.g, &C);
    for (k = 0; k <= last; k++)
        if (!isfinite(t->excess[k]))
            return -1;
    return 0;
}
