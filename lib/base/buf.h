/* buf -- a byte string that grows.
 *
 * Always terminated by a NUL that is not counted in len. A failed allocation
 * is remembered and reported once, by iris_buf_check, so that a chain of
 * appends needs one test.
 *
 *   lifetime  zero-initialise; iris_buf_release frees, safe on zeroed and twice.
 *             Or iris_buf_in: in memory of somebody else, which cannot fail for want of
 *             it; an append that has no room there fails
 */
#ifndef IRIS_BUF_H
#define IRIS_BUF_H

#include <stddef.h>

#include "err.h"

struct iris_buf {
    char *data; /* NULL while empty and never grown */
    size_t len;
    size_t cap;
    int failed;
    int is_fixed; /* data is somebody else's */
};

/* An empty one in memory that stays the caller's. */
struct iris_buf iris_buf_in(char *memory, size_t cap);

void iris_buf_release(struct iris_buf *b);

/* Forget the content, keep the memory. */
void iris_buf_clear(struct iris_buf *b);

void iris_buf_append(struct iris_buf *b, const void *data, size_t len);
void iris_buf_puts(struct iris_buf *b, const char *s);
void iris_buf_putc(struct iris_buf *b, char c);

/* Append a name for people: control characters are written \xNN, so that it stays
 * on its line whatever it holds. */
void iris_buf_put_plain(struct iris_buf *b, const char *s);
void iris_buf_printf(struct iris_buf *b, const char *fmt, ...)
    __attribute__((format(printf, 2, 3)));

/* The content as a C string, "" while empty. Valid until the next append. */
const char *iris_buf_str(const struct iris_buf *b);

/*   return  IRIS_OK
 *           IRIS_E_IO  an append ran out of memory; the content is not complete
 */
enum iris_status iris_buf_check(const struct iris_buf *b, struct iris_err *err);

/* A formatted string in memory of its own.
 *
 *   return  NULL when out of memory
 *   owns    the caller, with free()
 */
char *iris_format(const char *fmt, ...) __attribute__((format(printf, 1, 2)));

#endif
