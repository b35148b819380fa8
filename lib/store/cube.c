#include "cube.h"

#include <endian.h>
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "fits.h"
#include "npy.h"
#include "num.h"

/* Values of a block that is turned, of which there are two in memory, and the
 * edges that are long enough for the disk. */
enum { BLOCK = 1 << 21, EDGE = 1024, TURN = 16 };

const char *
iris_cube_unit(const char *output_units, double kelvin)
{
    if (!strcmp(output_units, "Trj K") || !strcmp(output_units, "Tb K"))
        return "K";
    if (!strcmp(output_units, "I Jy per Sr"))
        return "Jy/sr";
    if (!strcmp(output_units, "Trj") || !strcmp(output_units, "Tb"))
        return kelvin < 1 || kelvin > 1 ? NULL : "K";
    return NULL;
}

static int
ends_in(const char *path, const char *end)
{
    size_t n = strlen(path), k = strlen(end);

    return n >= k && !strcmp(path + n - k, end);
}

/* Bytes of one image, and of all of them. */
static enum iris_status
count_bytes(const struct iris_cube *c, size_t *image, size_t *all, struct iris_err *err)
{
    size_t n = sizeof(float);

    if (!c->n_lines || !c->n_lon || !c->n_lat || !c->n_v)
        return iris_fail(err, IRIS_E_DATA, "a cube of size (%zu, %zu, %zu, %zu) is empty",
                         c->n_lines, c->n_lon, c->n_lat, c->n_v);
    /* room above for headers, for the spectra that wait, and for the sign of off_t */
    if (iris_mul_size(n, c->n_lon, &n) || iris_mul_size(n, c->n_lat, &n) ||
        iris_mul_size(n, c->n_v, image) || iris_mul_size(*image, c->n_lines, all) ||
        *all > SIZE_MAX / 8)
        return iris_fail(err, IRIS_E_DATA, "a cube of size (%zu, %zu, %zu, %zu) is too large",
                         c->n_lines, c->n_lon, c->n_lat, c->n_v);
    return IRIS_OK;
}

/* The file has its length whatever was put. */
static enum iris_status
set_size(struct iris_cube *c, uint64_t size, struct iris_err *err)
{
    if (ftruncate(c->file.fd, (off_t)size))
        return iris_fail(err, IRIS_E_IO, "cannot set the size of '%s':", c->file.tmp);
    return IRIS_OK;
}

static enum iris_status
open_npy(struct iris_cube *c, const char *path, size_t bytes, struct iris_err *err)
{
    struct iris_shape shape = {4, {c->n_lines, c->n_lon, c->n_lat, c->n_v}};
    enum iris_status st;

    st = iris_npy_create(&c->file, path, &shape, &c->spectra, err);
    c->size = c->spectra + bytes;
    return st ? st : set_size(c, c->size, err);
}

static enum iris_status
open_fits(struct iris_cube *c, const char *path, const struct iris_cube_law *law, size_t image,
          size_t all, struct iris_err *err)
{
    size_t blocks = (image + IRIS_FITS_BLOCK - 1) / IRIS_FITS_BLOCK, i;
    struct iris_buf header = {0};
    enum iris_status st;

    c->image = calloc(c->n_lines, sizeof *c->image);
    if (!c->image)
        return iris_fail_memory(err);
    st = iris_outfile_open(&c->file, path, err);
    for (i = 0; !st && i < c->n_lines; i++) {
        iris_buf_clear(&header);
        st = iris_fits_header(law, i, &header, err);
        if (!st)
            st = iris_outfile_pwrite(&c->file, header.data, header.len, c->size, err);
        c->image[i] = c->size + header.len;
        c->size = c->image[i] + (uint64_t)blocks * IRIS_FITS_BLOCK;
    }
    iris_buf_release(&header);
    c->spectra = c->size;
    if (!st)
        st = iris_outfile_reserve(&c->file, c->spectra + all, err);
    return st ? st : set_size(c, c->spectra + all, err);
}

