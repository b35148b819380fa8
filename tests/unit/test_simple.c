/* Blur, simple observer and pairs: against the reference's arrays, and against
 * direct sums over whole tensors written here. */
#include "check.h"

#include <stdint.h>

#include "blur.h"
#include "hyper.h"
#include "npy.h"
#include "pair.h"
#include "simd.h"
#include "simple.h"
#include "units.h"

static uint64_t random_state = 1;

static double
uniform(double lo, double hi)
{
    uint64_t z = random_state += UINT64_C(0x9E3779B97F4A7C15);

    z = (z ^ (z >> 30)) * UINT64_C(0xBF58476D1CE4E5B9);
    z = (z ^ (z >> 27)) * UINT64_C(0x94D049BB133111EB);
    return lo + (hi - lo) * (double)((z ^ (z >> 31)) >> 11) * 0x1p-53;
}

static void *
need(size_t bytes)
{
    void *p = calloc(bytes ? bytes : 1, 1);

    if (!p)
        exit(1);
    return p;
}

/* sqrt(sum (a - b)^2 / sum b^2) */
static double
rel_l2(const double *a, const double *b, size_t n)
{
    double difference = 0, size = 0;
    size_t i;

    for (i = 0; i < n; i++) {
        difference += (a[i] - b[i]) * (a[i] - b[i]);
        size += b[i] * b[i];
    }
    return sqrt(difference / size);
}

/* max |a - b| / max |b| */
static double
rel_max(const float *a, const double *b, size_t n)
{
    double difference = 0, size = 0;
    size_t i;

    for (i = 0; i < n; i++) {
        difference = fmax(difference, fabs((double)a[i] - b[i]));
        size = fmax(size, fabs(b[i]));
    }
    return difference / size;
}

/* ---- tensors, and what the library makes of them ---- */

struct tensor {
    size_t r, lon, lat;
    float *v, *rho, *x_H2; /* [r][lon][lat] */
};

static size_t
count_of(const struct tensor *t)
{
    return t->r * t->lon * t->lat;
}

/* A tensor as a source of columns; remembers what was asked. */
struct source {
    const struct tensor *t;
    size_t calls, fail_at, most_lat;
    int strange; /* something else than a pair needs was asked for */
};

static enum iris_status
get_column(void *self, const struct iris_tile *tile, float *const field[IRIS_FIELDS],
           struct iris_err *err)
{
    struct source *s = self;
    const struct tensor *t = s->t;
    const float *from[IRIS_FIELDS] = {
        [IRIS_V_R] = t->v, [IRIS_RHO] = t->rho, [IRIS_X_H2] = t->x_H2};
    size_t n_lat = tile->lat1 - tile->lat0, i, f;

    if (++s->calls == s->fail_at)
        return iris_fail(err, IRIS_E_DATA, "no more columns");
    s->most_lat = n_lat > s->most_lat ? n_lat : s->most_lat;
    s->strange |= tile->lon1 != tile->lon0 + 1 || tile->lat1 > t->lat || tile->r1 > t->r;
    for (f = 0; f < IRIS_FIELDS; f++) {
        s->strange |= field[f] && !from[f];
        for (i = tile->r0; i < tile->r1 && field[f] && from[f]; i++)
            memcpy(field[f] + (i - tile->r0) * n_lat,
                   from[f] + (i * t->lon + tile->lon0) * t->lat + tile->lat0,
                   n_lat * sizeof(float));
    }
    return IRIS_OK;
}

static struct tensor
tensor_new(size_t r, size_t lon, size_t lat)
{
    struct tensor t = {r, lon, lat, NULL, NULL, NULL};

    t.v = need(count_of(&t) * sizeof(float));
    t.rho = need(count_of(&t) * sizeof(float));
    t.x_H2 = need(count_of(&t) * sizeof(float));
    return t;
}

static struct tensor
tensor_random(size_t r, size_t lon, size_t lat)
{
    struct tensor t = tensor_new(r, lon, lat);
    size_t i;

    for (i = 0; i < count_of(&t); i++) {
        t.v[i] = (float)uniform(-1.5, 1.5);
        t.rho[i] = (float)exp(uniform(-3, 3));
        t.x_H2[i] = (float)uniform(0, 0.5);
    }
    return t;
}

static void
tensor_release(struct tensor *t)
{
    free(t->v);
    free(t->rho);
    free(t->x_H2);
}

/* The blurred velocity by way of iris_blur_column and iris_blur_across, with
 * whole columns. */
