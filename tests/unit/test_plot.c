#include <string.h>

#include <png.h>

#include "canvas.h"
#include "check.h"
#include "colours.h"
#include "font.h"
#include "plot.h"
#include "pngwrite.h"
#include "stretch.h"
#include "ticks.h"

#define NAN_ ((double)NAN)
#define INF_ ((double)INFINITY)

static int
same(struct iris_colour a, struct iris_colour b)
{
    return a.r == b.r && a.g == b.g && a.b == b.b;
}

static struct iris_colour
at(const struct iris_canvas *c, int x, int y)
{
    return c->pixel[y * c->width + x];
}

/* ---- text ---- */

/* Whether a text stands at a place: its dots are black, and nothing else of its
 * cells is. */
static int
stands(const struct iris_canvas *c, const struct iris_canvas *text, int x, int y)
{
    int i, j;

    for (j = 0; j < text->height; j++)
        for (i = 0; i < text->width; i++)
            if (same(at(text, i, j), IRIS_BLACK) != same(at(c, x + i, y + j), IRIS_BLACK))
                return 0;
    return 1;
}

/* Where a text stands first; 0 where it does not. */
static int
find_text(const struct iris_canvas *c, const char *text, int up, int *x, int *y)
{
    int width = iris_text_width(text, 1), found = 0;
    struct iris_canvas t;

    if (iris_canvas_init(&t, up ? IRIS_GLYPH_HEIGHT : width, up ? width : IRIS_GLYPH_HEIGHT, NULL))
        return 0;
    if (up)
        iris_canvas_text_up(&t, 0, width, text, 1, IRIS_BLACK);
    else
        iris_canvas_text(&t, 0, 0, text, 1, IRIS_BLACK);
    for (*y = 0; *y + t.height <= c->height && !found; ++*y)
        for (*x = 0; *x + t.width <= c->width && !found; ++*x)
            found = stands(c, &t, *x, *y);
    iris_canvas_release(&t);
    --*x;
    --*y;
    return found;
}

static void
test_font(void)
{
    unsigned rows[IRIS_GLYPH_HEIGHT], question[IRIS_GLYPH_HEIGHT];
    const char *text = "I", *all = "H₂ −1×10⁻²³ M☉ °", *p, *q = "?", *strange = "\xe4\xb8\xad";
    int i, different = 1;

    CHECK(iris_font_next(&text, rows) && !*text && !iris_font_next(&text, rows), "one character");
    for (i = 0; i < IRIS_GLYPH_HEIGHT; i++)
        different &= (rows[i] >> IRIS_GLYPH_WIDTH) == 0;
    CHECK(different && rows[5] == 0x10 && rows[0] == 0, "an I is a column of dots");
    CHECK(iris_font_count(all) == 16 && iris_text_width(all, 2) == 16 * 9 * 2, "UTF-8 is counted");
    iris_font_next(&q, question);
    for (p = all, different = 1; iris_font_next(&p, rows);)
        different &= memcmp(rows, question, sizeof rows) != 0;
    CHECK(different, "the font has what units need");
    CHECK(iris_font_next(&strange, rows) && !*strange && !memcmp(rows, question, sizeof rows),
          "what it does not have is a question mark");
    strange = "\xe4";
    CHECK(iris_font_next(&strange, rows) && !*strange, "half a character ends with the text");
}

static void
test_canvas(void)
{
    struct iris_colour white = {255, 255, 255};
    struct iris_canvas c, up;
    struct iris_err err = {0};
    int i, j, turned = 1;

    CHECK(iris_canvas_init(&c, 0, 5, &err) == IRIS_E_DATA &&
              iris_canvas_init(&c, 5, 1 << 20, &err) == IRIS_E_DATA && !c.pixel,
          "no picture without pixels, or too large a one");
    iris_canvas_init(&c, 40, 30, &err);
    iris_canvas_init(&up, 30, 40, &err);
    iris_canvas_fill(&c, -5, -5, 7, 6, IRIS_GREY);
    iris_canvas_fill(&c, 38, 29, 100, 100, IRIS_GREY);
    CHECK(same(at(&c, 1, 0), IRIS_GREY) && same(at(&c, 2, 0), white) && same(at(&c, 1, 1), white) &&
              same(at(&c, 39, 29), IRIS_GREY) && same(at(&c, 39, 28), white),
          "what falls outside is cut off");
    iris_canvas_release(&c);
    iris_canvas_init(&c, 40, 30, &err);
    iris_canvas_text(&c, 3, 4, "Rg", 1, IRIS_BLACK);
    iris_canvas_text_up(&up, 4, 37, "Rg", 1, IRIS_BLACK);
    for (j = 0; j < 30; j++)
        for (i = 0; i < 40; i++)
            turned &= same(at(&c, i, j), at(&up, j, 39 - i));
    CHECK(turned, "text that is turned is the same text");
    iris_canvas_text(&c, 35, 25, "outside", 3, IRIS_BLACK);
    iris_canvas_release(&c);
    iris_canvas_release(&c);
    iris_canvas_release(&up);
}

