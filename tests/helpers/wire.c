/* wire -- a connection that a test can cut: for ssh's ProxyCommand.
 *
 *   wire [-c FILE] [-t BYTES]... [-n BYTES] [-s] [-r BYTES] HOST PORT
 *
 * Joins its standard input and output with HOST PORT over TCP. All numbers are
 * of bytes that come from the server:
 *
 *   -c FILE   add them to the number in FILE, which connections share
 *   -t BYTES  cut when FILE says so many; each of several cuts once, so that the
 *             next connection goes on to the next
 *   -n BYTES  cut when this connection has brought so many
 *   -s        a cut is a dead link: open at both ends, and nothing passes any more
 *   -r BYTES  no more than so many a second, in each connection
 *
 * A cut is exact: the byte before it comes through, the one behind it does not.
 * It is over with either side: 0; 64 for a wrong command line, 69 without
 * a server, 74 when something cannot be read or written.
 */
#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <netdb.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/file.h>
#include <sys/socket.h>
#include <unistd.h>

#include "clock.h"
#include "num.h"

enum { CHUNK = 16384, MAX_CUTS = 64, TICK_MS = 2 };

struct wire {
    int server, count; /* descriptors; -1: none */
    uint64_t cut[MAX_CUTS];
    size_t n_cuts;
    uint64_t left; /* of this connection */
    int silent;
    double rate, tokens; /* bytes a second, 0: any; bytes that may pass now */
    double then;         /* seconds, when tokens were counted */
};

static void __attribute__((noreturn)) die(int status, const char *what)
{
    fprintf(stderr, "wire: %s\n", what);
    exit(status);
}

static uint64_t
number(const char *text)
{
    uint64_t v;

    if (iris_parse_bytes(text, &v))
        die(64, "not a number of bytes");
    return v;
}

static void
parse(int argc, char **argv, struct wire *w)
{
    int opt;

    while ((opt = getopt(argc, argv, "c:t:n:sr:")) != -1) {
        if (opt == 'c' && (w->count = open(optarg, O_RDWR | O_CREAT | O_CLOEXEC, 0600)) < 0)
            die(74, "cannot open the count");
        else if (opt == 't' && w->n_cuts < MAX_CUTS)
            w->cut[w->n_cuts++] = number(optarg);
        else if (opt == 'n')
            w->left = number(optarg);
        else if (opt == 's')
            w->silent = 1;
        else if (opt == 'r')
            w->rate = (double)number(optarg);
        else if (opt != 'c')
            die(64, "wrong option, or too many");
    }
    if (argc - optind != 2 || (w->n_cuts && w->count < 0))
        die(64, "HOST PORT are needed, and a count for a total");
}

static int
dial(const char *host, const char *port)
{
    struct addrinfo hints = {.ai_socktype = SOCK_STREAM}, *list, *a;
    int fd = -1;

    if (getaddrinfo(host, port, &hints, &list))
        die(69, "no such host");
    for (a = list; a && fd < 0; a = a->ai_next) {
        fd = socket(a->ai_family, a->ai_socktype | SOCK_CLOEXEC, a->ai_protocol);
        if (fd >= 0 && connect(fd, a->ai_addr, a->ai_addrlen)) {
            close(fd);
            fd = -1;
        }
    }
    freeaddrinfo(list);
    if (fd < 0)
        die(69, "no server");
    return fd;
}

/* How many may pass now. Those of a twentieth of a second are kept, which makes
 * up for naps. */
static uint64_t
paced(struct wire *w)
{
    double now = iris_seconds(), most = w->rate / 20 > 1 ? w->rate / 20 : 1;

    if (w->rate <= 0)
        return CHUNK;
    w->tokens += w->rate * (now - w->then);
    w->then = now;
    if (w->tokens > most)
        w->tokens = most;
    return w->tokens < CHUNK ? (uint64_t)w->tokens : CHUNK;
}

/* The number in the file, which stays locked. */
static uint64_t
begin_count(const struct wire *w)
{
    char text[32] = {0};

    if (flock(w->count, LOCK_EX) || pread(w->count, text, sizeof text - 1, 0) < 0)
        die(74, "cannot read the count");
    return strtoull(text, NULL, 10);
}

static void
end_count(const struct wire *w, uint64_t total)
{
    char text[32];
    int n = snprintf(text, sizeof text, "%020" PRIu64 "\n", total);

    if (pwrite(w->count, text, (size_t)n, 0) != n || flock(w->count, LOCK_UN))
        die(74, "cannot write the count");
}

/* From a total to the next cut. */
static uint64_t
to_cut(const struct wire *w, uint64_t total)
{
    uint64_t least = UINT64_MAX;
    size_t k;

    for (k = 0; k < w->n_cuts; k++)
        if (w->cut[k] > total && w->cut[k] - total < least)
            least = w->cut[k] - total;
    return least;
}

static void
put(int fd, const char *data, size_t n)
{
    ssize_t done;

    for (; n; data += done, n -= (size_t)done) {
        done = write(fd, data, n);
        if (done < 0 && errno != EINTR)
            exit(0); /* that side has ended */
        if (done < 0)
            done = 0;
    }
}

/* Wait until nobody is there to be silent with. */
static void
cut(const struct wire *w)
{
    struct pollfd here[] = {{.fd = STDIN_FILENO}, {.fd = STDOUT_FILENO}};

    while (w->silent && !((here[0].revents | here[1].revents) & (POLLHUP | POLLERR)))
        poll(here, 2, -1);
    exit(0);
}

/* What has come from the server, as much of it as may pass. */
static void
down(struct wire *w, uint64_t may)
{
    uint64_t total = 0, left = w->left, near = UINT64_MAX;
    char data[CHUNK];
    ssize_t n;

    if (w->count >= 0) {
        total = begin_count(w);
        near = to_cut(w, total);
    }
    if (near < left)
        left = near;
    n = recv(w->server, data, may < left ? may : left, MSG_DONTWAIT);
    if (w->count >= 0)
        end_count(w, total + (n > 0 ? (uint64_t)n : 0));
    if (n < 0 && (errno == EAGAIN || errno == EINTR))
        return;
    if (n <= 0)
        exit(0);
    put(STDOUT_FILENO, data, (size_t)n);
    w->tokens -= (double)n;
    w->left -= (uint64_t)n;
    if ((uint64_t)n == left)
        cut(w);
}

static void
up(const struct wire *w)
{
    char data[CHUNK];
    ssize_t n = read(STDIN_FILENO, data, sizeof data);

    if (n < 0 && errno == EINTR)
        return;
    if (n <= 0)
        exit(0);
    put(w->server, data, (size_t)n);
}

static void
join(struct wire *w)
{
    struct pollfd fd[] = {{.fd = STDIN_FILENO, .events = POLLIN}, {.fd = w->server}};
    uint64_t may;

    if (!w->left)
        cut(w);
    for (;;) {
        may = paced(w);
        fd[1].events = may ? POLLIN : 0;
        if (poll(fd, 2, may ? -1 : TICK_MS) < 0)
            continue;
        if (fd[0].revents)
            up(w);
        if (fd[1].revents && may)
            down(w, may);
    }
}

int
main(int argc, char **argv)
{
    struct wire w = {.count = -1, .left = UINT64_MAX};

    signal(SIGPIPE, SIG_IGN);
    parse(argc, argv, &w);
    w.server = dial(argv[optind], argv[optind + 1]);
    w.then = iris_seconds();
    join(&w);
}
