/* Who may use a GPU: one process a slot, and nobody for longer than it lives. */
#include "check.h"

#include <fcntl.h>
#include <signal.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include "lease.h"

static char one[64], two[64];

static int
never(void *self)
{
    (void)self;
    return 0;
}

/* Stops when it has been called so often. */
static int
count_down(void *self)
{
    int *left = self;

    return --*left <= 0;
}

static const char *
path_of(const char *name, int slot)
{
    static char text[4][160];
    static int k;

    k = (k + 1) % 4;
    snprintf(text[k], sizeof text[k], "/dev/shm/iris-%llu-gpu-%s-%d", (unsigned long long)geteuid(),
             name, slot);
    return text[k];
}

static int
is_there(const char *path)
{
    struct stat sb;

    return !lstat(path, &sb);
}

/* Without waiting to speak of. */
static enum iris_status
try_one(struct iris_lease *l, const struct iris_lease_law *law, struct iris_err *err)
{
    int left = 3;

    return iris_lease_take(l, law, count_down, &left, err);
}

static void
test_exclusive(const struct iris_lease_law *law)
{
    struct iris_lease a = IRIS_LEASE_INIT, b = IRIS_LEASE_INIT;
    struct iris_err err = {0};
    struct stat sb;

    CHECK(!try_one(&a, law, &err) && a.fd >= 0, "a lease that nobody has");
    CHECK(!stat(path_of(one, 0), &sb) && (sb.st_mode & 0777) == 0600,
          "its file is its user's alone");
    CHECK(try_one(&b, law, &err) == IRIS_E_RETRY && b.fd < 0, "another one is not given");
    iris_lease_end(&a);
    CHECK(!is_there(path_of(one, 0)), "nothing is left of it");
    CHECK(!try_one(&b, law, &err), "then it is");
    iris_lease_end(&a);
    CHECK(is_there(path_of(one, 0)), "to end one twice does not end another");
    iris_lease_end(&b);
    iris_lease_end(&b);
}

static void
test_slots(struct iris_lease_law law)
{
    struct iris_lease l[3] = {IRIS_LEASE_INIT, IRIS_LEASE_INIT, IRIS_LEASE_INIT};
    struct iris_err err;
    int i;

    law.slots = 2;
    CHECK(!try_one(&l[0], &law, &err) && !try_one(&l[1], &law, &err), "two slots, two leases");
    CHECK(try_one(&l[2], &law, &err) == IRIS_E_RETRY, "and no third");
    iris_lease_end(&l[0]);
    CHECK(!try_one(&l[2], &law, &err), "until one is back");
    for (i = 0; i < 3; i++)
        iris_lease_end(&l[i]);
}

/* The one that is wanted first, others when it has taken too long. */
static void
test_several(struct iris_lease_law law)
{
    struct iris_lease a = IRIS_LEASE_INIT, b = IRIS_LEASE_INIT;
    struct iris_err err;

    law.n = 2;
    law.first = 1;
    CHECK(!try_one(&a, &law, &err) && a.what == 1, "the first of several");
    CHECK(!try_one(&b, &law, &err) && b.what == 0, "another one when that is taken");
    iris_lease_end(&b);
    law.patience = 3600;
    CHECK(try_one(&b, &law, &err) == IRIS_E_RETRY, "but not before patience is over");
    law.patience = 0.05;
    CHECK(!iris_lease_take(&b, &law, never, NULL, &err) && b.what == 0, "which it is in time");
    iris_lease_end(&a);
    iris_lease_end(&b);
}

/* A process that takes it, says so, and holds it. */
static pid_t
hold(const struct iris_lease_law *law, int *ready)
{
    int fd[2];
    pid_t pid;

    if (pipe(fd))
        exit(2);
    fflush(stdout);
    pid = fork();
    if (!pid) {
        struct iris_lease l;

        if (iris_lease_take(&l, law, never, NULL, NULL) || write(fd[1], "x", 1) != 1)
            _exit(2);
        for (;;)
            pause();
    }
    close(fd[1]);
    *ready = fd[0];
    return pid;
}

