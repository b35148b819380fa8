#include "hyper_keys.h"

#include <math.h>
#include <string.h>

#include "json.h"

const struct iris_key *
iris_key_find(const char *name)
{
    size_t i;

    for (i = 0; i < iris_key_count; i++)
        if (!strcmp(iris_keys[i].name, name))
            return &iris_keys[i];
    return NULL;
}

const char *
iris_key_word(const struct iris_key *key)
{
    return key->name + strlen(key->section) + 1;
}

const json_t *
iris_key_value(const struct iris_hyper *h, const struct iris_key *key)
{
    return json_object_get(json_object_get(h->root, key->section), iris_key_word(key));
}

static size_t
least(size_t a, size_t b, size_t c)
{
    size_t m = a < b ? a : b;

    return m < c ? m : c;
}

/* What it costs to turn a into b by letters put in, changed and taken out, the
 * distance of Levenshtein 1966 with weights: names are more often cut short
 * than drawn out. */
static size_t
distance(const char *a, const char *b)
{
    enum { PUT_IN = 1, CHANGE = 2, TAKE_OUT = 3 };
    size_t row[80], m = strlen(b), i, j, corner, above;

    if (m >= sizeof row / sizeof row[0])
        return SIZE_MAX;
    for (j = 0; j <= m; j++)
        row[j] = j * PUT_IN;
    for (i = 0; a[i]; i++) {
        corner = row[0];
        row[0] = (i + 1) * TAKE_OUT;
        for (j = 0; j < m; j++) {
            above = row[j + 1];
            row[j + 1] = least(above + TAKE_OUT, row[j] + PUT_IN,
                               corner + (a[i] == b[j] ? 0 : CHANGE));
            corner = above;
        }
    }
    return row[m];
}

const char *
iris_key_nearest(const char *name)
{
    const char *dot = strrchr(name, '.'), *nearest = iris_keys[0].name;
    size_t i, d, smallest = (size_t)-1;

    for (i = 0; i < iris_key_count; i++) {
        if (dot && !strcmp(iris_key_word(&iris_keys[i]), dot + 1))
            return iris_keys[i].name;
        d = distance(name, iris_keys[i].name);
        if (d < smallest) {
            smallest = d;
            nearest = iris_keys[i].name;
        }
    }
    return nearest;
}

enum iris_status
iris_key_unknown(const char *name, struct iris_err *err)
{
    return iris_fail(err, IRIS_E_DATA, "unknown key '%.200s', is '%s' meant?", name,
                     iris_key_nearest(name));
}

/* The index of v among the words, or -1. */
static int
which_word(const struct iris_rule *rule, const json_t *v)
{
    const char *word = json_string_value(v);
    int i;

    for (i = 0; word && rule->words[i]; i++)
        if (!strcmp(rule->words[i], word))
            return i;
    return -1;
}

static int
fits_number(const struct iris_rule *rule, const json_t *v)
{
    double x = json_number_value(v);

    if (rule->kind == IRIS_WHOLE ? !json_is_integer(v) : !json_is_number(v))
        return 0;
    if (rule->odd && json_integer_value(v) % 2 == 0)
        return 0;
    return (rule->open_lo ? x > rule->lo : x >= rule->lo) &&
           (rule->open_hi ? x < rule->hi : x <= rule->hi);
}

static int fits(const struct iris_rule *rule, const json_t *v);

static int
fits_list(const struct iris_rule *rule, const json_t *v)
{
    size_t i;

    if (!json_is_array(v))
        return 0;
    for (i = 0; i < json_array_size(v); i++)
        if (!fits(rule->item, json_array_get(v, i)))
            return 0;
    return 1;
}

static int
fits_range(const struct iris_rule *rule, const json_t *v)
{
    return fits_list(rule, v) && json_array_size(v) == 2 &&
           json_number_value(json_array_get(v, 0)) <= json_number_value(json_array_get(v, 1));
}

static int
fits_transition(const json_t *v)
{
    const json_t *upper = json_array_get(v, 0), *lower = json_array_get(v, 1);

    return json_array_size(v) == 2 && json_is_integer(upper) && json_is_integer(lower) &&
           json_integer_value(upper) > json_integer_value(lower) && json_integer_value(lower) >= 0;
}

static int
fits_place(const struct iris_rule *rule, const json_t *v)
{
    if (json_is_string(v))
        return !strcmp(json_string_value(v), "densest");
    return fits_list(rule, v) && json_array_size(v) == 3;
}

