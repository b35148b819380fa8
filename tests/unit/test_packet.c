/* Samples in packets: every level gives the bytes of the search for each
 * sample, in any tiles; and these are right against a search of all cells. */
#include "check.h"

#include <stdint.h>

#include "cells.h"
#include "err.h"
#include "mock.h"
#include "random_case.h"
#include "sampler.h"
#include "simd.h"

/* ---- cells ---- */

enum cloud { EVEN, CLUMPS, COINCIDENT, LATTICE, GALAXY, CLOUDS };
static const char *const cloud_name[] = {"even", "in clumps", "three to a place", "on a lattice",
                                         "of the mock galaxy"};

/* Within 1 of the middle, but for the galaxy: 120, most within 3. */
static void
place(enum cloud cloud, size_t i, const struct iris_cells *c, double x[3])
{
    double depth = pow(10, -4 * uniform(0, 1));
    size_t to = i ? (size_t)uniform(0, (double)(i < 20 ? i : 20)) : 0;
    int k;

    for (k = 0; k < 3; k++) {
        x[k] = uniform(-1, 1);
        if (cloud == LATTICE)
            x[k] = floor(8 * x[k]) / 8;
    }
    if (cloud == CLUMPS && i) {
        x[0] = c->x[to] + depth * x[0];
        x[1] = c->y[to] + depth * x[1];
        x[2] = c->z[to] + depth * x[2];
    } else if (cloud == COINCIDENT && i % 3) {
        x[0] = c->x[i - 1];
        x[1] = c->y[i - 1];
        x[2] = c->z[i - 1];
    }
}

static void
place_galaxy(struct iris_cells *c)
{
    double *d = need(13 * c->n * sizeof *d);
    struct iris_mock_cells m = {.coordinates = d,
                                .velocities = d + 3 * c->n,
                                .density = d + 6 * c->n,
                                .internal_energy = d + 7 * c->n,
                                .masses = d + 8 * c->n,
                                .abundances = d + 9 * c->n,
                                .dust_temperature = d + 12 * c->n,
                                .ids = need(c->n * sizeof(uint64_t))};
    size_t i;

    if (iris_mock_cells(5, c->n, 0, c->n, &m, NULL))
        exit(1);
    for (i = 0; i < c->n; i++) {
        c->x[i] = d[3 * i] - IRIS_MOCK_BOX / 2;
        c->y[i] = d[3 * i + 1] - IRIS_MOCK_BOX / 2;
        c->z[i] = d[3 * i + 2] - IRIS_MOCK_BOX / 2;
    }
    free(m.ids);
    free(d);
}

static void
cells_make(struct iris_cells *c, enum cloud cloud, size_t n, double unit)
{
    size_t i;

    if (iris_cells_new(c, n, NULL))
        exit(1);
    if (cloud == GALAXY)
        place_galaxy(c);
    for (i = 0; i < n; i++) {
        double x[3] = {c->x[i], c->y[i], c->z[i]};

        if (cloud != GALAXY)
            place(cloud, i, c, x);
        c->x[i] = x[0];
        c->y[i] = x[1];
        c->z[i] = x[2];
        c->gas[i] = (struct iris_gas){
            {(float)uniform(-2, 2), (float)uniform(-2, 2), (float)uniform(-2, 2)},
            (float)(i % 4096),
            (float)(i / 4096),
            (float)uniform(0, 0.5),
            (float)uniform(0, 1e-4),
            (float)uniform(10, 40)};
    }
    for (i = 0; i < n; i++) {
        c->x[i] *= unit;
        c->y[i] *= unit;
        c->z[i] *= unit;
    }
    if (iris_cells_index(c, NULL))
        exit(1);
}

/* ---- samples ---- */

struct tensor {
    size_t count;
    float *memory, *field[IRIS_FIELDS];
    enum iris_status status;
};

