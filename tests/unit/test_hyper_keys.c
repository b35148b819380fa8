#include "check.h"

#include <stddef.h>
#include <stdint.h>
#include <unistd.h>

#include "digest.h"
#include "file.h"
#include "hyper.h"

enum { S = IRIS_STANDARD, M = IRIS_SIMPLE, Y = IRIS_SYNTHETIC, SMY = S | M | Y };

/* Every key in order: default, another valid value, the types whose digest
 * that value changes. */
static const struct {
    const char *name, *initial, *other;
    unsigned types;
} keys[] = {
    {"writer_hyper.total_snapshots", "20", "21", 0},
    {"writer_hyper.min_snapshot_index", "null", "800", 0},
    {"writer_hyper.max_snapshot_index", "null", "900", 0},
    {"writer_hyper.points_per_snapshot", "64", "32", SMY},
    {"writer_hyper.unit_calculation_sample_size", "4", "5", 0},
    {"writer_hyper.length_cm_per_processing", "10000000.0", "1e8", SMY},
    {"writer_hyper.mass_g_per_processing", "1.0", "2", SMY},
    {"writer_hyper.velocity_cm_per_s_per_processing", "10000000.0", "1e5", SMY},
    {"writer_hyper.temperature_K_per_processing", "1.0", "10", SMY},
    {"writer_hyper._length_parsec_per_processing", "null", "3.2407792896663568e-12", 0},
    {"dataset_hyper.meters_per_parsec", "3.08567758128e+16", "3.0857e16", SMY},
    {"dataset_hyper.use_AREPO_abundances", "true", "false", SMY},
    {"dataset_hyper.AREPO_H2_abundance_id", "0", "3", SMY},
    {"dataset_hyper.AREPO_H_plus_abundance_id", "1", "4", S | Y},
    {"dataset_hyper.AREPO_CO_abundance_id", "2", "5", S | Y},
    {"dataset_hyper.iris_number_unit", "1000000000000000.0", "1e14", Y},
    {"dataset_hyper.CMZ_scale_factor", "null", "0.5", SMY},
    {"dataset_hyper.CMZ_scale_range", "[0.25, 1.0]", "null", SMY},
    {"dataset_hyper.CMZ_skew_factor", "null", "1.5", SMY},
    {"dataset_hyper.CMZ_skew_range", "null", "[0.5, 2]", SMY},
    {"dataset_hyper.CMZ_density_factor", "null", "2", SMY},
    {"dataset_hyper.CMZ_density_range", "null", "[1, 1]", SMY},
    {"dataset_hyper._velocity_iris_per_processing", "null", "1", 0},
    {"dataset_hyper._density_iris_per_processing", "null", "1", 0},
    {"dataset_hyper._v_density_iris_per_processing", "null", "1", 0},
    {"dataset_hyper._temperature_iris_per_processing", "null", "1", 0},
    {"dataset_hyper._length_iris_per_SI", "null", "1", 0},
    {"dataset_hyper._length_iris_per_parsec", "null", "1", 0},
    {"dataset_hyper._time_iris_per_SI", "null", "1", 0},
    {"dataset_hyper._mass_iris_per_SI", "null", "1", 0},
    {"dataset_hyper._temperature_iris_per_SI", "null", "1", 0},
    {"coordinate_hyper.theta_zero", "0.0", "270", SMY},
    {"coordinate_hyper.spin_orientation", "-1", "1", SMY},
    {"coordinate_hyper.observer_radius", "8277.0", "8178", SMY},
    {"coordinate_hyper.jitter_r", "false", "true", SMY},
    {"coordinate_hyper.jitter_r_min", "null", "-10", SMY},
    {"coordinate_hyper.jitter_r_max", "null", "10", SMY},
    {"coordinate_hyper.r_steps", "512", "600", SMY},
    {"coordinate_hyper.r_pieces", "1", "2", 0},
    {"coordinate_hyper.r_min", "null", "8052", SMY},
    {"coordinate_hyper.r_max", "null", "8502", SMY},
    {"coordinate_hyper.r_crop_min_index", "0", "1", M | Y},
    {"coordinate_hyper.r_crop_max_index", "512", "511", M | Y},
    {"coordinate_hyper.lon_steps", "512", "256", SMY},
    {"coordinate_hyper.lon_min", "null", "-1.5", SMY},
    {"coordinate_hyper.lon_max", "null", "1.5", SMY},
    {"coordinate_hyper.jitter_lon", "false", "true", SMY},
    {"coordinate_hyper.jitter_lon_min", "null", "-0.1", SMY},
    {"coordinate_hyper.jitter_lon_max", "null", "0.1", SMY},
    {"coordinate_hyper.lat_steps", "128", "64", SMY},
    {"coordinate_hyper.lat_min", "null", "-0.375", SMY},
    {"coordinate_hyper.lat_max", "null", "0.375", SMY},
    {"observer_hyper.lon_pieces", "8", "4", 0},
    {"observer_hyper.lat_pieces", "4", "8", 0},
    {"observer_hyper.v_subsamples", "null", "1", Y},
    {"observer_hyper.blur_inputs", "true", "false", M | Y},
    {"observer_hyper.in_blur_kernel_r", "3", "5", M | Y},
    {"observer_hyper.in_blur_kernel_lon", "5", "3", M | Y},
    {"observer_hyper.in_blur_kernel_lat", "3", "1", M | Y},
    {"observer_hyper.in_blur_sigma", "0.33", "0.5", M | Y},
    {"observer_hyper.out_blur_fwhm", "null", "30", Y},
    {"observer_hyper.noise_mean", "null", "0", 0},
    {"observer_hyper.noise_sigma", "null", "1", 0},
    {"observer_hyper.k", "1.380649e-23", "1.4e-23", S | Y},
    {"observer_hyper.h", "6.62607e-34", "6.6e-34", Y},
    {"observer_hyper.c", "299792500.0", "299792458", Y},
    {"observer_hyper.L", "6.022141e+23", "6e23", Y},
    {"observer_hyper.mw_He", "4.002602", "4", M | Y},
    {"observer_hyper.m_He", "6.646476726466552e-27", "6.6e-27", S | Y},
    {"observer_hyper.abundance_He", "0.1", "0.09", SMY},
    {"observer_hyper.mw_H2", "2.01568", "2", M | Y},
    {"observer_hyper.m_H2", "3.347115253528604e-27", "3.3e-27", Y},
    {"observer_hyper.ortho_to_para_H2_ratio", "3.0", "1", Y},
    {"observer_hyper.mw_H", "1.00784", "1", M | Y},
    {"observer_hyper.m_H", "1.673557626764302e-27", "1.7e-27", S | Y},
    {"observer_hyper.n_lines", "null", "1", Y},
    {"observer_hyper.chem_path", "null", "[\"one.dat\"]", Y},
    {"observer_hyper.transition", "null", "[[2, 1]]", Y},
    {"observer_hyper.kappa_dust", "null", "[0.001]", Y},
    {"observer_hyper.N_H_TOT_steps", "null", "[128]", Y},
    {"observer_hyper.interpolation_max_N_H_TOT", "null", "[1e12]", Y},
    {"observer_hyper.bolic_normalization", "null", "[1]", Y},
    {"observer_hyper.abundance_H2_steps", "null", "[64]", Y},
    {"observer_hyper.max_level_throughput_resolution", "1073741824", "1000", 0},
    {"observer_hyper.T_steps", "null", "[64]", Y},
    {"observer_hyper.interpolation_max_T", "null", "[3000]", Y},
    {"observer_hyper.T_inf", "50000.0", "null", S | Y},
    {"observer_hyper.T_continuum", "2.73", "null", Y},
    {"observer_hyper.T_cmb", "2.73", "2.725", Y},
    {"cube_hyper.data_path", "null", "[\"x\"]", 0},
    {"cube_hyper.fits_map", "null", NULL, 0},
    {"cube_hyper.conversion_raw_to_T_K", "null", "[null]", 0},
    {"cube_hyper.beam_efficiency", "null", "[0.75]", 0},
    {"cube_hyper.clean_noise", "null", "[null]", 0},
    {"cube_hyper.v_min", "null", "-200", M | Y},
    {"cube_hyper.v_max", "null", "200", M | Y},
    {"cube_hyper.v_steps", "512", "64", M | Y},
    {"cube_hyper.reduction", "null", "\"max\"", M | Y},
    {"training_hyper.validation_data_fraction", "0.2", "0.1", 0},
    {"training_hyper.epochs", "32", "33", 0},
    {"training_hyper.batch_size", "8", "9", 0},
    {"training_hyper.batches_per_update", "16", "17", 0},
    {"training_hyper.physical_loss", "null", NULL, 0},
    {"training_hyper.density_normalization", "1e-19", "1e-18", 0},
    {"suite_hyper.seed", "1216", "7", 0},
    {"suite_hyper.transfer", "\"optically thick\"", "\"optically thin\"", Y},
    {"suite_hyper.integration", "\"smooth\"", "\"formal\"", Y},
    {"suite_hyper.subtraction", "\"I\"", "\"continuum\"", Y},
    {"suite_hyper.output_units", "\"Trj\"", "\"I Jy per Sr\"", Y},
    {"suite_hyper.abundance", "null", "{\"table\": \"one.dat\"}", Y},
    {"suite_hyper.dust_temperature", "null", "20", S | Y},
    {"suite_hyper.centre", "null", "\"densest\"", SMY},
    {"suite_hyper.periodic", "false", "true", SMY},
    {"suite_hyper.comoving", "\"refuse\"", "\"convert\"", SMY},
    {"suite_hyper.ray_order", "\"near_to_far\"", "\"far_to_near\"", Y},
    {"suite_hyper.profile", "\"point\"", "\"cell_average\"", Y},
    {"suite_hyper.lookup", "\"nearest_gradient\"", "\"multilinear\"", Y},
    {"suite_hyper.clamp_offsets", "false", "true", Y},
    {"suite_hyper.table", "\"reference\"", "\"fine\"", Y},
    {"suite_hyper.rate_extrapolation", "\"linear\"", "\"clamp\"", Y},
    {"suite_hyper.v_turb", "0.0", "1", Y},
    {"suite_hyper.simple_out_of_band", "\"pile_up\"", "\"drop\"", M},
    {"suite_hyper.thin_simpson", "\"reference\"", "\"complete\"", Y},
    {"suite_hyper.selective_formal", "\"reference\"", "\"consistent\"", Y},
    {"suite_hyper.perturb_per", "\"point\"", "\"snapshot\"", SMY},
};
enum { KEYS = sizeof keys / sizeof keys[0] };

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
test_no_value(void)
{
    struct iris_buf text = {0};
    struct iris_hyper *h = NULL;
    struct iris_err err = {0};

    CHECK(!iris_hyper_defaults(&h, &err) &&
              iris_hyper_value(h, "suite_hyper.perodic", &text, &err) == IRIS_E_DATA && !text.len &&
              strstr(err.msg, "suite_hyper.perodic") && strstr(err.msg, "suite_hyper.periodic"),
          "%s", err.msg);
    iris_hyper_free(h);
}

