/* Grids of settings: values, what is refused, and the rows that become of them. */
#include "check.h"

#include "grid.h"
#include "hyper.h"

#define COUNT(a) (sizeof(a) / sizeof(a)[0])

/* The values of one axis, with blanks between. */
static int
values_are(const char *text, const char *type, const char *expected)
{
    struct iris_grid g = {0};
    struct iris_err err = {0};
    struct iris_buf got = {0};
    size_t i;
    int same;

    if (iris_grid_add(&g, text, &err))
        printf("# %s\n", err.msg);
    for (i = 0; g.n_axes && i < g.axis[0].n; i++)
        iris_buf_printf(&got, "%s%s", i ? " " : "", g.axis[0].value[i]);
    same = g.n_axes == 1 && g.n == g.axis[0].n && !strcmp(g.axis[0].type, type) &&
           !strcmp(iris_buf_str(&got), expected);
    if (!same)
        printf("# %s\n", iris_buf_str(&got));
    iris_buf_release(&got);
    iris_grid_release(&g);
    iris_grid_release(&g);
    return same;
}

static void
test_values(void)
{
    static const struct {
        const char *text, *type, *values;
    } good[] = {
        {"dataset_hyper.CMZ_density_factor=0.5:2:4", "f64", "0.5 1.0 1.5 2.0"},
        {"dataset_hyper.CMZ_density_factor=2:0.5:4", "f64", "2.0 1.5 1.0 0.5"},
        {"dataset_hyper.CMZ_density_factor=3:3:1", "f64", "3.0"},
        {"dataset_hyper.CMZ_density_factor=0.1:0.7:7", "f64", "0.1 0.2 0.3 0.4 0.5 0.6 0.7"},
        {"cube_hyper.v_min=-0.3:0.3:7", "f64", "-0.3 -0.2 -0.1 0.0 0.1 0.2 0.3"},
        {"cube_hyper.v_min=-0.7:0.8:16", "f64",
         "-0.7 -0.6 -0.5 -0.4 -0.3 -0.2 -0.1 0.0 0.1 0.2 0.3 0.4 0.5 0.6 0.7 0.8"},
        {"cube_hyper.v_min=0:1:4", "f64", "0.0 0.33333333333333 0.66666666666667 1.0"},
        {"cube_hyper.v_min=0.30000000000000004:1:2", "f64", "0.30000000000000004 1.0"},
        {"cube_hyper.v_min=1e-310:3e-310:3", "f64", "1e-310 2e-310 3e-310"},
        {"cube_hyper.v_min=1e20:3e20:3", "f64", "1e+20 2e+20 3e+20"},
        {"observer_hyper.m_H=1e-27:3e-27:3", "f64", "1e-27 2e-27 3e-27"},
        {"cube_hyper.v_steps=2:10:5", "i64", "2 4 6 8 10"},
        {"cube_hyper.v_steps=10:2:3", "i64", "10 6 2"},
        {"coordinate_hyper.spin_orientation=-1:1:2", "i64", "-1 1"},
        {"cube_hyper.v_min=[3,null,-1.5]", "str", "3.0 null -1.5"},
        {"coordinate_hyper.jitter_r=[true,false]", "str", "true false"},
        {"cube_hyper.reduction=[\"mean\"]", "str", "\"mean\""},
        {"suite_hyper.centre=[[1,2,3],\"densest\",null]", "str",
         "[1.0, 2.0, 3.0] \"densest\" null"},
    };
    size_t i;

    for (i = 0; i < COUNT(good); i++)
        CHECK(values_are(good[i].text, good[i].type, good[i].values), "%s", good[i].text);
}

