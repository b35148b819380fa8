/* Which node of a run takes which snapshot. */
#include "check.h"

#include <stdint.h>

#include "gen_nodes.h"

enum { SNAPSHOTS = 6, RANKS = 5 };

#define NONE SIZE_MAX

/* A plan that has so many points of each snapshot. */
static struct iris_plan_snapshot snapshot[SNAPSHOTS];
static struct iris_plan plan = {.n = SNAPSHOTS, .snapshot = snapshot};

static void
has(uint32_t a, uint32_t b, uint32_t c, uint32_t d, uint32_t e, uint32_t f)
{
    const uint32_t left[SNAPSHOTS] = {a, b, c, d, e, f};
    size_t i;

    for (i = 0; i < SNAPSHOTS; i++)
        snapshot[i] = (struct iris_plan_snapshot){.left = left[i]};
    plan.first = 0;
    plan.at_doubtful = 0;
}

/* Ranks 0, 1 and 3 on a node, 2 and 4 on another. */
static void
begin(struct gen_nodes *s, size_t ahead)
{
    static const int first[RANKS] = {0, 0, 2, 0, 2};

    if (gen_nodes_init(s, first, RANKS, ahead, NULL))
        exit(2);
}

static void
test_nodes(void)
{
    struct gen_nodes s;

    begin(&s, 1);
    CHECK(s.n == 2 && s.node[0].first == 0 && s.node[1].first == 2 && s.node[0].ranks == 3 &&
              s.node[1].ranks == 2,
          "nodes go by their first rank");
    CHECK(s.of[0] == 0 && s.of[1] == 0 && s.of[2] == 1 && s.of[3] == 0 && s.of[4] == 1,
          "each rank is on one");
    CHECK(s.most == 2 && !s.node[0].n && gen_node_is_loaded(&s.node[0]), "none has a snapshot");
    gen_nodes_release(&s);
    gen_nodes_release(&s);
    CHECK(!s.n && !s.node, "released twice");
}

static void
test_room(void)
{
    struct gen_nodes s;
    struct gen_node *node;

    begin(&s, 1);
    node = &s.node[0];
    gen_node_add(&s, node, 4);
    gen_node_add(&s, node, 4);
    CHECK(node->n == 1 && gen_node_has(node, 4) && !gen_node_has(node, 2) &&
              gen_node_has_room(&s, node),
          "a snapshot is there once");
    gen_node_add(&s, node, 2);
    CHECK(node->n == 2 && !gen_node_has_room(&s, node), "as many as are read ahead, and one");
    gen_node_add(&s, node, 3);
    CHECK(node->n == 2 && !gen_node_has(node, 3), "no more");
    CHECK(!gen_node_has(&s.node[1], 4) && gen_node_has_room(&s, &s.node[1]), "of each node");
    gen_node_loaded(node, 2);
    CHECK(!gen_node_is_loaded(node), "one is loaded, one is not");
    gen_node_loaded(node, 0);
    gen_node_loaded(node, 4);
    CHECK(gen_node_is_loaded(node), "both are");
    gen_node_remove(node, 0);
    gen_node_remove(node, 4);
    CHECK(node->n == 1 && gen_node_has(node, 2) && gen_node_is_loaded(node), "one is removed");
    gen_node_add(&s, node, 4);
    CHECK(!gen_node_is_loaded(node), "and has to be loaded again");
    gen_nodes_release(&s);
}

static size_t
choose(const struct gen_nodes *s, int node)
{
    return gen_nodes_choose(s, &s->node[node], &plan, 0);
}

static size_t
ahead(const struct gen_nodes *s, int node)
{
    return gen_nodes_ahead(s, &s->node[node], &plan);
}

static void
test_choice(void)
{
    struct gen_nodes s;

    begin(&s, 1);
    has(0, 3, 3, 3, 3, 3);
    CHECK(choose(&s, 0) == 1 && choose(&s, 1) == 1, "the first that has points");
    gen_node_add(&s, &s.node[0], 1);
    CHECK(choose(&s, 0) == 1, "what the node has");
    CHECK(choose(&s, 1) == 2, "the other one another");
    gen_node_add(&s, &s.node[1], 2);
    CHECK(ahead(&s, 0) == 3 && ahead(&s, 1) == 3, "the next that no node has is loaded ahead");
    gen_node_add(&s, &s.node[0], 3);
    CHECK(ahead(&s, 0) == NONE && ahead(&s, 1) == 4, "where there is room");
    snapshot[1].left = 0;
    CHECK(choose(&s, 0) == 3, "when one is done, the other that the node has");
    snapshot[3].left = 0;
    CHECK(choose(&s, 0) == NONE && choose(&s, 1) == 2, "without room nothing else");
    gen_node_remove(&s.node[0], 1);
    gen_node_remove(&s.node[0], 3);
    CHECK(choose(&s, 0) == 4, "with room the next");
    snapshot[4].left = snapshot[5].left = 0;
    CHECK(choose(&s, 0) == 2, "when no other is left, a node helps another");
    CHECK(ahead(&s, 0) == NONE, "but loads nothing for that");
    plan.first = 3;
    CHECK(choose(&s, 0) == NONE, "nothing is looked for before the first");
    gen_nodes_release(&s);

    begin(&s, 0);
    has(1, 1, 1, 0, 0, 0);
    gen_node_add(&s, &s.node[0], 0);
    CHECK(ahead(&s, 0) == NONE && choose(&s, 0) == 0, "nothing is read ahead");
    snapshot[0].left = 0;
    CHECK(choose(&s, 0) == NONE, "not before the one has gone");
    gen_nodes_release(&s);
}

static size_t
doubt(const struct gen_nodes *s, int node)
{
    return gen_nodes_choose(s, &s->node[node], &plan, 1);
}

static void
test_doubtful(void)
{
    struct gen_nodes s;

    begin(&s, 1);
    has(0, 1, 1, 0, 0, 0);
    CHECK(doubt(&s, 0) == NONE, "no point is doubtful");
    snapshot[0].doubtful = snapshot[2].doubtful = snapshot[4].doubtful = 1;
    CHECK(choose(&s, 0) == 1 && doubt(&s, 0) == 0, "each kind is asked for");
    gen_node_add(&s, &s.node[0], 4);
    CHECK(doubt(&s, 0) == 4 && doubt(&s, 1) == 0, "what the node has comes first");
    gen_node_add(&s, &s.node[1], 0);
    CHECK(ahead(&s, 0) == 1, "no snapshot is loaded ahead for doubtful points");
    plan.at_doubtful = 1;
    CHECK(doubt(&s, 0) == NONE && doubt(&s, 1) == NONE && choose(&s, 1) == 1,
          "while one is in hand no node takes another");
    plan.at_doubtful = 0;
    snapshot[4].refused = 1;
    CHECK(doubt(&s, 0) == 2, "nor one of a snapshot that cannot be loaded");
    gen_nodes_release(&s);
}

int
main(void)
{
    test_nodes();
    test_room();
    test_choice();
    test_doubtful();
    return check_done();
}
