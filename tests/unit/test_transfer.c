/* The transfer against the reference's cubes and the numbers of its case 14.
 *
 * The reference takes differences of frequencies, of 2e11 Hz, for the place in
 * a profile: that leaves its own numbers nine digits there.
 */
#include "line_molecule.h"
#include "transfer_ray.h"

enum { R = 48, LON = 40, LAT = 24, V = 64 };

/* The reference's small snapshot: a tensor, its table, its settings. */
struct golden {
    const char *shared;
    struct iris_molecule m;
    struct iris_line_table table;
    struct iris_line line;
    struct iris_transfer_law law;
};

struct cube {
    const char *name;
    const char *tensor;
    enum iris_transfer transfer;
    enum iris_integration integration;
    size_t v_subsamples;
    enum iris_subtraction subtraction;
    enum iris_output_units output;
};

#define S1  "phys_s1_t0.npy"
#define INF "phys_inf.npy"

static const struct cube cubes[] = {
    {"s1_t0_thick_smooth_vs0", S1, IRIS_THICK, IRIS_SMOOTH, 0, IRIS_SUBTRACT_I, IRIS_OUT_TRJ_K},
    {"s1_t0_thick_smooth_vs1", S1, IRIS_THICK, IRIS_SMOOTH, 1, IRIS_SUBTRACT_I, IRIS_OUT_TRJ_K},
    {"s1_t0_thick_smooth_vs2", S1, IRIS_THICK, IRIS_SMOOTH, 2, IRIS_SUBTRACT_I, IRIS_OUT_TRJ_K},
    {"s1_t0_thick_formal_vs1", S1, IRIS_THICK, IRIS_FORMAL, 1, IRIS_SUBTRACT_I, IRIS_OUT_TRJ_K},
    {"s1_t0_selthin_smooth_vs1", S1, IRIS_SELECTIVE, IRIS_SMOOTH, 1, IRIS_SUBTRACT_I,
     IRIS_OUT_TRJ_K},
    {"s1_t0_selthin_formal_vs1", S1, IRIS_SELECTIVE, IRIS_FORMAL, 1, IRIS_SUBTRACT_I,
     IRIS_OUT_TRJ_K},
    {"s1_t0_thin_smooth_vs1", S1, IRIS_THIN, IRIS_SMOOTH, 1, IRIS_SUBTRACT_I, IRIS_OUT_TRJ_K},
    {"s1_t0_thin_formal_vs1", S1, IRIS_THIN, IRIS_FORMAL, 1, IRIS_SUBTRACT_I, IRIS_OUT_TRJ_K},
    {"inf_thick_smooth_vs1", INF, IRIS_THICK, IRIS_SMOOTH, 1, IRIS_SUBTRACT_I, IRIS_OUT_TRJ_K},
    {"s1_t0_thick_smooth_vs1_subI_I", S1, IRIS_THICK, IRIS_SMOOTH, 1, IRIS_SUBTRACT_I, IRIS_OUT_I},
    {"s1_t0_thick_smooth_vs1_subTb_Tb_K", S1, IRIS_THICK, IRIS_SMOOTH, 1, IRIS_SUBTRACT_TB,
     IRIS_OUT_TB_K},
    {"s1_t0_thick_smooth_vs1_subcontinuum_I_Jy_per_Sr", S1, IRIS_THICK, IRIS_SMOOTH, 1,
     IRIS_SUBTRACT_CONTINUUM, IRIS_OUT_JY},
};

static void
golden_init(struct golden *g, const char *shared)
{
    struct iris_table_law law = line_table_law(16, 8, 12);
    struct iris_err err = {0};

    *g = (struct golden){.shared = shared, .m = line_molecule(shared)};
    if (!CHECK(!iris_line_table_make(&g->table, &g->m, &law, &err), "the table of 13CO %s",
               err.msg))
        exit(1);
    g->line = (struct iris_line){.table = &g->table, .kappa = 1e-3 * 1e-13};
    iris_abundance_default(&g->line.abundance);
    g->law = line_transfer_law(R, V);
    g->law.ds = 450 * g->law.units.parsec / (R - 1);
}

