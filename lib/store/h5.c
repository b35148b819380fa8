#include "h5.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "file.h"

enum { REASON = 512 };

void
iris_h5_quiet(void)
{
    H5Eset_auto2(H5E_DEFAULT, NULL, NULL);
}

/* Where HDF5 reports a system call at length, the system's words are enough. */
static char *
plain_reason(char *reason)
{
    static const char mark[] = "error message = '";
    char *start = strstr(reason, mark);

    start = start ? start + strlen(mark) : reason;
    start[strcspn(start, start == reason ? "\n" : "'")] = '\0';
    return start;
}

static herr_t
note_read(unsigned depth, const H5E_error2_t *error, void *self)
{
    struct iris_h5_watch *w = self;
    char text[REASON];

    if (depth || w->has_failed || error->maj_num != H5E_IO || error->min_num != H5E_READERROR)
        return 0;
    w->has_failed = 1;
    snprintf(text, sizeof text, "%s", error->desc ? error->desc : "unknown reason");
    snprintf(w->reason, sizeof w->reason, "%.*s", (int)sizeof w->reason - 1, plain_reason(text));
    return 0;
}

static herr_t
look_at_error(hid_t stack, void *self)
{
    return H5Ewalk2(stack, H5E_WALK_UPWARD, note_read, self);
}

void
iris_h5_watch(struct iris_h5_watch *w)
{
    *w = (struct iris_h5_watch){0};
    H5Eset_auto2(H5E_DEFAULT, look_at_error, w);
}

enum iris_status
iris_h5_watched(const struct iris_h5_watch *w, const char *file, enum iris_status st,
                struct iris_err *err)
{
    if (!w->has_failed)
        return st;
    return iris_fail(err, IRIS_E_IO, "cannot read '%s': %s", file, w->reason);
}

hid_t
iris_h5_open(const char *path)
{
    hid_t access = H5Pcreate(H5P_FILE_ACCESS), file, reason;

    H5Pset_file_locking(access, 0, 1);
    file = H5Fopen(path, H5F_ACC_RDONLY, access);
    reason = H5Eget_current_stack(); /* which closing the list would forget */
    H5Pclose(access);
    H5Eset_current_stack(reason);
    return file;
}

/* Upwards is from the innermost call outwards: the first one is the reason. */
static herr_t
keep_reason(unsigned depth, const H5E_error2_t *error, void *text)
{
    if (depth == 0 && error->desc)
        snprintf(text, REASON, "%s", error->desc);
    return 0;
}

enum iris_status
iris_h5_fail(struct iris_err *err, enum iris_status status, const char *verb, const char *object,
             const char *file)
{
    char reason[REASON] = "unknown reason", *start;

    H5Ewalk2(H5E_DEFAULT, H5E_WALK_UPWARD, keep_reason, reason);
    start = plain_reason(reason);
    if (start != reason) /* the system's, which says nothing of the file */
        status = IRIS_E_IO;
    if (object)
        return iris_fail(err, status, "cannot %s '%s' in '%s': %s", verb, object, file, start);
    return iris_fail(err, status, "cannot %s '%s': %s", verb, file, start);
}

int
iris_h5_has(hid_t file, const char *object)
{
    char path[256], *slash;

    /* H5Lexists needs every step on the way to exist */
    snprintf(path, sizeof path, "%s", object);
    for (slash = strchr(path + (path[0] == '/'), '/'); slash; slash = strchr(slash + 1, '/')) {
        *slash = '\0';
        if (H5Lexists(file, path, H5P_DEFAULT) <= 0)
            return 0;
        *slash = '/';
    }
    return H5Lexists(file, object, H5P_DEFAULT) > 0;
}

int
iris_h5_has_attribute(hid_t file, const char *object, const char *name)
{
    return iris_h5_has(file, object) && H5Aexists_by_name(file, object, name, H5P_DEFAULT) > 0;
}

