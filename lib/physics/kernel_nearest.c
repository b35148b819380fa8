#include "kernel.h"
#include "nearest.h"
#include "nearest_law.h"

/* ---- candidates ---- */

/* Sixteen that may be put behind the others. */
struct group {
    float x[IRIS_LANES], y[IRIS_LANES], z[IRIS_LANES], n2[IRIS_LANES];
    int32_t keep[IRIS_LANES]; /* -1 or 0 */
};

#ifdef __AVX512F__

static inline void
append_floats(float *to, __mmask16 keep, const float *from)
{
    _mm512_storeu_ps(to, _mm512_maskz_compress_ps(keep, _mm512_loadu_ps(from)));
}

static inline void
append(struct iris_near *out, const struct group *g, const uint32_t *cell)
{
    __mmask16 keep = _mm512_movepi32_mask(_mm512_loadu_si512(g->keep));
    size_t n = out->n;

    append_floats(out->x + n, keep, g->x);
    append_floats(out->y + n, keep, g->y);
    append_floats(out->z + n, keep, g->z);
    append_floats(out->n2 + n, keep, g->n2);
    _mm512_storeu_si512(out->cell + n, _mm512_maskz_compress_epi32(keep, _mm512_loadu_si512(cell)));
    out->n = n + (size_t)__builtin_popcount(keep);
}

/* The lane of the least, the first of equals; none is a NaN. */
static inline int32_t
first_least(const float x[IRIS_LANES])
{
    __m512 v = _mm512_loadu_ps(x), least = _mm512_set1_ps(_mm512_reduce_min_ps(v));

    return __builtin_ctz(_mm512_cmp_ps_mask(v, least, _CMP_LE_OQ));
}

#else

static inline int32_t
first_least(const float x[IRIS_LANES])
{
    int32_t best = 0, l;

    for (l = 1; l < IRIS_LANES; l++)
        best = x[l] < x[best] ? l : best;
    return best;
}

static inline void
append(struct iris_near *out, const struct group *g, const uint32_t *cell)
{
    size_t n = out->n;
    int l;

    for (l = 0; l < IRIS_LANES; l++) {
        out->x[n] = g->x[l];
        out->y[n] = g->y[l];
        out->z[n] = g->z[l];
        out->n2[n] = g->n2[l];
        out->cell[n] = cell[l];
        n += (size_t)-g->keep[l];
    }
    out->n = n;
}

#endif

static void
close_list(struct iris_near *out)
{
    int l;

    for (l = 0; l < IRIS_NEAR_PAD; l++) {
        out->x[out->n + (size_t)l] = out->y[out->n + (size_t)l] = out->z[out->n + (size_t)l] = 0;
        out->n2[out->n + (size_t)l] = __builtin_inff();
        out->cell[out->n + (size_t)l] = 0;
    }
}

/* A block and a pivot, as each test needs them. */
struct duel {
    float q[3], span[3], pivot[3], s0;
};

static inline struct duel
duel_of(const struct iris_near_block *b, const float pivot[4])
{
    struct duel d;
    int k;

    for (k = 0; k < 3; k++) {
        d.q[k] = 2 * b->centre[k];
        d.span[k] = b->span[k];
        d.pivot[k] = pivot[k];
    }
    d.s0 = pivot[3] -
           2 * (b->centre[0] * pivot[0] + b->centre[1] * pivot[1] + b->centre[2] * pivot[2]) +
           b->margin;
    return d;
}

/* Which of sixteen does the pivot not beat everywhere in the block? By how
 * much a candidate c is behind at p is linear in p:
 *     |p - c|^2 - |p - c0|^2 = |c|^2 - |c0|^2 - 2 p (c - c0)
 * so it is least at a corner. What cannot be compared stays. */
static inline void
test(const struct duel *d, struct group *g)
{
    int l;

    for (l = 0; l < IRIS_LANES; l += VEC) {
        vecf x = load(g->x + l), y = load(g->y + l), z = load(g->z + l);
        vecf behind = load(g->n2 + l) - (d->q[0] * x + d->q[1] * y + d->q[2] * z) - d->s0;
        vecf reach = d->span[0] * magnitude(x - d->pivot[0]) +
                     d->span[1] * magnitude(y - d->pivot[1]) +
                     d->span[2] * magnitude(z - d->pivot[2]);

        store_int(g->keep + l, ~(behind > reach));
    }
}

static inline void
convert(const struct iris_near_frame *f, size_t at, struct group *g)
{
    float d[3][IRIS_LANES];
    const double *x = f->cells->x + at, *y = f->cells->y + at, *z = f->cells->z + at;
    int l;

    for (l = 0; l < IRIS_LANES; l++) {
        d[0][l] = (float)((x[l] - f->centre[0]) * f->scale);
        d[1][l] = (float)((y[l] - f->centre[1]) * f->scale);
        d[2][l] = (float)((z[l] - f->centre[2]) * f->scale);
    }
    for (l = 0; l < IRIS_LANES; l += VEC) {
        vecf a = load(d[0] + l), b = load(d[1] + l), c = load(d[2] + l);
        vecf u = f->turn[0][0] * a + f->turn[0][1] * b + f->turn[0][2] * c;
        vecf v = f->turn[1][0] * a + f->turn[1][1] * b + f->turn[1][2] * c;
        vecf w = f->turn[2][0] * a + f->turn[2][1] * b + f->turn[2][2] * c;

        store(g->x + l, u);
        store(g->y + l, v);
        store(g->z + l, w);
        store(g->n2 + l, u * u + v * v + w * w);
    }
}

