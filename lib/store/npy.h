/* npy -- NumPy array files, version 1.0, little-endian, C order.
 *
 * Written: '<f4' only, header padded to a multiple of 64 bytes as NumPy does.
 * Read: '<f4' and '<f8', converted.
 */
#ifndef IRIS_NPY_H
#define IRIS_NPY_H

#include <stddef.h>
#include <stdint.h>

#include "buf.h"
#include "digest.h"
#include "err.h"
#include "file.h"

#define IRIS_NPY_DIMS 8

struct iris_shape {
    size_t n; /* dimensions */
    size_t dim[IRIS_NPY_DIMS];
};

int iris_shape_equal(const struct iris_shape *a, const struct iris_shape *b);

/* "(1, 512, 512)" as NumPy writes it. */
char *iris_shape_text(const struct iris_shape *s, char *text, size_t size);

/* Elements of a shape.
 *
 *   return  IRIS_OK, or IRIS_E_DATA when they do not fit into a size_t of bytes
 */
enum iris_status iris_shape_count(const struct iris_shape *s, size_t *count, struct iris_err *err);

/* Put the header that every array file of ours has into an empty buffer. */
void iris_npy_header(const struct iris_shape *shape, struct iris_buf *b);

/* Start a file: header written, room reserved. Data is then written at
 * *offset + 4 * element with iris_outfile_pwrite, and published with commit. */
enum iris_status iris_npy_create(struct iris_outfile *f, const char *path,
                                 const struct iris_shape *shape, uint64_t *offset,
                                 struct iris_err *err);

/* A whole array in one go, published when complete. */
enum iris_status iris_npy_write(const char *path, const struct iris_shape *shape, const float *data,
                                struct iris_err *err);

/* Values of singles that are elsewhere than in an array file; see iris_container_array. */
struct iris_npy_source {
    enum iris_status (*read)(const struct iris_npy_source *self, size_t first, size_t n, float *out,
                             struct iris_err *err);
    void (*end)(struct iris_npy_source *self);
};

struct iris_npy {
    struct iris_shape shape;
    size_t count;    /* elements */
    size_t item;     /* bytes of one in the file: 4 or 8 */
    uint64_t offset; /* of the data */
    int fd;
    char *path;
    struct iris_npy_source *source; /* NULL: in the file */
};

/* Open for reading; the header is checked against the size of the file.
 *
 *   return  IRIS_OK
 *           IRIS_E_IO    missing or unreadable
 *           IRIS_E_DATA  not an array file of this kind, cut short or too long
 *   owns    iris_npy_close; safe after a failed open
 */
enum iris_status iris_npy_open(const char *path, struct iris_npy *a, struct iris_err *err);
void iris_npy_close(struct iris_npy *a);

/* Add the bytes of the header to a hash: with the values as they are in the
 * file they make the hash of the file. */
enum iris_status iris_npy_hash_header(const struct iris_npy *a, struct iris_digest *hash,
                                      struct iris_err *err);

/* Elements [first, first + n), converted. */
enum iris_status iris_npy_read_f32(const struct iris_npy *a, size_t first, size_t n, float *out,
                                   struct iris_err *err);
enum iris_status iris_npy_read_f64(const struct iris_npy *a, size_t first, size_t n, double *out,
                                   struct iris_err *err);

#endif
