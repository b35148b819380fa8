#include "checking.h"

#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "entry.h"
#include "unitset.h"

void
iris_check_broken(struct checking *job, const char *fmt, ...)
{
    char text[1200];
    va_list ap;

    va_start(ap, fmt);
    vsnprintf(text, sizeof text, fmt, ap);
    va_end(ap);
    job->c->found++;
    job->c->broken(job->c->self, text);
}

void
iris_check_why(struct checking *job, const char *id, const struct iris_err *why)
{
    if (why->is_memory)
        job->is_out_of_memory = 1;
    else if (id)
        iris_check_broken(job, "entry '%s': %s", id, why->msg);
    else
        iris_check_broken(job, "%s", why->msg);
}

void
iris_check_hyper(struct checking *job, const struct iris_hyper *h)
{
    struct iris_unit_factors units;
    struct iris_scaling scaling;
    struct iris_err err = {0};
    enum iris_status st;

    st = iris_hyper_check_type(h, job->type, &err);
    if (!st) {
        iris_hyper_get_units(h, &units);
        if (!iris_unitset_complete(job->type, &units))
            st = iris_fail(&err, IRIS_E_DATA, "no complete set of units");
    }
    if (!st)
        st = iris_unitset_scaling(job->type, &units, &scaling, &err);
    if (st) {
        if (!err.is_memory)
            iris_fail_in(&err, "'%s'", job->hyper_name);
        iris_check_why(job, NULL, &err);
        return;
    }
    memcpy(job->units, scaling.digest, sizeof job->units);
    iris_hyper_settings(h, &job->settings);
}

static int
compare_ids(const void *a, const void *b)
{
    return strcmp(*(const char *const *)a, *(const char *const *)b);
}

static enum iris_status
check_unique(struct checking *job, struct iris_err *err)
{
    const struct iris_manifest *m = &job->manifest;
    const char **id = calloc(m->n_rows + 1, sizeof *id);
    size_t r;

    if (!id)
        return iris_fail_memory(err);
    for (r = 0; r < m->n_rows; r++) {
        id[r] = iris_manifest_get(m, r, "id");
        id[r] = id[r] ? id[r] : "";
    }
    qsort(id, m->n_rows, sizeof *id, compare_ids);
    for (r = 1; r < m->n_rows; r++) {
        if (!strcmp(id[r], id[r - 1]))
            iris_check_broken(job, "entry '%s' is there twice", id[r]);
    }
    free(id);
    return IRIS_OK;
}

/* Where an array must lie, by its row. */
static void
check_place(struct checking *job, const struct iris_entry *e, const char *units)
{
    struct iris_buf path = {0};
    size_t k;

    for (k = 0; k < e->n_kinds; k++) {
        iris_buf_clear(&path);
        iris_entry_path(&path, e->digest, units, e->snapshot, e->point, e->kind[k]);
        if (path.failed)
            job->is_out_of_memory = 1;
        else if (strcmp(iris_buf_str(&path), e->path[k]))
            iris_check_broken(job, "entry '%s': its array is '%s', but belongs at '%s'", e->id,
                              e->path[k], iris_buf_str(&path));
    }
    iris_buf_release(&path);
}

static void
check_arrays(struct checking *job, const struct iris_entry *e)
{
    struct iris_scan scan[2];
    struct iris_err err = {0};
    size_t k;

    if (iris_verify_row(&job->verifier, e, scan, &err)) {
        iris_check_why(job, e->id, &err);
        return;
    }
    for (k = 0; k < e->n_kinds; k++) {
        struct iris_shape x;

        job->c->arrays++;
        iris_kind_shape(e->kind[k], e->type, &job->settings, &x);
        if (*job->units && !iris_shape_equal(&scan[k].shape, &x))
            iris_check_broken(job, "entry '%s': '%s' has another shape than %s gives", e->id,
                              e->path[k], job->hyper_name);
        if (!e->hash[k])
            iris_check_broken(job, "entry '%s': '%s' has no hash", e->id, e->path[k]);
        if (scan[k].count > 1 && scan[k].min >= scan[k].max)
            iris_check_broken(job, "entry '%s': '%s' is constant (%g)", e->id, e->path[k],
                              (double)scan[k].min);
    }
}

static void
check_entry(struct checking *job, size_t row)
{
    const char *units = iris_manifest_get(&job->manifest, row, "units");
    struct iris_err err = {0};
    struct iris_entry e;
    int there = 0;

    job->c->entries++;
    if (iris_entry_get(&job->manifest, row, &e, &err)) {
        iris_check_why(job, NULL, &err);
        return;
    }
    if (e.type != job->type)
        iris_check_broken(job, "entry '%s' is of type %s, the data set of type %s", e.id,
                          iris_type_name(e.type), iris_type_name(job->type));
    if (e.state != IRIS_NORMALIZED || !units) {
        iris_check_broken(job, "entry '%s' is not in IRIS units", e.id);
        return;
    }
    if (*job->units && strcmp(units, job->units))
        iris_check_broken(job, "entry '%s' is in the units %s, %s has %s", e.id, units,
                          job->hyper_name, job->units);
    check_place(job, &e, units);
    if (iris_verifier_settings(&job->verifier, e.digest, &there, &err)) {
        iris_check_why(job, e.id, &err);
        return;
    }
    if (!there)
        iris_check_broken(
            job, "entry '%s': the settings of its digest, 'entries/%s/settings.json', are missing",
            e.id, e.digest);
    check_arrays(job, &e);
}

enum iris_status
iris_check_rows(struct checking *job, struct iris_err *err)
{
    size_t r, n = job->manifest.n_rows;

    if (check_unique(job, err))
        return err->status;
    for (r = 0; r < n && !job->is_out_of_memory; r++) {
        check_entry(job, r);
        if (job->c->pause && job->c->pause(job->c->self, r + 1, n))
            return iris_fail(err, IRIS_E_RETRY,
                             "stopped by a signal with %zu of %zu entries checked", r + 1, n);
    }
    return job->is_out_of_memory ? iris_fail_memory(err) : IRIS_OK;
}
