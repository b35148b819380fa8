/* Which points are there, which are to be made and in which order, and which are
 * doubtful or set aside. */
#include "check.h"

#include <sys/stat.h>

#include "dataset.h"
#include "file.h"
#include "flight.h"
#include "hyper.h"
#include "manifest.h"
#include "plan.h"

enum { POINTS = 4, BYTES = 1000 };

static char scratch[512];

static void
must(int ok)
{
    if (!ok) {
        printf("Bail out! the test cannot be set up\n");
        exit(2);
    }
}

/* A data set, the rows of snapshots, and who is suspected. */
struct world {
    struct iris_hyper *hyper;
    struct iris_variant_law law;
    struct iris_dataset dataset;
    struct iris_manifest rows;
    struct iris_plan plan;
    struct iris_suspect suspect[8]; /* sorted */
    struct iris_suspects suspects;
};

static void
begin(struct world *w)
{
    static const char *const window[][2] = {{"r_min", "8052.0"}, {"r_max", "8502.0"},
                                            {"lon_min", "-1.5"}, {"lon_max", "1.5"},
                                            {"lat_min", "-0.4"}, {"lat_max", "0.4"}};
    static int n;
    char root[600], points[20], key[40];
    size_t i;

    *w = (struct world){.dataset = IRIS_DATASET_INIT};
    w->suspects.suspect = w->suspect;
    snprintf(root, sizeof root, "%s/data%d", scratch, n++);
    snprintf(points, sizeof points, "%d", POINTS);
    must(!iris_dataset_open(&w->dataset, root, IRIS_DATASET_CREATE, NULL));
    must(!iris_hyper_defaults(&w->hyper, NULL));
    must(!iris_hyper_set(w->hyper, "writer_hyper.points_per_snapshot", points, NULL));
    for (i = 0; i < sizeof window / sizeof window[0]; i++) {
        snprintf(key, sizeof key, "coordinate_hyper.%s", window[i][0]);
        must(!iris_hyper_set(w->hyper, key, window[i][1], NULL));
    }
    w->law = (struct iris_variant_law){.hyper = w->hyper, .type = IRIS_STANDARD};
    must(!iris_plan_init(&w->plan, &w->law, &w->dataset, NULL));
    w->plan.suspects = &w->suspects;
    must(!iris_manifest_init(&w->rows, "snapshots", NULL));
}

static void
end(struct world *w)
{
    size_t i;

    iris_plan_release(&w->plan);
    iris_plan_release(&w->plan);
    iris_manifest_release(&w->rows);
    iris_dataset_close(&w->dataset);
    iris_hyper_free(w->hyper);
    for (i = 0; i < w->suspects.n; i++)
        free(w->suspect[i].name);
}

/* A row; name and value of a change, or NULL. */
static enum iris_status
add_with(struct world *w, const char *id, const char *name, const char *value, struct iris_err *err)
{
    static const char *const column[] = {"snapshot", "path", "files", "bytes"};
    char path[100], bytes[20];
    size_t row, index, k;

    for (k = 0; k < 4; k++)
        must(!iris_manifest_column(&w->rows, column[k], "str", &index, NULL));
    if (name)
        must(!iris_manifest_column(&w->rows, name, "str", &index, NULL));
    snprintf(path, sizeof path, "snaps/%s.hdf5", id);
    snprintf(bytes, sizeof bytes, "%d", BYTES);
    must(!iris_manifest_add_row(&w->rows, &row, NULL));
    must(!iris_manifest_set(&w->rows, row, "snapshot", id, NULL) &&
         !iris_manifest_set(&w->rows, row, "path", path, NULL) &&
         !iris_manifest_set(&w->rows, row, "files", "1", NULL) &&
         !iris_manifest_set(&w->rows, row, "bytes", bytes, NULL));
    if (name)
        must(!iris_manifest_set(&w->rows, row, name, value, NULL));
    return iris_plan_add(&w->plan, &w->rows, row, err);
}

static void
add(struct world *w, const char *id)
{
    must(!add_with(w, id, NULL, NULL, NULL));
}

static const char *
digest_of(const struct world *w)
{
    return w->plan.variants.variant[0]->digest;
}