static void
test_refusals(void)
{
    static const struct {
        const char *text, *word;
    } bad[] = {
        {"", "''"},
        {"cube_hyper.v_min", "'cube_hyper.v_min'"},
        {"=1:2:2", "unknown key ''"},
        {"cube_hyper.v_mim=1:2:2", "'cube_hyper.v_min'"},
        {"v_min=1:2:2", "'cube_hyper.v_min'"},
        {"cube_hyper.v_min=", "A:B:N"},
        {"cube_hyper.v_min=1", "A:B:N"},
        {"cube_hyper.v_min=1:2", "A:B:N"},
        {"cube_hyper.v_min=1:2:2:2", "'2:2'"},
        {"cube_hyper.v_min=1:2:x", "'x'"},
        {"cube_hyper.v_min=1:2:0", "'0'"},
        {"cube_hyper.v_min=1:2:1000001", "1000000"},
        {"cube_hyper.v_min=a:2:2", "'a'"},
        {"cube_hyper.v_min=0:inf:2", "'inf'"},
        {"cube_hyper.v_min=nan:1:2", "'nan'"},
        {"cube_hyper.v_min=-1e308:1e308:5", "too far"},
        {"cube_hyper.v_min=1:2:1", "in one value"},
        {"cube_hyper.v_min=1:1:2", "1.0 twice"},
        {"cube_hyper.v_min=1:1.0000000000000002:5", "twice"},
        {"cube_hyper.v_steps=2:3:3", "whole numbers"},
        {"cube_hyper.v_steps=2:4.0:3", "'4.0'"},
        {"cube_hyper.v_steps=2:4:1", "in one value"},
        {"cube_hyper.v_steps=2:2:2", "2 twice"},
        {"cube_hyper.v_steps=0:4:3", "not 0"},
        {"cube_hyper.v_steps=-9223372036854775808:9223372036854775807:4", "cube_hyper.v_steps"},
        {"dataset_hyper.CMZ_density_factor=0:1:3", "above 0 or null, not 0.0"},
        {"cube_hyper.reduction=1:2:2", "no number"},
        {"cube_hyper.v_min=[", "JSON"},
        {"cube_hyper.v_min=[1", "JSON"},
        {"cube_hyper.v_min=[1] ,", "JSON"},
        {"cube_hyper.v_min=[]", "no value"},
        {"cube_hyper.v_min=[1,2,1.0]", "1.0 twice"},
        {"cube_hyper.v_min=[null,null]", "null twice"},
        {"cube_hyper.reduction=[mean]", "double quotes"},
        {"cube_hyper.reduction=[\"mean\",\"min\"]", "not \"min\""},
        {"cube_hyper.v_steps=[2.0]", "whole number"},
        {"writer_hyper.total_snapshots=1:2:2", "no setting of data points"},
        {"training_hyper.epochs=[1]", "no setting of data points"},
        {"observer_hyper.lat_pieces=[1,2]", "no setting of data points"},
    };
    size_t i;

    for (i = 0; i < COUNT(bad); i++) {
        struct iris_grid g = {0};
        struct iris_err err = {0};

        CHECK(iris_grid_add(&g, bad[i].text, &err) == IRIS_E_USAGE && !g.n && !g.n_axes &&
                  strstr(err.msg, bad[i].word) && !strchr(err.msg, '\n'),
              "refused: %s", bad[i].text);
        if (!strstr(err.msg, bad[i].word))
            printf("# %s\n", err.msg);
        iris_grid_release(&g);
    }
}

static void
test_several(void)
{
    struct iris_grid g = {0};
    struct iris_err err = {0};

    CHECK(!iris_grid_add(&g, "cube_hyper.v_min=0:1:1000", &err) && g.n == 1000, "one axis");
    CHECK(iris_grid_add(&g, "cube_hyper.v_min=[7]", &err) == IRIS_E_USAGE &&
              strstr(err.msg, "cube_hyper.v_min is varied twice") && g.n == 1000 && g.n_axes == 1,
          "a key can be there once");
    CHECK(iris_grid_add(&g, "cube_hyper.v_max=0:1:1001", &err) == IRIS_E_USAGE && g.n == 1000,
          "there is a limit to combinations");
    CHECK(!iris_grid_add(&g, "cube_hyper.v_max=0:1:1000", &err) && g.n == 1000000, "up to it");
    iris_grid_release(&g);
}