static void
test_defaults(void)
{
    struct iris_hyper *h = NULL;
    size_t i;

    CHECK(!iris_hyper_defaults(&h, NULL), "the defaults hold together");
    for (i = 0; i < KEYS; i++) {
        const char *name = iris_hyper_key(i);

        CHECK(name && !strcmp(name, keys[i].name), "key %zu is %s", i, keys[i].name);
        CHECK(value_is(h, keys[i].name, keys[i].initial), "%s is %s by default", keys[i].name,
              keys[i].initial);
    }
    CHECK(!iris_hyper_key(KEYS), "there are %d keys", (int)KEYS);
    iris_hyper_free(h);
}

static void
digest_of(const struct iris_hyper *h, enum iris_type type, char digest[IRIS_SETTINGS_DIGEST])
{
    struct iris_err err = {0};

    digest[0] = '\0';
    if (iris_hyper_digest(h, type, 1216, 0, 0, digest, NULL, &err))
        printf("# %s\n", err.msg);
}

static void
test_key_in_digest(size_t i, enum iris_type type, const char *dir)
{
    char before[IRIS_SETTINGS_DIGEST], after[IRIS_SETTINGS_DIGEST];
    int matters = (keys[i].types & (unsigned)type) != 0, changed;
    struct iris_hyper *h = parse("{}", dir);
    struct iris_err err = {0};

    CHECK(!!iris_hyper_key_matters(keys[i].name, type) == matters, "%s %s for %s", keys[i].name,
          matters ? "matters" : "does not matter", iris_type_name(type));
    if (keys[i].other) {
        digest_of(h, type, before);
        CHECK(!iris_hyper_set(h, keys[i].name, keys[i].other, &err), "%s can be %s", keys[i].name,
              keys[i].other);
        digest_of(h, type, after);
        changed = strcmp(before, after) != 0;
        CHECK(before[0] && after[0] && changed == matters, "%s %s the %s digest", keys[i].name,
              matters ? "changes" : "leaves", iris_type_name(type));
    }
    iris_hyper_free(h);
}

