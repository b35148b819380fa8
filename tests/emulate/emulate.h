/* emulate -- as much of CUDA as the sources of cuda/ use, on a processor: they are
 * compiled as C++ with -DIRIS_EMULATE, and run without a GPU. For tests; it looks for
 * mistakes, it is not fast.
 *
 * The threads of a block take turns, from barrier to barrier, and blocks run one after
 * another; streams are synchronous. A barrier that some threads never reach, a copy
 * beyond what was allocated and a write beside it end the program with a sentence. What
 * a kernel may not rely on is garbage (0xa5): fresh memory, and shared memory at the
 * start of a block (but with g++ that of templates, which it puts elsewhere).
 *
 *   IRIS_EMULATED_GPUS    devices, 1 unless set; 0: none; -1: the driver is too old
 *   IRIS_EMULATED_BUS     a number below 65536, in what the bus calls them: programs that
 *                         are told others have other devices
 *   IRIS_EMULATED_MEMORY  bytes of each, 16 GiB unless set
 *   IRIS_EMULATED_SEED    not 0: threads and blocks run in an order drawn from it
 *   IRIS_EMULATED_FAIL    K: the K-th call of those that report what went wrong before
 *                         fails; K+: and all after it
 *
 * Any number of threads of the program may call it; kernels wait for one another.
 */
#ifndef IRIS_EMULATE_H
#define IRIS_EMULATE_H

#include <math.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <type_traits>

/* ---- the language ---- */

#define __global__
#define __device__
#define __host__
#define __constant__
#define __grid_constant__
/* used: what fills it with garbage is unknown to the compiler */
#define __shared__      static __attribute__((used, section("emulated_shared")))
#define __forceinline__ inline __attribute__((always_inline))
#define __launch_bounds__(...)

#define EMULATED_VECTOR(type, name, align)                                                         \
    struct alignas(2 * align) name##2                                                              \
    {                                                                                              \
        type x, y;                                                                                 \
    };                                                                                             \
    struct name##3                                                                                 \
    {                                                                                              \
        type x, y, z;                                                                              \
    };                                                                                             \
    struct alignas(align < 8 ? 4 * align : 16) name##4                                             \
    {                                                                                              \
        type x, y, z, w;                                                                           \
    };                                                                                             \
    static inline name##2 make_##name##2(type x, type y)                                           \
    {                                                                                              \
        return {x, y};                                                                             \
    }                                                                                              \
    static inline name##3 make_##name##3(type x, type y, type z)                                   \
    {                                                                                              \
        return {x, y, z};                                                                          \
    }                                                                                              \
    static inline name##4 make_##name##4(type x, type y, type z, type w)                           \
    {                                                                                              \
        return {x, y, z, w};                                                                       \
    }
EMULATED_VECTOR(int, int, 4)
EMULATED_VECTOR(unsigned, uint, 4)
EMULATED_VECTOR(float, float, 4)
EMULATED_VECTOR(double, double, 8)
#undef EMULATED_VECTOR

struct dim3 {
    unsigned x, y, z;

    constexpr dim3(unsigned nx = 1, unsigned ny = 1, unsigned nz = 1) : x(nx), y(ny), z(nz)
    {
    }
};

/* of the thread that runs */
extern uint3 threadIdx, blockIdx;
extern dim3 blockDim, gridDim;

/* ---- barriers ---- */

enum emulated_sum { EMULATED_OR, EMULATED_AND, EMULATED_COUNT, EMULATED_WARP };

/* Wait for all threads of the block (or of the warp): how many gave a predicate, or
 * whether any or all did. */
int emulated_barrier(emulated_sum sum, int predicate, const char *file, int line);

#define EMULATED_HERE const char *file = __builtin_FILE(), int line = __builtin_LINE()
static inline void
__syncthreads(EMULATED_HERE)
{
    emulated_barrier(EMULATED_OR, 0, file, line);
}

static inline int
__syncthreads_or(int predicate, EMULATED_HERE)
{
    return emulated_barrier(EMULATED_OR, predicate, file, line);
}

static inline int
__syncthreads_and(int predicate, EMULATED_HERE)
{
    return emulated_barrier(EMULATED_AND, predicate, file, line);
}

static inline int
__syncthreads_count(int predicate, EMULATED_HERE)
{
    return emulated_barrier(EMULATED_COUNT, predicate, file, line);
}

static inline void
__syncwarp(unsigned = ~0U, EMULATED_HERE)
{
    emulated_barrier(EMULATED_WARP, 0, file, line);
}
#undef EMULATED_HERE

static inline void
__threadfence()
{
}

static inline void
__threadfence_block()
{
}

/* ---- atomics ---- */

/* With a seed, another thread may get its turn here. */
void emulated_turn();

