#include <inttypes.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "clock.h"
#include "gen.h"

/* ---- settings: the same on all ranks ---- */

/* Molecular files and tables are looked at before anything is made. */
static enum iris_status
check_lines(const struct gen_options *o, const struct iris_hyper *h, struct iris_err *err)
{
    struct iris_buf warnings = {0};
    struct iris_lines lines = {0};
    enum iris_status st;

    st = iris_lines_init(&lines, h, &warnings, err);
    if (!st && !o->lines) /* who made the tables has been told */
        iris_cli_warn_lines(&o->cli, &warnings);
    if (!st && o->lines)
        st = iris_lines_verify(&lines, h, o->lines, err);
    iris_lines_release(&lines);
    iris_buf_release(&warnings);
    return st;
}

/* Rank 0 reads the settings. */
static enum iris_status
prepare(const struct gen_options *o, struct iris_hyper **h, struct iris_err *err)
{
    const struct iris_kernels *kernels;
    enum iris_status st;

    st = iris_cli_kernels(&kernels, err);
    if (!st)
        st = iris_hyper_read(o->hyper, h, err);
    if (!st) {
        st = iris_hyper_check_type(*h, o->type, err);
        if (!st && (o->mode == GEN_MAKE || o->mode == GEN_ESTIMATE))
            st = iris_maker_room(*h, o->type, err);
        if (st)
            iris_fail_in(err, "%s", o->hyper);
    }
    if (!st)
        st = iris_hyper_resolve_paths(*h, err);
    if (!st && o->type == IRIS_SYNTHETIC && o->mode != GEN_DIGEST)
        st = check_lines(o, *h, err);
    /* nothing is made for a manifest that cannot be had */
    if (!st && o->mode != GEN_DIGEST && strcmp(o->input, "-") && access(o->input, R_OK))
        st = iris_fail(err, IRIS_E_IO, "cannot open '%s':", o->input);
    return st;
}

/* Rank 0 takes the data set for all. */
static enum iris_status
take_dataset(const struct gen_options *o, struct iris_pool *pool, struct iris_dataset *dataset,
             struct iris_err *err)
{
    enum iris_status st = IRIS_OK;

    if (!iris_pool_rank(pool)) {
        st = iris_dataset_open(dataset, o->dataset, IRIS_DATASET_CREATE, err);
        if (!st)
            st = iris_dataset_lock(dataset, o->run, err);
        if (!st)
            st = iris_dataset_autopsy(dataset, err);
    }
    return gen_hear(pool, st, err);
}

/* Rank 0's status, the name of its settings, their text. */
static enum iris_status
tell_settings(struct iris_pool *pool, const char *name, const struct iris_hyper *h,
              enum iris_status mine, struct iris_buf *message, struct iris_err *err)
{
    if (!iris_pool_rank(pool)) {
        iris_buf_printf(message, "%d", (int)mine);
        iris_buf_putc(message, '\0');
        iris_buf_append(message, name, strlen(name) + 1);
        if (!mine) /* a message without memory is told as that */
            (void)iris_hyper_print(h, message, err);
    }
    return iris_pool_broadcast(pool, message, err);
}

/* A node reads the settings once; there and on the command line they may be others
 * than rank 0's, so that has to be seen. Where there is no such file they are rank
 * 0's; what is no file could not be read twice. */
static int
reads_itself(const struct gen_options *o, const struct iris_pool *pool, const char *name)
{
    struct stat sb;

    return iris_pool_rank(pool) && (!iris_pool_node(pool)->rank || strcmp(o->hyper, name)) &&
           !stat(o->hyper, &sb) && S_ISREG(sb.st_mode);
}

static enum iris_status
take_settings(const struct gen_options *o, const struct iris_pool *pool,
              const struct iris_buf *message, struct iris_hyper **h, struct iris_err *err)
{
    const char *name, *text;
    enum iris_status st;

    if (!iris_pool_rank(pool))
        return IRIS_OK;
    name = message->data + strlen(message->data) + 1;
    text = name + strlen(name) + 1;
    if (!reads_itself(o, pool, name))
        return iris_hyper_parse(text, message->len - (size_t)(text - message->data), o->hyper, NULL,
                                h, err);
    st = iris_hyper_read(o->hyper, h, err);
    if (!st)
        st = iris_hyper_check_type(*h, o->type, err);
    return st ? st : iris_hyper_resolve_paths(*h, err);
}

