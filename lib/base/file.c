#include "file.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <unistd.h>

const char *
iris_file_name(const char *path)
{
    const char *slash = strrchr(path, '/');

    return slash ? slash + 1 : path;
}

char *
iris_file_parent(const char *path)
{
    const char *slash = strrchr(path, '/');

    if (!slash)
        return strdup(".");
    return slash == path ? strdup("/") : strndup(path, (size_t)(slash - path));
}

int
iris_file_has_name(int fd, int dir, const char *name)
{
    struct stat a, b;

    return !fstat(fd, &a) && !fstatat(dir, name, &b, AT_SYMLINK_NOFOLLOW) && a.st_dev == b.st_dev &&
           a.st_ino == b.st_ino;
}

int
iris_file_open(const char *path, int flags)
{
    int fd = open(path, flags | O_NOFOLLOW | O_NONBLOCK | O_CLOEXEC, 0666);
    struct stat sb;

    if (fd < 0 || (!fstat(fd, &sb) && S_ISREG(sb.st_mode)))
        return fd;
    close(fd);
    errno = EINVAL;
    return -1;
}

/* Whether what has the name of a temporary file can be one that a run of this user has
 * left: in a directory of everybody's another one may have put anything there. A second
 * name of another file is left by iris_link_file, and its bytes are not ours to change. */
static int
can_be_left(int fd)
{
    struct stat sb;

    return !fstat(fd, &sb) && S_ISREG(sb.st_mode) && sb.st_nlink == 1 && sb.st_uid == geteuid();
}

/* Take the temporary file of a name, new or left by a run that was killed;
 * *again when it was taken by another one in the meantime. */
static enum iris_status
take_tmp(struct iris_outfile *f, int *again, struct iris_err *err)
{
    int fresh, locked;

    *again = 0;
    f->fd = open(f->tmp, O_RDWR | O_CREAT | O_EXCL | O_CLOEXEC | O_NOFOLLOW, 0666);
    fresh = f->fd >= 0;
    if (!fresh && errno == EEXIST) {
        f->fd = open(f->tmp, O_RDWR | O_CLOEXEC | O_NOFOLLOW | O_NONBLOCK);
        *again = f->fd < 0 && errno == ENOENT;
    }
    if (*again)
        return IRIS_OK;
    if (f->fd < 0)
        return iris_fail(err, IRIS_E_IO, "cannot create '%s':", f->tmp);
    locked = !flock(f->fd, LOCK_EX | LOCK_NB);
    if (!locked && errno == EWOULDBLOCK)
        return iris_fail(err, IRIS_E_RETRY, "another program is writing '%s'", f->tmp);
    *again = locked && !iris_file_has_name(f->fd, AT_FDCWD, f->tmp);
    /* without locks the name is of this process alone */
    if (*again || fresh || can_be_left(f->fd))
        return IRIS_OK;
    *again = 1;
    if (unlink(f->tmp))
        return iris_fail(err, IRIS_E_IO, "cannot remove '%s':", f->tmp);
    return IRIS_OK;
}

/* Some file systems of clusters have no locks. There every writer has a
 * temporary file of its own, so that two cannot write into one. */
static int
has_locks(const char *path)
{
    char *dir = iris_file_parent(path);
    int fd = dir ? open(dir, O_RDONLY | O_DIRECTORY | O_CLOEXEC) : -1;
    int has = 1;

    if (fd >= 0) {
        has = !flock(fd, LOCK_SH | LOCK_NB) || errno == EWOULDBLOCK;
        close(fd);
    }
    free(dir);
    return has;
}

static enum iris_status
open_locked(struct iris_outfile *f, struct iris_err *err)
{
    enum iris_status st;
    char host[65] = "";
    int again;

    if (!has_locks(f->path)) {
        free(f->tmp);
        gethostname(host, sizeof host - 1);
        f->tmp = iris_format("%s" IRIS_TMP_SUFFIX ".%s.%ld", f->path, host, (long)getpid());
        if (!f->tmp)
            return iris_fail_memory(err);
    }
    do {
        st = take_tmp(f, &again, err);
        if ((st || again) && f->fd >= 0) {
            close(f->fd);
            f->fd = -1;
        }
    } while (!st && again);
    return st;
}

static void
release(struct iris_outfile *f)
{
    if (f->fd >= 0)
        close(f->fd);
    free(f->path);
    free(f->tmp);
    *f = (struct iris_outfile)IRIS_OUTFILE_INIT;
}

