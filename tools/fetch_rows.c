#define _GNU_SOURCE /* F_GETPIPE_SZ */
#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <limits.h>
#include <math.h>
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <unistd.h>

#include "cache.h"
#include "clock.h"
#include "fetch.h"

enum { LONG_WAIT = 60, READ_MS = 50 }; /* s, ms */

/* Where a row can be read from, in its column `local`. */
static enum iris_status
set_local(struct fetch *f, size_t r, struct iris_err *err)
{
    const char *path = iris_manifest_get(&f->m, r, "path");
    const char *todo = iris_manifest_get(&f->m, r, "todo");
    struct iris_buf local = {0};
    enum iris_status st;

    if (todo && !strcmp(todo, "0"))
        ; /* nobody will read it, though there may be a copy for another row */
    else if (f->row[r].state == FETCH_LANDED)
        iris_cache_path(f->cache, iris_manifest_get(&f->m, r, "snapshot"), path, &local);
    else if (f->row[r].state == FETCH_PASSED && !iris_manifest_get(&f->m, r, "remote"))
        iris_buf_puts(&local, path);
    st = iris_buf_check(&local, err);
    if (!st)
        st = iris_manifest_set(&f->m, r, "local", local.len ? local.data : NULL, err);
    iris_buf_release(&local);
    return st;
}

/* How much of so many bytes standard output takes in one go without being waited for.
 * The rows of one snapshot are to be seen together by the reader of a pipe, which may
 * remove the copy when it has done with all it has seen: so what is more than a pipe
 * has always room for waits until it is empty. */
static size_t
room_for(size_t n)
{
    struct pollfd p = {.fd = STDOUT_FILENO, .events = POLLOUT};
    size_t least = n < PIPE_BUF ? n : PIPE_BUF, most;
    int capacity, unread = 0;

    if (!n || poll(&p, 1, 0) <= 0)
        return 0;
    capacity = n > PIPE_BUF ? fcntl(STDOUT_FILENO, F_GETPIPE_SZ) : -1;
    if (capacity < PIPE_BUF || ioctl(STDOUT_FILENO, FIONREAD, &unread))
        return least;
    most = (size_t)capacity;
    return unread ? 0 : n < most ? n : most;
}

/* On standard output what there is goes out at once, for the reader of a pipe, but
 * only as much as it takes: copies go on meanwhile, and signals are seen. A file
 * appears when it is complete. */
static enum iris_status
pass_on(const struct fetch *f, struct iris_buf *text, struct iris_err *err)
{
    enum iris_status st = iris_buf_check(text, err);
    size_t done = 0, n;

    while (!st && !f->o->cli.output && (n = room_for(text->len - done))) {
        ssize_t put = write(STDOUT_FILENO, text->data + done, n);

        if (put >= 0)
            done += (size_t)put;
        else if (errno == EPIPE)
            st = iris_cli_unread(err);
        else if (errno != EINTR && errno != EAGAIN)
            st = iris_fail(err, IRIS_E_IO, "cannot write standard output:");
    }
    if (done) {
        text->len -= done;
        memmove(text->data, text->data + done, text->len + 1);
    }
    return st;
}

/* Until something changes, or the reader takes more. The lock is held. */
static void
await(struct fetch *f, const struct iris_buf *text)
{
    struct pollfd p = {.fd = STDOUT_FILENO, .events = POLLOUT};

    /* of one that is to be empty first nobody tells */
    if (f->o->cli.output || !text->len || text->len > PIPE_BUF) {
        fetch_wait(f);
        return;
    }
    pthread_mutex_unlock(&f->lock);
    poll(&p, 1, READ_MS);
    pthread_mutex_lock(&f->lock);
}

static enum iris_status
look_around(const struct fetch *f, struct iris_err *err)
{
    if (iris_cli_stop())
        return iris_fail(err, IRIS_E_RETRY, "stopped by a signal; run again to continue");
    if (f->has_reader && iris_cli_is_unread())
        return iris_cli_unread(err);
    return IRIS_OK;
}

static enum iris_status
print_row(struct fetch *f, size_t r, struct iris_buf *text, struct iris_err *err)
{
    struct fetch_row *row = &f->row[r];
    enum iris_status st = set_local(f, r, err);

    iris_manifest_print_row(&f->m, r, text);
    row->printed = 1;
    if (row->state == FETCH_FAILED && row->lead == r)
        iris_cli_note(&f->o->cli, "%s", row->err.msg);
    return st;
}

/* A row, and with a reader all of its snapshot, so that it is not copied again for
 * those that come later. */
static enum iris_status
print_snapshot(struct fetch *f, size_t r, struct iris_buf *text, struct iris_err *err)
{
    int is_copied = f->row[r].state != FETCH_PASSED;
    enum iris_status st;

    do {
        st = print_row(f, r, text, err);
        r = f->row[r].next;
    } while (!st && r < f->m.n_rows && f->has_reader && is_copied);
    return st;
}

/* The rows that have come to an end: with a reader as they come, as long as it takes
 * them, else in their order. The lock is held. */
