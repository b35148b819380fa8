/* obs -- the two things that iris-observe does with physical tensors: one of
 * them becomes a cube, or those of a data set become pairs. */
#ifndef IRIS_OBS_H
#define IRIS_OBS_H

#include <stddef.h>
#include <stdint.h>

#include "cli.h"
#include "cli_gpu.h"
#include "entry.h"
#include "err.h"
#include "hyper.h"
#include "lines.h"
#include "manifest.h"
#include "tensor.h"

struct obs_options {
    struct iris_cli cli;
    const char *hyper, *input;
    const char *lines; /* NULL: tables are computed */
    const char *cube;  /* NULL: pairs are made */
    const char *dataset, *from;
    enum iris_type type;
    int precise;
    struct cli_gpu_options gpu;
    const struct iris_kernels *kernels;
};

struct obs {
    const struct obs_options *o;
    struct iris_hyper *hyper;
    struct iris_settings settings;
    struct iris_lines lines; /* of synthetic; without values at first */
    int has_values;
    int has_gpu; /* that may be used */
    struct cli_gpu gpu;
};

/* Give the line tables their values, the first time; as get of struct
 * iris_tables.
 *
 *   in  self  the struct obs
 */
enum iris_status obs_tables(void *self, const struct iris_lines **lines, struct iris_err *err);

/* Open a tensor of the shape that the settings say.
 *
 *   owns  iris_tensor_close; safe after failure
 */
enum iris_status obs_open(const struct obs *b, const char *path, struct iris_tensor *t,
                          struct iris_err *err);

/* Observe o->input into o->cube. */
enum iris_status obs_cube(struct obs *b, struct iris_err *err);

/* Observe the tensors of the rows of o->input into o->dataset, print the rows of
 * the pairs. */
enum iris_status obs_pairs(struct obs *b, struct iris_err *err);

/* ---- the rows of o->input ---- */

enum obs_state { OBS_TODO, OBS_THERE, OBS_MADE, OBS_FAILED };

/* A standard entry, and the pair that becomes of it. */
struct obs_item {
    struct iris_entry e; /* its strings are the table's */
    uint64_t seed;
    uint32_t round;
    size_t row;
    char digest[IRIS_SETTINGS_DIGEST]; /* of the pair; set by obs_pairs */
    enum obs_state state;
    char *message; /* of a failed pair */
};

struct obs_rows {
    struct iris_manifest table;
    size_t n;
    struct obs_item *item; /* [n] by digest, then snapshot and point */
};

/* Read the manifest; every row is one that iris-gen prints for the settings.
 *
 *   return  IRIS_OK, IRIS_E_IO, or IRIS_E_DATA naming file and entry
 *   owns    obs_rows_release; also after failure
 */
enum iris_status obs_rows_read(const struct obs *b, struct obs_rows *rows, struct iris_err *err);
void obs_rows_release(struct obs_rows *rows);

/* What a pair was made with. */
struct iris_entry_run obs_run(const struct obs *b, const struct obs_item *it);

enum iris_status obs_rows_print(const struct obs *b, const struct obs_rows *rows,
                                struct iris_err *err);

#endif
