/* walk -- the cells that a straight line goes through, exactly.
 *
 * Along a line o + t d the squared distance to a cell at x is
 *
 *   t^2 - 2 t d.(x - o) + |x - o|^2
 *
 * and since t^2 is common to all, cells compare as straight lines in t: the nearest is
 * the lower envelope of them. Where it passes from one to the next the line crosses a
 * face of the Voronoi mesh. No tree, no samples, and nothing of the sampler.
 */
#ifndef WALK_H
#define WALK_H

#include <stddef.h>

/* A part of the line from t to that of the next segment, in the cell. */
struct segment {
    double t;
    size_t cell;
};

/* A cell that is to be in the envelope, for sorting. */
struct kept {
    double slope;
    size_t cell;
};

struct walk {
    size_t n; /* cells */
    const double *x, *y, *z;
    double *slope, *height; /* [n] work space */
    struct segment *part;   /* [n + 1] of the last line, the end of the last part with it */
    size_t parts;
    struct kept *kept; /* [n] work space */
};

/* Zeroed memory, for the caller to free(); ends the program where there is none. */
void *walk_array(size_t n, size_t size);

/* in  x, y, z  [n] kept by reference; ends the program where there is no memory */
void walk_init(struct walk *w, size_t n, const double *x, const double *y, const double *z);
void walk_release(struct walk *w);

/* Fill part[0 .. parts]: part[0].t is from, part[parts].t is to.
 *
 *   in  direction  a unit vector
 */
void walk_line(struct walk *w, const double origin[3], const double direction[3], double from,
               double to);

#endif
