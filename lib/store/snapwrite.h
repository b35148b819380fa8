/* snapwrite -- writes snapshot files as AREPO lays them out.
 *
 * One file holds the groups Header, Parameters, Config and PartType0 with
 * Coordinates, Velocities, Density, InternalEnergy, Masses, ParticleIDs,
 * ChemicalAbundances (H2, H+, CO) and DustTemperature, each with the
 * attributes to_cgs, a_scaling, h_scaling, length_scaling, mass_scaling and
 * velocity_scaling of a run without expansion. Nothing else goes in, no clock
 * and no name, so equal arguments give equal bytes.
 *
 * Calling sequence: open, cells in any number of pieces from first to last,
 * commit. The content goes to "NAME.tmp", which commit makes durable and
 * renames.
 *
 * Coordinates are stored as doubles, particle numbers in 32 bits when they
 * fit, the rest as floats unless wide.
 */
#ifndef IRIS_SNAPWRITE_H
#define IRIS_SNAPWRITE_H

#include <stddef.h>
#include <stdint.h>

#include "err.h"

struct iris_snap_header {
    double box_size; /* code units */
    double time;     /* code units */
    double unit_length_cm;
    double unit_mass_g;
    double unit_velocity_cm_per_s;
    uint64_t cells_total; /* of the whole set */
    uint64_t cells;       /* of this file, 1 to 2^31 - 1 */
    int files;            /* of the set, 1 or more */
    int wide;             /* store every quantity as double */
    int compress;         /* store in chunks, deflated */
};

/* Cells in code units, the caller's memory; C order. */
struct iris_snap_cells {
    const double *coordinates;      /* [][3] */
    const double *velocities;       /* [][3] */
    const double *density;          /* [] */
    const double *internal_energy;  /* [] */
    const double *masses;           /* [] */
    const double *abundances;       /* [][3] */
    const double *dust_temperature; /* [] K */
    const uint64_t *ids;            /* [] */
};

struct iris_snapwriter; /* a file being written */

/* Bytes of all the arrays of a file before compression; the file is a few
 * thousand bytes larger. */
uint64_t iris_snapwrite_bytes(const struct iris_snap_header *header);

/*   in   path    as for iris_outfile_open
 *
 *   return  IRIS_OK
 *           IRIS_E_USAGE  the number of cells does not fit one file
 *           IRIS_E_IO     cannot be created
 *           IRIS_E_RETRY  another program is writing it now
 *   owns    the caller ends *w with commit or abort
 */
enum iris_status iris_snapwrite_open(struct iris_snapwriter **w, const char *path,
                                     const struct iris_snap_header *header, struct iris_err *err);

/* The next count cells.
 *
 *   return  IRIS_OK
 *           IRIS_E_BUG  more cells than the header said
 *           IRIS_E_IO   cannot be written
 */
enum iris_status iris_snapwrite_cells(struct iris_snapwriter *w, size_t count,
                                      const struct iris_snap_cells *cells, struct iris_err *err);

/* Publish. On failure the temporary file is removed and the name untouched.
 *
 *   return  IRIS_OK
 *           IRIS_E_BUG  fewer cells than the header said
 *           IRIS_E_IO   cannot be written
 *   owns    frees w in every case
 */
enum iris_status iris_snapwrite_commit(struct iris_snapwriter *w, struct iris_err *err);

/* Give up: remove the temporary file. NULL is allowed. */
void iris_snapwrite_abort(struct iris_snapwriter *w);

#endif
