/* pool_tasks -- what a task costs beside its work, and what ranks that wait use.
 *
 *   mpirun -n N pool_tasks [-i]
 *
 * Rank 0 hands out tasks and does some itself, as iris-gen does. -i: one of the
 * others has one long task instead, and the rest wait. */
#include <sys/resource.h>
#include <unistd.h>

#include "bench.h"
#include "pool.h"

enum { TASKS = 10000, RANKS = 64, LONG_MS = 3000 };

static double
wall(void)
{
    struct timespec t;

    clock_gettime(CLOCK_MONOTONIC, &t);
    return (double)t.tv_sec + 1e-9 * (double)t.tv_nsec;
}

static void
need(enum iris_status st, const struct iris_err *err)
{
    if (st) {
        fprintf(stderr, "pool_tasks: %s\n", err->msg);
        exit((int)st);
    }
}

/* A task: so many microseconds of work. The last one has -1. */
static void
send(struct iris_pool *pool, int to, int us)
{
    struct iris_buf text = {0};
    struct iris_err err = {0};

    iris_buf_printf(&text, "%d", us);
    need(iris_pool_send(pool, to, &text, &err), &err);
    iris_buf_release(&text);
}

static void
work(int us)
{
    double end = bench_now() + 1e-6 * us;

    while (us > 0 && bench_now() < end)
        ;
}

static double
processor(void)
{
    struct rusage u;

    getrusage(RUSAGE_SELF, &u);
    return (double)(u.ru_utime.tv_sec + u.ru_stime.tv_sec) +
           1e-6 * (double)(u.ru_utime.tv_usec + u.ru_stime.tv_usec);
}

/* Answers with the processor time that it used meanwhile. */
static void
serve(struct iris_pool *pool)
{
    struct iris_buf text = {0}, answer = {0};
    struct iris_err err = {0};
    double begin = processor();
    unsigned idle = 0;
    int from, us = 0;

    while (us >= 0) {
        need(iris_pool_poll(pool, &from, &text, &err), &err);
        if (from < 0) {
            iris_pool_nap(&idle);
            continue;
        }
        idle = 0;
        us = atoi(iris_buf_str(&text));
        work(us);
        iris_buf_clear(&answer);
        iris_buf_printf(&answer, "%.6f", processor() - begin);
        need(iris_pool_send(pool, 0, &answer, &err), &err);
    }
    iris_buf_release(&text);
    iris_buf_release(&answer);
}

/* Takes all answers that there are.
 *
 *   out  used  seconds of the processor, by rank
 */
static int
collect(struct iris_pool *pool, int busy[RANKS], double used[RANKS])
{
    struct iris_buf text = {0};
    struct iris_err err = {0};
    int from, n = 0;

    for (;; n++) {
        need(iris_pool_poll(pool, &from, &text, &err), &err);
        if (from < 0)
            break;
        busy[from] = 0;
        used[from] = atof(iris_buf_str(&text));
    }
    iris_buf_release(&text);
    return n;
}

/* Seconds for all tasks.
 *
 *   in  helps  whether rank 0 does some of them
 */
static double
hand_out(struct iris_pool *pool, int us, int helps)
{
    int busy[RANKS] = {0}, size = iris_pool_size(pool), left = TASKS, out = 0, rank;
    double used[RANKS], start = wall();
    unsigned idle = 0;

    while (left || out) {
        int came = collect(pool, busy, used);

        out -= came;
        for (rank = 1; rank < size && left; rank++) {
            if (busy[rank])
                continue;
            send(pool, rank, us);
            busy[rank] = 1;
            out++;
            left--;
        }
        if (left && helps) {
            left--;
            work(us);
        } else if (!came) {
            iris_pool_nap(&idle);
            continue;
        }
        idle = 0;
    }
    return wall() - start;
}

/* Milliseconds a task that are above what the cores could do. */
static void
measure_task(struct iris_pool *pool, int us, int helps)
{
    int cores = (int)sysconf(_SC_NPROCESSORS_ONLN), hands = iris_pool_size(pool) - !helps;
    double t[3], ms, least = 1e-3 * us / (hands < cores ? hands : cores);
    size_t k;

    for (k = 0; k < 3; k++)
        t[k] = hand_out(pool, us, helps);
    ms = 1e3 * bench_median(t, 3) / TASKS;
    printf("  of %4.1f ms, rank 0 %-14s %7.4f ms a task, %7.4f ms above the least\n", 1e-3 * us,
           helps ? "does some" : "only hands out", ms, ms - least);
}

static void
measure_tasks(struct iris_pool *pool)
{
    static const int us[] = {0, 100, 1000};
    size_t i;
    int rank;

    printf("%d tasks by %d ranks on %ld cores; the least is what the cores could do\n", TASKS,
           iris_pool_size(pool), sysconf(_SC_NPROCESSORS_ONLN));
    for (i = 0; i < sizeof us / sizeof us[0]; i++) {
        measure_task(pool, us[i], 1);
        measure_task(pool, us[i], 0);
    }
    for (rank = 1; rank < iris_pool_size(pool); rank++)
        send(pool, rank, -1);
    for (rank = 1; rank < iris_pool_size(pool);) {
        int busy[RANKS];
        double used[RANKS];

        rank += collect(pool, busy, used);
    }
}

static void
measure_idle(struct iris_pool *pool)
{
    int busy[RANKS] = {0}, size = iris_pool_size(pool), rank, out = size - 2;
    double used[RANKS] = {0}, most, mine, start = wall();
    unsigned idle = 0;

    mine = processor();
    busy[1] = 1;
    send(pool, 1, 1000 * LONG_MS);
    while (busy[1]) {
        iris_pool_nap(&idle);
        collect(pool, busy, used);
    }
    start = wall() - start;
    most = mine = processor() - mine;
    for (rank = 1; rank < size; rank++)
        send(pool, rank, -1);
    for (out = size - 1, idle = 0; out; iris_pool_nap(&idle))
        out -= collect(pool, busy, used);
    for (rank = 2; rank < size; rank++)
        most = used[rank] > most ? used[rank] : most;
    printf("%d ranks of which one has a task of %d s\n", size, LONG_MS / 1000);
    printf("  rank 0, which waits   %7.4f of a core\n", mine / start);
    printf("  the most of all that wait %7.4f of a core\n", most / start);
}

int
main(int argc, char **argv)
{
    struct iris_pool *pool;
    struct iris_err err = {0};

    need(iris_pool_start(&pool, &err), &err);
    if (iris_pool_size(pool) < 2 || iris_pool_size(pool) > RANKS)
        return 64;
    if (iris_pool_rank(pool)) {
        serve(pool);
    } else if (argc > 1 && !strcmp(argv[1], "-i")) {
        measure_idle(pool);
    } else {
        measure_tasks(pool);
    }
    iris_pool_finish(pool);
    return 0;
}
