/* copy -- a file of another machine into a cache, whole or not at all. */
#ifndef IRIS_COPY_H
#define IRIS_COPY_H

#include <stdatomic.h>
#include <stdint.h>

#include "err.h"
#include "place.h"
#include "sftp.h"

/* What a copy is compared with. */
enum iris_verify {
    IRIS_VERIFY_AUTO,   /* the source's sha256 where it can be had, else as size */
    IRIS_VERIFY_SHA256, /* that, and nothing less */
    IRIS_VERIFY_SIZE    /* size and time */
};

/* May be read while a copy goes on. */
struct iris_copied {
    _Atomic uint64_t received; /* bytes of data that came */
    _Atomic uint64_t again;    /* of these, such as had come before and were lost */
};

struct iris_copy {
    enum iris_verify verify;
    int noted;      /* what has come is kept when the copy is cut, see pieces.h */
    int has_no_sum; /* inout: the machine was found to compute no sha256 */
    int is_other;   /* out: it failed because the sha256 was another */
    struct iris_copied *copied;
};

/* Copy a file to target. What has come stays, as TARGET.tmp, when the
 * connection is lost or the run stopped, and is not fetched again.
 *
 *   in   source  size and time it must have, from iris_place.look
 *
 *   return  IRIS_OK        TARGET is whole, with the time of its source
 *           IRIS_E_IO      missing or unreadable there; changed; no room here; not
 *                          what the source's sha256 says
 *           IRIS_E_REMOTE  the connection is lost, or --verify=sha256 cannot be
 *           IRIS_E_RETRY   stopped, or another program is copying it
 *           After any failure the session is only good to be closed.
 */
enum iris_status iris_copy_file(struct iris_copy *c, struct iris_sftp *sftp, const char *path,
                                const struct iris_place_file *source, const char *target,
                                struct iris_err *err);

#endif
