#include "file.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <unistd.h>

/* The lock is held on an inode; by the time it is granted the name may belong
 * to another one, because its last holder renamed it away. */
static int
still_named(int fd, const char *path)
{
    struct stat a, b;

    return !fstat(fd, &a) && !stat(path, &b) && a.st_dev == b.st_dev && a.st_ino == b.st_ino;
}

static enum iris_status
open_locked(const char *tmp, int *fd, struct iris_err *err)
{
    for (;;) {
        *fd = open(tmp, O_RDWR | O_CREAT | O_CLOEXEC | O_NOFOLLOW, 0666);
        if (*fd < 0)
            return iris_fail(err, IRIS_E_IO, "cannot create '%s':", tmp);
        if (flock(*fd, LOCK_EX | LOCK_NB) && errno == EWOULDBLOCK) {
            close(*fd);
            *fd = -1;
            return iris_fail(err, IRIS_E_RETRY, "another program is writing '%s'", tmp);
        }
        if (still_named(*fd, tmp))
            return IRIS_OK;
        close(*fd);
        *fd = -1;
    }
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
iris_outfile_open(struct iris_outfile *f, const char *path, struct iris_err *err)
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
    st = open_locked(f->tmp, &f->fd, err);
    if (st) {
        release(f);
        return st;
    }
    if (ftruncate(f->fd, 0)) {
        st = iris_fail(err, IRIS_E_IO, "cannot empty '%s':", f->tmp);
        iris_outfile_abort(f);
    }
    return st;
}

enum iris_status
iris_outfile_reserve(struct iris_outfile *f, uint64_t size, struct iris_err *err)
{
    int e = posix_fallocate(f->fd, 0, (off_t)size);

    if (e == ENOSPC || e == EFBIG || e == EDQUOT) {
        errno = e;
        return iris_fail(err, IRIS_E_IO, "no room for the %llu bytes of '%s':",
                         (unsigned long long)size, f->path);
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
    const char *slash = strrchr(path, '/');
    enum iris_status st;
    char *dir;

    dir = slash == path ? strdup("/") : slash ? strndup(path, (size_t)(slash - path)) : strdup(".");
    if (!dir)
        return iris_fail_memory(err);
    st = iris_sync_dir(dir, err);
    free(dir);
    return st;
}

enum iris_status
iris_outfile_commit(struct iris_outfile *f, struct iris_err *err)
{
    enum iris_status st = IRIS_OK;

    if (fsync(f->fd))
        st = iris_fail(err, IRIS_E_IO, "cannot write '%s' to disk:", f->tmp);
    else if (rename(f->tmp, f->path))
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
