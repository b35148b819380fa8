/* hyper -- the settings of a run, hyper.json; see iris-hyper(5).
 *
 * A hyper is a JSON object of the reference's six sections (writer_hyper,
 * dataset_hyper, coordinate_hyper, observer_hyper, cube_hyper,
 * training_hyper), our own suite_hyper, and whatever else the file had: unknown
 * sections and keys are kept and printed again. Missing keys have their
 * defaults, so a hyper always has every known key.
 *
 * Errors in values are IRIS_E_DATA and name "section.key".
 */
#ifndef IRIS_HYPER_H
#define IRIS_HYPER_H

#include <stddef.h>
#include <stdint.h>

#include "abundance.h"
#include "buf.h"
#include "err.h"
#include "transfer_law.h"
#include "units.h"

struct iris_hyper;

/* What a data set holds; bits, since a setting may matter to several. */
enum iris_type { IRIS_STANDARD = 1, IRIS_SIMPLE = 2, IRIS_SYNTHETIC = 4 };

/* "standard", "simple" or "synthetic".
 *
 *   return  IRIS_OK, or IRIS_E_USAGE naming the allowed words
 */
enum iris_status iris_type_parse(const char *word, enum iris_type *type, struct iris_err *err);
const char *iris_type_name(enum iris_type type);

enum iris_reduction { IRIS_REDUCE_UNSET, IRIS_REDUCE_MEAN, IRIS_REDUCE_MAX };
enum iris_centre { IRIS_CENTRE_BOX, IRIS_CENTRE_POINT, IRIS_CENTRE_DENSEST };

/* The values of every known key, by section, in the units of the file.
 * A number that is null there is NaN here, an index that is null has its has_
 * flag 0, a count that is null is -1. What has one value a line is left to
 * iris_hyper_line. */
struct iris_settings {
    struct {
        int64_t total_snapshots, points_per_snapshot, unit_calculation_sample_size;
        int has_min_index, has_max_index;
        int64_t min_index, max_index;
        double length_cm, mass_g, velocity_cm_per_s, temperature_K; /* of one processing unit */
    } writer;
    struct {
        double meters_per_parsec;
        int use_abundances;
        int64_t H2_column, H_plus_column, CO_column;
        double iris_number_unit;
        double scale_factor, scale_range[2]; /* range[0] NaN: null; a range wins */
        double skew_factor, skew_range[2];
        double density_factor, density_range[2];
        double velocity_iris_per_processing, density_iris_per_processing;
        double v_density_iris_per_processing, temperature_iris_per_processing;
        double length_iris_per_SI, length_iris_per_parsec, time_iris_per_SI;
        double mass_iris_per_SI, temperature_iris_per_SI;
    } dataset;
    struct {
        double theta_zero; /* deg */
        int64_t spin_orientation;
        double observer_radius; /* pc */
        int jitter_r;
        double jitter_r_min, jitter_r_max; /* pc */
        int64_t r_steps, r_pieces;
        double r_min, r_max; /* pc */
        int64_t r_crop_min, r_crop_max;
        int64_t lon_steps;
        double lon_min, lon_max; /* deg */
        int jitter_lon;
        double jitter_lon_min, jitter_lon_max; /* deg */
        int64_t lat_steps;
        double lat_min, lat_max; /* deg */
    } coordinate;
    struct {
        int64_t lon_pieces, lat_pieces, v_subsamples;
        int blur_inputs;
        int64_t blur_kernel_r, blur_kernel_lon, blur_kernel_lat;
        double blur_sigma;
        double beam_fwhm; /* arcsec */
        double noise_mean, noise_sigma;
        double k, h, c, L;
        double mw_He, m_He, abundance_He;
        double mw_H2, m_H2, ortho_to_para;
        double mw_H, m_H;
        int64_t n_lines;
        int64_t max_level_throughput_resolution;
        double T_inf, T_continuum, T_cmb;
    } observer;
    struct {
        double v_min, v_max; /* km/s */
        int64_t v_steps;
        enum iris_reduction reduction;
    } cube;
    struct {
        double validation_fraction; /* of the entries */
    } training;
    struct {
        uint64_t seed;
        enum iris_transfer transfer;
        enum iris_integration integration;
        enum iris_subtraction subtraction;
        enum iris_output_units output_units;
        double dust_temperature; /* K */
        enum iris_centre centre;
        double centre_point[3]; /* code units, when centre is IRIS_CENTRE_POINT */
        int periodic;
        int convert_comoving;  /* comoving: "convert" */
        int far_to_near;       /* ray_order: "far_to_near" */
        int cell_average;      /* profile: "cell_average" */
        int multilinear;       /* lookup: "multilinear" */
        int clamp_offsets;     /* clamp_offsets: true */
        int fine_table;        /* table: "fine" */
        int clamp_rates;       /* rate_extrapolation: "clamp" */
        double v_turb;         /* km/s */
        int drop_out_of_band;  /* simple_out_of_band: "drop" */
        int complete_simpson;  /* thin_simpson: "complete" */
        int consistent_formal; /* selective_formal: "consistent" */
        int perturb_snapshot;  /* perturb_per: "snapshot" */
    } suite;
};

