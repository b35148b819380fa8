#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "aligned.h"
#include "box.h"
#include "check_frame.h"
#include "container.h"
#include "container_file.h"
#include "digest.h"
#include "entry.h"
#include "h5.h"
#include "npy.h"
#include "scan.h"

/* What is known of a container while it is checked. */
struct job {
    struct checking common;
    struct iris_container *container; /* open */
    struct iris_published published;  /* what it says; its manifest is common's */
    hid_t array[IRIS_KINDS];          /* below 0: not there */
    int is_written[IRIS_KINDS];       /* as far as its shape says */
    float *piece;
};

/* ---- what verify reads ---- */

static enum iris_status
give_settings(void *self, const char *digest, struct iris_buf *text, int *there,
              struct iris_err *err)
{
    const struct job *job = self;

    return iris_container_settings(job->container, digest, text, there, err);
}

static enum iris_status
read_values(const struct job *job, hid_t array, const struct iris_entry *e, const char *name,
            struct iris_scanner *scanner, struct iris_err *err)
{
    enum iris_status st = IRIS_OK;
    struct iris_box b;

    iris_box_init(&b, &scanner->scan->shape);
    while (!st && iris_box_next(&b)) {
        if (iris_box_read(&b, array, e->row, job->piece))
            st = iris_h5_fail(err, IRIS_E_IO, "read", name, job->container->path);
        else
            iris_scanner_add(scanner, job->piece, b.n);
    }
    return st;
}

/* The hash is that of an array file of these values. */
static enum iris_status
give_scan(void *self, const struct iris_entry *e, size_t k, const struct iris_shape *wanted,
          struct iris_scan *scan, struct iris_err *err)
{
    const struct job *job = self;
    const char *name = iris_kind_file(e->kind[k]);
    size_t n = job->common.manifest.n_rows;
    hid_t array = job->array[e->kind[k]];
    struct iris_scanner scanner = {.scan = NULL};
    struct iris_buf header = {0};
    struct iris_shape shape;
    enum iris_status st;

    if (array < 0)
        return iris_fail(err, IRIS_E_DATA, "there is no dataset '%s'", name);
    if (iris_container_shape(array, n, &shape))
        return iris_fail(err, IRIS_E_DATA, "dataset '%s' does not have %zu entries of singles",
                         name, n);
    *scan = (struct iris_scan){.shape = shape};
    if (wanted && !iris_shape_equal(&shape, wanted))
        return IRIS_OK;
    if (!job->is_written[e->kind[k]])
        return iris_fail(err, IRIS_E_DATA, "dataset '%s' has less values than its shape says",
                         name);
    st = iris_scanner_begin(&scanner, &shape, e->kind[k] == IRIS_TENSOR ? IRIS_SCAN_TENSOR : 0,
                            scan, err);
    if (!st) {
        iris_npy_header(&shape, &header);
        st = iris_buf_check(&header, err);
    }
    if (!st) {
        iris_digest_add(scanner.hash, header.data, header.len);
        st = read_values(job, array, e, name, &scanner, err);
    }
    iris_scanner_end(&scanner);
    iris_buf_release(&header);
    return st;
}

/* ---- the file ---- */

/* A text has the hash that an attribute gives it, which is kept as it is. */
static void
check_hash(struct job *job, const char *name, const struct iris_buf *text, const char *attribute,
           char kept[IRIS_DIGEST_TEXT])
{
    struct iris_buf recorded = {0};
    char hash[IRIS_DIGEST_TEXT];

    iris_digest_memory(iris_buf_str(text), text->len, hash);
    if (!iris_h5_text(job->container->file, "/", attribute, &recorded))
        iris_check_broken(&job->common, "there is no attribute '%s'", attribute);
    else if (recorded.failed)
        job->common.is_out_of_memory = 1;
    else if (strcmp(hash, iris_buf_str(&recorded)))
        iris_check_broken(&job->common,
                          "'%s' is not the text that was packed: its hash is %s, not %s", name,
                          hash, iris_buf_str(&recorded));
    snprintf(kept, IRIS_DIGEST_TEXT, "%s", iris_buf_str(&recorded));
    iris_buf_release(&recorded);
}

static enum iris_status
read_type(struct job *job, struct iris_err *err)
{
    struct iris_buf type = {0};
    enum iris_status st;
    int found = iris_h5_text(job->container->file, "/", "type", &type);

    st = iris_buf_check(&type, err);
    if (!st && (!found || iris_type_parse(iris_buf_str(&type), &job->common.type, NULL)))
        st = iris_fail(err, IRIS_E_DATA, "'%s' does not say which type of data set it is",
                       job->container->path);
    iris_buf_release(&type);
    return st;
}

