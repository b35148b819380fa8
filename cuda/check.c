/* Is what a GPU makes what this processor makes? TAP; --small is quick, for the
 * emulator. */
#include <stdint.h>
#include <string.h>

#include "check.h"
#include "gpu.h"
#include "simd.h"
#include "trial.h"

/* In the emulator: threads and blocks in any order, another at every launch. */
#ifdef TRIAL_SMALL
enum { SMALL = 1 };
#define SHUFFLE() setenv("IRIS_EMULATED_SEED", "1216", 0)
#else
enum { SMALL = 0 };
#define SHUFFLE() (void)0
#endif

struct bench {
    struct trial_world world;
    struct iris_gpu *gpu;
    int small;
    struct trial_view view; /* of modes */
};

/* ---- strips and maps of the GPU ---- */

static double *
gpu_strips(const struct bench *b, const struct trial_scene *s, size_t lon0, size_t lon1)
{
    double *strips = trial_need((lon1 - lon0) * trial_strip(s) * sizeof *strips);
    struct iris_err err = {0};
    int gas = 0;

    trial_must(iris_gpu_part(b->gpu, &s->scene, &s->sampler, NULL, lon0, lon1, strips, &gas, &err),
               &err);
    if (!gas && !s->scene.simple)
        CHECK(0, "there is gas");
    return strips;
}

/* The next scene may stand where this one stood. */
static void
leave_scene(const struct bench *b, struct trial_scene *s)
{
    iris_gpu_forget(b->gpu);
    trial_scene_release(s);
}

static double *
cpu_strips(const struct trial_scene *s)
{
    size_t n = s->pair.sky.lon_steps, i;
    size_t *lon = trial_need(n * sizeof *lon);
    double *strips = trial_need(n * trial_strip(s) * sizeof *strips);

    for (i = 0; i < n; i++)
        lon[i] = i;
    trial_strips(s, 1, lon, n, strips);
    free(lon);
    return strips;
}

static void
compare_maps(const struct trial_scene *s, const double *ours, const double *theirs,
             const char *name)
{
    struct trial_maps a, b;
    double column, observed;

    trial_maps_init(&a, s, ours);
    trial_maps_init(&b, s, theirs);
    column = trial_apart(a.column, b.column, a.n_column);
    observed = trial_apart(a.observed, b.observed, a.n_observed);
    CHECK(observed <= 1e-5 && column <= 1e-6, "%s: %.1e of the peak, column map %.1e", name,
          observed, column);
    trial_maps_release(&a);
    trial_maps_release(&b);
}

static void
check_law(const struct bench *b, const struct trial_view *view, const struct trial_law *law,
          const char *name)
{
    double *ours, *theirs;
    struct trial_scene s;

    trial_scene_init(&s, &b->world, view, law);
    ours = gpu_strips(b, &s, 0, view->lon);
    theirs = cpu_strips(&s);
    compare_maps(&s, ours, theirs, name);
    free(ours);
    free(theirs);
    leave_scene(b, &s);
}

/* ---- all that the settings can ask for ---- */

static void
check_transfers(const struct bench *b)
{
    static const char *const name[3][2] = {{"thick smooth", "thick formal"},
                                           {"selective smooth", "selective formal"},
                                           {"thin smooth", "thin formal"}};
    static const char *const less[] = {"I", "Tb", "continuum"};
    struct trial_law law = {0};
    char text[64];
    int t, i, k;

    for (t = 0; t < 3; t++) {
        for (i = 0; i < 2; i++) {
            for (k = 0; k < 3; k++) {
                law.transfer = (enum iris_transfer)t;
                law.integration = (enum iris_integration)i;
                law.subtraction = (enum iris_subtraction)k;
                /* Of a small difference of Tb other units keep no digits. */
                law.output = k == 1 ? 1 + IRIS_OUT_TB_K : 0;
                snprintf(text, sizeof text, "%s less %s", name[t][i], less[k]);
                check_law(b, &b->view, &law, text);
            }
        }
    }
}

static void
check_units(const struct bench *b)
{
    static const char *const name[] = {"I", "I Jy per Sr", "Trj", "Trj K", "Tb", "Tb K"};
    struct trial_law law = {0};
    char text[64];
    int i;

    for (i = 0; i < 6; i++) {
        law.output = 1 + i;
        law.subtraction = i < 4 ? IRIS_SUBTRACT_I : IRIS_SUBTRACT_TB;
        snprintf(text, sizeof text, "in units %s", name[i]);
        check_law(b, &b->view, &law, text);
    }
}

