/* packet_rays -- the rays of a packet, 16 x 16 at most, and the blocks of
 * samples on them. Private to the sampler.
 *
 * The frame of some rays lies along the one in the middle: outward, across,
 * up. Lengths in it are those of the metric of the map, unscaled.
 */
#ifndef IRIS_PACKET_RAYS_H
#define IRIS_PACKET_RAYS_H

#include <stddef.h>

#include "nearest.h"
#include "sampler.h"

enum {
    IRIS_SIDE = IRIS_NEAR_SIDE,
    IRIS_RAYS = IRIS_SIDE * IRIS_SIDE,
    IRIS_RAY_GROUPS = IRIS_RAYS / IRIS_NEAR_RAYS,
    IRIS_BLOCK_LEVELS = 3 /* blocks of 16, 8, 4 on a side */
};

/* What the coordinates of some vectors lie between. */
struct iris_range {
    double lo[3], hi[3];
};

/* Part of some rays: samples [r, r + n_r) of rays [lon, ..) x [lat, ..); r
 * counts on, lon and lat from the first ray. */
struct iris_block {
    int level;
    size_t r, lon, lat;
    size_t n_r, n_lon, n_lat;
};

struct iris_rays {
    size_t lon0, lat0; /* of the view, where they begin */
    size_t n_lon, n_lat;
    double direction[3][IRIS_RAYS]; /* [lon][lat], exactly iris_view_direction's */
    double turn[3][3];              /* from the metric to the frame */
    double origin[3];               /* the observer, in the frame */
    /* directions in the frame, of 4 x 4 rays each; those beyond the edge repeated */
    double slope[IRIS_RAY_GROUPS][3][IRIS_NEAR_RAYS];
    struct iris_range range[IRIS_BLOCK_LEVELS][IRIS_RAY_GROUPS]; /* of these */
};

/* Rays lon0 .. lon0 + n_lon - 1, lat0 .. of the view. */
void iris_rays_set(struct iris_rays *rays, const struct iris_sampler *s, size_t lon0, size_t lat0,
                   size_t n_lon, size_t n_lat);

/* Where a block is among the blocks of its size; for the smallest, its group. */
size_t iris_block_place(const struct iris_block *b);

/* One of the eight parts of a block.
 *
 *   return  0 when there are no samples in it
 */
int iris_block_cut(const struct iris_block *b, int part, struct iris_block *out);

/* What the samples of a block lie between in the frame.
 *
 *   in  near, far  distance of the first and last sample
 *   in  error      to be added on all sides
 */
void iris_rays_hull(const struct iris_rays *rays, const struct iris_block *b, double near,
                    double far, double error, struct iris_range *hull);

#endif
