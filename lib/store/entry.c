#include "entry.h"

#include <inttypes.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "digest.h"
#include "num.h"
#include "sampler.h"
#include "snapname.h"

static const struct {
    const char *file, *column, *hash;
} kinds[IRIS_KINDS] = {
    [IRIS_COLUMN] = {"columnized", "column", "column_xxh128"},
    [IRIS_OBSERVED] = {"observed", "observed", "observed_xxh128"},
    [IRIS_TENSOR] = {"tensor", "tensor", "tensor_xxh128"},
};

static const char *const states[] = {
    [IRIS_RAW] = "raw", [IRIS_NORMALIZED] = "iris", [IRIS_FAILED] = "failed"};

size_t
iris_type_kinds(enum iris_type type, enum iris_kind kind[2])
{
    if (type == IRIS_STANDARD) {
        kind[0] = IRIS_TENSOR;
        return 1;
    }
    kind[0] = IRIS_COLUMN;
    kind[1] = IRIS_OBSERVED;
    return 2;
}

const char *
iris_kind_file(enum iris_kind k)
{
    return kinds[k].file;
}

const char *
iris_kind_column(enum iris_kind k)
{
    return kinds[k].column;
}

const char *
iris_kind_hash(enum iris_kind k)
{
    return kinds[k].hash;
}

void
iris_kind_shape(enum iris_kind k, enum iris_type type, const struct iris_settings *s,
                struct iris_shape *shape)
{
    size_t lon = (size_t)s->coordinate.lon_steps;
    size_t lines = type == IRIS_SYNTHETIC ? (size_t)s->observer.n_lines : 1;

    if (k == IRIS_TENSOR)
        *shape = (struct iris_shape){
            4, {IRIS_FIELDS, (size_t)s->coordinate.r_steps, lon, (size_t)s->coordinate.lat_steps}};
    else if (k == IRIS_COLUMN)
        *shape = (struct iris_shape){
            3, {1, (size_t)(s->coordinate.r_crop_max - s->coordinate.r_crop_min), lon}};
    else
        *shape = (struct iris_shape){3, {lines, lon, (size_t)s->cube.v_steps}};
}

uint64_t
iris_kind_bytes(enum iris_kind k, enum iris_type type, const struct iris_settings *s)
{
    struct iris_buf header = {0};
    struct iris_shape shape;
    uint64_t bytes = sizeof(float);
    size_t i;

    iris_kind_shape(k, type, s, &shape);
    for (i = 0; i < shape.n; i++)
        bytes *= shape.dim[i];
    iris_npy_header(&shape, &header);
    bytes += header.len;
    iris_buf_release(&header);
    return bytes;
}

void
iris_entry_dir(struct iris_buf *out, const char *digest, const char *units, const char *snapshot)
{
    if (units)
        iris_buf_printf(out, "entries/%s/iris-%s/%s", digest, units, snapshot);
    else
        iris_buf_printf(out, "entries/%s/raw/%s", digest, snapshot);
}

void
iris_entry_path(struct iris_buf *out, const char *digest, const char *units, const char *snapshot,
                uint32_t point, enum iris_kind k)
{
    iris_entry_dir(out, digest, units, snapshot);
    iris_buf_printf(out, "/p%03" PRIu32 ".%s.npy", point, kinds[k].file);
}

double
iris_entry_theta(const struct iris_settings *s, uint32_t point)
{
    return 360.0 * (double)point / (double)s->writer.points_per_snapshot + s->coordinate.theta_zero;
}

void
iris_perturb_law_of(const struct iris_settings *s, struct iris_perturb_law *law)
{
    *law = (struct iris_perturb_law){
        .scale = s->dataset.scale_factor,
        .scale_range = {s->dataset.scale_range[0], s->dataset.scale_range[1]},
        .skew = s->dataset.skew_factor,
        .skew_range = {s->dataset.skew_range[0], s->dataset.skew_range[1]},
        .density = s->dataset.density_factor,
        .density_range = {s->dataset.density_range[0], s->dataset.density_range[1]},
        .jitter_r = s->coordinate.jitter_r,
        .jitter_lon = s->coordinate.jitter_lon,
        .jitter_r_range = {s->coordinate.jitter_r_min, s->coordinate.jitter_r_max},
        .jitter_lon_range = {s->coordinate.jitter_lon_min, s->coordinate.jitter_lon_max},
        .per_snapshot = s->suite.perturb_snapshot,
    };
}

