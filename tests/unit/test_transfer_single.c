/* The fast arithmetic against the precise one, ray by ray, where single
 * precision, windows and shortcuts could fail. More rays a case: give their
 * number as an argument. */
#include "line_case.h"

#include "line_molecule.h"
#include "simd.h"

enum { STEPS = 512, CHANNELS = 512 };

/* What the steps of a ray are drawn from; ranges in the logarithm but for v. */
struct recipe {
    const char *name;
    double T[2], T_dust[2], tau[2], source[2], dust[2];
    double v[2];      /* of the steps, in units of half the band */
    double band;      /* half of it, 100 km/s */
    double empty;     /* share of steps without gas */
    double inf;       /* share of steps of infinite temperature */
    double maser;     /* share of steps whose line amplifies */
    double maser_tau; /* most that it does */
    double keep;      /* share of steps that are as the one before */
    size_t q;
    int average;
};

/* clang-format off */
static const struct recipe recipes[] = {
    /* T, T_dust, tau, source, dust, v, band, empty, inf, maser, maser_tau, keep, q, average */
    {"a cloudy ray",
     {5, 200}, {5, 60}, {1e-4, 3}, {.3, 10}, {1e-6, 1e-3}, {-1, 1}, 2, .2, .05, 0, 0, .5, 1, 0},
    {"its channel centres",
     {5, 200}, {5, 60}, {1e-4, 3}, {.3, 10}, {1e-6, 1e-3}, {-1, 1}, 2, .2, .05, 0, 0, .5, 0, 0},
    {"two sub-channels",
     {5, 200}, {5, 60}, {1e-4, 3}, {.3, 10}, {1e-6, 1e-3}, {-1, 1}, 2, .2, .05, 0, 0, .5, 2, 0},
    {"averaged profiles",
     {5, 200}, {5, 60}, {1e-4, 3}, {.3, 10}, {1e-6, 1e-3}, {-1, 1}, 2, .2, .05, 0, 0, .5, 1, 1},
    {"averaged, channel centres",
     {5, 200}, {5, 60}, {1e-4, 3}, {.3, 10}, {1e-6, 1e-3}, {-1, 1}, 2, .2, .05, 0, 0, .5, 0, 1},
    {"averaged, two sub-channels",
     {5, 200}, {5, 60}, {1e-4, 3}, {.3, 10}, {1e-6, 1e-3}, {-1, 1}, 2, .2, .05, 0, 0, .5, 2, 1},
    {"3 K to 1e5 K",
     {3, 1e5}, {3, 1e3}, {1e-4, 10}, {.3, 1e4}, {1e-7, 1e-2}, {-1, 1}, 2, .3, .1, 0, 0, 0, 1, 0},
    {"mostly empty",
     {10, 100}, {5, 60}, {.01, 10}, {.3, 10}, {1e-6, 1e-2}, {-1, 1}, 2, .98, .01, 0, 0, 0, 1, 0},
    {"one velocity",
     {10, 30}, {5, 60}, {.01, 1}, {.3, 10}, {1e-6, 1e-3}, {.1, .101}, 2, .1, 0, 0, 0, .9, 1, 0},
    {"weak masers",
     {10, 1e4}, {5, 60}, {1e-4, 1}, {.3, 10}, {1e-6, 1e-3}, {-1, 1}, 2, .1, 0, .3, .1, .3, 1, 0},
    {"masers",
     {10, 1e4}, {5, 60}, {1e-4, 1}, {.3, 10}, {1e-6, 1e-3}, {-1, 1}, 2, .1, 0, .1, 1.4, .3, 1, 0},
    {"strong masers",
     {10, 1e4}, {5, 60}, {1e-4, 1}, {.3, 10}, {1e-6, 1e-3}, {-1, 1}, 2, .1, 0, .05, 30, .3, 1, 0},
    {"masers near a zero of the denominator",
     {10, 1e3}, {5, 60}, {.9, 1.1}, {.3, 10}, {1e-6, 1e-3}, {-1, 1}, .2, .1, 0, .02, 1.55, 0, 1, 0},
    {"opaque dust, hot and cold",
     {10, 100}, {1, 1e3}, {.01, 10}, {.3, 10}, {.1, 600}, {-1, 1}, .2, .1, .05, 0, 0, .3, 1, 0},
    {"opaque dust",
     {10, 100}, {5, 60}, {.01, 10}, {.3, 10}, {.1, 600}, {-1, 1}, 2, .1, .05, 0, 0, .3, 1, 0},
    {"most opaque dust",
     {10, 100}, {5, 60}, {.01, 1e4}, {.3, 10}, {600, 601}, {-1, 1}, 2, 0, 0, 0, 0, 0, 1, 0},
    {"opaque lines",
     {10, 1e3}, {5, 60}, {1, 600}, {.3, 10}, {1e-6, 1e-3}, {-1, 1}, 2, .1, .05, 0, 0, .3, 1, 0},
    {"most opaque lines",
     {10, 1e3}, {5, 60}, {600, 1e4}, {.3, 10}, {1e-6, 1e-1}, {-1, 1}, 2, .1, 0, 0, 0, .3, 1, 0},
    {"opaque wide lines",
     {1e4, 1e5}, {5, 60}, {1, 1e4}, {.3, 10}, {1e-6, 1e-1}, {-1, 1}, .2, .1, 0, 0, 0, .3, 1, 0},
    {"a faint line",
     {10, 100}, {20, 30}, {1e-9, 1e-7}, {.3, 10}, {1e-5, 1e-3}, {-1, 1}, 2, .1, 0, 0, 0, .3, 1, 0},
    {"a faint line before opaque dust",
     {10, 100}, {20, 30}, {1e-7, 1e-5}, {.3, 10}, {.1, 1}, {-1, 1}, 2, .1, 0, 0, 0, .3, 1, 0},
    {"at the edge of the band",
     {10, 100}, {5, 60}, {.01, 10}, {.3, 10}, {1e-6, 1e-3}, {.99, 1.01}, 2, .1, 0, 0, 0, .3, 1, 0},
    {"at the other edge",
     {10, 100}, {5, 60}, {.01, 10}, {.3, 10}, {1e-6, 1e-3}, {-1.01, -.99}, 2, .1, 0, 0, 0, .3, 1, 0},
    {"outside the band",
     {10, 100}, {5, 60}, {.01, 10}, {.3, 10}, {1e-6, 1e-3}, {1.05, 1.5}, 2, .1, 0, 0, 0, .3, 1, 0},
    {"narrow lines",
     {3, 3.1}, {5, 60}, {.01, 30}, {.3, 3}, {1e-6, 1e-3}, {-1, 1}, 2, .1, 0, 0, 0, .3, 1, 0},
    {"a wide band",
     {3, 100}, {5, 60}, {.01, 30}, {.3, 3}, {1e-6, 1e-3}, {-1, 1}, 20, .1, .05, 0, 0, .3, 1, 0},
    {"lines wider than the band",
     {1e4, 1e5}, {5, 60}, {.01, 3}, {.3, 10}, {1e-6, 1e-3}, {-1, 1}, .02, .1, .05, 0, 0, .3, 1, 0},
    {"dust hotter than gas",
     {5, 20}, {100, 1e3}, {.01, 3}, {.1, 2}, {1e-3, 1}, {-1, 1}, 2, .1, 0, 0, 0, .3, 1, 0},
    {"dust colder than gas",
     {100, 1e3}, {1, 5}, {.01, 3}, {10, 100}, {1e-3, 1}, {-1, 1}, 2, .1, 0, 0, 0, .3, 1, 0},
    {"steps at the formal limit",
     {50, 1e3}, {5, 60}, {5e-7, 2e-6}, {.3, 10}, {9e-7, 1.1e-6}, {-1, 1}, .1, 0, 0, 0, 0, 0, 1, 0},
    {"dust at the formal limit",
     {50, 1e3}, {5, 60}, {.01, 1}, {.3, 10}, {9.9e-7, 1.01e-6}, {-1, 1}, .2, 0, 0, 0, 0, 0, 1, 0},
    {"a faint line over warm thin dust",
     {50, 1e3}, {1e3, 3e3}, {1e-9, 1e-6}, {.9, 1.1}, {1e-7, 9e-7}, {-1, 1}, .1, 0, 0, 0, 0, 0, 1, 0},
    {"almost no dust",
     {10, 100}, {5, 60}, {1e-3, 3}, {.3, 10}, {1e-12, 1e-9}, {-1, 1}, 2, .1, 0, 0, 0, .3, 1, 0},
};
/* clang-format on */

