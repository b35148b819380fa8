#define _GNU_SOURCE /* memfd_create */
#include "node.h"

#include <fcntl.h>
#include <stdatomic.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

#include "buf.h"

#ifndef MADV_COLLAPSE
#define MADV_COLLAPSE 25 /* Linux 6.1 */
#endif

enum { SLOTS_PER_RANK = 4, SLOTS_MAX = 1024, KEPT = 2, HUGE_PAGE = 2 << 20 };

/* APART: its memory could not be shared, so everyone makes it.
 * HOLLOW: given up by another rank than its maker, who must still close it. */
enum state { FREE, MAKING, MADE, APART, HOLLOW };

struct slot {
    enum state state;
    int users;       /* ranks, its maker among them */
    uint64_t serial; /* number of the claim */
    int maker, pid, fd;
    size_t bytes; /* 0: no memory */
    dev_t dev;    /* what the descriptor must lead to: a process of that number */
    ino_t ino;    /* may be another one where this rank looks */
    char key[IRIS_NODE_KEY];
    unsigned char note[IRIS_NODE_NOTE];
};

/* What the ranks of a node share. All but the lock is used under the lock. */
struct table {
    _Atomic int locked;
    uint64_t claims, apart;
    struct slot slot[];
};

struct iris_node {
    struct iris_shared shared;
    struct table *table; /* NULL: nobody to share with */
    size_t n;            /* slots */
    size_t most;         /* of them that may be in use, 0: all */
    int rank;
    struct slot *slot; /* in use, NULL: none that others know of */
    void *memory;      /* mapped, NULL: none */
    size_t bytes;
};

static void
lock(struct table *t)
{
    unsigned idle = 0;
    int no = 0;

    while (!atomic_compare_exchange_weak(&t->locked, &no, 1)) {
        no = 0;
        iris_pool_nap(&idle);
    }
}

static void
unlock(struct table *t)
{
    atomic_store(&t->locked, 0);
}

/* ---- memory ---- */

/* At a multiple of a huge page, so that huge pages can be used: cells are
 * looked up all over the block. */
static void *
map(int fd, size_t bytes, int prot)
{
    int flags = fd < 0 ? MAP_PRIVATE | MAP_ANONYMOUS : MAP_SHARED;
    size_t page = (size_t)sysconf(_SC_PAGESIZE), before;
    char *room, *at;

    if (bytes > SIZE_MAX - HUGE_PAGE - page)
        return NULL;
    bytes = (bytes + page - 1) / page * page;
    room = mmap(NULL, bytes + HUGE_PAGE, PROT_NONE, MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1,
                0);
    if (room == MAP_FAILED)
        return NULL;
    before = (HUGE_PAGE - (uintptr_t)room % HUGE_PAGE) % HUGE_PAGE;
    at = room + before;
    if (mmap(at, bytes, prot, MAP_FIXED | flags, fd, 0) == MAP_FAILED) {
        munmap(room, bytes + HUGE_PAGE);
        return NULL;
    }
    if (before)
        munmap(room, before);
    if (before < HUGE_PAGE)
        munmap(at + bytes, HUGE_PAGE - before);
    madvise(at, bytes, MADV_HUGEPAGE);
    return at;
}

/* Shared memory gets no huge pages by itself unless a machine is told to, but
 * may be given them where a page is touched. It is as good without. */
static void
collapse(char *at, size_t bytes)
{
    size_t i;

    for (i = 0; i + HUGE_PAGE <= bytes; i += HUGE_PAGE)
        at[i] = 0;
    madvise(at, bytes, MADV_COLLAPSE);
}

static void
unmap(struct iris_node *node)
{
    size_t page = (size_t)sysconf(_SC_PAGESIZE);

    if (node->memory)
        munmap(node->memory, (node->bytes + page - 1) / page * page);
    node->memory = NULL;
    node->bytes = 0;
}

/* Another rank's memory.
 *
 *   return  a descriptor, or -1
 */
static int
reach(const struct slot *s, int flags)
{
    char *path = iris_format("/proc/%d/fd/%d", s->pid, s->fd);
    int fd = path ? open(path, flags | O_CLOEXEC) : -1;
    struct stat sb;

    free(path);
    if (fd >= 0 && (fstat(fd, &sb) || sb.st_dev != s->dev || sb.st_ino != s->ino ||
                    (uint64_t)sb.st_size != s->bytes)) {
        close(fd);
        fd = -1;
    }
    return fd;
}

