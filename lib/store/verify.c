#include "verify.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "digest.h"
#include "file.h"
#include "json.h"
#include "sampler.h"

void
iris_verifier_release(struct iris_verifier *v)
{
    free(v->expected);
    v->expected = NULL;
    v->n = 0;
}

/* A whole number of settings.json; 0 when it is not there. */
static size_t
number(const json_t *settings, const char *key)
{
    json_int_t v = json_integer_value(json_object_get(settings, key));

    return v > 0 ? (size_t)v : 0;
}

static void
learn_units(struct iris_expectation *x, const json_t *settings)
{
    static const char *const key[4] = {"writer_hyper.length_cm_per_processing",
                                       "writer_hyper.mass_g_per_processing",
                                       "writer_hyper.velocity_cm_per_s_per_processing",
                                       "writer_hyper.temperature_K_per_processing"};
    int i;

    for (i = 0; i < 4; i++)
        x->unit[i] = json_number_value(json_object_get(settings, key[i]));
}

static void
learn(struct iris_expectation *x, const json_t *settings)
{
    const char *type = json_string_value(json_object_get(settings, "type"));
    size_t r = number(settings, "coordinate_hyper.r_steps");
    size_t lon = number(settings, "coordinate_hyper.lon_steps");
    size_t lat = number(settings, "coordinate_hyper.lat_steps");
    size_t lo = number(settings, "coordinate_hyper.r_crop_min_index");
    size_t hi = number(settings, "coordinate_hyper.r_crop_max_index");
    size_t channels = number(settings, "cube_hyper.v_steps");
    size_t lines = number(settings, "observer_hyper.n_lines");

    if (!type)
        return;
    if (!strcmp(type, iris_type_name(IRIS_STANDARD))) {
        x->shape[IRIS_TENSOR] = (struct iris_shape){4, {IRIS_FIELDS, r, lon, lat}};
        x->known[IRIS_TENSOR] = 1;
        return;
    }
    x->shape[IRIS_COLUMN] = (struct iris_shape){3, {1, hi - lo, lon}};
    x->shape[IRIS_OBSERVED] = (struct iris_shape){3, {lines ? lines : 1, lon, channels}};
    x->known[IRIS_COLUMN] = x->known[IRIS_OBSERVED] = 1;
}

/* The text of settings.json, from wherever it is. */
static enum iris_status
read_settings(const struct iris_verifier *v, const char *digest, struct iris_buf *text, int *there,
              struct iris_err *err)
{
    enum iris_status st = IRIS_OK;
    char *path;

    if (v->from)
        return v->from->settings(v->from->self, digest, text, there, err);
    path = iris_format("%s/entries/%s/settings.json", v->root, digest);
    if (!path)
        return iris_fail_memory(err);
    *there = !access(path, F_OK);
    if (*there)
        st = iris_read_file(path, 1 << 24, text, err);
    free(path);
    return st;
}

static enum iris_status
learn_all(struct iris_expectation *x, const struct iris_buf *text, struct iris_err *err)
{
    char hash[IRIS_DIGEST_TEXT], *name = iris_format("entries/%s/settings.json", x->digest);
    json_t *settings = NULL;
    enum iris_status st;

    if (!name)
        return iris_fail_memory(err);
    iris_digest_memory(iris_buf_str(text), text->len, hash);
    if (strncmp(hash, x->digest, strlen(x->digest)))
        st = iris_fail(err, IRIS_E_DATA, "'%s' does not belong to its digest: its hash begins %.8s",
                       name, hash);
    else
        st = iris_json_load(iris_buf_str(text), text->len, name, &settings, err);
    if (!st) {
        learn(x, settings);
        learn_units(x, settings);
    }
    json_decref(settings);
    free(name);
    return st;
}

static struct iris_expectation *
find(struct iris_verifier *v, const char *digest)
{
    size_t i;

    for (i = v->n; i > 0; i--) {
        if (!strcmp(v->expected[i - 1].digest, digest))
            return &v->expected[i - 1];
    }
    return NULL;
}