static int rays_a_case = 1;

static double
drawn(uint64_t *state, const double range[2])
{
    return log_uniform(state, range[0], range[1]);
}

static void
draw(const struct recipe *r, const struct line_hand *hand, const struct iris_transfer_law *law,
     uint64_t *state, struct line_ray *ray)
{
    struct line_step s = {0};
    size_t i;

    for (i = 0; i < ray->n; i++) {
        double fate = uniform(state, 0, 1);

        if (!i || uniform(state, 0, 1) > r->keep)
            s = (struct line_step){.v = r->band * uniform(state, r->v[0], r->v[1]),
                                   .T = drawn(state, r->T),
                                   .T_dust = drawn(state, r->T_dust),
                                   .tau = drawn(state, r->tau),
                                   .source = drawn(state, r->source),
                                   .tau_dust = drawn(state, r->dust)};
        s.tau = fabs(s.tau);
        if (uniform(state, 0, 1) < r->maser)
            s.tau = -fmin(s.tau, 1) * r->maser_tau;
        line_hand_step(hand, law, &s, ray, i);
        if (fate < r->empty)
            ray->f[fate < r->empty / 2 ? IRIS_RHO : IRIS_T][i] = 0;
        else if (fate < r->empty + r->inf)
            ray->f[IRIS_T][i] = INFINITY;
    }
}

