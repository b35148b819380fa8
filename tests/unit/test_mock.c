/* The made-up galaxy: ranges, consistency, independence of chunks. */
#include "check.h"

#include <stdint.h>

#include "mock.h"

#define N 200000

static void *
need(size_t n)
{
    void *p = calloc(n, 8);

    if (!p)
        exit(1);
    return p;
}

static struct iris_mock_cells
make(size_t n)
{
    struct iris_mock_cells c = {need(3 * n), need(3 * n), need(n), need(n),
                                need(n),     need(3 * n), need(n), need(n)};

    return c;
}

static void
drop(struct iris_mock_cells *c)
{
    free(c->coordinates);
    free(c->velocities);
    free(c->density);
    free(c->internal_energy);
    free(c->masses);
    free(c->abundances);
    free(c->dust_temperature);
    free(c->ids);
}

static int
same(const struct iris_mock_cells *a, size_t at, const struct iris_mock_cells *b, size_t n)
{
    return !memcmp(a->coordinates + 3 * at, b->coordinates, 24 * n) &&
           !memcmp(a->velocities + 3 * at, b->velocities, 24 * n) &&
           !memcmp(a->density + at, b->density, 8 * n) &&
           !memcmp(a->internal_energy + at, b->internal_energy, 8 * n) &&
           !memcmp(a->masses + at, b->masses, 8 * n) &&
           !memcmp(a->abundances + 3 * at, b->abundances, 24 * n) &&
           !memcmp(a->dust_temperature + at, b->dust_temperature, 8 * n) &&
           !memcmp(a->ids + at, b->ids, 8 * n);
}

static int
within(const double *v, size_t n, double low, double high)
{
    size_t i;

    for (i = 0; i < n; i++)
        if (!(v[i] >= low && v[i] <= high))
            return 0;
    return 1;
}

static int
by_position(const void *a, const void *b)
{
    return memcmp(a, b, 3 * sizeof(double));
}

static int
distinct(const double *coordinates, size_t n)
{
    double *x = need(3 * n);
    size_t i;

    memcpy(x, coordinates, 24 * n);
    qsort(x, n, 24, by_position);
    for (i = 1; i < n; i++)
        if (!by_position(x + 3 * i - 3, x + 3 * i))
            break;
    free(x);
    return i == n;
}

static double
kelvin(const struct iris_mock_cells *c, size_t i)
{
    return c->internal_energy[i] /
           iris_mock_energy(1, c->abundances[3 * i], c->abundances[3 * i + 1]);
}

/* Seen from 8277 pc along +x, in the window of the main setting. */
static int
in_view(const double *code)
{
    double d[3] = {100 * (code[0] - 120) - 8277, 100 * (code[1] - 120), 100 * (code[2] - 120)};
    double r = sqrt(d[0] * d[0] + d[1] * d[1] + d[2] * d[2]), degree = 180 / 3.14159265358979;

    return r >= 8052 && r <= 8502 && fabs(atan2(d[1], -d[0])) * degree <= 1.5 &&
           fabs(asin(d[2] / r)) * degree <= 0.375;
}

static void
check_ranges(const struct iris_mock_cells *c)
{
    double h2[3] = {0, 0, 0};
    size_t i;
    int bad = 0;

    for (i = 0; i < N; i++) {
        const double *x = c->abundances + 3 * i;

        bad |= !(x[IRIS_MOCK_H2] >= 0 && x[IRIS_MOCK_H2] <= 0.5 && x[IRIS_MOCK_HP] >= 0 &&
                 x[IRIS_MOCK_HP] <= 1 && x[IRIS_MOCK_CO] >= 0 && x[IRIS_MOCK_CO] <= 1.4e-4);
        bad |= 2 * x[IRIS_MOCK_H2] + x[IRIS_MOCK_HP] > 1.02;
        h2[0] = fmax(h2[0], x[IRIS_MOCK_H2]);
        h2[1] = fmax(h2[1], x[IRIS_MOCK_HP]);
        h2[2] = fmax(h2[2], x[IRIS_MOCK_CO]);
    }
    CHECK(!bad, "abundances within their bounds");
    CHECK(h2[0] > 0.49 && h2[1] > 0.9 && h2[2] > 1.3e-4, "abundances use their ranges");
    CHECK(within(c->coordinates, 3 * N, 0, nextafter(IRIS_MOCK_BOX, 0)),
          "positions inside the box");
    CHECK(within(c->velocities, 3 * N, -600, 600), "velocities of a galaxy");
    CHECK(within(c->density, N, 1e-6, 1e12), "densities positive and finite");
    CHECK(within(c->masses, N, 1e-9, 1e9), "masses positive and finite");
    CHECK(within(c->internal_energy, N, 1e-3, 1e7), "energies positive and finite");
    CHECK(within(c->dust_temperature, N, 12, 40), "dust from 12 to 40 K");
    CHECK(distinct(c->coordinates, N), "no two cells in one place");
}

