#define _GNU_SOURCE /* memfd_create */
#include "slurm.h"

#include <errno.h>
#include <math.h>
#include <poll.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/socket.h>
#include <unistd.h>

#include "buf.h"
#include "child.h"
#include "clock.h"
#include "num.h"

enum { PATIENCE = 10, ANSWER_MAX = 65536, SENTENCE_MAX = 256, DIGITS_MAX = 9 };

/* ---- to ask ---- */

/* A number of the environment as it stands there, NULL when it is none. */
static const char *
number_of(const char *name)
{
    const char *value = getenv(name);
    uint64_t number;

    return value && !iris_parse_u64(value, &number) ? value : NULL;
}

/* An element of an array may have the number of the array itself, which stands for
 * all elements: they have names of their own. */
static enum iris_status
name_job(struct iris_buf *name, struct iris_err *err)
{
    const char *job = number_of("SLURM_JOB_ID");
    const char *array = number_of("SLURM_ARRAY_JOB_ID"), *task = number_of("SLURM_ARRAY_TASK_ID");

    if (!job)
        return iris_fail(err, IRIS_E_USAGE, "not in a job of Slurm: SLURM_JOB_ID is %s",
                         getenv("SLURM_JOB_ID") ? "no number" : "not set");
    if (array && task)
        iris_buf_printf(name, "%s_%s", array, task);
    else
        iris_buf_puts(name, job);
    return iris_buf_check(name, err);
}

/* All that comes until the end. */
static enum iris_status
read_answer(int fd, double patience, struct iris_buf *answer, struct iris_err *err)
{
    double begin = iris_seconds(), left;
    char chunk[4096];
    ssize_t n;

    while ((left = begin + patience - iris_seconds()) > 0) {
        struct pollfd p = {.fd = fd, .events = POLLIN};

        if (poll(&p, 1, (int)ceil(1000 * left)) <= 0)
            continue;
        n = read(fd, chunk, sizeof chunk);
        if (n < 0 && errno == EINTR)
            continue;
        if (n <= 0)
            return iris_buf_check(answer, err);
        iris_buf_append(answer, chunk, (size_t)n);
        if (answer->len > ANSWER_MAX)
            return iris_fail(err, IRIS_E_IO, "squeue does not stop talking");
    }
    return iris_fail(err, IRIS_E_RETRY, "Slurm does not answer: squeue took longer than %g s",
                     patience);
}

/* Nothing came: why, in squeue's own words. */
static enum iris_status
no_answer(int said, const char *job, struct iris_err *err)
{
    char text[SENTENCE_MAX];
    ssize_t n = pread(said, text, sizeof text - 1, 0);
    struct iris_buf plain = {0};

    text[n > 0 ? n : 0] = '\0';
    text[strcspn(text, "\n")] = '\0';
    iris_buf_put_plain(&plain, text);
    iris_fail(err, IRIS_E_RETRY, "Slurm says nothing of job %s%s%s", job, text[0] ? ": " : "",
              iris_buf_str(&plain));
    iris_buf_release(&plain);
    return IRIS_E_RETRY;
}

static enum iris_status
run_squeue(const char *job, int said, double patience, struct iris_buf *answer,
           struct iris_err *err)
{
    const char *const argv[] = {"squeue", "-h", "-j", job, "-o", "%L", NULL};
    enum iris_status st;
    pid_t pid = 0;
    int pair[2];

    if (socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, pair))
        return iris_fail(err, IRIS_E_IO, "cannot make a pair of sockets:");
    st = iris_child_start(argv, pair[1], said, "LC_ALL=C", &pid, err);
    if (!st) {
        shutdown(pair[0], SHUT_WR);
        st = read_answer(pair[0], patience, answer, err);
    }
    close(pair[0]);
    iris_child_end(&pid, st ? 0 : 1);
    if (!st && !answer->len)
        st = no_answer(said, job, err);
    return st;
}

static enum iris_status
ask(const char *job, double patience, struct iris_buf *answer, struct iris_err *err)
{
    int said = memfd_create("squeue", MFD_CLOEXEC);
    enum iris_status st;

    if (said < 0)
        return iris_fail(err, IRIS_E_IO, "cannot make a file in memory:");
    st = run_squeue(job, said, patience, answer, err);
    close(said);
    return st;
}

/* ---- what it says ---- */

/* Digits, and what must follow them. */
static const char *
read_digits(const char *s, double *v)
{
    size_t n = strspn(s, "0123456789"), i;

    *v = 0;
    for (i = 0; i < n; i++)
        *v = 10 * *v + (s[i] - '0');
    return n && n <= DIGITS_MAX ? s + n : NULL;
}

/* [D-][H:]MM:SS */
static int
parse_time(const char *s, double *seconds)
{
    const char *p = read_digits(s, seconds);
    double sum = 0, part;
    int colons = 0;

    if (p && *p == '-') {
        sum = *seconds * 24;
        p = read_digits(p + 1, seconds);
        if (!p || *p != ':')
            return -1;
    }
    sum += *seconds;
    while (p && *p == ':') {
        colons++;
        p = read_digits(p + 1, &part);
        sum = 60 * sum + part;
    }
    if (!p || *p || colons < 1 || colons > 2 || (strchr(s, '-') && colons != 2))
        return -1;
    *seconds = sum;
    return 0;
}

static enum iris_status
parse_line(const char *line, double *seconds, struct iris_err *err)
{
    struct iris_buf plain = {0};

    *seconds = INFINITY;
    if (!strcmp(line, "UNLIMITED") || !parse_time(line, seconds))
        return IRIS_OK;
    if (!strcmp(line, "NOT_SET") || !strcmp(line, "INVALID"))
        return iris_fail(err, IRIS_E_RETRY, "Slurm does not know how long the job may run: %s",
                         line);
    iris_buf_put_plain(&plain, line);
    iris_fail(err, IRIS_E_IO, "squeue says '%.*s', which is no time", SENTENCE_MAX,
              iris_buf_str(&plain));
    iris_buf_release(&plain);
    return IRIS_E_IO;
}

/* The least of all lines. */
static enum iris_status
parse_answer(char *line, double *seconds, struct iris_err *err)
{
    enum iris_status st = IRIS_OK;
    double least = INFINITY, left;
    char *next;

    for (; !st && *line; line = next) {
        next = line + strcspn(line, "\n");
        if (*next)
            *next++ = '\0';
        line[strcspn(line, " \r")] = '\0';
        st = parse_line(line, &left, err);
        if (!st)
            least = fmin(least, left);
    }
    if (!st)
        *seconds = least;
    return st;
}

enum iris_status
iris_slurm_left_within(double patience, double *seconds, struct iris_err *err)
{
    struct iris_buf job = {0}, answer = {0};
    enum iris_status st = name_job(&job, err);

    if (!st)
        st = ask(iris_buf_str(&job), patience, &answer, err);
    if (!st)
        st = parse_answer(answer.data, seconds, err);
    iris_buf_release(&job);
    iris_buf_release(&answer);
    return st;
}

enum iris_status
iris_slurm_left(double *seconds, struct iris_err *err)
{
    return iris_slurm_left_within(PATIENCE, seconds, err);
}
