#include <inttypes.h>
#include <math.h>
#include <stddef.h>
#include <string.h>

#include "hyper.h"
#include "hyper_keys.h"
#include "json.h"

#define COORD    "coordinate_hyper."
#define OBSERVER "observer_hyper."

static const json_t *
value(const struct iris_hyper *h, const char *name)
{
    return iris_key_value(h, iris_key_find(name));
}

static int
is_set(const struct iris_hyper *h, const char *name)
{
    return !json_is_null(value(h, name));
}

static double
number(const struct iris_hyper *h, const char *name)
{
    const json_t *v = value(h, name);

    return json_is_number(v) ? json_number_value(v) : (double)NAN;
}

/* "<a> must <relation> <b>, not <value of a> and <value of b>" */
static enum iris_status
mismatch(const struct iris_hyper *h, const char *a, const char *relation, const char *b,
         struct iris_err *err)
{
    struct iris_buf va = {0}, vb = {0};

    iris_json_compact(value(h, a), &va);
    iris_json_compact(value(h, b), &vb);
    iris_fail(err, IRIS_E_DATA, "%s must %s %s, not %.100s and %.100s", a, relation, b,
              iris_buf_str(&va), iris_buf_str(&vb));
    iris_buf_release(&va);
    iris_buf_release(&vb);
    return IRIS_E_DATA;
}

static const struct {
    const char *low, *high;
    int equal; /* may be */
} orders[] = {
    {"writer_hyper.min_snapshot_index", "writer_hyper.max_snapshot_index", 1},
    {COORD "jitter_r_min", COORD "jitter_r_max", 1},
    {COORD "r_min", COORD "r_max", 0},
    {COORD "r_crop_min_index", COORD "r_crop_max_index", 0},
    {COORD "r_crop_max_index", COORD "r_steps", 1},
    {COORD "lon_min", COORD "lon_max", 0},
    {COORD "jitter_lon_min", COORD "jitter_lon_max", 1},
    {COORD "lat_min", COORD "lat_max", 0},
    {OBSERVER "lon_pieces", COORD "lon_steps", 1},
    {OBSERVER "lat_pieces", COORD "lat_steps", 1},
    {"cube_hyper.v_min", "cube_hyper.v_max", 0},
};

static enum iris_status
check_orders(const struct iris_hyper *h, struct iris_err *err)
{
    size_t i;

    for (i = 0; i < sizeof orders / sizeof orders[0]; i++) {
        double low = number(h, orders[i].low), high = number(h, orders[i].high);

        if (low > high || (low == high && !orders[i].equal))
            return mismatch(h, orders[i].low, orders[i].equal ? "not be above" : "be below",
                            orders[i].high, err);
    }
    return IRIS_OK;
}

static const char *const pairs[][2] = {
    {COORD "jitter_r_min", COORD "jitter_r_max"},
    {COORD "jitter_lon_min", COORD "jitter_lon_max"},
    {OBSERVER "noise_mean", OBSERVER "noise_sigma"},
};

static enum iris_status
check_pairs(const struct iris_hyper *h, struct iris_err *err)
{
    size_t i;

    for (i = 0; i < sizeof pairs / sizeof pairs[0]; i++)
        if (is_set(h, pairs[i][0]) != is_set(h, pairs[i][1]))
            return iris_fail(err, IRIS_E_DATA, "%s and %s must both be null or both be numbers",
                             pairs[i][0], pairs[i][1]);
    return IRIS_OK;
}

static enum iris_status
check_jitter(const struct iris_settings *s, struct iris_err *err)
{
    if (s->coordinate.jitter_r && isnan(s->coordinate.jitter_r_min))
        return iris_fail(err, IRIS_E_DATA,
                         COORD "jitter_r needs " COORD "jitter_r_min and " COORD "jitter_r_max");
    if (s->coordinate.jitter_lon && isnan(s->coordinate.jitter_lon_min))
        return iris_fail(err, IRIS_E_DATA,
                         COORD "jitter_lon needs " COORD "jitter_lon_min and " COORD
                               "jitter_lon_max");
    return IRIS_OK;
}

static enum iris_status
check_samples(const struct iris_settings *s, struct iris_err *err)
{
    int64_t most = s->writer.total_snapshots * s->writer.points_per_snapshot;

    if (s->writer.unit_calculation_sample_size > most)
        return iris_fail(err, IRIS_E_DATA,
                         "writer_hyper.unit_calculation_sample_size must not be above "
                         "writer_hyper.total_snapshots times writer_hyper.points_per_snapshot, "
                         "not %" PRId64 " and %" PRId64,
                         s->writer.unit_calculation_sample_size, most);
    return IRIS_OK;
}