static double *
blurred(const struct iris_blur *b, const struct tensor *t)
{
    size_t n = t->r * t->lat, j, m, i, k;
    double *columns = need(count_of(t) * sizeof *columns), *row = need(n * sizeof *row);
    double *one = need(n * sizeof *one), *out = need(count_of(t) * sizeof *out);
    struct iris_column_part part = {t->r, t->lat, 0, t->lat, 0, t->lat, 0};
    float *in = need(n * sizeof *in);

    for (j = 0; j < t->lon; j++) {
        for (i = 0; i < t->r; i++)
            memcpy(in + i * t->lat, t->v + (i * t->lon + j) * t->lat, t->lat * sizeof *in);
        iris_blur_column(b, &part, in, row, columns + j * n);
    }
    for (j = 0; j < t->lon; j++) {
        const double *column[IRIS_BLUR_MAX];

        for (m = 0; m < b->n[1]; m++)
            column[m] = columns + iris_reflect((long)(j + m) - (long)(b->n[1] / 2), t->lon) * n;
        iris_blur_across(b, column, n, one);
        for (i = 0; i < t->r; i++) {
            for (k = 0; k < t->lat; k++)
                out[(i * t->lon + j) * t->lat + k] = one[i * t->lat + k];
        }
    }
    free(columns);
    free(row);
    free(one);
    free(in);
    return out;
}

/* ---- the same, directly ---- */

/* 0 1 2 3 | 2 1: walk the axis back and forth. */
static size_t
reflected(long i, size_t n)
{
    long period = 2 * ((long)n - 1);

    if (n == 1)
        return 0;
    i = (i % period + period) % period;
    return (size_t)(i < (long)n ? i : period - i);
}

struct kernel {
    size_t n[3];
    double sigma;
};

/* physics.md section 6, three dimensions at once. */
static double *
convolved(const struct kernel *kernel, const struct tensor *t)
{
    size_t size[3] = {t->r, t->lon, t->lat}, at, m, total, i;
    double *out = need(count_of(t) * sizeof *out), *weight, sum = 0;

    total = kernel->n[0] * kernel->n[1] * kernel->n[2];
    weight = need(total * sizeof *weight);
    for (m = 0; m < total; m++) {
        size_t index[3] = {m / kernel->n[2] / kernel->n[1], m / kernel->n[2] % kernel->n[1],
                           m % kernel->n[2]};

        weight[m] = 1;
        for (i = 0; i < 3; i++) {
            double a = (double)index[i] - (double)(kernel->n[i] / 2);

            weight[m] *= exp(-0.5 * pow(a / ((double)kernel->n[i] * kernel->sigma), 2));
        }
        sum += weight[m];
    }
    for (at = 0; at < count_of(t); at++) {
        size_t here[3] = {at / size[2] / size[1], at / size[2] % size[1], at % size[2]};

        for (m = 0; m < total; m++) {
            size_t index[3] = {m / kernel->n[2] / kernel->n[1], m / kernel->n[2] % kernel->n[1],
                               m % kernel->n[2]};
            size_t from[3];

            for (i = 0; i < 3; i++)
                from[i] = reflected((long)(here[i] + index[i]) - (long)(kernel->n[i] / 2), size[i]);
            out[at] += weight[m] / sum *
                       (double)t->v[(from[0] * size[1] + from[1]) * size[2] + from[2]];
        }
    }
    free(weight);
    return out;
}

/* physics.md section 15, drop as W8 wants it. */
static void
deposit(const struct iris_simple_law *law, double v, double rho, double *spectrum)
{
    double dv = (law->v_max - law->v_min) / (double)(law->v_steps - 1);
    double p = (v - law->v_min) / dv, last = (double)(law->v_steps - 1);
    double w = rho * law->dr / dv, inside = fmin(fmax(p, 0), last);
    size_t i = (size_t)fmin(floor(inside), last - 1);

    if (law->drop && (p <= -0.5 || p >= last + 0.5))
        return;
    spectrum[i] += w * (1 - (inside - (double)i));
    spectrum[i + 1] += w * (inside - (double)i);
}

/* The cube [lon][lat][v_steps]. */
static double *
cube_of(const struct iris_simple_law *law, const struct tensor *t, const double *v)
{
    double *cube = need(t->lon * t->lat * law->v_steps * sizeof *cube);
    size_t at;

    for (at = 0; at < count_of(t); at++)
        deposit(law, v[at], (double)t->rho[at], cube + at % (t->lon * t->lat) * law->v_steps);
    return cube;
}

static double *
reduced(const double *cube, size_t lon, size_t lat, size_t n_v, int max)
{
    double *out = need(lon * n_v * sizeof *out);
    size_t j, k, c;

    for (j = 0; j < lon; j++) {
        for (k = 0; k < lat; k++) {
            for (c = 0; c < n_v; c++) {
                double x = cube[(j * lat + k) * n_v + c], *to = &out[j * n_v + c];

                *to = max ? fmax(*to, x) : *to + x / (double)lat;
            }
        }
    }
    return out;
}

