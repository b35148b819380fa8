#include "publish.h"

#include <errno.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "entry.h"
#include "file.h"
#include "json.h"
#include "npy.h"
#include "unitset.h"

static const char format_key[] = "format_version";
enum { FORMAT = 1 };

/* ---- attributes.json ---- */

/* Each returns nonzero when memory ran out. */
static int
append_entry(json_t *index, const struct iris_entry *e)
{
    if (e->n_kinds == 1)
        return json_array_append_new(index, json_string(e->path[0]));
    return json_array_append_new(index, json_pack("[s, s]", e->path[0], e->path[1]));
}

static int
append_facts(json_t *root, const struct iris_manifest *m, enum iris_type type,
             const char *manifest_hash, const char *hyper_hash, json_t *index)
{
    int bad = 0;

    bad |= json_object_set_new(root, "cardinality", json_integer((json_int_t)m->n_rows));
    bad |= json_object_set(root, "index", index);
    bad |= json_object_set_new(root, "type", json_string(iris_type_name(type)));
    bad |= json_object_set_new(root, format_key, json_integer(FORMAT));
    bad |= json_object_set_new(
        root, "xxh128",
        json_pack("{s:s, s:s}", IRIS_MANIFEST_FILE, manifest_hash, IRIS_HYPER_FILE, hyper_hash));
    return bad;
}

static enum iris_status
build_attributes(const struct iris_manifest *m, enum iris_type type, const char *manifest_hash,
                 const char *hyper_hash, struct iris_buf *out, struct iris_err *err)
{
    json_t *root = json_object(), *index = json_array();
    enum iris_status st = IRIS_OK;
    int bad = 0;
    size_t r;

    for (r = 0; r < m->n_rows && !st; r++) {
        struct iris_entry e;

        st = iris_entry_get(m, r, &e, err);
        if (!st)
            bad |= append_entry(index, &e);
    }
    bad |= append_facts(root, m, type, manifest_hash, hyper_hash, index);
    if (!st && bad)
        st = iris_fail_memory(err);
    if (!st) {
        iris_json_print(root, out);
        st = iris_buf_check(out, err);
    }
    json_decref(index);
    json_decref(root);
    return st;
}

static enum iris_status
take_entry(struct iris_attributes *a, const json_t *entry, size_t i, const char *path,
           struct iris_err *err)
{
    enum iris_kind unused[2];
    size_t kinds = iris_type_kinds(a->type, unused), k;

    if (kinds == 1 ? !json_is_string(entry) : json_array_size(entry) != kinds)
        return iris_fail(err, IRIS_E_DATA, "'%s': entry %zu of the index is not one of type %s",
                         path, i, iris_type_name(a->type));
    for (k = 0; k < kinds; k++) {
        const json_t *item = json_is_string(entry) ? entry : json_array_get(entry, k);

        if (!json_is_string(item))
            return iris_fail(err, IRIS_E_DATA, "'%s': entry %zu of the index is not a path", path,
                             i);
        a->path[i * kinds + k] = strdup(json_string_value(item));
        if (!a->path[i * kinds + k])
            return iris_fail_memory(err);
    }
    return IRIS_OK;
}

static void
take_hash(const json_t *root, const char *file, char hash[IRIS_DIGEST_TEXT])
{
    const char *text = json_string_value(json_object_get(json_object_get(root, "xxh128"), file));

    if (text && strlen(text) == IRIS_DIGEST_TEXT - 1)
        memcpy(hash, text, IRIS_DIGEST_TEXT);
}

static enum iris_status
take_attributes(struct iris_attributes *a, const json_t *root, const char *path,
                struct iris_err *err)
{
    const json_t *index = json_object_get(root, "index");
    const json_t *cardinality = json_object_get(root, "cardinality");
    const char *type = json_string_value(json_object_get(root, "type"));
    enum iris_kind unused[2];
    enum iris_status st = IRIS_OK;
    size_t i;

    if (!json_is_object(root) || !json_is_array(index) || !json_is_integer(cardinality))
        return iris_fail(err, IRIS_E_DATA, "'%s' has no cardinality and index", path);
    if (!type || iris_type_parse(type, &a->type, NULL))
        return iris_fail(err, IRIS_E_DATA, "'%s' does not say which type of data set it is", path);
    a->n = json_array_size(index);
    a->kinds = iris_type_kinds(a->type, unused);
    a->path = calloc(a->n * a->kinds + 1, sizeof *a->path);
    if (!a->path)
        return iris_fail_memory(err);
    if (json_integer_value(cardinality) != (json_int_t)a->n)
        return iris_fail(err, IRIS_E_DATA,
                         "'%s': the cardinality is %lld, the index has %zu entries", path,
                         (long long)json_integer_value(cardinality), a->n);
    take_hash(root, IRIS_MANIFEST_FILE, a->manifest_hash);
    take_hash(root, IRIS_HYPER_FILE, a->hyper_hash);
    for (i = 0; i < a->n && !st; i++)
        st = take_entry(a, json_array_get(index, i), i, path, err);
    return st;
}

