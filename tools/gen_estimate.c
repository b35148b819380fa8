#define _GNU_SOURCE /* O_TMPFILE */
#include <fcntl.h>
#include <inttypes.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "clock.h"
#include "file.h"
#include "gen_master.h"
#include "machine.h"

/* A point is tried at so many places of its longitudes, so many of them at each. */
enum { PLACES = 8, AT_PLACE = 16 };
enum { SAMPLE_BYTES = 64 << 20 };

struct estimate {
    struct gen_job *job;
    const struct gen_rank *ranks;
    struct iris_plan plan;
    size_t snapshot; /* the largest that has points to make */
    size_t second;   /* another one, SIZE_MAX: none */
    size_t to_load;  /* snapshots that have */
    double bytes;    /* of all of them, in units of the largest */
    struct iris_parts parts;
    size_t lon;       /* of a point */
    int on_gpu;       /* points are made on GPUs */
    uint64_t written; /* bytes of a point */
    /* measured */
    double load, tables, write; /* seconds */
    size_t loads;               /* in load */
    double longitude;           /* of a rank */
    size_t tries;               /* results of all ranks in it */
    size_t cells;               /* of the largest */
    uint64_t peak, own;         /* bytes of a rank, the most */
    uint64_t gpu_peak;          /* of a GPU, by a rank */
};

static int
is_stopped(void *self)
{
    (void)self;
    return iris_cli_stop() != 0;
}

/* ---- what is to be made ---- */

static enum iris_status
read_plan(struct estimate *e, struct iris_dataset *dataset, struct iris_err *err)
{
    const char *input = e->job->o->input;
    struct iris_manifest m = {0};
    enum iris_status st;
    size_t r;

    st = iris_plan_init(&e->plan, &e->job->law, dataset, err);
    if (!st)
        st = iris_manifest_read(input, "snapshots", &m, err);
    for (r = 0; r < m.n_rows && !st; r++) {
        const struct iris_plan_snapshot *s;

        st = iris_plan_add(&e->plan, &m, r, err);
        if (st) {
            iris_fail_in(err, "%s", strcmp(input, "-") ? input : "standard input");
            break;
        }
        s = &e->plan.snapshot[r];
        if (!s->left || !s->path)
            continue;
        if (e->snapshot == SIZE_MAX || s->bytes > e->plan.snapshot[e->snapshot].bytes) {
            e->second = e->snapshot;
            e->snapshot = r;
        } else {
            e->second = r;
        }
        e->bytes += (double)s->bytes;
        e->to_load++;
    }
    iris_manifest_release(&m);
    if (!st && e->to_load)
        e->bytes /= fmax(1, (double)e->plan.snapshot[e->snapshot].bytes);
    return st;
}

static enum iris_status
size_up(struct estimate *e, const struct iris_dataset *dataset, struct iris_err *err)
{
    const struct iris_variant *v = iris_plan_variant(
        &e->plan, &e->plan.snapshot[e->to_load ? e->snapshot : 0]);
    size_t kinds, k;
    enum iris_kind kind[2];
    enum iris_status st;

    kinds = iris_type_kinds(v->run.type, kind);
    for (k = 0; k < kinds; k++)
        e->written += iris_kind_bytes(kind[k], v->run.type, &v->settings);
    e->lon = (size_t)v->settings.coordinate.lon_steps;
    st = gen_look_device(e->job, dataset, v, &e->on_gpu, err);
    if (!st)
        st = gen_turn(e->job, v->changes, v->digest, err);
    return st ? st : iris_maker_parts(&e->job->maker, &e->parts, err);
}

/* ---- measurements: all ranks at once, as in a run ---- */

static enum iris_status
take(struct estimate *e, const struct gen_result *r, size_t n, struct iris_err *err)
{
    if (r->status)
        return iris_fail(err, r->status, "%s", r->message);
    if (r->spent.seconds[IRIS_LOADING] > 0) {
        e->load += r->spent.seconds[IRIS_LOADING];
        e->loads++;
    }
    e->tables = fmax(e->tables, r->spent.seconds[IRIS_TABLING]);
    if (n) {
        e->longitude += r->spent.seconds[IRIS_MAKING] / (double)(n + 2 * e->parts.margin);
        e->tries++;
    }
    if (r->peak > e->peak)
        e->peak = r->peak;
    if (r->own > e->own)
        e->own = r->own;
    if (r->gpu_peak > e->gpu_peak)
        e->gpu_peak = r->gpu_peak;
    return IRIS_OK;
}

