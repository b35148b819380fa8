#include <stdio.h>
#include <stdlib.h>

#include "gen_master.h"

/* Tables are not needed to finish a point. */
static enum iris_status
no_tables(void *self, const struct iris_lines **lines, struct iris_err *err)
{
    (void)self;
    (void)lines;
    return iris_fail(err, IRIS_E_BUG, "who finishes points observes none");
}

static int
never(void *self)
{
    (void)self;
    return 0;
}

static enum iris_status
turn(struct gen_finisher *f, const struct gen_job *job, const struct iris_variant *v,
     struct iris_err *err)
{
    struct iris_tables tables = {no_tables, NULL};
    struct iris_pause pause = {never, NULL};
    enum iris_status st;

    if (f->variant == v)
        return IRIS_OK;
    gen_finisher_release(f);
    st = iris_maker_init(&f->maker, v->hyper, &v->run, job->o->dataset, &tables, pause, err);
    f->maker.kernels = job->kernels;
    f->variant = st ? NULL : v;
    return st;
}

enum iris_status
gen_finisher_parts(struct gen_finisher *f, const struct gen_job *job, const struct iris_variant *v,
                   struct iris_parts *parts, struct iris_err *err)
{
    enum iris_status st = turn(f, job, v, err);

    return st ? st : iris_maker_parts(&f->maker, parts, err);
}

void
gen_finisher_do(struct gen_finisher *f, struct gen_job *job, const struct iris_variant *v,
                const char *id, const struct gen_open *open, struct gen_result *r)
{
    char *name = iris_plan_name(v->digest, id, open->task.point);
    struct iris_flight_before before;
    struct iris_parts unused;
    struct iris_err err = {0};
    int publishing = 0;

    /* rank 0 may have something of its own in hand */
    iris_flight_interrupt(&job->flight, name ? name : "", &before);
    r->status = gen_finisher_parts(f, job, v, &unused, &err);
    f->maker.spent = (struct iris_spent){.read = 0};
    if (!r->status)
        r->status = iris_maker_finish(&f->maker, id, open->task.point, open->strips, open->gas,
                                      &publishing, &err);
    iris_flight_resume(&job->flight, &before);
    free(name);
    r->scope = publishing ? GEN_RUN : GEN_POINT;
    r->spent = f->maker.spent;
    r->waited = 0;
    snprintf(r->message, sizeof r->message, "%s", err.msg);
}

void
gen_finisher_release(struct gen_finisher *f)
{
    iris_maker_release(&f->maker);
    f->variant = NULL;
}
