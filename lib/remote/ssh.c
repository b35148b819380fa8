#define _GNU_SOURCE /* memfd_create */
#include "ssh.h"

#include <ctype.h>
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <time.h>
#include <unistd.h>

#include "buf.h"
#include "child.h"
#include "clock.h"
#include "num.h"

enum { SLICE_MS = 50, MAX_WORDS = 48, MUCH_TALK = 1 << 20, LAST_TALK = 4096 };

/* A command line. */
struct words {
    const char *word[MAX_WORDS];
    size_t n;
    struct iris_buf port;
};

int
iris_ssh_is_host(const char *host)
{
    const char *at = strrchr(host, '@'), *name = at ? at + 1 : host;
    size_t n = strlen(host);

    if (n == 0 || n > 255 || *host == '-' || *host == '@' || *name == '-' || !*name)
        return 0;
    for (; *host; host++) {
        if (!isalnum((unsigned char)*host) && !strchr("._-@:[]+", *host))
            return 0;
    }
    return 1;
}

static void
add(struct words *w, const char *word)
{
    if (w->n < MAX_WORDS - 1)
        w->word[w->n++] = word;
}

/* ssh, and what the way says. */
static void
begin_words(struct words *w, const struct iris_ssh_way *way)
{
    add(w, "ssh");
    if (way->config) {
        add(w, "-F");
        add(w, way->config);
    }
    if (way->port) {
        iris_buf_printf(&w->port, "%u", way->port);
        add(w, "-p");
        add(w, iris_buf_str(&w->port));
    }
    if (way->key) {
        add(w, "-i");
        add(w, way->key);
        add(w, "-oIdentitiesOnly=yes");
    }
    add(w, "-oLogLevel=ERROR");
}

/* Run it, with no window that asks for a password either. */
static enum iris_status
run(struct iris_ssh *s, struct words *w, struct iris_err *err)
{
    int pair[2];

    s->talk = memfd_create("ssh", MFD_CLOEXEC);
    if (s->talk < 0)
        return iris_fail(err, IRIS_E_IO, "cannot make a file in memory:");
    if (socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, pair))
        return iris_fail(err, IRIS_E_IO, "cannot make a pair of sockets:");
    w->word[w->n] = NULL;
    s->fd = pair[0];
    return iris_child_start(w->word, pair[1], s->talk, "SSH_ASKPASS_REQUIRE=never", &s->pid, err);
}

/* Only the end of what it says is ever wanted, and it may say more than memory holds. */
static void
forget_talk(const struct iris_ssh *s)
{
    struct stat sb;

    if (!fstat(s->talk, &sb) && sb.st_blocks > MUCH_TALK / 512)
        fallocate(s->talk, FALLOC_FL_PUNCH_HOLE | FALLOC_FL_KEEP_SIZE, 0, sb.st_size - LAST_TALK);
}

/* Wait a moment for the other side, which must not take longer than the way says.
 *
 *   in  begin  when the wait began, s
 */
static enum iris_status
await(const struct iris_ssh *s, short events, double begin, struct iris_err *err)
{
    double limit = s->way->timeout > 0 ? s->way->timeout : 120;
    struct pollfd p = {.fd = s->fd, .events = events};

    forget_talk(s);
    if (s->way->stop && s->way->stop(s->way->self))
        return iris_fail(err, IRIS_E_RETRY, "stopped");
    if (iris_seconds() - begin > limit)
        return iris_fail(err, IRIS_E_REMOTE, "no answer from '%s' in %g s", s->host, limit);
    poll(&p, 1, SLICE_MS);
    return IRIS_OK;
}

enum iris_status
iris_ssh_read(struct iris_ssh *s, void *data, size_t size, size_t *n, struct iris_err *err)
{
    enum iris_status st = IRIS_OK;
    double begin = 0;

    while (!st) {
        ssize_t got = recv(s->fd, data, size, MSG_DONTWAIT);

        if (got < 0 && errno != EAGAIN && errno != EINTR)
            got = 0; /* reset: it has ended */
        if (got >= 0) {
            s->answered |= got > 0;
            *n = (size_t)got;
            return IRIS_OK;
        }
        if (begin <= 0)
            begin = iris_seconds();
        st = await(s, POLLIN, begin, err);
    }
    return st;
}

enum iris_status
iris_ssh_write(struct iris_ssh *s, const void *data, size_t n, struct iris_err *err)
{
    enum iris_status st = IRIS_OK;
    const char *from = data;
    double begin = 0;

    while (n && !st) {
        ssize_t put = send(s->fd, from, n, MSG_NOSIGNAL | MSG_DONTWAIT);

        if (put > 0) {
            from += put;
            n -= (size_t)put;
            continue;
        }
        if (errno != EAGAIN && errno != EINTR)
            return iris_ssh_lost(s, err);
        if (begin <= 0)
            begin = iris_seconds();
        st = await(s, POLLOUT, begin, err);
    }
    return st;
}

