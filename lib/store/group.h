/* group -- the rows of a manifest by the value of one column. */
#ifndef IRIS_GROUP_H
#define IRIS_GROUP_H

#include "buf.h"
#include "err.h"
#include "manifest.h"

/* Whether there is such a column.
 *
 *   return  IRIS_OK, or IRIS_E_DATA naming it
 */
enum iris_status iris_group_check(const struct iris_manifest *m, const char *column,
                                  struct iris_err *err);

/* Order rows by a column: numbers by value, then names in natural order, then what
 * is missing. Rows with the same text keep their order.
 *
 *   return  IRIS_OK, or as iris_group_check
 */
enum iris_status iris_group_sort(struct iris_manifest *m, const char *column, struct iris_err *err);

/* Append the text of a manifest, before each run of rows with the same field a line
 *   ##group COLUMN=FIELD entries=N failed=M
 * for the N rows of the run, M of which have failed. Readers pass over it.
 *
 *   in  column  one that there is
 */
void iris_group_print(const struct iris_manifest *m, const char *column, struct iris_buf *out);

#endif