/* So many runs have died of a point, or of the loading of a snapshot. Sorted: first
 * a snapshot, then its points. */
static void
suspect(struct world *w, const char *id, uint32_t point, unsigned deaths)
{
    must(w->suspects.n < 8);
    w->suspect[w->suspects.n] = (struct iris_suspect){iris_plan_name(digest_of(w), id, point),
                                                      deaths};
    must(w->suspect[w->suspects.n++].name != NULL);
}

/* The data set has that point, made from a snapshot of so many bytes. */
static void
make(const struct world *w, const char *id, uint32_t point, uint64_t bytes)
{
    struct iris_source source = {bytes, "0123456789abcdef0123456789abcdef"};
    char path[900];

    must(!iris_dataset_claim(&w->dataset, digest_of(w), id, &source, NULL));
    snprintf(path, sizeof path, "%s/entries/%s/raw/%s/p%03u.tensor.npy", w->dataset.root,
             digest_of(w), id, (unsigned)point);
    must(!iris_write_file(path, "x", 1, NULL));
}

/* All that can be taken, in order: snapshot.point, v for a comparison, ? behind a
 * doubtful one. Nothing ends. */
static const char *
take_all(struct world *w, int doubtful, struct iris_task *last)
{
    static char text[400];
    struct iris_task t;
    size_t i, n = 0;

    text[0] = '\0';
    for (i = 0; i < w->plan.n; i++) {
        while (iris_plan_take(&w->plan, i, doubtful, &t)) {
            if (t.point == IRIS_PLAN_VERIFY)
                n += (size_t)snprintf(text + n, sizeof text - n, "%zu.v ", t.snapshot);
            else
                n += (size_t)snprintf(text + n, sizeof text - n, "%zu.%u%s ", t.snapshot,
                                      (unsigned)t.point, doubtful ? "?" : "");
            if (last)
                *last = t;
        }
    }
    return text;
}

static int
finish(struct world *w, size_t snapshot, uint32_t point, const char *message)
{
    struct iris_task t = {snapshot, point};

    return !iris_plan_end(&w->plan, &t, message, 0, 0, NULL);
}

/* The counters of the plan are those of its snapshots. */
static int
adds_up(const struct iris_plan *p)
{
    uint64_t left = 0, total = 0, failed = 0;
    size_t i;
    uint32_t k;

    for (i = 0; i < p->n; i++) {
        const struct iris_plan_snapshot *s = &p->snapshot[i];

        left += s->left;
        total += s->points;
        for (k = 0; k < s->points; k++)
            failed += s->message[k] != NULL;
        if (i < p->first && (iris_plan_has(p, i, 0) || s->doubtful))
            return 0;
    }
    return left == p->left && total == p->total && failed == p->failed && p->done <= p->total;
}

/* ---- */

static void
test_order(void)
{
    struct world w;
    struct iris_plan *p = &w.plan;

    begin(&w);
    make(&w, "snap_002", 1, BYTES);
    make(&w, "snap_003", 0, BYTES);
    add(&w, "snap_001");
    add(&w, "snap_002");
    CHECK(p->n == 2 && p->total == 8 && p->done == 1 && p->skipped == 1 && p->left == 7,
          "what is there is done");
    CHECK(p->snapshot[0].left == 4 && p->snapshot[1].left == 3 && p->snapshot[1].there == 1 &&
              p->snapshot[1].todo == 3,
          "of its snapshot");
    CHECK(p->first == 0 && iris_plan_has(p, 0, 0) && !iris_plan_has(p, 0, 1), "none is doubtful");
    CHECK(!strcmp(take_all(&w, 1, NULL), ""), "so none is taken as such");
    CHECK(!strcmp(take_all(&w, 0, NULL), "0.0 0.1 0.2 0.3 1.0 1.2 1.3 "), "in order");
    CHECK(p->left == 0 && !iris_plan_has(p, 0, 0) && p->first == 2 && adds_up(p), "all are taken");
    CHECK(!iris_plan_is_over(p, 0) && p->done == 1, "and none is done");
    add(&w, "snap_003");
    CHECK(p->first == 2 && p->left == 3 && iris_plan_has(p, 2, 0), "a row may come later");
    CHECK(finish(&w, 0, 0, NULL) && finish(&w, 0, 1, NULL) && finish(&w, 0, 3, "no") &&
              p->done == 5 && p->failed == 1 && !iris_plan_is_over(p, 0),
          "three of four");
    CHECK(iris_plan_is_there(p, 0, 1) && !iris_plan_is_there(p, 0, 2) &&
              !iris_plan_is_there(p, 0, 3) && iris_plan_is_there(p, 1, 1) &&
              !iris_plan_is_there(p, 1, 0) && !iris_plan_is_there(p, 1, IRIS_PLAN_VERIFY),
          "which are there");
    CHECK(finish(&w, 0, 2, NULL) && iris_plan_is_over(p, 0) &&
              !iris_plan_is_there(p, 0, IRIS_PLAN_VERIFY) && adds_up(p),
          "and the last one");
    end(&w);
}

