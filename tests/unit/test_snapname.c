/* Names of snapshot files, and the ids made of them. */
#include "check.h"

#include "buf.h"
#include "snapname.h"

#define COUNT(a) (sizeof(a) / sizeof(a)[0])
#define NONE     UINT64_MAX

static const struct {
    const char *path, *stem;
    uint64_t index, part; /* NONE: has none */
} names[] = {
    {"snap_800.hdf5", "snap_800", 800, NONE},
    {"a/b\\c12.h5", "c12", 12, NONE},
    {"12.hdf5", "12", 12, NONE},
    {"snap_800x.hdf5", "snap_800x", NONE, NONE},
    {"x1y22.h5", "x1y22", 22, NONE},
    {"snap_812.3.hdf5", "snap_812", 812, 3},
    {"snapdir_003/snap_003.1.hdf5", "snap_003", 3, 1},
    {"snap_003.0.h5", "snap_003", 3, 0},
    {"5.12.hdf5", "5", 5, 12},
    {"run.3.hdf5", "run.3", 3, NONE},
    {"run.hdf5", "run", NONE, NONE},
    {".3.hdf5", ".3", 3, NONE},
    {"a.1.2.hdf5", "a.1", 1, 2},
    {"snap_1..3.hdf5", "snap_1..3", 3, NONE},
    {"snap_1.x.hdf5", "snap_1.x", NONE, NONE},
    {"/abs/dir.d/snap_7.hdf5", "snap_7", 7, NONE},
    {"dir_9/snap.hdf5", "snap", NONE, NONE},
    {"snap_1.hdf5.h5", "snap_1.hdf5", 5, NONE},
    {"snap_18446744073709551615.hdf5", "snap_18446744073709551615", UINT64_MAX, NONE},
    {"snap_18446744073709551616.hdf5", "snap_18446744073709551616", NONE, NONE},
    {"snap_000000000000000000000000000001.hdf5", "snap_000000000000000000000000000001", NONE, NONE},
    {"snap_007.hdf5", "snap_007", 7, NONE},
};

static void
test_parse(void)
{
    static const char *const bad[] = {"",          ".hdf5",   ".h5",   "snap_1",
                                      "dir/.hdf5", "a.hdf5/", "a.hdf", "snap_1.HDF5",
                                      "hdf5",      "h5",      "a.h5.", "a.hdf5.tmp"};
    struct iris_snapname n;
    size_t i;

    for (i = 0; i < COUNT(names); i++) {
        int ok = !iris_snapname_parse(names[i].path, &n) && n.stem == strlen(names[i].stem) &&
                 !strncmp(names[i].path + n.dir, names[i].stem, n.stem);
        int largest = strstr(names[i].path, "551615") != NULL;

        ok = ok && n.has_index == (largest || names[i].index != NONE) &&
             (!n.has_index || n.index == names[i].index);
        ok = ok && n.is_part == (names[i].part != NONE) && (!n.is_part || n.part == names[i].part);
        CHECK(ok, "%s", names[i].path);
    }
    for (i = 0; i < COUNT(bad); i++)
        CHECK(iris_snapname_parse(bad[i], &n) == -1, "'%s' is no name of a snapshot", bad[i]);
}

static int
part_is(const char *path, uint64_t k, const char *wanted)
{
    struct iris_buf b = {0};
    int same;

    iris_snapname_part(path, k, &b);
    same = !strcmp(iris_buf_str(&b), wanted);
    iris_buf_release(&b);
    return same;
}

static void
test_part(void)
{
    CHECK(part_is("d.1/snap_003.0.hdf5", 12, "d.1/snap_003.12.hdf5"), "another file of a set");
    CHECK(part_is("snap_003.7.h5", 0, "snap_003.0.h5"), "its first");
    CHECK(part_is("snap_003.hdf5", 5, "snap_003.hdf5"), "a single file stays");
    CHECK(part_is("run.3.hdf5", 5, "run.3.hdf5"), "so does one with an index of its own");
    CHECK(part_is("notes.txt", 5, "notes.txt"), "so does anything else");
}

static const struct {
    const char *label, *stem, *id;
} ids[] = {
    {NULL, "snap_800", "snap_800"},
    {NULL, "A-z_0.9", "A-z_0.9"},
    {NULL, "a b", "a=20b"},
    {NULL, "a=b", "a=3Db"},
    {NULL, "a/../b", "a=2F..=2Fb"},
    {NULL, ".hidden", "=2Ehidden"},
    {NULL, "..", "=2E."},
    {NULL, "\xc3\xa4\n\t\"'$`", "=C3=A4=0A=09=22=27=24=60"},
    {"L", "snap_1", "Lsnap_1"},
    {"run A/", "snap_1", "run=20A=2Fsnap_1"},
    {"L", ".x", "L.x"},
    {".", ".x", "=2E.x"},
    {"", ".x", "=2Ex"},
};

static void
test_ids(void)
{
    static const char *const bad[] = {"", ".", "..", ".a", "a/b", "a b", "a\n", "\xc3\xa4", "a\\b"};
    char large[202];
    struct iris_buf b = {0};
    size_t i;

    for (i = 0; i < COUNT(ids); i++) {
        iris_buf_clear(&b);
        iris_snapname_id(ids[i].label, ids[i].stem, strlen(ids[i].stem), &b);
        if (!CHECK(!strcmp(iris_buf_str(&b), ids[i].id) && iris_snapname_is_id(b.data), "the id %s",
                   ids[i].id))
            printf("# %s\n", iris_buf_str(&b));
    }
    for (i = 0; i < COUNT(bad); i++)
        CHECK(!iris_snapname_is_id(bad[i]), "bad id %zu", i);
    memset(large, 'a', sizeof large);
    large[201] = '\0';
    CHECK(!iris_snapname_is_id(large), "201 bytes are too many");
    large[200] = '\0';
    CHECK(iris_snapname_is_id(large), "200 are not");
    iris_buf_clear(&b);
    iris_snapname_id(NULL, "snap_800.hdf5", 8, &b);
    CHECK(!strcmp(b.data, "snap_800"), "an id takes as many bytes as it is told");
    iris_buf_release(&b);
}

int
main(void)
{
    test_parse();
    test_part();
    test_ids();
    return check_done();
}
