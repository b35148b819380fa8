/* Manifests: round trips, order, and what is no manifest. */
#include "check.h"

#include <stdint.h>
#include <unistd.h>

#include "file.h"
#include "manifest.h"

#define COUNT(a) (sizeof(a) / sizeof(a)[0])
#define HEAD     "##iris-manifest 1 entries\n##columns id:str point:u32\n#id\tpoint\n"

static char scratch[512], file[600];

static enum iris_status
read_text(const char *text, size_t len, const char *kind, struct iris_manifest *m,
          struct iris_err *err)
{
    if (iris_write_file(file, text, len, err))
        exit(2);
    return iris_manifest_read(file, kind, m, err);
}

static int
prints(const struct iris_manifest *m, const char *text)
{
    struct iris_buf b = {0};
    int same;

    iris_manifest_print(m, &b);
    same = !strcmp(iris_buf_str(&b), text);
    if (!same)
        printf("# %s\n", iris_buf_str(&b));
    iris_buf_release(&b);
    return same;
}

static void
test_make(void)
{
    struct iris_manifest m;
    struct iris_err err = {0};
    size_t index = 9, row, again;
    uint64_t n = 0;

    CHECK(!iris_manifest_init(&m, "snapshots", &err), "a manifest without anything");
    iris_manifest_column(&m, "snapshot", "str", &index, &err);
    CHECK(!iris_manifest_add_row(&m, &row, &err) && row == 0 && m.n_rows == 1, "a row");
    CHECK(!iris_manifest_column(&m, "bytes", "u64", &index, &err) && index == 1 &&
              !iris_manifest_get(&m, 0, "bytes"),
          "a column that comes later is missing in earlier rows");
    CHECK(!iris_manifest_column(&m, "snapshot", "str", &again, &err) && again == 0 &&
              m.n_columns == 2,
          "a column is made once");
    iris_manifest_column(&m, "theta", "f64[deg]", &index, &err);
    CHECK(!iris_manifest_set(&m, 0, "snapshot", "snap_1", &err) &&
              !iris_manifest_set_u64(&m, 0, "bytes", UINT64_MAX, &err) &&
              !iris_manifest_set_f64(&m, 0, "theta", 0.1, &err),
          "fields are set");
    CHECK(!iris_manifest_get_u64(&m, 0, "bytes", &n, &err) && n == UINT64_MAX, "and read");
    CHECK(iris_manifest_get_u64(&m, 0, "snapshot", &n, &err) == IRIS_E_DATA &&
              strstr(err.msg, "row 1 ") && strstr(err.msg, "'snapshot': 'snap_1'"),
          "a word is no number");
    CHECK(iris_manifest_get_u64(&m, 0, "files", &n, &err) == IRIS_E_DATA &&
              strstr(err.msg, "'files'"),
          "a missing number is named");
    CHECK(iris_manifest_set(&m, 0, "files", "1", &err) == IRIS_E_BUG, "no such column");
    CHECK(iris_manifest_find(&m, "files") == -1 && !iris_manifest_get(&m, 0, "files"), "indeed");
    CHECK(prints(&m,
                 "##iris-manifest 1 snapshots\n##columns snapshot:str bytes:u64 theta:f64[deg]\n"
                 "#snapshot\tbytes\ttheta\nsnap_1\t18446744073709551615\t0.1\n##rows 1\n"),
          "it is printed");
    CHECK(!iris_manifest_set_f64(&m, 0, "theta", (double)NAN, &err) &&
              !iris_manifest_set(&m, 0, "bytes", NULL, &err) &&
              prints(&m, "##iris-manifest 1 snapshots\n"
                         "##columns snapshot:str bytes:u64 theta:f64[deg]\n"
                         "#snapshot\tbytes\ttheta\nsnap_1\t.\t.\n##rows 1\n"),
          "missing fields are dots");
    iris_manifest_release(&m);
    iris_manifest_release(&m);
}

