#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "pngwrite.h"
#include "show.h"

static const char usage[] =
    "usage: iris-show -o OUT.png [--entry=N|ID] [--sheet=N] DATASET|CONTAINER.h5\n"
    "       iris-show -o OUT.png [-H FILE] [-t TYPE] [--kind=KIND] ENTRY.npy\n"
    "       iris-show -o OUT.png [-H FILE] [--moment=N,...] CUBE.npy|CUBE.fits\n"
    "       iris-show -o OUT.png [-H FILE] [--size=PC] [--side] SNAPSHOT.hdf5\n"
    "Draw an entry of a data set, one array, or a snapshot as a PNG picture: column\n"
    "map and longitude-velocity diagram with axes in pc, deg and km/s; of a snapshot\n"
    "the column density of its gas, of a cube of spectra moments on the sky.\n"
    "\n"
    "      --entry=N|ID       draw entry N of the index, from 0, or the one with that\n"
    "                         id (0)\n"
    "      --sheet=N          draw N entries from there on, small and side by side\n"
    "      --line=N           of an observation draw line N only, from 1\n"
    "      --field=NAME,...   of a tensor draw these: v_r, rho, T, x_H2, x_CO, T_dust;\n"
    "                         may be repeated (rho,T)\n"
    "      --slice=AXIS:AT    of a tensor draw the plane at lat:DEG, lon:DEG or r:PC\n"
    "                         (the latitude in the middle)\n"
    "      --moment=N,...     of a cube draw these: 0 (sum over velocities), 1 (mean\n"
    "                         velocity), 2 (dispersion); may be repeated (0,1)\n"
    "  -H, --hyper=FILE       the settings, instead of those beside the array\n"
    "  -t, --type=TYPE        simple, synthetic or standard, where the files around\n"
    "                         the array do not say\n"
    "      --kind=KIND        the array is a column, observed, tensor or cube, where its\n"
    "                         shape and name do not say; of an entry draw this one only\n"
    "      --size=PC          half the width of the map of a snapshot (as far as rays\n"
    "                         go, or as 99 % of the mass are)\n"
    "      --side             draw a snapshot from the side too\n"
    "      --scale=[KIND:]S   linear, log or asinh; KIND (column, observed, tensor,\n"
    "                         snapshot, moment0 to moment2, or a field): of these\n"
    "                         panels only; may be repeated\n"
    "      --range=[KIND:]LO,HI  the values from dark to bright, in the unit of the\n"
    "                         bar; KIND as above\n"
    "      --width=PX         width of the picture, to 4096 (560 a panel)\n"
    "\n" IRIS_CLI_HELP;

/* clang-format off */
enum { OPT_SHEET = IRIS_OPT_TOOL, OPT_SCALE, OPT_RANGE, OPT_WIDTH, OPT_SIZE, OPT_SIDE, OPT_FIELD,
       OPT_SLICE, OPT_MOMENT };
/* clang-format on */

static enum iris_status
take_option(struct show *o, int opt, char **argv, struct iris_err *err)
{
    uint64_t number;
    enum iris_status st;

    switch (opt) {
    case OPT_SHEET:
        return iris_cli_number(optarg, "--sheet", SHOW_SHEET_MAX, &o->sheet, err);
    case IRIS_OPT_KIND:
        return show_parse_kind(optarg, &o->what.kind, err);
    case OPT_SCALE:
        return show_parse_scale(optarg, o, err);
    case OPT_RANGE:
        return show_parse_range(optarg, o, err);
    case OPT_WIDTH:
        st = iris_cli_number(optarg, "--width", SHOW_WIDTH_MAX, &number, err);
        o->width = st ? 0 : (int)number;
        return st;
    case OPT_FIELD:
        return show_parse_fields(optarg, o, err);
    case OPT_MOMENT:
        return show_parse_moments(optarg, o, err);
    case OPT_SLICE:
        return show_parse_slice(optarg, o, err);
    case OPT_SIZE:
        return show_parse_size(optarg, &o->size, err);
    case OPT_SIDE:
        o->side = 1;
        return IRIS_OK;
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
                                            {"field", required_argument, NULL, OPT_FIELD},
                                            {"slice", required_argument, NULL, OPT_SLICE},
                                            {"moment", required_argument, NULL, OPT_MOMENT},
                                            {"size", required_argument, NULL, OPT_SIZE},
                                            {"side", no_argument, NULL, OPT_SIDE},
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
    if (argc - optind != 1)
        return iris_fail(err, IRIS_E_USAGE, "name one data set, array or snapshot");
    o->what.path = argv[optind];
    show_settle(o);
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

    st = iris_cli_entry_output(o->cli->output, o->what.path, o->what.hyper, err);
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
