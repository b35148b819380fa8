/* show -- what iris-show draws: panels of an entry or a snapshot, or a sheet of
 * entries.
 */
#ifndef SHOW_H
#define SHOW_H

#include <stdint.h>

#include "canvas.h"
#include "catalog.h"
#include "cli_entry.h"
#include "entry.h"
#include "err.h"
#include "moment.h"
#include "npy.h"
#include "plot.h"
#include "stretch.h"
#include "subject.h"

#define SHOW_WIDTH_MAX 4096
#define SHOW_SHEET_MAX 256

/* What a panel shows, as far as scales and ranges are told apart: an array of a data set
 * (see enum iris_kind), a snapshot, a moment of a cube, or a field of a tensor. */
enum show_what {
    SHOW_SNAPSHOT = IRIS_KINDS,
    SHOW_MOMENT,
    SHOW_FIELD = SHOW_MOMENT + IRIS_MOMENTS,
    SHOW_WHATS = SHOW_FIELD + IRIS_FIELDS
};
#define SHOW_CUBE IRIS_KINDS /* the kind of an array that is one */

struct show {
    struct iris_cli *cli;
    struct iris_choice what; /* or a snapshot, or a cube */
    uint64_t sheet;          /* entries side by side; 0: one, large */
    unsigned moments;        /* of a cube, bits; 0: 0 and 1 */
    int width;               /* 0: as the panels want */
    double size;             /* pc, half the width of a snapshot; 0: as it wants */
    int side;                /* a snapshot from the side too */
    int range_of_all;        /* a range was given without a kind */
    struct show_look {
        int has_curve, has_range;
        enum iris_curve curve;
        double range[2];
    } look[SHOW_WHATS];
    char *title; /* what is drawn; the caller frees it */
};

/* The values of options; IRIS_E_USAGE where they are wrong. */
enum iris_status show_parse_kind(const char *word, int *kind, struct iris_err *err);
enum iris_status show_parse_scale(const char *text, struct show *o, struct iris_err *err);
enum iris_status show_parse_range(const char *text, struct show *o, struct iris_err *err);
enum iris_status show_parse_fields(const char *text, struct show *o, struct iris_err *err);
enum iris_status show_parse_slice(const char *text, struct show *o, struct iris_err *err);
enum iris_status show_parse_moments(const char *text, struct show *o, struct iris_err *err);
enum iris_status show_parse_size(const char *text, double *size, struct iris_err *err);

/* When all are known. */
void show_settle(struct show *o);

/* Draw it.
 *
 *   out  canvas    owned by the caller
 *   out  o->title
 */
enum iris_status show_draw(struct show *o, struct iris_canvas *canvas, struct iris_err *err);

/* The same with o->sheet entries of a data set, small and side by side. */
enum iris_status show_sheet(struct show *o, struct iris_canvas *canvas, struct iris_err *err);

/* One range for arrays of two quantities makes no sense.
 *
 *   return  IRIS_OK, or IRIS_E_USAGE
 */
enum iris_status show_check_range(const struct show *o, const struct iris_arrays *a,
                                  struct iris_err *err);

int show_wants_moment(const struct show *o, int k);
enum iris_status show_cube(struct show *o, int is_fits, struct iris_canvas *canvas,
                           struct iris_err *err);
enum iris_status show_snapshot(struct show *o, struct iris_canvas *canvas, struct iris_err *err);

/* ---- the page ---- */

/* Panels in rows, and where the next one is. */
struct show_page {
    int columns, rows, width, panel_width, panel_height, zoom, n;
};

/*   return  IRIS_OK, or IRIS_E_USAGE: too narrow for so many */
enum iris_status show_lay_out(const struct show *o, size_t panels, struct show_page *p,
                              struct iris_err *err);

/* A white one with the title. */
enum iris_status show_begin(const struct show *o, const struct show_page *p,
                            struct iris_canvas *canvas, struct iris_err *err);

/* Pixels of the next panel's image. */
void show_image(const struct show_page *p, size_t *width, size_t *height);

/* Draw the next panel.
 *
 *   in     name   of the file, for a warning
 *   inout  panel  its stretch is made from the curve there, the values and what was
 *                 asked for
 */
enum iris_status show_panel(const struct show *o, struct show_page *p, enum show_what what,
                            const char *name, struct iris_panel *panel, struct iris_canvas *canvas,
                            struct iris_err *err);

/* How values become colours: as asked for, else as suits them. */
enum iris_status show_stretch(const struct show *o, enum show_what what, enum iris_curve suggested,
                              enum iris_map map, const double *value, size_t n,
                              struct iris_stretch *s, struct iris_err *err);

/* What a view of an array is. */
enum show_what show_what_of(enum iris_kind kind, const struct iris_view_panel *v);

/* The line above everything. */
#define SHOW_HEAD 41 /* pixels of the font that it takes */
void show_title(struct iris_canvas *canvas, const char *title, int zoom);

#endif
