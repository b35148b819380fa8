#include "cache.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

#include "digest.h"
#include "file.h"

static const char marker[] = ".iris-cache";
enum { CHUNK = 1 << 20 };

/* Nothing is there but the marker, whole or begun; below 0 where that is not known. */
static int
is_empty(const char *path)
{
    struct dirent *e;
    DIR *dir = opendir(path);
    int n = 0, failed;

    if (!dir)
        return -1;
    while (errno = 0, (e = readdir(dir)))
        n += strcmp(e->d_name, ".") && strcmp(e->d_name, "..") &&
             strncmp(e->d_name, marker, sizeof marker - 1);
    failed = errno;
    closedir(dir);
    errno = failed;
    return failed ? -1 : n == 0;
}

/*   return  1, 0, or below 0 when out of memory */
static int
is_ours(const char *cache)
{
    char *path = iris_format("%s/%s", cache, marker);
    int ours = path ? !access(path, F_OK) : -1;

    free(path);
    return ours;
}

/* In a directory where everybody may make names, one that is expected to be ours
 * may have been made by another. */
static int
is_another_users(const struct stat *own, const struct stat *up)
{
    return up->st_mode & S_ISVTX && up->st_mode & (S_IWGRP | S_IWOTH) && own->st_uid != geteuid() &&
           own->st_uid != up->st_uid;
}

/* That holds for the name, which may be that of a link, and for where it leads;
 * below 0 when out of memory. */
static int
is_planted(const char *cache)
{
    char *name = strdup(cache), *parent, *above;
    size_t n = strlen(cache);
    struct stat own, up;
    int planted = -1;

    while (name && n > 1 && name[n - 1] == '/')
        name[--n] = '\0';
    parent = name ? iris_file_parent(name) : NULL;
    above = iris_format("%s/..", cache);
    if (parent && above)
        planted = (!lstat(name, &own) && !stat(parent, &up) && is_another_users(&own, &up)) ||
                  (!stat(cache, &own) && !stat(above, &up) && is_another_users(&own, &up));
    free(above);
    free(parent);
    free(name);
    return planted;
}

/* Write the marker, unless another one has: it must never be replaced, for the
 * locks of those who use the cache are on it. Writers wait for each other. */
static enum iris_status
mark(const char *path, struct iris_err *err)
{
    static const char text[] = "This directory belongs to iris-fetch.\n";
    struct iris_outfile f = IRIS_OUTFILE_INIT;
    enum iris_status st = iris_outfile_open(&f, path, err);

    if (st)
        return st;
    if (!access(path, F_OK)) {
        iris_outfile_abort(&f);
        return IRIS_OK;
    }
    st = iris_outfile_write(&f, text, sizeof text - 1, err);
    if (!st)
        return iris_outfile_commit(&f, err);
    iris_outfile_abort(&f);
    return st;
}

enum iris_status
iris_cache_open(const char *cache, struct iris_err *err)
{
    static const struct timespec moment = {0, 10000000};
    enum iris_status st;
    int planted, empty, ours, tries;
    char *path;

    st = iris_mkdirs(cache, err);
    if (st)
        return st;
    planted = is_planted(cache);
    if (planted < 0)
        return iris_fail_memory(err);
    if (planted)
        return iris_fail(err, IRIS_E_DATA,
                         "'%s' belongs to another user, in a directory of everybody's", cache);
    /* in this order: who makes it at the same time puts the marker first */
    empty = is_empty(cache);
    if (empty < 0)
        iris_fail(err, IRIS_E_IO, "cannot open directory '%s':", cache);
    ours = is_ours(cache);
    if (ours < 0)
        return iris_fail_memory(err);
    if (ours)
        return IRIS_OK;
    if (empty < 0)
        return IRIS_E_IO;
    if (!empty)
        return iris_fail(err, IRIS_E_DATA,
                         "'%s' is neither empty nor a cache of iris-fetch; name a new directory",
                         cache);
    path = iris_format("%s/%s", cache, marker);
    st = path ? mark(path, err) : iris_fail_memory(err);
    /* another one is writing it: nothing else may be there before it */
    for (tries = 0; st == IRIS_E_RETRY && tries < 500; tries++) {
        nanosleep(&moment, NULL);
        st = mark(path, err);
    }
    free(path);
    return st;
}

void
iris_cache_path(const char *cache, const char *snapshot, const char *source, struct iris_buf *path)
{
    iris_buf_printf(path, "%s/%s/%s", cache, snapshot, iris_file_name(source));
}

int
iris_cache_of(const char *local, const char *snapshot, struct iris_buf *cache)
{
    const char *file = strrchr(local, '/');
    size_t n = strlen(snapshot), end = file ? (size_t)(file - local) : 0;
    char *dir;
    int ours;

    if (!n || end < n || memcmp(local + end - n, snapshot, n) || !file[1] || !strcmp(file, "/.") ||
        !strcmp(file, "/.."))
        return 0;
    end -= n;
    if (end && local[end - 1] != '/')
        return 0;
    dir = end > 1 ? iris_format("%.*s", (int)end - 1, local) : strdup(end ? "/" : ".");
    ours = dir ? is_ours(dir) : -1;
    if (ours > 0)
        iris_buf_puts(cache, dir);
    free(dir);
    return cache->failed ? -1 : ours;
}

