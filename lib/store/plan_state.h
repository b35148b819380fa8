/* plan_state -- the states of a point. Private to plan*.c. */
#ifndef IRIS_PLAN_STATE_H
#define IRIS_PLAN_STATE_H

/* iris_dataset_done fills in the first two. A doubtful point is to do, but was in
 * hand when a run died; in hand again it is tried. */
enum {
    POINT_TODO = 0,
    POINT_THERE = 1,
    POINT_DOUBTFUL,
    POINT_RUNNING,
    POINT_TRIED,
    POINT_MADE,
    POINT_FAILED
};

static inline int
iris_point_is_to_do(unsigned char state)
{
    return state == POINT_TODO || state == POINT_DOUBTFUL;
}

static inline int
iris_point_is_in_hand(unsigned char state)
{
    return state == POINT_RUNNING || state == POINT_TRIED;
}

#endif