template <class T>
static inline T
emulated_put(T *at, T value)
{
    T old = *at;

    *at = value;
    emulated_turn();
    return old;
}

#define EMULATED_ATOMIC(name, type, expression)                                                    \
    static inline type name(type *at, type value)                                                  \
    {                                                                                              \
        const type old = *at;                                                                      \
                                                                                                   \
        return emulated_put<type>(at, expression);                                                 \
    }
#define EMULATED_WHOLE(name, expression)                                                           \
    EMULATED_ATOMIC(name, int, expression)                                                         \
    EMULATED_ATOMIC(name, unsigned, expression)                                                    \
    EMULATED_ATOMIC(name, unsigned long long, expression)
EMULATED_WHOLE(atomicOr, old | value)
EMULATED_WHOLE(atomicAnd, old &value)
EMULATED_WHOLE(atomicMax, old > value ? old : value)
EMULATED_WHOLE(atomicMin, old < value ? old : value)
EMULATED_ATOMIC(atomicAdd, int, (int)((unsigned)old + (unsigned)value))
EMULATED_ATOMIC(atomicAdd, unsigned, old + value)
EMULATED_ATOMIC(atomicAdd, unsigned long long, old + value)
EMULATED_ATOMIC(atomicAdd, float, old + value)
EMULATED_ATOMIC(atomicAdd, double, old + value)
EMULATED_ATOMIC(atomicSub, int, (int)((unsigned)old - (unsigned)value))
EMULATED_ATOMIC(atomicSub, unsigned, old - value)
EMULATED_ATOMIC(atomicExch, float, ((void)old, value))
EMULATED_WHOLE(atomicExch, ((void)old, value))
#undef EMULATED_WHOLE
#undef EMULATED_ATOMIC

#define EMULATED_CAS(type)                                                                         \
    static inline type atomicCAS(type *at, type compare, type value)                               \
    {                                                                                              \
        return emulated_put<type>(at, *at == compare ? value : *at);                               \
    }
EMULATED_CAS(int)
EMULATED_CAS(unsigned)
EMULATED_CAS(unsigned long long)
#undef EMULATED_CAS

/* ---- arithmetic ---- */

template <class T>
static inline T
__ldg(const T *at)
{
    return *at;
}

#define EMULATED_LEAST(type)                                                                       \
    static inline type min(type a, type b)                                                         \
    {                                                                                              \
        return b < a ? b : a;                                                                      \
    }                                                                                              \
    static inline type max(type a, type b)                                                         \
    {                                                                                              \
        return a < b ? b : a;                                                                      \
    }
EMULATED_LEAST(int)
EMULATED_LEAST(unsigned)
EMULATED_LEAST(long)
EMULATED_LEAST(unsigned long)
EMULATED_LEAST(long long)
EMULATED_LEAST(unsigned long long)
#undef EMULATED_LEAST

/* those of floating point leave NaN out */
static inline float
min(float a, float b)
{
    return fminf(a, b);
}

static inline float
max(float a, float b)
{
    return fmaxf(a, b);
}

static inline double
min(double a, double b)
{
    return fmin(a, b);
}

static inline double
max(double a, double b)
{
    return fmax(a, b);
}

/* some C libraries have them too */
#define rsqrt  emulated_rsqrt
#define rsqrtf emulated_rsqrtf
static inline double
rsqrt(double x)
{
    return 1 / sqrt(x);
}

static inline float
rsqrtf(float x)
{
    return 1 / sqrtf(x);
}

#define __expf(x) expf(x)
#define __logf(x) logf(x)

static inline float
__fdividef(float a, float b)
{
    return a / b;
}

template <class To, class From>
static inline To
emulated_bits(From from)
{
    To to;

    static_assert(sizeof to == sizeof from, "as many bits");
    memcpy(&to, &from, sizeof to);
    return to;
}

static inline int
__float_as_int(float x)
{
    return emulated_bits<int>(x);
}

static inline unsigned
__float_as_uint(float x)
{
    return emulated_bits<unsigned>(x);
}

static inline float
__int_as_float(int x)
{
    return emulated_bits<float>(x);
}

static inline float
__uint_as_float(unsigned x)
{
    return emulated_bits<float>(x);
}

static inline long long
__double_as_longlong(double x)
{
    return emulated_bits<long long>(x);
}

static inline double
__longlong_as_double(long long x)
{
    return emulated_bits<double>(x);
}

static inline int
__popc(unsigned x)
{
    return __builtin_popcount(x);
}

static inline int
__clz(int x)
{
    return x ? __builtin_clz((unsigned)x) : 32;
}

static inline int
__ffs(int x)
{
    return __builtin_ffs(x);
}

/* ---- the runtime, and how a kernel is started ---- */

#include "emulated_runtime.h"

#endif
