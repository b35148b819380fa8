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

static void
unload(struct iris_maker *m)
{
    iris_cells_release(&m->cells);
    if (m->commons.drop)
        m->commons.drop(m->commons.self);
    free(m->snapshot);
    m->snapshot = NULL;
}

enum iris_status
iris_maker_init(struct iris_maker *m, const struct iris_hyper *h, const struct iris_entry_run *run,
                const char *root, const struct iris_tables *tables, struct iris_pause pause,
                struct iris_err *err)
{
    *m = (struct iris_maker){.hyper = h, .tables = *tables, .pause = pause};
    iris_hyper_settings(h, &m->settings);
    iris_maker_turn(m, run);
    m->root = strdup(root);
    return m->root ? IRIS_OK : iris_fail_memory(err);
}

void
iris_maker_turn(struct iris_maker *m, const struct iris_entry_run *run)
{
    unload(m);
    m->run = *run;
    memcpy(m->digest, run->digest, sizeof m->digest);
    m->run.settings = &m->settings;
    m->run.digest = m->digest;
}

void
iris_maker_release(struct iris_maker *m)
{
    unload(m);
    iris_observe_release(&m->observe);
    iris_observe_release(&m->whole);
    m->can_observe = m->can_finish = 0;
    free(m->root);
    m->root = NULL;
}

/* What is held becomes the snapshot of that id. */
static enum iris_status
claim(struct iris_maker *m, const char *id, const struct iris_source *source, int *foreign,
      int *publishing, struct iris_err *err)
{
    struct iris_dataset dataset = {.root = m->root, .lock = -1};
    enum iris_status st;

    st = iris_dataset_claim(&dataset, m->digest, id, source, err);
    *foreign = st == IRIS_E_DATA;
    *publishing = st == IRIS_E_IO;
    if (!st && !(m->snapshot = strdup(id)))
        st = iris_fail_memory(err);
    return st;
}

/* Load it here, whatever others do. */
static enum iris_status
load(struct iris_maker *m, const char *id, const char *path, uint64_t files,
     const struct iris_memory *memory, struct iris_buf *warnings, int *foreign, int *publishing,
     struct iris_err *err)
{
    struct iris_snapshot_info info = {0};
    struct iris_source source;
    enum iris_status st;

    st = iris_snapshot_load(path, files, &m->settings, iris_snapshot_fields(m->run.type),
                            m->pause.fn, m->pause.self, memory, &m->cells, &info, err);
    if (st)
        return st;
    iris_buf_append(warnings, iris_buf_str(&info.warnings), info.warnings.len);
    iris_buf_release(&info.warnings);
    source.bytes = info.bytes;
    memcpy(source.content, info.content, sizeof source.content);
    return claim(m, id, &source, foreign, publishing, err);
}

/* ---- one for many processes ---- */

/* What those who did not load a snapshot know of it. */
struct loaded {
    struct iris_cells cells; /* their pointers are another process's */
    enum iris_status status;
    int foreign, publishing;
    char message[sizeof((struct iris_err *)0)->msg];
};
_Static_assert(sizeof(struct loaded) <= IRIS_COMMONS_NOTE, "a note is longer than there is room");

static enum iris_status
load_for_all(struct iris_maker *m, const char *id, const char *path, uint64_t files,
             struct iris_buf *warnings, int *foreign, int *publishing, struct iris_err *err)
{
    struct loaded note = {.status = IRIS_OK};
    struct iris_err own = {0};

    note.status = load(m, id, path, files, &m->commons.memory, warnings, foreign, publishing, &own);
    note.foreign = *foreign;
    note.publishing = *publishing;
    note.cells = m->cells;
    memcpy(note.message, own.msg, sizeof note.message);
    /* who was stopped knows nothing of the snapshot */
    m->commons.done(m->commons.self, note.status == IRIS_E_RETRY ? NULL : &note, sizeof note,
                    !note.status);
    return note.status ? iris_fail(err, note.status, "%s", own.msg) : IRIS_OK;
}

static enum iris_status
take_loaded(struct iris_maker *m, const char *id, const struct loaded *note, void *block,
            int *foreign, int *publishing, struct iris_err *err)
{
    *foreign = note->foreign;
    *publishing = note->publishing;
    if (note->status)
        return iris_fail(err, note->status, "%s", note->message);
    m->cells = note->cells;
    m->cells.block = NULL;
    iris_cells_place(&m->cells, block, note->cells.n);
    m->snapshot = strdup(id);
    return m->snapshot ? IRIS_OK : iris_fail_memory(err);
}

static enum iris_status
load_once(struct iris_maker *m, const char *id, const char *path, uint64_t files,
          struct iris_buf *warnings, int *foreign, int *publishing, struct iris_err *err)
{
    struct loaded note = {.status = IRIS_OK};
    struct iris_buf name = {0};
    char key[IRIS_DIGEST_TEXT];
    void *block = NULL;
    enum iris_status st;

    iris_buf_printf(&name, "%s\n%s\n%llu", id, path, (unsigned long long)files);
    st = iris_buf_check(&name, err);
    if (!st)
        iris_digest_memory(name.data, name.len, key);
    iris_buf_release(&name);
    if (st)
        return st;
    switch (m->commons.get(m->commons.self, key, &m->pause, &block, &note, sizeof note)) {
    case 0:
        return take_loaded(m, id, &note, block, foreign, publishing, err);
    case 1:
        return load_for_all(m, id, path, files, warnings, foreign, publishing, err);
    default:
        return iris_fail(err, IRIS_E_RETRY, "stopped");
    }
}

