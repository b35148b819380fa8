#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "aligned.h"
#include "box.h"
#include "checking.h"
#include "container.h"
#include "container_file.h"
#include "digest.h"
#include "entry.h"
#include "h5.h"
#include "npy.h"
#include "num.h"
#include "scan.h"
#include "split.h"

/* What is known of a container while it is checked. */
struct job {
    struct checking common;
    struct iris_container *container; /* open */
    hid_t array[IRIS_KINDS];          /* below 0: not there */
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
read_box(const struct job *job, hid_t array, size_t entry, const struct iris_box *b,
         const char *name, struct iris_err *err)
{
    enum iris_status st = IRIS_OK;
    hid_t memory, file;

    if (iris_box_select(b, array, entry, &memory, &file) ||
        H5Dread(array, H5T_NATIVE_FLOAT, memory, file, H5P_DEFAULT, job->piece) < 0)
        st = iris_h5_fail(err, IRIS_E_IO, "read", name, job->container->path);
    if (memory >= 0)
        H5Sclose(memory);
    if (file >= 0)
        H5Sclose(file);
    return st;
}

/* The hash is that of an array file of these values. */
static enum iris_status
give_scan(void *self, const struct iris_entry *e, size_t k, struct iris_scan *scan,
          struct iris_err *err)
{
    const struct job *job = self;
    const char *name = iris_kind_file(e->kind[k]);
    hid_t array = job->array[e->kind[k]];
    struct iris_scanner scanner = {.scan = NULL};
    struct iris_buf header = {0};
    struct iris_shape shape;
    enum iris_status st;
    struct iris_box b;

