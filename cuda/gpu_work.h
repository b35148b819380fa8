/* gpu_work -- what the files of this directory have in common. Private to cuda/.
 *
 * Memory of the GPU is called its; everything else is the processor's. Arrays of
 * samples are [r][lon][lat] of a region, lat fastest.
 */
#ifndef IRIS_GPU_WORK_H
#define IRIS_GPU_WORK_H

#include "dialect.h"

extern "C" {
#include "cells.h"
#include "gpu.h"
#include "march_law.h"
#include "output_law.h"
#include "sampler.h"
#include "transfer.h"
}

/* Start a function of CUDA whose failure ends this function. */
#define IRIS_TRY(e, call)                                                                          \
    do {                                                                                           \
        (e) = (call);                                                                              \
        if (e)                                                                                     \
            return e;                                                                              \
    } while (0)

/* Half-open ranges of a view's longitudes and latitudes. */
struct iris_region {
    unsigned lon0, lon1, lat0, lat1;
};

IRIS_BOTH unsigned
iris_region_lons(const struct iris_region *a)
{
    return a->lon1 - a->lon0;
}

IRIS_BOTH unsigned
iris_region_lats(const struct iris_region *a)
{
    return a->lat1 - a->lat0;
}

IRIS_BOTH size_t
iris_region_rays(const struct iris_region *a)
{
    return (size_t)iris_region_lons(a) * iris_region_lats(a);
}

/* A view as kernels see it: what the processor works out of it, for its functions have
 * other bits than the GPU's. */
struct iris_sight {
    struct iris_sampler sampler; /* its cells are not to be used */
    const double *r;             /* [n_r] */
    const double *lon, *lat;     /* [n_lon][2], [n_lat][2] cosine and sine */
};

struct iris_watch;

/* ---- stages, in the order of their use; each starts kernels on a stream ---- */

/* Sample the distances [r0, r1) of a region.
 *
 *   in   cells  its arrays
 *   out  field  [IRIS_FIELDS] its arrays of the region, each NULL or [r1 - r0][lon][lat]
 *   out  fault  its; 1 when the view reaches a guarded face
 *   in   watch  NULL: nobody looks
 */
struct iris_fields {
    float *at[IRIS_FIELDS];
};
cudaError_t iris_gpu_sample(const struct iris_cells *cells, const struct iris_sight *sight,
                            struct iris_region region, unsigned r0, unsigned r1,
                            struct iris_fields field, int *fault, const struct iris_watch *watch,
                            cudaStream_t stream);

/* Blur the velocity: from the region that was sampled to the one that is observed.
 *
 *   in   weight  its [3][IRIS_BLUR_MAX]
 *   in   n       [3] sizes of the kernel
 *   out  work    its two arrays of doubles, as large as the sampled region
 *   return       in *v the one of them that has [n_r][lon][lat] of seen
 */
struct iris_haze {
    const double *weight;
    unsigned n[3];
    unsigned n_r, n_lon, n_lat; /* of the sky */
    struct iris_region taken, seen;
};
cudaError_t iris_gpu_blur(const struct iris_haze *haze, const float *velocity, double *work[2],
                          const double **v, cudaStream_t stream);

/* The samples of a region, once they are blurred. */
struct iris_rays_at {
    struct iris_region taken, seen;
    unsigned n_r;
    const double *v;                 /* [n_r][lon][lat] of seen */
    const float *field[IRIS_FIELDS]; /* of taken */
};

/* Add up mass: as the column maps of pair.h, in bands of so many latitudes.
 *
 *   inout  strips  its [lon of own][strip], of which the first crop_max - crop_min
 */
cudaError_t iris_gpu_columns(const struct iris_rays_at *rays, struct iris_region own, unsigned band,
                             unsigned crop_min, unsigned crop_max, double factor, double *strips,
                             size_t strip, cudaStream_t stream);

/* Mass by velocity.
 *
 *   out  spectra  its [rays of seen][v_steps]
 */
cudaError_t iris_gpu_simple(const struct iris_rays_at *rays, const struct iris_simple_law *law,
                            double *spectra, cudaStream_t stream);

