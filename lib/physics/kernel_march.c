/* Compiled for several instruction sets, with equal results: no function of the
 * mathematical library, no contraction, sixteen lanes whatever the hardware. */
#include <string.h>

#include "march.h"

typedef float lanes __attribute__((vector_size(64)));
typedef int32_t masks __attribute__((vector_size(64)));

static inline lanes
load(const float *p)
{
    lanes v;

    memcpy(&v, p, sizeof v);
    return v;
}

static inline void
store(float *p, lanes v)
{
    memcpy(p, &v, sizeof v);
}

static inline lanes
choose(masks m, lanes a, lanes b)
{
    return (lanes)((m & (masks)a) | (~m & (masks)b));
}

static inline lanes
all(float x)
{
    return x - (lanes){0};
}

static inline int
any(masks m)
{
    int32_t v[IRIS_BLOCK], sum = 0;
    int i;

    memcpy(v, &m, sizeof v);
    for (i = 0; i < IRIS_BLOCK; i++)
        sum |= v[i];
    return sum;
}

static inline lanes
evaluate(const struct iris_parabola *p, lanes u)
{
    return p->c[0] + u * (p->c[1] + u * p->c[2]);
}

/* exp(-x^2), relative error 2e-7; zero from about x = 9 on: two to the nearest
 * whole power times a Taylor series. */
static inline lanes
bell(lanes x)
{
    lanes y = -x * x, t, n, r, p;
    masks power;

    y = choose(y < -87.0f, all(-87.0f), y);
    t = y * 1.44269504089f - 0.5f;
    power = __builtin_convertvector(t, masks); /* towards zero: the nearest to y log2(e) */
    n = __builtin_convertvector(power, lanes);
    r = (y - n * 0.693359375f) + n * 2.12194440e-4f;
    p = 1 + r * (1 + r * (0.5f + r * (1 / 6.0f + r * (1 / 24.0f + r * (1 / 120.0f + r / 720)))));
    return p * (lanes)((power + 127) << 23);
}

/* One step without its line. */
static inline void
run_on(const struct iris_march_step *s, lanes u, lanes *Q, lanes *before)
{
    lanes now = *Q * s->now, was = *before * s->before;
    lanes v = s->keep * now + (now - was) * s->trend, least = -evaluate(&s->C, u);

    if (!s->plain)
        v += evaluate(&s->clipped, u) / s->under;
    *before = now;
    *Q = choose(v < least, least, v);
}

/* Steps [from, to) of a gap, all at once if they are plain. */
static void
jump(const struct iris_march *m, lanes u, size_t from, size_t to, lanes *Q, lanes *before)
{
    lanes change = *Q - *before, there;
    float sum = 0, product = 1;
    int plain = 1;
    size_t s;

    for (s = from; s < to; s++)
        plain &= m->step[s].plain;
    for (s = from; s < to && plain && product > 1e-9f; s++) {
        product *= m->step[s].trend;
        sum += product;
    }
    there = *Q + change * sum;
    if (plain && !any((there < m->least) | (*Q < m->least))) {
        *before = s < to ? there : there - change * product;
        *Q = there;
        return;
    }
    for (s = from; s < to; s++)
        run_on(&m->step[s], u, Q, before);
}

static inline void
run_line(const struct iris_march_step *s, lanes u, lanes index, lanes *Q, lanes *before)
{
    lanes now = *Q * s->now, was = *before * s->before, least = -evaluate(&s->C, u);
    lanes v = s->keep * now + (now - was) * s->trend;
    lanes phi = bell(s->x + (index - s->near) * s->dx);
    lanes take = s->a * phi, give = phi * evaluate(&s->G, u), share;

    if (!s->plain)
        give += evaluate(&s->clipped, u);
    share = 1 / (s->under + take);
    v = choose(take < 1.0f, v + (give - v * take) * share, (v * s->under + give) * share);
    *before = now;
    *Q = choose(v < least, least, v);
}

void
iris_march_smooth(const struct iris_march *m)
{
    static const lanes count = {0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15};
    lanes u, Q, before;
    size_t s, b;

    for (s = 0; s < m->steps; s++) {
        const struct iris_march_step *step = &m->step[s];
        size_t first = step->from / IRIS_BLOCK, end = (step->to + IRIS_BLOCK - 1) / IRIS_BLOCK;

        if (step->from == step->to)
            continue;
        for (b = first; b < end; b++) {
            u = load(m->place + b * IRIS_BLOCK);
            Q = load(m->Q + b * IRIS_BLOCK);
            before = load(m->before + b * IRIS_BLOCK);
            if (m->last[b] >= 0 && (size_t)m->last[b] < s)
                jump(m, u, (size_t)m->last[b], s, &Q, &before);
            run_line(step, u, count + (float)(b * IRIS_BLOCK), &Q, &before);
            store(m->Q + b * IRIS_BLOCK, Q);
            store(m->before + b * IRIS_BLOCK, before);
            m->last[b] = (int32_t)s + 1;
        }
    }
    for (b = 0; b < m->blocks; b++) {
        if (m->last[b] < 0 || (size_t)m->last[b] >= m->steps)
            continue;
        u = load(m->place + b * IRIS_BLOCK);
        Q = load(m->Q + b * IRIS_BLOCK);
        before = load(m->before + b * IRIS_BLOCK);
        jump(m, u, (size_t)m->last[b], m->steps, &Q, &before);
        store(m->Q + b * IRIS_BLOCK, Q);
        store(m->before + b * IRIS_BLOCK, before);
    }
}
