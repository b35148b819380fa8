#include <fcntl.h>
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "cache.h"
#include "fetch.h"
#include "snapname.h"

enum { LONGEST_PAUSE = 60, MANY_LOST = 3 };

enum iris_status
fetch_source(const struct fetch *f, size_t row, uint64_t k, struct iris_buf *path,
             struct iris_err *err)
{
    const char *name = iris_manifest_get(&f->m, row, "path");

    if (f->row[row].files > 1)
        iris_snapname_part(name, k, path);
    else
        iris_buf_puts(path, name);
    return iris_buf_check(path, err);
}

static int
is_stopped(struct fetch *f)
{
    return f->way.stop(f->way.self);
}

static enum iris_status
stopped(struct iris_err *err)
{
    return iris_fail(err, IRIS_E_RETRY, "stopped by a signal; run again to continue");
}

/* Snapshots of this machine are copied as they are now; with a budget no more of
 * them than it was reckoned with. */
static enum iris_status
measure_here(const struct fetch *f, size_t row, struct iris_err *err)
{
    struct iris_place_file *file = calloc(f->row[row].files + 1, sizeof *file);
    enum iris_status st = file ? IRIS_OK : iris_fail_memory(err);
    struct iris_buf source = {0};
    uint64_t k, bytes = 0;

    for (k = 0; k < f->row[row].files && !st; k++) {
        iris_buf_clear(&source);
        st = fetch_source(f, row, k, &source, err);
        if (!st)
            st = iris_here.look(NULL, source.data, &file[k], err);
        bytes += file[k].bytes;
    }
    if (!st && bytes > f->row[row].bytes)
        st = iris_fail(err, IRIS_E_IO,
                       "'%s' has %" PRIu64 " bytes, and had %" PRIu64
                       " when it was listed; list it again",
                       iris_manifest_get(&f->m, row, "path"), bytes, f->row[row].bytes);
    if (!st)
        fetch_tidy(f, row, file);
    iris_buf_release(&source);
    free(file);
    return st;
}

static enum iris_status
copy_here(struct fetch_job *job, size_t row, struct iris_err *err)
{
    struct fetch *f = job->f;
    const char *id = iris_manifest_get(&f->m, row, "snapshot");
    struct iris_buf source = {0};
    enum iris_status st = f->o->budget ? measure_here(f, row, err) : IRIS_OK;
    uint64_t k, bytes;

    for (k = 0; k < f->row[row].files && !st; k++) {
        iris_buf_clear(&source);
        st = fetch_source(f, row, k, &source, err);
        if (!st)
            st = iris_cache_copy(f->cache, id, source.data, &bytes, err);
        if (!st)
            atomic_fetch_add(&job->copied.received, bytes);
        if (!st && is_stopped(f))
            st = stopped(err);
    }
    iris_buf_release(&source);
    return st;
}

/* A copy of one file that is what the list says needs no look at its source. */
static int
is_there(const struct fetch *f, size_t row)
{
    const char *id = iris_manifest_get(&f->m, row, "snapshot");
    const char *path = iris_manifest_get(&f->m, row, "path");
    const struct iris_place_file listed = {IRIS_PLACE_FILE, f->row[row].bytes, f->row[row].mtime};
    struct iris_buf target = {0};
    int there;

    if (f->row[row].files != 1 || !f->row[row].has_mtime)
        return 0;
    iris_cache_path(f->cache, id, path, &target);
    there = !target.failed && fetch_is_same(AT_FDCWD, target.data, &listed);
    iris_buf_release(&target);
    return there;
}

static enum iris_status
connect(struct fetch_job *job, struct fetch_host *host, struct iris_err *err)
{
    struct fetch *f = job->f;
    enum iris_status st;

    st = iris_sftp_open(&job->sftp, &f->way, host->name, err);
    pthread_mutex_lock(&f->lock);
    if (!st)
        host->lost = 0;
    if (st == IRIS_E_REMOTE && job->sftp.ssh.is_refused) {
        host->refused = *err;
        host->is_refused = 1;
    }
    pthread_mutex_unlock(&f->lock);
    return st;
}

/* Look at every file of a row.
 *
 *   out  file  [files]
 */
static enum iris_status
look(struct fetch_job *job, size_t row, struct iris_place_file *file, struct iris_err *err)
{
    struct iris_place place = iris_sftp_place(&job->sftp);
    struct iris_buf source = {0};
    enum iris_status st = IRIS_OK;
    uint64_t k;

    for (k = 0; k < job->f->row[row].files && !st; k++) {
        iris_buf_clear(&source);
        st = fetch_source(job->f, row, k, &source, err);
        if (!st)
            st = place.look(place.self, source.data, &file[k], err);
        if (!st && file[k].kind != IRIS_PLACE_FILE)
            st = iris_fail(err, IRIS_E_IO, "'%s:%s' is not a file", job->sftp.ssh.host,
                           source.data);
    }
    iris_buf_release(&source);
    return st;
}

/* Connect, unless there is a connection that still answers, and look. */
static enum iris_status
reach(struct fetch_job *job, size_t row, struct iris_place_file *file, struct iris_err *err)
{
    struct fetch_host *host = job->f->row[row].host;
    enum iris_status st;

    if (iris_sftp_is_open(&job->sftp) && !strcmp(job->sftp.ssh.host, host->name)) {
        st = look(job, row, file, err);
        if (st != IRIS_E_REMOTE)
            return st;
    }
    iris_sftp_close(&job->sftp);
    st = connect(job, host, err);
    return st ? st : look(job, row, file, err);
}

