/* Elementary functions: accuracy against those of long double, what is special,
 * and that their bits do not depend on how they were compiled. */
#include <float.h>
#include <stdint.h>

#include "check.h"
#include "elementary.h"

#define MANY 400000

static uint64_t state = 1;

static double
uniform(double lo, double hi)
{
    state = state * UINT64_C(6364136223846793005) + UINT64_C(1442695040888963407);
    return lo + (hi - lo) * (double)(state >> 11) * 0x1p-53;
}

/* Distance in units in the last place of what is expected. */
static double
ulps(double got, long double expected)
{
    double size = fabs((double)expected);
    int exponent;

    if (isnan(got) || isnan(expected))
        return isnan(got) && isnan(expected) ? 0 : HUGE_VAL;
    if (isinf(got) || isinf(size))
        return (isinf(got) || fabs(got) >= DBL_MAX) && size >= DBL_MAX ? 0 : HUGE_VAL;
    frexp(fmax(size, DBL_MIN), &exponent);
    return (double)(fabsl((long double)got - expected) / ldexpl(1, exponent - DBL_MANT_DIG));
}

struct function {
    const char *name;
    double (*f)(double);
    long double (*exact)(long double);
    double worst;       /* ulp */
    double lo, hi;      /* all of this */
    double least, most; /* and these sizes, as many in every power of two */
    int even;           /* 1: f(-x) = f(x), -1: f(-x) = -f(x) */
};

static double
power(double x)
{
    return iris_pow(x, 1.6);
}

static long double
power_exact(long double x)
{
    return powl(x, (long double)1.6);
}

static double
ten_to(double x)
{
    return iris_pow(10, x);
}

static long double
ten_to_exact(long double x)
{
    return powl(10, x);
}

static double
leg(double x)
{
    return iris_hypot(x, 1.5);
}

static long double
leg_exact(long double x)
{
    return hypotl(x, 1.5L);
}

static const struct function functions[] = {
    {"exp", iris_exp, expl, 1.0, -708, 709.7, 1e-300, 1, 0},
    {"expm1", iris_expm1, expm1l, 1.3, -60, 709.7, 1e-320, 5, 0},
    {"erf", iris_erf, erfl, 1.4, -7, 7, 1e-320, 10, -1},
    {"log", iris_log, logl, 0.9, .5, 2, 1e-320, 1e308, 0},
    {"log10", iris_log10, log10l, 0.8, .5, 2, 1e-320, 1e308, 0},
    {"log1p", iris_log1p, log1pl, 0.8, -.9999, 2, 1e-320, 1e308, 0},
    {"pow(x, 1.6)", power, power_exact, 0.7, 0, 3, 1e-190, 1e190, 0},
    {"pow(10, x)", ten_to, ten_to_exact, 0.7, -307, 308, 1e-30, 1, 0},
    {"sin", iris_sin, sinl, 0.9, -7, 7, 1e-320, 1e308, -1},
    {"cos", iris_cos, cosl, 0.9, -7, 7, 1e-320, 1e308, 1},
    {"sinh", iris_sinh, sinhl, 1.0, -709.7, 709.7, 1e-300, 10, -1},
    {"cosh", iris_cosh, coshl, 1.0, -709.7, 709.7, 1e-300, 10, 1},
    {"asinh", iris_asinh, asinhl, 2.3, -3, 3, 1e-320, 1e308, -1},
    {"atanh", iris_atanh, atanhl, 1.0, -1, 1, 1e-300, 1, -1},
    {"cbrt", iris_cbrt, cbrtl, 0.6, -3, 3, 1e-300, 1e308, -1},
    {"hypot(x, 1.5)", leg, leg_exact, 0.6, -9, 9, 1e-300, 1e308, 1},
};

enum { FUNCTIONS = sizeof functions / sizeof *functions };

