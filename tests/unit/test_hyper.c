#include "check.h"

#include <stdint.h>

#include "file.h"
#include "hyper.h"
#include "json.h"

enum { M = IRIS_SIMPLE, Y = IRIS_SYNTHETIC, SMY = IRIS_STANDARD | M | Y };

static const enum iris_type types[] = {IRIS_STANDARD, IRIS_SIMPLE, IRIS_SYNTHETIC};

static struct iris_hyper *
parse(const char *text, const char *dir)
{
    struct iris_hyper *h = NULL;
    struct iris_err err = {0};

    if (iris_hyper_parse(text, strlen(text), "test", dir, &h, &err))
        printf("# %s\n", err.msg);
    return h;
}

/* Changes separated by ';', each "section.key=json". */
static enum iris_status
change(struct iris_hyper *h, const char *changes, struct iris_err *err)
{
    enum iris_status st = IRIS_OK;
    char copy[600], *one, *rest, *equals;

    snprintf(copy, sizeof copy, "%s", changes);
    for (one = strtok_r(copy, ";", &rest); one && !st; one = strtok_r(NULL, ";", &rest)) {
        equals = strchr(one, '=');
        *equals = '\0';
        st = iris_hyper_set(h, one, equals + 1, err);
    }
    return st;
}

static const struct {
    const char *name, *json, *says;
} wrong[] = {
    {"coordinate_hyper.r_steps", "512.5", "a whole number from 2 to 1048576, not 512.5"},
    {"coordinate_hyper.r_steps", "512.0", "not 512.0"},
    {"coordinate_hyper.r_steps", "\"x\"", "not \"x\""},
    {"coordinate_hyper.r_steps", "true", "not true"},
    {"coordinate_hyper.r_steps", "null", "not null"},
    {"coordinate_hyper.r_steps", "1", "not 1"},
    {"coordinate_hyper.r_steps", "1048577", "not 1048577"},
    {"coordinate_hyper.r_steps", "-9223372036854775808", "not -9223372036854775808"},
    {"writer_hyper.points_per_snapshot", "0", "from 1 to 1000000"},
    {"writer_hyper.points_per_snapshot", "1000001", "from 1 to 1000000"},
    {"writer_hyper.min_snapshot_index", "-1", "or null, not -1"},
    {"writer_hyper.length_cm_per_processing", "0", "a number above 0, not 0"},
    {"writer_hyper.length_cm_per_processing", "\"1\"", "a number above 0"},
    {"dataset_hyper.use_AREPO_abundances", "1", "true or false, not 1"},
    {"dataset_hyper.AREPO_CO_abundance_id", "-1", "a whole number from 0"},
    {"dataset_hyper.CMZ_scale_factor", "0", "a number above 0 or null"},
    {"dataset_hyper.CMZ_scale_range", "[1, 0.5]", "two numbers above 0, the smaller one first"},
    {"dataset_hyper.CMZ_scale_range", "[0, 1]", "two numbers"},
    {"dataset_hyper.CMZ_scale_range", "[1]", "two numbers"},
    {"dataset_hyper.CMZ_scale_range", "[1, 2, 3]", "two numbers"},
    {"dataset_hyper.CMZ_scale_range", "1", "two numbers"},
    {"coordinate_hyper.theta_zero", "360", "below 360, not 360"},
    {"coordinate_hyper.theta_zero", "-1", "0 or more and below 360"},
    {"coordinate_hyper.spin_orientation", "0", "1 or -1, not 0"},
    {"coordinate_hyper.spin_orientation", "2", "1 or -1"},
    {"coordinate_hyper.observer_radius", "-1", "0 or more"},
    {"coordinate_hyper.r_min", "-1", "0 or more or null"},
    {"coordinate_hyper.lon_min", "-180.5", "from -180 to 180"},
    {"coordinate_hyper.lat_max", "90.5", "from -90 to 90"},
    {"observer_hyper.in_blur_kernel_r", "4", "an odd whole number"},
    {"observer_hyper.in_blur_kernel_r", "-1", "an odd whole number"},
    {"observer_hyper.in_blur_sigma", "0", "a number above 0"},
    {"observer_hyper.v_subsamples", "-1", "from 0 to 1024 or null"},
    {"observer_hyper.noise_sigma", "-1", "0 or more"},
    {"observer_hyper.k", "-1.4e-23", "a number above 0"},
    {"observer_hyper.chem_path", "\"x\"", "a list of strings"},
    {"observer_hyper.chem_path", "[\"\"]", "a list of strings that are not empty"},
    {"observer_hyper.chem_path", "[1]", "a list of strings"},
    {"observer_hyper.transition", "[[1, 2]]", "upper above lower, lower 0 or more"},
    {"observer_hyper.transition", "[[1, 1]]", "upper above lower"},
    {"observer_hyper.transition", "[[1, -1]]", "lower 0 or more"},
    {"observer_hyper.transition", "[2, 1]", "a list of pairs"},
    {"observer_hyper.transition", "[[2.0, 1]]", "a list of pairs"},
    {"observer_hyper.kappa_dust", "[-1]", "each 0 or more"},
    {"observer_hyper.T_steps", "[1]", "a list of whole numbers from 2"},
    {"observer_hyper.T_steps", "[64.0]", "a list of whole numbers from 2"},
    {"observer_hyper.interpolation_max_T", "[0]", "a list of numbers above 0"},
    {"cube_hyper.fits_map", "\"f\"", "null"},
    {"cube_hyper.clean_noise", "[1]", "a list of nulls"},
    {"cube_hyper.beam_efficiency", "[1.5]", "above 0 and 1 or less"},
    {"cube_hyper.beam_efficiency", "[0]", "above 0 and 1 or less"},
    {"cube_hyper.reduction", "\"sum\"", "\"mean\" or \"max\" or null, not \"sum\""},
    {"training_hyper.validation_data_fraction", "1.5", "from 0 to 1"},
    {"training_hyper.physical_loss", "\"f\"", "null"},
    {"suite_hyper.seed", "-1", "a whole number from 0"},
    {"suite_hyper.transfer", "\"thick\"", "\"optically thick\", \"selectively thin\" or"},
    {"suite_hyper.output_units", "null", "\"I\", \"I Jy per Sr\", \"Trj\", \"Trj K\", \"Tb\" or"},
    {"suite_hyper.abundance", "1e-5", "an object, a list of objects or nulls, one a line, or null"},
    {"suite_hyper.abundance", "{}", "must have one of ratio_to_CO, per_H and table, not 0"},
    {"suite_hyper.abundance", "{\"per_H\": 1, \"table\": \"x\"}", "table, not 2"},
    {"suite_hyper.abundance", "{\"per_h\": 1}", "suite_hyper.abundance: unknown key 'per_h'"},
    {"suite_hyper.abundance", "{\"per_H\": -1}", ": per_H must be a number, 0 or more, not -1"},
    {"suite_hyper.abundance", "{\"ratio_to_CO\": -1}", ": ratio_to_CO must be a number, 0 or more"},
    {"suite_hyper.abundance", "{\"ratio_to_CO\": null}",
     ": ratio_to_CO must be a number, 0 or more"},
    {"suite_hyper.abundance", "{\"table\": \"\"}", ": table must be a string that is not empty"},
    {"suite_hyper.abundance", "{\"per_H\": 1, \"T_drop\": 0}", ": T_drop must be a number above 0"},
    {"suite_hyper.abundance", "{\"per_H\": 1, \"n_drop\": 0}", ": n_drop must be a number above 0"},
    {"suite_hyper.abundance", "{\"per_H\": 1, \"T_drop\": 9, \"drop\": -1}",
     ": drop must be a number"},
    {"suite_hyper.abundance", "{\"per_H\": 1, \"drop\": 0.1}", ": drop needs T_drop or n_drop"},
    {"suite_hyper.abundance", "{\"T_drop\": 1}", "one of ratio_to_CO, per_H and table, not 0"},
    {"suite_hyper.abundance", "[null, 1]", "suite_hyper.abundance[1]: must be an object or null"},
    {"suite_hyper.abundance", "[{\"x\": 1}]", "suite_hyper.abundance[0]: unknown key 'x'"},
    {"suite_hyper.clamp_offsets", "1", "true or false, not 1"},
    {"suite_hyper.rate_extrapolation", "\"cut\"", "\"linear\" or \"clamp\", not \"cut\""},
    {"suite_hyper.dust_temperature", "0", "a number above 0 or null"},
    {"suite_hyper.centre", "\"middle\"", "three numbers or \"densest\" or null"},
    {"suite_hyper.centre", "[1, 2]", "three numbers"},
    {"suite_hyper.centre", "[1, 2, \"3\"]", "three numbers"},
    {"suite_hyper.periodic", "0", "true or false"},
    {"suite_hyper.v_turb", "-0.5", "0 or more"},
    {"writer_hyper.point_per_snapshot", "1", "is 'writer_hyper.points_per_snapshot' meant?"},
    {"coordinate.r_steps", "1", "is 'coordinate_hyper.r_steps' meant?"},
    {"coordinate_hyper.rsteps", "1", "is 'coordinate_hyper.r_steps' meant?"},
    {"nothing.at_all_like_any_key_and_much_longer_than_every_one_of_them_could_ever_be", "1",
     "unknown key"},
};

