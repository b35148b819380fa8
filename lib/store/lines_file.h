/* lines_file -- how line tables lie in their file. Private to lines*.c.
 *
 *   /                 format, version, lines, complete
 *   /lineI            molecule, content, levels, upper, lower, ...
 *   /lineI/settings   an attribute for each of iris_table_keys
 *   /lineI/AXIS       the axes
 *   /lineI/node       [n_N][n_x][n_T][IRIS_NODE], with the hash of its bytes
 */
#ifndef IRIS_LINES_FILE_H
#define IRIS_LINES_FILE_H

#include <stddef.h>

#include "lines.h"

#define CHEM_PATH "observer_hyper.chem_path"

/* The axes as stored. The density of mass is in the unit system, the others in
 * m^-3, per H nucleus and K. */
enum { IRIS_AXIS_N, IRIS_AXIS_RHO, IRIS_AXIS_X, IRIS_AXIS_T, IRIS_LINES_AXES };
extern const char *const iris_lines_axis_names[IRIS_LINES_AXES];

/* The nodes of an axis.
 *
 *   out  node  [n] the values; NULL: only count
 *
 *   return  n
 */
size_t iris_lines_axis(const struct iris_lines_item *item, int axis, double *node);

/* Memory for the tables that have none. */
enum iris_status iris_lines_allocate(struct iris_lines *l, struct iris_err *err);

#endif
