/* Bundles of rays: see bundle.h. */
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "aligned.h"
#include "elementary.h"
#include "transfer_ray.h"

#define NEGLECTED  1e-6 /* of a ray's peak, over all its steps */
#define MAX_ROUNDS 4
#define HIDDEN     1e-7   /* of what the steps would show: windows are too narrow for less */
#define WIDEST     0.0015 /* half a band over c: the continuum is no parabola over more */

/* ---- set up ---- */

static void
init_law(const struct iris_solver *t, const struct iris_line *line, const struct iris_band *band,
         struct iris_bundle_law *k)
{
    const struct iris_transfer_law *law = &t->law;
    const struct iris_unit_system *u = &law->units;
    double nu = line->table->nu, T_cmb = law->T_cmb * u->temperature;
    size_t i;

    *k = (struct iris_bundle_law){
        .table = line->table,
        .abundance = &line->abundance,
        .lookup = law->lookup,
        .steps = law->r_steps,
        .n = t->n,
        .blocks = (t->n + IRIS_BLOCK - 1) / IRIS_BLOCK,
        .rho_per_b = line->table->rho_per_N * line->table->bolic,
        .N_nodes = (double)line->table->n_N,
        .x_nodes = (double)line->table->n_x,
        .T_nodes = (double)line->table->n_T,
        .average = t->average,
        .selective = law->transfer == IRIS_SELECTIVE,
        .ds = law->ds,
        .v_first = t->v_first,
        .v_step = t->v_step,
        .per_v_step = t->per_v_step,
        .per_c = 1 / t->constant.c,
        .kappa = line->kappa,
        .N_per_rho = law->number * u->length * u->length * u->length / line->table->rho_per_N,
        .per_T = 1 / u->temperature,
        .two_k_per_m = 2 * t->constant.k / line->table->mass,
        .v_turb2 = line->v_turb * line->v_turb,
        .norm = t->constant.c / (nu * 1.7724538509055160273),
        .per_width = 1 / band->grid.width,
        .h_per_k = t->constant.h / t->constant.k,
        .weight = t->weight,
        .place = t->place,
    };
    for (i = 0; i < IRIS_NODES; i++)
        k->node[i] = band->nu_first + (double)(law->v_steps - 1) / 2 * band->nu_step * (double)i;
    nu = k->node[1];
    k->unit = 2 * t->constant.h * nu * nu * nu / (t->constant.c * t->constant.c);
    k->per_unit = 1 / k->unit;
    for (i = 0; i < IRIS_NODES; i++) {
        k->cube[i] = k->node[i] / nu * (k->node[i] / nu) * (k->node[i] / nu);
        k->background[i] = iris_transfer_planck(&t->constant, k->node[i], T_cmb) / k->unit;
    }
}

/* The last block may be longer than the grid. */
static void
init_places(struct iris_solver *t)
{
    size_t fine = iris_transfer_fine(&t->law), last = t->law.v_steps - 1, i;

    for (i = 0; i < t->n || i % IRIS_BLOCK; i++) {
        size_t k = fine ? i / fine : i;

        t->place[i] = (float)(2 * (double)(k < last ? k : last) / (double)last - 1);
    }
}

static size_t
rows_of(const struct iris_transfer_law *law)
{
    if (law->transfer == IRIS_THIN)
        return IRIS_ROWS_THIN;
    return law->integration == IRIS_FORMAL ? IRIS_ROWS_FORMAL : IRIS_ROWS_SMOOTH;
}

enum iris_status
iris_transfer_bundle_init(struct iris_solver *t, struct iris_err *err)
{
    size_t blocks = (t->n + IRIS_BLOCK - 1) / IRIS_BLOCK, steps = t->law.r_steps, i;
    struct iris_bundle *b = &t->bundle;

    b->row = iris_aligned(steps * rows_of(&t->law) * IRIS_BUNDLE * sizeof *b->row);
    b->odd = iris_aligned(steps * IRIS_ODDS * IRIS_BUNDLE * sizeof *b->odd);
    b->Q = iris_aligned(2 * IRIS_BUNDLE * blocks * IRIS_BLOCK * sizeof *b->Q);
    b->last = malloc(IRIS_BUNDLE * blocks * sizeof *b->last);
    b->exact = t->law.integration == IRIS_FORMAL
                   ? iris_aligned(steps * IRIS_EXACT * IRIS_BUNDLE * sizeof *b->exact)
                   : NULL;
    t->place = iris_aligned(blocks * IRIS_BLOCK * sizeof *t->place);
    t->sample = iris_aligned(steps * IRIS_FIELDS * IRIS_BUNDLE * sizeof *t->sample);
    if (!b->row || !b->odd || !b->Q || !b->last || !t->place || !t->sample ||
        (t->law.integration == IRIS_FORMAL && !b->exact))
        return iris_fail_memory(err);
    b->before = b->Q + IRIS_BUNDLE * blocks * IRIS_BLOCK;
    init_places(t);
    for (i = 0; i < t->n_lines; i++)
        init_law(t, &t->line[i], &t->band[i], &t->band[i].bundle);
    return IRIS_OK;
}

void
iris_transfer_bundle_release(struct iris_solver *t)
{
    free(t->bundle.row);
    free(t->bundle.odd);
    free(t->bundle.Q);
    free(t->bundle.last);
    free(t->bundle.exact);
    free(t->place);
    free(t->sample);
}

