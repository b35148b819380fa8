#include <stdio.h>
#include <string.h>

#include "cli_entry.h"
#include "container.h"
#include "file.h"
#include "publish.h"

static const char usage[] =
    "usage: iris-pack -o OUT.h5 DATASET\n"
    "Put a published data set into one HDF5 file that describes itself: all arrays in\n"
    "the published order, one entry a chunk, not compressed; see iris-container(5).\n"
    "Every array is compared with its hash on the way.\n"
    "\n" IRIS_CLI_HELP;

struct options {
    struct iris_cli cli;
    const char *dataset;
};

static enum iris_status
parse(int argc, char **argv, struct options *o, struct iris_err *err)
{
    static const struct option options[] = {IRIS_CLI_LONG, {NULL, 0, NULL, 0}};
    enum iris_status st;
    int opt;

    opterr = 0;
    while ((opt = getopt_long(argc, argv, IRIS_CLI_SHORT, options, NULL)) != -1) {
        st = iris_cli_option(&o->cli, opt, argv, err);
        if (st || o->cli.done)
            return st;
    }
    if (argc - optind != 1)
        return iris_fail(err, IRIS_E_USAGE, "name one data set");
    o->dataset = argv[optind];
    if (!o->cli.output || !strcmp(o->cli.output, "-"))
        return iris_fail(err, IRIS_E_USAGE, "name the file to write with -o: HDF5 needs one");
    return iris_cli_entry_output(o->cli.output, o->dataset, NULL, err);
}

struct report {
    const struct iris_cli *cli;
    struct iris_meter meter;
};

static int
after_entry(void *self, size_t done, size_t total)
{
    struct report *r = self;
    struct iris_progress p = {.done = done, .total = total};

    iris_cli_progress(r->cli, &r->meter, &p, done == total);
    return iris_cli_stop();
}

static enum iris_status
run(const struct options *o, struct iris_err *err)
{
    struct report r = {.cli = &o->cli};
    struct iris_pack pack = {.version = IRIS_VERSION, .pause = after_entry, .self = &r};
    struct iris_outfile out = IRIS_OUTFILE_INIT;
    struct iris_attributes a;
    enum iris_status st;

    iris_cli_catch();
    if (o->cli.dry_run) {
        st = iris_attributes_read(o->dataset, &a, err);
        if (!st)
            fprintf(stderr, "%s: would pack %zu entries of '%s' into '%s'\n", iris_prog, a.n,
                    o->dataset, o->cli.output);
        iris_attributes_release(&a);
        return st;
    }
    st = iris_outfile_open(&out, o->cli.output, err);
    if (!st)
        st = iris_pack(&pack, o->dataset, &out, err);
    if (!st)
        iris_cli_note(&o->cli, "'%s' has %zu entries, %llu bytes of arrays", o->cli.output,
                      pack.entries, (unsigned long long)pack.bytes);
    return st;
}

int
main(int argc, char **argv)
{
    struct options o = {.cli = IRIS_CLI_INIT(usage)};
    struct iris_err err = {0};
    enum iris_status st;

    iris_prog = "iris-pack";
    st = parse(argc, argv, &o, &err);
    if (!st && !o.cli.done)
        st = run(&o, &err);
    return iris_finish(st, &err);
}
