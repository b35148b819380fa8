/* replay -- a target of `make fuzz` as a test, built by any compiler: the inputs that it
 * makes itself, those of tests/corpus, and some changed ones of each, the same ones every
 * time.
 *
 *   fuzz_X           all of them, as TAP
 *   fuzz_X FILE...   these only
 *   fuzz_X -o DIR    write the inputs that it makes itself, for libFuzzer
 *
 * Where one ends in a fault, it is written beside the other temporary files under the name
 * that is printed.
 */
#define _GNU_SOURCE /* program_invocation_short_name */
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "file.h"
#include "fuzz.h"

enum { MOST = 1 << 20 };

/* of sanitizers, where there are any */
__attribute__((weak)) void __sanitizer_set_death_callback(void (*callback)(void));
__attribute__((weak)) void __sanitizer_set_report_fd(void *fd);

static FILE *tap;
static int count, talk;
static char left[512]; /* where an input that ends in a fault is written */
static const struct iris_buf *volatile tried;

/* ---- faults ---- */

static void
leave_input(void)
{
    int fd = tried ? open(left, O_CREAT | O_EXCL | O_WRONLY, 0666) : -1;

    if (fd >= 0 && write(fd, tried->data, tried->len) >= 0)
        dprintf(talk, "# the input is %s\n", left);
    tried = NULL;
}

static void
on_fault(int number)
{
    leave_input();
    signal(number, SIG_DFL);
    raise(number);
}

/* What programs print is no part of the test. */
static void
prepare(void)
{
    static const int faults[] = {SIGABRT, SIGSEGV, SIGBUS, SIGFPE, SIGILL};
    static char stack[1 << 16]; /* for when the other one is full */
    const stack_t other = {.ss_sp = stack, .ss_size = sizeof stack};
    struct sigaction sa = {.sa_handler = on_fault, .sa_flags = SA_ONSTACK};
    const char *temporary = getenv("TMPDIR");
    size_t i;

    talk = dup(STDERR_FILENO);
    tap = fdopen(dup(STDOUT_FILENO), "w");
    if (talk < 0 || !tap || !freopen("/dev/null", "w", stdout))
        exit(2);
    snprintf(left, sizeof left, "%s/%s.%ld.input", temporary ? temporary : "/tmp",
             program_invocation_short_name, (long)getpid());
    if (__sanitizer_set_death_callback) {
        __sanitizer_set_death_callback(leave_input);
        __sanitizer_set_report_fd((void *)(intptr_t)talk); /* NOLINT */
        signal(SIGABRT, on_fault);
        return;
    }
    sigaltstack(&other, NULL);
    for (i = 0; i < sizeof faults / sizeof faults[0]; i++)
        sigaction(faults[i], &sa, NULL);
}

/* ---- inputs ---- */

static void
try(const struct iris_buf *input)
{
    /* a block of its own, so that sanitizers see what is read beyond it */
    uint8_t *copy = malloc(input->len ? input->len : 1);

    if (!copy)
        exit(2);
    memcpy(copy, iris_buf_str(input), input->len);
    tried = input;
    LLVMFuzzerTestOneInput(copy, input->len);
    tried = NULL;
    free(copy);
}

static uint64_t
draw(uint64_t *state, uint64_t n)
{
    uint64_t z = *state += UINT64_C(0x9E3779B97F4A7C15);

    z = (z ^ (z >> 30)) * UINT64_C(0xBF58476D1CE4E5B9);
    z = (z ^ (z >> 27)) * UINT64_C(0x94D049BB133111EB);
    return (z ^ (z >> 31)) % n;
}