static void
test_seed_round_type(void)
{
    char a[IRIS_SETTINGS_DIGEST], b[IRIS_SETTINGS_DIGEST], all[IRIS_DIGEST_TEXT];
    struct iris_hyper *h = parse("{}", NULL);
    struct iris_buf text = {0};

    iris_hyper_digest(h, IRIS_STANDARD, 1, 0, 0, a, &text, NULL);
    iris_hyper_digest(h, IRIS_STANDARD, 2, 0, 0, b, NULL, NULL);
    CHECK(strcmp(a, b), "the seed changes the digest");
    iris_hyper_digest(h, IRIS_STANDARD, 1, 1, 0, b, NULL, NULL);
    CHECK(strcmp(a, b), "the round changes the digest");
    iris_hyper_digest(h, IRIS_SIMPLE, 1, 0, 0, b, NULL, NULL);
    CHECK(strcmp(a, b), "the type changes the digest");
    iris_hyper_digest(h, IRIS_STANDARD, 1, 0, 0, b, NULL, NULL);
    CHECK(!strcmp(a, b), "equal settings have equal digests");
    CHECK(strlen(a) == 8 && strspn(a, "0123456789abcdef") == 8, "a digest is eight digits");
    iris_digest_memory(text.data, text.len, all);
    CHECK(!strncmp(all, a, 8), "the digest is that of the settings text");
    CHECK(!strncmp(iris_buf_str(&text),
                   "{\n    \"format\": 3,\n    \"type\": \"standard\",\n    \"seed\": 1,\n"
                   "    \"round\": 0,\n    \"writer_hyper.points_per_snapshot\": 64,\n",
                   100) &&
              text.data[text.len - 1] == '\n',
          "the settings text starts with what is no key and ends with a newline");
    CHECK(iris_hyper_digest(h, IRIS_STANDARD, UINT64_MAX, 0, 0, a, NULL, NULL) == IRIS_E_DATA,
          "a seed above 2^63 - 1 is refused");
    iris_buf_release(&text);
    iris_hyper_free(h);
}

