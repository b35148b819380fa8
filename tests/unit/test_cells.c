/* The nearest-cell index against a search of all cells written here. */
#include "check.h"

#include <float.h>
#include <stdint.h>

#include "cells.h"

/* ---- numbers, clouds ---- */

static uint64_t random_state = 1;

static double
uniform(double lo, double hi)
{
    uint64_t z = random_state += UINT64_C(0x9E3779B97F4A7C15);

    z = (z ^ (z >> 30)) * UINT64_C(0xBF58476D1CE4E5B9);
    z = (z ^ (z >> 27)) * UINT64_C(0x94D049BB133111EB);
    return lo + (hi - lo) * (double)((z ^ (z >> 31)) >> 11) * 0x1p-53;
}

static size_t
below(size_t n)
{
    return (size_t)uniform(0, (double)n);
}

enum cloud {
    RANDOM,     /* even in a cube */
    CLUSTERED,  /* lumps of all sizes */
    ONE_PLACE,  /* all cells in one point */
    COINCIDENT, /* five cells a point */
    LINE,
    PLANE,
    LATTICE, /* whole numbers, in random order */
    CLOUDS
};
static const char *const cloud_name[] = {
    "random", "clustered", "all in one place", "five to a place", "a line", "a plane", "a lattice"};

static void
place(enum cloud cloud, size_t i, const double *before, double p[3])
{
    int k;

    for (k = 0; k < 3; k++)
        p[k] = uniform(-1, 1);
    switch (cloud) {
    case CLUSTERED:
        for (k = 0; k < 3 && i; k++)
            p[k] = before[3 * (i - i % 7 ? (size_t)(i % 5) : 0) + (size_t)k] +
                   p[k] * pow(10, -(double)(i % 7));
        break;
    case ONE_PLACE:
        p[0] = 0.1;
        p[1] = -0.2;
        p[2] = 0.3;
        break;
    case COINCIDENT:
        for (k = 0; k < 3 && i % 5; k++)
            p[k] = before[3 * below(i) + (size_t)k];
        break;
    case LINE:
        p[1] = p[2] = 0.5;
        break;
    case PLANE:
        p[2] = 0.5;
        break;
    case LATTICE:
        for (k = 0; k < 3; k++)
            p[k] = floor(8 * p[k]);
        break;
    default:
        break;
    }
}

/* Cells in file order, and the same cells indexed. */
struct sky {
    size_t n;
    double *p; /* [n][3] */
    struct iris_cells cells;
};

static void
sky_fill(struct sky *s)
{
    size_t i;

    if (iris_cells_new(&s->cells, s->n, NULL))
        exit(1);
    for (i = 0; i < s->n; i++) {
        const double *p = s->p + 3 * i;

        s->cells.x[i] = p[0];
        s->cells.y[i] = p[1];
        s->cells.z[i] = p[2];
        s->cells.gas[i] = (struct iris_gas){
            {(float)p[0], (float)p[1], (float)p[2]}, (float)i, 1, 2, 3, (float)(i % 251)};
    }
    if (iris_cells_index(&s->cells, NULL))
        exit(1);
}

static void
sky_make(struct sky *s, enum cloud cloud, size_t n)
{
    size_t i;

    *s = (struct sky){.n = n, .p = malloc(3 * n * sizeof *s->p)};
    if (!s->p)
        exit(1);
    for (i = 0; i < n; i++)
        place(cloud, i, s->p, s->p + 3 * i);
    sky_fill(s);
}

static void
sky_release(struct sky *s)
{
    free(s->p);
    iris_cells_release(&s->cells);
}

/* ---- the index itself ---- */

static int
order_ok(const struct sky *s)
{
    const struct iris_cells *c = &s->cells;
    unsigned char *seen = calloc(s->n, 1);
    size_t i;
    int ok = seen != NULL;

    for (i = 0; i < s->n && ok; i++) {
        size_t o = c->order[i];
        const double *p = s->p + 3 * o;

        ok = o < s->n && !seen[o]++ && c->x[i] == p[0] && c->y[i] == p[1] && c->z[i] == p[2] &&
             c->gas[i].rho == (float)o && c->gas[i].v[0] == (float)p[0] &&
             c->gas[i].v[2] == (float)p[2] && c->gas[i].T_dust == (float)(o % 251) &&
             c->gas[i].x_CO == 3;
    }
    free(seen);
    return ok;
}

static int
box_is(const struct iris_box *b, const double lo[3], const double hi[3])
{
    return !memcmp(b->lo, lo, sizeof b->lo) && !memcmp(b->hi, hi, sizeof b->hi);
}

