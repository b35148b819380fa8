/* The base library: numbers, text, hashes, random numbers, files, progress. */
#include "check.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdint.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include "buf.h"
#include "digest.h"
#include "err.h"
#include "file.h"
#include "num.h"
#include "progress.h"
#include "rng.h"

#define COUNT(a) (sizeof(a) / sizeof(a)[0])

static char scratch[512];

/* A name in the directory of this run; eight of them live at a time. */
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

static int
holds(const char *path, const char *text)
{
    struct iris_buf b = {0};
    int same = !iris_read_file(path, 1 << 20, &b, NULL) && !strcmp(iris_buf_str(&b), text);

    iris_buf_release(&b);
    return same;
}

static void
put(const char *path, const char *text)
{
    FILE *fp = fopen(path, "w");

    if (!fp || fputs(text, fp) < 0 || fclose(fp))
        exit(2);
}

static void
test_whole_numbers(void)
{
    static const char *const bad[] = {"",
                                      " 1",
                                      "1 ",
                                      "+1",
                                      "-1",
                                      "1.0",
                                      "0x10",
                                      "1e3",
                                      "1k",
                                      "\t1",
                                      "१",
                                      "--1",
                                      "-",
                                      "18446744073709551616",
                                      "99999999999999999999999"};
    static const char *const bad_signed[] = {"",
                                             " 1",
                                             "1 ",
                                             "+1",
                                             "--1",
                                             "-",
                                             "- 1",
                                             "1.",
                                             "a",
                                             "9223372036854775808",
                                             "-9223372036854775809"};
    uint64_t u = 7;
    int64_t i = 7;
    size_t k;

    for (k = 0; k < COUNT(bad); k++)
        CHECK(iris_parse_u64(bad[k], &u) == -1 && u == 7, "u64: '%s' is refused", bad[k]);
    CHECK(!iris_parse_u64("18446744073709551615", &u) && u == UINT64_MAX, "u64: the largest");
    CHECK(!iris_parse_u64("0", &u) && u == 0, "u64: zero");
    CHECK(!iris_parse_u64("007", &u) && u == 7, "u64: leading zeros");
    for (k = 0; k < COUNT(bad_signed); k++)
        CHECK(iris_parse_i64(bad_signed[k], &i) == -1 && i == 7, "i64: '%s' is refused",
              bad_signed[k]);
    CHECK(!iris_parse_i64("9223372036854775807", &i) && i == INT64_MAX, "i64: the largest");
    CHECK(!iris_parse_i64("-9223372036854775808", &i) && i == INT64_MIN, "i64: the smallest");
}

static void
test_bytes(void)
{
    static const struct {
        const char *text;
        uint64_t value;
    } good[] = {{"0", 0},
                {"1023", 1023},
                {"1K", 1024},
                {"3M", 3 << 20},
                {"2G", UINT64_C(2) << 30},
                {"5T", UINT64_C(5) << 40},
                {"16777215T", UINT64_C(16777215) << 40},
                {"18446744073709551615", UINT64_MAX}};
    static const char *const bad[] = {"",
                                      "K",
                                      "1k",
                                      "1KB",
                                      "1P",
                                      "1.5G",
                                      "-1K",
                                      " 1K",
                                      "1 K",
                                      "1K ",
                                      "16777216T",
                                      "18446744073709551615K",
                                      "18446744073709551616"};
    uint64_t v;
    size_t k;

    for (k = 0; k < COUNT(good); k++)
        CHECK(!iris_parse_bytes(good[k].text, &v) && v == good[k].value, "bytes: '%s'",
              good[k].text);
    v = 7;
    for (k = 0; k < COUNT(bad); k++)
        CHECK(iris_parse_bytes(bad[k], &v) == -1 && v == 7, "bytes: '%s' is refused", bad[k]);
}

static void
test_parse_f64(void)
{
    static const char *const bad[] = {"",      " 1",  "1 ",   ".",    "e5",        "1e",
                                      "0x1p3", "NaN", "INF",  "+inf", "-nan",      "infinity",
                                      "1e999", "1,5", "1.2.", "--1",  "-1e400000", "1d5"};
    double v = 7;
    size_t k;

    for (k = 0; k < COUNT(bad); k++)
        CHECK(iris_parse_f64(bad[k], &v) == -1 && !(v < 7) && !(v > 7), "f64: '%s' is refused",
              bad[k]);
    CHECK(!iris_parse_f64("-2.5e-3", &v) && check_near(v, -0.0025, 0), "f64: a number");
    CHECK(!iris_parse_f64("5e-324", &v) && v > 0, "f64: the smallest");
    CHECK(!iris_parse_f64("inf", &v) && isinf(v) && v > 0, "f64: inf");
    CHECK(!iris_parse_f64("-inf", &v) && isinf(v) && v < 0, "f64: -inf");
    CHECK(!iris_parse_f64("nan", &v) && isnan(v), "f64: nan");
}

