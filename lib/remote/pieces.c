#include "pieces.h"

#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "buf.h"

#define MOST_BYTES ((uint64_t)1 << 45) /* the hashes of more are too many for memory */

static size_t
count(uint64_t bytes)
{
    return (size_t)(bytes / IRIS_PIECE + (bytes % IRIS_PIECE != 0));
}

uint64_t
iris_pieces_notes(uint64_t bytes)
{
    return IRIS_PIECES_HEAD + (uint64_t)count(bytes) * IRIS_PIECES_HASH;
}

size_t
iris_pieces_size(const struct iris_pieces *p, size_t k)
{
    uint64_t rest = p->bytes - (uint64_t)k * IRIS_PIECE;

    return rest < IRIS_PIECE ? (size_t)rest : IRIS_PIECE;
}

size_t
iris_pieces_next(const struct iris_pieces *p, size_t k)
{
    while (k < p->n && p->hash[k][0])
        k++;
    return k;
}

static enum iris_status
cannot_read(const struct iris_pieces *p, struct iris_err *err)
{
    return iris_fail(err, IRIS_E_IO, "cannot read '%s':", p->out->tmp);
}

/* Read bytes that are within the file. */
static enum iris_status
get(const struct iris_pieces *p, uint64_t offset, void *data, size_t n, struct iris_err *err)
{
    char *to = data;

    while (n) {
        ssize_t got = pread(p->out->fd, to, n, (off_t)offset);

        if (got < 0 && errno == EINTR)
            continue;
        if (got <= 0) {
            errno = got ? errno : EIO;
            return cannot_read(p, err);
        }
        to += got;
        offset += (uint64_t)got;
        n -= (size_t)got;
    }
    return IRIS_OK;
}

/* The line that tells the source. */
static void
write_head(char head[IRIS_PIECES_HEAD + 1], const char *name, const struct iris_place_file *source)
{
    char hash[IRIS_DIGEST_TEXT] = "";
    struct iris_buf text = {0};

    iris_buf_printf(&text, "%" PRIu64 " %" PRId64 " %s", source->bytes, source->mtime, name);
    iris_digest_memory(iris_buf_str(&text), text.len, hash);
    snprintf(head, IRIS_PIECES_HEAD + 1, "iris-pieces 1 %s\n\n", hash);
    iris_buf_release(&text);
}

static int
is_hash(const char *text)
{
    return strspn(text, "0123456789abcdef") == IRIS_PIECES_HASH;
}

/* The notes of an earlier run, when they are of the same source. */
static enum iris_status
read_notes(struct iris_pieces *p, const char *head, int *same, struct iris_err *err)
{
    char there[IRIS_PIECES_HEAD];
    enum iris_status st = IRIS_OK;
    struct stat sb;
    size_t k;

    *same = 0;
    if (fstat(p->out->fd, &sb))
        return cannot_read(p, err);
    if ((uint64_t)sb.st_size != p->bytes + iris_pieces_notes(p->bytes))
        return IRIS_OK;
    st = get(p, p->bytes, there, sizeof there, err);
    *same = !st && !memcmp(there, head, sizeof there);
    for (k = 0; k < p->n && *same && !st; k++) {
        st = get(p, p->bytes + IRIS_PIECES_HEAD + k * IRIS_PIECES_HASH, p->hash[k],
                 IRIS_PIECES_HASH, err);
        p->hash[k][IRIS_PIECES_HASH] = '\0';
        if (!is_hash(p->hash[k]))
            p->hash[k][0] = '\0';
    }
    return st;
}

static enum iris_status
begin_anew(struct iris_pieces *p, const char *head, struct iris_err *err)
{
    enum iris_status st = IRIS_OK;

    if (ftruncate(p->out->fd, 0))
        st = iris_fail(err, IRIS_E_IO, "cannot empty '%s':", p->out->tmp);
    if (!st && p->bytes)
        st = iris_outfile_reserve(p->out,
                                  p->bytes + (p->is_noted ? iris_pieces_notes(p->bytes) : 0), err);
    if (!st && p->is_noted)
        st = iris_outfile_pwrite(p->out, head, IRIS_PIECES_HEAD, p->bytes, err);
    /* where nothing can be reserved the file has its size all the same */
    if (!st && p->is_noted &&
        ftruncate(p->out->fd, (off_t)(p->bytes + iris_pieces_notes(p->bytes))))
        st = iris_fail(err, IRIS_E_IO, "cannot write '%s':", p->out->tmp);
    return st;
}

