#include "maker.h"

#include <stdlib.h>
#include <string.h>

#include "dataset.h"
#include "entry.h"
#include "file.h"
#include "npy.h"
#include "snapshot.h"
#include "units.h"

/* Samples of a tensor that are in memory at once: 24 bytes each. */
enum { TILE_SAMPLES = 1 << 18, TILE_LON = 16 };

enum iris_status
iris_maker_init(struct iris_maker *m, const struct iris_hyper *h, enum iris_type type,
                uint64_t seed, uint32_t round, const char *root, struct iris_pause pause,
                struct iris_err *err)
{
    *m = (struct iris_maker){.type = type, .seed = seed, .round = round, .pause = pause};
    iris_hyper_settings(h, &m->settings);
    m->root = strdup(root);
    if (!m->root)
        return iris_fail_memory(err);
    return iris_hyper_digest(h, type, seed, round, m->digest, NULL, err);
}

static void
unload(struct iris_maker *m)
{
    iris_cells_release(&m->cells);
    free(m->snapshot);
    m->snapshot = NULL;
}

void
iris_maker_release(struct iris_maker *m)
{
    unload(m);
    free(m->root);
    m->root = NULL;
}

enum iris_status
iris_maker_load(struct iris_maker *m, const char *id, const char *path, uint64_t files,
                struct iris_buf *warnings, int *foreign, int *publishing, struct iris_err *err)
{
    struct iris_dataset dataset = {.root = m->root, .lock = -1};
    struct iris_snapshot_info info = {0};
    struct iris_source source;
    enum iris_status st;

    *foreign = *publishing = 0;
    if (m->snapshot && !strcmp(m->snapshot, id))
        return IRIS_OK;
    unload(m);
    st = iris_snapshot_load(path, files, &m->settings, iris_snapshot_fields(m->type), m->pause.fn,
                            m->pause.self, &m->cells, &info, err);
    if (st)
        return st;
    iris_buf_append(warnings, iris_buf_str(&info.warnings), info.warnings.len);
    iris_buf_release(&info.warnings);
    source.bytes = info.bytes;
    memcpy(source.content, info.content, sizeof source.content);
    st = iris_dataset_claim(&dataset, m->digest, id, &source, err);
    *foreign = st == IRIS_E_DATA;
    *publishing = st == IRIS_E_IO;
    if (!st && !(m->snapshot = strdup(id)))
        st = iris_fail_memory(err);
    if (st)
        unload(m);
    return st;
}

static void
make_sampler(const struct iris_maker *m, uint32_t point, struct iris_sampler *sampler)
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

    iris_units_processing(s->writer.length_cm, s->writer.mass_g, s->writer.velocity_cm_per_s,
                          s->writer.temperature_K, s->dataset.meters_per_parsec, &units);
    iris_perturb_law_of(s, &perturb);
    iris_perturb_draw(&perturb, m->seed, iris_hash64(0, m->snapshot), m->round, point, &p);
    iris_view_init(&view, &law, p.jitter_r, p.jitter_lon, units.parsec);
    iris_sampler_init(sampler, &m->cells, &view, &p);
}

static enum iris_status
array_path(const struct iris_maker *m, uint32_t point, enum iris_kind kind, char **path,
           struct iris_err *err)
{
    struct iris_buf b = {0};
    enum iris_status st;

    iris_buf_printf(&b, "%s/", m->root);
    iris_entry_path(&b, m->digest, NULL, m->snapshot, point, kind);
    st = iris_buf_check(&b, err);
    if (st)
        iris_buf_release(&b);
    *path = b.data;
    return st;
}

static enum iris_status
publish_array(const struct iris_maker *m, uint32_t point, enum iris_kind kind, const float *data,
              struct iris_err *err)
{
    struct iris_shape shape;
    enum iris_status st;
    char *path = NULL;

    iris_kind_shape(kind, m->type, &m->settings, &shape);
    st = array_path(m, point, kind, &path, err);
    if (!st)
        st = iris_npy_write(path, &shape, data, err);
    free(path);
    return st;
}

/* ---- pairs by the simple observer ---- */

static enum iris_status
simple_law(const struct iris_maker *m, const struct iris_sampler *sampler,
           struct iris_simple_pair *p, struct iris_err *err)
{
    const struct iris_settings *s = &m->settings;
    double velocity = 100 / s->writer.velocity_cm_per_s; /* per m/s */

    *p = (struct iris_simple_pair){
        .r_steps = (size_t)s->coordinate.r_steps,
        .lon_steps = (size_t)s->coordinate.lon_steps,
        .lat_steps = (size_t)s->coordinate.lat_steps,
        .crop_min = (size_t)s->coordinate.r_crop_min,
        .crop_max = (size_t)s->coordinate.r_crop_max,
        .H2_factor = iris_H2_mass_factor(s->observer.mw_H2, s->observer.mw_H, s->observer.mw_He,
                                         s->observer.abundance_He),
        .law = {.v_min = s->cube.v_min * 1000 * velocity,
                .v_max = s->cube.v_max * 1000 * velocity,
                .v_steps = (size_t)s->cube.v_steps,
                .dr = iris_axis_step(&sampler->view.r),
                .drop = s->suite.drop_out_of_band},
        .max = s->cube.reduction == IRIS_REDUCE_MAX,
    };
    iris_blur_none(&p->blur);
    if (!s->observer.blur_inputs)
        return IRIS_OK;
    return iris_blur_init(&p->blur, (size_t)s->observer.blur_kernel_r,
                          (size_t)s->observer.blur_kernel_lon, (size_t)s->observer.blur_kernel_lat,
                          s->observer.blur_sigma, err);
}

