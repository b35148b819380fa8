/* Array files as NumPy writes them, and reading them through. */
#include "check.h"

#include <stdint.h>
#include <sys/stat.h>
#include <unistd.h>

#include "digest.h"
#include "entry.h"
#include "npy.h"
#include "sampler.h"
#include "scan.h"

#define COUNT(a) (sizeof(a) / sizeof(a)[0])

static char scratch[512], file[600];

static float
single(double v)
{
    return (float)v;
}

static int
equal(double a, double b)
{
    return !(a < b) && !(a > b);
}

/* The file: a header as NumPy's, padded to `total` bytes, then data. */
static void
put(const char *dict, size_t total, const void *data, size_t len)
{
    unsigned char head[4096];
    struct iris_buf b = {0};

    memset(head, ' ', sizeof head);
    memcpy(head, "\x93NUMPY\x01\x00", 8);
    head[8] = (unsigned char)((total - 10) & 255);
    head[9] = (unsigned char)((total - 10) >> 8);
    memcpy(head + 10, dict, strlen(dict));
    head[total - 1] = '\n';
    iris_buf_append(&b, head, total);
    iris_buf_append(&b, data, len);
    if (iris_buf_check(&b, NULL) || iris_write_file(file, b.data, b.len, NULL))
        exit(2);
    iris_buf_release(&b);
}

/* What numpy.save writes before the data of a float32 array. */
static const struct {
    struct iris_shape shape;
    const char *dict;
} headers[] = {
    {{0, {0}}, "{'descr': '<f4', 'fortran_order': False, 'shape': (), }"},
    {{1, {0}}, "{'descr': '<f4', 'fortran_order': False, 'shape': (0,), }"},
    {{1, {7}}, "{'descr': '<f4', 'fortran_order': False, 'shape': (7,), }"},
    {{2, {3, 0}}, "{'descr': '<f4', 'fortran_order': False, 'shape': (3, 0), }"},
    {{3, {1, 5, 4}}, "{'descr': '<f4', 'fortran_order': False, 'shape': (1, 5, 4), }"},
    {{4, {6, 4, 3, 2}}, "{'descr': '<f4', 'fortran_order': False, 'shape': (6, 4, 3, 2), }"},
    {{8, {1, 1, 1, 1, 1, 1, 1, 2}},
     "{'descr': '<f4', 'fortran_order': False, 'shape': (1, 1, 1, 1, 1, 1, 1, 2), }"},
};

static void
test_write(void)
{
    struct iris_buf got = {0}, wanted = {0};
    struct iris_err err = {0};
    size_t i, k, count = 0;
    float data[200];

    for (k = 0; k < COUNT(data); k++)
        data[k] = single((double)k) / 3;
    for (i = 0; i < COUNT(headers); i++) {
        iris_buf_clear(&got);
        iris_buf_clear(&wanted);
        CHECK(!iris_shape_count(&headers[i].shape, &count, &err) && count <= COUNT(data),
              "%s: its values are counted", headers[i].dict);
        put(headers[i].dict, 128, data, 4 * count);
        iris_read_file(file, 4096, &wanted, NULL);
        CHECK(!iris_npy_write(file, &headers[i].shape, data, &err) &&
                  !iris_read_file(file, 4096, &got, NULL) && got.len == wanted.len &&
                  !memcmp(got.data, wanted.data, got.len),
              "are written as NumPy does");
    }
    CHECK(iris_npy_write("/nonexistent/a.npy", &headers[0].shape, data, &err) == IRIS_E_IO,
          "a place that does not exist");
    iris_buf_release(&got);
    iris_buf_release(&wanted);
}

