#include "snapshot_read.h"

#include <inttypes.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "elementary.h"
#include "h5.h"
#include "sampler.h"
#include "snapshot_job.h"

enum { ROWS = IRIS_SNAPSHOT_ROWS, MAX_COLUMNS = 256, CHUNK = 8 * ROWS /* values */ };

/* How each scales in a comoving run that does not say (value * a^a * h^h is
 * physical). */
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
    [MASSES] = {"PartType0/Masses", 1, 0, -1},
};

const char *
iris_snapshot_path(enum iris_snapshot_dataset d)
{
    return known[d].path;
}

/* Open a dataset of n rows and so many columns (0: any, returned). */
static enum iris_status
open_dataset(const struct iris_part *p, const char *path, size_t n, size_t *columns, hid_t *dataset,
             struct iris_err *err)
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

static enum iris_status
missing(const struct iris_part *p, enum iris_snapshot_dataset d, struct iris_err *err)
{
    static const char *const way_out[DATASETS] = {
        [ABUNDANCES] = "; set dataset_hyper.use_AREPO_abundances to false to run without",
        [DUST] = "; set suite_hyper.dust_temperature to run without",
    };

    return iris_fail(err, IRIS_E_DATA, "'%s' has no dataset '%s'%s", p->name, known[d].path,
                     way_out[d] ? way_out[d] : "");
}

/* Code units of a dataset to physical code units. */
static double
physical(const struct iris_snapshot_job *job, const struct iris_part *p,
         enum iris_snapshot_dataset d)
{
    double a = 0, h = 0, unused;
    int says = iris_h5_attribute(p->file, known[d].path, "a_scaling", &unused) &&
               iris_h5_attribute(p->file, known[d].path, "h_scaling", &unused);

    if (says) {
        iris_h5_attribute(p->file, known[d].path, "a_scaling", &a);
        iris_h5_attribute(p->file, known[d].path, "h_scaling", &h);
    } else if (job->meta->comoving) {
        a = known[d].a;
        h = known[d].h;
    }
    if (!job->meta->comoving)
        a = 0;
    return (a != 0 ? iris_pow(job->meta->a, a) : 1) * (h != 0 ? iris_pow(job->meta->h, h) : 1);
}

/* Which columns of a row are used, so must be finite and count as content. */
static size_t
used_columns(const struct iris_snapshot_job *job, enum iris_snapshot_dataset d, size_t columns,
             size_t used[3])
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
check_values(const struct iris_snapshot_job *job, const struct iris_part *p,
             enum iris_snapshot_dataset d, const double *row, size_t columns, size_t n, size_t at,
             struct iris_err *err)
{
    size_t used[3], n_used = used_columns(job, d, columns, used), i, k;

    if (d == MASSES) /* no setting and no point depends on them */
        return IRIS_OK;
    for (i = 0; i < n; i++) {
        double value[3];

        for (k = 0; k < n_used; k++) {
            value[k] = row[i * columns + used[k]];
            if (!isfinite(value[k]))
                return iris_fail(err, IRIS_E_DATA, "'%s': dataset '%s' is %s at cell %zu", p->name,
                                 known[d].path, isnan(value[k]) ? "not a number" : "infinite",
                                 at + i);
        }
        if (job->content[d])
            iris_digest_add(job->content[d], value, n_used * sizeof *value);
    }
    return IRIS_OK;
}

static enum iris_status
check_columns(const struct iris_snapshot_job *job, const struct iris_part *p, size_t columns,
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
        if (!id[i].wanted || id[i].column < (int64_t)columns)
            continue;
        job->meta->remedy = IRIS_REMEDY_COLUMNS;
        return iris_fail(err, IRIS_E_DATA,
                         "'%s': dataset '%s' has %zu species, so dataset_hyper.%s cannot be %lld",
                         p->name, known[ABUNDANCES].path, columns, id[i].key,
                         (long long)id[i].column);
    }
    return IRIS_OK;
}

/* The setting that does without a dataset. */
static void
note_remedy(const struct iris_snapshot_job *job, enum iris_snapshot_dataset d)
{
    if (d == DUST)
        job->meta->remedy = IRIS_REMEDY_DUST;
    else if (d == ABUNDANCES && job->meta->remedy != IRIS_REMEDY_COLUMNS)
        job->meta->remedy = IRIS_REMEDY_ABUNDANCES;
}

enum iris_status
iris_snapshot_source_open(const struct iris_snapshot_job *job, const struct iris_part *p,
                          enum iris_snapshot_dataset d, size_t n,
                          struct iris_snapshot_source *source, struct iris_err *err)
{
    enum iris_status st;