enum iris_status
iris_entry_manifest(struct iris_manifest *m, enum iris_type type, struct iris_err *err)
{
    static const char *const before[][2] = {
        {"id", "str"},         {"snapshot", "str"},     {"point", "u32"},
        {"theta", "f64[deg]"}, {"state", "str"},        {"type", "str"},
        {"scale", "f64"},      {"skew", "f64"},         {"skew_angle", "f64[deg]"},
        {"density", "f64"},    {"jitter_r", "f64[pc]"}, {"jitter_lon", "f64[deg]"},
        {"seed", "u64"},       {"round", "u32"},        {"digest", "str"}};
    enum iris_kind kind[2];
    size_t i, n, index;
    enum iris_status st;

    st = iris_manifest_init(m, "entries", err);
    for (i = 0; i < sizeof before / sizeof before[0] && !st; i++)
        st = iris_manifest_column(m, before[i][0], before[i][1], &index, err);
    n = iris_type_kinds(type, kind);
    for (i = 0; i < n && !st; i++)
        st = iris_manifest_column(m, kinds[kind[i]].column, "path", &index, err);
    if (!st)
        st = iris_manifest_column(m, "message", "str", &index, err);
    return st;
}

static enum iris_status
set_numbers(struct iris_manifest *m, size_t row, const struct iris_entry_run *run,
            const char *snapshot, uint32_t point, struct iris_err *err)
{
    struct iris_perturb_law law;
    struct iris_perturbation p;
    enum iris_status st;
    size_t i;

    iris_perturb_law_of(run->settings, &law);
    iris_perturb_draw(&law, run->seed, iris_hash64(0, snapshot), run->round, point, &p);
    {
        const struct {
            const char *name;
            double value;
        } numbers[] = {{"theta", iris_entry_theta(run->settings, point)},
                       {"scale", p.scale},
                       {"skew", p.skew},
                       {"skew_angle", p.skew_angle},
                       {"density", p.density},
                       {"jitter_r", p.jitter_r},
                       {"jitter_lon", p.jitter_lon}};

        st = iris_manifest_set_u64(m, row, "point", point, err);
        for (i = 0; i < sizeof numbers / sizeof numbers[0] && !st; i++)
            st = iris_manifest_set_f64(m, row, numbers[i].name, numbers[i].value, err);
    }
    if (!st)
        st = iris_manifest_set_u64(m, row, "seed", run->seed, err);
    if (!st)
        st = iris_manifest_set_u64(m, row, "round", run->round, err);
    return st;
}

static enum iris_status
set_paths(struct iris_manifest *m, size_t row, const struct iris_entry_run *run,
          const char *snapshot, uint32_t point, struct iris_err *err)
{
    struct iris_buf path = {0};
    enum iris_status st = IRIS_OK;
    enum iris_kind kind[2];
    size_t n = iris_type_kinds(run->type, kind), i;

    for (i = 0; i < n && !st; i++) {
        iris_buf_clear(&path);
        iris_entry_path(&path, run->digest, NULL, snapshot, point, kind[i]);
        st = iris_buf_check(&path, err);
        if (!st)
            st = iris_manifest_set(m, row, kinds[kind[i]].column, path.data, err);
    }
    iris_buf_release(&path);
    return st;
}

enum iris_status
iris_entry_add(struct iris_manifest *m, const struct iris_entry_run *run, const char *snapshot,
               uint32_t point, const char *message, struct iris_err *err)
{
    char *id = iris_format("%s.%s.p%03" PRIu32, run->digest, snapshot, point);
    enum iris_status st;
    size_t row;

    st = id ? iris_manifest_add_row(m, &row, err) : iris_fail_memory(err);
    if (!st)
        st = iris_manifest_set(m, row, "id", id, err);
    if (!st)
        st = iris_manifest_set(m, row, "snapshot", snapshot, err);
    if (!st)
        st = iris_manifest_set(m, row, "state", states[message ? IRIS_FAILED : IRIS_RAW], err);
    if (!st)
        st = iris_manifest_set(m, row, "type", iris_type_name(run->type), err);
    if (!st)
        st = iris_manifest_set(m, row, "digest", run->digest, err);
    if (!st)
        st = set_numbers(m, row, run, snapshot, point, err);
    if (!st)
        st = message ? iris_manifest_set(m, row, "message", message, err)
                     : set_paths(m, row, run, snapshot, point, err);
    free(id);
    return st;
}

int
iris_path_is_inside(const char *path)
{
    const char *p = path;

    if (!*p || *p == '/')
        return 0;
    for (;;) {
        size_t n = strcspn(p, "/");

        if (n == 0 || (n == 2 && !strncmp(p, "..", 2)))
            return 0;
        if (!p[n])
            return 1;
        p += n + 1;
    }
}

static enum iris_status
bad_entry(const struct iris_entry *e, size_t row, const char *what, const char *value,
          struct iris_err *err)
{
    if (e->id)
        return iris_fail(err, IRIS_E_DATA, "entry '%s': bad %s '%s'", e->id, what,
                         value ? value : ".");
    return iris_fail(err, IRIS_E_DATA, "row %zu of the manifest: bad %s '%s'", row + 1, what,
                     value ? value : ".");
}