static void
test_format_f64(void)
{
    static const struct {
        double v;
        const char *text;
    } known[] = {{0.0, "0.0"},
                 {-0.0, "-0.0"},
                 {1.0, "1.0"},
                 {-1.0, "-1.0"},
                 {0.1, "0.1"},
                 {1.0 / 3, "0.3333333333333333"},
                 {2.0 / 3, "0.6666666666666666"},
                 {0.1 + 0.2, "0.30000000000000004"},
                 {100.0, "100.0"},
                 {123456.789, "123456.789"},
                 {299792458.0, "299792458.0"},
                 {1e15, "1000000000000000.0"},
                 {9999999999999998.0, "9999999999999998.0"},
                 {9007199254740994.0, "9007199254740994.0"},
                 {1e16, "1e+16"},
                 {-1e16, "-1e+16"},
                 {123456789012345680.0, "1.2345678901234568e+17"},
                 {1e22, "1e+22"},
                 {1e23, "1e+23"},
                 {1e100, "1e+100"},
                 {1e-4, "0.0001"},
                 {0.00012345, "0.00012345"},
                 {9.999e-5, "9.999e-05"},
                 {1e-5, "1e-05"},
                 {1.380649e-23, "1.380649e-23"},
                 {0x1p-44, "5.684341886080802e-14"},
                 {-0x1p-44, "-5.684341886080802e-14"},
                 {2.2250738585072014e-308, "2.2250738585072014e-308"},
                 {1.7976931348623157e308, "1.7976931348623157e+308"},
                 {5e-324, "5e-324"},
                 {(double)INFINITY, "inf"},
                 {-(double)INFINITY, "-inf"},
                 {(double)NAN, "nan"},
                 {-(double)NAN, "nan"}};
    char text[IRIS_F64_TEXT];
    size_t k;

    for (k = 0; k < COUNT(known); k++)
        CHECK(!strcmp(iris_format_f64(known[k].v, text), known[k].text), "%s is printed",
              known[k].text);
}

/* Python's own output, as the hash of one line for each number:
 *   for e in range(-1074, 1024): print(repr(2.0 ** e))
 * and the doubles whose bits are x[0] << 32 | x[1] of philox((i, 0, 0, 0), (0, 0))
 * for the first 1e5 numbers i. */
static void
test_format_as_python(void)
{
    uint32_t counter[4] = {0}, key[2] = {0}, x[4];
    char text[IRIS_F64_TEXT], hash[IRIS_DIGEST_TEXT];
    struct iris_buf b = {0};
    uint64_t bits, again;
    double v, back;
    int e, wrong = 0;

    for (e = -1074; e < 1024; e++)
        iris_buf_printf(&b, "%s\n", iris_format_f64(ldexp(1, e), text));
    iris_digest_memory(b.data, b.len, hash);
    CHECK(!strcmp(hash, "f408182705226592ad48c26ce63635f5"),
          "powers of two are printed as Python does");
    iris_buf_clear(&b);
    for (; counter[0] < 100000; counter[0]++) {
        iris_philox(counter, key, x);
        bits = (uint64_t)x[0] << 32 | x[1];
        memcpy(&v, &bits, sizeof v);
        iris_buf_printf(&b, "%s\n", iris_format_f64(v, text));
        if (iris_parse_f64(text, &back)) {
            wrong++;
            continue;
        }
        memcpy(&again, &back, sizeof again);
        wrong += isnan(v) ? !isnan(back) : again != bits;
    }
    CHECK(!wrong, "1e5 bit patterns read back to themselves");
    iris_digest_memory(b.data, b.len, hash);
    CHECK(!strcmp(hash, "dbb3cf5227cb2fa225044005b1a70456"), "they are printed as Python does");
    iris_buf_release(&b);
}

static void
test_sizes(void)
{
    size_t v = 7;

    CHECK(!iris_mul_size(SIZE_MAX / 2, 2, &v) && v == SIZE_MAX - 1, "a product that fits");
    CHECK(iris_mul_size(SIZE_MAX / 2 + 1, 2, &v) == -1 && v == SIZE_MAX - 1, "one that does not");
    CHECK(!iris_add_size(SIZE_MAX - 1, 1, &v) && v == SIZE_MAX, "a sum that fits");
    CHECK(iris_add_size(SIZE_MAX, 1, &v) == -1 && v == SIZE_MAX, "one that does not");
}

static void
test_natural_order(void)
{
    static const char *const sorted[] = {
        "",           "0",       "00",        "01x",     "1x",
        "2",          "10",      "a",         "a1",      "a01b",
        "a1b",        "a2",      "a10",       "a10b",    "a18446744073709551616",
        "aa",         "snap_9",  "snap_0010", "snap_10", "snap_10.2",
        "snap_10.10", "snap_11", "z",         "\xc3\xa4"};
    size_t i, k, wrong = 0;
    int c;

    for (i = 0; i < COUNT(sorted); i++) {
        for (k = 0; k < COUNT(sorted); k++) {
            c = iris_natural_cmp(sorted[i], sorted[k]);
            if ((i < k) != (c < 0) || (i > k) != (c > 0)) {
                printf("# '%s' '%s' %d\n", sorted[i], sorted[k], c);
                wrong++;
            }
        }
    }
    CHECK(!wrong, "names are ordered as people read them, each pair both ways");
}

