#include "manifest.h"

#include <inttypes.h>
#include <math.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "file.h"
#include "num.h"

enum { START, HEADER, ROWS, ENDED };
static const char version[] = "##iris-manifest 1 ";

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
    char ***rows = m->row, **row;

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
        return iris_fail(err, IRIS_E_DATA, "row %zu of the manifest has no '%s'", row + 1, name);
    if (iris_parse_u64(text, value))
        return iris_fail(err, IRIS_E_DATA, "row %zu of the manifest has a bad '%s': '%s'", row + 1,
                         name, text);
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

void
iris_manifest_sort(struct iris_manifest *m)
{
    struct key *key = malloc((m->n_rows ? m->n_rows : 1) * sizeof *key);
    size_t r;

    if (!key)
        return;
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
}

static void
put_field(struct iris_buf *out, const char *text)
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
iris_manifest_print(const struct iris_manifest *m, struct iris_buf *out)
{
    size_t c, r;

    iris_buf_printf(out, "%s%s\n##columns", version, m->kind);
    for (c = 0; c < m->n_columns; c++)
        iris_buf_printf(out, " %s:%s", m->column[c].name, m->column[c].type);
    for (c = 0; c < m->n_columns; c++)
        iris_buf_printf(out, "%s%s", c ? "\t" : "\n#", m->column[c].name);
    iris_buf_putc(out, '\n');
    for (r = 0; r < m->n_rows; r++) {
        for (c = 0; c < m->n_columns; c++) {
            if (c)
                iris_buf_putc(out, '\t');
            put_field(out, m->row[r][c]);
        }
        iris_buf_putc(out, '\n');
    }
    iris_buf_printf(out, "##rows %zu\n", m->n_rows);
}

enum iris_status
iris_manifest_reader_init(struct iris_manifest_reader *r, const char *name, struct iris_err *err)
{
    *r = (struct iris_manifest_reader){0};
    r->name = strdup(strcmp(name, "-") ? name : "standard input");
    return r->name ? IRIS_OK : iris_fail_memory(err);
}

void
iris_manifest_reader_release(struct iris_manifest_reader *r)
{
    free(r->name);
    iris_manifest_release(&r->table);
    *r = (struct iris_manifest_reader){0};
}

__attribute__((format(printf, 3, 4))) static enum iris_status
bad_line(const struct iris_manifest_reader *r, struct iris_err *err, const char *fmt, ...)
{
    char text[400];
    va_list ap;

    va_start(ap, fmt);
    vsnprintf(text, sizeof text, fmt, ap);
    va_end(ap);
    return iris_fail(err, IRIS_E_DATA, "%s:%zu: %s (see iris-manifest(5))", r->name, r->line, text);
}

/* "name:type name:type ...": remembered for the columns that follow. */
static void
take_types(struct iris_manifest *m, char *spec)
{
    char *save = NULL, *word;

    for (word = strtok_r(spec, " ", &save); word; word = strtok_r(NULL, " ", &save)) {
        char *colon = strchr(word, ':'), *copy;
        int c;

        if (!colon)
            continue;
        *colon = '\0';
        c = iris_manifest_find(m, word);
        copy = c >= 0 ? strdup(colon + 1) : NULL;
        if (copy) {
            free(m->column[c].type);
            m->column[c].type = copy;
        }
    }
}

static enum iris_status
take_kind(struct iris_manifest_reader *r, const char *kind, struct iris_err *err)
{
    static const char *const known[] = {"snapshots", "fetched", "entries"};
    size_t i;

    for (i = 0; i < sizeof known / sizeof known[0]; i++) {
        if (!strcmp(kind, known[i]))
            break;
    }
    if (i == sizeof known / sizeof known[0])
        return bad_line(r, err, "unknown kind of manifest '%s'", kind);
    if (r->table.kind && strcmp(r->table.kind, kind))
        return bad_line(r, err, "a manifest of %s follows one of %s", kind, r->table.kind);
    if (!r->table.kind && !(r->table.kind = strdup(kind)))
        return iris_fail_memory(err);
    r->state = HEADER;
    r->rows = 0;
    return IRIS_OK;
}

/* The "##columns" line comes before the names, so it is kept as the names. */
static enum iris_status
take_columns(struct iris_manifest_reader *r, char *spec, struct iris_err *err)
{
    char *save = NULL, *word, *copy = strdup(spec);
    enum iris_status st = IRIS_OK;
    size_t index;

    if (!copy)
        return iris_fail_memory(err);
    if (r->table.n_columns == 0) {
        for (word = strtok_r(copy, " ", &save); word && !st; word = strtok_r(NULL, " ", &save)) {
            char *colon = strchr(word, ':');

            if (colon)
                *colon = '\0';
            st = iris_manifest_column(&r->table, word, "str", &index, err);
        }
        if (!st)
            take_types(&r->table, spec);
    }
    free(copy);
    return st;
}

static enum iris_status
take_names(struct iris_manifest_reader *r, char *names, struct iris_err *err)
{
    char *word = names, *tab;
    enum iris_status st;
    size_t n = 0, index;
    int declared = r->table.n_columns > 0;

    for (;; word = tab + 1) {
        tab = strchr(word, '\t');
        if (tab)
            *tab = '\0';
        if (!*word)
            return bad_line(r, err, "column %zu has no name", n + 1);
        if (declared &&
            (n >= r->table.n_columns || strcmp(r->table.column[n].name, word)))
            return bad_line(r, err, "column %zu is '%s', not what was declared", n + 1, word);
        if (!declared && iris_manifest_find(&r->table, word) >= 0)
            return bad_line(r, err, "two columns are named '%s'", word);
        if (!declared) {
            st = iris_manifest_column(&r->table, word, "str", &index, err);
            if (st)
                return st;
        }
        n++;
        if (!tab)
            break;
    }
    if (n != r->table.n_columns)
        return bad_line(r, err, "%zu columns where %zu were declared", n, r->table.n_columns);
    r->state = ROWS;
    return IRIS_OK;
}

