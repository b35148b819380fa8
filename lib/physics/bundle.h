/* bundle -- the fast arithmetic of transfer: eight rays side by side. Private to
 * transfer*.c and the kernels kernel_{smooth,formal,thin}.c.
 *
 * What is followed is the line's excess D = I - C over the continuum. The
 * equations of total and continuum are subtracted from each other on paper, so
 * that what is left is proportional to the line's own emission and absorption
 * and keeps its relative accuracy however faint the line is. Differences of
 * large numbers are formed in double, once a step; D itself is single.
 *
 * The continuum varies by a part in a thousand over a band: it is followed at
 * three frequencies, the ends and the middle, and is a parabola between them.
 *
 * A line is followed only where it matters: what its wings add or take beyond
 * is below a part in a million of the ray's peak, over all steps together. The
 * peak is estimated from what the steps would show each alone; where it turns
 * out lower the ray is done again. Channels are gone through in blocks of 16; a
 * block is looked at only by the steps whose line reaches it.
 *
 * What is stored is D over a factor g that follows, in double, how dust alone
 * would dim it: tiny losses on many steps would vanish in the rounding of D.
 *
 * First the steps of the rays are prepared: all numbers of a step that do not
 * depend on the channel are a row, side by side for the eight rays. Then all
 * eight march together, step by step.
 */
#ifndef IRIS_BUNDLE_H
#define IRIS_BUNDLE_H

#include <stddef.h>
#include <stdint.h>

#include "abundance.h"
#include "linetable.h"
#include "sampler.h"

enum { IRIS_BUNDLE = 8, IRIS_BLOCK = 16, IRIS_NODES = 3 };

/* Numbers of a row. Parabolas are c[0] + c[1] u + c[2] u^2, u from -1 to 1 over
 * the band; all intensities are over g. */
enum {
    IRIS_ROW_X,    /* the profile's argument at grid point i is */
    IRIS_ROW_DX,   /* x + (i - near) dx, in Doppler widths, */
    IRIS_ROW_NEAR, /* near a whole number: the point next to the centre; or where a mean's
                      cells are wider than the line, the edge next to it: a half more */
    IRIS_ROW_WIDE, /* 1 / dx */
    IRIS_ROW_ADDS, /* ln of what the line's centre adds, at the end of the ray but for a constant */
    IRIS_ROW_TAKES,              /* ln of the absorption at its centre */
    IRIS_ROW_A,                  /* absorption at the centre of the profile, of a step */
    IRIS_ROW_G,                  /* [3] emission over the continuum, likewise */
    IRIS_ROW_C = IRIS_ROW_G + 3, /* [3] continuum */
    IRIS_ROW_OWN = IRIS_ROW_C + 3,
    /* smooth: D = max(-C, (under E + phi G + clipped) / (under + a phi)) with
     * E = keep D' + trend (D' - D''), after D' and D'' were multiplied */
    IRIS_ROW_KEEP = IRIS_ROW_OWN,
    IRIS_ROW_TREND,
    IRIS_ROW_UNDER,
    IRIS_ROW_ODD, /* steps up to this one where not: keep, now and before are 1, nothing clipped */
    IRIS_ROWS_SMOOTH,
    /* formal: see kernel_formal.c */
    IRIS_ROW_OTHER = IRIS_ROW_OWN,      /* [3] */
    IRIS_ROW_REST = IRIS_ROW_OTHER + 3, /* [3] */
    IRIS_ROW_TAU_D = IRIS_ROW_REST + 3, /* of dust */
    IRIS_ROW_F_DUST,                    /* (1 - exp(-tau)) / tau of it */
    IRIS_ROW_J,                         /* emission of the line */
    IRIS_ROW_UNTHINNED,                 /* D' before the dust's loss, per D' */
    IRIS_ROW_FADE,                      /* what D' is multiplied by first, everywhere */
    IRIS_ROW_THIN,                      /* 1: dust too thin to absorb, 0: not */
    IRIS_ROWS_FORMAL,
    IRIS_ROWS_THIN = IRIS_ROW_OWN
};

/* Of a smooth step, only where it is odd: elsewhere it is not even memory. */
enum {
    IRIS_ODD_NOW, /* what D' and D'' are multiplied by first */
    IRIS_ODD_BEFORE,
    IRIS_ODD_CLIPPED, /* [3] */
    IRIS_ODDS = IRIS_ODD_CLIPPED + 3
};

