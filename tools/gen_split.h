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
    size_t next;    /* longitude that is handed out next */
    size_t there;   /* longitudes that are in */
    int out;        /* parts under way */
    int gas;        /* any part had some */
    double *strips; /* [lon][strip] */
};

struct gen_split {
    struct iris_parts parts; /* lon 0: points are never split */
    struct iris_plan *plan;
    size_t ranks;
    size_t least, most; /* longitudes of a part, about */
    size_t room;        /* points open at a time, at most GEN_OPEN */
    struct gen_open open[GEN_OPEN];
};

struct gen_share {
    struct iris_task task;
    struct gen_open *open; /* NULL: the whole point */
    size_t lon0, lon1;     /* 0: the whole point */
};

/*   owns  gen_split_release */
void gen_split_init(struct gen_split *s, const struct iris_parts *parts, struct iris_plan *plan,
                    size_t ranks);
void gen_split_release(struct gen_split *s);

/* What to do next.
 *
 *   in   last   index of the snapshot that the rank has at hand, SIZE_MAX: none
 *   in   begin  whether points may be begun; if not, parts of open ones only
 *
 *   return  1 with *share, or 0 when there is nothing at present
 */
int gen_split_next(struct gen_split *s, size_t last, int begin, struct gen_share *share);

/* A part has ended. Unless it failed its strips are put in their place.
 *
 *   in   r  its result; becomes IRIS_E_BUG when it is not of that part
 *
 *   return  1 when the point is complete: its strips are there until
 *           gen_split_close
 */
int gen_split_put(struct gen_split *s, const struct gen_share *share, struct gen_result *r);

/* Whether any part of a point of the snapshot is under way. */
int gen_split_is_at(const struct gen_split *s, size_t snapshot);

/* After every part, and after the point was finished: forget it when nothing
 * of it is under way or to come. */
void gen_split_close(struct gen_split *s, struct gen_open *open);

#endif