enum iris_status
iris_attributes_read(const char *dataset, struct iris_attributes *a, struct iris_err *err)
{
    char *path = iris_path_join(dataset, IRIS_ATTRIBUTES_FILE);
    struct iris_buf text = {0};
    json_t *root = NULL;
    enum iris_status st;

    *a = (struct iris_attributes){0};
    st = path ? iris_read_file(path, (size_t)1 << 34, &text, err) : iris_fail_memory(err);
    if (st == IRIS_E_IO && path && access(path, F_OK) && errno == ENOENT && !access(dataset, X_OK))
        st = iris_fail(err, IRIS_E_IO, "'%s' is no published data set: there is no '%s'", dataset,
                       path);
    if (!st)
        st = iris_json_load(iris_buf_str(&text), text.len, path, &root, err);
    if (!st)
        st = take_attributes(a, root, path, err);
    if (st)
        iris_attributes_release(a);
    json_decref(root);
    iris_buf_release(&text);
    free(path);
    return st;
}

void
iris_attributes_release(struct iris_attributes *a)
{
    size_t i;

    for (i = 0; a->path && i < a->n * a->kinds; i++)
        free(a->path[i]);
    free(a->path);
    *a = (struct iris_attributes){0};
}

/* ---- publishing ---- */

static enum iris_status
read_shapes(const char *root, const char *const path[2], size_t kinds, struct iris_shape shape[2],
            struct iris_err *err)
{
    enum iris_status st = IRIS_OK;
    size_t k;

    for (k = 0; k < kinds && !st; k++) {
        char *full = iris_path_join(root, path[k]);
        struct iris_npy a;

        st = full ? iris_npy_open(full, &a, err) : iris_fail_memory(err);
        if (!st) {
            shape[k] = a.shape;
            iris_npy_close(&a);
        }
        free(full);
    }
    return st;
}

/* The arrays of a row are those that the settings make. */
static enum iris_status
check_shapes(const char *root, const struct iris_entry *e, const struct iris_settings *settings,
             struct iris_err *err)
{
    char found[128], wanted[128];
    struct iris_shape shape[2], x;
    enum iris_status st;
    size_t k;

    st = read_shapes(root, e->path, e->n_kinds, shape, err);
    for (k = 0; k < e->n_kinds && !st; k++) {
        iris_kind_shape(e->kind[k], e->type, settings, &x);
        if (!iris_shape_equal(&shape[k], &x))
            st = iris_fail(err, IRIS_E_DATA, "'%s' has the shape %s, by the settings it is %s",
                           e->path[k], iris_shape_text(&shape[k], found, sizeof found),
                           iris_shape_text(&x, wanted, sizeof wanted));
    }
    return st;
}

static enum iris_status
check_rows(const char *root, const struct iris_manifest *m, const struct iris_hyper *h,
           const char *units, struct iris_err *err)
{
    struct iris_settings settings;
    enum iris_status st = IRIS_OK;
    size_t r;

    iris_hyper_settings(h, &settings);
    for (r = 0; r < m->n_rows && !st; r++) {
        const char *row_units = iris_manifest_get(m, r, "units");
        struct iris_entry e;

        st = iris_entry_get(m, r, &e, err);
        if (!st && e.state != IRIS_NORMALIZED)
            st = iris_fail(err, IRIS_E_DATA, "entry '%s' is not in IRIS units; run iris-normalize",
                           e.id);
        else if (!st && (!row_units || strcmp(row_units, units)))
            st = iris_fail(err, IRIS_E_DATA,
                           "entry '%s' is in the units %s, but the settings have the units %s",
                           e.id, row_units ? row_units : "(unknown)", units);
        if (!st)
            st = check_shapes(root, &e, &settings, err);
    }
    return st;
}

static int
same_units(const struct iris_unit_factors *a, const struct iris_unit_factors *b)
{
    return a->length == b->length && a->length_parsec == b->length_parsec && a->time == b->time &&
           a->mass == b->mass && a->th == b->th;
}

static int
compare_paths(const void *a, const void *b)
{
    return strcmp(*(const char *const *)a, *(const char *const *)b);
}

/* Every entry that is published is among the new ones. */
static enum iris_status
check_grows(const char *root, const struct iris_attributes *old, const struct iris_manifest *m,
            struct iris_err *err)
{
    const char **path = malloc((m->n_rows + 1) * sizeof *path);
    enum iris_status st = path ? IRIS_OK : iris_fail_memory(err);
    size_t r;