static void
test_doubtful(void)
{
    struct world w;
    struct iris_plan *p = &w.plan;
    struct iris_task t;

    begin(&w);
    suspect(&w, "snap_001", 1, 1);
    suspect(&w, "snap_001", 2, 1);
    suspect(&w, "snap_002", 0, 1);
    suspect(&w, "snap_003", 0, 1);
    make(&w, "snap_003", 0, BYTES);
    add(&w, "snap_001");
    add(&w, "snap_002");
    add(&w, "snap_003");
    CHECK(p->snapshot[0].doubtful == 2 && p->snapshot[1].doubtful == 1 &&
              p->snapshot[2].doubtful == 0,
          "points of which runs died are doubtful, but for those that are there");
    CHECK(p->left == 2 + 3 + 3 && p->failed == 0 && p->snapshot[0].todo == 4 && adds_up(p),
          "and not counted with the others");
    CHECK(!strcmp(take_all(&w, 0, NULL), "0.0 0.3 1.1 1.2 1.3 2.1 2.2 2.3 "), "they are left out");
    CHECK(p->first == 0 && p->left == 0 && iris_plan_has(p, 0, 1) && iris_plan_has(p, 1, 1) &&
              !iris_plan_has(p, 2, 1) && !iris_plan_has(p, 0, 0),
          "and remain");
    CHECK(!strcmp(take_all(&w, 1, &t), "0.1? "), "one is taken at a time");
    CHECK(!iris_plan_has(p, 0, 1) && !iris_plan_has(p, 1, 1), "wherever");
    CHECK(finish(&w, 0, 0, NULL) && !iris_plan_has(p, 1, 1), "until it is that which has ended");
    CHECK(finish(&w, 0, 1, NULL) && iris_plan_has(p, 0, 1) && iris_plan_has(p, 1, 1),
          "then there is another");
    CHECK(iris_plan_take(p, 1, 1, &t) && t.snapshot == 1 && t.point == 0 && p->first == 0,
          "of any snapshot");
    CHECK(finish(&w, 1, 0, "no") && p->failed == 1 && iris_plan_has(p, 0, 1),
          "one that fails has ended, too");
    CHECK(!strcmp(take_all(&w, 1, &t), "0.2? ") && p->first == 3, "the last");
    CHECK(!iris_plan_is_over(p, 0) && finish(&w, 0, 2, NULL) && finish(&w, 0, 3, NULL) &&
              iris_plan_is_over(p, 0) && adds_up(p),
          "over");
    end(&w);
}

