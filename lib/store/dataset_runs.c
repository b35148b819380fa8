#define _GNU_SOURCE /* F_OFD_SETLK */
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/file.h>
#include <unistd.h>

#include "dataset.h"
#include "file.h"
#include "flight.h"

/* Who has a lock, for people. */
static void
say_who(char *who, size_t size)
{
    const char *job = getenv("SLURM_JOB_ID");
    char host[128] = "";
    int n;

    gethostname(host, sizeof host - 1);
    n = snprintf(who, size, "host %s, process %ld", host, (long)getpid());
    if (job && *job && n > 0 && (size_t)n < size)
        snprintf(who + n, size - (size_t)n, ", job %.32s", job);
}

static void
read_who(int fd, char *who, size_t size)
{
    ssize_t n = pread(fd, who, size - 1, 0);

    who[n > 0 ? n : 0] = '\0';
    who[strcspn(who, "\n")] = '\0';
}

/* Whether a run of that name lives, and who it is. */
static int
lives(const struct iris_dataset *d, const char *name, char *who, size_t size)
{
    char *state = iris_dataset_state(d->root, name);
    char *path = state ? iris_format("%s/lock", state) : NULL;
    int fd = path && strcmp(state, d->state) ? iris_file_open(path, O_RDONLY) : -1, is;

    is = fd >= 0 && flock(fd, LOCK_SH | LOCK_NB) && errno == EWOULDBLOCK;
    if (is)
        read_who(fd, who, size);
    if (fd >= 0)
        close(fd);
    free(path);
    free(state);
    return is;
}

/* How many other runs with names live, and who one of them is. */
static size_t
find_others(const struct iris_dataset *d, char *who, size_t size)
{
    char *path = iris_format("%s/.iris/runs", d->root);
    DIR *dir = path ? opendir(path) : NULL;
    struct dirent *e;
    size_t n = 0;

    while (dir && (e = readdir(dir)))
        n += iris_dataset_is_run(e->d_name) && lives(d, e->d_name, who, size);
    if (dir)
        closedir(dir);
    free(path);
    return n;
}

static enum iris_status
refuse(const struct iris_dataset *d, int fd, const char *run, struct iris_err *err)
{
    char who[256] = "";

    if (run || !find_others(d, who, sizeof who))
        read_who(fd, who, sizeof who);
    return iris_fail(err, IRIS_E_RETRY, "data set '%s' is in use by another run%s%s%s (%s)",
                     d->root, run ? " of the name '" : "", run ? run : "", run ? "'" : "",
                     *who ? who : "unknown");
}

/* Lock a file; who has it alone is written into it.
 *
 *   in   how  LOCK_EX or LOCK_SH
 *   in   run  of that name alone, NULL: of all
 */
static enum iris_status
take_lock(struct iris_dataset *d, const char *dir, int how, const char *run, int *fd,
          struct iris_err *err)
{
    char *path = iris_format("%s/lock", dir);
    enum iris_status st = IRIS_OK;
    char who[256];
    size_t end;

    if (!path)
        return iris_fail_memory(err);
    *fd = iris_file_open(path, O_RDWR | O_CREAT);
    if (*fd < 0) {
        st = iris_fail(err, IRIS_E_IO, "cannot create '%s':", path);
    } else if (flock(*fd, how | LOCK_NB) && errno == EWOULDBLOCK) {
        st = refuse(d, *fd, run, err);
    } else if (how == LOCK_EX) {
        say_who(who, sizeof who - 1);
        end = strlen(who);
        who[end] = '\n';
        if (ftruncate(*fd, 0) || pwrite(*fd, who, end + 1, 0) < 0)
            st = iris_fail(err, IRIS_E_IO, "cannot write '%s':", path);
    }
    if (st && *fd >= 0) {
        close(*fd);
        *fd = -1;
    }
    free(path);
    return st;
}

int
iris_dataset_is_run(const char *name)
{
    static const char letters[] =
        "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789._-";
    size_t n = strlen(name);

    return n && n <= 100 && name[0] != '.' && strspn(name, letters) == n;
}

/* The lock of a run with a name, and what it holds snapshots by. */
static enum iris_status
take_name(struct iris_dataset *d, const char *base, const char *run, struct iris_err *err)
{
    char *path = iris_format("%s/held", base);
    enum iris_status st;

    st = path ? take_lock(d, d->state, LOCK_EX, run, &d->own, err) : iris_fail_memory(err);
    if (!st && (d->held = iris_file_open(path, O_RDWR | O_CREAT)) < 0)
        st = iris_fail(err, IRIS_E_IO, "cannot create '%s':", path);
    free(path);
    return st;
}

