/* The settings of one spectral line: lists, abundances, tables on disk. */
#include "check.h"

#include <unistd.h>

#include "file.h"
#include "hyper.h"

#define ABUNDANCE "suite_hyper.abundance"

static const char two_lines[] =
    "{\"observer_hyper\": {\"n_lines\": 2, \"chem_path\": [\"a.dat\", \"/b.dat\"],"
    " \"transition\": [[1, 0], [3, 2]], \"kappa_dust\": [0.001, 0],"
    " \"N_H_TOT_steps\": [128, 16], \"interpolation_max_N_H_TOT\": [1e12, 1e10],"
    " \"bolic_normalization\": [1, 2], \"abundance_H2_steps\": [64, 8],"
    " \"T_steps\": [32, 4], \"interpolation_max_T\": [3000, 1e4]}}";

static char dir[] = "/tmp/test_lines.XXXXXX";

static struct iris_hyper *
parse(const char *text)
{
    struct iris_hyper *h = NULL;
    struct iris_err err = {0};

    if (iris_hyper_parse(text, strlen(text), "test", dir, &h, &err))
        printf("# %s\n", err.msg);
    return h;
}

static struct iris_hyper *
with(const char *abundance)
{
    struct iris_hyper *h = parse(two_lines);
    struct iris_err err = {0};

    if (iris_hyper_set(h, ABUNDANCE, abundance, &err) || iris_hyper_check(h, &err))
        printf("# %s\n", err.msg);
    return h;
}

static void
put(const char *name, const char *text)
{
    char path[64];

    snprintf(path, sizeof path, "%s/%s", dir, name);
    iris_write_file(path, text, strlen(text), NULL);
}

static int
value_is(const struct iris_hyper *h, const char *name, const char *expected)
{
    struct iris_buf text = {0};
    int same;

    same = !iris_hyper_value(h, name, &text, NULL) && !strcmp(iris_buf_str(&text), expected);
    if (!same)
        printf("# %s is %s\n", name, iris_buf_str(&text));
    iris_buf_release(&text);
    return same;
}

static void
test_lists(void)
{
    struct iris_hyper *h = parse(two_lines), *none = parse("{}");
    struct iris_line_settings a, b;
    struct iris_err err = {0};
    char path[64];

    snprintf(path, sizeof path, "%s/a.dat", dir);
    CHECK(iris_hyper_lines(h) == 2 && iris_hyper_lines(none) == 0, "lines are counted");
    CHECK(!iris_hyper_line(h, 0, &a, &err) && !iris_hyper_line(h, 1, &b, &err), "two lines %s",
          err.msg);
    CHECK(!strcmp(a.chem_path, path) && !strcmp(b.chem_path, "/b.dat"), "where their files are");
    CHECK(a.upper == 1 && a.lower == 0 && b.upper == 3 && b.lower == 2, "their levels");
    CHECK(a.kappa == 0.001 && b.kappa == 0, "their dust");
    CHECK(a.N_steps == 128 && b.N_steps == 16 && a.N_max == 1e12 && b.N_max == 1e10 &&
              a.bolic == 1 && b.bolic == 2,
          "nodes in density");
    CHECK(a.x_steps == 64 && b.x_steps == 8 && a.T_steps == 32 && b.T_steps == 4 &&
              a.T_max == 3000 && b.T_max == 1e4,
          "nodes in abundance and temperature");
    CHECK(a.abundance.kind == IRIS_ABUNDANCE_RATIO && a.abundance.value == 0.04 &&
              isnan(a.abundance.T_drop),
          "the default abundance");
    iris_line_settings_release(&a);
    iris_line_settings_release(&a);
    CHECK(!a.chem_path, "release, twice");
    iris_line_settings_release(&b);
    CHECK(iris_hyper_line(h, 2, &a, &err) == IRIS_E_BUG && !a.chem_path, "there is no third");
    iris_hyper_set(h, "observer_hyper.T_steps", "null", NULL);
    CHECK(iris_hyper_line(h, 1, &a, &err) == IRIS_E_DATA &&
              strstr(err.msg, "observer_hyper.T_steps") && !a.chem_path,
          "a list that is null is named: %s", err.msg);
    iris_hyper_free(h);
    iris_hyper_free(none);
}

