/* ceiling -- what a GPU can do at best, measured. */
#ifndef IRIS_CEILING_H
#define IRIS_CEILING_H

#ifdef __cplusplus
extern "C" {
#endif

/* Bytes per second that are read and written, copying memory; fused multiply-adds per
 * second, in double and in single precision. The best of some tries; 0 for what could
 * not be measured. */
struct iris_ceiling {
    double bytes, fma_double, fma_single;
};
void iris_ceiling_measure(int device, struct iris_ceiling *c);

#ifdef __cplusplus
}
#endif

#endif
