/* IRIS units: the reference's check values and data sets, and what cannot be. */
#include "check.h"

#include <stdint.h>
#include <sys/stat.h>
#include <unistd.h>

#include "digest.h"
#include "entry.h"
#include "file.h"
#include "hyper.h"
#include "normalize.h"
#include "scan.h"
#include "unitset.h"

enum { PATH_SIZE = 4400 };

static const enum iris_type types[] = {IRIS_STANDARD, IRIS_SIMPLE, IRIS_SYNTHETIC};

/* The factors in the order of struct iris_unit_factors. */
enum { VELOCITY, DENSITY, V_DENSITY, TEMPERATURE, LENGTH, PARSEC, TIME, MASS, TH, FACTORS };
static const char *const names[FACTORS] = {
    "velocity", "density", "v_density", "temperature", "length", "parsec", "time", "mass", "th"};

static double *
factor(struct iris_unit_factors *u, int i)
{
    double *const all[FACTORS] = {&u->velocity,    &u->density, &u->v_density,
                                  &u->temperature, &u->length,  &u->length_parsec,
                                  &u->time,        &u->mass,    &u->th};

    return all[i];
}

/* Where each type needs a factor, as in iris-dataset(5). */
static const int needed[3][FACTORS] = {
    {1, 1, 0, 1, 1, 1, 1, 1, 1}, {0, 1, 1, 0, 1, 1, 1, 1, 1}, {0, 1, 0, 1, 1, 1, 1, 1, 1}};

/* The default settings with one value changed; name may be NULL. */
static void
settings(struct iris_settings *s, const char *name, const char *json)
{
    struct iris_hyper *h = NULL;

    if (iris_hyper_defaults(&h, NULL) || (name && iris_hyper_set(h, name, json, NULL)))
        CHECK(0, "default settings");
    iris_hyper_settings(h, s);
    iris_hyper_free(h);
}

static void
near(double found, double wanted, double tolerance, const char *what)
{
    if (isnan(wanted))
        CHECK(isnan(found), "%s is null", what);
    else if (!CHECK(fabs(found - wanted) <= tolerance * fabs(wanted), "%s is %.9g", what, wanted))
        printf("# it is %.17g\n", found);
}

static void
same_factors(struct iris_unit_factors *u, const double wanted[FACTORS], double tolerance,
             const char *what)
{
    char text[128];
    int i;

    for (i = 0; i < FACTORS; i++) {
        snprintf(text, sizeof text, "%s: %s", what, names[i]);
        near(*factor(u, i), wanted[i], tolerance, text);
    }
}

/* ---- the check values of the description ---- */

static const double none = (double)NAN;

static void
test_own(void)
{
    const double length = cbrt(2.5e-16), parsec = 3.08567758128e16;
    const double standard[] = {1, 1, none, 1, 1e-5, 308567758128.0, 1, 1000, 1};
    const double synthetic[] = {none, 4, none, 0.125, length, length * parsec, 1, 1000, 0.125};
    const double simple[] = {none, 4, 2.5e-14, none, length, length * parsec, 6.25e-15, 1000, 1};
    const double warm[] = {none, 4, none, 0.125, length, length * parsec, 1, 1000, 0.0625};
    struct iris_unit_factors u;
    struct iris_settings s;

    settings(&s, NULL, NULL);
    CHECK(!iris_unitset_own(IRIS_STANDARD, &s, (double[IRIS_KINDS]){0}, &u, NULL),
          "standard needs no deviations");
    same_factors(&u, standard, 1e-15, "standard");
    CHECK(!iris_unitset_own(IRIS_SYNTHETIC, &s, (double[IRIS_KINDS]){0.25, 8, 0}, &u, NULL),
          "own units of synthetic");
    same_factors(&u, synthetic, 1e-15, "synthetic");
    near(u.length, 6.2996052e-6, 1e-8, "synthetic: length as printed");
    near(u.length_parsec, 1.9438551e11, 3e-8, "synthetic: parsec as printed");
    CHECK(!iris_unitset_own(IRIS_SIMPLE, &s, (double[IRIS_KINDS]){0.25, 4e13, 0}, &u, NULL),
          "own units of simple");
    same_factors(&u, simple, 1e-14, "simple");
    settings(&s, "writer_hyper.temperature_K_per_processing", "2");
    CHECK(!iris_unitset_own(IRIS_SYNTHETIC, &s, (double[IRIS_KINDS]){0.25, 8, 0}, &u, NULL),
          "own units where a processing unit is 2 K");
    same_factors(&u, warm, 1e-15, "synthetic at 2 K");
}

