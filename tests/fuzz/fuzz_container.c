/* Containers that hold anything: checked, and their arrays read. */
#include "fuzz.h"

#include "container.h"
#include "container_read.h"
#include "fuzz_h5.h"
#include "made.h"

const unsigned fuzz_mutants = 30;

int
fuzz_seed(size_t i, struct iris_buf *out)
{
    size_t k;

    for (k = 0; k < 20; k++)
        iris_buf_putc(out, (char)(43 * i + k * (i + 5)));
    return i < 6;
}

static void
count_sentence(void *self, const char *sentence)
{
    size_t *n = self;

    fuzz_need(sentence[0] != '\0', "a broken promise has a sentence");
    ++*n;
}

/*   return  how many promises are broken */
static size_t
check(const char *path)
{
    size_t sentences = 0;
    struct iris_check c = {.broken = count_sentence, .self = &sentences};
    struct iris_err err = {0};

    fuzz_status(iris_check_container(&c, path, &err), &err);
    fuzz_need(sentences == c.found, "broken promises are counted");
    return c.found + err.status;
}

static void
read_array(const struct iris_container *c, enum iris_kind kind)
{
    struct iris_npy a = {.fd = -1};
    struct iris_err err = {0};
    float v[4];

    if (iris_container_array(c, kind, 0, 1, "array", &a, &err)) {
        fuzz_status(err.status, &err);
        return;
    }
    if (iris_npy_read_f32(&a, a.count > 4 ? a.count - 4 : 0, a.count > 4 ? 4 : a.count, v, &err))
        fuzz_status(err.status, &err);
    iris_npy_close(&a);
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    static struct fuzz_h5 good;
    struct fuzz_bytes b = {data, data + size};
    struct iris_container *c = NULL;
    struct iris_err err = {0};
    const char *path;
    int kind;

    if (!good.n) {
        made_container("set.h5");
        fuzz_h5_begin(&good, fuzz_in("set.h5"));
    }
    path = fuzz_h5_change(&good, &b);
    fuzz_need(!check(path) || size, "the good container is one");
    fuzz_status(iris_container_open(path, &c, &err), &err);
    for (kind = 0; c && kind < IRIS_KINDS; kind++)
        read_array(c, (enum iris_kind)kind);
    iris_container_close(c);
    fuzz_h5_closed();
    return 0;
}
