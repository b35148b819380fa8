/* Cubes as .npy and .fits: what is put in any order is there after commit. */
#include "check.h"

#include <fcntl.h>
#include <fitsio.h>
#include <signal.h>
#include <stdint.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <unistd.h>

#include "cube.h"
#include "fits.h"
#include "npy.h"

static char scratch[512], npy[600], fits[600], other[700];

static const char *const names[] = {"13CO 2-1", "C18O 'wing' \xc3\xa9", "HCN\t1-0"};
static const double frequencies[] = {220398684200.0, 219560354100.0, 88631602300.0};
static const char *const history[] = {"settings 0123", "one more"};

static struct iris_cube_law
law_of(size_t n_lines, size_t n_lon, size_t n_lat, size_t n_v)
{
    return (struct iris_cube_law){.n_lines = n_lines,
                                  .n_lon = n_lon,
                                  .n_lat = n_lat,
                                  .n_v = n_v,
                                  .lon_min = -1.5,
                                  .lon_max = 1.25,
                                  .lat_min = -0.25,
                                  .lat_max = 0.5,
                                  .v_min = -30,
                                  .v_max = 70,
                                  .unit = "K",
                                  .quantity = "Trj",
                                  .rest_frequency = frequencies,
                                  .line_name = names,
                                  .beam_fwhm = 0.01,
                                  .history = history,
                                  .n_history = 2};
}

/* A value that no two pixels nearby share; one is not a number. */
static float
value(const struct iris_cube_law *w, size_t line, size_t lon, size_t lat, size_t v)
{
    if (lon == 1 && lat == 1 && v == 2)
        return NAN;
    return (float)((((line * w->n_lon + lon) * w->n_lat + lat) * w->n_v + v) % 16000057);
}

static int
put_box(struct iris_cube *c, const struct iris_cube_law *w, size_t lon, size_t lat0, size_t n_lat)
{
    float *spectra = malloc((n_lat ? n_lat : 1) * w->n_lines * w->n_v * sizeof *spectra);
    struct iris_err err = {0};
    size_t i, line, v;
    int st;

    for (i = 0; i < n_lat; i++)
        for (line = 0; line < w->n_lines; line++)
            for (v = 0; v < w->n_v; v++)
                spectra[(i * w->n_lines + line) * w->n_v + v] = value(w, line, lon, lat0 + i, v);
    st = (int)iris_cube_put(c, lon, lat0, n_lat, spectra, &err);
    free(spectra);
    return st;
}

enum order { COLUMNS, BACKWARDS, BOXES, TWICE };

static int
put_all(struct iris_cube *c, const struct iris_cube_law *w, enum order order)
{
    size_t i, lon, half = w->n_lat / 2;
    int bad = 0;

    for (i = 0; i < w->n_lon; i++) {
        lon = order == COLUMNS ? i : w->n_lon - 1 - i;
        if (order == BOXES) {
            bad |= put_box(c, w, lon, half, w->n_lat - half);
            bad |= put_box(c, w, i, 0, half);
            bad |= put_box(c, w, i, half, 0);
        } else {
            bad |= put_box(c, w, lon, 0, w->n_lat);
        }
    }
    return order == TWICE ? bad | put_all(c, w, COLUMNS) : bad;
}

static int
make(const char *path, const struct iris_cube_law *w, enum order order)
{
    struct iris_err err = {0};
    struct iris_cube c;
    int bad;

    bad = (int)iris_cube_open(&c, path, w, &err);
    if (!bad)
        bad = put_all(&c, w, order);
    bad = bad || iris_cube_commit(&c, &err);
    if (bad)
        printf("# %s\n", err.msg);
    iris_cube_abort(&c);
    return bad;
}

static int
same_files(const char *a, const char *b)
{
    struct iris_buf one = {0}, two = {0};
    int same = !iris_read_file(a, 1 << 28, &one, NULL) && !iris_read_file(b, 1 << 28, &two, NULL) &&
               one.len == two.len && !memcmp(one.data, two.data, one.len);

    iris_buf_release(&one);
    iris_buf_release(&two);
    return same;
}