/* Every leaf's box is that of its cells, every other that of its children. */
static int
boxes_ok(const struct iris_cells *c)
{
    size_t node, i;
    int k, ok = (c->leaves & (c->leaves - 1)) == 0;

    for (node = 2 * c->leaves - 1; node >= 1 && ok; node--) {
        double lo[3] = {HUGE_VAL, HUGE_VAL, HUGE_VAL}, hi[3] = {-HUGE_VAL, -HUGE_VAL, -HUGE_VAL};
        struct iris_box box, child[2];

        iris_cells_box(c, node, &box);
        if (node >= c->leaves) {
            size_t leaf = node - c->leaves;
            size_t a = leaf * c->n / c->leaves, b = (leaf + 1) * c->n / c->leaves;

            ok = b > a && b - a <= 16;
            for (i = a; i < b; i++) {
                double p[3] = {c->x[i], c->y[i], c->z[i]};

                for (k = 0; k < 3; k++) {
                    lo[k] = fmin(lo[k], p[k]);
                    hi[k] = fmax(hi[k], p[k]);
                }
            }
        } else {
            iris_cells_box(c, 2 * node, &child[0]);
            iris_cells_box(c, 2 * node + 1, &child[1]);
            for (k = 0; k < 3; k++) {
                lo[k] = fmin(child[0].lo[k], child[1].lo[k]);
                hi[k] = fmax(child[0].hi[k], child[1].hi[k]);
            }
        }
        ok = ok && box_is(&box, lo, hi);
    }
    return ok;
}

/* ---- the search of all cells ---- */

/* The metric |M x|: M is Rot diag(skew, 1/skew) Rot^-1 multiplied out here. */
struct metric {
    struct iris_linear_map map; /* what the index is given */
    long double m[2][2];
};

static struct metric
metric_make(double scale, double skew, double angle)
{
    struct iris_perturbation p;
    struct metric g;
    long double t = (long double)angle * acosl(-1) / 180, s = isnan(skew) ? 1 : skew;
    long double rot[2][2] = {{cosl(t), -sinl(t)}, {sinl(t), cosl(t)}}, d[2] = {s, 1 / s};
    int i, j, k;

    iris_perturb_none(&p);
    p.scale = scale;
    p.skew = skew;
    p.skew_angle = isnan(skew) ? (double)NAN : angle;
    iris_perturb_map(&p, &g.map);
    for (i = 0; i < 2; i++) {
        for (j = 0; j < 2; j++) {
            g.m[i][j] = 0;
            for (k = 0; k < 2; k++)
                g.m[i][j] += rot[i][k] * d[k] * rot[j][k];
        }
    }
    return g;
}

static long double
distance2(const struct metric *g, const double q[3], const double p[3], const double shift[3])
{
    long double d[3], e[2];
    int k;

    for (k = 0; k < 3; k++)
        d[k] = (long double)q[k] - ((long double)p[k] + (long double)shift[k]);
    e[0] = g->m[0][0] * d[0] + g->m[0][1] * d[1];
    e[1] = g->m[1][0] * d[0] + g->m[1][1] * d[1];
    return e[0] * e[0] + e[1] * e[1] + d[2] * d[2];
}

struct answer {
    size_t i; /* in file order: the lowest of those as near */
    long double d2;
};

static void
brute_image(const struct sky *s, const struct metric *g, const double q[3], const double shift[3],
            struct answer *best)
{
    size_t i;

    for (i = 0; i < s->n; i++) {
        long double d2 = distance2(g, q, s->p + 3 * i, shift);

        if (d2 < best->d2 || (d2 == best->d2 && i < best->i)) {
            best->i = i;
            best->d2 = d2;
        }
    }
}

/* Every image of the box up to `reach` boxes from the one q is in. */
static struct answer
brute(const struct sky *s, const struct metric *g, const double q[3], int reach)
{
    const struct iris_cells *c = &s->cells;
    struct answer best = {SIZE_MAX, HUGE_VALL};
    int wide = 2 * reach + 1, n = wide * wide * wide, i, k;

    for (i = 0; i < n; i++) {
        int step[3] = {i % wide - reach, i / wide % wide - reach, i / wide / wide - reach};
        double shift[3] = {0, 0, 0};
        int wanted = 1;

        for (k = 0; k < 3 && reach; k++) {
            double side = c->box.hi[k] - c->box.lo[k];

            if (c->closed[k])
                wanted &= step[k] == 0;
            else
                shift[k] = side * (step[k] + floor((q[k] - c->box.lo[k]) / side));
        }
        if (wanted)
            brute_image(s, g, q, shift, &best);
    }
    return best;
}