static void
test_wrong_values(void)
{
    struct iris_hyper *h = parse("{}", NULL);
    struct iris_buf before = {0}, after = {0};
    struct iris_err err;
    size_t i;

    iris_hyper_print(h, &before, NULL);
    for (i = 0; i < sizeof wrong / sizeof wrong[0]; i++) {
        err = (struct iris_err){0};
        CHECK(iris_hyper_set(h, wrong[i].name, wrong[i].json, &err) == IRIS_E_DATA &&
                  strstr(err.msg, wrong[i].says) && strstr(err.msg, wrong[i].name),
              "%s cannot be %s", wrong[i].name, wrong[i].json);
        if (!strstr(err.msg, wrong[i].says))
            printf("# %s\n", err.msg);
    }
    CHECK(iris_hyper_set(h, "suite_hyper.seed", "1;", &err) == IRIS_E_USAGE, "that is not JSON");
    CHECK(iris_hyper_set(h, "cube_hyper.reduction", "max", &err) == IRIS_E_USAGE &&
              strstr(err.msg, "double quotes"),
          "a bare word is not JSON");
    CHECK(iris_hyper_set(h, "cube_hyper.v_min", "NaN", &err) == IRIS_E_USAGE, "NaN is not JSON");
    CHECK(iris_hyper_set(h, "cube_hyper.v_min", "1e999", &err) == IRIS_E_USAGE,
          "a number too large is refused");
    CHECK(iris_hyper_set(h, "seed", "1", &err) == IRIS_E_USAGE, "a key needs its section");
    iris_hyper_print(h, &after, NULL);
    CHECK(!strcmp(iris_buf_str(&before), iris_buf_str(&after)), "refused values change nothing");
    iris_buf_release(&before);
    iris_buf_release(&after);
    iris_hyper_free(h);
}