/* Undo the escapes in place; -1 for one that does not exist. */
static int
unescape(char *s)
{
    char *to = s;

    for (; *s; s++) {
        if (*s != '\\') {
            *to++ = *s;
            continue;
        }
        switch (*++s) {
        case 't':
            *to++ = '\t';
            break;
        case 'n':
            *to++ = '\n';
            break;
        case '\\':
        case '.':
            *to++ = *s;
            break;
        default:
            return -1;
        }
    }
    *to = '\0';
    return 0;
}

static enum iris_status
take_row(struct iris_manifest_reader *r, char *line, struct iris_err *err)
{
    struct iris_manifest *m = &r->table;
    char *word = line, *tab;
    enum iris_status st;
    size_t row = 0, c = 0;

    st = iris_manifest_add_row(m, &row, err);
    if (st)
        return st;
    for (;; word = tab + 1, c++) {
        int missing;

        tab = strchr(word, '\t');
        if (tab)
            *tab = '\0';
        if (c == m->n_columns)
            return bad_line(r, err, "more than the %zu fields of the header", m->n_columns);
        missing = !strcmp(word, ".");
        if (unescape(word))
            return bad_line(r, err, "bad escape in field '%s'", m->column[c].name);
        if (!missing && !(m->row[row][c] = strdup(word)))
            return iris_fail_memory(err);
        if (!tab)
            break;
    }
    if (c + 1 != m->n_columns)
        return bad_line(r, err, "%zu fields where the header has %zu", c + 1, m->n_columns);
    r->rows++;
    return IRIS_OK;
}

static enum iris_status
take_end(struct iris_manifest_reader *r, const char *count, struct iris_err *err)
{
    uint64_t n;

    if (iris_parse_u64(count, &n))
        return bad_line(r, err, "bad number of rows '%s'", count);
    if (n != r->rows)
        return bad_line(r, err, "%zu rows where the last line promises %s", r->rows, count);
    r->state = ENDED;
    return IRIS_OK;
}

static enum iris_status
take_line(struct iris_manifest_reader *r, char *line, struct iris_err *err)
{
    if (!strncmp(line, version, sizeof version - 1))
        return take_kind(r, line + sizeof version - 1, err);
    if (r->state == START)
        return bad_line(r, err, "not a manifest: it does not begin with '%sKIND'", version);
    if (r->state == HEADER && !strncmp(line, "##columns ", 10))
        return take_columns(r, line + 10, err);
    if (r->state == ROWS && !strncmp(line, "##rows ", 7))
        return take_end(r, line + 7, err);
    if (!strncmp(line, "##", 2))
        return IRIS_OK; /* a remark of a later version */
    if (r->state == HEADER && line[0] == '#')
        return take_names(r, line + 1, err);
    if (r->state == HEADER)
        return bad_line(r, err, "a row before the line of column names");
    if (r->state == ENDED)
        return bad_line(r, err, "a row after the end");
    return take_row(r, line, err);
}

enum iris_status
iris_manifest_reader_line(struct iris_manifest_reader *r, const char *line, size_t len,
                          struct iris_err *err)
{
    enum iris_status st;
    char *copy;

    r->line++;
    if (memchr(line, '\0', len))
        return bad_line(r, err, "a NUL byte, so this is no text");
    copy = strndup(line, len);
    if (!copy)
        return iris_fail_memory(err);
    st = take_line(r, copy, err);
    free(copy);
    return st;
}

enum iris_status
iris_manifest_reader_end(struct iris_manifest_reader *r, struct iris_err *err)
{
    if (r->state == START)
        return iris_fail(err, IRIS_E_DATA, "%s: empty, not a manifest (see iris-manifest(5))",
                         r->name);
    if (r->state == HEADER)
        return bad_line(r, err, "the line of column names is missing");
    return IRIS_OK;
}

static enum iris_status
feed(struct iris_manifest_reader *r, const struct iris_buf *text, struct iris_err *err)
{
    const char *p = iris_buf_str(text), *end = p + text->len;
    enum iris_status st = IRIS_OK;

    while (p < end && !st) {
        const char *nl = memchr(p, '\n', (size_t)(end - p));

        if (!nl) {
            r->line++;
            return bad_line(r, err, "the last line is cut short");
        }
        st = iris_manifest_reader_line(r, p, (size_t)(nl - p), err);
        p = nl + 1;
    }
    return st ? st : iris_manifest_reader_end(r, err);
}

static int
kind_fits(const char *kind, const char *wanted)
{
    return !wanted || !strcmp(kind, wanted) ||
           (!strcmp(wanted, "snapshots") && !strcmp(kind, "fetched"));
}

enum iris_status
iris_manifest_read(const char *path, const char *kind, struct iris_manifest *m,
                   struct iris_err *err)
{
    struct iris_manifest_reader r;
    struct iris_buf text = {0};
    enum iris_status st;

    *m = (struct iris_manifest){0};
    st = iris_manifest_reader_init(&r, path, err);
    if (!st)
        st = iris_read_file(path, (size_t)1 << 40, &text, err);
    if (!st)
        st = feed(&r, &text, err);
    if (!st && !kind_fits(r.table.kind, kind))
        st = iris_fail(err, IRIS_E_DATA, "%s: a manifest of %s where one of %s is needed", r.name,
                       r.table.kind, kind);
    if (!st) {
        *m = r.table;
        r.table = (struct iris_manifest){0};
    }
    iris_buf_release(&text);
    iris_manifest_reader_release(&r);
    return st;
}
