/* container_file -- what readers of a container share. Private to lib/store. */
#ifndef IRIS_CONTAINER_FILE_H
#define IRIS_CONTAINER_FILE_H

#include <hdf5.h>
#include <stddef.h>

#include "container_read.h"
#include "h5.h"

struct iris_container {
    char *path;
    hid_t file;
    struct iris_h5_watch watch; /* while it is open */
};

/* A dataset of arrays, to be read in pieces; closed with H5Dclose.
 *
 *   return  below 0: not there
 */
hid_t iris_container_dataset(const struct iris_container *c, enum iris_kind kind);

/* The shape of one entry of it; none of its dimensions is 0.
 *
 *   return  0, or nonzero where it is no array of n entries of single precision, of its own
 */
int iris_container_shape(hid_t dataset, size_t n, struct iris_shape *shape);

#endif
