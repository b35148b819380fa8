#include "grid.h"

#include <inttypes.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "hyper_keys.h"
#include "json.h"
#include "num.h"

static void
release_axis(struct iris_grid_axis *a)
{
    size_t i;

    for (i = 0; i < a->n; i++)
        free(a->value[i]);
    free(a->value);
    free(a->column);
    *a = (struct iris_grid_axis){0};
}

void
iris_grid_release(struct iris_grid *g)
{
    size_t i;

    for (i = 0; i < g->n_axes; i++)
        release_axis(&g->axis[i]);
    free(g->axis);
    *g = (struct iris_grid){0};
}

/* ---- values ---- */

/* "A:B:N" taken apart. */
struct range {
    const struct iris_key *key;
    const char *from, *to;
    uint64_t n;
};

/* Rounded to the last of 15 digits of `largest`: 0.1:0.5:5 and 0.1:0.7:7 have the same
 * 0.3, and 0 between -0.3 and 0.3 is 0. */
static double
rounded(double x, double largest)
{
    enum { DIGITS = 15, LONGEST = 400 };
    char text[LONGEST];
    double y = x;
    int exponent;

    snprintf(text, sizeof text, "%.*e", DIGITS - 1, largest);
    exponent = (int)strtol(strchr(text, 'e') + 1, NULL, 10);
    if (exponent < DIGITS)
        snprintf(text, sizeof text, "%.*f", DIGITS - 1 - exponent, x);
    else
        snprintf(text, sizeof text, "%.*e", DIGITS - 1, x);
    iris_parse_f64(text, &y);
    return y + 0.0; /* no -0 */
}

static enum iris_status
one_of_two(const struct range *r, struct iris_err *err)
{
    return iris_fail(err, IRIS_E_USAGE, "%s cannot go from %s to %s in one value", r->key->name,
                     r->from, r->to);
}

static enum iris_status
spread_numbers(const struct range *r, json_t *values, struct iris_err *err)
{
    double a, b, x, largest, last = (double)(r->n - 1);
    uint64_t i;

    if (iris_parse_f64(r->from, &a) || iris_parse_f64(r->to, &b) || !isfinite(a) || !isfinite(b))
        return iris_fail(err, IRIS_E_USAGE, "%s needs numbers, not '%.100s' to '%.100s'",
                         r->key->name, r->from, r->to);
    if (r->n == 1 && (a < b || a > b))
        return one_of_two(r, err);
    largest = fabs(a) > fabs(b) ? fabs(a) : fabs(b);
    for (i = 0; i < r->n; i++) {
        if (i == 0)
            x = a;
        else if (i == r->n - 1)
            x = b;
        else
            x = rounded((a * (last - (double)i) + b * (double)i) / last, largest);
        if (!isfinite(x))
            return iris_fail(err, IRIS_E_USAGE, "%s cannot go from %s to %s: too far", r->key->name,
                             r->from, r->to);
        if (json_array_append_new(values, json_real(x)))
            return iris_fail_memory(err);
    }
    return IRIS_OK;
}

static enum iris_status
spread_whole(const struct range *r, json_t *values, struct iris_err *err)
{
    uint64_t span, step, i, x;
    int64_t a, b;

    if (iris_parse_i64(r->from, &a) || iris_parse_i64(r->to, &b))
        return iris_fail(err, IRIS_E_USAGE, "%s needs whole numbers, not '%.100s' to '%.100s'",
                         r->key->name, r->from, r->to);
    if (r->n == 1 && a != b)
        return one_of_two(r, err);
    span = a < b ? (uint64_t)b - (uint64_t)a : (uint64_t)a - (uint64_t)b;
    step = r->n > 1 ? span / (r->n - 1) : 0;
    if (step * (r->n - 1) != span)
        return iris_fail(err, IRIS_E_USAGE,
                         "%s needs whole numbers: %" PRIu64 " of them from %s to %s are not",
                         r->key->name, r->n, r->from, r->to);
    for (i = 0; i < r->n; i++) {
        x = a < b ? (uint64_t)a + i * step : (uint64_t)a - i * step;
        if (json_array_append_new(values, json_integer((json_int_t)x)))
            return iris_fail_memory(err);
    }
    return IRIS_OK;
}

/* What follows the next colon, which becomes the end of the text; NULL without one. */
static char *
cut(char *text)
{
    char *colon = text ? strchr(text, ':') : NULL;

    if (!colon)
        return NULL;
    *colon = '\0';
    return colon + 1;
}

