#define _GNU_SOURCE /* memmem */
/* What was in hand when a process died, and who is suspected of it. */
#include "check.h"

#include <signal.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include "buf.h"
#include "file.h"
#include "flight.h"
#include "flight_record.h"

#define POINT "1f3a9c20.snap_800.p003"

static char scratch[512], base[560], flight[600], suspects[600];

/* A new data set. */
static void
fresh(void)
{
    static int n;

    snprintf(base, sizeof base, "%s/data%d", scratch, ++n);
    snprintf(flight, sizeof flight, "%s/flight", base);
    snprintf(suspects, sizeof suspects, "%s/suspects", base);
    if (mkdir(base, 0777))
        exit(2);
}

/* DIRECTORY/NAME */
static const char *
in(const char *directory, const char *name)
{
    static char text[8][2048];
    static int k;

    k = (k + 1) % 8;
    snprintf(text[k], sizeof text[k], "%s/%s", directory, name);
    return text[k];
}

static int
there(const char *path)
{
    struct stat sb;

    return !lstat(path, &sb);
}

static void
put(const char *path, const char *text)
{
    char *parent = iris_file_parent(path);

    if (!parent || iris_mkdirs(parent, NULL) || iris_write_file(path, text, strlen(text), NULL))
        exit(2);
    free(parent);
}

static int
holds(const char *path, const char *text)
{
    struct iris_buf b = {0};
    int same = !iris_read_file(path, 1 << 20, &b, NULL) && !strcmp(iris_buf_str(&b), text);

    iris_buf_release(&b);
    return same;
}

static struct iris_flight here; /* for the handler */

static void
mark(int sig)
{
    *iris_flight_mark(&here) = sig;
}

enum ending { KILLED, ASKED, ORDERLY, IDLE };

/* A process that takes something in hand, and how it ends. */
static void
fly(const char *rank, const char *what, enum ending ending)
{
    pid_t pid;
    int how;

    fflush(stdout);
    pid = fork();
    if (pid < 0)
        exit(2);
    if (!pid) {
        here = (struct iris_flight)IRIS_FLIGHT_INIT;
        if (iris_flight_open(&here, in(flight, rank), NULL))
            _exit(2);
        signal(SIGTERM, mark);
        iris_flight_begin(&here, "an.earlier_and_longer_thing.p001");
        iris_flight_end(&here);
        iris_flight_begin(&here, what);
        if (ending == ASKED)
            raise(SIGTERM);
        if (ending == ORDERLY || ending == IDLE)
            iris_flight_end(&here);
        if (ending == ORDERLY)
            iris_flight_close(&here);
        raise(SIGKILL);
    }
    if (waitpid(pid, &how, 0) != pid || !WIFSIGNALED(how))
        exit(2);
}

static enum iris_status
collect(const char *who)
{
    struct iris_err err = {0};
    enum iris_status st = iris_suspects_collect(flight, suspects, who, 0, &err);

    if (st != err.status || (st && !err.msg[0]))
        exit(2);
    return st;
}

static unsigned
deaths(const char *what)
{
    struct iris_suspects s;
    unsigned n;

    if (iris_suspects_read(&s, suspects, NULL))
        exit(2);
    n = iris_suspects_deaths(&s, what);
    iris_suspects_release(&s);
    return n;
}

static size_t
count(void)
{
    struct iris_suspects s;
    size_t n;

    if (iris_suspects_read(&s, suspects, NULL))
        exit(2);
    n = s.n;
    iris_suspects_release(&s);
    iris_suspects_release(&s);
    return n;
}

/* ---- */

static void
test_nothing(void)
{
    fresh();
    CHECK(!collect("run 1") && !there(suspects), "no records, no suspects");
    CHECK(!count() && !deaths(POINT), "nobody is suspected");
    CHECK(!iris_suspects_clear(suspects, POINT, NULL), "nor has to be cleared");
    CHECK(!iris_suspects_clear_all(suspects, NULL), "nor all of them");
}

