#include "dataset.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

#include "entry.h"
#include "file.h"
#include "num.h"

static const char source_header[] = "#bytes\tcontent\n";

/* How long to wait for somebody else who writes the same. */
static const struct timespec moment = {0, 10000000};
enum { WAITS = 500 };

/* Whether a directory has an entry of that name; any entry for NULL. */
static int
has_entry(const char *root, const char *name)
{
    struct dirent *e;
    int found = 0;
    DIR *dir;

    dir = opendir(root);
    if (!dir)
        return 0;
    while (!found && (e = readdir(dir)))
        found = strcmp(e->d_name, ".") && strcmp(e->d_name, "..") &&
                (!name || !strcmp(e->d_name, name));
    closedir(dir);
    return found;
}

enum iris_status
iris_dataset_open(struct iris_dataset *d, const char *root, enum iris_dataset_mode mode,
                  struct iris_err *err)
{
    enum iris_status st = IRIS_OK;
    struct stat sb;
    char *state;

    *d = (struct iris_dataset)IRIS_DATASET_INIT;
    d->planned = mode == IRIS_DATASET_PLANNED;
    if (!*root)
        return iris_fail(err, IRIS_E_USAGE, "the name of the data set is empty");
    if (stat(root, &sb)) {
        if (errno != ENOENT || mode == IRIS_DATASET_EXISTING)
            return iris_fail(err, IRIS_E_IO, "cannot open data set '%s':", root);
    } else if (!S_ISDIR(sb.st_mode)) {
        return iris_fail(err, IRIS_E_DATA, "'%s' is not a directory, so not a data set", root);
    } else if (has_entry(root, NULL) && !has_entry(root, ".iris") &&
               !has_entry(root, "attributes.json") && !has_entry(root, "entries")) {
        return iris_fail(err, IRIS_E_DATA,
                         "'%s' is neither empty nor a data set of this suite; name a new directory",
                         root);
    }
    if (mode == IRIS_DATASET_CREATE) {
        state = iris_path_join(root, ".iris");
        st = state ? iris_mkdirs(state, err) : iris_fail_memory(err);
        free(state);
    }
    if (!st && !(d->root = strdup(root)))
        st = iris_fail_memory(err);
    return st;
}

/* root/entries/<digest>[/raw/<snapshot>]/<name>, its directory made. */
static enum iris_status
prepare(const struct iris_dataset *d, const char *digest, const char *snapshot, const char *name,
        char **path, struct iris_err *err)
{
    struct iris_buf b = {0};
    enum iris_status st;

    iris_buf_printf(&b, "%s/", d->root);
    if (snapshot)
        iris_entry_dir(&b, digest, NULL, snapshot);
    else
        iris_buf_printf(&b, "entries/%s", digest);
    st = iris_buf_check(&b, err);
    if (!st)
        st = iris_mkdirs(b.data, err);
    iris_buf_printf(&b, "/%s", name);
    if (!st)
        st = iris_buf_check(&b, err);
    if (st)
        iris_buf_release(&b);
    *path = b.data;
    return st;
}

/* Another run may be writing the same file: its bytes are to be the same. */
static enum iris_status
settle_settings(const char *path, const struct iris_buf *settings, struct iris_err *err)
{
    struct iris_buf old = {0};
    enum iris_status st;
    int tries;

    for (tries = 0; access(path, F_OK); tries++) {
        st = iris_write_file(path, settings->data, settings->len, err);
        if (st != IRIS_E_RETRY || tries == WAITS)
            return st;
        nanosleep(&moment, NULL);
    }
    st = iris_read_file(path, 1 << 24, &old, err);
    if (!st && (old.len != settings->len || memcmp(old.data, settings->data, old.len)))
        st = iris_fail(err, IRIS_E_DATA,
                       "'%s' records other settings under the same digest; name a new data set",
                       path);
    iris_buf_release(&old);
    return st;
}

enum iris_status
iris_dataset_settings(const struct iris_dataset *d, const char *digest,
                      const struct iris_buf *settings, struct iris_err *err)
{
    enum iris_status st;
    char *path = NULL;

    st = prepare(d, digest, NULL, "settings.json", &path, err);
    if (!st)
        st = settle_settings(path, settings, err);
    free(path);
    return st;
}

static enum iris_status
parse_source(const char *path, const char *text, struct iris_source *source, struct iris_err *err)
{
    char bytes[24], content[IRIS_DIGEST_TEXT];

    if (strncmp(text, source_header, sizeof source_header - 1) ||
        sscanf(text + sizeof source_header - 1, "%23[0-9]\t%32[0-9a-f]", bytes, content) != 2 ||
        iris_parse_u64(bytes, &source->bytes))
        return iris_fail(err, IRIS_E_DATA, "'%s' is not the record of a snapshot", path);
    memcpy(source->content, content, sizeof content);
    return IRIS_OK;
}

enum iris_status
iris_dataset_source(const struct iris_dataset *d, const char *digest, const char *snapshot,
                    struct iris_source *source, int *found, struct iris_err *err)
{
    struct iris_buf path = {0}, text = {0};
    enum iris_status st;

    *found = 0;
    iris_buf_printf(&path, "%s/", d->root);
    iris_entry_dir(&path, digest, NULL, snapshot);
    iris_buf_puts(&path, "/source.tsv");
    st = iris_buf_check(&path, err);
    if (!st && !access(path.data, F_OK)) {
        st = iris_read_file(path.data, 4096, &text, err);
        /* one that is too long is none; the sentence may get into a manifest,
         * which names nothing outside of the data set */
        if (!st || st == IRIS_E_DATA)
            st = parse_source(path.data + strlen(d->root) + 1, iris_buf_str(&text), source, err);
        *found = !st;
    }
    iris_buf_release(&path);
    iris_buf_release(&text);
    return st;
}