static int
fits(const struct iris_rule *rule, const json_t *v)
{
    switch (rule->kind) {
    case IRIS_WHOLE:
    case IRIS_NUMBER:
        return fits_number(rule, v);
    case IRIS_FLAG:
        return json_is_boolean(v);
    case IRIS_WORD:
        return which_word(rule, v) >= 0;
    case IRIS_TEXT:
        return json_string_length(v) > 0;
    case IRIS_LIST:
        return fits_list(rule, v);
    case IRIS_RANGE:
        return fits_range(rule, v);
    case IRIS_TRANSITION:
        return fits_transition(v);
    case IRIS_PLACE:
        return fits_place(rule, v);
    case IRIS_TRACER:
        return !iris_tracer_accept("", v, NULL);
    case IRIS_NOTHING:
        return json_is_null(v);
    }
    return 0;
}

static void
describe(const struct iris_key *key, struct iris_buf *out)
{
    const char *const *word = key->rule->words;

    if (key->rule->text)
        iris_buf_puts(out, key->rule->text);
    for (; *word; word++)
        iris_buf_printf(out, "%s\"%s\"",
                        word == key->rule->words ? ""
                        : word[1]                ? ", "
                                                 : " or ",
                        *word);
    if (key->nullable && key->rule->kind != IRIS_NOTHING)
        iris_buf_puts(out, " or null");
}

enum iris_status
iris_key_accept(const struct iris_key *key, const json_t *v, struct iris_err *err)
{
    struct iris_buf what = {0}, is = {0};

    if ((key->nullable && json_is_null(v)) || fits(key->rule, v))
        return IRIS_OK;
    if (key->rule->kind == IRIS_TRACER && (json_is_object(v) || json_is_array(v)))
        return iris_tracer_accept(key->name, v, err);
    describe(key, &what);
    iris_json_compact(v, &is);
    iris_fail(err, IRIS_E_DATA, "%s must be %s, not %.100s%s", key->name, iris_buf_str(&what),
              iris_buf_str(&is), is.len > 100 ? "..." : "");
    iris_buf_release(&what);
    iris_buf_release(&is);
    return IRIS_E_DATA;
}

static json_t *
normal(const struct iris_rule *rule, const json_t *v)
{
    json_t *list;
    size_t i;

    if (rule->kind == IRIS_TRACER)
        return iris_tracer_normal(v);
    if (rule->kind == IRIS_NUMBER && json_is_integer(v))
        return json_real((double)json_integer_value(v));
    if (!rule->item || !json_is_array(v))
        return json_deep_copy(v);
    list = json_array();
    for (i = 0; list && i < json_array_size(v); i++) {
        if (json_array_append_new(list, normal(rule->item, json_array_get(v, i)))) {
            json_decref(list);
            return NULL;
        }
    }
    return list;
}

json_t *
iris_key_normal(const struct iris_key *key, const json_t *v)
{
    return normal(key->rule, v);
}

static double
number_or_nan(const json_t *v)
{
    return json_is_number(v) ? json_number_value(v) : (double)NAN;
}

static void
store_numbers(const json_t *list, size_t n, void *to)
{
    double *x = to;
    size_t i;

    for (i = 0; i < n; i++)
        x[i] = number_or_nan(json_array_get(list, i));
}

/* A word counts from 0, one that may be null from 1. */
static int
word_number(const struct iris_key *key, const json_t *v)
{
    return which_word(key->rule, v) + (key->nullable ? 1 : 0);
}

static void
store_place(const json_t *v, struct iris_settings *s)
{
    s->suite.centre = json_is_array(v)    ? IRIS_CENTRE_POINT
                      : json_is_string(v) ? IRIS_CENTRE_DENSEST
                                          : IRIS_CENTRE_BOX;
    store_numbers(v, 3, s->suite.centre_point);
}

void
iris_key_store(const struct iris_key *key, const json_t *v, struct iris_settings *s)
{
    int64_t whole = json_is_integer(v) ? json_integer_value(v) : -1;
    double x = number_or_nan(v);
    char *to;
    int small;

    if (key->offset == IRIS_NOWHERE)
        return;
    to = (char *)s + key->offset;
    switch (key->rule->kind) {
    case IRIS_WHOLE:
        memcpy(to, &whole, sizeof whole);
        break;
    case IRIS_NUMBER:
        memcpy(to, &x, sizeof x);
        break;
    case IRIS_FLAG:
        small = json_is_true(v);
        memcpy(to, &small, sizeof small);
        break;
    case IRIS_WORD:
        small = word_number(key, v);
        memcpy(to, &small, sizeof small);
        break;
    case IRIS_RANGE:
        store_numbers(v, 2, to);
        break;
    case IRIS_PLACE:
        store_place(v, s);
        break;
    case IRIS_TEXT:
    case IRIS_LIST:
    case IRIS_TRANSITION:
    case IRIS_TRACER:
    case IRIS_NOTHING:
        break;
    }
}
