/* Line tables: the reference's, its numbers at the preset's resolution, units
 * and errors. */
#include "line_pair.h"

static void
test_errors(void)
{
    struct iris_table_law law = pair_law(4, 3, 5);
    struct iris_line_table t;
    struct iris_err err = {0};
    struct pair p;

    pair_init(&p);
    law.upper = 0;
    law.lower = 1;
    CHECK(iris_line_table_make(&t, &p.m, &law, &err) == IRIS_E_DATA, "%s", err.msg);
    law = pair_law(SIZE_MAX / 64, 3, 5);
    CHECK(iris_line_table_make(&t, &p.m, &law, &err) == IRIS_E_DATA, "%s", err.msg);
    law = pair_law(4, SIZE_MAX / 32, 5);
    CHECK(iris_line_table_make(&t, &p.m, &law, &err) == IRIS_E_DATA, "%s", err.msg);
    law = pair_law(4, 3, SIZE_MAX / 32);
    CHECK(iris_line_table_make(&t, &p.m, &law, &err) == IRIS_E_DATA, "%s", err.msg);
    law = pair_law(4, 3, 5);
    law.fine = 1;
    law.T_max = 2;
    CHECK(iris_line_table_make(&t, &p.m, &law, &err) == IRIS_E_DATA, "%s", err.msg);
    law.T_max = 2.5;
    CHECK(!iris_line_table_make(&t, &p.m, &law, &err), "a fine table to 2.5 K");
    iris_line_table_release(&t);
    iris_line_table_release(&t);
    p.m.n_transitions = 0;
    CHECK(iris_line_table_make(&t, &p.m, &law, &err) == IRIS_E_DATA && !t.rho && !t.node,
          "without transitions: %s", err.msg);
    p.m.n_transitions = 1;
    p.m.with[IRIS_H2].n_T = 0;
    p.transition.A = 0;
    CHECK(iris_line_table_make(&t, &p.m, &law, &err) == IRIS_E_DATA && !t.node,
          "without an equilibrium: %s", err.msg);
}

/* In parts, into memory of somebody else. */
static void
test_parts(void)
{
    struct iris_table_law law = pair_law(5, 4, 7);
    struct iris_line_table whole, t;
    double *memory;
    struct pair p;

    pair_init(&p);
    whole = made(&p.m, &law);
    iris_line_table_init(&t, &p.m, &law, NULL);
    CHECK(!t.node && iris_line_table_size(&t) == 5 * 4 * 7 * IRIS_NODE, "a table without values");
    memory = need(iris_line_table_size(&t) * sizeof *memory);
    t.node = memory;
    t.borrowed = 1;
    iris_line_table_solve(&t, &p.m, &law, 4, 3, NULL);
    iris_line_table_solve(&t, &p.m, &law, 0, 1, NULL);
    iris_line_table_solve(&t, &p.m, &law, 1, 3, NULL);
    iris_line_table_gradients(&t);
    CHECK(!memcmp(memory, whole.node, iris_line_table_size(&t) * sizeof *memory),
          "temperatures in three parts");
    iris_line_table_release(&t);
    CHECK(memory[1] == whole.node[1], "borrowed values outlive the table");
    iris_line_table_release(&whole);
    free(memory);
}

static void
test_fine_axis(void)
{
    struct iris_table_law law = pair_law(3, 3, 9);
    struct iris_line_table t;
    double worst = 0;
    struct pair p;
    size_t i;

    pair_init(&p);
    law.fine = 1;
    law.T_max = 512;
    t = made(&p.m, &law);
    for (i = 0; i < 9; i++)
        worst = fmax(worst, fabs(t.T[i] / (2 * pow(2, (double)i)) - 1));
    CHECK(worst <= 1e-14, "equal ratios from 2 K: %.1e", worst);
    iris_line_table_release(&t);
}

/* ---- units ---- */

