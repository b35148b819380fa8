#include <math.h>
#include <stdio.h>
#include <string.h>

#include "gen.h"
#include "num.h"

const char gen_usage[] =
    "usage: [mpirun -n N] iris-gen -H HYPER -t TYPE -d DATASET [MANIFEST]\n"
    "       iris-gen --plan -H HYPER -t TYPE -d DATASET [MANIFEST]\n"
    "       [mpirun -n N] iris-gen --estimate -H HYPER -t TYPE -d DATASET [MANIFEST]\n"
    "       iris-gen --digest -H HYPER -t TYPE\n"
    "       [mpirun -n N] iris-gen --info\n"
    "Make the data points of the snapshots in MANIFEST (default '-', standard\n"
    "input), those that DATASET does not have yet; print a manifest of all.\n"
    "\n"
    "  -H, --hyper=FILE       the settings, see iris-hyper(5)\n"
    "  -t, --type=TYPE        synthetic (column map and spectral lines), simple\n"
    "                         (column map and mass by velocity) or standard (physical\n"
    "                         tensors)\n"
    "  -d, --dataset=DIR      the data set; made when it does not exist\n"
    "      --lines=FILE       tables of the lines made by iris-chem; without it they\n"
    "                         are computed\n"
    "      --precise          observe lines in double precision: much slower, the\n"
    "                         yardstick; other points than without\n"
    "      --round=R          another draw of the perturbations (0)\n" CLI_GPU_HELP
    "      --release          remove a snapshot that iris-fetch has copied from its cache\n"
    "                         when its last point is done or has failed\n"
    "      --read-ahead=M     load M snapshots ahead of the one that points are made of (1)\n"
    "      --memory=SIZE      of a node for snapshots and tables; K, M, G, T (what is free)\n"
    "      --deadline=SECONDS be over by then; auto: before the Slurm job is\n"
    "      --run=NAME         one of several runs on the data set, see iris-gen(1)\n"
    "      --retry-failed     try points again that were set aside since runs died of them\n"
    "      --plan             make nothing; print MANIFEST with what there is, what is to\n"
    "                         do and why, last 'todo', the number of points that are\n"
    "                         missing, or to be compared\n"
    "      --estimate         make nothing; measure, and print what the run would take\n"
    "      --digest           make nothing; print the digest of the settings, which\n"
    "                         names the folder of the points\n"
    "      --info             make nothing; print what each rank is and has\n" IRIS_CLI_HELP;

enum {
    OPT_ROUND = IRIS_OPT_TOOL,
    OPT_LINES,
    OPT_PRECISE,
    OPT_RELEASE,
    OPT_AHEAD,
    OPT_MEMORY,
    OPT_DEADLINE,
    OPT_RUN,
    OPT_RETRY,
    OPT_MODE /* and on: enum gen_mode */
};

enum { AHEAD_MOST = 64 };

static enum iris_status
take_number(struct gen_options *o, int opt, struct iris_err *err)
{
    uint64_t v;

    switch (opt) {
    case OPT_ROUND:
        if (iris_parse_u64(optarg, &v) || v > UINT32_MAX)
            return iris_fail(err, IRIS_E_USAGE, "bad round '%s': need a whole number", optarg);
        o->round = (uint32_t)v;
        break;
    case OPT_AHEAD:
        if (iris_parse_u64(optarg, &v) || v > AHEAD_MOST)
            return iris_fail(err, IRIS_E_USAGE, "bad number '%s' to read ahead: need 0 to %d",
                             optarg, AHEAD_MOST);
        o->read_ahead = (size_t)v;
        break;
    case OPT_MEMORY:
        if (iris_parse_bytes(optarg, &o->memory) || !o->memory)
            return iris_fail(err, IRIS_E_USAGE,
                             "bad size '%s' of memory: need bytes, or a number with K, M, G or T",
                             optarg);
        break;
    default:
        o->has_deadline = 1;
        o->deadline = NAN;
        if (strcmp(optarg, "auto") && (iris_parse_f64(optarg, &o->deadline) || !(o->deadline >= 0)))
            return iris_fail(err, IRIS_E_USAGE, "bad deadline '%s': need seconds, or auto", optarg);
    }
    return IRIS_OK;
}

