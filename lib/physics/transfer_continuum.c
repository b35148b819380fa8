#include "transfer_continuum.h"

#include <math.h>

/* exp(d) - 1 */
static double
expm1_near_0(double d)
{
    return fabs(d) < 0.01 ? d * (1 + d / 2 * (1 + d / 3 * (1 + d / 4 * (1 + d / 5 * (1 + d / 6)))))
                          : expm1(d);
}

static void
dust_source(const struct iris_band *b, const struct iris_step *s, struct iris_nodes *B)
{
    double e = s->rest_e;
    int i;

    if (!(s->planck > 0)) {
        *B = (struct iris_nodes){{0}};
        return;
    }
    for (i = 0; i < IRIS_NODES; i++) {
        double d = expm1_near_0(b->node[i] * s->per_kT - b->node[1] * s->rest_per_kT);
        double v = s->planck * b->node_cube[i] / (e + d + e * d);

        B->at[i] = isfinite(v) ? v : 0;
    }
}

void
iris_continuum_start(struct iris_continuum *C, const struct iris_solver *t,
                     const struct iris_band *b)
{
    *C = (struct iris_continuum){0};
    C->now.at[0] = b->background[0];
    C->now.at[1] = b->middle;
    C->now.at[2] = b->background[t->law.v_steps - 1];
}

void
iris_continuum_smooth(struct iris_continuum *C, const struct iris_solver *t,
                      const struct iris_band *b, size_t s)
{
    double h = t->law.ds, ad = t->step[s].ad;
    int i;

    dust_source(b, &t->step[s], &C->source);
    C->is_clipped = 0;
    for (i = 0; i < IRIS_NODES && s > 0; i++) {
        double under = (s == 1 ? 4 : 3) + 2 * h * ad, over = 2 * h * ad * C->source.at[i], v;

        if (s == 1)
            over += 2 * h * C->last_ad * C->last_source.at[i] +
                    (4 - 2 * h * C->last_ad) * C->now.at[i];
        else
            over += 4 * C->now.at[i] - C->before.at[i];
        v = over / under;
        C->before.at[i] = C->now.at[i];
        C->now.at[i] = v < 0 ? 0 : v;
        C->clipped.at[i] = v < 0 ? over : 0;
        C->is_clipped |= v < 0;
    }
    C->last_ad = ad;
    C->last_source = C->source;
}

void
iris_continuum_formal(struct iris_continuum *C, const struct iris_solver *t,
                      const struct iris_band *b, size_t s)
{
    double h = t->law.ds, ad = t->step[s].ad;
    int i;

    dust_source(b, &t->step[s], &C->source);
    C->tau = h * ad;
    C->thin = C->tau < 1e-6;
    C->before = C->now;
    for (i = 0; i < IRIS_NODES; i++) {
        double S = C->source.at[i];

        if (C->thin)
            C->now.at[i] += h * ad * S;
        else
            C->now.at[i] = (C->now.at[i] - S) * exp(-C->tau) + S;
    }
}

void
iris_transfer_collect(struct iris_solver *t, const float *Q, double g,
                      const struct iris_continuum *C)
{
    size_t q = t->law.v_subsamples, fine = iris_transfer_fine(&t->law), V = t->law.v_steps, k, m;
    const double *c = C->now.at;

    for (k = 0; k < V; k++) {
        double u = 2 * (double)k / (double)(V - 1) - 1;

        t->continuum[k] = c[1] + u * ((c[2] - c[0]) / 2 + u * ((c[2] + c[0]) / 2 - c[1]));
    }
    for (k = 0; k < V && !fine; k++)
        t->excess[k] = g * (double)Q[k];
    for (k = 0; k < V && fine; k++) {
        const float *f = Q + k * fine;
        double sum = 0;

        for (m = 0; m < q; m++)
            sum += (double)f[2 * m] + 4 * (double)f[2 * m + 1] + (double)f[2 * m + 2];
        sum *= g;
        /* the last point of a channel has the next channel's continuum */
        if (k + 1 < V)
            sum += t->continuum[k + 1] - t->continuum[k];
        t->excess[k] = sum / (6 * (double)q);
    }
}
