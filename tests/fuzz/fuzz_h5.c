#include "fuzz_h5.h"

#include <hdf5.h>
#include <stdlib.h>
#include <string.h>

enum { CHANGES = 8, ATTRIBUTE = 64, MOST_VALUES = 4096 };

static const char *const texts[] = {"", "1", "iris-lines", "{}", "\xff\n\t", "entries", "../x"};

/* ---- the good file ---- */

static herr_t
note_name(hid_t file, const char *name, const H5O_info_t *info, void *self)
{
    struct fuzz_h5 *good = self;
    char **longer = realloc(good->name, (good->n + 1) * sizeof *longer);

    (void)file;
    (void)info;
    fuzz_need(longer != NULL, "names can be noted");
    good->name = longer;
    good->name[good->n++] = strdup(strcmp(name, ".") ? name : "/");
    return 0;
}

void
fuzz_h5_begin(struct fuzz_h5 *good, const char *path)
{
    hid_t file;

    H5Eset_auto2(H5E_DEFAULT, NULL, NULL);
    fuzz_get(path, &good->image);
    file = H5Fopen(path, H5F_ACC_RDONLY, H5P_DEFAULT);
    fuzz_need(file >= 0 && H5Ovisit(file, H5_INDEX_NAME, H5_ITER_INC, note_name, good) >= 0,
              "the good file is one");
    H5Fclose(file);
}

/* ---- what is put into it ---- */

/* A type of values, open. */
static hid_t
choose_type(struct fuzz_bytes *b)
{
    hid_t type;

    switch (fuzz_take(b, 14)) {
    case 0:
        return H5Tcopy(H5T_IEEE_F32LE);
    case 1:
        return H5Tcopy(H5T_IEEE_F64LE);
    case 2:
        return H5Tcopy(H5T_IEEE_F64BE);
    case 3:
        return H5Tcopy(H5T_STD_I8LE);
    case 4:
        return H5Tcopy(H5T_STD_I32LE);
    case 5:
        return H5Tcopy(H5T_STD_U32BE);
    case 6:
        return H5Tcopy(H5T_STD_U64LE);
    case 7:
        return H5Tcopy(H5T_STD_I64LE);
    case 8:
        type = H5Tcopy(H5T_C_S1);
        H5Tset_size(type, 1 + fuzz_take(b, 40));
        H5Tset_strpad(type, (H5T_str_t)fuzz_take(b, 3));
        return type;
    case 9:
        type = H5Tcopy(H5T_C_S1);
        H5Tset_size(type, H5T_VARIABLE);
        return type;
    case 10:
        return H5Tcreate(H5T_OPAQUE, 1 + fuzz_take(b, 16));
    case 11:
        type = H5Tcreate(H5T_COMPOUND, 8);
        H5Tinsert(type, "r", 0, H5T_IEEE_F64LE);
        return type;
    case 12:
        return H5Tarray_create2(H5T_IEEE_F32LE, 1, &(hsize_t){3});
    default:
        return H5Tenum_create(H5T_NATIVE_INT);
    }
}

/* Mostly few values, now and then an absurd number of them. */
static hid_t
choose_space(struct fuzz_bytes *b, hsize_t *values)
{
    static const hsize_t sizes[] = {0, 1, 2, 3, 4, 6, 8, 16, 31, 32, 33, 1 << 16};
    static const hsize_t absurd[] = {(hsize_t)1 << 31, (hsize_t)1 << 40, (hsize_t)1 << 59};
    hsize_t size[32];
    size_t rank = fuzz_take(b, 7), d;

    if (rank == 6)
        rank = fuzz_take(b, 33) ? 2 : 32;
    *values = 1;
    for (d = 0; d < rank; d++) {
        size_t which = fuzz_take(b, 64);

        size[d] = which < 3 ? absurd[which] : sizes[which % (sizeof sizes / sizeof sizes[0])];
        if (rank > 6)
            size[d] = 1;
        *values = *values > MOST_VALUES || size[d] > MOST_VALUES ? MOST_VALUES + 1
                                                                 : *values * size[d];
    }
    if (!rank)
        return H5Screate(fuzz_take(b, 8) ? H5S_SCALAR : H5S_NULL);
    return H5Screate_simple((int)rank, size, NULL);
}

