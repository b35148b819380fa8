#include "subject.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "container_file.h"
#include "file.h"
#include "json.h"
#include "num.h"
#include "publish.h"
#include "unitset.h"

enum { LEVELS = 5 }; /* DATASET/entries/DIGEST/UNITS/SNAPSHOT/array */

static void
begin(struct iris_subject *s, enum iris_type type)
{
    *s = (struct iris_subject){.type = type,
                               .fields = 2,
                               .field = {IRIS_RHO, IRIS_T},
                               .slice = {IRIS_SLICE_LAT, (double)NAN}};
}

void
iris_subject_release(struct iris_subject *s)
{
    iris_hyper_free(s->hyper);
    free(s->id);
    free(s->snapshot);
    *s = (struct iris_subject){0};
}

/* A JSON object; name stands for it in messages. */
static enum iris_status
load_text(const struct iris_buf *text, const char *name, json_t **root, struct iris_err *err)
{
    enum iris_status st;

    *root = NULL;
    st = iris_json_load(iris_buf_str(text), text->len, name, root, err);
    if (!st && !json_is_object(*root))
        st = iris_fail(err, IRIS_E_DATA, "'%s' is not a JSON object", name);
    return st;
}

static enum iris_status
load(const char *path, json_t **root, struct iris_err *err)
{
    struct iris_buf text = {0};
    enum iris_status st;

    *root = NULL;
    st = iris_read_file(path, 1 << 24, &text, err);
    if (!st)
        st = load_text(&text, path, root, err);
    iris_buf_release(&text);
    return st;
}

/* Set every key of an object that is a known one under that prefix. A molecular
 * file is there by its hash, which is no path. */
static enum iris_status
set_keys(struct iris_hyper *h, const json_t *object, const char *prefix, const char *path,
         struct iris_err *err)
{
    enum iris_status st = IRIS_OK;
    struct iris_buf text = {0};
    const char *known;
    size_t i;

    for (i = 0; (known = iris_hyper_key(i)) && !st; i++) {
        size_t n = strlen(prefix);
        const json_t *v = strncmp(known, prefix, n) ? NULL : json_object_get(object, known + n);

        if (!v || !strcmp(known, "observer_hyper.chem_path"))
            continue;
        iris_buf_clear(&text);
        iris_json_compact(v, &text);
        st = iris_buf_check(&text, err);
        if (!st)
            st = iris_hyper_set(h, known, iris_buf_str(&text), err);
    }
    iris_buf_release(&text);
    return st ? iris_fail_in(err, "'%s'", path) : IRIS_OK;
}

/* The settings of a digest: axes, processing units, type. */
static enum iris_status
take_settings(struct iris_subject *s, const json_t *root, const char *path, struct iris_err *err)
{
    enum iris_status st = IRIS_OK;
    const char *type;

    if (!s->hyper)
        st = iris_hyper_defaults(&s->hyper, err);
    if (!st)
        st = set_keys(s->hyper, root, "", path, err);
    type = json_string_value(json_object_get(root, "type"));
    if (!st && !s->type && type)
        st = iris_type_parse(type, &s->type, err);
    if (!st && json_is_integer(json_object_get(root, "seed"))) {
        s->has_point = 1;
        s->seed = (uint64_t)json_integer_value(json_object_get(root, "seed"));
        s->round = (uint64_t)json_integer_value(json_object_get(root, "round"));
    }
    return st;
}

static enum iris_status
read_settings(struct iris_subject *s, const char *path, struct iris_err *err)
{
    json_t *root = NULL;
    enum iris_status st;

    st = load(path, &root, err);
    if (!st)
        st = take_settings(s, root, path, err);
    json_decref(root);
    return st;
}

/* The factors of arrays in IRIS units. */
static enum iris_status
read_units(struct iris_subject *s, const char *path, struct iris_err *err)
{
    json_t *root = NULL;
    enum iris_status st;

    st = load(path, &root, err);
    if (!st && !s->hyper)
        st = iris_hyper_defaults(&s->hyper, err);
    if (!st)
        st = set_keys(s->hyper, root, "dataset_hyper.", path, err);
    json_decref(root);
    return st;
}

/* The type that factors belong to, as far as they tell. */
static enum iris_type
type_of_units(const struct iris_unit_factors *u)
{
    if (isfinite(u->v_density))
        return IRIS_SIMPLE;
    if (isfinite(u->temperature) && !isfinite(u->velocity))
        return IRIS_SYNTHETIC;
    return (enum iris_type)0;
}

/* A file of that name in a directory, if there is one. */
static enum iris_status
look(const char *dir, const char *name, char **found, struct iris_err *err)
{
    char *path;

    if (*found)
        return IRIS_OK;
    path = iris_path_join(dir, name);
    if (!path)
        return iris_fail_memory(err);
    if (access(path, F_OK))
        free(path);
    else
        *found = path;
    return IRIS_OK;
}

