/* observe -- an observer as the settings ask for it: what makes spectra and
 * pairs of samples.
 */
#ifndef IRIS_OBSERVE_H
#define IRIS_OBSERVE_H

#include "beam.h"
#include "device.h"
#include "err.h"
#include "hyper.h"
#include "lines.h"
#include "observer.h"
#include "pair.h"

/* Not to be copied: it points into itself. */
struct iris_observe {
    enum iris_type type; /* simple or synthetic */
    struct iris_pair_law pair;
    struct iris_beam beam;
    struct iris_simple_law simple;
    struct iris_line *line;            /* [pair.n_lines] of synthetic */
    struct iris_transfer_law transfer; /* of that */
    struct iris_line_observer lines;
    struct iris_observer observer;
    struct iris_scene scene;   /* of the above */
    struct iris_device device; /* set by the caller after init: pairs and cubes of
                                  columns take their spectra from it */
};

/*   in   h        has passed iris_hyper_check_type
 *   in   lines    synthetic: tables with values; kept by reference. NULL: what is
 *                 made can finish pairs, it cannot observe
 *   in   kernels  NULL: the best of this machine; all give the same
 *   in   precise  synthetic: in double
 *   owns iris_observe_release; safe on zeroed and twice
 *
 *   return  IRIS_OK, or what is wrong with the settings
 */
enum iris_status iris_observe_init(struct iris_observe *o, const struct iris_hyper *h,
                                   enum iris_type type, const struct iris_lines *lines,
                                   const struct iris_kernels *kernels, int precise,
                                   struct iris_err *err);
void iris_observe_release(struct iris_observe *o);

/* What a device needs to know of it: valid until it is released. NULL when it cannot
 * observe. */
const struct iris_scene *iris_observe_scene(const struct iris_observe *o);

/* Make a pair; see iris_pair_make. A window without any gas is IRIS_E_DATA for
 * synthetic pairs. */
enum iris_status iris_observe_pair(struct iris_observe *o, const struct iris_columns *columns,
                                   const struct iris_pause *pause, float *column, float *observed,
                                   struct iris_err *err);

/* Make a part of a pair; see iris_pair_part.
 *
 *   out  gas  whether there was any; for iris_observe_finish
 */
enum iris_status iris_observe_part(struct iris_observe *o, const struct iris_columns *columns,
                                   const struct iris_pause *pause, size_t lon0, size_t lon1,
                                   double *strips, int *gas, struct iris_err *err);

/* Make a pair of all its strips; see iris_pair_finish and iris_observe_pair.
 *
 *   in   gas  whether any part had some
 */
enum iris_status iris_observe_finish(const struct iris_observe *o, const double *strips, int gas,
                                     float *column, float *observed, struct iris_err *err);

/* Make a cube; see iris_cube_make. A window without any gas is IRIS_E_DATA, for
 * simple cubes too. */
enum iris_status iris_observe_cube(struct iris_observe *o, const struct iris_columns *columns,
                                   const struct iris_pause *pause,
                                   const struct iris_cube_sink *sink, struct iris_err *err);

#endif
