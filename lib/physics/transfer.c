#include "transfer.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "num.h"
#include "transfer_ray.h"

/* ---- grids ---- */

size_t
iris_transfer_fine(const struct iris_transfer_law *law)
{
    return law->transfer == IRIS_THICK ? 2 * law->v_subsamples : 0;
}

static void
init_band(const struct iris_solver *t, const struct iris_line *line, struct iris_band *b)
{
    const struct iris_transfer_law *law = &t->law;
    double nu = line->table->nu, dv = (law->v_max - law->v_min) / (double)(law->v_steps - 1);
    const struct iris_unit_system *u = &law->units;
    double T_cmb = law->T_cmb * u->temperature;
    size_t i;

    b->nu_first = nu * (1 + law->v_min / t->constant.c);
    b->nu_step = nu * dv / t->constant.c;
    b->grid = (struct iris_profile_grid){.n = t->n,
                                         .v_first = t->v_first,
                                         .v_step = t->v_step,
                                         .per_v_step = t->per_v_step,
                                         .width = nu * t->v_step / t->constant.c,
                                         .average = t->average};
    b->step = (struct iris_step_law){.k = t->constant.k,
                                     .h = t->constant.h,
                                     .c = t->constant.c,
                                     .kappa = line->kappa,
                                     .v_turb = line->v_turb,
                                     .per_m3 = law->number * u->length * u->length * u->length,
                                     .temperature = u->temperature,
                                     .lookup = law->lookup};
    for (i = 0; i < law->v_steps; i++)
        b->background[i] = iris_transfer_planck(&t->constant, b->nu_first + (double)i * b->nu_step,
                                                T_cmb);
    iris_transfer_scale(t, b);
}

static void
init_grid(struct iris_solver *t)
{
    const struct iris_transfer_law *law = &t->law;
    double dv = (law->v_max - law->v_min) / (double)(law->v_steps - 1);
    size_t fine = iris_transfer_fine(law);

    t->n = fine ? fine * law->v_steps + 1 : law->v_steps;
    t->v_first = fine ? law->v_min - dv / 2 : law->v_min;
    t->v_step = fine ? dv / (double)fine : dv;
    t->per_v_step = 1 / t->v_step;
    t->average = law->transfer != IRIS_THICK || law->cell_average;
}

/* Composite Simpson over triples of steps. */
static void
init_weights(struct iris_solver *t)
{
    const struct iris_transfer_law *law = &t->law;
    size_t n = law->r_steps, i;

    for (i = 0; i < n; i++)
        t->weight[i] = law->integration == IRIS_FORMAL ? law->ds : 0;
    if (law->integration == IRIS_FORMAL)
        return;
    for (i = 1; i + 1 < n; i += 2) {
        t->weight[i - 1] += law->ds / 3;
        t->weight[i] += 4 * law->ds / 3;
        t->weight[i + 1] += law->ds / 3;
    }
    if (n % 2 == 0 && law->complete_simpson) {
        t->weight[n - 2] += law->ds / 2;
        t->weight[n - 1] += law->ds / 2;
    }
}

static enum iris_status
allocate(struct iris_solver *t, struct iris_err *err)
{
    size_t V = t->law.v_steps, steps = t->law.r_steps, i;

    t->band = calloc(t->n_lines, sizeof *t->band);
    t->step = malloc(steps * sizeof *t->step);
    t->weight = malloc(steps * sizeof *t->weight);
    t->total = malloc((3 + 2 * t->n_lines) * V * sizeof *t->total);
    t->real = malloc(iris_transfer_precise_size(t) * sizeof *t->real);
    if (!t->band || !t->step || !t->weight || !t->total || !t->real)
        return iris_fail_memory(err);
    t->excess = t->total + V;
    t->continuum = t->total + 2 * V;
    for (i = 0; i < t->n_lines; i++) {
        t->band[i].background = t->total + (3 + 2 * i) * V;
        t->band[i].scale = t->total + (4 + 2 * i) * V;
    }
    return IRIS_OK;
}

enum iris_status
iris_solver_new(const struct iris_transfer_law *law, const struct iris_line *lines, size_t n_lines,
                struct iris_solver **out, struct iris_err *err)
{
    const struct iris_unit_system *u = &law->units;
    double velocity = iris_units_velocity(u), energy = u->mass * velocity * velocity;
    struct iris_solver *t = NULL;
    enum iris_status st;
    size_t size, i;

    *out = NULL;
    if (iris_mul_size(law->v_steps, 2 * (law->v_subsamples + 1), &size) ||
        iris_mul_size(size, 64 * IRIS_BUNDLE, &size) ||
        iris_mul_size(law->v_steps, 16 * (2 + n_lines), &size) ||
        iris_mul_size(law->r_steps,
                      (IRIS_ROWS_FORMAL + IRIS_ROWS_SMOOTH) * IRIS_BUNDLE * sizeof *t->real, &size))
        return iris_fail(err, IRIS_E_DATA, "%zu channels of %zu sub-channels are too many",
                         law->v_steps, law->v_subsamples);
    t = calloc(1, sizeof *t);
    if (!t)
        return iris_fail_memory(err);
    t->law = *law;
    t->line = lines;
    t->n_lines = n_lines;
    t->kernels = law->kernels ? law->kernels : iris_kernels_best();
    t->constant.k = law->k * energy / u->temperature;
    t->constant.h = law->h * energy * u->time;
    t->constant.c = law->c * velocity;
    init_grid(t);
    st = allocate(t, err);
    if (!st) {
        init_weights(t);
        for (i = 0; i < n_lines; i++)
            init_band(t, &lines[i], &t->band[i]);
        st = iris_transfer_bundle_init(t, err);
    }
    if (st)
        iris_solver_free(t);
    else
        *out = t;
    return st;
}

