/* colours -- colour maps that run evenly from dark to bright, or from red over white
 * to blue.
 *
 *   source  ten samples each of matplotlib's viridis and inferno (N. Smith,
 *           S. van der Walt, E. Firing; CC0), joined by straight lines in sRGB;
 *           thirteen of a map made for this in CIELAB (D65): lightness falls evenly
 *           from 96 in the middle to 30 at both ends, of the hues 40 and 265
 *           degrees, whose chroma is the same on both sides and grows to three
 *           quarters of the way, as far as sRGB has both
 */
#ifndef IRIS_COLOURS_H
#define IRIS_COLOURS_H

#include "canvas.h"

enum iris_map { IRIS_VIRIDIS, IRIS_INFERNO, IRIS_RED_BLUE };

/* Steps of a map, one less where it has a middle; two maps and the greys fit into the palette of a
 * file. */
#define IRIS_MAP_STEPS 120

#define IRIS_BLACK    ((struct iris_colour){0, 0, 0})
#define IRIS_GREY     ((struct iris_colour){110, 110, 110})
#define IRIS_NO_VALUE ((struct iris_colour){176, 176, 176})

/*   in   place  0 to 1; beyond, the colour of that end; NaN: IRIS_NO_VALUE */
struct iris_colour iris_map_colour(enum iris_map map, double place);

#endif
