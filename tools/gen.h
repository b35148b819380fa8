/* gen -- the two sides of iris-gen: the master that hands out points and the
 * workers that make them. Rank 0 is both. */
#ifndef IRIS_GEN_H
#define IRIS_GEN_H

#include "cli.h"
#include "dataset.h"
#include "err.h"
#include "hyper.h"
#include "lines.h"
#include "maker.h"
#include "node.h"
#include "plan.h"
#include "pool.h"

/* The line tables of a node: made or read by the rank that needs them first. */
struct gen_lines {
    struct iris_lines lines;
    struct iris_shared shared;
    const struct iris_hyper *hyper;
    const char *path;               /* of the file they are read from, NULL: computed */
    struct iris_err *why;           /* shared too: what the rank that was to make them says */
    const struct iris_pause *pause; /* called while they are made or waited for; set by the
                                       caller before they are needed */
};

/* The cells of snapshots, once for all ranks of a node. */
struct iris_commons gen_commons(struct iris_node *node);

struct gen_job {
    const struct iris_cli *cli;
    struct iris_pool *pool;
    struct iris_node *node;
    struct iris_maker maker;
    struct iris_dataset *dataset;
    int journal; /* descriptor, -1 */
    int broken;  /* ranks cannot be reached: the job can only be aborted */
    int release; /* remove copies of snapshots that are over */
    /* of a worker */
    int called_off;        /* the master wants no more of the point in hand */
    struct iris_buf heard; /* what it has said meanwhile */
};

/* Set up tables without values; every rank.
 *
 *   collective
 */
enum iris_status gen_lines_init(struct gen_lines *g, struct iris_pool *pool,
                                const struct iris_hyper *h, const char *path, struct iris_err *err);
void gen_lines_release(struct gen_lines *g);
struct iris_tables gen_lines_tables(struct gen_lines *g);

/* Append a line to this rank's journal; a failure to do so is no failure. */
void gen_open_journal(struct gen_job *job);

/* Take tasks until told to stop.
 *
 *   out  told  set when the status came from rank 0; otherwise this rank has
 *              failed alone, and the others would wait for it
 *
 *   return  what rank 0 said the run ended with, or why this rank failed
 */
enum iris_status gen_work(struct gen_job *job, int *told, struct iris_err *err);

/* In the middle of a point: whether to break it off, since the run ends. */
int gen_is_called_off(struct gen_job *job);

/* Read rows, hand out their points, make some, until all are done.
 *
 *   in   input  path of the manifest, "-" for standard input
 *   out  plan   what was done
 *
 *   return  IRIS_OK       all points done or failed: see plan->failed
 *           IRIS_E_RETRY  stopped by a signal, or who wrote the manifest has gone
 *           or what made it impossible to go on; the workers wait in any case
 */
enum iris_status gen_master(struct gen_job *job, const char *input, struct iris_plan *plan,
                            struct iris_err *err);

/* Print the manifest of the points of a run that is finished.
 *
 *   return  IRIS_OK, IRIS_E_SOME for points that failed, or what kept it from being
 *           written
 */
enum iris_status gen_report(const struct iris_cli *cli, const struct iris_plan *plan,
                            struct iris_err *err);

/* Look only: print the manifest with a column todo, or say on standard error
 * how much there would be to do.
 *
 *   in   root   the data set, which need not exist
 *   in   print  the manifest
 */
enum iris_status gen_plan(const struct iris_cli *cli, const char *root, const char *input,
                          int print, const struct iris_entry_run *run, struct iris_err *err);

/* Tell the workers that the run is over. */
void gen_dismiss(struct gen_job *job, enum iris_status status);

#endif
