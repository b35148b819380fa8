/* The snapshot reader, on files made here and on those of the shared data.
 *
 * A file is written by lib/store/snapwrite.h or, field by field, by the edits
 * below, each of which opens and closes the file. */
#include "check.h"

#include <dirent.h>
#include <hdf5.h>
#include <stdint.h>
#include <sys/stat.h>
#include <unistd.h>

#include "hyper.h"
#include "npy.h"
#include "sampler.h"
#include "snapshot.h"
#include "snapwrite.h"
#include "units.h"

#define COUNT(a) (sizeof(a) / sizeof(a)[0])
#define ALL      ((1u << IRIS_FIELDS) - 1)
#define CELLS    60
#define BOX      100.0

static char scratch[512];

static const char *
in(const char *name)
{
    static char path[8][1024];
    static unsigned turn;
    char *p = path[turn++ % COUNT(path)];

    snprintf(p, sizeof path[0], "%s/%s", scratch, name);
    return p;
}

static void
empty_scratch(void)
{
    struct dirent *e;
    DIR *dir = opendir(scratch);

    while (dir && (e = readdir(dir)))
        if (e->d_name[0] != '.')
            unlink(in(e->d_name));
    if (dir)
        closedir(dir);
}

static int
equal(double a, double b)
{
    return !(a < b) && !(a > b);
}

/* The gas of every test: values that single precision holds exactly, positions
 * that are whole numbers. */
static struct gas {
    double x[CELLS][3], v[CELLS][3], rho[CELLS], u[CELLS], mass[CELLS], chem[CELLS][3], dust[CELLS];
    uint64_t id[CELLS];
} gas;

static void
make_gas(void)
{
    int i, k;

    for (i = 0; i < CELLS; i++) {
        for (k = 0; k < 3; k++) {
            gas.x[i][k] = (i * (7 + 6 * k) + 5 * k) % 97 + 1;
            gas.v[i][k] = 0.25 * i - 3 * k;
        }
        gas.rho[i] = 1 + 0.5 * (i * 37 % CELLS);
        gas.u[i] = 100 + i;
        gas.mass[i] = 1;
        gas.chem[i][0] = 0.5 - i / 256.0;
        gas.chem[i][1] = i / 512.0;
        gas.chem[i][2] = i / 65536.0;
        gas.dust[i] = 10 + 0.125 * i;
        gas.id[i] = (uint64_t)i + 1;
    }
}

/* Cells [first, first + n) as one file of a set. */
static void
write_part(const char *path, size_t first, size_t n, int files, int wide, int compress)
{
    struct iris_snap_header header = {BOX,   1, 3.085678e18, 1.989e33, 1e5,
                                      CELLS, n, files,       wide,     compress};
    struct iris_snap_cells cells = {gas.x[first],     gas.v[first],     gas.rho + first,
                                    gas.u + first,    gas.mass + first, gas.chem[first],
                                    gas.dust + first, gas.id + first};
    struct iris_snapwriter *w;
    struct iris_err err = {0};

    if (iris_snapwrite_open(&w, path, &header, &err) || iris_snapwrite_cells(w, n, &cells, &err) ||
        iris_snapwrite_commit(w, &err)) {
        printf("# %s\n", err.msg);
        exit(2);
    }
}

/* A fresh file to be edited. */
static const char *
fresh(const char *name)
{
    const char *path = in(name);

    write_part(path, 0, CELLS, 1, 0, 0);
    return path;
}

/* Edits. */

static void
must(int ok, const char *what)
{
    if (!ok) {
        printf("# cannot %s\n", what);
        exit(2);
    }
}

static void
cut(const char *path, const char *object)
{
    hid_t file = H5Fopen(path, H5F_ACC_RDWR, H5P_DEFAULT);

    must(H5Ldelete(file, object, H5P_DEFAULT) >= 0, object);
    H5Fclose(file);
}

static void
set_attribute(const char *path, const char *object, const char *name, hid_t type, hsize_t n,
              const double *v)
{
    hid_t file = H5Fopen(path, H5F_ACC_RDWR, H5P_DEFAULT);
    hid_t at = H5Oopen(file, object, H5P_DEFAULT), a;
    hid_t space = n ? H5Screate_simple(1, &n, NULL) : H5Screate(H5S_SCALAR);

    if (H5Aexists(at, name) > 0)
        H5Adelete(at, name);
    a = H5Acreate2(at, name, type, space, H5P_DEFAULT, H5P_DEFAULT);
    must(a >= 0 && H5Awrite(a, H5T_NATIVE_DOUBLE, v) >= 0, name);
    H5Aclose(a);
    H5Sclose(space);
    H5Oclose(at);
    H5Fclose(file);
}

static void
set(const char *path, const char *object, const char *name, double v)
{
    set_attribute(path, object, name, H5T_IEEE_F64LE, 0, &v);
}

static void
unset(const char *path, const char *object, const char *name)
{
    hid_t file = H5Fopen(path, H5F_ACC_RDWR, H5P_DEFAULT);

    must(H5Adelete_by_name(file, object, name, H5P_DEFAULT) >= 0, name);
    H5Fclose(file);
}

/* Put a dataset, in the place of the one that is there; properties are closed. */
static void
put(const char *path, const char *object, hid_t type, int rank, const hsize_t *size, hid_t how,
    const double *v)
{
    hid_t file = H5Fopen(path, H5F_ACC_RDWR, H5P_DEFAULT), space, dataset;

    if (H5Lexists(file, object, H5P_DEFAULT) > 0)
        H5Ldelete(file, object, H5P_DEFAULT);
    space = H5Screate_simple(rank, size, NULL);
    dataset = H5Dcreate2(file, object, type, space, H5P_DEFAULT, how, H5P_DEFAULT);
    must(dataset >= 0, object);
    if (v)
        must(H5Dwrite(dataset, H5T_NATIVE_DOUBLE, H5S_ALL, H5S_ALL, H5P_DEFAULT, v) >= 0, object);
    H5Dclose(dataset);
    H5Sclose(space);
    if (how != H5P_DEFAULT)
        H5Pclose(how);
    H5Fclose(file);
}

static void
put_table(const char *path, const char *object, hid_t type, hsize_t n, hsize_t columns,
          const double *v)
{
    hsize_t size[2] = {n, columns};

    put(path, object, type, columns ? 2 : 1, size, H5P_DEFAULT, v);
}

/* Loading. */

struct loaded {
    struct iris_cells cells;
    struct iris_snapshot_info info;
    struct iris_err err;
    size_t at[CELLS]; /* of a cell of the file in the tree */
};

/* Changes of the default settings, "section.key=json" separated by ';'. */
static void
settings(const char *changes, struct iris_settings *s)
{
    char copy[600], *one, *rest, *equals;
    struct iris_hyper *h = NULL;
    struct iris_err err = {0};

    must(!iris_hyper_defaults(&h, &err), "make default settings");
    snprintf(copy, sizeof copy, "%s", changes);
    for (one = strtok_r(copy, ";", &rest); one; one = strtok_r(NULL, ";", &rest)) {
        equals = strchr(one, '=');
        *equals = '\0';
        must(!iris_hyper_set(h, one, equals + 1, &err), err.msg);
    }
    must(!iris_hyper_check(h, &err), err.msg);
    iris_hyper_settings(h, s);
    iris_hyper_free(h);
}

static enum iris_status
load_with(const char *path, uint64_t files, const struct iris_settings *s, unsigned fields,
          struct loaded *l)
{
    enum iris_status st;
    size_t i;

    *l = (struct loaded){0};
    st = iris_snapshot_load(path, files, s, fields, NULL, NULL, NULL, &l->cells, &l->info, &l->err);
    if (st)
        return st;
    for (i = 0; i < l->cells.n; i++)
        if (l->cells.order[i] < CELLS)
            l->at[l->cells.order[i]] = i;
    return IRIS_OK;
}

static enum iris_status
load(const char *path, uint64_t files, const char *changes, unsigned fields, struct loaded *l)
{
    struct iris_settings s;

    settings(changes, &s);
    return load_with(path, files, &s, fields, l);
}

static void
drop(struct loaded *l)
{
    iris_cells_release(&l->cells);
    iris_buf_release(&l->info.warnings);
}

static int
same_bits(const void *a, const void *b, size_t bytes)
{
    return !memcmp(a, b, bytes);
}