/* The same table in two unit systems, back in SI. */
static void
compare_units(const struct iris_molecule *m, struct iris_table_law law, const char *what)
{
    struct iris_unit_system u = law.units, v;
    struct iris_line_table a, b;
    double factor[IRIS_NODE], worst = 0, density, j, alpha;
    size_t i, k;

    a = made(m, &law);
    iris_units_processing(3e6, 5, 2e5, 10, 3.08567758128e16, &law.units);
    v = law.units;
    b = made(m, &law);
    density = iris_units_density(&v) / iris_units_density(&u);
    j = v.mass / (v.length * pow(v.time, 3)) * u.length * pow(u.time, 3) / u.mass;
    alpha = u.length * u.time / (v.length * v.time);
    for (i = 0; i < IRIS_NODE; i++)
        factor[i] = (i < 4 ? j : alpha) / (i % 4 == 1   ? density
                                           : i % 4 == 3 ? v.temperature / u.temperature
                                                        : 1);
    for (k = 0; k < IRIS_NODE; k++) {
        double size = 0, d = 0;

        for (i = k; i < iris_line_table_size(&a); i += IRIS_NODE) {
            size = fmax(size, fabs(a.node[i] * factor[k]));
            d = fmax(d, fabs(b.node[i] - a.node[i] * factor[k]));
        }
        worst = fmax(worst, d / size);
    }
    for (i = 0; i < a.n_N; i++)
        worst = fmax(worst, fabs(b.rho[i] - a.rho[i] * density) / (density * a.rho[a.n_N - 1]));
    for (i = 0; i < a.n_T; i++)
        worst = fmax(worst, fabs(b.T[i] / b.T[a.n_T - 1] - a.T[i] / a.T[a.n_T - 1]));
    worst = fmax(worst, fabs(b.T[a.n_T - 1] - 300) / 300);
    worst = fmax(worst, fabs(b.nu * v.time / (a.nu * u.time) - 1));
    worst = fmax(worst, fabs(b.mass / v.mass / (a.mass / u.mass) - 1));
    CHECK(worst <= 1e-12, "%s in other units: %.1e", what, worst);
    iris_line_table_release(&a);
    iris_line_table_release(&b);
}

/* ---- the reference's ---- */

static double
differs(const double *table, size_t stride, const double *golden, size_t n, double *point)
{
    double worst = 0, size = 0, d;
    size_t i;

    *point = 0;
    for (i = 0; i < n; i++) {
        size = fmax(size, fabs(golden[i]));
        d = fabs(table[i * stride] - golden[i]);
        worst = d <= worst ? worst : d;
        d = d > 0 ? d / fabs(golden[i]) : 0;
        *point = d <= *point ? *point : d;
    }
    return worst / size;
}

static void
against(const char *shared, const char *name, const double *table, size_t stride, size_t n,
        double limit, double limit_point)
{
    double *golden, worst, point;
    char path[80];

    snprintf(path, sizeof path, "obsgrid_%s_f64.npy", name);
    golden = line_golden(shared, path, n);
    worst = differs(table, stride, golden, n, &point);
    CHECK(worst <= limit && point <= limit_point, "%s: %.1e of the greatest, %.1e at any", name,
          worst, point);
    free(golden);
}

static void
test_golden(const struct iris_molecule *m, const char *shared)
{
    static const char *const gradient[] = {"dj_drho",      "dj_d_ab",      "dj_dT",
                                           "d_alpha_drho", "d_alpha_d_ab", "d_alpha_dT"};
    struct iris_table_law law = line_table_law(16, 8, 12);
    struct iris_line_table t = made(m, &law);
    size_t n = 16 * 8 * 12, i;
    double weight;

    against(shared, "emission_factor", t.node, IRIS_NODE, n, 1e-11, 1e-8);
    against(shared, "absorption_factor", t.node + IRIS_NODE_A, IRIS_NODE, n, 1e-11, 1e-8);
    for (i = 0; i < 6; i++)
        against(shared, gradient[i], t.node + i / 3 * 4 + 1 + i % 3, IRIS_NODE, n, 1e-10, INFINITY);
    against(shared, "rho", t.rho, 1, 16, 1e-13, 1e-13);
    against(shared, "abundance_H2", t.x, 1, 8, 1e-15, 1e-15);
    against(shared, "T", t.T, 1, 12, 1e-15, 1e-15);
    against(shared, "dN_bolic", &t.dq, 1, 1, 1e-15, 1e-15);
    against(shared, "d_ab", &t.dx, 1, 1, 1e-15, 1e-15);
    against(shared, "dT", &t.dT, 1, 1, 1e-15, 1e-15);
    against(shared, "nu_ul", &t.nu, 1, 1, 1e-15, 1e-15);
    weight = t.mass / law.units.mass * law.L * 1000;
    against(shared, "molecular_weight", &weight, 1, 1, 1e-15, 1e-15);
    iris_line_table_release(&t);
}

/* ---- the preset's, by numbers ---- */

