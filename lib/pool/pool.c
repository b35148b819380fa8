#include "pool.h"

#include <limits.h>
#include <mpi.h>
#include <stdatomic.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "backing.h"

enum { TAG = 1, TAG_GATHER };
enum { SHARED_MAX = 4, LINE = 64 };

struct iris_pool {
    int launched;
    int rank, size;
    struct iris_pool_node node;
    char library[64];
    struct iris_backing backing;
    size_t n_shared;
    struct {
        void *own; /* NULL: in the window */
        MPI_Win window;
    } shared[SHARED_MAX];
};

/* Every MPI call goes through here. */
static enum iris_status
checked(int code, const char *call, struct iris_err *err)
{
    char text[MPI_MAX_ERROR_STRING] = "";
    int len;

    if (code == MPI_SUCCESS)
        return IRIS_OK;
    MPI_Error_string(code, text, &len);
    return iris_fail(err, IRIS_E_IO, "%s failed: %s", call, text);
}

int
iris_pool_launched(void)
{
    static const char *const sign[] = {"OMPI_COMM_WORLD_SIZE", "PMIX_RANK", "PMI_RANK"};
    size_t i;

    for (i = 0; i < sizeof sign / sizeof sign[0]; i++) {
        if (getenv(sign[i]))
            return 1;
    }
    return 0;
}

/* Its first line, without what it says of those who built it. */
static enum iris_status
ask_library(struct iris_pool *p, struct iris_err *err)
{
    char text[MPI_MAX_LIBRARY_VERSION_STRING] = "";
    enum iris_status st;
    int len;

    st = checked(MPI_Get_library_version(text, &len), "MPI_Get_library_version", err);
    text[strcspn(text, ",\n\t")] = '\0';
    text[sizeof p->library - 1] = '\0';
    memcpy(p->library, text, strlen(text) + 1);
    return st;
}

static enum iris_status
split_nodes(MPI_Comm *node, struct iris_err *err)
{
    return checked(
        MPI_Comm_split_type(MPI_COMM_WORLD, MPI_COMM_TYPE_SHARED, 0, MPI_INFO_NULL, node),
        "MPI_Comm_split_type", err);
}

static enum iris_status
find_node(struct iris_pool *p, struct iris_err *err)
{
    enum iris_status st;
    MPI_Comm node;

    st = split_nodes(&node, err);
    if (st)
        return st;
    p->node.first = p->rank;
    st = checked(MPI_Comm_rank(node, &p->node.rank), "MPI_Comm_rank", err);
    if (!st)
        st = checked(MPI_Comm_size(node, &p->node.size), "MPI_Comm_size", err);
    if (!st)
        st = checked(MPI_Bcast(&p->node.first, 1, MPI_INT, 0, node), "MPI_Bcast", err);
    MPI_Comm_free(&node);
    return st;
}

enum iris_status
iris_pool_start(struct iris_pool **pool, struct iris_err *err)
{
    struct iris_pool *p = calloc(1, sizeof *p);
    enum iris_status st = IRIS_OK;

    *pool = p;
    if (!p)
        return iris_fail_memory(err);
    p->size = p->node.size = 1;
    strcpy(p->library, "none");
    p->launched = iris_pool_launched();
    if (!p->launched)
        return IRIS_OK;
    iris_backing_start(&p->backing);
    st = checked(MPI_Init(NULL, NULL), "MPI_Init", err);
    if (!st)
        st = checked(MPI_Comm_set_errhandler(MPI_COMM_WORLD, MPI_ERRORS_RETURN),
                     "MPI_Comm_set_errhandler", err);
    if (!st)
        st = checked(MPI_Comm_rank(MPI_COMM_WORLD, &p->rank), "MPI_Comm_rank", err);
    if (!st)
        st = checked(MPI_Comm_size(MPI_COMM_WORLD, &p->size), "MPI_Comm_size", err);
    if (!st)
        st = find_node(p, err);
    return st ? st : ask_library(p, err);
}

int
iris_pool_rank(const struct iris_pool *pool)
{
    return pool->rank;
}

int
iris_pool_size(const struct iris_pool *pool)
{
    return pool->size;
}

const struct iris_pool_node *
iris_pool_node(const struct iris_pool *pool)
{
    return &pool->node;
}

const char *
iris_pool_library(const struct iris_pool *pool)
{
    return pool->library;
}

/* Make room for len bytes and a NUL. */
static enum iris_status
resize(struct iris_buf *text, int len, struct iris_err *err)
{
    static const char zeros[256];

    iris_buf_clear(text);
    while (text->len < (size_t)len) {
        size_t more = (size_t)len - text->len;

        iris_buf_append(text, zeros, more < sizeof zeros ? more : sizeof zeros);
        if (text->failed)
            break;
    }
    return iris_buf_check(text, err);
}

