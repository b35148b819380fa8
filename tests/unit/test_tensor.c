/* Physical tensors read by longitude, from both widths, and what they may not hold. */
#include "check.h"

#include <stdint.h>
#include <unistd.h>

#include "tensor.h"

enum { R = 5, L = 4, M = 3, N = IRIS_FIELDS * R * L * M };

static char scratch[512], file[600];
static double values[N];

static size_t
at(int k, size_t r, size_t lon, size_t lat)
{
    return (((size_t)k * R + r) * L + lon) * M + lat;
}

/* The values in a file of an item of 4 or 8 bytes. */
static void
put(int item, const char *shape)
{
    char head[128];
    struct iris_buf b = {0};
    float single;
    int i;

    memset(head, ' ', sizeof head);
    memcpy(head, "\x93NUMPY\x01\x00\x76\x00", 10);
    i = snprintf(head + 10, sizeof head - 10,
                 "{'descr': '<f%d', 'fortran_order': False, 'shape': %s, }", item, shape);
    head[10 + i] = ' ';
    head[127] = '\n';
    iris_buf_append(&b, head, sizeof head);
    for (i = 0; i < N; i++) {
        single = (float)values[i];
        iris_buf_append(&b, item == 4 ? (void *)&single : (void *)&values[i], (size_t)item);
    }
    if (iris_buf_check(&b, NULL) || iris_write_file(file, b.data, b.len, NULL))
        exit(2);
    iris_buf_release(&b);
}

static void
reset(void)
{
    int i;

    for (i = 0; i < N; i++)
        values[i] = i + 0.1;
}

/* A part of every longitude is what it should be. */
static int
right(const struct iris_tensor *t, size_t lat0, size_t lat1, size_t r0, size_t r1)
{
    float out[IRIS_FIELDS][R * M], *field[IRIS_FIELDS];
    size_t lon, r, lat, n = lat1 - lat0, wrong = 0;
    struct iris_err err = {0};
    int k;

    for (k = 0; k < IRIS_FIELDS; k++)
        field[k] = out[k];
    for (lon = 0; lon < L; lon++) {
        if (iris_tensor_column(t, lon, lat0, lat1, r0, r1, field, &err))
            return 0;
        for (k = 0; k < IRIS_FIELDS; k++)
            for (r = r0; r < r1; r++)
                for (lat = lat0; lat < lat1; lat++) {
                    float want = (float)values[at(k, r, lon, lat)];

                    if (memcmp(&out[k][(r - r0) * n + lat - lat0], &want, sizeof want))
                        wrong++;
                }
    }
    return !wrong;
}

static void
test_read(int item)
{
    float row[R * M], *one[IRIS_FIELDS] = {NULL};
    struct iris_err err = {0};
    struct iris_tensor t;

    reset();
    values[at(IRIS_T, 1, 2, 0)] = (double)INFINITY;
    put(item, "(6, 5, 4, 3)");
    CHECK(!iris_tensor_open(file, &t, &err) && t.n_r == R && t.n_lon == L && t.n_lat == M,
          "f%d: opened", item);
    CHECK(right(&t, 0, M, 0, R), "whole columns, an infinite temperature among them");
    CHECK(right(&t, 1, 3, 2, 5) && right(&t, 0, 1, 0, 1) && right(&t, 2, 3, 4, 5),
          "parts of columns");
    CHECK(right(&t, 1, 1, 0, R) && right(&t, 0, M, 5, 5), "empty parts");
    one[IRIS_X_H2] = row;
    CHECK(!iris_tensor_column(&t, 3, 0, M, 4, R, one, &err) &&
              check_near((double)row[0], values[at(IRIS_X_H2, 4, 3, 0)], 1e-6),
          "one field alone");
    CHECK(iris_tensor_column(&t, 4, 0, M, 0, R, one, &err) == IRIS_E_BUG &&
              iris_tensor_column(&t, 0, 0, 4, 0, R, one, &err) == IRIS_E_BUG &&
              iris_tensor_column(&t, 0, 0, M, 0, 6, one, &err) == IRIS_E_BUG &&
              iris_tensor_column(&t, 0, 2, 1, 0, R, one, &err) == IRIS_E_BUG &&
              iris_tensor_column(&t, 0, 0, M, 3, 2, one, &err) == IRIS_E_BUG,
          "nothing outside");
    iris_tensor_close(&t);
    iris_tensor_close(&t);
}

