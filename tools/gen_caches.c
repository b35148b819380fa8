#include "gen_caches.h"

#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#include "cache.h"
#include "file.h"

/* Others may look for readers, or remove a cache, which takes a moment. */
enum { WAIT_MS = 2000 };

static int
is_known(const struct gen_caches *c, const char *path)
{
    size_t i;

    for (i = 0; i < c->n; i++) {
        if (!strcmp(c->cache[i].path, path))
            return 1;
    }
    return 0;
}

/*   return  0, or below 0 when out of memory */
static int
add(struct gen_caches *c, const char *path)
{
    struct gen_cache *list = realloc(c->cache, (c->n + 1) * sizeof *list), *new;
    struct iris_err err = {0};

    if (!list)
        return -1;
    c->cache = list;
    new = &list[c->n];
    *new = (struct gen_cache){strdup(path), IRIS_HOLD_INIT};
    if (!new->path)
        return -1;
    c->n++;
    if (iris_hold_take(&new->hold, path, IRIS_HOLD_READ, WAIT_MS, &err))
        iris_cli_warn(c->cli, "%s", err.msg);
    return 0;
}

void
gen_caches_hold(struct gen_caches *c, const struct iris_plan_snapshot *s)
{
    struct iris_buf path = {0};
    int found = s->path ? iris_cache_of(s->path, s->id, &path) : 0;

    if (found > 0 && !is_known(c, iris_buf_str(&path)))
        found = add(c, iris_buf_str(&path));
    /* a run can do without: points fail whose copy somebody drops */
    if (found < 0)
        iris_cli_warn(c->cli, "the cache of snapshot '%s' is not held: out of memory", s->id);
    iris_buf_release(&path);
}

void
gen_caches_end(struct gen_caches *c)
{
    size_t i;

    for (i = 0; i < c->n; i++) {
        iris_hold_end(&c->cache[i].hold);
        free(c->cache[i].path);
    }
    free(c->cache);
    c->cache = NULL;
    c->n = 0;
}

static int
same(const char *a, const char *b)
{
    struct stat x, y;

    return !stat(a, &x) && !stat(b, &y) && x.st_dev == y.st_dev && x.st_ino == y.st_ino;
}

/* The directory that a path is in is another name of the other's. */
static int
same_place(const char *a, const char *b)
{
    char *in_a = iris_format("%.*s.", (int)(iris_file_name(a) - a), a);
    char *in_b = iris_format("%.*s.", (int)(iris_file_name(b) - b), b);
    int is = !in_a || !in_b || same(in_a, in_b);

    free(in_a);
    free(in_b);
    return is;
}

/* What is read is no original: that is on another machine, or elsewhere. */
static int
is_copy(const struct iris_plan_snapshot *s)
{
    if (!s->path || s->remote)
        return s->path != NULL;
    return s->source && strcmp(s->path, s->source) && !same(s->path, s->source) &&
           !same_place(s->path, s->source);
}

void
gen_caches_release(const struct gen_caches *c, const struct iris_plan_snapshot *s)
{
    struct iris_buf cache = {0};
    struct iris_err err = {0};
    int found = c->release && is_copy(s) ? iris_cache_of(s->path, s->id, &cache) : 0;

    if (found < 0)
        iris_fail_memory(&err);
    if (found < 0 || (found > 0 && iris_cache_drop(iris_buf_str(&cache), s->id, &err)))
        iris_cli_warn(c->cli, "snapshot '%s' stays in its cache: %s", s->id, err.msg);
    iris_buf_release(&cache);
}
