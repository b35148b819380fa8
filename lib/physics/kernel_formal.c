/* Formal transfer of a bundle, optically thick. One step, tau = tau_l phi +
 * tau_d, e = exp(-tau) and f = (1 - e) / tau:
 *
 * No absorption by dust (thin):
 *   D = D' e + f (phi G - tau_d C') + h j_d (f - 1),   G = h norm (j - a C')
 * else, with the continuum C behind the step and the dust's source S,
 *   D = D' e + f phi G - tau_l (C - S) (f(tau_l) - f),  G = h norm (j - a C)
 *
 * Below the reference's limit for absorption light is only added: D = D' + h j
 * phi, and what dust took from the continuum (rest). All over g, which dims by
 * exp(-tau_d) where dust absorbs.
 *
 *   source  physics of the reference, "radiative transfer"
 */
#include "kernel_march.h"
#include "kernel_matter.h"

iris_bundle_steps_fn IRIS_LEVEL(iris_formal_steps);
iris_bundle_march_fn IRIS_LEVEL(iris_formal_march);

#define LEAST_DIM 1e-6  /* the factor g is given back below */
#define LIMIT     1e-6f /* of absorption */
#define MOST_LOST 1e280

/* ---- steps ---- */

/* Parabolas and factors of a step, and on to the next.
 *
 *   in  tau, e  of dust, exp(-tau)
 */
static inline void
prepare_light(const struct iris_bundle_law *k, const struct matter *m, vecd scale, vecd tau, vecd e,
              struct trail *t, float *row)
{
    vecl thin = tau < 1e-6, thick = ~thin & (tau > 1), spent = t->g < LEAST_DIM;
    vecd source[IRIS_NODES], G[IRIS_NODES], other[IRIS_NODES], rest[IRIS_NODES], fade, per_g;
    int i;

    dust_source(k, m, source);
    for (i = 0; i < IRIS_NODES; i++) {
        vecd before = t->C[i], dust = tau * source[i];

        t->C[i] = pick_d(thin, before + dust, (before - source[i]) * e + source[i]);
        G[i] = scale * (m->j - m->a * pick_d(thin, before, t->C[i]));
        other[i] = pick_d(thin, dust, t->C[i] - source[i]);
        rest[i] = before + keep_d(~thin, dust - t->C[i]);
    }
    /* too much for a factor */
    fade = pick_d(spent, t->g, all_d(1)) * pick_d(thick, e, all_d(1));
    t->g = pick_d(spent, all_d(1), t->g) * pick_d(thin | thick, all_d(1), e);
    per_g = 1 / t->g;
    for (i = 0; i < IRIS_NODES; i++)
        t->floor = lesser_double(t->floor, t->C[i] * per_g);
    t->lost = lesser_double(t->lost / pick_d(thin, all_d(1), e), all_d(MOST_LOST));
    store_half(row + IRIS_ROW_FADE * IRIS_BUNDLE, fade);
    store_half(row + IRIS_ROW_THIN * IRIS_BUNDLE, keep_d(thin, all_d(1)));
    store_half(row + IRIS_ROW_UNTHINNED * IRIS_BUNDLE, pick_d(thin, all_d(1), 1 / e));
    store_half(row + IRIS_ROW_J * IRIS_BUNDLE, scale * m->j * per_g);
    store_parabola(row + IRIS_ROW_C * IRIS_BUNDLE, t->C, per_g);
    store_parabola(row + IRIS_ROW_G * IRIS_BUNDLE, G, per_g);
    store_parabola(row + IRIS_ROW_OTHER * IRIS_BUNDLE, other, per_g);
    store_parabola(row + IRIS_ROW_REST * IRIS_BUNDLE, rest, per_g);
    other[0] = greater_double(largest(G), magnitude_d(scale * m->j));
    other[1] = scale * m->a;
    t->wild |= bits_d(beyond_single(other[0] * per_g, other[1]));
    other[2] = store_place(k, m, other[0], other[1], t->lost, row);
    t->peak = greater_double(t->peak,
                             other[0] * other[2] * t->lost *
                                 rough_inverse(1 + greater_double(other[1], all_d(0)) * other[2]));
}

