/* variant -- the settings that points are made with: those of the run, or these
 * with the changes that a row of a manifest asks for.
 *
 * A change is a column "set:SECTION.KEY" whose field is a JSON value, as
 * iris-hyper -s takes it; see iris-manifest(5). Equal changes are one variant.
 */
#ifndef IRIS_VARIANT_H
#define IRIS_VARIANT_H

#include <stddef.h>
#include <stdint.h>

#include "buf.h"
#include "entry.h"
#include "err.h"
#include "hyper.h"
#include "manifest.h"

/* What a run says for all of its points. */
struct iris_variant_law {
    const struct iris_hyper *hyper; /* kept by reference */
    enum iris_type type;
    int has_seed; /* seed comes before suite_hyper.seed */
    uint64_t seed;
    uint32_t round;
    int precise;
};

/* Not to be copied: run points into it. */
struct iris_variant {
    char *changes;          /* "SECTION.KEY=JSON\n" for each; "": none */
    struct iris_hyper *own; /* NULL: hyper is that of the run */
    const struct iris_hyper *hyper;
    struct iris_settings settings;
    char digest[IRIS_SETTINGS_DIGEST];
    struct iris_entry_run run;
    struct iris_buf text; /* what settings.json holds */
};

/*   in   changes  as in the struct; taken as they stand
 *   out  v        owned by the caller, iris_variant_free; NULL unless IRIS_OK
 *
 *   return  IRIS_OK
 *           IRIS_E_DATA  an unknown key, a value that it does not take, or that does
 *                        not go with the others: names the key
 *           IRIS_E_IO    a molecular file or table of abundances cannot be read
 */
enum iris_status iris_variant_new(struct iris_variant **v, const struct iris_variant_law *law,
                                  const char *changes, struct iris_err *err);
void iris_variant_free(struct iris_variant *v);

/* The changes of a row, in the order of the columns; fields that are missing
 * change nothing. */
enum iris_status iris_variant_changes(const struct iris_manifest *m, size_t row,
                                      struct iris_buf *changes, struct iris_err *err);

/* The variants of a run, in order of their first use; the first one has no
 * changes. */
struct iris_variants {
    struct iris_variant_law law;
    size_t n;
    struct iris_variant **variant;
};

/*   owns  iris_variants_release; safe on zeroed and twice */
enum iris_status iris_variants_init(struct iris_variants *s, const struct iris_variant_law *law,
                                    struct iris_err *err);
void iris_variants_release(struct iris_variants *s);

/* The index of the variant with these changes, made when it is a new one; as
 * iris_variant_new. */
enum iris_status iris_variants_get(struct iris_variants *s, const char *changes, size_t *index,
                                   struct iris_err *err);

#endif
