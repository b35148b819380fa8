#include <errno.h>
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

#include "digest.h"
#include "file.h"
#include "hyper.h"
#include "hyper_keys.h"
#include "json.h"

/* Every string in their values is the path of a file. */
static const char *const path_keys[] = {"observer_hyper.chem_path", "suite_hyper.abundance"};
enum { PATH_KEYS = sizeof path_keys / sizeof path_keys[0] };

int
iris_hyper_key_matters(const char *name, enum iris_type type)
{
    const struct iris_key *key = iris_key_find(name);

    return key && key->types & (unsigned)type;
}

char *
iris_hyper_locate(const struct iris_hyper *h, const char *path)
{
    if (!h->dir || path[0] == '/')
        return strdup(path);
    return iris_format("%s/%s", h->dir, path);
}

/* What becomes of a path; in memory of its own. */
typedef enum iris_status change_path(const struct iris_hyper *h, const char *path, char **changed,
                                     struct iris_err *err);

static enum iris_status copy_changed(const struct iris_hyper *h, const json_t *v,
                                     change_path *change, json_t **copy, struct iris_err *err);

static enum iris_status
fill_changed(const struct iris_hyper *h, const json_t *v, change_path *change, json_t *copy,
             struct iris_err *err)
{
    json_t *object = (json_t *)v; /* jansson's iterators take no const */
    void *it = json_object_iter(object);
    enum iris_status st = IRIS_OK;
    json_t *one;
    size_t i;

    for (i = 0; i < json_array_size(v) && !st; i++) {
        st = copy_changed(h, json_array_get(v, i), change, &one, err);
        if (!st && json_array_append_new(copy, one))
            st = iris_fail_memory(err);
    }
    for (; it && !st; it = json_object_iter_next(object, it)) {
        st = copy_changed(h, json_object_iter_value(it), change, &one, err);
        if (!st && json_object_set_new(copy, json_object_iter_key(it), one))
            st = iris_fail_memory(err);
    }
    return st;
}

/* A value in which every path is changed; NULL unless IRIS_OK. */
static enum iris_status
copy_changed(const struct iris_hyper *h, const json_t *v, change_path *change, json_t **copy,
             struct iris_err *err)
{
    enum iris_status st = IRIS_OK;
    char *path = NULL;

    if (json_is_string(v)) {
        st = change(h, json_string_value(v), &path, err);
        *copy = st ? NULL : json_string(path);
        free(path);
    } else {
        *copy = json_is_array(v)    ? json_array()
                : json_is_object(v) ? json_object()
                                    : json_deep_copy(v);
    }
    if (!st && !*copy)
        st = iris_fail_memory(err);
    if (!st)
        st = fill_changed(h, v, change, *copy, err);
    if (st) {
        json_decref(*copy);
        *copy = NULL;
    }
    return st;
}

static enum iris_status
hash_file(const struct iris_hyper *h, const char *path, char **changed, struct iris_err *err)
{
    char *place = iris_hyper_locate(h, path), text[IRIS_DIGEST_TEXT];
    enum iris_status st;

    if (!place)
        return iris_fail_memory(err);
    st = iris_digest_file(place, text, err);
    free(place);
    if (st)
        return st;
    *changed = strdup(text);
    return *changed ? IRIS_OK : iris_fail_memory(err);
}

static int
names_files(const struct iris_key *key)
{
    size_t i;

    for (i = 0; i < PATH_KEYS; i++)
        if (!strcmp(key->name, path_keys[i]))
            return 1;
    return 0;
}

/* Of files their hashes, in place of their names. */
static enum iris_status
add_key(const struct iris_hyper *h, const struct iris_key *key, json_t *object,
        struct iris_err *err)
{
    const json_t *v = iris_key_value(h, key);
    struct iris_err why = {0};
    json_t *copy;

    if (!names_files(key))
        copy = json_deep_copy(v);
    else if (copy_changed(h, v, hash_file, &copy, &why))
        return iris_fail(err, why.status, "%s: %s", key->name, why.msg);
    if (json_object_set_new(object, key->name, copy))
        return iris_fail_memory(err);
    return IRIS_OK;
}

enum iris_status
iris_hyper_digest(const struct iris_hyper *h, enum iris_type type, uint64_t seed, uint32_t round,
                  int precise, char digest[IRIS_SETTINGS_DIGEST], struct iris_buf *settings,
                  struct iris_err *err)
{
    char hash[IRIS_DIGEST_TEXT];
    struct iris_buf text = {0};
    enum iris_status st;
    json_t *object;
    size_t i;

    if (seed > INT64_MAX)
        return iris_fail(err, IRIS_E_DATA, "seed %" PRIu64 " is above 2^63 - 1", seed);
    object = json_pack("{s:i, s:s, s:I, s:I}", "format", IRIS_FORMAT, "type", iris_type_name(type),
                       "seed", (json_int_t)seed, "round", (json_int_t)round);
    st = object ? IRIS_OK : iris_fail_memory(err);
    if (!st && precise && type == IRIS_SYNTHETIC &&
        json_object_set_new(object, "arithmetic", json_string("precise")))
        st = iris_fail_memory(err);
    for (i = 0; i < iris_key_count && !st; i++)
        if (iris_keys[i].types & (unsigned)type)
            st = add_key(h, &iris_keys[i], object, err);
    if (!st) {
        iris_json_print(object, &text);
        iris_buf_putc(&text, '\n');
        st = iris_buf_check(&text, err);
    }
    if (!st) {
        iris_digest_memory(text.data, text.len, hash);
        memcpy(digest, hash, IRIS_SETTINGS_DIGEST - 1);
        digest[IRIS_SETTINGS_DIGEST - 1] = '\0';
    }
    if (!st && settings) {
        iris_buf_append(settings, text.data, text.len);
        st = iris_buf_check(settings, err);
    }
    json_decref(object);
    iris_buf_release(&text);
    return st;
}

static enum iris_status
change_paths(struct iris_hyper *h, change_path *change, struct iris_err *err)
{
    enum iris_status st = IRIS_OK;
    size_t i;

    for (i = 0; i < PATH_KEYS && !st; i++) {
        const struct iris_key *key = iris_key_find(path_keys[i]);
        json_t *copy;

        st = copy_changed(h, iris_key_value(h, key), change, &copy, err);
        if (!st &&
            json_object_set_new(json_object_get(h->root, key->section), iris_key_word(key), copy))
            st = iris_fail_memory(err);
    }
    return st;
}

static enum iris_status
last_component(const struct iris_hyper *h, const char *path, char **changed, struct iris_err *err)
{
    (void)h;
    *changed = strdup(iris_file_name(path));
    return *changed ? IRIS_OK : iris_fail_memory(err);
}

enum iris_status
iris_hyper_strip_paths(struct iris_hyper *h, struct iris_err *err)
{
    return change_paths(h, last_component, err);
}

/* A path that leads nowhere stays as it is written. */
static enum iris_status
absolute(const struct iris_hyper *h, const char *path, char **changed, struct iris_err *err)
{
    char *place = iris_hyper_locate(h, path);

    *changed = NULL;
    if (!place)
        return iris_fail_memory(err);
    if (path[0] != '/')
        *changed = realpath(place, NULL);
    if (!*changed && (path[0] == '/' || errno != ENOMEM))
        *changed = strdup(path);
    free(place);
    return *changed ? IRIS_OK : iris_fail_memory(err);
}

enum iris_status
iris_hyper_resolve_paths(struct iris_hyper *h, struct iris_err *err)
{
    return change_paths(h, absolute, err);
}
