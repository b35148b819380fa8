#include <math.h>
#include <pthread.h>
#include <signal.h>
#include <stdlib.h>

#include "lines_file.h"

/* What iris_lines_make is at. Temperatures of all lines are counted through, and
 * given out in that order, so that whatever fails first in it is done in any
 * case, and is what is said. */
struct making {
    struct iris_lines *lines;
    const struct iris_lines_effort *effort;
    size_t total;
    pthread_mutex_t lock; /* of what follows */
    size_t next, done;
    int stopped;
    size_t failed; /* the first, total: none */
    enum iris_status st;
    struct iris_err why;
};

/*   return  whether there is a temperature left to solve */
static int
take(struct making *m, size_t *at)
{
    int is_there;

    pthread_mutex_lock(&m->lock);
    is_there = !m->stopped && m->failed == m->total && m->next < m->total;
    if (is_there)
        *at = m->next++;
    pthread_mutex_unlock(&m->lock);
    return is_there;
}

static void
give(struct making *m, size_t at, enum iris_status st, const struct iris_err *why)
{
    pthread_mutex_lock(&m->lock);
    m->done++;
    if (st && at < m->failed) {
        m->failed = at;
        m->st = st;
        m->why = *why;
    }
    pthread_mutex_unlock(&m->lock);
}

static struct iris_lines_item *
item_at(const struct making *m, size_t *at)
{
    struct iris_lines_item *item = m->lines->line;

    for (; *at >= item->table.n_T; item++)
        *at -= item->table.n_T;
    return item;
}

static void
solve_next(struct making *m, size_t at)
{
    const struct iris_lines_item *item;
    struct iris_line_table table;
    struct iris_table_law law;
    struct iris_err why = {0};
    enum iris_status st;
    size_t iT = at;

    item = item_at(m, &iT);
    table = item->table;
    law = item->law;
    law.balance.kernels = m->effort->kernels;
    st = iris_line_table_solve(&table, &item->molecule, &law, iT, 1, &why);
    give(m, at, st, &why);
}

static void *
work(void *self)
{
    struct making *m = self;
    size_t at;

    while (take(m, &at))
        solve_next(m, at);
    return NULL;
}

/* Ask whether to go on, unless all is done. */
static void
ask(struct making *m)
{
    const struct iris_lines_pause *pause = &m->effort->pause;
    size_t done;

    pthread_mutex_lock(&m->lock);
    done = m->done;
    pthread_mutex_unlock(&m->lock);
    if (!pause->fn || done == m->total || !pause->fn(pause->self, done, m->total))
        return;
    pthread_mutex_lock(&m->lock);
    m->stopped = 1;
    pthread_mutex_unlock(&m->lock);
}

/* The caller's part. */
static void
work_and_ask(struct making *m)
{
    size_t at;

    while (take(m, &at)) {
        solve_next(m, at);
        ask(m);
    }
}

/* Where a thread cannot be had, those there are do its work. */
static void
work_together(struct making *m, pthread_t *thread, size_t n)
{
    sigset_t all, before;
    size_t started = 0;

    ask(m);
    sigfillset(&all);
    pthread_sigmask(SIG_SETMASK, &all, &before);
    while (started < n && !pthread_create(&thread[started], NULL, work, m))
        started++;
    pthread_sigmask(SIG_SETMASK, &before, NULL);
    work_and_ask(m);
    while (started > 0)
        pthread_join(thread[--started], NULL);
}

static enum iris_status
solve_all(struct making *m, struct iris_err *err)
{
    size_t threads = m->effort->threads, at = m->failed;
    const struct iris_lines_item *item;
    pthread_t *thread;

    if (threads > m->total)
        threads = m->total;
    thread = malloc((threads + 1) * sizeof *thread);
    if (!thread)
        return iris_fail_memory(err);
    work_together(m, thread, threads ? threads - 1 : 0);
    free(thread);
    if (m->failed < m->total) {
        at = m->failed;
        item = item_at(m, &at);
        if (m->st != IRIS_E_DATA)
            return iris_fail(err, m->st, "%s", m->why.msg);
        return iris_fail(err, m->st, CHEM_PATH "[%zu]: '%s': %s", (size_t)(item - m->lines->line),
                         item->settings.chem_path, m->why.msg);
    }
    if (m->stopped && m->done < m->total)
        return iris_fail(err, IRIS_E_RETRY,
                         "stopped with %zu of %zu temperatures done; run again to start over",
                         m->done, m->total);
    return IRIS_OK;
}

static enum iris_status
finish(const struct iris_lines *l, size_t i, struct iris_err *err)
{
    struct iris_line_table *t = &l->line[i].table;
    size_t k, n = iris_line_table_size(t);

    iris_line_table_gradients(t);
    for (k = 0; k < n; k++)
        if (!isfinite(t->node[k]))
            return iris_fail(err, IRIS_E_DATA,
                             CHEM_PATH "[%zu]: '%s': its coefficients give tables with values "
                                       "that are not finite",
                             i, l->line[i].settings.chem_path);
    return IRIS_OK;
}

enum iris_status
iris_lines_make(struct iris_lines *l, const struct iris_lines_effort *effort, struct iris_err *err)
{
    const struct iris_lines_pause *pause = &effort->pause;
    enum iris_status st = iris_lines_allocate(l, err);
    struct making m = {.lines = l, .effort = effort};
    size_t i;

    if (st)
        return st;
    for (i = 0; i < l->n; i++)
        m.total += l->line[i].table.n_T;
    m.failed = m.total;
    pthread_mutex_init(&m.lock, NULL);
    st = solve_all(&m, err);
    pthread_mutex_destroy(&m.lock);
    for (i = 0; i < l->n && !st; i++)
        st = finish(l, i, err);
    if (!st && pause->fn)
        pause->fn(pause->self, m.total, m.total);
    return st;
}
