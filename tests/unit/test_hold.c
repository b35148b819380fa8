/* Who uses a cache: locks, who removes a private one, and what never goes. */
#include "check.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <sys/file.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/un.h>
#include <sys/wait.h>
#include <unistd.h>

#include "cache.h"
#include "file.h"
#include "hold.h"

enum { LONG = 60000 /* ms; nobody waits so long */ };

static char scratch[512], shared[600], parent[600];

/* The library's calls come here: a file system without locks. */
static int no_locks;

int
flock(int fd, int how)
{
    if (no_locks) {
        errno = ENOLCK;
        return -1;
    }
    return (int)syscall(SYS_flock, fd, how);
}

/* DIRECTORY/NAME */
static const char *
in(const char *directory, const char *name)
{
    static char text[16][1024];
    static int k;

    k = (k + 1) % 16;
    snprintf(text[k], sizeof text[k], "%s/%s", directory, name);
    return text[k];
}

static int
there(const char *path)
{
    struct stat sb;

    return !lstat(path, &sb);
}

static void
put(const char *path)
{
    if (iris_write_file(path, "x", 1, NULL))
        exit(2);
}

static void
folder(const char *path)
{
    if (mkdir(path, 0777))
        exit(2);
}

static void
put_socket(const char *path)
{
    struct sockaddr_un to = {.sun_family = AF_UNIX};
    int fd = socket(AF_UNIX, SOCK_STREAM, 0);

    if (strlen(path) >= sizeof to.sun_path)
        exit(2);
    memcpy(to.sun_path, path, strlen(path) + 1);
    if (fd < 0 || bind(fd, (struct sockaddr *)&to, sizeof to))
        exit(2);
    close(fd);
}

static unsigned
mode_of(const char *path)
{
    struct stat sb;

    return stat(path, &sb) ? 0 : (unsigned)sb.st_mode & 0777;
}

static enum iris_status
take(struct iris_hold *h, const char *cache, enum iris_hold_role role, int wait_ms)
{
    struct iris_err err = {0};
    enum iris_status st = iris_hold_take(h, cache, role, wait_ms, &err);

    if (st != err.status || (st && (!err.msg[0] || h->fd >= 0 || h->cache)))
        exit(2);
    return st;
}

/* Take and leave. */
static enum iris_status
try(const char *cache, enum iris_hold_role role)
{
    struct iris_hold h;
    enum iris_status st = take(&h, cache, role, 0);

    iris_hold_end(&h);
    return st;
}

/* A process that holds a cache until it is told to leave, or killed. */
struct other {
    pid_t pid;
    int tell; /* a byte, or nobody to send one: leave */
    int said; /* its status, when it has the cache or not */
};

static struct other
start(const char *cache, enum iris_hold_role role, int wait_ms)
{
    struct iris_hold h = IRIS_HOLD_INIT;
    int ends[2], said[2];
    struct other o;
    char c = 0;
    int fd;

    if (pipe(ends) || pipe(said))
        exit(2);
    fflush(stdout);
    o = (struct other){fork(), ends[1], said[0]};
    if (!o.pid) {
        /* a lock is had by whoever has inherited it */
        for (fd = 3; fd < 256; fd++) {
            if (fd != ends[0] && fd != said[1])
                close(fd);
        }
        c = (char)iris_hold_take(&h, cache, role, wait_ms, NULL);
        if (write(said[1], &c, 1) != 1)
            _exit(2);
        if (read(ends[0], &c, 1) < 0)
            _exit(2);
        iris_hold_end(&h);
        _exit(0);
    }
    close(ends[0]);
    close(said[1]);
    if (o.pid < 0)
        exit(2);
    return o;
}

static enum iris_status
says(const struct other *o)
{
    char c = 0;

    return read(o->said, &c, 1) == 1 ? (enum iris_status)c : IRIS_E_BUG;
}

static void
tell(const struct other *o)
{
    if (write(o->tell, "", 1) != 1)
        exit(2);
}

static void
finish(struct other *o, int by)
{
    if (by)
        kill(o->pid, by);
    else
        tell(o);
    waitpid(o->pid, NULL, 0);
    close(o->tell);
    close(o->said);
}

/* ---- */

