/* tidy -- what clang-tidy, which looks at one file at a time, is told of another: that
 * what these functions return is a failure. */
#ifndef TIDY_H
#define TIDY_H

#include "err.h"
#include "h5.h"

#define iris_fail(err, status, ...)    (iris_fail(err, status, __VA_ARGS__), (status))
#define iris_fail_in(err, ...)         (iris_fail_in(err, __VA_ARGS__), IRIS_E_DATA)
#define iris_fail_memory(err)          (iris_fail_memory(err), IRIS_E_IO)
#define iris_h5_fail(err, status, ...) (iris_h5_fail(err, status, __VA_ARGS__), (status))

#endif
