#include "check_frame.h"

#include <stdlib.h>
#include <string.h>

#include "h5.h"
#include "h5put.h"
#include "pack.h"

/* A file or an object as it should be, and as it was found. */
struct both {
    struct checking *job;
    hid_t made, found;
    const char *name; /* of the object */
};

/* ---- values ---- */

/* A value as bytes that do not depend on where in the file something is: of references
 * the names. */
static void
put_value(hid_t file, hid_t type, const unsigned char *value, struct iris_buf *out)
{
    H5T_class_t class = H5Tget_class(type);
    hvl_t list;
    char name[256] = "";
    size_t i, size;
    hid_t part;

    if (class == H5T_REFERENCE) {
        H5Rget_name(file, H5R_OBJECT, value, name, sizeof name);
        iris_buf_append(out, name, strlen(name) + 1);
    } else if (class == H5T_VLEN) {
        part = H5Tget_super(type);
        size = H5Tget_size(part);
        memcpy(&list, value, sizeof list);
        for (i = 0; i < list.len; i++)
            put_value(file, part, (const unsigned char *)list.p + i * size, out);
        H5Tclose(part);
    } else if (class == H5T_COMPOUND) {
        for (i = 0; i < (size_t)H5Tget_nmembers(type); i++) {
            part = H5Tget_member_type(type, (unsigned)i);
            put_value(file, part, value + H5Tget_member_offset(type, (unsigned)i), out);
            H5Tclose(part);
        }
    } else {
        iris_buf_append(out, (const char *)value, H5Tget_size(type));
    }
}

/* Values of an attribute; nonzero where they cannot be read. */
static int
read_attribute(hid_t attribute, hid_t type, struct iris_buf *out)
{
    hid_t space = H5Aget_space(attribute);
    size_t n = (size_t)H5Sget_simple_extent_npoints(space), size = H5Tget_size(type), i;
    unsigned char *value = calloc(n + 1, size);
    int bad = !value || H5Aread(attribute, type, value) < 0;

    out->failed |= !value;
    for (i = 0; i < n && !bad; i++)
        put_value(attribute, type, value + i * size, out);
    if (!bad)
        H5Dvlen_reclaim(type, space, H5P_DEFAULT, value);
    H5Sclose(space);
    free(value);
    return bad || out->failed;
}

/* Whether two types and two spaces are the same: then so is the memory for the values. */
static int
same_form(hid_t type_a, hid_t type_b, hid_t space_a, hid_t space_b)
{
    return H5Tequal(type_a, type_b) > 0 && H5Sextent_equal(space_a, space_b) > 0;
}

static int
same_attribute(struct checking *job, hid_t made, hid_t found)
{
    hid_t type = H5Aget_type(made), other = H5Aget_type(found);
    hid_t space = H5Aget_space(made), other_space = H5Aget_space(found);
    struct iris_buf a = {0}, b = {0};
    int same = same_form(type, other, space, other_space) && !read_attribute(made, type, &a) &&
               !read_attribute(found, type, &b) && a.len == b.len &&
               !memcmp(iris_buf_str(&a), iris_buf_str(&b), a.len);

    if (a.failed || b.failed)
        same = job->is_out_of_memory = 1;
    iris_buf_release(&a);
    iris_buf_release(&b);
    H5Sclose(other_space);
    H5Sclose(space);
    H5Tclose(other);
    H5Tclose(type);
    return same;
}

/* ---- objects ---- */

static herr_t
check_attribute(hid_t object, const char *name, const H5A_info_t *info, void *self)
{
    const struct both *o = self;
    hid_t made, found;

    (void)info;
    if (!strcmp(name, "iris_version")) /* may be of any */
        return 0;
    if (H5Aexists(o->found, name) <= 0) {
        iris_check_broken(o->job, "'%s' has no attribute '%s'", o->name, name);
        return 0;
    }
    made = H5Aopen(object, name, H5P_DEFAULT);
    found = H5Aopen(o->found, name, H5P_DEFAULT);
    if (made < 0 || found < 0 || !same_attribute(o->job, made, found))
        iris_check_broken(o->job,
                          "attribute '%s' of '%s' is not what follows from the settings and the "
                          "manifest",
                          name, o->name);
    if (made >= 0)
        H5Aclose(made);
    if (found >= 0)
        H5Aclose(found);
    return 0;
}

static void
check_attributes(const struct both *o)
{
    struct both mine = *o;

    H5Aiterate2(o->made, H5_INDEX_NAME, H5_ITER_INC, NULL, check_attribute, &mine);
}

/* All values of a dataset of that form; NULL where they cannot be read. */
static unsigned char *
read_all(struct checking *job, hid_t dataset, hid_t type, size_t bytes)
{
    unsigned char *value = calloc(1, bytes + 1);

    job->is_out_of_memory |= !value;
    if (value && H5Dread(dataset, type, H5S_ALL, H5S_ALL, H5P_DEFAULT, value) < 0) {
        free(value);
        return NULL;
    }
    return value;
}

static void
compare_values(const struct both *o, hid_t type, size_t n, const unsigned char *made,
               const unsigned char *found)
{
    size_t size = H5Tget_size(type), i;

    for (i = 0; i < n && !memcmp(made + i * size, found + i * size, size); i++)
        ;
    if (i < n)
        iris_check_broken(o->job, "'%s' of entry %zu is not that of the manifest and the settings",
                          o->name, i);
}