static void
test_accuracy(const struct function *f)
{
    double worst = 0, at = 0;
    int i, wrong_side = 0;

    for (i = 0; i < MANY; i++) {
        double x = i % 2 ? uniform(f->lo, f->hi)
                         : fmax((double)powl(2, uniform(log2(f->least), log2(f->most))), f->least);
        double off = ulps(f->f(x), f->exact(x));

        if (f->even && (f->f(-x) > f->even * f->f(x) || f->f(-x) < f->even * f->f(x)))
            wrong_side++;
        if (!(off <= worst)) {
            worst = off;
            at = x;
        }
    }
    CHECK(worst <= f->worst, "%s: %.3f ulp at %.17g", f->name, worst, at);
    CHECK(!wrong_side, "%s: negative x", f->name);
}

static void
test_subnormal_exp(void)
{
    double worst = 0;
    int i;

    for (i = 0; i < MANY; i++) {
        double x = uniform(-745.2, -708);

        worst = fmax(worst, ulps(iris_exp(x), expl(x)));
    }
    CHECK(worst <= 1.5, "exp: %.3f ulp where it is subnormal", worst);
}

/* A value that is as special in what it gives: to the bit, but for NaN. */
static int
is_same(double a, double b)
{
    return isnan(a) ? isnan(b) : memcmp(&a, &b, sizeof a) == 0;
}

#define IS(call, expected) CHECK(is_same(call, expected), "%s is %.17g", #call, call)

static void
test_special(void)
{
    const double inf = (double)INFINITY, nan = (double)NAN, least = 0x1p-1074;
    int i;

    for (i = 0; i < FUNCTIONS; i++)
        CHECK(isnan(functions[i].f(nan)), "%s of NaN", functions[i].name);
    for (i = 0; i < FUNCTIONS; i++)
        CHECK(functions[i].even >= 0 ||
                  (is_same(functions[i].f(-0.0), -0.0) && is_same(functions[i].f(0.0), 0.0)),
              "%s of zeros", functions[i].name);
    IS(iris_exp(0), 1);
    IS(iris_exp(-0.0), 1);
    IS(iris_exp(inf), inf);
    IS(iris_exp(-inf), 0.0);
    IS(iris_exp(1e300), inf);
    IS(iris_exp(-1e300), 0.0);
    IS(iris_exp(709.7828), inf);
    IS(iris_exp(-745.1332), least);
    IS(iris_exp(-745.14), 0.0);
    IS(iris_exp(least), 1);
    IS(iris_expm1(-0.0), -0.0);
    IS(iris_expm1(0.0), 0.0);
    IS(iris_expm1(inf), inf);
    IS(iris_expm1(-inf), -1);
    IS(iris_expm1(-1e300), -1);
    IS(iris_expm1(709.7828), inf);
    IS(iris_expm1(-least), -least);
    IS(iris_erf(inf), 1);
    IS(iris_erf(-inf), -1);
    IS(iris_erf(6), 1);
    IS(iris_log(0.0), -inf);
    IS(iris_log(-0.0), -inf);
    IS(iris_log(1), 0.0);
    IS(iris_log(inf), inf);
    IS(iris_log(-1), nan);
    IS(iris_log(-inf), nan);
    IS(iris_log10(0), -inf);
    IS(iris_log10(inf), inf);
    IS(iris_log10(-1), nan);
    IS(iris_log1p(-0.0), -0.0);
    IS(iris_log1p(-1), -inf);
    IS(iris_log1p(-1.5), nan);
    IS(iris_log1p(-inf), nan);
    IS(iris_log1p(inf), inf);
    IS(iris_log1p(-least), -least);
    IS(iris_sin(inf), nan);
    IS(iris_cos(inf), nan);
    IS(iris_cos(-0.0), 1);
    IS(iris_sin(least), least);
    IS(iris_sinh(inf), inf);
    IS(iris_sinh(-inf), -inf);
    IS(iris_sinh(-711), -inf);
    IS(iris_cosh(-inf), inf);
    IS(iris_cosh(0), 1);
    IS(iris_asinh(inf), inf);
    IS(iris_asinh(-inf), -inf);
    IS(iris_asinh(-least), -least);
    IS(iris_atanh(1), inf);
    IS(iris_atanh(-1), -inf);
    IS(iris_atanh(1.5), nan);
    IS(iris_cbrt(-inf), -inf);
    IS(iris_cbrt(-27), -3);
    IS(iris_hypot(-inf, nan), inf);
    IS(iris_hypot(3e300, 4e300), 5e300);
    IS(iris_hypot(-0.0, 0), 0.0);
    IS(iris_pow(nan, 0), 1);
    IS(iris_pow(1, nan), 1);
    IS(iris_pow(0, -1), inf);
    IS(iris_pow(-8, 3), -512);
    IS(iris_pow(-8, 1. / 3), nan);
    IS(iris_pow(2, 1024), inf);
    IS(iris_pow(2, -1074), least);
    IS(iris_pow(0.5, inf), 0.0);
}

