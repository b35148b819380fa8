#define _GNU_SOURCE /* sched_setaffinity */
/* What a machine has: planted trees of /proc, /sys and /dev, and this one. */
#include "check.h"

#include <sched.h>
#include <stdint.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <sys/statvfs.h>
#include <unistd.h>

#include "file.h"
#include "machine.h"

#define V1 "/sys/fs/cgroup/memory"
#define V2 "/sys/fs/cgroup"
enum { KIB = 1024, MANY = 1 << 24 };

static char scratch[512], root[600];

/* A new tree. */
static void
plant(void)
{
    static int n;

    snprintf(root, sizeof root, "%s/tree%d", scratch, ++n);
}

static void
put(const char *name, const char *text)
{
    char path[1024], *slash;

    snprintf(path, sizeof path, "%s%s", root, name);
    slash = strrchr(path, '/');
    *slash = '\0';
    if (iris_mkdirs(path, NULL))
        exit(2);
    *slash = '/';
    if (iris_write_file(path, text, strlen(text), NULL))
        exit(2);
}

/* 1000 KiB, of which 800 are free, and a process in these groups. */
static void
plant_machine(const char *groups)
{
    plant();
    put("/proc/meminfo", "MemTotal:           1000 kB\nMemFree:             100 kB\n"
                         "MemAvailable:        800 kB\n");
    if (groups)
        put("/proc/self/cgroup", groups);
}

static void
check_memory(uint64_t all, uint64_t left, const char *what)
{
    uint64_t a = iris_machine_memory_at(root), f = iris_machine_memory_free_at(root);

    CHECK(a == all, "%s: %llu bytes in all", what, (unsigned long long)a);
    CHECK(f == left, "%s: %llu bytes are free", what, (unsigned long long)f);
}

static void
test_no_group(void)
{
    plant();
    check_memory(0, 0, "nothing is known");
    plant_machine(NULL);
    check_memory(1000 * KIB, 800 * KIB, "no control groups");
    plant_machine("0::/a\n");
    check_memory(1000 * KIB, 800 * KIB, "a group without files");
    plant();
    put("/proc/meminfo", "MemTotal: 1000 kB\n");
    check_memory(1000 * KIB, 1000 * KIB, "no MemAvailable");
    plant();
    put("/proc/meminfo", "MemTotal: lots\nMemAvailable:\n");
    check_memory(0, 0, "damaged meminfo");
    plant();
    put("/proc/meminfo",
        "MemTotal: 99999999999999999999 kB\nMemAvailable: 18446744073709551615 kB");
    check_memory(0, 0, "numbers too large");
}

static void
test_second_version(void)
{
    plant_machine("0::/job/step\n");
    put(V2 "/job/step/memory.max", "max\n");
    put(V2 "/job/step/memory.current", "409600\n");
    put(V2 "/job/memory.max", "512000\n");
    put(V2 "/job/memory.current", "409600\n");
    put(V2 "/job/memory.stat", "anon 1\nactive_file 3\ninactive_file 102400\nslab 5\n");
    check_memory(512000, 512000 - 409600 + 102400, "a limit above");

    put(V2 "/job/step/memory.max", "307200\n");
    put(V2 "/job/step/memory.current", "1024\n");
    check_memory(307200, 512000 - 409600 + 102400, "two limits, each the least of its kind");

    put(V2 "/job/step/memory.current", "307000\n");
    check_memory(307200, 200, "nearly full");
    put(V2 "/job/step/memory.current", "307201\n");
    check_memory(307200, 1, "full is not the same as not known");
    put(V2 "/job/step/memory.stat", "inactive_file 999999\n");
    check_memory(307200, 512000 - 409600 + 102400, "more inactive than used");

    plant_machine("0::/job\n");
    put(V2 "/job/memory.max", "2048000\n");
    check_memory(1000 * KIB, 800 * KIB, "more is allowed than there is");
    put(V2 "/job/memory.max", "409600\n");
    check_memory(409600, 409600, "usage is not known");
}

