#include "lines_file.h"

#include <stdlib.h>
#include <string.h>

#include "elementary.h"
#include "h5.h"
#include "h5put.h"

const char *const iris_lines_axis_names[IRIS_LINES_AXES] = {
    [IRIS_AXIS_N] = "density_H",
    [IRIS_AXIS_RHO] = "density",
    [IRIS_AXIS_X] = "x_H2",
    [IRIS_AXIS_T] = "temperature",
};

size_t
iris_lines_axis(const struct iris_lines_item *item, int axis, double *node)
{
    const struct iris_line_table *t = &item->table;
    size_t n = axis == IRIS_AXIS_X ? t->n_x : axis == IRIS_AXIS_T ? t->n_T : t->n_N, i;

    for (i = 0; node && i < n; i++) {
        if (axis == IRIS_AXIS_N)
            node[i] = iris_sinh((double)i * t->dq) * item->law.bolic;
        else if (axis == IRIS_AXIS_RHO)
            node[i] = t->rho[i];
        else if (axis == IRIS_AXIS_X)
            node[i] = t->x[i];
        else
            node[i] = t->T[i] / item->law.units.temperature;
    }
    return n;
}

/* One file being written. */
struct writer {
    const struct iris_lines *lines;
    const struct iris_hyper *h;
    const char *path; /* for messages */
    hid_t file;
};

static enum iris_status
fail(const struct writer *w, const char *object, struct iris_err *err)
{
    return iris_h5_fail(err, IRIS_E_IO, "write", object, w->path);
}

static enum iris_status
write_axis(const struct writer *w, hid_t group, const struct iris_lines_item *item, int axis,
           struct iris_err *err)
{
    static const struct {
        const char *unit, *cgs_unit;
        double to_cgs;
    } of[IRIS_LINES_AXES] = {
        [IRIS_AXIS_N] = {"m^-3", "cm^-3", 1e-6},
        [IRIS_AXIS_RHO] = {"processing", "g/cm^3", 0},
        [IRIS_AXIS_X] = {"1", "1", 1},
        [IRIS_AXIS_T] = {"K", "K", 1},
    };
    double density = 1e-3 / iris_units_density(&item->law.units); /* kg/m^3 in g/cm^3 */
    const char *name = iris_lines_axis_names[axis];
    double *node = malloc(iris_lines_axis(item, axis, NULL) * sizeof *node);
    enum iris_status st = IRIS_OK;
    hid_t dataset;
    hsize_t n;

    if (!node)
        return iris_fail_memory(err);
    n = iris_lines_axis(item, axis, node);
    dataset = iris_h5_put_array(group, name, 1, &n, node);
    free(node);
    if (dataset < 0 || iris_h5_put_text(dataset, "unit", of[axis].unit) ||
        iris_h5_put_text(dataset, "cgs_unit", of[axis].cgs_unit) ||
        iris_h5_put_double(dataset, "to_cgs", axis == IRIS_AXIS_RHO ? density : of[axis].to_cgs))
        st = fail(w, name, err);
    if (dataset >= 0 && H5Dclose(dataset) < 0 && !st)
        st = fail(w, name, err);
    return st;
}

/* What the columns of a node are multiplied by. */
static void
cgs_of_columns(const struct iris_unit_system *u, double to_cgs[IRIS_NODE])
{
    double density = 1e-3 / iris_units_density(u);
    /* W m^-3 sr^-1 is 10 erg s^-1 cm^-3 sr^-1; Hz/m is 0.01 Hz/cm */
    double of[2] = {10 * u->length * u->time * u->time * u->time / u->mass,
                    0.01 * u->length * u->time};
    int k;

    for (k = 0; k < 2; k++) {
        double *to = to_cgs + (k ? IRIS_NODE_A : IRIS_NODE_J);

        to[0] = to[2] = of[k];
        to[1] = of[k] / density;
        to[3] = of[k] * u->temperature;
    }
}

static enum iris_status
write_nodes(const struct writer *w, hid_t group, const struct iris_lines_item *item,
            struct iris_err *err)
{
    static const char columns[] =
        "j0 dj0/drho dj0/dx_H2 dj0/dT alpha0 dalpha0/drho dalpha0/dx_H2 dalpha0/dT";
    static const char cgs_units[] = "erg/s/cm^3/sr erg/s/g/sr erg/s/cm^3/sr erg/s/cm^3/sr/K "
                                    "Hz/cm Hz*cm^2/g Hz/cm Hz/cm/K";
    const struct iris_line_table *t = &item->table;
    hsize_t size[4] = {t->n_N, t->n_x, t->n_T, IRIS_NODE};
    char content[IRIS_DIGEST_TEXT];
    enum iris_status st = IRIS_OK;
    double to_cgs[IRIS_NODE];
    hid_t dataset;

