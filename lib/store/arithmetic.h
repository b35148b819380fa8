/* arithmetic -- what the points of a settings digest were made by.
 *
 * A processor and a GPU round otherwise where lines are observed, so that points of
 * one digest are all made by one of them unless somebody has said that it does not
 * matter. The record is a file beside the settings, written before the first point:
 *
 *   entries/DIGEST/arithmetic   a line, "cpu", "cuda" or "mixed"
 *
 * Points without a record were made by a processor.
 */
#ifndef IRIS_ARITHMETIC_H
#define IRIS_ARITHMETIC_H

#include "dataset.h"
#include "err.h"

enum iris_arithmetic {
    IRIS_ARITHMETIC_ANY, /* there are no points yet */
    IRIS_ARITHMETIC_CPU,
    IRIS_ARITHMETIC_CUDA,
    IRIS_ARITHMETIC_MIXED
};

/* The record of a run that has made no points counts for nothing where no other run can
 * be about to make some.
 *
 *   return  IRIS_OK
 *           IRIS_E_DATA  the record is none
 *           IRIS_E_IO    it cannot be read
 */
enum iris_status iris_arithmetic_get(const struct iris_dataset *d, const char *digest,
                                     enum iris_arithmetic *is, struct iris_err *err);

/* Record what points are made by from now on.
 *
 *   in   with  CPU or CUDA
 *   in   mix   beside points of the other
 *   out  is    what the points that are there were made by
 *
 *   return  IRIS_OK
 *           IRIS_E_DATA  mix is 0 and there are points of the other; or as
 *                        iris_arithmetic_get
 *           IRIS_E_IO    it cannot be written
 */
enum iris_status iris_arithmetic_set(const struct iris_dataset *d, const char *digest,
                                     enum iris_arithmetic with, int mix, enum iris_arithmetic *is,
                                     struct iris_err *err);

#endif
