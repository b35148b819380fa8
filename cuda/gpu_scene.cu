/* What is observed, brought to the GPU: tables, weights, grids. */
#include "gpu_state.h"

extern "C" {
#include "transfer_ray.h"
}

/* Bytes on their way to a room, that are gathered on the processor first. */
struct freight {
    struct iris_layout its, ours; /* the same places */
};

/* Put an array in; where it will be. Without a block it is only counted. */
static void *
put(struct freight *f, const void *from, size_t bytes)
{
    void *to = iris_lay(&f->its, bytes);
    void *here = iris_lay(&f->ours, bytes);

    if (here && bytes)
        memcpy(here, from, bytes);
    return to;
}

static double *
put_doubles(struct freight *f, const double *from, size_t n)
{
    return (double *)put(f, from, n * sizeof *from);
}

static void
put_table(struct freight *f, struct iris_line_table *t)
{
    t->rho = put_doubles(f, t->rho, t->n_N);
    t->x = put_doubles(f, t->x, t->n_x);
    t->T = put_doubles(f, t->T, t->n_T);
    t->node = put_doubles(f, t->node, iris_line_table_size(t));
}

static void
put_abundance(struct freight *f, struct iris_abundance *a)
{
    if (a->kind != IRIS_ABUNDANCE_TABLE)
        return;
    a->ln_N = put_doubles(f, a->ln_N, a->n_N);
    a->ln_T = put_doubles(f, a->ln_T, a->n_T);
    a->x = put_doubles(f, a->x, a->n_N * a->n_T);
}

/* A line, with what the processor's solver has worked out. */
static void
put_line(struct freight *f, const struct iris_solver *t, size_t i, struct iris_gpu_line *line)
{
    const struct iris_band *b = &t->band[i];
    const struct iris_transfer_law *law = &t->law;
    double T_cmb = law->T_cmb * law->units.temperature;
    int k;

    *line = {};
    line->table = *t->line[i].table;
    line->abundance = t->line[i].abundance;
    line->step = b->step;
    line->grid = b->grid;
    line->transfer = law->transfer;
    line->integration = law->integration;
    line->subtraction = law->subtraction;
    line->output = law->output;
    line->far_to_near = law->far_to_near;
    line->consistent = law->consistent_formal;
    line->n_r = (unsigned)law->r_steps;
    line->v_steps = (unsigned)law->v_steps;
    line->fine = (unsigned)iris_transfer_fine(law);
    line->v_subsamples = (unsigned)law->v_subsamples;
    line->ds = law->ds;
    line->nu_first = b->nu_first;
    line->nu_step = b->nu_step;
    for (k = 0; k < 3; k++) {
        line->node[k] = b->bundle.node[k];
        line->node_background[k] = iris_transfer_planck(&t->constant, line->node[k], T_cmb);
    }
    line->exact = iris_transfer_is_left(law, t->constant.c) || !iris_gpu_is_fast(line);
    put_table(f, &line->table);
    put_abundance(f, &line->abundance);
    line->background = put_doubles(f, b->background, law->v_steps);
    line->scale = put_doubles(f, b->scale, law->v_steps);
    line->weight = put_doubles(f, t->weight, law->r_steps);
}

static void
put_pair(struct freight *f, const struct iris_pair_law *law, const double *share,
         struct iris_stage *s)
{
    const struct iris_beam *b = law->beam;
    const int flag[IRIS_FLAGS] = {0};

    s->blur = put_doubles(f, law->sky.blur.weight[0], 3 * IRIS_BLUR_MAX);
    s->share = put_doubles(f, share, law->sky.lat_steps);
    s->lon_weight = put_doubles(f, b->lon.weight, b->lon.size);
    s->lat_weight = put_doubles(f, b->lat.weight, b->lat.size);
    s->flag = (int *)put(f, flag, sizeof flag);
}

static void
put_all(struct freight *f, const struct iris_solver *t, const double *share, struct iris_stage *s)
{
    size_t i;

    f->its.used = f->ours.used = 0;
    put_pair(f, s->scene.pair, share, s);
    for (i = 0; i < s->n_lines; i++)
        put_line(f, t, i, &s->line[i]);
}

void
iris_gpu_drop_scene(struct iris_gpu *g)
{
    iris_room_make(g, &g->stage.room, 0, 0, NULL);
    free(g->stage.line);
    g->stage = {};
}