enum iris_status
iris_cube_open(struct iris_cube *c, const char *path, const struct iris_cube_law *law,
               struct iris_err *err)
{
    enum iris_status st;
    size_t image = 0, all = 0;

    *c = (struct iris_cube){.file = IRIS_OUTFILE_INIT,
                            .n_lines = law->n_lines,
                            .n_lon = law->n_lon,
                            .n_lat = law->n_lat,
                            .n_v = law->n_v};
    st = count_bytes(c, &image, &all, err);
    if (!st && ends_in(path, ".npy"))
        st = open_npy(c, path, all, err);
    else if (!st && (ends_in(path, ".fits") || ends_in(path, ".fit")))
        st = open_fits(c, path, law, image, all, err);
    else if (!st)
        st = iris_fail(err, IRIS_E_USAGE, "'%s' is neither a .npy nor a .fits file", path);
    if (st)
        iris_cube_abort(c);
    return st;
}

enum iris_status
iris_cube_put(struct iris_cube *c, size_t lon, size_t lat0, size_t n_lat, const float *spectra,
              struct iris_err *err)
{
    enum iris_status st = IRIS_OK;
    size_t line, i, run;

    if (lon >= c->n_lon || lat0 > c->n_lat || n_lat > c->n_lat - lat0)
        return iris_fail(err, IRIS_E_BUG, "spectra of longitude %zu are outside of the cube", lon);
    run = c->n_lines == 1 ? n_lat : 1; /* of one line they are side by side */
    for (i = 0; i < n_lat && !st; i += run) {
        for (line = 0; line < c->n_lines && !st; line++) {
            uint64_t row = ((uint64_t)line * c->n_lon + lon) * c->n_lat + lat0 + i;

            st = iris_outfile_pwrite(&c->file, spectra + (i * c->n_lines + line) * c->n_v,
                                     run * c->n_v * sizeof *spectra,
                                     c->spectra + row * c->n_v * sizeof *spectra, err);
        }
    }
    return st;
}

/* A box of one line: half-open ranges. */
struct box {
    size_t line, lon, n_lon, lat, n_lat, v, n_v;
};

static size_t
least(size_t a, size_t b)
{
    return a < b ? a : b;
}

static enum iris_status
read_back(const struct iris_cube *c, void *to, size_t len, uint64_t offset, struct iris_err *err)
{
    char *p = to;

    while (len) {
        ssize_t n = pread(c->file.fd, p, len, (off_t)offset);

        if (n < 0 && errno == EINTR)
            continue;
        if (n < 0)
            return iris_fail(err, IRIS_E_IO, "cannot read '%s':", c->file.tmp);
        if (n == 0)
            return iris_fail(err, IRIS_E_IO, "'%s' became shorter while it was written",
                             c->file.tmp);
        p += n;
        offset += (uint64_t)n;
        len -= (size_t)n;
    }
    return IRIS_OK;
}

/* The spectra of a box as [lon][lat][v]. */
static enum iris_status
read_spectra(const struct iris_cube *c, const struct box *b, uint32_t *to, struct iris_err *err)
{
    size_t run = b->n_v == c->n_v ? b->n_lat : 1, i, j;
    enum iris_status st = IRIS_OK;

    for (i = 0; i < b->n_lon && !st; i++) {
        for (j = 0; j < b->n_lat && !st; j += run) {
            uint64_t row = ((uint64_t)b->line * c->n_lon + b->lon + i) * c->n_lat + b->lat + j;

            st = read_back(c, to + (i * b->n_lat + j) * b->n_v, run * b->n_v * sizeof *to,
                           c->spectra + (row * c->n_v + b->v) * sizeof *to, err);
        }
    }
    return st;
}