void
iris_solver_free(struct iris_solver *t)
{
    if (!t)
        return;
    iris_transfer_bundle_release(t);
    free(t->band);
    free(t->step);
    free(t->weight);
    free(t->total);
    free(t->real);
    free(t);
}

/* ---- rays ---- */

/* The row of t->sample for sample i from the near end. */
static double *
row_of(struct iris_solver *t, size_t i)
{
    size_t at = t->law.far_to_near ? t->law.r_steps - 1 - i : i;

    return t->sample + at * IRIS_FIELDS * IRIS_BUNDLE;
}

/* Lanes that are not used do what the last one does. */
static void
fill_up(struct iris_solver *t, size_t n)
{
    size_t rows = t->law.r_steps * IRIS_FIELDS, i, l;

    for (i = 0; i < rows; i++)
        for (l = n; l < IRIS_BUNDLE; l++)
            t->sample[i * IRIS_BUNDLE + l] = t->sample[i * IRIS_BUNDLE + n - 1];
    t->bundle.samples = (struct iris_samples){.wide = t->sample};
}

/* Fewer rays than lanes: beyond them there may be no memory. */
static void
copy_rays(struct iris_solver *t, const struct iris_rays *rays)
{
    size_t i, l, f;

    for (i = 0; i < t->law.r_steps; i++) {
        double *row = row_of(t, i);

        for (l = 0; l < rays->n; l++)
            row[l] = rays->v[i * rays->v_row + l];
        for (f = IRIS_V_R + 1; f < IRIS_FIELDS; f++)
            for (l = 0; l < rays->n; l++)
                row[f * IRIS_BUNDLE + l] = (double)rays->field[f][i * rays->row + l];
    }
    fill_up(t, rays->n);
}

/* All lanes: the samples stay where they are. */
static void
point_at(struct iris_solver *t, const struct iris_rays *rays)
{
    struct iris_samples *q = &t->bundle.samples;
    size_t last = t->law.r_steps - 1, f;

    *q = (struct iris_samples){
        .v = rays->v, .v_row = (ptrdiff_t)rays->v_row, .row = (ptrdiff_t)rays->row};
    for (f = IRIS_V_R + 1; f < IRIS_FIELDS; f++)
        q->field[f] = rays->field[f];
    if (!t->law.far_to_near)
        return;
    q->v += last * rays->v_row;
    q->v_row = -q->v_row;
    for (f = IRIS_V_R + 1; f < IRIS_FIELDS; f++)
        q->field[f] += last * rays->row;
    q->row = -q->row;
}

static void
observe_ray(struct iris_solver *t, size_t line, size_t lane, int is_done, double *spectrum)
{
    size_t n = t->law.v_steps;

    if (!(t->bundle.tracer >> lane & 1) && t->law.subtraction != IRIS_SUBTRACT_CONTINUUM) {
        memset(spectrum, 0, n * sizeof *spectrum);
        return;
    }
    if (is_done) {
        iris_transfer_collect(t, line, lane);
    } else {
        iris_transfer_steps(t, line, lane);
        if (t->law.transfer == IRIS_THIN)
            iris_transfer_thin(t, line);
        else
            iris_transfer_precise(t, line);
    }
    iris_transfer_output(t, line, spectrum);
}

static int
observe(struct iris_solver *t, size_t n, double *spectra)
{
    size_t values = t->n_lines * t->law.v_steps, line, lane;
    unsigned gas = 0, done;

    for (line = 0; line < t->n_lines; line++) {
        done = iris_transfer_bundle(t, line, n);
        for (lane = 0; lane < n; lane++)
            observe_ray(t, line, lane, (int)(done >> lane & 1),
                        spectra + lane * values + line * t->law.v_steps);
        gas |= t->bundle.gas;
    }
    return gas != 0;
}

int
iris_solver_rays(struct iris_solver *t, const struct iris_rays *rays, double *spectra)
{
    if (rays->n < IRIS_BUNDLE)
        copy_rays(t, rays);
    else
        point_at(t, rays);
    return observe(t, rays->n, spectra);
}

int
iris_solver_ray(struct iris_solver *t, const double *const sample[IRIS_FIELDS], double *spectrum)
{
    size_t i, f;

    for (i = 0; i < t->law.r_steps; i++)
        for (f = 0; f < IRIS_FIELDS; f++)
            row_of(t, i)[f * IRIS_BUNDLE] = sample[f][i];
    fill_up(t, 1);
    return observe(t, 1, spectrum);
}
