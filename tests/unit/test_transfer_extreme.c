/* Where the fast arithmetic meets the ends of its numbers: rays that a settings
 * file can ask for, though no galaxy has them. Against the precise one, at every
 * level of instructions. */
#include "line_case.h"

#include "simd.h"

enum { STEPS = 64, CHANNELS = 64 };

struct stage {
    struct iris_transfer_law law;
    struct line_hand hand;
    struct line_ray ray;
};

static const struct line_step nothing = {
    .T = 30, .T_dust = 2.73, .tau = 1e-20, .source = 1e-3, .tau_dust = 1e-12};

static void
stage_init(struct stage *s)
{
    size_t i;

    s->law = line_transfer_law(STEPS, CHANNELS);
    s->law.v_min = -.05;
    s->law.v_max = .05;
    s->ray = line_ray_new(STEPS);
    line_hand_init(&s->hand, 29, &s->law.units);
    for (i = 0; i < STEPS; i++)
        line_hand_step(&s->hand, &s->law, &nothing, &s->ray, i);
}

static void
put(struct stage *s, size_t i, struct line_step step)
{
    line_hand_step(&s->hand, &s->law, &step, &s->ray, i);
}

/* max |fast - precise| / max |precise|; infinite where a level differs. */
static double
apart(struct stage *s)
{
    double fast[CHANNELS], precise[CHANNELS], other[CHANNELS], worst = 0, peak = 0;
    size_t n = s->law.v_steps, i, k;

    s->law.kernels = NULL;
    s->law.precise = 1;
    line_run(&s->law, &s->hand.line, 1, &s->ray, precise);
    s->law.precise = 0;
    line_run(&s->law, &s->hand.line, 1, &s->ray, fast);
    for (k = 0; (s->law.kernels = iris_kernels_at(k)); k++) {
        line_run(&s->law, &s->hand.line, 1, &s->ray, other);
        if (memcmp(fast, other, n * sizeof *fast) != 0)
            return INFINITY;
    }
    for (i = 0; i < n; i++) {
        double d = fabs(fast[i] - precise[i]);

        worst = d <= worst ? worst : isnan(d) ? INFINITY : d;
        peak = fmax(peak, fabs(precise[i]));
    }
    return peak > 0 ? worst / peak : worst;
}

static void
judge_one(struct stage *s, const char *what)
{
    const struct iris_transfer_law *law = &s->law;
    int is_coarse = law->transfer == IRIS_THICK && law->integration == IRIS_FORMAL;
    double worst = apart(s);

    CHECK(worst <= (is_coarse ? 3e-5 : 1e-5), "%s, %s: %.1e of the peak", what,
          line_transfer_name(law), worst);
}

/* All of the transfers. */
static void
judge(struct stage *s, const char *what)
{
    int i;

    for (i = 0; i < 6; i++) {
        s->law.transfer = (enum iris_transfer)(i / 2);
        s->law.integration = (enum iris_integration)(i % 2);
        judge_one(s, what);
    }
}

/* A bright line between screens of dust that leave nothing of it, and a faint
 * one in front. */
static void
test_hidden(double screen, size_t n)
{
    struct stage s;
    char text[80];
    size_t i;

    stage_init(&s);
    for (i = 0; i < n; i++)
        put(&s, 1 + i, (struct line_step){0, 30, 2.73, 1e-20, 1e-3, screen});
    put(&s, 20, (struct line_step){0, 30, 2.73, 1, 3, 1e-6});
    for (i = 0; i < n; i++)
        put(&s, 21 + i, (struct line_step){0, 30, 2.73, 1e-20, 1e-3, screen});
    put(&s, 50, (struct line_step){0, 30, 2.73, 1e-11, 3, 1e-12});
    snprintf(text, sizeof text, "a line between screens of %zu times %g", n, screen);
    judge(&s, text);
    line_ray_free(&s.ray);
}

/* A line so bright that it shines through. */
static void
test_through(double screen, double source)
{
    struct stage s;
    char text[80];

    stage_init(&s);
    put(&s, 2, (struct line_step){0, 30, 2.73, 1, source, 1e-6});
    put(&s, 20, (struct line_step){0, 30, 2.73, 1e-20, 1e-3, screen});
    put(&s, 50, (struct line_step){0.02, 30, 2.73, 1e-6, 3, 1e-12});
    snprintf(text, sizeof text, "a source of %g through dust of %g", source, screen);
    judge(&s, text);
    line_ray_free(&s.ray);
}

