#include "tensor.h"

#include <math.h>

#include "num.h"

enum iris_status
iris_tensor_open(const char *path, struct iris_tensor *t, struct iris_err *err)
{
    enum iris_status st;
    char shape[256];

    *t = (struct iris_tensor){.file = {.fd = -1}};
    st = iris_npy_open(path, &t->file, err);
    if (st)
        return st;
    if (t->file.shape.n != 4 || t->file.shape.dim[0] != IRIS_FIELDS || !t->file.count) {
        iris_shape_text(&t->file.shape, shape, sizeof shape);
        st = iris_fail(err, IRIS_E_DATA,
                       "'%s' of shape %s is not a physical tensor (%d, r, lon, lat)", path, shape,
                       IRIS_FIELDS);
        iris_tensor_close(t);
        return st;
    }
    t->n_r = t->file.shape.dim[1];
    t->n_lon = t->file.shape.dim[2];
    t->n_lat = t->file.shape.dim[3];
    return IRIS_OK;
}

void
iris_tensor_close(struct iris_tensor *t)
{
    iris_npy_close(&t->file);
}

static int
wanted(int field, float v)
{
    return isfinite(v) || (field == IRIS_T && v > 0);
}

/* One row of latitudes; first is its element in the file. */
static enum iris_status
read_row(const struct iris_tensor *t, int field, size_t first, size_t n, float *out,
         struct iris_err *err)
{
    char text[IRIS_F64_TEXT];
    enum iris_status st;
    size_t i, row;

    st = iris_npy_read_f32(&t->file, first, n, out, err);
    if (st)
        return st;
    for (i = 0; i < n; i++) {
        if (wanted(field, out[i]))
            continue;
        row = (first + i) / t->n_lat;
        return iris_fail(err, IRIS_E_DATA, "'%s': channel %d is %s at r %zu, lon %zu, lat %zu",
                         t->file.path, field, iris_format_f64((double)out[i], text),
                         row / t->n_lon % t->n_r, row % t->n_lon, (first + i) % t->n_lat);
    }
    return IRIS_OK;
}

enum iris_status
iris_tensor_column(const struct iris_tensor *t, size_t lon, size_t lat0, size_t lat1, size_t r0,
                   size_t r1, float *const field[IRIS_FIELDS], struct iris_err *err)
{
    size_t n = lat1 - lat0, r, first;
    enum iris_status st = IRIS_OK;
    int k;

    if (lon >= t->n_lon || lat0 > lat1 || lat1 > t->n_lat || r0 > r1 || r1 > t->n_r)
        return iris_fail(err, IRIS_E_BUG, "longitude %zu of a tensor is outside of '%s'", lon,
                         t->file.path);
    for (k = 0; k < IRIS_FIELDS; k++) {
        for (r = r0; field[k] && r < r1 && !st; r++) {
            first = (((size_t)k * t->n_r + r) * t->n_lon + lon) * t->n_lat + lat0;
            st = read_row(t, k, first, n, field[k] + (r - r0) * n, err);
        }
    }
    return st;
}

static enum iris_status
get_column(void *self, const struct iris_tile *tile, float *const field[IRIS_FIELDS],
           struct iris_err *err)
{
    return iris_tensor_column(self, tile->lon0, tile->lat0, tile->lat1, tile->r0, tile->r1, field,
                              err);
}

struct iris_columns
iris_columns_of_tensor(struct iris_tensor *t)
{
    return (struct iris_columns){.get = get_column, .self = t};
}
