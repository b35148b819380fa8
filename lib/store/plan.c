#include "plan.h"

#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

#include "num.h"
#include "snapname.h"

/* States of a point; iris_dataset_done fills in the first two. */
enum { TODO = 0, THERE = 1, RUNNING, MADE, FAILED };
/* Of the comparison of a snapshot with its record. */
enum { NO_NEED = 0, WANTED, UNDER_WAY };

void
iris_plan_init(struct iris_plan *p, const struct iris_entry_run *run,
               const struct iris_dataset *dataset)
{
    *p = (struct iris_plan){.run = *run, .dataset = dataset};
    p->points = (uint32_t)run->settings->writer.points_per_snapshot;
}

static void
release_snapshot(struct iris_plan *p, struct iris_plan_snapshot *s)
{
    uint32_t i;

    for (i = 0; s->message && i < p->points; i++)
        free(s->message[i]);
    free(s->message);
    free(s->point);
    free(s->id);
    free(s->path);
    free(s->source);
}

void
iris_plan_release(struct iris_plan *p)
{
    size_t i;

    for (i = 0; i < p->n; i++)
        release_snapshot(p, &p->snapshot[i]);
    free(p->snapshot);
    *p = (struct iris_plan){0};
}

/* A field that says something. */
static const char *
field(const struct iris_manifest *m, size_t row, const char *name)
{
    const char *text = iris_manifest_get(m, row, name);

    return text && *text ? text : NULL;
}

static enum iris_status
read_row(const struct iris_manifest *m, size_t row, struct iris_plan_snapshot *s,
         struct iris_err *err)
{
    const char *id = iris_manifest_get(m, row, "snapshot");
    const char *source = field(m, row, "path"), *path = field(m, row, "local");
    enum iris_status st;

    if (!id || !iris_snapname_is_id(id))
        return iris_fail(err, IRIS_E_DATA, "row %zu has a bad snapshot id '%s'", row + 1,
                         id ? id : ".");
    if (!path && !source)
        return iris_fail(err, IRIS_E_DATA, "snapshot '%s' has no path", id);
    st = iris_manifest_get_u64(m, row, "files", &s->files, err);
    if (!st)
        st = iris_manifest_get_u64(m, row, "bytes", &s->bytes, err);
    if (st)
        return st;
    s->remote = field(m, row, "remote") != NULL;
    if (s->remote)
        source = NULL; /* on this machine it may be another file */
    if (!path)
        path = source;
    s->id = strdup(id);
    s->path = path ? strdup(path) : NULL;
    s->source = source ? strdup(source) : NULL;
    return s->id && !s->path == !path && !s->source == !source ? IRIS_OK : iris_fail_memory(err);
}

/* What the data set has of a snapshot. */
static enum iris_status
survey(struct iris_plan *p, struct iris_plan_snapshot *s, struct iris_err *err)
{
    enum iris_kind kind[2];
    size_t n_kinds = iris_type_kinds(p->run.type, kind), k;
    struct iris_source source;
    unsigned kinds = 0;
    enum iris_status st;
    uint32_t i;
    int found;

    for (k = 0; k < n_kinds; k++)
        kinds |= 1u << kind[k];
    st = iris_dataset_done(p->dataset, p->run.digest, s->id, kinds, p->points, s->point, err);
    if (!st)
        st = iris_dataset_source(p->dataset, p->run.digest, s->id, &source, &found, err);
    if (st)
        return st;
    for (i = 0; i < p->points; i++) {
        if (!found)
            s->point[i] = TODO; /* arrays of unknown origin */
        s->todo += s->point[i] == TODO;
    }
    s->verify = !s->todo && source.bytes != s->bytes ? WANTED : NO_NEED;
    return IRIS_OK;
}

static enum iris_status
fail_point(struct iris_plan *p, struct iris_plan_snapshot *s, uint32_t point, const char *message,
           struct iris_err *err)
{
    if (s->point[point] == FAILED)
        return IRIS_OK;
    if (s->point[point] == THERE)
        p->skipped--;
    else if (s->point[point] != MADE)
        p->done++;
    p->failed++;
    s->point[point] = FAILED;
    s->message[point] = strdup(message);
    return s->message[point] ? IRIS_OK : iris_fail_memory(err);
}

/* Nothing can be made of it. */
static enum iris_status
refuse(struct iris_plan *p, struct iris_plan_snapshot *s, struct iris_err *err)
{
    char *message = iris_format(s->verify
                                    ? "snapshot '%s' has changed and was not fetched"
                                    : "snapshot '%s' is on another machine and was not fetched",
                                s->id);
    enum iris_status st = message ? IRIS_OK : iris_fail_memory(err);
    uint32_t i;

    for (i = 0; i < p->points && !st; i++) {
        if (s->point[i] == TODO || s->verify)
            st = fail_point(p, s, i, message, err);
    }
    s->verify = NO_NEED;
    s->refused = 1;
    free(message);
    return st;
}

