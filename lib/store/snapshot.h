/* snapshot -- reads the gas cells of an AREPO snapshot.
 *
 * A snapshot is one HDF5 file or a set of them. Only the fields that are asked
 * for are read, each once, in pieces; any float or integer type and any layout
 * HDF5 knows will do. Units come from the groups Header, Parameters or Units,
 * else from the to_cgs attribute of a dataset. Lengths, velocities and
 * densities of a comoving run are converted or the snapshot is refused, as the
 * settings say.
 *
 * HDF5's own error printing is off while a function here runs.
 */
#ifndef IRIS_SNAPSHOT_H
#define IRIS_SNAPSHOT_H

#include <stddef.h>
#include <stdint.h>

#include "buf.h"
#include "cells.h"
#include "digest.h"
#include "err.h"
#include "hyper.h"
#include "sampler.h"

/* The fields of enum iris_field that a type of data set needs, as bits. */
unsigned iris_snapshot_fields(enum iris_type type);

/* What was read. */
struct iris_snapshot_info {
    size_t cells;
    uint64_t bytes;                 /* size of the files */
    char content[IRIS_DIGEST_TEXT]; /* hash of the values read, in file order, and
                                       of their units: the same however they
                                       were stored */
    struct iris_buf warnings;       /* lines; released by the caller */
};

/* How many gas cells a snapshot has by its header.
 *
 *   return  IRIS_OK, or as iris_snapshot_load
 */
enum iris_status iris_snapshot_cells(const char *path, uint64_t files, size_t *cells,
                                     struct iris_err *err);

/* Load a snapshot and index it.
 *
 *   in   path    the file, or file 0 of the set
 *   in   files   files of the set; 1 for a single file
 *   in   s       units, columns, centre and so on
 *   in   fields  bits of enum iris_field; the others are 0 in the cells
 *   in   pause   called between pieces, NULL for never; nonzero stops
 *   in   memory  of the cells, NULL for the heap; asked once, when their number
 *                is known
 *   out  cells   processing units, indexed; owned by the caller
 *
 *   return  IRIS_OK
 *           IRIS_E_IO     missing, unreadable, no memory
 *           IRIS_E_DATA   not a snapshot, a dataset missing or of the wrong
 *                         shape, a value that is not finite, a setting that
 *                         does not fit: names file and dataset, the file
 *                         without its directory, as sentences go into
 *                         manifests
 *           IRIS_E_RETRY  pause said stop
 *   source  temperature: T = 2/3 u mu / (k (1 + x_H+ - x_H2 + x_He)),
 *           mu = m_H + x_He m_He, as the reference
 */
enum iris_status iris_snapshot_load(const char *path, uint64_t files, const struct iris_settings *s,
                                    unsigned fields, int (*pause)(void *), void *pause_self,
                                    const struct iris_memory *memory, struct iris_cells *cells,
                                    struct iris_snapshot_info *info, struct iris_err *err);

/* The version of the library that reads them, "1.10.8".
 *
 *   return  text
 */
char *iris_snapshot_library(char *text, size_t size);

#endif
