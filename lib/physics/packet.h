/* packet -- the fields at the samples of a tile, found for whole blocks of
 * samples at a time. Private to the sampler.
 *
 * The answers are those of iris_cells_nearest for every sample, to the bit,
 * whatever the tile and however it is cut into blocks.
 */
#ifndef IRIS_PACKET_H
#define IRIS_PACKET_H

#include "err.h"
#include "sampler.h"
#include "simd.h"

/* As iris_sampler_tile.
 *
 *   return  IRIS_OK
 *           IRIS_E_IO    no memory for work space, half a megabyte
 *           IRIS_E_DATA  the view reaches a guarded face; outputs undefined
 *   method  see packet.c
 */
enum iris_status iris_packet_tile(const struct iris_sampler *s, const struct iris_kernels *kernels,
                                  const struct iris_tile *tile, float *const field[IRIS_FIELDS],
                                  struct iris_err *err);

#endif
