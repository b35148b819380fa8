/* transfer_ray -- what the two arithmetics of transfer share. Private to
 * transfer*.c. */
#ifndef IRIS_TRANSFER_RAY_H
#define IRIS_TRANSFER_RAY_H

#include "march.h"
#include "transfer.h"

/* One step of a ray, in the order of marching. The line's emission and
 * absorption at velocity v is j phi and a phi, phi = norm exp(-x^2) with
 * x = (v - step.v) * per_b. */
struct iris_step {
    double v;
    double j, a;  /* 0: no line */
    double ad;    /* absorption by dust */
    double per_b; /* 1 / (b (1 + v/c)) */
    double norm;  /* 1 / (D sqrt(pi)), D = b nu_ul / c */
    /* source of dust: B = planck nu^3 / expm1(nu per_kT), at the frequencies nu
     * of the channels as the gas sees them; planck 0: none */
    double planck, per_kT;
    /* without the stretch of 1 + v/c: width, 0 without a line; h/kT of dust */
    double b, rest_per_kT;
    double rest_e; /* exp(x) - 1 of it at the middle of the band */
    int found;     /* bits: gas, tracer */
};

/* Constants in the unit system. */
struct iris_transfer_constants {
    double k, h, c;
};

/* The grids of one line. */
struct iris_band {
    double nu_first, nu_step;     /* frequencies of the channels, observer's frame */
    double width;                 /* of a profile's cell, in frequency; see average */
    double *background;           /* [v_steps] of the continuum */
    double middle;                /* background at the middle */
    double node[3], node_cube[3]; /* frequencies of the ends and the middle, nu^3 */
};

struct iris_solver {
    struct iris_transfer_law law;
    struct iris_transfer_constants constant;
    const struct iris_line *line;
    size_t n_lines;
    struct iris_band *band; /* [n_lines] */
    /* the grid on which profiles are evaluated: n values v_first + i v_step; with
     * average each is a mean over a cell of width v_step */
    size_t n;
    double v_first, v_step, per_v_step;
    int average;
    struct iris_step *step;             /* [r_steps] */
    double *weight;                     /* [r_steps] of thin transfer */
    double *total, *excess, *continuum; /* [v_steps]: result of a line */
    double *real;                       /* work of the precise arithmetic */
    float *single;                      /* work of the other */
    float *place;                       /* [n, in whole blocks] the channel, -1 to 1 */
    struct iris_march_step *march;      /* [r_steps] */
    double (*strength)[2];              /* [r_steps] */
    int32_t *last;                      /* [blocks of n] */
};

/* How far from its centre a profile is not zero, in Doppler widths: beyond,
 * exp(-x^2) is zero in double, or does not matter in single. */
#define IRIS_REACH_PRECISE 27.3
#define IRIS_REACH_AVERAGE 6.0 /* erf is 1 in double beyond */
#define IRIS_REACH_SINGLE  5.6

/* Indices [from, to) of the grid that a step's line reaches. */
struct iris_window {
    size_t from, to;
};
struct iris_window iris_transfer_window(const struct iris_solver *t, const struct iris_step *s,
                                        double reach);

/* Fine cells a channel. */
size_t iris_transfer_fine(const struct iris_transfer_law *law);

/* Excess over the continuum and continuum of a line, from t->step. */
void iris_transfer_precise(struct iris_solver *t, size_t line);
/* The same; returns -1 where it gives up, to be done by the precise one. */
int iris_transfer_single(struct iris_solver *t, size_t line);
/* The same for optically thick, smooth transfer with profiles at points. */
int iris_transfer_march(struct iris_solver *t, size_t line);
/* Thin transfer, the same for both. */
void iris_transfer_thin(struct iris_solver *t, size_t line);

/* The profile of a step at grid indices [w.from, w.to), in double: per unit of
 * frequency. */
void iris_transfer_profile(const struct iris_solver *t, const struct iris_band *b,
                           const struct iris_step *s, struct iris_window w, double *phi);

/* The dust's emission at every channel: B * ad. */
void iris_transfer_dust(const struct iris_solver *t, const struct iris_band *b,
                        const struct iris_step *s, double *jd);

/* Sizes of work space, doubles and floats. */
size_t iris_transfer_precise_size(const struct iris_solver *t);
size_t iris_transfer_single_size(const struct iris_solver *t);
size_t iris_transfer_march_size(const struct iris_solver *t);

#endif
