/* emulated_state -- between the emulator's own files. */
#ifndef IRIS_EMULATED_STATE_H
#define IRIS_EMULATED_STATE_H

#include <stdint.h>

#include "emulate.h"

enum { EMULATED_GARBAGE = 0xa5 };

/* Whether a device can be spoken to; counted: by a call that reports what went wrong
 * before. The error is kept for cudaGetLastError, as emulated_leave does. */
cudaError_t emulated_enter(bool counted);
cudaError_t emulated_leave(cudaError_t e);

/* Whether a GPU would take such a launch. */
bool emulated_fits(const dim3 &grid, const dim3 &block);

/*   in   random  0: threads and blocks in order */
void emulated_run(const char *kernel, dim3 grid, dim3 block, void (*thread)(void *),
                  void *arguments, uint64_t random);

#endif