/* Rules between keys: what is changed of the defaults, and the keys that the
 * message names; none: the change is right. */
static const struct {
    const char *changes, *says, *says_too;
} rules[] = {
    {"writer_hyper.total_snapshots=1;writer_hyper.points_per_snapshot=3",
     "unit_calculation_sample_size", "points_per_snapshot"},
    {"writer_hyper.total_snapshots=1;writer_hyper.points_per_snapshot=4", NULL, NULL},
    {"writer_hyper.total_snapshots=1000000;writer_hyper.points_per_snapshot=1000000;"
     "writer_hyper.unit_calculation_sample_size=1000000000000",
     NULL, NULL},
    {"observer_hyper.v_subsamples=40", "lon_pieces", "v_subsamples"},
    {"observer_hyper.v_subsamples=32", NULL, NULL},
    {"observer_hyper.v_subsamples=0;observer_hyper.lon_pieces=512", NULL, NULL},
    {"observer_hyper.v_subsamples=1;observer_hyper.lon_pieces=512", "lon_pieces", "lon_steps"},
    {"observer_hyper.lon_pieces=513", "lon_pieces", "lon_steps"},
    {"observer_hyper.lat_pieces=129", "lat_pieces", "lat_steps"},
    {"observer_hyper.lat_pieces=128", NULL, NULL},
    {"coordinate_hyper.r_crop_max_index=513", "r_crop_max_index", "r_steps"},
    {"coordinate_hyper.r_crop_min_index=512", "r_crop_min_index", "r_crop_max_index"},
    {"coordinate_hyper.r_crop_min_index=511", NULL, NULL},
    {"coordinate_hyper.r_steps=48", "r_crop_max_index", "r_steps"},
    {"coordinate_hyper.r_min=10;coordinate_hyper.r_max=10", "r_min", "r_max"},
    {"coordinate_hyper.r_min=10", NULL, NULL},
    {"coordinate_hyper.lon_min=2;coordinate_hyper.lon_max=1", "lon_min", "lon_max"},
    {"coordinate_hyper.lat_min=2;coordinate_hyper.lat_max=1", "lat_min", "lat_max"},
    {"writer_hyper.min_snapshot_index=2;writer_hyper.max_snapshot_index=1", "min_snapshot_index",
     "max_snapshot_index"},
    {"writer_hyper.min_snapshot_index=2;writer_hyper.max_snapshot_index=2", NULL, NULL},
    {"dataset_hyper.AREPO_CO_abundance_id=1", "H_plus_abundance_id", "CO_abundance_id"},
    {"dataset_hyper.AREPO_H2_abundance_id=2", "H2_abundance_id", "CO_abundance_id"},
    {"dataset_hyper.AREPO_H2_abundance_id=1", "H2_abundance_id", "H_plus_abundance_id"},
    {"observer_hyper.n_lines=2;observer_hyper.kappa_dust=[1e-3]", "kappa_dust", "n_lines"},
    {"observer_hyper.n_lines=1;observer_hyper.transition=[]", "transition", "n_lines"},
    {"observer_hyper.n_lines=1;observer_hyper.chem_path=[\"a\", \"b\"]", "chem_path", "n_lines"},
    {"observer_hyper.n_lines=1;observer_hyper.N_H_TOT_steps=[8, 8]", "N_H_TOT_steps", "n_lines"},
    {"observer_hyper.n_lines=1;observer_hyper.interpolation_max_N_H_TOT=[8, 8]", "max_N_H_TOT",
     "n_lines"},
    {"observer_hyper.n_lines=1;observer_hyper.bolic_normalization=[8, 8]", "bolic", "n_lines"},
    {"observer_hyper.n_lines=1;observer_hyper.abundance_H2_steps=[8, 8]", "H2_steps", "n_lines"},
    {"observer_hyper.n_lines=1;observer_hyper.T_steps=[8, 8]", "T_steps", "n_lines"},
    {"observer_hyper.n_lines=1;observer_hyper.interpolation_max_T=[8, 8]", "max_T", "n_lines"},
    {"observer_hyper.n_lines=1;cube_hyper.data_path=[\"a\", \"b\"]", "data_path", "n_lines"},
    {"observer_hyper.n_lines=1;cube_hyper.beam_efficiency=[1, 1]", "beam_efficiency", "n_lines"},
    {"observer_hyper.n_lines=1;cube_hyper.clean_noise=[null, null]", "clean_noise", "n_lines"},
    {"observer_hyper.n_lines=1;cube_hyper.conversion_raw_to_T_K=[]", "conversion", "n_lines"},
    {"observer_hyper.n_lines=1;suite_hyper.abundance=[]", "abundance", "n_lines"},
    {"observer_hyper.n_lines=1;suite_hyper.abundance=[null, null]", "abundance", "n_lines"},
    {"observer_hyper.n_lines=2;suite_hyper.abundance=[null, {\"per_H\": 1}]", NULL, NULL},
    {"observer_hyper.n_lines=2;suite_hyper.abundance={\"per_H\": 1}", NULL, NULL},
    {"observer_hyper.kappa_dust=[1e-3, 1e-3]", NULL, NULL},
    {"observer_hyper.n_lines=2;observer_hyper.kappa_dust=[1e-3, 1e-3]", NULL, NULL},
    {"observer_hyper.m_H=1", "m_H", "mw_H"},
    {"observer_hyper.m_H2=1", "m_H2", "mw_H2"},
    {"observer_hyper.m_He=1", "m_He", "mw_He"},
    {"observer_hyper.noise_mean=0", "noise_mean", "noise_sigma"},
    {"observer_hyper.noise_sigma=1", "noise_mean", "noise_sigma"},
    {"observer_hyper.noise_mean=0;observer_hyper.noise_sigma=1", NULL, NULL},
    {"coordinate_hyper.jitter_r_min=0", "jitter_r_min", "jitter_r_max"},
    {"coordinate_hyper.jitter_r_min=1;coordinate_hyper.jitter_r_max=0", "jitter_r_min",
     "jitter_r_max"},
    {"coordinate_hyper.jitter_r=true", "jitter_r ", "jitter_r_max"},
    {"coordinate_hyper.jitter_r=true;coordinate_hyper.jitter_r_min=0;"
     "coordinate_hyper.jitter_r_max=0",
     NULL, NULL},
    {"coordinate_hyper.jitter_lon_max=0", "jitter_lon_min", "jitter_lon_max"},
    {"coordinate_hyper.jitter_lon_min=1;coordinate_hyper.jitter_lon_max=0", "jitter_lon_min",
     "jitter_lon_max"},
    {"coordinate_hyper.jitter_lon=true", "jitter_lon ", "jitter_lon_max"},
    {"cube_hyper.v_min=1;cube_hyper.v_max=1", "v_min", "v_max"},
    {"writer_hyper._length_parsec_per_processing=3.2407792896663568e-12", NULL, NULL},
    {"writer_hyper._length_parsec_per_processing=3.24078e-12", NULL, NULL},
    {"writer_hyper._length_parsec_per_processing=3.2408e-12", "_length_parsec_per_processing",
     "length_cm_per_processing"},
};