/* Pixels of an array [line][lon][lat][v] or, turned, of one line
 * [v][lat][lon], that are not what they should be. */
static size_t
wrong(const struct iris_cube_law *w, const float *got, size_t line0, size_t n_lines, int turned)
{
    size_t line, lon, lat, v, at, n = 0;
    float want;

    for (line = line0; line < line0 + n_lines; line++)
        for (lon = 0; lon < w->n_lon; lon++)
            for (lat = 0; lat < w->n_lat; lat++)
                for (v = 0; v < w->n_v; v++) {
                    at = turned ? (v * w->n_lat + lat) * w->n_lon + lon
                                : ((line * w->n_lon + lon) * w->n_lat + lat) * w->n_v + v;
                    want = value(w, line, lon, lat, v);
                    if (isnan(want) ? !isnan(got[at]) : got[at] < want || !(got[at] <= want))
                        n++;
                }
    return n;
}

static int
right_npy(const struct iris_cube_law *w)
{
    struct iris_shape shape = {4, {w->n_lines, w->n_lon, w->n_lat, w->n_v}};
    float *data = NULL;
    struct iris_npy a;
    int right = 0;

    if (!iris_npy_open(npy, &a, NULL) && a.item == 4 && iris_shape_equal(&a.shape, &shape)) {
        data = malloc(a.count * sizeof *data);
        right = !iris_npy_read_f32(&a, 0, a.count, data, NULL) && !wrong(w, data, 0, w->n_lines, 0);
    }
    free(data);
    iris_npy_close(&a);
    return right;
}

static int
right_image(fitsfile *f, const struct iris_cube_law *w, size_t line)
{
    size_t count = w->n_lon * w->n_lat * w->n_v;
    float *data = malloc(count * sizeof *data);
    int hdu, status = 0, bitpix = 0, axes = 0, any = 0, right;
    LONGLONG size[3] = {0}, first[3] = {1, 1, 1};

    fits_movabs_hdu(f, (int)line + 1, &hdu, &status);
    fits_get_img_paramll(f, 3, &bitpix, &axes, size, &status);
    right = !status && hdu == IMAGE_HDU && bitpix == FLOAT_IMG && axes == 3 &&
            size[0] == (LONGLONG)w->n_lon && size[1] == (LONGLONG)w->n_lat &&
            size[2] == (LONGLONG)w->n_v;
    fits_read_pixll(f, TFLOAT, first, (LONGLONG)count, NULL, data, &any, &status);
    right = right && !status && !wrong(w, data, line, 1, 1);
    free(data);
    return right;
}

static int
right_fits(const struct iris_cube_law *w)
{
    int status = 0, hdus = 0, right;
    struct stat sb;
    fitsfile *f = NULL;
    size_t line;

    fits_open_file(&f, fits, READONLY, &status);
    fits_get_num_hdus(f, &hdus, &status);
    right = !status && hdus == (int)w->n_lines && !stat(fits, &sb) && sb.st_size % 2880 == 0;
    for (line = 0; right && line < w->n_lines; line++)
        right = right_image(f, w, line);
    if (f)
        fits_close_file(f, &status);
    return right && !status;
}

/* The last three do not fit into one block that is turned, in every way. */
static const size_t sizes[][4] = {
    {1, 7, 5, 11},      {3, 7, 5, 11},     {1, 1, 1, 1},      {2, 1, 3, 1},     {2, 40, 33, 18},
    {1, 1100, 3, 1030}, {1, 2, 3, 400000}, {1, 900000, 3, 2}, {1, 4, 70000, 9},
};

