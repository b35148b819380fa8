/* Which entries are for training and which for validation. */
#include "check.h"

#include <stdio.h>
#include <string.h>

#include "split.h"

enum { SNAPSHOTS = 10, POINTS = 7, N = SNAPSHOTS * POINTS };

static char ids[N][32], names[N][16];
static const char *id[N], *name[N];

static void
fill(void)
{
    size_t i;

    for (i = 0; i < N; i++) {
        snprintf(names[i], sizeof names[i], "snap_%03zu", i / POINTS);
        snprintf(ids[i], sizeof ids[i], "0011aabb.%s.p%03zu", names[i], i % POINTS);
        id[i] = ids[i];
        name[i] = names[i];
    }
}

static size_t
count(const unsigned char *part, size_t n)
{
    size_t sum = 0, i;

    for (i = 0; i < n; i++)
        sum += part[i] == IRIS_SPLIT_VALIDATION;
    return sum;
}

static void
test_entries(void)
{
    unsigned char a[N], b[N], c[N];
    const char *backwards[N];
    size_t i, same = 0, kept = 0;

    CHECK(!iris_split_entries(id, N, 0.2, 7, a, NULL) && count(a, N) == 14, "a fifth");
    CHECK(!iris_split_entries(id, N, 0.299, 7, b, NULL) && count(b, N) == 20, "rounded down");
    for (i = 0; i < N; i++)
        kept += a[i] && b[i];
    CHECK(kept == 14, "a larger part has the smaller one in it");
    for (i = 0; i < N; i++)
        backwards[i] = id[N - 1 - i];
    CHECK(!iris_split_entries(backwards, N, 0.2, 7, b, NULL), "in another order");
    for (i = 0; i < N; i++)
        same += a[i] == b[N - 1 - i];
    CHECK(same == N, "the same ones are drawn");
    CHECK(!iris_split_entries(id, N, 0.2, 8, c, NULL) && memcmp(a, c, N), "another seed, others");
    CHECK(!iris_split_entries(id, N, 0, 7, a, NULL) && count(a, N) == 0, "none");
    CHECK(!iris_split_entries(id, N, 1, 7, a, NULL) && count(a, N) == N, "all");
}

static void
test_snapshots(void)
{
    unsigned char a[N], b[N];
    size_t i, broken = 0;

    CHECK(!iris_split_snapshots(name, N, 0.2, 7, a, NULL) && count(a, N) == 2 * POINTS,
          "two of ten");
    for (i = 1; i < N; i++)
        broken += i % POINTS && a[i] != a[i - 1];
    CHECK(broken == 0, "snapshots stay whole");
    CHECK(!iris_split_snapshots(name, N, 0.24, 7, b, NULL) && !memcmp(a, b, N), "the nearest");
    CHECK(!iris_split_snapshots(name, N, 0.01, 7, b, NULL) && count(b, N) == POINTS,
          "at least one");
    CHECK(!iris_split_snapshots(name, N, 1, 7, b, NULL) && count(b, N) == N - POINTS,
          "but never all");
    CHECK(!iris_split_snapshots(name, N, 0, 7, b, NULL) && count(b, N) == 0,
          "none where none is wanted");
    CHECK(!iris_split_snapshots(name, POINTS, 0.2, 7, b, NULL) && count(b, POINTS) == 0,
          "a single one is for training");
    CHECK(!iris_split_snapshots(name, 2 * POINTS, 0.2, 7, b, NULL) &&
              count(b, 2 * POINTS) == POINTS,
          "of two there is one for each");
}

static void
test_rows(void)
{
    const char *text = "##iris-manifest 1 entries\n#id\tsnapshot\n"
                       "a.s1.p000\ts1\na.s2.p000\ts2\na.s3.p000\t.\n";
    struct iris_err err = {0};
    struct iris_manifest m;
    unsigned char part[3];

    CHECK(!iris_manifest_parse(text, strlen(text), "text", "entries", &m, &err), "a manifest");
    CHECK(!iris_split_rows(&m, "id", 0.4, 1, part, &err) && count(part, 3) == 1, "by its ids");
    CHECK(iris_split_rows(&m, "snapshot", 0.4, 1, part, &err) == IRIS_E_DATA &&
              !strcmp(err.msg, "row 2 of the manifest has no snapshot"),
          "a row without a snapshot: %s", err.msg);
    iris_manifest_release(&m);
}

int
main(void)
{
    fill();
    test_entries();
    test_snapshots();
    test_rows();
    return check_done();
}