enum iris_status
iris_plan_add(struct iris_plan *p, const struct iris_manifest *m, size_t row, struct iris_err *err)
{
    struct iris_plan_snapshot s = {0}, *list;
    enum iris_status st;
    uint32_t there;
    size_t i;

    s.point = calloc(p->points, 1);
    s.message = calloc(p->points, sizeof *s.message);
    st = s.point && s.message ? read_row(m, row, &s, err) : iris_fail_memory(err);
    for (i = 0; i < p->n && !st; i++) {
        if (!strcmp(p->snapshot[i].id, s.id))
            st = iris_fail(err, IRIS_E_DATA, "the manifest has snapshot '%s' twice", s.id);
    }
    if (!st)
        st = survey(p, &s, err);
    list = st ? NULL : realloc(p->snapshot, (p->n + 1) * sizeof *list);
    if (!st && !list)
        st = iris_fail_memory(err);
    if (st) {
        release_snapshot(p, &s);
        return st;
    }
    there = p->points - s.todo;
    if (s.remote && s.verify)
        s.todo = p->points;
    p->snapshot = list;
    p->snapshot[p->n++] = s;
    p->total += p->points;
    p->done += there;
    p->skipped += there;
    return s.path ? IRIS_OK : refuse(p, &p->snapshot[p->n - 1], err);
}

int
iris_plan_next(struct iris_plan *p, struct iris_task *task)
{
    for (; p->next < p->n; p->next++) {
        struct iris_plan_snapshot *s = &p->snapshot[p->next];

        task->snapshot = p->next;
        if (s->verify == WANTED) {
            s->verify = UNDER_WAY;
            task->point = IRIS_PLAN_VERIFY;
            return 1;
        }
        for (; s->next < p->points && !s->refused; s->next++) {
            if (s->point[s->next] == TODO) {
                s->point[s->next] = RUNNING;
                task->point = s->next++;
                return 1;
            }
        }
    }
    return 0;
}

uint64_t
iris_plan_left(const struct iris_plan *p, uint64_t at_most)
{
    uint64_t n = 0;
    size_t i;
    uint32_t k;

    for (i = p->next; i < p->n && n < at_most; i++) {
        const struct iris_plan_snapshot *s = &p->snapshot[i];

        for (k = s->next; k < p->points && !s->refused && n < at_most; k++)
            n += s->point[k] == TODO;
    }
    return n;
}

enum iris_status
iris_plan_end(struct iris_plan *p, const struct iris_task *task, const char *message, int rest,
              int all, struct iris_err *err)
{
    struct iris_plan_snapshot *s = &p->snapshot[task->snapshot];
    enum iris_status st = IRIS_OK;
    uint32_t i;

    if (task->point == IRIS_PLAN_VERIFY)
        s->verify = NO_NEED;
    if (!message) {
        if (task->point != IRIS_PLAN_VERIFY && s->point[task->point] == RUNNING) {
            s->point[task->point] = MADE;
            p->done++;
        }
        return IRIS_OK;
    }
    if (task->point != IRIS_PLAN_VERIFY)
        st = fail_point(p, s, task->point, message, err);
    s->refused |= rest || all;
    for (i = 0; i < p->points && s->refused && !st; i++) {
        if (s->point[i] == TODO || (all && s->point[i] != RUNNING))
            st = fail_point(p, s, i, message, err);
    }
    return st;
}

int
iris_plan_is_over(const struct iris_plan *p, size_t snapshot)
{
    const struct iris_plan_snapshot *s = &p->snapshot[snapshot];
    int over = !s->verify;
    uint32_t i;

    for (i = 0; i < p->points && over; i++)
        over = s->point[i] != TODO && s->point[i] != RUNNING;
    return over;
}

enum iris_status
iris_plan_entries(const struct iris_plan *p, struct iris_manifest *m, struct iris_err *err)
{
    enum iris_status st;
    uint32_t k;
    size_t i;

    st = iris_entry_manifest(m, p->run.type, err);
    for (i = 0; i < p->n && !st; i++) {
        const struct iris_plan_snapshot *s = &p->snapshot[i];

        for (k = 0; k < p->points && !st; k++) {
            if (s->point[k] == THERE || s->point[k] == MADE || s->point[k] == FAILED)
                st = iris_entry_add(m, &p->run, s->id, k, s->message[k], err);
        }
    }
    return st ? st : iris_manifest_sort(m, err);
}
