/* probe_fields -- which datasets the files of a snapshot have; private to lib/store. */
#ifndef IRIS_PROBE_FIELDS_H
#define IRIS_PROBE_FIELDS_H

#include <hdf5.h>
#include <stddef.h>

#include "err.h"

/* A dataset of all files of a set. */
struct iris_probe_field {
    char *path; /* "PartType0/Coordinates" */
    char type[16];
    int rank, numbers;
    hsize_t rows, columns; /* rows of all files together */
};

struct iris_probe_fields {
    size_t n;
    struct iris_probe_field *field;
};

/* Add the datasets of PartType0 of a file, in the order of their names.
 *
 *   owns  iris_probe_fields_release; safe on zeroed, twice and after failure
 */
enum iris_status iris_probe_fields_add(struct iris_probe_fields *f, hid_t file,
                                       struct iris_err *err);
void iris_probe_fields_release(struct iris_probe_fields *f);

/*   return  NULL when no file has it */
const struct iris_probe_field *iris_probe_fields_find(const struct iris_probe_fields *f,
                                                      const char *path);

#endif
