/* The command lines: a program, options that it has or not, and words of any kind. Every
 * program is linked in under another name of its main(), getopt_long() tells what options
 * it has, and iris_finish() does not close standard output; see the Makefile.
 *
 * Always with --dry-run, in a directory of small good files: nothing in it may change. No
 * word leads out of it, and there is no ssh to be found, so that no other machine is
 * reached.
 */
#define _GNU_SOURCE /* nftw */
#include "fuzz.h"

#include <fcntl.h>
#include <ftw.h>
#include <getopt.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "hyper.h"
#include "made.h"

const unsigned fuzz_mutants = 60;

#define PROGRAMS(X)                                                                                \
    X(check)                                                                                       \
    X(chem)                                                                                        \
    X(fetch)                                                                                       \
    X(fits)                                                                                        \
    X(gen)                                                                                         \
    X(hyper)                                                                                       \
    X(list)                                                                                        \
    X(merge)                                                                                       \
    X(mock)                                                                                        \
    X(normalize)                                                                                   \
    X(observe)                                                                                     \
    X(pack)                                                                                        \
    X(show)                                                                                        \
    X(shuffle)                                                                                     \
    X(units)

#define DECLARE(name) int main_iris_##name(int argc, char **argv);
PROGRAMS(DECLARE)

static const struct {
    const char *name;
    int (*main)(int argc, char **argv);
} program[] = {
#define LIST(name) {"iris-" #name, main_iris_##name},
    PROGRAMS(LIST)};

enum { N = sizeof program / sizeof program[0], WORDS = 12, LONGEST = 64 };

static const char manifest[] = "##iris-manifest 1 snapshots\n"
                               "##columns snapshot:str index:u64 path:str files:u64 bytes:u64\n"
                               "#snapshot\tindex\tpath\tfiles\tbytes\n"
                               "snap_001\t1\tsnap_001.hdf5\t1\t20000\n"
                               "##rows 1\n";

/* of sanitizers, where there are any */
__attribute__((weak)) void __sanitizer_set_report_fd(void *fd);

static const struct option *known[N]; /* what getopt_long() was told */
static size_t running;

/* ---- in place of functions that programs call ---- */

int __real_getopt_long(int argc, char *const *argv, const char *letters,
                       const struct option *options, int *index);
int __wrap_getopt_long(int argc, char *const *argv, const char *letters,
                       const struct option *options, int *index);
int __wrap_iris_finish(enum iris_status status, struct iris_err *err);

int
__wrap_getopt_long(int argc, char *const *argv, const char *letters, const struct option *options,
                   int *index)
{
    known[running] = options;
    return __real_getopt_long(argc, argv, letters, options, index);
}

int
__wrap_iris_finish(enum iris_status status, struct iris_err *err)
{
    if (status != IRIS_E_SOME)
        fuzz_status(status, err);
    return (int)status;
}

/* ---- the directory ---- */

static unsigned long long seen; /* of all that is there */

static int
note_file(const char *path, const struct stat *sb, int type, struct FTW *where)
{
    (void)where;
    for (; *path; path++)
        seen = 31 * seen + (unsigned char)*path;
    if (type == FTW_F)
        seen += (unsigned long long)sb->st_size * 1000003 + (unsigned long long)sb->st_ino * 10007 +
                (unsigned long long)sb->st_mtim.tv_nsec;
    return 0;
}

static unsigned long long
look_around(void)
{
    seen = 0;
    nftw(".", note_file, 16, FTW_PHYS);
    return seen;
}

static void
prepare(void)
{
    /* MPI begins once in a process, and here not at all */
    static const char *const ranks[] = {"OMPI_COMM_WORLD_SIZE", "PMIX_RANK", "PMI_RANK"};
    struct iris_hyper *h = made_settings();
    struct iris_buf text = {0};
    size_t i;

    made_snapshot("snap_001.hdf5", 0, 1);
    made_lines("lines.h5");
    made_container("set.h5");
    fuzz_status(iris_hyper_print(h, &text, NULL), NULL);
    fuzz_put("hyper.json", text.data, text.len);
    fuzz_put("list.tsv", manifest, sizeof manifest - 1);
    iris_buf_release(&text);
    iris_hyper_free(h);
    for (i = 0; i < sizeof ranks / sizeof ranks[0]; i++)
        unsetenv(ranks[i]);
    fuzz_need(!setenv("PATH", "/nowhere", 1) && !chdir(fuzz_directory()), "programs are kept in");
    fuzz_need(freopen("/dev/null", "r", stdin) != NULL, "there is nothing to read");
    if (__sanitizer_set_report_fd)
        __sanitizer_set_report_fd((void *)(intptr_t)dup(STDERR_FILENO)); /* NOLINT */
    for (i = 0; i < N; i++) {
        char name[32], help[] = "--help", *argv[] = {name, help, NULL};

        snprintf(name, sizeof name, "%s", program[i].name);
        running = i;
        optind = 0;
        program[i].main(2, argv);
    }
}