    cgs_of_columns(&item->law.units, to_cgs);
    iris_digest_memory(t->node, iris_line_table_size(t) * sizeof *t->node, content);
    dataset = iris_h5_put_array(group, "node", 4, size, t->node);
    if (dataset < 0 || iris_h5_put_text(dataset, "columns", columns) ||
        iris_h5_put_text(dataset, "unit", "processing") ||
        iris_h5_put_text(dataset, "cgs_unit", cgs_units) ||
        iris_h5_put(dataset, "to_cgs", H5T_IEEE_F64LE, H5T_NATIVE_DOUBLE, IRIS_NODE, to_cgs) ||
        iris_h5_put_text(dataset, "content", content))
        st = fail(w, "node", err);
    if (dataset >= 0 && H5Dclose(dataset) < 0 && !st)
        st = fail(w, "node", err);
    return st;
}

static enum iris_status
write_settings(const struct writer *w, hid_t line, size_t i, struct iris_err *err)
{
    hid_t group = H5Gcreate2(line, "settings", H5P_DEFAULT, H5P_DEFAULT, H5P_DEFAULT);
    enum iris_status st = IRIS_OK;
    struct iris_buf value = {0};
    size_t k;

    if (group < 0)
        st = fail(w, "settings", err);
    for (k = 0; k < iris_table_key_count && !st; k++) {
        iris_buf_clear(&value);
        st = iris_hyper_table_value(w->h, iris_table_keys[k], i, &value, err);
        if (!st && iris_h5_put_text(group, iris_table_keys[k], iris_buf_str(&value)))
            st = fail(w, iris_table_keys[k], err);
    }
    if (group >= 0)
        H5Gclose(group);
    iris_buf_release(&value);
    return st;
}

static int
put_molecule(hid_t group, const struct iris_lines_item *item)
{
    const struct iris_molecule *m = &item->molecule;
    const struct iris_transition *t = iris_molecule_transition(m, item->law.upper, item->law.lower);

    return iris_h5_put_text(group, "molecule", m->name ? m->name : "") ||
           iris_h5_put_text(group, "content", item->content) ||
           iris_h5_put_double(group, "weight_u", m->weight) ||
           iris_h5_put_int(group, "levels", (int)m->n) ||
           iris_h5_put_int(group, "upper", (int)t->upper) ||
           iris_h5_put_int(group, "lower", (int)t->lower) ||
           iris_h5_put_double(group, "frequency_Hz", t->GHz * 1e9) ||
           iris_h5_put_double(group, "einstein_A_per_s", t->A);
}

static enum iris_status
write_line(const struct writer *w, size_t i, struct iris_err *err)
{
    const struct iris_lines_item *item = &w->lines->line[i];
    char *name = iris_format("line%zu", i);
    enum iris_status st = IRIS_OK;
    hid_t group;
    int axis;

    if (!name)
        return iris_fail_memory(err);
    group = H5Gcreate2(w->file, name, H5P_DEFAULT, H5P_DEFAULT, H5P_DEFAULT);
    if (group < 0 || put_molecule(group, item))
        st = fail(w, name, err);
    if (!st)
        st = write_settings(w, group, i, err);
    for (axis = 0; axis < IRIS_LINES_AXES && !st; axis++)
        st = write_axis(w, group, item, axis, err);
    if (!st)
        st = write_nodes(w, group, item, err);
    if (group >= 0)
        H5Gclose(group);
    free(name);
    return st;
}

enum iris_status
iris_lines_write(const struct iris_lines *l, const struct iris_hyper *h, struct iris_outfile *out,
                 struct iris_err *err)
{
    struct writer w = {.lines = l, .h = h, .path = out->tmp};
    enum iris_status st = IRIS_OK;
    size_t i;

    iris_h5_begin();
    w.file = iris_h5_create(out->tmp, 1);
    if (w.file < 0 || iris_h5_put_text(w.file, "format", IRIS_LINES_FORMAT) ||
        iris_h5_put_int(w.file, "version", IRIS_LINES_VERSION) ||
        iris_h5_put_int(w.file, "lines", (int)l->n))
        st = fail(&w, "/", err);
    for (i = 0; i < l->n && !st; i++)
        st = write_line(&w, i, err);
    if (!st && iris_h5_put_int(w.file, "complete", 1))
        st = fail(&w, "/", err);
    if (w.file >= 0 && H5Fclose(w.file) < 0 && !st)
        st = fail(&w, "/", err);
    if (!st)
        return iris_outfile_commit(out, err);
    iris_outfile_abort(out);
    return st;
}
