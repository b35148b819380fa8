/* How fast the tables of a line are made: the level balance of the main preset,
 * against LAPACK's dgesv, of OpenBLAS, on the same systems. Assembling these is
 * part of our time and not of its. Seconds are for all nodes of the preset.
 *
 *   bench_tables [FILE]   a molecular file; without, made-up 13CO
 */
#include <math.h>

#include "bench.h"
#include "eliminate.h"
#include "file.h"
#include "line_preset.h"
#include "mock_molecule.h"
#include "peak.h"
#include "simd.h"

/* Nodes of the main preset, and the temperatures of them that are measured: 0 K,
 * where some molecules have negative rates, for itself, others for all others. */
enum { N_N = 128, N_X = 64, N_T = 64, STEP_T = 9, OF_T = 7, NODES = N_N * N_X * N_T };
#define WEIGHT(iT) ((iT) ? (N_T - 1) / (OF_T - 1.0) : 1.0)

/* Of OpenBLAS. */
void dgesv_(const int *n, const int *columns, double *matrix, const int *stride, int *pivot,
            double *right, const int *right_stride, int *info);
void openblas_set_num_threads(int n);
char *openblas_get_corename(void);

struct systems {
    struct iris_molecule m;
    struct iris_table_law law;
    struct iris_line_table table;
    double N[N_N];
    double *matrix, *right; /* [N_N][levels][levels] by columns, [N_N][levels] */
    int *pivot;
};

static void
need(enum iris_status st, const struct iris_err *err)
{
    if (st) {
        fprintf(stderr, "bench_tables: %s\n", err->msg);
        exit((int)st);
    }
}

static void
read_molecule(const char *path, struct iris_molecule *m)
{
    struct iris_buf text = {0}, warnings = {0};
    struct iris_err err = {0};

    if (!path) {
        need(iris_mock_molecule("13CO", m, &err), &err);
        return;
    }
    need(iris_read_file(path, 1 << 24, &text, &err), &err);
    need(iris_molecule_parse(iris_buf_str(&text), text.len, path, m, &warnings, &err), &err);
    iris_buf_release(&text);
    iris_buf_release(&warnings);
}

/* The law of the main preset, in SI. */
static void
prepare(struct systems *s, const char *path)
{
    struct iris_err err = {0};
    size_t square, i;

    read_molecule(path, &s->m);
    s->law = line_table_law(N_N, N_X, N_T);
    need(iris_line_table_init(&s->table, &s->m, &s->law, &err), &err);
    s->table.node = bench_need(calloc(iris_line_table_size(&s->table), sizeof *s->table.node));
    for (i = 0; i < N_N; i++)
        s->N[i] = sinh((double)i * s->table.dq) * s->law.bolic;
    square = s->m.n * s->m.n;
    s->matrix = bench_need(malloc(N_N * square * sizeof *s->matrix));
    s->right = bench_need(malloc(N_N * s->m.n * sizeof *s->right));
    s->pivot = bench_need(malloc(s->m.n * sizeof *s->pivot));
}

/* ---- theirs ---- */

/* The gain of every level, but the sum of all populations instead of the lowest
 * level's. */
static void
assemble(struct systems *s, const struct iris_balance *b)
{
    size_t n = s->m.n, k, i, j;

    memset(s->right, 0, N_N * n * sizeof *s->right);
    for (k = 0; k < N_N; k++) {
        double *m = s->matrix + k * n * n;

        memset(m, 0, n * n * sizeof *m);
        for (i = 0; i < n; i++)
            for (j = 0; j < n; j++)
                if (i != j) {
                    double q = s->N[k] * b->C[i * n + j] + b->radiative[i * n + j];

                    m[i * n + j] = q;
                    m[i * n + i] -= q;
                }
        for (i = 0; i < n; i++)
            m[i * n] = 1;
        s->right[k * n] = s->N[k];
    }
}

static double
solve_theirs(struct systems *s)
{
    int n = (int)s->m.n, one = 1, info;
    double start = bench_now();
    size_t k;

    for (k = 0; k < N_N; k++)
        dgesv_(&n, &one, s->matrix + k * s->m.n * s->m.n, &n, s->pivot, s->right + k * s->m.n, &n,
               &info);
    return bench_now() - start;
}