static void
test_rules(void)
{
    struct iris_err err;
    size_t i;

    for (i = 0; i < sizeof rules / sizeof rules[0]; i++) {
        struct iris_hyper *h = parse("{}", NULL);
        enum iris_status st;

        err = (struct iris_err){0};
        st = change(h, rules[i].changes, &err);
        if (!CHECK(!st, "%s can be set", rules[i].changes))
            printf("# %s\n", err.msg);
        st = iris_hyper_check(h, &err);
        if (rules[i].says)
            CHECK(st == IRIS_E_DATA && strstr(err.msg, rules[i].says) &&
                      strstr(err.msg, rules[i].says_too),
                  "%s is refused", rules[i].changes);
        else
            CHECK(!st, "%s is accepted", rules[i].changes);
        if (st && (!rules[i].says || !strstr(err.msg, rules[i].says)))
            printf("# %s\n", err.msg);
        iris_hyper_free(h);
    }
}

/* Each change makes complete settings lack something for the types named. */
static const struct {
    const char *changes, *says;
    unsigned types;
} lacks[] = {
    {"coordinate_hyper.r_min=null", "coordinate_hyper.r_min", SMY},
    {"coordinate_hyper.r_max=null", "coordinate_hyper.r_max", SMY},
    {"coordinate_hyper.lon_min=null", "coordinate_hyper.lon_min", SMY},
    {"coordinate_hyper.lon_max=null", "coordinate_hyper.lon_max", SMY},
    {"coordinate_hyper.lat_min=null", "coordinate_hyper.lat_min", SMY},
    {"coordinate_hyper.lat_max=null", "coordinate_hyper.lat_max", SMY},
    {"cube_hyper.v_min=null", "cube_hyper.v_min", M | Y},
    {"cube_hyper.v_max=null", "cube_hyper.v_max", M | Y},
    {"cube_hyper.reduction=null", "cube_hyper.reduction", M | Y},
    {"observer_hyper.in_blur_kernel_r=1023", "in_blur_kernel_r", 0},
    {"observer_hyper.in_blur_kernel_lat=257", "in_blur_kernel_lat", M | Y},
    {"observer_hyper.in_blur_kernel_lat=255", "in_blur_kernel_lat", 0},
    {"coordinate_hyper.lon_steps=2", "in_blur_kernel_lon", M | Y},
    {"coordinate_hyper.lon_steps=2;observer_hyper.blur_inputs=false", "", 0},
    {"observer_hyper.v_subsamples=null", "observer_hyper.v_subsamples", Y},
    {"observer_hyper.n_lines=null", "observer_hyper.n_lines", Y},
    {"observer_hyper.chem_path=null", "observer_hyper.chem_path", Y},
    {"observer_hyper.transition=null", "observer_hyper.transition", Y},
    {"observer_hyper.kappa_dust=null", "observer_hyper.kappa_dust", Y},
    {"observer_hyper.N_H_TOT_steps=null", "observer_hyper.N_H_TOT_steps", Y},
    {"observer_hyper.interpolation_max_N_H_TOT=null", "interpolation_max_N_H_TOT", Y},
    {"observer_hyper.bolic_normalization=null", "observer_hyper.bolic_normalization", Y},
    {"observer_hyper.abundance_H2_steps=null", "observer_hyper.abundance_H2_steps", Y},
    {"observer_hyper.T_steps=null", "observer_hyper.T_steps", Y},
    {"observer_hyper.interpolation_max_T=null", "observer_hyper.interpolation_max_T", Y},
    {"observer_hyper.T_continuum=null", "", 0},
};

