#include <stdlib.h>
#include <string.h>

#include "file.h"
#include "moment.h"
#include "show.h"

enum { NAME = 16 }; /* letters of a line's name */

static enum iris_status
check_options(const struct show *o, struct iris_err *err)
{
    size_t moments = 0;
    int k;

    for (k = 0; k < IRIS_MOMENTS; k++)
        moments += show_wants_moment(o, k) ? 1 : 0;
    if (o->what.entry || o->sheet || o->what.fields || o->what.has_slice)
        return iris_fail(err, IRIS_E_USAGE,
                         "'%s' is a cube: --entry, --sheet, --field and --slice are for data sets "
                         "and tensors",
                         o->what.path);
    if (o->range_of_all && moments > 1)
        return iris_fail(err, IRIS_E_USAGE,
                         "moments have no range in common: say --range=moment0:LO,HI");
    return IRIS_OK;
}

int
show_wants_moment(const struct show *o, int k)
{
    return o->moments ? (o->moments >> k & 1) != 0 : k < 2;
}

static enum iris_status
open_cube(const struct show *o, int is_fits, struct iris_cube_reader *c, struct iris_err *err)
{
    struct iris_subject s = {.hyper = NULL};
    enum iris_status st;

    if (is_fits && (o->what.hyper || o->what.type))
        return iris_fail(err, IRIS_E_USAGE, "'%s' says itself what it is: it takes no -H and -t",
                         o->what.path);
    if (is_fits)
        return iris_cube_read_fits(o->what.path, c, err);
    st = iris_subject_of(o->what.path, o->what.hyper, o->what.type, &s, err);
    if (!st)
        st = iris_cube_read_npy(o->what.path, &s, c, err);
    iris_subject_release(&s);
    return st;
}

/* As much of the name of a line as there is room for, without what is in brackets. */
static int
name_length(const char *line)
{
    const char *bracket = strstr(line, " (");
    size_t n = bracket && bracket > line ? (size_t)(bracket - line) : strlen(line);

    return n < NAME ? (int)n : NAME;
}

/* One moment of a line. */
static enum iris_status
draw_moment(const struct show *o, const struct iris_cube_reader *c,
            const struct iris_moment_maps *m, size_t line, int k, struct show_page *page,
            struct iris_canvas *canvas, struct iris_err *err)
{
    const enum iris_map map[] = {IRIS_INFERNO, c->channels ? IRIS_VIRIDIS : IRIS_RED_BLUE,
                                 IRIS_VIRIDIS};
    const char *name[] = {c->name,
                          c->channels ? "mean channel" : "mean velocity towards the observer",
                          c->channels ? "dispersion" : "velocity dispersion"};
    struct iris_panel p = {.nx = m->nx, .ny = m->ny, .value = m->map[k], .x = c->lon, .y = c->lat};
    struct iris_buf title = {0};
    enum iris_status st;

    if (*m->line)
        iris_buf_printf(&title, "%.*s: ", name_length(m->line), m->line);
    else if (c->n_lines > 1)
        iris_buf_printf(&title, "line %zu: ", line + 1);
    iris_buf_printf(&title, "%s [%s]", name[k], k ? c->v.title : c->unit);
    p.title = iris_buf_str(&title);
    p.x_leftwards = c->lon.step > 0;
    p.map = map[k];
    p.stretch.curve = k ? IRIS_LINEAR : IRIS_ASINH;
    st = iris_buf_check(&title, err);
    if (!st)
        st = show_panel(o, page, (enum show_what)(SHOW_MOMENT + k), o->what.path, &p, canvas, err);
    iris_buf_release(&title);
    return st;
}

static enum iris_status
draw_lines(const struct show *o, const struct iris_cube_reader *c, size_t first, size_t lines,
           struct show_page *page, struct iris_canvas *canvas, struct iris_err *err)
{
    enum iris_status st = IRIS_OK;
    size_t i, width, height;
    int k;

    for (i = first; i < first + lines && !st; i++) {
        struct iris_moment_maps m;

        show_image(page, &width, &height);
        st = iris_moment_maps_make(c, i, width, height, &m, err);
        for (k = 0; k < IRIS_MOMENTS && !st; k++) {
            if (show_wants_moment(o, k))
                st = draw_moment(o, c, &m, i, k, page, canvas, err);
        }
        iris_moment_maps_release(&m);
    }
    return st;
}

enum iris_status
show_cube(struct show *o, int is_fits, struct iris_canvas *canvas, struct iris_err *err)
{
    struct iris_cube_reader c = {.npy = {.fd = -1}};
    size_t first = o->what.line ? (size_t)o->what.line - 1 : 0, lines, panels = 0;
    struct show_page page;
    enum iris_status st;
    int k;

    st = check_options(o, err);
    if (!st && !(o->title = strdup(iris_file_name(o->what.path))))
        st = iris_fail_memory(err);
    if (!st)
        st = open_cube(o, is_fits, &c, err);
    if (!st && first >= c.n_lines)
        st = iris_fail(err, IRIS_E_DATA, "'%s' has %zu lines, so none with the number %llu",
                       o->what.path, c.n_lines, (unsigned long long)o->what.line);
    lines = o->what.line ? 1 : c.n_lines;
    for (k = 0; k < IRIS_MOMENTS; k++)
        panels += show_wants_moment(o, k) ? lines : 0;
    if (!st && panels > IRIS_CANVAS_MAX)
        st = iris_fail(err, IRIS_E_DATA, "'%s' has %zu lines; choose one with --line", o->what.path,
                       lines);
    if (!st)
        st = show_lay_out(o, panels, &page, err);
    if (!st)
        st = show_begin(o, &page, canvas, err);
    if (!st && !o->cli->dry_run)
        st = draw_lines(o, &c, first, lines, &page, canvas, err);
    iris_cube_close(&c);
    return st;
}
