#include "find.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "digest.h"
#include "entry.h"
#include "num.h"
#include "snapname.h"

static void
release_found(struct iris_found *s)
{
    free(s->id);
    free(s->path);
    free(s->part);
}

void
iris_find_release(struct iris_find *f)
{
    size_t i;

    for (i = 0; i < f->n; i++)
        release_found(&f->found[i]);
    free(f->found);
    iris_buf_release(&f->warnings);
    *f = (struct iris_find){0};
}

/* Another part of a set that is there already? */
static struct iris_found *
same_set(struct iris_find *f, const char *part0)
{
    size_t i;

    for (i = f->n; i > 0; i--) {
        if (!strcmp(f->found[i - 1].path, part0))
            return &f->found[i - 1];
    }
    return NULL;
}

/* Count a file to its set. */
static enum iris_status
add_part(struct iris_found *s, uint64_t part, const struct iris_place_file *file,
         struct iris_err *err)
{
    uint64_t *list = realloc(s->part, (s->present + 1) * sizeof *list), i;

    if (!list)
        return iris_fail_memory(err);
    s->part = list;
    for (i = 0; i < s->present; i++)
        s->twice |= list[i] == part;
    list[s->present++] = part;
    s->files = part + 1 > s->files ? part + 1 : s->files;
    s->bytes += file->bytes;
    s->mtime = file->mtime > s->mtime ? file->mtime : s->mtime;
    return IRIS_OK;
}

static enum iris_status
add_file(struct iris_find *f, const char *path, const struct iris_place_file *file, int named,
         struct iris_err *err)
{
    struct iris_found s = {.named = named}, *list, *set;
    struct iris_buf part0 = {0}, id = {0};
    struct iris_snapname n;
    enum iris_status st;

    if (iris_snapname_parse(path, &n))
        return iris_fail(err, IRIS_E_DATA, "'%s' is not named *.hdf5 or *.h5", path);
    iris_snapname_part(path, 0, &part0);
    iris_snapname_id(f->label, path + n.dir, n.stem, &id);
    s.path = part0.data;
    s.id = id.data;
    s.has_index = n.has_index;
    s.index = n.index;
    st = iris_buf_check(&part0, err);
    if (!st)
        st = iris_buf_check(&id, err);
    if (!st && !iris_snapname_is_id(id.data))
        st = iris_fail(err, IRIS_E_DATA, "the name of '%s' makes an id of more than 200 bytes",
                       path);
    set = !st && n.is_part ? same_set(f, part0.data) : NULL;
    if (!st)
        st = add_part(set ? set : &s, n.is_part ? n.part : 0, file, err);
    list = st || set ? NULL : realloc(f->found, (f->n + 1) * sizeof *list);
    if (!st && !set && !list)
        st = iris_fail_memory(err);
    if (!list) {
        release_found(&s);
        return st;
    }
    f->found = list;
    f->found[f->n++] = s;
    return IRIS_OK;
}

static int
is_set_directory(const char *name)
{
    return !strncmp(name, "snapdir_", 8);
}

static const struct iris_place *
place_of(const struct iris_find *f)
{
    return f->place ? f->place : &iris_here;
}

static enum iris_status add_directory(struct iris_find *f, const char *dir, int depth,
                                      struct iris_err *err);

/* A name in a directory; a set directory only in one that is none itself. */
static enum iris_status
add_entry(struct iris_find *f, const char *dir, const struct iris_place_entry *e, int depth,
          struct iris_err *err)
{
    const struct iris_place *place = place_of(f);
    int may_be_set = depth == 0 && is_set_directory(e->name);
    struct iris_place_file file = e->file;
    enum iris_status st = IRIS_OK;
    struct iris_snapname name;
    struct iris_err why = {0};
    char *path;

    if (e->name[0] == '.' || (iris_snapname_parse(e->name, &name) && !may_be_set))
        return IRIS_OK;
    path = iris_path_join(dir, e->name);
    if (!path)
        return iris_fail_memory(err);
    if (file.kind == IRIS_PLACE_UNKNOWN)
        st = place->look(place->self, path, &file, &why);
    if (st == IRIS_E_IO) {
        iris_buf_puts(&f->warnings, "left out ");
        iris_buf_put_plain(&f->warnings, why.msg + strlen(IRIS_PLACE_CANNOT));
        iris_buf_putc(&f->warnings, '\n');
        st = IRIS_OK;
    } else if (st) {
        *err = why;
    } else if (file.kind == IRIS_PLACE_FILE) {
        st = add_file(f, path, &file, 0, err);
    } else if (file.kind == IRIS_PLACE_DIRECTORY && may_be_set) {
        st = add_directory(f, path, 1, err);
    }
    free(path);
    return st;
}

