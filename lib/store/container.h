/* container -- a whole data set in one HDF5 file; see iris-container(5). */
#ifndef IRIS_CONTAINER_H
#define IRIS_CONTAINER_H

#include <stddef.h>
#include <stdint.h>

#include "check.h"
#include "err.h"
#include "file.h"

#define IRIS_CONTAINER_FORMAT  "iris-container"
#define IRIS_CONTAINER_VERSION 1

/* Where the fields of a column of the manifest are.
 *
 *   out  long_name  what they are; NULL: not known, and they are in the group "columns"
 *
 *   return  the name of the dataset; NULL: in none
 */
const char *iris_container_column(const char *column, const char **long_name);

struct iris_pack {
    const char *version; /* of the program, recorded */
    /* Called after each entry; nonzero stops. NULL: never. */
    int (*pause)(void *self, size_t done, size_t total);
    void *self;
    size_t entries; /* that were packed */
    uint64_t bytes; /* of arrays */
};

/* Put a published data set into a file, and commit it. Every array is compared with
 * its hash on the way. Memory does not grow with the arrays; equal data sets give equal
 * files.
 *
 *   in   out  opened, nothing written; committed or aborted here
 *
 *   return  IRIS_OK
 *           IRIS_E_DATA   the directory is no data set, or one that is not whole:
 *                         names the file
 *           IRIS_E_IO     missing, unreadable, full
 *           IRIS_E_RETRY  pause said stop
 */
enum iris_status iris_pack(struct iris_pack *p, const char *root, struct iris_outfile *out,
                           struct iris_err *err);

/* Check a container, as iris_check_dataset does a directory.
 *
 *   return  IRIS_OK       everything was looked at; see c->found
 *           IRIS_E_IO     it cannot be opened
 *           IRIS_E_DATA   it is no container, or not a complete one
 *           IRIS_E_RETRY  pause said stop
 */
enum iris_status iris_check_container(struct iris_check *c, const char *path, struct iris_err *err);

#endif