static void
check_modes(const struct bench *b)
{
    size_t i;

    for (i = 0; trial_modes[i].name; i++)
        check_law(b, &b->view, &trial_modes[i].law, trial_modes[i].name);
}

static void
check_sizes(const struct bench *b)
{
    struct trial_view odd = b->view, few = b->view, band = b->view;
    struct trial_law law = {0}, formal = {.integration = IRIS_FORMAL};
    struct trial_law thin = {.transfer = IRIS_THIN}, max = {.max = 1};

    odd.r = odd.crop_max = 37;
    odd.lon = 5;
    odd.lat = 3;
    odd.v = 7;
    check_law(b, &odd, &law, "odd sizes");
    check_law(b, &odd, &formal, "formal, odd sizes");
    check_law(b, &odd, &thin, "thin, odd sizes");
    check_law(b, &odd, &max, "maximum, odd sizes");
    few.r = 3;
    few.crop_min = 1;
    few.crop_max = 2;
    few.v = 2;
    check_law(b, &few, &law, "three steps, two channels");
    band.crop_min = 5;
    band.crop_max = 9;
    band.skew = 1.3;
    check_law(b, &band, &law, "skewed, a band of the column");
}

/* ---- sampling ---- */

static void
check_samples(const struct bench *b, const struct trial_view *view, size_t step, size_t many,
              const char *name)
{
    struct trial_law law = {0};
    struct trial_tally tally = {0};
    struct trial_scene s;
    size_t lon;

    trial_scene_init(&s, &b->world, view, &law);
    for (lon = 0; lon < view->lon; lon += step) {
        struct iris_tile t = {.r1 = view->r, .lon0 = lon, .lat1 = view->lat};

        t.lon1 = lon + many < view->lon ? lon + many : view->lon;
        trial_compare_tile(b->gpu, &s, &t, &tally);
    }
    CHECK(tally.other == 0, "%s: %zu samples, %zu differ, %zu ties among those looked at", name,
          tally.samples, tally.other, tally.ties);
    leave_scene(b, &s);
}

/* A part of a view, some fields, rows of another length. */
static void
check_tile(const struct bench *b)
{
    struct iris_tile t = {.r0 = 3, .r1 = 17, .lon0 = 2, .lon1 = 5, .lat0 = 1, .lat1 = 6, .row = 20};
    size_t rays = (t.lon1 - t.lon0) * (t.lat1 - t.lat0);
    size_t n = (t.r1 - t.r0) * t.row, r, k, same = 0, kept = 0;
    float *gpu = trial_need(n * sizeof *gpu), *cpu = trial_need(n * sizeof *cpu);
    float *of_gpu[IRIS_FIELDS] = {0}, *of_cpu[IRIS_FIELDS] = {0};
    struct trial_law law = {0};
    struct iris_err err = {0};
    struct trial_scene s;

    trial_scene_init(&s, &b->world, &b->view, &law);
    of_gpu[IRIS_T] = gpu;
    of_cpu[IRIS_T] = cpu;
    for (k = 0; k < n; k++)
        gpu[k] = -1;
    trial_must(iris_gpu_tile(b->gpu, &s.sampler, &t, of_gpu, &err), &err);
    s.sampler.kernels = iris_kernels_best();
    trial_must(iris_sampler_tile(&s.sampler, &t, of_cpu, &err), &err);
    for (r = 0; r < t.r1 - t.r0; r++) {
        same += !memcmp(gpu + r * t.row, cpu + r * t.row, rays * sizeof *gpu);
        for (k = rays; k < t.row && r + 1 < t.r1 - t.r0; k++)
            kept += (int)gpu[r * t.row + k] == -1;
    }
    CHECK(same == t.r1 - t.r0, "a tile of one field");
    CHECK(kept == (t.r1 - t.r0 - 1) * (t.row - rays), "what lies between rows is kept");
    free(gpu);
    free(cpu);
    leave_scene(b, &s);
}

/* Look out of the box of the simulation. */
static struct trial_view
far_view(const struct bench *b)
{
    struct trial_view v = b->view;

    v.r_max = 24000;
    v.scale = 1;
    return v;
}

