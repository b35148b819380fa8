#include "npy.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "num.h"

static const char magic[] = "\x93NUMPY\x01\x00";
enum { MAGIC = 8, PREFIX = 10, ALIGN = 64, CHUNK = 16384 };

int
iris_shape_equal(const struct iris_shape *a, const struct iris_shape *b)
{
    return a->n == b->n && !memcmp(a->dim, b->dim, a->n * sizeof a->dim[0]);
}

char *
iris_shape_text(const struct iris_shape *s, char *text, size_t size)
{
    size_t i, used = 0;

    used += (size_t)snprintf(text, size, "(");
    for (i = 0; i < s->n && used < size; i++)
        used += (size_t)snprintf(text + used, size - used, i ? ", %zu" : "%zu", s->dim[i]);
    if (used < size)
        snprintf(text + used, size - used, s->n == 1 ? ",)" : ")");
    return text;
}

enum iris_status
iris_shape_count(const struct iris_shape *s, size_t *count, struct iris_err *err)
{
    size_t n = 1, bytes, i;
    char text[256];
    int large = 0;

    for (i = 0; i < s->n; i++)
        large |= iris_mul_size(n, s->dim[i], &n);
    if (large || iris_mul_size(n, sizeof(double), &bytes))
        return iris_fail(err, IRIS_E_DATA, "an array of shape %s is too large",
                         iris_shape_text(s, text, sizeof text));
    *count = n;
    return IRIS_OK;
}

void
iris_npy_header(const struct iris_shape *shape, struct iris_buf *b)
{
    char text[256];
    size_t total, pad;

    iris_shape_text(shape, text, sizeof text);
    iris_buf_append(b, magic, MAGIC);
    iris_buf_append(b, "\0\0", 2);
    iris_buf_printf(b, "{'descr': '<f4', 'fortran_order': False, 'shape': %s, }", text);
    total = (b->len + 1 + ALIGN - 1) / ALIGN * ALIGN;
    for (pad = total - b->len - 1; pad; pad--)
        iris_buf_putc(b, ' ');
    iris_buf_putc(b, '\n');
    if (!b->failed) {
        b->data[8] = (char)((b->len - PREFIX) & 0xff);
        b->data[9] = (char)((b->len - PREFIX) >> 8);
    }
}

enum iris_status
iris_npy_create(struct iris_outfile *f, const char *path, const struct iris_shape *shape,
                uint64_t *offset, struct iris_err *err)
{
    struct iris_buf header = {0};
    enum iris_status st;
    size_t count = 0;

    *f = (struct iris_outfile)IRIS_OUTFILE_INIT;
    iris_npy_header(shape, &header);
    *offset = header.len;
    st = iris_buf_check(&header, err);
    if (!st)
        st = iris_shape_count(shape, &count, err);
    if (!st)
        st = iris_outfile_open(f, path, err);
    if (!st)
        st = iris_outfile_reserve(f, header.len + 4 * (uint64_t)count, err);
    if (!st)
        st = iris_outfile_write(f, header.data, header.len, err);
    if (st)
        iris_outfile_abort(f);
    iris_buf_release(&header);
    return st;
}

enum iris_status
iris_npy_write(const char *path, const struct iris_shape *shape, const float *data,
               struct iris_err *err)
{
    struct iris_outfile f = IRIS_OUTFILE_INIT;
    enum iris_status st;
    uint64_t offset;
    size_t count = 0;

    st = iris_shape_count(shape, &count, err);
    if (!st)
        st = iris_npy_create(&f, path, shape, &offset, err);
    if (st)
        return st;
    st = iris_outfile_write(&f, data, count * sizeof *data, err);
    if (st) {
        iris_outfile_abort(&f);
        return st;
    }
    return iris_outfile_commit(&f, err);
}

/* The value after a key of the header's dictionary, NULL when it is missing. */
static const char *
value_of(const char *header, const char *key)
{
    const char *p = strstr(header, key);

    if (!p)
        return NULL;
    p += strlen(key);
    while (*p == ' ' || *p == ':')
        p++;
    return p;
}

static int
parse_shape(const char *p, struct iris_shape *shape)
{
    shape->n = 0;
    if (*p++ != '(')
        return -1;
    for (;;) {
        unsigned long long v;
        char *end;

        while (*p == ' ' || *p == ',')
            p++;
        if (*p == ')')
            return 0;
        if (*p < '0' || *p > '9' || shape->n == IRIS_NPY_DIMS)
            return -1;
        errno = 0;
        v = strtoull(p, &end, 10);
        if (errno)
            return -1;
        shape->dim[shape->n++] = (size_t)v;
        p = end;
    }
}

static enum iris_status
parse_header(struct iris_npy *a, const char *header, struct iris_err *err)
{
    const char *descr = value_of(header, "'descr'");
    const char *order = value_of(header, "'fortran_order'");
    const char *shape = value_of(header, "'shape'");
    enum iris_status st;

    if (!descr || !order || !shape || parse_shape(shape, &a->shape))
        return iris_fail(err, IRIS_E_DATA, "'%s': the header is not one of an array file", a->path);
    if (!strncmp(descr, "'<f4'", 5))
        a->item = 4;
    else if (!strncmp(descr, "'<f8'", 5))
        a->item = 8;
    else
        return iris_fail(err, IRIS_E_DATA, "'%s': the numbers are not little-endian floats",
                         a->path);
    if (strncmp(order, "False", 5))
        return iris_fail(err, IRIS_E_DATA, "'%s': the array is not in C order", a->path);
    st = iris_shape_count(&a->shape, &a->count, err);
    return st ? iris_fail_in(err, "'%s'", a->path) : IRIS_OK;
}

