#include <inttypes.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>

#include "cube.h"
#include "elementary.h"
#include "obs.h"
#include "observe.h"

/* A cube being made. */
struct job {
    const struct obs *b;
    struct iris_cube cube;
    struct iris_meter meter;
    struct iris_progress progress; /* spectra */
};

static int
pause_cube(void *self)
{
    struct job *job = self;

    iris_cli_progress(&job->b->o->cli, &job->meter, &job->progress, 0);
    return iris_cli_stop(); /* half a cube is of no use: any signal stops it */
}

static enum iris_status
put(void *self, size_t lon, size_t lat, size_t n_lat, const float *spectra, struct iris_err *err)
{
    struct job *job = self;

    job->progress.done += n_lat;
    return iris_cube_put(&job->cube, lon, lat, n_lat, spectra, err);
}

/* ---- what a .fits file says ---- */

static const char *const words[][2] = {
    [IRIS_OUT_I] = {"I", "I"},       [IRIS_OUT_JY] = {"I Jy per Sr", "I"},
    [IRIS_OUT_TRJ] = {"Trj", "Trj"}, [IRIS_OUT_TRJ_K] = {"Trj K", "Trj"},
    [IRIS_OUT_TB] = {"Tb", "Tb"},    [IRIS_OUT_TB_K] = {"Tb K", "Tb"},
};

struct text {
    char **name; /* [n_lines] */
    double *frequency;
    char *unit; /* of a simple cube, NULL: processing */
    char *history;
};

static void
release_text(struct text *t, size_t n_lines)
{
    size_t i;

    for (i = 0; t->name && i < n_lines; i++)
        free(t->name[i]);
    free(t->name);
    free(t->frequency);
    free(t->unit);
    free(t->history);
}

/* Mass per area and velocity in cgs: FITS knows no scale that is not a power of
 * ten. */
static char *
mass_unit(const struct iris_settings *s)
{
    double exponent = iris_log10(s->writer.mass_g / (s->writer.length_cm * s->writer.length_cm *
                                                     s->writer.velocity_cm_per_s));

    if (fabs(exponent - rint(exponent)) > 1e-9)
        return NULL;
    return fabs(exponent) < 0.5 ? iris_format("g s cm-3")
                                : iris_format("10**%+.0f g s cm-3", rint(exponent));
}

static enum iris_status
name_lines(const struct obs *b, struct text *t, size_t n, struct iris_err *err)
{
    size_t i;

    t->name = calloc(n, sizeof *t->name);
    t->frequency = calloc(n, sizeof *t->frequency);
    if (!t->name || !t->frequency)
        return iris_fail_memory(err);
    for (i = 0; i < n; i++) {
        if (b->o->type == IRIS_SIMPLE) {
            t->name[i] = iris_format("mass by velocity");
        } else {
            const struct iris_lines_item *line = &b->lines.line[i];

            /* the transition first: names are cut to what a header has room for */
            t->name[i] = iris_format("%zu-%zu %s", line->settings.upper, line->settings.lower,
                                     line->molecule.name);
            t->frequency[i] = line->table.nu * line->law.units.time;
        }
        if (!t->name[i])
            return iris_fail_memory(err);
    }
    return IRIS_OK;
}

static enum iris_status
write_history(const struct obs *b, struct text *t, struct iris_err *err)
{
    const struct obs_options *o = b->o;
    uint64_t seed = o->cli.has_seed ? o->cli.seed : b->settings.suite.seed;
    char digest[IRIS_SETTINGS_DIGEST];
    enum iris_status st;

    st = iris_hyper_digest(b->hyper, o->type, seed, 0, o->precise, digest, NULL, err);
    if (st)
        return st;
    t->history = iris_format("iris-observe: type %s, settings %s%s", iris_type_name(o->type),
                             digest,
                             o->type == IRIS_SIMPLE ? ""
                             : o->precise           ? ", arithmetic precise"
                             : b->has_gpu           ? ", arithmetic cuda"
                                                    : ", arithmetic single");
    return t->history ? IRIS_OK : iris_fail_memory(err);
}

