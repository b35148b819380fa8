/* Smooth transfer of a bundle: the two-step backward formula. Of D itself, with
 * D' and D'' one and two steps before, G = 2h norm (j - a C), a = 2h norm a and
 * dust = 2h a_d:
 *
 *   D = max(-C, (base E + phi G + clipped) / (base + dust + a phi))
 *
 * where base is 3 and base E = 4 D' - D'', but in the first interval base is 4
 * and base E what the step before gives to the trapezoid. Of D over g,
 *
 *   base E / (base + dust) = keep D' + trend (D' - D'')
 *
 * with keep 1 when g follows the same rule, g = (4 g' - g'') / (3 + dust).
 * Selectively thin, a is in G only.
 *
 *   source  physics of the reference, "radiative transfer"
 */
#include "kernel_march.h"
#include "kernel_matter.h"

iris_bundle_steps_fn IRIS_LEVEL(iris_smooth_steps);
iris_bundle_march_fn IRIS_LEVEL(iris_smooth_march);

#define LEAST_DIM 1e-6 /* the factor g is given back below */
#define MOST_LOST 1e280

/* ---- steps ---- */

/* What goes from step to step. */
struct track {
    struct trail all;
    vecd before[IRIS_NODES];     /* continuum of the last step */
    vecd source[IRIS_NODES], ad; /* of the last step */
    vecd last_g, per_g;
    vecd opaque;    /* under, of a thick step just before that has not counted yet */
    vecd odd;       /* steps so far that are not plain */
    vecl plain;     /* the step at hand */
    vecd now, last; /* what D' and D'' are multiplied by */
    vecd clipped[IRIS_NODES];
    float *odds; /* [steps][IRIS_ODDS][8] of these lanes */
};

static inline void
continue_continuum(const struct iris_bundle_law *k, const struct matter *m, size_t s,
                   vecd per_under, struct track *t)
{
    vecd dust = 2 * k->ds * m->ad, over, C, source[IRIS_NODES];
    vecl dark = {0}, lit = {0};
    int i;

    dust_source(k, m, source);
    for (i = 0; i < IRIS_NODES && s > 0; i++) {
        over = dust * source[i];
        if (s == 1)
            over = over +
                   (2 * k->ds * t->ad * t->source[i] + (4 - 2 * k->ds * t->ad) * t->all.C[i]);
        else
            over = over + (4 * t->all.C[i] - t->before[i]);
        C = over * per_under;
        t->before[i] = t->all.C[i];
        t->all.C[i] = greater_double(C, all_d(0));
        t->clipped[i] = keep_d(C < 0, over);
        t->plain &= C >= 0;
        dark |= C < 0;
        lit |= C >= 0;
    }
    /* no parabola ends at 0 within the band */
    t->all.wild |= bits_d(dark & lit);
    t->ad = m->ad;
    memcpy(t->source, source, sizeof source);
}

/* Give the factor g back where there is little left of it. */
static inline void
give_back(struct track *t)
{
    vecl spent = t->all.g < LEAST_DIM;

    t->now = t->last = all_d(1);
    if (!bits_d(spent))
        return;
    t->now = pick_d(spent, t->all.g, t->now);
    t->last = pick_d(spent, t->last_g, t->last);
    t->all.g = pick_d(spent, all_d(1), t->all.g);
    t->last_g = pick_d(spent, all_d(1), t->last_g);
    t->per_g = pick_d(spent, all_d(1), t->per_g);
    t->plain &= ~spent;
}

/* The factor g of a step beyond the first interval, and 1 / under. */
static inline vecd
dim(vecd under, struct track *t, vecd *keep, vecd *trend)
{
    vecd more = 4 * t->all.g - t->last_g, both, per_under, g, next, per_next, loss, pair;
    vecl rule, thick;

    more = greater_double(more, 1e-9 * t->all.g);
    both = 1 / (under * more);
    per_under = both * more;
    g = more * per_under;
    rule = g > t->all.g * 0.5;
    next = pick_d(rule, g, t->all.g);
    per_next = pick_d(rule, both * under * under, t->per_g);
    *keep = pick_d(rule, all_d(1), g * per_next);
    *trend = t->last_g * per_under * per_next;
    t->plain &= rule;
    /* what was before a step of thick dust comes back after it; two are opaque */
    thick = g <= t->all.g * 0.6;
    loss = t->all.g * per_next;
    if (bits_d(thick)) {
        pair = lesser_double(under, t->opaque);
        loss = pick_d(thick, pick_d(t->opaque > 0, pair, all_d(1)), loss);
    }
    t->opaque = keep_d(thick & (t->opaque == 0), under);
    t->all.lost = t->all.lost * loss;
    t->all.lost = lesser_double(t->all.lost, all_d(MOST_LOST));
    t->last_g = t->all.g;
    t->all.g = next;
    t->per_g = per_next;
    return per_under;
}

