/* The level balance against the reference's populations, an elimination in long
 * double, and what can be said on paper. */
#include "balance.h"
#include "balance_slow.h"
#include "line_molecule.h"

/* ---- small molecules ---- */

enum { SMALL = 4 };

struct small {
    struct iris_molecule m;
    double energy[SMALL], g[SMALL], T[IRIS_PARTNERS][2], rate[IRIS_PARTNERS][2 * SMALL * SMALL];
    struct iris_transition transition[SMALL];
    struct iris_level_pair pair[IRIS_PARTNERS][SMALL * SMALL];
};

/* Levels at 0, 5, 12, 21 cm^-1 with a ladder of transitions. */
static void
small_init(struct small *s, size_t n)
{
    size_t i;

    memset(s, 0, sizeof *s);
    s->m.n = n;
    s->m.energy = s->energy;
    s->m.g = s->g;
    s->m.transition = s->transition;
    for (i = 0; i < n; i++) {
        s->energy[i] = (double)(i * (i + 4));
        s->g[i] = (double)(2 * i + 1);
    }
    for (i = 1; i < n; i++)
        s->transition[i - 1] = (struct iris_transition){i, i - 1, 1e-7 * (double)i,
                                                        (s->energy[i] - s->energy[i - 1]) * 30};
    s->m.n_transitions = n - 1;
    for (i = 0; i < IRIS_PARTNERS; i++)
        s->m.with[i] = (struct iris_collisions){
            .T = s->T[i], .pair = s->pair[i], .rate = s->rate[i]};
}

/* One more rate: r at 10 K, r + slope at 20 K. */
static void
small_rate(struct small *s, enum iris_partner with, size_t up, size_t low, double r, double slope)
{
    struct iris_collisions *c = &s->m.with[with];

    c->n_T = 2;
    c->T[0] = 10;
    c->T[1] = 20;
    c->rate[2 * c->n] = r;
    c->rate[2 * c->n + 1] = r + slope;
    c->pair[c->n++] = (struct iris_level_pair){up, low};
}

/* Populations for one density; whether that went well. */
static enum iris_status
solve(const struct iris_molecule *m, const struct iris_balance_law *law, double T, double x,
      double N, double *p, struct iris_err *err)
{
    struct iris_balance b = {0};
    enum iris_status st = iris_balance_init(&b, m, law, err);

    iris_balance_temperature(&b, T);
    st = st ? st : iris_balance_solve(&b, x, &N, 1, p, err);
    iris_balance_release(&b);
    iris_balance_release(&b);
    return st;
}

/* p_upper / p_lower of two levels with C down at 10 K */
static double
two_level(const struct small *s, const struct iris_balance_law *law, double C, double N)
{
    struct iris_einstein e;
    double up;

    iris_einstein(&s->m, s->transition, law, &e);
    up = C * 3 * exp(-5 * 100 * law->h * law->c / (law->k * 10));
    return (N * up + e.J * e.B_lu) / (N * C + e.A + e.J * e.B_ul);
}

static void
test_two_levels(void)
{
    struct iris_balance_law law = line_balance_law();
    double p[2], N, worst = 0, sum = 0;
    struct small s;
    int cold;

    for (cold = 0; cold < 2; cold++) {
        law.T_continuum = cold ? NAN : 2.73;
        small_init(&s, 2);
        small_rate(&s, IRIS_H2, 1, 0, 3e-17, 0);
        for (N = 1e2; N < 1e16; N *= 7) {
            solve(&s.m, &law, 10, .3, N, p, NULL);
            worst = fmax(worst, fabs(p[1] / p[0] / two_level(&s, &law, .3 * 3e-17, N) - 1));
            sum = fmax(sum, fabs((p[0] + p[1]) / N - 1));
        }
    }
    CHECK(worst <= 1e-14 && sum <= 1e-15, "two levels: %.1e, sum %.1e", worst, sum);
}