static void
test_not_finite(int item)
{
    static const struct {
        int k;
        size_t r, lon, lat;
        double v;
        const char *says;
    } bad[] = {
        {IRIS_V_R, 0, 0, 0, (double)NAN, "': channel 0 is nan at r 0, lon 0, lat 0"},
        {IRIS_RHO, 3, 2, 1, (double)INFINITY, "': channel 1 is inf at r 3, lon 2, lat 1"},
        {IRIS_T, 4, 3, 2, (double)NAN, "': channel 2 is nan at r 4, lon 3, lat 2"},
        {IRIS_T, 1, 0, 2, -(double)INFINITY, "': channel 2 is -inf at r 1, lon 0, lat 2"},
        {IRIS_T_DUST, 4, 3, 2, (double)INFINITY, "': channel 5 is inf at r 4, lon 3, lat 2"},
    };
    float out[R * M], *field[IRIS_FIELDS] = {out, out, out, out, out, out};
    struct iris_tensor t;
    size_t i;

    for (i = 0; i < sizeof bad / sizeof bad[0]; i++) {
        struct iris_err err = {0};

        reset();
        values[at(bad[i].k, bad[i].r, bad[i].lon, bad[i].lat)] = bad[i].v;
        put(item, "(6, 5, 4, 3)");
        CHECK(!iris_tensor_open(file, &t, &err) &&
                  !iris_tensor_column(&t, (bad[i].lon + 1) % L, 0, M, 0, R, field, &err) &&
                  iris_tensor_column(&t, bad[i].lon, bad[i].lat ? 1 : 0, M, bad[i].r ? 1 : 0, R,
                                     field, &err) == IRIS_E_DATA &&
                  strstr(err.msg, file) && strstr(err.msg, bad[i].says),
              "f%d%s", item, bad[i].says + 1);
        iris_tensor_close(&t);
    }
}

static void
refused(const char *what, enum iris_status wanted, const char *says)
{
    struct iris_err err = {0};
    struct iris_tensor t;

    if (!CHECK(iris_tensor_open(file, &t, &err) == wanted && strstr(err.msg, file) &&
                   strstr(err.msg, says),
               "%s: refused", what))
        printf("# %s\n", err.msg);
    iris_tensor_close(&t);
}

static void
test_refused(void)
{
    reset();
    put(4, "(5, 6, 4, 3)");
    refused("five channels", IRIS_E_DATA, "of shape (5, 6, 4, 3) is not a physical tensor");
    put(4, "(6, 5, 12)");
    refused("three axes", IRIS_E_DATA, "of shape (6, 5, 12) is not");
    put(4, "(1, 6, 5, 4, 3)");
    refused("five axes", IRIS_E_DATA, "of shape (1, 6, 5, 4, 3) is not");
    put(4, "(6, 5, 4, 4)");
    refused("one that is cut short", IRIS_E_DATA, "its header promises");
    iris_write_file(file, "\x93NUMPY\x01\x00", 8, NULL);
    refused("no array", IRIS_E_DATA, "version 1.0");
    unlink(file);
    refused("no file", IRIS_E_IO, "cannot open");
}

/* A file of the reference: every column is what the whole array has there. */
static void
test_golden(const char *shared)
{
    float *all = NULL, *out = NULL, *field[IRIS_FIELDS];
    size_t lon, r, k, plane, wrong = 0;
    struct iris_err err = {0};
    struct iris_tensor t;
    char path[4300];

    snprintf(path, sizeof path, "%s/golden/phys_s1_t0.npy", shared);
    if (!CHECK(!iris_tensor_open(path, &t, &err) && t.n_r == 48 && t.n_lon == 40 && t.n_lat == 24,
               "a tensor of the reference %s", err.msg))
        return;
    plane = t.n_r * t.n_lat;
    all = malloc(t.file.count * sizeof *all);
    out = malloc(IRIS_FIELDS * plane * sizeof *out);
    wrong += !!iris_npy_read_f32(&t.file, 0, t.file.count, all, &err);
    for (k = 0; k < IRIS_FIELDS; k++)
        field[k] = out + k * plane;
    for (lon = 0; lon < t.n_lon; lon++) {
        wrong += !!iris_tensor_column(&t, lon, 0, t.n_lat, 0, t.n_r, field, &err);
        for (k = 0; k < IRIS_FIELDS; k++)
            for (r = 0; r < t.n_r; r++)
                wrong += !!memcmp(field[k] + r * t.n_lat,
                                  all + ((k * t.n_r + r) * t.n_lon + lon) * t.n_lat,
                                  t.n_lat * sizeof *all);
    }
    CHECK(!wrong, "column by column %s", err.msg);
    free(all);
    free(out);
    iris_tensor_close(&t);
}

int
main(void)
{
    const char *shared = check_shared();

    snprintf(scratch, sizeof scratch, "%s/test_tensor_XXXXXX",
             getenv("TMPDIR") ? getenv("TMPDIR") : "/tmp");
    if (!mkdtemp(scratch))
        return 2;
    snprintf(file, sizeof file, "%s/tensor.npy", scratch);
    test_read(4);
    test_read(8);
    test_not_finite(4);
    test_not_finite(8);
    test_refused();
    if (shared)
        test_golden(shared);
    else
        check_skip("a tensor of the reference", "no shared reference data");
    unlink(file);
    rmdir(scratch);
    return check_done();
}
