#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#include "file.h"
#include "form.h"
#include "show.h"

/* A tensor has several quantities in one array. */
enum iris_status
show_check_range(const struct show *o, const struct show_arrays *a, struct iris_err *err)
{
    if (a->n && a->array[0].kind == IRIS_TENSOR && o->look[IRIS_TENSOR].has_range &&
        a->array[0].views > 1)
        return iris_fail(err, IRIS_E_USAGE,
                         "fields of a tensor have no range in common: say --range=rho:LO,HI");
    if (a->n > 1 && o->range_of_all)
        return iris_fail(err, IRIS_E_USAGE,
                         "two quantities have no range in common: say --range=column:LO,HI or "
                         "--range=observed:LO,HI");
    return IRIS_OK;
}

/* A field or a slice is asked for where there is none. */
static enum iris_status
check_fields(const struct show *o, const struct show_arrays *a, struct iris_err *err)
{
    if (a->array[0].kind == IRIS_TENSOR || (!o->fields && !o->has_slice))
        return IRIS_OK;
    return iris_fail(err, IRIS_E_USAGE, "'%s' is no tensor: it takes no --field and --slice",
                     a->array[0].npy.path);
}

/* ---- what to draw ---- */

void
show_close(struct show_arrays *a)
{
    while (a->n) {
        a->n--;
        iris_npy_close(&a->array[a->n].npy);
        iris_subject_release(&a->array[a->n].subject);
    }
}

static enum iris_status
choose_line(const struct show *o, struct show_array *x, struct iris_err *err)
{
    if (!o->line || x->kind != IRIS_OBSERVED)
        return IRIS_OK;
    if (o->line > x->views)
        return iris_fail(err, IRIS_E_DATA, "'%s' has %zu lines, so none with the number %llu",
                         x->npy.path, x->views, (unsigned long long)o->line);
    x->first = (size_t)o->line - 1;
    x->views = 1;
    return IRIS_OK;
}

/* What the array that was opened last is. */
static enum iris_status
take_array(const struct show *o, int kind, struct show_array *x, struct iris_err *err)
{
    enum iris_status st = IRIS_OK;

    x->kind = (enum iris_kind)kind;
    if (kind < 0)
        st = iris_subject_kind(&x->subject, &x->npy, &x->kind, err);
    if (o->fields) {
        x->subject.fields = o->fields;
        memcpy(x->subject.field, o->field, sizeof o->field);
    }
    if (o->has_slice)
        x->subject.slice = o->slice;
    if (!st)
        st = iris_subject_views(&x->subject, &x->npy, x->kind, &x->views, err);
    if (!st)
        st = choose_line(o, x, err);
    return st;
}

/* Open one more array, whose kind is known or -1. */
static enum iris_status
open_array(const struct show *o, const char *path, int kind, struct show_arrays *a,
           struct iris_err *err)
{
    struct show_array *x = &a->array[a->n];
    enum iris_status st;

    *x = (struct show_array){.first = 0};
    st = iris_npy_open(path, &x->npy, err);
    if (st)
        return st;
    a->n++;
    st = iris_subject_of(path, o->hyper, o->type, &x->subject, err);
    return st ? st : take_array(o, kind, x, err);
}

static enum iris_status
open_packed(const struct show *o, const struct iris_catalog *c, size_t i, int k,
            struct show_arrays *a, struct iris_err *err)
{
    const struct iris_catalog_entry *e = &c->entry[i];
    struct show_array *x = &a->array[a->n];
    enum iris_status st;

    *x = (struct show_array){.first = 0};
    st = iris_container_array(o->container, e->kind[k], i, c->n, e->path[k], &x->npy, err);
    if (st)
        return st;
    a->n++;
    st = iris_subject_in(o->container, e->path[k], o->hyper, o->type, &x->subject, err);
    return st ? st : take_array(o, (int)e->kind[k], x, err);
}

enum iris_status
show_open_entry(const struct show *o, const struct iris_catalog *c, size_t i, struct show_arrays *a,
                struct iris_err *err)
{
    const struct iris_catalog_entry *e = &c->entry[i];
    enum iris_status st = IRIS_OK;
    int k;

    a->n = 0;
    for (k = 0; k < 2 && !st && e->path[k]; k++) {
        char *path;

        if (o->container) {
            st = open_packed(o, c, i, k, a, err);
            continue;
        }
        path = iris_path_join(o->path, e->path[k]);
        st = path ? open_array(o, path, (int)e->kind[k], a, err) : iris_fail_memory(err);
        free(path);
    }
    return st;
}

enum iris_status
show_catalog(const struct show *o, struct iris_catalog *c, struct iris_err *err)
{
    return o->container ? iris_catalog_of_container(o->container, c, err)
                        : iris_catalog_read(o->path, c, err);
}

