#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/statvfs.h>
#include <time.h>
#include <unistd.h>

#include "cache.h"
#include "clock.h"
#include "fetch.h"
#include "num.h"
#include "pieces.h"
#include "snapname.h"

enum { STEP_MS = 50, LONGEST_END = 3, MOST_FILES = 1000000 }; /* ms, s */

void
fetch_wait(struct fetch *f)
{
    struct timespec t;

    clock_gettime(CLOCK_REALTIME, &t);
    t.tv_nsec += STEP_MS * 1000000L;
    if (t.tv_nsec >= 1000000000L) {
        t.tv_sec++;
        t.tv_nsec -= 1000000000L;
    }
    pthread_cond_timedwait(&f->changed, &f->lock, &t);
}

/* ---- before anything is copied ---- */

/* The machine of a row; as a rule that of the row before it. */
static struct fetch_host *
host_of(struct fetch *f, const char *name)
{
    size_t k;

    for (k = f->n_hosts; k > 0; k--) {
        if (!strcmp(f->host[k - 1].name, name))
            return &f->host[k - 1];
    }
    f->host[f->n_hosts].name = name;
    return &f->host[f->n_hosts++];
}

/* What the list says of the time, if it does. */
static enum iris_status
take_mtime(const struct fetch *f, size_t r, struct fetch_row *row, struct iris_err *err)
{
    const char *text = iris_manifest_get(&f->m, r, "mtime");

    row->has_mtime = text != NULL;
    if (text && iris_parse_i64(text, &row->mtime))
        return iris_fail(err, IRIS_E_DATA, "row %zu has a bad 'mtime': '%s'", r + 1, text);
    return IRIS_OK;
}

static enum iris_status
plan_row(struct fetch *f, size_t r, struct iris_err *err)
{
    const char *id = iris_manifest_get(&f->m, r, "snapshot");
    const char *path = iris_manifest_get(&f->m, r, "path");
    const char *host = iris_manifest_get(&f->m, r, "remote");
    const char *todo = iris_manifest_get(&f->m, r, "todo");
    struct fetch_row *row = &f->row[r];
    enum iris_status st;

    if (!id || !iris_snapname_is_id(id) || !path)
        return iris_fail(err, IRIS_E_DATA, "row %zu of the manifest has no good snapshot and path",
                         r + 1);
    if (host && !iris_ssh_is_host(host))
        return iris_fail(err, IRIS_E_DATA,
                         "row %zu of the manifest: '%s' is not the name of a host", r + 1, host);
    if ((todo && !strcmp(todo, "0")) || (!host && !f->o->copy))
        return IRIS_OK; /* nobody will read it; or it is read where it is */
    st = iris_manifest_get_u64(&f->m, r, "files", &row->files, err);
    if (!st && (!row->files || row->files > MOST_FILES))
        st = iris_fail(err, IRIS_E_DATA, "row %zu of the manifest: a snapshot has 1 to %d files",
                       r + 1, MOST_FILES);
    if (!st && (host || f->o->budget))
        st = iris_manifest_get_u64(&f->m, r, "bytes", &row->bytes, err);
    if (!st && host)
        st = take_mtime(f, r, row, err);
    row->host = host ? host_of(f, host) : NULL;
    row->state = FETCH_WAITING;
    row->room = row->bytes;
    if (host) /* one file after the other, but of each there may be a rest */
        row->room += iris_pieces_notes(row->bytes) +
                     (row->files - !!row->files) * iris_pieces_notes(1);
    if (f->o->budget && row->room > f->o->budget)
        row->room = row->bytes; /* without notes it may just fit */
    return st;
}

enum iris_status
fetch_plan(struct fetch *f, struct iris_err *err)
{
    struct iris_err why = {0};
    size_t r;

    f->row = calloc(f->m.n_rows + 1, sizeof *f->row);
    f->host = calloc(f->m.n_rows + 1, sizeof *f->host);
    if (!f->row || !f->host)
        return iris_fail_memory(err);
    for (r = 0; r < f->m.n_rows; r++) {
        if (!plan_row(f, r, &why))
            continue;
        f->row[r].state = FETCH_FAILED;
        f->row[r].err = why;
    }
    return fetch_share(f, err);
}

static int
fits(const struct fetch *f, size_t live, uint64_t used, uint64_t room)
{
    return (!f->o->window || live < f->o->window) && (!f->o->budget || used + room <= f->o->budget);
}

static size_t
find_row(const struct fetch *f, const char *id)
{
    size_t r;

    for (r = 0; r < f->m.n_rows; r++) {
        const char *its = iris_manifest_get(&f->m, r, "snapshot");

        if (its && !strcmp(its, id))
            break;
    }
    return r;
}