static void
test_write_in_pieces(void)
{
    struct iris_shape shape = {2, {2, 3}};
    struct iris_outfile f;
    struct iris_err err = {0};
    float data[6] = {1, 2, 3, 4, 5, 6}, back[6] = {0};
    struct iris_npy a;
    uint64_t offset = 0;

    CHECK(!iris_npy_create(&f, file, &shape, &offset, &err) && offset == 128, "a file is begun");
    CHECK(!iris_outfile_pwrite(&f, data + 3, 12, offset + 12, &err) &&
              !iris_outfile_pwrite(&f, data, 12, offset, &err) && !iris_outfile_commit(&f, &err),
          "its rows come in any order");
    CHECK(!iris_npy_open(file, &a, &err) && !iris_npy_read_f32(&a, 0, 6, back, &err) &&
              !memcmp(data, back, sizeof data),
          "and are there");
    iris_npy_close(&a);
    CHECK(!iris_npy_create(&f, file, &shape, &offset, &err), "another is begun");
    iris_outfile_abort(&f);
    CHECK(!iris_npy_open(file, &a, &err), "and given up: the old one is there");
    iris_npy_close(&a);
}

/* Both widths as both, whole and from the middle. */
static void
test_read(void)
{
    static const char *const dict[] = {
        "{'descr': '<f4', 'fortran_order': False, 'shape': (5000,), }",
        "{'descr': '<f8', 'fortran_order': False, 'shape': (5000,), }"};
    static float f4[5000], as4[5000];
    static double f8[5000], as8[5000];
    struct iris_err err = {0};
    struct iris_npy a;
    size_t i;
    int wide, wrong;

    for (i = 0; i < COUNT(f8); i++) {
        f4[i] = single(sin((double)i));
        f8[i] = cos((double)i) / 3;
    }
    for (wide = 0; wide < 2; wide++) {
        if (wide)
            put(dict[1], 128, f8, sizeof f8);
        else
            put(dict[0], 128, f4, sizeof f4);
        wrong = 0;
        CHECK(!iris_npy_open(file, &a, &err) && a.count == 5000 && a.shape.n == 1 &&
                  a.item == (wide ? 8 : 4) && a.offset == 128,
              "f%d: opened", wide ? 8 : 4);
        CHECK(!iris_npy_read_f32(&a, 0, 5000, as4, &err) &&
                  !iris_npy_read_f64(&a, 0, 5000, as8, &err),
              "read as both");
        for (i = 0; i < 5000; i++) {
            wrong += !equal((double)as4[i], wide ? (double)single(f8[i]) : (double)f4[i]);
            wrong += !equal(as8[i], wide ? f8[i] : (double)f4[i]);
        }
        CHECK(!iris_npy_read_f32(&a, 4321, 600, as4, &err) &&
                  !iris_npy_read_f64(&a, 4321, 600, as8, &err),
              "from the middle");
        for (i = 0; i < 600; i++) {
            wrong += !equal((double)as4[i],
                            wide ? (double)single(f8[4321 + i]) : (double)f4[4321 + i]);
            wrong += !equal(as8[i], wide ? f8[4321 + i] : (double)f4[4321 + i]);
        }
        CHECK(!wrong, "with the right values");
        CHECK(!iris_npy_read_f32(&a, 5000, 0, as4, &err), "nothing at the end");
        CHECK(iris_npy_read_f32(&a, 4999, 2, as4, &err) == IRIS_E_DATA &&
                  iris_npy_read_f64(&a, 4999, 2, as8, &err) == IRIS_E_DATA,
              "more than there is");
        iris_npy_close(&a);
        iris_npy_close(&a);
    }
}

/* Headers that other writers make. */
static void
test_other_headers(void)
{
    static const struct {
        const char *dict;
        size_t total;
    } good[] = {
        {"{'descr': '<f4', 'fortran_order': False, 'shape': (2, 3), }", 80},
        {"{'shape': (2, 3), 'fortran_order': False, 'descr': '<f4'}", 128},
        {"{'descr':'<f4','fortran_order':False,'shape':(2,3)}", 71},
        {"{'descr': '<f4', 'fortran_order': False, 'shape': (2, 3, ), }", 4095},
    };
    float data[6] = {1, 2, 3, 4, 5, 6}, last = 0;
    struct iris_err err;
    struct iris_npy a;
    size_t i;

    for (i = 0; i < COUNT(good); i++) {
        err = (struct iris_err){0};
        put(good[i].dict, good[i].total, data, sizeof data);
        CHECK(!iris_npy_open(file, &a, &err) && a.shape.n == 2 && a.shape.dim[0] == 2 &&
                  a.shape.dim[1] == 3 && !iris_npy_read_f32(&a, 5, 1, &last, &err) &&
                  equal((double)last, 6),
              "%s in %zu bytes %s", good[i].dict, good[i].total, err.msg);
        iris_npy_close(&a);
    }
}

