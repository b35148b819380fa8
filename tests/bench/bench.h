/* bench -- what the measuring programs share: a clock and medians. Times are
 * processor time of this thread, so that other work on the machine disturbs
 * little. Ratios are of numbers measured in one run. */
#ifndef BENCH_H
#define BENCH_H

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

enum { BENCH_REPEATS = 5 };

static inline double
bench_now(void)
{
    struct timespec t;

    clock_gettime(CLOCK_THREAD_CPUTIME_ID, &t);
    return (double)t.tv_sec + 1e-9 * (double)t.tv_nsec;
}

static inline int
bench_order(const void *a, const void *b)
{
    double x = *(const double *)a, y = *(const double *)b;

    return (x > y) - (x < y);
}

/* The median of n numbers, which are sorted. */
static inline double
bench_median(double *x, size_t n)
{
    qsort(x, n, sizeof *x, bench_order);
    return n % 2 ? x[n / 2] : 0.5 * (x[n / 2 - 1] + x[n / 2]);
}

/* BENCH=full in the environment: the long cases too. */
static inline int
bench_full(void)
{
    const char *mode = getenv("BENCH");

    return mode && !strcmp(mode, "full");
}

static inline void *
bench_need(void *p)
{
    if (!p) {
        fprintf(stderr, "no memory\n");
        exit(74);
    }
    return p;
}

#endif