/* One line, ready for kernels: pointers are its. */
struct iris_gpu_line {
    struct iris_line_table table;
    struct iris_abundance abundance;
    struct iris_step_law step;
    struct iris_profile_grid grid;
    enum iris_transfer transfer;
    enum iris_integration integration;
    enum iris_subtraction subtraction;
    enum iris_output_units output;
    int far_to_near, consistent;
    int exact; /* all rays by the exact kernel */
    unsigned n_r, v_steps, fine, v_subsamples;
    double ds;
    double nu_first, nu_step;
    const double *background; /* [v_steps] */
    const double *scale;      /* [v_steps] */
    const double *weight;     /* [n_r] of thin transfer */
    double node[3];           /* frequencies: both ends of the band and its middle */
    double node_background[3];
};

/* Bits of a ray. */
enum { IRIS_RAY_GAS = 1, IRIS_RAY_TRACER = 2, IRIS_RAY_WILD = 4 };

/* A step of a fast march, see march_fast.h. x = x0 + i dx is the profile's argument at
 * point i. */
struct alignas(16) iris_row {
    double x0, dx, J, A;
    double Q[3];         /* a parabola: of dust, or of the continuum */
    unsigned from, to;   /* points that the line reaches */
    double last, before; /* smooth: 4/m and 1/m; formal: e, or -1 at the limit, and a_d */
};

/* Points that lines reach: none unless from < to. */
struct iris_reach {
    unsigned from, to;
};

/* What a line's march works with and leaves behind; its arrays. */
struct iris_marched {
    struct iris_row *row;     /* [n_r][rays] of a fast one */
    double *I;                /* [rays][n] light on the grid of profiles */
    double *C;                /* [rays][v_steps] continuum, of rays that were done exactly */
    double *nodes;            /* [rays][3] continuum, of the others */
    struct iris_reach *reach; /* [rays] of all steps, of a fast smooth one */
    unsigned *is;             /* [rays] bits */
    struct iris_watch *watch; /* of the processor; NULL: nobody looks */
};

/* March a line through the rays of seen: all fast, and those that turn out to be wild
 * exactly; or, where line->exact, all exactly. What a fast smooth march leaves is the
 * excess over the continuum of each point's channel.
 *
 *   inout  out  is is zeroed before
 */
cudaError_t iris_gpu_march_smooth(const struct iris_rays_at *rays, const struct iris_gpu_line *line,
                                  struct iris_marched out, cudaStream_t stream);
cudaError_t iris_gpu_march_formal(const struct iris_rays_at *rays, const struct iris_gpu_line *line,
                                  struct iris_marched out, cudaStream_t stream);
cudaError_t iris_gpu_march_exact(const struct iris_rays_at *rays, const struct iris_gpu_line *line,
                                 struct iris_marched out, cudaStream_t stream);

/* Whether there is a fast march. */
static inline int
iris_gpu_is_fast(const struct iris_gpu_line *line)
{
    return line->transfer == IRIS_THICK;
}

/* From light to spectra.
 *
 *   out  spectra  its [rays][values], of which this line's v_steps
 *   out  gas      its; set when a ray holds any
 */
cudaError_t iris_gpu_collect(size_t n_rays, const struct iris_gpu_line *line,
                             struct iris_marched in, double *spectra, size_t values, int *gas,
                             cudaStream_t stream);

/* Fold latitudes into strips.
 *
 *   in   spectra  its [rays of seen][values]
 *   in   share    its [n_lat] of a mean
 *   inout strips  its [lon of own][strip]; spectra come at from
 */
cudaError_t iris_gpu_fold_mean(const double *spectra, size_t values, struct iris_region seen,
                               const double *share, double *strips, size_t strip, size_t from,
                               cudaStream_t stream);

/* The same by the maximum of what the beam has smoothed.
 *
 *   in   weight    its [n_lon beam + n_lat beam]
 *   out  smoothed  its [lon of seen][lat of own][values] work space
 */
struct iris_smear {
    const double *lon_weight, *lat_weight;
    unsigned lon_size, lat_size, n_lon, n_lat;
};
cudaError_t iris_gpu_fold_max(const double *spectra, size_t values, struct iris_region seen,
                              struct iris_region own, const struct iris_smear *smear,
                              double *smoothed, double *strips, size_t strip, size_t from,
                              cudaStream_t stream);

/* A grid of one-dimensional blocks for n things, one a thread. */
enum { IRIS_GPU_THREADS = 256 };
static inline dim3
iris_blocks_for(size_t n)
{
    return dim3((unsigned)((n + IRIS_GPU_THREADS - 1) / IRIS_GPU_THREADS), 1, 1);
}

/* The thing of a thread of such a grid. */
static inline __device__ size_t
iris_thing(void)
{
    return (size_t)blockIdx.x * blockDim.x + threadIdx.x;
}

#endif