/* Every awkward field comes back as it was. */
static void
test_round_trip(void)
{
    static const char *const fields[] = {"plain", "",     ".",      "..",     "\\",      "\\.",
                                         "a\tb",  "a\nb", "\\t\\n", "\t\n\\", " blank ", "ünï\r",
                                         NULL,    "\\\\", "#x",     "a:b",    ".\t.",    "x"};
    struct iris_manifest m, back;
    struct iris_buf text = {0};
    struct iris_err err = {0};
    size_t i, index, row;
    int wrong = 0;

    iris_manifest_init(&m, "entries", &err);
    iris_manifest_column(&m, "id", "str", &index, &err);
    iris_manifest_column(&m, "message", "str", &index, &err);
    for (i = 0; i < COUNT(fields); i++) {
        iris_manifest_add_row(&m, &row, &err);
        iris_manifest_set(&m, row, "id", fields[i], &err);
        iris_manifest_set(&m, row, "message", fields[COUNT(fields) - 1 - i], &err);
    }
    iris_manifest_print(&m, &text);
    CHECK(!read_text(text.data, text.len, "entries", &back, &err), "awkward fields are read %s",
          err.msg);
    CHECK(back.n_rows == m.n_rows && back.n_columns == 2, "as many as there were");
    for (i = 0; i < back.n_rows; i++) {
        const char *a = iris_manifest_get(&back, i, "id");
        const char *b = iris_manifest_get(&back, i, "message");
        const char *a0 = fields[i], *b0 = fields[COUNT(fields) - 1 - i];

        wrong += (a && a0) ? strcmp(a, a0) != 0 : a != a0;
        wrong += (b && b0) ? strcmp(b, b0) != 0 : b != b0;
    }
    CHECK(!wrong, "each is what it was");
    CHECK(prints(&back, text.data), "and is printed as it was");
    iris_buf_release(&text);
    iris_manifest_release(&m);
    iris_manifest_release(&back);
}

static const struct {
    const char *what, *text, *again; /* NULL: printed as it was */
} good[] = {
    {"no rows", HEAD "##rows 0\n", NULL},
    {"columns that are not known",
     "##iris-manifest 1 fetched\n##columns snapshot:str shoe_size:f64[cm]\n#snapshot\tshoe_size\n"
     "a\t42.5\n##rows 1\n",
     NULL},
    {"no last line", HEAD "a\t1\n", HEAD "a\t1\n##rows 1\n"},
    {"no types", "##iris-manifest 1 entries\n#id\tpoint\na\t1\n##rows 1\n",
     "##iris-manifest 1 entries\n##columns id:str point:str\n#id\tpoint\na\t1\n##rows 1\n"},
    {"remarks of a later version",
     "##iris-manifest 1 entries\n##later x\n##columns id:str point:u32\n##and\n#id\tpoint\n##so\n"
     "a\t1\n##rows 1\n##on\n",
     HEAD "a\t1\n##rows 1\n"},
    {"two manifests in a row", HEAD "a\t1\n##rows 1\n" HEAD "b\t2\nc\t3\n##rows 2\n",
     HEAD "a\t1\nb\t2\nc\t3\n##rows 3\n"},
    {"two without last lines", HEAD "a\t1\n" HEAD "b\t2\n", HEAD "a\t1\nb\t2\n##rows 2\n"},
    {"an empty one before", HEAD "##rows 0\n" HEAD "b\t2\n##rows 1\n", HEAD "b\t2\n##rows 1\n"},
};

static void
test_good(void)
{
    struct iris_manifest m;
    struct iris_err err;
    size_t i;

    for (i = 0; i < COUNT(good); i++) {
        err = (struct iris_err){0};
        CHECK(!read_text(good[i].text, strlen(good[i].text), NULL, &m, &err) &&
                  prints(&m, good[i].again ? good[i].again : good[i].text),
              "%s: read and printed %s", good[i].what, err.msg);
        iris_manifest_release(&m);
    }
}

