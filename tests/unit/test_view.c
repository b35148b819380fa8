/* Where samples lie, what the random changes are, what units are worth. */
#include "check.h"

#include <stdint.h>

#include "entry.h"
#include "hyper.h"
#include "perturb.h"
#include "units.h"
#include "view.h"

#define DEGREE (acos(-1) / 180)

/* The main preset: physics.md section 5. */
static const struct iris_view_law preset = {
    .theta = 0,
    .spin = -1,
    .observer_radius = 8277,
    .r_min = 8052,
    .r_max = 8502,
    .lon_min = -1.5,
    .lon_max = 1.5,
    .lat_min = -0.375,
    .lat_max = 0.375,
    .r_steps = 512,
    .lon_steps = 512,
    .lat_steps = 128,
};

static struct iris_view
view_of(const struct iris_view_law *law)
{
    struct iris_view v;

    iris_view_init(&v, law, (double)NAN, (double)NAN, 1);
    return v;
}

static void
sample(const struct iris_view *v, size_t i, size_t j, size_t k, double x[3])
{
    double direction[3], r = iris_axis_at(&v->r, i);
    int a;

    iris_view_direction(v, j, k, direction);
    for (a = 0; a < 3; a++)
        x[a] = v->origin[a] + r * direction[a];
}

static int
is_at(const struct iris_view *v, size_t i, size_t j, size_t k, double x, double y, double z,
      double within)
{
    double p[3];

    sample(v, i, j, k, p);
    return fabs(p[0] - x) <= within && fabs(p[1] - y) <= within && fabs(p[2] - z) <= within;
}

/* physics.md section 16 item 10, given to a millionth of a parsec. */
static void
test_check_values(void)
{
    struct iris_view_law law = preset;
    struct iris_view v = view_of(&law);
    size_t j = law.lon_steps - 1, k = law.lat_steps - 1;

    CHECK(is_at(&v, 0, 0, 0, 227.931621, -210.772273, 52.699841, 6e-7),
          "spin -1 begins at lon +1.5, lat +0.375");
    law.theta = 90;
    v = view_of(&law);
    CHECK(is_at(&v, law.r_steps - 1, j, k, -222.551648, -221.904541, -55.645063, 6e-7),
          "and ends at lon -1.5, lat -0.375, here seen from +y");
    law.spin = 1;
    v = view_of(&law);
    CHECK(is_at(&v, law.r_steps - 1, 0, 0, -222.551648, -221.904541, -55.645063, 6e-7),
          "spin +1 begins there");
    law.theta = 0;
    v = view_of(&law);
    CHECK(is_at(&v, 0, j, k, 227.931621, -210.772273, 52.699841, 6e-7), "spin +1 ends there");
}

/* The formula of physics.md section 5 at every sample of a small grid. */
static void
test_formula(void)
{
    struct iris_view_law law = preset;
    size_t i, j, k, wrong = 0;
    int turn;

    law.r_steps = 5;
    law.lon_steps = 4;
    law.lat_steps = 3;
    law.lon_min = -20;
    law.lat_min = -35;
    for (turn = 0; turn < 8; turn++) {
        double o = law.spin = turn % 2 ? 1 : -1, theta = law.theta = 51 * turn;
        struct iris_view v = view_of(&law);

        for (i = 0; i < 5; i++) {
            for (j = 0; j < 4; j++) {
                for (k = 0; k < 3; k++) {
                    double r = 8052 + 450 * (double)i / 4;
                    double lon = o * (-20 + 21.5 * (double)j / 3) * DEGREE;
                    double lat = o * (-35 + 35.375 * (double)k / 2) * DEGREE, t = theta * DEGREE;

                    wrong += !is_at(&v, i, j, k, 8277 * cos(t) - r * cos(lat) * cos(t + lon),
                                    8277 * sin(t) - r * cos(lat) * sin(t + lon), r * sin(lat),
                                    1e-10);
                }
            }
        }
    }
    CHECK(!wrong, "samples lie where the formula puts them");
    law = preset;
    law.lon_steps = law.lat_steps = 3;
    law.r_steps = 3;
    law.theta = 123;
    {
        struct iris_view v = view_of(&law);

        CHECK(is_at(&v, 1, 1, 1, 0, 0, 0, 1e-10), "the middle of the window is the centre");
    }
}

