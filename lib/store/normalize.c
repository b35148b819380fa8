#include "normalize.h"

#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "digest.h"
#include "file.h"
#include "npy.h"
#include "num.h"

enum { BLOCK = 1 << 16 };

static int
all_one(const float *factor, size_t channels)
{
    size_t c;

    for (c = 0; c < channels; c++) {
        if (factor[c] != 1.0f)
            return 0;
    }
    return 1;
}

static enum iris_status
check_hash(const char *path, const char *recorded, const char *found, struct iris_err *err)
{
    if (!recorded || !strcmp(recorded, found))
        return IRIS_OK;
    return iris_fail(err, IRIS_E_DATA,
                     "'%s' is not the file that the manifest recorded: its hash is %s, not %s",
                     path, found, recorded);
}

/* A file being read as blocks and written scaled. */
struct conversion {
    struct iris_npy in;
    struct iris_outfile out; /* not open: only the hash is wanted */
    struct iris_digest *raw, *made;
    float block[BLOCK];
};

static void
release(struct conversion *c)
{
    iris_npy_close(&c->in);
    iris_outfile_abort(&c->out);
    iris_digest_free(c->raw);
    iris_digest_free(c->made);
    free(c);
}

static enum iris_status
scale_blocks(struct conversion *c, const float *factor, size_t channels, uint64_t offset,
             struct iris_err *err)
{
    size_t part = c->in.count / channels, done, i, n;
    enum iris_status st = IRIS_OK;

    for (done = 0; done < c->in.count && !st; done += n) {
        n = c->in.count - done < BLOCK ? c->in.count - done : BLOCK;
        st = iris_npy_read_f32(&c->in, done, n, c->block, err);
        if (st)
            break;
        iris_digest_add(c->raw, c->block, n * sizeof *c->block);
        for (i = 0; i < n; i++)
            c->block[i] *= factor[channels == 1 ? 0 : (done + i) / part];
        iris_digest_add(c->made, c->block, n * sizeof *c->block);
        if (c->out.fd >= 0)
            st = iris_outfile_pwrite(&c->out, c->block, n * sizeof *c->block, offset + 4 * done,
                                     err);
    }
    return st;
}

/* Scale `from` into `to`; with no `to` only form the hash it would have. */
static enum iris_status
convert(const char *from, const char *to, const float *factor, size_t channels, const char *hash,
        char made[33], struct iris_err *err)
{
    struct conversion *c = calloc(1, sizeof *c);
    struct iris_buf header = {0};
    char raw[IRIS_DIGEST_TEXT];
    uint64_t offset = 0;
    enum iris_status st;

    if (!c)
        return iris_fail_memory(err);
    c->out = (struct iris_outfile)IRIS_OUTFILE_INIT;
    c->raw = iris_digest_new();
    c->made = iris_digest_new();
    st = c->raw && c->made ? iris_npy_open(from, &c->in, err) : iris_fail_memory(err);
    if (!st && c->in.count % channels)
        st = iris_fail(err, IRIS_E_DATA, "'%s' does not have %zu channels", from, channels);
    if (!st)
        st = iris_npy_hash_header(&c->in, c->raw, err);
    if (!st) {
        iris_npy_header(&c->in.shape, &header);
        st = iris_buf_check(&header, err);
        iris_digest_add(c->made, iris_buf_str(&header), header.len);
    }
    if (!st && to)
        st = iris_npy_create(&c->out, to, &c->in.shape, &offset, err);
    if (!st)
        st = scale_blocks(c, factor, channels, offset, err);
    if (!st && c->in.item == sizeof(float)) {
        iris_digest_text(c->raw, raw);
        st = check_hash(from, hash, raw, err);
    }
    if (!st && to)
        st = iris_outfile_commit(&c->out, err);
    if (!st)
        iris_digest_text(c->made, made);
    iris_buf_release(&header);
    release(c);
    return st;
}

/* Is `to` what `from` becomes? Without `from`, which may have been dropped,
 * there is nothing to compare with. */
static enum iris_status
compare(const char *from, const char *to, const float *factor, size_t channels, const char *hash,
        char made[33], int *same, struct iris_err *err)
{
    char found[IRIS_DIGEST_TEXT];
    enum iris_status st;

    *same = 0;
    if (access(to, F_OK))
        return IRIS_OK;
    st = iris_digest_file(to, found, err);
    if (st)
        return st;
    memcpy(made, found, sizeof found);
    *same = 1;
    if (access(from, F_OK))
        return IRIS_OK;
    st = all_one(factor, channels) ? iris_digest_file(from, made, err)
                                   : convert(from, NULL, factor, channels, hash, made, err);
    if (!st && all_one(factor, channels))
        st = check_hash(from, hash, made, err);
    *same = !st && !strcmp(made, found);
    return st;
}

enum iris_status
iris_normalize_array(const char *from, const char *to, const float *factor, size_t channels,
                     const char *hash, char made[33], struct iris_err *err)
{
    enum iris_status st;
    int same;

    st = compare(from, to, factor, channels, hash, made, &same, err);
    if (st || same)
        return st;
    if (!all_one(factor, channels))
        return convert(from, to, factor, channels, hash, made, err);
    st = iris_digest_file(from, made, err);
    if (!st)
        st = check_hash(from, hash, made, err);
    if (!st)
        st = iris_link_file(from, to, err);
    return st;
}