/* The settings of a data set: a hyper.json elsewhere may be of anything. */
static enum iris_status
look_published(const char *dir, char **found, struct iris_err *err)
{
    enum iris_status st;
    char *mark = NULL;

    st = look(dir, IRIS_ATTRIBUTES_FILE, &mark, err);
    if (!st && mark)
        st = look(dir, IRIS_HYPER_FILE, found, err);
    free(mark);
    return st;
}

/* What lies around an array. */
struct around {
    char *settings, *units, *hyper; /* paths; NULL: not there */
    int raw;
};

static enum iris_status
look_around(const char *path, struct around *a, struct iris_err *err)
{
    enum iris_status st = IRIS_OK;
    char *dir = realpath(path, NULL), *slash;
    int level;

    if (!dir)
        return iris_fail(err, IRIS_E_IO, "cannot open '%s':", path);
    for (level = 0; level < LEVELS && !st && (slash = strrchr(dir, '/')); level++) {
        *slash = '\0';
        slash = strrchr(dir, '/');
        if (level == 1)
            a->raw = slash && !strcmp(slash, "/raw");
        if (level == 1 && !a->raw)
            st = look(dir, "units.json", &a->units, err);
        if (level == 2 && !st)
            st = look(dir, "settings.json", &a->settings, err);
        if (!st)
            st = look_published(dir, &a->hyper, err);
    }
    free(dir);
    return st;
}

static enum iris_status
read_around(struct iris_subject *s, const char *hyper, const struct around *a, struct iris_err *err)
{
    enum iris_status st = IRIS_OK;

    if (!hyper)
        hyper = a->hyper;
    if (hyper)
        st = iris_hyper_read(hyper, &s->hyper, err);
    if (!st && hyper == a->hyper && a->settings)
        st = read_settings(s, a->settings, err);
    if (!st && a->units)
        st = read_units(s, a->units, err);
    return st;
}

/* [DATASET/]entries/DIGEST/UNITS/SNAPSHOT/pNNN.KIND.npy says which entry it is. */
static enum iris_status
read_name(struct iris_subject *s, const char *path, struct iris_err *err)
{
    char *full = iris_format("/%s", path), *part[LEVELS] = {NULL}, *slash;
    enum iris_status st = full ? IRIS_OK : iris_fail_memory(err);
    uint64_t point;
    int k;

    for (k = LEVELS - 1; full && k >= 0 && (slash = strrchr(full, '/')); k--) {
        *slash = '\0';
        part[k] = slash + 1;
    }
    if (part[0] && !strcmp(part[0], "entries") && part[4][0] == 'p') {
        part[4][strcspn(part[4], ".")] = '\0';
        s->id = iris_format("%s.%s.%s", part[1], part[3], part[4]);
        s->snapshot = strdup(part[3]);
        if (!s->id || !s->snapshot)
            st = iris_fail_memory(err);
    }
    if (!s->id || iris_parse_u64(part[4] + 1, &point) || point > UINT32_MAX)
        s->has_point = 0;
    else
        s->theta = iris_entry_theta(&s->settings, (uint32_t)point);
    free(full);
    return st;
}

/* What follows from the settings. */
static void
finish(struct iris_subject *s, int raw)
{
    if (!s->hyper)
        return;
    iris_hyper_settings(s->hyper, &s->settings);
    iris_hyper_get_units(s->hyper, &s->units);
    s->raw = raw || !isfinite(s->units.density);
    if (!s->type)
        s->type = type_of_units(&s->units);
}

enum iris_status
iris_subject_of(const char *path, const char *hyper, enum iris_type type, struct iris_subject *s,
                struct iris_err *err)
{
    char *full = realpath(path, NULL);
    struct around a = {0};
    enum iris_status st;

    begin(s, type);
    st = look_around(path, &a, err);
    if (!st)
        st = read_around(s, hyper, &a, err);
    if (!st) {
        finish(s, a.raw);
        st = read_name(s, full ? full : path, err);
    }
    if (st)
        iris_subject_release(s);
    free(full);
    free(a.settings);
    free(a.units);
    free(a.hyper);
    return st;
}

/* settings.json of the digest that a path begins with. */
static enum iris_status
take_digest(struct iris_subject *s, const struct iris_container *c, const char *path,
            struct iris_err *err)
{
    const char *begin = strchr(path, '/');
    struct iris_buf text = {0};
    json_t *root = NULL;
    enum iris_status st = IRIS_OK;
    int there = 0;
    char *digest;

