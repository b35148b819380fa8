#include "rng.h"

void
iris_philox(const uint32_t counter[4], const uint32_t key[2], uint32_t x[4])
{
    uint32_t c0 = counter[0], c1 = counter[1], c2 = counter[2], c3 = counter[3];
    uint32_t k0 = key[0], k1 = key[1];
    int round;

    for (round = 0; round < 10; round++) {
        uint64_t p0 = (uint64_t)0xD2511F53u * c0;
        uint64_t p1 = (uint64_t)0xCD9E8D57u * c2;
        uint32_t n0 = (uint32_t)(p1 >> 32) ^ c1 ^ k0;
        uint32_t n2 = (uint32_t)(p0 >> 32) ^ c3 ^ k1;

        c1 = (uint32_t)p1;
        c3 = (uint32_t)p0;
        c0 = n0;
        c2 = n2;
        k0 += 0x9E3779B9u;
        k1 += 0xBB67AE85u;
    }
    x[0] = c0;
    x[1] = c1;
    x[2] = c2;
    x[3] = c3;
}

double
iris_uniform(uint64_t seed, uint64_t item, uint32_t round, uint32_t point, enum iris_draw draw)
{
    /* The draw has few values: it takes the top bits of the point's word. */
    uint32_t counter[4] = {(uint32_t)item, (uint32_t)(item >> 32), round,
                           point ^ ((uint32_t)draw << 24)};
    uint32_t key[2] = {(uint32_t)seed, (uint32_t)(seed >> 32)};
    uint32_t x[4];

    iris_philox(counter, key, x);
    return (double)((((uint64_t)x[0] << 32) | x[1]) >> 11) * 0x1p-53;
}