/*   return  1 / under */
static inline vecd
next_factor(size_t s, vecd under, struct track *t, float *row)
{
    vecd keep, trend = {0}, per_under;

    give_back(t);
    if (s == 1) {
        per_under = 1 / under;
        keep = 4 * per_under;
        t->all.lost = t->all.lost * (under * 0.25);
    } else {
        per_under = dim(under, t, &keep, &trend);
    }
    if (s <= 2)
        t->plain = (vecl){0};
    if (s == 2)
        t->last = all_d(0); /* at the first step there was no excess */
    store_half(row + IRIS_ROW_KEEP * IRIS_BUNDLE, keep);
    store_half(row + IRIS_ROW_TREND * IRIS_BUNDLE, trend);
    return per_under;
}

static inline void
prepare_step(const struct iris_bundle_law *k, const struct iris_samples *q, const struct found *f,
             size_t s, size_t c, struct track *t, float *row)
{
    struct matter m = matter_at(k, q, f, s, c);
    vecd under = (s == 1 ? 4 : 3) + 2 * k->ds * m.ad, scale, G[IRIS_NODES], size, phi;
    int i;

    t->all.gas |= bits_d(m.gas);
    t->all.tracer |= bits_d(m.tracer);
    t->all.wild |= bits_d(is_maser(k, &m) | is_steep(k, &m));
    t->plain = is_number_d(under);
    continue_continuum(k, &m, s, s > 0 ? next_factor(s, under, t, row) : under, t);
    scale = 2 * k->ds * profile_norm(k, &m);
    for (i = 0; i < IRIS_NODES; i++)
        G[i] = scale * (m.j - m.a * t->all.C[i]);
    for (i = 0; i < IRIS_NODES && s > 0; i++)
        t->all.floor = lesser_double(t->all.floor, t->all.C[i] * t->per_g);
    t->odd = t->odd + keep_d(~t->plain, all_d(1));
    store_half(row + IRIS_ROW_ODD * IRIS_BUNDLE, t->odd);
    store_half(row + IRIS_ROW_UNDER * IRIS_BUNDLE, under);
    store_parabola(row + IRIS_ROW_C * IRIS_BUNDLE, t->all.C, t->per_g);
    store_parabola(row + IRIS_ROW_G * IRIS_BUNDLE, G, s > 0 ? t->per_g : all_d(0.25));
    if (s > 0 && bits_d(~t->plain)) {
        float *odd = t->odds + s * IRIS_ODDS * IRIS_BUNDLE;

        store_half(odd + IRIS_ODD_NOW * IRIS_BUNDLE, t->now);
        store_half(odd + IRIS_ODD_BEFORE * IRIS_BUNDLE, t->last);
        store_parabola(odd + IRIS_ODD_CLIPPED * IRIS_BUNDLE, t->clipped, t->per_g);
    }
    scale = k->selective ? all_d(0) : scale * m.a;
    store_half(row + IRIS_ROW_A * IRIS_BUNDLE, scale);
    size = largest(G);
    t->all.wild |= bits_d(beyond_single(size * t->per_g, scale));
    phi = store_place(k, &m, size, scale, t->all.lost, row);
    size = size * phi * rough_inverse(4 + greater_double(scale, all_d(0)) * phi) * t->all.lost;
    t->all.peak = greater_double(t->all.peak, size);
}

void
IRIS_LEVEL(iris_smooth_steps)(const struct iris_bundle_law *law, struct iris_bundle *b)
{
    struct iris_bundle_law own = *law, *k = &own; /* that nothing else can change */
    struct iris_samples q = b->samples;
    struct found nodes[NODES_AHEAD];
    size_t c, s;

    b->gas = b->tracer = b->wild = 0;
    for (c = 0; c < IRIS_BUNDLE; c += VECD) {
        struct track t = {
            .all = trail_begin(k), .last_g = all_d(1), .per_g = all_d(1), .odds = b->odd + c};

        find_first(k, &q, c, nodes);
        for (s = 0; s < k->steps; s++) {
            struct found now = next_found(k, &q, s, c, nodes);

            prepare_step(k, &q, &now, s, c, &t, b->row + s * IRIS_ROWS_SMOOTH * IRIS_BUNDLE + c);
        }
        trail_end(&t.all, b, c);
    }
}