static struct tensor
tensor_new(size_t count)
{
    struct tensor t = {.count = count, .memory = need(IRIS_FIELDS * count * sizeof(float))};
    size_t f;

    memset(t.memory, 0x7f, IRIS_FIELDS * count * sizeof(float));
    for (f = 0; f < IRIS_FIELDS; f++)
        t.field[f] = t.memory + f * count;
    return t;
}

static struct tensor
tensor_of(const struct iris_sampler *s)
{
    const struct iris_view *v = &s->view;
    struct iris_tile all = {.r1 = v->r.n, .lon1 = v->lon.n, .lat1 = v->lat.n};
    struct tensor t = tensor_new(v->r.n * v->lon.n * v->lat.n);

    t.status = iris_sampler_tile(s, &all, t.field, NULL);
    return t;
}

static size_t
least(size_t a, size_t b)
{
    return a < b ? a : b;
}

/* In tiles of some size, one longitude at a time when it is 1. */
static struct tensor
tensor_of_tiles(const struct iris_sampler *s, size_t size)
{
    const struct iris_view *v = &s->view;
    struct tensor t = tensor_new(v->r.n * v->lon.n * v->lat.n);
    struct tensor part = tensor_new(size * size * size);
    size_t i, j, f;
    struct iris_tile a = {0};

    for (a.r0 = 0; a.r0 < v->r.n && !t.status; a.r0 = a.r1) {
        a.r1 = least(a.r0 + size, v->r.n);
        for (a.lon0 = 0; a.lon0 < v->lon.n && !t.status; a.lon0 = a.lon1) {
            a.lon1 = least(a.lon0 + size, v->lon.n);
            for (a.lat0 = 0; a.lat0 < v->lat.n && !t.status; a.lat0 = a.lat1) {
                size_t n_lon = a.lon1 - a.lon0, n_lat;

                a.lat1 = least(a.lat0 + size, v->lat.n);
                n_lat = a.lat1 - a.lat0;
                t.status = iris_sampler_tile(s, &a, part.field, NULL);
                for (f = 0; f < IRIS_FIELDS; f++)
                    for (i = a.r0; i < a.r1; i++)
                        for (j = a.lon0; j < a.lon1; j++)
                            memcpy(t.field[f] + (i * v->lon.n + j) * v->lat.n + a.lat0,
                                   part.field[f] + ((i - a.r0) * n_lon + j - a.lon0) * n_lat,
                                   n_lat * sizeof(float));
            }
        }
    }
    free(part.memory);
    return t;
}

static int
same(const struct tensor *a, const struct tensor *b)
{
    return a->status == b->status &&
           (a->status || !memcmp(a->memory, b->memory, IRIS_FIELDS * a->count * sizeof(float)));
}

/* Every level against the search for each sample.
 *
 *   return  how many differ
 */
static int
compare(struct iris_sampler *s, size_t tile)
{
    struct tensor want, got, parts;
    int wrong = 0;
    size_t k;

    s->kernels = NULL;
    want = tensor_of(s);
    for (k = 0; (s->kernels = iris_kernels_at(k)); k++) {
        got = tensor_of(s);
        parts = tensor_of_tiles(s, tile);
        wrong += !same(&want, &got) + !same(&want, &parts);
        free(got.memory);
        free(parts.memory);
    }
    free(want.memory);
    return wrong;
}

/* ---- views ---- */

/* Of the middle, `wide` across, from a distance in units of that. */
static struct iris_view_law
law_random(double wide, double distance)
{
    double R = distance * wide, angle = wide / R * 180 / acos(-1);

    return (struct iris_view_law){.theta = uniform(0, 360),
                                  .spin = uniform(0, 1) < 0.5 ? -1 : 1,
                                  .observer_radius = R,
                                  .r_min = R - wide,
                                  .r_max = R + wide,
                                  .lon_min = -angle,
                                  .lon_max = angle,
                                  .lat_min = -0.6 * angle,
                                  .lat_max = 0.6 * angle,
                                  .r_steps = 2 + (size_t)uniform(0, 60),
                                  .lon_steps = 2 + (size_t)uniform(0, 40),
                                  .lat_steps = 2 + (size_t)uniform(0, 24)};
}