static void
test_sizes(void)
{
    size_t i;

    for (i = 0; i < sizeof sizes / sizeof sizes[0]; i++) {
        struct iris_cube_law w = law_of(sizes[i][0], sizes[i][1], sizes[i][2], sizes[i][3]);

        CHECK(!make(npy, &w, COLUMNS) && right_npy(&w), "(%zu, %zu, %zu, %zu) as .npy", w.n_lines,
              w.n_lon, w.n_lat, w.n_v);
        CHECK(!make(fits, &w, COLUMNS) && right_fits(&w), "and as .fits");
    }
}

static void
test_orders(void)
{
    static const char *const what[] = {"columns", "backwards", "boxes from both ends", "twice"};
    struct iris_cube_law w = law_of(2, 40, 33, 18);
    enum order o;

    make(npy, &w, COLUMNS);
    make(fits, &w, COLUMNS);
    for (o = COLUMNS; o <= TWICE; o++) {
        snprintf(other, sizeof other, "%s/other.npy", scratch);
        CHECK(!make(other, &w, o) && same_files(npy, other), "%s: the same .npy", what[o]);
        unlink(other);
        snprintf(other, sizeof other, "%s/other.fit", scratch);
        CHECK(!make(other, &w, o) && same_files(fits, other), "the same .fits, named .fit");
        unlink(other);
    }
}

static double
number(fitsfile *f, const char *key)
{
    int status = 0;
    double v = 0;

    fits_read_key_dbl(f, key, &v, NULL, &status);
    return status ? (double)NAN : v;
}

static int
text_is(fitsfile *f, const char *key, const char *want)
{
    char v[FLEN_VALUE] = "";
    int status = 0;

    fits_read_key_str(f, key, v, NULL, &status);
    if (status || strcmp(v, want))
        printf("# %s is '%s'\n", key, v);
    return !status && !strcmp(v, want);
}

static int
absent(fitsfile *f, const char *key)
{
    char card[FLEN_CARD];
    int status = 0;

    return fits_read_card(f, key, card, &status) == KEY_NO_EXIST;
}

static int
has_card(fitsfile *f, const char *want)
{
    int status = 0, n = 0, i;
    char card[FLEN_CARD];

    fits_get_hdrspace(f, &n, NULL, &status);
    for (i = 1; i <= n; i++)
        if (!fits_read_record(f, i, card, &status) && strstr(card, want))
            return 1;
    return 0;
}

static fitsfile *
open_header(const struct iris_cube_law *w, int hdu)
{
    int status = 0, type;
    fitsfile *f = NULL;

    if (make(fits, w, COLUMNS) || fits_open_file(&f, fits, READONLY, &status) ||
        fits_movabs_hdu(f, hdu, &type, &status))
        exit(2);
    return f;
}

static void
test_header(void)
{
    struct iris_cube_law w = law_of(3, 12, 4, 11);
    fitsfile *f = open_header(&w, 1);
    int status = 0, type;

    CHECK(text_is(f, "CTYPE1", "GLON-CAR") && text_is(f, "CTYPE2", "GLAT-CAR") &&
              text_is(f, "CUNIT1", "deg") && text_is(f, "CUNIT2", "deg"),
          "galactic coordinates in degrees");
    CHECK(fabs(number(f, "CRVAL1")) <= 0 && fabs(number(f, "CRVAL2")) <= 0 &&
              check_near(number(f, "CDELT1"), 0.25, 1e-14) &&
              check_near(number(f, "CDELT2"), 0.25, 1e-14) &&
              check_near(number(f, "CRPIX1"), 7, 1e-14) &&
              check_near(number(f, "CRPIX2"), 2, 1e-14),
          "the first pixel is at the least labels");
    CHECK(text_is(f, "CTYPE3", "VRAD") && text_is(f, "CUNIT3", "m/s") &&
              check_near(number(f, "CRVAL3"), -30e3, 1e-14) &&
              check_near(number(f, "CRPIX3"), 1, 1e-14) &&
              check_near(number(f, "CDELT3"), 10e3, 1e-14),
          "velocities in m/s");
    CHECK(check_near(number(f, "RESTFRQ"), frequencies[0], 1e-14) &&
              text_is(f, "EXTNAME", "13CO 2-1"),
          "the first line");
    CHECK(text_is(f, "BUNIT", "K") && text_is(f, "BTYPE", "Trj") && text_is(f, "ORIGIN", "iris") &&
              text_is(f, "CREATOR", "iris"),
          "what the values are");
    CHECK(check_near(number(f, "BMAJ"), 0.01, 1e-14) &&
              check_near(number(f, "BMIN"), 0.01, 1e-14) && fabs(number(f, "BPA")) <= 0,
          "a round beam");
    CHECK(has_card(f, "positive velocities are") && has_card(f, "no SPECSYS") &&
              has_card(f, "HISTORY settings 0123") && has_card(f, "HISTORY one more"),
          "comments and history");
    CHECK(absent(f, "DATE") && absent(f, "SPECSYS"), "no date, no frame of rest");
    fits_movabs_hdu(f, 2, &type, &status);
    CHECK(check_near(number(f, "RESTFRQ"), frequencies[1], 1e-14) &&
              text_is(f, "EXTNAME", "C18O 'wing'"),
          "the second line; a quote is kept, what is not ASCII is not");
    fits_movabs_hdu(f, 3, &type, &status);
    CHECK(!status && text_is(f, "EXTNAME", "HCN 1-0"), "the third line");
    fits_close_file(f, &status);
}