int
iris_h5_attribute(hid_t file, const char *object, const char *name, double *value)
{
    hid_t attribute, space = -1, type = -1;
    H5T_class_t class;
    int found = 0;

    if (!iris_h5_has_attribute(file, object, name))
        return 0;
    attribute = H5Aopen_by_name(file, object, name, H5P_DEFAULT, H5P_DEFAULT);
    if (attribute < 0)
        return 0;
    space = H5Aget_space(attribute);
    type = H5Aget_type(attribute);
    class = H5Tget_class(type);
    if ((class == H5T_FLOAT || class == H5T_INTEGER) && H5Sget_simple_extent_npoints(space) == 1)
        found = H5Aread(attribute, H5T_NATIVE_DOUBLE, value) >= 0;
    H5Tclose(type);
    H5Sclose(space);
    H5Aclose(attribute);
    return found;
}

/* The text of that size, if it was read, and free the memory for it. */
static int
take_text(size_t size, char *value, int is_read, struct iris_buf *text)
{
    if (size && !value)
        text->failed = 1;
    if (is_read)
        iris_buf_append(text, value, strnlen(value, size));
    free(value);
    return is_read || text->failed;
}

int
iris_h5_text(hid_t file, const char *object, const char *name, struct iris_buf *text)
{
    hid_t attribute, type;
    char *value = NULL;
    size_t size = 0;
    int found;

    if (!iris_h5_has_attribute(file, object, name))
        return 0;
    attribute = H5Aopen_by_name(file, object, name, H5P_DEFAULT, H5P_DEFAULT);
    if (attribute < 0)
        return 0;
    type = H5Aget_type(attribute);
    if (H5Tget_class(type) == H5T_STRING && !H5Tis_variable_str(type))
        size = (size_t)H5Aget_storage_size(attribute);
    if (size != H5Tget_size(type))
        size = 0;
    if (size)
        value = malloc(size);
    found = value && H5Aread(attribute, type, value) >= 0;
    found = take_text(size, value, found, text);
    H5Tclose(type);
    H5Aclose(attribute);
    return found;
}

int
iris_h5_text_dataset(hid_t file, const char *name, struct iris_buf *text)
{
    hid_t dataset = iris_h5_has(file, name) ? H5Dopen2(file, name, H5P_DEFAULT) : -1;
    hid_t type = dataset < 0 ? -1 : H5Dget_type(dataset);
    size_t size = 0;
    char *value;
    int found;

    if (type >= 0 && H5Tget_class(type) == H5T_STRING && !H5Tis_variable_str(type) &&
        !iris_h5_is_elsewhere(dataset) && H5Dget_storage_size(dataset) == H5Tget_size(type))
        size = H5Tget_size(type);
    value = size ? malloc(size) : NULL;
    found = value && H5Dread(dataset, type, H5S_ALL, H5S_ALL, H5P_DEFAULT, value) >= 0;
    found = take_text(size, value, found, text);
    if (type >= 0)
        H5Tclose(type);
    if (dataset >= 0)
        H5Dclose(dataset);
    return found;
}

/* ---- virtual datasets ---- */

/* HDF5 follows a circle without end, and a few datasets of many sources each, in a row,
 * for ever. */
enum { MOST_STEPS = 8, MOST_SOURCES = 16384 };
struct trail {
    int steps;      /* from dataset to dataset */
    size_t sources; /* looked at, on all ways */
};

int
iris_h5_is_elsewhere(hid_t dataset)
{
    hid_t how = H5Dget_create_plist(dataset);
    int is = how >= 0 && (H5Pget_layout(how) == H5D_VIRTUAL || H5Pget_external_count(how) > 0);

    if (how >= 0)
        H5Pclose(how);
    return is;
}

static enum iris_status check_sources(const char *container, const char *path, hid_t dataset,
                                      struct trail *t, struct iris_err *err);

/* What H5Pget_virtual_filename or H5Pget_virtual_dsetname says, whatever its length.
 *
 *   owns  the caller, with free(); NULL when out of memory
 */
