/* probe_trial -- a snapshot read through with the settings that it turns out to need;
 * private to lib/store.
 */
#ifndef IRIS_PROBE_TRIAL_H
#define IRIS_PROBE_TRIAL_H

#include "snapshot_job.h"

/* Limits of a quantity; lo above hi while there is no value. */
struct iris_limits {
    double lo, hi;
};

/* What the cells are, in the units of the settings; positions in code units. */
struct iris_probe_cells {
    size_t n;
    struct iris_limits x[3], v[3], rho, T, dust, H2, CO;
    double sum[3], mass_sum[3], mass;
    int no_mass; /* of some cells */
    double densest[3], densest_rho;
};

struct iris_need {
    const char *key, *value; /* JSON */
    const char *why;
};

enum { IRIS_NEEDS = 8 };

struct iris_trial {
    enum iris_status status;
    struct iris_err err;
    struct iris_settings s; /* with what was needed */
    struct iris_snapshot_meta meta;
    struct iris_probe_cells cells;
    struct iris_buf warnings;
    size_t n_needs;
    struct iris_need need[IRIS_NEEDS];
};

/* Read a snapshot through.
 *
 *   in   h       changed into what was needed
 *   in   masses  whether all files have them
 *   out  t       status and err are the snapshot's
 *
 *   return  IRIS_OK, or what makes a trial impossible
 *   owns    iris_trial_release
 */
enum iris_status iris_trial_run(struct iris_trial *t, const char *path, uint64_t files,
                                unsigned fields, int masses, struct iris_hyper *h,
                                struct iris_err *err);
void iris_trial_release(struct iris_trial *t);

#endif
