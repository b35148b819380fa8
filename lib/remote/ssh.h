/* ssh -- the program ssh, run towards another machine.
 *
 * Aliases, ports, keys and jump hosts are those of the user's configuration;
 * what it says about time limits, keepalives and shared connections counts, and
 * has good values where it says nothing. There is never a prompt, for there is
 * no terminal, and never a wait without end.
 *
 * A connection belongs to one thread; several have one each.
 */
#ifndef IRIS_SSH_H
#define IRIS_SSH_H

#include <stddef.h>
#include <sys/types.h>

#include "err.h"

/* How hosts are reached. The strings are kept by reference. */
struct iris_ssh_way {
    const char *config;  /* in place of the user's configuration; NULL */
    const char *key;     /* the only one to try; NULL */
    unsigned port;       /* 0: as configured */
    double timeout;      /* s that an answer may take, 0: 120 */
    const char *sockets; /* directory for the socket of a shared connection; NULL: none */
    int (*stop)(void *); /* asked all the time; NULL */
    void *self;          /* for stop */
};

/* What the user's configuration says about a host. */
struct iris_ssh_known {
    int has_timeout, has_keepalive, has_socket, has_command;
};

struct iris_ssh {
    const struct iris_ssh_way *way;
    struct iris_ssh_known known;
    char *host;
    char *socket;   /* of a connection that others may share; NULL */
    pid_t pid;      /* 0: none */
    int fd;         /* to and from it, -1 */
    int talk;       /* descriptor of what it says, -1 */
    int answered;   /* something has come */
    int is_refused; /* key or host key: another try would end alike */
};

/* Whether a name may stand for a host: alias, address, user@host. */
int iris_ssh_is_host(const char *host);

/* Start ssh with the sftp subsystem, or with a command of the remote shell.
 *
 *   in   command  NULL: sftp. No name from outside is ever a part of it.
 *   in   shared   a connection to the same host to go along with; NULL
 *
 *   return  IRIS_OK        it runs; whether it gets through, reading tells
 *           IRIS_E_DATA    no name of a host
 *           IRIS_E_REMOTE  the configuration is wrong
 *           IRIS_E_IO      ssh cannot be run
 *   owns    iris_ssh_close, safe on a zeroed struct and twice
 */
enum iris_status iris_ssh_open(struct iris_ssh *s, const struct iris_ssh_way *way, const char *host,
                               const char *command, const struct iris_ssh *shared,
                               struct iris_err *err);

/* Read what there is, at least one byte.
 *
 *   out  n  0: the other side has ended
 *
 *   return  IRIS_OK
 *           IRIS_E_REMOTE  no answer in time
 *           IRIS_E_RETRY   stopped
 */
enum iris_status iris_ssh_read(struct iris_ssh *s, void *data, size_t size, size_t *n,
                               struct iris_err *err);

/* Write all; end tells the other side that no more comes. */
enum iris_status iris_ssh_write(struct iris_ssh *s, const void *data, size_t n,
                                struct iris_err *err);
void iris_ssh_end(struct iris_ssh *s);

/* What it was that ended the connection, in ssh's own words.
 *
 *   return  IRIS_E_REMOTE
 */
enum iris_status iris_ssh_lost(struct iris_ssh *s, struct iris_err *err);

void iris_ssh_close(struct iris_ssh *s);

/* Remove from a directory for sockets those of connections that are no more. */
void iris_ssh_sweep(const char *sockets);

#endif