/* What each partner counts for. */
static void
test_partners(void)
{
    static const struct {
        const char *what;
        double rate[IRIS_PARTNERS], expected; /* at x_H2 0.3, He 0.1, ortho 3 to 1 */
    } cases[] = {
        {"H2 only", {2e-17}, .3 * 2e-17},
        {"para and ortho", {0, 1e-17, 2e-17}, .3 * (.25 * 1e-17 + .75 * 2e-17)},
        {"H2 where para is missing", {4e-17, 0, 2e-17}, .3 * (.25 * 4e-17 + .75 * 2e-17)},
        {"H2 where ortho is missing", {4e-17, 1e-17, 0}, .3 * (.25 * 1e-17 + .75 * 4e-17)},
        {"H2 not where both are", {9e-17, 1e-17, 2e-17}, .3 * (.25 * 1e-17 + .75 * 2e-17)},
        {"H2 and H", {2e-17, 0, 0, 5e-17}, .3 * 2e-17 + .4 * 5e-17},
        {"H2 and He", {2e-17, 0, 0, 0, 5e-17}, .3 * 2e-17 + .1 * 5e-17},
        {"everything",
         {0, 1e-17, 2e-17, 3e-17, 4e-17},
         .3 * (.25 * 1e-17 + .75 * 2e-17) + .4 * 3e-17 + .1 * 4e-17},
    };
    struct iris_balance_law law = line_balance_law();
    struct small s;
    double p[2];
    size_t i;
    int k;

    for (i = 0; i < sizeof cases / sizeof *cases; i++) {
        small_init(&s, 2);
        for (k = 0; k < IRIS_PARTNERS; k++)
            if (cases[i].rate[k] > 0)
                small_rate(&s, (enum iris_partner)k, 1, 0, cases[i].rate[k], 0);
        solve(&s.m, &law, 10, .3, 1e9, p, NULL);
        CHECK(check_near(p[1] / p[0], two_level(&s, &law, cases[i].expected, 1e9), 1e-14),
              "collisions with %s", cases[i].what);
    }
}

static double
ratio_at(double slope, double T, int clamp)
{
    struct iris_balance_law law = line_balance_law();
    struct small s;
    double p[2];

    law.clamp_rates = clamp;
    law.T_continuum = NAN;
    small_init(&s, 2);
    s.energy[1] = 0; /* so that upward is three times downward whatever T */
    small_rate(&s, IRIS_H2, 1, 0, 4e-17, slope);
    solve(&s.m, &law, T, .5, 1e9, p, NULL);
    return p[1] / p[0];
}

/* N C 3 / (N C + A) */
static double
ratio_of(double rate)
{
    return 3 * .5e9 * rate / (.5e9 * rate + 1e-7);
}

static void
test_temperatures(void)
{
    CHECK(check_near(ratio_at(1e-17, 13, 0), ratio_of(4.3e-17), 1e-14), "between temperatures");
    CHECK(check_near(ratio_at(1e-17, 5, 0), ratio_of(3.5e-17), 1e-14) &&
              check_near(ratio_at(1e-17, 50, 0), ratio_of(8e-17), 1e-14),
          "beyond them the last interval goes on");
    CHECK(check_near(ratio_at(1e-17, 5, 1), ratio_of(4e-17), 1e-14) &&
              check_near(ratio_at(1e-17, 50, 1), ratio_of(5e-17), 1e-14),
          "held, the last rate does");
    CHECK(check_near(ratio_at(-2e-17, 40, 0), ratio_of(-2e-17), 1e-14), "a negative rate is used");
    CHECK(ratio_at(-8e-17, 20, 1) == 0 && ratio_at(-8e-17, 20, 0) != 0, "and held at zero");
}

static void
test_no_way_out(void)
{
    struct iris_balance_law law = line_balance_law();
    struct iris_err err = {0};
    struct small s;
    double p[4];

    small_init(&s, 4);
    small_rate(&s, IRIS_H2, 1, 0, 1e-17, 0);
    s.m.n_transitions = 2;
    CHECK(solve(&s.m, &law, 15, .5, 1e9, p, &err) == IRIS_E_DATA && strstr(err.msg, "level 4"),
          "a level without rates: %s", err.msg);
    err.msg[0] = '\0';
    s.rate[IRIS_H2][0] = s.rate[IRIS_H2][1] = -1e-17;
    CHECK(solve(&s.m, &law, 15, .5, 1e9, p, &err) == IRIS_E_DATA && err.msg[0],
          "and where another rate is negative: %s", err.msg);
    s.m.n_transitions = 3;
    CHECK(!solve(&s.m, &law, 15, .5, 1e9, p, &err), "not with a transition");
}

