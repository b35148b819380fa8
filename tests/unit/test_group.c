/* Rows by the value of a column, and the union of manifests. */
#include "check.h"

#include "group.h"
#include "unite.h"

#define COUNT(a) (sizeof(a) / sizeof(a)[0])

static void
fill(struct iris_manifest *m, const char *name, const char *const *field, size_t n)
{
    struct iris_err err = {0};
    char id[24];
    size_t i, index;

    iris_manifest_init(m, "entries", &err);
    iris_manifest_column(m, "id", "str", &index, &err);
    iris_manifest_column(m, "state", "str", &index, &err);
    iris_manifest_column(m, name, "str", &index, &err);
    for (i = 0; i < n; i++) {
        snprintf(id, sizeof id, "%zu", i);
        iris_manifest_add_row(m, &index, &err);
        iris_manifest_set(m, index, "id", id, &err);
        iris_manifest_set(m, index, "state", i % 3 == 1 ? "failed" : "raw", &err);
        iris_manifest_set(m, index, name, field[i], &err);
    }
}

/* The ids in their order, with blanks between. */
static int
ids_are(const struct iris_manifest *m, const char *expected)
{
    struct iris_buf ids = {0};
    size_t r;
    int same;

    for (r = 0; r < m->n_rows; r++)
        iris_buf_printf(&ids, "%s%s", r ? " " : "", iris_manifest_get(m, r, "id"));
    same = !strcmp(iris_buf_str(&ids), expected);
    if (!same)
        printf("# %s\n", iris_buf_str(&ids));
    iris_buf_release(&ids);
    return same;
}

static void
test_order(void)
{
    static const char *const field[] = {"10",     NULL,      "snap_10", "9",    "-1e3",
                                        "snap_9", "10",      "nan",     NULL,   "inf",
                                        "1e1",    "\"a b\"", "0.5",     "null", "-inf"};
    struct iris_manifest m;
    struct iris_err err = {0};

    fill(&m, "x", field, COUNT(field));
    CHECK(!iris_group_sort(&m, "x", &err), "rows are ordered by a column");
    CHECK(ids_are(&m, "14 4 12 3 10 0 6 9 11 7 13 5 2 1 8"),
          "numbers by value, names in natural order, what is missing last");
    iris_manifest_release(&m);
    fill(&m, "x", field, 0);
    CHECK(!iris_group_sort(&m, "x", &err), "no rows");
    CHECK(iris_group_sort(&m, "y", &err) == IRIS_E_DATA && strstr(err.msg, "'y'"),
          "no such column");
    CHECK(iris_group_check(&m, "y", &err) == IRIS_E_DATA && !iris_group_check(&m, "x", &err),
          "asked before");
    iris_manifest_release(&m);
}

static void
test_print(void)
{
    static const char *const field[] = {"2.5", ".", "\"a\\tb\" c", NULL, "2.5", "2.5", "a\tb"};
    static const char expected[] = "##iris-manifest 1 entries\n"
                                   "##columns id:str state:str set:k:str\n"
                                   "#id\tstate\tset:k\n"
                                   "##group set:k=2.5 entries=3 failed=1\n"
                                   "0\traw\t2.5\n4\tfailed\t2.5\n5\traw\t2.5\n"
                                   "##group set:k=\"a\\\\tb\" c entries=1 failed=0\n"
                                   "2\traw\t\"a\\\\tb\" c\n"
                                   "##group set:k=\\. entries=1 failed=1\n"
                                   "1\tfailed\t\\.\n"
                                   "##group set:k=a\\tb entries=1 failed=0\n"
                                   "6\traw\ta\\tb\n"
                                   "##group set:k=. entries=1 failed=0\n"
                                   "3\traw\t.\n"
                                   "##rows 7\n";
    struct iris_manifest_reader reader;
    struct iris_manifest m;
    struct iris_err err = {0};
    struct iris_buf text = {0}, plain = {0};

    fill(&m, "set:k", field, COUNT(field));
    iris_group_sort(&m, "set:k", &err);
    iris_group_print(&m, "set:k", &text);
    CHECK(!strcmp(iris_buf_str(&text), expected), "a line before each group");
    if (strcmp(iris_buf_str(&text), expected))
        printf("# %s\n", iris_buf_str(&text));
    iris_manifest_reader_init(&reader, "test", &err);
    CHECK(!iris_manifest_reader_feed(&reader, text.data, text.len, &err) &&
              iris_manifest_reader_is_complete(&reader) && reader.table.n_rows == 7,
          "it is a manifest");
    iris_manifest_reader_release(&reader);
    iris_manifest_release(&m);

    iris_buf_clear(&text);
    fill(&m, "set:k", field, 0);
    iris_group_print(&m, "set:k", &text);
    iris_manifest_print(&m, &plain);
    CHECK(!strcmp(iris_buf_str(&text), iris_buf_str(&plain)), "without rows there are no groups");
    iris_manifest_release(&m);
    iris_buf_release(&text);
    iris_buf_release(&plain);
}

static void
test_unite(void)
{
    static const char *const one[] = {"1", "2", NULL}, *const two[] = {NULL, "3", "5"},
                             *const three[] = {"1", "3", "6"};
    struct iris_manifest all = {0}, part;
    struct iris_err err = {0};

    iris_manifest_init(&all, "entries", &err);
    fill(&part, "x", one, 3);
    CHECK(!iris_unite_append(&all, &part, &err), "the first part");
    iris_manifest_release(&part);
    fill(&part, "y", one, 0);
    CHECK(!iris_unite_append(&all, &part, &err) && all.n_rows == 3 && all.n_columns == 4,
          "a part without rows has its columns");
    iris_manifest_release(&part);
    fill(&part, "x", two, 3);
    iris_manifest_set(&part, 1, "state", "raw", &err);
    CHECK(!iris_unite_append(&all, &part, &err) && !iris_manifest_sort(&all, &err) &&
              !iris_unite(&all, &err) && all.n_rows == 3,
          "rows of one id become one");
    CHECK(!strcmp(iris_manifest_get(&all, 0, "x"), "1") &&
              !strcmp(iris_manifest_get(&all, 1, "x"), "3") &&
              !strcmp(iris_manifest_get(&all, 1, "state"), "raw") &&
              !strcmp(iris_manifest_get(&all, 2, "x"), "5"),
          "what one has not the other has; what has failed yields");
    iris_manifest_release(&part);
    fill(&part, "x", three, 3);
    iris_unite_append(&all, &part, &err);
    iris_manifest_sort(&all, &err);
    CHECK(iris_unite(&all, &err) == IRIS_E_DATA && strstr(err.msg, "'x': '5' and '6'"),
          "two good rows that differ");
    iris_manifest_release(&part);
    iris_manifest_release(&all);
}

int
main(void)
{
    test_order();
    test_print();
    test_unite();
    return check_done();
}
