/* Data set directories, their records and the entries in them. */
#include "check.h"

#include <dirent.h>
#include <signal.h>
#include <stdint.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include "dataset.h"
#include "entry.h"
#include "file.h"
#include "hyper.h"
#include "manifest.h"
#include "sampler.h"

#define COUNT(a) (sizeof(a) / sizeof(a)[0])

static char scratch[512];

static const char *
in(const char *name)
{
    static char path[8][1024];
    static unsigned turn;
    char *p = path[turn++ % COUNT(path)];

    snprintf(p, sizeof path[0], "%s/%s", scratch, name);
    return p;
}

static void
remove_tree(const char *path)
{
    struct dirent *e;
    char name[2048];
    DIR *dir;

    if (!unlink(path) || !(dir = opendir(path)))
        return;
    while ((e = readdir(dir))) {
        if (!strcmp(e->d_name, ".") || !strcmp(e->d_name, ".."))
            continue;
        snprintf(name, sizeof name, "%s/%s", path, e->d_name);
        remove_tree(name);
    }
    closedir(dir);
    rmdir(path);
}

static int
is_there(const char *path)
{
    struct stat sb;

    return !lstat(path, &sb);
}

static void
put(const char *path)
{
    if (iris_write_file(path, "x", 1, NULL))
        exit(2);
}

static enum iris_status
try(const char *name, enum iris_dataset_mode mode, struct iris_err *err)
{
    struct iris_dataset d;
    enum iris_status st = iris_dataset_open(&d, *name ? in(name) : "", mode, err);

    iris_dataset_close(&d);
    iris_dataset_close(&d);
    return st;
}

static void
test_open(void)
{
    static const char *const ours[] = {".iris", "attributes.json", "entries"};
    struct iris_err err = {0};
    size_t i;

    CHECK(try("new", IRIS_DATASET_EXISTING, &err) == IRIS_E_IO && strstr(err.msg, "/new'"),
          "a missing data set is named");
    CHECK(!try("new", IRIS_DATASET_PLANNED, &err) && !is_there(in("new")),
          "a planned one is not made");
    CHECK(!try("new/deep", IRIS_DATASET_CREATE, &err) && is_there(in("new/deep/.iris")),
          "a new one is made");
    CHECK(!try("new/deep", IRIS_DATASET_CREATE, &err) &&
              !try("new/deep", IRIS_DATASET_EXISTING, &err),
          "and opened again");
    mkdir(in("empty"), 0777);
    CHECK(!try("empty", IRIS_DATASET_EXISTING, &err) && !try("empty", IRIS_DATASET_CREATE, &err),
          "an empty directory is accepted");
    mkdir(in("foreign"), 0777);
    put(in("foreign/thesis.tex"));
    CHECK(try("foreign", IRIS_DATASET_CREATE, &err) == IRIS_E_DATA &&
              strstr(err.msg, "new directory") &&
              try("foreign", IRIS_DATASET_PLANNED, &err) == IRIS_E_DATA &&
              try("foreign", IRIS_DATASET_EXISTING, &err) == IRIS_E_DATA &&
              !is_there(in("foreign/.iris")),
          "a foreign one is refused and left alone");
    mkdir(in("hidden"), 0777);
    put(in("hidden/.config"));
    CHECK(try("hidden", IRIS_DATASET_CREATE, &err) == IRIS_E_DATA, "hidden files count");
    for (i = 0; i < COUNT(ours); i++) {
        mkdir(in("ours"), 0777);
        put(in("ours/README"));
        mkdir(in(i == 0 ? "ours/.iris" : i == 1 ? "ours/attributes.json" : "ours/entries"), 0777);
        CHECK(!try("ours", IRIS_DATASET_EXISTING, &err), "one with %s is ours", ours[i]);
        remove_tree(in("ours"));
    }
    put(in("file"));
    CHECK(try("file", IRIS_DATASET_CREATE, &err) == IRIS_E_DATA &&
              strstr(err.msg, "not a directory"),
          "a file is no data set");
    CHECK(try("file/x", IRIS_DATASET_CREATE, &err) == IRIS_E_IO, "nor holds one");
    CHECK(try("", IRIS_DATASET_CREATE, &err) == IRIS_E_USAGE, "an empty name");
}

