#include "hyper_keys.h"

#include <math.h>

/* clang-format off */
#define WHOLE(name, from, to) \
    static const struct iris_rule name = \
        {.kind = IRIS_WHOLE, .lo = (from), .hi = (to), .text = "a whole number from " #from " to " #to}
#define NUMBER(name, what, ...) \
    static const struct iris_rule name = {.kind = IRIS_NUMBER, .text = what, __VA_ARGS__}
#define LIST(name, of, what) \
    static const struct iris_rule name = {.kind = IRIS_LIST, .item = &(of), .text = (what)}
#define WORDS(name, ...) \
    static const struct iris_rule name = {.kind = IRIS_WORD, .words = {__VA_ARGS__}}

WHOLE(count, 1, 1000000);
WHOLE(samples, 1, 1000000000000);
WHOLE(file_number, 0, 1000000000000000);
WHOLE(column, 0, 1023);
WHOLE(pieces, 1, 1048576);
WHOLE(steps, 2, 1048576);
WHOLE(sample, 0, 1048576);
WHOLE(subsamples, 0, 1024);
WHOLE(lines, 1, 1024);
WHOLE(resolution, 1, 1000000000000000);
static const struct iris_rule seed = {.kind = IRIS_WHOLE, .lo = 0, .hi = HUGE_VAL,
    .text = "a whole number from 0 to 9223372036854775807"};
static const struct iris_rule kernel = {.kind = IRIS_WHOLE, .lo = 1, .hi = 1023, .odd = 1,
    .text = "an odd whole number from 1 to 1023"};
static const struct iris_rule sign = {.kind = IRIS_WHOLE, .lo = -1, .hi = 1, .odd = 1,
    .text = "1 or -1"};

NUMBER(number, "a number", .lo = -HUGE_VAL, .hi = HUGE_VAL);
NUMBER(positive, "a number above 0", .lo = 0, .open_lo = 1, .hi = HUGE_VAL);
NUMBER(not_negative, "a number, 0 or more", .lo = 0, .hi = HUGE_VAL);
NUMBER(fraction, "a number from 0 to 1", .lo = 0, .hi = 1);
NUMBER(efficiency, "a number above 0, 1 or less", .lo = 0, .open_lo = 1, .hi = 1);
NUMBER(turn, "a number of degrees, 0 or more and below 360", .lo = 0, .hi = 360, .open_hi = 1);
NUMBER(longitude, "a number of degrees from -180 to 180", .lo = -180, .hi = 180);
NUMBER(latitude, "a number of degrees from -90 to 90", .lo = -90, .hi = 90);

static const struct iris_rule flag = {.kind = IRIS_FLAG, .text = "true or false"};
static const struct iris_rule text = {.kind = IRIS_TEXT, .text = "a string that is not empty"};
static const struct iris_rule nothing = {.kind = IRIS_NOTHING,
    .text = "null: functions and classes have no form in a file"};
static const struct iris_rule abundance = {.kind = IRIS_TRACER,
    .text = "an object, a list of objects or nulls, one a line,"};
static const struct iris_rule range = {.kind = IRIS_RANGE, .item = &positive,
    .text = "a list of two numbers above 0, the smaller one first"};
static const struct iris_rule transition = {.kind = IRIS_TRANSITION, .text = ""};
static const struct iris_rule place = {.kind = IRIS_PLACE, .item = &number,
    .text = "a list of three numbers or \"densest\""};

LIST(texts, text, "a list of strings that are not empty");
LIST(nothings, nothing, "a list of nulls: functions have no form in a file");
LIST(transitions, transition, "a list of pairs [upper, lower] of levels, upper above lower, lower 0 or more");
LIST(many_steps, steps, "a list of whole numbers from 2 to 1048576");
LIST(positives, positive, "a list of numbers above 0");
LIST(not_negatives, not_negative, "a list of numbers, each 0 or more");
LIST(efficiencies, efficiency, "a list of numbers, each above 0 and 1 or less");

WORDS(reduction, "mean", "max");
WORDS(transfer, "optically thick", "selectively thin", "optically thin");
WORDS(integration, "smooth", "formal");
WORDS(subtraction, "I", "Tb", "continuum");
WORDS(output_units, "I", "I Jy per Sr", "Trj", "Trj K", "Tb", "Tb K");
WORDS(comoving, "refuse", "convert");
WORDS(ray_order, "near_to_far", "far_to_near");
WORDS(profile, "point", "cell_average");
WORDS(lookup, "nearest_gradient", "multilinear");
WORDS(table, "reference", "fine");
WORDS(rate_extrapolation, "linear", "clamp");
WORDS(out_of_band, "pile_up", "drop");
WORDS(thin_simpson, "reference", "complete");
WORDS(selective_formal, "reference", "consistent");
WORDS(perturb_per, "point", "snapshot");

#define ROW(s, key, may_be_null, what, dflt, where, who) \
    {.section = (s), .name = s "." key, .rule = &(what), .nullable = (may_be_null), .initial = (dflt), \
     .offset = (where), .types = (who)}
#define KEY(s, key, what, dflt, where, who) ROW(s, key, 0, what, dflt, where, who)
#define OPT(s, key, what, dflt, where, who) ROW(s, key, 1, what, dflt, where, who)
#define AT(field) offsetof(struct iris_settings, field)
#define NOWHERE IRIS_NOWHERE

#define WRITER "writer_hyper"
#define DATASET "dataset_hyper"
#define COORD "coordinate_hyper"
#define OBSERVER "observer_hyper"
#define CUBE "cube_hyper"
#define TRAIN "training_hyper"
#define SUITE "suite_hyper"

enum {
    NEVER = 0,
    M = IRIS_SIMPLE,
    Y = IRIS_SYNTHETIC,
    SY = IRIS_STANDARD | IRIS_SYNTHETIC,   /* temperatures and CO */
    MY = IRIS_SIMPLE | IRIS_SYNTHETIC,     /* pairs */
    ALL = IRIS_STANDARD | IRIS_SIMPLE | IRIS_SYNTHETIC
};

const struct iris_key iris_keys[] = {
    KEY(WRITER, "total_snapshots", count, "20", AT(writer.total_snapshots), NEVER),
    OPT(WRITER, "min_snapshot_index", file_number, "null", AT(writer.min_index), NEVER),
    OPT(WRITER, "max_snapshot_index", file_number, "null", AT(writer.max_index), NEVER),
    KEY(WRITER, "points_per_snapshot", count, "64", AT(writer.points_per_snapshot), ALL),
    KEY(WRITER, "unit_calculation_sample_size", samples, "4", AT(writer.unit_calculation_sample_size), NEVER),
    KEY(WRITER, "length_cm_per_processing", positive, "1e7", AT(writer.length_cm), ALL),
    KEY(WRITER, "mass_g_per_processing", positive, "1.0", AT(writer.mass_g), ALL),
    KEY(WRITER, "velocity_cm_per_s_per_processing", positive, "1e7", AT(writer.velocity_cm_per_s), ALL),
    KEY(WRITER, "temperature_K_per_processing", positive, "1.0", AT(writer.temperature_K), ALL),
    OPT(WRITER, "_length_parsec_per_processing", positive, "null", NOWHERE, NEVER),

    KEY(DATASET, "meters_per_parsec", positive, "3.08567758128e16", AT(dataset.meters_per_parsec), ALL),
    KEY(DATASET, "use_AREPO_abundances", flag, "true", AT(dataset.use_abundances), ALL),
    KEY(DATASET, "AREPO_H2_abundance_id", column, "0", AT(dataset.H2_column), ALL),
    KEY(DATASET, "AREPO_H_plus_abundance_id", column, "1", AT(dataset.H_plus_column), SY),
    KEY(DATASET, "AREPO_CO_abundance_id", column, "2", AT(dataset.CO_column), SY),
    KEY(DATASET, "iris_number_unit", positive, "1e15", AT(dataset.iris_number_unit), Y),
    OPT(DATASET, "CMZ_scale_factor", positive, "null", AT(dataset.scale_factor), ALL),
    OPT(DATASET, "CMZ_scale_range", range, "[0.25, 1.0]", AT(dataset.scale_range), ALL),
    OPT(DATASET, "CMZ_skew_factor", positive, "null", AT(dataset.skew_factor), ALL),
    OPT(DATASET, "CMZ_skew_range", range, "null", AT(dataset.skew_range), ALL),
    OPT(DATASET, "CMZ_density_factor", positive, "null", AT(dataset.density_factor), ALL),
    OPT(DATASET, "CMZ_density_range", range, "null", AT(dataset.density_range), ALL),
    OPT(DATASET, "_velocity_iris_per_processing", positive, "null", AT(dataset.velocity_iris_per_processing), NEVER),
    OPT(DATASET, "_density_iris_per_processing", positive, "null", AT(dataset.density_iris_per_processing), NEVER),
    OPT(DATASET, "_v_density_iris_per_processing", positive, "null", AT(dataset.v_density_iris_per_processing), NEVER),
    OPT(DATASET, "_temperature_iris_per_processing", positive, "null", AT(dataset.temperature_iris_per_processing), NEVER),
    OPT(DATASET, "_length_iris_per_SI", positive, "null", AT(dataset.length_iris_per_SI), NEVER),
    OPT(DATASET, "_length_iris_per_parsec", positive, "null", AT(dataset.length_iris_per_parsec), NEVER),
    OPT(DATASET, "_time_iris_per_SI", positive, "null", AT(dataset.time_iris_per_SI), NEVER),
    OPT(DATASET, "_mass_iris_per_SI", positive, "null", AT(dataset.mass_iris_per_SI), NEVER),
    OPT(DATASET, "_temperature_iris_per_SI", positive, "null", AT(dataset.temperature_iris_per_SI), NEVER),

    KEY(COORD, "theta_zero", turn, "0.0", AT(coordinate.theta_zero), ALL),
    KEY(COORD, "spin_orientation", sign, "-1", AT(coordinate.spin_orientation), ALL),
    KEY(COORD, "observer_radius", not_negative, "8277.0", AT(coordinate.observer_radius), ALL),
    KEY(COORD, "jitter_r", flag, "false", AT(coordinate.jitter_r), ALL),
    OPT(COORD, "jitter_r_min", number, "null", AT(coordinate.jitter_r_min), ALL),
    OPT(COORD, "jitter_r_max", number, "null", AT(coordinate.jitter_r_max), ALL),
    KEY(COORD, "r_steps", steps, "512", AT(coordinate.r_steps), ALL),
    KEY(COORD, "r_pieces", pieces, "1", AT(coordinate.r_pieces), NEVER),
    OPT(COORD, "r_min", not_negative, "null", AT(coordinate.r_min), ALL),
    OPT(COORD, "r_max", not_negative, "null", AT(coordinate.r_max), ALL),
    KEY(COORD, "r_crop_min_index", sample, "0", AT(coordinate.r_crop_min), MY),
    KEY(COORD, "r_crop_max_index", sample, "512", AT(coordinate.r_crop_max), MY),
    KEY(COORD, "lon_steps", steps, "512", AT(coordinate.lon_steps), ALL),
    OPT(COORD, "lon_min", longitude, "null", AT(coordinate.lon_min), ALL),
    OPT(COORD, "lon_max", longitude, "null", AT(coordinate.lon_max), ALL),
    KEY(COORD, "jitter_lon", flag, "false", AT(coordinate.jitter_lon), ALL),
    OPT(COORD, "jitter_lon_min", longitude, "null", AT(coordinate.jitter_lon_min), ALL),
    OPT(COORD, "jitter_lon_max", longitude, "null", AT(coordinate.jitter_lon_max), ALL),
    KEY(COORD, "lat_steps", steps, "128", AT(coordinate.lat_steps), ALL),
    OPT(COORD, "lat_min", latitude, "null", AT(coordinate.lat_min), ALL),
    OPT(COORD, "lat_max", latitude, "null", AT(coordinate.lat_max), ALL),

    KEY(OBSERVER, "lon_pieces", pieces, "8", AT(observer.lon_pieces), NEVER),
    KEY(OBSERVER, "lat_pieces", pieces, "4", AT(observer.lat_pieces), NEVER),
    OPT(OBSERVER, "v_subsamples", subsamples, "null", AT(observer.v_subsamples), Y),
    KEY(OBSERVER, "blur_inputs", flag, "true", AT(observer.blur_inputs), MY),
    KEY(OBSERVER, "in_blur_kernel_r", kernel, "3", AT(observer.blur_kernel_r), MY),
    KEY(OBSERVER, "in_blur_kernel_lon", kernel, "5", AT(observer.blur_kernel_lon), MY),
    KEY(OBSERVER, "in_blur_kernel_lat", kernel, "3", AT(observer.blur_kernel_lat), MY),
    KEY(OBSERVER, "in_blur_sigma", positive, "0.33", AT(observer.blur_sigma), MY),
    OPT(OBSERVER, "out_blur_fwhm", positive, "null", AT(observer.beam_fwhm), Y),
    OPT(OBSERVER, "noise_mean", number, "null", AT(observer.noise_mean), NEVER),
    OPT(OBSERVER, "noise_sigma", not_negative, "null", AT(observer.noise_sigma), NEVER),
    KEY(OBSERVER, "k", positive, "1.380649e-23", AT(observer.k), SY),
    KEY(OBSERVER, "h", positive, "6.62607e-34", AT(observer.h), Y),
    KEY(OBSERVER, "c", positive, "299792500.0", AT(observer.c), Y),
    KEY(OBSERVER, "L", positive, "6.022141e23", AT(observer.L), Y),
    KEY(OBSERVER, "mw_He", positive, "4.002602", AT(observer.mw_He), MY),
    KEY(OBSERVER, "m_He", positive, "6.646476726466552e-27", AT(observer.m_He), SY),
    KEY(OBSERVER, "abundance_He", not_negative, "0.1", AT(observer.abundance_He), ALL),
    KEY(OBSERVER, "mw_H2", positive, "2.01568", AT(observer.mw_H2), MY),
    KEY(OBSERVER, "m_H2", positive, "3.347115253528604e-27", AT(observer.m_H2), Y),
    KEY(OBSERVER, "ortho_to_para_H2_ratio", not_negative, "3.0", AT(observer.ortho_to_para), Y),
    KEY(OBSERVER, "mw_H", positive, "1.00784", AT(observer.mw_H), MY),
    KEY(OBSERVER, "m_H", positive, "1.673557626764302e-27", AT(observer.m_H), SY),
    OPT(OBSERVER, "n_lines", lines, "null", AT(observer.n_lines), Y),
    OPT(OBSERVER, "chem_path", texts, "null", NOWHERE, Y),
    OPT(OBSERVER, "transition", transitions, "null", NOWHERE, Y),
    OPT(OBSERVER, "kappa_dust", not_negatives, "null", NOWHERE, Y),
    OPT(OBSERVER, "N_H_TOT_steps", many_steps, "null", NOWHERE, Y),
    OPT(OBSERVER, "interpolation_max_N_H_TOT", positives, "null", NOWHERE, Y),
    OPT(OBSERVER, "bolic_normalization", positives, "null", NOWHERE, Y),
    OPT(OBSERVER, "abundance_H2_steps", many_steps, "null", NOWHERE, Y),
    KEY(OBSERVER, "max_level_throughput_resolution", resolution, "1073741824", AT(observer.max_level_throughput_resolution), NEVER),
    OPT(OBSERVER, "T_steps", many_steps, "null", NOWHERE, Y),
    OPT(OBSERVER, "interpolation_max_T", positives, "null", NOWHERE, Y),
    OPT(OBSERVER, "T_inf", positive, "50000.0", AT(observer.T_inf), SY),
    OPT(OBSERVER, "T_continuum", positive, "2.73", AT(observer.T_continuum), Y),
    KEY(OBSERVER, "T_cmb", not_negative, "2.73", AT(observer.T_cmb), Y),

    OPT(CUBE, "data_path", texts, "null", NOWHERE, NEVER),
    OPT(CUBE, "fits_map", nothing, "null", NOWHERE, NEVER),
    OPT(CUBE, "conversion_raw_to_T_K", nothings, "null", NOWHERE, NEVER),
    OPT(CUBE, "beam_efficiency", efficiencies, "null", NOWHERE, NEVER),
    OPT(CUBE, "clean_noise", nothings, "null", NOWHERE, NEVER),
    OPT(CUBE, "v_min", number, "null", AT(cube.v_min), MY),
    OPT(CUBE, "v_max", number, "null", AT(cube.v_max), MY),
    KEY(CUBE, "v_steps", steps, "512", AT(cube.v_steps), MY),
    OPT(CUBE, "reduction", reduction, "null", AT(cube.reduction), MY),

    KEY(TRAIN, "validation_data_fraction", fraction, "0.2", AT(training.validation_fraction), NEVER),
    KEY(TRAIN, "epochs", count, "32", NOWHERE, NEVER),
    KEY(TRAIN, "batch_size", count, "8", NOWHERE, NEVER),
    KEY(TRAIN, "batches_per_update", count, "16", NOWHERE, NEVER),
    OPT(TRAIN, "physical_loss", nothing, "null", NOWHERE, NEVER),
    KEY(TRAIN, "density_normalization", positive, "1e-19", NOWHERE, NEVER),

    KEY(SUITE, "seed", seed, "1216", AT(suite.seed), NEVER),
    KEY(SUITE, "transfer", transfer, "\"optically thick\"", AT(suite.transfer), Y),
    KEY(SUITE, "integration", integration, "\"smooth\"", AT(suite.integration), Y),
    KEY(SUITE, "subtraction", subtraction, "\"I\"", AT(suite.subtraction), Y),
    KEY(SUITE, "output_units", output_units, "\"Trj\"", AT(suite.output_units), Y),
    OPT(SUITE, "abundance", abundance, "null", NOWHERE, Y),
    OPT(SUITE, "dust_temperature", positive, "null", AT(suite.dust_temperature), SY),
    OPT(SUITE, "centre", place, "null", AT(suite.centre), ALL),
    KEY(SUITE, "periodic", flag, "false", AT(suite.periodic), ALL),
    KEY(SUITE, "comoving", comoving, "\"refuse\"", AT(suite.convert_comoving), ALL),
    KEY(SUITE, "ray_order", ray_order, "\"near_to_far\"", AT(suite.far_to_near), Y),
    KEY(SUITE, "profile", profile, "\"point\"", AT(suite.cell_average), Y),
    KEY(SUITE, "lookup", lookup, "\"nearest_gradient\"", AT(suite.multilinear), Y),
    KEY(SUITE, "clamp_offsets", flag, "false", AT(suite.clamp_offsets), Y),
    KEY(SUITE, "table", table, "\"reference\"", AT(suite.fine_table), Y),
    KEY(SUITE, "rate_extrapolation", rate_extrapolation, "\"linear\"", AT(suite.clamp_rates), Y),
    KEY(SUITE, "v_turb", not_negative, "0.0", AT(suite.v_turb), Y),
    KEY(SUITE, "simple_out_of_band", out_of_band, "\"pile_up\"", AT(suite.drop_out_of_band), M),
    KEY(SUITE, "thin_simpson", thin_simpson, "\"reference\"", AT(suite.complete_simpson), Y),
    KEY(SUITE, "selective_formal", selective_formal, "\"reference\"", AT(suite.consistent_formal), Y),
    KEY(SUITE, "perturb_per", perturb_per, "\"point\"", AT(suite.perturb_snapshot), ALL),
};

#define MEMBER(key, what) {.section = "", .name = (key), .rule = &(what), .initial = "null", .offset = NOWHERE}

const struct iris_key iris_tracer_members[] = {
    MEMBER("ratio_to_CO", not_negative),
    MEMBER("per_H", not_negative),
    MEMBER("table", text),
    MEMBER("T_drop", positive),
    MEMBER("n_drop", positive),
    MEMBER("drop", not_negative),
};
/* clang-format on */

const size_t iris_tracer_count = sizeof iris_tracer_members / sizeof iris_tracer_members[0];
const size_t iris_tracer_kinds = 3;
const size_t iris_key_count = sizeof iris_keys / sizeof iris_keys[0];
