/* Maps of snapshots: places, directions, and that no mass is lost or made. */
#include "check.h"

#include <stdint.h>
#include <unistd.h>

#include "hyper.h"
#include "snapwrite.h"
#include "surface.h"

enum { CELLS = 5, PIXELS = 64 };

/* Code units of 1 pc, 1 solar mass; the centre is at 50, 50, 50. */
static const double box = 100, parsec_cm = 3.085677581e18, sun_g = 1.98841e33;

static struct gas {
    double x[CELLS][3], v[CELLS][3], rho[CELLS], u[CELLS], mass[CELLS], chem[CELLS][3], dust[CELLS];
    uint64_t id[CELLS];
} gas;

static struct iris_settings settings;
static char dir[] = "/tmp/iris-surface-XXXXXX";

static void
put(size_t i, double x, double y, double z, double size, double mass)
{
    gas.x[i][0] = box / 2 + x;
    gas.x[i][1] = box / 2 + y;
    gas.x[i][2] = box / 2 + z;
    gas.mass[i] = mass;
    gas.rho[i] = mass / (size * size * size);
    gas.id[i] = i + 1;
}

/* Cells [first, first + n) as one file of a set. */
static void
write_part(const char *path, size_t first, size_t n, uint64_t total, int files)
{
    struct iris_snap_header header = {box, 1, parsec_cm, sun_g, 1e5, total, n, files, 1, 0};
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

static const char *
in(const char *name)
{
    static char path[4][512];
    static unsigned turn;
    char *p = path[turn++ % 4];

    snprintf(p, sizeof path[0], "%s/%s", dir, name);
    return p;
}

static void
make(const char *path, double half, struct iris_surface *m)
{
    struct iris_err err = {0};

    if (iris_surface_make(path, &settings, half, PIXELS, 1, m, &err)) {
        printf("# %s\n", err.msg);
        exit(2);
    }
}

static double
mass_of(const struct iris_surface *m, const double *map)
{
    double side = 2 * m->half / (double)m->n, sum = 0;
    size_t i;

    for (i = 0; i < m->n * m->n; i++)
        sum += map[i] * side * side;
    return sum;
}

static double
at(const struct iris_surface *m, const double *map, double u, double v)
{
    double pixels = (double)m->n / (2 * m->half);
    size_t i = (size_t)((u + m->half) * pixels), j = (size_t)((v + m->half) * pixels);

    return map[j * m->n + i];
}

static void
test_one_cell(void)
{
    struct iris_surface m;

    put(0, 10, -20, 5, 4, 160);
    write_part(in("one.hdf5"), 0, 1, 1, 1);
    make(in("one.hdf5"), 32, &m);
    CHECK(check_near(at(&m, m.above, 10, -20), 10, 1e-12), "mass by area, at x and y");
    CHECK(check_near(at(&m, m.above, 11.5, -18.5), 10, 1e-12) &&
              !(at(&m, m.above, 12.5, -20) > 0) && !(at(&m, m.above, 10, -17.5) > 0),
          "as large as its volume");
    CHECK(!(at(&m, m.above, -20, 10) > 0) && !(at(&m, m.above, 10, 20) > 0), "nowhere else");
    CHECK(check_near(at(&m, m.side, 10, 5), 10, 1e-12) && !(at(&m, m.side, 10, -20) > 0),
          "from the side at x and z");
    CHECK(check_near(m.mass, 160, 1e-12) && m.cells == 1, "all of the mass");
    iris_surface_release(&m);
    iris_surface_release(&m);
}

static void
test_mass(void)
{
    struct iris_surface m, parts;

    put(0, 3.3, 1.7, 0.1, 5.9, 10);  /* across pixels */
    put(1, -7.77, 2.1, 1, 1e-7, 20); /* much smaller than one */
    put(2, 0.123, 0, -1, 40.1, 30);  /* most of the map */
    put(3, -16, 16, 15, 4, 400);     /* on a corner: a quarter of it is over the map */
    put(4, 40, 40, 40, 2, 1000);     /* beyond */
    write_part(in("all.hdf5"), 0, CELLS, CELLS, 1);
    make(in("all.hdf5"), 16, &m);
    CHECK(check_near(mass_of(&m, m.above) - 30 * 32 * 32 / (40.1 * 40.1), 130, 1e-9),
          "what is over the map, no more and no less: %.12g", mass_of(&m, m.above));
    CHECK(check_near(m.mass, 1460, 1e-12), "all of the mass");
    write_part(in("set_007.0.hdf5"), 0, 2, CELLS, 2);
    write_part(in("set_007.1.hdf5"), 2, 3, CELLS, 2);
    make(in("set_007.0.hdf5"), 16, &parts);
    CHECK(!memcmp(m.above, parts.above, PIXELS * PIXELS * sizeof(double)) &&
              !memcmp(m.side, parts.side, PIXELS * PIXELS * sizeof(double)),
          "a set of files gives the bits of one file");
    iris_surface_release(&parts);
    iris_surface_release(&m);
}

static void
test_place(void)
{
    struct iris_surface m;

    make(in("all.hdf5"), 0, &m);
    CHECK(check_near(m.half, 50, 1e-12), "as wide as 99 %% of the mass, and round: %g", m.half);
    iris_surface_release(&m);
    settings.suite.centre = IRIS_CENTRE_DENSEST; /* the second */
    make(in("all.hdf5"), 8, &m);
    CHECK(at(&m, m.above, 0, 0) > 79 && at(&m, m.above, -0.1, -0.1) > 79,
          "the densest in the middle");
    iris_surface_release(&m);
    settings.suite.centre = IRIS_CENTRE_POINT;
    settings.suite.centre_point[0] = box / 2 + 40;
    settings.suite.centre_point[1] = box / 2 + 38;
    settings.suite.centre_point[2] = box / 2 + 40;
    make(in("all.hdf5"), 8, &m);
    CHECK(check_near(at(&m, m.above, 0, 2), 250, 1e-9), "about a point");
    iris_surface_release(&m);
    settings.suite.centre = IRIS_CENTRE_BOX;
}

static void
test_wrong(void)
{
    struct iris_surface m;
    struct iris_err err = {0};

    put(0, 0, 0, 0, 1, -1);
    write_part(in("wrong.hdf5"), 0, 1, 1, 1);
    CHECK(iris_surface_make(in("wrong.hdf5"), &settings, 8, PIXELS, 0, &m, &err) == IRIS_E_DATA &&
              strstr(err.msg, "mass -1") && strstr(err.msg, "wrong.hdf5"),
          "a negative mass: %s", err.msg);
    CHECK(iris_surface_make(in("none.hdf5"), &settings, 8, PIXELS, 0, &m, &err) == IRIS_E_IO,
          "no file: %s", err.msg);
}

int
main(void)
{
    static const char *const file[] = {"one.hdf5", "all.hdf5", "set_007.0.hdf5", "set_007.1.hdf5",
                                       "wrong.hdf5"};
    struct iris_hyper *h = NULL;
    struct iris_err err = {0};
    size_t i;

    if (!mkdtemp(dir) || iris_hyper_defaults(&h, &err) ||
        iris_hyper_set(h, "dataset_hyper.meters_per_parsec", "3.085677581e16", &err))
        return 2;
    iris_hyper_settings(h, &settings);
    test_one_cell();
    test_mass();
    test_place();
    test_wrong();
    iris_hyper_free(h);
    for (i = 0; i < sizeof file / sizeof file[0]; i++)
        unlink(in(file[i]));
    rmdir(dir);
    return check_done();
}