static void
test_axis(void)
{
    static const size_t sizes[] = {1, 2, 3, 4, 7, 48, 511, 512, 1048576};
    size_t n, i;
    int ok = 1, near = 1;

    for (n = 0; n < sizeof sizes / sizeof sizes[0]; n++) {
        struct iris_axis a = {0.1 * (double)(n + 1), -17.3 / 7 - (double)n, sizes[n]};
        double step = iris_axis_step(&a), last = HUGE_VAL;

        ok &= iris_axis_at(&a, 0) == a.first && (a.n == 1 || iris_axis_at(&a, a.n - 1) == a.last);
        ok &= a.n == 1 ? step == 0 : check_near(step * (double)(a.n - 1), a.last - a.first, 1e-15);
        for (i = 0; i < a.n; i++) {
            double x = iris_axis_at(&a, i), share = a.n > 1 ? (double)i / (double)(a.n - 1) : 0;

            ok &= x < last;
            near &= fabs(x - (a.first * (1 - share) + a.last * share)) <= 4e-15 * 12;
            last = x;
        }
    }
    CHECK(ok, "axes end exactly at their ends and never turn back");
    for (ok = 1, i = 2; i < 2000; i++) {
        struct iris_axis a = {sin((double)i), 1e4 * cos((double)i), i};

        ok &= iris_axis_at(&a, 0) == a.first && iris_axis_at(&a, i - 1) == a.last;
    }
    CHECK(ok, "whatever their ends are");
    CHECK(near, "axes are linear");
    {
        struct iris_axis flat = {0.3, 0.3, 5};

        CHECK(iris_axis_at(&flat, 2) == 0.3 && iris_axis_step(&flat) == 0, "a flat axis");
    }
}

static void
test_view_axes(void)
{
    const double parsec = 308567758128.0;
    struct iris_view_law law = preset;
    struct iris_view v, plain;

    iris_view_init(&v, &law, (double)NAN, (double)NAN, parsec);
    CHECK(v.r.first == 8052 * parsec && v.r.last == 8502 * parsec && v.r.n == 512,
          "distances in the unit asked for");
    CHECK(check_near(v.lon.first, 1.5 * DEGREE, 1e-15) && v.lon.first == -v.lon.last &&
              check_near(v.lat.last, -0.375 * DEGREE, 1e-15) && v.lat.first == -v.lat.last,
          "spin -1 turns both angles round");
    CHECK(v.lon.n == 512 && v.lat.n == 128, "sizes of the axes");
    CHECK(check_near(v.origin[0], 8277 * parsec, 1e-15) && v.origin[1] == 0 && v.origin[2] == 0,
          "the observer stands on +x");
    law.theta = 90;
    iris_view_init(&v, &law, 12.5, (double)NAN, parsec);
    CHECK(check_near(v.origin[1], 8289.5 * parsec, 1e-15) &&
              fabs(v.origin[0]) < 1e-12 * v.origin[1] && v.origin[2] == 0,
          "the jitter of the radius moves the observer");
    CHECK(v.r.first == 8052 * parsec && v.r.last == 8502 * parsec, "but not the distances");
    iris_view_init(&plain, &law, 0, 0, parsec);
    for (law.spin = -1; law.spin <= 1; law.spin += 2) {
        iris_view_init(&plain, &law, (double)NAN, (double)NAN, 1);
        iris_view_init(&v, &law, (double)NAN, 0.25, 1);
        CHECK(check_near(v.lon.first - plain.lon.first, 0.25 * DEGREE, 1e-12) &&
                  check_near(v.lon.last - plain.lon.last, 0.25 * DEGREE, 1e-12),
              "spin %+d: the jitter of the longitude is added after the spin", law.spin);
        CHECK(v.lat.first == plain.lat.first && v.origin[0] == plain.origin[0] &&
                  v.r.first == plain.r.first,
              "spin %+d: and moves nothing else", law.spin);
    }
    law = preset;
    law.r_steps = law.lon_steps = law.lat_steps = 1;
    v = view_of(&law);
    CHECK(v.r.n == 1 && iris_axis_at(&v.r, 0) == 8052, "a view of one sample");
}