static const struct {
    const char *what, *text, *says; /* says begins with the line number */
} bad[] = {
    {"an empty file", "", " empty, not a manifest"},
    {"some text", "hello\n", "1: not a manifest"},
    {"an empty line first", "\n" HEAD, "1: not a manifest"},
    {"rows without a header", "a\t1\n", "1: not a manifest"},
    {"a later version", "##iris-manifest 2 entries\n#id\n", "1: not a manifest"},
    {"an unknown kind", "##iris-manifest 1 shoes\n#id\n", "1: unknown kind of manifest 'shoes'"},
    {"no kind", "##iris-manifest 1 \n#id\n", "1: unknown kind of manifest ''"},
    {"a kind with a blank", "##iris-manifest 1 entries \n#id\n", "1: unknown kind"},
    {"no names", "##iris-manifest 1 entries\n", "1: the line of column names is missing"},
    {"no names after the columns", "##iris-manifest 1 entries\n##columns id:str\n",
     "2: the line of column names is missing"},
    {"a row before the names", "##iris-manifest 1 entries\na\t1\n", "2: a row before"},
    {"an empty line before the names", "##iris-manifest 1 entries\n\n#id\n", "2: a row before"},
    {"a column without name", "##iris-manifest 1 entries\n#id\t\tpoint\n",
     "2: column 2 has no name"},
    {"no name at all", "##iris-manifest 1 entries\n#\n", "2: column 1 has no name"},
    {"a name with a blank", "##iris-manifest 1 entries\n#id\ta b\n",
     "2: the name of column 2, 'a b', has a blank in it"},
    {"two columns of one name", "##iris-manifest 1 entries\n#id\tid\n",
     "2: two columns are named 'id'"},
    {"two declared columns of one name",
     "##iris-manifest 1 entries\n##columns id:str id:str\n#id\tid\n", "3: column 2 is 'id'"},
    {"another name than declared", "##iris-manifest 1 entries\n##columns id:str\n#ide\n",
     "3: column 1 is 'ide'"},
    {"more names than declared", "##iris-manifest 1 entries\n##columns id:str\n#id\tpoint\n",
     "3: column 2 is 'point'"},
    {"fewer names than declared", "##iris-manifest 1 entries\n##columns id:str point:u32\n#id\n",
     "3: 1 columns where 2"},
    {"lines that end in CR LF", "##iris-manifest 1 entries\r\n##columns id:str\r\n#id\r\n",
     "1: unknown kind"},
    {"too few fields", HEAD "a\t1\nb\n", "5: 1 fields where the header has 2"},
    {"too many fields", HEAD "a\t1\t2\n", "4: more than the 2 fields"},
    {"an empty line", HEAD "a\t1\n\n", "5: 1 fields where the header has 2"},
    {"an unknown escape", HEAD "a\\x\t1\n", "4: bad escape in field 'id'"},
    {"half an escape", HEAD "a\t1\\\n", "4: bad escape in field 'point'"},
    {"half an escape before a tab", HEAD "a\\\t1\n", "4: bad escape in field 'id'"},
    {"a last line cut short", HEAD "a\t1\nb\t", "5: the last line is cut short"},
    {"a header cut short", "##iris-manifest 1 ent", "1: the last line is cut short"},
    {"the number of rows cut short", HEAD "a\t1\n##rows 1", "5: the last line is cut short"},
    {"fewer rows than promised", HEAD "a\t1\n##rows 2\n",
     "5: 1 rows where the last line promises 2"},
    {"more rows than promised", HEAD "a\t1\nb\t1\n##rows 1\n",
     "6: 2 rows where the last line promises 1"},
    {"a promise that is no number", HEAD "##rows -1\n", "4: bad number of rows '-1'"},
    {"rows after the end", HEAD "a\t1\n##rows 1\nb\t2\n", "6: a row after the end"},
    {"a header after the end that is none", HEAD "##rows 0\n#id\tpoint\n",
     "5: a row after the end"},
    {"another kind after it", HEAD "##rows 0\n##iris-manifest 1 snapshots\n",
     "5: a manifest of snapshots follows one of entries"},
    {"other columns after it", HEAD "##rows 0\n##iris-manifest 1 entries\n#id\tpath\n",
     "6: column 2 is 'path'"},
    {"fewer columns after it", HEAD "##rows 0\n##iris-manifest 1 entries\n#id\n",
     "6: 1 columns where 2"},
    {"a header that ends after it", HEAD "##rows 0\n##iris-manifest 1 entries\n",
     "5: the line of column names is missing"},
    {"rows counted with those before", HEAD "a\t1\n##rows 1\n" HEAD "b\t2\n##rows 2\n",
     "10: 1 rows where the last line promises 2"},
};

