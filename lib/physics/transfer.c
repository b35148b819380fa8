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

static double
finite_or_0(double x)
{
    return isfinite(x) ? x : 0;
}

static double
I_of(const struct iris_transfer_constants *k, double nu, double Tb)
{
    return finite_or_0(2 * k->h * nu * nu * nu / (k->c * k->c) / expm1(k->h * nu / (k->k * Tb)));
}

/* Of a body, whose temperature is not below 0. */
static double
planck(const struct iris_transfer_constants *k, double nu, double T)
{
    return T > 0 ? I_of(k, nu, T) : 0;
}

static void
init_band(const struct iris_solver *t, const struct iris_line *line, struct iris_band *b)
{
    const struct iris_transfer_law *law = &t->law;
    double nu = line->table->nu, dv = (law->v_max - law->v_min) / (double)(law->v_steps - 1);
    double T_cmb = law->T_cmb * law->units.temperature;
    size_t i;

    b->nu_first = nu * (1 + law->v_min / t->constant.c);
    b->nu_step = nu * dv / t->constant.c;
    b->width = nu * t->v_step / t->constant.c;
    for (i = 0; i < law->v_steps; i++)
        b->background[i] = planck(&t->constant, b->nu_first + (double)i * b->nu_step, T_cmb);
    for (i = 0; i < 3; i++) {
        b->node[i] = b->nu_first + (double)(law->v_steps - 1) / 2 * b->nu_step * (double)i;
        b->node_cube[i] = b->node[i] * b->node[i] * b->node[i];
    }
    b->middle = planck(&t->constant, b->node[1], T_cmb);
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
    size_t V = t->law.v_steps, whole = (t->n + IRIS_BLOCK - 1) / IRIS_BLOCK * IRIS_BLOCK, i;
    size_t single = iris_transfer_single_size(t), march = iris_transfer_march_size(t);

    single = single > march ? single : march;
    t->band = calloc(t->n_lines, sizeof *t->band);
    t->step = malloc(t->law.r_steps * sizeof *t->step);
    t->weight = malloc(t->law.r_steps * sizeof *t->weight);
    t->total = malloc((3 + t->n_lines) * V * sizeof *t->total);
    t->real = malloc(iris_transfer_precise_size(t) * sizeof *t->real);
    t->single = malloc(single * sizeof *t->single);
    t->place = malloc(whole * sizeof *t->place);
    t->march = malloc(t->law.r_steps * sizeof *t->march);
    t->strength = malloc(t->law.r_steps * sizeof *t->strength);
    t->last = malloc(whole / IRIS_BLOCK * sizeof *t->last);
    if (!t->band || !t->step || !t->weight || !t->total || !t->real || !t->single || !t->place ||
        !t->march || !t->strength || !t->last)
        return iris_fail_memory(err);
    t->excess = t->total + V;
    t->continuum = t->total + 2 * V;
    for (i = 0; i < t->n_lines; i++)
        t->band[i].background = t->total + (3 + i) * V;
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
        iris_mul_size(size, 64, &size) || iris_mul_size(law->v_steps, 8 * (3 + n_lines), &size) ||
        iris_mul_size(law->r_steps, sizeof *t->step, &size))
        return iris_fail(err, IRIS_E_DATA, "%zu channels of %zu sub-channels are too many",
                         law->v_steps, law->v_subsamples);
    t = calloc(1, sizeof *t);
    if (!t)
        return iris_fail_memory(err);
    t->law = *law;
    t->line = lines;
    t->n_lines = n_lines;
    t->constant.k = law->k * energy / u->temperature;
    t->constant.h = law->h * energy * u->time;
    t->constant.c = law->c * velocity;
    init_grid(t);
    st = allocate(t, err);
    if (st) {
        iris_solver_free(t);
        return st;
    }
    init_weights(t);
    for (i = 0; i < n_lines; i++)
        init_band(t, &lines[i], &t->band[i]);
    init_places(t);
    *out = t;
    return IRIS_OK;
}

void
iris_solver_free(struct iris_solver *t)
{
    if (!t)
        return;
    free(t->band);
    free(t->step);
    free(t->weight);
    free(t->total);
    free(t->real);
    free(t->single);
    free(t->place);
    free(t->march);
    free(t->strength);
    free(t->last);
    free(t);
}

/* ---- steps ---- */

static double
tracer(const struct iris_solver *t, const struct iris_line *line, double rho, double T, double x_CO)
{
    const struct iris_unit_system *u = &t->law.units;
    double per_m3 = t->law.number * u->length * u->length * u->length;

    return iris_abundance_at(&line->abundance, rho / line->table->rho_per_N * per_m3,
                             T / u->temperature, x_CO);
}

enum { GAS = 1, TRACER = 2 };

