#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "buf.h"
#include "digest.h"
#include "file.h"
#include "flight.h"
#include "flight_record.h"

enum { DIGITS = 16 };

/* ---- files in a directory, of which none may lead out of it ---- */

/* Can it be the name of a file that anybody sees? */
static int
is_name(const char *what)
{
    const unsigned char *p = (const unsigned char *)what;

    if (!*p || *p == '.')
        return 0;
    for (; *p; p++) {
        if (*p == '/' || *p < ' ' || *p == 0x7f)
            return 0;
    }
    return 1;
}

/* What names may be looked at in a directory; *names is empty when it is missing. */
struct names {
    int dir; /* -1: none */
    DIR *stream;
};

static void
end_names(struct names *d)
{
    if (d->stream)
        closedir(d->stream); /* and the descriptor with it */
    *d = (struct names){.dir = -1};
}

static enum iris_status
begin_names(struct names *d, const char *path, struct iris_err *err)
{
    *d = (struct names){.dir = -1};
    d->dir = open(path, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
    if (d->dir < 0 && errno == ENOENT)
        return IRIS_OK;
    if (d->dir >= 0)
        d->stream = fdopendir(d->dir);
    if (d->stream)
        return IRIS_OK;
    iris_fail(err, IRIS_E_IO, "cannot open directory '%s':", path);
    if (d->dir >= 0)
        close(d->dir);
    d->dir = -1;
    return IRIS_E_IO;
}

static const char *
next_name(struct names *d)
{
    const struct dirent *e = NULL;

    while (d->stream && (e = readdir(d->stream)) && !is_name(e->d_name))
        ;
    return e ? e->d_name : NULL;
}

/* A regular file, or -1 with errno 0 when it is anything else. */
static int
open_file(int dir, const char *name, int flags)
{
    int fd = openat(dir, name, flags | O_NOFOLLOW | O_NONBLOCK | O_CLOEXEC, 0666);
    struct stat sb;

    if (fd < 0) {
        if (errno == ELOOP || errno == EISDIR || errno == ENXIO)
            errno = 0;
        return -1;
    }
    if (!fstat(fd, &sb) && S_ISREG(sb.st_mode))
        return fd;
    close(fd);
    errno = 0;
    return -1;
}

/* ---- records of the dead ---- */

struct found {
    char *record;                    /* its name */
    char what[IRIS_FLIGHT_WHAT + 1]; /* "": nothing to blame */
    int fatal;                       /* a signal of its own making */
    double seconds;                  /* that it was in hand */
};

struct all_found {
    struct found *one;
    size_t n;
    int asked; /* some process was asked to end */
};

static void
release_found(struct all_found *all)
{
    size_t i;

    for (i = 0; i < all->n; i++)
        free(all->one[i].record);
    free(all->one);
    *all = (struct all_found){0};
}

/* What a record says, when it is one and nothing of it is damaged.
 *
 *   out  f  but for its name
 */
static int
read_record(int dir, const char *name, struct found *f, int *asked)
{
    int fd = open_file(dir, name, O_RDONLY);
    struct iris_flight_record r;
    ssize_t n = fd < 0 ? 0 : read(fd, &r, sizeof r);

    if (fd >= 0)
        close(fd);
    if (n != (ssize_t)sizeof r || memcmp(r.magic, IRIS_FLIGHT_MAGIC, sizeof r.magic) != 0)
        return -1;
    *f = (struct found){.fatal = r.fatal};
    *asked |= r.mark != 0;
    r.text[IRIS_FLIGHT_WHAT] = '\0';
    if (r.mark || !is_name(r.text) || atomic_load(&r.word) != iris_flight_word(r.text))
        return 0;
    memcpy(f->what, r.text, strlen(r.text) + 1);
    if (atomic_load(&r.alive) > atomic_load(&r.began))
        f->seconds = (double)(atomic_load(&r.alive) - atomic_load(&r.began)) / 1000;
    return 0;
}

static enum iris_status
add_found(struct all_found *all, const char *record, const struct found *f, struct iris_err *err)
{
    struct found *grown = realloc(all->one, (all->n + 1) * sizeof *grown);

    if (!grown)
        return iris_fail_memory(err);
    all->one = grown;
    grown += all->n;
    *grown = *f;
    grown->record = strdup(record);
    if (!grown->record)
        return iris_fail_memory(err);
    all->n++;
    return IRIS_OK;
}

/* What is not to blame. */
static void
acquit(struct all_found *all, double some_time)
{
    size_t i;

    for (i = 0; i < all->n && !all->asked; i++) {
        if (!all->one[i].fatal && all->one[i].seconds < some_time)
            all->one[i].what[0] = '\0';
    }
}

static int
by_what(const void *pa, const void *pb)
{
    const struct found *a = pa, *b = pb;

    return strcmp(a->what, b->what);
}

static enum iris_status
find_records(struct names *d, double some_time, struct all_found *all, struct iris_err *err)
{
    enum iris_status st = IRIS_OK;
    const char *name;
    struct found f;

    while (!st && (name = next_name(d))) {
        if (!read_record(d->dir, name, &f, &all->asked))
            st = add_found(all, name, &f, err);
    }
    acquit(all, some_time);
    if (!st && all->n)
        qsort(all->one, all->n, sizeof *all->one, by_what);
    return st;
}

/* ---- suspects ---- */

/* The name of a file. A long one ends in a hash instead. */
static void
name_suspect(const char *what, char name[NAME_MAX + 1])
{
    size_t len = strlen(what);

    if (len <= NAME_MAX)
        memcpy(name, what, len + 1);
    else
        snprintf(name, NAME_MAX + 1, "%.*s~%0*llx", NAME_MAX - DIGITS - 1, what, DIGITS,
                 (unsigned long long)iris_hash64(0, what));
}

static enum iris_status
add_line(int dir, const char *what, const struct iris_buf *line, struct iris_err *err)
{
    char name[NAME_MAX + 1];
    enum iris_status st = IRIS_OK;
    ssize_t n;
    int fd;

    name_suspect(what, name);
    fd = open_file(dir, name, O_WRONLY | O_CREAT | O_APPEND);
    if (fd < 0)
        return errno ? iris_fail(err, IRIS_E_IO, "cannot open suspect '%s':", name) : IRIS_OK;
    errno = ENOSPC; /* what a short write means */
    n = write(fd, line->data, line->len);
    if (n < 0 || (size_t)n != line->len)
        st = iris_fail(err, IRIS_E_IO, "cannot write suspect '%s':", name);
    close(fd);
    return st;
}

/* A record goes when its line is there: better twice than never. */
static enum iris_status
take_records(int flight, int suspects, const struct all_found *all, const struct iris_buf *line,
             struct iris_err *err)
{
    enum iris_status st = IRIS_OK;
    size_t i;

    for (i = 0; !st && i < all->n; i++) {
        const struct found *f = &all->one[i];

        if (f->what[0] && (!i || strcmp(f->what, f[-1].what) != 0))
            st = add_line(suspects, f->what, line, err);
        if (!st && unlinkat(flight, f->record, 0) && errno != ENOENT)
            st = iris_fail(err, IRIS_E_IO, "cannot remove flight record '%s':", f->record);
    }
    return st;
}

static enum iris_status
open_suspects(const char *path, int *dir, struct iris_err *err)
{
    enum iris_status st = iris_mkdirs(path, err);

    if (st)
        return st;
    *dir = open(path, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
    if (*dir < 0)
        return iris_fail(err, IRIS_E_IO, "cannot open directory '%s':", path);
    return IRIS_OK;
}

enum iris_status
iris_suspects_collect(const char *flight_dir, const char *suspects_dir, const char *who,
                      double some_time, struct iris_err *err)
{
    struct all_found all = {0};
    struct iris_buf line = {0};
    struct names records;
    enum iris_status st;
    int suspects = -1;

    st = begin_names(&records, flight_dir, err);
    if (st)
        return st;
    st = find_records(&records, some_time, &all, err);
    iris_buf_put_plain(&line, who);
    iris_buf_putc(&line, '\n');
    if (!st)
        st = iris_buf_check(&line, err);
    /* those that blame nothing come first */
    if (!st && all.n && all.one[all.n - 1].what[0])
        st = open_suspects(suspects_dir, &suspects, err);
    if (!st)
        st = take_records(records.dir, suspects, &all, &line, err);
    if (suspects >= 0)
        close(suspects);
    iris_buf_release(&line);
    release_found(&all);
    end_names(&records);
    return st;
}

/* Lines of a file in a directory; 0 when it is no regular file. */
static unsigned
count_lines(int dir, const char *name)
{
    int fd = open_file(dir, name, O_RDONLY);
    unsigned lines = 0;
    char chunk[4096];
    ssize_t n, i;

    while (fd >= 0 && (n = read(fd, chunk, sizeof chunk)) > 0) {
        for (i = 0; i < n; i++)
            lines += chunk[i] == '\n';
    }
    if (fd >= 0)
        close(fd);
    return lines;
}

static enum iris_status
add_suspect(struct iris_suspects *s, const char *name, unsigned deaths, struct iris_err *err)
{
    struct iris_suspect *grown = realloc(s->suspect, (s->n + 1) * sizeof *grown);

    if (!grown)
        return iris_fail_memory(err);
    s->suspect = grown;
    grown[s->n] = (struct iris_suspect){strdup(name), deaths};
    if (!grown[s->n].name)
        return iris_fail_memory(err);
    s->n++;
    return IRIS_OK;
}

static int
by_name(const void *pa, const void *pb)
{
    const struct iris_suspect *a = pa, *b = pb;

    return strcmp(a->name, b->name);
}

enum iris_status
iris_suspects_read(struct iris_suspects *s, const char *suspects_dir, struct iris_err *err)
{
    struct names d;
    enum iris_status st = begin_names(&d, suspects_dir, err);
    const char *name;

    *s = (struct iris_suspects){0};
    while (!st && (name = next_name(&d))) {
        unsigned deaths = count_lines(d.dir, name);

        if (deaths)
            st = add_suspect(s, name, deaths, err);
    }
    end_names(&d);
    if (st)
        iris_suspects_release(s);
    else if (s->n)
        qsort(s->suspect, s->n, sizeof *s->suspect, by_name);
    return st;
}

void
iris_suspects_release(struct iris_suspects *s)
{
    size_t i;

    for (i = 0; i < s->n; i++)
        free(s->suspect[i].name);
    free(s->suspect);
    *s = (struct iris_suspects){0};
}

unsigned
iris_suspects_deaths(const struct iris_suspects *s, const char *what)
{
    char name[NAME_MAX + 1];
    struct iris_suspect key = {.name = name};
    const struct iris_suspect *found;

    if (!s->n)
        return 0;
    name_suspect(what, name);
    found = bsearch(&key, s->suspect, s->n, sizeof *s->suspect, by_name);
    return found ? found->deaths : 0;
}

/* Remove a regular file; what else has that name stays. */
static enum iris_status
clear_name(int dir, const char *name, struct iris_err *err)
{
    struct stat sb;

    if (fstatat(dir, name, &sb, AT_SYMLINK_NOFOLLOW) || !S_ISREG(sb.st_mode))
        return IRIS_OK;
    if (unlinkat(dir, name, 0) && errno != ENOENT)
        return iris_fail(err, IRIS_E_IO, "cannot remove suspect '%s':", name);
    return IRIS_OK;
}

enum iris_status
iris_suspects_clear(const char *suspects_dir, const char *what, struct iris_err *err)
{
    char name[NAME_MAX + 1];
    struct names d;
    enum iris_status st;

    if (!is_name(what))
        return IRIS_OK;
    st = begin_names(&d, suspects_dir, err);
    name_suspect(what, name);
    if (!st && d.dir >= 0)
        st = clear_name(d.dir, name, err);
    end_names(&d);
    return st;
}

enum iris_status
iris_suspects_clear_all(const char *suspects_dir, struct iris_err *err)
{
    struct names d;
    enum iris_status st = begin_names(&d, suspects_dir, err);
    const char *name;

    while (!st && (name = next_name(&d)))
        st = clear_name(d.dir, name, err);
    end_names(&d);
    return st;
}
