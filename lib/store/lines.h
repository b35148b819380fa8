/* lines -- the emission and absorption tables of all lines of a settings file,
 * and the file that holds them; see iris-lines(5).
 *
 * Calling sequence: init reads the molecular files and sets the axes; values
 * are then made, or read from a file, in memory that is allocated or adopted.
 * A molecular file and the settings in iris_table_keys determine the values.
 */
#ifndef IRIS_LINES_H
#define IRIS_LINES_H

#include <stddef.h>

#include "buf.h"
#include "digest.h"
#include "err.h"
#include "file.h"
#include "hyper.h"
#include "linetable.h"
#include "molecule.h"

#define IRIS_LINES_FORMAT  "iris-lines"
#define IRIS_LINES_VERSION 1

struct iris_lines_item {
    struct iris_line_settings settings;
    char content[IRIS_DIGEST_TEXT]; /* hash of the molecular file */
    struct iris_molecule molecule;
    struct iris_table_law law;
    struct iris_line_table table;
};

struct iris_lines {
    size_t n;
    struct iris_lines_item *line; /* [n] */
};

/* Read what the tables are made from; there are no values yet.
 *
 *   in     h         has passed iris_hyper_check; not kept
 *   out    l         owned by the caller, iris_lines_release; empty unless IRIS_OK
 *   inout  warnings  lines appended for what is suspicious in a molecular file
 *
 *   return  IRIS_OK
 *           IRIS_E_DATA  a list is null; a molecular file is wrong or lacks the
 *                        transition (names key and file); the tables are too large
 *           IRIS_E_IO    a file cannot be read (names key and file)
 */
enum iris_status iris_lines_init(struct iris_lines *l, const struct iris_hyper *h,
                                 struct iris_buf *warnings, struct iris_err *err);

/* Safe on zeroed and twice. */
void iris_lines_release(struct iris_lines *l);

/* Doubles in the tables of all lines; that many bytes fit into a size_t. */
size_t iris_lines_values(const struct iris_lines *l);

/* A hash of everything that determines the values: equal keys, equal tables.
 *
 *   in   h  what l was initialised from
 *
 *   return  IRIS_OK, or IRIS_E_IO: no memory
 */
enum iris_status iris_lines_key(const struct iris_lines *l, const struct iris_hyper *h,
                                char key[IRIS_DIGEST_TEXT], struct iris_err *err);

/* Put the values of all tables, line after line, into memory of the caller.
 *
 *   in   value  [iris_lines_values(l)] must outlive l; whatever it holds already
 *               are the values of the tables
 */
void iris_lines_adopt(struct iris_lines *l, double *value);

/* Called between temperatures, by the thread that makes the tables, with how many
 * of all lines are done; nonzero stops. fn NULL: never. */
struct iris_lines_pause {
    int (*fn)(void *self, size_t done, size_t total);
    void *self;
};

/* How tables are made. What they hold does not depend on it, and zeros will do. */
struct iris_lines_effort {
    const struct iris_kernels *kernels; /* NULL: the best of this machine */
    size_t threads;                     /* at work, the caller's among them; 0: only that */
    struct iris_lines_pause pause;
};

/* Solve the level balance; tables without memory get their own.
 *
 * Threads share out the temperatures. Those beside the caller's are started and
 * ended in here, and take no signals. Each has a level balance of its own, about
 * 0.3 MB for 41 levels.
 *
 *   return  IRIS_OK
 *           IRIS_E_DATA   a molecule has no equilibrium (names key and file)
 *           IRIS_E_RETRY  pause said stop
 *           IRIS_E_IO     no memory
 */
enum iris_status iris_lines_make(struct iris_lines *l, const struct iris_lines_effort *effort,
                                 struct iris_err *err);

/* Write tables that have values. Equal tables give equal bytes.
 *
 *   in   h    what l was initialised from
 *   in   out  opened, nothing written; committed, or aborted on failure
 *
 *   return  IRIS_OK, or IRIS_E_IO: cannot be written
 */
enum iris_status iris_lines_write(const struct iris_lines *l, const struct iris_hyper *h,
                                  struct iris_outfile *out, struct iris_err *err);

/* Whether a file was made from the same settings and molecular files; the values
 * are not looked at. As iris_lines_read. */
enum iris_status iris_lines_verify(const struct iris_lines *l, const struct iris_hyper *h,
                                   const char *path, struct iris_err *err);

/* Read the values from a file that was made from the same settings and
 * molecular files; tables without memory get their own.
 *
 *   in   h  what l was initialised from
 *
 *   return  IRIS_OK
 *           IRIS_E_DATA  another format, damaged, or made from something else:
 *                        names the file, what differs, and both values
 *           IRIS_E_IO    cannot be read, or no memory
 */
enum iris_status iris_lines_read(struct iris_lines *l, const struct iris_hyper *h, const char *path,
                                 struct iris_err *err);

#endif