static void
test_no_spread(void)
{
    const double bad[] = {0, -1, (double)NAN, (double)INFINITY, -0.0};
    struct iris_unit_factors u;
    struct iris_settings s;
    size_t i, t;

    settings(&s, NULL, NULL);
    for (i = 0; i < sizeof bad / sizeof bad[0]; i++) {
        for (t = 1; t < 3; t++) {
            struct iris_err err = {0};

            CHECK(iris_unitset_own(types[t], &s, (double[IRIS_KINDS]){bad[i], 1, 0}, &u, &err) ==
                          IRIS_E_DATA &&
                      strstr(err.msg, "columnized"),
                  "%s: no units from columns that vary by %g", iris_type_name(types[t]), bad[i]);
            CHECK(iris_unitset_own(types[t], &s, (double[IRIS_KINDS]){1, bad[i], 0}, &u, &err) ==
                          IRIS_E_DATA &&
                      strstr(err.msg, "observed"),
                  "%s: no units from observations that vary by %g", iris_type_name(types[t]),
                  bad[i]);
        }
    }
}

static void
test_taken(void)
{
    const double length = cbrt(2.5e-16), parsec = length * 3.08567758128e16;
    const double velocity = length / 1e-5;
    const double synthetic[] = {velocity, 4, none, 0.125, length, parsec, 1, 1000, 0.125};
    const double simple[] = {velocity, 4, 4, 0.125, length, parsec, 1, 1000, 0.125};
    const double from_simple[] = {
        length / 6.25e-15 / 1e-5, 4, 2.5e-14, 1, length, parsec, 6.25e-15, 1000, 1};
    const double warm[] = {velocity, 4, none, 0.25, length, parsec, 1, 1000, 0.125};
    struct iris_unit_factors from, u;
    struct iris_settings s;
    struct iris_err err = {0};
    int i;

    settings(&s, NULL, NULL);
    iris_unitset_own(IRIS_SYNTHETIC, &s, (double[IRIS_KINDS]){0.25, 8, 0}, &from, NULL);
    CHECK(!iris_unitset_taken(IRIS_SYNTHETIC, &s, &from, &u, NULL), "synthetic takes units");
    same_factors(&u, synthetic, 1e-14, "taken by synthetic");
    near(u.velocity, 0.62996052, 1e-8, "taken velocity as printed");
    CHECK(!iris_unitset_taken(IRIS_STANDARD, &s, &from, &u, NULL), "standard takes units");
    same_factors(&u, synthetic, 1e-14, "taken by standard");
    CHECK(!iris_unitset_taken(IRIS_SIMPLE, &s, &from, &u, NULL), "simple takes units of synthetic");
    same_factors(&u, simple, 1e-14, "taken by simple");
    for (i = LENGTH; i < FACTORS; i++) {
        struct iris_unit_factors less = from;

        *factor(&less, i) = none;
        CHECK(iris_unitset_taken(IRIS_SYNTHETIC, &s, &less, &u, &err) == IRIS_E_DATA &&
                  strstr(err.msg, "_iris_per_"),
              "without %s nothing can be taken: %s", names[i], err.msg);
    }
    iris_unitset_own(IRIS_SIMPLE, &s, (double[IRIS_KINDS]){0.25, 4e13, 0}, &from, NULL);
    CHECK(!iris_unitset_taken(IRIS_SIMPLE, &s, &from, &u, NULL), "simple takes units of simple");
    same_factors(&u, from_simple, 1e-14, "taken by simple from simple");
    CHECK(u.v_density == 0 || fabs(u.v_density / from.v_density - 1) < 1e-14,
          "the same factor as the other data set's own");
    settings(&s, "writer_hyper.temperature_K_per_processing", "2");
    iris_unitset_own(IRIS_SYNTHETIC, &s, (double[IRIS_KINDS]){0.25, 4, 0}, &from, NULL);
    CHECK(!iris_unitset_taken(IRIS_SYNTHETIC, &s, &from, &u, NULL), "taken at 2 K");
    same_factors(&u, warm, 1e-14, "taken where a processing unit is 2 K");
}

