/* gen_caches -- the caches of iris-fetch that a run reads from: they are held
 * while it lasts, and given back copy by copy where that is wanted. */
#ifndef IRIS_GEN_CACHES_H
#define IRIS_GEN_CACHES_H

#include "cli.h"
#include "hold.h"
#include "plan.h"

struct gen_cache {
    char *path;
    struct iris_hold hold; /* none when it cannot be held */
};

struct gen_caches {
    const struct iris_cli *cli; /* for warnings: whatever goes wrong here is no failure */
    int release;
    size_t n;
    struct gen_cache *cache; /* [n] */
};

/* A snapshot has come: hold the cache that it is read from, if it is in one.
 *
 *   owns  gen_caches_end, which leaves all; safe on zeroed and twice
 */
void gen_caches_hold(struct gen_caches *c, const struct iris_plan_snapshot *s);
void gen_caches_end(struct gen_caches *c);

/* A snapshot is read no more: remove it from its cache, if copies are to be
 * released and it is a copy. */
void gen_caches_release(const struct gen_caches *c, const struct iris_plan_snapshot *s);

#endif