static const struct {
    const char *what, *dict;
    size_t bytes;
    const char *says;
} bad[] = {
    {"cut short", "{'descr': '<f4', 'fortran_order': False, 'shape': (2, 3), }", 23,
     "has 151 bytes where its header promises 152"},
    {"without data", "{'descr': '<f4', 'fortran_order': False, 'shape': (2, 3), }", 0,
     "has 128 bytes where"},
    {"too long", "{'descr': '<f4', 'fortran_order': False, 'shape': (2, 3), }", 25,
     "has 153 bytes where its header promises 152"},
    {"big-endian", "{'descr': '>f4', 'fortran_order': False, 'shape': (2, 3), }", 24,
     "not little-endian floats"},
    {"whole numbers", "{'descr': '<i4', 'fortran_order': False, 'shape': (2, 3), }", 24,
     "not little-endian floats"},
    {"half precision", "{'descr': '<f2', 'fortran_order': False, 'shape': (2, 6), }", 24,
     "not little-endian floats"},
    {"records", "{'descr': [('a', '<f4')], 'fortran_order': False, 'shape': (6,), }", 24,
     "not little-endian floats"},
    {"Fortran order", "{'descr': '<f4', 'fortran_order': True, 'shape': (2, 3), }", 24,
     "not in C order"},
    {"no shape", "{'descr': '<f4', 'fortran_order': False, }", 24, "the header is not one"},
    {"no type", "{'fortran_order': False, 'shape': (2, 3), }", 24, "the header is not one"},
    {"no order", "{'descr': '<f4', 'shape': (2, 3), }", 24, "the header is not one"},
    {"a negative shape", "{'descr': '<f4', 'fortran_order': False, 'shape': (-6,), }", 24,
     "the header is not one"},
    {"a shape that is no tuple", "{'descr': '<f4', 'fortran_order': False, 'shape': 6, }", 24,
     "the header is not one"},
    {"a shape without end", "{'descr': '<f4', 'fortran_order': False, 'shape': (6", 24,
     "the header is not one"},
    {"nine dimensions",
     "{'descr': '<f4', 'fortran_order': False, 'shape': (1, 1, 1, 1, 1, 1, 1, 1, 6), }", 24,
     "the header is not one"},
    {"a shape beyond 64 bits",
     "{'descr': '<f4', 'fortran_order': False, 'shape': (18446744073709551616,), }", 24,
     "the header is not one"},
    {"a product beyond 64 bits",
     "{'descr': '<f4', 'fortran_order': False, 'shape': (4294967296, 4294967296), }", 24,
     "too large"},
    {"a size beyond 64 bits",
     "{'descr': '<f4', 'fortran_order': False, 'shape': (4611686018427387904,), }", 24,
     "too large"},
    {"the largest size",
     "{'descr': '<f8', 'fortran_order': False, 'shape': (2305843009213693951,), }", 24,
     "has 152 bytes where"},
};

static void
refused(const char *what, enum iris_status wanted, const char *says)
{
    struct iris_err err = {0};
    struct iris_npy a;

    if (!CHECK(iris_npy_open(file, &a, &err) == wanted && strstr(err.msg, says) &&
                   strstr(err.msg, file) && a.fd == -1 && !a.path,
               "%s: refused", what))
        printf("# %s\n", err.msg);
    iris_npy_close(&a);
}