    if (array < 0)
        return iris_fail(err, IRIS_E_DATA, "there is no dataset '%s'", name);
    if (iris_container_shape(array, job->common.manifest.n_rows, &shape))
        return iris_fail(err, IRIS_E_DATA, "dataset '%s' does not have %zu entries of singles",
                         name, job->common.manifest.n_rows);
    st = iris_scanner_begin(&scanner, &shape, e->kind[k] == IRIS_TENSOR ? IRIS_SCAN_TENSOR : 0,
                            scan, err);
    if (!st) {
        iris_npy_header(&shape, &header);
        st = iris_buf_check(&header, err);
    }
    if (!st)
        iris_digest_add(scanner.hash, header.data, header.len);
    iris_box_init(&b, &shape);
    while (!st && iris_box_next(&b)) {
        st = read_box(job, array, e->row, &b, name, err);
        if (!st)
            iris_scanner_add(&scanner, job->piece, b.n);
    }
    iris_scanner_end(&scanner);
    iris_buf_release(&header);
    return st;
}

/* ---- columns ---- */

/* A dataset of n values in a row as doubles, or as texts of len bytes each.
 *
 *   return  NULL where it is none
 *   owns    the caller, with free()
 */
static void *
read_column(const struct job *job, const char *name, size_t n, size_t *len)
{
    hid_t dataset = iris_h5_has(job->container->file, name)
                        ? H5Dopen2(job->container->file, name, H5P_DEFAULT)
                        : -1;
    hid_t type = dataset < 0 ? -1 : H5Dget_type(dataset), space;
    void *value = NULL;
    hsize_t size = 0;
    int is_text;

    if (type < 0)
        return NULL;
    space = H5Dget_space(dataset);
    is_text = H5Tget_class(type) == H5T_STRING && !H5Tis_variable_str(type);
    *len = is_text ? H5Tget_size(type) : 0;
    if (H5Sget_simple_extent_ndims(space) == 1 && H5Sget_simple_extent_dims(space, &size, NULL) &&
        size == n && (is_text || H5Tget_class(type) <= H5T_FLOAT))
        value = calloc(n + 1, is_text ? *len : sizeof(double));
    if (value && H5Dread(dataset, is_text ? type : H5T_NATIVE_DOUBLE, H5S_ALL, H5S_ALL, H5P_DEFAULT,
                         value) < 0) {
        free(value);
        value = NULL;
    }
    H5Sclose(space);
    H5Tclose(type);
    H5Dclose(dataset);
    return value;
}

static int
is_same(const char *field, const void *column, size_t len, size_t r)
{
    const double *number = column;
    const char *text = (const char *)column + r * len;
    double wanted = (double)NAN;

    if (len)
        return field ? strlen(field) <= len && !strncmp(field, text, len) : !*text;
    if (field && iris_parse_f64(field, &wanted))
        return 0;
    return isnan(wanted) ? isnan(number[r]) : wanted >= number[r] && wanted <= number[r];
}

static void
check_column(struct job *job, size_t c)
{
    const struct iris_manifest *m = &job->common.manifest;
    const char *long_name, *name = iris_container_column(m->column[c].name, &long_name);
    char *path;
    size_t r, len;
    void *column;

    if (!name)
        return;
    path = iris_format("%s%s", long_name ? "" : "columns/", name);
    column = path ? read_column(job, path, m->n_rows, &len) : NULL;
    if (!column)
        iris_check_broken(&job->common, "there is no dataset '%s' of %zu values",
                          path ? path : name, m->n_rows);
    for (r = 0; r < m->n_rows && column; r++) {
        if (!is_same(m->row[r][c], column, len, r)) {
            iris_check_broken(&job->common, "'%s' of entry %zu is not that of the manifest, '%s'",
                              path, r, m->row[r][c] ? m->row[r][c] : ".");
            break;
        }
    }
    free(column);
    free(path);
}

static void
check_split(struct job *job, const char *name, const char *column)
{
    const struct iris_manifest *m = &job->common.manifest;
    unsigned char *part = malloc(m->n_rows + 1);
    struct iris_err err = {0};
    double *found;
    size_t r, len = 0;

    if (!part || iris_split_rows(m, column, job->common.settings.training.validation_fraction,
                                 job->common.settings.suite.seed, part, &err)) {
        free(part);
        return;
    }
    found = read_column(job, name, m->n_rows, &len);
    if (!found || len)
        iris_check_broken(&job->common, "there is no dataset '%s' of %zu numbers", name, m->n_rows);
    for (r = 0; r < m->n_rows && found && !len; r++) {
        if (!(found[r] >= part[r] && found[r] <= part[r])) {
            iris_check_broken(&job->common, "'%s' of entry %zu is %g, drawn is %d", name, r,
                              found[r], part[r]);
            break;
        }
    }
    free(found);
    free(part);
}

/* ---- the file ---- */

/* What has no meaning without it. */
/* A text has the hash that an attribute gives it. */
static void
check_hash(struct job *job, const char *name, const struct iris_buf *text, const char *attribute)
{
    struct iris_buf recorded = {0};
    char hash[IRIS_DIGEST_TEXT];

    iris_digest_memory(iris_buf_str(text), text->len, hash);
    if (!iris_h5_text(job->container->file, "/", attribute, &recorded))
        iris_check_broken(&job->common, "there is no attribute '%s'", attribute);
    else if (strcmp(hash, iris_buf_str(&recorded)))
        iris_check_broken(&job->common,
                          "'%s' is not the text that was packed: its hash is %s, not %s", name,
                          hash, iris_buf_str(&recorded));
    iris_buf_release(&recorded);
}

static enum iris_status
read_type(struct job *job, struct iris_err *err)
{
    struct iris_buf type = {0};
    enum iris_status st = IRIS_OK;

    if (!iris_h5_text(job->container->file, "/", "type", &type) ||
        iris_type_parse(iris_buf_str(&type), &job->common.type, NULL))
        st = iris_fail(err, IRIS_E_DATA, "'%s' does not say which type of data set it is",
                       job->container->path);
    iris_buf_release(&type);
    return st;
}

static void
check_hyper(struct job *job)
{
    struct iris_buf text = {0};
    struct iris_hyper *h = NULL;
    struct iris_err err = {0};

    if (!iris_h5_text(job->container->file, "/", "hyper_json", &text)) {
        iris_check_broken(&job->common, "there is no attribute 'hyper_json'");
        return;
    }
    check_hash(job, "hyper_json", &text, "hyper_json_xxh128");
    if (iris_hyper_parse(iris_buf_str(&text), text.len, "hyper_json", NULL, &h, &err))
        iris_check_broken(&job->common, "%s", err.msg);
    else
        iris_check_hyper(&job->common, h);
    iris_hyper_free(h);
    iris_buf_release(&text);
}

/* Without a manifest there are no entries to check. */
static int
check_manifest(struct job *job)
{
    struct iris_manifest *m = &job->common.manifest;
    struct iris_buf text = {0};
    struct iris_err err = {0};
    double n = -1;
    int bad = 1;

    if (!iris_h5_text_dataset(job->container->file, "manifest", &text)) {
        iris_check_broken(&job->common, "there is no dataset 'manifest'");
        return 1;
    }
    check_hash(job, "manifest", &text, "manifest_xxh128");
    if (iris_manifest_parse(iris_buf_str(&text), text.len, "manifest", "entries", m, &err)) {
        iris_check_broken(&job->common, "%s", err.msg);
    } else {
        iris_h5_attribute(job->container->file, "/", "cardinality", &n);
        if (!(n >= (double)m->n_rows && n <= (double)m->n_rows))
            iris_check_broken(&job->common, "the cardinality is %g, the manifest has %zu entries",
                              n, m->n_rows);
        bad = 0;
    }
    iris_buf_release(&text);
    return bad;
}

static enum iris_status
check_all(struct job *job, struct iris_err *err)
{
    size_t c, k;

    check_hyper(job);
    if (check_manifest(job))
        return IRIS_OK;
    for (c = 0; c < job->common.manifest.n_columns; c++)
        check_column(job, c);
    if (*job->common.units) {
        check_split(job, "split/entry", "id");
        check_split(job, "split/snapshot", "snapshot");
    }
    for (k = 0; k < IRIS_KINDS; k++) {
        if (iris_h5_has(job->container->file, iris_kind_file((enum iris_kind)k)))
            job->array[k] = iris_container_dataset(job->container, (enum iris_kind)k);
    }
    return iris_check_rows(&job->common, err);
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
    for (k = 0; k < IRIS_KINDS; k++) {
        if (job.array[k] >= 0)
            H5Dclose(job.array[k]);
    }
    iris_container_close(job.container);
    free(job.piece);
    iris_manifest_release(&job.common.manifest);
    iris_verifier_release(&job.common.verifier);
    return st;
}
