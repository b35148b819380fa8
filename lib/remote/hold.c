#include "hold.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

#include "cache.h"
#include "file.h"
#include "snapname.h"

#define WRITERS ".iris-cache"
#define READERS ".iris-readers"
#define PRIVATE ".iris-private"
#define SOCKETS ".iris-ssh"
#define RANDOM  "XXXXXX" /* of mkdtemp(3) */

enum { NAP_MS = 10, LEAVE_MS = 1000 };
enum lock { TAKEN, BUSY, NO_LOCKS };

static void
nap(void)
{
    static const struct timespec moment = {0, NAP_MS * 1000000L};

    nanosleep(&moment, NULL);
}

static enum lock
try_lock(int fd, int how)
{
    int e;

    do
        e = flock(fd, how | LOCK_NB) ? errno : 0;
    while (e == EINTR);
    return !e ? TAKEN : e == EWOULDBLOCK ? BUSY : NO_LOCKS;
}

static void
shut(int fd)
{
    if (fd >= 0)
        close(fd);
}

static int
has(int dir, const char *name)
{
    return !faccessat(dir, name, F_OK, 0);
}

/* A file to lock; for reading where it may not be written, which is enough but
 * for some file systems of a network. */
static int
open_lock(int dir, const char *name, int create)
{
    int fd = openat(dir, name, O_RDWR | O_NOFOLLOW | O_CLOEXEC | create, 0666), saved = errno;

    if (fd < 0 && (errno == EACCES || errno == EROFS))
        fd = openat(dir, name, O_RDONLY | O_NOFOLLOW | O_CLOEXEC);
    if (fd < 0)
        errno = saved;
    return fd;
}

static int
is_read(int dir)
{
    int fd = open_lock(dir, READERS, 0);
    int busy = fd >= 0 && try_lock(fd, LOCK_EX) == BUSY;

    shut(fd);
    return busy;
}