/* The greatest difference of a population, of the density. */
static double
difference(const struct systems *s, const double *p)
{
    double worst = 0;
    size_t k, i;

    for (k = 1; k < N_N; k++)
        for (i = 0; i < s->m.n; i++) {
            double d = fabs(p[k * s->m.n + i] - s->right[k * s->m.n + i]) / s->N[k];

            worst = d <= worst ? worst : d;
        }
    return worst;
}

static double
compare(struct systems *s, double *differ)
{
    double *p = bench_need(malloc(N_N * s->m.n * sizeof *p)), seconds = 0, d;
    struct iris_balance b;
    struct iris_err err = {0};
    size_t iT, ix;

    need(iris_balance_init(&b, &s->m, &s->law.balance, &err), &err);
    for (iT = 0; iT < OF_T; iT++) {
        iris_balance_temperature(&b, s->table.T[iT * STEP_T]);
        for (ix = 0; ix < N_X; ix++) {
            need(iris_balance_solve(&b, s->table.x[ix], s->N, N_N, p, &err), &err);
            assemble(s, &b);
            seconds += solve_theirs(s) * WEIGHT(iT);
            d = difference(s, p);
            *differ = d <= *differ ? *differ : d;
        }
    }
    iris_balance_release(&b);
    free(p);
    return seconds;
}

/* ---- ours ---- */

static double
solve_ours(struct systems *s, const struct iris_kernels *kernels)
{
    struct iris_err err = {0};
    double seconds = 0, start;
    size_t iT;

    s->law.balance.kernels = kernels;
    for (iT = 0; iT < OF_T; iT++) {
        start = bench_now();
        need(iris_line_table_solve(&s->table, &s->m, &s->law, iT * STEP_T, 1, &err), &err);
        seconds += (bench_now() - start) * WEIGHT(iT);
    }
    return seconds;
}

static void
roofline(const struct systems *s, double ours)
{
    double n = (double)s->m.n, pairs = (n - 1) * n * (2 * n - 1) / 6, peak = peak_pairs();
    double least = pairs / peak * NODES;

    printf("  roofline %.2f s: %.0f multiplications and as many additions a system, n^3 / 3, at "
           "%.1f thousand million of both a second; %.0f %% of it reached\n",
           least, pairs, peak * 1e-9, 100 * least / ours);
}

static void
memory(const struct systems *s)
{
    size_t n = s->m.n;

    printf("  memory: %zu bytes of a thread, %.0f a node of the table\n",
           (iris_balance_work(n) + 7 * n * n) * sizeof(double) + n * sizeof(double *) +
               N_N * (n + 1) * sizeof(double),
           (double)iris_line_table_size(&s->table) * sizeof(double) / NODES);
}

int
main(int argc, char **argv)
{
    double theirs[BENCH_REPEATS], ours[BENCH_REPEATS], differ = 0, dgesv, best = 0, start;
    const struct iris_kernels *kernels;
    struct systems s = {0};
    size_t i, k;

    openblas_set_num_threads(1);
    prepare(&s, argc > 1 ? argv[1] : NULL);
    printf("level balance, %zu levels; seconds for the %d nodes of the main preset\n", s.m.n,
           NODES);
    for (i = 0; i < BENCH_REPEATS; i++)
        theirs[i] = compare(&s, &differ);
    dgesv = bench_median(theirs, BENCH_REPEATS);
    printf("  dgesv, OpenBLAS for %s %8.2f s\n", openblas_get_corename(), dgesv);
    for (k = 0; (kernels = iris_kernels_at(k)); k++) {
        for (i = 0; i < BENCH_REPEATS; i++)
            ours[i] = solve_ours(&s, kernels);
        best = bench_median(ours, BENCH_REPEATS);
        printf("  %-12s %8.2f s  %5.1f times faster\n", kernels->name, best, dgesv / best);
    }
    printf("  populations differ by %.1e of the density at most\n", differ);
    roofline(&s, best);
    start = bench_now();
    iris_line_table_gradients(&s.table);
    printf("  gradients beside that %.2f s\n", bench_now() - start);
    memory(&s);
    iris_line_table_release(&s.table);
    iris_molecule_release(&s.m);
    free(s.matrix);
    free(s.right);
    free(s.pivot);
    return 0;
}