enum iris_status
iris_outfile_resume(struct iris_outfile *f, const char *path, struct iris_err *err)
{
    enum iris_status st;
    struct stat sb;

    *f = (struct iris_outfile)IRIS_OUTFILE_INIT;
    if (!stat(path, &sb) && S_ISDIR(sb.st_mode))
        return iris_fail(err, IRIS_E_IO, "cannot write '%s': it is a directory", path);
    if (!stat(path, &sb) && !S_ISREG(sb.st_mode)) /* rename would put a file in its place */
        return iris_fail(err, IRIS_E_IO, "cannot write '%s': it is not a regular file", path);
    f->path = strdup(path);
    f->tmp = iris_format("%s" IRIS_TMP_SUFFIX, path);
    if (!f->path || !f->tmp) {
        release(f);
        return iris_fail_memory(err);
    }
    st = open_locked(f, err);
    if (st)
        release(f);
    return st;
}

enum iris_status
iris_outfile_open(struct iris_outfile *f, const char *path, struct iris_err *err)
{
    enum iris_status st = iris_outfile_resume(f, path, err);

    if (!st && ftruncate(f->fd, 0)) {
        st = iris_fail(err, IRIS_E_IO, "cannot empty '%s':", f->tmp);
        iris_outfile_abort(f);
    }
    return st;
}

void
iris_outfile_leave(struct iris_outfile *f)
{
    release(f);
}

enum iris_status
iris_outfile_reserve(struct iris_outfile *f, uint64_t size, struct iris_err *err)
{
    int e = posix_fallocate(f->fd, 0, (off_t)size);

    if (e == ENOSPC || e == EFBIG || e == EDQUOT) {
        errno = e;
        return iris_fail(err, IRIS_E_IO,
                         "no room for the %llu bytes of '%s':", (unsigned long long)size, f->path);
    }
    return IRIS_OK;
}

enum iris_status
iris_outfile_write(struct iris_outfile *f, const void *data, size_t len, struct iris_err *err)
{
    const char *p = data;

    while (len) {
        ssize_t n = write(f->fd, p, len);

        if (n < 0 && errno == EINTR)
            continue;
        if (n < 0)
            return iris_fail(err, IRIS_E_IO, "cannot write '%s':", f->tmp);
        p += n;
        len -= (size_t)n;
    }
    return IRIS_OK;
}

enum iris_status
iris_outfile_pwrite(struct iris_outfile *f, const void *data, size_t len, uint64_t offset,
                    struct iris_err *err)
{
    const char *p = data;

    while (len) {
        ssize_t n = pwrite(f->fd, p, len, (off_t)offset);

        if (n < 0 && errno == EINTR)
            continue;
        if (n < 0)
            return iris_fail(err, IRIS_E_IO, "cannot write '%s':", f->tmp);
        p += n;
        offset += (uint64_t)n;
        len -= (size_t)n;
    }
    return IRIS_OK;
}

static enum iris_status
sync_parent(const char *path, struct iris_err *err)
{
    char *dir = iris_file_parent(path);
    enum iris_status st;

    if (!dir)
        return iris_fail_memory(err);
    st = iris_sync_dir(dir, err);
    free(dir);
    return st;
}

enum iris_status
iris_outfile_sync(struct iris_outfile *f, struct iris_err *err)
{
    if (fsync(f->fd))
        return iris_fail(err, IRIS_E_IO, "cannot write '%s' to disk:", f->tmp);
    return IRIS_OK;
}

enum iris_status
iris_outfile_commit(struct iris_outfile *f, struct iris_err *err)
{
    enum iris_status st;

    st = iris_outfile_sync(f, err);
    if (!st && !iris_file_has_name(f->fd, AT_FDCWD, f->tmp))
        st = iris_fail(err, IRIS_E_RETRY, "'%s' was taken away while it was written", f->tmp);
    if (!st && rename(f->tmp, f->path))
        st = iris_fail(err, IRIS_E_IO, "cannot rename '%s' to '%s':", f->tmp, f->path);
    if (st) {
        iris_outfile_abort(f);
        return st;
    }
    st = sync_parent(f->path, err);
    release(f);
    return st;
}

void
iris_outfile_abort(struct iris_outfile *f)
{
    if (f->fd >= 0 && f->tmp)
        unlink(f->tmp);
    release(f);
}

enum iris_status
iris_write_file(const char *path, const void *data, size_t len, struct iris_err *err)
{
    struct iris_outfile f = IRIS_OUTFILE_INIT;
    enum iris_status st;

    st = iris_outfile_open(&f, path, err);
    if (st)
        return st;
    st = iris_outfile_write(&f, data, len, err);
    if (st) {
        iris_outfile_abort(&f);
        return st;
    }
    return iris_outfile_commit(&f, err);
}

enum iris_status
iris_write_file_if_changed(const char *path, const void *data, size_t len, struct iris_err *err)
{
    struct iris_buf old = {0};
    int same;

    same = !iris_read_file(path, len, &old, NULL) && old.len == len &&
           (!len || !memcmp(old.data, data, len));
    iris_buf_release(&old);
    if (same)
        return IRIS_OK;
    return iris_write_file(path, data, len, err);
}