static void
check_model(const struct iris_mock_cells *c)
{
    size_t i, view = 0, hot = 0, cold = 0, dense = 0, dense_cold = 0, faces = 0;
    double low = INFINITY, high = 0, plus = 0, minus = 0;

    for (i = 0; i < N; i++) {
        const double *x = c->coordinates + 3 * i;
        double t = kelvin(c, i), co = c->masses[i] * c->abundances[3 * i + IRIS_MOCK_CO];

        low = fmin(low, t);
        high = fmax(high, t);
        hot += t > 5e4;
        cold += t < 40;
        /* more than 2e4 hydrogen nuclei per cm^3 */
        if (c->density[i] > 2e4 * 34538) {
            dense++;
            dense_cold += t < 60;
        }
        faces += fmin(x[0], IRIS_MOCK_BOX - x[0]) < 1;
        if (in_view(x)) {
            view++;
            *(x[1] > 120 ? &plus : &minus) += co;
        }
    }
    CHECK(view > N * 3 / 10, "%.1f %% of the cells in the main view", 100.0 * (double)view / N);
    CHECK(low > 10 && low < 20 && high > 5e6 && high < 2e7, "gas from %.0f to %.2g K", low, high);
    CHECK(hot > N / 20 && hot < N / 2, "%.1f %% hot", 100.0 * (double)hot / N);
    CHECK(cold > N / 50, "%.1f %% cold", 100.0 * (double)cold / N);
    CHECK(dense > N / 200 && dense_cold == dense, "dense gas is cold");
    CHECK(faces > 10, "cells near the faces of the box");
    CHECK(plus > 0 && minus > 0 && fabs(plus / minus - 1) > 0.05, "lopsided: %.2f", plus / minus);
}

/* The zone turns clockwise, at about 120 km/s at 100 pc. */
static void
check_rotation(const struct iris_mock_cells *c)
{
    double sum = 0;
    size_t i, n = 0;

    for (i = 0; i < N; i++) {
        double x = c->coordinates[3 * i] - 120, y = c->coordinates[3 * i + 1] - 120;
        double r = hypot(x, y), z = fabs(c->coordinates[3 * i + 2] - 120);

        if (r > 0.9 && r < 1.1 && z < 0.5) {
            sum += (x * c->velocities[3 * i + 1] - y * c->velocities[3 * i]) / r;
            n++;
        }
    }
    CHECK(n > 100 && fabs(sum / (double)n + 120) < 20, "turns with %.0f km/s at 100 pc",
          sum / (double)n);
}

static void
check_chunks(const struct iris_mock_cells *whole)
{
    struct iris_mock_cells part = make(N);
    size_t first = 0, step = 1;
    int ok = 1;

    while (first < N) {
        size_t n = step < N - first ? step : N - first;

        ok &= !iris_mock_cells(7, N, first, n, &part, NULL) && same(whole, first, &part, n);
        first += n;
        step = step * 3 + 1;
    }
    CHECK(ok, "cells do not depend on the range they are made in");
    CHECK(whole->ids[0] == 1 && whole->ids[N - 1] == N, "ids from 1 to n");
    iris_mock_cells(8, N, 0, 100, &part, NULL);
    CHECK(part.coordinates[0] != whole->coordinates[0], "another seed, other cells");
    drop(&part);
}

static void
check_limits(void)
{
    struct iris_mock_cells c = make(4);
    struct iris_err err = {0};
    uint64_t max = IRIS_MOCK_MAX_CELLS;

    CHECK(!iris_mock_cells(1, 1, 0, 1, &c, &err) && isfinite(c.masses[0]), "one cell");
    CHECK(!iris_mock_cells(INT64_MAX, max, max - 4, 4, &c, &err) && c.ids[3] == max,
          "the last cells");
    CHECK(!iris_mock_cells(1, 5, 5, 0, &c, &err), "no cell");
    CHECK(iris_mock_cells(1, 0, 0, 0, &c, &err) == IRIS_E_USAGE, "n = 0 is refused");
    CHECK(iris_mock_cells(1, max + 1, 0, 1, &c, &err) == IRIS_E_USAGE, "too many are refused");
    CHECK(iris_mock_cells(1, 5, 4, 2, &c, &err) == IRIS_E_USAGE, "a range beyond n is refused");
    drop(&c);
}

/* 3/2 k T (1 + x_H+ - x_H2 + 0.1) / mu by hand. */
static void
check_energy(void)
{
    CHECK(check_near(iris_mock_energy(100, 0.5, 0),
                     1.5 * 1.380649e-21 * 0.6 / 2.338205299410957e-21, 1e-12),
          "molecular gas of 100 K");
    CHECK(check_near(iris_mock_energy(1e6, 0, 1), 1.5 * 1.380649e-17 * 2.1 / 2.338205299410957e-21,
                     1e-12),
          "ionised gas of 1e6 K");
}

int
main(void)
{
    struct iris_mock_cells c = make(N);

    CHECK(!iris_mock_cells(7, N, 0, N, &c, NULL), "make cells");
    check_ranges(&c);
    check_model(&c);
    check_rotation(&c);
    check_chunks(&c);
    check_limits();
    check_energy();
    drop(&c);
    return check_done();
}
