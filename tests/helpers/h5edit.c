/* h5edit -- damages or transforms a snapshot in place, for tests. */
#include <hdf5.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define MAX_RANK 4

static const char usage[] =
    "usage: h5edit FILE delete DATASET|GROUP\n"
    "       h5edit FILE nan DATASET INDEX            (flat index)\n"
    "       h5edit FILE set DATASET INDEX VALUE\n"
    "       h5edit FILE attr OBJECT NAME VALUE       (a double; replaces)\n"
    "       h5edit FILE iattr OBJECT NAME VALUE      (an int; replaces)\n"
    "       h5edit FILE delattr OBJECT NAME\n"
    "       h5edit FILE truncate-rows DATASET N\n"
    "       h5edit FILE widen DATASET COLS           (new columns are 0)\n"
    "       h5edit FILE sum DATASET                  (prints rank, size, sum, min, max)\n"
    "       h5edit FILE shift DX DY DZ               (adds to Coordinates)\n"
    "       h5edit merge-set OUT IN0 IN1 ...         (one file of a set's gas)\n";

/* A whole dataset as doubles. */
struct table {
    int rank;
    hsize_t size[MAX_RANK];
    size_t n, row;
    double *v;
};

static void __attribute__((format(printf, 1, 2), noreturn)) die(const char *fmt, ...)
{
    va_list ap;

    fputs("h5edit: ", stderr);
    va_start(ap, fmt);
    vfprintf(stderr, fmt, ap);
    va_end(ap);
    fputc('\n', stderr);
    exit(1);
}

static hid_t
need(hid_t id, const char *what)
{
    if (id < 0)
        die("cannot open or make '%s'", what);
    return id;
}

static void
must(herr_t result, const char *what)
{
    if (result < 0)
        die("cannot %s", what);
}

static void *
memory(size_t n)
{
    void *p = calloc(n ? n : 1, 1);

    if (!p)
        die("out of memory");
    return p;
}

static unsigned long long
whole_number(const char *text)
{
    char *end;
    unsigned long long v = strtoull(text, &end, 10);

    if (end == text || *end)
        die("bad number '%s'", text);
    return v;
}

static double
number(const char *text)
{
    char *end;
    double v = strtod(text, &end);

    if (end == text || *end)
        die("bad number '%s'", text);
    return v;
}

static void
shape(hid_t dataset, const char *path, struct table *t)
{
    hid_t space = need(H5Dget_space(dataset), path);
    int k;

    t->rank = H5Sget_simple_extent_ndims(space);
    if (t->rank < 1 || t->rank > MAX_RANK)
        die("'%s' has rank %d", path, t->rank);
    H5Sget_simple_extent_dims(space, t->size, NULL);
    t->row = 1;
    for (k = 1; k < t->rank; k++)
        t->row *= (size_t)t->size[k];
    t->n = t->row * (size_t)t->size[0];
    H5Sclose(space);
}

static hid_t
open_table(hid_t file, const char *path, struct table *t)
{
    hid_t dataset = need(H5Dopen2(file, path, H5P_DEFAULT), path);

    shape(dataset, path, t);
    t->v = memory(t->n * sizeof *t->v);
    if (t->n)
        must(H5Dread(dataset, H5T_NATIVE_DOUBLE, H5S_ALL, H5S_ALL, H5P_DEFAULT, t->v),
             "read a dataset");
    return dataset;
}

static herr_t
copy_attribute(hid_t from, const char *name, const H5A_info_t *info, void *to)
{
    hid_t a = need(H5Aopen(from, name, H5P_DEFAULT), name), type = H5Aget_type(a);
    hid_t space = H5Aget_space(a), b;
    void *value = memory((size_t)H5Sget_simple_extent_npoints(space) * H5Tget_size(type));

    (void)info;
    b = need(H5Acreate2(*(hid_t *)to, name, type, space, H5P_DEFAULT, H5P_DEFAULT), name);
    must(H5Aread(a, type, value), "read an attribute");
    must(H5Awrite(b, type, value), "write an attribute");
    free(value);
    H5Aclose(b);
    H5Sclose(space);
    H5Tclose(type);
    H5Aclose(a);
    return 0;
}