/* A process that holds the lock until it is killed. */
static pid_t
hold(const char *root)
{
    struct iris_dataset d;
    int ends[2];
    char ready = 0;
    pid_t child;

    if (pipe(ends))
        exit(2);
    fflush(stdout);
    child = fork();
    if (child == 0) {
        if (!iris_dataset_open(&d, root, IRIS_DATASET_EXISTING, NULL) &&
            !iris_dataset_lock(&d, NULL, NULL))
            ready = 1;
        if (write(ends[1], &ready, 1) == 1)
            pause();
        _exit(1);
    }
    if (read(ends[0], &ready, 1) != 1 || !ready)
        exit(2);
    close(ends[0]);
    close(ends[1]);
    return child;
}

static void
test_lock(void)
{
    struct iris_dataset d, second;
    struct iris_err err = {0};
    char process[40];
    pid_t child;
    int status;

    iris_dataset_open(&d, in("locked"), IRIS_DATASET_CREATE, &err);
    child = hold(in("locked"));
    snprintf(process, sizeof process, "process %ld", (long)child);
    CHECK(iris_dataset_lock(&d, NULL, &err) == IRIS_E_RETRY && strstr(err.msg, process) &&
              strstr(err.msg, "host ") && d.lock == -1,
          "in use by host and process");
    kill(child, SIGKILL);
    waitpid(child, &status, 0);
    CHECK(!iris_dataset_lock(&d, NULL, &err), "free when the holder is killed");
    iris_dataset_open(&second, in("locked"), IRIS_DATASET_CREATE, &err);
    snprintf(process, sizeof process, "process %ld)", (long)getpid());
    CHECK(iris_dataset_lock(&second, NULL, &err) == IRIS_E_RETRY && strstr(err.msg, process),
          "locked within a process too, its number written over the old one");
    iris_dataset_close(&d);
    CHECK(!iris_dataset_lock(&second, NULL, &err), "free when closed");
    iris_dataset_close(&second);
    iris_dataset_open(&d, in("planned"), IRIS_DATASET_PLANNED, &err);
    CHECK(iris_dataset_lock(&d, NULL, &err) == IRIS_E_IO, "what is not there cannot be locked");
    iris_dataset_close(&d);
}

static off_t
size_of(const char *path)
{
    struct stat sb;

    return stat(path, &sb) ? -1 : sb.st_size;
}

/* Who locks a data set writes who he is: not where a link leads. */
static void
test_lock_planted(void)
{
    static const char precious[] = "precious";
    struct iris_dataset d;
    struct iris_err err = {0};

    if (iris_write_file(in("elsewhere"), precious, sizeof precious, NULL))
        exit(2);
    iris_dataset_open(&d, in("linked"), IRIS_DATASET_CREATE, &err);
    CHECK(!symlink("../../elsewhere", in("linked/.iris/lock")) &&
              iris_dataset_lock(&d, NULL, &err) == IRIS_E_IO &&
              strstr(err.msg, "linked/.iris/lock") &&
              size_of(in("elsewhere")) == (off_t)sizeof precious,
          "a lock that is a link is not written: %s", err.msg);
    unlink(in("linked/.iris/lock"));
    CHECK(!symlink("../../elsewhere", in("linked/.iris/held")) &&
              iris_dataset_lock(&d, "a", &err) == IRIS_E_IO && strstr(err.msg, "linked/.iris/held"),
          "nor what holds snapshots");
    unlink(in("linked/.iris/held"));
    mkfifo(in("linked/.iris/lock"), 0666);
    CHECK(iris_dataset_lock(&d, NULL, &err) == IRIS_E_IO, "a pipe is no lock");
    iris_dataset_close(&d);
}

