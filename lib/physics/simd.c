#include "simd.h"

#include <string.h>

#include "buf.h"

#define DECLARE(level)                                                                             \
    iris_near_ask_fn iris_near_ask_##level;                                                        \
    iris_near_pack_fn iris_near_pack_##level;                                                      \
    iris_near_reduce_fn iris_near_reduce_##level;                                                  \
    iris_near_decide_fn iris_near_decide_##level;                                                  \
    iris_near_values_fn iris_near_values_##level;                                                  \
    iris_near_spread_fn iris_near_spread_##level;                                                  \
    iris_bundle_steps_fn iris_smooth_steps_##level, iris_formal_steps_##level,                     \
        iris_thin_steps_##level;                                                                   \
    iris_bundle_march_fn iris_smooth_march_##level, iris_formal_march_##level,                     \
        iris_thin_march_##level;                                                                   \
    iris_balance_mix_fn iris_balance_mix_##level;                                                  \
    iris_balance_fold_fn iris_balance_fold_##level;                                                \
    iris_balance_pivot_fn iris_balance_pivot_##level

#define TABLE(level)                                                                               \
    {                                                                                              \
        .name = #level, .near_ask = iris_near_ask_##level, .near_pack = iris_near_pack_##level,    \
        .near_reduce = iris_near_reduce_##level, .near_decide = iris_near_decide_##level,          \
        .near_values = iris_near_values_##level, .near_spread = iris_near_spread_##level,          \
        .smooth_steps = iris_smooth_steps_##level, .formal_steps = iris_formal_steps_##level,      \
        .thin_steps = iris_thin_steps_##level, .smooth_march = iris_smooth_march_##level,          \
        .formal_march = iris_formal_march_##level, .thin_march = iris_thin_march_##level,          \
        .balance_mix = iris_balance_mix_##level, .balance_fold = iris_balance_fold_##level,        \
        .balance_pivot = iris_balance_pivot_##level,                                               \
    }

DECLARE(base);
#ifdef __x86_64__
DECLARE(avx2);
DECLARE(avx512);
#endif

/* From the least to the best. */
static const struct iris_kernels levels[] = {TABLE(base),
#ifdef __x86_64__
                                             TABLE(avx2), TABLE(avx512)
#endif
};
enum { LEVELS = sizeof levels / sizeof levels[0] };

static size_t
levels_here(void)
{
    size_t n = 1;

#ifdef __x86_64__
    if (__builtin_cpu_supports("avx2"))
        n = 2;
    if (n == 2 && __builtin_cpu_supports("avx512f") && __builtin_cpu_supports("avx512dq") &&
        __builtin_cpu_supports("avx512vl") && __builtin_cpu_supports("avx512bw"))
        n = 3;
#endif
    return n;
}

const struct iris_kernels *
iris_kernels_best(void)
{
    return &levels[levels_here() - 1];
}

const struct iris_kernels *
iris_kernels_at(size_t k)
{
    return k < levels_here() ? &levels[k] : NULL;
}

enum iris_status
iris_kernels_named(const char *name, const struct iris_kernels **kernels, struct iris_err *err)
{
    struct iris_buf have = {0};
    size_t n = levels_here(), i;

    for (i = 0; i < n; i++) {
        if (!strcmp(levels[i].name, name)) {
            *kernels = &levels[i];
            iris_buf_release(&have);
            return IRIS_OK;
        }
        iris_buf_printf(&have, "%s%s", i ? ", " : "", levels[i].name);
    }
    iris_fail(err, IRIS_E_USAGE, "no level of instructions '%s': this machine has %s", name,
              iris_buf_str(&have));
    iris_buf_release(&have);
    return IRIS_E_USAGE;
}