/* The line of a step, but for its velocity. */
static void
make_line(const struct iris_solver *t, const struct iris_line *line,
          const double *const sample[IRIS_FIELDS], size_t i, double x, struct iris_step *s)
{
    const struct iris_transfer_constants *k = &t->constant;
    double T = sample[IRIS_T][i];

    iris_line_table_at(line->table, &t->law.lookup, sample[IRIS_RHO][i], sample[IRIS_X_H2][i], T,
                       &s->j, &s->a);
    s->j *= x;
    s->a *= x;
    s->b = sqrt(2 * k->k * T / line->table->mass + line->v_turb * line->v_turb);
    s->norm = k->c / (s->b * line->table->nu * 1.7724538509055160273);
}

/* Neighbouring samples are often of one cell. */
static int
is_same(const double *const sample[IRIS_FIELDS], size_t a, size_t b)
{
    int f;

    for (f = IRIS_V_R + 1; f < IRIS_FIELDS; f++)
        if (!(sample[f][a] == sample[f][b]))
            return 0;
    return 1;
}

/*   in      before  the step of sample last, found already; NULL: none
 *   return  bits of what there is */
static int
make_step(const struct iris_solver *t, const struct iris_line *line,
          const double *const sample[IRIS_FIELDS], size_t i, size_t last,
          const struct iris_step *before, struct iris_step *s)
{
    const struct iris_transfer_constants *k = &t->constant;
    double rho = sample[IRIS_RHO][i], T = sample[IRIS_T][i], T_dust = sample[IRIS_T_DUST][i];
    double v = sample[IRIS_V_R][i], stretch = 1 + v / k->c, x;

    if (before && is_same(sample, i, last)) {
        *s = *before;
    } else {
        *s = (struct iris_step){0};
        if (!(rho > 0) || !(T > 0) || !(stretch > 0))
            return 0;
        s->found = GAS;
        s->ad = line->kappa * rho;
        x = tracer(t, line, rho, isfinite(T) ? T : 0, sample[IRIS_X_CO][i]);
        s->found |= x > 0 ? TRACER : 0;
        if (x > 0 && isfinite(T))
            make_line(t, line, sample, i, x, s);
        if (T_dust > 0 && isfinite(T_dust))
            s->rest_per_kT = k->h / (k->k * T_dust);
        s->rest_e = expm1(t->band[line - t->line].node[1] * s->rest_per_kT);
    }
    s->v = v;
    if (s->rest_per_kT > 0) {
        s->per_kT = s->rest_per_kT / stretch;
        s->planck = 2 * k->h / (k->c * k->c * stretch * stretch * stretch);
    }
    if (s->b > 0)
        s->per_b = 1 / (s->b * stretch);
    return s->found;
}

struct iris_window
iris_transfer_window(const struct iris_solver *t, const struct iris_step *s, double reach)
{
    double wide, lo, hi, n = (double)t->n;
    struct iris_window w = {0, 0};

    if (s->j == 0 && s->a == 0)
        return w;
    wide = reach / s->per_b + (t->average ? t->v_step / 2 : 0);
    lo = (s->v - wide - t->v_first) * t->per_v_step;
    hi = (s->v + wide - t->v_first) * t->per_v_step;
    /* whole numbers at or above lo, and at or below hi */
    if (hi >= 0 && lo < n) {
        w.from = lo > 0 ? (size_t)lo + ((double)(size_t)lo < lo) : 0;
        w.to = hi < n - 1 ? (size_t)hi + 1 : t->n;
    }
    if (w.to < w.from)
        w.to = w.from;
    return w;
}

void
iris_transfer_profile(const struct iris_solver *t, const struct iris_band *b,
                      const struct iris_step *s, struct iris_window w, double *phi)
{
    double here, next;
    size_t f;

    if (!t->average) {
        for (f = w.from; f < w.to; f++) {
            double x = (t->v_first + (double)f * t->v_step - s->v) * s->per_b;

            phi[f] = s->norm * exp(-x * x);
        }
        return;
    }
    here = erf((t->v_first + ((double)w.from - 0.5) * t->v_step - s->v) * s->per_b);
    for (f = w.from; f < w.to; f++) {
        next = erf((t->v_first + ((double)f + 0.5) * t->v_step - s->v) * s->per_b);
        phi[f] = (next - here) / (2 * b->width);
        here = next;
    }
}

/* exp(nu per_kT) at even frequencies is a geometric sequence, taken up anew
 * before its rounding errors matter. */
void
iris_transfer_dust(const struct iris_solver *t, const struct iris_band *b,
                   const struct iris_step *s, double *jd)
{
    enum { ANEW = 32 };
    size_t n = t->law.v_steps, i;
    double ratio, e = 0;

    if (s->planck * s->ad == 0) {
        memset(jd, 0, n * sizeof *jd);
        return;
    }
    ratio = exp(b->nu_step * s->per_kT);
    for (i = 0; i < n; i++) {
        double nu = b->nu_first + (double)i * b->nu_step, x = nu * s->per_kT, less;

        e = i % ANEW ? e * ratio : exp(x);
        less = x < 0.1 ? expm1(x) : e - 1;
        jd[i] = s->planck * nu * nu * nu / less * s->ad;
        if (!isfinite(jd[i]))
            jd[i] = 0;
    }
}