static void
test_buf(void)
{
    struct iris_buf b = {0};
    struct iris_err err = {0};
    char *s;
    int i;

    CHECK(!strcmp(iris_buf_str(&b), ""), "an empty buffer is an empty string");
    iris_buf_clear(&b);
    iris_buf_append(&b, NULL, 0);
    CHECK(b.len == 0 && !strcmp(iris_buf_str(&b), ""), "nothing appended is nothing");
    for (i = 0; i < 1000; i++)
        iris_buf_printf(&b, "%d,", i);
    iris_buf_putc(&b, '\n');
    iris_buf_puts(&b, "end");
    iris_buf_append(&b, "\0x", 2);
    CHECK(b.len == 3890 + 1 + 3 + 2 && !memcmp(b.data + b.len - 5, "end\0x", 6),
          "it grows, keeps every byte and ends with a NUL");
    CHECK(!iris_buf_check(&b, &err), "nothing failed");
    iris_buf_append(&b, "", SIZE_MAX);
    CHECK(iris_buf_check(&b, &err) == IRIS_E_IO && !strcmp(err.msg, "out of memory"),
          "a length that cannot be is reported by the check");
    iris_buf_puts(&b, "more");
    CHECK(iris_buf_check(&b, NULL) == IRIS_E_IO && b.len == 3896, "and stays reported");
    iris_buf_release(&b);
    iris_buf_release(&b);
    CHECK(!b.data && !iris_buf_check(&b, NULL), "release twice");
    s = iris_format("%s-%03d", "a", 7);
    CHECK(s && !strcmp(s, "a-007"), "a formatted string");
    free(s);
}

/* Of a text of "ü" and others of one byte. */
static int
has_whole_characters(const char *text)
{
    for (; *text; text++)
        if ((*text & 0x80) && (memcmp(text++, "\xc3\xbc", 2) != 0))
            return 0;
    return 1;
}

static void
test_err(void)
{
    struct iris_err err = {0};
    char large[3000];
    size_t i;

    errno = ENOENT;
    CHECK(iris_fail(&err, IRIS_E_IO, "cannot open '%s':", "x") == IRIS_E_IO &&
              err.status == IRIS_E_IO &&
              !strcmp(err.msg, "cannot open 'x': No such file or directory"),
          "a format that ends in ':' gets the reason");
    iris_fail(&err, IRIS_E_DATA, "%s", "a:");
    CHECK(err.status == IRIS_E_DATA && !strcmp(err.msg, "a:"), "an argument that does gets none");
    CHECK(iris_fail_in(&err, "%s:%d", "m.tsv", 3) == IRIS_E_DATA && !strcmp(err.msg, "m.tsv:3: a:"),
          "a context goes before");
    CHECK(iris_fail(NULL, IRIS_E_BUG, "unheard:") == IRIS_E_BUG,
          "without a place for the sentence");
    memset(large, 'x', sizeof large);
    large[sizeof large - 1] = '\0';
    iris_fail(&err, IRIS_E_DATA, "cannot open '%s':", large);
    CHECK(strlen(err.msg) == sizeof err.msg - 1 && !strncmp(err.msg, "cannot open 'xxx", 16) &&
              strstr(err.msg, "xxx ... xxx") && strstr(err.msg, "xxx': No such file or directory"),
          "a long sentence is cut in its middle");
    CHECK(iris_fail_in(&err, "%s", large) == IRIS_E_DATA && strlen(err.msg) == sizeof err.msg - 1 &&
              err.msg[0] == 'x' && strstr(err.msg, "xxx': No such file or directory"),
          "a long context too");
    for (i = 0; i < sizeof large - 2; i += 2)
        memcpy(large + i, "\xc3\xbc", 3);
    for (i = 0; i < 2; i++) {
        iris_fail(&err, IRIS_E_DATA, "%s%s", i ? "x" : "", large);
        CHECK(strlen(err.msg) >= sizeof err.msg - 3 && has_whole_characters(err.msg),
              "and no character of several bytes");
    }
}

static void
test_digest(void)
{
    char text[IRIS_DIGEST_TEXT], streamed[IRIS_DIGEST_TEXT];
    struct iris_digest *d = iris_digest_new();
    struct iris_err err = {0};
    unsigned char data[5000];
    size_t i, n;

    iris_digest_memory("", 0, text);
    CHECK(!strcmp(text, "99aa06d3014798d86001c324468d497f"), "the hash of nothing");
    iris_digest_text(d, streamed);
    CHECK(!strcmp(text, streamed), "a running hash begins with it");
    iris_digest_memory("a", 1, text);
    CHECK(!strcmp(text, "a96faf705af16834e6c632b61e964e1f"), "the hash of \"a\"");
    CHECK(iris_hash64(0, "") == UINT64_C(0x2d06800538d394c2), "the 64-bit hash of nothing");
    CHECK(iris_hash64(1, "a") != iris_hash64(0, "a"), "a seed matters");
    for (i = 0; i < sizeof data; i++)
        data[i] = (unsigned char)(i * i >> 3);
    for (i = 0, n = 1; i < sizeof data; i += n, n = n * 3 % 251) {
        if (n > sizeof data - i)
            n = sizeof data - i;
        iris_digest_add(d, data + i, n);
        iris_digest_add(d, NULL, 0);
    }
    iris_digest_memory(data, sizeof data, text);
    iris_digest_text(d, streamed);
    CHECK(!strcmp(text, streamed), "pieces hash as the whole");
    iris_digest_add(d, "x", 1);
    iris_digest_text(d, streamed);
    CHECK(strcmp(text, streamed) != 0, "more may be added afterwards");
    iris_write_file(in("data"), data, sizeof data, NULL);
    CHECK(!iris_digest_file(in("data"), streamed, NULL) && !strcmp(text, streamed),
          "a file hashes as its bytes");
    CHECK(iris_digest_file(in("missing"), streamed, &err) == IRIS_E_IO && !strcmp(text, streamed) &&
              strstr(err.msg, "missing"),
          "a missing file is named");
    CHECK(iris_digest_file(scratch, streamed, &err) == IRIS_E_IO, "a directory has no hash");
    iris_digest_free(d);
    iris_digest_free(NULL);
}