static void
test_directions(void)
{
    struct iris_view_law law = preset;
    size_t j, k, wrong = 0;
    double d[3];
    struct iris_view v;

    law.theta = 77;
    law.lon_min = -180;
    law.lon_max = 180;
    law.lat_min = -90;
    law.lat_max = 90;
    v = view_of(&law);
    for (j = 0; j < law.lon_steps; j += 7) {
        for (k = 0; k < law.lat_steps; k++) {
            iris_view_direction(&v, j, k, d);
            wrong += fabs(sqrt(d[0] * d[0] + d[1] * d[1] + d[2] * d[2]) - 1) > 4e-16;
        }
    }
    CHECK(!wrong, "directions are unit vectors");
}

/* Angles of points, from the settings. */
static void
test_theta(void)
{
    struct iris_hyper *h = NULL;
    struct iris_settings s;
    uint32_t i;
    int ok = 1;

    if (iris_hyper_defaults(&h, NULL) ||
        iris_hyper_set(h, "writer_hyper.points_per_snapshot", "64", NULL) ||
        iris_hyper_set(h, "coordinate_hyper.theta_zero", "12.5", NULL))
        exit(1);
    iris_hyper_settings(h, &s);
    for (i = 0; i < 64; i++)
        ok &= check_near(iris_entry_theta(&s, i), 5.625 * (double)i + 12.5, 1e-15);
    CHECK(ok, "theta is 360 i/n + theta_zero");
    iris_hyper_free(h);
}

/* ---- perturbations ---- */

static struct iris_perturb_law
law_off(void)
{
    struct iris_perturb_law law = {
        .scale = (double)NAN,
        .scale_range = {(double)NAN, (double)NAN},
        .skew = (double)NAN,
        .skew_range = {(double)NAN, (double)NAN},
        .density = (double)NAN,
        .density_range = {(double)NAN, (double)NAN},
    };

    return law;
}

static struct iris_perturb_law
law_all(void)
{
    struct iris_perturb_law law = {
        .scale = 9,
        .scale_range = {0.5, 2},
        .skew = 9,
        .skew_range = {0.8, 1.25},
        .density = 9,
        .density_range = {0.1, 10},
        .jitter_r = 1,
        .jitter_lon = 1,
        .jitter_r_range = {-10, 30},
        .jitter_lon_range = {-0.5, 0.25},
    };

    return law;
}

enum { DRAWS = 6 };

static void
values_of(const struct iris_perturbation *p, double v[DRAWS])
{
    v[0] = p->scale;
    v[1] = p->skew;
    v[2] = p->skew_angle;
    v[3] = p->density;
    v[4] = p->jitter_r;
    v[5] = p->jitter_lon;
}

static const double range[DRAWS][2] = {{0.5, 2},  {0.8, 1.25}, {0, 360},
                                       {0.1, 10}, {-10, 30},   {-0.5, 0.25}};

static void
test_off(void)
{
    struct iris_perturb_law law = law_off();
    struct iris_perturbation p = {1, 2, 3, 4, 5, 6};
    double v[DRAWS];
    int i, none = 1;

    iris_perturb_draw(&law, 1, 2, 3, 4, &p);
    values_of(&p, v);
    for (i = 0; i < DRAWS; i++)
        none &= isnan(v[i]);
    iris_perturb_none(&p);
    values_of(&p, v);
    for (i = 0; i < DRAWS; i++)
        none &= isnan(v[i]);
    CHECK(none, "what is off is not a number");
    law.scale = 0.5;
    law.density = 3;
    iris_perturb_draw(&law, 1, 2, 3, 4, &p);
    CHECK(p.scale == 0.5 && p.density == 3 && isnan(p.skew) && isnan(p.skew_angle) &&
              isnan(p.jitter_r) && isnan(p.jitter_lon),
          "fixed factors");
    law.skew = 2;
    iris_perturb_draw(&law, 1, 2, 3, 4, &p);
    CHECK(p.skew == 2 && p.skew_angle >= 0 && p.skew_angle < 360,
          "a fixed skew has a random angle");
    law.scale_range[0] = law.scale_range[1] = 0.75;
    iris_perturb_draw(&law, 1, 2, 3, 4, &p);
    CHECK(p.scale == 0.75, "a range wins over a factor");
}

