/* elementary -- exp, sin and their like, with the same bits on every processor.
 *
 * The C library chooses its own at run time: where a processor has fused
 * multiply-add they use it, and round otherwise than where it has not. What
 * goes into a file must not depend on that, so the library and the programs
 * take these instead. They are additions, multiplications and divisions as they
 * stand, rounded to nearest: compiled with -ffp-contract=off they give the same
 * bits at every level of instructions, and in a loop made into vectors.
 * What C demands to be exact may come from <math.h> as ever: sqrt, fabs, floor,
 * rint, round, fmin, fmax, fmod, remainder, ldexp, frexp.
 *
 * exp, expm1, erf and log are needed most and stand here to be inlined: SLEEF's
 * take two to seven times as long. The others are the deterministic scalar
 * functions of SLEEF that use no fused operations (Sleef_cinz_*_purec):
 * N. Shibata and F. Petrogalli, 2020, IEEE Trans. Parallel Distrib. Syst. 31, 1316;
 * but for large and small arguments of log1p and asinh, which SLEEF loses.
 *
 * With IRIS_BARE those of SLEEF are taken from libm: for checks that compare two
 * computations which share them, and that build where there is no SLEEF; never for
 * what goes into a file.
 *
 * Pure arithmetic, thread safe. errno is left alone. Infinities, zeros and NaN
 * are treated as C says, but for what stands here; log of a negative is NaN.
 *
 *              error in ulp
 *   exp        1.0     (1.5 where the result is subnormal)
 *   expm1      1.3
 *   erf        1.4
 *   log        0.9
 *   log10      0.8
 *   log1p      0.8
 *   pow        0.7     exact where the result is a double: 10^22, x^1
 *   sin, cos   0.9     for every finite x
 *   sinh, cosh 1.0     infinite from |x| = 709.78 on, which is 0.69 too early
 *   asinh      2.3
 *   atanh      1.0
 *   cbrt       0.6
 *   hypot      0.6
 */
#ifndef IRIS_ELEMENTARY_H
#define IRIS_ELEMENTARY_H

#include <math.h>
#include <stdint.h>
#include <string.h>

#include "both.h"

double iris_log10(double x);
double iris_log1p(double x);
double iris_pow(double x, double y);
double iris_sin(double x);
double iris_cos(double x);
double iris_sinh(double x);
double iris_cosh(double x);
double iris_asinh(double x);
double iris_atanh(double x);
double iris_cbrt(double x);
double iris_hypot(double x, double y);

/* x = k ln 2 + r + low with a whole k, |r| < 0.35 and a tiny low, which is what
 * r lacks for having been rounded. k is modulo 2^64.
 *
 *   in   x   -1e4 to 1e4; NaN gives a NaN r
 *   method   Cody and Waite, 1980, Software Manual for the Elementary Functions:
 *            ln 2 in two parts, the first so short that its product with k is
 *            exact. A double near 1.5 2^52 is a whole number, in its last bits.
 */
struct iris_exp_parts {
    double r, low;
    uint64_t k;
};

IRIS_BOTH struct iris_exp_parts
iris_exp_reduce(double x)
{
    const double whole = 0x1.8p52, per_ln2 = 0x1.71547652b82fep+0;
    const double ln2_first = 0x1.62e42fefa3800p-1, ln2_rest = 0x1.ef35793c76730p-45;
    double shifted = x * per_ln2 + whole, k = shifted - whole;
    double first = x - k * ln2_first, rest = k * ln2_rest;
    struct iris_exp_parts p = {first - rest, 0, 0};
    uint64_t bits, of_whole;

    memcpy(&bits, &shifted, sizeof bits);
    memcpy(&of_whole, &whole, sizeof of_whole);
    p.low = (first - p.r) - rest;
    p.k = bits - of_whole;
    return p;
}

/* exp(r) - 1 - r for |r| < 0.35: the series of Taylor. What is left out is less
 * than 2^-57. */
IRIS_BOTH double
iris_exp_beyond(double r)
{
    double r2 = r * r, r4 = r2 * r2;
    double a = (1. / 2 + r * (1. / 6)) + r2 * (1. / 24 + r * (1. / 120));
    double b = (1. / 720 + r * (1. / 5040)) + r2 * (1. / 40320 + r * (1. / 362880));
    double c = (1. / 3628800 + r * (1. / 39916800)) +
               r2 * (1. / 479001600 + r * (1. / 6227020800.));

    return r2 * (a + r4 * (b + r4 * c));
}

/* 2^k for -1022 <= k <= 1023, k modulo 2^64; else anything */
IRIS_BOTH double
iris_exp_two_to(uint64_t k)
{
    uint64_t bits = (k + 1023) << 52;
    double v;

    memcpy(&v, &bits, sizeof v);
    return v;
}

/* v 2^k for -2044 <= k <= 2046, rounded once */
IRIS_BOTH double
iris_exp_scale(double v, uint64_t k)
{
    uint64_t half = ((k + 4096) >> 1) - 2048;

    return v * iris_exp_two_to(half) * iris_exp_two_to(k - half);
}

IRIS_BOTH double
iris_exp(double x)
{
    double held = x > 710 ? 710 : x < -746 ? -746 : x;
    struct iris_exp_parts p = iris_exp_reduce(held);

    return iris_exp_scale(1 + (p.r + (iris_exp_beyond(p.r) + p.low)), p.k);
}