/* ---- thin transfer ---- */

void
iris_transfer_thin(struct iris_solver *t, size_t line)
{
    const struct iris_band *b = &t->band[line];
    size_t n = t->law.v_steps, i, f;
    double *phi = t->real;

    memset(t->excess, 0, n * sizeof *t->excess);
    memcpy(t->continuum, b->background, n * sizeof *t->continuum);
    for (i = 0; i < t->law.r_steps; i++) {
        const struct iris_step *s = &t->step[i];
        struct iris_window w = iris_transfer_window(t, s, IRIS_REACH_AVERAGE);

        if (t->weight[i] == 0)
            continue;
        iris_transfer_profile(t, b, s, w, phi);
        for (f = w.from; f < w.to; f++)
            t->excess[f] += t->weight[i] * s->j * phi[f];
        if (t->law.subtraction == IRIS_SUBTRACT_I)
            continue;
        iris_transfer_dust(t, b, s, phi);
        for (f = 0; f < n; f++)
            t->continuum[f] += t->weight[i] * phi[f];
    }
}

/* ---- results ---- */

static double
Tb_of(const struct iris_transfer_constants *k, double nu, double I)
{
    return finite_or_0(k->h * nu / k->k / log1p(2 * k->h * nu * nu * nu / (I * k->c * k->c)));
}

static double
convert(const struct iris_solver *t, double nu, double I)
{
    const struct iris_transfer_constants *k = &t->constant;
    const struct iris_unit_system *u = &t->law.units;
    double T;

    switch (t->law.output) {
    case IRIS_OUT_I:
        return I;
    case IRIS_OUT_JY:
        return I / (1e-26 * u->mass / (u->time * u->time));
    case IRIS_OUT_TRJ:
    case IRIS_OUT_TRJ_K:
        T = k->c * k->c * I / (2 * k->k * nu * nu);
        return t->law.output == IRIS_OUT_TRJ ? T : T / u->temperature;
    case IRIS_OUT_TB:
    case IRIS_OUT_TB_K:
        break;
    }
    T = Tb_of(k, nu, I);
    return t->law.output == IRIS_OUT_TB ? T : T / u->temperature;
}

static double
result(const struct iris_solver *t, double nu, double excess, double continuum)
{
    const struct iris_transfer_constants *k = &t->constant;
    double E;

    switch (t->law.subtraction) {
    case IRIS_SUBTRACT_CONTINUUM:
        return convert(t, nu, continuum);
    case IRIS_SUBTRACT_I:
        return convert(t, nu, excess);
    case IRIS_SUBTRACT_TB:
        break;
    }
    E = Tb_of(k, nu, continuum + excess) - Tb_of(k, nu, continuum);
    if (t->law.output == IRIS_OUT_TB)
        return E;
    if (t->law.output == IRIS_OUT_TB_K)
        return E / t->law.units.temperature;
    return convert(t, nu, I_of(k, nu, E));
}

/* Steps that amplify are left to double precision. */
static int
is_tame(const struct iris_solver *t)
{
    size_t s;

    for (s = 0; s < t->law.r_steps; s++)
        if (2 * t->law.ds * t->step[s].a * t->step[s].norm < -1)
            return 0;
    return 1;
}

/*   return  -1 where it gives up */
static int
fast(struct iris_solver *t, size_t line)
{
    int thick = t->law.transfer == IRIS_THICK, smooth = t->law.integration == IRIS_SMOOTH;

    if (thick && smooth && !t->average)
        return iris_transfer_march(t, line);
    return thick || smooth ? iris_transfer_single(t, line) : -1;
}

static void
observe_line(struct iris_solver *t, size_t line, int has_tracer, double *spectrum)
{
    const struct iris_band *b = &t->band[line];
    size_t i, n = t->law.v_steps;

    if (!has_tracer && t->law.subtraction != IRIS_SUBTRACT_CONTINUUM) {
        memset(spectrum, 0, n * sizeof *spectrum);
        return;
    }
    if (t->law.transfer == IRIS_THIN)
        iris_transfer_thin(t, line);
    else if (t->law.precise || !is_tame(t) || fast(t, line))
        iris_transfer_precise(t, line);
    for (i = 0; i < n; i++)
        spectrum[i] = result(t, b->nu_first + (double)i * b->nu_step, t->excess[i],
                             t->continuum[i]);
}

int
iris_solver_ray(struct iris_solver *t, const double *const sample[IRIS_FIELDS], double *spectrum)
{
    size_t n = t->law.r_steps, line, i;
    int gas = 0;

    for (line = 0; line < t->n_lines; line++) {
        int found = 0;

        for (i = 0; i < n; i++)
            found |= make_step(t, &t->line[line], sample, t->law.far_to_near ? n - 1 - i : i,
                               t->law.far_to_near ? n - i : i - 1, i ? &t->step[i - 1] : NULL,
                               &t->step[i]);
        observe_line(t, line, found & TRACER, spectrum + line * t->law.v_steps);
        gas |= found & GAS;
    }
    return gas;
}