static enum iris_status
open_cube(struct job *job, struct iris_err *err)
{
    const struct iris_settings *s = &job->b->settings;
    int simple = job->b->o->type == IRIS_SIMPLE;
    size_t n = simple ? 1 : job->b->lines.n;
    struct text t = {0};
    enum iris_status st;

    st = name_lines(job->b, &t, n, err);
    if (!st)
        st = write_history(job->b, &t, err);
    if (!st) {
        const char *const *word = words[s->suite.output_units];
        struct iris_cube_law law = {
            .n_lines = n,
            .n_lon = (size_t)s->coordinate.lon_steps,
            .n_lat = (size_t)s->coordinate.lat_steps,
            .n_v = (size_t)s->cube.v_steps,
            .lon_min = s->coordinate.lon_min,
            .lon_max = s->coordinate.lon_max,
            .lat_min = s->coordinate.lat_min,
            .lat_max = s->coordinate.lat_max,
            .v_min = s->cube.v_min,
            .v_max = s->cube.v_max,
            .unit = simple ? t.unit = mass_unit(s)
                           : iris_cube_unit(word[0], s->writer.temperature_K),
            .quantity = simple ? "mass" : word[1],
            .rest_frequency = simple ? NULL : t.frequency,
            .line_name = (const char *const *)t.name,
            .beam_fwhm = simple ? (double)NAN : s->observer.beam_fwhm / 3600,
            .history = (const char *const *)&t.history,
            .n_history = 1,
        };

        job->progress.total = (uint64_t)law.n_lon * law.n_lat;
        st = iris_cube_open(&job->cube, job->b->o->cube, &law, err);
    }
    release_text(&t, n);
    return st;
}

/* ---- the cube ---- */

static enum iris_status
make(struct job *job, struct obs *b, struct iris_tensor *tensor, struct iris_err *err)
{
    struct iris_columns columns = iris_columns_of_tensor(tensor);
    struct iris_pause pause = {pause_cube, job};
    struct iris_cube_sink sink = {put, job};
    const struct iris_lines *lines = &b->lines;
    struct iris_observe observe = {0};
    enum iris_status st = IRIS_OK;

    if (b->o->type == IRIS_SYNTHETIC)
        st = obs_tables(b, &lines, err);
    if (!st)
        st = iris_observe_init(&observe, b->hyper, b->o->type, lines, b->o->kernels, b->o->precise,
                               err);
    if (b->has_gpu) {
        cli_gpu_start(&b->gpu, &b->o->gpu, 0, 1, &pause);
        observe.device = cli_gpu_device(&b->gpu);
    }
    if (!st)
        st = iris_observe_cube(&observe, &columns, &pause, &sink, err);
    if (st == IRIS_E_RETRY && iris_cli_stop())
        iris_fail(err, st,
                  "stopped by a signal with %" PRIu64 " of %" PRIu64
                  " spectra done; run again to start over",
                  job->progress.done, job->progress.total);
    else if (st == IRIS_E_DATA && job->progress.done == job->progress.total)
        iris_fail_in(err, "'%s'", b->o->input);
    cli_gpu_end(&b->gpu);
    iris_observe_release(&observe);
    return st;
}

enum iris_status
obs_cube(struct obs *b, struct iris_err *err)
{
    struct job job = {.b = b};
    struct iris_tensor tensor;
    enum iris_status st;

    st = iris_cli_not_input(b->o->cube, b->o->input, err);
    if (!st)
        st = iris_cli_not_input(b->o->cube, b->o->hyper, err);
    if (!st)
        st = iris_cli_not_input(b->o->cube, b->o->lines, err);
    if (!st)
        st = obs_open(b, b->o->input, &tensor, err);
    if (st)
        return st;
    if (b->o->cli.dry_run) {
        fprintf(stderr, "%s: would observe '%s' into '%s'\n", iris_prog, b->o->input, b->o->cube);
        iris_tensor_close(&tensor);
        return IRIS_OK;
    }
    /* first, so that a place that cannot be written is known before the work */
    st = open_cube(&job, err);
    if (!st)
        st = make(&job, b, &tensor, err);
    iris_cli_progress(&b->o->cli, &job.meter, &job.progress, 1);
    if (!st)
        st = iris_cube_commit(&job.cube, err);
    if (!st)
        iris_cli_note(&b->o->cli, "wrote '%s': %" PRIu64 " spectra", b->o->cube, job.progress.done);
    iris_cube_abort(&job.cube);
    iris_tensor_close(&tensor);
    return st;
}
