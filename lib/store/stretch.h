/* stretch -- which place between dark and bright a value has.
 *
 * Plain arithmetic; thread safe.
 */
#ifndef IRIS_STRETCH_H
#define IRIS_STRETCH_H

#include <stddef.h>

#include "err.h"

enum iris_curve { IRIS_LINEAR, IRIS_LOG, IRIS_ASINH };

struct iris_stretch {
    enum iris_curve curve;
    double lo, hi; /* the ends; NaN: there is nothing to show */
    double soft;   /* asinh: linear well below, logarithmic well above */
};

/* "linear", "log" or "asinh".
 *
 *   return  IRIS_OK, or IRIS_E_USAGE naming the allowed words
 */
enum iris_status iris_curve_parse(const char *word, enum iris_curve *curve, struct iris_err *err);

/* The range that suits values: from their percentiles, which do not depend on
 * the order of the values.
 *
 *   in   v  [n] any; what is not finite does not count
 *
 *   return  IRIS_OK, also when no value counts: then lo and hi are NaN
 *           IRIS_E_IO  no memory
 *   method  upper end: 99.9 %. Lower end: linear and asinh 0.5 %, or 0 when
 *           that is not below 0 and not above a tenth of the upper end; log 1 %
 *           of what is above 0, but at most six decades. The asinh turns at the
 *           median of what is above 0 (of sizes), kept within 1/300 and 1/10 of
 *           the larger end
 */
enum iris_status iris_stretch_auto(enum iris_curve curve, const double *v, size_t n,
                                   struct iris_stretch *s, struct iris_err *err);

/* The same range on both sides of 0, as wide as the larger; a logarithm stays as it is. */
void iris_stretch_balance(struct iris_stretch *s);

/* A given range.
 *
 *   return  IRIS_OK, or IRIS_E_USAGE: lo is not below hi; or not above 0 for
 *           a logarithm
 */
enum iris_status iris_stretch_set(enum iris_curve curve, double lo, double hi,
                                  struct iris_stretch *s, struct iris_err *err);

/* 0 at lo, 1 at hi, below 0 and above 1 beyond; NaN for NaN and where there is
 * nothing to show. For a logarithm what is not above 0 is below everything. */
double iris_stretch_at(const struct iris_stretch *s, double v);

#endif