static enum iris_status
send(struct iris_gpu *g, const struct iris_solver *t, const double *share, struct iris_err *err)
{
    struct iris_stage *s = &g->stage;
    struct freight f = {};
    enum iris_status st;

    put_all(&f, t, share, s);
    st = iris_room_make(g, &s->room, f.its.used, 0, err);
    if (st)
        return st;
    f.ours.block = (char *)malloc(f.its.used);
    if (!f.ours.block)
        return iris_fail_memory(err);
    f.its.block = s->room.block;
    put_all(&f, t, share, s);
    st = iris_gpu_fail(g,
                       cudaMemcpy(s->room.block, f.ours.block, f.its.used, cudaMemcpyHostToDevice),
                       "cannot take the tables of the lines", err);
    free(f.ours.block);
    return st;
}

static int
is_there(const struct iris_stage *s, const struct iris_scene *scene)
{
    return s->scene.pair == scene->pair && s->scene.simple == scene->simple &&
           s->scene.transfer == scene->transfer && s->scene.line == scene->line;
}

enum iris_status
iris_gpu_bring_scene(struct iris_gpu *g, const struct iris_scene *scene, struct iris_err *err)
{
    const struct iris_pair_law *law = scene->pair;
    struct iris_stage *s = &g->stage;
    struct iris_solver *t = NULL;
    enum iris_status st = IRIS_OK;
    double *share;

    if (s->room.block && is_there(s, scene))
        return IRIS_OK;
    iris_gpu_drop_scene(g);
    s->scene = *scene;
    s->n_lines = scene->simple ? 0 : law->n_lines;
    s->values = iris_scene_values(scene);
    s->line = (struct iris_gpu_line *)calloc(s->n_lines + 1, sizeof *s->line);
    share = (double *)malloc(law->sky.lat_steps * sizeof *share);
    if (!s->line || !share)
        st = iris_fail_memory(err);
    if (!st && s->n_lines)
        st = iris_solver_new(scene->transfer, scene->line, s->n_lines, &t, err);
    if (!st) {
        iris_beam_shares(&law->beam->lat, share);
        st = send(g, t, share, err);
    }
    iris_solver_free(t);
    free(share);
    if (st)
        iris_gpu_drop_scene(g);
    return st;
}

/* ---- spectra ---- */

void
iris_lay_rays(struct iris_layout *l, const struct iris_stage *s, size_t rays,
              struct iris_rays_work *w)
{
    struct iris_marched *m = &w->marched;
    const struct iris_gpu_line *line = s->line;

    *w = {};
    w->spectra = (double *)iris_lay(l, rays * s->values * sizeof *w->spectra);
    if (!s->n_lines)
        return;
    m->I = (double *)iris_lay(l, rays * line->grid.n * sizeof *m->I);
    m->C = (double *)iris_lay(l, rays * line->v_steps * sizeof *m->C);
    m->nodes = (double *)iris_lay(l, rays * 3 * sizeof *m->nodes);
    m->reach = (struct iris_reach *)iris_lay(l, rays * sizeof *m->reach);
    m->is = (unsigned *)iris_lay(l, rays * sizeof *m->is);
    if (iris_gpu_is_fast(line))
        m->row = (struct iris_row *)iris_lay(l, rays * line->n_r * sizeof *m->row);
}

cudaError_t
iris_gpu_spectra(const struct iris_stage *s, const struct iris_rays_at *rays,
                 const struct iris_rays_work *w, struct iris_watch *watch, cudaStream_t stream)
{
    size_t n = iris_region_rays(&rays->seen), i;
    struct iris_marched out = w->marched;
    cudaError_t e;

    out.watch = watch;
    if (!s->n_lines)
        return iris_gpu_simple(rays, s->scene.simple, w->spectra, stream);
    for (i = 0; i < s->n_lines; i++) {
        const struct iris_gpu_line *line = &s->line[i];

        IRIS_TRY(e, cudaMemsetAsync(out.is, 0, n * sizeof *out.is, stream));
        if (!line->exact && line->integration == IRIS_FORMAL)
            IRIS_TRY(e, iris_gpu_march_formal(rays, line, out, stream));
        else if (!line->exact)
            IRIS_TRY(e, iris_gpu_march_smooth(rays, line, out, stream));
        IRIS_TRY(e, iris_gpu_march_exact(rays, line, out, stream));
        IRIS_TRY(e, iris_tick(watch, IRIS_GPU_EXACT, stream));
        IRIS_TRY(e, iris_gpu_collect(n, line, out, w->spectra + i * line->v_steps, s->values,
                                     s->flag + IRIS_FLAG_GAS, stream));
        IRIS_TRY(e, iris_tick(watch, IRIS_GPU_REDUCING, stream));
    }
    return cudaSuccess;
}