/* max |a - b| / max |b|; infinite where a is not finite */
static double
compare(const double *a, const double *b, size_t n, double *peak, size_t *where)
{
    double worst = 0;
    size_t i;

    *peak = 0;
    *where = 0;
    for (i = 0; i < n; i++) {
        double d = isfinite(a[i]) && isfinite(b[i]) ? fabs(a[i] - b[i]) : INFINITY;

        *peak = fmax(*peak, fabs(b[i]));
        if (d > worst) {
            worst = d;
            *where = i;
        }
    }
    return *peak > 0 ? worst / *peak : worst;
}

static double
limit(const struct iris_transfer_law *law)
{
    return law->transfer == IRIS_THICK && law->integration == IRIS_FORMAL ? 3e-5 : 1e-5;
}

/* The worst of many rays. */
struct worst {
    double ratio, peak, fast, precise;
    size_t channel;
    uint64_t seed;
};

/* Rays that another level of instructions gave other bytes. */
static int levels_differ;

static void
run_both(struct iris_transfer_law *law, const struct iris_line *line, const struct line_ray *ray,
         double *fast, double *precise)
{
    double other[CHANNELS];
    size_t k;

    law->precise = 1;
    line_run(law, line, 1, ray, precise);
    law->precise = 0;
    line_run(law, line, 1, ray, fast);
    for (k = 0; (law->kernels = iris_kernels_at(k)); k++) {
        line_run(law, line, 1, ray, other);
        levels_differ += memcmp(fast, other, sizeof other) != 0;
    }
}

static void
judge(const double *fast, const double *precise, uint64_t seed, struct worst *w)
{
    double peak, ratio;
    size_t at;

    ratio = compare(fast, precise, CHANNELS, &peak, &at);
    if (!(ratio <= w->ratio))
        *w = (struct worst){ratio, peak, fast[at], precise[at], at, seed};
}

static void
try_ray(struct iris_transfer_law *law, const struct iris_line *line, const struct line_ray *ray,
        uint64_t seed, struct worst *w)
{
    double fast[CHANNELS], precise[CHANNELS];

    run_both(law, line, ray, fast, precise);
    judge(fast, precise, seed, w);
}

/* law with one of the six transfers */
static void
choose(struct iris_transfer_law *law, int i)
{
    law->transfer = (enum iris_transfer)(i / 2);
    law->integration = (enum iris_integration)(i % 2);
}

