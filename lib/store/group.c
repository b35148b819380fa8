#include "group.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "entry.h"
#include "num.h"

enum rank { NUMBER, NAME, MISSING };

/* What a row is ordered by. */
struct key {
    enum rank rank;
    double number;
    const char *text;
    size_t place; /* qsort keeps no order of its own */
    char **row;
};

static struct key
key_of(const struct iris_manifest *m, size_t row, size_t column)
{
    struct key key = {
        .rank = MISSING, .text = m->row[row][column], .place = row, .row = m->row[row]};

    if (key.text)
        key.rank = iris_parse_f64(key.text, &key.number) || isnan(key.number) ? NAME : NUMBER;
    return key;
}

static int
compare_keys(const void *pa, const void *pb)
{
    const struct key *a = pa, *b = pb;
    int c = (int)a->rank - (int)b->rank;

    if (!c && a->rank == NUMBER)
        c = (a->number > b->number) - (a->number < b->number);
    if (!c && a->text && b->text)
        c = iris_natural_cmp(a->text, b->text);
    return c ? c : a->place < b->place ? -1 : 1;
}

enum iris_status
iris_group_check(const struct iris_manifest *m, const char *column, struct iris_err *err)
{
    if (iris_manifest_find(m, column) < 0)
        return iris_fail(err, IRIS_E_DATA, "there is no column '%.200s' to group by", column);
    return IRIS_OK;
}

enum iris_status
iris_group_sort(struct iris_manifest *m, const char *column, struct iris_err *err)
{
    enum iris_status st = iris_group_check(m, column, err);
    struct key *key;
    size_t r, c;

    if (st)
        return st;
    c = (size_t)iris_manifest_find(m, column);
    key = malloc((m->n_rows + 1) * sizeof *key);
    if (!key)
        return iris_fail_memory(err);
    for (r = 0; r < m->n_rows; r++)
        key[r] = key_of(m, r, c);
    qsort(key, m->n_rows, sizeof *key, compare_keys);
    for (r = 0; r < m->n_rows; r++)
        m->row[r] = key[r].row;
    free(key);
    return IRIS_OK;
}

static int
is_same(const char *a, const char *b)
{
    return a && b ? !strcmp(a, b) : a == b;
}

void
iris_group_print(const struct iris_manifest *m, const char *column, struct iris_buf *out)
{
    size_t r, end, failed;

    iris_manifest_print_head(m, out);
    for (r = 0; r < m->n_rows;) {
        const char *field = iris_manifest_get(m, r, column);

        failed = 0;
        for (end = r; end < m->n_rows && is_same(iris_manifest_get(m, end, column), field); end++)
            failed += (size_t)iris_entry_has_failed(m, end);
        iris_buf_printf(out, "##group %s=", column);
        iris_manifest_print_field(field, out);
        iris_buf_printf(out, " entries=%zu failed=%zu\n", end - r, failed);
        for (; r < end; r++)
            iris_manifest_print_row(m, r, out);
    }
    iris_manifest_print_end(m, out);
}
