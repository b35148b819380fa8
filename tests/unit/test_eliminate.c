/* The kernels of the level balance: every level of instructions of this machine,
 * molecules of any size, against eliminations in long double. */
#include "aligned.h"
#include "balance_slow.h"
#include "eliminate.h"
#include "simd.h"

enum { LANES = IRIS_BALANCE_LANES, MOST = 45, PAIRS = MOST * MOST / 2, FILE_T = 3 };

/* ---- made-up molecules ---- */

struct many {
    struct iris_molecule m;
    double energy[MOST], g[MOST], T[FILE_T], rate[IRIS_PARTNERS][FILE_T * PAIRS];
    struct iris_transition transition[MOST];
    struct iris_level_pair pair[PAIRS];
};

/* A ladder of n levels, all of which collide, with rates that are anything from
 * one temperature to the next: going on beyond them makes some negative. */
static struct many *
many_new(size_t n, uint64_t seed)
{
    struct many *a = need(sizeof *a);
    size_t i, j, k = 0, t;
    int with;

    a->m = (struct iris_molecule){
        .n = n, .energy = a->energy, .g = a->g, .transition = a->transition};
    for (i = 0; i < n; i++) {
        a->energy[i] = 1.8 * (double)(i * (i + 1)) + uniform(&seed, 0, .3);
        a->g[i] = (double)(2 * i + 1);
        for (j = 0; j < i; j++, k++)
            a->pair[k] = (struct iris_level_pair){i, j};
    }
    for (i = 1; i < n; i++)
        a->transition[i - 1] = (struct iris_transition){
            i, i - 1, 7e-8 * pow((double)i, 3), (a->energy[i] - a->energy[i - 1]) * 29.9792458};
    a->m.n_transitions = n - 1;
    for (t = 0; t < FILE_T; t++)
        a->T[t] = 10 * pow(10, (double)t);
    for (with = 0; with < IRIS_PARTNERS; with++) {
        for (i = 0; i < FILE_T * k; i++)
            a->rate[with][i] = log_uniform(&seed, 1e-19, 1e-16);
        a->m.with[with] = (struct iris_collisions){
            .n_T = FILE_T, .T = a->T, .n = k, .pair = a->pair, .rate = a->rate[with]};
    }
    return a;
}

static const double densities[] = {0,   1e-12, 1e-3, 1,    40,   1e3,  3e4,  1e6, 1e7,
                                   1e8, 3e8,   1e9,  3e10, 1e11, 1e12, 1e13, 1e15};
static const double mixtures[] = {0, .1, .37, .5};
enum {
    N_N = sizeof densities / sizeof *densities,
    N_X = sizeof mixtures / sizeof *mixtures,
    VALUES = N_N * N_X * MOST
};

/* Populations [N_X][N_N][n] by one level of instructions.
 *
 *   return  whether all is well
 */
static int
solve_all(const struct many *a, const struct iris_balance_law *law, double T, double *p)
{
    struct iris_balance b;
    int well = 1;
    size_t x;

    memset(p, 0, VALUES * sizeof *p);
    if (iris_balance_init(&b, &a->m, law, NULL))
        return 0;
    iris_balance_temperature(&b, T);
    for (x = 0; x < N_X; x++)
        well &= !iris_balance_solve(&b, mixtures[x], densities, N_N, p + x * N_N * a->m.n, NULL);
    iris_balance_release(&b);
    return well;
}

/* The greatest difference from the slow elimination, of the density. */
static double
against_slow(const struct many *a, const struct iris_balance_law *law, double T, const double *p)
{
    size_t n = a->m.n, x, k, i;
    double worst = 0;
    real slow[MOST];

    for (x = 0; x < N_X; x++)
        for (k = 0; k < N_N; k++, p += n) {
            slow_solve(&a->m, law, T, mixtures[x], densities[k], slow);
            for (i = 0; i < n; i++) {
                double d = (double)fabsl(p[i] - slow[i]);

                d = d > 0 ? d / densities[k] : d;
                worst = d <= worst ? worst : d;
            }
        }
    return worst;
}

