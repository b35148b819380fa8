#include "perturb.h"

#include <math.h>

#include "elementary.h"
#include "rng.h"

static const double pi = 3.14159265358979323846;

void
iris_perturb_none(struct iris_perturbation *p)
{
    p->scale = p->skew = p->skew_angle = p->density = p->jitter_r = p->jitter_lon = (double)NAN;
}

/* Where a draw comes from. */
struct key {
    uint64_t seed, snapshot;
    uint32_t round, point;
};

static double
uniform(const struct key *k, enum iris_draw draw, const double range[2])
{
    double u = iris_uniform(k->seed, k->snapshot, k->round, k->point, draw);

    return range[0] + (range[1] - range[0]) * u;
}

static double
factor(const struct key *k, enum iris_draw draw, double fixed, const double range[2])
{
    return isnan(range[0]) ? fixed : uniform(k, draw, range);
}

void
iris_perturb_draw(const struct iris_perturb_law *law, uint64_t seed, uint64_t snapshot,
                  uint32_t round, uint32_t point, struct iris_perturbation *p)
{
    static const double circle[2] = {0, 360};
    struct key k = {seed, snapshot, round, law->per_snapshot ? 0xFFFFFFu : point};

    iris_perturb_none(p);
    p->scale = factor(&k, IRIS_DRAW_SCALE, law->scale, law->scale_range);
    p->skew = factor(&k, IRIS_DRAW_SKEW, law->skew, law->skew_range);
    if (!isnan(p->skew))
        p->skew_angle = uniform(&k, IRIS_DRAW_SKEW_ANGLE, circle);
    p->density = factor(&k, IRIS_DRAW_DENSITY, law->density, law->density_range);
    if (law->jitter_r)
        p->jitter_r = uniform(&k, IRIS_DRAW_JITTER_R, law->jitter_r_range);
    if (law->jitter_lon)
        p->jitter_lon = uniform(&k, IRIS_DRAW_JITTER_LON, law->jitter_lon_range);
}

void
iris_perturb_map(const struct iris_perturbation *p, struct iris_linear_map *m)
{
    double along, across, cosine, sine, least;

    *m = (struct iris_linear_map){1, 1, 0, 1, 0, 1};
    if (!isnan(p->scale))
        m->scale = p->scale;
    if (isnan(p->skew))
        return;
    along = p->skew;
    across = 1 / p->skew;
    cosine = iris_cos(p->skew_angle * pi / 180);
    sine = iris_sin(p->skew_angle * pi / 180);
    m->a = along * cosine * cosine + across * sine * sine;
    m->b = (along - across) * cosine * sine;
    m->c = across * cosine * cosine + along * sine * sine;
    m->skewed = 1;
    least = along < across ? along : across;
    m->min_norm2 = least * least;
}
