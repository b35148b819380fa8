/* digest -- XXH3 hashes of 128 bits, written as 32 hexadecimal digits.
 *
 * They tell contents apart and notice damage; they are no protection against
 * someone who wants two contents to look alike. `xxh128sum` prints the same.
 */
#ifndef IRIS_DIGEST_H
#define IRIS_DIGEST_H

#include <stddef.h>
#include <stdint.h>

#include "err.h"

#define IRIS_DIGEST_TEXT 33 /* 32 digits and a NUL */

struct iris_digest; /* a running hash */

/*   return  NULL when out of memory
 *   owns    the caller, with iris_digest_free
 */
struct iris_digest *iris_digest_new(void);
void iris_digest_free(struct iris_digest *d);
void iris_digest_add(struct iris_digest *d, const void *data, size_t len);

/* The hash of all bytes so far; more may be added afterwards. */
void iris_digest_text(const struct iris_digest *d, char text[IRIS_DIGEST_TEXT]);

/* The hash of one piece of memory. */
void iris_digest_memory(const void *data, size_t len, char text[IRIS_DIGEST_TEXT]);

/* A 64-bit hash (XXH3) of a string under a seed: for orders and draws. */
uint64_t iris_hash64(uint64_t seed, const char *s);

/* The hash of a whole file, streamed.
 *
 *   return  IRIS_OK
 *           IRIS_E_IO  the file cannot be read; text untouched
 */
enum iris_status iris_digest_file(const char *path, char text[IRIS_DIGEST_TEXT],
                                  struct iris_err *err);

#endif
