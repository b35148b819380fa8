#include "h5put.h"

#include <string.h>

#include "h5.h"

void
iris_h5_begin(void)
{
    H5dont_atexit();
    iris_h5_quiet();
}

hid_t
iris_h5_create(const char *path)
{
    hid_t access = H5Pcreate(H5P_FILE_ACCESS), how = H5Pcreate(H5P_FILE_CREATE), file = -1, reason;

    if (access >= 0 && how >= 0 && H5Pset_file_locking(access, 0, 1) >= 0 &&
        H5Pset_obj_track_times(how, 0) >= 0)
        file = H5Fcreate(path, H5F_ACC_TRUNC, how, access);
    reason = H5Eget_current_stack(); /* which closing the lists would forget */
    if (how >= 0)
        H5Pclose(how);
    if (access >= 0)
        H5Pclose(access);
    H5Eset_current_stack(reason);
    return file;
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

int
iris_h5_put_text(hid_t object, const char *name, const char *text)
{
    size_t len = strlen(text);
    hid_t type = H5Tcopy(H5T_C_S1);
    int bad = type < 0 || H5Tset_size(type, len ? len : 1) < 0 ||
              H5Tset_strpad(type, H5T_STR_NULLPAD) < 0 || H5Tset_cset(type, H5T_CSET_UTF8) < 0 ||
              iris_h5_put(object, name, type, type, 0, text);
    hid_t reason = H5Eget_current_stack();

    if (type >= 0)
        H5Tclose(type);
    H5Eset_current_stack(reason);
    return bad;
}

hid_t
iris_h5_put_array(hid_t group, const char *name, int rank, const hsize_t *size, const double *value)
{
    hid_t space = H5Screate_simple(rank, size, NULL), how = H5Pcreate(H5P_DATASET_CREATE);
    hid_t dataset = -1, reason;
    int bad;

    if (space >= 0 && how >= 0 && H5Pset_obj_track_times(how, 0) >= 0 &&
        H5Pset_fill_time(how, H5D_FILL_TIME_NEVER) >= 0)
        dataset = H5Dcreate2(group, name, H5T_IEEE_F64LE, space, H5P_DEFAULT, how, H5P_DEFAULT);
    bad = dataset < 0 ||
          H5Dwrite(dataset, H5T_NATIVE_DOUBLE, H5S_ALL, H5S_ALL, H5P_DEFAULT, value) < 0;
    reason = H5Eget_current_stack();
    if (bad && dataset >= 0) {
        H5Dclose(dataset);
        dataset = -1;
    }
    if (how >= 0)
        H5Pclose(how);
    if (space >= 0)
        H5Sclose(space);
    H5Eset_current_stack(reason);
    return dataset;
}
