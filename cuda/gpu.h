/* gpu -- data points made by a GPU, through CUDA; or, in a build without it,
 * functions that say so.
 *
 * Samples are those of iris_sampler_tile, to the bit: the search is exact, in
 * double, and the formulas are those of the library. Spectra agree with the precise
 * arithmetic of transfer.h to 1e-5 of a map's peak; they are another arithmetic.
 *
 * A GPU holds one snapshot and one scene, uploaded at first use and kept until they
 * change. A point is made in pieces of longitudes and latitudes whose size is bounded,
 * two of them on their way at a time; only strips come back.
 *
 * Not thread safe: one struct a thread. A struct belongs to the process that opened
 * it and must not be used after fork.
 */
#ifndef IRIS_GPU_H
#define IRIS_GPU_H

#include <stddef.h>
#include <stdint.h>

#ifdef __cplusplus
extern "C" {
#endif

#include "device.h"
#include "err.h"

/* Memory of a GPU that a data point takes beside its snapshot, at most: bytes. */
#define IRIS_GPU_POINT (UINT64_C(2) << 30)

struct iris_gpu;

/* Whether this build has CUDA. */
int iris_gpu_is_built(void);

/* GPUs that can be used here, those that CUDA_VISIBLE_DEVICES leaves.
 *
 *   return  IRIS_OK    *n is 1 or more
 *           IRIS_E_IO  why there are none: a build without CUDA, no driver, a driver
 *                      that is too old, no device; *n is 0
 */
enum iris_status iris_gpu_count(int *n, struct iris_err *err);

/* Whose GPU it is, whatever CUDA_VISIBLE_DEVICES calls it: its address on the bus,
 * as 0000:1b:00.0.
 *
 *   out  bus  ends with 0
 */
enum { IRIS_GPU_BUS = 32 };
enum iris_status iris_gpu_bus(int number, char bus[IRIS_GPU_BUS], struct iris_err *err);

/*   in   number  below iris_gpu_count's
 *   out  g       owned by the caller, iris_gpu_close
 *
 *   return  IRIS_OK
 *           IRIS_E_USAGE  there is no such GPU
 *           IRIS_E_IO     it cannot be used; the sentence has what CUDA says
 */
enum iris_status iris_gpu_open(int number, struct iris_gpu **g, struct iris_err *err);
void iris_gpu_close(struct iris_gpu *g); /* safe on NULL */

/* What it is called. Valid until it is closed. */
const char *iris_gpu_name(const struct iris_gpu *g);

/* The most memory that was taken of it at a time, bytes: of all, and beside the
 * snapshot. */
uint64_t iris_gpu_peak(const struct iris_gpu *g);
uint64_t iris_gpu_peak_point(const struct iris_gpu *g);

/* Take no more memory for a point than this, IRIS_GPU_POINT or less; results are the
 * same. What one longitude and a band of latitude need is taken in any case. */
void iris_gpu_limit(struct iris_gpu *g, uint64_t bytes);

/* The functions of struct iris_device; self is the GPU.
 *
 *   return  as iris_pair_part and iris_sampler_tile; besides
 *           IRIS_E_IO    no memory on the GPU, or it failed; the sentence has what
 *                        CUDA says. What was there is forgotten.
 *           IRIS_E_DATA  sizes beyond what the GPU path can do
 */
enum iris_status iris_gpu_part(void *gpu, const struct iris_scene *scene,
                               const struct iris_sampler *sampler, const struct iris_pause *pause,
                               size_t lon0, size_t lon1, double *strips, int *gas,
                               struct iris_err *err);
enum iris_status iris_gpu_tile(void *gpu, const struct iris_sampler *sampler,
                               const struct iris_tile *tile, float *const field[IRIS_FIELDS],
                               struct iris_err *err);
void iris_gpu_forget(void *gpu);

/* Spectra of columns that come from elsewhere, by the scene's observer. The observer
 * itself cannot fail: a failure is kept until it is asked for, and spectra are 0 from
 * then on.
 *
 *   in   scene  kept by reference
 *   out  o      valid until the GPU is closed or another scene is used
 */
enum iris_status iris_gpu_observer(struct iris_gpu *g, const struct iris_scene *scene,
                                   struct iris_observer *o, struct iris_err *err);
/*   out  gas  whether any ray held gas since iris_gpu_observer */
enum iris_status iris_gpu_observed(struct iris_gpu *g, int *gas, struct iris_err *err);

/* ---- where time goes, for measurements ---- */

enum iris_gpu_stage {
    IRIS_GPU_SAMPLING,
    IRIS_GPU_BLURRING,
    IRIS_GPU_STEPS,    /* from samples to what a march needs */
    IRIS_GPU_MARCHING, /* fast */
    IRIS_GPU_EXACT,    /* what is marched exactly */
    IRIS_GPU_REDUCING, /* to strips */
    IRIS_GPU_STAGES
};

/* What was done since iris_gpu_watch. */
struct iris_gpu_spent {
    double seconds[IRIS_GPU_STAGES];
    uint64_t compared; /* samples with cells that might be the nearest */
    /* of fast smooth marches: points times steps in all, those that were walked since
     * their first line, and those at which a line was looked at */
    uint64_t points, walked, lines;
};

/* Watch parts from now on: pieces are made one after another, which takes longer. */
void iris_gpu_watch(struct iris_gpu *g, int is_on);
void iris_gpu_spent(const struct iris_gpu *g, struct iris_gpu_spent *spent);

/* Give the memory of the GPU back, all but the snapshot and the tables. */
void iris_gpu_relax(struct iris_gpu *g);

#ifdef __cplusplus
}
#endif

#endif
