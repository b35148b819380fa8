#include <glob.h>
#include <inttypes.h>
#include <libgen.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "cli.h"
#include "file.h"
#include "hyper.h"

static const char usage[] =
    "usage: iris-hyper --preset=NAME|FILE [-s SECTION.KEY=JSON]... [--diff[=NAME|FILE]]\n"
    "       iris-hyper --list\n"
    "Print the settings of a preset or a file, changed and checked.\n"
    "\n"
    "      --preset=NAME|FILE start from a preset or a file, '-' for standard input\n"
    "  -s, --set=SECTION.KEY=JSON  change one value; may be repeated\n"
    "      --diff[=NAME|FILE] print only what differs from that one, or from the\n"
    "                         defaults: key, value there, value here\n"
    "      --list             print the names of the presets\n" IRIS_CLI_HELP;

enum { OPT_PRESET = IRIS_OPT_TOOL, OPT_DIFF, OPT_LIST };

struct options {
    struct iris_cli cli;
    const char *preset;
    char **name; /* of the values to change, in order, each followed by the value */
    size_t n_changes;
    int list, diff;
    const char *against; /* NULL: the defaults */
};

#define SUFFIX ".json"
#define PLACES 4 /* of presets; the first that has a name wins */

static enum iris_status
add_change(struct options *o, char *change, struct iris_err *err)
{
    char *equals = strchr(change, '='), *dot = strchr(change, '.');

    if (!equals || !dot || dot > equals)
        return iris_fail(err, IRIS_E_USAGE, "bad change '%s': need SECTION.KEY=JSON", change);
    *equals = '\0';
    o->name[o->n_changes++] = change;
    return IRIS_OK;
}

static enum iris_status
take_option(struct options *o, int opt, char **argv, struct iris_err *err)
{
    switch (opt) {
    case OPT_PRESET:
        o->preset = optarg;
        return IRIS_OK;
    case 's':
        return add_change(o, optarg, err);
    case OPT_DIFF:
        o->diff = 1;
        o->against = optarg;
        return IRIS_OK;
    case OPT_LIST:
        o->list = 1;
        return IRIS_OK;
    default:
        return iris_cli_option(&o->cli, opt, argv, err);
    }
}

static enum iris_status
parse(int argc, char **argv, struct options *o, struct iris_err *err)
{
    static const struct option options[] = {
        {"preset", required_argument, NULL, OPT_PRESET},
        {"set", required_argument, NULL, 's'},
        {"diff", optional_argument, NULL, OPT_DIFF},
        {"list", no_argument, NULL, OPT_LIST},
        IRIS_CLI_LONG,
        {NULL, 0, NULL, 0},
    };
    enum iris_status st;
    int opt;

    o->name = calloc((size_t)argc, sizeof *o->name);
    if (!o->name)
        return iris_fail_memory(err);
    while ((opt = getopt_long(argc, argv, IRIS_CLI_SHORT "s:", options, NULL)) != -1) {
        st = take_option(o, opt, argv, err);
        if (st || o->cli.done)
            return st;
    }
    if (optind < argc)
        return iris_fail(err, IRIS_E_USAGE, "no argument expected, but there is '%s'",
                         argv[optind]);
    if (!o->preset && !o->list)
        return iris_fail(err, IRIS_E_USAGE, "no settings to start from: need --preset");
    return IRIS_OK;
}

/* A directory where presets may be, NULL where there is none. */
static char *
place(size_t i)
{
    static const char *const beside[PLACES] = {
        NULL, "../share/iris/presets", "../../workflows/presets", "../../../workflows/presets"};
    const char *named = getenv("IRIS_PRESETS");
    char *program, *dir = NULL;

    if (!i)
        return named ? strdup(named) : NULL;
    program = realpath("/proc/self/exe", NULL);
    if (program)
        dir = iris_format("%s/%s", dirname(program), beside[i]);
    free(program);
    return dir;
}

/* The preset's file; NULL when there is none. */
static char *
find_preset(const char *name)
{
    size_t i;

    for (i = 0; i < PLACES; i++) {
        char *dir = place(i), *path = dir ? iris_format("%s/%s" SUFFIX, dir, name) : NULL;

        free(dir);
        if (path && !access(path, F_OK))
            return path;
        free(path);
    }
    return NULL;
}

static int
is_file(const char *source)
{
    size_t n = strlen(source), m = strlen(SUFFIX);
    struct stat sb;

    return !strcmp(source, "-") || strchr(source, '/') ||
           (n >= m && !strcmp(source + n - m, SUFFIX)) ||
           (!stat(source, &sb) && !S_ISDIR(sb.st_mode));
}

static enum iris_status
load(const char *source, struct iris_hyper **h, struct iris_err *err)
{
    enum iris_status st;
    char *path;

    if (is_file(source)) {
        st = iris_hyper_read(source, h, err);
        return st ? st : iris_hyper_resolve_paths(*h, err);
    }
    path = find_preset(source);
    if (!path)
        return iris_fail(err, IRIS_E_USAGE, "no preset '%s': 'iris-hyper --list' names them",
                         source);
    st = iris_hyper_read(path, h, err);
    free(path);
    return st;
}

