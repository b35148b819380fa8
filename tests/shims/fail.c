/* fail -- a library to preload that lets the n-th call of a kind fail.
 *
 *   FAIL_CALL    open, read, write, fsync, ftruncate, rename, link, unlink, mkdir, malloc
 *                or mmap; a kind has all that does the same: fsync has fdatasync,
 *                ftruncate posix_fallocate, malloc strdup and realpath, open opendir
 *   FAIL_NTH     which of these calls of the process, 1 or more
 *   FAIL_ERRNO   how: ENOSPC, EIO, EMFILE, EACCES or ENOMEM
 *   FAIL_STICKY  set: all later ones fail as well
 *   FAIL_COUNT   a file; at its end each process appends "CALL N" for each kind, and
 *                "failed WHAT at ADDRESS..." for each call that it let fail
 *   FAIL_RANK    set: only in this rank of an MPI job
 *
 * What counts: calls between the beginning and the end of main; of the program itself
 * and of HDF5, of memory of the program and of Jansson. Others do not bear it: HDF5
 * 1.10 writes through pointers that it has not got, and Open MPI ends the process. Of
 * files opened, and of directories looked through, only those below the directory in
 * which the process began: what a program learns of its machine is no part of its job.
 *
 * The calls that stdio does for itself cannot be seen, so standard output becomes a
 * stream whose writes can. */
#define _GNU_SOURCE
#include <dirent.h>
#include <errno.h>
#include <link.h>
#include <stdatomic.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <unistd.h>
#include <unwind.h>

#include "real.h"

enum kind { OPEN, READ, WRITE, FSYNC, FTRUNCATE, RENAME, LINK, UNLINK, MKDIR, MALLOC, MMAP, KINDS };
static const char *const kind_name[KINDS] = {"open",      "read",   "write", "fsync",
                                             "ftruncate", "rename", "link",  "unlink",
                                             "mkdir",     "malloc", "mmap"};
static const struct {
    const char *name;
    int number;
} errors[] = {
    {"ENOSPC", ENOSPC}, {"EIO", EIO}, {"EMFILE", EMFILE}, {"EACCES", EACCES}, {"ENOMEM", ENOMEM}};

/* Where the code is whose calls count. */
enum { PARTS = 8 };
static struct part {
    uintptr_t from, to;
    int io, memory;
} parts[PARTS];
static size_t n_parts;

static struct {
    atomic_int on;
    int call, error, sticky;
    long nth;
    const char *count;
    char home[4096];
    atomic_long n[KINDS];
} state = {.call = -1};

#define CALLER __builtin_return_address(0)

/* A line at the end of FAIL_COUNT, by no function that is counted. */
static void
note(const char *line)
{
    int fd;

    if (!state.count)
        return;
    fd = (int)syscall(SYS_openat, AT_FDCWD, state.count, O_WRONLY | O_CREAT | O_APPEND | O_CLOEXEC,
                      0666);
    if (fd < 0)
        return;
    syscall(SYS_write, fd, line, strlen(line));
    syscall(SYS_close, fd);
}

/* A line that is being written. */
struct line {
    char text[1024];
    size_t len;
};

static _Unwind_Reason_Code
note_frame(struct _Unwind_Context *frame, void *self)
{
    uintptr_t at = (uintptr_t)_Unwind_GetIP(frame);
    struct line *l = self;

    if (at < parts[0].from || at >= parts[0].to)
        return _URC_NO_REASON;
    if (l->len > sizeof l->text - 32)
        return _URC_END_OF_STACK;
    l->len += (size_t)snprintf(l->text + l->len, sizeof l->text - l->len, " 0x%lx",
                               (unsigned long)(at - parts[0].from - 1));
    return _URC_NO_REASON;
}

/* What it was, and who called whom in the program, for addr2line. */
static void
note_failure(const char *what)
{
    struct line l;

    l.len = (size_t)snprintf(l.text, sizeof l.text, "failed %.500s at", what);
    _Unwind_Backtrace(note_frame, &l);
    snprintf(l.text + l.len, sizeof l.text - l.len, "\n");
    note(l.text);
}