static enum iris_status
add_directory(struct iris_find *f, const char *dir, int depth, struct iris_err *err)
{
    const struct iris_place *place = place_of(f);
    struct iris_place_list list = {0};
    enum iris_status st;
    size_t i;

    st = place->list(place->self, dir, &list, err);
    for (i = 0; i < list.n && !st; i++)
        st = add_entry(f, dir, &list.entry[i], depth, err);
    iris_place_list_release(&list);
    return st;
}

enum iris_status
iris_find_add(struct iris_find *f, const char *name, struct iris_err *err)
{
    const struct iris_place *place = place_of(f);
    struct iris_place_file file;
    size_t before = f->n;
    enum iris_status st;

    st = place->look(place->self, name, &file, err);
    if (st)
        return st;
    if (file.kind != IRIS_PLACE_DIRECTORY)
        return add_file(f, name, &file, 1, err);
    st = add_directory(f, name, 0, err);
    if (!st && f->n == before)
        st = iris_fail(err, IRIS_E_DATA, "no HDF5 snapshots (*.hdf5, *.h5) in '%s'", name);
    return st;
}

/* Drop those that keep() refuses. */
static void
keep_only(struct iris_find *f, const unsigned char *keep)
{
    size_t i, n = 0;

    for (i = 0; i < f->n; i++) {
        if (keep[i])
            f->found[n++] = f->found[i];
        else
            release_found(&f->found[i]);
    }
    f->n = n;
}

enum iris_status
iris_find_filter(struct iris_find *f, int has_min, int64_t min, int has_max, int64_t max,
                 struct iris_err *err)
{
    unsigned char *keep;
    size_t i, before = f->n;
    char low[32] = "the lowest", high[32] = "the highest";

    if ((!has_min && !has_max) || !f->n)
        return IRIS_OK;
    keep = calloc(f->n, 1);
    if (!keep)
        return iris_fail_memory(err);
    for (i = 0; i < f->n; i++) {
        const struct iris_found *s = &f->found[i];
        int within = s->has_index && (!has_min || (min < 0 || s->index >= (uint64_t)min)) &&
                     (!has_max || (max >= 0 && s->index <= (uint64_t)max));

        keep[i] = (unsigned char)(s->named || within);
    }
    keep_only(f, keep);
    free(keep);
    if (f->n)
        return IRIS_OK;
    if (has_min)
        snprintf(low, sizeof low, "%" PRId64, min);
    if (has_max)
        snprintf(high, sizeof high, "%" PRId64, max);
    return iris_fail(err, IRIS_E_DATA, "none of %zu snapshots has an index from %s to %s", before,
                     low, high);
}

/* What the draw sorts by. */
struct lot {
    uint64_t hash;
    const char *id;
    size_t index;
};

static int
compare_lots(const void *pa, const void *pb)
{
    const struct lot *a = pa, *b = pb;

    if (a->hash != b->hash)
        return a->hash < b->hash ? -1 : 1;
    return strcmp(a->id, b->id);
}

enum iris_status
iris_find_draw(struct iris_find *f, uint64_t seed, uint64_t total, struct iris_err *err)
{
    struct lot *lot = calloc(f->n + 1, sizeof *lot);
    unsigned char *keep = calloc(f->n + 1, 1);
    enum iris_status st = lot && keep ? IRIS_OK : iris_fail_memory(err);
    size_t i, n = 0;

    for (i = 0; i < f->n && !st; i++) {
        keep[i] = (unsigned char)f->found[i].named;
        if (!f->found[i].named)
            lot[n++] = (struct lot){iris_hash64(seed, f->found[i].id), f->found[i].id, i};
    }
    if (!st) {
        qsort(lot, n, sizeof *lot, compare_lots);
        for (i = 0; i < n && i < total; i++)
            keep[lot[i].index] = 1;
        keep_only(f, keep);
    }
    free(lot);
    free(keep);
    return st;
}

