#include <stdio.h>
#include <sys/stat.h>

#include "check.h"
#include "cli.h"
#include "container.h"

static const char usage[] =
    "usage: iris-check DATASET|OUT.h5\n"
    "Prove a data set, or the container that iris-pack made of one, whole: its lists\n"
    "agree, and every array is there, has the shape, hash and units it should have, is\n"
    "finite and not constant. Print one line for each promise that is broken, and then\n"
    "exit with 65.\n"
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
    return IRIS_OK;
}

/* What the check reports to. */
struct report {
    const struct iris_cli *cli;
    struct iris_buf lines;
    struct iris_meter meter;
    size_t found;
};

static void
take_line(void *self, const char *sentence)
{
    struct report *r = self;

    r->found++;
    iris_buf_printf(&r->lines, "%s\n", sentence);
}

static int
after_entry(void *self, size_t done, size_t total)
{
    struct report *r = self;
    struct iris_progress p = {.done = done, .total = total, .failed = r->found};

    iris_cli_progress(r->cli, &r->meter, &p, done == total);
    return iris_cli_stop();
}

static enum iris_status
run(const struct options *o, struct iris_err *err)
{
    struct report r = {.cli = &o->cli};
    struct iris_check c = {take_line, after_entry, &r, 0, 0, 0};
    enum iris_status st;
    struct stat sb;

    iris_cli_catch();
    if (o->cli.dry_run) {
        fprintf(stderr, "%s: would check '%s'\n", iris_prog, o->dataset);
        return IRIS_OK;
    }
    if (!stat(o->dataset, &sb) && S_ISREG(sb.st_mode))
        st = iris_check_container(&c, o->dataset, err);
    else
        st = iris_check_dataset(&c, o->dataset, err);
    if (!st)
        st = iris_cli_write(&o->cli, &r.lines, err);
    if (!st && c.found)
        st = iris_fail(err, IRIS_E_DATA, "'%s' is not whole: %zu promises are broken", o->dataset,
                       c.found);
    else if (!st)
        iris_cli_note(&o->cli, "'%s' is whole: %zu entries, %zu arrays", o->dataset, c.entries,
                      c.arrays);
    iris_buf_release(&r.lines);
    return st;
}

int
main(int argc, char **argv)
{
    struct options o = {.cli = IRIS_CLI_INIT(usage)};
    struct iris_err err = {0};
    enum iris_status st;

    iris_prog = "iris-check";
    st = parse(argc, argv, &o, &err);
    if (!st && !o.cli.done)
        st = run(&o, &err);
    return iris_finish(st, &err);
}