/* v_density in other processing units, from the definition: mass / length^3 *
 * time, all of them per SI, over density and time of processing. */
static void
test_taken_elsewhere(void)
{
    struct iris_unit_factors from = {none, none, none, none, 3e-6, 9e10, 2e-14, 500, 0.5}, u;
    const double density = 500 / (3e-6 * 3e-6 * 3e-6);
    const double lenP = 100 / 2e7, timeP = 5e6 / 2e7, massP = 1000 / 4.0;
    const double densP = massP / (lenP * lenP * lenP);
    struct iris_settings s;

    settings(&s, NULL, NULL);
    s.writer.length_cm = 2e7;
    s.writer.mass_g = 4;
    s.writer.velocity_cm_per_s = 5e6;
    s.writer.temperature_K = 10;
    CHECK(!iris_unitset_taken(IRIS_SIMPLE, &s, &from, &u, NULL), "other processing units");
    near(u.v_density, density * 2e-14 / (densP * timeP), 1e-14, "v_density");
    near(u.density, density / densP, 1e-14, "density");
    near(u.velocity, 3e-6 / 2e-14 / (100 / 5e6), 1e-14, "velocity");
    near(u.temperature, 5, 1e-14, "temperature, 0.5 per K and 10 K a unit");
}

/* ---- complete, scaling ---- */

static void
test_complete(void)
{
    size_t t;
    int i;

    for (t = 0; t < 3; t++) {
        struct iris_unit_factors u = {1, 1, 1, 1, 1, 1, 1, 1, 1};

        CHECK(iris_unitset_complete(types[t], &u), "%s: all factors are complete",
              iris_type_name(types[t]));
        for (i = 0; i < FACTORS; i++) {
            u = (struct iris_unit_factors){1, 1, 1, 1, 1, 1, 1, 1, 1};
            *factor(&u, i) = none;
            CHECK(iris_unitset_complete(types[t], &u) == !needed[t][i], "%s: %s may%s be null",
                  iris_type_name(types[t]), names[i], needed[t][i] ? " not" : "");
        }
    }
}

static void
test_scaling_needs(void)
{
    static const int multiplies[3][4] = {{1, 1, 0, 1}, {0, 1, 1, 0}, {0, 1, 0, 1}};
    const double bad[] = {(double)NAN, 0, -1, (double)INFINITY};
    struct iris_scaling x;
    size_t t, b;
    int i;

    for (t = 0; t < 3; t++) {
        for (i = 0; i < 4; i++) {
            for (b = 0; b < 4; b++) {
                struct iris_unit_factors u = {2, 2, 2, 2, 1, 1, 1, 1, 1};
                struct iris_err err = {0};
                enum iris_status st;

                *factor(&u, i) = bad[b];
                st = iris_unitset_scaling(types[t], &u, &x, &err);
                CHECK(multiplies[t][i] ? st == IRIS_E_DATA && strstr(err.msg, names[i]) : !st,
                      "%s: %s of %g is %s", iris_type_name(types[t]), names[i], bad[b],
                      multiplies[t][i] ? "refused" : "not looked at");
            }
        }
    }
}

static int
is_scaling(const struct iris_scaling *x, const float tensor[6], float column, float observed)
{
    return !memcmp(x->tensor, tensor, sizeof x->tensor) && !memcmp(&x->column, &column, 4) &&
           !memcmp(&x->observed, &observed, 4);
}