static enum iris_status
send(struct estimate *e, const struct gen_task *t, int rank, struct iris_err *err)
{
    struct iris_buf message = {0};
    enum iris_status st;

    st = gen_write_task(&message, t, err);
    if (!st)
        st = iris_pool_send(e->job->pool, rank, &message, err);
    iris_buf_release(&message);
    return st;
}

static enum iris_status
receive(struct estimate *e, size_t n, struct iris_err *err)
{
    struct gen_result r = {.status = IRIS_OK};
    struct iris_buf message = {0};
    enum iris_status st = IRIS_OK;
    unsigned idle = 0;
    int from = -1;

    while (!st && from < 0) {
        st = iris_pool_poll(e->job->pool, &from, &message, err);
        if (!st && from < 0)
            iris_pool_nap(&idle);
    }
    e->job->broken |= st != IRIS_OK;
    if (!st)
        st = gen_read_result(&message, &r, err);
    if (!st)
        st = take(e, &r, n, err);
    gen_result_release(&r);
    iris_buf_release(&message);
    return st;
}

static struct gen_task
task_of(const struct estimate *e, size_t snapshot)
{
    const struct iris_plan_snapshot *s = &e->plan.snapshot[snapshot];
    const struct iris_variant *v = iris_plan_variant(&e->plan, s);

    return (struct gen_task){.kind = GEN_KIND_AHEAD,
                             .id = s->id,
                             .path = s->path,
                             .files = s->files,
                             .changes = v->changes,
                             .digest = v->digest,
                             .on_gpu = e->on_gpu};
}

static enum iris_status
do_self(struct estimate *e, const struct gen_task *t, size_t n, struct iris_err *err)
{
    struct gen_result r = {.status = IRIS_OK};
    enum iris_status st;

    gen_do(e->job, t, &r);
    iris_cli_warn_lines(e->job->cli, &r.warnings);
    st = take(e, &r, n, err);
    gen_result_release(&r);
    return st;
}

/* Longitudes [at, at + n) by every rank, each of a point of its own. */
static enum iris_status
try_all(struct estimate *e, size_t at, size_t n, struct iris_err *err)
{
    int size = iris_pool_size(e->job->pool), rank, sent = 0;
    uint32_t points = e->plan.snapshot[e->snapshot].points;
    struct gen_task t = task_of(e, e->snapshot);
    enum iris_status st = IRIS_OK, later;

    t.kind = GEN_KIND_TRY;
    t.lon0 = at;
    t.lon1 = at + n;
    for (rank = size - 1; rank > 0 && !st; rank--) {
        t.point = (uint32_t)(((size_t)rank * 5 + at) % points);
        st = send(e, &t, rank, err);
        sent += !st;
    }
    t.point = (uint32_t)(at % points);
    if (!st)
        st = do_self(e, &t, n, err);
    for (; sent && !e->job->broken; sent--) {
        later = receive(e, n, st ? NULL : err);
        st = st ? st : later;
    }
    return st;
}

/* By the last rank: in a run the same rank may load one after the other. */
static enum iris_status
load(struct estimate *e, size_t snapshot, struct iris_err *err)
{
    int last = iris_pool_size(e->job->pool) - 1;
    struct gen_task t = task_of(e, snapshot);
    enum iris_status st;

    if (!last)
        return do_self(e, &t, 0, err);
    st = send(e, &t, last, err);
    return st ? st : receive(e, 0, err);
}

