/* verify -- is an entry what its row says it is?
 *
 * The arrays are read through: they must be there, have the shape that the
 * recorded settings of their digest give, hold finite values, and have the
 * hashes of the row where it has any.
 */
#ifndef IRIS_VERIFY_H
#define IRIS_VERIFY_H

#include "entry.h"
#include "err.h"
#include "manifest.h"
#include "scan.h"

/* What the settings of a digest are known to give. */
struct iris_expectation {
    char digest[IRIS_SETTINGS_DIGEST];
    int known[IRIS_KINDS];
    struct iris_shape shape[IRIS_KINDS];
    double unit[4]; /* processing units: cm, g, cm/s, K; 0: not known */
};

/* Where settings and arrays are read, if not from files below root. */
struct iris_verify_from {
    /* settings.json of a digest, appended; *there is 0 where it has none */
    enum iris_status (*settings)(void *self, const char *digest, struct iris_buf *text, int *there,
                                 struct iris_err *err);
    /* wanted: NULL, or the shape it must have; of another only the shape is given */
    enum iris_status (*scan)(void *self, const struct iris_entry *e, size_t k,
                             const struct iris_shape *wanted, struct iris_scan *scan,
                             struct iris_err *err);
    void *self;
};

/*   lifetime  zero-initialise, set root or from; iris_verifier_release */
struct iris_verifier {
    const char *root;
    const struct iris_verify_from *from;
    size_t n;
    struct iris_expectation *expected;
};

void iris_verifier_release(struct iris_verifier *v);

/* Compare settings.json of a digest with the digest, and learn the shapes from
 * it. Without that file the first array seen of a kind sets its shape.
 *
 *   return  IRIS_OK
 *           IRIS_E_DATA  the file does not belong to the digest
 */
enum iris_status iris_verifier_settings(struct iris_verifier *v, const char *digest, int *there,
                                        struct iris_err *err);

/* See that the raw arrays of a digest are in the processing units of s.
 *
 *   return  IRIS_OK, also when the digest has no record
 *           IRIS_E_DATA  they are not; or the record does not belong
 */
enum iris_status iris_verifier_units(struct iris_verifier *v, const char *digest,
                                     const struct iris_settings *s, struct iris_err *err);

/* Read the arrays of a row that has not failed.
 *
 *   out  scan  [2] one for each kind of the type
 *
 *   return  IRIS_OK
 *           IRIS_E_IO, IRIS_E_DATA  the sentence says what is wrong
 */
enum iris_status iris_verify_row(struct iris_verifier *v, const struct iris_entry *e,
                                 struct iris_scan scan[2], struct iris_err *err);

#endif
