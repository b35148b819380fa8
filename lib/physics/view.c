#include "view.h"

#include <math.h>

#include "elementary.h"

static const double pi = 3.14159265358979323846;

void
iris_view_init(struct iris_view *v, const struct iris_view_law *law, double jitter_r,
               double jitter_lon, double parsec)
{
    double rad = pi / 180, spin = law->spin;
    double shift = isnan(jitter_lon) ? 0 : jitter_lon * rad;
    double radius = (law->observer_radius + (isnan(jitter_r) ? 0 : jitter_r)) * parsec;

    v->theta = law->theta * rad;
    v->origin[0] = radius * iris_cos(v->theta);
    v->origin[1] = radius * iris_sin(v->theta);
    v->origin[2] = 0;
    v->r = (struct iris_axis){law->r_min * parsec, law->r_max * parsec, law->r_steps};
    v->lon = (struct iris_axis){spin * law->lon_min * rad + shift,
                                spin * law->lon_max * rad + shift, law->lon_steps};
    v->lat = (struct iris_axis){spin * law->lat_min * rad, spin * law->lat_max * rad,
                                law->lat_steps};
}

double
iris_axis_at(const struct iris_axis *a, size_t i)
{
    double step = iris_axis_step(a);

    if (2 * i < a->n)
        return a->first + (double)i * step;
    return a->last - (double)(a->n - 1 - i) * step;
}

double
iris_axis_step(const struct iris_axis *a)
{
    return a->n > 1 ? (a->last - a->first) / (double)(a->n - 1) : 0;
}

void
iris_view_lon(const struct iris_view *v, size_t j, double lon[2])
{
    double angle = pi + v->theta + iris_axis_at(&v->lon, j);

    lon[0] = iris_cos(angle);
    lon[1] = iris_sin(angle);
}

void
iris_view_lat(const struct iris_view *v, size_t k, double lat[2])
{
    double angle = iris_axis_at(&v->lat, k);

    lat[0] = iris_cos(angle);
    lat[1] = iris_sin(angle);
}

void
iris_view_direction(const struct iris_view *v, size_t j, size_t k, double direction[3])
{
    double lon[2], lat[2];

    iris_view_lon(v, j, lon);
    iris_view_lat(v, k, lat);
    direction[0] = lat[0] * lon[0];
    direction[1] = lat[0] * lon[1];
    direction[2] = lat[1];
}
