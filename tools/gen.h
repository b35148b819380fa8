/* gen -- the two sides of iris-gen: the master that hands out points and the
 * workers that make them. Rank 0 is both. */
#ifndef IRIS_GEN_H
#define IRIS_GEN_H

#include "cli.h"
#include "cli_gpu.h"
#include "dataset.h"
#include "err.h"
#include "flight.h"
#include "hyper.h"
#include "lines.h"
#include "maker.h"
#include "node.h"
#include "plan.h"
#include "pool.h"
#include "variant.h"

/* ---- what is asked for ---- */

enum gen_mode { GEN_MAKE, GEN_PLAN, GEN_DRY_RUN, GEN_DIGEST, GEN_ESTIMATE, GEN_INFO };

struct gen_options {
    struct iris_cli cli;
    enum gen_mode mode;
    const char *hyper, *dataset, *input, *lines;
    const char *run; /* name of the run, NULL: none */
    struct cli_gpu_options gpu;
    enum iris_type type;
    uint32_t round;
    int precise, release, retry_failed;
    size_t read_ahead;
    uint64_t memory; /* bytes of a node, 0: what is free */
    int has_deadline;
    double deadline; /* seconds, NaN: Slurm is asked */
};

/* Options have their defaults before.
 *
 *   return  IRIS_OK       also when cli.done was set
 *           IRIS_E_USAGE
 */
enum iris_status gen_parse(int argc, char **argv, struct gen_options *o, struct iris_err *err);
extern const char gen_usage[];

/* ---- what a process has ---- */

/* The line tables of the settings at hand: made or read by the rank of a node that
 * needs them first, shared by all of them. */
struct gen_lines {
    struct iris_node *node;
    const struct iris_hyper *hyper; /* NULL: none yet */
    const char *path;               /* of the file they are read from, NULL: computed */
    int is_own;                     /* the settings are the run's own: a file must fit */
    struct iris_lines lines;
    int ready;
    const struct iris_pause *pause; /* called while they are made or waited for */
};

/*   collective  every rank */
enum iris_status gen_lines_start(struct gen_lines *g, struct iris_pool *pool, const char *path,
                                 struct iris_err *err);
void gen_lines_end(struct gen_lines *g);

/* Other settings from now on. Nobody has the tables of those before any more. */
void gen_lines_turn(struct gen_lines *g, const struct iris_hyper *h, int is_own);
struct iris_tables gen_lines_tables(struct gen_lines *g);

/* The cells of snapshots, once for all ranks of a node. */
struct iris_commons gen_commons(struct iris_node *node);

struct gen_job {
    const struct gen_options *o;
    const struct iris_cli *cli; /* of o */
    struct iris_pool *pool;
    struct iris_variant_law law;
    struct iris_dataset *dataset; /* rank 0: locked; others: where it is */
    struct iris_node *cells;
    struct gen_lines lines;
    const struct iris_kernels *kernels;
    struct cli_gpu gpu;
    struct iris_flight_before laid_aside; /* what was in hand before a lease was waited for */
    int has_gpus;                         /* rank 0: every rank can use one, and may */
    struct iris_variant *variant;         /* at hand, NULL: none yet */
    struct iris_maker maker;              /* of that */
    struct iris_pause pause;              /* of the maker */
    struct iris_flight flight;
    int looks_only; /* nothing is made: see iris_maker */
    int journal;    /* descriptor, -1 */
    uint64_t seq;   /* tasks in the journal */
    double start;   /* of the program, see iris_seconds */
    int broken;     /* ranks cannot be reached: the job can only be aborted */
    /* of a worker */
    int called_off;        /* the master wants no more of the point in hand */
    struct iris_buf heard; /* what it has said meanwhile */
};

/* Make a maker ready for settings; cheap when they are at hand.
 *
 *   in   changes  see iris_variant
 *   in   digest   what rank 0 calls them, NULL: not told
 *
 *   return  IRIS_OK, as iris_variant_new, or IRIS_E_DATA: here they have another digest
 */
