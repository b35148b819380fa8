/* packet_work -- the work space of a packet, and the candidates of its blocks.
 * Private to packet*.c. */
#ifndef IRIS_PACKET_WORK_H
#define IRIS_PACKET_WORK_H

#include "packet_rays.h"
#include "simd.h"

enum {
    IRIS_PACKET_ROOM = 4096, /* candidates of a block */
    IRIS_PACKET_STRIP = 8    /* times 16 latitudes that are walked side by side */
};

struct iris_packet {
    const struct iris_sampler *s;
    const struct iris_kernels *kernels;
    float *const *field; /* of the whole tile */
    size_t stride[2];    /* in it, from one r to the next, from one lon */
    /* of a block of 16: [r][lon][lat], each row a line of the cache */
    _Alignas(64) float out[IRIS_FIELDS][IRIS_SIDE * IRIS_RAYS];
    size_t r0;           /* of the view, where the tile begins */
    size_t at;           /* of the rays in the fields */
    double r[IRIS_SIDE]; /* distances of the samples of a block of 16 */
    double kappa;        /* largest over smallest stretch of the map */
    double error;        /* of a sample's position, in the metric */
    size_t guess;
    struct iris_rays *rays; /* being worked on, of */
    struct iris_rays strip[IRIS_PACKET_STRIP];
    /* the block whose candidates were asked of the tree */
    double centre[3]; /* in the frame */
    double scale;
    float margin;
    struct iris_near near[IRIS_BLOCK_LEVELS];
    struct iris_near_runs runs;
};

/* Distance of a sample of the block of 16 that is being worked on. */
static inline double
iris_packet_r(const struct iris_packet *w, size_t r)
{
    return w->r[r % IRIS_SIDE];
}

/* A part of the block whose candidates were asked for, as kernels see it. */
void iris_packet_block(const struct iris_packet *w, const struct iris_block *b,
                       struct iris_near_block *out);

/* Fill near[b->level] with the candidates of a block.
 *
 *   return  0 when that cannot be done: cut it, or take samples one by one
 */
int iris_packet_candidates(struct iris_packet *w, const struct iris_block *b);

#endif
