#include "unite.h"

#include <stdlib.h>
#include <string.h>

#include "entry.h"

enum iris_status
iris_unite_append(struct iris_manifest *to, const struct iris_manifest *from, struct iris_err *err)
{
    enum iris_status st = IRIS_OK;
    size_t c, r, index;

    for (c = 0; c < from->n_columns && !st; c++)
        st = iris_manifest_column(to, from->column[c].name, from->column[c].type, &index, err);
    for (r = 0; r < from->n_rows && !st; r++) {
        st = iris_manifest_add_row(to, &index, err);
        for (c = 0; c < from->n_columns && !st; c++)
            st = iris_manifest_set(to, index, from->column[c].name, from->row[r][c], err);
    }
    return st;
}

/* The column in which two rows differ where both have something, or NULL. */
static const char *
disagreement(const struct iris_manifest *m, size_t a, size_t b)
{
    size_t c;

    for (c = 0; c < m->n_columns; c++) {
        const char *x = m->row[a][c], *y = m->row[b][c];

        if (x && y && strcmp(x, y))
            return m->column[c].name;
    }
    return NULL;
}

/* Give row `a` what only row `b` has. */
static enum iris_status
complete(struct iris_manifest *m, size_t a, size_t b, struct iris_err *err)
{
    enum iris_status st = IRIS_OK;
    size_t c;

    for (c = 0; c < m->n_columns && !st; c++) {
        if (!m->row[a][c] && m->row[b][c])
            st = iris_manifest_set(m, a, m->column[c].name, m->row[b][c], err);
    }
    return st;
}

enum iris_status
iris_unite(struct iris_manifest *m, struct iris_err *err)
{
    unsigned char *keep = calloc(m->n_rows + 1, 1);
    enum iris_status st = keep ? IRIS_OK : iris_fail_memory(err);
    size_t r, best = 0;

    for (r = 0; r < m->n_rows && !st; r++) {
        const char *id = iris_manifest_get(m, r, "id"), *last;

        last = r ? iris_manifest_get(m, best, "id") : NULL;
        if (!id) {
            st = iris_fail(err, IRIS_E_DATA, "row %zu has no id", r + 1);
        } else if (!last || strcmp(id, last)) {
            best = r;
            keep[r] = 1;
        } else if (iris_entry_has_failed(m, best) && !iris_entry_has_failed(m, r)) {
            keep[best] = 0;
            keep[r] = 1;
            best = r;
        } else if (!iris_entry_has_failed(m, best) && !iris_entry_has_failed(m, r)) {
            const char *column = disagreement(m, best, r);

            st = column ? iris_fail(err, IRIS_E_DATA,
                                    "entry '%s' has two rows that differ in '%s': '%s' and '%s'",
                                    id, column, iris_manifest_get(m, best, column),
                                    iris_manifest_get(m, r, column))
                        : complete(m, best, r, err);
        }
    }
    if (!st)
        iris_manifest_keep(m, keep);
    free(keep);
    return st;
}