static void
chem_digest(const char *dir, const char *paths, char digest[IRIS_SETTINGS_DIGEST])
{
    struct iris_hyper *h = parse("{}", dir);

    iris_hyper_set(h, "observer_hyper.chem_path", paths, NULL);
    digest_of(h, IRIS_SYNTHETIC, digest);
    iris_hyper_free(h);
}

static void
test_chem_content(const char *dir)
{
    char a[IRIS_SETTINGS_DIGEST], b[IRIS_SETTINGS_DIGEST], path[4200], list[4300];
    struct iris_hyper *h = parse("{}", dir);
    struct iris_err err = {0};

    chem_digest(dir, "[\"one.dat\"]", a);
    chem_digest(dir, "[\"same.dat\"]", b);
    CHECK(a[0] && !strcmp(a, b), "molecular files of equal content are equal");
    snprintf(list, sizeof list, "[\"%s/one.dat\"]", dir);
    chem_digest(NULL, list, b);
    CHECK(!strcmp(a, b), "an absolute path means the same file");
    chem_digest(dir, "[\"two.dat\"]", b);
    CHECK(b[0] && strcmp(a, b), "another content is another digest");
    chem_digest(dir, "[\"one.dat\", \"one.dat\"]", b);
    CHECK(strcmp(a, b), "two lines are another digest than one");
    iris_hyper_set(h, "observer_hyper.chem_path", "[\"none.dat\"]", NULL);
    CHECK(iris_hyper_digest(h, IRIS_SYNTHETIC, 1, 0, 0, b, NULL, &err) == IRIS_E_IO &&
              strstr(err.msg, "none.dat") && strstr(err.msg, "observer_hyper.chem_path"),
          "a missing molecular file is named");
    CHECK(!iris_hyper_digest(h, IRIS_SIMPLE, 1, 0, 0, b, NULL, &err), "others do not need it");
    iris_hyper_set(h, "observer_hyper.chem_path", "[\"one.dat\", \"none.dat\"]", NULL);
    CHECK(!iris_hyper_resolve_paths(h, NULL), "paths can be made absolute");
    snprintf(path, sizeof path, "%s/one.dat", dir);
    snprintf(list, sizeof list, "[\"%s\", \"none.dat\"]", path);
    CHECK(value_is(h, "observer_hyper.chem_path", list), "those that lead to a file are");
    iris_hyper_strip_paths(h, NULL);
    CHECK(value_is(h, "observer_hyper.chem_path", "[\"one.dat\", \"none.dat\"]"),
          "and can be cut to their last part");
    iris_hyper_free(h);
}

