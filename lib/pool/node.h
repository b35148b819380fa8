/* node -- large blocks of memory that the ranks of a node have in common.
 *
 * A block is known by a key and made by whoever needs it first; the others
 * wait, then map the same pages, for reading. What it is takes a note of some
 * bytes. A block has no name in any file system: it is gone with the last
 * process that has it, however that one ends.
 *
 * A rank uses one block at a time. There may be a limit to how many there are;
 * then a new one waits until another is not used any more. Blocks that nobody
 * uses are kept as long as there is room for them, so that a rank that is late
 * finds what the others have left; of any number, the two begun last.
 *
 * Where memory cannot be shared (one rank on the node, another kernel, no sight
 * of the other processes) a rank makes the block for itself.
 */
#ifndef IRIS_NODE_H
#define IRIS_NODE_H

#include <stddef.h>
#include <stdint.h>

#include "err.h"
#include "pool.h"

enum { IRIS_NODE_KEY = 64, IRIS_NODE_NOTE = 2048 };

struct iris_node;

/*   in   most       blocks at a time; 0: any number. Whoever sees to it that no
 *                   more are used than that keeps others from waiting for ever
 *   owns        the caller, iris_node_free, before the pool ends
 *   collective  every rank
 */
enum iris_status iris_node_start(struct iris_node **node, struct iris_pool *pool, size_t most,
                                 struct iris_err *err);
void iris_node_free(struct iris_node *node);

/* Begin to use a block; the one before must have been dropped.
 *
 *   in   key     shorter than IRIS_NODE_KEY
 *   in   pause   called while it waits; nonzero stops
 *   out  memory  the block, NULL when its maker kept none
 *   out  note    [bytes] the beginning of what its maker said
 *
 *   return  1   this rank must make it, then call iris_node_done
 *           0   memory and note are there
 *           -1  pause said stop
 */
int iris_node_get(struct iris_node *node, const char *key, int (*pause)(void *), void *pause_self,
                  void **memory, void *note, size_t bytes);

/* Memory of the block that this rank makes, zeros, aligned to a page; once.
 *
 *   return  NULL when there is none
 */
void *iris_node_allocate(struct iris_node *node, size_t bytes);

/* How the making ended.
 *
 *   in  note   [bytes] for the others, at most IRIS_NODE_NOTE; NULL: nothing
 *              came of it, and whoever needs it next makes it
 *   in  keep   0: no memory goes with the note, what was allocated is gone
 */
void iris_node_done(struct iris_node *node, const void *note, size_t bytes, int keep);

/* This rank does not use its block any more. Safe when it has none. */
void iris_node_drop(struct iris_node *node);

/* How often a rank of this node had to keep a block for itself although there
 * are others. */
uint64_t iris_node_apart(struct iris_node *node);

#endif