static void
test_philox(void)
{
    static const struct {
        uint32_t counter[4], key[2], x[4];
    } known[] = {
        {{0, 0, 0, 0}, {0, 0}, {0x6627e8d5, 0xe169c58d, 0xbc57ac4c, 0x9b00dbd8}},
        {{0xffffffff, 0xffffffff, 0xffffffff, 0xffffffff},
         {0xffffffff, 0xffffffff},
         {0x408f276d, 0x41c83b0e, 0xa20bc7c6, 0x6d5451fd}},
        {{0x243f6a88, 0x85a308d3, 0x13198a2e, 0x03707344},
         {0xa4093822, 0x299f31d0},
         {0xd16cfe09, 0x94fdcceb, 0x5001e420, 0x24126ea1}},
    };
    uint32_t x[4];
    size_t k;

    for (k = 0; k < COUNT(known); k++) {
        iris_philox(known[k].counter, known[k].key, x);
        CHECK(!memcmp(x, known[k].x, sizeof x), "Philox4x32-10, known answer %zu", k + 1);
    }
}

/* The i-th draw as one of the arguments counts up. */
static double
draw(int axis, uint32_t i)
{
    uint64_t seed = 1216, item = UINT64_C(0x123456789abcdef0);
    uint32_t round = 0, point = 0;

    if (axis == 0)
        seed += (uint64_t)i << 20;
    else if (axis == 1)
        item += (uint64_t)i << 20;
    else if (axis == 2)
        round = i;
    else
        point = i;
    return iris_uniform(seed, item, round, point, IRIS_DRAW_SCALE);
}

/* Five standard errors: one false alarm in a million of the tests. */
static void
test_uniform(void)
{
    static const char *const name[] = {"seed", "item", "round", "point"};
    enum { N = 100000 };
    int axis, k, wrong = 0;
    double v[6];

    for (axis = 0; axis < 4; axis++) {
        double sum = 0, square = 0, lag = 0, last = 0.5, mean;
        int out = 0;
        uint32_t i;

        for (i = 0; i < N; i++) {
            double x = draw(axis, i);

            out += !(x >= 0 && x < 1);
            sum += x;
            square += (x - 0.5) * (x - 0.5);
            lag += (x - 0.5) * (last - 0.5);
            last = x;
        }
        mean = sum / N;
        CHECK(!out, "%s: draws lie in [0, 1)", name[axis]);
        CHECK(fabs(mean - 0.5) < 5 * sqrt(1.0 / 12 / N), "%s: mean %.5f", name[axis], mean);
        CHECK(fabs(square / N - 1.0 / 12) < 5 * sqrt(1.0 / 180 / N), "%s: variance %.5f",
              name[axis], square / N);
        CHECK(fabs(lag / N) < 5.0 / 12 / sqrt(N), "%s: neighbours are independent", name[axis]);
    }
    for (k = 0; k < 6; k++)
        v[k] = iris_uniform(1, 2, 3, 4, (enum iris_draw)(IRIS_DRAW_SCALE + k));
    for (axis = 1; axis < 6; axis++)
        for (k = 0; k < axis; k++)
            wrong += !(v[k] < v[axis]) && !(v[k] > v[axis]);
    CHECK(!wrong, "each kind of draw has its own number");
    CHECK(check_near(iris_uniform(1, 2, 3, 4, IRIS_DRAW_SCALE), v[0], 0), "a draw repeats");
}

