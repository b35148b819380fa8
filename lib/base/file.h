/* file -- files that appear under their name only when complete.
 *
 * Calling sequence: open, any number of writes, commit. Content goes to
 * "NAME.tmp" beside NAME; commit makes it durable (fsync), renames it and
 * makes the rename durable. A program killed at any moment leaves NAME as it
 * was, and at most a "NAME.tmp" that the next run takes over. Two programs
 * that write one name at once are told apart by a lock on the temporary file:
 * the second one fails.
 *
 * In a directory of everybody's another user may have put something under
 * "NAME.tmp". Only a regular file of this user with no other name is taken over;
 * a link is an error, and all else is removed, or is an error where it cannot be.
 */
#ifndef IRIS_FILE_H
#define IRIS_FILE_H

#include <stddef.h>
#include <stdint.h>

#include "buf.h"
#include "err.h"

#define IRIS_TMP_SUFFIX ".tmp"

struct iris_outfile {
    char *path;
    char *tmp;
    int fd; /* -1 when closed */
};
#define IRIS_OUTFILE_INIT                                                                          \
    {                                                                                              \
        NULL, NULL, -1                                                                             \
    }

/* Is name, in the directory dir or of AT_FDCWD, the name of the open file? By the time
 * a lock is granted it may be another one's, for who held the lock took it away. No
 * link is followed. */
int iris_file_has_name(int fd, int dir, const char *name);

/* Open a file that is written in place: a lock, or lines that are added. It must be a
 * regular file under its own name: no link is followed, and no pipe waited for.
 *
 *   in   flags  of open(2); O_CREAT makes it
 *
 *   return  a descriptor, or -1 with errno set: ELOOP for a link, EINVAL, ENXIO or EISDIR
 *           for what is no regular file
 */
int iris_file_open(const char *path, int flags);

/*   in   path  a regular file or nothing; its directory must exist
 *
 *   return  IRIS_OK
 *           IRIS_E_IO     cannot be created
 *           IRIS_E_RETRY  another program is writing it now
 *   owns    the caller ends it with commit or abort; both are safe on a
 *           struct set to IRIS_OUTFILE_INIT
 */
enum iris_status iris_outfile_open(struct iris_outfile *f, const char *path, struct iris_err *err);

/* As iris_outfile_open, but what a run that was stopped has left in the
 * temporary file is still in it; and end it so that the next one finds it. */
enum iris_status iris_outfile_resume(struct iris_outfile *f, const char *path,
                                     struct iris_err *err);
void iris_outfile_leave(struct iris_outfile *f);

/* Set the size at once, so that a full disk is met early where it can be. */
enum iris_status iris_outfile_reserve(struct iris_outfile *f, uint64_t size, struct iris_err *err);

/* Append, or write at an offset, all of len bytes. */
enum iris_status iris_outfile_write(struct iris_outfile *f, const void *data, size_t len,
                                    struct iris_err *err);
enum iris_status iris_outfile_pwrite(struct iris_outfile *f, const void *data, size_t len,
                                     uint64_t offset, struct iris_err *err);

/* Make what was written so far durable; the file goes on. */
enum iris_status iris_outfile_sync(struct iris_outfile *f, struct iris_err *err);

/* Publish. On failure the temporary file is removed and NAME is untouched; but
 * when only the last step fails, the one that makes the rename durable, NAME is
 * the new file. */
enum iris_status iris_outfile_commit(struct iris_outfile *f, struct iris_err *err);

/* Give up: remove the temporary file, leave NAME untouched. */
void iris_outfile_abort(struct iris_outfile *f);

/* Open, write, commit in one call. */
enum iris_status iris_write_file(const char *path, const void *data, size_t len,
                                 struct iris_err *err);

/* As iris_write_file, but a file that has these bytes already is left alone,
 * with its times. */
enum iris_status iris_write_file_if_changed(const char *path, const void *data, size_t len,
                                            struct iris_err *err);

/* The whole of a regular file or stream appended to b.
 *
 *   in   path  "-" is standard input
 *   in   max   refuse more bytes than this with IRIS_E_DATA
 */
enum iris_status iris_read_file(const char *path, size_t max, struct iris_buf *b,
                                struct iris_err *err);

/* The last part of a path, which is the path itself where it has no other. */
const char *iris_file_name(const char *path);

/* The part before it, as it is written; "." where there is none.
 *
 *   return  NULL when out of memory
 *   owns    the caller, with free()
 */
char *iris_file_parent(const char *path);

/* Create a directory and its missing parents, each made durable. */
enum iris_status iris_mkdirs(const char *path, struct iris_err *err);

/* A second name for a file, made by link and rename; an existing name is
 * replaced. Where the file system has no hard links the file is copied. */
enum iris_status iris_link_file(const char *from, const char *to, struct iris_err *err);

/* Remove a file; one that is not there is no error. */
enum iris_status iris_remove_file(const char *path, struct iris_err *err);

/* Make the entries of a directory durable. */
enum iris_status iris_sync_dir(const char *path, struct iris_err *err);

#endif
