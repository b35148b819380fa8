/* The tree is implicit. The cells are cut at the median of the longest axis,
 * again and again, into a power-of-two number of leaves of at most 16 cells;
 * the order of the array is the tree. Leaf l holds the cells from l*n/leaves
 * to (l+1)*n/leaves; node i has the children 2i and 2i+1; the leaves are the
 * nodes from `leaves` on. Nothing but a box is stored for a node. */
#include "cells.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>

#include "nearest_law.h"
#include "num.h"

enum { LEAF_CELLS = 16, ALIGN = 64, HUGE_PAGE = 2 << 20 };

static size_t
leaves_for(size_t n)
{
    size_t leaves = 1;

    while (n > leaves * LEAF_CELLS)
        leaves *= 2;
    return leaves;
}

static size_t
leaf_start(const struct iris_cells *c, size_t leaf)
{
    return (size_t)((uint64_t)leaf * c->n / c->leaves);
}

/* Groups of boxes of a tree. */
static size_t
groups_for(size_t leaves)
{
    return (2 * leaves + IRIS_BOXES - 1) / IRIS_BOXES;
}

static size_t
padded(size_t bytes)
{
    return (bytes + ALIGN - 1) / ALIGN * ALIGN;
}

enum iris_status
iris_cells_size(size_t n, size_t *bytes, struct iris_err *err)
{
    if (n < 1 || n > UINT32_MAX)
        return iris_fail(err, IRIS_E_DATA, "cannot hold %zu cells: need 1 to %u", n, UINT32_MAX);
    *bytes = 3 * padded(n * sizeof(double)) + padded(n * sizeof(struct iris_gas)) +
             padded(n * sizeof(uint32_t)) + groups_for(leaves_for(n)) * sizeof(struct iris_boxes);
    return IRIS_OK;
}

void
iris_cells_place(struct iris_cells *c, void *block, size_t n)
{
    char *p = block;

    c->n = n;
    c->leaves = leaves_for(n);
    c->x = (double *)(void *)p;
    c->y = (double *)(void *)(p += padded(n * sizeof(double)));
    c->z = (double *)(void *)(p += padded(n * sizeof(double)));
    c->gas = (struct iris_gas *)(void *)(p += padded(n * sizeof(double)));
    c->order = (uint32_t *)(void *)(p += padded(n * sizeof(struct iris_gas)));
    c->node = (struct iris_boxes *)(void *)(p + padded(n * sizeof(uint32_t)));
}

enum iris_status
iris_cells_new_in(struct iris_cells *c, size_t n, const struct iris_memory *memory,
                  struct iris_err *err)
{
    enum iris_status st;
    size_t bytes = 0, i;
    void *block;

    *c = (struct iris_cells){0};
    st = iris_cells_size(n, &bytes, err);
    if (st)
        return st;
    if (memory)
        block = memory->get(memory->self, bytes);
    else if (posix_memalign(&block, bytes < HUGE_PAGE ? ALIGN : HUGE_PAGE, bytes))
        block = NULL;
    if (!block)
        return iris_fail(err, IRIS_E_IO, "no memory for %zu cells (%zu bytes)", n, bytes);
    /* sampling jumps about; whether it may be had or not is all the same */
    if (!memory && bytes >= HUGE_PAGE)
        madvise(block, bytes / HUGE_PAGE * HUGE_PAGE, MADV_HUGEPAGE);
    iris_cells_place(c, block, n);
    c->block = memory ? NULL : block;
    for (i = 0; i < n; i++)
        c->order[i] = (uint32_t)i;
    return IRIS_OK;
}

enum iris_status
iris_cells_new(struct iris_cells *c, size_t n, struct iris_err *err)
{
    return iris_cells_new_in(c, n, NULL, err);
}

void
iris_cells_release(struct iris_cells *c)
{
    free(c->block);
    *c = (struct iris_cells){0};
}

/* A position on its way into tree order. */
struct item {
    double p[3];
    uint32_t i;
};

static int
before(const struct item *a, const struct item *b, int axis)
{
    return a->p[axis] < b->p[axis] || (a->p[axis] == b->p[axis] && a->i < b->i);
}

static void
swap(struct item *a, struct item *b)
{
    struct item t = *a;

    *a = *b;
    *b = t;
}

