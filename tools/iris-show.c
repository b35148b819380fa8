#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "num.h"
#include "pngwrite.h"
#include "show.h"

static const char usage[] =
    "usage: iris-show -o OUT.png [--entry=N|ID] [--sheet=N] DATASET\n"
    "       iris-show -o OUT.png [-H FILE] [-t TYPE] [--kind=KIND] ENTRY.npy\n"
    "Draw an entry of a data set, or one array, as a PNG picture: column map and\n"
    "longitude-velocity diagram with axes in pc, deg and km/s.\n"
    "\n"
    "      --entry=N|ID       draw entry N of the index, from 0, or the one with that\n"
    "                         id (0)\n"
    "      --sheet=N          draw N entries from there on, small and side by side\n"
    "      --line=N           of an observation draw line N only, from 1\n"
    "  -H, --hyper=FILE       the settings, instead of those beside the array\n"
    "  -t, --type=TYPE        simple, synthetic or standard, where the files around\n"
    "                         the array do not say\n"
    "      --kind=KIND        the array is a column, observed or tensor, where its\n"
    "                         shape and name do not say\n"
    "      --scale=[KIND:]S   linear, log or asinh; KIND: of these panels only; may\n"
    "                         be repeated\n"
    "      --range=[KIND:]LO,HI  the values from dark to bright, in the unit of the\n"
    "                         bar; KIND as above\n"
    "      --width=PX         width of the picture, to 4096 (560 a panel)\n"
    "\n" IRIS_CLI_HELP;

enum { OPT_SHEET = IRIS_OPT_TOOL, OPT_SCALE, OPT_RANGE, OPT_WIDTH };

/* The kind before a colon, -1 for all; *text is moved behind it. */
static enum iris_status
parse_prefix(const char **text, int *kind, struct iris_err *err)
{
    const char *colon = strchr(*text, ':');
    enum iris_status st;

    *kind = -1;
    if (!colon)
        return IRIS_OK;
    st = iris_cli_kind(*text, (size_t)(colon - *text), kind, err);
    *text = colon + 1;
    return st;
}

static enum iris_status
parse_scale(const char *text, struct show *o, struct iris_err *err)
{
    enum iris_curve curve;
    enum iris_status st;
    int kind, k;

    st = parse_prefix(&text, &kind, err);
    if (!st)
        st = iris_curve_parse(text, &curve, err);
    for (k = 0; k < IRIS_KINDS && !st; k++) {
        if (kind < 0 || kind == k) {
            o->look[k].has_curve = 1;
            o->look[k].curve = curve;
        }
    }
    return st;
}

static enum iris_status
parse_range(const char *text, struct show *o, struct iris_err *err)
{
    char lo[64] = "";
    enum iris_status st;
    const char *comma;
    double range[2];
    int kind, k;

    st = parse_prefix(&text, &kind, err);
    if (st)
        return st;
    comma = strchr(text, ',');
    if (comma && (size_t)(comma - text) < sizeof lo)
        memcpy(lo, text, (size_t)(comma - text));
    if (!comma || iris_parse_f64(lo, &range[0]) || iris_parse_f64(comma + 1, &range[1]) ||
        !(range[1] - range[0] > 1e-200) || !isfinite(range[0]) || !isfinite(range[1]))
        return iris_fail(err, IRIS_E_USAGE, "bad range '%s': need LO,HI with LO below HI", text);
    o->range_of_all |= kind < 0;
    for (k = 0; k < IRIS_KINDS; k++) {
        if (kind < 0 || kind == k) {
            o->look[k].has_range = 1;
            memcpy(o->look[k].range, range, sizeof range);
        }
    }
    return IRIS_OK;
}

static enum iris_status
take_option(struct show *o, int opt, char **argv, struct iris_err *err)
{
    uint64_t number;
    enum iris_status st;

    switch (opt) {
    case OPT_SHEET:
        return iris_cli_number(optarg, "--sheet", SHOW_SHEET_MAX, &o->sheet, err);
    case OPT_SCALE:
        return parse_scale(optarg, o, err);
    case OPT_RANGE:
        return parse_range(optarg, o, err);
    case OPT_WIDTH:
        st = iris_cli_number(optarg, "--width", SHOW_WIDTH_MAX, &number, err);
        o->width = st ? 0 : (int)number;
        return st;
    default:
        return iris_cli_entry_option(o->cli, &o->what, opt, argv, err);
    }
}

static enum iris_status
parse(int argc, char **argv, struct show *o, struct iris_err *err)
{
    static const struct option options[] = {IRIS_CLI_ENTRY_LONG,
                                            {"sheet", required_argument, NULL, OPT_SHEET},
                                            {"scale", required_argument, NULL, OPT_SCALE},
                                            {"range", required_argument, NULL, OPT_RANGE},
                                            {"width", required_argument, NULL, OPT_WIDTH},
                                            IRIS_CLI_LONG,
                                            {NULL, 0, NULL, 0}};
    enum iris_status st;
    int opt;

    opterr = 0;
    while ((opt = getopt_long(argc, argv, IRIS_CLI_SHORT IRIS_CLI_ENTRY_SHORT, options, NULL)) !=
           -1) {
        st = take_option(o, opt, argv, err);
        if (st || o->cli->done)
            return st;
    }
    st = iris_cli_entry_path(&o->what, argc, argv, err);
    if (st)
        return st;
    if (!o->cli->output && !o->cli->dry_run && isatty(STDOUT_FILENO))
        return iris_fail(err, IRIS_E_USAGE, "a terminal shows no pictures: name a file with -o");
    return IRIS_OK;
}

/* Draw, or say what would be drawn. */
static enum iris_status
run(struct show *o, struct iris_err *err)
{
    struct iris_canvas canvas = {0};
    struct iris_buf png = {0};
    enum iris_status st;

    st = iris_cli_entry_output(o->cli, &o->what, err);
    if (!st)
        st = show_draw(o, &canvas, err);
    if (!st && o->cli->dry_run) {
        fprintf(stderr, "%s: would draw '%s', %d x %d pixels, to %s\n", iris_prog, o->title,
                canvas.width, canvas.height, o->cli->output ? o->cli->output : "standard output");
    } else if (!st) {
        st = iris_png_encode(&canvas, &png, err);
        if (!st)
            st = iris_cli_write(o->cli, &png, err);
    }
    iris_canvas_release(&canvas);
    iris_buf_release(&png);
    free(o->title);
    return st;
}

int
main(int argc, char **argv)
{
    struct iris_cli cli = IRIS_CLI_INIT(usage);
    struct show o = {.cli = &cli, .what = IRIS_CHOICE_INIT};
    struct iris_err err = {0};
    enum iris_status st;

    iris_prog = "iris-show";
    st = parse(argc, argv, &o, &err);
    if (!st && !cli.done)
        st = run(&o, &err);
    return iris_finish(st, &err);
}
