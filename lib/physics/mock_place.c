#include "mock_place.h"

#include <math.h>
#include <string.h>

#include "elementary.h"
#include "rng.h"

#define LOPSIDED 0.45 /* of the molecular zone, towards +y */

/* Shares of the populations and of what they consist of. */
#define SHARE_ZONE       0.55
#define SHARE_BAR        0.25
#define SHARE_DIFFUSE    0.20
#define SHARE_CLOUDS     0.62
#define SHARE_STREAMS    0.22
#define SHARE_BAR_CLOUDS 0.30
#define SHARE_LANES      0.25

#define ZONE_RADIUS   100.0
#define ZONE_HEIGHT   15.0
#define BAR_RADIUS    1500.0
#define BAR_HEIGHT    80.0
#define BAR_MAX       5000.0
#define BAR_FLATTEN   0.45
#define STREAM_WIDTH  8.0
#define STREAM_HEIGHT 6.0
#define STREAM_RATIO  0.78
#define LANE_WIDTH    45.0

#define CLOUD_SKEW 1.5
#define LEVELS     2 /* below a cloud: clumps, cores */

static const unsigned fan_out[LEVELS + 1] = {1, 12, 5};

/* A kind of clouds. */
struct family {
    enum population population;
    unsigned complexes, clouds;
    double spread[3]; /* of the clouds around their complex */
    double sigma_min, sigma_max;
    double n;
    double dispersion;
};

static const struct family zone_clouds = {ZONE, 40, 600, {14, 14, 5}, 0.8, 4, 2000, 10};
static const struct family bar_clouds = {BAR, 60, 300, {60, 60, 25}, 4, 12, 150, 8};

void
iris_mock_begin(struct iris_mock_draw *d, uint64_t seed, unsigned purpose, uint64_t item)
{
    memset(d, 0, sizeof *d);
    d->counter[0] = (uint32_t)item;
    d->counter[1] = (uint32_t)(item >> 32);
    d->counter[2] = purpose;
    d->key[0] = (uint32_t)seed;
    d->key[1] = (uint32_t)(seed >> 32);
}

/* In the open interval (0, 1). */
double
iris_mock_uniform(struct iris_mock_draw *d)
{
    if (!d->left) {
        iris_philox(d->counter, d->key, d->word);
        d->counter[3]++;
        d->left = 4;
    }
    return ((double)d->word[--d->left] + 0.5) * 0x1p-32;
}

double
iris_mock_normal(struct iris_mock_draw *d)
{
    double r, t;

    if (d->has_spare) {
        d->has_spare = 0;
        return d->spare;
    }
    r = sqrt(-2 * iris_log(iris_mock_uniform(d)));
    t = TAU * iris_mock_uniform(d);
    d->spare = r * iris_sin(t);
    d->has_spare = 1;
    return r * iris_cos(t);
}

static double
sech2(double v)
{
    double c = iris_cosh(v);

    return 1 / (c * c);
}

/* A height with density sech^2(z / scale). */
static double
draw_height(struct iris_mock_draw *d, double scale)
{
    return scale * iris_atanh(2 * iris_mock_uniform(d) - 1);
}

/* A radius with density r exp(-r / scale). */
static double
draw_radius(struct iris_mock_draw *d, double scale)
{
    return -scale * iris_log(iris_mock_uniform(d) * iris_mock_uniform(d));
}

/* Turn a point of the disc to the other side so often that the density gets
 * the factor 1 + LOPSIDED y/r. */
static void
lean(struct iris_mock_draw *d, double x[3])
{
    double r = iris_hypot(x[0], x[1]);

    if (iris_mock_uniform(d) * r < -LOPSIDED * x[1]) {
        x[0] = -x[0];
        x[1] = -x[1];
    }
}

/* Along and across the bar to x and y. */
static void
from_bar(double along, double across, double x[3])
{
    x[0] = along * BAR_COS - across * BAR_SIN;
    x[1] = along * BAR_SIN + across * BAR_COS;
}

static void
place_on_stream(struct iris_mock_draw *d, double x[3])
{
    double t = TAU * iris_mock_uniform(d);
    double a = (iris_mock_uniform(d) < 0.55 ? 100 : 200) + STREAM_WIDTH * iris_mock_normal(d);

    from_bar(STREAM_RATIO * a * iris_sin(t), a * iris_cos(t), x);
    x[2] = 10 * iris_sin(2 * t + 0.6) + STREAM_HEIGHT * iris_mock_normal(d);
    lean(d, x);
}