/* Put item k of the sorted range at its place, smaller ones left of it. */
static void
select_item(struct item *s, size_t lo, size_t hi, size_t k, int axis)
{
    while (hi - lo > 1) {
        size_t mid = lo + (hi - lo) / 2, i = lo, j = hi - 1;
        struct item pivot;

        if (before(&s[mid], &s[lo], axis))
            swap(&s[mid], &s[lo]);
        if (before(&s[hi - 1], &s[mid], axis)) {
            swap(&s[hi - 1], &s[mid]);
            if (before(&s[mid], &s[lo], axis))
                swap(&s[mid], &s[lo]);
        }
        pivot = s[mid];
        for (;;) {
            while (before(&s[i], &pivot, axis))
                i++;
            while (before(&pivot, &s[j], axis))
                j--;
            if (i >= j)
                break;
            swap(&s[i++], &s[j--]);
        }
        /* i is the first index of the right part */
        if (k < i)
            hi = i;
        else
            lo = i;
    }
}

static struct iris_box
bounds(const struct item *s, size_t n)
{
    struct iris_box b;
    size_t i;
    int k;

    for (k = 0; k < 3; k++)
        b.lo[k] = b.hi[k] = s[0].p[k];
    for (i = 1; i < n; i++) {
        for (k = 0; k < 3; k++) {
            b.lo[k] = s[i].p[k] < b.lo[k] ? s[i].p[k] : b.lo[k];
            b.hi[k] = s[i].p[k] > b.hi[k] ? s[i].p[k] : b.hi[k];
        }
    }
    return b;
}

static int
longest_axis(const struct iris_box *b)
{
    int k, axis = 0;

    for (k = 1; k < 3; k++) {
        if (b->hi[k] - b->lo[k] > b->hi[axis] - b->lo[axis])
            axis = k;
    }
    return axis;
}

void
iris_cells_box(const struct iris_cells *c, size_t node, struct iris_box *box)
{
    const struct iris_boxes *b = &c->node[node / IRIS_BOXES];
    int k;

    for (k = 0; k < 3; k++) {
        box->lo[k] = b->lo[k][node % IRIS_BOXES];
        box->hi[k] = b->hi[k][node % IRIS_BOXES];
    }
}

static void
set_box(struct iris_cells *c, size_t node, const struct iris_box *box)
{
    struct iris_boxes *b = &c->node[node / IRIS_BOXES];
    int k;

    for (k = 0; k < 3; k++) {
        b->lo[k][node % IRIS_BOXES] = box->lo[k];
        b->hi[k][node % IRIS_BOXES] = box->hi[k];
    }
}

/* Node `node` holds the leaves [first, last); depth is at most 29. */
static void
cut(struct iris_cells *c, struct item *s, size_t node, size_t first, size_t last)
{
    size_t lo = leaf_start(c, first), hi = leaf_start(c, last), middle = (first + last) / 2;

    struct iris_box box = bounds(s + lo, hi - lo);

    set_box(c, node, &box);
    if (last - first == 1)
        return;
    select_item(s, lo, hi, leaf_start(c, middle), longest_axis(&box));
    cut(c, s, 2 * node, first, middle);
    cut(c, s, 2 * node + 1, middle, last);
}

enum iris_status
iris_cells_index(struct iris_cells *c, struct iris_err *err)
{
    struct item *s = malloc(c->n * sizeof *s);
    struct iris_gas *gas = (struct iris_gas *)(void *)s;
    size_t i;

    _Static_assert(sizeof *gas <= sizeof *s, "the copy of the one serves as a copy of the other");
    if (!s)
        return iris_fail(err, IRIS_E_IO, "no memory to index %zu cells", c->n);
    for (i = 0; i < c->n; i++)
        s[i] = (struct item){{c->x[i], c->y[i], c->z[i]}, (uint32_t)i};
    cut(c, s, 1, 0, c->leaves);
    for (i = 0; i < c->n; i++) {
        c->x[i] = s[i].p[0];
        c->y[i] = s[i].p[1];
        c->z[i] = s[i].p[2];
        c->order[i] = s[i].i;
    }
    memcpy(gas, c->gas, c->n * sizeof *gas);
    for (i = 0; i < c->n; i++)
        c->gas[i] = gas[c->order[i]];
    free(s);
    return IRIS_OK;
}

/* No cell in the box is nearer than this. Rounding is monotone, so without
 * skew the bound holds for the computed distances too. */
