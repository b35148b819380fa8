#include <string.h>
#include <unistd.h>

#include "maker.h"
#include "obs.h"

static const char usage[] =
    "usage: iris-observe -H HYPER --cube=OUT.npy|OUT.fits TENSOR.npy\n"
    "       iris-observe -H HYPER -d DATASET [--from=DATASET1] [MANIFEST]\n"
    "Observe physical tensors that exist: one as a cube of spectra, or those of the\n"
    "standard entries in MANIFEST (default '-', standard input) as synthetic pairs,\n"
    "those that DATASET does not have yet; print a manifest of all pairs.\n"
    "\n"
    "  -H, --hyper=FILE       the settings, see iris-hyper(5)\n"
    "      --cube=FILE        write the cube FILE, when complete\n"
    "  -t, --type=TYPE        of a cube: synthetic (spectral lines) or simple (mass by\n"
    "                         velocity) (synthetic)\n"
    "  -d, --dataset=DIR      the data set of the pairs; made when it does not exist\n"
    "      --from=DIR         the data set that MANIFEST speaks of (that of -d)\n"
    "      --lines=FILE       tables of the lines made by iris-chem; without it they\n"
    "                         are computed\n"
    "      --precise          observe lines in double precision: much slower, the\n"
    "                         yardstick; other pairs than without\n" CLI_GPU_HELP IRIS_CLI_HELP;

enum { OPT_CUBE = IRIS_OPT_TOOL, OPT_FROM, OPT_LINES, OPT_PRECISE };

static enum iris_status
take_option(struct obs_options *o, int opt, char **argv, struct iris_err *err)
{
    enum iris_status st;
    int taken;

    st = cli_gpu_option(&o->gpu, opt, optarg, &taken, err);
    if (taken)
        return st;
    switch (opt) {
    case 'H':
        o->hyper = optarg;
        return IRIS_OK;
    case 't':
        return iris_type_parse(optarg, &o->type, err);
    case 'd':
        o->dataset = optarg;
        return IRIS_OK;
    case OPT_CUBE:
        o->cube = optarg;
        return IRIS_OK;
    case OPT_FROM:
        o->from = optarg;
        return IRIS_OK;
    case OPT_LINES:
        o->lines = optarg;
        return IRIS_OK;
    case OPT_PRECISE:
        o->precise = 1;
        return IRIS_OK;
    default:
        return iris_cli_option(&o->cli, opt, argv, err);
    }
}

static enum iris_status
check_cube_options(const struct obs_options *o, struct iris_err *err)
{
    if (o->type == IRIS_STANDARD)
        return iris_fail(err, IRIS_E_USAGE, "a cube is of type synthetic or simple");
    if (o->type == IRIS_SIMPLE && (o->lines || o->precise))
        return iris_fail(err, IRIS_E_USAGE, "%s is for cubes of type synthetic",
                         o->lines ? "--lines" : "--precise");
    if (o->from || o->cli.output)
        return iris_fail(err, IRIS_E_USAGE, "%s does not go with --cube",
                         o->from ? "--from" : "-o");
    return IRIS_OK;
}

static enum iris_status
check_options(const struct obs_options *o, struct iris_err *err)
{
    if (!o->hyper)
        return iris_fail(err, IRIS_E_USAGE, "-H HYPER is needed");
    if (!o->cube == !o->dataset)
        return iris_fail(err, IRIS_E_USAGE,
                         o->cube ? "--cube and -d do not go together"
                                 : "--cube=FILE or -d DATASET is needed");
    if (o->precise && o->gpu.device == CLI_DEVICE_CUDA)
        return iris_fail(err, IRIS_E_USAGE,
                         "--precise does not go with --device=cuda: a GPU has one arithmetic");
    if (o->cube)
        return check_cube_options(o, err);
    if (o->type != IRIS_SYNTHETIC)
        return iris_fail(err, IRIS_E_USAGE,
                         "pairs of tensors are of type synthetic; -t is for --cube");
    return IRIS_OK;
}

static enum iris_status
parse(int argc, char **argv, struct obs_options *o, struct iris_err *err)
{
    static const struct option options[] = {IRIS_CLI_LONG,
                                            {"hyper", required_argument, NULL, 'H'},
                                            {"type", required_argument, NULL, 't'},
                                            {"dataset", required_argument, NULL, 'd'},
                                            {"cube", required_argument, NULL, OPT_CUBE},
                                            {"from", required_argument, NULL, OPT_FROM},
                                            {"lines", required_argument, NULL, OPT_LINES},
                                            {"precise", no_argument, NULL, OPT_PRECISE},
                                            CLI_GPU_LONG,
                                            {NULL, 0, NULL, 0}};
    enum iris_status st;
    int opt;

    opterr = 0;
    while ((opt = getopt_long(argc, argv, IRIS_CLI_SHORT "H:t:d:", options, NULL)) != -1) {
        st = take_option(o, opt, argv, err);
        if (st || o->cli.done)
            return st;
    }
    st = check_options(o, err);
    if (!st)
        st = iris_cli_kernels(&o->kernels, err);
    if (st)
        return st;
    if (o->cube && (optind == argc || !strcmp(argv[optind], "-")))
        return iris_fail(err, IRIS_E_USAGE, "name the file of a tensor: it cannot be piped in");
    return iris_cli_input(argc, argv, &o->input, err);
}