enum iris_status
iris_pieces_open(struct iris_pieces *p, struct iris_outfile *out, const char *name,
                 const struct iris_place_file *source, int noted, uint64_t *lost,
                 struct iris_err *err)
{
    char head[IRIS_PIECES_HEAD + 1];
    enum iris_status st = IRIS_OK;
    int same = 0;

    *lost = 0;
    *p = (struct iris_pieces){.out = out, .bytes = source->bytes, .is_noted = noted};
    if (source->bytes > MOST_BYTES || source->bytes / IRIS_PIECE > SIZE_MAX / 64)
        return iris_fail(err, IRIS_E_IO, "'%s' is too large", name);
    p->n = count(source->bytes);
    p->hash = calloc(p->n + 1, sizeof *p->hash);
    p->buffer = malloc(IRIS_PIECE);
    if (!p->hash || !p->buffer)
        return iris_fail_memory(err);
    write_head(head, name, source);
    if (noted)
        st = read_notes(p, head, &same, err);
    if (!st && same)
        return iris_pieces_check(p, NULL, NULL, lost, err);
    return st ? st : begin_anew(p, head, err);
}

void
iris_pieces_release(struct iris_pieces *p)
{
    free(p->hash);
    free(p->buffer);
    *p = (struct iris_pieces){0};
}

static enum iris_status
note(struct iris_pieces *p, size_t k, const char *text, struct iris_err *err)
{
    uint64_t at = p->bytes + IRIS_PIECES_HEAD + k * IRIS_PIECES_HASH;

    if (!p->is_noted)
        return IRIS_OK;
    return iris_outfile_pwrite(p->out, text, IRIS_PIECES_HASH, at, err);
}

enum iris_status
iris_pieces_put(struct iris_pieces *p, size_t k, const void *data, struct iris_err *err)
{
    size_t n = iris_pieces_size(p, k);
    enum iris_status st;

    iris_digest_memory(data, n, p->hash[k]);
    st = iris_outfile_pwrite(p->out, data, n, (uint64_t)k * IRIS_PIECE, err);
    return st ? st : note(p, k, p->hash[k], err);
}

static enum iris_status
forget(struct iris_pieces *p, size_t k, struct iris_err *err)
{
    static const char none[IRIS_PIECES_HASH];

    p->hash[k][0] = '\0';
    return note(p, k, none, err);
}

enum iris_status
iris_pieces_check(struct iris_pieces *p, int (*take)(void *self, const void *data, size_t n),
                  void *self, uint64_t *lost, struct iris_err *err)
{
    char hash[IRIS_DIGEST_TEXT];
    enum iris_status st = IRIS_OK;
    size_t k;

    *lost = 0;
    for (k = 0; k < p->n && !st; k++) {
        size_t n = iris_pieces_size(p, k);

        if (!p->hash[k][0])
            continue;
        st = get(p, (uint64_t)k * IRIS_PIECE, p->buffer, n, err);
        if (st)
            break;
        iris_digest_memory(p->buffer, n, hash);
        if (strcmp(hash, p->hash[k])) {
            *lost += n;
            st = forget(p, k, err);
        } else if (take && !take(self, p->buffer, n)) {
            st = iris_fail(err, IRIS_E_RETRY, "stopped");
        }
    }
    return st;
}

enum iris_status
iris_pieces_finish(struct iris_pieces *p, struct iris_err *err)
{
    if (ftruncate(p->out->fd, (off_t)p->bytes))
        return iris_fail(err, IRIS_E_IO, "cannot write '%s':", p->out->tmp);
    return IRIS_OK;
}