static struct iris_variant_law
law_of(const struct gen_options *o, const struct iris_hyper *h)
{
    return (struct iris_variant_law){.hyper = h,
                                     .type = o->type,
                                     .has_seed = o->cli.has_seed,
                                     .seed = o->cli.seed,
                                     .round = o->round,
                                     .precise = o->precise};
}

/* All ranks come to the same settings, or to an end.
 *
 *   out  v    those without changes
 *   out  all  rank 0: the ranks
 */
static enum iris_status
agree(const struct gen_options *o, struct iris_pool *pool, struct iris_hyper **h,
      struct iris_variant **v, struct gen_rank **all, struct iris_err *err)
{
    struct iris_buf message = {0};
    struct iris_variant_law law;
    struct iris_err own = {0};
    enum iris_status st = IRIS_OK, told;

    if (!iris_pool_rank(pool))
        st = prepare(o, h, &own);
    told = tell_settings(pool, o->hyper, *h, st, &message, &own);
    if (!told && message.len)
        st = (enum iris_status)strtol(message.data, NULL, 10);
    if (!told && !st)
        st = take_settings(o, pool, &message, h, &own);
    if (!told && !st) {
        law = law_of(o, *h);
        st = iris_variant_new(v, &law, "", &own);
    }
    iris_buf_release(&message);
    if (told)
        return iris_fail(err, told, "%s", own.msg);
    return gen_meet(o, pool, st ? NULL : (*v)->digest, st ? &own : NULL, all, err);
}

/* ---- the run ---- */

static enum iris_status
lead(struct gen_job *job, const struct gen_rank *all, struct iris_err *err)
{
    struct iris_plan plan = {0};
    enum iris_status st;

    if (job->o->mode == GEN_ESTIMATE) {
        st = gen_estimate(job, all, err);
    } else {
        st = iris_plan_init(&plan, &job->law, job->dataset, err);
        if (!st)
            st = gen_master(job, all, &plan, err);
        if (iris_node_apart(job->cells))
            iris_cli_note(job->cli,
                          "loads of snapshots that a rank had to keep for itself: %" PRIu64,
                          iris_node_apart(job->cells));
        if (!st)
            st = gen_report(job->cli, &plan, err);
    }
    if (!job->broken)
        gen_dismiss(job, st);
    iris_plan_release(&plan);
    return st;
}

static int
pause_worker(void *self)
{
    struct gen_job *job = self;
    int signal_number = iris_cli_stop();

    iris_flight_alive(&job->flight);
    return (signal_number && signal_number != SIGUSR1) || gen_is_called_off(job);
}

/* What this rank does is on record while it does it. */
static void
open_records(struct gen_job *job)
{
    char *state = iris_dataset_state(job->o->dataset, job->o->run);
    char *path = state ? iris_format("%s/flight/rank%d", state, iris_pool_rank(job->pool)) : NULL;

    if (path && !iris_flight_open(&job->flight, path, NULL))
        iris_cli_mark(iris_flight_mark(&job->flight), iris_flight_fatal(&job->flight));
    gen_journal_open(job);
    free(path);
    free(state);
}

static void
close_records(struct gen_job *job)
{
    iris_cli_mark(NULL, NULL);
    iris_flight_close(&job->flight);
    gen_journal_close(job);
}

/* Who waits for a GPU is not at the point yet, and no run dies of it. */
static void
lay_aside(void *self, int waiting)
{
    struct gen_job *job = self;

    if (waiting) {
        iris_flight_interrupt(&job->flight, "", &job->laid_aside);
        iris_flight_end(&job->flight);
    } else if (*job->laid_aside.what) {
        iris_flight_begin(&job->flight, job->laid_aside.what);
    }
}

/* All ranks come here with the same settings. *alone is cleared when the others
 * know how this rank has ended. */