static void
test_death(const struct iris_lease_law *law)
{
    struct iris_lease l = IRIS_LEASE_INIT;
    struct iris_err err;
    int ready, left = 20;
    char c = 0;
    pid_t pid = hold(law, &ready);

    CHECK(read(ready, &c, 1) == 1, "another process has it");
    CHECK(iris_lease_take(&l, law, count_down, &left, &err) == IRIS_E_RETRY && !left,
          "who waits calls pause until that says stop");
    kill(pid, SIGKILL);
    waitpid(pid, NULL, 0);
    CHECK(is_there(path_of(one, 0)), "a dead holder leaves its file");
    CHECK(!try_one(&l, law, &err), "but not its lease");
    iris_lease_end(&l);
    CHECK(!is_there(path_of(one, 0)), "and the next one removes the file");
    close(ready);
}

/* Many processes, one slot: a counter in shared files tells if two were in at once. */
static void
test_crowd(const struct iris_lease_law *law)
{
    char flag[] = "/tmp/iris-test-lease-XXXXXX";
    int fd = mkstemp(flag), i, k, status, wrong = 0;

    if (fd < 0)
        exit(2);
    fflush(stdout);
    for (i = 0; i < 6; i++) {
        if (fork())
            continue;
        for (k = 0; k < 200; k++) {
            struct iris_lease l;
            char inside = 1, was = 0;

            if (iris_lease_take(&l, law, never, NULL, NULL))
                _exit(2);
            if (pread(fd, &was, 1, 0) == 1 && was)
                _exit(1);
            if (pwrite(fd, &inside, 1, 0) != 1)
                _exit(2);
            inside = 0;
            if (pwrite(fd, &inside, 1, 0) != 1)
                _exit(2);
            iris_lease_end(&l);
        }
        _exit(0);
    }
    for (i = 0; i < 6; i++)
        wrong += wait(&status) < 0 || status;
    CHECK(!wrong, "six processes, 200 leases each: never two at a time");
    CHECK(!is_there(path_of(one, 0)), "and nothing is left");
    close(fd);
    unlink(flag);
}

static void
test_planted(const struct iris_lease_law *law)
{
    char target[] = "/tmp/iris-test-lease-XXXXXX", other[64];
    const char *path = path_of(one, 0);
    int fd = mkstemp(target), same;
    struct iris_lease l = IRIS_LEASE_INIT;
    struct iris_err err = {0};
    struct stat sb;

    if (fd < 0 || symlink(target, path))
        exit(2);
    CHECK(try_one(&l, law, &err) == IRIS_E_IO && strstr(err.msg, path), "a planted link: %s",
          err.msg);
    unlink(path);
    snprintf(other, sizeof other, "/dev/shm/iris-test-lease-%ld", (long)getpid());
    close(fd);
    same = !close(creat(other, 0600)) && !link(other, path);
    CHECK(same && try_one(&l, law, &err) == IRIS_E_IO && strstr(err.msg, path),
          "a second name of another file: %s", err.msg);
    CHECK(!stat(other, &sb), "which is still there");
    unlink(path);
    unlink(other);
    if (close(creat(path, 0600)) || chmod(path, 0666))
        exit(2);
    CHECK(try_one(&l, law, &err) == IRIS_E_IO, "a file that everybody may write: %s", err.msg);
    unlink(path);
    if (mkdir(path, 0700))
        exit(2);
    CHECK(try_one(&l, law, &err) == IRIS_E_IO, "a directory: %s", err.msg);
    rmdir(path);
    unlink(target);
}

static void
test_bad_name(struct iris_lease_law law)
{
    const char *outside = "a/../b";
    struct iris_lease l;
    struct iris_err err;

    law.name = &outside;
    CHECK(try_one(&l, &law, &err) == IRIS_E_BUG && l.fd < 0 && strstr(err.msg, "bad name"),
          "a name is no path: %s", err.msg);
}

int
main(void)
{
    const char *names[2] = {one, two};
    struct iris_lease_law law = {.n = 1, .name = names, .slots = 1};

    snprintf(one, sizeof one, "test:%ld.0", (long)getpid());
    snprintf(two, sizeof two, "test:%ld.1", (long)getpid());
    test_exclusive(&law);
    test_slots(law);
    test_several(law);
    test_death(&law);
    test_crowd(&law);
    test_planted(&law);
    test_bad_name(law);
    return check_done();
}
