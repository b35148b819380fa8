#include "rescale.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "entry.h"
#include "file.h"
#include "json.h"
#include "normalize.h"
#include "unitset.h"

static double
factor(const json_t *record, const char *key)
{
    const json_t *v = json_object_get(record, key);

    return json_is_number(v) ? json_number_value(v) : (double)NAN;
}

/* The record beside the arrays of a row in IRIS units. */
static enum iris_status
read_record(const char *root, const char *digest, const char *units, enum iris_type type,
            struct iris_unit_factors *u, struct iris_scaling *scaling, struct iris_err *err)
{
    char *path = iris_format("%s/entries/%s/iris-%s/units.json", root, digest, units);
    struct iris_buf text = {0};
    json_t *record = NULL;
    enum iris_status st;

    st = path ? iris_read_file(path, 1 << 20, &text, err) : iris_fail_memory(err);
    if (!st)
        st = iris_json_load(iris_buf_str(&text), text.len, path, &record, err);
    if (!st) {
        *u = (struct iris_unit_factors){factor(record, "_velocity_iris_per_processing"),
                                        factor(record, "_density_iris_per_processing"),
                                        factor(record, "_v_density_iris_per_processing"),
                                        factor(record, "_temperature_iris_per_processing"),
                                        factor(record, "_length_iris_per_SI"),
                                        factor(record, "_length_iris_per_parsec"),
                                        factor(record, "_time_iris_per_SI"),
                                        factor(record, "_mass_iris_per_SI"),
                                        factor(record, "_temperature_iris_per_SI")};
        st = iris_unitset_scaling(type, u, scaling, err);
    }
    if (!st && strcmp(scaling->digest, units))
        st = iris_fail(err, IRIS_E_DATA, "'%s' does not describe the units %s", path, units);
    json_decref(record);
    iris_buf_release(&text);
    free(path);
    return st;
}

/* Point a row back at its raw arrays when all are still there. */
static enum iris_status
back_to_raw(const char *root, struct iris_manifest *m, size_t row, int *done, struct iris_err *err)
{
    enum iris_status st = IRIS_OK;
    struct iris_buf path = {0};
    struct iris_entry e;
    size_t k;

    *done = 1;
    st = iris_entry_get(m, row, &e, err);
    for (k = 0; k < e.n_kinds && !st; k++) {
        iris_buf_clear(&path);
        iris_buf_printf(&path, "%s/", root);
        iris_entry_path(&path, e.digest, NULL, e.snapshot, e.point, e.kind[k]);
        st = iris_buf_check(&path, err);
        if (!st && access(path.data, R_OK))
            *done = 0;
    }
    for (k = 0; k < e.n_kinds && !st && *done; k++) {
        enum iris_kind kind = e.kind[k];

        iris_buf_clear(&path);
        iris_entry_path(&path, e.digest, NULL, e.snapshot, e.point, kind);
        st = iris_buf_check(&path, err);
        if (!st)
            st = iris_manifest_set(m, row, iris_kind_column(kind), path.data, err);
        if (!st)
            st = iris_manifest_set(m, row, iris_kind_hash(kind), NULL, err);
        if (!st)
            st = iris_entry_get(m, row, &e, err);
    }
    iris_buf_release(&path);
    return st;
}

static void
divide(struct iris_scaling *a, const struct iris_scaling *b)
{
    size_t c;

    for (c = 0; c < IRIS_TENSOR_CHANNELS; c++)
        a->tensor[c] = (float)((double)a->tensor[c] / (double)b->tensor[c]);
    a->column = (float)((double)a->column / (double)b->column);
    a->observed = (float)((double)a->observed / (double)b->observed);
}

static enum iris_status
rescale_row(const char *root, struct iris_manifest *m, size_t row, enum iris_type type,
            const struct iris_unit_factors *u, const struct iris_scaling *target,
            struct iris_err *err)
{
    struct iris_scaling ratio = *target, old;
    struct iris_unit_factors old_units;
    int from_raw, writing;
    enum iris_status st;
    struct iris_entry e;

    st = iris_entry_get(m, row, &e, err);
    if (!st)
        st = iris_normalize_record(root, e.digest, type, target, u, err);
    if (!st)
        st = back_to_raw(root, m, row, &from_raw, err);
    if (!st && !from_raw) {
        st = read_record(root, e.digest, iris_manifest_get(m, row, "units"), type, &old_units, &old,
                         err);
        if (!st)
            divide(&ratio, &old);
    }
    if (!st)
        st = iris_normalize_row(root, m, row, &ratio, &writing, err);
    return st;
}

enum iris_status
iris_rescale(const char *root, struct iris_manifest *m, int change, struct iris_err *err)
{
    enum iris_type type = IRIS_STANDARD;
    struct iris_unit_factors u;
    struct iris_scaling target;
    char *units = NULL;
    enum iris_status st;
    struct iris_entry e;
    size_t r;

    st = iris_entry_type(m, &type, err);
    for (r = 0; r < m->n_rows && !st; r++) {
        const char *row_units = iris_manifest_get(m, r, "units");

        st = iris_entry_get(m, r, &e, err);
        if (st || e.state != IRIS_NORMALIZED)
            continue;
        if (!row_units) {
            st = iris_fail(err, IRIS_E_DATA, "entry '%s' does not say its units", e.id);
        } else if (!units) {
            units = strdup(row_units);
            st = units ? IRIS_OK : iris_fail_memory(err);
            if (!st && change)
                st = read_record(root, e.digest, units, type, &u, &target, err);
        } else if (strcmp(units, row_units) && !change) {
            st = iris_fail(err, IRIS_E_DATA,
                           "entry '%s' is in the units %s, those before it in %s; see --rescale",
                           e.id, row_units, units);
        } else if (strcmp(units, row_units)) {
            st = rescale_row(root, m, r, type, &u, &target, err);
        }
    }
    free(units);
    return st;
}