static void
golden_release(struct golden *g)
{
    iris_line_table_release(&g->table);
    iris_molecule_release(&g->m);
}

/* The samples of one ray of a tensor [6][R][LON][LAT]. */
static void
take_ray(const double *tensor, size_t at, struct line_ray *ray)
{
    size_t f, i;

    for (f = 0; f < IRIS_FIELDS; f++)
        for (i = 0; i < R; i++)
            ray->f[f][i] = tensor[(f * R + i) * LON * LAT + at];
}

struct errors {
    double l2;  /* sqrt(sum d^2 / sum expected^2) */
    double ray; /* worst of max d of a ray / its peak */
};

static struct errors
errors_of(const double *got, const double *expected)
{
    struct errors e = {0};
    double sum = 0, size = 0;
    size_t at, i;

    for (at = 0; at < LON * LAT; at++) {
        double peak = 0, worst = 0;

        for (i = at * V; i < (at + 1) * V; i++) {
            double d = fabs(got[i] - expected[i]);

            sum += d * d;
            size += expected[i] * expected[i];
            peak = fmax(peak, fabs(expected[i]));
            worst = d <= worst ? worst : d;
        }
        worst = peak > 0 ? worst / peak : worst;
        e.ray = worst <= e.ray ? e.ray : worst;
    }
    e.l2 = sqrt(sum / size);
    return e;
}

static struct errors
observe(const struct golden *g, const struct cube *c, int precise, const double *tensor,
        const double *expected)
{
    struct iris_transfer_law law = g->law;
    struct line_ray ray = line_ray_new(R);
    double *got = need(LON * LAT * V * sizeof *got);
    struct iris_solver *t;
    struct errors e;
    size_t at;

    law.transfer = c->transfer;
    law.integration = c->integration;
    law.v_subsamples = c->v_subsamples;
    law.subtraction = c->subtraction;
    law.output = c->output;
    law.precise = precise;
    t = line_solver(&law, &g->line, 1);
    for (at = 0; at < LON * LAT; at++) {
        take_ray(tensor, at, &ray);
        iris_solver_ray(t, (const double *const *)ray.f, got + at * V);
    }
    e = errors_of(got, expected);
    iris_solver_free(t);
    line_ray_free(&ray);
    free(got);
    return e;
}

static void
test_cube(const struct golden *g, const struct cube *c)
{
    int continuum = c->subtraction == IRIS_SUBTRACT_CONTINUUM;
    int rough = c->transfer == IRIS_THICK && c->integration == IRIS_FORMAL;
    double *tensor = line_golden(g->shared, c->tensor, 6 * (size_t)R * LON * LAT), *expected;
    double limit = continuum ? 1e-10 : 1e-8, fast = rough ? 3e-5 : 1e-5;
    struct errors e;
    char name[100];

    snprintf(name, sizeof name, "cube_%s_f64.npy", c->name);
    expected = line_golden(g->shared, name, (size_t)LON * LAT * V);
    e = observe(g, c, 1, tensor, expected);
    CHECK(e.l2 <= limit, "%s, precise: relL2 %.1e, of a ray's peak %.1e", c->name, e.l2, e.ray);
    e = observe(g, c, 0, tensor, expected);
    CHECK(e.l2 <= fast && e.ray <= fast, "%s, fast: relL2 %.1e, of a ray's peak %.1e", c->name,
          e.l2, e.ray);
    free(tensor);
    free(expected);
}

/* ---- intermediate values ---- */