static void
test_roles(void)
{
    enum iris_hold_role role[] = {IRIS_HOLD_READ, IRIS_HOLD_ADD, IRIS_HOLD_ALONE};
    static const char *const name[] = {"a reader", "one who adds", "one alone"};
    /* who is there, who comes */
    static const int fits[3][3] = {{1, 1, 0}, {1, 1, 0}, {1, 0, 0}};
    struct iris_hold h;
    int a, b;

    for (a = 0; a < 3; a++) {
        for (b = 0; b < 3; b++) {
            CHECK(!take(&h, shared, role[a], 0) && !strcmp(h.cache, shared), "%s", name[a]);
            CHECK(try(shared, role[b]) == (fits[a][b] ? IRIS_OK : IRIS_E_RETRY),
                  "beside %s %s is %s", name[a], name[b], fits[a][b] ? "let in" : "kept out");
            iris_hold_end(&h);
            CHECK(!try(shared, role[b]), "when the first has left there is room");
        }
    }
    iris_hold_end(&h);
    CHECK(h.fd < 0 && !h.cache, "one may leave twice");
    CHECK(there(in(shared, "snap_1")) && there(in(shared, ".iris-cache")), "nothing is removed");
}

static void
test_is_read(void)
{
    struct iris_hold h;

    CHECK(!iris_hold_is_read(shared), "nobody reads");
    take(&h, shared, IRIS_HOLD_ADD, 0);
    CHECK(!iris_hold_is_read(shared), "who adds does not");
    iris_hold_end(&h);
    take(&h, shared, IRIS_HOLD_READ, 0);
    CHECK(iris_hold_is_read(shared) && iris_hold_is_read(shared), "a reader is seen");
    CHECK(fcntl(h.fd, F_GETFD) & FD_CLOEXEC, "and no program that it runs inherits the cache");
    iris_hold_end(&h);
    CHECK(!iris_hold_is_read(shared), "and has left");
    CHECK(!iris_hold_is_read(in(scratch, "missing")), "nobody reads what is not there");
}

static void
test_wrong(void)
{
    struct iris_hold h;

    CHECK(take(&h, in(scratch, "missing"), IRIS_HOLD_READ, 0) == IRIS_E_IO, "a missing cache");
    folder(in(scratch, "foreign"));
    CHECK(take(&h, in(scratch, "foreign"), IRIS_HOLD_READ, 0) == IRIS_E_IO, "a foreign directory");
    CHECK(!there(in(scratch, "foreign/.iris-readers")), "gets no file");
    folder(in(scratch, "linked"));
    put(in(scratch, "linked/.iris-cache"));
    put(in(scratch, "precious"));
    if (symlink("../precious", in(scratch, "linked/.iris-readers")))
        exit(2);
    CHECK(take(&h, in(scratch, "linked"), IRIS_HOLD_READ, 0) == IRIS_E_IO, "a link is not locked");
}

static void
test_waiting(void)
{
    struct other a = start(shared, IRIS_HOLD_ALONE, 0), b;

    CHECK(!says(&a), "one is alone");
    b = start(shared, IRIS_HOLD_ALONE, LONG);
    CHECK(try(shared, IRIS_HOLD_ALONE) == IRIS_E_RETRY, "another one is not");
    finish(&a, 0);
    CHECK(!says(&b), "unless it waits");
    a = start(shared, IRIS_HOLD_ADD, LONG);
    finish(&b, SIGKILL);
    CHECK(!says(&a), "also for one that is killed");
    finish(&a, SIGKILL);
    CHECK(!try(shared, IRIS_HOLD_ALONE), "of whom nothing is left");
}

/* ---- private ones ---- */

static void
make(struct iris_hold *h)
{
    struct iris_err err = {0};

    if (iris_hold_private(h, parent, &err)) {
        printf("# %s\n", err.msg);
        exit(2);
    }
}

/* All that runs put into a cache. */
static void
fill(const char *cache)
{
    folder(in(cache, "snap_1"));
    put(in(cache, "snap_1/snap_1.hdf5"));
    put(in(cache, "snap_1/snap_1.hdf5.tmp"));
    folder(in(cache, "x=20y"));
    put(in(cache, "x=20y.tsv"));
    put(in(cache, ".iris-cache.tmp"));
    folder(in(cache, ".iris-ssh"));
    put_socket(in(cache, ".iris-ssh/s"));
}

