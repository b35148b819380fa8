#include "trial.h"

#include <math.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include "simd.h"

void *
trial_need(size_t bytes)
{
    void *p = calloc(bytes ? bytes : 1, 1);

    if (!p) {
        fprintf(stderr, "no memory\n");
        exit(IRIS_E_IO);
    }
    return p;
}

void
trial_must(enum iris_status st, const struct iris_err *err)
{
    if (st) {
        printf("Bail out! %s\n", err->msg);
        exit((int)st);
    }
}

double
trial_now(void)
{
    struct timespec t;

    clock_gettime(CLOCK_MONOTONIC, &t);
    return (double)t.tv_sec + 1e-9 * (double)t.tv_nsec;
}

/* ---- threads ---- */

struct crew {
    pthread_mutex_t lock;
    size_t next, n;
    void (*fn)(void *self, size_t i);
    void *self;
};

static void *
work(void *self)
{
    struct crew *c = self;

    for (;;) {
        size_t i;

        pthread_mutex_lock(&c->lock);
        i = c->next++;
        pthread_mutex_unlock(&c->lock);
        if (i >= c->n)
            return NULL;
        c->fn(c->self, i);
    }
}

void
trial_parallel(size_t n, void (*fn)(void *self, size_t i), void *self)
{
    enum { MOST = 64 };
    struct crew crew = {PTHREAD_MUTEX_INITIALIZER, 0, n, fn, self};
    pthread_t thread[MOST];
    long processors = sysconf(_SC_NPROCESSORS_ONLN);
    size_t many = processors < 1 ? 1 : processors > MOST ? MOST : (size_t)processors, i;

    for (i = 0; i < many && i < n; i++)
        if (pthread_create(&thread[i], NULL, work, &crew))
            break;
    many = i;
    if (!many)
        work(&crew);
    for (i = 0; i < many; i++)
        pthread_join(thread[i], NULL);
}

/* ---- strips ---- */

size_t
trial_strip(const struct trial_scene *s)
{
    return iris_pair_strip(&s->pair, s->values);
}

/* An observer of one thread. */
struct eye {
    struct iris_simple_law simple;
    struct iris_line_observer lines;
    struct iris_observer observer;
};

static void
eye_init(struct eye *e, const struct trial_scene *s, int precise)
{
    struct iris_transfer_law law = s->transfer;
    struct iris_err err = {0};

    *e = (struct eye){.simple = s->simple};
    if (s->scene.simple) {
        e->observer = iris_observer_simple(&e->simple);
        return;
    }
    law.precise = precise;
    trial_must(iris_line_observer_init(&e->lines, &law, s->line, s->pair.n_lines, &err), &err);
    e->observer = iris_observer_lines(&e->lines);
}

static void
part(const struct trial_scene *s, int precise, size_t lon0, size_t lon1, double *strips)
{
    struct iris_sampler sampler = s->sampler;
    struct iris_columns columns;
    struct iris_err err = {0};
    struct eye eye;

    sampler.kernels = iris_kernels_best();
    columns = iris_columns_of_sampler(&sampler);
    eye_init(&eye, s, precise);
    trial_must(iris_pair_part(&s->pair, &columns, &eye.observer, NULL, lon0, lon1, strips, &err),
               &err);
    iris_line_observer_release(&eye.lines);
}

struct strips {
    const struct trial_scene *scene;
    int precise;
    const size_t *lon;
    double *strips;
};

static void
one_longitude(void *self, size_t i)
{
    const struct strips *s = self;

    part(s->scene, s->precise, s->lon[i], s->lon[i] + 1, s->strips + i * trial_strip(s->scene));
}

void
trial_strips(const struct trial_scene *s, int precise, const size_t *lon, size_t n, double *strips)
{
    struct strips all = {s, precise, lon, strips};

    trial_parallel(n, one_longitude, &all);
}

double
trial_seconds(const struct trial_scene *s, size_t lon0, size_t lon1)
{
    double *strips = trial_need((lon1 - lon0) * trial_strip(s) * sizeof *strips);
    double start = trial_now();

    part(s, 0, lon0, lon1, strips);
    free(strips);
    return trial_now() - start;
}

/* ---- maps ---- */

void
trial_maps_init(struct trial_maps *m, const struct trial_scene *s, const double *strips)
{
    size_t n_lon = s->pair.sky.lon_steps;
    struct iris_err err = {0};

    m->n_column = (s->pair.crop_max - s->pair.crop_min) * n_lon;
    m->n_observed = s->values * n_lon;
    m->column = trial_need(m->n_column * sizeof *m->column);
    m->observed = trial_need(m->n_observed * sizeof *m->observed);
    trial_must(iris_pair_finish(&s->pair, s->values, strips, m->column, m->observed, &err), &err);
}

void
trial_maps_release(struct trial_maps *m)
{
    free(m->column);
    free(m->observed);
    *m = (struct trial_maps){0};
}

double
trial_apart(const float *a, const float *b, size_t n)
{
    double most = 0, peak = 0;
    size_t i;

    for (i = 0; i < n; i++) {
        double off = fabs((double)a[i] - (double)b[i]);

        if (!isfinite(off))
            return (double)INFINITY;
        most = off > most ? off : most;
        peak = fabs((double)b[i]) > peak ? fabs((double)b[i]) : peak;
    }
    return most > 0 ? most / peak : 0;
}
