#include "container.h"

#include <string.h>

/* Others go to the group "columns"; those without a dataset say nothing new. */
static const struct {
    const char *column, *dataset, *long_name;
} known[] = {
    {"id", "entry_id", "name of the entry: digest, snapshot and point"},
    {"snapshot", "snapshot_id", "name of the snapshot"},
    {"point", "point", "number of the observer"},
    {"theta", "theta", "angle of the observer around the centre, counter-clockwise from +x"},
    {"scale", "scale", "drawn factor of lengths and velocities"},
    {"skew", "skew", "drawn stretch of the plane along skew_angle"},
    {"skew_angle", "skew_angle", "drawn direction of the stretch, counter-clockwise from +x"},
    {"density", "density", "drawn factor of densities"},
    {"jitter_r", "jitter_r", "drawn addition to the distance of the observer from the centre"},
    {"jitter_lon", "jitter_lon", "drawn addition to longitudes"},
    {"seed", "seed", "seed of the draws"},
    {"round", "round", "round of the draws"},
    {"digest", "digest", "the settings of the entry, see the group settings"},
    {"column_xxh128", "columnized_xxh128", "XXH128 of the array file of the column map"},
    {"observed_xxh128", "observed_xxh128", "XXH128 of the array file of the observation"},
    {"tensor_xxh128", "tensor_xxh128", "XXH128 of the array file of the tensor"},
    {"type", NULL, NULL},
    {"state", NULL, NULL},
    {"units", NULL, NULL},
    {"message", NULL, NULL},
    {"column", NULL, NULL},
    {"observed", NULL, NULL},
    {"tensor", NULL, NULL},
};

const char *
iris_container_column(const char *column, const char **long_name)
{
    size_t i;

    *long_name = NULL;
    for (i = 0; i < sizeof known / sizeof known[0]; i++) {
        if (strcmp(known[i].column, column))
            continue;
        *long_name = known[i].long_name;
        return known[i].dataset;
    }
    return column;
}
