/* exact -- the maps of an observer without samples and without tables.
 *
 *   exact HYPER SNAPSHOT COLUMN.npy LINE.npy    (-: not that one)
 *
 * COLUMN is the column map of iris-gen, but each value is the mean of the density over
 * the length of ray for which iris-gen takes one sample. LINE is the observed map of
 * thick transfer: each cell on a ray emits and absorbs by the level populations of its
 * own density, composition and temperature, over the length of ray that is in it, at
 * FINE velocities a channel. Rays are those of the settings, so that what is left out is
 * what lies between them. Nothing is drawn or smoothed, and there is no beam.
 */
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "cells.h"
#include "entry.h"
#include "lines.h"
#include "npy.h"
#include "snapshot.h"
#include "view.h"
#include "walk.h"

enum { FINE = 24 };

static const double pi = 3.14159265358979323846;

/* What a cell does to light, SI. */
struct shine {
    int known;
    double v, b;      /* m/s, towards the observer; Doppler width */
    double j, a;      /* emission and absorption of the line before its profile */
    double a_dust, S; /* 1/m, W m^-2 Hz^-1 sr^-1 */
};

struct scene {
    struct iris_settings s;
    struct iris_unit_system units;
    struct iris_cells cells;
    struct iris_view view;
    struct iris_lines lines;
    struct iris_balance balance;
    struct iris_einstein line;
    struct iris_abundance abundance;
    struct walk walk;
    struct shine *shine; /* [cells] */
    double *excess;      /* [channels * FINE] of the line over the continuum */
    double *continuum;   /* [channels] */
    size_t V;            /* channels */
};

static void
give_up(const struct iris_err *err)
{
    fprintf(stderr, "exact: %s\n", err->msg);
    exit(1);
}

/* ---- what is asked ---- */

static void
open_view(struct scene *c)
{
    const struct iris_settings *s = &c->s;
    struct iris_view_law law = {.theta = iris_entry_theta(s, 0),
                                .spin = (int)s->coordinate.spin_orientation,
                                .observer_radius = s->coordinate.observer_radius,
                                .r_min = s->coordinate.r_min,
                                .r_max = s->coordinate.r_max,
                                .lon_min = s->coordinate.lon_min,
                                .lon_max = s->coordinate.lon_max,
                                .lat_min = s->coordinate.lat_min,
                                .lat_max = s->coordinate.lat_max,
                                .r_steps = (size_t)s->coordinate.r_steps,
                                .lon_steps = (size_t)s->coordinate.lon_steps,
                                .lat_steps = (size_t)s->coordinate.lat_steps};

    iris_view_init(&c->view, &law, NAN, NAN, c->units.parsec);
}

static void
open_scene(struct scene *c, const char *hyper, const char *snapshot)
{
    struct iris_snapshot_info info = {0};
    struct iris_buf warnings = {0};
    struct iris_err err = {0};
    struct iris_hyper *h;
    const struct iris_lines_item *item;

    if (iris_hyper_read(hyper, &h, &err) || iris_lines_init(&c->lines, h, &warnings, &err))
        give_up(&err);
    iris_hyper_settings(h, &c->s);
    iris_settings_units(&c->s, &c->units);
    if (iris_snapshot_load(snapshot, 1, &c->s, iris_snapshot_fields(IRIS_SYNTHETIC), NULL, NULL,
                           NULL, &c->cells, &info, &err))
        give_up(&err);
    item = &c->lines.line[0];
    if (iris_balance_init(&c->balance, &item->molecule, &item->law.balance, &err))
        give_up(&err);
    iris_einstein(&item->molecule,
                  iris_molecule_transition(&item->molecule, item->law.upper, item->law.lower),
                  &item->law.balance, &c->line);
    iris_abundance_default(&c->abundance);
    open_view(c);
    walk_init(&c->walk, c->cells.n, c->cells.x, c->cells.y, c->cells.z);
    c->shine = walk_array(c->cells.n, sizeof *c->shine);
    c->V = (size_t)c->s.cube.v_steps;
    c->excess = walk_array(c->V * FINE, sizeof *c->excess);
    c->continuum = walk_array(c->V, sizeof *c->continuum);
    iris_hyper_free(h);
    iris_buf_release(&warnings);
    iris_buf_release(&info.warnings);
}

static void
close_scene(struct scene *c)
{
    walk_release(&c->walk);
    iris_balance_release(&c->balance);
    iris_lines_release(&c->lines);
    iris_cells_release(&c->cells);
    free(c->shine);
    free(c->excess);
    free(c->continuum);
}