static int
same_cells(const struct iris_cells *a, const struct iris_cells *b)
{
    return a->n == b->n && same_bits(a->x, b->x, 8 * a->n) && same_bits(a->y, b->y, 8 * a->n) &&
           same_bits(a->z, b->z, 8 * a->n) && same_bits(a->gas, b->gas, a->n * sizeof *a->gas) &&
           same_bits(a->order, b->order, 4 * a->n) && same_bits(&a->box, &b->box, sizeof a->box) &&
           a->faces == b->faces;
}

/* The file loads as the plain one does, to the last bit; its hash is the same. */
static void
same_as_plain(const char *path, uint64_t files, const char *what)
{
    struct loaded plain, l;

    must(!load(in("plain.hdf5"), 1, "", ALL, &plain), "load the plain file");
    if (!CHECK(!load(path, files, "", ALL, &l) && same_cells(&plain.cells, &l.cells),
               "%s: the same cells", what))
        printf("# %s\n", l.err.msg);
    CHECK(!strcmp(plain.info.content, l.info.content), "%s: the same content", what);
    CHECK(!l.info.warnings.len, "%s: no warnings %s", what, iris_buf_str(&l.info.warnings));
    drop(&plain);
    drop(&l);
}

static void
fails(const char *path, uint64_t files, const char *changes, unsigned fields,
      enum iris_status wanted, const char *says, const char *says_too)
{
    struct loaded l;
    enum iris_status st = load(path, files, changes, fields, &l);

    if (!CHECK(st == wanted && strstr(l.err.msg, says) && strstr(l.err.msg, says_too),
               "status %d: %s%s%s", (int)wanted, says, *says_too ? ", " : "", says_too))
        printf("# %d %s\n", (int)st, l.err.msg);
    CHECK(!l.cells.block && !l.info.warnings.data, "and nothing is kept");
    CHECK(!strstr(l.err.msg, scratch), "no directory is named");
    drop(&l);
}

static void
loads(const char *path, const char *changes, unsigned fields, const char *what)
{
    struct loaded l;

    if (!CHECK(!load(path, 1, changes, fields, &l), "%s", what))
        printf("# %s\n", l.err.msg);
    drop(&l);
}

/* Tests. */

static void
test_values(void)
{
    struct iris_unit_system u;
    struct iris_settings s;
    struct loaded l;
    double length, velocity, density;
    int i, k, wrong = 0;

    settings("", &s);
    iris_units_processing(s.writer.length_cm, s.writer.mass_g, s.writer.velocity_cm_per_s,
                          s.writer.temperature_K, s.dataset.meters_per_parsec, &u);
    length = 3.085678e16 * u.length;
    velocity = 1000 * iris_units_velocity(&u);
    density = 1.989e30 / pow(3.085678e16, 3) * iris_units_density(&u);
    CHECK(!load(fresh("a.hdf5"), 1, "", ALL, &l) && l.info.cells == CELLS && l.cells.n == CELLS,
          "a snapshot loads %s", l.err.msg);
    for (i = 0; i < CELLS; i++) {
        const struct iris_gas *g = &l.cells.gas[l.at[i]];
        double x[3] = {l.cells.x[l.at[i]], l.cells.y[l.at[i]], l.cells.z[l.at[i]]};

        for (k = 0; k < 3; k++) {
            wrong += !check_near(x[k], (gas.x[i][k] - BOX / 2) * length, 1e-14);
            wrong += !check_near((double)g->v[k], gas.v[i][k] * velocity, 1e-7);
        }
        wrong += !check_near((double)g->rho, gas.rho[i] * density, 1e-7);
        wrong += !equal((double)g->x_H2, gas.chem[i][0]) || !equal((double)g->x_CO, gas.chem[i][2]);
        wrong += !equal((double)g->T_dust, gas.dust[i]);
    }
    CHECK(!wrong, "every value in processing units about the middle of the box");
    drop(&l);
    CHECK(!load(fresh("a.hdf5"), 1, "", iris_snapshot_fields(IRIS_SIMPLE), &l), "fewer fields");
    for (i = 0; i < CELLS; i++)
        wrong += !equal((double)l.cells.gas[i].T, 0) || !equal((double)l.cells.gas[i].x_CO, 0) ||
                 !equal((double)l.cells.gas[i].T_dust, 0);
    CHECK(!wrong, "those that were not asked for are 0");
    drop(&l);
}

static hid_t
squeezed(hsize_t rows, hsize_t columns)
{
    hid_t how = H5Pcreate(H5P_DATASET_CREATE);
    hsize_t chunk[2] = {rows, columns};

    H5Pset_chunk(how, columns ? 2 : 1, chunk);
    H5Pset_shuffle(how);
    H5Pset_deflate(how, 9);
    H5Pset_fletcher32(how);
    return how;
}

static void
test_storage(void)
{
    hsize_t size[2] = {CELLS, 3};
    const char *path;
    double one = 1;

    write_part(in("plain.hdf5"), 0, CELLS, 1, 0, 0);
    write_part(in("wide.hdf5"), 0, CELLS, 1, 1, 0);
    same_as_plain(in("wide.hdf5"), 1, "double");
    write_part(in("gz.hdf5"), 0, CELLS, 1, 0, 1);
    same_as_plain(in("gz.hdf5"), 1, "compressed");
    path = fresh("odd.hdf5");
    put(path, "PartType0/Coordinates", H5T_IEEE_F32BE, 2, size, squeezed(7, 2), gas.x[0]);
    put(path, "PartType0/Density", H5T_IEEE_F64BE, 1, size, squeezed(11, 0), gas.rho);
    same_as_plain(path, 1, "odd chunks, big-endian, with checksums");
    path = fresh("whole.hdf5");
    put_table(path, "PartType0/Coordinates", H5T_STD_I32LE, CELLS, 3, gas.x[0]);
    put_table(path, "PartType0/InternalEnergy", H5T_STD_U16BE, CELLS, 0, gas.u);
    same_as_plain(path, 1, "whole numbers");
    path = fresh("single.hdf5");
    put_table(path, "PartType0/Coordinates", H5T_IEEE_F32LE, CELLS, 3, gas.x[0]);
    set_attribute(path, "Header", "Flag_DoublePrecision", H5T_STD_I32LE, 0, &one);
    same_as_plain(path, 1, "wrong Flag_DoublePrecision");
    unset(path, "Header", "Flag_DoublePrecision");
    same_as_plain(path, 1, "no Flag_DoublePrecision");
    put_table(path, "PartType0/Density", H5T_IEEE_F64LE, CELLS, 1, gas.rho);
    same_as_plain(path, 1, "a density of one column");
    cut(path, "PartType0/Masses");
    cut(path, "PartType0/ParticleIDs");
    same_as_plain(path, 1, "without what is not used");
}

static void
test_set(void)
{
    double none[6] = {0}, four = 4;
    struct loaded l;
    struct stat sb;
    uint64_t bytes = 0;
    char name[40];
    int k;

    write_part(in("set_001.0.hdf5"), 0, 20, 3, 0, 0);
    write_part(in("set_001.1.hdf5"), 20, 1, 3, 1, 1);
    write_part(in("set_001.2.hdf5"), 21, CELLS - 21, 3, 0, 1);
    same_as_plain(in("set_001.0.hdf5"), 3, "a set of three files");
    same_as_plain(in("set_001.2.hdf5"), 3, "named by its last");
    for (k = 0; k < 3; k++) {
        snprintf(name, sizeof name, "set_001.%d.hdf5", k);
        stat(in(name), &sb);
        bytes += (uint64_t)sb.st_size;
    }
    load(in("set_001.0.hdf5"), 3, "", ALL, &l);
    CHECK(l.info.bytes == bytes, "bytes of all files");
    drop(&l);
    fails(in("set_001.0.hdf5"), 1, "", ALL, IRIS_E_DATA, "is one of a set of 3 files",
          "but 1 were");
    fails(in("set_001.0.hdf5"), 4, "", ALL, IRIS_E_IO, "set_001.3.hdf5", "cannot open");
    fails(in("set_001.0.hdf5"), 0, "", ALL, IRIS_E_DATA, "0 files", "");
    write_part(in("set_002.0.hdf5"), 0, 20, 4, 0, 0);
    write_part(in("set_002.1.hdf5"), 0, 1, 4, 0, 0);
    cut(in("set_002.1.hdf5"), "PartType0");
    set_attribute(in("set_002.1.hdf5"), "Header", "NumPart_ThisFile", H5T_STD_I32LE, 6, none);
    write_part(in("set_002.2.hdf5"), 20, CELLS - 20, 4, 0, 0);
    write_part(in("set_002.3.hdf5"), 0, 1, 4, 0, 0);
    cut(in("set_002.3.hdf5"), "PartType0");
    set_attribute(in("set_002.3.hdf5"), "Header", "NumPart_ThisFile", H5T_STD_I64LE, 6, none);
    same_as_plain(in("set_002.0.hdf5"), 4, "files without gas in the middle and at the end");
    write_part(in("set_003.0.hdf5"), 0, 1, 2, 0, 0);
    cut(in("set_003.0.hdf5"), "PartType0");
    set_attribute(in("set_003.0.hdf5"), "Header", "NumPart_ThisFile", H5T_STD_I32LE, 6, none);
    write_part(in("set_003.1.hdf5"), 0, CELLS, 2, 0, 0);
    same_as_plain(in("set_003.0.hdf5"), 2, "a first file without gas");
    set_attribute(in("set_003.0.hdf5"), "Header", "NumFilesPerSnapshot", H5T_STD_I64LE, 0, &four);
    fails(in("set_003.0.hdf5"), 2, "", ALL, IRIS_E_DATA, "a set of 4 files", "but 2 were");
}

