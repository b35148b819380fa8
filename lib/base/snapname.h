/* snapname -- what the name of a snapshot file says.
 *
 * A file is a snapshot of its own, "snap_812.hdf5" (id snap_812, index 812),
 * or one file of a set, "snap_812.3.hdf5" (id snap_812, index 812, part 3). It
 * is one of a set when the part number is preceded by a stem that ends in a
 * digit; "run.3.hdf5" is a snapshot of its own (id run.3, index 3).
 */
#ifndef IRIS_SNAPNAME_H
#define IRIS_SNAPNAME_H

#include <stddef.h>
#include <stdint.h>

#include "buf.h"

struct iris_snapname {
    size_t dir;  /* length of the directory part, with its '/' */
    size_t stem; /* length of the stem that follows */
    int has_index;
    uint64_t index; /* the run of digits that ends the stem */
    int is_part;
    uint64_t part;
    char suffix[8]; /* ".hdf5" or ".h5" */
};

/*   in  path  '/' and '\' both separate directories
 *
 *   return  0, or -1 when the name does not end in .hdf5 or .h5 or has no stem
 */
int iris_snapname_parse(const char *path, struct iris_snapname *n);

/* Append an id: the bytes of label and stem, those outside [A-Za-z0-9._-]
 * written =XX; so is a dot that would begin it. */
void iris_snapname_id(const char *label, const char *stem, size_t len, struct iris_buf *id);

/* Whether s could be an id: safe as the name of a directory. */
int iris_snapname_is_id(const char *s);

/* Append the path of part k of the set that path is a part of; a path that is
 * no part is appended as it is. */
void iris_snapname_part(const char *path, uint64_t k, struct iris_buf *out);

#endif