static void
test_scaling(void)
{
    static const float ones[6] = {1, 1, 1, 1, 1, 1}, channels[6] = {2, 3, 5, 1, 1, 5};
    struct iris_unit_factors u = {2, 3, 7, 5, 1, 1, 1, 1, 1};
    const double little = 1 + 0.9e-6, much = 1 + 1.1e-6;
    struct iris_scaling x, y;
    char first[IRIS_UNITS_DIGEST];
    size_t n, t;
    int i;

    CHECK(!iris_unitset_scaling(IRIS_STANDARD, &u, &x, NULL) && is_scaling(&x, channels, 1, 1),
          "standard: velocity, density, temperature, 1, 1, temperature");
    CHECK(iris_scaling_of(&x, IRIS_TENSOR, &n) == x.tensor && n == 6, "six channels");
    CHECK(!iris_unitset_scaling(IRIS_SIMPLE, &u, &x, NULL) && is_scaling(&x, ones, 3, 7),
          "simple: density and v_density");
    CHECK(*iris_scaling_of(&x, IRIS_OBSERVED, &n) == 7 && n == 1, "one channel");
    CHECK(!iris_unitset_scaling(IRIS_SYNTHETIC, &u, &x, NULL) && is_scaling(&x, ones, 3, 5),
          "synthetic: density and temperature");
    for (t = 0; t < 3; t++) {
        u = (struct iris_unit_factors){little, 2 - little, little, 2 - little, 1, 1, 1, 1, 1};
        CHECK(!iris_unitset_scaling(types[t], &u, &x, NULL) && is_scaling(&x, ones, 1, 1),
              "%s: factors within 1e-6 of 1 are 1", iris_type_name(types[t]));
        u = (struct iris_unit_factors){little, much, little, little, 1, 1, 1, 1, 1};
        CHECK(!iris_unitset_scaling(types[t], &u, &x, NULL) && !is_scaling(&x, ones, 1, 1),
              "%s: one that is not makes all count", iris_type_name(types[t]));
        CHECK(t == 0 ? x.tensor[0] == (float)little && x.tensor[1] == (float)much
                     : x.column == (float)much && x.observed == (float)little,
              "%s: as they are", iris_type_name(types[t]));
    }
    u = (struct iris_unit_factors){2, 3, 7, 5, 1, 1, 1, 1, 1};
    for (t = 0; t < 3; t++) {
        iris_unitset_scaling(types[t], &u, &x, NULL);
        CHECK(strlen(x.digest) == 8 && strspn(x.digest, "0123456789abcdef") == 8, "a name: %s",
              x.digest);
        memcpy(first, x.digest, sizeof first);
        for (i = 0; i < FACTORS; i++) {
            struct iris_unit_factors other = u;

            *factor(&other, i) *= 1.5;
            iris_unitset_scaling(types[t], &other, &y, NULL);
            CHECK((strcmp(first, y.digest) != 0) == (i >= LENGTH || needed[t][i]),
                  "%s: another %s has %s name", iris_type_name(types[t]), names[i],
                  i >= LENGTH || needed[t][i] ? "another" : "the same");
        }
        if (t) {
            iris_unitset_scaling(types[0], &u, &y, NULL);
            CHECK(strcmp(first, y.digest), "another type has another name");
        }
    }
}

/* ---- arrays ---- */

static char scratch[] = "/tmp/test_units.XXXXXX";

/* Eight names stay valid at a time. */
static const char *
in_scratch(const char *name)
{
    static char path[8][PATH_SIZE];
    static size_t turn;

    turn = (turn + 1) % 8;
    snprintf(path[turn], sizeof path[turn], "%s/%s", scratch, name);
    return path[turn];
}

static void
test_scan(void)
{
    const float v[] = {1, 2, 3, 4, -10, 0.5f};
    const char *path = in_scratch("scan.npy");
    struct iris_scan scan;
    double mean = 0.5 / 6, m2 = 0;
    char hash[IRIS_DIGEST_TEXT];
    size_t i;

    iris_npy_write(path, &(struct iris_shape){2, {2, 3}}, v, NULL);
    for (i = 0; i < 6; i++)
        m2 += ((double)v[i] - mean) * ((double)v[i] - mean);
    CHECK(!iris_scan_array(path, IRIS_SCAN_MOMENTS, &scan, NULL) && scan.count == 6 && !scan.bad,
          "six values");
    near(scan.mean, mean, 1e-14, "the mean");
    near(scan.m2, m2, 1e-14, "the sum of squares");
    CHECK(scan.min <= -10 && scan.min >= -10 && scan.max >= 4 && scan.max <= 4, "the limits");
    iris_digest_file(path, hash, NULL);
    CHECK(!strcmp(hash, scan.hash), "the hash is that of the file");
    unlink(path);
}