static struct iris_hyper *
complete(void)
{
    struct iris_hyper *h = parse("{}", NULL);

    change(h,
           "coordinate_hyper.r_min=8052;coordinate_hyper.r_max=8502;coordinate_hyper.lon_min=-1;"
           "coordinate_hyper.lon_max=1;coordinate_hyper.lat_min=-1;coordinate_hyper.lat_max=1;"
           "cube_hyper.v_min=-200;cube_hyper.v_max=200;cube_hyper.reduction=\"mean\"",
           NULL);
    change(h,
           "observer_hyper.v_subsamples=1;observer_hyper.n_lines=1;"
           "observer_hyper.chem_path=[\"a\"];observer_hyper.transition=[[1,0]];"
           "observer_hyper.kappa_dust=[1];observer_hyper.N_H_TOT_steps=[8];"
           "observer_hyper.interpolation_max_N_H_TOT=[1];observer_hyper.bolic_normalization=[1];"
           "observer_hyper.abundance_H2_steps=[8];observer_hyper.T_steps=[8];"
           "observer_hyper.interpolation_max_T=[1]",
           NULL);
    return h;
}

static void
test_types(void)
{
    enum iris_type type;
    struct iris_err err;
    size_t i, t;

    for (t = 0; t < 3; t++) {
        struct iris_hyper *h = complete();

        CHECK(!iris_type_parse(iris_type_name(types[t]), &type, NULL) && type == types[t],
              "%s is a type", iris_type_name(types[t]));
        CHECK(!iris_hyper_check_type(h, types[t], NULL), "complete settings do for it");
        iris_hyper_free(h);
        for (i = 0; i < sizeof lacks / sizeof lacks[0]; i++) {
            int refused = (lacks[i].types & (unsigned)types[t]) != 0;

            err = (struct iris_err){0};
            h = complete();
            change(h, lacks[i].changes, &err);
            CHECK((iris_hyper_check_type(h, types[t], &err) == IRIS_E_DATA) == refused &&
                      (!refused || strstr(err.msg, lacks[i].says)),
                  "%s with %s: %s", iris_type_name(types[t]), lacks[i].changes,
                  refused ? "refused" : "accepted");
            iris_hyper_free(h);
        }
    }
    CHECK(iris_type_parse("pair", &type, &err) == IRIS_E_USAGE && strstr(err.msg, "synthetic"),
          "other types are refused with the words allowed");
}

