/* Snapshots, of one file or two, that hold anything: loaded, looked at, drawn from above. */
#include "fuzz.h"

#include <math.h>
#include <unistd.h>

#include "cells.h"
#include "fuzz_h5.h"
#include "made.h"
#include "probe.h"
#include "snapshot.h"
#include "surface.h"

const unsigned fuzz_mutants = 60;

int
fuzz_seed(size_t i, struct iris_buf *out)
{
    size_t k;

    for (k = 0; k < 24; k++)
        iris_buf_putc(out, (char)(37 * i + k * (i + 1)));
    return i < 6;
}

/* Settings that matter to what is taken, as the input says. */
static struct iris_hyper *
choose_settings(struct fuzz_bytes *b)
{
    static const char *const change[][2] = {{"suite_hyper.comoving", "\"convert\""},
                                            {"suite_hyper.periodic", "true"},
                                            {"suite_hyper.centre", "\"densest\""},
                                            {"suite_hyper.centre", "[1, 2, 3]"},
                                            {"dataset_hyper.use_AREPO_abundances", "false"},
                                            {"suite_hyper.dust_temperature", "20"},
                                            {"dataset_hyper.H2_column", "2"}};
    struct iris_hyper *h = made_settings();
    size_t n = sizeof change / sizeof change[0], i, which = fuzz_take(b, 128);
    struct iris_err err = {0};

    for (i = 0; i < n; i++) {
        if (which >> i & 1)
            fuzz_status(iris_hyper_set(h, change[i][0], change[i][1], &err), &err);
    }
    if (iris_hyper_check(h, &err)) {
        iris_hyper_free(h);
        h = made_settings();
    }
    return h;
}

static enum iris_status
load(const char *path, uint64_t files, const struct iris_settings *s, unsigned fields)
{
    struct iris_snapshot_info info = {.cells = 0};
    struct iris_cells cells = {.n = 0};
    struct iris_err err = {0};
    enum iris_status st;
    size_t i;

    st = iris_snapshot_load(path, files, s, fields, NULL, NULL, NULL, &cells, &info, &err);
    fuzz_status(st, &err);
    for (i = 0; !st && i < cells.n; i++) {
        const struct iris_gas *gas = &cells.gas[i];

        fuzz_need(isfinite(cells.x[i] + cells.y[i] + cells.z[i]), "a cell is somewhere");
        fuzz_need(isfinite(gas->rho) && isfinite(gas->v[0]) && isfinite(gas->v[1]) &&
                      isfinite(gas->v[2]) && isfinite(gas->x_H2) && isfinite(gas->x_CO) &&
                      isfinite(gas->T_dust) && gas->T > -INFINITY,
                  "a cell's gas is finite");
    }
    iris_buf_release(&info.warnings);
    iris_cells_release(&cells);
    return st;
}

static void
look(const char *path, uint64_t files, const struct iris_hyper *h)
{
    struct iris_err why = {0}, err = {0};
    struct iris_manifest m;
    int taken = 0;

    fuzz_status(iris_probe_manifest(&m, &err), &err);
    fuzz_status(iris_probe_add(&m, "snap", path, files, h, &taken, &why, &err), &err);
    if (!taken)
        fuzz_status(why.status, &why);
    iris_manifest_release(&m);
}

static void
draw(const char *path, const struct iris_settings *s, double half)
{
    struct iris_surface m = {.n = 0};
    struct iris_err err = {0};

    fuzz_status(iris_surface_make(path, s, half, 8, 1, &m, &err), &err);
    iris_surface_release(&m);
}

/* The snapshot in one file, or in two of which one is changed. */
struct subject {
    const char *path;
    uint64_t files;
};

static struct subject
change_file(struct fuzz_bytes *b)
{
    static struct fuzz_h5 good;

    if (!good.n) {
        made_snapshot("snap_001.hdf5", 0, 1);
        fuzz_h5_begin(&good, fuzz_in("snap_001.hdf5"));
    }
    return (struct subject){fuzz_h5_change(&good, b), 1};
}

static struct subject
change_set(struct fuzz_bytes *b, int which)
{
    static const char *const name[2] = {"set.0.hdf5", "set.1.hdf5"};
    static const char *const kept[2] = {"good.0.hdf5", "good.1.hdf5"};
    static struct fuzz_h5 good[2];
    int i;

    for (i = 0; i < 2; i++) {
        if (!good[i].n) {
            made_snapshot(kept[i], i, 2);
            fuzz_h5_begin(&good[i], fuzz_in(kept[i]));
        }
        unlink(fuzz_in(name[i]));
        fuzz_need(!symlink(i == which ? "file" : kept[i], fuzz_in(name[i])), "a link can be made");
    }
    fuzz_h5_change(&good[which], b);
    return (struct subject){fuzz_in(name[0]), 2};
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct fuzz_bytes b = {data, data + size};
    struct iris_hyper *h = choose_settings(&b);
    static const enum iris_type type[] = {IRIS_STANDARD, IRIS_SIMPLE, IRIS_SYNTHETIC};
    unsigned fields = iris_snapshot_fields(type[fuzz_take(&b, 3)]);
    struct iris_settings s;
    size_t choice = fuzz_take(&b, 12), what = choice % 4;
    struct subject of = choice < 4 ? change_file(&b) : change_set(&b, choice < 8 ? 0 : 1);

    iris_hyper_settings(h, &s);
    if (what == 0)
        fuzz_need(!load(of.path, of.files, &s, fields) || size, "the good snapshot is one");
    else if (what == 1)
        look(of.path, of.files, h);
    else
        draw(of.path, &s, what == 2 ? 0 : 100);
    iris_hyper_free(h);
    fuzz_h5_closed();
    return 0;
}