static enum iris_status
change_all(const struct options *o, struct iris_hyper *h, struct iris_err *err)
{
    enum iris_status st = IRIS_OK;
    char seed[24];
    size_t i;

    for (i = 0; i < o->n_changes && !st; i++)
        st = iris_hyper_set(h, o->name[i], o->name[i] + strlen(o->name[i]) + 1, err);
    snprintf(seed, sizeof seed, "%" PRIu64, o->cli.seed);
    if (!st && o->cli.has_seed)
        st = iris_hyper_set(h, "suite_hyper.seed", seed, err);
    return st ? st : iris_hyper_check(h, err);
}

static enum iris_status
put_differences(const char *against, const struct iris_hyper *here, struct iris_buf *out,
                struct iris_err *err)
{
    struct iris_buf a = {0}, b = {0};
    struct iris_hyper *there = NULL;
    enum iris_status st;
    const char *key;
    size_t i;

    st = against ? load(against, &there, err) : iris_hyper_defaults(&there, err);
    for (i = 0; !st && (key = iris_hyper_key(i)); i++) {
        iris_buf_clear(&a);
        iris_buf_clear(&b);
        st = iris_hyper_value(there, key, &a, err);
        if (!st)
            st = iris_hyper_value(here, key, &b, err);
        if (!st && strcmp(iris_buf_str(&a), iris_buf_str(&b)))
            iris_buf_printf(out, "%s\t%s\t%s\n", key, iris_buf_str(&a), iris_buf_str(&b));
    }
    iris_buf_release(&a);
    iris_buf_release(&b);
    iris_hyper_free(there);
    return st;
}

/* One that cannot be read is named and passed over. */
static void
put_preset(const struct options *o, const char *name, const char *path, struct iris_buf *out)
{
    struct iris_hyper *h = NULL;
    struct iris_err err = {0};
    struct iris_settings s;

    if (iris_hyper_read(path, &h, &err)) {
        iris_cli_warn(&o->cli, "%s", err.msg);
        return;
    }
    iris_hyper_settings(h, &s);
    iris_buf_printf(out, "%s\t%lld x %lld points, r %g to %g pc\n", name,
                    (long long)s.writer.total_snapshots, (long long)s.writer.points_per_snapshot,
                    s.coordinate.r_min, s.coordinate.r_max);
    iris_hyper_free(h);
}

static enum iris_status
put_presets(const struct options *o, struct iris_buf *out, struct iris_err *err)
{
    glob_t found = {0};
    size_t i;

    for (i = 0; i < PLACES; i++) {
        char *dir = place(i), *pattern = dir ? iris_format("%s/*" SUFFIX, dir) : NULL;

        if (pattern)
            glob(pattern, found.gl_pathc ? GLOB_APPEND : 0, NULL, &found);
        free(pattern);
        free(dir);
    }
    for (i = 0; i < found.gl_pathc; i++) {
        const char *path = found.gl_pathv[i], *last = iris_file_name(path);
        char *name = strndup(last, strlen(last) - strlen(SUFFIX));
        char *first = name ? find_preset(name) : NULL;

        if (first && !strcmp(path, first))
            put_preset(o, name, path, out);
        free(first);
        free(name);
    }
    globfree(&found);
    return iris_buf_check(out, err);
}

static enum iris_status
put_settings(const struct options *o, struct iris_buf *out, struct iris_err *err)
{
    struct iris_hyper *h = NULL;
    enum iris_status st;

    st = load(o->preset, &h, err);
    if (!st)
        st = change_all(o, h, err);
    if (!st)
        st = o->diff ? put_differences(o->against, h, out, err) : iris_hyper_print(h, out, err);
    if (!o->diff)
        iris_buf_putc(out, '\n');
    iris_hyper_free(h);
    return st;
}

static enum iris_status
run(const struct options *o, struct iris_err *err)
{
    struct iris_buf out = {0};
    enum iris_status st;

    st = o->list ? put_presets(o, &out, err) : put_settings(o, &out, err);
    if (!st && o->cli.dry_run)
        fprintf(stderr, "%s: would write '%s': %zu bytes\n", iris_prog,
                o->cli.output ? o->cli.output : "standard output", out.len);
    else if (!st)
        st = iris_cli_write(&o->cli, &out, err);
    iris_buf_release(&out);
    return st;
}

int
main(int argc, char **argv)
{
    struct options o = {.cli = IRIS_CLI_INIT(usage)};
    struct iris_err err = {0};
    enum iris_status st;

    iris_prog = "iris-hyper";
    st = parse(argc, argv, &o, &err);
    if (!st && !o.cli.done)
        st = run(&o, &err);
    free(o.name);
    return iris_finish(st, &err);
}
