#include "packet_work.h"

#include <math.h>

#include "nearest_law.h"

static void
hull_of(const struct iris_packet *w, const struct iris_block *b, struct iris_range *hull)
{
    iris_rays_hull(w->rays, b, iris_packet_r(w, b->r), iris_packet_r(w, b->r + b->n_r - 1),
                   w->error, hull);
}

/* No sample of the block can have an image as near as `far`, which is at least
 * as far as its nearest cell. */
static int
within_faces(const struct iris_packet *w, const double centre[3], double half, double far)
{
    const struct iris_cells *c = w->s->cells;
    double norm = sqrt(w->s->map.min_norm2) * (1 - 1e-9);
    int k, in = 1;

    if (c->faces == IRIS_FACES_OPEN)
        return 1;
    for (k = 0; k < 3; k++) {
        double gap = fmin(centre[k] - c->box.lo[k], c->box.hi[k] - centre[k]) * norm - half;

        in &= c->closed[k] || gap > far * (1 + 1e-9);
    }
    return in;
}

static void
contest_set(const struct iris_packet *w, const struct iris_range *block, const double pivot[3],
            struct iris_near_contest *c)
{
    const struct iris_linear_map *m = &w->s->map;
    double sum = 0;
    struct iris_box root;
    int k, i;

    iris_cells_box(w->s->cells, 1, &root);
    c->cells = w->s->cells;
    c->slack = 0;
    for (k = 0; k < 3; k++) {
        double y = 0, a, b;

        c->turn[k][0] = w->rays->turn[k][0] * m->a + w->rays->turn[k][1] * m->b;
        c->turn[k][1] = w->rays->turn[k][0] * m->b + w->rays->turn[k][1] * m->c;
        c->turn[k][2] = w->rays->turn[k][2];
        for (i = 0; i < 3; i++) {
            c->stretch[k][i] = fabs(c->turn[k][i]);
            y += c->turn[k][i] * pivot[i];
        }
        a = block->lo[k] - y;
        b = block->hi[k] - y;
        c->lo[k] = block->lo[k];
        c->hi[k] = block->hi[k];
        c->lo2[k] = a * a;
        c->hi2[k] = b * b;
        sum += fmax(a * a, b * b);
        c->slack += 1e-14 * w->kappa * (fabs(root.lo[k]) + fabs(root.hi[k]));
    }
    c->least = -1e-9 * sum - c->slack * sqrt(sum);
}

/* Bound of the error of a difference of two squared distances, in single
 * precision, in units of the block. Candidates within `far` of the centre, the
 * samples within `half`, kappa the map's condition:
 *   a candidate's place   9 kappa u far, from rounding to single, the turn
 *                         and three products; kappa as the map may shrink it
 *   a sample's place      12 u half
 *   a score               3 u far^2 + 8 u far half in the sums
 * with u = 2^-24, in all less than 64 kappa u (far^2 + half^2) for a score, and
 * twice that for a difference; the error of the samples in double beside. */
static double
margin_of(const struct iris_packet *w, double far, double half)
{
    double each = 128 * w->kappa * 0x1p-24 + 64 * w->error * w->scale;

    return each * (2 * far * far + half * half);
}

static void
frame_of(const struct iris_packet *w, const double centre[3], struct iris_near_frame *f)
{
    const struct iris_linear_map *m = &w->s->map;
    int k;

    f->cells = w->s->cells;
    f->scale = w->scale;
    for (k = 0; k < 3; k++) {
        f->centre[k] = centre[k];
        f->turn[k][0] = (float)(w->rays->turn[k][0] * m->a + w->rays->turn[k][1] * m->b);
        f->turn[k][1] = (float)(w->rays->turn[k][0] * m->b + w->rays->turn[k][1] * m->c);
        f->turn[k][2] = (float)w->rays->turn[k][2];
    }
}

/* The centre of a hull in the frame: there in out, in the box in q. */
static double
centre_of(const struct iris_packet *w, const struct iris_range *hull, double out[3], double q[3])
{
    const struct iris_linear_map *m = &w->s->map;
    double y[3], half2 = 0;
    int k;

    for (k = 0; k < 3; k++) {
        double half = 0.5 * (hull->hi[k] - hull->lo[k]);

        out[k] = 0.5 * (hull->lo[k] + hull->hi[k]);
        half2 += half * half;
    }
    for (k = 0; k < 3; k++)
        y[k] = w->rays->turn[0][k] * out[0] + w->rays->turn[1][k] * out[1] +
               w->rays->turn[2][k] * out[2];
    q[0] = m->c * y[0] - m->b * y[1];
    q[1] = m->a * y[1] - m->b * y[0];
    q[2] = y[2];
    return sqrt(half2);
}

void
iris_packet_block(const struct iris_packet *w, const struct iris_block *b,
                  struct iris_near_block *out)
{
    struct iris_range hull;
    int k;

    hull_of(w, b, &hull);
    for (k = 0; k < 3; k++) {
        double lo = (hull.lo[k] - w->centre[k]) * w->scale;
        double hi = (hull.hi[k] - w->centre[k]) * w->scale, centre;

        out->centre[k] = (float)(0.5 * (lo + hi));
        centre = (double)out->centre[k];
        hi = hi - centre > centre - lo ? hi - centre : centre - lo;
        out->span[k] = (float)(2 * hi * (1 + 0x1p-22));
    }
    out->margin = w->margin;
}

int
iris_packet_candidates(struct iris_packet *w, const struct iris_block *b)
{
    const struct iris_cells *c = w->s->cells;
    const struct iris_linear_map *m = &w->s->map;
    size_t room = IRIS_PACKET_ROOM, cell;
    double q[3], half, far, size, d[3];
    struct iris_near_frame frame;
    struct iris_near_block block;
    struct iris_near_contest contest;
    struct iris_range hull;
    float pivot[4] = {0};
    int k, i;

    hull_of(w, b, &hull);
    half = centre_of(w, &hull, w->centre, q);
    cell = w->guess = iris_cells_pivot(c, m, q, w->guess);
    d[0] = c->x[cell] - q[0];
    d[1] = c->y[cell] - q[1];
    d[2] = c->z[cell] - q[2];
    far = sqrt(iris_norm2(m, d[0], d[1], d[2]));
    if (!(half < 1e100 && far < 1e100) || !within_faces(w, q, half, far + half))
        return 0;
    contest_set(w, &hull, (double[3]){c->x[cell], c->y[cell], c->z[cell]}, &contest);
    if (!w->kernels->near_ask(&contest, room, &w->runs))
        return 0;
    size = fmax(half, far);
    frexp(size > 1e-100 ? size : 1, &i);
    w->scale = ldexp(1, -i);
    far = 1.01 * (far + 2 * half);
    w->margin = (float)(1.001 * margin_of(w, far * w->scale, half * w->scale)) + 1e-30F;
    frame_of(w, q, &frame);
    for (k = 0; k < 3; k++) {
        for (i = 0; i < 3; i++)
            pivot[k] += frame.turn[k][i] * (float)(d[i] * w->scale);
        pivot[3] += pivot[k] * pivot[k];
    }
    iris_packet_block(w, b, &block);
    w->kernels->near_pack(&frame, &block, pivot, &w->runs, &w->near[b->level]);
    return 1;
}
