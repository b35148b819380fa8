/* kernel_matter -- from the samples of a step to its line, dust and continuum;
 * for kernel_{smooth,formal,thin}.c. VECD rays at a time, in double.
 *
 *   source  physics of the reference, "table lookup at run time", "frequencies,
 *           profile, dust"
 */
#ifndef IRIS_KERNEL_MATTER_H
#define IRIS_KERNEL_MATTER_H

#include "bundle.h"
#include "kernel_double.h"

/* The line emits j phi, in the unit, and absorbs a phi, phi = norm exp(-x^2). */
struct matter {
    vecd v, per_stretch; /* 1 / (1 + v/c) */
    vecd j, a;           /* 0: no line */
    vecd norm, b, per_b; /* b times 1 + v/c, and its inverse, which is 0 without a line */
    vecd ad;             /* absorption by dust */
    vecd rest;           /* h/kT of it, 0: it does not shine */
    vecl gas, tracer;
};

/* v between lo and hi; lo where it is not a number */
static inline vecd
clamp_d(vecd v, double lo, double hi)
{
    return greater_double(all_d(lo), lesser_double(v, all_d(hi)));
}

/* Every lane by itself, where that is rare. */
static inline vecd
table_abundance(const struct iris_abundance *a, vecd N_H, vecd T)
{
    double N[VECD], K[VECD], x[VECD];
    int i;

    store_d(N, N_H);
    store_d(K, T);
    for (i = 0; i < VECD; i++)
        x[i] = iris_abundance_at(a, N[i], K[i], 0);
    return load_d(x);
}

/* As iris_abundance_at. */
static inline vecd
abundance_of(const struct iris_abundance *a, vecd N_H, vecd T, vecd x_CO)
{
    int no_T = a->T_drop != a->T_drop, no_n = a->n_drop != a->n_drop;
    vecd x = magnitude_d(all_d(a->value));
    vecl drop;

    if (a->kind == IRIS_ABUNDANCE_TABLE)
        return table_abundance(a, N_H, T);
    if (a->kind == IRIS_ABUNDANCE_RATIO)
        x = x * x_CO;
    if (no_T && no_n)
        return x;
    drop = (no_T ? is_number_d(N_H) : T < a->T_drop) & (no_n ? is_number_d(N_H) : N_H > a->n_drop);
    return pick_d(drop, x * a->drop, x);
}

/* Rows of samples are far apart in memory: they are fetched so many steps before. */
enum { AHEAD = 12 };
/* Nodes of the table, in its rows, so many. */
enum { NODES_AHEAD = 4 };

/* Field f of step s, from lane c on. */
static inline vecd
sample_at(const struct iris_samples *q, int f, size_t s, size_t c)
{
    if (q->wide)
        return load_d(q->wide + (s * IRIS_FIELDS + (size_t)f) * IRIS_BUNDLE + c);
    return f == IRIS_V_R ? load_d(q->v + (ptrdiff_t)s * q->v_row + c)
                         : load_half(q->field[f] + (ptrdiff_t)s * q->row + c);
}

static inline void
fetch_samples(const struct iris_samples *q, size_t s)
{
    int f;

    __builtin_prefetch(q->v + (ptrdiff_t)s * q->v_row, 0, 3);
    for (f = IRIS_V_R + 1; f < IRIS_FIELDS; f++)
        __builtin_prefetch(q->field[f] + (ptrdiff_t)s * q->row, 0, 3);
}

#define MOST 1.7976931348623157e308

/* The nearest nodes of the table, and how far from them; or the nodes below, and how far
 * on the way to the next ones, from 0 to 1. */
struct found {
    int64_t at[VECD];
    vecd d_N, d_x, d_T;
};

/* How far v is from number i of an axis to the next. */
static inline vecd
fraction(const double *axis, vecd i, vecd v)
{
    vecd from = gather_d(axis, i);

    return (v - from) / (gather_d(axis + 1, i) - from);
}

/* Find the nodes of a step some time before they are needed, and have them
 * fetched: the table is larger than the caches near to the processor.
 *
 *   in   c  first lane
 */
