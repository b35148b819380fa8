/* hold -- who uses a cache at present.
 *
 *   CACHE/.iris-cache    locked by those who write: several who only add to it,
 *                        or one whose cache it is alone
 *   CACHE/.iris-readers  locked by those who read from it
 *   CACHE/.iris-private  there when the cache is of one run only
 *
 * Locks are those of flock(2) and end with the process that has them, however it
 * ends. Where a file system has no locks everybody gets one and nobody is seen.
 */
#ifndef IRIS_HOLD_H
#define IRIS_HOLD_H

#include "buf.h"
#include "err.h"

enum iris_hold_role {
    IRIS_HOLD_READ,  /* its copies are read */
    IRIS_HOLD_ADD,   /* copies are added, beside others who do */
    IRIS_HOLD_ALONE, /* the cache is this run's: no other writer, no reader but its own */
};

struct iris_hold {
    char *cache;
    int fd; /* -1: none */
};
#define IRIS_HOLD_INIT                                                                             \
    {                                                                                              \
        NULL, -1                                                                                   \
    }

/* Take a cache that exists, until iris_hold_end or death.
 *
 *   in  wait_ms  how long to wait for others to leave it
 *
 *   return  IRIS_OK
 *           IRIS_E_RETRY  in use; for IRIS_HOLD_ALONE by a reader as well
 *           IRIS_E_IO     no cache, or cannot be opened
 *   owns    iris_hold_end, safe on IRIS_HOLD_INIT and twice
 */
enum iris_status iris_hold_take(struct iris_hold *h, const char *cache, enum iris_hold_role role,
                                int wait_ms, struct iris_err *err);

/* Leave. The last one to leave a private cache removes it. */
void iris_hold_end(struct iris_hold *h);

/* Whether anybody reads from the cache at present. */
int iris_hold_is_read(const char *cache);

/* Make a private cache below a directory, PARENT/iris-<uid>-XXXXXX, for this
 * user only, and take it alone. Those of runs that were killed are removed
 * before: private ones of this user that nobody holds.
 *
 *   owns  iris_hold_end; h->cache is the path
 */
enum iris_status iris_hold_private(struct iris_hold *h, const char *parent, struct iris_err *err);

#endif
