/* place -- where names of files are looked up: on this machine or another.
 *
 * A place is two functions and what they need. They follow links, unless said
 * otherwise, and their sentences name what could not be had.
 */
#ifndef IRIS_PLACE_H
#define IRIS_PLACE_H

#include <stddef.h>
#include <stdint.h>

#include "err.h"

enum iris_place_kind {
    IRIS_PLACE_UNKNOWN, /* only iris_place.look can tell; a link, say */
    IRIS_PLACE_FILE,
    IRIS_PLACE_DIRECTORY,
    IRIS_PLACE_OTHER
};

struct iris_place_file {
    enum iris_place_kind kind;
    uint64_t bytes;
    int64_t mtime; /* s since 1970 */
};

struct iris_place_entry {
    char *name;
    struct iris_place_file file; /* bytes and mtime only when the kind is known */
};

struct iris_place_list {
    struct iris_place_entry *entry;
    size_t n;
};

#define IRIS_PLACE_CANNOT "cannot open "

struct iris_place {
    void *self;

    /*   return  IRIS_OK      with a kind that is known
     *           IRIS_E_IO    missing, or may not be looked at; the sentence begins
     *                        with IRIS_PLACE_CANNOT
     *           IRIS_E_REMOTE
     */
    enum iris_status (*look)(void *self, const char *path, struct iris_place_file *file,
                             struct iris_err *err);

    /* What is in a directory, in the natural order of names, without . and ..
     *
     *   return  as look
     *   owns    iris_place_list_release, on failure too
     */
    enum iris_status (*list)(void *self, const char *dir, struct iris_place_list *list,
                             struct iris_err *err);
};

/* This machine; its list leaves every kind unknown. */
extern const struct iris_place iris_here;

/* Take another name into a list; file may be NULL. Sort when all are there. */
enum iris_status iris_place_list_add(struct iris_place_list *list, const char *name,
                                     const struct iris_place_file *file, struct iris_err *err);
void iris_place_list_sort(struct iris_place_list *list);
void iris_place_list_release(struct iris_place_list *list);

#endif