static void
test_private(void)
{
    struct iris_hold h;
    char cache[700], wanted[700];

    make(&h);
    snprintf(cache, sizeof cache, "%s", h.cache);
    snprintf(wanted, sizeof wanted, "%s/iris-%lu-", parent, (unsigned long)geteuid());
    CHECK(!strncmp(cache, wanted, strlen(wanted)) && strlen(cache) == strlen(wanted) + 6,
          "its name: %s", cache);
    CHECK(mode_of(cache) == 0700, "it is this user's: %o", mode_of(cache));
    CHECK(mode_of(in(cache, ".iris-cache")) == 0600 &&
              mode_of(in(cache, ".iris-readers")) == 0600 &&
              mode_of(in(cache, ".iris-private")) == 0600,
          "so are its files");
    CHECK(fcntl(h.fd, F_GETFD) & FD_CLOEXEC, "no program that it runs inherits it");
    CHECK(!iris_cache_open(cache, NULL), "it is a cache");
    CHECK(try(cache, IRIS_HOLD_ADD) == IRIS_E_RETRY, "it is taken alone");
    CHECK(!iris_hold_is_read(cache), "nobody reads");
    fill(cache);
    iris_hold_end(&h);
    CHECK(!there(cache), "it goes with who made it");
    CHECK(take(&h, cache, IRIS_HOLD_READ, 0) == IRIS_E_IO, "who comes later finds none");
    CHECK(!there(cache), "and makes none");
}

static void
test_last_one(void)
{
    struct iris_hold maker, reader;
    char cache[700];

    make(&maker);
    snprintf(cache, sizeof cache, "%s", maker.cache);
    fill(cache);
    CHECK(!take(&reader, cache, IRIS_HOLD_READ, 0), "a reader comes");
    iris_hold_end(&maker);
    CHECK(there(in(cache, "snap_1/snap_1.hdf5")), "while it reads all stays");
    iris_hold_end(&reader);
    CHECK(!there(cache), "it goes with the reader");

    make(&maker);
    snprintf(cache, sizeof cache, "%s", maker.cache);
    fill(cache);
    take(&reader, cache, IRIS_HOLD_READ, 0);
    iris_hold_end(&reader);
    CHECK(there(in(cache, "snap_1/snap_1.hdf5")), "or stays with who writes");
    CHECK(!take(&reader, cache, IRIS_HOLD_READ, 0), "another reader may come");
    iris_hold_end(&reader);
    iris_hold_end(&maker);
    CHECK(!there(cache), "until that one leaves");
}

/* Two who leave at the same moment do not both take the other for the last. */
static void
test_together(void)
{
    struct other other[2];
    struct iris_hold h;
    char cache[700];
    int i, k, left = 0;

    for (i = 0; i < 200; i++) {
        make(&h);
        snprintf(cache, sizeof cache, "%s", h.cache);
        for (k = 0; k < 2; k++) {
            other[k] = start(cache, IRIS_HOLD_READ, 0);
            if (says(&other[k]))
                exit(2);
        }
        tell(&other[0]);
        tell(&other[1]);
        iris_hold_end(&h);
        for (k = 0; k < 2; k++) {
            waitpid(other[k].pid, NULL, 0);
            close(other[k].tell);
            close(other[k].said);
        }
        left += there(cache);
    }
    CHECK(!left, "of 200 that three leave together %d stay", left);
}

/* A cache whose maker was killed. */
static void
orphan(char cache[700])
{
    struct iris_hold h;
    int ends[2], status;
    ssize_t n;
    pid_t pid;

    if (pipe(ends))
        exit(2);
    fflush(stdout);
    pid = fork();
    if (!pid) {
        make(&h);
        fill(h.cache);
        n = write(ends[1], h.cache, strlen(h.cache));
        raise(SIGKILL);
        _exit(n < 0);
    }
    close(ends[1]);
    n = read(ends[0], cache, 699);
    close(ends[0]);
    if (n <= 0 || waitpid(pid, &status, 0) != pid || !WIFSIGNALED(status))
        exit(2);
    cache[n] = '\0';
}

static void
test_killed(void)
{
    struct iris_hold next, used;
    struct other reader;
    char first[700], second[700];

    orphan(first);
    CHECK(there(in(first, "snap_1/snap_1.hdf5")), "a killed run leaves its cache");
    make(&next);
    CHECK(!there(first), "the next one removes it");
    CHECK(there(next.cache), "and has its own");

    orphan(first);
    reader = start(first, IRIS_HOLD_READ, 0);
    CHECK(!says(&reader), "a reader that has outlived the run");
    make(&used);
    CHECK(there(first) && there(next.cache), "caches in use stay");
    finish(&reader, SIGKILL);
    snprintf(second, sizeof second, "%s", used.cache);
    iris_hold_end(&used);
    CHECK(there(first) && !there(second), "who leaves removes none but its own");
    make(&used);
    CHECK(!there(first), "when the reader has been killed the next one removes it");
    iris_hold_end(&used);
    iris_hold_end(&next);
}

