#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "cli_ssh.h"
#include "find.h"
#include "grid.h"
#include "hyper.h"
#include "list.h"
#include "num.h"
#include "sftp.h"

static const char usage[] =
    "usage: iris-list [-H HYPER] [--total=N] [--part=K/N] [--grid=SECTION.KEY=VALUES]...\n"
    "                 [--label=L] [--remote=HOST] DIR|FILE...\n"
    "       iris-list --probe [-H HYPER] [--total=N] [--part=K/N] [--label=L] DIR|FILE...\n"
    "Print a manifest of the snapshots in directories, filtered by index and drawn\n"
    "as HYPER says; files given by name are all taken.\n"
    "\n"
    "  -H, --hyper=FILE       settings: total_snapshots, index range and seed; without\n"
    "                         it everything is listed\n"
    "      --total=N          draw at most N snapshots\n"
    "      --min-index=N      leave out snapshots with a lower index, or none\n"
    "      --max-index=N      leave out snapshots with a higher index, or none\n"
    "      --part=K/N         of those drawn, list only the K-th of N parts\n"
    "      --grid=SECTION.KEY=A:B:N, --grid=SECTION.KEY=[VALUE,...]\n"
    "                         a row for each of N values from A to B of this setting, or\n"
    "                         of these in JSON; of several: for each combination\n"
    "      --label=L          begin every id with L\n"
    "      --probe            read them instead, and print what is in them and which\n"
    "                         settings they need\n"
    "      --remote=HOST      they are on this machine, reached by ssh: an alias, an\n"
    "                         address, or USER@HOST\n" IRIS_CLI_SSH_HELP IRIS_CLI_HELP;

enum {
    OPT_TOTAL = IRIS_OPT_TOOL,
    OPT_MIN,
    OPT_MAX,
    OPT_PART,
    OPT_GRID,
    OPT_LABEL,
    OPT_REMOTE,
    OPT_PROBE
};

struct options {
    struct iris_cli cli;
    struct iris_ssh_way way;
    const char *hyper, *label, *remote;
    char **name;
    size_t n_names;
    int has_total, has_min, has_max;
    uint64_t total, part, parts, seed;
    int64_t min, max;
    struct iris_grid grid;
    int probe;
    struct iris_hyper *settings;
};

static enum iris_status
take_index(const char *text, int *has, int64_t *value, struct iris_err *err)
{
    if (iris_parse_i64(text, value))
        return iris_fail(err, IRIS_E_USAGE, "bad index '%s': need a whole number", text);
    *has = 1;
    return IRIS_OK;
}

static enum iris_status
take_part(struct options *o, char *text, struct iris_err *err)
{
    char *slash = strchr(text, '/');

    if (slash)
        *slash = '\0';
    if (!slash || iris_parse_u64(text, &o->part) || iris_parse_u64(slash + 1, &o->parts) ||
        o->part < 1 || o->part > o->parts)
        return iris_fail(err, IRIS_E_USAGE, "bad part '%s%s%s': need K/N with 1 <= K <= N", text,
                         slash ? "/" : "", slash ? slash + 1 : "");
    return IRIS_OK;
}

static enum iris_status
take_option(struct options *o, int opt, char **argv, struct iris_err *err)
{
    switch (opt) {
    case 'H':
        o->hyper = optarg;
        return IRIS_OK;
    case OPT_TOTAL:
        if (iris_parse_u64(optarg, &o->total) || !o->total)
            return iris_fail(err, IRIS_E_USAGE, "bad total '%s': need 1 or more", optarg);
        o->has_total = 1;
        return IRIS_OK;
    case OPT_MIN:
        return take_index(optarg, &o->has_min, &o->min, err);
    case OPT_MAX:
        return take_index(optarg, &o->has_max, &o->max, err);
    case OPT_PART:
        return take_part(o, optarg, err);
    case OPT_GRID:
        return iris_grid_add(&o->grid, optarg, err);
    case OPT_LABEL:
        o->label = optarg;
        return IRIS_OK;
    case OPT_REMOTE:
        if (!iris_ssh_is_host(optarg))
            return iris_fail(err, IRIS_E_USAGE,
                             "bad host '%s': need an alias, an address or USER@HOST", optarg);
        o->remote = optarg;
        return IRIS_OK;
    case OPT_PROBE:
        o->probe = 1;
        return IRIS_OK;
    default:
        return iris_cli_ssh_option(&o->cli, &o->way, opt, argv, err);
    }
}