static void
test_first_version(void)
{
    plant_machine("5:devices:/other\n4:cpu,memory,net:/slurm/job_1\n1:name=systemd:/\n0::/\n");
    put(V1 "/slurm/job_1/memory.limit_in_bytes", "204800\n");
    put(V1 "/slurm/job_1/memory.usage_in_bytes", "102400\n");
    put(V1 "/slurm/job_1/memory.stat", "inactive_file 7\ntotal_inactive_file 2400\n");
    put(V1 "/memory.limit_in_bytes", "9223372036854771712\n");
    put(V1 "/memory.usage_in_bytes", "999999999\n");
    check_memory(204800, 204800 - 102400 + 2400, "first version");

    plant_machine("4:memoryless,xmemory:/a\n3:cpu:/a\n");
    put(V1 "/a/memory.limit_in_bytes", "204800\n");
    check_memory(1000 * KIB, 800 * KIB, "a controller with another name");
}

/* What a container sees is not what its groups are called outside. */
static void
test_container(void)
{
    plant_machine("0::/docker/1234\n");
    put(V2 "/memory.max", "102400\n");
    put(V2 "/memory.current", "2400\n");
    check_memory(102400, 100000, "its own group is the mount");
    plant_machine("0::/../../job\n");
    put(V2 "/memory.max", "102400\n");
    put("/sys/job/memory.max", "1\n");
    check_memory(102400, 102400, "a name above the mount is not followed");
}

static void
test_garbage(void)
{
    static const char *const lines[] = {
        "", "\n\n", "0", "0:", "0::", "0::job", ":::::", "4:memory:", "4:memory", "::\n:,,:/job\n",
    };
    size_t i;

    for (i = 0; i < sizeof lines / sizeof lines[0]; i++) {
        plant_machine(lines[i]);
        put(V2 "/job/memory.max", "1\n");
        check_memory(1000 * KIB, 800 * KIB, "damaged list of groups");
    }
    plant_machine("0::/job\n");
    put(V2 "/job/memory.max", "12potatoes\n");
    check_memory(1000 * KIB, 800 * KIB, "no number");
    put(V2 "/job/memory.max", "-1\n");
    check_memory(1000 * KIB, 800 * KIB, "a negative number");
    put(V2 "/job/memory.max", "");
    check_memory(1000 * KIB, 800 * KIB, "an empty file");
}

static void
test_gpus(void)
{
    char model[64] = "x";

    plant();
    CHECK(iris_machine_gpus_at(root) == 0, "no GPUs");
    put("/dev/nvidiactl", "");
    put("/dev/nvidia-uvm", "");
    put("/dev/nvidia", "");
    CHECK(iris_machine_gpus_at(root) == 0, "devices that are no GPUs");
    put("/dev/nvidia0", "");
    put("/dev/nvidia11", "");
    CHECK(iris_machine_gpus_at(root) == 2, "two devices");
    CHECK(iris_machine_gpu_model_at(root, model, sizeof model) == -1 && !*model,
          "of which nobody knows the name");
    put("/proc/driver/nvidia/gpus/0000:65:00.0/information", "");
    put("/proc/driver/nvidia/gpus/0000:b3:00.0/information", "");
    put("/proc/driver/nvidia/gpus/0000:ca:00.0/information", "");
    CHECK(iris_machine_gpus_at(root) == 3, "three that the driver has");
    CHECK(iris_machine_gpu_model_at(root, model, sizeof model) == -1, "without a name");
    put("/proc/driver/nvidia/gpus/0000:b3:00.0/information", "Model: \t\t NVIDIA B\nIRQ: 1\n");
    put("/proc/driver/nvidia/gpus/0000:65:00.0/information",
        "Device Minor: 0\nModel: \t\t NVIDIA A 80GB\nIRQ: 1\n");
    CHECK(!iris_machine_gpu_model_at(root, model, sizeof model) && !strcmp(model, "NVIDIA A 80GB"),
          "the first has the name '%s'", model);
    CHECK(!iris_machine_gpu_model_at(root, model, 7) && !strcmp(model, "NVIDIA"), "cut: '%s'",
          model);
}

static void
test_processors(void)
{
    cpu_set_t before, one;
    size_t i;

    CHECK(iris_machine_processors() >= 1, "there is a processor");
    if (sched_getaffinity(0, sizeof before, &before)) {
        check_skip("processors of this process", "sched_getaffinity does not work");
        return;
    }
    CHECK(iris_machine_processors() == (size_t)CPU_COUNT(&before), "those that may be used");
    for (i = 0; !CPU_ISSET(i, &before); i++)
        ;
    CPU_ZERO(&one);
    CPU_SET(i, &one);
    CHECK(!sched_setaffinity(0, sizeof one, &one) && iris_machine_processors() == 1, "only one");
    sched_setaffinity(0, sizeof before, &before);
}