/* ---- values ---- */

static void
test_stretch(void)
{
    static double v[1000];
    struct iris_stretch s, again;
    struct iris_err err = {0};
    size_t i;

    for (i = 0; i < 1000; i++)
        v[i] = (double)((i * 7) % 1000) + 1;
    v[7] = NAN_;
    v[8] = INF_;
    CHECK(!iris_stretch_auto(IRIS_LINEAR, v, 1000, &s, &err) && check_near(s.hi, 999, 0.002) &&
              s.lo >= 0 && s.lo <= 0,
          "linear: from 0 to the 99.9th percentile");
    CHECK(check_near(iris_stretch_at(&s, s.hi / 4), 0.25, 1e-12) && iris_stretch_at(&s, -1) < 0 &&
              iris_stretch_at(&s, 2000) > 1 && isnan(iris_stretch_at(&s, NAN_)),
          "places of values");
    CHECK(!iris_stretch_auto(IRIS_LOG, v, 1000, &s, &err) && check_near(s.lo, 11, 0.2) &&
              check_near(iris_stretch_at(&s, sqrt(s.lo * s.hi)), 0.5, 1e-12) &&
              iris_stretch_at(&s, 0) < 0 && iris_stretch_at(&s, -3) < 0,
          "logarithm: from the first percentile");
    CHECK(!iris_stretch_auto(IRIS_ASINH, v, 1000, &s, &err) && s.soft > 0 && s.soft < s.hi &&
              check_near(iris_stretch_at(&s, s.hi), 1, 1e-12),
          "asinh");
    for (i = 0; i < 500; i++) {
        double x = v[i];

        v[i] = v[999 - i];
        v[999 - i] = x;
    }
    iris_stretch_auto(IRIS_ASINH, v, 1000, &again, &err);
    CHECK(!memcmp(&s.lo, &again.lo, 3 * sizeof s.lo), "the order of values does not matter");
    v[0] = -1;
    CHECK(!iris_stretch_auto(IRIS_LOG, v, 1, &s, &err) && isnan(s.lo) && isnan(s.hi) &&
              isnan(iris_stretch_at(&s, 1)),
          "nothing above 0: nothing to show");
    CHECK(!iris_stretch_auto(IRIS_LINEAR, v, 0, &s, &err) && isnan(s.lo), "no values");
    v[0] = v[1] = 2;
    CHECK(!iris_stretch_auto(IRIS_ASINH, v, 2, &s, &err) && s.lo < 2 && s.hi > 2,
          "a constant has a range around it");
    v[0] = v[1] = 0;
    CHECK(!iris_stretch_auto(IRIS_ASINH, v, 2, &s, &err) && s.hi > 0 &&
              !(iris_stretch_at(&s, 0) > 0),
          "0 everywhere is dark");
    v[0] = v[1] = 5e-324;
    CHECK(!iris_stretch_auto(IRIS_LOG, v, 2, &s, &err) && s.lo > 1e-308 && s.hi > s.lo,
          "a logarithm of numbers that are hardly any");
    v[0] = -1.7e308;
    v[1] = 1.7e308;
    CHECK(!iris_stretch_auto(IRIS_LINEAR, v, 2, &s, &err) && isfinite(s.hi - s.lo),
          "numbers as large as there are");
    CHECK(iris_stretch_set(IRIS_LINEAR, -1.7e308, 1.7e308, &s, &err) == IRIS_E_USAGE &&
              iris_stretch_set(IRIS_LOG, 5e-324, 1, &s, &err) == IRIS_E_USAGE,
          "ranges that nothing can be divided by");
    CHECK(iris_stretch_set(IRIS_LOG, 0, 1, &s, &err) == IRIS_E_USAGE &&
              iris_stretch_set(IRIS_LINEAR, 1, 1, &s, &err) == IRIS_E_USAGE &&
              !iris_stretch_set(IRIS_LINEAR, -1, 1, &s, &err),
          "given ranges");
}