/* Receive what that rank has sent or will send. */
static enum iris_status
take(int from, int tag, struct iris_buf *text, struct iris_err *err)
{
    enum iris_status st;
    MPI_Status status;
    int len;

    st = checked(MPI_Probe(from, tag, MPI_COMM_WORLD, &status), "MPI_Probe", err);
    if (!st)
        st = checked(MPI_Get_count(&status, MPI_BYTE, &len), "MPI_Get_count", err);
    if (!st)
        st = resize(text, len, err);
    return st ? st
              : checked(MPI_Recv(text->data, len, MPI_BYTE, from, tag, MPI_COMM_WORLD,
                                 MPI_STATUS_IGNORE),
                        "MPI_Recv", err);
}

/* Instead of the length of a message that rank 0 has no memory for, or MPI no number. */
enum { NO_MEMORY = -1 };

enum iris_status
iris_pool_broadcast(struct iris_pool *pool, struct iris_buf *text, struct iris_err *err)
{
    enum iris_status st;
    int len, lacks;

    if (!pool->launched)
        return iris_buf_check(text, err);
    len = text->failed || text->len > INT_MAX ? NO_MEMORY : (int)text->len;
    st = checked(MPI_Bcast(&len, 1, MPI_INT, 0, MPI_COMM_WORLD), "MPI_Bcast", err);
    if (st)
        return st;
    lacks = len == NO_MEMORY || (pool->rank && resize(text, len, err));
    /* who has no room for it is not waited for by those who have */
    st = checked(MPI_Allreduce(MPI_IN_PLACE, &lacks, 1, MPI_INT, MPI_MAX, MPI_COMM_WORLD),
                 "MPI_Allreduce", err);
    if (!st && lacks)
        return iris_fail_memory(err);
    if (!st && len)
        st = checked(MPI_Bcast(text->data, len, MPI_BYTE, 0, MPI_COMM_WORLD), "MPI_Bcast", err);
    return st;
}

/* Until a message is there, asleep between looks. */
static enum iris_status
await(int from, int tag, struct iris_err *err)
{
    enum iris_status st = IRIS_OK;
    unsigned idle = 0;
    int there = 0;

    while (!st && !there) {
        st = checked(MPI_Iprobe(from, tag, MPI_COMM_WORLD, &there, MPI_STATUS_IGNORE), "MPI_Iprobe",
                     err);
        if (!st && !there)
            iris_pool_nap(&idle);
    }
    return st;
}

/* Hear a rank whose text is of no use any more: it may wait until it is heard. What
 * does not fit is lost. */
static void
discard(int from, int tag)
{
    char room[4096];

    MPI_Recv(room, sizeof room, MPI_BYTE, from, tag, MPI_COMM_WORLD, MPI_STATUS_IGNORE);
}

/* Nothing is what a rank says that has no memory for what it should. */
static enum iris_status
hear(int from, struct iris_buf *text, struct iris_err *err)
{
    enum iris_status st = await(from, TAG_GATHER, err);

    if (st)
        return st;
    st = take(from, TAG_GATHER, text, err);
    if (text->failed)
        discard(from, TAG_GATHER);
    return st || text->len ? st : iris_fail_memory(err);
}

enum iris_status
iris_pool_gather(struct iris_pool *pool, const struct iris_buf *text, struct iris_buf *all,
                 struct iris_err *err)
{
    size_t len = text->failed ? 0 : text->len;
    enum iris_status st = iris_buf_check(text, err);
    int rank;

    if (pool->rank)
        return checked(
            MPI_Send(iris_buf_str(text), (int)len, MPI_BYTE, 0, TAG_GATHER, MPI_COMM_WORLD),
            "MPI_Send", err);
    if (!st && all)
        iris_buf_append(&all[0], iris_buf_str(text), text->len);
    if (!st)
        st = all ? iris_buf_check(&all[0], err) : iris_fail_memory(err);
    for (rank = 1; rank < pool->size; rank++) {
        if (st)
            discard(rank, TAG_GATHER);
        else
            st = hear(rank, &all[rank], err);
    }
    return st;
}

enum iris_status
iris_pool_send(struct iris_pool *pool, int to, const struct iris_buf *text, struct iris_err *err)
{
    if (text->failed)
        return iris_fail_memory(err);
    if (!pool->launched || text->len > INT_MAX)
        return iris_fail(err, IRIS_E_BUG, "cannot send %zu bytes to rank %d", text->len, to);
    return checked(MPI_Send(text->data, (int)text->len, MPI_BYTE, to, TAG, MPI_COMM_WORLD),
                   "MPI_Send", err);
}