static void
test_digest(void)
{
    char dir[] = "/tmp/test_hyper.XXXXXX", path[64];
    static const char *const files[][2] = {
        {"one.dat", "CO"}, {"same.dat", "CO"}, {"two.dat", "C18O"}};
    size_t i, t;

    if (!mkdtemp(dir)) {
        CHECK(0, "a directory for molecular files");
        return;
    }
    for (i = 0; i < 3; i++) {
        snprintf(path, sizeof path, "%s/%s", dir, files[i][0]);
        iris_write_file(path, files[i][1], strlen(files[i][1]), NULL);
    }
    for (i = 0; i < KEYS; i++)
        for (t = 0; t < 3; t++)
            test_key_in_digest(i, types[t], dir);
    test_seed_round_type();
    test_chem_content(dir);
    for (i = 0; i < 3; i++) {
        snprintf(path, sizeof path, "%s/%s", dir, files[i][0]);
        unlink(path);
    }
    rmdir(dir);
}

static void
test_settings(void)
{
    static const char *const changes[][2] = {
        {"cube_hyper.reduction", "\"max\""},
        {"suite_hyper.centre", "[1, 2.5, 3]"},
        {"observer_hyper.T_inf", "null"},
        {"suite_hyper.comoving", "\"convert\""},
        {"suite_hyper.simple_out_of_band", "\"drop\""},
        {"suite_hyper.perturb_per", "\"snapshot\""},
        {"writer_hyper.min_snapshot_index", "0"},
        {"observer_hyper.n_lines", "2"},
        {"suite_hyper.seed", "9223372036854775807"},
    };
    struct iris_hyper *h = parse("{}", NULL);
    struct iris_settings s;
    size_t i;

    iris_hyper_settings(h, &s);
    CHECK(s.writer.total_snapshots == 20 && !s.writer.has_min_index && !s.writer.has_max_index,
          "counts and indices");
    CHECK(s.writer.length_cm == 1e7 && s.dataset.use_abundances && s.dataset.CO_column == 2,
          "units and columns");
    CHECK(isnan(s.dataset.scale_factor) && s.dataset.scale_range[0] == 0.25 &&
              s.dataset.scale_range[1] == 1 && isnan(s.dataset.skew_range[0]),
          "a range, and null for none");
    CHECK(s.coordinate.spin_orientation == -1 && s.coordinate.r_crop_max == 512, "coordinates");
    CHECK(s.observer.v_subsamples == -1 && s.observer.blur_kernel_lon == 5, "observer");
    CHECK(s.cube.reduction == IRIS_REDUCE_UNSET && s.cube.v_steps == 512, "cube");
    CHECK(s.suite.seed == 1216 && s.suite.centre == IRIS_CENTRE_BOX && !s.suite.convert_comoving &&
              isnan(s.suite.dust_temperature),
          "suite");
    for (i = 0; i < sizeof changes / sizeof changes[0]; i++)
        iris_hyper_set(h, changes[i][0], changes[i][1], NULL);
    iris_hyper_settings(h, &s);
    CHECK(s.cube.reduction == IRIS_REDUCE_MAX && s.suite.convert_comoving &&
              s.suite.drop_out_of_band && s.suite.perturb_snapshot,
          "words");
    CHECK(s.suite.centre == IRIS_CENTRE_POINT && s.suite.centre_point[1] == 2.5, "a point");
    CHECK(s.writer.has_min_index && s.writer.min_index == 0, "index 0 is an index");
    CHECK(isnan(s.observer.T_inf) && s.observer.n_lines == 2, "null and a count");
    CHECK(s.suite.seed == INT64_MAX, "the largest seed");
    iris_hyper_set(h, "cube_hyper.reduction", "\"mean\"", NULL);
    iris_hyper_set(h, "suite_hyper.centre", "\"densest\"", NULL);
    iris_hyper_settings(h, &s);
    CHECK(s.cube.reduction == IRIS_REDUCE_MEAN && s.suite.centre == IRIS_CENTRE_DENSEST,
          "mean and densest");
    iris_hyper_free(h);
}

