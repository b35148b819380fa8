/* molecule_text -- headings, rows and numbers of a molecular file, one line
 * after the other; private to molecule.
 *
 * A copy of a struct iris_text looks ahead. Every failure is IRIS_E_DATA and
 * names file and line.
 */
#ifndef IRIS_MOLECULE_TEXT_H
#define IRIS_MOLECULE_TEXT_H

#include <stddef.h>
#include <stdint.h>

#include "buf.h"
#include "err.h"

struct iris_text {
    const char *rest, *end;
    const char *line, *line_end; /* without blanks around it; words are taken off its front */
    size_t number;               /* of the line, from 1 */
    int cut;                     /* the line has no end */
    const char *name;
    struct iris_buf *warnings;
    struct iris_err *err; /* not NULL */
};

/* Say what is wrong in a line. The current one is t->number. */
enum iris_status iris_text_wrong(const struct iris_text *t, size_t line, const char *fmt, ...)
    __attribute__((format(printf, 3, 4)));

/* The next line that is not empty; 0 at the end. */
int iris_text_next(struct iris_text *t);

/* How much of the line belongs into a message: for "%.*s". */
int iris_text_shown(const struct iris_text *t);

/* The next line is a heading; something else; a heading and then something else. */
enum iris_status iris_text_heading(struct iris_text *t, const char *what);
enum iris_status iris_text_content(struct iris_text *t, const char *what);
enum iris_status iris_text_section(struct iris_text *t, const char *what);

/* A section that is a whole number of at least 1. */
enum iris_status iris_text_count(struct iris_text *t, const char *what, size_t *n);

/* As many rows as were promised in a line come before the next heading. What is
 * allocated for them afterwards is no more than what is there. */
enum iris_status iris_text_rows(const struct iris_text *t, const char *what, size_t promised,
                                size_t line);

/* The next word of the line, a finite number or a whole one. */
enum iris_status iris_text_number(struct iris_text *t, const char *what, double *v);
enum iris_status iris_text_whole(struct iris_text *t, const char *what, uint64_t *v);

/* The rest of the line: n numbers, and then no further one. */
enum iris_status iris_text_numbers(struct iris_text *t, const char *what, size_t n, double *v);

size_t iris_text_words_left(const struct iris_text *t);

#endif