/* A dataset of the same type and attributes as model, of another size. */
static hid_t
make_like(hid_t file, const char *path, hid_t model, const struct table *t)
{
    hid_t type = need(H5Dget_type(model), path), space, dataset;

    space = need(H5Screate_simple(t->rank, t->size, NULL), path);
    dataset = need(H5Dcreate2(file, path, type, space, H5P_DEFAULT, H5P_DEFAULT, H5P_DEFAULT),
                   path);
    must(H5Aiterate2(model, H5_INDEX_NAME, H5_ITER_INC, NULL, copy_attribute, &dataset),
         "copy the attributes");
    H5Sclose(space);
    H5Tclose(type);
    return dataset;
}

static void
remove_link(hid_t file, const char *path)
{
    must(H5Ldelete(file, path, H5P_DEFAULT), "delete a link");
}

/* Write a table in the place of an open dataset and close that. */
static void
replace(hid_t file, const char *path, hid_t old, const struct table *t)
{
    hid_t new;

    remove_link(file, path);
    new = make_like(file, path, old, t);
    if (t->n)
        must(H5Dwrite(new, H5T_NATIVE_DOUBLE, H5S_ALL, H5S_ALL, H5P_DEFAULT, t->v),
             "write a dataset");
    H5Dclose(new);
    H5Dclose(old);
}

static void
do_set(hid_t file, const char *path, const char *index_text, double value)
{
    unsigned long long index = whole_number(index_text);
    struct table t;
    hid_t dataset = open_table(file, path, &t);

    if (index >= t.n)
        die("'%s' has only %zu values", path, t.n);
    t.v[index] = value;
    must(H5Dwrite(dataset, H5T_NATIVE_DOUBLE, H5S_ALL, H5S_ALL, H5P_DEFAULT, t.v),
         "write a dataset");
    free(t.v);
    H5Dclose(dataset);
}

static void
do_truncate(hid_t file, const char *path, hsize_t rows)
{
    struct table t;
    hid_t dataset = open_table(file, path, &t);

    if (rows > t.size[0])
        die("'%s' has only %llu rows", path, (unsigned long long)t.size[0]);
    t.size[0] = rows;
    t.n = t.row * (size_t)rows;
    replace(file, path, dataset, &t);
    free(t.v);
}

static void
do_widen(hid_t file, const char *path, size_t columns)
{
    struct table t, wide;
    hid_t dataset = open_table(file, path, &t);
    size_t i, k;

    if (t.rank != 2 || columns < t.row)
        die("'%s' is no table of at most %zu columns", path, columns);
    wide = t;
    wide.size[1] = columns;
    wide.row = columns;
    wide.n = columns * (size_t)t.size[0];
    wide.v = memory(wide.n * sizeof *wide.v);
    for (i = 0; i < t.size[0]; i++)
        for (k = 0; k < t.row; k++)
            wide.v[i * columns + k] = t.v[i * t.row + k];
    replace(file, path, dataset, &wide);
    free(wide.v);
    free(t.v);
}

static void
do_sum(hid_t file, const char *path)
{
    struct table t;
    hid_t dataset = open_table(file, path, &t);
    double sum = 0, low = t.n ? t.v[0] : 0, high = low;
    size_t i;
    int k;

    for (i = 0; i < t.n; i++) {
        sum += t.v[i];
        if (!(t.v[i] >= low))
            low = t.v[i];
        if (!(t.v[i] <= high))
            high = t.v[i];
    }
    printf("%d", t.rank);
    for (k = 0; k < t.rank; k++)
        printf("%c%llu", k ? 'x' : ' ', (unsigned long long)t.size[k]);
    printf(" %.17g %.9g %.9g\n", sum, low, high);
    free(t.v);
    H5Dclose(dataset);
}

static void
do_shift(hid_t file, char **by)
{
    const char *path = "PartType0/Coordinates";
    struct table t;
    hid_t dataset = open_table(file, path, &t);
    double d[3] = {number(by[0]), number(by[1]), number(by[2])};
    size_t i;

    if (t.row != 3)
        die("'%s' has %zu columns", path, t.row);
    for (i = 0; i < t.n; i++)
        t.v[i] += d[i % 3];
    must(H5Dwrite(dataset, H5T_NATIVE_DOUBLE, H5S_ALL, H5S_ALL, H5P_DEFAULT, t.v),
         "write a dataset");
    free(t.v);
    H5Dclose(dataset);
}

