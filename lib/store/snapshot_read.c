#include "snapshot_read.h"

#include <inttypes.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "elementary.h"
#include "h5.h"
#include "sampler.h"

enum { ROWS = 32768, MAX_COLUMNS = 256 };

/* The datasets, and how each scales in a comoving run that does not say
 * (value * a^a * h^h is physical). */
enum dataset { COORDINATES, VELOCITIES, DENSITY, ENERGY, ABUNDANCES, DUST, DATASETS };

static const struct {
    const char *path;
    size_t columns; /* 0: whatever it has */
    double a, h;
} known[DATASETS] = {
    [COORDINATES] = {"PartType0/Coordinates", 3, 1, -1},
    [VELOCITIES] = {"PartType0/Velocities", 3, 0.5, 0},
    [DENSITY] = {"PartType0/Density", 1, -3, 2},
    [ENERGY] = {"PartType0/InternalEnergy", 1, 0, 0},
    [ABUNDANCES] = {"PartType0/ChemicalAbundances", 0, 0, 0},
    [DUST] = {"PartType0/DustTemperature", 1, 0, 0},
};

/* One load. */
struct job {
    const struct iris_settings *s;
    const struct iris_snapshot_meta *meta;
    struct iris_cells *cells;
    struct iris_digest *content[DATASETS]; /* NULL: not read */
    double *chunk;
    double unit[DATASETS]; /* code to processing units, of this file */
    double energy_si;      /* u in J/kg per code unit */
    int want_T, want_H2, want_CO;
};

double
iris_snapshot_claimed(hid_t file, const char *name)
{
    char high_name[64];
    double count = -1;
    int word;

    for (word = 1; word >= 0; word--) {
        double v[64];
        hid_t attribute, space;
        hssize_t n;

        snprintf(high_name, sizeof high_name, "%s%s", name, word ? "_HighWord" : "");
        if (!iris_h5_has_attribute(file, "Header", high_name))
            continue;
        attribute = H5Aopen_by_name(file, "Header", high_name, H5P_DEFAULT, H5P_DEFAULT);
        space = H5Aget_space(attribute);
        n = H5Sget_simple_extent_npoints(space);
        if (n >= 1 && n <= 64 && H5Aread(attribute, H5T_NATIVE_DOUBLE, v) >= 0)
            count = word ? v[0] * 4294967296.0 : (count > 0 ? count : 0) + v[0];
        H5Sclose(space);
        H5Aclose(attribute);
    }
    return count;
}

enum iris_status
iris_snapshot_open_rows(const struct iris_part *p, const char *path, size_t n, size_t *columns,
                        hid_t *dataset, struct iris_err *err)
{
    hsize_t dims[2] = {0, 1};
    H5T_class_t class;
    hid_t space, type;
    int rank;

    *dataset = H5Dopen2(p->file, path, H5P_DEFAULT);
    if (*dataset < 0)
        return iris_h5_fail(err, IRIS_E_DATA, "open", path, p->name);
    space = H5Dget_space(*dataset);
    type = H5Dget_type(*dataset);
    class = H5Tget_class(type);
    rank = H5Sget_simple_extent_ndims(space);
    if (rank == 1 || rank == 2)
        H5Sget_simple_extent_dims(space, dims, NULL);
    H5Tclose(type);
    H5Sclose(space);
    if (class != H5T_FLOAT && class != H5T_INTEGER)
        return iris_fail(err, IRIS_E_DATA, "'%s': dataset '%s' does not hold numbers", p->name,
                         path);
    if (rank < 1 || rank > 2 || dims[0] != n || dims[1] < 1 || dims[1] > MAX_COLUMNS ||
        (*columns && dims[1] != *columns)) {
        char wanted[64];

        if (*columns == 1)
            snprintf(wanted, sizeof wanted, "(%zu)", n);
        else if (*columns)
            snprintf(wanted, sizeof wanted, "(%zu, %zu)", n, *columns);
        else
            snprintf(wanted, sizeof wanted, "(%zu, species)", n);
        return iris_fail(
            err, IRIS_E_DATA, "'%s': dataset '%s' has the shape (%llu, %llu) of rank %d, not %s",
            p->name, path, (unsigned long long)dims[0], (unsigned long long)dims[1], rank, wanted);
    }
    *columns = (size_t)dims[1];
    return iris_h5_check_virtual(p->path, path, *dataset, err);
}

