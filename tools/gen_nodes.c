#include "gen_nodes.h"

#include <stdint.h>
#include <stdlib.h>

static size_t
find(struct gen_nodes *s, int first)
{
    size_t i;

    for (i = 0; i < s->n && s->node[i].first != first; i++)
        ;
    if (i == s->n)
        s->node[s->n++] = (struct gen_node){.first = first};
    return i;
}

enum iris_status
gen_nodes_init(struct gen_nodes *s, const int *first, size_t ranks, size_t ahead,
               struct iris_err *err)
{
    size_t i;

    *s = (struct gen_nodes){.most = ahead + 1};
    s->node = calloc(ranks, sizeof *s->node);
    s->of = calloc(ranks, sizeof *s->of);
    if (!s->node || !s->of)
        return iris_fail_memory(err);
    for (i = 0; i < ranks; i++) {
        s->of[i] = find(s, first[i]);
        s->node[s->of[i]].ranks++;
    }
    for (i = 0; i < s->n; i++) {
        s->node[i].live = calloc(s->most, sizeof *s->node[i].live);
        if (!s->node[i].live)
            return iris_fail_memory(err);
    }
    return IRIS_OK;
}

void
gen_nodes_release(struct gen_nodes *s)
{
    size_t i;

    for (i = 0; i < s->n; i++)
        free(s->node[i].live);
    free(s->node);
    free(s->of);
    *s = (struct gen_nodes){.n = 0};
}

int
gen_node_has(const struct gen_node *node, size_t snapshot)
{
    size_t i;

    for (i = 0; i < node->n; i++) {
        if (node->live[i].snapshot == snapshot)
            return 1;
    }
    return 0;
}

int
gen_node_has_room(const struct gen_nodes *s, const struct gen_node *node)
{
    return node->n < s->most;
}

void
gen_node_add(const struct gen_nodes *s, struct gen_node *node, size_t snapshot)
{
    if (!gen_node_has(node, snapshot) && gen_node_has_room(s, node))
        node->live[node->n++] = (struct gen_live){.snapshot = snapshot};
}

void
gen_node_remove(struct gen_node *node, size_t snapshot)
{
    size_t i, n = 0;

    for (i = 0; i < node->n; i++) {
        if (node->live[i].snapshot != snapshot)
            node->live[n++] = node->live[i];
    }
    node->n = n;
}

void
gen_node_loaded(struct gen_node *node, size_t snapshot)
{
    size_t i;

    for (i = 0; i < node->n; i++)
        node->live[i].loaded |= node->live[i].snapshot == snapshot;
}

int
gen_node_is_loaded(const struct gen_node *node)
{
    size_t i;

    for (i = 0; i < node->n && node->live[i].loaded; i++)
        ;
    return i == node->n;
}

static int
is_anywhere(const struct gen_nodes *s, size_t snapshot)
{
    size_t i;

    for (i = 0; i < s->n; i++) {
        if (gen_node_has(&s->node[i], snapshot))
            return 1;
    }
    return 0;
}

/* What a node with room takes that it has not: what no node has, else, where others
 * may be helped, what they have. */
static size_t
choose_new(const struct gen_nodes *s, const struct gen_node *node, const struct iris_plan *plan,
           int doubtful, int helps)
{
    size_t i, other = SIZE_MAX;

    if (!gen_node_has_room(s, node))
        return SIZE_MAX;
    for (i = plan->first; i < plan->n; i++) {
        if (!iris_plan_has(plan, i, doubtful) || gen_node_has(node, i))
            continue;
        if (!is_anywhere(s, i))
            return i;
        if (other == SIZE_MAX && helps)
            other = i;
    }
    return other;
}

size_t
gen_nodes_choose(const struct gen_nodes *s, const struct gen_node *node,
                 const struct iris_plan *plan, int doubtful)
{
    size_t i;

    for (i = plan->first; i < plan->n; i++) {
        if (iris_plan_has(plan, i, doubtful) && gen_node_has(node, i))
            return i;
    }
    return choose_new(s, node, plan, doubtful, 1);
}

size_t
gen_nodes_ahead(const struct gen_nodes *s, const struct gen_node *node,
                const struct iris_plan *plan)
{
    return choose_new(s, node, plan, 0, 0);
}
