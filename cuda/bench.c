/* How fast is a GPU? Medians of wall-clock times, and ratios to this processor's one
 * core, measured in the same run; --small for a look. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "ceiling.h"
#include "gpu.h"
#include "simd.h"
#include "trial.h"

enum { REPEATS = 5 };

struct bench {
    struct trial_world world;
    struct iris_gpu *gpu;
    struct iris_ceiling ceiling;
};

static int
order(const void *a, const void *b)
{
    double x = *(const double *)a, y = *(const double *)b;

    return (x > y) - (x < y);
}

static double
median(double *x, size_t n)
{
    qsort(x, n, sizeof *x, order);
    return n % 2 ? x[n / 2] : 0.5 * (x[n / 2 - 1] + x[n / 2]);
}

/* Seconds for a data point, maps included. */
static double
one_point(const struct bench *b, const struct trial_scene *s, double *strips)
{
    struct iris_err err = {0};
    struct trial_maps maps;
    double start = trial_now();
    int gas;

    trial_must(iris_gpu_part(b->gpu, &s->scene, &s->sampler, NULL, 0, s->pair.sky.lon_steps, strips,
                             &gas, &err),
               &err);
    trial_maps_init(&maps, s, strips);
    trial_maps_release(&maps);
    return trial_now() - start;
}

/* Seconds of one core for all longitudes, from some in the middle of each part. They
 * are many enough that the longitudes beside them, sampled for the blur, count little. */
static double
cpu_seconds(const struct trial_scene *s, size_t parts)
{
    size_t n = s->pair.sky.lon_steps, wide = n / parts < 16 ? n / parts : 16, i;
    double sum = 0;

    for (i = 0; i < parts; i++) {
        size_t lon = (2 * i + 1) * n / (2 * parts) - wide / 2;

        sum += trial_seconds(s, lon, lon + wide);
    }
    return sum / (double)(parts * wide) * (double)n;
}

/* Instructions in double for a sample and a cell that are compared (three differences,
 * three squares, two sums, one comparison), for a point that is walked on a step without
 * a line, and for one with a line, of which exp counts 16 and a division 9. */
enum { PER_COMPARED = 9, PER_WALKED = 2, PER_LINE = 32 };

/* A stage beside the rate that was measured of fused multiply-adds, one an instruction. */
static void
print_share(const struct bench *b, const char *name, double instructions, double seconds)
{
    double most = b->ceiling.fma_double;

    if (seconds > 0 && most > 0)
        printf("    %s: %.3g instructions in double, %.3g of %.3g a second: %.0f %%\n", name,
               instructions, instructions / seconds, most, 100 * instructions / seconds / most);
}

/* What a point's stages take, which is more than the whole: they do not overlap. */
static void
print_stages(const struct bench *b, const struct trial_scene *s, double *strips)
{
    static const char *const name[IRIS_GPU_STAGES] = {"sampling", "blurring", "steps",
                                                      "marching", "exact",    "reducing"};
    struct iris_gpu_spent spent;
    size_t i;

    iris_gpu_watch(b->gpu, 1);
    one_point(b, s, strips);
    iris_gpu_spent(b->gpu, &spent);
    iris_gpu_watch(b->gpu, 0);
    printf("   ");
    for (i = 0; i < IRIS_GPU_STAGES; i++)
        printf(" %s %.1f ms;", name[i], 1e3 * spent.seconds[i]);
    if (spent.points)
        printf(" %.3g points and steps, %.3g walked, %.3g with a line", (double)spent.points,
               (double)spent.walked, (double)spent.lines);
    putchar('\n');
    print_share(b, name[IRIS_GPU_SAMPLING], PER_COMPARED * (double)spent.compared,
                spent.seconds[IRIS_GPU_SAMPLING]);
    if (spent.points)
        print_share(b, name[IRIS_GPU_MARCHING],
                    PER_WALKED * (double)spent.walked + PER_LINE * (double)spent.lines,
                    spent.seconds[IRIS_GPU_MARCHING]);
}

static void
measure_point(const struct bench *b, const struct trial_view *view, const struct trial_law *law,
              size_t parts, const char *name)
{
    struct trial_scene s;
    double t[REPEATS], first, gpu, cpu, *strips;
    size_t i;

    trial_scene_init(&s, &b->world, view, law);
    strips = trial_need(view->lon * trial_strip(&s) * sizeof *strips);
    first = one_point(b, &s, strips);
    for (i = 0; i < REPEATS; i++)
        t[i] = one_point(b, &s, strips);
    gpu = median(t, REPEATS);
    cpu = cpu_seconds(&s, parts);
    printf("  %-32s %8.3f s   first %8.3f s   one core %8.2f s   %6.0f x   %7.2f ns a sample\n",
           name, gpu, first, cpu, cpu / gpu, 1e9 * gpu / (double)(view->r * view->lon * view->lat));
    print_stages(b, &s, strips);
    free(strips);
    iris_gpu_forget(b->gpu); /* the next scene may stand where this one stood */
    trial_scene_release(&s);
}

