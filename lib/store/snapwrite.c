#include "snapwrite.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "file.h"
#include "h5.h"
#include "h5put.h"

#define CHUNK_ROWS 65536
#define DEFLATE    4

/* The datasets of PartType0: what AREPO says about each, and where it lies in
 * a struct iris_snap_cells. */
enum column { COORDINATES, VELOCITIES, DENSITY, ENERGY, MASSES, IDS, ABUNDANCES, DUST, COLUMNS };

struct field {
    const char *name;
    hsize_t width;
    int always_wide;
    int length, mass, velocity; /* powers of the units */
    int dimensionless;
};

static const struct field fields[COLUMNS] = {
    [COORDINATES] = {"Coordinates", 3, 1, 1, 0, 0, 0},
    [VELOCITIES] = {"Velocities", 3, 0, 0, 0, 1, 0},
    [DENSITY] = {"Density", 1, 0, -3, 1, 0, 0},
    [ENERGY] = {"InternalEnergy", 1, 0, 0, 0, 2, 0},
    [MASSES] = {"Masses", 1, 0, 0, 1, 0, 0},
    [IDS] = {"ParticleIDs", 1, 0, 0, 0, 0, 1},
    [ABUNDANCES] = {"ChemicalAbundances", 3, 0, 0, 0, 0, 1},
    [DUST] = {"DustTemperature", 1, 0, 0, 0, 0, 0},
};

struct iris_snapwriter {
    struct iris_snap_header header;
    struct iris_outfile out;
    hid_t file;
    hid_t dataset[COLUMNS];
    uint64_t written;
};

static enum iris_status
fail(const struct iris_snapwriter *w, const char *object, struct iris_err *err)
{
    return iris_h5_fail(err, IRIS_E_IO, "write", object, w->out.tmp);
}

static int
put_units(hid_t group, const struct iris_snap_header *h)
{
    return iris_h5_put_double(group, "UnitLength_in_cm", h->unit_length_cm) ||
           iris_h5_put_double(group, "UnitMass_in_g", h->unit_mass_g) ||
           iris_h5_put_double(group, "UnitVelocity_in_cm_per_s", h->unit_velocity_cm_per_s);
}

/* Counts of the six particle types, of which only gas is there. */
static int
put_counts(hid_t group, const struct iris_snap_header *h)
{
    int32_t here[6] = {(int32_t)h->cells};
    uint32_t total[6] = {(uint32_t)h->cells_total};
    uint32_t high[6] = {(uint32_t)(h->cells_total >> 32)};
    double masses[6] = {0};

    return iris_h5_put(group, "NumPart_ThisFile", H5T_STD_I32LE, H5T_NATIVE_INT32, 6, here) ||
           iris_h5_put(group, "NumPart_Total", H5T_STD_U32LE, H5T_NATIVE_UINT32, 6, total) ||
           iris_h5_put(group, "NumPart_Total_HighWord", H5T_STD_U32LE, H5T_NATIVE_UINT32, 6,
                       high) ||
           iris_h5_put(group, "MassTable", H5T_IEEE_F64LE, H5T_NATIVE_DOUBLE, 6, masses);
}

static int
put_header(hid_t group, const struct iris_snap_header *h)
{
    return iris_h5_put_double(group, "BoxSize", h->box_size) || put_counts(group, h) ||
           iris_h5_put_int(group, "NumFilesPerSnapshot", h->files) ||
           iris_h5_put_int(group, "Flag_DoublePrecision", h->wide) ||
           iris_h5_put_double(group, "Time", h->time) || iris_h5_put_double(group, "Redshift", 0) ||
           iris_h5_put_double(group, "HubbleParam", 1) || iris_h5_put_double(group, "Omega0", 0) ||
           iris_h5_put_double(group, "OmegaLambda", 0) ||
           iris_h5_put_double(group, "OmegaBaryon", 0) || put_units(group, h);
}

static int
put_parameters(hid_t group, const struct iris_snap_header *h)
{
    return iris_h5_put_int(group, "ComovingIntegrationOn", 0) ||
           iris_h5_put_double(group, "BoxSize", h->box_size) ||
           iris_h5_put_double(group, "HubbleParam", 1) || put_units(group, h);
}

static int
put_nothing(hid_t group, const struct iris_snap_header *h)
{
    (void)group;
    (void)h;
    return 0;
}

