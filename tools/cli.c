#include "cli.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <stdarg.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "clock.h"
#include "file.h"
#include "num.h"

const char *iris_prog = "iris";

enum { AWAIT_MS = 200 };

static volatile atomic_int stop_signal; /* other threads read it, too */
static volatile int *volatile stop_mark, *volatile fatal_mark;

/* Signals that a program gets for what it does, and what was done about them before. */
enum { FATAL = 5 };
static struct {
    int number;
    struct sigaction before;
} fatal[FATAL] = {{.number = SIGSEGV},
                  {.number = SIGBUS},
                  {.number = SIGFPE},
                  {.number = SIGILL},
                  {.number = SIGABRT}};

static enum iris_status
bad_option(int opt, char **argv, struct iris_err *err)
{
    const char *word = argv[optind - 1];

    if (opt == ':')
        return iris_fail(err, IRIS_E_USAGE, "option '%s' needs a value", word);
    if (optopt && strncmp(word, "--", 2))
        return iris_fail(err, IRIS_E_USAGE, "unknown option '-%c'", optopt);
    return iris_fail(err, IRIS_E_USAGE, "unknown or ambiguous option '%s'", word);
}

enum iris_status
iris_cli_option(struct iris_cli *cli, int opt, char **argv, struct iris_err *err)
{
    switch (opt) {
    case 'h':
        fputs(cli->usage, stdout);
        cli->done = 1;
        break;
    case 'V':
        printf("%s (iris) %s\n", iris_prog, IRIS_VERSION);
        cli->done = 1;
        break;
    case 'q':
        cli->quiet = 1;
        break;
    case 'v':
        cli->verbose++;
        break;
    case 'o':
        cli->output = optarg;
        break;
    case IRIS_OPT_DRY_RUN:
        cli->dry_run = 1;
        break;
    case IRIS_OPT_SEED:
        if (iris_parse_u64(optarg, &cli->seed) || cli->seed > INT64_MAX)
            return iris_fail(err, IRIS_E_USAGE,
                             "bad seed '%s': need a whole number from 0 to 2^63 - 1", optarg);
        cli->has_seed = 1;
        break;
    case IRIS_OPT_PROGRESS:
        if (iris_parse_f64(optarg, &cli->progress) || !(cli->progress >= 0))
            return iris_fail(err, IRIS_E_USAGE,
                             "bad time '%s' for --progress: need seconds, 0 or more", optarg);
        break;
    default:
        return bad_option(opt, argv, err);
    }
    return IRIS_OK;
}

enum iris_status
iris_cli_input(int argc, char **argv, const char **path, struct iris_err *err)
{
    if (argc - optind > 1)
        return iris_fail(err, IRIS_E_USAGE, "one input at a time, but there is also '%s'",
                         argv[optind + 1]);
    if (optind < argc) {
        *path = argv[optind];
        return IRIS_OK;
    }
    if (isatty(STDIN_FILENO))
        return iris_fail(err, IRIS_E_USAGE, "no input: name a file, or pipe one in");
    *path = "-";
    return IRIS_OK;
}

int
iris_cli_is_unread(void)
{
    struct pollfd p = {.fd = STDOUT_FILENO};
    struct stat sb;

    return !fstat(STDOUT_FILENO, &sb) && (S_ISFIFO(sb.st_mode) || S_ISSOCK(sb.st_mode)) &&
           poll(&p, 1, 0) > 0 && p.revents & (POLLERR | POLLHUP);
}

enum iris_status
iris_cli_unread(struct iris_err *err)
{
    return iris_fail(err, IRIS_E_RETRY,
                     "nobody reads standard output any more; run again to continue");
}