void
iris_ssh_end(struct iris_ssh *s)
{
    shutdown(s->fd, SHUT_WR);
}

/* The last line of what ssh has said, without the end of its sentence. */
static size_t
last_words(struct iris_ssh *s, char *line, size_t size)
{
    char text[2048];
    struct stat sb;
    ssize_t n;
    char *end, *start;

    if (s->talk < 0 || fstat(s->talk, &sb))
        return 0;
    n = pread(s->talk, text, sizeof text - 1,
              sb.st_size > (off_t)sizeof text - 1 ? sb.st_size - (off_t)sizeof text + 1 : 0);
    if (n <= 0)
        return 0;
    end = text + n;
    while (end > text && (isspace((unsigned char)end[-1]) || end[-1] == '.'))
        end--;
    *end = '\0';
    s->is_refused = strstr(text, "Permission denied") || strstr(text, "Host key verification") ||
                    strstr(text, "HOST IDENTIFICATION HAS CHANGED");
    start = strrchr(text, '\n');
    start = start ? start + 1 : text;
    if ((size_t)(end - start) >= size)
        end = start + size - 1;
    memcpy(line, start, (size_t)(end - start));
    line[end - start] = '\0';
    return (size_t)(end - start);
}

enum iris_status
iris_ssh_lost(struct iris_ssh *s, struct iris_err *err)
{
    char line[400] = "";
    size_t n;

    iris_child_end(&s->pid, 2);
    n = last_words(s, line, sizeof line);
    return iris_fail(err, IRIS_E_REMOTE, "%s '%s'%s%s",
                     s->answered ? "lost the connection to" : "cannot connect to", s->host,
                     n ? ": " : "", line);
}

/* The end of a process, its descriptors included. */
static void
finish(struct iris_ssh *s)
{
    if (s->fd >= 0)
        close(s->fd);
    s->fd = -1;
    iris_child_end(&s->pid, 0.3);
    if (s->talk >= 0)
        close(s->talk);
    s->talk = -1;
}

void
iris_ssh_close(struct iris_ssh *s)
{
    if (s->host)
        finish(s);
    if (s->socket)
        unlink(s->socket); /* of one that was killed */
    free(s->socket);
    free(s->host);
    *s = (struct iris_ssh){.fd = -1, .talk = -1};
}

/* One line of what ssh makes of its configuration. */
static void
take_setting(struct iris_ssh_known *k, const char *line)
{
    static const char none[] = " none";
    size_t n = strlen(line);
    int is_set = n >= sizeof none && strcmp(line + n - sizeof none + 1, none) &&
                 strcmp(line + n - 2, " 0");

    if (!strncmp(line, "connecttimeout ", 15))
        k->has_timeout = is_set;
    else if (!strncmp(line, "serveraliveinterval ", 20))
        k->has_keepalive = is_set;
    else if (!strncmp(line, "controlpath ", 12))
        k->has_socket = is_set;
    else if (!strncmp(line, "remotecommand ", 14))
        k->has_command = is_set;
}

static enum iris_status
ask_configuration(struct iris_ssh *s, struct iris_ssh_known *k, struct iris_err *err)
{
    struct iris_buf text = {0};
    struct words w = {0};
    enum iris_status st;
    char chunk[4096], *line, *save = NULL;
    size_t n;

    begin_words(&w, s->way);
    add(&w, "-G");
    add(&w, "--");
    add(&w, s->host);
    st = run(s, &w, err);
    while (!st) {
        st = iris_ssh_read(s, chunk, sizeof chunk, &n, err);
        if (st || n == 0)
            break;
        iris_buf_append(&text, chunk, n);
    }
    if (!st)
        st = iris_buf_check(&text, err);
    s->answered = 0;
    if (!st && !text.len)
        st = iris_ssh_lost(s, err);
    for (line = st ? NULL : strtok_r(text.data, "\n", &save); line;
         line = strtok_r(NULL, "\n", &save))
        take_setting(k, line);
    iris_buf_release(&text);
    iris_buf_release(&w.port);
    finish(s);
    return st;
}

/* Whether a socket can be at a path, and ssh understands it as it is. */
static int
can_hold_socket(const char *path)
{
    struct sockaddr_un a = {.sun_family = AF_UNIX};
    size_t n = strlen(path), i;
    int fd, good;

    for (i = 0; i < n; i++) {
        if (!isalnum((unsigned char)path[i]) && !strchr("/._+,@=-", path[i]))
            return 0;
    }
    if (n + 18 > sizeof a.sun_path) /* ssh puts ".XXXXXXXXXXXXXXXX" behind it */
        return 0;
    memcpy(a.sun_path, path, n + 1);
    fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
    good = fd >= 0 && !bind(fd, (struct sockaddr *)&a, sizeof a);
    if (good)
        unlink(path);
    if (fd >= 0)
        close(fd);
    return good;
}

