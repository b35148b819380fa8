/* random_case -- what the tests of the sampler share: random numbers and memory. */
#ifndef RANDOM_CASE_H
#define RANDOM_CASE_H

#include <stdint.h>
#include <stdlib.h>

static uint64_t random_state = 1;

/* From random_state, in order. */
static inline double
uniform(double lo, double hi)
{
    uint64_t z = random_state += UINT64_C(0x9E3779B97F4A7C15);

    z = (z ^ (z >> 30)) * UINT64_C(0xBF58476D1CE4E5B9);
    z = (z ^ (z >> 27)) * UINT64_C(0x94D049BB133111EB);
    return lo + (hi - lo) * (double)((z ^ (z >> 31)) >> 11) * 0x1p-53;
}

static inline void *
need(size_t bytes)
{
    void *p = malloc(bytes);

    if (!p)
        exit(1);
    return p;
}

#endif