/* Each draw is even in its range, and knows nothing of the others. */
static void
test_uniform(void)
{
    enum { BINS = 32, POINTS = 64, SNAPSHOTS = 500 };
    static double count[DRAWS][BINS];
    struct iris_perturb_law law = law_all();
    double cross[DRAWS][DRAWS] = {{0}}, n = (double)POINTS * SNAPSHOTS, v[DRAWS], worst = 0;
    struct iris_perturbation p;
    uint32_t point;
    uint64_t snapshot;
    int i, k, inside = 1;

    for (snapshot = 0; snapshot < SNAPSHOTS; snapshot++) {
        for (point = 0; point < POINTS; point++) {
            iris_perturb_draw(&law, 42, snapshot, 1, point, &p);
            values_of(&p, v);
            for (i = 0; i < DRAWS; i++) {
                inside &= v[i] >= range[i][0] && v[i] < range[i][1];
                v[i] = (v[i] - range[i][0]) / (range[i][1] - range[i][0]);
                if (v[i] >= 0 && v[i] < 1)
                    count[i][(int)(v[i] * BINS)]++;
                for (k = 0; k < i; k++)
                    cross[i][k] += (v[i] - 0.5) * (v[k] - 0.5) * 12;
            }
        }
    }
    CHECK(inside, "draws stay in their ranges");
    for (i = 0; i < DRAWS; i++) {
        double chi2 = 0, expected = n / BINS;

        for (k = 0; k < BINS; k++)
            chi2 += (count[i][k] - expected) * (count[i][k] - expected) / expected;
        /* 31 degrees of freedom: 4 sigma either side */
        CHECK(chi2 > 31 - 4 * sqrt(62) && chi2 < 31 + 4 * sqrt(62), "draw %d is even, chi2 %.1f", i,
              chi2);
        for (k = 0; k < i; k++)
            worst = fmax(worst, fabs(cross[i][k]) / sqrt(n));
    }
    CHECK(worst < 4, "draws are independent: at most %.1f sigma", worst);
}

static int
all_differ(const struct iris_perturbation *a, const struct iris_perturbation *b)
{
    double x[DRAWS], y[DRAWS];
    int i, differ = 1;

    values_of(a, x);
    values_of(b, y);
    for (i = 0; i < DRAWS; i++)
        differ &= x[i] != y[i];
    return differ;
}

static void
test_keys(void)
{
    struct iris_perturb_law law = law_all();
    struct iris_perturbation p, q;
    uint32_t point;
    int ok = 1;

    iris_perturb_draw(&law, 1, 2, 3, 4, &p);
    iris_perturb_draw(&law, 1, 2, 3, 4, &q);
    CHECK(!memcmp(&p, &q, sizeof p), "the same names, the same draws");
    iris_perturb_draw(&law, 2, 2, 3, 4, &q);
    CHECK(all_differ(&p, &q), "another seed, other draws");
    iris_perturb_draw(&law, 1, 2 + (UINT64_C(1) << 40), 3, 4, &q);
    CHECK(all_differ(&p, &q), "another snapshot, other draws");
    iris_perturb_draw(&law, 1, 2, 4, 4, &q);
    CHECK(all_differ(&p, &q), "another round, other draws");
    iris_perturb_draw(&law, 1, 2, 3, 5, &q);
    CHECK(all_differ(&p, &q), "another point, other draws");
    law.per_snapshot = 1;
    iris_perturb_draw(&law, 1, 2, 3, 0, &p);
    for (point = 1; point < 1000; point += 37) {
        iris_perturb_draw(&law, 1, 2, 3, point, &q);
        ok &= !memcmp(&p, &q, sizeof p);
    }
    CHECK(ok, "per snapshot: one draw for all points");
    iris_perturb_draw(&law, 1, 3, 3, 0, &q);
    CHECK(all_differ(&p, &q), "per snapshot: another snapshot, other draws");
}

