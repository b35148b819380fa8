#include <math.h>

#include "snapshot_job.h"

static void
store(const struct iris_snapshot_job *job, enum iris_snapshot_dataset d, size_t columns, size_t n,
      size_t at)
{
    const double *row = job->chunk;
    const struct iris_settings *s = job->s;
    struct iris_cells *c = job->cells;
    double unit = job->unit[d];
    size_t i;
    int k;

    for (i = 0; i < n; i++, row += columns) {
        struct iris_gas *gas = &c->gas[at + i];

        switch (d) {
        case COORDINATES:
            c->x[at + i] = row[0];
            c->y[at + i] = row[1];
            c->z[at + i] = row[2];
            break;
        case VELOCITIES:
            for (k = 0; k < 3; k++)
                gas->v[k] = (float)(row[k] * unit);
            break;
        case DENSITY:
            gas->rho = (float)(row[0] * unit);
            if (job->density)
                job->density[i] = row[0] * unit;
            break;
        case ABUNDANCES:
            gas->x_H2 = (float)row[s->dataset.H2_column];
            if (job->want_CO)
                gas->x_CO = (float)row[s->dataset.CO_column];
            /* kept here until the energy is read */
            if (job->want_T)
                gas->T = (float)row[s->dataset.H_plus_column];
            break;
        case ENERGY: {
            /* double: x_H+ and x_H2 went through single precision, which is
             * what the files hold */
            double particles = 1 + (double)gas->T - (double)gas->x_H2 + s->observer.abundance_He;
            double mu = s->observer.m_H + s->observer.abundance_He * s->observer.m_He;
            double T = 2.0 / 3.0 * row[0] * job->energy_si * mu / (s->observer.k * particles);

            gas->T = T > s->observer.T_inf ? (float)INFINITY : (float)(T * unit);
            break;
        }
        case DUST:
            gas->T_dust = (float)(row[0] * unit);
            break;
        case MASSES:
            job->mass[i] = row[0] * unit;
            break;
        case DATASETS:
            break;
        }
    }
}

/* A temperature may be infinite; nothing else comes to that but by overflow. */
static int
is_held(const struct iris_snapshot_job *job, enum iris_snapshot_dataset d, size_t i)
{
    const struct iris_gas *gas = &job->cells->gas[i];

    switch (d) {
    case VELOCITIES:
        return isfinite(gas->v[0]) && isfinite(gas->v[1]) && isfinite(gas->v[2]);
    case DENSITY:
        return isfinite(gas->rho);
    case ABUNDANCES:
        return isfinite(gas->x_H2) && isfinite(gas->x_CO) && isfinite(gas->T);
    case ENERGY:
        return gas->T > -INFINITY;
    case DUST:
        return isfinite(gas->T_dust);
    default: /* stays in double, and was finite when it was read */
        return 1;
    }
}

size_t
iris_snapshot_keep(const struct iris_snapshot_job *job, enum iris_snapshot_dataset d,
                   size_t columns, size_t n, size_t at)
{
    size_t i = 0;

    store(job, d, columns, n, at);
    while (i < n && is_held(job, d, at + i))
        i++;
    return i;
}
