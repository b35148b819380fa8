/* Line tables of a settings file, and their file: two lines of a molecule with
 * three levels. */
#include "check.h"

#include <hdf5.h>
#include <sys/stat.h>
#include <unistd.h>

#include "lines.h"
#include "npy.h"
#include "simd.h"

static const char molecule[] = "!MOLECULE\nXO\n!MOLECULAR WEIGHT\n29.0\n"
                               "!NUMBER OF ENERGY LEVELS\n3\n"
                               "!LEVEL + ENERGIES(cm^-1) + WEIGHT + J\n"
                               "    1     0.0000000000   1.0     0\n"
                               "    2     3.6759215030   3.0     1\n"
                               "    3    11.0276302684   5.0     2\n"
                               "!NUMBER OF RADIATIVE TRANSITIONS\n2\n"
                               "!TRANS + UP + LOW + EINSTEINA(s^-1) + FREQ(GHz) + E_u(K)\n"
                               "    1     2     1  6.294E-08            110.2013542798      5.29\n"
                               "    2     3     2  6.038E-07            220.3986841281     15.87\n"
                               "!NUMBER OF COLL PARTNERS\n1\n"
                               "!COLLISIONS BETWEEN\n1 XO-H2\n"
                               "!NUMBER OF COLL TRANS\n3\n!NUMBER OF COLL TEMPS\n2\n!COLL TEMPS\n"
                               "   10.0   100.0\n"
                               "!TRANS + UP + LOW + COLLRATES(cm^3 s^-1)\n"
                               "    1     2     1  3.3E-11  3.4E-11\n"
                               "    2     3     1  2.7E-11  3.1E-11\n"
                               "    3     3     2  6.7E-11  7.2E-11\n";

static const char two_lines[] =
    "{\"observer_hyper\": {\"n_lines\": 2, \"chem_path\": [\"xo.dat\", \"xo.dat\"],"
    " \"transition\": [[1, 0], [2, 1]], \"kappa_dust\": [0.001, 0],"
    " \"N_H_TOT_steps\": [8, 4], \"interpolation_max_N_H_TOT\": [1e12, 1e10],"
    " \"bolic_normalization\": [1, 2], \"abundance_H2_steps\": [3, 4],"
    " \"T_steps\": [5, 6], \"interpolation_max_T\": [300, 100]}}";

static char dir[] = "/tmp/test_lines_file.XXXXXX";
static char file[64], dat[64];
static const struct iris_lines_effort no_effort;

static struct iris_hyper *
settings(void)
{
    struct iris_hyper *h = NULL;
    struct iris_err err = {0};

    if (iris_hyper_parse(two_lines, strlen(two_lines), "test", dir, &h, &err))
        printf("# %s\n", err.msg);
    return h;
}

static struct iris_hyper *
changed(const char *key, const char *json)
{
    struct iris_hyper *h = settings();
    struct iris_err err = {0};

    if (iris_hyper_set(h, key, json, &err) || iris_hyper_check(h, &err))
        printf("# %s\n", err.msg);
    return h;
}

static enum iris_status
init(struct iris_lines *l, const struct iris_hyper *h, struct iris_err *err)
{
    struct iris_buf warnings = {0};
    enum iris_status st = iris_lines_init(l, h, &warnings, err);

    iris_buf_release(&warnings);
    return st;
}

static enum iris_status
write_to(const struct iris_lines *l, const struct iris_hyper *h, const char *path,
         struct iris_err *err)
{
    struct iris_outfile out;
    enum iris_status st = iris_outfile_open(&out, path, err);

    return st ? st : iris_lines_write(l, h, &out, err);
}

/* The tables of the settings above, made and written. */
static void
make(struct iris_lines *l, struct iris_hyper **h)
{
    struct iris_err err = {0};

    *h = settings();
    if (init(l, *h, &err) || iris_lines_make(l, &no_effort, &err) || write_to(l, *h, file, &err))
        printf("# %s\n", err.msg);
}

