#include "h5put.h"

#include <stdlib.h>
#include <string.h>

#include "h5.h"

void
iris_h5_begin(void)
{
    H5dont_atexit();
    iris_h5_quiet();
}

enum { LARGE = 1 << 16, PAGE = 4096 }; /* bytes */

static hid_t
create(const char *path, int plain, int in_memory)
{
    hid_t access = H5Pcreate(H5P_FILE_ACCESS), how = H5Pcreate(H5P_FILE_CREATE), file = -1, reason;

    if (access >= 0 && how >= 0 && H5Pset_file_locking(access, 0, 1) >= 0 &&
        (!in_memory || H5Pset_fapl_core(access, 1 << 20, 0) >= 0) &&
        H5Pset_obj_track_times(how, 0) >= 0 &&
        (plain || (H5Pset_libver_bounds(access, H5F_LIBVER_V18, H5F_LIBVER_LATEST) >= 0 &&
                   H5Pset_alignment(access, LARGE, PAGE) >= 0)))
        file = H5Fcreate(path, H5F_ACC_TRUNC, how, access);
    reason = H5Eget_current_stack(); /* which closing the lists would forget */
    if (how >= 0)
        H5Pclose(how);
    if (access >= 0)
        H5Pclose(access);
    H5Eset_current_stack(reason);
    return file;
}

hid_t
iris_h5_create(const char *path, int plain)
{
    return create(path, plain, 0);
}

hid_t
iris_h5_create_in_memory(void)
{
    return create("memory", 0, 1);
}

hid_t
iris_h5_group(hid_t file, const char *name)
{
    hid_t how = H5Pcreate(H5P_GROUP_CREATE), group = -1, reason;

    if (how >= 0 && H5Pset_obj_track_times(how, 0) >= 0)
        group = H5Gcreate2(file, name, H5P_DEFAULT, how, H5P_DEFAULT);
    reason = H5Eget_current_stack();
    if (how >= 0)
        H5Pclose(how);
    H5Eset_current_stack(reason);
    return group;
}

int
iris_h5_put(hid_t object, const char *name, hid_t stored, hid_t memory, hsize_t n,
            const void *value)
{
    hid_t space = n ? H5Screate_simple(1, &n, NULL) : H5Screate(H5S_SCALAR);
    hid_t attribute = H5Acreate2(object, name, stored, space, H5P_DEFAULT, H5P_DEFAULT);
    int bad = attribute < 0 || H5Awrite(attribute, memory, value) < 0;
    hid_t reason;

    if (!bad) {
        bad = H5Aclose(attribute) < 0;
        attribute = -1;
    }
    reason = H5Eget_current_stack();
    if (attribute >= 0)
        H5Aclose(attribute);
    if (space >= 0)
        H5Sclose(space);
    H5Eset_current_stack(reason);
    return bad;
}

int
iris_h5_put_double(hid_t object, const char *name, double v)
{
    return iris_h5_put(object, name, H5T_IEEE_F64LE, H5T_NATIVE_DOUBLE, 0, &v);
}

int
iris_h5_put_int(hid_t object, const char *name, int v)
{
    return iris_h5_put(object, name, H5T_STD_I32LE, H5T_NATIVE_INT, 0, &v);
}

/* The type of text of that length; below 0 on failure. */
static hid_t
text_type(size_t len)
{
    hid_t type = H5Tcopy(H5T_C_S1), reason;

    if (type < 0 ||
        (H5Tset_size(type, len ? len : 1) >= 0 && H5Tset_strpad(type, H5T_STR_NULLPAD) >= 0 &&
         H5Tset_cset(type, H5T_CSET_UTF8) >= 0))
        return type;
    reason = H5Eget_current_stack();
    H5Tclose(type);
    H5Eset_current_stack(reason);
    return -1;
}

int
iris_h5_put_terminated(hid_t object, const char *name, const char *text)
{
    hid_t type = H5Tcopy(H5T_C_S1), reason;
    int bad = type < 0 || H5Tset_size(type, strlen(text) + 1) < 0 ||
              iris_h5_put(object, name, type, type, 0, text);

    reason = H5Eget_current_stack();
    if (type >= 0)
        H5Tclose(type);
    H5Eset_current_stack(reason);
    return bad;
}

int
iris_h5_put_text(hid_t object, const char *name, const char *text)
{
    hid_t type = text_type(strlen(text)), reason;
    int bad = type < 0 || iris_h5_put(object, name, type, type, 0, text);

    reason = H5Eget_current_stack();
    if (type >= 0)
        H5Tclose(type);
    H5Eset_current_stack(reason);
    return bad;
}

