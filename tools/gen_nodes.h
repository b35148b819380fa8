/* gen_nodes -- which snapshots are in the memory of which nodes.
 *
 * A node has as many snapshots as it may read ahead and one more. It takes them in
 * the order of the plan, one that no other node has before one that it would help
 * others with; so each is loaded on few nodes. What belongs to a snapshot is seen in
 * order: its row, its loading, its points in any order, the release of its copy.
 */
#ifndef IRIS_GEN_NODES_H
#define IRIS_GEN_NODES_H

#include <stddef.h>

#include "err.h"
#include "plan.h"

/* A snapshot that a node has, or is to have. */
struct gen_live {
    size_t snapshot; /* index into the plan */
    int loaded;      /* something has been done with it */
};

struct gen_node {
    int first;    /* its first rank, which names it */
    size_t ranks; /* on it */
    size_t n;
    struct gen_live *live; /* [n], of most */
    int loading;           /* a rank loads one ahead */
    int waits;             /* there was nothing for a rank on it just now */
};

struct gen_nodes {
    size_t most; /* snapshots of a node */
    size_t n;
    struct gen_node *node;
    size_t *of; /* [ranks] index of the node of a rank */
};

/*   in   first  [ranks] the first rank of the node of each
 *   in   ahead  snapshots to read ahead
 *   owns gen_nodes_release; safe on zeroed and twice
 */
enum iris_status gen_nodes_init(struct gen_nodes *s, const int *first, size_t ranks, size_t ahead,
                                struct iris_err *err);
void gen_nodes_release(struct gen_nodes *s);

int gen_node_has(const struct gen_node *node, size_t snapshot);
int gen_node_has_room(const struct gen_nodes *s, const struct gen_node *node);

/* It is to have that snapshot; there is room, or it has it. */
void gen_node_add(const struct gen_nodes *s, struct gen_node *node, size_t snapshot);
void gen_node_remove(struct gen_node *node, size_t snapshot);

/* Something was done with it there; and whether that is so for all it has. */
void gen_node_loaded(struct gen_node *node, size_t snapshot);
int gen_node_is_loaded(const struct gen_node *node);

/* The snapshot that a node takes points of next; it need not have it yet.
 *
 *   in   doubtful  see iris_plan_has
 *
 *   return  an index into the plan, SIZE_MAX: there is none, or no room for it
 */
size_t gen_nodes_choose(const struct gen_nodes *s, const struct gen_node *node,
                        const struct iris_plan *plan, int doubtful);

/* The snapshot that a node is to load ahead: the next one that no node has.
 *
 *   return  as above
 */
size_t gen_nodes_ahead(const struct gen_nodes *s, const struct gen_node *node,
                       const struct iris_plan *plan);

#endif
