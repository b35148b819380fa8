/* The threads of a kernel, in turns. */
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>

#include <algorithm>
#include <numeric>
#include <vector>

#include "emulate.h"
#include "emulated_state.h"
#include "fiber.h"

uint3 threadIdx, blockIdx;
dim3 blockDim, gridDim;

/* of all __shared__ variables; there may be none */
extern "C" char __start_emulated_shared[] __attribute__((weak));
extern "C" char __stop_emulated_shared[] __attribute__((weak));

namespace
{
enum { STACK = 256 << 10, WARP = 32, MOST = 1024 };
enum state { READY, WAITING, DONE };

struct barrier {
    emulated_sum sum;
    int predicate;
    const char *file;
    int line;
};

struct member {
    fiber at;
    uint3 index;
    enum state state;
    struct barrier barrier; /* waits there */
    int answer;             /* of the barrier it left */
};

struct {
    pthread_mutex_t lock;
    const char *kernel;
    void (*thread)(void *);
    void *arguments;
    fiber scheduler;
    std::vector<member> block; /* with stacks for as many as ever were */
    size_t n;                  /* members that the block has */
    member *current;
    uint64_t random;              /* 0: all in order, */
    std::vector<size_t> order[2]; /* of blocks, of threads */
} run = {PTHREAD_MUTEX_INITIALIZER, nullptr, nullptr, nullptr, {}, {}, 0, nullptr, 0, {}};

uint64_t
draw(uint64_t below)
{
    uint64_t z = run.random += UINT64_C(0x9E3779B97F4A7C15);

    z = (z ^ (z >> 30)) * UINT64_C(0xBF58476D1CE4E5B9);
    z = (z ^ (z >> 27)) * UINT64_C(0x94D049BB133111EB);
    return (z ^ (z >> 31)) % below;
}

void
set_order(std::vector<size_t> &at, size_t n)
{
    if (at.size() == n && !run.random)
        return;
    at.resize(n);
    std::iota(at.begin(), at.end(), (size_t)0);
    for (size_t i = n; run.random && i > 1; i--)
        std::swap(at[i - 1], at[draw(i)]);
}

uint3
place(size_t i, const dim3 &of)
{
    return {(unsigned)(i % of.x), (unsigned)(i / of.x % of.y), (unsigned)(i / of.x / of.y)};
}

/* ---- what is wrong ---- */

void
say_where()
{
    fprintf(stderr, "emulate: iris_launch(%s): block (%u, %u, %u): ", run.kernel, blockIdx.x,
            blockIdx.y, blockIdx.z);
}

[[noreturn]] void
die_apart(const member &waits, const member &other)
{
    say_where();
    fprintf(stderr, "thread (%u, %u, %u) waits at %s:%d, thread (%u, %u, %u) ", waits.index.x,
            waits.index.y, waits.index.z, waits.barrier.file, waits.barrier.line, other.index.x,
            other.index.y, other.index.z);
    if (other.state == DONE)
        fprintf(stderr, "has ended and never reaches it\n");
    else
        fprintf(stderr, "at %s:%d\n", other.barrier.file, other.barrier.line);
    abort();
}

/* ---- barriers ---- */

bool
same_barrier(const member &a, const member &b)
{
    return b.state == WAITING && a.barrier.sum == b.barrier.sum &&
           a.barrier.line == b.barrier.line &&
           (a.barrier.file == b.barrier.file || !strcmp(a.barrier.file, b.barrier.file));
}

/* The first of members first to last that does not wait where the first of them does. */
size_t
apart(size_t first, size_t last)
{
    size_t i = first + 1;

    while (i < last && same_barrier(run.block[first], run.block[i]))
        i++;
    return i;
}

void
release(size_t first, size_t last)
{
    emulated_sum sum = run.block[first].barrier.sum;
    int count = 0, all = (int)(last - first);

    for (size_t i = first; i < last; i++)
        count += run.block[i].barrier.predicate != 0;
    for (size_t i = first; i < last; i++) {
        run.block[i].answer = sum == EMULATED_COUNT ? count
                              : sum == EMULATED_AND ? count == all
                                                    : count > 0;
        run.block[i].state = READY;
    }
}

/* All that are left wait: let a barrier's threads go on. */
void
release_some()
{
    bool any = false;
    size_t first = 0, i;

    for (first = 0; first < run.n; first += WARP) {
        size_t last = std::min(first + WARP, run.n);

        if (run.block[first].state == WAITING && run.block[first].barrier.sum == EMULATED_WARP &&
            apart(first, last) == last) {
            release(first, last);
            any = true;
        }
    }
    if (any)
        return;
    for (first = 0; run.block[first].state != WAITING; first++)
        ;
    if (first > 0)
        die_apart(run.block[first], run.block[0]);
    i = apart(0, run.n);
    if (i < run.n)
        die_apart(run.block[0], run.block[i]);
    release(0, run.n);
}

/* ---- blocks ---- */

void
body()
{
    fiber_entered(&run.scheduler);
    run.thread(run.arguments);
    run.current->state = DONE;
    fiber_leave(&run.current->at, &run.scheduler);
}

void
resume(member *m)
{
    run.current = m;
    threadIdx = m->index;
    fiber_switch(&run.scheduler, &m->at);
    run.current = nullptr;
}

void
run_block()
{
    size_t done = 0;

    if (__start_emulated_shared)
        memset(__start_emulated_shared, EMULATED_GARBAGE,
               (size_t)(__stop_emulated_shared - __start_emulated_shared));
    for (size_t i = 0; i < run.n; i++) {
        member *m = &run.block[i];

        m->index = place(i, blockDim);
        m->state = READY;
        fiber_begin(&m->at, body);
    }
    while (done < run.n) {
        size_t ready = 0;

        set_order(run.order[1], run.n);
        for (size_t i : run.order[1]) {
            member *m = &run.block[i];

            if (m->state != READY)
                continue;
            resume(m);
            done += m->state == DONE;
            ready += m->state == READY;
        }
        if (!ready && done < run.n)
            release_some();
    }
}

void
make_room(size_t n)
{
    size_t have = run.block.size();

    if (n > have)
        run.block.resize(n);
    for (size_t i = have; i < n; i++) {
        if (!fiber_init(&run.block[i].at, STACK)) {
            perror("emulate: no stack for a thread");
            abort();
        }
    }
    run.n = n;
}
} // namespace

