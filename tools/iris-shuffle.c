#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "cli.h"
#include "dataset.h"
#include "digest.h"
#include "entry.h"
#include "file.h"
#include "hyper.h"
#include "manifest.h"
#include "publish.h"

static const char usage[] =
    "usage: iris-shuffle [--seed=N] [--publish=DATASET -H UNITS [--drop-raw]] [MANIFEST]\n"
    "Print the entries of MANIFEST (default '-', standard input) in a random order\n"
    "that the seed fixes, without failed ones.\n"
    "\n"
    "      --publish=DATASET  make DATASET a data set of these entries in this order\n"
    "  -H, --hyper=FILE       its settings, as iris-units prints them\n"
    "      --replace          even where a data set with other units or shapes is\n"
    "                         published; it is unpublished first\n"
    "      --drop-raw         then remove the raw arrays of these entries\n" IRIS_CLI_HELP;

enum { OPT_PUBLISH = IRIS_OPT_TOOL, OPT_DROP, OPT_REPLACE };

static const uint64_t default_seed = 1216;

struct options {
    struct iris_cli cli;
    const char *hyper, *publish, *input;
    int drop_raw, replace;
};

static enum iris_status
parse(int argc, char **argv, struct options *o, struct iris_err *err)
{
    static const struct option options[] = {IRIS_CLI_LONG,
                                            {"hyper", required_argument, NULL, 'H'},
                                            {"publish", required_argument, NULL, OPT_PUBLISH},
                                            {"replace", no_argument, NULL, OPT_REPLACE},
                                            {"drop-raw", no_argument, NULL, OPT_DROP},
                                            {NULL, 0, NULL, 0}};
    enum iris_status st = IRIS_OK;
    int opt;

    opterr = 0;
    while ((opt = getopt_long(argc, argv, IRIS_CLI_SHORT "H:", options, NULL)) != -1) {
        switch (opt) {
        case 'H':
            o->hyper = optarg;
            break;
        case OPT_PUBLISH:
            o->publish = optarg;
            break;
        case OPT_REPLACE:
            o->replace = 1;
            break;
        case OPT_DROP:
            o->drop_raw = 1;
            break;
        default:
            st = iris_cli_option(&o->cli, opt, argv, err);
        }
        if (st || o->cli.done)
            return st;
    }
    if (o->publish && !o->hyper)
        return iris_fail(err, IRIS_E_USAGE, "--publish needs -H UNITS");
    if ((o->drop_raw || o->replace) && !o->publish)
        return iris_fail(err, IRIS_E_USAGE, "--%s needs --publish",
                         o->drop_raw ? "drop-raw" : "replace");
    return iris_cli_input(argc, argv, &o->input, err);
}

struct lot {
    uint64_t hash;
    const char *id;
    char **row;
};

static int
compare_lots(const void *pa, const void *pb)
{
    const struct lot *a = pa, *b = pb;

    if (a->hash != b->hash)
        return a->hash < b->hash ? -1 : 1;
    return strcmp(a->id, b->id);
}

/* The place of an entry depends on the seed and its own id only, so the order
 * is the same whatever order the rows came in. */
static enum iris_status
shuffle(struct iris_manifest *m, uint64_t seed, struct iris_err *err)
{
    struct lot *lot = calloc(m->n_rows + 1, sizeof *lot);
    enum iris_status st = lot ? IRIS_OK : iris_fail_memory(err);
    size_t r;

    for (r = 0; r < m->n_rows && !st; r++) {
        struct iris_entry e;

        st = iris_entry_get(m, r, &e, err);
        if (!st)
            lot[r] = (struct lot){iris_hash64(seed, e.id), e.id, m->row[r]};
    }
    if (!st)
        qsort(lot, m->n_rows, sizeof *lot, compare_lots);
    for (r = 1; r < m->n_rows && !st; r++) {
        if (!strcmp(lot[r].id, lot[r - 1].id))
            st = iris_fail(err, IRIS_E_DATA, "the manifest has entry '%s' twice", lot[r].id);
    }
    for (r = 0; r < m->n_rows && !st; r++)
        m->row[r] = lot[r].row;
    free(lot);
    return st;
}

