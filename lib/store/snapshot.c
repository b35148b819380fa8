#include "snapshot.h"

#include <inttypes.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#include "file.h"
#include "h5.h"
#include "snapname.h"
#include "snapshot_job.h"

#define FARTHEST 1e30 /* from the centre, processing units; larger than anything there is */

unsigned
iris_snapshot_fields(enum iris_type type)
{
    if (type == IRIS_SIMPLE)
        return 1u << IRIS_V_R | 1u << IRIS_RHO | 1u << IRIS_X_H2;
    return (1u << IRIS_FIELDS) - 1;
}

enum iris_status
iris_snapshot_open_part(const char *path, uint64_t part, uint64_t files, struct iris_part *p,
                        struct iris_err *err)
{
    struct iris_buf name = {0};
    struct stat sb;
    enum iris_status st;

    *p = (struct iris_part){.file = -1};
    if (files > 1)
        iris_snapname_part(path, part, &name);
    else
        iris_buf_puts(&name, path);
    st = iris_buf_check(&name, err);
    if (st)
        return st;
    p->path = name.data;
    p->name = iris_file_name(p->path);
    if (stat(p->path, &sb)) {
        st = iris_fail(err, IRIS_E_IO, "cannot open '%s':", p->name);
    } else if (S_ISDIR(sb.st_mode)) {
        st = iris_fail(err, IRIS_E_IO, "cannot read '%s': it is a directory", p->name);
    } else {
        p->bytes = (uint64_t)sb.st_size;
        iris_h5_watch(&p->watch);
        p->file = iris_h5_open(p->path);
        if (p->file < 0)
            st = iris_h5_fail(err, IRIS_E_DATA, "read as HDF5", NULL, p->name);
    }
    return st ? iris_snapshot_end_part(p, st, err) : IRIS_OK;
}

enum iris_status
iris_snapshot_end_part(struct iris_part *p, enum iris_status st, struct iris_err *err)
{
    st = iris_h5_watched(&p->watch, p->name, st, err);
    iris_snapshot_close_part(p);
    return st;
}

void
iris_snapshot_close_part(struct iris_part *p)
{
    iris_h5_quiet(); /* nothing watches from now on */
    if (p->path && p->file >= 0)
        H5Fclose(p->file);
    free(p->path);
    *p = (struct iris_part){.file = -1};
}

int
iris_snapshot_attribute(hid_t file, const char *name, double *value, const char **where)
{
    static const char *const group[] = {"Header", "Parameters", "Units"};
    size_t i;

    for (i = 0; i < sizeof group / sizeof group[0]; i++) {
        if (!iris_h5_attribute(file, group[i], name, value))
            continue;
        if (where)
            *where = group[i];
        return 1;
    }
    return 0;
}

static int
find_attribute(hid_t file, const char *name, double *value)
{
    return iris_snapshot_attribute(file, name, value, NULL);
}

static const struct {
    const char *name, *dataset; /* whose to_cgs is the unit, or has it */
} units[IRIS_UNITS] = {
    [IRIS_UNIT_LENGTH] = {"UnitLength_in_cm", "PartType0/Coordinates"},
    [IRIS_UNIT_VELOCITY] = {"UnitVelocity_in_cm_per_s", "PartType0/Velocities"},
    [IRIS_UNIT_MASS] = {"UnitMass_in_g", "PartType0/Density"},
};

const char *
iris_snapshot_unit_name(int unit)
{
    return units[unit].name;
}

static enum iris_status
need_unit(const struct iris_part *p, int unit, double power, double *value, const char **where,
          struct iris_err *err)
{
    const char *name = units[unit].name, *dataset = units[unit].dataset;
    double cgs;

    if (!iris_snapshot_attribute(p->file, name, value, where)) {
        if (!iris_h5_attribute(p->file, dataset, "to_cgs", &cgs) || !(cgs > 0))
            return iris_fail(
                err, IRIS_E_DATA,
                "'%s' has no %s in Header, Parameters or Units, and '%s' has no to_cgs", p->name,
                name, dataset);
        *value = cgs * power;
        *where = dataset;
    }
    if (!isfinite(*value) || !(*value > 0))
        return iris_fail(err, IRIS_E_DATA, "'%s': %s is %g, not a positive number", p->name, name,
                         *value);
    return IRIS_OK;
}