enum iris_status
iris_snapshot_read_rows(const struct iris_part *p, const char *path, hid_t dataset, size_t first,
                        size_t n, size_t columns, double *row, struct iris_err *err)
{
    hsize_t start[2] = {first, 0}, count[2] = {n, columns};
    hid_t space = H5Dget_space(dataset), memory = H5Screate_simple(2, count, NULL);
    enum iris_status st = IRIS_OK;

    if (H5Sselect_hyperslab(space, H5S_SELECT_SET, start, NULL, count, NULL) < 0 ||
        H5Dread(dataset, H5T_NATIVE_DOUBLE, memory, space, H5P_DEFAULT, row) < 0)
        st = iris_h5_fail(err, IRIS_E_DATA, "read", path, p->name);
    H5Sclose(memory);
    H5Sclose(space);
    return st;
}

enum iris_status
iris_snapshot_count(const struct iris_part *p, size_t *n, struct iris_err *err)
{
    const char *path = known[COORDINATES].path;
    hsize_t dims[2] = {0, 0};
    hid_t dataset, space;
    int rank;

    *n = 0;
    if (!iris_h5_has(p->file, "PartType0"))
        return IRIS_OK;
    if (!iris_h5_has(p->file, path))
        return iris_fail(err, IRIS_E_DATA, "'%s' has no dataset '%s'", p->name, path);
    dataset = H5Dopen2(p->file, path, H5P_DEFAULT);
    if (dataset < 0)
        return iris_h5_fail(err, IRIS_E_DATA, "open", path, p->name);
    space = H5Dget_space(dataset);
    rank = H5Sget_simple_extent_ndims(space);
    if (rank == 2)
        H5Sget_simple_extent_dims(space, dims, NULL);
    H5Sclose(space);
    H5Dclose(dataset);
    if (rank != 2 || dims[1] != 3)
        return iris_fail(err, IRIS_E_DATA, "'%s': dataset '%s' is not of shape (cells, 3)", p->name,
                         path);
    *n = (size_t)dims[0];
    return IRIS_OK;
}

static enum iris_status
missing(const struct iris_part *p, enum dataset d, struct iris_err *err)
{
    static const char *const way_out[DATASETS] = {
        [ABUNDANCES] = "; set dataset_hyper.use_AREPO_abundances to false to run without",
        [DUST] = "; set suite_hyper.dust_temperature to run without",
    };

    return iris_fail(err, IRIS_E_DATA, "'%s' has no dataset '%s'%s", p->name, known[d].path,
                     way_out[d] ? way_out[d] : "");
}

double
iris_snapshot_physical(const struct iris_snapshot_meta *meta, const struct iris_part *p,
                       const char *path, double a, double h)
{
    double unused;
    int says = iris_h5_attribute(p->file, path, "a_scaling", &unused) &&
               iris_h5_attribute(p->file, path, "h_scaling", &unused);

    if (says) {
        iris_h5_attribute(p->file, path, "a_scaling", &a);
        iris_h5_attribute(p->file, path, "h_scaling", &h);
    } else if (!meta->comoving) {
        a = h = 0;
    }
    if (!meta->comoving)
        a = 0;
    return (a != 0 ? iris_pow(meta->a, a) : 1) * (h != 0 ? iris_pow(meta->h, h) : 1);
}

static double
physical(const struct job *job, const struct iris_part *p, enum dataset d)
{
    return iris_snapshot_physical(job->meta, p, known[d].path, known[d].a, known[d].h);
}

/* Put rows of a dataset, as read, where they belong. `at` is the number of the
 * first cell. */
static void
store(const struct job *job, enum dataset d, const double *row, size_t columns, size_t n, size_t at)
{
    const struct iris_settings *s = job->s;
    struct iris_cells *c = job->cells;
    double unit = job->unit[d];
    size_t i;
    int k;

    for (i = 0; i < n; i++, row += columns) {
        struct iris_gas *gas = &c->gas[at + i];

        switch (d) {
        case COORDINATES:
            c->x[at + i] = row[0];
            c->y[at + i] = row[1];
            c->z[at + i] = row[2];
            break;
        case VELOCITIES:
            for (k = 0; k < 3; k++)
                gas->v[k] = (float)(row[k] * unit);
            break;
        case DENSITY:
            gas->rho = (float)(row[0] * unit);
            break;
        case ABUNDANCES:
            gas->x_H2 = (float)row[s->dataset.H2_column];
            if (job->want_CO)
                gas->x_CO = (float)row[s->dataset.CO_column];
            /* kept here until the energy is read */
            if (job->want_T)
                gas->T = (float)row[s->dataset.H_plus_column];
            break;
        case ENERGY: {
            /* double: x_H+ and x_H2 went through single precision, which is
             * what the files hold */
            double particles = 1 + (double)gas->T - (double)gas->x_H2 + s->observer.abundance_He;
            double mu = s->observer.m_H + s->observer.abundance_He * s->observer.m_He;
            double T = 2.0 / 3.0 * row[0] * job->energy_si * mu / (s->observer.k * particles);

            gas->T = T > s->observer.T_inf ? (float)INFINITY : (float)(T * unit);
            break;
        }
        case DUST:
            gas->T_dust = (float)(row[0] * unit);
            break;
        case DATASETS:
            break;
        }
    }
}

