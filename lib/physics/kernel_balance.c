#include "eliminate.h"
#include "kernel_double.h"

/* Levels are counted from the highest down here: r = n - 1 - level. Folding r
 * adds share[i][r] leave[r][j] to every rate from i to j behind it. Both factors
 * are kept in panels, of BLOCK levels i or j for each r, so that a tile of rates
 * of one block to another takes what all earlier r add to it from two streams,
 * while it stays in registers. A vector is a part of the lanes. */
enum { BLOCK = IRIS_BALANCE_BLOCK };

/* Rows or columns of a tile that registers hold at once. */
#if defined __AVX512F__ || defined __aarch64__
enum { NARROW = BLOCK };
#else
enum { NARROW = 2 };
#endif

typedef vecd tile[BLOCK][BLOCK]; /* [from][to] */

struct fold {
    const struct iris_balance_rates *rates;
    size_t n, panels;
    vecd N;
    double *share, *leave;
};

#define INLINE static inline __attribute__((always_inline))
/* Before loops over a tile, so that it stays in registers; clang needs no telling. */
#if defined __clang__
#define UNROLL
#else
#define UNROLL _Pragma("GCC unroll 4")
#endif

/* Where a panel has its BLOCK vectors for r; it ends behind its own levels. */
INLINE double *
panel(double *of, size_t which, size_t r)
{
    return of + (2 * which * (which + 1) + r) * BLOCK * VECD;
}

/* The rates of a part of a tile, from block I to block J, with what the first
 * `done` levels add. */
INLINE void
gather(const struct fold *f, size_t I, size_t J, size_t done, int i0, int rows, int j0, int columns,
       tile q)
{
    const double *s = panel(f->share, I, 0) + i0 * VECD, *l = panel(f->leave, J, 0) + j0 * VECD;
    size_t n = f->n, first = (n - 1 - BLOCK * I - (size_t)i0) * n + n - 1 - BLOCK * J - (size_t)j0;
    vecd part[BLOCK][BLOCK], up[BLOCK], down;
    int i, j;
    size_t r;

    UNROLL
    for (i = 0; i < rows; i++) {
        UNROLL
        for (j = 0; j < columns; j++) {
            size_t at = first - (size_t)i * n - (size_t)j;

            part[i][j] = f->N * f->rates->C[at] + f->rates->radiative[at];
        }
    }
    for (r = 0; r < done; r++, s += BLOCK * VECD, l += BLOCK * VECD) {
        UNROLL
        for (i = 0; i < rows; i++)
            up[i] = load_d(s + i * VECD);
        UNROLL
        for (j = 0; j < columns; j++) {
            down = load_d(l + j * VECD);
            UNROLL
            for (i = 0; i < rows; i++)
                part[i][j] += up[i] * down;
        }
    }
    UNROLL
    for (i = 0; i < rows; i++) {
        UNROLL
        for (j = 0; j < columns; j++)
            q[i0 + i][j0 + j] = part[i][j];
    }
}

/* ---- one block, from its own levels ---- */

/* Rates from block K to block J, and their sum over J. */
INLINE void
leave_to(const struct fold *f, size_t K, size_t J, int columns, vecd sum[BLOCK])
{
    int i, j, c;
    tile q;

    UNROLL
    for (c = 0; c < columns; c += NARROW)
        gather(f, K, J, BLOCK * K, 0, BLOCK, c, columns - c < NARROW ? columns - c : NARROW, q);
    UNROLL
    for (i = 0; i < BLOCK; i++) {
        double *to = panel(f->leave, J, BLOCK * K + (size_t)i);

        UNROLL
        for (j = 0; j < columns; j++) {
            sum[i] += q[i][j];
            store_d(to + j * VECD, q[i][j]);
        }
    }
}

