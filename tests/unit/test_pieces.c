/* Files that come in pieces: what a later run keeps, and what it does not. */
#include "check.h"

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include "pieces.h"

enum { SIZE = 5 * (int)IRIS_PIECE / 2 + 7, PIECES = 3 };

static char target[600], tmp[620];
static unsigned char data[SIZE];
static const struct iris_place_file source = {IRIS_PLACE_FILE, SIZE, 1000000000};

struct run {
    struct iris_outfile out;
    struct iris_pieces p;
    uint64_t lost;
    enum iris_status st;
};

static struct run
begin(const char *name, const struct iris_place_file *file, int noted)
{
    struct run r = {.out = IRIS_OUTFILE_INIT, .lost = 99};

    r.st = iris_outfile_resume(&r.out, target, NULL);
    if (!r.st)
        r.st = iris_pieces_open(&r.p, &r.out, name, file, noted, &r.lost, NULL);
    return r;
}

/* struct run moves when it is returned, out with it */
static void
settle(struct run *r)
{
    r->p.out = &r->out;
}

static void
put(struct run *r, size_t k)
{
    if (iris_pieces_put(&r->p, k, data + k * IRIS_PIECE, NULL))
        exit(2);
}

static void
leave(struct run *r)
{
    iris_pieces_release(&r->p);
    iris_outfile_leave(&r->out);
}

static void
damage(off_t at)
{
    int fd = open(tmp, O_RDWR);
    unsigned char c = 0;

    if (fd < 0 || pread(fd, &c, 1, at) != 1 || (c ^= 0x55, pwrite(fd, &c, 1, at) != 1))
        exit(2);
    close(fd);
}

/* What a run that begins now finds: a digit for each piece. */
static const char *
found(uint64_t *lost)
{
    static char text[PIECES + 1];
    struct run r = begin("far:/a", &source, 1);
    size_t k;

    settle(&r);
    for (k = 0; k < PIECES; k++)
        text[k] = !r.st && r.p.hash[k][0] ? '1' : '0';
    *lost = r.lost;
    leave(&r);
    return text;
}

static void
test_resume(void)
{
    struct run r = begin("far:/a", &source, 1);
    uint64_t lost;
    struct stat sb;

    settle(&r);
    CHECK(!r.st && r.p.n == PIECES && r.lost == 0, "a new file has no pieces");
    CHECK(iris_pieces_next(&r.p, 0) == 0 && iris_pieces_size(&r.p, 0) == IRIS_PIECE &&
              iris_pieces_size(&r.p, 2) == IRIS_PIECE / 2 + 7,
          "their sizes");
    CHECK(!stat(tmp, &sb) && (uint64_t)sb.st_size == SIZE + iris_pieces_notes(SIZE),
          "all its room is taken at once");
    put(&r, 0);
    put(&r, 2);
    CHECK(iris_pieces_next(&r.p, 0) == 1 && iris_pieces_next(&r.p, 2) == 3, "the next ones");
    leave(&r);
    CHECK(!strcmp(found(&lost), "101") && lost == 0, "the next run has what came");
    damage(100);
    CHECK(!strcmp(found(&lost), "001") && lost == IRIS_PIECE, "but not what was damaged");
    CHECK(!strcmp(found(&lost), "001") && lost == 0, "which is told once");
    damage(SIZE - 1);
    CHECK(!strcmp(found(&lost), "000") && lost == IRIS_PIECE / 2 + 7, "the last byte, too");
}

static void
test_other_source(void)
{
    struct iris_place_file other = source;
    struct run r = begin("far:/a", &source, 1);
    uint64_t lost;

    settle(&r);
    put(&r, 1);
    leave(&r);
    CHECK(!strcmp(found(&lost), "010"), "one piece of it");
    other.mtime++;
    r = begin("far:/a", &other, 1);
    settle(&r);
    CHECK(!r.st && iris_pieces_next(&r.p, 1) == 1, "another time: another file");
    put(&r, 1);
    leave(&r);
    r = begin("near:/a", &other, 1);
    settle(&r);
    CHECK(!r.st && iris_pieces_next(&r.p, 1) == 1, "another machine: another file");
    leave(&r);
    other.bytes--;
    r = begin("near:/a", &other, 1);
    settle(&r);
    CHECK(!r.st && iris_pieces_next(&r.p, 1) == 1, "another size: another file");
    leave(&r);
}

