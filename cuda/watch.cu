#include "watch.h"

#include "gpu_state.h"

cudaError_t
iris_tick(struct iris_watch *w, int stage, cudaStream_t stream)
{
    cudaError_t e = cudaSuccess;

    if (!w || !w->is_on || w->n == IRIS_TICKS)
        return cudaSuccess;
    if (!w->event[w->n])
        e = cudaEventCreate(&w->event[w->n]);
    if (e)
        return e;
    w->stage[w->n] = stage;
    return cudaEventRecord(w->event[w->n++], stream);
}

cudaError_t
iris_watch_read(struct iris_watch *w, cudaStream_t stream)
{
    unsigned long long work[IRIS_WORKS];
    cudaError_t e;
    int i;

    if (!w->is_on)
        return cudaSuccess;
    e = cudaStreamSynchronize(stream);
    for (i = 1; i < w->n && !e; i++) {
        float ms = 0;

        if (w->stage[i] < 0)
            continue;
        e = cudaEventElapsedTime(&ms, w->event[i - 1], w->event[i]);
        w->spent.seconds[w->stage[i]] += (double)ms / 1000;
    }
    w->n = 0;
    if (!e)
        e = cudaMemcpy(work, w->work, sizeof work, cudaMemcpyDeviceToHost);
    if (e)
        return e;
    w->spent.compared = work[IRIS_WORK_COMPARED];
    w->spent.points = work[IRIS_WORK_POINTS];
    w->spent.walked = work[IRIS_WORK_WALKED];
    w->spent.lines = work[IRIS_WORK_LINES];
    return cudaSuccess;
}

void
iris_watch_release(struct iris_watch *w)
{
    int i;

    for (i = 0; i < IRIS_TICKS; i++) {
        if (w->event[i])
            (void)cudaEventDestroy(w->event[i]);
    }
    if (w->work)
        (void)cudaFree(w->work);
    *w = {};
}

/* A GPU that cannot be watched is not. */
void
iris_gpu_watch(struct iris_gpu *g, int is_on)
{
    struct iris_watch *w = &g->watch;

    (void)cudaSetDevice(g->number);
    iris_watch_release(w);
    if (is_on && !cudaMalloc((void **)&w->work, IRIS_WORKS * sizeof *w->work))
        w->is_on = !cudaMemset(w->work, 0, IRIS_WORKS * sizeof *w->work) &&
                   !cudaDeviceSynchronize();
}

void
iris_gpu_spent(const struct iris_gpu *g, struct iris_gpu_spent *spent)
{
    *spent = g->watch.spent;
}