/* ---- command lines ---- */

struct line {
    char word[WORDS + 1][LONGEST];
    char *argv[WORDS + 2];
    int argc;
};

/* Append to the last word. */
static void
append(struct line *l, const char *text)
{
    char *word = l->word[l->argc];

    snprintf(word + strlen(word), LONGEST - strlen(word), "%s", text);
}

/* Text as it comes, that stays in the directory. */
static void
append_any(struct line *l, struct fuzz_bytes *b)
{
    size_t n = fuzz_take(b, 24);
    char text[2] = "";

    for (; n; n--) {
        text[0] = (char)fuzz_take(b, 255);
        if (text[0] != '/' && text[0] != '~' && text[0] != '.')
            append(l, text);
    }
}

static void
append_value(struct line *l, struct fuzz_bytes *b)
{
    static const char *const words[] = {"hyper.json",
                                        "list.tsv",
                                        "snap_001.hdf5",
                                        "lines.h5",
                                        "set.h5",
                                        "set",
                                        "xo.dat",
                                        "new",
                                        "new.fits",
                                        "new.npy",
                                        "-",
                                        ".",
                                        "",
                                        "0",
                                        "1",
                                        "2",
                                        "1e9",
                                        "1e308",
                                        "nan",
                                        "-1",
                                        "inf",
                                        "all",
                                        "auto",
                                        "cpu",
                                        "standard",
                                        "synthetic",
                                        "simple",
                                        "1/2",
                                        "0/0",
                                        "3:5",
                                        "13CO",
                                        "a=b",
                                        "suite_hyper.seed=1",
                                        "snap_001",
                                        "18446744073709551615",
                                        "null",
                                        "there"};
    size_t n = sizeof words / sizeof words[0], which = fuzz_take(b, n + 6);

    if (which < n)
        append(l, words[which]);
    else
        append_any(l, b);
}

static void
add_long(struct line *l, struct fuzz_bytes *b)
{
    const struct option *o = known[running];
    size_t n;

    for (n = 0; o && o[n].name; n++)
        ;
    append(l, "--");
    if (n)
        append(l, o[fuzz_take(b, n)].name);
    if (fuzz_take(b, 8)) {
        append(l, "=");
        append_value(l, b);
    }
}

static void
add_word(struct line *l, struct fuzz_bytes *b)
{
    static const char *const letters[] = {"-H", "-d", "-t", "-j", "-o", "-s", "-q", "-v"};

    l->word[l->argc][0] = '\0';
    switch (fuzz_take(b, 6)) {
    case 0:
    case 1:
        add_long(l, b);
        break;
    case 2:
        append(l, letters[fuzz_take(b, sizeof letters / sizeof letters[0])]);
        break;
    case 3:
        append(l, "--");
        append_any(l, b);
        break;
    default:
        append_value(l, b);
    }
    l->argv[l->argc] = l->word[l->argc];
    l->argc++;
}

/* What programs say is of no interest, but that of fuzz_need is. */
static void
run(struct line *l)
{
    int talk = dup(STDERR_FILENO), null = open("/dev/null", O_WRONLY), status;

    fuzz_need(talk >= 0 && null >= 0 && dup2(null, STDERR_FILENO) >= 0, "programs can be quiet");
    optind = 0;
    status = program[running].main(l->argc, l->argv);
    fflush(stdout);
    dup2(talk, STDERR_FILENO);
    close(talk);
    close(null);
    fuzz_need(status >= 0 && status <= IRIS_E_RETRY, "a status is one of those that are known");
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    static unsigned long long before;
    struct fuzz_bytes b = {data, data + size};
    struct line l = {.argc = 0};
    int argc;

    if (!before) {
        prepare();
        before = look_around();
    }
    running = fuzz_take(&b, N);
    append(&l, program[running].name);
    l.argv[l.argc++] = l.word[0];
    append(&l, "--dry-run");
    l.argv[l.argc] = l.word[1];
    l.argc++;
    while (l.argc < WORDS && b.at < b.end)
        add_word(&l, &b);
    run(&l);
    if (look_around() == before)
        return 0;
    for (argc = 0; argc < l.argc; argc++)
        fprintf(stderr, "'%s' ", l.argv[argc]);
    fuzz_need(0, "a dry run changes nothing");
    return 0;
}

int
fuzz_seed(size_t i, struct iris_buf *out)
{
    size_t k;

    iris_buf_putc(out, (char)(i / 4));
    for (k = 0; k < 12; k++)
        iris_buf_putc(out, (char)(7 * i + k * (i % 4 + 5)));
    return i < (size_t)4 * N;
}