/* Read a file, fill in defaults, check every value and the rules between them.
 *
 *   in   path  "-" is standard input
 *   out  h     owned by the caller, iris_hyper_free
 *
 *   return  IRIS_OK
 *           IRIS_E_IO    cannot be read
 *           IRIS_E_DATA  not JSON (names file and line), not an object, or a
 *                        value breaks a rule (names file and section.key)
 */
enum iris_status iris_hyper_read(const char *path, struct iris_hyper **h, struct iris_err *err);

/* The same from memory. name stands for the file in messages; dir is what the
 * relative paths in the text are relative to, NULL for none. */
enum iris_status iris_hyper_parse(const char *text, size_t len, const char *name, const char *dir,
                                  struct iris_hyper **h, struct iris_err *err);

/* Every key at its default. */
enum iris_status iris_hyper_defaults(struct iris_hyper **h, struct iris_err *err);

/* Settings of one's own, to be changed. Its relative paths are as they are printed, and of
 * the current directory. */
enum iris_status iris_hyper_copy(const struct iris_hyper *h, struct iris_hyper **copy,
                                 struct iris_err *err);

void iris_hyper_free(struct iris_hyper *h);

/* Change one value. The rules between keys are not checked until
 * iris_hyper_check, so that several changes can be made.
 *
 *   in   name  "section.key", must be known
 *   in   json  the new value as JSON text; a whole number is taken for a
 *              float key and written as one
 *
 *   return  IRIS_OK
 *           IRIS_E_USAGE  json is not JSON, or name has no '.'
 *           IRIS_E_DATA   unknown key (the sentence offers the nearest known
 *                         one), wrong type or out of range; h untouched
 */
enum iris_status iris_hyper_set(struct iris_hyper *h, const char *name, const char *json,
                                struct iris_err *err);

/* Every rule that holds between keys. */
enum iris_status iris_hyper_check(const struct iris_hyper *h, struct iris_err *err);

/* What type needs beyond iris_hyper_check: keys that may not be null, grids
 * that the blur kernels fit into.
 *
 *   return  IRIS_OK
 *           IRIS_E_DATA  names the first key that is missing or wrong
 */
enum iris_status iris_hyper_check_type(const struct iris_hyper *h, enum iris_type type,
                                       struct iris_err *err);

/* The values as C numbers. h must have passed iris_hyper_check. */
void iris_hyper_settings(const struct iris_hyper *h, struct iris_settings *s);

/* The processing units of the settings. */
void iris_settings_units(const struct iris_settings *s, struct iris_unit_system *u);

/* The file: JSON, ASCII, four spaces, sections and keys in the reference's
 * order, suite_hyper, then unknown ones; floats as Python writes them; no
 * newline at the end. */
enum iris_status iris_hyper_print(const struct iris_hyper *h, struct iris_buf *out,
                                  struct iris_err *err);

/* One known key's value as compact JSON text, appended; "null" too.
 *
 *   return  IRIS_OK, or IRIS_E_DATA for an unknown name
 */
enum iris_status iris_hyper_value(const struct iris_hyper *h, const char *name,
                                  struct iris_buf *out, struct iris_err *err);

/* The known keys in order, "section.key"; NULL at index count. */
const char *iris_hyper_key(size_t i);

/* Whether a point's bytes of that type depend on the key (the digest below
 * covers it). Files that a key names count by content. */
