/* From samples to column maps and mass by velocity, and from spectra to strips, in the
 * order of a processor's additions. Compiled without fused operations. */
#include "gpu_work.h"

extern "C" {
#include "blur.h"
#include "simple.h"
}

/* ---- column maps ---- */

/* Sums side by side, as pair.c has them. */
enum { PARTS = 8 };

struct mass {
    struct iris_rays_at rays;
    struct iris_region own;
    unsigned band, crop_min, crop;
    double factor;
    double *strips;
    size_t strip;
};

/* Of n samples side by side. */
static __device__ double
sum_of(const float *rho, const float *x, unsigned n)
{
    double part[PARTS] = {0}, sum = 0;
    unsigned k, p;

    for (k = 0; k < n; k += PARTS) {
#pragma unroll
        for (p = 0; p < PARTS; p++) {
            if (k + p < n)
                part[p] += (double)rho[k + p] * (double)x[k + p];
        }
    }
#pragma unroll
    for (p = 0; p < PARTS; p++)
        sum += part[p];
    return sum;
}

/* One thread a distance and longitude. */
static __global__ void
add_mass(const __grid_constant__ struct mass m)
{
    const struct iris_region *taken = &m.rays.taken;
    size_t i = iris_thing(), lons = iris_region_lons(&m.own), row;
    unsigned lon = (unsigned)(i % lons), r = (unsigned)(i / lons), k, n = iris_region_lats(&m.own);
    double *to = m.strips + lon * m.strip + r;

    if (i >= lons * m.crop)
        return;
    row = (size_t)(m.crop_min + r) * iris_region_lons(taken) + m.own.lon0 + lon - taken->lon0;
    row = row * iris_region_lats(taken) + m.own.lat0 - taken->lat0;
    for (k = 0; k < n; k += m.band)
        *to += m.factor * sum_of(m.rays.field[IRIS_RHO] + row + k,
                                 m.rays.field[IRIS_X_H2] + row + k, min(m.band, n - k));
}

cudaError_t
iris_gpu_columns(const struct iris_rays_at *rays, struct iris_region own, unsigned band,
                 unsigned crop_min, unsigned crop_max, double factor, double *strips, size_t strip,
                 cudaStream_t stream)
{
    struct mass m = {*rays, own, band, crop_min, crop_max - crop_min, factor, strips, strip};

    if (!m.crop)
        return cudaSuccess;
    return iris_launch(add_mass, iris_blocks_for((size_t)iris_region_lons(&own) * m.crop),
                       dim3(IRIS_GPU_THREADS, 1, 1), stream, m);
}

/* ---- mass by velocity ---- */

/* One thread a ray: its spectrum is nobody else's. */
static __global__ void
add_simple(const __grid_constant__ struct iris_rays_at rays, struct iris_simple_law law,
           double *spectra)
{
    size_t i = iris_thing(), n = iris_region_rays(&rays.seen), k;
    size_t lats = iris_region_lats(&rays.seen), wide = iris_region_rays(&rays.taken), at;
    double *to = spectra + i * law.v_steps;

    if (i >= n)
        return;
    at = (i / lats + rays.seen.lon0 - rays.taken.lon0) * iris_region_lats(&rays.taken) + i % lats +
         rays.seen.lat0 - rays.taken.lat0;
    for (k = 0; k < law.v_steps; k++)
        to[k] = 0;
    iris_simple_deposit(&law, rays.v + i, n, rays.field[IRIS_RHO] + at, wide, rays.n_r, to);
}

cudaError_t
iris_gpu_simple(const struct iris_rays_at *rays, const struct iris_simple_law *law, double *spectra,
                cudaStream_t stream)
{
    return iris_launch(add_simple, iris_blocks_for(iris_region_rays(&rays->seen)),
                       dim3(IRIS_GPU_THREADS, 1, 1), stream, *rays, *law, spectra);
}

/* ---- strips ---- */

/* One thread a longitude and value. */
static __global__ void
fold_mean(const double *spectra, size_t values, struct iris_region seen, const double *share,
          double *strips, size_t strip, size_t from)
{
    size_t i = iris_thing(), lon = i / values, v = i % values;
    unsigned n = iris_region_lats(&seen), k;
    double sum;

    if (lon >= iris_region_lons(&seen))
        return;
    sum = strips[lon * strip + from + v];
    for (k = 0; k < n; k++)
        sum += share[seen.lat0 + k] * spectra[(lon * n + k) * values + v];
    strips[lon * strip + from + v] = sum;
}

cudaError_t
iris_gpu_fold_mean(const double *spectra, size_t values, struct iris_region seen,
                   const double *share, double *strips, size_t strip, size_t from,
                   cudaStream_t stream)
{
    return iris_launch(fold_mean, iris_blocks_for(iris_region_lons(&seen) * values),
                       dim3(IRIS_GPU_THREADS, 1, 1), stream, spectra, values, seen, share, strips,
                       strip, from);
}

struct smeared {
    const double *spectra;
    size_t values;
    struct iris_region seen, own;
    struct iris_smear by;
    double *smoothed;
    double *strips;
    size_t strip, from;
};

/* Over latitudes: one thread a longitude, own latitude and value. */
static __global__ void
smear_lat(const __grid_constant__ struct smeared s)
{
    size_t i = iris_thing(), v = i % s.values, n = iris_region_lats(&s.own);
    size_t lon = i / s.values / n, lats = iris_region_lats(&s.seen);
    unsigned lat = s.own.lat0 + (unsigned)(i / s.values % n), m;
    double sum = 0;

    if (lon >= iris_region_lons(&s.seen))
        return;
    for (m = 0; m < s.by.lat_size; m++) {
        size_t from = iris_reflect((long)lat + m - s.by.lat_size / 2, s.by.n_lat) - s.seen.lat0;

        sum += s.by.lat_weight[m] * s.spectra[(lon * lats + from) * s.values + v];
    }
    s.smoothed[i] = sum;
}

/* Over longitudes, and the maximum over latitudes: one thread a longitude and value. */
static __global__ void
smear_lon(const __grid_constant__ struct smeared s)
{
    size_t i = iris_thing(), v = i % s.values, n = iris_region_lats(&s.own), k;
    unsigned lon = s.own.lon0 + (unsigned)(i / s.values), m;
    double *to = s.strips + i / s.values * s.strip + s.from + v;
    double most = *to;

    if (lon >= s.own.lon1)
        return;
    for (k = 0; k < n; k++) {
        double sum = 0;

        for (m = 0; m < s.by.lon_size; m++) {
            size_t from = iris_reflect((long)lon + m - s.by.lon_size / 2, s.by.n_lon) - s.seen.lon0;

            sum += s.by.lon_weight[m] * s.smoothed[(from * n + k) * s.values + v];
        }
        if ((s.own.lat0 == 0 && k == 0) || sum > most)
            most = sum;
    }
    *to = most;
}

cudaError_t
iris_gpu_fold_max(const double *spectra, size_t values, struct iris_region seen,
                  struct iris_region own, const struct iris_smear *smear, double *smoothed,
                  double *strips, size_t strip, size_t from, cudaStream_t stream)
{
    struct smeared s = {spectra, values, seen, own, *smear, smoothed, strips, strip, from};
    dim3 threads(IRIS_GPU_THREADS, 1, 1);
    cudaError_t e;

    e = iris_launch(
        smear_lat,
        iris_blocks_for((size_t)iris_region_lons(&seen) * iris_region_lats(&own) * values), threads,
        stream, s);
    if (!e)
        e = iris_launch(smear_lon, iris_blocks_for(iris_region_lons(&own) * values), threads,
                        stream, s);
    return e;
}
