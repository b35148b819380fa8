/* Tables of abundances: those that are taken give an abundance everywhere. */
#include "fuzz.h"

#include <math.h>

#include "abundance.h"

const unsigned fuzz_mutants = 10000;

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    static const double N_H[] = {0, 1e-300, 1, 1e9, 1e300}, T[] = {0, 2.73, 50, 1e9};
    struct iris_abundance a;
    struct iris_err err = {0};
    size_t i, k;

    iris_abundance_default(&a);
    if (iris_abundance_parse(&a, (const char *)data, size, "x.txt", &err)) {
        fuzz_status(err.status, &err);
    } else {
        for (i = 0; i < sizeof N_H / sizeof N_H[0]; i++) {
            for (k = 0; k < sizeof T / sizeof T[0]; k++) {
                double x = iris_abundance_at(&a, N_H[i], T[k], 1e-4);

                fuzz_need(isfinite(x) && x >= 0, "an abundance is a number");
            }
        }
    }
    iris_abundance_release(&a);
    return 0;
}
