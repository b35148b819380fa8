#include "mock.h"

#include <math.h>
#include <string.h>

#include "rng.h"

/* Lengths in this file are pc from the centre, densities hydrogen nuclei per
 * cm^3, velocities km/s, unless a name says otherwise. */
#define PC_PER_CODE     100.0
#define MSUN_PER_PC3_CC 0.034538184 /* mass of 1 pc^3 at 1 hydrogen nucleus per cm^3 */
#define BOX_PC          (IRIS_MOCK_BOX * PC_PER_CODE)
#define TAU             6.28318530717958647692
#define BAR_COS         0.90630778703664996 /* 25 degrees */
#define BAR_SIN         0.42261826174069944
#define LOPSIDED        0.45 /* of the molecular zone, towards +y */

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

#define WAVES      8
#define CLOUD_SKEW 1.5
#define LEVELS     2 /* below a cloud: clumps, cores */

static const unsigned fan_out[LEVELS + 1] = {1, 12, 5};

/* What a counter belongs to. */
enum purpose { DRAW_CELL = 1, DRAW_WAVE, DRAW_COMPLEX = 16, DRAW_CLOUD = 32 };

enum population { ZONE, BAR, DIFFUSE };

struct draw {
    uint32_t counter[4];
    uint32_t key[2];
    uint32_t word[4];
    int left;
    int has_spare;
    double spare;
};

/* Waves of turbulence: coherent motion of neighbouring cells. */
struct waves {
    double k[WAVES][3]; /* 1/pc */
    double phase[WAVES];
    double v[WAVES][3];
};

/* Where a cell is and what structure it belongs to. */
struct place {
    enum population population;
    int in_cloud;
    int in_lane;
    double x[3];
    double anchor[3]; /* whose large-scale velocity it shares */
    double drift[3];  /* velocity of its cloud, clump and core against that */
    double n;         /* density before the clumping of the cell itself */
    double own_pdf;   /* chance per pc^3 of a cell here, this structure alone */
};

struct gas {
    double n;
    double kelvin;
    double abundance[IRIS_MOCK_SPECIES];
    double dust_kelvin;
};

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

static void
begin(struct draw *d, uint64_t seed, unsigned purpose, uint64_t item)
{
    memset(d, 0, sizeof *d);
    d->counter[0] = (uint32_t)item;
    d->counter[1] = (uint32_t)(item >> 32);
    d->counter[2] = purpose;
    d->key[0] = (uint32_t)seed;
    d->key[1] = (uint32_t)(seed >> 32);
}

/* In the open interval (0, 1). */
static double
uniform(struct draw *d)
{
    if (!d->left) {
        iris_philox(d->counter, d->key, d->word);
        d->counter[3]++;
        d->left = 4;
    }
    return ((double)d->word[--d->left] + 0.5) * 0x1p-32;
}

static double
normal(struct draw *d)
{
    double r, t;

    if (d->has_spare) {
        d->has_spare = 0;
        return d->spare;
    }
    r = sqrt(-2 * log(uniform(d)));
    t = TAU * uniform(d);
    d->spare = r * sin(t);
    d->has_spare = 1;
    return r * cos(t);
}

static double
sech2(double v)
{
    double c = cosh(v);

    return 1 / (c * c);
}

/* A height with density sech^2(z / scale). */
static double
draw_height(struct draw *d, double scale)
{
    return scale * atanh(2 * uniform(d) - 1);
}

/* A radius with density r exp(-r / scale). */
static double
draw_radius(struct draw *d, double scale)
{
    return -scale * log(uniform(d) * uniform(d));
}

/* Turn a point of the disc to the other side so often that the density gets
 * the factor 1 + LOPSIDED y/r. */