static void
test_init(void)
{
    struct iris_hyper *h = settings(), *wrong;
    struct iris_err err = {0};
    struct iris_lines l;

    CHECK(!init(&l, h, &err) && l.n == 2, "two lines %s", err.msg);
    CHECK(l.line[0].table.n_N == 8 && l.line[1].table.n_x == 4 && l.line[1].table.n_T == 6 &&
              !l.line[0].table.node,
          "with axes, without values");
    CHECK(l.line[1].settings.upper == 2 && l.line[0].settings.kappa == 0.001 &&
              !strcmp(l.line[0].settings.chem_path, dat),
          "with the settings of the lines");
    CHECK(l.line[0].law.L == 6.022141e23 && l.line[0].law.number == 1e15 &&
              l.line[0].law.units.length == 1e-5 && l.line[0].law.balance.T_continuum == 2.73 &&
              !l.line[0].law.fine && !l.line[0].law.balance.clamp_rates,
          "and the law");
    CHECK(iris_lines_values(&l) == (8 * 3 * 5 + 4 * 4 * 6) * 8, "so many values");
    iris_lines_release(&l);
    iris_lines_release(&l);
    CHECK(!l.n && !l.line, "release, twice");

    wrong = changed("observer_hyper.transition", "[[1, 0], [2, 0]]");
    CHECK(init(&l, wrong, &err) == IRIS_E_DATA && !l.n &&
              strstr(err.msg, "observer_hyper.transition[1]: ") && strstr(err.msg, dat),
          "a transition that the file lacks: %s", err.msg);
    iris_hyper_free(wrong);
    wrong = changed("observer_hyper.chem_path", "[\"xo.dat\", \"none.dat\"]");
    CHECK(init(&l, wrong, &err) == IRIS_E_IO && strstr(err.msg, "observer_hyper.chem_path[1]: ") &&
              strstr(err.msg, "none.dat"),
          "a missing file: %s", err.msg);
    iris_hyper_free(wrong);
    wrong = changed("observer_hyper.chem_path", "[\"bad.dat\", \"xo.dat\"]");
    CHECK(init(&l, wrong, &err) == IRIS_E_DATA && strstr(err.msg, "chem_path[0]: ") &&
              strstr(err.msg, "bad.dat:"),
          "a wrong file: %s", err.msg);
    CHECK(init(&l, wrong, NULL) == IRIS_E_DATA, "and without a sentence");
    iris_hyper_free(wrong);
    iris_hyper_set(h, "observer_hyper.n_lines", "null", NULL);
    CHECK(init(&l, h, &err) == IRIS_E_DATA && strstr(err.msg, "observer_hyper.n_lines"),
          "no lines: %s", err.msg);
    iris_hyper_free(h);
}

struct count {
    size_t calls, last, total, stop_at;
};

static int
count(void *self, size_t done, size_t total)
{
    struct count *c = self;

    c->calls++;
    c->last = done;
    c->total = total;
    return done == c->stop_at;
}

/* However many there are, the bytes are the same, and a stop is one. */
static void
test_threads(struct iris_lines *l, const struct iris_line_table *one)
{
    static const size_t threads[] = {0, 1, 2, 3, 8, 5000};
    size_t bytes = iris_line_table_size(one) * sizeof *one->node, i, k, differ = 0;
    struct count c = {.stop_at = 99};
    struct iris_lines_effort effort = {.pause = {count, &c}};
    struct iris_err err = {0};

    for (i = 0; i < sizeof threads / sizeof *threads; i++)
        for (k = 0; (effort.kernels = iris_kernels_at(k)); k++) {
            effort.threads = threads[i];
            memset(l->line[1].table.node, 0xff, bytes);
            differ += iris_lines_make(l, &effort, &err) != IRIS_OK || c.last != 11 ||
                      memcmp(one->node, l->line[1].table.node, bytes) != 0;
        }
    CHECK(!differ, "by any number of threads and level of instructions: %zu differ %s", differ,
          err.msg);
    c.stop_at = 0;
    effort.threads = 3;
    CHECK(iris_lines_make(l, &effort, &err) == IRIS_E_RETRY, "threads stop: %s", err.msg);
}