/* ---- march ---- */

/* A ray on its march. */
struct ray {
    const struct iris_bundle_law *law;
    const float *row; /* [steps][IRIS_ROWS_SMOOTH][8] */
    const float *odd; /* [steps][IRIS_ODDS][8] */
    size_t lane;
    float *Q, *before;
    int32_t *last;
    float least;
};

static inline const float *
row_of(const struct ray *r, size_t s)
{
    return r->row + s * IRIS_ROWS_SMOOTH * IRIS_BUNDLE;
}

static inline const float *
odd_of(const struct ray *r, size_t s)
{
    return r->odd + s * IRIS_ODDS * IRIS_BUNDLE;
}

static inline int
is_plain(const struct ray *r, size_t from, size_t to)
{
    return number(row_of(r, to - 1), IRIS_ROW_ODD, r->lane) ==
           number(row_of(r, from - 1), IRIS_ROW_ODD, r->lane);
}

/* One step without its line, on a part of a block. */
static inline void
run_on(const struct ray *r, size_t s, vecf u, vecf *Q, vecf *before)
{
    const float *row = row_of(r, s), *odd = odd_of(r, s);
    vecf now = *Q, was = *before, v;
    int plain = is_plain(r, s, s + 1);

    if (!plain) {
        now *= number(odd, IRIS_ODD_NOW, r->lane);
        was *= number(odd, IRIS_ODD_BEFORE, r->lane);
    }
    v = number(row, IRIS_ROW_KEEP, r->lane) * now +
        (now - was) * number(row, IRIS_ROW_TREND, r->lane);
    if (!plain)
        v += parabola(odd, IRIS_ODD_CLIPPED, r->lane, u) / number(row, IRIS_ROW_UNDER, r->lane);
    *before = now;
    *Q = greater(v, -parabola(row, IRIS_ROW_C, r->lane, u));
}

/* Steps [from, to) of a gap in a block, step by step. */
static void
walk(const struct ray *r, size_t block, size_t from, size_t to)
{
    size_t at = block * IRIS_BLOCK, end = at + IRIS_BLOCK, s;

    for (; at < end; at += VEC) {
        vecf Q = load(r->Q + at), before = load(r->before + at), u = load(r->law->place + at);

        for (s = from; s < to; s++)
            run_on(r, s, u, &Q, &before);
        store(r->Q + at, Q);
        store(r->before + at, before);
    }
}

/* The same all at once, if they are plain: with the factor g taken out, the
 * excess without a line only relaxes, Q_s - Q_{s-1} = trend_s (Q_{s-1} - Q_{s-2}). */
static void
jump(const struct ray *r, size_t block, size_t from, size_t to)
{
    size_t at = block * IRIS_BLOCK, end = at + IRIS_BLOCK, i, s;
    float sum = 0, product = 1;
    int reaches = 0;

    if (!is_plain(r, from, to)) {
        walk(r, block, from, to);
        return;
    }
    for (s = from; s < to && product > 1e-9f; s++) {
        product *= number(row_of(r, s), IRIS_ROW_TREND, r->lane);
        sum += product;
    }
    for (i = at; i < end; i += VEC) {
        vecf Q = load(r->Q + i), there = Q + (Q - load(r->before + i)) * sum;

        reaches |= any_below(there, r->least) | any_below(Q, r->least);
    }
    if (reaches) {
        walk(r, block, from, to);
        return;
    }
    for (i = at; i < end; i += VEC) {
        vecf Q = load(r->Q + i), change = Q - load(r->before + i), there = Q + change * sum;

        store(r->before + i, s < to ? there : there - change * product);
        store(r->Q + i, there);
    }
}

/* A step of a ray with its line. */
struct line {
    float under, a, keep, trend, G[3], far;
    const float *odd; /* NULL: it is plain */
};

static inline struct line
line_of(const struct ray *r, const float *row, size_t s, float far)
{
    struct line line = {.under = number(row, IRIS_ROW_UNDER, r->lane),
                        .a = number(row, IRIS_ROW_A, r->lane),
                        .keep = number(row, IRIS_ROW_KEEP, r->lane),
                        .trend = number(row, IRIS_ROW_TREND, r->lane),
                        .far = far,
                        .odd = is_plain(r, s, s + 1) ? NULL : odd_of(r, s)};
    int i;

    for (i = 0; i < 3; i++)
        line.G[i] = number(row, IRIS_ROW_G + i, r->lane);
    return line;
}