int iris_hyper_key_matters(const char *name, enum iris_type type);

#define IRIS_FORMAT          3 /* raised whenever the arithmetic of a point changes */
#define IRIS_SETTINGS_DIGEST 9 /* 8 digits and a NUL */

/* The settings digest: a hash of every setting that changes a point's bytes.
 *
 *   in   seed, round  as used, whatever suite_hyper.seed says
 *   in   precise      synthetic: observed in double
 *   out  digest
 *   out  settings  NULL, or appended: the JSON text that was hashed, which is
 *                  what settings.json in the data set holds
 *
 *   return  IRIS_OK
 *           IRIS_E_IO  synthetic only: a molecular file or a table of
 *                      abundances cannot be read
 */
enum iris_status iris_hyper_digest(const struct iris_hyper *h, enum iris_type type, uint64_t seed,
                                   uint32_t round, int precise, char digest[IRIS_SETTINGS_DIGEST],
                                   struct iris_buf *settings, struct iris_err *err);

/* What one spectral line is made from, in the units of the file. */
struct iris_line_settings {
    char *chem_path; /* as it can be opened from the current directory; owned */
    size_t upper, lower;
    double kappa; /* m^2 per kg of gas */
    size_t N_steps;
    double N_max, bolic; /* m^-3 */
    size_t x_steps, T_steps;
    double T_max; /* K */
    struct iris_abundance abundance;
};

/* observer_hyper.n_lines, 0 when that is null. */
size_t iris_hyper_lines(const struct iris_hyper *h);

/* One line's settings; a table of abundances is read. h must have passed
 * iris_hyper_check.
 *
 *   in   i     below iris_hyper_lines(h)
 *   out  line  owned by the caller, iris_line_settings_release; all zero
 *              unless IRIS_OK
 *
 *   return  IRIS_OK
 *           IRIS_E_DATA  a list is null (named), or the table is wrong (key,
 *                        file and line named)
 *           IRIS_E_IO    the table cannot be read (key and file named)
 *           IRIS_E_BUG   there is no such line
 */
enum iris_status iris_hyper_line(const struct iris_hyper *h, size_t i,
                                 struct iris_line_settings *line, struct iris_err *err);
void iris_line_settings_release(struct iris_line_settings *line);

/* The keys that determine the emission and absorption table of a line, the
 * content of its molecular file apart. */
extern const char *const iris_table_keys[];
extern const size_t iris_table_key_count;

/* One key's value for one line as compact JSON text, appended: the line's
 * element of a key that has one value a line, any other key's value, "null"
 * too.
 *
 *   return  IRIS_OK
 *           IRIS_E_DATA  unknown key, or its list has no such line
 */
enum iris_status iris_hyper_table_value(const struct iris_hyper *h, const char *key, size_t line,
                                        struct iris_buf *out, struct iris_err *err);

/* The nine unit factors of dataset_hyper; NaN is null. */
struct iris_unit_factors {
    double velocity, density, v_density, temperature; /* IRIS per processing */
    double length, length_parsec, time, mass, th;     /* IRIS per SI (per pc) */
};
void iris_hyper_get_units(const struct iris_hyper *h, struct iris_unit_factors *u);
/*   return  IRIS_OK, or IRIS_E_IO out of memory: then some are not set */
enum iris_status iris_hyper_set_units(struct iris_hyper *h, const struct iris_unit_factors *u,
                                      struct iris_err *err);

/* Set suite_hyper.seed, and the derived writer_hyper._length_parsec_per_processing,
 * as they are recorded in a published file.
 *
 *   in   seed  below 2^63
 *
 *   return  IRIS_OK, or IRIS_E_IO out of memory
 */
enum iris_status iris_hyper_set_seed(struct iris_hyper *h, uint64_t seed, struct iris_err *err);

/* Replace the path of every molecular file and table of abundances by its last
 * component: a published file names no place of the machine it was made on. */
enum iris_status iris_hyper_strip_paths(struct iris_hyper *h, struct iris_err *err);

/* Make each of these that is relative and whose file exists absolute, so that
 * the text finds it from another place. */
enum iris_status iris_hyper_resolve_paths(struct iris_hyper *h, struct iris_err *err);

#endif