    *source = (struct iris_snapshot_source){-1, -1, known[d].columns};
    if (!iris_h5_has(p->file, known[d].path))
        st = missing(p, d, err);
    else
        st = open_dataset(p, known[d].path, n, &source->columns, &source->dataset, err);
    if (!st && d == ABUNDANCES)
        st = check_columns(job, p, source->columns, err);
    if (!st)
        source->space = H5Dget_space(source->dataset);
    if (st) {
        note_remedy(job, d);
        iris_snapshot_source_close(source);
    }
    return st;
}

void
iris_snapshot_source_close(struct iris_snapshot_source *source)
{
    if (source->space >= 0)
        H5Sclose(source->space);
    if (source->dataset >= 0)
        H5Dclose(source->dataset);
    source->space = source->dataset = -1;
}

/* As many rows as the chunk holds. */
static enum iris_status
read_rows(const struct iris_snapshot_job *job, const struct iris_part *p,
          enum iris_snapshot_dataset d, const struct iris_snapshot_source *source, size_t first,
          size_t rows, size_t at, struct iris_err *err)
{
    hsize_t start[2] = {first, 0}, count[2] = {rows, source->columns};
    hid_t memory = H5Screate_simple(2, count, NULL);
    enum iris_status st = IRIS_OK;
    size_t bad;

    if (H5Sselect_hyperslab(source->space, H5S_SELECT_SET, start, NULL, count, NULL) < 0 ||
        H5Dread(source->dataset, H5T_NATIVE_DOUBLE, memory, source->space, H5P_DEFAULT,
                job->chunk) < 0)
        st = iris_h5_fail(err, IRIS_E_DATA, "read", known[d].path, p->name);
    H5Sclose(memory);
    if (!st)
        st = check_values(job, p, d, job->chunk, source->columns, rows, first, err);
    if (st)
        return st;
    bad = iris_snapshot_keep(job, d, source->columns, rows, at);
    if (bad < rows)
        st = iris_fail(err, IRIS_E_DATA,
                       "'%s': dataset '%s' makes no number of single precision at cell %zu",
                       p->name, known[d].path, first + bad);
    return st;
}

enum iris_status
iris_snapshot_source_read(const struct iris_snapshot_job *job, const struct iris_part *p,
                          enum iris_snapshot_dataset d, const struct iris_snapshot_source *source,
                          size_t first, size_t rows, size_t at, struct iris_err *err)
{
    size_t most = CHUNK / source->columns, done, n;
    enum iris_status st = IRIS_OK;

    for (done = 0; done < rows && !st; done += n) {
        n = rows - done < most ? rows - done : most;
        st = read_rows(job, p, d, source, first + done, n, at + done, err);
    }
    if (st)
        note_remedy(job, d);
    return st;
}

/* One dataset of one file, in pieces. */
static enum iris_status
read_dataset(const struct iris_snapshot_job *job, const struct iris_part *p,
             enum iris_snapshot_dataset d, size_t n, size_t first, struct iris_err *err)
{
    struct iris_snapshot_source source;
    size_t done = 0;
    enum iris_status st;

    st = iris_snapshot_source_open(job, p, d, n, &source, err);
    while (!st && done < n) {
        size_t rows = n - done < ROWS ? n - done : ROWS;

        st = iris_snapshot_source_read(job, p, d, &source, done, rows, first + done, err);
        done += rows;
        if (!st && job->meta->pause && job->meta->pause(job->meta->pause_self))
            st = iris_fail(err, IRIS_E_RETRY, "stopped");
    }
    iris_snapshot_source_close(&source);
    return st;
}

/* Values of cells without chemistry or with a stated dust temperature. */
void
iris_snapshot_constants(const struct iris_snapshot_job *job)
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