static void
test_peak(void)
{
    uint64_t before, after;
    volatile char *memory;
    size_t i;

    plant();
    put("/proc/self/status", "VmPeak:\t  9 kB\nVmHWM:\t   1234 kB\nVmRSS:\t 7 kB\n");
    CHECK(iris_process_peak_at(root) == 1234 * KIB, "as the kernel writes it");
    plant();
    CHECK(iris_process_peak_at(root) > 0, "without /proc");
    before = iris_process_peak();
    memory = malloc(MANY);
    if (!memory)
        exit(2);
    for (i = 0; i < MANY; i += KIB)
        memory[i] = 1;
    after = iris_process_peak();
    CHECK(before > 0 && after >= before + MANY / 2, "%llu, then %llu bytes",
          (unsigned long long)before, (unsigned long long)after);
    free((void *)(uintptr_t)memory);
    CHECK(iris_process_peak() >= before + MANY / 2, "a peak stays");
}

static void
test_own(void)
{
    volatile char *memory;
    uint64_t before;
    size_t i;

    plant();
    put("/proc/self/status",
        "VmRSS:\t 123 kB\nRssAnon:\t  10 kB\nRssFile:\t 5 kB\nRssShmem:\t 108 kB\n");
    CHECK(iris_process_own_at(root) == 15 * KIB, "what is shared with others is not its own");
    put("/proc/self/status", "VmRSS:\t 123 kB\n");
    CHECK(iris_process_own_at(root) == 0, "a kernel that does not tell it apart");
    before = iris_process_own();
    memory = malloc(MANY);
    if (!memory)
        exit(2);
    for (i = 0; i < MANY; i += KIB)
        memory[i] = 1;
    CHECK(before > 0 && iris_process_own() >= before + MANY / 2, "it grows with what is used");
    free((void *)(uintptr_t)memory);
}

/* Others write on that disk meanwhile. */
static void
check_disk(const char *path)
{
    struct statvfs fs;
    uint64_t bytes = 0;
    double there;

    if (statvfs(scratch, &fs))
        exit(2);
    there = (double)fs.f_bavail * (double)fs.f_frsize;
    CHECK(!iris_disk_free(path, &bytes) && fabs((double)bytes - there) <= 0.2 * there + MANY,
          "%llu bytes free at '%s'", (unsigned long long)bytes, path);
}

static void
test_disk(void)
{
    char path[1024], long_name[5000];
    uint64_t bytes = 7;

    plant();
    put("/file", "x");
    check_disk(root);
    snprintf(path, sizeof path, "%s/not/there/yet", root);
    check_disk(path);
    snprintf(path, sizeof path, "%s//not/", root);
    check_disk(path);
    snprintf(path, sizeof path, "%s/file/below/a/file", root);
    check_disk(path);
    snprintf(path, sizeof path, "%s/dangling", root);
    if (symlink("nowhere", path))
        exit(2);
    check_disk(path);
    if (chdir(scratch))
        exit(2);
    check_disk("not-there");
    check_disk(".");
    CHECK(!iris_disk_free("/not-there", &bytes), "nothing but / above it");
    bytes = 7;
    memset(long_name, 'x', sizeof long_name - 1);
    long_name[sizeof long_name - 1] = '\0';
    CHECK(iris_disk_free(long_name, &bytes) && bytes == 7, "a name that cannot be");
    CHECK(iris_disk_free("", &bytes) && bytes == 7, "no name");
}

static void
test_here(void)
{
    uint64_t all = iris_machine_memory(), left = iris_machine_memory_free();

    CHECK(all > MANY && left > 0 && left <= all, "this machine: %llu of %llu bytes are free",
          (unsigned long long)left, (unsigned long long)all);
    CHECK(iris_machine_gpus() < 1000, "%zu GPUs here", iris_machine_gpus());
}

int
main(void)
{
    const char *tmp = getenv("TMPDIR");
    char command[600];

    snprintf(scratch, sizeof scratch, "%s/iris-machine-XXXXXX", tmp ? tmp : "/tmp");
    if (!mkdtemp(scratch))
        return 2;
    test_no_group();
    test_second_version();
    test_first_version();
    test_container();
    test_garbage();
    test_gpus();
    test_processors();
    test_peak();
    test_own();
    test_disk();
    test_here();
    snprintf(command, sizeof command, "rm -rf '%s'", scratch);
    if (system(command))
        return 2;
    return check_done();
}