/* Is it the call that is to fail? */
static int
is_it(enum kind kind, const char *what)
{
    int fails = 0, kept = errno;
    long n = atomic_fetch_add(&state.n[kind], 1) + 1;

    if (state.call == (int)kind)
        fails = state.sticky ? n >= state.nth : n == state.nth;
    if (fails)
        note_failure(what);
    errno = fails ? state.error : kept;
    return fails;
}

static const struct part *
part_of(const void *caller)
{
    size_t i;

    for (i = 0; i < n_parts; i++) {
        if ((uintptr_t)caller >= parts[i].from && (uintptr_t)caller < parts[i].to)
            return &parts[i];
    }
    return NULL;
}

/* Whether a call fails, and with errno set. */
static int
fails(enum kind kind, const char *what, const void *caller)
{
    const struct part *part = atomic_load(&state.on) ? part_of(caller) : NULL;

    return part && (kind == MALLOC ? part->memory : part->io) && is_it(kind, what);
}

static int
fails_open(const char *path, const char *what, const void *caller)
{
    size_t home = strlen(state.home);

    if (path[0] == '/' && (strncmp(path, state.home, home) || path[home] != '/'))
        return 0;
    return fails(OPEN, what, caller);
}

/* ---- files ---- */

#define OPENS(name)                                                                                \
    int name(const char *path, int flags, ...)                                                     \
    {                                                                                              \
        int (*next)(const char *, int, ...);                                                       \
        va_list more;                                                                              \
        mode_t mode;                                                                               \
                                                                                                   \
        va_start(more, flags);                                                                     \
        mode = mode_of(flags, more);                                                               \
        va_end(more);                                                                              \
        if (fails_open(path, path, CALLER))                                                        \
            return -1;                                                                             \
        *(void **)(&next) = real(#name);                                                           \
        return next(path, flags, mode);                                                            \
    }
OPENS(open)
OPENS(open64)

#define OPENS_AT(name)                                                                             \
    int name(int dir, const char *path, int flags, ...)                                            \
    {                                                                                              \
        int (*next)(int, const char *, int, ...);                                                  \
        va_list more;                                                                              \
        mode_t mode;                                                                               \
                                                                                                   \
        va_start(more, flags);                                                                     \
        mode = mode_of(flags, more);                                                               \
        va_end(more);                                                                              \
        if (fails_open(path, path, CALLER))                                                        \
            return -1;                                                                             \
        *(void **)(&next) = real(#name);                                                           \
        return next(dir, path, flags, mode);                                                       \
    }
OPENS_AT(openat)
OPENS_AT(openat64)

DIR *
opendir(const char *path)
{
    DIR *(*next)(const char *);

    if (fails_open(path, path, CALLER))
        return NULL;
    *(void **)(&next) = real("opendir");
    return next(path);
}

/* type NAME(parameters), which fails by returning what */
#define FAILS(kind, type, name, parameters, arguments, what)                                       \
    type name parameters                                                                           \
    {                                                                                              \
        type(*next) parameters;                                                                    \
                                                                                                   \
        if (fails(kind, #name, CALLER))                                                            \
            return what;                                                                           \
        *(void **)(&next) = real(#name);                                                           \
        return next arguments;                                                                     \
    }

FAILS(READ, ssize_t, read, (int fd, void *data, size_t len), (fd, data, len), -1)
FAILS(READ, ssize_t, pread, (int fd, void *data, size_t len, off_t at), (fd, data, len, at), -1)
FAILS(READ, ssize_t, pread64, (int fd, void *data, size_t len, off_t at), (fd, data, len, at), -1)
/* what hardened programs call instead, see HARDEN in the Makefile */
ssize_t __read_chk(int fd, void *data, size_t len, size_t room);
ssize_t __pread_chk(int fd, void *data, size_t len, off_t at, size_t room);
FAILS(READ, ssize_t, __read_chk, (int fd, void *data, size_t len, size_t room),
      (fd, data, len, room), -1)
FAILS(READ, ssize_t, __pread_chk, (int fd, void *data, size_t len, off_t at, size_t room),
      (fd, data, len, at, room), -1)
FAILS(WRITE, ssize_t, write, (int fd, const void *data, size_t len), (fd, data, len), -1)
FAILS(WRITE, ssize_t, pwrite, (int fd, const void *data, size_t len, off_t at), (fd, data, len, at),
      -1)
FAILS(WRITE, ssize_t, pwrite64, (int fd, const void *data, size_t len, off_t at),
      (fd, data, len, at), -1)
FAILS(FSYNC, int, fsync, (int fd), (fd), -1)
FAILS(FSYNC, int, fdatasync, (int fd), (fd), -1)
FAILS(FTRUNCATE, int, ftruncate, (int fd, off_t size), (fd, size), -1)
FAILS(FTRUNCATE, int, ftruncate64, (int fd, off_t size), (fd, size), -1)
FAILS(FTRUNCATE, int, fallocate, (int fd, int mode, off_t from, off_t size), (fd, mode, from, size),
      -1)
FAILS(FTRUNCATE, int, posix_fallocate, (int fd, off_t from, off_t size), (fd, from, size), errno)
FAILS(RENAME, int, rename, (const char *from, const char *to), (from, to), -1)
FAILS(RENAME, int, renameat, (int a, const char *from, int b, const char *to), (a, from, b, to), -1)
FAILS(LINK, int, link, (const char *from, const char *to), (from, to), -1)
FAILS(LINK, int, linkat, (int a, const char *from, int b, const char *to, int flags),
      (a, from, b, to, flags), -1)
FAILS(LINK, int, symlink, (const char *to, const char *path), (to, path), -1)
FAILS(UNLINK, int, unlink, (const char *path), (path), -1)
FAILS(UNLINK, int, unlinkat, (int dir, const char *path, int flags), (dir, path, flags), -1)
FAILS(UNLINK, int, rmdir, (const char *path), (path), -1)
FAILS(UNLINK, int, remove, (const char *path), (path), -1)
FAILS(MKDIR, int, mkdir, (const char *path, mode_t mode), (path, mode), -1)
FAILS(MKDIR, int, mkdirat, (int dir, const char *path, mode_t mode), (dir, path, mode), -1)

/* ---- memory ---- */

FAILS(MALLOC, void *, malloc, (size_t len), (len), NULL)
FAILS(MALLOC, void *, calloc, (size_t n, size_t len), (n, len), NULL)
FAILS(MALLOC, void *, realloc, (void *old, size_t len), (old, len), NULL)
FAILS(MALLOC, void *, aligned_alloc, (size_t at, size_t len), (at, len), NULL)
FAILS(MALLOC, int, posix_memalign, (void **p, size_t at, size_t len), (p, at, len), ENOMEM)
FAILS(MALLOC, char *, strdup, (const char *s), (s), NULL)
FAILS(MALLOC, char *, strndup, (const char *s, size_t len), (s, len), NULL)
FAILS(MALLOC, char *, realpath, (const char *path, char *to), (path, to), NULL)
FAILS(MMAP, void *, mmap, (void *at, size_t len, int prot, int flags, int fd, off_t from),
      (at, len, prot, flags, fd, from), MAP_FAILED)
FAILS(MMAP, void *, mmap64, (void *at, size_t len, int prot, int flags, int fd, off_t from),
      (at, len, prot, flags, fd, from), MAP_FAILED)

/* ---- the beginning and the end of main ---- */

static ssize_t
write_out(void *cookie, const char *data, size_t len)
{
    size_t done = 0;

    (void)cookie;
    if (atomic_load(&state.on) && is_it(WRITE, "standard output"))
        return 0;
    while (done < len) {
        ssize_t n = syscall(SYS_write, STDOUT_FILENO, data + done, len - done);

        if (n <= 0)
            return 0;
        done += (size_t)n;
    }
    return (ssize_t)len;
}

static int
close_out(void *cookie)
{
    (void)cookie;
    return close(STDOUT_FILENO);
}

/* Another rank sends its standard output nowhere. */
FILE *
freopen(const char *path, const char *how, FILE *stream)
{
    FILE *(*next)(const char *, const char *, FILE *);
    int fd;

    if (!atomic_load(&state.on) || stream != stdout) {
        *(void **)(&next) = real("freopen");
        return next(path, how, stream);
    }
    fd = (int)syscall(SYS_openat, AT_FDCWD, path, O_WRONLY);
    return fd >= 0 && dup2(fd, STDOUT_FILENO) >= 0 && !close(fd) ? stream : NULL;
}

static int
add_part(struct dl_phdr_info *info, size_t size, void *data)
{
    int is_program = !n_parts;
    int is_hdf5 = strstr(info->dlpi_name, "/libhdf5") != NULL;
    int is_json = strstr(info->dlpi_name, "/libjansson") != NULL;
    struct part p = {
        .from = UINTPTR_MAX, .io = is_program || is_hdf5, .memory = is_program || is_json};
    size_t i;

    for (i = 0; i < info->dlpi_phnum; i++) {
        const ElfW(Phdr) *segment = &info->dlpi_phdr[i];
        uintptr_t from = info->dlpi_addr + segment->p_vaddr;

        if (segment->p_type != PT_LOAD)
            continue;
        p.from = from < p.from ? from : p.from;
        p.to = from + segment->p_memsz > p.to ? from + segment->p_memsz : p.to;
    }
    if ((p.io || p.memory) && n_parts < PARTS)
        parts[n_parts++] = p;
    (void)size;
    (void)data;
    return 0;
}

static void
set_up(void)
{
    const char *call = getenv("FAIL_CALL"), *nth = getenv("FAIL_NTH"), *how = getenv("FAIL_ERRNO");
    size_t i;

    dl_iterate_phdr(add_part, NULL);
    state.count = getenv("FAIL_COUNT");
    state.sticky = getenv("FAIL_STICKY") != NULL;
    state.nth = nth ? atol(nth) : 0;
    state.error = EIO;
    if (!getcwd(state.home, sizeof state.home))
        state.home[0] = '\0';
    for (i = 0; call && nth && i < KINDS; i++) {
        if (!strcmp(call, kind_name[i]))
            state.call = (int)i;
    }
    for (i = 0; how && i < sizeof errors / sizeof errors[0]; i++) {
        if (!strcmp(how, errors[i].name))
            state.error = errors[i].number;
    }
}

static void
tell(void)
{
    char line[1024];
    size_t i, len = 0;

    for (i = 0; i < KINDS; i++)
        len += (size_t)snprintf(line + len, sizeof line - len, "%s %ld\n", kind_name[i],
                                atomic_load(&state.n[i]));
    note(line);
}

static int (*real_main)(int, char **, char **);

static int
counted_main(int argc, char **argv, char **env)
{
    const char *rank = getenv("FAIL_RANK"), *me = getenv("OMPI_COMM_WORLD_RANK");
    cookie_io_functions_t out = {.write = write_out, .close = close_out};
    int status;

    if (rank && (!me || strcmp(rank, me)))
        return real_main(argc, argv, env);
    set_up();
    stdout = fopencookie(NULL, "w", out);
    atomic_store(&state.on, 1);
    status = real_main(argc, argv, env);
    atomic_store(&state.on, 0);
    tell();
    return status;
}

int __libc_start_main(int (*main)(int, char **, char **), int argc, char **argv, void (*init)(void),
                      void (*fini)(void), void (*end)(void), void *stack);
int
__libc_start_main(int (*main)(int, char **, char **), int argc, char **argv, void (*init)(void),
                  void (*fini)(void), void (*end)(void), void *stack)
{
    int (*next)(int (*)(int, char **, char **), int, char **, void (*)(void), void (*)(void),
                void (*)(void), void *);

    *(void **)(&next) = real("__libc_start_main");
    real_main = main;
    return next(counted_main, argc, argv, init, fini, end, stack);
}
