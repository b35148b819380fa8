/* cells_law -- the search for the nearest cell of one sample, for this processor and
 * for GPUs. Private to the index and the samplers.
 *
 * A node's children are 2 node and 2 node + 1, leaf l is node leaves + l; see cells.c.
 */
#ifndef IRIS_CELLS_LAW_H
#define IRIS_CELLS_LAW_H

#include <math.h>
#include <string.h>

#include "both.h"
#include "cells.h"
#include "nearest_law.h"

enum { IRIS_LEAF_CELLS = 16 }; /* at most */

/* The first cell of a leaf. */
IRIS_BOTH size_t
iris_leaf_start(const struct iris_cells *c, size_t leaf)
{
    return (size_t)((uint64_t)leaf * c->n / c->leaves);
}

/* No cell in the box is nearer than this. Rounding is monotone, so without
 * skew the bound holds for the computed distances too. */
IRIS_BOTH double
iris_box_bound(const struct iris_cells *c, const struct iris_linear_map *m, size_t node,
               const double q[3])
{
    const struct iris_boxes *b = &c->node[node / IRIS_BOXES];
    size_t l = node % IRIS_BOXES;
    double d2 = 0;
    int k;

    for (k = 0; k < 3; k++) {
        double below = b->lo[k][l] - q[k], above = q[k] - b->hi[k][l];
        double d = below > above ? below : above;

        d = d > 0 ? d : 0;

        d2 += d * d;
    }
    return m->skewed ? d2 * m->min_norm2 * (1 - 1e-12) : d2;
}

struct iris_best {
    size_t cell;
    double d2;
};

IRIS_BOTH void
iris_scan_leaf(const struct iris_cells *c, const struct iris_linear_map *m, const double q[3],
               size_t leaf, struct iris_best *best)
{
    size_t lo = iris_leaf_start(c, leaf), n = iris_leaf_start(c, leaf + 1) - lo, i;
    double d2[IRIS_LEAF_CELLS];

    for (i = 0; i < n; i++)
        d2[i] = iris_norm2(m, q[0] - c->x[lo + i], q[1] - c->y[lo + i], q[2] - c->z[lo + i]);
    for (i = 0; i < n; i++) {
        if (d2[i] < best->d2 || (d2[i] == best->d2 && c->order[lo + i] < c->order[best->cell])) {
            best->d2 = d2[i];
            best->cell = lo + i;
        }
    }
}

IRIS_BOTH void
iris_search(const struct iris_cells *c, const struct iris_linear_map *m, const double q[3],
            struct iris_best *best)
{
    struct {
        size_t node;
        double bound;
    } stack[32]; /* one a level: there are 28 at most */
    size_t depth = 0, node = 1;
    double bound = iris_box_bound(c, m, 1, q);

    for (;;) {
        if (bound <= best->d2) {
            while (node < c->leaves) {
                size_t near = 2 * node, far = near + 1;
                double near_bound = iris_box_bound(c, m, near, q);
                double far_bound = iris_box_bound(c, m, far, q);

                if (far_bound < near_bound) {
                    double t = near_bound;

                    near_bound = far_bound;
                    far_bound = t;
                    near = far;
                    far = 2 * node;
                }
                if (far_bound <= best->d2) {
                    stack[depth].node = far;
                    stack[depth++].bound = far_bound;
                }
                if (near_bound > best->d2)
                    break;
                node = near;
            }
            if (node >= c->leaves)
                iris_scan_leaf(c, m, q, node - c->leaves, best);
        }
        if (!depth)
            return;
        node = stack[--depth].node;
        bound = stack[depth].bound;
    }
}

/* Squared distance from q, inside the box, to its nearest face. */
IRIS_BOTH double
iris_face_bound(const struct iris_cells *c, const struct iris_linear_map *m, const double q[3])
{
    double least = (double)INFINITY;
    int k;

    for (k = 0; k < 3; k++) {
        if (c->closed[k])
            continue;
        least = fmin(least, q[k] - c->box.lo[k]);
        least = fmin(least, c->box.hi[k] - q[k]);
    }
    if (least < 0)
        return -1;
    return least * least * m->min_norm2 * (1 - 1e-12);
}

/* How many boxes away an image can be and still be nearer than the best: one,
 * unless a skew makes far ones near. */
IRIS_BOTH int
iris_image_reach(const struct iris_cells *c, const struct iris_linear_map *m, double d2, int axis)
{
    double side = c->box.hi[axis] - c->box.lo[axis];

    if (c->closed[axis])
        return 0;
    if (!m->skewed || axis == 2)
        return 1;
    return 1 + (int)fmin(sqrt(d2 / m->min_norm2) / side, 99.0);
}

IRIS_BOTH void
iris_search_images(const struct iris_cells *c, const struct iris_linear_map *m, const double q[3],
                   struct iris_best *best, double shift[3])
{
    int n[3], step[3], k;

    for (k = 0; k < 3; k++)
        n[k] = iris_image_reach(c, m, best->d2, k);
    for (step[2] = -n[2]; step[2] <= n[2]; step[2]++) {
        for (step[1] = -n[1]; step[1] <= n[1]; step[1]++) {
            for (step[0] = -n[0]; step[0] <= n[0]; step[0]++) {
                double image[3], moved[3];
                struct iris_best b = *best;

                if (!step[0] && !step[1] && !step[2])
                    continue; /* the box itself */
                for (k = 0; k < 3; k++) {
                    image[k] = step[k] * (c->box.hi[k] - c->box.lo[k]);
                    moved[k] = q[k] - image[k];
                }
                iris_search(c, m, moved, &b);
                if (b.cell != best->cell || b.d2 < best->d2) {
                    *best = b;
                    memcpy(shift, image, sizeof image);
                }
            }
        }
    }
}

/* Periodic: bring q into the box, look there, then across the faces if one is
 * as near as the cell found. */
IRIS_BOTH void
iris_nearest_wrapped(const struct iris_cells *c, const struct iris_linear_map *m, const double q[3],
                     struct iris_nearest *found)
{
    double home[3], into[3], shift[3] = {0, 0, 0};
    struct iris_best best = {found->cell, 0};
    int k;

    for (k = 0; k < 3; k++) {
        double side = c->box.hi[k] - c->box.lo[k];

        into[k] = c->closed[k] ? 0 : side * floor((q[k] - c->box.lo[k]) / side);
        home[k] = q[k] - into[k];
    }
    best.d2 = iris_norm2(m, home[0] - c->x[best.cell], home[1] - c->y[best.cell],
                         home[2] - c->z[best.cell]);
    iris_search(c, m, home, &best);
    if (iris_face_bound(c, m, home) <= best.d2)
        iris_search_images(c, m, home, &best, shift);
    found->cell = best.cell;
    found->d2 = best.d2;
    for (k = 0; k < 3; k++)
        found->shift[k] = into[k] + shift[k];
}

#endif