static void
test_colours(void)
{
    struct iris_colour before = iris_map_colour(IRIS_VIRIDIS, 0), now;
    double luma = 0, last = -1;
    int i, steps = 1, rises = 1;

    CHECK(same(before, (struct iris_colour){0x44, 1, 0x54}) &&
              same(iris_map_colour(IRIS_VIRIDIS, 1), (struct iris_colour){0xfd, 0xe7, 0x25}) &&
              same(iris_map_colour(IRIS_INFERNO, 7), (struct iris_colour){0xfc, 0xff, 0xa4}) &&
              same(iris_map_colour(IRIS_INFERNO, -INF_), (struct iris_colour){0, 0, 4}),
          "ends of the maps, and beyond");
    CHECK(same(iris_map_colour(IRIS_VIRIDIS, NAN_), IRIS_NO_VALUE), "not a number is grey");
    for (i = 0; i <= 1000; i++) {
        now = iris_map_colour(IRIS_VIRIDIS, i / 1000.0);
        steps += !same(now, before);
        before = now;
        luma = 0.2126 * now.r + 0.7152 * now.g + 0.0722 * now.b;
        rises &= luma >= last;
        last = luma;
    }
    CHECK(rises && steps == IRIS_MAP_STEPS, "dark to bright in %d steps", steps);
}

static void
test_titles(void)
{
    static const struct {
        const char *title;
        size_t glyphs;
        const char *fits;
    } t[] = {
        {"gas density [g cm⁻³]", 20, "gas density [g cm⁻³]"},
        {"gas density [g cm⁻³]", 19, "gas dens.. [g cm⁻³]"},
        {"gas dens.. [g cm⁻³]", 15, "gas.. [g cm⁻³]"},
        {"gas dens.. [g cm⁻³]", 3, ".. [g cm⁻³]"},
        {"M☉☉☉ and more", 6, "M☉☉☉.."},
        {"", 0, ""},
    };
    struct iris_buf text = {0};
    size_t i;

    for (i = 0; i < sizeof t / sizeof t[0]; i++) {
        iris_buf_clear(&text);
        iris_title_fit(t[i].title, t[i].glyphs, &text);
        CHECK(!strcmp(iris_buf_str(&text), t[i].fits), "%zu of '%s': '%s'", t[i].glyphs, t[i].title,
              iris_buf_str(&text));
    }
    iris_buf_release(&text);
}

/* CIELAB's lightness of a colour in sRGB. */
static double
lightness(struct iris_colour c)
{
    const double part[3] = {c.r / 255.0, c.g / 255.0, c.b / 255.0};
    static const double weight[3] = {0.2126729, 0.7151522, 0.0721750};
    double y = 0;
    int k;

    for (k = 0; k < 3; k++)
        y += weight[k] *
             (part[k] > 0.04045 ? pow((part[k] + 0.055) / 1.055, 2.4) : part[k] / 12.92);
    return 116 * cbrt(y) - 16;
}

static void
test_two_sided(void)
{
    struct iris_stretch s = {IRIS_LINEAR, -3, 2, 1}, l = {IRIS_LOG, 1, 2, 1};
    struct iris_colour red = iris_map_colour(IRIS_RED_BLUE, 0.3);
    struct iris_colour blue = iris_map_colour(IRIS_RED_BLUE, 0.7);
    double worst = 0;
    int i;

    CHECK(same(iris_map_colour(IRIS_RED_BLUE, 0.5), (struct iris_colour){0xf3, 0xf3, 0xf3}) &&
              same(iris_map_colour(IRIS_RED_BLUE, 0), (struct iris_colour){0x6e, 0x37, 0x2a}) &&
              same(iris_map_colour(IRIS_RED_BLUE, 1), (struct iris_colour){1, 0x4a, 0x75}),
          "the middle and the ends of the map with two sides");
    CHECK(red.r > red.b + 50 && blue.b > blue.r + 50, "red below, blue above");
    for (i = 0; i < IRIS_MAP_STEPS - 1; i++) {
        double place = i / (IRIS_MAP_STEPS - 2.0);
        double want = 96 - 66 * fabs(2 * place - 1);

        worst = fmax(worst, fabs(lightness(iris_map_colour(IRIS_RED_BLUE, place)) - want));
    }
    CHECK(worst < 1.2, "its lightness falls evenly to both sides: %g", worst);
    iris_stretch_balance(&s);
    iris_stretch_balance(&l);
    CHECK(check_near(s.lo, -3, 0) && check_near(s.hi, 3, 0) && check_near(l.lo, 1, 0),
          "a range about 0");
}

