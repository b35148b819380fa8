/* A build without CUDA: no function finds a GPU. */
#include "gpu.h"

static enum iris_status
fail_none(struct iris_err *err)
{
    return iris_fail(err, IRIS_E_IO, "this build has no CUDA");
}

int
iris_gpu_is_built(void)
{
    return 0;
}

enum iris_status
iris_gpu_count(int *n, struct iris_err *err)
{
    *n = 0;
    return fail_none(err);
}

enum iris_status
iris_gpu_bus(int number, char bus[IRIS_GPU_BUS], struct iris_err *err)
{
    (void)number;
    bus[0] = 0;
    return fail_none(err);
}

enum iris_status
iris_gpu_open(int number, struct iris_gpu **g, struct iris_err *err)
{
    (void)number;
    *g = NULL;
    return fail_none(err);
}

void
iris_gpu_close(struct iris_gpu *g)
{
    (void)g;
}

const char *
iris_gpu_name(const struct iris_gpu *g)
{
    (void)g;
    return "none";
}

uint64_t
iris_gpu_peak(const struct iris_gpu *g)
{
    (void)g;
    return 0;
}

uint64_t
iris_gpu_peak_point(const struct iris_gpu *g)
{
    (void)g;
    return 0;
}

void
iris_gpu_limit(struct iris_gpu *g, uint64_t bytes)
{
    (void)g, (void)bytes;
}

enum iris_status
iris_gpu_part(void *gpu, const struct iris_scene *scene, const struct iris_sampler *sampler,
              const struct iris_pause *pause, size_t lon0, size_t lon1, double *strips, int *gas,
              struct iris_err *err)
{
    (void)gpu, (void)scene, (void)sampler, (void)pause;
    (void)lon0, (void)lon1, (void)strips, (void)gas;
    return fail_none(err);
}

enum iris_status
iris_gpu_tile(void *gpu, const struct iris_sampler *sampler, const struct iris_tile *tile,
              float *const field[IRIS_FIELDS], struct iris_err *err)
{
    (void)gpu, (void)sampler, (void)tile, (void)field;
    return fail_none(err);
}

void
iris_gpu_forget(void *gpu)
{
    (void)gpu;
}

enum iris_status
iris_gpu_observer(struct iris_gpu *g, const struct iris_scene *scene, struct iris_observer *o,
                  struct iris_err *err)
{
    (void)g, (void)scene;
    *o = (struct iris_observer){0};
    return fail_none(err);
}

enum iris_status
iris_gpu_observed(struct iris_gpu *g, int *gas, struct iris_err *err)
{
    (void)g;
    *gas = 0;
    return fail_none(err);
}

void
iris_gpu_relax(struct iris_gpu *g)
{
    (void)g;
}

void
iris_gpu_watch(struct iris_gpu *g, int is_on)
{
    (void)g, (void)is_on;
}

void
iris_gpu_spent(const struct iris_gpu *g, struct iris_gpu_spent *spent)
{
    (void)g;
    *spent = (struct iris_gpu_spent){0};
}