/* Read all of fd, write it to out unless that is NULL, and hash it. */
static enum iris_status
pass(int fd, const char *name, struct iris_outfile *out, char hash[IRIS_DIGEST_TEXT],
     uint64_t *bytes, struct iris_err *err)
{
    struct iris_digest *d = iris_digest_new();
    char *chunk = malloc(CHUNK);
    enum iris_status st = d && chunk ? IRIS_OK : iris_fail_memory(err);
    ssize_t n = 0;

    *bytes = 0;
    while (!st && (n = read(fd, chunk, CHUNK)) > 0) {
        iris_digest_add(d, chunk, (size_t)n);
        *bytes += (uint64_t)n;
        if (out)
            st = iris_outfile_write(out, chunk, (size_t)n, err);
    }
    if (!st && n < 0)
        st = iris_fail(err, IRIS_E_IO, "cannot read '%s':", name);
    if (!st)
        iris_digest_text(d, hash);
    iris_digest_free(d);
    free(chunk);
    return st;
}

static int
same_file(const struct stat *a, const struct stat *b)
{
    return a->st_size == b->st_size && a->st_mtim.tv_sec == b->st_mtim.tv_sec &&
           a->st_mtim.tv_nsec == b->st_mtim.tv_nsec;
}

/* Copy, read the copy again, compare; see that the source stood still. */
static enum iris_status
copy(int fd, const char *source, const struct stat *before, const char *target, uint64_t *copied,
     struct iris_err *err)
{
    char read_hash[IRIS_DIGEST_TEXT] = "", copy_hash[IRIS_DIGEST_TEXT] = "";
    struct iris_outfile out = IRIS_OUTFILE_INIT;
    struct timespec times[2] = {before->st_atim, before->st_mtim};
    enum iris_status st;
    uint64_t again = 0;
    struct stat after;

    st = iris_outfile_open(&out, target, err);
    if (!st)
        st = iris_outfile_reserve(&out, (uint64_t)before->st_size, err);
    if (!st)
        st = pass(fd, source, &out, read_hash, copied, err);
    if (!st &&
        (fstat(fd, &after) || !same_file(before, &after) || *copied != (uint64_t)before->st_size))
        st = iris_fail(err, IRIS_E_DATA, "'%s' changed while it was copied", source);
    if (!st && lseek(out.fd, 0, SEEK_SET) < 0)
        st = iris_fail(err, IRIS_E_IO, "cannot read '%s':", out.tmp);
    if (!st)
        st = pass(out.fd, out.tmp, NULL, copy_hash, &again, err);
    if (!st && strcmp(read_hash, copy_hash))
        st = iris_fail(err, IRIS_E_DATA, "the copy of '%s' is not what was read", source);
    if (!st && futimens(out.fd, times))
        st = iris_fail(err, IRIS_E_IO, "cannot set the time of '%s':", out.tmp);
    if (!st)
        return iris_outfile_commit(&out, err);
    iris_outfile_abort(&out);
    return st;
}

enum iris_status
iris_cache_make(const char *cache, const char *snapshot, const char *source, struct iris_buf *path,
                struct iris_err *err)
{
    char *dir = iris_format("%s/%s", cache, snapshot);
    enum iris_status st;
    struct stat sb;

    st = dir ? iris_mkdirs(dir, err) : iris_fail_memory(err);
    if (!st && (lstat(dir, &sb) || !S_ISDIR(sb.st_mode)))
        st = iris_fail(err, IRIS_E_IO, "'%s' is not a directory of the cache", dir);
    free(dir);
    if (st)
        return st;
    iris_cache_path(cache, snapshot, source, path);
    return iris_buf_check(path, err);
}

enum iris_status
iris_cache_copy(const char *cache, const char *snapshot, const char *source, uint64_t *copied,
                struct iris_err *err)
{
    struct iris_buf target = {0};
    enum iris_status st;
    struct stat from, to;
    int fd = -1;

    *copied = 0;
    st = iris_cache_make(cache, snapshot, source, &target, err);
    if (!st) {
        fd = open(source, O_RDONLY | O_CLOEXEC);
        if (fd < 0 || fstat(fd, &from))
            st = iris_fail(err, IRIS_E_IO, "cannot open '%s':", source);
    }
    if (!st && (lstat(target.data, &to) || !S_ISREG(to.st_mode) || !same_file(&from, &to)))
        st = copy(fd, source, &from, target.data, copied, err);
    if (fd >= 0)
        close(fd);
    iris_buf_release(&target);
    return st;
}

enum iris_status
iris_cache_drop(const char *cache, const char *snapshot, struct iris_err *err)
{
    char *path = iris_format("%s/%s", cache, snapshot);
    enum iris_status st = IRIS_OK;
    struct dirent *e;
    struct stat sb;
    DIR *dir = NULL;
    int fd = -1, ours = is_ours(cache);

    if (!path || ours < 0) {
        free(path);
        return iris_fail_memory(err);
    }
    if (access(cache, F_OK)) {
        st = iris_fail(err, IRIS_E_IO, "cannot open cache '%s':", cache);
        goto done;
    }
    if (!ours) {
        st = iris_fail(err, IRIS_E_DATA, "'%s' is not a cache of iris-fetch", cache);
        goto done;
    }
    fd = open(path, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
    if (fd < 0) {
        if (errno != ENOENT)
            st = iris_fail(err, IRIS_E_IO, "cannot open directory '%s':", path);
        goto done;
    }
    dir = fdopendir(fd);
    while (dir && (e = readdir(dir))) {
        if (!fstatat(fd, e->d_name, &sb, AT_SYMLINK_NOFOLLOW) && S_ISREG(sb.st_mode) &&
            unlinkat(fd, e->d_name, 0) && errno != ENOENT)
            st = iris_fail(err, IRIS_E_IO, "cannot remove '%s/%s':", path, e->d_name);
    }
    if (!st && rmdir(path) && errno != ENOENT)
        st = iris_fail(err, IRIS_E_IO, "cannot remove directory '%s':", path);
done:
    if (dir)
        closedir(dir);
    else if (fd >= 0)
        close(fd);
    free(path);
    return st;
}
