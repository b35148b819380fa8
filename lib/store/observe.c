#include "observe.h"

#include <math.h>
#include <stdlib.h>

#include "units.h"

static enum iris_status
init_sky(struct iris_observe *o, const struct iris_settings *s, struct iris_err *err)
{
    double fwhm = o->type == IRIS_SYNTHETIC ? s->observer.beam_fwhm / 3600 : (double)NAN;
    struct iris_sky *sky = &o->pair.sky;
    enum iris_status st = IRIS_OK;

    o->pair.crop_min = (size_t)s->coordinate.r_crop_min;
    o->pair.crop_max = (size_t)s->coordinate.r_crop_max;
    o->pair.max = s->cube.reduction == IRIS_REDUCE_MAX;
    o->pair.H2_factor = iris_H2_mass_factor(s->observer.mw_H2, s->observer.mw_H, s->observer.mw_He,
                                            s->observer.abundance_He);
    sky->r_steps = (size_t)s->coordinate.r_steps;
    sky->lon_steps = (size_t)s->coordinate.lon_steps;
    sky->lat_steps = (size_t)s->coordinate.lat_steps;
    iris_blur_none(&sky->blur);
    if (s->observer.blur_inputs)
        st = iris_blur_init(&sky->blur, (size_t)s->observer.blur_kernel_r,
                            (size_t)s->observer.blur_kernel_lon,
                            (size_t)s->observer.blur_kernel_lat, s->observer.blur_sigma, err);
    if (!st)
        st = iris_beam_init(&o->beam, fwhm, sky->lon_steps,
                            s->coordinate.lon_max - s->coordinate.lon_min, sky->lat_steps,
                            s->coordinate.lat_max - s->coordinate.lat_min, err);
    o->pair.beam = &o->beam;
    return st;
}

static void
init_transfer_law(const struct iris_settings *s, const struct iris_unit_system *u,
                  const struct iris_kernels *kernels, int precise, struct iris_transfer_law *law)
{
    double velocity = iris_units_velocity(u);

    *law = (struct iris_transfer_law){
        .transfer = s->suite.transfer,
        .integration = s->suite.integration,
        .subtraction = s->suite.subtraction,
        .output = s->suite.output_units,
        .lookup = {s->suite.multilinear, s->suite.clamp_offsets},
        .far_to_near = s->suite.far_to_near,
        .cell_average = s->suite.cell_average,
        .complete_simpson = s->suite.complete_simpson,
        .consistent_formal = s->suite.consistent_formal,
        .precise = precise,
        .r_steps = (size_t)s->coordinate.r_steps,
        .ds = (s->coordinate.r_max - s->coordinate.r_min) * u->parsec /
              (double)(s->coordinate.r_steps - 1),
        .v_steps = (size_t)s->cube.v_steps,
        .v_min = s->cube.v_min * 1000 * velocity,
        .v_max = s->cube.v_max * 1000 * velocity,
        .v_subsamples = (size_t)s->observer.v_subsamples,
        .k = s->observer.k,
        .h = s->observer.h,
        .c = s->observer.c,
        .number = s->dataset.iris_number_unit,
        .T_cmb = s->observer.T_cmb,
        .units = *u,
        .kernels = kernels,
    };
}

static enum iris_status
init_lines(struct iris_observe *o, const struct iris_lines *lines, const struct iris_settings *s,
           const struct iris_unit_system *u, const struct iris_kernels *kernels, int precise,
           struct iris_err *err)
{
    enum iris_status st;
    size_t n = lines->n, i;

    o->pair.n_lines = n;
    o->line = calloc(n, sizeof *o->line);
    if (!o->line)
        return iris_fail_memory(err);
    for (i = 0; i < n; i++) {
        const struct iris_lines_item *from = &lines->line[i];

        o->line[i] = (struct iris_line){
            .table = &from->table,
            .abundance = from->settings.abundance,
            .kappa = from->settings.kappa * u->length * u->length / u->mass,
            .v_turb = s->suite.v_turb * 1000 * iris_units_velocity(u),
        };
    }
    init_transfer_law(s, u, kernels, precise, &o->transfer);
    st = iris_line_observer_init(&o->lines, &o->transfer, o->line, n, err);
    if (!st)
        o->observer = iris_observer_lines(&o->lines);
    o->scene = (struct iris_scene){.pair = &o->pair, .transfer = &o->transfer, .line = o->line};
    return st;
}

static void
init_simple(struct iris_observe *o, const struct iris_settings *s, const struct iris_unit_system *u)
{
    double velocity = iris_units_velocity(u);
    struct iris_axis r = {s->coordinate.r_min * u->parsec, s->coordinate.r_max * u->parsec,
                          (size_t)s->coordinate.r_steps};

    o->pair.n_lines = 1;
    o->simple = (struct iris_simple_law){.v_min = s->cube.v_min * 1000 * velocity,
                                         .v_max = s->cube.v_max * 1000 * velocity,
                                         .v_steps = (size_t)s->cube.v_steps,
                                         .dr = iris_axis_step(&r),
                                         .drop = s->suite.drop_out_of_band};
    o->observer = iris_observer_simple(&o->simple);
    o->scene = (struct iris_scene){.pair = &o->pair, .simple = &o->simple};
}