static void
test_make(void)
{
    struct count c = {.stop_at = 99};
    struct iris_lines_effort counted = {.pause = {count, &c}};
    struct iris_line_table one = {0};
    struct iris_hyper *h = settings();
    struct iris_err err = {0};
    struct iris_lines l;

    init(&l, h, &err);
    CHECK(!iris_lines_make(&l, &counted, &err), "made %s", err.msg);
    CHECK(c.calls == 12 && c.last == 11 && c.total == 11, "%zu temperatures", c.total);
    CHECK(
        !iris_line_table_make(&one, &l.line[1].molecule, &l.line[1].law, &err) &&
            !memcmp(one.node, l.line[1].table.node, iris_line_table_size(&one) * sizeof *one.node),
        "the same as a table by itself");
    c.stop_at = 7;
    CHECK(iris_lines_make(&l, &counted, &err) == IRIS_E_RETRY && c.last == 7, "stopped: %s",
          err.msg);
    c.stop_at = 11;
    CHECK(!iris_lines_make(&l, &counted, &err), "when all is done nothing is stopped");
    test_threads(&l, &one);
    iris_line_table_release(&one);
    iris_lines_release(&l);
    iris_hyper_free(h);
}

static int
equal_files(const char *a, const char *b)
{
    struct iris_buf x = {0}, y = {0};
    int same;

    same = !iris_read_file(a, 1 << 24, &x, NULL) && !iris_read_file(b, 1 << 24, &y, NULL) &&
           x.len == y.len && !memcmp(x.data, y.data, x.len);
    iris_buf_release(&x);
    iris_buf_release(&y);
    return same;
}

static void
test_round_trip(void)
{
    struct iris_lines made, back, lent;
    struct iris_err err = {0};
    struct iris_hyper *h;
    char other[64];
    double *memory;
    size_t i;

    make(&made, &h);
    init(&back, h, &err);
    CHECK(!iris_lines_read(&back, h, file, &err), "written and read %s", err.msg);
    for (i = 0; i < 2; i++)
        CHECK(!memcmp(made.line[i].table.node, back.line[i].table.node,
                      iris_line_table_size(&made.line[i].table) * sizeof(double)),
              "line %zu has the same bits", i);
    snprintf(other, sizeof other, "%s/again.h5", dir);
    sleep(1); /* so that a clock in the file would show */
    CHECK(!write_to(&back, h, other, &err) && equal_files(file, other), "the same bytes again");
    unlink(other);

    init(&lent, h, &err);
    memory = malloc(iris_lines_values(&lent) * sizeof *memory);
    iris_lines_adopt(&lent, memory);
    CHECK(!iris_lines_read(&lent, h, file, &err) && lent.line[0].table.node == memory &&
              !memcmp(memory, made.line[0].table.node,
                      iris_line_table_size(&made.line[0].table) * sizeof *memory),
          "into memory that was lent %s", err.msg);
    iris_lines_release(&lent);
    init(&lent, h, &err);
    iris_lines_adopt(&lent, memory);
    CHECK(!memcmp(lent.line[1].table.node, made.line[1].table.node,
                  iris_line_table_size(&made.line[1].table) * sizeof *memory),
          "and again with what is in it");
    iris_lines_adopt(&made, memory);
    iris_lines_release(&made);
    iris_lines_release(&lent);
    iris_lines_release(&back);
    free(memory);
    iris_hyper_free(h);
}

/* Another value for each key that determines a table, the file's own value in
 * words, and the line that is named first. */
