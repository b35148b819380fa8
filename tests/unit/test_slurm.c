/* How long a job of Slurm may run, asked of a squeue that the tests write. */
#include "check.h"

#include <fcntl.h>
#include <signal.h>
#include <sys/stat.h>
#include <unistd.h>

#include "buf.h"
#include "clock.h"
#include "file.h"
#include "slurm.h"

static char scratch[512];
static struct iris_err err;

/* A squeue that notes its words and does this. */
static void
squeue(const char *does)
{
    struct iris_buf text = {0};
    char path[600];

    iris_buf_printf(&text, "#!/bin/sh\necho \"$*\" >'%s/words'\n%s\n", scratch, does);
    snprintf(path, sizeof path, "%s/squeue", scratch);
    if (iris_write_file(path, text.data, text.len, NULL) || chmod(path, 0755))
        exit(2);
    iris_buf_release(&text);
}

static enum iris_status
left(double *seconds)
{
    enum iris_status st;

    *seconds = -7;
    err = (struct iris_err){0};
    st = iris_slurm_left(seconds, &err);
    if (st != err.status || (st && (!err.msg[0] || *seconds != -7)) || strchr(err.msg, '\n'))
        exit(2);
    return st;
}

/* What it prints, and what is made of it. */
static void
check_answer(const char *answer, double expected)
{
    char does[200];
    double seconds;

    snprintf(does, sizeof does, "printf '%s'", answer);
    squeue(does);
    CHECK(!left(&seconds) && (seconds == expected), "'%s' is %g s", answer, seconds);
}

static void
check_failure(const char *does, enum iris_status expected)
{
    double seconds;

    squeue(does);
    CHECK(left(&seconds) == expected, "%s: %s", does, err.msg);
}

static void
check_words(const char *expected)
{
    struct iris_buf words = {0};
    char path[600];
    double seconds;

    squeue("echo 1:00");
    snprintf(path, sizeof path, "%s/words", scratch);
    CHECK(!left(&seconds) && !iris_read_file(path, 1000, &words, NULL) &&
              !strcmp(iris_buf_str(&words), expected),
          "squeue is asked with %s", iris_buf_str(&words));
    iris_buf_release(&words);
}

static void
test_formats(void)
{
    check_answer("5:07\\n", 5 * 60 + 7);
    check_answer("0:00\\n", 0);
    check_answer("59:59", 3599);
    check_answer("1:00:00\\n", 3600);
    check_answer("23:59:59\\n", 86399);
    check_answer("1-00:00:00\\n", 86400);
    check_answer("12-03:04:05\\n", 12 * 86400 + 3 * 3600 + 4 * 60 + 5);
    check_answer("UNLIMITED\\n", INFINITY);
    check_answer("5:07   \\n", 5 * 60 + 7);
    check_answer("2:00:00\\n1:00:00\\nUNLIMITED\\n", 3600);
}

static void
test_failures(void)
{
    static const char *const nonsense[] = {
        "5",
        "x",
        ":",
        "5:",
        ":5",
        "1:2:3:4",
        "-5:00",
        "1-5",
        "1-5:00",
        "1--1:00:00",
        "1:-1:00",
        "5:00x",
        "1-1-01:00:00",
        "99999999999999:00",
        "TIME_LEFT",
        "5:00\\nwhat",
        "\\n5:00",
        "\\033[31m",
    };
    char does[200];
    size_t i;

    for (i = 0; i < sizeof nonsense / sizeof nonsense[0]; i++) {
        snprintf(does, sizeof does, "printf -- '%s\\n'", nonsense[i]);
        check_failure(does, IRIS_E_IO);
    }
    CHECK(strstr(err.msg, "[31m") && !strchr(err.msg, '\033'), "what is said stays plain");
    check_failure("echo NOT_SET", IRIS_E_RETRY);
    check_failure("echo INVALID", IRIS_E_RETRY);
    check_failure("exit 0", IRIS_E_RETRY);
    check_failure("echo 'slurm_load_jobs error: Invalid job id specified' >&2; exit 1",
                  IRIS_E_RETRY);
    CHECK(strstr(err.msg, "Invalid job id"), "it says why");
    check_failure("kill -9 $$", IRIS_E_RETRY);
    check_failure("exec yes 5:00", IRIS_E_IO);
    check_failure("yes 'far too many words' | head -10000 >&2", IRIS_E_RETRY);
}

/* One that waits for a word from this side gets none. */
static void
test_slow(void)
{
    double seconds = -7, begin;
    enum iris_status st;

    squeue("sleep 1; echo 5:00");
    CHECK(!left(&seconds) && seconds == 300, "it may take its time");
    squeue("read word; echo 5:00");
    CHECK(!left(&seconds) && seconds == 300, "but gets no input");
    seconds = -7;
    squeue("trap '' TERM; while :; do sleep 1; done");
    begin = iris_seconds();
    err = (struct iris_err){0};
    st = iris_slurm_left_within(0.2, &seconds, &err);
    CHECK(st == IRIS_E_RETRY && seconds == -7, "one that hangs: %s", err.msg);
    CHECK(iris_seconds() - begin < 60, "is not waited for");
}

static void
test_words(void)
{
    check_words("-h -j 4711 -o %L\n");
    setenv("SLURM_ARRAY_JOB_ID", "4711", 1);
    check_words("-h -j 4711 -o %L\n");
    setenv("SLURM_ARRAY_TASK_ID", "3", 1);
    check_words("-h -j 4711_3 -o %L\n");
    setenv("SLURM_ARRAY_TASK_ID", "3;x", 1);
    check_words("-h -j 4711 -o %L\n");
    unsetenv("SLURM_ARRAY_JOB_ID");
    unsetenv("SLURM_ARRAY_TASK_ID");
}

static void
test_no_job(void)
{
    static const char *const bad[] = {"", "x", "-1", "1 2", "4711;true", "--all", "$(true)"};
    char path[600];
    double seconds;
    size_t i;

    squeue("echo 5:00");
    for (i = 0; i < sizeof bad / sizeof bad[0]; i++) {
        setenv("SLURM_JOB_ID", bad[i], 1);
        CHECK(left(&seconds) == IRIS_E_USAGE, "job '%s': %s", bad[i], err.msg);
    }
    unsetenv("SLURM_JOB_ID");
    CHECK(left(&seconds) == IRIS_E_USAGE, "no job: %s", err.msg);
    setenv("SLURM_JOB_ID", "4711", 1);
    snprintf(path, sizeof path, "%s/squeue", scratch);
    if (unlink(path))
        exit(2);
    setenv("PATH", scratch, 1);
    CHECK(left(&seconds) == IRIS_E_IO, "no squeue: %s", err.msg);
}

int
main(void)
{
    const char *tmp = getenv("TMPDIR"), *path = getenv("PATH");
    char command[600], *with, *before = path ? strdup(path) : NULL;

    snprintf(scratch, sizeof scratch, "%s/iris-slurm-XXXXXX", tmp ? tmp : "/tmp");
    if (!before || !mkdtemp(scratch) || !(with = iris_format("%s:%s", scratch, before)))
        return 2;
    setenv("PATH", with, 1);
    setenv("SLURM_JOB_ID", "4711", 1);
    unsetenv("SLURM_ARRAY_JOB_ID");
    test_formats();
    test_failures();
    test_slow();
    test_words();
    test_no_job();
    setenv("PATH", before, 1);
    free(with);
    free(before);
    snprintf(command, sizeof command, "rm -rf '%s'", scratch);
    if (system(command))
        return 2;
    return check_done();
}
