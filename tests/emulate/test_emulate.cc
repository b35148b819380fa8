/* The emulator of CUDA: does it find what it is for? */
#include "emulate.h"

#include <signal.h>
#include <stdlib.h>
#include <sys/resource.h>
#include <sys/wait.h>
#include <unistd.h>

#include <vector>

#include "check.h"

template <class T>
static T *
allocated(size_t n)
{
    T *p = nullptr;

    if (cudaMalloc(&p, n * sizeof(T)))
        exit(1);
    return p;
}

template <class T>
static std::vector<T>
taken(const T *p, size_t n)
{
    std::vector<T> v(n);

    cudaMemcpy(v.data(), p, n * sizeof(T), cudaMemcpyDeviceToHost);
    return v;
}

/* Whether a function ends the program, and with a sentence that has some words. */
static bool
dies(void (*fn)(), const char *words)
{
    char text[4096] = "";
    int pipes[2], status = 0;
    size_t n = 0;
    ssize_t got;
    pid_t pid;

    fflush(stdout);
    if (pipe(pipes) || (pid = fork()) < 0)
        exit(1);
    if (!pid) {
        struct rlimit none = {0, 0};

        setrlimit(RLIMIT_CORE, &none);
        dup2(pipes[1], 2);
        close(pipes[0]);
        emulated_again();
        fn();
        _exit(0);
    }
    close(pipes[1]);
    while (n < sizeof text - 1 && (got = read(pipes[0], text + n, sizeof text - 1 - n)) > 0)
        n += (size_t)got;
    close(pipes[0]);
    waitpid(pid, &status, 0);
    text[n] = 0;
    if (strstr(text, words))
        return !WIFEXITED(status) || WEXITSTATUS(status) != 0;
    printf("# wanted '%s', got '%s'\n", words, text);
    return false;
}

/* ---- threads and barriers ---- */

static __global__ void
number_all(unsigned *out, unsigned *sum)
{
    unsigned block = blockIdx.x + gridDim.x * (blockIdx.y + gridDim.y * blockIdx.z);
    unsigned thread = threadIdx.x + blockDim.x * (threadIdx.y + blockDim.y * threadIdx.z);
    unsigned n = blockDim.x * blockDim.y * blockDim.z;

    out[block * n + thread] = block * n + thread;
    atomicAdd(sum, 1U);
}

static void
test_numbers()
{
    const size_t n = 2 * 3 * 4 * 5 * 6 * 7;
    unsigned *out = allocated<unsigned>(n), *sum = allocated<unsigned>(1);
    bool right = true;

    cudaMemset(sum, 0, sizeof *sum);
    cudaError_t e = iris_launch(number_all, dim3(2, 3, 4), dim3(5, 6, 7), nullptr, out, sum);
    std::vector<unsigned> v = taken(out, n);
    for (size_t i = 0; i < n; i++)
        right = right && v[i] == i;
    CHECK(!e && right && taken(sum, 1)[0] == n, "every thread of every block runs once");
    cudaFree(out);
    cudaFree(sum);
}

/* Sums in a tree; without a barrier each thread reads what another has yet to write. */
static __global__ void
sum_tree(const int *in, int *out, int with_barrier)
{
    __shared__ unsigned part[64]; /* unsigned: what is garbage may overflow */

    part[threadIdx.x] = (unsigned)in[threadIdx.x];
    for (unsigned half = 32; half > 0; half /= 2) {
        if (with_barrier)
            __syncthreads();
        if (threadIdx.x < half)
            part[threadIdx.x] += part[threadIdx.x + half];
    }
    if (threadIdx.x == 0)
        out[blockIdx.x] = (int)part[0];
}

static int
tree(const char *seed, int with_barrier)
{
    int *in = allocated<int>(64), *out = allocated<int>(1), host[64];

    emulated_set("IRIS_EMULATED_SEED", seed);
    for (int i = 0; i < 64; i++)
        host[i] = i;
    cudaMemcpy(in, host, sizeof host, cudaMemcpyHostToDevice);
    iris_launch(sum_tree, 1, 64, nullptr, in, out, with_barrier);
    int sum = taken(out, 1)[0];
    cudaFree(in);
    cudaFree(out);
    emulated_set("IRIS_EMULATED_SEED", nullptr);
    return sum;
}

static __global__ void
vote(int *out)
{
    int me = (int)threadIdx.x;
    int some = __syncthreads_or(me == 3), none = __syncthreads_or(0);
    int all = __syncthreads_and(me >= 0), not_all = __syncthreads_and(me != 3);
    int count = __syncthreads_count(me % 4 == 1);

    out[me] = (some != 0) + 2 * (none != 0) + 4 * (all != 0) + 8 * (not_all != 0) + 16 * count;
}

