#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "cli_entry.h"
#include "fits.h"
#include "num.h"
#include "raster.h"

static const char usage[] =
    "usage: iris-fits -o OUT.fits [--entry=N|ID] [--line=N] [--kind=KIND] DATASET|CONTAINER.h5\n"
    "       iris-fits -o OUT.fits [-H FILE] [-t TYPE] [--kind=KIND] [--line=N] ENTRY.npy\n"
    "Write the maps of an entry of a data set, or one array, as FITS images in physical\n"
    "units: distance and velocity by longitude.\n"
    "\n"
    "      --entry=N|ID       entry N of the index, from 0, or the one with that id (0)\n"
    "      --line=N           of an observation line N only, from 1\n"
    "      --kind=KIND        of an entry this map only: column or observed; what an\n"
    "                         array is, where its shape and name do not say\n"
    "  -H, --hyper=FILE       the settings, instead of those beside the array\n"
    "  -t, --type=TYPE        simple, synthetic or standard, where the files around\n"
    "                         the array do not say\n"
    "\n" IRIS_CLI_HELP;

struct options {
    struct iris_cli cli;
    struct iris_choice what;
    char *title;
};

static enum iris_status
parse(int argc, char **argv, struct options *o, struct iris_err *err)
{
    static const struct option options[] = {IRIS_CLI_ENTRY_LONG, IRIS_CLI_LONG, {NULL, 0, NULL, 0}};
    enum iris_status st;
    int opt;

    opterr = 0;
    while ((opt = getopt_long(argc, argv, IRIS_CLI_SHORT IRIS_CLI_ENTRY_SHORT, options, NULL)) !=
           -1) {
        st = iris_cli_entry_option(&o->cli, &o->what, opt, argv, err);
        if (st || o->cli.done)
            return st;
    }
    st = iris_cli_entry_path(&o->what, argc, argv, err);
    if (!st && !o->cli.output && !o->cli.dry_run && isatty(STDOUT_FILENO))
        st = iris_fail(err, IRIS_E_USAGE, "a terminal shows no images: name a file with -o");
    return st;
}

/* ---- one image ---- */

/* What is said about it: at most so many records. */
struct remarks {
    const char *comment[4], *history[6];
    char text[6][300];
    size_t n_comment, n_history;
};

static void
comment(struct remarks *r, const char *text)
{
    r->comment[r->n_comment++] = text;
}

static char *
history(struct remarks *r)
{
    char *text = r->text[r->n_history];

    r->history[r->n_history++] = text;
    return text;
}

static void
say_axes(const struct iris_array *a, struct remarks *r)
{
    if (a->kind == IRIS_OBSERVED) {
        comment(r, "Axis 2 has the channel labels of the data set: positive velocities are");
        comment(r, "of gas that comes towards the observer, where VRAD means the contrary.");
        comment(r, "No motion of the observer is modelled: no SPECSYS.");
    }
    if (a->subject.settings.coordinate.jitter_lon || a->subject.settings.coordinate.jitter_r)
        comment(r, "Axes are those without the jitter that is drawn for each point.");
}

/* Where it comes from; nothing about when and where it was written. */
static void
say_origin(const struct options *o, const struct iris_array *a, struct remarks *r)
{
    const struct iris_subject *s = &a->subject;
    char number[IRIS_F64_TEXT];
    size_t size = sizeof r->text[0];

    snprintf(history(r), size, "iris-fits %s", IRIS_VERSION);
    snprintf(history(r), size, "id %s", s->id ? s->id : o->title);
    if (s->snapshot)
        snprintf(history(r), size, "snapshot %s", s->snapshot);
    if (!s->has_point)
        return;
    snprintf(history(r), size, "theta %s deg", iris_format_f64(s->theta, number));
    snprintf(history(r), size, "seed %llu, round %llu", (unsigned long long)s->seed,
             (unsigned long long)s->round);
}