/* Every word of the synthetic observation, in the order of its numbers. */
static void
test_synthetic_words(void)
{
    static const struct {
        const char *name, *words[7];
        size_t offset;
    } cases[] = {
#define CASE(key, member, ...)                                                                     \
    {"suite_hyper." key, {__VA_ARGS__}, offsetof(struct iris_settings, suite.member)}
        CASE("transfer", transfer, "optically thick", "selectively thin", "optically thin"),
        CASE("integration", integration, "smooth", "formal"),
        CASE("subtraction", subtraction, "I", "Tb", "continuum"),
        CASE("output_units", output_units, "I", "I Jy per Sr", "Trj", "Trj K", "Tb", "Tb K"),
        CASE("ray_order", far_to_near, "near_to_far", "far_to_near"),
        CASE("profile", cell_average, "point", "cell_average"),
        CASE("lookup", multilinear, "nearest_gradient", "multilinear"),
        CASE("table", fine_table, "reference", "fine"),
        CASE("rate_extrapolation", clamp_rates, "linear", "clamp"),
        CASE("thin_simpson", complete_simpson, "reference", "complete"),
        CASE("selective_formal", consistent_formal, "reference", "consistent"),
    };
    struct iris_hyper *h = parse("{}", NULL);
    struct iris_settings s;
    char json[40];
    size_t i, n;
    int got;

    iris_hyper_settings(h, &s);
    CHECK(s.suite.transfer == IRIS_THICK && s.suite.integration == IRIS_SMOOTH &&
              s.suite.subtraction == IRIS_SUBTRACT_I && s.suite.output_units == IRIS_OUT_TRJ,
          "the reference's observation by default");
    CHECK(!s.suite.far_to_near && !s.suite.cell_average && !s.suite.multilinear &&
              !s.suite.clamp_offsets && !s.suite.fine_table && !s.suite.clamp_rates &&
              !s.suite.complete_simpson && !s.suite.consistent_formal && s.suite.v_turb == 0,
          "uncorrected");
    CHECK(IRIS_SELECTIVE == 1 && IRIS_THIN == 2 && IRIS_FORMAL == 1 && IRIS_SUBTRACT_TB == 1 &&
              IRIS_SUBTRACT_CONTINUUM == 2 && IRIS_OUT_I == 0 && IRIS_OUT_JY == 1 &&
              IRIS_OUT_TRJ_K == 3 && IRIS_OUT_TB == 4 && IRIS_OUT_TB_K == 5,
          "numbers count the words below");
    for (i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        for (n = 0; cases[i].words[n]; n++) {
            snprintf(json, sizeof json, "\"%s\"", cases[i].words[n]);
            CHECK(!iris_hyper_set(h, cases[i].name, json, NULL), "%s can be %s", cases[i].name,
                  json);
            iris_hyper_settings(h, &s);
            memcpy(&got, (char *)&s + cases[i].offset, sizeof got);
            CHECK(got == (int)n, "which is %zu", n);
        }
    }
    iris_hyper_set(h, "suite_hyper.clamp_offsets", "true", NULL);
    iris_hyper_set(h, "suite_hyper.v_turb", "1.5", NULL);
    iris_hyper_settings(h, &s);
    CHECK(s.suite.clamp_offsets == 1 && s.suite.v_turb == 1.5, "a flag and a number");
    iris_hyper_free(h);
}

static void
test_units(void)
{
    struct iris_unit_factors u = {1, 2, 3, 4, 5, 6, 7, 8, 9}, back;
    struct iris_hyper *h = parse("{}", NULL);

    iris_hyper_get_units(h, &back);
    CHECK(isnan(back.velocity) && isnan(back.th), "units are null at first");
    u.v_density = (double)NAN;
    CHECK(!iris_hyper_set_units(h, &u, NULL), "units are set");
    iris_hyper_get_units(h, &back);
    CHECK(back.velocity == 1 && back.density == 2 && isnan(back.v_density) &&
              back.temperature == 4 && back.length == 5 && back.length_parsec == 6 &&
              back.time == 7 && back.mass == 8 && back.th == 9,
          "units come back");
    CHECK(value_is(h, "dataset_hyper._length_iris_per_SI", "5.0") &&
              value_is(h, "dataset_hyper._v_density_iris_per_processing", "null") &&
              value_is(h, "dataset_hyper._temperature_iris_per_SI", "9.0"),
          "and stand under their keys");
    CHECK(!iris_hyper_set_seed(h, 5, NULL), "a seed is set");
    CHECK(value_is(h, "suite_hyper.seed", "5") &&
              value_is(h, "writer_hyper._length_parsec_per_processing", "3.2407792896663568e-12"),
          "the seed and the parsec are recorded");
    CHECK(!iris_hyper_check(h, NULL), "and agree with the rest");
    iris_hyper_free(h);
}

int
main(void)
{
    test_no_value();
    test_defaults();
    test_settings();
    test_synthetic_words();
    test_units();
    test_digest();
    return check_done();
}
