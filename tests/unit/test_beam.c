/* The beam, and pairs and cubes behind it, against direct convolution. */
#include "check.h"

#include "beam.h"
#include "npy.h"
#include "pair.h"

/* ---- a sky whose spectra are known ---- */

enum { VALUES = 3, LINES = 3 };

struct world {
    size_t r, lon, lat;
    size_t widest; /* most latitudes asked for at once */
};

/* Any function of the place that has no symmetry. */
static double
sample(size_t r, size_t lon, size_t lat)
{
    return sin((double)(r * 7 + lon * 13 + lat * 29)) + 0.01 * (double)lon - 0.03 * (double)lat;
}

static enum iris_status
get_column(void *self, const struct iris_tile *tile, float *const field[IRIS_FIELDS],
           struct iris_err *err)
{
    struct world *w = self;
    size_t n = tile->lat1 - tile->lat0, i, k;
    int c;

    (void)err;
    w->widest = n > w->widest ? n : w->widest;
    for (c = 0; c < IRIS_FIELDS; c++)
        for (i = 0; field[c] && i < w->r; i++)
            for (k = 0; k < n; k++)
                field[c][i * n + k] = (float)sample(i, tile->lon0, tile->lat0 + k);
    return IRIS_OK;
}

/* Values of a ray: sums of its samples under different weights. */
static void
observe(void *self, const struct iris_column *c, double *spectra)
{
    size_t k, i, v;

    (void)self;
    for (k = 0; k < c->n_rays; k++)
        for (v = 0; v < VALUES; v++) {
            double sum = 0;

            for (i = 0; i < c->n_r; i++)
                sum += (double)c->field[IRIS_T][i * c->stride + k] * (double)((i + v) % 5);
            spectra[k * VALUES + v] = sum / (double)c->n_r;
        }
}

static double *
whole_cube(const struct world *w)
{
    double *cube = calloc(w->lon * w->lat * VALUES, sizeof *cube);
    size_t lon, lat, v, i;

    for (lon = 0; lon < w->lon; lon++)
        for (lat = 0; lat < w->lat; lat++)
            for (v = 0; v < VALUES; v++) {
                double sum = 0;

                for (i = 0; i < w->r; i++)
                    sum += (double)(float)sample(i, lon, lat) * (double)((i + v) % 5);
                cube[(lon * w->lat + lat) * VALUES + v] = sum / (double)w->r;
            }
    return cube;
}

/* The two-dimensional kernel, normalised as a whole, reflected at edges. */
static double *
convolved(const struct world *w, const struct iris_beam *b, const double *cube)
{
    double *out = calloc(w->lon * w->lat * VALUES, sizeof *out), sum = 0;
    long hl = (long)b->lon.size / 2, hb = (long)b->lat.size / 2, i, k, l, m;
    size_t v;

    for (l = -hl; l <= hl; l++)
        for (m = -hb; m <= hb; m++)
            sum += b->lon.weight[l + hl] * b->lat.weight[m + hb];
    for (i = 0; i < (long)w->lon; i++)
        for (k = 0; k < (long)w->lat; k++)
            for (l = -hl; l <= hl; l++)
                for (m = -hb; m <= hb; m++) {
                    long a = labs(i + l), c = labs(k + m);
                    double weight = b->lon.weight[l + hl] * b->lat.weight[m + hb] / sum;

                    a = a >= (long)w->lon ? 2 * (long)w->lon - 2 - a : a;
                    c = c >= (long)w->lat ? 2 * (long)w->lat - 2 - c : c;
                    for (v = 0; v < VALUES; v++)
                        out[((size_t)i * w->lat + (size_t)k) * VALUES + v] +=
                            weight * cube[((size_t)a * w->lat + (size_t)c) * VALUES + v];
                }
    return out;
}

static double
largest_difference(const float *a, const double *b, size_t n)
{
    double worst = 0, top = 0;
    size_t i;

    for (i = 0; i < n; i++) {
        worst = fmax(worst, fabs((double)a[i] - b[i]));
        top = fmax(top, fabs(b[i]));
    }
    return worst / top;
}