char *
iris_dataset_state(const char *root, const char *run)
{
    return run ? iris_format("%s/.iris/runs/%s", root, run) : iris_format("%s/.iris", root);
}

enum iris_status
iris_dataset_lock(struct iris_dataset *d, const char *run, struct iris_err *err)
{
    enum iris_status st;
    char *base;

    if (run && !iris_dataset_is_run(run))
        return iris_fail(err, IRIS_E_USAGE,
                         "bad name '%s' of a run: need letters, digits and . _ - only", run);
    if (access(d->root, F_OK))
        return iris_fail(err, IRIS_E_IO, "cannot open data set '%s':", d->root);
    base = iris_dataset_state(d->root, NULL);
    free(d->state);
    d->state = iris_dataset_state(d->root, run);
    st = base && d->state ? iris_mkdirs(d->state, err) : iris_fail_memory(err);
    if (!st && run)
        st = take_name(d, base, run, err);
    if (!st)
        st = take_lock(d, base, run ? LOCK_SH : LOCK_EX, NULL, &d->lock, err);
    free(base);
    return st;
}

/* A snapshot is one byte of a file that has none, far apart from the others. */
enum iris_status
iris_dataset_hold(struct iris_dataset *d, const char *digest, const char *snapshot,
                  struct iris_err *err)
{
    struct flock byte = {.l_type = F_WRLCK, .l_whence = SEEK_SET, .l_len = 1};
    char *name, who[256] = "";
    size_t others;

    if (d->held < 0)
        return IRIS_OK;
    name = iris_format("%s/%s", digest, snapshot);
    if (!name)
        return iris_fail_memory(err);
    byte.l_start = (off_t)(iris_hash64(0, name) >> 2);
    free(name);
    if (!fcntl(d->held, F_OFD_SETLK, &byte) || (errno != EAGAIN && errno != EACCES))
        return IRIS_OK;
    others = find_others(d, who, sizeof who);
    return iris_fail(
        err, IRIS_E_RETRY,
        "another run on data set '%s' is at snapshot '%s' with the same settings%s%s%s", d->root,
        snapshot, others == 1 ? " (" : "", others == 1 ? who : "", others == 1 ? ")" : "");
}

static void
close_if_open(int *fd)
{
    if (*fd >= 0)
        close(*fd);
    *fd = -1;
}

void
iris_dataset_close(struct iris_dataset *d)
{
    if (d->root) {
        close_if_open(&d->held);
        close_if_open(&d->own);
        close_if_open(&d->lock);
    }
    free(d->root);
    free(d->state);
    *d = (struct iris_dataset)IRIS_DATASET_INIT;
}

/* ---- what runs that died had in hand ---- */

/* Less than this is no sign that something is wrong with what was in hand when all
 * of a run was killed. */
static const double some_time = 0.5;

char *
iris_dataset_suspects(const struct iris_dataset *d)
{
    return iris_format("%s/.iris/suspects", d->root);
}

static enum iris_status
collect(const char *state, const char *suspects, struct iris_err *err)
{
    char *flight = iris_format("%s/flight", state);
    enum iris_status st;
    char who[256];

    say_who(who, sizeof who);
    st = flight ? iris_suspects_collect(flight, suspects, who, some_time, err)
                : iris_fail_memory(err);
    free(flight);
    return st;
}

static enum iris_status
collect_runs(const struct iris_dataset *d, const char *suspects, struct iris_err *err)
{
    char *path = iris_format("%s/runs", d->state);
    DIR *dir = path ? opendir(path) : NULL;
    enum iris_status st = path ? IRIS_OK : iris_fail_memory(err);
    struct dirent *e;

    while (!st && dir && (e = readdir(dir))) {
        char *state = iris_dataset_is_run(e->d_name) ? iris_dataset_state(d->root, e->d_name)
                                                     : NULL;

        if (state)
            st = collect(state, suspects, err);
        free(state);
    }
    if (dir)
        closedir(dir);
    free(path);
    return st;
}

enum iris_status
iris_dataset_autopsy(const struct iris_dataset *d, struct iris_err *err)
{
    char *suspects = iris_dataset_suspects(d);
    enum iris_status st = suspects ? collect(d->state, suspects, err) : iris_fail_memory(err);

    if (!st && d->own < 0)
        st = collect_runs(d, suspects, err);
    free(suspects);
    return st;
}
