#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "font.h"
#include "plot.h"
#include "show.h"

/* Sizes in pixels of the font. */
enum { WIDTH = 1120, CELLS = 3, GAP = 8, LABEL = IRIS_GLYPH_HEIGHT + 2 * GAP };

/* Pixels of a side of what the common range is taken from: with it the memory
 * of all entries is bounded. */
enum { COARSE = 64 };

/* A sheet has two pictures of each entry: of both arrays, or of both
 * quantities of a tensor. Each of the two has one range for all entries. */
struct sheet {
    struct show *o;
    struct iris_set set;
    size_t n;
    int width, zoom, cell, side; /* side of a thumbnail */
    struct iris_stretch stretch[2];
    enum iris_map map[2];
    enum show_what what[2];
    double *value[2]; /* while the ranges are looked for */
    size_t values[2];
};

static enum iris_status
read_view(const struct iris_arrays *a, int slot, size_t max, struct iris_view_panel *v,
          struct iris_err *err)
{
    const struct iris_array *x = &a->array[a->n > 1 ? slot : 0];

    return iris_subject_view(&x->subject, &x->npy, x->kind,
                             x->first + (a->n > 1 ? 0 : (size_t)slot), max, max, v, err);
}

static enum iris_status
collect(struct sheet *s, const struct iris_arrays *a, struct iris_err *err)
{
    enum iris_status st = IRIS_OK;
    struct iris_view_panel v;
    int k;

    for (k = 0; k < 2 && !st; k++) {
        size_t n;

        st = read_view(a, k, COARSE, &v, err);
        if (st)
            break;
        n = v.raster.nx * v.raster.ny;
        memcpy(s->value[k] + s->values[k], v.raster.value, n * sizeof *v.raster.value);
        s->values[k] += n;
        s->stretch[k].curve = v.panel.stretch.curve;
        s->map[k] = v.panel.map;
        s->what[k] = show_what_of(a->array[a->n > 1 ? k : 0].kind, &v);
        iris_view_panel_release(&v);
    }
    return st;
}

/* First pass: the range of each of the two. */
static enum iris_status
find_ranges(struct sheet *s, struct iris_err *err)
{
    enum iris_status st = IRIS_OK;
    struct iris_arrays a = {.n = 0};
    size_t i;
    int k;

    for (k = 0; k < 2 && !st; k++) {
        s->value[k] = malloc(s->n * COARSE * COARSE * sizeof *s->value[k]);
        st = s->value[k] ? IRIS_OK : iris_fail_memory(err);
    }
    for (i = 0; i < s->n && !st; i++) {
        st = iris_arrays_open_entry(&s->set, s->set.first + i, &a, err);
        if (!st)
            st = show_check_range(s->o, &a, err);
        if (!st && a.n == 1 && a.array[0].views != 2)
            st = iris_fail(err, IRIS_E_USAGE, "a sheet of tensors has two fields");
        if (!st)
            st = collect(s, &a, err);
        iris_arrays_close(&a);
    }
    for (k = 0; k < 2; k++) {
        if (!st)
            st = show_stretch(s->o, s->what[k], s->stretch[k].curve, s->map[k], s->value[k],
                              s->values[k], &s->stretch[k], err);
        free(s->value[k]);
    }
    return st;
}

/* As much of an id as there is room for: without the digest, then its end. */
static const char *
label_of(const char *id, int width, int zoom)
{
    const char *dot = strchr(id, '.');

    if (iris_text_width(id, zoom) > width && dot && !strchr(id, '/'))
        id = dot + 1;
    while (*id && iris_text_width(id, zoom) > width)
        id++;
    return id;
}

/* What the sides of a picture are, in one line. */
static void
draw_axes(const struct sheet *s, const struct iris_panel *p, int left, struct iris_canvas *canvas)
{
    struct iris_buf text = {0};
    const struct iris_scale *x = &p->x, *y = &p->y;
    double x_last = x->first + x->step * (double)(x->n - 1);

    iris_buf_printf(&text, "%s %.4g to %.4g", x->title, p->x_leftwards ? x_last : x->first,
                    p->x_leftwards ? x->first : x_last);
    iris_canvas_text(canvas, left, canvas->height - 2 * (LABEL - GAP) * s->zoom,
                     iris_buf_str(&text), s->zoom, IRIS_BLACK);
    iris_buf_clear(&text);
    iris_buf_printf(&text, "%s %.4g to %.4g", y->title, y->first,
                    y->first + y->step * (double)(y->n - 1));
    iris_canvas_text(canvas, left, canvas->height - (LABEL - GAP) * s->zoom, iris_buf_str(&text),
                     s->zoom, IRIS_BLACK);
    canvas->lacks_text |= text.failed;
    iris_buf_release(&text);
}

