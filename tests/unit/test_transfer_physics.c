/* What the transfer must do whatever its formulas: slabs that can be solved on
 * paper, limits, symmetries, and errors that fall as they should. */
#include "line_case.h"

enum { CHANNELS = 9 };

/* law with one of the six transfers; channel centres, a band of +-10 km/s */
static struct iris_transfer_law
law_of(int transfer, size_t r_steps)
{
    struct iris_transfer_law law = line_transfer_law(r_steps, CHANNELS);

    law.transfer = (enum iris_transfer)(transfer / 2);
    law.integration = (enum iris_integration)(transfer % 2);
    law.v_min = -.1;
    law.v_max = .1;
    law.v_subsamples = 0;
    law.output = IRIS_OUT_I;
    law.precise = 1;
    return law;
}

static double
channel(const struct iris_transfer_law *law, size_t i)
{
    return law->v_min + (law->v_max - law->v_min) / (CHANNELS - 1) * (double)i;
}

static double
frequency(const struct iris_transfer_law *law, const struct line_hand *hand, size_t i)
{
    double c = law->c * iris_units_velocity(&law->units);

    return hand->table.nu * (1 + channel(law, i) / c);
}

/* A ray of equal steps. */
static struct line_ray
uniform_ray(const struct line_hand *hand, const struct iris_transfer_law *law,
            const struct line_step *step)
{
    struct line_ray ray = line_ray_new(law->r_steps);
    size_t i;

    for (i = 0; i < ray.n; i++)
        line_hand_step(hand, law, step, &ray, i);
    return ray;
}

/* ---- slabs ---- */

/* Worst difference to (S - I0) (1 - exp(-tau)), over the greatest, of a slab
 * without dust. */
static double
slab_error(int transfer, size_t r_steps, double depth)
{
    struct iris_transfer_law law = law_of(transfer, r_steps);
    double cells = (double)(r_steps - (law.integration == IRIS_SMOOTH)), b, worst = 0, size = 0;
    struct line_step step = {.T = 3000, .tau = depth / cells, .source = 2, .tau_dust = 1e-20};
    double spectrum[CHANNELS];
    struct line_hand hand;
    struct line_ray ray;
    size_t i;

    law.v_min = -.02; /* no tau below 1e-6 */
    law.v_max = .02;
    line_hand_init(&hand, 29, &law.units);
    hand.line.kappa = 1e-17;
    ray = uniform_ray(&hand, &law, &step);
    line_run(&law, &hand.line, 1, &ray, spectrum);
    b = line_doppler(&law, &hand.line, step.T);
    for (i = 0; i < CHANNELS; i++) {
        double tau = depth * exp(-pow(channel(&law, i) / b, 2));
        double S = 2 * line_planck(&law, hand.table.nu, 10);
        double I0 = line_planck(&law, frequency(&law, &hand, i), law.T_cmb);
        double expected = (S - I0) * -expm1(-tau);

        worst = fmax(worst, fabs(spectrum[i] - expected));
        size = fmax(size, fabs(expected));
    }
    line_ray_free(&ray);
    return worst / size;
}

static void
test_slab(void)
{
    double depth, worst = 0, e[3];
    size_t i;

    for (depth = .01; depth < 100; depth *= 3)
        worst = fmax(worst, slab_error(1, 20, depth));
    CHECK(worst <= 1e-12, "a slab, formal: %.1e", worst);
    for (i = 0; i < 3; i++)
        e[i] = slab_error(0, (size_t)64 << i | 1, 3);
    CHECK(e[0] > 3.5 * e[1] && e[1] > 3.5 * e[2] && e[2] > e[1] / 4.5,
          "a slab, smooth, at second order: %.1e, %.1e, %.1e", e[0], e[1], e[2]);
}

/* Dust alone: its intensity, over that of theory. */
static double
dust_error(int transfer, size_t r_steps)
{
    struct iris_transfer_law law = law_of(transfer, r_steps);
    double cells = (double)(r_steps - (law.integration == IRIS_SMOOTH)), worst = 0;
    struct line_step step = {.v = 5, .T = 3000, .T_dust = 40, .tau_dust = 2 / cells};
    double c = law.c * iris_units_velocity(&law.units), spectrum[CHANNELS], I0, B, expected;
    struct line_hand hand;
    struct line_ray ray;
    size_t i;

    law.subtraction = IRIS_SUBTRACT_CONTINUUM;
    line_hand_init(&hand, 29, &law.units);
    ray = uniform_ray(&hand, &law, &step);
    line_run(&law, &hand.line, 1, &ray, spectrum);
    for (i = 0; i < CHANNELS; i++) {
        I0 = line_planck(&law, frequency(&law, &hand, i), law.T_cmb);
        B = line_planck(&law, frequency(&law, &hand, i) / (1 + 5 / c), 40);
        expected = law.transfer == IRIS_THIN ? I0 + 2 * B : I0 * exp(-2) + B * -expm1(-2);
        worst = fmax(worst, fabs(spectrum[i] / expected - 1));
    }
    line_ray_free(&ray);
    return worst;
}