int
iris_hold_is_read(const char *cache)
{
    int dir = open(cache, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    int busy = dir >= 0 && is_read(dir);

    shut(dir);
    return busy;
}

/* ---- to take one ---- */

static enum iris_status
take_in(int dir, const char *cache, enum iris_hold_role role, int *fd, struct iris_err *err)
{
    const char *name = role == IRIS_HOLD_READ ? READERS : WRITERS;
    /* a private cache that lacks it is on its way out */
    int create = role == IRIS_HOLD_READ && !has(dir, PRIVATE) ? O_CREAT : 0;

    if (!has(dir, WRITERS))
        return iris_fail(err, IRIS_E_IO, "'%s' is not a cache of iris-fetch", cache);
    *fd = open_lock(dir, name, create);
    if (*fd < 0)
        return iris_fail(err, IRIS_E_IO, "cannot open '%s/%s':", cache, name);
    if (try_lock(*fd, role == IRIS_HOLD_ALONE ? LOCK_EX : LOCK_SH) == BUSY ||
        !iris_file_has_name(*fd, dir, name))
        return iris_fail(err, IRIS_E_RETRY, "cache '%s' is in use by another run", cache);
    if (role == IRIS_HOLD_ALONE && is_read(dir))
        return iris_fail(err, IRIS_E_RETRY, "cache '%s' is read by another run", cache);
    return IRIS_OK;
}

static enum iris_status
take_once(const char *cache, enum iris_hold_role role, int *fd, struct iris_err *err)
{
    int dir = open(cache, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    enum iris_status st;

    *fd = -1;
    if (dir < 0)
        return iris_fail(err, IRIS_E_IO, "cannot open cache '%s':", cache);
    st = take_in(dir, cache, role, fd, err);
    close(dir);
    if (st) {
        shut(*fd);
        *fd = -1;
    }
    return st;
}

enum iris_status
iris_hold_take(struct iris_hold *h, const char *cache, enum iris_hold_role role, int wait_ms,
               struct iris_err *err)
{
    enum iris_status st;
    int waited;

    *h = (struct iris_hold)IRIS_HOLD_INIT;
    st = take_once(cache, role, &h->fd, err);
    for (waited = 0; st == IRIS_E_RETRY && waited < wait_ms; waited += NAP_MS) {
        nap();
        st = take_once(cache, role, &h->fd, err);
    }
    if (!st && !(h->cache = strdup(cache))) {
        iris_hold_end(h);
        st = iris_fail_memory(err);
    }
    return st;
}

/* ---- to remove a private one ---- */

/* The entries of a directory, from the first one on. */
static DIR *
list_of(int dir)
{
    int fd = openat(dir, ".", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    DIR *list = fd < 0 ? NULL : fdopendir(fd);

    if (!list)
        shut(fd);
    return list;
}

static int
is_marker(const char *name)
{
    return !strncmp(name, WRITERS, strlen(WRITERS));
}

static int
is_own(const char *name)
{
    return !strcmp(name, ".") || !strcmp(name, "..") || is_marker(name) || !strcmp(name, READERS) ||
           !strcmp(name, PRIVATE);
}

/* "<id>.tsv" */
static int
is_manifest(const char *name)
{
    static const char suffix[] = ".tsv";
    size_t n = strlen(name), s = sizeof suffix - 1;
    char id[256];

    if (n <= s || n - s >= sizeof id || strcmp(name + n - s, suffix))
        return 0;
    memcpy(id, name, n - s);
    id[n - s] = '\0';
    return iris_snapname_is_id(id);
}

static int
remove_sockets(int dir)
{
    int fd = openat(dir, SOCKETS, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
    DIR *list = fd < 0 ? NULL : fdopendir(fd);
    struct dirent *e;
    struct stat sb;

    while (list && (e = readdir(list))) {
        if (!fstatat(fd, e->d_name, &sb, AT_SYMLINK_NOFOLLOW) && S_ISSOCK(sb.st_mode))
            unlinkat(fd, e->d_name, 0);
    }
    if (list)
        closedir(list);
    else
        shut(fd);
    return !unlinkat(dir, SOCKETS, AT_REMOVEDIR);
}

/*   return  whether it is gone */
static int
remove_entry(int dir, const char *cache, const char *name)
{
    struct stat sb;

    if (fstatat(dir, name, &sb, AT_SYMLINK_NOFOLLOW))
        return errno == ENOENT;
    if (S_ISREG(sb.st_mode))
        return is_manifest(name) && !unlinkat(dir, name, 0);
    if (!S_ISDIR(sb.st_mode))
        return 0;
    if (!strcmp(name, SOCKETS))
        return remove_sockets(dir);
    return iris_snapname_is_id(name) && !iris_cache_drop(cache, name, NULL);
}

/* Its own files go when nothing else is left, so that it is known for what it is
 * until then; the one that says it is private goes last. */
static void
remove_cache(int dir, const char *cache)
{
    DIR *list = list_of(dir);
    struct dirent *e;
    int left = 0;

    if (!list)
        return;
    while ((e = readdir(list)))
        left += !is_own(e->d_name) && !remove_entry(dir, cache, e->d_name);
    rewinddir(list);
    while (!left && (e = readdir(list))) {
        if (is_marker(e->d_name))
            unlinkat(dir, e->d_name, 0);
    }
    closedir(list);
    if (left)
        return;
    unlinkat(dir, READERS, 0);
    unlinkat(dir, PRIVATE, 0);
    rmdir(cache);
}

static int
is_mine(int fd)
{
    struct stat sb;

    return !fstat(fd, &sb) && sb.st_uid == geteuid();
}

/* Lock what nobody may hold; a file that is not there is held by nobody. */
static int
is_free(int dir, const char *name, int *fd)
{
    *fd = openat(dir, name, O_RDWR | O_NOFOLLOW | O_CLOEXEC);
    return *fd < 0 ? errno == ENOENT : try_lock(*fd, LOCK_EX) == TAKEN;
}

/* One looks at a time: of two who leave together the second finds the cache free,
 * and none stays because each has seen the other. */
static int
take_turn(int dir, int gate, int wait_ms)
{
    enum lock lock = try_lock(gate, LOCK_EX);
    int waited;

    for (waited = 0; lock == BUSY && waited < wait_ms; waited += NAP_MS) {
        nap();
        lock = try_lock(gate, LOCK_EX);
    }
    return lock == TAKEN && iris_file_has_name(gate, dir, PRIVATE);
}

/* Remove a private cache of this user that nobody holds. */
static void
remove_if_left(const char *cache, int wait_ms)
{
    int dir = open(cache, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
    int gate = -1, writers = -1, readers = -1;

    if (dir >= 0 && is_mine(dir))
        gate = openat(dir, PRIVATE, O_RDWR | O_NOFOLLOW | O_CLOEXEC);
    if (gate >= 0 && is_mine(gate) && take_turn(dir, gate, wait_ms) &&
        is_free(dir, WRITERS, &writers) && is_free(dir, READERS, &readers))
        remove_cache(dir, cache);
    shut(readers);
    shut(writers);
    shut(gate);
    shut(dir);
}

void
iris_hold_end(struct iris_hold *h)
{
    shut(h->fd);
    if (h->cache)
        remove_if_left(h->cache, LEAVE_MS);
    free(h->cache);
    *h = (struct iris_hold)IRIS_HOLD_INIT;
}

/* ---- to make a private one ---- */

/* The beginning of the names of this user's. */
static char *
prefix_of(void)
{
    return iris_format("iris-%lu-", (unsigned long)geteuid());
}

static void
sweep(const char *parent)
{
    char *prefix = prefix_of(), *cache;
    DIR *list = prefix ? opendir(parent) : NULL;
    struct dirent *e;

    while (list && (e = readdir(list))) {
        if (strncmp(e->d_name, prefix, strlen(prefix)) ||
            strlen(e->d_name) != strlen(prefix) + strlen(RANDOM))
            continue;
        cache = iris_format("%s/%s", parent, e->d_name);
        if (cache)
            remove_if_left(cache, 0);
        free(cache);
    }
    if (list)
        closedir(list);
    free(prefix);
}

static int
create(int dir, const char *name)
{
    return openat(dir, name, O_RDWR | O_CREAT | O_EXCL | O_NOFOLLOW | O_CLOEXEC, 0600);
}

/* Fill a new directory. It is locked before it can be taken for one that was
 * left; IRIS_E_RETRY when somebody was faster. */
static enum iris_status
furnish(int dir, const char *parent, int *writers, struct iris_err *err)
{
    int gate = create(dir, PRIVATE), readers = -1;
    enum lock lock = gate < 0 ? NO_LOCKS : try_lock(gate, LOCK_EX);
    enum iris_status st = IRIS_OK;

    if (gate < 0)
        st = iris_fail(err, IRIS_E_IO, "cannot make a cache in '%s':", parent);
    else if (lock == NO_LOCKS)
        st = iris_fail(err, IRIS_E_IO, "cannot lock a cache in '%s':", parent);
    else if (lock == BUSY || !iris_file_has_name(gate, dir, PRIVATE))
        st = IRIS_E_RETRY;
    if (!st) {
        *writers = create(dir, WRITERS);
        readers = create(dir, READERS);
        if (*writers < 0 || readers < 0 || try_lock(*writers, LOCK_EX) != TAKEN)
            st = iris_fail(err, IRIS_E_IO, "cannot make a cache in '%s':", parent);
    }
    shut(readers);
    shut(gate);
    return st;
}

static enum iris_status
make(struct iris_hold *h, const char *parent, struct iris_err *err)
{
    char *prefix = prefix_of();
    enum iris_status st = IRIS_OK;
    int dir = -1;

    h->cache = prefix ? iris_format("%s/%s" RANDOM, parent, prefix) : NULL;
    free(prefix);
    if (!h->cache)
        return iris_fail_memory(err);
    if (mkdtemp(h->cache))
        dir = open(h->cache, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
    if (dir < 0)
        st = iris_fail(err, IRIS_E_IO, "cannot make a cache in '%s':", parent);
    else
        st = furnish(dir, parent, &h->fd, err);
    if (st && st != IRIS_E_RETRY && dir >= 0)
        remove_cache(dir, h->cache);
    shut(dir);
    if (st) {
        shut(h->fd);
        free(h->cache);
        *h = (struct iris_hold)IRIS_HOLD_INIT;
    }
    return st;
}

enum iris_status
iris_hold_private(struct iris_hold *h, const char *parent, struct iris_err *err)
{
    enum iris_status st;

    *h = (struct iris_hold)IRIS_HOLD_INIT;
    sweep(parent);
    do
        st = make(h, parent, err);
    while (st == IRIS_E_RETRY);
    return st;
}