/* ---- slots; the lock is held ---- */

static void
release(struct slot *s)
{
    if (s->bytes)
        close(s->fd);
    s->bytes = 0;
    s->state = FREE;
}

/* Nobody has it mapped, so its pages can go although its maker, who is at work,
 * still holds it open. */
static void
hollow(struct slot *s)
{
    int fd;

    if (!s->bytes) {
        s->state = FREE;
        return;
    }
    fd = reach(s, O_RDWR);
    if (fd < 0)
        return;
    if (!ftruncate(fd, 0))
        s->state = HOLLOW;
    close(fd);
}

/* Nobody uses it, so it could go. */
static int
is_spare(const struct slot *s)
{
    return (s->state == MADE || s->state == APART) && !s->users;
}

static void
give_up(const struct iris_node *node, struct slot *s)
{
    if (s->maker == node->rank)
        release(s);
    else
        hollow(s);
}

/* Close what others have given up; of any number of blocks, keep the last. */
static void
sweep(struct iris_node *node)
{
    struct table *t = node->table;
    size_t i;

    for (i = 0; i < node->n; i++) {
        struct slot *s = &t->slot[i];

        if (s->state == HOLLOW && s->maker == node->rank)
            release(s);
        else if (!node->most && is_spare(s) && t->claims - s->serial >= KEPT)
            give_up(node, s);
    }
}

/* Whether there may be one more, for which the oldest that is spare has to go. */
static int
make_room(struct iris_node *node)
{
    struct slot *oldest = NULL;
    size_t i, used = 0;

    for (i = 0; i < node->n && node->most; i++) {
        struct slot *s = &node->table->slot[i];

        used += s->state != FREE && s->state != HOLLOW;
        if (is_spare(s) && (!oldest || s->serial < oldest->serial))
            oldest = s;
    }
    if (!node->most || used < node->most)
        return 1;
    if (oldest)
        give_up(node, oldest);
    return oldest && !is_spare(oldest);
}

static struct slot *
find(const struct iris_node *node, const char *key)
{
    size_t i;

    for (i = 0; i < node->n; i++) {
        struct slot *s = &node->table->slot[i];

        if (s->state != FREE && s->state != HOLLOW && !strcmp(s->key, key))
            return s;
    }
    return NULL;
}

static void
claim(struct iris_node *node, const char *key)
{
    struct table *t = node->table;
    size_t i;

    for (i = 0; i < node->n && t->slot[i].state != FREE; i++)
        ;
    if (i == node->n)
        return; /* then it is this rank's alone */
    node->slot = &t->slot[i];
    node->slot->state = MAKING;
    node->slot->users = 1;
    node->slot->serial = ++t->claims;
    node->slot->maker = node->rank;
    node->slot->bytes = 0;
    memcpy(node->slot->key, key, strlen(key) + 1);
    sweep(node);
}

/* ---- */

enum iris_status
iris_node_start(struct iris_node **node, struct iris_pool *pool, size_t most, struct iris_err *err)
{
    size_t n = (size_t)iris_pool_size(pool) * SLOTS_PER_RANK, bytes;
    struct iris_node *made = *node = calloc(1, sizeof *made);
    enum iris_status st;

    /* no rank may stay away from what is collective */
    n = n < SLOTS_MAX ? n : SLOTS_MAX;
    bytes = sizeof(struct table) + n * sizeof(struct slot);
    if (!made) {
        struct iris_shared unused;

        iris_pool_share(pool, bytes, &unused, NULL);
        return iris_fail_memory(err);
    }
    made->n = n;
    made->most = most;
    made->rank = iris_pool_rank(pool);
    st = iris_pool_share(pool, bytes, &made->shared, err);
    if (st || made->shared.own || made->shared.ranks < 2)
        return st;
    if (iris_shared_begin(&made->shared, NULL, NULL) == 1) {
        memset(made->shared.memory, 0, bytes);
        iris_shared_done(&made->shared, 1);
    }
    made->table = made->shared.memory;
    return IRIS_OK;
}

void
iris_node_free(struct iris_node *node)
{
    if (!node)
        return;
    iris_node_drop(node);
    free(node);
}

