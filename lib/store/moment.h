/* moment -- maps of the lines of a cube: what is left of spectra when velocity is
 * summed over.
 *
 * Cubes are those of cube.h, of .npy or FITS. They are read in pieces, so memory grows
 * with the map and not with the cube.
 */
#ifndef IRIS_MOMENT_H
#define IRIS_MOMENT_H

#include <stddef.h>

#include "err.h"
#include "npy.h"
#include "plot.h"
#include "subject.h"

/* A cube, open for reading. */
struct iris_cube_reader {
    char *path;
    size_t n_lines, n_lon, n_lat, n_v;
    struct iris_scale lon, lat, v; /* deg, km/s; pixels where nothing is known */
    int channels;                  /* velocities are not known: their numbers */
    double factor;                 /* from the values in the file to the unit */
    const char *name;              /* of the sum over velocities */
    char unit[80];                 /* its unit */
    struct iris_npy npy;
    void *fits; /* NULL: .npy */
    int *hdu;   /* [n_lines] */
};

/* Axes and units of FITS are those of its header, of .npy those of a subject.
 *
 *   return  IRIS_OK
 *           IRIS_E_DATA  not a cube, or not of the shape that the settings give
 *           IRIS_E_IO    missing or unreadable
 *   owns    iris_cube_close; safe after failure and twice
 */
enum iris_status iris_cube_read_npy(const char *path, const struct iris_subject *s,
                                    struct iris_cube_reader *c, struct iris_err *err);
enum iris_status iris_cube_read_fits(const char *path, struct iris_cube_reader *c,
                                     struct iris_err *err);
void iris_cube_close(struct iris_cube_reader *c);

#define IRIS_MOMENTS      3
#define IRIS_MOMENT_LEAST 0.01 /* of the largest moment 0, for the others */

struct iris_moment_maps {
    size_t nx, ny;             /* longitudes, latitudes; see iris_raster_read */
    double *map[IRIS_MOMENTS]; /* [ny][nx] */
    char line[80];             /* its name; "": not known */
};

/* The maps of a line.
 *
 *   in   max_x, max_y  where there are more pixels than these, neighbours are summed
 *                      up before
 *
 *   return  IRIS_OK, IRIS_E_DATA or IRIS_E_IO
 *   owns    iris_moment_maps_release; safe after failure
 *   method  of T, the value of a channel at v of the width dv: 0 is the sum of T dv;
 *           1 the mean of v weighted with T, 2 the root of the weighted variance.
 *           Channels that are not finite do not count. 1 and 2 are not a number where
 *           0 is below IRIS_MOMENT_LEAST of its largest, or is not above 0; and 2
 *           where the variance is negative
 */
enum iris_status iris_moment_maps_make(const struct iris_cube_reader *c, size_t line, size_t max_x,
                                       size_t max_y, struct iris_moment_maps *m,
                                       struct iris_err *err);
void iris_moment_maps_release(struct iris_moment_maps *m);

#endif