/* max |a - b| / max |b| */
static double
rel_max(const double *a, const double *b, size_t n)
{
    double worst = 0, size = 0;
    size_t i;

    for (i = 0; i < n; i++) {
        worst = fabs(a[i] - b[i]) <= worst ? worst : fabs(a[i] - b[i]);
        size = fmax(size, fabs(b[i]));
    }
    return worst / size;
}

/* Emission and absorption at the steps of six rays, [R][3][2][frequencies]. */
static void
test_matter(const struct golden *g)
{
    enum { F = 2 * V + 1, RAYS = 6 };
    double *tensor = line_golden(g->shared, S1, 6 * (size_t)R * LON * LAT);
    double *j = need(R * RAYS * F * sizeof *j), *a = need(R * RAYS * F * sizeof *a);
    double *jd = need(R * RAYS * V * sizeof *jd), ad[R * RAYS], spectrum[V], phi[F];
    struct iris_transfer_law law = g->law;
    struct line_ray ray = line_ray_new(R);
    struct iris_solver *t;
    size_t k, s, f;

    law.precise = 1;
    t = line_solver(&law, &g->line, 1);
    for (k = 0; k < RAYS; k++) {
        take_ray(tensor, (19 + k / 2) * LAT + 11 + k % 2, &ray);
        iris_solver_ray(t, (const double *const *)ray.f, spectrum);
        for (s = 0; s < R; s++) {
            size_t at = s * RAYS + k;

            iris_transfer_profile(t->band, &t->step[s], (struct iris_window){0, F}, phi);
            for (f = 0; f < F; f++) {
                j[at * F + f] = t->step[s].j * phi[f];
                a[at * F + f] = t->step[s].a * phi[f];
            }
            iris_transfer_dust(t, t->band, &t->step[s], jd + at * V);
            ad[at] = t->step[s].ad;
        }
    }
    iris_solver_free(t);
    line_ray_free(&ray);
    free(tensor);

    tensor = line_golden(g->shared, "inter_thick_j_f64.npy", R * RAYS * F);
    CHECK(rel_max(j, tensor, R * RAYS * F) <= 1e-9, "emission of steps: %.1e",
          rel_max(j, tensor, R * RAYS * F));
    free(tensor);
    tensor = line_golden(g->shared, "inter_thick_alpha_f64.npy", R * RAYS * F);
    CHECK(rel_max(a, tensor, R * RAYS * F) <= 1e-9, "absorption of steps: %.1e",
          rel_max(a, tensor, R * RAYS * F));
    free(tensor);
    tensor = line_golden(g->shared, "inter_thick_j_dust_f64.npy", R * RAYS * V);
    CHECK(rel_max(jd, tensor, R * RAYS * V) <= 1e-12, "emission of dust: %.1e",
          rel_max(jd, tensor, R * RAYS * V));
    free(tensor);
    tensor = line_golden(g->shared, "inter_thick_alpha_dust_f64.npy", R * RAYS);
    CHECK(rel_max(ad, tensor, R * RAYS) <= 1e-14, "absorption by dust: %.1e",
          rel_max(ad, tensor, R * RAYS));
    free(tensor);
    free(j);
    free(a);
    free(jd);
}

/* ---- case 14: another grid, the preset's table, numbers to the last digit ---- */

struct numbers {
    enum iris_transfer transfer;
    enum iris_integration integration;
    enum iris_subtraction subtraction;
    enum iris_output_units output;
    double expected[8];
};

