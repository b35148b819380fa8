/* checking -- what a data set directory and a container are checked by in the same way.
 * Private to lib/store.
 */
#ifndef IRIS_CHECKING_H
#define IRIS_CHECKING_H

#include "check.h"
#include "hyper.h"
#include "manifest.h"
#include "unitset.h"
#include "verify.h"

/* What is known while it is checked. */
struct checking {
    struct iris_check *c;
    const char *hyper_name; /* what the settings are called in sentences */
    enum iris_type type;
    struct iris_manifest manifest;
    struct iris_verifier verifier;
    char units[IRIS_UNITS_DIGEST]; /* of the settings; "" when they have none */
    struct iris_settings settings; /* when they have units */
};

/* Say that a promise is broken, and count it. */
void iris_check_broken(struct checking *job, const char *fmt, ...)
    __attribute__((format(printf, 2, 3)));

/* The settings: they fit the type, and have its units. */
void iris_check_hyper(struct checking *job, const struct iris_hyper *h);

/* Every entry of the manifest, once, with its arrays.
 *
 *   return  IRIS_OK, IRIS_E_RETRY when c->pause said so, IRIS_E_IO out of memory
 */
enum iris_status iris_check_rows(struct checking *job, struct iris_err *err);

#endif
