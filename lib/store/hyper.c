#include "hyper.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#include "file.h"
#include "hyper_keys.h"
#include "json.h"

#define LARGEST_FILE ((size_t)16 << 20)

static const struct {
    const char *name;
    enum iris_type type;
} types[] = {
    {"standard", IRIS_STANDARD},
    {"simple", IRIS_SIMPLE},
    {"synthetic", IRIS_SYNTHETIC},
};
enum { TYPES = sizeof types / sizeof types[0] };

enum iris_status
iris_type_parse(const char *word, enum iris_type *type, struct iris_err *err)
{
    size_t i;

    for (i = 0; i < TYPES; i++) {
        if (!strcmp(types[i].name, word)) {
            *type = types[i].type;
            return IRIS_OK;
        }
    }
    return iris_fail(err, IRIS_E_USAGE, "unknown type '%s': need standard, simple or synthetic",
                     word);
}

const char *
iris_type_name(enum iris_type type)
{
    size_t i;

    for (i = 0; i < TYPES; i++)
        if (types[i].type == type)
            return types[i].name;
    return "unknown";
}

static enum iris_status
set_value(json_t *root, const struct iris_key *key, const json_t *v, struct iris_err *err)
{
    json_t *section = json_object_get(root, key->section);

    if (!section) {
        section = json_object();
        if (json_object_set_new(root, key->section, section))
            return iris_fail_memory(err);
    }
    if (json_object_set_new(section, iris_key_word(key), iris_key_normal(key, v)))
        return iris_fail_memory(err);
    return IRIS_OK;
}

static enum iris_status
set_default(json_t *root, const struct iris_key *key, struct iris_err *err)
{
    enum iris_status st;
    json_t *v;

    st = iris_json_load(key->initial, strlen(key->initial), key->name, &v, err);
    if (st)
        return st;
    st = set_value(root, key, v, err);
    json_decref(v);
    return st;
}

static enum iris_status
take_known(json_t *root, const json_t *given, struct iris_err *err)
{
    enum iris_status st = IRIS_OK;
    size_t i;

    for (i = 0; i < iris_key_count && !st; i++) {
        const struct iris_key *key = &iris_keys[i];
        const json_t *section = json_object_get(given, key->section);
        const json_t *v = json_object_get(section, iris_key_word(key));

        if (section && !json_is_object(section))
            return iris_fail(err, IRIS_E_DATA, "%s must be an object", key->section);
        if (v)
            st = iris_key_accept(key, v, err);
        if (!st)
            st = v ? set_value(root, key, v, err) : set_default(root, key, err);
    }
    return st;
}

/* What the table does not know goes after what it does, sections too. */
static enum iris_status
take_unknown(json_t *root, json_t *given, struct iris_err *err)
{
    const char *name;
    json_t *v, *known;

    json_object_foreach(given, name, v)
    {
        known = json_object_get(root, name);
        if (known ? json_object_update_missing(known, v) : json_object_set(root, name, v))
            return iris_fail_memory(err);
    }
    return IRIS_OK;
}

static enum iris_status
build(json_t *given, const char *dir, struct iris_hyper **out, struct iris_err *err)
{
    struct iris_hyper *h = calloc(1, sizeof *h);
    enum iris_status st;

    if (h) {
        h->root = json_object();
        h->dir = dir ? strdup(dir) : NULL;
    }
    if (!h || !h->root || (dir && !h->dir)) {
        iris_hyper_free(h);
        return iris_fail_memory(err);
    }
    st = take_known(h->root, given, err);
    if (!st)
        st = take_unknown(h->root, given, err);
    if (!st)
        st = iris_hyper_check(h, err);
    if (st) {
        iris_hyper_free(h);
        return st;
    }
    *out = h;
    return IRIS_OK;
}

enum iris_status
iris_hyper_parse(const char *text, size_t len, const char *name, const char *dir,
                 struct iris_hyper **h, struct iris_err *err)
{
    enum iris_status st;
    json_t *given;

    st = iris_json_load(text, len, name, &given, err);
    if (st)
        return st;
    if (json_is_object(given))
        st = build(given, dir, h, err);
    else
        st = iris_fail(err, IRIS_E_DATA, "settings must be a JSON object, see iris-hyper(5)");
    json_decref(given);
    if (st)
        iris_fail_in(err, "%s", name);
    return st;
}

/* A pipe lies nowhere, though it may be called /dev/fd/63. */
static int
lies_somewhere(const char *path)
{
    struct stat sb;

    return strcmp(path, "-") != 0 && !stat(path, &sb) && !S_ISFIFO(sb.st_mode);
}

enum iris_status
iris_hyper_read(const char *path, struct iris_hyper **h, struct iris_err *err)
{
    int is_stdin = !strcmp(path, "-");
    struct iris_buf text = {0};
    enum iris_status st;
    char *dir = NULL;

    st = iris_read_file(path, LARGEST_FILE, &text, err);
    if (st)
        goto done;
    if (lies_somewhere(path)) {
        dir = iris_file_parent(path);
        if (!dir) {
            st = iris_fail_memory(err);
            goto done;
        }
    }
    st = iris_hyper_parse(iris_buf_str(&text), text.len, is_stdin ? "standard input" : path, dir, h,
                          err);
done:
    free(dir);
    iris_buf_release(&text);
    return st;
}

enum iris_status
iris_hyper_defaults(struct iris_hyper **h, struct iris_err *err)
{
    return iris_hyper_parse("{}", 2, "defaults", NULL, h, err);
}

