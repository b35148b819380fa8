/* unite -- several manifests of entries as one. */
#ifndef IRIS_UNITE_H
#define IRIS_UNITE_H

#include "err.h"
#include "manifest.h"

/* Append the rows of `from`; columns that only one side has are missing in the
 * rows of the other. */
enum iris_status iris_unite_append(struct iris_manifest *to, const struct iris_manifest *from,
                                   struct iris_err *err);

/* Keep one row of each id: one that has not failed, if there is one. What is missing
 * in it is taken from the others that have not failed.
 *
 *   inout  m  sorted, so that the rows of an id are neighbours
 *
 *   return  IRIS_OK
 *           IRIS_E_DATA  two rows that have not failed differ, or a row has no id
 */
enum iris_status iris_unite(struct iris_manifest *m, struct iris_err *err);

#endif
