#include "form.h"
#include "show.h"

/* A tensor has several quantities in one array. */
enum iris_status
show_check_range(const struct show *o, const struct iris_arrays *a, struct iris_err *err)
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
check_fields(const struct show *o, const struct iris_arrays *a, struct iris_err *err)
{
    if (a->array[0].kind == IRIS_TENSOR || (!o->what.fields && !o->what.has_slice))
        return IRIS_OK;
    return iris_fail(err, IRIS_E_USAGE, "'%s' is no tensor: it takes no --field and --slice",
                     a->array[0].npy.path);
}

/* ---- drawing ---- */

static enum iris_status
draw_view(const struct show *o, const struct iris_array *x, size_t i, struct show_page *page,
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
draw(const struct show *o, const struct iris_arrays *a, struct iris_canvas *canvas,
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
        const struct iris_array *x = &a->array[k];

        for (i = 0; i < x->views && !st; i++)
            st = draw_view(o, x, x->first + i, &page, canvas, err);
    }
    return st;
}

static enum iris_status
draw_arrays(struct show *o, struct iris_canvas *canvas, struct iris_err *err)
{
    struct iris_arrays a;
    enum iris_status st;

    st = iris_arrays_open(&o->what, &a, &o->title, err);
    if (!st)
        st = check_fields(o, &a, err);
    if (!st)
        st = show_check_range(o, &a, err);
    if (!st)
        st = draw(o, &a, canvas, err);
    iris_arrays_close(&a);
    return st;
}

/* Whether an array is a cube: by its kind, or a shape that no other array has. */
static enum iris_status
look_for_cube(const struct show *o, int *is_cube, struct iris_err *err)
{
    struct iris_npy a;
    enum iris_status st;

    *is_cube = o->what.kind == SHOW_CUBE;
    if (o->what.kind >= 0)
        return IRIS_OK;
    st = iris_npy_open(o->what.path, &a, err);
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
    int is_cube;

    st = iris_form_of(o->what.path, &form, err);
    if (st)
        return st;
    if (form == IRIS_FORM_HDF5)
        return show_snapshot(o, canvas, err);
    if (o->size > 0 || o->side)
        return iris_fail(err, IRIS_E_USAGE, "'%s' is no snapshot: it takes no --size and --side",
                         o->what.path);
    is_cube = form == IRIS_FORM_FITS;
    if (form == IRIS_FORM_OTHER)
        st = look_for_cube(o, &is_cube, err);
    if (st)
        return st;
    if (is_cube && o->what.kind >= 0 && o->what.kind != SHOW_CUBE)
        return iris_fail(err, IRIS_E_USAGE, "'%s' is a cube, no array of another kind",
                         o->what.path);
    if (is_cube)
        return show_cube(o, form == IRIS_FORM_FITS, canvas, err);
    if (o->moments || o->what.kind == SHOW_CUBE)
        return iris_fail(err, IRIS_E_USAGE, "'%s' is no cube: it has no moments", o->what.path);
    if (!o->sheet)
        return draw_arrays(o, canvas, err);
    if (form == IRIS_FORM_OTHER)
        return iris_fail(err, IRIS_E_USAGE, "'%s' is one array: --sheet is for data sets",
                         o->what.path);
    if (o->what.kind >= 0)
        return iris_fail(err, IRIS_E_USAGE, "a sheet has all of each entry: it takes no --kind");
    return show_sheet(o, canvas, err);
}