/* What a killed removal, or a killed maker, may leave. */
static void
test_half(void)
{
    struct iris_hold h;
    char cache[700];

    orphan(cache);
    unlink(in(cache, ".iris-readers"));
    make(&h);
    iris_hold_end(&h);
    CHECK(!there(cache), "one without a file for readers goes");
    snprintf(cache, sizeof cache, "%s/iris-%lu-abcdef", parent, (unsigned long)geteuid());
    folder(cache);
    put(in(cache, ".iris-private"));
    make(&h);
    iris_hold_end(&h);
    CHECK(!there(cache), "so does one that has but the word that it is private");
    folder(cache);
    make(&h);
    iris_hold_end(&h);
    CHECK(there(cache), "a directory without that word stays");
    rmdir(cache);
}

static void
test_foreign(void)
{
    static const char *const names[] = {"thesis.tex", "deep.tsv.bak", ".hidden"};
    struct iris_hold h;
    char cache[700];
    size_t i;

    for (i = 0; i < sizeof names / sizeof names[0]; i++) {
        orphan(cache);
        put(in(cache, names[i]));
        make(&h);
        iris_hold_end(&h);
        CHECK(there(in(cache, names[i])) && !there(in(cache, "snap_1")), "'%s' stays", names[i]);
        CHECK(there(in(cache, ".iris-private")), "and the cache is known");
        unlink(in(cache, names[i]));
        make(&h);
        iris_hold_end(&h);
        CHECK(!there(cache), "it goes when that is gone");
    }
    orphan(cache);
    folder(in(cache, "snap_1/deep"));
    put(in(cache, "snap_1/deep/file"));
    put(in(cache, ".iris-ssh/key"));
    make(&h);
    iris_hold_end(&h);
    CHECK(there(in(cache, "snap_1/deep/file")) && there(in(cache, ".iris-ssh/key")),
          "so do a directory in a copy and a file among sockets");
    unlink(in(cache, "snap_1/deep/file"));
    rmdir(in(cache, "snap_1/deep"));
    unlink(in(cache, ".iris-ssh/key"));
    make(&h);
    iris_hold_end(&h);
    CHECK(!there(cache), "until they are gone");
}

static void
test_links(void)
{
    struct iris_hold h;
    char cache[700], link[700];

    /* in it */
    folder(in(scratch, "outside"));
    put(in(scratch, "outside/precious.hdf5"));
    put_socket(in(scratch, "outside/s"));
    orphan(cache);
    unlink(in(cache, ".iris-ssh/s"));
    rmdir(in(cache, ".iris-ssh"));
    if (symlink("../../outside", in(cache, ".iris-ssh")) ||
        symlink("../../outside", in(cache, "snap_2")) ||
        symlink("../../outside/precious.hdf5", in(cache, "x.tsv")))
        exit(2);
    make(&h);
    iris_hold_end(&h);
    CHECK(there(in(scratch, "outside/precious.hdf5")) && there(in(scratch, "outside/s")),
          "what links lead to stays");
    CHECK(there(in(cache, "snap_2")), "so do the links, and the cache");
    unlink(in(cache, ".iris-ssh"));
    unlink(in(cache, "snap_2"));
    unlink(in(cache, "x.tsv"));

    /* as it */
    snprintf(link, sizeof link, "%s/iris-%lu-ABCDEF", parent, (unsigned long)geteuid());
    if (rename(cache, in(scratch, "moved")) || symlink("../moved", link))
        exit(2);
    fill(in(scratch, "moved"));
    make(&h);
    iris_hold_end(&h);
    CHECK(there(in(scratch, "moved/snap_1/snap_1.hdf5")) && there(link),
          "a link to a cache is not followed");
    unlink(link);
    if (rename(in(scratch, "moved"), cache) || unlink(in(cache, ".iris-private")) ||
        symlink("../../precious", in(cache, ".iris-private")))
        exit(2);
    make(&h);
    iris_hold_end(&h);
    CHECK(there(in(cache, "snap_1/snap_1.hdf5")), "nor the word that it is private");
    unlink(in(cache, ".iris-private"));
    put(in(cache, ".iris-private"));
    make(&h);
    iris_hold_end(&h);
    CHECK(!there(cache), "which counts when it is a file");
}