static void
test_counts(void)
{
    double here[6] = {CELLS + 1}, total[6] = {CELLS + 2}, high[6] = {1}, fine[6] = {CELLS};
    const char *path = fresh("counts.hdf5");
    struct loaded l;

    set_attribute(path, "Header", "NumPart_ThisFile", H5T_STD_I32LE, 6, here);
    set_attribute(path, "Header", "NumPart_Total", H5T_STD_U32LE, 6, total);
    CHECK(!load(path, 1, "", ALL, &l) && l.info.cells == CELLS &&
              strstr(iris_buf_str(&l.info.warnings), "says 61 gas cells, the datasets have 60\n") &&
              strstr(iris_buf_str(&l.info.warnings),
                     "says 62 gas cells in all, the datasets have 60\n"),
          "wrong counts are warned of");
    drop(&l);
    set_attribute(path, "Header", "NumPart_ThisFile", H5T_STD_I64LE, 6, fine);
    set_attribute(path, "Header", "NumPart_Total", H5T_STD_U64LE, 6, fine);
    CHECK(!load(path, 1, "", ALL, &l) && !l.info.warnings.len, "right ones of 64 bits are not");
    drop(&l);
    set_attribute(path, "Header", "NumPart_Total_HighWord", H5T_STD_U32LE, 6, high);
    CHECK(!load(path, 1, "", ALL, &l) &&
              strstr(iris_buf_str(&l.info.warnings), "says 4294967356 gas"),
          "the high word counts");
    drop(&l);
    unset(path, "Header", "NumPart_ThisFile");
    unset(path, "Header", "NumPart_Total");
    unset(path, "Header", "NumPart_Total_HighWord");
    CHECK(!load(path, 1, "", ALL, &l) && !l.info.warnings.len, "no counts are no fault");
    drop(&l);
}

/* What is said of the cells, without a look at them. */
static void
test_claimed(void)
{
    const char *path = fresh("claimed.hdf5");
    double here[6] = {100}, wrong[6] = {-1};
    struct iris_err err = {0};
    size_t n = 0;

    CHECK(!iris_snapshot_cells(path, 1, &n, &err) && n == CELLS, "as many as are there");
    unset(path, "Header", "NumPart_Total");
    set_attribute(path, "Header", "NumPart_ThisFile", H5T_STD_I32LE, 6, here);
    CHECK(!iris_snapshot_cells(path, 1, &n, &err) && n == 100, "of this file, where not of all");
    set_attribute(path, "Header", "NumPart_ThisFile", H5T_STD_I32LE, 6, wrong);
    n = 7;
    CHECK(iris_snapshot_cells(path, 1, &n, &err) == IRIS_E_DATA && n == 7 &&
              strstr(err.msg, "does not say how many gas cells"),
          "less than none");
    CHECK(iris_snapshot_cells(in("missing.hdf5"), 1, &n, &err) == IRIS_E_IO && n == 7, "no file");
}

static const char *const units[] = {"UnitLength_in_cm", "UnitMass_in_g",
                                    "UnitVelocity_in_cm_per_s"};

static void
move_units(const char *path, const char *group, const double value[3])
{
    hid_t file = H5Fopen(path, H5F_ACC_RDWR, H5P_DEFAULT);
    size_t k;

    if (group && H5Lexists(file, group, H5P_DEFAULT) <= 0)
        H5Gclose(H5Gcreate2(file, group, H5P_DEFAULT, H5P_DEFAULT, H5P_DEFAULT));
    H5Fclose(file);
    for (k = 0; k < COUNT(units); k++) {
        unset(path, "Header", units[k]);
        unset(path, "Parameters", units[k]);
        if (group)
            set(path, group, units[k], value[k]);
    }
}

static void
test_units(void)
{
    static const double value[3] = {3.085678e18, 1.989e33, 1e5}, zero = 0;
    struct loaded plain, l;
    const char *path;
    hsize_t one = 1;
    int i, wrong = 0;

    path = fresh("units.hdf5");
    move_units(path, "Parameters", value);
    same_as_plain(path, 1, "units in Parameters");
    path = fresh("units.hdf5");
    move_units(path, "Units", value);
    same_as_plain(path, 1, "units in Units");
    set_attribute(path, "Units", units[0], H5T_IEEE_F64LE, one, &value[0]);
    same_as_plain(path, 1, "a unit as a list of one");
    path = fresh("units.hdf5");
    move_units(path, NULL, value);
    load(in("plain.hdf5"), 1, "", ALL, &plain);
    CHECK(!load(path, 1, "", ALL, &l), "units in to_cgs only %s", l.err.msg);
    /* the mass comes from the density and the length: some roundings */
    for (i = 0; i < CELLS && l.cells.n; i++) {
        wrong += !check_near(l.cells.x[l.at[i]], plain.cells.x[plain.at[i]], 1e-14);
        wrong += !check_near((double)l.cells.gas[l.at[i]].rho,
                             (double)plain.cells.gas[plain.at[i]].rho, 2e-7);
        wrong += !check_near((double)l.cells.gas[l.at[i]].v[0],
                             (double)plain.cells.gas[plain.at[i]].v[0], 2e-7);
    }
    CHECK(!wrong, "give the same values");
    drop(&plain);
    drop(&l);
    set(path, "PartType0/Velocities", "to_cgs", zero);
    fails(path, 1, "", ALL, IRIS_E_DATA, "UnitVelocity_in_cm_per_s", "no to_cgs");
    unset(path, "PartType0/Coordinates", "to_cgs");
    fails(path, 1, "", ALL, IRIS_E_DATA, "UnitLength_in_cm", "Parameters or Units");
    path = fresh("units.hdf5");
    set(path, "Header", units[1], -1);
    fails(path, 1, "", ALL, IRIS_E_DATA, "UnitMass_in_g", "not a positive number");
    set(path, "Header", units[1], (double)INFINITY);
    fails(path, 1, "", ALL, IRIS_E_DATA, "UnitMass_in_g", "not a positive number");
}

