#include <dirent.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "fetch.h"
#include "snapname.h"

int
fetch_is_same(int dir, const char *name, const struct iris_place_file *file)
{
    struct stat sb;

    return !fstatat(dir, name, &sb, AT_SYMLINK_NOFOLLOW) && S_ISREG(sb.st_mode) &&
           (uint64_t)sb.st_size == file->bytes && sb.st_mtime == (time_t)file->mtime;
}

/* Which of its files has that name; its number of files when none has. */
static uint64_t
part_of(const struct fetch *f, size_t row, const char *name)
{
    uint64_t files = f->row[row].files, k = 0;
    struct iris_buf path = {0};
    struct iris_snapname n;

    if (files > 1 && !iris_snapname_parse(name, &n) && n.is_part)
        k = n.part;
    if (k >= files || fetch_source(f, row, k, &path, NULL))
        k = files;
    if (strcmp(iris_file_name(iris_buf_str(&path)), name))
        k = files;
    iris_buf_release(&path);
    return k;
}

/* A file that is as it should be, or one that may still become so. */
static int
is_of_use(const struct fetch *f, size_t row, const struct iris_place_file *file, int dir,
          const char *name)
{
    static const char suffix[] = IRIS_TMP_SUFFIX;
    size_t n = strlen(name), s = sizeof suffix - 1;
    int is_begun = n > s && !strcmp(name + n - s, suffix), same;
    char *whole = is_begun ? strndup(name, n - s) : strdup(name);
    uint64_t k = whole ? part_of(f, row, whole) : f->row[row].files;

    same = k < f->row[row].files && fetch_is_same(dir, whole, &file[k]);
    free(whole);
    return k < f->row[row].files && same != is_begun;
}

void
fetch_tidy(const struct fetch *f, size_t row, const struct iris_place_file *file)
{
    char *path = iris_format("%s/%s", f->cache, iris_manifest_get(&f->m, row, "snapshot"));
    int fd = path ? open(path, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC) : -1;
    DIR *dir = fd < 0 ? NULL : fdopendir(fd);
    struct dirent *e;
    struct stat sb;

    while (dir && (e = readdir(dir))) {
        if (!fstatat(fd, e->d_name, &sb, AT_SYMLINK_NOFOLLOW) && S_ISREG(sb.st_mode) &&
            !is_of_use(f, row, file, fd, e->d_name))
            unlinkat(fd, e->d_name, 0);
    }
    if (dir)
        closedir(dir);
    else if (fd >= 0)
        close(fd);
    free(path);
}