static enum iris_status
check_parsec(const struct iris_hyper *h, const struct iris_settings *s, struct iris_err *err)
{
    double given = number(h, "writer_hyper._length_parsec_per_processing");
    double right = s->writer.length_cm / (100 * s->dataset.meters_per_parsec);

    if (fabs(given - right) > 1e-6 * right)
        return iris_fail(err, IRIS_E_DATA,
                         "writer_hyper._length_parsec_per_processing must be null or "
                         "writer_hyper.length_cm_per_processing divided by 100 times "
                         "dataset_hyper.meters_per_parsec, %.17g, not %.17g",
                         right, given);
    return IRIS_OK;
}

static enum iris_status
check_columns(const struct iris_hyper *h, struct iris_err *err)
{
    static const char *const columns[] = {"dataset_hyper.AREPO_H2_abundance_id",
                                          "dataset_hyper.AREPO_H_plus_abundance_id",
                                          "dataset_hyper.AREPO_CO_abundance_id"};
    size_t i, j;

    for (i = 0; i < 3; i++)
        for (j = i + 1; j < 3; j++)
            if (json_equal(value(h, columns[i]), value(h, columns[j])))
                return mismatch(h, columns[i], "differ from", columns[j], err);
    return IRIS_OK;
}

/* Frequencies are those of velocities below that of light. */
static enum iris_status
check_band(const struct iris_settings *s, struct iris_err *err)
{
    double c = s->observer.c / 1000; /* km/s */

    if (s->cube.v_min <= -c || s->cube.v_max >= c)
        return iris_fail(err, IRIS_E_DATA,
                         "cube_hyper.v_min and cube_hyper.v_max must be between -%g and %g km/s, "
                         "the speed of light of " OBSERVER "c, not %g and %g",
                         c, c, s->cube.v_min, s->cube.v_max);
    return IRIS_OK;
}

static enum iris_status
check_blocks(const struct iris_settings *s, struct iris_err *err)
{
    int64_t sub = s->observer.v_subsamples, blocks = s->observer.lon_pieces;

    if (sub > 0 && blocks * 2 * sub > s->coordinate.lon_steps)
        return iris_fail(err, IRIS_E_DATA,
                         OBSERVER "lon_pieces times 2 times " OBSERVER
                                  "v_subsamples must not be above " COORD "lon_steps, not %" PRId64
                                  " and %" PRId64,
                         blocks * 2 * sub, s->coordinate.lon_steps);
    return IRIS_OK;
}

/* The reference's tolerance, 1e-8 kg, is absolute. */
static enum iris_status
check_masses(const struct iris_hyper *h, struct iris_err *err)
{
    static const char *const masses[][2] = {
        {OBSERVER "m_He", OBSERVER "mw_He"},
        {OBSERVER "m_H2", OBSERVER "mw_H2"},
        {OBSERVER "m_H", OBSERVER "mw_H"},
    };
    double per_mole = number(h, OBSERVER "L");
    size_t i;

    for (i = 0; i < sizeof masses / sizeof masses[0]; i++)
        if (fabs(number(h, masses[i][0]) - number(h, masses[i][1]) / per_mole / 1000) > 1e-8)
            return mismatch(h, masses[i][0], "be, with " OBSERVER "L, the particle mass of",
                            masses[i][1], err);
    return IRIS_OK;
}

/* One value a line. The first nine are needed to observe. */
static const char *const line_lists[] = {
    OBSERVER "chem_path",
    OBSERVER "transition",
    OBSERVER "kappa_dust",
    OBSERVER "N_H_TOT_steps",
    OBSERVER "interpolation_max_N_H_TOT",
    OBSERVER "bolic_normalization",
    OBSERVER "abundance_H2_steps",
    OBSERVER "T_steps",
    OBSERVER "interpolation_max_T",
    "cube_hyper.data_path",
    "cube_hyper.conversion_raw_to_T_K",
    "cube_hyper.beam_efficiency",
    "cube_hyper.clean_noise",
    "suite_hyper.abundance", /* or one object for all */
};
enum { LINE_LISTS = sizeof line_lists / sizeof line_lists[0], OBSERVER_LISTS = 9 };

