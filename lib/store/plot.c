#include "plot.h"

#include <math.h>
#include <string.h>

#include "font.h"
#include "ticks.h"

/* Sizes in pixels of the font. */
enum {
    LINE = IRIS_GLYPH_HEIGHT,
    TICK = 6,
    SMALL = 3,
    BAR = 12,
    LEFT = 5 + LINE + 4 + 6 * IRIS_GLYPH_WIDTH + 4 + TICK,
    RIGHT = 3 * IRIS_GLYPH_WIDTH,
    ABOVE = LINE + 3 + LINE + 2 + TICK + BAR + 10,
    BELOW = TICK + 2 + LINE + 2 + LINE + 6,
    LEAST = 100, /* of an image */
    SUN = 7,     /* half of the sign */
};

int
iris_panel_image(const struct iris_area *box, int zoom, struct iris_area *image)
{
    *image = (struct iris_area){box->x + LEFT * zoom, box->y + ABOVE * zoom,
                                box->width - (LEFT + RIGHT) * zoom,
                                box->height - (ABOVE + BELOW) * zoom};
    return image->width < LEAST || image->height < LEAST ? -1 : 0;
}

int
iris_panel_height(int width, int zoom)
{
    return width + (ABOVE + BELOW - LEFT - RIGHT) * zoom;
}

int
iris_panel_least(int zoom)
{
    return LEAST + (LEFT + RIGHT) * zoom;
}

void
iris_image_draw(struct iris_canvas *c, const struct iris_panel *p, const struct iris_area *box)
{
    int i, j;

    for (j = 0; j < box->height; j++) {
        size_t y = (size_t)(box->height - 1 - j) * p->ny / (size_t)box->height;

        for (i = 0; i < box->width; i++) {
            size_t x = (size_t)(p->x_leftwards ? box->width - 1 - i : i) * p->nx /
                       (size_t)box->width;
            double place = iris_stretch_at(&p->stretch, p->value[y * p->nx + x]);

            iris_canvas_fill(c, box->x + i, box->y + j, 1, 1, iris_map_colour(p->map, place));
        }
    }
}

/* What is drawn along one side of the image. */
struct side {
    struct iris_stretch range; /* of its values, from edge to edge of the image */
    int backwards;             /* from right to left, from top to bottom */
    struct iris_tick tick[IRIS_TICKS];
    size_t n;
};

/* Both edges are half a pixel beyond the middles of the outer ones. */
static enum iris_status
prepare_side(const struct iris_scale *a, int length, int glyph, int gap, struct side *s,
             struct iris_err *err)
{
    struct iris_tick_room room = {length, glyph, gap};
    double lo = a->first - a->step / 2, hi = lo + a->step * (double)a->n;

    s->range = (struct iris_stretch){IRIS_LINEAR, fmin(lo, hi), fmax(lo, hi), 1};
    if (!isfinite(lo) || !isfinite(hi) || !(s->range.lo < s->range.hi))
        return iris_fail(err, IRIS_E_DATA, "the axis '%s' does not go from one number to another",
                         a->title);
    s->n = iris_ticks(&s->range, &room, s->tick);
    return IRIS_OK;
}

/* The pixel that a place of a side is in. */
static int
pixel_of(double at, int backwards, int length)
{
    double p = floor((backwards ? 1 - at : at) * length);

    return (int)fmin(fmax(p, 0), length - 1);
}

/* In the middle of x, as far as that is within the canvas. */
static void
text_middle(struct iris_canvas *c, int x, int y, const char *text, int zoom)
{
    int width = iris_text_width(text, zoom), left = x - width / 2;

    if (left > c->width - width)
        left = c->width - width;
    iris_canvas_text(c, left < 0 ? 0 : left, y, text, zoom, IRIS_BLACK);
}

void
iris_title_fit(const char *title, size_t glyphs, struct iris_buf *out)
{
    const char *unit = strstr(title, " [");
    size_t n = 0, most;

    if (iris_font_count(title) <= glyphs) {
        iris_buf_puts(out, title);
        return;
    }
    if (!unit)
        unit = "";
    most = 2 + iris_font_count(unit);
    most = glyphs > most ? glyphs - most : 0;
    while (title[n] && (most || (title[n] & 0xc0) == 0x80)) /* whole characters */
        most -= (title[n++] & 0xc0) != 0x80;
    while (n && title[n - 1] == ' ')
        n--;
    iris_buf_printf(out, "%.*s..%s", (int)n, title, unit);
}

