/* Files of line tables that hold anything. */
#include "fuzz.h"

#include <math.h>

#include "fuzz_h5.h"
#include "lines.h"
#include "made.h"

const unsigned fuzz_mutants = 80;

int
fuzz_seed(size_t i, struct iris_buf *out)
{
    size_t k;

    for (k = 0; k < 20; k++)
        iris_buf_putc(out, (char)(41 * i + k * (i + 3)));
    return i < 6;
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    static struct fuzz_h5 good;
    struct fuzz_bytes b = {data, data + size};
    struct iris_hyper *h = made_settings();
    struct iris_buf warnings = {0};
    struct iris_lines l = {.n = 0};
    struct iris_err err = {0};
    const char *path;
    enum iris_status st;
    size_t i;

    if (!good.n) {
        made_lines("lines.h5");
        fuzz_h5_begin(&good, fuzz_in("lines.h5"));
    }
    path = fuzz_h5_change(&good, &b);
    fuzz_status(iris_lines_init(&l, h, &warnings, &err), &err);
    st = iris_lines_verify(&l, h, path, &err);
    fuzz_status(st, &err);
    if (!st) {
        st = iris_lines_read(&l, h, path, &err);
        fuzz_status(st, &err);
    }
    fuzz_need(!st || size, "the good table is one");
    for (i = 0; !st && i < iris_lines_values(&l); i++)
        fuzz_need(isfinite(l.line[0].table.node[i]), "a table is finite");
    iris_lines_release(&l);
    iris_buf_release(&warnings);
    iris_hyper_free(h);
    fuzz_h5_closed();
    return 0;
}
