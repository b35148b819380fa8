#include <ctype.h>
#include <dirent.h>
#include <errno.h>
#include <libgen.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "cli.h"
#include "file.h"
#include "mock.h"
#include "num.h"
#include "snapwrite.h"

#define CELLS_AT_ONCE 131072 /* two chunks of a compressed file; about 15 MB */
#define MAX_FILES     100000

static const char usage[] =
    "usage: iris-mock -o FILE.hdf5 --cells=N --seed=S [--files=K] [--double] [--compress]\n"
    "Write a snapshot of a made-up galactic centre in AREPO's format.\n"
    "\n"
    "      --cells=N          number of gas cells, 1 to 2147483648\n"
    "      --files=K          spread them over K files (1); with K > 1 FILE is a\n"
    "                         directory snapdir_NNN to make\n"
    "      --double           store every quantity in double precision\n"
    "      --compress         store the arrays compressed\n"
    "  -o, --output=FILE      write FILE, when complete\n"
    "      --seed=N           another N makes another galaxy (1216)\n"
    "      --dry-run          say what would be written, write nothing\n"
    "      --progress=SECONDS time between lines of progress, 0 for none (30)\n"
    "  -q, --quiet            no progress, no warnings\n"
    "  -v, --verbose          say more; may be repeated\n"
    "  -h, --help             print this text and exit\n"
    "  -V, --version          print the version and exit\n";

struct options {
    struct iris_cli cli;
    uint64_t cells;
    uint64_t files;
    int wide;
    int compress;
    char *path;   /* the output without trailing slashes */
    char *number; /* in path: the NNN of a set's directory */
};

/* One chunk of cells in memory. */
struct work {
    struct iris_mock_cells cells;
    struct iris_meter meter;
    struct iris_progress progress;
};

enum { OPT_CELLS = IRIS_OPT_TOOL, OPT_FILES, OPT_DOUBLE, OPT_COMPRESS };

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

    if (!strcmp(o->cli.output, "-"))
        return iris_fail(err, IRIS_E_USAGE, "a snapshot cannot go to standard output: name a file");
    o->path = strdup(o->cli.output);
    if (!o->path)
        return iris_fail_memory(err);
    if (o->files == 1)
        return IRIS_OK;
    for (len = strlen(o->path); len > 1 && o->path[len - 1] == '/'; len--)
        o->path[len - 1] = '\0';
    while (len && isdigit((unsigned char)o->path[len - 1]))
        len--;
    o->number = o->path + len;
    if (!*o->number || is_file_name(o->path))
        return iris_fail(err, IRIS_E_USAGE,
                         "the name of a set must end in its number, as snapdir_000, not '%s'",
                         o->path);
    return IRIS_OK;
}

static enum iris_status
check_options(struct options *o, struct iris_err *err)
{
    if (!o->cli.output || !*o->cli.output)
        return iris_fail(err, IRIS_E_USAGE, "no output: give -o FILE.hdf5");
    if (!o->cells)
        return iris_fail(err, IRIS_E_USAGE, "no number of cells: give --cells=N");
    if (o->files > o->cells)
        return iris_fail(err, IRIS_E_USAGE, "cannot spread %llu cells over %llu files",
                         (unsigned long long)o->cells, (unsigned long long)o->files);
    if ((o->cells + o->files - 1) / o->files > INT32_MAX)
        return iris_fail(err, IRIS_E_USAGE,
                         "one file takes 2147483647 cells at most: give --files=K");
    return parse_path(o, err);
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
        {NULL, 0, NULL, 0},
    };
    enum iris_status st = IRIS_OK;
    int opt;

    while (!st && !o->cli.done &&
           (opt = getopt_long(argc, argv, IRIS_CLI_SHORT, options, NULL)) != -1) {
        if (opt == OPT_CELLS)
            st = parse_count(optarg, "cells", IRIS_MOCK_MAX_CELLS, &o->cells, err);
        else if (opt == OPT_FILES)
            st = parse_count(optarg, "files", MAX_FILES, &o->files, err);
        else if (opt == OPT_DOUBLE)
            o->wide = 1;
        else if (opt == OPT_COMPRESS)
            o->compress = 1;
        else
            st = iris_cli_option(&o->cli, opt, argv, err);
    }
    if (st || o->cli.done)
        return st;
    if (optind < argc)
        return iris_fail(err, IRIS_E_USAGE, "unexpected argument '%s'", argv[optind]);
    return check_options(o, err);
}

