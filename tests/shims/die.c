/* die -- a library to preload that ends the process at a call with a path, as a fault
 * of its own or an end from outside would.
 *
 *   DIE_CALL   open or rename: before it opens a file, or before a file gets its name
 *   DIE_PATH   part of the path, of the new one for rename
 *   DIE_NTH    from which of these calls of the process on, 1 or more; not set: 1
 *   DIE_AFTER  set: after the call
 *   DIE_HOW    SEGV: memory that is not there; ABRT: abort(); KILL: SIGKILL
 */
#define _GNU_SOURCE
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/types.h>

#include "real.h"

static void
die(const char *how)
{
    static volatile int *volatile nowhere;

    if (!strcmp(how, "SEGV"))
        *nowhere = 1;
    if (!strcmp(how, "ABRT"))
        abort();
    raise(SIGKILL);
}

/* Whether it is the call. */
static int
is_it(const char *call, const char *path)
{
    static int n;
    const char *at = getenv("DIE_CALL"), *part = getenv("DIE_PATH"), *nth = getenv("DIE_NTH");

    if (!at || !part || strcmp(at, call) || !strstr(path, part))
        return 0;
    return ++n >= (nth ? atoi(nth) : 1);
}

static void
die_at(int is, int after)
{
    const char *how = getenv("DIE_HOW");

    if (is && how && after == (getenv("DIE_AFTER") != NULL))
        die(how);
}

int
open(const char *path, int flags, ...)
{
    int (*next)(const char *, int, ...);
    int is = is_it("open", path), fd;
    va_list more;
    mode_t mode;

    *(void **)(&next) = real("open");
    va_start(more, flags);
    mode = mode_of(flags, more);
    va_end(more);
    die_at(is, 0);
    fd = next(path, flags, mode);
    die_at(is, 1);
    return fd;
}

int
rename(const char *from, const char *to)
{
    int (*next)(const char *, const char *);
    int is = is_it("rename", to), result;

    *(void **)(&next) = real("rename");
    die_at(is, 0);
    result = next(from, to);
    die_at(is, 1);
    return result;
}
