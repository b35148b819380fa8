#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "aligned.h"
#include "box.h"
#include "container.h"
#include "h5.h"
#include "h5put.h"
#include "npy.h"
#include "num.h"
#include "pack.h"
#include "published.h"
#include "quantity.h"
#include "scan.h"

/* ---- the arrays ---- */

/* A chunk is one entry; where HDF5 has none so large, equal parts of it. */
static void
choose_chunk(const struct iris_shape *entry, hsize_t chunk[1 + IRIS_NPY_DIMS])
{
    const uint64_t most = UINT32_MAX / sizeof(float);
    uint64_t count = 1;
    size_t d;

    chunk[0] = 1;
    for (d = 0; d < entry->n; d++) {
        chunk[1 + d] = entry->dim[d];
        count *= entry->dim[d];
    }
    for (d = 0; d < entry->n && count > most; d++) {
        uint64_t rest = count / chunk[1 + d], parts = (count + most - 1) / most;

        chunk[1 + d] = parts > entry->dim[d] ? 1 : (entry->dim[d] + parts - 1) / parts;
        count = rest * chunk[1 + d];
    }
}

/* Data go to the file as they are written: nothing is kept, filled in or read again. */
static hid_t
create_array(const struct packer *w, const char *name, const struct iris_shape *entry)
{
    hid_t how = H5Pcreate(H5P_DATASET_CREATE), access = H5Pcreate(H5P_DATASET_ACCESS);
    hsize_t size[1 + IRIS_NPY_DIMS], chunk[1 + IRIS_NPY_DIMS];
    hid_t dataset = -1, space, reason;
    size_t d;

    size[0] = w->n;
    for (d = 0; d < entry->n; d++)
        size[1 + d] = entry->dim[d];
    choose_chunk(entry, chunk);
    space = H5Screate_simple(1 + (int)entry->n, size, NULL);
    if (how >= 0 && access >= 0 && space >= 0 && H5Pset_obj_track_times(how, 0) >= 0 &&
        H5Pset_chunk(how, 1 + (int)entry->n, chunk) >= 0 &&
        H5Pset_fill_time(how, H5D_FILL_TIME_NEVER) >= 0 && H5Pset_chunk_cache(access, 0, 0, 0) >= 0)
        dataset = H5Dcreate2(w->file, name, H5T_IEEE_F32LE, space, H5P_DEFAULT, how, access);
    reason = H5Eget_current_stack();
    if (space >= 0)
        H5Sclose(space);
    if (access >= 0)
        H5Pclose(access);
    if (how >= 0)
        H5Pclose(how);
    H5Eset_current_stack(reason);
    return dataset;
}

static enum iris_status
describe_array(const struct packer *w, const struct packed *a, struct iris_err *err)
{
    size_t channels = a->kind == IRIS_TENSOR ? IRIS_TENSOR_CHANNELS : 1, c;
    const char *name[IRIS_TENSOR_CHANNELS], *unit[IRIS_TENSOR_CHANNELS];
    char units[IRIS_TENSOR_CHANNELS][80];
    const char *scaled[IRIS_TENSOR_CHANNELS];
    double factor[IRIS_TENSOR_CHANNELS];
    enum iris_type type = w->p->attributes.type;
    int bad;

    for (c = 0; c < channels; c++) {
        double scaling = iris_quantity_scaling(a->kind, type, c, &w->p->units);
        struct iris_quantity q;
        char number[IRIS_F64_TEXT];

        if (iris_quantity_of(a->kind, type, c, w->p->hyper, &q, err))
            return err->status;
        name[c] = q.name;
        unit[c] = q.cgs;
        factor[c] = q.to_cgs / scaling;
        iris_format_f64(factor[c], number);
        snprintf(units[c], sizeof units[c], "%s %s", number, q.cgs);
        scaled[c] = units[c];
    }
    if (channels == 1)
        bad = iris_h5_put_text(a->dataset, "long_name", name[0]) ||
              iris_h5_put_text(a->dataset, "units", scaled[0]) ||
              iris_h5_put_text(a->dataset, "cgs_units", unit[0]) ||
              iris_h5_put_double(a->dataset, "cgs_factor", factor[0]);
    else
        bad = iris_h5_put_text(a->dataset, "long_name", "physical quantities, see field") ||
              iris_h5_put_text_list(a->dataset, "field_long_name", channels, name) ||
              iris_h5_put_text_list(a->dataset, "field_units", channels, scaled) ||
              iris_h5_put_text_list(a->dataset, "cgs_units", channels, unit) ||
              iris_h5_put(a->dataset, "cgs_factor", H5T_IEEE_F64LE, H5T_NATIVE_DOUBLE, channels,
                          factor);
    return bad ? iris_pack_fail(w, iris_kind_file(a->kind), err) : IRIS_OK;
}