static inline struct found
find_nodes(const struct iris_bundle_law *k, const struct iris_samples *q, size_t s, size_t c)
{
    const struct iris_line_table *t = k->table;
    vecd rho = sample_at(q, IRIS_RHO, s, c);
    vecd T = sample_at(q, IRIS_T, s, c);
    vecd x = sample_at(q, IRIS_X_H2, s, c), y, i_N, i_x, i_T;
    double beside = k->lookup.multilinear ? 1 : 0, half = 0.5 - 0.5 * beside;
    struct found f;
    int i;

    rho = greater_double(rho, all_d(0));
    T = pick_d((T > 0) & (T <= MOST), T, all_d(t->T[t->n_T - 1]));
    if (k->lookup.clamp || k->lookup.multilinear) {
        rho = clamp_d(rho, t->rho[0], t->rho[t->n_N - 1]);
        x = clamp_d(x, t->x[0], t->x[t->n_x - 1]);
        T = clamp_d(T, t->T[0], t->T[t->n_T - 1]);
    }
    y = rho * (1 / k->rho_per_b);
    /* arsinh(y) is ln(2 y) within rounding where y is large */
    y = y + (bits_d(y < 1e8) ? pick_d(y < 1e8, root_d(y * y + 1), y) : y);
    i_N = clamp_d(floor_d(log_d(y) * t->per_dq + half), 0, k->N_nodes - 1 - beside);
    i_x = clamp_d(floor_d(x * t->per_dx + half), 0, k->x_nodes - 1 - beside);
    i_T = (t->fine ? log_d(T * (1 / t->T[0])) : T) * t->per_dT;
    i_T = clamp_d(floor_d(i_T + half), 0, k->T_nodes - 1 - beside);
    store_indices(f.at, (i_N * k->x_nodes + i_x) * k->T_nodes + i_T);
    for (i = 0; i < VECD; i++)
        __builtin_prefetch(t->node + f.at[i] * IRIS_NODE, 0, 3);
    if (k->lookup.multilinear) {
        f.d_N = fraction(t->rho, i_N, rho);
        f.d_x = fraction(t->x, i_x, x);
        f.d_T = fraction(t->T, i_T, T);
        return f;
    }
    f.d_N = rho - gather_d(t->rho, i_N);
    f.d_x = x - i_x * t->dx;
    f.d_T = T - (t->fine ? gather_d(t->T, i_T) : i_T * t->dT);
    return f;
}

/* The nodes of the first steps. */
static inline void
find_first(const struct iris_bundle_law *k, const struct iris_samples *q, size_t c,
           struct found f[NODES_AHEAD])
{
    size_t s;

    for (s = 0; s < NODES_AHEAD && s < k->steps; s++)
        f[s] = find_nodes(k, q, s, c);
}

/* Those of step s, for those of a step to come. */
static inline struct found
next_found(const struct iris_bundle_law *k, const struct iris_samples *q, size_t s, size_t c,
           struct found f[NODES_AHEAD])
{
    struct found now = f[s % NODES_AHEAD];

    if (!q->wide && s + AHEAD < k->steps)
        fetch_samples(q, s + AHEAD);
    if (s + NODES_AHEAD < k->steps)
        f[s % NODES_AHEAD] = find_nodes(k, q, s + NODES_AHEAD, c);
    return now;
}

/* Emission and absorption per tracer abundance, from the nearest node. */
static inline void
look_up(const struct iris_bundle_law *k, const struct found *f, vecd *j, vecd *a)
{
    const double *row[VECD];
    vecd node[8];
    int i;

    for (i = 0; i < VECD; i++)
        row[i] = k->table->node + f->at[i] * IRIS_NODE;
    turn_rows(row, node);
    *j = node[0] + node[1] * f->d_N + node[2] * f->d_x + node[3] * f->d_T;
    *a = node[4] + node[5] * f->d_N + node[6] * f->d_x + node[7] * f->d_T;
}

/* The same between nodes. */
static inline void
look_up_between(const struct iris_bundle_law *k, const struct found *f, vecd *j, vecd *a)
{
    size_t of_x = k->table->n_T, of_N = k->table->n_x * of_x, corner;

    *j = *a = all_d(0);
    for (corner = 0; corner < 8; corner++) {
        size_t at = (corner >> 2) * of_N + (corner >> 1 & 1) * of_x + (corner & 1);
        const double *node = k->table->node + at * IRIS_NODE;
        vecd w = (corner >> 2 ? f->d_N : 1 - f->d_N) * (corner >> 1 & 1 ? f->d_x : 1 - f->d_x) *
                 (corner & 1 ? f->d_T : 1 - f->d_T);

        *j = *j + w * gather_rows(node + IRIS_NODE_J, f->at);
        *a = *a + w * gather_rows(node + IRIS_NODE_A, f->at);
    }
}

/*   in   f  nodes of the step
 *   in   c  first lane */
