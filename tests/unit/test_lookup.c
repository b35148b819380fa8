/* Look-ups in a line table, between and beyond its nodes. */
#include "line_pair.h"

static const struct iris_lookup nearest = {0}, held = {.clamp = 1}, linear = {.multilinear = 1};

/* A place in a table: inside, or (out) up to as much again beyond its ends. */
static void
draw_place(const struct iris_line_table *t, uint64_t *state, int out, double at[3])
{
    double lo = out ? -1 : 0, hi = out ? 2 : 1, T0 = t->T[0], T1 = t->T[t->n_T - 1];
    double q = uniform(state, out ? 0 : lo, out ? 1.02 : hi) * t->dq * (double)(t->n_N - 1);

    at[0] = sinh(q) * t->bolic * t->rho_per_N;
    at[1] = .5 * uniform(state, lo, hi);
    at[2] = T0 + (T1 - T0) * uniform(state, out ? 0 : lo, hi);
    at[2] = fmax(at[2], T1 * 1e-3);
}

/* The index nearest to u. */
static size_t
round_to(double u, size_t n)
{
    double i = floor(u + .5);

    return i < 0 ? 0 : i > (double)(n - 1) ? n - 1 : (size_t)i;
}

static void
test_nearest(const struct iris_line_table *t)
{
    uint64_t state = 5;
    double at[3], j, alpha, worst = 0, exact = 0, at_nodes = 0;
    size_t i, k;

    for (k = 0; k < 2000; k++) {
        const double *n;
        double d[3];
        size_t iN, ix, iT;

        draw_place(t, &state, (int)(k % 2), at);
        iris_line_table_at(t, &nearest, at[0], at[1], at[2], &j, &alpha);
        iN = round_to(asinh(at[0] / (t->bolic * t->rho_per_N)) / t->dq, t->n_N);
        ix = round_to(at[1] / .5 * (double)(t->n_x - 1), t->n_x);
        iT = round_to(t->fine ? log(at[2] / t->T[0]) / log(t->T[1] / t->T[0]) : at[2] / t->T[1],
                      t->n_T);
        n = node(t, iN, ix, iT);
        d[0] = at[0] - t->rho[iN];
        d[1] = at[1] - t->x[ix];
        d[2] = at[2] - t->T[iT];
        for (i = 0; i < 2; i++, n += 4) {
            double size = fabs(n[0]) + fabs(n[1] * d[0]) + fabs(n[2] * d[1]) + fabs(n[3] * d[2]);
            double sum = n[0] + n[1] * d[0] + n[2] * d[1] + n[3] * d[2];

            worst = fmax(worst, fabs((i ? alpha : j) - sum) / size);
        }
    }
    CHECK(worst <= 1e-14, "the nearest node and its gradients: %.1e", worst);
    for (k = 0; k < t->n_N * t->n_x * t->n_T; k++) {
        size_t iT = k % t->n_T, ix = k / t->n_T % t->n_x, iN = k / t->n_T / t->n_x;
        const double *n = node(t, iN, ix, iT);

        iris_line_table_at(t, &nearest, t->rho[iN], t->x[ix], t->T[iT], &j, &alpha);
        exact = fmax(exact, fabs(j - n[0]) + fabs(alpha - n[4]));
        iris_line_table_at(t, &linear, t->rho[iN], t->x[ix], t->T[iT], &j, &alpha);
        at_nodes = fmax(at_nodes, fabs(j - n[0]) + fabs(alpha - n[4]));
    }
    CHECK(exact == 0, "exact at nodes");
    CHECK(at_nodes <= 1e-14, "multilinear at nodes: %.1e", at_nodes);
}

/* Values from -1 to 1 without any order. */
static void
scramble(struct iris_line_table *t)
{
    size_t i, n = t->n_N * t->n_x * t->n_T;
    uint64_t state = 9;

    for (i = 0; i < n; i++) {
        t->node[i * IRIS_NODE] = uniform(&state, -1, 1);
        t->node[i * IRIS_NODE + IRIS_NODE_A] = uniform(&state, -1, 1);
    }
    iris_line_table_gradients(t);
}

/* A place moved to within the table. */
static void
hold(const struct iris_line_table *t, const double at[3], double in[3])
{
    in[0] = fmin(fmax(at[0], t->rho[0]), t->rho[t->n_N - 1]);
    in[1] = fmin(fmax(at[1], 0), .5);
    in[2] = fmin(fmax(at[2], t->T[0]), t->T[t->n_T - 1]);
}

static void
test_held(const struct iris_line_table *t)
{
    uint64_t state = 6;
    double at[3], in[3], v[4][2];
    size_t k, bad = 0, beyond = 0;

    for (k = 0; k < 2000; k++) {
        draw_place(t, &state, 1, at);
        hold(t, at, in);
        iris_line_table_at(t, &held, at[0], at[1], at[2], &v[0][0], &v[0][1]);
        iris_line_table_at(t, &nearest, in[0], in[1], in[2], &v[1][0], &v[1][1]);
        iris_line_table_at(t, &linear, at[0], at[1], at[2], &v[2][0], &v[2][1]);
        iris_line_table_at(t, &linear, in[0], in[1], in[2], &v[3][0], &v[3][1]);
        bad += memcmp(v[0], v[1], sizeof v[0]) || memcmp(v[2], v[3], sizeof v[2]);
        iris_line_table_at(t, &nearest, at[0], at[1], at[2], &v[1][0], &v[1][1]);
        beyond += v[0][0] != v[1][0];
    }
    CHECK(!bad, "held at the ends: %zu differ", bad);
    CHECK(beyond > 1000, "which the nearest node's gradients go beyond: %zu", beyond);
}

