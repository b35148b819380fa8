#include "cli_gpu.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "clock.h"
#include "num.h"

enum { LEASES_MOST = 64, GPUS_MOST = 1024 };

/* To go to another GPU is to bring the snapshot there: not before the one that has it
 * was waited for so many seconds. */
static const double patience = 1;

/* ---- what is asked for ---- */

static enum iris_status
take_device(struct cli_gpu_options *o, const char *text, struct iris_err *err)
{
    uint64_t v;

    o->number = -1;
    if (!strcmp(text, "auto")) {
        o->device = CLI_DEVICE_AUTO;
    } else if (!strcmp(text, "cpu")) {
        o->device = CLI_DEVICE_CPU;
    } else if (!strcmp(text, "cuda")) {
        o->device = CLI_DEVICE_CUDA;
    } else if (!strncmp(text, "cuda:", 5) && !iris_parse_u64(text + 5, &v) && v < GPUS_MOST) {
        o->device = CLI_DEVICE_CUDA;
        o->number = (int)v;
    } else {
        return iris_fail(err, IRIS_E_USAGE, "bad device '%s': need auto, cpu, cuda or cuda:N",
                         text);
    }
    return IRIS_OK;
}

enum iris_status
cli_gpu_option(struct cli_gpu_options *o, int opt, const char *value, int *taken,
               struct iris_err *err)
{
    uint64_t v;

    *taken = 1;
    switch (opt) {
    case CLI_OPT_DEVICE:
        return take_device(o, value, err);
    case CLI_OPT_LEASES:
        if (iris_parse_u64(value, &v) || !v || v > LEASES_MOST)
            return iris_fail(err, IRIS_E_USAGE, "bad number '%s' of leases: need 1 to %d", value,
                             LEASES_MOST);
        o->leases = (size_t)v;
        return IRIS_OK;
    case CLI_OPT_MIX:
        o->mix = 1;
        return IRIS_OK;
    default:
        *taken = 0;
        return IRIS_OK;
    }
}

int
cli_gpu_count(const struct cli_gpu_options *o, char *why, size_t size)
{
    struct iris_err err = {0};
    int n = 0;

    if (iris_gpu_count(&n, &err)) {
        snprintf(why, size, "%s", err.msg);
        return 0;
    }
    *why = '\0';
    if (o->number < 0)
        return n;
    if (o->number < n)
        return 1;
    snprintf(why, size, "there is no number %d, but only %d in all", o->number, n);
    return 0;
}

int
cli_gpu_is_expected(const struct cli_gpu_options *o)
{
    const char *visible = getenv("CUDA_VISIBLE_DEVICES");

    return o->device == CLI_DEVICE_AUTO && iris_gpu_is_built() && (!visible || *visible);
}

/* ---- what points are made by ---- */

static enum iris_status
record(const struct cli_gpu_options *o, const struct iris_dataset *d, const char *digest,
       enum iris_arithmetic with, enum iris_arithmetic *is, struct iris_err *err)
{
    enum iris_status st = iris_arithmetic_set(d, digest, with, o->mix, is, err);
    struct iris_err why;

    if (st != IRIS_E_DATA || *is == IRIS_ARITHMETIC_ANY)
        return st;
    why = *err;
    if (with == IRIS_ARITHMETIC_CUDA)
        return iris_fail(err, st, "%s; --device=cpu goes on with it, --mix goes on with a GPU",
                         why.msg);
    return iris_fail(
        err, st, "%s; --device=cuda goes on where there is one, --mix goes on with the processor",
        why.msg);
}

enum iris_status
cli_gpu_decide(const struct cli_gpu_options *o, const struct cli_gpu_point *point,
               const struct iris_dataset *d, const char *digest, int *on_gpu,
               enum iris_arithmetic *is, struct iris_err *err)
{
    enum iris_status st = IRIS_OK;

    *is = IRIS_ARITHMETIC_ANY;
    *on_gpu = o->device != CLI_DEVICE_CPU && point->has_gpu;
    if (point->is_exact)
        return IRIS_OK;
    if (o->device == CLI_DEVICE_AUTO && !o->mix) {
        st = iris_arithmetic_get(d, digest, is, err);
        *on_gpu = *on_gpu && *is != IRIS_ARITHMETIC_CPU;
    }
    if (st || point->looks)
        return st;
    return record(o, d, digest, *on_gpu ? IRIS_ARITHMETIC_CUDA : IRIS_ARITHMETIC_CPU, is, err);
}

void
cli_gpu_tell_cpu(const struct iris_cli *cli, const char *digest)
{
    iris_cli_warn(cli,
                  "points of %s were made by a processor, so it makes the others; --mix takes a "
                  "GPU all the same",
                  digest);
}

/* ---- use ---- */

void
cli_gpu_start(struct cli_gpu *g, const struct cli_gpu_options *o, size_t first, int shared,
              const struct iris_pause *pause)
{
    *g = (struct cli_gpu){
        .o = o, .pause = pause, .first = first, .shared = shared, .lease = IRIS_LEASE_INIT};
}

static void
close_gpu(struct cli_gpu *g)
{
    iris_gpu_close(g->gpu);
    g->gpu = NULL;
}

void
cli_gpu_end(struct cli_gpu *g)
{
    close_gpu(g);
    if (g->o)
        iris_lease_end(&g->lease);
    free(g->bus);
    free(g->name);
    *g = (struct cli_gpu){.lease = IRIS_LEASE_INIT};
}

