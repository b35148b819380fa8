/* eliminate -- the hot loops of the level balance; see balance.h. Private to it.
 *
 * Rates are [from][to], n x n, 1/s; what stands on their diagonal has no effect.
 * Levels of IRIS_BALANCE_LANES densities are eliminated together.
 */
#ifndef IRIS_ELIMINATE_H
#define IRIS_ELIMINATE_H

#include <stddef.h>

enum {
    IRIS_BALANCE_LANES = 8,
    IRIS_BALANCE_BLOCK = 4 /* levels that are folded together */
};

/* A level that is left at less than this, 1/s, cannot be left: its reciprocal
 * may be infinite. */
#define IRIS_BALANCE_LEAST 1e-300

/* Sums of the coefficients of a mixture, entry by entry of [n]:
 * C = factor * sum_s share[s] * source[s].
 *
 *   return  whether a sum is negative
 */
typedef int iris_balance_mix_fn(size_t n, const double *const source[4], const double share[4],
                                const double *factor, double *C);

/* Populations where q = N C + radiative and no rate is negative.
 *
 *   in     N     positive, one a lane
 *   in     total what the populations of a lane add up to
 *   inout  work  [iris_balance_work(n)], from iris_aligned
 *   out    p     [n] of each lane
 *
 *   return  0, or the level that cannot be left in some lane
 *   method  Grassmann-Taksar-Heyman elimination from the highest level down.
 *           Blocks of levels take the contributions of all levels above when
 *           their turn comes, in registers, and are then folded themselves.
 */
struct iris_balance_rates {
    size_t n;
    const double *C, *radiative;
};
typedef size_t iris_balance_fold_fn(const struct iris_balance_rates *rates,
                                    const double N[IRIS_BALANCE_LANES],
                                    const double total[IRIS_BALANCE_LANES], double *work,
                                    double *const p[IRIS_BALANCE_LANES]);

/* Solve a dense system by Gaussian elimination with row pivots.
 *
 *   inout  m     [n][stride], the right side in column n; destroyed. Columns
 *                beyond may hold anything finite
 *   in     stride  iris_balance_stride(n)
 *   inout  row   [n] work space
 *   out    x     [n]
 *
 *   return  0, or -1 when m is singular
 */
typedef int iris_balance_pivot_fn(size_t n, size_t stride, double *m, double **row, double *x);

static inline size_t
iris_balance_stride(size_t n)
{
    return (n + IRIS_BALANCE_LANES) / IRIS_BALANCE_LANES * IRIS_BALANCE_LANES;
}

/* Doubles of work space for fold: rates down and proportions up in panels of a
 * block, of which only the levels above are kept, and populations. */
static inline size_t
iris_balance_work(size_t n)
{
    size_t panels = (n + IRIS_BALANCE_BLOCK - 1) / IRIS_BALANCE_BLOCK;

    return IRIS_BALANCE_LANES * (IRIS_BALANCE_BLOCK * IRIS_BALANCE_BLOCK * panels * (panels + 1) +
                                 IRIS_BALANCE_BLOCK * panels);
}

#endif