static void
test_preset_axes(const struct iris_line_table *t)
{
    static const struct {
        size_t i;
        double N, digits;
    } places[] = {{1, .22487843238, 3e-11},
                  {64, 790522.53405, 1e-11},
                  {100, 2.425606762e9, 3e-10},
                  {126, 8.000948889e11, 1e-10},
                  {127, 1e12, 1e-13}};
    double dens = 2.3382052994e-9;
    size_t i;

    CHECK(check_near(t->rho_per_N, dens, 3e-11), "mass per H nucleus");
    CHECK(check_near(t->dq, .22302494721644484, 1e-15) && check_near(t->dx, .00793650794, 1e-9) &&
              check_near(t->dT, 47.6190476, 1e-9),
          "steps of the preset's axes");
    for (i = 0; i < sizeof places / sizeof *places; i++)
        CHECK(check_near(t->rho[places[i].i] / t->rho_per_N, places[i].N, places[i].digits),
              "density %zu: %.10e", places[i].i, t->rho[places[i].i] / t->rho_per_N);
}

static void
test_preset_nodes(const struct iris_line_table *t)
{
    static const struct {
        size_t i[3];
        double j, alpha;
    } nodes[] = {{{1, 32, 1}, 1.631028044e-24, 4.872642061e-10},
                 {{64, 63, 1}, 5.814398087e-18, 1.716184615e-3},
                 {{100, 63, 1}, 3.964994571e-13, 6.734300187},
                 {{127, 63, 1}, 1.420196606e-10, 223.0167703},
                 {{100, 63, 63}, 4.773750795e-13, -.3924892558},
                 {{100, 63, 0}, 9.332645112e-15, 3.625090968},
                 {{64, 0, 0}, 5.732535235e-18, 1.712666115e-3}};
    static const double slopes[2][6] = {{1.036071875e-13, 5.091816523e-14, 4.839302687e-15,
                                         .7109380769, -.9813461618, .01949499811},
                                        {3.101922771e-15, 0, 0, .9266891195, 0, 0}};
    double worst = 0;
    size_t i, k;

    for (i = 0; i < sizeof nodes / sizeof *nodes; i++) {
        const double *n = node(t, nodes[i].i[0], nodes[i].i[1], nodes[i].i[2]);

        CHECK(check_near(n[0], nodes[i].j, 4e-10) && check_near(n[4], nodes[i].alpha, 4e-10),
              "node %zu %zu %zu: %.9e, %.9e", nodes[i].i[0], nodes[i].i[1], nodes[i].i[2], n[0],
              n[4]);
    }
    for (i = 0; i < 2; i++) {
        const double *n = i ? node(t, 0, 0, 0) : node(t, 100, 63, 1);

        for (k = 0; k < 6; k++) {
            double d = n[1 + k / 3 * 4 + k % 3] - slopes[i][k];

            worst = fmax(worst, fabs(slopes[i][k]) > 0 ? fabs(d / slopes[i][k]) : fabs(d));
        }
    }
    CHECK(worst <= 5e-10, "gradients: %.1e", worst);
}

static void
test_preset(const struct iris_molecule *m)
{
    static const double places[4][5] = {{2e8, .45, 20, 3.52867475e-15, .490194226},
                                        {2e8, .45, 30, 4.80892982e-15, .541216701},
                                        {2e9, .5, 20, 1.23669198e-13, 4.31331868},
                                        {1e9, .3, 5e4, 9.77071356e-14, -9.16727821}};
    struct iris_line_table t = line_preset(m);
    double j, alpha;
    size_t i;

    test_preset_axes(&t);
    test_preset_nodes(&t);
    for (i = 0; i < 4; i++) {
        const double *p = places[i];

        iris_line_table_at(&t, &(struct iris_lookup){0}, p[0] * t.rho_per_N, p[1], p[2], &j,
                           &alpha);
        CHECK(check_near(j, p[3], 4e-9) && check_near(alpha, p[4], 4e-9),
              "look-up at %g, %g, %g K: %.8e, %.8e", p[0], p[1], p[2], j, alpha);
    }
    iris_line_table_release(&t);
}

int
main(void)
{
    const char *shared = check_shared();
    struct iris_molecule m;
    struct pair p;

    test_errors();
    test_parts();
    test_fine_axis();
    pair_init(&p);
    compare_units(&p.m, pair_law(6, 4, 5), "two levels");
    if (!shared) {
        check_skip("the reference's tables", "no shared reference data");
        return check_done();
    }
    m = line_molecule(shared);
    compare_units(&m, line_table_law(8, 3, 6), "13CO");
    test_golden(&m, shared);
    test_preset(&m);
    iris_molecule_release(&m);
    return check_done();
}