enum iris_status
iris_snapshot_find_units(const struct iris_part *p, struct iris_snapshot_meta *m,
                         struct iris_err *err)
{
    double *value[IRIS_UNITS] = {[IRIS_UNIT_LENGTH] = &m->length_cm,
                                 [IRIS_UNIT_VELOCITY] = &m->velocity_cm_per_s,
                                 [IRIS_UNIT_MASS] = &m->mass_g};
    enum iris_status st = IRIS_OK, one;
    int i;

    for (i = 0; i < IRIS_UNITS; i++) {
        double power = i == IRIS_UNIT_MASS ? m->length_cm * m->length_cm * m->length_cm : 1;

        one = need_unit(p, i, power, value[i], &m->where[i], st ? NULL : err);
        st = st ? st : one;
    }
    return st;
}

static enum iris_status
read_cosmology(const struct iris_part *p, const struct iris_settings *s,
               struct iris_snapshot_meta *m, struct iris_err *err)
{
    double comoving = 0;

    m->a = m->h = 1;
    find_attribute(p->file, "HubbleParam", &m->h);
    find_attribute(p->file, "ComovingIntegrationOn", &comoving);
    m->comoving = comoving > 0;
    if (!m->comoving)
        return IRIS_OK;
    if (!s->suite.convert_comoving) {
        m->remedy = IRIS_REMEDY_CONVERT;
        return iris_fail(
            err, IRIS_E_DATA,
            "'%s' is of a comoving run; set suite_hyper.comoving to \"convert\" to use "
            "its physical quantities",
            p->name);
    }
    if (!find_attribute(p->file, "Time", &m->a) || !(m->a > 0) || !(m->h > 0))
        return iris_fail(
            err, IRIS_E_DATA,
            "'%s' is of a comoving run, but Time and HubbleParam are not both positive", p->name);
    return IRIS_OK;
}

/* The hydrodynamics of AREPO are periodic unless it was configured otherwise. */
static void
read_faces(const struct iris_part *p, const struct iris_settings *s, struct iris_snapshot_meta *m)
{
    static const char *const wall[] = {"REFLECTIVE_X", "REFLECTIVE_Y", "REFLECTIVE_Z"};
    int known = iris_h5_has(p->file, "Config"), k;

    m->faces = s->suite.periodic ? IRIS_FACES_WRAP : known ? IRIS_FACES_GUARD : IRIS_FACES_OPEN;
    for (k = 0; k < 3; k++)
        m->closed[k] = known && iris_h5_has_attribute(p->file, "Config", wall[k]);
    if (m->closed[0] && m->closed[1] && m->closed[2])
        m->faces = IRIS_FACES_OPEN;
}

static enum iris_status
read_meta(const struct iris_part *p, uint64_t files, const struct iris_settings *s,
          struct iris_snapshot_meta *m, struct iris_err *err)
{
    double n = 1, box = 0;
    enum iris_status st;

    if (!iris_h5_has(p->file, "Header"))
        return iris_fail(err, IRIS_E_DATA, "'%s' is not a snapshot: it has no group 'Header'",
                         p->name);
    find_attribute(p->file, "NumFilesPerSnapshot", &n);
    if (n > (double)files)
        return iris_fail(err, IRIS_E_DATA,
                         "'%s' is one of a set of %.0f files, but %" PRIu64 " were found", p->name,
                         n, files);
    st = iris_snapshot_find_units(p, m, err);
    if (!st)
        st = read_cosmology(p, s, m, err);
    if (st)
        return st;
    read_faces(p, s, m);
    find_attribute(p->file, "BoxSize", &box);
    m->box = box;
    if (!(box > 0) && s->suite.centre == IRIS_CENTRE_BOX) {
        m->remedy = IRIS_REMEDY_CENTRE;
        return iris_fail(err, IRIS_E_DATA,
                         "'%s' has no positive BoxSize; set suite_hyper.centre to a point",
                         p->name);
    }
    if (!(box > 0) && m->faces != IRIS_FACES_OPEN)
        return iris_fail(err, IRIS_E_DATA, "'%s' has periodic faces but no positive BoxSize",
                         p->name);
    return IRIS_OK;
}