enum iris_status
iris_hyper_copy(const struct iris_hyper *h, struct iris_hyper **copy, struct iris_err *err)
{
    struct iris_buf text = {0};
    enum iris_status st;

    st = iris_hyper_print(h, &text, err);
    if (!st)
        st = iris_hyper_parse(iris_buf_str(&text), text.len, "settings", NULL, copy, err);
    iris_buf_release(&text);
    return st;
}

void
iris_hyper_free(struct iris_hyper *h)
{
    if (!h)
        return;
    json_decref(h->root);
    free(h->dir);
    free(h);
}

enum iris_status
iris_hyper_set(struct iris_hyper *h, const char *name, const char *json, struct iris_err *err)
{
    const struct iris_key *key = iris_key_find(name);
    enum iris_status st;
    json_t *v;

    if (!strchr(name, '.'))
        return iris_fail(err, IRIS_E_USAGE, "'%s' is no key: need section.key", name);
    st = iris_json_load(json, strlen(json), name, &v, err);
    if (st == IRIS_E_DATA)
        return iris_fail(err, IRIS_E_USAGE,
                         "the value of %s is not JSON: '%s'; a string needs double quotes", name,
                         json);
    if (st)
        return st;
    st = key ? iris_key_accept(key, v, err) : iris_key_unknown(name, err);
    if (key && !st)
        st = set_value(h->root, key, v, err);
    json_decref(v);
    return st;
}

void
iris_hyper_settings(const struct iris_hyper *h, struct iris_settings *s)
{
    size_t i;

    *s = (struct iris_settings){0};
    for (i = 0; i < iris_key_count; i++)
        iris_key_store(&iris_keys[i], iris_key_value(h, &iris_keys[i]), s);
    s->writer.has_min_index = s->writer.min_index >= 0;
    s->writer.has_max_index = s->writer.max_index >= 0;
}

void
iris_settings_units(const struct iris_settings *s, struct iris_unit_system *u)
{
    iris_units_processing(s->writer.length_cm, s->writer.mass_g, s->writer.velocity_cm_per_s,
                          s->writer.temperature_K, s->dataset.meters_per_parsec, u);
}

enum iris_status
iris_hyper_print(const struct iris_hyper *h, struct iris_buf *out, struct iris_err *err)
{
    iris_json_print(h->root, out);
    return iris_buf_check(out, err);
}

enum iris_status
iris_hyper_value(const struct iris_hyper *h, const char *name, struct iris_buf *out,
                 struct iris_err *err)
{
    const struct iris_key *key = iris_key_find(name);

    if (!key)
        return iris_key_unknown(name, err);
    iris_json_compact(iris_key_value(h, key), out);
    return iris_buf_check(out, err);
}

const char *
iris_hyper_key(size_t i)
{
    return i < iris_key_count ? iris_keys[i].name : NULL;
}

static const struct {
    const char *name;
    size_t offset;
} factors[] = {
    {"_velocity_iris_per_processing", offsetof(struct iris_unit_factors, velocity)},
    {"_density_iris_per_processing", offsetof(struct iris_unit_factors, density)},
    {"_v_density_iris_per_processing", offsetof(struct iris_unit_factors, v_density)},
    {"_temperature_iris_per_processing", offsetof(struct iris_unit_factors, temperature)},
    {"_length_iris_per_SI", offsetof(struct iris_unit_factors, length)},
    {"_length_iris_per_parsec", offsetof(struct iris_unit_factors, length_parsec)},
    {"_time_iris_per_SI", offsetof(struct iris_unit_factors, time)},
    {"_mass_iris_per_SI", offsetof(struct iris_unit_factors, mass)},
    {"_temperature_iris_per_SI", offsetof(struct iris_unit_factors, th)},
};
enum { FACTORS = sizeof factors / sizeof factors[0] };

void
iris_hyper_get_units(const struct iris_hyper *h, struct iris_unit_factors *u)
{
    const json_t *section = json_object_get(h->root, "dataset_hyper");
    size_t i;

    for (i = 0; i < FACTORS; i++) {
        const json_t *v = json_object_get(section, factors[i].name);
        double x = json_is_number(v) ? json_number_value(v) : (double)NAN;

        memcpy((char *)u + factors[i].offset, &x, sizeof x);
    }
}

enum iris_status
iris_hyper_set_units(struct iris_hyper *h, const struct iris_unit_factors *u, struct iris_err *err)
{
    json_t *section = json_object_get(h->root, "dataset_hyper");
    double x;
    size_t i;

    for (i = 0; i < FACTORS; i++) {
        memcpy(&x, (const char *)u + factors[i].offset, sizeof x);
        if (json_object_set_new(section, factors[i].name, isfinite(x) ? json_real(x) : json_null()))
            return iris_fail_memory(err);
    }
    return IRIS_OK;
}

enum iris_status
iris_hyper_set_seed(struct iris_hyper *h, uint64_t seed, struct iris_err *err)
{
    json_t *writer = json_object_get(h->root, "writer_hyper");
    const json_t *dataset = json_object_get(h->root, "dataset_hyper");
    double cm = json_number_value(json_object_get(writer, "length_cm_per_processing"));
    double m_per_pc = json_number_value(json_object_get(dataset, "meters_per_parsec"));

    if (json_object_set_new(json_object_get(h->root, "suite_hyper"), "seed",
                            json_integer((json_int_t)seed)) ||
        json_object_set_new(writer, "_length_parsec_per_processing",
                            json_real(cm / (100 * m_per_pc))))
        return iris_fail_memory(err);
    return IRIS_OK;
}