/* Seconds to make one point durable: the names of its arrays are, too. */
static double
time_writing(const struct estimate *e)
{
    size_t n = e->written < SAMPLE_BYTES ? (size_t)e->written : SAMPLE_BYTES;
    char *dir = iris_file_parent(e->job->o->dataset), *data = calloc(1, n);
    const char *place = access(e->job->o->dataset, W_OK) ? dir : e->job->o->dataset;
    int fd = dir && data ? open(place, O_TMPFILE | O_WRONLY | O_CLOEXEC, 0600) : -1;
    double start = iris_seconds(), wrote = 0, synced = 0;
    enum iris_kind kind[2];

    if (fd >= 0 && write(fd, data, n) == (ssize_t)n) {
        wrote = iris_seconds() - start;
        if (!fsync(fd))
            synced = iris_seconds() - start - wrote;
    }
    if (fd >= 0)
        close(fd);
    free(data);
    free(dir);
    return (wrote + synced) * (double)e->written / (double)n +
           synced * (double)iris_type_kinds(e->job->law.type, kind);
}

static enum iris_status
measure_all(struct estimate *e, struct iris_err *err)
{
    /* a GPU is not busy with a few */
    size_t n = e->lon < PLACES * AT_PLACE || e->on_gpu ? e->lon : AT_PLACE;
    size_t places = n == e->lon ? 1 : PLACES, i;
    enum iris_status st;

    st = load(e, e->snapshot, err);
    /* the first try makes or reads the tables, and touches memory for the first time */
    if (!st)
        st = try_all(e, 0, e->lon < 8 ? e->lon : 8, err);
    e->cells = e->job->maker.cells.n;
    e->longitude = 0;
    e->tries = 0;
    for (i = 0; i < places && !st; i++)
        st = try_all(e, (2 * i + 1) * e->lon / (2 * places) - n / 2, n, err);
    /* beside tables and windows it takes more memory than at first */
    if (!st && e->second != SIZE_MAX)
        st = load(e, e->second, err);
    if (!st && iris_cli_stop())
        st = iris_fail(err, IRIS_E_RETRY, "stopped by a signal");
    if (!st) {
        e->longitude /= (double)e->tries;
        e->load /= (double)e->loads;
    }
    e->write = st ? 0 : time_writing(e);
    return st;
}

/* ---- what follows from them ---- */

static size_t
count_nodes(const struct estimate *e)
{
    size_t n = 0, i;

    for (i = 0; i < (size_t)iris_pool_size(e->job->pool); i++)
        n += !e->ranks[i].node_rank;
    return n;
}

/* Ranks that can be at work at a time. */
static double
count_busy(const struct estimate *e)
{
    size_t n = 0, i;

    for (i = 0; i < (size_t)iris_pool_size(e->job->pool) && e->on_gpu; i++) {
        const struct gen_rank *r = &e->ranks[i];
        size_t leases = (size_t)r->usable_gpus * e->job->o->gpu.leases;

        if (!r->node_rank)
            n += leases < (size_t)r->node_size ? leases : (size_t)r->node_size;
    }
    return n ? (double)n : iris_pool_size(e->job->pool);
}

/* Seconds of all ranks together until the last point is there. Those that have no GPU
 * wait, or write. */
static double
time_points(const struct estimate *e)
{
    double ranks = iris_pool_size(e->job->pool), n = (double)e->plan.left;
    double make = e->longitude * (double)e->lon, part, beside;
    double point = fmax(make * ranks / count_busy(e), make + e->write);
    struct gen_split split;

    gen_split_init(&split, (size_t)ranks);
    if (!e->parts.lon || !gen_split_can(&split, &e->parts))
        return point * ceil(n / ranks) * ranks;
    if (n >= ranks)
        return point * n;
    part = fmax(2.0 / 3 * (double)e->lon * n / ranks, 16.0 + 2 * (double)e->parts.margin);
    beside = 2 * (double)e->parts.margin / part;
    return point * n * (1 + beside);
}

/* One load after the other where nothing hides them; else the first one is waited
 * for, and the others take a rank from its points. */
static double
time_run(const struct estimate *e)
{
    double ranks = iris_pool_size(e->job->pool), nodes = (double)count_nodes(e);
    double loads = e->load * e->bytes, points = time_points(e);

    if (!e->to_load)
        return 0;
    if (ranks <= nodes || !e->job->o->read_ahead)
        return e->tables + loads / nodes + points / ranks;
    return e->tables + e->load +
           fmax((points + fmax(0, loads - nodes * e->load)) / ranks, loads / nodes - e->load);
}

