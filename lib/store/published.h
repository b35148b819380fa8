/* published -- the files of a published data set, read and found to agree. */
#ifndef IRIS_PUBLISHED_H
#define IRIS_PUBLISHED_H

#include "buf.h"
#include "err.h"
#include "hyper.h"
#include "manifest.h"
#include "publish.h"
#include "unitset.h"

/*   lifetime  zero-initialise; iris_published_release frees, safe on zeroed and twice */
struct iris_published {
    struct iris_attributes attributes;
    struct iris_buf manifest_text, hyper_text; /* the files as they are */
    struct iris_manifest manifest;
    struct iris_hyper *hyper;
    struct iris_settings settings;
    struct iris_unit_factors units;
    struct iris_scaling scaling;
};

/* Read a data set directory; no array is opened.
 *
 *   return  IRIS_OK       the three files have the hashes they should, the index is the
 *                         list of the manifest, every row is of the type and in the
 *                         units of the settings
 *           IRIS_E_DATA   one of that is not so
 *           IRIS_E_IO     a file is missing or unreadable
 */
enum iris_status iris_published_read(const char *root, struct iris_published *p,
                                     struct iris_err *err);

/* Fill settings, units and scaling from hyper and the type in attributes.
 *
 *   return  IRIS_OK, or as iris_unitset_scaling
 */
enum iris_status iris_published_settle(struct iris_published *p, struct iris_err *err);
void iris_published_release(struct iris_published *p);

#endif
