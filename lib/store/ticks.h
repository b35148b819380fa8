/* ticks -- round numbers along an axis, and how they are written.
 *
 * Plain arithmetic; thread safe.
 */
#ifndef IRIS_TICKS_H
#define IRIS_TICKS_H

#include <stddef.h>

#include "stretch.h"

#define IRIS_TICKS     160
#define IRIS_TICK_TEXT 32

struct iris_tick {
    double value;
    double at;                  /* 0 to 1 along the axis */
    char label[IRIS_TICK_TEXT]; /* UTF-8; "" for a small tick */
};

/* What an axis has room for. */
struct iris_tick_room {
    double length; /* of the axis, in any unit */
    double glyph;  /* what each character of a label needs of it; 0: none, labels
                      lie across the axis */
    double gap;    /* what a label needs beside its characters */
};

/* Ticks from lo to hi of a stretch.
 *
 *   out  tick  [IRIS_TICKS]
 *
 *   return  how many, labelled and small ones; 0 where there is nothing to show
 *   method  linear: the least step of 1, 2, 5 times a power of ten whose labels
 *           fit. Logarithm and asinh: 0, the powers of ten from above, then 5
 *           and 2, then the other digits, each where it fits; a range that has
 *           fewer than two of these has the ticks of a linear one
 */
size_t iris_ticks(const struct iris_stretch *s, const struct iris_tick_room *room,
                  struct iris_tick tick[IRIS_TICKS]);

#endif
