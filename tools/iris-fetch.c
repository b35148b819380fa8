#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "cache.h"
#include "clock.h"
#include "fetch.h"
#include "num.h"
#include "snapname.h"

static const char usage[] =
    "usage: iris-fetch [--cache=DIR] [--copy] [--window=K] [--budget=BYTES] [MANIFEST]\n"
    "       iris-fetch --cache=DIR --drop=SNAPSHOT\n"
    "Copy the snapshots of MANIFEST (default '-', standard input) that are on another\n"
    "machine into a cache; print each row, with the path to read it from in a column\n"
    "'local', as soon as it is there.\n"
    "\n"
    "      --cache=DIR        where copies go; made when it does not exist; without it\n"
    "                         a private one in memory, gone with the run\n"
    "      --copy             copy snapshots of this machine too, instead of passing\n"
    "                         their paths through\n"
    "      --window=K         no more than K copies at a time: the reader of the rows\n"
    "                         removes those it has used\n"
    "      --budget=BYTES     no more bytes in the cache; K, M, G, T: powers of 1024\n"
    "  -j, --jobs=N           copy N snapshots at a time (1)\n"
    "      --retries=N        tries after a connection was lost (5)\n"
    "      --verify=HOW       auto: the sha256 that the other machine computes, where\n"
    "                         it can; sha256: nothing less; size: size and time (auto)\n"
    "      --drop=SNAPSHOT    remove the copy of this snapshot from the cache\n" IRIS_CLI_SSH_HELP
        IRIS_CLI_HELP;

enum {
    OPT_CACHE = IRIS_OPT_TOOL,
    OPT_COPY,
    OPT_DROP,
    OPT_WINDOW,
    OPT_BUDGET,
    OPT_RETRIES,
    OPT_VERIFY
};
enum { MOST_JOBS = 64, DEFAULT_WINDOW = 2, LONG_WAIT = 10, SHORT_WAIT_MS = 200 }; /* s, ms */

static enum iris_status
take_verify(const char *text, enum iris_verify *verify, struct iris_err *err)
{
    static const char *const words[] = {
        [IRIS_VERIFY_AUTO] = "auto", [IRIS_VERIFY_SHA256] = "sha256", [IRIS_VERIFY_SIZE] = "size"};
    size_t i;

    for (i = 0; i < sizeof words / sizeof words[0]; i++) {
        if (!strcmp(text, words[i])) {
            *verify = (enum iris_verify)i;
            return IRIS_OK;
        }
    }
    return iris_fail(err, IRIS_E_USAGE, "bad way to verify '%s': need auto, sha256 or size", text);
}

static enum iris_status
take_option(struct fetch_options *o, int opt, char **argv, struct iris_err *err)
{
    enum iris_status st;

    switch (opt) {
    case OPT_CACHE:
        o->cache = optarg;
        return IRIS_OK;
    case OPT_COPY:
        o->copy = 1;
        return IRIS_OK;
    case OPT_DROP:
        o->drop = optarg;
        return IRIS_OK;
    case OPT_WINDOW:
        if (iris_parse_u64(optarg, &o->window) || !o->window)
            return iris_fail(err, IRIS_E_USAGE, "bad window '%s': need 1 or more", optarg);
        return IRIS_OK;
    case OPT_BUDGET:
        if (iris_parse_bytes(optarg, &o->budget) || !o->budget)
            return iris_fail(err, IRIS_E_USAGE,
                             "bad budget '%s': need bytes, with K, M, G or T as wanted", optarg);
        return IRIS_OK;
    case 'j':
        st = iris_cli_jobs(optarg, &o->jobs, err);
        if (!st && o->jobs > MOST_JOBS)
            st = iris_fail(err, IRIS_E_USAGE, "bad number of jobs '%s': need at most %d", optarg,
                           MOST_JOBS);
        return st;
    case OPT_RETRIES:
        if (iris_parse_u64(optarg, &o->retries))
            return iris_fail(err, IRIS_E_USAGE, "bad number of retries '%s': need 0 or more",
                             optarg);
        return IRIS_OK;
    case OPT_VERIFY:
        return take_verify(optarg, &o->verify, err);
    default:
        return iris_cli_ssh_option(&o->cli, &o->way, opt, argv, err);
    }
}