static char *
source_name(ssize_t (*get)(hid_t, size_t, char *, size_t), hid_t how, size_t i)
{
    ssize_t len = get(how, i, NULL, 0);
    char *name = len < 0 ? NULL : calloc((size_t)len + 1, 1);

    if (name)
        get(how, i, name, (size_t)len + 1);
    return name;
}

/* The file of a source, which HDF5 looks for beside the one that names it; "." is that.
 *
 *   owns  the caller, with free(); NULL when out of memory
 */
static char *
source_file(hid_t how, size_t i, const char *container)
{
    char *source = source_name(H5Pget_virtual_filename, how, i), *beside;
    const char *slash = strrchr(container, '/');

    if (!source || source[0] == '/' || (!slash && strcmp(source, ".")))
        return source;
    if (strcmp(source, "."))
        beside = iris_format("%.*s/%s", (int)(slash - container), container, source);
    else
        beside = strdup(container);
    free(source);
    return beside;
}

static enum iris_status
check_named(const char *container, const char *path, const char *name, hid_t how, size_t i,
            struct trail *t, struct iris_err *err)
{
    hid_t file = -1, dataset = -1;
    enum iris_status st = IRIS_OK;
    struct stat sb;
    char *inside;

    if (stat(name, &sb) || !S_ISREG(sb.st_mode) || access(name, R_OK))
        return iris_fail(err, IRIS_E_IO,
                         "'%s': dataset '%s' takes values from '%s', which is not readable",
                         iris_file_name(container), path, iris_file_name(name));
    inside = source_name(H5Pget_virtual_dsetname, how, i);
    if (!inside)
        return iris_fail_memory(err);
    file = iris_h5_open(name);
    if (file >= 0 && H5Oexists_by_name(file, inside, H5P_DEFAULT) > 0)
        dataset = H5Dopen2(file, inside, H5P_DEFAULT);
    if (dataset < 0)
        st = iris_fail(err, IRIS_E_DATA,
                       "'%s': dataset '%s' takes values from '%s', which does not have them",
                       iris_file_name(container), path, iris_file_name(name));
    else
        st = check_sources(name, inside, dataset, t, err);
    if (dataset >= 0)
        H5Dclose(dataset);
    if (file >= 0)
        H5Fclose(file);
    free(inside);
    return st;
}

static enum iris_status
check_source(const char *container, const char *path, hid_t how, size_t i, struct trail *t,
             struct iris_err *err)
{
    char *name = source_file(how, i, container);
    enum iris_status st = name ? check_named(container, path, name, how, i, t, err)
                               : iris_fail_memory(err);

    free(name);
    return st;
}

static enum iris_status
check_sources(const char *container, const char *path, hid_t dataset, struct trail *t,
              struct iris_err *err)
{
    hid_t how = H5Dget_create_plist(dataset);
    enum iris_status st = IRIS_OK;
    size_t count = 0, i;

    if (H5Pget_external_count(how) > 0)
        st = iris_fail(err, IRIS_E_DATA,
                       "'%s': the values of dataset '%s' are in another file that is not HDF5",
                       iris_file_name(container), path);
    if (H5Pget_layout(how) == H5D_VIRTUAL)
        H5Pget_virtual_count(how, &count);
    if (count && ++t->steps > MOST_STEPS)
        st = iris_fail(err, IRIS_E_DATA, "'%s': the values of dataset '%s' are nowhere",
                       iris_file_name(container), path);
    for (i = 0; i < count && !st; i++) {
        if (++t->sources > MOST_SOURCES)
            st = iris_fail(err, IRIS_E_DATA, "'%s': dataset '%s' takes values from too many others",
                           iris_file_name(container), path);
        else
            st = check_source(container, path, how, i, t, err);
    }
    t->steps -= count > 0;
    H5Pclose(how);
    return st;
}

enum iris_status
iris_h5_check_virtual(const char *container, const char *path, hid_t dataset, struct iris_err *err)
{
    return check_sources(container, path, dataset, &(struct trail){0}, err);
}
