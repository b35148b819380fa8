#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "line_preset.h"
#include "mock.h"
#include "trial.h"

/* Processing units: 1e7 cm, 1 g, 100 km/s, 1 K. */
#define DENSITY                                                                                    \
    (IRIS_MOCK_MASS_G / IRIS_MOCK_LENGTH_CM / IRIS_MOCK_LENGTH_CM / IRIS_MOCK_LENGTH_CM * 1e21)
#define VELOCITY (IRIS_MOCK_VELOCITY_CGS / 1e7)

enum { MANY = 10000 };

static void
take_cell(struct iris_cells *c, const struct iris_mock_cells *m, size_t i, size_t at)
{
    const double *x = m->coordinates + 3 * i, *abundance = m->abundances + 3 * i;
    double h2 = abundance[IRIS_MOCK_H2], hp = abundance[IRIS_MOCK_HP];
    double T = m->internal_energy[i] / iris_mock_energy(1, h2, hp);
    struct iris_gas *gas = &c->gas[at];
    size_t k;

    c->x[at] = (x[0] - IRIS_MOCK_BOX / 2) * 100 * TRIAL_PARSEC;
    c->y[at] = (x[1] - IRIS_MOCK_BOX / 2) * 100 * TRIAL_PARSEC;
    c->z[at] = (x[2] - IRIS_MOCK_BOX / 2) * 100 * TRIAL_PARSEC;
    for (k = 0; k < 3; k++)
        gas->v[k] = (float)(m->velocities[3 * i + k] * VELOCITY);
    gas->rho = (float)(m->density[i] * DENSITY);
    gas->T = T > 50000 ? (float)INFINITY : (float)T;
    gas->x_H2 = (float)h2;
    gas->x_CO = (float)abundance[IRIS_MOCK_CO];
    gas->T_dust = (float)m->dust_temperature[i];
}

static void
make_cells(void *self, size_t part)
{
    struct iris_cells *c = self;
    size_t first = part * MANY, count = c->n - first < MANY ? c->n - first : MANY, i;
    double *d = trial_need(13 * MANY * sizeof *d);
    struct iris_err err = {0};
    struct iris_mock_cells m = {.coordinates = d,
                                .velocities = d + 3 * MANY,
                                .density = d + 6 * MANY,
                                .internal_energy = d + 7 * MANY,
                                .masses = d + 8 * MANY,
                                .abundances = d + 9 * MANY,
                                .dust_temperature = d + 12 * MANY};

    m.ids = trial_need(MANY * sizeof *m.ids);
    trial_must(iris_mock_cells(1216, c->n, first, count, &m, &err), &err);
    for (i = 0; i < count; i++)
        take_cell(c, &m, i, first + i);
    free(m.ids);
    free(d);
}

static struct iris_box
mock_box(void)
{
    double half = IRIS_MOCK_BOX / 2 * 100 * TRIAL_PARSEC;

    return (struct iris_box){{-half, -half, -half}, {half, half, half}};
}

/* ---- tables ---- */

struct nodes {
    struct iris_line_table *table;
    const struct iris_molecule *molecule;
    struct iris_table_law law;
};

static void
solve_temperature(void *self, size_t i)
{
    struct nodes *n = self;
    struct iris_err err = {0};

    trial_must(iris_line_table_solve(n->table, n->molecule, &n->law, i, 1, &err), &err);
}

static void
make_table(struct trial_world *w, enum trial_table which, const struct iris_table_law *law)
{
    struct nodes n = {&w->table[which], &w->molecule, *law};
    struct iris_err err = {0};

    trial_must(iris_line_table_init(n.table, n.molecule, law, &err), &err);
    n.table->node = trial_need(iris_line_table_size(n.table) * sizeof(double));
    trial_parallel(law->n_T, solve_temperature, &n);
    iris_line_table_gradients(n.table);
}

/* Some temperatures amplify. */
static void
invert(struct iris_line_table *t)
{
    size_t nodes = t->n_N * t->n_x * t->n_T, i, k;

    for (i = 0; i < nodes; i++)
        for (k = IRIS_NODE_A; k < IRIS_NODE && i % t->n_T % 3 == 0; k++)
            t->node[i * IRIS_NODE + k] *= -0.01;
}

void
trial_world_init(struct trial_world *w, size_t cells, int small)
{
    struct iris_err err = {0};
    struct iris_table_law law;

    *w = (struct trial_world){0};
    trial_must(iris_cells_new(&w->cells, cells, &err), &err);
    trial_parallel((cells + MANY - 1) / MANY, make_cells, &w->cells);
    trial_must(iris_cells_index(&w->cells, &err), &err);
    w->cells.box = mock_box();
    w->units = line_units();
    trial_must(iris_mock_molecule("13CO", &w->molecule, &err), &err);
    law = small ? line_table_law(32, 16, 16) : line_table_law(128, 64, 64);
    make_table(w, TRIAL_21, &law);
    make_table(w, TRIAL_MASER, &law);
    invert(&w->table[TRIAL_MASER]);
    law.fine = 1;
    make_table(w, TRIAL_FINE, &law);
    law.fine = 0;
    law.N_max = 1e9;
    law.T_max = 60;
    make_table(w, TRIAL_SHORT, &law);
    law.N_max = 1e12;
    law.T_max = 3000;
    law.upper = 1;
    law.lower = 0;
    make_table(w, TRIAL_10, &law);
}

void
trial_world_release(struct trial_world *w)
{
    size_t i;

    for (i = 0; i < TRIAL_TABLES; i++)
        iris_line_table_release(&w->table[i]);
    iris_molecule_release(&w->molecule);
    iris_cells_release(&w->cells);
}