/* Rates from block I to block K become proportions of how K is left. */
INLINE void
share_from(const struct fold *f, size_t K, size_t I, int rows, const tile own,
           const vecd inverse[BLOCK])
{
    int i, j, k, c;
    tile q;

    UNROLL
    for (c = 0; c < rows; c += NARROW)
        gather(f, I, K, BLOCK * K, c, rows - c < NARROW ? rows - c : NARROW, 0, BLOCK, q);
    UNROLL
    for (i = 0; i < rows; i++) {
        UNROLL
        for (j = 0; j < BLOCK; j++) {
            vecd sum = q[i][j];

            UNROLL
            for (k = 0; k < j; k++)
                sum += q[i][k] * own[k][j];
            q[i][j] = sum * inverse[j];
            store_d(panel(f->share, I, BLOCK * K + (size_t)j) + i * VECD, q[i][j]);
        }
    }
}

INLINE int
everywhere(vecl mask)
{
    int64_t all_of = -1;
    int l;

    for (l = 0; l < VECD; l++)
        all_of &= mask[l];
    return all_of != 0;
}

/* The first of those levels that cannot be left in some lane. */
static int
first_stuck(const vecd out[BLOCK], int levels)
{
    int k = 0;

    while (k < levels && everywhere(out[k] >= IRIS_BALANCE_LEAST))
        k++;
    return k;
}

/* The first `levels` levels of a block fold into its other ones. `sum` is what
 * goes to all blocks behind.
 *
 *   return  levels, or the first that cannot be left
 */
INLINE int
fold_own(tile own, vecd sum[BLOCK], vecd inverse[BLOCK], int rows, int levels)
{
    vecd out[BLOCK];
    vecl can = {0};
    int i, j, k;

    can = can == 0;
    UNROLL
    for (k = 0; k < levels; k++) {
        out[k] = sum[k];
        UNROLL
        for (j = k + 1; j < rows; j++)
            out[k] += own[k][j];
        can &= out[k] >= IRIS_BALANCE_LEAST;
        inverse[k] = 1 / out[k];
        UNROLL
        for (i = k + 1; i < rows; i++) {
            own[i][k] *= inverse[k];
            UNROLL
            for (j = k + 1; j < rows; j++)
                own[i][j] += own[i][k] * own[k][j];
            sum[i] += own[i][k] * sum[k];
        }
    }
    return everywhere(can) ? levels : first_stuck(out, levels);
}

/* The rates to blocks behind, which lie there without those by way of earlier
 * levels of this block. */
static void
leave_by_own(const struct fold *f, size_t K, const tile own)
{
    vecd s10 = own[1][0], s20 = own[2][0], s21 = own[2][1], s30 = own[3][0], s31 = own[3][1],
         s32 = own[3][2], a, b, c;
    size_t J, j;

    for (J = K + 1; J < f->panels; J++) {
        double *q = panel(f->leave, J, BLOCK * K);

        for (j = 0; j < BLOCK; j++, q += VECD) {
            a = load_d(q);
            b = load_d(q + BLOCK * VECD) + s10 * a;
            c = load_d(q + 2 * BLOCK * VECD) + s20 * a + s21 * b;
            store_d(q + BLOCK * VECD, b);
            store_d(q + 2 * BLOCK * VECD, c);
            store_d(q + 3 * BLOCK * VECD,
                    load_d(q + 3 * BLOCK * VECD) + s30 * a + s31 * b + s32 * c);
        }
    }
}

static void
keep_own(const struct fold *f, size_t K, int rows, const tile own)
{
    int i, k;

    for (k = 0; k < rows; k++)
        for (i = k + 1; i < rows; i++)
            store_d(panel(f->share, K, BLOCK * K + (size_t)k) + i * VECD, own[i][k]);
}

INLINE int
fold_last(const struct fold *f, int rows)
{
    vecd inverse[BLOCK], sum[BLOCK];
    size_t K = f->panels - 1;
    int k, c;
    tile own;

    UNROLL
    for (c = 0; c < rows; c += NARROW)
        gather(f, K, K, BLOCK * K, c, rows - c < NARROW ? rows - c : NARROW, 0, rows, own);
    for (k = 0; k < rows; k++)
        sum[k] = (vecd){0};
    k = fold_own(own, sum, inverse, rows, rows - 1);
    keep_own(f, K, rows, own);
    return k;
}