static const struct {
    const char *key, *json, *theirs, *ours;
    size_t line;
} changes[] = {
    {"writer_hyper.length_cm_per_processing", "2e7", "10000000.0", "20000000.0", 0},
    {"writer_hyper.mass_g_per_processing", "2", "1.0", "2.0", 0},
    {"writer_hyper.velocity_cm_per_s_per_processing", "2e7", "10000000.0", "20000000.0", 0},
    {"writer_hyper.temperature_K_per_processing", "2", "1.0", "2.0", 0},
    {"dataset_hyper.iris_number_unit", "1e14", "1000000000000000.0", "100000000000000.0", 0},
    {"observer_hyper.k", "1.38e-23", "1.380649e-23", "1.38e-23", 0},
    {"observer_hyper.h", "6.6e-34", "6.62607e-34", "6.6e-34", 0},
    {"observer_hyper.c", "3e8", "299792500.0", "300000000.0", 0},
    {"observer_hyper.L", "6e23", "6.022141e+23", "6e+23", 0},
    {"observer_hyper.m_He", "6.6e-27", "6.646476726466552e-27", "6.6e-27", 0},
    {"observer_hyper.abundance_He", "0.2", "0.1", "0.2", 0},
    {"observer_hyper.m_H", "1.7e-27", "1.673557626764302e-27", "1.7e-27", 0},
    {"observer_hyper.ortho_to_para_H2_ratio", "1", "3.0", "1.0", 0},
    {"observer_hyper.transition", "[[1, 0], [1, 0]]", "[2, 1]", "[1, 0]", 1},
    {"observer_hyper.N_H_TOT_steps", "[9, 4]", "8", "9", 0},
    {"observer_hyper.interpolation_max_N_H_TOT", "[1e12, 1e11]", "10000000000.0", "100000000000.0",
     1},
    {"observer_hyper.bolic_normalization", "[1, 3]", "2.0", "3.0", 1},
    {"observer_hyper.abundance_H2_steps", "[3, 5]", "4", "5", 1},
    {"observer_hyper.T_steps", "[6, 6]", "5", "6", 0},
    {"observer_hyper.interpolation_max_T", "[300, 200]", "100.0", "200.0", 1},
    {"observer_hyper.T_continuum", "null", "2.73", "null", 0},
    {"suite_hyper.table", "\"fine\"", "\"reference\"", "\"fine\"", 0},
    {"suite_hyper.rate_extrapolation", "\"clamp\"", "\"linear\"", "\"clamp\"", 0},
};
enum { CHANGES = sizeof changes / sizeof changes[0] };

static void
test_other_settings(void)
{
    struct iris_err err = {0};
    struct iris_lines l;
    struct iris_hyper *h;
    char sentence[256];
    size_t i;

    CHECK(CHANGES == iris_table_key_count, "%zu keys determine a table", iris_table_key_count);
    for (i = 0; i < CHANGES; i++) {
        CHECK(!strcmp(changes[i].key, iris_table_keys[i]), "%s", changes[i].key);
        snprintf(sentence, sizeof sentence,
                 "the table of line %zu in '%s' was made with %s %s, the settings have %s",
                 changes[i].line, file, changes[i].key, changes[i].theirs, changes[i].ours);
        h = changed(changes[i].key, changes[i].json);
        init(&l, h, &err);
        CHECK(iris_lines_read(&l, h, file, &err) == IRIS_E_DATA && !strcmp(err.msg, sentence),
              "refused: %s", err.msg);
        CHECK(!l.line[0].table.node, "before anything is read");
        iris_lines_release(&l);
        iris_hyper_free(h);
    }
    h = changed("observer_hyper.kappa_dust", "[1, 2]");
    init(&l, h, &err);
    CHECK(!iris_lines_read(&l, h, file, &err), "a key that does not matter %s", err.msg);
    iris_lines_release(&l);
    iris_hyper_free(h);
}

/* Reading the file gives this. */
static void
reads(enum iris_status status, const char *says, const char *why)
{
    struct iris_hyper *h = settings();
    struct iris_err err = {0};
    struct iris_lines l;

    init(&l, h, &err);
    err.msg[0] = '\0';
    CHECK(iris_lines_read(&l, h, file, &err) == status && strstr(err.msg, says), "%s: %s", why,
          err.msg);
    iris_lines_release(&l);
    iris_hyper_free(h);
}

static void
put_dat(const char *text)
{
    iris_write_file(dat, text, strlen(text), NULL);
}

static void
test_other_molecule(void)
{
    char text[sizeof molecule];

    memcpy(text, molecule, sizeof text);
    *strstr(text, "29.0") = '3';
    put_dat(text);
    reads(IRIS_E_DATA, "xo.dat'", "another molecular file");
    put_dat(molecule);
    reads(IRIS_OK, "", "the same again");
}

/* ---- damage ---- */

