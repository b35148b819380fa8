/* mock_write -- the files of iris-mock's snapshot: one, or a directory of some. */
#ifndef IRIS_MOCK_WRITE_H
#define IRIS_MOCK_WRITE_H

#include <stdint.h>

#include "cli.h"
#include "err.h"

struct mock_snapshot {
    const struct iris_cli *cli; /* its seed, and how to show progress */
    uint64_t cells;
    uint64_t files; /* with 1, path is a file; else a directory */
    int wide;       /* every quantity in double precision */
    int compress;
    const char *path;   /* without trailing slashes */
    const char *number; /* in path: the NNN of a set's directory */
};

/* About how many bytes the snapshot takes. */
uint64_t mock_bytes(const struct mock_snapshot *s);

/* Write it. A file, or a directory that is not there yet, appears when complete.
 *
 *   return  IRIS_OK
 *           IRIS_E_DATA   the directory holds files of something else
 *           IRIS_E_IO
 *           IRIS_E_RETRY  stopped by a signal, or another program writes it now
 */
enum iris_status mock_write(const struct mock_snapshot *s, struct iris_err *err);

#endif