enum iris_status
iris_pool_poll(struct iris_pool *pool, int *from, struct iris_buf *text, struct iris_err *err)
{
    enum iris_status st;
    MPI_Status status;
    int there = 0;

    *from = -1;
    if (!pool->launched)
        return IRIS_OK;
    st = checked(MPI_Iprobe(MPI_ANY_SOURCE, TAG, MPI_COMM_WORLD, &there, &status), "MPI_Iprobe",
                 err);
    if (st || !there)
        return st;
    st = take(status.MPI_SOURCE, TAG, text, err);
    if (!st)
        *from = status.MPI_SOURCE;
    return st;
}

/* What is at the head of shared memory. */
enum { UNTOUCHED, MAKING, MADE, BROKEN };

/* One window of a node's ranks, all of it allocated by the first. */
static enum iris_status
allocate_window(size_t bytes, MPI_Comm node, MPI_Win *window, void **memory, struct iris_err *err)
{
    enum iris_status st;
    MPI_Aint size;
    int rank, unit;

    MPI_Comm_set_errhandler(node, MPI_ERRORS_RETURN);
    st = checked(MPI_Comm_rank(node, &rank), "MPI_Comm_rank", err);
    if (!st)
        st = checked(MPI_Win_allocate_shared(rank ? 0 : (MPI_Aint)bytes, 1, MPI_INFO_NULL, node,
                                             memory, window),
                     "MPI_Win_allocate_shared", err);
    if (!st)
        st = checked(MPI_Win_shared_query(*window, 0, &size, &unit, memory), "MPI_Win_shared_query",
                     err);
    if (!st && !rank)
        atomic_init((_Atomic int *)*memory, UNTOUCHED);
    return st;
}

static enum iris_status
share(struct iris_pool *pool, size_t bytes, void **memory, int *ranks, struct iris_err *err)
{
    MPI_Win *window = &pool->shared[pool->n_shared].window;
    enum iris_status st;
    MPI_Comm node;
    int failed, any;

    st = split_nodes(&node, err);
    if (st)
        return st;
    failed = allocate_window(bytes, node, window, memory, NULL) != IRIS_OK;
    /* nobody looks at the state before it is set */
    st = checked(MPI_Allreduce(&failed, &any, 1, MPI_INT, MPI_MAX, node), "MPI_Allreduce", err);
    if (!st)
        st = checked(MPI_Comm_size(node, ranks), "MPI_Comm_size", err);
    MPI_Comm_free(&node);
    if (!st && any)
        *memory = NULL;
    return st;
}

enum iris_status
iris_pool_share(struct iris_pool *pool, size_t bytes, struct iris_shared *s, struct iris_err *err)
{
    enum iris_status st = IRIS_OK;
    void *memory = NULL;

    *s = (struct iris_shared){0};
    if (pool->n_shared == SHARED_MAX || bytes > SIZE_MAX - LINE)
        return iris_fail(err, IRIS_E_BUG, "cannot share %zu bytes", bytes);
    if (pool->launched)
        st = share(pool, bytes + LINE, &memory, &s->ranks, err);
    if (st)
        return st;
    if (!memory) {
        s->own = s->ranks = 1;
        memory = pool->shared[pool->n_shared].own = calloc(1, bytes + LINE);
        if (!memory)
            return iris_fail_memory(err);
    }
    pool->n_shared++;
    s->state = memory;
    s->memory = (char *)memory + LINE;
    return IRIS_OK;
}

int
iris_shared_begin(struct iris_shared *s, int (*pause)(void *), void *pause_self)
{
    _Atomic int *state = s->state;
    int is = UNTOUCHED;
    unsigned idle = 0;

    if (atomic_compare_exchange_strong(state, &is, MAKING))
        return 1;
    while ((is = atomic_load(state)) == MAKING) {
        if (pause && pause(pause_self))
            return -2;
        iris_pool_nap(&idle);
    }
    return is == MADE ? 0 : -1;
}

void
iris_shared_done(struct iris_shared *s, int made)
{
    atomic_store((_Atomic int *)s->state, made ? MADE : BROKEN);
}

void
iris_pool_nap(unsigned *idle)
{
    static const long shortest = 20000, longest = 2000000; /* ns */
    unsigned shift = *idle / 16 < 7 ? *idle / 16 : 7;
    struct timespec t = {0, shortest << shift};

    if (t.tv_nsec > longest)
        t.tv_nsec = longest;
    (*idle)++;
    nanosleep(&t, NULL);
}

void
iris_pool_finish(struct iris_pool *pool)
{
    size_t i;

    if (!pool)
        return;
    for (i = 0; i < pool->n_shared; i++) {
        if (pool->shared[i].own)
            free(pool->shared[i].own);
        else
            MPI_Win_free(&pool->shared[i].window);
    }
    if (pool->launched) {
        MPI_Finalize();
        iris_backing_end(&pool->backing);
    }
    free(pool);
}

void
iris_pool_abort(struct iris_pool *pool, int status)
{
    if (pool->launched)
        MPI_Abort(MPI_COMM_WORLD, status);
}