static enum iris_status
make_simple(struct iris_maker *m, uint32_t point, struct iris_sampler *sampler, int *publishing,
            struct iris_err *err)
{
    struct iris_columns columns = iris_columns_of_sampler(sampler);
    float *column = NULL, *observed = NULL;
    struct iris_simple_pair p;
    enum iris_status st;

    st = simple_law(m, sampler, &p, err);
    if (st)
        return st;
    column = malloc((p.crop_max - p.crop_min) * p.lon_steps * sizeof *column);
    observed = malloc(p.lon_steps * p.law.v_steps * sizeof *observed);
    if (!column || !observed)
        st = iris_fail_memory(err);
    if (!st)
        st = iris_simple_pair_make(&p, &columns, &m->pause, column, observed, err);
    *publishing = !st;
    if (!st)
        st = publish_array(m, point, IRIS_COLUMN, column, err);
    if (!st)
        st = publish_array(m, point, IRIS_OBSERVED, observed, err);
    free(column);
    free(observed);
    return st;
}

/* ---- physical tensors ---- */

/* Write a tile to its places in the file: its lines of (lon, lat) are whole. */
static enum iris_status
write_tile(struct iris_outfile *f, uint64_t offset, const struct iris_tile *t,
           const struct iris_view *v, float *const field[IRIS_FIELDS], struct iris_err *err)
{
    size_t line = (t->lon1 - t->lon0) * v->lat.n, i;
    enum iris_status st = IRIS_OK;
    int c;

    for (c = 0; c < IRIS_FIELDS; c++) {
        for (i = t->r0; i < t->r1 && !st; i++) {
            uint64_t at = (((uint64_t)c * v->r.n + i) * v->lon.n + t->lon0) * v->lat.n;

            st = iris_outfile_pwrite(f, field[c] + (i - t->r0) * line, line * sizeof **field,
                                     offset + 4 * at, err);
        }
    }
    return st;
}

static enum iris_status
stream_tensor(struct iris_maker *m, const struct iris_sampler *sampler, struct iris_outfile *f,
              uint64_t offset, int *publishing, struct iris_err *err)
{
    const struct iris_view *v = &sampler->view;
    size_t n_lon = v->lon.n < TILE_LON ? v->lon.n : TILE_LON, n_r, r, lon;
    enum iris_status st = IRIS_OK;
    float *field[IRIS_FIELDS];
    float *memory;
    int c;

    n_r = TILE_SAMPLES / (n_lon * v->lat.n);
    n_r = n_r < 1 ? 1 : n_r > v->r.n ? v->r.n : n_r;
    memory = malloc(IRIS_FIELDS * n_r * n_lon * v->lat.n * sizeof *memory);
    if (!memory)
        return iris_fail_memory(err);
    for (c = 0; c < IRIS_FIELDS; c++)
        field[c] = memory + (size_t)c * n_r * n_lon * v->lat.n;
    for (lon = 0; lon < v->lon.n && !st; lon += n_lon) {
        for (r = 0; r < v->r.n && !st; r += n_r) {
            struct iris_tile t = {r,   r + n_r < v->r.n ? r + n_r : v->r.n,
                                  lon, lon + n_lon < v->lon.n ? lon + n_lon : v->lon.n,
                                  0,   v->lat.n};

            *publishing = 0;
            st = iris_sampler_tile(sampler, &t, field, err);
            if (st)
                break;
            *publishing = 1;
            st = write_tile(f, offset, &t, v, field, err);
            if (!st && m->pause.fn(m->pause.self))
                st = iris_fail(err, IRIS_E_RETRY, "stopped");
        }
    }
    free(memory);
    return st;
}

static enum iris_status
make_tensor(struct iris_maker *m, uint32_t point, struct iris_sampler *sampler, int *publishing,
            struct iris_err *err)
{
    struct iris_outfile f = IRIS_OUTFILE_INIT;
    struct iris_shape shape;
    uint64_t offset = 0;
    enum iris_status st;
    char *path = NULL;

    *publishing = 1;
    iris_kind_shape(IRIS_TENSOR, m->type, &m->settings, &shape);
    st = array_path(m, point, IRIS_TENSOR, &path, err);
    if (!st)
        st = iris_npy_create(&f, path, &shape, &offset, err);
    if (!st)
        st = stream_tensor(m, sampler, &f, offset, publishing, err);
    if (!st) {
        *publishing = 1;
        st = iris_outfile_commit(&f, err);
    }
    iris_outfile_abort(&f);
    free(path);
    return st;
}

enum iris_status
iris_maker_point(struct iris_maker *m, uint32_t point, int *publishing, struct iris_err *err)
{
    struct iris_sampler sampler;

    *publishing = 0;
    if (!m->snapshot)
        return iris_fail(err, IRIS_E_BUG, "no snapshot is loaded");
    make_sampler(m, point, &sampler);
    switch (m->type) {
    case IRIS_STANDARD:
        return make_tensor(m, point, &sampler, publishing, err);
    case IRIS_SIMPLE:
        return make_simple(m, point, &sampler, publishing, err);
    case IRIS_SYNTHETIC:
        break;
    }
    return iris_fail(err, IRIS_E_USAGE, "data sets of type %s cannot be made by this version",
                     iris_type_name(m->type));
}
