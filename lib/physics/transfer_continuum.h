/* transfer_continuum -- dust and background along a ray, at three frequencies of
 * a band: its ends and its middle. Between them everything is a parabola, since
 * a band is narrow (a part in a thousand). Private to transfer*.c. */
#ifndef IRIS_TRANSFER_CONTINUUM_H
#define IRIS_TRANSFER_CONTINUUM_H

#include "march.h"
#include "transfer_ray.h"

enum { IRIS_NODES = 3 };

struct iris_nodes {
    double at[IRIS_NODES];
};

struct iris_continuum {
    struct iris_nodes now, before;
    struct iris_nodes source;  /* of dust */
    struct iris_nodes clipped; /* what max(., 0) took away, times the denominator */
    int is_clipped;
    double tau; /* formal: optical depth of the step */
    int thin;   /* formal: below the reference's limit for absorption */
    double last_ad;
    struct iris_nodes last_source;
};

/* The background. */
void iris_continuum_start(struct iris_continuum *C, const struct iris_solver *t,
                          const struct iris_band *b);

/* Go on to step s of the ray, s from 0. */
void iris_continuum_smooth(struct iris_continuum *C, const struct iris_solver *t,
                           const struct iris_band *b, size_t s);
void iris_continuum_formal(struct iris_continuum *C, const struct iris_solver *t,
                           const struct iris_band *b, size_t s);

/* y times a factor as a parabola. */
static inline struct iris_parabola
iris_fit(const struct iris_nodes *y, double factor)
{
    const double *v = y->at;
    double half = 0.5 * factor;

    return (struct iris_parabola){{(float)(v[1] * factor), (float)((v[2] - v[0]) * half),
                                   (float)((v[2] + v[0]) * half - v[1] * factor)}};
}

/* Excess D = g Q on the grid to excess and continuum of the channels. */
void iris_transfer_collect(struct iris_solver *t, const float *Q, double g,
                           const struct iris_continuum *C);

#endif
