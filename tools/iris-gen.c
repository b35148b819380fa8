#include <inttypes.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "gen.h"
#include "num.h"

static const char usage[] =
    "usage: [mpirun -n N] iris-gen -H HYPER -t TYPE -d DATASET [MANIFEST]\n"
    "       iris-gen --plan -H HYPER -t TYPE -d DATASET [MANIFEST]\n"
    "       iris-gen --digest -H HYPER -t TYPE\n"
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
    "      --round=R          another draw of the perturbations (0)\n"
    "      --device=DEVICE    auto or cpu (auto)\n"
    "      --release          remove a snapshot that iris-fetch has copied from its cache\n"
    "                         when its last point is done or has failed\n"
    "      --plan             make nothing; print MANIFEST with a column 'todo', the\n"
    "                         number of points that are missing, or to be compared\n"
    "      --digest           make nothing; print the digest of the settings, which\n"
    "                         names the folder of the points\n" IRIS_CLI_HELP;

enum {
    OPT_ROUND = IRIS_OPT_TOOL,
    OPT_LINES,
    OPT_PRECISE,
    OPT_DEVICE,
    OPT_RELEASE,
    OPT_PLAN,
    OPT_DIGEST
};

struct options {
    struct iris_cli cli;
    const char *hyper, *dataset, *input, *lines;
    enum iris_type type;
    uint32_t round;
    int plan, digest, precise, release;
};

static enum iris_status
take_option(struct options *o, int opt, char **argv, struct iris_err *err)
{
    uint64_t v;

    switch (opt) {
    case 'H':
        o->hyper = optarg;
        return IRIS_OK;
    case 't':
        return iris_type_parse(optarg, &o->type, err);
    case 'd':
        o->dataset = optarg;
        return IRIS_OK;
    case OPT_ROUND:
        if (iris_parse_u64(optarg, &v) || v > UINT32_MAX)
            return iris_fail(err, IRIS_E_USAGE, "bad round '%s': need a whole number", optarg);
        o->round = (uint32_t)v;
        return IRIS_OK;
    case OPT_LINES:
        o->lines = optarg;
        return IRIS_OK;
    case OPT_PRECISE:
        o->precise = 1;
        return IRIS_OK;
    case OPT_DEVICE:
        if (!strcmp(optarg, "auto") || !strcmp(optarg, "cpu"))
            return IRIS_OK;
        return iris_fail(err, IRIS_E_USAGE, "bad device '%s': this build has auto and cpu", optarg);
    case OPT_RELEASE:
        o->release = 1;
        return IRIS_OK;
    case OPT_PLAN:
        o->plan = 1;
        return IRIS_OK;
    case OPT_DIGEST:
        o->digest = 1;
        return IRIS_OK;
    default:
        return iris_cli_option(&o->cli, opt, argv, err);
    }
}

static enum iris_status
parse(int argc, char **argv, struct options *o, struct iris_err *err)
{
    static const struct option options[] = {IRIS_CLI_LONG,
                                            {"hyper", required_argument, NULL, 'H'},
                                            {"type", required_argument, NULL, 't'},
                                            {"dataset", required_argument, NULL, 'd'},
                                            {"round", required_argument, NULL, OPT_ROUND},
                                            {"lines", required_argument, NULL, OPT_LINES},
                                            {"precise", no_argument, NULL, OPT_PRECISE},
                                            {"device", required_argument, NULL, OPT_DEVICE},
                                            {"release", no_argument, NULL, OPT_RELEASE},
                                            {"plan", no_argument, NULL, OPT_PLAN},
                                            {"digest", no_argument, NULL, OPT_DIGEST},
                                            {NULL, 0, NULL, 0}};
    enum iris_status st;
    int opt;

    opterr = 0;
    while ((opt = getopt_long(argc, argv, IRIS_CLI_SHORT "H:t:d:", options, NULL)) != -1) {
        st = take_option(o, opt, argv, err);
        if (st || o->cli.done)
            return st;
    }
    if (!o->hyper || !o->type || (!o->dataset && !o->digest))
        return iris_fail(err, IRIS_E_USAGE, "%s is needed",
                         !o->hyper  ? "-H HYPER"
                         : !o->type ? "-t TYPE"
                                    : "-d DATASET");
    if (o->type != IRIS_SYNTHETIC && (o->lines || o->precise))
        return iris_fail(err, IRIS_E_USAGE, "%s is for data sets of type synthetic",
                         o->lines ? "--lines" : "--precise");
    if (o->digest && optind == argc)
        return IRIS_OK;
    if (optind == argc && iris_pool_launched())
        return iris_fail(err, IRIS_E_USAGE,
                         "no input: under a launcher, name a manifest, or '-' for standard input");
    return iris_cli_input(argc, argv, &o->input, err);
}

