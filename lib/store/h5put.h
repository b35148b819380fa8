/* h5put -- writing HDF5 files of which equal content gives equal bytes.
 *
 * Private to lib/store. Nothing holds a clock; text has a fixed length. Where a
 * function returns nonzero HDF5 knows the reason: report it with iris_h5_fail.
 */
#ifndef IRIS_H5PUT_H
#define IRIS_H5PUT_H

#include <hdf5.h>

/* Before anything is written: HDF5 neither speaks nor does anything at exit,
 * where it would crash over a file that a full disk kept it from closing. */
void iris_h5_begin(void);

/* A new file in place of one whose lock is held by this process.
 *
 *   in   plain  nonzero: as every HDF5 reads it; 0: as HDF5 1.8 and later do, with
 *               attributes beyond 64 KiB, and chunks that begin with a page of memory,
 *               which is read a twentieth faster
 *
 *   return  below 0 on failure
 */
hid_t iris_h5_create(const char *path, int plain);

/* A new file that is in memory only, of the second kind. */
hid_t iris_h5_create_in_memory(void);

/* A new group.
 *
 *   return  the group, to be closed; below 0 on failure
 */
hid_t iris_h5_group(hid_t file, const char *name);

/* An attribute of a file, group or dataset: n values, 0 for a scalar.
 *
 *   return  0, or nonzero on failure
 */
int iris_h5_put(hid_t object, const char *name, hid_t stored, hid_t memory, hsize_t n,
                const void *value);
int iris_h5_put_double(hid_t object, const char *name, double v);
int iris_h5_put_int(hid_t object, const char *name, int v);
int iris_h5_put_text(hid_t object, const char *name, const char *text);
/* ... ASCII, with its NUL, as HDF5's own attributes are. */
int iris_h5_put_terminated(hid_t object, const char *name, const char *text);
int iris_h5_put_text_list(hid_t object, const char *name, hsize_t n, const char *const *text);

/* A dataset of n values in a row, contiguous, written whole.
 *
 *   return  the dataset for attributes, to be closed; below 0 on failure
 */
hid_t iris_h5_put_row(hid_t group, const char *name, hid_t stored, hid_t memory, hsize_t n,
                      const void *value);

/* The same of n texts, of a fixed length that holds the longest; NULL is "". */
hid_t iris_h5_put_texts(hid_t group, const char *name, hsize_t n, const char *const *text);

/* A dataset that is one text. */
hid_t iris_h5_put_scalar_text(hid_t group, const char *name, const char *text);

/* A dataset of doubles, contiguous, written whole.
 *
 *   return  the dataset for attributes, to be closed; below 0 on failure
 */
hid_t iris_h5_put_array(hid_t group, const char *name, int rank, const hsize_t *size,
                        const double *value);

/* Close a dataset that was put, with its attributes. HDF5 may have its values in memory
 * until then, so that a disk that is full or broken is met here.
 *
 *   in   dataset  below 0: it was not put
 *   in   bad      nonzero: something has failed; that stays the reason
 *
 *   return  0, or nonzero on failure, now or before
 */
int iris_h5_put_end(hid_t dataset, int bad);

#endif
