#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "cli.h"
#include "hyper.h"
#include "lines.h"
#include "machine.h"
#include "num.h"

static const char usage[] =
    "usage: iris-chem -H HYPER -o LINES.h5 [-j N] [--show=N,x_H2,T[,LINE]]\n"
    "Solve the level balance of the molecules in HYPER and write the emission and\n"
    "absorption tables of its lines. A file that holds them already is left alone.\n"
    "\n"
    "  -H, --hyper=FILE       the settings\n"
    "  -o, --output=FILE      write FILE, when complete\n"
    "  -j, --jobs=N           use N threads (all processors that it may run on)\n"
    "      --show=N,x_H2,T[,LINE]\n"
    "                         print what the tables say at a density of H nuclei\n"
    "                         [m^-3], an H2 abundance and a temperature [K], for LINE\n"
    "                         (from 0) or every line\n"
    "      --seed=N           use N instead of suite_hyper.seed\n"
    "      --dry-run          say what would be done, write nothing\n"
    "      --progress=SECONDS time between lines of progress, 0 for none (30)\n"
    "  -q, --quiet            no progress, no warnings\n"
    "  -v, --verbose          say more; may be repeated\n"
    "  -h, --help             print this text and exit\n"
    "  -V, --version          print the version and exit\n";

enum { OPT_SHOW = IRIS_OPT_TOOL };

struct options {
    struct iris_cli cli;
    const char *hyper, *show; /* show NULL: nothing */
    double N, x_H2, T;        /* m^-3, per H nucleus, K */
    uint64_t line;            /* UINT64_MAX: every one */
    size_t jobs;              /* threads */
    const struct iris_kernels *kernels;
};

static enum iris_status
parse_place(struct options *o, const char *text, struct iris_err *err)
{
    char *copy = strdup(text), *rest = copy, *word;
    int bad = 0, n;

    if (!copy)
        return iris_fail_memory(err);
    o->show = text;
    o->line = UINT64_MAX;
    for (n = 0; (word = strsep(&rest, ",")); n++) {
        double *const number[] = {&o->N, &o->x_H2, &o->T};

        if (n < 3)
            bad |= iris_parse_f64(word, number[n]) || !isfinite(*number[n]) || *number[n] < 0;
        else
            bad |= iris_parse_u64(word, &o->line) || n > 3;
    }
    free(copy);
    if (bad || n < 3 || o->x_H2 > 0.5)
        return iris_fail(err, IRIS_E_USAGE,
                         "bad place '%s': need a density, an H2 abundance from 0 to 0.5 and a "
                         "temperature, as 1e10,0.5,20",
                         text);
    return IRIS_OK;
}

static enum iris_status
check_options(const struct options *o, struct iris_err *err)
{
    if (!o->hyper)
        return iris_fail(err, IRIS_E_USAGE, "no settings: give -H HYPER");
    if (!o->cli.output || !*o->cli.output)
        return iris_fail(err, IRIS_E_USAGE, "no output: give -o LINES.h5");
    if (!strcmp(o->cli.output, "-"))
        return iris_fail(err, IRIS_E_USAGE, "tables cannot go to standard output: name a file");
    return IRIS_OK;
}

static enum iris_status
parse(int argc, char **argv, struct options *o, struct iris_err *err)
{
    static const struct option options[] = {
        IRIS_CLI_LONG,
        {"hyper", required_argument, NULL, 'H'},
        {"jobs", required_argument, NULL, 'j'},
        {"show", required_argument, NULL, OPT_SHOW},
        {NULL, 0, NULL, 0},
    };
    enum iris_status st = IRIS_OK;
    int opt;

    opterr = 0;
    while (!st && !o->cli.done &&
           (opt = getopt_long(argc, argv, IRIS_CLI_SHORT "H:j:", options, NULL)) != -1) {
        if (opt == 'H')
            o->hyper = optarg;
        else if (opt == 'j')
            st = iris_cli_jobs(optarg, &o->jobs, err);
        else if (opt == OPT_SHOW)
            st = parse_place(o, optarg, err);
        else
            st = iris_cli_option(&o->cli, opt, argv, err);
    }
    if (st || o->cli.done)
        return st;
    if (optind < argc)
        return iris_fail(err, IRIS_E_USAGE, "unexpected argument '%s'", argv[optind]);
    st = check_options(o, err);
    return st ? st : iris_cli_kernels(&o->kernels, err);
}

/* ---- making ---- */

struct watch {
    const struct iris_cli *cli;
    struct iris_meter meter;
};

static int
between_temperatures(void *self, size_t done, size_t total)
{
    struct watch *w = self;
    struct iris_progress p = {.done = done, .total = total};

    iris_cli_progress(w->cli, &w->meter, &p, done == total);
    return iris_cli_stop();
}

static enum iris_status
make(const struct options *o, const struct iris_hyper *h, struct iris_lines *l,
     struct iris_err *err)
{
    struct watch watch = {.cli = &o->cli};
    struct iris_lines_effort effort = {
        .kernels = o->kernels, .threads = o->jobs, .pause = {between_temperatures, &watch}};
    struct iris_outfile out;
    enum iris_status st;