static const struct {
    const char *json;
    size_t line;
    enum iris_abundance_kind kind;
    double value, T_drop, n_drop, drop;
} forms[] = {
    {"{\"ratio_to_CO\": 0.1}", 0, IRIS_ABUNDANCE_RATIO, 0.1, NAN, NAN, 0},
    {"{\"ratio_to_CO\": 0}", 1, IRIS_ABUNDANCE_RATIO, 0, NAN, NAN, 0},
    {"{\"per_H\": 1e-6, \"T_drop\": 20}", 1, IRIS_ABUNDANCE_PER_H, 1e-6, 20, NAN, 0},
    {"{\"per_H\": 1, \"n_drop\": 1e10, \"drop\": 0.1}", 0, IRIS_ABUNDANCE_PER_H, 1, NAN, 1e10, 0.1},
    {"[null, {\"per_H\": 2}]", 0, IRIS_ABUNDANCE_RATIO, 0.04, NAN, NAN, 0},
    {"[null, {\"per_H\": 2}]", 1, IRIS_ABUNDANCE_PER_H, 2, NAN, NAN, 0},
    {"null", 1, IRIS_ABUNDANCE_RATIO, 0.04, NAN, NAN, 0},
};

static int
same(double a, double b)
{
    return a == b || (isnan(a) && isnan(b));
}

static void
test_forms(void)
{
    size_t i;

    for (i = 0; i < sizeof forms / sizeof forms[0]; i++) {
        struct iris_hyper *h = with(forms[i].json);
        struct iris_line_settings line;
        struct iris_err err = {0};
        const struct iris_abundance *a = &line.abundance;

        CHECK(!iris_hyper_line(h, forms[i].line, &line, &err) && a->kind == forms[i].kind &&
                  a->value == forms[i].value && same(a->T_drop, forms[i].T_drop) &&
                  same(a->n_drop, forms[i].n_drop) && a->drop == forms[i].drop,
              "%s, line %zu %s", forms[i].json, forms[i].line, err.msg);
        iris_line_settings_release(&line);
        iris_hyper_free(h);
    }
}

static void
test_normal(void)
{
    struct iris_hyper *h = with("{\"n_drop\": 1, \"T_drop\": 20, \"per_H\": 1}");

    CHECK(value_is(h, ABUNDANCE,
                   "{\"per_H\": 1.0, \"T_drop\": 20.0, \"n_drop\": 1.0, \"drop\": 0.0}"),
          "members have an order, floats and the default");
    iris_hyper_set(h, ABUNDANCE, "[null, {\"ratio_to_CO\": 1}]", NULL);
    CHECK(value_is(h, ABUNDANCE, "[null, {\"ratio_to_CO\": 1.0}]"), "in lists too");
    iris_hyper_free(h);
}

static void
fails(const char *abundance, size_t line, enum iris_status status, const char *says)
{
    struct iris_hyper *h = with(abundance);
    struct iris_line_settings l;
    struct iris_err err = {0};

    CHECK(iris_hyper_line(h, line, &l, &err) == status && strstr(err.msg, says) &&
              !strncmp(err.msg, ABUNDANCE, strlen(ABUNDANCE)) && !l.chem_path && !l.abundance.x,
          "refused: %s", err.msg);
    CHECK(iris_hyper_line(h, line, &l, NULL) == status, "and without a sentence");
    iris_hyper_free(h);
}

static void
test_tables(void)
{
    struct iris_hyper *h = with("{\"table\": \"x.txt\", \"T_drop\": 5}");
    struct iris_line_settings line;
    struct iris_err err = {0};
    char absolute[120];

    put("x.txt", "10 20\n1e6 1e-6 2e-6\n");
    put("bad.txt", "10 20\n1e6 1e-6\n");
    CHECK(!iris_hyper_line(h, 1, &line, &err) && line.abundance.kind == IRIS_ABUNDANCE_TABLE &&
              line.abundance.n_T == 2 && line.abundance.T_drop == 5 &&
              iris_abundance_at(&line.abundance, 1, 20, 0) == 2e-6,
          "a table beside the settings is read %s", err.msg);
    iris_line_settings_release(&line);
    fails("{\"table\": \"none.txt\"}", 0, IRIS_E_IO, "none.txt");
    fails("{\"table\": \"bad.txt\"}", 0, IRIS_E_DATA, "bad.txt:2: need a density");
    fails("[null, {\"table\": \"bad.txt\"}]", 1, IRIS_E_DATA, "abundance[1]: ");
    CHECK(!iris_hyper_set(h, ABUNDANCE, "[{\"table\": \"none.txt\"}, null]", NULL) &&
              !iris_hyper_line(h, 1, &line, NULL),
          "a line needs its own table only");
    iris_line_settings_release(&line);
    iris_hyper_set(h, ABUNDANCE, "[{\"table\": \"x.txt\"}, {\"table\": \"none.txt\"}]", NULL);
    CHECK(!iris_hyper_resolve_paths(h, NULL), "tables are looked for");
    snprintf(absolute, sizeof absolute, "[{\"table\": \"%s/x.txt\"}, {\"table\": \"none.txt\"}]",
             dir);
    CHECK(value_is(h, ABUNDANCE, absolute), "and named from the root where they are");
    iris_hyper_set(h, ABUNDANCE, "{\"table\": \"/some/where/x.txt\", \"n_drop\": 2}", NULL);
    CHECK(!iris_hyper_strip_paths(h, NULL) &&
              value_is(h, ABUNDANCE, "{\"table\": \"x.txt\", \"n_drop\": 2.0, \"drop\": 0.0}"),
          "published without the place");
    iris_hyper_free(h);
}

