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

        if (size[axis] % 2 == 0 || size[axis] > IRIS_BLUR_MAX)
            return iris_fail(err, IRIS_E_DATA,
                             "a velocity blur kernel of %zu is not odd from 1 to %d", size[axis],
                             IRIS_BLUR_MAX);
        b->n[axis] = size[axis];
        for (i = 0; i < size[axis]; i++) {
            double a = (double)i - (double)(size[axis] / 2);

            b->weight[axis][i] = iris_exp(-a * a / (2 * width * width));
            sum += b->weight[axis][i];
        }
        for (i = 0; i < size[axis]; i++)
            b->weight[axis][i] /= sum;
    }
    return IRIS_OK;
}

size_t
iris_reflect(long i, size_t n)
{
    long last = (long)n - 1;

    if (i < 0)
        i = -i;
    return (size_t)(i > last ? 2 * last - i : i);
}

void
iris_blur_column(const struct iris_blur *b, const struct iris_column_part *p, const float *in,
                 double *row, double *out)
{
    long half_lat = (long)(b->n[2] / 2), half_r = (long)(b->n[0] / 2);
    size_t i, k, m;

    for (i = 0; i < p->n_r; i++) {
        const float *line = in + i * p->n_lat_in;

        for (k = 0; k < p->n_want; k++) {
            double sum = 0;

            for (m = 0; m < b->n[2]; m++) {
                long lat = (long)(p->want_first + k + m) - half_lat;

                sum += b->weight[2][m] * (double)line[iris_reflect(lat, p->lat_all) - p->lat_first];
            }
            row[i * p->n_want + k] = sum;
        }
    }
    for (i = 0; i < p->n_r; i++) {
        double *to = out + i * p->n_want;

        for (k = 0; k < p->n_want; k++)
            to[k] = 0;
        for (m = 0; m < b->n[0]; m++) {
            const double *from = row + iris_reflect((long)(i + m) - half_r, p->n_r) * p->n_want;

            for (k = 0; k < p->n_want; k++)
                to[k] += b->weight[0][m] * from[k];
        }
    }
}

void
iris_blur_across(const struct iris_blur *b, const double *const column[], size_t n, double *out)
{
    size_t i, m;

    for (i = 0; i < n; i++)
        out[i] = 0;
    for (m = 0; m < b->n[1]; m++) {
        for (i = 0; i < n; i++)
            out[i] += b->weight[1][m] * column[m][i];
    }
}
