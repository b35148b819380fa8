#include "sampler.h"

#include <math.h>

#include "packet.h"
#include "sampler_law.h"

void
iris_sampler_init(struct iris_sampler *s, const struct iris_cells *cells,
                  const struct iris_view *view, const struct iris_perturbation *p)
{
    s->cells = cells;
    s->kernels = NULL;
    s->view = *view;
    iris_perturb_map(p, &s->map);
    s->density = isnan(p->density) ? 1 : p->density;
    /* the plane part of M has determinant 1 */
    s->back[0] = s->map.c / s->map.scale;
    s->back[1] = -s->map.b / s->map.scale;
    s->back[2] = s->map.a / s->map.scale;
}

void
iris_sampler_look_up(const struct iris_sampler *s, const struct iris_nearest *found,
                     float value[IRIS_FIELDS])
{
    iris_cell_values(s, s->cells, found, value);
}

static int
same_place(const struct iris_nearest *a, const struct iris_nearest *b)
{
    return a->cell == b->cell && a->shift[0] == b->shift[0] && a->shift[1] == b->shift[1] &&
           a->shift[2] == b->shift[2];
}

/* One ray; its samples lie `stride` apart in the arrays, from `at` on. The
 * cell of one sample is the guess for the next. */
static enum iris_status
sample_ray(const struct iris_sampler *s, const double direction[3], size_t r0, size_t r1, size_t at,
           size_t stride, struct iris_nearest *found, float *const field[IRIS_FIELDS],
           struct iris_err *err)
{
    struct iris_nearest last = {.d2 = -1};
    float value[IRIS_FIELDS] = {0};
    enum iris_status st;
    size_t i;
    int f;

    for (i = r0; i < r1; i++, at += stride) {
        double x[3], q[3];

        iris_ray_at(s->view.origin, iris_axis_at(&s->view.r, i), direction, x);
        iris_map_back(&s->map, s->back, x, q);
        st = iris_cells_nearest(s->cells, &s->map, q, found, err);
        if (st)
            return st;
        if (last.d2 < 0 || !same_place(&last, found))
            iris_sampler_look_up(s, found, value);
        last = *found;
        for (f = 0; f < IRIS_FIELDS; f++) {
            if (field[f])
                field[f][at] = value[f];
        }
    }
    return IRIS_OK;
}

enum iris_status
iris_sampler_tile(const struct iris_sampler *s, const struct iris_tile *t,
                  float *const field[IRIS_FIELDS], struct iris_err *err)
{
    size_t nlat = t->lat1 - t->lat0, stride = iris_tile_row(t), j, k;
    struct iris_nearest found = {.cell = 0};
    enum iris_status st;

    if (s->kernels)
        return iris_packet_tile(s, s->kernels, t, field, err);
    for (j = t->lon0; j < t->lon1; j++) {
        for (k = t->lat0; k < t->lat1; k++) {
            double direction[3];

            iris_view_direction(&s->view, j, k, direction);
            st = sample_ray(s, direction, t->r0, t->r1, (j - t->lon0) * nlat + k - t->lat0, stride,
                            &found, field, err);
            if (st)
                return st;
        }
    }
    return IRIS_OK;
}