iris_near_pack_fn IRIS_LEVEL(iris_near_pack);
void
IRIS_LEVEL(iris_near_pack)(const struct iris_near_frame *frame, const struct iris_near_block *block,
                           const float pivot[4], const struct iris_near_runs *runs,
                           struct iris_near *out)
{
    struct duel duel = duel_of(block, pivot);
    struct iris_near list = *out; /* nothing else writes to it */
    uint32_t cell[IRIS_LANES];
    struct group g;
    size_t i, at;
    int l;

    list.n = 0;
    for (i = 0; i < runs->n; i++) {
        size_t last = runs->run[i].last;

        for (at = runs->run[i].first; at < last; at += IRIS_LANES) {
            int32_t left = (int32_t)(last - at < IRIS_LANES ? last - at : IRIS_LANES);

            convert(frame, at, &g);
            test(&duel, &g);
            for (l = 0; l < IRIS_LANES; l++) {
                cell[l] = (uint32_t)at + (uint32_t)l;
                g.keep[l] &= -(l < left);
            }
            append(&list, &g, cell);
        }
    }
    close_list(&list);
    out->n = list.n;
}

/* The candidate nearest to the centre of a block. */
static size_t
central(const struct iris_near *in, const struct iris_near_block *b)
{
    float q[3] = {2 * b->centre[0], 2 * b->centre[1], 2 * b->centre[2]};
    float score[IRIS_LANES];
    int32_t which[IRIS_LANES], best;
    size_t i;
    int l;

    for (l = 0; l < IRIS_LANES; l += VEC) {
        vecf least = all(__builtin_inff());
        veci at = {0};

        for (i = 0; i < in->n; i += IRIS_LANES) {
            size_t k = i + (size_t)l;
            vecf s = load(in->n2 + k) -
                     (q[0] * load(in->x + k) + q[1] * load(in->y + k) + q[2] * load(in->z + k));
            veci less = s < least;

            least = lesser(least, s);
            at = pick_int(less, all_int((int32_t)i), at);
        }
        store(score + l, least);
        store_int(which + l, at);
    }
    best = first_least(score);
    return (size_t)which[best] + (size_t)best;
}

iris_near_reduce_fn IRIS_LEVEL(iris_near_reduce);
void
IRIS_LEVEL(iris_near_reduce)(const struct iris_near *in, const struct iris_near_block *block,
                             struct iris_near *out)
{
    size_t at = central(in, block), i;
    const float pivot[4] = {in->x[at], in->y[at], in->z[at], in->n2[at]};
    struct duel duel = duel_of(block, pivot);
    struct iris_near from = *in, list = *out; /* nothing else writes to them */
    struct group g;

    list.n = 0;
    for (i = 0; i < from.n; i += IRIS_LANES) {
        memcpy(g.x, from.x + i, sizeof g.x);
        memcpy(g.y, from.y + i, sizeof g.y);
        memcpy(g.z, from.z + i, sizeof g.z);
        memcpy(g.n2, from.n2 + i, sizeof g.n2);
        test(&duel, &g);
        append(&list, &g, from.cell + i);
    }
    close_list(&list);
    out->n = list.n;
}

/* ---- samples ---- */

/* As many vectors of samples at a time as there are registers for. */
enum { ROWS = VEC == 16 ? 4 : VEC == 8 ? 2 : 1 };

struct rows {
    vecf x[ROWS], y[ROWS], z[ROWS];
    vecf best[ROWS], second[ROWS];
    veci at[ROWS];
};

static inline void
start(const struct iris_near_rays *rays, int first, int l, struct rows *r)
{
    int i;

    for (i = 0; i < ROWS; i++) {
        float along = rays->along[first + i];

        r->x[i] = load(rays->start[0] + l) + along * load(rays->slope[0] + l);
        r->y[i] = load(rays->start[1] + l) + along * load(rays->slope[1] + l);
        r->z[i] = load(rays->start[2] + l) + along * load(rays->slope[2] + l);
        r->best[i] = r->second[i] = all(__builtin_inff());
        r->at[i] = all_int(0);
    }
}

