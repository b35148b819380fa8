#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "cli.h"
#include "dataset.h"
#include "digest.h"
#include "entry.h"
#include "hyper.h"
#include "manifest.h"
#include "num.h"
#include "publish.h"
#include "scan.h"
#include "unitset.h"
#include "verify.h"

static const char usage[] =
    "usage: iris-units -H HYPER -d DATASET [--from=DATASET2|HYPER2] [--sample=N|all]\n"
    "                  [MANIFEST]\n"
    "Print HYPER with the IRIS units of the entries in MANIFEST (default '-',\n"
    "standard input) filled in.\n"
    "\n"
    "  -H, --hyper=FILE       the settings; units that are complete are kept\n"
    "  -d, --dataset=DIR      the data set that MANIFEST speaks of\n"
    "      --from=NAME        take the units of another data set or settings file\n"
    "      --sample=N|all     how many raw entries the standard deviations are taken\n"
    "                         from (writer_hyper.unit_calculation_sample_size)\n" IRIS_CLI_HELP;

enum { OPT_FROM = IRIS_OPT_TOOL, OPT_SAMPLE };

struct options {
    struct iris_cli cli;
    const char *hyper, *dataset, *from, *input;
    uint64_t sample; /* 0: as the settings say; UINT64_MAX: all */
};

static enum iris_status
take_option(struct options *o, int opt, char **argv, struct iris_err *err)
{
    switch (opt) {
    case 'H':
        o->hyper = optarg;
        return IRIS_OK;
    case 'd':
        o->dataset = optarg;
        return IRIS_OK;
    case OPT_FROM:
        o->from = optarg;
        return IRIS_OK;
    case OPT_SAMPLE:
        if (!strcmp(optarg, "all"))
            o->sample = UINT64_MAX;
        else if (iris_parse_u64(optarg, &o->sample) || !o->sample)
            return iris_fail(err, IRIS_E_USAGE, "bad sample '%s': need 'all', or 1 or more",
                             optarg);
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
                                            {"dataset", required_argument, NULL, 'd'},
                                            {"from", required_argument, NULL, OPT_FROM},
                                            {"sample", required_argument, NULL, OPT_SAMPLE},
                                            {NULL, 0, NULL, 0}};
    enum iris_status st;
    int opt;

    opterr = 0;
    while ((opt = getopt_long(argc, argv, IRIS_CLI_SHORT "H:d:", options, NULL)) != -1) {
        st = take_option(o, opt, argv, err);
        if (st || o->cli.done)
            return st;
    }
    if (!o->hyper || !o->dataset)
        return iris_fail(err, IRIS_E_USAGE, "%s is needed", !o->hyper ? "-H HYPER" : "-d DATASET");
    return iris_cli_input(argc, argv, &o->input, err);
}

/* ---- the sample ---- */

struct lot {
    uint64_t hash;
    size_t row;
};

static int
compare_lots(const void *pa, const void *pb)
{
    const struct lot *a = pa, *b = pb;

    if (a->hash != b->hash)
        return a->hash < b->hash ? -1 : 1;
    return a->row < b->row ? -1 : 1;
}

static int
compare_rows(const void *pa, const void *pb)
{
    const struct lot *a = pa, *b = pb;

    return a->row < b->row ? -1 : a->row > b->row;
}

/* The rows to read: n of the raw ones by hash(seed, id), in the order of the
 * manifest, which is sorted first. */
static enum iris_status
draw(const struct iris_manifest *m, uint64_t seed, uint64_t n, struct lot **lot, size_t *count,
     struct iris_err *err)
{
    enum iris_status st = IRIS_OK;
    size_t r, raw = 0;

    *lot = calloc(m->n_rows + 1, sizeof **lot);
    if (!*lot)
        return iris_fail_memory(err);
    for (r = 0; r < m->n_rows && !st; r++) {
        struct iris_entry e;

        st = iris_entry_get(m, r, &e, err);
        if (!st && e.state == IRIS_RAW)
            (*lot)[raw++] = (struct lot){iris_hash64(seed, e.id), r};
    }
    if (st)
        return st;
    if (n != UINT64_MAX && n > raw)
        return iris_fail(err, IRIS_E_DATA, "cannot sample %llu of %zu raw entries; see --sample",
                         (unsigned long long)n, raw);
    if (!raw)
        return iris_fail(err, IRIS_E_DATA, "no raw entries to take units from");
    *count = n < raw ? (size_t)n : raw;
    qsort(*lot, raw, sizeof **lot, compare_lots);
    qsort(*lot, *count, sizeof **lot, compare_rows);
    return IRIS_OK;
}