/* ---- comparisons ---- */

struct kept {
    const struct world *w;
    float *cube;
    unsigned *times; /* every pixel was put */
};

static enum iris_status
keep(void *self, size_t lon, size_t lat, size_t n_lat, const float *spectra, struct iris_err *err)
{
    struct kept *k = self;
    size_t i;

    (void)err;
    memcpy(k->cube + (lon * k->w->lat + lat) * VALUES, spectra, n_lat * VALUES * sizeof *spectra);
    for (i = 0; i < n_lat; i++)
        k->times[lon * k->w->lat + lat + i]++;
    return IRIS_OK;
}

static void
test_world(const struct world *size, double fwhm)
{
    struct world w = *size;
    struct iris_columns columns = {.get = get_column, .self = &w};
    struct iris_observer observer = {observe, NULL, 1U << IRIS_T, VALUES};
    struct iris_pair_law law = {.sky = {.r_steps = w.r, .lon_steps = w.lon, .lat_steps = w.lat},
                                .crop_max = 1,
                                .H2_factor = 1,
                                .n_lines = LINES};
    size_t pixels = w.lon * w.lat, lon, lat, v, i;
    double *cube = whole_cube(&w), *smooth, *mean = calloc(w.lon * VALUES, sizeof *mean);
    double *most = malloc(w.lon * VALUES * sizeof *most);
    float *column = malloc(w.lon * sizeof *column);
    float *observed = malloc(w.lon * VALUES * sizeof *observed);
    struct kept kept = {&w, malloc(pixels * VALUES * sizeof(float)), calloc(pixels, sizeof(int))};
    struct iris_cube_sink sink = {keep, &kept};
    struct iris_beam beam;
    int once = 1;

    iris_blur_none(&law.sky.blur);
    if (iris_beam_init(&beam, fwhm, w.lon, 3, w.lat, 0.75, NULL))
        exit(1);
    law.beam = &beam;
    smooth = convolved(&w, &beam, cube);
    for (lon = 0; lon < w.lon; lon++)
        for (v = 0; v < VALUES; v++) {
            /* [line][lon][channel] of one channel */
            double *m = &mean[v * w.lon + lon], *x = &most[v * w.lon + lon];

            *x = -HUGE_VAL;
            for (lat = 0; lat < w.lat; lat++) {
                double s = smooth[(lon * w.lat + lat) * VALUES + v];

                *m += s / (double)w.lat;
                *x = fmax(*x, s);
            }
        }
    CHECK(!iris_pair_make(&law, &columns, &observer, NULL, column, observed, NULL) &&
              largest_difference(observed, mean, w.lon * VALUES) < 3e-7,
          "%zu x %zu x %zu, beam %zu x %zu: mean", w.r, w.lon, w.lat, beam.lon.size, beam.lat.size);
    law.max = 1;
    w.widest = 0;
    CHECK(!iris_pair_make(&law, &columns, &observer, NULL, column, observed, NULL) &&
              largest_difference(observed, most, w.lon * VALUES) < 3e-7,
          "maximum, %zu latitudes at a time", w.widest);
    CHECK(!iris_cube_make(&law.sky, &beam, &columns, &observer, NULL, &sink, NULL) &&
              largest_difference(kept.cube, smooth, pixels * VALUES) < 3e-7,
          "cube");
    for (i = 0; i < pixels; i++)
        once &= kept.times[i] == 1;
    CHECK(once, "every pixel comes once");
    free(cube);
    free(smooth);
    free(mean);
    free(most);
    free(column);
    free(observed);
    free(kept.cube);
    free(kept.times);
    iris_beam_release(&beam);
}

