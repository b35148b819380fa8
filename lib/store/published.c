#include "published.h"

#include <stdlib.h>
#include <string.h>

#include "entry.h"
#include "file.h"

/* A file whose hash is in attributes.json. */
static enum iris_status
read_hashed(const char *root, const char *name, const char *recorded, struct iris_buf *text,
            struct iris_err *err)
{
    char *path = iris_path_join(root, name), hash[IRIS_DIGEST_TEXT];
    enum iris_status st;

    st = path ? iris_read_file(path, (size_t)1 << 34, text, err) : iris_fail_memory(err);
    if (!st) {
        iris_digest_memory(iris_buf_str(text), text->len, hash);
        if (strcmp(hash, recorded))
            st = iris_fail(err, IRIS_E_DATA,
                           "'%s' is not the file that was published: its hash is %s, not %s", path,
                           hash, *recorded ? recorded : "known");
    }
    free(path);
    return st;
}

static enum iris_status
read_manifest(const char *root, struct iris_published *p, struct iris_err *err)
{
    char *path = iris_path_join(root, IRIS_MANIFEST_FILE);
    enum iris_status st;

    st = path ? read_hashed(root, IRIS_MANIFEST_FILE, p->attributes.manifest_hash,
                            &p->manifest_text, err)
              : iris_fail_memory(err);
    if (!st)
        st = iris_manifest_parse(iris_buf_str(&p->manifest_text), p->manifest_text.len, path,
                                 "entries", &p->manifest, err);
    free(path);
    return st;
}

enum iris_status
iris_published_settle(struct iris_published *p, struct iris_err *err)
{
    iris_hyper_settings(p->hyper, &p->settings);
    iris_hyper_get_units(p->hyper, &p->units);
    return iris_unitset_scaling(p->attributes.type, &p->units, &p->scaling, err);
}

static enum iris_status
read_hyper(const char *root, struct iris_published *p, struct iris_err *err)
{
    char *path = iris_path_join(root, IRIS_HYPER_FILE);
    enum iris_status st;

    st = path ? read_hashed(root, IRIS_HYPER_FILE, p->attributes.hyper_hash, &p->hyper_text, err)
              : iris_fail_memory(err);
    if (!st)
        st = iris_hyper_parse(iris_buf_str(&p->hyper_text), p->hyper_text.len, path, NULL,
                              &p->hyper, err);
    if (!st)
        st = iris_hyper_check_type(p->hyper, p->attributes.type, err);
    if (!st)
        st = iris_published_settle(p, err);
    free(path);
    return st;
}

static enum iris_status
compare_row(const struct iris_published *p, size_t r, struct iris_err *err)
{
    const char *units = iris_manifest_get(&p->manifest, r, "units");
    struct iris_entry e;
    enum iris_status st;
    size_t k;

    st = iris_entry_get(&p->manifest, r, &e, err);
    if (st)
        return st;
    if (e.type != p->attributes.type || e.state != IRIS_NORMALIZED || !units ||
        strcmp(units, p->scaling.digest))
        return iris_fail(err, IRIS_E_DATA, "entry '%s' is not of the type and in the units of %s",
                         e.id, IRIS_HYPER_FILE);
    for (k = 0; k < e.n_kinds; k++) {
        const char *listed = p->attributes.path[r * p->attributes.kinds + k];

        if (!e.path[k] || strcmp(listed, e.path[k]))
            return iris_fail(err, IRIS_E_DATA,
                             "entry %zu of the index is '%s', in the manifest it is '%s'", r,
                             listed, e.path[k] ? e.path[k] : ".");
    }
    return IRIS_OK;
}

static enum iris_status
compare_rows(const struct iris_published *p, struct iris_err *err)
{
    enum iris_status st = IRIS_OK;
    size_t r;

    if (p->attributes.n != p->manifest.n_rows)
        return iris_fail(err, IRIS_E_DATA, "the index has %zu entries, %s has %zu", p->attributes.n,
                         IRIS_MANIFEST_FILE, p->manifest.n_rows);
    for (r = 0; r < p->manifest.n_rows && !st; r++)
        st = compare_row(p, r, err);
    return st;
}

enum iris_status
iris_published_read(const char *root, struct iris_published *p, struct iris_err *err)
{
    enum iris_status st;

    st = iris_attributes_read(root, &p->attributes, err);
    if (!st)
        st = read_manifest(root, p, err);
    if (!st)
        st = read_hyper(root, p, err);
    if (!st) {
        st = compare_rows(p, err);
        if (st)
            iris_fail_in(err, "'%s'", root);
    }
    if (st)
        iris_published_release(p);
    return st;
}

void
iris_published_release(struct iris_published *p)
{
    iris_attributes_release(&p->attributes);
    iris_buf_release(&p->manifest_text);
    iris_buf_release(&p->hyper_text);
    iris_manifest_release(&p->manifest);
    iris_hyper_free(p->hyper);
    *p = (struct iris_published){.hyper = NULL};
}