static void
set_double(const char *name, hsize_t at, double v)
{
    hid_t f = H5Fopen(file, H5F_ACC_RDWR, H5P_DEFAULT), d = H5Dopen2(f, name, H5P_DEFAULT);
    hid_t space = H5Dget_space(d);
    hssize_t n = H5Sget_simple_extent_npoints(space);
    double *all = malloc((size_t)n * sizeof *all);

    H5Dread(d, H5T_NATIVE_DOUBLE, H5S_ALL, H5S_ALL, H5P_DEFAULT, all);
    all[at] = v;
    H5Dwrite(d, H5T_NATIVE_DOUBLE, H5S_ALL, H5S_ALL, H5P_DEFAULT, all);
    free(all);
    H5Sclose(space);
    H5Dclose(d);
    H5Fclose(f);
}

static void
set_int(const char *name, int v)
{
    hid_t f = H5Fopen(file, H5F_ACC_RDWR, H5P_DEFAULT);
    hid_t a = H5Aopen_by_name(f, "/", name, H5P_DEFAULT, H5P_DEFAULT);

    H5Awrite(a, H5T_NATIVE_INT, &v);
    H5Aclose(a);
    H5Fclose(f);
}

static void
drop(const char *object, const char *name)
{
    hid_t f = H5Fopen(file, H5F_ACC_RDWR, H5P_DEFAULT);

    if (name)
        H5Adelete_by_name(f, object, name, H5P_DEFAULT);
    else
        H5Ldelete(f, object, H5P_DEFAULT);
    H5Fclose(f);
}

/* A dataset of another shape, or of whole numbers, in place of one. */
static void
replace(const char *object, hid_t type, int rank, const hsize_t *size)
{
    hid_t f = H5Fopen(file, H5F_ACC_RDWR, H5P_DEFAULT), space, d;

    H5Ldelete(f, object, H5P_DEFAULT);
    space = H5Screate_simple(rank, size, NULL);
    d = H5Dcreate2(f, object, type, space, H5P_DEFAULT, H5P_DEFAULT, H5P_DEFAULT);
    H5Dclose(d);
    H5Sclose(space);
    H5Fclose(f);
}

/* A dataset whose values are its own again: HDF5 would follow that without end. */
static void
turn_round(const char *object, hsize_t n)
{
    hid_t f = H5Fopen(file, H5F_ACC_RDWR, H5P_DEFAULT), space = H5Screate_simple(1, &n, NULL), d;
    hid_t how = H5Pcreate(H5P_DATASET_CREATE);

    H5Ldelete(f, object, H5P_DEFAULT);
    H5Pset_virtual(how, space, ".", object, space);
    d = H5Dcreate2(f, object, H5T_IEEE_F64LE, space, H5P_DEFAULT, how, H5P_DEFAULT);
    H5Dclose(d);
    H5Pclose(how);
    H5Sclose(space);
    H5Fclose(f);
}

static void
restore(const struct iris_lines *l, const struct iris_hyper *h)
{
    write_to(l, h, file, NULL);
}

static void
test_contents(const struct iris_lines *l, const struct iris_hyper *h)
{
    static const hsize_t size[4] = {4, 4, 6, 7}, five = 5;
    const struct iris_line_table *t = &l->line[1].table;
    double keep = t->node[9];

    set_double("line1/node", 9, keep * 1.001 + 1e-30);
    reads(IRIS_E_DATA, "'line1/node' is damaged", "another value");
    set_double("line1/node", 9, keep);
    reads(IRIS_OK, "", "its own value");
    t->node[9] = NAN;
    restore(l, h);
    reads(IRIS_E_DATA, "'line1/node' has a value that is not finite", "NaN");
    t->node[9] = INFINITY;
    restore(l, h);
    reads(IRIS_E_DATA, "not finite", "infinity");
    t->node[9] = keep;
    restore(l, h);
    set_double("line0/temperature", 1, 76);
    reads(IRIS_E_DATA, "'line0/temperature' has 76 at 1, the settings say 75", "another axis");
    restore(l, h);
    set_double("line0/density", 1, NAN);
    reads(IRIS_E_DATA, "'line0/density' has nan at 1", "no number in an axis");
    restore(l, h);
    replace("line1/node", H5T_IEEE_F64LE, 4, size);
    reads(IRIS_E_DATA, "'line1/node' does not hold floats of the shape", "another shape");
    restore(l, h);
    replace("line0/temperature", H5T_STD_I32LE, 1, &five);
    reads(IRIS_E_DATA, "'line0/temperature' does not", "another type");
    restore(l, h);
    turn_round("line0/temperature", 5);
    reads(IRIS_E_DATA, "'line0/temperature' does not", "its own source");
    restore(l, h);
    drop("line1/x_H2", NULL);
    reads(IRIS_E_DATA, "'line1/x_H2' in '", "a dataset that is missing");
    restore(l, h);
    drop("line1", NULL);
    reads(IRIS_E_DATA, "'line1/settings' has no text attribute 'writer_hyper.length_cm",
          "a group that is missing");
    restore(l, h);
}

