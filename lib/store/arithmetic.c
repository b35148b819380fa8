#include "arithmetic.h"

#include <dirent.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include "entry.h"
#include "file.h"

static const char *const words[] = {"", "cpu\n", "cuda\n", "mixed\n"};
enum { WORDS = sizeof words / sizeof words[0] };

/* How long to wait for somebody else who writes the same. */
static const struct timespec moment = {0, 10000000};
enum { WAITS = 500 };

static int
has_array(const char *path)
{
    DIR *dir = opendir(path);
    const struct dirent *e;
    int found = 0;

    while (!found && dir && (e = readdir(dir))) {
        size_t len = strlen(e->d_name);

        found = len > 4 && !strcmp(e->d_name + len - 4, ".npy");
    }
    if (dir)
        closedir(dir);
    return found;
}

/* Any array in a folder so many levels below. */
static int
has_points(const char *path, int below)
{
    const struct dirent *e;
    int found = 0;
    DIR *dir;

    if (!below)
        return has_array(path);
    dir = opendir(path);
    while (!found && dir && (e = readdir(dir))) {
        char *next = e->d_name[0] == '.' ? NULL : iris_path_join(path, e->d_name);

        found = next && has_points(next, below - 1);
        free(next);
    }
    if (dir)
        closedir(dir);
    return found;
}

static enum iris_status
read_record(const char *path, enum iris_arithmetic *is, struct iris_err *err)
{
    struct iris_buf text = {0};
    enum iris_status st;
    int i;

    *is = IRIS_ARITHMETIC_ANY;
    if (access(path, F_OK))
        return IRIS_OK;
    st = iris_read_file(path, 64, &text, err);
    for (i = 1; i < WORDS && !st; i++) {
        if (!strcmp(iris_buf_str(&text), words[i]))
            *is = (enum iris_arithmetic)i;
    }
    iris_buf_release(&text);
    if ((!st && !*is) || st == IRIS_E_DATA)
        st = iris_fail(err, IRIS_E_DATA, "'%s' is not cpu, cuda or mixed", path);
    return st;
}

/* entries/DIGEST/arithmetic and, without its end, the folder */
static char *
path_of(const struct iris_dataset *d, const char *digest, const char *end)
{
    return iris_format("%s/entries/%s%s", d->root, digest, end);
}

/* Nobody else can be about to make points. */
static int
is_alone(const struct iris_dataset *d)
{
    return d->lock >= 0 && d->own < 0;
}

enum iris_status
iris_arithmetic_get(const struct iris_dataset *d, const char *digest, enum iris_arithmetic *is,
                    struct iris_err *err)
{
    char *folder = path_of(d, digest, ""), *path = path_of(d, digest, "/arithmetic");
    enum iris_status st;

    *is = IRIS_ARITHMETIC_ANY;
    st = folder && path ? read_record(path, is, err) : iris_fail_memory(err);
    if (!st && !*is && has_points(folder, 2))
        *is = IRIS_ARITHMETIC_CPU;
    else if (!st && *is && is_alone(d) && !has_points(folder, 2))
        *is = IRIS_ARITHMETIC_ANY;
    free(folder);
    free(path);
    return st;
}

/* What is to be recorded; IRIS_ARITHMETIC_ANY: nothing, it is there. */
static enum iris_status
decide(const char *folder, enum iris_arithmetic is, enum iris_arithmetic with, int mix,
       enum iris_arithmetic *next, struct iris_err *err)
{
    *next = is == with || is == IRIS_ARITHMETIC_MIXED ? IRIS_ARITHMETIC_ANY : with;
    if (!*next || !is)
        return IRIS_OK;
    *next = IRIS_ARITHMETIC_MIXED;
    if (mix)
        return IRIS_OK;
    return iris_fail(err, IRIS_E_DATA, "the points in '%s' were made by %s", folder,
                     is == IRIS_ARITHMETIC_CPU ? "a processor" : "a GPU");
}

/* Whoever writes the file has its lock, so what is read meanwhile stays true. */
static enum iris_status
set(const struct iris_dataset *d, const char *digest, enum iris_arithmetic with, int mix,
    struct iris_outfile *f, enum iris_arithmetic *is, struct iris_err *err)
{
    char *folder = path_of(d, digest, "");
    enum iris_arithmetic next = IRIS_ARITHMETIC_ANY;
    enum iris_status st;

    st = folder ? iris_arithmetic_get(d, digest, is, err) : iris_fail_memory(err);
    if (!st)
        st = decide(folder, *is, with, mix, &next, err);
    if (!st && next)
        st = iris_outfile_write(f, words[next], strlen(words[next]), err);
    if (!st && next)
        st = iris_outfile_commit(f, err);
    free(folder);
    return st;
}

enum iris_status
iris_arithmetic_set(const struct iris_dataset *d, const char *digest, enum iris_arithmetic with,
                    int mix, enum iris_arithmetic *is, struct iris_err *err)
{
    char *folder = path_of(d, digest, ""), *path = path_of(d, digest, "/arithmetic");
    struct iris_outfile f = IRIS_OUTFILE_INIT;
    enum iris_status st;
    int tries = 0;

    *is = IRIS_ARITHMETIC_ANY;
    st = folder && path ? read_record(path, is, err) : iris_fail_memory(err);
    if (!st && *is != with) {
        st = iris_mkdirs(folder, err);
        while (!st && (st = iris_outfile_open(&f, path, err)) == IRIS_E_RETRY && tries++ < WAITS) {
            nanosleep(&moment, NULL);
            st = IRIS_OK;
        }
        if (!st)
            st = set(d, digest, with, mix, &f, is, err);
        iris_outfile_abort(&f);
    }
    free(folder);
    free(path);
    return st;
}