/* physics.md section 7. */
static double *
columnized(const struct tensor *t, size_t crop_min, size_t crop_max)
{
    double factor = 2.01568 / (1.00784 + 0.1 * 4.002602);
    double *out = need((crop_max - crop_min) * t->lon * sizeof *out);
    size_t i, j, k;

    for (i = crop_min; i < crop_max; i++) {
        for (j = 0; j < t->lon; j++) {
            for (k = 0; k < t->lat; k++) {
                size_t at = (i * t->lon + j) * t->lat + k;

                out[(i - crop_min) * t->lon + j] += (double)t->rho[at] * (double)t->x_H2[at] *
                                                    factor / (double)t->lat;
            }
        }
    }
    return out;
}

/* ---- blur ---- */

static struct iris_blur
blur_of(const struct kernel *k)
{
    struct iris_blur b;

    if (iris_blur_init(&b, k->n[0], k->n[1], k->n[2], k->sigma, NULL))
        exit(1);
    return b;
}

static void
test_kernel(void)
{
    struct kernel standard = {{3, 5, 3}, 0.33};
    struct iris_blur b = blur_of(&standard);
    const double *r = b.weight[0], *lon = b.weight[1], *lat = b.weight[2];
    struct iris_err err = {0};
    double sum;
    size_t i;

    /* physics.md section 16 item 8, nine digits of single precision */
    CHECK(check_near(r[1] * lon[2] * lat[1], 0.056972925, 3e-7), "kernel: centre");
    CHECK(check_near(r[0] * lon[2] * lat[1], 0.034206793, 3e-7) && r[0] == r[2], "kernel: r");
    CHECK(check_near(r[1] * lon[1] * lat[1], 0.047414184, 3e-7) && lon[1] == lon[3],
          "kernel: lon by one");
    CHECK(check_near(r[1] * lon[0] * lat[1], 0.027329240, 3e-7) && lon[0] == lon[4],
          "kernel: lon by two");
    CHECK(check_near(r[1] * lon[2] * lat[2], 0.034206793, 3e-7) && lat[0] == lat[2], "kernel: lat");
    CHECK(check_near(r[2] * lon[4] * lat[0], 0.009851791, 3e-7), "kernel: corner");
    CHECK(!iris_blur_init(&b, 1, 63, 7, 2, &err) && b.n[1] == 63, "the largest kernel");
    for (sum = 0, i = 0; i < 63; i++)
        sum += b.weight[1][i];
    CHECK(check_near(sum, 1, 1e-14) && b.weight[0][0] == 1, "weights sum to 1");
    CHECK(iris_blur_init(&b, 3, 4, 3, 0.33, &err) == IRIS_E_DATA && strstr(err.msg, "4"),
          "even kernels are refused: %s", err.msg);
    CHECK(iris_blur_init(&b, 0, 5, 3, 0.33, &err) == IRIS_E_DATA, "so is none");
    CHECK(iris_blur_init(&b, 3, 5, 1025, 0.33, &err) == IRIS_E_DATA, "and too large a one");
}

static void
test_reflect(void)
{
    size_t n;
    long i;
    int ok = 1;

    for (n = 2; n < 12; n++) {
        for (i = 1 - (long)n; i < 2 * (long)n - 1; i++)
            ok &= iris_reflect(i, n) == reflected(i, n);
    }
    CHECK(ok && iris_reflect(0, 1) == 0, "indices beyond the edges are reflected");
}

/* Every axis short and long, kernels that reach as far as they may. */
static void
test_blur(void)
{
    static const size_t sizes[] = {2, 3, 5, 8, 17};
    static const struct kernel kernels[] = {{{3, 1, 1}, 0.33}, {{1, 3, 1}, 0.33}, {{1, 1, 3}, 0.33},
                                            {{3, 3, 3}, 0.33}, {{3, 5, 3}, 0.33}, {{5, 5, 7}, 0.2},
                                            {{7, 1, 5}, 1},    {{9, 9, 9}, 3}};
    size_t a, b, c, k, done = 0;
    double worst = 0;

    for (k = 0; k < sizeof kernels / sizeof kernels[0]; k++) {
        struct iris_blur blur = blur_of(&kernels[k]);
        const size_t *n = kernels[k].n;

        for (a = 0; a < 5; a++) {
            for (b = 0; b < 5; b++) {
                for (c = 0; c < 5; c++) {
                    struct tensor t;
                    double *ours, *direct;

                    if (sizes[a] <= n[0] / 2 || sizes[b] <= n[1] / 2 || sizes[c] <= n[2] / 2 ||
                        (k == 7 && sizes[a] + sizes[b] + sizes[c] > 30))
                        continue;
                    t = tensor_random(sizes[a], sizes[b], sizes[c]);
                    ours = blurred(&blur, &t);
                    direct = convolved(&kernels[k], &t);
                    worst = fmax(worst, rel_l2(ours, direct, count_of(&t)));
                    done++;
                    free(ours);
                    free(direct);
                    tensor_release(&t);
                }
            }
        }
    }
    CHECK(worst < 1e-14, "blur is the direct convolution in %zu cases: %.1e", done, worst);
    {
        struct tensor t = tensor_random(4, 3, 2);
        struct iris_blur none;
        double *ours, same = 0;
        size_t i;

        iris_blur_none(&none);
        ours = blurred(&none, &t);
        for (i = 0; i < count_of(&t); i++)
            same = fmax(same, fabs(ours[i] - (double)t.v[i]));
        CHECK(same == 0, "no blur changes nothing");
        free(ours);
        tensor_release(&t);
    }
}

