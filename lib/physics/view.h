/* view -- the grid of samples that an observer in the plane sees.
 *
 * The observer stands at radius R and angle theta (counter-clockwise from +x)
 * in the plane z = 0 of a box whose origin is the galactic centre. Rays leave
 * him on a grid of longitudes and latitudes; each ray has samples at equal
 * steps of distance r. Sample (i, j, k) is at distance i, longitude j,
 * latitude k; arrays of samples are C order [r][lon][lat].
 *
 * Lengths are in the unit the caller gives, angles in rad. Only plain
 * arithmetic; thread safe.
 */
#ifndef IRIS_VIEW_H
#define IRIS_VIEW_H

#include <stddef.h>

/* n numbers from first to last, both included. */
struct iris_axis {
    double first, last;
    size_t n;
};

struct iris_view {
    struct iris_axis r, lon, lat;
    double theta;
    double origin[3]; /* the observer */
};

/* What a view is made of, in the units of the settings. */
struct iris_view_law {
    double theta;            /* deg */
    int spin;                /* +1, or -1: seen upside-down */
    double observer_radius;  /* pc */
    double r_min, r_max;     /* pc */
    double lon_min, lon_max; /* deg */
    double lat_min, lat_max; /* deg */
    size_t r_steps, lon_steps, lat_steps;
};

/*   in   jitter_r    pc, added to the observer's radius; NaN: none
 *   in   jitter_lon  deg, added to both longitudes after spin; NaN: none
 *   in   parsec      one parsec in the wanted unit of length
 *   source  reference: angles times spin, then jitter
 */
void iris_view_init(struct iris_view *v, const struct iris_view_law *law, double jitter_r,
                    double jitter_lon, double parsec);

/* Value i of an axis; exact at both ends. */
double iris_axis_at(const struct iris_axis *a, size_t i);

/* Distance between neighbours; 0 for an axis of one value. */
double iris_axis_step(const struct iris_axis *a);

/* The unit vector of ray (lon j, lat k): sample i is at
 * origin + iris_axis_at(r, i) * direction. */
void iris_view_direction(const struct iris_view *v, size_t j, size_t k, double direction[3]);

/* What it is made of: cosine and sine of the angle of lon j in the plane, and of lat k;
 * the vector is (lat[0] lon[0], lat[0] lon[1], lat[1]). */
void iris_view_lon(const struct iris_view *v, size_t j, double lon[2]);
void iris_view_lat(const struct iris_view *v, size_t k, double lat[2]);

#endif