static void
test_missing(void)
{
    unsigned simple = iris_snapshot_fields(IRIS_SIMPLE);
    const char *path = fresh("missing.hdf5");
    struct loaded l;
    int i, wrong = 0;

    CHECK(simple == (1u << IRIS_V_R | 1u << IRIS_RHO | 1u << IRIS_X_H2) &&
              iris_snapshot_fields(IRIS_SYNTHETIC) == ALL &&
              iris_snapshot_fields(IRIS_STANDARD) == ALL,
          "the fields of each type");
    cut(path, "PartType0/DustTemperature");
    fails(path, 1, "", ALL, IRIS_E_DATA, "'PartType0/DustTemperature'",
          "suite_hyper.dust_temperature");
    loads(path, "", simple, "without dust temperatures, when they are not needed");
    CHECK(!load(path, 1, "suite_hyper.dust_temperature=17.5", ALL, &l) &&
              equal((double)l.cells.gas[9].T_dust, 17.5),
          "with a stated one");
    drop(&l);
    cut(path, "PartType0/InternalEnergy");
    loads(path, "", simple, "without energies");
    fails(path, 1, "suite_hyper.dust_temperature=17.5", ALL, IRIS_E_DATA,
          "'PartType0/InternalEnergy'", "");
    path = fresh("missing.hdf5");
    cut(path, "PartType0/ChemicalAbundances");
    fails(path, 1, "", simple, IRIS_E_DATA, "ChemicalAbundances", "use_AREPO_abundances to false");
    loads(path, "", 1u << IRIS_V_R | 1u << IRIS_RHO, "without chemistry, when it is not needed");
    CHECK(!load(path, 1, "dataset_hyper.use_AREPO_abundances=false", ALL, &l), "or not wanted");
    for (i = 0; i < CELLS && l.cells.n; i++)
        wrong += !equal((double)l.cells.gas[i].x_H2, 0.5) ||
                 !equal((double)l.cells.gas[i].x_CO, 0) || !(l.cells.gas[i].T > 0);
    CHECK(!wrong, "then all hydrogen is molecular");
    drop(&l);
    path = fresh("missing.hdf5");
    cut(path, "PartType0/Density");
    fails(path, 1, "", simple, IRIS_E_DATA, "no dataset 'PartType0/Density'", "missing.hdf5");
    path = fresh("missing.hdf5");
    cut(path, "PartType0/Coordinates");
    fails(path, 1, "", simple, IRIS_E_DATA, "no dataset 'PartType0/Coordinates'", "");
    path = fresh("missing.hdf5");
    cut(path, "Header");
    fails(path, 1, "", simple, IRIS_E_DATA, "no group 'Header'", "missing.hdf5");
}

/* More species than a piece of the cells has room for at once. */
static void
test_many_species(void)
{
    enum { N = 2500, SPECIES = 256 };
    static double x[N][3], one[N], chem[N][3], wide[N][SPECIES];
    const char *path = fresh("many.hdf5");
    static const char columns[] = "dataset_hyper.AREPO_CO_abundance_id=255";
    char content[IRIS_DIGEST_TEXT];
    struct loaded l;
    int i, k;

    for (i = 0; i < N; i++) {
        for (k = 0; k < 3; k++) {
            x[i][k] = gas.x[i % CELLS][k] + 1e-4 * i;
            chem[i][k] = 1e-5 * (i + k);
        }
        one[i] = 1 + i;
        wide[i][0] = chem[i][0];
        wide[i][1] = chem[i][1];
        wide[i][SPECIES - 1] = chem[i][2];
    }
    put_table(path, "PartType0/Coordinates", H5T_IEEE_F64LE, N, 3, x[0]);
    put_table(path, "PartType0/Velocities", H5T_IEEE_F64LE, N, 3, x[0]);
    put_table(path, "PartType0/Density", H5T_IEEE_F64LE, N, 0, one);
    put_table(path, "PartType0/InternalEnergy", H5T_IEEE_F64LE, N, 0, one);
    put_table(path, "PartType0/DustTemperature", H5T_IEEE_F64LE, N, 0, one);
    put_table(path, "PartType0/ChemicalAbundances", H5T_IEEE_F64LE, N, 3, chem[0]);
    CHECK(!load(path, 1, "", ALL, &l), "three species %s", l.err.msg);
    strcpy(content, l.info.content);
    drop(&l);
    put_table(path, "PartType0/ChemicalAbundances", H5T_IEEE_F64LE, N, SPECIES, wide[0]);
    CHECK(!load(path, 1, columns, ALL, &l) && !strcmp(l.info.content, content),
          "the same values of 256 %s", l.err.msg);
    drop(&l);
    wide[N - 2][SPECIES - 1] = (double)NAN;
    put_table(path, "PartType0/ChemicalAbundances", H5T_IEEE_F64LE, N, SPECIES, wide[0]);
    fails(path, 1, columns, ALL, IRIS_E_DATA, "ChemicalAbundances", "2498");
}

static void
test_species(void)
{
    double nine[CELLS][9];
    const char *path = fresh("species.hdf5");
    static const char eight[] = "dataset_hyper.AREPO_CO_abundance_id=5;"
                                "dataset_hyper.AREPO_H2_abundance_id=8;"
                                "dataset_hyper.AREPO_H_plus_abundance_id=0";
    struct loaded plain, l;
    int i, k;

    for (i = 0; i < CELLS; i++) {
        for (k = 0; k < 9; k++)
            nine[i][k] = (double)NAN;
        nine[i][0] = nine[i][8] = gas.chem[i][0];
        nine[i][1] = gas.chem[i][1];
        nine[i][5] = gas.chem[i][2];
    }
    put_table(path, "PartType0/ChemicalAbundances", H5T_IEEE_F32LE, CELLS, 9, nine[0]);
    load(in("plain.hdf5"), 1, "", ALL, &plain);
    CHECK(!load(path, 1, "dataset_hyper.AREPO_CO_abundance_id=5", ALL, &l) &&
              same_cells(&plain.cells, &l.cells) && !strcmp(plain.info.content, l.info.content),
          "nine species: the columns that are used %s", l.err.msg);
    drop(&l);
    CHECK(!load(path, 1, eight, ALL, &l) &&
              equal((double)l.cells.gas[l.at[7]].x_H2, gas.chem[7][0]),
          "in any order %s", l.err.msg);
    drop(&l);
    drop(&plain);
    fails(path, 1, "", ALL, IRIS_E_DATA, "ChemicalAbundances' is not a number at cell 0", "");
    fails(path, 1, "dataset_hyper.AREPO_CO_abundance_id=9", ALL, IRIS_E_DATA, "has 9 species",
          "AREPO_CO_abundance_id cannot be 9");
    loads(path, "dataset_hyper.AREPO_CO_abundance_id=9", iris_snapshot_fields(IRIS_SIMPLE),
          "a column that is not needed may be missing");
    put_table(path, "PartType0/ChemicalAbundances", H5T_IEEE_F32LE, CELLS, 1, gas.rho);
    fails(path, 1, "", ALL, IRIS_E_DATA, "has 1 species", "AREPO_H_plus_abundance_id cannot be 1");
    fails(path, 1, "dataset_hyper.AREPO_H2_abundance_id=3", iris_snapshot_fields(IRIS_SIMPLE),
          IRIS_E_DATA, "has 1 species", "AREPO_H2_abundance_id cannot be 3");
}

static void
test_not_finite(void)
{
    static const struct {
        const char *dataset;
        double *value;
        hsize_t columns;
    } table[] = {{"PartType0/Coordinates", gas.x[0], 3},
                 {"PartType0/Velocities", gas.v[0], 3},
                 {"PartType0/Density", gas.rho, 0},
                 {"PartType0/InternalEnergy", gas.u, 0},
                 {"PartType0/DustTemperature", gas.dust, 0},
                 {"PartType0/ChemicalAbundances", gas.chem[0], 3}};
    size_t i, cell;
    char says[120];
    double keep, *v;

    for (i = 0; i < COUNT(table); i++) {
        const char *path = fresh("nan.hdf5");

        cell = 7 * i + 3;
        v = table[i].value + cell * (table[i].columns ? table[i].columns : 1) +
            (table[i].columns ? table[i].columns - 1 : 0);
        keep = *v;
        *v = i % 2 ? (double)NAN : -(double)INFINITY;
        put_table(path, table[i].dataset, H5T_IEEE_F32LE, CELLS, table[i].columns, table[i].value);
        *v = keep;
        snprintf(says, sizeof says, "'%s' is %s at cell %zu", table[i].dataset,
                 i % 2 ? "not a number" : "infinite", cell);
        fails(path, 1, "", ALL, IRIS_E_DATA, says, "nan.hdf5");
        if (i >= 3)
            loads(path, "", iris_snapshot_fields(IRIS_SIMPLE), "unless that value is not needed");
    }
}

