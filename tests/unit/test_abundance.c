/* Tracer abundance: every kind against its formula, tables good and bad. */
#include "check.h"

#include "abundance.h"

static const char table[] = "# x of 13CO\n"
                            "  # K\n"
                            "10 100 1000\n"
                            "\n"
                            " \t\r\n"
                            "1e6\t1e-6 2e-6 4e-6\r\n"
                            "1e8 3e-6 0 1e-6";

static enum iris_status
parse(struct iris_abundance *a, const char *text, struct iris_err *err)
{
    iris_abundance_default(a);
    return iris_abundance_parse(a, text, strlen(text), "x.txt", err);
}

static void
test_constant(void)
{
    struct iris_abundance a;

    iris_abundance_default(&a);
    CHECK(a.kind == IRIS_ABUNDANCE_RATIO && isnan(a.T_drop) && isnan(a.n_drop) && !a.x,
          "the default is a ratio that drops nowhere");
    CHECK(check_near(iris_abundance_at(&a, 1e9, 20, 1.4e-4), 5.6e-6, 1e-15), "0.04 of CO");
    CHECK(iris_abundance_at(&a, 0, 0, 1e-4) == 0.04 * 1e-4, "without gas too");
    a.value = -0.1;
    CHECK(iris_abundance_at(&a, 1e9, 20, 1e-4) == 0.1 * 1e-4, "the ratio counts by its size");
    a.kind = IRIS_ABUNDANCE_PER_H;
    a.value = -2e-6;
    CHECK(iris_abundance_at(&a, 1e9, 20, 1e-4) == 2e-6, "per H nucleus, CO does not matter");
    iris_abundance_release(&a);
    iris_abundance_release(&a);
}

static void
test_drop(void)
{
    static const struct {
        double T_drop, n_drop, T, N_H;
        int drops;
    } cases[] = {
        {20, NAN, 19.9, 1, 1},   {20, NAN, 20, 1e12, 0},  {NAN, 1e10, 1e4, 1.1e10, 1},
        {NAN, 1e10, 1, 1e10, 0}, {20, 1e10, 19, 2e10, 1}, {20, 1e10, 21, 2e10, 0},
        {20, 1e10, 19, 5e9, 0},  {NAN, NAN, 1, 1e14, 0},
    };
    struct iris_abundance a;
    size_t i;

    iris_abundance_default(&a);
    a.kind = IRIS_ABUNDANCE_PER_H;
    a.value = 1e-5;
    for (i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        a.T_drop = cases[i].T_drop;
        a.n_drop = cases[i].n_drop;
        a.drop = 0;
        CHECK(iris_abundance_at(&a, cases[i].N_H, cases[i].T, 0) == (cases[i].drops ? 0 : 1e-5),
              "limits %g K, %g: gas of %g K, %g %s", a.T_drop, a.n_drop, cases[i].T, cases[i].N_H,
              cases[i].drops ? "drops" : "does not drop");
        a.drop = 0.5;
        CHECK(iris_abundance_at(&a, cases[i].N_H, cases[i].T, 0) ==
                  (cases[i].drops ? 0.5 * 1e-5 : 1e-5),
              "by that factor");
    }
}

static void
test_table(void)
{
    struct iris_abundance a;
    struct iris_err err = {0};

    if (!CHECK(!parse(&a, table, &err), "a table is read %s", err.msg))
        return;
    CHECK(a.kind == IRIS_ABUNDANCE_TABLE && a.n_T == 3 && a.n_N == 2, "its kind and size");
    CHECK(iris_abundance_at(&a, 1e6, 10, 1) == 1e-6 &&
              iris_abundance_at(&a, 1e6, 1000, 1) == 4e-6 &&
              iris_abundance_at(&a, 1e8, 10, 1) == 3e-6,
          "exact at its corners");
    CHECK(check_near(iris_abundance_at(&a, 1e6, 100, 1), 2e-6, 1e-14) &&
              fabs(iris_abundance_at(&a, 1e8, 100, 1)) < 1e-19,
          "right at places between");
    CHECK(check_near(iris_abundance_at(&a, 1e6, sqrt(1e3), 1), 1.5e-6, 1e-14),
          "linear in the logarithm of T");
    CHECK(check_near(iris_abundance_at(&a, 1e7, 10, 1), 2e-6, 1e-14),
          "linear in the logarithm of N");
    CHECK(check_near(iris_abundance_at(&a, 1e7, sqrt(1e5), 1), (3e-6 + 0.5e-6) / 2, 1e-13),
          "and in both");
    CHECK(iris_abundance_at(&a, 1, 1, 1) == 1e-6 && iris_abundance_at(&a, 1e20, 1e9, 1) == 1e-6 &&
              iris_abundance_at(&a, 1e20, 1, 1) == 3e-6,
          "held beyond its edges");
    CHECK(iris_abundance_at(&a, 0, 0, 1) == 1e-6 && iris_abundance_at(&a, -1, -1, 1) == 1e-6,
          "where there is no logarithm too");
    a.T_drop = 50;
    a.drop = 0.1;
    CHECK(check_near(iris_abundance_at(&a, 1e6, 10, 1), 1e-7, 1e-14), "a table drops too");
    iris_abundance_release(&a);
    CHECK(!a.x && !a.ln_N && !a.ln_T, "release");
    iris_abundance_release(&a);
    if (CHECK(!parse(&a, "20\n1e9 3e-6\n", &err), "one temperature and one density are a table"))
        CHECK(iris_abundance_at(&a, 1, 1, 1) == 3e-6 && iris_abundance_at(&a, 1e12, 1e5, 1) == 3e-6,
              "that holds everywhere");
    iris_abundance_release(&a);
}

