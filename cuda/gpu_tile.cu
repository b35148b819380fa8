/* Samples alone, and spectra of samples that come from elsewhere. */
#include "gpu_state.h"

/* ---- tiles ---- */

/* Rows of a tile, dense on the GPU, to where they belong. */
static cudaError_t
copy_rows(const float *from, size_t n, size_t row, size_t rows, float *to)
{
    cudaError_t e = cudaSuccess;
    size_t i;

    if (row == n)
        return cudaMemcpy(to, from, rows * n * sizeof *to, cudaMemcpyDeviceToHost);
    for (i = 0; i < rows && !e; i++)
        e = cudaMemcpy(to + i * row, from + i * n, n * sizeof *to, cudaMemcpyDeviceToHost);
    return e;
}

struct tile {
    struct iris_region region;
    size_t n, row; /* samples of a distance here and there */
    int *fault;    /* its */
    struct iris_fields field;
};

/* Some distances of a tile. */
static cudaError_t
sample_some(struct iris_gpu *g, const struct tile *t, size_t r0, size_t r1, size_t from,
            float *const out[IRIS_FIELDS])
{
    cudaStream_t stream = g->slot[0].stream;
    cudaError_t e;
    int f;

    IRIS_TRY(e, iris_gpu_sample(&g->cells, &g->sight, t->region, (unsigned)r0, (unsigned)r1,
                                t->field, t->fault, NULL, stream));
    IRIS_TRY(e, cudaStreamSynchronize(stream));
    for (f = 0; f < IRIS_FIELDS; f++) {
        if (out[f])
            IRIS_TRY(
                e, copy_rows(t->field.at[f], t->n, t->row, r1 - r0, out[f] + (r0 - from) * t->row));
    }
    return cudaSuccess;
}

/* Room for as many distances as fit, at least one.
 *
 *   out  some  how many
 */
static enum iris_status
make_tile(struct iris_gpu *g, const struct iris_tile *tile, float *const out[IRIS_FIELDS],
          struct tile *t, size_t *some, struct iris_err *err)
{
    size_t arrays = 0, r = tile->r1 - tile->r0, f;
    struct iris_layout l = {NULL, 0};
    enum iris_status st;

    *t = {};
    t->region = {(unsigned)tile->lon0, (unsigned)tile->lon1, (unsigned)tile->lat0,
                 (unsigned)tile->lat1};
    t->n = iris_region_rays(&t->region);
    t->row = iris_tile_row(tile);
    for (f = 0; f < IRIS_FIELDS; f++)
        arrays += out[f] != NULL;
    *some = (size_t)(g->limit / (IRIS_FIELDS * sizeof(float)) / t->n);
    *some = *some < 1 ? 1 : *some > r ? r : *some;
    st = iris_room_make(g, &g->slot[0].room, 256 + arrays * (*some * t->n * sizeof(float) + 256),
                        IRIS_OF_POINT, err);
    if (st)
        return st;
    l.block = g->slot[0].room.block;
    t->fault = (int *)iris_lay(&l, sizeof *t->fault);
    for (f = 0; f < IRIS_FIELDS; f++)
        t->field.at[f] = out[f] ? (float *)iris_lay(&l, *some * t->n * sizeof(float)) : NULL;
    return iris_gpu_fail(g, cudaMemset(t->fault, 0, sizeof *t->fault), "failed", err);
}

enum iris_status
iris_gpu_tile(void *gpu, const struct iris_sampler *sampler, const struct iris_tile *tile,
              float *const field[IRIS_FIELDS], struct iris_err *err)
{
    struct iris_gpu *g = (struct iris_gpu *)gpu;
    size_t some = 0, r;
    enum iris_status st;
    struct tile t = {};
    int fault = 0;

    if (tile->r0 >= tile->r1 || tile->lon0 >= tile->lon1 || tile->lat0 >= tile->lat1)
        return IRIS_OK;
    st = iris_gpu_select(g, err);
    if (!st)
        st = iris_gpu_bring_cells(g, sampler->cells, err);
    if (!st)
        st = iris_gpu_bring_sight(g, sampler, err);
    if (!st)
        st = make_tile(g, tile, field, &t, &some, err);
    if (!st)
        st = iris_gpu_fail(g, cudaDeviceSynchronize(), "failed", err);
    for (r = tile->r0; r < tile->r1 && !st; r += some)
        st = iris_gpu_fail(
            g, sample_some(g, &t, r, r + some < tile->r1 ? r + some : tile->r1, tile->r0, field),
            "failed", err);
    if (!st)
        st = iris_gpu_fail(g, cudaMemcpy(&fault, t.fault, sizeof fault, cudaMemcpyDeviceToHost),
                           "failed", err);
    if (st)
        return iris_gpu_give_up(g, st);
    return fault ? iris_cells_fail_guard(err) : IRIS_OK;
}

/* ---- the observer ---- */

