#include "box.h"

void
iris_box_init(struct iris_box *b, const struct iris_shape *entry)
{
    *b = (struct iris_box){.entry = *entry, .inner = 1, .cut = entry->n - 1};
    for (; b->cut > 0 && b->inner * entry->dim[b->cut] <= IRIS_BOX_MOST; b->cut--)
        b->inner *= entry->dim[b->cut];
    b->rows = b->inner < IRIS_BOX_MOST ? IRIS_BOX_MOST / b->inner : 1;
}

int
iris_box_next(struct iris_box *b)
{
    size_t row = b->inner * b->entry.dim[b->cut], total = row, d, left;

    for (d = 0; d < b->cut; d++)
        total *= b->entry.dim[d];
    b->first += b->n;
    if (b->first >= total)
        return 0;
    left = row - b->first % row;
    b->n = b->rows * b->inner < left ? b->rows * b->inner : left;
    return 1;
}

/* Spaces of the piece at hand: its own and, selected, that of the dataset. */
static int
select_box(const struct iris_box *b, hid_t dataset, size_t i, hid_t *memory, hid_t *file)
{
    hsize_t start[1 + IRIS_NPY_DIMS], count[1 + IRIS_NPY_DIMS];
    size_t d, at = b->first;

    for (d = b->entry.n; d-- > 0;) {
        start[1 + d] = at % b->entry.dim[d];
        at /= b->entry.dim[d];
        count[1 + d] = d > b->cut ? b->entry.dim[d] : d == b->cut ? b->n / b->inner : 1;
    }
    start[0] = i;
    count[0] = 1;
    /* of the same rank: HDF5 is a hundred times slower between others */
    *memory = H5Screate_simple(1 + (int)b->entry.n, count, NULL);
    *file = H5Dget_space(dataset);
    return *memory < 0 || *file < 0 ||
           H5Sselect_hyperslab(*file, H5S_SELECT_SET, start, NULL, count, NULL) < 0;
}

static void
close_spaces(hid_t memory, hid_t file)
{
    hid_t reason = H5Eget_current_stack(); /* which closing would forget */

    if (memory >= 0)
        H5Sclose(memory);
    if (file >= 0)
        H5Sclose(file);
    H5Eset_current_stack(reason);
}

int
iris_box_read(const struct iris_box *b, hid_t dataset, size_t i, float *value)
{
    hid_t memory, file;
    int bad = select_box(b, dataset, i, &memory, &file) ||
              H5Dread(dataset, H5T_NATIVE_FLOAT, memory, file, H5P_DEFAULT, value) < 0;

    close_spaces(memory, file);
    return bad;
}

int
iris_box_write(const struct iris_box *b, hid_t dataset, size_t i, const float *value)
{
    hid_t memory, file;
    int bad = select_box(b, dataset, i, &memory, &file) ||
              H5Dwrite(dataset, H5T_NATIVE_FLOAT, memory, file, H5P_DEFAULT, value) < 0;

    close_spaces(memory, file);
    return bad;
}