enum iris_status
iris_read_file(const char *path, size_t max, struct iris_buf *b, struct iris_err *err)
{
    enum iris_status st = IRIS_OK;
    int is_stdin = !strcmp(path, "-");
    char chunk[16384];
    size_t total = 0;
    ssize_t n = 0;
    int fd;

    fd = is_stdin ? STDIN_FILENO : open(path, O_RDONLY | O_CLOEXEC);
    if (fd < 0)
        return iris_fail(err, IRIS_E_IO, "cannot open '%s':", path);
    while (!st) {
        n = read(fd, chunk, sizeof chunk);
        if (n < 0 && errno == EINTR)
            continue;
        if (n <= 0)
            break;
        total += (size_t)n;
        if (total > max)
            st = iris_fail(err, IRIS_E_DATA, "'%s' is larger than %zu bytes", path, max);
        else
            iris_buf_append(b, chunk, (size_t)n);
    }
    if (n < 0)
        st = iris_fail(err, IRIS_E_IO, "cannot read '%s':", path);
    if (!is_stdin)
        close(fd);
    if (!st)
        st = iris_buf_check(b, err);
    return st;
}

enum iris_status
iris_mkdirs(const char *path, struct iris_err *err)
{
    enum iris_status st = IRIS_OK;
    char *p, *copy;
    struct stat sb;

    if (!stat(path, &sb) && S_ISDIR(sb.st_mode))
        return IRIS_OK;
    copy = strdup(path);
    if (!copy)
        return iris_fail_memory(err);
    for (p = copy + (copy[0] == '/'); !st; p++) {
        char c = *p;

        if (c != '/' && c != '\0')
            continue;
        *p = '\0';
        if (!mkdir(copy, 0777))
            st = sync_parent(copy, err);
        else if (errno != EEXIST)
            st = iris_fail(err, IRIS_E_IO, "cannot create directory '%s':", copy);
        *p = c;
        if (!c)
            break;
    }
    if (!st && (stat(path, &sb) || !S_ISDIR(sb.st_mode)))
        st = iris_fail(err, IRIS_E_IO, "cannot create directory '%s': a file is in the way", path);
    free(copy);
    return st;
}

static enum iris_status
copy_file(const char *from, const char *to, struct iris_err *err)
{
    struct iris_outfile f = IRIS_OUTFILE_INIT;
    enum iris_status st;
    char chunk[65536];
    ssize_t n = 0;
    int fd;

    fd = open(from, O_RDONLY | O_CLOEXEC);
    if (fd < 0)
        return iris_fail(err, IRIS_E_IO, "cannot open '%s':", from);
    st = iris_outfile_open(&f, to, err);
    while (!st && (n = read(fd, chunk, sizeof chunk)) > 0)
        st = iris_outfile_write(&f, chunk, (size_t)n, err);
    if (!st && n < 0)
        st = iris_fail(err, IRIS_E_IO, "cannot read '%s':", from);
    close(fd);
    if (st) {
        iris_outfile_abort(&f);
        return st;
    }
    return iris_outfile_commit(&f, err);
}

enum iris_status
iris_link_file(const char *from, const char *to, struct iris_err *err)
{
    enum iris_status st = IRIS_OK;
    char *tmp;

    tmp = iris_format("%s" IRIS_TMP_SUFFIX, to);
    if (!tmp)
        return iris_fail_memory(err);
    unlink(tmp);
    if (link(from, tmp)) {
        if (errno == EPERM || errno == EXDEV || errno == EMLINK || errno == EOPNOTSUPP)
            st = copy_file(from, to, err);
        else
            st = iris_fail(err, IRIS_E_IO, "cannot link '%s' to '%s':", from, tmp);
    } else if (rename(tmp, to)) {
        st = iris_fail(err, IRIS_E_IO, "cannot rename '%s' to '%s':", tmp, to);
        unlink(tmp);
    } else {
        /* rename does nothing when both names are one file already */
        unlink(tmp);
        st = sync_parent(to, err);
    }
    free(tmp);
    return st;
}

enum iris_status
iris_remove_file(const char *path, struct iris_err *err)
{
    if (unlink(path) && errno != ENOENT)
        return iris_fail(err, IRIS_E_IO, "cannot remove '%s':", path);
    return IRIS_OK;
}

enum iris_status
iris_sync_dir(const char *path, struct iris_err *err)
{
    enum iris_status st = IRIS_OK;
    int fd;

    fd = open(path, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    if (fd < 0)
        return iris_fail(err, IRIS_E_IO, "cannot open directory '%s':", path);
    /* Some file systems cannot sync a directory and say EINVAL. */
    if (fsync(fd) && errno != EINVAL && errno != EROFS)
        st = iris_fail(err, IRIS_E_IO, "cannot write directory '%s' to disk:", path);
    close(fd);
    return st;
}