static enum iris_status
check_values(const struct both *o, hid_t type, hid_t space, struct iris_err *err)
{
    size_t n = (size_t)H5Sget_simple_extent_npoints(space), bytes = n * H5Tget_size(type);
    unsigned char *made = read_all(o->job, o->made, type, bytes), *found = NULL;
    enum iris_status st = IRIS_OK;

    if (!made)
        st = iris_fail_memory(err);
    else if (!(found = read_all(o->job, o->found, type, bytes)) && !o->job->is_out_of_memory)
        iris_check_broken(o->job, "dataset '%s' cannot be read", o->name);
    else if (found)
        compare_values(o, type, n, made, found);
    free(made);
    free(found);
    return st;
}

/* Of the arrays the values are another matter. */
static enum iris_status
check_dataset(const struct both *o, int is_array, struct iris_err *err)
{
    hid_t type = H5Dget_type(o->made), other = H5Dget_type(o->found);
    hid_t space = H5Dget_space(o->made), other_space = H5Dget_space(o->found);
    enum iris_status st = IRIS_OK;

    if (iris_h5_is_elsewhere(o->found) || !same_form(type, other, space, other_space))
        iris_check_broken(o->job,
                          "dataset '%s' has not the shape or the type that follows from the "
                          "settings and the manifest",
                          o->name);
    else if (!is_array)
        st = check_values(o, type, space, err);
    H5Sclose(other_space);
    H5Sclose(space);
    H5Tclose(other);
    H5Tclose(type);
    return st;
}

static int
is_array(const struct packer *w, const char *name)
{
    size_t k;

    for (k = 0; k < w->n_arrays; k++) {
        if (!strcmp(name, iris_kind_file(w->array[k].kind)))
            return 1;
    }
    return 0;
}

static enum iris_status check_group(const struct packer *w, struct checking *job, hid_t file,
                                    const char *group, struct iris_err *err);

static enum iris_status
check_object(const struct packer *w, struct checking *job, hid_t file, const char *name,
             struct iris_err *err)
{
    struct both o = {job, H5Oopen(w->file, name, H5P_DEFAULT), -1, name};
    enum iris_status st = IRIS_OK;
    H5I_type_t what = H5Iget_type(o.made);
    const char *word = what == H5I_DATASET ? "dataset" : "group";

    if (iris_h5_has(file, name))
        o.found = H5Oopen(file, name, H5P_DEFAULT);
    if (o.made < 0)
        st = iris_fail_memory(err);
    else if (o.found < 0 || H5Iget_type(o.found) != what)
        iris_check_broken(job, "there is no %s '%s'", word, name);
    else
        check_attributes(&o);
    if (!st && o.found >= 0 && what == H5I_DATASET && H5Iget_type(o.found) == what)
        st = check_dataset(&o, is_array(w, name), err);
    else if (!st && o.found >= 0 && what == H5I_GROUP && strcmp(name, "/") != 0)
        st = check_group(w, job, file, name, err);
    if (o.found >= 0)
        H5Oclose(o.found);
    if (o.made >= 0)
        H5Oclose(o.made);
    return st;
}

/* What is in a group, by its name; of the root group "". */
static enum iris_status
check_group(const struct packer *w, struct checking *job, hid_t file, const char *group,
            struct iris_err *err)
{
    hid_t made = H5Gopen2(w->file, *group ? group : "/", H5P_DEFAULT);
    enum iris_status st = made < 0 ? iris_fail_memory(err) : IRIS_OK;
    H5G_info_t info = {.nlinks = 0};
    hsize_t i;

    if (made >= 0 && H5Gget_info(made, &info) < 0)
        st = iris_fail_memory(err);
    for (i = 0; i < info.nlinks && !st; i++) {
        char name[512] = "", *path;

        H5Lget_name_by_idx(made, ".", H5_INDEX_NAME, H5_ITER_INC, i, name, sizeof name,
                           H5P_DEFAULT);
        path = iris_format("%s%s%s", group, *group ? "/" : "", name);
        st = path ? check_object(w, job, file, path, err) : iris_fail_memory(err);
        free(path);
    }
    if (made >= 0)
        H5Gclose(made);
    return st;
}

enum iris_status
iris_check_frame(struct checking *job, const struct iris_container *c,
                 const struct iris_published *p, struct iris_err *err)
{
    struct packer w = IRIS_PACKER_INIT("memory", p);
    struct iris_err why = {0};
    enum iris_status st;

    w.root = c->path;
    w.n = p->manifest.n_rows;
    iris_h5_begin();
    w.file = iris_h5_create_in_memory();
    st = w.file < 0 ? iris_fail_memory(&why) : iris_pack_frame(&w, "", &why);
    if (st == IRIS_E_DATA) {
        iris_check_broken(job, "%s", why.msg);
    } else if (st) {
        iris_fail(err, st, "%s", why.msg);
    } else {
        st = check_object(&w, job, c->file, "/", err);
        if (!st)
            st = check_group(&w, job, c->file, "", err);
    }
    iris_pack_release(&w);
    if (w.file >= 0)
        H5Fclose(w.file);
    return st == IRIS_E_DATA ? IRIS_OK : st;
}
