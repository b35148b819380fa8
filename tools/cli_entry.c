#include "cli_entry.h"

#include <errno.h>
#include <libgen.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#include "file.h"
#include "form.h"
#include "num.h"

/* ---- the command line ---- */

enum iris_status
iris_cli_number(const char *text, const char *option, uint64_t max, uint64_t *v,
                struct iris_err *err)
{
    if (iris_parse_u64(text, v) || *v < 1 || *v > max)
        return iris_fail(err, IRIS_E_USAGE, "bad number '%s' for %s: need 1 to %llu", text, option,
                         (unsigned long long)max);
    return IRIS_OK;
}

static enum iris_status
parse_kind(const char *word, int *kind, struct iris_err *err)
{
    for (*kind = 0; *kind < IRIS_KINDS; ++*kind) {
        if (!strcmp(word, iris_kind_column((enum iris_kind) * kind)))
            return IRIS_OK;
    }
    return iris_fail(err, IRIS_E_USAGE, "bad kind '%s': need column, observed or tensor", word);
}

enum iris_status
iris_cli_entry_option(struct iris_cli *cli, struct iris_choice *what, int opt, char **argv,
                      struct iris_err *err)
{
    switch (opt) {
    case IRIS_OPT_ENTRY:
        what->entry = optarg;
        return IRIS_OK;
    case IRIS_OPT_LINE:
        return iris_cli_number(optarg, "--line", UINT32_MAX, &what->line, err);
    case IRIS_OPT_KIND:
        return parse_kind(optarg, &what->kind, err);
    case 'H':
        what->hyper = optarg;
        return IRIS_OK;
    case 't':
        return iris_type_parse(optarg, &what->type, err);
    default:
        return iris_cli_option(cli, opt, argv, err);
    }
}

enum iris_status
iris_cli_entry_path(struct iris_choice *what, int argc, char **argv, struct iris_err *err)
{
    if (argc - optind != 1)
        return iris_fail(err, IRIS_E_USAGE, "name one data set or one array");
    what->path = argv[optind];
    return IRIS_OK;
}

/* The directory of the data set that a path is of: itself, or where an array lies in
 * entries/DIGEST/UNITS/SNAPSHOT; NULL: of none, or out of memory. */
static char *
data_set_of(const char *path)
{
    enum { ABOVE = 4 }; /* directories of an array, entries the last */
    char *full = realpath(path, NULL), *slash;
    struct stat sb;
    int level;

    if (full && !stat(full, &sb) && S_ISDIR(sb.st_mode))
        return full;
    for (level = 0; full && level <= ABOVE; level++) {
        slash = strrchr(full, '/');
        if (!slash)
            break;
        *slash = '\0';
        if (!strcmp(iris_file_name(full), "entries")) {
            *strrchr(full, '/') = '\0';
            return full;
        }
    }
    free(full);
    return NULL;
}

enum iris_status
iris_cli_entry_output(const char *output, const char *path, const char *hyper, struct iris_err *err)
{
    char *copy = NULL, *dir = NULL, *set = NULL;
    enum iris_status st;

    st = iris_cli_not_input(output, path, err);
    if (!st)
        st = iris_cli_not_input(output, hyper, err);
    if (st || !output)
        return st;
    if (!(copy = strdup(output)))
        return iris_fail_memory(err);
    errno = 0;
    dir = realpath(dirname(copy), NULL);
    if (dir || errno != ENOMEM)
        set = data_set_of(path);
    if ((!dir || !set) && errno == ENOMEM)
        st = iris_fail_memory(err);
    if (dir && set && !strncmp(dir, set, strlen(set)) && strchr("/", dir[strlen(set)]))
        st = iris_fail(err, IRIS_E_USAGE, "'%s' is inside of the data set '%s'", output, set);
    free(copy);
    free(dir);
    free(set);
    return st;
}

/* ---- arrays ---- */

void
iris_arrays_close(struct iris_arrays *a)
{
    while (a->n) {
        a->n--;
        iris_npy_close(&a->array[a->n].npy);
        iris_subject_release(&a->array[a->n].subject);
    }
}

static enum iris_status
choose_line(const struct iris_choice *what, struct iris_array *x, struct iris_err *err)
{
    if (!what->line || x->kind != IRIS_OBSERVED)
        return IRIS_OK;
    if (what->line > x->views)
        return iris_fail(err, IRIS_E_DATA, "'%s' has %zu lines, so none with the number %llu",
                         x->npy.path, x->views, (unsigned long long)what->line);
    x->first = (size_t)what->line - 1;
    x->views = 1;
    return IRIS_OK;
}

/* What the array that was opened last is. */
static enum iris_status
take_array(const struct iris_choice *what, int kind, struct iris_array *x, struct iris_err *err)
{
    enum iris_status st = IRIS_OK;

    x->kind = (enum iris_kind)kind;
    if (kind < 0)
        st = iris_subject_kind(&x->subject, &x->npy, &x->kind, err);
    if (what->fields) {
        x->subject.fields = what->fields;
        memcpy(x->subject.field, what->field, sizeof what->field);
    }
    if (what->has_slice)
        x->subject.slice = what->slice;
    if (!st)
        st = iris_subject_views(&x->subject, &x->npy, x->kind, &x->views, err);
    if (!st)
        st = choose_line(what, x, err);
    return st;
}

