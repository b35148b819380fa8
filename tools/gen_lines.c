#include <stdio.h>
#include <string.h>

#include "gen.h"

/* What the rank that was to make tables says to the others. */
struct made {
    enum iris_status status;
    char message[sizeof((struct iris_err *)0)->msg];
};
_Static_assert(sizeof(struct made) <= IRIS_NODE_NOTE, "a node has no room for what is said");

static int
is_stopped(void *self, size_t done, size_t total)
{
    const struct gen_lines *g = self;

    (void)done;
    (void)total;
    return iris_cli_stop() || g->pause->fn(g->pause->self);
}

enum iris_status
gen_lines_start(struct gen_lines *g, struct iris_pool *pool, const char *path, struct iris_err *err)
{
    *g = (struct gen_lines){.path = path};
    return iris_node_start(&g->node, pool, 0, err);
}

void
gen_lines_turn(struct gen_lines *g, const struct iris_hyper *h, int is_own)
{
    iris_lines_release(&g->lines);
    if (g->node)
        iris_node_drop(g->node);
    g->ready = 0;
    g->hyper = h;
    g->is_own = is_own;
}

void
gen_lines_end(struct gen_lines *g)
{
    gen_lines_turn(g, NULL, 0);
    iris_node_free(g->node);
    g->node = NULL;
}

/* Whether the file has them. Settings of single rows may want others than it has. */
static int
are_in_file(const struct gen_lines *g)
{
    return g->path && (g->is_own || !iris_lines_verify(&g->lines, g->hyper, g->path, NULL));
}

static enum iris_status
make(struct gen_lines *g, size_t bytes, struct iris_err *err)
{
    struct iris_lines_effort effort = {.pause = {is_stopped, g}};
    struct made made = {.status = IRIS_OK};
    double *value = iris_node_allocate(g->node, bytes);

    if (!value)
        made.status = iris_fail_memory(err);
    else
        iris_lines_adopt(&g->lines, value);
    if (!made.status)
        made.status = iris_cli_kernels(&effort.kernels, err);
    if (!made.status)
        made.status = are_in_file(g) ? iris_lines_read(&g->lines, g->hyper, g->path, err)
                                     : iris_lines_make(&g->lines, &effort, err);
    if (made.status)
        snprintf(made.message, sizeof made.message, "%s", err->msg);
    iris_node_done(g->node, made.status == IRIS_E_RETRY ? NULL : &made, sizeof made, !made.status);
    return made.status;
}

static enum iris_status
get_values(struct gen_lines *g, struct iris_err *err)
{
    size_t bytes = iris_lines_values(&g->lines) * sizeof(double);
    struct made made = {.status = IRIS_OK};
    char key[IRIS_DIGEST_TEXT];
    enum iris_status st;
    void *block;

    st = iris_lines_key(&g->lines, g->hyper, key, err);
    if (st)
        return st;
    switch (iris_node_get(g->node, key, g->pause->fn, g->pause->self, &block, &made, sizeof made)) {
    case 1:
        return make(g, bytes, err);
    case 0:
        if (made.status)
            return iris_fail(err, made.status, "%s", made.message);
        iris_lines_adopt(&g->lines, block);
        return IRIS_OK;
    default:
        return iris_fail(err, IRIS_E_RETRY, "stopped");
    }
}

static enum iris_status
get(void *self, const struct iris_lines **lines, struct iris_err *err)
{
    struct gen_lines *g = self;
    struct iris_buf warnings = {0}; /* rank 0 gave them when it prepared the run */
    enum iris_status st = IRIS_OK;

    *lines = &g->lines;
    if (g->ready)
        return IRIS_OK;
    iris_node_drop(g->node);
    iris_lines_release(&g->lines);
    st = iris_lines_init(&g->lines, g->hyper, &warnings, err);
    iris_buf_release(&warnings);
    if (!st)
        st = get_values(g, err);
    g->ready = !st;
    return st;
}

struct iris_tables
gen_lines_tables(struct gen_lines *g)
{
    return (struct iris_tables){get, g};
}
