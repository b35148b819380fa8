/* abundance -- how much of the tracer molecule there is, per H nucleus.
 *
 *   ratio   x = |value| * x_CO          (the reference, 0.04 for 13CO)
 *   per_H   x = |value|
 *   table   x(N_H, T), bilinear in ln N_H and ln T, held at the edges
 *
 * times drop where the gas is both colder than T_drop and denser than n_drop
 * (freeze-out, "drop abundance"); a limit that is not set always holds; with
 * neither set nothing drops.
 */
#ifndef IRIS_ABUNDANCE_H
#define IRIS_ABUNDANCE_H

#include <stddef.h>

#include "err.h"

enum iris_abundance_kind { IRIS_ABUNDANCE_RATIO, IRIS_ABUNDANCE_PER_H, IRIS_ABUNDANCE_TABLE };

struct iris_abundance {
    enum iris_abundance_kind kind;
    double value;          /* of ratio and per_H */
    double T_drop, n_drop; /* K, H nuclei per m^3; NaN: not set */
    double drop;           /* factor below T_drop and above n_drop */
    size_t n_N, n_T;       /* of table */
    double *ln_N, *ln_T;   /* [n_N], [n_T] increasing; owned */
    double *x;             /* [n_N][n_T]; owned */
};

/* 0.04 x_CO. */
void iris_abundance_default(struct iris_abundance *a);
void iris_abundance_release(struct iris_abundance *a);

/* Parse the text of a table into a (kind, n_N, n_T, ln_N, ln_T, x): lines
 * starting with '#' and empty lines are skipped; the first row holds the
 * temperatures [K], every other row a density of H nuclei [m^-3] and one
 * abundance a temperature. All axes above 0 and increasing, abundances finite
 * and not negative.
 *
 *   return  IRIS_OK, IRIS_E_DATA naming file and line, IRIS_E_IO no memory
 */
enum iris_status iris_abundance_parse(struct iris_abundance *a, const char *text, size_t len,
                                      const char *name, struct iris_err *err);

/* The abundance of the tracer.
 *
 *   in  N_H   H nuclei per m^3
 *   in  T     K, finite
 */
double iris_abundance_at(const struct iris_abundance *a, double N_H, double T, double x_CO);

#endif
