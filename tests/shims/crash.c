/* crash -- a library to preload that ends the process at the n-th call that
 * changes the tree on disk or makes it durable. Contents are written between
 * two such calls; open and write themselves are not counted, and neither is mkdir
 * of what is there.
 *
 *   CRASH_COUNT  file that counts the calls over all processes: a byte each, s for
 *                one that only makes durable what is there, x for others
 *   CRASH_AT     n; not set: only count
 *   CRASH_AFTER  set: after the call, else before it
 *   CRASH_ALL    set: the whole process group ends, not this process only
 *   CRASH_WRITES set: writing at a place in a file counts as well
 *
 * The process ends by _exit with status 99, as if it were killed: nothing is
 * flushed, closed or tidied up. A group ends by SIGKILL. */
#define _GNU_SOURCE
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>

#include "real.h"

/* The number of this call, 0 when nobody counts or it is of no kind. */
static long
number(char kind)
{
    const char *path = getenv("CRASH_COUNT");
    long n = 0;
    int fd;

    if (!path || !kind)
        return 0;
    fd = open(path, O_WRONLY | O_CREAT | O_APPEND | O_CLOEXEC, 0666);
    if (fd >= 0 && write(fd, &kind, 1) == 1)
        n = (long)lseek(fd, 0, SEEK_CUR);
    if (fd >= 0)
        close(fd);
    return n;
}

/* End here when the n-th call is the one. */
static void
end_at(long n, int after)
{
    const char *at = getenv("CRASH_AT");

    if (n <= 0 || !at || n != atol(at) || after != (getenv("CRASH_AFTER") != NULL))
        return;
    if (getenv("CRASH_ALL"))
        kill(0, SIGKILL);
    _exit(99);
}

static int
there(int dir, const char *path)
{
    struct stat sb;

    return !fstatat(dir, path, &sb, AT_SYMLINK_NOFOLLOW);
}

/* kind: a character, 0 for a call that does nothing */
#define COUNTED(name, kind, parameters, arguments)                                                 \
    int name parameters                                                                            \
    {                                                                                              \
        static int(*next) parameters;                                                              \
        long n = number(kind);                                                                     \
        int result;                                                                                \
                                                                                                   \
        if (!next)                                                                                 \
            *(void **)(&next) = real(#name);                                                       \
        end_at(n, 0);                                                                              \
        result = next arguments;                                                                   \
        end_at(n, 1);                                                                              \
        return result;                                                                             \
    }

COUNTED(rename, 'x', (const char *from, const char *to), (from, to))
COUNTED(renameat, 'x', (int a, const char *from, int b, const char *to), (a, from, b, to))
COUNTED(renameat2, 'x', (int a, const char *from, int b, const char *to, unsigned flags),
        (a, from, b, to, flags))
COUNTED(link, 'x', (const char *from, const char *to), (from, to))
COUNTED(linkat, 'x', (int a, const char *from, int b, const char *to, int flags),
        (a, from, b, to, flags))
COUNTED(symlink, 'x', (const char *to, const char *path), (to, path))
COUNTED(symlinkat, 'x', (const char *to, int dir, const char *path), (to, dir, path))
COUNTED(unlink, 'x', (const char *path), (path))
COUNTED(unlinkat, 'x', (int dir, const char *path, int flags), (dir, path, flags))
COUNTED(remove, 'x', (const char *path), (path))
COUNTED(mkdir, there(AT_FDCWD, path) ? 0 : 'x', (const char *path, mode_t mode), (path, mode))
COUNTED(mkdirat, there(dir, path) ? 0 : 'x', (int dir, const char *path, mode_t mode),
        (dir, path, mode))
COUNTED(rmdir, 'x', (const char *path), (path))
COUNTED(truncate, 'x', (const char *path, off_t size), (path, size))
COUNTED(ftruncate, 'x', (int fd, off_t size), (fd, size))
COUNTED(posix_fallocate, 'x', (int fd, off_t from, off_t size), (fd, from, size))
COUNTED(fsync, 's', (int fd), (fd))
COUNTED(fdatasync, 's', (int fd), (fd))

#define COUNTED_WRITE(name)                                                                        \
    ssize_t name(int fd, const void *data, size_t len, off_t at)                                   \
    {                                                                                              \
        static ssize_t (*next)(int, const void *, size_t, off_t);                                  \
        long n = getenv("CRASH_WRITES") ? number('x') : 0;                                         \
        ssize_t result;                                                                            \
                                                                                                   \
        if (!next)                                                                                 \
            *(void **)(&next) = real(#name);                                                       \
        end_at(n, 0);                                                                              \
        result = next(fd, data, len, at);                                                          \
        end_at(n, 1);                                                                              \
        return result;                                                                             \
    }

COUNTED_WRITE(pwrite)
COUNTED_WRITE(pwrite64)
