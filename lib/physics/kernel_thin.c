/* Optically thin transfer of a bundle: what all steps emit is added up.
 *
 *   source  physics of the reference, "radiative transfer"
 */
#include "kernel_march.h"
#include "kernel_matter.h"

iris_bundle_steps_fn IRIS_LEVEL(iris_thin_steps);
iris_bundle_march_fn IRIS_LEVEL(iris_thin_march);

static inline void
prepare_step(const struct iris_bundle_law *k, const struct iris_samples *q, const struct found *f,
             size_t s, size_t c, struct trail *t, float *row)
{
    struct matter m = matter_at(k, q, f, s, c);
    vecd norm = profile_norm(k, &m);
    vecd adds = k->weight[s] * norm * m.j, source[IRIS_NODES], phi;
    int i;

    t->gas |= bits_d(m.gas);
    t->tracer |= bits_d(m.tracer);
    t->wild |= bits_d(is_steep(k, &m));
    dust_source(k, &m, source);
    for (i = 0; i < IRIS_NODES; i++)
        t->C[i] = t->C[i] + k->weight[s] * m.ad * source[i];
    store_half(row + IRIS_ROW_G * IRIS_BUNDLE, adds);
    phi = store_place(k, &m, adds, all_d(0), all_d(1), row);
    t->peak = greater_double(t->peak, magnitude_d(adds) * phi);
}

void
IRIS_LEVEL(iris_thin_steps)(const struct iris_bundle_law *law, struct iris_bundle *b)
{
    struct iris_bundle_law own = *law, *k = &own; /* that nothing else can change */
    struct iris_samples q = b->samples;
    struct found nodes[NODES_AHEAD];
    size_t c, s;

    b->gas = b->tracer = b->wild = 0;
    for (c = 0; c < IRIS_BUNDLE; c += VECD) {
        struct trail t = trail_begin(k);

        find_first(k, &q, c, nodes);
        for (s = 0; s < k->steps; s++) {
            struct found now = next_found(k, &q, s, c, nodes);

            prepare_step(k, &q, &now, s, c, &t, b->row + s * IRIS_ROWS_THIN * IRIS_BUNDLE + c);
        }
        trail_end(&t, b, c);
    }
}

static inline void
visit(const struct iris_bundle_law *k, const float *row, float far, size_t lane, size_t block,
      struct iris_bundle *b)
{
    float *Q = b->Q + lane * k->blocks * IRIS_BLOCK;
    size_t at = block * IRIS_BLOCK, end = at + IRIS_BLOCK;
    float adds = number(row, IRIS_ROW_G, lane);
    vecf index = indices(block);

    b->last[lane * k->blocks + block] = 0;
    for (; at < end; at += VEC, index += (float)VEC)
        store(Q + at, load(Q + at) + adds * profile(row, lane, index, k->average, far));
}

void
IRIS_LEVEL(iris_thin_march)(const struct iris_bundle_law *k, struct iris_bundle *b, unsigned active)
{
    struct reach reach;
    size_t lane, s, block;

    clear_blocks(k, b, active);
    for (s = 0; s < k->steps; s++) {
        const float *row = b->row + s * IRIS_ROWS_THIN * IRIS_BUNDLE;

        find_reach(k, b, row, &reach);
        for (lane = 0; lane < IRIS_BUNDLE; lane++)
            for (block = (size_t)reach.from[lane] / IRIS_BLOCK;
                 active >> lane & 1 && block * IRIS_BLOCK < (size_t)reach.to[lane]; block++)
                visit(k, row, reach.far[lane], lane, block, b);
    }
    find_highest(k, b, active);
}