/* Which GPUs there are: leases are named by what the bus calls them. */
static enum iris_status
find(struct cli_gpu *g, struct iris_err *err)
{
    int from = g->o->number < 0 ? 0 : g->o->number, n, i;
    enum iris_status st;

    st = iris_gpu_count(&n, err);
    if (st)
        return st;
    n = g->o->number < 0 ? n : 1;
    free(g->bus);
    free(g->name);
    g->bus = calloc((size_t)n, sizeof *g->bus);
    g->name = calloc((size_t)n, sizeof *g->name);
    if (!g->bus || !g->name)
        return iris_fail_memory(err);
    for (i = 0; i < n && !st; i++) {
        g->name[i] = g->bus[i];
        st = iris_gpu_bus(from + i, g->bus[i], err);
    }
    g->n = st ? 0 : (size_t)n;
    return st;
}

static enum iris_status
open_gpu(struct cli_gpu *g, struct iris_err *err)
{
    size_t number = g->lease.what + (g->o->number < 0 ? 0 : (size_t)g->o->number);
    enum iris_status st;

    if (g->gpu && g->at == g->lease.what)
        return IRIS_OK;
    close_gpu(g); /* another one, which others need */
    st = iris_gpu_open((int)number, &g->gpu, err);
    if (st) {
        g->gpu = NULL;
        return st;
    }
    g->at = g->lease.what;
    snprintf(g->model, sizeof g->model, "%s", iris_gpu_name(g->gpu));
    return IRIS_OK;
}

static void
note_peak(struct cli_gpu *g)
{
    uint64_t peak = g->gpu ? iris_gpu_peak(g->gpu) : 0;

    if (peak > g->peak)
        g->peak = peak;
}

/* The GPU is given back with what a point takes of it, but not with the snapshot. */
static enum iris_status
give_back(struct cli_gpu *g, enum iris_status st)
{
    note_peak(g);
    if (st == IRIS_E_IO)
        close_gpu(g);
    else if (g->gpu && g->shared)
        iris_gpu_relax(g->gpu);
    iris_lease_end(&g->lease);
    return st;
}

static enum iris_status
take(struct cli_gpu *g, struct iris_err *err)
{
    struct iris_lease_law law = {.slots = g->o->leases};
    double start = iris_seconds();
    enum iris_status st = g->n ? IRIS_OK : find(g, err);

    if (st)
        return st;
    law.n = g->n;
    law.name = g->name;
    law.first = g->gpu ? g->at : g->first % g->n;
    law.patience = g->gpu ? patience : 0;
    if (g->waits)
        g->waits(g->waits_self, 1);
    st = iris_lease_take(&g->lease, &law, g->pause->fn, g->pause->self, err);
    if (g->waits)
        g->waits(g->waits_self, 0);
    g->waited += iris_seconds() - start;
    if (st)
        return st;
    st = open_gpu(g, err);
    return st ? give_back(g, st) : IRIS_OK;
}

/* Memory that others hold for a moment, or that is in pieces, may be there at the
 * second try. The words are CUDA's. */
static int
is_full(struct cli_gpu *g, enum iris_status st, const struct iris_err *err)
{
    if (st != IRIS_E_IO || !strstr(err->msg, "out of memory"))
        return 0;
    note_peak(g);
    iris_gpu_relax(g->gpu);
    return 1;
}

static enum iris_status
part(void *self, const struct iris_scene *scene, const struct iris_sampler *sampler,
     const struct iris_pause *pause, size_t lon0, size_t lon1, double *strips, int *gas,
     struct iris_err *err)
{
    struct cli_gpu *g = self;
    enum iris_status st;

    st = take(g, err);
    if (st)
        return st;
    st = iris_gpu_part(g->gpu, scene, sampler, pause, lon0, lon1, strips, gas, err);
    if (is_full(g, st, err))
        st = iris_gpu_part(g->gpu, scene, sampler, pause, lon0, lon1, strips, gas, err);
    return give_back(g, st);
}

static enum iris_status
tile(void *self, const struct iris_sampler *sampler, const struct iris_tile *t,
     float *const field[IRIS_FIELDS], struct iris_err *err)
{
    struct cli_gpu *g = self;
    enum iris_status st;

    st = take(g, err);
    if (st)
        return st;
    st = iris_gpu_tile(g->gpu, sampler, t, field, err);
    if (is_full(g, st, err))
        st = iris_gpu_tile(g->gpu, sampler, t, field, err);
    return give_back(g, st);
}

static void
forget(void *self)
{
    struct cli_gpu *g = self;

    if (g->gpu)
        iris_gpu_forget(g->gpu);
}

/* The lease lasts until the spectra are asked for. */
static enum iris_status
observer(void *self, const struct iris_scene *scene, struct iris_observer *o, struct iris_err *err)
{
    struct cli_gpu *g = self;
    enum iris_status st;

    st = take(g, err);
    if (st)
        return st;
    st = iris_gpu_observer(g->gpu, scene, o, err);
    if (is_full(g, st, err))
        st = iris_gpu_observer(g->gpu, scene, o, err);
    return st ? give_back(g, st) : IRIS_OK;
}

static enum iris_status
observed(void *self, int *gas, struct iris_err *err)
{
    struct cli_gpu *g = self;

    return give_back(g, iris_gpu_observed(g->gpu, gas, err));
}

struct iris_device
cli_gpu_device(struct cli_gpu *g)
{
    return (struct iris_device){.part = part,
                                .tile = tile,
                                .forget = forget,
                                .observer = observer,
                                .observed = observed,
                                .self = g};
}
