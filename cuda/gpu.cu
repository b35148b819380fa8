/* GPUs, their memory, and the snapshot that is there. */
#include <time.h>

#include "gpu_state.h"

/* ---- which there are ---- */

int
iris_gpu_is_built(void)
{
    return 1;
}

enum iris_status
iris_gpu_count(int *n, struct iris_err *err)
{
    cudaError_t e = cudaGetDeviceCount(n);

    if (!e && *n > 0)
        return IRIS_OK;
    *n = 0;
    (void)cudaGetLastError();
    if (e == cudaErrorInsufficientDriver)
        return iris_fail(err, IRIS_E_IO, "no driver for CUDA, or one that is too old");
    if (!e || e == cudaErrorNoDevice)
        return iris_fail(err, IRIS_E_IO, "no GPU that CUDA can use");
    return iris_fail(err, IRIS_E_IO, "CUDA cannot be used: %s", cudaGetErrorString(e));
}

static enum iris_status
check_number(int number, struct iris_err *err)
{
    enum iris_status st;
    int n;

    st = iris_gpu_count(&n, err);
    if (!st && (number < 0 || number >= n))
        st = iris_fail(err, IRIS_E_USAGE, "there is no GPU %d: there %s %d", number,
                       n == 1 ? "is" : "are", n);
    return st;
}

enum iris_status
iris_gpu_bus(int number, char bus[IRIS_GPU_BUS], struct iris_err *err)
{
    enum iris_status st = check_number(number, err);

    bus[0] = 0;
    return st ? st
              : iris_gpu_fail(NULL, cudaDeviceGetPCIBusId(bus, IRIS_GPU_BUS, number),
                              "cannot be told from others", err);
}

enum iris_status
iris_gpu_open(int number, struct iris_gpu **out, struct iris_err *err)
{
    enum iris_status st = check_number(number, err);
    cudaDeviceProp properties;
    struct iris_gpu *g;
    cudaError_t e;
    int i;

    *out = NULL;
    if (st)
        return st;
    g = (struct iris_gpu *)calloc(1, sizeof *g);
    if (!g)
        return iris_fail_memory(err);
    g->number = number;
    g->limit = IRIS_GPU_POINT;
    e = cudaSetDevice(number);
    if (!e)
        e = cudaGetDeviceProperties(&properties, number);
    if (!e)
        snprintf(g->name, sizeof g->name, "%s", properties.name);
    for (i = 0; i < IRIS_GPU_SLOTS && !e; i++)
        e = cudaStreamCreateWithFlags(&g->slot[i].stream, cudaStreamNonBlocking);
    *out = g;
    if (!e)
        return IRIS_OK;
    st = iris_gpu_fail(g, e, "cannot be opened", err);
    iris_gpu_close(g);
    *out = NULL;
    return st;
}

void
iris_gpu_close(struct iris_gpu *g)
{
    int i;

    if (!g)
        return;
    (void)cudaSetDevice(g->number);
    iris_gpu_forget(g);
    iris_gpu_relax(g);
    iris_watch_release(&g->watch);
    for (i = 0; i < IRIS_GPU_SLOTS; i++) {
        if (g->slot[i].stream)
            (void)cudaStreamDestroy(g->slot[i].stream);
    }
    free(g->column);
    free(g);
}

const char *
iris_gpu_name(const struct iris_gpu *g)
{
    return g->name;
}

uint64_t
iris_gpu_peak(const struct iris_gpu *g)
{
    return g->peak;
}

uint64_t
iris_gpu_peak_point(const struct iris_gpu *g)
{
    return g->peak_point;
}

void
iris_gpu_limit(struct iris_gpu *g, uint64_t bytes)
{
    g->limit = bytes < IRIS_GPU_POINT ? bytes : IRIS_GPU_POINT;
}

enum iris_status
iris_gpu_select(struct iris_gpu *g, struct iris_err *err)
{
    return iris_gpu_fail(g, cudaSetDevice(g->number), "cannot be used", err);
}

enum iris_status
iris_gpu_fail(struct iris_gpu *g, cudaError_t e, const char *what, struct iris_err *err)
{
    if (!e)
        return IRIS_OK;
    (void)cudaGetLastError();
    if (!g)
        return iris_fail(err, IRIS_E_IO, "the GPU %s: %s", what, cudaGetErrorString(e));
    return iris_fail(err, IRIS_E_IO, "GPU %d (%s) %s: %s", g->number, g->name, what,
                     cudaGetErrorString(e));
}

enum iris_status
iris_gpu_wait(struct iris_gpu *g, cudaStream_t stream, const struct iris_pause *pause,
              struct iris_err *err)
{
    const struct timespec nap = {0, 50000};
    cudaError_t e;

    while ((e = cudaStreamQuery(stream)) == cudaErrorNotReady) {
        (void)cudaGetLastError();
        if (pause && pause->fn(pause->self))
            return iris_fail(err, IRIS_E_RETRY, "stopped");
        nanosleep(&nap, NULL);
    }
    if (!e && pause && pause->fn(pause->self))
        return iris_fail(err, IRIS_E_RETRY, "stopped");
    return iris_gpu_fail(g, e, "failed", err);
}

/* ---- memory ---- */

