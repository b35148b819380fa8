#include "blur.h"

#include "elementary.h"

void
iris_blur_none(struct iris_blur *b)
{
    int axis;

    for (axis = 0; axis < 3; axis++) {
        b->n[axis] = 1;
        b->weight[axis][0] = 1;
    }
}

enum iris_status
iris_blur_init(struct iris_blur *b, size_t n_r, size_t n_lon, size_t n_lat, double sigma,
               struct iris_err *err)
{
    size_t size[3] = {n_r, n_lon, n_lat}, i;
    int axis;

    for (axis = 0; axis < 3; axis++) {
        double width = sigma * (double)size[axis], sum = 0;
        size_t middle = size[axis] / 2;

        if (size[axis] % 2 == 0 || size[axis] > IRIS_BLUR_MAX)
            return iris_fail(err, IRIS_E_DATA,
                             "a velocity blur kernel of %zu is not odd from 1 to %d", size[axis],
                             IRIS_BLUR_MAX);
        b->n[axis] = size[axis];
        for (i = 0; i < size[axis]; i++) {
            double a = (double)i - (double)middle;

            b->weight[axis][i] = iris_exp(-a * a / (2 * width * width));
            sum += b->weight[axis][i];
        }
        for (i = 0; i < size[axis]; i++)
            b->weight[axis][i] /= sum;
    }
    return IRIS_OK;
}

/* A row along lat: where the kernel meets no edge, one value of it at a time for
 * all latitudes. */
static void
blur_row(const struct iris_blur *b, const struct iris_column_part *p, const float *line,
         double *row)
{
    size_t half = b->n[2] / 2, all = p->lat_all, first = p->want_first, end = first + p->n_want;
    size_t lo = half > first ? half : first, hi = end + half < all ? end
                                                  : all > half     ? all - half
                                                                   : 0;
    size_t lat, m;

    hi = hi > lo ? hi : lo;
    for (lat = first; lat < end; lat++) {
        if (lat == lo)
            lat = hi;
        if (lat >= end)
            break;
        row[lat - first] = 0;
        for (m = 0; m < b->n[2]; m++)
            row[lat - first] +=
                b->weight[2][m] *
                (double)line[iris_reflect((long)(lat + m) - (long)half, all) - p->lat_first];
    }
    for (m = 0; m < b->n[2] && lo < hi; m++) {
        const float *from = line + lo + m - half - p->lat_first;
        double weight = b->weight[2][m], *to = row + lo - first;

        for (lat = 0; lat < hi - lo; lat++)
            to[lat] = (m ? to[lat] : 0) + weight * (double)from[lat];
    }
}

void
iris_blur_column(const struct iris_blur *b, const struct iris_column_part *p, const float *in,
                 double *row, double *out)
{
    size_t half = b->n[0] / 2, depth = b->n[0] < p->n_r ? b->n[0] : p->n_r, ready = 0, i, k, m;
    size_t stride = p->stride ? p->stride : p->n_lat_in;

    for (i = 0; i < p->n_r; i++) {
        double *to = out + i * p->n_want;

        for (; ready < p->n_r && ready <= i + half; ready++)
            blur_row(b, p, in + ready * stride, row + ready % depth * p->n_want);
        for (m = 0; m < b->n[0]; m++) {
            size_t at = iris_reflect((long)(i + m) - (long)half, p->n_r);
            const double *from = row + at % depth * p->n_want;
            double weight = b->weight[0][m];

            for (k = 0; k < p->n_want; k++)
                to[k] = (m ? to[k] : 0) + weight * from[k];
        }
    }
}

void
iris_blur_across(const struct iris_blur *b, const double *const column[], size_t n, double *out)
{
    enum { PIECE = 512 }; /* that stays near to the processor */
    size_t i, k, m, some;

    for (i = 0; i < n; i += some) {
        some = n - i < PIECE ? n - i : PIECE;
        for (m = 0; m < b->n[1]; m++)
            for (k = i; k < i + some; k++)
                out[k] = (m ? out[k] : 0) + b->weight[1][m] * column[m][k];
    }
}
