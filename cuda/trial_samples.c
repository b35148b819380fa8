#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "gpu.h"
#include "nearest_law.h"
#include "simd.h"
#include "trial.h"

struct samples {
    const struct trial_scene *scene;
    struct iris_tile tile;
    float *gpu, *cpu;     /* [fields][r][lon][lat] of the tile */
    size_t *other, *ties; /* [lon] of the tile */
};

static size_t
rays_of(const struct iris_tile *t)
{
    return (t->lon1 - t->lon0) * (t->lat1 - t->lat0);
}

static size_t
samples_of(const struct iris_tile *t)
{
    return (t->r1 - t->r0) * rays_of(t);
}

/* Whether another cell is as near as the nearest. Slow. */
static int
is_tie(const struct trial_scene *s, size_t r, size_t lon, size_t lat)
{
    const struct iris_sampler *p = &s->sampler;
    const struct iris_cells *c = p->cells;
    struct iris_nearest found = {0};
    double direction[3], x[3], q[3];
    size_t i, n = 0;

    iris_view_direction(&p->view, lon, lat, direction);
    iris_ray_at(p->view.origin, iris_axis_at(&p->view.r, r), direction, x);
    iris_map_back(&p->map, p->back, x, q);
    if (iris_cells_nearest(c, &p->map, q, &found, NULL))
        return 0;
    for (i = 0; i < c->n; i++)
        n += iris_norm2(&p->map, q[0] - c->x[i], q[1] - c->y[i], q[2] - c->z[i]) <= found.d2;
    return n > 1;
}

static int
same_bits(float a, float b)
{
    uint32_t x, y;

    memcpy(&x, &a, sizeof x);
    memcpy(&y, &b, sizeof y);
    return x == y;
}

/* One longitude of a tile: sampled here, and what is not the same. */
static void
compare_longitude(void *self, size_t i)
{
    enum { LOOKED_AT = 4 };
    struct samples *s = self;
    size_t n_lat = s->tile.lat1 - s->tile.lat0, all = samples_of(&s->tile), f, r, k;
    struct iris_tile t = s->tile;
    struct iris_sampler sampler = s->scene->sampler;
    float *field[IRIS_FIELDS];
    struct iris_err err = {0};

    t.lon0 += i;
    t.lon1 = t.lon0 + 1;
    t.row = rays_of(&s->tile);
    sampler.kernels = iris_kernels_best();
    for (f = 0; f < IRIS_FIELDS; f++)
        field[f] = s->cpu + f * all + i * n_lat;
    trial_must(iris_sampler_tile(&sampler, &t, field, &err), &err);
    for (r = 0; r < t.r1 - t.r0; r++) {
        for (k = 0; k < n_lat; k++) {
            size_t at = r * t.row + i * n_lat + k;
            int other = 0;

            for (f = 0; f < IRIS_FIELDS; f++)
                other |= !same_bits(s->gpu[f * all + at], s->cpu[f * all + at]);
            if (other && s->other[i]++ < LOOKED_AT)
                s->ties[i] += (size_t)is_tie(s->scene, t.r0 + r, t.lon0, t.lat0 + k);
        }
    }
}

void
trial_compare_tile(struct iris_gpu *gpu, const struct trial_scene *s, const struct iris_tile *t,
                   struct trial_tally *tally)
{
    size_t n_lon = t->lon1 - t->lon0, all = samples_of(t), f, i;
    struct samples k = {.scene = s, .tile = *t};
    float *field[IRIS_FIELDS];
    struct iris_err err = {0};

    k.gpu = trial_need(IRIS_FIELDS * all * sizeof *k.gpu);
    k.cpu = trial_need(IRIS_FIELDS * all * sizeof *k.cpu);
    k.other = trial_need(n_lon * sizeof *k.other);
    k.ties = trial_need(n_lon * sizeof *k.ties);
    for (f = 0; f < IRIS_FIELDS; f++)
        field[f] = k.gpu + f * all;
    trial_must(iris_gpu_tile(gpu, &s->sampler, t, field, &err), &err);
    trial_parallel(n_lon, compare_longitude, &k);
    tally->samples += all;
    for (i = 0; i < n_lon; i++) {
        tally->other += k.other[i];
        tally->ties += k.ties[i];
    }
    free(k.gpu);
    free(k.cpu);
    free(k.other);
    free(k.ties);
}
