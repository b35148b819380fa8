#include "container_read.h"

#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "box.h"
#include "container.h"
#include "container_file.h"
#include "h5.h"

enum { CHUNK_MOST = 1 << 30 }; /* bytes of one that is kept */

void
iris_container_close(struct iris_container *c)
{
    if (!c)
        return;
    iris_h5_quiet(); /* nothing watches from now on */
    if (c->file >= 0)
        H5Fclose(c->file);
    free(c->path);
    free(c);
}

/* What seems not to be there may be what could not be read. */
static enum iris_status
lacks(const struct iris_container *c, enum iris_status st, struct iris_err *err)
{
    return st == IRIS_E_DATA ? iris_h5_watched(&c->watch, c->path, st, err) : st;
}

static enum iris_status
check_file(const struct iris_container *c, struct iris_err *err)
{
    double version = 0, complete = 0;
    struct iris_buf text = {0};
    int ours = iris_h5_text(c->file, "/", "format", &text) &&
               !strcmp(iris_buf_str(&text), IRIS_CONTAINER_FORMAT);
    enum iris_status st = iris_buf_check(&text, err);

    iris_buf_release(&text);
    if (st)
        return st;
    if (!ours)
        return iris_fail(err, IRIS_E_DATA,
                         "'%s' holds no data set: its attribute 'format' is not \"%s\"", c->path,
                         IRIS_CONTAINER_FORMAT);
    iris_h5_attribute(c->file, "/", "format_version", &version);
    if (!(version >= IRIS_CONTAINER_VERSION && version <= IRIS_CONTAINER_VERSION))
        return iris_fail(err, IRIS_E_DATA, "'%s' has version %g of its format, known is %d",
                         c->path, version, IRIS_CONTAINER_VERSION);
    iris_h5_attribute(c->file, "/", "complete", &complete);
    if (!(complete >= 1 && complete <= 1))
        return iris_fail(err, IRIS_E_DATA, "'%s' is not complete", c->path);
    return IRIS_OK;
}

enum iris_status
iris_container_open(const char *path, struct iris_container **opened, struct iris_err *err)
{
    struct iris_container *c = malloc(sizeof *c);
    enum iris_status st = IRIS_OK;

    *opened = NULL;
    if (c)
        *c = (struct iris_container){.path = strdup(path), .file = -1};
    if (c)
        iris_h5_watch(&c->watch);
    if (!c || !c->path)
        st = iris_fail_memory(err);
    else if (access(path, R_OK))
        st = iris_fail(err, IRIS_E_IO, "cannot open '%s':", path);
    else if ((c->file = iris_h5_open(path)) < 0)
        st = iris_h5_fail(err, IRIS_E_DATA, "read as HDF5", NULL, path);
    else
        st = lacks(c, check_file(c, err), err);
    if (st)
        iris_container_close(c);
    else
        *opened = c;
    return st;
}

enum iris_status
iris_container_manifest(const struct iris_container *c, struct iris_buf *text, struct iris_err *err)
{
    if (!iris_h5_text_dataset(c->file, "manifest", text))
        return lacks(c, iris_fail(err, IRIS_E_DATA, "'%s' has no dataset 'manifest'", c->path),
                     err);
    return iris_buf_check(text, err);
}

enum iris_status
iris_container_hyper(const struct iris_container *c, struct iris_buf *text, struct iris_err *err)
{
    if (!iris_h5_text(c->file, "/", "hyper_json", text))
        return lacks(c, iris_fail(err, IRIS_E_DATA, "'%s' has no attribute 'hyper_json'", c->path),
                     err);
    return iris_buf_check(text, err);
}

enum iris_status
iris_container_settings(const struct iris_container *c, const char *digest, struct iris_buf *text,
                        int *there, struct iris_err *err)
{
    char *name = iris_format("settings/%s", digest);

    if (!name)
        return iris_fail_memory(err);
    *there = iris_h5_text_dataset(c->file, name, text);
    free(name);
    return iris_buf_check(text, err);
}

/* ---- arrays ---- */

/* Values come straight from the file into our memory; of an array that somebody has
 * compressed a chunk is kept while it is read in pieces. */