static enum iris_status
print_rows(struct fetch *f, size_t *first, struct iris_buf *text, struct iris_err *err)
{
    enum iris_status st = pass_on(f, text, err);
    size_t r;

    for (r = *first; r < f->m.n_rows && !st; r++) {
        const struct fetch_row *row = &f->row[r];

        if (!row->printed && (row->state == FETCH_WAITING || row->state == FETCH_RUNNING)) {
            if (!f->has_reader)
                break;
            continue;
        }
        if (!row->printed) {
            if (f->has_reader && text->len)
                break;
            st = print_snapshot(f, r, text, err);
            if (!st && f->has_reader)
                st = pass_on(f, text, err);
        }
        *first += *first == r;
    }
    return st;
}

static void
show_progress(struct fetch *f, struct iris_meter *meter, int last)
{
    struct iris_progress p = {.total = fetch_count(f)};
    uint64_t landed = 0, received = 0;
    size_t r, k;

    for (r = 0; r < f->m.n_rows; r++) {
        const struct fetch_row *row = &f->row[r];

        if (row->lead != r)
            continue;
        p.done += row->state != FETCH_WAITING && row->state != FETCH_RUNNING;
        p.failed += row->state == FETCH_FAILED;
        p.skipped += row->state == FETCH_PASSED;
        p.bytes_total += row->state == FETCH_PASSED || row->state == FETCH_FAILED ? 0 : row->bytes;
        landed += row->state == FETCH_LANDED || row->state == FETCH_RELEASED ? row->bytes : 0;
    }
    for (k = 0; k < f->n_jobs; k++)
        received += atomic_load(&f->job[k].copied.received);
    p.bytes = received;
    p.bytes_done = landed > received ? landed : received;
    iris_cli_progress(&f->o->cli, meter, &p, last);
}

/* What the run ends with: the first row that could not be had. */
static enum iris_status
report(const struct fetch *f, struct iris_err *err)
{
    size_t r, n = 0;

    for (r = f->m.n_rows; r > 0; r--) {
        if (f->row[r - 1].state == FETCH_FAILED && f->row[r - 1].lead == r - 1) {
            *err = f->row[r - 1].err;
            n++;
        }
    }
    if (n > 1)
        iris_fail_in(err, "%zu of %zu snapshots cannot be had; the first", n, fetch_count(f));
    return n ? err->status : IRIS_OK;
}

/* A private cache must have a reader before it is left, or the next run would
 * find that nobody uses it. */
static enum iris_status
see_off(struct fetch *f, struct iris_err *err)
{
    enum iris_status st = IRIS_OK;
    double begin = iris_seconds();

    pthread_mutex_lock(&f->lock);
    while (!st && f->live && iris_seconds() - begin < LONG_WAIT && !iris_hold_is_read(f->cache)) {
        fetch_wait(f);
        fetch_see_released(f);
        st = look_around(f, err);
    }
    pthread_mutex_unlock(&f->lock);
    return st;
}

/* A reader that removes nothing would be waited for without end: say so, once.
 *
 *   inout  since  when nothing could go on any more, 0: it can
 */
static void
warn_of_waiting(const struct fetch *f, double *since)
{
    if (f->running || !f->live || f->was_released || f->next == f->m.n_rows)
        *since = 0;
    else if (*since <= 0)
        *since = iris_seconds();
    else if (iris_seconds() - *since > LONG_WAIT) {
        iris_cli_warn(&f->o->cli, "the cache is full until the reader removes a copy, as iris-gen "
                                  "--release does");
        *since = HUGE_VAL;
    }
}

/* The lock is held. */
static enum iris_status
copy_rows(struct fetch *f, struct iris_buf *text, struct iris_err *err)
{
    struct iris_meter meter = {0};
    enum iris_status st = IRIS_OK;
    int is_ended = 0;
    double waiting = 0;
    size_t first = 0;

    for (;;) {
        fetch_see_released(f);
        warn_of_waiting(f, &waiting);
        st = print_rows(f, &first, text, err);
        if (first == f->m.n_rows && !is_ended) {
            iris_manifest_print_end(&f->m, text);
            is_ended = 1;
        }
        if (!st)
            st = pass_on(f, text, err);
        show_progress(f, &meter, 0);
        if (st || (is_ended && (f->o->cli.output || !text->len)))
            break;
        st = look_around(f, err);
        if (st)
            break;
        await(f, text);
    }
    show_progress(f, &meter, 1);
    return st;
}

static void
say_bytes(const struct fetch *f)
{
    uint64_t received = 0, again = 0;
    size_t k;

    for (k = 0; k < f->o->jobs && f->job; k++) {
        received += atomic_load(&f->job[k].copied.received);
        again += atomic_load(&f->job[k].copied.again);
    }
    iris_cli_note(&f->o->cli, "%" PRIu64 " bytes copied, %" PRIu64 " of them again", received,
                  again);
}

enum iris_status
fetch_rows(struct fetch *f, struct iris_err *err)
{
    struct iris_buf text = {0};
    enum iris_status st;

    iris_manifest_print_head(&f->m, &text);
    st = fetch_start(f, err);
    pthread_mutex_lock(&f->lock);
    if (!st)
        st = copy_rows(f, &text, err);
    pthread_mutex_unlock(&f->lock);
    if (!st && f->o->cli.output)
        st = iris_cli_write(&f->o->cli, &text, err);
    if (!st && f->is_private)
        st = see_off(f, err);
    f->is_stuck = !fetch_end(f);
    say_bytes(f);
    iris_buf_release(&text);
    return st ? st : report(f, err);
}
