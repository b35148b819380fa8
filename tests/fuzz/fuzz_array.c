/* Array files: opened, read in pieces, scanned. */
#include "fuzz.h"

#include <string.h>

#include "npy.h"
#include "scan.h"

const unsigned fuzz_mutants = 4000;

int
fuzz_seed(size_t i, struct iris_buf *out)
{
    static const struct iris_shape shape[] = {{3, {1, 2, 3}}, {4, {6, 2, 1, 2}}};
    static const float zero[24];
    size_t count;

    if (i >= sizeof shape / sizeof shape[0] || iris_shape_count(&shape[i], &count, NULL))
        return 0;
    iris_npy_header(&shape[i], out);
    iris_buf_append(out, zero, count * sizeof zero[0]);
    return 1;
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    const char *path = fuzz_file(data, size);
    struct iris_scan scan;
    struct iris_npy a;
    struct iris_err err = {0};
    enum iris_status st, scanned;
    float f[5];
    double d[5];
    size_t n;

    st = iris_npy_open(path, &a, &err);
    fuzz_status(st, &err);
    if (!st) {
        fuzz_need(a.offset + a.count * a.item == size, "an array is as large as its file");
        n = a.count < 5 ? a.count : 5;
        fuzz_status(iris_npy_read_f32(&a, a.count - n, n, f, &err), &err);
        fuzz_status(iris_npy_read_f64(&a, 0, n, d, &err), &err);
    }
    iris_npy_close(&a);
    scanned = iris_scan_array(path, IRIS_SCAN_TENSOR | IRIS_SCAN_MOMENTS, &scan, &err);
    fuzz_status(scanned, &err);
    fuzz_need(st == scanned, "what opens can be scanned");
    return 0;
}