enum iris_status
iris_maker_load(struct iris_maker *m, const char *id, const char *path, uint64_t files,
                struct iris_buf *warnings, int *foreign, int *publishing, struct iris_err *err)
{
    enum iris_status st;

    *foreign = *publishing = 0;
    if (m->snapshot && !strcmp(m->snapshot, id))
        return IRIS_OK;
    unload(m);
    if (m->commons.get)
        st = load_once(m, id, path, files, warnings, foreign, publishing, err);
    else
        st = load(m, id, path, files, NULL, warnings, foreign, publishing, err);
    if (st)
        unload(m);
    return st;
}

enum iris_status
iris_maker_adopt(struct iris_maker *m, const char *id, const struct iris_source *source,
                 int *foreign, int *publishing, struct iris_err *err)
{
    enum iris_status st;

    unload(m);
    st = claim(m, id, source, foreign, publishing, err);
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

    iris_settings_units(s, &units);
    iris_perturb_law_of(s, &perturb);
    iris_perturb_draw(&perturb, m->run.seed, iris_hash64(0, m->snapshot), m->run.round, point, &p);
    iris_view_init(&view, &law, p.jitter_r, p.jitter_lon, units.parsec);
    iris_sampler_init(sampler, &m->cells, &view, &p);
    sampler->kernels = m->kernels;
}

static enum iris_status
array_path(const struct iris_maker *m, const char *snapshot, uint32_t point, enum iris_kind kind,
           char **path, struct iris_err *err)
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

static enum iris_status
publish_array(const struct iris_maker *m, const char *snapshot, uint32_t point, enum iris_kind kind,
              const float *data, struct iris_err *err)
{
    struct iris_shape shape;
    enum iris_status st;
    char *path = NULL;

    iris_kind_shape(kind, m->run.type, &m->settings, &shape);
    st = array_path(m, snapshot, point, kind, &path, err);
    if (!st)
        st = iris_npy_write(path, &shape, data, err);
    free(path);
    return st;
}

/* ---- pairs ---- */

static enum iris_status
get_ready(struct iris_maker *m, struct iris_err *err)
{
    const struct iris_lines *lines = NULL;
    enum iris_status st = IRIS_OK;

    if (m->can_observe)
        return IRIS_OK;
    if (m->run.type == IRIS_SYNTHETIC)
        st = m->tables.get(m->tables.self, &lines, err);
    if (!st)
        st = iris_observe_init(&m->observe, m->hyper, m->run.type, lines, m->kernels,
                               m->run.precise, err);
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
publish_arrays(const struct iris_maker *m, const char *snapshot, uint32_t point,
               const struct arrays *a, struct iris_err *err)
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

    *publishing = 0;
    st = m->snapshot ? get_ready(m, err) : iris_fail(err, IRIS_E_BUG, "no snapshot is loaded");
    if (st)
        return st;
    st = arrays_init(&a, &m->observe, err);
    if (!st)
        st = iris_observe_pair(&m->observe, columns, &m->pause, a.column, a.observed, err);
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
            struct iris_tile t = {.r0 = r,
                                  .r1 = r + n_r < v->r.n ? r + n_r : v->r.n,
                                  .lon0 = lon,
                                  .lon1 = lon + n_lon < v->lon.n ? lon + n_lon : v->lon.n,
                                  .lat1 = v->lat.n};

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
    iris_kind_shape(IRIS_TENSOR, m->run.type, &m->settings, &shape);
    st = array_path(m, m->snapshot, point, IRIS_TENSOR, &path, err);
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

static enum iris_status
check_loaded(const struct iris_maker *m, struct iris_err *err)
{
    if (!m->snapshot || !m->cells.n)
        return iris_fail(err, IRIS_E_BUG, "no snapshot is loaded");
    return IRIS_OK;
}

enum iris_status
iris_maker_point(struct iris_maker *m, uint32_t point, int *publishing, struct iris_err *err)
{
    struct iris_sampler sampler;
    struct iris_columns columns;

    enum iris_status st;

    *publishing = 0;
    st = check_loaded(m, err);
    if (st)
        return st;
    make_sampler(m, point, &sampler);
    if (m->run.type == IRIS_STANDARD)
        return make_tensor(m, point, &sampler, publishing, err);
    columns = iris_columns_of_sampler(&sampler);
    return iris_maker_pair(m, point, &columns, publishing, err);
}

enum iris_status
iris_maker_part(struct iris_maker *m, uint32_t point, size_t lon0, size_t lon1, double *strips,
                int *gas, struct iris_err *err)
{
    struct iris_sampler sampler;
    struct iris_columns columns;
    enum iris_status st;

    st = check_loaded(m, err);
    if (!st)
        st = get_ready(m, err);
    if (st)
        return st;
    make_sampler(m, point, &sampler);
    columns = iris_columns_of_sampler(&sampler);
    return iris_observe_part(&m->observe, &columns, &m->pause, lon0, lon1, strips, gas, err);
}