static inline void
prepare_step(const struct iris_bundle_law *k, const struct iris_samples *q, const struct found *f,
             size_t s, size_t c, struct trail *t, float *row, double *exact)
{
    struct matter m = matter_at(k, q, f, s, c);
    vecd scale = k->ds * profile_norm(k, &m);
    vecd tau = k->ds * m.ad, lost = expm1_d(-lesser_double(tau, all_d(690))), e;
    vecl some = tau > 1e-6;

    t->gas |= bits_d(m.gas);
    t->tracer |= bits_d(m.tracer);
    t->wild |= bits_d(is_maser(k, &m) | is_steep(k, &m));
    /* 1 + lost has few digits where the loss is nearly all */
    e = 1 + lost;
    if (bits_d(tau > 1))
        e = pick_d(tau > 1, 1 / (1 + expm1_d(lesser_double(tau, all_d(690)))), e);
    prepare_light(k, &m, scale, tau, e, t, row);
    store_half(row + IRIS_ROW_A * IRIS_BUNDLE, scale * m.a);
    store_half(row + IRIS_ROW_TAU_D * IRIS_BUNDLE, tau);
    store_half(row + IRIS_ROW_F_DUST * IRIS_BUNDLE,
               pick_d(some, -lost / pick_d(some, tau, all_d(1)), 1 - 0.5 * tau));
    store_d(exact + IRIS_EXACT_V * IRIS_BUNDLE, m.v);
    store_d(exact + IRIS_EXACT_PER_B * IRIS_BUNDLE, m.per_b);
    store_d(exact + IRIS_EXACT_LINE * IRIS_BUNDLE, scale * m.a);
    store_d(exact + IRIS_EXACT_DUST * IRIS_BUNDLE, tau);
}

void
IRIS_LEVEL(iris_formal_steps)(const struct iris_bundle_law *law, struct iris_bundle *b)
{
    struct iris_bundle_law own = *law, *k = &own; /* that nothing else can change */
    struct iris_samples q = b->samples;
    struct found nodes[NODES_AHEAD];
    size_t c, s;

    b->gas = b->tracer = b->wild = 0;
    for (c = 0; c < IRIS_BUNDLE; c += VECD) {
        struct trail t = trail_begin(k);

        find_first(k, &q, c, nodes);
        for (s = 0; s < k->steps; s++) {
            struct found now = next_found(k, &q, s, c, nodes);

            prepare_step(k, &q, &now, s, c, &t, b->row + s * IRIS_ROWS_FORMAL * IRIS_BUNDLE + c,
                         b->exact + s * IRIS_EXACT * IRIS_BUNDLE + c);
        }
        trail_end(&t, b, c);
    }
}

/* ---- functions of optical depth ---- */

static inline veci
is_small(vecf tau)
{
    return magnitude(tau) < 0.25f;
}

/* 1 - exp(-tau), tau > -1, with the relative accuracy of tau. */
static inline vecf
loss(vecf tau)
{
    vecf series = 1 / 24.0f - tau * (1 / 120.0f - tau * (1 / 720.0f));

    series = tau * (1 - tau * (0.5f - tau * (1 / 6.0f - tau * series)));
    return pick(is_small(tau), series, 1 - exp_f(-tau, -IRIS_REACH2_SINGLE));
}

/* (1 - exp(-tau)) / tau */
static inline vecf
mean_escape(vecf tau, vecf lost)
{
    veci none = magnitude(tau) < 1e-6f;

    return pick(none, 1 - 0.5f * tau, lost / pick(none, all(1), tau));
}

/* 1 - mean_escape(tau), with the relative accuracy of tau. */
static inline vecf
escape_lost(vecf tau, vecf escape)
{
    vecf series = 1 / 6.0f - tau * (1 / 24.0f - tau * (1 / 120.0f));

    return pick(is_small(tau), tau * (0.5f - tau * series), 1 - escape);
}

