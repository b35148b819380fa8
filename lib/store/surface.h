/* surface -- maps of the gas of a snapshot: mass per area, seen from above and from
 * the side.
 *
 * The cells are read in pieces and never held, so memory grows with the map alone.
 * Each is a cube of its volume (mass by density) with its sides along the axes, and
 * gives every pixel the part of its mass that lies over it: the mass of a map is
 * exactly that of the gas over it. Sums are taken in the order of the file.
 */
#ifndef IRIS_SURFACE_H
#define IRIS_SURFACE_H

#include <stddef.h>

#include "buf.h"
#include "err.h"
#include "hyper.h"

struct iris_surface {
    size_t n;                 /* pixels of a side */
    double half;              /* pc from the centre to every edge */
    double *above;            /* [n][n] Msun pc^-2: x to the right, y upwards */
    double *side;             /* [n][n] x to the right, z upwards; NULL: not made */
    size_t cells;             /* of the snapshot */
    double mass;              /* Msun, all of it */
    struct iris_buf warnings; /* lines */
};

/* Make the maps.
 *
 *   in   path  of the snapshot, or any file of a set
 *   in   s     centre, comoving and the parsec
 *   in   half  pc; 0: as much as has 99 % of the mass, up to the next round number
 *   in   n     pixels of a side
 *   in   side  whether it is seen from the side too
 *
 *   return  IRIS_OK, or as iris_snapshot_load; masses and densities must be there,
 *           and positive
 *   owns    iris_surface_release; safe after failure
 */
enum iris_status iris_surface_make(const char *path, const struct iris_settings *s, double half,
                                   size_t n, int side, struct iris_surface *m,
                                   struct iris_err *err);
void iris_surface_release(struct iris_surface *m);

#endif