static enum iris_status
read_header(struct iris_npy *a, struct iris_err *err)
{
    char header[4096];
    struct stat sb;
    ssize_t n;
    size_t len;
    enum iris_status st;

    n = pread(a->fd, header, sizeof header - 1, 0);
    if (n < 0 || fstat(a->fd, &sb))
        return iris_fail(err, IRIS_E_IO, "cannot read '%s':", a->path);
    if (n < PREFIX || memcmp(header, magic, MAGIC))
        return iris_fail(err, IRIS_E_DATA, "'%s' is not a version 1.0 array file", a->path);
    len = (size_t)(unsigned char)header[8] | (size_t)(unsigned char)header[9] << 8;
    if (PREFIX + len > (size_t)n)
        return iris_fail(err, IRIS_E_DATA, "'%s': the header is cut short or too long", a->path);
    header[PREFIX + len] = '\0';
    a->offset = PREFIX + len;
    st = parse_header(a, header + PREFIX, err);
    if (st)
        return st;
    if ((uint64_t)sb.st_size != a->offset + (uint64_t)a->count * a->item)
        return iris_fail(err, IRIS_E_DATA, "'%s' has %lld bytes where its header promises %llu",
                         a->path, (long long)sb.st_size,
                         (unsigned long long)a->offset + (uint64_t)a->count * a->item);
    return IRIS_OK;
}

enum iris_status
iris_npy_open(const char *path, struct iris_npy *a, struct iris_err *err)
{
    enum iris_status st;

    *a = (struct iris_npy){.fd = -1};
    a->path = strdup(path);
    if (!a->path)
        return iris_fail_memory(err);
    a->fd = open(path, O_RDONLY | O_NONBLOCK | O_CLOEXEC); /* no pipe is waited for */
    if (a->fd < 0)
        st = iris_fail(err, IRIS_E_IO, "cannot open '%s':", path);
    else
        st = read_header(a, err);
    if (st)
        iris_npy_close(a);
    return st;
}

void
iris_npy_close(struct iris_npy *a)
{
    if (a->fd >= 0 && a->path)
        close(a->fd);
    if (a->source)
        a->source->end(a->source);
    free(a->path);
    *a = (struct iris_npy){.fd = -1};
}

static enum iris_status
read_bytes(const struct iris_npy *a, uint64_t offset, size_t len, void *to, struct iris_err *err)
{
    char *p = to;

    if (a->source)
        return a->source->read(a->source, (size_t)(offset / sizeof(float)), len / sizeof(float), to,
                               err);
    while (len) {
        ssize_t n = pread(a->fd, p, len, (off_t)offset);

        if (n < 0 && errno == EINTR)
            continue;
        if (n < 0)
            return iris_fail(err, IRIS_E_IO, "cannot read '%s':", a->path);
        if (n == 0)
            return iris_fail(err, IRIS_E_DATA, "'%s' became shorter while it was read", a->path);
        p += n;
        offset += (uint64_t)n;
        len -= (size_t)n;
    }
    return IRIS_OK;
}

enum iris_status
iris_npy_hash_header(const struct iris_npy *a, struct iris_digest *hash, struct iris_err *err)
{
    char *header = malloc(a->offset);
    enum iris_status st;

    if (!header)
        return iris_fail_memory(err);
    st = read_bytes(a, 0, a->offset, header, err);
    if (!st)
        iris_digest_add(hash, header, a->offset);
    free(header);
    return st;
}

enum iris_status
iris_npy_read_f32(const struct iris_npy *a, size_t first, size_t n, float *out,
                  struct iris_err *err)
{
    double chunk[CHUNK / sizeof(double)];
    enum iris_status st = IRIS_OK;
    size_t i;

    if (a->item == sizeof *out)
        return read_bytes(a, a->offset + 4 * (uint64_t)first, n * sizeof *out, out, err);
    while (n && !st) {
        size_t part = n < CHUNK / sizeof(double) ? n : CHUNK / sizeof(double);

        st = read_bytes(a, a->offset + 8 * (uint64_t)first, part * sizeof *chunk, chunk, err);
        for (i = 0; !st && i < part; i++)
            out[i] = (float)chunk[i];
        out += part;
        first += part;
        n -= part;
    }
    return st;
}

enum iris_status
iris_npy_read_f64(const struct iris_npy *a, size_t first, size_t n, double *out,
                  struct iris_err *err)
{
    float chunk[CHUNK / sizeof(float)];
    enum iris_status st = IRIS_OK;
    size_t i;

    if (a->item == sizeof *out)
        return read_bytes(a, a->offset + 8 * (uint64_t)first, n * sizeof *out, out, err);
    while (n && !st) {
        size_t part = n < CHUNK / sizeof(float) ? n : CHUNK / sizeof(float);

        st = read_bytes(a, a->offset + 4 * (uint64_t)first, part * sizeof *chunk, chunk, err);
        for (i = 0; !st && i < part; i++)
            /* NOLINTNEXTLINE(clang-analyzer-core.uninitialized.Assign): no part is empty */
            out[i] = (double)chunk[i];
        out += part;
        first += part;
        n -= part;
    }
    return st;
}
