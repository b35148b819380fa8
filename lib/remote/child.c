#define _GNU_SOURCE /* execvpe */
#include "child.h"

#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include "clock.h"

/* The environment with one more word, in memory of its own. */
static const char **
make_environment(const char *more)
{
    size_t n = 0, i, k = 0, name = strcspn(more, "=") + 1;
    const char **list;

    while (environ[n])
        n++;
    list = calloc(n + 2, sizeof *list);
    for (i = 0; list && i < n; i++) {
        if (strncmp(environ[i], more, name) != 0)
            list[k++] = environ[i];
    }
    if (list)
        list[k] = more;
    return list;
}

/* What is not changed, where a type does not say so. */
static char **
unchanged(const char *const *words)
{
    return (char **)(uintptr_t)words; /* NOLINT(performance-no-int-to-ptr) */
}

/* Become the program, between fork and exec, where little is allowed. What fails
 * goes into the pipe as an errno. */
__attribute__((noreturn)) static void
become(const char *const *argv, const char **environment, int talk, int said, pid_t parent,
       int failed)
{
    static const int reset[] = {SIGPIPE, SIGINT, SIGTERM, SIGUSR1, SIGHUP};
    sigset_t none;
    size_t i;

    setsid();
    prctl(PR_SET_PDEATHSIG, SIGTERM);
    for (i = 0; i < sizeof reset / sizeof reset[0]; i++)
        signal(reset[i], SIG_DFL);
    sigemptyset(&none);
    sigprocmask(SIG_SETMASK, &none, NULL);
    errno = 0;
    if (getppid() == parent && dup2(talk, STDIN_FILENO) >= 0 && dup2(talk, STDOUT_FILENO) >= 0 &&
        dup2(said, STDERR_FILENO) >= 0)
        execvpe(argv[0], unchanged(argv), unchanged(environment));
    (void)!write(failed, &errno, sizeof errno);
    for (;;)
        raise(SIGKILL);
}

enum iris_status
iris_child_start(const char *const *argv, int talk, int said, const char *more, pid_t *pid,
                 struct iris_err *err)
{
    const char **environment = make_environment(more);
    pid_t parent = getpid();
    int failed[2], e = 0;

    *pid = 0;
    if (!environment) {
        close(talk);
        return iris_fail_memory(err);
    }
    if (pipe2(failed, O_CLOEXEC)) {
        close(talk);
        free(environment);
        return iris_fail(err, IRIS_E_IO, "cannot make a pipe:");
    }
    *pid = fork();
    if (*pid == 0)
        become(argv, environment, talk, said, parent, failed[1]);
    if (*pid < 0)
        e = errno;
    close(talk);
    close(failed[1]);
    free(environment);
    while (!e && read(failed[0], &e, sizeof e) < 0 && errno == EINTR)
        ;
    close(failed[0]);
    if (!e)
        return IRIS_OK;
    if (*pid > 0)
        waitpid(*pid, NULL, 0);
    *pid = 0;
    errno = e;
    return iris_fail(err, IRIS_E_IO, "cannot run the program '%s':", argv[0]);
}

void
iris_child_end(pid_t *pid, double seconds)
{
    static const struct timespec moment = {0, 5000000};
    double begin = iris_seconds();
    int told = 0;

    while (*pid > 0 && waitpid(*pid, NULL, WNOHANG) == 0) {
        if (iris_seconds() - begin > seconds && told < 2) {
            kill(*pid, told++ ? SIGKILL : SIGTERM);
            seconds += 1;
        }
        nanosleep(&moment, NULL);
    }
    *pid = 0;
}
