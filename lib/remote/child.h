/* child -- a program that talks to this one and to nobody else.
 *
 * It has no terminal, so that it cannot ask anybody anything, and it dies with the
 * thread that has started it, however that ends.
 */
#ifndef IRIS_CHILD_H
#define IRIS_CHILD_H

#include <sys/types.h>

#include "err.h"

/* Start it.
 *
 *   in   argv  NULL at the end; argv[0] is looked for on PATH
 *   in   talk  its standard input and output; not used any more here after the call
 *   in   said  its standard error
 *   in   more  "NAME=VALUE" for its environment
 *
 *   return  IRIS_OK
 *           IRIS_E_IO  it cannot be run
 */
enum iris_status iris_child_start(const char *const *argv, int talk, int said, const char *more,
                                  pid_t *pid, struct iris_err *err);

/* See to it that it ends: so many seconds by itself, then by signals. */
void iris_child_end(pid_t *pid, double seconds);

#endif
