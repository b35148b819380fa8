/* The precise arithmetic against formulas written out in long double, on random
 * rays, through every switch. */
#include "line_slow.h"

struct setting {
    struct iris_transfer_law law;
    struct line_hand hand;
    struct line_ray ray;
};

static int
chance(uint64_t *state, double p)
{
    return uniform(state, 0, 1) < p;
}

/* A line table whose values differ from node to node, in the preset's units. */
static void
draw_table(struct line_hand *hand, uint64_t *state)
{
    size_t i, k;

    for (i = 0; i < 8; i++)
        for (k = 1; k < IRIS_NODE; k++)
            if (k != IRIS_NODE_A)
                hand->node[i * IRIS_NODE + k] *= uniform(state, .5, 1.5);
}

static void
draw_law(struct iris_transfer_law *law, uint64_t *state, int i, double depth)
{
    static const size_t steps[] = {2, 3, 4, 5, 8, 9, 16, 33};

    *law = line_transfer_law(steps[i % 8], 2 + (size_t)uniform(state, 0, 14));
    law->transfer = (enum iris_transfer)(i % 3);
    law->integration = (enum iris_integration)(i / 3 % 2);
    law->precise = 1;
    law->far_to_near = chance(state, .5);
    law->cell_average = chance(state, .4);
    law->complete_simpson = chance(state, .5);
    law->consistent_formal = chance(state, .5);
    law->v_subsamples = (size_t)uniform(state, 0, 4);
    law->lookup.multilinear = chance(state, .3);
    law->lookup.clamp = chance(state, .3);
    law->T_cmb = depth < 10 && chance(state, .2) ? 0 : 2.73;
    law->v_max = log_uniform(state, .005, 2);
    law->v_min = -law->v_max * uniform(state, .5, 1.5);
    law->subtraction = (enum iris_subtraction)(uniform(state, 0, 3));
    law->output = (enum iris_output_units)(uniform(state, 0, 6));
    /* a temperature of hardly any light has hardly any digits */
    if (!(law->T_cmb > 0) && law->subtraction == IRIS_SUBTRACT_TB)
        law->subtraction = IRIS_SUBTRACT_I;
    if (!(law->T_cmb > 0) && law->output >= IRIS_OUT_TB)
        law->output = IRIS_OUT_TRJ;
}

/* Units of which none is a power of ten of the preset's. */
static void
change_units(struct iris_transfer_law *law)
{
    double was = iris_units_velocity(&law->units), factor;

    iris_units_processing(3e6, 5, 2e5, 10, 3.08567758128e16, &law->units);
    factor = iris_units_velocity(&law->units) / was;
    law->v_min *= factor;
    law->v_max *= factor;
    law->ds = 450 * law->units.parsec / 511;
}

static void
draw_step(const struct setting *s, uint64_t *state, size_t i, double depth)
{
    double kelvin = s->law.units.temperature;
    struct line_step step = {.v = uniform(state, s->law.v_min, s->law.v_max) * 1.1,
                             .T = log_uniform(state, 3, 1e5) * kelvin,
                             .T_dust = log_uniform(state, 3, 300) * kelvin,
                             .tau = log_uniform(state, 1e-9, depth),
                             .source = log_uniform(state, .1, 10),
                             .tau_dust = log_uniform(state, 1e-9, depth)};

    if (chance(state, .1))
        step.tau *= -.1;
    line_hand_step(&s->hand, &s->law, &step, (struct line_ray *)&s->ray, i);
    if (chance(state, .05))
        s->ray.f[IRIS_RHO][i] = chance(state, .5) ? 0 : -1;
    if (chance(state, .05))
        s->ray.f[IRIS_T][i] = chance(state, .5) ? 0 : -1;
    if (chance(state, .05))
        s->ray.f[IRIS_T][i] = INFINITY;
    if (chance(state, .05))
        s->ray.f[IRIS_T_DUST][i] = 0;
}

static void
describe(const struct iris_transfer_law *law)
{
    printf("# %s, R %zu, V %zu, q %zu%s%s%s%s%s%s, T_cmb %g, subtraction %d, output %d\n",
           line_transfer_name(law), law->r_steps, law->v_steps, law->v_subsamples,
           law->far_to_near ? ", far_to_near" : "", law->cell_average ? ", cell_average" : "",
           law->complete_simpson ? ", complete_simpson" : "",
           law->consistent_formal ? ", consistent_formal" : "",
           law->lookup.multilinear ? ", multilinear" : "", law->lookup.clamp ? ", clamp" : "",
           law->T_cmb, (int)law->subtraction, (int)law->output);
}