static enum iris_status
spread(const struct iris_key *key, const char *text, json_t *values, struct iris_err *err)
{
    char *from = strdup(text), *to = cut(from), *count = cut(to);
    struct range r = {key, from, to, 0};
    enum iris_status st;

    if (!from)
        st = iris_fail_memory(err);
    else if (!count)
        st = iris_fail(err, IRIS_E_USAGE,
                       "bad values '%.100s' of %s: need A:B:N, or [VALUE,...] in JSON", text,
                       key->name);
    else if (iris_parse_u64(count, &r.n) || r.n < 1 || r.n > IRIS_GRID_MOST)
        st = iris_fail(err, IRIS_E_USAGE, "bad number of values '%.100s' of %s: need 1 to %d",
                       count, key->name, IRIS_GRID_MOST);
    else if (key->rule->kind == IRIS_WHOLE)
        st = spread_whole(&r, values, err);
    else if (key->rule->kind == IRIS_NUMBER)
        st = spread_numbers(&r, values, err);
    else
        st = iris_fail(err, IRIS_E_USAGE,
                       "%s is no number: its values are to be listed, [VALUE,...] in JSON",
                       key->name);
    free(from);
    return st;
}

static enum iris_status
list(const struct iris_key *key, const char *text, json_t *values, struct iris_err *err)
{
    json_t *given = NULL;
    enum iris_status st = iris_json_load(text, strlen(text), key->name, &given, err);

    if (st == IRIS_E_DATA)
        return iris_fail(err, IRIS_E_USAGE,
                         "the values of %s are not JSON: '%.200s'; a string needs double quotes",
                         key->name, text);
    if (st)
        return st;
    if (!json_array_size(given))
        st = iris_fail(err, IRIS_E_USAGE, "there is no value of %s", key->name);
    else if (json_array_extend(values, given))
        st = iris_fail_memory(err);
    json_decref(given);
    return st;
}

/* ---- axes ---- */

static int
compare_text(const void *a, const void *b)
{
    return strcmp(*(char *const *)a, *(char *const *)b);
}

static enum iris_status
refuse_equal(const struct iris_key *key, const struct iris_grid_axis *axis, struct iris_err *err)
{
    char **sorted = malloc(axis->n * sizeof *sorted);
    enum iris_status st = IRIS_OK;
    size_t i;

    if (!sorted)
        return iris_fail_memory(err);
    memcpy(sorted, axis->value, axis->n * sizeof *sorted);
    qsort(sorted, axis->n, sizeof *sorted, compare_text);
    for (i = 1; i < axis->n && !st; i++) {
        if (!strcmp(sorted[i - 1], sorted[i]))
            st = iris_fail(err, IRIS_E_USAGE, "%s has the value %.100s twice", key->name,
                           sorted[i]);
    }
    free(sorted);
    return st;
}

/* An accepted value in its normal form: equal values have equal text. */
static enum iris_status
put_value(const struct iris_key *key, const json_t *v, char **value, struct iris_err *err)
{
    json_t *normal = iris_key_normal(key, v);
    struct iris_buf text = {0};
    enum iris_status st;

    if (!normal)
        return iris_fail_memory(err);
    iris_json_compact(normal, &text);
    json_decref(normal);
    st = iris_buf_check(&text, err);
    if (st)
        iris_buf_release(&text);
    *value = text.data;
    return st;
}

static enum iris_status
fill_axis(const struct iris_key *key, const json_t *values, struct iris_grid_axis *axis,
          struct iris_err *err)
{
    size_t i, n = json_array_size(values);
    struct iris_err why = {0};
    enum iris_status st = IRIS_OK;

    axis->column = iris_format(IRIS_SET_PREFIX "%s", key->name);
    axis->value = calloc(n, sizeof *axis->value);
    if (!axis->column || !axis->value)
        return iris_fail_memory(err);
    axis->n = n;
    for (i = 0; i < n && !st; i++) {
        const json_t *v = json_array_get(values, i);

        st = iris_key_accept(key, v, &why) ? iris_fail(err, IRIS_E_USAGE, "%s", why.msg)
                                           : put_value(key, v, &axis->value[i], err);
    }
    return st ? st : refuse_equal(key, axis, err);
}

/* The key whose name ends at `end`. */
static enum iris_status
find_key(const struct iris_grid *g, const char *text, const char *end, const struct iris_key **key,
         struct iris_err *err)
{
    char *name = strndup(text, (size_t)(end - text));
    struct iris_err why = {0};
    enum iris_status st = IRIS_OK;
    size_t i;

