/* line_molecule -- the molecule of the reference data, and arrays beside it. */
#ifndef LINE_MOLECULE_H
#define LINE_MOLECULE_H

#include "line_case.h"

#include "file.h"
#include "molecule.h"
#include "npy.h"

static inline struct iris_molecule
line_molecule(const char *shared)
{
    struct iris_molecule m = {0};
    struct iris_buf text = {0}, warnings = {0};
    struct iris_err err = {0};
    char path[4300];

    snprintf(path, sizeof path, "%s/chem/13C16O.dat", shared);
    if (iris_read_file(path, 1 << 24, &text, &err) ||
        iris_molecule_parse(iris_buf_str(&text), text.len, "13C16O.dat", &m, &warnings, &err)) {
        CHECK(0, "the molecule: %s", err.msg);
        exit(1);
    }
    iris_buf_release(&text);
    iris_buf_release(&warnings);
    return m;
}

/* The preset's table with true values at its first four temperatures and its
 * last two, of 64, which are what is looked at: all would take a while. */
static inline struct iris_line_table
line_preset(const struct iris_molecule *m)
{
    struct iris_table_law law = line_table_law(128, 64, 64);
    struct iris_err err = {0};
    struct iris_line_table t;

    if (!iris_line_table_init(&t, m, &law, &err)) {
        t.node = need(iris_line_table_size(&t) * sizeof *t.node);
        if (!iris_line_table_solve(&t, m, &law, 0, 4, &err) &&
            !iris_line_table_solve(&t, m, &law, 62, 2, &err)) {
            iris_line_table_gradients(&t);
            return t;
        }
    }
    CHECK(0, "the preset's table: %s", err.msg);
    exit(1);
}

/* One array of the reference, which must have n elements. */
static inline double *
line_golden(const char *shared, const char *name, size_t n)
{
    double *out = need(n * sizeof *out);
    struct iris_err err = {0};
    struct iris_npy a;
    char path[4300];

    snprintf(path, sizeof path, "%s/golden/%s", shared, name);
    if (iris_npy_open(path, &a, &err) || a.count != n || iris_npy_read_f64(&a, 0, n, out, &err)) {
        CHECK(0, "%s: %s", name, err.msg);
        exit(1);
    }
    iris_npy_close(&a);
    return out;
}

#endif
