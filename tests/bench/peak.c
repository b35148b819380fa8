#include "peak.h"

#include "bench.h"
#include "kernel.h"

/* Enough that no operation waits for the one before, few enough for 16 registers. */
enum { CHAINS = 12, ROUNDS = 1 << 22 };

double
peak_pairs(void)
{
    vecd sum[CHAINS], factor = {0}, term = {0};
    double seconds[BENCH_REPEATS], start;
    volatile double sink;
    int i, k, l;

    for (l = 0; l < (int)(sizeof factor / sizeof factor[0]); l++) {
        factor[l] = 0.999;
        term[l] = 1e-3 * l;
    }
    for (k = 0; k < BENCH_REPEATS; k++) {
        for (i = 0; i < CHAINS; i++)
            sum[i] = term * i;
        start = bench_now();
        for (l = 0; l < ROUNDS; l++) {
#pragma GCC unroll 12
            for (i = 0; i < CHAINS; i++)
                sum[i] = sum[i] * factor + term;
        }
        seconds[k] = bench_now() - start;
        for (i = 1; i < CHAINS; i++)
            sum[0] += sum[i];
        sink = sum[0][0];
    }
    (void)sink;
    return (double)ROUNDS * CHAINS * (double)(sizeof factor / sizeof factor[0]) /
           bench_median(seconds, BENCH_REPEATS);
}