static void
test_killed(void)
{
    fresh();
    fly("rank0", POINT, KILLED);
    CHECK(there(in(flight, "rank0")) && !there(suspects), "a killed process leaves its record");
    CHECK(!collect("run 1"), "its record is collected");
    CHECK(!there(in(flight, "rank0")), "and is gone");
    CHECK(deaths(POINT) == 1 && count() == 1, "what it had in hand is suspected, and only that");
    CHECK(holds(in(suspects, POINT), "run 1\n"), "the line is what the caller says");
    CHECK(!collect("run 2") && deaths(POINT) == 1, "once");

    fly("rank0", POINT, KILLED);
    CHECK(!collect("run\n3\t") && holds(in(suspects, POINT), "run 1\nrun\\x0a3\\x09\n"),
          "a second death is a second line, and one line");
    CHECK(deaths(POINT) == 2, "two deaths");
    CHECK(!deaths("1f3a9c20.snap_800.p00") && !deaths("1f3a9c20.snap_800"), "of it alone");
}

static void
test_not_to_blame(void)
{
    fresh();
    fly("rank0", POINT, ASKED);
    fly("rank1", POINT, IDLE);
    fly("rank2", POINT, ORDERLY);
    fly("rank3", "", KILLED);
    CHECK(there(in(flight, "rank0")) && there(in(flight, "rank1")), "records are left");
    CHECK(!there(in(flight, "rank2")), "but not by an orderly end");
    CHECK(!collect("run 1") && !there(suspects), "asked to end, or idle: nothing is to blame");
    CHECK(!there(in(flight, "rank0")) && !there(in(flight, "rank1")) && !there(in(flight, "rank3")),
          "and the records are gone");
}

static void
test_several(void)
{
    struct iris_suspects s;

    fresh();
    fly("rank0", "b.snap_2.p001", KILLED);
    fly("rank1", "b.snap_1", KILLED);
    fly("rank2", "b.snap_2.p001", KILLED);
    fly("rank3", "a.snap_9", KILLED);
    fly("rank4", "c.snap_9", ASKED);
    CHECK(!collect("run 1") && deaths("b.snap_2.p001") == 1, "in two hands, it is one death");
    fly("rank0", "b.snap_2.p001", KILLED);
    CHECK(!collect("run 2") && !iris_suspects_read(&s, suspects, NULL) && s.n == 3, "three");
    CHECK(!strcmp(s.suspect[0].name, "a.snap_9") && !strcmp(s.suspect[1].name, "b.snap_1") &&
              !strcmp(s.suspect[2].name, "b.snap_2.p001"),
          "sorted by name");
    CHECK(s.suspect[0].deaths == 1 && s.suspect[1].deaths == 1 && s.suspect[2].deaths == 2,
          "with their deaths");
    iris_suspects_release(&s);
    CHECK(!iris_suspects_clear(suspects, "b.snap_1", NULL) && count() == 2 && !deaths("b.snap_1"),
          "one is cleared");
    CHECK(!iris_suspects_clear(suspects, "b.snap_1", NULL), "twice");
    CHECK(!iris_suspects_clear_all(suspects, NULL) && !count(), "all are cleared");
}

/* A snapshot's name may be as long as a file's, and there is more in the name of a
 * suspect. */
static void
test_long_names(void)
{
    char what[2][IRIS_FLIGHT_WHAT + 2];
    int i;

    fresh();
    for (i = 0; i < 2; i++) {
        memset(what[i], 'x', IRIS_FLIGHT_WHAT);
        what[i][IRIS_FLIGHT_WHAT] = '\0';
        what[i][IRIS_FLIGHT_WHAT - 1] = (char)('0' + i);
        fly("rank0", what[i], KILLED);
        CHECK(!collect("run 1") && deaths(what[i]) == 1, "the longest name");
    }
    CHECK(count() == 2, "two that differ at the end are two");
    CHECK(!iris_suspects_clear(suspects, what[0], NULL) && !deaths(what[0]) && deaths(what[1]) == 1,
          "one of them is cleared");
    what[0][255] = '\0';
    fly("rank0", what[0], KILLED);
    CHECK(!collect("run 1") && there(in(suspects, what[0])), "as long as a file's is as it is");
    memset(what[0], 'x', IRIS_FLIGHT_WHAT + 1);
    what[0][IRIS_FLIGHT_WHAT + 1] = '\0';
    fly("rank0", what[0], KILLED);
    CHECK(!collect("run 1") && !deaths(what[0]) && count() == 2, "a longer one is not noted");
}

