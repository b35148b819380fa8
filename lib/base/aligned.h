/* aligned -- memory of the heap that begins with a line of the cache, so that no
 * vector and no row of samples begins in the middle of one. */
#ifndef IRIS_ALIGNED_H
#define IRIS_ALIGNED_H

#include <stdlib.h>

enum { IRIS_CACHE_LINE = 64 };

/*   owns    the caller, free
 *   return  NULL: no memory */
static inline void *
iris_aligned(size_t bytes)
{
    size_t whole = (bytes + IRIS_CACHE_LINE - 1) / IRIS_CACHE_LINE * IRIS_CACHE_LINE;

    return whole < bytes ? NULL : aligned_alloc(IRIS_CACHE_LINE, whole ? whole : IRIS_CACHE_LINE);
}

#endif
