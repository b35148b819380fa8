/* mkcube -- writes a cube of two lines whose values are their own index in
 * [line][lon][lat][v], for tests; with sizes, one line, and what it took. */
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/resource.h>

#include "clock.h"
#include "cube.h"
#include "num.h"

static const char usage[] = "usage: mkcube OUT.npy|OUT.fits [N_LON N_LAT N_V]\n";

static void __attribute__((noreturn)) die(const struct iris_err *err)
{
    fprintf(stderr, "mkcube: %s\n", err->msg);
    exit((int)err->status);
}

static size_t
size_of(const char *text)
{
    uint64_t n;

    if (iris_parse_u64(text, &n) || n < 1) {
        fputs(usage, stderr);
        exit(64);
    }
    return (size_t)n;
}

/* Columns of all latitudes in the order of longitude. */
static void
put_all(struct iris_cube *c, const struct iris_cube_law *law)
{
    float *column = malloc(law->n_lat * law->n_lines * law->n_v * sizeof *column);
    struct iris_err err = {0};
    size_t line, lon, lat, v;

    if (!column)
        exit(74);
    for (lon = 0; lon < law->n_lon; lon++) {
        for (lat = 0; lat < law->n_lat; lat++)
            for (line = 0; line < law->n_lines; line++)
                for (v = 0; v < law->n_v; v++)
                    column[(lat * law->n_lines + line) * law->n_v + v] =
                        (float)(((line * law->n_lon + lon) * law->n_lat + lat) * law->n_v + v);
        if (lon == 1)
            column[0] = NAN;
        if (iris_cube_put(c, lon, 0, law->n_lat, column, &err))
            die(&err);
    }
    free(column);
}

int
main(int argc, char **argv)
{
    static const char *const name[] = {"13CO 2-1", "C18O 2-1"};
    static const char *const history[] = {"settings 0123456789abcdef"};
    static const double frequency[] = {220398684200.0, 219560354100.0};
    struct iris_cube_law law = {.n_lines = 2,
                                .n_lon = 7,
                                .n_lat = 5,
                                .n_v = 11,
                                .lon_min = -1.5,
                                .lon_max = 1.2,
                                .lat_min = -0.25,
                                .lat_max = 0.5,
                                .v_min = -30,
                                .v_max = 70,
                                .unit = iris_cube_unit("Trj", 1),
                                .quantity = "Trj",
                                .rest_frequency = frequency,
                                .line_name = name,
                                .beam_fwhm = 0.01,
                                .history = history,
                                .n_history = 1};
    struct iris_err err = {0};
    struct rusage used;
    struct iris_cube c;
    double t0, t1, t2;

    if (argc != 2 && argc != 5) {
        fputs(usage, stderr);
        return 64;
    }
    if (argc == 5) {
        law.n_lines = 1;
        law.n_lon = size_of(argv[2]);
        law.n_lat = size_of(argv[3]);
        law.n_v = size_of(argv[4]);
    }
    t0 = iris_seconds();
    if (iris_cube_open(&c, argv[1], &law, &err))
        die(&err);
    put_all(&c, &law);
    t1 = iris_seconds();
    if (iris_cube_commit(&c, &err))
        die(&err);
    t2 = iris_seconds();
    getrusage(RUSAGE_SELF, &used);
    if (argc == 5)
        printf("put %.2f s, commit %.2f s, %.1f MiB\n", t1 - t0, t2 - t1,
               (double)used.ru_maxrss / 1024);
    return 0;
}
