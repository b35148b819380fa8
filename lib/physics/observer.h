/* observer -- from the samples of rays to their spectra.
 *
 * Two kinds: mass by velocity without radiative transfer (simple), and spectral
 * lines with it (lines).
 */
#ifndef IRIS_OBSERVER_H
#define IRIS_OBSERVER_H

#include <stddef.h>

#include "err.h"
#include "simple.h"
#include "sky.h"
#include "transfer.h"

struct iris_observer {
    /* spectra [n_rays][values] */
    void (*observe)(void *self, const struct iris_column *column, double *spectra);
    void *self;
    unsigned fields; /* bits 1 << enum iris_field, beside IRIS_V_R */
    size_t values;   /* of a ray: lines times channels */
};

/*   in  law  kept by reference; values: v_steps, mass per area and velocity */
struct iris_observer iris_observer_simple(struct iris_simple_law *law);

struct iris_line_observer {
    struct iris_solver *solver;
    size_t values;
    int gas; /* set once a ray holds any */
};

/*   in   law, lines  as iris_solver_new
 *   owns iris_line_observer_release; safe on zeroed and twice
 */
enum iris_status iris_line_observer_init(struct iris_line_observer *o,
                                         const struct iris_transfer_law *law,
                                         const struct iris_line *lines, size_t n_lines,
                                         struct iris_err *err);
void iris_line_observer_release(struct iris_line_observer *o);
struct iris_observer iris_observer_lines(struct iris_line_observer *o);

#endif
