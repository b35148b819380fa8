#include <stdlib.h>

#include "gen_master.h"

static enum iris_status
decide(const struct gen_job *job, const struct iris_dataset *dataset, const struct iris_variant *v,
       int looks, int *on_gpu, enum iris_arithmetic *is, struct iris_err *err)
{
    struct cli_gpu_point point = {.has_gpu = job->has_gpus,
                                  .is_exact = v->run.type != IRIS_SYNTHETIC || v->run.precise,
                                  .looks = looks};

    return cli_gpu_decide(&job->o->gpu, &point, dataset, v->digest, on_gpu, is, err);
}

enum iris_status
gen_look_device(const struct gen_job *job, const struct iris_dataset *dataset,
                const struct iris_variant *v, int *on_gpu, struct iris_err *err)
{
    enum iris_arithmetic is;

    return decide(job, dataset, v, 1, on_gpu, &is, err);
}

enum iris_status
gen_choose_device(struct gen_master *m, size_t snapshot, struct iris_err *err)
{
    const struct iris_variant *v = gen_variant_of(m, snapshot);
    unsigned char *list = realloc(m->on_gpu, snapshot + 1);
    enum iris_arithmetic is;
    enum iris_status st;
    int on_gpu = 0;

    if (!list)
        return iris_fail_memory(err);
    m->on_gpu = list;
    list[snapshot] = 0;
    if (!m->plan->snapshot[snapshot].left)
        return IRIS_OK; /* what is there stays, whoever made it */
    st = decide(m->job, m->job->dataset, v, 0, &on_gpu, &is, err);
    if (st)
        return st;
    list[snapshot] = (unsigned char)on_gpu;
    if (!on_gpu && m->job->has_gpus && is == IRIS_ARITHMETIC_CPU && !m->told_device &&
        m->job->o->gpu.device == CLI_DEVICE_AUTO) {
        m->told_device = 1;
        cli_gpu_tell_cpu(m->job->cli, v->digest);
    }
    return IRIS_OK;
}
