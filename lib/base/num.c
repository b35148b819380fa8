#include "num.h"

#include <ctype.h>
#include <errno.h>
#include <float.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

int
iris_parse_u64(const char *s, uint64_t *v)
{
    unsigned long long x;
    char *end;

    if (!isdigit((unsigned char)s[0]))
        return -1;
    errno = 0;
    x = strtoull(s, &end, 10);
    if (errno || *end)
        return -1;
    *v = x;
    return 0;
}

int
iris_parse_i64(const char *s, int64_t *v)
{
    long long x;
    char *end;

    if (!isdigit((unsigned char)s[0]) && !(s[0] == '-' && isdigit((unsigned char)s[1])))
        return -1;
    errno = 0;
    x = strtoll(s, &end, 10);
    if (errno || *end)
        return -1;
    *v = x;
    return 0;
}

int
iris_parse_f64(const char *s, double *v)
{
    double x;
    char *end;

    if (!strcmp(s, "inf") || !strcmp(s, "-inf") || !strcmp(s, "nan")) {
        *v = s[0] == 'n' ? (double)NAN : s[0] == '-' ? -(double)INFINITY : (double)INFINITY;
        return 0;
    }
    if (!s[0] || strspn(s, "0123456789+-.eE") != strlen(s))
        return -1;
    errno = 0;
    x = strtod(s, &end);
    if (end == s || *end || !isfinite(x))
        return -1;
    *v = x;
    return 0;
}

int
iris_parse_bytes(const char *s, uint64_t *v)
{
    static const char suffix[] = "KMGT";
    size_t n = strspn(s, "0123456789");
    unsigned shift = 0;
    char digits[24];
    const char *p;
    uint64_t x;

    if (n >= sizeof digits)
        return -1;
    memcpy(digits, s, n);
    digits[n] = '\0';
    if (iris_parse_u64(digits, &x))
        return -1;
    if (s[n]) {
        p = strchr(suffix, s[n]);
        if (!p || s[n + 1])
            return -1;
        shift = 10 * (unsigned)(p - suffix + 1);
    }
    if (shift && x > UINT64_MAX >> shift)
        return -1;
    *v = x << shift;
    return 0;
}

/* Leave the zeros at the end of "D.DDDe+XX" out.
 *
 *   return  the digits that are left
 */
static int
strip_zeros(char *text)
{
    char *e = strchr(text, 'e'), *end = e, *first = text + (*text == '-');
    int digits;

    while (end[-1] == '0' && end > first + 2)
        end--;
    digits = (int)(end - first) - 1;
    if (end == first + 2) { /* the dot as well */
        digits = 1;
        end--;
    }
    memmove(end, e, strlen(e) + 1);
    return digits;
}

/* Shortest digits that read back. Of up to DBL_DIG there is one way at most, for
 * numbers of full precision, and zeros follow it; else try each precision until
 * one does. Of a power of two the neighbour above is twice as far as the one
 * below, so the number above the nearest may do where that does not. */
static int
shortest(double v, char *text, size_t size)
{
    int digits = 1;
    char *last;

    if (fabs(v) >= DBL_MIN) {
        snprintf(text, size, "%.*e", DBL_DIG - 1, v);
        if (strtod(text, NULL) == v)
            return strip_zeros(text);
        digits = DBL_DIG + 1;
    }
    for (; digits < 17; digits++) {
        snprintf(text, size, "%.*e", digits - 1, v);
        if (strtod(text, NULL) == v)
            return digits;
        last = strchr(text, 'e') - 1;
        if (*last != '9' && (++*last, strtod(text, NULL) == v))
            return digits;
    }
    snprintf(text, size, "%.16e", v);
    return 17;
}

static char *
put(char text[IRIS_F64_TEXT], const char *word)
{
    snprintf(text, IRIS_F64_TEXT, "%s", word);
    return text;
}

char *
iris_format_f64(double v, char text[IRIS_F64_TEXT])
{
    int digits, exponent, decimals;
    char e[IRIS_F64_TEXT];

    if (isnan(v))
        return put(text, "nan");
    if (isinf(v))
        return put(text, v < 0 ? "-inf" : "inf");
    if (v == 0)
        return put(text, signbit(v) ? "-0.0" : "0.0");
    digits = shortest(v, e, sizeof e);
    exponent = (int)strtol(strchr(e, 'e') + 1, NULL, 10);
    if (exponent < -4 || exponent >= 16)
        return put(text, e);
    decimals = digits - 1 - exponent;
    snprintf(text, IRIS_F64_TEXT, "%.*f", decimals > 0 ? decimals : 1, v);
    return text;
}

int
iris_mul_size(size_t a, size_t b, size_t *out)
{
    size_t product;

    if (__builtin_mul_overflow(a, b, &product))
        return -1;
    *out = product;
    return 0;
}

int
iris_add_size(size_t a, size_t b, size_t *out)
{
    size_t sum;

    if (__builtin_add_overflow(a, b, &sum))
        return -1;
    *out = sum;
    return 0;
}

static const char *
skip_zeros(const char *s)
{
    while (*s == '0')
        s++;
    return s;
}

int
iris_natural_cmp(const char *a, const char *b)
{
    const char *p = a, *q = b;

    while (*p && *q) {
        if (isdigit((unsigned char)*p) && isdigit((unsigned char)*q)) {
            size_t m, n;
            int c;

            p = skip_zeros(p);
            q = skip_zeros(q);
            m = strspn(p, "0123456789");
            n = strspn(q, "0123456789");
            if (m != n)
                return m < n ? -1 : 1;
            c = memcmp(p, q, m);
            if (c)
                return c;
            p += m;
            q += n;
        } else if (*p != *q) {
            return (unsigned char)*p < (unsigned char)*q ? -1 : 1;
        } else {
            p++;
            q++;
        }
    }
    if (*p || *q)
        return *p ? 1 : -1;
    return strcmp(a, b);
}
