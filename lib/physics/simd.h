/* simd -- the hot loops of lib/physics, compiled for several levels of
 * instructions: base (any machine the compiler knows), and on x86-64 avx2 and
 * avx512. All give the same bytes; the best the machine has is fastest.
 *
 * Thread safe: constant tables.
 */
#ifndef IRIS_SIMD_H
#define IRIS_SIMD_H

#include "bundle.h"
#include "eliminate.h"
#include "err.h"
#include "nearest.h"

/* One level. */
struct iris_kernels {
    const char *name;
    iris_near_ask_fn *near_ask;
    iris_near_pack_fn *near_pack;
    iris_near_reduce_fn *near_reduce;
    iris_near_decide_fn *near_decide;
    iris_near_values_fn *near_values;
    iris_near_spread_fn *near_spread;
    iris_bundle_steps_fn *smooth_steps, *formal_steps, *thin_steps;
    iris_bundle_march_fn *smooth_march, *formal_march, *thin_march;
    iris_balance_mix_fn *balance_mix;
    iris_balance_fold_fn *balance_fold;
    iris_balance_pivot_fn *balance_pivot;
};

/* The best level of this machine; of all those, the k-th from base on, NULL
 * beyond the last. */
const struct iris_kernels *iris_kernels_best(void);
const struct iris_kernels *iris_kernels_at(size_t k);

/* The level of a name.
 *
 *   return  IRIS_OK
 *           IRIS_E_USAGE  there is none, or not on this machine; says which are
 */
enum iris_status iris_kernels_named(const char *name, const struct iris_kernels **kernels,
                                    struct iris_err *err);

#endif