enum iris_status gen_turn(struct gen_job *job, const char *changes, const char *digest,
                          struct iris_err *err);

/* ---- ranks ---- */

/* What rank 0 knows of a rank. */
struct gen_rank {
    char *text; /* all of it, cut into the fields */
    const char *version, *build, *digest, *options, *host, *mpi, *hdf5, *simd;
    const char *model;       /* of a GPU of its node, "." where that is not known */
    const char *no_gpu;      /* why it cannot use any, "" */
    enum iris_status status; /* not IRIS_OK: it cannot go on, and why */
    const char *failure;
    int first, node_rank, node_size; /* as struct iris_pool_node */
    uint64_t processors, memory, memory_free, gpus, usable_gpus;
};

/* Every rank has read its command line: nothing is done unless all have come to the
 * same.
 *
 *   in     st     how it ended here
 *   in     asked  what was asked for, a number
 *   inout  err
 *
 *   return      the same on all ranks
 *   collective  every rank
 */
enum iris_status gen_meet_parsed(struct iris_pool *pool, enum iris_status st, int asked,
                                 struct iris_err *err);

/* Rank 0's verdict is everybody's.
 *
 *   in     st   rank 0: the verdict
 *   inout  err
 *
 *   return      the same on all ranks
 *   collective  every rank
 */
enum iris_status gen_hear(struct iris_pool *pool, enum iris_status st, struct iris_err *err);

/* Tell rank 0 what this one is, and compare: all ranks are the same program with the
 * same settings, or nothing is done.
 *
 *   in   digest   of the settings, as this rank sees them; NULL: see failed
 *   in   failed   why this rank cannot go on, NULL: it can
 *   out  all      rank 0: [size] ranks, gen_ranks_free; NULL elsewhere
 *
 *   return      the same on all ranks
 *   collective  every rank
 */
enum iris_status gen_meet(const struct gen_options *o, struct iris_pool *pool, const char *digest,
                          const struct iris_err *failed, struct gen_rank **all,
                          struct iris_err *err);
void gen_ranks_free(struct gen_rank *all, size_t n);

/* Whether points can be made on GPUs, where the options leave that open: every rank can
 * use one. That none can, although one should be there, is a warning.
 *
 *   in   all  [n] ranks
 */
int gen_have_gpus(const struct gen_options *o, const struct gen_rank *all, size_t n);

/* Print a row for each of them. */
enum iris_status gen_info(const struct iris_cli *cli, const struct gen_rank *all, size_t n,
                          struct iris_err *err);

/* ---- the run ---- */

/* Append what was done to this rank's journal; a failure to do so is no failure. */
void gen_journal_open(struct gen_job *job);
void gen_journal_close(struct gen_job *job);

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
 *   in   ranks  [size of the pool]
 *   out  plan   what was done
 *
 *   return  IRIS_OK       all points done or failed: see plan->failed
 *           IRIS_E_RETRY  stopped by a signal or the deadline, or who wrote the
 *                         manifest has gone
 *           or what made it impossible to go on; the workers wait in any case
 */
enum iris_status gen_master(struct gen_job *job, const struct gen_rank *ranks,
                            struct iris_plan *plan, struct iris_err *err);

/* Print the manifest of the points of a run that is finished.
 *
 *   return  IRIS_OK, IRIS_E_SOME for points that failed, or what kept it from being
 *           written
 */
enum iris_status gen_report(const struct iris_cli *cli, const struct iris_plan *plan,
                            struct iris_err *err);

/* Look only: print the manifest with what there is to do for each row, or say it
 * on standard error. */
enum iris_status gen_plan(const struct gen_options *o, const struct iris_variant_law *law,
                          struct iris_err *err);

/* Measure, and print what the run will take. Rank 0; the others are at gen_work.
 *
 *   in   ranks  [size of the pool]
 */
enum iris_status gen_estimate(struct gen_job *job, const struct gen_rank *ranks,
                              struct iris_err *err);

/* Tell the workers that the run is over. */
void gen_dismiss(struct gen_job *job, enum iris_status status);

#endif
