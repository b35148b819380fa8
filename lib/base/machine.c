#define _GNU_SOURCE /* sched_getaffinity */
#include "machine.h"

#include <ctype.h>
#include <dirent.h>
#include <errno.h>
#include <sched.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/statvfs.h>
#include <unistd.h>

#include "buf.h"
#include "file.h"
#include "num.h"

enum { TEXT_MAX = 1 << 20, KIB = 1024 };

/* The whole of DIR NAME, which is empty when there is none. */
static void
read_text(struct iris_buf *text, const char *dir, const char *name)
{
    char *path = iris_format("%s%s", dir, name);

    if (!path || iris_read_file(path, TEXT_MAX, text, NULL))
        iris_buf_clear(text);
    free(path);
}

/* The number in the line that begins with key; text may end at any byte. */
static int
find_number(const char *text, const char *key, uint64_t *v)
{
    size_t len = strlen(key);
    const char *line = text;
    char digits[24];
    size_t n;

    while (strncmp(line, key, len) != 0) {
        line = strchr(line, '\n');
        if (!line)
            return -1;
        line++;
    }
    line += len;
    line += strspn(line, " \t");
    n = strspn(line, "0123456789");
    if (n >= sizeof digits || !strchr(" \n", line[n]))
        return -1;
    memcpy(digits, line, n);
    digits[n] = '\0';
    return iris_parse_u64(digits, v);
}

static int
read_number(const char *dir, const char *name, const char *key, uint64_t *v)
{
    struct iris_buf text = {0};
    int failed;

    read_text(&text, dir, name);
    failed = find_number(iris_buf_str(&text), key, v);
    iris_buf_release(&text);
    return failed;
}

static int
read_kib(const char *root, const char *name, const char *key, uint64_t *bytes)
{
    uint64_t kib;

    if (read_number(root, name, key, &kib) || kib > UINT64_MAX / KIB)
        return -1;
    *bytes = kib * KIB;
    return 0;
}

/* Bytes in all, and those that are free; UINT64_MAX: as many as one likes. */
struct room {
    uint64_t all, left;
};

static void
narrow(uint64_t *least, uint64_t bytes)
{
    if (bytes < *least)
        *least = bytes;
}

/* How a version of control groups calls things. */
struct version {
    const char *mount, *limit, *usage, *inactive;
};
static const struct version one = {"/sys/fs/cgroup/memory", "/memory.limit_in_bytes",
                                   "/memory.usage_in_bytes", "total_inactive_file "};
static const struct version two = {"/sys/fs/cgroup", "/memory.max", "/memory.current",
                                   "inactive_file "};

static void
look_at_group(struct room *room, const struct version *is, const char *dir)
{
    uint64_t limit, usage = 0, inactive = 0;

    if (read_number(dir, is->limit, "", &limit))
        return; /* "max", or no group */
    read_number(dir, is->usage, "", &usage);
    read_number(dir, "/memory.stat", is->inactive, &inactive);
    usage -= inactive < usage ? inactive : usage;
    narrow(&room->all, limit);
    narrow(&room->left, usage < limit ? limit - usage : 0);
}

/* Every group from the one with that name up to the mount. A container may see a
 * mount in which the name is not: then what is there are its own groups. */
static void
look_at_groups(struct room *room, const struct version *is, const char *root, const char *name)
{
    char *dir = iris_format("%s%s%s", root, is->mount, strstr(name, "/..") ? "" : name);
    size_t top = strlen(root) + strlen(is->mount);

    while (dir) {
        look_at_group(room, is, dir);
        if (strlen(dir) <= top)
            break;
        *strrchr(dir, '/') = '\0';
    }
    free(dir);
}

/* Is "memory" one of the words between commas? */
static int
has_memory(const char *words, size_t len)
{
    static const char word[] = "memory";
    size_t n;

    for (; len; words += n, len -= n) {
        n = strcspn(words, ",:");
        if (n == sizeof word - 1 && !memcmp(words, word, n))
            return 1;
        n += n < len;
    }
    return 0;
}

/* A line of /proc/self/cgroup is NUMBER:CONTROLLERS:/NAME */
static void
look_at_line(struct room *room, const char *root, const char *line)
{
    const char *words = strchr(line, ':');
    const char *name = words ? strchr(words + 1, ':') : NULL;

    if (!name || name[1] != '/')
        return;
    words++;
    if (words == name)
        look_at_groups(room, &two, root, name + 1);
    else if (has_memory(words, (size_t)(name - words)))
        look_at_groups(room, &one, root, name + 1);
}

static struct room
find_room(const char *root)
{
    struct room room = {UINT64_MAX, UINT64_MAX};
    struct iris_buf text = {0};
    uint64_t bytes;
    char *line, *next;

    if (!read_kib(root, "/proc/meminfo", "MemTotal:", &bytes))
        room.all = room.left = bytes;
    if (!read_kib(root, "/proc/meminfo", "MemAvailable:", &bytes))
        narrow(&room.left, bytes);
    read_text(&text, root, "/proc/self/cgroup");
    for (line = text.data; line && *line; line = next) {
        next = line + strcspn(line, "\n");
        if (*next)
            *next++ = '\0';
        look_at_line(&room, root, line);
    }
    iris_buf_release(&text);
    return room;
}

