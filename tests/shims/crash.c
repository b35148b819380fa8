/* crash -- a library to preload that ends the process at the n-th call that
 * changes what is on disk: rename, link, unlink, rmdir, fsync.
 *
 *   CRASH_COUNT  file that counts the calls, one byte each, over all processes
 *   CRASH_AT     n; not set: only count
 *   CRASH_AFTER  set: after the call, else before it
 *
 * The process ends by _exit with status 99, as if it were killed: nothing is
 * flushed, closed or tidied up. */
#define _GNU_SOURCE
#include <dlfcn.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

/* The number of this call, 0 when nobody counts. */
static long
number(void)
{
    const char *path = getenv("CRASH_COUNT");
    long n = 0;
    int fd;

    if (!path)
        return 0;
    fd = open(path, O_WRONLY | O_CREAT | O_APPEND | O_CLOEXEC, 0666);
    if (fd >= 0 && write(fd, "x", 1) == 1)
        n = (long)lseek(fd, 0, SEEK_CUR);
    if (fd >= 0)
        close(fd);
    return n;
}

static int
due(long n)
{
    const char *at = getenv("CRASH_AT");

    return n > 0 && at && n == atol(at);
}

/* Around a call: end before it, or make it and end. */
#define CRASH_AROUND(call)                       \
    long n = number();                           \
    int result;                                  \
                                                 \
    if (due(n) && !getenv("CRASH_AFTER"))        \
        _exit(99);                               \
    result = (call);                             \
    if (due(n))                                  \
        _exit(99);                               \
    return result

#define REAL(name, ...)                            \
    static int (*real)(__VA_ARGS__);               \
                                                   \
    if (!real)                                     \
    *(void **)(&real) = dlsym(RTLD_NEXT, name)

int
rename(const char *from, const char *to)
{
    REAL("rename", const char *, const char *);
    CRASH_AROUND(real(from, to));
}

int
link(const char *from, const char *to)
{
    REAL("link", const char *, const char *);
    CRASH_AROUND(real(from, to));
}

int
unlink(const char *path)
{
    REAL("unlink", const char *);
    CRASH_AROUND(real(path));
}

int
unlinkat(int dir, const char *path, int flags)
{
    REAL("unlinkat", int, const char *, int);
    CRASH_AROUND(real(dir, path, flags));
}

int
rmdir(const char *path)
{
    REAL("rmdir", const char *);
    CRASH_AROUND(real(path));
}

int
fsync(int fd)
{
    REAL("fsync", int);
    CRASH_AROUND(real(fd));
}