static void
test_map_header(void)
{
    struct iris_fits_map map = {.axis = {{.type = "GLON-CAR", .unit = "deg", .step = 1, .n = 4},
                                         {.type = "DISTANCE", .unit = "pc", .step = NAN, .n = 3}},
                                .name = "COLUMN"};
    struct iris_buf text = {0};
    struct iris_err err = {0};

    CHECK(iris_fits_map_header(&map, 0, &text, &err) == IRIS_E_DATA && !text.len &&
              strstr(err.msg, "an axis of a map is not finite"),
          "a map needs places");
    iris_buf_release(&text);
}

static void
test_bare_header(void)
{
    struct iris_cube_law w = law_of(1, 1, 2, 1);
    int status = 0;
    fitsfile *f;

    w.unit = NULL;
    w.quantity = NULL;
    w.beam_fwhm = (double)NAN;
    w.n_history = 0;
    w.lon_max = w.lon_min;
    f = open_header(&w, 1);
    CHECK(absent(f, "BUNIT") && has_card(f, "units of processing") && absent(f, "BTYPE") &&
              absent(f, "BMAJ") && absent(f, "BPA") && absent(f, "HISTORY"),
          "what is not known is not said");
    CHECK(check_near(number(f, "CDELT1"), 1, 1e-14) &&
              check_near((1 - number(f, "CRPIX1")) * number(f, "CDELT1"), -1.5, 1e-14) &&
              check_near(number(f, "CRVAL3"), -30e3, 1e-14) && number(f, "CDELT3") > 0,
          "a single pixel is at the least label");
    fits_close_file(f, &status);
}

static void
test_units(void)
{
    CHECK(!strcmp(iris_cube_unit("Trj K", 2), "K") && !strcmp(iris_cube_unit("Tb K", 2), "K") &&
              !strcmp(iris_cube_unit("I Jy per Sr", 2), "Jy/sr"),
          "units that have a name");
    CHECK(!strcmp(iris_cube_unit("Trj", 1), "K") && !strcmp(iris_cube_unit("Tb", 1), "K") &&
              !iris_cube_unit("Trj", 2) && !iris_cube_unit("Tb", 0.5) && !iris_cube_unit("I", 1),
          "units of processing are those where they are");
}

static int
nothing_at(const char *path)
{
    char tmp[700];

    snprintf(tmp, sizeof tmp, "%s.tmp", path);
    return access(path, F_OK) && access(tmp, F_OK);
}