static const struct numbers case_14[] = {
    {IRIS_THICK,
     IRIS_SMOOTH,
     IRIS_SUBTRACT_I,
     IRIS_OUT_TRJ,
     {1.1659888456e-3, 7.9138278280e-2, 2.7834216354e-1, 3.2580800217e-1, 5.2499493659e-1,
      8.9263980015e-1, 3.2651816377e-1, 1.9080597717e-3}},
    {IRIS_THICK,
     IRIS_FORMAL,
     IRIS_SUBTRACT_I,
     IRIS_OUT_TRJ,
     {1.1840096833e-3, 8.0135895568e-2, 2.6320679304e-1, 2.8873704044e-1, 4.3505553951e-1,
      6.8253736579e-1, 3.3314246274e-1, 2.5253100056e-3}},
    {IRIS_SELECTIVE,
     IRIS_SMOOTH,
     IRIS_SUBTRACT_I,
     IRIS_OUT_TRJ,
     {9.9043041549e-4, 1.1303608880e-1, 1.0518357257, 2.2772432684, 6.0319707952, 7.7116955470,
      6.3804046050e-1, 1.3450162143e-3}},
    {IRIS_SELECTIVE,
     IRIS_FORMAL,
     IRIS_SUBTRACT_I,
     IRIS_OUT_TRJ,
     {9.7982805428e-4, 1.1458270844e-1, 1.0652777889, 2.3049434397, 6.7583968017, 9.6805828487,
      8.3515954168e-1, 1.7582082379e-3}},
    {IRIS_THIN,
     IRIS_SMOOTH,
     IRIS_SUBTRACT_I,
     IRIS_OUT_TRJ,
     {2.0412896997e-3, 2.0506176784e-1, 1.6285712902, 3.6220755263, 7.5028781771, 10.985366223,
      1.1257294005, 2.8233160419e-3}},
    {IRIS_THIN,
     IRIS_FORMAL,
     IRIS_SUBTRACT_I,
     IRIS_OUT_TRJ,
     {1.6904040509e-3, 1.9086526472e-1, 1.7151568489, 3.3675690993, 8.9799120923, 12.660230460,
      1.0852942883, 2.3004948345e-3}},
    {IRIS_THICK,
     IRIS_SMOOTH,
     IRIS_SUBTRACT_TB,
     IRIS_OUT_TB_K,
     {3.5704738898e-3, 2.2429938127e-1, 6.8836905856e-1, 7.8601866960e-1, 1.1629560352,
      1.7717160117, 7.8745522750e-1, 5.8379993646e-3}},
};

/* Ray (1, 2) of its grid, values rounded to single precision. */
static void
fill_case_14(struct line_ray *ray)
{
    const double j = 1, k = 2;
    size_t s, f;

    for (s = 0; s < 9; s++) {
        double i = (double)s;

        ray->f[IRIS_V_R][s] = 0.004 * sin(.7 * i + .5 * j + .3 * k);
        ray->f[IRIS_RHO][s] = 2.3382052994109573e-9 *
                              pow(10, 8 + .5 * cos(.4 * i + .2 * j - .3 * k));
        ray->f[IRIS_T][s] = 60 + 25 * sin(.3 * i - .6 * j + .2 * k);
        ray->f[IRIS_X_H2][s] = .4 + .05 * cos(i + j + k);
        ray->f[IRIS_X_CO][s] = 1.4e-4 * (.8 + .2 * sin(i - j + k));
        ray->f[IRIS_T_DUST][s] = 20 + 4 * cos(.5 * i + .1 * j + .2 * k);
        for (f = 0; f < IRIS_FIELDS; f++)
            ray->f[f][s] = (double)(float)ray->f[f][s];
    }
}

