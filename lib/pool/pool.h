/* pool -- one process that hands out work, any number that do it.
 *
 * The only module that speaks MPI. Without a launcher (mpirun, srun) the pool
 * is the one process that called, and MPI is never started. Messages are byte
 * strings; rank 0 is the master.
 *
 * After iris_pool_start no call is collective but broadcast, gather, share and
 * finish. A rank that waits sleeps between looks, it does not burn its core.
 */
#ifndef IRIS_POOL_H
#define IRIS_POOL_H

#include "buf.h"
#include "err.h"

struct iris_pool;

/* Whether the environment says that a launcher started this process. */
int iris_pool_launched(void);

/* Start.
 *
 *   collective  every process of the job
 *   owns        iris_pool_finish
 */
enum iris_status iris_pool_start(struct iris_pool **pool, struct iris_err *err);

int iris_pool_rank(const struct iris_pool *pool);
int iris_pool_size(const struct iris_pool *pool);

/* The ranks that run on the same machine as this one, this one included: how many,
 * which of them this is, and the first of them, whose rank names the node. */
struct iris_pool_node {
    int first, rank, size;
};
const struct iris_pool_node *iris_pool_node(const struct iris_pool *pool);

/* The library that carries the messages, in words; "none" without a launcher. */
const char *iris_pool_library(const struct iris_pool *pool);

/* Give rank 0's text to all.
 *
 *   inout  text  sent by rank 0, replaced on the others
 *
 *   return  IRIS_OK
 *           IRIS_E_IO   every rank: one of them is out of memory, or rank 0's text has
 *                       failed
 *   collective   every rank
 */
enum iris_status iris_pool_broadcast(struct iris_pool *pool, struct iris_buf *text,
                                     struct iris_err *err);

/* Give rank 0 the texts of all.
 *
 *   in   text  of this rank, not empty
 *   out  all   rank 0: [size], each empty before, released by the caller; NULL where
 *              there is no memory for them, and on other ranks
 *
 *   return  IRIS_OK
 *           IRIS_E_IO   rank 0: out of memory, or the text of a rank has failed; all
 *                       were heard nevertheless, and none waits for it
 *   collective every rank
 */
enum iris_status iris_pool_gather(struct iris_pool *pool, const struct iris_buf *text,
                                  struct iris_buf *all, struct iris_err *err);

/* Send a message; returns when text may be reused. One that has failed is not sent. */
enum iris_status iris_pool_send(struct iris_pool *pool, int to, const struct iris_buf *text,
                                struct iris_err *err);

/* Take a message if one has arrived.
 *
 *   out  from  its sender, -1 when there was none
 *   out  text  replaced
 */
enum iris_status iris_pool_poll(struct iris_pool *pool, int *from, struct iris_buf *text,
                                struct iris_err *err);

/* Memory that the ranks of a node have in common. Whoever needs its contents
 * first makes them. */
struct iris_shared {
    void *memory;
    void *state;
    int own;   /* not shared after all: there was no room where it lives */
    int ranks; /* that have it, this one included */
};

/*   in   bytes  the same on all ranks
 *   out  s      lives as long as the pool
 *   collective  every rank; nothing is touched, so it costs nothing until used
 */
enum iris_status iris_pool_share(struct iris_pool *pool, size_t bytes, struct iris_shared *s,
                                 struct iris_err *err);

/* Wait until the contents are there, or be the one to make them.
 *
 *   in   pause  called while it waits, NULL for never; nonzero stops
 *
 *   return  1   this rank must make them, then call iris_shared_done
 *           0   they are there
 *           -1  who was to make them could not
 *           -2  pause said stop
 */
int iris_shared_begin(struct iris_shared *s, int (*pause)(void *), void *pause_self);
void iris_shared_done(struct iris_shared *s, int made);

/* Sleep a little, longer the more often in a row nothing was there: between
 * 20 microseconds and 2 milliseconds. idle counts and is reset by the caller. */
void iris_pool_nap(unsigned *idle);

/* End. Everything sent must have been received.
 *
 *   collective  every rank
 */
void iris_pool_finish(struct iris_pool *pool);

/* End all ranks at once with this status. Does not return under a launcher. */
void iris_pool_abort(struct iris_pool *pool, int status);

#endif
