#include <stdlib.h>

#include "clock.h"
#include "machine.h"
#include "maker_work.h"
#include "npy.h"

static enum iris_status
publish_array(struct iris_maker *m, const char *snapshot, uint32_t point, enum iris_kind kind,
              const float *data, struct iris_err *err)
{
    double start = iris_seconds();
    struct iris_shape shape;
    enum iris_status st;
    char *path = NULL;

    iris_kind_shape(kind, m->run.type, &m->settings, &shape);
    st = iris_make_path(m, snapshot, point, kind, &path, err);
    if (!st)
        st = iris_npy_write(path, &shape, data, err);
    iris_spend(m, IRIS_WRITING, start);
    if (!st)
        m->spent.written += iris_kind_bytes(kind, m->run.type, &m->settings);
    free(path);
    return st;
}

enum iris_status
iris_maker_room(const struct iris_hyper *h, enum iris_type type, struct iris_err *err)
{
    double memory = (double)iris_machine_memory(), bytes;
    struct iris_settings s;
    size_t lon, crop, values;

    iris_hyper_settings(h, &s);
    lon = (size_t)s.coordinate.lon_steps;
    crop = (size_t)(s.coordinate.r_crop_max - s.coordinate.r_crop_min);
    values = (type == IRIS_SYNTHETIC ? iris_hyper_lines(h) : 1) * (size_t)s.cube.v_steps;
    /* of strips and of arrays */
    bytes = (double)lon * (double)(crop + values) * (sizeof(double) + sizeof(float));
    if (type == IRIS_STANDARD || memory <= 0 || bytes <= memory)
        return IRIS_OK;
    return iris_fail(err, IRIS_E_IO,
                     "a point of coordinate_hyper.lon_steps, %zu, times %zu samples of a ray from "
                     "coordinate_hyper.r_crop_min_index to r_crop_max_index and %zu values of "
                     "cube_hyper.v_steps takes %.1f GiB of memory, of which there are %.1f here",
                     lon, crop, values, bytes / (1 << 30), memory / (1 << 30));
}

static enum iris_status
get_ready(struct iris_maker *m, struct iris_err *err)
{
    const struct iris_lines *lines = NULL;
    double start = iris_seconds();
    enum iris_status st = IRIS_OK;

    if (m->can_observe)
        return IRIS_OK;
    st = iris_maker_room(m->hyper, m->run.type, err);
    if (!st && m->run.type == IRIS_SYNTHETIC)
        st = m->tables.get(m->tables.self, &lines, err);
    if (!st)
        st = iris_observe_init(&m->observe, m->hyper, m->run.type, lines, m->kernels,
                               m->run.precise, err);
    iris_spend(m, IRIS_TABLING, start);
    m->can_observe = !st;
    m->is_broken = st && st != IRIS_E_RETRY;
    return st;
}

/* The two arrays of a pair, to be filled. */
struct arrays {
    float *column, *observed;
};

static enum iris_status
arrays_init(struct arrays *a, const struct iris_observe *o, struct iris_err *err)
{
    const struct iris_pair_law *law = &o->pair;

    a->column = malloc((law->crop_max - law->crop_min) * law->sky.lon_steps * sizeof(float));
    a->observed = malloc(law->sky.lon_steps * o->observer.values * sizeof(float));
    return a->column && a->observed ? IRIS_OK : iris_fail_memory(err);
}

static void
arrays_release(struct arrays *a)
{
    free(a->column);
    free(a->observed);
}

static enum iris_status
publish_arrays(struct iris_maker *m, const char *snapshot, uint32_t point, const struct arrays *a,
               struct iris_err *err)
{
    enum iris_status st;

    st = publish_array(m, snapshot, point, IRIS_COLUMN, a->column, err);
    if (!st)
        st = publish_array(m, snapshot, point, IRIS_OBSERVED, a->observed, err);
    return st;
}

enum iris_status
iris_maker_pair(struct iris_maker *m, uint32_t point, const struct iris_columns *columns,
                int *publishing, struct iris_err *err)
{
    struct arrays a;
    enum iris_status st;
    double start;

    *publishing = 0;
    st = m->snapshot ? get_ready(m, err) : iris_fail(err, IRIS_E_BUG, "no snapshot is loaded");
    if (st)
        return st;
    st = arrays_init(&a, &m->observe, err);
    start = iris_seconds();
    m->observe.device = m->device;
    if (!st)
        st = iris_observe_pair(&m->observe, columns, &m->pause, a.column, a.observed, err);
    iris_spend(m, IRIS_MAKING, start);
    *publishing = !st;
    if (!st)
        st = publish_arrays(m, m->snapshot, point, &a, err);
    arrays_release(&a);
    return st;
}

