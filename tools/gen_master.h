/* gen_master -- rank 0's view of a run. Private to gen_master.c and what it is made
 * of. */
#ifndef IRIS_GEN_MASTER_H
#define IRIS_GEN_MASTER_H

#include "gen_caches.h"
#include "gen_input.h"
#include "gen_nodes.h"
#include "gen_split.h"

struct gen_worker {
    struct gen_share share; /* what it works on */
    int busy;
    int ahead;   /* it loads the snapshot of share, no more */
    size_t last; /* index of the snapshot it has at hand, SIZE_MAX: none */
};

/* Puts points together that were made in parts, whatever rank 0 makes meanwhile. */
struct gen_finisher {
    struct iris_maker maker;
    const struct iris_variant *variant; /* of the maker, NULL: none */
};

/* What all ranks have spent. */
struct gen_totals {
    struct iris_spent spent;
    uint64_t peak;  /* the most memory of a rank, bytes */
    double longest; /* seconds of a point that one rank has made */
    /* on GPUs */
    char gpu[128];       /* model of one of them, "": none was used */
    uint64_t gpu_peak;   /* the most memory that a rank has taken of one, bytes */
    uint64_t gpu_points; /* made there */
    double gpu_waited;   /* seconds, for leases */
};

struct gen_master {
    struct gen_job *job;
    struct iris_plan *plan;
    const struct gen_rank *ranks;
    struct gen_input input;
    struct gen_split split;
    struct gen_caches caches;
    struct gen_nodes nodes;
    struct gen_finisher finisher;
    struct gen_worker *worker; /* [ranks] */
    struct iris_suspects suspects;
    char *suspects_dir;
    size_t arrived;        /* snapshots of the plan that were looked at */
    unsigned char *on_gpu; /* [arrived] whether its points are made on GPUs */
    int told_device;       /* somebody has been told that they are not */
    size_t to_load;        /* snapshots that may be loaded, so far */
    uint64_t bytes_seen;   /* of the largest of them that was looked into */
    int running;           /* busy ranks other than 0 */
    int called_off;        /* 1: those that load ahead know that the run ends; 2: all */
    double end;            /* when it has to be over, see iris_seconds; 0: never */
    struct gen_totals totals;
    struct iris_meter meter;
    double told;             /* when the status was last written */
    enum iris_status status; /* why no more work is handed out */
    struct iris_err *err;
};

/* ---- gen_hand: what is handed out ---- */

/* The deadline is near: a point that is begun now would not be done before. */
int gen_is_late(const struct gen_master *m);

/* No more points are begun; points in hand are broken off. SIGUSR1 asks for a calm
 * end, with them finished. */
int gen_is_stopped(const struct gen_master *m);
int gen_ends_at_once(const struct gen_master *m);

/* The settings of a snapshot of the plan. */
const struct iris_variant *gen_variant_of(const struct gen_master *m, size_t snapshot);

/* Send what gen_write_break or gen_write_forget writes. */
enum iris_status gen_send_plain(struct gen_master *m, int rank, void (*write)(struct iris_buf *),
                                struct iris_err *err);

/* Something to do for a rank, if there is anything. A calm end finishes the points in
 * hand.
 *
 *   out  t  what of it goes to the rank; strings of the plan
 *
 *   return  1 with *t, or 0; then m->job->broken tells whether ranks are lost
 */
int gen_next_share(struct gen_master *m, int rank, struct gen_task *t, struct iris_err *err);

/* ---- gen_device ---- */

/* A row has come, its settings are on record: where its points are made.
 *
 *   return  IRIS_OK, or as cli_gpu_decide
 */
enum iris_status gen_choose_device(struct gen_master *m, size_t snapshot, struct iris_err *err);

/* The same where nothing is made: nothing is recorded. */
enum iris_status gen_look_device(const struct gen_job *job, const struct iris_dataset *dataset,
                                 const struct iris_variant *v, int *on_gpu, struct iris_err *err);

/* ---- gen_finish ---- */

/* How points of these settings may be made in parts. */
enum iris_status gen_finisher_parts(struct gen_finisher *f, const struct gen_job *job,
                                    const struct iris_variant *v, struct iris_parts *parts,
                                    struct iris_err *err);

/* All parts are in: *r becomes the point's. */
void gen_finisher_do(struct gen_finisher *f, struct gen_job *job, const struct iris_variant *v,
                     const char *id, const struct gen_open *open, struct gen_result *r);
void gen_finisher_release(struct gen_finisher *f);

/* ---- gen_status ---- */

void gen_count(struct gen_totals *t, const struct gen_task *task, const struct gen_result *r);

/* Progress for people, and the file that watchers read, when they are due. */
void gen_show(struct gen_master *m, int last);
void gen_write_status(const struct gen_master *m, const char *state);

/* What it took, when -v asks for it. */
void gen_say_totals(const struct gen_master *m);

/* ---- gen_memory ---- */

/* A snapshot has come that may be loaded: have all nodes room for it?
 *
 *   return  IRIS_OK, or IRIS_E_IO and a sentence that tells the way out
 */
enum iris_status gen_memory_check(struct gen_master *m, const struct iris_plan_snapshot *s,
                                  struct iris_err *err);

/* Bytes of a node that n snapshots of so many cells take, one of them being loaded,
 * and the tables of the run's own settings. */
enum iris_status gen_memory_need(const struct gen_job *job, size_t n, size_t cells, uint64_t *bytes,
                                 struct iris_err *err);

#endif
