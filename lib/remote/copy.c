#include "copy.h"

#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#include "pieces.h"
#include "sum.h"

enum {
    SLOTS = 16, /* pieces under way; what is asked for fills the line to far away */
    ASKS = (int)(IRIS_PIECE / IRIS_SFTP_READ),
    ROUNDS = 3 /* until the copy stays as it was written */
};

/* A piece under way. */
struct slot {
    size_t piece, size, got;
    int busy;
    unsigned char *data;
};

/* A request without its answer. */
struct request {
    uint32_t id, at, size; /* at: within the piece */
    struct slot *slot;
};

/* One copy. */
struct work {
    struct iris_copy *c;
    struct iris_sftp *sftp;
    struct iris_sftp_file file;
    const char *path;
    const struct iris_place_file *source;
    struct iris_outfile out;
    struct iris_pieces pieces;
    struct iris_sum sum;
    int has_sum;   /* it was asked for */
    int lacks_sum; /* in vain */
    struct slot slot[SLOTS];
    struct request request[SLOTS * ASKS];
    size_t n_requests;
    unsigned char *memory;
};

static enum iris_status
changed(const struct work *w, struct iris_err *err)
{
    return iris_fail(err, IRIS_E_IO, "'%s:%s' changed while it was copied", w->sftp->ssh.host,
                     w->path);
}

static enum iris_status
ask(struct work *w, struct slot *s, uint32_t at, uint32_t size, struct iris_err *err)
{
    struct request *r = &w->request[w->n_requests];
    enum iris_status st;

    *r = (struct request){0, at, size, s};
    st = iris_sftp_ask(w->sftp, &w->file, (uint64_t)s->piece * IRIS_PIECE + at, size, &r->id, err);
    if (!st)
        w->n_requests++;
    return st;
}

/* Ask for pieces as long as there are slots. */
static enum iris_status
ask_ahead(struct work *w, size_t *next, struct iris_err *err)
{
    enum iris_status st = IRIS_OK;
    size_t i, at, n;

    for (i = 0; i < SLOTS && !st; i++) {
        struct slot *s = &w->slot[i];

        if (s->busy)
            continue;
        *next = iris_pieces_next(&w->pieces, *next);
        if (*next == w->pieces.n)
            break;
        *s = (struct slot){*next, iris_pieces_size(&w->pieces, *next), 0, 1, s->data};
        ++*next;
        for (at = 0; at < s->size && !st; at += n) {
            n = s->size - at < IRIS_SFTP_READ ? s->size - at : IRIS_SFTP_READ;
            st = ask(w, s, (uint32_t)at, (uint32_t)n, err);
        }
    }
    return st;
}

/* The request an answer belongs to, taken out of the list; the answer to the
 * oldest one comes first, as a rule. */
static int
find_request(struct work *w, uint32_t id, struct request *r)
{
    size_t i;

    for (i = 0; i < w->n_requests; i++) {
        if (w->request[i].id == id) {
            *r = w->request[i];
            w->n_requests--;
            memmove(w->request + i, w->request + i + 1, (w->n_requests - i) * sizeof *w->request);
            return 1;
        }
    }
    return 0;
}

static enum iris_status
take_answer(struct work *w, struct iris_err *err)
{
    const unsigned char *data = NULL;
    enum iris_status st;
    struct request r;
    uint32_t id = 0;
    size_t n = 0;

    st = iris_sftp_take(w->sftp, &w->file, &id, &data, &n, err);
    if (st)
        return st;
    if (!find_request(w, id, &r) || n > r.size)
        return iris_fail(err, IRIS_E_REMOTE, "'%s' answers what was not asked", w->sftp->ssh.host);
    if (n == 0)
        return changed(w, err); /* it has become shorter */
    memcpy(r.slot->data + r.at, data, n);
    r.slot->got += n;
    atomic_fetch_add(&w->c->copied->received, n);
    if (n < r.size)
        return ask(w, r.slot, r.at + (uint32_t)n, r.size - (uint32_t)n, err);
    if (r.slot->got == r.slot->size) {
        r.slot->busy = 0;
        st = iris_pieces_put(&w->pieces, r.slot->piece, r.slot->data, err);
    }
    return st;
}

static int
is_stopped(const struct work *w)
{
    const struct iris_ssh_way *way = w->sftp->ssh.way;

    return way->stop && way->stop(way->self);
}

/* Have every piece that has not come. */
static enum iris_status
get_pieces(struct work *w, struct iris_err *err)
{
    enum iris_status st = IRIS_OK;
    size_t next = 0, i;

    do {
        if (is_stopped(w))
            st = iris_fail(err, IRIS_E_RETRY, "stopped");
        if (!st)
            st = ask_ahead(w, &next, err);
        if (!st && w->n_requests)
            st = take_answer(w, err);
    } while (!st && w->n_requests);
    for (i = 0; i < SLOTS && st; i++) {
        if (w->slot[i].busy)
            atomic_fetch_add(&w->c->copied->again, w->slot[i].got);
    }
    return st;
}

/* The file is still what it was when the copy began. */
static enum iris_status
look_again(struct work *w, struct iris_err *err)
{
    struct iris_place_file now;
    enum iris_status st = iris_sftp_file_look(w->sftp, &w->file, &now, err);

    if (!st && (now.bytes != w->source->bytes || now.mtime != w->source->mtime))
        st = changed(w, err);
    return st;
}

/* What is read back. */
struct reading {
    const struct work *w;
    struct iris_sha256 *h; /* NULL: no sum is wanted */
};

static int
take_back(void *self, const void *data, size_t n)
{
    struct reading *r = self;

    if (r->h)
        iris_sha256_add(r->h, data, n);
    return !is_stopped(r->w);
}