static void
test_large(void)
{
    enum { N = 300 };
    static char text[N * N * 8];
    struct iris_abundance a;
    size_t len = 0;
    int i, j;

    for (i = 0; i <= N; i++) {
        if (i)
            len += (size_t)snprintf(text + len, sizeof text - len, "%d", i);
        for (j = 1; j <= N; j++)
            len += (size_t)snprintf(text + len, sizeof text - len, " %d", i ? i * 100 + j : j);
        text[len++] = '\n';
    }
    iris_abundance_default(&a);
    if (CHECK(!iris_abundance_parse(&a, text, len, "large", NULL), "a large table"))
        CHECK(a.n_N == N && a.n_T == N && check_near(iris_abundance_at(&a, 7, 9, 0), 709, 1e-12) &&
                  check_near(iris_abundance_at(&a, 300, 300, 0), 30300, 0),
              "is read whole");
    iris_abundance_release(&a);
}

static void
test_wrong_tables(void)
{
    static const struct {
        const char *text, *says;
    } wrong[] = {
        {"", "x.txt:1: the table ends before its first temperature"},
        {"# 10 20\n\n", "x.txt:2: the table ends before its first temperature"},
        {"10 20\n# 1e6\n", "x.txt:2: the table ends before its first density"},
        {"10 x\n1 1 1\n", "x.txt:1: 'x' is no number"},
        {"10 20 # K\n1 1 1\n", "x.txt:1: '#' is no number"},
        {"10\n1 0x1\n", "x.txt:2: '0x1' is no number"},
        {"10\n1 1e999\n", "x.txt:2: '1e999' is no number"},
        {"10\n1 1234567890123456789012345678901234567890123456789012345678901234567890\n",
         "is no number"},
        {"10 0\n", "x.txt:1: a temperature must be above 0, not 0.0"},
        {"-10\n", "x.txt:1: a temperature must be above 0, not -10.0"},
        {"nan\n", "x.txt:1: a temperature must be above 0, not nan"},
        {"10 inf\n", "x.txt:1: a temperature must be above 0, not inf"},
        {"10 10\n", "x.txt:1: each temperature must be above the one before, not 10.0"},
        {"10 20 15\n", "x.txt:1: each temperature must be above the one before, not 15.0"},
        {"1e300 1.0000000000000002e300\n", "x.txt:1: each temperature must be above"},
        {"10\n\n0 1\n", "x.txt:3: a density must be above 0, not 0.0"},
        {"10\n2 1\n2 1\n", "x.txt:3: each density must be above the one before, not 2.0"},
        {"10\n2 1\n1 1\n", "x.txt:3: each density must be above the one before, not 1.0"},
        {"10\n1 -1e-6\n", "x.txt:2: an abundance must be 0 or more, not -1e-06"},
        {"10\n1 nan\n", "x.txt:2: an abundance must be 0 or more, not nan"},
        {"10\n1 inf\n", "x.txt:2: an abundance must be 0 or more, not inf"},
        {"10 20\n1 1\n", "x.txt:2: need a density and 2 abundances, one a temperature, not 2 num"},
        {"10 20\n1 1 1\n2 1 1 1 1\n", "x.txt:3: need a density and 2 abundances, one a tempera"},
    };
    struct iris_abundance a;
    struct iris_err err;
    size_t i;

    for (i = 0; i < sizeof wrong / sizeof wrong[0]; i++) {
        err = (struct iris_err){0};
        CHECK(parse(&a, wrong[i].text, &err) == IRIS_E_DATA && strstr(err.msg, wrong[i].says),
              "wrong table %zu: %s", i + 1, err.msg);
        CHECK(a.kind == IRIS_ABUNDANCE_RATIO && !a.x, "leaves the abundance as it was");
    }
    err = (struct iris_err){0};
    iris_abundance_default(&a);
    CHECK(iris_abundance_parse(&a, "10\n1 1\0002\n", 9, "x.txt", &err) == IRIS_E_DATA &&
              strstr(err.msg, "x.txt:2: "),
          "a NUL is no digit: %s", err.msg);
}

int
main(void)
{
    test_constant();
    test_drop();
    test_table();
    test_large();
    test_wrong_tables();
    return check_done();
}