enum iris_status
iris_snapshot_units(struct iris_snapshot_job *job, const struct iris_part *p, struct iris_err *err)
{
    const struct iris_settings *s = job->s;
    struct iris_snapshot_meta *m = job->meta;
    double length = m->length_cm / s->writer.length_cm;
    double mass = m->mass_g / s->writer.mass_g;
    double velocity_si = m->velocity_cm_per_s / 100;
    int d;

    job->unit[COORDINATES] = physical(job, p, COORDINATES);
    job->unit[VELOCITIES] = m->velocity_cm_per_s / s->writer.velocity_cm_per_s *
                            physical(job, p, VELOCITIES);
    job->unit[DENSITY] = mass / (length * length * length) * physical(job, p, DENSITY);
    job->unit[MASSES] = mass * physical(job, p, MASSES);
    job->unit[ENERGY] = 1 / s->writer.temperature_K;
    job->unit[DUST] = 1 / s->writer.temperature_K;
    job->energy_si = velocity_si * velocity_si * physical(job, p, ENERGY);
    m->coordinate_factor = job->unit[COORDINATES];
    for (d = 0; d < LOADED; d++) {
        if (d != ABUNDANCES && !(isfinite(job->unit[d]) && job->unit[d] > 0))
            return iris_fail(err, IRIS_E_DATA,
                             "'%s': the units of '%s' make a factor of %g, with a = %g and h = %g",
                             p->name, known[d].path, job->unit[d], m->a, m->h);
    }
    return IRIS_OK;
}

/* energy last: it needs the abundances */
const enum iris_snapshot_dataset iris_snapshot_order[LOADED] = {DENSITY, COORDINATES, VELOCITIES,
                                                                DUST,    ABUNDANCES,  ENERGY};

static enum iris_status
read_part(struct iris_snapshot_job *job, const char *path, uint64_t part, uint64_t files,
          struct iris_err *err)
{
    size_t first = job->meta->first[part], n = job->meta->first[part + 1] - first;
    struct iris_part p;
    enum iris_status st;
    size_t i;

    if (!n)
        return IRIS_OK;
    st = iris_snapshot_open_part(path, part, files, &p, err);
    if (st)
        return st;
    st = iris_snapshot_units(job, &p, err);
    for (i = 0; i < LOADED && !st; i++) {
        if (job->wanted[iris_snapshot_order[i]])
            st = read_dataset(job, &p, iris_snapshot_order[i], n, first, err);
    }
    return iris_snapshot_end_part(&p, st, err);
}

/* The content: the values read, and what the headers make of them. */
static void
join_digests(const struct iris_snapshot_job *job, char content[IRIS_DIGEST_TEXT])
{
    struct {
        char values[LOADED][IRIS_DIGEST_TEXT];
        double unit[LOADED], energy_si, box;
        int faces, closed[3];
    } all;
    int d;

    memset(&all, 0, sizeof all);
    for (d = 0; d < LOADED; d++) {
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

void
iris_snapshot_job_want(struct iris_snapshot_job *job, unsigned fields)
{
    const struct iris_settings *s = job->s;
    int *wanted = job->wanted;

    job->want_T = (fields >> IRIS_T & 1) != 0;
    job->want_CO = (fields >> IRIS_X_CO & 1) != 0;
    job->want_H2 = (fields >> IRIS_X_H2 & 1) != 0 || job->want_T;
    wanted[COORDINATES] = 1;
    wanted[VELOCITIES] = (fields >> IRIS_V_R & 1) != 0;
    wanted[DENSITY] = (fields >> IRIS_RHO & 1) != 0 || s->suite.centre == IRIS_CENTRE_DENSEST;
    wanted[ENERGY] = job->want_T;
    wanted[ABUNDANCES] = s->dataset.use_abundances && (job->want_H2 || job->want_CO);
    wanted[DUST] = (fields >> IRIS_T_DUST & 1) != 0 && isnan(s->suite.dust_temperature);
}

enum iris_status
iris_snapshot_job_begin(struct iris_snapshot_job *job, unsigned fields, struct iris_err *err)
{
    iris_snapshot_job_want(job, fields);
    job->chunk = malloc(CHUNK * sizeof *job->chunk);
    return job->chunk ? IRIS_OK : iris_fail_memory(err);
}

enum iris_status
iris_snapshot_read(const char *path, uint64_t files, const struct iris_settings *s, unsigned fields,
                   struct iris_snapshot_meta *meta, struct iris_cells *cells,
                   char content[IRIS_DIGEST_TEXT], struct iris_err *err)
{
    struct iris_snapshot_job job = {.s = s, .meta = meta, .cells = cells};
    enum iris_status st;
    uint64_t part;
    int d;

    st = iris_snapshot_job_begin(&job, fields, err);
    for (d = 0; d < LOADED; d++) {
        if (job.wanted[d] && !(job.content[d] = iris_digest_new()))
            st = iris_fail_memory(err);
    }
    if (!st)
        iris_snapshot_constants(&job);
    for (part = 0; part < files && !st; part++)
        st = read_part(&job, path, part, files, err);
    if (!st)
        join_digests(&job, content);
    for (d = 0; d < LOADED; d++)
        iris_digest_free(job.content[d]);
    free(job.chunk);
    return st;
}
