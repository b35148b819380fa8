#include "abundance.h"

#include <math.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "elementary.h"
#include "lookup_law.h"
#include "num.h"

#define RATIO_13CO 0.04

void
iris_abundance_default(struct iris_abundance *a)
{
    *a = (struct iris_abundance){.kind = IRIS_ABUNDANCE_RATIO,
                                 .value = RATIO_13CO,
                                 .T_drop = (double)NAN,
                                 .n_drop = (double)NAN};
}

void
iris_abundance_release(struct iris_abundance *a)
{
    free(a->ln_N);
    free(a->ln_T);
    free(a->x);
    a->ln_N = a->ln_T = a->x = NULL;
    a->n_N = a->n_T = 0;
}

struct list {
    double *v;
    size_t n, room;
};

static int
push(struct list *l, double v)
{
    if (l->n == l->room) {
        size_t room = l->room ? 2 * l->room : 64;
        double *more = room <= SIZE_MAX / sizeof *more ? realloc(l->v, room * sizeof *more) : NULL;

        if (!more)
            return -1;
        l->v = more;
        l->room = room;
    }
    l->v[l->n++] = v;
    return 0;
}

struct table {
    const char *name; /* for messages */
    size_t line;
    struct list ln_T, ln_N, x;
};

static int
is_blank(char c)
{
    return c == ' ' || c == '\t' || c == '\r';
}

/* The next number of a line.
 *
 *   return  IRIS_OK, *found 0 at the end of the line
 */
static enum iris_status
next_number(const struct table *t, const char **p, const char *end, int *found, double *v,
            struct iris_err *err)
{
    char word[64];
    size_t n = 0;

    while (*p < end && is_blank(**p))
        ++*p;
    *found = *p < end;
    while (*p < end && !is_blank(**p)) {
        if (n < sizeof word - 1)
            word[n++] = **p;
        ++*p;
    }
    word[n] = '\0';
    if (*found && (strlen(word) != n || n == sizeof word - 1 || iris_parse_f64(word, v)))
        return iris_fail(err, IRIS_E_DATA, "%s:%zu: '%s' is no number", t->name, t->line, word);
    return IRIS_OK;
}

/* One more place on an axis; its logarithms increase, so that no interval of
 * them is empty. */
static enum iris_status
add_place(const struct table *t, struct list *axis, const char *what, double v,
          struct iris_err *err)
{
    char text[IRIS_F64_TEXT];

    if (!(v > 0) || !isfinite(v))
        return iris_fail(err, IRIS_E_DATA, "%s:%zu: a %s must be above 0, not %s", t->name, t->line,
                         what, iris_format_f64(v, text));
    if (axis->n && !(iris_log(v) > axis->v[axis->n - 1]))
        return iris_fail(err, IRIS_E_DATA, "%s:%zu: each %s must be above the one before, not %s",
                         t->name, t->line, what, iris_format_f64(v, text));
    return push(axis, iris_log(v)) ? iris_fail_memory(err) : IRIS_OK;
}

static enum iris_status
add_abundance(struct table *t, double v, struct iris_err *err)
{
    char text[IRIS_F64_TEXT];

    if (!(v >= 0) || !isfinite(v))
        return iris_fail(err, IRIS_E_DATA, "%s:%zu: an abundance must be 0 or more, not %s",
                         t->name, t->line, iris_format_f64(v, text));
    return push(&t->x, v) ? iris_fail_memory(err) : IRIS_OK;
}

static enum iris_status
add_temperatures(struct table *t, const char *p, const char *end, struct iris_err *err)
{
    enum iris_status st = IRIS_OK;
    int found = 1;
    double v = 0;

    while (!st && found) {
        st = next_number(t, &p, end, &found, &v, err);
        if (!st && found)
            st = add_place(t, &t->ln_T, "temperature", v, err);
    }
    return st;
}

static enum iris_status
add_row(struct table *t, const char *p, const char *end, struct iris_err *err)
{
    enum iris_status st = IRIS_OK;
    size_t n = 0;
    int found = 1;
    double v = 0;

    while (!st && found) {
        st = next_number(t, &p, end, &found, &v, err);
        if (st || !found)
            break;
        n++;
        if (n == 1)
            st = add_place(t, &t->ln_N, "density", v, err);
        else if (n <= t->ln_T.n + 1)
            st = add_abundance(t, v, err);
    }
    if (!st && n != t->ln_T.n + 1)
        return iris_fail(err, IRIS_E_DATA,
                         "%s:%zu: need a density and %zu abundances, one a temperature, not %zu "
                         "numbers in all",
                         t->name, t->line, t->ln_T.n, n);
    return st;
}

static enum iris_status
add_lines(struct table *t, const char *text, size_t len, struct iris_err *err)
{
    const char *end = text + len, *p, *stop;
    enum iris_status st = IRIS_OK;

    for (p = text; p < end && !st; p = stop + 1) {
        stop = memchr(p, '\n', (size_t)(end - p));
        stop = stop ? stop : end;
        t->line++;
        while (p < stop && is_blank(*p))
            p++;
        if (p == stop || *p == '#')
            continue;
        st = t->ln_T.n ? add_row(t, p, stop, err) : add_temperatures(t, p, stop, err);
    }
    if (!st && !t->ln_N.n)
        return iris_fail(err, IRIS_E_DATA, "%s:%zu: the table ends before its first %s", t->name,
                         t->line ? t->line : 1, t->ln_T.n ? "density" : "temperature");
    return st;
}

enum iris_status
iris_abundance_parse(struct iris_abundance *a, const char *text, size_t len, const char *name,
                     struct iris_err *err)
{
    struct table t = {.name = name};
    enum iris_status st;

    st = add_lines(&t, text, len, err);
    if (st) {
        free(t.ln_T.v);
        free(t.ln_N.v);
        free(t.x.v);
        return st;
    }
    a->kind = IRIS_ABUNDANCE_TABLE;
    a->n_N = t.ln_N.n;
    a->n_T = t.ln_T.n;
    a->ln_N = t.ln_N.v;
    a->ln_T = t.ln_T.v;
    a->x = t.x.v;
    return IRIS_OK;
}

double
iris_abundance_at(const struct iris_abundance *a, double N_H, double T, double x_CO)
{
    return iris_abundance_of(a, N_H, T, x_CO);
}