static struct iris_snap_header
header_of(const struct options *o, uint64_t cells)
{
    struct iris_snap_header h = {
        .box_size = IRIS_MOCK_BOX,
        .unit_length_cm = IRIS_MOCK_LENGTH_CM,
        .unit_mass_g = IRIS_MOCK_MASS_G,
        .unit_velocity_cm_per_s = IRIS_MOCK_VELOCITY_CGS,
        .cells_total = o->cells,
        .cells = cells,
        .files = (int)o->files,
        .wide = o->wide,
        .compress = o->compress,
    };

    return h;
}

/* The first cell of file k; that of file K is the number of cells. */
static uint64_t
first_of(const struct options *o, uint64_t k)
{
    uint64_t each = o->cells / o->files, more = o->cells % o->files;

    return k * each + (k < more ? k : more);
}

static enum iris_status
allocate(struct iris_mock_cells *c, size_t n, struct iris_err *err)
{
    c->coordinates = malloc(3 * n * sizeof(double));
    c->velocities = malloc(3 * n * sizeof(double));
    c->density = malloc(n * sizeof(double));
    c->internal_energy = malloc(n * sizeof(double));
    c->masses = malloc(n * sizeof(double));
    c->abundances = malloc(IRIS_MOCK_SPECIES * n * sizeof(double));
    c->dust_temperature = malloc(n * sizeof(double));
    c->ids = malloc(n * sizeof(uint64_t));
    if (!c->coordinates || !c->velocities || !c->density || !c->internal_energy || !c->masses ||
        !c->abundances || !c->dust_temperature || !c->ids)
        return iris_fail_memory(err);
    return IRIS_OK;
}

static void
release(struct iris_mock_cells *c)
{
    free(c->coordinates);
    free(c->velocities);
    free(c->density);
    free(c->internal_energy);
    free(c->masses);
    free(c->abundances);
    free(c->dust_temperature);
    free(c->ids);
}

static enum iris_status
write_cells(const struct options *o, struct work *work, struct iris_snapwriter *w, uint64_t first,
            uint64_t end, struct iris_err *err)
{
    const struct iris_mock_cells *c = &work->cells;
    const struct iris_snap_cells out = {
        c->coordinates, c->velocities, c->density,          c->internal_energy,
        c->masses,      c->abundances, c->dust_temperature, c->ids,
    };
    enum iris_status st = IRIS_OK;

    while (!st && first < end) {
        size_t n = end - first < CELLS_AT_ONCE ? (size_t)(end - first) : CELLS_AT_ONCE;

        if (iris_cli_stop())
            return iris_fail(err, IRIS_E_RETRY, "stopped by a signal; run again to start over");
        st = iris_mock_cells(o->cli.seed, o->cells, first, n, c, err);
        if (!st)
            st = iris_snapwrite_cells(w, n, &out, err);
        first += n;
        work->progress.done += n;
        iris_cli_progress(&o->cli, &work->meter, &work->progress, 0);
    }
    return st;
}

static enum iris_status
write_snapshot(const struct options *o, struct work *work, const char *path, uint64_t k,
               struct iris_err *err)
{
    uint64_t first = first_of(o, k), end = first_of(o, k + 1);
    struct iris_snap_header header = header_of(o, end - first);
    struct iris_snapwriter *w;
    enum iris_status st;

    st = iris_snapwrite_open(&w, path, &header, err);
    if (st)
        return st;
    st = write_cells(o, work, w, first, end, err);
    if (st) {
        iris_snapwrite_abort(w);
        return st;
    }
    iris_cli_note(&o->cli, "wrote '%s': %llu cells", path, (unsigned long long)header.cells);
    return iris_snapwrite_commit(w, err);
}

/* Which file of a set a name is: 0 to K - 1, or -1 when it is none. */
static long
place_in_set(const struct options *o, const char *name)
{
    char *end;
    long k;
    size_t len = strlen(o->number);

    if (strncmp(name, "snap_", 5) || strncmp(name + 5, o->number, len) || name[5 + len] != '.' ||
        !isdigit((unsigned char)name[6 + len]))
        return -1;
    k = strtol(name + 6 + len, &end, 10);
    if (strcmp(end, ".hdf5") && strcmp(end, ".hdf5" IRIS_TMP_SUFFIX))
        return -1;
    return k < (long)o->files ? k : -1;
}

