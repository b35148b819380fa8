/* kernel -- for files kernel_<name>.c only, which are compiled once for every
 * level of instructions: base, avx2, avx512.
 *
 * A kernel works on lanes of IRIS_LANES numbers whatever the machine has; they
 * are cut into vectors that fit its registers. No operation crosses lanes but
 * in an order that is the same for all levels, nothing is contracted, and no
 * function of libm is called: all levels give the same bytes.
 */
#ifndef IRIS_KERNEL_H
#define IRIS_KERNEL_H

#include <stdint.h>
#include <string.h>

#ifndef IRIS_LEVEL_NAME
#define IRIS_LEVEL_NAME base
#endif
#define IRIS_LEVEL_JOIN(name, level)  name##_##level
#define IRIS_LEVEL_PASTE(name, level) IRIS_LEVEL_JOIN(name, level)
/* The name of a function of this level. */
#define IRIS_LEVEL(name)              IRIS_LEVEL_PASTE(name, IRIS_LEVEL_NAME)

enum { IRIS_LANES = 16 };

#if defined __AVX512F__
enum { VEC = 16 };
#elif defined __AVX2__
enum { VEC = 8 };
#else
enum { VEC = 4 };
#endif

#if defined __SSE2__
#include <immintrin.h>
#endif

typedef float vecf __attribute__((vector_size(4 * VEC)));
typedef int32_t veci __attribute__((vector_size(4 * VEC)));
typedef double vecd __attribute__((vector_size(4 * VEC)));
typedef int64_t vecl __attribute__((vector_size(4 * VEC)));

static inline vecf
load(const float *p)
{
    vecf v;

    memcpy(&v, p, sizeof v);
    return v;
}

static inline void
store(float *p, vecf v)
{
    memcpy(p, &v, sizeof v);
}

static inline void
store_int(int32_t *p, veci v)
{
    memcpy(p, &v, sizeof v);
}

/* a where the mask is set, else b */
static inline vecf
pick(veci mask, vecf a, vecf b)
{
    return (vecf)((mask & (veci)a) | (~mask & (veci)b));
}

/* v where y > least, else 0 */
static inline vecf
zero_below(vecf v, vecf y, float least)
{
#if defined __AVX512F__
    __mmask16 k = _mm512_cmp_ps_mask((__m512)y, _mm512_set1_ps(least), _CMP_GT_OQ);

    return (vecf)_mm512_maskz_mov_ps(k, (__m512)v);
#else
    return (vecf)((y > least) & (veci)v);
#endif
}

static inline veci
pick_int(veci mask, veci a, veci b)
{
    return (mask & a) | (~mask & b);
}

static inline veci
all_int(int32_t x)
{
    veci v = {0};

    return v + x;
}

static inline vecf
all(float x)
{
    vecf v = {0};

    return v + x;
}

/* b < a ? b : a and b > a ? b : a, lane by lane */
static inline vecf
lesser(vecf a, vecf b)
{
#if defined __AVX512F__
    return (vecf)_mm512_min_ps((__m512)b, (__m512)a);
#elif defined __AVX2__
    return (vecf)_mm256_min_ps((__m256)b, (__m256)a);
#elif defined __SSE2__
    return (vecf)_mm_min_ps((__m128)b, (__m128)a);
#else
    return pick(b < a, b, a);
#endif
}

static inline vecf
greater(vecf a, vecf b)
{
#if defined __AVX512F__
    return (vecf)_mm512_max_ps((__m512)b, (__m512)a);
#elif defined __AVX2__
    return (vecf)_mm256_max_ps((__m256)b, (__m256)a);
#elif defined __SSE2__
    return (vecf)_mm_max_ps((__m128)b, (__m128)a);
#else
    return pick(b > a, b, a);
#endif
}

static inline vecd
greater_double(vecd a, vecd b)
{
#if defined __AVX512F__
    return (vecd)_mm512_max_pd((__m512d)b, (__m512d)a);
#elif defined __AVX2__
    return (vecd)_mm256_max_pd((__m256d)b, (__m256d)a);
#elif defined __SSE2__
    return (vecd)_mm_max_pd((__m128d)b, (__m128d)a);
#else
    vecl more = b > a;

    return (vecd)((more & (vecl)b) | (~more & (vecl)a));
#endif
}

static inline vecf
magnitude(vecf v)
{
    return (vecf)((veci)v & 0x7fffffff);
}

/* Whether any lane of a mask is set. */
static inline int
any(veci mask)
{
#if defined __AVX512F__
    return _mm512_test_epi32_mask((__m512i)mask, (__m512i)mask) != 0;
#elif defined __AVX2__
    return _mm256_movemask_ps((__m256)mask) != 0;
#elif defined __SSE2__
    return _mm_movemask_ps((__m128)mask) != 0;
#else
    int32_t sum = 0;
    int i;

    for (i = 0; i < VEC; i++)
        sum |= mask[i];
    return sum != 0;
#endif
}

/* Whether any lane is below least. */
static inline int
any_below(vecf v, float least)
{
#if defined __AVX512F__
    return _mm512_cmp_ps_mask((__m512)v, _mm512_set1_ps(least), _CMP_LT_OQ) != 0;
#else
    return any(v < least);
#endif
}

#endif