static void
test_attributes(const struct iris_lines *l, const struct iris_hyper *h)
{
    set_int("version", 2);
    reads(IRIS_E_DATA, "has version 2 of its format, known is 1", "a later version");
    restore(l, h);
    set_int("lines", 1);
    reads(IRIS_E_DATA, "was made for 1 lines, the settings have 2", "another number of lines");
    restore(l, h);
    set_int("complete", 0);
    reads(IRIS_E_DATA, "is not complete", "not complete");
    restore(l, h);
    drop("/", "format");
    reads(IRIS_E_DATA, "holds no line tables", "no format");
    restore(l, h);
    drop("line1/settings", "suite_hyper.table");
    reads(IRIS_E_DATA, "'line1/settings' has no text attribute 'suite_hyper.table'",
          "a key that is missing");
    restore(l, h);
    drop("line1", "content");
    reads(IRIS_E_DATA, "'line1' has no text attribute 'content'", "no hash of the molecule");
    restore(l, h);
    drop("line0/node", "content");
    reads(IRIS_E_DATA, "'line0/node' has no text attribute 'content'", "no hash of the values");
    restore(l, h);
}

static void
test_damage(void)
{
    struct iris_lines l;
    struct iris_hyper *h;
    struct stat sb;

    make(&l, &h);
    test_contents(&l, h);
    test_attributes(&l, h);
    stat(file, &sb);
    if (truncate(file, sb.st_size / 2))
        printf("# cannot truncate\n");
    reads(IRIS_E_DATA, file, "cut short");
    if (truncate(file, 0))
        printf("# cannot truncate\n");
    reads(IRIS_E_DATA, file, "empty");
    iris_write_file(file, two_lines, strlen(two_lines), NULL);
    reads(IRIS_E_DATA, file, "not HDF5");
    unlink(file);
    reads(IRIS_E_IO, "cannot open", "missing");
    mkdir(file, 0777);
    reads(IRIS_E_IO, "is a directory", "a directory");
    rmdir(file);
    restore(&l, h);
    reads(IRIS_OK, "", "restored");
    iris_lines_release(&l);
    iris_hyper_free(h);
}

/* Values of physical constants in the file: what a reader multiplies by. */
static void
test_units(void)
{
    hid_t f = H5Fopen(file, H5F_ACC_RDONLY, H5P_DEFAULT), a;
    struct iris_hyper *h = settings();
    struct iris_lines l;
    double to[8], density, rho[8], N[8];
    hid_t d;

    init(&l, h, NULL);
    a = H5Aopen_by_name(f, "line0/node", "to_cgs", H5P_DEFAULT, H5P_DEFAULT);
    H5Aread(a, H5T_NATIVE_DOUBLE, to);
    H5Aclose(a);
    a = H5Aopen_by_name(f, "line0/density", "to_cgs", H5P_DEFAULT, H5P_DEFAULT);
    H5Aread(a, H5T_NATIVE_DOUBLE, &density);
    H5Aclose(a);
    d = H5Dopen2(f, "line0/density", H5P_DEFAULT);
    H5Dread(d, H5T_NATIVE_DOUBLE, H5S_ALL, H5S_ALL, H5P_DEFAULT, rho);
    H5Dclose(d);
    d = H5Dopen2(f, "line0/density_H", H5P_DEFAULT);
    H5Dread(d, H5T_NATIVE_DOUBLE, H5S_ALL, H5S_ALL, H5P_DEFAULT, N);
    H5Dclose(d);
    H5Fclose(f);
    CHECK(check_near(density, 1e-21, 1e-14), "1 g in (1e7 cm)^3");
    CHECK(check_near(rho[7] * density, N[7] * 1e-6 * 2.338205299410957e-24, 1e-13) &&
              check_near(N[7], 1e12, 1e-13),
          "the two densities agree");
    /* units of mass 1 g, length 1e7 cm, time 1 s */
    CHECK(check_near(to[0], 1e-7, 1e-14) && check_near(to[1], 1e14, 1e-14) && to[2] == to[0] &&
              to[3] == to[0],
          "emission: erg/s/cm^3/sr");
    CHECK(check_near(to[4], 1e-7, 1e-14) && check_near(to[5], 1e14, 1e-14) && to[6] == to[4] &&
              to[7] == to[4],
          "absorption: Hz/cm");
    iris_lines_release(&l);
    iris_hyper_free(h);
}

