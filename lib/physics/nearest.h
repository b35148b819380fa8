/* nearest -- the hot loops of the search for the nearest cells of a block of
 * samples; see packet.c for what they are good for. Private to the sampler.
 *
 * Coordinates here are single precision, relative to the centre of a block, in
 * a frame turned along its rays, in the metric of the map, and in units of
 * about the block's size. They only ever sort out; `margin` bounds what their
 * rounding can do, and what they cannot tell apart is decided in double.
 */
#ifndef IRIS_NEAREST_H
#define IRIS_NEAREST_H

#include <stddef.h>
#include <stdint.h>

#include "cells.h"
#include "sampler.h"

enum {
    IRIS_NEAR_EDGE = 4, /* samples on a side of the smallest block */
    IRIS_NEAR_RAYS = IRIS_NEAR_EDGE * IRIS_NEAR_EDGE,
    IRIS_NEAR_SAMPLES = IRIS_NEAR_RAYS * IRIS_NEAR_EDGE,
    IRIS_NEAR_SIDE = 16, /* and on one of the largest */
    IRIS_NEAR_PAD = 16   /* entries behind the last that may be written and read */
};

/* Candidates: every cell that can be the nearest of some sample of a block.
 * Behind the last there are IRIS_NEAR_PAD infinitely far ones. */
struct iris_near {
    size_t n;
    float *x, *y, *z, *n2; /* position, and its square */
    uint32_t *cell;
};

/* Cells [first, last) in the order of the tree. */
struct iris_near_run {
    size_t first, last;
};

/* Some of them, in order. */
enum { IRIS_NEAR_RUNS = 512 };
struct iris_near_runs {
    size_t n;
    struct iris_near_run run[IRIS_NEAR_RUNS];
};

/* A block and a cell that competes for all of it, the pivot; in double, in the
 * frame along the block's rays. */
struct iris_near_contest {
    const struct iris_cells *cells;
    double turn[3][3];     /* from the box to the frame */
    double stretch[3][3];  /* absolute values of that */
    double slack;          /* rounding of where it puts a face of a box */
    double lo[3], hi[3];   /* of the block */
    double lo2[3], hi2[3]; /* squared distance of these from the pivot */
    double least;          /* what rounding can make of a sum of these that is 0 */
};

/* Ask the tree for the cells that the pivot may not beat everywhere.
 *
 *   return  0 when there are more than `room`, or too many runs
 */
typedef int iris_near_ask_fn(const struct iris_near_contest *contest, size_t room,
                             struct iris_near_runs *runs);

/* How cells become candidates: turn * (scale * (cell - centre)). */
struct iris_near_frame {
    const struct iris_cells *cells;
    double centre[3];
    double scale;
    float turn[3][3];
};

/* A block and a candidate that competes for all of it. */
struct iris_near_block {
    float centre[3];
    float span[3]; /* twice the half extents */
    float margin;
};

/* Put the cells of some runs that pivot does not beat everywhere into the
 * block, whose centre is 0.
 *
 *   in     pivot  [4] a candidate's x, y, z, n2
 *   inout  out    has room for all cells of the runs and IRIS_NEAR_PAD
 */
typedef void iris_near_pack_fn(const struct iris_near_frame *frame,
                               const struct iris_near_block *block, const float pivot[4],
                               const struct iris_near_runs *runs, struct iris_near *out);

/* Keep the candidates that are not beaten everywhere in a smaller block by the
 * nearest to its centre. */
typedef void iris_near_reduce_fn(const struct iris_near *in, const struct iris_near_block *block,
                                 struct iris_near *out);

/* The nearest candidate of 4 x 16 samples.
 *
 *   in   start   [3][16] position of each ray's first sample, times -2
 *   in   slope   [3][16] direction of each ray, times -2
 *   in   along   [4] distance from the first
 *   out  which   [4][16] index in near
 *   return       bit 16 i + l: sample (i, l) has another candidate as near
 *                within margin
 */
struct iris_near_rays {
    float start[3][IRIS_NEAR_RAYS], slope[3][IRIS_NEAR_RAYS];
    float along[IRIS_NEAR_EDGE];
};
typedef uint64_t iris_near_decide_fn(const struct iris_near *near,
                                     const struct iris_near_rays *rays, float margin,
                                     int32_t which[IRIS_NEAR_SAMPLES]);

/* What samples take from some cells.
 *
 *   in   n      up to IRIS_NEAR_SAMPLES
 *   out  value  [IRIS_FIELDS][IRIS_NEAR_SAMPLES]
 */
typedef void iris_near_values_fn(const struct iris_sampler *s, const uint32_t *cell, size_t n,
                                 float value[IRIS_FIELDS][IRIS_NEAR_SAMPLES]);

/* Spread values of cells over the samples of a block.
 *
 *   in   which   [4][16] index in value, below n
 *   out  out     the first of them in an array [IRIS_FIELDS][16][16][16]
 */
typedef void iris_near_spread_fn(float value[IRIS_FIELDS][IRIS_NEAR_SAMPLES], size_t n,
                                 const int32_t which[IRIS_NEAR_SAMPLES], float *out);

#endif
