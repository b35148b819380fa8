/* colours -- colour maps that run evenly from dark to bright.
 *
 *   source  ten samples each of matplotlib's viridis and inferno (N. Smith,
 *           S. van der Walt, E. Firing; CC0), joined by straight lines in sRGB
 */
#ifndef IRIS_COLOURS_H
#define IRIS_COLOURS_H

#include "canvas.h"

enum iris_map { IRIS_VIRIDIS, IRIS_INFERNO };

/* Steps of a map; two maps and the greys fit into the palette of a file. */
#define IRIS_MAP_STEPS 120

#define IRIS_BLACK    ((struct iris_colour){0, 0, 0})
#define IRIS_GREY     ((struct iris_colour){110, 110, 110})
#define IRIS_NO_VALUE ((struct iris_colour){176, 176, 176})

/*   in   place  0 to 1; beyond, the colour of that end; NaN: IRIS_NO_VALUE */
struct iris_colour iris_map_colour(enum iris_map map, double place);

#endif