enum iris_status
iris_cli_await(const char *path, struct iris_err *err)
{
    struct pollfd p = {.fd = STDIN_FILENO, .events = POLLIN};

    while (!strcmp(path, "-") && poll(&p, 1, AWAIT_MS) <= 0) {
        if (iris_cli_is_unread())
            return iris_cli_unread(err);
        if (iris_cli_stop())
            return iris_fail(err, IRIS_E_RETRY, "stopped by a signal; run again to continue");
    }
    return IRIS_OK;
}

/* A standard stream that is closed gets a descriptor that cannot be used, or the
 * next file that is opened would be taken for it. Before main, so that no
 * library is earlier. */
__attribute__((constructor)) static void
keep_standard_streams(void)
{
    int fd;

    for (fd = STDIN_FILENO; fd <= STDERR_FILENO; fd++)
        if (fcntl(fd, F_GETFD) < 0 && errno == EBADF)
            if (open("/dev/null", fd == STDIN_FILENO ? O_WRONLY : O_RDONLY) < 0)
                _exit(IRIS_E_IO);
}

enum iris_status
iris_cli_not_input(const char *output, const char *input, struct iris_err *err)
{
    struct stat a, b;

    if (!output || !input || stat(output, &a) || stat(input, &b))
        return IRIS_OK;
    if (a.st_dev == b.st_dev && a.st_ino == b.st_ino)
        return iris_fail(err, IRIS_E_USAGE, "'%s' is read, so it cannot be the output", output);
    return IRIS_OK;
}

enum iris_status
iris_cli_write(const struct iris_cli *cli, const struct iris_buf *text, struct iris_err *err)
{
    enum iris_status st = iris_buf_check(text, err);

    if (st)
        return st;
    /* a rename would replace the link that /dev/stdout is */
    if (cli->output && !cli->dry_run && strcmp(cli->output, "-") &&
        strcmp(cli->output, "/dev/stdout"))
        return iris_write_file(cli->output, text->data, text->len, err);
    if (fwrite(iris_buf_str(text), 1, text->len, stdout) != text->len || fflush(stdout))
        return iris_fail(err, IRIS_E_IO, "cannot write standard output:");
    return IRIS_OK;
}

enum iris_status
iris_cli_print(const struct iris_cli *cli, const struct iris_manifest *m, struct iris_err *err)
{
    struct iris_buf text = {0};
    enum iris_status st;

    iris_manifest_print(m, &text);
    st = iris_cli_write(cli, &text, err);
    iris_buf_release(&text);
    return st;
}

/* A sentence stays one line, whatever the names in it hold. */
static void
put_sentence(const char *text)
{
    struct iris_buf plain = {0};

    iris_buf_put_plain(&plain, text);
    fputs(plain.failed ? text : iris_buf_str(&plain), stderr);
    iris_buf_release(&plain);
}

/* A line of talk. */
__attribute__((format(printf, 2, 0))) static void
say(const char *before, const char *fmt, va_list ap)
{
    char text[2048];

    vsnprintf(text, sizeof text, fmt, ap);
    fprintf(stderr, "%s: %s", iris_prog, before);
    put_sentence(text);
    fputc('\n', stderr);
}

void
iris_cli_warn(const struct iris_cli *cli, const char *fmt, ...)
{
    va_list ap;

    if (cli->quiet)
        return;
    va_start(ap, fmt);
    say("warning: ", fmt, ap);
    va_end(ap);
}

void
iris_cli_warn_lines(const struct iris_cli *cli, const struct iris_buf *lines)
{
    const char *line = iris_buf_str(lines);

    while (*line) {
        size_t n = strcspn(line, "\n");

        if (n)
            iris_cli_warn(cli, "%.*s", (int)n, line);
        line += n + (line[n] == '\n');
    }
}

void
iris_cli_note(const struct iris_cli *cli, const char *fmt, ...)
{
    va_list ap;

    if (cli->quiet || !cli->verbose)
        return;
    va_start(ap, fmt);
    say("", fmt, ap);
    va_end(ap);
}

