/* rng -- random numbers that depend on a key and a counter, nothing else.
 *
 * There is no state to carry, so a draw is the same whoever makes it and
 * whenever: the caller names the draw by its key and counter.
 *
 *   source  Salmon, Moraes, Dror, Shaw 2011, "Parallel random numbers: as easy
 *           as 1, 2, 3", the generator Philox4x32-10
 */
#ifndef IRIS_RNG_H
#define IRIS_RNG_H

#include <stdint.h>

/*   out  x  four independent uniform 32-bit words */
void iris_philox(const uint32_t counter[4], const uint32_t key[2], uint32_t x[4]);

/* What a draw is for; part of its counter. Numbers are fixed for ever, since
 * data sets are reproduced from them. */
enum iris_draw {
    IRIS_DRAW_SCALE = 1,
    IRIS_DRAW_SKEW = 2,
    IRIS_DRAW_SKEW_ANGLE = 3,
    IRIS_DRAW_DENSITY = 4,
    IRIS_DRAW_JITTER_R = 5,
    IRIS_DRAW_JITTER_LON = 6
};

/* A uniform double in [0, 1) with 53 bits.
 *
 *   in   seed    any
 *   in   item    what the draw belongs to, a hash of its name
 *   in   round, point, draw  which draw of that item
 */
double iris_uniform(uint64_t seed, uint64_t item, uint32_t round, uint32_t point,
                    enum iris_draw draw);

#endif
