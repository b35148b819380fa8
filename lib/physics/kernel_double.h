/* kernel_double -- vectors of doubles, and elementary functions of them, for
 * files kernel_<name>.c only: see kernel.h. */
#ifndef IRIS_KERNEL_DOUBLE_H
#define IRIS_KERNEL_DOUBLE_H

#include "kernel.h"

enum { VECD = VEC / 2 };

/* As many floats. */
typedef float vech __attribute__((vector_size(2 * VEC)));

static inline vecd
load_d(const double *p)
{
    vecd v;

    memcpy(&v, p, sizeof v);
    return v;
}

static inline void
store_d(double *p, vecd v)
{
    memcpy(p, &v, sizeof v);
}

static inline vecd
load_half(const float *p)
{
    vech h;

    memcpy(&h, p, sizeof h);
    return __builtin_convertvector(h, vecd);
}

static inline void
store_half(float *p, vecd v)
{
    vech h = __builtin_convertvector(v, vech);

    memcpy(p, &h, sizeof h);
}

static inline vecd
all_d(double x)
{
    vecd v = {0};

    return v + x;
}

static inline vecl
is_number_d(vecd v)
{
    return v == v; /* NOLINT(misc-redundant-expression): it is not where v is no number */
}

static inline vecd
pick_d(vecl mask, vecd a, vecd b)
{
#if defined __AVX512F__
    return (vecd)_mm512_mask_blend_pd(_mm512_movepi64_mask((__m512i)mask), (__m512d)b, (__m512d)a);
#else
    return (vecd)((mask & (vecl)a) | (~mask & (vecl)b));
#endif
}

/* a where the mask is set, else 0 */
static inline vecd
keep_d(vecl mask, vecd a)
{
    return (vecd)(mask & (vecl)a);
}

static inline vecd
lesser_double(vecd a, vecd b)
{
#if defined __AVX512F__
    return (vecd)_mm512_min_pd((__m512d)b, (__m512d)a);
#elif defined __AVX2__
    return (vecd)_mm256_min_pd((__m256d)b, (__m256d)a);
#elif defined __SSE2__
    return (vecd)_mm_min_pd((__m128d)b, (__m128d)a);
#else
    return pick_d(b < a, b, a);
#endif
}

static inline vecd
magnitude_d(vecd v)
{
    return (vecd)((vecl)v & INT64_MAX);
}

/* One bit a lane. */
static inline unsigned
bits_d(vecl mask)
{
#if defined __AVX512F__
    return (unsigned)_mm512_movepi64_mask((__m512i)mask);
#elif defined __AVX2__
    return (unsigned)_mm256_movemask_pd((__m256d)mask);
#elif defined __SSE2__
    return (unsigned)_mm_movemask_pd((__m128d)mask);
#else
    unsigned bits = 0;
    int i;

    for (i = 0; i < VECD; i++)
        bits |= (unsigned)(mask[i] & 1) << i;
    return bits;
#endif
}

static inline vecd
root_d(vecd v)
{
#if defined __AVX512F__
    return (vecd)_mm512_sqrt_pd((__m512d)v);
#elif defined __AVX2__
    return (vecd)_mm256_sqrt_pd((__m256d)v);
#elif defined __SSE2__
    return (vecd)_mm_sqrt_pd((__m128d)v);
#else
    int i;

    for (i = 0; i < VECD; i++)
        v[i] = __builtin_sqrt(v[i]);
    return v;
#endif
}

/* Whole numbers in the last bits of a double. */
#define WHOLE 6755399441055744.0 /* 3 2^51 */

/* The nearest whole number, |v| below 2^51. */
static inline vecd
round_d(vecd v)
{
    return (v + WHOLE) - WHOLE;
}

static inline vecd
floor_d(vecd v)
{
    vecd n = round_d(v);

    return n - keep_d(n > v, all_d(1));
}

/* exp(y) - 1 with the relative accuracy of y, and with less of it exp(y);
 * |y| <= 700. Two to the nearest whole power times a Taylor series. */
static inline vecd
expm1_d(vecd y)
{
    vecd t = y * 1.4426950408889634 + WHOLE, n = t - WHOLE, r, q, scale;

    r = (y - n * 0.693147180369123816490) - n * 1.90821492927058770002e-10;
    q = 1 / 479001600.0 + r * (1 / 6227020800.0);
    q = 1 / 39916800.0 + r * q;
    q = 1 / 3628800.0 + r * q;
    q = 1 / 362880.0 + r * q;
    q = 1 / 40320.0 + r * q;
    q = 1 / 5040.0 + r * q;
    q = 1 / 720.0 + r * q;
    q = 1 / 120.0 + r * q;
    q = 1 / 24.0 + r * q;
    q = 1 / 6.0 + r * q;
    q = 0.5 + r * q;
    q = r + r * r * q;
    scale = (vecd)(((vecl)t << 52) + INT64_C(0x3ff0000000000000));
    return scale * q + (scale - 1);
}

/* exp(y) - 1, |y| up to 0.001 */
static inline vecd
expm1_tiny(vecd y)
{
    return y * (1 + y * (0.5 + y * (1 / 6.0 + y * (1 / 24.0))));
}

/* exp(y) - 1, |y| up to 0.03 */
static inline vecd
expm1_near_0(vecd y)
{
    vecd q = 1 + y * (1 / 7.0);

    q = 1 + y * (q * (1 / 6.0));
    q = 1 + y * (q * (1 / 5.0));
    q = 1 + y * (q * (1 / 4.0));
    q = 1 + y * (q * (1 / 3.0));
    q = 1 + y * (q * 0.5);
    return y * q;
}

