#include "check.h"

#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "digest.h"
#include "entry.h"
#include "hyper.h"
#include "manifest.h"
#include "publish.h"
#include "unitset.h"
#include "verify.h"

/* What is known of a data set while it is checked. */
struct job {
    struct iris_check *c;
    const char *root;
    struct iris_attributes attributes;
    struct iris_manifest manifest;
    struct iris_verifier verifier;
    char units[IRIS_UNITS_DIGEST]; /* of hyper.json; "" when it has none */
    struct iris_settings settings; /* of hyper.json, when it has units */
};

__attribute__((format(printf, 2, 3))) static void
broken(struct job *job, const char *fmt, ...)
{
    char text[1200];
    va_list ap;

    va_start(ap, fmt);
    vsnprintf(text, sizeof text, fmt, ap);
    va_end(ap);
    job->c->found++;
    job->c->broken(job->c->self, text);
}

/* A file of the data set has the hash that attributes.json gives it. */
static void
check_hash(struct job *job, const char *name, const char *recorded)
{
    char *path = iris_path_join(job->root, name), hash[IRIS_DIGEST_TEXT];
    struct iris_err err = {0};

    if (!path)
        return;
    if (iris_digest_file(path, hash, &err))
        broken(job, "%s", err.msg);
    else if (!*recorded)
        broken(job, "'%s' has no hash in %s", name, IRIS_ATTRIBUTES_FILE);
    else if (strcmp(hash, recorded))
        broken(job, "'%s' is not the file that was published: its hash is %s, not %s", name, hash,
               recorded);
    free(path);
}

static void
check_hyper(struct job *job)
{
    char *path = iris_path_join(job->root, IRIS_HYPER_FILE);
    struct iris_unit_factors units;
    struct iris_scaling scaling;
    struct iris_hyper *h = NULL;
    struct iris_err err = {0};
    enum iris_status st;

    st = path ? iris_hyper_read(path, &h, &err) : iris_fail_memory(&err);
    if (!st)
        st = iris_hyper_check_type(h, job->attributes.type, &err);
    if (!st) {
        iris_hyper_get_units(h, &units);
        if (!iris_unitset_complete(job->attributes.type, &units))
            st = iris_fail(&err, IRIS_E_DATA, "no complete set of units");
    }
    if (!st)
        st = iris_unitset_scaling(job->attributes.type, &units, &scaling, &err);
    if (st && h)
        iris_fail_in(&err, "'%s'", IRIS_HYPER_FILE);
    if (st) {
        broken(job, "%s", err.msg);
    } else {
        memcpy(job->units, scaling.digest, sizeof job->units);
        iris_hyper_settings(h, &job->settings);
    }
    iris_hyper_free(h);
    free(path);
}

/* The index is the manifest's list of arrays, in its order. */
static void
check_index(struct job *job)
{
    const struct iris_attributes *a = &job->attributes;
    const struct iris_manifest *m = &job->manifest;
    size_t r, k, n = a->n < m->n_rows ? a->n : m->n_rows;

    if (a->n != m->n_rows)
        broken(job, "the index has %zu entries, %s has %zu", a->n, IRIS_MANIFEST_FILE, m->n_rows);
    for (r = 0; r < n; r++) {
        struct iris_err err = {0};
        struct iris_entry e;

        if (iris_entry_get(m, r, &e, &err))
            continue; /* said when the entry is checked */
        for (k = 0; k < a->kinds && k < e.n_kinds; k++) {
            if (!e.path[k] || strcmp(a->path[r * a->kinds + k], e.path[k])) {
                broken(job, "entry %zu of the index is '%s', in the manifest it is '%s'", r,
                       a->path[r * a->kinds + k], e.path[k] ? e.path[k] : ".");
                break;
            }
        }
    }
}

static int
compare_ids(const void *a, const void *b)
{
    return strcmp(*(const char *const *)a, *(const char *const *)b);
}

static enum iris_status
check_unique(struct job *job, struct iris_err *err)
{
    const struct iris_manifest *m = &job->manifest;
    const char **id = calloc(m->n_rows + 1, sizeof *id);
    size_t r;

    if (!id)
        return iris_fail_memory(err);
    for (r = 0; r < m->n_rows; r++) {
        id[r] = iris_manifest_get(m, r, "id");
        id[r] = id[r] ? id[r] : "";
    }
    qsort(id, m->n_rows, sizeof *id, compare_ids);
    for (r = 1; r < m->n_rows; r++) {
        if (!strcmp(id[r], id[r - 1]))
            broken(job, "entry '%s' is there twice", id[r]);
    }
    free(id);
    return IRIS_OK;
}

