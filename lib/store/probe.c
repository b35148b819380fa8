#include "probe.h"

#include <inttypes.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "elementary.h"
#include "h5.h"
#include "num.h"
#include "probe_fields.h"
#include "probe_trial.h"

/* One snapshot. */
struct probe {
    struct iris_manifest *m;
    const char *id, *path;
    uint64_t files;
    const struct iris_hyper *hyper;
    struct iris_settings before; /* its settings, which are not enough */
    struct iris_probe_fields fields;
    enum iris_status st; /* of the rows */
    struct iris_err *err;
};

enum iris_status
iris_probe_manifest(struct iris_manifest *m, struct iris_err *err)
{
    static const char *const columns[] = {"snapshot", "item", "name", "value", "unit", "note"};
    enum iris_status st = iris_manifest_init(m, "probes", err);
    size_t i, unused;

    for (i = 0; i < sizeof columns / sizeof columns[0] && !st; i++)
        st = iris_manifest_column(m, columns[i], "str", &unused, err);
    return st;
}

/* A row; a NULL is a missing field. After a failure nothing is added. */
static void
put(struct probe *p, const char *item, const char *name, const char *value, const char *unit,
    const char *note)
{
    const char *const field[] = {p->id, item, name, value, unit, note};
    size_t row, i;

    if (!p->st)
        p->st = iris_manifest_add_row(p->m, &row, p->err);
    for (i = 0; i < p->m->n_columns && !p->st; i++)
        p->st = iris_manifest_set(p->m, row, p->m->column[i].name, field[i], p->err);
}

static void
put_number(struct probe *p, const char *item, const char *name, double v, const char *unit,
           const char *note)
{
    char text[IRIS_F64_TEXT];

    put(p, item, name, iris_format_f64(v, text), unit, note);
}

static void
put_count(struct probe *p, const char *item, uint64_t n, const char *unit)
{
    char text[24];

    snprintf(text, sizeof text, "%" PRIu64, n);
    put(p, item, NULL, text, unit, NULL);
}

/* Two or three numbers in one field: all digits of what the file holds, six of what
 * is computed from it. */
enum { EXACT = 0, ROUNDED = 1 };
static void
put_numbers(struct probe *p, const char *item, const char *name, const double *v, size_t n,
            int rounded, const char *unit, const char *note)
{
    struct iris_buf text = {0};
    char one[IRIS_F64_TEXT];
    size_t i;

    for (i = 0; i < n; i++) {
        if (rounded)
            snprintf(one, sizeof one, "%.6g", v[i]);
        else
            iris_format_f64(v[i], one);
        iris_buf_printf(&text, "%s%s", i ? " " : "", one);
    }
    if (!p->st)
        p->st = iris_buf_check(&text, p->err);
    put(p, item, name, iris_buf_str(&text), unit, note);
    iris_buf_release(&text);
}

/* ---- what the files say ---- */

static void
put_units(struct probe *p, const struct iris_part *part)
{
    static const char *const unit[IRIS_UNITS] = {
        [IRIS_UNIT_LENGTH] = "cm", [IRIS_UNIT_VELOCITY] = "cm/s", [IRIS_UNIT_MASS] = "g"};
    struct iris_snapshot_meta m = {0};
    const double *value[IRIS_UNITS] = {[IRIS_UNIT_LENGTH] = &m.length_cm,
                                       [IRIS_UNIT_VELOCITY] = &m.velocity_cm_per_s,
                                       [IRIS_UNIT_MASS] = &m.mass_g};
    int i;

    iris_snapshot_find_units(part, &m, NULL);
    for (i = 0; i < IRIS_UNITS; i++) {
        const char *name = iris_snapshot_unit_name(i);

        if (m.where[i])
            put_number(p, "unit", name, *value[i], unit[i], m.where[i]);
        else
            put(p, "missing", name, NULL, unit[i], "needed for all data");
    }
}

static void
put_header(struct probe *p, const struct iris_part *part)
{
    static const char *const name[] = {"Time", "Redshift", "ComovingIntegrationOn", "HubbleParam",
                                       "BoxSize"};
    const char *group;
    double v;
    size_t i;

    for (i = 0; i < sizeof name / sizeof name[0]; i++) {
        if (iris_snapshot_attribute(part->file, name[i], &v, &group))
            put_number(p, "header", name[i], v, NULL, group);
    }
}

