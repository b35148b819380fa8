/* FITS cubes, bytes as they are: axes, and maps of every line. */
#include "fuzz.h"

#include <math.h>

#include "cube.h"
#include "moment.h"

const unsigned fuzz_mutants = 500;

enum { LON = 2, LAT = 2, V = 3 };

int
fuzz_seed(size_t i, struct iris_buf *out)
{
    static const double frequency[] = {2.2e11, 1.1e11};
    static const char *const name[] = {"13CO 2-1", "13CO 1-0"};
    static const float spectra[LAT * 2 * V] = {1, 2, 3};
    struct iris_cube_law law = {i + 1, LON, LAT,   V,         -1,   1,   -1,   1, -5,
                                5,     "K", "Trj", frequency, name, NAN, NULL, 0};
    struct iris_cube c = {.image = NULL};
    size_t lon;

    if (i > 1)
        return 0;
    fuzz_need(!iris_cube_open(&c, fuzz_in("made.fits"), &law, NULL), "a cube begins");
    for (lon = 0; lon < LON; lon++)
        fuzz_need(!iris_cube_put(&c, lon, 0, LAT, spectra, NULL), "a cube is filled");
    fuzz_need(!iris_cube_commit(&c, NULL), "a cube ends");
    fuzz_get(fuzz_in("made.fits"), out);
    return 1;
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct iris_cube_reader c = {.fits = NULL};
    struct iris_moment_maps maps = {.nx = 0};
    struct iris_err err = {0};
    enum iris_status st;
    size_t line;

    st = iris_cube_read_fits(fuzz_file(data, size), &c, &err);
    fuzz_status(st, &err);
    for (line = 0; !st && line < c.n_lines && line < 3; line++) {
        st = iris_moment_maps_make(&c, line, 8, 8, &maps, &err);
        fuzz_status(st, &err);
        iris_moment_maps_release(&maps);
    }
    iris_cube_close(&c);
    iris_cube_close(&c);
    return 0;
}
