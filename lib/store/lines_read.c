#include "lines_file.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "h5.h"
#include "h5put.h"

/* Axes are functions of the settings: what differs by more than the last digits
 * of another machine's mathematical functions is damage. */
#define AXIS_TOLERANCE 1e-12

/* One file being read. */
struct reader {
    const struct iris_hyper *h;
    const char *path;
    hid_t file;
    struct iris_h5_watch watch;
};

static enum iris_status
open_file(struct reader *r, struct iris_err *err)
{
    struct stat sb;

    r->file = -1;
    if (access(r->path, R_OK) || stat(r->path, &sb))
        return iris_fail(err, IRIS_E_IO, "cannot open '%s':", r->path);
    if (S_ISDIR(sb.st_mode))
        return iris_fail(err, IRIS_E_IO, "cannot read '%s': it is a directory", r->path);
    iris_h5_begin(); /* a program may write after it has read */
    iris_h5_watch(&r->watch);
    r->file = iris_h5_open(r->path);
    if (r->file < 0)
        return iris_h5_fail(err, IRIS_E_DATA, "read as HDF5", NULL, r->path);
    return IRIS_OK;
}

/* ---- what the tables were made from ---- */

static enum iris_status
need_text(const struct reader *r, const char *object, const char *name, struct iris_buf *text,
          struct iris_err *err)
{
    iris_buf_clear(text);
    if (!iris_h5_text(r->file, object, name, text))
        return iris_fail(err, IRIS_E_DATA, "'%s': '%s' has no text attribute '%s'", r->path, object,
                         name);
    return iris_buf_check(text, err);
}

static enum iris_status
check_format(const struct reader *r, const struct iris_lines *l, struct iris_err *err)
{
    double version = 0, lines = 0, complete = 0;
    struct iris_buf format = {0};
    enum iris_status st;
    int ours;

    ours = iris_h5_text(r->file, "/", "format", &format) &&
           !strcmp(iris_buf_str(&format), IRIS_LINES_FORMAT);
    st = iris_buf_check(&format, err);
    iris_buf_release(&format);
    if (st)
        return st;
    if (!ours)
        return iris_fail(err, IRIS_E_DATA,
                         "'%s' holds no line tables: its attribute 'format' is not \"%s\"", r->path,
                         IRIS_LINES_FORMAT);
    iris_h5_attribute(r->file, "/", "version", &version);
    if (version != IRIS_LINES_VERSION)
        return iris_fail(err, IRIS_E_DATA, "'%s' has version %g of its format, known is %d",
                         r->path, version, IRIS_LINES_VERSION);
    if (!iris_h5_attribute(r->file, "/", "complete", &complete) || complete != 1)
        return iris_fail(err, IRIS_E_DATA, "'%s' is not complete", r->path);
    iris_h5_attribute(r->file, "/", "lines", &lines);
    if (lines != (double)l->n)
        return iris_fail(err, IRIS_E_DATA, "'%s' was made for %g lines, the settings have %zu",
                         r->path, lines, l->n);
    return IRIS_OK;
}

static enum iris_status
check_settings(const struct reader *r, size_t i, const char *object, struct iris_err *err)
{
    struct iris_buf theirs = {0}, ours = {0};
    enum iris_status st = IRIS_OK;
    size_t k;

    for (k = 0; k < iris_table_key_count && !st; k++) {
        const char *key = iris_table_keys[k];

        iris_buf_clear(&ours);
        st = need_text(r, object, key, &theirs, err);
        if (!st)
            st = iris_hyper_table_value(r->h, key, i, &ours, err);
        if (!st && strcmp(iris_buf_str(&theirs), iris_buf_str(&ours)))
            st = iris_fail(err, IRIS_E_DATA,
                           "the table of line %zu in '%s' was made with %s %s, the settings have "
                           "%s",
                           i, r->path, key, iris_buf_str(&theirs), iris_buf_str(&ours));
    }
    iris_buf_release(&theirs);
    iris_buf_release(&ours);
    return st;
}

static enum iris_status
check_origin(const struct reader *r, const struct iris_lines_item *item, size_t i,
             struct iris_err *err)
{
    char *line = iris_format("line%zu", i), *settings = iris_format("line%zu/settings", i);
    struct iris_buf content = {0};
    enum iris_status st;

    st = line && settings ? check_settings(r, i, settings, err) : iris_fail_memory(err);
    if (!st)
        st = need_text(r, line, "content", &content, err);
    if (!st && strcmp(iris_buf_str(&content), item->content))
        st = iris_fail(err, IRIS_E_DATA,
                       "the table of line %zu in '%s' was made from another molecular file than "
                       "'%s'",
                       i, r->path, item->settings.chem_path);
    iris_buf_release(&content);
    free(line);
    free(settings);
    return st;
}

/* ---- values ---- */

/* Read a dataset of exactly this shape. */
static enum iris_status
read_array(const struct reader *r, const char *name, int rank, const hsize_t *size, double *value,
           struct iris_err *err)
{
    hid_t dataset = H5Dopen2(r->file, name, H5P_DEFAULT), space = -1, type = -1;
    enum iris_status st = IRIS_OK;
    hsize_t there[4] = {0};

