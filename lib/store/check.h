/* check -- is a published data set whole? Promise by promise; see
 * iris-dataset(5).
 */
#ifndef IRIS_CHECK_H
#define IRIS_CHECK_H

#include <stddef.h>

#include "err.h"

struct iris_check {
    /* Called for each promise that is broken, with one sentence. */
    void (*broken)(void *self, const char *sentence);
    /* Called after each entry; nonzero stops. NULL: never. */
    int (*pause)(void *self, size_t done, size_t total);
    void *self;
    size_t entries, arrays; /* that were looked at */
    size_t found;           /* broken promises */
};

/* Check a data set directory.
 *
 *   return  IRIS_OK       everything was looked at; see c->found
 *           IRIS_E_IO     the directory or attributes.json cannot be read
 *           IRIS_E_DATA   it is no data set: attributes.json is not what it
 *                         should be, so there is nothing to go by
 *           IRIS_E_RETRY  pause said stop
 */
enum iris_status iris_check_dataset(struct iris_check *c, const char *root, struct iris_err *err);

#endif
