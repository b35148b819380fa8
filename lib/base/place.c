#include "place.h"

#include <dirent.h>
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#include "num.h"

enum iris_status
iris_place_list_add(struct iris_place_list *list, const char *name,
                    const struct iris_place_file *file, struct iris_err *err)
{
    struct iris_place_entry *grown = list->entry;
    size_t n = list->n;

    /* doubled whenever it is full, which it is at 0, 16, 32, 64, ... */
    if (n == 0 || (n >= 16 && !(n & (n - 1)))) {
        grown = realloc(list->entry, (n ? 2 * n : 16) * sizeof *grown);
        if (!grown)
            return iris_fail_memory(err);
        list->entry = grown;
    }
    grown[n] = (struct iris_place_entry){.name = strdup(name)};
    if (!grown[n].name)
        return iris_fail_memory(err);
    if (file)
        grown[n].file = *file;
    list->n++;
    return IRIS_OK;
}

static int
by_name(const void *pa, const void *pb)
{
    const struct iris_place_entry *a = pa, *b = pb;

    return iris_natural_cmp(a->name, b->name);
}

void
iris_place_list_sort(struct iris_place_list *list)
{
    if (list->n)
        qsort(list->entry, list->n, sizeof *list->entry, by_name);
}

void
iris_place_list_release(struct iris_place_list *list)
{
    size_t i;

    for (i = 0; i < list->n; i++)
        free(list->entry[i].name);
    free(list->entry);
    *list = (struct iris_place_list){0};
}

static enum iris_status
look_here(void *self, const char *path, struct iris_place_file *file, struct iris_err *err)
{
    struct stat sb;

    (void)self;
    if (stat(path, &sb))
        return iris_fail(err, IRIS_E_IO, IRIS_PLACE_CANNOT "'%s':", path);
    file->kind = S_ISREG(sb.st_mode)   ? IRIS_PLACE_FILE
                 : S_ISDIR(sb.st_mode) ? IRIS_PLACE_DIRECTORY
                                       : IRIS_PLACE_OTHER;
    file->bytes = (uint64_t)sb.st_size;
    file->mtime = sb.st_mtime;
    return IRIS_OK;
}

static enum iris_status
list_here(void *self, const char *dir, struct iris_place_list *list, struct iris_err *err)
{
    DIR *d = opendir(dir);
    enum iris_status st = IRIS_OK;
    struct dirent *e;

    (void)self;
    if (!d)
        return iris_fail(err, IRIS_E_IO, "cannot read directory '%s':", dir);
    errno = 0;
    while (!st && (e = readdir(d))) {
        if (strcmp(e->d_name, ".") && strcmp(e->d_name, ".."))
            st = iris_place_list_add(list, e->d_name, NULL, err);
        errno = 0;
    }
    if (!st && errno)
        st = iris_fail(err, IRIS_E_IO, "cannot read directory '%s':", dir);
    closedir(d);
    iris_place_list_sort(list);
    return st;
}

const struct iris_place iris_here = {NULL, look_here, list_here};
