/* cli_entry -- what programs share that take an entry of a data set, or one array.
 */
#ifndef IRIS_CLI_ENTRY_H
#define IRIS_CLI_ENTRY_H

#include "catalog.h"
#include "cli.h"
#include "container_read.h"
#include "entry.h"
#include "npy.h"
#include "subject.h"

struct iris_choice {
    const char *path;    /* of a data set, a container or an array */
    const char *entry;   /* NULL: the first */
    uint64_t line;       /* from 1; 0: all */
    const char *hyper;   /* NULL: as the files around the array say */
    enum iris_type type; /* 0: the same */
    int kind;            /* -1: as the array says */
    size_t fields;       /* of a tensor; 0: as it has them */
    enum iris_field field[IRIS_FIELDS];
    int has_slice; /* of a tensor */
    struct iris_slice slice;
};
#define IRIS_CHOICE_INIT                                                                           \
    {                                                                                              \
        .kind = -1                                                                                 \
    }

#define IRIS_CLI_ENTRY_SHORT "H:t:"
enum { IRIS_OPT_ENTRY = 1060, IRIS_OPT_LINE, IRIS_OPT_KIND };
#define IRIS_CLI_ENTRY_LONG                                                                        \
    {"entry", required_argument, NULL, IRIS_OPT_ENTRY},                                            \
        {"line", required_argument, NULL, IRIS_OPT_LINE}, {"hyper", required_argument, NULL, 'H'}, \
        {"type", required_argument, NULL, 't'},                                                    \
    {                                                                                              \
        "kind", required_argument, NULL, IRIS_OPT_KIND                                             \
    }

/* Take one of these options, any other as iris_cli_option does. */
enum iris_status iris_cli_entry_option(struct iris_cli *cli, struct iris_choice *what, int opt,
                                       char **argv, struct iris_err *err);

/* The one argument. */
enum iris_status iris_cli_entry_path(struct iris_choice *what, int argc, char **argv,
                                     struct iris_err *err);

/* Numbers in other options. */
enum iris_status iris_cli_number(const char *text, const char *option, uint64_t max, uint64_t *v,
                                 struct iris_err *err);

/* What is written never takes the place of what it is made from, nor lies in the data
 * set that this is or is of.
 *
 *   in   path   of a data set, or of an array or another file
 *   in   hyper  settings; NULL: none
 *
 *   return  IRIS_OK
 *           IRIS_E_USAGE
 *           IRIS_E_IO     out of memory
 */
enum iris_status iris_cli_entry_output(const char *output, const char *path, const char *hyper,
                                       struct iris_err *err);

/* The arrays of an entry, open, and which of their views are wanted. */
struct iris_arrays {
    size_t n;
    struct iris_array {
        struct iris_npy npy;
        struct iris_subject subject;
        enum iris_kind kind;
        size_t first, views;
    } array[2];
};

/* Open what was chosen.
 *
 *   out  title  the id, or the name of the file; the caller frees it, also after
 *               failure
 *   owns iris_arrays_close; safe on zeroed, after failure and twice
 */
enum iris_status iris_arrays_open(const struct iris_choice *what, struct iris_arrays *a,
                                  char **title, struct iris_err *err);

/* A data set or a container: its entries. */
struct iris_set {
    const struct iris_choice *what;
    struct iris_container *container; /* NULL: a data set */
    struct iris_catalog catalog;
    size_t first; /* the chosen entry */
};

/*   owns  iris_set_close; safe after failure */
enum iris_status iris_set_open(const struct iris_choice *what, struct iris_set *set,
                               struct iris_err *err);
void iris_set_close(struct iris_set *set);

/* Open entry i of it, or of its arrays the one of the chosen kind.
 *
 *   return  IRIS_OK, or as iris_npy_open; IRIS_E_DATA: it has none of that kind
 */
enum iris_status iris_arrays_open_entry(const struct iris_set *set, size_t i, struct iris_arrays *a,
                                        struct iris_err *err);
void iris_arrays_close(struct iris_arrays *a);

#endif