static void
test_suspect_snapshot(void)
{
    struct world w;
    struct iris_plan *p = &w.plan;
    struct iris_task t;

    begin(&w);
    suspect(&w, "snap_001", IRIS_PLAN_VERIFY, 1);
    suspect(&w, "snap_001", 2, 1);
    make(&w, "snap_001", 3, BYTES);
    add(&w, "snap_001");
    add(&w, "snap_002");
    CHECK(p->snapshot[0].suspect && p->snapshot[0].doubtful == 3 && p->snapshot[0].left == 0 &&
              p->left == 4,
          "all points of a suspected snapshot are doubtful");
    CHECK(!iris_plan_has(p, 0, 0) && iris_plan_has(p, 0, 1), "it has nothing else");
    CHECK(!strcmp(take_all(&w, 0, NULL), "1.0 1.1 1.2 1.3 ") && p->first == 0, "so it waits");
    CHECK(!strcmp(take_all(&w, 1, &t), "0.0? "), "one is tried");
    CHECK(!iris_plan_acquit(p, 0, NULL) && !p->snapshot[0].suspect, "that was loaded");
    CHECK(p->left == 1 && p->snapshot[0].left == 1 && p->snapshot[0].doubtful == 1 && adds_up(p),
          "now but one is doubtful, for itself");
    CHECK(!strcmp(take_all(&w, 0, NULL), "0.1 ") && !iris_plan_has(p, 0, 1), "and must wait");
    CHECK(finish(&w, 0, 0, NULL) && !strcmp(take_all(&w, 1, &t), "0.2? "), "for its turn");
    CHECK(!iris_plan_acquit(p, 0, NULL) && !iris_plan_acquit(p, 1, NULL) && p->left == 0,
          "who is not suspected is not acquitted of anything");
    end(&w);

    /* the others are over, and it has points again */
    begin(&w);
    suspect(&w, "snap_001", IRIS_PLAN_VERIFY, 1);
    add(&w, "snap_001");
    add(&w, "snap_002");
    take_all(&w, 0, NULL);
    CHECK(!strcmp(take_all(&w, 1, &t), "0.0? ") && finish(&w, 0, 0, NULL), "one is tried");
    CHECK(!iris_plan_acquit(p, 0, NULL) && p->first == 0 && adds_up(p), "the first is it again");
    CHECK(!strcmp(take_all(&w, 0, NULL), "0.1 0.2 0.3 ") && p->first == 2, "with the rest");
    end(&w);

    /* its loading fails, which kills nobody */
    begin(&w);
    suspect(&w, "snap_001", IRIS_PLAN_VERIFY, 1);
    add(&w, "snap_001");
    CHECK(iris_plan_take(p, 0, 1, &t) && !iris_plan_acquit(p, 0, NULL) &&
              !iris_plan_end(p, &t, "no", 1, 0, NULL) && p->failed == 4 && p->left == 0 &&
              !p->snapshot[0].doubtful && iris_plan_is_over(p, 0) && adds_up(p),
          "a failure that all points share");
    end(&w);
}

static void
test_set_aside(void)
{
    static const char point[] =
        "set aside: it was in hand when 2 runs died; --retry-failed tries it again";
    static const char loading[] = "set aside: its snapshot was being loaded when 7 runs died; "
                                  "--retry-failed tries it again";
    struct world w;
    struct iris_plan *p = &w.plan;

    begin(&w);
    suspect(&w, "snap_001", 0, IRIS_PLAN_DEATHS - 1);
    suspect(&w, "snap_001", 1, IRIS_PLAN_DEATHS);
    suspect(&w, "snap_001", 2, IRIS_PLAN_DEATHS + 1);
    suspect(&w, "snap_001", 3, IRIS_PLAN_DEATHS);
    suspect(&w, "snap_002", IRIS_PLAN_VERIFY, 7);
    suspect(&w, "snap_003", IRIS_PLAN_VERIFY, 7);
    suspect(&w, "snap_004", IRIS_PLAN_VERIFY, 7);
    make(&w, "snap_001", 3, BYTES);
    make(&w, "snap_002", 2, BYTES);
    make(&w, "snap_003", 0, BYTES);
    make(&w, "snap_003", 1, BYTES);
    make(&w, "snap_003", 2, BYTES);
    make(&w, "snap_003", 3, BYTES);
    make(&w, "snap_004", 0, BYTES - 1);
    make(&w, "snap_004", 1, BYTES - 1);
    make(&w, "snap_004", 2, BYTES - 1);
    make(&w, "snap_004", 3, BYTES - 1);
    add(&w, "snap_001");
    CHECK(p->snapshot[0].doubtful == 1 && p->failed == 2 && p->left == 0 && p->done == 3 &&
              adds_up(p),
          "points at the limit have failed");
    CHECK(!strcmp(p->snapshot[0].message[1], point) &&
              strstr(p->snapshot[0].message[2], " 3 runs died") && !p->snapshot[0].message[0] &&
              !p->snapshot[0].message[3],
          "and say why; one that is there has not");
    add(&w, "snap_002");
    CHECK(p->failed == 2 + 3 && !strcmp(p->snapshot[1].message[0], loading) &&
              !p->snapshot[1].message[2] && p->snapshot[1].refused && iris_plan_is_over(p, 1),
          "so have those of a snapshot that cannot be loaded, but for what is there");
    add(&w, "snap_003");
    CHECK(p->failed == 5 && iris_plan_is_there(p, 2, IRIS_PLAN_VERIFY), "where that is all");
    add(&w, "snap_004");
    CHECK(p->failed == 9 && iris_plan_is_over(p, 3) && !iris_plan_has(p, 3, 0) && adds_up(p),
          "when it would have to be compared nothing is known to be right");
    CHECK(!strcmp(take_all(&w, 0, NULL), "") && !strcmp(take_all(&w, 1, NULL), "0.0? "),
          "there is one to try");
    end(&w);
}

