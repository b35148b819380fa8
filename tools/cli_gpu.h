/* cli_gpu -- the GPUs that a program is told to use, or finds: one at a time, while
 * it has a lease of it. */
#ifndef IRIS_CLI_GPU_H
#define IRIS_CLI_GPU_H

#include <stdint.h>

#include "arithmetic.h"
#include "cli.h"
#include "device.h"
#include "err.h"
#include "gpu.h"
#include "lease.h"

/* ---- what is asked for ---- */

enum cli_device { CLI_DEVICE_AUTO, CLI_DEVICE_CPU, CLI_DEVICE_CUDA };

struct cli_gpu_options {
    enum cli_device device;
    int number;    /* of the only GPU, -1: any */
    size_t leases; /* of a GPU */
    int mix;       /* points of both arithmetics may be in one digest */
};
#define CLI_GPU_INIT                                                                               \
    {                                                                                              \
        .number = -1, .leases = 1                                                                  \
    }

/* Lines of a usage text. */
#define CLI_GPU_HELP                                                                               \
    "      --device=DEVICE    auto, cpu, cuda, or cuda:N for the N-th GPU only (auto)\n"           \
    "      --leases-per-gpu=K processes that may be at work on a GPU at a time (1)\n"              \
    "      --mix              go on where points were made by another device\n"

enum { CLI_OPT_DEVICE = 1050, CLI_OPT_LEASES, CLI_OPT_MIX };
#define CLI_GPU_LONG                                                                               \
    {"device", required_argument, NULL, CLI_OPT_DEVICE},                                           \
        {"leases-per-gpu", required_argument, NULL, CLI_OPT_LEASES},                               \
    {                                                                                              \
        "mix", no_argument, NULL, CLI_OPT_MIX                                                      \
    }

/*   return  IRIS_OK with *taken 0 or 1, or IRIS_E_USAGE */
enum iris_status cli_gpu_option(struct cli_gpu_options *o, int opt, const char *value, int *taken,
                                struct iris_err *err);

/* GPUs here that these options allow.
 *
 *   out  why  [size] where there are none
 */
int cli_gpu_count(const struct cli_gpu_options *o, char *why, size_t size);

/* Whether there should be one: a build that has CUDA, and nobody has said that there
 * are none. */
int cli_gpu_is_expected(const struct cli_gpu_options *o);

/* ---- what points are made by ---- */

struct cli_gpu_point {
    int has_gpu;  /* GPUs can be used */
    int is_exact; /* the same bytes on a GPU */
    int looks;    /* nothing is made: nothing is recorded */
};

/* By a GPU or not, and record that where it matters.
 *
 *   out  on_gpu
 *   out  is      what the points that are there were made by, ANY where it does not
 *                matter
 *
 *   return  IRIS_OK, or as iris_arithmetic_set: the sentence names the way out
 */
enum iris_status cli_gpu_decide(const struct cli_gpu_options *o, const struct cli_gpu_point *point,
                                const struct iris_dataset *d, const char *digest, int *on_gpu,
                                enum iris_arithmetic *is, struct iris_err *err);

/* That it was left to this program, and points that are there were made by a processor. */
void cli_gpu_tell_cpu(const struct iris_cli *cli, const char *digest);

/* ---- use ---- */

struct cli_gpu {
    const struct cli_gpu_options *o;
    const struct iris_pause *pause; /* called while it waits */
    size_t first;                   /* GPU that is tried first */
    int shared;                     /* others use it too */
    /* set by the caller after start: told that a lease is waited for, 1, and that the
     * wait is over, 0; NULL */
    void (*waits)(void *self, int waiting);
    void *waits_self;
    size_t n;                  /* GPUs, 0: not known yet */
    char (*bus)[IRIS_GPU_BUS]; /* [n] */
    const char **name;         /* [n] of leases, into bus */
    struct iris_lease lease;
    struct iris_gpu *gpu; /* open, NULL: none */
    size_t at;            /* its index */
    /* for reports */
    char model[128]; /* "": none was opened yet */
    uint64_t peak;   /* most memory taken of one, bytes */
    double waited;   /* seconds, for leases */
};

/* Nothing is opened before it is used, and no process may fork after that.
 *
 *   in   first   which of the GPUs to try first, any number
 *   in   shared  whether other processes use them too
 *   in   pause   kept by reference
 *   owns cli_gpu_end; safe on zeroed and twice
 */
void cli_gpu_start(struct cli_gpu *g, const struct cli_gpu_options *o, size_t first, int shared,
                   const struct iris_pause *pause);
void cli_gpu_end(struct cli_gpu *g);

/* Each of its functions waits for a lease. A failure of the GPU closes it, and the next
 * point begins anew. */
struct iris_device cli_gpu_device(struct cli_gpu *g);

#endif