/* ---- the run ---- */

static enum iris_status
lead(const struct options *o, struct gen_job *job, const struct iris_entry_run *run,
     const struct iris_buf *settings, struct iris_err *err)
{
    struct iris_plan plan;
    enum iris_status st;

    iris_plan_init(&plan, run, job->dataset);
    st = iris_dataset_settings(job->dataset, run->digest, settings, err);
    if (!st)
        st = gen_master(job, o->input, &plan, err);
    if (iris_node_apart(job->node))
        iris_cli_note(&o->cli, "loads of snapshots that a rank had to keep for itself: %" PRIu64,
                      iris_node_apart(job->node));
    if (!st)
        st = gen_report(&o->cli, &plan, err);
    if (!job->broken)
        gen_dismiss(job, st);
    iris_plan_release(&plan);
    return st;
}

static int
pause_worker(void *self)
{
    int signal_number = iris_cli_stop();

    return (signal_number && signal_number != SIGUSR1) || gen_is_called_off(self);
}

static enum iris_status
print_digest(const struct options *o, const char *digest, struct iris_err *err)
{
    struct iris_buf text = {0};
    enum iris_status st;

    iris_buf_printf(&text, "%s\n", digest);
    st = iris_cli_write(&o->cli, &text, err);
    iris_buf_release(&text);
    return st;
}

/* All ranks come here with the same settings. *alone is cleared when the others
 * know how this rank has ended. */
static enum iris_status
run_job(const struct options *o, struct iris_pool *pool, const struct iris_hyper *h, uint64_t seed,
        int *alone, struct iris_err *err)
{
    struct iris_dataset dataset = {.root = (char *)(uintptr_t)o->dataset, .lock = -1};
    struct gen_job job = {
        .cli = &o->cli, .pool = pool, .dataset = &dataset, .journal = -1, .release = o->release};
    struct iris_pause pause = {pause_worker, &job};
    struct iris_buf settings = {0};
    struct iris_settings values;
    struct gen_lines lines = {0};
    struct iris_tables tables = gen_lines_tables(&lines);
    struct iris_entry_run run;
    enum iris_status st;
    char digest[IRIS_SETTINGS_DIGEST];
    int told = 0;

    iris_hyper_settings(h, &values);
    st = iris_hyper_digest(h, o->type, seed, o->round, o->precise, digest, &settings, err);
    run = (struct iris_entry_run){&values, o->type, seed, o->round, o->precise, digest};
    if (!st && o->digest) {
        *alone = 0; /* nobody waits */
        st = iris_pool_rank(pool) ? IRIS_OK : print_digest(o, digest, err);
    } else if (!st && (o->plan || o->cli.dry_run)) {
        *alone = 0;
        st = iris_pool_rank(pool) ? IRIS_OK
                                  : gen_plan(&o->cli, o->dataset, o->input, o->plan, &run, err);
    } else if (!st) {
        iris_cli_catch();
        st = iris_node_start(&job.node, pool, err);
        if (!st && o->type == IRIS_SYNTHETIC)
            st = gen_lines_init(&lines, pool, h, o->lines, err);
        if (!st)
            st = iris_maker_init(&job.maker, h, &run, o->dataset, &tables, pause, err);
        lines.pause = &job.maker.pause;
        if (!st)
            job.maker.commons = gen_commons(job.node);
        if (!st)
            st = iris_cli_kernels(&job.maker.kernels, err);
        gen_open_journal(&job);
        if (!st && iris_pool_rank(pool)) {
            st = gen_work(&job, &told, err);
            *alone = !told;
        } else if (!st) {
            st = lead(o, &job, &run, &settings, err);
            *alone = job.broken;
        }
        if (job.journal >= 0)
            close(job.journal);
        iris_maker_release(&job.maker);
        iris_node_free(job.node);
        gen_lines_release(&lines);
        iris_buf_release(&job.heard);
    }
    iris_buf_release(&settings);
    return st;
}

