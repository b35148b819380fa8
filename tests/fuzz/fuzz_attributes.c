/* attributes.json of a data set directory. */
#include "fuzz.h"

#include <unistd.h>

#include "publish.h"

const unsigned fuzz_mutants = 1000;

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct iris_attributes a = {.n = 0};
    struct iris_err err = {0};
    static int linked;
    const char *file = fuzz_file(data, size);
    size_t i;

    if (!linked)
        linked = !symlink(file, fuzz_in(IRIS_ATTRIBUTES_FILE));
    if (iris_attributes_read(fuzz_directory(), &a, &err)) {
        fuzz_status(err.status, &err);
    } else {
        for (i = 0; i < a.n * a.kinds; i++)
            fuzz_need(a.path[i] != NULL, "every entry has its paths");
    }
    iris_attributes_release(&a);
    return 0;
}