/* A block is 65536 values, so this has one block and a bit; a large mean would
 * show a one-pass sum of squares. */
static void
test_scan_blocks(void)
{
    enum { N = 70000 };
    const char *path = in_scratch("blocks.npy");
    float *v = malloc(N * sizeof *v);
    struct iris_scan scan;
    double mean = 0, m2 = 0;
    size_t i;

    for (i = 0; v && i < N; i++) {
        v[i] = 1e4f + (float)(i % 7) + (i > 65536 ? 100.0f : 0.0f);
        mean += (double)v[i]; /* exact: whole numbers */
    }
    mean /= N;
    for (i = 0; v && i < N; i++)
        m2 += ((double)v[i] - mean) * ((double)v[i] - mean);
    if (v)
        iris_npy_write(path, &(struct iris_shape){1, {N}}, v, NULL);
    CHECK(!iris_scan_array(path, IRIS_SCAN_MOMENTS, &scan, NULL) && scan.count == N, "two blocks");
    near(scan.mean, mean, 1e-13, "their mean");
    near(scan.m2, m2, 1e-10, "their sum of squares");
    free(v);
    unlink(path);
}

static void
test_scan_bad(void)
{
    const char *path = in_scratch("bad.npy");
    const struct iris_shape shape = {4, {6, 1, 1, 2}};
    struct iris_scan scan;
    int c;

    for (c = 0; c < 6; c++) {
        float v[12] = {0};

        v[2 * c + 1] = (float)INFINITY;
        iris_npy_write(path, &shape, v, NULL);
        CHECK(!iris_scan_array(path, IRIS_SCAN_TENSOR, &scan, NULL) && scan.bad == (c != 2),
              "+inf in channel %d %s", c, c == 2 ? "may be" : "is bad");
        CHECK(!iris_scan_array(path, IRIS_SCAN_MOMENTS, &scan, NULL) && scan.bad == 1 &&
                  scan.first_bad == 2 * (size_t)c + 1,
              "and is bad where it is no tensor");
        v[2 * c + 1] = (float)-INFINITY;
        iris_npy_write(path, &shape, v, NULL);
        CHECK(!iris_scan_array(path, IRIS_SCAN_TENSOR, &scan, NULL) && scan.bad == 1,
              "-inf is bad");
        v[2 * c + 1] = (float)NAN;
        iris_npy_write(path, &shape, v, NULL);
        CHECK(!iris_scan_array(path, IRIS_SCAN_TENSOR, &scan, NULL) && scan.bad == 1, "NaN is bad");
    }
    unlink(path);
}

