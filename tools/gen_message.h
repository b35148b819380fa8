/* gen_message -- what master and workers of iris-gen say to each other. */
#ifndef IRIS_GEN_MESSAGE_H
#define IRIS_GEN_MESSAGE_H

#include "gen.h"

/* The first byte of a message from the master. */
enum { GEN_TASK = 'T', GEN_FORGET = 'F', GEN_BREAK = 'B', GEN_END = 'E' };

/* How far a failure reaches. */
enum gen_scope {
    GEN_POINT,    /* this point */
    GEN_SNAPSHOT, /* every point of the snapshot not begun yet */
    GEN_FOREIGN,  /* every point of the snapshot: it is not the one recorded */
    GEN_RUN       /* nothing can be written: the run is over */
};

enum gen_kind {
    GEN_KIND_POINT, /* or a part of one, or a comparison: see point and lon1 */
    GEN_KIND_AHEAD, /* load the snapshot, for others */
    GEN_KIND_TRY    /* make longitudes of a point and throw them away */
};

struct gen_task {
    enum gen_kind kind;
    const char *id, *path;
    uint64_t files;
    uint32_t point;
    uint64_t lon0, lon1;          /* longitudes of the point; 0, 0: the whole of it */
    const char *changes, *digest; /* of the settings, see iris_variant */
    int on_gpu;                   /* made by a GPU */
};

struct gen_result {
    enum iris_status status;
    enum gen_scope scope;
    char message[1024];
    struct iris_buf warnings;
    double *strips; /* [n_strips] of a part, owned; NULL otherwise */
    size_t n_strips;
    int gas; /* a part had some */
    double seconds;
    struct iris_spent spent;
    uint64_t peak; /* of the memory of the process so far, bytes */
    uint64_t own;  /* of it at present what is this process's alone, bytes */
    /* made on a GPU */
    char gpu[128];     /* its model, "": none was used so far */
    uint64_t gpu_peak; /* of its memory so far, bytes */
    double waited;     /* for a lease of it, seconds; not in spent */
};

void gen_result_release(struct gen_result *r);

/* Break off the point in hand; the answer is its result all the same. It may come
 * when there is none any more. */
void gen_write_break(struct iris_buf *b);

/* To a rank that waits: it has no use for its snapshot any more. */
void gen_write_forget(struct iris_buf *b);

/* The end of the run, and with what. */
void gen_write_end(struct iris_buf *b, enum iris_status status);
enum iris_status gen_read_end(const struct iris_buf *b);

/* A task and a result as messages; what is read of a task is in the message. */
enum iris_status gen_write_task(struct iris_buf *b, const struct gen_task *t, struct iris_err *err);
void gen_read_task(const struct iris_buf *b, struct gen_task *t);
enum iris_status gen_write_result(struct iris_buf *b, const struct gen_result *r,
                                  struct iris_err *err);
enum iris_status gen_read_result(const struct iris_buf *b, struct gen_result *r,
                                 struct iris_err *err);

/* Make a point or a part of it, whoever asked.
 *
 *   out  r  zeroed before; gen_result_release
 */
void gen_do(struct gen_job *job, const struct gen_task *task, struct gen_result *r);

/* A line of the journal. */
void gen_journal_add(struct gen_job *job, const struct gen_task *task, const struct gen_result *r);

#endif
