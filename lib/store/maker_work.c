#include "maker_work.h"

#include <stdlib.h>

#include "npy.h"
#include "units.h"

void
iris_make_sampler(const struct iris_maker *m, uint32_t point, struct iris_sampler *sampler)
{
    const struct iris_settings *s = &m->settings;
    struct iris_view_law law = {
        .theta = iris_entry_theta(s, point),
        .spin = (int)s->coordinate.spin_orientation,
        .observer_radius = s->coordinate.observer_radius,
        .r_min = s->coordinate.r_min,
        .r_max = s->coordinate.r_max,
        .lon_min = s->coordinate.lon_min,
        .lon_max = s->coordinate.lon_max,
        .lat_min = s->coordinate.lat_min,
        .lat_max = s->coordinate.lat_max,
        .r_steps = (size_t)s->coordinate.r_steps,
        .lon_steps = (size_t)s->coordinate.lon_steps,
        .lat_steps = (size_t)s->coordinate.lat_steps,
    };
    struct iris_perturb_law perturb;
    struct iris_perturbation p;
    struct iris_unit_system units;
    struct iris_view view;

    iris_settings_units(s, &units);
    iris_perturb_law_of(s, &perturb);
    iris_perturb_draw(&perturb, m->run.seed, iris_hash64(0, m->snapshot), m->run.round, point, &p);
    iris_view_init(&view, &law, p.jitter_r, p.jitter_lon, units.parsec);
    iris_sampler_init(sampler, &m->cells, &view, &p);
    sampler->kernels = m->kernels;
}

enum iris_status
iris_make_path(const struct iris_maker *m, const char *snapshot, uint32_t point,
               enum iris_kind kind, char **path, struct iris_err *err)
{
    struct iris_buf b = {0};
    enum iris_status st;

    iris_buf_printf(&b, "%s/", m->root);
    iris_entry_path(&b, m->digest, NULL, snapshot, point, kind);
    st = iris_buf_check(&b, err);
    if (st)
        iris_buf_release(&b);
    *path = b.data;
    return st;
}

enum iris_status
iris_make_check(const struct iris_maker *m, struct iris_err *err)
{
    if (!m->snapshot || !m->cells.n)
        return iris_fail(err, IRIS_E_BUG, "no snapshot is loaded");
    return IRIS_OK;
}
