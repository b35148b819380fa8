#include "manifest.h"

#include <errno.h>
#include <fcntl.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "num.h"

enum { START, HEADER, ROWS, ENDED };
enum { MAX_LINE = 1 << 20 };
static const char version[] = IRIS_MANIFEST_VERSION;

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
    iris_buf_release(&r->part);
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

/* "name:type name:type ...", a name may have colons of its own: remembered for the
 * columns that follow. */
static enum iris_status
take_types(struct iris_manifest *m, char *spec, struct iris_err *err)
{
    char *save = NULL, *word;

    for (word = strtok_r(spec, " ", &save); word; word = strtok_r(NULL, " ", &save)) {
        char *colon = strrchr(word, ':'), *copy;
        int c;

        if (!colon)
            continue;
        *colon = '\0';
        c = iris_manifest_find(m, word);
        if (c < 0)
            continue;
        copy = strdup(colon + 1);
        if (!copy)
            return iris_fail_memory(err);
        free(m->column[c].type);
        m->column[c].type = copy;
    }
    return IRIS_OK;
}

static enum iris_status
take_kind(struct iris_manifest_reader *r, const char *kind, struct iris_err *err)
{
    static const char *const known[] = {"snapshots", "fetched", "entries", "probes"};
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
            char *colon = strrchr(word, ':');

            if (colon)
                *colon = '\0';
            st = iris_manifest_column(&r->table, word, "str", &index, err);
        }
        if (!st)
            st = take_types(&r->table, spec, err);
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
        if (strchr(word, ' '))
            return bad_line(r, err, "the name of column %zu, '%s', has a blank in it", n + 1, word);
        if (declared && (n >= r->table.n_columns || strcmp(r->table.column[n].name, word)))
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

/* Part of a line whose end has not come yet. */
static enum iris_status
keep_part(struct iris_manifest_reader *r, const char *text, size_t n, struct iris_err *err)
{
    if (n > MAX_LINE - r->part.len) {
        r->line++;
        return bad_line(r, err, "a line of more than %d bytes", MAX_LINE);
    }
    iris_buf_append(&r->part, text, n);
    return iris_buf_check(&r->part, err);
}

enum iris_status
iris_manifest_reader_feed(struct iris_manifest_reader *r, const char *text, size_t n,
                          struct iris_err *err)
{
    const char *end = text + n;
    enum iris_status st = IRIS_OK;

    while (text < end && !st) {
        const char *nl = memchr(text, '\n', (size_t)(end - text));

        st = keep_part(r, text, (size_t)((nl ? nl : end) - text), err);
        if (!st && nl) {
            st = iris_manifest_reader_line(r, iris_buf_str(&r->part), r->part.len, err);
            iris_buf_clear(&r->part);
        }
        text = nl ? nl + 1 : end;
    }
    return st;
}

int
iris_manifest_reader_is_complete(const struct iris_manifest_reader *r)
{
    return r->state == ENDED && !r->part.len;
}

enum iris_status
iris_manifest_reader_end(struct iris_manifest_reader *r, struct iris_err *err)
{
    if (r->part.len) {
        r->line++;
        return bad_line(r, err, "the last line is cut short");
    }
    if (r->state == START)
        return iris_fail(err, IRIS_E_DATA, "%s: empty, not a manifest (see iris-manifest(5))",
                         r->name);
    if (r->state == HEADER)
        return bad_line(r, err, "the line of column names is missing");
    return IRIS_OK;
}

static enum iris_status
read_rows(const char *path, struct iris_manifest_reader *r, struct iris_err *err)
{
    int fd = strcmp(path, "-") ? open(path, O_RDONLY | O_CLOEXEC) : STDIN_FILENO;
    enum iris_status st = IRIS_OK;
    char chunk[65536];
    ssize_t n = 0;

    if (fd < 0)
        return iris_fail(err, IRIS_E_IO, "cannot open '%s':", path);
    while (!st) {
        n = read(fd, chunk, sizeof chunk);
        if (n < 0 && errno == EINTR)
            continue;
        if (n <= 0)
            break;
        st = iris_manifest_reader_feed(r, chunk, (size_t)n, err);
    }
    if (n < 0)
        st = iris_fail(err, IRIS_E_IO, "cannot read '%s':", r->name);
    if (fd != STDIN_FILENO)
        close(fd);
    return st;
}

static int
kind_fits(const char *kind, const char *wanted)
{
    return !wanted || !strcmp(kind, wanted) ||
           (!strcmp(wanted, "snapshots") && !strcmp(kind, "fetched"));
}

/* Take the table of a reader that has come to its end, unless there was an error. */
static enum iris_status
finish(struct iris_manifest_reader *r, enum iris_status st, const char *kind,
       struct iris_manifest *m, struct iris_err *err)
{
    if (!st)
        st = iris_manifest_reader_end(r, err);
    if (!st && !kind_fits(r->table.kind, kind))
        st = iris_fail(err, IRIS_E_DATA, "%s: a manifest of %s where one of %s is needed", r->name,
                       r->table.kind, kind);
    if (!st) {
        *m = r->table;
        r->table = (struct iris_manifest){0};
    }
    iris_manifest_reader_release(r);
    return st;
}

enum iris_status
iris_manifest_read(const char *path, const char *kind, struct iris_manifest *m,
                   struct iris_err *err)
{
    struct iris_manifest_reader r;
    enum iris_status st;

    *m = (struct iris_manifest){0};
    st = iris_manifest_reader_init(&r, path, err);
    if (!st)
        st = read_rows(path, &r, err);
    return finish(&r, st, kind, m, err);
}

enum iris_status
iris_manifest_parse(const char *text, size_t n, const char *name, const char *kind,
                    struct iris_manifest *m, struct iris_err *err)
{
    struct iris_manifest_reader r;
    enum iris_status st;

    *m = (struct iris_manifest){0};
    st = iris_manifest_reader_init(&r, name, err);
    if (!st)
        st = iris_manifest_reader_feed(&r, text, n, err);
    return finish(&r, st, kind, m, err);
}