static void
test_molecule(size_t n, int signs)
{
    static const double T[] = {0, 3, 17, 230, 999, 2000};
    double *first = need(VALUES * sizeof *first), *p = need(VALUES * sizeof *p), worst = 0, e;
    struct iris_balance_law law = line_balance_law();
    struct many *a = many_new(n, n + 100);
    size_t differ = 0, wrong = 0, i, k;

    law.clamp_rates = !signs;
    for (i = 0; i < sizeof T / sizeof *T; i++) {
        law.T_continuum = i & 1 ? 2.73 : 15;
        for (k = 0; (law.kernels = iris_kernels_at(k)); k++) {
            wrong += !solve_all(a, &law, T[i], k ? p : first);
            differ += k && memcmp(p, first, VALUES * sizeof *p);
        }
        law.kernels = NULL;
        wrong += !solve_all(a, &law, T[i], p);
        differ += memcmp(p, first, VALUES * sizeof *p) != 0;
        e = against_slow(a, &law, T[i], p);
        worst = e <= worst ? worst : e;
    }
    CHECK(!wrong && !differ && worst <= (signs ? 1e-11 : 1e-13),
          "%zu levels%s: %zu not solved, %zu not the same by another level of instructions, "
          "%.1e of the density",
          n, signs ? ", some rates negative" : "", wrong, differ, worst);
    free(first);
    free(p);
    free(a);
}

/* A level that nothing leaves is found wherever it stands in its block. */
static void
test_stuck(void)
{
    struct iris_balance_law law = line_balance_law();
    double N[LANES + 1], p[(LANES + 1) * MOST];
    size_t n, level, i, k, found = 0, cases = 0;
    struct iris_balance b;
    struct iris_err err;
    char name[32];

    for (i = 0; i <= LANES; i++)
        N[i] = 1e6;
    for (n = 2; n <= 14; n++)
        for (level = 1; level < n; level++)
            for (k = 0; (law.kernels = iris_kernels_at(k)); k++, cases++) {
                struct many *a = many_new(n, 1);

                for (i = 0; i < IRIS_PARTNERS; i++)
                    memset(a->rate[i], 0, sizeof a->rate[i]);
                a->transition[level - 1].A = 0;
                snprintf(name, sizeof name, "level %zu of", level + 1);
                iris_balance_init(&b, &a->m, &law, NULL);
                iris_balance_temperature(&b, 20);
                found += iris_balance_solve(&b, .5, N, LANES + 1, p, &err) == IRIS_E_DATA &&
                         strstr(err.msg, name) != NULL;
                iris_balance_release(&b);
                free(a);
            }
    CHECK(found == cases, "%zu of %zu levels that cannot be left are named", found, cases);
}

/* ---- the kernels themselves ---- */

/* The elimination of one system as it is written down. */
static void
slow_fold(real *q, size_t n, double total, real *p)
{
    size_t i, j, k;
    real out, sum = 1;

    for (k = n; k-- > 1;) {
        for (out = 0, j = 0; j < k; j++)
            out += q[k * n + j];
        for (i = 0; i < k; i++) {
            q[i * n + k] /= out;
            for (j = 0; j < k; j++)
                q[i * n + j] += q[i * n + k] * q[k * n + j];
        }
    }
    for (p[0] = 1, k = 1; k < n; sum += p[k], k++)
        for (p[k] = 0, i = 0; i < k; i++)
            p[k] += p[i] * q[i * n + k];
    for (k = 0; k < n; k++)
        p[k] *= total / sum;
}

static void *
aligned(size_t bytes)
{
    void *p = iris_aligned(bytes);

    if (!p)
        exit(1);
    return p;
}

/* Of rates over 20 orders of magnitude every population is good to some digits,
 * however small: nothing is subtracted. */
