#include "flight.h"

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#include "clock.h"
#include "digest.h"
#include "file.h"
#include "flight_record.h"

enum { LENGTH_BITS = 16 };

uint64_t
iris_flight_word(const char *text)
{
    return iris_hash64(0, text) << LENGTH_BITS | strlen(text);
}

void
iris_flight_close(struct iris_flight *f)
{
    if (f->record)
        munmap(f->record, sizeof *f->record);
    if (f->fd >= 0) {
        if (f->path && iris_file_has_name(f->fd, AT_FDCWD, f->path))
            unlink(f->path);
        close(f->fd);
    }
    free(f->path);
    *f = (struct iris_flight)IRIS_FLIGHT_INIT;
}

/* Written before it is mapped, so that a full disk is met here: on a page it would
 * end the program. A file that is there is not emptied, since it may be mapped. */
static enum iris_status
make_record(struct iris_flight *f, struct iris_err *err)
{
    struct iris_flight_record empty;
    void *memory;

    memset(&empty, 0, sizeof empty);
    memcpy(empty.magic, IRIS_FLIGHT_MAGIC, sizeof empty.magic);
    if (unlink(f->path) && errno != ENOENT)
        return iris_fail(err, IRIS_E_IO, "cannot remove '%s':", f->path);
    f->fd = open(f->path, O_RDWR | O_CREAT | O_EXCL | O_CLOEXEC, 0666);
    if (f->fd < 0)
        return iris_fail(err, IRIS_E_IO, "cannot create '%s':", f->path);
    errno = ENOSPC; /* what a short write means */
    if (write(f->fd, &empty, sizeof empty) != (ssize_t)sizeof empty)
        return iris_fail(err, IRIS_E_IO, "cannot write '%s':", f->path);
    memory = mmap(NULL, sizeof empty, PROT_READ | PROT_WRITE, MAP_SHARED, f->fd, 0);
    if (memory == MAP_FAILED)
        return iris_fail(err, IRIS_E_IO, "cannot map '%s' into memory:", f->path);
    f->record = memory;
    return IRIS_OK;
}

enum iris_status
iris_flight_open(struct iris_flight *f, const char *path, struct iris_err *err)
{
    char *parent = iris_file_parent(path);
    enum iris_status st = IRIS_OK;

    *f = (struct iris_flight)IRIS_FLIGHT_INIT;
    f->path = strdup(path);
    if (!parent || !f->path)
        st = iris_fail_memory(err);
    if (!st)
        st = iris_mkdirs(parent, err);
    if (!st)
        st = make_record(f, err);
    free(parent);
    if (st)
        iris_flight_close(f);
    return st;
}

static uint64_t
now(void)
{
    return (uint64_t)(iris_seconds() * 1000);
}

void
iris_flight_alive(struct iris_flight *f)
{
    if (f->record)
        atomic_store(&f->record->alive, now());
}

void
iris_flight_begin(struct iris_flight *f, const char *what)
{
    size_t len = strlen(what);

    iris_flight_end(f);
    if (!f->record || !len || len > IRIS_FLIGHT_WHAT)
        return;
    memcpy(f->record->text, what, len + 1);
    atomic_store(&f->record->began, now());
    iris_flight_alive(f);
    atomic_store(&f->record->word, iris_flight_word(what));
}

void
iris_flight_end(struct iris_flight *f)
{
    if (f->record)
        atomic_store(&f->record->word, 0);
}

void
iris_flight_interrupt(struct iris_flight *f, const char *what, struct iris_flight_before *before)
{
    *before = (struct iris_flight_before){.began = 0};
    if (f->record && atomic_load(&f->record->word)) {
        memcpy(before->what, f->record->text, sizeof before->what);
        before->began = atomic_load(&f->record->began);
    }
    iris_flight_begin(f, what);
}

void
iris_flight_resume(struct iris_flight *f, const struct iris_flight_before *before)
{
    iris_flight_end(f);
    if (!f->record || !before->what[0])
        return;
    iris_flight_begin(f, before->what);
    atomic_store(&f->record->began, before->began);
}

volatile int *
iris_flight_mark(struct iris_flight *f)
{
    return f->record ? &f->record->mark : &f->unnoted[0];
}

volatile int *
iris_flight_fatal(struct iris_flight *f)
{
    return f->record ? &f->record->fatal : &f->unnoted[1];
}