static void
test_compare(void)
{
    struct world w;
    struct iris_plan *p = &w.plan;
    struct iris_task t;
    uint32_t k;

    begin(&w);
    suspect(&w, "snap_001", IRIS_PLAN_VERIFY, 1);
    for (k = 0; k < POINTS; k++)
        make(&w, "snap_001", k, BYTES + 1);
    add(&w, "snap_001");
    CHECK(p->left == 0 && p->done == 4 && iris_plan_has(p, 0, 0) && !iris_plan_has(p, 0, 1) &&
              !iris_plan_is_there(p, 0, IRIS_PLAN_VERIFY),
          "a snapshot of another size is compared");
    CHECK(!strcmp(take_all(&w, 0, &t), "0.v ") && t.point == IRIS_PLAN_VERIFY &&
              !iris_plan_has(p, 0, 0) && !iris_plan_is_over(p, 0),
          "once");
    CHECK(!iris_plan_acquit(p, 0, NULL) && p->left == 0 && finish(&w, 0, IRIS_PLAN_VERIFY, NULL) &&
              iris_plan_is_over(p, 0) && iris_plan_is_there(p, 0, IRIS_PLAN_VERIFY) &&
              p->done == 4 && p->skipped == 4,
          "it is the same");
    CHECK(!iris_plan_end(p, &t, "another", 0, 1, NULL) && p->failed == 4 && p->skipped == 0 &&
              p->done == 4 && adds_up(p),
          "or another: all points fail");
    end(&w);
}

static void
test_equal_rows(void)
{
    static const char key[] = "set:suite_hyper.periodic";
    struct iris_err err = {0};
    struct world w;
    struct iris_plan *p = &w.plan;

    begin(&w);
    add(&w, "snap_001");
    CHECK(add_with(&w, "snap_001", NULL, NULL, &err) == IRIS_E_DATA &&
              !strcmp(err.msg, "the manifest has snapshot 'snap_001' twice"),
          "a snapshot twice: %s", err.msg);
    CHECK(p->n == 1 && p->total == 4 && p->left == 4 && adds_up(p), "is not taken");
    must(CHECK(!add_with(&w, "snap_001", key, "true", &err) && p->n == 2 && p->total == 8,
               "with other settings it is another one"));
    CHECK(strcmp(iris_plan_variant(p, &p->snapshot[0])->digest,
                 iris_plan_variant(p, &p->snapshot[1])->digest) != 0,
          "of another digest");
    CHECK(add_with(&w, "snap_001", key, "false", &err) == IRIS_E_DATA && p->n == 2 &&
              strstr(err.msg, "twice with settings that are the same"),
          "with a change that changes nothing it is not: %s", err.msg);
    CHECK(add_with(&w, "snap_002", key, "7", &err) == IRIS_E_DATA && p->n == 2 && adds_up(p),
          "a bad change: %s", err.msg);
    CHECK(add_with(&w, "../snap_002", NULL, NULL, &err) == IRIS_E_DATA && p->n == 2,
          "a bad name: %s", err.msg);
    end(&w);
}