/* The labels of a range, from lo to hi, with blanks between. */
static const char *
labels(enum iris_curve curve, double lo, double hi, double length, int across)
{
    static char text[1000];
    struct iris_stretch s = {curve, lo, hi, hi / 100};
    struct iris_tick_room room = {length, across ? 0 : 9, across ? 45 : 18};
    struct iris_tick tick[IRIS_TICKS];
    size_t n = iris_ticks(&s, &room, tick), i;
    double last = -INF_;

    text[0] = '\0';
    for (;;) {
        size_t best = n;

        for (i = 0; i < n; i++)
            if (tick[i].label[0] && tick[i].value > last &&
                (best == n || tick[i].value < tick[best].value))
                best = i;
        if (best == n)
            return text;
        last = tick[best].value;
        strcat(strcat(text, text[0] ? " " : ""), tick[best].label);
    }
}

static void
test_ticks(void)
{
    static const struct {
        enum iris_curve curve;
        double lo, hi, length;
        int across;
        const char *labels;
    } t[] = {
        {IRIS_LINEAR, -1.5, 1.5, 445, 0, "−1.5 −1.0 −0.5 0 0.5 1.0 1.5"},
        {IRIS_LINEAR, 8052, 8502, 445, 1, "8100 8150 8200 8250 8300 8350 8400 8450 8500"},
        {IRIS_LINEAR, -200, 200, 300, 1, "−200 −100 0 100 200"},
        {IRIS_LINEAR, 0, 3e-22, 300, 0, "0 10⁻²² 2×10⁻²² 3×10⁻²²"},
        {IRIS_LINEAR, 0, 1e6, 445, 0, "0 0.2×10⁶ 0.4×10⁶ 0.6×10⁶ 0.8×10⁶ 1.0×10⁶"},
        {IRIS_LINEAR, 0, 0.003, 300, 0, "0 0.001 0.002 0.003"},
        {IRIS_LOG, 2e-26, 5e-21, 445, 0, "10⁻²⁵ 10⁻²⁴ 10⁻²³ 10⁻²² 10⁻²¹"},
        {IRIS_LOG, 2e-26, 5e-21, 200, 0, "10⁻²⁵ 10⁻²³ 10⁻²¹"},
        {IRIS_LOG, 1, 1000, 445, 0, "1 10 100 1000"},
        {IRIS_LOG, 150, 12000, 445, 0, "200 500 1000 2000 5000 10000"},
        {IRIS_LOG, 3.1, 3.4, 445, 0, "3.10 3.15 3.20 3.25 3.30 3.35 3.40"},
        {IRIS_ASINH, 0, 500, 445, 0, "0 10 100"},
        {IRIS_ASINH, -500, 500, 445, 0, "−100 −10 0 10 100"},
    };
    size_t i;

    for (i = 0; i < sizeof t / sizeof *t; i++) {
        const char *got = labels(t[i].curve, t[i].lo, t[i].hi, t[i].length, t[i].across);

        if (!CHECK(!strcmp(got, t[i].labels), "from %g to %g: %s", t[i].lo, t[i].hi, t[i].labels))
            printf("# %s\n", got);
    }
    CHECK(!*labels(IRIS_LOG, NAN_, NAN_, 445, 0), "nothing to show, no ticks");
}

/* ---- panels ---- */

