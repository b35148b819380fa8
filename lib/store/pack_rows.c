#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "container.h"
#include "h5put.h"
#include "num.h"
#include "pack.h"
#include "split.h"

/* ---- columns of the manifest ---- */

/* Fields as numbers; nonzero where one is none. Missing ones are not a number. */
static int
parse_f64s(const char *const *text, size_t n, double *value)
{
    size_t i;

    for (i = 0; i < n; i++) {
        value[i] = (double)NAN;
        if (text[i] && iris_parse_f64(text[i], &value[i]))
            return -1;
    }
    return 0;
}

/* Whole numbers of every row, up to most. */
static int
parse_u64s(const char *const *text, size_t n, uint64_t most, uint64_t *value)
{
    size_t i;

    for (i = 0; i < n; i++) {
        if (!text[i] || iris_parse_u64(text[i], &value[i]) || value[i] > most)
            return -1;
    }
    return 0;
}

static int
parse_i64s(const char *const *text, size_t n, int64_t *value)
{
    size_t i;

    for (i = 0; i < n; i++) {
        if (!text[i] || iris_parse_i64(text[i], &value[i]))
            return -1;
    }
    return 0;
}

/* A column as its type says, or as text where fields are not of it. */
static hid_t
put_column(hid_t group, const char *name, const char *type, size_t n, const char *const *text)
{
    hid_t dataset = -1;
    void *value = malloc((n + 1) * sizeof(double));

    if (!value)
        return -1;
    if (!strncmp(type, "f64", 3) && !parse_f64s(text, n, value))
        dataset = iris_h5_put_row(group, name, H5T_IEEE_F64LE, H5T_NATIVE_DOUBLE, n, value);
    else if (!strncmp(type, "i64", 3) && !parse_i64s(text, n, value))
        dataset = iris_h5_put_row(group, name, H5T_STD_I64LE, H5T_NATIVE_INT64, n, value);
    else if (!strncmp(type, "u32", 3) && !parse_u64s(text, n, UINT32_MAX, value))
        dataset = iris_h5_put_row(group, name, H5T_STD_U32LE, H5T_NATIVE_UINT64, n, value);
    else if (!strncmp(type, "u64", 3) && !parse_u64s(text, n, UINT64_MAX, value))
        dataset = iris_h5_put_row(group, name, H5T_STD_U64LE, H5T_NATIVE_UINT64, n, value);
    else
        dataset = iris_h5_put_texts(group, name, n, text);
    free(value);
    return dataset;
}

/* "f64[deg]" -> "degree" */
static int
put_units(hid_t dataset, const char *type)
{
    const char *open = strchr(type, '['), *known = NULL;
    size_t n = open ? strcspn(open + 1, "]") : 0;
    char *unit;
    int bad;

    if (!n)
        return 0;
    unit = strndup(open + 1, n);
    if (!unit)
        return -1;
    known = !strcmp(unit, "deg") ? "degree" : !strcmp(unit, "pc") ? "parsec" : unit;
    bad = iris_h5_put_text(dataset, "units", known);
    free(unit);
    return bad;
}

/* A name of HDF5 has no slash and is no dot. */
static enum iris_status
check_name(const struct packer *w, const char *name, struct iris_err *err)
{
    if (!strchr(name, '/') && strcmp(name, ".") != 0)
        return IRIS_OK;
    return iris_fail(err, IRIS_E_DATA,
                     "'%s': the manifest has a column '%s', and HDF5 no such name", w->root, name);
}

static enum iris_status
pack_column(struct packer *w, hid_t others, size_t c, const char **text, struct iris_err *err)
{
    const struct iris_manifest *m = &w->p->manifest;
    const char *long_name, *name = iris_container_column(m->column[c].name, &long_name);
    hid_t dataset, group = long_name ? w->file : others;
    int bad;
    size_t i;

    if (!name)
        return IRIS_OK;
    if (check_name(w, name, err))
        return err->status;
    for (i = 0; i < m->n_rows; i++)
        text[i] = m->row[i][c];
    dataset = put_column(group, name, m->column[c].type, m->n_rows, text);
    bad = dataset < 0 || (long_name && iris_h5_put_text(dataset, "long_name", long_name)) ||
          put_units(dataset, m->column[c].type);
    if (iris_h5_put_end(dataset, bad))
        return iris_pack_fail(w, name, err);
    return long_name ? iris_pack_link(w, name, 0, "entry", err) : IRIS_OK;
}

static enum iris_status
pack_columns(struct packer *w, struct iris_err *err)
{
    const struct iris_manifest *m = &w->p->manifest;
    const char **text = malloc((m->n_rows + 1) * sizeof *text);
    hid_t others = iris_h5_group(w->file, "columns");
    enum iris_status st = text ? IRIS_OK : iris_fail_memory(err);
    size_t c;

    if (!st && others < 0)
        st = iris_pack_fail(w, "columns", err);
    for (c = 0; c < m->n_columns && !st; c++)
        st = pack_column(w, others, c, text, err);
    if (others >= 0)
        H5Gclose(others);
    free(text);
    return st;
}

/* ---- the split ---- */