/* Molecular files and tables are looked at before anything is made. */
static enum iris_status
check_lines(const struct options *o, const struct iris_hyper *h, struct iris_err *err)
{
    struct iris_buf warnings = {0};
    struct iris_lines lines = {0};
    enum iris_status st;

    st = iris_lines_init(&lines, h, &warnings, err);
    if (!st && !o->lines) /* who made the tables has been told */
        iris_cli_warn_lines(&o->cli, &warnings);
    if (!st && o->lines)
        st = iris_lines_verify(&lines, h, o->lines, err);
    iris_lines_release(&lines);
    iris_buf_release(&warnings);
    return st;
}

/* Rank 0 reads the settings and takes the data set, then tells the others:
 * a status, and the settings when it is 0. */
static enum iris_status
prepare(const struct options *o, struct iris_dataset *dataset, struct iris_buf *text,
        struct iris_err *err)
{
    const struct iris_kernels *kernels;
    struct iris_hyper *h = NULL;
    enum iris_status st;

    st = iris_cli_kernels(&kernels, err);
    if (!st)
        st = iris_hyper_read(o->hyper, &h, err);
    if (!st) {
        st = iris_hyper_check_type(h, o->type, err);
        if (st)
            iris_fail_in(err, "%s", o->hyper);
    }
    if (!st)
        st = iris_hyper_resolve_paths(h, err);
    if (!st && o->type == IRIS_SYNTHETIC && !o->digest)
        st = check_lines(o, h, err);
    /* nothing is made for a manifest that cannot be had */
    if (!st && !o->digest && strcmp(o->input, "-") && access(o->input, R_OK))
        st = iris_fail(err, IRIS_E_IO, "cannot open '%s':", o->input);
    if (!st && !o->plan && !o->digest && !o->cli.dry_run) {
        st = iris_dataset_open(dataset, o->dataset, IRIS_DATASET_CREATE, err);
        if (!st)
            st = iris_dataset_lock(dataset, err);
    }
    if (!st)
        st = iris_hyper_print(h, text, err);
    iris_hyper_free(h);
    return st;
}

static enum iris_status
run(const struct options *o, struct iris_pool *pool, int *alone, struct iris_err *err)
{
    struct iris_dataset dataset = {.lock = -1};
    struct iris_buf text = {0}, message = {0};
    struct iris_hyper *h = NULL;
    struct iris_settings values;
    enum iris_status st, told;

    if (!iris_pool_rank(pool)) {
        enum iris_status mine = prepare(o, &dataset, &text, err);

        iris_buf_printf(&message, "%d\n%s", (int)mine, mine ? "" : iris_buf_str(&text));
    }
    st = iris_pool_broadcast(pool, &message, err);
    *alone = st != IRIS_OK;
    told = (enum iris_status)atoi(iris_buf_str(&message));
    if (!st && told)
        st = told;
    if (!st) {
        const char *body = strchr(iris_buf_str(&message), '\n');

        *alone = 1;
        st = body ? iris_hyper_parse(body + 1, strlen(body + 1), o->hyper, NULL, &h, err)
                  : iris_fail(err, IRIS_E_BUG, "no settings came from rank 0");
    }
    if (!st) {
        iris_hyper_settings(h, &values);
        st = run_job(o, pool, h, o->cli.has_seed ? o->cli.seed : values.suite.seed, alone, err);
    }
    iris_hyper_free(h);
    iris_buf_release(&text);
    iris_buf_release(&message);
    iris_dataset_close(&dataset);
    return st;
}

int
main(int argc, char **argv)
{
    struct options o = {.cli = IRIS_CLI_INIT(usage)};
    struct iris_pool *pool = NULL;
    struct iris_err err = {0};
    enum iris_status st;
    int quiet = 0, alone = 0, status;

    iris_prog = "iris-gen";
    st = iris_pool_start(&pool, &err);
    if (!st) {
        quiet = iris_pool_rank(pool) != 0;
        if (quiet && !freopen("/dev/null", "w", stdout))
            quiet = 1; /* nothing is printed there all the same */
        st = parse(argc, argv, &o, &err);
        if (!st && !o.cli.done)
            st = run(&o, pool, &alone, &err);
    }
    if (st && alone && pool && iris_pool_size(pool) > 1) {
        /* the others would wait for this rank for ever */
        fprintf(stderr, "%s: rank %d: %s\n", iris_prog, iris_pool_rank(pool), err.msg);
        iris_pool_abort(pool, (int)st);
    }
    if (quiet)
        err.msg[0] = '\0'; /* rank 0 speaks for all */
    /* a launcher ends the job when the first rank is gone with a failure, so all
     * is said before any rank goes */
    status = iris_finish(st, &err);
    iris_pool_finish(pool);
    return status;
}