static void
digest_of(const char *abundance, char digest[IRIS_SETTINGS_DIGEST], struct iris_buf *text)
{
    struct iris_hyper *h = with(abundance);
    struct iris_err err = {0};

    iris_hyper_set(h, "observer_hyper.chem_path", "null", NULL);
    digest[0] = '\0';
    if (iris_hyper_digest(h, IRIS_SYNTHETIC, 1, 0, 0, digest, text, &err))
        printf("# %s\n", err.msg);
    iris_hyper_free(h);
}

static void
test_digest(void)
{
    char a[IRIS_SETTINGS_DIGEST], b[IRIS_SETTINGS_DIGEST];
    struct iris_hyper *h = with("[null, {\"table\": \"none.txt\"}]");
    struct iris_buf text = {0};
    struct iris_err err = {0};

    put("y.txt", "10 20\n1e6 1e-6 2e-6\n");
    put("z.txt", "10 20\n1e6 1e-6 3e-6\n");
    digest_of("{\"table\": \"x.txt\"}", a, &text);
    digest_of("{\"table\": \"y.txt\"}", b, NULL);
    CHECK(a[0] && !strcmp(a, b), "tables of equal content are equal");
    CHECK(!strstr(iris_buf_str(&text), "x.txt") && strstr(iris_buf_str(&text), "\"table\": \""),
          "they count by content, without their name");
    digest_of("{\"table\": \"z.txt\"}", b, NULL);
    CHECK(b[0] && strcmp(a, b), "another content is another digest");
    digest_of("[{\"table\": \"x.txt\"}, null]", b, NULL);
    CHECK(b[0] && strcmp(a, b), "one line is another digest than all");
    digest_of("{\"per_H\": 1, \"T_drop\": 2}", a, NULL);
    digest_of("{\"T_drop\": 2.0, \"drop\": 0, \"per_H\": 1.0}", b, NULL);
    CHECK(a[0] && !strcmp(a, b), "how numbers are written does not count");
    iris_hyper_set(h, "observer_hyper.chem_path", "null", NULL);
    CHECK(iris_hyper_digest(h, IRIS_SYNTHETIC, 1, 0, 0, a, NULL, &err) == IRIS_E_IO &&
              strstr(err.msg, "none.txt") && strstr(err.msg, ABUNDANCE),
          "a missing table is named: %s", err.msg);
    CHECK(iris_hyper_digest(h, IRIS_SYNTHETIC, 1, 0, 0, a, NULL, NULL) == IRIS_E_IO &&
              !iris_hyper_digest(h, IRIS_SIMPLE, 1, 0, 0, a, NULL, &err),
          "other types do not need it");
    iris_buf_release(&text);
    iris_hyper_free(h);
}

