#include "stretch.h"

#include <float.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "elementary.h"

static const double deepest = 1e-6; /* lower end of a logarithm, of the upper end */
static const double turns = 30;     /* of a given range: the larger end by soft */

enum iris_status
iris_curve_parse(const char *word, enum iris_curve *curve, struct iris_err *err)
{
    static const char *const words[] = {
        [IRIS_LINEAR] = "linear", [IRIS_LOG] = "log", [IRIS_ASINH] = "asinh"};
    size_t i;

    for (i = 0; i < sizeof words / sizeof *words; i++) {
        if (!strcmp(word, words[i])) {
            *curve = (enum iris_curve)i;
            return IRIS_OK;
        }
    }
    return iris_fail(err, IRIS_E_USAGE, "bad scale '%s': need linear, log or asinh", word);
}

static int
compare(const void *a, const void *b)
{
    double x = *(const double *)a, y = *(const double *)b;

    return x < y ? -1 : x > y;
}

/* Of sorted values. */
static double
percentile(const double *v, size_t n, double percent)
{
    return v[(size_t)(percent / 100 * (double)(n - 1) + 0.5)];
}

/* Ends that logarithms and differences can be taken of. */
static void
keep_normal(struct iris_stretch *s)
{
    const double most = DBL_MAX / 4;

    if (s->curve == IRIS_LOG) {
        s->lo = fmax(s->lo, DBL_MIN);
        s->hi = fmax(s->hi, DBL_MIN);
    }
    s->lo = fmin(fmax(s->lo, -most), most);
    s->hi = fmin(fmax(s->hi, -most), most);
}

static void
widen(struct iris_stretch *s)
{
    /* what differs by rounding only is one value */
    if (s->hi - s->lo > 1e-12 * fmax(fabs(s->lo), fabs(s->hi)) && s->hi - s->lo > 1e-200)
        return;
    if (s->curve == IRIS_LOG) {
        s->lo = fmax(s->lo / 2, DBL_MIN);
        s->hi *= 2;
    } else if (s->lo < 0 || s->lo > 0) {
        double half = fabs(s->lo) / 2;

        s->lo -= half;
        s->hi += half;
    } else {
        s->hi = 1; /* so that 0 is at the dark end */
    }
}

static void
choose(struct iris_stretch *s, const double *v, size_t n)
{
    s->hi = percentile(v, n, 99.9);
    if (s->curve == IRIS_LOG) {
        s->lo = fmax(percentile(v, n, 1), s->hi * deepest);
    } else {
        s->lo = percentile(v, n, 0.5);
        if (s->lo > 0 && s->lo < s->hi / 10)
            s->lo = 0;
    }
    keep_normal(s);
    widen(s);
}

enum iris_status
iris_stretch_auto(enum iris_curve curve, const double *v, size_t n, struct iris_stretch *s,
                  struct iris_err *err)
{
    double *some = malloc((n ? n : 1) * sizeof *some), larger;
    size_t i, m = 0;

    *s = (struct iris_stretch){curve, (double)NAN, (double)NAN, 1};
    if (!some)
        return iris_fail_memory(err);
    for (i = 0; i < n; i++) {
        if (isfinite(v[i]) && (curve != IRIS_LOG || v[i] > 0))
            some[m++] = v[i];
    }
    qsort(some, m, sizeof *some, compare);
    if (m)
        choose(s, some, m);
    larger = fmax(fabs(s->lo), fabs(s->hi));
    for (i = n = 0; i < m; i++) {
        if (some[i] < 0 || some[i] > 0)
            some[n++] = fabs(some[i]);
    }
    qsort(some, n, sizeof *some, compare);
    if (curve == IRIS_ASINH && n)
        s->soft = fmin(fmax(percentile(some, n, 50), larger / 300), larger / 10);
    free(some);
    return IRIS_OK;
}

void
iris_stretch_balance(struct iris_stretch *s)
{
    if (s->curve == IRIS_LOG)
        return;
    s->hi = fmax(fabs(s->lo), fabs(s->hi));
    s->lo = -s->hi;
}

enum iris_status
iris_stretch_set(enum iris_curve curve, double lo, double hi, struct iris_stretch *s,
                 struct iris_err *err)
{
    if (!isfinite(hi - lo) || !(lo < hi))
        return iris_fail(err, IRIS_E_USAGE, "bad range: its first number is not below its second");
    if (curve == IRIS_LOG && !(lo >= DBL_MIN))
        return iris_fail(err, IRIS_E_USAGE, "bad range: a logarithm begins above 0");
    *s = (struct iris_stretch){curve, lo, hi, fmax(fabs(lo), fabs(hi)) / turns};
    return IRIS_OK;
}

static double
bend(const struct iris_stretch *s, double v)
{
    if (s->curve == IRIS_LOG)
        return v > 0 ? iris_log10(v) : -(double)INFINITY;
    return s->curve == IRIS_ASINH ? iris_asinh(v / s->soft) : v;
}

double
iris_stretch_at(const struct iris_stretch *s, double v)
{
    double lo = bend(s, s->lo), hi = bend(s, s->hi);

    if (isnan(v))
        return v;
    return (bend(s, v) - lo) / (hi - lo);
}
