#include "err.h"

#include <errno.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

enum iris_status
iris_fail(struct iris_err *err, enum iris_status status, const char *fmt, ...)
{
    int saved = errno;
    size_t len;
    va_list ap;

    if (!err)
        return status;
    va_start(ap, fmt);
    vsnprintf(err->msg, sizeof err->msg, fmt, ap);
    va_end(ap);
    err->status = status;
    err->is_memory = 0;
    len = strlen(err->msg);
    if (fmt[0] && fmt[strlen(fmt) - 1] == ':' && len < sizeof err->msg)
        snprintf(err->msg + len, sizeof err->msg - len, " %s", strerror(saved));
    return status;
}

enum iris_status
iris_fail_in(struct iris_err *err, const char *fmt, ...)
{
    char sentence[sizeof err->msg];
    size_t len;
    va_list ap;

    memcpy(sentence, err->msg, sizeof sentence);
    va_start(ap, fmt);
    vsnprintf(err->msg, sizeof err->msg, fmt, ap);
    va_end(ap);
    len = strlen(err->msg);
    snprintf(err->msg + len, sizeof err->msg - len, ": %s", sentence);
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