int
emulated_barrier(emulated_sum sum, int predicate, const char *file, int line)
{
    member *m = run.current;

    m->barrier = {sum, predicate, file, line};
    m->state = WAITING;
    fiber_switch(&m->at, &run.scheduler);
    return m->answer;
}

void
emulated_turn()
{
    member *m = run.current;

    if (m && run.random && draw(4) == 0)
        fiber_switch(&m->at, &run.scheduler);
}

bool
emulated_fits(const dim3 &grid, const dim3 &block)
{
    bool some = grid.x && grid.y && grid.z && block.x && block.y && block.z;

    return some && grid.x <= 0x7fffffff && grid.y <= 65535 && grid.z <= 65535 && block.z <= 64 &&
           (size_t)block.x * block.y * block.z <= MOST;
}

void
emulated_run(const char *kernel, dim3 grid, dim3 block, void (*thread)(void *), void *arguments,
             uint64_t random)
{
    pthread_mutex_lock(&run.lock);
    run.kernel = kernel;
    run.thread = thread;
    run.arguments = arguments;
    run.random = random;
    gridDim = grid;
    blockDim = block;
    make_room((size_t)block.x * block.y * block.z);
    run.order[1].clear();
    run.order[0].clear();
    set_order(run.order[0], (size_t)grid.x * grid.y * grid.z);
    for (size_t i : run.order[0]) {
        blockIdx = place(i, grid);
        run_block();
    }
    pthread_mutex_unlock(&run.lock);
}
