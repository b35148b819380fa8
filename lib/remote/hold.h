/* hold -- who uses a cache at present.
 *
 *   CACHE/.iris-cache    locked by those who write: several who only add to it,
 *                        or one whose cache it is alone
 *   CACHE/.iris-readers  locked by those who read from it
 *   CACHE/.iris-private  there when the cache is of one run only; locked by who
 *                        makes it, and by who looks whether it can go
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
    IRIS_HOLD_ALONE, /* the cache is this run's: no other writer, and no reader who
                        was there before */
};

struct iris_hold {
    char *cache; /* NULL: none is held */
    int fd;      /* -1: none, or a cache of a file system without locks */
};
#define IRIS_HOLD_INIT                                                                             \
    {                                                                                              \
        NULL, -1                                                                                   \
    }

/* Take a cache that exists, until iris_hold_end or death.
 *
 *   in  wait_ms  how long to wait for others to leave it; for a reader some time
 *                is due, since others look for readers by a lock of a moment
 *
 *   return  IRIS_OK
 *           IRIS_E_RETRY  in use; for IRIS_HOLD_ALONE by a reader as well
 *           IRIS_E_IO     no cache, or cannot be opened; nothing is held
 *   owns    iris_hold_end, safe on IRIS_HOLD_INIT and twice
 */
enum iris_status iris_hold_take(struct iris_hold *h, const char *cache, enum iris_hold_role role,
                                int wait_ms, struct iris_err *err);

/* Leave. The last one to leave a private cache of this user removes it: its
 * copies, the manifests <id>.tsv, the sockets in .iris-ssh and its own files. What
 * else there is stays, and the cache with it; no link is followed. */
void iris_hold_end(struct iris_hold *h);

/* Whether anybody reads from the cache at present. */
int iris_hold_is_read(const char *cache);

/* Make a private cache below a directory, PARENT/iris-<uid>-XXXXXX, for this
 * user only, and take it alone. Those of runs that were killed are removed
 * before: private ones of this user that nobody holds.
 *
 *   return  IRIS_OK
 *           IRIS_E_IO  cannot be made; or there are no locks, so that nobody could
 *                      tell when it is to be removed
 *   owns    iris_hold_end; h->cache is the path
 */
enum iris_status iris_hold_private(struct iris_hold *h, const char *parent, struct iris_err *err);

#endif