/* Cells in the same place, the lowest index first. */
static size_t
first_there(const struct sky *s, size_t i)
{
    size_t k;

    for (k = 0; k < i; k++) {
        if (!memcmp(s->p + 3 * k, s->p + 3 * i, 3 * sizeof *s->p))
            return k;
    }
    return i;
}

/* The index's answer from several guesses; -1 when they differ or fail. */
static long
ask(const struct sky *s, const struct metric *g, const double q[3], struct iris_nearest *found)
{
    size_t guess[3] = {0, s->n - 1, below(s->n)}, i;
    struct iris_nearest first = {.d2 = -1};

    for (i = 0; i < 3; i++) {
        *found = (struct iris_nearest){.cell = guess[i], .shift = {1, 2, 3}, .d2 = 0};
        if (iris_cells_nearest(&s->cells, &g->map, q, found, NULL))
            return -1;
        if (i && (found->cell != first.cell || found->d2 != first.d2 ||
                  memcmp(found->shift, first.shift, sizeof first.shift)))
            return -1;
        first = *found;
    }
    return (long)s->cells.order[found->cell];
}

/* Is the answer right? Where sums are exact the lowest index must win; else
 * the rounding of q, and of q brought into the box, may choose between cells
 * equally far. */
static int
answer_ok(const struct sky *s, const struct metric *g, const double q[3], int reach, int exact)
{
    struct answer best = brute(s, g, q, reach);
    struct iris_nearest found;
    long got = ask(s, g, q, &found);
    long double mine, slack;
    int k, ok = got >= 0;

    if (!ok)
        return 0;
    for (k = 0; k < 3 && ok; k++) {
        double side = s->cells.box.hi[k] - s->cells.box.lo[k];

        ok = found.shift[k] ==
             (reach && !s->cells.closed[k] ? side * rint(found.shift[k] / side) : 0);
    }
    mine = distance2(g, q, s->p + 3 * got, found.shift);
    if (exact)
        return ok && (size_t)got == best.i && mine == best.d2 && found.d2 == (double)best.d2;
    slack = 8 * (long double)DBL_EPSILON *
            (fabsl((long double)q[0]) + fabsl((long double)q[1]) + fabsl((long double)q[2]) + 3);
    return ok && sqrtl(mine) <= sqrtl(best.d2) * (1 + 1e-14L) + (reach ? slack : 0) &&
           fabsl(sqrtl((long double)found.d2) - sqrtl(mine)) <=
               1e-14L * sqrtl(mine) + (reach ? slack : 0) &&
           (size_t)got == first_there(s, (size_t)got);
}

/* ---- open faces ---- */

/* Inside, around, far away, on a cell, between two cells. */
static void
query(const struct sky *s, enum cloud cloud, size_t turn, double q[3])
{
    const double *a = s->p + 3 * below(s->n), *b = s->p + 3 * below(s->n);
    int k;

    for (k = 0; k < 3; k++) {
        switch (turn % 6) {
        case 0:
            q[k] = uniform(-1, 1);
            break;
        case 1:
            q[k] = uniform(-3, 3);
            break;
        case 2:
            q[k] = uniform(-1e4, 1e4);
            break;
        case 3:
            q[k] = a[k];
            break;
        case 4:
            q[k] = (a[k] + b[k]) / 2;
            break;
        default:
            q[k] = a[k] + uniform(-1e-3, 1e-3);
        }
        if (cloud == LATTICE)
            q[k] = turn % 6 == 4 ? q[k] : rint(16 * q[k]) / 2;
    }
}

static void
check_cloud(enum cloud cloud, size_t n)
{
    static const struct {
        double scale, skew, angle;
    } maps[] = {{(double)NAN, (double)NAN, 0},
                {0.5, (double)NAN, 0},
                {(double)NAN, 2, 0},
                {(double)NAN, 0.5, 0},
                {2, 2, 30},
                {(double)NAN, 0.5, 45},
                {(double)NAN, 2, 90},
                {0.7, 0.5, 133.7},
                {(double)NAN, 2, 271}};
    size_t queries = n > 10000 ? 60 : 120, i, m, wrong = 0;
    struct sky s;

    sky_make(&s, cloud, n);
    CHECK(order_ok(&s) && boxes_ok(&s.cells), "%s, n = %zu: order and boxes", cloud_name[cloud], n);
    for (m = 0; m < sizeof maps / sizeof maps[0]; m++) {
        struct metric g = metric_make(maps[m].scale, maps[m].skew, maps[m].angle);
        int exact = cloud == LATTICE && maps[m].angle == 0;

        for (i = 0; i < queries; i++) {
            double q[3];

            query(&s, cloud, i, q);
            wrong += !answer_ok(&s, &g, q, 0, exact);
        }
    }
    CHECK(!wrong, "%s, n = %zu: nearest cells under %zu maps (%zu wrong)", cloud_name[cloud], n, m,
          wrong);
    sky_release(&s);
}