static void
test_case_14(const struct iris_molecule *m)
{
    struct iris_transfer_law law = line_transfer_law(9, 8);
    struct line_ray ray = line_ray_new(9);
    struct iris_line_table table = line_preset(m);
    struct iris_line line = {.table = &table, .kappa = 1e-16};
    double spectrum[8], worst;
    size_t i, k;

    iris_abundance_default(&line.abundance);
    fill_case_14(&ray);
    law.ds = law.units.parsec;
    law.v_min = -.01;
    law.v_max = .01;
    law.precise = 1;
    CHECK(check_near(law.ds, 3.08567758e11, 5e-10), "case 14: ds");
    for (i = 0; i < sizeof case_14 / sizeof *case_14; i++) {
        const struct numbers *n = &case_14[i];

        law.transfer = n->transfer;
        law.integration = n->integration;
        law.subtraction = n->subtraction;
        law.output = n->output;
        line_run(&law, &line, 1, &ray, spectrum);
        for (worst = 0, k = 0; k < 8; k++)
            worst = fmax(worst, fabs(spectrum[k] / n->expected[k] - 1));
        CHECK(worst <= 2e-9, "case 14, %s%s: %.1e", line_transfer_name(&law),
              n->subtraction == IRIS_SUBTRACT_TB ? " in Tb" : "", worst);
    }
    law.transfer = IRIS_THICK;
    law.integration = IRIS_SMOOTH;
    law.subtraction = IRIS_SUBTRACT_CONTINUUM;
    law.output = IRIS_OUT_JY;
    line_run(&law, &line, 1, &ray, spectrum);
    CHECK(check_near(spectrum[0], 3.368547031053e8, 1e-12) &&
              check_near(spectrum[7], 3.368525915277e8, 1e-12),
          "case 14, continuum: %.12e, %.12e", spectrum[0], spectrum[7]);
    iris_line_table_release(&table);
    line_ray_free(&ray);
}

/* Steps and widths of the preset; its background at a channel. */
static void
test_preset(void)
{
    struct iris_transfer_law law = line_transfer_law(512, 512);
    double spectrum[512], dv = 400. / 511;
    struct line_ray ray = line_ray_new(512);
    struct iris_solver *t;
    struct line_hand hand;

    line_hand_init(&hand, 29, &law.units);
    law.subtraction = IRIS_SUBTRACT_CONTINUUM;
    law.output = IRIS_OUT_I;
    t = line_solver(&law, &hand.line, 1);
    CHECK(!iris_solver_ray(t, (const double *const *)ray.f, spectrum), "an empty ray");
    CHECK(check_near(spectrum[255], 3.3473217e-15, 2e-8), "the preset's background: %.8e",
          spectrum[255]);
    CHECK(check_near(law.ds, 2.717328594e11, 3e-10) && check_near(dv, 0.782778865, 1e-9) &&
              check_near(t->v_step * 100, 0.391389, 2e-6) && t->n == 1025,
          "the preset's steps");
    iris_solver_free(t);
    law.transfer = IRIS_THIN;
    t = line_solver(&law, &hand.line, 1);
    CHECK(check_near(t->band->grid.width, 575476.1, 2e-7), "the preset's channel: %.1f Hz",
          t->band->grid.width);
    iris_solver_free(t);
    CHECK(check_near(line_doppler(&law, &hand.line, 20), 107.1e-5, 5e-4), "Doppler at 20 K");
    line_ray_free(&ray);
}

/* More than a size_t counts. */
static void
test_sizes(void)
{
    struct iris_transfer_law law = line_transfer_law(16, SIZE_MAX / 8);
    struct iris_solver *t = NULL;
    struct iris_err err = {0};

    CHECK(iris_solver_new(&law, NULL, 0, &t, &err) == IRIS_E_DATA && !t &&
              strstr(err.msg, "channels of 1 sub-channels are too many"),
          "too many channels");
    law = line_transfer_law(SIZE_MAX / 8, 16);
    CHECK(iris_solver_new(&law, NULL, 0, &t, &err) == IRIS_E_DATA && !t, "too many steps");
}

int
main(void)
{
    const char *shared = check_shared();
    struct golden g;
    size_t i;

    test_preset();
    test_sizes();
    if (!shared) {
        check_skip("the reference's cubes", "no shared reference data");
        check_skip("case 14", "no shared reference data");
        return check_done();
    }
    golden_init(&g, shared);
    for (i = 0; i < sizeof cubes / sizeof *cubes; i++)
        test_cube(&g, &cubes[i]);
    test_matter(&g);
    test_case_14(&g.m);
    golden_release(&g);
    return check_done();
}
