#include "made.h"

#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#include "container.h"
#include "dataset.h"
#include "entry.h"
#include "fuzz.h"
#include "lines.h"
#include "mock.h"
#include "normalize.h"
#include "npy.h"
#include "publish.h"
#include "snapwrite.h"
#include "unitset.h"

enum { CELLS = 32 };

const char made_molecule[] = "!MOLECULE\nXO\n!MOLECULAR WEIGHT\n29.0\n"
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

static const char settings[] =
    "{\"writer_hyper\": {\"points_per_snapshot\": 1},"
    " \"dataset_hyper\": {\"CMZ_scale_range\": [0.25, 1], \"iris_number_unit\": 1e15},"
    " \"coordinate_hyper\": {\"r_steps\": 4, \"r_crop_min_index\": 0, \"r_crop_max_index\": 4,"
    " \"r_min\": 8052, \"r_max\": 8502, \"lon_steps\": 3, \"lon_min\": -1.5, \"lon_max\": 1.5,"
    " \"lat_steps\": 2, \"lat_min\": -0.375, \"lat_max\": 0.375},"
    " \"cube_hyper\": {\"v_min\": -200, \"v_max\": 200, \"v_steps\": 5, \"reduction\": \"mean\"},"
    " \"observer_hyper\": {\"lon_pieces\": 1, \"lat_pieces\": 1, \"blur_inputs\": false,"
    " \"n_lines\": 1, \"chem_path\": [\"xo.dat\"],"
    " \"transition\": [[1, 0]], \"kappa_dust\": [0.001], \"N_H_TOT_steps\": [4],"
    " \"interpolation_max_N_H_TOT\": [1e12], \"bolic_normalization\": [1],"
    " \"abundance_H2_steps\": [3], \"T_steps\": [4], \"interpolation_max_T\": [300]}}";

/* What is made here has to succeed. */
static void
must(enum iris_status st, const struct iris_err *err)
{
    fuzz_need(!st, err->msg);
}

struct iris_hyper *
made_settings(void)
{
    static int there;
    struct iris_hyper *h = NULL;
    struct iris_err err = {0};

    if (!there++)
        fuzz_put("xo.dat", made_molecule, strlen(made_molecule));
    must(iris_hyper_parse(settings, strlen(settings), "made", fuzz_directory(), &h, &err), &err);
    return h;
}

void
made_snapshot(const char *name, int file, int files)
{
    const int cells_of_file = CELLS / files;
    double v[13 * CELLS];
    uint64_t ids[CELLS];
    struct iris_mock_cells made = {v,
                                   v + 3 * CELLS,
                                   v + 6 * CELLS,
                                   v + 7 * CELLS,
                                   v + 8 * CELLS,
                                   v + 9 * CELLS,
                                   v + 12 * CELLS,
                                   ids};
    struct iris_snap_cells cells = {made.coordinates,      made.velocities, made.density,
                                    made.internal_energy,  made.masses,     made.abundances,
                                    made.dust_temperature, made.ids};
    struct iris_snap_header header = {.box_size = IRIS_MOCK_BOX,
                                      .time = 1,
                                      .unit_length_cm = IRIS_MOCK_LENGTH_CM,
                                      .unit_mass_g = IRIS_MOCK_MASS_G,
                                      .unit_velocity_cm_per_s = IRIS_MOCK_VELOCITY_CGS,
                                      .cells_total = CELLS,
                                      .cells = (unsigned)cells_of_file,
                                      .files = files};
    struct iris_snapwriter *w = NULL;
    struct iris_err err = {0};

    must(iris_mock_cells(1, CELLS, (unsigned)(file * cells_of_file), (unsigned)cells_of_file, &made,
                         &err),
         &err);
    must(iris_snapwrite_open(&w, fuzz_in(name), &header, &err), &err);
    must(iris_snapwrite_cells(w, (unsigned)cells_of_file, &cells, &err), &err);
    must(iris_snapwrite_commit(w, &err), &err);
}

