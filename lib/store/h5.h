/* h5 -- what every user of HDF5 in this library needs.
 *
 * Private to lib/store.
 */
#ifndef IRIS_H5_H
#define IRIS_H5_H

#include <hdf5.h>
#include <stdint.h>

#include "buf.h"
#include "err.h"

/* Stop HDF5 from printing its errors; the functions below report them. */
void iris_h5_quiet(void);

/* What is not there and what cannot be read look the same to the functions below that
 * tell whether something is there. Who has to know the difference lets HDF5 note what
 * it could not read, until iris_h5_quiet.
 */
struct iris_h5_watch {
    int has_failed;
    char reason[256]; /* the first one */
};
void iris_h5_watch(struct iris_h5_watch *w);

/* The status and the sentence of what was done with a file meanwhile: st, or that it
 * could not be read. */
enum iris_status iris_h5_watched(const struct iris_h5_watch *w, const char *file,
                                 enum iris_status st, struct iris_err *err);

/* Open a file for reading, without a lock: snapshots are finished files, and
 * many file systems of clusters have no locks.
 *
 *   return  below 0 on failure
 */
hid_t iris_h5_open(const char *path);

/* The sentence "cannot <verb> '<object>' in '<file>': <innermost reason>".
 *
 *   return  status, or IRIS_E_IO where the reason is the system's
 */
enum iris_status iris_h5_fail(struct iris_err *err, enum iris_status status, const char *verb,
                              const char *object, const char *file);

/* A scalar attribute of a group or dataset as a double.
 *
 *   return  1 found, 0 not there or no number
 */
int iris_h5_attribute(hid_t file, const char *object, const char *name, double *value);

/* The same of a text of fixed length, appended without what pads it. One that there is
 * no memory for is found, and iris_buf_check says so. */
int iris_h5_text(hid_t file, const char *object, const char *name, struct iris_buf *text);

/* A dataset that is one text of fixed length, appended in the same way. */
int iris_h5_text_dataset(hid_t file, const char *name, struct iris_buf *text);

/* Whether an object or attribute is there. */
int iris_h5_has(hid_t file, const char *object);
int iris_h5_has_attribute(hid_t file, const char *object, const char *name);

/* Whether the values of a dataset are those of others, or the bytes of any file that
 * it names. What this library writes has its own. */
int iris_h5_is_elsewhere(hid_t dataset);

/* See that the sources of a virtual dataset are there: HDF5 gives fill values
 * without a word when a file, or what it should hold, is missing, and does not
 * come back where a dataset is its own source.
 *
 *   in   container  path of the file that the dataset is in; sentences name
 *                   files without their directories
 *   in   path       of the dataset, for messages
 *
 *   return  IRIS_OK, also for a dataset of another layout
 *           IRIS_E_IO, IRIS_E_DATA  a source is missing, or lacks the values; so does one
 *                                   that is virtual and has no end, or has sources of
 *                                   sources beyond 16384 in all
 *           IRIS_E_DATA             values are the bytes of some other file, which a
 *                                   stranger's snapshot could name
 */
enum iris_status iris_h5_check_virtual(const char *container, const char *path, hid_t dataset,
                                       struct iris_err *err);

#endif
