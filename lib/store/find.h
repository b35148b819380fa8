/* find -- which snapshots are in directories and lists of files. */
#ifndef IRIS_FIND_H
#define IRIS_FIND_H

#include <stddef.h>
#include <stdint.h>

#include "buf.h"
#include "err.h"
#include "manifest.h"
#include "place.h"

struct iris_found {
    char *id, *path; /* path of the file, or of part 0 of a set */
    int has_index;
    uint64_t index;
    uint64_t files;   /* 1 plus the highest part number seen */
    uint64_t present; /* parts seen */
    uint64_t *part;   /* [present] their numbers */
    int twice;        /* a part was named twice */
    uint64_t bytes;   /* of all parts */
    int64_t mtime;    /* s, of the newest part */
    int named;        /* given by name: neither filtered nor drawn */
};

struct iris_find {
    const struct iris_place *place; /* where the names are; NULL: this machine */
    const char *remote;             /* for the column of that name; NULL */
    const char *label;              /* put before every id; NULL: none */
    size_t n;
    struct iris_found *found;
    struct iris_buf warnings; /* lines */
};

/*   lifetime  zero-initialise, set what is not NULL; iris_find_release */
void iris_find_release(struct iris_find *f);

/* Add what a name stands for: the snapshots of a directory (*.hdf5, *.h5, and
 * the sets in its snapdir_*), or one file. Files of one set become one.
 *
 *   return  IRIS_OK
 *           IRIS_E_IO      cannot be read
 *           IRIS_E_REMOTE  the place cannot be reached
 *           IRIS_E_DATA    a directory without snapshots, or a file whose name
 *                          does not end in .hdf5 or .h5 or is too long
 */
enum iris_status iris_find_add(struct iris_find *f, const char *name, struct iris_err *err);

/* Keep those whose index is within the bounds; named ones stay.
 *
 *   return  IRIS_OK, or IRIS_E_DATA when nothing is left
 */
enum iris_status iris_find_filter(struct iris_find *f, int has_min, int64_t min, int has_max,
                                  int64_t max, struct iris_err *err);

/* Keep total of those not named: the first in the order of hash(seed, id). */
enum iris_status iris_find_draw(struct iris_find *f, uint64_t seed, uint64_t total,
                                struct iris_err *err);

/* Keep part k of n (k from 1) of the list in its order: every n-th. */
enum iris_status iris_find_part(struct iris_find *f, uint64_t k, uint64_t n, struct iris_err *err);

/* Sort by id in natural order and refuse an id or a file that is there twice. */
enum iris_status iris_find_sort(struct iris_find *f, struct iris_err *err);

/* The manifest of kind "snapshots". */
enum iris_status iris_find_manifest(const struct iris_find *f, struct iris_manifest *m,
                                    struct iris_err *err);

#endif