static void
test_dust(void)
{
    int transfer;

    for (transfer = 1; transfer < 6; transfer += 2)
        CHECK(dust_error(transfer, 31) <= 1e-13, "dust, transfer %d: %.1e", transfer,
              dust_error(transfer, 31));
    CHECK(dust_error(4, 31) <= 1e-13, "dust, thin smooth: %.1e", dust_error(4, 31));
    for (transfer = 0; transfer < 4; transfer += 2) {
        double a = dust_error(transfer, 129), b = dust_error(transfer, 257);

        CHECK(a > 3.5 * b && a < 4.5 * b, "dust, transfer %d, at second order: %.1e, %.1e",
              transfer, a, b);
    }
}

/* Line and dust of 30 K before nothing: 30 K wherever it is opaque. */
static void
test_isothermal(void)
{
    double depth, last = 0, at = 0;
    int rises = 1, transfer;

    for (transfer = 0; transfer < 2; transfer++) {
        for (last = 0, depth = 1e-2; depth < 1e3; depth *= 2) {
            struct iris_transfer_law law = law_of(transfer, 200);
            struct line_step step = {.T = 30, .T_dust = 30, .tau = depth / 200, .tau_dust = 1e-20};
            double spectrum[CHANNELS];
            struct line_hand hand;
            struct line_ray ray;

            law.T_cmb = 0;
            law.output = IRIS_OUT_TB_K;
            line_hand_init(&hand, 29, &law.units);
            hand.line.kappa = 1e-17;
            step.source = line_planck(&law, hand.table.nu, 30) /
                          line_planck(&law, hand.table.nu, 10);
            ray = uniform_ray(&hand, &law, &step);
            line_run(&law, &hand.line, 1, &ray, spectrum);
            at = spectrum[CHANNELS / 2];
            rises &= at >= last * (1 - 1e-14) && at < 30 * (1 + 1e-12);
            last = at;
            line_ray_free(&ray);
        }
        CHECK(rises && fabs(at - 30) < 1e-10, "an isothermal slab, transfer %d, at last %.12g K",
              transfer, at);
    }
}

/* ---- order of the methods ---- */

/* A cloud that is smooth along the ray, of length 1. */
static void
cloud(const struct line_hand *hand, const struct iris_transfer_law *law, struct line_ray *ray)
{
    double n = (double)(ray->n - 1);
    size_t i;

    for (i = 0; i < ray->n; i++) {
        double x = (double)i / n;
        struct line_step step = {.v = .02 * sin(5 * x),
                                 .T = 3000 + 500 * cos(3 * x),
                                 .T_dust = 20 + 10 * x,
                                 .tau = (1 + sin(4 * x)) / n,
                                 .source = 2 + cos(6 * x),
                                 .tau_dust = (.3 + .2 * cos(5 * x)) / n};

        line_hand_step(hand, law, &step, ray, i);
    }
}

static void
cloud_spectrum(int transfer, size_t r_steps, double *spectrum)
{
    struct iris_transfer_law law = law_of(transfer, r_steps);
    struct line_ray ray = line_ray_new(r_steps);
    struct line_hand hand;

    law.complete_simpson = 1;
    law.consistent_formal = 1;
    law.ds = 1e12 / (double)(r_steps - 1);
    line_hand_init(&hand, 29, &law.units);
    cloud(&hand, &law, &ray);
    line_run(&law, &hand.line, 1, &ray, spectrum);
    line_ray_free(&ray);
}

static double
distance(const double *a, const double *b)
{
    double worst = 0, size = 0;
    size_t i;

    for (i = 0; i < CHANNELS; i++) {
        worst = fmax(worst, fabs(a[i] - b[i]));
        size = fmax(size, fabs(b[i]));
    }
    return worst / size;
}

/* The formal method has a cell of full width at each end, half of which is
 * beyond the ray: that is its first order. (Steps of less than 1e-6 would not
 * absorb at all, so its limit is taken where they are more.) */
