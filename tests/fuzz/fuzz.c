#define _GNU_SOURCE /* nftw */
#include "fuzz.h"

#include <fcntl.h>
#include <ftw.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

static char directory[192];

__attribute__((weak)) int
fuzz_seed(size_t i, struct iris_buf *out)
{
    (void)i;
    (void)out;
    return 0;
}

void
fuzz_need(int ok, const char *what)
{
    if (ok)
        return;
    fprintf(stderr, "not so: %s\n", what);
    abort();
}

void
fuzz_status(enum iris_status st, const struct iris_err *err)
{
    if (st == IRIS_OK)
        return;
    if (st != IRIS_E_BUG && err->status == st && err->msg[0])
        return;
    fprintf(stderr, "status %d, in the error %d: '%s'\n", (int)st, (int)err->status, err->msg);
    abort();
}

/* ---- files ---- */

static int
remove_one(const char *path, const struct stat *sb, int type, struct FTW *where)
{
    (void)sb;
    (void)type;
    (void)where;
    return remove(path);
}

static void
remove_directory(void)
{
    nftw(directory, remove_one, 16, FTW_DEPTH | FTW_PHYS);
}

const char *
fuzz_directory(void)
{
    if (!directory[0]) {
        /* in memory, where that can be */
        const char *temporary = getenv("TMPDIR");

        if (!access("/dev/shm", W_OK))
            temporary = "/dev/shm";
        snprintf(directory, sizeof directory, "%s/fuzz.XXXXXX", temporary ? temporary : "/tmp");
        fuzz_need(mkdtemp(directory) != NULL, "a directory can be made");
        atexit(remove_directory);
    }
    return directory;
}

const char *
fuzz_in(const char *name)
{
    static char path[256];

    snprintf(path, sizeof path, "%s/%s", fuzz_directory(), name);
    return path;
}

const char *
fuzz_file(const void *data, size_t size)
{
    static char path[256];
    static int fd = -1;

    if (fd < 0) {
        snprintf(path, sizeof path, "%s", fuzz_in("file"));
        fd = open(path, O_CREAT | O_RDWR | O_CLOEXEC, 0666);
    }
    fuzz_need(!ftruncate(fd, 0) && pwrite(fd, data, size, 0) == (ssize_t)size,
              "a file can be written");
    return path;
}

void
fuzz_put(const char *name, const void *data, size_t size)
{
    FILE *fp = fopen(fuzz_in(name), "w");

    fuzz_need(fp && (!size || fwrite(data, 1, size, fp) == size) && !fclose(fp),
              "a file can be written");
}

void
fuzz_get(const char *path, struct iris_buf *out)
{
    char piece[4096];
    FILE *fp = fopen(path, "r");
    size_t n;

    fuzz_need(fp != NULL, "a file is there");
    while ((n = fread(piece, 1, sizeof piece, fp)) > 0)
        iris_buf_append(out, piece, n);
    fclose(fp);
}

/* ---- decisions ---- */

size_t
fuzz_take(struct fuzz_bytes *b, size_t n)
{
    return b->at < b->end ? *b->at++ % n : 0;
}

double
fuzz_number(struct fuzz_bytes *b)
{
    static const double matters[] = {
        0,      -0.0,  1,         -1,    0.5,        2,          3,      1e-300, 1e300,  INFINITY,
        NAN,    1e-30, -INFINITY, -1e30, 1e18,       0x1p31,     0x1p32, 0x1p63, 0x1p64, 1e38,
        3.5e38, 1e-40, 0.999,     255,   2147483647, 4294967295, 1e9,    5e-324};
    const size_t n = sizeof matters / sizeof matters[0];
    size_t which = fuzz_take(b, n + 1);
    double v = 0;

    if (which < n)
        return matters[which];
    if (b->end - b->at >= (ptrdiff_t)sizeof v) {
        memcpy(&v, b->at, sizeof v);
        b->at += sizeof v;
    }
    return v;
}