static __global__ void
pass_on(int *out)
{
    __shared__ int last[64];
    unsigned first = threadIdx.x / 32 * 32;

    last[threadIdx.x] = (int)threadIdx.x;
    if (first == 0)
        __syncwarp();
    else
        for (int i = 0; i < 3; i++)
            __syncwarp();
    out[threadIdx.x] = last[first + 31 - threadIdx.x % 32];
}

static void
test_barriers()
{
    int *out = allocated<int>(64);
    bool right = true;

    CHECK(tree(nullptr, 1) == 2016 && tree("7", 1) == 2016, "a tree with barriers sums");
    CHECK(tree(nullptr, 0) != 2016 && tree("7", 0) != 2016, "without barriers it does not");
    iris_launch(vote, 1, 40, nullptr, out);
    for (int i : taken(out, 40))
        right = right && i == 1 + 4 + 16 * 10;
    CHECK(right, "barriers that vote");
    iris_launch(pass_on, 1, 64, nullptr, out);
    for (int i = 0; i < 64; i++)
        right = right && taken(out, 64)[(size_t)i] == i / 32 * 32 + 31 - i % 32;
    CHECK(right, "warps wait apart");
    cudaFree(out);
}

static __global__ void
end_early()
{
    if (threadIdx.x != 2)
        __syncthreads();
}

static __global__ void
wait_apart()
{
    if (threadIdx.x < 2)
        __syncthreads();
    else
        __syncthreads();
}

static void
test_divergence()
{
    CHECK(dies([] { iris_launch(end_early, 3, 4, nullptr); },
               "iris_launch(end_early, 3, 4, nullptr): block (0, 0, 0): thread (0, 0, 0) waits at"),
          "a barrier that a thread never reaches");
    CHECK(dies([] { iris_launch(wait_apart, 1, 4, nullptr); }, "thread (2, 0, 0) at"),
          "threads at two barriers");
}

/* ---- order ---- */

static __global__ void
line_up(unsigned *order, unsigned *next)
{
    order[atomicAdd(next, 1U)] = blockIdx.x * blockDim.x + threadIdx.x;
}

static std::vector<unsigned>
order_of(const char *seed)
{
    unsigned *order = allocated<unsigned>(256), *next = allocated<unsigned>(1);

    emulated_set("IRIS_EMULATED_SEED", seed);
    cudaMemset(next, 0, sizeof *next);
    iris_launch(line_up, 16, 16, nullptr, order, next);
    std::vector<unsigned> v = taken(order, 256);
    cudaFree(order);
    cudaFree(next);
    emulated_set("IRIS_EMULATED_SEED", nullptr);
    return v;
}

static void
test_order()
{
    std::vector<unsigned> plain = order_of(nullptr), one = order_of("1"), two = order_of("2");
    unsigned long long sum = 0;
    bool counts = true, blocks = false;

    for (unsigned i = 0; i < 256; i++) {
        counts = counts && plain[i] == i;
        blocks = blocks || one[i] / 16 != i / 16;
        sum += one[i];
    }
    CHECK(counts, "without a seed in order");
    CHECK(one != plain && two != plain && one != two && sum == 255 * 128 && blocks,
          "seeds change the order of threads and blocks");
    CHECK(one == order_of("1"), "one seed is one order");
}

static __global__ void
race(int *at)
{
    int old = *at;

    atomicAdd(at + 1, 1);
    *at = old + 1;
}

static void
test_turns()
{
    int *at = allocated<int>(2);

    emulated_set("IRIS_EMULATED_SEED", "3");
    cudaMemset(at, 0, 2 * sizeof *at);
    iris_launch(race, 1, 256, nullptr, at);
    std::vector<int> v = taken(at, 2);
    CHECK(v[1] == 256 && v[0] < 256, "others get their turn at an atomic");
    cudaFree(at);
    emulated_set("IRIS_EMULATED_SEED", nullptr);
}

/* ---- garbage ---- */

static __global__ void
read_shared(unsigned *out)
{
    __shared__ unsigned word;

    out[2 * blockIdx.x] = word;
    word = 1;
    out[2 * blockIdx.x + 1] = word;
}

static void
test_garbage()
{
    unsigned *out = allocated<unsigned>(4);
    std::vector<unsigned> fresh = taken(out, 4);

    CHECK(fresh[0] == 0xa5a5a5a5U && fresh[3] == 0xa5a5a5a5U, "fresh memory is garbage");
    iris_launch(read_shared, 2, 1, nullptr, out);
    fresh = taken(out, 4);
    CHECK(fresh[0] == 0xa5a5a5a5U && fresh[2] == 0xa5a5a5a5U && fresh[1] == 1,
          "shared memory is garbage in every block");
    cudaFree(out);
}

