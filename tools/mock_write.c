#include "mock_write.h"

#include <ctype.h>
#include <dirent.h>
#include <errno.h>
#include <libgen.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "file.h"
#include "mock.h"
#include "snapwrite.h"

#define CELLS_AT_ONCE 131072 /* two chunks of a compressed file; about 15 MB */
#define BYTES_BESIDE  12000  /* what a file takes beside its arrays */

/* One chunk of cells in memory. */
struct work {
    struct iris_mock_cells cells;
    struct iris_meter meter;
    struct iris_progress progress;
};

static struct iris_snap_header
header_of(const struct mock_snapshot *s, uint64_t cells)
{
    struct iris_snap_header h = {
        .box_size = IRIS_MOCK_BOX,
        .unit_length_cm = IRIS_MOCK_LENGTH_CM,
        .unit_mass_g = IRIS_MOCK_MASS_G,
        .unit_velocity_cm_per_s = IRIS_MOCK_VELOCITY_CGS,
        .cells_total = s->cells,
        .cells = cells,
        .files = (int)s->files,
        .wide = s->wide,
        .compress = s->compress,
    };

    return h;
}

/* The first cell of file k; that of file K is the number of cells. */
static uint64_t
first_of(const struct mock_snapshot *s, uint64_t k)
{
    uint64_t each = s->cells / s->files, more = s->cells % s->files;

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
write_cells(const struct mock_snapshot *s, struct work *work, struct iris_snapwriter *w,
            uint64_t first, uint64_t end, struct iris_err *err)
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
        st = iris_mock_cells(s->cli->seed, s->cells, first, n, c, err);
        if (!st)
            st = iris_snapwrite_cells(w, n, &out, err);
        first += n;
        work->progress.done += n;
        iris_cli_progress(s->cli, &work->meter, &work->progress, 0);
    }
    return st;
}

static enum iris_status
write_snapshot(const struct mock_snapshot *s, struct work *work, const char *path, uint64_t k,
               struct iris_err *err)
{
    uint64_t first = first_of(s, k), end = first_of(s, k + 1);
    struct iris_snap_header header = header_of(s, end - first);
    struct iris_snapwriter *w;
    enum iris_status st;

    st = iris_snapwrite_open(&w, path, &header, err);
    if (st)
        return st;
    st = write_cells(s, work, w, first, end, err);
    if (st) {
        iris_snapwrite_abort(w);
        return st;
    }
    iris_cli_note(s->cli, "wrote '%s': %llu cells", path, (unsigned long long)header.cells);
    return iris_snapwrite_commit(w, err);
}

/* Which file of a set a name is: 0 to K - 1, or -1 when it is none. */
static long
place_in_set(const struct mock_snapshot *s, const char *name)
{
    char *end;
    long k;
    size_t len = strlen(s->number);

    if (strncmp(name, "snap_", 5) || strncmp(name + 5, s->number, len) || name[5 + len] != '.' ||
        !isdigit((unsigned char)name[6 + len]))
        return -1;
    k = strtol(name + 6 + len, &end, 10);
    if (strcmp(end, ".hdf5") && strcmp(end, ".hdf5" IRIS_TMP_SUFFIX))
        return -1;
    return k < (long)s->files ? k : -1;
}

/* Files of another set in the same place would be read along with ours. */
static enum iris_status
check_directory(const struct mock_snapshot *s, const char *dir, struct iris_err *err)
{
    enum iris_status st = IRIS_OK;
    struct dirent *entry;
    DIR *d = opendir(dir);

    if (!d)
        return iris_fail(err, IRIS_E_IO, "cannot open directory '%s':", dir);
    while (!st && (entry = readdir(d))) {
        if (strcmp(entry->d_name, ".") && strcmp(entry->d_name, "..") &&
            place_in_set(s, entry->d_name) < 0)
            st = iris_fail(err, IRIS_E_DATA,
                           "'%s/%s' is no file of this set; remove it or choose another directory",
                           dir, entry->d_name);
    }
    closedir(d);
    return st;
}

static enum iris_status
write_files(const struct mock_snapshot *s, struct work *work, const char *dir, struct iris_err *err)
{
    enum iris_status st = IRIS_OK;
    uint64_t k;

    for (k = 0; !st && k < s->files; k++) {
        char *path = iris_format("%s/snap_%s.%llu.hdf5", dir, s->number, (unsigned long long)k);

        st = path ? write_snapshot(s, work, path, k, err) : iris_fail_memory(err);
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
write_set(const struct mock_snapshot *s, struct work *work, struct iris_err *err)
{
    struct stat sb;
    int fresh = stat(s->path, &sb) != 0;
    char *dir = iris_format("%s%s", s->path, fresh ? IRIS_TMP_SUFFIX : "");
    enum iris_status st = IRIS_OK;

    if (!dir)
        return iris_fail_memory(err);
    if (fresh && mkdir(dir, 0777) && errno != EEXIST)
        st = iris_fail(err, IRIS_E_IO, "cannot create directory '%s':", dir);
    if (!st)
        st = check_directory(s, dir, err);
    if (!st)
        st = write_files(s, work, dir, err);
    if (!st && fresh)
        st = publish_set(dir, s->path, err);
    free(dir);
    return st;
}

uint64_t
mock_bytes(const struct mock_snapshot *s)
{
    struct iris_snap_header header = header_of(s, s->cells);

    return iris_snapwrite_bytes(&header) + BYTES_BESIDE * s->files;
}

enum iris_status
mock_write(const struct mock_snapshot *s, struct iris_err *err)
{
    struct work work = {.progress = {.total = s->cells}};
    enum iris_status st;

    st = allocate(&work.cells, s->cells < CELLS_AT_ONCE ? (size_t)s->cells : CELLS_AT_ONCE, err);
    if (!st)
        st = s->files > 1 ? write_set(s, &work, err) : write_snapshot(s, &work, s->path, 0, err);
    if (!st)
        iris_cli_progress(s->cli, &work.meter, &work.progress, 1);
    release(&work.cells);
    return st;
}
