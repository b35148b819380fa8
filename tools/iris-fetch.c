#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "cache.h"
#include "cli.h"
#include "manifest.h"
#include "snapname.h"

static const char usage[] =
    "usage: iris-fetch --cache=DIR [--copy] [MANIFEST]\n"
    "       iris-fetch --cache=DIR --drop=SNAPSHOT\n"
    "Print the snapshots of MANIFEST (default '-', standard input) with a column\n"
    "'local', the path to read each from, in the order they become available.\n"
    "\n"
    "      --cache=DIR        where copies go; made when it does not exist\n"
    "      --copy             copy snapshots of this machine too, verified, instead of\n"
    "                         passing their paths through\n"
    "      --drop=SNAPSHOT    remove the copy of this snapshot from the cache\n" IRIS_CLI_HELP;

enum { OPT_CACHE = IRIS_OPT_TOOL, OPT_COPY, OPT_DROP };

struct options {
    struct iris_cli cli;
    const char *cache, *drop, *input;
    int copy;
};

static enum iris_status
parse(int argc, char **argv, struct options *o, struct iris_err *err)
{
    static const struct option options[] = {IRIS_CLI_LONG,
                                            {"cache", required_argument, NULL, OPT_CACHE},
                                            {"copy", no_argument, NULL, OPT_COPY},
                                            {"drop", required_argument, NULL, OPT_DROP},
                                            {NULL, 0, NULL, 0}};
    enum iris_status st = IRIS_OK;
    int opt;

    opterr = 0;
    while ((opt = getopt_long(argc, argv, IRIS_CLI_SHORT, options, NULL)) != -1) {
        switch (opt) {
        case OPT_CACHE:
            o->cache = optarg;
            break;
        case OPT_COPY:
            o->copy = 1;
            break;
        case OPT_DROP:
            o->drop = optarg;
            break;
        default:
            st = iris_cli_option(&o->cli, opt, argv, err);
        }
        if (st || o->cli.done)
            return st;
    }
    if (!o->cache)
        return iris_fail(err, IRIS_E_USAGE, "--cache=DIR is needed");
    if (!o->drop)
        return iris_cli_input(argc, argv, &o->input, err);
    if (optind < argc)
        return iris_fail(err, IRIS_E_USAGE, "--drop takes no manifest, but there is '%s'",
                         argv[optind]);
    if (!iris_snapname_is_id(o->drop))
        return iris_fail(err, IRIS_E_USAGE, "'%s' is not the id of a snapshot", o->drop);
    return IRIS_OK;
}

/* Copy every file of a snapshot; the path of the first copy is its local one. */
static enum iris_status
copy_snapshot(const struct options *o, struct iris_manifest *m, size_t row, uint64_t *copied,
              struct iris_err *err)
{
    const char *id = iris_manifest_get(m, row, "snapshot");
    const char *path = iris_manifest_get(m, row, "path");
    struct iris_buf source = {0}, local = {0};
    enum iris_status st = IRIS_OK;
    uint64_t files, k, bytes;

    st = iris_manifest_get_u64(m, row, "files", &files, err);
    for (k = 0; k < files && !st; k++) {
        iris_buf_clear(&source);
        if (files > 1)
            iris_snapname_part(path, k, &source);
        else
            iris_buf_puts(&source, path);
        st = iris_buf_check(&source, err);
        if (!st)
            st = iris_cache_copy(o->cache, id, source.data, &bytes, err);
        if (!st)
            *copied += bytes;
        if (!st && iris_cli_stop())
            st = iris_fail(err, IRIS_E_RETRY, "stopped by a signal; run again to continue");
    }
    iris_cache_path(o->cache, id, path, &local);
    if (!st)
        st = iris_buf_check(&local, err);
    if (!st)
        st = iris_manifest_set(m, row, "local", local.data, err);
    iris_buf_release(&source);
    iris_buf_release(&local);
    return st;
}

static enum iris_status
fetch_one(const struct options *o, struct iris_manifest *m, size_t row, uint64_t *copied,
          struct iris_err *err)
{
    const char *id = iris_manifest_get(m, row, "snapshot");
    const char *path = iris_manifest_get(m, row, "path");
    const char *todo = iris_manifest_get(m, row, "todo");