/* A title in the middle of the image, but within the room. */
static void
title_middle(struct iris_canvas *c, const struct iris_area *image, const struct iris_area *room,
             int y, const char *title, int zoom)
{
    struct iris_buf text = {0};
    int width, x;

    iris_title_fit(title, (size_t)(room->width / (IRIS_GLYPH_WIDTH * zoom)), &text);
    width = iris_text_width(iris_buf_str(&text), zoom);
    x = image->x + image->width / 2 - width / 2;
    if (x + width > room->x + room->width)
        x = room->x + room->width - width;
    if (x < room->x)
        x = room->x;
    iris_canvas_text(c, x, y, iris_buf_str(&text), zoom, IRIS_BLACK);
    c->lacks_text |= text.failed;
    iris_buf_release(&text);
}

static void
draw_below(struct iris_canvas *c, const struct side *s, const struct iris_area *image,
           const struct iris_area *box, const char *title, int zoom)
{
    int foot = image->y + image->height;
    size_t i;

    for (i = 0; i < s->n; i++) {
        const struct iris_tick *t = &s->tick[i];
        int x = image->x + pixel_of(t->at, s->backwards, image->width);

        iris_canvas_fill(c, x - (zoom - 1) / 2, foot, zoom, (t->label[0] ? TICK : SMALL) * zoom,
                         IRIS_BLACK);
        text_middle(c, x, foot + (TICK + 2) * zoom, t->label, zoom);
    }
    title_middle(c, image, box, foot + (TICK + 2 + LINE + 2) * zoom, title, zoom);
}

static void
draw_left(struct iris_canvas *c, const struct side *s, const struct iris_area *image,
          const struct iris_area *box, const char *title, int zoom)
{
    /* between the title of the bar and the end of the box */
    int top = image->y - (ABOVE - LINE - 3) * zoom, end = box->y + box->height, foot, width;
    struct iris_buf text = {0};
    size_t i;

    for (i = 0; i < s->n; i++) {
        const struct iris_tick *t = &s->tick[i];
        int y = image->y + pixel_of(t->at, !s->backwards, image->height);
        int size = (t->label[0] ? TICK : SMALL) * zoom;

        iris_canvas_fill(c, image->x - size, y - (zoom - 1) / 2, size, zoom, IRIS_BLACK);
        iris_canvas_text(c, image->x - (TICK + 4) * zoom - iris_text_width(t->label, zoom),
                         y - LINE / 2 * zoom, t->label, zoom, IRIS_BLACK);
    }
    iris_title_fit(title, (size_t)((end - top) / (IRIS_GLYPH_WIDTH * zoom)), &text);
    width = iris_text_width(iris_buf_str(&text), zoom);
    foot = image->y + (image->height + width) / 2;
    if (foot > end)
        foot = end;
    if (foot < top + width)
        foot = top + width;
    iris_canvas_text_up(c, image->x - (LEFT - 5) * zoom, foot, iris_buf_str(&text), zoom,
                        IRIS_BLACK);
    c->lacks_text |= text.failed;
    iris_buf_release(&text);
}

/* A ring and a point, black on white. */
static void
draw_sun(struct iris_canvas *c, int x, int y, int zoom)
{
    static const struct iris_colour white = {255, 255, 255};
    int i, j;

    for (j = -SUN; j <= SUN; j++) {
        for (i = -SUN; i <= SUN; i++) {
            int d2 = i * i + j * j;

            if (d2 <= SUN * SUN + SUN)
                iris_canvas_fill(c, x + i * zoom, y + j * zoom, zoom, zoom,
                                 d2 <= 2 || (d2 >= 25 && d2 < 36) ? IRIS_BLACK : white);
        }
    }
}

