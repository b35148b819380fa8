/* snapshot_read -- the datasets of a snapshot; private to lib/store. */
#ifndef IRIS_SNAPSHOT_READ_H
#define IRIS_SNAPSHOT_READ_H

#include <hdf5.h>
#include <stddef.h>
#include <stdint.h>

#include "cells.h"
#include "digest.h"
#include "err.h"
#include "h5.h"
#include "hyper.h"
#include "snapshot.h"

/* One file of a set. */
struct iris_part {
    char *path;
    const char *name; /* the end of it, for sentences */
    hid_t file;
    uint64_t bytes;
    struct iris_h5_watch watch;
};

/* The settings that take a snapshot which has been refused. */
enum iris_remedy {
    IRIS_REMEDY_NONE,
    IRIS_REMEDY_CONVERT,    /* comoving: "convert" */
    IRIS_REMEDY_CENTRE,     /* a centre that needs no box */
    IRIS_REMEDY_ABUNDANCES, /* use_AREPO_abundances: false */
    IRIS_REMEDY_COLUMNS,    /* other columns of abundances, else the same */
    IRIS_REMEDY_DUST,       /* a dust_temperature */
    IRIS_REMEDIES
};

/* The units that are looked for. */
enum { IRIS_UNIT_LENGTH, IRIS_UNIT_VELOCITY, IRIS_UNIT_MASS, IRIS_UNITS };

/* What the headers said. */
struct iris_snapshot_meta {
    enum iris_remedy remedy;       /* filled in by whatever fails */
    const char *where[IRIS_UNITS]; /* group of the unit, or dataset whose to_cgs it is;
                                      NULL: not found */
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

/* Close it after what was done with it.
 *
 *   in   st  how that ended
 *
 *   return  IRIS_E_IO where something could not be read, though it may have been taken
 *           for missing, else st
 */
enum iris_status iris_snapshot_end_part(struct iris_part *p, enum iris_status st,
                                        struct iris_err *err);

/* An attribute wherever AREPO may have put it.
 *
 *   out  group  where it was; NULL: not wanted
 *
 *   return  1 found, 0 not there or no number
 */
int iris_snapshot_attribute(hid_t file, const char *name, double *value, const char **where);
const char *iris_snapshot_unit_name(int unit);

/* Fill units and where[] from a file. All are looked for, whichever is missing. */
enum iris_status iris_snapshot_find_units(const struct iris_part *p, struct iris_snapshot_meta *m,
                                          struct iris_err *err);

/* First look at every file: headers, and cells counted.
 *
 *   out  m     owned by the caller: free(m->first), also after failure
 *   out  info  cells, bytes, warnings; the same
 */
enum iris_status iris_snapshot_survey(const char *path, uint64_t files,
                                      const struct iris_settings *s, struct iris_snapshot_meta *m,
                                      struct iris_snapshot_info *info, struct iris_err *err);

/* Gas cells of a file, from the shape of its Coordinates; 0 without PartType0. */
enum iris_status iris_snapshot_count(const struct iris_part *p, size_t *n, struct iris_err *err);

/* The gas entry of a NumPart attribute, its high word included; -1 for none. */
double iris_snapshot_claimed(hid_t file, const char *name);

/* Read every wanted field into cells: positions in code units as they are, the
 * rest in processing units. */
enum iris_status iris_snapshot_read(const char *path, uint64_t files, const struct iris_settings *s,
                                    unsigned fields, struct iris_snapshot_meta *meta,
                                    struct iris_cells *cells, char content[IRIS_DIGEST_TEXT],
                                    struct iris_err *err);

#endif