/* One step of opaque dust between steps of none: the smooth method remembers
 * what was before. */
static void
test_remembered(double screen)
{
    struct stage s;
    char text[80];

    stage_init(&s);
    put(&s, 2, (struct line_step){0.02, 30, 2.73, 3e-6, 3, 1e-6});
    put(&s, 20, (struct line_step){0, 30, 2.73, 1e-20, 1e-3, screen});
    put(&s, 50, (struct line_step){0, 30, 2.73, .1, 3, 1e-12});
    snprintf(text, sizeof text, "a faint line before one step of dust of %g", screen);
    judge(&s, text);
    line_ray_free(&s.ray);
}

/* Neighbours of one cell, one of which moves away faster than light. */
static void
test_faster(void)
{
    struct stage s;
    size_t i;

    stage_init(&s);
    for (i = 20; i < 30; i++) {
        put(&s, i, (struct line_step){0, 30, 20, .1, 3, 1e-3});
        if (i % 3 == 0)
            s.ray.f[IRIS_V_R][i] = -1.5 * s.law.c * iris_units_velocity(&s.law.units);
    }
    judge(&s, "some gas faster than light");
    line_ray_free(&s.ray);
}

/* A line much narrower than a channel, near its edge. */
static void
test_edge(double band, double off)
{
    struct stage s;
    char text[80];
    double b;

    stage_init(&s);
    s.law.v_min = -band;
    s.law.v_max = band;
    s.law.v_steps = 8;
    s.law.cell_average = 1;
    b = line_doppler(&s.law, &s.hand.line, 10);
    put(&s, 2, (struct line_step){band / 7 * 2 + off * b, 10, 2.73, 1e-3, 3, 1e-6});
    snprintf(text, sizeof text, "a line %g widths beside an edge, channels of %.0f", off,
             2 * band / 7 / b);
    judge(&s, text);
    line_ray_free(&s.ray);
}

/* Tables go on in straight lines beyond their ends, to less than nothing. */
static void
test_negative(double T_cmb, double tau, double dust)
{
    struct stage s;
    char text[120];
    size_t i;

    stage_init(&s);
    s.law.T_cmb = T_cmb;
    for (i = 0; i < 8; i++) {
        s.hand.node[i * IRIS_NODE] *= -1;
        s.hand.node[i * IRIS_NODE + 1] *= -1;
    }
    for (i = 10; i < 20; i++)
        put(&s, i, (struct line_step){0, 30, 2.73, tau, 1e3 / tau, dust});
    snprintf(text, sizeof text, "emission below 0, background of %g K, tau %g, dust %g", T_cmb, tau,
             dust);
    judge(&s, text);
    line_ray_free(&s.ray);
}

/* A line so opaque that single precision has no such number. */
static void
test_opaque(double tau, double T_cmb)
{
    struct stage s;
    char text[80];

    stage_init(&s);
    s.law.T_cmb = T_cmb;
    put(&s, 20, (struct line_step){0, 30, 2.73, tau, T_cmb / 10, 1e-6});
    snprintf(text, sizeof text, "a line of depth %g over %g K", tau, T_cmb);
    judge(&s, text);
    line_ray_free(&s.ray);
}

/* Dust that moves at a speed near that of light. */
static void
test_fast_dust(double v_per_c, double T_dust)
{
    struct stage s;
    char text[80];
    double c;

    stage_init(&s);
    c = s.law.c * iris_units_velocity(&s.law.units);
    s.law.T_cmb = 0;
    s.law.subtraction = IRIS_SUBTRACT_CONTINUUM;
    put(&s, 20, (struct line_step){v_per_c * c, 30, T_dust, 1e-3, 3, .5});
    snprintf(text, sizeof text, "dust of %g K at %g c", T_dust, v_per_c);
    judge(&s, text);
    line_ray_free(&s.ray);
}

