#include "canvas.h"

#include <stdlib.h>
#include <string.h>

#include "font.h"

enum iris_status
iris_canvas_init(struct iris_canvas *c, int width, int height, struct iris_err *err)
{
    size_t n;

    *c = (struct iris_canvas){0};
    if (width < 1 || height < 1 || width > IRIS_CANVAS_MAX || height > IRIS_CANVAS_MAX)
        return iris_fail(err, IRIS_E_DATA, "a picture of %d x %d pixels cannot be drawn", width,
                         height);
    n = (size_t)width * (size_t)height;
    c->pixel = malloc(n * sizeof *c->pixel);
    if (!c->pixel)
        return iris_fail_memory(err);
    memset(c->pixel, 0xff, n * sizeof *c->pixel);
    c->width = width;
    c->height = height;
    return IRIS_OK;
}

void
iris_canvas_release(struct iris_canvas *c)
{
    free(c->pixel);
    *c = (struct iris_canvas){0};
}

void
iris_canvas_fill(struct iris_canvas *c, int x, int y, int width, int height,
                 struct iris_colour colour)
{
    int x1 = x + width < c->width ? x + width : c->width;
    int y1 = y + height < c->height ? y + height : c->height;
    int i, j;

    x = x > 0 ? x : 0;
    for (j = y > 0 ? y : 0; j < y1; j++) {
        struct iris_colour *row = c->pixel + (size_t)j * (size_t)c->width;

        for (i = x; i < x1; i++)
            row[i] = colour;
    }
}

void
iris_canvas_frame(struct iris_canvas *c, int x, int y, int width, int height, int thick,
                  struct iris_colour colour)
{
    iris_canvas_fill(c, x, y, width, thick, colour);
    iris_canvas_fill(c, x, y + height - thick, width, thick, colour);
    iris_canvas_fill(c, x, y, thick, height, colour);
    iris_canvas_fill(c, x + width - thick, y, thick, height, colour);
}

static int
dot(const unsigned rows[IRIS_GLYPH_HEIGHT], int column, int row)
{
    return (int)(rows[row] >> (IRIS_GLYPH_WIDTH - 1 - column) & 1);
}

void
iris_canvas_text(struct iris_canvas *c, int x, int y, const char *text, int zoom,
                 struct iris_colour colour)
{
    unsigned rows[IRIS_GLYPH_HEIGHT];
    int i, j;

    for (; iris_font_next(&text, rows); x += IRIS_GLYPH_WIDTH * zoom)
        for (j = 0; j < IRIS_GLYPH_HEIGHT; j++)
            for (i = 0; i < IRIS_GLYPH_WIDTH; i++)
                if (dot(rows, i, j))
                    iris_canvas_fill(c, x + i * zoom, y + j * zoom, zoom, zoom, colour);
}

void
iris_canvas_text_up(struct iris_canvas *c, int x, int y, const char *text, int zoom,
                    struct iris_colour colour)
{
    unsigned rows[IRIS_GLYPH_HEIGHT];
    int i, j;

    for (; iris_font_next(&text, rows); y -= IRIS_GLYPH_WIDTH * zoom)
        for (j = 0; j < IRIS_GLYPH_HEIGHT; j++)
            for (i = 0; i < IRIS_GLYPH_WIDTH; i++)
                if (dot(rows, i, j))
                    iris_canvas_fill(c, x + j * zoom, y - (i + 1) * zoom, zoom, zoom, colour);
}

int
iris_text_width(const char *text, int zoom)
{
    return (int)iris_font_count(text) * IRIS_GLYPH_WIDTH * zoom;
}
