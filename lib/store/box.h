/* box -- an array of one entry in pieces, as they lie in a dataset of many. Private to
 * lib/store.
 */
#ifndef IRIS_BOX_H
#define IRIS_BOX_H

#include <hdf5.h>
#include <stddef.h>

#include "npy.h"

enum { IRIS_BOX_MOST = 1 << 18 }; /* elements of a piece */

/* A piece: whole ones of all dimensions after cut, rows of that one, one of each before
 * it; so its elements are one behind the other. */
struct iris_box {
    struct iris_shape entry;
    size_t cut, inner, rows;
    size_t first, n; /* elements of the piece at hand: first to first + n */
};

/*   in   entry  its elements can be counted, and are not 0 */
void iris_box_init(struct iris_box *b, const struct iris_shape *entry);

/* Go to the next piece, from the start to the first.
 *
 *   return  0 at the end
 */
int iris_box_next(struct iris_box *b);

/* Read or write the piece at hand of entry number i of a dataset.
 *
 *   return  0, or nonzero: HDF5 knows the reason
 */
int iris_box_read(const struct iris_box *b, hid_t dataset, size_t i, float *value);
int iris_box_write(const struct iris_box *b, hid_t dataset, size_t i, const float *value);

#endif
