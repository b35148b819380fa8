/* trial -- scenes on which the GPU path is compared with the library and measured: a
 * mock galaxy, a mock molecule, views and laws as the settings of the presets have
 * them. For programs, not for the library: what cannot be had ends the program.
 */
#ifndef IRIS_TRIAL_H
#define IRIS_TRIAL_H

#include <stddef.h>

#include "beam.h"
#include "device.h"
#include "linetable.h"
#include "mock_molecule.h"
#include "pair.h"
#include "sampler.h"
#include "transfer.h"

#define TRIAL_PARSEC 308567758128.0 /* in processing units */

/* ---- means ---- */

/* Memory, set to 0. */
void *trial_need(size_t bytes);

/* Unless st is IRIS_OK say so and end. */
void trial_must(enum iris_status st, const struct iris_err *err);

/* Seconds by the clock on the wall. */
double trial_now(void);

/* Call fn with 0 to n - 1, from a thread for each processor. */
void trial_parallel(size_t n, void (*fn)(void *self, size_t i), void *self);

/* ---- what is observed ---- */

enum { TRIAL_TABLES = 5 };
enum trial_table {
    TRIAL_21,    /* 13CO 2-1 */
    TRIAL_10,    /* 13CO 1-0 */
    TRIAL_FINE,  /* 13CO 2-1, temperatures in equal ratios */
    TRIAL_MASER, /* 13CO 2-1, inverted at some temperatures */
    TRIAL_SHORT  /* 13CO 2-1, ends where there is much gas */
};

struct trial_world {
    struct iris_cells cells;
    struct iris_molecule molecule;
    struct iris_unit_system units;
    struct iris_line_table table[TRIAL_TABLES];
};

/*   in   cells  of the mock galaxy
 *   in   small  tables of 32 x 16 x 16 nodes, not of 128 x 64 x 64
 *   owns trial_world_release
 */
void trial_world_init(struct trial_world *w, size_t cells, int small);
void trial_world_release(struct trial_world *w);

/* ---- how ---- */

/* In the order of the words of the settings, 0 is the preset's. */
struct trial_law {
    enum iris_transfer transfer;
    enum iris_integration integration;
    enum iris_subtraction subtraction;
    int output; /* 1 + enum iris_output_units; 0: Trj */
    enum iris_abundance_kind abundance;
    int drops; /* of the tracer, in cold dense gas */
    int far_to_near, cell_average, complete_simpson, consistent_formal;
    int multilinear, clamp;
    int subsamples; /* 1 + sub-channels; 0: one */
    int max;        /* reduction */
    int no_blur, no_beam;
    int wide, narrow; /* a band of 1000 or of 40 km/s */
    int turbulent;
    int simple, drop_out_of_band;
    enum trial_table table;
    int two_lines;
};

/* What is asked for beside thick smooth, thick formal, and so on; ends with a name
 * that is NULL. */
struct trial_mode {
    const char *name;
    struct trial_law law;
};
extern const struct trial_mode trial_modes[];

struct trial_view {
    double r_min, r_max; /* pc */
    size_t r, lon, lat, v;
    size_t crop_min, crop_max;
    double theta, scale, skew; /* skew 0: none */
};

/* The main preset, and its variant that looks through the whole disc. */
extern const struct trial_view trial_preset, trial_cone;

/* Points into itself. */
struct trial_scene {
    struct iris_sampler sampler;
    struct iris_pair_law pair;
    struct iris_beam beam;
    struct iris_simple_law simple;
    struct iris_transfer_law transfer;
    struct iris_line line[2];
    struct iris_scene scene;
    size_t values;
};

/*   in   world  kept by reference
 *   owns trial_scene_release
 */
void trial_scene_init(struct trial_scene *s, const struct trial_world *world,
                      const struct trial_view *view, const struct trial_law *law);
void trial_scene_release(struct trial_scene *s);

/* ---- by this processor ---- */

size_t trial_strip(const struct trial_scene *s);

/* The strips of some longitudes, in threads.
 *
 *   in   precise  all in double; else as data sets are made
 *   out  strips   [n][trial_strip]
 */
void trial_strips(const struct trial_scene *s, int precise, const size_t *lon, size_t n,
                  double *strips);

/* Seconds of one thread for the strips of [lon0, lon1), as data sets are made. */
double trial_seconds(const struct trial_scene *s, size_t lon0, size_t lon1);

/* ---- samples ---- */

struct iris_gpu;

/* How many were compared, how many have other bits, and of some of these, how many have
 * two cells that are as near. */
struct trial_tally {
    size_t samples, other, ties;
};
void trial_compare_tile(struct iris_gpu *gpu, const struct trial_scene *s,
                        const struct iris_tile *tile, struct trial_tally *tally);

/* ---- maps ---- */

struct trial_maps {
    size_t n_column, n_observed;
    float *column, *observed;
};

/*   in   strips  [lon_steps][trial_strip]
 *   owns trial_maps_release
 */
void trial_maps_init(struct trial_maps *m, const struct trial_scene *s, const double *strips);
void trial_maps_release(struct trial_maps *m);

/* The largest difference over the largest size of b; not finite where one value is
 * not. 0 for two that are 0 throughout. */
double trial_apart(const float *a, const float *b, size_t n);

#endif
