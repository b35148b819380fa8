/* json -- JSON text as the reference prints it, and read with line numbers.
 *
 * Values are jansson's. It holds neither infinities nor NaN, so none can be
 * read or printed. Objects keep the order in which their keys were set.
 */
#ifndef IRIS_JSON_H
#define IRIS_JSON_H

#include <stddef.h>

#include <jansson.h>

#include "buf.h"
#include "err.h"

/* Append v as Python's json.dump(indent=4) writes it: ASCII, one item a line,
 * floats in their shortest form, no newline at the end. */
void iris_json_print(const json_t *v, struct iris_buf *out);

/* Append v on one line, as Python's json.dumps writes it. */
void iris_json_compact(const json_t *v, struct iris_buf *out);

/* Read any JSON value; a key that occurs twice in an object is refused.
 *
 *   in   name  stands for the text in the message
 *   out  v     owned by the caller, json_decref
 *
 *   return  IRIS_OK
 *           IRIS_E_DATA  not JSON; the sentence is "name:LINE: reason"
 *           IRIS_E_IO    out of memory
 *
 * From the first call on, jansson's allocator (json_set_alloc_funcs, which holds for
 * the process) is one of ours that is malloc outside of this function.
 */
enum iris_status iris_json_load(const char *text, size_t len, const char *name, json_t **v,
                                struct iris_err *err);

#endif
