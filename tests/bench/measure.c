/* measure -- run a command and say what it took, itself and all that it
 * started. The command writes to /dev/null; its errors are seen.
 *
 *   measure [-m NAME] COMMAND...
 *
 * One line is printed: seconds of wall and of processor time; then, with -m, what
 * was seen, every few milliseconds, of its processes called NAME:
 *
 *   KiB of memory of its own, at the most, of the one with least and of the one
 *   with most
 *   KiB of memory without a name that they had in common, at the most: each piece
 *   is counted once, however many have it
 *   seconds of processor time of the one with least and of the one with most
 *
 * Ends as the command does. */
#define _GNU_SOURCE
#include <ctype.h>
#include <dirent.h>
#include <fcntl.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

enum { PROCESSES = 64, FILES = 64, PAUSE_MS = 10 };

struct seen {
    size_t n;
    pid_t pid[PROCESSES];
    double ticks[PROCESSES]; /* of processor time, so far */
    double own[PROCESSES];   /* KiB, at the most */
    long common_kib;
};

/* Memory files of all processes at one moment. */
struct files {
    size_t n;
    ino_t ino[FILES];
    long kib;
};

static double
now(void)
{
    struct timespec t;

    clock_gettime(CLOCK_MONOTONIC, &t);
    return (double)t.tv_sec + 1e-9 * (double)t.tv_nsec;
}

/* A file of /proc, cut at the room there is.
 *
 *   return  0 when it cannot be read: the process may be gone
 */
static int
read_proc(pid_t pid, const char *name, char *text, size_t room)
{
    char path[64];
    ssize_t n;
    int fd;

    snprintf(path, sizeof path, "/proc/%d/%s", (int)pid, name);
    fd = open(path, O_RDONLY | O_CLOEXEC);
    if (fd < 0)
        return 0;
    n = read(fd, text, room - 1);
    close(fd);
    if (n <= 0)
        return 0;
    text[n] = '\0';
    return 1;
}

/* Whether it is one of that name and session; its processor time. */
static int
is_one(pid_t pid, const char *name, pid_t session, long *ticks)
{
    char text[1024], *open, *close;
    long user, system;
    int of;

    if (!read_proc(pid, "stat", text, sizeof text) || !(open = strchr(text, '(')) ||
        !(close = strrchr(text, ')')))
        return 0;
    *close = '\0';
    if (strcmp(open + 1, name) ||
        sscanf(close + 1, " %*c %*d %*d %d %*d %*d %*u %*u %*u %*u %*u %ld %ld", &of, &user,
               &system) != 3 ||
        of != session)
        return 0;
    *ticks = user + system;
    return 1;
}

static void
count_files(pid_t pid, struct files *files)
{
    char path[64], to[64];
    struct dirent *e;
    struct stat sb;
    size_t i;
    DIR *dir;

    snprintf(path, sizeof path, "/proc/%d/fd", (int)pid);
    dir = opendir(path);
    while (dir && (e = readdir(dir))) {
        ssize_t n = readlinkat(dirfd(dir), e->d_name, to, sizeof to - 1);

        to[n < 0 ? 0 : n] = '\0';
        if (strncmp(to, "/memfd:", 7) || fstatat(dirfd(dir), e->d_name, &sb, 0))
            continue;
        for (i = 0; i < files->n && files->ino[i] != sb.st_ino; i++)
            ;
        if (i < files->n || i == FILES)
            continue;
        files->ino[files->n++] = sb.st_ino;
        files->kib += (long)(sb.st_blocks / 2);
    }
    if (dir)
        closedir(dir);
}

/* What is written to memory that no other process can have. */
static long
own_kib(pid_t pid)
{
    char path[64], line[512], perms[8];
    long kib, sum = 0;
    int own = 0;
    FILE *f;

    snprintf(path, sizeof path, "/proc/%d/smaps", (int)pid);
    f = fopen(path, "re");
    while (f && fgets(line, sizeof line, f)) {
        if (sscanf(line, "%*x-%*x %7s", perms) == 1)
            own = perms[3] == 'p';
        else if (own && sscanf(line, "Private_Dirty: %ld", &kib) == 1)
            sum += kib;
    }
    if (f)
        fclose(f);
    return sum;
}

static void
look_at(pid_t pid, long ticks, struct seen *s, struct files *files)
{
    double own = (double)own_kib(pid);
    size_t i;

    for (i = 0; i < s->n && s->pid[i] != pid; i++)
        ;
    if (i == PROCESSES)
        return;
    s->n += i == s->n;
    s->pid[i] = pid;
    s->ticks[i] = (double)ticks;
    s->own[i] = own > s->own[i] ? own : s->own[i];
    count_files(pid, files);
}

static void
look(const char *name, pid_t session, struct seen *s)
{
    struct files files = {0};
    DIR *proc = opendir("/proc");
    struct dirent *e;
    long ticks;

    while (proc && (e = readdir(proc))) {
        pid_t pid = isdigit((unsigned char)e->d_name[0]) ? (pid_t)strtol(e->d_name, NULL, 10) : 0;

        if (pid && is_one(pid, name, session, &ticks))
            look_at(pid, ticks, s, &files);
    }
    if (proc)
        closedir(proc);
    s->common_kib = files.kib > s->common_kib ? files.kib : s->common_kib;
}

static void
print_ends(const double *x, size_t n, double unit, int digits)
{
    double least = n ? x[0] : 0, most = least;
    size_t i;

    for (i = 1; i < n; i++) {
        least = x[i] < least ? x[i] : least;
        most = x[i] > most ? x[i] : most;
    }
    printf(" %.*f %.*f", digits, least / unit, digits, most / unit);
}

static void
print_seen(const struct seen *s)
{
    print_ends(s->own, s->n, 1, 0);
    printf(" %ld", s->common_kib);
    print_ends(s->ticks, s->n, (double)sysconf(_SC_CLK_TCK), 2);
}

static pid_t
start(char **command)
{
    pid_t pid = fork();
    int fd;

    if (pid)
        return pid;
    setsid();
    fd = open("/dev/null", O_WRONLY);
    if (fd >= 0)
        dup2(fd, STDOUT_FILENO);
    execvp(command[0], command);
    perror(command[0]);
    _exit(127);
}

int
main(int argc, char **argv)
{
    struct timespec pause = {0, PAUSE_MS * 1000000L};
    struct rusage usage;
    struct seen seen = {0};
    const char *name = NULL;
    int status = 0, at = 1;
    double begin = now(), wall;
    pid_t pid;

    if (argc > 3 && !strcmp(argv[1], "-m")) {
        name = argv[2];
        at = 3;
    }
    if (at >= argc || (pid = start(argv + at)) < 0)
        return 64;
    while (waitpid(pid, &status, name ? WNOHANG : 0) == 0) {
        look(name, pid, &seen);
        nanosleep(&pause, NULL);
    }
    wall = now() - begin;
    getrusage(RUSAGE_CHILDREN, &usage);
    printf("%.3f %.3f", wall,
           (double)(usage.ru_utime.tv_sec + usage.ru_stime.tv_sec) +
               1e-6 * (double)(usage.ru_utime.tv_usec + usage.ru_stime.tv_usec));
    if (name)
        print_seen(&seen);
    printf("\n");
    return WIFEXITED(status) ? WEXITSTATUS(status) : 128;
}