static void
place_in_zone(struct iris_mock_draw *d, double x[3])
{
    double r = draw_radius(d, ZONE_RADIUS), t = TAU * iris_mock_uniform(d);

    x[0] = r * iris_cos(t);
    x[1] = r * iris_sin(t);
    x[2] = draw_height(d, ZONE_HEIGHT);
    lean(d, x);
}

static void
place_in_bar(struct iris_mock_draw *d, double x[3])
{
    double r = fmod(draw_radius(d, BAR_RADIUS), BAR_MAX), t = TAU * iris_mock_uniform(d);

    from_bar(r * iris_cos(t), BAR_FLATTEN * r * iris_sin(t), x);
    x[2] = draw_height(d, BAR_HEIGHT);
}

/* The lanes run along the leading sides of the bar. */
static void
place_in_lane(struct iris_mock_draw *d, double x[3])
{
    double side = iris_mock_uniform(d) < 0.55 ? 1 : -1;
    double along = 220 + 2800 * iris_pow(iris_mock_uniform(d), 1.6);
    double across = -180 * (1 - iris_exp(-along / 500)) + LANE_WIDTH * iris_mock_normal(d);

    from_bar(side * along, side * across, x);
    x[2] = 0.4 * BAR_HEIGHT * iris_mock_normal(d);
}

static double
zone_pdf(const double x[3])
{
    double r = iris_hypot(x[0], x[1]);

    return iris_exp(-r / ZONE_RADIUS) / (TAU * ZONE_RADIUS * ZONE_RADIUS) *
           sech2(x[2] / ZONE_HEIGHT) / (2 * ZONE_HEIGHT) * (1 + LOPSIDED * x[1] / (r + 1e-9));
}

static double
bar_pdf(const double x[3])
{
    double along = x[0] * BAR_COS + x[1] * BAR_SIN, across = x[1] * BAR_COS - x[0] * BAR_SIN;
    double r = iris_hypot(along, across / BAR_FLATTEN);

    if (r > BAR_MAX)
        return 0;
    return iris_exp(-r / BAR_RADIUS) / (TAU * BAR_RADIUS * BAR_RADIUS * BAR_FLATTEN) *
           sech2(x[2] / BAR_HEIGHT) / (2 * BAR_HEIGHT);
}

/* Chance per pc^3 of a cell at x from the smooth parts of the model. */
double
iris_mock_smooth_pdf(const double x[3])
{
    return SHARE_DIFFUSE / (BOX_PC * BOX_PC * BOX_PC) +
           SHARE_ZONE * (1 - SHARE_CLOUDS - SHARE_STREAMS) * zone_pdf(x) +
           SHARE_BAR * (1 - SHARE_LANES) * bar_pdf(x);
}

/* Gas between the clouds. */
static double
smooth_density(const double x[3])
{
    double r = iris_hypot(x[0], x[1]), z = fabs(x[2]);
    double zone = 140 * iris_exp(-r / ZONE_RADIUS) * sech2(z / ZONE_HEIGHT);
    double bar = 2.5 * iris_exp(-r / (2 * BAR_RADIUS)) * sech2(z / BAR_HEIGHT);
    double halo = 0.01 * iris_exp(-iris_hypot(r, z) / 6000) + 1e-5;

    return zone + bar + halo;
}

/* Go down from a cloud into a clump and a core of it, and place the cell. Each
 * level is a smaller, denser, more quiet copy of the one above. */
static void
descend(struct iris_mock_draw *d, uint64_t seed, const struct family *f, uint64_t item,
        double share, double sigma, struct iris_mock_place *p)
{
    double u = iris_mock_uniform(d), off[3], d2 = 0, calm = 1, wide;
    int level, k, depth = u < 0.35 ? 0 : u < 0.72 ? 1 : 2;
    static const double of_level[LEVELS + 1] = {0.35, 0.37, 0.28};

    for (level = 1; level <= depth; level++) {
        struct iris_mock_draw child;

        item = item * fan_out[level] + (uint64_t)(iris_mock_uniform(d) * fan_out[level]);
        share /= fan_out[level];
        calm *= 0.4;
        iris_mock_begin(&child, seed, DRAW_CLOUD + 2 * (unsigned)level + (f->population == BAR),
                        item);
        for (k = 0; k < 3; k++) {
            p->anchor[k] += sigma * iris_mock_normal(&child);
            p->drift[k] += f->dispersion * calm * iris_mock_normal(&child);
        }
        p->n *= 4 * iris_exp(0.3 * iris_mock_normal(&child));
        sigma *= 0.25;
    }
    for (k = 0; k < 3; k++) {
        off[k] = iris_mock_normal(d);
        d2 += off[k] * off[k];
        p->x[k] = p->anchor[k] + sigma * off[k];
    }
    p->n *= 0.1 + 0.9 * iris_exp(-0.5 * d2);
    wide = sqrt(TAU) * sigma;
    p->own_pdf = share * of_level[depth] * iris_exp(-0.5 * d2) / (wide * wide * wide);
}

