/* kernel_march -- profiles, and which grid points a line reaches; for
 * kernel_{smooth,formal,thin}.c. IRIS_BLOCK grid points at a time, in single. */
#ifndef IRIS_KERNEL_MARCH_H
#define IRIS_KERNEL_MARCH_H

#include "bundle.h"
#include "kernel.h"

static inline float
number(const float *row, int what, size_t lane)
{
    return row[(size_t)what * IRIS_BUNDLE + lane];
}

static inline vecf
parabola(const float *row, int what, size_t lane, vecf u)
{
    return number(row, what, lane) +
           u * (number(row, what + 1, lane) + u * number(row, what + 2, lane));
}

/* exp(y), relative error 2e-7 (1 + |y|/4), for y up to 80; 0 for y not above least,
 * at least -80. Numbers must not get so small that they are not normal: those are
 * slow.
 *
 *   method  two to the nearest whole power, times a polynomial fitted to 2^r */
static inline vecf
exp_f(vecf y, float least)
{
    vecf t = greater(y, all(least)) * 1.44269504089f, n = t + 12582912.0f, r, p;

    r = t - (n - 12582912.0f);
    p = 0.00967151205f + r * 0.0013264709f;
    p = 0.0555073378f + r * p;
    p = 0.240222421f + r * p;
    p = 0.693146978f + r * p;
    p = 1 + r * p;
    return zero_below(p * (vecf)(((veci)n << 23) + 0x3f800000), y, least);
}

/* exp(-x^2), 0 where x^2 is above far */
static inline vecf
bell(vecf x, float far)
{
    return exp_f(-(x * x), -far);
}

/* 1 - erf(x), x >= 0, relative error 5e-7.
 *
 *   method  exp(-x^2) t P(t), t = 1 / (1 + 0.42 x), P fitted to 4e-8 */
static inline vecf
erfc_f(vecf x, float far)
{
    vecf t = 1 / (1 + 0.42f * x), p;

    p = -0.345051677f + 0.0760042487f * t;
    p = 0.484960354f + t * p;
    p = -0.17306747f + t * p;
    p = 0.292421333f + t * p;
    p = 0.187104794f + t * p;
    p = 0.240897168f + t * p;
    p = 0.236731265f + t * p;
    return bell(x, far) * (t * p);
}

/* exp(-x^2) averaged over a cell from x = a to b, times (b - a) / sqrt(pi): the
 * difference of error functions over 2. */
static inline vecf
mean_between(vecf a, vecf b, float far)
{
    vecf to_a = magnitude(a), to_b = magnitude(b);
    vecf near = 0.5f * erfc_f(lesser(to_a, to_b), far);
    vecf beyond = 0.5f * erfc_f(greater(to_a, to_b), far);

    return pick((a < 0) & (b > 0), 1 - near - beyond, near - beyond);
}

/* The same over a cell of width dx about x, where that would be a difference of
 * nearly equal numbers: its series in dx. */
static inline vecf
mean_bell(vecf x, float dx, float far)
{
    float d2 = dx * dx;
    vecf x2 = x * x, s;

    s = (1 / 92897280.0f) * (1680 + x2 * (-13440 + x2 * (13440 + x2 * (-3584 + x2 * 256))));
    s = (1 / 322560.0f) * (-120 + x2 * (720 + x2 * (-480 + x2 * 64))) + d2 * s;
    s = (1 / 1920.0f) * (12 + x2 * (-48 + x2 * 16)) + d2 * s;
    s = (1 / 24.0f) * (4 * x2 - 2) + d2 * s;
    s = 1 + d2 * s;
    return greater(s, all(0)) * bell(x, far) * (dx * 0.56418958355f);
}

/* The profile of a step at the grid points index, 0 where x^2 is above far. */
static inline vecf
profile(const float *row, size_t lane, vecf index, int average, float far)
{
    float dx = number(row, IRIS_ROW_DX, lane);
    float at = number(row, IRIS_ROW_X, lane);
    vecf off = index - number(row, IRIS_ROW_NEAR, lane);

    if (!average)
        return bell(at + off * dx, far);
    if (dx > IRIS_COARSE_SINGLE)
        return mean_between(at + (off - 0.5f) * dx, at + (off + 0.5f) * dx, far);
    return mean_bell(at + off * dx, dx, far);
}