static int
put_split(hid_t group, const char *name, size_t n, const unsigned char *part, double fraction,
          uint64_t seed, const char *long_name)
{
    static const unsigned char value[2] = {IRIS_SPLIT_TRAIN, IRIS_SPLIT_VALIDATION};
    hid_t dataset = iris_h5_put_row(group, name, H5T_STD_U8LE, H5T_NATIVE_UCHAR, n, part);
    int bad = dataset < 0 || iris_h5_put_text(dataset, "long_name", long_name) ||
              iris_h5_put(dataset, "flag_values", H5T_STD_U8LE, H5T_NATIVE_UCHAR, 2, value) ||
              iris_h5_put_text(dataset, "flag_meanings", "train validation") ||
              iris_h5_put_double(dataset, "validation_fraction", fraction) ||
              iris_h5_put(dataset, "seed", H5T_STD_U64LE, H5T_NATIVE_UINT64, 0, &seed);

    return iris_h5_put_end(dataset, bad);
}

static enum iris_status
pack_split(struct packer *w, struct iris_err *err)
{
    hid_t group = iris_h5_group(w->file, "split");
    unsigned char *part = malloc(w->n + 1);
    double fraction = w->p->settings.training.validation_fraction;
    uint64_t seed = w->p->settings.suite.seed;
    enum iris_status st = part ? IRIS_OK : iris_fail_memory(err);

    if (!st && group < 0)
        st = iris_pack_fail(w, "split", err);
    if (!st)
        st = iris_split_rows(&w->p->manifest, "id", fraction, seed, part, err);
    if (!st && put_split(group, "entry", w->n, part, fraction, seed, "drawn entry by entry"))
        st = iris_pack_fail(w, "split/entry", err);
    if (!st)
        st = iris_split_rows(&w->p->manifest, "snapshot", fraction, seed, part, err);
    if (!st && put_split(group, "snapshot", w->n, part, fraction, seed,
                         "drawn by snapshot: none has entries in both"))
        st = iris_pack_fail(w, "split/snapshot", err);
    if (group >= 0)
        H5Gclose(group);
    free(part);
    if (!st)
        st = iris_pack_link(w, "split/entry", 0, "entry", err);
    if (!st)
        st = iris_pack_link(w, "split/snapshot", 0, "entry", err);
    return st;
}

/* ---- texts ---- */

static enum iris_status
put_text(const struct packer *w, hid_t group, const char *name, const char *text,
         struct iris_err *err)
{
    hid_t dataset = iris_h5_put_scalar_text(group, name, text);

    return iris_h5_put_end(dataset, 0) ? iris_pack_fail(w, name, err) : IRIS_OK;
}

/* settings.json of each digest, under its name. */
enum iris_status
iris_pack_settings(const struct packer *w, struct iris_err *err)
{
    hid_t group = iris_h5_group(w->file, "settings");
    enum iris_status st = group < 0 ? iris_pack_fail(w, "settings", err) : IRIS_OK;
    size_t r;

    for (r = 0; r < w->n && !st; r++) {
        const char *digest = iris_manifest_get(&w->p->manifest, r, "digest");
        struct iris_buf text = {0};
        char *path;

        if (!digest || H5Lexists(group, digest, H5P_DEFAULT) > 0)
            continue;
        path = iris_format("%s/entries/%s/settings.json", w->root, digest);
        st = path ? iris_read_file(path, 1 << 24, &text, err) : iris_fail_memory(err);
        if (!st)
            st = put_text(w, group, digest, iris_buf_str(&text), err);
        iris_buf_release(&text);
        free(path);
    }
    if (group >= 0)
        H5Gclose(group);
    return st;
}

enum iris_status
iris_pack_rows(struct packer *w, struct iris_err *err)
{
    enum iris_status st;

    st = pack_columns(w, err);
    if (!st)
        st = pack_split(w, err);
    if (!st)
        st = put_text(w, w->file, "manifest", iris_buf_str(&w->p->manifest_text), err);
    return st;
}

/* ---- facts ---- */

enum iris_status
iris_pack_facts(struct packer *w, const char *version, struct iris_err *err)
{
    const struct iris_published *p = w->p;
    uint64_t n = w->n;
    int bad;

    bad = iris_h5_put_text(w->file, "format", IRIS_CONTAINER_FORMAT) ||
          iris_h5_put_int(w->file, "format_version", IRIS_CONTAINER_VERSION) ||
          iris_h5_put_text(w->file, "iris_version", version) ||
          iris_h5_put_text(w->file, "title", "data set made from snapshots of galaxies") ||
          iris_h5_put_text(w->file, "type", iris_type_name(p->attributes.type)) ||
          iris_h5_put(w->file, "cardinality", H5T_STD_U64LE, H5T_NATIVE_UINT64, 0, &n) ||
          iris_h5_put(w->file, "seed", H5T_STD_U64LE, H5T_NATIVE_UINT64, 0,
                      &p->settings.suite.seed) ||
          iris_h5_put_text(w->file, "units_digest", p->scaling.digest) ||
          iris_h5_put_text(w->file, "hyper_json", iris_buf_str(&p->hyper_text)) ||
          iris_h5_put_text(w->file, "hyper_json_xxh128", p->attributes.hyper_hash) ||
          iris_h5_put_text(w->file, "manifest_xxh128", p->attributes.manifest_hash);
    return bad ? iris_pack_fail(w, "/", err) : IRIS_OK;
}
