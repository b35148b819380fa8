/* Molecular files: what was read prints, and reads back to the same. */
#include "fuzz.h"

#include <string.h>

#include "made.h"
#include "molecule.h"

const unsigned fuzz_mutants = 3000;

int
fuzz_seed(size_t i, struct iris_buf *out)
{
    iris_buf_puts(out, made_molecule);
    return i < 1;
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct iris_buf first = {0}, again = {0}, warnings = {0};
    struct iris_molecule m = {0}, copy = {0};
    struct iris_err err = {0};
    enum iris_status st;

    st = iris_molecule_parse((const char *)data, size, "x.dat", &m, &warnings, &err);
    fuzz_status(st, &err);
    if (!st) {
        iris_molecule_print(&m, &first);
        st = iris_molecule_parse(iris_buf_str(&first), first.len, "y.dat", &copy, &warnings, &err);
        fuzz_need(!st, "what was printed reads back");
        iris_molecule_print(&copy, &again);
        fuzz_need(first.len == again.len && !memcmp(first.data, again.data, first.len),
                  "what was read back prints the same");
    }
    iris_molecule_release(&m);
    iris_molecule_release(&copy);
    iris_buf_release(&first);
    iris_buf_release(&again);
    iris_buf_release(&warnings);
    return 0;
}