/* Where an array must lie, by its row. */
static void
check_place(struct job *job, const struct iris_entry *e, const char *units)
{
    struct iris_buf path = {0};
    size_t k;

    for (k = 0; k < e->n_kinds; k++) {
        iris_buf_clear(&path);
        iris_entry_path(&path, e->digest, units, e->snapshot, e->point, e->kind[k]);
        if (strcmp(iris_buf_str(&path), e->path[k]))
            broken(job, "entry '%s': its array is '%s', but belongs at '%s'", e->id, e->path[k],
                   iris_buf_str(&path));
    }
    iris_buf_release(&path);
}

static void
check_arrays(struct job *job, const struct iris_entry *e)
{
    struct iris_scan scan[2];
    struct iris_err err = {0};
    size_t k;

    if (iris_verify_row(&job->verifier, e, scan, &err)) {
        broken(job, "entry '%s': %s", e->id, err.msg);
        return;
    }
    for (k = 0; k < e->n_kinds; k++) {
        struct iris_shape x;

        job->c->arrays++;
        iris_kind_shape(e->kind[k], e->type, &job->settings, &x);
        if (*job->units && !iris_shape_equal(&scan[k].shape, &x))
            broken(job, "entry '%s': '%s' has another shape than %s gives", e->id, e->path[k],
                   IRIS_HYPER_FILE);
        if (!e->hash[k])
            broken(job, "entry '%s': '%s' has no hash", e->id, e->path[k]);
        if (scan[k].count > 1 && scan[k].min >= scan[k].max)
            broken(job, "entry '%s': '%s' is constant (%g)", e->id, e->path[k],
                   (double)scan[k].min);
    }
}

static void
check_entry(struct job *job, size_t row)
{
    const char *units = iris_manifest_get(&job->manifest, row, "units");
    struct iris_err err = {0};
    struct iris_entry e;
    int there = 0;

    job->c->entries++;
    if (iris_entry_get(&job->manifest, row, &e, &err)) {
        broken(job, "%s", err.msg);
        return;
    }
    if (e.type != job->attributes.type)
        broken(job, "entry '%s' is of type %s, the data set of type %s", e.id,
               iris_type_name(e.type), iris_type_name(job->attributes.type));
    if (e.state != IRIS_NORMALIZED || !units) {
        broken(job, "entry '%s' is not in IRIS units", e.id);
        return;
    }
    if (*job->units && strcmp(units, job->units))
        broken(job, "entry '%s' is in the units %s, %s has %s", e.id, units, IRIS_HYPER_FILE,
               job->units);
    check_place(job, &e, units);
    if (iris_verifier_settings(&job->verifier, e.digest, &there, &err)) {
        broken(job, "entry '%s': %s", e.id, err.msg);
        return;
    }
    if (!there)
        broken(job,
               "entry '%s': the settings of its digest, 'entries/%s/settings.json', are missing",
               e.id, e.digest);
    check_arrays(job, &e);
}

static enum iris_status
check_entries(struct job *job, struct iris_err *err)
{
    size_t r, n = job->manifest.n_rows;

    for (r = 0; r < n; r++) {
        check_entry(job, r);
        if (job->c->pause && job->c->pause(job->c->self, r + 1, n))
            return iris_fail(err, IRIS_E_RETRY,
                             "stopped by a signal with %zu of %zu entries checked", r + 1, n);
    }
    return IRIS_OK;
}

enum iris_status
iris_check_dataset(struct iris_check *c, const char *root, struct iris_err *err)
{
    struct job job = {.c = c, .root = root, .verifier = {.root = root}};
    struct iris_err why = {0};
    enum iris_status st;
    char *path;

    st = iris_attributes_read(root, &job.attributes, err);
    if (st)
        return st;
    check_hash(&job, IRIS_MANIFEST_FILE, job.attributes.manifest_hash);
    check_hash(&job, IRIS_HYPER_FILE, job.attributes.hyper_hash);
    check_hyper(&job);
    path = iris_path_join(root, IRIS_MANIFEST_FILE);
    if (!path) {
        st = iris_fail_memory(err);
    } else if (iris_manifest_read(path, "entries", &job.manifest, &why)) {
        broken(&job, "%s", why.msg);
    } else {
        check_index(&job);
        st = check_unique(&job, err);
        if (!st)
            st = check_entries(&job, err);
    }
    free(path);
    iris_manifest_release(&job.manifest);
    iris_verifier_release(&job.verifier);
    iris_attributes_release(&job.attributes);
    return st;
}