/* Ticks and units count on it. */
static void
test_exact_powers(void)
{
    double ten = 1;
    int k, wrong = 0;

    for (k = 0; k <= 22; k++, ten *= 10)
        wrong += !is_same(iris_pow(10, k), ten);
    CHECK(!wrong, "10^0 to 10^22 are exact");
    for (k = wrong = 0; k < MANY; k++) {
        double x = ldexp(uniform(1, 2), (int)uniform(-1000, 1000));

        wrong += !is_same(iris_pow(x, 1), x);
    }
    CHECK(!wrong, "x^1 is x");
    for (k = -1074, wrong = 0; k < 1024; k++)
        wrong += !is_same(iris_pow(2, k), ldexp(1, k));
    CHECK(!wrong, "powers of two are exact");
}

enum { INLINED = 4 };

/* Each of the functions that the header inlines, in a loop that a compiler may
 * make vectors of. */
static void
run_inlined(int which, size_t n, const double *x, double *y)
{
    size_t i;

    if (which == 0)
        for (i = 0; i < n; i++)
            y[i] = iris_exp(x[i]);
    else if (which == 1)
        for (i = 0; i < n; i++)
            y[i] = iris_expm1(x[i]);
    else if (which == 2)
        for (i = 0; i < n; i++)
            y[i] = iris_erf(x[i]);
    else
        for (i = 0; i < n; i++)
            y[i] = iris_log(x[i]);
}

/* These digits hold for any compiler, its options and its processor. */
static void
test_bits(void)
{
    static const uint64_t expected[INLINED] = {
        UINT64_C(0x37f33b133cbea2f0), UINT64_C(0x70930ad862282c08), UINT64_C(0x8d46196f16bbfc7b),
        UINT64_C(0x06064aaa3f4c69e1)};
    static double x[MANY], y[MANY];
    int which, i;

    for (which = 0; which < INLINED; which++) {
        const struct function *f = &functions[which];
        double (*volatile alone)(double) = f->f;
        uint64_t sum = 0, bits;
        int wrong = 0;

        state = 1;
        for (i = 0; i < MANY; i++)
            x[i] = i % 2 ? uniform(f->lo, f->hi) : ldexp(uniform(.5, 1), i % 1000 - 990);
        run_inlined(which, MANY, x, y);
        for (i = 0; i < MANY; i++) {
            wrong += !is_same(alone(x[i]), y[i]);
            memcpy(&bits, &y[i], sizeof bits);
            sum = (sum ^ bits) * UINT64_C(1099511628211);
        }
        CHECK(!wrong, "%s: in a loop as alone", f->name);
        CHECK(sum == expected[which], "%s: bits 0x%016llx", f->name, (unsigned long long)sum);
    }
}

int
main(void)
{
    int i;

    for (i = 0; i < FUNCTIONS; i++)
        test_accuracy(&functions[i]);
    test_subnormal_exp();
    test_special();
    test_exact_powers();
    test_bits();
    return check_done();
}
