#include "manifest.h"

#include <inttypes.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "num.h"

enum iris_status
iris_manifest_init(struct iris_manifest *m, const char *kind, struct iris_err *err)
{
    *m = (struct iris_manifest){0};
    m->kind = strdup(kind);
    return m->kind ? IRIS_OK : iris_fail_memory(err);
}

static void
free_row(struct iris_manifest *m, size_t r)
{
    size_t c;

    for (c = 0; c < m->n_columns; c++)
        free(m->row[r][c]);
    free(m->row[r]);
}

void
iris_manifest_release(struct iris_manifest *m)
{
    size_t i;

    for (i = 0; i < m->n_rows; i++)
        free_row(m, i);
    for (i = 0; i < m->n_columns; i++) {
        free(m->column[i].name);
        free(m->column[i].type);
    }
    free(m->row);
    free(m->column);
    free(m->kind);
    *m = (struct iris_manifest){0};
}

int
iris_manifest_find(const struct iris_manifest *m, const char *name)
{
    size_t i;

    for (i = 0; i < m->n_columns; i++) {
        if (!strcmp(m->column[i].name, name))
            return (int)i;
    }
    return -1;
}

enum iris_status
iris_manifest_column(struct iris_manifest *m, const char *name, const char *type, size_t *index,
                     struct iris_err *err)
{
    int found = iris_manifest_find(m, name);
    struct iris_manifest_column *column;
    size_t r;

    if (found >= 0) {
        *index = (size_t)found;
        return IRIS_OK;
    }
    column = realloc(m->column, (m->n_columns + 1) * sizeof *column);
    if (!column)
        return iris_fail_memory(err);
    m->column = column;
    for (r = 0; r < m->n_rows; r++) {
        char **row = realloc(m->row[r], (m->n_columns + 1) * sizeof *row);

        if (!row)
            return iris_fail_memory(err);
        row[m->n_columns] = NULL;
        m->row[r] = row;
    }
    column[m->n_columns] = (struct iris_manifest_column){strdup(name), strdup(type)};
    if (!column[m->n_columns].name || !column[m->n_columns].type) {
        free(column[m->n_columns].name);
        free(column[m->n_columns].type);
        return iris_fail_memory(err);
    }
    *index = m->n_columns++;
    return IRIS_OK;
}

enum iris_status
iris_manifest_add_row(struct iris_manifest *m, size_t *index, struct iris_err *err)
{
    char ***rows, **row;

    /* the array grows by doubling: at powers of two it is full */
    if ((m->n_rows & (m->n_rows - 1)) == 0) {
        rows = realloc(m->row, (m->n_rows ? 2 * m->n_rows : 1) * sizeof *rows);
        if (!rows)
            return iris_fail_memory(err);
        m->row = rows;
    }
    row = calloc(m->n_columns ? m->n_columns : 1, sizeof *row);
    if (!row)
        return iris_fail_memory(err);
    m->row[m->n_rows] = row;
    *index = m->n_rows++;
    return IRIS_OK;
}

void
iris_manifest_keep(struct iris_manifest *m, const unsigned char *keep)
{
    char ***row;
    size_t r, n = 0, cap = 1;

    for (r = 0; r < m->n_rows; r++) {
        if (keep[r])
            m->row[n++] = m->row[r];
        else
            free_row(m, r);
    }
    m->n_rows = n;
    /* iris_manifest_add_row counts on capacity being the next power of two */
    while (cap < n)
        cap *= 2;
    row = realloc(m->row, cap * sizeof *row);
    if (row)
        m->row = row;
}

enum iris_status
iris_manifest_set(struct iris_manifest *m, size_t row, const char *name, const char *value,
                  struct iris_err *err)
{
    int c = iris_manifest_find(m, name);
    char *copy = NULL;

    if (c < 0)
        return iris_fail(err, IRIS_E_BUG, "no column '%s'", name);
    if (value && !(copy = strdup(value)))
        return iris_fail_memory(err);
    free(m->row[row][c]);
    m->row[row][c] = copy;
    return IRIS_OK;
}

enum iris_status
iris_manifest_set_u64(struct iris_manifest *m, size_t row, const char *name, uint64_t value,
                      struct iris_err *err)
{
    char text[24];

    snprintf(text, sizeof text, "%" PRIu64, value);
    return iris_manifest_set(m, row, name, text, err);
}