/* Which columns of a row are used, so must be finite and count as content. */
static size_t
used_columns(const struct job *job, enum dataset d, size_t columns, size_t used[3])
{
    size_t n = 0, i;

    if (d != ABUNDANCES) {
        for (i = 0; i < columns; i++)
            used[n++] = i;
        return n;
    }
    used[n++] = (size_t)job->s->dataset.H2_column;
    if (job->want_T)
        used[n++] = (size_t)job->s->dataset.H_plus_column;
    if (job->want_CO)
        used[n++] = (size_t)job->s->dataset.CO_column;
    return n;
}

static enum iris_status
check_values(const struct job *job, const struct iris_part *p, enum dataset d, const double *row,
             size_t columns, size_t n, size_t at, struct iris_err *err)
{
    size_t used[3], n_used = used_columns(job, d, columns, used), i, k;

    for (i = 0; i < n; i++) {
        double value[3];

        for (k = 0; k < n_used; k++) {
            value[k] = row[i * columns + used[k]];
            if (!isfinite(value[k]))
                return iris_fail(err, IRIS_E_DATA, "'%s': dataset '%s' is %s at cell %zu", p->name,
                                 known[d].path, isnan(value[k]) ? "not a number" : "infinite",
                                 at + i);
        }
        iris_digest_add(job->content[d], value, n_used * sizeof *value);
    }
    return IRIS_OK;
}

static enum iris_status
check_columns(const struct job *job, const struct iris_part *p, size_t columns,
              struct iris_err *err)
{
    const struct {
        const char *key;
        int64_t column;
        int wanted;
    } id[] = {{"AREPO_H2_abundance_id", job->s->dataset.H2_column, 1},
              {"AREPO_H_plus_abundance_id", job->s->dataset.H_plus_column, job->want_T},
              {"AREPO_CO_abundance_id", job->s->dataset.CO_column, job->want_CO}};
    size_t i;

    for (i = 0; i < sizeof id / sizeof id[0]; i++) {
        if (id[i].wanted && id[i].column >= (int64_t)columns)
            return iris_fail(
                err, IRIS_E_DATA,
                "'%s': dataset '%s' has %zu species, so dataset_hyper.%s cannot be %lld", p->name,
                known[ABUNDANCES].path, columns, id[i].key, (long long)id[i].column);
    }
    return IRIS_OK;
}

/* One dataset of one file, in pieces. */
static enum iris_status
read_dataset(struct job *job, const struct iris_part *p, enum dataset d, size_t n, size_t first,
             struct iris_err *err)
{
    size_t columns = known[d].columns, done = 0;
    hid_t dataset = -1;
    enum iris_status st;

    if (!iris_h5_has(p->file, known[d].path))
        return missing(p, d, err);
    st = iris_snapshot_open_rows(p, known[d].path, n, &columns, &dataset, err);
    if (!st && d == ABUNDANCES)
        st = check_columns(job, p, columns, err);
    while (!st && done < n) {
        size_t rows = n - done < ROWS ? n - done : ROWS;

        st = iris_snapshot_read_rows(p, known[d].path, dataset, done, rows, columns, job->chunk,
                                     err);
        if (!st)
            st = check_values(job, p, d, job->chunk, columns, rows, done, err);
        if (!st)
            store(job, d, job->chunk, columns, rows, first + done);
        done += rows;
        if (!st && job->meta->pause && job->meta->pause(job->meta->pause_self))
            st = iris_fail(err, IRIS_E_RETRY, "stopped");
    }
    if (dataset >= 0)
        H5Dclose(dataset);
    return st;
}

/* Values of cells without chemistry or with a stated dust temperature. */
static void
set_constants(const struct job *job)
{
    const struct iris_settings *s = job->s;
    float dust = isnan(s->suite.dust_temperature)
                     ? 0
                     : (float)(s->suite.dust_temperature / s->writer.temperature_K);
    size_t i;

    for (i = 0; i < job->cells->n; i++) {
        job->cells->gas[i] = (struct iris_gas){.T_dust = dust};
        if (job->want_H2 && !s->dataset.use_abundances)
            job->cells->gas[i].x_H2 = 0.5f;
    }
}

