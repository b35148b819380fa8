/* gen_input -- the manifest of a run, whose rows become part of the plan as they
 * come. */
#ifndef IRIS_GEN_INPUT_H
#define IRIS_GEN_INPUT_H

#include "err.h"
#include "manifest.h"
#include "plan.h"

struct gen_input {
    int fd;        /* -1: at its end */
    int is_stream; /* no file: somebody writes it now */
    int is_cut;    /* iris-fetch, who wrote it, has gone before it had finished */
    struct iris_manifest_reader reader;
    size_t rows_taken;
};

/*   in   path  "-": standard input
 *   owns gen_input_close; safe when nothing was opened but fd is -1
 */
enum iris_status gen_input_open(struct gen_input *in, const char *path, struct iris_err *err);
void gen_input_close(struct gen_input *in);

/* Read what there is at present; wait at most that many milliseconds. That the
 * writer has gone is no failure here, but then is_cut is set. */
enum iris_status gen_input_read(struct gen_input *in, struct iris_plan *plan, int wait_ms,
                                struct iris_err *err);

#endif
