/* stop -- a library to preload that stops the process, as by SIGSTOP, at a call
 * with a path, so that a test can look at it there, signal it or end it.
 *
 *   STOP_CALL   open or rename: before it opens a file, or after a file has got
 *               its name
 *   STOP_PATH   part of the path, of the new one for rename
 *   STOP_NTH    which of these calls of the process, 1 or more; not set: each
 *   STOP_RANK   set: only in this rank of an MPI job, or in any, but not in what
 *               started them
 *   STOP_BLOCK  set: what comes before this memfd_create of the process does not
 *               count
 */
#define _GNU_SOURCE
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>

#include "real.h"

static int blocks;

/* Is it a rank that is meant, after STOP_BLOCK? */
static int
counts(void)
{
    const char *rank = getenv("STOP_RANK"), *me = getenv("OMPI_COMM_WORLD_RANK");
    const char *block = getenv("STOP_BLOCK");

    if (rank && (!me || (strcmp(rank, me) != 0 && strcmp(rank, "any") != 0)))
        return 0;
    return !block || blocks >= atoi(block);
}

static void
stop_at(const char *call, const char *path)
{
    static int n;
    const char *at = getenv("STOP_CALL"), *part = getenv("STOP_PATH"), *nth = getenv("STOP_NTH");

    if (!at || !part || strcmp(at, call) || !strstr(path, part) || !counts())
        return;
    n++;
    if (!nth || n == atoi(nth))
        raise(SIGSTOP);
}

int
open(const char *path, int flags, ...)
{
    int (*next)(const char *, int, ...);
    va_list more;
    mode_t mode;

    *(void **)(&next) = real("open");
    va_start(more, flags);
    mode = mode_of(flags, more);
    va_end(more);
    stop_at("open", path);
    return next(path, flags, mode);
}

int
openat(int dir, const char *path, int flags, ...)
{
    int (*next)(int, const char *, int, ...);
    va_list more;
    mode_t mode;

    *(void **)(&next) = real("openat");
    va_start(more, flags);
    mode = mode_of(flags, more);
    va_end(more);
    stop_at("open", path);
    return next(dir, path, flags, mode);
}

int
rename(const char *from, const char *to)
{
    int (*next)(const char *, const char *);
    int result;

    *(void **)(&next) = real("rename");
    result = next(from, to);
    if (!result)
        stop_at("rename", to);
    return result;
}

int
memfd_create(const char *name, unsigned flags)
{
    int (*next)(const char *, unsigned);

    *(void **)(&next) = real("memfd_create");
    blocks++;
    return next(name, flags);
}