static struct iris_sampler
sampler_of(const struct iris_cells *c, const struct iris_view_law *law, double scale, double skew)
{
    struct iris_sampler s;
    struct iris_perturbation p;
    struct iris_view view;

    iris_perturb_none(&p);
    p.scale = scale;
    p.skew = skew;
    if (!isnan(skew))
        p.skew_angle = uniform(0, 360);
    iris_view_init(&view, law, (double)NAN, (double)NAN, 1);
    iris_sampler_init(&s, c, &view, &p);
    return s;
}

static void
test_clouds(void)
{
    static const struct {
        enum cloud cloud;
        size_t n;
        double unit;
    } skies[] = {{EVEN, 20000, 1},   {EVEN, 1, 1},          {EVEN, 2, 1},
                 {EVEN, 17, 1},      {CLUMPS, 20000, 3e16}, {CLUMPS, 300, 1e-9},
                 {LATTICE, 4000, 1}, {COINCIDENT, 3000, 1}, {GALAXY, 20000, 1},
                 {EVEN, 700, 1e-25}};
    static const double skews[] = {(double)NAN, 2, 0.4, 1}, scales[] = {1, 0.5, 1.37};
    size_t i, turn;

    for (i = 0; i < sizeof skies / sizeof skies[0]; i++) {
        struct iris_cells c;
        int wrong = 0;

        cells_make(&c, skies[i].cloud, skies[i].n, skies[i].unit);
        for (turn = 0; turn < 8; turn++) {
            double wide = skies[i].unit * pow(10, uniform(-3, 0.5));
            struct iris_view_law law = law_random(wide, turn % 5 ? uniform(2, 40) : 1);
            struct iris_sampler s = sampler_of(&c, &law, scales[turn % 3], skews[turn % 4]);

            wrong += compare(&s, 1 + turn % 12);
        }
        CHECK(!wrong, "%zu cells %s, in units of %g: %d tensors differ", skies[i].n,
              cloud_name[skies[i].cloud], skies[i].unit, wrong);
        iris_cells_release(&c);
    }
}

/* From so far that the samples lie on a lattice themselves: equal distances are
 * the rule, and single precision cannot tell much. */
static void
test_ties(void)
{
    struct iris_cells c;
    int power, wrong;

    cells_make(&c, LATTICE, 3000, 1);
    for (power = 35; power <= 55; power += 4) {
        struct iris_view_law law = law_random(1, ldexp(1, power));
        struct iris_sampler s;

        law.theta = 0;
        s = sampler_of(&c, &law, (double)NAN, (double)NAN);
        wrong = compare(&s, 7);
        CHECK(!wrong, "cells on a lattice seen from 2^%d: %d tensors differ", power, wrong);
    }
    iris_cells_release(&c);
}

static void
test_faces(void)
{
    static const enum iris_faces faces[] = {IRIS_FACES_WRAP, IRIS_FACES_GUARD};
    struct iris_cells c;
    int turn, f, k, wrong = 0;

    cells_make(&c, EVEN, 3000, 1);
    for (turn = 0; turn < 32; turn++) {
        double wide = pow(10, uniform(-1.5, 0.2));
        struct iris_view_law law = law_random(wide, uniform(2, 10));
        struct iris_sampler s = sampler_of(&c, &law, 1, turn % 3 ? (double)NAN : 1.7);

        for (f = 0; f < 2; f++) {
            c.faces = faces[f];
            for (k = 0; k < 3; k++) {
                c.box.lo[k] = -1;
                c.box.hi[k] = 1;
                c.closed[k] = turn % 8 == k;
            }
            wrong += compare(&s, 5);
        }
    }
    CHECK(!wrong, "near the faces of a box, periodic and guarded: %d tensors differ", wrong);
    iris_cells_release(&c);
}