void
iris_cli_progress(const struct iris_cli *cli, struct iris_meter *meter, struct iris_progress *p,
                  int last)
{
    int terminal = isatty(STDERR_FILENO);
    double interval = terminal && cli->progress > 0 ? 0.2 : cli->progress;
    double t = iris_seconds();
    char text[160];

    if (meter->start <= 0)
        meter->start = meter->shown = t;
    p->seconds = t - meter->start;
    if (cli->quiet || cli->progress <= 0)
        return;
    if (last ? !meter->lines : t - meter->shown < interval)
        return;
    meter->shown = t;
    meter->lines++;
    iris_progress_text(p, text, sizeof text);
    if (terminal)
        fprintf(stderr, "\r%s: %s\033[K%s", iris_prog, text, last ? "\n" : "");
    else
        fprintf(stderr, "%s: %s\n", iris_prog, text);
    fflush(stderr);
}

static void
on_signal(int signal_number)
{
    if (stop_signal)
        _exit(IRIS_E_RETRY);
    stop_signal = signal_number;
    if (stop_mark)
        *stop_mark = signal_number;
}

/* It goes on as it would have without this: the same again, to whoever had it. A fault
 * comes again by itself, what somebody has sent does not. */
static void
on_fatal(int signal_number, siginfo_t *info, void *context)
{
    size_t i;

    if (fatal_mark)
        *fatal_mark = signal_number;
    for (i = 0; i < FATAL; i++) {
        if (fatal[i].number == signal_number)
            sigaction(signal_number, &fatal[i].before, NULL);
    }
    if (info->si_code <= 0)
        raise(signal_number);
    (void)context;
}

void
iris_cli_mark(volatile int *stop, volatile int *fatal_at)
{
    struct sigaction sa = {.sa_sigaction = on_fatal, .sa_flags = SA_SIGINFO};
    size_t i;

    stop_mark = stop;
    sigemptyset(&sa.sa_mask);
    for (i = 0; i < FATAL && fatal_at && !fatal_mark; i++)
        sigaction(fatal[i].number, &sa, &fatal[i].before);
    fatal_mark = fatal_at;
}

void
iris_cli_catch(void)
{
    static const int stops[] = {SIGINT, SIGTERM, SIGUSR1};
    struct sigaction sa = {.sa_handler = on_signal};
    size_t i;

    sigemptyset(&sa.sa_mask);
    for (i = 0; i < sizeof stops / sizeof stops[0]; i++)
        sigaction(stops[i], &sa, NULL);
}

int
iris_cli_stop(void)
{
    return (int)stop_signal;
}

enum iris_status
iris_cli_kernels(const struct iris_kernels **kernels, struct iris_err *err)
{
    const char *name = getenv("IRIS_SIMD");

    if (name && *name)
        return iris_kernels_named(name, kernels, err) ? iris_fail_in(err, "IRIS_SIMD") : IRIS_OK;
    *kernels = iris_kernels_best();
    return IRIS_OK;
}

enum iris_status
iris_cli_jobs(const char *text, size_t *jobs, struct iris_err *err)
{
    uint64_t n;

    if (iris_parse_u64(text, &n) || !n || n > SIZE_MAX / 2)
        return iris_fail(err, IRIS_E_USAGE, "bad number of jobs '%s': need a whole number from 1",
                         text);
    *jobs = (size_t)n;
    return IRIS_OK;
}

int
iris_finish(enum iris_status status, struct iris_err *err)
{
    if (status && err->status == status && err->msg[0]) {
        const char *hint = status == IRIS_E_USAGE ? " (see --help)" : "";

        fprintf(stderr, "%s: ", iris_prog);
        put_sentence(err->msg);
        fprintf(stderr, "%s\n", hint);
    }
    if (fclose(stdout) && errno != EBADF) {
        fprintf(stderr, "%s: cannot write standard output: %s\n", iris_prog, strerror(errno));
        if (!status || status == IRIS_E_SOME)
            status = IRIS_E_IO;
    }
    return (int)status;
}