    if (dataset < 0)
        return iris_h5_fail(err, IRIS_E_DATA, "open", name, r->path);
    space = H5Dget_space(dataset);
    type = H5Dget_type(dataset);
    if (iris_h5_is_elsewhere(dataset) || H5Tget_class(type) != H5T_FLOAT ||
        H5Sget_simple_extent_ndims(space) != rank ||
        H5Sget_simple_extent_dims(space, there, NULL) != rank ||
        memcmp(there, size, (size_t)rank * sizeof *size) != 0)
        st = iris_fail(err, IRIS_E_DATA,
                       "'%s': dataset '%s' does not hold floats of the shape that the settings say",
                       r->path, name);
    else if (H5Dread(dataset, H5T_NATIVE_DOUBLE, H5S_ALL, H5S_ALL, H5P_DEFAULT, value) < 0)
        st = iris_h5_fail(err, IRIS_E_DATA, "read", name, r->path);
    H5Tclose(type);
    H5Sclose(space);
    H5Dclose(dataset);
    return st;
}

static enum iris_status
check_axis(const struct reader *r, const struct iris_lines_item *item, size_t i, int axis,
           struct iris_err *err)
{
    hsize_t n = iris_lines_axis(item, axis, NULL), k;
    char *name = iris_format("line%zu/%s", i, iris_lines_axis_names[axis]);
    double *ours = malloc((size_t)n * sizeof *ours), *theirs = malloc((size_t)n * sizeof *theirs);
    enum iris_status st;

    st = name && ours && theirs ? read_array(r, name, 1, &n, theirs, err) : iris_fail_memory(err);
    if (!st)
        iris_lines_axis(item, axis, ours);
    for (k = 0; !st && k < n; k++) {
        if (!(fabs(theirs[k] - ours[k]) <= AXIS_TOLERANCE * fabs(ours[k])))
            st = iris_fail(err, IRIS_E_DATA,
                           "'%s': dataset '%s' has %.17g at %llu, the settings say %.17g", r->path,
                           name, theirs[k], (unsigned long long)k, ours[k]);
    }
    free(name);
    free(ours);
    free(theirs);
    return st;
}

static enum iris_status
check_values(const struct reader *r, const char *name, const struct iris_line_table *t,
             struct iris_err *err)
{
    size_t n = iris_line_table_size(t), i;
    char content[IRIS_DIGEST_TEXT];
    struct iris_buf stored = {0};
    enum iris_status st;

    iris_digest_memory(t->node, n * sizeof *t->node, content);
    st = need_text(r, name, "content", &stored, err);
    if (!st && strcmp(iris_buf_str(&stored), content))
        st = iris_fail(err, IRIS_E_DATA,
                       "'%s': dataset '%s' is damaged: its values have not the hash that is "
                       "stored with them",
                       r->path, name);
    for (i = 0; i < n && !st; i++) {
        if (!isfinite(t->node[i]))
            st = iris_fail(err, IRIS_E_DATA, "'%s': dataset '%s' has a value that is not finite",
                           r->path, name);
    }
    iris_buf_release(&stored);
    return st;
}

static enum iris_status
read_values(const struct reader *r, struct iris_lines_item *item, size_t i, struct iris_err *err)
{
    const struct iris_line_table *t = &item->table;
    hsize_t size[4] = {t->n_N, t->n_x, t->n_T, IRIS_NODE};
    char *name = iris_format("line%zu/node", i);
    enum iris_status st = name ? IRIS_OK : iris_fail_memory(err);
    int axis;

    for (axis = 0; axis < IRIS_LINES_AXES && !st; axis++)
        st = check_axis(r, item, i, axis, err);
    if (!st)
        st = read_array(r, name, 4, size, t->node, err);
    if (!st)
        st = check_values(r, name, t, err);
    free(name);
    return st;
}

/* Open a file that was made from what l was. */
static enum iris_status
open_verified(struct reader *r, const struct iris_lines *l, struct iris_err *err)
{
    enum iris_status st;
    size_t i;

    st = open_file(r, err);
    if (!st)
        st = check_format(r, l, err);
    for (i = 0; i < l->n && !st; i++)
        st = check_origin(r, &l->line[i], i, err);
    return st;
}

/* What could not be read has been taken for missing. */
static enum iris_status
close_file(struct reader *r, enum iris_status st, struct iris_err *err)
{
    iris_h5_quiet(); /* nothing watches from now on */
    if (r->file >= 0)
        H5Fclose(r->file);
    return iris_h5_watched(&r->watch, r->path, st, err);
}

enum iris_status
iris_lines_verify(const struct iris_lines *l, const struct iris_hyper *h, const char *path,
                  struct iris_err *err)
{
    struct reader r = {.h = h, .path = path};
    enum iris_status st = open_verified(&r, l, err);

    return close_file(&r, st, err);
}

enum iris_status
iris_lines_read(struct iris_lines *l, const struct iris_hyper *h, const char *path,
                struct iris_err *err)
{
    struct reader r = {.h = h, .path = path};
    enum iris_status st;
    size_t i;

    st = open_verified(&r, l, err);
    if (!st)
        st = iris_lines_allocate(l, err);
    for (i = 0; i < l->n && !st; i++)
        st = read_values(&r, &l->line[i], i, err);
    return close_file(&r, st, err);
}
