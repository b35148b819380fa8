/* The runtime: streams and events, which are done with at once, and its words. */
#include <time.h>

#include "emulate.h"
#include "emulated_state.h"

struct emulated_stream {
    int unused;
};

struct emulated_event {
    bool timed, recorded;
    struct timespec at;
};

/* ---- streams and events ---- */

cudaError_t
cudaStreamCreateWithFlags(cudaStream_t *stream, unsigned)
{
    cudaError_t e = emulated_enter(false);

    *stream = e ? nullptr : new emulated_stream{0};
    return e;
}

cudaError_t
cudaStreamCreate(cudaStream_t *stream)
{
    return cudaStreamCreateWithFlags(stream, cudaStreamDefault);
}

cudaError_t
cudaStreamDestroy(cudaStream_t stream)
{
    if (!stream)
        return emulated_leave(cudaErrorInvalidResourceHandle);
    delete stream;
    return cudaSuccess;
}

cudaError_t
cudaStreamSynchronize(cudaStream_t)
{
    return emulated_enter(true);
}

cudaError_t
cudaStreamQuery(cudaStream_t)
{
    return emulated_enter(true);
}

cudaError_t
cudaStreamWaitEvent(cudaStream_t, cudaEvent_t event, unsigned)
{
    return event ? emulated_enter(true) : emulated_leave(cudaErrorInvalidResourceHandle);
}

cudaError_t
cudaEventCreateWithFlags(cudaEvent_t *event, unsigned flags)
{
    cudaError_t e = emulated_enter(false);

    *event = e ? nullptr : new emulated_event{!(flags & cudaEventDisableTiming), false, {0, 0}};
    return e;
}

cudaError_t
cudaEventCreate(cudaEvent_t *event)
{
    return cudaEventCreateWithFlags(event, cudaEventDefault);
}

cudaError_t
cudaEventDestroy(cudaEvent_t event)
{
    if (!event)
        return emulated_leave(cudaErrorInvalidResourceHandle);
    delete event;
    return cudaSuccess;
}

cudaError_t
cudaEventRecord(cudaEvent_t event, cudaStream_t)
{
    cudaError_t e = event ? emulated_enter(true) : emulated_leave(cudaErrorInvalidResourceHandle);

    if (!e) {
        clock_gettime(CLOCK_MONOTONIC, &event->at);
        event->recorded = true;
    }
    return e;
}

cudaError_t
cudaEventSynchronize(cudaEvent_t event)
{
    return event ? emulated_enter(true) : emulated_leave(cudaErrorInvalidResourceHandle);
}

cudaError_t
cudaEventQuery(cudaEvent_t event)
{
    return cudaEventSynchronize(event);
}

cudaError_t
cudaEventElapsedTime(float *ms, cudaEvent_t from, cudaEvent_t to)
{
    if (!from || !to || !from->timed || !to->timed || !from->recorded || !to->recorded)
        return emulated_leave(cudaErrorInvalidResourceHandle);
    *ms = (float)(1e3 * (double)(to->at.tv_sec - from->at.tv_sec) +
                  1e-6 * (double)(to->at.tv_nsec - from->at.tv_nsec));
    return emulated_enter(true);
}

/* ---- words ---- */

const char *
cudaGetErrorString(cudaError_t e)
{
    switch (e) {
    case cudaSuccess:
        return "no error";
    case cudaErrorInvalidValue:
        return "invalid argument";
    case cudaErrorMemoryAllocation:
        return "out of memory";
    case cudaErrorInitializationError:
        return "initialization error";
    case cudaErrorInvalidConfiguration:
        return "invalid configuration argument";
    case cudaErrorInsufficientDriver:
        return "CUDA driver version is insufficient for CUDA runtime version";
    case cudaErrorNoDevice:
        return "no CUDA-capable device is detected";
    case cudaErrorInvalidDevice:
        return "invalid device ordinal";
    case cudaErrorInvalidResourceHandle:
        return "invalid resource handle";
    case cudaErrorNotReady:
        return "device not ready";
    case cudaErrorIllegalAddress:
        return "an illegal memory access was encountered";
    case cudaErrorLaunchFailure:
        return "unspecified launch failure";
    default:
        return "unknown error";
    }
}

const char *
cudaGetErrorName(cudaError_t e)
{
    switch (e) {
    case cudaSuccess:
        return "cudaSuccess";
    case cudaErrorMemoryAllocation:
        return "cudaErrorMemoryAllocation";
    case cudaErrorInsufficientDriver:
        return "cudaErrorInsufficientDriver";
    case cudaErrorNoDevice:
        return "cudaErrorNoDevice";
    case cudaErrorLaunchFailure:
        return "cudaErrorLaunchFailure";
    default:
        return "cudaErrorUnknown";
    }
}
