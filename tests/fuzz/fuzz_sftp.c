/* A server of files that says anything: the first byte is what it is asked for, the rest
 * is what it answers. */
#include "fuzz.h"

#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "sftp.h"

const unsigned fuzz_mutants = 500;

enum { ROOM = 1 << 19, MOST = 1 << 16 };

/* A session whose server has said all it will say. */
static int
connect_to(struct iris_sftp *s, const struct iris_ssh_way *way, const uint8_t *data, size_t size)
{
    int pair[2];

    if (size > MOST || socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, pair))
        return -1;
    *s = (struct iris_sftp){.ssh = {.way = way, .fd = pair[0], .talk = -1, .host = strdup("there")},
                            .in = malloc(ROOM)};
    fuzz_need(s->ssh.host && s->in && write(pair[1], data, size) == (ssize_t)size,
              "a server can answer");
    shutdown(pair[1], SHUT_WR);
    return pair[1];
}

static enum iris_status
list(struct iris_sftp *s, struct iris_err *err)
{
    struct iris_place place = iris_sftp_place(s);
    struct iris_place_list names = {0};
    enum iris_status st = place.list(place.self, "dir", &names, err);

    iris_place_list_release(&names);
    return st;
}

static enum iris_status
look(struct iris_sftp *s, struct iris_err *err)
{
    struct iris_place place = iris_sftp_place(s);
    struct iris_place_file file;

    return place.look(place.self, "~/name", &file, err);
}

static enum iris_status
real_path(struct iris_sftp *s, struct iris_err *err)
{
    struct iris_buf real = {0};
    enum iris_status st = iris_sftp_real_path(s, "~", &real, err);

    iris_buf_release(&real);
    return st;
}

static enum iris_status
fetch(struct iris_sftp *s, struct iris_err *err)
{
    struct iris_place_file file;
    const unsigned char *data = NULL;
    struct iris_sftp_file f;
    enum iris_status st;
    volatile unsigned char last = 0;
    uint32_t id = 0;
    size_t n = 0, i;
    int turn;

    st = iris_sftp_file_open(s, "name", &f, err);
    if (!st)
        st = iris_sftp_file_look(s, &f, &file, err);
    for (turn = 0; turn < 2 && !st; turn++)
        st = iris_sftp_ask(s, &f, 0, IRIS_SFTP_READ, &id, err);
    for (turn = 0; turn < 2 && !st; turn++) {
        st = iris_sftp_take(s, &f, &id, &data, &n, err);
        for (i = 0; i < n && !st; i++)
            last = data[i];
    }
    (void)last;
    return st ? st : iris_sftp_file_close(s, &f, err);
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    static enum iris_status (*const asked[])(struct iris_sftp *,
                                             struct iris_err *) = {list, look, real_path, fetch};
    struct iris_ssh_way way = {.timeout = 1};
    struct iris_sftp s;
    struct iris_err err = {0};
    enum iris_status st;
    int server;

    if (!size)
        return 0;
    server = connect_to(&s, &way, data + 1, size - 1);
    if (server < 0)
        return 0;
    st = asked[data[0] % 4](&s, &err);
    fuzz_status(st, &err);
    iris_sftp_close(&s);
    close(server);
    return 0;
}