/* The law as the settings spell it. */
static void
test_law_of(void)
{
    static const char *const set[][2] = {
        {"dataset_hyper.CMZ_scale_factor", "0.5"},
        {"dataset_hyper.CMZ_scale_range", "null"},
        {"dataset_hyper.CMZ_skew_range", "[0.8, 1.25]"},
        {"dataset_hyper.CMZ_density_range", "[0.1, 10]"},
        {"coordinate_hyper.jitter_r", "true"},
        {"coordinate_hyper.jitter_r_min", "-10"},
        {"coordinate_hyper.jitter_r_max", "30"},
        {"coordinate_hyper.jitter_lon_min", "-1"},
        {"coordinate_hyper.jitter_lon_max", "1"},
        {"suite_hyper.perturb_per", "\"snapshot\""},
    };
    struct iris_perturb_law law;
    struct iris_hyper *h = NULL;
    struct iris_settings s;
    size_t i;

    if (iris_hyper_defaults(&h, NULL))
        exit(1);
    iris_hyper_settings(h, &s);
    iris_perturb_law_of(&s, &law);
    CHECK(isnan(law.scale) && law.scale_range[0] == 0.25 && law.scale_range[1] == 1 &&
              isnan(law.skew) && isnan(law.skew_range[0]) && isnan(law.density) &&
              isnan(law.density_range[0]) && !law.jitter_r && !law.jitter_lon && !law.per_snapshot,
          "by default the scale alone is drawn");
    for (i = 0; i < sizeof set / sizeof set[0]; i++) {
        if (iris_hyper_set(h, set[i][0], set[i][1], NULL))
            exit(1);
    }
    iris_hyper_settings(h, &s);
    iris_perturb_law_of(&s, &law);
    CHECK(law.scale == 0.5 && isnan(law.scale_range[0]) && law.skew_range[0] == 0.8 &&
              law.skew_range[1] == 1.25 && law.density_range[1] == 10 && law.jitter_r &&
              law.jitter_r_range[0] == -10 && law.jitter_r_range[1] == 30 && !law.jitter_lon &&
              law.per_snapshot,
          "the settings' changes");
    iris_hyper_free(h);
}

static struct iris_linear_map
map_of(double scale, double skew, double angle)
{
    struct iris_perturbation p;
    struct iris_linear_map m;

    iris_perturb_none(&p);
    p.scale = scale;
    p.skew = skew;
    p.skew_angle = angle;
    iris_perturb_map(&p, &m);
    return m;
}