/* Grid points [from, to) that the lines of a step reach, where x^2 is up to far. */
struct reach {
    int32_t from[IRIS_BUNDLE], to[IRIS_BUNDLE];
    float far[IRIS_BUNDLE];
};

static inline void
find_reach(const struct iris_bundle_law *k, const struct iris_bundle *b, const float *row,
           struct reach *r)
{
    float extra = k->average ? 0.5f : 0, last = (float)(k->n - 1);
    const float *x = row + IRIS_ROW_X * IRIS_BUNDLE, *near = row + IRIS_ROW_NEAR * IRIS_BUNDLE;
    const float *wide = row + IRIS_ROW_WIDE * IRIS_BUNDLE;
    const float *adds = row + IRIS_ROW_ADDS * IRIS_BUNDLE;
    const float *takes = row + IRIS_ROW_TAKES * IRIS_BUNDLE;
    size_t l;

    for (l = 0; l < IRIS_BUNDLE; l++) {
        float far = adds[l] + b->adds[l], take = takes[l] + b->takes, centre, lo, hi;

        far = far > take ? far : take;
        far = far < IRIS_REACH2_SINGLE ? far : IRIS_REACH2_SINGLE;
        centre = near[l] - x[l] * wide[l];
        lo = __builtin_sqrtf(far > 0 ? far : 0) * wide[l] + extra;
        hi = centre + lo;
        lo = centre - lo;
        lo = lo > 0 ? lo : 0;
        lo = lo < last + 1 ? lo : last + 1;
        hi = hi < last ? hi : last;
        hi = hi > -1 ? hi : -1;
        r->far[l] = far;
        r->from[l] = (int32_t)lo + ((float)(int32_t)lo < lo);
        r->to[l] = far > 0 ? (int32_t)(hi + 1) : 0;
    }
}

/* Bring Q of all blocks of the active rays to nothing. */
static inline void
clear_blocks(const struct iris_bundle_law *k, struct iris_bundle *b, unsigned active)
{
    size_t whole = k->blocks * IRIS_BLOCK, lane, i;

    for (lane = 0; lane < IRIS_BUNDLE; lane++) {
        if (!(active >> lane & 1))
            continue;
        for (i = 0; i < k->blocks; i++)
            b->last[lane * k->blocks + i] = -1;
        memset(b->Q + lane * whole, 0, whole * sizeof *b->Q);
    }
}

/* The highest |Q| of a ray; not finite where one is not. */
static inline float
highest_of(const struct iris_bundle_law *k, const struct iris_bundle *b, size_t lane)
{
    size_t whole = k->blocks * IRIS_BLOCK, i, f;
    const float *Q = b->Q + lane * whole;
    int32_t value[VEC], most = 0;
    veci top = {0};
    float highest;

    for (i = 0; i < k->blocks; i++) {
        for (f = i * IRIS_BLOCK; f < (i + 1) * IRIS_BLOCK && b->last[lane * k->blocks + i] >= 0;
             f += VEC) {
            /* bits of numbers that are not negative are in their order */
            veci here = (veci)magnitude(load(Q + f));

            top = pick_int(here > top, here, top);
        }
    }
    store_int(value, top);
    for (i = 0; i < VEC; i++)
        most = value[i] > most ? value[i] : most;
    memcpy(&highest, &most, sizeof highest);
    return highest;
}

static inline void
find_highest(const struct iris_bundle_law *k, struct iris_bundle *b, unsigned active)
{
    size_t lane;

    for (lane = 0; lane < IRIS_BUNDLE; lane++)
        if (active >> lane & 1)
            b->highest[lane] = highest_of(k, b, lane);
}

/* The first VEC of the grid points of a block. */
static inline vecf
indices(size_t block)
{
    static const float count[16] = {0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15};

    return load(count) + (float)(block * IRIS_BLOCK);
}

#endif
