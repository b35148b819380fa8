/* dialect -- what the sources of this directory are written in: C that happens to be
 * C++, as nvcc wants it. The same sources are compiled for a processor with
 * IRIS_EMULATE, for tests without a GPU: what they may use of CUDA is what
 * tests/emulate/emulate.h has.
 *
 * Kernels use __syncthreads, __syncthreads_or, atomics on shared and global memory,
 * and static shared arrays; no dynamic shared memory, no functions of warps.
 */
#ifndef IRIS_DIALECT_H
#define IRIS_DIALECT_H

/* before any header of the library: those are included as C */
#include <math.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#ifdef IRIS_EMULATE
#include "emulate.h"
#else
#include <cuda_runtime.h>

/* Start a kernel; emulate.h has the like. */
template <class... P, class... A>
static inline cudaError_t
iris_launch(void (*kernel)(P...), dim3 grid, dim3 block, cudaStream_t stream, A... a)
{
    kernel<<<grid, block, 0, stream>>>(P(a)...);
    return cudaGetLastError();
}
#endif

#endif
