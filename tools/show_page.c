#include <math.h>

#include "show.h"

/* Sizes in pixels of the font. */
enum { PANEL = 560, MARGIN = 12, FOOT = 4, GAP = 12 };

/* Twice, one beside the other: that is bold. */
void
show_title(struct iris_canvas *canvas, const char *title, int zoom)
{
    struct iris_buf text = {0};
    int x;

    iris_title_fit(title, (size_t)(canvas->width / iris_text_width(" ", zoom)), &text);
    title = iris_buf_str(&text);
    x = (canvas->width - iris_text_width(title, zoom)) / 2;
    iris_canvas_text(canvas, x, MARGIN * zoom, title, zoom, IRIS_BLACK);
    iris_canvas_text(canvas, x + zoom, MARGIN * zoom, title, zoom, IRIS_BLACK);
    canvas->lacks_text |= text.failed;
    iris_buf_release(&text);
}

enum iris_status
show_stretch(const struct show *o, enum show_what what, enum iris_curve suggested,
             enum iris_map map, const double *value, size_t n, struct iris_stretch *s,
             struct iris_err *err)
{
    const struct show_look *look = &o->look[what];
    enum iris_curve curve = look->has_curve ? look->curve : suggested;
    enum iris_status st;

    if (look->has_range)
        return iris_stretch_set(curve, look->range[0], look->range[1], s, err);
    st = iris_stretch_auto(curve, value, n, s, err);
    if (!st && map == IRIS_RED_BLUE)
        iris_stretch_balance(s);
    return st;
}

enum show_what
show_what_of(enum iris_kind kind, const struct iris_view_panel *v)
{
    return kind == IRIS_TENSOR ? (enum show_what)(SHOW_FIELD + v->field) : (enum show_what)kind;
}

enum iris_status
show_lay_out(const struct show *o, size_t panels, struct show_page *p, struct iris_err *err)
{
    *p = (struct show_page){.columns = panels < 4 ? (int)panels : panels == 4 ? 2 : 3};
    p->rows = ((int)panels + p->columns - 1) / p->columns;
    p->width = o->width ? o->width : PANEL * p->columns;
    p->panel_width = p->width / p->columns;
    p->zoom = p->panel_width < 2 * PANEL ? 1 : p->panel_width / PANEL;
    p->panel_height = iris_panel_height(p->panel_width, p->zoom);
    if (p->panel_width < iris_panel_least(p->zoom))
        return iris_fail(err, IRIS_E_USAGE, "too narrow: this picture needs --width=%d or more",
                         p->columns * iris_panel_least(p->zoom));
    return IRIS_OK;
}

enum iris_status
show_begin(const struct show *o, const struct show_page *p, struct iris_canvas *canvas,
           struct iris_err *err)
{
    int height = (SHOW_HEAD + FOOT - GAP) * p->zoom + p->rows * (p->panel_height + GAP * p->zoom);
    enum iris_status st = iris_canvas_init(canvas, p->width, height, err);

    if (!st)
        show_title(canvas, o->title, p->zoom);
    return st;
}

/* The box of the next panel. */
static struct iris_area
next_box(const struct show_page *p)
{
    return (struct iris_area){p->n % p->columns * p->panel_width,
                              SHOW_HEAD * p->zoom +
                                  p->n / p->columns * (p->panel_height + GAP * p->zoom),
                              p->panel_width, p->panel_height};
}

void
show_image(const struct show_page *p, size_t *width, size_t *height)
{
    struct iris_area box = next_box(p), image;

    iris_panel_image(&box, p->zoom, &image);
    *width = (size_t)image.width;
    *height = (size_t)image.height;
}

enum iris_status
show_panel(const struct show *o, struct show_page *p, enum show_what what, const char *name,
           struct iris_panel *panel, struct iris_canvas *canvas, struct iris_err *err)
{
    struct iris_stretch *s = &panel->stretch;
    struct iris_area box = next_box(p);
    enum iris_status st;

    st = show_stretch(o, what, s->curve, panel->map, panel->value, panel->nx * panel->ny, s, err);
    if (st)
        return st;
    if (isnan(s->lo))
        iris_cli_warn(o->cli, "'%s' has no value to show: none of '%s' is %s", name, panel->title,
                      s->curve == IRIS_LOG ? "finite and above 0" : "finite");
    iris_cli_note(o->cli, "%s: from %.6g to %.6g", panel->title, s->lo, s->hi);
    p->n++;
    return iris_panel_draw(canvas, panel, &box, p->zoom, err);
}