/* Values that a file may hold, and a cell may not. */
static void
test_too_large(void)
{
    static const struct {
        const char *dataset;
        double *value;
        hsize_t columns;
        double bad;
        const char *says;
    } table[] = {
        {"PartType0/Coordinates", gas.x[0], 3, 1e300, "cell 5 is farther than 1e+37 cm"},
        {"PartType0/Velocities", gas.v[0], 3, -1e300, "'PartType0/Velocities' makes no number"},
        {"PartType0/Density", gas.rho, 0, 1e300, "'PartType0/Density' makes no number"},
        {"PartType0/InternalEnergy", gas.u, 0, -1e300, "'PartType0/InternalEnergy' makes no"},
        {"PartType0/DustTemperature", gas.dust, 0, 1e300, "'PartType0/DustTemperature' makes no"},
        {"PartType0/ChemicalAbundances", gas.chem[0], 3, 1e300, "Abundances' makes no number"}};
    size_t i;

    for (i = 0; i < COUNT(table); i++) {
        const char *path = fresh("large.hdf5");
        double *v = &table[i].value[5 * (table[i].columns ? table[i].columns : 1)], keep = *v;

        *v = table[i].bad;
        put_table(path, table[i].dataset, H5T_IEEE_F64LE, CELLS, table[i].columns, table[i].value);
        *v = keep;
        fails(path, 1, "", ALL, IRIS_E_DATA, table[i].says, "cell 5");
    }
}

static void
test_shapes(void)
{
    const hsize_t deep[3] = {CELLS, 3, 1};
    const char *path;

    path = fresh("shape.hdf5");
    put_table(path, "PartType0/Density", H5T_IEEE_F32LE, CELLS - 1, 0, gas.rho);
    fails(path, 1, "", ALL, IRIS_E_DATA, "'PartType0/Density' has the shape (59, 1)", "not (60)");
    put_table(path, "PartType0/Density", H5T_IEEE_F32LE, CELLS / 2, 2, gas.rho);
    fails(path, 1, "", ALL, IRIS_E_DATA, "'PartType0/Density' has the shape (30, 2)", "not (60)");
    put_table(path, "PartType0/Density", H5T_IEEE_F32LE, CELLS, 3, gas.x[0]);
    fails(path, 1, "", ALL, IRIS_E_DATA, "'PartType0/Density' has the shape (60, 3)", "not (60)");
    put(path, "PartType0/Density", H5T_IEEE_F32LE, 0, deep, H5P_DEFAULT, gas.rho);
    fails(path, 1, "", ALL, IRIS_E_DATA, "'PartType0/Density' has the shape", "of rank 0");
    path = fresh("shape.hdf5");
    put_table(path, "PartType0/Velocities", H5T_IEEE_F32LE, CELLS, 2, gas.x[0]);
    fails(path, 1, "", ALL, IRIS_E_DATA, "'PartType0/Velocities' has the shape (60, 2)",
          "not (60, 3)");
    put_table(path, "PartType0/Velocities", H5T_IEEE_F32LE, CELLS, 0, gas.x[0]);
    fails(path, 1, "", ALL, IRIS_E_DATA, "'PartType0/Velocities' has the shape (60, 1)", "rank 1");
    put(path, "PartType0/Velocities", H5T_IEEE_F32LE, 3, deep, H5P_DEFAULT, gas.x[0]);
    fails(path, 1, "", ALL, IRIS_E_DATA, "'PartType0/Velocities' has the shape", "rank 3");
    path = fresh("shape.hdf5");
    put_table(path, "PartType0/Coordinates", H5T_IEEE_F32LE, CELLS, 2, gas.x[0]);
    fails(path, 1, "", ALL, IRIS_E_DATA, "'PartType0/Coordinates' is not of shape (cells, 3)", "");
    put_table(path, "PartType0/Coordinates", H5T_IEEE_F32LE, CELLS, 0, gas.x[0]);
    fails(path, 1, "", ALL, IRIS_E_DATA, "'PartType0/Coordinates' is not of shape (cells, 3)", "");
    put_table(path, "PartType0/Coordinates", H5T_IEEE_F32LE, CELLS - 1, 3, gas.x[0]);
    fails(path, 1, "", ALL, IRIS_E_DATA, "has the shape (60, 1)", "not (59)");
    path = fresh("shape.hdf5");
    put_table(path, "PartType0/Density", H5T_C_S1, CELLS, 0, NULL);
    fails(path, 1, "", ALL, IRIS_E_DATA, "'PartType0/Density' does not hold numbers", "");
    path = fresh("shape.hdf5");
    cut(path, "PartType0");
    put_table(path, "PartType0", H5T_IEEE_F32LE, CELLS, 0, gas.rho);
    fails(path, 1, "", ALL, IRIS_E_DATA, "PartType0", "");
}

/* Quantities of cell 7 of a comoving file against the plain one. */
static void
factors(const char *path, const char *changes, double length, double density, double velocity,
        const char *what)
{
    struct loaded plain, l;

    load(in("plain.hdf5"), 1, "", ALL, &plain);
    if (CHECK(!load(path, 1, changes, ALL, &l), "%s: loads %s", what, l.err.msg)) {
        const struct iris_gas *g = &l.cells.gas[l.at[7]], *g0 = &plain.cells.gas[plain.at[7]];

        CHECK(check_near(l.cells.x[l.at[7]], plain.cells.x[plain.at[7]] * length, 1e-14) &&
                  check_near(l.cells.box.hi[1], plain.cells.box.hi[1] * length, 1e-14),
              "%s: lengths times %g", what, length);
        CHECK(check_near((double)g->rho, (double)g0->rho * density, 2e-7), "%s: densities times %g",
              what, density);
        CHECK(check_near((double)g->v[0], (double)g0->v[0] * velocity, 2e-7),
              "%s: velocities times %g", what, velocity);
        CHECK(equal((double)g->T, (double)g0->T), "%s: temperatures as they are", what);
    }
    drop(&plain);
    drop(&l);
}

static void
scaling(const char *path, const char *dataset, double a, double h)
{
    set(path, dataset, "a_scaling", a);
    set(path, dataset, "h_scaling", h);
}

static void
no_scalings(const char *path)
{
    static const char *const dataset[] = {"PartType0/Coordinates", "PartType0/Velocities",
                                          "PartType0/Density", "PartType0/InternalEnergy"};
    size_t i;

    for (i = 0; i < COUNT(dataset); i++) {
        unset(path, dataset[i], "a_scaling");
        unset(path, dataset[i], "h_scaling");
    }
}

static void
test_comoving(void)
{
    static const char convert[] = "suite_hyper.comoving=\"convert\"";
    const char *path = fresh("comoving.hdf5");

    set(path, "Header", "Time", 0.25);
    set(path, "Header", "HubbleParam", 0.5);
    factors(path, "", 1, 1, 1, "not comoving, h_scaling 0");
    scaling(path, "PartType0/Coordinates", 1, -1);
    scaling(path, "PartType0/Velocities", 0.5, 0);
    scaling(path, "PartType0/Density", -3, 2);
    factors(path, "", 2, 0.25, 1, "not comoving, h_scaling set");
    set(path, "Parameters", "ComovingIntegrationOn", 1);
    fails(path, 1, "", ALL, IRIS_E_DATA, "is of a comoving run", "suite_hyper.comoving");
    factors(path, convert, 0.5, 16, 0.5, "comoving, as the datasets say");
    scaling(path, "PartType0/Density", -2, 0);
    factors(path, convert, 0.5, 16, 0.5, "comoving, a density with a scaling of its own");
    scaling(path, "PartType0/Density", 0, 3);
    scaling(path, "PartType0/Velocities", 0, -1);
    factors(path, convert, 0.5, 0.125, 2, "comoving, other scalings");
    path = fresh("comoving.hdf5");
    no_scalings(path);
    set(path, "Header", "Time", 0.25);
    set(path, "Header", "HubbleParam", 0.5);
    factors(path, "", 1, 1, 1, "not comoving, no scalings");
    set(path, "Parameters", "ComovingIntegrationOn", 1);
    factors(path, convert, 0.5, 16, 0.5, "comoving, no scalings");
    set(path, "PartType0/Density", "a_scaling", 7);
    factors(path, convert, 0.5, 16, 0.5, "comoving, half a scaling");
    set(path, "Header", "Time", 0);
    fails(path, 1, convert, ALL, IRIS_E_DATA, "comoving run", "Time and HubbleParam");
    path = fresh("comoving.hdf5");
    set(path, "Header", "HubbleParam", 0);
    factors(path, "", 1, 1, 1, "not comoving, no Hubble constant");
}