static void
test_settings(void)
{
    struct iris_buf a = {0}, b = {0}, longer = {0};
    struct iris_dataset d;
    struct iris_err err = {0};

    iris_buf_puts(&a, "{\"r_steps\": 4}");
    iris_buf_puts(&b, "{\"r_steps\": 5}");
    iris_buf_puts(&longer, "{\"r_steps\": 4} ");
    iris_dataset_open(&d, in("set"), IRIS_DATASET_CREATE, &err);
    CHECK(!iris_dataset_settings(&d, "0123abcd", &a, &err) &&
              is_there(in("set/entries/0123abcd/settings.json")),
          "settings are recorded");
    CHECK(!iris_dataset_settings(&d, "0123abcd", &a, &err), "and found again");
    CHECK(iris_dataset_settings(&d, "0123abcd", &b, &err) == IRIS_E_DATA &&
              strstr(err.msg, "other settings"),
          "others under that digest are refused");
    CHECK(iris_dataset_settings(&d, "0123abcd", &longer, &err) == IRIS_E_DATA, "longer ones too");
    CHECK(!iris_dataset_settings(&d, "0123abce", &b, &err), "another digest is another record");
    iris_buf_release(&a);
    iris_buf_release(&b);
    iris_buf_release(&longer);
    iris_dataset_close(&d);
}

static void
test_source(void)
{
    static const char *const bad[] = {"", "#bytes\tcontent\n", "10\tabc\n",
                                      "#bytes\tcontent\nx\t0123456789abcdef0123456789abcdef\n",
                                      "#bytes\tcontent\n18446744073709551616\tabc\n"};
    struct iris_source one = {1234567890123, "0123456789abcdef0123456789abcdef"}, two = one, got;
    struct iris_dataset d;
    struct iris_err err = {0};
    char large[5000] = "";
    int found = 7;
    size_t i;

    two.content[31] = '0';
    iris_dataset_open(&d, in("set"), IRIS_DATASET_CREATE, &err);
    CHECK(!iris_dataset_source(&d, "0123abcd", "snap_1", &got, &found, &err) && !found,
          "a snapshot that is not there");
    CHECK(!iris_dataset_claim(&d, "0123abcd", "snap_1", &one, &err), "claims its folder");
    CHECK(!iris_dataset_source(&d, "0123abcd", "snap_1", &got, &found, &err) && found == 1 &&
              got.bytes == one.bytes && !strcmp(got.content, one.content),
          "and is there");
    one.bytes++;
    CHECK(!iris_dataset_claim(&d, "0123abcd", "snap_1", &one, &err),
          "stored otherwise it is the same");
    CHECK(!iris_dataset_claim(&d, "0123abcd", "snap_1", &two, &err) &&
              !iris_dataset_claim(&d, "0123abcd", "snap_1", &one, &err),
          "another one takes a folder without arrays");
    iris_write_file(in("set/entries/0123abcd/raw/snap_1/p000.tensor.npy"), "", 0, NULL);
    CHECK(iris_dataset_claim(&d, "0123abcd", "snap_1", &two, &err) == IRIS_E_DATA &&
              strstr(err.msg, "'snap_1'") && strstr(err.msg, "--label"),
          "another one is refused with a way out");
    CHECK(!iris_dataset_claim(&d, "0123abce", "snap_1", &two, &err) &&
              !iris_dataset_claim(&d, "0123abcd", "snap_2", &two, &err),
          "but has other folders");
    iris_remove_file(in("set/entries/0123abcd/raw/snap_1/p000.tensor.npy"), NULL);
    iris_mkdirs(in("set/entries/0123abcd/iris-01234567/snap_1"), NULL);
    iris_write_file(in("set/entries/0123abcd/iris-01234567/snap_1/p000.tensor.npy"), "", 0, NULL);
    CHECK(iris_dataset_claim(&d, "0123abcd", "snap_1", &two, &err) == IRIS_E_DATA,
          "arrays in IRIS units hold it too");
    for (i = 0; i < COUNT(bad); i++) {
        iris_write_file(in("set/entries/0123abcd/raw/snap_1/source.tsv"), bad[i], strlen(bad[i]),
                        NULL);
        CHECK(iris_dataset_source(&d, "0123abcd", "snap_1", &got, &found, &err) == IRIS_E_DATA &&
                  !found && strstr(err.msg, "'entries/0123abcd/raw/snap_1/source.tsv'") &&
                  iris_dataset_claim(&d, "0123abcd", "snap_1", &one, &err) == IRIS_E_DATA,
              "a spoilt record, %zu", i + 1);
    }
    iris_write_file(in("set/entries/0123abcd/raw/snap_1/source.tsv"), large, sizeof large, NULL);
    CHECK(iris_dataset_claim(&d, "0123abcd", "snap_1", &one, &err) == IRIS_E_DATA &&
              strstr(err.msg, "'entries/0123abcd/raw/snap_1/source.tsv' is not the record"),
          "a long one: %s", err.msg);
    iris_dataset_close(&d);
}