/* Open one more array, whose kind is known or -1. */
static enum iris_status
open_array(const struct iris_choice *what, const char *path, int kind, struct iris_arrays *a,
           struct iris_err *err)
{
    struct iris_array *x = &a->array[a->n];
    enum iris_status st;

    *x = (struct iris_array){.first = 0};
    st = iris_npy_open(path, &x->npy, err);
    if (st)
        return st;
    a->n++;
    st = iris_subject_of(path, what->hyper, what->type, &x->subject, err);
    return st ? st : take_array(what, kind, x, err);
}

/* Array k of entry i. */
static enum iris_status
open_packed(const struct iris_set *set, size_t i, int k, struct iris_arrays *a,
            struct iris_err *err)
{
    const struct iris_catalog_entry *e = &set->catalog.entry[i];
    const struct iris_choice *what = set->what;
    struct iris_array *x = &a->array[a->n];
    enum iris_status st;

    *x = (struct iris_array){.first = 0};
    st = iris_container_array(set->container, e->kind[k], i, set->catalog.n, e->path[k], &x->npy,
                              err);
    if (st)
        return st;
    a->n++;
    st = iris_subject_in(set->container, e->path[k], what->hyper, what->type, &x->subject, err);
    return st ? st : take_array(what, (int)e->kind[k], x, err);
}

static enum iris_status
open_unpacked(const struct iris_set *set, size_t i, int k, struct iris_arrays *a,
              struct iris_err *err)
{
    const struct iris_catalog_entry *e = &set->catalog.entry[i];
    char *path = iris_path_join(set->what->path, e->path[k]);
    enum iris_status st;

    st = path ? open_array(set->what, path, (int)e->kind[k], a, err) : iris_fail_memory(err);
    free(path);
    return st;
}

enum iris_status
iris_arrays_open_entry(const struct iris_set *set, size_t i, struct iris_arrays *a,
                       struct iris_err *err)
{
    const struct iris_catalog_entry *e = &set->catalog.entry[i];
    enum iris_status st = IRIS_OK;
    int k, kind = set->what->kind;

    a->n = 0;
    for (k = 0; k < 2 && !st && e->path[k]; k++) {
        if (kind < 0 || kind == (int)e->kind[k])
            st = (set->container ? open_packed : open_unpacked)(set, i, k, a, err);
    }
    if (!st && !a->n)
        st = iris_fail(err, IRIS_E_DATA, "'%s' has no array of the kind %s", e->id,
                       iris_kind_column((enum iris_kind)kind));
    return st;
}

/* ---- data sets ---- */

enum iris_status
iris_set_open(const struct iris_choice *what, struct iris_set *set, struct iris_err *err)
{
    enum iris_status st;
    enum iris_form form;

    *set = (struct iris_set){.what = what};
    st = iris_form_of(what->path, &form, err);
    if (!st && form == IRIS_FORM_CONTAINER) {
        st = iris_container_open(what->path, &set->container, err);
        if (!st)
            st = iris_catalog_of_container(set->container, &set->catalog, err);
    } else if (!st) {
        st = iris_catalog_read(what->path, &set->catalog, err);
    }
    if (!st && what->entry)
        st = iris_catalog_find(&set->catalog, what->entry, &set->first, err);
    return st;
}

void
iris_set_close(struct iris_set *set)
{
    iris_container_close(set->container);
    iris_catalog_release(&set->catalog);
    set->container = NULL;
}

static enum iris_status
open_chosen(const struct iris_choice *what, struct iris_arrays *a, char **title,
            struct iris_err *err)
{
    struct iris_set set;
    enum iris_status st;

    st = iris_set_open(what, &set, err);
    if (!st && !(*title = strdup(set.catalog.entry[set.first].id)))
        st = iris_fail_memory(err);
    if (!st)
        st = iris_arrays_open_entry(&set, set.first, a, err);
    iris_set_close(&set);
    return st;
}

static enum iris_status
open_file(const struct iris_choice *what, struct iris_arrays *a, char **title, struct iris_err *err)
{
    if (what->entry)
        return iris_fail(err, IRIS_E_USAGE, "'%s' is one array: --entry is for data sets",
                         what->path);
    *title = strdup(iris_file_name(what->path));
    if (!*title)
        return iris_fail_memory(err);
    return open_array(what, what->path, what->kind, a, err);
}

enum iris_status
iris_arrays_open(const struct iris_choice *what, struct iris_arrays *a, char **title,
                 struct iris_err *err)
{
    enum iris_status st;
    enum iris_form form;

    a->n = 0;
    *title = NULL;
    st = iris_form_of(what->path, &form, err);
    if (st)
        return st;
    return form == IRIS_FORM_DIRECTORY || form == IRIS_FORM_CONTAINER
               ? open_chosen(what, a, title, err)
               : open_file(what, a, title, err);
}
