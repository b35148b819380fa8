/* A point in pieces: some longitudes, and where even one of these is too much, some
 * latitudes. Every piece is sampled with the margins that blur and beam need. */
#include "gpu_state.h"

extern "C" {
#include "blur.h"
#include "num.h"
}

/* Sizes of a point. */
struct plan {
    const struct iris_stage *stage;
    const struct iris_pair_law *law;
    unsigned n_r, n_lon, n_lat;
    unsigned blur_lon, blur_lat; /* half the kernel */
    unsigned beam_lon, beam_lat; /* likewise, for the maximum; else 0 */
    unsigned fields;             /* bits of those sampled */
    unsigned lons, lats;         /* of a piece */
    unsigned band;               /* latitudes are cut at multiples of it */
};

/* A piece, and where its arrays are. */
struct piece {
    struct iris_region own;
    struct iris_rays_at rays;
    struct iris_fields field;
    double *work[2];
    double *smoothed;
    struct iris_rays_work ready;
};

static unsigned
less(unsigned a, unsigned b)
{
    return a > b ? a - b : 0;
}

static unsigned
lesser(unsigned a, unsigned b)
{
    return a < b ? a : b;
}

/* A region with margins, where there is anything. */
static struct iris_region
widened(const struct plan *p, struct iris_region a, unsigned lon, unsigned lat)
{
    struct iris_region b = {less(a.lon0, lon), lesser(a.lon1 + lon, p->n_lon), less(a.lat0, lat),
                            lesser(a.lat1 + lat, p->n_lat)};

    return b;
}

/* Lay a piece out.
 *
 *   return  bytes
 */
static size_t
lay_piece(const struct plan *p, struct iris_region own, char *block, struct piece *piece)
{
    struct iris_layout l = {block, 0};
    struct iris_region seen = widened(p, own, p->beam_lon, p->beam_lat);
    struct iris_region taken = widened(p, seen, p->blur_lon, p->blur_lat);
    size_t samples = p->n_r * iris_region_rays(&taken);
    size_t blurred = (size_t)p->n_r * iris_region_lons(&taken) * iris_region_lats(&seen);
    int f, i;

    *piece = {};
    piece->own = own;
    piece->rays.taken = taken;
    piece->rays.seen = seen;
    piece->rays.n_r = p->n_r;
    for (f = 0; f < IRIS_FIELDS; f++) {
        if (p->fields >> f & 1)
            piece->field.at[f] = (float *)iris_lay(&l, samples * sizeof(float));
        piece->rays.field[f] = piece->field.at[f];
    }
    for (i = 0; i < 2; i++)
        piece->work[i] = (double *)iris_lay(&l, blurred * sizeof(double));
    if (p->law->max)
        piece->smoothed = (double *)iris_lay(&l, (size_t)iris_region_lons(&seen) *
                                                     iris_region_lats(&own) * p->stage->values *
                                                     sizeof(double));
    iris_lay_rays(&l, p->stage, iris_region_rays(&seen), &piece->ready);
    return l.used;
}

/* What a piece of so many longitudes and latitudes takes at most. */
static size_t
piece_bytes(const struct plan *p, unsigned lons, unsigned lats)
{
    struct iris_region middle;
    struct piece piece;

    middle.lon0 = lesser(p->beam_lon + p->blur_lon, p->n_lon - lons);
    middle.lat0 = lesser(p->beam_lat + p->blur_lat, p->n_lat - lats);
    middle.lon1 = middle.lon0 + lons;
    middle.lat1 = middle.lat0 + lats;
    return lay_piece(p, middle, NULL, &piece);
}

/* The most longitudes of 1 to n that fit, beside so many latitudes; 1 where none does. */
static unsigned
most_that_fit(const struct plan *p, unsigned n, unsigned lats, size_t bytes)
{
    unsigned lo = 1, hi = n;

    while (lo < hi) {
        unsigned middle = lo + (hi - lo + 1) / 2;

        if (piece_bytes(p, middle, lats) <= bytes)
            lo = middle;
        else
            hi = middle - 1;
    }
    return lo;
}

/* How many rays are sampled for one that is wanted, at most. */
static double
waste(const struct plan *p, unsigned lons, unsigned lats)
{
    unsigned lon = lesser(lons + 2 * (p->beam_lon + p->blur_lon), p->n_lon);
    unsigned lat = lesser(lats + 2 * (p->beam_lat + p->blur_lat), p->n_lat);

    return (double)lon / lons * lat / lats;
}

/* Even pieces, of which two fit at a time, with little waste: of all latitudes or of some
 * bands of them. */
