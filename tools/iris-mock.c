#include <ctype.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "cli.h"
#include "mock.h"
#include "mock_molecule.h"
#include "mock_write.h"
#include "num.h"

#define MAX_FILES 100000

static const char usage[] =
    "usage: iris-mock -o FILE.hdf5 --cells=N [--seed=S] [--files=K] [--double] [--compress]\n"
    "       iris-mock --molecule=NAME [-o FILE.dat]\n"
    "Write a snapshot of a made-up galactic centre in AREPO's format, or a molecular\n"
    "file with made-up collision rates in that of the LAMDA data base.\n"
    "\n"
    "      --cells=N          number of gas cells, 1 to 2147483648\n"
    "      --files=K          spread them over K files (1); with K > 1 FILE is a\n"
    "                         directory snapdir_NNN to make\n"
    "      --double           store every quantity in double precision\n"
    "      --compress         store the arrays compressed\n"
    "      --molecule=NAME    write a molecular file instead: 12CO, 13CO or C18O\n"
    "  -o, --output=FILE      write FILE, when complete; a molecular file goes to\n"
    "                         standard output without\n"
    "      --seed=N           another N makes another galaxy (1216)\n"
    "      --dry-run          say what would be written, write nothing\n"
    "      --progress=SECONDS time between lines of progress, 0 for none (30)\n"
    "  -q, --quiet            no progress, no warnings\n"
    "  -v, --verbose          say more; may be repeated\n"
    "  -h, --help             print this text and exit\n"
    "  -V, --version          print the version and exit\n";

struct options {
    struct iris_cli cli;
    struct mock_snapshot snapshot;
    const char *molecule; /* NULL: a snapshot */
    char *path;           /* that of the snapshot */
};

enum { OPT_CELLS = IRIS_OPT_TOOL, OPT_FILES, OPT_DOUBLE, OPT_COMPRESS, OPT_MOLECULE };

static enum iris_status
parse_count(const char *text, const char *what, uint64_t max, uint64_t *v, struct iris_err *err)
{
    if (iris_parse_u64(text, v) || *v < 1 || *v > max)
        return iris_fail(err, IRIS_E_USAGE, "bad number of %s '%s': need 1 to %llu", what, text,
                         (unsigned long long)max);
    return IRIS_OK;
}

static int
is_file_name(const char *path)
{
    const char *dot = strrchr(path, '.');

    return dot && (!strcmp(dot, ".hdf5") || !strcmp(dot, ".h5"));
}

/* Find the number at the end of a set's name. */
static enum iris_status
parse_path(struct options *o, struct iris_err *err)
{
    size_t len;
    char *number;

    if (!strcmp(o->cli.output, "-"))
        return iris_fail(err, IRIS_E_USAGE, "a snapshot cannot go to standard output: name a file");
    o->snapshot.path = o->path = strdup(o->cli.output);
    if (!o->path)
        return iris_fail_memory(err);
    if (o->snapshot.files == 1)
        return IRIS_OK;
    for (len = strlen(o->path); len > 1 && o->path[len - 1] == '/'; len--)
        o->path[len - 1] = '\0';
    while (len && isdigit((unsigned char)o->path[len - 1]))
        len--;
    number = o->path + len;
    if (!*number || is_file_name(o->path))
        return iris_fail(err, IRIS_E_USAGE,
                         "the name of a set must end in its number, as snapdir_000, not '%s'",
                         o->path);
    o->snapshot.number = number;
    return IRIS_OK;
}

static enum iris_status
check_snapshot(struct options *o, struct iris_err *err)
{
    struct mock_snapshot *s = &o->snapshot;

    if (!s->files)
        s->files = 1;
    if (!o->cli.output || !*o->cli.output)
        return iris_fail(err, IRIS_E_USAGE, "no output: give -o FILE.hdf5");
    if (!s->cells)
        return iris_fail(err, IRIS_E_USAGE, "no number of cells: give --cells=N");
    if (s->files > s->cells)
        return iris_fail(err, IRIS_E_USAGE, "cannot spread %llu cells over %llu files",
                         (unsigned long long)s->cells, (unsigned long long)s->files);
    if ((s->cells + s->files - 1) / s->files > INT32_MAX)
        return iris_fail(err, IRIS_E_USAGE,
                         "one file takes 2147483647 cells at most: give --files=K");
    return parse_path(o, err);
}

