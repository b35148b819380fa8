/* The cache of snapshots: copies, their times, and what is never touched. */
#include "check.h"

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include "cache.h"
#include "file.h"

static char scratch[512], cache[600], source[600], target[700];

/* PATH, below the scratch directory */
static const char *
at(const char *path)
{
    static char text[4][1200];
    static int k;

    k = (k + 1) % 4;
    snprintf(text[k], sizeof text[k], "%s/%s", scratch, path);
    return text[k];
}

static void
put(const char *path, const char *text)
{
    if (iris_write_file(path, text, strlen(text), NULL))
        exit(2);
}

static int
holds(const char *path, const char *text)
{
    struct iris_buf b = {0};
    int same = !iris_read_file(path, 1 << 20, &b, NULL) && !strcmp(iris_buf_str(&b), text);

    iris_buf_release(&b);
    return same;
}

static int
there(const char *path)
{
    struct stat sb;

    return !lstat(path, &sb);
}

static void
set_time(const char *path, time_t seconds, long nanoseconds)
{
    struct timespec t[2] = {{seconds, nanoseconds}, {seconds, nanoseconds}};

    if (utimensat(AT_FDCWD, path, t, 0))
        exit(2);
}

static enum iris_status
copy(const char *from, uint64_t *copied)
{
    struct iris_err err = {0};
    enum iris_status st = iris_cache_copy(cache, "snap_1", from, copied, &err);

    if (st != err.status || (st && !err.msg[0]))
        exit(2);
    return st;
}

static void
test_open(void)
{
    struct iris_err err = {0};

    CHECK(iris_cache_open(cache, &err) == IRIS_OK, "a cache and its parents are made");
    CHECK(iris_cache_open(cache, &err) == IRIS_OK, "it is ours then");
    CHECK(!mkdir(at("begun"), 0777), "a directory");
    put(at("begun/.iris-cache.tmp"), "This");
    CHECK(iris_cache_open(at("begun"), &err) == IRIS_OK, "one with half a marker is taken");
    CHECK(there(at("begun/.iris-cache")) && !there(at("begun/.iris-cache.tmp")),
          "and the marker is made whole");
    CHECK(!mkdir(at("foreign"), 0777), "a directory");
    put(at("foreign/file"), "precious");
    CHECK(iris_cache_open(at("foreign"), &err) == IRIS_E_DATA, "one of somebody else's is refused");
    CHECK(!there(at("foreign/.iris-cache")), "and left as it is");
    CHECK(iris_cache_drop(at("foreign"), "file", &err) == IRIS_E_DATA,
          "nothing is dropped from it");
    CHECK(holds(at("foreign/file"), "precious"), "its file stays");
    CHECK(iris_cache_open(at("foreign/file"), &err) == IRIS_E_IO, "a file is no cache");
}

static void
test_path(void)
{
    struct iris_buf b = {0};

    iris_cache_path("C", "s", "/a/b/c.hdf5", &b);
    CHECK(!strcmp(iris_buf_str(&b), "C/s/c.hdf5"), "the last part of a path: %s", iris_buf_str(&b));
    iris_buf_clear(&b);
    iris_cache_path("C", "s", "c.hdf5", &b);
    CHECK(!strcmp(iris_buf_str(&b), "C/s/c.hdf5"), "a path without directory: %s",
          iris_buf_str(&b));
    iris_buf_release(&b);
}

/* The cache of a path with that snapshot; "" when there is none. */
static const char *
cache_of(const char *local, const char *snapshot)
{
    static char text[1200];
    struct iris_buf b = {0};
    int found;

    iris_buf_puts(&b, "=");
    found = iris_cache_of(local, snapshot, &b);
    snprintf(text, sizeof text, "%s", found ? iris_buf_str(&b) + 1 : "");
    if ((strcmp(iris_buf_str(&b), "=") != 0) != found)
        exit(2);
    iris_buf_release(&b);
    return text;
}

static void
test_cache_of(void)
{
    char path[1200], here[1200];

    CHECK(!strcmp(cache_of(target, "snap_1"), cache), "the cache of a copy: %s",
          cache_of(target, "snap_1"));
    snprintf(path, sizeof path, "%s/snap_1/part.0.hdf5", cache);
    CHECK(!strcmp(cache_of(path, "snap_1"), cache), "the copy need not be there");
    CHECK(!*cache_of(target, "snap_2"), "the copy of another snapshot");
    CHECK(!*cache_of(target, "nap_1") && !*cache_of(target, ""), "a part of its id");
    CHECK(!*cache_of(at("foreign/snap_1/snap_1.hdf5"), "snap_1"), "a directory that is none");
    snprintf(path, sizeof path, "%s/snap_1.hdf5", cache);
    CHECK(!*cache_of(path, "snap_1"), "a file of the cache itself");
    snprintf(path, sizeof path, "%s/snap_1/deep/snap_1.hdf5", cache);
    CHECK(!*cache_of(path, "snap_1"), "one that is deeper");
    snprintf(path, sizeof path, "%s/snap_1/", cache);
    CHECK(!*cache_of(path, "snap_1"), "no file");
    snprintf(path, sizeof path, "%s/snap_1/..", cache);
    CHECK(!*cache_of(path, "snap_1"), "a way out");
    CHECK(!*cache_of("snap_1", "snap_1") && !*cache_of("", "snap_1") &&
              !*cache_of("/snap_1/x", "snap_1"),
          "short paths");
    if (!getcwd(here, sizeof here) || chdir(cache))
        exit(2);
    CHECK(!strcmp(cache_of("snap_1/snap_1.hdf5", "snap_1"), "."), "the current directory");
    CHECK(!strcmp(cache_of("./snap_1/snap_1.hdf5", "snap_1"), "."), "also by its name");
    if (chdir(here))
        exit(2);
}