void
made_lines(const char *name)
{
    static const struct iris_lines_effort effort;
    struct iris_outfile out = IRIS_OUTFILE_INIT;
    struct iris_hyper *h = made_settings();
    struct iris_buf warnings = {0};
    struct iris_lines l = {.n = 0};
    struct iris_err err = {0};

    must(iris_lines_init(&l, h, &warnings, &err), &err);
    must(iris_lines_make(&l, &effort, &err), &err);
    must(iris_outfile_open(&out, fuzz_in(name), &err), &err);
    must(iris_lines_write(&l, h, &out, &err), &err);
    iris_lines_release(&l);
    iris_buf_release(&warnings);
    iris_hyper_free(h);
}

/* ---- a data set, and its container ---- */

/* The directory of a file, and those above it. */
static void
make_way(char *path)
{
    char *slash;

    for (slash = strchr(path + 1, '/'); slash; slash = strchr(slash + 1, '/')) {
        *slash = '\0';
        mkdir(path, 0777);
        *slash = '/';
    }
}

static void
write_array(const char *root, const char *inside, const struct iris_shape *shape)
{
    char *path = iris_path_join(root, inside);
    struct iris_err err = {0};
    size_t count, i;
    float *v;

    must(iris_shape_count(shape, &count, &err), &err);
    v = calloc(count, sizeof *v);
    fuzz_need(path && v, "an array can be made");
    for (i = 0; i < count; i++)
        v[i] = (float)(1 + i % 5);
    make_way(path);
    must(iris_npy_write(path, shape, v, &err), &err);
    free(v);
    free(path);
}

/* One raw entry: its row, its arrays. */
static void
make_entry(const char *root, const struct iris_hyper *h, struct iris_manifest *m)
{
    char digest[IRIS_SETTINGS_DIGEST];
    struct iris_settings s;
    struct iris_entry_run run = {.settings = &s, .type = IRIS_SIMPLE, .digest = digest};
    struct iris_dataset d = IRIS_DATASET_INIT;
    struct iris_buf text = {0};
    struct iris_shape shape;
    struct iris_err err = {0};
    struct iris_entry e;
    size_t k;

    iris_hyper_settings(h, &s);
    must(iris_hyper_digest(h, IRIS_SIMPLE, 0, 0, 0, digest, &text, &err), &err);
    must(iris_dataset_open(&d, root, IRIS_DATASET_CREATE, &err), &err);
    must(iris_entry_manifest(m, IRIS_SIMPLE, &err), &err);
    must(iris_entry_add(m, &run, "snap_001", 0, NULL, &err), &err);
    must(iris_entry_get(m, 0, &e, &err), &err);
    for (k = 0; k < e.n_kinds; k++) {
        iris_kind_shape(e.kind[k], IRIS_SIMPLE, &s, &shape);
        write_array(root, e.path[k], &shape);
    }
    must(iris_dataset_settings(&d, digest, &text, &err), &err);
    iris_dataset_close(&d);
    iris_buf_release(&text);
}

static void
publish(const char *root)
{
    static const struct iris_unit_factors units = {1, 1, 1, 1, 1, 1, 1, 1, 1};
    struct iris_hyper *h = made_settings();
    struct iris_manifest m = {.kind = NULL};
    struct iris_scaling scaling;
    struct iris_err err = {0};
    int writing = 0;

    must(iris_hyper_set_units(h, &units, &err), &err);
    make_entry(root, h, &m);
    must(iris_unitset_scaling(IRIS_SIMPLE, &units, &scaling, &err), &err);
    must(iris_normalize_row(root, &m, 0, &scaling, &writing, &err), &err);
    must(iris_publish(root, &m, h, 0, &err), &err);
    iris_manifest_release(&m);
    iris_hyper_free(h);
}

void
made_container(const char *name)
{
    struct iris_pack pack = {.version = "0"};
    struct iris_outfile out = IRIS_OUTFILE_INIT;
    struct iris_err err = {0};
    char root[256];

    strcpy(root, fuzz_in("set"));
    publish(root);
    must(iris_outfile_open(&out, fuzz_in(name), &err), &err);
    must(iris_pack(&pack, root, &out, &err), &err);
}
