#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "file.h"
#include "hyper.h"
#include "hyper_keys.h"
#include "json.h"

#define OBSERVER      "observer_hyper."
#define ABUNDANCE     "suite_hyper.abundance"
#define LARGEST_TABLE ((size_t)64 << 20)

size_t
iris_hyper_lines(const struct iris_hyper *h)
{
    return (size_t)json_integer_value(iris_key_value(h, iris_key_find(OBSERVER "n_lines")));
}

void
iris_line_settings_release(struct iris_line_settings *line)
{
    free(line->chem_path);
    line->chem_path = NULL;
    iris_abundance_release(&line->abundance);
}

/* A line's element of a list; NULL when there is none. */
static const json_t *
element(const struct iris_hyper *h, const char *name, size_t i)
{
    return json_array_get(iris_key_value(h, iris_key_find(name)), i);
}

static enum iris_status
need_lists(const struct iris_hyper *h, size_t i, struct iris_err *err)
{
    static const char *const lists[] = {
        OBSERVER "chem_path",
        OBSERVER "transition",
        OBSERVER "kappa_dust",
        OBSERVER "N_H_TOT_steps",
        OBSERVER "interpolation_max_N_H_TOT",
        OBSERVER "bolic_normalization",
        OBSERVER "abundance_H2_steps",
        OBSERVER "T_steps",
        OBSERVER "interpolation_max_T",
    };
    size_t j;

    if (i >= iris_hyper_lines(h))
        return iris_fail(err, IRIS_E_BUG, "line %zu of %zu", i, iris_hyper_lines(h));
    for (j = 0; j < sizeof lists / sizeof lists[0]; j++)
        if (!element(h, lists[j], i))
            return iris_fail(err, IRIS_E_DATA, "%s has no element [%zu]", lists[j], i);
    return IRIS_OK;
}

static double
number(const struct iris_hyper *h, const char *name, size_t i)
{
    return json_number_value(element(h, name, i));
}

static size_t
steps(const struct iris_hyper *h, const char *name, size_t i)
{
    return (size_t)json_integer_value(element(h, name, i));
}

static enum iris_status
read_table(const struct iris_hyper *h, const char *path, struct iris_abundance *a,
           struct iris_err *err)
{
    char *place = iris_hyper_locate(h, path);
    struct iris_buf text = {0};
    enum iris_status st;

    if (!place)
        return iris_fail_memory(err);
    st = iris_read_file(place, LARGEST_TABLE, &text, err);
    if (!st)
        st = iris_abundance_parse(a, iris_buf_str(&text), text.len, place, err);
    iris_buf_release(&text);
    free(place);
    return st;
}

/* A number of an object, or NaN. */
static double
member(const json_t *object, const char *name)
{
    const json_t *v = json_object_get(object, name);

    return v ? json_number_value(v) : (double)NAN;
}

static enum iris_status
read_abundance(const struct iris_hyper *h, size_t i, struct iris_abundance *a, struct iris_err *err)
{
    const json_t *v = iris_key_value(h, iris_key_find(ABUNDANCE)), *table;
    int one_a_line = json_is_array(v);
    struct iris_err why = {0};
    enum iris_status st;

    iris_abundance_default(a);
    if (one_a_line)
        v = json_array_get(v, i);
    if (!json_is_object(v))
        return IRIS_OK;
    a->T_drop = member(v, "T_drop");
    a->n_drop = member(v, "n_drop");
    a->drop = json_number_value(json_object_get(v, "drop"));
    table = json_object_get(v, "table");
    if (!table) {
        a->kind = json_object_get(v, "per_H") ? IRIS_ABUNDANCE_PER_H : IRIS_ABUNDANCE_RATIO;
        a->value = member(v, a->kind == IRIS_ABUNDANCE_PER_H ? "per_H" : "ratio_to_CO");
        return IRIS_OK;
    }
    st = read_table(h, json_string_value(table), a, &why);
    if (st && one_a_line)
        iris_fail(err, st, ABUNDANCE "[%zu]: %s", i, why.msg);
    else if (st)
        iris_fail(err, st, ABUNDANCE ": %s", why.msg);
    return st;
}

enum iris_status
iris_hyper_line(const struct iris_hyper *h, size_t i, struct iris_line_settings *line,
                struct iris_err *err)
{
    struct iris_line_settings l = {0};
    const json_t *transition;
    enum iris_status st;

    *line = l;
    st = need_lists(h, i, err);
    if (st)
        return st;
    transition = element(h, OBSERVER "transition", i);
    l.upper = (size_t)json_integer_value(json_array_get(transition, 0));
    l.lower = (size_t)json_integer_value(json_array_get(transition, 1));
    l.kappa = number(h, OBSERVER "kappa_dust", i);
    l.N_steps = steps(h, OBSERVER "N_H_TOT_steps", i);
    l.N_max = number(h, OBSERVER "interpolation_max_N_H_TOT", i);
    l.bolic = number(h, OBSERVER "bolic_normalization", i);
    l.x_steps = steps(h, OBSERVER "abundance_H2_steps", i);
    l.T_steps = steps(h, OBSERVER "T_steps", i);
    l.T_max = number(h, OBSERVER "interpolation_max_T", i);
    st = read_abundance(h, i, &l.abundance, err);
    if (st)
        return st;
    l.chem_path = iris_hyper_locate(h, json_string_value(element(h, OBSERVER "chem_path", i)));
    if (!l.chem_path) {
        iris_line_settings_release(&l);
        return iris_fail_memory(err);
    }
    *line = l;
    return IRIS_OK;
}

const char *const iris_table_keys[] = {
    "writer_hyper.length_cm_per_processing",
    "writer_hyper.mass_g_per_processing",
    "writer_hyper.velocity_cm_per_s_per_processing",
    "writer_hyper.temperature_K_per_processing",
    "dataset_hyper.iris_number_unit",
    OBSERVER "k",
    OBSERVER "h",
    OBSERVER "c",
    OBSERVER "L",
    OBSERVER "m_He",
    OBSERVER "abundance_He",
    OBSERVER "m_H",
    OBSERVER "ortho_to_para_H2_ratio",
    OBSERVER "transition",
    OBSERVER "N_H_TOT_steps",
    OBSERVER "interpolation_max_N_H_TOT",
    OBSERVER "bolic_normalization",
    OBSERVER "abundance_H2_steps",
    OBSERVER "T_steps",
    OBSERVER "interpolation_max_T",
    OBSERVER "T_continuum",
    "suite_hyper.table",
    "suite_hyper.rate_extrapolation",
};
const size_t iris_table_key_count = sizeof iris_table_keys / sizeof iris_table_keys[0];

enum iris_status
iris_hyper_table_value(const struct iris_hyper *h, const char *key, size_t line,
                       struct iris_buf *out, struct iris_err *err)
{
    const struct iris_key *known = iris_key_find(key);
    const json_t *v;

    if (!known)
        return iris_key_unknown(key, err);
    v = iris_key_value(h, known);
    if (json_is_array(v) && (known->rule->kind == IRIS_LIST || known->rule->kind == IRIS_TRACER)) {
        v = json_array_get(v, line);
        if (!v)
            return iris_fail(err, IRIS_E_DATA, "%s has no element [%zu]", key, line);
    }
    iris_json_compact(v, out);
    return iris_buf_check(out, err);
}
