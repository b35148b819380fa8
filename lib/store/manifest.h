/* manifest -- the tables that programs hand to each other; see
 * iris-manifest(5).
 *
 * A manifest in memory is a list of named columns and of rows of text. A field
 * that is missing ("." in the file) is NULL. Columns are found by name; those
 * a program does not know are carried through.
 */
#ifndef IRIS_MANIFEST_H
#define IRIS_MANIFEST_H

#include <stddef.h>
#include <stdint.h>

#include "buf.h"
#include "err.h"

/* What the first line begins with; the kind follows. */
#define IRIS_MANIFEST_VERSION "##iris-manifest 1 "

/* What the names of columns begin with that change a setting, SECTION.KEY behind it. */
#define IRIS_SET_PREFIX "set:"

struct iris_manifest_column {
    char *name;
    char *type; /* as "f64[deg]"; "str" when the file did not say */
};

struct iris_manifest {
    char *kind; /* "snapshots", "fetched", "entries" or "probes" */
    size_t n_columns;
    struct iris_manifest_column *column;
    size_t n_rows;
    char ***row; /* [n_rows][n_columns] unescaped text or NULL */
};

/* No columns, no rows.
 *
 *   owns  iris_manifest_release; safe on zeroed and twice
 */
enum iris_status iris_manifest_init(struct iris_manifest *m, const char *kind,
                                    struct iris_err *err);
void iris_manifest_release(struct iris_manifest *m);

/* The index of a column; -1 when there is none. */
int iris_manifest_find(const struct iris_manifest *m, const char *name);

/* The index of a column, added with missing fields when there is none. */
enum iris_status iris_manifest_column(struct iris_manifest *m, const char *name, const char *type,
                                      size_t *index, struct iris_err *err);

/* A new row of missing fields at the end; *index is its number. */
enum iris_status iris_manifest_add_row(struct iris_manifest *m, size_t *index,
                                       struct iris_err *err);

/* Keep only the rows whose keep[] is nonzero. */
void iris_manifest_keep(struct iris_manifest *m, const unsigned char *keep);

/* Set a field of an existing column by name; NULL makes it missing. */
enum iris_status iris_manifest_set(struct iris_manifest *m, size_t row, const char *name,
                                   const char *value, struct iris_err *err);
enum iris_status iris_manifest_set_u64(struct iris_manifest *m, size_t row, const char *name,
                                       uint64_t value, struct iris_err *err);
/* NaN makes it missing. */
enum iris_status iris_manifest_set_f64(struct iris_manifest *m, size_t row, const char *name,
                                       double value, struct iris_err *err);

/* A field by column name; NULL when missing or when there is no such column. */
const char *iris_manifest_get(const struct iris_manifest *m, size_t row, const char *name);

/* A field that must be there and be a number.
 *
 *   return  IRIS_OK, or IRIS_E_DATA naming row and column
 */
enum iris_status iris_manifest_get_u64(const struct iris_manifest *m, size_t row, const char *name,
                                       uint64_t *value, struct iris_err *err);

/* Sort rows by (snapshot in natural order, point, id). */
enum iris_status iris_manifest_sort(struct iris_manifest *m, struct iris_err *err);

/* Append the text of a manifest: all of it, or its parts. */
void iris_manifest_print(const struct iris_manifest *m, struct iris_buf *out);
void iris_manifest_print_head(const struct iris_manifest *m, struct iris_buf *out);
void iris_manifest_print_row(const struct iris_manifest *m, size_t row, struct iris_buf *out);
void iris_manifest_print_field(const char *text, struct iris_buf *out);
void iris_manifest_print_end(const struct iris_manifest *m, struct iris_buf *out);

/* A reader that takes rows as they come.
 *
 * Feed it lines; it knows the columns after the header. Concatenated manifests
 * of one kind and the same columns are one manifest.
 */
struct iris_manifest_reader {
    char *name;  /* of the file, for messages */
    size_t line; /* number of the last line fed */
    size_t rows; /* since the last header */
    int state;
    struct iris_buf part;       /* of a line whose end has not come */
    struct iris_manifest table; /* kind, columns and the rows so far */
};

enum iris_status iris_manifest_reader_init(struct iris_manifest_reader *r, const char *name,
                                           struct iris_err *err);
void iris_manifest_reader_release(struct iris_manifest_reader *r);

/* One line without its line end. A row is appended to r->table. */
enum iris_status iris_manifest_reader_line(struct iris_manifest_reader *r, const char *line,
                                           size_t len, struct iris_err *err);

/* Text as it comes, lines cut anywhere; a line has at most 1 MiB. */
enum iris_status iris_manifest_reader_feed(struct iris_manifest_reader *r, const char *text,
                                           size_t n, struct iris_err *err);

/* Whether the last line has come, "##rows", and nothing after it. */
int iris_manifest_reader_is_complete(const struct iris_manifest_reader *r);

/* The end of input: complain when there was no header or half a line. */
enum iris_status iris_manifest_reader_end(struct iris_manifest_reader *r, struct iris_err *err);

/* Read a whole manifest.
 *
 *   in   path  "-" is standard input
 *   in   kind  the kind wanted, or NULL; "snapshots" takes "fetched" too
 *
 *   return  IRIS_OK
 *           IRIS_E_IO    cannot be read
 *           IRIS_E_DATA  names file and line
 */
enum iris_status iris_manifest_read(const char *path, const char *kind, struct iris_manifest *m,
                                    struct iris_err *err);

/* The same of text in memory; name stands for the file in messages. */
enum iris_status iris_manifest_parse(const char *text, size_t n, const char *name, const char *kind,
                                     struct iris_manifest *m, struct iris_err *err);

#endif
