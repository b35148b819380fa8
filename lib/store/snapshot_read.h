/* snapshot_read -- the datasets of a snapshot; private to lib/store. */
#ifndef IRIS_SNAPSHOT_READ_H
#define IRIS_SNAPSHOT_READ_H

#include <hdf5.h>
#include <stddef.h>
#include <stdint.h>

#include "cells.h"
#include "digest.h"
#include "err.h"
#include "hyper.h"
#include "snapshot.h"

/* One file of a set. */
struct iris_part {
    char *path;
    const char *name; /* the end of it, for sentences */
    hid_t file;
    uint64_t bytes;
};

/* What the headers said. */
struct iris_snapshot_meta {
    double length_cm, velocity_cm_per_s, mass_g; /* of the code units */
    double box;                                  /* code units */
    int comoving;
    double a, h;
    double coordinate_factor; /* code to physical code units; set by the reader */
    enum iris_faces faces;
    int closed[3];
    size_t *first; /* [files + 1] number of a file's first cell */
    int (*pause)(void *);
    void *pause_self;
};

enum iris_status iris_snapshot_open_part(const char *path, uint64_t part, uint64_t files,
                                         struct iris_part *p, struct iris_err *err);
void iris_snapshot_close_part(struct iris_part *p);

/* Gas cells of a file, from the shape of its Coordinates; 0 without PartType0. */
enum iris_status iris_snapshot_count(const struct iris_part *p, size_t *n, struct iris_err *err);

/* The gas entry of a NumPart attribute, its high word included; -1 for none. */
double iris_snapshot_claimed(hid_t file, const char *name);

/* First look at every file: headers, units, and how many cells there are.
 *
 *   inout  meta  everything but the pause and coordinate_factor
 *   owns   meta->first the caller, with free, also after failure; info->warnings
 */
enum iris_status iris_snapshot_survey(const char *path, uint64_t files,
                                      const struct iris_settings *s,
                                      struct iris_snapshot_meta *meta,
                                      struct iris_snapshot_info *info, struct iris_err *err);

/* Open a dataset of n rows of numbers.
 *
 *   inout  columns  0: any, and how many there are
 */
enum iris_status iris_snapshot_open_rows(const struct iris_part *p, const char *path, size_t n,
                                         size_t *columns, hid_t *dataset, struct iris_err *err);

/* Rows [first, first + n) of one that is open. */
enum iris_status iris_snapshot_read_rows(const struct iris_part *p, const char *path, hid_t dataset,
                                         size_t first, size_t n, size_t columns, double *row,
                                         struct iris_err *err);

/* Code units of a dataset to physical code units; in a comoving run where it does not
 * say, by the powers a and h. */
double iris_snapshot_physical(const struct iris_snapshot_meta *meta, const struct iris_part *p,
                              const char *path, double a, double h);

/* Read every wanted field into cells: positions in code units as they are, the
 * rest in processing units. */
enum iris_status iris_snapshot_read(const char *path, uint64_t files, const struct iris_settings *s,
                                    unsigned fields, struct iris_snapshot_meta *meta,
                                    struct iris_cells *cells, char content[IRIS_DIGEST_TEXT],
                                    struct iris_err *err);

#endif
