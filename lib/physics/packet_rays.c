#include "packet_rays.h"

#include <math.h>

static void
range_add(struct iris_range *r, const double x[3], int first)
{
    int k;

    for (k = 0; k < 3; k++) {
        r->lo[k] = first || x[k] < r->lo[k] ? x[k] : r->lo[k];
        r->hi[k] = first || x[k] > r->hi[k] ? x[k] : r->hi[k];
    }
}

size_t
iris_block_place(const struct iris_block *b)
{
    size_t side = (size_t)IRIS_SIDE >> b->level, per_side = IRIS_SIDE / side;

    return b->lon / side * per_side + b->lat / side;
}

/* A frame along the ray in the middle: outward, then across. */
static void
set_frame(struct iris_rays *rays, const struct iris_sampler *s)
{
    const struct iris_view *v = &s->view;
    double d[3], across, *e = rays->turn[0];
    int k, i;

    iris_view_direction(v, rays->lon0 + rays->n_lon / 2, rays->lat0 + rays->n_lat / 2, d);
    across = sqrt(d[0] * d[0] + d[1] * d[1]);
    for (k = 0; k < 3; k++)
        e[k] = d[k];
    rays->turn[1][0] = across > 0 ? -d[1] / across : 0;
    rays->turn[1][1] = across > 0 ? d[0] / across : 1;
    rays->turn[1][2] = 0;
    rays->turn[2][0] = -e[2] * rays->turn[1][1];
    rays->turn[2][1] = e[2] * rays->turn[1][0];
    rays->turn[2][2] = e[0] * rays->turn[1][1] - e[1] * rays->turn[1][0];
    for (k = 0; k < 3; k++) {
        rays->origin[k] = 0;
        for (i = 0; i < 3; i++)
            rays->origin[k] += rays->turn[k][i] * v->origin[i] / s->map.scale;
    }
}

/* Directions of the rays of a group, those beyond the edge repeated. */
static void
set_group(struct iris_rays *rays, const struct iris_sampler *s, size_t group)
{
    size_t lon0 = group / 4 * 4, lat0 = group % 4 * 4, l;
    struct iris_block b = {.level = IRIS_BLOCK_LEVELS - 1, .lon = lon0, .lat = lat0};
    int k, i, level;

    for (l = 0; l < IRIS_NEAR_RAYS; l++) {
        size_t lon = lon0 + l / 4, lat = lat0 + l % 4, ray;
        double d[3], turned[3];

        lon = lon < rays->n_lon ? lon : rays->n_lon - 1;
        lat = lat < rays->n_lat ? lat : rays->n_lat - 1;
        ray = lon * IRIS_SIDE + lat;
        for (k = 0; k < 3; k++)
            d[k] = rays->direction[k][ray] / s->map.scale;
        for (k = 0; k < 3; k++) {
            turned[k] = 0;
            for (i = 0; i < 3; i++)
                turned[k] += rays->turn[k][i] * d[i];
            rays->slope[group][k][l] = turned[k];
        }
        for (level = 0; level < IRIS_BLOCK_LEVELS; level++) {
            b.level = level;
            i = lon0 % ((size_t)IRIS_SIDE >> level) == 0 &&
                lat0 % ((size_t)IRIS_SIDE >> level) == 0 && !l;
            range_add(&rays->range[level][iris_block_place(&b)], turned, i);
        }
    }
}

void
iris_rays_set(struct iris_rays *rays, const struct iris_sampler *s, size_t lon0, size_t lat0,
              size_t n_lon, size_t n_lat)
{
    size_t j, k, group;

    rays->lon0 = lon0;
    rays->lat0 = lat0;
    rays->n_lon = n_lon;
    rays->n_lat = n_lat;
    for (j = 0; j < rays->n_lon; j++) {
        for (k = 0; k < rays->n_lat; k++) {
            double d[3];

            iris_view_direction(&s->view, rays->lon0 + j, rays->lat0 + k, d);
            rays->direction[0][j * IRIS_SIDE + k] = d[0];
            rays->direction[1][j * IRIS_SIDE + k] = d[1];
            rays->direction[2][j * IRIS_SIDE + k] = d[2];
        }
    }
    set_frame(rays, s);
    for (group = 0; group < IRIS_RAY_GROUPS; group++) {
        if (group / 4 * 4 < rays->n_lon && group % 4 * 4 < rays->n_lat)
            set_group(rays, s, group);
    }
}

void
iris_rays_hull(const struct iris_rays *rays, const struct iris_block *b, double near, double far,
               double error, struct iris_range *hull)
{
    const struct iris_range *d = &rays->range[b->level][iris_block_place(b)];
    int k, i;

    for (k = 0; k < 3; k++) {
        double p[4] = {near * d->lo[k], near * d->hi[k], far * d->lo[k], far * d->hi[k]};
        double lo = p[0], hi = p[0];

        for (i = 1; i < 4; i++) {
            lo = p[i] < lo ? p[i] : lo;
            hi = p[i] > hi ? p[i] : hi;
        }
        hull->lo[k] = rays->origin[k] + lo - error;
        hull->hi[k] = rays->origin[k] + hi + error;
    }
}

int
iris_block_cut(const struct iris_block *b, int part, struct iris_block *out)
{
    size_t half = ((size_t)IRIS_SIDE >> b->level) / 2;
    size_t r = part & 4 ? half : 0, lon = part & 2 ? half : 0, lat = part & 1 ? half : 0;

    out->level = b->level + 1;
    out->r = b->r + r;
    out->lon = b->lon + lon;
    out->lat = b->lat + lat;
    out->n_r = b->n_r <= r ? 0 : b->n_r - r < half ? b->n_r - r : half;
    out->n_lon = b->n_lon <= lon ? 0 : b->n_lon - lon < half ? b->n_lon - lon : half;
    out->n_lat = b->n_lat <= lat ? 0 : b->n_lat - lat < half ? b->n_lat - lat : half;
    return out->n_r && out->n_lon && out->n_lat;
}
