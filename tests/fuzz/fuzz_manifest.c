/* Manifests: what was read prints, and reads back to the same. */
#include "fuzz.h"

#include <string.h>

#include "manifest.h"

const unsigned fuzz_mutants = 5000;

/* In pieces it is what it is in one. */
static void
feed(const char *text, size_t n, enum iris_status whole)
{
    struct iris_manifest_reader r;
    struct iris_err err = {0};
    enum iris_status st;
    size_t i;

    st = iris_manifest_reader_init(&r, "fuzz.tsv", &err);
    for (i = 0; i < n && !st; i += 7)
        st = iris_manifest_reader_feed(&r, text + i, n - i < 7 ? n - i : 7, &err);
    if (!st)
        st = iris_manifest_reader_end(&r, &err);
    fuzz_status(st, &err);
    fuzz_need(st == whole, "a manifest in pieces reads as in one");
    iris_manifest_reader_release(&r);
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct iris_buf first = {0}, again = {0};
    struct iris_manifest m = {0}, copy = {0};
    struct iris_err err = {0};
    enum iris_status st;

    st = iris_manifest_parse((const char *)data, size, "fuzz.tsv", NULL, &m, &err);
    fuzz_status(st, &err);
    feed((const char *)data, size, st);
    if (!st) {
        iris_manifest_print(&m, &first);
        st = iris_manifest_parse(iris_buf_str(&first), first.len, "again.tsv", m.kind, &copy, &err);
        fuzz_need(!st, "what was printed reads back");
        iris_manifest_print(&copy, &again);
        fuzz_need(first.len == again.len && !memcmp(first.data, again.data, first.len),
                  "what was read back prints the same");
        fuzz_status(iris_manifest_sort(&m, &err), &err);
    }
    iris_manifest_release(&m);
    iris_manifest_release(&copy);
    iris_buf_release(&first);
    iris_buf_release(&again);
    return 0;
}