static void
check_hyper(struct job *job)
{
    struct iris_published *p = &job->published;
    struct iris_err err = {0};

    if (iris_container_hyper(job->container, &p->hyper_text, &err)) {
        if (!err.is_memory)
            iris_fail(&err, IRIS_E_DATA, "there is no attribute 'hyper_json'");
        iris_check_why(&job->common, NULL, &err);
        return;
    }
    check_hash(job, "hyper_json", &p->hyper_text, "hyper_json_xxh128", p->attributes.hyper_hash);
    if (iris_hyper_parse(iris_buf_str(&p->hyper_text), p->hyper_text.len, "hyper_json", NULL,
                         &p->hyper, &err))
        iris_check_why(&job->common, NULL, &err);
    else
        iris_check_hyper(&job->common, p->hyper);
}

/* Without a manifest there are no entries to check. */
static int
check_manifest(struct job *job)
{
    struct iris_buf *text = &job->published.manifest_text;
    struct iris_err err = {0};

    if (iris_container_manifest(job->container, text, &err)) {
        if (!err.is_memory)
            iris_fail(&err, IRIS_E_DATA, "there is no dataset 'manifest'");
        iris_check_why(&job->common, NULL, &err);
        return 1;
    }
    check_hash(job, "manifest", text, "manifest_xxh128", job->published.attributes.manifest_hash);
    if (!iris_manifest_parse(iris_buf_str(text), text->len, "manifest", "entries",
                             &job->common.manifest, &err))
        return 0;
    iris_check_why(&job->common, NULL, &err);
    return 1;
}

/* Where the settings are of use. */
static enum iris_status
check_frame(struct job *job, struct iris_err *err)
{
    struct iris_published *p = &job->published;
    enum iris_status st;

    if (!*job->common.units)
        return IRIS_OK;
    p->attributes.type = job->common.type;
    st = iris_published_settle(p, err);
    p->manifest = job->common.manifest;
    if (!st)
        st = iris_check_frame(&job->common, job->container, p, err);
    p->manifest = (struct iris_manifest){0};
    return st;
}

/* Of an array that was never written HDF5 gives as many zeros as it says. */
static int
is_written(hid_t array, const struct iris_shape *shape, size_t n)
{
    hid_t how = H5Dget_create_plist(array);
    hsize_t bytes = H5Dget_storage_size(array);
    int packed = H5Pget_nfilters(how) > 0;
    size_t count;

    H5Pclose(how);
    if (iris_shape_count(shape, &count, NULL))
        return 0;
    return packed ? bytes > 0 : bytes / sizeof(float) / n >= count;
}

static void
open_array(struct job *job, enum iris_kind kind)
{
    size_t n = job->common.manifest.n_rows;
    struct iris_shape shape;

    if (!iris_h5_has(job->container->file, iris_kind_file(kind)))
        return;
    job->array[kind] = iris_container_dataset(job->container, kind);
    if (job->array[kind] >= 0 && n && !iris_container_shape(job->array[kind], n, &shape))
        job->is_written[kind] = is_written(job->array[kind], &shape, n);
}

static enum iris_status
check_all(struct job *job, struct iris_err *err)
{
    enum iris_status st;
    size_t k;

    check_hyper(job);
    if (check_manifest(job))
        return IRIS_OK;
    st = check_frame(job, err);
    for (k = 0; k < IRIS_KINDS && !st; k++)
        open_array(job, (enum iris_kind)k);
    return st ? st : iris_check_rows(&job->common, err);
}

enum iris_status
iris_check_container(struct iris_check *c, const char *path, struct iris_err *err)
{
    struct job job = {.array = {-1, -1, -1}};
    const struct iris_verify_from from = {give_settings, give_scan, &job};
    enum iris_status st;
    size_t k;

    job.common = (struct checking){.c = c, .hyper_name = "hyper_json", .verifier = {.from = &from}};
    job.piece = iris_aligned(IRIS_BOX_MOST * sizeof *job.piece);
    st = job.piece ? iris_container_open(path, &job.container, err) : iris_fail_memory(err);
    if (!st)
        st = read_type(&job, err);
    if (!st)
        st = check_all(&job, err);
    if (!st && job.common.is_out_of_memory)
        st = iris_fail_memory(err);
    for (k = 0; k < IRIS_KINDS; k++) {
        if (job.array[k] >= 0)
            H5Dclose(job.array[k]);
    }
    iris_container_close(job.container);
    free(job.piece);
    iris_published_release(&job.published);
    iris_manifest_release(&job.common.manifest);
    iris_verifier_release(&job.common.verifier);
    return st;
}