static enum iris_status
take_option(struct gen_options *o, int opt, char **argv, struct iris_err *err)
{
    enum iris_status st;
    int taken;

    st = cli_gpu_option(&o->gpu, opt, optarg, &taken, err);
    if (taken)
        return st;
    if (opt >= OPT_MODE) {
        if (o->mode)
            return iris_fail(err, IRIS_E_USAGE,
                             "one of --plan, --estimate, --digest and --info at a time");
        o->mode = (enum gen_mode)(opt - OPT_MODE);
        return IRIS_OK;
    }
    switch (opt) {
    case 'H':
        o->hyper = optarg;
        return IRIS_OK;
    case 't':
        return iris_type_parse(optarg, &o->type, err);
    case 'd':
        o->dataset = optarg;
        return IRIS_OK;
    case OPT_LINES:
        o->lines = optarg;
        return IRIS_OK;
    case OPT_PRECISE:
        o->precise = 1;
        return IRIS_OK;
    case OPT_RELEASE:
        o->release = 1;
        return IRIS_OK;
    case OPT_RETRY:
        o->retry_failed = 1;
        return IRIS_OK;
    case OPT_RUN:
        o->run = optarg;
        return iris_dataset_is_run(optarg)
                   ? IRIS_OK
                   : iris_fail(err, IRIS_E_USAGE,
                               "bad name '%s' of a run: need letters, digits and . _ - only",
                               optarg);
    case OPT_ROUND:
    case OPT_AHEAD:
    case OPT_MEMORY:
    case OPT_DEADLINE:
        return take_number(o, opt, err);
    default:
        return iris_cli_option(&o->cli, opt, argv, err);
    }
}

/* What is needed for what is asked. */
static enum iris_status
check(const struct gen_options *o, struct iris_err *err)
{
    if (!o->hyper || !o->type || (!o->dataset && o->mode != GEN_DIGEST))
        return iris_fail(err, IRIS_E_USAGE, "%s is needed",
                         !o->hyper  ? "-H HYPER"
                         : !o->type ? "-t TYPE"
                                    : "-d DATASET");
    if (o->type != IRIS_SYNTHETIC && (o->lines || o->precise))
        return iris_fail(err, IRIS_E_USAGE, "%s is for data sets of type synthetic",
                         o->lines ? "--lines" : "--precise");
    if (o->precise && o->gpu.device == CLI_DEVICE_CUDA)
        return iris_fail(err, IRIS_E_USAGE,
                         "--precise does not go with --device=cuda: a GPU has one arithmetic");
    return IRIS_OK;
}

enum iris_status
gen_parse(int argc, char **argv, struct gen_options *o, struct iris_err *err)
{
    static const struct option options[] = {
        IRIS_CLI_LONG,
        {"hyper", required_argument, NULL, 'H'},
        {"type", required_argument, NULL, 't'},
        {"dataset", required_argument, NULL, 'd'},
        {"round", required_argument, NULL, OPT_ROUND},
        {"lines", required_argument, NULL, OPT_LINES},
        {"precise", no_argument, NULL, OPT_PRECISE},
        CLI_GPU_LONG,
        {"release", no_argument, NULL, OPT_RELEASE},
        {"read-ahead", required_argument, NULL, OPT_AHEAD},
        {"memory", required_argument, NULL, OPT_MEMORY},
        {"deadline", required_argument, NULL, OPT_DEADLINE},
        {"run", required_argument, NULL, OPT_RUN},
        {"retry-failed", no_argument, NULL, OPT_RETRY},
        {"plan", no_argument, NULL, OPT_MODE + GEN_PLAN},
        {"estimate", no_argument, NULL, OPT_MODE + GEN_ESTIMATE},
        {"digest", no_argument, NULL, OPT_MODE + GEN_DIGEST},
        {"info", no_argument, NULL, OPT_MODE + GEN_INFO},
        {NULL, 0, NULL, 0}};
    enum iris_status st;
    int opt;

    opterr = 0;
    while ((opt = getopt_long(argc, argv, IRIS_CLI_SHORT "H:t:d:", options, NULL)) != -1) {
        st = take_option(o, opt, argv, err);
        if (st || o->cli.done)
            return st;
    }
    if (o->mode == GEN_INFO)
        return IRIS_OK;
    st = check(o, err);
    if (st || (o->mode == GEN_DIGEST && optind == argc))
        return st;
    if (!o->mode && o->cli.dry_run)
        o->mode = GEN_DRY_RUN;
    if (optind == argc && iris_pool_launched())
        return iris_fail(err, IRIS_E_USAGE,
                         "no input: under a launcher, name a manifest, or '-' for standard input");
    return iris_cli_input(argc, argv, &o->input, err);
}
