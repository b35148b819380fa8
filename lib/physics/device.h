/* device -- points that are made elsewhere than on this processor: by a GPU.
 *
 * What is done there is what iris_pair_part, iris_sampler_tile and an observer do
 * here. Which cells a sampler has, and what the pointers of a scene point to, does not
 * change until forget is called. Zeroed it is this processor. Its functions are called
 * with an err to write to.
 */
#ifndef IRIS_DEVICE_H
#define IRIS_DEVICE_H

#include "observer.h"
#include "pair.h"
#include "sampler.h"
#include "transfer.h"

/* What is observed, and how. */
struct iris_scene {
    const struct iris_pair_law *pair;
    const struct iris_simple_law *simple;     /* NULL: lines, with */
    const struct iris_transfer_law *transfer; /* this */
    const struct iris_line *line;             /* [pair->n_lines] */
};

/* Values of a ray: of the scene's observer. */
static inline size_t
iris_scene_values(const struct iris_scene *s)
{
    return s->simple ? s->simple->v_steps : s->pair->n_lines * s->transfer->v_steps;
}

struct iris_device {
    /* As iris_pair_part with the observer of the scene.
     *
     *   out  strips  [lon1 - lon0][iris_pair_strip]
     *   out  gas     lines: whether any ray holds gas
     */
    enum iris_status (*part)(void *self, const struct iris_scene *scene,
                             const struct iris_sampler *sampler, const struct iris_pause *pause,
                             size_t lon0, size_t lon1, double *strips, int *gas,
                             struct iris_err *err);
    /* As iris_sampler_tile. */
    enum iris_status (*tile)(void *self, const struct iris_sampler *sampler,
                             const struct iris_tile *tile, float *const field[IRIS_FIELDS],
                             struct iris_err *err);
    void (*forget)(void *self);
    /* Spectra of columns that come from elsewhere, by the observer of the scene. The
     * observer cannot fail: a failure is kept until observed asks for it, which is
     * called once for each of them, whatever came between.
     *
     *   out  gas  lines: whether any ray held gas
     */
    enum iris_status (*observer)(void *self, const struct iris_scene *scene,
                                 struct iris_observer *o, struct iris_err *err);
    enum iris_status (*observed)(void *self, int *gas, struct iris_err *err);
    void *self;
};

#endif
