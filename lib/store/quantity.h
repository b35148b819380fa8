/* quantity -- what the values of an array are, and their units. */
#ifndef IRIS_QUANTITY_H
#define IRIS_QUANTITY_H

#include <stddef.h>

#include "entry.h"
#include "err.h"
#include "hyper.h"
#include "unitset.h"

struct iris_quantity {
    const char *name; /* ASCII: for files, as "mass density of H2, mean over latitude" */
    const char *cgs;  /* its unit, written as CF and FITS do: "g cm-3"; "1" for none */
    double to_cgs;    /* a value in processing units times this is in that unit */

    const char *label; /* the same as pictures have it, UTF-8 */
    const char *unit;  /* astronomers' unit: "M☉ pc⁻² (km/s)⁻¹" */
    double to_unit;    /* from processing units */
};

/* What an array holds.
 *
 *   in   type     of the data set; for IRIS_OBSERVED it must be known
 *   in   channel  of a tensor, below IRIS_TENSOR_CHANNELS; 0 else
 *
 *   return  IRIS_OK, or IRIS_E_IO out of memory
 */
enum iris_status iris_quantity_of(enum iris_kind kind, enum iris_type type, size_t channel,
                                  const struct iris_hyper *h, struct iris_quantity *q,
                                  struct iris_err *err);

/* What values in processing units are multiplied by to be in IRIS units; not a number
 * where the factor is not set. */
double iris_quantity_scaling(enum iris_kind kind, enum iris_type type, size_t channel,
                             const struct iris_unit_factors *u);

#endif
