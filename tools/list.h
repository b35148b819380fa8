/* list -- what iris-list prints instead of a list. */
#ifndef LIST_H
#define LIST_H

#include "cli.h"
#include "err.h"
#include "find.h"
#include "hyper.h"

/* Print what is in the snapshots, and which settings each needs beside h.
 *
 *   return  IRIS_OK
 *           IRIS_E_SOME  printed, but no data can be made of some of them
 */
enum iris_status list_probe(const struct iris_cli *cli, const struct iris_find *f,
                            const struct iris_hyper *h, struct iris_err *err);

#endif
