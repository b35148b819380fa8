/* gen_message -- what master and workers of iris-gen say to each other. */
#ifndef IRIS_GEN_MESSAGE_H
#define IRIS_GEN_MESSAGE_H

#include "gen.h"

/* The first byte of a message from the master. */
enum { GEN_TASK = 'T', GEN_END = 'E' };

/* How far a failure reaches. */
enum gen_scope {
    GEN_POINT,    /* this point */
    GEN_SNAPSHOT, /* every point of the snapshot not begun yet */
    GEN_FOREIGN,  /* every point of the snapshot: it is not the one recorded */
    GEN_RUN       /* nothing can be written: the run is over */
};

struct gen_task {
    const char *id, *path;
    uint64_t files;
    uint32_t point;
};

struct gen_result {
    enum iris_status status;
    enum gen_scope scope;
    char message[1024];
    struct iris_buf warnings;
};

/* Strings in a row, each with its NUL; a string that is missing reads as "". */
void gen_put(struct iris_buf *b, const char *s);
void gen_put_number(struct iris_buf *b, uint64_t v);
const char *gen_take(const struct iris_buf *b, size_t *at);
uint64_t gen_take_number(const struct iris_buf *b, size_t *at);

/* Make a point, whoever asked. */
void gen_do(struct gen_job *job, const struct gen_task *task, struct gen_result *r);

#endif
