#include <string.h>

#include "hyper_keys.h"
#include "json.h"

#define HOW "see iris-hyper(5)"

static const struct iris_key *
member(const char *name)
{
    size_t i;

    for (i = 0; i < iris_tracer_count; i++)
        if (!strcmp(iris_tracer_members[i].name, name))
            return &iris_tracer_members[i];
    return NULL;
}

static enum iris_status
accept_members(const json_t *v, struct iris_err *err)
{
    json_t *object = (json_t *)v; /* jansson's iterators take no const */
    void *it = json_object_iter(object);
    enum iris_status st = IRIS_OK;

    for (; it && !st; it = json_object_iter_next(object, it)) {
        const struct iris_key *key = member(json_object_iter_key(it));

        if (!key)
            return iris_fail(err, IRIS_E_DATA, "unknown key '%.200s', " HOW,
                             json_object_iter_key(it));
        st = iris_key_accept(key, json_object_iter_value(it), err);
    }
    return st;
}

static enum iris_status
accept_object(const json_t *v, struct iris_err *err)
{
    enum iris_status st = accept_members(v, err);
    size_t i, kinds = 0;

    for (i = 0; i < iris_tracer_kinds; i++)
        kinds += json_object_get(v, iris_tracer_members[i].name) != NULL;
    if (!st && kinds != 1)
        return iris_fail(err, IRIS_E_DATA,
                         "must have one of ratio_to_CO, per_H and table, not %zu; " HOW, kinds);
    if (!st && json_object_get(v, "drop") && !json_object_get(v, "T_drop") &&
        !json_object_get(v, "n_drop"))
        return iris_fail(err, IRIS_E_DATA, "drop needs T_drop or n_drop, " HOW);
    return st;
}

static enum iris_status
accept_one(const json_t *v, struct iris_err *err)
{
    if (json_is_null(v))
        return IRIS_OK;
    if (!json_is_object(v))
        return iris_fail(err, IRIS_E_DATA, "must be an object or null, " HOW);
    return accept_object(v, err);
}

enum iris_status
iris_tracer_accept(const char *name, const json_t *v, struct iris_err *err)
{
    struct iris_err ignored = {0};
    enum iris_status st;
    size_t i;

    err = err ? err : &ignored;
    if (!json_is_array(v)) {
        st = accept_one(v, err);
        return st ? iris_fail_in(err, "%s", name) : IRIS_OK;
    }
    for (i = 0; i < json_array_size(v); i++)
        if (accept_one(json_array_get(v, i), err))
            return iris_fail_in(err, "%s[%zu]", name, i);
    return IRIS_OK;
}

/* In the order of the members, so that it prints and hashes alike however it
 * was written. */
static json_t *
normal_object(const json_t *v)
{
    json_t *object = json_object();
    int failed = 0;
    size_t i;

    for (i = 0; object && i < iris_tracer_count; i++) {
        const struct iris_key *key = &iris_tracer_members[i];
        const json_t *given = json_object_get(v, key->name);

        if (given)
            failed |= json_object_set_new(object, key->name, iris_key_normal(key, given));
    }
    if ((json_object_get(v, "T_drop") || json_object_get(v, "n_drop")) &&
        !json_object_get(v, "drop"))
        failed |= json_object_set_new(object, "drop", json_real(0));
    if (!failed)
        return object;
    json_decref(object);
    return NULL;
}

json_t *
iris_tracer_normal(const json_t *v)
{
    json_t *list;
    size_t i;

    if (json_is_null(v))
        return json_null();
    if (json_is_object(v))
        return normal_object(v);
    list = json_array();
    for (i = 0; list && i < json_array_size(v); i++) {
        if (json_array_append_new(list, iris_tracer_normal(json_array_get(v, i)))) {
            json_decref(list);
            return NULL;
        }
    }
    return list;
}