/* How many rows, from the first, may begin before any copy is removed. */
static size_t
first_rows(const struct fetch *f)
{
    uint64_t used = 0;
    size_t r, live = 0;

    for (r = 0; r < f->m.n_rows; r++) {
        if (f->row[r].state != FETCH_WAITING || f->row[r].lead != r)
            continue;
        if (!fits(f, live, used, f->row[r].room))
            break;
        live++;
        used += f->row[r].room;
    }
    return r;
}

/* A directory that has the name of a snapshot. */
static int
is_copy(int at, const char *name)
{
    struct stat sb;

    return iris_snapname_is_id(name) && !fstatat(at, name, &sb, AT_SYMLINK_NOFOLLOW) &&
           S_ISDIR(sb.st_mode);
}

enum iris_status
fetch_clear(struct fetch *f, struct iris_err *err)
{
    DIR *dir = opendir(f->cache);
    size_t first = first_rows(f), r;
    enum iris_status st = IRIS_OK;
    struct dirent *e;

    if (!dir)
        return iris_fail(err, IRIS_E_IO, "cannot read directory '%s':", f->cache);
    while (!st && (e = readdir(dir))) {
        if (!is_copy(dirfd(dir), e->d_name))
            continue;
        r = find_row(f, e->d_name);
        if (r >= first || f->row[r].state != FETCH_WAITING)
            st = iris_cache_drop(f->cache, e->d_name, err);
    }
    closedir(dir);
    return st;
}

