/* plot -- a panel of a picture: an array as colours, with axes and a bar.
 *
 * The panel is a box of the canvas: above the bar of colours with its numbers
 * and title, below it the image in a frame with ticks at round numbers, titles
 * of both axes left and below.
 */
#ifndef IRIS_PLOT_H
#define IRIS_PLOT_H

#include <stddef.h>

#include "buf.h"
#include "canvas.h"
#include "colours.h"
#include "err.h"
#include "stretch.h"

/* The numbers along a side: pixel i of n has its middle at first + i * step. */
struct iris_scale {
    double first, step;
    size_t n;
    const char *title;
};

/* A place that is marked with the sign of the Sun. */
struct iris_mark {
    double x, y; /* in the numbers of the axes; beyond the edges it is not drawn */
};

struct iris_panel {
    size_t nx, ny;
    const double *value; /* [ny][nx]; nx, ny may be less than x.n, y.n: then each
                            is for an equal part of them */
    struct iris_scale x, y;
    int x_leftwards; /* the values of x grow to the left */
    const char *title;
    struct iris_stretch stretch;
    enum iris_map map;
    const struct iris_mark *mark; /* [marks] */
    size_t marks;
};

struct iris_area {
    int x, y, width, height;
};

/* Where the image lies in the box of a panel, its frame not included.
 *
 *   return  0, or -1 when the box is too small for an image
 */
int iris_panel_image(const struct iris_area *box, int zoom, struct iris_area *image);

/* The height of a panel of that width whose image is a square. */
int iris_panel_height(int width, int zoom);

/* The least width of a panel. */
int iris_panel_least(int zoom);

/* Draw it. Values go up with y, and to the right or left with x; a value that
 * is not a number is grey, and says so when all are.
 *
 *   in   zoom  pixels for one of the font's
 *
 *   return  IRIS_OK
 *           IRIS_E_DATA  the box is too small, or an axis is not finite
 */
enum iris_status iris_panel_draw(struct iris_canvas *c, const struct iris_panel *p,
                                 const struct iris_area *box, int zoom, struct iris_err *err);

/* The bar above an image of that place, with numbers and title; nothing but the
 * title where there is nothing to show. It begins iris_bar_height above.
 *
 *   in   wide  what the title may be as wide as
 */
void iris_bar_draw(struct iris_canvas *c, const struct iris_panel *p, const struct iris_area *image,
                   const struct iris_area *wide, int zoom);
int iris_bar_height(int zoom);

/* Append a title, or what there is room for: its words become fewer, "..", and the unit
 * in brackets at its end stays.
 *
 *   in   glyphs  characters, of which a unit leaves some
 */
void iris_title_fit(const char *title, size_t glyphs, struct iris_buf *out);

/* The image alone, without frame. */
void iris_image_draw(struct iris_canvas *c, const struct iris_panel *p,
                     const struct iris_area *box);

#endif