static void
test_map(void)
{
    static const double skews[] = {0.5, 0.8, 1, 1.25, 2, 4};
    double none = (double)NAN, angle, t;
    struct iris_linear_map m = map_of(none, none, none);
    size_t i;
    int determinant = 1, along = 1, least = 1;

    CHECK(m.scale == 1 && m.a == 1 && m.b == 0 && m.c == 1 && !m.skewed && m.min_norm2 == 1,
          "no change, the identity");
    m = map_of(0.5, none, none);
    CHECK(m.scale == 0.5 && m.a == 1 && m.b == 0 && m.c == 1 && !m.skewed && m.min_norm2 == 1,
          "a scale alone");
    m = map_of(3, 2, 0);
    CHECK(m.scale == 3 && m.a == 2 && m.b == 0 && m.c == 0.5 && m.skewed && m.min_norm2 == 0.25,
          "angle 0 stretches x and squeezes y");
    m = map_of(none, 2, 90);
    CHECK(check_near(m.a, 0.5, 1e-15) && fabs(m.b) < 1e-15 && check_near(m.c, 2, 1e-15),
          "angle 90 stretches y");
    m = map_of(none, 1, 33);
    CHECK(check_near(m.a, 1, 4e-16) && m.b == 0 && check_near(m.c, 1, 4e-16) && m.min_norm2 == 1,
          "skew 1 is the identity");
    for (i = 0; i < sizeof skews / sizeof skews[0]; i++) {
        for (angle = 0; angle < 360; angle += 7.5) {
            double c = cos(angle * DEGREE), s = sin(angle * DEGREE), smallest = HUGE_VAL;

            m = map_of(none, skews[i], angle);
            determinant &= fabs(m.a * m.c - m.b * m.b - 1) < 2e-14;
            along &= fabs(m.a * c + m.b * s - skews[i] * c) < 4e-15 &&
                     fabs(m.b * c + m.c * s - skews[i] * s) < 4e-15 &&
                     fabs(-m.a * s + m.b * c + s / skews[i]) < 4e-15 &&
                     fabs(-m.b * s + m.c * c - c / skews[i]) < 4e-15;
            for (t = 0; t < 180; t += 0.25) {
                double x = cos(t * DEGREE), y = sin(t * DEGREE);

                smallest = fmin(smallest, pow(m.a * x + m.b * y, 2) + pow(m.b * x + m.c * y, 2));
            }
            least &= m.min_norm2 <= smallest * (1 + 1e-12) && m.min_norm2 > smallest * (1 - 1e-3);
        }
    }
    CHECK(determinant, "the plane keeps its area");
    CHECK(along, "lengths along the angle are multiplied, across it divided");
    CHECK(least, "min_norm2 is the least stretch");
}

/* ---- units: dataset.md section 9, physics.md sections 3.1 and 16 ---- */

static void
test_units(void)
{
    struct iris_unit_system u, taken = {.length = 6.2996052e-6, .time = 1, .mass = 1000};

    iris_units_processing(1e7, 1, 1e7, 1, 3.08567758128e16, &u);
    CHECK(check_near(u.length, 1e-5, 1e-15) && u.time == 1 && u.mass == 1000 && u.temperature == 1,
          "default processing units");
    CHECK(check_near(u.parsec, 308567758128.0, 1e-15), "a parsec in processing units");
    CHECK(check_near(1 / u.parsec, 3.2407792896663568e-12, 1e-15), "and the other way");
    CHECK(check_near(iris_units_density(&u), 1e18, 1e-15), "density per kg/m^3");
    CHECK(check_near(iris_units_velocity(&u), 1e-5, 1e-15), "velocity per m/s");
    CHECK(check_near(2.338205299410957e-27 * u.mass * 1e15, 2.3382052994e-9, 1e-11),
          "gas of one hydrogen nucleus, times the number unit");
    CHECK(check_near(450.0 / 511 * u.parsec, 2.717328594e11, 2e-10), "a step of the main preset");
    CHECK(check_near(iris_units_density(&taken) / iris_units_density(&u), 4, 1e-7),
          "units taken: density factor");
    CHECK(check_near(iris_units_velocity(&taken) / iris_units_velocity(&u), 0.62996052, 1e-9),
          "units taken: velocity factor");
    CHECK(check_near(taken.length * 3.08567758128e16, 1.9438551e11, 3e-8), "units taken: a parsec");
    iris_units_processing(3.08567758128e20, 1.989e33, 1e5, 10, 3.08567758128e16, &u);
    CHECK(check_near(u.length, 100 / 3.08567758128e20, 1e-15) &&
              check_near(u.time, 1e5 / 3.08567758128e20, 1e-15) &&
              check_near(u.mass, 1000 / 1.989e33, 1e-15) && check_near(u.temperature, 0.1, 1e-15),
          "other processing units");
    CHECK(check_near(iris_units_velocity(&u), 1e-3, 1e-15), "their velocity is 1 km/s");
    CHECK(check_near(u.parsec, 0.01, 1e-15), "their length is 100 pc");
}

int
main(void)
{
    test_check_values();
    test_formula();
    test_axis();
    test_view_axes();
    test_directions();
    test_theta();
    test_off();
    test_uniform();
    test_keys();
    test_law_of();
    test_map();
    test_units();
    return check_done();
}