static void
count(struct iris_gpu *g, const struct iris_room *room, int of_point, int sign)
{
    uint64_t bytes = room->bytes;

    g->used = sign > 0 ? g->used + bytes : g->used - bytes;
    g->peak = g->used > g->peak ? g->used : g->peak;
    if (!of_point)
        return;
    g->used_point = sign > 0 ? g->used_point + bytes : g->used_point - bytes;
    g->peak_point = g->used_point > g->peak_point ? g->used_point : g->peak_point;
}

enum iris_status
iris_room_make(struct iris_gpu *g, struct iris_room *room, size_t bytes, int of_point,
               struct iris_err *err)
{
    cudaError_t e;

    if (room->block && bytes > 0 && bytes <= room->bytes)
        return IRIS_OK;
    if (room->block) {
        (void)cudaFree(room->block);
        count(g, room, of_point, -1);
        *room = {};
    }
    if (!bytes)
        return IRIS_OK;
    e = cudaMalloc((void **)&room->block, bytes);
    if (e) {
        *room = {};
        (void)cudaGetLastError();
        return iris_fail(err, IRIS_E_IO, "GPU %d (%s) has no memory for %zu bytes: %s", g->number,
                         g->name, bytes, cudaGetErrorString(e));
    }
    room->bytes = bytes;
    count(g, room, of_point, 1);
    return IRIS_OK;
}

void *
iris_lay(struct iris_layout *l, size_t bytes)
{
    enum { ALIGN = 256 };
    size_t at = l->used;

    l->used += (bytes + ALIGN - 1) / ALIGN * ALIGN;
    return l->block ? l->block + at : NULL;
}

void
iris_gpu_relax(struct iris_gpu *g)
{
    int i;

    (void)cudaSetDevice(g->number);
    for (i = 0; i < IRIS_GPU_SLOTS; i++)
        iris_room_make(g, &g->slot[i].room, 0, IRIS_OF_POINT, NULL);
    iris_room_make(g, &g->sight_room, 0, IRIS_OF_POINT, NULL);
    iris_room_make(g, &g->strips_room, 0, IRIS_OF_POINT, NULL);
}

void
iris_gpu_forget(void *gpu)
{
    struct iris_gpu *g = (struct iris_gpu *)gpu;

    (void)cudaSetDevice(g->number);
    iris_gpu_drop_scene(g);
    iris_room_make(g, &g->cells_room, 0, 0, NULL);
    g->cells = {};
    g->cells_of = NULL;
}

enum iris_status
iris_gpu_give_up(struct iris_gpu *g, enum iris_status st)
{
    (void)cudaDeviceSynchronize();
    (void)cudaGetLastError();
    if (st == IRIS_E_IO || st == IRIS_E_BUG) {
        iris_gpu_forget(g);
        iris_gpu_relax(g);
    }
    return st;
}

/* ---- what samples are taken of ---- */

/* The arrays of cells lie one behind the other, from x on. */
enum iris_status
iris_gpu_bring_cells(struct iris_gpu *g, const struct iris_cells *c, struct iris_err *err)
{
    enum iris_status st;
    size_t bytes = 0;

    if (g->cells_of == c->x && g->cells.n == c->n)
        return IRIS_OK;
    g->cells_of = NULL;
    st = iris_cells_size(c->n, &bytes, err);
    if (!st)
        st = iris_room_make(g, &g->cells_room, bytes, 0, err);
    if (!st)
        st = iris_gpu_fail(g, cudaMemcpy(g->cells_room.block, c->x, bytes, cudaMemcpyHostToDevice),
                           "cannot take the snapshot", err);
    if (st)
        return st;
    g->cells = *c;
    g->cells.block = NULL;
    iris_cells_place(&g->cells, g->cells_room.block, c->n);
    g->cells_of = c->x;
    return IRIS_OK;
}

static void
fill_sight(const struct iris_view *v, double *to)
{
    size_t i;

    for (i = 0; i < v->r.n; i++)
        *to++ = iris_axis_at(&v->r, i);
    for (i = 0; i < v->lon.n; i++, to += 2)
        iris_view_lon(v, i, to);
    for (i = 0; i < v->lat.n; i++, to += 2)
        iris_view_lat(v, i, to);
}

enum iris_status
iris_gpu_bring_sight(struct iris_gpu *g, const struct iris_sampler *s, struct iris_err *err)
{
    size_t n_r = s->view.r.n, n_lon = s->view.lon.n, n_lat = s->view.lat.n;
    size_t bytes = (n_r + 2 * n_lon + 2 * n_lat) * sizeof(double);
    double *table = (double *)malloc(bytes), *its;
    enum iris_status st;

    if (!table)
        return iris_fail_memory(err);
    fill_sight(&s->view, table);
    st = iris_room_make(g, &g->sight_room, bytes, IRIS_OF_POINT, err);
    if (!st)
        st = iris_gpu_fail(g, cudaMemcpy(g->sight_room.block, table, bytes, cudaMemcpyHostToDevice),
                           "cannot take the view", err);
    its = (double *)(void *)g->sight_room.block;
    g->sight = {*s, its, its + n_r, its + n_r + 2 * n_lon};
    g->sight.sampler.cells = NULL;
    g->sight.sampler.kernels = NULL;
    free(table);
    return st;
}