/* Part of a column gives what the whole gives there. */
static void
test_blur_parts(void)
{
    enum { R = 6, LAT = 13 };
    struct kernel kernel = {{3, 5, 5}, 0.33};
    struct iris_blur b = blur_of(&kernel);
    struct iris_column_part all = {R, LAT, 0, LAT, 0, LAT, 0};
    float in[R * LAT], cut[R * LAT];
    double row[R * LAT], whole[R * LAT], part[R * LAT];
    size_t first, n, i, k;
    int same = 1;

    for (i = 0; i < R * LAT; i++)
        in[i] = (float)uniform(-1, 1);
    iris_blur_column(&b, &all, in, row, whole);
    for (first = 0; first < LAT; first++) {
        for (n = 1; first + n <= LAT; n++) {
            size_t lo = first > 2 ? first - 2 : 0, hi = first + n + 2 < LAT ? first + n + 2 : LAT;
            struct iris_column_part some = {R, LAT, lo, hi - lo, first, n, 0};

            for (i = 0; i < R; i++)
                memcpy(cut + i * (hi - lo), in + i * LAT + lo, (hi - lo) * sizeof *in);
            iris_blur_column(&b, &some, cut, row, part);
            for (i = 0; i < R; i++) {
                for (k = 0; k < n; k++)
                    same &= part[i * n + k] == whole[i * LAT + first + k];
            }
        }
    }
    CHECK(same, "any part of the latitudes is blurred as in the whole");
}

/* ---- simple observer ---- */

static double
in_channel(const struct iris_simple_law *law, double v, size_t channel)
{
    double spectrum[5] = {0};
    float rho = 2;

    iris_simple_add(law, &v, 1, &rho, 1, 1, spectrum);
    return spectrum[channel];
}

/* Channels at -4 -2 0 2 4; a sample of 2 over a length of 3 is 3 per channel. */
static void
test_channels(void)
{
    struct iris_simple_law law = {.v_min = -4, .v_max = 4, .v_steps = 5, .dr = 3}, drop = law;
    double spectrum[5] = {0}, sum = 0, v[6] = {-4, 9, 9, 1, 9, 9};
    float rho[6] = {1, 9, 9, 4, 9, 9};
    size_t i;

    drop.drop = 1;
    CHECK(in_channel(&law, 0, 2) == 3 && in_channel(&law, 0, 1) == 0 && in_channel(&law, 0, 3) == 0,
          "a velocity on a channel is all there");
    CHECK(in_channel(&law, 0.5, 2) == 2.25 && in_channel(&law, 0.5, 3) == 0.75,
          "one between two is shared");
    CHECK(in_channel(&law, 4, 4) == 3 && in_channel(&law, -4, 0) == 3 &&
              in_channel(&drop, 4, 4) == 3 && in_channel(&drop, -4, 0) == 3,
          "the ends of the band");
    CHECK(in_channel(&law, 1e9, 4) == 3 && in_channel(&law, 1e9, 3) == 0 &&
              in_channel(&law, -1e9, 0) == 3 && in_channel(&law, -1e9, 1) == 0,
          "pile up: gas out of band is in the end channels");
    CHECK(in_channel(&drop, 4.99, 4) == 3 && in_channel(&drop, -4.99, 0) == 3,
          "drop: up to half a channel out of band it is kept");
    CHECK(in_channel(&drop, 5, 4) == 0 && in_channel(&drop, -5, 0) == 0 &&
              in_channel(&drop, 1e9, 4) == 0 && in_channel(&drop, -1e9, 0) == 0,
          "drop: from there on it is dropped");
    iris_simple_add(&law, v, 3, rho, 3, 2, spectrum);
    CHECK(spectrum[0] == 1.5 && spectrum[2] == 3 && spectrum[3] == 3, "samples with a stride");
    iris_simple_add(&law, v, 1, rho, 1, 1, spectrum);
    for (i = 0; i < 5; i++)
        sum += spectrum[i];
    CHECK(spectrum[0] == 3 && sum == 9, "spectra are added to");
    CHECK(
        check_near(iris_H2_mass_factor(2.01568, 1.00784, 4.002602, 0.1), 1.4314890374988938, 1e-15),
        "the factor from gas to H2");
}