/* v exp(-tau): a small tau's loss is not rounded with 1, and of a large one no
 * difference is taken. */
static inline vecf
attenuated(vecf v, vecf tau, vecf lost)
{
    return pick(is_small(tau), v - v * lost, v * exp_f(-tau, -IRIS_REACH2_SINGLE));
}

/* mean_escape(line) - mean_escape(line + dust), with the relative accuracy of
 * dust: by the divided differences of its series, or by
 * dust / (line + dust) (f(line) - exp(-line) f(dust)). */
static inline vecf
escape_hindered(vecf line, vecf line_escape, vecf line_lost, float dust, float f_dust)
{
    vecf x = line + dust, y = line, xx = x * x, yy = y * y, xy = x * y;
    vecf series = (xx + xy + yy) * (1 / 24.0f) - (x + y) * (xx + yy) * (1 / 120.0f) +
                  (xx * xx + xy * (xx + xy + yy) + yy * yy) * (1 / 720.0f);
    veci near = magnitude(x) < 0.25f;
    vecf far = pick(near, all(1), x);

    series = dust * (0.5f - (x + y) * (1 / 6.0f) + series);
    return pick(near, series,
                dust / far * (line_escape - attenuated(all(f_dust), line, line_lost)));
}

/* ---- march ---- */

/* A part of a block in a step. */
struct place {
    const float *row;
    size_t lane;
    vecf u, phi;
};

static inline vecf
value(const struct place *p, int what)
{
    return parabola(p->row, what, p->lane, p->u);
}

/* Whether a point of a step absorbs, which the reference decides by a limit:
 * single precision decides alike except near it. */
static veci
decide(const struct iris_bundle_law *k, const double *exact, size_t lane, vecf index, vecf tau)
{
    const double *e = exact + lane;
    float at[VEC], near[VEC];
    int32_t absorbs[VEC];
    veci answer;
    int i;

    store(at, index);
    store(near, magnitude(tau) / LIMIT);
    for (i = 0; i < VEC; i++) {
        absorbs[i] = near[i] >= 1 ? -1 : 0;
        if (near[i] > 0.999f && near[i] < 1.001f) {
            double line = iris_profile_at(k, e[IRIS_EXACT_V * IRIS_BUNDLE],
                                          e[IRIS_EXACT_PER_B * IRIS_BUNDLE], (double)at[i]) *
                          e[IRIS_EXACT_LINE * IRIS_BUNDLE];
            double all = line + e[IRIS_EXACT_DUST * IRIS_BUNDLE];

            absorbs[i] = all >= 1e-6 || all <= -1e-6 ? -1 : 0;
        }
    }
    memcpy(&answer, absorbs, sizeof answer);
    return answer;
}

/* Where dust absorbs.
 *
 *   out  absorbs  whether a point does */
static inline vecf
step_dusty(const struct iris_bundle_law *k, const struct place *p, const double *exact, vecf index,
           vecf now, veci *absorbs)
{
    vecf line = number(p->row, IRIS_ROW_A, p->lane) * p->phi, lost = loss(line), tau, share, v,
         plain;
    float dust = number(p->row, IRIS_ROW_TAU_D, p->lane);

    tau = line + dust;
    share = mean_escape(tau, loss(tau));
    v = attenuated(now, line, lost) + share * p->phi * value(p, IRIS_ROW_G);
    v -= line * value(p, IRIS_ROW_OTHER) *
         escape_hindered(line, mean_escape(line, lost), lost, dust,
                         number(p->row, IRIS_ROW_F_DUST, p->lane));
    *absorbs = all_int(-1);
    if (!any(magnitude(tau) < 1.001f * LIMIT))
        return v;
    *absorbs = decide(k, exact, p->lane, index, tau);
    plain = now * number(p->row, IRIS_ROW_UNTHINNED, p->lane) +
            number(p->row, IRIS_ROW_J, p->lane) * p->phi + value(p, IRIS_ROW_REST);
    return pick(*absorbs, v, plain);
}