    for (r = 0; r < m->n_rows && !st; r++) {
        struct iris_entry e;

        st = iris_entry_get(m, r, &e, err);
        path[r] = e.path[0];
    }
    if (!st)
        qsort(path, m->n_rows, sizeof *path, compare_paths);
    for (r = 0; r < old->n && !st; r++) {
        const char *key = old->path[r * old->kinds];

        if (!bsearch(&key, path, m->n_rows, sizeof *path, compare_paths))
            st = iris_fail(err, IRIS_E_DATA,
                           "'%s' is published with '%s', which the manifest does not have; see "
                           "--replace",
                           root, key);
    }
    free(path);
    return st;
}

/* A data set that is published already may grow, but not change its units:
 * then every moment between the three files opens correctly. Shapes need no
 * look: all arrays were compared with the settings. */
static enum iris_status
check_extension(const char *root, const struct iris_manifest *m, enum iris_type type,
                const struct iris_unit_factors *units, struct iris_err *err)
{
    char *hyper_path = iris_path_join(root, IRIS_HYPER_FILE);
    struct iris_unit_factors old_units;
    struct iris_attributes old = {0};
    struct iris_hyper *h = NULL;
    enum iris_status st;

    st = hyper_path ? iris_attributes_read(root, &old, err) : iris_fail_memory(err);
    if (!st)
        st = iris_hyper_read(hyper_path, &h, err);
    if (!st)
        iris_hyper_get_units(h, &old_units);
    if (!st && (old.type != type || !same_units(&old_units, units)))
        st = iris_fail(err, IRIS_E_DATA,
                       "'%s' is published with another type or other units; take its units with "
                       "iris-units --from, or see --replace",
                       root);
    if (!st)
        st = check_grows(root, &old, m, err);
    iris_hyper_free(h);
    iris_attributes_release(&old);
    free(hyper_path);
    return st;
}

static enum iris_status
write_in(const char *root, const char *name, const struct iris_buf *text, struct iris_err *err)
{
    char *path = iris_path_join(root, name);
    enum iris_status st;

    st = path ? iris_write_file(path, iris_buf_str(text), text->len, err) : iris_fail_memory(err);
    free(path);
    return st;
}

/* The settings as they are published: no path of this machine. */
static enum iris_status
print_hyper(const struct iris_hyper *h, struct iris_buf *out, struct iris_err *err)
{
    struct iris_hyper *copy = NULL;
    enum iris_status st;

    st = iris_hyper_copy(h, &copy, err);
    if (!st)
        st = iris_hyper_strip_paths(copy, err);
    if (!st)
        st = iris_hyper_print(copy, out, err);
    iris_hyper_free(copy);
    return st;
}

enum iris_status
iris_publish(const char *root, const struct iris_manifest *m, const struct iris_hyper *h,
             int replace, struct iris_err *err)
{
    char manifest_hash[IRIS_DIGEST_TEXT], hyper_hash[IRIS_DIGEST_TEXT];
    struct iris_buf manifest = {0}, hyper = {0}, attributes = {0};
    struct iris_unit_factors units;
    struct iris_scaling scaling;
    enum iris_type type = IRIS_STANDARD;
    enum iris_status st;
    int remove_old = 0;
    char *old;

    iris_hyper_get_units(h, &units);
    st = iris_entry_type(m, &type, err);
    if (!st)
        st = iris_unitset_scaling(type, &units, &scaling, err);
    if (!st)
        st = check_rows(root, m, h, scaling.digest, err);
    old = iris_path_join(root, IRIS_ATTRIBUTES_FILE);
    if (!st && !old)
        st = iris_fail_memory(err);
    if (!st && !access(old, F_OK)) {
        st = check_extension(root, m, type, &units, err);
        remove_old = st && replace;
        st = remove_old ? IRIS_OK : st;
    }
    if (!st) {
        iris_manifest_print(m, &manifest);
        st = iris_buf_check(&manifest, err);
    }
    if (!st)
        st = print_hyper(h, &hyper, err);
    if (!st) {
        iris_digest_memory(manifest.data, manifest.len, manifest_hash);
        iris_digest_memory(hyper.data, hyper.len, hyper_hash);
        st = build_attributes(m, type, manifest_hash, hyper_hash, &attributes, err);
    }
    if (!st && remove_old)
        st = iris_remove_file(old, err);
    if (!st && remove_old)
        st = iris_sync_dir(root, err);
    if (!st)
        st = write_in(root, IRIS_MANIFEST_FILE, &manifest, err);
    if (!st)
        st = write_in(root, IRIS_HYPER_FILE, &hyper, err);
    if (!st)
        st = write_in(root, IRIS_ATTRIBUTES_FILE, &attributes, err);
    iris_buf_release(&manifest);
    iris_buf_release(&hyper);
    iris_buf_release(&attributes);
    free(old);
    return st;
}