static void
check_faces(struct bench *b)
{
    struct trial_view out = far_view(b), skewed = out;
    struct trial_law law = {0};
    struct iris_err err = {0};
    struct trial_scene s;
    double *strips;
    int gas;

    skewed.skew = 1.4;
    check_samples(b, &out, out.lon, out.lon, "open faces");
    b->world.cells.faces = IRIS_FACES_WRAP;
    check_samples(b, &out, out.lon, out.lon, "wrapped faces");
    check_samples(b, &skewed, out.lon, out.lon, "wrapped faces, skewed");
    b->world.cells.closed[0] = 1;
    check_samples(b, &out, out.lon, out.lon, "wrapped faces and walls");
    check_law(b, &out, &law, "wrapped faces and walls");
    b->world.cells.closed[0] = 0;
    b->world.cells.faces = IRIS_FACES_GUARD;
    check_samples(b, &b->view, b->view.lon, b->view.lon, "guarded faces");
    trial_scene_init(&s, &b->world, &out, &law);
    strips = trial_need(out.lon * trial_strip(&s) * sizeof *strips);
    CHECK(iris_gpu_part(b->gpu, &s.scene, &s.sampler, NULL, 0, out.lon, strips, &gas, &err) ==
              IRIS_E_DATA,
          "a guarded face is reached: %s", err.msg);
    free(strips);
    leave_scene(b, &s);
    b->world.cells.faces = IRIS_FACES_OPEN;
    iris_gpu_forget(b->gpu);
}

static void
check_sampling(struct bench *b)
{
    struct trial_view view = trial_preset, stretched;
    size_t many = 32;

    if (b->small) {
        view = b->view;
        many = 5;
    }
    check_samples(b, &view, many, many, "the main view");
    stretched = view;
    stretched.scale = 0.7;
    stretched.skew = 1.3;
    check_samples(b, &stretched, 2 * many, many, "scaled and skewed");
    if (!b->small)
        check_samples(b, &trial_cone, 101, 1, "the full cone");
    check_tile(b);
    check_faces(b);
}

/* ---- pieces ---- */

static void
check_limits(const struct bench *b)
{
    struct trial_law law = {0}, max = {.max = 1, .integration = IRIS_FORMAL};
    const uint64_t limit[] = {1, UINT64_C(1) << 20, UINT64_C(20) << 20, UINT64_C(300) << 20};
    size_t i, k, bytes;
    struct trial_scene s;

    for (k = 0; k < 2; k++) {
        double *all, *again;

        trial_scene_init(&s, &b->world, &b->view, k ? &max : &law);
        bytes = b->view.lon * trial_strip(&s) * sizeof *all;
        all = gpu_strips(b, &s, 0, b->view.lon);
        for (i = 0; i < sizeof limit / sizeof *limit; i++) {
            iris_gpu_limit(b->gpu, limit[i]);
            again = gpu_strips(b, &s, 0, b->view.lon);
            CHECK(!memcmp(all, again, bytes), "the same in %.3g MiB", (double)limit[i] / 0x1p20);
            free(again);
        }
        iris_gpu_limit(b->gpu, IRIS_GPU_POINT);
        free(all);
        leave_scene(b, &s);
    }
}

static int
stop(void *self)
{
    (void)self;
    return 1;
}

static void
check_parts(const struct bench *b)
{
    struct trial_law law = {.max = 1};
    const struct iris_pause pause = {stop, NULL};
    size_t n = b->view.lon, cut = n / 3 + 1, strip;
    double *all, *first, *last;
    struct iris_err err = {0};
    struct trial_scene s;
    int gas;

    trial_scene_init(&s, &b->world, &b->view, &law);
    strip = trial_strip(&s);
    all = gpu_strips(b, &s, 0, n);
    first = gpu_strips(b, &s, 0, cut);
    iris_gpu_relax(b->gpu);
    last = gpu_strips(b, &s, cut, n);
    CHECK(!memcmp(all, first, cut * strip * sizeof *all) &&
              !memcmp(all + cut * strip, last, (n - cut) * strip * sizeof *all),
          "parts have the bits of the whole");
    CHECK(iris_gpu_part(b->gpu, &s.scene, &s.sampler, &pause, 0, n, all, &gas, &err) ==
              IRIS_E_RETRY,
          "a pause that says stop");
    free(all);
    free(first);
    free(last);
    leave_scene(b, &s);
}

