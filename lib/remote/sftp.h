/* sftp -- files of another machine, by the sftp subsystem of its ssh server.
 *
 * The protocol is version 3 of draft-ietf-secsh-filexfer-02, which OpenSSH
 * serves; only what reading needs. Names are bytes, whatever they hold. Paths
 * that are not absolute begin in the home directory; so does "~/".
 *
 * Statuses of every function, unless said otherwise:
 *   IRIS_OK
 *   IRIS_E_IO      the server refuses: missing, no permission; the session goes on
 *   IRIS_E_REMOTE  the connection is lost or talks nonsense; only close is left
 *   IRIS_E_RETRY   stopped
 */
#ifndef IRIS_SFTP_H
#define IRIS_SFTP_H

#include <stddef.h>
#include <stdint.h>

#include "buf.h"
#include "err.h"
#include "place.h"
#include "ssh.h"

struct iris_sftp {
    struct iris_ssh ssh;
    uint32_t id; /* of the last request */
    unsigned char *in;
    size_t begin, end; /* of what has come and was not taken yet */
};

/* Connect; also IRIS_E_DATA when host is no name of one.
 *
 *   owns  iris_sftp_close, after a failure too, safe on a zeroed struct and twice
 */
enum iris_status iris_sftp_open(struct iris_sftp *s, const struct iris_ssh_way *way,
                                const char *host, struct iris_err *err);
void iris_sftp_close(struct iris_sftp *s);
int iris_sftp_is_open(const struct iris_sftp *s);

/* The names of the machine as a place. Valid while the session is open. */
struct iris_place iris_sftp_place(struct iris_sftp *s);

/* The absolute path of a name, appended. */
enum iris_status iris_sftp_real_path(struct iris_sftp *s, const char *path, struct iris_buf *real,
                                     struct iris_err *err);

/* A file opened to be read; `path` of the message only. */
struct iris_sftp_file {
    unsigned char handle[256];
    uint32_t handle_size;
    const char *path;
};
enum iris_status iris_sftp_file_open(struct iris_sftp *s, const char *path,
                                     struct iris_sftp_file *f, struct iris_err *err);
enum iris_status iris_sftp_file_look(struct iris_sftp *s, const struct iris_sftp_file *f,
                                     struct iris_place_file *file, struct iris_err *err);
enum iris_status iris_sftp_file_close(struct iris_sftp *s, const struct iris_sftp_file *f,
                                      struct iris_err *err);

/* Ask for bytes, at most IRIS_SFTP_READ, without waiting for them. Nothing but
 * iris_sftp_take may follow until all answers are in.
 *
 *   out  id  of the request
 */
#define IRIS_SFTP_READ 32768
enum iris_status iris_sftp_ask(struct iris_sftp *s, const struct iris_sftp_file *f, uint64_t offset,
                               uint32_t size, uint32_t *id, struct iris_err *err);

/* The next answer to one of these requests, in whatever order.
 *
 *   out  id    whose answer it is
 *   out  data  [n] valid until the next call; n is 0 at the end of the file, and
 *              may be less than was asked for
 *
 *   return  IRIS_E_IO  the file cannot be read; other answers may be to come
 */
enum iris_status iris_sftp_take(struct iris_sftp *s, const struct iris_sftp_file *f, uint32_t *id,
                                const unsigned char **data, size_t *n, struct iris_err *err);

#endif