/* exp(-y) to about a hundredth, 0 <= y; for estimates. */
static inline vecd
fall_d(vecd y)
{
    vecd t, n, r;

    y = lesser_double(y, all_d(700));
    t = y * -1.4426950408889634 + WHOLE;
    n = t - WHOLE;
    r = -y - n * 0.6931471805599453;
    return (1 + r * (1 + r * (0.5 + r / 6))) *
           (vecd)(((vecl)t << 52) + INT64_C(0x3ff0000000000000));
}

/* 1/v to about a hundredth, v above 0; for estimates. */
static inline vecd
rough_inverse(vecd v)
{
    vecd y = (vecd)(INT64_C(0x7fde623822fc16e6) - (vecl)v);

    return y * (2 - v * y);
}

/* Exponent and mantissa of a normal number above 0: v = m 2^e, 1 <= m < 2. */
static inline vecd
split_d(vecd v, vecd *m)
{
    vecl e = (vecl)(((vecl)v >> 52) | INT64_C(0x4330000000000000));

    *m = (vecd)(((vecl)v & INT64_C(0xfffffffffffff)) | INT64_C(0x3ff0000000000000));
    return (vecd)e - (4503599627370496.0 + 1023);
}

/* ln(v), error 1e-14; v normal and above 0. By the series of
 * artanh((m - 1)/(m + 1)). */
static inline vecd
log_d(vecd v)
{
    vecd m, e = split_d(v, &m), s, q;
    vecl high = m > 1.4142135623730951;

    m = pick_d(high, m * 0.5, m);
    e = e + keep_d(high, all_d(1));
    s = (m - 1) / (m + 1);
    v = s * s;
    q = 1 / 17.0 + v * (1 / 19.0);
    q = 1 / 15.0 + v * q;
    q = 1 / 13.0 + v * q;
    q = 1 / 11.0 + v * q;
    q = 1 / 9.0 + v * q;
    q = 1 / 7.0 + v * q;
    q = 1 / 5.0 + v * q;
    q = 1 / 3.0 + v * q;
    return e * 0.6931471805599453 + 2 * (s + s * v * q);
}

/* A bound above ln(v), by at most 0.06; v above 0. */
static inline vecd
log_above_d(vecd v)
{
    vecd m, e = split_d(v, &m);

    return (e + (m - 0.9139)) * 0.6931471805599453;
}

/* The first numbers of rows of eight. */
static inline vecd
gather_rows(const double *from, const int64_t row[VECD])
{
#if defined __AVX512F__
    __m512i i = _mm512_slli_epi64(_mm512_loadu_si512(row), 3);

    return (vecd)_mm512_i64gather_pd(i, from, 8);
#else
    double v[VECD];
    int k;

    for (k = 0; k < VECD; k++)
        v[k] = from[8 * row[k]];
    return load_d(v);
#endif
}

#define EVEN(u, v) __builtin_shufflevector(u, v, 0, 1, 8, 9, 4, 5, 12, 13)
#define ODD(u, v)  __builtin_shufflevector(u, v, 2, 3, 10, 11, 6, 7, 14, 15)

/* Whole numbers from 0 to 2^51 as indices. */
static inline void
store_indices(int64_t *p, vecd v)
{
    vecl i = (vecl)(v + 4503599627370496.0) & INT64_C(0xfffffffffffff);

    memcpy(p, &i, sizeof i);
}

/* Numbers of an array. */
static inline vecd
gather_d(const double *from, vecd index)
{
#if defined __AVX512F__
    __m512i i = (__m512i)(vecl)(index + 4503599627370496.0);

    i = _mm512_and_si512(i, _mm512_set1_epi64(0xfffffffffffff));
    return (vecd)_mm512_i64gather_pd(i, from, 8);
#else
    int64_t i[VECD];
    double v[VECD];
    int k;

    store_indices(i, index);
    for (k = 0; k < VECD; k++)
        v[k] = from[i[k]];
    return load_d(v);
#endif
}

/* Rows of eight doubles to columns: out[k] holds number k of every row. */
static inline void
turn_rows(const double *const row[VECD], vecd out[8])
{
#if defined __AVX512F__
    vecd a[8], b[8];
    int i;

    for (i = 0; i < 8; i += 2) {
        vecd u = load_d(row[i]), v = load_d(row[i + 1]);

        a[i] = __builtin_shufflevector(u, v, 0, 8, 2, 10, 4, 12, 6, 14);
        a[i + 1] = __builtin_shufflevector(u, v, 1, 9, 3, 11, 5, 13, 7, 15);
    }
    for (i = 0; i < 8; i += 4) {
        b[i] = EVEN(a[i], a[i + 2]);
        b[i + 1] = EVEN(a[i + 1], a[i + 3]);
        b[i + 2] = ODD(a[i], a[i + 2]);
        b[i + 3] = ODD(a[i + 1], a[i + 3]);
    }
    for (i = 0; i < 4; i++) {
        out[i] = __builtin_shufflevector(b[i], b[i + 4], 0, 1, 2, 3, 8, 9, 10, 11);
        out[i + 4] = __builtin_shufflevector(b[i], b[i + 4], 4, 5, 6, 7, 12, 13, 14, 15);
    }
#else
    double v[8][VECD];
    int i, k;

    for (i = 0; i < VECD; i++)
        for (k = 0; k < 8; k++)
            v[k][i] = row[i][k];
    memcpy(out, v, sizeof v);
#endif
}

#endif