hid_t
iris_container_dataset(const struct iris_container *c, enum iris_kind kind)
{
    hid_t access = H5Pcreate(H5P_DATASET_ACCESS), array, how;
    const char *name = iris_kind_file(kind);
    hsize_t chunk[H5S_MAX_RANK];
    size_t bytes = 0;
    int rank, d;

    H5Pset_chunk_cache(access, 0, 0, 0);
    array = H5Dopen2(c->file, name, access);
    how = array < 0 ? -1 : H5Dget_create_plist(array);
    if (how >= 0 && H5Pget_nfilters(how) > 0) {
        rank = H5Pget_chunk(how, H5S_MAX_RANK, chunk);
        bytes = sizeof(float);
        for (d = 0; d < rank; d++)
            bytes = chunk[d] && chunk[d] < CHUNK_MOST / bytes ? bytes * (size_t)chunk[d]
                                                              : CHUNK_MOST;
        H5Dclose(array);
        H5Pset_chunk_cache(access, 1, bytes, 1);
        array = H5Dopen2(c->file, name, access);
    }
    if (how >= 0)
        H5Pclose(how);
    H5Pclose(access);
    return array;
}

int
iris_container_shape(hid_t dataset, size_t n, struct iris_shape *shape)
{
    hid_t space = H5Dget_space(dataset), type = H5Dget_type(dataset);
    hsize_t size[H5S_MAX_RANK] = {0};
    int rank = H5Sget_simple_extent_dims(space, size, NULL), d;
    int bad = rank < 2 || rank > IRIS_NPY_DIMS || size[0] != n || H5Tget_class(type) != H5T_FLOAT ||
              H5Tget_size(type) != sizeof(float) || iris_h5_is_elsewhere(dataset);

    shape->n = bad ? 0 : (size_t)rank - 1;
    for (d = 1; d < rank && !bad; d++) {
        shape->dim[d - 1] = (size_t)size[d];
        bad = !size[d];
    }
    H5Tclose(type);
    H5Sclose(space);
    return bad;
}

/* Where the values of an array are. */
struct source {
    struct iris_npy_source base;
    hid_t dataset;
    size_t entry;
    struct iris_shape shape;
    const char *name; /* of the array, which owns it */
};

/* The largest piece that is a box and begins an arbitrary range: whole ones of all
 * dimensions after the cut. */
static void
first_box(const struct iris_shape *shape, size_t first, size_t n, struct iris_box *b)
{
    size_t left;

    *b = (struct iris_box){.entry = *shape, .inner = 1, .cut = shape->n - 1, .first = first};
    while (b->cut > 0 && !(first % (b->inner * shape->dim[b->cut])) &&
           n >= b->inner * shape->dim[b->cut])
        b->inner *= shape->dim[b->cut--];
    left = shape->dim[b->cut] - first / b->inner % shape->dim[b->cut];
    b->n = (n / b->inner < left ? n / b->inner : left) * b->inner;
}

static enum iris_status
read_values(const struct iris_npy_source *base, size_t first, size_t n, float *out,
            struct iris_err *err)
{
    const struct source *s = (const struct source *)base;
    enum iris_status st = IRIS_OK;
    struct iris_box b;

    for (; n && !st; first += b.n, n -= b.n, out += b.n) {
        first_box(&s->shape, first, n, &b);
        if (iris_box_read(&b, s->dataset, s->entry, out))
            st = iris_h5_fail(err, IRIS_E_IO, "read", NULL, s->name);
    }
    return st;
}

static void
end(struct iris_npy_source *base)
{
    struct source *s = (struct source *)base;

    H5Dclose(s->dataset);
    free(s);
}

enum iris_status
iris_container_array(const struct iris_container *c, enum iris_kind kind, size_t i, size_t n,
                     const char *name, struct iris_npy *a, struct iris_err *err)
{
    struct source *s = malloc(sizeof *s);
    enum iris_status st = IRIS_OK;

    *a = (struct iris_npy){.fd = -1, .item = sizeof(float)};
    a->path = iris_format("%s: %s", c->path, name);
    if (!s || !a->path) {
        free(s);
        iris_npy_close(a);
        return iris_fail_memory(err);
    }
    *s = (struct source){.base = {read_values, end}, .entry = i, .name = a->path};
    s->dataset = iris_container_dataset(c, kind);
    if (s->dataset < 0) {
        st = iris_fail(err, IRIS_E_DATA, "'%s' has no dataset '%s'", c->path, iris_kind_file(kind));
        free(s);
        iris_npy_close(a);
        return st;
    }
    a->source = &s->base;
    if (i >= n || iris_container_shape(s->dataset, n, &s->shape))
        st = iris_fail(err, IRIS_E_DATA, "'%s': dataset '%s' does not have %zu entries of singles",
                       c->path, iris_kind_file(kind), n);
    a->shape = s->shape;
    if (!st)
        st = iris_shape_count(&a->shape, &a->count, err);
    if (st)
        iris_npy_close(a);
    return st;
}