/* The first number of an attribute of the header, of gas; otherwise if there is none. */
static double
count_of_gas(hid_t file, const char *name, double otherwise)
{
    double v[64] = {otherwise};
    hid_t attribute, space;
    hssize_t n;

    if (!iris_h5_has_attribute(file, "Header", name))
        return otherwise;
    attribute = H5Aopen_by_name(file, "Header", name, H5P_DEFAULT, H5P_DEFAULT);
    space = H5Aget_space(attribute);
    n = H5Sget_simple_extent_npoints(space);
    if (n < 1 || n > 64 || H5Aread(attribute, H5T_NATIVE_DOUBLE, v) < 0)
        v[0] = otherwise;
    H5Sclose(space);
    H5Aclose(attribute);
    return v[0];
}

double
iris_snapshot_claimed(hid_t file, const char *name)
{
    double low = count_of_gas(file, name, -1), high;
    char high_name[64];

    snprintf(high_name, sizeof high_name, "%s_HighWord", name);
    high = count_of_gas(file, high_name, 0);
    return low >= 0 && high > 0 ? high * 4294967296.0 + low : low;
}

enum iris_status
iris_snapshot_count(const struct iris_part *p, size_t *n, struct iris_err *err)
{
    const char *path = iris_snapshot_path(COORDINATES);
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

/* Compare the number of cells found with what the header says it should be. */
static void
check_counts(const struct iris_part *p, double this_file, size_t found,
             struct iris_snapshot_info *info)
{
    if (this_file >= 0 && this_file != (double)found)
        iris_buf_printf(&info->warnings,
                        "'%s': the header says %.0f gas cells, the datasets have %zu\n", p->path,
                        this_file, found);
}

enum iris_status
iris_snapshot_survey(const char *path, uint64_t files, const struct iris_settings *s,
                     struct iris_snapshot_meta *m, struct iris_snapshot_info *info,
                     struct iris_err *err)
{
    enum iris_status st = IRIS_OK;
    double total = -1, claimed;
    struct iris_part p;
    uint64_t k;

    m->first = calloc(files + 1, sizeof *m->first);
    if (!m->first)
        return iris_fail_memory(err);
    for (k = 0; k < files && !st; k++) {
        size_t n = 0;

        st = iris_snapshot_open_part(path, k, files, &p, err);
        if (st)
            break;
        if (k == 0) {
            st = read_meta(&p, files, s, m, err);
            total = iris_snapshot_claimed(p.file, "NumPart_Total");
        }
        if (!st)
            st = iris_snapshot_count(&p, &n, err);
        if (!st && n > UINT32_MAX - m->first[k])
            st = iris_fail(err, IRIS_E_DATA, "'%s' has %zu gas cells, more than can be held",
                           p.name, n);
        claimed = iris_snapshot_claimed(p.file, "NumPart_ThisFile");
        if (!st)
            check_counts(&p, claimed, n, info);
        m->first[k + 1] = m->first[k] + n;
        info->bytes += p.bytes;
        st = iris_snapshot_end_part(&p, st, err);
    }
    if (st)
        return st;
    info->cells = m->first[files];
    if (total >= 0 && total != (double)info->cells)
        iris_buf_printf(&info->warnings,
                        "'%s': the header says %.0f gas cells in all, the datasets have %zu\n",
                        path, total, info->cells);
    if (!info->cells)
        return iris_fail(err, IRIS_E_DATA, "'%s' has no gas cells (PartType0)",
                         iris_file_name(path));
    return IRIS_OK;
}

enum iris_status
iris_snapshot_cells(const char *path, uint64_t files, size_t *cells, struct iris_err *err)
{
    struct iris_part p;
    enum iris_status st;
    double n;

    iris_h5_quiet();
    st = iris_snapshot_open_part(path, 0, files, &p, err);
    if (st)
        return st;
    n = iris_snapshot_claimed(p.file, "NumPart_Total");
    if (n < 0)
        n = (double)files * iris_snapshot_claimed(p.file, "NumPart_ThisFile");
    if (n >= 0 && n <= UINT32_MAX)
        *cells = (size_t)n;
    else
        st = iris_fail(err, IRIS_E_DATA, "'%s' does not say how many gas cells it has", p.name);
    return iris_snapshot_end_part(&p, st, err);
}

static void
find_centre(const struct iris_settings *s, const struct iris_snapshot_meta *m,
            const struct iris_cells *c, double centre[3])
{
    size_t i, densest = 0;

    centre[0] = centre[1] = centre[2] = m->box / 2;
    if (s->suite.centre == IRIS_CENTRE_POINT)
        memcpy(centre, s->suite.centre_point, sizeof s->suite.centre_point);
    if (s->suite.centre != IRIS_CENTRE_DENSEST)
        return;
    for (i = 1; i < c->n; i++) {
        if (c->gas[i].rho > c->gas[densest].rho)
            densest = i;
    }
    centre[0] = c->x[densest];
    centre[1] = c->y[densest];
    centre[2] = c->z[densest];
}

/* From code units to processing units about the centre. What is farther away than
 * FARTHEST has units that are wrong, or overflows. */
static enum iris_status
place_cells(const char *path, const struct iris_settings *s, const struct iris_snapshot_meta *m,
            struct iris_cells *c, struct iris_err *err)
{
    double unit = m->length_cm / s->writer.length_cm * m->coordinate_factor;
    double centre[3];
    size_t i;
    int k;

    find_centre(s, m, c, centre);
    for (i = 0; i < c->n; i++) {
        c->x[i] = (c->x[i] - centre[0]) * unit;
        c->y[i] = (c->y[i] - centre[1]) * unit;
        c->z[i] = (c->z[i] - centre[2]) * unit;
        if (!(fabs(c->x[i]) + fabs(c->y[i]) + fabs(c->z[i]) < FARTHEST))
            return iris_fail(err, IRIS_E_DATA,
                             "'%s': cell %zu is farther than %g cm from the centre",
                             iris_file_name(path), i, FARTHEST * s->writer.length_cm);
    }
    c->faces = m->faces;
    for (k = 0; k < 3; k++) {
        c->closed[k] = m->closed[k];
        c->box.lo[k] = (0 - centre[k]) * unit;
        c->box.hi[k] = (m->box - centre[k]) * unit;
    }
    return IRIS_OK;
}

enum iris_status
iris_snapshot_load(const char *path, uint64_t files, const struct iris_settings *s, unsigned fields,
                   int (*pause)(void *), void *pause_self, const struct iris_memory *memory,
                   struct iris_cells *cells, struct iris_snapshot_info *info, struct iris_err *err)
{
    struct iris_snapshot_meta meta = {0};
    enum iris_status st;

    iris_h5_quiet();
    *cells = (struct iris_cells){0};
    *info = (struct iris_snapshot_info){0};
    if (files < 1 || files > 1000000)
        return iris_fail(err, IRIS_E_DATA, "a snapshot of %" PRIu64 " files makes no sense", files);
    meta.pause = pause;
    meta.pause_self = pause_self;
    st = iris_snapshot_survey(path, files, s, &meta, info, err);
    if (!st)
        st = iris_cells_new_in(cells, info->cells, memory, err);
    if (!st)
        st = iris_snapshot_read(path, files, s, fields, &meta, cells, info->content, err);
    if (!st)
        st = place_cells(path, s, &meta, cells, err);
    if (!st)
        st = iris_cells_index(cells, err);
    if (st) {
        iris_cells_release(cells);
        iris_buf_release(&info->warnings);
    }
    free(meta.first);
    return st;
}

char *
iris_snapshot_library(char *text, size_t size)
{
    unsigned major = 0, minor = 0, release = 0;

    H5get_libversion(&major, &minor, &release);
    snprintf(text, size, "%u.%u.%u", major, minor, release);
    return text;
}
