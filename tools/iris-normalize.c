#include <stdio.h>
#include <string.h>

#include "cli.h"
#include "dataset.h"
#include "entry.h"
#include "hyper.h"
#include "manifest.h"
#include "normalize.h"
#include "unitset.h"
#include "verify.h"

static const char usage[] =
    "usage: iris-normalize -H UNITS -d DATASET [MANIFEST]\n"
    "Write the raw entries of MANIFEST (default '-', standard input) in IRIS units,\n"
    "into new files beside the raw ones; print the manifest of the new files.\n"
    "\n"
    "  -H, --hyper=FILE       settings with units, as iris-units prints them\n"
    "  -d, --dataset=DIR      the data set that MANIFEST speaks of\n" IRIS_CLI_HELP;

struct options {
    struct iris_cli cli;
    const char *hyper, *dataset, *input;
};

static enum iris_status
parse(int argc, char **argv, struct options *o, struct iris_err *err)
{
    static const struct option options[] = {IRIS_CLI_LONG,
                                            {"hyper", required_argument, NULL, 'H'},
                                            {"dataset", required_argument, NULL, 'd'},
                                            {NULL, 0, NULL, 0}};
    enum iris_status st = IRIS_OK;
    int opt;

    opterr = 0;
    while ((opt = getopt_long(argc, argv, IRIS_CLI_SHORT "H:d:", options, NULL)) != -1) {
        switch (opt) {
        case 'H':
            o->hyper = optarg;
            break;
        case 'd':
            o->dataset = optarg;
            break;
        default:
            st = iris_cli_option(&o->cli, opt, argv, err);
        }
        if (st || o->cli.done)
            return st;
    }
    if (!o->hyper || !o->dataset)
        return iris_fail(err, IRIS_E_USAGE, "%s is needed", !o->hyper ? "-H UNITS" : "-d DATASET");
    return iris_cli_input(argc, argv, &o->input, err);
}

/* What the rows of a run share. */
struct job {
    const struct options *o;
    struct iris_manifest *m;
    enum iris_type type;
    struct iris_unit_factors units;
    struct iris_scaling scaling;
    struct iris_settings settings;
    struct iris_verifier verifier;
    char recorded[IRIS_SETTINGS_DIGEST]; /* digest whose folder has its record */
    struct iris_progress progress;
};

static enum iris_status
convert_raw(struct job *job, size_t row, const struct iris_entry *e, struct iris_err *err)
{
    int writing = 0;
    enum iris_status st = IRIS_OK;

    if (strcmp(job->recorded, e->digest)) {
        st = iris_verifier_units(&job->verifier, e->digest, &job->settings, err);
        if (st)
            return st;
        st = iris_normalize_record(job->o->dataset, e->digest, job->type, &job->scaling,
                                   &job->units, err);
        if (st)
            return st;
        snprintf(job->recorded, sizeof job->recorded, "%s", e->digest);
    }
    st = iris_normalize_row(job->o->dataset, job->m, row, &job->scaling, &writing, err);
    if (!st || writing || err->is_memory)
        return st;
    job->progress.failed++;
    iris_cli_note(&job->o->cli, "%s", err->msg);
    return iris_entry_fail(job->m, row, err->msg, err);
}

static enum iris_status
convert(struct job *job, size_t row, struct iris_err *err)
{
    const char *units = iris_manifest_get(job->m, row, "units");
    struct iris_entry e;
    enum iris_status st;

    st = iris_entry_get(job->m, row, &e, err);
    if (st)
        return st;
    if (e.state == IRIS_FAILED) {
        job->progress.skipped++;
        return IRIS_OK;
    }
    if (e.state == IRIS_RAW)
        return convert_raw(job, row, &e, err);
    job->progress.skipped++;
    if (units && !strcmp(units, job->scaling.digest))
        return IRIS_OK;
    return iris_fail(err, IRIS_E_DATA,
                     "entry '%s' is in the units %s already, not %s; see iris-merge --rescale",
                     e.id, units ? units : "(unknown)", job->scaling.digest);
}

static enum iris_status
convert_all(struct job *job, struct iris_err *err)
{
    struct iris_meter meter = {0};
    enum iris_status st = IRIS_OK;
    size_t r;

    job->progress.total = job->m->n_rows;
    for (r = 0; r < job->m->n_rows && !st; r++) {
        st = convert(job, r, err);
        job->progress.done = r + 1;
        iris_cli_progress(&job->o->cli, &meter, &job->progress, 0);
        if (!st && iris_cli_stop())
            st = iris_fail(
                err, IRIS_E_RETRY,
                "stopped by a signal with %zu of %zu entries done; run again to continue", r + 1,
                job->m->n_rows);
    }
    iris_cli_progress(&job->o->cli, &meter, &job->progress, 1);
    return st;
}

static enum iris_status
report(const struct job *job, struct iris_err *err)
{
    if (!job->progress.failed)
        return IRIS_OK;
    return iris_fail(err, IRIS_E_SOME,
                     "%llu of %zu entries could not be converted; the manifest says why",
                     (unsigned long long)job->progress.failed, job->m->n_rows);
}

static enum iris_status
run(const struct options *o, struct iris_err *err)
{
    struct iris_manifest m = {0};
    struct iris_dataset dataset = IRIS_DATASET_INIT;
    struct iris_hyper *h = NULL;
    struct job job = {.o = o, .m = &m, .verifier = {.root = o->dataset}};
    enum iris_status st;

    iris_cli_catch();
    st = iris_hyper_read(o->hyper, &h, err);
    if (!st)
        st = iris_manifest_read(o->input, "entries", &m, err);
    if (!st)
        st = iris_dataset_open(&dataset, o->dataset, IRIS_DATASET_EXISTING, err);
    if (!st)
        st = iris_entry_type(&m, &job.type, err);
    if (st && m.kind)
        iris_fail_in(err, "%s", o->input);
    if (!st) {
        iris_hyper_get_units(h, &job.units);
        iris_hyper_settings(h, &job.settings);
        st = iris_unitset_scaling(job.type, &job.units, &job.scaling, err);
        if (st)
            iris_fail_in(err, "%s", o->hyper);
    }
    if (!st && o->cli.dry_run) {
        fprintf(stderr, "%s: would convert the raw ones of %zu entries to the units %s\n",
                iris_prog, m.n_rows, job.scaling.digest);
    } else if (!st) {
        st = iris_dataset_lock(&dataset, NULL, err);
        if (!st)
            st = convert_all(&job, err);
        if (!st)
            st = iris_manifest_sort(&m, err);
        if (!st)
            st = iris_cli_print(&o->cli, &m, err);
        if (!st)
            st = report(&job, err);
    }
    iris_verifier_release(&job.verifier);
    iris_manifest_release(&m);
    iris_hyper_free(h);
    iris_dataset_close(&dataset);
    return st;
}

int
main(int argc, char **argv)
{
    struct options o = {.cli = IRIS_CLI_INIT(usage)};
    struct iris_err err = {0};
    enum iris_status st;

    iris_prog = "iris-normalize";
    st = parse(argc, argv, &o, &err);
    if (!st && !o.cli.done)
        st = run(&o, &err);
    return iris_finish(st, &err);
}