static void
test_fold(size_t n, double *worst, size_t *differ)
{
    double *C = need(n * n * sizeof *C), *A = need(n * n * sizeof *A), N[LANES], total[LANES];
    double p[LANES * MOST], first[LANES * MOST], *to[LANES],
        *work = aligned(iris_balance_work(n) * sizeof *work);
    struct iris_balance_rates rates = {n, C, A};
    const struct iris_kernels *kernels;
    real *q = need(n * n * sizeof *q), slow[MOST];
    uint64_t seed = n;
    size_t i, k, l;

    for (i = 0; i < n * n; i++) {
        C[i] = i % (n + 1) ? log_uniform(&seed, 1e-20, 1) : NAN;
        A[i] = i % 3 ? 0 : log_uniform(&seed, 1e-12, 1e-2);
    }
    for (l = 0; l < LANES; l++) {
        N[l] = log_uniform(&seed, 1e-3, 1e3);
        total[l] = l % 3 ? N[l] : 0;
        to[l] = p + l * n;
    }
    for (k = 0; (kernels = iris_kernels_at(k)); k++) {
        memset(p, 0xff, sizeof p);
        memset(work, 0xff, iris_balance_work(n) * sizeof *work);
        *differ += kernels->balance_fold(&rates, N, total, work, to) != 0;
        if (!k)
            memcpy(first, p, sizeof p);
        *differ += memcmp(first, p, sizeof p) != 0;
    }
    for (l = 0; l < LANES; l++) {
        for (i = 0; i < n * n; i++)
            q[i] = (real)N[l] * C[i] + A[i];
        slow_fold(q, n, total[l], slow);
        for (i = 0; i < n; i++) {
            double d = (double)(slow[i] > 0 ? fabsl(to[l][i] / slow[i] - 1) : fabsl(to[l][i]));

            *worst = d <= *worst ? *worst : d;
        }
    }
    free(C);
    free(A);
    free(q);
    free(work);
}

static void
test_folds(void)
{
    size_t n, differ = 0;
    double worst = 0;

    for (n = 1; n <= MOST; n++)
        test_fold(n, &worst, &differ);
    CHECK(!differ && worst <= 1e-13, "1 to %d levels: %zu differ, %.1e of each population", MOST,
          differ, worst);
}

static void
test_pivot(size_t n, double *worst, size_t *differ)
{
    size_t stride = iris_balance_stride(n), i, j, k;
    double *m = aligned(n * stride * sizeof *m), x[MOST], first[MOST], *row[MOST], **rows = row;
    const struct iris_kernels *kernels;
    real *slow = need(n * n * sizeof *slow), right[MOST];
    uint64_t seed;

    for (k = 0; (kernels = iris_kernels_at(k)); k++) {
        memset(m, 0, n * stride * sizeof *m);
        for (seed = n, i = 0; i < n; i++) {
            for (j = 0; j < n; j++)
                slow[i * n + j] = m[i * stride + j] = (i + j) % 5 == 1
                                                          ? 0
                                                          : uniform(&seed, -1, 1) * (i ? 1 : 1e-6);
            right[i] = m[i * stride + n] = uniform(&seed, -1, 1);
        }
        *differ += kernels->balance_pivot(n, stride, m, rows, x) != 0;
        if (!k)
            memcpy(first, x, sizeof x);
        *differ += memcmp(first, x, n * sizeof *x) != 0;
        memset(m, 0, n * stride * sizeof *m);
        for (i = 0; i < n; i++)
            m[i * stride] = 1;
        *differ += n > 1 && kernels->balance_pivot(n, stride, m, rows, x) != -1;
    }
    slow_eliminate(slow, right, n);
    for (i = 0; i < n; i++) {
        double d = (double)(fabsl(first[i] - right[i]) / (1 + fabsl(right[i])));

        *worst = d <= *worst ? *worst : d;
    }
    free(m);
    free(slow);
}

static void
test_pivots(void)
{
    size_t n, differ = 0;
    double worst = 0;

    for (n = 3; n <= MOST; n++)
        test_pivot(n, &worst, &differ);
    CHECK(!differ && worst <= 1e-9, "with pivots, 3 to %d rows: %zu differ, %.1e", MOST, differ,
          worst);
}

int
main(void)
{
    static const size_t levels[] = {1, 2, 3, 4, 5, 8, 9, 11, 41, 45};
    size_t i;

    for (i = 0; i < sizeof levels / sizeof *levels; i++)
        test_molecule(levels[i], 0);
    for (i = 2; i < sizeof levels / sizeof *levels; i++)
        test_molecule(levels[i], 1);
    test_stuck();
    test_folds();
    test_pivots();
    return check_done();
}