/* ---- atomics ---- */

static __global__ void
use_atomics(int *i, unsigned *u, unsigned long long *l, float *f, double *d)
{
    int me = (int)threadIdx.x;

    atomicAdd(i, me);
    atomicMax(i + 1, me);
    atomicMin(i + 2, -me);
    atomicOr(u, 1U << me);
    atomicAnd(u + 1, ~(1U << me));
    atomicAdd(l, (unsigned long long)me << 40);
    atomicAdd(f, 0.5f);
    atomicAdd(d, 0.25);
    for (int seen = i[3], next;; seen = next) {
        next = atomicCAS(i + 3, seen, seen + 2);
        if (next == seen)
            break;
    }
    if (atomicExch(i + 4, 1) == 0)
        atomicSub(i + 5, 1);
}

static void
test_atomics()
{
    int *i = allocated<int>(6);
    unsigned *u = allocated<unsigned>(2);
    auto *l = allocated<unsigned long long>(1);
    float *f = allocated<float>(1);
    double *d = allocated<double>(1);

    cudaMemset(i, 0, 6 * sizeof *i);
    cudaMemset(u, 0, sizeof *u);
    cudaMemset(u + 1, 0xff, sizeof *u);
    cudaMemset(l, 0, sizeof *l);
    cudaMemset(f, 0, sizeof *f);
    cudaMemset(d, 0, sizeof *d);
    iris_launch(use_atomics, 1, 32, nullptr, i, u, l, f, d);
    std::vector<int> v = taken(i, 6);
    CHECK(v[0] == 496 && v[1] == 31 && v[2] == -31 && v[3] == 64 && v[4] == 1 && v[5] == -1,
          "atomics on int");
    CHECK(taken(u, 2)[0] == ~0U && taken(u, 2)[1] == 0 && taken(l, 1)[0] == 496ULL << 40,
          "atomics on unsigned");
    CHECK(taken(f, 1)[0] == 16.0f && taken(d, 1)[0] == 8.0, "atomics on float and double");
    cudaFree(i);
    cudaFree(u);
    cudaFree(l);
    cudaFree(f);
    cudaFree(d);
}

/* ---- memory ---- */

static __global__ void
write_at(char *p, long at)
{
    p[at] = 1;
}

static void
write_and_free(long at)
{
    char *p = allocated<char>(100);

    iris_launch(write_at, 1, 1, nullptr, p, at);
    cudaFree(p);
}

static void
test_faults()
{
    CHECK(dies([] { write_and_free(100); }, ""), "a write beyond the end");
    CHECK(dies([] { write_and_free(-1); }, ""), "a write before the begin");
    CHECK(!dies([] { write_and_free(99); }, ""), "the last byte may be written");
    CHECK(dies([] { cudaMemset(allocated<char>(8), 0, 9); }, "beyond what was allocated"),
          "a set beyond the end");
    CHECK(dies(
              [] {
                  char host[8] = "";
                  cudaMemcpy(host + 4, host, 4, cudaMemcpyHostToDevice);
              },
              "copied to, and not of a device"),
          "a copy to what is no device's");
    CHECK(dies(
              [] {
                  char host[8] = "";
                  iris_launch(write_at, 1, 1, nullptr, host, 0L);
              },
              "what no GPU can reach"),
          "a kernel is given a pointer of the host");
    CHECK(dies(
              [] {
                  char *p;
                  cudaMallocHost(&p, 8);
                  cudaFree(p);
              },
              "not allocated so"),
          "freed by the wrong function");
}

static void
test_memory()
{
    size_t free = 0, total = 0;
    void *p = nullptr, *q = nullptr;
    emulated_counts before;

    emulated_set("IRIS_EMULATED_MEMORY", "1000");
    before = emulated_count();
    CHECK(!cudaMalloc(&p, 600) && p, "memory that there is");
    CHECK(cudaMalloc(&q, 401) == cudaErrorMemoryAllocation && !q, "memory that there is not");
    CHECK(cudaPeekAtLastError() == cudaErrorMemoryAllocation &&
              cudaGetLastError() == cudaErrorMemoryAllocation && !cudaGetLastError(),
          "the last error is kept until it is asked for");
    CHECK(!cudaMemGetInfo(&free, &total) && free == 400 && total == 1000, "how much is free");
    CHECK(!cudaMalloc(&q, 400), "all of it");
    CHECK(emulated_count().live == before.live + 2, "what lives is counted");
    cudaFree(p);
    cudaFree(q);
    CHECK(emulated_count().live == before.live && emulated_count().peak == before.bytes + 1000,
          "and the most there was");
    emulated_set("IRIS_EMULATED_MEMORY", nullptr);
}