/* "p012.observed.npy" */
static int
parse_name(const char *name, uint32_t *point, enum iris_kind *kind)
{
    char text[IRIS_KINDS][32], digits[16];
    size_t n = strspn(name + (name[0] == 'p'), "0123456789");
    uint64_t v;
    int k;

    if (name[0] != 'p' || n < 3 || n >= sizeof digits || (n > 3 && name[1] == '0'))
        return -1;
    memcpy(digits, name + 1, n);
    digits[n] = '\0';
    if (iris_parse_u64(digits, &v) || v > UINT32_MAX)
        return -1;
    for (k = 0; k < IRIS_KINDS; k++) {
        snprintf(text[k], sizeof text[k], ".%s.npy", iris_kind_file((enum iris_kind)k));
        if (!strcmp(name + 1 + n, text[k])) {
            *point = (uint32_t)v;
            *kind = (enum iris_kind)k;
            return 0;
        }
    }
    return -1;
}

static int
is_temporary(const char *name)
{
    size_t n = strlen(name), s = strlen(IRIS_TMP_SUFFIX);

    return (n > s && !strcmp(name + n - s, IRIS_TMP_SUFFIX)) || strstr(name, IRIS_TMP_SUFFIX ".");
}

/* Remove a temporary file, unless a process that lives writes it. */
static void
sweep(int dir, const char *name)
{
    int fd = openat(dir, name, O_RDWR | O_CLOEXEC | O_NOFOLLOW);

    if (fd < 0 || !flock(fd, LOCK_EX | LOCK_NB))
        unlinkat(dir, name, 0);
    if (fd >= 0)
        close(fd);
}

enum iris_status
iris_dataset_done(const struct iris_dataset *d, const char *digest, const char *snapshot,
                  unsigned kinds, uint32_t n, unsigned char *done, struct iris_err *err)
{
    enum iris_status st = IRIS_OK;
    struct iris_buf path = {0};
    struct dirent *e;
    uint32_t i;
    DIR *dir;

    memset(done, 0, n);
    iris_buf_printf(&path, "%s/", d->root);
    iris_entry_dir(&path, digest, NULL, snapshot);
    st = iris_buf_check(&path, err);
    if (st)
        return st;
    dir = opendir(path.data);
    if (!dir) {
        if (errno != ENOENT)
            st = iris_fail(err, IRIS_E_IO, "cannot read directory '%s':", path.data);
        iris_buf_release(&path);
        return st;
    }
    while ((e = readdir(dir))) {
        enum iris_kind kind;
        uint32_t point;

        if (is_temporary(e->d_name) && !d->planned)
            sweep(dirfd(dir), e->d_name);
        else if (!parse_name(e->d_name, &point, &kind) && point < n)
            done[point] |= (unsigned char)(1u << kind);
    }
    closedir(dir);
    iris_buf_release(&path);
    for (i = 0; i < n; i++)
        done[i] = (done[i] & kinds) == kinds;
    return IRIS_OK;
}

/* Whether anything was made from the snapshot that is on record. */
static int
has_arrays(const struct iris_dataset *d, const char *digest, const char *snapshot)
{
    char *path = iris_format("%s/entries/%s", d->root, digest);
    DIR *dir = path ? opendir(path) : NULL;
    struct dirent *e;
    int found = 0;

    while (!found && dir && (e = readdir(dir))) {
        char *folder = iris_format("%s/%s/%s", path, e->d_name, snapshot);
        DIR *arrays = folder && e->d_name[0] != '.' ? opendir(folder) : NULL;
        struct dirent *a;
        enum iris_kind kind;
        uint32_t point;

        while (!found && arrays && (a = readdir(arrays)))
            found = !parse_name(a->d_name, &point, &kind);
        if (arrays)
            closedir(arrays);
        free(folder);
    }
    if (dir)
        closedir(dir);
    free(path);
    return found || !path;
}

static enum iris_status
write_source(const struct iris_dataset *d, const char *digest, const char *snapshot,
             const struct iris_source *source, struct iris_err *err)
{
    struct iris_buf text = {0};
    enum iris_status st;
    char *path = NULL;

    iris_buf_printf(&text, "%s%" PRIu64 "\t%s\n", source_header, source->bytes, source->content);
    st = iris_buf_check(&text, err);
    if (!st)
        st = prepare(d, digest, snapshot, "source.tsv", &path, err);
    if (!st)
        st = iris_write_file(path, text.data, text.len, err);
    iris_buf_release(&text);
    free(path);
    return st;
}

enum iris_status
iris_dataset_claim(const struct iris_dataset *d, const char *digest, const char *snapshot,
                   const struct iris_source *source, struct iris_err *err)
{
    struct iris_source old;
    enum iris_status st;
    int found, tries;

    for (tries = 0;; tries++) {
        st = iris_dataset_source(d, digest, snapshot, &old, &found, err);
        if (st)
            return st;
        if (found && !strcmp(old.content, source->content))
            return IRIS_OK;
        if (found && has_arrays(d, digest, snapshot))
            break;
        st = write_source(d, digest, snapshot, source, err);
        /* another rank has read the snapshot at the same time: see what it says */
        if (st != IRIS_E_RETRY || tries == WAITS)
            return st;
        nanosleep(&moment, NULL);
    }
    return iris_fail(err, IRIS_E_DATA,
                     "another snapshot was used under the id '%s' in this data set; give this one "
                     "another id with iris-list --label",
                     snapshot);
}