static enum iris_status
convert_kind(const char *root, struct iris_manifest *m, size_t row, const struct iris_entry *e,
             size_t k, const struct iris_scaling *scaling, struct iris_err *err)
{
    enum iris_kind kind = e->kind[k];
    char *from = iris_path_join(root, e->path[k]), *to = NULL;
    struct iris_buf path = {0};
    enum iris_status st;
    char made[33];
    size_t channels, index;
    const float *factor = iris_scaling_of(scaling, kind, &channels);

    iris_entry_path(&path, e->digest, scaling->digest, e->snapshot, e->point, kind);
    st = iris_buf_check(&path, err);
    to = st ? NULL : iris_path_join(root, path.data);
    if (!st && (!from || !to))
        st = iris_fail_memory(err);
    if (!st)
        st = iris_normalize_array(from, to, factor, channels, e->hash[k], made, err);
    if (!st)
        st = iris_manifest_column(m, iris_kind_hash(kind), "str", &index, err);
    if (!st)
        st = iris_manifest_set(m, row, iris_kind_hash(kind), made, err);
    if (!st)
        st = iris_manifest_set(m, row, iris_kind_column(kind), path.data, err);
    iris_buf_release(&path);
    free(from);
    free(to);
    return st;
}

enum iris_status
iris_normalize_row(const char *root, struct iris_manifest *m, size_t row,
                   const struct iris_scaling *scaling, int *writing, struct iris_err *err)
{
    struct iris_buf dir = {0};
    struct iris_entry e;
    enum iris_status st;
    size_t k, index;

    *writing = 0;
    st = iris_entry_get(m, row, &e, err);
    if (st)
        return st;
    iris_buf_printf(&dir, "%s/", root);
    iris_entry_dir(&dir, e.digest, scaling->digest, e.snapshot);
    st = iris_buf_check(&dir, err);
    if (!st)
        st = iris_mkdirs(dir.data, err);
    *writing = st != IRIS_OK;
    iris_buf_release(&dir);
    for (k = 0; k < e.n_kinds && !st; k++) {
        char *raw = iris_path_join(root, e.path[k]);

        st = convert_kind(root, m, row, &e, k, scaling, err);
        /* what can be read and is sound, but was not written, is our disk */
        *writing = st == IRIS_E_RETRY || (st == IRIS_E_IO && raw && !access(raw, R_OK));
        free(raw);
        /* setting fields freed what e points to */
        if (!st)
            st = iris_entry_get(m, row, &e, err);
    }
    if (!st)
        st = iris_manifest_column(m, "units", "str", &index, err);
    if (!st)
        st = iris_manifest_set(m, row, "units", scaling->digest, err);
    if (!st)
        st = iris_manifest_set(m, row, "state", "iris", err);
    return st;
}

enum iris_status
iris_normalize_record(const char *root, const char *digest, enum iris_type type,
                      const struct iris_scaling *scaling, const struct iris_unit_factors *u,
                      struct iris_err *err)
{
    /* only what the type uses: others may be set or not in the same units */
    const struct {
        const char *name;
        double value;
        int used;
    } factor[] = {{"_velocity_iris_per_processing", u->velocity, type == IRIS_STANDARD},
                  {"_density_iris_per_processing", u->density, 1},
                  {"_v_density_iris_per_processing", u->v_density, type == IRIS_SIMPLE},
                  {"_temperature_iris_per_processing", u->temperature, type != IRIS_SIMPLE},
                  {"_length_iris_per_SI", u->length, 1},
                  {"_length_iris_per_parsec", u->length_parsec, 1},
                  {"_time_iris_per_SI", u->time, 1},
                  {"_mass_iris_per_SI", u->mass, 1},
                  {"_temperature_iris_per_SI", u->th, 1}};
    struct iris_buf path = {0}, text = {0};
    enum iris_status st;
    char number[IRIS_F64_TEXT];
    size_t i;

    iris_buf_printf(&path, "%s/entries/%s/iris-%s", root, digest, scaling->digest);
    iris_buf_printf(&text, "{\n    \"type\": \"%s\"", iris_type_name(type));
    for (i = 0; i < sizeof factor / sizeof factor[0]; i++) {
        if (factor[i].used)
            iris_buf_printf(&text, ",\n    \"%s\": %s", factor[i].name,
                            iris_format_f64(factor[i].value, number));
    }
    iris_buf_puts(&text, "\n}\n");
    st = iris_buf_check(&path, err);
    if (!st)
        st = iris_mkdirs(path.data, err);
    iris_buf_puts(&path, "/units.json");
    if (!st)
        st = iris_buf_check(&text, err);
    if (!st)
        st = iris_buf_check(&path, err);
    if (!st)
        st = iris_write_file_if_changed(path.data, text.data, text.len, err);
    iris_buf_release(&path);
    iris_buf_release(&text);
    return st;
}
