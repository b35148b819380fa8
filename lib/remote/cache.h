/* cache -- copies of snapshots in a directory of our own, near the computation.
 *
 *   CACHE/.iris-cache            says that the directory is ours
 *   CACHE/<snapshot>/<files>     the copy, under the names of the source
 *   CACHE/<snapshot>.tsv         the row of iris-fetch, where a workflow keeps it
 *
 * A file is there under its name only when it is whole and verified. It gets
 * the time of its source, by which a copy of an older file is told.
 */
#ifndef IRIS_CACHE_H
#define IRIS_CACHE_H

#include <stdint.h>

#include "buf.h"
#include "err.h"

/* Make a cache, or take one that is ours.
 *
 *   return  IRIS_OK
 *           IRIS_E_IO    cannot be made
 *           IRIS_E_DATA  a directory that is neither empty nor a cache, or one that
 *                        another user has made in /tmp or its like
 */
enum iris_status iris_cache_open(const char *cache, struct iris_err *err);

/* Copy one local file into CACHE/<snapshot>/ unless it is there.
 *
 *   out  copied  bytes that were copied now
 *
 *   return  IRIS_OK
 *           IRIS_E_IO    cannot be read or written
 *           IRIS_E_DATA  the source changed while it was copied, or the copy
 *                        is not what was read
 */
enum iris_status iris_cache_copy(const char *cache, const char *snapshot, const char *source,
                                 uint64_t *copied, struct iris_err *err);

/* Make the directory of a snapshot in the cache, which must be none that a link
 * leads to, and append the path that a source has in it. */
enum iris_status iris_cache_make(const char *cache, const char *snapshot, const char *source,
                                 struct iris_buf *path, struct iris_err *err);

/* The path that a source has in the cache, appended. */
void iris_cache_path(const char *cache, const char *snapshot, const char *source,
                     struct iris_buf *path);

/* The cache that a copy of a snapshot lies in, appended to *cache: local must be
 * <cache>/<snapshot>/<file>, and the cache one of ours.
 *
 *   return  1, 0 when it is not so, or below 0 when out of memory
 */
int iris_cache_of(const char *local, const char *snapshot, struct iris_buf *cache);

/* Remove the copy of a snapshot: only files in a directory of a cache that is
 * ours, only regular ones; nothing is followed. One that is not there is no
 * error. */
enum iris_status iris_cache_drop(const char *cache, const char *snapshot, struct iris_err *err);

#endif
