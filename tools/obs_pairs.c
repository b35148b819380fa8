#include <inttypes.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "dataset.h"
#include "maker.h"
#include "obs.h"
#include "verify.h"

struct work {
    struct obs *b;
    struct obs_rows rows;
    struct iris_dataset from, to;
    struct iris_verifier verifier; /* of from */
    struct iris_maker maker;
    int can_make; /* maker is ready */
    struct iris_pause pause;
    int told_device; /* somebody knows that the GPU is not used */
    struct iris_meter meter;
    struct iris_progress progress;
};

static enum iris_status
fail_item(struct work *w, struct obs_item *it, const char *message, struct iris_err *err)
{
    if (it->state == OBS_THERE)
        w->progress.skipped--;
    else
        w->progress.done++;
    it->state = OBS_FAILED;
    w->progress.failed++;
    iris_cli_note(&w->b->o->cli, "snapshot '%s' point %" PRIu32 ": %s", it->e.snapshot, it->e.point,
                  message);
    it->message = strdup(message);
    return it->message ? IRIS_OK : iris_fail_memory(err);
}

static int
pause_pairs(void *self)
{
    int signal_number = iris_cli_stop();
    struct work *w = self;

    iris_cli_progress(&w->b->o->cli, &w->meter, &w->progress, 0);
    /* SIGUSR1 asks for a calm end: the pair in hand is finished */
    return signal_number && signal_number != SIGUSR1;
}

/* ---- the items of one snapshot and digest ---- */

/* What is there, and what never can be. */
static enum iris_status
survey(struct work *w, struct obs_item *it, size_t n, struct iris_err *err)
{
    uint32_t points = (uint32_t)w->b->settings.writer.points_per_snapshot;
    unsigned char *done = calloc(points, 1);
    struct iris_source source;
    enum iris_status st;
    int found = 0;
    size_t i;

    st = done ? iris_dataset_done(&w->to, it->digest, it->e.snapshot,
                                  1u << IRIS_COLUMN | 1u << IRIS_OBSERVED, points, done, err)
              : iris_fail_memory(err);
    if (!st)
        st = iris_dataset_source(&w->to, it->digest, it->e.snapshot, &source, &found, err);
    for (i = 0; i < n && !st; i++) {
        if (found && done[it[i].e.point]) {
            it[i].state = OBS_THERE;
            w->progress.done++;
            w->progress.skipped++;
        } else if (it[i].e.state == IRIS_FAILED) {
            st = fail_item(w, &it[i], it[i].e.message ? it[i].e.message : "there is no tensor",
                           err);
        }
    }
    free(done);
    return st;
}

/* Claim the folder of the pairs for the snapshot that the tensors are of. */
static enum iris_status
claim(struct work *w, struct obs_item *it, size_t n, struct iris_err *err)
{
    int found = 0, foreign = 0, publishing = 0;
    struct iris_source source;
    struct iris_err why = {0};
    enum iris_status st, bad = IRIS_OK;
    size_t i, left = 0;

    for (i = 0; i < n; i++)
        left += it[i].state != OBS_FAILED;
    if (!left)
        return IRIS_OK;
    st = iris_dataset_source(&w->from, it->e.digest, it->e.snapshot, &source, &found, &why);
    if (!st && !found)
        st = iris_fail(&why, IRIS_E_DATA,
                       "the data set of the tensors has no record of the snapshot");
    if (!st)
        st = iris_maker_adopt(&w->maker, it->e.snapshot, &source, &foreign, &publishing, &why);
    if (publishing || st == IRIS_E_RETRY)
        return iris_fail(err, st, "%s", why.msg);
    for (i = 0; st && i < n && !bad; i++) {
        if (it[i].state == OBS_TODO || (foreign && it[i].state == OBS_THERE))
            bad = fail_item(w, &it[i], why.msg, err);
    }
    return bad;
}

/* What goes into a manifest names no place outside of the data set. */
static void
strip_root(struct iris_err *err, const char *root)
{
    size_t n = strlen(root);
    char *at = strstr(err->msg, root);

    if (at && at[n] == '/')
        memmove(at, at + n + 1, strlen(at + n + 1) + 1);
}

