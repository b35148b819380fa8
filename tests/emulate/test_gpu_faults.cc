/* Whatever call of CUDA fails, and however little memory there is: the GPU path says
 * so, leaks nothing, and makes the same when it is asked again. And what is no number
 * stays none. */
#include "emulate.h"

#include <stdio.h>
#include <stdlib.h>

#include <string>
#include <vector>

#include "check.h"

extern "C" {
#include "gpu.h"
#include "trial.h"
}

struct point {
    trial_world world;
    trial_scene scene;
    std::vector<double> strips;
};

static iris_status
make(const point &p, iris_gpu *gpu, std::vector<double> &strips, iris_err *err)
{
    int gas = 0;

    strips.assign(p.strips.size(), -1);
    return iris_gpu_part(gpu, &p.scene.scene, &p.scene.sampler, nullptr, 0,
                         p.scene.pair.sky.lon_steps, strips.data(), &gas, err);
}

/* Open, make, and after a failure make again; false: a wrong answer. */
static bool
survives(const point &p, const char *name, const char *value, bool *failed)
{
    std::vector<double> strips;
    iris_gpu *gpu = nullptr;
    iris_err err = {};
    iris_status st;
    bool right;

    emulated_set(name, value);
    st = iris_gpu_open(0, &gpu, &err);
    if (!st)
        st = make(p, gpu, strips, &err);
    emulated_set(name, nullptr);
    *failed = st != IRIS_OK;
    right = st ? st == IRIS_E_IO && *err.msg : strips == p.strips;
    if (gpu) {
        right = !make(p, gpu, strips, &err) && strips == p.strips && right;
        iris_gpu_close(gpu);
    }
    if (!right)
        printf("# %s=%s: %d, %s\n", name, value, (int)st, err.msg);
    if (emulated_count().live)
        printf("# %s=%s: %zu allocations are left\n", name, value, emulated_count().live);
    return right && emulated_count().live == 0;
}

static void
test_calls(const point &p, const char *rest)
{
    size_t k = 0, wrong = 0;
    bool failed = true;

    while (failed && ++k < 10000)
        wrong += !survives(p, "IRIS_EMULATED_FAIL", (std::to_string(k) + rest).c_str(), &failed);
    CHECK(k > 10 && !failed && wrong == 0, "the failure of each of %zu calls%s", k - 1,
          *rest ? " and of all after it" : "");
}

static void
test_memory(const point &p, size_t peak)
{
    size_t i, fails = 0, wrong = 0;
    bool failed;

    for (i = 0; i < 24; i++) {
        wrong += !survives(p, "IRIS_EMULATED_MEMORY", std::to_string(peak * i / 24).c_str(),
                           &failed);
        fails += failed;
    }
    CHECK(fails > 0 && wrong == 0, "%zu of 24 sizes of memory are too small", fails);
    wrong = !survives(p, "IRIS_EMULATED_MEMORY", std::to_string(peak).c_str(), &failed);
    CHECK(!failed && !wrong, "what was taken once is enough");
}

static void
test_none()
{
    static const char *const gpus[] = {"0", "-1"};
    iris_err err = {};
    int n = 7;

    for (const char *g : gpus) {
        emulated_set("IRIS_EMULATED_GPUS", g);
        CHECK(iris_gpu_count(&n, &err) == IRIS_E_IO && n == 0, "%s GPUs: %s", g, err.msg);
    }
    emulated_set("IRIS_EMULATED_GPUS", nullptr);
}

static void
test_point(point &p, const trial_law &law, const char *name)
{
    trial_view view = trial_preset;
    iris_gpu *gpu = nullptr;
    iris_err err = {};
    size_t peak;

    printf("# %s\n", name);
    view.r = view.crop_max = 12;
    view.lon = 6;
    view.lat = 4;
    view.v = 8;
    trial_scene_init(&p.scene, &p.world, &view, &law);
    p.strips.resize(view.lon * trial_strip(&p.scene));
    emulated_again();
    trial_must(iris_gpu_open(0, &gpu, &err), &err);
    {
        std::vector<double> strips;

        trial_must(make(p, gpu, strips, &err), &err);
        p.strips = strips;
    }
    peak = emulated_count().peak;
    iris_gpu_close(gpu);
    CHECK(emulated_count().live == 0, "all memory is given back");
    test_calls(p, "");
    test_calls(p, "+");
    test_memory(p, peak);
    trial_scene_release(&p.scene);
}

/* Lines that are amplified beyond all numbers, by more and more. */
static void
test_runaway(point &p, iris_integration integration, const char *name)
{
    size_t lon[] = {0, 1, 2, 3}, wild = 0, differ = 0;
    trial_view view = trial_preset;
    iris_gpu *gpu = nullptr;
    trial_law law = {};
    iris_err err = {};
    double by;

    law.integration = integration;
    law.table = TRIAL_MASER;
    law.turbulent = 1;
    view.r = 2048;
    view.lon = 4;
    view.lat = 2;
    view.v = view.crop_max = 8;
    trial_must(iris_gpu_open(0, &gpu, &err), &err);
    for (by = 1e9; by < 1e12; by *= 3) {
        std::vector<double> ours, theirs;

        trial_scene_init(&p.scene, &p.world, &view, &law);
        p.scene.line[0].abundance.value = by;
        p.scene.line[0].v_turb *= 100;
        p.strips.resize(view.lon * trial_strip(&p.scene));
        theirs.resize(p.strips.size());
        trial_must(make(p, gpu, ours, &err), &err);
        trial_strips(&p.scene, 1, lon, view.lon, theirs.data());
        for (size_t i = 0; i < theirs.size(); i++) {
            wild += !isfinite(theirs[i]);
            differ += !isfinite(theirs[i]) != !isfinite(ours[i]);
        }
        iris_gpu_forget(gpu);
        trial_scene_release(&p.scene);
    }
    iris_gpu_close(gpu);
    CHECK(wild && !differ, "%s: %zu values are no numbers, %zu of one device only", name, wild,
          differ);
}

int
main()
{
    trial_law thick = {}, formal = {};
    point p = {};
    int n;

    if (!iris_gpu_is_built()) {
        printf("1..0 # SKIP no GPU path\n");
        return 0;
    }
    trial_world_init(&p.world, 2000, 1);
    trial_must(iris_gpu_count(&n, nullptr), nullptr);
    test_none();
    test_point(p, thick, "thick");
    formal.integration = IRIS_FORMAL;
    formal.max = 1;
    formal.abundance = IRIS_ABUNDANCE_TABLE;
    formal.two_lines = 1;
    test_point(p, formal, "formal, maximum, abundance of a table, two lines");
    test_runaway(p, IRIS_SMOOTH, "a runaway maser");
    test_runaway(p, IRIS_FORMAL, "a runaway maser, formal");
    trial_world_release(&p.world);
    return check_done();
}