/* Names that would lead elsewhere. */
static void
test_evil_names(void)
{
    static const char *const evil[] = {
        "../evil", "..", ".", "a/../../evil", "a/b", ".hidden", "a\nb", "\x7f",
    };
    char rank[16];
    size_t i;

    fresh();
    for (i = 0; i < sizeof evil / sizeof evil[0]; i++) {
        snprintf(rank, sizeof rank, "rank%zu", i);
        fly(rank, evil[i], KILLED);
    }
    fly("rank9", in(base, "evil"), KILLED); /* a whole path */
    if (mkdir(suspects, 0777))
        exit(2);
    CHECK(!collect("run 1") && !count(), "names that are no names of files blame nothing");
    CHECK(!there(in(base, "evil")), "nothing is written elsewhere");
    CHECK(!there(in(flight, "rank0")) && !there(in(flight, "rank9")), "the records are gone");
    put(in(base, "evil"), "mine");
    CHECK(!iris_suspects_clear(suspects, "../evil", NULL) && holds(in(base, "evil"), "mine"),
          "nothing is removed elsewhere");
    CHECK(!deaths("../evil"), "nor looked at");
}

static void
read_record(const char *rank, struct iris_buf *b)
{
    iris_buf_clear(b);
    if (iris_read_file(in(flight, rank), 1 << 20, b, NULL))
        exit(2);
}

static void
write_record(const char *rank, const char *data, size_t len)
{
    if (iris_write_file(in(flight, rank), data, len, NULL))
        exit(2);
}

static void
test_damage(void)
{
    struct iris_buf b = {0};
    size_t i, wrong = 0, text;

    fresh();
    fly("rank0", POINT, KILLED);
    read_record("rank0", &b);
    text = (size_t)((const char *)memmem(b.data, b.len, POINT, strlen(POINT)) - b.data);

    for (i = 0; i < b.len; i++) {
        write_record("rank0", b.data, i);
        wrong += collect("run 1") || count() || !there(in(flight, "rank0"));
    }
    CHECK(!wrong, "a record that was cut off is passed over, at any of %zu bytes", b.len);
    for (i = 0; i < text + strlen(POINT); i++) {
        /* how long, and how it died, are not what it was at */
        if (i >= offsetof(struct iris_flight_record, fatal) && i < text)
            continue;
        b.data[i] ^= 0x15;
        write_record("rank0", b.data, b.len);
        b.data[i] ^= 0x15;
        wrong += collect("run 1") || count();
    }
    CHECK(!wrong, "a record of which a byte was changed blames nothing");
    memset(b.data + text, 'x', b.len - text);
    write_record("rank0", b.data, b.len);
    CHECK(!collect("run 1") && !count(), "a text without an end");
    iris_buf_release(&b);
}

static void
link_to(const char *to, const char *from)
{
    if (symlink(to, from))
        exit(2);
}

static void
test_planted(void)
{
    struct iris_buf b = {0};

    fresh();
    put(in(base, "precious"), "mine");
    fly("rank0", POINT, KILLED);
    read_record("rank0", &b);
    if (rename(in(flight, "rank0"), in(base, "record")) || mkdir(in(flight, "folder"), 0777) ||
        mkfifo(in(flight, "fifo"), 0666) || mkdir(suspects, 0777))
        exit(2);
    iris_buf_release(&b);
    link_to("../record", in(flight, "rank0"));
    link_to("nowhere", in(flight, "rank1"));
    put(in(flight, "notes"), "read me\n");
    put(in(flight, "empty"), "");
    put(in(flight, ".hidden"), "");
    CHECK(!collect("run 1") && !count(), "what is no record is passed over");
    CHECK(there(in(base, "record")) && there(in(flight, "notes")) && there(in(flight, "fifo")) &&
              there(in(flight, "folder")) && there(in(flight, "rank0")),
          "and stays");

    link_to("../precious", in(suspects, "to.precious"));
    link_to("../new", in(suspects, "to.new"));
    if (mkdir(in(suspects, "folder"), 0777) || mkfifo(in(suspects, "fifo"), 0666))
        exit(2);
    fly("rank3", "to.precious", KILLED);
    fly("rank4", "to.new", KILLED);
    fly("rank5", "folder", KILLED);
    fly("rank6", "fifo", KILLED);
    fly("rank7", POINT, KILLED);
    CHECK(!collect("run 1") && count() == 1 && deaths(POINT) == 1, "suspects are files");
    CHECK(holds(in(base, "precious"), "mine") && !there(in(base, "new")), "no link is followed");
    CHECK(!there(in(flight, "rank3")) && !there(in(flight, "rank6")), "their records are gone");
    put(in(suspects, "empty"), "");
    put(in(suspects, ".hidden"), "x\n");
    CHECK(count() == 1, "a file without a line and a hidden one are nothing");
    CHECK(!iris_suspects_clear(suspects, "folder", NULL) &&
              !iris_suspects_clear(suspects, "to.precious", NULL) &&
              !iris_suspects_clear_all(suspects, NULL),
          "clear all");
    CHECK(!count() && there(in(suspects, "folder")) && there(in(suspects, "fifo")) &&
              there(in(suspects, "to.precious")) && there(in(suspects, ".hidden")),
          "what is no suspect stays");
    CHECK(holds(in(base, "precious"), "mine"), "whatever it leads to");
}

