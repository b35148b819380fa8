/* pieces -- a file that comes in pieces, over several runs.
 *
 * Behind the data of the temporary file stand which source they are of and the
 * hash of every piece that has come. So the next run knows what it can keep:
 * the pieces whose bytes are what they were. What was cut, damaged or never
 * reached the disk is fetched again, and nothing else.
 *
 *   0                the data, source->bytes
 *   source->bytes    a line of IRIS_PIECES_HEAD bytes: "iris-pieces 1 HASH", the
 *                    hash of the source's name, size and time
 *   ...              for each piece 32 hexadecimal digits (XXH128), or zeros
 */
#ifndef IRIS_PIECES_H
#define IRIS_PIECES_H

#include <stddef.h>
#include <stdint.h>

#include "digest.h"
#include "err.h"
#include "file.h"
#include "place.h"

#define IRIS_PIECE       ((size_t)256 << 10)
#define IRIS_PIECES_HEAD 48
#define IRIS_PIECES_HASH (IRIS_DIGEST_TEXT - 1)

struct iris_pieces {
    struct iris_outfile *out;
    uint64_t bytes;
    size_t n;
    char (*hash)[IRIS_DIGEST_TEXT]; /* [n]; "": has not come */
    unsigned char *buffer;          /* [IRIS_PIECE] */
    int is_noted;                   /* the hashes are in the file */
};

/* What stands behind the data of a file, in bytes. */
uint64_t iris_pieces_notes(uint64_t bytes);

/* Begin with what out, from iris_outfile_resume, has of a source.
 *
 *   in   name   of the source, with its machine
 *   in   noted  0: keep no hashes in the file, so that it takes no more room
 *               than its data; nothing can be resumed then
 *   out  lost   bytes that had come and are damaged
 *
 *   return  IRIS_OK
 *           IRIS_E_IO  no room, cannot be read; more than 32 TiB
 *   owns    iris_pieces_release; out is the caller's all the time
 */
enum iris_status iris_pieces_open(struct iris_pieces *p, struct iris_outfile *out, const char *name,
                                  const struct iris_place_file *source, int noted, uint64_t *lost,
                                  struct iris_err *err);
void iris_pieces_release(struct iris_pieces *p);

/* The first piece from k on that has not come; n when there is none. */
size_t iris_pieces_next(const struct iris_pieces *p, size_t k);
size_t iris_pieces_size(const struct iris_pieces *p, size_t k);

/* A piece has come. */
enum iris_status iris_pieces_put(struct iris_pieces *p, size_t k, const void *data,
                                 struct iris_err *err);

/* Read all that has come back, piece by piece, and give it to `take`, unless that is
 * NULL. One whose bytes have changed has not come.
 *
 *   in   take  returns whether to go on
 *   out  lost  bytes of those
 *
 *   return  IRIS_OK
 *           IRIS_E_IO     cannot be read
 *           IRIS_E_RETRY  stopped by take
 */
enum iris_status iris_pieces_check(struct iris_pieces *p,
                                   int (*take)(void *self, const void *data, size_t n), void *self,
                                   uint64_t *lost, struct iris_err *err);

/* Leave the data alone in the file, for iris_outfile_commit. */
enum iris_status iris_pieces_finish(struct iris_pieces *p, struct iris_err *err);

#endif
