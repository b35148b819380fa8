/* What the entries of a data set are. */
#include "check.h"

#include <sys/stat.h>
#include <unistd.h>

#include "catalog.h"
#include "file.h"

static char scratch[512], data[600];

/* A path in the data set. */
static const char *
in(const char *name)
{
    static char path[1200];

    snprintf(path, sizeof path, "%s/%s", data, name);
    return path;
}

static void
must(int ok)
{
    if (!ok)
        exit(2);
}

static void
put(const char *name, const char *text)
{
    must(!iris_write_file(in(name), text, strlen(text), NULL));
}

/* A data set with this index, or what else is in attributes.json. */
static enum iris_status
read_published(const char *attributes, struct iris_catalog *c, struct iris_err *err)
{
    put("attributes.json", attributes);
    return iris_catalog_read(data, c, err);
}

static void
test_index(void)
{
    struct iris_catalog c;
    struct iris_err err = {0};
    size_t i = 0;

    CHECK(!read_published("{\"index\": [[\"entries/d/iris-u/s_1/p002.columnized.npy\","
                          " \"entries/d/iris-u/s_1/p002.observed.npy\"],"
                          " \"train/x7.npy\", \"bare\", \"entries/odd\"]}",
                          &c, &err) &&
              c.n == 4,
          "pairs and single paths");
    CHECK(!strcmp(c.entry[0].id, "d.s_1.p002") && c.entry[0].kind[0] == IRIS_COLUMN &&
              c.entry[0].kind[1] == IRIS_OBSERVED &&
              !strcmp(c.entry[0].path[1], "entries/d/iris-u/s_1/p002.observed.npy"),
          "a pair of ours");
    CHECK(!strcmp(c.entry[1].id, "train/x7") && c.entry[1].kind[0] == IRIS_TENSOR &&
              !c.entry[1].path[1] && !strcmp(c.entry[1].path[0], "train/x7.npy"),
          "a tensor of the reference is its path");
    CHECK(!strcmp(c.entry[2].id, "bare") && !strcmp(c.entry[3].id, "entries/odd"),
          "whatever that is");
    CHECK(!iris_catalog_find(&c, "bare", &i, &err) && i == 2 &&
              !iris_catalog_find(&c, "1", &i, &err) && i == 1,
          "found by id and by number");
    CHECK(iris_catalog_find(&c, "4", &i, &err) == IRIS_E_DATA && i == 1 &&
              strstr(err.msg, "the numbers 0 to 3, the first is 'd.s_1.p002'"),
          "%s", err.msg);
    iris_catalog_release(&c);
    iris_catalog_release(&c);
}

static void
test_bad_index(void)
{
    static const char *const bad[] = {"{\"index\": [7]}",
                                      "{\"index\": [[\"a\"]]}",
                                      "{\"index\": [[\"a\", 7]]}",
                                      "{\"index\": [\"../a\"]}",
                                      "{\"index\": [[\"a\", \"/b\"]]}",
                                      "{\"index\": [\"\"]}",
                                      "{\"index\": [\"a/../../b\"]}"};
    static const char *const none[] = {"{}", "{\"index\": null}", "{\"index\": {}}", "[]"};
    struct iris_catalog c;
    struct iris_err err = {0};
    size_t i;

    for (i = 0; i < sizeof bad / sizeof *bad; i++)
        CHECK(read_published(bad[i], &c, &err) == IRIS_E_DATA && !c.n &&
                  strstr(err.msg, "entry 0 of the index is not one or two paths inside"),
              "%s", bad[i]);
    for (i = 0; i < sizeof none / sizeof *none; i++)
        CHECK(read_published(none[i], &c, &err) == IRIS_E_DATA && !c.n &&
                  strstr(err.msg, "attributes.json' has no index"),
              "no index: %s", none[i]);
    CHECK(read_published("{\"index\": []}", &c, &err) == IRIS_E_DATA &&
              strstr(err.msg, "has no entries yet"),
          "an empty one");
    must(!unlink(in("attributes.json")));
}

static void
test_directories(void)
{
    struct iris_catalog c;
    struct iris_err err = {0};

    CHECK(iris_catalog_read(data, &c, &err) == IRIS_E_DATA &&
              strstr(err.msg, "is not a data set, or has no entries yet"),
          "a directory of nothing");
    CHECK(iris_catalog_read(in("missing"), &c, &err) == IRIS_E_IO &&
              strstr(err.msg, "cannot open data set"),
          "no directory");
    must(!iris_mkdirs(in("entries/d/raw/s_10"), NULL) &&
         !iris_mkdirs(in("entries/d/raw/s_9"), NULL) &&
         !iris_mkdirs(in("entries/e/iris-u/s_1"), NULL) &&
         !iris_mkdirs(in("entries/e/other/s_1"), NULL));
    put("entries/d/raw/s_10/p000.tensor.npy", "");
    put("entries/d/raw/s_9/p001.columnized.npy", "");
    put("entries/d/raw/s_9/p001.observed.npy", "");
    put("entries/d/raw/s_9/p002.columnized.npy", "");
    put("entries/d/raw/s_9/.p003.tensor.npy", "");
    put("entries/d/raw/s_9/notes", "");
    put("entries/d/settings.json", "");
    put("entries/e/iris-u/s_1/p000.tensor.npy", "");
    put("entries/e/other/s_1/p000.tensor.npy", "");
    put("entries/file", "");
    CHECK(!iris_catalog_read(data, &c, &err) && c.n == 3, "points that are complete");
    CHECK(c.n == 3 && !strcmp(c.entry[0].id, "d.s_9.p001") &&
              !strcmp(c.entry[1].id, "d.s_10.p000") && !strcmp(c.entry[2].id, "e.s_1.p000") &&
              c.entry[0].path[1] && !c.entry[1].path[1],
          "in their natural order, raw or in units");
    iris_catalog_release(&c);
}

int
main(void)
{
    const char *tmp = getenv("TMPDIR");
    char command[600];

    snprintf(scratch, sizeof scratch, "%s/iris-catalog-XXXXXX", tmp ? tmp : "/tmp");
    must(mkdtemp(scratch) != NULL);
    snprintf(data, sizeof data, "%s/data", scratch);
    must(!mkdir(data, 0777));
    test_index();
    test_bad_index();
    test_directories();
    snprintf(command, sizeof command, "rm -rf '%s'", scratch);
    must(!system(command));
    return check_done();
}