/* Which data sets have to have a dataset, with the settings as they were. */
static const char *
needed(const struct probe *p, const char *path)
{
    struct iris_snapshot_job simple = {.s = &p->before}, all = simple;
    const char *word = NULL;
    int d;

    iris_snapshot_job_want(&simple, iris_snapshot_fields(IRIS_SIMPLE));
    iris_snapshot_job_want(&all, iris_snapshot_fields(IRIS_STANDARD));
    for (d = 0; d < LOADED; d++) {
        if (all.wanted[d] && !strcmp(path, iris_snapshot_path((enum iris_snapshot_dataset)d)))
            word = simple.wanted[d] ? "needed for all data"
                                    : "needed for standard and synthetic data";
    }
    return word;
}

static void
put_fields(struct probe *p)
{
    size_t i;
    int d;

    for (i = 0; i < p->fields.n; i++) {
        const struct iris_probe_field *f = &p->fields.field[i];
        char shape[64];

        if (f->rank > 1)
            snprintf(shape, sizeof shape, "(%" PRIuHSIZE ", %" PRIuHSIZE ")", f->rows, f->columns);
        else
            snprintf(shape, sizeof shape, "(%" PRIuHSIZE ",)", f->rows);
        put(p, "dataset", f->path, shape, f->type, needed(p, f->path));
    }
    for (d = 0; d < LOADED; d++) {
        const char *path = iris_snapshot_path((enum iris_snapshot_dataset)d);

        if (!iris_probe_fields_find(&p->fields, path) && needed(p, path))
            put(p, "missing", path, NULL, NULL, needed(p, path));
    }
}

/* Everything that can be had without reading cells; of a damaged file less. */
static void
put_files(struct probe *p)
{
    uint64_t bytes = 0, k;
    struct iris_part part;

    put(p, "path", NULL, p->path, NULL, NULL);
    put_count(p, "files", p->files, NULL);
    for (k = 0; k < p->files && !p->st; k++) {
        struct iris_err unused;

        if (iris_snapshot_open_part(p->path, k, p->files, &part, &unused))
            continue; /* the trial says it */
        bytes += part.bytes;
        if (k == 0) {
            put_header(p, &part);
            put_units(p, &part);
        }
        if (!p->st)
            p->st = iris_probe_fields_add(&p->fields, part.file, p->err);
        iris_snapshot_close_part(&part);
    }
    put_count(p, "bytes", bytes, "B");
    put_fields(p);
}

static int
has_masses(const struct probe *p, size_t cells)
{
    const struct iris_probe_field *f = iris_probe_fields_find(&p->fields,
                                                              iris_snapshot_path(MASSES));

    return f && f->numbers && f->rows == cells && f->columns == 1;
}

/* ---- what the cells say ---- */

static void
put_range(struct probe *p, const char *name, const struct iris_limits *r, double factor,
          const char *unit)
{
    const double v[2] = {r->lo * factor, r->hi * factor};

    if (r->lo <= r->hi)
        put_numbers(p, "range", name, v, 2, ROUNDED, unit, NULL);
}

static void
put_ranges(struct probe *p, const struct iris_trial *t, int all)
{
    static const char *const axis[] = {"velocity_x", "velocity_y", "velocity_z"};
    const struct iris_settings *s = &t->s;
    double density = s->writer.mass_g /
                     (s->writer.length_cm * s->writer.length_cm * s->writer.length_cm);
    int k;

    put_range(p, "density", &t->cells.rho, density, "g cm-3");
    for (k = 0; k < 3; k++)
        put_range(p, axis[k], &t->cells.v[k], s->writer.velocity_cm_per_s / 1e5, "km/s");
    if (all)
        put_range(p, "temperature", &t->cells.T, s->writer.temperature_K, "K");
    if (all && isnan(s->suite.dust_temperature))
        put_range(p, "dust_temperature", &t->cells.dust, s->writer.temperature_K, "K");
    if (!s->dataset.use_abundances)
        return;
    put_range(p, "H2", &t->cells.H2, 1, NULL);
    if (all)
        put_range(p, "CO", &t->cells.CO, 1, NULL);
}

static double
parsecs(const struct iris_trial *t)
{
    return t->meta.length_cm * t->meta.coordinate_factor / (t->s.dataset.meters_per_parsec * 100);
}