/* The two pictures of an entry and its id; with the first one the bars. */
static enum iris_status
draw_entry(const struct sheet *s, size_t i, const struct iris_arrays *a, int top,
           struct iris_canvas *canvas, struct iris_err *err)
{
    const char *id = s->set.catalog.entry[s->set.first + i].id;
    int gap = GAP * s->zoom, x = (int)(i % CELLS) * s->cell + gap;
    int y = top + (int)(i / CELLS) * (s->side + LABEL * s->zoom), k;
    enum iris_status st = IRIS_OK;

    for (k = 0; k < 2 && !st; k++) {
        int half = (s->width - 4 * gap) / 2, left = k ? half + 3 * gap : gap;
        struct iris_area box = {x + k * (s->side + gap / 2), y, s->side, s->side};
        struct iris_area below = {left, top, half, s->side};
        struct iris_view_panel v;

        st = read_view(a, k, (size_t)s->side, &v, err);
        if (st)
            break;
        v.panel.stretch = s->stretch[k];
        iris_image_draw(canvas, &v.panel, &box);
        iris_canvas_frame(canvas, box.x, box.y, box.width, box.height, s->zoom, IRIS_BLACK);
        if (!i) {
            iris_bar_draw(canvas, &v.panel, &below, &below, s->zoom);
            draw_axes(s, &v.panel, left, canvas);
        }
        iris_view_panel_release(&v);
    }
    iris_canvas_text(canvas, x, y + s->side + 2 * s->zoom, label_of(id, s->cell - 2 * gap, s->zoom),
                     s->zoom, IRIS_BLACK);
    return st;
}

static enum iris_status
draw(struct sheet *s, struct iris_canvas *canvas, struct iris_err *err)
{
    int rows = ((int)s->n + CELLS - 1) / CELLS;
    int top = SHOW_HEAD * s->zoom + iris_bar_height(s->zoom);
    struct iris_arrays a = {.n = 0};
    enum iris_status st;
    size_t i;

    st = iris_canvas_init(canvas, s->width,
                          top + rows * (s->side + LABEL * s->zoom) + 2 * LABEL * s->zoom, err);
    if (st || s->o->cli->dry_run)
        return st;
    st = find_ranges(s, err);
    show_title(canvas, s->o->title, s->zoom);
    for (i = 0; i < s->n && !st; i++) {
        st = iris_arrays_open_entry(&s->set, s->set.first + i, &a, err);
        if (!st)
            st = draw_entry(s, i, &a, top, canvas, err);
        iris_arrays_close(&a);
    }
    return st;
}

/* The name of a directory, however it was typed, or of a container without .h5. */
static char *
name_of(const struct iris_set *set)
{
    char *full = realpath(set->what->path, NULL), *slash = full ? strrchr(full, '/') : NULL;
    char *name = strdup(slash ? slash + 1 : set->what->path);
    char *dot = name && set->container ? strrchr(name, '.') : NULL;

    if (dot && dot > name)
        *dot = '\0';
    free(full);
    return name;
}

enum iris_status
show_sheet(struct show *o, struct iris_canvas *canvas, struct iris_err *err)
{
    struct sheet s = {.o = o};
    enum iris_status st;

    s.width = o->width ? o->width : WIDTH;
    s.zoom = s.width < 2 * WIDTH ? 1 : s.width / WIDTH;
    s.cell = s.width / CELLS;
    s.side = (s.cell - 5 * GAP * s.zoom / 2) / 2;
    if (s.side < COARSE)
        return iris_fail(err, IRIS_E_USAGE, "too narrow: a sheet needs --width=%d or more",
                         CELLS * (2 * COARSE + 5 * GAP / 2 + 1));
    st = iris_set_open(&o->what, &s.set, err);
    if (!st && !(o->title = name_of(&s.set)))
        st = iris_fail_memory(err);
    if (!st) {
        s.n = s.set.catalog.n - s.set.first;
        s.n = s.n < o->sheet ? s.n : (size_t)o->sheet;
        st = draw(&s, canvas, err);
    }
    iris_set_close(&s.set);
    return st;
}
