/* container_read -- a container, open for reading; see container.h. */
#ifndef IRIS_CONTAINER_READ_H
#define IRIS_CONTAINER_READ_H

#include <stddef.h>

#include "buf.h"
#include "entry.h"
#include "err.h"
#include "npy.h"

struct iris_container; /* one that is open */

/*   return  IRIS_OK
 *           IRIS_E_IO    it cannot be opened
 *           IRIS_E_DATA  it is no container, not a complete one, or of an unknown version
 *   owns    iris_container_close; NULL is allowed there
 */
enum iris_status iris_container_open(const char *path, struct iris_container **opened,
                                     struct iris_err *err);
void iris_container_close(struct iris_container *c);

/* Append the manifest, or hyper.json as it was published.
 *
 *   return  IRIS_OK, or IRIS_E_DATA: it is not there
 */
enum iris_status iris_container_manifest(const struct iris_container *c, struct iris_buf *text,
                                         struct iris_err *err);
enum iris_status iris_container_hyper(const struct iris_container *c, struct iris_buf *text,
                                      struct iris_err *err);

/* Append settings.json of a digest.
 *
 *   out  there  0: it has none
 */
enum iris_status iris_container_settings(const struct iris_container *c, const char *digest,
                                         struct iris_buf *text, int *there, struct iris_err *err);

/* The array of entry i of n, as if it were a file.
 *
 *   in   name  for sentences: "FILE: NAME"
 *
 *   return  IRIS_OK
 *           IRIS_E_DATA  there is no such array
 *   owns    iris_npy_close, before the container is closed
 */
enum iris_status iris_container_array(const struct iris_container *c, enum iris_kind kind, size_t i,
                                      size_t n, const char *name, struct iris_npy *a,
                                      struct iris_err *err);

#endif
