/* crash -- a library to preload that ends the process at the n-th call that
 * changes the tree on disk or makes it durable. Contents are written between
 * two such calls; open and write themselves are not counted.
 *
 *   CRASH_COUNT  file that counts the calls, one byte each, over all processes
 *   CRASH_AT     n; not set: only count
 *   CRASH_AFTER  set: after the call, else before it
 *   CRASH_ALL    set: the whole process group ends, not this process only
 *
 * The process ends by _exit with status 99, as if it were killed: nothing is
 * flushed, closed or tidied up. A group ends by SIGKILL. */
#define _GNU_SOURCE
#include <dlfcn.h>
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/stat.h>
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

#define COUNTED(name, parameters, arguments)                                                       \
    int name parameters                                                                            \
    {                                                                                              \
        static int(*real) parameters;                                                              \
        long n = number();                                                                         \
        int result;                                                                                \
                                                                                                   \
        if (!real)                                                                                 \
            *(void **)(&real) = dlsym(RTLD_NEXT, #name);                                           \
        end_at(n, 0);                                                                              \
        result = real arguments;                                                                   \
        end_at(n, 1);                                                                              \
        return result;                                                                             \
    }

COUNTED(rename, (const char *from, const char *to), (from, to))
COUNTED(renameat, (int a, const char *from, int b, const char *to), (a, from, b, to))
COUNTED(renameat2, (int a, const char *from, int b, const char *to, unsigned flags),
        (a, from, b, to, flags))
COUNTED(link, (const char *from, const char *to), (from, to))
COUNTED(linkat, (int a, const char *from, int b, const char *to, int flags),
        (a, from, b, to, flags))
COUNTED(symlink, (const char *to, const char *path), (to, path))
COUNTED(symlinkat, (const char *to, int dir, const char *path), (to, dir, path))
COUNTED(unlink, (const char *path), (path))
COUNTED(unlinkat, (int dir, const char *path, int flags), (dir, path, flags))
COUNTED(remove, (const char *path), (path))
COUNTED(mkdir, (const char *path, mode_t mode), (path, mode))
COUNTED(mkdirat, (int dir, const char *path, mode_t mode), (dir, path, mode))
COUNTED(rmdir, (const char *path), (path))
COUNTED(truncate, (const char *path, off_t size), (path, size))
COUNTED(ftruncate, (int fd, off_t size), (fd, size))
COUNTED(posix_fallocate, (int fd, off_t from, off_t size), (fd, from, size))
COUNTED(fsync, (int fd), (fd))
COUNTED(fdatasync, (int fd), (fd))
