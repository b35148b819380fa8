#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

#include "obs.h"

static struct iris_entry_run
run_of(const struct obs *b, const struct obs_item *it, enum iris_type type, const char *digest)
{
    return (struct iris_entry_run){&b->settings, type, it->seed, it->round, b->o->precise, digest};
}

/* The row is the one that iris-gen prints for these settings. */
static enum iris_status
compare(const struct obs *b, const struct iris_manifest *table, const struct obs_item *it,
        struct iris_err *err)
{
    static const char *const columns[] = {"theta",   "scale",    "skew",       "skew_angle",
                                          "density", "jitter_r", "jitter_lon", "tensor"};
    struct iris_entry_run run = run_of(b, it, IRIS_STANDARD, it->e.digest);
    struct iris_manifest wanted = {0};
    enum iris_status st;
    size_t i;

    st = iris_entry_manifest(&wanted, IRIS_STANDARD, err);
    if (!st)
        st = iris_entry_add(&wanted, &run, it->e.snapshot, it->e.point, NULL, err);
    for (i = 0; i < sizeof columns / sizeof columns[0] && !st; i++) {
        const char *is = iris_manifest_get(table, it->row, columns[i]);
        const char *should = iris_manifest_get(&wanted, 0, columns[i]);

        if (it->e.state == IRIS_FAILED && !strcmp(columns[i], "tensor"))
            continue;
        if (strcmp(is ? is : ".", should ? should : "."))
            st = iris_fail(err, IRIS_E_DATA, "entry '%s': its %s is %s, the settings give %s",
                           it->e.id, columns[i], is ? is : "missing", should ? should : "none");
    }
    iris_manifest_release(&wanted);
    return st;
}

static enum iris_status
check_settings(const struct obs *b, const struct iris_manifest *table, const struct obs_item *it,
               struct iris_err *err)
{
    char digest[IRIS_SETTINGS_DIGEST];
    enum iris_status st;

    st = iris_hyper_digest(b->hyper, IRIS_STANDARD, it->seed, it->round, 0, digest, NULL, err);
    if (st)
        return st;
    if (strcmp(digest, it->e.digest))
        return iris_fail(err, IRIS_E_DATA,
                         "entry '%s': its tensor was made with other settings, those of '%s' have "
                         "the digest %s",
                         it->e.id, b->o->hyper, digest);
    if (it->e.point >= (uint64_t)b->settings.writer.points_per_snapshot)
        return iris_fail(err, IRIS_E_DATA, "entry '%s': a snapshot has %" PRId64 " points",
                         it->e.id, b->settings.writer.points_per_snapshot);
    return compare(b, table, it, err);
}

static enum iris_status
take(const struct obs *b, struct obs_rows *rows, size_t row, struct iris_err *err)
{
    struct obs_item *it = &rows->item[row];
    uint64_t round = 0;
    enum iris_status st;

    it->row = row;
    st = iris_entry_get(&rows->table, row, &it->e, err);
    if (st)
        return st;
    if (it->e.type != IRIS_STANDARD)
        return iris_fail(err, IRIS_E_DATA,
                         "entry '%s' is of type %s: only standard entries have a tensor", it->e.id,
                         iris_type_name(it->e.type));
    if (it->e.state == IRIS_NORMALIZED)
        return iris_fail(err, IRIS_E_DATA,
                         "entry '%s' is in IRIS units: only raw entries can be observed", it->e.id);
    if (row && !strcmp(it->e.id, rows->item[row - 1].e.id))
        return iris_fail(err, IRIS_E_DATA, "entry '%s' is there twice", it->e.id);
    st = iris_manifest_get_u64(&rows->table, row, "seed", &it->seed, err);
    if (!st)
        st = iris_manifest_get_u64(&rows->table, row, "round", &round, err);
    if (!st && round > UINT32_MAX)
        st = iris_fail(err, IRIS_E_DATA, "entry '%s': bad round '%" PRIu64 "'", it->e.id, round);
    it->round = (uint32_t)round;
    return st ? st : check_settings(b, &rows->table, it, err);
}

static int
by_digest(const void *a, const void *b)
{
    const struct obs_item *x = a, *y = b;
    int order = strcmp(x->e.digest, y->e.digest);

    return order ? order : (x->row > y->row) - (x->row < y->row);
}

enum iris_status
obs_rows_read(const struct obs *b, struct obs_rows *rows, struct iris_err *err)
{
    enum iris_status st;
    size_t i;

    *rows = (struct obs_rows){0};
    st = iris_manifest_read(b->o->input, "entries", &rows->table, err);
    if (st)
        return st;
    rows->n = rows->table.n_rows;
    rows->item = calloc(rows->n + 1, sizeof *rows->item);
    st = rows->item ? iris_manifest_sort(&rows->table, err) : iris_fail_memory(err);
    for (i = 0; i < rows->n && !st; i++)
        st = take(b, rows, i, err);
    if (st)
        return iris_fail_in(err, "%s", b->o->input);
    qsort(rows->item, rows->n, sizeof *rows->item, by_digest);
    return IRIS_OK;
}

void
obs_rows_release(struct obs_rows *rows)
{
    size_t i;

    for (i = 0; rows->item && i < rows->n; i++)
        free(rows->item[i].message);
    free(rows->item);
    iris_manifest_release(&rows->table);
    *rows = (struct obs_rows){0};
}

struct iris_entry_run
obs_run(const struct obs *b, const struct obs_item *it)
{
    return run_of(b, it, IRIS_SYNTHETIC, it->digest);
}

enum iris_status
obs_rows_print(const struct obs *b, const struct obs_rows *rows, struct iris_err *err)
{
    struct iris_manifest m = {0};
    enum iris_status st;
    size_t i;

    st = iris_entry_manifest(&m, IRIS_SYNTHETIC, err);
    for (i = 0; i < rows->n && !st; i++) {
        const struct obs_item *it = &rows->item[i];
        struct iris_entry_run run = obs_run(b, it);

        st = iris_entry_add(&m, &run, it->e.snapshot, it->e.point, it->message, err);
    }
    if (!st)
        st = iris_manifest_sort(&m, err);
    if (!st)
        st = iris_cli_print(&b->o->cli, &m, err);
    iris_manifest_release(&m);
    return st;
}