static void
test_done(void)
{
    static const char *const files[] = {"p000.columnized.npy",
                                        "p000.observed.npy",
                                        "p001.columnized.npy",
                                        "p003.observed.npy",
                                        "p003.observed.npy.tmp",
                                        "p004.observed.npy.tmp",
                                        "p005.columnized.npy",
                                        "p005.observed.npy",
                                        "p005.tensor.npy",
                                        "p006.tensor.npy",
                                        "source.tsv",
                                        "p01.observed.npy",
                                        "p1.columnized.npy",
                                        "p0002.columnized.npy",
                                        "p0002.observed.npy",
                                        "p999.columnized.npy",
                                        "p999.observed.npy",
                                        "p1000.columnized.npy",
                                        "p1000.observed.npy",
                                        "p.observed.npy",
                                        "x.tmp"};
    unsigned char done[1001];
    struct iris_dataset d;
    struct iris_err err = {0};
    unsigned pair = 1u << IRIS_COLUMN | 1u << IRIS_OBSERVED;
    char name[200];
    size_t i;

    iris_dataset_open(&d, in("done"), IRIS_DATASET_CREATE, &err);
    memset(done, 7, sizeof done);
    CHECK(!iris_dataset_done(&d, "0123abcd", "snap_1", pair, 8, done, &err) && !done[0] &&
              !done[7] && done[8] == 7,
          "nothing is done where there is no folder");
    iris_mkdirs(in("done/entries/0123abcd/raw/snap_1"), NULL);
    for (i = 0; i < COUNT(files); i++) {
        snprintf(name, sizeof name, "done/entries/0123abcd/raw/snap_1/%s", files[i]);
        put(in(name));
    }
    CHECK(!iris_dataset_done(&d, "0123abcd", "snap_1", pair, 8, done, &err) && done[8] == 7,
          "points beyond are left alone");
    CHECK(done[0] && !done[1] && !done[3] && !done[4] && done[5] && !done[6],
          "a pair is done when both arrays are there");
    CHECK(!done[2], "under the names they are given");
    CHECK(!is_there(in("done/entries/0123abcd/raw/snap_1/p003.observed.npy.tmp")) &&
              !is_there(in("done/entries/0123abcd/raw/snap_1/x.tmp")) &&
              is_there(in("done/entries/0123abcd/raw/snap_1/p003.observed.npy")),
          "temporary files are removed");
    iris_dataset_done(&d, "0123abcd", "snap_1", 1u << IRIS_TENSOR, 8, done, &err);
    CHECK(!done[0] && done[5] && done[6], "a tensor stands alone");
    iris_dataset_done(&d, "0123abcd", "snap_1", pair, 1001, done, &err);
    CHECK(done[999] && done[1000], "numbers of more than three digits");
    iris_dataset_close(&d);
}

static void
test_paths(void)
{
    struct iris_buf b = {0};
    char *joined;

    iris_entry_path(&b, "0123abcd", NULL, "snap_1", 7, IRIS_OBSERVED);
    CHECK(!strcmp(b.data, "entries/0123abcd/raw/snap_1/p007.observed.npy"), "%s", b.data);
    iris_buf_clear(&b);
    iris_entry_path(&b, "0123abcd", "89abcdef", "snap_1", 1234, IRIS_COLUMN);
    CHECK(!strcmp(b.data, "entries/0123abcd/iris-89abcdef/snap_1/p1234.columnized.npy"), "%s",
          b.data);
    iris_buf_release(&b);
    joined = iris_path_join("a", "b");
    CHECK(!strcmp(joined, "a/b"), "paths are joined");
    free(joined);
    joined = iris_path_join("/", "b");
    CHECK(!strcmp(joined, "/b"), "with one slash");
    free(joined);
}