static enum iris_status
check_lists(const struct iris_hyper *h, const struct iris_settings *s, struct iris_err *err)
{
    size_t i, n;

    for (i = 0; i < LINE_LISTS && s->observer.n_lines >= 0; i++) {
        n = json_array_size(value(h, line_lists[i]));
        if (json_is_array(value(h, line_lists[i])) && n != (size_t)s->observer.n_lines)
            return iris_fail(err, IRIS_E_DATA,
                             "%s must have " OBSERVER "n_lines values, %" PRId64 ", not %zu",
                             line_lists[i], s->observer.n_lines, n);
    }
    return IRIS_OK;
}

enum iris_status
iris_hyper_check(const struct iris_hyper *h, struct iris_err *err)
{
    struct iris_settings s;
    enum iris_status st;

    iris_hyper_settings(h, &s);
    st = check_orders(h, err);
    if (!st)
        st = check_pairs(h, err);
    if (!st)
        st = check_jitter(&s, err);
    if (!st)
        st = check_samples(&s, err);
    if (!st)
        st = check_parsec(h, &s, err);
    if (!st)
        st = check_columns(h, err);
    if (!st)
        st = check_blocks(&s, err);
    if (!st)
        st = check_band(&s, err);
    if (!st)
        st = check_masses(h, err);
    if (!st)
        st = check_lists(h, &s, err);
    return st;
}

static enum iris_status
need(const struct iris_hyper *h, const char *const *names, size_t n, enum iris_type type,
     struct iris_err *err)
{
    size_t i;

    for (i = 0; i < n; i++)
        if (!is_set(h, names[i]))
            return iris_fail(err, IRIS_E_DATA, "%s must not be null for a %s data set", names[i],
                             iris_type_name(type));
    return IRIS_OK;
}

/* Reflected padding takes half a kernel from the inside of the edge. */
static enum iris_status
check_kernels(const struct iris_hyper *h, struct iris_err *err)
{
    static const char *const axes[][2] = {
        {COORD "r_steps", OBSERVER "in_blur_kernel_r"},
        {COORD "lon_steps", OBSERVER "in_blur_kernel_lon"},
        {COORD "lat_steps", OBSERVER "in_blur_kernel_lat"},
    };
    size_t i;

    for (i = 0; i < sizeof axes / sizeof axes[0]; i++)
        if (number(h, axes[i][0]) <= floor(number(h, axes[i][1]) / 2))
            return mismatch(h, axes[i][0], "be above half of", axes[i][1], err);
    return IRIS_OK;
}

/* Samples of a tensor: more than any disk holds, and so few that sizes can be computed. */
static const int64_t most_samples = (int64_t)1 << 40;

static enum iris_status
check_samples_of_tensor(const struct iris_hyper *h, struct iris_err *err)
{
    struct iris_settings s;
    int64_t samples;

    iris_hyper_settings(h, &s);
    samples = s.coordinate.r_steps * s.coordinate.lon_steps * s.coordinate.lat_steps;
    if (samples > most_samples)
        return iris_fail(err, IRIS_E_DATA,
                         COORD "r_steps times " COORD "lon_steps times " COORD
                               "lat_steps must not be above %" PRId64
                               " for a standard data set, not %" PRId64,
                         most_samples, samples);
    return IRIS_OK;
}

enum iris_status
iris_hyper_check_type(const struct iris_hyper *h, enum iris_type type, struct iris_err *err)
{
    static const char *const window[] = {COORD "r_min",   COORD "r_max",   COORD "lon_min",
                                         COORD "lon_max", COORD "lat_min", COORD "lat_max"};
    static const char *const cube[] = {"cube_hyper.v_min", "cube_hyper.v_max",
                                       "cube_hyper.reduction"};
    static const char *const lines[] = {OBSERVER "v_subsamples", OBSERVER "n_lines"};
    enum iris_status st;

    st = need(h, window, sizeof window / sizeof window[0], type, err);
    if (!st && type != IRIS_STANDARD)
        st = need(h, cube, sizeof cube / sizeof cube[0], type, err);
    if (!st && type != IRIS_STANDARD && json_is_true(value(h, OBSERVER "blur_inputs")))
        st = check_kernels(h, err);
    if (!st && type == IRIS_SYNTHETIC)
        st = need(h, lines, sizeof lines / sizeof lines[0], type, err);
    if (!st && type == IRIS_SYNTHETIC)
        st = need(h, line_lists, OBSERVER_LISTS, type, err);
    if (!st && type == IRIS_STANDARD)
        st = check_samples_of_tensor(h, err);
    return st;
}
