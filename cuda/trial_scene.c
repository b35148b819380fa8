#include <math.h>
#include <string.h>

#include "trial.h"

const struct trial_view trial_preset = {.r_min = 8052,
                                        .r_max = 8502,
                                        .r = 512,
                                        .lon = 512,
                                        .lat = 128,
                                        .v = 512,
                                        .crop_max = 512,
                                        .theta = 17,
                                        .scale = 0.6};
const struct trial_view trial_cone = {.r_min = 1302,
                                      .r_max = 15702,
                                      .r = 16384,
                                      .lon = 512,
                                      .lat = 128,
                                      .v = 512,
                                      .crop_min = 7680,
                                      .crop_max = 8192,
                                      .theta = 17,
                                      .scale = 0.5};

static const double lon_wide = 3, lat_wide = 0.75; /* deg */

static void
init_sampler(struct trial_scene *s, const struct trial_world *w, const struct trial_view *t)
{
    struct iris_view_law law = {.theta = t->theta,
                                .spin = -1,
                                .observer_radius = 8277,
                                .r_min = t->r_min,
                                .r_max = t->r_max,
                                .lon_min = -lon_wide / 2,
                                .lon_max = lon_wide / 2,
                                .lat_min = -lat_wide / 2,
                                .lat_max = lat_wide / 2,
                                .r_steps = t->r,
                                .lon_steps = t->lon,
                                .lat_steps = t->lat};
    struct iris_perturbation p;
    struct iris_view view;

    iris_perturb_none(&p);
    p.scale = t->scale;
    if (t->skew > 0) {
        p.skew = t->skew;
        p.skew_angle = 30;
        p.density = 1.25;
    }
    iris_view_init(&view, &law, (double)NAN, (double)NAN, TRIAL_PARSEC);
    iris_sampler_init(&s->sampler, &w->cells, &view, &p);
}

static void
init_pair(struct trial_scene *s, const struct trial_view *t, const struct trial_law *law)
{
    /* as many longitudes as the preset's 30 seconds of arc are */
    double fwhm = law->no_beam ? (double)NAN : 30.0 / 3600 * 512 / (double)t->lon;
    struct iris_pair_law *pair = &s->pair;
    struct iris_err err = {0};

    *pair = (struct iris_pair_law){
        .sky = {.r_steps = t->r, .lon_steps = t->lon, .lat_steps = t->lat},
        .beam = &s->beam,
        .crop_min = t->crop_min,
        .crop_max = t->crop_max,
        .H2_factor = iris_H2_mass_factor(2.01568, 1.00784, 4.002602, 0.1),
        .max = law->max,
        .n_lines = law->two_lines ? 2 : 1};
    iris_blur_none(&pair->sky.blur);
    if (!law->no_blur)
        trial_must(iris_blur_init(&pair->sky.blur, 3, 5, 3, 0.33, &err), &err);
    trial_must(iris_beam_init(&s->beam, fwhm, t->lon, lon_wide, t->lat, lat_wide, &err), &err);
}

static void
init_transfer(struct trial_scene *s, const struct trial_world *w, const struct trial_view *t,
              const struct trial_law *law)
{
    double kms = 1000 * iris_units_velocity(&w->units), band = law->wide     ? 500
                                                               : law->narrow ? 20
                                                                             : 200;

    s->transfer = (struct iris_transfer_law){
        .transfer = law->transfer,
        .integration = law->integration,
        .subtraction = law->subtraction,
        .output = law->output ? (enum iris_output_units)(law->output - 1) : IRIS_OUT_TRJ,
        .lookup = {law->multilinear, law->clamp},
        .far_to_near = law->far_to_near,
        .cell_average = law->cell_average,
        .complete_simpson = law->complete_simpson,
        .consistent_formal = law->consistent_formal,
        .r_steps = t->r,
        .ds = (t->r_max - t->r_min) * w->units.parsec / (double)(t->r - 1),
        .v_steps = t->v,
        .v_min = -band * kms,
        .v_max = band * kms,
        .v_subsamples = law->subsamples ? (size_t)law->subsamples - 1 : 1,
        .k = 1.380649e-23,
        .h = 6.62607e-34,
        .c = 299792500.0,
        .number = 1e15,
        .T_cmb = 2.73,
        .units = w->units,
    };
    s->simple = (struct iris_simple_law){.v_min = s->transfer.v_min,
                                         .v_max = s->transfer.v_max,
                                         .v_steps = t->v,
                                         .dr = iris_axis_step(&s->sampler.view.r),
                                         .drop = law->drop_out_of_band};
}

/* Temperatures, then densities and what there is of the tracer. */
static const char abundances[] = "5 20 100 1000\n"
                                 "1e6 1e-6 2e-6 1e-6 1e-8\n"
                                 "1e9 3e-6 4e-6 2e-6 1e-7\n"
                                 "1e11 5e-7 4e-6 5e-6 1e-6\n";

static void
init_line(struct iris_line *line, const struct trial_world *w, const struct trial_law *law,
          enum trial_table table)
{
    const struct iris_unit_system *u = &w->units;
    struct iris_err err = {0};

    *line = (struct iris_line){.table = &w->table[table],
                               .kappa = 0.001 * u->length * u->length / u->mass,
                               .v_turb = law->turbulent ? 2000 * iris_units_velocity(u) : 0};
    iris_abundance_default(&line->abundance);
    if (law->abundance == IRIS_ABUNDANCE_TABLE)
        trial_must(
            iris_abundance_parse(&line->abundance, abundances, strlen(abundances), "trial", &err),
            &err);
    line->abundance.kind = law->abundance;
    if (law->abundance == IRIS_ABUNDANCE_PER_H)
        line->abundance.value = 2e-6;
    if (law->drops) {
        line->abundance.T_drop = 30;
        line->abundance.n_drop = 1e10;
        line->abundance.drop = 0.1;
    }
}

void
trial_scene_init(struct trial_scene *s, const struct trial_world *w, const struct trial_view *view,
                 const struct trial_law *law)
{
    memset(s, 0, sizeof *s);
    init_sampler(s, w, view);
    init_pair(s, view, law);
    init_transfer(s, w, view, law);
    init_line(&s->line[0], w, law, law->table);
    if (law->two_lines)
        init_line(&s->line[1], w, law, TRIAL_10);
    s->values = s->pair.n_lines * view->v;
    s->scene.pair = &s->pair;
    if (law->simple) {
        s->scene.simple = &s->simple;
    } else {
        s->scene.transfer = &s->transfer;
        s->scene.line = s->line;
    }
}

void
trial_scene_release(struct trial_scene *s)
{
    iris_abundance_release(&s->line[0].abundance);
    iris_abundance_release(&s->line[1].abundance);
    iris_beam_release(&s->beam);
}