enum iris_status
iris_verifier_settings(struct iris_verifier *v, const char *digest, int *there,
                       struct iris_err *err)
{
    struct iris_expectation *list, x = {.digest = ""};
    struct iris_buf text = {0};
    enum iris_status st;

    *there = 1;
    if (find(v, digest))
        return IRIS_OK;
    snprintf(x.digest, sizeof x.digest, "%s", digest);
    list = realloc(v->expected, (v->n + 1) * sizeof *list);
    if (!list)
        return iris_fail_memory(err);
    v->expected = list;
    st = read_settings(v, digest, &text, there, err);
    if (!st && *there)
        st = learn_all(&x, &text, err);
    iris_buf_release(&text);
    /* what is wrong is said again for each entry */
    if (!st)
        v->expected[v->n++] = x;
    return st;
}

enum iris_status
iris_verifier_units(struct iris_verifier *v, const char *digest, const struct iris_settings *s,
                    struct iris_err *err)
{
    const double wanted[4] = {s->writer.length_cm, s->writer.mass_g, s->writer.velocity_cm_per_s,
                              s->writer.temperature_K};
    const struct iris_expectation *x;
    enum iris_status st;
    int there, i;

    st = iris_verifier_settings(v, digest, &there, err);
    x = find(v, digest);
    for (i = 0; i < 4 && !st && x; i++) {
        if (x->unit[i] > 0 && x->unit[i] != wanted[i])
            st = iris_fail(
                err, IRIS_E_DATA,
                "the raw arrays of digest %s are in other processing units than the settings",
                digest);
    }
    return st;
}

static enum iris_status
scan_array(const struct iris_verifier *v, const struct iris_entry *e, size_t k,
           const struct iris_shape *wanted, struct iris_scan *scan, struct iris_err *err)
{
    enum iris_status st;
    char *path;

    if (v->from)
        return v->from->scan(v->from->self, e, k, wanted, scan, err);
    path = iris_path_join(v->root, e->path[k]);
    if (!path)
        return iris_fail_memory(err);
    st = iris_scan_array(path, e->kind[k] == IRIS_TENSOR ? IRIS_SCAN_TENSOR : 0, scan, err);
    free(path);
    return st;
}

static enum iris_status
verify_array(struct iris_verifier *v, const struct iris_entry *e, size_t k, struct iris_scan *scan,
             struct iris_err *err)
{
    struct iris_expectation *x = find(v, e->digest);
    enum iris_kind kind = e->kind[k];
    char found[128], wanted[128];
    enum iris_status st;

    st = scan_array(v, e, k, x->known[kind] ? &x->shape[kind] : NULL, scan, err);
    if (!st && !x->known[kind]) {
        x->shape[kind] = scan->shape;
        x->known[kind] = 1;
    }
    if (!st && !iris_shape_equal(&scan->shape, &x->shape[kind]))
        st = iris_fail(err, IRIS_E_DATA, "'%s' has the shape %s, not %s", e->path[k],
                       iris_shape_text(&scan->shape, found, sizeof found),
                       iris_shape_text(&x->shape[kind], wanted, sizeof wanted));
    else if (!st && e->hash[k] && strcmp(e->hash[k], scan->hash))
        st = iris_fail(err, IRIS_E_DATA,
                       "'%s' is not the file that was recorded: its hash is %s, not %s", e->path[k],
                       scan->hash, e->hash[k]);
    else if (!st && scan->bad)
        st = iris_fail(err, IRIS_E_DATA,
                       "'%s' has %zu values that are not finite, the first at %zu", e->path[k],
                       scan->bad, scan->first_bad);
    return st;
}

enum iris_status
iris_verify_row(struct iris_verifier *v, const struct iris_entry *e, struct iris_scan scan[2],
                struct iris_err *err)
{
    enum iris_status st;
    int there;
    size_t k;

    st = iris_verifier_settings(v, e->digest, &there, err);
    for (k = 0; k < e->n_kinds && !st; k++)
        st = verify_array(v, e, k, &scan[k], err);
    return st;
}
