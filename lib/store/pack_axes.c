#include <stddef.h>
#include <stdlib.h>
#include <string.h>

#include "h5put.h"
#include "pack.h"

/* ---- dimension scales ----
 *
 * As the specification of HDF5's dimension scales has them; written here because
 * HDF5's own functions put whatever is in memory between two members of a structure
 * into the file.
 *
 *   source  HDF5 Dimension Scale Specification and Design Notes, 2005
 */

enum iris_status
iris_pack_link(struct packer *w, const char *dataset, unsigned dimension, const char *scale,
               struct iris_err *err)
{
    struct link *list = realloc(w->link, (w->n_links + 1) * sizeof *list), *l;

    if (!list)
        return iris_fail_memory(err);
    w->link = list;
    l = &list[w->n_links];
    l->dimension = dimension;
    l->dataset = iris_format("%s", dataset);
    l->scale = iris_format("%s", scale);
    if (!l->dataset || !l->scale) {
        free(l->dataset);
        free(l->scale);
        return iris_fail_memory(err);
    }
    w->n_links++;
    return IRIS_OK;
}

void
iris_pack_release(struct packer *w)
{
    size_t i;

    for (i = 0; i < 2; i++) {
        if (w->array[i].dataset >= 0)
            H5Dclose(w->array[i].dataset);
        w->array[i].dataset = -1;
    }
    for (i = 0; i < w->n_links; i++) {
        free(w->link[i].dataset);
        free(w->link[i].scale);
    }
    free(w->link);
    w->link = NULL;
    w->n_links = 0;
}

/* Whether link i is the first of its scale, or of its dataset. */
static int
is_first(const struct packer *w, size_t i, int of_scale)
{
    size_t j;

    for (j = 0; j < i; j++) {
        if (of_scale ? !strcmp(w->link[j].scale, w->link[i].scale)
                     : !strcmp(w->link[j].dataset, w->link[i].dataset))
            return 0;
    }
    return 1;
}

/* For each dimension of a dataset a list of references to its scales. */
static int
write_dimensions(const struct packer *w, const char *name)
{
    hid_t dataset = H5Dopen2(w->file, name, H5P_DEFAULT), type = H5Tvlen_create(H5T_STD_REF_OBJ);
    hid_t space = dataset >= 0 ? H5Dget_space(dataset) : -1;
    int rank = space >= 0 ? H5Sget_simple_extent_ndims(space) : 0, bad = 0;
    hobj_ref_t ref[1 + IRIS_NPY_DIMS];
    hvl_t list[1 + IRIS_NPY_DIMS];
    hid_t reason;
    size_t i;

    memset(list, 0, sizeof list);
    for (i = 0; i < w->n_links && rank > 0; i++) {
        unsigned d = w->link[i].dimension;

        if (strcmp(w->link[i].dataset, name))
            continue;
        bad |= H5Rcreate(&ref[d], w->file, w->link[i].scale, H5R_OBJECT, -1) < 0;
        list[d] = (hvl_t){1, &ref[d]};
    }
    bad |= rank <= 0 || type < 0 ||
           iris_h5_put(dataset, "DIMENSION_LIST", type, type, (hsize_t)rank, list);
    reason = H5Eget_current_stack(); /* which closing would forget */
    if (space >= 0)
        H5Sclose(space);
    if (type >= 0)
        H5Tclose(type);
    if (dataset >= 0)
        H5Dclose(dataset);
    H5Eset_current_stack(reason);
    return bad;
}

/* Whose scale it is: references to datasets and their dimensions. */
static int
write_references(const struct packer *w, const char *name)
{
    struct use {
        hobj_ref_t dataset;
        uint64_t dimension;
    } *use = calloc(w->n_links, sizeof *use);
    hid_t scale = H5Dopen2(w->file, name, H5P_DEFAULT);
    hid_t stored = H5Tcreate(H5T_COMPOUND, sizeof(hobj_ref_t) + 4);
    hid_t memory = H5Tcreate(H5T_COMPOUND, sizeof *use);
    hid_t reason;
    hsize_t n = 0;
    size_t i;
    int bad = !use || scale < 0 || stored < 0 || memory < 0 ||
              H5Tinsert(stored, "dataset", 0, H5T_STD_REF_OBJ) < 0 ||
              H5Tinsert(stored, "dimension", sizeof(hobj_ref_t), H5T_STD_I32LE) < 0 ||
              H5Tinsert(memory, "dataset", 0, H5T_STD_REF_OBJ) < 0 ||
              H5Tinsert(memory, "dimension", offsetof(struct use, dimension), H5T_NATIVE_UINT64) <
                  0;

    for (i = 0; i < w->n_links && !bad; i++) {
        if (strcmp(w->link[i].scale, name))
            continue;
        use[n].dimension = w->link[i].dimension;
        bad = H5Rcreate(&use[n++].dataset, w->file, w->link[i].dataset, H5R_OBJECT, -1) < 0;
    }
    bad = bad || iris_h5_put(scale, "REFERENCE_LIST", stored, memory, n, use);
    reason = H5Eget_current_stack();
    if (memory >= 0)
        H5Tclose(memory);
    if (stored >= 0)
        H5Tclose(stored);
    if (scale >= 0)
        H5Dclose(scale);
    H5Eset_current_stack(reason);
    free(use);
    return bad;
}

enum iris_status
iris_pack_links(const struct packer *w, struct iris_err *err)
{
    size_t i;

    for (i = 0; i < w->n_links; i++) {
        if (is_first(w, i, 0) && write_dimensions(w, w->link[i].dataset))
            return iris_pack_fail(w, w->link[i].dataset, err);
        if (is_first(w, i, 1) && write_references(w, w->link[i].scale))
            return iris_pack_fail(w, w->link[i].scale, err);
    }
    return IRIS_OK;
}

