/* What connections leave behind. */
#include "check.h"

#include <fcntl.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <unistd.h>

#include "ssh.h"

static char scratch[64];

static const char *
in(const char *name)
{
    static char path[100]; /* of a socket: not more than 107 */

    snprintf(path, sizeof path, "%s/%s", scratch, name);
    return path;
}

static void
must(int ok)
{
    if (!ok)
        exit(2);
}

static int
is_there(const char *name)
{
    struct stat sb;

    return !lstat(in(name), &sb);
}

/* A socket of that name, that somebody listens to. */
static int
listen_at(const char *name)
{
    struct sockaddr_un a = {.sun_family = AF_UNIX};
    int fd = socket(AF_UNIX, SOCK_STREAM, 0);

    snprintf(a.sun_path, sizeof a.sun_path, "%s", in(name));
    must(fd >= 0 && !bind(fd, (struct sockaddr *)&a, sizeof a) && !listen(fd, 1));
    return fd;
}

static void
test_sweep(void)
{
    int alive = listen_at("alive");

    close(listen_at("dead"));
    close(listen_at(".dead"));
    close(open(in("file"), O_WRONLY | O_CREAT, 0600));
    must(!chmod(scratch, 0777));
    iris_ssh_sweep(scratch);
    CHECK(is_there("dead"), "a directory that others may write is left alone");
    must(!chmod(scratch, 0700));
    iris_ssh_sweep(scratch);
    CHECK(!is_there("dead"), "the socket of a connection that is no more goes");
    CHECK(is_there("alive"), "that of one that is stays");
    CHECK(is_there("file") && is_there(".dead"), "as does what is no socket of ours");
    iris_ssh_sweep(in("missing"));
    iris_ssh_sweep(in("file"));
    CHECK(is_there("file"), "a place that is no directory");
    close(alive);
    iris_ssh_sweep(scratch);
    CHECK(!is_there("alive"), "until it ends");
    must(!unlink(in("file")) && !unlink(in(".dead")));
}

int
main(void)
{
    snprintf(scratch, sizeof scratch, "/tmp/iris-ssh-XXXXXX"); /* paths of sockets are short */
    must(mkdtemp(scratch) != NULL);
    test_sweep();
    CHECK(!rmdir(scratch), "nothing else is left");
    return check_done();
}