/* physics.md section 16 item 14. */
static void
test_case_14(void)
{
    static const double expected[8] = {0, 0, 4.9902713e13, 7.0870148e13, 1.1028586e14, 1.4867132e14,
                                       0, 0};
    struct iris_simple_law law = {
        .v_min = -0.01, .v_max = 0.01, .v_steps = 8, .dr = 3.08567758128e11};
    double spectrum[8] = {0}, v[9], sum = 0, worst = 0;
    float rho[9];
    int i, j = 1, k = 2;

    for (i = 0; i < 9; i++) {
        v[i] = (double)(float)(0.004 * sin(.7 * i + .5 * j + .3 * k));
        rho[i] = (float)(2.3382052994109573e-9 * pow(10, 8 + .5 * cos(.4 * i + .2 * j - .3 * k)));
    }
    iris_simple_add(&law, v, 1, rho, 1, 9, spectrum);
    for (i = 0; i < 8; i++) {
        worst = fmax(worst, fabs(spectrum[i] - expected[i]) / 1.4867132e14);
        sum += spectrum[i];
    }
    CHECK(worst < 2e-7 && check_near(sum, 3.7973e14, 2e-5), "case 14: within %.1e of the peak",
          worst);
    CHECK(check_near(law.dr / (0.02 / 7), 1.07998714e14, 2e-8), "case 14: dr/dv");
}

/* Random spectra against the sum written here. */
static void
test_spectra(void)
{
    struct iris_simple_law law = {.v_min = -1, .v_max = 0.9, .v_steps = 23, .dr = 0.7};
    struct tensor t = tensor_random(40, 3, 5);
    double ours[23], worst = 0, *v = need(count_of(&t) * sizeof *v), *cube;
    size_t n = t.lon * t.lat, at, c;

    for (at = 0; at < count_of(&t); at++)
        v[at] = (double)t.v[at];
    for (law.drop = 0; law.drop < 2; law.drop++) {
        cube = cube_of(&law, &t, v);
        for (at = 0; at < n; at++) {
            memset(ours, 0, sizeof ours);
            iris_simple_add(&law, v + at, n, t.rho + at, n, t.r, ours);
            for (c = 0; c < 23; c++)
                worst = fmax(worst, fabs(ours[c] - cube[at * 23 + c]) / (1 + ours[c]));
        }
        free(cube);
    }
    CHECK(worst < 1e-13, "random spectra: %.1e", worst);
    free(v);
    tensor_release(&t);
}

/* ---- pairs ---- */

/* What a pair by the simple observer needs. */
struct simple_pair {
    struct iris_pair_law pair;
    struct iris_simple_law law;
    struct iris_beam beam;
};

static enum iris_status
make_pair(struct simple_pair *p, const struct iris_columns *columns, const struct iris_pause *pause,
          float *column, float *observed, struct iris_err *err)
{
    struct iris_observer observer = iris_observer_simple(&p->law);
    enum iris_status st;

    if (iris_beam_init(&p->beam, (double)NAN, p->pair.sky.lon_steps, 1, p->pair.sky.lat_steps, 1,
                       NULL))
        exit(1);
    p->pair.beam = &p->beam;
    p->pair.n_lines = 1;
    st = iris_pair_make(&p->pair, columns, &observer, pause, column, observed, err);
    iris_beam_release(&p->beam);
    return st;
}

struct pair {
    size_t n_column, n_observed;
    float *column, *observed;
};

static struct pair
pair_new(const struct simple_pair *p)
{
    struct pair out = {(p->pair.crop_max - p->pair.crop_min) * p->pair.sky.lon_steps,
                       p->pair.sky.lon_steps * p->law.v_steps, NULL, NULL};

    out.column = need(out.n_column * sizeof(float));
    out.observed = need(out.n_observed * sizeof(float));
    return out;
}

static void
pair_release(struct pair *p)
{
    free(p->column);
    free(p->observed);
}

static struct simple_pair
pair_law(const struct tensor *t, const struct kernel *kernel)
{
    struct simple_pair p = {
        .pair = {.sky = {.r_steps = t->r, .lon_steps = t->lon, .lat_steps = t->lat},
                 .crop_min = t->r / 3,
                 .crop_max = t->r - t->r / 4,
                 .H2_factor = iris_H2_mass_factor(2.01568, 1.00784, 4.002602, 0.1)},
        .law = {.v_min = -1, .v_max = 0.9, .v_steps = 20, .dr = 0.7},
    };

    p.pair.sky.blur = blur_of(kernel);
    return p;
}

