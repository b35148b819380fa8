/* The runtime: devices and memory. */
#include "emulate.h"

#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

#include <map>
#include <mutex>

#include "emulated_state.h"
#include "fiber.h"

namespace
{
/* What lies before and behind an allocation; the sanitizer has its own. */
#ifdef FIBER_ASAN
enum { ZONE = 0 };
#else
enum { ZONE = 256 };
#endif
enum { ALIGN = 256, IN_ZONE = 0xfd, FREED = 0xdd };

struct piece {
    size_t bytes;
    int device; /* -1: pinned memory */
};

struct machine {
    std::mutex lock;
    std::map<uintptr_t, piece> pieces;
    std::map<int, size_t> used;
    emulated_counts counts;
    bool ready;
    pid_t process; /* that came first */
    int devices;
    unsigned bus;
    size_t memory; /* of each */
    uint64_t seed;
    size_t fail; /* 0: never */
    bool fail_on;
};

/* Never destroyed: threads may outlive main. */
machine &
the()
{
    static machine *m = new machine();

    return *m;
}

thread_local cudaError_t last;
thread_local int device;

cudaError_t
leave(cudaError_t e)
{
    return emulated_leave(e);
}

long long
number(const char *name, long long otherwise, const char **end)
{
    const char *text = getenv(name);
    char *rest = nullptr;
    long long n = text ? strtoll(text, &rest, 10) : otherwise;

    if (text && (rest == text || (*rest && !end))) {
        fprintf(stderr, "emulate: %s is '%s', not a number\n", name, text);
        abort();
    }
    if (end)
        *end = text ? rest : "";
    return n;
}

/* lock is held */
void
read_environment(machine &m)
{
    const char *rest;

    m.devices = (int)number("IRIS_EMULATED_GPUS", 1, nullptr);
    m.bus = (unsigned)number("IRIS_EMULATED_BUS", 0, nullptr);
    m.memory = (size_t)number("IRIS_EMULATED_MEMORY", 1LL << 34, nullptr);
    m.seed = (uint64_t)number("IRIS_EMULATED_SEED", 0, nullptr);
    m.fail = (size_t)number("IRIS_EMULATED_FAIL", 0, &rest);
    m.fail_on = *rest == '+';
    m.process = getpid();
    m.ready = true;
}

/* Whether there is a device to speak to; lock is held. */
cudaError_t
enter(machine &m)
{
    if (!m.ready)
        read_environment(m);
    if (m.devices < 0)
        return cudaErrorInsufficientDriver;
    if (m.devices == 0)
        return cudaErrorNoDevice;
    return m.process == getpid() ? cudaSuccess : cudaErrorInitializationError;
}

/* The same for calls that report what went wrong before. */
cudaError_t
enter_counted(machine &m)
{
    cudaError_t e = enter(m);

    if (e)
        return e;
    m.counts.calls++;
    if (m.fail && (m.counts.calls == m.fail || (m.fail_on && m.counts.calls > m.fail)))
        return cudaErrorLaunchFailure;
    return cudaSuccess;
}

/* ---- memory ---- */

[[noreturn]] void
die(const char *what, const void *p, size_t bytes)
{
    fprintf(stderr, "emulate: %s, %zu bytes at %p\n", what, bytes, p);
    abort();
}

/* The piece that holds an address, or NULL. */
const std::pair<const uintptr_t, piece> *
find(machine &m, const void *p)
{
    auto next = m.pieces.upper_bound((uintptr_t)p);

    if (next == m.pieces.begin())
        return nullptr;
    --next;
    return (uintptr_t)p - next->first <= next->second.bytes ? &*next : nullptr;
}

/* A range that must lie within one piece, of a device where it is said so. */
void
check_range(machine &m, const char *what, const void *p, size_t bytes, bool of_device)
{
    auto *found = find(m, p);

    if (!bytes || (!found && !of_device))
        return;
    if (!found || (of_device && found->second.device < 0))
        die(what, p, bytes);
    if (bytes > found->second.bytes - ((uintptr_t)p - found->first))
        die("goes beyond what was allocated", p, bytes);
}

cudaError_t
allocate(void **p, size_t bytes, int of)
{
    machine &m = the();
    std::lock_guard<std::mutex> hold(m.lock);
    cudaError_t e = enter_counted(m);
    char *at;

    *p = nullptr;
    if (e || !bytes)
        return leave(e);
    if (of >= 0 && bytes > m.memory - m.used[of])
        return leave(cudaErrorMemoryAllocation);
    if (posix_memalign((void **)&at, ALIGN, bytes + 2 * ZONE))
        return leave(cudaErrorMemoryAllocation);
    memset(at, IN_ZONE, ZONE);
    memset(at + ZONE, EMULATED_GARBAGE, bytes);
    memset(at + ZONE + bytes, IN_ZONE, ZONE);
    *p = at + ZONE;
    m.pieces[(uintptr_t)*p] = {bytes, of};
    m.counts.live++;
    if (of >= 0) {
        m.used[of] += bytes;
        m.counts.bytes += bytes;
        if (m.counts.bytes > m.counts.peak)
            m.counts.peak = m.counts.bytes;
    }
    return cudaSuccess;
}

void
check_zones(const unsigned char *p, size_t bytes)
{
    for (size_t i = 0; i < ZONE; i++) {
        if (p[i - ZONE] != IN_ZONE)
            die("was written before its begin", p, bytes);
        if (p[bytes + i] != IN_ZONE)
            die("was written beyond its end", p, bytes);
    }
}

cudaError_t
give_back(void *p, bool of_device)
{
    machine &m = the();
    std::lock_guard<std::mutex> hold(m.lock);
    cudaError_t e = enter(m);

    if (!p || e == cudaErrorInitializationError)
        return leave(e);
    auto found = m.pieces.find((uintptr_t)p);
    if (found == m.pieces.end() || (found->second.device >= 0) != of_device)
        die("was not allocated so and is freed", p, 0);
    piece was = found->second;
    check_zones((unsigned char *)p, was.bytes);
    memset(p, FREED, was.bytes);
    free((char *)p - ZONE);
    m.pieces.erase(found);
    m.counts.live--;
    if (of_device) {
        m.used[was.device] -= was.bytes;
        m.counts.bytes -= was.bytes;
    }
    return leave(e);
}

cudaError_t
copy(void *to, const void *from, size_t bytes, cudaMemcpyKind kind)
{
    machine &m = the();
    std::lock_guard<std::mutex> hold(m.lock);
    cudaError_t e = enter_counted(m);
    bool to_device = kind == cudaMemcpyHostToDevice || kind == cudaMemcpyDeviceToDevice;
    bool from_device = kind == cudaMemcpyDeviceToHost || kind == cudaMemcpyDeviceToDevice;

    if (e)
        return leave(e);
    check_range(m, "is copied to, and not of a device", to, bytes, to_device);
    check_range(m, "is copied from, and not of a device", from, bytes, from_device);
    if (bytes)
        memcpy(to, from, bytes);
    return cudaSuccess;
}

} // namespace

