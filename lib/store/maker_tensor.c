#include <stdlib.h>

#include "clock.h"
#include "file.h"
#include "maker_work.h"
#include "npy.h"

/* Samples of a tensor that are in memory at once, 24 bytes each, and longitudes of
 * them. A device needs many to be busy. */
enum { TILE_SAMPLES = 1 << 18, TILE_LON = 16 };
enum { DEVICE_SAMPLES = (64 << 20) / 24, DEVICE_LON = 64 };

/* Write a tile to its places in the file: its lines of (lon, lat) are whole. */
static enum iris_status
write_tile(struct iris_outfile *f, uint64_t offset, const struct iris_tile *t,
           const struct iris_view *v, float *const field[IRIS_FIELDS], struct iris_err *err)
{
    size_t line = (t->lon1 - t->lon0) * v->lat.n, i;
    enum iris_status st = IRIS_OK;
    int c;

    for (c = 0; c < IRIS_FIELDS; c++) {
        for (i = t->r0; i < t->r1 && !st; i++) {
            uint64_t at = (((uint64_t)c * v->r.n + i) * v->lon.n + t->lon0) * v->lat.n;

            st = iris_outfile_pwrite(f, field[c] + (i - t->r0) * line, line * sizeof **field,
                                     offset + 4 * at, err);
        }
    }
    return st;
}

/* Where tiles of a tensor go. */
struct target {
    struct iris_outfile *file; /* NULL: nowhere */
    uint64_t offset;
};

static enum iris_status
make_tile(struct iris_maker *m, const struct iris_sampler *sampler, const struct iris_tile *t,
          const struct target *to, float *const field[IRIS_FIELDS], int *publishing,
          struct iris_err *err)
{
    double start = iris_seconds();
    enum iris_status st;

    *publishing = 0;
    st = m->device.tile ? m->device.tile(m->device.self, sampler, t, field, err)
                        : iris_sampler_tile(sampler, t, field, err);
    iris_spend(m, IRIS_MAKING, start);
    start = iris_seconds();
    if (!st && to->file) {
        *publishing = 1;
        st = write_tile(to->file, to->offset, t, &sampler->view, field, err);
        iris_spend(m, IRIS_WRITING, start);
    }
    if (!st && m->pause.fn(m->pause.self))
        st = iris_fail(err, IRIS_E_RETRY, "stopped");
    return st;
}

static enum iris_status
stream_tensor(struct iris_maker *m, const struct iris_sampler *sampler, size_t lon0, size_t lon1,
              const struct target *to, int *publishing, struct iris_err *err)
{
    const struct iris_view *v = &sampler->view;
    size_t most = m->device.tile ? DEVICE_LON : TILE_LON;
    size_t n_lon = v->lon.n < most ? v->lon.n : most, n_r, r, lon;
    enum iris_status st = IRIS_OK;
    float *field[IRIS_FIELDS];
    float *memory;
    int c;

    n_r = (m->device.tile ? DEVICE_SAMPLES : TILE_SAMPLES) / (n_lon * v->lat.n);
    n_r = n_r < 1 ? 1 : n_r > v->r.n ? v->r.n : n_r;
    memory = malloc(IRIS_FIELDS * n_r * n_lon * v->lat.n * sizeof *memory);
    if (!memory)
        return iris_fail_memory(err);
    for (c = 0; c < IRIS_FIELDS; c++)
        field[c] = memory + (size_t)c * n_r * n_lon * v->lat.n;
    for (lon = lon0; lon < lon1 && !st; lon += n_lon) {
        for (r = 0; r < v->r.n && !st; r += n_r) {
            struct iris_tile t = {.r0 = r,
                                  .r1 = r + n_r < v->r.n ? r + n_r : v->r.n,
                                  .lon0 = lon,
                                  .lon1 = lon + n_lon < lon1 ? lon + n_lon : lon1,
                                  .lat1 = v->lat.n};

            st = make_tile(m, sampler, &t, to, field, publishing, err);
        }
    }
    free(memory);
    return st;
}

enum iris_status
iris_make_tiles(struct iris_maker *m, const struct iris_sampler *sampler, size_t lon0, size_t lon1,
                struct iris_err *err)
{
    struct target nowhere = {NULL, 0};
    int unused;

    return stream_tensor(m, sampler, lon0, lon1, &nowhere, &unused, err);
}

enum iris_status
iris_make_tensor(struct iris_maker *m, uint32_t point, struct iris_sampler *sampler,
                 int *publishing, struct iris_err *err)
{
    struct iris_outfile f = IRIS_OUTFILE_INIT;
    struct target to = {&f, 0};
    struct iris_shape shape;
    enum iris_status st;
    char *path = NULL;
    double start;

    *publishing = 1;
    iris_kind_shape(IRIS_TENSOR, m->run.type, &m->settings, &shape);
    st = iris_make_path(m, m->snapshot, point, IRIS_TENSOR, &path, err);
    if (!st)
        st = iris_npy_create(&f, path, &shape, &to.offset, err);
    if (!st)
        st = stream_tensor(m, sampler, 0, sampler->view.lon.n, &to, publishing, err);
    if (!st) {
        *publishing = 1;
        start = iris_seconds();
        st = iris_outfile_commit(&f, err);
        iris_spend(m, IRIS_WRITING, start);
    }
    if (!st)
        m->spent.written += iris_kind_bytes(IRIS_TENSOR, m->run.type, &m->settings);
    iris_outfile_abort(&f);
    free(path);
    return st;
}