static const struct {
    const char *key, *first, *second; /* values of the two lines */
} values[] = {
    {"writer_hyper.length_cm_per_processing", "10000000.0", "10000000.0"},
    {"writer_hyper.mass_g_per_processing", "1.0", "1.0"},
    {"writer_hyper.velocity_cm_per_s_per_processing", "10000000.0", "10000000.0"},
    {"writer_hyper.temperature_K_per_processing", "1.0", "1.0"},
    {"dataset_hyper.iris_number_unit", "1000000000000000.0", "1000000000000000.0"},
    {"observer_hyper.k", "1.380649e-23", "1.380649e-23"},
    {"observer_hyper.h", "6.62607e-34", "6.62607e-34"},
    {"observer_hyper.c", "299792500.0", "299792500.0"},
    {"observer_hyper.L", "6.022141e+23", "6.022141e+23"},
    {"observer_hyper.m_He", "6.646476726466552e-27", "6.646476726466552e-27"},
    {"observer_hyper.abundance_He", "0.1", "0.1"},
    {"observer_hyper.m_H", "1.673557626764302e-27", "1.673557626764302e-27"},
    {"observer_hyper.ortho_to_para_H2_ratio", "3.0", "3.0"},
    {"observer_hyper.transition", "[1, 0]", "[3, 2]"},
    {"observer_hyper.N_H_TOT_steps", "128", "16"},
    {"observer_hyper.interpolation_max_N_H_TOT", "1000000000000.0", "10000000000.0"},
    {"observer_hyper.bolic_normalization", "1.0", "2.0"},
    {"observer_hyper.abundance_H2_steps", "64", "8"},
    {"observer_hyper.T_steps", "32", "4"},
    {"observer_hyper.interpolation_max_T", "3000.0", "10000.0"},
    {"observer_hyper.T_continuum", "null", "null"},
    {"suite_hyper.table", "\"reference\"", "\"reference\""},
    {"suite_hyper.rate_extrapolation", "\"clamp\"", "\"clamp\""},
};
enum { VALUES = sizeof values / sizeof values[0] };

static int
table_value_is(const struct iris_hyper *h, const char *key, size_t line, const char *expected)
{
    struct iris_buf text = {0};
    int equal;

    equal = !iris_hyper_table_value(h, key, line, &text, NULL) &&
            !strcmp(iris_buf_str(&text), expected);
    if (!equal)
        printf("# %s is %s\n", key, iris_buf_str(&text));
    iris_buf_release(&text);
    return equal;
}

static void
test_table_values(void)
{
    struct iris_hyper *h = with("[null, {\"per_H\": 1}]");
    struct iris_buf text = {0};
    struct iris_err err = {0};
    size_t i;

    iris_hyper_set(h, "observer_hyper.T_continuum", "null", NULL);
    iris_hyper_set(h, "suite_hyper.rate_extrapolation", "\"clamp\"", NULL);
    CHECK(iris_table_key_count == VALUES, "%d keys determine a table", (int)VALUES);
    for (i = 0; i < VALUES && i < iris_table_key_count; i++) {
        CHECK(!strcmp(iris_table_keys[i], values[i].key) &&
                  iris_hyper_key_matters(values[i].key, IRIS_SYNTHETIC),
              "one is %s", values[i].key);
        CHECK(table_value_is(h, values[i].key, 0, values[i].first) &&
                  table_value_is(h, values[i].key, 1, values[i].second),
              "%s and %s", values[i].first, values[i].second);
    }
    CHECK(table_value_is(h, ABUNDANCE, 1, "{\"per_H\": 1.0}"), "other keys can be asked for");
    CHECK(table_value_is(h, "dataset_hyper.CMZ_scale_range", 1, "[0.25, 1.0]"),
          "a list that is not one of lines is whole");
    CHECK(iris_hyper_table_value(h, "observer_hyper.T_steps", 2, &text, &err) == IRIS_E_DATA &&
              strstr(err.msg, "observer_hyper.T_steps has no element [2]"),
          "there is no third: %s", err.msg);
    CHECK(iris_hyper_table_value(h, "observer_hyper.T_step", 0, &text, &err) == IRIS_E_DATA &&
              strstr(err.msg, "'observer_hyper.T_steps'"),
          "unknown: %s", err.msg);
    iris_hyper_set(h, "observer_hyper.T_steps", "null", NULL);
    CHECK(table_value_is(h, "observer_hyper.T_steps", 7, "null"), "null for a list that is null");
    iris_buf_release(&text);
    iris_hyper_free(h);
}

int
main(void)
{
    static const char *const files[] = {"x.txt", "bad.txt", "y.txt", "z.txt"};
    char path[64];
    size_t i;

    if (!mkdtemp(dir))
        return 1;
    test_lists();
    test_forms();
    test_normal();
    test_tables();
    test_digest();
    test_table_values();
    for (i = 0; i < sizeof files / sizeof files[0]; i++) {
        snprintf(path, sizeof path, "%s/%s", dir, files[i]);
        unlink(path);
    }
    rmdir(dir);
    return check_done();
}