static void
place_in_cloud(struct iris_mock_draw *d, uint64_t seed, const struct family *f, double share,
               struct iris_mock_place *p)
{
    unsigned bar = f->population == BAR;
    unsigned i = (unsigned)(f->clouds * iris_pow(iris_mock_uniform(d), CLOUD_SKEW));
    double sigma, *centre = p->anchor;
    struct iris_mock_draw shape;
    int k;

    iris_mock_begin(&shape, seed, DRAW_COMPLEX + bar, i % f->complexes);
    if (!bar)
        (iris_mock_uniform(&shape) < 0.75 ? place_on_stream : place_in_zone)(&shape, centre);
    else
        (iris_mock_uniform(&shape) < 0.7 ? place_in_lane : place_in_bar)(&shape, centre);
    iris_mock_begin(&shape, seed, DRAW_CLOUD + bar, i);
    sigma = f->sigma_min * iris_pow(f->sigma_max / f->sigma_min, iris_mock_uniform(&shape));
    p->n = f->n * iris_exp(0.5 * iris_mock_normal(&shape));
    for (k = 0; k < 3; k++) {
        centre[k] += f->spread[k] * iris_mock_normal(&shape);
        p->drift[k] = f->dispersion * iris_mock_normal(&shape);
    }
    p->in_cloud = 1;
    share *= iris_pow((i + 1.0) / f->clouds, 1 / CLOUD_SKEW) -
             iris_pow((double)i / f->clouds, 1 / CLOUD_SKEW);
    descend(d, seed, f, i, share, sigma, p);
}

static void
place_zone(struct iris_mock_draw *d, uint64_t seed, struct iris_mock_place *p)
{
    double u = iris_mock_uniform(d);

    if (u < SHARE_CLOUDS) {
        place_in_cloud(d, seed, &zone_clouds, SHARE_ZONE * SHARE_CLOUDS, p);
        return;
    }
    if (u < SHARE_CLOUDS + SHARE_STREAMS) {
        place_on_stream(d, p->x);
        p->n = 400;
        p->own_pdf = SHARE_ZONE * SHARE_STREAMS /
                     (TAU * 300 * 0.5 * TAU * STREAM_WIDTH * STREAM_HEIGHT);
    } else {
        place_in_zone(d, p->x);
        p->n = smooth_density(p->x);
    }
    memcpy(p->anchor, p->x, sizeof p->x);
}

static void
place_bar(struct iris_mock_draw *d, uint64_t seed, struct iris_mock_place *p)
{
    double u = iris_mock_uniform(d);

    if (u < SHARE_BAR_CLOUDS) {
        place_in_cloud(d, seed, &bar_clouds, SHARE_BAR * SHARE_BAR_CLOUDS, p);
        return;
    }
    p->in_lane = u < SHARE_BAR_CLOUDS + SHARE_LANES;
    if (p->in_lane) {
        place_in_lane(d, p->x);
        p->n = 15;
        p->own_pdf = SHARE_BAR * SHARE_LANES / (2 * 2800 * TAU * LANE_WIDTH * 0.4 * BAR_HEIGHT);
    } else {
        place_in_bar(d, p->x);
        p->n = smooth_density(p->x);
    }
    memcpy(p->anchor, p->x, sizeof p->x);
}

static void
place_diffuse(struct iris_mock_draw *d, struct iris_mock_place *p)
{
    int k;

    for (k = 0; k < 3; k++)
        p->x[k] = p->anchor[k] = (iris_mock_uniform(d) - 0.5) * BOX_PC;
    p->n = smooth_density(p->x);
}

void
iris_mock_place(struct iris_mock_draw *d, uint64_t seed, struct iris_mock_place *p)
{
    double u = iris_mock_uniform(d);
    int k;

    memset(p, 0, sizeof *p);
    p->population = u < SHARE_ZONE ? ZONE : u < SHARE_ZONE + SHARE_BAR ? BAR : DIFFUSE;
    if (p->population == ZONE)
        place_zone(d, seed, p);
    else if (p->population == BAR)
        place_bar(d, seed, p);
    else
        place_diffuse(d, p);
    for (k = 0; k < 3; k++)
        p->x[k] = fmin(fmax(p->x[k], -BOX_PC * 0.499999999), BOX_PC * 0.499999999);
}