static void
put_place(struct probe *p, const struct iris_trial *t, const char *name, const double x[3],
          const char *note)
{
    double pc[3];
    int k;

    for (k = 0; k < 3; k++)
        pc[k] = x[k] * parsecs(t);
    put_numbers(p, "place", name, x, 3, EXACT, "code", note);
    put_numbers(p, "place", name, pc, 3, ROUNDED, "pc", note);
}

/* Whether cells reach both faces, to their mean distance. */
static int
fills(const struct iris_trial *t, int k)
{
    double near = t->meta.box / iris_pow((double)t->cells.n, 1.0 / 3);

    return t->meta.box > 0 && t->cells.x[k].lo < near && t->cells.x[k].hi > t->meta.box - near;
}

static void
put_extent(struct probe *p, const struct iris_trial *t)
{
    static const char *const axis[] = {"x", "y", "z"};
    int k;

    for (k = 0; k < 3; k++) {
        const struct iris_limits *x = &t->cells.x[k];
        const double v[2] = {x->lo, x->hi}, pc[2] = {x->lo * parsecs(t), x->hi * parsecs(t)};

        put_numbers(p, "extent", axis[k], v, 2, EXACT, "code", NULL);
        put_numbers(p, "extent", axis[k], pc, 2, ROUNDED, "pc", NULL);
    }
    for (k = 0; k < 3 && t->meta.box > 0; k++) {
        int outside = t->cells.x[k].lo < 0 || t->cells.x[k].hi > t->meta.box;

        put(p, "fills_box", axis[k],
            outside       ? "outside"
            : fills(t, k) ? "yes"
                          : "no",
            NULL,
            t->meta.closed[k]                  ? "reflective"
            : t->meta.faces == IRIS_FACES_OPEN ? "not said"
                                               : "periodic");
    }
}

static void
put_places(struct probe *p, const struct iris_trial *t)
{
    const struct iris_probe_cells *c = &t->cells;
    int weighted = !c->no_mass && c->mass > 0 && isfinite(c->mass), k;
    double x[3];

    for (k = 0; k < 3; k++)
        x[k] = t->meta.box / 2;
    if (t->meta.box > 0)
        put_place(p, t, "middle_of_box", x, NULL);
    for (k = 0; k < 3; k++)
        x[k] = weighted ? c->mass_sum[k] / c->mass : c->sum[k] / (double)c->n;
    put_place(p, t, "centre_of_mass", x, weighted ? NULL : "as if all cells had the same mass");
    put_place(p, t, "densest_cell", c->densest, NULL);
}

/* ---- what to set ---- */

static void
put_setting(struct probe *p, const char *item, const struct iris_need *need)
{
    struct iris_buf text = {0};

    iris_buf_printf(&text, "%s=%s", need->key, need->value);
    if (!p->st)
        p->st = iris_buf_check(&text, p->err);
    put(p, item, need->key, iris_buf_str(&text), NULL, need->why);
    iris_buf_release(&text);
}

/* Far: more than a hundredth of the box. */
static void
put_hint_centre(struct probe *p, const struct iris_trial *t)
{
    char value[4 * IRIS_F64_TEXT], x[3][IRIS_F64_TEXT];
    double d2 = 0;
    int k;

    for (k = 0; k < 3; k++) {
        double d = t->cells.densest[k] - t->meta.box / 2;

        d2 += d * d;
        iris_format_f64(t->cells.densest[k], x[k]);
    }
    if (t->s.suite.centre != IRIS_CENTRE_BOX || !(sqrt(d2) > t->meta.box / 100))
        return;
    snprintf(value, sizeof value, "[%s,%s,%s]", x[0], x[1], x[2]);
    put_setting(p, "hint",
                &(struct iris_need){"suite_hyper.centre", value,
                                    "its densest cell is far from the middle of the box"});
}

/* Without chemistry there is nothing that has a line. */
static void
put_hint_abundance(struct probe *p, const struct iris_trial *t)
{
    struct iris_buf now = {0};
    struct iris_err err = {0};

    if (!t->s.dataset.use_abundances &&
        !iris_hyper_value(p->hyper, "suite_hyper.abundance", &now, &err) &&
        !strcmp(iris_buf_str(&now), "null"))
        put_setting(p, "hint",
                    &(struct iris_need){"suite_hyper.abundance", "{\"per_H\":2e-06}",
                                        "synthetic data: without chemistry the molecules of a line "
                                        "are as many as this says; the number is a choice"});
    iris_buf_release(&now);
}

