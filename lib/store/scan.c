#include "scan.h"

#include <math.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "aligned.h"
#include "sampler.h"

/* Elements that are taken at once. */
enum {
    BLOCK = 1 << 16, /* for moments, which depend on it in the last bits */
    PIECE = 1 << 15, /* read and hashed, so few that they stay near */
    PART = 1 << 10   /* of which the limits are sought */
};

void
iris_moments_join(struct iris_moments *a, const struct iris_moments *b)
{
    double total = a->count + b->count, delta = b->mean - a->mean;

    a->mean += delta * b->count / total;
    a->m2 += b->m2 + delta * delta * a->count * b->count / total;
    a->count = total;
}

/* A float has a key: a whole number in the order of floats, -0 below 0. */
static float
ordered(int32_t key)
{
    int32_t bits = key < 0 ? key ^ 0x7fffffff : key;
    float v;

    memcpy(&v, &bits, sizeof v);
    return v;
}

static void
add_slowly(struct iris_scanner *s, const float *v, size_t n)
{
    struct iris_scan *x = s->scan;
    size_t i;

    for (i = 0; i < n; i++) {
        size_t at = x->count + i;
        int may_be_inf = at >= s->inf_lo && at < s->inf_hi && isinf(v[i]) && v[i] > 0;

        if (isfinite(v[i])) {
            x->min = v[i] < x->min ? v[i] : x->min;
            x->max = v[i] > x->max ? v[i] : x->max;
        } else if (!may_be_inf && !x->bad++) {
            x->first_bad = at;
        }
    }
}

/* The least and the greatest key; whole numbers, so every clone finds the same. */
#ifdef __x86_64__
__attribute__((target_clones("default", "avx2", "avx512f")))
#endif
static void
find_limits(const float *v, size_t n, int32_t limits[2])
{
    int32_t lo = INT32_MAX, hi = INT32_MIN;
    size_t i;

    for (i = 0; i < n; i++) {
        int32_t bits, key;

        memcpy(&bits, &v[i], sizeof bits);
        key = bits < 0 ? bits ^ 0x7fffffff : bits;
        lo = key < lo ? key : lo;
        hi = key > hi ? key : hi;
    }
    limits[0] = lo;
    limits[1] = hi;
}

/* Where all are finite, which the limits show, they are all that is to know. */
static void
add_part(struct iris_scanner *s, const float *v, size_t n)
{
    const int32_t infinite = 0x7f800000;
    struct iris_scan *x = s->scan;
    int32_t limits[2];

    find_limits(v, n, limits);
    if (limits[1] >= infinite || limits[0] <= -infinite - 1) {
        add_slowly(s, v, n);
    } else {
        float lo = ordered(limits[0]), hi = ordered(limits[1]);

        x->min = lo < x->min ? lo : x->min;
        x->max = hi > x->max ? hi : x->max;
    }
    x->count += n;
}

static void
add_moments(struct iris_scan *x, const float *v, size_t n)
{
    struct iris_moments all = {(double)x->count, x->mean, x->m2};
    double mean = 0, m2 = 0;
    size_t i;

    for (i = 0; i < n; i++)
        mean += (double)v[i];
    mean /= (double)n;
    for (i = 0; i < n; i++) {
        double d = (double)v[i] - mean;

        m2 += d * d;
    }
    iris_moments_join(&all, &(struct iris_moments){(double)n, mean, m2});
    x->mean = all.mean;
    x->m2 = all.m2;
}

enum iris_status
iris_scanner_begin(struct iris_scanner *s, const struct iris_shape *shape, unsigned what,
                   struct iris_scan *scan, struct iris_err *err)
{
    enum iris_status st;
    size_t count;

    *scan = (struct iris_scan){.shape = *shape, .min = (float)INFINITY, .max = -(float)INFINITY};
    *s = (struct iris_scanner){.scan = scan, .what = what};
    st = iris_shape_count(shape, &count, err);
    if (st)
        return st;
    if (what & IRIS_SCAN_TENSOR) {
        s->inf_lo = IRIS_T * (count / IRIS_FIELDS);
        s->inf_hi = s->inf_lo + count / IRIS_FIELDS;
    }
    s->hash = iris_digest_new();
    return s->hash ? IRIS_OK : iris_fail_memory(err);
}

void
iris_scanner_add(struct iris_scanner *s, const float *v, size_t n)
{
    size_t done, part;

    iris_digest_add(s->hash, v, n * sizeof *v);
    for (done = 0; done < n; done += part) {
        part = n - done < BLOCK ? n - done : BLOCK;
        if (s->what & IRIS_SCAN_MOMENTS)
            add_moments(s->scan, v + done, part);
        for (size_t i = 0; i < part; i += PART)
            add_part(s, v + done + i, part - i < PART ? part - i : PART);
    }
}

void
iris_scanner_end(struct iris_scanner *s)
{
    if (s->hash)
        iris_digest_text(s->hash, s->scan->hash);
    iris_digest_free(s->hash);
    *s = (struct iris_scanner){.scan = NULL};
}

enum iris_status
iris_scan_array(const char *path, unsigned what, struct iris_scan *scan, struct iris_err *err)
{
    struct iris_scanner s = {.scan = NULL};
    struct iris_npy a;
    enum iris_status st;
    size_t done, piece;
    float *block;

    *scan = (struct iris_scan){.count = 0};
    st = iris_npy_open(path, &a, err);
    if (st)
        return st;
    piece = what & IRIS_SCAN_MOMENTS ? BLOCK : PIECE;
    block = iris_aligned(piece * sizeof *block);
    st = block ? iris_scanner_begin(&s, &a.shape, what, scan, err) : iris_fail_memory(err);
    if (!st)
        st = iris_npy_hash_header(&a, s.hash, err);
    for (done = 0; done < a.count && !st; done += piece) {
        size_t n = a.count - done < piece ? a.count - done : piece;

        st = iris_npy_read_f32(&a, done, n, block, err);
        if (!st)
            iris_scanner_add(&s, block, n);
    }
    iris_scanner_end(&s);
    if (!st && a.item != sizeof *block)
        st = iris_digest_file(path, scan->hash, err);
    free(block);
    iris_npy_close(&a);
    return st;
}
