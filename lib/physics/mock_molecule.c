#include "mock_molecule.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "elementary.h"

#define PI            3.14159265358979323846
#define H_ERG_S       6.62607015e-27
#define C_CM_PER_S    2.99792458e10
#define MHZ_PER_CM    29979.2458 /* c */
#define ESU_PER_DEBYE 1e-18
#define CM3_PER_M3    1e6
#define TEMPERATURES  25
#define RATE_CM3      3e-11
#define DECAY         0.3
#define DIGITS        4

struct rotor {
    const char *name;
    double B, D, H; /* MHz */
    double debye;
    double weight; /* u */
};

static const struct rotor rotors[] = {
    {"12CO", 57635.968, 0.18350552, 1.7168e-7, 0.11011, 28},
    {"13CO", 55101.0125, 0.16768585, 1.5056e-7, 0.11046, 29},
    {"C18O", 54891.420, 0.16644505, 1.4830e-7, 0.11079, 30},
};

static const double kelvin[TEMPERATURES] = {2,   3,    5,    7,    10,   15,   20,  30,  40,
                                            50,  70,   100,  150,  200,  250,  300, 400, 500,
                                            700, 1000, 1300, 1600, 2000, 2500, 3000};

static const double strength[IRIS_PARTNERS] = {
    [IRIS_PARA_H2] = 1, [IRIS_ORTHO_H2] = 1.2, [IRIS_H] = 0.5};

/* To four digits, and to the double that such a decimal reads back to: 10^k is
 * exact up to k = 22, so that the quotient is rounded once. */
static double
rounded(double v)
{
    int decimals = DIGITS - 1 - (int)floor(iris_log10(v)), k;
    double scale = 1;

    for (k = 0; k < decimals; k++)
        scale *= 10;
    return round(v * scale) / scale;
}

static double
energy_MHz(const struct rotor *rotor, size_t J)
{
    double x = (double)(J * (J + 1));

    return x * (rotor->B - x * (rotor->D - x * rotor->H));
}

static void
fill_levels(const struct rotor *rotor, struct iris_molecule *m)
{
    size_t J;

    for (J = 0; J < m->n; J++) {
        m->energy[J] = energy_MHz(rotor, J) / MHZ_PER_CM;
        m->g[J] = (double)(2 * J + 1);
    }
    for (J = 1; J < m->n; J++) {
        struct iris_transition *t = &m->transition[J - 1];
        double MHz = energy_MHz(rotor, J) - energy_MHz(rotor, J - 1);
        double moment = rotor->debye * ESU_PER_DEBYE;

        t->upper = J;
        t->lower = J - 1;
        t->GHz = MHz / 1e3;
        t->A = rounded(64 * iris_pow(PI, 4) * iris_pow(MHz * 1e6 / C_CM_PER_S, 3) * moment *
                       moment / (3 * H_ERG_S) * (double)J / (double)(2 * J + 1));
    }
}

static void
fill_rates(double factor, const struct iris_molecule *m, struct iris_collisions *c)
{
    size_t upper, lower, i = 0, k;

    memcpy(c->T, kelvin, sizeof kelvin);
    for (upper = 1; upper < m->n; upper++) {
        for (lower = 0; lower < upper; lower++, i++) {
            double share = factor * m->g[lower] / m->g[upper] *
                           iris_exp(-DECAY * (double)(upper - lower - 1));

            c->pair[i] = (struct iris_level_pair){upper, lower};
            for (k = 0; k < TEMPERATURES; k++)
                c->rate[i * TEMPERATURES + k] =
                    rounded(RATE_CM3 * share * sqrt(1 + kelvin[k] / 100)) / CM3_PER_M3;
        }
    }
}

static enum iris_status
allocate(const char *name, struct iris_molecule *m, struct iris_err *err)
{
    int p, missing;

    m->n = IRIS_MOCK_LEVELS;
    m->n_transitions = m->n - 1;
    m->name = iris_format("%s (mock: made-up collision rates)", name);
    m->energy = calloc(m->n, sizeof *m->energy);
    m->g = calloc(m->n, sizeof *m->g);
    m->transition = calloc(m->n_transitions, sizeof *m->transition);
    missing = !m->name || !m->energy || !m->g || !m->transition;
    for (p = 0; p < IRIS_PARTNERS; p++) {
        struct iris_collisions *c = &m->with[p];

        if (!(strength[p] > 0))
            continue;
        c->n_T = TEMPERATURES;
        c->n = m->n * (m->n - 1) / 2;
        c->T = calloc(c->n_T, sizeof *c->T);
        c->pair = calloc(c->n, sizeof *c->pair);
        c->rate = calloc(c->n * c->n_T, sizeof *c->rate);
        missing |= !c->T || !c->pair || !c->rate;
    }
    return missing ? iris_fail_memory(err) : IRIS_OK;
}

enum iris_status
iris_mock_molecule(const char *name, struct iris_molecule *m, struct iris_err *err)
{
    const struct rotor *rotor = rotors, *end = rotors + sizeof rotors / sizeof *rotors;
    enum iris_status st;
    int p;

    *m = (struct iris_molecule){0};
    while (rotor < end && strcmp(rotor->name, name))
        rotor++;
    if (rotor == end)
        return iris_fail(err, IRIS_E_USAGE, "unknown molecule '%s': there are 12CO, 13CO and C18O",
                         name);
    st = allocate(name, m, err);
    if (st) {
        iris_molecule_release(m);
        return st;
    }
    m->weight = rotor->weight;
    fill_levels(rotor, m);
    for (p = 0; p < IRIS_PARTNERS; p++) {
        if (m->with[p].n_T)
            fill_rates(strength[p], m, &m->with[p]);
    }
    return IRIS_OK;
}
