/* pngwrite -- a picture as the bytes of a PNG file.
 *
 * No clock and no text is in it: the same picture gives the same bytes with
 * the same libpng and zlib.
 */
#ifndef IRIS_PNGWRITE_H
#define IRIS_PNGWRITE_H

#include "buf.h"
#include "canvas.h"
#include "err.h"

/* Append the file. Up to 256 colours it has a palette, in the order in which
 * they are met.
 *
 *   return  IRIS_OK
 *           IRIS_E_IO  no memory, or c lacks_text, or libpng says why
 */
enum iris_status iris_png_encode(const struct iris_canvas *c, struct iris_buf *out,
                                 struct iris_err *err);

#endif