static int
same(const char *a, const char *b)
{
    return a && b ? !strcmp(a, b) : !a && !b;
}

/* Fields of changes are those of the row of the snapshot. */
static void
test_entries(void)
{
    static const char box[] = "set:suite_hyper.periodic",
                      theta[] = "set:coordinate_hyper.theta_zero";
    static const char *const id[] = {"snap_002", "snap_001", "snap_002", "snap_002"};
    static const char *const change[][2] = {
        {NULL, NULL}, {box, "true"}, {box, "true"}, {theta, "10.5"}};
    struct iris_manifest m = {0};
    struct world w;
    struct iris_plan *p = &w.plan;
    size_t i, k, right = 0;

    begin(&w);
    for (k = 0; k < 4; k++)
        must(!add_with(&w, id[k], change[k][0], change[k][1], NULL));
    make(&w, "snap_003", 2, BYTES);
    add(&w, "snap_003");
    take_all(&w, 0, NULL);
    for (k = 0; k < 4; k++)
        must(finish(&w, k, 0, NULL) && finish(&w, k, 1, "no"));
    CHECK(!iris_plan_entries(p, &m, NULL) && m.n_rows == 4 * 2 + 1,
          "points that are there, made or failed have rows, those in hand have none");
    for (i = 0; i < m.n_rows; i++) {
        const char *digest = iris_manifest_get(&m, i, "digest");

        for (k = 0; k < 4; k++) {
            if (strcmp(id[k], iris_manifest_get(&m, i, "snapshot")) ||
                strcmp(iris_plan_variant(p, &p->snapshot[k])->digest, digest))
                continue;
            right += same(iris_manifest_get(&m, i, box), k == 1 || k == 2 ? "true" : NULL) &&
                     same(iris_manifest_get(&m, i, theta), k == 3 ? "10.5" : NULL) &&
                     same(iris_manifest_get(&m, i, "message"),
                          same(iris_manifest_get(&m, i, "point"), "1") ? "no" : NULL);
        }
    }
    CHECK(right == 8, "each with the changes of its snapshot: %zu", right);
    CHECK(same(iris_manifest_get(&m, 0, "snapshot"), "snap_001") &&
              same(iris_manifest_get(&m, 8, "snapshot"), "snap_003") &&
              same(iris_manifest_get(&m, 8, "point"), "2") && !iris_manifest_get(&m, 8, box),
          "sorted");
    iris_manifest_release(&m);
    end(&w);
}

/* Changes that are none. */
static void
test_bad_changes(void)
{
    struct iris_variant *v = NULL;
    struct iris_err err = {0};
    struct world w;

    begin(&w);
    CHECK(iris_variant_new(&v, &w.law, "suite_hyper.periodic\n", &err) == IRIS_E_BUG && !v &&
              strstr(err.msg, "changes no setting"),
          "a change without a value");
    CHECK(iris_variant_new(&v, &w.law, "suite_hyper.perodic=true\n", &err) == IRIS_E_DATA && !v &&
              strstr(err.msg, "suite_hyper.perodic"),
          "of a key that is not known");
    CHECK(iris_variant_new(&v, &w.law, "suite_hyper.periodic=7\n", &err) == IRIS_E_DATA &&
              err.status == IRIS_E_DATA && !v,
          "to a value that it does not take");
    CHECK(add_with(&w, "s_1", "set:suite_hyper.periodic", "tr\nue", &err) == IRIS_E_DATA &&
              strstr(err.msg, "'set:suite_hyper.periodic' has a value of several lines"),
          "to one of two lines");
    end(&w);
}

int
main(void)
{
    const char *tmp = getenv("TMPDIR");
    char command[600];

    snprintf(scratch, sizeof scratch, "%s/iris-plan-XXXXXX", tmp ? tmp : "/tmp");
    if (!mkdtemp(scratch))
        return 2;
    test_order();
    test_doubtful();
    test_suspect_snapshot();
    test_set_aside();
    test_compare();
    test_equal_rows();
    test_entries();
    test_bad_changes();
    snprintf(command, sizeof command, "rm -rf '%s'", scratch);
    if (system(command))
        return 2;
    return check_done();
}
