/* progress -- what a long job says about itself while it runs.
 *
 * Only arithmetic and text: the tool reads the clock and prints.
 */
#ifndef IRIS_PROGRESS_H
#define IRIS_PROGRESS_H

#include <stddef.h>
#include <stdint.h>

struct iris_progress {
    uint64_t done;  /* items finished, failed ones included */
    uint64_t total; /* 0 while unknown */
    uint64_t failed;
    uint64_t skipped; /* of done: there already, cost nothing */
    double seconds;   /* since the start */
};

/* One line without line end:
 * "12/64 (3 there already, 1 failed), 2.5/s, 0:00:21 left".
 *
 *   return  text
 */
char *iris_progress_text(const struct iris_progress *p, char *text, size_t size);

#endif
