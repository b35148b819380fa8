/* subject -- what an array of a data set is a picture of: its axes, its
 * quantity, the unit of its values.
 */
#ifndef IRIS_SUBJECT_H
#define IRIS_SUBJECT_H

#include "container_read.h"
#include "entry.h"
#include "err.h"
#include "hyper.h"
#include "npy.h"
#include "plot.h"
#include "raster.h"
#include "sampler.h"

/* A plane through a tensor: what is the same all over it. */
enum iris_slice_axis { IRIS_SLICE_LAT, IRIS_SLICE_LON, IRIS_SLICE_R, IRIS_SLICES };
struct iris_slice {
    enum iris_slice_axis axis;
    double at; /* deg, or pc; NaN: in the middle, at pixel steps / 2. Of a tensor that
                  nothing is known about: the pixel */
};

/* "v_r", "rho", ... as datasets have it. */
const char *iris_field_name(enum iris_field field);

/* What is known about the place an array lies in. */
struct iris_subject {
    struct iris_hyper *hyper; /* NULL: nothing is known, so axes are in pixels and
                                 values in the unit of the file */
    struct iris_settings settings;
    enum iris_type type; /* 0: not known */
    int raw;             /* in processing units; 0: in IRIS units */
    struct iris_unit_factors units;
    /* Which views there are of a tensor: set after iris_subject_of, which says density
     * and temperature in the middle latitude. */
    size_t fields;
    enum iris_field field[IRIS_FIELDS];
    struct iris_slice slice;
    char *id, *snapshot; /* of the entry, from its path; NULL: not in a data set of ours */
    int has_point;       /* digest's settings were found: the following are known */
    uint64_t seed, round;
    double theta; /* deg */
};

/* Learn it from the files around an array. Axes and processing units are those
 * of settings.json of the entry's digest, else of hyper.json of a published data
 * set in a directory above; IRIS units those of units.json beside it, else of hyper.json. An array
 * below a directory raw, or where no factors are known, is in processing units,
 * any other in IRIS units.
 *
 *   in   path   of the array
 *   in   hyper  a settings file that is used instead of settings.json and
 *               hyper.json; NULL: none
 *   in   type   0, or what is known already
 *
 *   return  IRIS_OK, also when nothing was found
 *           IRIS_E_IO, IRIS_E_DATA  a file that was found is unreadable or wrong
 *   owns    iris_subject_release; safe after failure
 */
enum iris_status iris_subject_of(const char *path, const char *hyper, enum iris_type type,
                                 struct iris_subject *s, struct iris_err *err);

/* The same of an array in a container, in IRIS units.
 *
 *   in   path  of the array in the data set that was packed
 */
enum iris_status iris_subject_in(const struct iris_container *c, const char *path,
                                 const char *hyper, enum iris_type type, struct iris_subject *s,
                                 struct iris_err *err);
void iris_subject_release(struct iris_subject *s);

/* Which kind of array a file holds: by its shape; and, since a column map and
 * an observation of one line may look alike, by its name, then by the settings.
 *
 *   return  IRIS_OK
 *           IRIS_E_DATA  no array of a data set has this shape
 */
enum iris_status iris_subject_kind(const struct iris_subject *s, const struct iris_npy *a,
                                   enum iris_kind *kind, struct iris_err *err);

/* How many pictures of one array there are: one of a column map, one for each
 * line of an observation, one for each chosen field of a tensor. The array has the right shape.
 *
 *   return  IRIS_OK
 *           IRIS_E_DATA  it has not, or the settings give another
 */
enum iris_status iris_subject_views(const struct iris_subject *s, const struct iris_npy *a,
                                    enum iris_kind kind, size_t *n, struct iris_err *err);

/* A picture: a panel with its values and titles. */
struct iris_view_panel {
    struct iris_panel panel; /* stretch and map are suggested, lo and hi not set */
    struct iris_raster raster;
    char *title;
    enum iris_field field; /* of a tensor */
};

/* Read view i of an array.
 *
 *   in   max_x, max_y  see iris_raster_read
 *
 *   return  IRIS_OK, or as iris_raster_read
 *           IRIS_E_DATA  also: the slice is outside of the tensor
 *   owns iris_view_panel_release; safe after failure
 */
enum iris_status iris_subject_view(const struct iris_subject *s, const struct iris_npy *a,
                                   enum iris_kind kind, size_t i, size_t max_x, size_t max_y,
                                   struct iris_view_panel *v, struct iris_err *err);
void iris_view_panel_release(struct iris_view_panel *v);

/* The same picture in numbers. */
struct iris_view_map {
    struct iris_plane plane; /* x across, y upwards */
    struct iris_scale x, y;  /* deg, pc from the observer, or km/s towards it */
    const char *name, *unit; /* ASCII, the unit as FITS writes it; "1" for none */
    double factor;           /* a value of the file times this is in that unit */
};

/*   return  IRIS_OK
 *           IRIS_E_DATA  the settings or factors that say it are not known
 */
enum iris_status iris_subject_map(const struct iris_subject *s, const struct iris_npy *a,
                                  enum iris_kind kind, size_t i, struct iris_view_map *m,
                                  struct iris_err *err);

#endif