static void
test_copy(void)
{
    struct stat a, b;
    uint64_t n = 9;

    put(source, "twelve bytes");
    set_time(source, 981173106, 789012345);
    CHECK(copy(source, &n) == IRIS_OK && n == 12, "12 bytes are copied: %d", (int)n);
    CHECK(holds(target, "twelve bytes"), "they are those of the source");
    CHECK(!stat(source, &a) && !stat(target, &b) && a.st_mtim.tv_sec == b.st_mtim.tv_sec &&
              a.st_mtim.tv_nsec == b.st_mtim.tv_nsec,
          "the copy has the time of its source");
    CHECK(a.st_ino != b.st_ino, "it is a file of its own");
    CHECK(copy(source, &n) == IRIS_OK && n == 0, "a second time nothing is copied: %d", (int)n);
    CHECK(!stat(target, &a) && a.st_ino == b.st_ino, "the copy is the same file");

    set_time(source, 981173106, 789012346);
    CHECK(copy(source, &n) == IRIS_OK && n == 12, "a source later by 1 ns is copied again");
    set_time(source, 281173106, 0);
    CHECK(copy(source, &n) == IRIS_OK && n == 12, "so is an older one");
    put(source, "thirteen byte");
    set_time(source, 281173106, 0);
    CHECK(copy(source, &n) == IRIS_OK && n == 13, "so is a longer one of the same time");
    CHECK(holds(target, "thirteen byte"), "it has the new bytes");
    put(source, "");
    CHECK(copy(source, &n) == IRIS_OK && n == 0 && holds(target, ""), "so is an empty one");
}

static void
test_failures(void)
{
    uint64_t n = 9;

    put(source, "good");
    CHECK(copy(source, &n) == IRIS_OK, "a copy");
    CHECK(copy(at("missing"), &n) == IRIS_E_IO && n == 0, "a source that is missing");
    CHECK(copy(scratch, &n) == IRIS_E_IO, "a source that is a directory");
    /* such a file says that it has no bytes, and then has some */
    if (!access("/proc/self/status", R_OK)) {
        char path[700];

        CHECK(copy("/proc/self/status", &n) == IRIS_E_DATA, "a source that grows while it is read");
        snprintf(path, sizeof path, "%s/snap_1/status", cache);
        CHECK(!there(path), "is not there");
        snprintf(path, sizeof path, "%s/snap_1/status.tmp", cache);
        CHECK(!there(path), "nor half of it");
    } else {
        check_skip("a source that grows while it is read", "no /proc");
    }
    CHECK(holds(target, "good"), "the good copy stays");
}

static void
test_drop(void)
{
    struct iris_err err = {0};
    char path[700];

    CHECK(iris_cache_drop(cache, "snap_2", &err) == IRIS_OK, "one that is not there");
    CHECK(there(target), "another one stays");
    CHECK(iris_cache_drop(cache, "snap_1", &err) == IRIS_OK, "one that is there");
    snprintf(path, sizeof path, "%s/snap_1", cache);
    CHECK(!there(path), "it goes, with its directory");
    CHECK(holds(source, "good"), "its source stays");
    CHECK(!symlink(at("foreign"), path), "a link in its place");
    CHECK(iris_cache_drop(cache, "snap_1", &err) == IRIS_E_IO, "is not followed");
    CHECK(there(path) && holds(at("foreign/file"), "precious"), "what it names stays");
    unlink(path);
    CHECK(iris_cache_drop(cache, "snap_1", &err) == IRIS_OK, "nothing is left in its place");
}

int
main(void)
{
    const char *tmp = getenv("TMPDIR");
    char command[600];

    snprintf(scratch, sizeof scratch, "%s/iris_cache_XXXXXX", tmp ? tmp : "/tmp");
    if (!mkdtemp(scratch))
        return 2;
    snprintf(cache, sizeof cache, "%s/deep/cache", scratch);
    snprintf(source, sizeof source, "%s/snap_1.hdf5", scratch);
    snprintf(target, sizeof target, "%s/snap_1/snap_1.hdf5", cache);
    test_open();
    test_path();
    test_cache_of();
    test_copy();
    test_failures();
    test_drop();
    snprintf(command, sizeof command, "rm -rf '%s'", scratch);
    if (system(command))
        return 2;
    return check_done();
}