/* Sizes of the files of one copy. */
static uint64_t
count_copy(int at, const char *name)
{
    int fd = openat(at, name, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
    DIR *dir = fd >= 0 ? fdopendir(fd) : NULL;
    uint64_t bytes = 0;
    struct dirent *e;
    struct stat sb;

    while (dir && (e = readdir(dir))) {
        if (!fstatat(fd, e->d_name, &sb, AT_SYMLINK_NOFOLLOW) && S_ISREG(sb.st_mode))
            bytes += (uint64_t)sb.st_size;
    }
    if (dir)
        closedir(dir);
    return bytes;
}

enum iris_status
fetch_count_others(struct fetch *f, struct iris_err *err)
{
    DIR *dir = opendir(f->cache);
    struct dirent *e;
    size_t r;

    if (!dir)
        return iris_fail(err, IRIS_E_IO, "cannot read directory '%s':", f->cache);
    while ((e = readdir(dir))) {
        if (!is_copy(dirfd(dir), e->d_name))
            continue;
        r = find_row(f, e->d_name);
        if (r == f->m.n_rows || f->row[r].state != FETCH_WAITING)
            f->used += count_copy(dirfd(dir), e->d_name);
    }
    closedir(dir);
    return IRIS_OK;
}

/* ---- who may begin ---- */

enum turn { BEGIN, WAIT, NEVER };

static int
has_space(const struct fetch *f, uint64_t room, uint64_t *space)
{
    struct statvfs fs;

    if (statvfs(f->cache, &fs))
        return 1; /* writing will tell */
    *space = (uint64_t)fs.f_bavail * fs.f_frsize;
    return *space >= room;
}

/* Whether a row may begin; others may go on first, and make room. */
static enum turn
turn_of(const struct fetch *f, size_t r, struct iris_err *err)
{
    const char *id = iris_manifest_get(&f->m, r, "snapshot");
    const struct fetch_row *row = &f->row[r];
    int will_change = f->running || (f->has_reader && f->live);
    uint64_t space = 0;

    if (f->o->budget && row->bytes > f->o->budget) {
        iris_fail(err, IRIS_E_IO,
                  "snapshot '%s' has %" PRIu64 " bytes, more than the budget of %" PRIu64, id,
                  row->bytes, f->o->budget);
        return NEVER;
    }
    if (!fits(f, f->live, f->used, row->room)) {
        iris_fail(err, IRIS_E_IO,
                  "cache '%s' is full: no room in its budget for the %" PRIu64
                  " bytes of snapshot '%s'",
                  f->cache, row->bytes, id);
        return will_change ? WAIT : NEVER;
    }
    if (f->live && !has_space(f, row->room, &space)) {
        iris_fail(err, IRIS_E_IO,
                  "no room for the %" PRIu64 " bytes of snapshot '%s' in cache '%s', where %" PRIu64
                  " are free",
                  row->bytes, id, f->cache, space);
        return will_change ? WAIT : NEVER;
    }
    return BEGIN;
}

/* Of all rows of a lead. */
static void
settle(struct fetch *f, size_t lead, enum fetch_state state, const struct iris_err *err)
{
    size_t r;

    for (r = lead; r < f->m.n_rows; r = f->row[r].next)
        f->row[r].state = state;
    if (state == FETCH_FAILED)
        f->row[lead].err = *err;
    pthread_cond_broadcast(&f->changed);
}

/* The next row to copy, a lead, in order; waits for one. The lock is held.
 *
 *   return  n_rows when there is none
 */
static size_t
take(struct fetch *f)
{
    struct iris_err why = {0};

    while (!f->stop) {
        while (f->next < f->m.n_rows && f->row[f->next].state != FETCH_WAITING)
            f->next++;
        if (f->next == f->m.n_rows)
            break;
        switch (turn_of(f, f->next, &why)) {
        case BEGIN:
            settle(f, f->next, FETCH_RUNNING, NULL);
            f->live++;
            f->running++;
            f->used += f->row[f->next].room;
            return f->next++;
        case WAIT:
            f->waiting++;
            fetch_wait(f); /* space may come from elsewhere, and nobody tells */
            f->waiting--;
            break;
        case NEVER:
            settle(f, f->next, FETCH_FAILED, &why);
        }
    }
    return f->m.n_rows;
}

static void
leave_cache(struct fetch *f, size_t r)
{
    f->live--;
    f->used -= f->row[r].room;
}

/* What a copy that failed has left is kept for the next run, unless its room is
 * wanted in this one. The lock is held. */
static void
give_up(struct fetch *f, size_t r, const struct iris_err *err)
{
    if (f->has_reader && (f->o->window || f->o->budget)) {
        iris_cache_drop(f->cache, iris_manifest_get(&f->m, r, "snapshot"), NULL);
        leave_cache(f, r);
    }
    settle(f, r, FETCH_FAILED, err);
}

static void *
work(void *self)
{
    struct fetch_job *job = self;
    struct fetch *f = job->f;
    struct iris_err err = {0};
    enum iris_status st;
    size_t r;

    pthread_mutex_lock(&f->lock);
    while ((r = take(f)) < f->m.n_rows) {
        pthread_mutex_unlock(&f->lock);
        st = fetch_row(job, r, &err);
        pthread_mutex_lock(&f->lock);
        f->running--;
        if (!st)
            settle(f, r, FETCH_LANDED, NULL);
        else if (st == IRIS_E_RETRY && f->stop)
            settle(f, r, FETCH_WAITING, NULL);
        else
            give_up(f, r, &err);
    }
    pthread_mutex_unlock(&f->lock);
    iris_sftp_close(&job->sftp);
    pthread_mutex_lock(&f->lock);
    f->n_ended++;
    pthread_cond_broadcast(&f->changed);
    pthread_mutex_unlock(&f->lock);
    return NULL;
}

void
fetch_see_released(struct fetch *f)
{
    struct stat sb;
    size_t r;

    /* where room is not short nobody counts, and thousands of looks take time */
    if (!f->has_reader || (!f->o->window && !f->o->budget && !f->waiting))
        return;
    for (r = 0; r < f->next; r++) {
        char *path;

        if (f->row[r].state != FETCH_LANDED || !f->row[r].printed || f->row[r].lead != r)
            continue;
        path = iris_format("%s/%s", f->cache, iris_manifest_get(&f->m, r, "snapshot"));
        if (path && lstat(path, &sb) && errno == ENOENT) {
            leave_cache(f, r);
            settle(f, r, FETCH_RELEASED, NULL);
            f->was_released = 1;
        }
        free(path);
    }
}

/* ---- threads ---- */

enum iris_status
fetch_start(struct fetch *f, struct iris_err *err)
{
    sigset_t all, before;
    size_t k;
    int e = 0;

    f->job = calloc(f->o->jobs, sizeof *f->job);
    if (!f->job)
        return iris_fail_memory(err);
    sigfillset(&all);
    pthread_sigmask(SIG_SETMASK, &all, &before); /* signals are for the first thread */
    for (k = 0; k < f->o->jobs && !e; k++) {
        struct fetch_job *job = &f->job[k];

        *job = (struct fetch_job){.f = f, .sftp = {.ssh = {.fd = -1}}};
        job->copy = (struct iris_copy){.verify = f->o->verify, .copied = &job->copied};
        e = pthread_create(&job->thread, NULL, work, job);
        f->n_jobs += !e;
    }
    pthread_sigmask(SIG_SETMASK, &before, NULL);
    if (!e)
        return IRIS_OK;
    errno = e;
    return iris_fail(err, IRIS_E_IO, "cannot start a thread:");
}

int
fetch_end(struct fetch *f)
{
    double limit = iris_seconds() + LONGEST_END;
    size_t k;
    int all;

    pthread_mutex_lock(&f->lock);
    f->stop = 1;
    pthread_cond_broadcast(&f->changed);
    while (f->n_ended < f->n_jobs && iris_seconds() < limit)
        fetch_wait(f);
    all = f->n_ended == f->n_jobs;
    pthread_mutex_unlock(&f->lock);
    for (k = 0; k < f->n_jobs && all; k++)
        pthread_join(f->job[k].thread, NULL);
    return all;
}
