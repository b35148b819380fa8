/* How fast the fields at the samples of the main preset's view are found, for
 * the mock galaxy: nanoseconds a sample, values included. And are they right,
 * against a search of all cells? */
#include <math.h>
#include <stdint.h>

#include "bench.h"
#include "brute.h"
#include "cells.h"
#include "flann.h"
#include "mock.h"
#include "nearest_law.h"
#include "sampler.h"
#include "simd.h"
#include "view.h"

#define PARSEC 308567758128.0 /* in processing units */

enum { LON = 8, STEP = 8 }; /* longitudes of a tile; every STEP-th is measured */

struct scene {
    struct iris_cells cells;
    struct iris_sampler sampler;
    size_t tiles, samples; /* measured */
    float *memory, *field[IRIS_FIELDS];
};

/* ---- the scene ---- */

static void
take_cells(struct iris_cells *c, const struct iris_mock_cells *m, size_t first, size_t count)
{
    size_t i, at;
    int k;

    for (i = 0; i < count; i++) {
        const double *p = m->coordinates + 3 * i;
        double x[3];

        at = first + i;
        for (k = 0; k < 3; k++) {
            x[k] = (p[k] - IRIS_MOCK_BOX / 2) * 100 * PARSEC;
            c->gas[at].v[k] = (float)m->velocities[3 * i + (size_t)k];
        }
        c->x[at] = x[0];
        c->y[at] = x[1];
        c->z[at] = x[2];
        c->gas[at].rho = (float)m->density[i];
        c->gas[at].T = (float)m->internal_energy[i];
        c->gas[at].x_H2 = (float)m->abundances[3 * i];
        c->gas[at].x_CO = (float)m->abundances[3 * i + 2];
        c->gas[at].T_dust = (float)m->dust_temperature[i];
    }
}

static void
make_cells(struct iris_cells *c, size_t n)
{
    enum { MANY = 10000 };
    struct iris_mock_cells m;
    double *d = bench_need(malloc(13 * MANY * sizeof *d));
    size_t first;

    m.coordinates = d;
    m.velocities = d + 3 * MANY;
    m.density = d + 6 * MANY;
    m.internal_energy = d + 7 * MANY;
    m.masses = d + 8 * MANY;
    m.abundances = d + 9 * MANY;
    m.dust_temperature = d + 12 * MANY;
    m.ids = bench_need(malloc(MANY * sizeof *m.ids));
    if (iris_cells_new(c, n, NULL))
        bench_need(NULL);
    for (first = 0; first < n; first += MANY) {
        size_t count = n - first < MANY ? n - first : MANY;

        iris_mock_cells(1216, n, first, count, &m, NULL);
        take_cells(c, &m, first, count);
    }
    free(d);
    free(m.ids);
}

static void
make_view(struct scene *s, double scale, double skew)
{
    struct iris_view_law law = {.theta = 17,
                                .spin = -1,
                                .observer_radius = 8277,
                                .r_min = 8052,
                                .r_max = 8502,
                                .lon_min = -1.5,
                                .lon_max = 1.5,
                                .lat_min = -0.375,
                                .lat_max = 0.375,
                                .r_steps = 512,
                                .lon_steps = 512,
                                .lat_steps = 128};
    struct iris_perturbation p;
    struct iris_view view;
    size_t all, f;

    iris_perturb_none(&p);
    p.scale = scale;
    p.skew = skew;
    p.skew_angle = 30;
    iris_view_init(&view, &law, (double)NAN, (double)NAN, PARSEC);
    iris_sampler_init(&s->sampler, &s->cells, &view, &p);
    s->tiles = view.lon.n / LON / STEP;
    all = view.r.n * LON * view.lat.n;
    s->samples = s->tiles * all;
    s->memory = bench_need(aligned_alloc(64, IRIS_FIELDS * all * sizeof *s->memory));
    for (f = 0; f < IRIS_FIELDS; f++)
        s->field[f] = s->memory + f * all;
}

static struct iris_tile
tile_of(const struct scene *s, size_t i)
{
    const struct iris_view *v = &s->sampler.view;
    size_t lon = (i * STEP + STEP / 2) * LON;

    return (struct iris_tile){.r1 = v->r.n, .lon0 = lon, .lon1 = lon + LON, .lat1 = v->lat.n};
}

/* ---- the ways ---- */

static uint64_t
mix(uint64_t h, const float *x, size_t n)
{
    uint32_t bits;
    size_t i;

    for (i = 0; i < n; i++) {
        memcpy(&bits, x + i, sizeof bits);
        h = (h ^ bits) * UINT64_C(0x9E3779B97F4A7C15);
        h ^= h >> 29;
    }
    return h;
}