static void
test_outfile(void)
{
    struct iris_outfile f = IRIS_OUTFILE_INIT, second = IRIS_OUTFILE_INIT;
    struct iris_err err = {0};

    CHECK(!iris_outfile_open(&f, in("out"), &err), "a file is begun");
    CHECK(!is_there(in("out")) && is_there(in("out.tmp")), "under another name");
    CHECK(iris_outfile_open(&second, in("out"), &err) == IRIS_E_RETRY && strstr(err.msg, "out.tmp"),
          "a second writer is told to come back");
    CHECK(!iris_outfile_reserve(&f, 8, &err), "room is made");
    CHECK(!iris_outfile_write(&f, "abcd", 4, &err) &&
              !iris_outfile_pwrite(&f, "5678", 4, 4, &err) &&
              !iris_outfile_pwrite(&f, "", 0, 100, &err),
          "bytes are written");
    CHECK(!iris_outfile_commit(&f, &err) && holds(in("out"), "abcd5678") &&
              !is_there(in("out.tmp")),
          "commit publishes");
    CHECK(f.fd == -1 && !f.path, "and ends the file");
    CHECK(!iris_outfile_open(&f, in("out"), &err) && !iris_outfile_write(&f, "x", 1, &err),
          "again");
    CHECK(holds(in("out"), "abcd5678"), "the old content stays until commit");
    iris_outfile_abort(&f);
    iris_outfile_abort(&f);
    CHECK(holds(in("out"), "abcd5678") && !is_there(in("out.tmp")), "and after giving up");
    put(in("out.tmp"), "a longer content of a killed run");
    CHECK(!iris_write_file(in("out"), "new", 3, &err) && holds(in("out"), "new") &&
              !is_there(in("out.tmp")),
          "what a killed run left is taken over");
    CHECK(!iris_write_file(in("out"), "", 0, &err) && holds(in("out"), ""), "an empty file");
}

static void
test_outfile_resumed(void)
{
    struct iris_outfile f = IRIS_OUTFILE_INIT;
    char text[8] = "";

    CHECK(!iris_outfile_resume(&f, in("part"), NULL) && !iris_outfile_write(&f, "abc", 3, NULL),
          "nothing to go on with: a new file");
    iris_outfile_leave(&f);
    CHECK(!is_there(in("part")) && holds(in("part.tmp"), "abc"), "what is left stays beside");
    CHECK(!iris_outfile_resume(&f, in("part"), NULL) && pread(f.fd, text, 8, 0) == 3 &&
              !strcmp(text, "abc"),
          "and is there when it goes on");
    CHECK(!iris_outfile_pwrite(&f, "d", 1, 3, NULL) && !iris_outfile_commit(&f, NULL) &&
              holds(in("part"), "abcd") && !is_there(in("part.tmp")),
          "until it is whole");
    iris_outfile_leave(&f);
    unlink(in("part"));
}

static void
test_outfile_refused(void)
{
    struct iris_err err = {0};
    struct stat sb;

    mkdir(in("dir"), 0777);
    CHECK(iris_write_file(in("dir"), "x", 1, &err) == IRIS_E_IO &&
              strstr(err.msg, "is a directory"),
          "a directory is not replaced");
    CHECK(!is_there(in("dir.tmp")), "and nothing is left beside it");
    CHECK(iris_write_file(in("no/file"), "x", 1, &err) == IRIS_E_IO &&
              strstr(err.msg, "no/file.tmp"),
          "a missing directory is an error");
    put(in("elsewhere"), "precious");
    CHECK(!symlink(in("elsewhere"), in("link.tmp")) &&
              iris_write_file(in("link"), "x", 1, &err) == IRIS_E_IO &&
              holds(in("elsewhere"), "precious"),
          "a link in the place of the temporary file is not followed");
    mkdir(in("later"), 0777);
    {
        struct iris_outfile f = IRIS_OUTFILE_INIT;

        iris_outfile_open(&f, in("victim"), &err);
        mkdir(in("victim"), 0777);
        CHECK(iris_outfile_commit(&f, &err) == IRIS_E_IO && !is_there(in("victim.tmp")),
              "a commit that fails removes the temporary file");
    }
    CHECK(!mkfifo(in("pipe"), 0666) && iris_write_file(in("pipe"), "x", 1, &err) == IRIS_E_IO &&
              !stat(in("pipe"), &sb) && S_ISFIFO(sb.st_mode),
          "a pipe or device is not replaced");
}

/* Whether PATH was written, into a regular file of this user. */
static int
is_written(const char *path)
{
    struct iris_err err = {0};
    struct stat sb;

    return !iris_write_file(path, "new", 3, &err) && !lstat(path, &sb) && S_ISREG(sb.st_mode) &&
           sb.st_uid == geteuid() && sb.st_nlink == 1 && holds(path, "new");
}

/* What another user may have put in the place of a temporary file. */
static void
test_outfile_planted(void)
{
    struct iris_outfile f = IRIS_OUTFILE_INIT;
    struct iris_err err = {0};
    int reader, given;

    put(in("elsewhere"), "precious");
    CHECK(!link(in("elsewhere"), in("hard.tmp")) && is_written(in("hard")) &&
              holds(in("elsewhere"), "precious"),
          "another name of a file is not written into");
    CHECK(!mkfifo(in("heard.tmp"), 0666) && is_written(in("heard")),
          "a pipe nobody reads from is not waited for");
    mkfifo(in("read.tmp"), 0666);
    reader = open(in("read.tmp"), O_RDONLY | O_NONBLOCK);
    CHECK(is_written(in("read")), "nor is one written into that somebody does");
    close(reader);
    CHECK(!symlink("nowhere", in("dangling.tmp")) &&
              iris_write_file(in("dangling"), "x", 1, &err) == IRIS_E_IO &&
              !is_there(in("nowhere")),
          "no file is made where a link leads");
    CHECK(!mkdir(in("taken.tmp"), 0777) && iris_write_file(in("taken"), "x", 1, &err) == IRIS_E_IO,
          "a directory is an error: %s", err.msg);
    put(in("foreign.tmp"), "another user's");
    given = !chown(in("foreign.tmp"), 12345, (gid_t)-1); /* who may */
    CHECK(!chmod(in("foreign.tmp"), 0666) && is_written(in("foreign")),
          "another user's file does not become a result");
    put(in("foreign.tmp"), "another user's");
    CHECK(given == !chown(in("foreign.tmp"), 12345, (gid_t)-1) &&
              !iris_outfile_resume(&f, in("foreign"), &err) &&
              lseek(f.fd, 0, SEEK_END) == (given ? 0 : 14),
          "nor does the beginning of one");
    iris_outfile_abort(&f);
}