/* ---- the reference's tables ---- */

static int
as_reference(const char *shared, const char *name, const struct iris_line_table *t, int column,
             double tolerance)
{
    struct iris_npy a = {.fd = -1};
    double *theirs = NULL, worst = 0, top = 0;
    char path[4200];
    size_t i;

    snprintf(path, sizeof path, "%s/golden/obsgrid_%s_f64.npy", shared, name);
    if (iris_npy_open(path, &a, NULL) || a.count * IRIS_NODE != iris_line_table_size(t))
        return 0;
    theirs = malloc(a.count * sizeof *theirs);
    iris_npy_read_f64(&a, 0, a.count, theirs, NULL);
    for (i = 0; i < a.count; i++) {
        top = fmax(top, fabs(theirs[i]));
        worst = fmax(worst, fabs(theirs[i] - t->node[i * IRIS_NODE + (size_t)column]));
    }
    printf("# %s: %g of the largest\n", name, worst / top);
    free(theirs);
    iris_npy_close(&a);
    return worst <= tolerance * top;
}

static void
test_reference(void)
{
    static const char *const names[IRIS_NODE] = {
        "emission_factor",   "dj_drho",      "dj_d_ab",      "dj_dT",
        "absorption_factor", "d_alpha_drho", "d_alpha_d_ab", "d_alpha_dT"};
    const char *shared = check_shared();
    struct iris_lines made, l;
    struct iris_hyper *h = NULL;
    struct iris_err err = {0};
    char path[4200];
    int k;

    if (!shared) {
        check_skip("tables of the reference", "no shared reference data");
        return;
    }
    snprintf(path, sizeof path, "%s/golden/hyper_s1.json", shared);
    CHECK(!iris_hyper_read(path, &h, &err) && !init(&made, h, &err) && !init(&l, h, &err) &&
              !iris_lines_make(&made, &no_effort, &err) && !write_to(&made, h, file, &err) &&
              !iris_lines_read(&l, h, file, &err),
          "tables of the reference's settings %s", err.msg);
    for (k = 0; k < IRIS_NODE; k++)
        CHECK(as_reference(shared, names[k], &l.line[0].table, k, k % 4 ? 1e-10 : 1e-11),
              "%s is the reference's", names[k]);
    iris_lines_release(&made);
    iris_lines_release(&l);
    iris_hyper_free(h);
}

int
main(void)
{
    char bad[64];

    if (!mkdtemp(dir))
        return 1;
    snprintf(file, sizeof file, "%s/lines.h5", dir);
    snprintf(dat, sizeof dat, "%s/xo.dat", dir);
    snprintf(bad, sizeof bad, "%s/bad.dat", dir);
    put_dat(molecule);
    iris_write_file(bad, two_lines, strlen(two_lines), NULL);
    test_init();
    test_make();
    test_round_trip();
    test_other_settings();
    test_other_molecule();
    test_damage();
    test_units();
    test_reference();
    unlink(file);
    unlink(dat);
    unlink(bad);
    rmdir(dir);
    return check_done();
}
