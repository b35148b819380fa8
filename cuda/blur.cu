/* The velocity blur of blur.h, kernel by kernel: along lat, r, lon, in the order of a
 * processor's additions. Compiled without fused operations. */
#include "gpu_work.h"

extern "C" {
#include "blur.h"
}

/* Samples [r][lon][lat] of some longitudes and latitudes. */
struct plane {
    unsigned lons, lats;
    size_t n;
};

static struct plane
plane_of(unsigned n_r, unsigned lons, unsigned lats)
{
    struct plane p = {lons, lats, (size_t)n_r * lons * lats};

    return p;
}

/* One thread a sample that comes out. */
static __global__ void
blur_lat(const __grid_constant__ struct iris_haze h, struct plane out, const float *in, double *to)
{
    size_t i = iris_thing(), line;
    unsigned lat, m, lats = iris_region_lats(&h.taken);
    const double *weight = h.weight + 2 * IRIS_BLUR_MAX;
    double sum = 0;

    if (i >= out.n)
        return;
    line = i / out.lats;
    lat = h.seen.lat0 + (unsigned)(i % out.lats);
    for (m = 0; m < h.n[2]; m++) {
        size_t from = iris_reflect((long)lat + m - h.n[2] / 2, h.n_lat) - h.taken.lat0;

        sum += weight[m] * (double)in[line * lats + from];
    }
    to[i] = sum;
}

static __global__ void
blur_r(const __grid_constant__ struct iris_haze h, struct plane out, const double *in, double *to)
{
    size_t i = iris_thing(), sheet = (size_t)out.lons * out.lats;
    unsigned r, m;
    double sum = 0;

    if (i >= out.n)
        return;
    r = (unsigned)(i / sheet);
    for (m = 0; m < h.n[0]; m++)
        sum += h.weight[m] * in[iris_reflect((long)r + m - h.n[0] / 2, h.n_r) * sheet + i % sheet];
    to[i] = sum;
}

static __global__ void
blur_lon(const __grid_constant__ struct iris_haze h, struct plane out, const double *in, double *to)
{
    size_t i = iris_thing(), sheet = (size_t)iris_region_lons(&h.taken) * out.lats, r;
    const double *weight = h.weight + IRIS_BLUR_MAX;
    unsigned lon, lat, m;
    double sum = 0;

    if (i >= out.n)
        return;
    lat = (unsigned)(i % out.lats);
    lon = h.seen.lon0 + (unsigned)(i / out.lats % out.lons);
    r = i / out.lats / out.lons;
    for (m = 0; m < h.n[1]; m++) {
        size_t from = iris_reflect((long)lon + m - h.n[1] / 2, h.n_lon) - h.taken.lon0;

        sum += weight[m] * in[r * sheet + from * out.lats + lat];
    }
    to[i] = sum;
}

cudaError_t
iris_gpu_blur(const struct iris_haze *h, const float *velocity, double *work[2], const double **v,
              cudaStream_t stream)
{
    unsigned lats = iris_region_lats(&h->seen);
    struct plane wide = plane_of(h->n_r, iris_region_lons(&h->taken), lats);
    struct plane seen = plane_of(h->n_r, iris_region_lons(&h->seen), lats);
    dim3 threads(IRIS_GPU_THREADS, 1, 1);
    cudaError_t e;
    int at = 0;

    e = iris_launch(blur_lat, iris_blocks_for(wide.n), threads, stream, *h, wide, velocity,
                    work[0]);
    if (!e && h->n[0] > 1) {
        e = iris_launch(blur_r, iris_blocks_for(wide.n), threads, stream, *h, wide, work[0],
                        work[1]);
        at = 1;
    }
    if (!e && h->n[1] > 1) {
        e = iris_launch(blur_lon, iris_blocks_for(seen.n), threads, stream, *h, seen, work[at],
                        work[1 - at]);
        at = 1 - at;
    }
    *v = work[at];
    return e;
}
