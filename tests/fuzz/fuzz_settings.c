/* Settings: those that are taken have values for all, and print the same again. Nothing
 * that they name is opened. */
#include "fuzz.h"

#include <string.h>

#include "entry.h"
#include "hyper.h"
#include "made.h"

const unsigned fuzz_mutants = 1000;

/* Every key, at values that do for all types. */
int
fuzz_seed(size_t i, struct iris_buf *out)
{
    struct iris_hyper *h = made_settings();
    struct iris_err err = {0};

    fuzz_status(iris_hyper_print(h, out, &err), &err);
    iris_hyper_free(h);
    return i < 1;
}

static struct iris_hyper *
parse(const char *text, size_t n, enum iris_status *st)
{
    struct iris_hyper *h = NULL;
    struct iris_err err = {0};

    *st = iris_hyper_parse(text, n, "hyper.json", NULL, &h, &err);
    fuzz_status(*st, &err);
    return h;
}

/* The shapes of what a type holds. */
static void
use(const struct iris_hyper *h, enum iris_type type)
{
    struct iris_err err = {0};
    enum iris_kind kind[2];
    struct iris_settings s;
    struct iris_shape shape;
    size_t k, count;

    if (iris_hyper_check_type(h, type, &err)) {
        fuzz_status(err.status, &err);
        return;
    }
    iris_hyper_settings(h, &s);
    for (k = 0; k < iris_type_kinds(type, kind); k++) {
        iris_kind_shape(kind[k], type, &s, &shape);
        if (!iris_shape_count(&shape, &count, &err))
            fuzz_need(iris_kind_bytes(kind[k], type, &s) > count,
                      "a file is larger than its array");
    }
}

static void
print_again(const struct iris_hyper *h)
{
    struct iris_buf first = {0}, again = {0};
    struct iris_err err = {0};
    struct iris_hyper *copy;
    enum iris_status st;

    fuzz_status(iris_hyper_print(h, &first, &err), &err);
    copy = parse(iris_buf_str(&first), first.len, &st);
    fuzz_need(!st, "what was printed reads back");
    fuzz_status(iris_hyper_print(copy, &again, &err), &err);
    fuzz_need(first.len == again.len && !memcmp(first.data, again.data, first.len),
              "what was read back prints the same");
    iris_hyper_free(copy);
    iris_buf_release(&first);
    iris_buf_release(&again);
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    enum iris_status st;
    struct iris_hyper *h = parse((const char *)data, size, &st);
    struct iris_err err = {0};
    struct iris_unit_system u;
    struct iris_settings s;

    if (!st) {
        fuzz_need(!iris_hyper_check(h, &err), "what was read keeps the rules");
        iris_hyper_settings(h, &s);
        iris_settings_units(&s, &u);
        use(h, IRIS_STANDARD);
        use(h, IRIS_SIMPLE);
        use(h, IRIS_SYNTHETIC);
        print_again(h);
        fuzz_status(iris_hyper_strip_paths(h, &err), &err);
    }
    iris_hyper_free(h);
    return 0;
}