/* A continuum that the trapezoid brings to 0 in the middle of the band. */
static void
test_clipped(double band, double where)
{
    struct stage s;
    double lo = 1, hi = 2.73, C, nu;
    char text[80];
    int i;

    stage_init(&s);
    s.law.v_min = -band;
    s.law.v_max = band;
    nu = s.hand.table.nu * (1 + where * band / (s.law.c * iris_units_velocity(&s.law.units)));
    C = line_planck(&s.law, nu, 2.73);
    for (i = 0; i < 200; i++) {
        double T = (lo + hi) / 2;

        /* 2 3 S + (4 - 2 3) C */
        if (6 * line_planck(&s.law, nu, T) - 2 * C > 0)
            hi = T;
        else
            lo = T;
    }
    put(&s, 0, (struct line_step){0, 30, lo, 1e-20, 1e-3, 3});
    for (i = 3; i < 60; i++)
        put(&s, (size_t)i, (struct line_step){band * (i - 32) / 32., 30, 2.73, 1e-5, 1e-9, 1e-12});
    snprintf(text, sizeof text, "a continuum of 0 at %g of a band of %g", where, band);
    judge(&s, text);
    line_ray_free(&s.ray);
}

/* Amplification that begins where dust is at the limit for absorption. */
static void
test_dusty_limit(double over, double maser)
{
    struct stage s;
    char text[80];
    size_t i;

    stage_init(&s);
    for (i = 3; i < 60; i++)
        put(&s, i, (struct line_step){0, 30, 2.73, -maser, 1e-9, 1e-6 * (1 + over)});
    snprintf(text, sizeof text, "a maser of %g over dust beyond the limit by %g", maser, over);
    s.law.integration = IRIS_FORMAL;
    judge_one(&s, text);
    line_ray_free(&s.ray);
}

/* Lines over a band on which the continuum may be no parabola. */
static void
test_wide(double band, double tau, double T_dust, double dust)
{
    struct stage s;
    char text[120];
    size_t i;

    stage_init(&s);
    s.law.v_min = -band;
    s.law.v_max = band;
    for (i = 0; i < STEPS; i++)
        put(&s, i, (struct line_step){band * (2 * (double)i / 63 - 1), 300, T_dust, tau, 3, dust});
    snprintf(text, sizeof text, "a band of %g, tau %g, dust %g of %g K", band, tau, dust, T_dust);
    judge(&s, text);
    line_ray_free(&s.ray);
}

/* An opaque line, of which the wings matter, as means over cells of some widths. */
static void
test_deep(double wide, double tau)
{
    struct stage s;
    char text[80];
    double b;

    stage_init(&s);
    s.law.cell_average = 1;
    s.law.v_subsamples = 0;
    b = line_doppler(&s.law, &s.hand.line, 30);
    s.law.v_min = -wide * b * (CHANNELS - 1) / 2;
    s.law.v_max = -s.law.v_min;
    put(&s, 30, (struct line_step){.1 * wide * b, 30, 2.73, tau, 3, 1e-6});
    snprintf(text, sizeof text, "a line of depth %g on cells of %g widths", tau, wide);
    judge(&s, text);
    line_ray_free(&s.ray);
}

int
main(void)
{
    test_hidden(40, 1);
    test_hidden(300, 3);
    test_hidden(700, 2);
    test_through(27, 1e6);
    test_through(30, 1e9);
    test_through(38, 1e12);
    test_remembered(1e3);
    test_remembered(1e12);
    test_faster();
    test_edge(.5, 0);
    test_edge(.5, .3);
    test_edge(5, .3);
    test_edge(50, .3);
    test_negative(0, 1e-8, 1e-12);
    test_negative(2.73, 1e-8, 1e-12);
    test_negative(2.73, 1e-2, 1e-12);
    test_negative(2.73, 1e-2, 1e-2);
    test_opaque(1e10, 2.73);
    test_opaque(1e30, 1e4);
    test_opaque(1e36, 1e4);
    test_opaque(1e38, 30);
    test_opaque(1e42, 2.73);
    test_fast_dust(-.5, 1);
    test_fast_dust(-.9, 10);
    test_fast_dust(.5, .05);
    test_fast_dust(1, .1);
    test_fast_dust(3, 1);
    test_clipped(2, .3);
    test_clipped(20, .3);
    test_clipped(.05, -.3);
    test_dusty_limit(1e-9, 1e-12);
    test_dusty_limit(1e-8, 3e-14);
    test_dusty_limit(1e-6, 3e-12);
    test_wide(2, 1e-9, 30, 1e-3);
    test_wide(4, 1e-9, 5, .1);
    test_wide(10, 1e-9, 30, 1e-3);
    test_wide(200, 1e-3, 30, 1e-3);
    test_wide(2900, 1, 5, .1);
    test_deep(.25, 1e4);
    test_deep(.4, 1e4);
    test_deep(.48, 1e4);
    test_deep(1, 1e4);
    return check_done();
}
