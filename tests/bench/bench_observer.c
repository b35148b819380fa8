/* How fast the rays of a stored tensor are observed: the fast arithmetic in all
 * kinds of transfer, against a dense version of optically thick, smooth transfer in
 * vectors of single precision, a scalar one in double, and the precise arithmetic.
 * Seconds are for the 65,536 rays of a data point of the main preset.
 *
 *   bench_observer HYPER LINES TENSOR   of 512 steps and 512 channels
 */
#include <math.h>
#include <stdint.h>

#include "bench.h"
#include "dense.h"
#include "lines.h"
#include "observe.h"
#include "peak.h"
#include "tensor.h"

enum { RAYS_OF_A_POINT = 512 * 128, COLUMNS = 4 };

/* Some columns of the tensor. */
struct rays {
    size_t r, n_lat, channels;
    float *field; /* [COLUMNS][IRIS_FIELDS][r][n_lat] */
    double *v;    /* [COLUMNS][r][n_lat] */
    double *out;  /* [n_lat][channels] */
};

static void
need(enum iris_status st, const struct iris_err *err)
{
    if (st) {
        fprintf(stderr, "bench_observer: %s\n", err->msg);
        exit((int)st);
    }
}

static void
read_rays(struct rays *rays, const char *path, struct iris_err *err)
{
    struct iris_tensor t;
    float *field[IRIS_FIELDS];
    size_t n, lon, i;
    int f;

    need(iris_tensor_open(path, &t, err), err);
    rays->r = t.n_r;
    rays->n_lat = t.n_lat;
    n = t.n_r * t.n_lat;
    rays->field = bench_need(malloc(COLUMNS * IRIS_FIELDS * n * sizeof *rays->field));
    rays->v = bench_need(malloc(COLUMNS * n * sizeof *rays->v));
    for (lon = 0; lon < COLUMNS; lon++) {
        for (f = 0; f < IRIS_FIELDS; f++)
            field[f] = rays->field + (lon * IRIS_FIELDS + (size_t)f) * n;
        need(iris_tensor_column(&t, lon * (t.n_lon / COLUMNS), 0, t.n_lat, 0, t.n_r, field, err),
             err);
        for (i = 0; i < n; i++)
            rays->v[lon * n + i] = (double)field[IRIS_V_R][i];
    }
    iris_tensor_close(&t);
}

/* The rays of a column. */
static void
observe(const struct rays *rays, const struct iris_observer *o, size_t lon)
{
    size_t n = rays->r * rays->n_lat, f;
    struct iris_column c = {
        .n_rays = rays->n_lat, .n_own = rays->n_lat, .n_r = rays->r, .stride = rays->n_lat};

    c.v = rays->v + lon * n;
    for (f = 0; f < IRIS_FIELDS; f++)
        c.field[f] = rays->field + (lon * IRIS_FIELDS + f) * n;
    o->observe(o->self, &c, rays->out);
}

/* Seconds for all rays of a point, the median of repeats. */
static double
measure(const struct rays *rays, const struct iris_observer *o, size_t columns, int repeats)
{
    double seconds[BENCH_REPEATS], start;
    size_t lon;
    int k;

    for (k = 0; k < repeats; k++) {
        start = bench_now();
        for (lon = 0; lon < columns; lon++)
            observe(rays, o, lon);
        seconds[k] = bench_now() - start;
    }
    return bench_median(seconds, (size_t)repeats) / (double)(columns * rays->n_lat) *
           RAYS_OF_A_POINT;
}

/* The yardsticks get their steps ready made: only what is done on every channel is
 * measured. */
static struct dense_step *
dense_steps(const struct rays *rays, size_t ray)
{
    struct dense_step *step = bench_need(malloc(rays->r * sizeof *step));
    size_t s;

    for (s = 0; s < rays->r; s++)
        step[s] = (struct dense_step){
            rays->field[s * rays->n_lat + ray], 500, 3e-12f, 1e-12f, 3e-13f, 1e-13f};
    return step;
}

static double
measure_dense(const struct rays *rays)
{
    enum { DENSE = 32 };
    size_t n = 2 * rays->channels + 1, i, k, s;
    float *memory = bench_need(malloc(5 * n * sizeof *memory)), *v = memory + 4 * n;
    double seconds[BENCH_REPEATS], start;

    for (i = 0; i < n; i++)
        v[i] = -2 + 4 * (float)i / (float)(n - 1);
    for (k = 0; k < BENCH_REPEATS; k++) {
        seconds[k] = 0;
        for (i = 0; i < DENSE; i++) {
            struct dense_step *step = dense_steps(rays, i);

            for (s = 0; s < n; s++)
                memory[s] = memory[n + s] = 1;
            start = bench_now();
            dense_smooth(step, rays->r, 2.7e11f, v, n, memory, memory + n, memory + 2 * n);
            seconds[k] += bench_now() - start;
            free(step);
        }
    }
    free(memory);
    return bench_median(seconds, BENCH_REPEATS) / DENSE * RAYS_OF_A_POINT;
}