/* Worst |a - b| over the peak and what rounding of the total does to b. */
static double
error_of(const double *a, const double *b, const double *noise, size_t n, size_t *at)
{
    double peak = 0, worst = 0;
    size_t i;

    for (i = 0; i < n; i++)
        peak = isinf(noise[i]) ? peak : fmax(peak, fabs(b[i]));
    *at = 0;
    for (i = 0; i < n; i++) {
        double d = fabs(a[i] - b[i]) - noise[i], ratio = d > 1e-100 ? d / peak : 0;

        if (!(ratio <= worst)) {
            worst = ratio;
            *at = i;
        }
    }
    return worst;
}

/* A ray without gas, and so without tracer, is zero, by word and not by formula: the last frequency
 * of a channel has the next channel's continuum. */
static int
has_gas(const struct setting *s)
{
    double *const *f = s->ray.f;
    size_t i, n = 0;

    for (i = 0; i < s->law.r_steps; i++)
        n += f[IRIS_T][i] > 0 && f[IRIS_RHO][i] > 0;
    return n > 0;
}

static double
try_setting(const struct setting *s, int speak, double limit)
{
    size_t n = s->law.v_steps, at;
    double *precise = need(3 * n * sizeof(double)), *slow = precise + n, *noise = slow + n, error;

    line_run(&s->law, &s->hand.line, 1, &s->ray, precise);
    slow_spectrum(&s->law, &s->hand.line, &s->ray, slow, noise);
    for (at = 0; at < n && !has_gas(s) && s->law.subtraction != IRIS_SUBTRACT_CONTINUUM; at++)
        slow[at] = noise[at] = 0;
    error = error_of(precise, slow, noise, n, &at);
    if (speak && !(error <= limit)) {
        describe(&s->law);
        printf("# channel %zu: %.15e, slow %.15e, noise %.1e\n", at, precise[at], slow[at],
               noise[at]);
    }
    free(precise);
    return error;
}

/* Depth of a step's line at its centre. */
static double
depth_of(const struct setting *s, size_t i)
{
    double *const *f = s->ray.f, T = f[IRIS_T][i], j, a, x, b;
    double c = s->law.c * iris_units_velocity(&s->law.units);

    if (!(T > 0) || isinf(T))
        return 0;
    iris_line_table_at(s->hand.line.table, &s->law.lookup, f[IRIS_RHO][i], f[IRIS_X_H2][i], T, &j,
                       &a);
    x = iris_abundance_at(&s->hand.line.abundance, 1, 1, f[IRIS_X_CO][i]);
    b = line_doppler(&s->law, &s->hand.line, T);
    return fabs(a * x) * s->law.ds / (b / c * s->hand.table.nu * sqrt(LINE_PI));
}

/* Less of the tracer, so that no step is deeper than asked: what a step is
 * drawn for holds in the table as it was. */
static void
tame(struct setting *s, double depth)
{
    double most = 0;
    size_t i;

    for (i = 0; i < s->law.r_steps; i++)
        most = fmax(most, depth_of(s, i));
    if (most > depth)
        s->hand.line.abundance.value *= depth / most;
}

static void
draw_setting(struct setting *s, uint64_t *state, int i, double depth)
{
    size_t k;

    draw_law(&s->law, state, i, depth);
    if (chance(state, .3))
        change_units(&s->law);
    line_hand_init(&s->hand, chance(state, .5) ? 29 : 2, &s->law.units);
    draw_table(&s->hand, state);
    s->hand.line.v_turb = chance(state, .3) ? log_uniform(state, 1e-4, .1) : 0;
    s->hand.line.v_turb *= s->law.v_max;
    s->ray = line_ray_new(s->law.r_steps);
    for (k = 0; k < s->law.r_steps; k++)
        draw_step(s, state, k, depth);
    if (chance(state, .3))
        s->hand.line.abundance.kind = IRIS_ABUNDANCE_PER_H;
    tame(s, depth);
}

static void
test_random(int n, double depth, double limit)
{
    double worst[6] = {0};
    struct setting s;
    int i, bad = 0;

    for (i = 0; i < n; i++) {
        uint64_t state = (uint64_t)i;
        double error;

        draw_setting(&s, &state, i, depth);
        error = try_setting(&s, bad < 12, limit);
        if (!(error <= limit)) {
            bad++;
            printf("# ray %d: %.1e\n", i, error);
        }
        worst[i % 6] = fmax(worst[i % 6], error);
        line_ray_free(&s.ray);
    }
    for (i = 0; i < 6; i++) {
        s.law.transfer = (enum iris_transfer)(i % 3);
        s.law.integration = (enum iris_integration)(i / 3 % 2);
        CHECK(worst[i] <= limit, "%s at depths to %g: %.1e of the peak", line_transfer_name(&s.law),
              depth, worst[i]);
    }
}

int
main(int argc, char **argv)
{
    int n = argc > 1 ? atoi(argv[1]) : 3000;

    test_random(n, 3, 1e-9);
    test_random(n, 300, 1e-9);
    return check_done();
}