static void
test_file_open(void)
{
    int fd;

    put(in("elsewhere"), "precious");
    fd = iris_file_open(in("lines"), O_WRONLY | O_CREAT | O_APPEND);
    CHECK(fd >= 0 && write(fd, "one", 3) == 3 && holds(in("lines"), "one"), "a file is made");
    close(fd);
    CHECK(!symlink(in("elsewhere"), in("lines.link")), "a link");
    CHECK(iris_file_open(in("lines.link"), O_RDWR | O_CREAT) < 0 && errno == ELOOP,
          "a link is not followed");
    mkfifo(in("lines.pipe"), 0666);
    CHECK(iris_file_open(in("lines.pipe"), O_RDONLY) < 0 && errno == EINVAL,
          "a pipe is not waited for");
    CHECK(iris_file_open(in("none"), O_RDWR) < 0 && errno == ENOENT, "what is missing is missing");
}

/* A limit on the size of files stands for a full disk. */
static void
test_full(void)
{
    struct rlimit old, small;
    struct iris_outfile f = IRIS_OUTFILE_INIT;
    struct iris_err err = {0}, reserve = {0}, offset = {0};
    enum iris_status st, st_reserve, st_offset;
    char *data = calloc(1, 65536);

    put(in("full"), "old");
    getrlimit(RLIMIT_FSIZE, &old);
    small = old;
    small.rlim_cur = 4096;
    signal(SIGXFSZ, SIG_IGN);
    fflush(stdout);
    setrlimit(RLIMIT_FSIZE, &small);
    st = iris_write_file(in("full"), data, 65536, &err);
    iris_outfile_open(&f, in("full"), NULL);
    st_reserve = iris_outfile_reserve(&f, 65536, &reserve);
    st_offset = iris_outfile_pwrite(&f, data, 10, 4090, &offset);
    iris_outfile_abort(&f);
    setrlimit(RLIMIT_FSIZE, &old);
    signal(SIGXFSZ, SIG_DFL);
    CHECK(st == IRIS_E_IO && strstr(err.msg, "full.tmp': "), "no room: %s", err.msg);
    CHECK(st_reserve == IRIS_E_IO && strstr(reserve.msg, "65536 bytes"), "noticed early: %s",
          reserve.msg);
    CHECK(st_offset == IRIS_E_IO, "or at the end");
    CHECK(holds(in("full"), "old") && !is_there(in("full.tmp")), "the old file is as it was");
    free(data);
}

static void
test_if_changed(void)
{
    struct timespec then[2] = {{1000000000, 0}, {1000000000, 0}};
    struct stat sb;

    iris_write_file(in("same"), "content", 7, NULL);
    utimensat(AT_FDCWD, in("same"), then, 0);
    CHECK(!iris_write_file_if_changed(in("same"), "content", 7, NULL) && !stat(in("same"), &sb) &&
              sb.st_mtime == 1000000000,
          "equal content keeps its time");
    CHECK(!iris_write_file_if_changed(in("same"), "contenu", 7, NULL) && !stat(in("same"), &sb) &&
              sb.st_mtime != 1000000000 && holds(in("same"), "contenu"),
          "other content is written");
    CHECK(!iris_write_file_if_changed(in("same"), "con", 3, NULL) && holds(in("same"), "con"),
          "shorter content too");
    CHECK(!iris_write_file_if_changed(in("same"), "content", 7, NULL) &&
              holds(in("same"), "content"),
          "longer content too");
    CHECK(!iris_write_file_if_changed(in("new"), "", 0, NULL) && holds(in("new"), ""),
          "a new file is made");
}

static void
test_read(void)
{
    struct iris_buf b = {0};
    struct iris_err err = {0};

    put(in("ten"), "0123456789");
    CHECK(!iris_read_file(in("ten"), 10, &b, &err) && b.len == 10, "a file of the largest size");
    CHECK(!iris_read_file(in("ten"), 10, &b, &err) && b.len == 20, "is appended");
    CHECK(iris_read_file(in("ten"), 9, &b, &err) == IRIS_E_DATA && strstr(err.msg, "larger than 9"),
          "a larger one is refused");
    CHECK(iris_read_file(in("missing"), 9, &b, &err) == IRIS_E_IO, "a missing one");
    CHECK(iris_read_file(scratch, 9, &b, &err) == IRIS_E_IO, "a directory");
    iris_buf_release(&b);
}