static void
test_normalize_array(void)
{
    static const float six[6] = {2, 3, 1, 1, 1, 0.5f}, one = 1, three = 3;
    const float v[12] = {1, 2, 0.1f, -4, (float)INFINITY, 6, 7, 8, 9, 10, 11, 12};
    const float want[12] = {2, 4, 0.1f * 3, -12, (float)INFINITY, 6, 7, 8, 9, 10, 5.5f, 6};
    const char *from = in_scratch("from.npy"), *to = in_scratch("to.npy");
    char made[33], hash[33];
    struct iris_err err = {0};
    struct stat a, b;
    struct iris_npy n;
    float got[12];

    iris_npy_write(from, &(struct iris_shape){4, {6, 1, 1, 2}}, v, NULL);
    iris_digest_file(from, hash, NULL);
    CHECK(!iris_normalize_array(from, to, six, 6, hash, made, &err), "channel by channel");
    CHECK(!iris_npy_open(to, &n, NULL) && !iris_npy_read_f32(&n, 0, 12, got, NULL) &&
              !memcmp(got, want, sizeof got),
          "the products, +inf as it was");
    iris_npy_close(&n);
    iris_digest_file(to, hash, NULL);
    CHECK(!strcmp(hash, made), "the hash of what was made");
    stat(to, &a);
    CHECK(!iris_normalize_array(from, to, six, 6, NULL, made, &err) && !stat(to, &b) &&
              a.st_mtim.tv_nsec == b.st_mtim.tv_nsec && a.st_ino == b.st_ino && !strcmp(made, hash),
          "a file that is there is left alone");
    got[3] = 99;
    iris_npy_write(to, &(struct iris_shape){4, {6, 1, 1, 2}}, got, NULL);
    CHECK(!iris_normalize_array(from, to, six, 6, NULL, made, &err) && !strcmp(made, hash) &&
              !iris_npy_open(to, &n, NULL) && !iris_npy_read_f32(&n, 0, 12, got, NULL) &&
              !memcmp(got, want, sizeof got),
          "but not one that holds something else");
    iris_npy_close(&n);
    CHECK(!rename(from, in_scratch("away.npy")) &&
              !iris_normalize_array(from, to, six, 6, NULL, made, &err) && !strcmp(made, hash) &&
              !rename(in_scratch("away.npy"), from),
          "where the raw one is gone, it is taken as it is");
    iris_digest_file(from, hash, NULL);
    hash[0] = hash[0] == '0' ? '1' : '0';
    unlink(to);
    CHECK(iris_normalize_array(from, to, &three, 1, hash, made, &err) == IRIS_E_DATA &&
              strstr(err.msg, from) && access(to, F_OK),
          "another file than the one recorded is refused, and nothing made");
    CHECK(iris_normalize_array(from, to, &one, 1, hash, made, &err) == IRIS_E_DATA &&
              access(to, F_OK),
          "also with a factor of 1");
    CHECK(!iris_normalize_array(from, to, &one, 1, NULL, made, &err) && !stat(from, &a) &&
              !stat(to, &b) && a.st_ino == b.st_ino && a.st_nlink == 2,
          "with a factor of 1 it is the same file");
    unlink(to);
    CHECK(iris_normalize_array(in_scratch("none.npy"), to, &three, 1, NULL, made, &err) ==
              IRIS_E_IO,
          "nothing there");
    iris_write_file(from, "xx", 2, NULL);
    CHECK(iris_normalize_array(from, to, &three, 1, NULL, made, &err) == IRIS_E_DATA &&
              access(to, F_OK),
          "no array");
    unlink(from);
}

/* ---- the reference's data sets ---- */

static const struct golden {
    const char *name;
    enum iris_type type;
    size_t n, in_node_1; /* entries; the rest is in node_2 */
    size_t sampled;      /* the first ones made the units */
} goldens[] = {
    {"dataset_simple_mean", IRIS_SIMPLE, 5, 3, 4},
    {"dataset_synth_mean", IRIS_SYNTHETIC, 5, 3, 4},
    {"dataset_standard", IRIS_STANDARD, 4, 2, 0},
};

static void
golden_path(char path[PATH_SIZE], const char *shared, const struct golden *g, const char *suffix,
            size_t i, enum iris_kind k)
{
    int second = i >= g->in_node_1;

    snprintf(path, PATH_SIZE, "%s/golden/%s%s/node_%d/%s_%zu.npy", shared, g->name, suffix,
             second + 1, iris_kind_file(k), second ? i - g->in_node_1 : i);
}

/* The standard deviation of the sampled arrays of a kind, taken together. */
static double
golden_std(const char *shared, const struct golden *g, enum iris_kind k)
{
    double count = 0, mean = 0, m2 = 0;
    char path[PATH_SIZE];
    size_t i;

    for (i = 0; i < g->sampled; i++) {
        struct iris_scan scan;
        double n, delta;

        golden_path(path, shared, g, "_raw", i, k);
        if (!CHECK(!iris_scan_array(path, IRIS_SCAN_MOMENTS, &scan, NULL) && !scan.bad,
                   "%s is read", path))
            return 0;
        n = (double)scan.count;
        delta = scan.mean - mean;
        mean += delta * n / (count + n);
        m2 += scan.m2 + delta * delta * count * n / (count + n);
        count += n;
    }
    return sqrt(m2 / (count - 1));
}