    /* first, so that a place that cannot be written is known before the work */
    st = iris_outfile_open(&out, o->cli.output, err);
    if (st)
        return st;
    st = iris_lines_make(l, &effort, err);
    if (st) {
        iris_outfile_abort(&out);
        return st;
    }
    st = iris_lines_write(l, h, &out, err);
    if (!st)
        iris_cli_note(&o->cli, "wrote '%s': %zu line%s", o->cli.output, l->n, l->n > 1 ? "s" : "");
    return st;
}

/* Whether the file holds these tables already; they are read then. */
static int
is_there(const struct options *o, const struct iris_hyper *h, struct iris_lines *l)
{
    struct iris_err why = {0};

    if (access(o->cli.output, F_OK))
        return 0;
    if (iris_lines_read(l, h, o->cli.output, &why)) {
        iris_cli_note(&o->cli, "made again: %s", why.msg);
        return 0;
    }
    iris_cli_note(&o->cli, "'%s' is there already", o->cli.output);
    return 1;
}

static void
explain(const struct options *o, const struct iris_lines *l, int there)
{
    size_t values = iris_lines_values(l);

    if (there)
        fprintf(stderr, "%s: would do nothing: '%s' is there already\n", iris_prog, o->cli.output);
    else
        fprintf(stderr, "%s: would write '%s': %zu line%s, %zu nodes, about %zu bytes\n", iris_prog,
                o->cli.output, l->n, l->n > 1 ? "s" : "", values / IRIS_NODE,
                values * sizeof(double));
}

/* ---- showing ---- */

static void
show_line(const struct options *o, const struct iris_lines_item *item,
          const struct iris_lookup *how, size_t i)
{
    const struct iris_unit_system *u = &item->law.units;
    double per_N = 1 / (item->law.number * u->length * u->length * u->length);
    char N[IRIS_F64_TEXT], x[IRIS_F64_TEXT], T[IRIS_F64_TEXT], j[IRIS_F64_TEXT], a[IRIS_F64_TEXT];
    double emission, absorption;

    iris_line_table_at(&item->table, how, o->N * per_N * item->table.rho_per_N, o->x_H2,
                       o->T * u->temperature, &emission, &absorption);
    emission *= u->length * u->time * u->time * u->time / u->mass;
    absorption *= u->length * u->time;
    printf("%zu\t%s\t%s\t%s\t%s\t%s\n", i, iris_format_f64(o->N, N), iris_format_f64(o->x_H2, x),
           iris_format_f64(o->T, T), iris_format_f64(emission, j), iris_format_f64(absorption, a));
}

static void
show(const struct options *o, const struct iris_hyper *h, const struct iris_lines *l)
{
    struct iris_settings s;
    struct iris_lookup how;
    size_t i;

    iris_hyper_settings(h, &s);
    how = (struct iris_lookup){.multilinear = s.suite.multilinear, .clamp = s.suite.clamp_offsets};
    printf("#line\tN_H[m^-3]\tx_H2\tT[K]\tj0[W/m^3/sr]\talpha0[Hz/m]\n");
    for (i = 0; i < l->n; i++) {
        if (o->line == UINT64_MAX || o->line == i)
            show_line(o, &l->line[i], &how, i);
    }
}

static enum iris_status
run(const struct options *o, struct iris_err *err)
{
    struct iris_buf warnings = {0};
    struct iris_hyper *h = NULL;
    struct iris_lines l = {0};
    enum iris_status st;
    int there = 0;

    iris_cli_catch();
    st = iris_hyper_read(o->hyper, &h, err);
    if (!st) {
        st = iris_lines_init(&l, h, &warnings, err);
        if (st)
            iris_fail_in(err, "%s", o->hyper);
    }
    if (!st && o->show && o->line != UINT64_MAX && o->line >= l.n)
        st = iris_fail(err, IRIS_E_USAGE, "there is no line %llu to show: '%s' has %zu",
                       (unsigned long long)o->line, o->hyper, l.n);
    if (!st)
        there = is_there(o, h, &l);
    if (!there)
        iris_cli_warn_lines(&o->cli, &warnings);
    if (!st && o->cli.dry_run)
        explain(o, &l, there);
    else if (!st && !there)
        st = make(o, h, &l, err);
    if (!st && o->show && !o->cli.dry_run)
        show(o, h, &l);
    iris_buf_release(&warnings);
    iris_lines_release(&l);
    iris_hyper_free(h);
    return st;
}

int
main(int argc, char **argv)
{
    struct options o = {.cli = IRIS_CLI_INIT(usage), .jobs = iris_machine_processors()};
    struct iris_err err = {0};
    enum iris_status st;

    iris_prog = "iris-chem";
    /* the file being written has a lock of its own, which HDF5's would run into */
    unsetenv("HDF5_USE_FILE_LOCKING");
    st = parse(argc, argv, &o, &err);
    if (!st && !o.cli.done)
        st = run(&o, &err);
    return iris_finish(st, &err);
}