static void
test_expand(void)
{
    static const char expected[] =
        "##iris-manifest 1 snapshots\n"
        "##columns snapshot:str todo:u32 set:cube_hyper.v_steps:i64 set:cube_hyper.reduction:str\n"
        "#snapshot\ttodo\tset:cube_hyper.v_steps\tset:cube_hyper.reduction\n"
        "b\t.\t2\t\"max\"\nb\t.\t2\tnull\nb\t.\t3\t\"max\"\nb\t.\t3\tnull\n"
        "a\t5\t2\t\"max\"\na\t5\t2\tnull\na\t5\t3\t\"max\"\na\t5\t3\tnull\n"
        "##rows 8\n";
    struct iris_manifest m = {0}, again = {0};
    struct iris_manifest_reader reader;
    struct iris_grid g = {0};
    struct iris_err err = {0};
    struct iris_buf text = {0}, copy = {0};
    size_t index, row;

    iris_manifest_init(&m, "snapshots", &err);
    iris_manifest_column(&m, "snapshot", "str", &index, &err);
    iris_manifest_column(&m, "todo", "u32", &index, &err);
    iris_manifest_add_row(&m, &row, &err);
    iris_manifest_set(&m, row, "snapshot", "b", &err);
    iris_manifest_add_row(&m, &row, &err);
    iris_manifest_set(&m, row, "snapshot", "a", &err);
    iris_manifest_set(&m, row, "todo", "5", &err);
    CHECK(!iris_grid_expand(&g, &m, &err) && m.n_rows == 2 && m.n_columns == 2,
          "without axes nothing changes");
    iris_grid_add(&g, "cube_hyper.v_steps=2:3:2", &err);
    iris_grid_add(&g, "cube_hyper.reduction=[\"max\",null]", &err);
    CHECK(!iris_grid_expand(&g, &m, &err), "a manifest is expanded");
    iris_manifest_print(&m, &text);
    CHECK(!strcmp(iris_buf_str(&text), expected),
          "rows of a snapshot together, the last axis fastest");
    iris_manifest_reader_init(&reader, "test", &err);
    CHECK(!iris_manifest_reader_feed(&reader, text.data, text.len, &err) &&
              iris_manifest_reader_is_complete(&reader),
          "it can be read");
    iris_manifest_print(&reader.table, &copy);
    CHECK(!strcmp(iris_buf_str(&copy), expected), "and keeps names and types of columns");
    iris_manifest_reader_release(&reader);

    iris_manifest_init(&again, "snapshots", &err);
    iris_manifest_column(&again, "snapshot", "str", &index, &err);
    CHECK(!iris_grid_expand(&g, &again, &err) && again.n_rows == 0 && again.n_columns == 3,
          "without rows there are the columns");
    iris_manifest_release(&again);
    iris_manifest_release(&m);
    iris_grid_release(&g);
    iris_buf_release(&text);
    iris_buf_release(&copy);
}

/* Every value is what a setting takes, and keeps. */
static void
test_settings(void)
{
    static const char *const texts[] = {
        "dataset_hyper.CMZ_density_factor=1e-30:7e22:9",
        "observer_hyper.m_H=1.1e-27:1.9e-27:23",
        "cube_hyper.v_steps=2:1048576:3",
        "suite_hyper.transfer=[\"optically thick\",\"optically thin\"]",
        "suite_hyper.abundance=[{\"table\":\"gr\\u00f6\\t\\\"x\\\".dat\"},null]",
    };
    struct iris_hyper *h = NULL;
    struct iris_err err = {0};
    size_t i, k;

    if (iris_hyper_defaults(&h, &err))
        exit(2);
    for (i = 0; i < COUNT(texts); i++) {
        struct iris_grid g = {0};
        int same = !iris_grid_add(&g, texts[i], &err);

        for (k = 0; same && k < g.axis[0].n; k++) {
            const char *key = g.axis[0].column + strlen(IRIS_SET_PREFIX);
            struct iris_buf value = {0};

            same = !iris_hyper_set(h, key, g.axis[0].value[k], &err) &&
                   !iris_hyper_value(h, key, &value, &err) &&
                   !strcmp(iris_buf_str(&value), g.axis[0].value[k]);
            iris_buf_release(&value);
        }
        CHECK(same, "settings take %s", texts[i]);
        iris_grid_release(&g);
    }
    iris_hyper_free(h);
}

int
main(void)
{
    test_values();
    test_refusals();
    test_several();
    test_expand();
    test_settings();
    return check_done();
}