static enum iris_status
make_group(struct iris_snapwriter *w, const char *name,
           int (*fill)(hid_t, const struct iris_snap_header *), struct iris_err *err)
{
    hid_t group = H5Gcreate2(w->file, name, H5P_DEFAULT, H5P_DEFAULT, H5P_DEFAULT);
    enum iris_status st = IRIS_OK;

    if (group < 0 || fill(group, &w->header))
        st = fail(w, name, err);
    if (group >= 0)
        H5Gclose(group);
    return st;
}

static double
power(double base, int exponent)
{
    double v = 1;

    for (; exponent > 0; exponent--)
        v *= base;
    for (; exponent < 0; exponent++)
        v /= base;
    return v;
}

static int
put_scalings(hid_t dataset, const struct field *f, const struct iris_snap_header *h)
{
    double cgs = power(h->unit_length_cm, f->length) * power(h->unit_mass_g, f->mass) *
                 power(h->unit_velocity_cm_per_s, f->velocity);

    /* AREPO writes 0 for what has no dimension */
    return iris_h5_put_double(dataset, "a_scaling", 0) ||
           iris_h5_put_double(dataset, "h_scaling", 0) ||
           iris_h5_put_double(dataset, "length_scaling", f->length) ||
           iris_h5_put_double(dataset, "mass_scaling", f->mass) ||
           iris_h5_put_double(dataset, "velocity_scaling", f->velocity) ||
           iris_h5_put_double(dataset, "to_cgs", f->dimensionless ? 0 : cgs);
}

static hid_t
stored_type(const struct iris_snap_header *h, int column)
{
    if (column == IDS)
        return h->cells_total > UINT32_MAX ? H5T_STD_U64LE : H5T_STD_U32LE;
    return h->wide || fields[column].always_wide ? H5T_IEEE_F64LE : H5T_IEEE_F32LE;
}

static hid_t
creation_properties(const struct iris_snap_header *h, const struct field *f)
{
    hsize_t chunk[2] = {h->cells < CHUNK_ROWS ? h->cells : CHUNK_ROWS, f->width};
    hid_t p = H5Pcreate(H5P_DATASET_CREATE);
    int bad = p < 0 || H5Pset_obj_track_times(p, 0) < 0;

    bad |= H5Pset_fill_time(p, H5D_FILL_TIME_NEVER) < 0;
    if (h->compress)
        bad |= H5Pset_chunk(p, f->width > 1 ? 2 : 1, chunk) < 0 || H5Pset_shuffle(p) < 0 ||
               H5Pset_deflate(p, DEFLATE) < 0;
    if (bad && p >= 0) {
        H5Pclose(p);
        return -1;
    }
    return p;
}

static enum iris_status
make_dataset(struct iris_snapwriter *w, int column, struct iris_err *err)
{
    const struct field *f = &fields[column];
    hsize_t size[2] = {w->header.cells, f->width};
    hid_t space = H5Screate_simple(f->width > 1 ? 2 : 1, size, NULL);
    hid_t how = creation_properties(&w->header, f);
    enum iris_status st = IRIS_OK;
    char path[64];

    snprintf(path, sizeof path, "PartType0/%s", f->name);
    if (space >= 0 && how >= 0)
        w->dataset[column] = H5Dcreate2(w->file, path, stored_type(&w->header, column), space,
                                        H5P_DEFAULT, how, H5P_DEFAULT);
    if (w->dataset[column] < 0 || put_scalings(w->dataset[column], f, &w->header))
        st = fail(w, path, err);
    if (how >= 0)
        H5Pclose(how);
    if (space >= 0)
        H5Sclose(space);
    return st;
}

static enum iris_status
make_layout(struct iris_snapwriter *w, struct iris_err *err)
{
    enum iris_status st = IRIS_OK;
    int column;

    w->file = iris_h5_create(w->out.tmp, 1);
    if (w->file < 0)
        st = fail(w, "/", err);
    if (!st)
        st = make_group(w, "Config", put_nothing, err);
    if (!st)
        st = make_group(w, "Header", put_header, err);
    if (!st)
        st = make_group(w, "Parameters", put_parameters, err);
    if (!st)
        st = make_group(w, "PartType0", put_nothing, err);
    for (column = 0; !st && column < COLUMNS; column++)
        st = make_dataset(w, column, err);
    return st;
}

uint64_t
iris_snapwrite_bytes(const struct iris_snap_header *header)
{
    uint64_t row = 0;
    int column;

    for (column = 0; column < COLUMNS; column++)
        row += fields[column].width * H5Tget_size(stored_type(header, column));
    return row * header->cells;
}

