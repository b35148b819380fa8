#include "surface.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "elementary.h"
#include "h5.h"
#include "sampler.h"
#include "snapname.h"
#include "snapshot_job.h"
#include "units.h"

/* What is done with a cell.
 *
 *   in   cells  of which it is number i, places in code units
 *   in   place  pc about the centre
 *   in   mass   Msun
 *   in   size   pc, of a side
 */
typedef void take_cell(void *self, const struct iris_cells *cells, size_t i, const double place[3],
                       double mass, double size);

/* One going through the snapshot. */
struct walk {
    const char *path;
    uint64_t files;
    const struct iris_settings *s;
    struct iris_snapshot_meta *meta;
    double centre[3]; /* code units */
    size_t n;         /* cells so far */
    take_cell *take;
    void *self;
};

/* ---- reading ---- */

static enum iris_status
visit(void *self, const struct iris_snapshot_piece *piece, struct iris_err *err)
{
    struct walk *w = self;
    const struct iris_cells *c = piece->cells;
    double metre = 1 / (100 * w->s->dataset.meters_per_parsec); /* pc of a cm */
    double code = w->meta->length_cm * metre * w->meta->coordinate_factor;
    double length = w->s->writer.length_cm * metre;
    double msun = w->s->writer.mass_g / 1000 / IRIS_SOLAR_MASS;
    size_t i;
    int k;

    for (i = 0; i < piece->n; i++, w->n++) {
        double mass = piece->mass[i], density = piece->density[i];
        double place[3] = {c->x[i], c->y[i], c->z[i]};

        if (!isfinite(mass) || mass < 0 || density <= 0)
            return iris_fail(err, IRIS_E_DATA,
                             "'%s': gas cell %zu has the mass %g and the density %g", w->path, w->n,
                             mass, density);
        for (k = 0; k < 3; k++)
            place[k] = (place[k] - w->centre[k]) * code;
        w->take(w->self, c, i, place, mass * msun, iris_cbrt(mass / density) * length);
    }
    return IRIS_OK;
}

static enum iris_status
walk_all(struct walk *w, take_cell *take, void *self, struct iris_err *err)
{
    w->take = take;
    w->self = self;
    w->n = 0;
    return iris_snapshot_walk(w->path, w->files, w->s, 1U << IRIS_RHO, IRIS_MASSES_NEEDED, w->meta,
                              visit, w, err);
}

/* ---- the centre ---- */

struct densest {
    float density;
    double place[3];
};

static void
take_densest(void *self, const struct iris_cells *cells, size_t i, const double place[3],
             double mass, double size)
{
    struct densest *d = self;

    (void)place, (void)mass, (void)size;
    if (cells->gas[i].rho <= d->density)
        return;
    d->density = cells->gas[i].rho;
    d->place[0] = cells->x[i];
    d->place[1] = cells->y[i];
    d->place[2] = cells->z[i];
}

static enum iris_status
find_centre(struct walk *w, struct iris_err *err)
{
    struct densest d = {0};
    enum iris_status st = IRIS_OK;

    w->centre[0] = w->centre[1] = w->centre[2] = w->meta->box / 2;
    if (w->s->suite.centre == IRIS_CENTRE_POINT)
        memcpy(w->centre, w->s->suite.centre_point, sizeof w->centre);
    if (w->s->suite.centre != IRIS_CENTRE_DENSEST)
        return IRIS_OK;
    st = walk_all(w, take_densest, &d, err);
    memcpy(w->centre, d.place, sizeof w->centre);
    return st;
}

/* ---- how much of it ---- */

enum { OCTAVE = 32, BINS = 80 * OCTAVE }; /* from 2^-40 pc */

/* Mass by the half of the square that it is just in. */
struct extent {
    double mass[BINS];
};

static void
take_extent(void *self, const struct iris_cells *cells, size_t i, const double place[3],
            double mass, double size)
{
    struct extent *e = self;
    double half = fmax(fabs(place[0]), fabs(place[1]));
    double bin = half > 0 ? floor((iris_log(half) / iris_log(2) + 40) * OCTAVE) : 0;

    (void)cells, (void)i, (void)size;
    e->mass[(size_t)fmin(fmax(bin, 0), BINS - 1)] += mass;
}

/* The next of a few numbers that axes look well with. */
static double
round_up(double v)
{
    static const double step[] = {1, 1.2, 1.5, 2, 2.5, 3, 4, 5, 6, 8, 10};
    double ten = iris_pow(10, floor(iris_log10(v)));
    size_t i = 0;

    while (step[i] * ten < v && i + 1 < sizeof step / sizeof step[0])
        i++;
    return step[i] * ten;
}