/* Pairs of a tensor by the library and directly, all four ways; returns the
 * largest difference relative to the largest value. */
static double
pair_difference(const struct tensor *t, const struct kernel *kernel, size_t *most_lat)
{
    struct simple_pair p = pair_law(t, kernel);
    struct pair out = pair_new(&p);
    double *v = convolved(kernel, t), *column = columnized(t, p.pair.crop_min, p.pair.crop_max),
           worst = 0;
    int way;

    for (way = 0; way < 4; way++) {
        struct source source = {.t = t};
        struct iris_columns columns = {.get = get_column, .self = &source};
        double *cube, *observed;

        p.pair.max = way & 1;
        p.law.drop = way >> 1;
        cube = cube_of(&p.law, t, v);
        observed = reduced(cube, t->lon, t->lat, p.law.v_steps, p.pair.max);
        if (make_pair(&p, &columns, NULL, out.column, out.observed, NULL) || source.strange)
            worst = HUGE_VAL;
        worst = fmax(worst, rel_max(out.column, column, out.n_column));
        worst = fmax(worst, rel_max(out.observed, observed, out.n_observed));
        *most_lat = source.most_lat;
        free(cube);
        free(observed);
    }
    free(v);
    free(column);
    pair_release(&out);
    return worst;
}

static void
test_pairs(void)
{
    static const size_t sizes[][3] = {{2, 3, 2}, {5, 3, 2}, {3, 7, 5}, {9, 4, 3}, {20, 17, 11}};
    static const struct kernel kernels[] = {
        {{1, 1, 1}, 0.33}, {{3, 5, 3}, 0.33}, {{3, 1, 3}, 0.33}, {{1, 3, 1}, 0.5}};
    size_t i, k, most_lat;
    double worst = 0;

    for (i = 0; i < sizeof sizes / sizeof sizes[0]; i++) {
        struct tensor t = tensor_random(sizes[i][0], sizes[i][1], sizes[i][2]);

        for (k = 0; k < sizeof kernels / sizeof kernels[0]; k++)
            worst = fmax(worst, pair_difference(&t, &kernels[k], &most_lat));
        tensor_release(&t);
    }
    CHECK(worst < 1.2e-7, "small pairs are as computed here: %.1e", worst);
}

/* So many distances that latitudes are walked in bands: of 8 samples, the
 * last one of 1 or 3, with margins of up to 3. */
static void
test_bands(void)
{
    static const struct {
        size_t lat;
        struct kernel kernel;
    } cases[] = {{17, {{3, 5, 3}, 0.33}}, {17, {{1, 1, 7}, 0.33}}, {11, {{3, 3, 5}, 0.33}}};
    size_t i, most_lat;

    for (i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        struct tensor t = tensor_random(1 << 15, 3, cases[i].lat);
        double worst = pair_difference(&t, &cases[i].kernel, &most_lat);

        CHECK(most_lat < cases[i].lat, "%zu latitudes: %zu at a time", cases[i].lat, most_lat);
        CHECK(worst < 1.2e-7, "bands make no difference: %.1e", worst);
        tensor_release(&t);
    }
}

static int
stop_after(void *self)
{
    size_t *left = self;

    return (*left)-- == 0;
}

static void
test_stops(void)
{
    struct kernel kernel = {{3, 5, 3}, 0.33};
    struct tensor t = tensor_random(4, 6, 3);
    struct simple_pair p = pair_law(&t, &kernel);
    struct pair out = pair_new(&p);
    struct source source = {.t = &t};
    struct iris_columns columns = {.get = get_column, .self = &source};
    struct iris_err err = {0};
    size_t left, at;
    struct iris_pause pause = {stop_after, &left};
    int stopped = 1;

    for (at = 0; at < t.lon; at++) {
        left = at;
        stopped &= make_pair(&p, &columns, &pause, out.column, out.observed, &err) == IRIS_E_RETRY;
    }
    CHECK(stopped, "pause stops the work: %s", err.msg);
    left = t.lon;
    CHECK(!make_pair(&p, &columns, &pause, out.column, out.observed, &err),
          "pause is asked once a column");
    source.calls = 0;
    source.fail_at = 3;
    CHECK(make_pair(&p, &columns, NULL, out.column, out.observed, &err) == IRIS_E_DATA &&
              !strcmp(err.msg, "no more columns"),
          "what the source says is passed on");
    pair_release(&out);
    tensor_release(&t);
}

/* A pair straight from a sampler is that of the sampler's tensor, however many
 * longitudes are sampled at a time. */