/* The files are those that were listed. */
static enum iris_status
compare(const struct fetch *f, size_t row, const struct iris_place_file *file, struct iris_err *err)
{
    const char *host = f->row[row].host->name;
    const char *path = iris_manifest_get(&f->m, row, "path");
    uint64_t bytes = 0, k;
    int64_t newest = 0;

    for (k = 0; k < f->row[row].files; k++) {
        bytes += file[k].bytes;
        newest = file[k].mtime > newest ? file[k].mtime : newest;
    }
    if (bytes != f->row[row].bytes)
        return iris_fail(err, IRIS_E_IO,
                         "'%s:%s' has %" PRIu64 " bytes, and had %" PRIu64
                         " when it was listed; list it again",
                         host, path, bytes, f->row[row].bytes);
    if (f->row[row].has_mtime && f->row[row].mtime != newest)
        return iris_fail(err, IRIS_E_IO, "'%s:%s' was changed since it was listed; list it again",
                         host, path);
    return IRIS_OK;
}

static enum iris_status
copy_file(struct fetch_job *job, size_t row, uint64_t k, const struct iris_place_file *file,
          struct iris_err *err)
{
    struct fetch *f = job->f;
    const char *id = iris_manifest_get(&f->m, row, "snapshot");
    struct iris_buf source = {0}, target = {0};
    enum iris_status st;

    st = fetch_source(f, row, k, &source, err);
    if (!st)
        st = iris_cache_make(f->cache, id, source.data, &target, err);
    if (!st && !fetch_is_same(AT_FDCWD, target.data, file))
        st = iris_copy_file(&job->copy, &job->sftp, source.data, file, target.data, err);
    iris_buf_release(&source);
    iris_buf_release(&target);
    return st;
}

static enum iris_status
copy_there(struct fetch_job *job, size_t row, struct iris_err *err)
{
    const struct fetch *f = job->f;
    struct iris_place_file *file = calloc(f->row[row].files + 1, sizeof *file);
    enum iris_status st;
    uint64_t k;

    if (!file)
        return iris_fail_memory(err);
    st = reach(job, row, file, err);
    if (!st)
        st = compare(f, row, file, err);
    if (!st && f->o->budget)
        fetch_tidy(f, row, file);
    for (k = 0; k < f->row[row].files && !st; k++)
        st = copy_file(job, row, k, &file[k], err);
    if (st)
        iris_sftp_close(&job->sftp);
    free(file);
    return st;
}

/* Longer each time, and never the same for two that were cut at one moment.
 *
 *   return  whether the time is over, not the run
 */
static int
pause_before(struct fetch *f, uint64_t try)
{
    static const struct timespec moment = {0, 50000000};
    struct timespec t;
    double left = try < 6 ? (double)(1u << try) : LONGEST_PAUSE;
    int stop, moments;

    clock_gettime(CLOCK_MONOTONIC, &t);
    left *= 0.5 + 0.5 * (double)(t.tv_nsec % 9973) / 9973;
    moments = (int)(left / 0.05) + 1;
    while (!(stop = is_stopped(f)) && moments-- > 0)
        nanosleep(&moment, NULL);
    return !stop;
}

/* What is known of a host before it is asked once more. */
static enum iris_status
prospects(struct fetch *f, const struct fetch_host *host, uint64_t *retries, struct iris_err *err)
{
    enum iris_status st = IRIS_OK;

    *retries = f->o->retries;
    pthread_mutex_lock(&f->lock);
    if (host->is_refused) {
        *err = host->refused;
        st = err->status;
    } else if (host->lost >= MANY_LOST) {
        st = iris_fail(err, IRIS_E_REMOTE, "cannot connect to '%s': given up for this run",
                       host->name);
    } else if (host->lost) {
        *retries = 0;
    }
    pthread_mutex_unlock(&f->lock);
    return st;
}

/* Whether a failure may be another time none. */
static int
may_try_again(struct fetch *f, const struct fetch_host *host, enum iris_status st,
              const struct iris_copy *copy, uint64_t try, uint64_t retries)
{
    int refused;

    pthread_mutex_lock(&f->lock);
    refused = host->is_refused;
    pthread_mutex_unlock(&f->lock);
    if (copy->verify == IRIS_VERIFY_SHA256 && copy->has_no_sum)
        return 0;
    if (copy->is_other) /* damaged on the way, or there: once more will tell */
        return try < 1;
    return st == IRIS_E_REMOTE && !refused && try < retries;
}

enum iris_status
fetch_row(struct fetch_job *job, size_t row, struct iris_err *err)
{
    struct fetch *f = job->f;
    struct fetch_host *host = f->row[row].host;
    struct iris_copy *copy = &job->copy;
    enum iris_status st;
    uint64_t try, retries;

    if (!host)
        return copy_here(job, row, err);
    if (is_there(f, row))
        return IRIS_OK;
    if (job->host != host)
        copy->has_no_sum = 0;
    job->host = host;
    copy->noted = f->row[row].room > f->row[row].bytes;
    st = prospects(f, host, &retries, err);
    for (try = 0; !st; try++) {
        copy->is_other = 0;
        st = copy_there(job, row, err);
        if (!st || !may_try_again(f, host, st, copy, try, retries))
            break;
        if (!pause_before(f, try))
            break;
        iris_cli_note(&f->o->cli, "%s; trying again", err->msg);
        st = IRIS_OK;
    }
    if (st == IRIS_E_REMOTE) {
        pthread_mutex_lock(&f->lock);
        host->lost++;
        pthread_mutex_unlock(&f->lock);
    }
    return is_stopped(f) && st ? stopped(err) : st;
}
