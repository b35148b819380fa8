/* pack -- what the parts of iris_pack share. Private to lib/store. */
#ifndef IRIS_PACK_H
#define IRIS_PACK_H

#include <hdf5.h>
#include <stdint.h>

#include "entry.h"
#include "err.h"
#include "file.h"
#include "npy.h"
#include "published.h"

/* A dataset of arrays. */
struct packed {
    enum iris_kind kind;
    struct iris_shape entry; /* of one */
    hid_t dataset;           /* below 0: not open */
};

/* A dimension of a dataset, and the dataset that is its scale. */
struct link {
    char *dataset, *scale;
    unsigned dimension;
};

struct packer {
    const char *root, *path;
    struct iris_outfile *out;
    const struct iris_published *p;
    hid_t file;
    size_t n; /* entries */
    size_t n_arrays;
    struct packed array[2];
    struct link *link;
    size_t n_links;
    float *piece;
    uint64_t bytes;
};

#define IRIS_PACKER_INIT(path_, published)                                                         \
    {                                                                                              \
        .path = (path_), .p = (published), .file = -1, .array = {                                  \
            {.dataset = -1},                                                                       \
            {.dataset = -1}                                                                        \
        }                                                                                          \
    }

/* Everything that follows from the settings and the manifest: all but the values of the
 * arrays, which stay open, and the settings that digests stand for. Into w->file.
 *
 *   owns  iris_pack_release, also after failure
 */
enum iris_status iris_pack_frame(struct packer *w, const char *version, struct iris_err *err);
void iris_pack_release(struct packer *w);

/* "cannot write OBJECT in FILE: reason" of HDF5's last failure. */
enum iris_status iris_pack_fail(const struct packer *w, const char *object, struct iris_err *err);

/* Attributes of the file: what it is, settings, hashes. */
enum iris_status iris_pack_facts(struct packer *w, const char *version, struct iris_err *err);

/* Axes, linked to the arrays. */
enum iris_status iris_pack_axes(struct packer *w, struct iris_err *err);

/* Note a link; write all of them when the datasets are there. */
enum iris_status iris_pack_link(struct packer *w, const char *dataset, unsigned dimension,
                                const char *scale, struct iris_err *err);
enum iris_status iris_pack_links(const struct packer *w, struct iris_err *err);

/* The rows of the manifest, a dataset a column; the manifest itself; the split. */
enum iris_status iris_pack_rows(struct packer *w, struct iris_err *err);

/* The settings that digests stand for. */
enum iris_status iris_pack_settings(const struct packer *w, struct iris_err *err);

#endif