static enum iris_status
create_arrays(struct packer *w, struct iris_err *err)
{
    enum iris_kind kind[2];
    enum iris_status st = IRIS_OK;

    w->n_arrays = iris_type_kinds(w->p->attributes.type, kind);
    for (size_t k = 0; k < w->n_arrays && !st; k++) {
        struct packed *a = &w->array[k];

        a->kind = kind[k];
        iris_kind_shape(a->kind, w->p->attributes.type, &w->p->settings, &a->entry);
        a->dataset = create_array(w, iris_kind_file(a->kind), &a->entry);
        st = a->dataset < 0 ? iris_pack_fail(w, iris_kind_file(a->kind), err)
                            : describe_array(w, a, err);
    }
    return st;
}

/* ---- one entry ---- */

static enum iris_status
copy_values(struct packer *w, const struct packed *a, size_t entry, const struct iris_npy *npy,
            struct iris_scan *scan, struct iris_err *err)
{
    struct iris_scanner scanner = {.scan = NULL};
    enum iris_status st;
    struct iris_box b;

    st = iris_scanner_begin(&scanner, &npy->shape, a->kind == IRIS_TENSOR ? IRIS_SCAN_TENSOR : 0,
                            scan, err);
    if (!st)
        st = iris_npy_hash_header(npy, scanner.hash, err);
    if (!st)
        iris_box_init(&b, &a->entry);
    while (!st && iris_box_next(&b)) {
        st = iris_npy_read_f32(npy, b.first, b.n, w->piece, err);
        if (!st)
            iris_scanner_add(&scanner, w->piece, b.n);
        if (!st && iris_box_write(&b, a->dataset, entry, w->piece))
            st = iris_pack_fail(w, iris_kind_file(a->kind), err);
    }
    iris_scanner_end(&scanner);
    w->bytes += (uint64_t)npy->count * sizeof(float);
    return st;
}

/* Whether a file begins as every array file of ours does. Its hash is then also that
 * of the header that belongs to the shape, and the values. */
static enum iris_status
check_form(const struct iris_npy *a, struct iris_err *err)
{
    struct iris_buf header = {0};
    enum iris_status st;

    iris_npy_header(&a->shape, &header);
    st = iris_buf_check(&header, err);
    if (!st && (a->item != sizeof(float) || a->offset != header.len))
        st = iris_fail(err, IRIS_E_DATA, "'%s' is not in the form that iris-normalize writes",
                       a->path);
    iris_buf_release(&header);
    return st;
}

static enum iris_status
check_shape(const struct packed *a, const struct iris_npy *npy, struct iris_err *err)
{
    char found[128], wanted[128];

    if (iris_shape_equal(&npy->shape, &a->entry))
        return IRIS_OK;
    return iris_fail(err, IRIS_E_DATA, "'%s' has the shape %s, by the settings it is %s", npy->path,
                     iris_shape_text(&npy->shape, found, sizeof found),
                     iris_shape_text(&a->entry, wanted, sizeof wanted));
}

static enum iris_status
pack_array(struct packer *w, size_t k, size_t row, const struct iris_entry *e, struct iris_err *err)
{
    const struct packed *a = &w->array[k];
    char *path = iris_path_join(w->root, e->path[k]);
    struct iris_scan scan = {.bad = 0};
    struct iris_npy npy = {.fd = -1};
    enum iris_status st;

    st = path ? iris_npy_open(path, &npy, err) : iris_fail_memory(err);
    if (!st)
        st = check_shape(a, &npy, err);
    if (!st)
        st = check_form(&npy, err);
    if (!st)
        st = copy_values(w, a, row, &npy, &scan, err);
    if (!st && scan.bad)
        st = iris_fail(err, IRIS_E_DATA,
                       "'%s' has %zu values that are not finite, the first at %zu", path, scan.bad,
                       scan.first_bad);
    if (!st && !e->hash[k])
        st = iris_fail(err, IRIS_E_DATA, "entry '%s': '%s' has no hash", e->id, e->path[k]);
    if (!st && strcmp(e->hash[k], scan.hash))
        st = iris_fail(err, IRIS_E_DATA,
                       "'%s' is not the file that was recorded: its hash is %s, not %s", path,
                       scan.hash, e->hash[k]);
    iris_npy_close(&npy);
    free(path);
    return st;
}