enum iris_status
iris_find_part(struct iris_find *f, uint64_t k, uint64_t n, struct iris_err *err)
{
    unsigned char *keep = calloc(f->n + 1, 1);
    size_t i;

    if (!keep)
        return iris_fail_memory(err);
    for (i = 0; i < f->n; i++)
        keep[i] = i % n == k - 1;
    keep_only(f, keep);
    free(keep);
    return IRIS_OK;
}

static int
compare_found(const void *pa, const void *pb)
{
    const struct iris_found *a = pa, *b = pb;
    int c = iris_natural_cmp(a->id, b->id);

    return c ? c : strcmp(a->path, b->path);
}

static void
warn_of_missing(struct iris_find *f, const struct iris_found *s)
{
    iris_buf_puts(&f->warnings, "of the set of '");
    iris_buf_put_plain(&f->warnings, s->path);
    iris_buf_printf(&f->warnings, "' only %" PRIu64 " of at least %" PRIu64 " files are there\n",
                    s->present, s->files);
}

/* A set that is named by some of its files only, as by the first of them. */
static int
goes_on(const struct iris_find *f, const struct iris_found *s)
{
    const struct iris_place *place = place_of(f);
    struct iris_buf next = {0};
    struct iris_place_file file;
    struct iris_snapname name;
    struct iris_err why = {0};
    int is_there = 0;

    if (!s->named || iris_snapname_parse(s->path, &name) || !name.is_part)
        return 0;
    iris_snapname_part(s->path, s->files, &next);
    if (!next.failed)
        is_there = !place->look(place->self, iris_buf_str(&next), &file, &why);
    iris_buf_release(&next);
    return is_there;
}

static void
warn_of_unnamed(struct iris_find *f, const struct iris_found *s)
{
    iris_buf_puts(&f->warnings, "the set of '");
    iris_buf_put_plain(&f->warnings, s->path);
    iris_buf_puts(&f->warnings, "' has more files than are named; name its directory\n");
}

enum iris_status
iris_find_sort(struct iris_find *f, struct iris_err *err)
{
    size_t i;

    if (f->n)
        qsort(f->found, f->n, sizeof *f->found, compare_found);
    for (i = 1; i < f->n; i++) {
        if (!strcmp(f->found[i].id, f->found[i - 1].id))
            return iris_fail(err, IRIS_E_DATA,
                             "'%s' and '%s' have the same id '%s'; list them apart with --label",
                             f->found[i - 1].path, f->found[i].path, f->found[i].id);
    }
    for (i = 0; i < f->n; i++) {
        const struct iris_found *s = &f->found[i];

        if (s->twice)
            return iris_fail(err, IRIS_E_DATA, "files of the set of '%s' are named twice", s->path);
        if (s->present != s->files)
            warn_of_missing(f, s);
        else if (goes_on(f, s))
            warn_of_unnamed(f, s);
    }
    return IRIS_OK;
}

enum iris_status
iris_find_manifest(const struct iris_find *f, struct iris_manifest *m, struct iris_err *err)
{
    static const char *const columns[][2] = {
        {"snapshot", "str"}, {"index", "u64"},    {"path", "path"}, {"files", "u32"},
        {"bytes", "u64[B]"}, {"mtime", "i64[s]"}, {"remote", "str"}};
    enum iris_status st;
    char mtime[24];
    size_t i, row;

    st = iris_manifest_init(m, "snapshots", err);
    for (i = 0; i < sizeof columns / sizeof columns[0] && !st; i++)
        st = iris_manifest_column(m, columns[i][0], columns[i][1], &row, err);
    for (i = 0; i < f->n && !st; i++) {
        const struct iris_found *s = &f->found[i];

        snprintf(mtime, sizeof mtime, "%" PRId64, s->mtime);
        st = iris_manifest_add_row(m, &row, err);
        if (!st)
            st = iris_manifest_set(m, row, "snapshot", s->id, err);
        if (!st && s->has_index)
            st = iris_manifest_set_u64(m, row, "index", s->index, err);
        if (!st)
            st = iris_manifest_set(m, row, "path", s->path, err);
        if (!st)
            st = iris_manifest_set_u64(m, row, "files", s->files, err);
        if (!st)
            st = iris_manifest_set_u64(m, row, "bytes", s->bytes, err);
        if (!st)
            st = iris_manifest_set(m, row, "mtime", mtime, err);
        if (!st && f->remote)
            st = iris_manifest_set(m, row, "remote", f->remote, err);
    }
    return st;
}