/* ---- a cell ---- */

static double
planck(const struct scene *c, double nu, double T)
{
    double k = c->s.observer.k, h = c->s.observer.h, light = c->s.observer.c;

    return T > 0 ? 2 * h * nu * nu * nu / (light * light) / expm1(h * nu / (k * T)) : 0;
}

static double
towards(const struct scene *c, size_t i)
{
    const double *o = c->view.origin, at[3] = {c->cells.x[i], c->cells.y[i], c->cells.z[i]};
    double dot = 0, r2 = 0;
    int k;

    for (k = 0; k < 3; k++) {
        dot += (o[k] - at[k]) * c->cells.gas[i].v[k];
        r2 += (o[k] - at[k]) * (o[k] - at[k]);
    }
    return dot / sqrt(r2) / iris_units_velocity(&c->units);
}

/* Populations of its own, not those of a table. */
static void
excite(struct scene *c, const struct iris_gas *gas, double rho, struct shine *out)
{
    const struct iris_lines_item *item = &c->lines.line[0];
    const struct iris_table_law *law = &item->law;
    double N = rho / (law->m_H + law->balance.abundance_He * law->m_He), T = (double)gas->T;
    double tracer = iris_abundance_at(&c->abundance, N, T, (double)gas->x_CO), p[256];
    double photon = law->balance.h * c->line.nu / (4 * pi);
    struct iris_err err = {0};

    if (item->molecule.n > sizeof p / sizeof *p)
        exit(1);
    iris_balance_temperature(&c->balance, T);
    if (iris_balance_solve(&c->balance, (double)gas->x_H2, &N, 1, p, &err))
        give_up(&err);
    out->b = sqrt(2 * law->balance.k * T / (item->molecule.weight / law->L / 1000));
    out->j = photon * p[law->upper] * c->line.A * tracer;
    out->a = photon * (p[law->lower] * c->line.B_lu - p[law->upper] * c->line.B_ul) * tracer;
}

static const struct shine *
shine(struct scene *c, size_t i)
{
    const struct iris_gas *gas = &c->cells.gas[i];
    struct shine *out = &c->shine[i];
    double rho = (double)gas->rho / iris_units_density(&c->units);

    if (out->known)
        return out;
    out->known = 1;
    out->v = towards(c, i);
    out->a_dust = rho * c->lines.line[0].settings.kappa;
    out->S = planck(c, c->line.nu, (double)gas->T_dust);
    if (gas->T > 0 && isfinite(gas->T) && rho > 0)
        excite(c, gas, rho, out);
    return out;
}

/* ---- a ray ---- */

static double
velocity(const struct scene *c, double channel)
{
    double dv = (c->s.cube.v_max - c->s.cube.v_min) / (double)(c->V - 1);

    return 1e3 * (c->s.cube.v_min + dv * channel);
}

/* Of n velocities, first, first + step, ..., those within reach of v: from .. to - 1. */
static void
within(const double grid[2], size_t n, double v, double reach, size_t *from, size_t *to)
{
    double lo = ceil((v - reach - grid[0]) / grid[1]), hi = floor((v + reach - grid[0]) / grid[1]);

    *from = (size_t)fmin((double)n, fmax(0, lo));
    *to = (size_t)fmin((double)n, fmax((double)*from, hi + 1));
}

/* The line over the continuum behind a stretch of gas; C is before it. */
static void
absorb(struct scene *c, const struct shine *cell, double length, const double *C)
{
    double fine = (velocity(c, 1) - velocity(c, 0)) / FINE;
    double grid[2] = {velocity(c, -.5) + fine / 2, fine};
    double tau_dust = cell->a_dust * length, fade = exp(-tau_dust), grown = -expm1(-tau_dust);
    double b = cell->b * (1 + cell->v / c->s.observer.c);
    double peak = 1 / (c->line.nu / c->s.observer.c * cell->b * sqrt(pi));
    size_t n = c->V * FINE, f, from, to;

    within(grid, n, cell->v, 7 * b, &from, &to);
    for (f = 0; f < from; f++)
        c->excess[f] *= fade;
    for (f = to; f < n; f++)
        c->excess[f] *= fade;
    for (f = from; f < to; f++) {
        double x = (grid[0] + fine * (double)f - cell->v) / b, phi = peak * exp(-x * x);
        double a = cell->a * phi + cell->a_dust, tau = a * length;
        double j = cell->j * phi + cell->a_dust * cell->S, before = C[f / FINE];

        c->excess[f] = (c->excess[f] + before) * exp(-tau) +
                       j * (fabs(tau) < 1e-9 ? length : -expm1(-tau) / a) - before * fade -
                       cell->S * grown;
    }
}