static void
test_of_sampler(void)
{
    struct iris_view_law law = {0, 1, 3, 2, 4, -10, 10, -8, 8, 12, 27, 5};
    struct iris_perturbation none;
    struct iris_sampler sampler;
    struct iris_cells cells;
    struct iris_view view;
    static const size_t many[] = {1, 2, 3, 8, 27, 40}, wide[] = {1, 5, 13, 27};
    struct kernel kernel = {{3, 5, 3}, 0.33};
    struct tensor t = tensor_new(12, 27, 5);
    float *field[IRIS_FIELDS] = {[IRIS_V_R] = t.v, [IRIS_RHO] = t.rho, [IRIS_X_H2] = t.x_H2};
    struct iris_tile all = {.r1 = 12, .lon1 = 27, .lat1 = 5};
    struct source source = {.t = &t};
    struct iris_columns stored = {.get = get_column, .self = &source}, live;
    struct simple_pair p = pair_law(&t, &kernel);
    struct pair a = pair_new(&p), b = pair_new(&p);
    size_t i, k;
    int same = 1;

    if (iris_cells_new(&cells, 500, NULL))
        exit(1);
    for (i = 0; i < cells.n; i++) {
        cells.x[i] = uniform(-1, 1);
        cells.y[i] = uniform(-1, 1);
        cells.z[i] = uniform(-1, 1);
        cells.gas[i] = (struct iris_gas){{(float)uniform(-1, 1), 0.5f, 0},
                                         (float)uniform(1, 5),
                                         10,
                                         (float)uniform(0, 0.5),
                                         0,
                                         0};
    }
    if (iris_cells_index(&cells, NULL))
        exit(1);
    iris_perturb_none(&none);
    iris_view_init(&view, &law, (double)NAN, (double)NAN, 1);
    iris_sampler_init(&sampler, &cells, &view, &none);
    CHECK(!iris_sampler_tile(&sampler, &all, field, NULL), "a tensor from a sampler");
    sampler.kernels = iris_kernels_best();
    live = iris_columns_of_sampler(&sampler);
    for (k = 0; k < sizeof wide / sizeof wide[0]; k++) {
        kernel.n[1] = wide[k];
        p.pair.sky.blur = blur_of(&kernel);
        same &= !make_pair(&p, &stored, NULL, a.column, a.observed, NULL);
        for (i = 0; i < sizeof many / sizeof many[0]; i++) {
            live.many = many[i];
            same &= !make_pair(&p, &live, NULL, b.column, b.observed, NULL) &&
                    !memcmp(a.column, b.column, a.n_column * sizeof(float)) &&
                    !memcmp(a.observed, b.observed, a.n_observed * sizeof(float));
        }
    }
    CHECK(same, "a pair from a sampler is that of its tensor");
    pair_release(&a);
    pair_release(&b);
    tensor_release(&t);
    iris_cells_release(&cells);
}

/* ---- the reference's arrays ---- */

struct golden {
    struct iris_settings s;
    struct tensor t;
    struct iris_simple_law law;
    double *plain, *blurred; /* cubes */
};

static double *
golden_array(const char *shared, const char *name, size_t count)
{
    double *out = need(count * sizeof *out);
    struct iris_npy a;
    char path[4300];
    int ok;

    snprintf(path, sizeof path, "%s/golden/%s", shared, name);
    ok = !iris_npy_open(path, &a, NULL);
    ok = ok && a.count == count && !iris_npy_read_f64(&a, 0, count, out, NULL);
    iris_npy_close(&a);
    if (!CHECK(ok, "%s is read", name))
        exit(1);
    return out;
}

static void
golden_read(const char *shared, struct golden *g)
{
    struct iris_unit_system units;
    struct iris_hyper *h = NULL;
    char path[4300];
    double *tensor;
    size_t n, i;

    snprintf(path, sizeof path, "%s/golden/hyper_s1.json", shared);
    if (!CHECK(!iris_hyper_read(path, &h, NULL), "hyper_s1.json is read"))
        exit(1);
    iris_hyper_settings(h, &g->s);
    iris_hyper_free(h);
    g->t = tensor_new((size_t)g->s.coordinate.r_steps, (size_t)g->s.coordinate.lon_steps,
                      (size_t)g->s.coordinate.lat_steps);
    n = count_of(&g->t);
    tensor = golden_array(shared, "phys_s1_t0.npy", 6 * n);
    for (i = 0; i < n; i++) {
        g->t.v[i] = (float)tensor[i];
        g->t.rho[i] = (float)tensor[n + i];
        g->t.x_H2[i] = (float)tensor[3 * n + i];
    }
    free(tensor);
    iris_units_processing(g->s.writer.length_cm, g->s.writer.mass_g, g->s.writer.velocity_cm_per_s,
                          g->s.writer.temperature_K, g->s.dataset.meters_per_parsec, &units);
    g->law = (struct iris_simple_law){.v_min = g->s.cube.v_min * 1000 * iris_units_velocity(&units),
                                      .v_max = g->s.cube.v_max * 1000 * iris_units_velocity(&units),
                                      .v_steps = (size_t)g->s.cube.v_steps,
                                      .dr = (g->s.coordinate.r_max - g->s.coordinate.r_min) /
                                            (double)(g->t.r - 1) * units.parsec};
    n = g->t.lon * g->t.lat * g->law.v_steps;
    g->plain = golden_array(shared, "simple_s1_t0_f64.npy", n);
    g->blurred = golden_array(shared, "simple_s1_t0_blur_f64.npy", n);
}