static void
fails(const char *text, const char *says)
{
    struct iris_hyper *h = NULL;
    struct iris_err err = {0};

    CHECK(iris_hyper_parse(text, strlen(text), "a.json", NULL, &h, &err) == IRIS_E_DATA &&
              !strncmp(err.msg, "a.json:", 7) && strstr(err.msg, says),
          "\"%.30s\" is refused: %s", text[0] == '{' ? text + 1 : text, err.msg);
}

static void
test_files(void)
{
    struct iris_hyper *h = NULL;
    struct iris_err err = {0};

    fails("", "a.json:1: ");
    fails("x", "a.json:1: ");
    fails("[]", "must be a JSON object");
    fails("{\"a\": 1, \"a\": 2}", "a.json:1: duplicate");
    fails("{\"a\": NaN}", "a.json:1: ");
    fails("{\"a\": 1e999}", "a.json:1: ");
    fails("{\"cube_hyper\": []}", "cube_hyper must be an object");
    fails("{\"cube_hyper\": null}", "cube_hyper must be an object");
    fails("{\"cube_hyper\":\n{\"v_min\":\n\"x\"}}", "cube_hyper.v_min must be a number or null");
    fails("{\"cube_hyper\":\n{\"v_min\":\n}}", "a.json:3: ");
    fails("{\"cube_hyper\": {\"v_min\": 1, \"v_max\": 0}}", "cube_hyper.v_min");
    CHECK(iris_hyper_read("/nonexistent/hyper.json", &h, &err) == IRIS_E_IO &&
              strstr(err.msg, "/nonexistent/hyper.json"),
          "a missing file is named");
    CHECK(iris_hyper_read("/tmp", &h, &err) == IRIS_E_IO, "a directory cannot be read");
}