static inline struct matter
matter_at(const struct iris_bundle_law *k, const struct iris_samples *q, const struct found *f,
          size_t s, size_t c)
{
    vecd rho = sample_at(q, IRIS_RHO, s, c);
    vecd T = sample_at(q, IRIS_T, s, c);
    vecd T_dust = sample_at(q, IRIS_T_DUST, s, c);
    vecd x, stretch, b, j = {0}, a = {0};
    struct matter m = {.v = sample_at(q, IRIS_V_R, s, c)};
    vecl cold = T <= MOST, line;

    stretch = 1 + m.v * k->per_c;
    m.gas = (rho > 0) & (T > 0) & (stretch > 0);
    stretch = pick_d(m.gas, stretch, all_d(1));
    m.ad = keep_d(m.gas, rho * k->kappa);
    m.rest = keep_d(m.gas & (T_dust > 0) & (T_dust <= MOST),
                    k->h_per_k / pick_d(T_dust > 0, T_dust, all_d(1)));
    rho = pick_d(m.gas, rho, all_d(0));
    T = pick_d(m.gas & cold, T, all_d(0));
    x = abundance_of(k->abundance, rho * k->N_per_rho, T * k->per_T, sample_at(q, IRIS_X_CO, s, c));
    m.tracer = m.gas & (x > 0);
    line = m.tracer & cold;
    if (bits_d(line)) {
        T = pick_d(line, T, all_d(k->table->T[k->table->n_T - 1]));
        if (k->lookup.multilinear)
            look_up_between(k, f, &j, &a);
        else
            look_up(k, f, &j, &a);
    }
    b = pick_d(line, root_d(T * k->two_k_per_m + k->v_turb2), all_d(1));
    m.b = b * stretch;
    m.per_stretch = 1 / stretch;
    m.per_b = m.per_stretch / b;
    m.j = keep_d(line, j * x * k->per_unit);
    m.a = keep_d(line, a * x);
    m.norm = keep_d(line, m.per_b * stretch * k->norm);
    m.per_b = keep_d(line, m.per_b);
    return m;
}

/* What the profile as it is evaluated is to be multiplied by: that of a mean has the
 * width of its cell in it. */
static inline vecd
profile_norm(const struct iris_bundle_law *k, const struct matter *m)
{
    return k->average ? keep_d(m->per_b > 0, all_d(k->per_width)) : m->norm;
}

/* Whether a step amplifies. */
static inline vecl
is_maser(const struct iris_bundle_law *k, const struct matter *m)
{
    return 2 * k->ds * m->norm * m->a < -1;
}

/* ---- continuum ---- */

/* The dust's source function at the nodes, as the gas sees their frequencies;
 * 0 where it does not shine. */
static inline void
dust_source(const struct iris_bundle_law *k, const struct matter *m, vecd source[IRIS_NODES])
{
    vecd y = lesser_double(m->rest * k->node[1], all_d(200)), e = expm1_d(y), z[IRIS_NODES], less;
    vecd per = m->per_stretch, moved = m->rest * per, most = {0}, planck;
    vecl shines = m->rest > 0;
    int i;

    for (i = 0; i < IRIS_NODES; i++) {
        z[i] = lesser_double(moved * k->node[i], all_d(200)) - y;
        most = greater_double(most, magnitude_d(z[i]));
    }
    for (i = 0; i < IRIS_NODES; i++) {
        less = expm1_tiny(z[i]);
        if (bits_d(most > 0.001))
            less = pick_d(most > 0.001, expm1_near_0(z[i]), less);
        less = e + less + e * less;
        if (bits_d(most > 0.03))
            less = pick_d(most > 0.03, expm1_d(lesser_double(moved * k->node[i], all_d(200))),
                          less);
        z[i] = pick_d(shines & (less > 0), less, all_d(1));
    }
    /* all three over one division */
    planck = keep_d(shines, per * per * per / (z[0] * z[1] * z[2]));
    source[0] = planck * k->cube[0] * (z[1] * z[2]);
    source[1] = planck * k->cube[1] * (z[0] * z[2]);
    source[2] = planck * k->cube[2] * (z[0] * z[1]);
}

/* Whether dust shines so far beyond its peak that this is no parabola over the band. */
static inline vecl
is_steep(const struct iris_bundle_law *k, const struct matter *m)
{
    return m->rest * m->per_stretch * (k->node[2] - k->node[0]) > 0.06;
}

