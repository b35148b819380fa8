/* Names of files here, and which names may stand for another machine. */
#include "check.h"

#include <sys/stat.h>
#include <unistd.h>

#include "file.h"
#include "place.h"
#include "ssh.h"

static char dir[512];

static const char *
in(const char *name)
{
    static char text[4][1200];
    static int k;

    k = (k + 1) % 4;
    snprintf(text[k], sizeof text[k], "%s/%s", dir, name);
    return text[k];
}

static void
test_look(void)
{
    struct iris_place_file f = {IRIS_PLACE_UNKNOWN, 0, 0};
    struct iris_err err = {0};
    struct stat sb;

    CHECK(!iris_write_file(in("file"), "12345", 5, NULL) && !stat(in("file"), &sb), "a file");
    CHECK(!iris_here.look(NULL, in("file"), &f, &err) && f.kind == IRIS_PLACE_FILE &&
              f.bytes == 5 && f.mtime == sb.st_mtime,
          "is one, with size and time");
    CHECK(!iris_here.look(NULL, dir, &f, &err) && f.kind == IRIS_PLACE_DIRECTORY, "a directory");
    CHECK(!iris_here.look(NULL, "/dev/null", &f, &err) && f.kind == IRIS_PLACE_OTHER, "neither");
    CHECK(!symlink("file", in("link")) && !iris_here.look(NULL, in("link"), &f, &err) &&
              f.kind == IRIS_PLACE_FILE,
          "links are followed");
    CHECK(iris_here.look(NULL, in("missing"), &f, &err) == IRIS_E_IO &&
              !strncmp(err.msg, IRIS_PLACE_CANNOT, strlen(IRIS_PLACE_CANNOT)) &&
              strstr(err.msg, "missing': No such file"),
          "what is missing is named");
    unlink(in("link"));
    unlink(in("file"));
}

static void
test_list(void)
{
    struct iris_place_list list = {0};
    struct iris_err err = {0};
    char name[32];
    int k, ordered = 1;

    for (k = 0; k < 40; k++) {
        snprintf(name, sizeof name, "snap_%d", 39 - k);
        if (iris_write_file(in(name), "", 0, NULL))
            exit(2);
    }
    CHECK(!iris_here.list(NULL, dir, &list, &err) && list.n == 40, "all names but . and ..");
    for (k = 0; k < (int)list.n; k++) {
        snprintf(name, sizeof name, "snap_%d", k);
        ordered &= !strcmp(list.entry[k].name, name) &&
                   list.entry[k].file.kind == IRIS_PLACE_UNKNOWN;
        unlink(in(name));
    }
    CHECK(ordered, "in natural order");
    iris_place_list_release(&list);
    iris_place_list_release(&list);
    CHECK(!iris_here.list(NULL, dir, &list, &err) && list.n == 0, "an empty one");
    CHECK(iris_here.list(NULL, in("missing"), &list, &err) == IRIS_E_IO &&
              strstr(err.msg, "missing"),
          "one that is missing");
    iris_place_list_release(&list);
}

static void
test_hosts(void)
{
    static const char *const good[] = {"archive",          "a.b-c.org", "me@archive",
                                       "first.last@a.org", "10.0.0.1",  "::1",
                                       "me@[fe80::1]",     "a_b",       "me+x@host"};
    static const char *const bad[] = {"",
                                      "-oProxyCommand=x",
                                      "me@-oProxyCommand=x",
                                      "@host",
                                      "me@",
                                      "a b",
                                      "a;b",
                                      "a$b",
                                      "a`b`",
                                      "a/b",
                                      "a\nb",
                                      "a'b",
                                      "a\"b",
                                      "a|b",
                                      "a&b",
                                      "a\\b",
                                      "a%h",
                                      "a{b",
                                      "a=b",
                                      "*",
                                      "h\xc3\xb6st"};
    char longest[300];
    size_t i;

    for (i = 0; i < sizeof good / sizeof good[0]; i++)
        CHECK(iris_ssh_is_host(good[i]), "'%s' is a host", good[i]);
    for (i = 0; i < sizeof bad / sizeof bad[0]; i++)
        CHECK(!iris_ssh_is_host(bad[i]), "number %zu is none", i);
    memset(longest, 'a', sizeof longest);
    longest[255] = '\0';
    CHECK(iris_ssh_is_host(longest), "a name of 255 bytes");
    longest[255] = 'a';
    longest[256] = '\0';
    CHECK(!iris_ssh_is_host(longest), "a name of 256 bytes");
}

int
main(void)
{
    const char *tmp = getenv("TMPDIR");

    snprintf(dir, sizeof dir, "%s/iris-place-XXXXXX", tmp ? tmp : "/tmp");
    if (!mkdtemp(dir))
        return 2;
    test_look();
    test_list();
    test_hosts();
    rmdir(dir);
    return check_done();
}
