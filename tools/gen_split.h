/* gen_split -- what a rank is given to do: a point, or, when there are fewer
 * points than ranks, some longitudes of one.
 *
 * What the points become does not depend on how they are split, so the sizes
 * of parts are free: large ones first, small ones at the end, so that all ranks
 * end at about the same time.
 */
#ifndef IRIS_GEN_SPLIT_H
#define IRIS_GEN_SPLIT_H

#include "gen_message.h"

enum { GEN_OPEN = 32 }; /* points that are made in parts at a time, at most */

/* A point that is made in parts. */
struct gen_open {
    int used, failed;
    struct iris_task task;
    struct iris_parts parts;
    size_t next;    /* longitude that is handed out next */
    size_t there;   /* longitudes that are in */
    int out;        /* parts under way */
    int gas;        /* any part had some */
    double *strips; /* [lon][strip] */
};

struct gen_split {
    size_t ranks;
    struct gen_open open[GEN_OPEN];
};

/* What a rank does at a time. */
struct gen_share {
    struct iris_task task;
    struct gen_open *open; /* NULL: the whole point */
    size_t lon0, lon1;     /* 0: the whole point */
};

/*   owns  gen_split_release */
void gen_split_init(struct gen_split *s, size_t ranks);
void gen_split_release(struct gen_split *s);

/* Whether it is worth while to split points of these parts, and whether one more
 * has room. */
int gen_split_can(const struct gen_split *s, const struct iris_parts *parts);
int gen_split_has_room(const struct gen_split *s, const struct iris_parts *parts);

/* A point that is to be made in parts; there is room.
 *
 *   return  NULL when there is no memory
 */
struct gen_open *gen_split_begin(struct gen_split *s, const struct iris_task *task,
                                 const struct iris_parts *parts);

/* The open point with most left to hand out.
 *
 *   in   snapshot  of that one only, SIZE_MAX: any
 *   in   may       called with a snapshot, 0: not of that one; NULL: of any
 *
 *   return  NULL when there is none
 */
struct gen_open *gen_split_pick(struct gen_split *s, size_t snapshot, int (*may)(void *, size_t),
                                void *self);

/* A part of it.
 *
 *   in   points  that are not begun yet, or as many as there are ranks
 */
void gen_split_cut(struct gen_split *s, struct gen_open *o, uint64_t points,
                   struct gen_share *share);

/* A part has ended. Unless it failed its strips are put in their place.
 *
 *   in   r  its result; becomes IRIS_E_BUG when it is not of that part
 *
 *   return  1 when the point is complete: its strips are there until
 *           gen_split_close
 */
int gen_split_put(const struct gen_share *share, struct gen_result *r);

/* Whether any part of a point of the snapshot is under way. */
int gen_split_is_at(const struct gen_split *s, size_t snapshot);

/* After every part, and after the point was finished: forget it when nothing
 * of it is under way or to come. */
void gen_split_close(struct gen_open *open);

#endif
