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

    /* where bytes tell the rate better than items; all 0: they do not */
    uint64_t bytes;       /* moved since the start */
    uint64_t bytes_done;  /* those that were there already included */
    uint64_t bytes_total; /* of all items */

    uint64_t memory; /* the most bytes of a process so far, 0: not told */
};

/* One line without line end:
 * "12/64 (3 there already, 1 failed), 2.5/s, 0:00:21 left, 120.5 MiB", or with bytes
 * "3/20 (1 failed), 1.2 GiB, 85.0 MiB/s, 0:01:20 left".
 *
 *   return  text
 */
char *iris_progress_text(const struct iris_progress *p, char *text, size_t size);

#endif
