/* fuzz_h5 -- HDF5 files that are sound, but hold what nobody has written: a good file,
 * changed through the library of HDF5 as the bytes of an input say. Bytes of a
 * file are never changed, which would look for faults of that library.
 */
#ifndef FUZZ_H5_H
#define FUZZ_H5_H

#include "buf.h"
#include "fuzz.h"

/* A good file, and the names of what is in it. */
struct fuzz_h5 {
    struct iris_buf image;
    char **name; /* [n] */
    size_t n;
};

/* Take in a file; for good. */
void fuzz_h5_begin(struct fuzz_h5 *good, const char *path);

/* Change it.
 *
 *   inout  b  the changes: up to eight
 *
 *   return  the path of the changed file, which is that of fuzz_file
 */
const char *fuzz_h5_change(const struct fuzz_h5 *good, struct fuzz_bytes *b);

/* See that all is closed that was opened since. */
void fuzz_h5_closed(void);

#endif