/* Files of another set in the same place would be read along with ours. */
static enum iris_status
check_directory(const struct options *o, const char *dir, struct iris_err *err)
{
    enum iris_status st = IRIS_OK;
    struct dirent *entry;
    DIR *d = opendir(dir);

    if (!d)
        return iris_fail(err, IRIS_E_IO, "cannot open directory '%s':", dir);
    while (!st && (entry = readdir(d))) {
        if (strcmp(entry->d_name, ".") && strcmp(entry->d_name, "..") &&
            place_in_set(o, entry->d_name) < 0)
            st = iris_fail(err, IRIS_E_DATA,
                           "'%s/%s' is no file of this set; remove it or choose another directory",
                           dir, entry->d_name);
    }
    closedir(d);
    return st;
}

static enum iris_status
write_files(const struct options *o, struct work *work, const char *dir, struct iris_err *err)
{
    enum iris_status st = IRIS_OK;
    uint64_t k;

    for (k = 0; !st && k < o->files; k++) {
        char *path = iris_format("%s/snap_%s.%llu.hdf5", dir, o->number, (unsigned long long)k);

        st = path ? write_snapshot(o, work, path, k, err) : iris_fail_memory(err);
        free(path);
    }
    return st;
}

/* Give a finished set its name, for good. */
static enum iris_status
publish_set(const char *dir, const char *path, struct iris_err *err)
{
    enum iris_status st;
    char *copy;

    if (rename(dir, path))
        return iris_fail(err, IRIS_E_IO, "cannot rename '%s' to '%s':", dir, path);
    copy = strdup(path);
    if (!copy)
        return iris_fail_memory(err);
    st = iris_sync_dir(dirname(copy), err);
    free(copy);
    return st;
}

/* A new set is made in "NAME.tmp" and renamed; in a directory that is there
 * already each file is replaced by itself. */
static enum iris_status
write_set(const struct options *o, struct work *work, struct iris_err *err)
{
    struct stat sb;
    int fresh = stat(o->path, &sb) != 0;
    char *dir = iris_format("%s%s", o->path, fresh ? IRIS_TMP_SUFFIX : "");
    enum iris_status st = IRIS_OK;

    if (!dir)
        return iris_fail_memory(err);
    if (fresh && mkdir(dir, 0777) && errno != EEXIST)
        st = iris_fail(err, IRIS_E_IO, "cannot create directory '%s':", dir);
    if (!st)
        st = check_directory(o, dir, err);
    if (!st)
        st = write_files(o, work, dir, err);
    if (!st && fresh)
        st = publish_set(dir, o->path, err);
    free(dir);
    return st;
}

static enum iris_status
explain(const struct options *o)
{
    struct iris_snap_header header = header_of(o, o->cells);

    fprintf(stderr, "%s: would write '%s': %llu cells in %llu file%s, %s%llu bytes\n", iris_prog,
            o->path, (unsigned long long)o->cells, (unsigned long long)o->files,
            o->files > 1 ? "s" : "", o->compress ? "less than " : "about ",
            (unsigned long long)(iris_snapwrite_bytes(&header) + 12000 * o->files));
    return IRIS_OK;
}

static enum iris_status
run(struct options *o, struct iris_err *err)
{
    struct work work = {.progress = {.total = o->cells}};
    enum iris_status st;

    if (o->cli.dry_run)
        return explain(o);
    iris_cli_catch();
    st = allocate(&work.cells, o->cells < CELLS_AT_ONCE ? (size_t)o->cells : CELLS_AT_ONCE, err);
    if (!st)
        st = o->files > 1 ? write_set(o, &work, err) : write_snapshot(o, &work, o->path, 0, err);
    if (!st)
        iris_cli_progress(&o->cli, &work.meter, &work.progress, 1);
    release(&work.cells);
    return st;
}

int
main(int argc, char **argv)
{
    struct options o = {.cli = IRIS_CLI_INIT(usage), .files = 1};
    struct iris_err err = {0};
    enum iris_status st;

    iris_prog = "iris-mock";
    /* the writer holds a lock of its own, which HDF5's would run into */
    unsetenv("HDF5_USE_FILE_LOCKING");
    o.cli.seed = 1216;
    st = parse(argc, argv, &o, &err);
    if (!st && !o.cli.done)
        st = run(&o, &err);
    free(o.path);
    return iris_finish(st, &err);
}