/* Eight rays side by side are what each is alone, and so are the first few. */
static void
test_bundle(const struct recipe *r)
{
    enum { ROW = 11 }; /* from one sample of a ray to the next */
    static double alone[IRIS_SOLVER_RAYS][CHANNELS], together[IRIS_SOLVER_RAYS][CHANNELS];
    static double v[STEPS * ROW];
    static float field[IRIS_FIELDS][STEPS * ROW];
    struct iris_transfer_law law = line_transfer_law(STEPS, CHANNELS);
    struct line_ray ray = line_ray_new(STEPS);
    size_t n, k, s, f, bad = 0;
    struct line_hand hand;
    int i;

    line_hand_init(&hand, 29, &law.units);
    for (i = 0; i < 6; i++) {
        struct iris_solver *t;

        choose(&law, i);
        law.far_to_near = i % 2;
        t = line_solver(&law, &hand.line, 1);
        for (n = 1; n <= IRIS_SOLVER_RAYS; n += n < 3 ? 1 : 5) {
            struct iris_rays rays = {.n = n, .v = v, .v_row = ROW, .row = ROW};

            for (f = 0; f < IRIS_FIELDS; f++)
                rays.field[f] = field[f];
            for (k = 0; k < n; k++) {
                uint64_t state = 77 * k + n;

                draw(r, &hand, &law, &state, &ray);
                for (s = 0; s < STEPS; s++) {
                    v[s * ROW + k] = ray.f[IRIS_V_R][s];
                    for (f = IRIS_V_R + 1; f < IRIS_FIELDS; f++)
                        ray.f[f][s] = (double)(field[f][s * ROW + k] = (float)ray.f[f][s]);
                }
                line_run(&law, &hand.line, 1, &ray, alone[k]);
            }
            iris_solver_rays(t, &rays, together[0]);
            bad += memcmp(alone, together, n * sizeof *alone) != 0;
        }
        iris_solver_free(t);
    }
    CHECK(!bad, "%s: rays side by side, %zu differ", r->name, bad);
    line_ray_free(&ray);
}

static void
report(const char *what, const struct iris_transfer_law *law, const struct worst *w)
{
    CHECK(w->ratio <= limit(law), "%s, %s: %.1e of the peak", what, line_transfer_name(law),
          w->ratio);
    if (w->ratio > limit(law))
        printf("# seed %llu, channel %zu: fast %.9e, precise %.9e, peak %.3e\n",
               (unsigned long long)w->seed, w->channel, w->fast, w->precise, w->peak);
}

static void
test_recipe(const struct recipe *r)
{
    struct iris_transfer_law law = line_transfer_law(STEPS, CHANNELS);
    struct line_ray ray = line_ray_new(STEPS);
    struct line_hand hand;
    int i, k, rays = r->maser > 0 ? 10 * rays_a_case : rays_a_case; /* few are wild */

    line_hand_init(&hand, 29, &law.units);
    law.v_min = -r->band;
    law.v_max = r->band;
    law.v_subsamples = r->q;
    law.cell_average = r->average;
    for (i = 0; i < 6; i++) {
        struct worst w = {0};

        choose(&law, i);
        for (k = 0; k < rays; k++) {
            uint64_t seed = (uint64_t)k * 1000 + 1, state = seed;

            law.far_to_near = k % 2;
            draw(r, &hand, &law, &state, &ray);
            try_ray(&law, &hand.line, &ray, seed, &w);
        }
        report(r->name, &law, &w);
    }
    line_ray_free(&ray);
}

/* Gas whose source function is the continuum but for a part in `excess`: what
 * is left after subtraction is that part. */
static void
test_equilibrium(double excess)
{
    struct iris_transfer_law law = line_transfer_law(STEPS, CHANNELS);
    struct line_ray ray = line_ray_new(STEPS);
    struct line_hand hand;
    char name[80];
    size_t s;
    int i;

    snprintf(name, sizeof name, "a source within %g of the continuum", excess);
    line_hand_init(&hand, 29, &law.units);
    for (i = 0; i < 6; i++) {
        struct worst w = {0};
        uint64_t state = 7;
        double B;

        choose(&law, i);
        if (law.transfer == IRIS_THIN)
            continue;
        B = line_planck(&law, hand.table.nu, 2.73) / line_planck(&law, hand.table.nu, 10);
        for (s = 0; s < STEPS; s++) {
            struct line_step step = {uniform(&state, -.01, .01),
                                     uniform(&state, 10, 30),
                                     2.73,
                                     log_uniform(&state, 1e-2, 1),
                                     B * (1 + excess * uniform(&state, .5, 1)),
                                     1e-5};

            line_hand_step(&hand, &law, &step, &ray, s);
        }
        law.v_min = -.05;
        law.v_max = .05;
        try_ray(&law, &hand.line, &ray, 7, &w);
        report(name, &law, &w);
    }
    line_ray_free(&ray);
}

