#include "walk.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>

enum { COARSE = 64 }; /* of so many cells one makes the first envelope */

static int
order(const void *a, const void *b)
{
    double x = ((const struct kept *)a)->slope, y = ((const struct kept *)b)->slope;

    return (x > y) - (x < y);
}

void *
walk_array(size_t n, size_t size)
{
    void *p = calloc(n, size);

    if (!p) {
        fputs("exact: no memory\n", stderr);
        exit(1);
    }
    return p;
}

void
walk_init(struct walk *w, size_t n, const double *x, const double *y, const double *z)
{
    *w = (struct walk){.n = n, .x = x, .y = y, .z = z};
    w->slope = walk_array(n, sizeof *w->slope);
    w->height = walk_array(n, sizeof *w->height);
    w->part = walk_array(n + 1, sizeof *w->part);
    w->kept = walk_array(n, sizeof *w->kept);
}

void
walk_release(struct walk *w)
{
    free(w->slope);
    free(w->height);
    free(w->part);
    free(w->kept);
}

/* Where the line of cell b comes below that of a, whose slope is less. */
static double
crossing(const struct walk *w, size_t a, size_t b)
{
    return (w->height[b] - w->height[a]) / (2 * (w->slope[b] - w->slope[a]));
}

/* Put a cell behind the envelope of those with less slope. */
static void
add(struct walk *w, size_t cell)
{
    while (w->parts > 0) {
        const struct segment *top = &w->part[w->parts - 1];
        double t;

        if (w->slope[cell] > w->slope[top->cell]) {
            t = crossing(w, top->cell, cell);
            if (t > top->t) {
                w->part[w->parts++] = (struct segment){t, cell};
                return;
            }
        } else if (w->height[cell] >= w->height[top->cell]) {
            return;
        }
        w->parts--;
    }
    w->part[w->parts++] = (struct segment){-INFINITY, cell};
}

static void
keep(struct walk *w, size_t *n, size_t cell)
{
    w->kept[(*n)++] = (struct kept){w->slope[cell], cell};
}

/* The envelope of the first n of kept, from t = a to b. */
static void
envelope(struct walk *w, size_t n, double a, double b)
{
    size_t i, first = 0;

    qsort(w->kept, n, sizeof *w->kept, order);
    w->parts = 0;
    for (i = 0; i < n; i++)
        add(w, w->kept[i].cell);
    while (w->parts > 1 && w->part[w->parts - 1].t >= b)
        w->parts--;
    while (first + 1 < w->parts && w->part[first + 1].t <= a)
        first++;
    for (i = first; i < w->parts; i++)
        w->part[i - first] = w->part[i];
    w->parts -= first;
    w->part[0].t = a;
    w->part[w->parts].t = b;
}

/* The squared distance to the cell of a part at t. */
static double
distance2(const struct walk *w, size_t cell, double t)
{
    return t * t - 2 * t * w->slope[cell] + w->height[cell];
}

/* The farthest that the line is from its nearest cell. It is at an end of a part, for
 * the distance has no other maxima. */
static double
farthest2(const struct walk *w)
{
    double most = 0;
    size_t i;

    for (i = 0; i < w->parts; i++) {
        most = fmax(most, distance2(w, w->part[i].cell, w->part[i].t));
        most = fmax(most, distance2(w, w->part[i].cell, w->part[i + 1].t));
    }
    return most;
}

void
walk_line(struct walk *w, const double origin[3], const double direction[3], double from, double to)
{
    double middle = (from + to) / 2, half = (to - from) / 2, o[3], most;
    size_t i, n = 0;
    int k;

    /* t counts from the middle, where the cells are, so that little is lost in height */
    for (k = 0; k < 3; k++)
        o[k] = origin[k] + middle * direction[k];
    for (i = 0; i < w->n; i++) {
        double x = w->x[i] - o[0], y = w->y[i] - o[1], z = w->z[i] - o[2];

        w->slope[i] = x * direction[0] + y * direction[1] + z * direction[2];
        w->height[i] = x * x + y * y + z * z;
    }
    for (i = 0; i < w->n; i += COARSE)
        keep(w, &n, i);
    envelope(w, n, -half, half);
    /* a cell that never comes so near is nowhere the nearest */
    most = farthest2(w) * (1 + 1e-9);
    for (i = 0, n = 0; i < w->n; i++)
        if (w->height[i] - w->slope[i] * w->slope[i] <= most &&
            (fabs(w->slope[i]) <= half || distance2(w, i, copysign(half, w->slope[i])) <= most))
            keep(w, &n, i);
    envelope(w, n, -half, half);
    for (i = 0; i <= w->parts; i++)
        w->part[i].t += middle;
}
