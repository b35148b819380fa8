#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "cli.h"
#include "dataset.h"
#include "entry.h"
#include "group.h"
#include "manifest.h"
#include "num.h"
#include "rescale.h"
#include "unite.h"
#include "verify.h"

static const char usage[] =
    "usage: iris-merge -d DATASET [--drop-failed] [--require=N] [--rescale]\n"
    "                  [--group-by=COLUMN] MANIFEST...\n"
    "Print the union of manifests of entries, each entry verified: its arrays are\n"
    "there, whole, finite and of the right shape; their hashes are added.\n"
    "\n"
    "  -d, --dataset=DIR      the data set that the manifests speak of\n"
    "      --drop-failed      leave failed entries out, and end with 0\n"
    "      --require=N        print nothing unless N entries or more are good\n"
    "      --group-by=COLUMN  order by this column first, and count each of its values\n"
    "      --rescale          bring entries in other IRIS units to those of the "
    "first\n" IRIS_CLI_HELP;

enum { OPT_DROP = IRIS_OPT_TOOL, OPT_REQUIRE, OPT_GROUP, OPT_RESCALE };

struct options {
    struct iris_cli cli;
    const char *dataset, *group;
    uint64_t required;
    int drop_failed, rescale;
    char **input;
    size_t n_inputs;
};

static enum iris_status
parse(int argc, char **argv, struct options *o, struct iris_err *err)
{
    static const struct option options[] = {IRIS_CLI_LONG,
                                            {"dataset", required_argument, NULL, 'd'},
                                            {"drop-failed", no_argument, NULL, OPT_DROP},
                                            {"require", required_argument, NULL, OPT_REQUIRE},
                                            {"group-by", required_argument, NULL, OPT_GROUP},
                                            {"rescale", no_argument, NULL, OPT_RESCALE},
                                            {NULL, 0, NULL, 0}};
    enum iris_status st = IRIS_OK;
    int opt;

    opterr = 0;
    while ((opt = getopt_long(argc, argv, IRIS_CLI_SHORT "d:", options, NULL)) != -1) {
        switch (opt) {
        case 'd':
            o->dataset = optarg;
            break;
        case OPT_DROP:
            o->drop_failed = 1;
            break;
        case OPT_REQUIRE:
            if (iris_parse_u64(optarg, &o->required) || !o->required)
                st = iris_fail(err, IRIS_E_USAGE, "bad number of entries '%s': need 1 or more",
                               optarg);
            break;
        case OPT_GROUP:
            o->group = optarg;
            break;
        case OPT_RESCALE:
            o->rescale = 1;
            break;
        default:
            st = iris_cli_option(&o->cli, opt, argv, err);
        }
        if (st || o->cli.done)
            return st;
    }
    if (!o->dataset)
        return iris_fail(err, IRIS_E_USAGE, "-d DATASET is needed");
    o->input = argv + optind;
    o->n_inputs = (size_t)(argc - optind);
    if (o->n_inputs)
        return IRIS_OK;
    {
        static char dash[] = "-", *standard_input[] = {dash};
        const char *unused;

        o->input = standard_input;
        o->n_inputs = 1;
        return iris_cli_input(argc, argv, &unused, err);
    }
}

static enum iris_status
read_all(const struct options *o, struct iris_manifest *m, struct iris_err *err)
{
    enum iris_status st;
    size_t i;

    st = iris_manifest_init(m, "entries", err);
    for (i = 0; i < o->n_inputs && !st; i++) {
        struct iris_manifest part = {0};

        st = iris_manifest_read(o->input[i], "entries", &part, err);
        if (!st)
            st = iris_unite_append(m, &part, err);
        iris_manifest_release(&part);
    }
    if (!st)
        st = iris_manifest_sort(m, err);
    return st ? st : iris_unite(m, err);
}

/* Whether so many entries are good, as far as the rows say. */
static enum iris_status
require(const struct options *o, const struct iris_manifest *m, struct iris_err *err)
{
    size_t r, good = 0;

    for (r = 0; r < m->n_rows; r++)
        good += !iris_entry_has_failed(m, r);
    if (good >= o->required)
        return IRIS_OK;
    return iris_fail(err, IRIS_E_DATA, "only %zu of %" PRIu64 " entries that are required are good",
                     good, o->required);
}

/* ---- verification ---- */

static enum iris_status
record(struct iris_manifest *m, size_t row, const struct iris_entry *e,
       const struct iris_scan scan[2], struct iris_err *err)
{
    enum iris_status st = IRIS_OK;
    size_t k;

    for (k = 0; k < e->n_kinds && !st; k++)
        st = iris_manifest_set(m, row, iris_kind_hash(e->kind[k]), scan[k].hash, err);
    return st;
}

static enum iris_status
verify_one(struct iris_verifier *v, struct iris_manifest *m, size_t row, size_t *failed,
           struct iris_err *err)
{
    struct iris_scan scan[2];
    struct iris_entry e;
    enum iris_status st;