static enum iris_status
find_half(struct walk *w, double *half, struct iris_err *err)
{
    struct extent *e = calloc(1, sizeof *e);
    double all = 0, sum = 0;
    enum iris_status st;
    size_t i;

    if (!e)
        return iris_fail_memory(err);
    st = walk_all(w, take_extent, e, err);
    for (i = 0; i < BINS; i++)
        all += e->mass[i];
    for (i = 0; i < BINS - 1 && sum + e->mass[i] < 0.99 * all; i++)
        sum += e->mass[i];
    *half = round_up(iris_pow(2, (double)(i + 1) / OCTAVE - 40));
    free(e);
    return st;
}

/* ---- the maps ---- */

/* The square of a cell whose middle is at u, v, over the pixels. */
static void
deposit(const struct iris_surface *m, double *map, double u, double v, double size, double mass)
{
    double pixels = (double)m->n / (2 * m->half); /* in a parsec */
    /* so small that it makes no difference, but not lost beside the place */
    double w = fmax(size * pixels, 1e-3);
    double x0 = (u + m->half) * pixels - w / 2, x1 = x0 + w;
    double y0 = (v + m->half) * pixels - w / 2, y1 = y0 + w, n = (double)m->n;
    double density = mass / (w * w) * pixels * pixels;
    size_t i, j, first, last_x, last_y;

    if (!(x1 > 0 && y1 > 0 && x0 < n && y0 < n))
        return;
    first = (size_t)fmax(x0, 0);
    last_x = (size_t)fmin(ceil(x1), n);
    last_y = (size_t)fmin(ceil(y1), n);
    for (j = (size_t)fmax(y0, 0); j < last_y; j++) {
        double part = fmin(y1, (double)j + 1) - fmax(y0, (double)j);
        double *row = map + j * m->n;

        for (i = first; i < last_x; i++)
            row[i] += density * part * (fmin(x1, (double)i + 1) - fmax(x0, (double)i));
    }
}

static void
take_map(void *self, const struct iris_cells *cells, size_t i, const double place[3], double mass,
         double size)
{
    struct iris_surface *m = self;

    (void)cells, (void)i;
    m->mass += mass;
    if (!(mass > 0))
        return;
    deposit(m, m->above, place[0], place[1], size, mass);
    if (m->side)
        deposit(m, m->side, place[0], place[2], size, mass);
}

static enum iris_status
make(struct walk *w, double half, struct iris_surface *m, struct iris_err *err)
{
    enum iris_status st;

    st = find_centre(w, err);
    m->half = half;
    if (!st && !(half > 0))
        st = find_half(w, &m->half, err);
    if (!st && !isfinite((double)m->n / m->half * ((double)m->n / m->half)))
        st = iris_fail(err, IRIS_E_DATA, "'%s': a map of %g pc cannot be made", w->path, m->half);
    return st ? st : walk_all(w, take_map, m, err);
}

/* Of how many files a snapshot is, by the name and the header of one. */
static enum iris_status
count_files(const char *path, uint64_t *files, struct iris_err *err)
{
    struct iris_snapname name;
    struct iris_part p;
    enum iris_status st;
    double n = 1;

    *files = 1;
    if (iris_snapname_parse(path, &name) || !name.is_part)
        return IRIS_OK;
    st = iris_snapshot_open_part(path, 0, 1, &p, err);
    if (st)
        return st;
    iris_h5_attribute(p.file, "Header", "NumFilesPerSnapshot", &n);
    st = iris_snapshot_end_part(&p, IRIS_OK, err);
    if (st)
        return st;
    if (!(n >= 1 && n <= 1000000))
        return iris_fail(err, IRIS_E_DATA, "a snapshot of %g files makes no sense", n);
    *files = (uint64_t)n;
    return IRIS_OK;
}

enum iris_status
iris_surface_make(const char *path, const struct iris_settings *s, double half, size_t n, int side,
                  struct iris_surface *m, struct iris_err *err)
{
    struct iris_snapshot_meta meta = {0};
    struct iris_snapshot_info info = {0};
    struct walk w = {.path = path, .s = s, .meta = &meta};
    enum iris_status st;

    iris_h5_quiet();
    *m = (struct iris_surface){.n = n};
    st = count_files(path, &w.files, err);
    if (!st)
        st = iris_snapshot_survey(path, w.files, s, &meta, &info, err);
    m->warnings = info.warnings;
    m->cells = info.cells;
    m->above = calloc(n * n, sizeof *m->above);
    if (side)
        m->side = calloc(n * n, sizeof *m->side);
    if (!st && (!m->above || (side && !m->side)))
        st = iris_fail_memory(err);
    if (!st)
        st = make(&w, half, m, err);
    free(meta.first);
    if (st)
        iris_surface_release(m);
    return st;
}

void
iris_surface_release(struct iris_surface *m)
{
    free(m->above);
    free(m->side);
    iris_buf_release(&m->warnings);
    *m = (struct iris_surface){0};
}
