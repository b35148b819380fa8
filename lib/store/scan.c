#include "entry.h"

#include <math.h>
#include <stdlib.h>
#include <unistd.h>

#include "digest.h"
#include "file.h"
#include "sampler.h"

enum { BLOCK = 1 << 16 };

/* Join the moments of a block to those of what came before.
 * Chan, Golub, LeVeque 1979. */
static void
join_moments(struct iris_scan *s, size_t n, double mean, double m2)
{
    double total = (double)s->count + (double)n, delta = mean - s->mean;

    s->mean += delta * (double)n / total;
    s->m2 += m2 + delta * delta * (double)s->count * (double)n / total;
    s->count += n;
}

static void
add_block(struct iris_scan *s, const float *v, size_t n, size_t inf_lo, size_t inf_hi)
{
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
    join_moments(s, n, mean, m2);
}

/* The hash covers the file's bytes: its header, then the values as they are. */
static enum iris_status
hash_header(const struct iris_npy *a, struct iris_digest *hash, struct iris_err *err)
{
    char *header = malloc(a->offset);
    enum iris_status st = IRIS_OK;

    if (!header)
        return iris_fail_memory(err);
    if (pread(a->fd, header, a->offset, 0) != (ssize_t)a->offset)
        st = iris_fail(err, IRIS_E_IO, "cannot read '%s':", a->path);
    else
        iris_digest_add(hash, header, a->offset);
    free(header);
    return st;
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
    st = block && hash ? hash_header(&a, hash, err) : iris_fail_memory(err);
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