enum iris_status
iris_observe_init(struct iris_observe *o, const struct iris_hyper *h, enum iris_type type,
                  const struct iris_lines *lines, const struct iris_kernels *kernels, int precise,
                  struct iris_err *err)
{
    struct iris_unit_system u;
    struct iris_settings s;
    enum iris_status st;

    *o = (struct iris_observe){.type = type};
    iris_hyper_settings(h, &s);
    iris_settings_units(&s, &u);
    st = init_sky(o, &s, err);
    if (!st && type == IRIS_SYNTHETIC && !lines) {
        o->pair.n_lines = iris_hyper_lines(h);
        o->observer.values = o->pair.n_lines * (size_t)s.cube.v_steps;
    } else if (!st && type == IRIS_SYNTHETIC) {
        st = init_lines(o, lines, &s, &u, kernels, precise, err);
    } else if (!st) {
        init_simple(o, &s, &u);
    }
    if (st)
        iris_observe_release(o);
    return st;
}

void
iris_observe_release(struct iris_observe *o)
{
    free(o->line);
    iris_line_observer_release(&o->lines);
    iris_beam_release(&o->beam);
    *o = (struct iris_observe){0};
}

const struct iris_scene *
iris_observe_scene(const struct iris_observe *o)
{
    return o->scene.pair ? &o->scene : NULL;
}

/* Spectra from here, or from the device. */
static enum iris_status
begin_spectra(struct iris_observe *o, struct iris_observer *observer, struct iris_err *err)
{
    o->lines.gas = 0;
    *observer = o->observer;
    if (!o->device.observer)
        return IRIS_OK;
    return o->device.observer(o->device.self, &o->scene, observer, err);
}

/* Of a device it is known only now whether they were any good: what came of them is
 * told after that. */
static enum iris_status
end_spectra(struct iris_observe *o, enum iris_status st, struct iris_err *err)
{
    struct iris_err why = {0};
    enum iris_status failed;

    if (!o->device.observer)
        return st;
    failed = o->device.observed(o->device.self, &o->lines.gas, &why);
    if (!failed || st == IRIS_E_RETRY)
        return st;
    return iris_fail(err, failed, "%s", why.msg);
}

static enum iris_status
fail_empty(struct iris_err *err)
{
    return iris_fail(err, IRIS_E_DATA,
                     "no gas in the window: no sample has a density and a "
                     "temperature above 0");
}

enum iris_status
iris_observe_pair(struct iris_observe *o, const struct iris_columns *columns,
                  const struct iris_pause *pause, float *column, float *observed,
                  struct iris_err *err)
{
    struct iris_observer observer;
    enum iris_status st;

    st = begin_spectra(o, &observer, err);
    if (st)
        return st;
    st = iris_pair_make(&o->pair, columns, &observer, pause, column, observed, err);
    st = end_spectra(o, st, err);
    return !st && o->type == IRIS_SYNTHETIC && !o->lines.gas ? fail_empty(err) : st;
}

enum iris_status
iris_observe_part(struct iris_observe *o, const struct iris_columns *columns,
                  const struct iris_pause *pause, size_t lon0, size_t lon1, double *strips,
                  int *gas, struct iris_err *err)
{
    enum iris_status st;

    o->lines.gas = 0;
    st = iris_pair_part(&o->pair, columns, &o->observer, pause, lon0, lon1, strips, err);
    *gas = o->lines.gas;
    return st;
}

enum iris_status
iris_observe_finish(const struct iris_observe *o, const double *strips, int gas, float *column,
                    float *observed, struct iris_err *err)
{
    if (o->type == IRIS_SYNTHETIC && !gas)
        return fail_empty(err);
    return iris_pair_finish(&o->pair, o->observer.values, strips, column, observed, err);
}

/* Columns that are looked at on their way. */
struct watched {
    const struct iris_columns *columns;
    int mass; /* set once there is any */
};

static enum iris_status
get_watched(void *self, const struct iris_tile *t, float *const field[IRIS_FIELDS],
            struct iris_err *err)
{
    size_t n = (t->r1 - t->r0) * (t->lon1 - t->lon0) * (t->lat1 - t->lat0), i;
    struct watched *w = self;
    enum iris_status st;

    st = w->columns->get(w->columns->self, t, field, err);
    for (i = 0; i < n && !st && !w->mass; i++)
        w->mass = field[IRIS_RHO][i] > 0;
    return st;
}

enum iris_status
iris_observe_cube(struct iris_observe *o, const struct iris_columns *columns,
                  const struct iris_pause *pause, const struct iris_cube_sink *sink,
                  struct iris_err *err)
{
    struct watched watched = {.columns = columns};
    struct iris_columns watching = {get_watched, &watched, columns->many};
    struct iris_observer observer;
    enum iris_status st;

    st = begin_spectra(o, &observer, err);
    if (st)
        return st;
    st = iris_cube_make(&o->pair.sky, &o->beam, &watching, &observer, pause, sink, err);
    st = end_spectra(o, st, err);
    if (!st && o->type == IRIS_SIMPLE && !watched.mass)
        return iris_fail(err, IRIS_E_DATA, "no gas in the window: no sample has a density above 0");
    return !st && o->type == IRIS_SYNTHETIC && !o->lines.gas ? fail_empty(err) : st;
}
