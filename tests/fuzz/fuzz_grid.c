/* Settings that take several values, an axis a line: what is taken makes a manifest that
 * reads back. */
#include "fuzz.h"

#include <stdlib.h>
#include <string.h>

#include "grid.h"

const unsigned fuzz_mutants = 500;

enum { FEW = 500 }; /* combinations */

static void
expand(const struct iris_grid *g)
{
    struct iris_manifest m = {.kind = NULL}, copy = {.kind = NULL};
    struct iris_buf text = {0};
    struct iris_err err = {0};
    size_t unused;

    fuzz_status(iris_manifest_init(&m, "snapshots", &err), &err);
    fuzz_status(iris_manifest_column(&m, "snapshot", "str", &unused, &err), &err);
    fuzz_status(iris_manifest_add_row(&m, &unused, &err), &err);
    fuzz_status(iris_manifest_set(&m, 0, "snapshot", "snap_001", &err), &err);
    fuzz_status(iris_grid_expand(g, &m, &err), &err);
    fuzz_need(m.n_rows == (g->n ? g->n : 1), "every combination has a row");
    iris_manifest_print(&m, &text);
    fuzz_need(!iris_manifest_parse(iris_buf_str(&text), text.len, "fuzz", NULL, &copy, &err) &&
                  copy.n_rows == m.n_rows,
              "what was printed reads back");
    iris_manifest_release(&m);
    iris_manifest_release(&copy);
    iris_buf_release(&text);
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    char *text = malloc(size + 1), *line, *save = NULL;
    struct iris_grid g = {.n = 0};
    struct iris_err err = {0};

    fuzz_need(text != NULL, "text can be kept");
    memcpy(text, data, size);
    text[size] = '\0';
    for (line = strtok_r(text, "\n", &save); line; line = strtok_r(NULL, "\n", &save))
        fuzz_status(iris_grid_add(&g, line, &err), &err);
    if (g.n <= FEW)
        expand(&g);
    iris_grid_release(&g);
    free(text);
    return 0;
}