static enum iris_status
parse(int argc, char **argv, struct options *o, struct iris_err *err)
{
    static const struct option options[] = {IRIS_CLI_LONG,
                                            IRIS_CLI_SSH_LONG,
                                            {"hyper", required_argument, NULL, 'H'},
                                            {"total", required_argument, NULL, OPT_TOTAL},
                                            {"min-index", required_argument, NULL, OPT_MIN},
                                            {"max-index", required_argument, NULL, OPT_MAX},
                                            {"part", required_argument, NULL, OPT_PART},
                                            {"grid", required_argument, NULL, OPT_GRID},
                                            {"label", required_argument, NULL, OPT_LABEL},
                                            {"remote", required_argument, NULL, OPT_REMOTE},
                                            {"probe", no_argument, NULL, OPT_PROBE},
                                            {NULL, 0, NULL, 0}};
    enum iris_status st;
    int opt;

    opterr = 0;
    while ((opt = getopt_long(argc, argv, IRIS_CLI_SHORT "H:", options, NULL)) != -1) {
        st = take_option(o, opt, argv, err);
        if (st || o->cli.done)
            return st;
    }
    if (optind == argc)
        return iris_fail(err, IRIS_E_USAGE, "name a directory or files");
    if (o->probe && o->remote)
        return iris_fail(err, IRIS_E_USAGE, "--probe reads snapshots of this machine only");
    if (o->probe && o->grid.n)
        return iris_fail(err, IRIS_E_USAGE, "--probe prints no list that could have a --grid");
    if (!o->remote && (o->way.config || o->way.key || o->way.port))
        return iris_fail(err, IRIS_E_USAGE, "--ssh-config, --key and --port are for --remote=HOST");
    o->name = argv + optind;
    o->n_names = (size_t)(argc - optind);
    return IRIS_OK;
}

/* What the command line did not say, the settings say. */
static enum iris_status
take_settings(struct options *o, struct iris_err *err)
{
    struct iris_settings s;
    enum iris_status st;

    st = o->hyper ? iris_hyper_read(o->hyper, &o->settings, err)
                  : iris_hyper_defaults(&o->settings, err);
    if (st)
        return st;
    iris_hyper_settings(o->settings, &s);
    o->seed = o->cli.has_seed ? o->cli.seed : s.suite.seed;
    if (!o->hyper)
        return IRIS_OK;
    if (!o->has_total) {
        o->has_total = 1;
        o->total = (uint64_t)s.writer.total_snapshots;
    }
    if (!o->has_min && s.writer.has_min_index) {
        o->has_min = 1;
        o->min = s.writer.min_index;
    }
    if (!o->has_max && s.writer.has_max_index) {
        o->has_max = 1;
        o->max = s.writer.max_index;
    }
    return IRIS_OK;
}

static enum iris_status
print(const struct options *o, const struct iris_find *f, struct iris_err *err)
{
    struct iris_manifest m = {0};
    enum iris_status st;

    st = iris_find_manifest(f, &m, err);
    if (!st)
        st = iris_grid_expand(&o->grid, &m, err);
    if (!st)
        st = iris_cli_print(&o->cli, &m, err);
    iris_manifest_release(&m);
    return st;
}

/* Who asks another machine may wait long for nobody. */
static int
is_unread(void *self)
{
    (void)self;
    return iris_cli_is_unread();
}

/* All that is asked of the other machine. */
static enum iris_status
find(struct options *o, struct iris_find *f, struct iris_err *err)
{
    struct iris_place there;
    struct iris_sftp sftp = {.in = NULL};
    enum iris_status st = IRIS_OK;
    size_t i;

    if (o->remote) {
        o->way.stop = is_unread;
        st = iris_cli_ssh_check(&o->way, err);
        if (!st)
            st = iris_sftp_open(&sftp, &o->way, o->remote, err);
        there = iris_sftp_place(&sftp);
        f->place = &there;
    }
    for (i = 0; i < o->n_names && !st; i++)
        st = iris_find_add(f, o->name[i], err);
    f->place = NULL;
    iris_sftp_close(&sftp);
    return st == IRIS_E_RETRY ? iris_cli_unread(err) : st;
}

static void
say_how_many(const struct options *o, size_t listed, size_t all)
{
    char times[64] = "";

    if (o->grid.n)
        snprintf(times, sizeof times, ", each with %zu settings", o->grid.n);
    iris_cli_note(&o->cli, "%zu of %zu snapshots%s", listed, all, times);
    if (o->cli.dry_run)
        fprintf(stderr, "%s: would list %zu of %zu snapshots%s\n", iris_prog, listed, all, times);
}

static enum iris_status
run(struct options *o, struct iris_err *err)
{
    struct iris_find f = {.label = o->label, .remote = o->remote};
    enum iris_status st;
    size_t all;

    st = take_settings(o, err);
    if (!st)
        st = find(o, &f, err);
    if (!st)
        st = iris_find_filter(&f, o->has_min, o->min, o->has_max, o->max, err);
    if (!st)
        st = iris_find_sort(&f, err);
    all = f.n;
    if (!st && o->has_total)
        st = iris_find_draw(&f, o->seed, o->total, err);
    if (!st && o->parts)
        st = iris_find_part(&f, o->part, o->parts, err);
    if (!st) {
        iris_cli_warn_lines(&o->cli, &f.warnings);
        say_how_many(o, f.n, all);
        if (!o->cli.dry_run)
            st = o->probe ? list_probe(&o->cli, &f, o->settings, err) : print(o, &f, err);
    }
    iris_find_release(&f);
    return st;
}

int
main(int argc, char **argv)
{
    struct options o = {.cli = IRIS_CLI_INIT(usage)};
    struct iris_err err = {0};
    enum iris_status st;

    iris_prog = "iris-list";
    st = parse(argc, argv, &o, &err);
    if (!st && !o.cli.done)
        st = run(&o, &err);
    iris_grid_release(&o.grid);
    iris_hyper_free(o.settings);
    return iris_finish(st, &err);
}