static void
test_centre(void)
{
    const char *path = fresh("centre.hdf5");
    struct loaded l;
    double unit = 3.085678e18 / 1e7, dense = 0;
    int i, at = 0;

    CHECK(!load(path, 1, "suite_hyper.centre=[10, 20, 30.5]", ALL, &l) &&
              check_near(l.cells.x[l.at[5]], (gas.x[5][0] - 10) * unit, 1e-14) &&
              check_near(l.cells.y[l.at[5]], (gas.x[5][1] - 20) * unit, 1e-14) &&
              check_near(l.cells.z[l.at[5]], (gas.x[5][2] - 30.5) * unit, 1e-14) &&
              check_near(l.cells.box.lo[1], -20 * unit, 1e-14) &&
              check_near(l.cells.box.hi[1], (BOX - 20) * unit, 1e-14),
          "about a point");
    drop(&l);
    for (i = 0; i < CELLS; i++) {
        at = gas.rho[i] > dense ? i : at;
        dense = fmax(dense, gas.rho[i]);
    }
    CHECK(!load(path, 1, "suite_hyper.centre=\"densest\"", ALL, &l) &&
              equal(l.cells.x[l.at[at]], 0) && equal(l.cells.y[l.at[at]], 0) &&
              equal(l.cells.z[l.at[at]], 0),
          "about the densest cell");
    drop(&l);
    CHECK(!load(path, 1, "suite_hyper.centre=\"densest\"", 1u << IRIS_V_R, &l) &&
              equal(l.cells.x[l.at[at]], 0),
          "also when densities are not asked for");
    drop(&l);
    unset(path, "Header", "BoxSize");
    same_as_plain(path, 1, "BoxSize in Parameters");
    unset(path, "Parameters", "BoxSize");
    fails(path, 1, "", ALL, IRIS_E_DATA, "no positive BoxSize", "suite_hyper.centre");
    fails(path, 1, "suite_hyper.centre=[1, 2, 3]", ALL, IRIS_E_DATA, "no positive BoxSize", "");
    cut(path, "Config");
    loads(path, "suite_hyper.centre=[1, 2, 3]", ALL,
          "a point needs no box when nothing is periodic");
}

static int
faces(const char *path, const char *changes, enum iris_faces wanted, int x, int y, int z)
{
    struct loaded l;
    int ok = !load(path, 1, changes, ALL, &l) && l.cells.faces == wanted &&
             !l.cells.closed[0] == !x && !l.cells.closed[1] == !y && !l.cells.closed[2] == !z;

    drop(&l);
    return ok;
}

static void
test_faces(void)
{
    static const char periodic[] = "suite_hyper.periodic=true";
    const char *path = fresh("faces.hdf5");

    CHECK(faces(path, "", IRIS_FACES_GUARD, 0, 0, 0), "a periodic box is guarded");
    CHECK(faces(path, periodic, IRIS_FACES_WRAP, 0, 0, 0), "or wrapped");
    set(path, "Config", "REFLECTIVE_Y", 1);
    CHECK(faces(path, "", IRIS_FACES_GUARD, 0, 1, 0), "one axis has walls");
    CHECK(faces(path, periodic, IRIS_FACES_WRAP, 0, 1, 0), "the others wrap");
    set(path, "Config", "REFLECTIVE_X", 2);
    set(path, "Config", "REFLECTIVE_Z", 2);
    CHECK(faces(path, "", IRIS_FACES_OPEN, 1, 1, 1), "walls all around");
    CHECK(faces(path, periodic, IRIS_FACES_OPEN, 1, 1, 1), "have nothing to wrap");
    cut(path, "Config");
    CHECK(faces(path, "", IRIS_FACES_OPEN, 0, 0, 0), "an unknown configuration is open");
    CHECK(faces(path, periodic, IRIS_FACES_WRAP, 0, 0, 0), "unless it is said to be periodic");
}

static void
test_content(void)
{
    struct loaded plain, l;
    const char *path = fresh("content.hdf5");
    unsigned simple = iris_snapshot_fields(IRIS_SIMPLE);
    double keep = gas.rho[5];

    load(in("plain.hdf5"), 1, "", ALL, &plain);
    gas.rho[5] += 0.5;
    put_table(path, "PartType0/Density", H5T_IEEE_F32LE, CELLS, 0, gas.rho);
    gas.rho[5] = keep;
    CHECK(!load(path, 1, "", ALL, &l) && strcmp(plain.info.content, l.info.content) != 0,
          "one other value is another content");
    drop(&l);
    drop(&plain);
    path = fresh("content.hdf5");
    load(path, 1, "", simple, &plain);
    put_table(path, "PartType0/InternalEnergy", H5T_IEEE_F32LE, CELLS, 0, gas.rho);
    CHECK(!load(path, 1, "", simple, &l) && !strcmp(plain.info.content, l.info.content),
          "but not when it is not used");
    drop(&l);
    put_table(path, "PartType0/Velocities", H5T_IEEE_F32LE, CELLS, 3, gas.x[0]);
    put_table(path, "PartType0/Coordinates", H5T_IEEE_F32LE, CELLS, 3, gas.v[0]);
    CHECK(!load(path, 1, "", simple, &l) && strcmp(plain.info.content, l.info.content) != 0,
          "the same numbers in another place are another content");
    drop(&l);
    drop(&plain);
}

/* physics.md section 16, item 2: one cell of u = 1e6 J/kg, x_H2 = 0.3,
 * x_H+ = 0.01 has 139.387260 K; the abundances went through single precision. */
static void
test_temperature(void)
{
    double u[CELLS], chem[CELLS][3];
    const char *path = fresh("T.hdf5");
    struct iris_settings s;
    struct loaded l;
    int i;

    for (i = 0; i < CELLS; i++) {
        u[i] = 1;
        chem[i][0] = 0.3;
        chem[i][1] = 0.01;
        chem[i][2] = 1e-4;
    }
    put_table(path, "PartType0/InternalEnergy", H5T_IEEE_F64LE, CELLS, 0, u);
    put_table(path, "PartType0/ChemicalAbundances", H5T_IEEE_F64LE, CELLS, 3, chem[0]);
    must(!load(path, 1, "", ALL, &l), "load a snapshot");
    CHECK(check_near((double)l.cells.gas[0].T, 139.387260, 1e-7), "T is %.7g K",
          (double)l.cells.gas[0].T);
    drop(&l);
    CHECK(!load(path, 1, "writer_hyper.temperature_K_per_processing=10", ALL, &l) &&
              check_near((double)l.cells.gas[0].T, 13.9387260, 1e-7) &&
              check_near((double)l.cells.gas[l.at[8]].T_dust, 1.1, 1e-7),
          "in other processing units");
    drop(&l);
    CHECK(!load(path, 1, "observer_hyper.T_inf=139", ALL, &l) && isinf(l.cells.gas[0].T), "cut");
    CHECK(!isinf(l.cells.gas[0].T_dust), "but the dust is not");
    drop(&l);
    /* T is exactly 1 K, so that the cut can be put there */
    set(path, "Header", "UnitVelocity_in_cm_per_s", 100);
    for (i = 0; i < CELLS; i++) {
        u[i] = 1.5;
        chem[i][0] = chem[i][1] = 0;
    }
    put_table(path, "PartType0/InternalEnergy", H5T_IEEE_F64LE, CELLS, 0, u);
    put_table(path, "PartType0/ChemicalAbundances", H5T_IEEE_F64LE, CELLS, 3, chem[0]);
    settings("", &s);
    s.observer.k = s.observer.m_H = 1;
    s.observer.m_He = s.observer.abundance_He = 0;
    s.observer.T_inf = 1;
    CHECK(!load_with(path, 1, &s, ALL, &l) && equal((double)l.cells.gas[0].T, 1), "T_inf is kept");
    drop(&l);
    s.observer.T_inf = nextafter(1, 0);
    CHECK(!load_with(path, 1, &s, ALL, &l) && isinf(l.cells.gas[0].T), "above it is cut");
    drop(&l);
}

/* Density of `path` taken from `object` of a file beside it. */
static void
make_virtual(const char *path, const char *source, const char *object)
{
    hsize_t n = CELLS;
    hid_t how = H5Pcreate(H5P_DATASET_CREATE), space = H5Screate_simple(1, &n, NULL);

    H5Pset_virtual(how, space, source, object, space);
    H5Sclose(space);
    put(path, "PartType0/Density", H5T_IEEE_F32LE, 1, &n, how, NULL);
}

