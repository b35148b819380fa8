/* font -- the letters that pictures are labelled with.
 *
 * A bitmap font of fixed width: ASCII, and the few other characters that
 * physical units need (superscripts, subscripts, degree, times, minus, the
 * Sun).
 *
 *   source  -Misc-Fixed-Medium-R-Normal--15-140-75-75-C-90-ISO10646-1, the font
 *           "9x15" of the X Window System (font-misc-misc), whose copyright line
 *           is "Public domain font.  Share and enjoy."
 */
#ifndef IRIS_FONT_H
#define IRIS_FONT_H

#include <stddef.h>

enum { IRIS_GLYPH_WIDTH = 9, IRIS_GLYPH_HEIGHT = 15, IRIS_GLYPH_BASE = 12 };

/* The next character of UTF-8 text as the rows of its picture, top first; bit
 * IRIS_GLYPH_WIDTH - 1 is the left one. What the font does not have is a
 * question mark.
 *
 *   inout  text  moved behind the character
 *   out    rows  [IRIS_GLYPH_HEIGHT]
 *
 *   return  0 at the end of the text, then rows is untouched
 */
int iris_font_next(const char **text, unsigned rows[IRIS_GLYPH_HEIGHT]);

/* How many characters a text has. */
size_t iris_font_count(const char *text);

#endif