static void
name_image(const struct iris_array *a, size_t view, char name[32])
{
    if (a->kind == IRIS_TENSOR)
        snprintf(name, 32, "%s", view ? "TEMPERATURE" : "DENSITY");
    else if (a->kind == IRIS_COLUMN)
        snprintf(name, 32, "COLUMN");
    else
        snprintf(name, 32, "LINE %zu", view + 1);
}

static struct iris_fits_axis
axis_up(const struct iris_array *a, const struct iris_scale *y)
{
    if (a->kind == IRIS_OBSERVED)
        return (struct iris_fits_axis){"VRAD",         "m/s",         "label of the channel",
                                       y->first * 1e3, y->step * 1e3, y->n};
    return (struct iris_fits_axis){"DIST",   "pc",    "distance from the observer",
                                   y->first, y->step, y->n};
}

/* Append an HDU. */
static enum iris_status
put_view(const struct options *o, const struct iris_array *a, size_t view, size_t extension,
         struct iris_buf *out, struct iris_err *err)
{
    struct iris_raster raster = {.nx = 0};
    struct iris_fits_map map = {.unit = NULL};
    struct remarks r = {.n_comment = 0};
    struct iris_view_map m;
    enum iris_status st;
    char name[32];

    st = iris_subject_map(&a->subject, &a->npy, a->kind, view, &m, err);
    if (st)
        return st;
    name_image(a, view, name);
    say_axes(a, &r);
    say_origin(o, a, &r);
    map = (struct iris_fits_map){
        /* no GLON: a longitude without a latitude has no coordinates in DS9 */
        .axis = {{"OFFSET", "deg", "Galactic longitude", m.x.first, m.x.step, m.x.n},
                 axis_up(a, &m.y)},
        .name = name,
        .unit = m.unit,
        .quantity = m.name,
        .comment = r.comment,
        .history = r.history,
        .n_comment = r.n_comment,
        .n_history = r.n_history};
    st = iris_fits_map_header(&map, extension, out, err);
    if (!st)
        st = iris_raster_read(&a->npy, &m.plane, m.plane.nx, m.plane.ny, m.factor, &raster, err);
    if (!st)
        iris_fits_values(raster.value, raster.nx * raster.ny, out);
    iris_raster_release(&raster);
    return st;
}

/* ---- the file ---- */

static enum iris_status
put_all(const struct options *o, const struct iris_arrays *a, struct iris_buf *out, size_t *images,
        struct iris_err *err)
{
    enum iris_status st = IRIS_OK;
    size_t k, i;

    *images = 0;
    for (k = 0; k < a->n; k++) {
        const struct iris_array *x = &a->array[k];

        for (i = 0; i < x->views && !st; i++)
            st = put_view(o, x, x->first + i, (*images)++, out, err);
    }
    return st ? st : iris_buf_check(out, err);
}

static enum iris_status
run(struct options *o, struct iris_err *err)
{
    struct iris_arrays a = {.n = 0};
    struct iris_buf fits = {0};
    enum iris_status st;
    size_t images;

    st = iris_cli_entry_output(o->cli.output, o->what.path, o->what.hyper, err);
    if (!st)
        st = iris_arrays_open(&o->what, &a, &o->title, err);
    if (!st)
        st = put_all(o, &a, &fits, &images, err);
    if (!st && o->cli.dry_run)
        fprintf(stderr, "%s: would write %zu images of '%s' to %s\n", iris_prog, images, o->title,
                o->cli.output ? o->cli.output : "standard output");
    else if (!st)
        st = iris_cli_write(&o->cli, &fits, err);
    iris_arrays_close(&a);
    iris_buf_release(&fits);
    free(o->title);
    return st;
}

int
main(int argc, char **argv)
{
    struct options o = {.cli = IRIS_CLI_INIT(usage), .what = IRIS_CHOICE_INIT};
    struct iris_err err = {0};
    enum iris_status st;

    iris_prog = "iris-fits";
    st = parse(argc, argv, &o, &err);
    if (!st && !o.cli.done)
        st = run(&o, &err);
    return iris_finish(st, &err);
}
