/* line_pair -- a molecule of two levels, for tables that need no file. */
#ifndef LINE_PAIR_H
#define LINE_PAIR_H

#include "line_molecule.h"

struct pair {
    struct iris_molecule m;
    double energy[2], g[2], T[3], rate[3];
    struct iris_transition transition;
    struct iris_level_pair levels;
};

static inline void
pair_init(struct pair *p)
{
    *p = (struct pair){.energy = {0, 3.7},
                       .g = {1, 3},
                       .T = {10, 100, 3000},
                       .rate = {3e-17, 5e-17, 9e-17},
                       .transition = {1, 0, 6e-8, 110.2},
                       .levels = {1, 0}};
    p->m = (struct iris_molecule){.weight = 29,
                                  .n = 2,
                                  .energy = p->energy,
                                  .g = p->g,
                                  .n_transitions = 1,
                                  .transition = &p->transition};
    p->m.with[IRIS_H2] = (struct iris_collisions){
        .n_T = 3, .T = p->T, .n = 1, .pair = &p->levels, .rate = p->rate};
}

static inline struct iris_table_law
pair_law(size_t n_N, size_t n_x, size_t n_T)
{
    struct iris_table_law law = line_table_law(n_N, n_x, n_T);

    law.upper = 1;
    law.lower = 0;
    return law;
}

static inline struct iris_line_table
made(const struct iris_molecule *m, const struct iris_table_law *law)
{
    struct iris_line_table t;
    struct iris_err err = {0};

    if (iris_line_table_make(&t, m, law, &err)) {
        CHECK(0, "a table: %s", err.msg);
        exit(1);
    }
    return t;
}

static inline double *
node(const struct iris_line_table *t, size_t iN, size_t ix, size_t iT)
{
    return t->node + ((iN * t->n_x + ix) * t->n_T + iT) * IRIS_NODE;
}

#endif