/* A contiguous dataset, written whole. */
static hid_t
put_dataset(hid_t group, const char *name, hid_t stored, hid_t memory, hid_t space,
            const void *value)
{
    hid_t how = H5Pcreate(H5P_DATASET_CREATE), dataset = -1, reason;
    int bad;

    if (how >= 0 && H5Pset_obj_track_times(how, 0) >= 0 &&
        H5Pset_fill_time(how, H5D_FILL_TIME_NEVER) >= 0)
        dataset = H5Dcreate2(group, name, stored, space, H5P_DEFAULT, how, H5P_DEFAULT);
    bad = dataset < 0 || H5Dwrite(dataset, memory, H5S_ALL, H5S_ALL, H5P_DEFAULT, value) < 0;
    reason = H5Eget_current_stack();
    if (bad && dataset >= 0) {
        H5Dclose(dataset);
        dataset = -1;
    }
    if (how >= 0)
        H5Pclose(how);
    H5Eset_current_stack(reason);
    return dataset;
}

/* The same of a shape. */
static hid_t
put_shaped(hid_t group, const char *name, hid_t stored, hid_t memory, int rank, const hsize_t *size,
           const void *value)
{
    hid_t space = H5Screate_simple(rank, size, NULL), dataset = -1, reason;

    if (space >= 0)
        dataset = put_dataset(group, name, stored, memory, space, value);
    reason = H5Eget_current_stack();
    if (space >= 0)
        H5Sclose(space);
    H5Eset_current_stack(reason);
    return dataset;
}

hid_t
iris_h5_put_array(hid_t group, const char *name, int rank, const hsize_t *size, const double *value)
{
    return put_shaped(group, name, H5T_IEEE_F64LE, H5T_NATIVE_DOUBLE, rank, size, value);
}

hid_t
iris_h5_put_row(hid_t group, const char *name, hid_t stored, hid_t memory, hsize_t n,
                const void *value)
{
    return put_shaped(group, name, stored, memory, 1, &n, value);
}

/* n texts one behind the other, each of the length of the longest.
 *
 *   out  len     that length, at least 1
 *   return  NULL when out of memory
 */
static char *
pack_texts(size_t n, const char *const *text, size_t *len)
{
    char *all;
    size_t i;

    *len = 1;
    for (i = 0; i < n; i++) {
        size_t x = text[i] ? strlen(text[i]) : 0;

        *len = x > *len ? x : *len;
    }
    all = calloc(n + 1, *len);
    for (i = 0; i < n && all; i++)
        memcpy(all + i * *len, text[i] ? text[i] : "", text[i] ? strlen(text[i]) : 0);
    return all;
}

hid_t
iris_h5_put_texts(hid_t group, const char *name, hsize_t n, const char *const *text)
{
    size_t len;
    char *all = pack_texts((size_t)n, text, &len);
    hid_t type = text_type(len), dataset = -1, reason;

    if (all && type >= 0)
        dataset = iris_h5_put_row(group, name, type, type, n, all);
    reason = H5Eget_current_stack();
    if (type >= 0)
        H5Tclose(type);
    H5Eset_current_stack(reason);
    free(all);
    return dataset;
}

hid_t
iris_h5_put_scalar_text(hid_t group, const char *name, const char *text)
{
    hid_t type = text_type(strlen(text)), space = H5Screate(H5S_SCALAR), dataset = -1, reason;

    if (type >= 0 && space >= 0)
        dataset = put_dataset(group, name, type, type, space, *text ? text : "\0");
    reason = H5Eget_current_stack();
    if (space >= 0)
        H5Sclose(space);
    if (type >= 0)
        H5Tclose(type);
    H5Eset_current_stack(reason);
    return dataset;
}

int
iris_h5_put_end(hid_t dataset, int bad)
{
    hid_t reason;

    if (dataset < 0 || !bad)
        return dataset < 0 || H5Dclose(dataset) < 0;
    reason = H5Eget_current_stack();
    H5Dclose(dataset);
    H5Eset_current_stack(reason);
    return bad;
}

int
iris_h5_put_text_list(hid_t object, const char *name, hsize_t n, const char *const *text)
{
    size_t len;
    char *all = pack_texts((size_t)n, text, &len);
    hid_t type = text_type(len), reason;
    int bad = !all || type < 0 || iris_h5_put(object, name, type, type, n, all);

    reason = H5Eget_current_stack();
    if (type >= 0)
        H5Tclose(type);
    H5Eset_current_stack(reason);
    free(all);
    return bad;
}
