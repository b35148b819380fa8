#include "mock.h"

#include <math.h>

#include "elementary.h"
#include "mock_place.h"

#define MSUN_PER_PC3_CC 0.034538184 /* mass of 1 pc^3 at 1 hydrogen nucleus per cm^3 */
#define WAVES           8

/* Waves of turbulence: coherent motion of neighbouring cells. */
struct waves {
    double k[WAVES][3]; /* 1/pc */
    double phase[WAVES];
    double v[WAVES][3];
};

struct gas {
    double n;
    double kelvin;
    double abundance[IRIS_MOCK_SPECIES];
    double dust_kelvin;
};

static double
square(double v)
{
    return v * v;
}

static void
make_waves(uint64_t seed, struct waves *w)
{
    struct iris_mock_draw d;
    int i, k;

    iris_mock_begin(&d, seed, DRAW_WAVE, 0);
    for (i = 0; i < WAVES; i++) {
        double wavelength = 15 * iris_pow(8, iris_mock_uniform(&d));
        double amplitude = 8 * iris_pow(wavelength / 40, 0.4);
        double kn[3], vn[3], kk = 0, vv = 0;

        for (k = 0; k < 3; k++) {
            kn[k] = iris_mock_normal(&d);
            vn[k] = iris_mock_normal(&d);
            kk += kn[k] * kn[k];
            vv += vn[k] * vn[k];
        }
        for (k = 0; k < 3; k++) {
            w->k[i][k] = kn[k] / sqrt(kk) * TAU / wavelength;
            w->v[i][k] = vn[k] / sqrt(vv) * amplitude;
        }
        w->phase[i] = TAU * iris_mock_uniform(&d);
    }
}

static void
add_waves(const struct waves *w, const double x[3], double v[3])
{
    int i, k;

    for (i = 0; i < WAVES; i++) {
        double phase = w->k[i][0] * x[0] + w->k[i][1] * x[1] + w->k[i][2] * x[2] + w->phase[i];
        double s = iris_sin(phase);

        for (k = 0; k < 3; k++)
            v[k] += s * w->v[i][k];
    }
}

/* Orbits: circles made oval by the bar, across it inside 200 pc and along it
 * from 500 pc on, where r = a (1 + e cos 2(phi - bar)). */
static void
orbit(const double x[3], double v[3])
{
    double r = iris_hypot(x[0], x[1]) + 1e-9, c = x[0] / r, s = x[1] / r;
    double circular = 200 * r / iris_hypot(r, 133.0);
    double t = fmin(fmax((r - 200) / 300, 0), 1);
    double e = (-0.12 + 0.34 * t * t * (3 - 2 * t)) * iris_exp(-square(square(r / 3500)));
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
move_cell(struct iris_mock_draw *d, const struct waves *w, const struct iris_mock_place *p,
          const struct gas *g, double v[3])
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
        v[k] *= iris_exp(-height / 3000);
    add_waves(w, p->anchor, v);
    for (k = 0; k < 3; k++)
        v[k] += p->drift[k] + thermal * iris_mock_normal(d);
}

static void
ionise(struct iris_mock_draw *d, struct gas *g, int hot)
{
    g->abundance[IRIS_MOCK_CO] = 0;
    if (hot) {
        g->n *= 2e-3 * (0.5 + iris_mock_uniform(d));
        g->kelvin = iris_pow(10, 5.8 + 1.2 * iris_mock_uniform(d));
        g->abundance[IRIS_MOCK_H2] = 0;
        g->abundance[IRIS_MOCK_HP] = 1;
    } else {
        g->n *= 0.1 * (0.5 + iris_mock_uniform(d));
        g->kelvin = 8000 * iris_exp(0.2 * iris_mock_normal(d));
        g->abundance[IRIS_MOCK_H2] = 1e-5 * iris_mock_uniform(d);
        g->abundance[IRIS_MOCK_HP] = 0.02 + 0.9 * iris_mock_uniform(d);
    }
}

/* Cold gas is the more molecular and the colder the denser it is. */
static void
cool(struct iris_mock_draw *d, struct gas *g)
{
    double h2 = iris_pow(g->n / 40, 1.5) * iris_exp(0.4 * iris_mock_normal(d));
    double co = square(g->n / 400) * iris_exp(0.4 * iris_mock_normal(d));

    g->abundance[IRIS_MOCK_H2] = 0.5 * h2 / (1 + h2);
    g->abundance[IRIS_MOCK_HP] = fmin(1e-7 + 1e-2 / (1 + g->n), 1e-2);
    g->abundance[IRIS_MOCK_CO] = 1.4e-4 * co / (1 + co) * h2 / (1 + h2);
    g->kelvin = 10 + 25 * iris_mock_uniform(d) +
                220 * iris_exp(0.3 * iris_mock_normal(d)) / (1 + iris_pow(g->n / 1500, 1.2)) +
                6000 / (1 + square(g->n / 3));
}

static void
make_gas(struct iris_mock_draw *d, const struct iris_mock_place *p, struct gas *g)
{
    static const double hot[] = {[ZONE] = 0.06, [BAR] = 0.10, [DIFFUSE] = 0.75};
    static const double warm[] = {[ZONE] = 0.10, [BAR] = 0.35, [DIFFUSE] = 0.25};
    double u = p->in_cloud ? 1 : iris_mock_uniform(d), r = iris_hypot(p->x[0], p->x[1]), dust;

    g->n = p->n * iris_exp((p->in_cloud ? 0.4 : 0.9) * iris_mock_normal(d));
    if (u < hot[p->population])
        ionise(d, g, 1);
    else if (u < hot[p->population] + warm[p->population])
        ionise(d, g, 0);
    else
        cool(d, g);
    dust = 13 + 22 * (0.35 + 0.65 * iris_exp(-r / 250)) / (1 + sqrt(g->n / 2e4)) +
           1.5 * iris_mock_normal(d);
    g->dust_kelvin = fmin(fmax(dust, 12), 40);
}

double
iris_mock_energy(double kelvin, double h2, double hp)
{
    const double k = 1.380649e-23, he = 0.1, mu = 2.338205299410957e-27; /* J/K, 1, kg */

    return 1.5 * k * kelvin * (1 + hp - h2 + he) / mu * 1e-6;
}

static void
store(const struct iris_mock_place *p, const struct gas *g, const double v[3], uint64_t n,
      uint64_t cell, size_t i, const struct iris_mock_cells *c)
{
    double pdf = iris_mock_smooth_pdf(p->x) + p->own_pdf, volume_pc3 = 1 / ((double)n * pdf);
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
                         (unsigned long long)first + count, (unsigned long long)n);
    make_waves(seed, &waves);
    for (i = 0; i < count; i++) {
        struct iris_mock_draw d;
        struct iris_mock_place p;
        struct gas g;
        double v[3];

        iris_mock_begin(&d, seed, DRAW_CELL, first + i);
        iris_mock_place(&d, seed, &p);
        make_gas(&d, &p, &g);
        move_cell(&d, &waves, &p, &g, v);
        store(&p, &g, v, n, first + i, i, cells);
    }
    return IRIS_OK;
}