/* ---- what both ways share ---- */

static int
is_stopped(void *self, size_t done, size_t total)
{
    (void)self;
    (void)done;
    (void)total;
    return iris_cli_stop() != 0;
}

enum iris_status
obs_tables(void *self, const struct iris_lines **lines, struct iris_err *err)
{
    struct obs *b = self;
    struct iris_lines_effort effort = {.kernels = b->o->kernels, .pause = {is_stopped, NULL}};
    enum iris_status st = IRIS_OK;

    if (!b->has_values)
        st = b->o->lines ? iris_lines_read(&b->lines, b->hyper, b->o->lines, err)
                         : iris_lines_make(&b->lines, &effort, err);
    b->has_values = !st;
    *lines = &b->lines;
    return st;
}

enum iris_status
obs_open(const struct obs *b, const char *path, struct iris_tensor *t, struct iris_err *err)
{
    char found[128], wanted[128];
    struct iris_shape shape;
    enum iris_status st;

    st = iris_tensor_open(path, t, err);
    if (st)
        return st;
    iris_kind_shape(IRIS_TENSOR, IRIS_STANDARD, &b->settings, &shape);
    if (iris_shape_equal(&t->file.shape, &shape))
        return IRIS_OK;
    st = iris_fail(err, IRIS_E_DATA,
                   "'%s' has the shape %s; r_steps, lon_steps and lat_steps of '%s' make it %s",
                   path, iris_shape_text(&t->file.shape, found, sizeof found), b->o->hyper,
                   iris_shape_text(&shape, wanted, sizeof wanted));
    iris_tensor_close(t);
    return st;
}

/* Settings, molecular files and the file of tables are looked at before
 * anything is made. */
static enum iris_status
prepare(struct obs *b, struct iris_err *err)
{
    const struct obs_options *o = b->o;
    struct iris_buf warnings = {0};
    enum iris_status st;

    st = iris_hyper_read(o->hyper, &b->hyper, err);
    if (st)
        return st;
    st = iris_hyper_check_type(b->hyper, o->type, err);
    if (!st && !o->cube)
        st = iris_maker_room(b->hyper, o->type, err);
    if (!st) {
        iris_hyper_settings(b->hyper, &b->settings);
        if (o->type == IRIS_SYNTHETIC)
            st = iris_lines_init(&b->lines, b->hyper, &warnings, err);
        iris_cli_warn_lines(&o->cli, &warnings);
    }
    if (st)
        iris_fail_in(err, "%s", o->hyper);
    if (!st && o->lines)
        st = iris_lines_verify(&b->lines, b->hyper, o->lines, err);
    iris_buf_release(&warnings);
    return st;
}

/* Whether there is a GPU, where one is wanted. */
static enum iris_status
find_gpu(struct obs *b, struct iris_err *err)
{
    const struct cli_gpu_options *o = &b->o->gpu;
    char why[1024], host[128] = "";

    if (o->device == CLI_DEVICE_CPU || b->o->precise || b->o->cli.dry_run)
        return IRIS_OK;
    b->has_gpu = cli_gpu_count(o, why, sizeof why) > 0;
    if (b->has_gpu)
        return IRIS_OK;
    gethostname(host, sizeof host - 1);
    if (o->device == CLI_DEVICE_CUDA)
        return iris_fail(err, IRIS_E_IO, "no GPU on '%s': %s", host, why);
    if (cli_gpu_is_expected(o))
        iris_cli_warn(&b->o->cli, "no GPU on '%s': %s; the processor observes", host, why);
    return IRIS_OK;
}

static enum iris_status
run(const struct obs_options *o, struct iris_err *err)
{
    struct obs b = {.o = o};
    enum iris_status st;

    iris_cli_catch();
    st = prepare(&b, err);
    if (!st)
        st = find_gpu(&b, err);
    if (!st)
        st = o->cube ? obs_cube(&b, err) : obs_pairs(&b, err);
    cli_gpu_end(&b.gpu);
    iris_lines_release(&b.lines);
    iris_hyper_free(b.hyper);
    return st;
}

int
main(int argc, char **argv)
{
    struct obs_options o = {
        .cli = IRIS_CLI_INIT(usage), .type = IRIS_SYNTHETIC, .gpu = CLI_GPU_INIT};
    struct iris_err err = {0};
    enum iris_status st;

    iris_prog = "iris-observe";
    st = parse(argc, argv, &o, &err);
    if (!st && !o.cli.done)
        st = run(&o, &err);
    return iris_finish(st, &err);
}