static void
test_ends(void)
{
    struct iris_cube_law w = law_of(2, 4, 3, 5), smaller = law_of(2, 4, 3, 4);
    const char *const paths[] = {npy, fits};
    struct iris_err err = {0};
    struct iris_cube c = {0};
    float nothing = 7;
    size_t i;

    iris_cube_abort(&c);
    CHECK(fcntl(0, F_GETFD) >= 0, "a cube that was never open is given up");
    CHECK(iris_cube_commit(&c, &err) == IRIS_E_BUG, "but not published");
    for (i = 0; i < 2; i++) {
        unlink(paths[i]);
        CHECK(!iris_cube_open(&c, paths[i], &w, &err) && !put_all(&c, &w, COLUMNS) &&
                  access(paths[i], F_OK),
              "nothing is there before commit");
        CHECK(iris_cube_put(&c, 4, 0, 1, &nothing, &err) == IRIS_E_BUG &&
                  iris_cube_put(&c, 0, 3, 1, &nothing, &err) == IRIS_E_BUG &&
                  iris_cube_put(&c, 0, 2, SIZE_MAX, &nothing, &err) == IRIS_E_BUG,
              "nothing is put outside");
        iris_cube_abort(&c);
        CHECK(nothing_at(paths[i]), "given up, nothing is left");
        iris_cube_abort(&c);
        CHECK(!make(paths[i], &w, COLUMNS) && !iris_cube_open(&c, paths[i], &smaller, &err) &&
                  !put_all(&c, &smaller, COLUMNS),
              "a file that is there");
        iris_cube_abort(&c);
        CHECK(i ? right_fits(&w) : right_npy(&w), "stays when another is given up");
    }
}

/* What was never put is 0, also where a killed run left a longer file. */
static void
test_holes(void)
{
    struct iris_cube_law w = law_of(1, 4, 3, 5);
    struct iris_err err = {0};
    float data[60], sum = 0;
    struct iris_cube c;
    struct iris_npy a;
    int status = 0, any;
    fitsfile *f = NULL;
    size_t i;

    snprintf(other, sizeof other, "%s.tmp", npy);
    iris_write_file(other, "something that is longer than it should be", 42, NULL);
    CHECK(!iris_cube_open(&c, npy, &w, &err) && !put_box(&c, &w, 3, 1, 1) &&
              !iris_cube_commit(&c, &err) && !iris_npy_open(npy, &a, &err) &&
              !iris_npy_read_f32(&a, 0, 60, data, &err),
          ".npy of one spectrum");
    for (i = 0; i < 60; i++)
        sum += data[i];
    CHECK(check_near((double)sum, 50 + 51 + 52 + 53 + 54, 1e-7), "is 0 elsewhere");
    iris_npy_close(&a);
    CHECK(!iris_cube_open(&c, fits, &w, &err) && !put_box(&c, &w, 3, 1, 1) &&
              !iris_cube_commit(&c, &err) && !fits_open_file(&f, fits, READONLY, &status) &&
              !fits_read_img(f, TFLOAT, 1, 60, NULL, data, &any, &status),
          ".fits of one spectrum");
    for (i = 0, sum = 0; i < 60; i++)
        sum += data[i];
    CHECK(check_near((double)sum, 50 + 51 + 52 + 53 + 54, 1e-7), "is 0 elsewhere");
    fits_close_file(f, &status);
}

static void
refused(const char *what, const char *path, const struct iris_cube_law *w, enum iris_status wanted,
        const char *says)
{
    struct iris_err err = {0};
    struct iris_cube c;

    if (!CHECK(iris_cube_open(&c, path, w, &err) == wanted && strstr(err.msg, says) &&
                   nothing_at(path),
               "%s: refused", what))
        printf("# %s\n", err.msg);
    iris_cube_abort(&c);
}

