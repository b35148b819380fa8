#include "probe_fields.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "buf.h"
#include "h5.h"

static const char group[] = "PartType0";

void
iris_probe_fields_release(struct iris_probe_fields *f)
{
    size_t i;

    for (i = 0; i < f->n; i++)
        free(f->field[i].path);
    free(f->field);
    *f = (struct iris_probe_fields){0};
}

static struct iris_probe_field *
find(const struct iris_probe_fields *f, const char *path)
{
    size_t i;

    for (i = 0; i < f->n; i++) {
        if (!strcmp(f->field[i].path, path))
            return &f->field[i];
    }
    return NULL;
}

const struct iris_probe_field *
iris_probe_fields_find(const struct iris_probe_fields *f, const char *path)
{
    return find(f, path);
}

static enum iris_status
new_field(struct iris_probe_fields *f, const char *path, struct iris_probe_field **field,
          struct iris_err *err)
{
    struct iris_probe_field *list = realloc(f->field, (f->n + 1) * sizeof *list);

    if (!list)
        return iris_fail_memory(err);
    f->field = list;
    *field = &list[f->n];
    **field = (struct iris_probe_field){.path = strdup(path), .columns = 1};
    if (!(*field)->path)
        return iris_fail_memory(err);
    f->n++;
    return IRIS_OK;
}

/* As NumPy calls it. */
static void
name_type(hid_t type, struct iris_probe_field *field)
{
    H5T_class_t class = H5Tget_class(type);
    const char *word = class != H5T_INTEGER                ? "float"
                       : H5Tget_sign(type) == H5T_SGN_NONE ? "uint"
                                                           : "int";

    field->numbers = class == H5T_FLOAT || class == H5T_INTEGER;
    if (field->numbers)
        snprintf(field->type, sizeof field->type, "%s%zu", word, 8 * H5Tget_size(type));
    else
        snprintf(field->type, sizeof field->type, "other");
}

static enum iris_status
add(struct iris_probe_fields *f, hid_t dataset, const char *path, struct iris_err *err)
{
    struct iris_probe_field *field = find(f, path);
    hid_t space = H5Dget_space(dataset), type = H5Dget_type(dataset);
    int rank = H5Sget_simple_extent_ndims(space), k;
    hsize_t dims[H5S_MAX_RANK] = {1};
    enum iris_status st = IRIS_OK;

    if (rank > 0)
        H5Sget_simple_extent_dims(space, dims, NULL);
    if (!field) {
        st = new_field(f, path, &field, err);
        if (!st) {
            name_type(type, field);
            field->rank = rank;
            for (k = 1; k < rank; k++)
                field->columns *= dims[k];
        }
    }
    if (!st)
        field->rows += dims[0];
    H5Tclose(type);
    H5Sclose(space);
    return st;
}

/* Member i of the group, if it is a dataset. */
static enum iris_status
add_member(struct iris_probe_fields *f, hid_t parent, hsize_t i, struct iris_err *err)
{
    enum iris_status st = IRIS_OK;
    struct iris_buf path = {0};
    char name[256];
    hid_t object;

    if (H5Lget_name_by_idx(parent, ".", H5_INDEX_NAME, H5_ITER_INC, i, name, sizeof name,
                           H5P_DEFAULT) < 0 ||
        (object = H5Oopen(parent, name, H5P_DEFAULT)) < 0)
        return IRIS_OK;
    if (H5Iget_type(object) == H5I_DATASET) {
        iris_buf_printf(&path, "%s/%s", group, name);
        st = iris_buf_check(&path, err);
        if (!st)
            st = add(f, object, iris_buf_str(&path), err);
    }
    H5Oclose(object);
    iris_buf_release(&path);
    return st;
}

enum iris_status
iris_probe_fields_add(struct iris_probe_fields *f, hid_t file, struct iris_err *err)
{
    enum iris_status st = IRIS_OK;
    H5G_info_t info = {.nlinks = 0};
    hsize_t i;
    hid_t parent = iris_h5_has(file, group) ? H5Gopen2(file, group, H5P_DEFAULT) : -1;

    if (parent < 0)
        return IRIS_OK;
    if (H5Gget_info(parent, &info) < 0)
        info.nlinks = 0;
    for (i = 0; i < info.nlinks && !st; i++)
        st = add_member(f, parent, i, err);
    H5Gclose(parent);
    return st;
}