static double
box_bound(const struct iris_cells *c, const struct iris_linear_map *m, size_t node,
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

struct best {
    size_t cell;
    double d2;
};

static void
scan_leaf(const struct iris_cells *c, const struct iris_linear_map *m, const double q[3],
          size_t leaf, struct best *best)
{
    size_t lo = leaf_start(c, leaf), n = leaf_start(c, leaf + 1) - lo, i;
    double d2[LEAF_CELLS];

    for (i = 0; i < n; i++)
        d2[i] = iris_norm2(m, q[0] - c->x[lo + i], q[1] - c->y[lo + i], q[2] - c->z[lo + i]);
    for (i = 0; i < n; i++) {
        if (d2[i] < best->d2 || (d2[i] == best->d2 && c->order[lo + i] < c->order[best->cell])) {
            best->d2 = d2[i];
            best->cell = lo + i;
        }
    }
}

static void
search(const struct iris_cells *c, const struct iris_linear_map *m, const double q[3],
       struct best *best)
{
    struct {
        size_t node;
        double bound;
    } stack[64];
    size_t depth = 0, node = 1;
    double bound = box_bound(c, m, 1, q);

    for (;;) {
        if (bound <= best->d2) {
            while (node < c->leaves) {
                size_t near = 2 * node, far = near + 1;
                double near_bound = box_bound(c, m, near, q);
                double far_bound = box_bound(c, m, far, q);

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
                scan_leaf(c, m, q, node - c->leaves, best);
        }
        if (!depth)
            return;
        node = stack[--depth].node;
        bound = stack[depth].bound;
    }
}

size_t
iris_cells_pivot(const struct iris_cells *c, const struct iris_linear_map *map, const double q[3],
                 size_t guess)
{
    struct best best = {guess, 0};

    best.d2 = iris_norm2(map, q[0] - c->x[guess], q[1] - c->y[guess], q[2] - c->z[guess]);
    search(c, map, q, &best);
    return best.cell;
}

/* Squared distance from q, inside the box, to its nearest face. */
static double
face_bound(const struct iris_cells *c, const struct iris_linear_map *m, const double q[3])
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
static int
reach(const struct iris_cells *c, const struct iris_linear_map *m, double d2, int axis)
{
    double side = c->box.hi[axis] - c->box.lo[axis];

    if (c->closed[axis])
        return 0;
    if (!m->skewed || axis == 2)
        return 1;
    return 1 + (int)fmin(sqrt(d2 / m->min_norm2) / side, 99);
}

static void
search_images(const struct iris_cells *c, const struct iris_linear_map *m, const double q[3],
              struct best *best, double shift[3])
{
    int n[3], step[3], k;

    for (k = 0; k < 3; k++)
        n[k] = reach(c, m, best->d2, k);
    for (step[2] = -n[2]; step[2] <= n[2]; step[2]++) {
        for (step[1] = -n[1]; step[1] <= n[1]; step[1]++) {
            for (step[0] = -n[0]; step[0] <= n[0]; step[0]++) {
                double image[3], moved[3];
                struct best b = *best;

                if (!step[0] && !step[1] && !step[2])
                    continue; /* the box itself */
                for (k = 0; k < 3; k++) {
                    image[k] = step[k] * (c->box.hi[k] - c->box.lo[k]);
                    moved[k] = q[k] - image[k];
                }
                search(c, m, moved, &b);
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
static void
nearest_wrapped(const struct iris_cells *c, const struct iris_linear_map *m, const double q[3],
                struct iris_nearest *found)
{
    double home[3], into[3], shift[3] = {0, 0, 0};
    struct best best = {found->cell, 0};
    int k;

    for (k = 0; k < 3; k++) {
        double side = c->box.hi[k] - c->box.lo[k];

        into[k] = c->closed[k] ? 0 : side * floor((q[k] - c->box.lo[k]) / side);
        home[k] = q[k] - into[k];
    }
    best.d2 = iris_norm2(m, home[0] - c->x[best.cell], home[1] - c->y[best.cell],
                         home[2] - c->z[best.cell]);
    search(c, m, home, &best);
    if (face_bound(c, m, home) <= best.d2)
        search_images(c, m, home, &best, shift);
    found->cell = best.cell;
    found->d2 = best.d2;
    for (k = 0; k < 3; k++)
        found->shift[k] = into[k] + shift[k];
}

enum iris_status
iris_cells_nearest(const struct iris_cells *c, const struct iris_linear_map *map, const double q[3],
                   struct iris_nearest *found, struct iris_err *err)
{
    struct best best;

    if (c->faces == IRIS_FACES_WRAP) {
        nearest_wrapped(c, map, q, found);
        return IRIS_OK;
    }
    best.cell = found->cell;
    best.d2 = iris_norm2(map, q[0] - c->x[best.cell], q[1] - c->y[best.cell],
                         q[2] - c->z[best.cell]);
    search(c, map, q, &best);
    *found = (struct iris_nearest){best.cell, {0, 0, 0}, best.d2};
    if (c->faces == IRIS_FACES_GUARD && face_bound(c, map, q) <= best.d2)
        return iris_fail(
            err, IRIS_E_DATA,
            "the view reaches the face of a periodic box; set suite_hyper.periodic to true");
    return IRIS_OK;
}
