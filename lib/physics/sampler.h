/* sampler -- the fields of a snapshot at the samples of a view.
 *
 * Every sample takes all values of the nearest cell, which is an exact look-up
 * in the Voronoi mesh the simulation was run on. The perturbations act on the
 * query: sample positions are mapped back to the unperturbed box, so one index
 * serves every angle and every draw.
 *
 * The sampler is read only once made: any number of threads may use it.
 */
#ifndef IRIS_SAMPLER_H
#define IRIS_SAMPLER_H

#include <stddef.h>

#include "cells.h"
#include "err.h"
#include "perturb.h"
#include "view.h"

/* The channels of a physical tensor, in its order. */
enum iris_field {
    IRIS_V_R, /* velocity along the ray, positive towards the observer */
    IRIS_RHO,
    IRIS_T,
    IRIS_X_H2,
    IRIS_X_CO,
    IRIS_T_DUST,
    IRIS_FIELDS
};

struct iris_kernels;

struct iris_sampler {
    const struct iris_cells *cells;
    const struct iris_kernels *kernels; /* NULL: each sample for itself, by
                                           iris_cells_nearest; same answers */
    struct iris_view view;
    struct iris_linear_map map;
    double density; /* factor */
    double back[3]; /* scale^-1 M^-1 in the plane: [0] xx, [1] xy, [2] yy */
};

/* Kernels are NULL until the caller sets them.
 *
 *   in  cells  indexed; kept by reference, must outlive the sampler
 *   in  view   in the units of the cells
 */
void iris_sampler_init(struct iris_sampler *s, const struct iris_cells *cells,
                       const struct iris_view *view, const struct iris_perturbation *p);

/* The values a sample takes from its cell.
 *
 *   method  velocity: v . (observer - cell) / |observer - cell| with the
 *           perturbed cell position and velocity, in double
 */
void iris_sampler_look_up(const struct iris_sampler *s, const struct iris_nearest *found,
                          float value[IRIS_FIELDS]);

/* A part of the view: half-open index ranges. */
struct iris_tile {
    size_t r0, r1, lon0, lon1, lat0, lat1;
    size_t row; /* from a sample to the next of the same ray in an array; 0: just the
                   (lon1 - lon0) (lat1 - lat0) that lie between */
};

static inline size_t
iris_tile_row(const struct iris_tile *t)
{
    return t->row ? t->row : (t->lon1 - t->lon0) * (t->lat1 - t->lat0);
}

/* Sample a tile.
 *
 *   out  field  [IRIS_FIELDS] each NULL (not wanted) or an array
 *               [r1-r0][lon1-lon0][lat1-lat0], single precision; see row
 *
 *   return  IRIS_OK
 *           IRIS_E_DATA  the view reaches a guarded face; outputs undefined
 *           IRIS_E_IO    no memory for work space
 *   method  the nearest cell of each sample is exact, see iris_cells_nearest
 */
enum iris_status iris_sampler_tile(const struct iris_sampler *s, const struct iris_tile *tile,
                                   float *const field[IRIS_FIELDS], struct iris_err *err);

#endif