/* Lines that reach the formal method's limit for absorption within a part in a
 * million, at their centre, on a place of the grid. */
static void
test_limit(void)
{
    struct iris_transfer_law law = line_transfer_law(STEPS, CHANNELS);
    struct line_ray ray = line_ray_new(STEPS);
    struct worst w = {0};
    struct line_hand hand;
    size_t s;

    choose(&law, 1);
    law.v_subsamples = 0;
    line_hand_init(&hand, 29, &law.units);
    hand.line.kappa = 1e-17;
    for (s = 0; s < STEPS; s++) {
        double off = ((double)s - STEPS / 2.) / STEPS * 2e-7;
        struct line_step step = {.v = law.v_min + 4 * (double)(s % 100) / (CHANNELS - 1),
                                 .T = 300,
                                 .T_dust = 2.73,
                                 .tau = 1e-6 * (1 + off),
                                 .source = 3,
                                 .tau_dust = 1e-20};

        line_hand_step(&hand, &law, &step, &ray, s);
    }
    try_ray(&law, &hand.line, &ray, 0, &w);
    report("lines at the limit for absorption", &law, &w);
    line_ray_free(&ray);
}

/* A line behind `n` steps of dust of the same depth. */
static void
test_behind(const char *name, size_t n, double tau)
{
    struct iris_transfer_law law = line_transfer_law(STEPS, CHANNELS);
    struct line_ray ray = line_ray_new(STEPS);
    struct line_hand hand;
    char text[80];
    size_t s;
    int i;

    snprintf(text, sizeof text, "a line behind %s of depth %g", name, tau);
    line_hand_init(&hand, 29, &law.units);
    law.v_min = -.05;
    law.v_max = .05;
    for (s = 0; s < STEPS; s++) {
        int behind = s < STEPS - n;
        struct line_step step = {.T = 300,
                                 .T_dust = 2.73,
                                 .tau = behind ? 4. / (double)(STEPS - n) : 1e-9,
                                 .source = behind ? 3 : 1e-3,
                                 .tau_dust = behind ? 1e-6 : tau};

        line_hand_step(&hand, &law, &step, &ray, s);
    }
    for (i = 0; i < 6; i++) {
        struct worst w = {0};

        choose(&law, i);
        try_ray(&law, &hand.line, &ray, 0, &w);
        report(text, &law, &w);
    }
    line_ray_free(&ray);
}

/* ---- units ---- */

/* Brightness temperature goes as the inverse logarithm of an intensity, which
 * makes kelvins of an excess that is the rounding error of the total; such
 * channels are passed over. */
static void
test_outputs(void)
{
    static const char *const taken[] = {"I", "Tb", "continuum"};
    static const char *const unit[] = {"I", "Jy", "Trj", "Trj K", "Tb", "Tb K"};
    struct iris_transfer_law law = line_transfer_law(STEPS, CHANNELS);
    struct line_ray ray = line_ray_new(STEPS);
    double fast[CHANNELS], precise[CHANNELS], excess[CHANNELS], background;
    uint64_t state = 1;
    struct line_hand hand;
    char text[80];
    size_t c;
    int i, k;

    line_hand_init(&hand, 29, &law.units);
    background = line_planck(&law, hand.table.nu, 2.73);
    draw(&recipes[0], &hand, &law, &state, &ray);
    for (i = 0; i < 18; i++) {
        law.subtraction = (enum iris_subtraction)(i / 6);
        law.output = (enum iris_output_units)(i % 6);
        snprintf(text, sizeof text, "less %s, in %s", taken[i / 6], unit[i % 6]);
        for (k = 0; k < 6; k++) {
            struct iris_transfer_law plain;
            struct worst w = {0};

            choose(&law, k);
            plain = law;
            plain.precise = 1;
            plain.subtraction = IRIS_SUBTRACT_I;
            plain.output = IRIS_OUT_I;
            line_run(&plain, &hand.line, 1, &ray, excess);
            run_both(&law, &hand.line, &ray, fast, precise);
            for (c = 0; c < CHANNELS && i % 6 >= 4; c++)
                if (fabs(excess[c]) < 1e-12 * background)
                    fast[c] = precise[c] = 0;
            judge(fast, precise, 0, &w);
            report(text, &law, &w);
        }
    }
    line_ray_free(&ray);
}

/* ---- the molecule of the preset ---- */

