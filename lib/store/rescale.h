/* rescale -- entries in different IRIS units brought to one set. */
#ifndef IRIS_RESCALE_H
#define IRIS_RESCALE_H

#include "err.h"
#include "manifest.h"

/* See that all rows in IRIS units have the units of the first; with change,
 * make it so: from the raw arrays where they are still there, else by the
 * ratio of the factors.
 *
 *   return  IRIS_OK
 *           IRIS_E_DATA  units differ (and change is 0), or their record is
 *                        missing
 *           IRIS_E_IO    an array cannot be read or written
 */
enum iris_status iris_rescale(const char *root, struct iris_manifest *m, int change,
                              struct iris_err *err);

#endif
