/* fuzz -- what the targets of `make fuzz` share.
 *
 * A target is a file fuzz_<reader>.c with LLVMFuzzerTestOneInput, which gives bytes to a
 * reader. It is linked twice: with libFuzzer, which looks for bytes that end in a fault,
 * and with replay.c, which tries those that are known and some near them as a test. Both
 * take an abort for a fault.
 */
#ifndef FUZZ_H
#define FUZZ_H

#include <stddef.h>
#include <stdint.h>

#include "buf.h"
#include "err.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

/* Changed inputs that the test tries for each that is known: what takes a second or so
 * for all. Every target has its own. */
extern const unsigned fuzz_mutants;

/* Append input i of those that a target makes itself to begin with.
 *
 *   return  0: there are no more. A target without the function has none.
 */
int fuzz_seed(size_t i, struct iris_buf *out);

/* ---- what is always so ---- */

/* Abort unless ok. */
void fuzz_need(int ok, const char *what);

/* Abort unless a failure has a sentence, and is none that cannot happen. */
void fuzz_status(enum iris_status st, const struct iris_err *err);

/* ---- files ---- */

/* A file of these bytes in fuzz_directory; the same one each time.
 *
 *   return  its path, valid for good
 */
const char *fuzz_file(const void *data, size_t size);

/* A directory, empty at first, that is removed at the end. */
const char *fuzz_directory(void);

/* The path of a file in it; one at a time. */
const char *fuzz_in(const char *name);

/* Put text into such a file, not durable. */
void fuzz_put(const char *name, const void *data, size_t size);

/* Append a whole file; it must be there. */
void fuzz_get(const char *path, struct iris_buf *out);

/* ---- decisions ---- */

/* The bytes of an input, taken one after the other; 0 behind their end. */
struct fuzz_bytes {
    const uint8_t *at, *end;
};

/* One of n, below 256. */
size_t fuzz_take(struct fuzz_bytes *b, size_t n);

/* Any number: one of those that matter, or eight bytes as they are. */
double fuzz_number(struct fuzz_bytes *b);

#endif
