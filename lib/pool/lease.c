#include "lease.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

#include "clock.h"
#include "file.h"

#define PLACE "/dev/shm"

/* Between two looks, nanoseconds: at first, and at last. */
enum { NAP_FIRST = 50 * 1000, NAP_LAST = 4 * 1000 * 1000 };

static void
let_go(struct iris_lease *l)
{
    if (l->fd >= 0)
        close(l->fd);
    l->fd = -1;
}

/* A file of this user that nobody else may open, and that has no other name. */
static int
is_own(const struct stat *sb)
{
    return S_ISREG(sb->st_mode) && sb->st_uid == geteuid() && !(sb->st_mode & 077) &&
           sb->st_nlink <= 1;
}

/* With fd -1 and IRIS_OK somebody else has it, or had it a moment ago. */
static enum iris_status
try_slot(struct iris_lease *l, const char *name, size_t slot, struct iris_err *err)
{
    struct stat sb;
    int len = snprintf(l->path, sizeof l->path, PLACE "/iris-%llu-gpu-%s-%zu",
                       (unsigned long long)geteuid(), name, slot);

    if (len >= (int)sizeof l->path || strchr(name, '/'))
        return iris_fail(err, IRIS_E_BUG, "bad name '%s' of a lease", name);
    l->fd = open(l->path, O_RDWR | O_CREAT | O_NOFOLLOW | O_NONBLOCK | O_CLOEXEC, 0600);
    if (l->fd < 0)
        return iris_fail(err, IRIS_E_IO, "cannot open '%s', which leases a GPU:", l->path);
    if (fstat(l->fd, &sb) || !is_own(&sb)) {
        let_go(l);
        return iris_fail(err, IRIS_E_IO,
                         "'%s' leases a GPU, but is no file of this user alone; remove it",
                         l->path);
    }
    if (flock(l->fd, LOCK_EX | LOCK_NB)) {
        int busy = errno == EWOULDBLOCK || errno == EINTR;

        if (!busy)
            iris_fail(err, IRIS_E_IO, "cannot lock '%s':", l->path);
        let_go(l);
        return busy ? IRIS_OK : IRIS_E_IO;
    }
    if (!iris_file_has_name(l->fd, AT_FDCWD, l->path))
        let_go(l);
    return IRIS_OK;
}

static enum iris_status
try_thing(struct iris_lease *l, const struct iris_lease_law *law, size_t what, struct iris_err *err)
{
    enum iris_status st = IRIS_OK;
    size_t slot;

    l->what = what;
    for (slot = 0; slot < law->slots && l->fd < 0 && !st; slot++)
        st = try_slot(l, law->name[what], slot, err);
    return st;
}

enum iris_status
iris_lease_take(struct iris_lease *l, const struct iris_lease_law *law, int (*pause)(void *),
                void *self, struct iris_err *err)
{
    struct timespec nap = {0, NAP_FIRST};
    double start = iris_seconds();
    enum iris_status st = IRIS_OK;
    size_t i;

    *l = (struct iris_lease)IRIS_LEASE_INIT;
    for (;;) {
        size_t n = law->n && iris_seconds() - start < law->patience ? 1 : law->n;

        for (i = 0; i < n && l->fd < 0 && !st; i++)
            st = try_thing(l, law, (law->first + i) % law->n, err);
        if (st || l->fd >= 0)
            return st;
        if (pause(self))
            return iris_fail(err, IRIS_E_RETRY, "stopped");
        nanosleep(&nap, NULL);
        nap.tv_nsec = nap.tv_nsec < NAP_LAST ? 2 * nap.tv_nsec : nap.tv_nsec;
    }
}

void
iris_lease_end(struct iris_lease *l)
{
    if (l->fd >= 0 && iris_file_has_name(l->fd, AT_FDCWD, l->path))
        unlink(l->path);
    let_go(l);
}