/* Seconds for all tiles; what was found goes into a hash. */
static double
by_sampler(struct scene *s, uint64_t *hash)
{
    size_t i, n = s->samples / s->tiles;
    double start, sum = 0;

    *hash = 0;
    for (i = 0; i < s->tiles; i++) {
        struct iris_tile t = tile_of(s, i);

        start = bench_now();
        if (iris_sampler_tile(&s->sampler, &t, s->field, NULL))
            bench_need(NULL);
        sum += bench_now() - start;
        *hash = mix(*hash, s->memory, IRIS_FIELDS * n);
    }
    return sum;
}

static void
flann_tile(struct scene *s, const struct iris_tile *t, const void *tree)
{
    const struct iris_view *v = &s->sampler.view;
    float value[IRIS_FIELDS] = {0};
    size_t i, j, k, at = 0;
    int f;

    for (i = t->r0; i < t->r1; i++) {
        struct iris_nearest found = {.cell = SIZE_MAX};

        for (j = t->lon0; j < t->lon1; j++) {
            for (k = t->lat0; k < t->lat1; k++, at++) {
                double d[3], q[3], r = iris_axis_at(&v->r, i);
                size_t cell;

                iris_view_direction(v, j, k, d);
                q[0] = v->origin[0] + r * d[0];
                q[1] = v->origin[1] + r * d[1];
                q[2] = v->origin[2] + r * d[2];
                cell = flann_nearest(tree, q);
                if (cell != found.cell) {
                    found.cell = cell;
                    iris_sampler_look_up(&s->sampler, &found, value);
                }
                for (f = 0; f < IRIS_FIELDS; f++)
                    s->field[f][at] = value[f];
            }
        }
    }
}

static double
by_flann(struct scene *s, const void *tree, uint64_t *hash)
{
    size_t i, n = s->samples / s->tiles;
    double start, sum = 0;

    *hash = 0;
    for (i = 0; i < s->tiles; i++) {
        struct iris_tile t = tile_of(s, i);

        start = bench_now();
        flann_tile(s, &t, tree);
        sum += bench_now() - start;
        *hash = mix(*hash, s->memory, IRIS_FIELDS * n);
    }
    return sum;
}

/* ---- the table ---- */

static void
line(const struct scene *s, const char *name, double seconds, double yardstick, int same)
{
    printf("  %-34s %8.1f ns  %7.1f x  %s\n", name, 1e9 * seconds / (double)s->samples,
           yardstick / seconds, same ? "same bytes" : "OTHER BYTES");
}

static void
compare(struct scene *s, const void *tree)
{
    double t[BENCH_REPEATS], yardstick;
    uint64_t hash, want;
    const struct iris_kernels *kernels;
    size_t k, i;

    for (i = 0; i < 3; i++)
        t[i] = by_flann(s, tree, &want);
    yardstick = bench_median(t, 3);
    line(s, "nanoflann, leaves of 10", yardstick, yardstick, 1);
    for (i = 0; i < 3; i++)
        t[i] = by_sampler(s, &hash);
    line(s, "iris_cells_nearest, warm start", bench_median(t, 3), yardstick, hash == want);
    for (k = 0; (kernels = iris_kernels_at(k)); k++) {
        char name[64];

        s->sampler.kernels = kernels;
        for (i = 0; i < BENCH_REPEATS; i++)
            t[i] = by_sampler(s, &hash);
        snprintf(name, sizeof name, "packets, %s", kernels->name);
        line(s, name, bench_median(t, BENCH_REPEATS), yardstick, hash == want);
    }
}

/* What cannot be undercut: 24 bytes a sample are written, in rows of 16
 * latitudes as they come of blocks of 16 samples on a side. */
static void
write_rows(struct scene *s)
{
    const struct iris_view *v = &s->sampler.view;
    float row[16] = {1};
    size_t i, j, k, r, f;

    for (i = 0; i < v->r.n; i += 16)
        for (k = 0; k < v->lat.n; k += 16)
            for (f = 0; f < IRIS_FIELDS; f++)
                for (r = i; r < i + 16; r++)
                    for (j = 0; j < LON; j++)
                        memcpy(s->field[f] + (r * LON + j) * v->lat.n + k, row, sizeof row);
}

static void
roofline(struct scene *s)
{
    double t[BENCH_REPEATS], start;
    size_t i;

    for (i = 0; i < BENCH_REPEATS; i++) {
        start = bench_now();
        write_rows(s);
        t[i] = bench_now() - start;
    }
    printf(
        "  roofline %.1f ns a sample: its 24 bytes, constant, written in rows of 64 bytes in the "
        "order of the blocks\n",
        1e9 * bench_median(t, BENCH_REPEATS) * (double)s->tiles / (double)s->samples);
}

