/* fits -- the headers of FITS images: of one line of a cube, of a map.
 *
 * A cube:
 *   axes   1 longitude, 2 latitude: GLON-CAR, GLAT-CAR in deg with their
 *          reference at 0, 0, where this projection is the labels themselves;
 *          3 VRAD in m/s, the labels of the channels, which are positive for
 *          gas that comes nearer; VRAD means the contrary, so a comment says it
 *   value  single precision, big-endian, BUNIT of the law
 *   name   EXTNAME is the line, also in the primary HDU
 *
 * A map has two axes that are linear, each with its own name and unit.
 *
 * Nothing in them depends on the day. SPECSYS is left out, and a comment says
 * why: no motion of the observer is modelled.
 *
 *   source  FITS Standard 4.0; Calabretta & Greisen 2002; Greisen et al. 2006
 */
#ifndef IRIS_FITS_H
#define IRIS_FITS_H

#include <stddef.h>

#include "buf.h"
#include "cube.h"
#include "err.h"

#define IRIS_FITS_BLOCK 2880

/* Append the header of a line: of the primary HDU for line 0, else of an IMAGE
 * extension, padded to whole blocks.
 *
 *   in   law  sizes at least 1; text beyond 68 characters is cut, what is not
 *             printable ASCII becomes a blank
 *
 *   return  IRIS_OK
 *           IRIS_E_DATA  labels that do not increase, a frequency or a beam
 *                        that is not positive
 *           IRIS_E_IO    no memory
 */
enum iris_status iris_fits_header(const struct iris_cube_law *law, size_t line,
                                  struct iris_buf *out, struct iris_err *err);

/* An axis: the middle of pixel i from 1 is at first + (i - 1) * step. */
struct iris_fits_axis {
    const char *type, *unit, *meaning; /* CTYPE, CUNIT, CNAME */
    double first, step;
    size_t n;
};

struct iris_fits_map {
    struct iris_fits_axis axis[2];
    const char *name; /* EXTNAME */
    const char *unit; /* BUNIT */
    const char *quantity;
    const char *const *comment, *const *history; /* [n_...], a record each or more */
    size_t n_comment, n_history;
};

/* The same for a map: of the primary HDU for extension 0. */
enum iris_status iris_fits_map_header(const struct iris_fits_map *map, size_t extension,
                                      struct iris_buf *out, struct iris_err *err);

/* Append values as FITS holds them, big-endian in single precision, padded to whole
 * blocks. */
void iris_fits_values(const double *v, size_t n, struct iris_buf *out);

#endif