static void
cut(struct plan *p, unsigned n_lon, uint64_t limit)
{
    unsigned bands = (p->n_lat + p->band - 1) / p->band, lats, lons, pieces;
    double least = INFINITY;

    for (;; bands = (bands + 1) / 2) {
        lats = lesser(bands * p->band, p->n_lat);
        lons = most_that_fit(p, n_lon, lats, limit / IRIS_GPU_SLOTS);
        pieces = (n_lon + lons - 1) / lons;
        lons = (n_lon + pieces - 1) / pieces;
        if (piece_bytes(p, lons, lats) <= limit / IRIS_GPU_SLOTS || bands == 1) {
            if (waste(p, lons, lats) < 0.99 * least) {
                least = waste(p, lons, lats);
                p->lons = lons;
                p->lats = lats;
            }
        }
        if (bands == 1)
            return;
    }
}

/* Whether a size of all the sky could overflow: far from what a machine can hold. */
static int
is_too_large(const struct iris_stage *stage, const struct iris_sky *sky)
{
    size_t per_ray = stage->values + (stage->n_lines ? stage->line->grid.n : 0), rays, all;

    return sky->r_steps > INT32_MAX || sky->lon_steps > INT32_MAX || sky->lat_steps > INT32_MAX ||
           per_ray > INT32_MAX || iris_mul_size(sky->lon_steps, sky->lat_steps, &rays) ||
           iris_mul_size(rays, 1024, &rays) || iris_mul_size(rays, sky->r_steps, &all) ||
           iris_mul_size(rays, per_ray, &all);
}

static enum iris_status
make_plan(const struct iris_gpu *g, const struct iris_sampler *s, unsigned n_lon, struct plan *p,
          struct iris_err *err)
{
    const struct iris_pair_law *law = g->stage.scene.pair;
    const struct iris_sky *sky = &law->sky;

    if (is_too_large(&g->stage, sky))
        return iris_fail(err, IRIS_E_DATA, "%zu x %zu x %zu samples are too many for a GPU",
                         sky->r_steps, sky->lon_steps, sky->lat_steps);
    if (s->view.r.n != sky->r_steps || s->view.lon.n != sky->lon_steps ||
        s->view.lat.n != sky->lat_steps)
        return iris_fail(err, IRIS_E_BUG, "a view of another size than its sky");
    *p = {};
    p->stage = &g->stage;
    p->law = law;
    p->n_r = (unsigned)sky->r_steps;
    p->n_lon = (unsigned)sky->lon_steps;
    p->n_lat = (unsigned)sky->lat_steps;
    p->blur_lon = (unsigned)sky->blur.n[1] / 2;
    p->blur_lat = (unsigned)sky->blur.n[2] / 2;
    p->beam_lon = law->max ? (unsigned)law->beam->lon.size / 2 : 0;
    p->beam_lat = law->max ? (unsigned)law->beam->lat.size / 2 : 0;
    p->fields = g->stage.n_lines ? (1U << IRIS_FIELDS) - 1
                                 : 1U << IRIS_V_R | 1U << IRIS_RHO | 1U << IRIS_X_H2;
    p->band = (unsigned)iris_sky_band(sky);
    cut(p, n_lon, g->limit);
    return IRIS_OK;
}

/* ---- stages ---- */

static cudaError_t
start(struct iris_gpu *g, const struct plan *p, struct piece *piece, double *strips, size_t strip,
      cudaStream_t stream)
{
    const struct iris_pair_law *law = p->law;
    const struct iris_blur *blur = &law->sky.blur;
    struct iris_haze haze = {
        g->stage.blur,   {(unsigned)blur->n[0], (unsigned)blur->n[1], (unsigned)blur->n[2]},
        p->n_r,          p->n_lon,
        p->n_lat,        piece->rays.taken,
        piece->rays.seen};
    size_t crop = law->crop_max - law->crop_min;
    struct iris_watch *watch = &g->watch;
    cudaError_t e;

    IRIS_TRY(e, iris_tick(watch, -1, stream));
    IRIS_TRY(e, iris_gpu_sample(&g->cells, &g->sight, piece->rays.taken, 0, p->n_r, piece->field,
                                g->stage.flag + IRIS_FLAG_FAULT, watch, stream));
    IRIS_TRY(e, iris_tick(watch, IRIS_GPU_SAMPLING, stream));
    IRIS_TRY(e,
             iris_gpu_blur(&haze, piece->field.at[IRIS_V_R], piece->work, &piece->rays.v, stream));
    IRIS_TRY(e, iris_gpu_columns(&piece->rays, piece->own, p->band, (unsigned)law->crop_min,
                                 (unsigned)law->crop_max, law->H2_factor, strips, strip, stream));
    IRIS_TRY(e, iris_tick(watch, IRIS_GPU_REDUCING, stream));
    IRIS_TRY(e, iris_gpu_spectra(&g->stage, &piece->rays, &piece->ready, watch, stream));
    if (law->max) {
        struct iris_smear smear = {g->stage.lon_weight,
                                   g->stage.lat_weight,
                                   (unsigned)law->beam->lon.size,
                                   (unsigned)law->beam->lat.size,
                                   p->n_lon,
                                   p->n_lat};

        IRIS_TRY(e, iris_gpu_fold_max(piece->ready.spectra, g->stage.values, piece->rays.seen,
                                      piece->own, &smear, piece->smoothed, strips, strip, crop,
                                      stream));
    } else {
        IRIS_TRY(e, iris_gpu_fold_mean(piece->ready.spectra, g->stage.values, piece->rays.seen,
                                       g->stage.share, strips, strip, crop, stream));
    }
    IRIS_TRY(e, iris_tick(watch, IRIS_GPU_REDUCING, stream));
    return iris_watch_read(watch, stream);
}

