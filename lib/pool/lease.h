/* lease -- things of a node that few processes may use at a time, such as GPUs.
 *
 * A thing has slots; who holds one of them has a lease. It is a lock of flock(2) on a
 * file in memory, so that it ends with the process that holds it, however that one
 * ends. Processes that have nothing else to do with each other exclude each other, as
 * long as they are of the same user.
 *
 *   /dev/shm/iris-UID-gpu-NAME-SLOT   there while somebody holds it
 *
 * No MPI is needed.
 */
#ifndef IRIS_LEASE_H
#define IRIS_LEASE_H

#include <stddef.h>

#include "err.h"

struct iris_lease {
    int fd;      /* -1: none */
    size_t what; /* index of the thing that it is of */
    char path[128];
};
#define IRIS_LEASE_INIT                                                                            \
    {                                                                                              \
        .fd = -1                                                                                   \
    }

/* What would do. */
struct iris_lease_law {
    size_t n;
    const char *const *name; /* [n] of things: letters, digits and . : - */
    size_t slots;            /* of each */
    size_t first;            /* the one that is looked at first */
    double patience;         /* seconds that it is waited for alone */
};

/* Wait until a slot is free, and take it.
 *
 *   in   pause  called while it waits; nonzero stops
 *   out  l      there was none
 *
 *   return  IRIS_OK
 *           IRIS_E_RETRY  pause said stop
 *           IRIS_E_IO     a file cannot be made, or somebody else has put something
 *                         in its place: links are not followed
 *   owns    iris_lease_end; safe on IRIS_LEASE_INIT and twice
 */
enum iris_status iris_lease_take(struct iris_lease *l, const struct iris_lease_law *law,
                                 int (*pause)(void *), void *self, struct iris_err *err);
void iris_lease_end(struct iris_lease *l);

#endif