static void
draw_gas(uint64_t *state, double N_lo, double N_hi, double T_lo, double T_hi, struct line_ray *ray)
{
    size_t i;

    for (i = 0; i < ray->n; i++) {
        double fate = uniform(state, 0, 1), T = log_uniform(state, T_lo, T_hi);

        ray->f[IRIS_V_R][i] = uniform(state, -1.8, 1.8);
        ray->f[IRIS_RHO][i] = fate < .1 ? 0 : 2.3382052994e-9 * log_uniform(state, N_lo, N_hi);
        ray->f[IRIS_T][i] = fate > .95 ? INFINITY : T;
        ray->f[IRIS_X_H2][i] = uniform(state, 0, .5);
        ray->f[IRIS_X_CO][i] = log_uniform(state, 1e-7, 1.5e-4);
        ray->f[IRIS_T_DUST][i] = log_uniform(state, 3, 60);
    }
}

static void
test_gas(const struct iris_line *line, const struct iris_lookup *lookup, const char *name,
         double N_lo, double N_hi, double T_lo, double T_hi)
{
    struct iris_transfer_law law = line_transfer_law(STEPS, CHANNELS);
    struct line_ray ray = line_ray_new(STEPS);
    char what[100];
    int i, k;

    law.lookup = *lookup;
    snprintf(what, sizeof what, "%s%s%s%s", name, line->table->fine ? ", fine" : "",
             lookup->clamp ? ", clamp" : "", lookup->multilinear ? ", multilinear" : "");
    for (i = 0; i < 6; i++) {
        struct worst w = {0};

        choose(&law, i);
        for (k = 0; k < rays_a_case; k++) {
            uint64_t seed = (uint64_t)k * 1000 + 1, state = seed;

            law.far_to_near = k % 2;
            draw_gas(&state, N_lo, N_hi, T_lo, T_hi, &ray);
            try_ray(&law, line, &ray, seed, &w);
        }
        report(what, &law, &w);
    }
    line_ray_free(&ray);
}

static void
test_molecule(const char *shared)
{
    static const struct iris_lookup lookup[] = {{0}, {.clamp = 1}, {.multilinear = 1}};
    struct iris_table_law table_law = line_table_law(16, 8, 12);
    struct iris_molecule m = line_molecule(shared);
    struct iris_line_table table;
    struct iris_line line;
    size_t i;

    for (i = 0; i < 6; i++) {
        const struct iris_lookup *how = &lookup[i % 3];

        table_law.fine = i / 3 > 0;
        if (CHECK(!iris_line_table_make(&table, &m, &table_law, NULL), "a table of 13CO")) {
            line = (struct iris_line){.table = &table, .kappa = 1e-16};
            iris_abundance_default(&line.abundance);
            test_gas(&line, how, "13CO of the mock", 1e6, 1e10, 5, 300);
            test_gas(&line, how, "13CO beyond the table", 1e2, 1e14, 3, 5e4);
            test_gas(&line, how, "13CO thin and hot", 1e5, 1e9, 2e3, 1e5);
            test_gas(&line, how, "13CO dense and cold", 1e11, 1e14, 3, 20);
        }
        iris_line_table_release(&table);
    }
    iris_molecule_release(&m);
}

int
main(int argc, char **argv)
{
    const char *shared = check_shared();
    size_t i;

    if (argc > 1)
        rays_a_case = atoi(argv[1]);
    for (i = 0; i < sizeof recipes / sizeof *recipes; i++)
        test_recipe(&recipes[i]);
    for (i = 0; i < sizeof recipes / sizeof *recipes; i += 8)
        test_bundle(&recipes[i]);
    test_equilibrium(1);
    test_equilibrium(1e-3);
    test_equilibrium(1e-5);
    test_limit();
    test_behind("a screen", 1, 10);
    test_behind("a screen", 1, 20);
    test_behind("a screen", 3, 100);
    test_behind("500 steps", 500, 1e-8);
    test_behind("500 steps", 500, 1e-7);
    test_behind("500 steps", 500, 1e-6);
    test_behind("500 steps", 500, 1e-5);
    test_outputs();
    CHECK(!levels_differ, "the same bytes at every level of instructions: %d rays differ",
          levels_differ);
    if (shared)
        test_molecule(shared);
    else
        check_skip("rays of the preset's molecule", "no shared reference data");
    return check_done();
}
