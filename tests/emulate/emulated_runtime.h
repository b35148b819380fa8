/* emulated_runtime -- the functions of CUDA's runtime, by their own names; and what a
 * test may ask the emulator. Part of emulate.h. */
#ifndef IRIS_EMULATED_RUNTIME_H
#define IRIS_EMULATED_RUNTIME_H

#include "emulate.h"

enum cudaError_t {
    cudaSuccess = 0,
    cudaErrorInvalidValue = 1,
    cudaErrorMemoryAllocation = 2,
    cudaErrorInitializationError = 3,
    cudaErrorInvalidConfiguration = 9,
    cudaErrorInsufficientDriver = 35,
    cudaErrorNoDevice = 100,
    cudaErrorInvalidDevice = 101,
    cudaErrorInvalidResourceHandle = 400,
    cudaErrorNotReady = 600,
    cudaErrorIllegalAddress = 700,
    cudaErrorLaunchFailure = 719,
    cudaErrorUnknown = 999
};

enum cudaMemcpyKind {
    cudaMemcpyHostToHost,
    cudaMemcpyHostToDevice,
    cudaMemcpyDeviceToHost,
    cudaMemcpyDeviceToDevice,
    cudaMemcpyDefault
};

enum cudaFuncAttribute {
    cudaFuncAttributeMaxDynamicSharedMemorySize = 8,
    cudaFuncAttributePreferredSharedMemoryCarveout = 9
};

enum {
    cudaStreamDefault = 0,
    cudaStreamNonBlocking = 1,
    cudaEventDefault = 0,
    cudaEventBlockingSync = 1,
    cudaEventDisableTiming = 2
};

struct emulated_stream;
struct emulated_event;
typedef emulated_stream *cudaStream_t;
typedef emulated_event *cudaEvent_t;

struct cudaDeviceProp {
    char name[256];
    size_t totalGlobalMem, sharedMemPerBlock, sharedMemPerMultiprocessor;
    int multiProcessorCount, major, minor, maxThreadsPerBlock, warpSize, l2CacheSize;
};

const char *cudaGetErrorString(cudaError_t e);
const char *cudaGetErrorName(cudaError_t e);
cudaError_t cudaGetLastError();
cudaError_t cudaPeekAtLastError();

cudaError_t cudaGetDeviceCount(int *n);
cudaError_t cudaSetDevice(int device);
cudaError_t cudaGetDevice(int *device);
cudaError_t cudaGetDeviceProperties(cudaDeviceProp *prop, int device);
cudaError_t cudaDeviceGetPCIBusId(char *id, int len, int device);
cudaError_t cudaDeviceSynchronize();
cudaError_t cudaMemGetInfo(size_t *free, size_t *total);

cudaError_t cudaMalloc(void **p, size_t bytes);
cudaError_t cudaFree(void *p);
cudaError_t cudaMallocHost(void **p, size_t bytes, unsigned flags = 0);
cudaError_t cudaFreeHost(void *p);
cudaError_t cudaMemcpy(void *to, const void *from, size_t bytes, cudaMemcpyKind kind);
cudaError_t cudaMemcpyAsync(void *to, const void *from, size_t bytes, cudaMemcpyKind kind,
                            cudaStream_t stream = nullptr);
cudaError_t cudaMemset(void *to, int value, size_t bytes);
cudaError_t cudaMemsetAsync(void *to, int value, size_t bytes, cudaStream_t stream = nullptr);

cudaError_t cudaStreamCreate(cudaStream_t *stream);
cudaError_t cudaStreamCreateWithFlags(cudaStream_t *stream, unsigned flags);
cudaError_t cudaStreamDestroy(cudaStream_t stream);
cudaError_t cudaStreamSynchronize(cudaStream_t stream);
cudaError_t cudaStreamQuery(cudaStream_t stream);
cudaError_t cudaStreamWaitEvent(cudaStream_t stream, cudaEvent_t event, unsigned flags = 0);
cudaError_t cudaEventCreate(cudaEvent_t *event);
cudaError_t cudaEventCreateWithFlags(cudaEvent_t *event, unsigned flags);
cudaError_t cudaEventDestroy(cudaEvent_t event);
cudaError_t cudaEventRecord(cudaEvent_t event, cudaStream_t stream = nullptr);
cudaError_t cudaEventSynchronize(cudaEvent_t event);
cudaError_t cudaEventQuery(cudaEvent_t event);
cudaError_t cudaEventElapsedTime(float *ms, cudaEvent_t from, cudaEvent_t to);

template <class T>
static inline cudaError_t
cudaMalloc(T **p, size_t bytes)
{
    return cudaMalloc((void **)p, bytes);
}

template <class T>
static inline cudaError_t
cudaMallocHost(T **p, size_t bytes, unsigned flags = 0)
{
    return cudaMallocHost((void **)p, bytes, flags);
}

template <class T>
static inline cudaError_t
cudaMemcpyToSymbolAsync(T &to, const void *from, size_t bytes, size_t offset = 0,
                        cudaMemcpyKind = cudaMemcpyHostToDevice, cudaStream_t = nullptr)
{
    if (offset > sizeof to || bytes > sizeof to - offset)
        return cudaErrorInvalidValue;
    memcpy((char *)&to + offset, from, bytes);
    return cudaSuccess;
}

template <class T>
static inline cudaError_t
cudaMemcpyToSymbol(T &to, const void *from, size_t bytes, size_t offset = 0)
{
    return cudaMemcpyToSymbolAsync(to, from, bytes, offset);
}

template <class T>
static inline cudaError_t
cudaFuncSetAttribute(T *, cudaFuncAttribute, int)
{
    return cudaSuccess;
}

/* ---- kernels ---- */

/* The program ends unless a GPU could follow the pointer. */
void emulated_reachable(const char *kernel, const void *p);

template <class T>
static inline void
emulated_argument(const char *kernel, T value)
{
    if constexpr (std::is_pointer<T>::value)
        emulated_reachable(kernel, value);
    else
        (void)kernel, (void)value;
}

/* Run one thread after another. */
cudaError_t emulated_launch(const char *kernel, dim3 grid, dim3 block, void (*thread)(void *),
                            void *arguments);

template <class... P, class... A>
static inline cudaError_t
emulated_start(const char *text, void (*kernel)(P...), dim3 grid, dim3 block, cudaStream_t, A... a)
{
    auto run = [=] { kernel(P(a)...); };

    (emulated_argument<P>(text, P(a)), ...);
    return emulated_launch(
        text, grid, block, [](void *self) { (*(decltype(run) *)self)(); }, &run);
}
#define iris_launch(...) emulated_start(#__VA_ARGS__, __VA_ARGS__)

/* ---- for tests ---- */

struct emulated_counts {
    size_t calls;       /* of those that may report a failure */
    size_t launches;    /* of kernels */
    size_t live;        /* allocations, pinned memory among them */
    size_t bytes, peak; /* of the memory of devices */
};
emulated_counts emulated_count();

/* Begin anew: read the environment, set counts but for what is allocated to 0. */
void emulated_again();

/* The same with another environment; no value: without that name. */
void emulated_set(const char *name, const char *value);

#endif