/* The most of a rank, and of a node. */
static enum iris_status
find_memory(const struct estimate *e, uint64_t *rank, uint64_t *node, struct iris_err *err)
{
    uint64_t strips = e->parts.lon * e->parts.strip * sizeof(double), shared, one;
    size_t ranks = (size_t)e->ranks[0].node_size, live = e->job->o->read_ahead + 1;
    size_t cells = e->cells;
    uint64_t arrays = e->parts.lon ? e->written : 0;
    enum iris_status st;

    st = gen_memory_need(e->job, 0, 0, &shared, err); /* the tables */
    if (!st)
        st = iris_cells_size(cells, &cells, err);
    if (st)
        return st;
    one = e->own + shared + cells;
    *rank = (ranks > 1 && one > e->peak ? one : e->peak) + arrays;
    *node = *rank;
    if (ranks < 2)
        return IRIS_OK;
    live = live < e->to_load ? live : e->to_load;
    st = gen_memory_need(e->job, live, e->cells, node, err);
    *node += ranks * (e->own + arrays) + strips;
    return st;
}

static void
put(struct iris_buf *text, const char *what, double value, const char *unit)
{
    iris_buf_printf(
        text, fabs(value) >= 1e15 || value == floor(value) ? "%s\t%.0f\t%s\n" : "%s\t%.4g\t%s\n",
        what, value, unit);
}

static enum iris_status
print(const struct estimate *e, struct iris_err *err)
{
    uint64_t rank = 0, node = 0, disk = 0;
    struct iris_buf text = {0};
    enum iris_status st = IRIS_OK;

    if (e->to_load)
        st = find_memory(e, &rank, &node, err);
    iris_disk_free(e->job->o->dataset, &disk);
    iris_buf_puts(&text, "#what\tvalue\tunit\n");
    iris_buf_printf(&text, "snapshot\t%s\t.\n",
                    e->to_load ? e->plan.snapshot[e->snapshot].id : ".");
    put(&text, "cells", (double)e->cells, ".");
    put(&text, "ranks", iris_pool_size(e->job->pool), ".");
    put(&text, "nodes", (double)count_nodes(e), ".");
    put(&text, "snapshots", (double)e->to_load, ".");
    put(&text, "points", (double)e->plan.left, ".");
    put(&text, "load_time", e->load, "s");
    put(&text, "tables_time", e->tables, "s");
    put(&text, "point_time", e->longitude * (double)e->lon, "s");
    put(&text, "write_time", e->write, "s");
    put(&text, "time", time_run(e), "s");
    put(&text, "rank_memory", (double)rank, "B");
    put(&text, "node_memory", (double)node, "B");
    put(&text, "node_memory_free", (double)e->ranks[0].memory_free, "B");
    if (e->on_gpu) {
        put(&text, "busy_ranks", count_busy(e), ".");
        put(&text, "gpu_memory", (double)e->gpu_peak, "B");
    }
    put(&text, "write_bytes", (double)e->plan.left * (double)e->written, "B");
    put(&text, "disk_free", (double)disk, "B");
    if (!st)
        st = iris_cli_write(e->job->cli, &text, err);
    iris_buf_release(&text);
    return st;
}

enum iris_status
gen_estimate(struct gen_job *job, const struct gen_rank *ranks, struct iris_err *err)
{
    struct estimate e = {.job = job, .ranks = ranks, .snapshot = SIZE_MAX, .second = SIZE_MAX};
    struct iris_dataset dataset;
    enum iris_status st;

    job->pause = (struct iris_pause){is_stopped, NULL};
    st = iris_dataset_open(&dataset, job->o->dataset, IRIS_DATASET_PLANNED, err);
    if (st)
        return st;
    st = read_plan(&e, &dataset, err);
    if (!st && e.plan.n)
        st = size_up(&e, &dataset, err);
    if (!st && e.to_load)
        st = measure_all(&e, err);
    if (!st)
        st = print(&e, err);
    iris_plan_release(&e.plan);
    iris_dataset_close(&dataset);
    return st;
}
