/* show -- what iris-show draws: panels of an entry, or a sheet of entries. */
#ifndef SHOW_H
#define SHOW_H

#include <stdint.h>

#include "canvas.h"
#include "catalog.h"
#include "cli_entry.h"
#include "entry.h"
#include "err.h"
#include "npy.h"
#include "stretch.h"
#include "subject.h"

#define SHOW_WIDTH_MAX 4096
#define SHOW_SHEET_MAX 256

struct show {
    struct iris_cli *cli;
    struct iris_choice what;
    uint64_t sheet;   /* entries side by side; 0: one, large */
    int width;        /* 0: as the panels want */
    int range_of_all; /* a range was given without a kind */
    struct show_look {
        int has_curve, has_range;
        enum iris_curve curve;
        double range[2];
    } look[IRIS_KINDS];
    char *title; /* what is drawn; the caller frees it */
};

/* Draw it.
 *
 *   out  canvas    owned by the caller
 *   out  o->title
 */
enum iris_status show_draw(struct show *o, struct iris_canvas *canvas, struct iris_err *err);

/* The same with o->sheet entries of a data set, small and side by side. */
enum iris_status show_sheet(struct show *o, struct iris_canvas *canvas, struct iris_err *err);

/* How values of one kind become colours: as asked for, else as suits them. */
enum iris_status show_stretch(const struct show *o, enum iris_kind kind, enum iris_curve suggested,
                              const double *value, size_t n, struct iris_stretch *s,
                              struct iris_err *err);

/* One range for arrays of two quantities makes no sense.
 *
 *   return  IRIS_OK, or IRIS_E_USAGE
 */
enum iris_status show_check_range(const struct show *o, const struct iris_arrays *a,
                                  struct iris_err *err);

/* The line above everything. */
#define SHOW_HEAD 41 /* pixels of the font that it takes */
void show_title(struct iris_canvas *canvas, const char *title, int zoom);

#endif
