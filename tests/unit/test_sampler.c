/* The fields at the samples of a view: against the reference's tensors, and
 * against a search of all perturbed cells written here. */
#include "check.h"

#include <stdint.h>

#include "cells.h"
#include "entry.h"
#include "hyper.h"
#include "npy.h"
#include "random_case.h"
#include "sampler.h"
#include "simd.h"
#include "snapshot.h"
#include "units.h"

static const struct iris_kernels *kernels; /* what all samplers use */

/* ---- tensors ---- */

struct tensor {
    size_t count; /* samples */
    float *memory;
    float *field[IRIS_FIELDS];
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

static int
tensor_same(const struct tensor *a, const struct tensor *b)
{
    return a->count == b->count &&
           !memcmp(a->memory, b->memory, IRIS_FIELDS * a->count * sizeof(float));
}

static struct tensor
tensor_of(const struct iris_sampler *s)
{
    const struct iris_view *v = &s->view;
    struct iris_tile all = {.r1 = v->r.n, .lon1 = v->lon.n, .lat1 = v->lat.n};
    struct tensor t = tensor_new(v->r.n * v->lon.n * v->lat.n);
    struct iris_err err = {0};

    if (iris_sampler_tile(s, &all, t.field, &err)) {
        printf("# %s\n", err.msg);
        t.count = 0;
    }
    return t;
}

/* ---- the same, in the plainest way ---- */

/* Everything a tensor depends on. */
struct scene {
    struct iris_cells *cells;
    struct iris_view_law law;
    struct iris_perturbation p;
};

static void
sampler_of(const struct scene *s, struct iris_sampler *sampler)
{
    struct iris_view view;

    iris_view_init(&view, &s->law, s->p.jitter_r, s->p.jitter_lon, 1);
    iris_sampler_init(sampler, s->cells, &view, &s->p);
    sampler->kernels = kernels;
}

static struct tensor
scene_tensor(const struct scene *s)
{
    struct iris_sampler sampler;

    sampler_of(s, &sampler);
    return tensor_of(&sampler);
}

/* scale * Rot(angle) diag(skew, 1/skew) Rot(-angle) x, by turning x. */
static void
perturb(const struct iris_perturbation *p, const double x[3], double out[3])
{
    double scale = isnan(p->scale) ? 1 : p->scale, skew = isnan(p->skew) ? 1 : p->skew;
    double t = isnan(p->skew) ? 0 : p->skew_angle * acos(-1) / 180;
    double c = cos(t), d = sin(t), along = c * x[0] + d * x[1], across = c * x[1] - d * x[0];

    along *= skew;
    across /= skew;
    out[0] = scale * (c * along - d * across);
    out[1] = scale * (d * along + c * across);
    out[2] = scale * x[2];
}

/* Sample (i, j, k) by the formula of physics.md section 5. */
static void
place_of(const struct scene *s, size_t i, size_t j, size_t k, double x[3])
{
    const struct iris_view_law *w = &s->law;
    double degree = acos(-1) / 180, t = w->theta * degree;
    double jitter = isnan(s->p.jitter_lon) ? 0 : s->p.jitter_lon;
    double R = w->observer_radius + (isnan(s->p.jitter_r) ? 0 : s->p.jitter_r);
    double r = w->r_min + (w->r_max - w->r_min) * (double)i / (double)(w->r_steps - 1);
    double lon = w->lon_min + (w->lon_max - w->lon_min) * (double)j / (double)(w->lon_steps - 1);
    double lat = w->lat_min + (w->lat_max - w->lat_min) * (double)k / (double)(w->lat_steps - 1);

    lon = (w->spin * lon + jitter) * degree;
    lat = w->spin * lat * degree;
    x[0] = R * cos(t) - r * cos(lat) * cos(t + lon);
    x[1] = R * sin(t) - r * cos(lat) * sin(t + lon);
    x[2] = r * sin(lat);
}

/* A cell where it is seen: perturbed, in some image of the box. */
struct seen {
    size_t cell;
    double x[3];
    double d2;
};

static double
distance2(const double a[3], const double b[3])
{
    double d[3] = {a[0] - b[0], a[1] - b[1], a[2] - b[2]};

    return d[0] * d[0] + d[1] * d[1] + d[2] * d[2];
}

static struct seen
see(const struct scene *s, const double at[3], size_t cell, const double shift[3])
{
    const struct iris_cells *c = s->cells;
    double x[3] = {c->x[cell] + shift[0], c->y[cell] + shift[1], c->z[cell] + shift[2]};
    struct seen seen = {.cell = cell};

    perturb(&s->p, x, seen.x);
    seen.d2 = distance2(at, seen.x);
    return seen;
}

/* The box `at` falls into when the map is undone, in units of boxes. */
static void
home_box(const struct scene *s, const double at[3], double box[3])
{
    struct iris_perturbation back = s->p;
    double q[3];
    int k;

    back.scale = 1 / (isnan(s->p.scale) ? 1 : s->p.scale);
    back.skew = 1 / (isnan(s->p.skew) ? 1 : s->p.skew);
    if (isnan(back.skew_angle))
        back.skew_angle = 0;
    perturb(&back, at, q);
    for (k = 0; k < 3; k++)
        box[k] = floor((q[k] - s->cells->box.lo[k]) / (s->cells->box.hi[k] - s->cells->box.lo[k]));
}

/* The nearest cell, or with only >= 0 the nearest image of that one. */
static struct seen
nearest(const struct scene *s, const double at[3], long only)
{
    const struct iris_cells *c = s->cells;
    size_t first = only < 0 ? 0 : (size_t)only, last = only < 0 ? c->n : first + 1, i;
    struct seen best = {.d2 = HUGE_VAL};
    int wrap = c->faces == IRIS_FACES_WRAP, image, k;
    double home[3] = {0, 0, 0};

    if (wrap)
        home_box(s, at, home);
    for (image = 0; image < 27; image++) {
        int step[3] = {image % 3 - 1, image / 3 % 3 - 1, image / 9 - 1};
        double shift[3] = {0, 0, 0};

        if (!wrap && image != 13)
            continue;
        for (k = 0; k < 3 && wrap; k++)
            shift[k] = (home[k] + step[k]) * (c->box.hi[k] - c->box.lo[k]);
        for (i = first; i < last; i++) {
            struct seen seen = see(s, at, i, shift);

            if (seen.d2 < best.d2)
                best = seen;
        }
    }
    return best;
}

/* Velocity towards the observer: the projection as a derivative. A cell that
 * moves for a short time changes its distance to him by -v_r dt. */
static double
towards(const struct scene *s, const struct seen *seen)
{
    double t = s->law.theta * acos(-1) / 180;
    double R = s->law.observer_radius + (isnan(s->p.jitter_r) ? 0 : s->p.jitter_r);
    double observer[3] = {R * cos(t), R * sin(t), 0};
    const float *g = s->cells->gas[seen->cell].v;
    double v[3] = {(double)g[0], (double)g[1], (double)g[2]}, moved[3], before[3], u[3];
    double speed, dt;
    int k;

    perturb(&s->p, v, u);
    speed = sqrt(distance2(u, (double[3]){0, 0, 0}));
    if (!(speed > 0))
        return 0;
    dt = 1e-4 * sqrt(distance2(observer, seen->x)) / speed;
    for (k = 0; k < 3; k++) {
        moved[k] = seen->x[k] + dt * u[k];
        before[k] = seen->x[k] - dt * u[k];
    }
    return (sqrt(distance2(observer, before)) - sqrt(distance2(observer, moved))) / (2 * dt);
}

/* One sample of a tensor, right? T_dust is the cell's index in the file, by
 * which we know what was taken; ties within rounding may go either way, but
 * coincident cells go to the first in the file. */
static int
sample_ok(const struct scene *s, const struct tensor *t, const uint32_t *where, size_t at,
          const double x[3])
{
    size_t cell = where[(size_t)t->field[IRIS_T_DUST][at]], i;
    struct seen best = nearest(s, x, -1), mine = nearest(s, x, (long)cell);
    const struct iris_gas *g = &s->cells->gas[cell];
    const struct iris_cells *c = s->cells;
    double v = towards(s, &mine), density = isnan(s->p.density) ? 1 : s->p.density;
    double speed = 4 * (isnan(s->p.scale) ? 1 : s->p.scale) * 2;

    for (i = 0; i < c->n && c->n < 100; i++) {
        if (c->x[i] == c->x[cell] && c->y[i] == c->y[cell] && c->z[i] == c->z[cell] &&
            c->order[i] < c->order[cell])
            return 0;
    }
    return sqrt(mine.d2) <= sqrt(best.d2) + 1e-11 &&
           fabs((double)t->field[IRIS_V_R][at] - v) < 1e-6 * speed &&
           t->field[IRIS_RHO][at] == (float)((double)g->rho * density) &&
           t->field[IRIS_T][at] == g->T && t->field[IRIS_X_H2][at] == g->x_H2 &&
           t->field[IRIS_X_CO][at] == g->x_CO;
}

/* How many of `tries` random samples of the scene are wrong. */
static size_t
count_wrong(const struct scene *s, size_t tries)
{
    const struct iris_view_law *w = &s->law;
    uint32_t *where = need(s->cells->n * sizeof *where);
    struct tensor t = scene_tensor(s);
    size_t n, wrong = t.count ? 0 : tries;

    for (n = 0; n < s->cells->n; n++)
        where[s->cells->order[n]] = (uint32_t)n;
    for (n = 0; n < tries && t.count; n++) {
        size_t i = (size_t)uniform(0, (double)w->r_steps);
        size_t j = (size_t)uniform(0, (double)w->lon_steps);
        size_t k = (size_t)uniform(0, (double)w->lat_steps);
        double x[3];

        place_of(s, i, j, k, x);
        wrong += !sample_ok(s, &t, where, (i * w->lon_steps + j) * w->lat_steps + k, x);
    }
    free(t.memory);
    free(where);
    return wrong;
}

/* ---- scenes ---- */

/* n random cells in a cube of side 2; every `same` of them share a place. */
static void
cells_make(struct iris_cells *c, size_t n, size_t same)
{
    size_t i;

    if (iris_cells_new(c, n, NULL))
        exit(1);
    for (i = 0; i < n; i++) {
        size_t first = i % same ? i - i % same : i;

        c->x[i] = first == i ? uniform(-1, 1) : c->x[first];
        c->y[i] = first == i ? uniform(-1, 1) : c->y[first];
        c->z[i] = first == i ? uniform(-1, 1) : c->z[first];
        c->gas[i] = (struct iris_gas){
            {(float)uniform(-2, 2), (float)uniform(-2, 2), (float)uniform(-2, 2)},
            (float)uniform(1, 2),
            i % 7 ? (float)uniform(10, 1e4) : HUGE_VALF,
            (float)uniform(0, 0.5),
            (float)uniform(0, 1e-4),
            (float)i};
    }
    if (iris_cells_index(c, NULL))
        exit(1);
}

static void
box_set(struct iris_cells *c, enum iris_faces faces)
{
    int k;

    c->faces = faces;
    for (k = 0; k < 3; k++) {
        c->box.lo[k] = -1;
        c->box.hi[k] = 1;
        c->closed[k] = 0;
    }
}

/* A view of the middle from a few lengths away. */
static struct iris_view_law
law_random(void)
{
    double R = uniform(3, 6), half = uniform(0.2, 1);
    struct iris_view_law law = {
        .theta = uniform(0, 360),
        .spin = uniform(0, 1) < 0.5 ? -1 : 1,
        .observer_radius = R,
        .r_min = R - half,
        .r_max = R + half,
        .lon_min = -uniform(2, 12),
        .lon_max = uniform(2, 12),
        .lat_min = -uniform(2, 12),
        .lat_max = uniform(2, 12),
        .r_steps = 2 + (size_t)uniform(0, 20),
        .lon_steps = 2 + (size_t)uniform(0, 15),
        .lat_steps = 2 + (size_t)uniform(0, 10),
    };

    return law;
}

static struct iris_perturbation
perturbation_random(int turn)
{
    struct iris_perturbation p;

    iris_perturb_none(&p);
    if (turn % 4)
        p.scale = uniform(0.3, 1.5);
    if (turn % 3) {
        p.skew = turn % 3 == 1 ? 2 : 0.5;
        p.skew_angle = uniform(0, 360);
    }
    if (turn % 2)
        p.density = uniform(0.1, 10);
    if (turn % 5 > 1)
        p.jitter_r = uniform(-0.2, 0.2);
    if (turn % 5 > 2)
        p.jitter_lon = uniform(-3, 3);
    return p;
}

static void
test_random_views(void)
{
    static const struct {
        const char *name;
        size_t n, same;
    } skies[] = {{"3000 cells", 3000, 1},
                 {"20 cells", 20, 1},
                 {"99 cells, three to a place", 99, 3},
                 {"one cell", 1, 1},
                 {"50 cells in one place", 50, 50}};
    size_t i;
    int turn;

    for (i = 0; i < sizeof skies / sizeof skies[0]; i++) {
        struct iris_cells cells;
        size_t wrong = 0;

        cells_make(&cells, skies[i].n, skies[i].same);
        for (turn = 0; turn < 60; turn++) {
            struct scene s = {&cells, law_random(), perturbation_random(turn)};

            wrong += count_wrong(&s, 60);
        }
        CHECK(!wrong, "random views of %s are as computed here (%zu wrong)", skies[i].name, wrong);
        iris_cells_release(&cells);
    }
}

/* Windows that cross the faces of the box, and lie beyond them. */
static void
test_faces(void)
{
    struct iris_cells cells;
    size_t outside[2] = {0, 0}, f;
    struct iris_sampler sampler;
    struct iris_err err = {0};
    struct tensor t;
    struct scene s;
    int turn;

    cells_make(&cells, 2000, 1);
    for (f = 0; f < 2; f++) {
        box_set(&cells, f ? IRIS_FACES_WRAP : IRIS_FACES_OPEN);
        for (turn = 0; turn < 45; turn++) {
            double from = (double)(turn % 3); /* window in the middle, at the face, beyond */

            s = (struct scene){&cells, law_random(), perturbation_random(turn)};
            s.law.r_min += from;
            s.law.r_max += from;
            outside[f] += count_wrong(&s, 60);
        }
    }
    CHECK(!outside[0], "open: windows at and beyond the faces (%zu wrong)", outside[0]);
    CHECK(!outside[1], "periodic: windows at and beyond the faces (%zu wrong)", outside[1]);

    box_set(&cells, IRIS_FACES_GUARD);
    s = (struct scene){&cells, law_random(), perturbation_random(0)};
    s.law.lon_min = s.law.lat_min = -2;
    s.law.lon_max = s.law.lat_max = 2;
    s.law.r_min = s.law.observer_radius - 0.2;
    s.law.r_max = s.law.observer_radius + 0.2;
    t = scene_tensor(&s);
    CHECK(t.count, "guard: a window in the middle is seen");
    free(t.memory);
    s.law.r_max += 3;
    sampler_of(&s, &sampler);
    t = tensor_new(s.law.r_steps * s.law.lon_steps * s.law.lat_steps);
    CHECK(iris_sampler_tile(&sampler,
                            &(struct iris_tile){.r1 = s.law.r_steps,
                                                .lon1 = s.law.lon_steps,
                                                .lat1 = s.law.lat_steps},
                            t.field, &err) == IRIS_E_DATA &&
              strstr(err.msg, "periodic"),
          "guard: one that reaches a face is not");
    free(t.memory);
    iris_cells_release(&cells);
}

/* ---- tiles ---- */

static void
copy_tile(const struct iris_view *v, const struct iris_tile *t, float *const part[IRIS_FIELDS],
          const struct tensor *whole)
{
    size_t nlon = t->lon1 - t->lon0, nlat = t->lat1 - t->lat0, i, j, f;

    for (f = 0; f < IRIS_FIELDS; f++) {
        for (i = t->r0; i < t->r1; i++) {
            for (j = t->lon0; j < t->lon1; j++)
                memcpy(whole->field[f] + (i * v->lon.n + j) * v->lat.n + t->lat0,
                       part[f] + ((i - t->r0) * nlon + j - t->lon0) * nlat, nlat * sizeof(float));
        }
    }
}

/* The whole view in tiles of random size. */
static int
tiled(const struct iris_sampler *s, const struct tensor *out)
{
    const struct iris_view *v = &s->view;
    struct iris_tile t = {0};

    for (t.r0 = 0; t.r0 < v->r.n; t.r0 = t.r1) {
        t.r1 = t.r0 + 1 + (size_t)uniform(0, (double)(v->r.n - t.r0));
        for (t.lon0 = 0; t.lon0 < v->lon.n; t.lon0 = t.lon1) {
            t.lon1 = t.lon0 + 1 + (size_t)uniform(0, (double)(v->lon.n - t.lon0));
            for (t.lat0 = 0; t.lat0 < v->lat.n; t.lat0 = t.lat1) {
                struct tensor part;
                int bad;

                t.lat1 = t.lat0 + 1 + (size_t)uniform(0, (double)(v->lat.n - t.lat0));
                part = tensor_new((t.r1 - t.r0) * (t.lon1 - t.lon0) * (t.lat1 - t.lat0));
                bad = iris_sampler_tile(s, &t, part.field, NULL) != IRIS_OK;
                copy_tile(v, &t, part.field, out);
                free(part.memory);
                if (bad)
                    return 0;
            }
        }
    }
    return 1;
}

static void
test_tiles(void)
{
    struct iris_cells cells;
    struct iris_sampler sampler;
    struct tensor whole, parts;
    int turn, same = 1, some = 1;

    cells_make(&cells, 400, 2);
    for (turn = 0; turn < 40; turn++) {
        struct scene s = {&cells, law_random(), perturbation_random(turn)};
        float *wanted[IRIS_FIELDS] = {NULL};

        box_set(&cells, turn % 2 ? IRIS_FACES_WRAP : IRIS_FACES_OPEN);
        sampler_of(&s, &sampler);
        whole = tensor_of(&sampler);
        parts = tensor_new(whole.count);
        same &= tiled(&sampler, &parts) && tensor_same(&whole, &parts);
        wanted[IRIS_X_H2] = parts.field[IRIS_T];
        some &= !iris_sampler_tile(&sampler,
                                   &(struct iris_tile){.r1 = s.law.r_steps,
                                                       .lon1 = s.law.lon_steps,
                                                       .lat1 = s.law.lat_steps},
                                   wanted, NULL) &&
                !memcmp(parts.field[IRIS_T], whole.field[IRIS_X_H2], whole.count * sizeof(float));
        free(whole.memory);
        free(parts.memory);
    }
    CHECK(same, "any tiles give the bytes of one");
    CHECK(some, "one field alone is the same");
    iris_cells_release(&cells);
}

/* ---- symmetries ---- */

/* The cells in file order, turned about z and with a velocity added. */
static void
cells_move(const struct iris_cells *from, double angle, const double add[3], struct iris_cells *to)
{
    double c = cos(angle), s = sin(angle);
    size_t i;

    if (iris_cells_new(to, from->n, NULL))
        exit(1);
    for (i = 0; i < from->n; i++) {
        size_t o = from->order[i];
        const float *v = from->gas[i].v;

        to->x[o] = c * from->x[i] - s * from->y[i];
        to->y[o] = s * from->x[i] + c * from->y[i];
        to->z[o] = from->z[i];
        to->gas[o] = from->gas[i];
        to->gas[o].v[0] = (float)(c * (double)v[0] - s * (double)v[1] + add[0]);
        to->gas[o].v[1] = (float)(s * (double)v[0] + c * (double)v[1] + add[1]);
        to->gas[o].v[2] = (float)((double)v[2] + add[2]);
    }
    if (iris_cells_index(to, NULL))
        exit(1);
}

static int
fields_same(const struct tensor *a, const struct tensor *b, size_t first_field)
{
    return a->count == b->count && !memcmp(a->field[first_field], b->field[first_field],
                                           (IRIS_FIELDS - first_field) * a->count * sizeof(float));
}

static double
largest_difference(const float *a, const float *b, size_t n)
{
    double worst = 0;
    size_t i;

    for (i = 0; i < n; i++)
        worst = fmax(worst, fabs((double)a[i] - (double)b[i]));
    return worst;
}

/* What point i + 1 sees is what point i sees of the galaxy turned back by one
 * spacing. */
static void
test_rotation(void)
{
    static const double still[3];
    struct iris_cells cells, turned;
    int n, same = 1;
    double worst = 0;

    cells_make(&cells, 3000, 1);
    for (n = 3; n < 70; n += 11) {
        struct scene s = {&cells, law_random(), perturbation_random(0)};
        struct tensor next, back;

        s.p.scale = 0.7;
        s.law.theta += 360.0 / n;
        next = scene_tensor(&s);
        s.law.theta -= 360.0 / n;
        cells_move(&cells, -2 * acos(-1) / n, still, &turned);
        s.cells = &turned;
        back = scene_tensor(&s);
        /* random cells: no sample is as near to two within rounding */
        same &= fields_same(&next, &back, IRIS_RHO);
        worst = fmax(worst,
                     largest_difference(next.field[IRIS_V_R], back.field[IRIS_V_R], next.count));
        free(next.memory);
        free(back.memory);
        iris_cells_release(&turned);
    }
    CHECK(same, "the galaxy turned back gives the tensor of the next point");
    CHECK(worst < 1e-6, "and its velocities: largest difference %.1e", worst);
    iris_cells_release(&cells);
}

/* A speed added to all cells along x adds its component towards the observer,
 * who here is far away in the direction theta. */
static void
test_galilean(void)
{
    struct iris_cells cells, moved;
    double theta, worst = 0;
    size_t i;

    cells_make(&cells, 1000, 1);
    cells_move(&cells, 0, (double[3]){3, 0, 0}, &moved);
    for (theta = 0; theta < 360; theta += 30) {
        struct scene s = {&cells, law_random(), perturbation_random(0)};
        struct tensor rest, drift;

        s.law.observer_radius = 1e8;
        s.law.r_min = 1e8 - 1;
        s.law.r_max = 1e8 + 1;
        s.law.lon_min = s.law.lat_min = -5e-7;
        s.law.lon_max = s.law.lat_max = 5e-7;
        s.law.theta = theta;
        rest = scene_tensor(&s);
        s.cells = &moved;
        drift = scene_tensor(&s);
        for (i = 0; i < rest.count; i++)
            worst = fmax(worst, fabs((double)drift.field[0][i] - (double)rest.field[0][i] -
                                     3 * cos(theta * acos(-1) / 180)));
        free(rest.memory);
        free(drift.memory);
    }
    CHECK(worst < 2e-6, "a speed added is added towards the observer: within %.1e", worst);
    iris_cells_release(&cells);
    iris_cells_release(&moved);
}

/* A galaxy of half the size from half the distance: the same cells, half the
 * velocities. A power of two, so to the bit. */
static void
test_scaling(void)
{
    struct iris_cells cells;
    int turn, same = 1, slower = 1, denser = 1;
    size_t i;

    cells_make(&cells, 1000, 1);
    for (turn = 0; turn < 6; turn++) {
        struct scene s = {&cells, law_random(), perturbation_random(0)};
        struct tensor one, half;

        if (turn % 2) {
            s.p.skew = 2;
            s.p.skew_angle = uniform(0, 360);
        }
        one = scene_tensor(&s);
        s.p.scale = 0.5;
        s.p.density = 3;
        s.law.observer_radius /= 2;
        s.law.r_min /= 2;
        s.law.r_max /= 2;
        half = scene_tensor(&s);
        same &= fields_same(&one, &half, IRIS_T);
        for (i = 0; i < one.count; i++) {
            slower &= half.field[IRIS_V_R][i] == one.field[IRIS_V_R][i] / 2;
            denser &= half.field[IRIS_RHO][i] == 3 * one.field[IRIS_RHO][i];
        }
        free(one.memory);
        free(half.memory);
    }
    CHECK(same, "scale: the same cells from the distance scaled alike");
    CHECK(slower, "scale: velocities are scaled too");
    CHECK(denser, "density: multiplied, by nothing else");
    iris_cells_release(&cells);
}

/* The observer among the gas, on a cell even. */
static void
test_inside(void)
{
    struct iris_cells c;
    struct iris_view view;
    struct iris_sampler sampler;
    struct tensor t;
    struct scene s = {&c, law_random(), perturbation_random(0)};

    cells_make(&c, 1, 1);
    c.x[0] = c.y[0] = c.z[0] = 0;
    s.law.observer_radius = 0;
    s.law.r_min = 0;
    iris_view_init(&view, &s.law, (double)NAN, (double)NAN, 1);
    iris_sampler_init(&sampler, &c, &view, &s.p);
    sampler.kernels = kernels;
    t = tensor_of(&sampler);
    CHECK(t.count && t.field[IRIS_V_R][0] == 0, "a cell at the observer's place has no velocity");
    free(t.memory);
    iris_cells_release(&c);
}

/* ---- the reference's tensors ---- */

static struct iris_sampler
golden_sampler(const struct iris_settings *s, const struct iris_cells *cells)
{
    struct iris_view_law law = {
        .theta = iris_entry_theta(s, 0),
        .spin = (int)s->coordinate.spin_orientation,
        .observer_radius = s->coordinate.observer_radius,
        .r_min = s->coordinate.r_min,
        .r_max = s->coordinate.r_max,
        .lon_min = s->coordinate.lon_min,
        .lon_max = s->coordinate.lon_max,
        .lat_min = s->coordinate.lat_min,
        .lat_max = s->coordinate.lat_max,
        .r_steps = (size_t)s->coordinate.r_steps,
        .lon_steps = (size_t)s->coordinate.lon_steps,
        .lat_steps = (size_t)s->coordinate.lat_steps,
    };
    struct iris_perturb_law perturb_law;
    struct iris_perturbation p;
    struct iris_unit_system units;
    struct iris_sampler sampler;
    struct iris_view view;

    iris_units_processing(s->writer.length_cm, s->writer.mass_g, s->writer.velocity_cm_per_s,
                          s->writer.temperature_K, s->dataset.meters_per_parsec, &units);
    iris_perturb_law_of(s, &perturb_law);
    iris_perturb_draw(&perturb_law, 1, 2, 0, 0, &p);
    iris_view_init(&view, &law, p.jitter_r, p.jitter_lon, units.parsec);
    iris_sampler_init(&sampler, cells, &view, &p);
    sampler.kernels = kernels;
    return sampler;
}

/* Distances of sample `at` in pc: to the nearest cell, and to the nearest of
 * those that hold the values of a tensor there. Seen distances, so scaled. */
static void
distances(const struct iris_sampler *s, size_t at, const struct tensor *t, double pc[2])
{
    const struct iris_view *v = &s->view;
    const struct iris_cells *c = s->cells;
    double direction[3], scale = s->map.scale, parsec = 308567758128.0, x[3];
    double r = iris_axis_at(&v->r, at / (v->lat.n * v->lon.n));
    size_t i;
    int k;

    iris_view_direction(v, at / v->lat.n % v->lon.n, at % v->lat.n, direction);
    for (k = 0; k < 3; k++)
        x[k] = v->origin[k] + r * direction[k];
    pc[0] = pc[1] = HUGE_VAL;
    for (i = 0; i < c->n; i++) {
        double cell[3] = {scale * c->x[i], scale * c->y[i], scale * c->z[i]};
        double d = sqrt(distance2(x, cell)) / parsec;
        const struct iris_gas *g = &c->gas[i];

        pc[0] = fmin(pc[0], d);
        if (check_near((double)t->field[IRIS_RHO][at], (double)g->rho, 1e-5) &&
            check_near((double)t->field[IRIS_X_H2][at], (double)g->x_H2, 1e-5) &&
            check_near((double)t->field[IRIS_X_CO][at], (double)g->x_CO, 1e-5) &&
            check_near((double)t->field[IRIS_T_DUST][at], (double)g->T_dust, 1e-5))
            pc[1] = fmin(pc[1], d);
    }
}

/* Another cell? Then some field of it differs by more than rounding. */
static int
another_cell(const struct tensor *a, const struct tensor *b, size_t at)
{
    int f;

    for (f = IRIS_RHO; f < IRIS_FIELDS; f++) {
        double x = (double)a->field[f][at], y = (double)b->field[f][at];

        if (x != y && !(fabs(x - y) <= 1e-5 * fabs(y)))
            return 1;
    }
    return 0;
}

static void
compare(const struct iris_sampler *s, const struct tensor *ours, const struct tensor *golden,
        const char *name)
{
    double sum[IRIS_FIELDS][2] = {{0}}, worst = 0, far = 0, l2 = 0, pc[2];
    size_t at, other = 0;
    int f;

    for (at = 0; at < ours->count; at++) {
        if (another_cell(ours, golden, at)) {
            other++;
            distances(s, at, ours, pc);
            far = fmax(far, pc[1] - pc[0]);
            distances(s, at, golden, pc);
            worst = fmax(worst, pc[1] - pc[0]);
            continue;
        }
        for (f = 0; f < IRIS_FIELDS; f++) {
            double x = (double)ours->field[f][at], y = (double)golden->field[f][at];

            sum[f][0] += x == y ? 0 : (x - y) * (x - y);
            sum[f][1] += isinf(y) ? 0 : y * y;
        }
    }
    for (f = 0; f < IRIS_FIELDS; f++)
        l2 = fmax(l2, sqrt(sum[f][0] / sum[f][1]));
    CHECK(other <= ours->count / 2000, "%s: %zu of %zu samples on another cell", name, other,
          ours->count);
    CHECK(worst <= 5e-3 && far < 1e-9, "%s: ties within %.1e pc, ours the nearest", name, worst);
    CHECK(l2 <= 1e-6, "%s: all others to relL2 %.1e", name, l2);
}

/* Is every one of a thousand samples the nearest cell's? */
static void
spot_check(const struct iris_sampler *s, const struct tensor *t, const char *name)
{
    size_t i, wrong = 0;
    double pc[2];

    for (i = 0; i < 1000; i++) {
        distances(s, (size_t)uniform(0, (double)t->count), t, pc);
        wrong += pc[1] > pc[0] + 1e-9;
    }
    CHECK(!wrong, "%s: the nearest of all cells (%zu wrong)", name, wrong);
}

static struct tensor
golden_tensor(const char *path)
{
    struct iris_npy a;
    struct tensor t = {0};

    if (!iris_npy_open(path, &a, NULL)) {
        t = tensor_new(a.count / IRIS_FIELDS);
        if (iris_npy_read_f32(&a, 0, a.count, t.memory, NULL))
            t.count = 0;
    }
    iris_npy_close(&a);
    return t;
}

static int
load(const char *shared, const char *name, const struct iris_settings *s, struct iris_cells *cells)
{
    struct iris_snapshot_info info = {0};
    struct iris_err err = {0};
    char path[4300];
    int ok;

    snprintf(path, sizeof path, "%s/golden/%s", shared, name);
    ok = !iris_snapshot_load(path, 1, s, iris_snapshot_fields(IRIS_STANDARD), NULL, NULL, NULL,
                             cells, &info, &err);
    if (!CHECK(ok && cells->n == 20000 && info.cells == 20000, "%s is read %s", name, err.msg))
        return 0;
    iris_buf_release(&info.warnings);
    return 1;
}

static void
test_golden(const char *shared, const char *settings, const char *tensor)
{
    struct iris_cells single, wide;
    struct iris_hyper *h = NULL;
    struct iris_settings s;
    struct iris_sampler a, b;
    struct tensor golden, ours, theirs;
    char path[4300];

    snprintf(path, sizeof path, "%s/golden/%s", shared, settings);
    if (!CHECK(!iris_hyper_read(path, &h, NULL), "%s is read", settings))
        return;
    iris_hyper_settings(h, &s);
    iris_hyper_free(h);
    snprintf(path, sizeof path, "%s/golden/%s", shared, tensor);
    golden = golden_tensor(path);
    if (!load(shared, "mock_small.hdf5", &s, &single) ||
        !load(shared, "mock_small_f64gz.hdf5", &s, &wide))
        exit(1);
    a = golden_sampler(&s, &single);
    b = golden_sampler(&s, &wide);
    ours = tensor_of(&a);
    theirs = tensor_of(&b);
    CHECK(ours.count && tensor_same(&ours, &theirs), "%s: single and gzipped double are equal",
          settings);
    if (CHECK(golden.count == 48 * 40 * 24 && golden.count == ours.count, "%s is read", tensor)) {
        compare(&a, &ours, &golden, tensor);
        spot_check(&a, &ours, tensor);
    }
    free(golden.memory);
    free(ours.memory);
    free(theirs.memory);
    iris_cells_release(&single);
    iris_cells_release(&wide);
}

static void
test_level(const char *shared)
{
    random_state = 1;
    printf("# samples by %s\n", kernels ? kernels->name : "iris_cells_nearest");
    test_random_views();
    test_faces();
    test_tiles();
    test_rotation();
    test_galilean();
    test_scaling();
    test_inside();
    if (shared) {
        test_golden(shared, "hyper_s1.json", "phys_exact_s1_t0.npy");
        test_golden(shared, "hyper_s05.json", "phys_exact_s05_t0.npy");
    } else {
        check_skip("the reference's tensors", "no shared reference data");
    }
}

int
main(void)
{
    const char *shared = check_shared();
    size_t k;

    test_level(shared);
    for (k = 0; (kernels = iris_kernels_at(k)); k++)
        test_level(shared);
    return check_done();
}