static void
draw_marks(struct iris_canvas *c, const struct iris_panel *p, const struct side *x,
           const struct side *y, const struct iris_area *image, int zoom)
{
    size_t i;

    for (i = 0; i < p->marks; i++) {
        double u = iris_stretch_at(&x->range, p->mark[i].x);
        double v = iris_stretch_at(&y->range, p->mark[i].y);

        if (u >= 0 && u <= 1 && v >= 0 && v <= 1)
            draw_sun(c, image->x + pixel_of(u, x->backwards, image->width),
                     image->y + pixel_of(v, !y->backwards, image->height), zoom);
    }
}

int
iris_bar_height(int zoom)
{
    return ABOVE * zoom;
}

void
iris_bar_draw(struct iris_canvas *c, const struct iris_panel *p, const struct iris_area *image,
              const struct iris_area *wide, int zoom)
{
    struct iris_tick_room room = {image->width, IRIS_GLYPH_WIDTH * zoom,
                                  2 * IRIS_GLYPH_WIDTH * zoom};
    int top = image->y - (10 + BAR) * zoom, i;
    struct iris_tick tick[IRIS_TICKS];
    size_t n, k;

    title_middle(c, image, wide, image->y - ABOVE * zoom, p->title, zoom);
    n = iris_ticks(&p->stretch, &room, tick);
    if (!n)
        return; /* no value, so no colour means anything */
    for (i = 0; i < image->width; i++)
        iris_canvas_fill(c, image->x + i, top, 1, BAR * zoom,
                         iris_map_colour(p->map, (i + 0.5) / image->width));
    iris_canvas_frame(c, image->x - zoom, top - zoom, image->width + 2 * zoom, (BAR + 2) * zoom,
                      zoom, IRIS_BLACK);
    for (k = 0; k < n; k++) {
        int x = image->x + pixel_of(tick[k].at, 0, image->width);
        int size = (tick[k].label[0] ? TICK : SMALL) * zoom;

        iris_canvas_fill(c, x - (zoom - 1) / 2, top - size, zoom, size, IRIS_BLACK);
        text_middle(c, x, top - (TICK + 2 + LINE) * zoom, tick[k].label, zoom);
    }
}

/* What is said where no value has a colour. */
static const char *
empty(const struct iris_panel *p)
{
    size_t n = p->nx * p->ny, zeros = 0, infinite = 0, i;

    for (i = 0; i < n; i++) {
        zeros += !(p->value[i] < 0) && !(p->value[i] > 0) && !isnan(p->value[i]);
        infinite += isinf(p->value[i]) && p->value[i] > 0;
    }
    return zeros == n ? "0 everywhere" : infinite == n ? "infinite everywhere" : "no values";
}

enum iris_status
iris_panel_draw(struct iris_canvas *c, const struct iris_panel *p, const struct iris_area *box,
                int zoom, struct iris_err *err)
{
    struct side x = {.backwards = p->x_leftwards}, y = {.backwards = 0};
    struct iris_area image;
    enum iris_status st;

    if (iris_panel_image(box, zoom, &image) || !p->nx || !p->ny)
        return iris_fail(err, IRIS_E_DATA, "a panel of %d x %d pixels is too small", box->width,
                         box->height);
    st = prepare_side(&p->x, image.width, IRIS_GLYPH_WIDTH * zoom, 2 * IRIS_GLYPH_WIDTH * zoom, &x,
                      err);
    if (!st)
        st = prepare_side(&p->y, image.height, 0, 3 * LINE * zoom, &y, err);
    if (st)
        return st;
    iris_image_draw(c, p, &image);
    draw_marks(c, p, &x, &y, &image, zoom);
    iris_canvas_frame(c, image.x - zoom, image.y - zoom, image.width + 2 * zoom,
                      image.height + 2 * zoom, zoom, IRIS_BLACK);
    draw_below(c, &x, &image, box, p->x.title, zoom);
    draw_left(c, &y, &image, box, p->y.title, zoom);
    iris_bar_draw(c, p, &image, box, zoom);
    if (!(p->stretch.lo < p->stretch.hi))
        text_middle(c, image.x + image.width / 2, image.y + (image.height - LINE * zoom) / 2,
                    empty(p), zoom);
    return IRIS_OK;
}