static enum iris_status
pack_entries(struct packer *w, struct iris_pack *pack, struct iris_err *err)
{
    enum iris_status st = IRIS_OK;
    struct iris_entry e;
    size_t r, k;

    for (r = 0; r < w->n && !st; r++) {
        st = iris_entry_get(&w->p->manifest, r, &e, err);
        for (k = 0; k < w->n_arrays && !st; k++)
            st = pack_array(w, k, r, &e, err);
        if (!st && pack->pause && pack->pause(pack->self, r + 1, w->n) && r + 1 < w->n)
            st = iris_fail(err, IRIS_E_RETRY, "stopped by a signal with %zu of %zu entries packed",
                           r + 1, w->n);
    }
    return st;
}

/* ---- the file ---- */

enum iris_status
iris_pack_fail(const struct packer *w, const char *object, struct iris_err *err)
{
    return iris_h5_fail(err, IRIS_E_IO, "write", object, w->path);
}

/* Nothing says that the file is complete before all of it is on disk. */
static enum iris_status
complete(struct packer *w, struct iris_err *err)
{
    size_t k;
    int bad = 0;

    for (k = 0; k < w->n_arrays; k++) {
        bad |= H5Dclose(w->array[k].dataset) < 0;
        w->array[k].dataset = -1;
    }
    if (bad || H5Fflush(w->file, H5F_SCOPE_GLOBAL) < 0)
        return iris_pack_fail(w, "/", err);
    if (iris_outfile_sync(w->out, err))
        return err->status;
    return iris_h5_put_int(w->file, "complete", 1) ? iris_pack_fail(w, "/", err) : IRIS_OK;
}

enum iris_status
iris_pack_frame(struct packer *w, const char *version, struct iris_err *err)
{
    enum iris_status st;

    st = iris_pack_facts(w, version, err);
    if (!st)
        st = create_arrays(w, err);
    if (!st)
        st = iris_pack_axes(w, err);
    if (!st)
        st = iris_pack_rows(w, err);
    if (!st)
        st = iris_pack_links(w, err);
    return st;
}

static enum iris_status
write_file(struct packer *w, struct iris_pack *pack, struct iris_err *err)
{
    enum iris_status st;

    iris_h5_begin();
    w->file = iris_h5_create(w->path, 0);
    st = w->file < 0 ? iris_pack_fail(w, "/", err) : iris_pack_frame(w, pack->version, err);
    if (!st)
        st = iris_pack_settings(w, err);
    if (!st)
        st = pack_entries(w, pack, err);
    if (!st)
        st = complete(w, err);
    iris_pack_release(w);
    if (w->file >= 0 && H5Fclose(w->file) < 0 && !st)
        st = iris_pack_fail(w, "/", err);
    return st;
}

enum iris_status
iris_pack(struct iris_pack *pack, const char *root, struct iris_outfile *out, struct iris_err *err)
{
    struct iris_published p = {.hyper = NULL};
    struct packer w = IRIS_PACKER_INIT(out->tmp, &p);
    enum iris_status st;

    w.root = root;
    w.out = out;
    w.piece = iris_aligned(IRIS_BOX_MOST * sizeof *w.piece);
    st = w.piece ? iris_published_read(root, &p, err) : iris_fail_memory(err);
    w.n = p.manifest.n_rows;
    if (!st)
        st = write_file(&w, pack, err);
    pack->entries = w.n;
    pack->bytes = w.bytes;
    free(w.piece);
    iris_published_release(&p);
    if (!st)
        return iris_outfile_commit(out, err);
    iris_outfile_abort(out);
    return st;
}
