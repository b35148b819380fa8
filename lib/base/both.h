/* both -- functions that stand in headers and are compiled for this processor and,
 * by nvcc, for a GPU: formulas that both share, so that the tests of the one are
 * tests of the other. They are C and C++, call only their like and what of
 * <math.h> is exact, and keep to plain structs.
 */
#ifndef IRIS_BOTH_H
#define IRIS_BOTH_H

#ifdef __CUDACC__
#define IRIS_BOTH static inline __host__ __device__
#else
#define IRIS_BOTH static inline
#endif

#endif
