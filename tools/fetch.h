/* fetch -- the parts of iris-fetch: rows, who may begin when, and the copying
 * of one of them. */
#ifndef IRIS_FETCH_H
#define IRIS_FETCH_H

#include <pthread.h>
#include <stddef.h>
#include <stdint.h>

#include "cli_ssh.h"
#include "copy.h"
#include "file.h"
#include "hold.h"
#include "manifest.h"
#include "sftp.h"

struct fetch_options {
    struct iris_cli cli;
    struct iris_ssh_way way;
    const char *cache, *drop, *input;
    int copy;        /* local snapshots too */
    uint64_t window; /* snapshots; 0: no limit */
    uint64_t budget; /* bytes; 0: no limit */
    size_t jobs;
    uint64_t retries;
    enum iris_verify verify;
};

enum fetch_state {
    FETCH_PASSED, /* nothing to copy */
    FETCH_WAITING,
    FETCH_RUNNING,
    FETCH_LANDED, /* the copy is there */
    FETCH_FAILED,
    FETCH_RELEASED /* the reader has removed it */
};

/* A machine, and what is known of it; the lock is for this, too. */
struct fetch_host {
    const char *name;
    int is_refused;
    struct iris_err refused; /* for all of its rows */
    unsigned lost;           /* rows in succession for which there was no connection */
};

/* Rows of one snapshot are copied once: what is counted, and where a row begins, is
 * said of the first of them, the lead; they are all in the same state. */
struct fetch_row {
    size_t lead, next; /* itself, or one before it; the next of the same, n_rows: none */
    enum fetch_state state;
    int printed;
    struct fetch_host *host; /* NULL: this machine */
    uint64_t files, bytes;
    int has_mtime;
    int64_t mtime;
    uint64_t room;       /* that it takes in the cache while it is copied */
    struct iris_err err; /* of one that failed */
};

/* One of the threads that copy. */
struct fetch_job {
    struct fetch *f;
    pthread_t thread;
    struct iris_sftp sftp;
    struct iris_copy copy;
    struct iris_copied copied;
    const struct fetch_host *host; /* of the last row */
};

struct fetch {
    const struct fetch_options *o;
    const char *cache; /* NULL: nothing is copied */
    struct iris_hold hold;
    int is_private; /* the cache is of this run only */
    int is_stuck;   /* threads could not be ended */
    int has_reader; /* of the standard output, who may remove copies */
    struct iris_ssh_way way;
    struct iris_manifest m;
    struct fetch_job *job;
    size_t n_jobs;

    pthread_mutex_t lock; /* of all below */
    pthread_cond_t changed;
    struct fetch_row *row; /* [m.n_rows] */
    size_t n_ended;        /* threads */
    size_t next;           /* no row before it waits */
    size_t live, running;  /* leads that are in the cache or on their way; on their way */
    uint64_t used;         /* bytes of these */
    int was_released;      /* the reader has removed one */
    size_t waiting;        /* threads, for room */
    _Atomic int stop;
    struct fetch_host *host; /* [n_hosts] */
    size_t n_hosts;
};

/* ---- fetch_row.c ---- */

/* Copy the snapshot of a row, with retries.
 *
 *   return  IRIS_OK, IRIS_E_RETRY when stopped, or why it cannot be had
 */
enum iris_status fetch_row(struct fetch_job *job, size_t row, struct iris_err *err);

/* The path of part k of a row, here or there, appended. */
enum iris_status fetch_source(const struct fetch *f, size_t row, uint64_t k, struct iris_buf *path,
                              struct iris_err *err);

/* ---- fetch_room.c ---- */

/* Whether a name in a directory, or AT_FDCWD, is a file of this size and time; a link
 * is none. */
int fetch_is_same(int dir, const char *name, const struct iris_place_file *file);

/* Remove from the copy of a row what is of no use for it, so that the two do not
 * take room at one time.
 *
 *   in  file  [files] as they are where they come from
 */
void fetch_tidy(const struct fetch *f, size_t row, const struct iris_place_file *file);

/* ---- fetch_share.c ---- */

/* Find the rows of one snapshot, by id and source; of another source with its id
 * there is no copy. */
enum iris_status fetch_share(struct fetch *f, struct iris_err *err);

/* How many snapshots there are. */
size_t fetch_count(const struct fetch *f);

/* ---- fetch_rows.c ---- */

/* Copy what is to be copied and print every row.
 *
 *   return  IRIS_OK       all are there
 *           IRIS_E_RETRY  stopped, or nobody reads the rows any more
 *           or why the first row that cannot be had cannot
 */
enum iris_status fetch_rows(struct fetch *f, struct iris_err *err);

/* ---- fetch_queue.c ---- */

/* Decide what becomes of each row, once the manifest is read. */
enum iris_status fetch_plan(struct fetch *f, struct iris_err *err);

/* Remove from a cache that is this run's alone what it has no use for. */
enum iris_status fetch_clear(struct fetch *f, struct iris_err *err);

/* Bytes in the cache that are of no row. */
enum iris_status fetch_count_others(struct fetch *f, struct iris_err *err);

enum iris_status fetch_start(struct fetch *f, struct iris_err *err);

/* End the threads.
 *
 *   return  whether they have; one may hang in a file of this machine, and then
 *           nothing it uses may be released
 */
int fetch_end(struct fetch *f);

/* Let the threads work for a moment; the lock is held before and after. */
void fetch_wait(struct fetch *f);

/* Take note of copies that the reader has removed; the lock is held. */
void fetch_see_released(struct fetch *f);

#endif