static inline void
visit(const struct ray *r, const float *row, const struct line *line, size_t block)
{
    size_t at = block * IRIS_BLOCK, end = at + IRIS_BLOCK;
    vecf index = indices(block);

    for (; at < end; at += VEC, index += (float)VEC) {
        vecf u = load(r->law->place + at), now = load(r->Q + at), was = load(r->before + at);
        vecf phi = profile(row, r->lane, index, r->law->average, line->far), take = line->a * phi;
        vecf give = phi * (line->G[0] + u * (line->G[1] + u * line->G[2])), v, share;

        if (line->odd) {
            now *= number(line->odd, IRIS_ODD_NOW, r->lane);
            was *= number(line->odd, IRIS_ODD_BEFORE, r->lane);
            give += parabola(line->odd, IRIS_ODD_CLIPPED, r->lane, u);
        }
        v = line->keep * now + (now - was) * line->trend;
        share = 1 / (line->under + take);
        if (line->a < 0.5f)
            v = v + (give - v * take) * share;
        else
            v = pick(take < 1.0f, v + (give - v * take) * share, (v * line->under + give) * share);
        if (any_below(v, r->least))
            v = pick(v < r->least, greater(v, -parabola(row, IRIS_ROW_C, r->lane, u)), v);
        store(r->before + at, now);
        store(r->Q + at, v);
    }
}

/* What the first step gives to the trapezoid of the first interval. */
static void
begin(const struct ray *r, const float *row, float far, size_t block)
{
    size_t at = block * IRIS_BLOCK, end = at + IRIS_BLOCK;
    vecf index = indices(block);

    for (; at < end; at += VEC, index += (float)VEC)
        store(r->Q + at, profile(row, r->lane, index, r->law->average, far) *
                             parabola(row, IRIS_ROW_G, r->lane, load(r->law->place + at)));
}

static inline void
march_step(const struct ray *r, size_t s, int32_t from, int32_t to, float far)
{
    size_t block = (size_t)from / IRIS_BLOCK, end = ((size_t)to + IRIS_BLOCK - 1) / IRIS_BLOCK;
    const float *row = row_of(r, s);
    struct line line;

    if (s == 0) {
        for (; block < end; block++) {
            begin(r, row, far, block);
            r->last[block] = 0;
        }
        return;
    }
    line = line_of(r, row, s, far);
    for (; block < end; block++) {
        if (r->last[block] >= 0 && (size_t)r->last[block] + 1 < s)
            jump(r, block, (size_t)r->last[block] + 1, s);
        visit(r, row, &line, block);
        r->last[block] = (int32_t)s;
    }
}

void
IRIS_LEVEL(iris_smooth_march)(const struct iris_bundle_law *k, struct iris_bundle *b,
                              unsigned active)
{
    size_t whole = k->blocks * IRIS_BLOCK, lane, s, i;
    struct ray ray[IRIS_BUNDLE];
    struct reach reach;

    for (lane = 0; lane < IRIS_BUNDLE; lane++) {
        ray[lane] = (struct ray){k,
                                 b->row,
                                 b->odd,
                                 lane,
                                 b->Q + lane * whole,
                                 b->before + lane * whole,
                                 b->last + lane * k->blocks,
                                 b->least[lane]};
        if (active >> lane & 1)
            memset(ray[lane].before, 0, whole * sizeof *ray[lane].before);
    }
    clear_blocks(k, b, active);
    for (s = 0; s < k->steps; s++) {
        find_reach(k, b, b->row + s * IRIS_ROWS_SMOOTH * IRIS_BUNDLE, &reach);
        for (lane = 0; lane < IRIS_BUNDLE; lane++)
            if (active >> lane & 1 && reach.from[lane] < reach.to[lane])
                march_step(&ray[lane], s, reach.from[lane], reach.to[lane], reach.far[lane]);
    }
    for (lane = 0; lane < IRIS_BUNDLE; lane++)
        for (i = 0; active >> lane & 1 && i < k->blocks; i++)
            if (ray[lane].last[i] >= 0 && (size_t)ray[lane].last[i] + 1 < k->steps)
                jump(&ray[lane], i, (size_t)ray[lane].last[i] + 1, k->steps);
    find_highest(k, b, active);
}