cudaError_t
emulated_leave(cudaError_t e)
{
    if (e)
        last = e;
    return e;
}

cudaError_t
emulated_enter(bool counted)
{
    machine &m = the();
    std::lock_guard<std::mutex> hold(m.lock);

    return leave(counted ? enter_counted(m) : enter(m));
}

cudaError_t
cudaMalloc(void **p, size_t bytes)
{
    return allocate(p, bytes, device);
}

cudaError_t
cudaFree(void *p)
{
    return give_back(p, true);
}

cudaError_t
cudaMallocHost(void **p, size_t bytes, unsigned)
{
    return allocate(p, bytes, -1);
}

cudaError_t
cudaFreeHost(void *p)
{
    return give_back(p, false);
}

cudaError_t
cudaMemcpy(void *to, const void *from, size_t bytes, cudaMemcpyKind kind)
{
    return copy(to, from, bytes, kind);
}

cudaError_t
cudaMemcpyAsync(void *to, const void *from, size_t bytes, cudaMemcpyKind kind, cudaStream_t)
{
    return copy(to, from, bytes, kind);
}

cudaError_t
cudaMemset(void *to, int value, size_t bytes)
{
    machine &m = the();
    std::lock_guard<std::mutex> hold(m.lock);
    cudaError_t e = enter_counted(m);

    if (e)
        return leave(e);
    check_range(m, "is set, and not of a device", to, bytes, true);
    if (bytes)
        memset(to, value, bytes);
    return cudaSuccess;
}