uint64_t
iris_machine_memory_at(const char *root)
{
    struct room room = find_room(root);

    return room.all == UINT64_MAX ? 0 : room.all;
}

uint64_t
iris_machine_memory(void)
{
    return iris_machine_memory_at("");
}

uint64_t
iris_machine_memory_free_at(const char *root)
{
    struct room room = find_room(root);

    if (room.left == UINT64_MAX)
        return 0;
    return room.left ? room.left : 1;
}

uint64_t
iris_machine_memory_free(void)
{
    return iris_machine_memory_free_at("");
}

size_t
iris_machine_processors(void)
{
    cpu_set_t set;
    long n;

    if (!sched_getaffinity(0, sizeof set, &set))
        return (size_t)CPU_COUNT(&set);
    /* there are more than the set has room for */
    n = sysconf(_SC_NPROCESSORS_ONLN);
    return n > 0 ? (size_t)n : 1;
}

/* Names in a directory that are prefix and then a number; prefix NULL: any but
 * hidden ones. */
static size_t
count_names(const char *root, const char *name, const char *prefix)
{
    size_t n = 0, len = prefix ? strlen(prefix) : 0;
    char *path = iris_format("%s%s", root, name);
    DIR *dir = path ? opendir(path) : NULL;
    const struct dirent *e;

    while (dir && (e = readdir(dir))) {
        const char *number = e->d_name + len;

        if (!prefix)
            n += e->d_name[0] != '.';
        else if (!strncmp(e->d_name, prefix, len))
            n += *number && number[strspn(number, "0123456789")] == '\0';
    }
    if (dir)
        closedir(dir);
    free(path);
    return n;
}

size_t
iris_machine_gpus_at(const char *root)
{
    size_t n = count_names(root, "/proc/driver/nvidia/gpus", NULL);

    return n ? n : count_names(root, "/dev", "nvidia");
}

size_t
iris_machine_gpus(void)
{
    return iris_machine_gpus_at("");
}

/* The line "Model: NAME" of a file. */
static int
read_model(const char *dir, const char *name, char *model, size_t size)
{
    static const char key[] = "Model:";
    struct iris_buf text = {0};
    const char *line;
    size_t n;

    read_text(&text, dir, name);
    line = strstr(iris_buf_str(&text), key);
    if (line) {
        line += sizeof key - 1;
        line += strspn(line, " \t");
        n = strcspn(line, "\n");
        snprintf(model, size, "%.*s", (int)n, line);
    }
    iris_buf_release(&text);
    return *model ? 0 : -1;
}

/* The order of a directory is nothing to rely on: the first by name. */
int
iris_machine_gpu_model_at(const char *root, char *model, size_t size)
{
    char *path = iris_format("%s/proc/driver/nvidia/gpus", root), *name;
    DIR *dir = path ? opendir(path) : NULL;
    char first[256] = "";
    const struct dirent *e;

    *model = '\0';
    while (dir && (e = readdir(dir))) {
        if (e->d_name[0] != '.' && (!*first || strcmp(e->d_name, first) < 0))
            snprintf(first, sizeof first, "%s", e->d_name);
    }
    if (dir)
        closedir(dir);
    name = *first ? iris_format("/%s/information", first) : NULL;
    if (name)
        read_model(path, name, model, size);
    free(name);
    free(path);
    return *model ? 0 : -1;
}

int
iris_machine_gpu_model(char *model, size_t size)
{
    return iris_machine_gpu_model_at("", model, size);
}

uint64_t
iris_process_peak_at(const char *root)
{
    struct rusage usage;
    uint64_t bytes;

    if (!read_kib(root, "/proc/self/status", "VmHWM:", &bytes))
        return bytes;
    return getrusage(RUSAGE_SELF, &usage) ? 0 : (uint64_t)usage.ru_maxrss * KIB;
}

uint64_t
iris_process_peak(void)
{
    return iris_process_peak_at("");
}

uint64_t
iris_process_own_at(const char *root)
{
    uint64_t anonymous, files;

    if (read_kib(root, "/proc/self/status", "RssAnon:", &anonymous) ||
        read_kib(root, "/proc/self/status", "RssFile:", &files))
        return 0;
    return anonymous + files;
}

uint64_t
iris_process_own(void)
{
    return iris_process_own_at("");
}

int
iris_disk_free(const char *path, uint64_t *bytes)
{
    char *above = NULL, *next;
    struct statvfs fs;
    int failed;

    while ((failed = statvfs(above ? above : path, &fs)) && (errno == ENOENT || errno == ENOTDIR)) {
        const char *at = above ? above : path;

        if (!*at || !strcmp(at, ".") || !strcmp(at, "/"))
            break;
        next = iris_file_parent(at);
        free(above);
        above = next;
        if (!above)
            return -1;
    }
    free(above);
    if (!failed)
        *bytes = (uint64_t)fs.f_bavail * fs.f_frsize;
    return failed ? -1 : 0;
}