static enum iris_status
set_units(struct job *job, const struct iris_part *p, struct iris_err *err)
{
    const struct iris_settings *s = job->s;
    const struct iris_snapshot_meta *m = job->meta;
    double length = m->length_cm / s->writer.length_cm;
    double mass = m->mass_g / s->writer.mass_g;
    double velocity_si = m->velocity_cm_per_s / 100;
    int d;

    job->unit[COORDINATES] = physical(job, p, COORDINATES);
    job->unit[VELOCITIES] = m->velocity_cm_per_s / s->writer.velocity_cm_per_s *
                            physical(job, p, VELOCITIES);
    job->unit[DENSITY] = mass / (length * length * length) * physical(job, p, DENSITY);
    job->unit[ENERGY] = 1 / s->writer.temperature_K;
    job->unit[DUST] = 1 / s->writer.temperature_K;
    job->energy_si = velocity_si * velocity_si * physical(job, p, ENERGY);
    for (d = 0; d < DATASETS; d++) {
        if (d != ABUNDANCES && !(isfinite(job->unit[d]) && job->unit[d] > 0))
            return iris_fail(err, IRIS_E_DATA,
                             "'%s': the units of '%s' make a factor of %g, with a = %g and h = %g",
                             p->name, known[d].path, job->unit[d], m->a, m->h);
    }
    return IRIS_OK;
}

static enum iris_status
read_part(struct job *job, const char *path, uint64_t part, uint64_t files,
          struct iris_snapshot_meta *meta, struct iris_err *err)
{
    size_t first = meta->first[part], n = meta->first[part + 1] - first;
    /* energy last: it needs the abundances */
    static const enum dataset order[] = {DENSITY, COORDINATES, VELOCITIES,
                                         DUST,    ABUNDANCES,  ENERGY};
    struct iris_part p;
    enum iris_status st;
    size_t i;

    if (!n)
        return IRIS_OK;
    st = iris_snapshot_open_part(path, part, files, &p, err);
    if (st)
        return st;
    st = set_units(job, &p, err);
    meta->coordinate_factor = job->unit[COORDINATES];
    for (i = 0; i < sizeof order / sizeof order[0] && !st; i++) {
        if (job->content[order[i]])
            st = read_dataset(job, &p, order[i], n, first, err);
    }
    iris_snapshot_close_part(&p);
    return st;
}

/* The content: the values read, and what the headers make of them. */
static void
join_digests(const struct job *job, char content[IRIS_DIGEST_TEXT])
{
    struct {
        char values[DATASETS][IRIS_DIGEST_TEXT];
        double unit[DATASETS], energy_si, box;
        int faces, closed[3];
    } all;
    int d;

    memset(&all, 0, sizeof all);
    for (d = 0; d < DATASETS; d++) {
        if (!job->content[d])
            continue;
        iris_digest_text(job->content[d], all.values[d]);
        all.unit[d] = job->unit[d];
    }
    if (job->content[ENERGY])
        all.energy_si = job->energy_si;
    all.unit[COORDINATES] *= job->meta->length_cm;
    all.box = job->meta->box;
    all.faces = (int)job->meta->faces;
    memcpy(all.closed, job->meta->closed, sizeof all.closed);
    iris_digest_memory(&all, sizeof all, content);
}

enum iris_status
iris_snapshot_read(const char *path, uint64_t files, const struct iris_settings *s, unsigned fields,
                   struct iris_snapshot_meta *meta, struct iris_cells *cells,
                   char content[IRIS_DIGEST_TEXT], struct iris_err *err)
{
    struct job job = {.s = s, .meta = meta, .cells = cells};
    int wanted[DATASETS] = {[COORDINATES] = 1};
    enum iris_status st = IRIS_OK;
    uint64_t part;
    int d;

    job.want_T = (fields >> IRIS_T & 1) != 0;
    job.want_CO = (fields >> IRIS_X_CO & 1) != 0;
    job.want_H2 = (fields >> IRIS_X_H2 & 1) != 0 || job.want_T;
    wanted[VELOCITIES] = (fields >> IRIS_V_R & 1) != 0;
    wanted[DENSITY] = (fields >> IRIS_RHO & 1) != 0 || s->suite.centre == IRIS_CENTRE_DENSEST;
    wanted[ENERGY] = job.want_T;
    wanted[ABUNDANCES] = s->dataset.use_abundances && (job.want_H2 || job.want_CO);
    wanted[DUST] = (fields >> IRIS_T_DUST & 1) != 0 && isnan(s->suite.dust_temperature);
    job.chunk = malloc((size_t)ROWS * MAX_COLUMNS * sizeof *job.chunk);
    for (d = 0; d < DATASETS; d++) {
        if (wanted[d] && !(job.content[d] = iris_digest_new()))
            st = iris_fail_memory(err);
    }
    if (!job.chunk)
        st = iris_fail_memory(err);
    if (!st)
        set_constants(&job);
    for (part = 0; part < files && !st; part++)
        st = read_part(&job, path, part, files, meta, err);
    if (!st)
        join_digests(&job, content);
    for (d = 0; d < DATASETS; d++)
        iris_digest_free(job.content[d]);
    free(job.chunk);
    return st;
}
