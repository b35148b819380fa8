/* real -- what every library to preload needs: the function behind its own, and the
 * arguments of open. */
#ifndef TESTS_REAL_H
#define TESTS_REAL_H

#include <dlfcn.h>
#include <fcntl.h>
#include <stdarg.h>
#include <sys/types.h>

/* A pointer to what has that name in the library behind this one. */
static inline void *
real(const char *name)
{
    return dlsym(RTLD_NEXT, name);
}

static inline mode_t
mode_of(int flags, va_list more)
{
    return flags & O_CREAT ? (mode_t)va_arg(more, int) : 0;
}

#endif