static void
test_worlds(void)
{
    static const struct world sizes[] = {{2, 40, 24, 0}, {3, 7, 5, 0}, {2, 2, 2, 0}, {5, 3, 9, 0}};
    static const struct world deep = {1 << 15, 4, 21, 0}; /* bands of 8, 8 and 5 latitudes */
    size_t i;

    for (i = 0; i < sizeof sizes / sizeof sizes[0]; i++) {
        test_world(&sizes[i], (double)NAN);
        test_world(&sizes[i], 0.2);
        test_world(&sizes[i], 20);
    }
    test_world(&deep, (double)NAN);
    test_world(&deep, 0.05);
    test_world(&deep, 20);
}

/* ---- in parts ---- */

/* As observe, of the blurred velocity too. */
static void
observe_moving(void *self, const struct iris_column *c, double *spectra)
{
    size_t k, i, v;

    observe(self, c, spectra);
    for (k = 0; k < c->n_rays; k++)
        for (v = 0; v < VALUES; v++)
            for (i = v; i < c->n_r; i += VALUES)
                spectra[k * VALUES + v] += 0.1 * c->v[i * c->n_rays + k];
}

/* The strips of a sky cut after every step longitudes, in another order. */
static int
same_in_parts(const struct iris_pair_law *law, const struct world *w, size_t step,
              const double *whole)
{
    struct world here = *w;
    struct iris_columns columns = {.get = get_column, .self = &here};
    struct iris_observer observer = {observe_moving, NULL, 1U << IRIS_T, VALUES};
    size_t strip = iris_pair_strip(law, VALUES), first = (w->lon - 1) / step * step, lon;
    double *strips = malloc(w->lon * strip * sizeof *strips);
    int same;

    memset(strips, 0xff, w->lon * strip * sizeof *strips);
    for (lon = first;; lon -= step) {
        size_t end = lon + step < w->lon ? lon + step : w->lon;
        /* of its own, so that a value beside the part would be seen */
        double *part = malloc((end - lon) * strip * sizeof *part);

        if (iris_pair_part(law, &columns, &observer, NULL, lon, end, part, NULL))
            exit(1);
        memcpy(strips + lon * strip, part, (end - lon) * strip * sizeof *part);
        free(part);
        if (!lon)
            break;
    }
    same = !memcmp(strips, whole, w->lon * strip * sizeof *strips);
    free(strips);
    return same;
}

static void
test_parts(const struct world *w, double fwhm, int max, int blurred, size_t least)
{
    struct world here = *w;
    struct iris_columns columns = {.get = get_column, .self = &here};
    struct iris_observer observer = {observe_moving, NULL, 1U << IRIS_T, VALUES};
    struct iris_pair_law law = {.sky = {.r_steps = w->r, .lon_steps = w->lon, .lat_steps = w->lat},
                                .crop_min = 1,
                                .crop_max = w->r < 5 ? w->r : 5,
                                .H2_factor = 1.5,
                                .max = max,
                                .n_lines = LINES};
    size_t n_column, step;
    double *strips;
    float *column, *observed, *again;
    struct iris_beam beam;
    int same = 1;

    iris_blur_none(&law.sky.blur);
    if (iris_beam_init(&beam, fwhm, w->lon, 3, w->lat, 0.75, NULL) ||
        (blurred && iris_blur_init(&law.sky.blur, 3, 5, 3, 0.33, NULL)))
        exit(1);
    law.beam = &beam;
    n_column = (law.crop_max - law.crop_min) * w->lon;
    strips = malloc(w->lon * iris_pair_strip(&law, VALUES) * sizeof *strips);
    column = malloc(2 * (n_column + w->lon * VALUES) * sizeof *column);
    observed = column + n_column;
    again = observed + w->lon * VALUES;
    if (iris_pair_part(&law, &columns, &observer, NULL, 0, w->lon, strips, NULL) ||
        iris_pair_finish(&law, VALUES, strips, again, again + n_column, NULL) ||
        iris_pair_make(&law, &columns, &observer, NULL, column, observed, NULL))
        exit(1);
    CHECK(!memcmp(column, again, (n_column + w->lon * VALUES) * sizeof *column),
          "%zu x %zu x %zu, beam %zu x %zu, %s, %s: the whole as a part", w->r, w->lon, w->lat,
          beam.lon.size, beam.lat.size, max ? "maximum" : "mean", blurred ? "blurred" : "sharp");
    for (step = least; step < w->lon && same; step++)
        same &= same_in_parts(&law, w, step, strips);
    CHECK(same, "any parts, %zu to %zu wide", least, step - 1);
    CHECK(iris_pair_margin(&law) == (max ? beam.lon.size / 2 : 0) + (blurred ? 2 : 0), "margin");
    free(strips);
    free(column);
    iris_beam_release(&beam);
}