/* Directories that cannot be. */
static void
test_no_directory(void)
{
    struct iris_suspects s;
    struct iris_err err = {0};

    fresh();
    put(flight, "a file");
    CHECK(collect("run 1") == IRIS_E_IO, "a file in the place of the records");
    fresh();
    fly("rank0", POINT, KILLED);
    put(suspects, "a file");
    CHECK(collect("run 1") == IRIS_E_IO && there(in(flight, "rank0")),
          "a file in the place of the suspects: the record is for the next call");
    CHECK(iris_suspects_read(&s, suspects, &err) == IRIS_E_IO && !s.n && err.msg[0], "and no list");
    if (unlink(suspects) || symlink(".", suspects))
        exit(2);
    CHECK(collect("run 1") == IRIS_E_IO && !there(in(base, POINT)), "nor a link");
    if (unlink(suspects))
        exit(2);
    CHECK(!collect("run 1") && deaths(POINT) == 1, "then the next call has it");
}

static void
test_record(void)
{
    struct iris_flight f = IRIS_FLIGHT_INIT, g;
    struct iris_err err = {0};

    fresh();
    iris_flight_begin(&f, POINT);
    iris_flight_end(&f);
    *iris_flight_mark(&f) = 1;
    iris_flight_close(&f);
    CHECK(1, "without a record nothing happens");
    put(in(base, "file"), "mine");
    CHECK(iris_flight_open(&f, in(base, "file/rank0"), &err) == IRIS_E_IO && err.msg[0],
          "no directory: %s", err.msg);
    iris_flight_begin(&f, POINT);
    *iris_flight_mark(&f) = 1;
    iris_flight_close(&f);
    CHECK(1, "nor after a failure");

    if (mkdir(flight, 0777) || symlink("../file", in(flight, "rank0")))
        exit(2);
    CHECK(!iris_flight_open(&f, in(flight, "rank0"), NULL), "in the place of a link");
    iris_flight_begin(&f, POINT);
    CHECK(holds(in(base, "file"), "mine"), "which is not followed");
    CHECK(!iris_flight_open(&g, in(flight, "rank0"), NULL), "in the place of another's");
    iris_flight_begin(&g, POINT);
    iris_flight_end(&f);
    iris_flight_close(&f);
    CHECK(there(in(flight, "rank0")), "whose end does not take it away");
    CHECK(!collect("run 1") && deaths(POINT) == 1, "nor changes it");
    iris_flight_close(&g);
    iris_flight_close(&g);
    CHECK(!there(in(flight, "rank0")), "closed");

    CHECK(!iris_flight_open(&f, in(flight, "rank0"), NULL), "again");
    iris_flight_begin(&f, "first");
    iris_flight_begin(&f, POINT);
    *iris_flight_mark(&f) = 15;
    CHECK(!collect("run 2") && deaths(POINT) == 1 && !deaths("first"), "marked");
    iris_flight_close(&f);
    CHECK(!iris_flight_open(&f, in(flight, "rank0"), NULL) && !*iris_flight_mark(&f),
          "a new record has no mark");
    iris_flight_close(&f);
}

