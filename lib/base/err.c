#include "err.h"

#include <errno.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

/* Of two paths and what is said of them. */
enum { LONGEST = 3 * 4096, REASON = 128 };

/* The beginning and the end of a sentence: who names something by a path that is too
 * long is to see the reason all the same. No character of UTF-8 is cut. */
static void
keep(struct iris_err *err, const char *text)
{
    static const char gap[] = " ... ";
    size_t len = strlen(text), most = sizeof err->msg - 1;
    size_t head = (most - strlen(gap)) / 2, tail = len - head;

    if (len <= most) {
        memcpy(err->msg, text, len + 1);
        return;
    }
    while (head && ((unsigned char)text[head] & 0xc0) == 0x80)
        head--;
    while (text[tail] && ((unsigned char)text[tail] & 0xc0) == 0x80)
        tail++;
    snprintf(err->msg, sizeof err->msg, "%.*s%s%s", (int)head, text, gap, text + tail);
}

enum iris_status
iris_fail(struct iris_err *err, enum iris_status status, const char *fmt, ...)
{
    int saved = errno;
    char text[LONGEST + REASON];
    size_t len;
    va_list ap;

    if (!err)
        return status;
    va_start(ap, fmt);
    vsnprintf(text, LONGEST, fmt, ap);
    va_end(ap);
    err->status = status;
    err->is_memory = 0;
    len = strlen(text);
    if (fmt[0] && fmt[strlen(fmt) - 1] == ':')
        snprintf(text + len, sizeof text - len, " %s", strerror(saved));
    keep(err, text);
    return status;
}

enum iris_status
iris_fail_in(struct iris_err *err, const char *fmt, ...)
{
    char text[LONGEST];
    size_t len;
    va_list ap;

    va_start(ap, fmt);
    vsnprintf(text, sizeof text - sizeof err->msg - 2, fmt, ap);
    va_end(ap);
    len = strlen(text);
    snprintf(text + len, sizeof text - len, ": %s", err->msg);
    keep(err, text);
    return err->status;
}

enum iris_status
iris_fail_memory(struct iris_err *err)
{
    iris_fail(err, IRIS_E_IO, "out of memory");
    if (err)
        err->is_memory = 1;
    return IRIS_E_IO;
}