static void
refused(const char *what, const char *text, size_t len, const char *kind, const char *says)
{
    struct iris_manifest m;
    struct iris_err err = {0};
    char wanted[800];

    snprintf(wanted, sizeof wanted, "%s:%s", file, says);
    if (!CHECK(read_text(text, len, kind, &m, &err) == IRIS_E_DATA &&
                   !strncmp(err.msg, wanted, strlen(wanted)),
               "%s: refused", what))
        printf("# %s\n# %s\n", err.msg, wanted);
    CHECK(!m.kind && !m.row && !m.column, "%s: and nothing kept", what);
}

static void
test_bad(void)
{
    static const char nul[] = HEAD "a\0b\t1\n", nul_first[] = "\0";
    struct iris_manifest m;
    struct iris_err err = {0};
    size_t i;

    for (i = 0; i < COUNT(bad); i++)
        refused(bad[i].what, bad[i].text, strlen(bad[i].text), NULL, bad[i].says);
    refused("a NUL byte", nul, sizeof nul - 1, NULL, "4: a NUL byte");
    refused("a NUL byte first", nul_first, 1, NULL, "1: the last line is cut short");
    refused("entries for snapshots", HEAD "##rows 0\n", strlen(HEAD "##rows 0\n"), "snapshots",
            " a manifest of entries where one of snapshots is needed");
    refused("snapshots for fetched", "##iris-manifest 1 snapshots\n#a\n", 31, "fetched",
            " a manifest of snapshots where one of fetched is needed");
    CHECK(!read_text("##iris-manifest 1 fetched\n#a\n", 29, "snapshots", &m, &err),
          "fetched ones are snapshots");
    iris_manifest_release(&m);
    CHECK(iris_manifest_read("/nonexistent/m.tsv", NULL, &m, &err) == IRIS_E_IO &&
              strstr(err.msg, "/nonexistent/m.tsv"),
          "a missing file");
    CHECK(iris_manifest_read(scratch, NULL, &m, &err) == IRIS_E_IO, "a directory");
}

/* The reader that takes rows as they come. */
static void
test_lines(void)
{
    static const char *const lines[] = {"##iris-manifest 1 snapshots", "#snapshot\tpath", "a\tb",
                                        "##rows 1"};
    struct iris_manifest_reader r;
    struct iris_err err = {0};
    size_t i, rows[COUNT(lines)];

    iris_manifest_reader_init(&r, "-", &err);
    for (i = 0; i < COUNT(lines); i++) {
        if (iris_manifest_reader_line(&r, lines[i], strlen(lines[i]), &err))
            break;
        rows[i] = r.table.n_rows;
    }
    CHECK(i == COUNT(lines) && rows[1] == 0 && rows[2] == 1 && rows[3] == 1, "rows as they come");
    CHECK(!strcmp(iris_manifest_get(&r.table, 0, "path"), "b"), "with their fields");
    CHECK(!iris_manifest_reader_end(&r, &err), "and an end");
    CHECK(iris_manifest_reader_line(&r, "x\ty", 3, &err) == IRIS_E_DATA &&
              !strncmp(err.msg, "standard input:5: ", 18),
          "standard input has a name");
    iris_manifest_reader_release(&r);
    iris_manifest_reader_release(&r);
    iris_manifest_reader_init(&r, "m", &err);
    CHECK(iris_manifest_reader_end(&r, &err) == IRIS_E_DATA, "no line at all");
    iris_manifest_reader_release(&r);
}