iris_near_decide_fn IRIS_LEVEL(iris_near_decide);
uint64_t
IRIS_LEVEL(iris_near_decide)(const struct iris_near *near, const struct iris_near_rays *rays,
                             float margin, int32_t which[IRIS_NEAR_SAMPLES])
{
    int32_t unsure[IRIS_NEAR_SAMPLES] = {0};
    uint64_t mask = 0;
    int32_t j, n = (int32_t)near->n, any = 0;
    struct rows r;
    int first, i, l;

    for (first = 0; first < IRIS_NEAR_EDGE; first += ROWS) {
        for (l = 0; l < IRIS_LANES; l += VEC) {
            start(rays, first, l, &r);
            for (j = 0; j < n; j++) {
                for (i = 0; i < ROWS; i++) {
                    vecf s = near->n2[j] +
                             (near->x[j] * r.x[i] + near->y[j] * r.y[i] + near->z[j] * r.z[i]);
                    veci less = s < r.best[i];

                    r.second[i] = lesser(r.second[i], greater(r.best[i], s));
                    r.best[i] = lesser(r.best[i], s);
                    r.at[i] = pick_int(less, all_int(j), r.at[i]);
                }
            }
            for (i = 0; i < ROWS; i++) {
                store_int(which + IRIS_LANES * (first + i) + l, r.at[i]);
                store_int(unsure + IRIS_LANES * (first + i) + l,
                          ~(r.second[i] - r.best[i] > margin));
            }
        }
    }
    for (i = 0; i < IRIS_NEAR_SAMPLES; i++)
        any |= unsure[i];
    for (i = 0; i < IRIS_NEAR_SAMPLES && any; i++)
        mask |= (uint64_t)(uint32_t)-unsure[i] << i;
    return mask;
}

/* As look_up in sampler.c, sixteen cells at a time. */
static inline void
velocities(const struct iris_sampler *s, double q[3][IRIS_LANES], double u[3][IRIS_LANES],
           float *out)
{
    const struct iris_linear_map *m = &s->map;
    int l;

    for (l = 0; l < IRIS_LANES; l++) {
        double x0 = m->scale * (m->a * q[0][l] + m->b * q[1][l]);
        double x1 = m->scale * (m->b * q[0][l] + m->c * q[1][l]);
        double x2 = m->scale * q[2][l];
        double v0 = m->scale * (m->a * u[0][l] + m->b * u[1][l]);
        double v1 = m->scale * (m->b * u[0][l] + m->c * u[1][l]);
        double v2 = m->scale * u[2][l];
        double t0 = s->view.origin[0] - x0, t1 = s->view.origin[1] - x1;
        double t2 = s->view.origin[2] - x2;
        double norm = __builtin_sqrt(t0 * t0 + t1 * t1 + t2 * t2);
        double along = (v0 * t0 + v1 * t1 + v2 * t2) / norm;

        out[l] = norm > 0 ? (float)along : 0;
    }
}

iris_near_values_fn IRIS_LEVEL(iris_near_values);
void
IRIS_LEVEL(iris_near_values)(const struct iris_sampler *s, const uint32_t *cell, size_t n,
                             float value[IRIS_FIELDS][IRIS_NEAR_SAMPLES])
{
    const struct iris_cells *c = s->cells;
    double q[3][IRIS_LANES], u[3][IRIS_LANES];
    size_t first;
    int l;

    for (first = 0; first < n; first += IRIS_LANES) {
        for (l = 0; l < IRIS_LANES; l++) {
            size_t at = first + (size_t)l, i = cell[at < n ? at : n - 1];
            const struct iris_gas *gas = &c->gas[i];

            q[0][l] = c->x[i];
            q[1][l] = c->y[i];
            q[2][l] = c->z[i];
            u[0][l] = (double)gas->v[0];
            u[1][l] = (double)gas->v[1];
            u[2][l] = (double)gas->v[2];
            value[IRIS_RHO][at] = (float)((double)gas->rho * s->density);
            value[IRIS_T][at] = gas->T;
            value[IRIS_X_H2][at] = gas->x_H2;
            value[IRIS_X_CO][at] = gas->x_CO;
            value[IRIS_T_DUST][at] = gas->T_dust;
        }
        velocities(s, q, u, value[IRIS_V_R] + first);
    }
}

static inline void
look_up(const float *table, size_t n, const int32_t which[IRIS_LANES], float out[IRIS_LANES])
{
#ifdef __AVX512F__
    if (n <= IRIS_LANES) {
        _mm512_storeu_ps(out,
                         _mm512_permutexvar_ps(_mm512_loadu_si512(which), _mm512_loadu_ps(table)));
        return;
    }
#endif
    for (int l = 0; l < IRIS_LANES; l++)
        out[l] = table[which[l]];
    (void)n;
}

iris_near_spread_fn IRIS_LEVEL(iris_near_spread);
void
IRIS_LEVEL(iris_near_spread)(float value[IRIS_FIELDS][IRIS_NEAR_SAMPLES], size_t n,
                             const int32_t which[IRIS_NEAR_SAMPLES], float *out)
{
    enum { LON = IRIS_NEAR_SIDE, R = LON * IRIS_NEAR_SIDE, FIELD = R * IRIS_NEAR_SIDE };
    float row[IRIS_LANES];
    int f, i, j;

    for (f = 0; f < IRIS_FIELDS; f++) {
        for (i = 0; i < IRIS_NEAR_EDGE; i++) {
            look_up(value[f], n, which + IRIS_LANES * i, row);
            for (j = 0; j < IRIS_NEAR_EDGE; j++)
                memcpy(out + FIELD * f + R * i + LON * j, row + IRIS_NEAR_EDGE * j,
                       IRIS_NEAR_EDGE * sizeof(float));
        }
    }
}
