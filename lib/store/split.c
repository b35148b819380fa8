#include "split.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "digest.h"

struct ticket {
    uint64_t hash;
    const char *name;
    size_t entry;
};

static int
compare(const void *a, const void *b)
{
    const struct ticket *x = a, *y = b;

    if (x->hash != y->hash)
        return x->hash < y->hash ? -1 : 1;
    return strcmp(x->name, y->name);
}

/* Every entry with its name, in the order of the draw. */
static enum iris_status
draw(const char *const *name, size_t n, uint64_t seed, struct ticket **ticket, struct iris_err *err)
{
    struct ticket *t = malloc((n + 1) * sizeof *t);
    size_t i;

    *ticket = t;
    if (!t)
        return iris_fail_memory(err);
    for (i = 0; i < n; i++)
        t[i] = (struct ticket){iris_hash64(seed, name[i]), name[i], i};
    qsort(t, n, sizeof *t, compare);
    return IRIS_OK;
}

enum iris_status
iris_split_entries(const char *const *id, size_t n, double fraction, uint64_t seed,
                   unsigned char *part, struct iris_err *err)
{
    size_t i, wanted = (size_t)(fraction * (double)n);
    enum iris_status st;
    struct ticket *t;

    st = draw(id, n, seed, &t, err);
    for (i = 0; i < n && !st; i++)
        part[t[i].entry] = i < wanted ? IRIS_SPLIT_VALIDATION : IRIS_SPLIT_TRAIN;
    free(t);
    return st;
}

enum iris_status
iris_split_snapshots(const char *const *snapshot, size_t n, double fraction, uint64_t seed,
                     unsigned char *part, struct iris_err *err)
{
    double wanted = fraction * (double)n, have = 0;
    size_t i, k, end;
    enum iris_status st;
    struct ticket *t;
    int taking = fraction > 0;

    st = draw(snapshot, n, seed, &t, err);
    for (i = 0; i < n && !st; i = end) {
        double count;

        for (end = i + 1; end < n && !compare(&t[i], &t[end]); end++)
            ;
        count = (double)(end - i);
        taking = taking && end < n && (i == 0 || fabs(have + count - wanted) < fabs(have - wanted));
        have += taking ? count : 0;
        for (k = i; k < end; k++)
            part[t[k].entry] = taking ? IRIS_SPLIT_VALIDATION : IRIS_SPLIT_TRAIN;
    }
    free(t);
    return st;
}

enum iris_status
iris_split_rows(const struct iris_manifest *m, const char *column, double fraction, uint64_t seed,
                unsigned char *part, struct iris_err *err)
{
    const char **name = malloc((m->n_rows + 1) * sizeof *name);
    enum iris_status st = name ? IRIS_OK : iris_fail_memory(err);
    size_t r;

    for (r = 0; r < m->n_rows && !st; r++) {
        name[r] = iris_manifest_get(m, r, column);
        if (!name[r])
            st = iris_fail(err, IRIS_E_DATA, "row %zu of the manifest has no %s", r, column);
    }
    if (!st && !strcmp(column, "snapshot"))
        st = iris_split_snapshots(name, m->n_rows, fraction, seed, part, err);
    else if (!st)
        st = iris_split_entries(name, m->n_rows, fraction, seed, part, err);
    free(name);
    return st;
}
