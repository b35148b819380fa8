/* hyper_keys -- the table of every known setting. Private to hyper*.c
 * and grid.c.
 *
 * A row says where a key stands in the file, what values it takes, its
 * default, where its value goes in struct iris_settings and for which data set
 * types it changes a point's bytes. The order of the table is the order in the
 * file.
 */
#ifndef IRIS_HYPER_KEYS_H
#define IRIS_HYPER_KEYS_H

#include <stddef.h>

#include <jansson.h>

#include "err.h"
#include "hyper.h"

struct iris_hyper {
    json_t *root; /* every known key, in order and in normal form */
    char *dir;    /* what relative paths start from; NULL: the current directory */
};

enum iris_kind {
    IRIS_WHOLE,
    IRIS_NUMBER,
    IRIS_FLAG,
    IRIS_WORD,
    IRIS_TEXT,
    IRIS_LIST,
    IRIS_RANGE,      /* two numbers, the first not above the second */
    IRIS_TRANSITION, /* two levels, the first above the second */
    IRIS_PLACE,      /* three numbers, or "densest" */
    IRIS_TRACER,     /* a tracer's abundance: an object, or a list of them or nulls */
    IRIS_NOTHING     /* null only */
};

/* What values are allowed. */
struct iris_rule {
    enum iris_kind kind;
    const char *text; /* "must be ..."; NULL for words */
    double lo, hi;    /* of numbers, both allowed unless open */
    int open_lo, open_hi;
    int odd;
    const char *words[7];
    const struct iris_rule *item; /* of lists and ranges */
};

#define IRIS_NOWHERE ((size_t)-1)

struct iris_key {
    const char *section;
    const char *name; /* "section.key" */
    const struct iris_rule *rule;
    const char *initial; /* the default, JSON text */
    size_t offset;       /* in struct iris_settings, or IRIS_NOWHERE */
    unsigned types;      /* bits of enum iris_type */
    int nullable;
};

extern const struct iris_key iris_keys[];
extern const size_t iris_key_count;

/* The members of an abundance. The first iris_tracer_kinds say what it is, one
 * of them is needed. */
extern const struct iris_key iris_tracer_members[];
extern const size_t iris_tracer_count, iris_tracer_kinds;

/* NULL when there is none. */
const struct iris_key *iris_key_find(const char *name);

/* The known name that a wrong one most resembles. */
const char *iris_key_nearest(const char *name);

/* IRIS_E_DATA and the sentence for a name that is not known. */
enum iris_status iris_key_unknown(const char *name, struct iris_err *err);

/* The name within the section. */
const char *iris_key_word(const struct iris_key *key);

/* The value of a known key in h; borrowed. */
const json_t *iris_key_value(const struct iris_hyper *h, const struct iris_key *key);

/*   return  IRIS_OK
 *           IRIS_E_DATA  "section.key must be ..., not VALUE"
 */
enum iris_status iris_key_accept(const struct iris_key *key, const json_t *v, struct iris_err *err);

/* An accepted value in the form it is kept in: whole numbers become floats
 * where the key is a float.
 *
 *   return  NULL when out of memory
 *   owns    the caller, json_decref
 */
json_t *iris_key_normal(const struct iris_key *key, const json_t *v);

/* The same two for an abundance, of the key of that name. */
enum iris_status iris_tracer_accept(const char *name, const json_t *v, struct iris_err *err);
json_t *iris_tracer_normal(const json_t *v);

/* A file that h names, seen from the current directory.
 *
 *   return  NULL when out of memory
 *   owns    the caller, free
 */
char *iris_hyper_locate(const struct iris_hyper *h, const char *path);

/* Put an accepted value where it belongs in s. */
void iris_key_store(const struct iris_key *key, const json_t *v, struct iris_settings *s);

#endif