static void
test_open(void)
{
    static const size_t sizes[] = {1, 2, 15, 16, 17, 33, 1000, 20000};
    size_t i;
    int cloud;

    for (cloud = 0; cloud < CLOUDS; cloud++) {
        for (i = 0; i < sizeof sizes / sizeof sizes[0]; i++)
            check_cloud((enum cloud)cloud, sizes[i]);
    }
}

/* A whole lattice met in the middle of its cubes: eight cells are as near. */
static void
test_ties(void)
{
    struct sky s = {.n = 4096, .p = malloc(3 * 4096 * sizeof(double))};
    struct metric g = metric_make((double)NAN, (double)NAN, 0);
    size_t i, wrong = 0;
    struct iris_nearest found;

    if (!s.p)
        exit(1);
    for (i = 0; i < s.n; i++) {
        size_t mixed = i * 1237 % s.n; /* odd: a permutation */

        s.p[3 * i] = (double)(mixed % 16);
        s.p[3 * i + 1] = (double)(mixed / 16 % 16);
        s.p[3 * i + 2] = (double)(mixed / 256);
    }
    sky_fill(&s);
    for (i = 0; i < 300; i++) {
        double q[3] = {(double)below(15) + 0.5, (double)below(15) + 0.5, (double)below(15) + 0.5};

        wrong += !answer_ok(&s, &g, q, 0, 1);
        q[i % 3] += 0.5; /* in the middle of a square: four */
        wrong += !answer_ok(&s, &g, q, 0, 1);
        q[i % 3] += 1000;
        wrong += !answer_ok(&s, &g, q, 0, 1);
    }
    CHECK(!wrong, "of equally near cells the first in the file wins");
    sky_release(&s);
    sky_make(&s, ONE_PLACE, 1000);
    CHECK(ask(&s, &g, (double[3]){0.1, -0.2, 0.3}, &found) == 0 && found.d2 == 0,
          "of a thousand cells in one place the first in the file wins");
    sky_release(&s);
}

/* ---- periodic faces ---- */

static void
sky_wrap(struct sky *s, enum iris_faces faces, double lo, double hi, int closed)
{
    int k;

    s->cells.faces = faces;
    for (k = 0; k < 3; k++) {
        s->cells.box.lo[k] = lo;
        s->cells.box.hi[k] = hi;
        s->cells.closed[k] = closed >> k & 1;
    }
}

/* Inside, on faces, beside them, boxes away; not beyond walls. */
static void
wrapped_query(const struct sky *s, size_t turn, double q[3])
{
    const struct iris_cells *c = &s->cells;
    int k;

    for (k = 0; k < 3; k++) {
        double lo = c->box.lo[k], hi = c->box.hi[k], side = hi - lo;

        q[k] = uniform(lo, hi);
        if (turn % 5 == 1 && turn / 5 % 3 == (size_t)k)
            q[k] = turn % 2 ? lo : hi;
        if (turn % 5 == 2)
            q[k] = turn >> k & 1 ? lo + uniform(-0.01, 0.01) : hi + uniform(-0.01, 0.01);
        if (turn % 5 == 3)
            q[k] = uniform(lo - 3 * side, hi + 3 * side);
        if (turn % 5 == 4 && !c->closed[k])
            q[k] += side * rint(uniform(-1000, 1000));
    }
}

/* A skewed metric shrinks lengths by up to 1/2. When the nearest cell is
 * further than half a side, its image need not be of a box next to q's: too
 * many boxes for the brute force when there are many cells. */
static int
beyond_next_box(const struct sky *s, const struct metric *g, const double q[3])
{
    return brute(s, g, q, 1).d2 > 1;
}

