#include "entry.h"

#include <math.h>
#include <stdlib.h>

#include "digest.h"
#include "file.h"
#include "sampler.h"

enum { BLOCK = 1 << 16 };

void
iris_moments_join(struct iris_moments *a, const struct iris_moments *b)
{
    double total = a->count + b->count, delta = b->mean - a->mean;

    a->mean += delta * b->count / total;
    a->m2 += b->m2 + delta * delta * a->count * b->count / total;
    a->count = total;
}

static void
add_block(struct iris_scan *s, const float *v, size_t n, size_t inf_lo, size_t inf_hi)
{
    struct iris_moments all;
    double mean = 0, m2 = 0;
    size_t i;

    for (i = 0; i < n; i++) {
        double x = (double)v[i];
        size_t at = s->count + i;
        int may_be_inf = at >= inf_lo && at < inf_hi && isinf(v[i]) && v[i] > 0;

        if (isfinite(v[i])) {
            s->min = v[i] < s->min ? v[i] : s->min;
            s->max = v[i] > s->max ? v[i] : s->max;
        } else if (!may_be_inf && !s->bad++) {
            s->first_bad = at;
        }
        mean += x;
    }
    mean /= (double)n;
    for (i = 0; i < n; i++) {
        double d = (double)v[i] - mean;

        m2 += d * d;
    }
    all = (struct iris_moments){(double)s->count, s->mean, s->m2};
    iris_moments_join(&all, &(struct iris_moments){(double)n, mean, m2});
    s->mean = all.mean;
    s->m2 = all.m2;
    s->count += n;
}

enum iris_status
iris_scan_array(const char *path, int temperature_may_be_inf, struct iris_scan *scan,
                struct iris_err *err)
{
    size_t count = 0, done, channel, inf_lo = 0, inf_hi = 0;
    struct iris_digest *hash = NULL;
    struct iris_npy a;
    float *block = NULL;
    enum iris_status st;

    *scan = (struct iris_scan){.min = (float)INFINITY, .max = -(float)INFINITY};
    st = iris_npy_open(path, &a, err);
    if (st)
        return st;
    scan->shape = a.shape;
    count = a.count;
    if (temperature_may_be_inf) {
        channel = count / IRIS_FIELDS;
        inf_lo = IRIS_T * channel;
        inf_hi = inf_lo + channel;
    }
    block = malloc(BLOCK * sizeof *block);
    hash = iris_digest_new();
    st = block && hash ? iris_npy_hash_header(&a, hash, err) : iris_fail_memory(err);
    for (done = 0; done < count && !st; done += BLOCK) {
        size_t n = count - done < BLOCK ? count - done : BLOCK;

        st = iris_npy_read_f32(&a, done, n, block, err);
        if (st)
            break;
        add_block(scan, block, n, inf_lo, inf_hi);
        iris_digest_add(hash, block, n * sizeof *block);
    }
    if (!st && a.item == sizeof *block)
        iris_digest_text(hash, scan->hash);
    else if (!st)
        st = iris_digest_file(path, scan->hash, err);
    iris_digest_free(hash);
    free(block);
    iris_npy_close(&a);
    return st;
}