enum iris_status
iris_manifest_set_f64(struct iris_manifest *m, size_t row, const char *name, double value,
                      struct iris_err *err)
{
    char text[IRIS_F64_TEXT];

    return iris_manifest_set(m, row, name, isnan(value) ? NULL : iris_format_f64(value, text), err);
}

const char *
iris_manifest_get(const struct iris_manifest *m, size_t row, const char *name)
{
    int c = iris_manifest_find(m, name);

    return c < 0 ? NULL : m->row[row][c];
}

enum iris_status
iris_manifest_get_u64(const struct iris_manifest *m, size_t row, const char *name, uint64_t *value,
                      struct iris_err *err)
{
    const char *text = iris_manifest_get(m, row, name);

    if (!text)
        return iris_fail(err, IRIS_E_DATA, "row %zu has no '%s'", row + 1, name);
    if (iris_parse_u64(text, value))
        return iris_fail(err, IRIS_E_DATA, "row %zu has a bad '%s': '%s'", row + 1, name, text);
    return IRIS_OK;
}

/* What rows are sorted by; looked up once for each row. */
struct key {
    const char *snapshot, *id;
    uint64_t point;
    char **row;
};

static int
compare_text(const char *a, const char *b, int (*cmp)(const char *, const char *))
{
    if (!a || !b)
        return (a != NULL) - (b != NULL);
    return cmp(a, b);
}

static int
compare_keys(const void *pa, const void *pb)
{
    const struct key *a = pa, *b = pb;
    int c = compare_text(a->snapshot, b->snapshot, iris_natural_cmp);

    if (c)
        return c;
    if (a->point != b->point)
        return a->point < b->point ? -1 : 1;
    return compare_text(a->id, b->id, strcmp);
}

enum iris_status
iris_manifest_sort(struct iris_manifest *m, struct iris_err *err)
{
    struct key *key = malloc((m->n_rows ? m->n_rows : 1) * sizeof *key);
    size_t r;

    if (!key)
        return iris_fail_memory(err);
    for (r = 0; r < m->n_rows; r++) {
        const char *point = iris_manifest_get(m, r, "point");

        key[r] = (struct key){iris_manifest_get(m, r, "snapshot"), iris_manifest_get(m, r, "id"), 0,
                              m->row[r]};
        if (point)
            iris_parse_u64(point, &key[r].point);
    }
    qsort(key, m->n_rows, sizeof *key, compare_keys);
    for (r = 0; r < m->n_rows; r++)
        m->row[r] = key[r].row;
    free(key);
    return IRIS_OK;
}

void
iris_manifest_print_field(const char *text, struct iris_buf *out)
{
    if (!text) {
        iris_buf_putc(out, '.');
        return;
    }
    if (!strcmp(text, ".")) {
        iris_buf_puts(out, "\\.");
        return;
    }
    for (; *text; text++) {
        if (*text == '\t')
            iris_buf_puts(out, "\\t");
        else if (*text == '\n')
            iris_buf_puts(out, "\\n");
        else if (*text == '\\')
            iris_buf_puts(out, "\\\\");
        else
            iris_buf_putc(out, *text);
    }
}

void
iris_manifest_print_head(const struct iris_manifest *m, struct iris_buf *out)
{
    size_t c;

    iris_buf_printf(out, IRIS_MANIFEST_VERSION "%s\n##columns", m->kind);
    for (c = 0; c < m->n_columns; c++)
        iris_buf_printf(out, " %s:%s", m->column[c].name, m->column[c].type);
    for (c = 0; c < m->n_columns; c++)
        iris_buf_printf(out, "%s%s", c ? "\t" : "\n#", m->column[c].name);
    iris_buf_putc(out, '\n');
}

void
iris_manifest_print_row(const struct iris_manifest *m, size_t row, struct iris_buf *out)
{
    size_t c;

    for (c = 0; c < m->n_columns; c++) {
        if (c)
            iris_buf_putc(out, '\t');
        iris_manifest_print_field(m->row[row][c], out);
    }
    iris_buf_putc(out, '\n');
}

void
iris_manifest_print_end(const struct iris_manifest *m, struct iris_buf *out)
{
    iris_buf_printf(out, "##rows %zu\n", m->n_rows);
}

void
iris_manifest_print(const struct iris_manifest *m, struct iris_buf *out)
{
    size_t r;

    iris_manifest_print_head(m, out);
    for (r = 0; r < m->n_rows; r++)
        iris_manifest_print_row(m, r, out);
    iris_manifest_print_end(m, out);
}