/* What the last block, of 1 to BLOCK levels, is special in. */
#define BY_ROWS(rows, call)                                                                        \
    switch (rows) {                                                                                \
    case 1:                                                                                        \
        call(1);                                                                                   \
        break;                                                                                     \
    case 2:                                                                                        \
        call(2);                                                                                   \
        break;                                                                                     \
    case 3:                                                                                        \
        call(3);                                                                                   \
        break;                                                                                     \
    default:                                                                                       \
        call(4);                                                                                   \
    }

/*   return  BLOCK, or the first of its levels that cannot be left */
static int
fold_block(const struct fold *f, size_t K, int rest)
{
    size_t last = f->panels - 1, other;
    vecd inverse[BLOCK], sum[BLOCK];
    int k, c;
    tile own;

    for (k = 0; k < BLOCK; k++)
        sum[k] = (vecd){0};
    for (other = K + 1; other < last; other++)
        leave_to(f, K, other, BLOCK, sum);
#define LEAVE(rows) leave_to(f, K, last, rows, sum)
    BY_ROWS(rest, LEAVE)
    UNROLL
    for (c = 0; c < BLOCK; c += NARROW)
        gather(f, K, K, BLOCK * K, c, NARROW, 0, BLOCK, own);
    k = fold_own(own, sum, inverse, BLOCK, BLOCK);
    if (k < BLOCK)
        return k;
    keep_own(f, K, BLOCK, own);
    /* tiles are gathered while the divisions are still on their way */
    for (other = K + 1; other < last; other++)
        share_from(f, K, other, BLOCK, own, inverse);
#define SHARE(rows) share_from(f, K, last, rows, own, inverse)
    BY_ROWS(rest, SHARE)
    leave_by_own(f, K, own);
    return BLOCK;
}

/*   return  how many levels were folded: n - 1, or fewer */
static size_t
fold_all(const struct fold *f)
{
    size_t last = f->panels - 1, K;
    int rest = (int)(f->n - BLOCK * last), k = BLOCK;

    for (K = 0; K < last && k == BLOCK; K++)
        k = fold_block(f, K, rest);
    if (k < BLOCK)
        return BLOCK * (K - 1) + (size_t)k;
#define LAST(rows) k = fold_last(f, rows)
    BY_ROWS(rest, LAST)
    return BLOCK * last + (size_t)k;
}

/* ---- populations ---- */

/* Add to the levels of block K what comes from those of block I, the lowest
 * first. */
INLINE void
add_from(const struct fold *f, const double *p, size_t K, size_t I, int rows, vecd to[BLOCK])
{
    const double *s = panel(f->share, I, BLOCK * K);
    int i, k;

    UNROLL
    for (i = rows - 1; i >= 0; i--) {
        vecd from = load_d(p + (BLOCK * I + (size_t)i) * VECD);

        UNROLL
        for (k = 0; k < BLOCK; k++)
            to[k] += from * load_d(s + (k * BLOCK + i) * VECD);
    }
}

/* The levels of block K, where those below have been added.
 *
 *   return  their sum and `sum`
 */
INLINE vecd
add_own(const struct fold *f, double *p, size_t K, int rows, vecd to[BLOCK], vecd sum)
{
    int i, k;

    UNROLL
    for (i = rows - 1; i >= 0; i--) {
        UNROLL
        for (k = 0; k < i; k++)
            to[k] += to[i] * load_d(panel(f->share, K, BLOCK * K + (size_t)k) + i * VECD);
        store_d(p + (BLOCK * K + (size_t)i) * VECD, to[i]);
        sum += to[i];
    }
    return sum;
}

/* p_r = sum of p_i share[i][r] over the levels i below, from the lowest up, which
 * is 1.
 *
 *   out     p  [n]
 *   return  their sum
 */