static void
test_wrap(void)
{
    static const size_t sizes[] = {1, 2, 17, 1000};
    static const int closed[] = {0, 1, 2, 4, 6, 7};
    struct metric plain = metric_make((double)NAN, (double)NAN, 0), skew;
    size_t i, n, k;

    for (n = 0; n < sizeof sizes / sizeof sizes[0]; n++) {
        for (k = 0; k < sizeof closed / sizeof closed[0]; k++) {
            size_t wrong = 0, wrong_skewed = 0, skewed = 0;
            struct sky s;

            sky_make(&s, RANDOM, sizes[n]);
            sky_wrap(&s, IRIS_FACES_WRAP, -1, 1, closed[k]);
            for (i = 0; i < 150; i++) {
                double q[3];

                wrapped_query(&s, i, q);
                wrong += !answer_ok(&s, &plain, q, 1, 0);
                skew = metric_make(2, i % 2 ? 2 : 0.5, uniform(0, 360));
                if (s.n >= 1000 && beyond_next_box(&s, &skew, q))
                    continue;
                wrong_skewed += !answer_ok(&s, &skew, q, s.n < 1000 ? 8 : 1, 0);
                skewed++;
            }
            CHECK(!wrong, "periodic, closed %d, n = %zu: nearest images (%zu wrong)", closed[k],
                  s.n, wrong);
            CHECK(!wrong_skewed && skewed > 15,
                  "periodic, closed %d, n = %zu: skewed (%zu of %zu wrong)", closed[k], s.n,
                  wrong_skewed, skewed);
            sky_release(&s);
        }
    }
}

/* Whole numbers in a box of side 16: every distance is exact, cells lie on the
 * lower faces, and ties across faces go to the first in the file. */
static void
test_wrap_ties(void)
{
    struct metric g = metric_make((double)NAN, (double)NAN, 0);
    size_t n, i, wrong;
    struct sky s;

    for (n = 1; n < 5000; n *= 7) {
        sky_make(&s, LATTICE, n);
        sky_wrap(&s, IRIS_FACES_WRAP, -8, 8, n % 2 ? 0 : 2);
        wrong = 0;
        for (i = 0; i < 100; i++) {
            double q[3] = {rint(uniform(-40, 40)) / 2, rint(uniform(-16, 16)) / 2,
                           rint(uniform(-1600, 1600)) / 2};

            wrong += !answer_ok(&s, &g, q, 1, 1);
        }
        CHECK(!wrong, "periodic lattice, n = %zu: the first in the file wins (%zu wrong)", n,
              wrong);
        sky_release(&s);
    }
}

/* One place seen from both sides: a cell on the lower face and one on the
 * upper, the first in the file. */
static void
test_on_faces(void)
{
    struct metric g = metric_make((double)NAN, (double)NAN, 0);
    double p[] = {8, 0, 0, -8, 0, 0, 1, 2, 3};
    struct iris_nearest found = {.cell = 1};
    struct sky s = {.n = 3, .p = p};

    sky_fill(&s);
    sky_wrap(&s, IRIS_FACES_WRAP, -8, 8, 0);
    CHECK(ask(&s, &g, p + 3, &found) == 0 && found.d2 == 0 && found.shift[0] == -16,
          "periodic: a cell on the other face is in the same place");
    CHECK(ask(&s, &g, p, &found) == 0 && found.d2 == 0 && found.shift[0] == 0,
          "periodic: and found from there too");
    sky_wrap(&s, IRIS_FACES_GUARD, -8, 8, 0);
    CHECK(iris_cells_nearest(&s.cells, &g.map, p + 3, &found, NULL) == IRIS_E_DATA,
          "guard: on a face the image is as near as can be");
    sky_wrap(&s, IRIS_FACES_GUARD, -8, 8, 1);
    CHECK(!iris_cells_nearest(&s.cells, &g.map, p + 3, &found, NULL) &&
              s.cells.order[found.cell] == 1,
          "guard: not on a wall");
    iris_cells_release(&s.cells);
}

/* An error exactly when a face is as near as the nearest cell (in the skewed
 * metric: could be as near). Coordinates are eighths, so both are exact. */