static void
test_golden_factors(const char *shared, const struct golden *g, struct iris_hyper *h)
{
    struct iris_unit_factors theirs, ours;
    double std[IRIS_KINDS] = {0}, worst = 0;
    struct iris_settings s;
    struct iris_err err = {0};
    char text[128];
    int i;

    iris_hyper_settings(h, &s);
    iris_hyper_get_units(h, &theirs);
    CHECK(iris_unitset_complete(g->type, &theirs), "%s: the factors are complete", g->name);
    if (g->type != IRIS_STANDARD) {
        std[IRIS_COLUMN] = golden_std(shared, g, IRIS_COLUMN);
        std[IRIS_OBSERVED] = golden_std(shared, g, IRIS_OBSERVED);
    }
    CHECK(!iris_unitset_own(g->type, &s, std, &ours, &err), "%s: units %s", g->name, err.msg);
    for (i = 0; i < FACTORS; i++) {
        double a = *factor(&ours, i), b = *factor(&theirs, i);

        snprintf(text, sizeof text, "%s: %s", g->name, names[i]);
        near(a, b, 1e-6, text);
        if (!isnan(b) && fabs(a / b - 1) > worst)
            worst = fabs(a / b - 1);
    }
    printf("# %s: factors within %.2g\n", g->name, worst);
}

static void
same_file(const char *a, const char *b, const char *what)
{
    struct iris_buf x = {0}, y = {0};

    CHECK(!iris_read_file(a, 1 << 28, &x, NULL) && !iris_read_file(b, 1 << 28, &y, NULL) &&
              x.len > 128 && x.len == y.len && !memcmp(x.data, y.data, x.len),
          "%s: same bytes", what);
    iris_buf_release(&x);
    iris_buf_release(&y);
}

/* Every array, the one that was not sampled too. */
static void
test_golden_arrays(const char *shared, const struct golden *g, struct iris_hyper *h)
{
    struct iris_unit_factors u;
    struct iris_scaling scaling;
    enum iris_kind kind[2];
    size_t i, k, n = iris_type_kinds(g->type, kind);

    iris_hyper_get_units(h, &u);
    CHECK(!iris_unitset_scaling(g->type, &u, &scaling, NULL), "%s: scaling", g->name);
    for (i = 0; i < g->n; i++) {
        for (k = 0; k < n; k++) {
            char raw[PATH_SIZE], final[PATH_SIZE], made[33];
            const char *to = in_scratch("made.npy");
            struct iris_err err = {0};
            size_t channels;
            const float *factors = iris_scaling_of(&scaling, kind[k], &channels);

            golden_path(raw, shared, g, "_raw", i, kind[k]);
            golden_path(final, shared, g, "", i, kind[k]);
            unlink(to);
            CHECK(!iris_normalize_array(raw, to, factors, channels, NULL, made, &err),
                  "%s %zu: converted %s", g->name, i, err.msg);
            same_file(to, final, final + strlen(shared));
            unlink(to);
        }
    }
}

static void
test_golden(const char *shared, const struct golden *g)
{
    struct iris_hyper *h = NULL;
    char path[PATH_SIZE];
    struct iris_err err = {0};

    snprintf(path, sizeof path, "%s/golden/%s/hyper.json", shared, g->name);
    if (!CHECK(!iris_hyper_read(path, &h, &err), "%s is read %s", path, err.msg))
        return;
    test_golden_factors(shared, g, h);
    test_golden_arrays(shared, g, h);
    iris_hyper_free(h);
}

int
main(void)
{
    const char *shared = check_shared();
    size_t i;

    if (!mkdtemp(scratch)) {
        perror(scratch);
        return 1;
    }
    test_own();
    test_no_spread();
    test_taken();
    test_taken_elsewhere();
    test_complete();
    test_scaling_needs();
    test_scaling();
    test_scan();
    test_scan_blocks();
    test_scan_bad();
    test_normalize_array();
    for (i = 0; i < sizeof goldens / sizeof goldens[0]; i++) {
        if (shared)
            test_golden(shared, &goldens[i]);
        else
            check_skip(goldens[i].name, "no shared reference data");
    }
    rmdir(scratch);
    return check_done();
}