/* ---- axes ---- */

static int
describe(hid_t scale, const char *name, const char *long_name, const char *units)
{
    return scale < 0 || iris_h5_put_terminated(scale, "CLASS", "DIMENSION_SCALE") ||
           iris_h5_put_terminated(scale, "NAME", name) ||
           iris_h5_put_text(scale, "long_name", long_name) ||
           (units && iris_h5_put_text(scale, "units", units));
}

/* n numbers of an axis of steps numbers from lo to hi, from the one at first on. */
static hid_t
numbers(const struct packer *w, const char *name, double lo, double hi, size_t steps, size_t first,
        size_t n)
{
    double *value = malloc(n * sizeof *value),
           step = steps > 1 ? (hi - lo) / (double)(steps - 1) : 0;
    hsize_t size = n;
    hid_t scale = -1;
    size_t i;

    for (i = 0; value && i < n; i++)
        value[i] = first + i + 1 == steps && steps > 1 ? hi : lo + (double)(first + i) * step;
    if (value)
        scale = iris_h5_put_array(w->file, name, 1, &size, value);
    free(value);
    return scale;
}

/* Describe a new scale, and link it to that dimension of the arrays from a to b. */
static enum iris_status
put(struct packer *w, hid_t scale, const char *name, const char *long_name, const char *units,
    size_t a, size_t b, const unsigned dimension[2], struct iris_err *err)
{
    enum iris_status st = IRIS_OK;

    if (iris_h5_put_end(scale, describe(scale, name, long_name, units)))
        st = iris_pack_fail(w, name, err);
    for (; a < b && a < 2 && !st; a++)
        st = iris_pack_link(w, iris_kind_file(w->array[a].kind), dimension[a], name, err);
    return st;
}

static hid_t
counted(const struct packer *w, const char *name, size_t n, uint64_t from)
{
    uint64_t *value = malloc(n * sizeof *value);
    hid_t scale = -1;
    size_t i;

    for (i = 0; value && i < n; i++)
        value[i] = from + i;
    if (value)
        scale = iris_h5_put_row(w->file, name, H5T_STD_U64LE, H5T_NATIVE_UINT64, n, value);
    free(value);
    return scale;
}

static enum iris_status
pair_axes(struct packer *w, struct iris_err *err)
{
    const struct iris_settings *s = &w->p->settings;
    const struct iris_shape *column = &w->array[0].entry, *observed = &w->array[1].entry;
    enum iris_status st;

    st = put(w, counted(w, "plane", 1, 0), "plane", "the one plane of a column map", NULL, 0, 1,
             (unsigned[]){1, 0}, err);
    if (!st)
        st = put(w,
                 numbers(w, "distance", s->coordinate.r_min, s->coordinate.r_max,
                         (size_t)s->coordinate.r_steps, (size_t)s->coordinate.r_crop_min,
                         column->dim[1]),
                 "distance", "distance from the observer", "parsec", 0, 1, (unsigned[]){2, 0}, err);
    if (!st)
        st = put(w,
                 numbers(w, "longitude", s->coordinate.lon_min, s->coordinate.lon_max,
                         column->dim[2], 0, column->dim[2]),
                 "longitude", "galactic longitude", "degree", 0, 2, (unsigned[]){3, 2}, err);
    if (!st)
        st = put(w, counted(w, "line", observed->dim[0], 1), "line",
                 "number of the spectral line, in the order of observer_hyper.transition", NULL, 1,
                 2, (unsigned[]){0, 1}, err);
    if (!st)
        st = put(w,
                 numbers(w, "velocity", s->cube.v_min, s->cube.v_max, observed->dim[2], 0,
                         observed->dim[2]),
                 "velocity", "velocity towards the observer", "km s-1", 1, 2, (unsigned[]){0, 3},
                 err);
    return st;
}

static enum iris_status
tensor_axes(struct packer *w, struct iris_err *err)
{
    static const char *const field[IRIS_TENSOR_CHANNELS] = {"v_r",  "rho",  "T",
                                                            "x_H2", "x_CO", "T_dust"};
    const struct iris_settings *s = &w->p->settings;
    const struct iris_shape *x = &w->array[0].entry;
    enum iris_status st;

    st = put(w, iris_h5_put_texts(w->file, "field", IRIS_TENSOR_CHANNELS, field), "field",
             "physical quantity", NULL, 0, 1, (unsigned[]){1, 0}, err);
    if (!st)
        st = put(w,
                 numbers(w, "distance", s->coordinate.r_min, s->coordinate.r_max, x->dim[1], 0,
                         x->dim[1]),
                 "distance", "distance from the observer", "parsec", 0, 1, (unsigned[]){2, 0}, err);
    if (!st)
        st = put(w,
                 numbers(w, "longitude", s->coordinate.lon_min, s->coordinate.lon_max, x->dim[2], 0,
                         x->dim[2]),
                 "longitude", "galactic longitude", "degree", 0, 1, (unsigned[]){3, 0}, err);
    if (!st)
        st = put(w,
                 numbers(w, "latitude", s->coordinate.lat_min, s->coordinate.lat_max, x->dim[3], 0,
                         x->dim[3]),
                 "latitude", "galactic latitude", "degree", 0, 1, (unsigned[]){4, 0}, err);
    return st;
}

enum iris_status
iris_pack_axes(struct packer *w, struct iris_err *err)
{
    enum iris_status st;

    st = put(w, counted(w, "entry", w->n, 0), "entry", "place in the published order, from 0", NULL,
             0, w->n_arrays, (unsigned[]){0, 0}, err);
    if (st)
        return st;
    return w->p->attributes.type == IRIS_STANDARD ? tensor_axes(w, err) : pair_axes(w, err);
}
