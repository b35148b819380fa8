#include "catalog.h"

#include <dirent.h>
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "container_file.h"
#include "file.h"
#include "json.h"
#include "num.h"
#include "publish.h"

static const char suffix[] = ".npy";

/* The n-th component of a path, from 0; NULL when it has fewer. */
static const char *
component(const char *path, int n)
{
    while (n-- && path) {
        path = strchr(path, '/');
        path = path ? path + 1 : NULL;
    }
    return path;
}

/* entries/<digest>/<units>/<snapshot>/pNNN.<kind>.npy is
 * <digest>.<snapshot>.pNNN. */
static char *
id_of(const char *path)
{
    const char *digest = component(path, 1), *snapshot = component(path, 3);
    const char *point = component(path, 4);
    size_t n = strlen(path), s = strlen(suffix);

    if (!strncmp(path, "entries/", 8) && point && !strchr(point, '/'))
        return iris_format("%.*s.%.*s.%.*s", (int)strcspn(digest, "/"), digest,
                           (int)strcspn(snapshot, "/"), snapshot, (int)strcspn(point, "."), point);
    if (n > s && !strcmp(path + n - s, suffix))
        n -= s;
    return iris_format("%.*s", (int)n, path);
}

/* A new entry at the end; a tensor where second is NULL. */
static enum iris_status
append(struct iris_catalog *c, const char *first, const char *second, struct iris_err *err)
{
    struct iris_catalog_entry *list = c->entry, *e;

    if (!(c->n & (c->n - 1))) { /* room for the next power of two */
        list = realloc(c->entry, (c->n ? 2 * c->n : 1) * sizeof *list);
        if (!list)
            return iris_fail_memory(err);
        c->entry = list;
    }
    e = &list[c->n++];
    *e = (struct iris_catalog_entry){.id = id_of(first), .path = {strdup(first), NULL}};
    e->kind[0] = second ? IRIS_COLUMN : IRIS_TENSOR;
    e->kind[1] = IRIS_OBSERVED;
    if (second)
        e->path[1] = strdup(second);
    if (!e->id || !e->path[0] || (second && !e->path[1]))
        return iris_fail_memory(err);
    return IRIS_OK;
}

void
iris_catalog_release(struct iris_catalog *c)
{
    size_t i;

    for (i = 0; i < c->n; i++) {
        free(c->entry[i].id);
        free(c->entry[i].path[0]);
        free(c->entry[i].path[1]);
    }
    free(c->entry);
    *c = (struct iris_catalog){0};
}

/* ---- published ---- */

/* Both writers' indexes: a path, or a pair of paths. */
static enum iris_status
take_index(struct iris_catalog *c, const json_t *index, const char *path, struct iris_err *err)
{
    enum iris_status st = IRIS_OK;
    size_t i;

    if (!json_is_array(index))
        return iris_fail(err, IRIS_E_DATA, "'%s' has no index", path);
    for (i = 0; i < json_array_size(index) && !st; i++) {
        const json_t *item = json_array_get(index, i);
        int pair = json_is_array(item) && json_array_size(item) == 2;
        const char *first = json_string_value(pair ? json_array_get(item, 0) : item);
        const char *second = pair ? json_string_value(json_array_get(item, 1)) : NULL;

        if (!first || !iris_path_is_inside(first) ||
            (pair && (!second || !iris_path_is_inside(second))))
            st = iris_fail(err, IRIS_E_DATA,
                           "'%s': entry %zu of the index is not one or two paths inside the data "
                           "set",
                           path, i);
        else
            st = append(c, first, second, err);
    }
    return st;
}

static enum iris_status
read_published(struct iris_catalog *c, const char *path, struct iris_err *err)
{
    struct iris_buf text = {0};
    json_t *root = NULL;
    enum iris_status st;

    st = iris_read_file(path, (size_t)1 << 34, &text, err);
    if (!st)
        st = iris_json_load(iris_buf_str(&text), text.len, path, &root, err);
    if (!st)
        st = take_index(c, json_object_get(root, "index"), path, err);
    json_decref(root);
    iris_buf_release(&text);
    return st;
}

/* ---- packed ---- */

static enum iris_status
take_manifest(struct iris_catalog *c, const struct iris_buf *text, struct iris_err *err)
{
    struct iris_manifest m = {0};
    enum iris_status st;
    struct iris_entry e;
    size_t r;

    st = iris_manifest_parse(iris_buf_str(text), text->len, "manifest", "entries", &m, err);
    for (r = 0; r < m.n_rows && !st; r++) {
        st = iris_entry_get(&m, r, &e, err);
        if (!st && !e.path[0])
            st = iris_fail(err, IRIS_E_DATA, "entry '%s' has failed", e.id);
        if (!st)
            st = append(c, e.path[0], e.n_kinds > 1 ? e.path[1] : NULL, err);
    }
    if (!st && !c->n)
        st = iris_fail(err, IRIS_E_DATA, "the manifest has no entries");
    iris_manifest_release(&m);
    return st;
}

enum iris_status
iris_catalog_of_container(const struct iris_container *container, struct iris_catalog *c,
                          struct iris_err *err)
{
    struct iris_buf text = {0};
    enum iris_status st;