/* exp(x) - 1, accurate near 0.
 *
 *   method  2^k (exp(r) - 1 + (1 - 2^-k)), where 1 - 2^-k and r are added without
 *           loss (Dekker, 1971, Numer. Math. 18, 224)
 */
IRIS_BOTH double
iris_expm1(double x)
{
    double held = x > 710 ? 710 : x < -50 ? -50 : x;
    struct iris_exp_parts p = iris_exp_reduce(held);
    /* 2^-k, of which nothing is left beside 1 for a large k */
    double less = 1 - (held > 64 ? 0 : iris_exp_two_to(0 - p.k));
    double sum = less + p.r, lost = (less - sum) + p.r;

    return copysign(iris_exp_scale(sum + (lost + (iris_exp_beyond(p.r) + p.low)), p.k), x);
}

/* exp(x^2) erfc(x) for 1 <= x <= 6, error 2^-60 exp(x^2).
 *
 *   method  a polynomial in (x - 1.5) / (x + 1.5), as Shepherd and Laframboise,
 *           1981, Math. Comp. 36, 249 have it; the coefficients are least squares
 *           with weights that level the error of erf
 */
IRIS_BOTH double
iris_erf_tail(double x)
{
    double t = (x - 1.5) / (x + 1.5), t2 = t * t, t4 = t2 * t2, t8 = t4 * t4;
    double a = (0x1.494daffa2ad68p-2 + t * -0x1.f6a64c6673078p-2) +
               t2 * (0x1.8e51173011c6bp-3 + t * -0x1.303bda9719162p-7);
    double b = (-0x1.3139524d6ba7dp-6 + t * -0x1.d4ea46a0bf6f0p-12) +
               t2 * (0x1.79f870e771145p-9 + t * 0x1.c345a215f4afap-11);
    double c = (-0x1.3644c3bf3c4f8p-12 + t * -0x1.45486229848dep-12) +
               t2 * (-0x1.26c576e5ae653p-14 + t * 0x1.7583f2c907efap-15);
    double d = 0x1.66fbfb734f2b6p-15 + t * 0x1.56912931b3330p-18;

    return (a + t4 * b) + t8 * (c + t4 * d);
}

/* erf(x) / x - 1 for |x| <= 1, error 2^-62: a polynomial in x^2 by least squares */
IRIS_BOTH double
iris_erf_head(double x)
{
    double t = x * x, t2 = t * t, t4 = t2 * t2, t8 = t4 * t4;
    double a = (0x1.06eba8214db69p-3 + t * -0x1.812746b0379e6p-2) +
               t2 * (0x1.ce2f21a042b34p-4 + t * -0x1.b82ce31284f2cp-6);
    double b = (0x1.565bcd0dbd75cp-8 + t * -0x1.c02db3db44849p-11) +
               t2 * (0x1.f9a321e42c07dp-14 + t * -0x1.f4d1e42a7b979p-17);
    double c = (0x1.b9df2fdc8f0f0p-20 + t * -0x1.5f1f3cd825cb7p-23) +
               t2 * (0x1.f7b972176b48dp-27 + t * -0x1.38ab9faabde2bp-30);

    return (a + t4 * b) + t8 * (c + t4 * 0x1.0625ffff73d70p-34);
}

IRIS_BOTH double
iris_erf(double x)
{
    double size = fabs(x), held = size > 6 ? 6 : size;

    if (held < 1)
        return x + x * iris_erf_head(x);
    return copysign(1 - iris_exp(-held * held) * iris_erf_tail(held), x);
}

/* method  ln(2^k m) with m between sqrt(1/2) and sqrt(2): with f = m - 1 and
 *         s = f / (2 + f), ln m is 2 artanh s = f - (f^2/2 - s (f^2/2 + R)),
 *         where R is the series of 2 artanh(s) / s - 2. Cut so, the rounding of s
 *         stays small beside f (Muller, 2016, Elementary Functions, chapter 11).
 */
IRIS_BOTH double
iris_log(double x)
{
    const double ln2_first = 0x1.62e42fefa3800p-1, ln2_rest = 0x1.ef35793c76730p-45;
    const double scaled = x < 0x1p-1022 ? x * 0x1p54 : x, root = 0x1.6a09e667f3bcdp-1;
    double m, f, s, s2, s4, half, odd, even, k;
    uint64_t bits, of_root, place;

    if (!(x > 0 && x <= 0x1.fffffffffffffp1023))
        return x < 0 ? (double)NAN : x > 0 || isnan(x) ? x : -(double)INFINITY;
    memcpy(&bits, &scaled, sizeof bits);
    memcpy(&of_root, &root, sizeof of_root);
    place = (bits - of_root + (UINT64_C(1024) << 52)) >> 52;
    bits -= (place - 1024) << 52;
    memcpy(&m, &bits, sizeof m);
    k = (double)((int)place - 1024 - (x < 0x1p-1022 ? 54 : 0));
    f = m - 1;
    s = f / (2 + f);
    s2 = s * s;
    s4 = s2 * s2;
    even = 2. / 3 + s4 * (2. / 7 + s4 * (2. / 11 + s4 * (2. / 15 + s4 * (2. / 19))));
    odd = 2. / 5 + s4 * (2. / 9 + s4 * (2. / 13 + s4 * (2. / 17 + s4 * (2. / 21))));
    half = f * f / 2;
    return k * ln2_first + (f - (half - (s * (half + s2 * (even + s2 * odd)) + k * ln2_rest)));
}

#endif