static vecd
unfold(const struct fold *f, double *p)
{
    size_t last = f->panels - 1, K, I;
    int rest = (int)(f->n - BLOCK * last);
    vecd sum = {0}, to[BLOCK];

    for (K = 0; K < BLOCK; K++)
        to[K] = sum;
#define OWN(rows)                                                                                  \
    to[(rows)-1] += 1;                                                                             \
    sum = add_own(f, p, last, rows, to, sum)
    BY_ROWS(rest, OWN)
    for (K = last; K-- > 0;) {
        to[0] = to[1] = to[2] = to[3] = (vecd){0};
#define FROM(rows) add_from(f, p, K, last, rows, to)
        BY_ROWS(rest, FROM)
        for (I = last - 1; I > K; I--)
            add_from(f, p, K, I, BLOCK, to);
        sum = add_own(f, p, K, BLOCK, to, sum);
    }
    return sum;
}

/* Levels of VECD lanes. */
static size_t
solve_part(const struct iris_balance_rates *rates, const double *N, const double *total,
           double *work, double *const *p)
{
    size_t n = rates->n, panels = (n + BLOCK - 1) / BLOCK, factor = panels * (panels + 1), r;
    struct fold f = {.rates = rates, .n = n, .panels = panels, .N = load_d(N), .share = work};
    double *up = work + 2 * factor * 2 * BLOCK * VECD;
    vecd scale;
    int l;

    f.leave = work + factor * 2 * BLOCK * VECD;
    r = fold_all(&f);
    if (r < n - 1)
        return n - 1 - r;
    scale = load_d(total) / unfold(&f, up);
    for (r = 0; r < n; r++) {
        vecd v = load_d(up + r * VECD) * scale;

        for (l = 0; l < VECD; l++)
            p[l][n - 1 - r] = v[l];
    }
    return 0;
}

iris_balance_fold_fn IRIS_LEVEL(iris_balance_fold);
size_t
IRIS_LEVEL(iris_balance_fold)(const struct iris_balance_rates *rates, const double *N,
                              const double *total, double *work, double *const *p)
{
    size_t stuck = 0, of_part;
    int l;

    for (l = 0; l < IRIS_BALANCE_LANES; l += VECD) {
        of_part = solve_part(rates, N + l, total + l, work, p + l);
        stuck = of_part > stuck ? of_part : stuck;
    }
    return stuck;
}

/* ---- coefficients ---- */

iris_balance_mix_fn IRIS_LEVEL(iris_balance_mix);
int
IRIS_LEVEL(iris_balance_mix)(size_t n, const double *const source[4], const double share[4],
                             const double *factor, double *C)
{
    int negative = 0;
    size_t i;

    for (i = 0; i < n; i++) {
        double sum = share[0] * source[0][i] + share[1] * source[1][i] + share[2] * source[2][i] +
                     share[3] * source[3][i];

        C[i] = sum * factor[i];
        negative |= sum < 0;
    }
    return negative;
}

/* ---- where rates are negative ---- */

/* Columns up to k are done with, so whole vectors may change them. */
static void
subtract(double *from, const double *row, double f, size_t k, size_t stride)
{
    size_t j;

    for (j = k / VECD * VECD; j < stride; j += VECD)
        store_d(from + j, load_d(from + j) - f * load_d(row + j));
}

iris_balance_pivot_fn IRIS_LEVEL(iris_balance_pivot);
int
IRIS_LEVEL(iris_balance_pivot)(size_t n, size_t stride, double *m, double **row, double *x)
{
    double *keep, inverse;
    size_t i, k, pivot;

    for (i = 0; i < n; i++)
        row[i] = m + i * stride;
    for (k = 0; k < n; k++) {
        for (pivot = k, i = k + 1; i < n; i++)
            if (__builtin_fabs(row[i][k]) > __builtin_fabs(row[pivot][k]))
                pivot = i;
        if (!(__builtin_fabs(row[pivot][k]) > 0))
            return -1;
        keep = row[pivot];
        row[pivot] = row[k];
        row[k] = keep;
        inverse = 1 / keep[k];
        for (i = k + 1; i < n; i++)
            if (row[i][k] != 0)
                subtract(row[i], keep, row[i][k] * inverse, k + 1, stride);
    }
    for (k = n; k-- > 0;) {
        for (x[k] = row[k][n], i = k + 1; i < n; i++)
            x[k] -= row[k][i] * x[i];
        x[k] /= row[k][k];
    }
    return 0;
}