static void
test_panel(void)
{
    static const char *const x_labels[] = {"1.0", "0.5", "−0.5", "−1.0"};
    static double v[4 * 3] = {0, 0, 0, 0, 0, 0, 0, 100, NAN_, 0, 0, 0};
    struct iris_panel p = {4,
                           3,
                           v,
                           {-1.5, 1, 4, "longitude [°]"},
                           {8100, 100, 3, "distance [pc]"},
                           1,
                           "what [K]",
                           {IRIS_LINEAR, 0, 100, 1},
                           IRIS_INFERNO,
                           NULL,
                           0};
    struct iris_area box = {7, 5, 560, iris_panel_height(560, 1)}, image;
    struct iris_colour bright = iris_map_colour(IRIS_INFERNO, 1);
    int x, y, y2, i, last = 0, ordered = 1;
    struct iris_err err = {0};
    struct iris_canvas c;

    iris_canvas_init(&c, 600, 700, &err);
    CHECK(!iris_panel_image(&box, 1, &image) && image.width == image.height, "a square image");
    CHECK(!iris_panel_draw(&c, &p, &box, 1, &err), "a panel is drawn");
    for (i = 0; i < 4; i++) {
        ordered &= find_text(&c, x_labels[i], 0, &x, &y) && x > last && y > image.y + image.height;
        last = x;
    }
    CHECK(ordered, "numbers below it, falling to the right");
    CHECK(find_text(&c, "8100", 0, &x, &y) && find_text(&c, "8300", 0, &x, &y2) && y2 < y &&
              x < image.x,
          "numbers on the left, growing upwards");
    /* the middle of the lowest of three rows */
    CHECK(abs(y + IRIS_GLYPH_HEIGHT / 2 - (image.y + image.height * 5 / 6)) <= 1,
          "a number is beside the middle of its pixels");
    CHECK(find_text(&c, "longitude [°]", 0, &x, &y) && find_text(&c, "distance [pc]", 1, &x, &y) &&
              find_text(&c, "what [K]", 0, &x, &y) && y < image.y &&
              find_text(&c, "100", 0, &x, &y),
          "titles and the numbers of the bar");
    /* value 7 is x 3, y 1: the most positive x is on the left */
    CHECK(same(at(&c, image.x + image.width / 8, image.y + image.height / 2), bright) &&
              !same(at(&c, image.x + image.width * 7 / 8, image.y + image.height / 2), bright),
          "x grows to the left");
    CHECK(same(at(&c, image.x + image.width * 7 / 8, image.y + 9), IRIS_NO_VALUE),
          "not a number is grey, in the upper row");
    p.x_leftwards = 0;
    iris_panel_draw(&c, &p, &box, 1, &err);
    CHECK(same(at(&c, image.x + image.width * 7 / 8, image.y + image.height / 2), bright),
          "or to the right");
    p.stretch.lo = p.stretch.hi = NAN_;
    iris_panel_draw(&c, &p, &box, 1, &err);
    CHECK(find_text(&c, "no values", 0, &x, &y) &&
              same(at(&c, image.x + 5, image.y + 5), IRIS_NO_VALUE),
          "nothing to show");
    box.width = 50;
    CHECK(iris_panel_draw(&c, &p, &box, 1, &err) == IRIS_E_DATA, "too small a box");
    box.width = 560;
    p.x.step = NAN_;
    CHECK(iris_panel_draw(&c, &p, &box, 1, &err) == IRIS_E_DATA && strstr(err.msg, "longitude"),
          "an axis without numbers");
    iris_canvas_release(&c);
}

/* What libpng reads is what was drawn. */
static void
test_png(int colours)
{
    png_image image = {.version = PNG_IMAGE_VERSION};
    struct iris_buf file = {0}, again = {0};
    struct iris_err err = {0};
    unsigned char *back = NULL;
    struct iris_canvas c;
    int i;

    iris_canvas_init(&c, 61, 43, &err);
    for (i = 0; i < 61 * 43; i++)
        c.pixel[i] = (struct iris_colour){(unsigned char)(i % colours),
                                          (unsigned char)(i % colours >> 8),
                                          (unsigned char)(i % colours * 5)};
    CHECK(!iris_png_encode(&c, &file, &err) && !iris_png_encode(&c, &again, &err) &&
              file.len == again.len && !memcmp(file.data, again.data, file.len),
          "%d colours: the same bytes each time", colours);
    CHECK(file.data[25] == (colours <= 256 ? PNG_COLOR_TYPE_PALETTE : PNG_COLOR_TYPE_RGB),
          "a palette for up to 256");
    if (png_image_begin_read_from_memory(&image, file.data, file.len)) {
        image.format = PNG_FORMAT_RGB;
        back = malloc(PNG_IMAGE_SIZE(image));
        png_image_finish_read(&image, NULL, back, 0, NULL);
    }
    CHECK(back && image.width == 61 && image.height == 43 && !memcmp(back, c.pixel, 61 * 43 * 3),
          "it is read back");
    free(back);
    iris_buf_release(&file);
    iris_buf_release(&again);
    iris_canvas_release(&c);
}

static void
test_no_png(void)
{
    struct iris_buf file = {0};
    struct iris_err err = {0};
    struct iris_canvas c;

    iris_canvas_init(&c, 8, 8, &err);
    c.height = 0;
    CHECK(iris_png_encode(&c, &file, &err) == IRIS_E_IO &&
              strstr(err.msg, "libpng cannot write the picture: "),
          "what libpng does not write is told: %s", err.msg);
    iris_buf_release(&file);
    iris_canvas_release(&c);
}

int
main(void)
{
    test_font();
    test_canvas();
    test_stretch();
    test_colours();
    test_two_sided();
    test_titles();
    test_ticks();
    test_panel();
    test_png(2);
    test_png(256);
    test_png(257);
    test_png(2000);
    test_no_png();
    return check_done();
}
