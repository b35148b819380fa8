/* flann -- nanoflann's tree behind a C interface, as a yardstick. */
#ifndef FLANN_H
#define FLANN_H

#include <stddef.h>

#ifdef __cplusplus
extern "C" {
#endif

/* A tree of n points, leaves of 10; the arrays must outlive it. */
void *flann_new(const double *x, const double *y, const double *z, size_t n);
void flann_free(void *tree);
size_t flann_nearest(const void *tree, const double q[3]);
size_t flann_bytes(const void *tree);

#ifdef __cplusplus
}
#endif

#endif