static void
test_others(void)
{
    struct iris_hold h;
    char cache[700];

    if (geteuid()) {
        check_skip("a cache of another user", "only root makes one");
        return;
    }
    orphan(cache);
    if (chown(cache, 1, 1))
        exit(2);
    make(&h);
    iris_hold_end(&h);
    CHECK(there(in(cache, "snap_1/snap_1.hdf5")), "another user's cache stays");
    if (chown(cache, 0, 0) || chown(in(cache, ".iris-private"), 1, 1))
        exit(2);
    make(&h);
    iris_hold_end(&h);
    CHECK(there(in(cache, "snap_1/snap_1.hdf5")), "also one that another user calls private");
    if (chown(in(cache, ".iris-private"), 0, 0))
        exit(2);
    make(&h);
    iris_hold_end(&h);
    CHECK(!there(cache), "one's own goes");
}

/* A reader that comes while a cache is removed. */
static void
test_too_late(void)
{
    struct iris_hold h;
    struct other reader;
    char cache[700];
    int fd;

    make(&h);
    snprintf(cache, sizeof cache, "%s", h.cache);
    fd = open(in(cache, ".iris-readers"), O_RDWR | O_CLOEXEC);
    if (fd < 0 || flock(fd, LOCK_EX))
        exit(2);
    CHECK(try(cache, IRIS_HOLD_READ) == IRIS_E_RETRY, "a reader who may not wait");
    reader = start(cache, IRIS_HOLD_READ, LONG);
    unlink(in(cache, ".iris-readers"));
    close(fd);
    CHECK(says(&reader) == IRIS_E_IO, "one who waits finds it gone");
    finish(&reader, 0);
    iris_hold_end(&h);
    CHECK(!there(cache), "and leaves nothing");
}

static int
entries(const char *path)
{
    DIR *dir = opendir(path);
    struct dirent *e;
    int n = 0;

    while (dir && (e = readdir(dir)))
        n += e->d_name[0] != '.';
    if (dir)
        closedir(dir);
    return n;
}

static void
test_without_locks(void)
{
    struct iris_hold a, b, c, h;
    struct iris_err err = {0};
    char cache[700];

    orphan(cache);
    no_locks = 1;
    CHECK(!take(&a, shared, IRIS_HOLD_ALONE, 0) && !take(&b, shared, IRIS_HOLD_READ, 0) &&
              !take(&c, shared, IRIS_HOLD_ALONE, 0),
          "without locks everybody gets in");
    CHECK(!iris_hold_is_read(shared), "and nobody is seen");
    iris_hold_end(&a);
    iris_hold_end(&b);
    iris_hold_end(&c);
    CHECK(iris_hold_private(&h, parent, &err) == IRIS_E_IO && strstr(err.msg, "cannot lock"),
          "a private cache is refused");
    CHECK(entries(parent) == 1 && there(in(cache, "snap_1/snap_1.hdf5")),
          "nothing is left of it, and nobody's is removed");
    CHECK(!take(&a, cache, IRIS_HOLD_READ, 0), "a private one");
    iris_hold_end(&a);
    CHECK(there(in(cache, "snap_1/snap_1.hdf5")), "of which nobody knows who uses it stays");
    no_locks = 0;
    make(&h);
    iris_hold_end(&h);
    CHECK(!entries(parent), "with locks it goes");
    CHECK(iris_hold_private(&h, in(scratch, "missing"), &err) == IRIS_E_IO && !h.cache,
          "no directory to make one in");
}

int
main(void)
{
    char command[600];

    /* names of sockets are short */
    snprintf(scratch, sizeof scratch, "/tmp/iris_hold_XXXXXX");
    if (!mkdtemp(scratch))
        return 2;
    snprintf(shared, sizeof shared, "%s/cache", scratch);
    snprintf(parent, sizeof parent, "%s/shm", scratch);
    folder(parent);
    if (iris_cache_open(shared, NULL))
        return 2;
    folder(in(shared, "snap_1"));
    test_roles();
    test_is_read();
    test_wrong();
    test_waiting();
    test_private();
    test_last_one();
    test_together();
    test_killed();
    test_half();
    test_foreign();
    test_links();
    test_others();
    test_too_late();
    test_without_locks();
    snprintf(command, sizeof command, "rm -rf '%s'", scratch);
    if (system(command))
        return 2;
    return check_done();
}