static void
defaults(struct iris_settings *s)
{
    struct iris_hyper *h = NULL;

    if (iris_hyper_defaults(&h, NULL) ||
        iris_hyper_set(h, "writer_hyper.points_per_snapshot", "64", NULL) ||
        iris_hyper_set(h, "coordinate_hyper.theta_zero", "10.0", NULL) ||
        iris_hyper_set(h, "dataset_hyper.CMZ_scale_range", "[0.25, 1.0]", NULL) ||
        iris_hyper_set(h, "observer_hyper.n_lines", "2", NULL) ||
        iris_hyper_set(h, "coordinate_hyper.r_crop_min_index", "100", NULL))
        exit(2);
    iris_hyper_settings(h, s);
    iris_hyper_free(h);
}

static void
test_shapes(void)
{
    struct iris_settings s;
    struct iris_shape shape;
    enum iris_kind kind[2];
    char text[80];

    defaults(&s);
    CHECK(iris_type_kinds(IRIS_STANDARD, kind) == 1 && kind[0] == IRIS_TENSOR, "a tensor");
    CHECK(iris_type_kinds(IRIS_SYNTHETIC, kind) == 2 && kind[0] == IRIS_COLUMN &&
              kind[1] == IRIS_OBSERVED,
          "a pair");
    iris_kind_shape(IRIS_TENSOR, IRIS_STANDARD, &s, &shape);
    CHECK(shape.n == 4 && shape.dim[0] == IRIS_FIELDS &&
              shape.dim[1] == (size_t)s.coordinate.r_steps &&
              shape.dim[3] == (size_t)s.coordinate.lat_steps,
          "tensor %s", iris_shape_text(&shape, text, sizeof text));
    iris_kind_shape(IRIS_COLUMN, IRIS_SIMPLE, &s, &shape);
    CHECK(shape.n == 3 && shape.dim[0] == 1 &&
              shape.dim[1] == (size_t)s.coordinate.r_crop_max - 100 &&
              shape.dim[2] == (size_t)s.coordinate.lon_steps,
          "column %s", iris_shape_text(&shape, text, sizeof text));
    iris_kind_shape(IRIS_OBSERVED, IRIS_SIMPLE, &s, &shape);
    CHECK(shape.n == 3 && shape.dim[0] == 1 && shape.dim[2] == (size_t)s.cube.v_steps,
          "observed %s", iris_shape_text(&shape, text, sizeof text));
    iris_kind_shape(IRIS_OBSERVED, IRIS_SYNTHETIC, &s, &shape);
    CHECK(shape.dim[0] == 2, "one for each line %s", iris_shape_text(&shape, text, sizeof text));
    CHECK(check_near(iris_entry_theta(&s, 3), 26.875, 1e-15), "the angle of point 3 of 64");
}

/* One good row and one failed row. */
static void
rows(struct iris_manifest *m)
{
    static struct iris_settings s;
    struct iris_entry_run run = {&s, IRIS_SIMPLE, 1216, 0, 0, "0123abcd"};
    struct iris_err err = {0};

    defaults(&s);
    if (iris_entry_manifest(m, IRIS_SIMPLE, &err) ||
        iris_entry_add(m, &run, "snap_1", 3, NULL, &err) ||
        iris_entry_add(m, &run, "snap_1", 4, "view reaches the face", &err))
        exit(2);
}