static void
test_refused(void)
{
    const struct iris_cube_law good = law_of(2, 4, 3, 5);
    const double bad_frequencies[] = {220398684200.0, 0};
    struct iris_cube_law w = good;

    unlink(npy);
    unlink(fits);
    snprintf(other, sizeof other, "%s/cube.hdf5", scratch);
    refused("another extension", other, &w, IRIS_E_USAGE, ".npy nor a .fits");
    refused("no extension", "npy", &w, IRIS_E_USAGE, "'npy' is neither");
    refused("a place that does not exist", "/nonexistent/a.fits", &w, IRIS_E_IO, "cannot create");
    w.n_v = 0;
    refused("no channel", npy, &w, IRIS_E_DATA, "(2, 4, 3, 0) is empty");
    w.n_v = SIZE_MAX / 24;
    refused("more than fits into a size", fits, &w, IRIS_E_DATA, "is too large");
    w.n_v = SIZE_MAX / 500;
    refused("more than fits into an offset", npy, &w, IRIS_E_DATA, "is too large");
    w = good;
    w.lon_max = w.lon_min;
    refused("longitudes that stand still", fits, &w, IRIS_E_DATA, "longitudes of a cube do not");
    w = good;
    w.lat_max = -1;
    refused("latitudes that fall", fits, &w, IRIS_E_DATA, "latitudes of a cube do not");
    w = good;
    w.v_min = (double)NAN;
    refused("velocities that are not", fits, &w, IRIS_E_DATA, "velocities of a cube do not");
    w = good;
    w.rest_frequency = bad_frequencies;
    refused("a line without frequency", fits, &w, IRIS_E_DATA, "rest frequency of line 'C18O");
    w = good;
    w.beam_fwhm = 0;
    refused("a beam without width", fits, &w, IRIS_E_DATA, "width of the beam");
}

static void
test_no_room(void)
{
    struct iris_cube_law w = law_of(1, 16, 16, 1024);
    struct rlimit old, small;

    getrlimit(RLIMIT_FSIZE, &old);
    small = old;
    small.rlim_cur = 1 << 20;
    signal(SIGXFSZ, SIG_IGN);
    setrlimit(RLIMIT_FSIZE, &small);
    refused("1 MiB of .npy where less can be", npy, &w, IRIS_E_IO, "no room");
    w.n_v = 512; /* it would fit at last */
    refused("1 MiB of .fits on its way", fits, &w, IRIS_E_IO, "no room");
    setrlimit(RLIMIT_FSIZE, &old);
}

/* 64 MiB are written without holding them. */
static void
test_memory(void)
{
    struct iris_cube_law w = law_of(1, 128, 128, 1024);
    static float column[128 * 1024];
    struct rusage before, after;
    struct iris_cube c = {0};
    size_t lon;
    int bad;

    memset(column, 0x3e, sizeof column);
    getrusage(RUSAGE_SELF, &before);
    bad = (int)iris_cube_open(&c, fits, &w, NULL);
    for (lon = 0; lon < w.n_lon && !bad; lon++)
        bad = (int)iris_cube_put(&c, lon, 0, w.n_lat, column, NULL);
    CHECK(!bad && !iris_cube_commit(&c, NULL), "64 MiB as .fits");
    getrusage(RUSAGE_SELF, &after);
    CHECK(after.ru_maxrss - before.ru_maxrss < 32 * 1024, "took %ld KiB of memory",
          after.ru_maxrss - before.ru_maxrss);
}

int
main(void)
{
    snprintf(scratch, sizeof scratch, "%s/test_cube_XXXXXX",
             getenv("TMPDIR") ? getenv("TMPDIR") : "/tmp");
    if (!mkdtemp(scratch))
        return 2;
    snprintf(npy, sizeof npy, "%s/cube.npy", scratch);
    snprintf(fits, sizeof fits, "%s/cube.fits", scratch);
    test_memory();
    test_sizes();
    test_orders();
    test_header();
    test_bare_header();
    test_map_header();
    test_units();
    test_ends();
    test_holes();
    test_refused();
    test_no_room();
    unlink(npy);
    unlink(fits);
    CHECK(!rmdir(scratch), "no file is left");
    return check_done();
}
