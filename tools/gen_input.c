#include "gen_input.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

enum iris_status
gen_input_open(struct gen_input *in, const char *path, struct iris_err *err)
{
    struct stat sb;

    in->fd = strcmp(path, "-") ? open(path, O_RDONLY | O_CLOEXEC) : STDIN_FILENO;
    if (in->fd < 0)
        return iris_fail(err, IRIS_E_IO, "cannot open '%s':", path);
    in->is_stream = !fstat(in->fd, &sb) && !S_ISREG(sb.st_mode);
    return iris_manifest_reader_init(&in->reader, path, err);
}

void
gen_input_close(struct gen_input *in)
{
    if (in->fd > STDIN_FILENO)
        close(in->fd);
    in->fd = -1;
    iris_manifest_reader_release(&in->reader);
}

/* The rows that have come. They are taken line by line, so the reader's line
 * is theirs. */
static enum iris_status
take_rows(struct gen_input *in, struct iris_plan *plan, struct iris_err *err)
{
    const struct iris_manifest *t = &in->reader.table;
    enum iris_status st = IRIS_OK;

    if (t->kind && strcmp(t->kind, "snapshots") && strcmp(t->kind, "fetched"))
        return iris_fail(err, IRIS_E_DATA, "%s: a manifest of %s where one of snapshots is needed",
                         in->reader.name, t->kind);
    for (; in->rows_taken < t->n_rows && !st; in->rows_taken++)
        st = iris_plan_add(plan, t, in->rows_taken, err);
    if (st)
        iris_fail_in(err, "%s:%zu", in->reader.name, in->reader.line);
    return st;
}

static enum iris_status
take_text(struct gen_input *in, struct iris_plan *plan, const char *text, size_t n,
          struct iris_err *err)
{
    const char *end = text + n;
    enum iris_status st = IRIS_OK;

    while (text < end && !st) {
        const char *nl = memchr(text, '\n', (size_t)(end - text));
        const char *next = nl ? nl + 1 : end;

        st = iris_manifest_reader_feed(&in->reader, text, (size_t)(next - text), err);
        if (!st && nl)
            st = take_rows(in, plan, err);
        text = next;
    }
    return st;
}

static enum iris_status
end_input(struct gen_input *in, struct iris_err *err)
{
    if (in->fd > STDIN_FILENO)
        close(in->fd);
    in->fd = -1;
    /* a list of snapshots may have been filtered; rows of iris-fetch are a promise
     * that copies come */
    in->is_cut = in->is_stream && in->reader.table.kind &&
                 !strcmp(in->reader.table.kind, "fetched") &&
                 !iris_manifest_reader_is_complete(&in->reader);
    return in->is_cut ? IRIS_OK : iris_manifest_reader_end(&in->reader, err);
}

enum iris_status
gen_input_read(struct gen_input *in, struct iris_plan *plan, int wait_ms, struct iris_err *err)
{
    struct pollfd p = {.fd = in->fd, .events = POLLIN};
    enum iris_status st = IRIS_OK;
    char chunk[16384];
    ssize_t n;

    while (in->fd >= 0 && !st && poll(&p, 1, wait_ms) > 0) {
        wait_ms = 0;
        n = read(in->fd, chunk, sizeof chunk);
        if (n < 0 && (errno == EINTR || errno == EAGAIN))
            break;
        if (n < 0)
            st = iris_fail(err, IRIS_E_IO, "cannot read '%s':", in->reader.name);
        else if (n == 0)
            st = end_input(in, err);
        else
            st = take_text(in, plan, chunk, (size_t)n, err);
    }
    return st;
}
