#include "variant.h"

#include <stdlib.h>
#include <string.h>

/* Settings of its own: the run's, changed line by line. */
static enum iris_status
change(struct iris_variant *v, const struct iris_variant_law *law, struct iris_err *err)
{
    char *lines = strdup(v->changes), *line, *next;
    enum iris_status st = lines ? IRIS_OK : iris_fail_memory(err);

    if (!st)
        st = iris_hyper_copy(law->hyper, &v->own, err);
    for (line = lines; !st && *line; line = next) {
        char *end = line + strcspn(line, "\n"), *value = strchr(line, '=');

        next = *end ? end + 1 : end;
        *end = '\0';
        if (!value)
            st = iris_fail(err, IRIS_E_BUG, "'%s' changes no setting", line);
        else
            *value++ = '\0';
        if (!st)
            st = iris_hyper_set(v->own, line, value, err);
    }
    if (st == IRIS_E_USAGE) { /* for iris-hyper -s, but this is no command line */
        st = IRIS_E_DATA;
        if (err)
            err->status = st;
    }
    if (!st)
        st = iris_hyper_check(v->own, err);
    if (!st)
        st = iris_hyper_check_type(v->own, law->type, err);
    if (!st)
        st = iris_hyper_resolve_paths(v->own, err);
    free(lines);
    return st;
}

enum iris_status
iris_variant_new(struct iris_variant **v, const struct iris_variant_law *law, const char *changes,
                 struct iris_err *err)
{
    struct iris_variant *made = calloc(1, sizeof *made);
    enum iris_status st = IRIS_OK;
    uint64_t seed;

    *v = NULL;
    if (!made || !(made->changes = strdup(changes))) {
        free(made);
        return iris_fail_memory(err);
    }
    if (*changes)
        st = change(made, law, err);
    made->hyper = made->own ? made->own : law->hyper;
    if (!st) {
        iris_hyper_settings(made->hyper, &made->settings);
        seed = law->has_seed ? law->seed : made->settings.suite.seed;
        made->run = (struct iris_entry_run){&made->settings, law->type,    seed,
                                            law->round,      law->precise, made->digest};
        st = iris_hyper_digest(made->hyper, law->type, seed, law->round, law->precise, made->digest,
                               &made->text, err);
    }
    if (st) {
        iris_variant_free(made);
        return st;
    }
    *v = made;
    return IRIS_OK;
}

void
iris_variant_free(struct iris_variant *v)
{
    if (!v)
        return;
    iris_hyper_free(v->own);
    iris_buf_release(&v->text);
    free(v->changes);
    free(v);
}

enum iris_status
iris_variant_changes(const struct iris_manifest *m, size_t row, struct iris_buf *changes,
                     struct iris_err *err)
{
    size_t n = strlen(IRIS_SET_PREFIX), c;

    for (c = 0; c < m->n_columns; c++) {
        const char *name = m->column[c].name, *value = m->row[row][c];

        if (strncmp(name, IRIS_SET_PREFIX, n) || !value)
            continue;
        if (strchr(value, '\n') || strpbrk(name, "=\n"))
            return iris_fail(err, IRIS_E_DATA, "column '%s' has a value of several lines", name);
        iris_buf_printf(changes, "%s=%s\n", name + n, value);
    }
    return iris_buf_check(changes, err);
}

enum iris_status
iris_variants_init(struct iris_variants *s, const struct iris_variant_law *law,
                   struct iris_err *err)
{
    size_t index;

    *s = (struct iris_variants){.law = *law};
    return iris_variants_get(s, "", &index, err);
}

void
iris_variants_release(struct iris_variants *s)
{
    size_t i;

    for (i = 0; i < s->n; i++)
        iris_variant_free(s->variant[i]);
    free(s->variant);
    *s = (struct iris_variants){.n = 0};
}

enum iris_status
iris_variants_get(struct iris_variants *s, const char *changes, size_t *index, struct iris_err *err)
{
    struct iris_variant **list;
    enum iris_status st;

    for (*index = 0; *index < s->n; ++*index) {
        if (!strcmp(s->variant[*index]->changes, changes))
            return IRIS_OK;
    }
    list = realloc(s->variant, (s->n + 1) * sizeof *list);
    if (!list)
        return iris_fail_memory(err);
    s->variant = list;
    st = iris_variant_new(&list[s->n], &s->law, changes, err);
    s->n += !st;
    return st;
}