static enum iris_status
make(struct gen_job *job, const struct gen_rank *all, int *alone, struct iris_err *err)
{
    enum iris_status st;
    int told = 0;

    iris_cli_catch();
    job->pause = (struct iris_pause){pause_worker, job};
    cli_gpu_start(&job->gpu, &job->o->gpu, (size_t)iris_pool_node(job->pool)->rank,
                  iris_pool_node(job->pool)->size > 1, &job->pause);
    job->gpu.waits = lay_aside;
    job->gpu.waits_self = job;
    st = iris_node_start(&job->cells, job->pool, job->o->read_ahead + 1, err);
    if (!st)
        st = gen_lines_start(&job->lines, job->pool, job->o->lines, err);
    if (!st)
        st = iris_cli_kernels(&job->kernels, err);
    if (!job->looks_only)
        open_records(job);
    if (!st && iris_pool_rank(job->pool)) {
        st = gen_work(job, &told, err);
        *alone = !told;
    } else if (!st) {
        st = lead(job, all, err);
        *alone = job->broken;
    }
    if (!job->looks_only)
        close_records(job);
    iris_maker_release(&job->maker);
    cli_gpu_end(&job->gpu);
    iris_variant_free(job->variant);
    gen_lines_end(&job->lines);
    iris_node_free(job->cells);
    iris_buf_release(&job->heard);
    return st;
}

static enum iris_status
print_digest(const struct gen_options *o, const char *digest, struct iris_err *err)
{
    struct iris_buf text = {0};
    enum iris_status st;

    iris_buf_printf(&text, "%s\n", digest);
    st = iris_cli_write(&o->cli, &text, err);
    iris_buf_release(&text);
    return st;
}

static enum iris_status
run(const struct gen_options *o, struct iris_pool *pool, double start, int *alone,
    struct iris_err *err)
{
    struct iris_dataset dataset = IRIS_DATASET_INIT;
    struct iris_hyper *h = NULL;
    struct iris_variant *v = NULL;
    struct gen_rank *all = NULL;
    enum iris_status st;

    st = o->mode == GEN_INFO ? gen_meet(o, pool, "", NULL, &all, err)
                             : agree(o, pool, &h, &v, &all, err);
    if (!st && o->mode == GEN_MAKE)
        st = take_dataset(o, pool, &dataset, err);
    if (!st && (o->mode == GEN_MAKE || o->mode == GEN_ESTIMATE)) {
        struct gen_job job = {.o = o,
                              .cli = &o->cli,
                              .pool = pool,
                              .law = law_of(o, h),
                              .dataset = &dataset,
                              .flight = IRIS_FLIGHT_INIT,
                              .looks_only = o->mode == GEN_ESTIMATE,
                              .journal = -1,
                              .start = start};

        job.has_gpus = all && gen_have_gpus(o, all, (size_t)iris_pool_size(pool));
        *alone = 1;
        st = make(&job, all, alone, err);
    } else if (!st && !iris_pool_rank(pool)) { /* nobody waits */
        struct iris_variant_law law = law_of(o, h);

        st = o->mode == GEN_INFO     ? gen_info(&o->cli, all, (size_t)iris_pool_size(pool), err)
             : o->mode == GEN_DIGEST ? print_digest(o, v->digest, err)
                                     : gen_plan(o, &law, err);
    }
    gen_ranks_free(all, (size_t)iris_pool_size(pool));
    iris_variant_free(v);
    iris_hyper_free(h);
    iris_dataset_close(&dataset);
    return st;
}

int
main(int argc, char **argv)
{
    struct gen_options o = {.cli = IRIS_CLI_INIT(gen_usage), .gpu = CLI_GPU_INIT, .read_ahead = 1};
    double start = iris_seconds();
    struct iris_pool *pool = NULL;
    struct iris_err err = {0};
    enum iris_status st;
    int quiet = 0, alone = 0, status;

    iris_prog = "iris-gen";
    st = iris_pool_start(&pool, &err);
    if (!st) {
        quiet = iris_pool_rank(pool) != 0;
        if (quiet && !freopen("/dev/null", "w", stdout))
            quiet = 1; /* nothing is printed there all the same */
        st = gen_parse(argc, argv, &o, &err);
        st = gen_meet_parsed(pool, st, o.cli.done ? -1 : (int)o.mode, &err);
        if (!st && !o.cli.done)
            st = run(&o, pool, start, &alone, &err);
    }
    if (st && alone && pool && iris_pool_size(pool) > 1) {
        /* the others would wait for this rank for ever */
        fprintf(stderr, "%s: rank %d: %s\n", iris_prog, iris_pool_rank(pool), err.msg);
        iris_pool_abort(pool, (int)st);
    }
    if (quiet)
        err.msg[0] = '\0'; /* rank 0 speaks for all */
    /* a launcher ends the job when the first rank is gone with a failure, so all
     * is said before any rank goes */
    status = iris_finish(st, &err);
    iris_pool_finish(pool);
    return status;
}