    if (!begin)
        return IRIS_OK;
    digest = iris_format("%.*s", (int)strcspn(begin + 1, "/"), begin + 1);
    st = digest ? iris_container_settings(c, digest, &text, &there, err) : iris_fail_memory(err);
    if (!st && there)
        st = load_text(&text, digest, &root, err);
    if (!st && there)
        st = take_settings(s, root, digest, err);
    json_decref(root);
    free(digest);
    iris_buf_release(&text);
    return st ? iris_fail_in(err, "'%s'", c->path) : IRIS_OK;
}

/* Its own settings, or of those given all but the units. */
enum iris_status
iris_subject_in(const struct iris_container *c, const char *path, const char *hyper,
                enum iris_type type, struct iris_subject *s, struct iris_err *err)
{
    struct iris_buf text = {0};
    struct iris_hyper *own = NULL;
    struct iris_unit_factors units;
    enum iris_status st;

    begin(s, type);
    st = iris_container_hyper(c, &text, err);
    if (!st)
        st = iris_hyper_parse(iris_buf_str(&text), text.len, c->path, NULL, &own, err);
    if (!st && hyper) {
        st = iris_hyper_read(hyper, &s->hyper, err);
        iris_hyper_get_units(own, &units);
        if (!st)
            st = iris_hyper_set_units(s->hyper, &units, err);
    } else if (!st) {
        s->hyper = own;
        own = NULL;
        st = take_digest(s, c, path, err);
    }
    if (!st) {
        finish(s, 0);
        st = read_name(s, path, err);
    }
    if (st)
        iris_subject_release(s);
    iris_hyper_free(own);
    iris_buf_release(&text);
    return st;
}

/* ---- kinds and shapes ---- */

static int
named(const struct iris_npy *a, const char *word)
{
    return strstr(iris_file_name(a->path), word) != NULL;
}

/* Whether the settings, as far as they go, give an array of this shape. */
static int
agrees(const struct iris_subject *s, const struct iris_npy *a, enum iris_kind kind,
       struct iris_shape *x)
{
    enum iris_type type = s->type ? s->type : IRIS_SIMPLE;

    iris_kind_shape(kind, type, &s->settings, x);
    if (kind == IRIS_OBSERVED && !s->type)
        x->dim[0] = a->shape.dim[0];
    return iris_shape_equal(x, &a->shape);
}

static enum iris_status
bad_shape(const struct iris_npy *a, const char *wanted, struct iris_err *err)
{
    char text[128];

    return iris_fail(err, IRIS_E_DATA, "'%s' has the shape %s, but %s", a->path,
                     iris_shape_text(&a->shape, text, sizeof text), wanted);
}

enum iris_status
iris_subject_kind(const struct iris_subject *s, const struct iris_npy *a, enum iris_kind *kind,
                  struct iris_err *err)
{
    const struct iris_shape *x = &a->shape;
    struct iris_shape unused;

    if (x->n == 4 && x->dim[0] == IRIS_TENSOR_CHANNELS)
        *kind = IRIS_TENSOR;
    else if (x->n != 3)
        return bad_shape(a, "a picture needs (1, r, lon), (lines, lon, v) or (6, r, lon, lat)",
                         err);
    else if (x->dim[0] != 1 || named(a, iris_kind_file(IRIS_OBSERVED)))
        *kind = IRIS_OBSERVED;
    else if (named(a, iris_kind_file(IRIS_COLUMN)) || !s->hyper)
        *kind = IRIS_COLUMN;
    else if (agrees(s, a, IRIS_OBSERVED, &unused) && !agrees(s, a, IRIS_COLUMN, &unused))
        *kind = IRIS_OBSERVED;
    else
        *kind = IRIS_COLUMN;
    return IRIS_OK;
}

enum iris_status
iris_subject_views(const struct iris_subject *s, const struct iris_npy *a, enum iris_kind kind,
                   size_t *n, struct iris_err *err)
{
    char text[128];
    struct iris_shape x = a->shape;

    if (kind == IRIS_TENSOR ? x.n != 4 || x.dim[0] != IRIS_TENSOR_CHANNELS : x.n != 3)
        return bad_shape(a, "this kind of array has another one", err);
    if (!a->count)
        return bad_shape(a, "a picture needs values", err);
    if (kind == IRIS_COLUMN && x.dim[0] != 1)
        return bad_shape(a, "a column map begins with 1", err);
    if (s->hyper && !agrees(s, a, kind, &x)) {
        struct iris_buf b = {0};
        enum iris_status st;

        iris_buf_printf(&b, "its settings give %s", iris_shape_text(&x, text, sizeof text));
        st = bad_shape(a, iris_buf_str(&b), err);
        iris_buf_release(&b);
        return st;
    }
    *n = kind == IRIS_COLUMN ? 1 : kind == IRIS_TENSOR ? s->fields : x.dim[0];
    return IRIS_OK;
}