static enum iris_status
run_piece(struct iris_gpu *g, const struct plan *p, struct iris_region own, struct iris_slot *slot,
          const struct iris_pause *pause, double *strips, size_t strip, struct iris_err *err)
{
    struct piece piece;
    size_t bytes = lay_piece(p, own, NULL, &piece);
    enum iris_status st;

    st = iris_gpu_wait(g, slot->stream, pause, err);
    if (!st)
        st = iris_room_make(g, &slot->room, bytes, IRIS_OF_POINT, err);
    if (st)
        return st;
    lay_piece(p, own, slot->room.block, &piece);
    return iris_gpu_fail(g, start(g, p, &piece, strips, strip, slot->stream), "failed", err);
}

/* All pieces, on their streams. Bands of the same longitudes add to the same strips: they
 * are one after another. */
static enum iris_status
run(struct iris_gpu *g, const struct plan *p, const struct iris_pause *pause, unsigned lon0,
    unsigned lon1, size_t strip, struct iris_err *err)
{
    unsigned slots = g->watch.is_on || p->lons >= lon1 - lon0 ? 1 : IRIS_GPU_SLOTS, at = 0;
    double *strips = (double *)(void *)g->strips_room.block;
    enum iris_status st = IRIS_OK;
    unsigned lon, lat;

    for (lon = lon0; lon < lon1 && !st; lon += p->lons, at = (at + 1) % slots) {
        for (lat = 0; lat < p->n_lat && !st; lat += p->lats) {
            struct iris_region own = {lon, lesser(lon + p->lons, lon1), lat,
                                      lesser(lat + p->lats, p->n_lat)};

            st = run_piece(g, p, own, &g->slot[at], pause, strips + (lon - lon0) * strip, strip,
                           err);
        }
    }
    for (at = 0; at < IRIS_GPU_SLOTS && !st; at++)
        st = iris_gpu_wait(g, g->slot[at].stream, pause, err);
    return st;
}

/* ---- a part ---- */

static enum iris_status
bring(struct iris_gpu *g, const struct iris_scene *scene, const struct iris_sampler *sampler,
      size_t bytes, struct iris_err *err)
{
    enum iris_status st;
    cudaError_t e;

    st = iris_gpu_select(g, err);
    if (!st)
        st = iris_gpu_bring_cells(g, sampler->cells, err);
    if (!st)
        st = iris_gpu_bring_scene(g, scene, err);
    if (!st)
        st = iris_gpu_bring_sight(g, sampler, err);
    if (!st)
        st = iris_room_make(g, &g->strips_room, bytes, IRIS_OF_POINT, err);
    if (st)
        return st;
    e = cudaMemset(g->strips_room.block, 0, bytes);
    if (!e)
        e = cudaMemset(g->stage.flag, 0, IRIS_FLAGS * sizeof(int));
    /* the streams of pieces do not wait for these */
    if (!e)
        e = cudaDeviceSynchronize();
    return iris_gpu_fail(g, e, "failed", err);
}

enum iris_status
iris_gpu_part(void *gpu, const struct iris_scene *scene, const struct iris_sampler *sampler,
              const struct iris_pause *pause, size_t lon0, size_t lon1, double *strips, int *gas,
              struct iris_err *err)
{
    struct iris_gpu *g = (struct iris_gpu *)gpu;
    size_t strip = iris_pair_strip(scene->pair, iris_scene_values(scene));
    size_t bytes = (lon1 - lon0) * strip * sizeof *strips;
    int flag[IRIS_FLAGS] = {0};
    enum iris_status st;
    struct plan plan;

    st = bring(g, scene, sampler, bytes, err);
    if (!st)
        st = make_plan(g, sampler, (unsigned)(lon1 - lon0), &plan, err);
    if (!st)
        st = run(g, &plan, pause, (unsigned)lon0, (unsigned)lon1, strip, err);
    if (!st)
        st = iris_gpu_fail(g,
                           cudaMemcpy(strips, g->strips_room.block, bytes, cudaMemcpyDeviceToHost),
                           "failed", err);
    if (!st)
        st = iris_gpu_fail(g, cudaMemcpy(flag, g->stage.flag, sizeof flag, cudaMemcpyDeviceToHost),
                           "failed", err);
    if (st)
        return iris_gpu_give_up(g, st);
    *gas = flag[IRIS_FLAG_GAS];
    return flag[IRIS_FLAG_FAULT] ? iris_cells_fail_guard(err) : IRIS_OK;
}
