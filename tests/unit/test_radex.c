/* The level balance against published results of another program: RADEX (F. F. S. van
 * der Tak, J. H. Black, F. L. Schoeier, D. J. Jansen, E. F. van Dishoeck 2007, A&A 468,
 * 627), version of 30 November 2011, of which pythonradex has outputs for CO
 * (tests/RADEX_test_cases). They have four digits.
 *
 * RADEX lets light escape from the line with a probability. That is the same as weaker
 * transitions, A and B times the probability, and is done here: the balance itself knows
 * no trapping. Where there is little gas both are the same without. */
#include "balance.h"
#include "file.h"
#include "line_case.h"

enum { LEVELS = 17, SHOWN = 11 }; /* more of them in the balance than are compared */

/* What is asked of RADEX, in its units, and what it says: uniform sphere, 123 K,
 * background of 2.73 K, lines of 1 km/s. */
struct run {
    const char *what;
    double H2, ortho_to_para; /* cm^-3 */
    double column;            /* cm^-2 */
    int trapped;
    double share[SHOWN];            /* of all molecules, by level */
    double T_ex[SHOWN], tau[SHOWN]; /* by upper level; T_ex 0: near to or beyond inversion */
};

static const struct run runs[] = {
    {.what = "thin",
     .H2 = 1.1e3,
     .ortho_to_para = .1,
     .column = 1e12,
     .share = {1.608e-1, 4.956e-1, 2.509e-1, 6.904e-2, 1.733e-2, 4.536e-3, 1.286e-3, 3.637e-4,
               1.064e-4, 3.018e-5, 8.661e-6},
     .T_ex = {0, 0, 9.285, 10.202, 13.542, 17.950, 23.246, 27.531, 32.668, 36.291, 41.001},
     .tau = {0, -6.296e-6, 3.267e-4, 1.716e-4, 4.498e-5, 1.069e-5, 2.653e-6, 7.355e-7, 2.019e-7,
             5.876e-8, 1.637e-8}},
    {.what = "thin, of ortho-H2 alone",
     .H2 = 1e4,
     .ortho_to_para = INFINITY,
     .column = 1e12,
     .share = {5.561e-2, 1.790e-1, 2.797e-1, 2.481e-1, 1.420e-1, 6.147e-2, 2.272e-2, 7.725e-3,
               2.509e-3, 7.895e-4, 2.410e-4},
     .T_ex = {0, 0, 0, 36.343, 27.341, 26.649, 28.545, 31.687, 35.404, 39.259, 42.970},
     .tau = {0, -5.787e-6, 1.061e-5, 8.732e-5, 1.114e-4, 7.201e-5, 3.250e-5, 1.214e-5, 4.123e-6,
             1.334e-6, 4.186e-7}},
    {.what = "trapped a little",
     .H2 = 1.1e3,
     .ortho_to_para = .1,
     .column = 1e15,
     .trapped = 1,
     .share = {1.576e-1, 4.790e-1, 2.656e-1, 7.350e-2, 1.788e-2, 4.623e-3, 1.303e-3, 3.695e-4,
               1.077e-4, 3.067e-5, 8.782e-6},
     .T_ex = {0, 0, 10.052, 10.237, 13.289, 17.805, 23.149, 27.591, 32.583, 36.388, 40.934},
     .tau = {0, -2.937e-3, 3.026e-1, 1.814e-1, 4.824e-2, 1.107e-2, 2.708e-3, 7.444e-4, 2.053e-4,
             5.942e-5, 1.665e-5}},
    {.what = "thick",
     .H2 = 1.1e3,
     .ortho_to_para = .1,
     .column = 1e18,
     .trapped = 1,
     .share = {4.654e-2, 1.302e-1, 1.862e-1, 2.049e-1, 1.853e-1, 1.366e-1, 7.662e-2, 2.807e-2,
               5.182e-3, 4.019e-4, 4.720e-5},
     .T_ex = {0, 78.784, 72.417, 68.856, 62.937, 54.686, 44.533, 33.749, 24.376, 18.652, 24.661},
     .tau = {0, 4.484, 17.46, 33.96, 49.15, 57.77, 55.20, 39.61, 17.58, 3.569, 2.631e-1}},
};

static void
load(struct iris_molecule *m)
{
    const char *source = getenv("IRIS_SOURCE");
    struct iris_buf text = {0}, warnings = {0};
    struct iris_err err = {0};
    char path[4300];

    snprintf(path, sizeof path, "%s/tests/radex/co.dat", source ? source : ".");
    if (iris_read_file(path, 1 << 20, &text, &err) ||
        iris_molecule_parse(iris_buf_str(&text), text.len, "co.dat", m, &warnings, &err)) {
        CHECK(0, "the molecule: %s", err.msg);
        exit(1);
    }
    CHECK(!warnings.len && m->n == LEVELS, "the molecule has no warnings");
    iris_buf_release(&text);
    iris_buf_release(&warnings);
}