/* Map the block of a slot that this rank counts as a user of. */
static int
enter(struct iris_node *node, const struct slot *seen)
{
    int fd = reach(seen, O_RDONLY);

    if (fd < 0)
        return 0;
    node->memory = map(fd, seen->bytes, PROT_READ);
    node->bytes = node->memory ? seen->bytes : 0;
    close(fd);
    return node->memory != NULL;
}

/* It is there, for others; this rank will have its own. */
static void
stay_apart(struct iris_node *node)
{
    lock(node->table);
    node->slot->users--;
    node->table->apart++;
    unlock(node->table);
    node->slot = NULL;
}

int
iris_node_get(struct iris_node *node, const char *key, int (*pause)(void *), void *pause_self,
              void **memory, void *note, size_t bytes)
{
    struct table *t = node->table;
    unsigned idle = 0;
    struct slot *s;
    int mine;

    *memory = NULL;
    if (!t || strlen(key) >= IRIS_NODE_KEY || bytes > IRIS_NODE_NOTE)
        return 1;
    for (;;) {
        enum state state = MAKING;

        lock(t);
        sweep(node);
        s = find(node, key);
        if (s && (state = s->state) == MADE)
            s->users++;
        mine = !s && make_room(node);
        if (mine)
            claim(node, key);
        unlock(t);
        if (mine || state == APART)
            return 1;
        if (state == MADE)
            break;
        if (pause(pause_self))
            return -1;
        iris_pool_nap(&idle);
    }
    /* it does not change any more while it has users */
    node->slot = s;
    memcpy(note, s->note, bytes);
    if (s->bytes && !enter(node, s)) {
        stay_apart(node);
        return 1;
    }
    *memory = node->memory;
    return 0;
}

/* A descriptor of as many bytes, -1 where there is no such thing. More than the
 * machine has would be given too, and end the process that fills it. */
static int
open_memory(size_t bytes, struct stat *sb)
{
    long pages = sysconf(_SC_PHYS_PAGES), page = sysconf(_SC_PAGESIZE);
    int fd;

    if (pages > 0 && bytes / (size_t)page >= (size_t)pages)
        return -1;
    fd = memfd_create("iris", MFD_CLOEXEC);
    if (fd >= 0 && (ftruncate(fd, (off_t)bytes) || fstat(fd, sb))) {
        close(fd);
        fd = -1;
    }
    return fd;
}

void *
iris_node_allocate(struct iris_node *node, size_t bytes)
{
    struct slot *s = node->slot;
    struct stat sb;
    int fd = s ? open_memory(bytes, &sb) : -1;

    if (fd >= 0) {
        node->memory = map(fd, bytes, PROT_READ | PROT_WRITE);
        if (node->memory) {
            collapse(node->memory, bytes);
        } else {
            close(fd);
            fd = -1;
        }
    }
    if (fd < 0)
        node->memory = map(-1, bytes, PROT_READ | PROT_WRITE);
    node->bytes = node->memory ? bytes : 0;
    if (!s || !node->memory)
        return node->memory;
    lock(node->table);
    if (fd < 0) {
        s->state = APART;
        node->table->apart++;
    } else {
        s->pid = getpid();
        s->fd = fd;
        s->bytes = bytes;
        s->dev = sb.st_dev;
        s->ino = sb.st_ino;
    }
    unlock(node->table);
    return node->memory;
}

void
iris_node_done(struct iris_node *node, const void *note, size_t bytes, int keep)
{
    struct slot *s = node->slot;

    if (!note || !keep)
        unmap(node);
    if (!s)
        return;
    lock(node->table);
    if (!note) {
        s->users = 0;
        release(s);
        node->slot = NULL;
    } else {
        if (!keep && s->bytes) {
            close(s->fd);
            s->bytes = 0;
        }
        memcpy(s->note, note, bytes < IRIS_NODE_NOTE ? bytes : IRIS_NODE_NOTE);
        if (s->state == MAKING)
            s->state = MADE;
    }
    unlock(node->table);
}

void
iris_node_drop(struct iris_node *node)
{
    unmap(node);
    if (!node->slot)
        return;
    lock(node->table);
    node->slot->users--;
    sweep(node);
    unlock(node->table);
    node->slot = NULL;
}

uint64_t
iris_node_apart(struct iris_node *node)
{
    uint64_t apart;

    if (!node->table)
        return 0;
    lock(node->table);
    apart = node->table->apart;
    unlock(node->table);
    return apart;
}
