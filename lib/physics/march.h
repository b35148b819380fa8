/* march -- the line's excess over the continuum along a ray, step by step, on
 * blocks of 16 channels. Private to transfer*.c and kernel_march.c.
 *
 * A block is looked at only by the steps whose line reaches it. What happened
 * to it meanwhile is made up for in one jump: with the factor g taken out, the
 * excess without a line only relaxes, Q_s - Q_{s-1} = trend_s (Q_{s-1} - Q_{s-2}).
 * Where that is not all (keep is not 1, the continuum is clipped, the factor is
 * given back, or the excess could reach -C) the steps are gone one by one.
 */
#ifndef IRIS_MARCH_H
#define IRIS_MARCH_H

#include <stddef.h>
#include <stdint.h>

enum { IRIS_BLOCK = 16 };

/* Values over a band: c[0] + c[1] u + c[2] u^2, u from -1 to 1. */
struct iris_parabola {
    float c[3];
};

/* One step; over g where said so in transfer_single.c. */
struct iris_march_step {
    float x, near, dx; /* of the profile exp(-(x + (i - near) dx)^2) at grid point i,
                          near a whole number: that next to its centre */
    uint32_t from, to; /* grid points that the line reaches; equal: none */
    struct iris_parabola C, G;
    /* smooth: D = max(-C, (under E + phi G + clipped) / (under + a phi)) with
     * E = keep D' + trend (D' - D''), after D' and D'' were multiplied */
    float keep, trend, under, a;
    float now, before; /* what D' and D'' are multiplied by first */
    struct iris_parabola clipped;
    int plain; /* keep, now and before are 1, nothing is clipped */
};

struct iris_march {
    size_t steps;
    const struct iris_march_step *step; /* [steps], the first is the second of the ray */
    size_t blocks;
    const float *place; /* [blocks * 16] u */
    float *Q, *before;  /* [blocks * 16] zero, or what the first step of the ray gave */
    int32_t *last;      /* [blocks] the last step that was done to it; -1: none */
    float least;        /* excess above this cannot reach -C */
};

/* Bring all blocks to the last step. */
void iris_march_smooth(const struct iris_march *m);

#endif