static void
test_virtual(void)
{
    const char *path = fresh("virtual.hdf5");
    struct loaded l;

    make_virtual(path, "plain.hdf5", "PartType0/Density");
    same_as_plain(path, 1, "a virtual dataset");
    make_virtual(path, in("plain.hdf5"), "PartType0/Density");
    same_as_plain(path, 1, "with an absolute name");
    make_virtual(path, "gone.hdf5", "PartType0/Density");
    fails(path, 1, "", ALL, IRIS_E_IO, "'PartType0/Density'", "'gone.hdf5'");
    make_virtual(path, "plain.hdf5", "PartType0/Gone");
    fails(path, 1, "", ALL, IRIS_E_DATA, "'PartType0/Density'", "plain.hdf5");
    fresh("broken.hdf5");
    must(!truncate(in("broken.hdf5"), 3000), "truncate");
    make_virtual(path, "broken.hdf5", "PartType0/Density");
    fails(path, 1, "", ALL, IRIS_E_DATA, "'PartType0/Density'", "broken.hdf5");
    make_virtual(path, ".", "PartType0/Masses");
    CHECK(!load(path, 1, "", ALL, &l), "of another dataset of the same file");
    drop(&l);
    make_virtual(path, ".", "PartType0/Gone");
    fails(path, 1, "", ALL, IRIS_E_DATA, "'PartType0/Density'", "does not have them");
    make_virtual(path, ".", "PartType0/Density");
    fails(path, 1, "", ALL, IRIS_E_DATA, "'PartType0/Density'", "nowhere");
    make_virtual(fresh("other.hdf5"), "virtual.hdf5", "PartType0/Density");
    make_virtual(path, "other.hdf5", "PartType0/Density");
    fails(path, 1, "", ALL, IRIS_E_DATA, "'PartType0/Density'", "nowhere");
}

/* Virtual datasets in a row, each of many parts of the next one: few bytes, and no end. */
static void
test_virtual_fan(void)
{
    enum { ROW = 6, PARTS = CELLS };
    const char *path = fresh("fan.hdf5");
    hsize_t n = CELLS, one = 1, at;
    char name[2][64] = {"PartType0/Density", ""};
    int i;

    for (i = 0; i < ROW; i++) {
        hid_t how = H5Pcreate(H5P_DATASET_CREATE), all = H5Screate_simple(1, &n, NULL);

        snprintf(name[1], sizeof name[1], "PartType0/Next%d", i);
        for (at = 0; at < PARTS; at++) {
            H5Sselect_hyperslab(all, H5S_SELECT_SET, &at, NULL, &one, NULL);
            must(H5Pset_virtual(how, all, ".", i < ROW - 1 ? name[1] : "PartType0/Masses", all) >=
                     0,
                 "H5Pset_virtual");
        }
        H5Sclose(all);
        put(path, name[0], H5T_IEEE_F32LE, 1, &n, how, NULL);
        memcpy(name[0], name[1], sizeof name[0]);
    }
    fails(path, 1, "", ALL, IRIS_E_DATA, "'PartType0/Next", "too many others");
}

/* A snapshot may not have any file read that it names. */
static void
test_external(void)
{
    const char *path = fresh("external.hdf5"), *named = in("plain.hdf5");
    hid_t how = H5Pcreate(H5P_DATASET_CREATE);
    hsize_t n = CELLS;

    must(H5Pset_external(how, named, 0, CELLS * sizeof(float)) >= 0, "H5Pset_external");
    put(path, "PartType0/Density", H5T_IEEE_F32LE, 1, &n, how, NULL);
    fails(path, 1, "", ALL, IRIS_E_DATA, "'PartType0/Density'", "is not HDF5");
    make_virtual(fresh("through.hdf5"), "external.hdf5", "PartType0/Density");
    fails(in("through.hdf5"), 1, "", ALL, IRIS_E_DATA, "'PartType0/Density'", "is not HDF5");
}

static void
test_files(void)
{
    const char *path = fresh("file.hdf5");
    struct stat sb;
    FILE *fp;

    stat(path, &sb);
    must(!truncate(path, sb.st_size / 2), "truncate");
    fails(path, 1, "", ALL, IRIS_E_DATA, "file.hdf5", "truncated");
    must(!truncate(path, 100), "truncate");
    fails(path, 1, "", ALL, IRIS_E_DATA, "file.hdf5", "cannot read as HDF5");
    must(!truncate(path, 0), "truncate");
    fails(path, 1, "", ALL, IRIS_E_DATA, "file.hdf5", "cannot read as HDF5");
    fails(scratch, 1, "", ALL, IRIS_E_IO, strrchr(scratch, '/') + 1, "is a directory");
    fails(in("none.hdf5"), 1, "", ALL, IRIS_E_IO, "none.hdf5", "No such file");
    fp = fopen(path, "w");
    must(fp && fputs("this is no snapshot\n", fp) >= 0 && !fclose(fp), "write");
    fails(path, 1, "", ALL, IRIS_E_DATA, "file.hdf5", "cannot read as HDF5");
    H5Fclose(H5Fcreate(path, H5F_ACC_TRUNC, H5P_DEFAULT, H5P_DEFAULT));
    fails(path, 1, "", ALL, IRIS_E_DATA, "file.hdf5", "not a snapshot");
    path = fresh("file.hdf5");
    cut(path, "PartType0");
    fails(path, 1, "", ALL, IRIS_E_DATA, "file.hdf5", "no gas cells");
    path = fresh("file.hdf5");
    put_table(path, "PartType0/Coordinates", H5T_IEEE_F64LE, 0, 3, NULL);
    fails(path, 1, "", ALL, IRIS_E_DATA, "file.hdf5", "no gas cells");
}

static int
stop(void *left)
{
    return --*(int *)left == 0;
}

static void
test_pause(void)
{
    struct iris_settings s;
    struct loaded l = {0};
    int left, k, wrong = 0;

    settings("", &s);
    for (k = 1; k <= 7; k++) {
        enum iris_status st;

        left = k;
        st = iris_snapshot_load(in("plain.hdf5"), 1, &s, ALL, stop, &left, NULL, &l.cells, &l.info,
                                &l.err);
        wrong += st != (k <= 6 ? IRIS_E_RETRY : IRIS_OK) || (st && l.cells.block);
        drop(&l);
    }
    CHECK(!wrong, "stopped after any dataset");
}

static struct {
    double room[4096];
    size_t asked;
    int times, full;
} place;

static void *
lend(void *self, size_t bytes)
{
    (void)self;
    place.asked = bytes;
    place.times++;
    return place.full || bytes > sizeof place.room ? NULL : place.room;
}

/* Cells in memory that is lent are those of the heap. */
static void
test_memory(void)
{
    struct iris_memory memory = {lend, NULL};
    struct loaded heap, l = {0};
    struct iris_settings s;
    enum iris_status st;
    size_t bytes = 0;

    settings("", &s);
    must(!load_with(in("plain.hdf5"), 1, &s, ALL, &heap), heap.err.msg);
    iris_cells_size(CELLS, &bytes, NULL);
    st = iris_snapshot_load(in("plain.hdf5"), 1, &s, ALL, NULL, NULL, &memory, &l.cells, &l.info,
                            &l.err);
    CHECK(!st && place.times == 1 && place.asked == bytes, "asked once, for what the cells need");
    CHECK(!l.cells.block && l.cells.x == place.room && l.cells.n == heap.cells.n, "it lies there");
    CHECK(!memcmp(l.cells.x, heap.cells.x, CELLS * sizeof(double)) &&
              !memcmp(l.cells.gas, heap.cells.gas, CELLS * sizeof *l.cells.gas) &&
              !memcmp(l.cells.order, heap.cells.order, CELLS * sizeof *l.cells.order) &&
              !strcmp(l.info.content, heap.info.content),
          "and is the same");
    drop(&l);
    drop(&heap);
    place.full = 1;
    st = iris_snapshot_load(in("plain.hdf5"), 1, &s, ALL, NULL, NULL, &memory, &l.cells, &l.info,
                            &l.err);
    CHECK(st == IRIS_E_IO && strstr(l.err.msg, "no memory"), "no memory is told");
    drop(&l);
}