    st = iris_entry_get(m, row, &e, err);
    if (st)
        return st;
    if (e.state == IRIS_FAILED) {
        (*failed)++;
        return IRIS_OK;
    }
    st = iris_verify_row(v, &e, scan, err);
    if (!st)
        return record(m, row, &e, scan, err);
    if (err->is_memory) /* that says nothing of the entry */
        return st;
    (*failed)++;
    return iris_entry_fail(m, row, err->msg, err);
}

static enum iris_status
verify(const struct options *o, struct iris_manifest *m, size_t *failed, struct iris_err *err)
{
    struct iris_verifier v = {.root = o->dataset};
    struct iris_progress p = {.total = m->n_rows};
    struct iris_meter meter = {0};
    enum iris_type type;
    enum iris_status st;
    enum iris_kind kind[2];
    size_t r, n, k, index;

    st = iris_entry_type(m, &type, err);
    n = st ? 0 : iris_type_kinds(type, kind);
    for (k = 0; k < n && !st; k++)
        st = iris_manifest_column(m, iris_kind_hash(kind[k]), "str", &index, err);
    for (r = 0; r < m->n_rows && !st; r++) {
        st = verify_one(&v, m, r, failed, err);
        p.done = r + 1;
        p.failed = *failed;
        iris_cli_progress(&o->cli, &meter, &p, 0);
        if (!st && iris_cli_stop())
            st = iris_fail(err, IRIS_E_RETRY, "stopped by a signal; run again");
    }
    iris_cli_progress(&o->cli, &meter, &p, 1);
    iris_verifier_release(&v);
    return st;
}

static enum iris_status
drop_failed(struct iris_manifest *m, struct iris_err *err)
{
    unsigned char *keep = calloc(m->n_rows + 1, 1);
    size_t r;

    if (!keep)
        return iris_fail_memory(err);
    for (r = 0; r < m->n_rows; r++)
        keep[r] = (unsigned char)!iris_entry_has_failed(m, r);
    iris_manifest_keep(m, keep);
    free(keep);
    return IRIS_OK;
}

static enum iris_status
report(const struct iris_manifest *m, size_t failed, struct iris_err *err)
{
    size_t r;

    for (r = 0; r < m->n_rows; r++) {
        const char *message = iris_manifest_get(m, r, "message");

        if (iris_entry_has_failed(m, r))
            return iris_fail(
                err, IRIS_E_SOME, "%zu of %zu entries have failed; the first, '%s': %s", failed,
                m->n_rows, iris_manifest_get(m, r, "id"), message ? message : "no message");
    }
    return IRIS_OK;
}

static enum iris_status
print(const struct options *o, struct iris_manifest *m, struct iris_err *err)
{
    struct iris_buf text = {0};
    enum iris_status st;

    if (!o->group)
        return iris_cli_print(&o->cli, m, err);
    st = iris_group_sort(m, o->group, err);
    if (!st) {
        iris_group_print(m, o->group, &text);
        st = iris_cli_write(&o->cli, &text, err);
    }
    iris_buf_release(&text);
    return st;
}

static enum iris_status
run(const struct options *o, struct iris_err *err)
{
    struct iris_dataset dataset = IRIS_DATASET_INIT;
    struct iris_manifest m = {0};
    enum iris_status st;
    size_t failed = 0;

    iris_cli_catch();
    /* iris-gen before us in a pipe has made the data set when its rows are read */
    st = read_all(o, &m, err);
    if (!st && o->group)
        st = iris_group_check(&m, o->group, err);
    if (!st)
        st = require(o, &m, err);
    if (!st)
        st = iris_dataset_open(&dataset, o->dataset, IRIS_DATASET_EXISTING, err);
    if (!st)
        st = verify(o, &m, &failed, err);
    if (!st && failed)
        st = require(o, &m, err);
    if (!st && o->rescale && !o->cli.dry_run)
        st = iris_dataset_lock(&dataset, NULL, err);
    if (!st && !(o->rescale && o->cli.dry_run))
        st = iris_rescale(o->dataset, &m, o->rescale, err);
    if (!st && o->drop_failed && failed)
        st = drop_failed(&m, err);
    if (!st && o->cli.dry_run) {
        fprintf(stderr, "%s: would print %zu entries, %zu have failed\n", iris_prog, m.n_rows,
                failed);
    } else if (!st) {
        st = print(o, &m, err);
    }
    if (!st)
        st = report(&m, failed, err);
    iris_manifest_release(&m);
    iris_dataset_close(&dataset);
    return st;
}

int
main(int argc, char **argv)
{
    struct options o = {.cli = IRIS_CLI_INIT(usage)};
    struct iris_err err = {0};
    enum iris_status st;

    iris_prog = "iris-merge";
    st = parse(argc, argv, &o, &err);
    if (!st && !o.cli.done)
        st = run(&o, &err);
    return iris_finish(st, &err);
}
