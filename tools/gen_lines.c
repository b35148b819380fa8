#include "gen.h"

static int
is_stopped(void *self, size_t done, size_t total)
{
    const struct gen_lines *g = self;

    (void)done;
    (void)total;
    return iris_cli_stop() || g->pause->fn(g->pause->self);
}

enum iris_status
gen_lines_init(struct gen_lines *g, struct iris_pool *pool, const struct iris_hyper *h,
               const char *path, struct iris_err *err)
{
    struct iris_buf warnings = {0}; /* rank 0 gave them when it prepared the run */
    enum iris_status st;
    size_t bytes = 0;

    *g = (struct gen_lines){.hyper = h, .path = path};
    st = iris_lines_init(&g->lines, h, &warnings, err);
    iris_buf_release(&warnings);
    if (!st)
        bytes = iris_lines_values(&g->lines) * sizeof(double);
    if (!st)
        st = iris_pool_share(pool, bytes + sizeof *g->why, &g->shared, err);
    if (!st) {
        iris_lines_adopt(&g->lines, g->shared.memory);
        g->why = (struct iris_err *)((char *)g->shared.memory + bytes);
    }
    return st;
}

void
gen_lines_release(struct gen_lines *g)
{
    iris_lines_release(&g->lines);
}

static enum iris_status
get(void *self, const struct iris_lines **lines, struct iris_err *err)
{
    struct gen_lines *g = self;
    struct iris_lines_effort effort = {.pause = {is_stopped, g}};
    enum iris_status st = IRIS_OK;

    switch (iris_shared_begin(&g->shared, g->pause->fn, g->pause->self)) {
    case 1:
        st = iris_cli_kernels(&effort.kernels, err);
        if (!st)
            st = g->path ? iris_lines_read(&g->lines, g->hyper, g->path, err)
                         : iris_lines_make(&g->lines, &effort, err);
        if (st)
            *g->why = *err;
        iris_shared_done(&g->shared, !st);
        break;
    case 0:
        break;
    case -2:
        st = iris_fail(err, IRIS_E_RETRY, "stopped");
        break;
    default:
        *err = *g->why;
        st = err->status;
    }
    *lines = &g->lines;
    return st;
}

struct iris_tables
gen_lines_tables(struct gen_lines *g)
{
    return (struct iris_tables){get, g};
}