/* Other files refuse connections, too. */
static int
is_dead_socket(const char *path)
{
    struct sockaddr_un a = {.sun_family = AF_UNIX};
    size_t n = strlen(path);
    struct stat sb;
    int fd, dead;

    if (n >= sizeof a.sun_path || lstat(path, &sb) || !S_ISSOCK(sb.st_mode))
        return 0;
    memcpy(a.sun_path, path, n + 1);
    fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
    dead = fd >= 0 && connect(fd, (struct sockaddr *)&a, sizeof a) && errno == ECONNREFUSED;
    if (fd >= 0)
        close(fd);
    return dead;
}

/* Whether nobody else can put a socket of his in the place of ours. */
static int
is_private(const char *dir)
{
    struct stat sb;

    return !lstat(dir, &sb) && S_ISDIR(sb.st_mode) && sb.st_uid == geteuid() &&
           !(sb.st_mode & (S_IWGRP | S_IWOTH));
}

void
iris_ssh_sweep(const char *sockets)
{
    DIR *dir = is_private(sockets) ? opendir(sockets) : NULL;
    struct dirent *e;
    char *path;

    while (dir && (e = readdir(dir))) {
        path = e->d_name[0] == '.' ? NULL : iris_format("%s/%s", sockets, e->d_name);
        if (path && is_dead_socket(path))
            unlink(path);
        free(path);
    }
    if (dir)
        closedir(dir);
}

/* Let what follows to this host go along the same connection. */
static void
offer_socket(struct iris_ssh *s)
{
    struct timespec t = {0, 0};
    char *path;

    if (!s->way->sockets || (mkdir(s->way->sockets, 0700) && errno != EEXIST) ||
        !is_private(s->way->sockets))
        return;
    clock_gettime(CLOCK_MONOTONIC, &t);
    path = iris_format("%s/%ld-%lx%09lx", s->way->sockets, (long)getpid(), (unsigned long)t.tv_sec,
                       (unsigned long)t.tv_nsec);
    if (path && can_hold_socket(path))
        s->socket = path;
    else
        free(path);
}

static void
put_options(struct words *w, const struct iris_ssh_known *k, struct iris_buf *socket, int is_master)
{
    add(w, "-oBatchMode=yes"); /* not while asking: Debian's has other limits with it */
    add(w, "-T");
    add(w, "-x");
    add(w, "-a");
    add(w, "-oClearAllForwardings=yes");
    add(w, "-oPermitLocalCommand=no");
    if (!k->has_timeout)
        add(w, "-oConnectTimeout=15");
    if (!k->has_keepalive) {
        add(w, "-oServerAliveInterval=5");
        add(w, "-oServerAliveCountMax=3");
    }
    if (k->has_command)
        add(w, "-oRemoteCommand=none");
    add(w, is_master ? "-oControlMaster=yes" : "-oControlMaster=no");
    if (socket->len) {
        add(w, iris_buf_str(socket));
        add(w, "-oControlPersist=no");
    }
}

enum iris_status
iris_ssh_open(struct iris_ssh *s, const struct iris_ssh_way *way, const char *host,
              const char *command, const struct iris_ssh *shared, struct iris_err *err)
{
    struct iris_buf socket = {0};
    struct words w = {0};
    enum iris_status st;

    *s = (struct iris_ssh){.way = way, .fd = -1, .talk = -1};
    if (!iris_ssh_is_host(host))
        return iris_fail(err, IRIS_E_DATA, "'%s' is not the name of a host", host);
    s->host = strdup(host);
    st = s->host ? IRIS_OK : iris_fail_memory(err);
    if (shared)
        s->known = shared->known;
    else if (!st)
        st = ask_configuration(s, &s->known, err);
    if (!st && !s->known.has_socket && !shared)
        offer_socket(s);
    if (s->socket || (!s->known.has_socket && shared && shared->socket))
        iris_buf_printf(&socket, "-oControlPath=%s", s->socket ? s->socket : shared->socket);
    begin_words(&w, way);
    put_options(&w, &s->known, &socket, s->socket != NULL);
    if (!command)
        add(&w, "-s");
    add(&w, "--");
    add(&w, host);
    add(&w, command ? command : "sftp");
    if (!st)
        st = iris_buf_check(&socket, err);
    if (!st)
        st = run(s, &w, err);
    iris_buf_release(&socket);
    iris_buf_release(&w.port);
    if (st)
        iris_ssh_close(s);
    return st;
}