static void
test_all_parts(void)
{
    static const struct world sizes[] = {{3, 40, 24, 0}, {3, 7, 5, 0}, {5, 3, 9, 0}};
    static const struct world deep = {1 << 14, 5, 13, 0}; /* bands of 8 and 5 latitudes */
    static const double fwhm[] = {(double)NAN, 0.2, 20};
    size_t i, f;
    int kind;

    for (kind = 0; kind < 4; kind++) {
        for (i = 0; i < sizeof sizes / sizeof sizes[0]; i++)
            for (f = 0; f < sizeof fwhm / sizeof fwhm[0]; f++)
                test_parts(&sizes[i], fwhm[f], kind & 1, kind >> 1, 1);
        test_parts(&deep, 1, kind & 1, kind >> 1, 3);
    }
}

/* ---- kernels ---- */

static void
test_main_preset(void)
{
    static const double row[] = {1.909054e-06, 1.808468e-03, 0.1104603708, 0.4350157976};
    struct iris_beam b;
    size_t i;

    iris_beam_init(&b, 30.0 / 3600, 512, 3, 128, 0.75, NULL);
    /* stated in single precision */
    CHECK(check_near(b.lon.sigma, 0.603962183, 6e-8) && check_near(b.lat.sigma, 0.603962183, 6e-8),
          "sigma of 30 arcsec in the main preset: %.9f", b.lon.sigma);
    CHECK(b.lon.size == 7 && b.lat.size == 7, "a kernel of 7 x 7");
    for (i = 0; i < 4; i++)
        CHECK(check_near(b.lon.weight[i] * b.lat.weight[3], row[i], 2e-6), "centre row, %zu", i);
    iris_beam_release(&b);
}

static void
test_golden(const char *shared, const char *file, double arcsec, size_t n_lon, size_t n_lat)
{
    struct iris_beam b;
    struct iris_npy npy;
    char path[4300];
    double worst = 0;
    size_t i, k;
    float v;

    snprintf(path, sizeof path, "%s/golden/%s", shared, file);
    iris_beam_init(&b, arcsec / 3600, 40, 3, 24, 0.75, NULL);
    CHECK(b.lon.size == n_lon && b.lat.size == n_lat, "%s: %zu x %zu", file, b.lon.size,
          b.lat.size);
    if (iris_npy_open(path, &npy, NULL))
        exit(1);
    for (i = 0; i < n_lon; i++)
        for (k = 0; k < n_lat; k++) {
            if (iris_npy_read_f32(&npy, i * n_lat + k, 1, &v, NULL))
                exit(1);
            worst = fmax(worst, fabs((double)v - b.lon.weight[i] * b.lat.weight[k]));
        }
    CHECK(worst < 3e-7, "the reference's kernel: %.1e", worst);
    iris_npy_close(&npy);
    iris_beam_release(&b);
}

int
main(void)
{
    const char *shared = check_shared();

    test_worlds();
    test_all_parts();
    test_main_preset();
    if (shared) {
        test_golden(shared, "kernel_beam1200.npy", 1200, 19, 23);
        test_golden(shared, "kernel_beam60.npy", 60, 1, 3);
    } else {
        check_skip("the reference's kernels", "no shared reference data");
    }
    return check_done();
}