static void
do_attribute(hid_t file, char **word, hid_t stored)
{
    hid_t object = need(H5Oopen(file, word[0], H5P_DEFAULT), word[0]), space, a;
    double value = number(word[2]);

    if (H5Aexists(object, word[1]) > 0)
        must(H5Adelete(object, word[1]), "delete an attribute");
    space = H5Screate(H5S_SCALAR);
    a = need(H5Acreate2(object, word[1], stored, space, H5P_DEFAULT, H5P_DEFAULT), word[1]);
    must(H5Awrite(a, H5T_NATIVE_DOUBLE, &value), "write an attribute");
    H5Aclose(a);
    H5Sclose(space);
    H5Oclose(object);
}

static void
do_delete_attribute(hid_t file, const char *path, const char *name)
{
    hid_t object = need(H5Oopen(file, path, H5P_DEFAULT), path);

    must(H5Adelete(object, name), "delete an attribute");
    H5Oclose(object);
}

/* merge-set */

struct merge {
    hid_t out;
    int n;
    char **path;
    unsigned long long cells;
};

/* The rows of one dataset in one file of the set; 0 where it is not there. */
static hsize_t
rows_in(const char *file_path, const char *dataset_path)
{
    hid_t file = need(H5Fopen(file_path, H5F_ACC_RDONLY, H5P_DEFAULT), file_path), dataset;
    struct table t = {0};

    if (H5Lexists(file, "PartType0", H5P_DEFAULT) > 0 &&
        H5Lexists(file, dataset_path, H5P_DEFAULT) > 0) {
        dataset = need(H5Dopen2(file, dataset_path, H5P_DEFAULT), dataset_path);
        shape(dataset, dataset_path, &t);
        H5Dclose(dataset);
    }
    H5Fclose(file);
    return t.size[0];
}

/* Append one file's rows in the type they are stored in, so that no bit
 * changes. */
static hsize_t
append(hid_t to, const char *file_path, const char *dataset_path, hsize_t at)
{
    hid_t file = need(H5Fopen(file_path, H5F_ACC_RDONLY, H5P_DEFAULT), file_path);
    hid_t from = need(H5Dopen2(file, dataset_path, H5P_DEFAULT), dataset_path);
    hid_t type = H5Dget_type(from), space = H5Dget_space(to), rows;
    hsize_t start[MAX_RANK] = {at};
    struct table t;
    void *data;

    shape(from, dataset_path, &t);
    data = memory(t.n * H5Tget_size(type));
    rows = H5Screate_simple(t.rank, t.size, NULL);
    must(H5Dread(from, type, H5S_ALL, H5S_ALL, H5P_DEFAULT, data), "read a dataset");
    must(H5Sselect_hyperslab(space, H5S_SELECT_SET, start, NULL, t.size, NULL), "select rows");
    must(H5Dwrite(to, type, rows, space, H5P_DEFAULT, data), "write a dataset");
    free(data);
    H5Sclose(rows);
    H5Sclose(space);
    H5Tclose(type);
    H5Dclose(from);
    H5Fclose(file);
    return t.size[0];
}

static herr_t
merge_dataset(hid_t group, const char *name, const H5L_info_t *info, void *data)
{
    struct merge *m = data;
    hid_t model = need(H5Dopen2(group, name, H5P_DEFAULT), name), to;
    hsize_t rows = 0, at = 0;
    struct table t;
    char path[300];
    int i;

    (void)info;
    snprintf(path, sizeof path, "PartType0/%s", name);
    for (i = 0; i < m->n; i++)
        rows += rows_in(m->path[i], path);
    shape(model, path, &t);
    t.size[0] = rows;
    to = make_like(m->out, path, model, &t);
    for (i = 0; i < m->n; i++)
        if (rows_in(m->path[i], path))
            at += append(to, m->path[i], path, at);
    m->cells = rows;
    H5Dclose(to);
    H5Dclose(model);
    return 0;
}