    if (!name)
        return iris_fail_memory(err);
    *key = iris_key_find(name);
    if (!*key) {
        iris_key_unknown(name, &why);
        st = iris_fail(err, IRIS_E_USAGE, "%s", why.msg);
    } else if (!(*key)->types) {
        st = iris_fail(err, IRIS_E_USAGE, "%s is no setting of data points, so it cannot vary",
                       name);
    }
    for (i = 0; i < g->n_axes && !st; i++) {
        if (!strcmp(g->axis[i].column + sizeof IRIS_SET_PREFIX - 1, name))
            st = iris_fail(err, IRIS_E_USAGE, "%s is varied twice", name);
    }
    free(name);
    return st;
}

static enum iris_status
append_axis(struct iris_grid *g, struct iris_grid_axis *axis, struct iris_err *err)
{
    struct iris_grid_axis *more;
    size_t n = g->n_axes ? g->n : 1;

    if (n > IRIS_GRID_MOST / axis->n)
        return iris_fail(err, IRIS_E_USAGE, "more than %d combinations", IRIS_GRID_MOST);
    more = realloc(g->axis, (g->n_axes + 1) * sizeof *more);
    if (!more)
        return iris_fail_memory(err);
    g->axis = more;
    g->axis[g->n_axes++] = *axis;
    g->n = n * axis->n;
    *axis = (struct iris_grid_axis){0};
    return IRIS_OK;
}

enum iris_status
iris_grid_add(struct iris_grid *g, const char *text, struct iris_err *err)
{
    const char *equals = strchr(text, '=');
    struct iris_grid_axis axis = {0};
    const struct iris_key *key = NULL;
    json_t *values = NULL;
    enum iris_status st;

    if (!equals)
        return iris_fail(err, IRIS_E_USAGE,
                         "bad grid '%.200s': need SECTION.KEY=A:B:N or SECTION.KEY=[VALUE,...]",
                         text);
    st = find_key(g, text, equals, &key, err);
    if (st)
        return st;
    values = json_array();
    if (!values)
        return iris_fail_memory(err);
    if (equals[1] == '[') {
        axis.type = "str";
        st = list(key, equals + 1, values, err);
    } else {
        axis.type = key->rule->kind == IRIS_WHOLE ? "i64" : "f64";
        st = spread(key, equals + 1, values, err);
    }
    if (!st)
        st = fill_axis(key, values, &axis, err);
    if (!st)
        st = append_axis(g, &axis, err);
    json_decref(values);
    release_axis(&axis);
    return st;
}

/* ---- manifests ---- */

static enum iris_status
copy_columns(const struct iris_grid *g, const struct iris_manifest *from, struct iris_manifest *to,
             struct iris_err *err)
{
    enum iris_status st = iris_manifest_init(to, from->kind, err);
    size_t i, index;

    for (i = 0; i < from->n_columns && !st; i++)
        st = iris_manifest_column(to, from->column[i].name, from->column[i].type, &index, err);
    for (i = 0; i < g->n_axes && !st; i++)
        st = iris_manifest_column(to, g->axis[i].column, g->axis[i].type, &index, err);
    return st;
}

/* One combination of a row of `from`, at the end of `to`. */
static enum iris_status
add_row(const struct iris_grid *g, size_t combination, const struct iris_manifest *from, size_t row,
        struct iris_manifest *to, struct iris_err *err)
{
    enum iris_status st;
    size_t i, index;

    st = iris_manifest_add_row(to, &index, err);
    for (i = 0; i < from->n_columns && !st; i++)
        st = iris_manifest_set(to, index, from->column[i].name, from->row[row][i], err);
    for (i = g->n_axes; i > 0 && !st; i--) {
        const struct iris_grid_axis *axis = &g->axis[i - 1];

        st = iris_manifest_set(to, index, axis->column, axis->value[combination % axis->n], err);
        combination /= axis->n;
    }
    return st;
}

enum iris_status
iris_grid_expand(const struct iris_grid *g, struct iris_manifest *m, struct iris_err *err)
{
    struct iris_manifest all = {0}, swap;
    enum iris_status st;
    size_t r, k;

    if (!g->n_axes)
        return IRIS_OK;
    st = copy_columns(g, m, &all, err);
    for (r = 0; r < m->n_rows && !st; r++) {
        for (k = 0; k < g->n && !st; k++)
            st = add_row(g, k, m, r, &all, err);
    }
    if (!st) {
        swap = *m;
        *m = all;
        all = swap;
    }
    iris_manifest_release(&all);
    return st;
}