enum iris_status
iris_snapwrite_open(struct iris_snapwriter **w, const char *path,
                    const struct iris_snap_header *header, struct iris_err *err)
{
    struct iris_snapwriter *new;
    enum iris_status st;
    int column;

    *w = NULL;
    if (header->cells < 1 || header->cells > INT32_MAX)
        return iris_fail(err, IRIS_E_USAGE,
                         "cannot put %llu cells into one file: need 1 to 2147483647",
                         (unsigned long long)header->cells);
    new = calloc(1, sizeof *new);
    if (!new)
        return iris_fail_memory(err);
    new->header = *header;
    new->file = -1;
    for (column = 0; column < COLUMNS; column++)
        new->dataset[column] = -1;
    st = iris_outfile_open(&new->out, path, err);
    if (st) {
        free(new);
        return st;
    }
    iris_h5_begin();
    st = make_layout(new, err);
    if (st)
        iris_snapwrite_abort(new);
    else
        *w = new;
    return st;
}

static const void *
column_data(const struct iris_snap_cells *c, int column)
{
    switch (column) {
    case COORDINATES:
        return c->coordinates;
    case VELOCITIES:
        return c->velocities;
    case DENSITY:
        return c->density;
    case ENERGY:
        return c->internal_energy;
    case MASSES:
        return c->masses;
    case ABUNDANCES:
        return c->abundances;
    case DUST:
        return c->dust_temperature;
    default:
        return c->ids;
    }
}

static enum iris_status
write_column(struct iris_snapwriter *w, int column, size_t count, const void *data,
             struct iris_err *err)
{
    int rank = fields[column].width > 1 ? 2 : 1;
    hsize_t start[2] = {w->written, 0}, size[2] = {count, fields[column].width};
    hid_t type = column == IDS ? H5T_NATIVE_UINT64 : H5T_NATIVE_DOUBLE;
    hid_t memory = H5Screate_simple(rank, size, NULL);
    hid_t space = H5Dget_space(w->dataset[column]);
    enum iris_status st = IRIS_OK;
    char path[64];

    if (memory < 0 || space < 0 ||
        H5Sselect_hyperslab(space, H5S_SELECT_SET, start, NULL, size, NULL) < 0 ||
        H5Dwrite(w->dataset[column], type, memory, space, H5P_DEFAULT, data) < 0) {
        snprintf(path, sizeof path, "PartType0/%s", fields[column].name);
        st = fail(w, path, err);
    }
    if (space >= 0)
        H5Sclose(space);
    if (memory >= 0)
        H5Sclose(memory);
    return st;
}

enum iris_status
iris_snapwrite_cells(struct iris_snapwriter *w, size_t count, const struct iris_snap_cells *cells,
                     struct iris_err *err)
{
    enum iris_status st = IRIS_OK;
    int column;

    if (count > w->header.cells - w->written)
        return iris_fail(err, IRIS_E_BUG, "'%s' takes %llu cells and was given more", w->out.path,
                         (unsigned long long)w->header.cells);
    iris_h5_begin();
    for (column = 0; !st && column < COLUMNS; column++)
        st = write_column(w, column, count, column_data(cells, column), err);
    w->written += count;
    return st;
}

static int
close_all(struct iris_snapwriter *w)
{
    int column, bad = 0;

    for (column = 0; column < COLUMNS; column++) {
        if (w->dataset[column] >= 0)
            bad |= H5Dclose(w->dataset[column]) < 0;
        w->dataset[column] = -1;
    }
    if (w->file >= 0)
        bad |= H5Fclose(w->file) < 0;
    w->file = -1;
    return bad;
}

enum iris_status
iris_snapwrite_commit(struct iris_snapwriter *w, struct iris_err *err)
{
    enum iris_status st = IRIS_OK;

    if (w->written != w->header.cells)
        st = iris_fail(err, IRIS_E_BUG, "'%s' takes %llu cells and was given %llu", w->out.path,
                       (unsigned long long)w->header.cells, (unsigned long long)w->written);
    iris_h5_begin();
    if (close_all(w) && !st)
        st = fail(w, "/", err);
    if (st) {
        iris_snapwrite_abort(w);
        return st;
    }
    st = iris_outfile_commit(&w->out, err);
    free(w);
    return st;
}

void
iris_snapwrite_abort(struct iris_snapwriter *w)
{

    if (!w)
        return;
    iris_h5_begin();
    close_all(w);
    iris_outfile_abort(&w->out);
    free(w);
}
