/* nodehold -- what a rank holds of blocks that others have no use for, while it
 * does not come back to give anything up itself.
 *
 *   mpirun -n 2 nodehold
 *
 * Rank 1 makes two blocks and stays with the second. Then rank 0 makes one, and
 * prints the pages of each that rank 1 has open: "first N" and "second N". */
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "node.h"

enum { BYTES = 1 << 20 };

static int
go_on(void *self)
{
    (void)self;
    return 0;
}

/* Make a block and stay with it; 0 when that cannot be. */
static int
make(struct iris_node *node, const char *key)
{
    void *memory;
    char note = 'n';

    if (iris_node_get(node, key, go_on, NULL, &memory, &note, 1) != 1 ||
        !(memory = iris_node_allocate(node, BYTES)))
        return 0;
    memset(memory, 1, BYTES);
    iris_node_done(node, &note, 1, 1);
    return 1;
}

static void
send(struct iris_pool *pool, int to, int number)
{
    struct iris_buf text = {0};

    iris_buf_printf(&text, "%d", number);
    if (iris_pool_send(pool, to, &text, NULL))
        exit(74);
    iris_buf_release(&text);
}

static int
receive(struct iris_pool *pool)
{
    struct iris_buf text = {0};
    unsigned idle = 0;
    int from = -1, number;

    while (from < 0) {
        if (iris_pool_poll(pool, &from, &text, NULL))
            exit(74);
        if (from < 0)
            iris_pool_nap(&idle);
    }
    number = atoi(iris_buf_str(&text));
    iris_buf_release(&text);
    return number;
}

/* Blocks have numbers of descriptors in the order in which they were made. */
static void
print_pages(int pid)
{
    static const char *const name[] = {"first", "second"};
    char path[64], to[64];
    size_t n = 0;
    struct stat sb;
    int fd;

    for (fd = 0; fd < 256 && n < 2; fd++) {
        ssize_t length;

        snprintf(path, sizeof path, "/proc/%d/fd/%d", pid, fd);
        length = readlink(path, to, sizeof to - 1);
        if (length < 0)
            continue;
        to[length] = '\0';
        if (!strncmp(to, "/memfd:iris", 11) && !stat(path, &sb))
            printf("%s %jd\n", name[n++], (intmax_t)sb.st_blocks * 512 / getpagesize());
    }
}

static int
lead(struct iris_pool *pool, struct iris_node *node)
{
    int pid = receive(pool), ok = make(node, "third");

    print_pages(pid);
    send(pool, 1, 0);
    return ok;
}

static int
hang(struct iris_pool *pool, struct iris_node *node)
{
    int ok = make(node, "first");

    iris_node_drop(node);
    ok = make(node, "second") && ok;
    send(pool, 0, getpid());
    receive(pool);
    return ok;
}

int
main(void)
{
    struct iris_pool *pool;
    struct iris_node *node;
    int ok;

    if (iris_pool_start(&pool, NULL) || iris_pool_size(pool) != 2 ||
        iris_node_start(&node, pool, 0, NULL))
        return 70;
    ok = iris_pool_rank(pool) ? hang(pool, node) : lead(pool, node);
    iris_node_free(node);
    iris_pool_finish(pool);
    return !ok;
}