/* Whatever has become of the notes: nothing is kept that is not right. */
static void
test_notes(void)
{
    uint64_t lost;
    struct run r;
    int k;

    for (k = 0; k < 4; k++) {
        r = begin("far:/a", &source, 1);
        settle(&r);
        put(&r, 0);
        put(&r, 1);
        leave(&r);
        if (k == 0) {
            damage(SIZE + 3);
            CHECK(!strcmp(found(&lost), "000"), "a head that is wrong");
        } else if (k == 1) {
            damage(SIZE + IRIS_PIECES_HEAD + IRIS_PIECES_HASH + 5);
            CHECK(!strcmp(found(&lost), "100"), "a hash that is wrong");
        } else if (k == 2) {
            CHECK(!truncate(tmp, SIZE + 10) && !strcmp(found(&lost), "000"), "cut off");
        } else {
            CHECK(!truncate(tmp, SIZE + 4000) && !strcmp(found(&lost), "000"), "drawn out");
        }
    }
    CHECK(!truncate(tmp, 0) && !strcmp(found(&lost), "000"), "empty");
}

static int
add(void *self, const void *bytes, size_t n)
{
    size_t *sum = self;

    *sum += n;
    CHECK(!memcmp(bytes, data + *sum - n, n), "bytes are read back in their order");
    return 1;
}

static int
add_one(void *self, const void *bytes, size_t n)
{
    return !add(self, bytes, n);
}

static void
test_finish(void)
{
    struct run r = begin("far:/a", &source, 1);
    uint64_t lost = 1;
    struct stat sb;
    size_t sum = 0;

    settle(&r);
    put(&r, 1);
    put(&r, 0);
    put(&r, 2);
    CHECK(iris_pieces_next(&r.p, 0) == 3, "all are there");
    CHECK(!iris_pieces_check(&r.p, add, &sum, &lost, NULL) && lost == 0 && sum == SIZE,
          "and right");
    sum = 0;
    CHECK(iris_pieces_check(&r.p, add_one, &sum, &lost, NULL) == IRIS_E_RETRY &&
              sum == IRIS_PIECE && iris_pieces_next(&r.p, 0) == 3,
          "reading back can be stopped, and nothing is forgotten");
    damage(IRIS_PIECE + 1);
    CHECK(!iris_pieces_check(&r.p, NULL, NULL, &lost, NULL) && lost == IRIS_PIECE &&
              iris_pieces_next(&r.p, 0) == 1,
          "damage is found before the end");
    put(&r, 1);
    CHECK(!iris_pieces_finish(&r.p, NULL) && !iris_outfile_commit(&r.out, NULL), "finish");
    CHECK(!stat(target, &sb) && sb.st_size == SIZE && stat(tmp, &sb), "only the data is left");
    iris_pieces_release(&r.p);
    iris_pieces_release(&r.p);
    unlink(target);
}

static void
test_without_notes(void)
{
    struct run r = begin("far:/a", &source, 0);
    struct stat sb;
    uint64_t lost;

    settle(&r);
    CHECK(!r.st && !stat(tmp, &sb) && sb.st_size == SIZE, "no more room than the data");
    put(&r, 0);
    leave(&r);
    CHECK(!strcmp(found(&lost), "000"), "and nothing for the next run");
    unlink(tmp);
}

static void
test_sizes(void)
{
    struct iris_place_file empty = {IRIS_PLACE_FILE, 0, 5}, huge = {IRIS_PLACE_FILE, UINT64_MAX, 5};
    struct run r = begin("far:/a", &empty, 1);
    struct stat sb;

    settle(&r);
    CHECK(!r.st && iris_pieces_next(&r.p, 0) == 0 && r.p.n == 0, "an empty file has no pieces");
    CHECK(!iris_pieces_finish(&r.p, NULL) && !iris_outfile_commit(&r.out, NULL) &&
              !stat(target, &sb) && sb.st_size == 0,
          "and is whole at once");
    iris_pieces_release(&r.p);
    unlink(target);
    r = begin("far:/a", &huge, 1);
    CHECK(r.st == IRIS_E_IO, "a size that cannot be is refused");
    iris_pieces_release(&r.p);
    iris_outfile_abort(&r.out);
}

int
main(void)
{
    char dir[500];
    const char *base = getenv("TMPDIR");
    size_t i;

    snprintf(dir, sizeof dir, "%s/iris-pieces-XXXXXX", base ? base : "/tmp");
    if (!mkdtemp(dir))
        return 2;
    snprintf(target, sizeof target, "%s/snap_001.hdf5", dir);
    snprintf(tmp, sizeof tmp, "%s.tmp", target);
    for (i = 0; i < SIZE; i++)
        data[i] = (unsigned char)(i * 2654435761u >> 13);
    test_resume();
    test_other_source();
    test_notes();
    test_finish();
    test_without_notes();
    test_sizes();
    rmdir(dir);
    return check_done();
}