/* ---- is it right? ---- */

enum { RANDOM_TILES = 200, RANDOM_OF_TILE = 50, RANDOM = RANDOM_TILES * RANDOM_OF_TILE };

/* Random samples of random tiles; which cell one takes is in its values. */
struct question {
    size_t lon[RANDOM_TILES], at[RANDOM]; /* first of a tile; index in its field */
    double q[RANDOM][3];
    struct brute_answer answer[RANDOM];
};

static size_t
draw(size_t below)
{
    static uint64_t state = 1216;
    uint64_t z = state += UINT64_C(0x9E3779B97F4A7C15);

    z = (z ^ (z >> 30)) * UINT64_C(0xBF58476D1CE4E5B9);
    z = (z ^ (z >> 27)) * UINT64_C(0x94D049BB133111EB);
    return (size_t)((z ^ (z >> 31)) % below);
}

static void
number_cells(struct iris_cells *c)
{
    size_t i;

    for (i = 0; i < c->n; i++) {
        c->gas[i].rho = (float)(c->order[i] % 4096);
        c->gas[i].T = (float)(c->order[i] / 4096);
    }
}

static void
ask(const struct scene *s, struct question *ask)
{
    const struct iris_view *v = &s->sampler.view;
    size_t i;

    for (i = 0; i < RANDOM_TILES; i++)
        ask->lon[i] = draw(v->lon.n - LON + 1);
    for (i = 0; i < RANDOM; i++) {
        size_t r = draw(v->r.n), lon = draw(LON), lat = draw(v->lat.n);
        double d[3], x[3];

        ask->at[i] = (r * LON + lon) * v->lat.n + lat;
        iris_view_direction(v, ask->lon[i / RANDOM_OF_TILE] + lon, lat, d);
        iris_ray_at(v->origin, iris_axis_at(&v->r, r), d, x);
        iris_map_back(&s->sampler.map, s->sampler.back, x, ask->q[i]);
    }
    brute_nearest(&s->cells, &s->sampler.map, (const double(*)[3])ask->q, RANDOM, ask->answer);
}

static size_t
count_right(const struct scene *s, const struct question *ask)
{
    const struct iris_view *v = &s->sampler.view;
    size_t i, right = 0;

    for (i = 0; i < RANDOM; i++) {
        size_t lon = ask->lon[i / RANDOM_OF_TILE], at = ask->at[i];
        struct iris_tile t = {.r1 = v->r.n, .lon0 = lon, .lon1 = lon + LON, .lat1 = v->lat.n};

        if (i % RANDOM_OF_TILE == 0 && iris_sampler_tile(&s->sampler, &t, s->field, NULL))
            bench_need(NULL);
        right += (size_t)s->field[IRIS_RHO][at] + 4096 * (size_t)s->field[IRIS_T][at] ==
                 ask->answer[i].file;
    }
    return right;
}

/* Under a map that stretches and turns; all levels of packets. */
static void
check_exact(struct scene *s)
{
    struct question *q = bench_need(malloc(sizeof *q));
    const struct iris_kernels *kernels;
    size_t k;

    free(s->memory);
    make_view(s, 0.7, 1.3);
    number_cells(&s->cells);
    ask(s, q);
    for (k = 0; (kernels = iris_kernels_at(k)); k++) {
        s->sampler.kernels = kernels;
        printf("  exact: %zu of %d, scale 0.7 and skew 1.3, packets, %s\n", count_right(s, q),
               RANDOM, kernels->name);
    }
    free(q);
}

static void
measure(size_t n)
{
    struct scene s = {0};
    double start, ours, theirs;
    size_t bytes = 0;
    void *tree;

    make_cells(&s.cells, n);
    start = bench_now();
    if (iris_cells_index(&s.cells, NULL))
        bench_need(NULL);
    ours = bench_now() - start;
    start = bench_now();
    tree = flann_new(s.cells.x, s.cells.y, s.cells.z, n);
    theirs = bench_now() - start;
    iris_cells_size(n, &bytes, NULL);
    make_view(&s, (double)NAN, (double)NAN);
    printf("%zu cells; %zu of the samples of 512 x 512 x 128\n", n, s.samples);
    printf(
        "  index: %.2f s, %.1f bytes a cell beside position and fields; nanoflann %.2f s, %.1f\n",
        ours, (double)bytes / (double)n - 56, theirs, (double)flann_bytes(tree) / (double)n);
    compare(&s, tree);
    roofline(&s);
    flann_free(tree);
    check_exact(&s);
    free(s.memory);
    iris_cells_release(&s.cells);
}

int
main(void)
{
    measure(20000);
    measure(200000);
    measure(2000000);
    if (bench_full())
        measure(20000000);
    return 0;
}
