#include "plan.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "num.h"
#include "plan_state.h"
#include "snapname.h"

/* Of the comparison of a snapshot with its record. */
enum { NO_NEED = 0, WANTED, UNDER_WAY };

enum iris_status
iris_plan_init(struct iris_plan *p, const struct iris_variant_law *law,
               const struct iris_dataset *dataset, struct iris_err *err)
{
    *p = (struct iris_plan){.dataset = dataset};
    return iris_variants_init(&p->variants, law, err);
}

static void
release_snapshot(struct iris_plan_snapshot *s)
{
    uint32_t i;

    for (i = 0; s->message && i < s->points; i++)
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
        release_snapshot(&p->snapshot[i]);
    free(p->snapshot);
    for (i = 0; i < p->n_sets; i++) {
        free(p->set[i].name);
        free(p->set[i].type);
    }
    free(p->set);
    iris_variants_release(&p->variants);
    *p = (struct iris_plan){0};
}

const struct iris_variant *
iris_plan_variant(const struct iris_plan *p, const struct iris_plan_snapshot *s)
{
    return p->variants.variant[s->variant];
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

/* ---- what there is, and what is to be done ---- */

/* What the data set has of a snapshot. */
static enum iris_status
survey(struct iris_plan *p, struct iris_plan_snapshot *s, struct iris_err *err)
{
    const struct iris_variant *v = iris_plan_variant(p, s);
    enum iris_kind kind[2];
    size_t n_kinds = iris_type_kinds(v->run.type, kind), k;
    struct iris_source source;
    unsigned kinds = 0;
    enum iris_status st;
    uint32_t i;
    int found;

    for (k = 0; k < n_kinds; k++)
        kinds |= 1u << kind[k];
    st = iris_dataset_done(p->dataset, v->digest, s->id, kinds, s->points, s->point, err);
    if (!st)
        st = iris_dataset_source(p->dataset, v->digest, s->id, &source, &found, err);
    if (st)
        return st;
    for (i = 0; i < s->points; i++) {
        s->unknown |= !found && s->point[i] != POINT_TODO;
        if (!found)
            s->point[i] = POINT_TODO; /* arrays of unknown origin */
        s->todo += s->point[i] == POINT_TODO;
    }
    s->there = s->points - s->todo;
    s->verify = !s->todo && source.bytes != s->bytes ? WANTED : NO_NEED;
    return IRIS_OK;
}

static enum iris_status
fail_point(struct iris_plan *p, struct iris_plan_snapshot *s, uint32_t point, const char *message,
           struct iris_err *err)
{
    unsigned char is = s->point[point];

    if (is == POINT_FAILED)
        return IRIS_OK;
    p->skipped -= is == POINT_THERE;
    p->done += is != POINT_THERE && is != POINT_MADE;
    s->left -= is == POINT_TODO;
    p->left -= is == POINT_TODO;
    s->doubtful -= is == POINT_DOUBTFUL;
    p->failed++;
    s->point[point] = POINT_FAILED;
    s->message[point] = strdup(message);
    return s->message[point] ? IRIS_OK : iris_fail_memory(err);
}

/* Nothing can be made of it. */
static enum iris_status
refuse(struct iris_plan *p, struct iris_plan_snapshot *s, const char *message, struct iris_err *err)
{
    enum iris_status st = IRIS_OK;
    uint32_t i;

    for (i = 0; i < s->points && !st; i++) {
        if (s->point[i] == POINT_TODO || s->verify)
            st = fail_point(p, s, i, message, err);
    }
    s->verify = NO_NEED;
    s->refused = 1;
    return st;
}

static enum iris_status
refuse_unfetched(struct iris_plan *p, struct iris_plan_snapshot *s, struct iris_err *err)
{
    char *message = iris_format(s->verify
                                    ? "snapshot '%s' has changed and was not fetched"
                                    : "snapshot '%s' is on another machine and was not fetched",
                                s->id);
    enum iris_status st = message ? refuse(p, s, message, err) : iris_fail_memory(err);

    free(message);
    return st;
}

char *
iris_plan_name(const char *digest, const char *snapshot, uint32_t point)
{
    return point == IRIS_PLAN_VERIFY ? iris_format("%s.%s", digest, snapshot)
                                     : iris_format("%s.%s.p%03" PRIu32, digest, snapshot, point);
}

static enum iris_status
count_deaths(const struct iris_plan *p, const struct iris_plan_snapshot *s, uint32_t point,
             unsigned *deaths, struct iris_err *err)
{
    char *name = iris_plan_name(iris_plan_variant(p, s)->digest, s->id, point);

    if (!name)
        return iris_fail_memory(err);
    *deaths = iris_suspects_deaths(p->suspects, name);
    free(name);
    return IRIS_OK;
}

/* What may have killed runs before. */
static enum iris_status
take_care(struct iris_plan *p, struct iris_plan_snapshot *s, struct iris_err *err)
{
    char message[160];
    enum iris_status st;
    unsigned deaths = 0;
    uint32_t i;

    st = count_deaths(p, s, IRIS_PLAN_VERIFY, &deaths, err);
    snprintf(message, sizeof message,
             "set aside: its snapshot was being loaded when %u runs died; --retry-failed tries it "
             "again",
             deaths);
    if (!st && deaths >= IRIS_PLAN_DEATHS)
        return refuse(p, s, message, err);
    s->suspect = deaths != 0;
    for (i = 0; i < s->points && !st; i++) {
        if (s->point[i] != POINT_TODO)
            continue;
        st = count_deaths(p, s, i, &deaths, err);
        snprintf(message, sizeof message,
                 "set aside: it was in hand when %u runs died; --retry-failed tries it again",
                 deaths);
        if (!st && deaths >= IRIS_PLAN_DEATHS) {
            st = fail_point(p, s, i, message, err);
        } else if (!st && (deaths || s->suspect)) {
            s->point[i] = POINT_DOUBTFUL;
            s->doubtful++;
            s->left--;
            p->left--;
        }
    }
    return st;
}

enum iris_status
iris_plan_acquit(struct iris_plan *p, size_t snapshot, struct iris_err *err)
{
    struct iris_plan_snapshot *s = &p->snapshot[snapshot];
    enum iris_status st = IRIS_OK;
    unsigned deaths = 0;
    uint32_t i;

    for (i = 0; i < s->points && s->suspect && !st; i++) {
        if (s->point[i] != POINT_DOUBTFUL)
            continue;
        st = count_deaths(p, s, i, &deaths, err);
        if (st || deaths)
            continue;
        s->point[i] = POINT_TODO;
        s->doubtful--;
        s->left++;
        p->left++;
    }
    s->suspect = 0;
    s->next = 0;
    if (snapshot < p->first)
        p->first = snapshot;
    return st;
}

/* The columns of changes that rows of points are to have. */
static enum iris_status
note_sets(struct iris_plan *p, const struct iris_manifest *m, struct iris_err *err)
{
    struct iris_manifest_column *list;
    size_t c, i;

    for (c = 0; c < m->n_columns; c++) {
        if (strncmp(m->column[c].name, IRIS_SET_PREFIX, strlen(IRIS_SET_PREFIX)))
            continue;
        for (i = 0; i < p->n_sets && strcmp(p->set[i].name, m->column[c].name); i++)
            ;
        if (i < p->n_sets)
            continue;
        list = realloc(p->set, (i + 1) * sizeof *list);
        if (!list)
            return iris_fail_memory(err);
        p->set = list;
        list[i] = (struct iris_manifest_column){strdup(m->column[c].name),
                                                strdup(m->column[c].type)};
        p->n_sets++;
        if (!list[i].name || !list[i].type)
            return iris_fail_memory(err);
    }
    return IRIS_OK;
}

static enum iris_status
find_variant(struct iris_plan *p, const struct iris_manifest *m, size_t row,
             struct iris_plan_snapshot *s, struct iris_err *err)
{
    struct iris_buf changes = {0};
    enum iris_status st;

    st = iris_variant_changes(m, row, &changes, err);
    if (!st)
        st = iris_variants_get(&p->variants, iris_buf_str(&changes), &s->variant, err);
    iris_buf_release(&changes);
    return st;
}

static int
is_same(const struct iris_plan *p, const struct iris_plan_snapshot *a,
        const struct iris_plan_snapshot *b)
{
    return !strcmp(iris_plan_variant(p, a)->digest, iris_plan_variant(p, b)->digest) &&
           !strcmp(a->id, b->id);
}

static enum iris_status
make_snapshot(struct iris_plan *p, const struct iris_manifest *m, size_t row,
              struct iris_plan_snapshot *s, struct iris_err *err)
{
    enum iris_status st;
    size_t i;

    st = read_row(m, row, s, err);
    if (!st)
        st = note_sets(p, m, err);
    if (!st)
        st = find_variant(p, m, row, s, err);
    for (i = 0; i < p->n && !st; i++) {
        if (is_same(p, &p->snapshot[i], s))
            st = iris_fail(err, IRIS_E_DATA, "the manifest has snapshot '%s' twice%s", s->id,
                           p->n_sets ? " with settings that are the same" : "");
    }
    if (st)
        return st;
    s->points = (uint32_t)iris_plan_variant(p, s)->settings.writer.points_per_snapshot;
    s->point = calloc(s->points, 1);
    s->message = calloc(s->points, sizeof *s->message);
    return s->point && s->message ? survey(p, s, err) : iris_fail_memory(err);
}

enum iris_status
iris_plan_add(struct iris_plan *p, const struct iris_manifest *m, size_t row, struct iris_err *err)
{
    struct iris_plan_snapshot s = {0}, *list, *new;
    enum iris_status st;

    st = make_snapshot(p, m, row, &s, err);
    list = st ? NULL : realloc(p->snapshot, (p->n + 1) * sizeof *list);
    if (!st && !list)
        st = iris_fail_memory(err);
    if (st) {
        release_snapshot(&s);
        return st;
    }
    p->snapshot = list;
    new = &list[p->n++];
    *new = s;
    new->left = s.todo;
    p->left += s.todo;
    p->total += s.points;
    p->done += s.there;
    p->skipped += s.there;
    if (s.remote && s.verify)
        new->todo = s.points;
    if (!s.path)
        return refuse_unfetched(p, new, err);
    return p->suspects ? take_care(p, new, err) : IRIS_OK;
}

/* ---- work ---- */

int
iris_plan_has(const struct iris_plan *p, size_t snapshot, int doubtful)
{
    const struct iris_plan_snapshot *s = &p->snapshot[snapshot];

    if (s->refused)
        return 0;
    return doubtful ? s->doubtful && !p->at_doubtful : s->verify == WANTED || s->left;
}

static void
begin(struct iris_plan *p, struct iris_plan_snapshot *s, uint32_t point)
{
    int doubtful = s->point[point] == POINT_DOUBTFUL;

    s->left -= !doubtful;
    p->left -= !doubtful;
    s->doubtful -= (uint32_t)doubtful;
    p->at_doubtful |= doubtful;
    s->point[point] = doubtful ? POINT_TRIED : POINT_RUNNING;
}

int
iris_plan_take(struct iris_plan *p, size_t snapshot, int doubtful, struct iris_task *task)
{
    struct iris_plan_snapshot *s = &p->snapshot[snapshot];
    uint32_t i;

    if (!iris_plan_has(p, snapshot, doubtful))
        return 0;
    *task = (struct iris_task){snapshot, IRIS_PLAN_VERIFY};
    if (!doubtful && s->verify == WANTED) {
        s->verify = UNDER_WAY;
        return 1;
    }
    for (i = doubtful ? 0 : s->next; s->point[i] != (doubtful ? POINT_DOUBTFUL : POINT_TODO); i++)
        ;
    if (!doubtful)
        s->next = i + 1;
    begin(p, s, i);
    task->point = i;
    while (p->first < p->n && !p->snapshot[p->first].left && !p->snapshot[p->first].doubtful &&
           p->snapshot[p->first].verify != WANTED)
        p->first++;
    return 1;
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
    else if (s->point[task->point] == POINT_TRIED)
        p->at_doubtful = 0;
    if (!message) {
        if (task->point != IRIS_PLAN_VERIFY && iris_point_is_in_hand(s->point[task->point])) {
            s->point[task->point] = POINT_MADE;
            p->done++;
        }
        return IRIS_OK;
    }
    if (task->point != IRIS_PLAN_VERIFY)
        st = fail_point(p, s, task->point, message, err);
    s->refused |= rest || all;
    for (i = 0; i < s->points && s->refused && !st; i++) {
        if (iris_point_is_to_do(s->point[i]) || (all && !iris_point_is_in_hand(s->point[i])))
            st = fail_point(p, s, i, message, err);
    }
    return st;
}

int
iris_plan_is_there(const struct iris_plan *p, size_t snapshot, uint32_t point)
{
    const struct iris_plan_snapshot *s = &p->snapshot[snapshot];
    int all = !s->verify;
    uint32_t i;

    if (point != IRIS_PLAN_VERIFY)
        return s->point[point] == POINT_THERE || s->point[point] == POINT_MADE;
    for (i = 0; i < s->points && all; i++)
        all = iris_plan_is_there(p, snapshot, i);
    return all;
}

int
iris_plan_is_over(const struct iris_plan *p, size_t snapshot)
{
    const struct iris_plan_snapshot *s = &p->snapshot[snapshot];
    int over = !s->verify;
    uint32_t i;

    for (i = 0; i < s->points && over; i++)
        over = !iris_point_is_to_do(s->point[i]) && !iris_point_is_in_hand(s->point[i]);
    return over;
}
