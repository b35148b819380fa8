/* peak -- what a core can do at most. */
#ifndef PEAK_H
#define PEAK_H

/* Multiplications of double per second, with as many additions beside them and
 * none of them fused, in registers. */
double peak_pairs(void);

#endif