/*   out  publishing  set when a failure was one of writing */
static enum iris_status
observe(struct work *w, const struct obs_item *it, int *publishing, struct iris_err *err)
{
    char *path = iris_path_join(w->from.root, it->e.path[0]);
    enum iris_status st = path ? IRIS_OK : iris_fail_memory(err);
    struct iris_tensor tensor = {.file = {.fd = -1}};
    struct iris_scan scan[2];

    if (!st && it->e.hash[0]) /* of a tensor that was verified: this is the file */
        st = iris_verify_row(&w->verifier, &it->e, scan, err);
    if (!st)
        st = obs_open(w->b, path, &tensor, err);
    if (!st) {
        struct iris_columns columns = iris_columns_of_tensor(&tensor);

        st = iris_maker_pair(&w->maker, it->e.point, &columns, publishing, err);
        iris_tensor_close(&tensor);
    }
    if (st && !*publishing)
        strip_root(err, w->from.root);
    free(path);
    return st;
}

static enum iris_status
make(struct work *w, struct obs_item *it, struct iris_err *err)
{
    const struct iris_lines *lines;
    struct iris_err why = {0};
    enum iris_status st;
    int publishing = 0;

    if (iris_cli_stop())
        return iris_fail(err, IRIS_E_RETRY, "stopped");
    st = obs_tables(w->b, &lines, err); /* they are no failure of a pair */
    if (st)
        return st;
    st = observe(w, it, &publishing, &why);
    if (st && (publishing || st == IRIS_E_RETRY || st == IRIS_E_BUG))
        return iris_fail(err, st, "%s", why.msg);
    if (st)
        return fail_item(w, it, why.msg, err);
    it->state = OBS_MADE;
    w->progress.done++;
    return IRIS_OK;
}

/* Where pairs of that digest are observed. */
static enum iris_status
choose_device(struct work *w, const struct obs_item *it, size_t n, struct iris_err *err)
{
    struct cli_gpu_point point = {.has_gpu = w->b->has_gpu, .is_exact = w->b->o->precise};
    enum iris_arithmetic is;
    enum iris_status st;
    int on_gpu = 0;
    size_t i = 0;

    while (i < n && it[i].state != OBS_TODO)
        i++;
    if (i == n)
        return IRIS_OK; /* what is there stays, whoever made it */
    st = cli_gpu_decide(&w->b->o->gpu, &point, &w->to, it->digest, &on_gpu, &is, err);
    if (st)
        return st;
    w->maker.device = on_gpu ? cli_gpu_device(&w->b->gpu) : (struct iris_device){0};
    if (!on_gpu && w->b->has_gpu && is == IRIS_ARITHMETIC_CPU && !w->told_device &&
        w->b->o->gpu.device == CLI_DEVICE_AUTO) {
        w->told_device = 1;
        cli_gpu_tell_cpu(&w->b->o->cli, it->digest);
    }
    return IRIS_OK;
}

static enum iris_status
do_items(struct work *w, struct obs_item *it, size_t n, struct iris_err *err)
{
    enum iris_status st;
    size_t i;

    st = survey(w, it, n, err);
    if (!st && !w->to.planned)
        st = choose_device(w, it, n, err);
    if (!st && !w->to.planned)
        st = claim(w, it, n, err);
    for (i = 0; i < n && !st && !w->to.planned; i++) {
        if (it[i].state == OBS_TODO)
            st = make(w, &it[i], err);
        iris_cli_progress(&w->b->o->cli, &w->meter, &w->progress, 0);
    }
    return st;
}

/* ---- all of them ---- */