/* ---- who is to blame ---- */

enum { MINE = 1, OTHERS = 2 }; /* signals of its own making, those that ask it to end */

/* A record as it is in its file. */
static struct iris_flight_record
record_of(const char *rank)
{
    struct iris_buf b = {0};
    struct iris_flight_record r;

    read_record(rank, &b);
    if (b.len != sizeof r)
        exit(2);
    memcpy(&r, b.data, sizeof r);
    iris_buf_release(&b);
    return r;
}

/* A record that is left: what was in hand for so long, and the signals that came. */
static void
leave(const char *rank, const char *what, double seconds, int signals)
{
    struct iris_flight f;
    struct iris_flight_record r;

    if (iris_flight_open(&f, in(flight, rank), NULL))
        exit(2);
    iris_flight_begin(&f, what);
    if (signals & OTHERS)
        *iris_flight_mark(&f) = SIGTERM;
    if (signals & MINE)
        *iris_flight_fatal(&f) = SIGSEGV;
    r = record_of(rank);
    iris_flight_close(&f);
    atomic_store(&r.alive, atomic_load(&r.began) + (uint64_t)(seconds * 1000));
    write_record(rank, (const char *)&r, sizeof r);
}

/* Suspects among a, b and c, as letters; none are left. */
static const char *
blamed(double some_time)
{
    static char text[4];
    char *p = text, name[2] = "a";

    if (iris_suspects_collect(flight, suspects, "run 1", some_time, NULL))
        exit(2);
    for (; *name <= 'c'; ++*name) {
        if (deaths(name))
            *p++ = *name;
    }
    *p = '\0';
    if (there(in(flight, "rank0")) || there(in(flight, "rank1")) || there(in(flight, "rank2")) ||
        iris_suspects_clear_all(suspects, NULL))
        exit(2);
    return text;
}

static void
test_blame(void)
{
    static const struct {
        double seconds[3]; /* that a, b and c were in hand; < 0: there is no such rank */
        int signals[3];
        const char *blamed; /* when half a second is some time */
        const char *why;
    } cases[] = {
        {{0.4, -1, -1}, {0}, "", "killed soon"},
        {{0.5, -1, -1}, {0}, "a", "killed after some time"},
        {{9, -1, -1}, {OTHERS}, "", "asked to end, after whatever time"},
        {{0, -1, -1}, {MINE}, "a", "of a signal of its own, however soon"},
        {{0, -1, -1}, {MINE | OTHERS}, "", "but not when it was asked before"},
        {{0, 0.1, 0.4}, {0}, "", "all killed soon"},
        {{0, 0.6, 0.4}, {0}, "b", "all killed, one after some time"},
        {{9, 9, 9}, {0}, "abc", "all killed, all after some time"},
        {{9, 0, 9}, {OTHERS, 0, OTHERS}, "b", "one killed, the others asked to end then"},
        {{0, 0, 9}, {OTHERS, 0, 0}, "bc", "two that nobody has asked"},
        {{9, 9, 9}, {OTHERS, OTHERS, OTHERS}, "", "all asked to end"},
        {{0, 0.1, 9}, {0, MINE, 0}, "bc", "one by itself, and what took long"},
        {{0, 0.1, 0.2}, {0, MINE, 0}, "b", "one by itself, and killed with it soon"},
        {{0, 0, 9}, {MINE, MINE, OTHERS}, "ab", "two by themselves, one asked"},
    };
    char rank[6] = "rank0", what[2] = "a";
    size_t i;
    int k;

    fresh();
    for (i = 0; i < sizeof cases / sizeof *cases; i++) {
        for (k = 0; k < 3; k++) {
            rank[4] = (char)('0' + k);
            what[0] = (char)('a' + k);
            if (cases[i].seconds[k] >= 0)
                leave(rank, what, cases[i].seconds[k], cases[i].signals[k]);
        }
        CHECK(!strcmp(blamed(0.5), cases[i].blamed), "%s: %s", cases[i].why,
              *cases[i].blamed ? cases[i].blamed : "nobody");
    }
    leave("rank0", "a", 0, 0);
    CHECK(!strcmp(blamed(0), "a"), "no time is some time for who says so");
    leave("rank0", "", 0, OTHERS);
    leave("rank1", "b", 0, 0);
    CHECK(!strcmp(blamed(0.5), "b"), "a rank that was asked counts though it was idle");
    leave("rank0", "a", 0.1, 0);
    leave("rank1", "a", 0.6, 0);
    leave("rank2", "b", 0.1, 0);
    CHECK(!strcmp(blamed(0.5), "a"), "of two that had the same in hand one is enough");
}

