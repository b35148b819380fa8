/* flight -- what a run had in hand when it died.
 *
 * A flight record is a small file that a process maps and notes in what it begins
 * and ends. That takes no call of the system, and what is noted is in the file even
 * after SIGKILL. A run that ends in order removes its records; so those that the
 * next run finds tell what was in hand. What that was is a suspect: it may be what
 * ended the run. A directory of suspects holds a file for each, with a line for
 * each run that died of it, or beside it.
 *
 *   DATASET/.iris/flight/rank3
 *   DATASET/.iris/suspects/1f3a9c20.snap_800.p003
 *
 * A record is written by one process. Only who has locked the data set may look at
 * records or change suspects: to others a run that lives looks as if it had died.
 *
 * Links, names that begin with '.' and files that are something else are passed
 * over in both directories. Nothing that a record says makes anything be written
 * elsewhere.
 */
#ifndef IRIS_FLIGHT_H
#define IRIS_FLIGHT_H

#include <stddef.h>

#include "err.h"

enum { IRIS_FLIGHT_WHAT = 400 };

struct iris_flight_record;

struct iris_flight {
    char *path;
    struct iris_flight_record *record; /* NULL: none, and nothing is noted */
    int fd;
    volatile int unnoted[2]; /* the marks, where there is no record */
};
#define IRIS_FLIGHT_INIT                                                                           \
    {                                                                                              \
        NULL, NULL, -1,                                                                            \
        {                                                                                          \
            0, 0                                                                                   \
        }                                                                                          \
    }

/* Begin a record, in place of one that is there; missing directories are made.
 *
 *   return  IRIS_OK
 *           IRIS_E_IO  it cannot be made or mapped
 *   owns    iris_flight_close. The calls below are safe without a record, on
 *           IRIS_FLIGHT_INIT or after a failure: nothing is noted then.
 */
enum iris_status iris_flight_open(struct iris_flight *f, const char *path, struct iris_err *err);

/* This is in hand now, and nothing else.
 *
 *   in  what  the name of a file, of at most IRIS_FLIGHT_WHAT bytes; one that is
 *             longer is not noted
 */
void iris_flight_begin(struct iris_flight *f, const char *what);

/* Something else for a moment: what was in hand before comes back with its time.
 *
 *   out  before  for iris_flight_resume
 */
struct iris_flight_before {
    char what[IRIS_FLIGHT_WHAT + 1]; /* "": nothing */
    unsigned long long began;
};
void iris_flight_interrupt(struct iris_flight *f, const char *what,
                           struct iris_flight_before *before);
void iris_flight_resume(struct iris_flight *f, const struct iris_flight_before *before);

/* It still is. */
void iris_flight_alive(struct iris_flight *f);

/* Nothing is. */
void iris_flight_end(struct iris_flight *f);

/* A place where a signal handler may put a number other than 0: the process was
 * asked to end, so what it has in hand is not to blame. It stays until
 * iris_flight_close. */
volatile int *iris_flight_mark(struct iris_flight *f);

/* ... or that the process dies now of a signal of its own making, so that it is. */
volatile int *iris_flight_fatal(struct iris_flight *f);

/* An orderly end: the record is removed. Safe twice. */
void iris_flight_close(struct iris_flight *f);

/* Make suspects of what the records of a run that died say, and remove the
 * records. What several ranks had in hand is one suspect with one line.
 *
 * Where some processes were asked to end and one was not, that one has died first, and
 * so it has where it was a signal of its own. A run of which all processes are gone at
 * once was ended from outside, or by what it did to its machine: then only what had
 * been in hand for some time is suspected.
 *
 *   in  flight_dir    may be missing
 *   in  suspects_dir  made when there is something to put into it
 *   in  who           the line: which run it was that died, or who found it
 *   in  some_time     seconds
 *
 *   return  IRIS_OK
 *           IRIS_E_IO  a directory cannot be read, a line cannot be written; the
 *                      records that are left are for the next call
 */
enum iris_status iris_suspects_collect(const char *flight_dir, const char *suspects_dir,
                                       const char *who, double some_time, struct iris_err *err);

/* What is suspected, sorted by name. */
struct iris_suspect {
    char *name; /* of its file: a what that no file can be called has another one */
    unsigned deaths;
};
struct iris_suspects {
    struct iris_suspect *suspect;
    size_t n;
};

/*   in  suspects_dir  may be missing
 *
 *   return  IRIS_OK, or IRIS_E_IO with *s empty
 *   owns    iris_suspects_release, safe on zeroed and twice
 */
enum iris_status iris_suspects_read(struct iris_suspects *s, const char *suspects_dir,
                                    struct iris_err *err);
void iris_suspects_release(struct iris_suspects *s);

/* How many runs died with this in hand. */
unsigned iris_suspects_deaths(const struct iris_suspects *s, const char *what);

/* Suspect it no more: what was in hand has been finished, or all is forgiven. What
 * is not suspected is no error. */
enum iris_status iris_suspects_clear(const char *suspects_dir, const char *what,
                                     struct iris_err *err);
enum iris_status iris_suspects_clear_all(const char *suspects_dir, struct iris_err *err);

#endif