static void
test_unknown_and_normal(void)
{
    struct iris_hyper *h = parse("{\"extra\": {\"b\": [], \"a\": {}}, \"cube_hyper\": {\"zz\": 1.0,"
                                 " \"v_min\": -8, \"aa\": \"\\u00e9\\ud83d\\ude00\\u007f/\"},"
                                 " \"dataset_hyper\": {\"CMZ_scale_range\": [1, 2]}}",
                                 NULL);
    struct iris_buf text = {0};
    const char *s;

    iris_hyper_print(h, &text, NULL);
    s = iris_buf_str(&text);
    CHECK(strstr(s, "        \"reduction\": null,\n        \"zz\": 1.0,\n"
                    "        \"aa\": \"\\u00e9\\ud83d\\ude00\\u007f/\"\n    },\n"),
          "unknown keys of a section follow the known ones");
    CHECK(strstr(s, "    \"extra\": {\n        \"b\": [],\n        \"a\": {}\n    }\n}"),
          "an unknown section follows the known ones");
    CHECK(s[text.len - 1] == '}', "no newline at the end");
    CHECK(strstr(s, "\"v_min\": -8.0,"), "a whole number becomes a float");
    CHECK(strstr(s, "[\n            1.0,\n            2.0\n        ]"), "in lists too");
    iris_buf_release(&text);
    iris_hyper_free(h);
}

static void
test_json(void)
{
    static const char source[] = "{\"a\": [[], {}, [1, 2.50, 1E400000e]], \"b\": null}";
    static const char good[] = "{\"a\":[[],{},[1,-0.0,1e22,1e-5]],\"\\n\":\"\\b\\f\\r\\t\\\"\\\\\","
                               "\"t\":[true,false,null]}";
    struct iris_buf text = {0};
    struct iris_err err = {0};
    json_t *v = NULL;

    CHECK(iris_json_load(source, strlen(source), "j", &v, &err) == IRIS_E_DATA, "bad JSON: %s",
          err.msg);
    CHECK(!iris_json_load(good, strlen(good), "j", &v, &err), "good JSON");
    iris_json_compact(v, &text);
    CHECK(!strcmp(iris_buf_str(&text), "{\"a\": [[], {}, [1, -0.0, 1e+22, 1e-05]], \"\\n\": "
                                       "\"\\b\\f\\r\\t\\\"\\\\\", \"t\": [true, false, null]}"),
          "one line");
    iris_buf_clear(&text);
    iris_json_print(json_object_get(v, "a"), &text);
    CHECK(!strcmp(iris_buf_str(&text), "[\n    [],\n    {},\n    [\n        1,\n        -0.0,\n"
                                       "        1e+22,\n        1e-05\n    ]\n]"),
          "one item a line");
    iris_buf_release(&text);
    json_decref(v);
}

/* The reference's file printed again is the same up to where its last section
 * ends and ours follows. */
static void
test_golden(const char *shared, const char *name)
{
    struct iris_buf source = {0}, text = {0};
    struct iris_hyper *h = NULL;
    struct iris_err err = {0};
    char path[4300];
    json_t *v = NULL;

    snprintf(path, sizeof path, "%s/golden/%s", shared, name);
    if (!CHECK(!iris_read_file(path, 1 << 20, &source, &err) && source.len > 1000, "%s is read",
               name))
        return;
    CHECK(!iris_json_load(source.data, source.len, path, &v, &err), "%s is JSON", name);
    iris_json_print(v, &text);
    CHECK(!strcmp(iris_buf_str(&text), source.data), "%s is printed as it was", name);
    iris_buf_clear(&text);
    CHECK(!iris_hyper_read(path, &h, &err), "%s holds good settings %s", name, err.msg);
    iris_hyper_print(h, &text, NULL);
    CHECK(!strncmp(iris_buf_str(&text), source.data, source.len - strlen("\n}")) &&
              !strncmp(text.data + source.len - 2, ",\n    \"suite_hyper\": {", 22),
          "%s: its sections are printed as they were", name);
    iris_hyper_free(h);
    json_decref(v);
    iris_buf_release(&source);
    iris_buf_release(&text);
}

int
main(void)
{
    static const char *const golden[] = {
        "hyper_s05.json", "hyper_s1.json", "dataset_standard/hyper.json",
        "dataset_simple_mean/hyper.json", "dataset_synth_mean/hyper.json"};
    const char *shared = check_shared();
    size_t i;

    test_json();
    test_wrong_values();
    test_rules();
    test_types();
    test_files();
    test_unknown_and_normal();
    for (i = 0; i < sizeof golden / sizeof golden[0]; i++) {
        if (shared)
            test_golden(shared, golden[i]);
        else
            check_skip(golden[i], "no shared reference data");
    }
    return check_done();
}