static void
check_guard(const struct sky *s, const struct metric *g, double least, const char *name)
{
    const struct iris_cells *c = &s->cells;
    size_t i, wrong = 0, unsound = 0, errors = 0, n = 400;

    for (i = 0; i < n; i++) {
        double q[3], face = HUGE_VAL;
        struct iris_nearest found = {.cell = below(s->n)};
        struct iris_err err = {0};
        struct answer home;
        enum iris_status st;
        int k, expected;

        for (k = 0; k < 3; k++) {
            q[k] = rint(uniform(-72, 72)) / 8;
            if (!c->closed[k])
                face = fmin(face, fmin(q[k] - c->box.lo[k], c->box.hi[k] - q[k]));
        }
        home = brute(s, g, q, 0);
        expected = face < 0 || (long double)(face * face * least) <= home.d2;
        st = iris_cells_nearest(c, &g->map, q, &found, &err);
        wrong += (st == IRIS_E_DATA) != expected || (st && st != IRIS_E_DATA) ||
                 (st && !strstr(err.msg, "suite_hyper.periodic"));
        errors += st != IRIS_OK;
        if (!st)
            unsound += brute(s, g, q, 1).i != home.i || c->order[found.cell] != home.i;
    }
    CHECK(!wrong, "guard, %s: errors where expected (%zu wrong)", name, wrong);
    CHECK(!unsound, "guard, %s: no error, no nearer image", name);
    CHECK(errors > n / 20 && errors < n, "guard, %s: %zu of %zu are errors", name, errors, n);
}

static void
test_guard(void)
{
    struct metric plain = metric_make((double)NAN, (double)NAN, 0);
    struct metric skew = metric_make((double)NAN, 2, 0);
    struct iris_nearest found = {.cell = 0};
    struct sky s;

    sky_make(&s, LATTICE, 3000);
    sky_wrap(&s, IRIS_FACES_GUARD, -8, 8, 0);
    check_guard(&s, &plain, 1, "all faces");
    sky_wrap(&s, IRIS_FACES_GUARD, -8, 8, 5);
    check_guard(&s, &plain, 1, "two axes closed");
    /* face exactly as near in a metric whose least stretch is 1/2; the index
     * is on the safe side by 1e-12 */
    sky_wrap(&s, IRIS_FACES_GUARD, -8, 8, 0);
    check_guard(&s, &skew, 0.25, "skew 2");
    CHECK(iris_cells_nearest(&s.cells, &plain.map, (double[3]){0, 0, 9}, &found, NULL) ==
              IRIS_E_DATA,
          "guard: outside the box is an error");
    sky_wrap(&s, IRIS_FACES_GUARD, -8, 8, 4);
    CHECK(!iris_cells_nearest(&s.cells, &plain.map, (double[3]){0.125, 0, 9}, &found, NULL),
          "guard: beyond a wall is none");
    sky_release(&s);
}

/* ---- memory ---- */

static void
test_size(void)
{
    size_t bytes = 7, last = 0, n;
    struct iris_cells c;
    struct iris_err err = {0};
    int ok = 1;

    CHECK(iris_cells_size(0, &bytes, &err) == IRIS_E_DATA && bytes == 7, "no cells: %s", err.msg);
    CHECK(iris_cells_size((size_t)UINT32_MAX + 1, &bytes, &err) == IRIS_E_DATA && bytes == 7,
          "too many cells: %s", err.msg);
    CHECK(iris_cells_size(SIZE_MAX, &bytes, &err) == IRIS_E_DATA, "far too many cells");
    CHECK(!iris_cells_size(UINT32_MAX, &bytes, &err) && bytes / UINT32_MAX >= 60,
          "as many as fit: %zu bytes", bytes);
    for (n = 1; n < 3000; n++) {
        char *end;

        ok = ok && !iris_cells_size(n, &bytes, NULL) && bytes >= last && bytes % 64 == 0;
        last = bytes;
        if (iris_cells_new(&c, n, NULL))
            exit(1);
        end = (char *)c.block + bytes;
        ok = ok && (char *)c.x == (char *)c.block && c.y >= c.x + n && c.z >= c.y + n &&
             (char *)c.gas >= (char *)(c.z + n) && (char *)c.order >= (char *)(c.gas + n) &&
             (char *)c.node >= (char *)(c.order + n) &&
             (char *)(c.node + (2 * c.leaves + 7) / 8) <= end && (uintptr_t)c.gas % 64 == 0 &&
             c.order[n - 1] == n - 1;
        iris_cells_release(&c);
    }
    CHECK(ok, "the arrays lie in the block, apart");
    CHECK(iris_cells_new(&c, 0, &err) == IRIS_E_DATA && !c.block, "no cells cannot be made");
    iris_cells_release(&c);
    iris_cells_release(&c);
    CHECK(!c.block && !c.n, "release is safe twice");
}

int
main(void)
{
    test_size();
    test_open();
    test_ties();
    test_wrap();
    test_wrap_ties();
    test_on_faces();
    test_guard();
    return check_done();
}