static void
test_alive(void)
{
    struct iris_flight f = IRIS_FLIGHT_INIT;
    struct iris_flight_record r;

    iris_flight_alive(&f);
    *iris_flight_fatal(&f) = 1;
    iris_flight_close(&f);
    CHECK(1, "without a record nothing happens");

    fresh();
    if (iris_flight_open(&f, in(flight, "rank0"), NULL))
        exit(2);
    iris_flight_begin(&f, "a");
    usleep(60000);
    r = record_of("rank0");
    CHECK(atomic_load(&r.alive) == atomic_load(&r.began), "not heard of since it began");
    iris_flight_alive(&f);
    r = record_of("rank0");
    CHECK(atomic_load(&r.alive) >= atomic_load(&r.began) + 50, "alive");
    iris_flight_begin(&f, "b");
    r = record_of("rank0");
    CHECK(atomic_load(&r.alive) == atomic_load(&r.began), "what is begun next has its own time");
    CHECK(!strcmp(blamed(0.05), ""), "which is short");
    iris_flight_close(&f);
    if (iris_flight_open(&f, in(flight, "rank0"), NULL))
        exit(2);
    CHECK(!*iris_flight_fatal(&f) && !*iris_flight_mark(&f), "a new record has no signals");
    iris_flight_close(&f);
}

/* Something else for a moment, in which the process dies, or after which. */
static void
interrupted(const char *rank, int dies_in_it)
{
    struct iris_flight f = IRIS_FLIGHT_INIT;
    struct iris_flight_before before;
    pid_t pid;
    int how;

    fflush(stdout);
    pid = fork();
    if (!pid) {
        if (iris_flight_open(&f, in(flight, rank), NULL))
            _exit(2);
        iris_flight_begin(&f, "outer.snap_1.p001");
        iris_flight_interrupt(&f, "inner.snap_1.p002", &before);
        if (!dies_in_it)
            iris_flight_resume(&f, &before);
        raise(SIGKILL);
    }
    if (pid < 0 || waitpid(pid, &how, 0) != pid || !WIFSIGNALED(how))
        exit(2);
}

static void
test_interrupt(void)
{
    struct iris_flight f = IRIS_FLIGHT_INIT;
    struct iris_flight_before before;

    fresh();
    interrupted("rank0", 1);
    CHECK(!collect("run 1") && deaths("inner.snap_1.p002") == 1 && !deaths("outer.snap_1.p001"),
          "what interrupts is in hand");
    interrupted("rank0", 0);
    CHECK(!collect("run 2") && deaths("outer.snap_1.p001") == 1 && deaths("inner.snap_1.p002") == 1,
          "then what was before");
    if (iris_flight_open(&f, in(flight, "rank0"), NULL))
        exit(2);
    iris_flight_interrupt(&f, "inner", &before);
    iris_flight_resume(&f, &before);
    iris_flight_close(&f);
    iris_flight_interrupt(&f, "inner", &before);
    iris_flight_resume(&f, &before);
    CHECK(!collect("run 3") && count() == 2, "nothing was, nothing is; nor without a record");
}

int
main(void)
{
    const char *tmp = getenv("TMPDIR");
    char command[600];

    snprintf(scratch, sizeof scratch, "%s/iris-flight-XXXXXX", tmp ? tmp : "/tmp");
    if (!mkdtemp(scratch))
        return 2;
    test_nothing();
    test_killed();
    test_not_to_blame();
    test_several();
    test_long_names();
    test_evil_names();
    test_damage();
    test_planted();
    test_no_directory();
    test_record();
    test_blame();
    test_alive();
    test_interrupt();
    snprintf(command, sizeof command, "rm -rf '%s'", scratch);
    if (system(command))
        return 2;
    return check_done();
}
