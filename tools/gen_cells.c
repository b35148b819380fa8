#include "gen.h"
#include "node.h"

_Static_assert(IRIS_COMMONS_NOTE <= (int)IRIS_NODE_NOTE, "a node has no room for a maker's notes");

static int
get(void *self, const char *key, const struct iris_pause *pause, void **block, void *note,
    size_t bytes)
{
    return iris_node_get(self, key, pause->fn, pause->self, block, note, bytes);
}

static void *
allocate(void *self, size_t bytes)
{
    return iris_node_allocate(self, bytes);
}

static void
done(void *self, const void *note, size_t bytes, int keep)
{
    iris_node_done(self, note, bytes, keep);
}

static void
drop(void *self)
{
    iris_node_drop(self);
}

struct iris_commons
gen_commons(struct iris_node *node)
{
    return (struct iris_commons){get, {allocate, node}, done, drop, node};
}