    *c = (struct iris_catalog){0};
    st = iris_container_manifest(container, &text, err);
    if (!st && take_manifest(c, &text, err))
        st = iris_fail_in(err, "'%s'", container->path);
    if (st)
        iris_catalog_release(c);
    iris_buf_release(&text);
    return st;
}

/* ---- not published ---- */

static int
compare(const void *a, const void *b)
{
    const struct iris_catalog_entry *x = a, *y = b;

    return iris_natural_cmp(x->path[0], y->path[0]);
}

/* A file of a snapshot's directory: the first array of a point. */
static enum iris_status
take_file(struct iris_catalog *c, const char *root, const char *dir, const char *name,
          struct iris_err *err)
{
    static const char tensor[] = ".tensor.npy", column[] = ".columnized.npy";
    const char *dot = strchr(name, '.');
    char *first = NULL, *second = NULL, *there = NULL;
    enum iris_status st = IRIS_OK;

    if (name[0] != 'p' || !dot || (strcmp(dot, tensor) && strcmp(dot, column)))
        return IRIS_OK;
    first = iris_format("%s/%s", dir, name);
    second = iris_format("%s/%.*s.observed.npy", dir, (int)(dot - name), name);
    there = second ? iris_path_join(root, second) : NULL;
    if (!first || !there)
        st = iris_fail_memory(err);
    else if (!strcmp(dot, tensor))
        st = append(c, first, NULL, err);
    else if (!access(there, F_OK)) /* else the point is not complete */
        st = append(c, first, second, err);
    free(first);
    free(second);
    free(there);
    return st;
}

/* What the directories below entries/ are, from the outside. */
enum level { ENTRIES, DIGEST, UNITS, SNAPSHOT };

static enum iris_status walk(struct iris_catalog *c, const char *root, const char *dir,
                             enum level level, struct iris_err *err);

static enum iris_status
walk_below(struct iris_catalog *c, const char *root, const char *dir, const char *name,
           enum level level, struct iris_err *err)
{
    char *below = iris_format("%s/%s", dir, name);
    enum iris_status st;

    st = below ? walk(c, root, below, level, err) : iris_fail_memory(err);
    free(below);
    return st;
}

/* One name in a directory; dir is relative to root. */
static enum iris_status
visit(struct iris_catalog *c, const char *root, const char *dir, enum level level, const char *name,
      struct iris_err *err)
{
    if (name[0] == '.')
        return IRIS_OK;
    if (level == SNAPSHOT)
        return take_file(c, root, dir, name, err);
    if (level == DIGEST && strncmp(name, "iris-", 5))
        return IRIS_OK;
    return walk_below(c, root, dir, name, (enum level)(level + 1), err);
}

static enum iris_status
walk(struct iris_catalog *c, const char *root, const char *dir, enum level level,
     struct iris_err *err)
{
    enum iris_status st = IRIS_OK;
    size_t before = c->n;
    struct dirent *e;
    char *full;
    DIR *d;

    if (level == DIGEST) {
        st = walk_below(c, root, dir, "raw", UNITS, err);
        if (st || c->n > before)
            return st;
    }
    full = iris_path_join(root, dir);
    d = full ? opendir(full) : NULL;
    if (!full)
        st = iris_fail_memory(err);
    else if (!d && errno != ENOTDIR && errno != ENOENT)
        st = iris_fail(err, IRIS_E_IO, "cannot read directory '%s':", full);
    while (d && !st && (e = readdir(d)))
        st = visit(c, root, dir, level, e->d_name, err);
    if (d)
        closedir(d);
    free(full);
    return st;
}

enum iris_status
iris_catalog_read(const char *dataset, struct iris_catalog *c, struct iris_err *err)
{
    char *path = iris_path_join(dataset, IRIS_ATTRIBUTES_FILE);
    enum iris_status st = IRIS_OK;

    *c = (struct iris_catalog){0};
    if (!path)
        return iris_fail_memory(err);
    if (!access(path, F_OK)) {
        st = read_published(c, path, err);
    } else if (access(dataset, R_OK | X_OK)) {
        st = iris_fail(err, IRIS_E_IO, "cannot open data set '%s':", dataset);
    } else {
        st = walk(c, dataset, "entries", ENTRIES, err);
        if (!st && c->n)
            qsort(c->entry, c->n, sizeof *c->entry, compare);
    }
    if (!st && !c->n)
        st = iris_fail(err, IRIS_E_DATA, "'%s' is not a data set, or has no entries yet", dataset);
    if (st)
        iris_catalog_release(c);
    free(path);
    return st;
}

enum iris_status
iris_catalog_find(const struct iris_catalog *c, const char *word, size_t *index,
                  struct iris_err *err)
{
    uint64_t number;
    size_t i;

    for (i = 0; i < c->n; i++) {
        if (!strcmp(c->entry[i].id, word)) {
            *index = i;
            return IRIS_OK;
        }
    }
    if (!iris_parse_u64(word, &number) && number < c->n) {
        *index = (size_t)number;
        return IRIS_OK;
    }
    return iris_fail(err, IRIS_E_DATA,
                     "no entry '%s': the data set has the numbers 0 to %zu, the first is '%s'",
                     word, c->n - 1, c->entry[0].id);
}