/* Set an attribute of any length and type to n, 0, 0, ... */
static void
put_first(hid_t object, const char *name, unsigned long long n)
{
    hid_t a, space;
    unsigned long long *v;

    if (H5Aexists(object, name) <= 0)
        return;
    a = need(H5Aopen(object, name, H5P_DEFAULT), name);
    space = H5Aget_space(a);
    v = memory((size_t)H5Sget_simple_extent_npoints(space) * sizeof *v);
    v[0] = n;
    must(H5Awrite(a, H5T_NATIVE_ULLONG, v), "write an attribute");
    free(v);
    H5Sclose(space);
    H5Aclose(a);
}

static void
fix_header(hid_t out, unsigned long long cells)
{
    hid_t header = need(H5Gopen2(out, "Header", H5P_DEFAULT), "Header");

    put_first(header, "NumFilesPerSnapshot", 1);
    put_first(header, "NumPart_ThisFile", cells);
    put_first(header, "NumPart_Total", cells & 0xffffffffu);
    put_first(header, "NumPart_Total_HighWord", cells >> 32);
    H5Gclose(header);
}

static void
merge_set(const char *out, int n, char **path)
{
    static const char *const groups[] = {"Config", "Header", "Parameters"};
    struct merge m = {.n = n, .path = path};
    hid_t in = need(H5Fopen(path[0], H5F_ACC_RDONLY, H5P_DEFAULT), path[0]), group;
    size_t i;

    m.out = need(H5Fcreate(out, H5F_ACC_TRUNC, H5P_DEFAULT, H5P_DEFAULT), out);
    for (i = 0; i < sizeof groups / sizeof groups[0]; i++)
        if (H5Lexists(in, groups[i], H5P_DEFAULT) > 0)
            must(H5Ocopy(in, groups[i], m.out, groups[i], H5P_DEFAULT, H5P_DEFAULT),
                 "copy a group");
    H5Gclose(
        need(H5Gcreate2(m.out, "PartType0", H5P_DEFAULT, H5P_DEFAULT, H5P_DEFAULT), "PartType0"));
    group = need(H5Gopen2(in, "PartType0", H5P_DEFAULT), "PartType0");
    must(H5Literate(group, H5_INDEX_NAME, H5_ITER_INC, NULL, merge_dataset, &m), "merge");
    fix_header(m.out, m.cells);
    H5Gclose(group);
    H5Fclose(in);
    must(H5Fclose(m.out), "close the new file");
}

static int
edit(hid_t file, const char *verb, int argc, char **argv)
{
    if (!strcmp(verb, "delete") && argc == 1)
        remove_link(file, argv[0]);
    else if (!strcmp(verb, "nan") && argc == 2)
        do_set(file, argv[0], argv[1], strtod("nan", NULL));
    else if (!strcmp(verb, "set") && argc == 3)
        do_set(file, argv[0], argv[1], number(argv[2]));
    else if (!strcmp(verb, "attr") && argc == 3)
        do_attribute(file, argv, H5T_IEEE_F64LE);
    else if (!strcmp(verb, "iattr") && argc == 3)
        do_attribute(file, argv, H5T_STD_I32LE);
    else if (!strcmp(verb, "delattr") && argc == 2)
        do_delete_attribute(file, argv[0], argv[1]);
    else if (!strcmp(verb, "truncate-rows") && argc == 2)
        do_truncate(file, argv[0], whole_number(argv[1]));
    else if (!strcmp(verb, "widen") && argc == 2)
        do_widen(file, argv[0], (size_t)whole_number(argv[1]));
    else if (!strcmp(verb, "sum") && argc == 1)
        do_sum(file, argv[0]);
    else if (!strcmp(verb, "shift") && argc == 3)
        do_shift(file, argv);
    else
        return -1;
    return 0;
}

int
main(int argc, char **argv)
{
    int bad = 0, reads;
    hid_t file;

    if (argc >= 4 && !strcmp(argv[1], "merge-set")) {
        merge_set(argv[2], argc - 3, argv + 3);
        return 0;
    }
    if (argc < 4) {
        fputs(usage, stderr);
        return 64;
    }
    reads = !strcmp(argv[2], "sum");
    file = need(H5Fopen(argv[1], reads ? H5F_ACC_RDONLY : H5F_ACC_RDWR, H5P_DEFAULT), argv[1]);
    bad = edit(file, argv[2], argc - 3, argv + 3);
    must(H5Fclose(file), "close the file");
    if (bad)
        fputs(usage, stderr);
    return bad ? 64 : 0;
}
