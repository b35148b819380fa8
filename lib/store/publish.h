/* publish -- the files that make a directory a data set the reference's reader
 * opens: iris-manifest.tsv, hyper.json, attributes.json, written in this order.
 */
#ifndef IRIS_PUBLISH_H
#define IRIS_PUBLISH_H

#include <stddef.h>

#include "digest.h"
#include "err.h"
#include "hyper.h"
#include "manifest.h"

#define IRIS_MANIFEST_FILE   "iris-manifest.tsv"
#define IRIS_HYPER_FILE      "hyper.json"
#define IRIS_ATTRIBUTES_FILE "attributes.json"

/* Publish the rows of m, in their order, under the settings h.
 *
 *   in   h  with units; its paths are stripped in the copy that is written
 *   in   replace  where other units or shapes are published, remove
 *                 attributes.json first, so that no moment mixes the two
 *
 *   return  IRIS_OK
 *           IRIS_E_DATA  a row is not in the units of h; or a data set is
 *                        published there already with other units or shapes and replace
 *                        is 0
 *           IRIS_E_IO    cannot be written
 */
enum iris_status iris_publish(const char *root, const struct iris_manifest *m,
                              const struct iris_hyper *h, int replace, struct iris_err *err);

/* attributes.json, read. */
struct iris_attributes {
    enum iris_type type;
    size_t n;     /* entries of the index */
    size_t kinds; /* paths of an entry: 1 or 2 */
    char **path;  /* [n * kinds] */
    char manifest_hash[IRIS_DIGEST_TEXT], hyper_hash[IRIS_DIGEST_TEXT]; /* "" : none */
};

/*   return  IRIS_OK, IRIS_E_IO, or IRIS_E_DATA naming what is wrong
 *   owns    iris_attributes_release; safe after failure
 */
enum iris_status iris_attributes_read(const char *dataset, struct iris_attributes *a,
                                      struct iris_err *err);
void iris_attributes_release(struct iris_attributes *a);

#endif