static void
test_bad(void)
{
    static const char zeros[32];
    size_t i;

    for (i = 0; i < COUNT(bad); i++) {
        put(bad[i].dict, 128, zeros, bad[i].bytes);
        refused(bad[i].what, IRIS_E_DATA, bad[i].says);
    }
    put("{'descr': '<f4', 'fortran_order': False, 'shape': (2, 3), }", 4096, zeros, 24);
    refused("a header of 4096 bytes", IRIS_E_DATA, "cut short or too long");
    iris_write_file(file, "", 0, NULL);
    refused("an empty file", IRIS_E_DATA, "version 1.0");
    iris_write_file(file, "\x93NUMPY\x01\x00\x76", 9, NULL);
    refused("nine bytes", IRIS_E_DATA, "version 1.0");
    iris_write_file(file, "\x93NUMPY\x01\x00\x76\x00{'descr': ", 20, NULL);
    refused("half a header", IRIS_E_DATA, "cut short");
    iris_write_file(file, "\x93NUMPY\x02\x00\x74\x00\x00\x00{'descr': ", 22, NULL);
    refused("version 2", IRIS_E_DATA, "version 1.0");
    iris_write_file(file, "SIMPLE  =                    T", 30, NULL);
    refused("another format", IRIS_E_DATA, "version 1.0");
    unlink(file);
    refused("a missing file", IRIS_E_IO, "cannot open");
    CHECK(!mkfifo(file, 0666), "a pipe nobody writes into");
    refused("it is not waited for", IRIS_E_IO, "cannot read");
    unlink(file);
}

static void
test_shapes(void)
{
    struct iris_shape a = {2, {3, 4}}, b = {2, {3, 4, 5}}, c = {3, {3, 4, 5}}, d = {2, {4, 3}};
    struct iris_shape none = {0, {0}}, huge = {3, {SIZE_MAX, 2, 1}}, zero = {2, {SIZE_MAX, 0}};
    struct iris_err err = {0};
    size_t n = 7;
    char text[64], small[5];

    CHECK(iris_shape_equal(&a, &b) && !iris_shape_equal(&a, &c) && !iris_shape_equal(&a, &d),
          "shapes are compared");
    CHECK(!strcmp(iris_shape_text(&c, text, sizeof text), "(3, 4, 5)"), "a shape as text");
    CHECK(!strcmp(iris_shape_text(&none, text, sizeof text), "()"), "no dimension");
    CHECK(!strcmp(iris_shape_text(&c, small, sizeof small), "(3, "), "cut where it must be");
    CHECK(iris_shape_count(&huge, &n, &err) == IRIS_E_DATA && n == 7, "too large");
    CHECK(!iris_shape_count(&none, &n, &err) && n == 1, "no dimension is one value");
    CHECK(!iris_shape_count(&zero, &n, &err) && n == 0, "an empty one");
    CHECK(iris_npy_write(file, &huge, NULL, &err) == IRIS_E_DATA, "and cannot be written");
}

/* 1e5 values against two plain passes, whose own rounding is some 1e-13. */
static void
test_scan(int wide)
{
    enum { N = 100000 };
    double mean = 0, m2 = 0, lo = (double)INFINITY, hi = -(double)INFINITY, *f8 = calloc(N, 8);
    float *f4 = calloc(N, 4);
    char hash[IRIS_DIGEST_TEXT] = "", dict[100];
    struct iris_err err = {0};
    struct iris_scan s;
    size_t i;

    for (i = 0; i < N; i++) {
        f4[i] = single(1000 + sin((double)i * (double)i) * (i > N / 2 ? 3 : 1));
        f8[i] = (double)f4[i];
        mean += f8[i] / N;
        lo = fmin(lo, f8[i]);
        hi = fmax(hi, f8[i]);
    }
    for (i = 0; i < N; i++)
        m2 += (f8[i] - mean) * (f8[i] - mean);
    snprintf(dict, sizeof dict, "{'descr': '<f%d', 'fortran_order': False, 'shape': (100, 1000), }",
             wide ? 8 : 4);
    put(dict, 128, wide ? (void *)f8 : (void *)f4, (size_t)N * (wide ? 8 : 4));
    CHECK(!iris_scan_array(file, IRIS_SCAN_MOMENTS, &s, &err) && s.count == N && s.shape.n == 2 &&
              s.shape.dim[1] == 1000 && s.bad == 0,
          "f%d: read through", wide ? 8 : 4);
    CHECK(check_near(s.mean, mean, 1e-12) && check_near(s.m2, m2, 1e-10), "mean and variance");
    CHECK(equal((double)s.min, lo) && equal((double)s.max, hi), "least and largest");
    CHECK(!iris_digest_file(file, hash, &err) && !strcmp(hash, s.hash), "hash of the file");
    free(f4);
    free(f8);
}

