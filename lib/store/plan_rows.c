#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "plan.h"
#include "plan_state.h"

char *
iris_plan_why(const struct iris_plan *p, const struct iris_plan_snapshot *s, char *text,
              size_t size)
{
    const char *digest = iris_plan_variant(p, s)->digest;

    /* one that was not fetched has been refused */
    if (s->verify || (s->there == s->points && s->todo))
        snprintf(text, size, "all points are there, but the size of the snapshot has changed");
    else if (s->unknown)
        snprintf(text, size, "arrays are there, but no record of the snapshot");
    else if (s->there == s->points)
        snprintf(text, size, "all points are there with these settings, %s", digest);
    else if (s->there)
        snprintf(text, size, "%" PRIu32 " of %" PRIu32 " points are there with these settings, %s",
                 s->there, s->points, digest);
    else
        snprintf(text, size, "no points are there with these settings, %s", digest);
    return text;
}

/* Fields of changes in the last row, as they were in the manifest. */
static enum iris_status
put_changes(const struct iris_plan *p, const struct iris_variant *v, struct iris_manifest *m,
            struct iris_err *err)
{
    enum iris_status st = IRIS_OK;
    size_t i;

    for (i = 0; i < p->n_sets && !st; i++) {
        const char *key = p->set[i].name + strlen(IRIS_SET_PREFIX), *line = v->changes;
        char *value = NULL;

        for (; *line && !value; line += strcspn(line, "\n") + 1) {
            size_t n = strcspn(line, "=");

            if (n == strlen(key) && !strncmp(line, key, n))
                value = strndup(line + n + 1, strcspn(line + n + 1, "\n"));
        }
        st = iris_manifest_set(m, m->n_rows - 1, p->set[i].name, value, err);
        free(value);
    }
    return st;
}

static enum iris_status
put_points(const struct iris_plan *p, const struct iris_plan_snapshot *s, struct iris_manifest *m,
           struct iris_err *err)
{
    const struct iris_variant *v = iris_plan_variant(p, s);
    enum iris_status st = IRIS_OK;
    uint32_t k;

    for (k = 0; k < s->points && !st; k++) {
        if (iris_point_is_to_do(s->point[k]) || iris_point_is_in_hand(s->point[k]))
            continue;
        st = iris_entry_add(m, &v->run, s->id, k, s->message[k], err);
        if (!st)
            st = put_changes(p, v, m, err);
    }
    return st;
}

enum iris_status
iris_plan_entries(const struct iris_plan *p, struct iris_manifest *m, struct iris_err *err)
{
    enum iris_status st;
    size_t i, index;

    st = iris_entry_manifest(m, p->variants.law.type, err);
    for (i = 0; i < p->n_sets && !st; i++)
        st = iris_manifest_column(m, p->set[i].name, p->set[i].type, &index, err);
    for (i = 0; i < p->n && !st; i++)
        st = put_points(p, &p->snapshot[i], m, err);
    return st ? st : iris_manifest_sort(m, err);
}