/* Go on to the digest of an item. */
static enum iris_status
turn(struct work *w, struct obs_item *it, struct iris_err *err)
{
    struct iris_tables tables = {obs_tables, w->b};
    struct iris_entry_run run = obs_run(w->b, it);
    struct iris_buf settings = {0};
    enum iris_status st;

    st = iris_hyper_digest(w->b->hyper, run.type, run.seed, run.round, run.precise, it->digest,
                           &settings, err);
    if (!st && !w->to.planned)
        st = iris_dataset_settings(&w->to, it->digest, &settings, err);
    if (!st && w->can_make)
        iris_maker_turn(&w->maker, &run);
    else if (!st)
        st = iris_maker_init(&w->maker, w->b->hyper, &run, w->to.root, &tables, w->pause, err);
    w->can_make |= !st;
    iris_buf_release(&settings);
    return st;
}

static enum iris_status
do_all(struct work *w, struct iris_err *err)
{
    struct obs_item *item = w->rows.item;
    size_t n = w->rows.n, first, end;
    enum iris_status st = IRIS_OK;

    w->progress.total = n;
    for (first = 0; first < n && !st; first = end) {
        if (!first || strcmp(item[first].e.digest, item[first - 1].e.digest))
            st = turn(w, &item[first], err);
        else
            memcpy(item[first].digest, item[first - 1].digest, sizeof item->digest);
        for (end = first + 1; end < n && !strcmp(item[end].e.digest, item[first].e.digest) &&
                              !strcmp(item[end].e.snapshot, item[first].e.snapshot);
             end++)
            memcpy(item[end].digest, item[first].digest, sizeof item->digest);
        if (!st)
            st = do_items(w, &item[first], end - first, err);
    }
    iris_cli_progress(&w->b->o->cli, &w->meter, &w->progress, 1);
    if (st == IRIS_E_RETRY && iris_cli_stop())
        iris_fail(err, st,
                  "stopped by a signal with %" PRIu64 " of %zu pairs done; run again to continue",
                  w->progress.done - w->progress.failed, n);
    return st;
}

static enum iris_status
report(const struct work *w, struct iris_err *err)
{
    const struct obs_item *it = w->rows.item;

    if (!w->progress.failed)
        return IRIS_OK;
    while (!it->message)
        it++;
    return iris_fail(err, IRIS_E_SOME,
                     "%" PRIu64 " of %zu pairs failed; the first, snapshot '%s' point %" PRIu32
                     ": %s",
                     w->progress.failed, w->rows.n, it->e.snapshot, it->e.point, it->message);
}

static enum iris_status
open_both(struct work *w, struct iris_err *err)
{
    const struct obs_options *o = w->b->o;
    enum iris_status st;

    st = iris_dataset_open(&w->from, o->from ? o->from : o->dataset, IRIS_DATASET_EXISTING, err);
    if (!st)
        st = iris_dataset_open(&w->to, o->dataset,
                               o->cli.dry_run ? IRIS_DATASET_PLANNED : IRIS_DATASET_CREATE, err);
    if (!st && !o->cli.dry_run)
        st = iris_dataset_lock(&w->to, NULL, err);
    w->verifier.root = w->from.root;
    return st;
}

enum iris_status
obs_pairs(struct obs *b, struct iris_err *err)
{
    struct work w = {
        .b = b, .from = IRIS_DATASET_INIT, .to = IRIS_DATASET_INIT, .pause = {pause_pairs, &w}};
    enum iris_status st;

    if (b->has_gpu)
        cli_gpu_start(&b->gpu, &b->o->gpu, 0, 1, &w.pause);
    st = obs_rows_read(b, &w.rows, err);
    if (!st)
        st = open_both(&w, err);
    if (!st)
        st = do_all(&w, err);
    if (!st && b->o->cli.dry_run) {
        fprintf(stderr, "%s: would make %" PRIu64 " of %zu pairs in '%s'\n", iris_prog,
                w.progress.total - w.progress.done, w.rows.n, b->o->dataset);
    } else if (!st) {
        st = obs_rows_print(b, &w.rows, err);
        if (!st)
            st = report(&w, err);
    }
    iris_maker_release(&w.maker);
    cli_gpu_end(&b->gpu);
    iris_verifier_release(&w.verifier);
    iris_dataset_close(&w.to);
    iris_dataset_close(&w.from);
    obs_rows_release(&w.rows);
    return st;
}
