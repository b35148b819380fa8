#include "check.h"

#include <stdlib.h>
#include <string.h>

#include "checking.h"
#include "digest.h"
#include "entry.h"
#include "hyper.h"
#include "manifest.h"
#include "publish.h"

/* What is known of a data set directory while it is checked. */
struct job {
    struct checking common;
    const char *root;
    struct iris_attributes attributes;
};

/* A file of the data set has the hash that attributes.json gives it. */
static void
check_hash(struct job *job, const char *name, const char *recorded)
{
    char *path = iris_path_join(job->root, name), hash[IRIS_DIGEST_TEXT];
    struct iris_err err = {0};

    if (path ? iris_digest_file(path, hash, &err) : iris_fail_memory(&err))
        iris_check_why(&job->common, NULL, &err);
    else if (!*recorded)
        iris_check_broken(&job->common, "'%s' has no hash in %s", name, IRIS_ATTRIBUTES_FILE);
    else if (strcmp(hash, recorded))
        iris_check_broken(&job->common,
                          "'%s' is not the file that was published: its hash is %s, not %s", name,
                          hash, recorded);
    free(path);
}

static void
check_hyper(struct job *job)
{
    char *path = iris_path_join(job->root, IRIS_HYPER_FILE);
    struct iris_hyper *h = NULL;
    struct iris_err err = {0};

    if (path ? iris_hyper_read(path, &h, &err) : iris_fail_memory(&err))
        iris_check_why(&job->common, NULL, &err);
    else
        iris_check_hyper(&job->common, h);
    iris_hyper_free(h);
    free(path);
}

/* The index is the manifest's list of arrays, in its order. */
static void
check_index(struct job *job)
{
    const struct iris_attributes *a = &job->attributes;
    const struct iris_manifest *m = &job->common.manifest;
    size_t r, k, n = a->n < m->n_rows ? a->n : m->n_rows;

    if (a->n != m->n_rows)
        iris_check_broken(&job->common, "the index has %zu entries, %s has %zu", a->n,
                          IRIS_MANIFEST_FILE, m->n_rows);
    for (r = 0; r < n; r++) {
        struct iris_err err = {0};
        struct iris_entry e;

        if (iris_entry_get(m, r, &e, &err))
            continue; /* said when the entry is checked */
        for (k = 0; k < a->kinds && k < e.n_kinds; k++) {
            if (!e.path[k] || strcmp(a->path[r * a->kinds + k], e.path[k])) {
                iris_check_broken(&job->common,
                                  "entry %zu of the index is '%s', in the manifest it is '%s'", r,
                                  a->path[r * a->kinds + k], e.path[k] ? e.path[k] : ".");
                break;
            }
        }
    }
}

enum iris_status
iris_check_dataset(struct iris_check *c, const char *root, struct iris_err *err)
{
    struct job job = {
        .root = root,
        .common = {.c = c, .hyper_name = IRIS_HYPER_FILE, .verifier = {.root = root}},
    };
    struct iris_err why = {0};
    enum iris_status st;
    char *path;

    st = iris_attributes_read(root, &job.attributes, err);
    if (st)
        return st;
    job.common.type = job.attributes.type;
    check_hash(&job, IRIS_MANIFEST_FILE, job.attributes.manifest_hash);
    check_hash(&job, IRIS_HYPER_FILE, job.attributes.hyper_hash);
    check_hyper(&job);
    path = iris_path_join(root, IRIS_MANIFEST_FILE);
    if (!path) {
        st = iris_fail_memory(err);
    } else if (iris_manifest_read(path, "entries", &job.common.manifest, &why)) {
        iris_check_why(&job.common, NULL, &why);
    } else {
        check_index(&job);
        st = iris_check_rows(&job.common, err);
    }
    if (!st && job.common.is_out_of_memory)
        st = iris_fail_memory(err);
    free(path);
    iris_manifest_release(&job.common.manifest);
    iris_verifier_release(&job.common.verifier);
    iris_attributes_release(&job.attributes);
    return st;
}