static void
test_orders(void)
{
    static const double order[6] = {2, 1, 2, 1, 4, 1};
    double limit[CHANNELS], at[CHANNELS], e[2];
    struct iris_transfer_law law;
    int i, k;

    for (i = 0; i < 6; i++) {
        law = law_of(i, 2);
        cloud_spectrum(i, 20001, limit);
        for (k = 0; k < 2; k++) {
            cloud_spectrum(i, k ? 101 : 51, at);
            e[k] = distance(at, limit);
        }
        CHECK(fabs(log2(e[0] / e[1]) - order[i]) < .2, "%s: order %.2f (%.1e, %.1e)",
              line_transfer_name(&law), log2(e[0] / e[1]), e[0], e[1]);
    }
    cloud_spectrum(0, 20001, limit);
    cloud_spectrum(1, 20001, at);
    CHECK(distance(at, limit) < 2e-4, "smooth and formal agree in the end: %.1e",
          distance(at, limit));
    cloud_spectrum(4, 52, at);
    cloud_spectrum(4, 20001, limit);
    CHECK(distance(at, limit) < 1e-3, "thin smooth of an even number of steps: %.1e",
          distance(at, limit));
}

/* ---- symmetries ---- */

static void
reverse(const struct line_ray *a, struct line_ray *b)
{
    size_t f, i;

    for (f = 0; f < IRIS_FIELDS; f++)
        for (i = 0; i < a->n; i++)
            b->f[f][i] = a->f[f][a->n - 1 - i];
}

static void
test_direction(void)
{
    double a[CHANNELS], b[CHANNELS], c[CHANNELS];
    size_t bad = 0, same = 0;
    int i;

    for (i = 0; i < 24; i++) {
        struct iris_transfer_law law = law_of(i % 6, 40);
        struct line_ray ray = line_ray_new(40), back = line_ray_new(40);
        struct line_hand hand;

        law.precise = i / 6 % 2;
        law.v_subsamples = (size_t)(i / 12);
        line_hand_init(&hand, 29, &law.units);
        cloud(&hand, &law, &ray);
        reverse(&ray, &back);
        line_run(&law, &hand.line, 1, &ray, c);
        line_run(&law, &hand.line, 1, &back, a);
        law.far_to_near = 1;
        line_run(&law, &hand.line, 1, &ray, b);
        bad += memcmp(a, b, sizeof a) != 0;
        same += !memcmp(c, b, sizeof b);
        line_ray_free(&ray);
        line_ray_free(&back);
    }
    CHECK(!bad && !same, "far to near is near to far of the reversed ray: %zu differ", bad);
}

/* A cold cloud nearest the observer absorbs a hot one behind it, if light
 * travels so. */
static void
test_absorption(void)
{
    struct iris_transfer_law law = law_of(1, 2);
    struct line_step hot = {.T = 3000, .tau = 5, .source = 8, .tau_dust = 1e-9, .T_dust = 3};
    struct line_step cold = hot;
    double near[CHANNELS], far[CHANNELS];
    struct line_ray ray = line_ray_new(2);
    struct line_hand hand;

    cold.source = 1;
    line_hand_init(&hand, 29, &law.units);
    line_hand_step(&hand, &law, &cold, &ray, 0);
    line_hand_step(&hand, &law, &hot, &ray, 1);
    line_run(&law, &hand.line, 1, &ray, near);
    law.far_to_near = 1;
    line_run(&law, &hand.line, 1, &ray, far);
    CHECK(near[CHANNELS / 2] > 5 * far[CHANNELS / 2], "the step that is last hides the others");
    line_ray_free(&ray);
}

/* Two lines in one solver are two solvers of one. */
static void
test_lines(void)
{
    double both[2 * CHANNELS], alone[CHANNELS];
    size_t bad = 0;
    int i, k;

    for (i = 0; i < 12; i++) {
        struct iris_transfer_law law = law_of(i % 6, 30);
        struct line_ray ray = line_ray_new(30);
        struct line_hand hand[2];
        struct iris_line lines[2];

        law.precise = i / 6;
        law.v_subsamples = 1;
        line_hand_init(&hand[0], 29, &law.units);
        line_hand_init(&hand[1], 18, &law.units);
        hand[1].table.nu *= 1.7;
        cloud(&hand[0], &law, &ray);
        for (k = 0; k < 2; k++)
            lines[k] = hand[k].line;
        lines[1].kappa *= 3;
        lines[1].abundance.value = .1;
        lines[1].v_turb = .01;
        line_run(&law, lines, 2, &ray, both);
        for (k = 0; k < 2; k++) {
            line_run(&law, lines + k, 1, &ray, alone);
            bad += memcmp(alone, both + k * CHANNELS, sizeof alone) != 0;
        }
        line_ray_free(&ray);
    }
    CHECK(!bad, "two lines at once: %zu differ", bad);
}

/* ---- nothing ---- */

static int
all_zero(const double *v, size_t n)
{
    size_t i;

    for (i = 0; i < n; i++)
        if (v[i] != 0)
            return 0;
    return 1;
}

