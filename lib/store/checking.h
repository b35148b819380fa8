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
    int is_out_of_memory;          /* so that not everything was looked at */
};

/* Say that a promise is broken, and count it. */
void iris_check_broken(struct checking *job, const char *fmt, ...)
    __attribute__((format(printf, 2, 3)));

/* Something cannot be read, or is not what it should be: that breaks a promise. The
 * want of memory does not, it ends the check.
 *
 *   in   id  of the entry that it belongs to, or NULL
 */
void iris_check_why(struct checking *job, const char *id, const struct iris_err *why);

/* The settings: they fit the type, and have its units. */
void iris_check_hyper(struct checking *job, const struct iris_hyper *h);

/* Every entry of the manifest, once, with its arrays.
 *
 *   return  IRIS_OK, IRIS_E_RETRY when c->pause said so, IRIS_E_IO out of memory
 */
enum iris_status iris_check_rows(struct checking *job, struct iris_err *err);

#endif