static struct kernel
golden_kernel(const struct golden *g)
{
    struct kernel k = {{(size_t)g->s.observer.blur_kernel_r, (size_t)g->s.observer.blur_kernel_lon,
                        (size_t)g->s.observer.blur_kernel_lat},
                       g->s.observer.blur_sigma};

    return k;
}

static void
test_golden_kernel(const char *shared, const struct golden *g)
{
    double *expected = golden_array(shared, "kernel_velocity.npy", 45), worst = 0;
    struct kernel kernel = golden_kernel(g);
    struct iris_blur b = blur_of(&kernel);
    size_t i;

    for (i = 0; i < 45; i++)
        worst = fmax(worst, fabs(b.weight[0][i / 15] * b.weight[1][i / 3 % 5] * b.weight[2][i % 3] /
                                     expected[i] -
                                 1));
    CHECK(worst <= 3e-7, "the reference's kernel: %.1e", worst);
    free(expected);
}

/* Ray by ray. */
static void
test_golden_cube(const struct golden *g, const double *golden, int blur)
{
    size_t n = g->t.lon * g->t.lat, n_v = g->law.v_steps, at;
    double *cube = need(n * n_v * sizeof *cube), l2;
    struct kernel kernel = golden_kernel(g);
    struct iris_blur b = blur_of(&kernel);
    double *v;

    if (!blur)
        iris_blur_none(&b);
    v = blurred(&b, &g->t);
    for (at = 0; at < n; at++)
        iris_simple_add(&g->law, v + at, n, g->t.rho + at, n, g->t.r, cube + at * n_v);
    l2 = rel_l2(cube, golden, n * n_v);
    CHECK(l2 <= 1e-12, "the reference's simple cube %s blur: relL2 %.1e", blur ? "with" : "without",
          l2);
    free(v);
    free(cube);
}

static void
test_golden_pair(const struct golden *g, const double *golden, int blur, int max)
{
    struct kernel kernel = golden_kernel(g);
    struct simple_pair p = pair_law(&g->t, &kernel);
    struct source source = {.t = &g->t};
    struct iris_columns columns = {.get = get_column, .self = &source};
    double *observed = reduced(golden, g->t.lon, g->t.lat, g->law.v_steps, max), *column;
    struct pair out;
    double a, b;

    p.law = g->law;
    p.pair.max = max;
    p.pair.crop_min = blur ? 5 : 0;
    p.pair.crop_max = blur ? 41 : g->t.r;
    if (!blur)
        iris_blur_none(&p.pair.sky.blur);
    column = columnized(&g->t, p.pair.crop_min, p.pair.crop_max);
    out = pair_new(&p);
    CHECK(!make_pair(&p, &columns, NULL, out.column, out.observed, NULL) && !source.strange,
          "a pair of the reference's tensor");
    a = rel_max(out.observed, observed, out.n_observed);
    b = rel_max(out.column, column, out.n_column);
    CHECK(a < 1e-6 && b < 1e-6, "%s %s blur: observed %.1e, column %.1e", max ? "max" : "mean",
          blur ? "with" : "without", a, b);
    pair_release(&out);
    free(observed);
    free(column);
}

static void
test_golden(const char *shared)
{
    struct golden g;

    golden_read(shared, &g);
    test_golden_kernel(shared, &g);
    test_golden_cube(&g, g.plain, 0);
    test_golden_cube(&g, g.blurred, 1);
    test_golden_pair(&g, g.plain, 0, 0);
    test_golden_pair(&g, g.plain, 0, 1);
    test_golden_pair(&g, g.blurred, 1, 0);
    test_golden_pair(&g, g.blurred, 1, 1);
    tensor_release(&g.t);
    free(g.plain);
    free(g.blurred);
}

int
main(void)
{
    const char *shared = check_shared();

    test_kernel();
    test_reflect();
    test_blur();
    test_blur_parts();
    test_channels();
    test_case_14();
    test_spectra();
    test_pairs();
    test_bands();
    test_stops();
    test_of_sampler();
    if (shared)
        test_golden(shared);
    else
        check_skip("the reference's arrays", "no shared reference data");
    return check_done();
}