static void
put_hints(struct probe *p, const struct iris_trial *t)
{
    const struct iris_probe_field *f = iris_probe_fields_find(&p->fields,
                                                              iris_snapshot_path(ABUNDANCES));
    int open = t->meta.closed[0] && t->meta.closed[1] && t->meta.closed[2];

    put_hint_centre(p, t);
    put_hint_abundance(p, t);
    if (t->meta.faces == IRIS_FACES_GUARD)
        put_setting(p, "hint",
                    &(struct iris_need){"suite_hyper.periodic", "true",
                                        "its box is periodic: without, a view that comes near a "
                                        "face fails"});
    else if (t->meta.faces == IRIS_FACES_OPEN && !open && fills(t, 0) && fills(t, 1) && fills(t, 2))
        put_setting(p, "hint",
                    &(struct iris_need){"suite_hyper.periodic", "true",
                                        "its cells fill the box, which may be periodic"});
    if (f && f->columns == 9 && t->s.dataset.use_abundances && t->s.dataset.CO_column != 5)
        put_setting(p, "hint",
                    &(struct iris_need){"dataset_hyper.AREPO_CO_abundance_id", "5",
                                        "of nine species CO is this one, usually"});
}

static void
put_taken(struct probe *p, const char *type, const struct iris_trial *t)
{
    put(p, "taken", type, t->status ? "no" : "yes", NULL, t->status ? t->err.msg : NULL);
}

/* A warning is a line of its own. */
static void
put_warnings(struct probe *p, const struct iris_trial *t)
{
    const char *line = iris_buf_str(&t->warnings), *end;

    for (; (end = strchr(line, '\n')); line = end + 1) {
        struct iris_buf text = {0};

        iris_buf_append(&text, line, (size_t)(end - line));
        put(p, "warning", NULL, NULL, NULL, iris_buf_str(&text));
        iris_buf_release(&text);
    }
}

static void
put_trial(struct probe *p, const struct iris_trial *t, int all)
{
    size_t i;

    put_count(p, "cells", t->cells.n, NULL);
    put_warnings(p, t);
    put_extent(p, t);
    put_places(p, t);
    put_ranges(p, t, all);
    for (i = 0; i < t->n_needs; i++)
        put_setting(p, "needs", &t->need[i]);
    put_hints(p, t);
}

static size_t
claimed_cells(const struct probe *p)
{
    const struct iris_probe_field *f = iris_probe_fields_find(&p->fields,
                                                              iris_snapshot_path(COORDINATES));

    return f ? (size_t)f->rows : 0;
}

static enum iris_status
try(const struct probe *p, enum iris_type type, const struct iris_hyper *h, struct iris_trial *t,
    struct iris_err *err)
{
    struct iris_hyper *own = NULL;
    enum iris_status st = iris_hyper_copy(h, &own, err);

    if (!st)
        st = iris_trial_run(t, p->path, p->files, iris_snapshot_fields(type),
                            has_masses(p, claimed_cells(p)), own, err);
    iris_hyper_free(own);
    return st;
}

/* With all that any data need; if that cannot be had, with what simple data need. */
static void
put_trials(struct probe *p, const struct iris_hyper *h, int *taken, struct iris_err *why)
{
    struct iris_trial full = {0}, simple = {0};

    p->st = p->st ? p->st : try(p, IRIS_STANDARD, h, &full, p->err);
    if (!p->st && full.status)
        p->st = try(p, IRIS_SIMPLE, h, &simple, p->err);
    if (!p->st) {
        *taken = !full.status || !simple.status;
        put_taken(p, "simple", full.status ? &simple : &full);
        put_taken(p, "standard", &full);
        put_taken(p, "synthetic", &full);
        if (*taken)
            put_trial(p, full.status ? &simple : &full, !full.status);
        else
            *why = simple.err;
    }
    iris_trial_release(&full);
    iris_trial_release(&simple);
}

enum iris_status
iris_probe_add(struct iris_manifest *m, const char *id, const char *path, uint64_t files,
               const struct iris_hyper *h, int *taken, struct iris_err *why, struct iris_err *err)
{
    struct probe p = {.m = m, .id = id, .path = path, .files = files, .hyper = h, .err = err};

    *taken = 0;
    iris_h5_quiet();
    iris_hyper_settings(h, &p.before);
    put_files(&p);
    put_trials(&p, h, taken, why);
    iris_probe_fields_release(&p.fields);
    return p.st;
}