static double
measure_scalar(const struct rays *rays)
{
    enum { SCALAR = 8 };
    size_t n = 2 * rays->channels + 1, i, k, c;
    double seconds[BENCH_REPEATS], start;
    volatile double sink = 0;

    for (k = 0; k < BENCH_REPEATS; k++) {
        seconds[k] = 0;
        for (i = 0; i < SCALAR; i++) {
            struct dense_step *step = dense_steps(rays, i);

            start = bench_now();
            for (c = 0; c < n; c++)
                sink = sink + scalar_smooth(step, rays->r, 2.7e11,
                                            -2 + 4 * (double)c / (double)(n - 1), 1);
            seconds[k] += bench_now() - start;
            free(step);
        }
    }
    return bench_median(seconds, BENCH_REPEATS) / SCALAR * RAYS_OF_A_POINT;
}

/* The least for optically thick, smooth transfer. The steps of a ray take about 260
 * additions and multiplications in double each (counted in kernel_matter.h and
 * kernel_smooth.c: the place in the table 45, interpolation 12, line and dust 110,
 * continuum 25, factor 15, parabolas 25, place and size of the line 30), besides 6
 * divisions; what the channels take comes on top. Their samples, 28 bytes each, are
 * read once. */
static void
roofline(const struct rays *rays, double ours)
{
    enum { PAIRS = 130, BYTES = 28 };
    double samples = (double)RAYS_OF_A_POINT * (double)rays->r, peak = peak_pairs();
    double least = samples * PAIRS / peak;

    printf(
        "  roofline %.2f s for the steps alone: %d multiplications and as many additions each, at "
        "%.1f thousand million of both a second; all of it takes %.1f times as long, and reads "
        "%.1f GB\n",
        least, PAIRS, peak * 1e-9, ours / least, samples * BYTES * 1e-9);
}

static const struct {
    const char *name, *transfer, *integration;
} kinds[] = {
    {"optically thick, smooth", "\"optically thick\"", "\"smooth\""},
    {"optically thick, formal", "\"optically thick\"", "\"formal\""},
    {"selectively thin, smooth", "\"selectively thin\"", "\"smooth\""},
    {"optically thin, smooth", "\"optically thin\"", "\"smooth\""},
};

static double
measure_kind(const struct rays *rays, struct iris_hyper *h, const struct iris_lines *lines,
             size_t kind, int precise, struct iris_err *err)
{
    struct iris_observe o;
    double seconds;

    need(iris_hyper_set(h, "suite_hyper.transfer", kinds[kind].transfer, err), err);
    need(iris_hyper_set(h, "suite_hyper.integration", kinds[kind].integration, err), err);
    need(iris_observe_init(&o, h, IRIS_SYNTHETIC, lines, NULL, precise, err), err);
    seconds = measure(rays, &o.observer, precise ? 1 : COLUMNS, precise ? 3 : BENCH_REPEATS);
    iris_observe_release(&o);
    return seconds;
}

int
main(int argc, char **argv)
{
    struct iris_hyper *h = NULL;
    struct iris_buf warnings = {0};
    struct iris_lines lines = {0};
    struct iris_settings s;
    struct iris_err err = {0};
    struct rays rays = {0};
    double dense, scalar, precise, ours, first = 0;
    size_t k;

    if (argc != 4)
        return 64;
    need(iris_hyper_read(argv[1], &h, &err), &err);
    iris_hyper_settings(h, &s);
    need(iris_lines_init(&lines, h, &warnings, &err), &err);
    need(iris_lines_read(&lines, h, argv[2], &err), &err);
    read_rays(&rays, argv[3], &err);
    rays.channels = (size_t)s.cube.v_steps;
    rays.out = bench_need(malloc(rays.n_lat * rays.channels * sizeof *rays.out));
    printf("observing %zu rays of %zu steps on %zu channels; seconds for %d rays\n",
           COLUMNS * rays.n_lat, rays.r, rays.channels, RAYS_OF_A_POINT);
    dense = measure_dense(&rays);
    scalar = measure_scalar(&rays);
    precise = measure_kind(&rays, h, &lines, 0, 1, &err);
    printf("  %-28s %8.2f s  %.3f ns a ray, step and fine channel\n", "dense, thick, smooth", dense,
           dense * 1e9 / RAYS_OF_A_POINT / (double)rays.r / (double)(2 * rays.channels + 1));
    printf("  %-28s %8.2f s\n", "scalar, double", scalar);
    printf("  %-28s %8.2f s\n", "precise, thick, smooth", precise);
    for (k = 0; k < sizeof kinds / sizeof kinds[0]; k++) {
        ours = measure_kind(&rays, h, &lines, k, 0, &err);
        printf("  %-28s %8.2f s  %5.1f times faster than dense, %5.1f than scalar, %5.1f than "
               "precise\n",
               kinds[k].name, ours, dense / ours, scalar / ours, precise / ours);
        first = k ? first : ours;
    }
    roofline(&rays, first);
    free(rays.field);
    free(rays.v);
    free(rays.out);
    iris_lines_release(&lines);
    iris_buf_release(&warnings);
    iris_hyper_free(h);
    return 0;
}