static void
test_entries(void)
{
    struct iris_manifest m;
    struct iris_entry e;
    struct iris_err err = {0};
    enum iris_type type = IRIS_STANDARD;

    rows(&m);
    CHECK(!iris_entry_get(&m, 0, &e, &err) && !strcmp(e.id, "0123abcd.snap_1.p003") &&
              e.point == 3 && e.type == IRIS_SIMPLE && e.state == IRIS_RAW && e.n_kinds == 2 &&
              !e.hash[0] && !e.message,
          "a row comes apart %s", err.msg);
    CHECK(!strcmp(e.path[0], "entries/0123abcd/raw/snap_1/p003.columnized.npy") &&
              !strcmp(e.path[1], "entries/0123abcd/raw/snap_1/p003.observed.npy"),
          "with its paths");
    CHECK(!strcmp(iris_manifest_get(&m, 0, "theta"), "26.875") &&
              iris_manifest_get(&m, 0, "scale") && !iris_manifest_get(&m, 0, "skew") &&
              !strcmp(iris_manifest_get(&m, 0, "seed"), "1216"),
          "and its provenance");
    CHECK(!iris_entry_get(&m, 1, &e, &err) && e.state == IRIS_FAILED && !e.path[0] &&
              !strcmp(e.message, "view reaches the face"),
          "a failed row says why");
    CHECK(!iris_entry_type(&m, &type, &err) && type == IRIS_SIMPLE, "all are of one type");
    iris_manifest_set(&m, 1, "type", "synthetic", &err);
    CHECK(iris_entry_type(&m, &type, &err) == IRIS_E_DATA && strstr(err.msg, "p004"),
          "or one is named");
    CHECK(!iris_entry_fail(&m, 0, "lost", &err) && !iris_entry_get(&m, 0, &e, &err) &&
              e.state == IRIS_FAILED && !e.path[0] && !e.path[1] && !strcmp(e.message, "lost"),
          "a row is marked failed");
    iris_manifest_release(&m);
    iris_manifest_init(&m, "entries", &err);
    CHECK(iris_entry_type(&m, &type, &err) == IRIS_E_DATA, "no entries are of no type");
    iris_manifest_release(&m);
}

static const struct {
    const char *column, *value;
} bad[] = {
    {"id", NULL},
    {"snapshot", NULL},
    {"snapshot", ".."},
    {"snapshot", "a/b"},
    {"snapshot", ""},
    {"digest", NULL},
    {"digest", "0123abc"},
    {"digest", "0123ABCD"},
    {"digest", "../../.."},
    {"point", NULL},
    {"point", "-1"},
    {"point", "4294967296"},
    {"type", NULL},
    {"type", "pair"},
    {"state", NULL},
    {"state", "done"},
    {"column", NULL},
    {"column", ""},
    {"column", "/etc/passwd"},
    {"column", ".."},
    {"column", "../a"},
    {"column", "a/../b"},
    {"column", "a/.."},
    {"column", "a//b"},
    {"column", "a/"},
    {"observed", "/a"},
};

static void
test_bad_entries(void)
{
    static const char *const fine[] = {"a", "a/b", "..a/b..", "a/...", ".iris/x", "./a"};
    struct iris_manifest m;
    struct iris_entry e;
    struct iris_err err;
    size_t i;

    for (i = 0; i < COUNT(bad); i++) {
        err = (struct iris_err){0};
        rows(&m);
        iris_manifest_set(&m, 0, bad[i].column, bad[i].value, &err);
        CHECK(iris_entry_get(&m, 0, &e, &err) == IRIS_E_DATA && strstr(err.msg, bad[i].column) &&
                  (!bad[i].value || strstr(err.msg, bad[i].value)),
              "%s", err.msg);
        iris_manifest_release(&m);
    }
    rows(&m);
    for (i = 0; i < COUNT(fine); i++) {
        iris_manifest_set(&m, 0, "column", fine[i], &err);
        CHECK(!iris_entry_get(&m, 0, &e, &err), "the path %s stays inside", fine[i]);
    }
    iris_manifest_release(&m);
}

int
main(void)
{
    const char *tmp = getenv("TMPDIR");

    snprintf(scratch, sizeof scratch, "%s/iris-dataset-XXXXXX", tmp ? tmp : "/tmp");
    if (!mkdtemp(scratch))
        return 2;
    test_open();
    test_lock();
    test_lock_planted();
    test_settings();
    test_source();
    test_done();
    test_paths();
    test_shapes();
    test_entries();
    test_bad_entries();
    remove_tree(scratch);
    return check_done();
}
