/* watch -- where the time of a piece goes. Private to cuda/. */
#ifndef IRIS_WATCH_H
#define IRIS_WATCH_H

#include "dialect.h"

extern "C" {
#include "gpu.h"
}

enum { IRIS_TICKS = 64 };

/* Places of what is counted. */
enum { IRIS_WORK_COMPARED, IRIS_WORK_POINTS, IRIS_WORK_WALKED, IRIS_WORK_LINES, IRIS_WORKS };

struct iris_watch {
    int is_on, n;
    cudaEvent_t event[IRIS_TICKS];
    int stage[IRIS_TICKS];    /* that ended there; -1: a beginning */
    unsigned long long *work; /* its [IRIS_WORKS], as iris_gpu_spent has them; NULL unless on */
    struct iris_gpu_spent spent;
};

/* A stage ends here; nothing where the watch is NULL or off. */
cudaError_t iris_tick(struct iris_watch *w, int stage, cudaStream_t stream);

/* Add up what has ended; the stream is waited for. */
cudaError_t iris_watch_read(struct iris_watch *w, cudaStream_t stream);

void iris_watch_release(struct iris_watch *w);

#endif