/* Any number of densities, each as it is alone. */
static void
test_lanes(void)
{
    struct iris_balance_law law = line_balance_law();
    double N[21], all[21 * 4], one[4];
    size_t n, i, bad = 0;
    struct iris_balance b = {0};
    struct small s;

    small_init(&s, 4);
    for (i = 1; i < 4; i++)
        small_rate(&s, IRIS_H2, i, i - 1, 1e-17 * (double)i, 1e-18);
    for (i = 0; i < 21; i++)
        N[i] = i % 5 ? pow(10, (double)i) : 0;
    iris_balance_init(&b, &s.m, &law, NULL);
    iris_balance_temperature(&b, 17);
    for (n = 0; n <= 21; n++) {
        memset(all, 0xff, sizeof all);
        iris_balance_solve(&b, .4, N, n, all, NULL);
        for (i = 0; i < n; i++) {
            iris_balance_solve(&b, .4, N + i, 1, one, NULL);
            bad += memcmp(one, all + 4 * i, sizeof one) != 0;
        }
        for (i = 4 * n; i < 84; i++)
            bad += isnan(all[i]) ? 0 : 1;
    }
    CHECK(!bad, "0 to 21 densities at once: %zu differ", bad);
    iris_balance_release(&b);
}

/* ---- the molecule of the preset ---- */

static void
test_einstein(const struct iris_molecule *m)
{
    struct iris_balance_law law = line_balance_law();
    struct iris_einstein e;

    iris_einstein(m, iris_molecule_transition(m, 2, 1), &law, &e);
    CHECK(check_near(e.B_ul, 3824913597.6, 2e-11) && check_near(e.B_lu, 6374855996.0, 2e-11),
          "coefficients of 2-1: %.2f, %.2f", e.B_ul, e.B_lu);
    CHECK(check_near(law.h * e.nu / law.k, 10.5774683, 5e-9), "h nu / k");
    CHECK(check_near(e.J, 3.34731757e-18, 2e-9), "radiation at 2-1: %.9e", e.J);
    iris_einstein(m, iris_molecule_transition(m, 1, 0), &law, &e);
    CHECK(check_near(e.J, 3.32215135e-18, 2e-9), "radiation at 1-0: %.9e", e.J);
    law.T_continuum = NAN;
    iris_einstein(m, iris_molecule_transition(m, 1, 0), &law, &e);
    CHECK(e.J == 0, "no radiation");
}

static void
test_radiative(const struct iris_molecule *m, const char *shared)
{
    double *golden = line_golden(shared, "chem_A_f64.npy", 41 * 41), out, worst = 0;
    struct iris_balance_law law = line_balance_law();
    struct iris_balance b = {0};
    size_t i, j;

    iris_balance_init(&b, m, &law, NULL);
    for (i = 1; i < 41; i++) {
        for (out = 0, j = 0; j < 41; j++) {
            double expected = golden[i * 41 + j], got = b.radiative[j * 41 + i];

            out += b.radiative[i * 41 + j];
            if (i != j && (expected != 0 || got != 0))
                worst = fmax(worst, fabs(got / expected - 1));
        }
        worst = fmax(worst, fabs(out / golden[i * 41 + i] + 1));
    }
    CHECK(worst <= 1e-13, "the reference's radiative matrix: %.1e", worst);
    iris_balance_release(&b);
    free(golden);
}

struct errors {
    double of_max, point;
};

static struct errors
errors_of(const double *got, const double *expected, size_t n)
{
    struct errors e = {0};
    double size = 0;
    size_t i;

    for (i = 0; i < n; i++) {
        double d = fabs(got[i] - expected[i]);

        size = fmax(size, fabs(expected[i]));
        e.of_max = d <= e.of_max ? e.of_max : d;
        d = d > 0 ? d / fabs(expected[i]) : 0;
        e.point = d <= e.point ? e.point : d;
    }
    e.of_max /= size;
    return e;
}