static void
test_outfile_lost(void)
{
    struct iris_outfile f = IRIS_OUTFILE_INIT;
    struct iris_err err = {0};

    CHECK(!iris_outfile_open(&f, in("gone"), &err) && !iris_outfile_write(&f, "x", 1, &err) &&
              !unlink(in("gone.tmp")),
          "somebody removes what is being written");
    CHECK(iris_outfile_commit(&f, &err) == IRIS_E_RETRY && strstr(err.msg, "was taken away") &&
              !is_there(in("gone")),
          "which is told");
    put(in("kept"), "of another");
    CHECK(!link(in("kept"), in("named.tmp")) && !iris_write_file(in("named"), "new", 3, &err) &&
              holds(in("named"), "new") && holds(in("kept"), "of another"),
          "a link that was left is not written through");
}

/* To another file system, which no link leads to. */
static void
test_link_far(void)
{
    char far[] = "/dev/shm/iris-base-XXXXXX", to[64];
    struct iris_err err = {0};
    struct stat a, b;

    if (!mkdtemp(far)) {
        CHECK(access("/dev/shm", W_OK), "no other file system is there");
        return;
    }
    snprintf(to, sizeof to, "%s/to", far);
    put(in("from"), "one");
    put(to, "two");
    CHECK(!iris_link_file(in("from"), to, &err) && holds(to, "one") && !stat(in("from"), &a) &&
              !stat(to, &b) && a.st_dev != b.st_dev,
          "a file is copied where no link can be made");
    CHECK(iris_link_file(in("dir"), to, &err) == IRIS_E_IO && strstr(err.msg, "cannot read") &&
              holds(to, "one"),
          "a directory is not");
    remove_tree(far);
}

static void
test_link(void)
{
    struct iris_err err = {0};
    struct stat a, b;

    put(in("from"), "one");
    put(in("to"), "two");
    CHECK(!iris_link_file(in("from"), in("to"), &err) && !stat(in("from"), &a) &&
              !stat(in("to"), &b) && a.st_ino == b.st_ino && holds(in("to"), "one"),
          "a link replaces a file");
    CHECK(!iris_link_file(in("from"), in("to"), &err) && !is_there(in("to.tmp")) &&
              holds(in("to"), "one") && holds(in("from"), "one"),
          "again, where both are one file");
    CHECK(!iris_link_file(in("from"), in("from"), &err) && holds(in("from"), "one") &&
              !is_there(in("from.tmp")),
          "a file is its own link");
    put(in("to.tmp"), "left");
    iris_remove_file(in("to"), NULL);
    CHECK(!iris_link_file(in("from"), in("to"), &err) && holds(in("to"), "one") &&
              !is_there(in("to.tmp")),
          "a temporary file that was left is no obstacle");
    CHECK(iris_link_file(in("missing"), in("to"), &err) == IRIS_E_IO && holds(in("to"), "one"),
          "a missing source leaves the target");
    CHECK(iris_link_file(in("from"), in("dir"), &err) == IRIS_E_IO && !is_there(in("dir.tmp")),
          "a directory is not replaced by a link");
    CHECK(!iris_remove_file(in("to"), &err) && !iris_remove_file(in("to"), &err), "remove twice");
    CHECK(iris_remove_file(in("dir"), &err) == IRIS_E_IO, "a directory is not removed");
}

static void
test_mkdirs(void)
{
    struct iris_err err = {0};
    struct stat sb;

    CHECK(!iris_mkdirs(in("p/q/r"), &err) && !stat(in("p/q/r"), &sb) && S_ISDIR(sb.st_mode),
          "a directory with its parents");
    CHECK(!iris_mkdirs(in("p/q/r"), &err), "again");
    CHECK(!iris_mkdirs(in("p//s/"), &err) && is_there(in("p/s")), "with needless slashes");
    put(in("p/file"), "");
    CHECK(iris_mkdirs(in("p/file"), &err) == IRIS_E_IO && strstr(err.msg, "in the way"),
          "a file has the name");
    CHECK(iris_mkdirs(in("p/file/x"), &err) == IRIS_E_IO && strstr(err.msg, "p/file"),
          "a file is in the way");
    CHECK(iris_mkdirs("", &err) == IRIS_E_IO, "an empty name is refused");
    CHECK(!iris_mkdirs("/", &err), "the root is there");
    CHECK(!iris_sync_dir(in("p"), &err) && iris_sync_dir(in("p/file"), &err) == IRIS_E_IO &&
              iris_sync_dir(in("nowhere"), &err) == IRIS_E_IO,
          "only a directory can be made durable");
}

enum { WRITERS = 4, BYTES = 200000, TURNS = 25 };

static int
write_in_turn(char letter)
{
    char *data = malloc(BYTES);
    int turn, wrong = 0;

    if (!data)
        return 1;
    memset(data, letter, BYTES);
    for (turn = 0; turn < TURNS; turn++) {
        enum iris_status st = iris_write_file(in("shared"), data, BYTES, NULL);

        if (st == IRIS_E_RETRY) {
            usleep(200);
            turn--;
        }
        wrong |= st && st != IRIS_E_RETRY;
    }
    free(data);
    return wrong;
}

