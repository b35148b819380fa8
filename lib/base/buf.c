#include "buf.h"

#include <stdarg.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

struct iris_buf
iris_buf_in(char *memory, size_t cap)
{
    memory[0] = '\0';
    return (struct iris_buf){.data = memory, .cap = cap, .is_fixed = 1};
}

void
iris_buf_release(struct iris_buf *b)
{
    if (!b->is_fixed)
        free(b->data);
    *b = (struct iris_buf){0};
}

void
iris_buf_clear(struct iris_buf *b)
{
    b->len = 0;
    if (b->data)
        b->data[0] = '\0';
}

static int
reserve(struct iris_buf *b, size_t more)
{
    size_t cap = b->cap ? b->cap : 64;
    char *data;

    if (b->failed || more > SIZE_MAX / 2 - b->len) {
        b->failed = 1;
        return -1;
    }
    while (cap < b->len + more + 1)
        cap *= 2;
    if (cap == b->cap)
        return 0;
    data = b->is_fixed ? NULL : realloc(b->data, cap);
    if (!data) {
        b->failed = 1;
        return -1;
    }
    b->data = data;
    b->cap = cap;
    return 0;
}

void
iris_buf_append(struct iris_buf *b, const void *data, size_t len)
{
    if (reserve(b, len))
        return;
    if (len)
        memcpy(b->data + b->len, data, len);
    b->len += len;
    b->data[b->len] = '\0';
}

void
iris_buf_puts(struct iris_buf *b, const char *s)
{
    iris_buf_append(b, s, strlen(s));
}

void
iris_buf_putc(struct iris_buf *b, char c)
{
    iris_buf_append(b, &c, 1);
}

void
iris_buf_put_plain(struct iris_buf *b, const char *s)
{
    for (; *s; s++) {
        if ((unsigned char)*s < ' ' || *s == 0x7f)
            iris_buf_printf(b, "\\x%02x", (unsigned)(unsigned char)*s);
        else
            iris_buf_putc(b, *s);
    }
}

void
iris_buf_printf(struct iris_buf *b, const char *fmt, ...)
{
    va_list ap;
    int n;

    va_start(ap, fmt);
    n = vsnprintf(NULL, 0, fmt, ap);
    va_end(ap);
    if (n < 0 || reserve(b, (size_t)n))
        return;
    va_start(ap, fmt);
    vsnprintf(b->data + b->len, (size_t)n + 1, fmt, ap);
    va_end(ap);
    b->len += (size_t)n;
}

const char *
iris_buf_str(const struct iris_buf *b)
{
    return b->data ? b->data : "";
}

enum iris_status
iris_buf_check(const struct iris_buf *b, struct iris_err *err)
{
    if (b->failed)
        return iris_fail_memory(err);
    return IRIS_OK;
}

char *
iris_format(const char *fmt, ...)
{
    va_list ap;
    char *s;
    int n;

    va_start(ap, fmt);
    n = vsnprintf(NULL, 0, fmt, ap);
    va_end(ap);
    if (n < 0)
        return NULL;
    s = malloc((size_t)n + 1);
    if (!s)
        return NULL;
    va_start(ap, fmt);
    vsnprintf(s, (size_t)n + 1, fmt, ap);
    va_end(ap);
    return s;
}
