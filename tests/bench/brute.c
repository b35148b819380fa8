#include "brute.h"

#include <float.h>

#include "nearest_law.h"

enum { BLOCK = 1024 };

/* Cells that stay in the cache while every place looks at them. */
static void
look(const struct iris_cells *c, const struct iris_linear_map *map, const double q[3], size_t first,
     size_t n, struct brute_answer *a)
{
    const double *x = c->x + first, *y = c->y + first, *z = c->z + first;
    const struct iris_linear_map m = *map;
    double d2[BLOCK], least = DBL_MAX;
    size_t i;

    for (i = 0; i < n; i++) {
        d2[i] = iris_norm2(&m, q[0] - x[i], q[1] - y[i], q[2] - z[i]);
        least = d2[i] < least ? d2[i] : least;
    }
    if (least > a->d2)
        return;
    for (i = 0; i < n; i++) {
        uint32_t file = c->order[first + i];

        if (d2[i] < a->d2 || (d2[i] <= a->d2 && file < a->file))
            *a = (struct brute_answer){d2[i], file};
    }
}

void
brute_nearest(const struct iris_cells *c, const struct iris_linear_map *map, const double (*q)[3],
              size_t n, struct brute_answer *a)
{
    size_t first, i;

    for (i = 0; i < n; i++)
        a[i] = (struct brute_answer){DBL_MAX, UINT32_MAX};
    for (first = 0; first < c->n; first += BLOCK) {
        size_t count = c->n - first < BLOCK ? c->n - first : BLOCK;

        for (i = 0; i < n; i++)
            look(c, map, q[i], first, count, &a[i]);
    }
}
