/* brute -- the nearest cells of some places, by looking at every cell. */
#ifndef BRUTE_H
#define BRUTE_H

#include "cells.h"

struct brute_answer {
    double d2;
    uint32_t file; /* index in file order, the lowest of those that are as near */
};

/*   in   q  [n][3]  in the frame of the cells
 *   out  a  [n]
 */
void brute_nearest(const struct iris_cells *c, const struct iris_linear_map *map,
                   const double (*q)[3], size_t n, struct brute_answer *a);

#endif
