/* catalog -- which entries a data set has, published or not, packed or not, ours or
 * the reference's.
 */
#ifndef IRIS_CATALOG_H
#define IRIS_CATALOG_H

#include <stddef.h>

#include "container_read.h"
#include "entry.h"
#include "err.h"

/* Entries of a published data set are those of its index, in its order. Of one
 * that is not published they are the complete points below entries/, raw ones
 * where there are any, in the natural order of their paths. */
struct iris_catalog {
    size_t n;
    struct iris_catalog_entry {
        char *id;      /* <digest>.<snapshot>.pNNN; of a data set of the reference
                          the first path without .npy */
        char *path[2]; /* relative to the data set; [1] NULL for a tensor */
        enum iris_kind kind[2];
    } * entry;
};

/*   return  IRIS_OK
 *           IRIS_E_IO    the directory cannot be read
 *           IRIS_E_DATA  attributes.json has no usable index; or there are no
 *                        entries
 *   owns    iris_catalog_release; safe after failure
 */
enum iris_status iris_catalog_read(const char *dataset, struct iris_catalog *c,
                                   struct iris_err *err);

/* The same of a container, by its manifest: entry i is the one of that number there.
 *
 *   return  IRIS_OK, or IRIS_E_DATA: the manifest is missing or wrong
 */
enum iris_status iris_catalog_of_container(const struct iris_container *container,
                                           struct iris_catalog *c, struct iris_err *err);
void iris_catalog_release(struct iris_catalog *c);

/* An entry by its id, or by its number in the index, from 0.
 *
 *   return  IRIS_OK, or IRIS_E_DATA: there is none
 */
enum iris_status iris_catalog_find(const struct iris_catalog *c, const char *word, size_t *index,
                                   struct iris_err *err);

#endif
