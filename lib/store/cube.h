/* cube -- spectra on the sky, written as they come, as .npy or .fits.
 *
 * Calling sequence: open, any number of puts in any order, commit. Nothing has
 * the final name before commit (iris_outfile), and what was never put is 0.
 *
 * The cube is never held; commit takes up to 16 MiB. Velocity is the fastest
 * axis of a .npy file, as it is of what is put, and the slowest of a .fits
 * file. Spectra for .fits therefore wait behind the place of the images, in the
 * same file, and commit turns them: until then the file takes twice its final
 * size.
 *
 *   .npy           float32 (n_lines, n_lon, n_lat, n_v), as iris_npy_create
 *   .fits or .fit  as iris_fits_header; one image of a line after the other,
 *                  the first one in the primary HDU
 *
 * The same puts make the same bytes. One thread at a time for one cube.
 */
#ifndef IRIS_CUBE_H
#define IRIS_CUBE_H

#include <stddef.h>
#include <stdint.h>

#include "err.h"
#include "file.h"

/* Everything but the sizes is for .fits only. Pixel i of n carries the label
 * min + i * (max - min) / (n - 1); a single one min. */
struct iris_cube_law {
    size_t n_lines, n_lon, n_lat, n_v; /* each at least 1 */
    double lon_min, lon_max;           /* deg, as is lat; min < max where n > 1 */
    double lat_min, lat_max;
    double v_min, v_max;          /* km/s, positive towards the observer */
    const char *unit;             /* as iris_cube_unit; NULL: units of processing */
    const char *quantity;         /* "Trj"; NULL: not said */
    const double *rest_frequency; /* [n_lines] Hz, > 0; NULL: there is none */
    const char *const *line_name; /* [n_lines] "13CO 2-1" */
    double beam_fwhm;             /* deg; NaN: none */
    const char *const *history;   /* [n_history] free text, one record each */
    size_t n_history;
};

/* The FITS unit of a cube in suite_hyper.output_units.
 *
 *   in   kelvin  one unit of temperature of processing in K
 *
 *   return  "K", "Jy/sr", or NULL when only units of processing can say it
 */
const char *iris_cube_unit(const char *output_units, double kelvin);

/*   lifetime  zero-initialise or open; ended by commit or abort */
struct iris_cube {
    struct iris_outfile file;
    size_t n_lines, n_lon, n_lat, n_v;
    uint64_t spectra; /* where [line][lon][lat][v] begins */
    uint64_t *image;  /* [n_lines] where each line's image begins; NULL: .npy */
    uint64_t size;    /* of the finished file */
};

/*   in   path  its extension says the format
 *   in   law   not kept
 *
 *   return  IRIS_OK
 *           IRIS_E_USAGE  neither extension
 *           IRIS_E_DATA   a size that is 0 or too large, a label, frequency or
 *                         beam that cannot be
 *           IRIS_E_IO, IRIS_E_RETRY  as iris_outfile_open; no room
 *           in every failure nothing is left to end
 */
enum iris_status iris_cube_open(struct iris_cube *c, const char *path,
                                const struct iris_cube_law *law, struct iris_err *err);

/* The spectra of latitudes [lat0, lat0 + n_lat) at one longitude. A pixel that
 * is put again is replaced.
 *
 *   in   spectra  [n_lat][n_lines][n_v]; any value, also NaN
 *
 *   return  IRIS_OK
 *           IRIS_E_IO   cannot be written; abort is still to be called
 *           IRIS_E_BUG  outside of the cube; nothing was written
 */
enum iris_status iris_cube_put(struct iris_cube *c, size_t lon, size_t lat0, size_t n_lat,
                               const float *spectra, struct iris_err *err);

/* Publish.
 *
 *   return  IRIS_OK, IRIS_E_IO, IRIS_E_RETRY as iris_outfile_commit; the cube
 *           is ended in any case
 */
enum iris_status iris_cube_commit(struct iris_cube *c, struct iris_err *err);

/* Give up: nothing is left. Safe on a zeroed cube, after a failed open and
 * after commit. */
void iris_cube_abort(struct iris_cube *c);

#endif