/* ---- sampling alone ---- */

static double
one_tile(const struct bench *b, const struct trial_scene *s, const struct iris_tile *t, int by_gpu,
         float *const field[IRIS_FIELDS])
{
    struct iris_sampler sampler = s->sampler;
    struct iris_err err = {0};
    double start = trial_now();

    sampler.kernels = iris_kernels_best();
    trial_must(by_gpu ? iris_gpu_tile(b->gpu, &sampler, t, field, &err)
                      : iris_sampler_tile(&sampler, t, field, &err),
               &err);
    return trial_now() - start;
}

static void
measure_tile(const struct bench *b, const struct trial_view *view)
{
    enum { SOME = 64, FEW = 8 };
    size_t n = view->lon < SOME ? view->lon : SOME, first = (view->lon - n) / 2, f, i;
    struct iris_tile t = {.r1 = view->r, .lon0 = first, .lon1 = first + n, .lat1 = view->lat};
    double all = (double)view->r * (double)n * (double)view->lat, gpu[REPEATS], cpu;
    float *field[IRIS_FIELDS];
    struct trial_law law = {0};
    struct trial_scene s;

    trial_scene_init(&s, &b->world, view, &law);
    for (f = 0; f < IRIS_FIELDS; f++)
        field[f] = trial_need((size_t)all * sizeof **field);
    one_tile(b, &s, &t, 1, field);
    for (i = 0; i < REPEATS; i++)
        gpu[i] = one_tile(b, &s, &t, 1, field) / all;
    t.lon1 = t.lon0 + (n < FEW ? n : FEW);
    cpu = one_tile(b, &s, &t, 0, field) / all * (double)n / (double)(t.lon1 - t.lon0);
    printf("  samples brought back, of %3zu lon %8.2f ns   one core %8.1f ns   %6.0f x\n", n,
           1e9 * median(gpu, REPEATS), 1e9 * cpu, cpu / median(gpu, REPEATS));
    for (f = 0; f < IRIS_FIELDS; f++)
        free(field[f]);
    iris_gpu_forget(b->gpu); /* the next scene may stand where this one stood */
    trial_scene_release(&s);
}

static void
measure_ceilings(struct bench *b)
{
    iris_ceiling_measure(0, &b->ceiling);
    printf("  copying memory %.0f GB/s; fused multiply-adds %.2f 10^12/s in double, %.2f in "
           "single\n",
           b->ceiling.bytes / 1e9, b->ceiling.fma_double / 1e12, b->ceiling.fma_single / 1e12);
}

static void
measure_all(const struct bench *b, int small)
{
    struct trial_law smooth = {0}, formal = {.integration = IRIS_FORMAL};
    struct trial_law thin = {.transfer = IRIS_THIN}, simple = {.simple = 1}, max = {.max = 1};
    struct trial_view view = trial_preset;

    if (small) {
        view.r = view.crop_max = 64;
        view.lon = 32;
        view.lat = 16;
        view.v = 64;
    }
    measure_tile(b, &view);
    measure_point(b, &view, &smooth, 4, "the main preset");
    measure_point(b, &view, &formal, 2, "formal");
    measure_point(b, &view, &thin, 2, "thin");
    measure_point(b, &view, &max, 2, "maximum");
    measure_point(b, &view, &simple, 2, "simple");
    if (!small)
        measure_point(b, &trial_cone, &smooth, 1, "the full cone");
}

int
main(int argc, char **argv)
{
    int n = 0, small = argc > 1 && !strcmp(argv[1], "--small");
    struct iris_err err = {0};
    struct bench b;

    if (iris_gpu_count(&n, &err)) {
        fprintf(stderr, "no GPU: %s\n", err.msg);
        return IRIS_E_IO;
    }
    setvbuf(stdout, NULL, _IOLBF, 0);
    trial_must(iris_gpu_open(0, &b.gpu, &err), &err);
    printf("%s; this processor: %s\n", iris_gpu_name(b.gpu), iris_kernels_best()->name);
    measure_ceilings(&b);
    trial_world_init(&b.world, small ? 20000 : 2000000, small);
    measure_all(&b, small);
    printf("  memory: %.0f MiB, beside the snapshot %.0f MiB\n",
           (double)iris_gpu_peak(b.gpu) / 0x1p20, (double)iris_gpu_peak_point(b.gpu) / 0x1p20);
    iris_gpu_close(b.gpu);
    trial_world_release(&b.world);
    return 0;
}
