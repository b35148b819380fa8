/* canvas -- a picture in memory: rectangles and text.
 *
 * Pixels are counted from the top left corner, x to the right, y downwards.
 * What falls outside is cut off. Nothing is blended, so that a picture is a
 * function of its numbers to the bit.
 *
 *   lifetime  iris_canvas_init; iris_canvas_release, safe on zeroed and twice
 */
#ifndef IRIS_CANVAS_H
#define IRIS_CANVAS_H

#include <stddef.h>

#include "err.h"

struct iris_colour {
    unsigned char r, g, b;
};

struct iris_canvas {
    int width, height;
    struct iris_colour *pixel; /* [height][width] */
    int lacks_text;            /* there was no memory for one: iris_png_encode refuses it */
};

#define IRIS_CANVAS_MAX 16384 /* pixels of a side */

/* A white one.
 *
 *   return  IRIS_OK
 *           IRIS_E_IO    no memory
 *           IRIS_E_DATA  a side is not 1 to IRIS_CANVAS_MAX
 */
enum iris_status iris_canvas_init(struct iris_canvas *c, int width, int height,
                                  struct iris_err *err);
void iris_canvas_release(struct iris_canvas *c);

/* A filled rectangle, and the outline of one, which lies inside. */
void iris_canvas_fill(struct iris_canvas *c, int x, int y, int width, int height,
                      struct iris_colour colour);
void iris_canvas_frame(struct iris_canvas *c, int x, int y, int width, int height, int thick,
                       struct iris_colour colour);

/* Text, one line of UTF-8.
 *
 *   in   x, y  the top left corner of the first character's cell; of text that
 *              is turned (read upwards) the bottom left corner of the first
 *   in   zoom  pixels of the picture for one of the font, >= 1
 */
void iris_canvas_text(struct iris_canvas *c, int x, int y, const char *text, int zoom,
                      struct iris_colour colour);
void iris_canvas_text_up(struct iris_canvas *c, int x, int y, const char *text, int zoom,
                         struct iris_colour colour);

/* Length of a text in pixels. */
int iris_text_width(const char *text, int zoom);

#endif
