#include "probe_trial.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

static void
widen(struct iris_limits *r, double v)
{
    if (!isfinite(v))
        return;
    r->lo = v < r->lo ? v : r->lo;
    r->hi = v > r->hi ? v : r->hi;
}

static void
start(struct iris_probe_cells *c)
{
    static const struct iris_limits none = {(double)INFINITY, -(double)INFINITY};
    int k;

    *c = (struct iris_probe_cells){.densest_rho = -(double)INFINITY};
    for (k = 0; k < 3; k++)
        c->x[k] = c->v[k] = none;
    c->rho = c->T = c->dust = c->H2 = c->CO = none;
}

static void
look_at(struct iris_probe_cells *c, const double x[3], const struct iris_gas *gas,
        const double *mass)
{
    int k;

    for (k = 0; k < 3; k++) {
        widen(&c->x[k], x[k]);
        widen(&c->v[k], (double)gas->v[k]);
        c->sum[k] += x[k];
        c->mass_sum[k] += mass ? *mass * x[k] : 0;
    }
    c->mass += mass ? *mass : 0;
    widen(&c->rho, (double)gas->rho);
    widen(&c->T, (double)gas->T);
    widen(&c->dust, (double)gas->T_dust);
    widen(&c->H2, (double)gas->x_H2);
    widen(&c->CO, (double)gas->x_CO);
    if ((double)gas->rho > c->densest_rho) {
        c->densest_rho = (double)gas->rho;
        memcpy(c->densest, x, sizeof c->densest);
    }
}

static enum iris_status
visit(void *self, const struct iris_snapshot_piece *piece, struct iris_err *err)
{
    const struct iris_cells *cells = piece->cells;
    struct iris_probe_cells *c = self;
    size_t i;

    (void)err;
    c->n += piece->n;
    c->no_mass |= !piece->mass;
    for (i = 0; i < piece->n; i++) {
        const double x[3] = {cells->x[i], cells->y[i], cells->z[i]};

        look_at(c, x, &cells->gas[i], piece->mass ? piece->mass + i : NULL);
    }
    return IRIS_OK;
}

/* What takes a snapshot that was refused. COLUMNS has three. */
static const struct {
    enum iris_remedy remedy;
    struct iris_need need;
} remedies[] = {
    {IRIS_REMEDY_CONVERT,
     {"suite_hyper.comoving", "\"convert\"", "its values have factors of a comoving run"}},
    {IRIS_REMEDY_CENTRE, {"suite_hyper.centre", "\"densest\"", "it has no positive BoxSize"}},
    {IRIS_REMEDY_ABUNDANCES,
     {"dataset_hyper.use_AREPO_abundances", "false", "it has no chemistry that can be used"}},
    {IRIS_REMEDY_COLUMNS,
     {"dataset_hyper.AREPO_H2_abundance_id", "0", "a column is set that it has not"}},
    {IRIS_REMEDY_COLUMNS,
     {"dataset_hyper.AREPO_H_plus_abundance_id", "1", "a column is set that it has not"}},
    {IRIS_REMEDY_COLUMNS,
     {"dataset_hyper.AREPO_CO_abundance_id", "2", "a column is set that it has not"}},
    {IRIS_REMEDY_DUST,
     {"suite_hyper.dust_temperature", "20.0",
      "it has no dust temperatures that can be used; 20 K is a choice"}},
};

static void
forget(struct iris_trial *t, size_t i)
{
    t->n_needs--;
    memmove(&t->need[i], &t->need[i + 1], (t->n_needs - i) * sizeof *t->need);
}

/* Columns are of no use without abundances. */
static void
forget_columns(struct iris_trial *t)
{
    size_t i = t->n_needs;

    while (i-- > 0) {
        if (strstr(t->need[i].key, "_abundance_id"))
            forget(t, i);
    }
}

static enum iris_status
make(struct iris_trial *t, const struct iris_need *need, struct iris_hyper *h, struct iris_err *err)
{
    struct iris_buf now = {0};
    enum iris_status st;

    st = iris_hyper_value(h, need->key, &now, err);
    if (!st && strcmp(iris_buf_str(&now), need->value) && t->n_needs < IRIS_NEEDS) {
        t->need[t->n_needs++] = *need;
        st = iris_hyper_set(h, need->key, need->value, err);
    }
    iris_buf_release(&now);
    return st;
}

/* Make the settings of a remedy; *made is 0 when they are made already. */
static enum iris_status
apply(struct iris_trial *t, enum iris_remedy remedy, struct iris_hyper *h, int *made,
      struct iris_err *err)
{
    size_t before = t->n_needs, i;
    enum iris_status st = IRIS_OK;

    for (i = 0; i < sizeof remedies / sizeof remedies[0] && !st; i++) {
        if (remedies[i].remedy == remedy)
            st = make(t, &remedies[i].need, h, err);
    }
    *made = t->n_needs > before;
    if (st || *made || remedy != IRIS_REMEDY_COLUMNS)
        return st;
    forget_columns(t);
    return apply(t, IRIS_REMEDY_ABUNDANCES, h, made, err);
}

void
iris_trial_release(struct iris_trial *t)
{
    free(t->meta.first);
    t->meta.first = NULL;
    iris_buf_release(&t->warnings);
}

static void
read_through(struct iris_trial *t, const char *path, uint64_t files, unsigned fields, int masses)
{
    struct iris_snapshot_info info = {0};

    iris_trial_release(t);
    t->meta = (struct iris_snapshot_meta){0};
    start(&t->cells);
    t->status = iris_snapshot_survey(path, files, &t->s, &t->meta, &info, &t->err);
    t->warnings = info.warnings;
    if (!t->status)
        t->status = iris_snapshot_walk(path, files, &t->s, fields,
                                       masses ? IRIS_MASSES_IF_ANY : IRIS_MASSES_UNREAD, &t->meta,
                                       visit, &t->cells, &t->err);
}

enum iris_status
iris_trial_run(struct iris_trial *t, const char *path, uint64_t files, unsigned fields, int masses,
               struct iris_hyper *h, struct iris_err *err)
{
    enum iris_status st = IRIS_OK;
    int again = 1;

    *t = (struct iris_trial){0};
    while (again && !st) {
        iris_hyper_settings(h, &t->s);
        t->s.observer.T_inf = (double)INFINITY; /* show what hot gas has */
        read_through(t, path, files, fields, masses);
        again = t->status && t->meta.remedy != IRIS_REMEDY_NONE;
        if (again)
            st = apply(t, t->meta.remedy, h, &again, err);
    }
    return st;
}
