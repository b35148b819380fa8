/* unitset -- IRIS units: the scales in which a data set is of order one.
 *
 * A unit set is nine factors (struct iris_unit_factors). Which of them a type
 * of data set has, and how they follow from standard deviations of its arrays
 * or from another data set, is the reference's rule; see iris-dataset(5).
 */
#ifndef IRIS_UNITSET_H
#define IRIS_UNITSET_H

#include <stddef.h>

#include "entry.h"
#include "err.h"
#include "hyper.h"

#define IRIS_UNITS_DIGEST 9 /* 8 digits and a NUL */

/* Whether every factor that a type needs is there. */
int iris_unitset_complete(enum iris_type type, const struct iris_unit_factors *u);

/* Own units.
 *
 *   in   std  standard deviations [IRIS_COLUMN], [IRIS_OBSERVED] of raw values;
 *             not used for standard
 *
 *   return  IRIS_OK
 *           IRIS_E_DATA  a deviation is zero or not finite
 */
enum iris_status iris_unitset_own(enum iris_type type, const struct iris_settings *s,
                                  const double std[IRIS_KINDS], struct iris_unit_factors *u,
                                  struct iris_err *err);

/* The units of another data set, for arrays in our processing units.
 *
 *   in   from  its factors; the five per SI must be there
 *
 *   return  IRIS_OK, or IRIS_E_DATA naming the factor that is null
 */
enum iris_status iris_unitset_taken(enum iris_type type, const struct iris_settings *s,
                                    const struct iris_unit_factors *from,
                                    struct iris_unit_factors *u, struct iris_err *err);

/* What arrays are multiplied by: one factor, or one for each channel of a
 * tensor. All 1 when every factor is within 1e-6 of it. */
struct iris_scaling {
    float tensor[IRIS_TENSOR_CHANNELS];
    float column, observed;
    char digest[IRIS_UNITS_DIGEST]; /* names the folder of arrays in these units */
};

/*   return  IRIS_OK, or IRIS_E_DATA naming a factor that is null */
enum iris_status iris_unitset_scaling(enum iris_type type, const struct iris_unit_factors *u,
                                      struct iris_scaling *s, struct iris_err *err);

/* The factors of one kind of array.
 *
 *   out  channels  the array is that many equal parts, each with its factor
 */
const float *iris_scaling_of(const struct iris_scaling *s, enum iris_kind k, size_t *channels);

#endif