enum iris_status
iris_maker_parts(struct iris_maker *m, struct iris_parts *parts, struct iris_err *err)
{
    const struct iris_observe *o = &m->whole;
    enum iris_status st;

    *parts = (struct iris_parts){0};
    if (m->run.type == IRIS_STANDARD)
        return IRIS_OK;
    if (!m->can_finish) {
        st = iris_maker_room(m->hyper, m->run.type, err);
        if (!st)
            st = iris_observe_init(&m->whole, m->hyper, m->run.type, NULL, m->kernels,
                                   m->run.precise, err);
        if (st)
            return st;
        m->can_finish = 1;
    }
    *parts = (struct iris_parts){o->pair.sky.lon_steps,
                                 iris_pair_strip(&o->pair, o->observer.values),
                                 iris_pair_margin(&o->pair)};
    return IRIS_OK;
}

enum iris_status
iris_maker_finish(struct iris_maker *m, const char *snapshot, uint32_t point, const double *strips,
                  int gas, int *publishing, struct iris_err *err)
{
    struct arrays a;
    enum iris_status st;

    *publishing = 0;
    if (!m->can_finish)
        return iris_fail(err, IRIS_E_BUG, "parts of points are not known");
    st = arrays_init(&a, &m->whole, err);
    if (!st)
        st = iris_observe_finish(&m->whole, strips, gas, a.column, a.observed, err);
    *publishing = !st;
    if (!st)
        st = publish_arrays(m, snapshot, point, &a, err);
    arrays_release(&a);
    return st;
}

/* Longitudes of the point of a sampler, here or on the device. */
static enum iris_status
make_strips(struct iris_maker *m, struct iris_sampler *sampler, size_t lon0, size_t lon1,
            double *strips, int *gas, struct iris_err *err)
{
    struct iris_columns columns;

    if (m->device.part)
        return m->device.part(m->device.self, iris_observe_scene(&m->observe), sampler, &m->pause,
                              lon0, lon1, strips, gas, err);
    columns = iris_columns_of_sampler(sampler);
    return iris_observe_part(&m->observe, &columns, &m->pause, lon0, lon1, strips, gas, err);
}

enum iris_status
iris_maker_part(struct iris_maker *m, uint32_t point, size_t lon0, size_t lon1, double *strips,
                int *gas, struct iris_err *err)
{
    struct iris_sampler sampler;
    enum iris_status st;
    double start;

    st = iris_make_check(m, err);
    if (!st)
        st = get_ready(m, err);
    if (st)
        return st;
    start = iris_seconds();
    iris_make_sampler(m, point, &sampler);
    st = make_strips(m, &sampler, lon0, lon1, strips, gas, err);
    iris_spend(m, IRIS_MAKING, start);
    return st;
}

/* A device makes all strips; they are put together here. */
static enum iris_status
make_elsewhere(struct iris_maker *m, uint32_t point, int *publishing, struct iris_err *err)
{
    struct iris_parts parts;
    double *strips = NULL;
    enum iris_status st;
    int gas = 0;

    st = iris_maker_parts(m, &parts, err);
    if (!st && !(strips = malloc(parts.lon * parts.strip * sizeof *strips)))
        st = iris_fail_memory(err);
    if (!st)
        st = iris_maker_part(m, point, 0, parts.lon, strips, &gas, err);
    if (!st)
        st = iris_maker_finish(m, m->snapshot, point, strips, gas, publishing, err);
    free(strips);
    return st;
}

enum iris_status
iris_maker_point(struct iris_maker *m, uint32_t point, int *publishing, struct iris_err *err)
{
    struct iris_sampler sampler;
    struct iris_columns columns;
    enum iris_status st;

    *publishing = 0;
    st = iris_make_check(m, err);
    if (st)
        return st;
    iris_make_sampler(m, point, &sampler);
    if (m->run.type == IRIS_STANDARD)
        return iris_make_tensor(m, point, &sampler, publishing, err);
    if (m->device.part)
        return make_elsewhere(m, point, publishing, err);
    columns = iris_columns_of_sampler(&sampler);
    return iris_maker_pair(m, point, &columns, publishing, err);
}

enum iris_status
iris_maker_try(struct iris_maker *m, uint32_t point, size_t lon0, size_t lon1, struct iris_err *err)
{
    struct iris_sampler sampler;
    struct iris_parts parts;
    double *strips;
    enum iris_status st;
    int gas;

    st = iris_make_check(m, err);
    if (!st)
        st = iris_maker_parts(m, &parts, err);
    if (st)
        return st;
    if (m->run.type == IRIS_STANDARD) {
        iris_make_sampler(m, point, &sampler);
        return iris_make_tiles(m, &sampler, lon0, lon1, err);
    }
    strips = malloc((lon1 - lon0) * parts.strip * sizeof *strips);
    st = strips ? iris_maker_part(m, point, lon0, lon1, strips, &gas, err) : iris_fail_memory(err);
    free(strips);
    return st;
}
