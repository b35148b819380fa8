/* fits -- the header of one line of a cube as a FITS image.
 *
 *   axes   1 longitude, 2 latitude: GLON-CAR, GLAT-CAR in deg with their
 *          reference at 0, 0, where this projection is the labels themselves;
 *          3 VRAD in m/s, the labels of the channels, which are positive for
 *          gas that comes nearer; VRAD means the contrary, so a comment says it
 *   value  single precision, big-endian, BUNIT of the law
 *   name   EXTNAME is the line, also in the primary HDU
 *
 * Nothing in it depends on the day. SPECSYS is left out, and a comment says
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

#endif