/* What the steps of a line need to know. */
struct iris_bundle_law {
    const struct iris_line_table *table;
    const struct iris_abundance *abundance;
    struct iris_lookup lookup;
    size_t steps;     /* of a ray */
    size_t n, blocks; /* grid points of profiles, and blocks of 16 of them */
    double rho_per_b; /* of the table's axis, the density at sinh 1 */
    double N_nodes, x_nodes, T_nodes;
    int average;    /* profiles are means over cells of the grid */
    int selective;  /* the line does not absorb itself */
    double ds;      /* of a step */
    double v_first; /* grid point i is at v_first + i v_step */
    double v_step, per_v_step;
    double per_c;       /* 1/c */
    double kappa;       /* dust's absorption per density */
    double N_per_rho;   /* H nuclei per m^3, of a density */
    double per_T;       /* K, of a temperature */
    double two_k_per_m; /* b^2 = 2kT/m + v_turb^2 */
    double v_turb2;
    double norm;      /* profile at the centre, times b: c / (nu sqrt(pi)) */
    double per_width; /* 1 / width in frequency of a cell; profiles that are means */
    double h_per_k;
    double per_unit;
    double unit; /* of intensity, 2h nu^3/c^2 at the middle: single precision has no room
                    for intensities in units of length, mass and time */
    double node[IRIS_NODES], cube[IRIS_NODES]; /* frequencies nu, and nu^3 over the middle's */
    double background[IRIS_NODES];             /* in the unit, as all intensities here */
    const double *weight;                      /* [steps] of thin transfer */
    const float *place;                        /* [blocks * 16] u of the channel of a grid point */
};

/* The samples of eight rays side by side, in the order of marching: the fields of
 * step s at field[f] + s * row and the velocities at v + s * v_row, or all of them
 * in double, [steps][IRIS_FIELDS][8], where wide is not NULL. */
struct iris_samples {
    const double *wide;
    const double *v;
    const float *field[IRIS_FIELDS]; /* but IRIS_V_R */
    ptrdiff_t v_row, row;
};

/* Eight rays on one line. */
struct iris_bundle {
    struct iris_samples samples;
    float *row;        /* [steps][IRIS_ROWS_...][8] */
    float *odd;        /* [steps][IRIS_ODDS][8] of smooth transfer */
    float *Q, *before; /* [8][blocks * 16] D over g, now and a step before */
    int32_t *last;     /* [8][blocks] the last step that was done; -1: it is still zero */
    double *exact;     /* [steps][IRIS_EXACT][8] of formal transfer */
    double continuum[IRIS_NODES][IRIS_BUNDLE]; /* at the end */
    double g[IRIS_BUNDLE], left[IRIS_BUNDLE];  /* at the end; left of what comes from the start */
    double peak[IRIS_BUNDLE];                  /* estimate, at the end */
    float least[IRIS_BUNDLE];                  /* a Q above this cannot reach -C */
    float adds[IRIS_BUNDLE];    /* a line is followed out to x^2 = adds + row's adds, */
    float takes;                /* or takes + row's takes */
    float highest[IRIS_BUNDLE]; /* |Q| at the end */
    unsigned gas, tracer, wild; /* bits: has gas, tracer, steps beyond this arithmetic */
};

/* What decides, in double, whether a point of a step absorbs. */
enum { IRIS_EXACT_V, IRIS_EXACT_PER_B, IRIS_EXACT_LINE, IRIS_EXACT_DUST, IRIS_EXACT };

/* The profile of a line at grid point i, in double: exp(-x^2), or its mean over
 * the cell times dx / sqrt(pi). */
double iris_profile_at(const struct iris_bundle_law *k, double v, double per_b, double i);

/* How far from its centre a profile matters in single precision, squared. */
#define IRIS_REACH2_SINGLE 31.36f
/* Cells of more widths than this have edges, in profiles that are means. */
#define IRIS_COARSE_SINGLE 0.4f

/* Prepare the rows of all steps, and what is single above. */
typedef void iris_bundle_steps_fn(const struct iris_bundle_law *law, struct iris_bundle *b);

/* March the rays whose bits are set in active from the first to the last step. */
typedef void iris_bundle_march_fn(const struct iris_bundle_law *law, struct iris_bundle *b,
                                  unsigned active);

#endif