/* [lon][lat][v] to [v][lat][lon], big-endian; in patches that stay in cache. */
static void
turn(const struct box *b, const uint32_t *from, uint32_t *to)
{
    size_t k, i0, v0, i, v;

    for (k = 0; k < b->n_lat; k++) {
        for (v0 = 0; v0 < b->n_v; v0 += TURN) {
            for (i0 = 0; i0 < b->n_lon; i0 += TURN) {
                for (v = v0; v < least(v0 + TURN, b->n_v); v++) {
                    for (i = i0; i < least(i0 + TURN, b->n_lon); i++)
                        to[(v * b->n_lat + k) * b->n_lon + i] = htobe32(
                            from[(i * b->n_lat + k) * b->n_v + v]);
                }
            }
        }
    }
}

static enum iris_status
write_image(struct iris_cube *c, const struct box *b, const uint32_t *from, struct iris_err *err)
{
    size_t run = b->n_lon == c->n_lon ? b->n_lat : 1, v, k;
    enum iris_status st = IRIS_OK;

    for (v = 0; v < b->n_v && !st; v++) {
        for (k = 0; k < b->n_lat && !st; k += run) {
            uint64_t row = (uint64_t)(b->v + v) * c->n_lat + b->lat + k;

            st = iris_outfile_pwrite(
                &c->file, from + (v * b->n_lat + k) * b->n_lon, run * b->n_lon * sizeof *from,
                c->image[b->line] + (row * c->n_lon + b->lon) * sizeof *from, err);
        }
    }
    return st;
}

/* The largest box of at most BLOCK values, but one that is read and written in
 * long runs. */
static struct box
block_of(const struct iris_cube *c)
{
    struct box b = {.n_lon = least(c->n_lon, EDGE), .n_v = least(c->n_v, EDGE)};

    b.n_lat = least(c->n_lat, BLOCK / (b.n_lon * b.n_v));
    b.n_v = least(c->n_v, BLOCK / (b.n_lon * b.n_lat));
    b.n_lon = least(c->n_lon, BLOCK / (b.n_v * b.n_lat));
    return b;
}

/* One box, cut where the cube ends. */
static enum iris_status
turn_box(struct iris_cube *c, struct box b, uint32_t *from, uint32_t *to, struct iris_err *err)
{
    enum iris_status st;

    b.n_lon = least(b.n_lon, c->n_lon - b.lon);
    b.n_lat = least(b.n_lat, c->n_lat - b.lat);
    b.n_v = least(b.n_v, c->n_v - b.v);
    st = read_spectra(c, &b, from, err);
    if (st)
        return st;
    turn(&b, from, to);
    return write_image(c, &b, to, err);
}

static enum iris_status
turn_all(struct iris_cube *c, struct iris_err *err)
{
    struct box b = block_of(c);
    size_t bytes = b.n_lon * b.n_lat * b.n_v * sizeof(uint32_t);
    uint32_t *from = malloc(bytes), *to = malloc(bytes);
    enum iris_status st = from && to ? IRIS_OK : iris_fail_memory(err);

    for (b.line = 0; b.line < c->n_lines && !st; b.line++)
        for (b.lat = 0; b.lat < c->n_lat && !st; b.lat += b.n_lat)
            for (b.v = 0; b.v < c->n_v && !st; b.v += b.n_v)
                for (b.lon = 0; b.lon < c->n_lon && !st; b.lon += b.n_lon)
                    st = turn_box(c, b, from, to, err);
    free(from);
    free(to);
    return st;
}

enum iris_status
iris_cube_commit(struct iris_cube *c, struct iris_err *err)
{
    enum iris_status st = IRIS_OK;

    if (!c->file.path)
        return iris_fail(err, IRIS_E_BUG, "a cube that is not open cannot be published");
    if (c->image)
        st = turn_all(c, err);
    if (!st)
        st = set_size(c, c->size, err);
    if (!st)
        st = iris_outfile_commit(&c->file, err);
    iris_cube_abort(c);
    return st;
}

void
iris_cube_abort(struct iris_cube *c)
{
    if (c->file.path) /* a zeroed one is not open, though its descriptor is 0 */
        iris_outfile_abort(&c->file);
    free(c->image);
    *c = (struct iris_cube){.file = IRIS_OUTFILE_INIT};
}