/* Where values are: as HDF5 likes it, or in chunks, some of them deflated. Chunks that were
 * never written take no room, so that a dataset may be of any size. */
static hid_t
choose_layout(struct fuzz_bytes *b, hid_t space, hsize_t values)
{
    hid_t how = H5Pcreate(H5P_DATASET_CREATE);
    int rank = H5Sget_simple_extent_ndims(space), d;
    size_t form = fuzz_take(b, 4);
    hsize_t chunk[32];

    for (d = 0; d < rank; d++)
        chunk[d] = 1 + fuzz_take(b, 4);
    if (rank > 0 && (form || values > MOST_VALUES))
        H5Pset_chunk(how, rank, chunk);
    if (rank > 0 && form == 2)
        H5Pset_deflate(how, 1);
    if (form == 3)
        H5Pset_fill_value(how, H5T_NATIVE_DOUBLE, &(double){fuzz_number(b)});
    return how;
}

/* Values by turns, as many as a file of this size should have at most. */
static void
fill(struct fuzz_bytes *b, hid_t dataset, hsize_t values)
{
    double few[3], *v;
    hsize_t i;

    for (i = 0; i < 3; i++)
        few[i] = fuzz_number(b);
    if (!values || values > MOST_VALUES)
        return;
    v = malloc(values * sizeof *v);
    fuzz_need(v != NULL, "values can be made");
    for (i = 0; i < values; i++)
        v[i] = few[i % 3];
    H5Dwrite(dataset, H5T_NATIVE_DOUBLE, H5S_ALL, H5S_ALL, H5P_DEFAULT, v);
    free(v);
}

static void
replace_dataset(struct fuzz_bytes *b, hid_t file, const char *name)
{
    hsize_t values;
    hid_t type = choose_type(b), space = choose_space(b, &values);
    hid_t how = choose_layout(b, space, values), dataset = -1;

    if (H5Ldelete(file, name, H5P_DEFAULT) >= 0)
        dataset = H5Dcreate2(file, name, type, space, H5P_DEFAULT, how, H5P_DEFAULT);
    if (dataset >= 0) {
        fill(b, dataset, values);
        H5Dclose(dataset);
    }
    H5Pclose(how);
    H5Sclose(space);
    H5Tclose(type);
}

/* What is written to a virtual dataset that is its own source is written without end. */
static int
is_virtual(hid_t dataset)
{
    hid_t how = dataset < 0 ? -1 : H5Dget_create_plist(dataset);
    int is = how >= 0 && H5Pget_layout(how) == H5D_VIRTUAL;

    if (how >= 0)
        H5Pclose(how);
    return is;
}

/* One value of a dataset becomes another. */
static void
set_value(struct fuzz_bytes *b, hid_t file, const char *name)
{
    hid_t dataset = H5Dopen2(file, name, H5P_DEFAULT);
    hid_t space = dataset < 0 ? -1 : H5Dget_space(dataset);
    int rank = space < 0 ? 0 : H5Sget_simple_extent_ndims(space), d;
    hid_t one = H5Screate(H5S_SCALAR);
    hsize_t size[32], at[32];
    double v = fuzz_number(b);

    if (rank > 0 && !is_virtual(dataset)) {
        H5Sget_simple_extent_dims(space, size, NULL);
        for (d = 0; d < rank; d++)
            at[d] = size[d] ? fuzz_take(b, 255) % size[d] : 0;
        H5Sselect_elements(space, H5S_SELECT_SET, 1, at);
        H5Dwrite(dataset, H5T_NATIVE_DOUBLE, one, space, H5P_DEFAULT, &v);
    }
    H5Sclose(one);
    if (space >= 0)
        H5Sclose(space);
    if (dataset >= 0)
        H5Dclose(dataset);
}

