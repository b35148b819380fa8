/* maker_work -- what the files of maker have in common. Private to maker*.c. */
#ifndef IRIS_MAKER_WORK_H
#define IRIS_MAKER_WORK_H

#include "maker.h"
#include "sampler.h"

/* Count the time since start. */
void iris_spend(struct iris_maker *m, enum iris_phase phase, double start);

/* IRIS_E_BUG unless a snapshot is loaded. */
enum iris_status iris_make_check(const struct iris_maker *m, struct iris_err *err);

/* The sampler of a point of the snapshot that is loaded. */
void iris_make_sampler(const struct iris_maker *m, uint32_t point, struct iris_sampler *sampler);

/* The path of an array of a point.
 *
 *   owns  the caller, with free(); NULL after failure
 */
enum iris_status iris_make_path(const struct iris_maker *m, const char *snapshot, uint32_t point,
                                enum iris_kind kind, char **path, struct iris_err *err);

/* Sample longitudes of a tensor, and keep nothing. */
enum iris_status iris_make_tiles(struct iris_maker *m, const struct iris_sampler *sampler,
                                 size_t lon0, size_t lon1, struct iris_err *err);

/* Sample a tensor and publish it; as iris_maker_point. */
enum iris_status iris_make_tensor(struct iris_maker *m, uint32_t point,
                                  struct iris_sampler *sampler, int *publishing,
                                  struct iris_err *err);

#endif
