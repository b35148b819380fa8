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

#include "cells_law.h"
#include "num.h"

enum { ALIGN = 64, HUGE_PAGE = 2 << 20 };

static size_t
leaves_for(size_t n)
{
    size_t leaves = 1;

    while (n > leaves * IRIS_LEAF_CELLS)
        leaves *= 2;
    return leaves;
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
    size_t lo = iris_leaf_start(c, first), hi = iris_leaf_start(c, last),
           middle = (first + last) / 2;

    struct iris_box box = bounds(s + lo, hi - lo);

    set_box(c, node, &box);
    if (last - first == 1)
        return;
    select_item(s, lo, hi, iris_leaf_start(c, middle), longest_axis(&box));
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

size_t
iris_cells_pivot(const struct iris_cells *c, const struct iris_linear_map *map, const double q[3],
                 size_t guess)
{
    struct iris_best best = {guess, 0};

    best.d2 = iris_norm2(map, q[0] - c->x[guess], q[1] - c->y[guess], q[2] - c->z[guess]);
    iris_search(c, map, q, &best);
    return best.cell;
}

enum iris_status
iris_cells_fail_guard(struct iris_err *err)
{
    return iris_fail(
        err, IRIS_E_DATA,
        "the view reaches the face of a periodic box; set suite_hyper.periodic to true");
}

enum iris_status
iris_cells_nearest(const struct iris_cells *c, const struct iris_linear_map *map, const double q[3],
                   struct iris_nearest *found, struct iris_err *err)
{
    struct iris_best best;

    if (c->faces == IRIS_FACES_WRAP) {
        iris_nearest_wrapped(c, map, q, found);
        return IRIS_OK;
    }
    best.cell = found->cell;
    best.d2 = iris_norm2(map, q[0] - c->x[best.cell], q[1] - c->y[best.cell],
                         q[2] - c->z[best.cell]);
    iris_search(c, map, q, &best);
    *found = (struct iris_nearest){best.cell, {0, 0, 0}, best.d2};
    if (c->faces == IRIS_FACES_GUARD && iris_face_bound(c, map, q) <= best.d2)
        return iris_cells_fail_guard(err);
    return IRIS_OK;
}