static void
lean(struct draw *d, double x[3])
{
    double r = hypot(x[0], x[1]);

    if (uniform(d) * r < -LOPSIDED * x[1]) {
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
place_on_stream(struct draw *d, double x[3])
{
    double t = TAU * uniform(d);
    double a = (uniform(d) < 0.55 ? 100 : 200) + STREAM_WIDTH * normal(d);

    from_bar(STREAM_RATIO * a * sin(t), a * cos(t), x);
    x[2] = 10 * sin(2 * t + 0.6) + STREAM_HEIGHT * normal(d);
    lean(d, x);
}

static void
place_in_zone(struct draw *d, double x[3])
{
    double r = draw_radius(d, ZONE_RADIUS), t = TAU * uniform(d);

    x[0] = r * cos(t);
    x[1] = r * sin(t);
    x[2] = draw_height(d, ZONE_HEIGHT);
    lean(d, x);
}

static void
place_in_bar(struct draw *d, double x[3])
{
    double r = fmod(draw_radius(d, BAR_RADIUS), BAR_MAX), t = TAU * uniform(d);

    from_bar(r * cos(t), BAR_FLATTEN * r * sin(t), x);
    x[2] = draw_height(d, BAR_HEIGHT);
}

/* The lanes run along the leading sides of the bar. */
static void
place_in_lane(struct draw *d, double x[3])
{
    double side = uniform(d) < 0.55 ? 1 : -1;
    double along = 220 + 2800 * pow(uniform(d), 1.6);
    double across = -180 * (1 - exp(-along / 500)) + LANE_WIDTH * normal(d);

    from_bar(side * along, side * across, x);
    x[2] = 0.4 * BAR_HEIGHT * normal(d);
}

static double
zone_pdf(const double x[3])
{
    double r = hypot(x[0], x[1]);

    return exp(-r / ZONE_RADIUS) / (TAU * ZONE_RADIUS * ZONE_RADIUS) * sech2(x[2] / ZONE_HEIGHT) /
           (2 * ZONE_HEIGHT) * (1 + LOPSIDED * x[1] / (r + 1e-9));
}

static double
bar_pdf(const double x[3])
{
    double along = x[0] * BAR_COS + x[1] * BAR_SIN, across = x[1] * BAR_COS - x[0] * BAR_SIN;
    double r = hypot(along, across / BAR_FLATTEN);

    if (r > BAR_MAX)
        return 0;
    return exp(-r / BAR_RADIUS) / (TAU * BAR_RADIUS * BAR_RADIUS * BAR_FLATTEN) *
           sech2(x[2] / BAR_HEIGHT) / (2 * BAR_HEIGHT);
}

/* Chance per pc^3 of a cell at x from the smooth parts of the model. */
static double
smooth_pdf(const double x[3])
{
    return SHARE_DIFFUSE / (BOX_PC * BOX_PC * BOX_PC) +
           SHARE_ZONE * (1 - SHARE_CLOUDS - SHARE_STREAMS) * zone_pdf(x) +
           SHARE_BAR * (1 - SHARE_LANES) * bar_pdf(x);
}

/* Gas between the clouds. */
static double
smooth_density(const double x[3])
{
    double r = hypot(x[0], x[1]), z = fabs(x[2]);
    double zone = 140 * exp(-r / ZONE_RADIUS) * sech2(z / ZONE_HEIGHT);
    double bar = 2.5 * exp(-r / (2 * BAR_RADIUS)) * sech2(z / BAR_HEIGHT);
    double halo = 0.01 * exp(-hypot(r, z) / 6000) + 1e-5;

    return zone + bar + halo;
}

static void
make_waves(uint64_t seed, struct waves *w)
{
    struct draw d;
    int i, k;

    begin(&d, seed, DRAW_WAVE, 0);
    for (i = 0; i < WAVES; i++) {
        double wavelength = 15 * pow(8, uniform(&d));
        double amplitude = 8 * pow(wavelength / 40, 0.4);
        double kn[3], vn[3], kk = 0, vv = 0;

        for (k = 0; k < 3; k++) {
            kn[k] = normal(&d);
            vn[k] = normal(&d);
            kk += kn[k] * kn[k];
            vv += vn[k] * vn[k];
        }
        for (k = 0; k < 3; k++) {
            w->k[i][k] = kn[k] / sqrt(kk) * TAU / wavelength;
            w->v[i][k] = vn[k] / sqrt(vv) * amplitude;
        }
        w->phase[i] = TAU * uniform(&d);
    }
}

static void
add_waves(const struct waves *w, const double x[3], double v[3])
{
    int i, k;

    for (i = 0; i < WAVES; i++) {
        double s = sin(w->k[i][0] * x[0] + w->k[i][1] * x[1] + w->k[i][2] * x[2] + w->phase[i]);

        for (k = 0; k < 3; k++)
            v[k] += s * w->v[i][k];
    }
}

/* Go down from a cloud into a clump and a core of it, and place the cell. Each
 * level is a smaller, denser, more quiet copy of the one above. */
static void
descend(struct draw *d, uint64_t seed, const struct family *f, uint64_t item, double share,
        double sigma, struct place *p)
{
    double u = uniform(d), off[3], d2 = 0;
    int level, k, depth = u < 0.35 ? 0 : u < 0.72 ? 1 : 2;
    static const double of_level[LEVELS + 1] = {0.35, 0.37, 0.28};

    for (level = 1; level <= depth; level++) {
        struct draw child;

        item = item * fan_out[level] + (uint64_t)(uniform(d) * fan_out[level]);
        share /= fan_out[level];
        begin(&child, seed, DRAW_CLOUD + 2 * (unsigned)level + (f->population == BAR), item);
        for (k = 0; k < 3; k++) {
            p->anchor[k] += sigma * normal(&child);
            p->drift[k] += f->dispersion * pow(0.4, level) * normal(&child);
        }
        p->n *= 4 * exp(0.3 * normal(&child));
        sigma *= 0.25;
    }
    for (k = 0; k < 3; k++) {
        off[k] = normal(d);
        d2 += off[k] * off[k];
        p->x[k] = p->anchor[k] + sigma * off[k];
    }
    p->n *= 0.1 + 0.9 * exp(-0.5 * d2);
    p->own_pdf = share * of_level[depth] * exp(-0.5 * d2) / pow(sqrt(TAU) * sigma, 3);
}

static void
place_in_cloud(struct draw *d, uint64_t seed, const struct family *f, double share, struct place *p)
{
    unsigned bar = f->population == BAR;
    unsigned i = (unsigned)(f->clouds * pow(uniform(d), CLOUD_SKEW));
    double sigma, *centre = p->anchor;
    struct draw shape;
    int k;

    begin(&shape, seed, DRAW_COMPLEX + bar, i % f->complexes);
    if (!bar)
        (uniform(&shape) < 0.75 ? place_on_stream : place_in_zone)(&shape, centre);
    else
        (uniform(&shape) < 0.7 ? place_in_lane : place_in_bar)(&shape, centre);
    begin(&shape, seed, DRAW_CLOUD + bar, i);
    sigma = f->sigma_min * pow(f->sigma_max / f->sigma_min, uniform(&shape));
    p->n = f->n * exp(0.5 * normal(&shape));
    for (k = 0; k < 3; k++) {
        centre[k] += f->spread[k] * normal(&shape);
        p->drift[k] = f->dispersion * normal(&shape);
    }
    p->in_cloud = 1;
    share *= pow((i + 1.0) / f->clouds, 1 / CLOUD_SKEW) -
             pow((double)i / f->clouds, 1 / CLOUD_SKEW);
    descend(d, seed, f, i, share, sigma, p);
}

static void
place_zone(struct draw *d, uint64_t seed, struct place *p)
{
    double u = uniform(d);

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
place_bar(struct draw *d, uint64_t seed, struct place *p)
{
    double u = uniform(d);

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
place_diffuse(struct draw *d, struct place *p)
{
    int k;

    for (k = 0; k < 3; k++)
        p->x[k] = p->anchor[k] = (uniform(d) - 0.5) * BOX_PC;
    p->n = smooth_density(p->x);
}

static void
place_cell(struct draw *d, uint64_t seed, struct place *p)
{
    double u = uniform(d);
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

/* Orbits: circles made oval by the bar, across it inside 200 pc and along it
 * from 500 pc on, where r = a (1 + e cos 2(phi - bar)). */
static void
orbit(const double x[3], double v[3])
{
    double r = hypot(x[0], x[1]) + 1e-9, c = x[0] / r, s = x[1] / r;
    double circular = 200 * r / hypot(r, 133.0);
    double t = fmin(fmax((r - 200) / 300, 0), 1);
    double e = (-0.12 + 0.34 * t * t * (3 - 2 * t)) * exp(-pow(r / 3500, 4));
    double cb = c * BAR_COS + s * BAR_SIN, sb = s * BAR_COS - c * BAR_SIN;
    double out = 2 * e * circular * 2 * sb * cb;
    double round = -circular * (1 - e * (cb * cb - sb * sb));

    v[0] = out * c - round * s;
    v[1] = out * s + round * c;
    v[2] = 0;
}

/* Gas in the lanes falls in along the bar, which itself turns. */
static void
infall(const double x[3], double v[3])
{
    double along = x[0] * BAR_COS + x[1] * BAR_SIN;
    double speed = -130 * along / (fabs(along) + 150);

    v[0] = speed * BAR_COS + 0.04 * x[1];
    v[1] = speed * BAR_SIN - 0.04 * x[0];
    v[2] = -0.05 * x[2];
}

static void
move_cell(struct draw *d, const struct waves *w, const struct place *p, const struct gas *g,
          double v[3])
{
    double thermal = g->kelvin > 1e5 ? 40 : p->in_cloud ? 1 : 2.5;
    double height = fabs(p->x[2]);
    int k;

    if (p->in_lane)
        infall(p->anchor, v);
    else
        orbit(p->anchor, v);
    /* gas far above the disc hardly turns */
    for (k = 0; k < 3; k++)
        v[k] *= exp(-height / 3000);
    add_waves(w, p->anchor, v);
    for (k = 0; k < 3; k++)
        v[k] += p->drift[k] + thermal * normal(d);
}

static void
ionise(struct draw *d, struct gas *g, int hot)
{
    g->abundance[IRIS_MOCK_CO] = 0;
    if (hot) {
        g->n *= 2e-3 * (0.5 + uniform(d));
        g->kelvin = pow(10, 5.8 + 1.2 * uniform(d));
        g->abundance[IRIS_MOCK_H2] = 0;
        g->abundance[IRIS_MOCK_HP] = 1;
    } else {
        g->n *= 0.1 * (0.5 + uniform(d));
        g->kelvin = 8000 * exp(0.2 * normal(d));
        g->abundance[IRIS_MOCK_H2] = 1e-5 * uniform(d);
        g->abundance[IRIS_MOCK_HP] = 0.02 + 0.9 * uniform(d);
    }
}

/* Cold gas is the more molecular and the colder the denser it is. */
static void
cool(struct draw *d, struct gas *g)
{
    double h2 = pow(g->n / 40, 1.5) * exp(0.4 * normal(d));
    double co = pow(g->n / 400, 2) * exp(0.4 * normal(d));

    g->abundance[IRIS_MOCK_H2] = 0.5 * h2 / (1 + h2);
    g->abundance[IRIS_MOCK_HP] = fmin(1e-7 + 1e-2 / (1 + g->n), 1e-2);
    g->abundance[IRIS_MOCK_CO] = 1.4e-4 * co / (1 + co) * h2 / (1 + h2);
    g->kelvin = 10 + 25 * uniform(d) + 220 * exp(0.3 * normal(d)) / (1 + pow(g->n / 1500, 1.2)) +
                6000 / (1 + pow(g->n / 3, 2));
}

static void
make_gas(struct draw *d, const struct place *p, struct gas *g)
{
    static const double hot[] = {[ZONE] = 0.06, [BAR] = 0.10, [DIFFUSE] = 0.75};
    static const double warm[] = {[ZONE] = 0.10, [BAR] = 0.35, [DIFFUSE] = 0.25};
    double u = p->in_cloud ? 1 : uniform(d), r = hypot(p->x[0], p->x[1]), dust;

    g->n = p->n * exp((p->in_cloud ? 0.4 : 0.9) * normal(d));
    if (u < hot[p->population])
        ionise(d, g, 1);
    else if (u < hot[p->population] + warm[p->population])
        ionise(d, g, 0);
    else
        cool(d, g);
    dust = 13 + 22 * (0.35 + 0.65 * exp(-r / 250)) / (1 + sqrt(g->n / 2e4)) + 1.5 * normal(d);
    g->dust_kelvin = fmin(fmax(dust, 12), 40);
}

double
iris_mock_energy(double kelvin, double h2, double hp)
{
    const double k = 1.380649e-23, he = 0.1, mu = 2.338205299410957e-27; /* J/K, 1, kg */

    return 1.5 * k * kelvin * (1 + hp - h2 + he) / mu * 1e-6;
}

static void
store(const struct place *p, const struct gas *g, const double v[3], uint64_t n, uint64_t cell,
      size_t i, const struct iris_mock_cells *c)
{
    double pdf = smooth_pdf(p->x) + p->own_pdf, volume_pc3 = 1 / ((double)n * pdf);
    double msun_per_pc3 = g->n * MSUN_PER_PC3_CC;
    int k;

    for (k = 0; k < 3; k++) {
        c->coordinates[3 * i + (size_t)k] = p->x[k] / PC_PER_CODE + 0.5 * IRIS_MOCK_BOX;
        c->velocities[3 * i + (size_t)k] = v[k];
    }
    for (k = 0; k < IRIS_MOCK_SPECIES; k++)
        c->abundances[IRIS_MOCK_SPECIES * i + (size_t)k] = g->abundance[k];
    c->density[i] = msun_per_pc3 * PC_PER_CODE * PC_PER_CODE * PC_PER_CODE;
    c->masses[i] = msun_per_pc3 * volume_pc3;
    c->internal_energy[i] = iris_mock_energy(g->kelvin, g->abundance[IRIS_MOCK_H2],
                                             g->abundance[IRIS_MOCK_HP]);
    c->dust_temperature[i] = g->dust_kelvin;
    c->ids[i] = cell + 1;
}

enum iris_status
iris_mock_cells(uint64_t seed, uint64_t n, uint64_t first, size_t count,
                const struct iris_mock_cells *cells, struct iris_err *err)
{
    struct waves waves;
    size_t i;

    if (n < 1 || n > IRIS_MOCK_MAX_CELLS)
        return iris_fail(err, IRIS_E_USAGE, "cannot make %llu cells: need 1 to %llu",
                         (unsigned long long)n, (unsigned long long)IRIS_MOCK_MAX_CELLS);
    if (first > n || count > n - first)
        return iris_fail(err, IRIS_E_USAGE, "cell %llu is beyond the last of %llu",
                         (unsigned long long)(first + count), (unsigned long long)n);
    make_waves(seed, &waves);
    for (i = 0; i < count; i++) {
        struct draw d;
        struct place p;
        struct gas g;
        double v[3];

        begin(&d, seed, DRAW_CELL, first + i);
        place_cell(&d, seed, &p);
        make_gas(&d, &p, &g);
        move_cell(&d, &waves, &p, &g, v);
        store(&p, &g, v, n, first + i, i, cells);
    }
    return IRIS_OK;
}
