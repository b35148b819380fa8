#include <math.h>

#include "dense.h"

#define FAR 80.0

static double
emission(const struct dense_step *k, double v, double *a)
{
    double x = (v - (double)k->v) * (double)k->per_b;
    double phi = exp(x * x < FAR ? -x * x : -FAR); /* numbers that are not normal are slow */

    *a = (double)k->a * phi + (double)k->ad;
    return (double)k->j * phi + (double)k->jd;
}

static double
relu(double x)
{
    return x > 0 ? x : 0;
}

double
scalar_smooth(const struct dense_step *step, size_t steps, double h, double v, double I)
{
    double h2 = 2 * h, a, last_a, before = I, next;
    double last_j = emission(&step[0], v, &last_a), j = emission(&step[1], v, &a);
    size_t s;

    I = relu((h2 * (last_j + j) + (4 - h2 * last_a) * I) / (4 + h2 * a));
    for (s = 2; s < steps; s++) {
        j = emission(&step[s], v, &a);
        next = relu((h2 * j + 4 * I - before) / (3 + h2 * a));
        before = I;
        I = next;
    }
    return I;
}