/* <digest>.<snapshot>.pNNN */
static int
is_id_of(const struct iris_entry *e)
{
    size_t d = strlen(e->digest), s = strlen(e->snapshot);
    char point[16];

    snprintf(point, sizeof point, ".p%03" PRIu32, e->point);
    return !strncmp(e->id, e->digest, d) && e->id[d] == '.' &&
           !strncmp(e->id + d + 1, e->snapshot, s) && !strcmp(e->id + d + 1 + s, point);
}

static int
is_hex(const char *s, size_t n)
{
    return strlen(s) == n && strspn(s, "0123456789abcdef") == n;
}

enum iris_status
iris_entry_get(const struct iris_manifest *m, size_t row, struct iris_entry *e,
               struct iris_err *err)
{
    const char *state = iris_manifest_get(m, row, "state");
    const char *type = iris_manifest_get(m, row, "type");
    const char *point = iris_manifest_get(m, row, "point");
    uint64_t number;
    size_t i;

    *e = (struct iris_entry){.row = row, .id = iris_manifest_get(m, row, "id")};
    e->snapshot = iris_manifest_get(m, row, "snapshot");
    e->digest = iris_manifest_get(m, row, "digest");
    e->message = iris_manifest_get(m, row, "message");
    if (!e->id)
        return bad_entry(e, row, "id", NULL, err);
    if (!e->snapshot || !iris_snapname_is_id(e->snapshot))
        return bad_entry(e, row, "snapshot", e->snapshot, err);
    if (!e->digest || !is_hex(e->digest, IRIS_SETTINGS_DIGEST - 1))
        return bad_entry(e, row, "digest", e->digest, err);
    if (!point || iris_parse_u64(point, &number) || number > UINT32_MAX)
        return bad_entry(e, row, "point", point, err);
    e->point = (uint32_t)number;
    if (!is_id_of(e))
        return bad_entry(e, row, "id", e->id, err);
    if (!type || iris_type_parse(type, &e->type, NULL))
        return bad_entry(e, row, "type", type, err);
    for (i = 0; i < sizeof states / sizeof states[0]; i++) {
        if (state && !strcmp(state, states[i]))
            break;
    }
    if (i == sizeof states / sizeof states[0])
        return bad_entry(e, row, "state", state, err);
    e->state = (enum iris_state)i;
    e->n_kinds = iris_type_kinds(e->type, e->kind);
    for (i = 0; i < e->n_kinds; i++) {
        e->path[i] = iris_manifest_get(m, row, kinds[e->kind[i]].column);
        e->hash[i] = iris_manifest_get(m, row, kinds[e->kind[i]].hash);
        if (e->state != IRIS_FAILED && (!e->path[i] || !iris_path_is_inside(e->path[i])))
            return bad_entry(e, row, kinds[e->kind[i]].column, e->path[i], err);
    }
    return IRIS_OK;
}

int
iris_entry_has_failed(const struct iris_manifest *m, size_t row)
{
    const char *state = iris_manifest_get(m, row, "state");

    return state && !strcmp(state, states[IRIS_FAILED]);
}

enum iris_status
iris_entry_type(const struct iris_manifest *m, enum iris_type *type, struct iris_err *err)
{
    enum iris_status st;
    size_t r;

    if (!m->n_rows)
        return iris_fail(err, IRIS_E_DATA, "the manifest has no entries");
    for (r = 0; r < m->n_rows; r++) {
        struct iris_entry e;

        st = iris_entry_get(m, r, &e, err);
        if (st)
            return st;
        if (r && e.type != *type)
            return iris_fail(err, IRIS_E_DATA,
                             "entry '%s' is of type %s, those before it of type %s", e.id,
                             iris_type_name(e.type), iris_type_name(*type));
        *type = e.type;
    }
    return IRIS_OK;
}

enum iris_status
iris_entry_fail(struct iris_manifest *m, size_t row, const char *message, struct iris_err *err)
{
    enum iris_status st;
    int k;

    st = iris_manifest_set(m, row, "state", states[IRIS_FAILED], err);
    for (k = 0; k < IRIS_KINDS && !st; k++) {
        if (iris_manifest_find(m, kinds[k].column) >= 0)
            st = iris_manifest_set(m, row, kinds[k].column, NULL, err);
        if (!st && iris_manifest_find(m, kinds[k].hash) >= 0)
            st = iris_manifest_set(m, row, kinds[k].hash, NULL, err);
    }
    if (!st)
        st = iris_manifest_set(m, row, "message", message, err);
    return st;
}

char *
iris_path_join(const char *root, const char *path)
{
    size_t n = strlen(root);

    return iris_format(n && root[n - 1] == '/' ? "%s%s" : "%s/%s", root, path);
}