/* It is refused before its end has come. */
static void
test_endless_line(void)
{
    struct iris_manifest_reader r;
    struct iris_err err = {0};
    enum { MANY = 300 };
    char part[4096];
    int i;

    memset(part, 'x', sizeof part);
    iris_manifest_reader_init(&r, "m", &err);
    for (i = 0; i < MANY && !iris_manifest_reader_feed(&r, part, sizeof part, &err); i++)
        ;
    CHECK(i < MANY && err.status == IRIS_E_DATA && strstr(err.msg, "m:1: a line of more than"),
          "%s", err.msg);
    iris_manifest_reader_release(&r);
}

static void
add(struct iris_manifest *m, const char *id, const char *snapshot, const char *point)
{
    size_t row;

    iris_manifest_add_row(m, &row, NULL);
    iris_manifest_set(m, row, "id", id, NULL);
    iris_manifest_set(m, row, "snapshot", snapshot, NULL);
    iris_manifest_set(m, row, "point", point, NULL);
}

static void
columns(struct iris_manifest *m)
{
    size_t index;

    iris_manifest_init(m, "entries", NULL);
    iris_manifest_column(m, "id", "str", &index, NULL);
    iris_manifest_column(m, "snapshot", "str", &index, NULL);
    iris_manifest_column(m, "point", "u32", &index, NULL);
}

static void
test_sort(void)
{
    struct iris_manifest m;
    char order[16] = "";
    size_t r;

    columns(&m);
    CHECK(!iris_manifest_sort(&m, NULL), "sorted");
    CHECK(m.n_rows == 0, "no rows are sorted");
    add(&m, "j", "snap_100", "0");
    add(&m, "i", "snap_20", "10");
    add(&m, "h", "snap_20", "9");
    add(&m, "g", "snap_20", "2");
    add(&m, "f", "snap_9", "18446744073709551615");
    add(&m, "e", "snap_9", "0");
    add(&m, "d", "snap_9", NULL);
    add(&m, "c", "a", "1");
    add(&m, "b", NULL, "1");
    add(&m, "a", NULL, "0");
    CHECK(!iris_manifest_sort(&m, NULL), "sorted");
    for (r = 0; r < m.n_rows; r++)
        order[r] = iris_manifest_get(&m, r, "id")[0];
    CHECK(!strcmp(order, "abcdefghij"), "rows by snapshot in natural order, point, id: %s", order);
    iris_manifest_release(&m);
}

/* Rows taken out at every size, and rows added afterwards. */
static void
test_keep(void)
{
    unsigned char keep[40];
    struct iris_manifest m;
    size_t n, i, left;
    int wrong = 0;
    char id[24];

    for (n = 0; n < COUNT(keep); n++) {
        columns(&m);
        for (i = 0; i < n; i++) {
            snprintf(id, sizeof id, "%zu", i);
            add(&m, id, "s", "0");
            keep[i] = i % 3 == 1;
        }
        iris_manifest_keep(&m, keep);
        left = m.n_rows;
        wrong += left != (n + 1) / 3;
        for (i = 0; i < n; i++)
            add(&m, "new", "s", "0");
        for (i = 0; i < left; i++) {
            snprintf(id, sizeof id, "%zu", 3 * i + 1);
            wrong += strcmp(iris_manifest_get(&m, i, "id"), id) != 0;
        }
        wrong += m.n_rows != left + n;
        iris_manifest_release(&m);
    }
    CHECK(!wrong, "the rows that were to be kept, in their order");
}

int
main(void)
{
    const char *tmp = getenv("TMPDIR");

    snprintf(scratch, sizeof scratch, "%s/iris-manifest-XXXXXX", tmp ? tmp : "/tmp");
    if (!mkdtemp(scratch))
        return 2;
    snprintf(file, sizeof file, "%s/m.tsv", scratch);
    test_make();
    test_round_trip();
    test_good();
    test_bad();
    test_lines();
    test_endless_line();
    test_sort();
    test_keep();
    unlink(file);
    rmdir(scratch);
    return check_done();
}