/* A molecule takes nothing of what shapes a snapshot. */
static enum iris_status
check_molecule(const struct options *o, struct iris_err *err)
{
    const struct mock_snapshot *s = &o->snapshot;
    const char *option = s->cells          ? "--cells"
                         : s->files        ? "--files"
                         : s->wide         ? "--double"
                         : s->compress     ? "--compress"
                         : o->cli.has_seed ? "--seed"
                                           : NULL;

    if (option)
        return iris_fail(err, IRIS_E_USAGE, "--molecule makes no snapshot: %s does not go with it",
                         option);
    return IRIS_OK;
}

static enum iris_status
parse(int argc, char **argv, struct options *o, struct iris_err *err)
{
    static const struct option options[] = {
        IRIS_CLI_LONG,
        {"cells", required_argument, NULL, OPT_CELLS},
        {"files", required_argument, NULL, OPT_FILES},
        {"double", no_argument, NULL, OPT_DOUBLE},
        {"compress", no_argument, NULL, OPT_COMPRESS},
        {"molecule", required_argument, NULL, OPT_MOLECULE},
        {NULL, 0, NULL, 0},
    };
    enum iris_status st = IRIS_OK;
    int opt;

    while (!st && !o->cli.done &&
           (opt = getopt_long(argc, argv, IRIS_CLI_SHORT, options, NULL)) != -1) {
        if (opt == OPT_CELLS)
            st = parse_count(optarg, "cells", IRIS_MOCK_MAX_CELLS, &o->snapshot.cells, err);
        else if (opt == OPT_FILES)
            st = parse_count(optarg, "files", MAX_FILES, &o->snapshot.files, err);
        else if (opt == OPT_DOUBLE)
            o->snapshot.wide = 1;
        else if (opt == OPT_COMPRESS)
            o->snapshot.compress = 1;
        else if (opt == OPT_MOLECULE)
            o->molecule = optarg;
        else
            st = iris_cli_option(&o->cli, opt, argv, err);
    }
    if (st || o->cli.done)
        return st;
    if (optind < argc)
        return iris_fail(err, IRIS_E_USAGE, "unexpected argument '%s'", argv[optind]);
    return o->molecule ? check_molecule(o, err) : check_snapshot(o, err);
}

static enum iris_status
make_snapshot(const struct options *o, struct iris_err *err)
{
    const struct mock_snapshot *s = &o->snapshot;

    if (!o->cli.dry_run) {
        iris_cli_catch();
        return mock_write(s, err);
    }
    fprintf(stderr, "%s: would write '%s': %llu cells in %llu file%s, %s%llu bytes\n", iris_prog,
            s->path, (unsigned long long)s->cells, (unsigned long long)s->files,
            s->files > 1 ? "s" : "", s->compress ? "less than " : "about ",
            (unsigned long long)mock_bytes(s));
    return IRIS_OK;
}

static enum iris_status
make_molecule(const struct options *o, struct iris_err *err)
{
    struct iris_molecule m;
    struct iris_buf text = {0};
    enum iris_status st;

    st = iris_mock_molecule(o->molecule, &m, err);
    if (st)
        return st;
    iris_molecule_print(&m, &text);
    if (o->cli.dry_run)
        fprintf(stderr, "%s: would write '%s': the molecule %s, %zu bytes\n", iris_prog,
                o->cli.output ? o->cli.output : "-", o->molecule, text.len);
    else
        st = iris_cli_write(&o->cli, &text, err);
    iris_buf_release(&text);
    iris_molecule_release(&m);
    return st;
}

int
main(int argc, char **argv)
{
    struct options o = {.cli = IRIS_CLI_INIT(usage)};
    struct iris_err err = {0};
    enum iris_status st;

    iris_prog = "iris-mock";
    /* the writer holds a lock of its own, which HDF5's would run into */
    unsetenv("HDF5_USE_FILE_LOCKING");
    o.cli.seed = 1216;
    o.snapshot.cli = &o.cli;
    st = parse(argc, argv, &o, &err);
    if (!st && !o.cli.done)
        st = o.molecule ? make_molecule(&o, &err) : make_snapshot(&o, &err);
    free(o.path);
    return iris_finish(st, &err);
}