/* A column, dense: its velocities, then its fields. */
static enum iris_status
pack_column(struct iris_gpu *g, const struct iris_column *c, size_t *bytes, struct iris_err *err)
{
    size_t n = c->n_r * c->n_rays, i;
    float *to;
    int f;

    *bytes = n * (sizeof(double) + IRIS_FIELDS * sizeof(float));
    if (*bytes > g->column_bytes) {
        free(g->column);
        g->column = (double *)malloc(*bytes);
        g->column_bytes = g->column ? *bytes : 0;
    }
    if (!g->column)
        return iris_fail_memory(err);
    memcpy(g->column, c->v, n * sizeof *c->v);
    to = (float *)(void *)(g->column + n);
    for (f = 0; f < IRIS_FIELDS; f++, to += n) {
        for (i = 0; i < c->n_r && c->field[f]; i++)
            memcpy(to + i * c->n_rays, c->field[f] + i * c->stride, c->n_rays * sizeof *to);
    }
    return IRIS_OK;
}

static enum iris_status
observe_column(struct iris_gpu *g, const struct iris_column *c, double *spectra,
               struct iris_err *err)
{
    cudaStream_t stream = g->slot[0].stream;
    struct iris_layout l = {NULL, 0};
    struct iris_rays_at rays = {};
    struct iris_rays_work w;
    size_t bytes = 0, n = c->n_r * c->n_rays;
    enum iris_status st;
    cudaError_t e;
    char *column;
    int f;

    st = iris_gpu_select(g, err);
    if (!st)
        st = pack_column(g, c, &bytes, err);
    if (st)
        return st;
    iris_lay(&l, bytes);
    iris_lay_rays(&l, &g->stage, c->n_rays, &w);
    st = iris_room_make(g, &g->slot[0].room, l.used, IRIS_OF_POINT, err);
    if (st)
        return st;
    l = {g->slot[0].room.block, 0};
    column = (char *)iris_lay(&l, bytes);
    iris_lay_rays(&l, &g->stage, c->n_rays, &w);
    rays.seen = rays.taken = {0, 1, 0, (unsigned)c->n_rays};
    rays.n_r = (unsigned)c->n_r;
    rays.v = (double *)(void *)column;
    for (f = 0; f < IRIS_FIELDS; f++)
        rays.field[f] = (float *)(void *)(column + n * sizeof(double)) + (size_t)f * n;
    e = cudaMemcpyAsync(column, g->column, bytes, cudaMemcpyHostToDevice, stream);
    if (!e)
        e = iris_gpu_spectra(&g->stage, &rays, &w, NULL, stream);
    if (!e)
        e = cudaMemcpyAsync(spectra, w.spectra, c->n_rays * g->stage.values * sizeof *spectra,
                            cudaMemcpyDeviceToHost, stream);
    if (!e)
        e = cudaStreamSynchronize(stream);
    return iris_gpu_fail(g, e, "failed", err);
}

static void
observe(void *self, const struct iris_column *c, double *spectra)
{
    struct iris_gpu *g = (struct iris_gpu *)self;

    if (!g->failure.status && observe_column(g, c, spectra, &g->failure))
        iris_gpu_give_up(g, g->failure.status);
    if (g->failure.status)
        memset(spectra, 0, c->n_rays * g->observed_values * sizeof *spectra);
}

enum iris_status
iris_gpu_observer(struct iris_gpu *g, const struct iris_scene *scene, struct iris_observer *o,
                  struct iris_err *err)
{
    unsigned all = (1U << IRIS_FIELDS) - 1;
    enum iris_status st;

    *o = {};
    g->failure = {};
    st = iris_gpu_select(g, err);
    if (!st)
        st = iris_gpu_bring_scene(g, scene, err);
    if (!st)
        st = iris_gpu_fail(g, cudaMemset(g->stage.flag, 0, IRIS_FLAGS * sizeof(int)), "failed",
                           err);
    if (!st)
        st = iris_gpu_fail(g, cudaDeviceSynchronize(), "failed", err);
    if (st)
        return st;
    g->observed_values = g->stage.values;
    *o = {observe, g, scene->simple ? 1U << IRIS_RHO : all & ~(1U << IRIS_V_R), g->stage.values};
    return IRIS_OK;
}

enum iris_status
iris_gpu_observed(struct iris_gpu *g, int *gas, struct iris_err *err)
{
    enum iris_status st;
    cudaError_t e;

    *gas = 0;
    if (g->failure.status)
        return iris_fail(err, g->failure.status, "%s", g->failure.msg);
    if (!g->stage.flag)
        return iris_fail(err, IRIS_E_BUG, "nothing was observed");
    st = iris_gpu_select(g, err);
    if (st)
        return st;
    e = cudaMemcpy(gas, g->stage.flag + IRIS_FLAG_GAS, sizeof *gas, cudaMemcpyDeviceToHost);
    return iris_gpu_fail(g, e, "failed", err);
}
