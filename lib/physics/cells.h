/* cells -- the gas cells of a snapshot, and the index that finds the nearest.
 *
 * Positions are relative to the galactic centre, unperturbed, in processing
 * units, double. The other fields of a cell are one record of 32 bytes, single
 * precision, in processing units.
 *
 * All of it is one block of memory without pointers inside, whose size depends
 * on the number of cells alone; so it can be placed in memory that processes
 * share. iris_cells_new takes it from the heap.
 *
 * After iris_cells_index the cells are in the order of a tree of boxes (see
 * cells.c) and order[] says which one each was in the file. Reading is thread
 * safe from then on.
 */
#ifndef IRIS_CELLS_H
#define IRIS_CELLS_H

#include <stddef.h>
#include <stdint.h>

#include "err.h"
#include "perturb.h"

struct iris_gas {
    float v[3]; /* velocity */
    float rho;  /* mass density */
    float T;    /* gas temperature, +inf above the cut */
    float x_H2; /* abundances per H nucleus */
    float x_CO;
    float T_dust;
};

struct iris_box {
    double lo[3], hi[3];
};

/* Eight boxes side by side: those of the nodes 8i to 8i + 7 of the tree. */
enum { IRIS_BOXES = 8 };
struct iris_boxes {
    double lo[3][IRIS_BOXES], hi[3][IRIS_BOXES];
};

/* What happens at the faces of the simulation's box. */
enum iris_faces {
    IRIS_FACES_OPEN, /* nothing beyond: the nearest cell is the nearest cell */
    IRIS_FACES_WRAP, /* periodic: images of the cells are cells too */
    IRIS_FACES_GUARD /* periodic, but wrapping was not asked for: a sample
                        whose nearest cell could be an image is an error */
};

struct iris_cells {
    size_t n;      /* 1 to 2^32 - 1 */
    size_t leaves; /* a power of two */
    enum iris_faces faces;
    struct iris_box box;     /* of the simulation, when faces is not OPEN */
    int closed[3];           /* axes whose faces are walls and never wrap */
    double *x, *y, *z;       /* [n] */
    struct iris_gas *gas;    /* [n] */
    uint32_t *order;         /* [n] index in file order */
    struct iris_boxes *node; /* of nodes 0 to 2 * leaves - 1; 1 is the root, 0 is not used */
    void *block;
};

/* Bytes of the block for n cells.
 *
 *   return  IRIS_OK, or IRIS_E_DATA when n is 0 or too large
 */
enum iris_status iris_cells_size(size_t n, size_t *bytes, struct iris_err *err);

/* Lay the arrays over a block of iris_cells_size bytes, aligned to 64. */
void iris_cells_place(struct iris_cells *c, void *block, size_t n);

/* A block from the heap, contents undefined, order[] counting up.
 *
 *   owns  the caller, iris_cells_release; safe on a zeroed struct and twice
 */
enum iris_status iris_cells_new(struct iris_cells *c, size_t n, struct iris_err *err);
void iris_cells_release(struct iris_cells *c);

/* Memory that is not of the heap. */
struct iris_memory {
    void *(*get)(void *self, size_t bytes); /* aligned to 64; NULL: there is none */
    void *self;
};

/* The same with a block that stays the giver's: iris_cells_release forgets it.
 *
 *   in   memory  NULL: iris_cells_new
 */
enum iris_status iris_cells_new_in(struct iris_cells *c, size_t n, const struct iris_memory *memory,
                                   struct iris_err *err);

/* Build the index: sort the cells into tree order, compute the boxes.
 *
 *   return  IRIS_OK
 *           IRIS_E_IO  no memory for a copy of the positions, 32 bytes a cell; c
 *                      is as before
 *   method  recursive median cuts of the longest axis of the actual extent
 */
enum iris_status iris_cells_index(struct iris_cells *c, struct iris_err *err);

/* A cell, possibly in a periodic image: it is at its position + shift. */
struct iris_nearest {
    size_t cell; /* in tree order */
    double shift[3];
    double d2; /* squared distance in the metric of the map, unscaled */
};

/* The cell nearest to q under the metric |M (q - x)| of a map.
 *
 *   in     q      in the frame of the cells, that is M^-1 applied already
 *   inout  found  found->cell is a guess to start from, any cell below n with
 *                 its shift; then the answer
 *
 *   return  IRIS_OK
 *           IRIS_E_DATA  faces are GUARD and an image could be nearer
 *   method  exact; equal distances go to the lowest index in file order
 */
enum iris_status iris_cells_nearest(const struct iris_cells *c, const struct iris_linear_map *map,
                                    const double q[3], struct iris_nearest *found,
                                    struct iris_err *err);

/* The sentence for faces that are GUARD; IRIS_E_DATA. */
enum iris_status iris_cells_fail_guard(struct iris_err *err);

/* The same as if the faces were open: only a cell in the box is found. */
size_t iris_cells_pivot(const struct iris_cells *c, const struct iris_linear_map *map,
                        const double q[3], size_t guess);

/* The box of a node of the tree. */
void iris_cells_box(const struct iris_cells *c, size_t node, struct iris_box *box);

#endif