/* ---- attributes ---- */

/* The name of an attribute of an object; "" where it has none. */
static void
choose_attribute(struct fuzz_bytes *b, hid_t object, char name[ATTRIBUTE])
{
    H5O_info_t info;
    hsize_t n = H5Oget_info(object, &info) < 0 ? 0 : info.num_attrs;

    name[0] = '\0';
    if (n)
        H5Aget_name_by_idx(object, ".", H5_INDEX_NAME, H5_ITER_INC, fuzz_take(b, 255) % n, name,
                           ATTRIBUTE, H5P_DEFAULT);
}

static void
write_attribute(struct fuzz_bytes *b, hid_t attribute, hid_t type, hsize_t values)
{
    const char *text = texts[fuzz_take(b, sizeof texts / sizeof texts[0])];
    hid_t memory = H5Tcopy(H5T_C_S1);
    double v[64];
    size_t i;

    for (i = 0; i < 64; i++)
        v[i] = i < 2 ? fuzz_number(b) : v[i - 2];
    H5Tset_size(memory, H5T_VARIABLE);
    if (H5Tget_class(type) != H5T_STRING && values <= 64)
        H5Awrite(attribute, H5T_NATIVE_DOUBLE, v);
    else if (values == 1 && H5Tis_variable_str(type) > 0)
        H5Awrite(attribute, memory, &text);
    else if (values == 1 && H5Tget_size(type) > strlen(text)) {
        H5Tset_size(memory, strlen(text) + 1);
        H5Awrite(attribute, memory, text);
    }
    H5Tclose(memory);
}

static void
replace_attribute(struct fuzz_bytes *b, hid_t file, const char *name)
{
    hid_t object = H5Oopen(file, name, H5P_DEFAULT), type, space, attribute;
    char which[ATTRIBUTE];
    hsize_t values;

    if (object < 0)
        return;
    choose_attribute(b, object, which);
    if (which[0] && H5Adelete(object, which) >= 0 && fuzz_take(b, 4)) {
        type = choose_type(b);
        space = fuzz_take(b, 4) ? H5Screate(H5S_SCALAR) : choose_space(b, &values);
        values = (hsize_t)H5Sget_simple_extent_npoints(space);
        attribute = values > MOST_VALUES
                        ? -1
                        : H5Acreate2(object, which, type, space, H5P_DEFAULT, H5P_DEFAULT);
        if (attribute >= 0) {
            write_attribute(b, attribute, type, values);
            H5Aclose(attribute);
        }
        H5Sclose(space);
        H5Tclose(type);
    }
    H5Oclose(object);
}

/* The value alone: what it is stored as stays. */
static void
set_attribute(struct fuzz_bytes *b, hid_t file, const char *name)
{
    hid_t object = H5Oopen(file, name, H5P_DEFAULT), attribute, type, space;
    char which[ATTRIBUTE];

    if (object < 0)
        return;
    choose_attribute(b, object, which);
    attribute = which[0] ? H5Aopen(object, which, H5P_DEFAULT) : -1;
    if (attribute >= 0) {
        type = H5Aget_type(attribute);
        space = H5Aget_space(attribute);
        write_attribute(b, attribute, type, (hsize_t)H5Sget_simple_extent_npoints(space));
        H5Sclose(space);
        H5Tclose(type);
        H5Aclose(attribute);
    }
    H5Oclose(object);
}

/* ---- links ---- */