/* ---- rays ---- */

double
iris_profile_at(const struct iris_bundle_law *k, double v, double per_b, double i)
{
    double x = (k->v_first + i * k->v_step - v) * per_b, half = k->v_step * per_b / 2;

    return k->average ? (iris_erf(x + half) - iris_erf(x - half)) / 2 : iris_exp(-x * x);
}

/* How far lines are followed, once the peaks of the rays are known. */
static void
set_reach(const struct iris_solver *t, struct iris_bundle *b, const double *peak)
{
    double eps = NEGLECTED / (double)t->law.r_steps;
    size_t l;

    b->takes = (float)-iris_log(eps);
    for (l = 0; l < IRIS_BUNDLE; l++) {
        double most = b->left[l] / (eps * peak[l]);

        b->adds[l] = most > 0 ? most < 1e300 ? (float)iris_log(most) : 1e3F : -1e3F;
    }
}

/* March until no peak was estimated far too high. A ray of which next to nothing
 * is left, or whose peak is not known even then, is not done. */
static unsigned
march(struct iris_solver *t, const struct iris_bundle_law *k, iris_bundle_march_fn *fn,
      unsigned active)
{
    struct iris_bundle *b = &t->bundle;
    double peak[IRIS_BUNDLE];
    unsigned again = active, l;
    int round;

    memcpy(peak, b->peak, sizeof peak);
    for (round = 0; round < MAX_ROUNDS && again; round++) {
        set_reach(t, b, peak);
        fn(k, b, again);
        for (l = 0; l < IRIS_BUNDLE; l++) {
            double seen = b->g[l] * (double)b->highest[l];
            int is_good = isfinite(seen) && seen >= HIDDEN * b->peak[l];

            if (!(again >> l & 1))
                continue;
            if (!is_good)
                active &= ~(1U << l);
            if (!is_good || seen >= peak[l] / 4)
                again &= ~(1U << l);
            else
                peak[l] = seen;
        }
    }
    return active & ~again;
}

int
iris_transfer_is_left(const struct iris_transfer_law *law, double c)
{
    return law->precise || (law->v_max - law->v_min) / 2 > WIDEST * c ||
           (law->transfer == IRIS_SELECTIVE && law->integration == IRIS_FORMAL) ||
           (law->subtraction == IRIS_SUBTRACT_I &&
            (law->output == IRIS_OUT_TB || law->output == IRIS_OUT_TB_K));
}

unsigned
iris_transfer_bundle(struct iris_solver *t, size_t line, size_t n)
{
    const struct iris_bundle_law *k = &t->band[line].bundle;
    const struct iris_kernels *with = t->kernels;
    struct iris_bundle *b = &t->bundle;
    int formal = t->law.integration == IRIS_FORMAL;
    unsigned active;

    if (t->law.transfer == IRIS_THIN)
        with->thin_steps(k, b);
    else if (formal)
        with->formal_steps(k, b);
    else
        with->smooth_steps(k, b);
    active = ((1U << n) - 1) & b->tracer & ~b->wild;
    if (iris_transfer_is_left(&t->law, t->constant.c))
        return 0;
    if (t->law.transfer == IRIS_THIN)
        return march(t, k, with->thin_march, active);
    return march(t, k, formal ? with->formal_march : with->smooth_march, active);
}

/* ---- results ---- */

/* Simpson's rule over the sub-channels of every channel. */
static void
add_sub_channels(const struct iris_solver *t, const float *Q, double *sum)
{
    size_t q = t->law.v_subsamples, V = t->law.v_steps, k, m;

    for (k = 0; k < V && q == 1; k++)
        sum[k] = (double)Q[2 * k] + 4 * (double)Q[2 * k + 1] + (double)Q[2 * k + 2];
    for (k = 0; k < V && q > 1; k++) {
        const float *f = Q + k * 2 * q;

        sum[k] = 0;
        for (m = 0; m < q; m++)
            sum[k] += (double)f[2 * m] + 4 * (double)f[2 * m + 1] + (double)f[2 * m + 2];
    }
}

void
iris_transfer_collect(struct iris_solver *t, size_t line, size_t lane)
{
    const struct iris_bundle *b = &t->bundle;
    const float *Q = b->Q + lane * t->band[line].bundle.blocks * IRIS_BLOCK;
    size_t V = t->law.v_steps, k;
    double unit = t->band[line].bundle.unit, g = b->g[lane] * unit;
    double lo = b->continuum[0][lane] * unit, middle = b->continuum[1][lane] * unit,
           hi = b->continuum[2][lane] * unit, per = 1 / (6 * (double)t->law.v_subsamples);

    for (k = 0; k < V; k++) {
        double u = 2 * (double)(int)k / (double)(V - 1) - 1;

        t->continuum[k] = middle + u * ((hi - lo) / 2 + u * ((hi + lo) / 2 - middle));
    }
    if (!iris_transfer_fine(&t->law)) {
        for (k = 0; k < V; k++)
            t->excess[k] = g * (double)Q[k];
        return;
    }
    add_sub_channels(t, Q, t->excess);
    /* the last point of a channel has the next channel's continuum */
    for (k = 0; k + 1 < V; k++)
        t->excess[k] = (t->excess[k] * g + (t->continuum[k + 1] - t->continuum[k])) * per;
    t->excess[V - 1] = t->excess[V - 1] * g * per;
}