static void
check_observer(const struct bench *b)
{
    struct trial_law law = {0}, simple = {.simple = 1};
    size_t n = b->view.lon, k;

    for (k = 0; k < 2; k++) {
        struct iris_columns columns;
        struct iris_observer o;
        struct iris_err err = {0};
        struct trial_scene s;
        double *ours, *theirs;
        int gas = 0;

        trial_scene_init(&s, &b->world, &b->view, k ? &simple : &law);
        s.sampler.kernels = iris_kernels_best();
        columns = iris_columns_of_sampler(&s.sampler);
        ours = trial_need(n * trial_strip(&s) * sizeof *ours);
        trial_must(iris_gpu_observer(b->gpu, &s.scene, &o, &err), &err);
        CHECK(o.values == s.values, "values of an observer");
        trial_must(iris_pair_part(&s.pair, &columns, &o, NULL, 0, n, ours, &err), &err);
        trial_must(iris_gpu_observed(b->gpu, &gas, &err), &err);
        CHECK(gas || k, "the observer saw gas");
        theirs = cpu_strips(&s);
        compare_maps(&s, ours, theirs,
                     k ? "a simple observer of columns" : "an observer of columns");
        free(ours);
        free(theirs);
        leave_scene(b, &s);
    }
}

/* ---- whole presets ---- */

/* Some longitudes of a view of full size, by their strips; the peak is of those. */
static void
check_some(const struct bench *b, const struct trial_view *view, const struct trial_law *law,
           size_t many, const char *name)
{
    size_t *lon = trial_need(many * sizeof *lon), crop = view->crop_max - view->crop_min, strip, i,
           k;
    double off = 0, peak = 0, column_off = 0, column_peak = 0, *ours, *theirs;
    struct trial_scene s;

    trial_scene_init(&s, &b->world, view, law);
    strip = trial_strip(&s);
    ours = gpu_strips(b, &s, 0, view->lon);
    theirs = trial_need(many * strip * sizeof *theirs);
    for (i = 0; i < many; i++)
        lon[i] = (2 * i + 1) * view->lon / (2 * many);
    trial_strips(&s, 1, lon, many, theirs);
    for (i = 0; i < many; i++) {
        for (k = 0; k < strip; k++) {
            double b_value = theirs[i * strip + k], d = fabs(ours[lon[i] * strip + k] - b_value);
            double *most = k < crop ? &column_off : &off;
            double *top = k < crop ? &column_peak : &peak;

            *most = d > *most || !isfinite(d) ? d : *most;
            *top = fabs(b_value) > *top ? fabs(b_value) : *top;
        }
    }
    CHECK(off <= 1e-5 * peak && column_off <= 1e-6 * column_peak,
          "%s: %.1e of the peak, column map %.1e, %zu longitudes", name, off / peak,
          column_off / column_peak, many);
    free(lon);
    free(ours);
    free(theirs);
    leave_scene(b, &s);
}

static void
check_presets(const struct bench *b)
{
    struct trial_law smooth = {0}, formal = {.integration = IRIS_FORMAL};

    if (b->small)
        return;
    check_some(b, &trial_preset, &smooth, 32, "the main preset");
    check_some(b, &trial_preset, &formal, 32, "the main preset, formal");
    check_some(b, &trial_cone, &smooth, 8, "the full cone");
    check_some(b, &trial_cone, &formal, 8, "the full cone, formal");
}

/* ---- all ---- */

static struct trial_view
mode_view(int small)
{
    struct trial_view v = trial_preset;

    v.r = small ? 24 : 512;
    v.lon = small ? 8 : 48;
    v.lat = small ? 8 : 32;
    v.v = small ? 24 : 256;
    v.crop_max = v.r;
    return v;
}

static void
check_all(struct bench *b)
{
    check_sampling(b);
    check_transfers(b);
    check_units(b);
    check_modes(b);
    check_sizes(b);
    check_limits(b);
    check_parts(b);
    check_observer(b);
    check_presets(b);
    CHECK(iris_gpu_peak_point(b->gpu) <= IRIS_GPU_POINT && iris_gpu_peak_point(b->gpu) > 0,
          "memory beside the snapshot: %.0f MiB", (double)iris_gpu_peak_point(b->gpu) / 0x1p20);
}

int
main(int argc, char **argv)
{
    struct iris_err err = {0};
    struct bench b = {.small = SMALL || (argc > 1 && !strcmp(argv[1], "--small"))};
    int n = 0;

    setvbuf(stdout, NULL, _IOLBF, 0);
    SHUFFLE();
    if (iris_gpu_count(&n, &err)) {
        printf("1..0 # SKIP no GPU: %s\n", err.msg);
        return 0;
    }
    trial_must(iris_gpu_open(0, &b.gpu, &err), &err);
    printf("# %s\n", iris_gpu_name(b.gpu));
    b.view = mode_view(b.small);
    trial_world_init(&b.world, b.small ? 20000 : 2000000, b.small);
    check_all(&b);
    iris_gpu_close(b.gpu);
    trial_world_release(&b.world);
    return check_done();
}