/* ---- all cells ---- */

static long double
distance2(const struct iris_sampler *s, const struct iris_cells *c, const double x[3], size_t i)
{
    const struct iris_linear_map *m = &s->map;
    long double q[3] = {c->x[i], c->y[i], c->z[i]}, p[3], d, sum = 0;
    int k;

    p[0] = m->scale * (m->a * q[0] + m->b * q[1]);
    p[1] = m->scale * (m->b * q[0] + m->c * q[1]);
    p[2] = m->scale * q[2];
    for (k = 0; k < 3; k++) {
        d = x[k] - p[k];
        sum += d * d;
    }
    return sum;
}

/* How many of `tries` random samples have not the nearest of all cells. */
static int
count_wrong(struct iris_sampler *s, const uint32_t *where, int tries)
{
    const struct iris_view *v = &s->view;
    const struct iris_cells *c = s->cells;
    struct tensor t = tensor_of(s);
    int n, wrong = 0;

    for (n = 0; n < tries; n++) {
        size_t at = (size_t)uniform(0, (double)t.count), i;
        size_t mine = where[(size_t)t.field[IRIS_RHO][at] + 4096 * (size_t)t.field[IRIS_T][at]];
        double d[3], x[3], r = iris_axis_at(&v->r, at / (v->lon.n * v->lat.n));
        long double own, limit;
        int k;

        iris_view_direction(v, at / v->lat.n % v->lon.n, at % v->lat.n, d);
        for (k = 0; k < 3; k++)
            x[k] = v->origin[k] + r * d[k];
        own = distance2(s, c, x, mine);
        /* rounding of the sample's place, 1e-15 of some 100 */
        limit = (sqrtl(own) - 1e-12L) * (sqrtl(own) - 1e-12L);
        for (i = 0; i < c->n && sqrtl(own) > 1e-12L; i++)
            wrong += distance2(s, c, x, i) < limit;
    }
    free(t.memory);
    return wrong;
}

/* By the levels from `first` on. */
static void
test_all_cells(size_t n, size_t first, int tries)
{
    struct iris_view_law law = law_random(2.2, 37);
    uint32_t *where = need(n * sizeof *where);
    struct iris_cells c;
    size_t i, k;

    law.r_steps = law.lon_steps = 200;
    law.lat_steps = 60;
    cells_make(&c, GALAXY, n, 1);
    for (i = 0; i < n; i++)
        where[c.order[i]] = (uint32_t)i;
    for (k = first; iris_kernels_at(k); k++) {
        struct iris_sampler s = sampler_of(&c, &law, 0.9, k % 2 ? (double)NAN : 1.3);
        int wrong;

        s.kernels = iris_kernels_at(k);
        wrong = count_wrong(&s, where, tries);
        CHECK(!wrong, "%zu cells, %s: %d of %d samples have a nearer cell", n, s.kernels->name,
              wrong, tries);
    }
    iris_cells_release(&c);
    free(where);
}

static void
test_names(void)
{
    const struct iris_kernels *k = NULL;
    struct iris_err err = {0};

    CHECK(!iris_kernels_named("base", &k, &err) && k == iris_kernels_at(0), "base is always there");
    CHECK(!iris_kernels_named(iris_kernels_best()->name, &k, &err) && k == iris_kernels_best(),
          "the best is %s", iris_kernels_best()->name);
    CHECK(iris_kernels_named("sse9", &k, &err) == IRIS_E_USAGE && strstr(err.msg, "base"),
          "no other: %s", err.msg);
}

int
main(void)
{
    size_t levels;

    test_names();
    test_clouds();
    test_ties();
    test_faces();
    for (levels = 0; iris_kernels_at(levels);)
        levels++;
    (void)levels;
#ifdef __SANITIZE_ADDRESS__
    test_all_cells(20000, 0, 500);
#else
    test_all_cells(20000, 0, 10000);
    test_all_cells(2000000, levels - 1, 100);
#endif
    return check_done();
}