    if (!id || !iris_snapname_is_id(id) || !path)
        return iris_fail(err, IRIS_E_DATA, "row %zu of the manifest has no good snapshot and path",
                         row + 1);
    if (todo && !strcmp(todo, "0"))
        return IRIS_OK; /* all its points are there: nobody will read it */
    if (!o->copy)
        return iris_manifest_set(m, row, "local", path, err);
    return copy_snapshot(o, m, row, copied, err);
}

/* On standard output what there is goes out at once, for the reader of a pipe;
 * a file appears when it is complete. */
static enum iris_status
pass_on(const struct options *o, struct iris_buf *text, struct iris_err *err)
{
    enum iris_status st;

    if (o->cli.output)
        return IRIS_OK;
    st = iris_cli_write(&o->cli, text, err);
    iris_buf_clear(text);
    return st;
}

/* A snapshot that cannot be had keeps its row, without a local path: `bad` says
 * why, of the first. */
static enum iris_status
fetch_all(const struct options *o, struct iris_manifest *m, struct iris_buf *text,
          struct iris_err *bad, struct iris_err *err)
{
    struct iris_progress p = {.total = m->n_rows};
    struct iris_meter meter = {0};
    enum iris_status st, fetched;
    uint64_t copied = 0;
    size_t r;

    iris_manifest_print_head(m, text);
    st = pass_on(o, text, err);
    for (r = 0; r < m->n_rows && !st; r++) {
        fetched = fetch_one(o, m, r, &copied, err);
        if (fetched == IRIS_E_RETRY)
            return fetched;
        if (fetched && !p.failed++)
            *bad = *err;
        iris_manifest_print_row(m, r, text);
        st = pass_on(o, text, err);
        p.done = r + 1;
        iris_cli_progress(&o->cli, &meter, &p, 0);
    }
    iris_cli_progress(&o->cli, &meter, &p, 1);
    iris_cli_note(&o->cli, "%" PRIu64 " bytes copied", copied);
    iris_manifest_print_end(m, text);
    return st ? st : iris_cli_write(&o->cli, text, err);
}

static enum iris_status
fetch(const struct options *o, struct iris_err *err)
{
    struct iris_manifest m = {0};
    struct iris_buf text = {0};
    struct iris_err bad = {0};
    enum iris_status st;
    size_t index;

    st = iris_manifest_read(o->input, "snapshots", &m, err);
    if (!st && o->cli.dry_run) {
        fprintf(stderr, "%s: would make %zu snapshots available\n", iris_prog, m.n_rows);
        goto done;
    }
    if (!st && o->copy)
        st = iris_cache_open(o->cache, err);
    if (!st)
        st = iris_manifest_column(&m, "local", "path", &index, err);
    if (!st && strcmp(m.kind, "fetched")) {
        free(m.kind);
        m.kind = strdup("fetched");
        st = m.kind ? IRIS_OK : iris_fail_memory(err);
    }
    if (!st)
        st = fetch_all(o, &m, &text, &bad, err);
    if (!st && bad.status) {
        *err = bad;
        st = bad.status;
    }
done:
    iris_buf_release(&text);
    iris_manifest_release(&m);
    return st;
}

static enum iris_status
drop(const struct options *o, struct iris_err *err)
{
    if (!o->cli.dry_run)
        return iris_cache_drop(o->cache, o->drop, err);
    fprintf(stderr, "%s: would remove the copy of '%s'\n", iris_prog, o->drop);
    return IRIS_OK;
}

int
main(int argc, char **argv)
{
    struct options o = {.cli = IRIS_CLI_INIT(usage)};
    struct iris_err err = {0};
    enum iris_status st;

    iris_prog = "iris-fetch";
    st = parse(argc, argv, &o, &err);
    if (!st && !o.cli.done) {
        iris_cli_catch();
        st = o.drop ? drop(&o, &err) : fetch(&o, &err);
    }
    return iris_finish(st, &err);
}