/* The writer refuses what it was not told of, and publishes nothing then. */
static void
test_writer(void)
{
    struct iris_snap_header header = {BOX, 1, 1, 1, 1, CELLS, CELLS, 1, 0, 0};
    struct iris_snap_cells cells = {gas.x[0], gas.v[0],    gas.rho,  gas.u,
                                    gas.mass, gas.chem[0], gas.dust, gas.id};
    struct iris_snapwriter *w;
    struct iris_err err = {0};
    char a[IRIS_DIGEST_TEXT] = "", b[IRIS_DIGEST_TEXT] = "";

    CHECK(iris_snapwrite_bytes(&header) == CELLS * (24 + 12 + 4 + 4 + 4 + 4 + 12 + 4), "bytes");
    iris_snapwrite_open(&w, in("w.hdf5"), &header, &err);
    CHECK(!iris_snapwrite_cells(w, 10, &cells, &err) &&
              iris_snapwrite_cells(w, CELLS - 9, &cells, &err) == IRIS_E_BUG,
          "more cells than promised");
    CHECK(iris_snapwrite_commit(w, &err) == IRIS_E_BUG && access(in("w.hdf5"), F_OK) &&
              access(in("w.hdf5.tmp"), F_OK),
          "or fewer");
    header.cells = 0;
    CHECK(iris_snapwrite_open(&w, in("w.hdf5"), &header, &err) == IRIS_E_USAGE && !w, "or none");
    iris_snapwrite_abort(w);
    iris_digest_file(fresh("w1.hdf5"), a, &err);
    iris_digest_file(fresh("w2.hdf5"), b, &err);
    CHECK(a[0] && !strcmp(a, b), "equal cells give equal bytes");
}

/* Shared data. */

static double *
read_doubles(const char *shared, const char *name, size_t n)
{
    struct iris_err err = {0};
    char path[4300];
    struct iris_npy a;
    double *v = malloc(n * sizeof *v);

    snprintf(path, sizeof path, "%s/golden/%s", shared, name);
    must(v && !iris_npy_open(path, &a, &err) && a.count == n &&
             !iris_npy_read_f64(&a, 0, n, v, &err),
         path);
    iris_npy_close(&a);
    return v;
}

/* Largest |a - b| of a column of the cells, relative to the largest |b|. */
static double
deviation(const double *got, const double *wanted, size_t n)
{
    double worst = 0, size = 0;
    size_t i;

    for (i = 0; i < n; i++) {
        worst = fmax(worst, fabs(got[i] - wanted[i]));
        size = fmax(size, fabs(wanted[i]));
    }
    return worst / size;
}

static double
relative(const double *got, const double *wanted, size_t n)
{
    double worst = 0;
    size_t i;

    for (i = 0; i < n; i++) {
        double d = isinf(wanted[i]) && isinf(got[i]) ? 0 : fabs(got[i] / wanted[i] - 1);

        worst = d <= worst ? worst : d;
    }
    return worst;
}

/* Positions are doubles: some roundings of the largest. The rest is stored in
 * single precision: half an ulp is 6e-8. Positions and velocities of the
 * reference are scaled by 0.5, ours are not. */
static void
test_golden(const char *shared)
{
    enum { N = 20000 };
    double *x = malloc(3 * N * sizeof *x), *v = malloc(3 * N * sizeof *v);
    double *rho = malloc(N * sizeof *rho), *T = malloc(N * sizeof *T);
    double *x0 = read_doubles(shared, "cells_s05_positions_f64.npy", 3 * N);
    double *v0 = read_doubles(shared, "cells_s05_velocities_f64.npy", 3 * N);
    double *rho0 = read_doubles(shared, "cells_s05_densities_f64.npy", N);
    double *T0 = read_doubles(shared, "cells_s05_temperatures_f64.npy", N);
    struct iris_settings s;
    struct iris_hyper *h = NULL;
    struct loaded l, wide;
    char path[4300];
    size_t i, k;

    snprintf(path, sizeof path, "%s/golden/hyper_s05.json", shared);
    must(!iris_hyper_read(path, &h, NULL) && x && v && rho && T, path);
    iris_hyper_settings(h, &s);
    iris_hyper_free(h);
    snprintf(path, sizeof path, "%s/golden/mock_small.hdf5", shared);
    must(!load_with(path, 1, &s, ALL, &l), l.err.msg);
    snprintf(path, sizeof path, "%s/golden/mock_small_f64gz.hdf5", shared);
    CHECK(!load_with(path, 1, &s, ALL, &wide) && same_cells(&l.cells, &wide.cells),
          "golden: single and double give the same cells");
    CHECK(!strcmp(l.info.content, wide.info.content), "golden: and have the same content");
    CHECK(l.cells.n == N && !l.info.warnings.len, "golden: 20000 cells, no warnings %s",
          iris_buf_str(&l.info.warnings));
    for (i = 0; i < N; i++) {
        size_t at = l.cells.order[i];

        x[3 * at] = l.cells.x[i] * 0.5;
        x[3 * at + 1] = l.cells.y[i] * 0.5;
        x[3 * at + 2] = l.cells.z[i] * 0.5;
        for (k = 0; k < 3; k++)
            v[3 * at + k] = (double)l.cells.gas[i].v[k] * 0.5;
        rho[at] = (double)l.cells.gas[i].rho;
        T[at] = (double)l.cells.gas[i].T;
    }
    CHECK(deviation(x, x0, 3 * N) < 1e-15, "golden: positions within %.1e",
          deviation(x, x0, 3 * N));
    CHECK(deviation(v, v0, 3 * N) < 1e-7, "golden: velocities within %.1e",
          deviation(v, v0, 3 * N));
    CHECK(relative(rho, rho0, N) < 1e-7, "golden: densities within %.1e", relative(rho, rho0, N));
    CHECK(relative(T, T0, N) < 1e-7, "golden: temperatures within %.1e", relative(T, T0, N));
    drop(&l);
    drop(&wide);
    free(x);
    free(v);
    free(rho);
    free(T);
    free(x0);
    free(v0);
    free(rho0);
    free(T0);
}

static void
test_real(const char *shared)
{
    static const char without[] = "dataset_hyper.use_AREPO_abundances=false";
    unsigned simple = iris_snapshot_fields(IRIS_SIMPLE);
    struct loaded l;
    char path[4300];

    snprintf(path, sizeof path, "%s/real/merger_multi/snapdir_003/snap_003.0.hdf5", shared);
    must(!load(path, 2, without, simple, &l), path);
    CHECK(l.info.cells == 8320 && !l.info.warnings.len,
          "real: a set of two files has 8320 cells %s", iris_buf_str(&l.info.warnings));
    drop(&l);
    fails(path, 1, without, simple, IRIS_E_DATA, "set of 2 files", "");
    fails(path, 2, "", simple, IRIS_E_DATA, "ChemicalAbundances", "use_AREPO_abundances");
    snprintf(path, sizeof path, "%s/real/galaxy_interaction.hdf5", shared);
    must(!load(path, 1, without, simple, &l), path);
    CHECK(l.info.cells == 7217 && !l.info.warnings.len, "real: a single file has 7217 cells %s",
          iris_buf_str(&l.info.warnings));
    drop(&l);
}

int
main(void)
{
    const char *tmp = getenv("TMPDIR"), *shared = check_shared();

    snprintf(scratch, sizeof scratch, "%s/iris-snapshot-XXXXXX", tmp ? tmp : "/tmp");
    if (!mkdtemp(scratch))
        return 2;
    make_gas();
    test_storage(); /* makes plain.hdf5 */
    test_values();
    test_set();
    test_counts();
    test_claimed();
    test_units();
    test_missing();
    test_species();
    test_many_species();
    test_not_finite();
    test_too_large();
    test_shapes();
    test_comoving();
    test_centre();
    test_faces();
    test_content();
    test_temperature();
    test_virtual();
    test_virtual_fan();
    test_external();
    test_files();
    test_pause();
    test_memory();
    test_writer();
    if (shared) {
        test_golden(shared);
        test_real(shared);
    } else {
        check_skip("golden cells", "no shared reference data");
        check_skip("real snapshots", "no shared reference data");
    }
    empty_scratch();
    rmdir(scratch);
    H5close();
    return check_done();
}