static enum iris_status
check_drop(int argc, char **argv, const struct fetch_options *o, struct iris_err *err)
{
    if (!o->cache)
        return iris_fail(err, IRIS_E_USAGE, "--cache=DIR is needed");
    if (optind < argc)
        return iris_fail(err, IRIS_E_USAGE, "--drop takes no manifest, but there is '%s'",
                         argv[optind]);
    if (!iris_snapname_is_id(o->drop))
        return iris_fail(err, IRIS_E_USAGE, "'%s' is not the id of a snapshot", o->drop);
    return IRIS_OK;
}

/* Whether somebody takes the rows as they come. */
static int
has_reader(const struct fetch_options *o)
{
    struct stat sb;

    return !o->cli.output && (fstat(STDOUT_FILENO, &sb) || !S_ISREG(sb.st_mode));
}

static enum iris_status
parse(int argc, char **argv, struct fetch_options *o, struct iris_err *err)
{
    static const struct option options[] = {IRIS_CLI_LONG,
                                            IRIS_CLI_SSH_LONG,
                                            {"cache", required_argument, NULL, OPT_CACHE},
                                            {"copy", no_argument, NULL, OPT_COPY},
                                            {"drop", required_argument, NULL, OPT_DROP},
                                            {"window", required_argument, NULL, OPT_WINDOW},
                                            {"budget", required_argument, NULL, OPT_BUDGET},
                                            {"jobs", required_argument, NULL, 'j'},
                                            {"retries", required_argument, NULL, OPT_RETRIES},
                                            {"verify", required_argument, NULL, OPT_VERIFY},
                                            {NULL, 0, NULL, 0}};
    enum iris_status st;
    int opt;

    opterr = 0;
    while ((opt = getopt_long(argc, argv, IRIS_CLI_SHORT "j:", options, NULL)) != -1) {
        st = take_option(o, opt, argv, err);
        if (st || o->cli.done)
            return st;
    }
    if (o->drop)
        return check_drop(argc, argv, o, err);
    if (o->window && !has_reader(o))
        return iris_fail(err, IRIS_E_USAGE,
                         "--window needs a program that reads the rows from a pipe and removes the "
                         "copies it has used; a file does not");
    return iris_cli_input(argc, argv, &o->input, err);
}

static int
is_stopped(void *self)
{
    struct fetch *f = self;

    return f->stop || iris_cli_stop();
}

static int
has_work(const struct fetch *f)
{
    size_t r;

    for (r = 0; r < f->m.n_rows; r++) {
        if (f->row[r].state == FETCH_WAITING)
            return 1;
    }
    return 0;
}

/* Wait for others to leave the cache, but not for ever, nor after a signal. */
static enum iris_status
hold(struct fetch *f, enum iris_hold_role role, struct iris_err *err)
{
    double limit = iris_seconds() + LONG_WAIT;
    enum iris_status st;

    do
        st = iris_hold_take(&f->hold, f->cache, role, SHORT_WAIT_MS, err);
    while (st == IRIS_E_RETRY && iris_seconds() < limit && !iris_cli_stop());
    return st;
}

/* A cache that is named: alone in it when its copies are to be counted. */
static enum iris_status
take_cache(struct fetch *f, struct iris_err *err)
{
    int alone = f->has_reader && (f->o->window || f->o->budget);
    enum iris_status st;

    f->cache = f->o->cache;
    st = iris_cache_open(f->cache, err);
    if (!st)
        st = hold(f, alone ? IRIS_HOLD_ALONE : IRIS_HOLD_ADD, err);
    if (!st && alone)
        st = fetch_clear(f, err);
    if (!st && f->o->budget && !alone)
        st = fetch_count_others(f, err);
    return st;
}

