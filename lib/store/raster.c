#include "raster.h"

#include <math.h>
#include <stdint.h>
#include <stdlib.h>

#include "num.h"

enum { CHUNK = 1 << 16 };

/* What has been read so far. */
struct sums {
    struct iris_raster *f;
    const struct iris_plane *plane;
    uint32_t *count;      /* finite elements of each */
    unsigned char *above; /* one of them is +infinity */
    double *chunk;        /* [CHUNK] */
};

static void
add(struct sums *s, size_t x, size_t y, double v)
{
    size_t i = x * s->f->nx / s->plane->nx, j = y * s->f->ny / s->plane->ny;
    size_t at = j * s->f->nx + i;

    if (isfinite(v)) {
        s->f->value[at] += v;
        s->count[at]++;
    } else if (v > 0) {
        s->above[at] = 1;
    }
}

static void
finish(struct sums *s, double factor)
{
    size_t i;

    for (i = 0; i < s->f->nx * s->f->ny; i++) {
        if (s->count[i])
            s->f->value[i] = s->f->value[i] / s->count[i] * factor;
        else
            s->f->value[i] = s->above[i] ? (double)INFINITY : (double)NAN;
    }
}

/* One row along the axis whose elements lie closer together, in pieces of
 * whole strides (the file between elements is read too: it is in the cache of
 * the disk anyway). */
static enum iris_status
read_row(const struct iris_npy *a, struct sums *s, size_t row, int along_x, struct iris_err *err)
{
    const struct iris_plane *p = s->plane;
    size_t n = along_x ? p->nx : p->ny, stride = along_x ? p->x_stride : p->y_stride;
    size_t start = p->first + row * (along_x ? p->y_stride : p->x_stride);
    size_t at_once = stride < CHUNK ? CHUNK / stride : 1, done, i;
    enum iris_status st = IRIS_OK;

    for (done = 0; done < n && !st; done += at_once) {
        size_t some = n - done < at_once ? n - done : at_once;

        st = iris_npy_read_f64(a, start + done * stride, (some - 1) * stride + 1, s->chunk, err);
        for (i = 0; i < some && !st; i++)
            add(s, along_x ? done + i : row, along_x ? row : done + i, s->chunk[i * stride]);
    }
    return st;
}

/* The last element of the plane is one of the array. */
static int
is_inside(const struct iris_npy *a, const struct iris_plane *p)
{
    size_t x, y, last;

    return p->nx && p->ny && !iris_mul_size(p->nx - 1, p->x_stride, &x) &&
           !iris_mul_size(p->ny - 1, p->y_stride, &y) && !iris_add_size(x, y, &last) &&
           !iris_add_size(last, p->first, &last) && last < a->count;
}

enum iris_status
iris_raster_read(const struct iris_npy *a, const struct iris_plane *plane, size_t max_x,
                 size_t max_y, double factor, struct iris_raster *f, struct iris_err *err)
{
    struct sums s = {.f = f, .plane = plane};
    int along_x = plane->x_stride <= plane->y_stride;
    size_t row, rows = along_x ? plane->ny : plane->nx;
    enum iris_status st = IRIS_OK;

    *f = (struct iris_raster){plane->nx < max_x ? plane->nx : max_x,
                              plane->ny < max_y ? plane->ny : max_y, NULL};
    if (!is_inside(a, plane))
        return iris_fail(err, IRIS_E_DATA, "'%s' has no values to show", a->path);
    f->value = calloc(f->nx * f->ny, sizeof *f->value);
    s.count = calloc(f->nx * f->ny, sizeof *s.count);
    s.above = calloc(f->nx * f->ny, sizeof *s.above);
    s.chunk = malloc(CHUNK * sizeof *s.chunk);
    if (!f->value || !s.count || !s.above || !s.chunk)
        st = iris_fail_memory(err);
    for (row = 0; row < rows && !st; row++)
        st = read_row(a, &s, row, along_x, err);
    if (!st)
        finish(&s, factor);
    free(s.chunk);
    free(s.above);
    free(s.count);
    if (st)
        iris_raster_release(f);
    return st;
}

void
iris_raster_release(struct iris_raster *f)
{
    free(f->value);
    *f = (struct iris_raster){0};
}