static void
test_golden(const struct iris_molecule *m, const char *shared)
{
    enum { N_N = 16, N_X = 8, N_T = 12, ALL = N_N * N_X * N_T };
    static const char *const name[] = {"pop_lower_f64.npy", "pop_upper_f64.npy"};
    double N[N_N], p[N_N * 41], *got = need(2 * ALL * sizeof *got), *golden;
    struct iris_balance_law law = line_balance_law();
    struct iris_balance b = {0};
    struct errors e;
    size_t i, x, T;

    for (i = 0; i < N_N; i++)
        N[i] = sinh((double)i * asinh(1e12) / (N_N - 1));
    iris_balance_init(&b, m, &law, NULL);
    for (T = 0; T < N_T; T++) {
        iris_balance_temperature(&b, 3000. * (double)T / (N_T - 1));
        for (x = 0; x < N_X; x++) {
            iris_balance_solve(&b, .5 * (double)x / (N_X - 1), N, N_N, p, NULL);
            for (i = 0; i < N_N; i++) {
                got[(i * N_X + x) * N_T + T] = p[i * 41 + 1];
                got[ALL + (i * N_X + x) * N_T + T] = p[i * 41 + 2];
            }
        }
    }
    for (i = 0; i < 2; i++) {
        golden = line_golden(shared, name[i], ALL);
        e = errors_of(got + i * ALL, golden, ALL);
        CHECK(e.of_max <= 1e-11 && e.point <= 1e-8, "%s: %.1e of the greatest, %.1e at any",
              name[i], e.of_max, e.point);
        free(golden);
    }
    iris_balance_release(&b);
    free(got);
}

static double
against_slow(const struct iris_molecule *m, const struct iris_balance_law *law, double T)
{
    static const double N[] = {0, 1e-3, 1, 1e3, 1e6, 1e9, 1e12, 1e15, 1e20}, x[] = {0, .1, .37, .5};
    enum { N_N = sizeof N / sizeof *N };
    double p[N_N * 41], worst = 0;
    struct iris_balance b = {0};
    real slow[41];
    size_t i, j, k;

    iris_balance_init(&b, m, law, NULL);
    iris_balance_temperature(&b, T);
    for (k = 0; k < sizeof x / sizeof *x; k++) {
        if (iris_balance_solve(&b, x[k], N, N_N, p, NULL))
            worst = INFINITY;
        for (i = 0; i < N_N; i++) {
            slow_solve(m, law, T, x[k], N[i], slow);
            for (j = 0; j < 41; j++) {
                double d = (double)fabsl(p[i * 41 + j] - slow[j]);

                d = d > 0 ? d / N[i] : d;
                worst = d <= worst ? worst : d;
            }
        }
    }
    iris_balance_release(&b);
    return worst;
}

static void
test_slow(const struct iris_molecule *m)
{
    static const double T[] = {0, 2, 3, 4.9, 11, 100, 2999, 3000, 5000, 2e4};
    struct iris_balance_law law = line_balance_law();
    size_t i;
    int k;

    for (k = 0; k < 4; k++) {
        double worst = 0, e;

        law.T_continuum = k & 1 ? NAN : 2.73;
        law.clamp_rates = k >> 1;
        for (i = 0; i < sizeof T / sizeof *T; i++) {
            e = against_slow(m, &law, T[i]);
            worst = e <= worst ? worst : e;
        }
        CHECK(worst <= 1e-12, "populations, %s radiation, %s rates: %.1e of the density",
              k & 1 ? "no" : "with", k >> 1 ? "held" : "extrapolated", worst);
    }
}

static void
test_dense(const struct iris_molecule *m)
{
    struct iris_balance_law law = line_balance_law();
    double p[41], Z, worst = 0, T;
    size_t i;

    for (T = 5; T < 3000; T *= 2) {
        solve(m, &law, T, .5, 1e22, p, NULL);
        for (Z = 0, i = 0; i < 41; i++)
            Z += m->g[i] * exp(-m->energy[i] * 100 * law.h * law.c / (law.k * T));
        for (i = 0; i < 41; i++)
            worst = fmax(
                worst, fabs(p[i] / 1e22 -
                            m->g[i] / Z * exp(-m->energy[i] * 100 * law.h * law.c / (law.k * T))));
    }
    CHECK(worst <= 1e-6, "dense gas is in Boltzmann's equilibrium: %.1e", worst);
}

int
main(void)
{
    const char *shared = check_shared();
    struct iris_molecule m;

    test_two_levels();
    test_partners();
    test_temperatures();
    test_no_way_out();
    test_lanes();
    if (!shared) {
        check_skip("the reference's molecule", "no shared reference data");
        return check_done();
    }
    m = line_molecule(shared);
    test_einstein(&m);
    test_radiative(&m, shared);
    test_golden(&m, shared);
    test_slow(&m);
    test_dense(&m);
    iris_molecule_release(&m);
    return check_done();
}