static void
test_no_tracer(void)
{
    size_t bad = 0, no_gas = 0;
    int i;

    for (i = 0; i < 6 * 2 * 3 * 2 * 6; i++) {
        struct iris_transfer_law law = law_of(i % 6, 30);
        struct line_ray ray = line_ray_new(30);
        double spectrum[CHANNELS];
        struct line_hand hand;

        law.precise = i / 6 % 2;
        law.v_subsamples = (size_t)(i / 12 % 3);
        law.subtraction = i / 36 % 2 ? IRIS_SUBTRACT_TB : IRIS_SUBTRACT_I;
        law.output = (enum iris_output_units)(i / 72);
        line_hand_init(&hand, 29, &law.units);
        cloud(&hand, &law, &ray);
        memset(ray.f[IRIS_X_CO], 0, 30 * sizeof(double));
        no_gas += !line_run(&law, &hand.line, 1, &ray, spectrum);
        bad += !all_zero(spectrum, CHANNELS);
        line_ray_free(&ray);
    }
    CHECK(!bad && !no_gas, "gas without tracer has no line: %zu have", bad);
}

static void
test_no_gas(void)
{
    double with[CHANNELS], without[CHANNELS];
    size_t bad = 0, found = 0, lit = 0;
    int i, k;

    for (i = 0; i < 12 * 4; i++) {
        static const double nothing[4][2] = {
            {IRIS_RHO, 0}, {IRIS_RHO, -1}, {IRIS_T, 0}, {IRIS_T, -5}};
        struct iris_transfer_law law = law_of(i % 6, 30);
        struct line_ray ray = line_ray_new(30);
        struct line_hand hand;
        size_t field = (size_t)nothing[i / 12][0], s;

        law.precise = i / 6 % 2;
        line_hand_init(&hand, 29, &law.units);
        for (k = 0; k < 2; k++) {
            law.subtraction = k ? IRIS_SUBTRACT_CONTINUUM : IRIS_SUBTRACT_I;
            cloud(&hand, &law, &ray);
            for (s = 0; s < 30; s += 3)
                ray.f[IRIS_RHO][s] = 0;
            line_run(&law, &hand.line, 1, &ray, without);
            cloud(&hand, &law, &ray);
            for (s = 0; s < 30; s += 3)
                ray.f[field][s] = nothing[i / 12][1];
            line_run(&law, &hand.line, 1, &ray, with);
            bad += memcmp(with, without, sizeof with) != 0;
            for (s = 0; s < 30; s++)
                ray.f[field][s] = nothing[i / 12][1];
            found += line_run(&law, &hand.line, 1, &ray, with) != 0;
            for (s = 0; s < CHANNELS && k; s++) {
                double cmb = line_planck(&law, frequency(&law, &hand, s), law.T_cmb);

                lit += fabs(with[s] / cmb - 1) > (law.precise ? 1e-13 : 1e-9);
            }
            lit += !k && !all_zero(with, CHANNELS);
        }
        line_ray_free(&ray);
    }
    CHECK(!bad, "steps without density or temperature are empty: %zu differ", bad);
    CHECK(!found && !lit, "a ray of them is empty: %zu, %zu", found, lit);
}

/* Gas of infinite temperature has dust, and no line; selectively thin formal
 * transfer, which counts dust twice, shows that. */
static void
test_infinite(void)
{
    double hot[CHANNELS], warm[CHANNELS];
    size_t bad = 0, line = 0, s;
    int i;

    for (i = 0; i < 12; i++) {
        struct iris_transfer_law law = law_of(i % 6, 30);
        struct line_ray ray = line_ray_new(30);
        struct line_hand hand;

        law.precise = i / 6;
        law.subtraction = IRIS_SUBTRACT_CONTINUUM;
        line_hand_init(&hand, 29, &law.units);
        cloud(&hand, &law, &ray);
        line_run(&law, &hand.line, 1, &ray, warm);
        for (s = 0; s < 30; s++)
            ray.f[IRIS_T][s] = INFINITY;
        line_run(&law, &hand.line, 1, &ray, hot);
        bad += memcmp(hot, warm, sizeof hot) != 0;
        law.subtraction = IRIS_SUBTRACT_I;
        line_run(&law, &hand.line, 1, &ray, hot);
        line += !all_zero(hot, CHANNELS) && i % 6 != 3;
        line_ray_free(&ray);
    }
    CHECK(!bad && !line, "infinite temperature: %zu, %zu", bad, line);
}

int
main(void)
{
    test_slab();
    test_dust();
    test_isothermal();
    test_orders();
    test_direction();
    test_absorption();
    test_lines();
    test_no_tracer();
    test_no_gas();
    test_infinite();
    return check_done();
}