/* ---- devices and failures ---- */

static void
test_devices()
{
    cudaDeviceProp prop;
    char one[32], two[32];
    int n = 7;

    emulated_set("IRIS_EMULATED_GPUS", "0");
    CHECK(cudaGetDeviceCount(&n) == cudaErrorNoDevice && n == 0, "no device");
    emulated_set("IRIS_EMULATED_GPUS", "-1");
    CHECK(cudaGetDeviceCount(&n) == cudaErrorInsufficientDriver && n == 0, "an old driver");
    emulated_set("IRIS_EMULATED_GPUS", "2");
    CHECK(!cudaGetDeviceCount(&n) && n == 2, "two devices");
    CHECK(!cudaSetDevice(1) && cudaSetDevice(2) == cudaErrorInvalidDevice, "which there are");
    CHECK(!cudaGetDeviceProperties(&prop, 1) && !strcmp(prop.name, "emulated GPU 1"), "their name");
    CHECK(!cudaDeviceGetPCIBusId(one, sizeof one, 0) &&
              !cudaDeviceGetPCIBusId(two, sizeof two, 1) && strcmp(one, two) != 0,
          "where they are: %s, %s", one, two);
    CHECK(dies(
              [] {
                  emulated_again();
                  pid_t pid = fork();
                  int status = 0, devices;
                  if (!pid)
                      _exit(cudaGetDeviceCount(&devices) == cudaErrorInitializationError);
                  waitpid(pid, &status, 0);
                  _exit(WEXITSTATUS(status));
              },
              ""),
          "not after fork");
    emulated_set("IRIS_EMULATED_GPUS", nullptr);
}

static std::vector<cudaError_t>
failures(const char *fail)
{
    std::vector<cudaError_t> v;
    cudaStream_t stream;
    int *p = nullptr;
    char c = 0;

    emulated_set("IRIS_EMULATED_FAIL", nullptr);
    p = allocated<int>(1);
    cudaStreamCreateWithFlags(&stream, cudaStreamNonBlocking);
    emulated_set("IRIS_EMULATED_FAIL", fail);
    v.push_back(cudaMemsetAsync(p, 0, sizeof *p, stream));
    v.push_back(iris_launch(write_at, 1, 1, stream, (char *)p, 0));
    v.push_back(cudaMemcpyAsync(&c, p, 1, cudaMemcpyDeviceToHost, stream));
    v.push_back(cudaStreamSynchronize(stream));
    emulated_set("IRIS_EMULATED_FAIL", nullptr);
    cudaStreamDestroy(stream);
    cudaFree(p);
    return v;
}

static void
test_failures()
{
    const cudaError_t good = cudaSuccess, bad = cudaErrorLaunchFailure;
    typedef std::vector<cudaError_t> list;

    CHECK(failures(nullptr) == (list{good, good, good, good}), "nothing fails");
    CHECK(failures("2") == (list{good, bad, good, good}), "the second call fails");
    CHECK(failures("3+") == (list{good, good, bad, bad}), "all from the third on fail");
    CHECK(iris_launch(end_early, 1, dim3(32, 33), nullptr) == cudaErrorInvalidConfiguration &&
              iris_launch(end_early, 0, 1, nullptr) == cudaErrorInvalidConfiguration,
          "launches that no GPU takes");
}

static void
test_streams()
{
    cudaEvent_t from, to;
    cudaStream_t stream;
    float ms = -1;

    cudaStreamCreate(&stream);
    cudaEventCreate(&from);
    cudaEventCreate(&to);
    CHECK(cudaEventElapsedTime(&ms, from, to) == cudaErrorInvalidResourceHandle,
          "no time between events that were not recorded");
    cudaEventRecord(from, stream);
    cudaEventRecord(to, stream);
    CHECK(!cudaStreamWaitEvent(stream, from) && !cudaEventSynchronize(to) && !cudaEventQuery(to) &&
              !cudaStreamQuery(stream) && !cudaEventElapsedTime(&ms, from, to) && ms >= 0,
          "streams and events");
    cudaEventDestroy(from);
    cudaEventDestroy(to);
    cudaStreamDestroy(stream);
    cudaGetLastError();
}

int
main()
{
    unsetenv("IRIS_EMULATED_GPUS");
    unsetenv("IRIS_EMULATED_MEMORY");
    unsetenv("IRIS_EMULATED_SEED");
    unsetenv("IRIS_EMULATED_FAIL");
    test_numbers();
    test_barriers();
    test_divergence();
    test_order();
    test_turns();
    test_garbage();
    test_atomics();
    test_faults();
    test_memory();
    test_devices();
    test_failures();
    test_streams();
    return check_done();
}