/* Where it is too thin to. */
static inline vecf
step_thin(const struct iris_bundle_law *k, const struct place *p, const double *exact, vecf index,
          vecf now, veci *absorbs)
{
    vecf line = number(p->row, IRIS_ROW_A, p->lane) * p->phi, tau, lost, share, v, near;
    float dust = number(p->row, IRIS_ROW_TAU_D, p->lane);
    vecf added = now + number(p->row, IRIS_ROW_J, p->lane) * p->phi;

    tau = line + dust;
    *absorbs = magnitude(tau) >= LIMIT;
    near = magnitude(magnitude(tau) - LIMIT);
    if (any(near < 0.001f * LIMIT))
        *absorbs = decide(k, exact, p->lane, index, tau);
    if (!any(*absorbs))
        return added;
    lost = loss(tau);
    share = mean_escape(tau, lost);
    v = attenuated(now, tau, lost) + share * p->phi * value(p, IRIS_ROW_G) -
        value(p, IRIS_ROW_OTHER) * escape_lost(tau, share) - share * dust * value(p, IRIS_ROW_REST);
    return pick(*absorbs, v, added);
}

/* Light is not below 0 where it is absorbed. Where it is only added the reference
 * lets it go there: no number, so that the ray is left to the precise arithmetic. */
static inline vecf
hold_light(vecf v, float least, vecf floor, veci absorbs)
{
    veci below = (v < least) & (v < floor), far_below = v < 1.001f * floor;

    return pick(below, pick(~absorbs & far_below, all(__builtin_nanf("")), floor), v);
}

static inline void
visit(const struct iris_bundle_law *k, const struct iris_bundle *b, const float *row,
      const double *exact, float far, size_t lane, size_t block)
{
    size_t at = block * IRIS_BLOCK, end = at + IRIS_BLOCK;
    float *Q = b->Q + lane * k->blocks * IRIS_BLOCK;
    int thin = number(row, IRIS_ROW_THIN, lane) > 0;
    vecf index = indices(block);

    b->last[lane * k->blocks + block] = 0;
    for (; at < end; at += VEC, index += (float)VEC) {
        struct place p = {row, lane, load(k->place + at),
                          profile(row, lane, index, k->average, far)};
        vecf now = load(Q + at), v;
        veci absorbs;

        v = thin ? step_thin(k, &p, exact, index, now, &absorbs)
                 : step_dusty(k, &p, exact, index, now, &absorbs);
        if (any_below(v, b->least[lane]))
            v = hold_light(v, b->least[lane], -value(&p, IRIS_ROW_C), absorbs);
        store(Q + at, v);
    }
}

static void
fade(const struct iris_bundle_law *k, const struct iris_bundle *b, float factor, size_t lane)
{
    size_t n = k->blocks * IRIS_BLOCK, i;

    for (i = 0; i < n; i++)
        b->Q[lane * n + i] *= factor;
}

void
IRIS_LEVEL(iris_formal_march)(const struct iris_bundle_law *k, struct iris_bundle *b,
                              unsigned active)
{
    struct reach reach;
    size_t lane, s, block;

    clear_blocks(k, b, active);
    for (s = 0; s < k->steps; s++) {
        const float *row = b->row + s * IRIS_ROWS_FORMAL * IRIS_BUNDLE;
        const double *exact = b->exact + s * IRIS_EXACT * IRIS_BUNDLE;

        find_reach(k, b, row, &reach);
        for (lane = 0; lane < IRIS_BUNDLE; lane++) {
            float factor = number(row, IRIS_ROW_FADE, lane);

            if (!(active >> lane & 1))
                continue;
            if (factor < 1)
                fade(k, b, factor, lane);
            for (block = (size_t)reach.from[lane] / IRIS_BLOCK;
                 reach.from[lane] < reach.to[lane] && block * IRIS_BLOCK < (size_t)reach.to[lane];
                 block++)
                visit(k, b, row, exact, reach.far[lane], lane, block);
        }
    }
    find_highest(k, b, active);
}