/* Optical depth of a line between levels with these shares, van der Tak et al. eq. 21. */
static double
depth(const struct run *run, const struct iris_molecule *m, double A,
      const struct iris_transition *t, const double *p)
{
    double wave = LINE_C / (t->GHz * 1e9), area = 8 * LINE_PI * 1.0645 * 1e3;

    return pow(wave, 3) * A * run->column * 1e4 / area *
           (p[t->lower] * m->g[t->upper] / m->g[t->lower] - p[t->upper]);
}

/* From a uniform sphere, eq. 22. */
static double
escape(double tau)
{
    if (fabs(tau) < 1e-2)
        return 1 - .375 * tau;
    return 1.5 / tau * (1 - 2 / (tau * tau) + (2 / tau + 2 / (tau * tau)) * exp(-tau));
}

/* Shares of the levels as the transitions are. */
static void
balance(const struct run *run, const struct iris_molecule *m, double *p)
{
    struct iris_balance_law law = line_balance_law();
    double N = 2e6 * run->H2;
    struct iris_balance b = {0};
    size_t i;

    law.ortho_to_para = run->ortho_to_para;
    if (iris_balance_init(&b, m, &law, NULL))
        exit(1);
    iris_balance_temperature(&b, 123);
    if (iris_balance_solve(&b, .5, &N, 1, p, NULL))
        exit(1);
    for (i = 0; i < m->n; i++)
        p[i] /= N;
    iris_balance_release(&b);
}

/* With A the transitions' own coefficients. */
static void
trap(const struct run *run, struct iris_molecule *m, const double *A, double *p)
{
    double next[LEVELS];
    int round;
    size_t i;

    for (round = 0; round < 300; round++) {
        for (i = 0; i < m->n_transitions; i++)
            m->transition[i].A = A[i] * escape(depth(run, m, A[i], &m->transition[i], p));
        balance(run, m, next);
        for (i = 0; i < m->n; i++)
            p[i] = .7 * p[i] + .3 * next[i];
    }
}

static double
excitation(const struct iris_molecule *m, const struct iris_transition *t, const double *p)
{
    double ratio = p[t->lower] * m->g[t->upper] / (p[t->upper] * m->g[t->lower]);
    double E = (m->energy[t->upper] - m->energy[t->lower]) * 100 * LINE_H * LINE_C;

    return E / LINE_K / log(ratio);
}

static double
off(double got, double expected)
{
    return fabs(got / expected - 1);
}

static void
test_run(const struct run *run, struct iris_molecule *m)
{
    double p[LEVELS], A[LEVELS], share = 0, T_ex = 0, tau = 0;
    size_t i;

    for (i = 0; i < m->n_transitions; i++)
        A[i] = m->transition[i].A;
    balance(run, m, p);
    if (run->trapped)
        trap(run, m, A, p);
    for (i = 0; i < SHOWN; i++)
        share = fmax(share, off(p[i], run->share[i]));
    for (i = 0; i + 1 < SHOWN; i++) {
        const struct iris_transition *t = &m->transition[i];

        tau = fmax(tau, off(depth(run, m, A[i], t, p), run->tau[t->upper]));
        if (run->T_ex[t->upper] != 0)
            T_ex = fmax(T_ex, off(excitation(m, t, p), run->T_ex[t->upper]));
        m->transition[i].A = A[i];
    }
    CHECK(share < 6e-4, "%s: shares of levels, %.1e", run->what, share);
    CHECK(T_ex < 6e-4, "%s: temperatures of excitation, %.1e", run->what, T_ex);
    CHECK(tau < 8e-4, "%s: optical depths, %.1e", run->what, tau);
}

/* With next to no gas the levels are those of the radiation, as well as the file's
 * frequencies fit its energies; with very much of it those of the gas. */
static void
test_limits(struct iris_molecule *m)
{
    static const struct run none = {.H2 = 1e-80, .ortho_to_para = 3};
    static const struct run much = {.H2 = 1e16, .ortho_to_para = 3};
    double p[LEVELS], cold = 0, warm = 0;
    size_t i;

    balance(&none, m, p);
    for (i = 0; i < SHOWN; i++)
        cold = fmax(cold, off(excitation(m, &m->transition[i], p), 2.73));
    balance(&much, m, p);
    for (i = 0; i < m->n_transitions; i++)
        warm = fmax(warm, off(excitation(m, &m->transition[i], p), 123));
    CHECK(cold < 1e-5, "without gas the temperature of the radiation: %.1e", cold);
    CHECK(warm < 1e-6, "in dense gas that of the gas: %.1e", warm);
}

int
main(void)
{
    struct iris_molecule m = {0};
    size_t i;

    load(&m);
    for (i = 0; i < sizeof runs / sizeof *runs; i++)
        test_run(&runs[i], &m);
    test_limits(&m);
    iris_molecule_release(&m);
    return check_done();
}