static void
test_scan_bad(void)
{
    static float v[IRIS_FIELDS * 20];
    struct iris_shape shape = {4, {IRIS_FIELDS, 5, 2, 2}}, nothing = {1, {0}};
    struct iris_err err = {0};
    struct iris_scan s;
    size_t i;

    for (i = 0; i < COUNT(v); i++)
        v[i] = single((double)i);
    v[20 * IRIS_T] = v[20 * IRIS_T + 19] = (float)INFINITY;
    iris_npy_write(file, &shape, v, NULL);
    CHECK(!iris_scan_array(file, IRIS_SCAN_TENSOR, &s, &err) && s.bad == 0 &&
              equal((double)s.max, 119) && equal((double)s.min, 0),
          "temperatures of a tensor may be infinite");
    CHECK(!iris_scan_array(file, 0, &s, &err) && s.bad == 2 && s.first_bad == 40,
          "but of no other array");
    v[20 * IRIS_T + 3] = -(float)INFINITY;
    v[20 * IRIS_T + 7] = (float)NAN;
    iris_npy_write(file, &shape, v, NULL);
    CHECK(!iris_scan_array(file, IRIS_SCAN_TENSOR, &s, &err) && s.bad == 2 && s.first_bad == 43,
          "nor may they be anything else");
    v[20 * IRIS_T - 1] = v[20 * IRIS_T + 20] = (float)INFINITY;
    iris_npy_write(file, &shape, v, NULL);
    CHECK(!iris_scan_array(file, IRIS_SCAN_TENSOR, &s, &err) && s.bad == 4 && s.first_bad == 39,
          "the channels beside are finite");
    iris_npy_write(file, &nothing, v, NULL);
    CHECK(!iris_scan_array(file, 0, &s, &err) && s.count == 0 && s.bad == 0 && s.hash[0],
          "no values");
    iris_write_file(file, "x", 1, NULL);
    CHECK(iris_scan_array(file, 0, &s, &err) == IRIS_E_DATA, "no array");
    unlink(file);
    CHECK(iris_scan_array(file, 0, &s, &err) == IRIS_E_IO, "no file");
}

/* Files that NumPy wrote, written again. */
static void
test_golden(const char *shared, const char *name)
{
    struct iris_buf source = {0}, again = {0};
    struct iris_err err = {0};
    struct iris_npy a;
    char path[4300];
    float *data = NULL;

    snprintf(path, sizeof path, "%s/golden/%s", shared, name);
    CHECK(!iris_npy_open(path, &a, &err), "%s is an array %s", name, err.msg);
    data = malloc((a.count ? a.count : 1) * sizeof *data);
    CHECK(data && !iris_npy_read_f32(&a, 0, a.count, data, &err) &&
              !iris_npy_write(file, &a.shape, data, &err) &&
              !iris_read_file(path, 1 << 24, &source, &err) &&
              !iris_read_file(file, 1 << 24, &again, &err) && source.len == again.len &&
              !memcmp(source.data, again.data, source.len),
          "%s written again is the same file", name);
    free(data);
    iris_npy_close(&a);
    iris_buf_release(&source);
    iris_buf_release(&again);
}

int
main(void)
{
    static const char *const golden[] = {"kernel_velocity.npy", "kernel_beam60.npy",
                                         "phys_s1_t0.npy", "cube_s1_t0_thick_smooth_vs1.npy"};
    const char *tmp = getenv("TMPDIR"), *shared = check_shared();
    size_t i;

    snprintf(scratch, sizeof scratch, "%s/iris-npy-XXXXXX", tmp ? tmp : "/tmp");
    if (!mkdtemp(scratch))
        return 2;
    snprintf(file, sizeof file, "%s/a.npy", scratch);
    test_shapes();
    test_write();
    test_write_in_pieces();
    test_read();
    test_other_headers();
    test_bad();
    test_scan(0);
    test_scan(1);
    test_scan_bad();
    for (i = 0; i < COUNT(golden); i++) {
        if (shared)
            test_golden(shared, golden[i]);
        else
            check_skip(golden[i], "no shared reference data");
    }
    unlink(file);
    rmdir(scratch);
    return check_done();
}
