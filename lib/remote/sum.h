/* sum -- the SHA-256 of a file of another machine, computed there.
 *
 * Where the account has a shell, sha256sum is run by a command that never
 * changes; the name goes to its standard input, so that no shell sees it. The
 * work there goes on while the file is copied.
 */
#ifndef IRIS_SUM_H
#define IRIS_SUM_H

#include <stddef.h>
#include <stdint.h>

#include "err.h"
#include "sftp.h"

#define IRIS_SHA256_TEXT 65 /* 64 digits and a NUL */

struct iris_sum {
    struct iris_ssh_way way;
    struct iris_ssh ssh;
};

/* Ask for the sum of a file.
 *
 *   in  bytes  its size: more time for more bytes
 *
 *   return  as iris_sftp functions; IRIS_E_IO when the server has no absolute path
 *           for it, so that there will be no sum
 *   owns    iris_sum_close, safe on a zeroed struct and twice
 */
enum iris_status iris_sum_start(struct iris_sum *s, struct iris_sftp *sftp, const char *path,
                                uint64_t bytes, struct iris_err *err);

/* Wait for it.
 *
 *   return  IRIS_OK
 *           IRIS_E_REMOTE  there was none: no shell, no such program; the
 *                          sentence says so
 *           IRIS_E_RETRY   stopped
 */
enum iris_status iris_sum_take(struct iris_sum *s, char text[IRIS_SHA256_TEXT],
                               struct iris_err *err);
void iris_sum_close(struct iris_sum *s);

/* The sentence for a machine that has no sums.
 *
 *   return  IRIS_E_REMOTE
 */
enum iris_status iris_sum_none(const char *host, struct iris_err *err);

/* The same of what is given piece by piece here. */
struct iris_sha256;
struct iris_sha256 *iris_sha256_new(void); /* NULL: no memory */
void iris_sha256_add(void *self, const void *data, size_t n);
/* The sum of all; frees it. */
void iris_sha256_end(struct iris_sha256 *h, char text[IRIS_SHA256_TEXT]);

#endif
