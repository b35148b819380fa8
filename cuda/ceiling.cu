#include "dialect.h"

#include "ceiling.h"

static const int TRIES = 5, ROUNDS = 4096;
static const unsigned THREADS = 256, BLOCKS_PER_PROCESSOR = 16;
enum { CHAINS = 8 };

static __global__ void
copy(double *to, const double *from, size_t n)
{
    size_t i = (size_t)blockIdx.x * blockDim.x + threadIdx.x;

    for (; i < n; i += (size_t)gridDim.x * blockDim.x)
        to[i] = from[i];
}

template <class T>
static __global__ void
multiply(T *out, T a, T b)
{
    T x[CHAINS], sum = 0;

    for (int k = 0; k < CHAINS; k++)
        x[k] = (T)(threadIdx.x + (unsigned)k);
    for (int i = 0; i < ROUNDS; i++) {
#pragma unroll
        for (int k = 0; k < CHAINS; k++)
            x[k] = x[k] * a + b;
    }
    for (int k = 0; k < CHAINS; k++)
        sum += x[k];
    if (sum == (T)-1)
        *out = sum;
}

/* Seconds of the shortest try; 0 when it failed. */
template <class F>
static double
shortest(F launch)
{
    cudaEvent_t from, to;
    float ms = 0, best = 0;

    if (cudaEventCreate(&from) || cudaEventCreate(&to))
        return 0;
    for (int i = 0; i <= TRIES; i++) {
        cudaEventRecord(from, 0);
        if (launch())
            break;
        cudaEventRecord(to, 0);
        if (cudaEventSynchronize(to) || cudaEventElapsedTime(&ms, from, to))
            break;
        if (i == 1 || (i > 1 && ms < best))
            best = ms;
    }
    cudaEventDestroy(from);
    cudaEventDestroy(to);
    return 1e-3 * (double)best;
}

static double
rate(double work, double seconds)
{
    return seconds > 0 ? work / seconds : 0;
}

static void
measure_copy(struct iris_ceiling *c, unsigned blocks)
{
    const size_t n = (size_t)1 << 26;
    double *from = NULL, *to = NULL;

    if (!cudaMalloc(&from, n * sizeof *from) && !cudaMalloc(&to, n * sizeof *to) &&
        !cudaMemset(from, 0, n * sizeof *from))
        c->bytes = rate(2.0 * (double)n * sizeof *from, shortest([=] {
                            return iris_launch(copy, dim3(blocks), dim3(THREADS), 0, to, from, n);
                        }));
    cudaFree(from);
    cudaFree(to);
}

void
iris_ceiling_measure(int device, struct iris_ceiling *c)
{
    cudaDeviceProp prop;
    double *out = NULL;
    unsigned blocks;
    double work;

    memset(c, 0, sizeof *c);
    if (cudaSetDevice(device) || cudaGetDeviceProperties(&prop, device))
        return;
    blocks = (unsigned)prop.multiProcessorCount * BLOCKS_PER_PROCESSOR;
    work = (double)blocks * (double)((size_t)THREADS * ROUNDS * CHAINS);
    measure_copy(c, blocks);
    if (cudaMalloc(&out, sizeof *out))
        return;
    c->fma_double = rate(work, shortest([=] {
                             return iris_launch(multiply<double>, dim3(blocks), dim3(THREADS), 0,
                                                out, 0.999, 0.001);
                         }));
    c->fma_single = rate(work, shortest([=] {
                             return iris_launch(multiply<float>, dim3(blocks), dim3(THREADS), 0,
                                                (float *)out, 0.999f, 0.001f);
                         }));
    cudaFree(out);
}
