/* cli -- what the command lines of all programs share.
 *
 * A tool is: a usage text, a struct of options that holds a struct iris_cli,
 * parse() with getopt_long, run(), and a main() that ends in iris_finish().
 * Nothing here exits; parse() returns a status, so that a program under a
 * launcher can still finish properly.
 */
#ifndef IRIS_CLI_H
#define IRIS_CLI_H

#include <getopt.h>
#include <stddef.h>
#include <stdint.h>

#include "buf.h"
#include "err.h"
#include "manifest.h"
#include "progress.h"
#include "simd.h"

#ifndef IRIS_VERSION
#define IRIS_VERSION "unknown"
#endif

/* The program's name, set first thing in main(). The only mutable global. */
extern const char *iris_prog;

struct iris_cli {
    const char *usage;  /* the whole --help text, set before parsing */
    const char *output; /* -o, NULL: standard output */
    int quiet;
    int verbose;
    int dry_run;
    int has_seed;
    uint64_t seed;
    double progress; /* seconds between lines; 0: none */
    int done;        /* --help or --version was answered */
};
#define IRIS_CLI_INIT(text)                                                                        \
    {                                                                                              \
        .usage = (text), .progress = 30                                                            \
    }

#define IRIS_CLI_SHORT ":hVqvo:"
enum { IRIS_OPT_DRY_RUN = 1000, IRIS_OPT_SEED, IRIS_OPT_PROGRESS, IRIS_OPT_TOOL = 1100 };
#define IRIS_CLI_LONG                                                                              \
    {"help", no_argument, NULL, 'h'}, {"version", no_argument, NULL, 'V'},                         \
        {"quiet", no_argument, NULL, 'q'}, {"verbose", no_argument, NULL, 'v'},                    \
        {"output", required_argument, NULL, 'o'},                                                  \
        {"dry-run", no_argument, NULL, IRIS_OPT_DRY_RUN},                                          \
        {"seed", required_argument, NULL, IRIS_OPT_SEED},                                          \
    {                                                                                              \
        "progress", required_argument, NULL, IRIS_OPT_PROGRESS                                     \
    }

/* Lines every usage text ends with. */
#define IRIS_CLI_HELP                                                                              \
    "  -o, --output=FILE      write FILE, when complete, instead of standard output\n"             \
    "      --seed=N           use N instead of suite_hyper.seed\n"                                 \
    "      --dry-run          say what would be done, write nothing\n"                             \
    "      --progress=SECONDS time between lines of progress, 0 for none (30)\n"                   \
    "  -q, --quiet            no progress, no warnings\n"                                          \
    "  -v, --verbose          say more; may be repeated\n"                                         \
    "  -h, --help             print this text and exit\n"                                          \
    "  -V, --version          print the version and exit\n"

/* Take one option that getopt_long returned and the tool does not know itself,
 * including '?' and ':', which become a usage error.
 *
 *   return  IRIS_OK       also when cli->done was set: then stop parsing
 *           IRIS_E_USAGE
 */
enum iris_status iris_cli_option(struct iris_cli *cli, int opt, char **argv, struct iris_err *err);

/* The one positional argument that is an input, "-" when there is none.
 *
 *   return  IRIS_OK
 *           IRIS_E_USAGE  more than one, or none while standard input is a terminal
 */
enum iris_status iris_cli_input(int argc, char **argv, const char **path, struct iris_err *err);

/* Whether standard output is a pipe whose reader has gone. */
int iris_cli_is_unread(void);

/* The sentence for that.
 *
 *   return  IRIS_E_RETRY
 */
enum iris_status iris_cli_unread(struct iris_err *err);

/* Wait until an input that is a pipe has something to read or its end, and see
 * meanwhile whether anybody waits for the output.
 *
 *   return  IRIS_OK
 *           IRIS_E_RETRY  nobody does, or stopped by a signal
 */
enum iris_status iris_cli_await(const char *path, struct iris_err *err);

/* Refuse an output that is one of the inputs.
 *
 *   in   output, input  NULL: none
 *
 *   return  IRIS_OK, or IRIS_E_USAGE
 */
enum iris_status iris_cli_not_input(const char *output, const char *input, struct iris_err *err);

/* Put text on standard output, or under the -o name by rename; with --dry-run there is
 * no such name. */
enum iris_status iris_cli_write(const struct iris_cli *cli, const struct iris_buf *text,
                                struct iris_err *err);

/* The same with a manifest. */
enum iris_status iris_cli_print(const struct iris_cli *cli, const struct iris_manifest *m,
                                struct iris_err *err);

/* A line on standard error, "<prog>: warning: ..." unless quiet. */
void iris_cli_warn(const struct iris_cli *cli, const char *fmt, ...)
    __attribute__((format(printf, 2, 3)));

/* One warning for each line of a text. */
void iris_cli_warn_lines(const struct iris_cli *cli, const struct iris_buf *lines);

/* A line on standard error, "<prog>: ...", when verbose. */
void iris_cli_note(const struct iris_cli *cli, const char *fmt, ...)
    __attribute__((format(printf, 2, 3)));

/* Show progress when it is due: one rewritten line on a terminal, lines at the
 * interval otherwise. seconds is filled from the first call on. last forces
 * the final line of a job that has shown one before.
 */
struct iris_meter {
    double start, shown;
    int lines;
};
void iris_cli_progress(const struct iris_cli *cli, struct iris_meter *meter,
                       struct iris_progress *p, int last);

/* From now on SIGINT, SIGTERM and SIGUSR1 ask the program to stop: iris_cli_stop
 * returns the signal's number, 0 before. A second signal ends it at once. */
void iris_cli_catch(void);
int iris_cli_stop(void);

/* The number of the signal is put there too, by the handler; and that of a signal
 * that the program dies of by itself, such as SIGSEGV. NULL: nowhere. */
void iris_cli_mark(volatile int *stop, volatile int *fatal);

/* The level of instructions that $IRIS_SIMD names, else the best of this machine.
 *
 *   return  IRIS_OK
 *           IRIS_E_USAGE  no level of this machine
 */
enum iris_status iris_cli_kernels(const struct iris_kernels **kernels, struct iris_err *err);

/* The number of a -j option.
 *
 *   return  IRIS_OK
 *           IRIS_E_USAGE  not a whole number from 1
 */
enum iris_status iris_cli_jobs(const char *text, size_t *jobs, struct iris_err *err);

/* Say the error if there is one, close standard output.
 *
 *   return  the exit status of the program
 */
int iris_finish(enum iris_status status, struct iris_err *err);

#endif