/* Add a ray's spectrum over the continuum, Rayleigh-Jeans temperatures. */
static void
add_line(struct scene *c, const double direction[3], double *spectrum)
{
    double light = c->s.observer.c, *C = c->continuum;
    const struct walk *w = &c->walk;
    size_t i, k, f;

    walk_line(&c->walk, c->view.origin, direction, c->view.r.first, c->view.r.last);
    for (k = 0; k < c->V; k++)
        C[k] = planck(c, c->line.nu * (1 + velocity(c, (double)k) / light), c->s.observer.T_cmb);
    for (f = 0; f < c->V * FINE; f++)
        c->excess[f] = 0;
    for (i = 0; i < w->parts; i++) {
        size_t part = c->s.suite.far_to_near ? w->parts - 1 - i : i;
        double length = (w->part[part + 1].t - w->part[part].t) / c->units.length;
        const struct shine *cell = shine(c, w->part[part].cell);
        double tau = cell->a_dust * length, fade = exp(-tau), grown = -expm1(-tau);

        absorb(c, cell, length, C);
        for (k = 0; k < c->V; k++)
            C[k] = C[k] * fade + cell->S * grown;
    }
    for (f = 0; f < c->V * FINE; f++) {
        double nu = c->line.nu * (1 + velocity(c, (double)(f / FINE)) / light);

        spectrum[f / FINE] += c->excess[f] * light * light / (2 * c->s.observer.k * nu * nu) / FINE;
    }
}

/* Add the density of H2 on the stretch of ray that each sample stands for. */
static void
add_column(struct scene *c, const double direction[3], double *column, size_t stride)
{
    double step = iris_axis_step(&c->view.r), first = c->view.r.first - step / 2;
    double H2 = c->s.observer.mw_H2 /
                (c->s.observer.mw_H + c->s.observer.abundance_He * c->s.observer.mw_He);
    const struct walk *w = &c->walk;
    size_t i, r;

    walk_line(&c->walk, c->view.origin, direction, first, c->view.r.last + step / 2);
    for (i = 0, r = 0; i < w->parts; i++) {
        const struct iris_gas *gas = &c->cells.gas[w->part[i].cell];
        double at = w->part[i].t, end = w->part[i + 1].t;

        while (r < c->view.r.n && at < end) {
            double next = fmin(end, first + step * (double)(r + 1));

            column[r * stride] += (double)gas->rho * (double)gas->x_H2 * H2 * fmax(0, next - at) /
                                  step;
            at = next;
            if (next < end || i + 1 == w->parts)
                r++;
        }
    }
}

/* ---- maps ---- */

static int
wanted(const char *path)
{
    return strcmp(path, "-") != 0;
}

static void
save(const char *path, size_t rows, size_t columns, const double *value, double factor)
{
    float *single;
    struct iris_shape shape = {3, {1, rows, columns}};
    struct iris_err err = {0};
    size_t i;

    if (!wanted(path))
        return;
    single = walk_array(rows * columns, sizeof *single);
    for (i = 0; i < rows * columns; i++)
        single[i] = (float)(value[i] * factor);
    if (iris_npy_write(path, &shape, single, &err))
        give_up(&err);
    free(single);
}

int
main(int argc, char **argv)
{
    struct scene *c = walk_array(1, sizeof *c);
    double *column, *line, direction[3];
    size_t L, M, R, j, k;

    if (argc != 5) {
        fputs("usage: exact HYPER SNAPSHOT COLUMN.npy|- LINE.npy|-\n", stderr);
        return 64;
    }
    open_scene(c, argv[1], argv[2]);
    R = c->view.r.n;
    L = c->view.lon.n;
    M = c->view.lat.n;
    column = walk_array(R * L, sizeof *column);
    line = walk_array(L * c->V, sizeof *line);
    for (j = 0; j < L; j++)
        for (k = 0; k < M; k++) {
            iris_view_direction(&c->view, j, k, direction);
            if (wanted(argv[3]))
                add_column(c, direction, column + j, L);
            if (wanted(argv[4]))
                add_line(c, direction, line + j * c->V);
        }
    save(argv[3], R, L, column, 1 / (double)M);
    save(argv[4], L, c->V, line, 1 / (double)M);
    free(column);
    free(line);
    close_scene(c);
    free(c);
    return 0;
}