static enum iris_status
leave_out_failed(const struct options *o, struct iris_manifest *m, struct iris_err *err)
{
    unsigned char *keep = calloc(m->n_rows + 1, 1);
    enum iris_status st = keep ? IRIS_OK : iris_fail_memory(err);
    size_t r, failed = 0;

    for (r = 0; r < m->n_rows && !st; r++) {
        struct iris_entry e;

        st = iris_entry_get(m, r, &e, err);
        keep[r] = !st && e.state != IRIS_FAILED;
        failed += !keep[r];
    }
    if (!st && failed) {
        iris_cli_warn(&o->cli, "%zu of %zu entries have failed and are left out", failed,
                      m->n_rows);
        iris_manifest_keep(m, keep);
    }
    free(keep);
    if (!st && !m->n_rows)
        st = iris_fail(err, IRIS_E_DATA, "the manifest has no entries");
    return st;
}

/* Remove the raw arrays of entries that are there in IRIS units. */
static enum iris_status
drop_raw(const struct options *o, const struct iris_manifest *m, struct iris_err *err)
{
    enum iris_status st = IRIS_OK;
    struct iris_buf path = {0};
    size_t r, k;

    for (r = 0; r < m->n_rows && !st; r++) {
        struct iris_entry e;

        st = iris_entry_get(m, r, &e, err);
        for (k = 0; k < e.n_kinds && !st; k++) {
            iris_buf_clear(&path);
            iris_buf_printf(&path, "%s/", o->publish);
            iris_entry_path(&path, e.digest, NULL, e.snapshot, e.point, e.kind[k]);
            st = iris_buf_check(&path, err);
            if (!st)
                st = iris_remove_file(path.data, err);
        }
    }
    iris_buf_release(&path);
    return st;
}

/* Publish, print, then drop what is no longer needed: all under the lock. */
static enum iris_status
publish(const struct options *o, const struct iris_manifest *m, const struct iris_hyper *h,
        const struct iris_buf *text, struct iris_err *err)
{
    struct iris_dataset dataset;
    enum iris_status st;

    st = iris_dataset_open(&dataset, o->publish, IRIS_DATASET_EXISTING, err);
    if (!st)
        st = iris_dataset_lock(&dataset, NULL, err);
    if (!st)
        st = iris_publish(o->publish, m, h, o->replace, err);
    if (!st)
        st = iris_cli_write(&o->cli, text, err);
    if (!st && o->drop_raw)
        st = drop_raw(o, m, err);
    iris_dataset_close(&dataset);
    return st;
}

static enum iris_status
run(const struct options *o, struct iris_err *err)
{
    uint64_t seed = o->cli.has_seed ? o->cli.seed : default_seed;
    struct iris_manifest m = {0};
    struct iris_hyper *h = NULL;
    struct iris_settings s;
    struct iris_buf text = {0};
    enum iris_status st = IRIS_OK;

    if (o->hyper) {
        st = iris_hyper_read(o->hyper, &h, err);
        if (!st)
            iris_hyper_settings(h, &s);
        if (!st && !o->cli.has_seed)
            seed = s.suite.seed;
    }
    if (!st)
        st = iris_manifest_read(o->input, "entries", &m, err);
    if (!st)
        st = leave_out_failed(o, &m, err);
    if (st && m.kind)
        iris_fail_in(err, "%s", o->input);
    if (!st)
        st = shuffle(&m, seed, err);
    if (!st && o->cli.dry_run) {
        fprintf(stderr, "%s: would %s %zu entries\n", iris_prog, o->publish ? "publish" : "print",
                m.n_rows);
    } else if (!st) {
        iris_manifest_print(&m, &text);
        st = o->publish ? publish(o, &m, h, &text, err) : iris_cli_write(&o->cli, &text, err);
    }
    iris_buf_release(&text);
    iris_manifest_release(&m);
    iris_hyper_free(h);
    return st;
}

int
main(int argc, char **argv)
{
    struct options o = {.cli = IRIS_CLI_INIT(usage)};
    struct iris_err err = {0};
    enum iris_status st;

    iris_prog = "iris-shuffle";
    st = parse(argc, argv, &o, &err);
    if (!st && !o.cli.done)
        st = run(&o, &err);
    return iris_finish(st, &err);
}
