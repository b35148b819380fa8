#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

#include "digest.h"
#include "hyper.h"
#include "hyper_keys.h"
#include "json.h"

#define CHEM_PATH "observer_hyper.chem_path"

int
iris_hyper_key_matters(const char *name, enum iris_type type)
{
    const struct iris_key *key = iris_key_find(name);

    return key && key->types & (unsigned)type;
}

/* A molecular file's place, seen from the current directory. */
static char *
locate(const struct iris_hyper *h, const char *path)
{
    if (!h->dir || path[0] == '/')
        return strdup(path);
    return iris_format("%s/%s", h->dir, path);
}

static enum iris_status
hash_file(const struct iris_hyper *h, const json_t *path, json_t *list, struct iris_err *err)
{
    char *place = locate(h, json_string_value(path));
    char text[IRIS_DIGEST_TEXT];
    enum iris_status st;

    if (!place)
        return iris_fail_memory(err);
    st = iris_digest_file(place, text, err);
    free(place);
    if (st)
        return iris_fail_in(err, CHEM_PATH);
    if (json_array_append_new(list, json_string(text)))
        return iris_fail_memory(err);
    return IRIS_OK;
}

/* The files' hashes in place of their names. */
static enum iris_status
hash_files(const struct iris_hyper *h, const json_t *paths, json_t **hashes, struct iris_err *err)
{
    enum iris_status st = IRIS_OK;
    size_t i;

    *hashes = json_is_null(paths) ? json_null() : json_array();
    if (!*hashes)
        return iris_fail_memory(err);
    for (i = 0; i < json_array_size(paths) && !st; i++)
        st = hash_file(h, json_array_get(paths, i), *hashes, err);
    if (st) {
        json_decref(*hashes);
        *hashes = NULL;
    }
    return st;
}

static enum iris_status
add_key(const struct iris_hyper *h, const struct iris_key *key, json_t *object,
        struct iris_err *err)
{
    const json_t *v = iris_key_value(h, key);
    enum iris_status st;
    json_t *copy;

    if (!strcmp(key->name, CHEM_PATH)) {
        st = hash_files(h, v, &copy, err);
        if (st)
            return st;
    } else {
        copy = json_deep_copy(v);
    }
    if (json_object_set_new(object, key->name, copy))
        return iris_fail_memory(err);
    return IRIS_OK;
}

enum iris_status
iris_hyper_digest(const struct iris_hyper *h, enum iris_type type, uint64_t seed, uint32_t round,
                  char digest[IRIS_SETTINGS_DIGEST], struct iris_buf *settings,
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
        if (settings)
            iris_buf_append(settings, text.data, text.len);
    }
    json_decref(object);
    iris_buf_release(&text);
    return st;
}

/* Replace each path by what change makes of it. */
static enum iris_status
change_paths(struct iris_hyper *h, char *(*change)(const struct iris_hyper *, const char *),
             struct iris_err *err)
{
    const json_t *paths = iris_key_value(h, iris_key_find(CHEM_PATH));
    size_t i;

    for (i = 0; i < json_array_size(paths); i++) {
        char *path = change(h, json_string_value(json_array_get(paths, i)));
        int failed = !path || json_array_set_new((json_t *)paths, i, json_string(path));

        free(path);
        if (failed)
            return iris_fail_memory(err);
    }
    return IRIS_OK;
}

static char *
last_component(const struct iris_hyper *h, const char *path)
{
    const char *slash = strrchr(path, '/');

    (void)h;
    return strdup(slash ? slash + 1 : path);
}

enum iris_status
iris_hyper_strip_paths(struct iris_hyper *h, struct iris_err *err)
{
    return change_paths(h, last_component, err);
}

/* A path that leads nowhere stays as it is written. */
static char *
absolute(const struct iris_hyper *h, const char *path)
{
    char *place = locate(h, path), *full = NULL;

    if (path[0] != '/' && place)
        full = realpath(place, NULL);
    free(place);
    return full ? full : strdup(path);
}

enum iris_status
iris_hyper_resolve_paths(struct iris_hyper *h, struct iris_err *err)
{
    return change_paths(h, absolute, err);
}