/* No jump where a value moves from one cell to the next. */
static void
test_continuous(const struct iris_line_table *t)
{
    uint64_t state = 7;
    double at[3], j[2], alpha, jump = 0, step = 0;
    const double *axis[3] = {t->rho, t->x, t->T};
    const size_t n[3] = {t->n_N, t->n_x, t->n_T};
    size_t k;

    for (k = 0; k < 3000; k++) {
        size_t d = k % 3, i = 1 + (size_t)uniform(&state, 0, (double)(n[d] - 2));

        draw_place(t, &state, 0, at);
        at[d] = axis[d][i] * (1 - 1e-12);
        iris_line_table_at(t, &linear, at[0], at[1], at[2], &j[0], &alpha);
        at[d] = axis[d][i] * (1 + 1e-12);
        iris_line_table_at(t, &linear, at[0], at[1], at[2], &j[1], &alpha);
        jump = fmax(jump, fabs(j[1] - j[0]));
        at[d] = (axis[d][i - 1] + axis[d][i]) / 2;
        iris_line_table_at(t, &linear, at[0], at[1], at[2], &j[1], &alpha);
        step = fmax(step, fabs(j[1] - j[0]));
    }
    CHECK(jump <= 1e-9 && step > .1, "multilinear is continuous: %.1e (steps to %.1e)", jump, step);
}

/* A function linear in each coordinate is the table. */
static void
test_linear(struct iris_line_table *t)
{
    double rho1 = t->rho[t->n_N - 1], T1 = t->T[t->n_T - 1], at[3], j, alpha, worst = 0;
    uint64_t state = 8;
    size_t i, n = t->n_N * t->n_x * t->n_T;

    for (i = 0; i < n; i++) {
        double r = t->rho[i / t->n_T / t->n_x] / rho1, x = t->x[i / t->n_T % t->n_x];
        double T = t->T[i % t->n_T] / T1;

        t->node[i * IRIS_NODE] = 1 + 2 * r - 3 * x + 5 * T;
        t->node[i * IRIS_NODE + IRIS_NODE_A] = (1 + r) * (2 - x) * (3 + T);
    }
    for (i = 0; i < 2000; i++) {
        double r, x, T;

        draw_place(t, &state, 0, at);
        at[2] = fmax(at[2], t->T[0]);
        r = at[0] / rho1;
        x = at[1];
        T = at[2] / T1;
        iris_line_table_at(t, &linear, at[0], at[1], at[2], &j, &alpha);
        worst = fmax(worst, fabs(j - (1 + 2 * r - 3 * x + 5 * T)));
        worst = fmax(worst, fabs(alpha - (1 + r) * (2 - x) * (3 + T)));
    }
    CHECK(worst <= 1e-13, "multilinear reproduces what is: %.1e", worst);
}

static void
test_lookups(int fine)
{
    struct iris_table_law law = pair_law(9, 5, 7);
    struct iris_line_table t;
    struct pair p;

    printf("# a table %s\n", fine ? "in equal ratios" : "even in T");
    pair_init(&p);
    law.fine = fine;
    t = made(&p.m, &law);
    scramble(&t);
    test_nearest(&t);
    test_held(&t);
    test_continuous(&t);
    test_linear(&t);
    iris_line_table_release(&t);
}

/* Worst difference to the level balance itself, over a sample of places. */
static double
error_at(const struct iris_molecule *m, size_t n)
{
    struct iris_table_law law = pair_law(n, n, n);
    struct iris_line_table t;
    struct iris_balance b = {0};
    struct iris_einstein e;
    double worst = 0, size = 0, p[2], j, alpha;
    uint64_t state = 3;
    size_t i;

    law.fine = 1;
    law.N_max = 1e10;
    t = made(m, &law);
    iris_balance_init(&b, m, &law.balance, NULL);
    iris_einstein(m, m->transition, &law.balance, &e);
    for (i = 0; i < 1000; i++) {
        double N = log_uniform(&state, 1, 1e10), x = uniform(&state, 0, .5);
        double T = log_uniform(&state, 2, 3000), expected;

        iris_balance_temperature(&b, T);
        iris_balance_solve(&b, x, &N, 1, p, NULL);
        expected = law.balance.h * e.nu / (4 * LINE_PI) * p[1] * e.A * law.units.mass /
                   (law.units.length * pow(law.units.time, 3));
        iris_line_table_at(&t, &linear, N / law.number * t.rho_per_N / pow(law.units.length, 3), x,
                           T, &j, &alpha);
        worst = fmax(worst, fabs(j - expected));
        size = fmax(size, expected);
    }
    iris_balance_release(&b);
    iris_line_table_release(&t);
    return worst / size;
}

static void
test_resolution(void)
{
    double coarse, middle, finest;
    struct pair p;

    pair_init(&p);
    coarse = error_at(&p.m, 9);
    middle = error_at(&p.m, 17);
    finest = error_at(&p.m, 33);
    CHECK(middle < coarse / 1.7 && finest < middle / 2.5,
          "errors fall with the number of nodes: %.1e, %.1e, %.1e", coarse, middle, finest);
}

int
main(void)
{
    test_lookups(0);
    test_lookups(1);
    test_resolution();
    return check_done();
}