static void
replace_link(struct fuzz_bytes *b, hid_t file, const char *name, const char *other)
{
    hid_t group;

    if (H5Ldelete(file, name, H5P_DEFAULT) < 0)
        return;
    switch (fuzz_take(b, 6)) {
    case 0:
        H5Lcreate_hard(file, other, file, name, H5P_DEFAULT, H5P_DEFAULT);
        break;
    case 1:
        H5Lcreate_soft(other, file, name, H5P_DEFAULT, H5P_DEFAULT);
        break;
    case 2:
        H5Lcreate_soft("nowhere", file, name, H5P_DEFAULT, H5P_DEFAULT);
        break;
    case 3:
        H5Lcreate_external("nofile.hdf5", "x", file, name, H5P_DEFAULT, H5P_DEFAULT);
        break;
    case 4:
        group = H5Gcreate2(file, name, H5P_DEFAULT, H5P_DEFAULT, H5P_DEFAULT);
        if (group >= 0)
            H5Gclose(group);
        break;
    default:
        break; /* gone */
    }
}

/* A dataset whose values are in another one, or in a file that is not there. */
static void
make_virtual(struct fuzz_bytes *b, hid_t file, const char *name, const char *other)
{
    const hsize_t rows = 1 + fuzz_take(b, 40), size[2] = {rows, 1 + fuzz_take(b, 4)};
    hid_t space = H5Screate_simple(1 + (int)fuzz_take(b, 2), size, NULL), dataset = -1;
    hid_t how = H5Pcreate(H5P_DATASET_CREATE);

    if (H5Pset_virtual(how, space, fuzz_take(b, 2) ? "." : "nofile.hdf5", other, space) >= 0 &&
        H5Ldelete(file, name, H5P_DEFAULT) >= 0)
        dataset = H5Dcreate2(file, name, H5T_IEEE_F64LE, space, H5P_DEFAULT, how, H5P_DEFAULT);
    if (dataset >= 0)
        H5Dclose(dataset);
    H5Pclose(how);
    H5Sclose(space);
}

/* ---- what is open ---- */

static hsize_t open_before;

static hsize_t
count_open(void)
{
    static const H5I_type_t kinds[] = {H5I_FILE,    H5I_GROUP, H5I_DATATYPE,   H5I_DATASPACE,
                                       H5I_DATASET, H5I_ATTR,  H5I_GENPROP_LST};
    hsize_t all = 0, n;
    size_t i;

    for (i = 0; i < sizeof kinds / sizeof kinds[0]; i++) {
        if (H5Inmembers(kinds[i], &n) >= 0)
            all += n;
    }
    return all;
}

/* ---- all of it ---- */

static void
change_once(const struct fuzz_h5 *good, struct fuzz_bytes *b, hid_t file)
{
    size_t what = fuzz_take(b, 8);
    const char *name = good->name[fuzz_take(b, 255) % good->n];
    const char *other = what < 6 ? "/" : good->name[fuzz_take(b, 255) % good->n];

    switch (what) {
    case 0:
    case 1:
        replace_dataset(b, file, name);
        break;
    case 2:
        set_value(b, file, name);
        break;
    case 3:
        replace_attribute(b, file, name);
        break;
    case 4:
    case 5:
        set_attribute(b, file, name);
        break;
    case 6:
        replace_link(b, file, name, other);
        break;
    default:
        make_virtual(b, file, name, other);
    }
}

const char *
fuzz_h5_change(const struct fuzz_h5 *good, struct fuzz_bytes *b)
{
    const char *path = fuzz_file(good->image.data, good->image.len);
    hid_t file = H5Fopen(path, H5F_ACC_RDWR, H5P_DEFAULT);
    int times;

    fuzz_need(file >= 0, "the good file opens");
    for (times = 0; times < CHANGES && b->at < b->end; times++) {
        change_once(good, b, file);
        H5Fflush(file, H5F_SCOPE_GLOBAL); /* else 1.10.8 may end while it looks for chunks */
    }
    H5Fclose(file);
    open_before = count_open();
    return path;
}

void
fuzz_h5_closed(void)
{
    fuzz_need(count_open() == open_before, "what was opened is closed");
}