/* One of the contents, and all of it. */
static int
is_whole(void)
{
    struct iris_buf b = {0};
    size_t i;

    if (iris_read_file(in("shared"), BYTES, &b, NULL) || b.len != BYTES) {
        iris_buf_release(&b);
        return 0;
    }
    for (i = 1; i < b.len && b.data[i] == b.data[0]; i++)
        continue;
    i = b.data[0] >= 'a' && b.data[0] < 'a' + WRITERS ? i : 0;
    iris_buf_release(&b);
    return i == BYTES;
}

static void
test_many_writers(void)
{
    int k, status, wrong = 0, torn = 0, running = WRITERS;

    fflush(stdout);
    for (k = 0; k < WRITERS; k++)
        if (fork() == 0)
            _exit(write_in_turn((char)('a' + k)));
    while (running) {
        if (waitpid(-1, &status, WNOHANG) > 0) {
            running--;
            wrong |= status;
        }
        if (is_there(in("shared")))
            torn += !is_whole();
    }
    CHECK(!wrong, "%d programs write one file %d times each", WRITERS, TURNS);
    CHECK(!torn && is_whole(), "whoever looks sees one of them, whole");
    CHECK(!is_there(in("shared.tmp")), "nothing is left beside it");
}

/* A writer that dies leaves the name as it was and its lock free. */
static void
test_killed_writer(void)
{
    struct iris_outfile f = IRIS_OUTFILE_INIT;
    struct iris_err err = {0};
    pid_t child;
    int status;

    put(in("killed"), "old");
    fflush(stdout);
    child = fork();
    if (child == 0) {
        iris_outfile_open(&f, in("killed"), NULL);
        iris_outfile_write(&f, "half", 4, NULL);
        kill(getpid(), SIGKILL);
    }
    waitpid(child, &status, 0);
    CHECK(WIFSIGNALED(status) && holds(in("killed"), "old") && holds(in("killed.tmp"), "half"),
          "a killed writer leaves the old file and a temporary one");
    CHECK(!iris_write_file(in("killed"), "new", 3, &err) && holds(in("killed"), "new") &&
              !is_there(in("killed.tmp")),
          "the next one takes it over");
}

static void
test_progress(void)
{
    static const struct {
        struct iris_progress p;
        const char *text;
    } known[] = {
        {{12, 64, 1, 3, 3.6, 0, 0, 0, 0}, "12/64 (3 there already, 1 failed), 2.5/s, 0:00:21 left"},
        {{0, 64, 0, 0, 0, 0, 0, 0, 0}, "0/64"},
        {{0, 0, 0, 0, 5, 0, 0, 0, 0}, "0"},
        {{5, 0, 0, 0, 2, 0, 0, 0, 0}, "5, 2.5/s"},
        {{3, 64, 0, 3, 10, 0, 0, 0, 0}, "3/64 (3 there already)"},
        {{5, 10, 0, 0, 2, 0, 0, 0, 3 << 20}, "5/10, 2.5/s, 0:00:02 left, 3.0 MiB"},
        {{4, 8, 2, 0, 240, 0, 0, 0, 0}, "4/8 (2 failed), 1.0/min, 0:04:00 left"},
        {{1, 101, 0, 0, 3600, 0, 0, 0, 0}, "1/101, 1.0/h, 100:00:00 left"},
        {{64, 64, 0, 0, 64, 0, 0, 0, 0}, "64/64, 1.0/s"},
        {{3, 20, 1, 0, 16, 1ull << 30, 2ull << 30, 4ull << 30, 0},
         "3/20 (1 failed), 1.0 GiB, 64.0 MiB/s, 0:00:32 left"},
        {{0, 2, 0, 0, 0, 0, 0, 100, 0}, "0/2, 0 B, 0 B/s"},
        {{2, 2, 0, 1, 2, 3000, 9000, 9000, 0}, "2/2 (1 there already), 2.9 KiB, 1.5 KiB/s"},
    };
    char text[128], small[6];
    size_t k;

    for (k = 0; k < COUNT(known); k++) {
        iris_progress_text(&known[k].p, text, sizeof text);
        if (!CHECK(!strcmp(text, known[k].text), "progress: %s", known[k].text))
            printf("# %s\n", text);
    }
    CHECK(!strcmp(iris_progress_text(&known[0].p, small, sizeof small), "12/64"), "a short line");
}

int
main(void)
{
    const char *tmp = getenv("TMPDIR");

    snprintf(scratch, sizeof scratch, "%s/iris-base-XXXXXX", tmp ? tmp : "/tmp");
    if (!mkdtemp(scratch))
        return 2;
    test_whole_numbers();
    test_bytes();
    test_parse_f64();
    test_format_f64();
    test_format_as_python();
    test_sizes();
    test_natural_order();
    test_buf();
    test_err();
    test_digest();
    test_philox();
    test_uniform();
    test_outfile();
    test_outfile_resumed();
    test_outfile_refused();
    test_outfile_planted();
    test_file_open();
    test_full();
    test_if_changed();
    test_read();
    test_outfile_lost();
    test_link();
    test_link_far();
    test_mkdirs();
    test_many_writers();
    test_killed_writer();
    test_progress();
    remove_tree(scratch);
    return check_done();
}