cudaError_t
cudaMemsetAsync(void *to, int value, size_t bytes, cudaStream_t)
{
    return cudaMemset(to, value, bytes);
}

cudaError_t
cudaMemGetInfo(size_t *free, size_t *total)
{
    machine &m = the();
    std::lock_guard<std::mutex> hold(m.lock);
    cudaError_t e = enter(m);

    *total = e ? 0 : m.memory;
    *free = e ? 0 : m.memory - m.used[device];
    return leave(e);
}

/* ---- devices ---- */

cudaError_t
cudaGetLastError()
{
    cudaError_t e = last;

    last = cudaSuccess;
    return e;
}

cudaError_t
cudaPeekAtLastError()
{
    return last;
}

cudaError_t
cudaGetDeviceCount(int *n)
{
    machine &m = the();
    std::lock_guard<std::mutex> hold(m.lock);
    cudaError_t e = enter(m);

    *n = e ? 0 : m.devices;
    return leave(e);
}

static cudaError_t
check_device(int number)
{
    machine &m = the();
    std::lock_guard<std::mutex> hold(m.lock);
    cudaError_t e = enter(m);

    return leave(e ? e : number < 0 || number >= m.devices ? cudaErrorInvalidDevice : cudaSuccess);
}

cudaError_t
cudaSetDevice(int number)
{
    cudaError_t e = check_device(number);

    if (!e)
        device = number;
    return e;
}

cudaError_t
cudaGetDevice(int *number)
{
    *number = device;
    return emulated_enter(false);
}

cudaError_t
cudaGetDeviceProperties(cudaDeviceProp *prop, int number)
{
    cudaError_t e = check_device(number);

    *prop = cudaDeviceProp{};
    if (e)
        return e;
    snprintf(prop->name, sizeof prop->name, "emulated GPU %d", number);
    prop->totalGlobalMem = the().memory;
    prop->sharedMemPerBlock = 48 << 10;
    prop->sharedMemPerMultiprocessor = 228 << 10;
    prop->multiProcessorCount = 2;
    prop->major = 9;
    prop->maxThreadsPerBlock = 1024;
    prop->warpSize = 32;
    prop->l2CacheSize = 50 << 20;
    return cudaSuccess;
}

cudaError_t
cudaDeviceGetPCIBusId(char *id, int len, int number)
{
    cudaError_t e = check_device(number);

    if (!e && snprintf(id, (size_t)len, "%04X:%02X:00.0", the().bus & 0xffff, 0x1a + number) >= len)
        return leave(cudaErrorInvalidValue);
    return e;
}

cudaError_t
cudaDeviceSynchronize()
{
    return emulated_enter(true);
}

/* ---- kernels ---- */

void
emulated_reachable(const char *kernel, const void *p)
{
    machine &m = the();
    std::lock_guard<std::mutex> hold(m.lock);

    if (!p || find(m, p))
        return;
    fprintf(stderr, "emulate: iris_launch(%s): ", kernel);
    die("an argument points to what no GPU can reach", p, 0);
}

cudaError_t
emulated_launch(const char *kernel, dim3 grid, dim3 block, void (*thread)(void *), void *arguments)
{
    uint64_t random;
    {
        machine &m = the();
        std::lock_guard<std::mutex> hold(m.lock);
        cudaError_t e = enter_counted(m);

        if (!e && !emulated_fits(grid, block))
            e = cudaErrorInvalidConfiguration;
        if (e)
            return leave(e);
        m.counts.launches++;
        random = m.seed ? (m.seed << 32) + m.counts.launches : 0;
    }
    emulated_run(kernel, grid, block, thread, arguments, random);
    return cudaSuccess;
}

/* ---- for tests ---- */

emulated_counts
emulated_count()
{
    machine &m = the();
    std::lock_guard<std::mutex> hold(m.lock);

    return m.counts;
}

void
emulated_again()
{
    machine &m = the();
    std::lock_guard<std::mutex> hold(m.lock);

    read_environment(m);
    m.counts.calls = m.counts.launches = 0;
    m.counts.peak = m.counts.bytes;
    last = cudaSuccess;
    device = 0;
}

void
emulated_set(const char *name, const char *value)
{
    if (value)
        setenv(name, value, 1);
    else
        unsetenv(name);
    emulated_again();
}