/* y times a factor as a parabola. */
static inline void
store_parabola(float *row, const vecd y[IRIS_NODES], vecd factor)
{
    vecd half = 0.5 * factor, middle = y[1] * factor;

    store_half(row, middle);
    store_half(row + IRIS_BUNDLE, (y[2] - y[0]) * half);
    store_half(row + 2 * IRIS_BUNDLE, (y[2] + y[0]) * half - middle);
}

static inline vecd
largest(const vecd y[IRIS_NODES])
{
    return greater_double(magnitude_d(y[0]), greater_double(magnitude_d(y[1]), magnitude_d(y[2])));
}

/* Whether a step's line is too much for single precision, or so opaque that it
 * still shows beyond IRIS_REACH2_SINGLE, or not a number. */
static inline vecl
beyond_single(vecd gives, vecd takes)
{
    return ~((gives < 1e36) & (magnitude_d(takes) < 1e7));
}

/* ---- the place of a line ---- */

/* Store where the line is on the grid.
 *
 *   in   adds   what its centre adds
 *   in   takes  what it takes, per what is there
 *   in   lost   what comes of a unit at the end, upside down
 *   return  an estimate of the profile at the grid point where it is highest; 0: none
 *           is reached
 */
static inline vecd
store_place(const struct iris_bundle_law *k, const struct matter *m, vecd adds, vecd takes,
            vecd lost, float *row)
{
    vecl line = m->per_b > 0, coarse = (vecl){0};
    vecd dx = k->v_step * m->per_b, x, centre, near, off;

    centre = (m->v - k->v_first) * k->per_v_step;
    near = clamp_d(floor_d(clamp_d(centre, -1e9, 1e9) + 0.5), 0, (double)(k->n - 1));
    x = (k->v_first + near * k->v_step - m->v) * m->per_b;
    off = greater_double(magnitude_d(x) - 0.5 * dx, all_d(0));
    if (k->average)
        coarse = dx > (double)IRIS_COARSE_SINGLE;
    if (bits_d(coarse)) {
        near = pick_d(coarse, near + pick_d(centre > near, all_d(0.5), all_d(-0.5)), near);
        x = (k->v_first + near * k->v_step - m->v) * m->per_b;
    }
    store_half(row + IRIS_ROW_X * IRIS_BUNDLE, x);
    store_half(row + IRIS_ROW_DX * IRIS_BUNDLE, dx);
    store_half(row + IRIS_ROW_NEAR * IRIS_BUNDLE, near);
    store_half(row + IRIS_ROW_WIDE * IRIS_BUNDLE, m->b * k->per_v_step);
    adds = keep_d(line, magnitude_d(adds) * lost);
    takes = keep_d(line, magnitude_d(takes));
    store_half(row + IRIS_ROW_ADDS * IRIS_BUNDLE,
               pick_d(adds > 1e-300, log_above_d(adds), all_d(-1e30)));
    store_half(row + IRIS_ROW_TAKES * IRIS_BUNDLE,
               pick_d(takes > 1e-300, log_above_d(takes), all_d(-1e30)));
    if (!k->average)
        return keep_d(line & (x * x < (double)IRIS_REACH2_SINGLE), fall_d(x * x));
    return keep_d(line & (off * off < (double)IRIS_REACH2_SINGLE),
                  fall_d(off * off) * lesser_double(all_d(1), 0.5 * dx));
}

/* ---- rays ---- */

/* What goes from step to step, whatever the transfer. */
struct trail {
    vecd C[IRIS_NODES]; /* continuum */
    vecd g;             /* the factor */
    vecd lost;          /* over what is left of light from the start */
    vecd floor;         /* the least continuum over g */
    vecd peak;          /* estimate, but for lost */
    unsigned gas, tracer, wild;
};

static inline struct trail
trail_begin(const struct iris_bundle_law *k)
{
    struct trail t = {.g = all_d(1), .lost = all_d(1), .floor = all_d(1e300)};
    int i;

    for (i = 0; i < IRIS_NODES; i++)
        t.C[i] = all_d(k->background[i]);
    return t;
}

/* Store what the lanes from c on came to. */
static inline void
trail_end(const struct trail *t, struct iris_bundle *b, size_t c)
{
    int i;

    for (i = 0; i < IRIS_NODES; i++)
        store_d(b->continuum[i] + c, t->C[i]);
    store_d(b->g + c, t->g);
    store_d(b->left + c, 1 / t->lost);
    store_d(b->peak + c, t->peak / t->lost);
    store_half(b->least + c, -0.99 * t->floor);
    b->gas |= t->gas << c;
    b->tracer |= t->tracer << c;
    b->wild |= t->wild << c;
}

#endif
