/* grid -- settings that take several values, and the manifest in which every
 * snapshot is there once for each combination of them.
 *
 * The values stand in columns "set:SECTION.KEY" as JSON text, see
 * iris-manifest(5).
 */
#ifndef IRIS_GRID_H
#define IRIS_GRID_H

#include <stddef.h>

#include "err.h"
#include "manifest.h"

enum { IRIS_GRID_MOST = 1000000 }; /* combinations */

struct iris_grid_axis {
    char *column;     /* its name */
    const char *type; /* of the column */
    size_t n;         /* at least 1 */
    char **value;     /* [n] JSON text, no two equal */
};

struct iris_grid {
    size_t n_axes;
    struct iris_grid_axis *axis; /* the last varies fastest */
    size_t n;                    /* combinations; 0 without axes */
};

/*   lifetime  zero-initialise; iris_grid_release frees, safe on zeroed and twice */
void iris_grid_release(struct iris_grid *g);

/* One more axis.
 *
 *   in  text  "SECTION.KEY=A:B:N", N numbers from A to B at equal distances, rounded
 *             to 15 digits of the larger of the two, so that a part of a row of
 *             values has the values of the whole; or "SECTION.KEY=[VALUE,...]"
 *
 *   return  IRIS_OK
 *           IRIS_E_USAGE  neither; a key that is not known, changes no data point or
 *                         is there already; a value that it does not take or that
 *                         is there twice; more than IRIS_GRID_MOST combinations
 */
enum iris_status iris_grid_add(struct iris_grid *g, const char *text, struct iris_err *err);

/* Put g->n rows in place of each, that differ in the columns of the axes; rows that
 * were one stay together. Without axes nothing changes.
 *
 *   return  IRIS_OK, or IRIS_E_IO out of memory
 */
enum iris_status iris_grid_expand(const struct iris_grid *g, struct iris_manifest *m,
                                  struct iris_err *err);

#endif