static enum iris_status
open_chosen(struct show *o, struct show_arrays *a, struct iris_err *err)
{
    struct iris_catalog c;
    enum iris_status st;
    size_t i = 0;

    st = show_catalog(o, &c, err);
    if (!st && o->entry)
        st = iris_catalog_find(&c, o->entry, &i, err);
    if (!st && !(o->title = strdup(c.entry[i].id)))
        st = iris_fail_memory(err);
    if (!st)
        st = show_open_entry(o, &c, i, a, err);
    iris_catalog_release(&c);
    return st;
}

static enum iris_status
open_file(struct show *o, struct show_arrays *a, struct iris_err *err)
{
    if (o->entry || o->sheet)
        return iris_fail(err, IRIS_E_USAGE,
                         "'%s' is one array: --entry and --sheet are for data sets", o->path);
    o->title = strdup(iris_file_name(o->path));
    if (!o->title)
        return iris_fail_memory(err);
    return open_array(o, o->path, o->kind, a, err);
}

/* ---- drawing ---- */

static enum iris_status
draw_view(const struct show *o, const struct show_array *x, size_t i, struct show_page *page,
          struct iris_canvas *canvas, struct iris_err *err)
{
    struct iris_view_panel v = {.title = NULL};
    size_t width, height;
    enum iris_status st;

    show_image(page, &width, &height);
    st = iris_subject_view(&x->subject, &x->npy, x->kind, i, width, height, &v, err);
    if (!st)
        st = show_panel(o, page, show_what_of(x->kind, &v), x->npy.path, &v.panel, canvas, err);
    iris_view_panel_release(&v);
    return st;
}

static enum iris_status
draw(const struct show *o, const struct show_arrays *a, struct iris_canvas *canvas,
     struct iris_err *err)
{
    size_t views = a->array[0].views + (a->n > 1 ? a->array[1].views : 0), k, i;
    struct show_page page;
    enum iris_status st;

    if (!views || views > IRIS_CANVAS_MAX)
        return iris_fail(err, IRIS_E_DATA, "'%s' has %zu lines; choose one with --line",
                         a->array[a->n - 1].npy.path, views);
    st = show_lay_out(o, views, &page, err);
    if (!st)
        st = show_begin(o, &page, canvas, err);
    if (st || o->cli->dry_run)
        return st;
    for (k = 0; k < a->n && !st; k++) {
        const struct show_array *x = &a->array[k];

        for (i = 0; i < x->views && !st; i++)
            st = draw_view(o, x, x->first + i, &page, canvas, err);
    }
    return st;
}

static enum iris_status
draw_arrays(struct show *o, int is_set, struct iris_canvas *canvas, struct iris_err *err)
{
    struct show_arrays a = {.n = 0};
    enum iris_status st;

    st = is_set ? open_chosen(o, &a, err) : open_file(o, &a, err);
    if (!st)
        st = check_fields(o, &a, err);
    if (!st)
        st = show_check_range(o, &a, err);
    if (!st)
        st = draw(o, &a, canvas, err);
    show_close(&a);
    return st;
}

/* Whether an array is a cube: by its kind, or a shape that no other array has. */
static enum iris_status
look_for_cube(const struct show *o, int *is_cube, struct iris_err *err)
{
    struct iris_npy a;
    enum iris_status st;

    *is_cube = o->kind == SHOW_CUBE;
    if (o->kind >= 0)
        return IRIS_OK;
    st = iris_npy_open(o->path, &a, err);
    if (!st)
        *is_cube = a.shape.n == 4 && a.shape.dim[0] != IRIS_TENSOR_CHANNELS;
    iris_npy_close(&a);
    return st;
}

enum iris_status
show_draw(struct show *o, struct iris_canvas *canvas, struct iris_err *err)
{
    enum iris_status st;
    enum iris_form form;
    int is_set, is_cube;

    st = iris_form_of(o->path, &form, err);
    if (st)
        return st;
    if (form == IRIS_FORM_HDF5)
        return show_snapshot(o, canvas, err);
    if (o->size > 0 || o->side)
        return iris_fail(err, IRIS_E_USAGE, "'%s' is no snapshot: it takes no --size and --side",
                         o->path);
    is_cube = form == IRIS_FORM_FITS;
    if (form == IRIS_FORM_OTHER)
        st = look_for_cube(o, &is_cube, err);
    if (st)
        return st;
    if (is_cube)
        return show_cube(o, form == IRIS_FORM_FITS, canvas, err);
    if (o->moments || o->kind == SHOW_CUBE)
        return iris_fail(err, IRIS_E_USAGE, "'%s' is no cube: it has no moments", o->path);
    if (form == IRIS_FORM_CONTAINER)
        st = iris_container_open(o->path, &o->container, err);
    is_set = form != IRIS_FORM_OTHER;
    if (!st)
        st = is_set && o->sheet ? show_sheet(o, canvas, err) : draw_arrays(o, is_set, canvas, err);
    iris_container_close(o->container);
    return st;
}
