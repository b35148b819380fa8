/* dense -- a yardstick: optically thick, smooth transfer of a ray on every
 * channel and every step, in single precision, straight from the formulas and
 * written for vectors. It makes no use of where a line is. */
#ifndef DENSE_H
#define DENSE_H

#include <stddef.h>

/* One step, over the peak of nothing: plain values in the unit system. */
struct dense_step {
    float v, per_b; /* profile exp(-((v_i - v) per_b)^2) */
    float j, a;     /* times the profile's norm */
    float jd, ad;   /* of dust, one value for the band */
};

/*   in     v         [n] velocities of the grid
 *   inout  I, C      [n] in: background; out: total and continuum
 *   out    work      [2 n]
 */
void dense_smooth(const struct dense_step *step, size_t steps, float h, const float *v, size_t n,
                  float *I, float *C, float *work);

/* The same of one fine channel, as the formulas are written, in double.
 *
 *   in  v  of the channel
 *   in  I  background
 */
double scalar_smooth(const struct dense_step *step, size_t steps, double h, double v, double I);

#endif
