/* probe -- what is in a snapshot, and which settings it needs.
 *
 * What a snapshot needs is not guessed: it is read through as iris_snapshot_load
 * reads it, and each setting whose absence is refused is made, until it is taken
 * or refused for another reason.
 */
#ifndef IRIS_PROBE_H
#define IRIS_PROBE_H

#include <stdint.h>

#include "err.h"
#include "hyper.h"
#include "manifest.h"

/* An empty manifest of kind "probes": a row is a fact.
 *
 *   owns  iris_manifest_release
 */
enum iris_status iris_probe_manifest(struct iris_manifest *m, struct iris_err *err);

/* Append what is in a snapshot.
 *
 *   in   path, files  as of iris_snapshot_load
 *   in   h            the settings that are not enough
 *   out  taken        whether data points of any type can be made of it
 *   out  why          the sentence, where not
 *
 *   return  IRIS_OK, also of a snapshot that cannot be read
 *           IRIS_E_IO, IRIS_E_BUG  no memory
 *   memory  a piece of the cells, whatever their number
 */
enum iris_status iris_probe_add(struct iris_manifest *m, const char *id, const char *path,
                                uint64_t files, const struct iris_hyper *h, int *taken,
                                struct iris_err *why, struct iris_err *err);

#endif
