/* line_case -- what the tests of the line physics share: random numbers,
 * arrays, a molecule and tables of the reference, rays, and tables filled by
 * hand in which the emission and absorption of a step can be chosen. */
#ifndef LINE_CASE_H
#define LINE_CASE_H

#include <stdint.h>

#include "check.h"
#include "line_preset.h"
#include "transfer.h"

#define LINE_PI 3.14159265358979323846

/* ---- memory and random numbers ---- */

static inline void *
need(size_t bytes)
{
    void *p = calloc(bytes ? bytes : 1, 1);

    if (!p)
        exit(1);
    return p;
}

/* From a seed, in order. */
static inline double
uniform(uint64_t *state, double lo, double hi)
{
    uint64_t z = *state += UINT64_C(0x9E3779B97F4A7C15);

    z = (z ^ (z >> 30)) * UINT64_C(0xBF58476D1CE4E5B9);
    z = (z ^ (z >> 27)) * UINT64_C(0x94D049BB133111EB);
    return lo + (hi - lo) * (double)((z ^ (z >> 31)) >> 11) * 0x1p-53;
}

/* Even in the logarithm. */
static inline double
log_uniform(uint64_t *state, double lo, double hi)
{
    return exp(uniform(state, log(lo), log(hi)));
}

/* The preset's transfer on a small grid. */
static inline struct iris_transfer_law
line_transfer_law(size_t r_steps, size_t v_steps)
{
    struct iris_unit_system u = line_units();

    return (struct iris_transfer_law){.r_steps = r_steps,
                                      .ds = 450 * u.parsec / 511,
                                      .v_steps = v_steps,
                                      .v_min = -2,
                                      .v_max = 2,
                                      .v_subsamples = 1,
                                      .k = LINE_K,
                                      .h = LINE_H,
                                      .c = LINE_C,
                                      .number = 1e15,
                                      .T_cmb = 2.73,
                                      .units = u};
}

static inline const char *
line_transfer_name(const struct iris_transfer_law *law)
{
    static const char *const name[3][2] = {{"thick smooth", "thick formal"},
                                           {"selective smooth", "selective formal"},
                                           {"thin smooth", "thin formal"}};

    return name[law->transfer][law->integration];
}

/* ---- rays ---- */

struct line_ray {
    size_t n;
    double *f[IRIS_FIELDS]; /* [n] */
};

static inline struct line_ray
line_ray_new(size_t n)
{
    struct line_ray r = {.n = n};
    size_t i;

    r.f[0] = need(IRIS_FIELDS * n * sizeof(double));
    for (i = 1; i < IRIS_FIELDS; i++)
        r.f[i] = r.f[0] + i * n;
    return r;
}

static inline void
line_ray_free(struct line_ray *r)
{
    free(r->f[0]);
}

static inline struct iris_solver *
line_solver(const struct iris_transfer_law *law, const struct iris_line *lines, size_t n)
{
    struct iris_err err = {0};
    struct iris_solver *t = NULL;

    if (iris_solver_new(law, lines, n, &t, &err)) {
        CHECK(0, "a solver: %s", err.msg);
        exit(1);
    }
    return t;
}

/* One ray through a solver of its own. */
static inline int
line_run(const struct iris_transfer_law *law, const struct iris_line *lines, size_t n,
         const struct line_ray *ray, double *spectrum)
{
    struct iris_solver *t = line_solver(law, lines, n);
    int any = iris_solver_ray(t, (const double *const *)ray->f, spectrum);

    iris_solver_free(t);
    return any;
}

/* ---- tables by hand ---- */

/* Emission j = rho and absorption alpha = 4 x_H2 - 1 per unit tracer
 * abundance, everywhere: x_CO (as the abundance itself), rho and x_H2 choose j
 * and alpha of a step. */
struct line_hand {
    double axis[6], node[8 * IRIS_NODE];
    struct iris_line_table table;
    struct iris_line line;
};

static inline void
line_hand_init(struct line_hand *hand, double mass_u, const struct iris_unit_system *u)
{
    struct iris_line_table *t = &hand->table;
    size_t i;

    memset(hand, 0, sizeof *hand);
    *t = (struct iris_line_table){.n_N = 2, .n_x = 2, .n_T = 2, .dq = 1, .bolic = 1, .dx = 0.5};
    t->dT = 1000;
    t->per_dq = 1;
    t->per_dx = 2;
    t->per_dT = 1e-3;
    t->rho_per_N = 2.3382052994e-9;
    t->nu = 220398684128.1 / u->time;
    t->mass = mass_u / 6.022141e23 / 1000 * u->mass;
    t->rho = hand->axis;
    t->x = hand->axis + 2;
    t->T = hand->axis + 4;
    t->rho[1] = sinh(1) * t->rho_per_N;
    t->x[1] = 0.5;
    t->T[1] = 1000;
    t->node = hand->node;
    t->borrowed = 1;
    for (i = 0; i < 8; i++) {
        double *node = hand->node + i * IRIS_NODE;

        node[IRIS_NODE_J] = t->rho[i >> 2];
        node[IRIS_NODE_J + 1] = 1;
        node[IRIS_NODE_A] = 4 * t->x[i >> 1 & 1] - 1;
        node[IRIS_NODE_A + 2] = 4;
    }
    hand->line = (struct iris_line){.table = t, .kappa = 1};
    iris_abundance_default(&hand->line.abundance);
    hand->line.abundance.value = 1;
}

/* Planck's function in the unit system. */
static inline double
line_planck(const struct iris_transfer_law *law, double nu, double T)
{
    const struct iris_unit_system *u = &law->units;
    double area = u->length * u->length, velocity = u->length / u->time;
    double h = law->h * u->mass * area / u->time, c = law->c * velocity;
    double k = law->k * u->mass * velocity * velocity / u->temperature;

    return 2 * h * nu * nu * nu / (c * c) / expm1(h * nu / (k * T));
}

/* b = sqrt(2kT/m) in the unit system. */
static inline double
line_doppler(const struct iris_transfer_law *law, const struct iris_line *line, double T)
{
    double velocity = iris_units_velocity(&law->units);
    double k = law->k * law->units.mass * velocity * velocity / law->units.temperature;

    return sqrt(2 * k * T / line->table->mass + line->v_turb * line->v_turb);
}

/* A step of a ray on a table by hand. */
struct line_step {
    double v, T, T_dust;
    double tau;      /* of the line at its centre; negative: a maser */
    double source;   /* of the line, in Planck functions of 10 K */
    double tau_dust; /* above 0 */
};

static inline void
line_hand_step(const struct line_hand *hand, const struct iris_transfer_law *law,
               const struct line_step *s, struct line_ray *ray, size_t i)
{
    const struct iris_line *line = &hand->line;
    double c = law->c * iris_units_velocity(&law->units);
    double width = line_doppler(law, line, isinf(s->T) ? 1 : s->T) * line->table->nu / c;
    double alpha = s->tau / law->ds * width * sqrt(LINE_PI);
    double j = alpha * s->source * line_planck(law, line->table->nu, 10);
    double rho = s->tau_dust / law->ds / line->kappa;
    double x = fabs(j) / rho;

    ray->f[IRIS_V_R][i] = s->v;
    ray->f[IRIS_RHO][i] = rho;
    ray->f[IRIS_T][i] = s->T;
    ray->f[IRIS_X_H2][i] = x > 0 ? (1 + alpha / x) / 4 : 0.25;
    ray->f[IRIS_X_CO][i] = x;
    ray->f[IRIS_T_DUST][i] = s->T_dust;
}

#endif
