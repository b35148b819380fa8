#include "pngwrite.h"

#include <stdlib.h>
#include <string.h>

#include <png.h>

enum { COLOURS = 256, SLOTS = 1024 };

/* The colours of a picture: a table of open addresses. */
struct palette {
    int n; /* COLOURS + 1: too many */
    png_color colour[COLOURS];
    short slot[SLOTS]; /* index + 1; 0: free */
};

static int
find(struct palette *p, struct iris_colour c)
{
    unsigned at = (c.r * 31u + c.g * 131u + c.b * 521u) % SLOTS;

    for (; p->slot[at]; at = (at + 1) % SLOTS) {
        const png_color *x = &p->colour[p->slot[at] - 1];

        if (x->red == c.r && x->green == c.g && x->blue == c.b)
            return p->slot[at] - 1;
    }
    if (p->n < COLOURS) {
        p->colour[p->n] = (png_color){c.r, c.g, c.b};
        p->slot[at] = (short)(p->n + 1);
    }
    return p->n++;
}

static void
collect(struct palette *p, const struct iris_canvas *c)
{
    size_t i, n = (size_t)c->width * (size_t)c->height;

    for (i = 0; i < n && p->n <= COLOURS; i++)
        find(p, c->pixel[i]);
}

/* Where libpng writes to and complains to. */
struct sink {
    struct iris_buf *out;
    struct iris_err *err;
};

static void
put(png_structp png, png_bytep data, png_size_t n)
{
    struct sink *s = png_get_io_ptr(png);

    iris_buf_append(s->out, data, n);
}

static void
flush(png_structp png)
{
    (void)png;
}

static void
complain(png_structp png, png_const_charp why)
{
    struct sink *s = png_get_error_ptr(png);

    iris_fail(s->err, IRIS_E_IO, "libpng cannot write the picture: %s", why);
    png_longjmp(png, 1);
}

static void
ignore(png_structp png, png_const_charp why)
{
    (void)png;
    (void)why;
}

/* Everything that may jump. Nothing is allocated here, so nothing is lost. */
static void
write_all(png_structp png, png_infop info, const struct iris_canvas *c, struct palette *p,
          unsigned char *row)
{
    int x, y, few = p->n <= COLOURS;

    png_set_compression_level(png, 9);
    /* neighbours on a map are neighbours in the palette where a bar comes first,
     * so their differences are small here too */
    png_set_filter(png, 0, PNG_FILTER_NONE | PNG_FILTER_SUB | PNG_FILTER_UP);
    png_set_IHDR(png, info, (png_uint_32)c->width, (png_uint_32)c->height, 8,
                 few ? PNG_COLOR_TYPE_PALETTE : PNG_COLOR_TYPE_RGB, PNG_INTERLACE_NONE,
                 PNG_COMPRESSION_TYPE_DEFAULT, PNG_FILTER_TYPE_DEFAULT);
    if (few)
        png_set_PLTE(png, info, p->colour, p->n);
    png_write_info(png, info);
    for (y = 0; y < c->height; y++) {
        const struct iris_colour *from = c->pixel + (size_t)y * (size_t)c->width;

        for (x = 0; x < c->width; x++) {
            if (few)
                row[x] = (unsigned char)find(p, from[x]);
            else
                memcpy(row + 3 * x, &from[x], 3);
        }
        png_write_row(png, row);
    }
    png_write_end(png, info);
}

enum iris_status
iris_png_encode(const struct iris_canvas *c, struct iris_buf *out, struct iris_err *err)
{
    struct sink sink = {out, err};
    unsigned char *row = malloc(3 * (size_t)c->width);
    struct palette *p = calloc(1, sizeof *p);
    png_structp png = png_create_write_struct(PNG_LIBPNG_VER_STRING, &sink, complain, ignore);
    png_infop info = png ? png_create_info_struct(png) : NULL;
    volatile enum iris_status st = IRIS_OK;

    if (!row || !p || !info || c->lacks_text) {
        st = iris_fail_memory(err);
    } else {
        collect(p, c);
        png_set_write_fn(png, &sink, put, flush);
        if (setjmp(png_jmpbuf(png)))
            st = IRIS_E_IO; /* complain() has said it */
        else
            write_all(png, info, c, p, row);
    }
    png_destroy_write_struct(&png, &info);
    free(p);
    free(row);
    return st ? st : iris_buf_check(out, err);
}
