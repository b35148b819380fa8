#include <stdlib.h>
#include <string.h>

#include "fetch.h"

struct named {
    const char *id;
    size_t row;
};

static int
compare_ids(const void *pa, const void *pb)
{
    const struct named *a = pa, *b = pb;
    int c = strcmp(a->id, b->id);

    return c ? c : a->row < b->row ? -1 : a->row > b->row;
}

static int
is_same_source(const struct iris_manifest *m, size_t a, size_t b)
{
    static const char *const column[] = {"path", "remote", "files", "bytes", "mtime"};
    size_t i;

    for (i = 0; i < sizeof column / sizeof column[0]; i++) {
        const char *x = iris_manifest_get(m, a, column[i]), *y = iris_manifest_get(m, b, column[i]);

        if (x && y ? strcmp(x, y) != 0 : x != y)
            return 0;
    }
    return 1;
}

/* The first of these rows that is to be copied, else the first of all. */
static size_t
pick(const struct fetch *f, const struct named *of, size_t n)
{
    size_t k;

    for (k = 0; k < n; k++) {
        if (f->row[of[k].row].state == FETCH_WAITING)
            return of[k].row;
    }
    return of[0].row;
}

static void
refuse(struct fetch *f, size_t r, const char *id)
{
    f->row[r].state = FETCH_FAILED;
    iris_fail(&f->row[r].err, IRIS_E_DATA,
              "row %zu of the manifest: snapshot '%s' is in another row with another path, size or "
              "time; list them apart with --label",
              r + 1, id);
}

/* All rows of one id: those of one source become one snapshot. Rows of nothing to do
 * are part of it, so that all of it is printed together. */
static void
join(struct fetch *f, const struct named *of, size_t n)
{
    size_t model = pick(f, of, n), lead = f->m.n_rows, last = lead, k;
    int is_copied = f->row[model].state == FETCH_WAITING;

    for (k = 0; k < n; k++) {
        size_t r = of[k].row;

        if (!is_same_source(&f->m, r, model)) {
            if (is_copied && f->row[r].state == FETCH_WAITING)
                refuse(f, r, of[k].id);
            continue;
        }
        if (!is_copied && f->row[r].state != f->row[model].state)
            continue;
        if (is_copied && r != model)
            f->row[r] = f->row[model];
        if (lead == f->m.n_rows)
            lead = r;
        else
            f->row[last].next = r;
        f->row[r].lead = lead;
        f->row[r].next = f->m.n_rows;
        last = r;
    }
}

enum iris_status
fetch_share(struct fetch *f, struct iris_err *err)
{
    struct named *all = calloc(f->m.n_rows + 1, sizeof *all);
    size_t r, k, n = 0;

    if (!all)
        return iris_fail_memory(err);
    for (r = 0; r < f->m.n_rows; r++) {
        const char *id = iris_manifest_get(&f->m, r, "snapshot");

        f->row[r].lead = r;
        f->row[r].next = f->m.n_rows;
        if (id)
            all[n++] = (struct named){id, r};
    }
    qsort(all, n, sizeof *all, compare_ids);
    for (r = 0; r < n; r = k) {
        for (k = r + 1; k < n && !strcmp(all[k].id, all[r].id); k++)
            ;
        if (k > r + 1)
            join(f, &all[r], k - r);
    }
    free(all);
    return IRIS_OK;
}

size_t
fetch_count(const struct fetch *f)
{
    size_t r, n = 0;

    for (r = 0; r < f->m.n_rows; r++)
        n += f->row[r].lead == r;
    return n;
}
