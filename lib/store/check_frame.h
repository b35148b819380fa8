/* check_frame -- what a container says of its arrays, against what iris-pack would say.
 * Private to lib/store.
 */
#ifndef IRIS_CHECK_FRAME_H
#define IRIS_CHECK_FRAME_H

#include "checking.h"
#include "container_file.h"
#include "published.h"

/* Compare everything that follows from the settings and the manifest: columns, axes,
 * the split, units and factors, how they are linked, and the shapes of the arrays. It is
 * made anew in memory, by what makes it in iris-pack.
 *
 *   in   p  what the container holds; the hashes as it records them
 *
 *   return  IRIS_OK, whatever was found; IRIS_E_IO out of memory
 */
enum iris_status iris_check_frame(struct checking *job, const struct iris_container *c,
                                  const struct iris_published *p, struct iris_err *err);

#endif
