#include "snapname.h"

#include <ctype.h>
#include <inttypes.h>
#include <string.h>

#include "num.h"

static const char *const suffixes[] = {".hdf5", ".h5"};

/* The digits that end s[0..len); 0 when there are none or too many. */
static size_t
digits_at_end(const char *s, size_t len, uint64_t *value)
{
    char text[24];
    size_t n = 0;

    while (n < len && isdigit((unsigned char)s[len - 1 - n]))
        n++;
    if (n == 0 || n >= sizeof text)
        return 0;
    memcpy(text, s + len - n, n);
    text[n] = '\0';
    return iris_parse_u64(text, value) ? 0 : n;
}

int
iris_snapname_parse(const char *path, struct iris_snapname *n)
{
    size_t len = strlen(path), i;
    const char *base;

    *n = (struct iris_snapname){0};
    for (i = 0; i < len; i++) {
        if (path[i] == '/' || path[i] == '\\')
            n->dir = i + 1;
    }
    base = path + n->dir;
    len -= n->dir;
    for (i = 0; i < sizeof suffixes / sizeof suffixes[0]; i++) {
        size_t s = strlen(suffixes[i]);

        if (len > s && !strcmp(base + len - s, suffixes[i])) {
            memcpy(n->suffix, suffixes[i], s + 1);
            n->stem = len - s;
            break;
        }
    }
    if (!n->stem)
        return -1;
    i = digits_at_end(base, n->stem, &n->part);
    if (i && n->stem > i + 1 && base[n->stem - i - 1] == '.' &&
        isdigit((unsigned char)base[n->stem - i - 2])) {
        n->is_part = 1;
        n->stem -= i + 1;
    }
    n->has_index = digits_at_end(base, n->stem, &n->index) > 0;
    return 0;
}

static int
is_plain(char c)
{
    return isalnum((unsigned char)c) || c == '.' || c == '_' || c == '-';
}

static void
encode(const char *s, size_t len, struct iris_buf *id)
{
    size_t i;

    for (i = 0; i < len; i++) {
        if (is_plain(s[i]) && !(s[i] == '.' && id->len == 0))
            iris_buf_putc(id, s[i]);
        else
            iris_buf_printf(id, "=%02X", (unsigned)(unsigned char)s[i]);
    }
}

void
iris_snapname_id(const char *label, const char *stem, size_t len, struct iris_buf *id)
{
    if (label)
        encode(label, strlen(label), id);
    encode(stem, len, id);
}

int
iris_snapname_is_id(const char *s)
{
    if (!*s || *s == '.' || strlen(s) > 200)
        return 0;
    for (; *s; s++) {
        if (!is_plain(*s) && *s != '=')
            return 0;
    }
    return 1;
}

void
iris_snapname_part(const char *path, uint64_t k, struct iris_buf *out)
{
    struct iris_snapname n;

    if (iris_snapname_parse(path, &n) || !n.is_part) {
        iris_buf_puts(out, path);
        return;
    }
    iris_buf_append(out, path, n.dir + n.stem);
    iris_buf_printf(out, ".%" PRIu64 "%s", k, n.suffix);
}