/* A few bytes are others, are gone, or are there twice. */
static void
change(const struct iris_buf *from, uint64_t *state, struct iris_buf *to)
{
    uint64_t times = 1 + draw(state, 4);

    iris_buf_clear(to);
    iris_buf_append(to, iris_buf_str(from), from->len);
    for (; times && to->len; times--) {
        size_t at = (size_t)draw(state, to->len), n = (size_t)draw(state, 8), rest = to->len - at;
        char piece[8];

        n = n < rest ? n : rest;
        switch (draw(state, 4)) {
        case 0:
            to->data[at] = (char)draw(state, 256);
            break;
        case 1:
            to->data[at] = (char)(to->data[at] ^ (1 << draw(state, 8)));
            break;
        case 2:
            memmove(to->data + at, to->data + at + n, rest - n);
            to->len -= n;
            to->data[to->len] = '\0';
            break;
        default:
            memcpy(piece, to->data + at, n);
            iris_buf_append(to, piece, n);
        }
    }
}

static void
try_around(const struct iris_buf *input, const char *name)
{
    uint64_t state = (uint64_t)count + 1;
    struct iris_buf changed = {0};
    unsigned i;

    try(input);
    for (i = 0; i < fuzz_mutants; i++) {
        change(input, &state, &changed);
        try(&changed);
    }
    iris_buf_release(&changed);
    fprintf(tap, "ok %d - %s, and %u near it\n", ++count, name, fuzz_mutants);
    fflush(tap);
}

static void
read_input(const char *path, struct iris_buf *input)
{
    struct iris_err err = {0};

    iris_buf_clear(input);
    if (iris_read_file(path, MOST, input, &err)) {
        dprintf(talk, "%s\n", err.msg);
        exit(2);
    }
}

static int
is_input(const struct dirent *e)
{
    return e->d_name[0] != '.';
}

static void
try_corpus(void)
{
    const char *source = getenv("IRIS_SOURCE"),
               *reader = strchr(program_invocation_short_name, '_');
    struct iris_buf input = {0};
    struct dirent **entry = NULL;
    char dir[4096], path[4400];
    int n, i;

    snprintf(dir, sizeof dir, "%s/tests/corpus", source ? source : ".");
    fprintf(tap, "%sok %d - %s is there\n", access(dir, R_OK) ? "not " : "", ++count, dir);
    snprintf(dir + strlen(dir), sizeof dir - strlen(dir), "/%s", reader ? reader + 1 : "");
    n = scandir(dir, &entry, is_input, alphasort);
    for (i = 0; i < n; i++) {
        snprintf(path, sizeof path, "%s/%s", dir, entry[i]->d_name);
        read_input(path, &input);
        try_around(&input, entry[i]->d_name);
        free(entry[i]);
    }
    free(entry);
    iris_buf_release(&input);
}

/* ---- what is asked for ---- */

static int
write_made(const char *dir)
{
    struct iris_buf input = {0};
    struct iris_err err = {0};
    char path[4096];
    size_t i;

    for (i = 0; fuzz_seed(i, &input); i++) {
        snprintf(path, sizeof path, "%s/made-%zu", dir, i);
        if (iris_write_file(path, iris_buf_str(&input), input.len, &err)) {
            dprintf(talk, "%s\n", err.msg);
            return 1;
        }
        iris_buf_clear(&input);
    }
    iris_buf_release(&input);
    return 0;
}

static void
try_all(void)
{
    struct iris_buf input = {0};
    char name[32];
    size_t i;

    try(&input);
    fprintf(tap, "ok %d - nothing\n", ++count);
    for (i = 0; fuzz_seed(i, &input); i++) {
        snprintf(name, sizeof name, "made-%zu", i);
        try_around(&input, name);
        iris_buf_clear(&input);
    }
    iris_buf_release(&input);
    try_corpus();
    fprintf(tap, "1..%d\n", count);
}

int
main(int argc, char **argv)
{
    struct iris_buf input = {0};
    int i;

    prepare();
    if (argc == 3 && !strcmp(argv[1], "-o"))
        return write_made(argv[2]);
    if (argc == 1)
        try_all();
    for (i = 1; i < argc; i++) {
        read_input(argv[i], &input);
        try(&input);
    }
    iris_buf_release(&input);
    return fclose(tap) != 0;
}
