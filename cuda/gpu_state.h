/* gpu_state -- a GPU that is in use. Private to cuda/. */
#ifndef IRIS_GPU_STATE_H
#define IRIS_GPU_STATE_H

#include "gpu_work.h"
#include "watch.h"

/* Memory of the GPU, in one piece. */
struct iris_room {
    char *block;
    size_t bytes;
};

/* A piece of a point on its way. */
enum { IRIS_GPU_SLOTS = 2 };
struct iris_slot {
    cudaStream_t stream;
    struct iris_room room;
};

/* A scene as it is on the GPU; pointers are its unless said otherwise. */
struct iris_stage {
    struct iris_scene scene;         /* as it was given; pair NULL: none */
    struct iris_room room;           /* of all that follows */
    size_t n_lines;                  /* 0: mass by velocity */
    struct iris_gpu_line *line;      /* [n_lines] of the processor; pointers in it are its */
    size_t values;                   /* of a ray */
    double *blur;                    /* [3][IRIS_BLUR_MAX] */
    double *share;                   /* [n_lat] */
    double *lon_weight, *lat_weight; /* of the beam */
    int *flag;                       /* [IRIS_FLAGS] */
};
enum { IRIS_FLAG_GAS, IRIS_FLAG_FAULT, IRIS_FLAGS };

struct iris_gpu {
    int number;
    char name[256];
    uint64_t used, peak, used_point, peak_point, limit;
    struct iris_watch watch;
    struct iris_slot slot[IRIS_GPU_SLOTS];
    struct iris_room cells_room, sight_room, strips_room;
    struct iris_cells cells; /* x NULL: none */
    const double *cells_of;  /* where they are on the processor */
    struct iris_sight sight;
    struct iris_stage stage;
    struct iris_err failure; /* of the observer */
    size_t observed_values;
    double *column; /* of the processor: work space of the observer */
    size_t column_bytes;
};

/* Say what CUDA says; IRIS_E_IO. cudaSuccess is IRIS_OK. */
enum iris_status iris_gpu_fail(struct iris_gpu *g, cudaError_t e, const char *what,
                               struct iris_err *err);

/* After a failure nothing is under way any more, and of one that is no fault of the input
 * nothing is trusted that it left behind: all is forgotten.
 *
 *   return  st
 */
enum iris_status iris_gpu_give_up(struct iris_gpu *g, enum iris_status st);

/* Make a room at least so large; what is in it is lost. Bytes 0: give it back. */
enum { IRIS_OF_POINT = 1 };
enum iris_status iris_room_make(struct iris_gpu *g, struct iris_room *room, size_t bytes,
                                int of_point, struct iris_err *err);

/* Lay arrays into a room, one after the other; with block NULL only count. */
struct iris_layout {
    char *block;
    size_t used;
};
void *iris_lay(struct iris_layout *l, size_t bytes);

/* This thread uses that GPU from now on. */
enum iris_status iris_gpu_select(struct iris_gpu *g, struct iris_err *err);

/* Bring over what is not there yet. */
enum iris_status iris_gpu_bring_cells(struct iris_gpu *g, const struct iris_cells *c,
                                      struct iris_err *err);
enum iris_status iris_gpu_bring_sight(struct iris_gpu *g, const struct iris_sampler *s,
                                      struct iris_err *err);
enum iris_status iris_gpu_bring_scene(struct iris_gpu *g, const struct iris_scene *scene,
                                      struct iris_err *err);
void iris_gpu_drop_scene(struct iris_gpu *g);

/* Wait for a stream, looking up now and then.
 *
 *   return  IRIS_OK, IRIS_E_RETRY: pause said stop, IRIS_E_IO
 */
enum iris_status iris_gpu_wait(struct iris_gpu *g, cudaStream_t stream,
                               const struct iris_pause *pause, struct iris_err *err);

/* Arrays of the rays of a region and their spectra. */
struct iris_rays_work {
    struct iris_marched marched;
    double *spectra; /* [rays][values] */
};
void iris_lay_rays(struct iris_layout *l, const struct iris_stage *stage, size_t rays,
                   struct iris_rays_work *w);

/* Make the spectra of all lines.
 *
 *   in   watch  NULL: nobody does
 */
cudaError_t iris_gpu_spectra(const struct iris_stage *stage, const struct iris_rays_at *rays,
                             const struct iris_rays_work *w, struct iris_watch *watch,
                             cudaStream_t stream);

#endif