/* A cache in memory, of this run. */
static enum iris_status
make_cache(struct fetch *f, struct fetch_options *o, struct iris_err *err)
{
    enum iris_status st;

    if (!f->has_reader)
        return iris_fail(err, IRIS_E_USAGE,
                         "--cache=DIR is needed: a list in a file outlives a private cache");
    st = iris_hold_private(&f->hold, "/dev/shm", err);
    f->cache = f->hold.cache;
    f->is_private = 1;
    if (!o->window)
        o->window = DEFAULT_WINDOW;
    return st;
}

static enum iris_status
run(struct fetch *f, struct fetch_options *o, struct iris_err *err)
{
    struct iris_buf sockets = {0};
    enum iris_status st = IRIS_OK;

    if (o->cache && (o->copy || has_work(f)))
        st = take_cache(f, err);
    else if (has_work(f))
        st = make_cache(f, o, err);
    if (!st && f->cache) {
        iris_buf_printf(&sockets, "%s/.iris-ssh", f->cache);
        f->way.sockets = iris_buf_str(&sockets);
        iris_ssh_sweep(f->way.sockets);
        st = iris_buf_check(&sockets, err);
    }
    if (!st)
        st = fetch_rows(f, err);
    if (f->is_stuck)
        return st;
    if (f->way.sockets)
        rmdir(f->way.sockets); /* unless another program has sockets there */
    iris_buf_release(&sockets);
    iris_hold_end(&f->hold);
    return st;
}

static enum iris_status
fetch(struct fetch_options *o, struct iris_err *err)
{
    static struct fetch f; /* a thread that is stuck has it to the end */
    enum iris_status st;
    size_t index;

    f = (struct fetch){.o = o,
                       .way = o->way,
                       .hold = IRIS_HOLD_INIT,
                       .has_reader = has_reader(o),
                       .lock = PTHREAD_MUTEX_INITIALIZER,
                       .changed = PTHREAD_COND_INITIALIZER};

    f.way.stop = is_stopped;
    f.way.self = &f;
    st = iris_cli_ssh_check(&o->way, err);
    if (!st)
        st = iris_cli_await(o->input, err);
    if (!st)
        st = iris_manifest_read(o->input, "snapshots", &f.m, err);
    if (!st)
        st = iris_manifest_column(&f.m, "local", "path", &index, err);
    if (!st && strcmp(f.m.kind, "fetched")) {
        free(f.m.kind);
        f.m.kind = strdup("fetched");
        st = f.m.kind ? IRIS_OK : iris_fail_memory(err);
    }
    if (!st)
        st = fetch_plan(&f, err);
    if (!st && o->cli.dry_run)
        fprintf(stderr, "%s: would make %zu snapshots available\n", iris_prog, fetch_count(&f));
    else if (!st)
        st = run(&f, o, err);
    if (!f.is_stuck) {
        free(f.row);
        free(f.host);
        free(f.job);
        iris_manifest_release(&f.m);
    }
    return st;
}

static enum iris_status
drop(const struct fetch_options *o, struct iris_err *err)
{
    if (!o->cli.dry_run)
        return iris_cache_drop(o->cache, o->drop, err);
    fprintf(stderr, "%s: would remove the copy of '%s'\n", iris_prog, o->drop);
    return IRIS_OK;
}

int
main(int argc, char **argv)
{
    static struct fetch_options o = {.cli = IRIS_CLI_INIT(usage), .jobs = 1, .retries = 5};
    struct iris_err err = {0};
    enum iris_status st;

    iris_prog = "iris-fetch";
    st = parse(argc, argv, &o, &err);
    if (!st && !o.cli.done) {
        iris_cli_catch();
        signal(SIGPIPE, SIG_IGN); /* a reader that has gone is told in a sentence */
        st = o.drop ? drop(&o, &err) : fetch(&o, &err);
    }
    return iris_finish(st, &err);
}