/* Read the copy back; what is not as it came is fetched again. */
static enum iris_status
read_back(struct work *w, char sum[IRIS_SHA256_TEXT], struct iris_err *err)
{
    enum iris_status st = IRIS_OK;
    uint64_t lost = 1;
    int round;

    for (round = 0; round < ROUNDS && lost && !st; round++) {
        struct reading r = {w, w->has_sum ? iris_sha256_new() : NULL};

        if (w->has_sum && !r.h)
            return iris_fail_memory(err);
        st = iris_pieces_check(&w->pieces, take_back, &r, &lost, err);
        if (r.h)
            iris_sha256_end(r.h, sum);
        atomic_fetch_add(&w->c->copied->again, lost);
        if (!st && lost)
            st = get_pieces(w, err);
    }
    if (!st && lost)
        st = iris_fail(err, IRIS_E_IO, "'%s' does not hold what is written to it", w->out.tmp);
    return st;
}

static enum iris_status
start_sum(struct work *w, struct iris_err *err)
{
    enum iris_status st = iris_sum_start(&w->sum, w->sftp, w->path, w->source->bytes, err);

    w->has_sum = !st;
    if (st != IRIS_E_IO)
        return st;
    w->lacks_sum = 1;
    if (w->c->verify == IRIS_VERIFY_AUTO)
        return IRIS_OK;
    return iris_fail(err, IRIS_E_REMOTE, "'%s' computes no sha256 of '%s': it has no path for it",
                     w->sftp->ssh.host, w->path);
}

/* Compare with the sum that the other machine has computed. */
static enum iris_status
compare(struct work *w, const char *sum, struct iris_err *err)
{
    char there[IRIS_SHA256_TEXT] = "";
    enum iris_status st;

    if (!w->has_sum)
        return IRIS_OK;
    st = iris_sum_take(&w->sum, there, err);
    if (st == IRIS_E_REMOTE && w->c->verify == IRIS_VERIFY_AUTO) {
        w->lacks_sum = 1;
        return IRIS_OK;
    }
    /* the connection is well, so it has none and will have none */
    if (st == IRIS_E_REMOTE && !look_again(w, NULL))
        w->c->has_no_sum = 1;
    if (!st && strcmp(there, sum)) {
        atomic_fetch_add(&w->c->copied->again, w->source->bytes);
        w->c->is_other = 1;
        st = iris_fail(err, IRIS_E_IO, "the copy of '%s:%s' has another sha256 than its source",
                       w->sftp->ssh.host, w->path);
    }
    return st;
}

static enum iris_status
publish(struct work *w, struct iris_err *err)
{
    struct timespec times[2] = {{0, UTIME_NOW}, {.tv_sec = (time_t)w->source->mtime}};
    enum iris_status st = iris_pieces_finish(&w->pieces, err);

    if (!st && futimens(w->out.fd, times))
        st = iris_fail(err, IRIS_E_IO, "cannot set the time of '%s':", w->out.tmp);
    return st ? st : iris_outfile_commit(&w->out, err);
}

static enum iris_status
copy(struct work *w, struct iris_err *err)
{
    struct iris_buf name = {0};
    char sum[IRIS_SHA256_TEXT] = "";
    enum iris_status st;
    uint64_t lost = 0;

    if (w->c->has_no_sum && w->c->verify == IRIS_VERIFY_SHA256)
        return iris_sum_none(w->sftp->ssh.host, err);
    iris_buf_printf(&name, "%s:%s", w->sftp->ssh.host, w->path);
    st = iris_buf_check(&name, err);
    if (!st)
        st = iris_pieces_open(&w->pieces, &w->out, iris_buf_str(&name), w->source, w->c->noted,
                              &lost, err);
    atomic_fetch_add(&w->c->copied->again, lost);
    iris_buf_release(&name);
    if (!st)
        st = iris_sftp_file_open(w->sftp, w->path, &w->file, err);
    if (!st && w->c->verify != IRIS_VERIFY_SIZE && !w->c->has_no_sum)
        st = start_sum(w, err);
    if (!st)
        st = get_pieces(w, err);
    if (!st)
        st = read_back(w, sum, err);
    if (!st)
        st = compare(w, sum, err);
    if (!st)
        st = look_again(w, err);
    if (!st && w->lacks_sum) /* it was not that the connection had gone */
        w->c->has_no_sum = 1;
    if (!st)
        st = iris_sftp_file_close(w->sftp, &w->file, err);
    return st ? st : publish(w, err);
}

enum iris_status
iris_copy_file(struct iris_copy *c, struct iris_sftp *sftp, const char *path,
               const struct iris_place_file *source, const char *target, struct iris_err *err)
{
    struct work *w = calloc(1, sizeof *w);
    enum iris_status st;
    size_t i;

    if (!w)
        return iris_fail_memory(err);
    *w = (struct work){.c = c, .sftp = sftp, .path = path, .source = source, .sum.ssh.fd = -1};
    c->is_other = 0;
    w->memory = malloc(SLOTS * IRIS_PIECE);
    st = w->memory ? iris_outfile_resume(&w->out, target, err) : iris_fail_memory(err);
    for (i = 0; i < SLOTS && !st; i++)
        w->slot[i].data = w->memory + i * IRIS_PIECE;
    if (!st) {
        st = copy(w, err);
        if (st == IRIS_E_REMOTE || st == IRIS_E_RETRY)
            iris_outfile_leave(&w->out);
        else if (st)
            iris_outfile_abort(&w->out);
    }
    iris_sum_close(&w->sum);
    iris_pieces_release(&w->pieces);
    free(w->memory);
    free(w);
    return st;
}