static enum iris_status
measure(const struct options *o, const struct iris_manifest *m, const struct iris_settings *s,
        uint64_t seed, uint64_t n, double std[IRIS_KINDS], struct iris_err *err)
{
    struct iris_verifier verifier = {.root = o->dataset};
    struct iris_moments moments[IRIS_KINDS] = {{0, 0, 0}};
    struct lot *lot = NULL;
    enum iris_status st;
    size_t count = 0, i, k;

    st = draw(m, seed, n, &lot, &count, err);
    for (i = 0; i < count && !st; i++) {
        struct iris_entry e;

        st = iris_entry_get(m, lot[i].row, &e, err);
        if (!st)
            st = iris_verifier_units(&verifier, e.digest, s, err);
        for (k = 0; k < e.n_kinds && !st; k++) {
            char *path = iris_path_join(o->dataset, e.path[k]);
            struct iris_scan scan;

            st = path ? iris_scan_array(path, IRIS_SCAN_MOMENTS, &scan, err)
                      : iris_fail_memory(err);
            if (!st && scan.bad)
                st = iris_fail(err, IRIS_E_DATA,
                               "'%s' has %zu values that are not finite, the first at %zu", path,
                               scan.bad, scan.first_bad);
            if (!st)
                iris_moments_join(&moments[e.kind[k]],
                                  &(struct iris_moments){(double)scan.count, scan.mean, scan.m2});
            free(path);
        }
        if (!st && iris_cli_stop())
            st = iris_fail(err, IRIS_E_RETRY, "stopped by a signal; run again");
    }
    for (k = 0; k < IRIS_KINDS; k++)
        std[k] = sqrt(moments[k].m2 / (moments[k].count - 1));
    iris_verifier_release(&verifier);
    free(lot);
    return st;
}

/* ---- the units ---- */

static enum iris_status
take_from(const struct options *o, enum iris_type type, const struct iris_settings *s,
          struct iris_hyper *h, struct iris_unit_factors *u, struct iris_err *err)
{
    struct iris_unit_factors theirs;
    struct iris_hyper *other = NULL;
    struct iris_buf number = {0};
    enum iris_status st;
    struct stat sb;
    char *path;

    path = !stat(o->from, &sb) && S_ISDIR(sb.st_mode) ? iris_path_join(o->from, IRIS_HYPER_FILE)
                                                      : strdup(o->from);
    st = path ? iris_hyper_read(path, &other, err) : iris_fail_memory(err);
    if (!st) {
        iris_hyper_get_units(other, &theirs);
        st = iris_unitset_taken(type, s, &theirs, u, err);
        if (st)
            iris_fail_in(err, "%s", path);
    }
    if (!st)
        st = iris_hyper_value(other, "dataset_hyper.iris_number_unit", &number, err);
    if (!st)
        st = iris_hyper_set(h, "dataset_hyper.iris_number_unit", iris_buf_str(&number), err);
    iris_hyper_free(other);
    iris_buf_release(&number);
    free(path);
    return st;
}

static enum iris_status
find_units(const struct options *o, struct iris_manifest *m, struct iris_hyper *h,
           struct iris_err *err)
{
    double std[IRIS_KINDS] = {0};
    enum iris_type type = IRIS_STANDARD;
    struct iris_unit_factors u;
    struct iris_settings s;
    enum iris_status st;
    uint64_t seed, n;

    iris_hyper_settings(h, &s);
    iris_hyper_get_units(h, &u);
    seed = o->cli.has_seed ? o->cli.seed : s.suite.seed;
    n = o->sample ? o->sample : (uint64_t)s.writer.unit_calculation_sample_size;
    st = iris_entry_type(m, &type, err);
    if (st)
        return iris_fail_in(err, "%s", o->input);
    if (!st && o->from) {
        st = take_from(o, type, &s, h, &u, err);
    } else if (!st && !iris_unitset_complete(type, &u)) {
        st = iris_manifest_sort(m, err);
        if (!st && type != IRIS_STANDARD)
            st = measure(o, m, &s, seed, n, std, err);
        if (!st)
            st = iris_unitset_own(type, &s, std, &u, err);
    }
    if (!st)
        st = iris_hyper_set_units(h, &u, err);
    return st ? st : iris_hyper_set_seed(h, seed, err);
}

static enum iris_status
run(const struct options *o, struct iris_err *err)
{
    struct iris_dataset dataset = IRIS_DATASET_INIT;
    struct iris_manifest m = {0};
    struct iris_hyper *h = NULL;
    struct iris_buf text = {0};
    enum iris_status st;

    iris_cli_catch();
    st = iris_hyper_read(o->hyper, &h, err);
    if (!st)
        st = iris_manifest_read(o->input, "entries", &m, err);
    if (!st)
        st = iris_dataset_open(&dataset, o->dataset, IRIS_DATASET_EXISTING, err);
    if (!st)
        st = find_units(o, &m, h, err);
    if (!st)
        st = iris_hyper_resolve_paths(h, err);
    if (!st)
        st = iris_hyper_print(h, &text, err);
    iris_buf_putc(&text, '\n');
    if (!st && o->cli.dry_run)
        fprintf(stderr, "%s: would print units for %zu entries\n", iris_prog, m.n_rows);
    else if (!st)
        st = iris_cli_write(&o->cli, &text, err);
    iris_buf_release(&text);
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

    iris_prog = "iris-units";
    st = parse(argc, argv, &o, &err);
    if (!st && !o.cli.done)
        st = run(&o, &err);
    return iris_finish(st, &err);
}
