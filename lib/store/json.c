#include "json.h"

#include <inttypes.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "num.h"

#define ONE_LINE (-1) /* instead of a depth of indentation */

static uint32_t
next_code_point(const unsigned char **p)
{
    const unsigned char *s = *p;
    unsigned more = s[0] < 0x80 ? 0 : s[0] < 0xe0 ? 1 : s[0] < 0xf0 ? 2 : 3;
    uint32_t c = more ? s[0] & (0x3fu >> more) : s[0];
    unsigned i;

    for (i = 1; i <= more; i++)
        c = c << 6 | (s[i] & 0x3fu);
    *p = s + more + 1;
    return c;
}

static const char *
short_escape(uint32_t c)
{
    switch (c) {
    case '"':
        return "\\\"";
    case '\\':
        return "\\\\";
    case '\n':
        return "\\n";
    case '\r':
        return "\\r";
    case '\t':
        return "\\t";
    case '\f':
        return "\\f";
    case '\b':
        return "\\b";
    default:
        return NULL;
    }
}

static void
put_string(const char *s, size_t len, struct iris_buf *out)
{
    const unsigned char *p = (const unsigned char *)s, *end = p + len;

    iris_buf_putc(out, '"');
    while (p < end) {
        uint32_t c = next_code_point(&p);
        const char *escape = short_escape(c);

        if (escape)
            iris_buf_puts(out, escape);
        else if (c >= ' ' && c <= '~')
            iris_buf_putc(out, (char)c);
        else if (c < 0x10000)
            iris_buf_printf(out, "\\u%04" PRIx32, c);
        else
            iris_buf_printf(out, "\\u%04" PRIx32 "\\u%04" PRIx32, 0xd800 + ((c - 0x10000) >> 10),
                            0xdc00 + ((c - 0x10000) & 0x3ff));
    }
    iris_buf_putc(out, '"');
}

static void
break_line(int depth, struct iris_buf *out)
{
    int i;

    if (depth == ONE_LINE)
        return;
    iris_buf_putc(out, '\n');
    for (i = 0; i < depth; i++)
        iris_buf_puts(out, "    ");
}

static void put(const json_t *v, int depth, struct iris_buf *out);

static void
put_array(const json_t *v, int depth, struct iris_buf *out)
{
    int inner = depth == ONE_LINE ? ONE_LINE : depth + 1;
    size_t i;

    iris_buf_putc(out, '[');
    for (i = 0; i < json_array_size(v); i++) {
        if (i)
            iris_buf_puts(out, depth == ONE_LINE ? ", " : ",");
        break_line(inner, out);
        put(json_array_get(v, i), inner, out);
    }
    if (i)
        break_line(depth, out);
    iris_buf_putc(out, ']');
}

static void
put_object(const json_t *v, int depth, struct iris_buf *out)
{
    int inner = depth == ONE_LINE ? ONE_LINE : depth + 1;
    json_t *object = (json_t *)v; /* jansson's iterators take no const */
    void *it = json_object_iter(object);
    size_t n = 0;

    iris_buf_putc(out, '{');
    for (; it; it = json_object_iter_next(object, it)) {
        if (n++)
            iris_buf_puts(out, depth == ONE_LINE ? ", " : ",");
        break_line(inner, out);
        put_string(json_object_iter_key(it), json_object_iter_key_len(it), out);
        iris_buf_puts(out, ": ");
        put(json_object_iter_value(it), inner, out);
    }
    if (n)
        break_line(depth, out);
    iris_buf_putc(out, '}');
}

static void
put(const json_t *v, int depth, struct iris_buf *out)
{
    char text[IRIS_F64_TEXT];

    switch (json_typeof(v)) {
    case JSON_OBJECT:
        put_object(v, depth, out);
        break;
    case JSON_ARRAY:
        put_array(v, depth, out);
        break;
    case JSON_STRING:
        put_string(json_string_value(v), json_string_length(v), out);
        break;
    case JSON_INTEGER:
        iris_buf_printf(out, "%" JSON_INTEGER_FORMAT, json_integer_value(v));
        break;
    case JSON_REAL:
        iris_buf_puts(out, iris_format_f64(json_real_value(v), text));
        break;
    case JSON_TRUE:
        iris_buf_puts(out, "true");
        break;
    case JSON_FALSE:
        iris_buf_puts(out, "false");
        break;
    case JSON_NULL:
        iris_buf_puts(out, "null");
        break;
    }
}

void
iris_json_print(const json_t *v, struct iris_buf *out)
{
    put(v, 0, out);
}

void
iris_json_compact(const json_t *v, struct iris_buf *out)
{
    put(v, ONE_LINE, out);
}

/* ---- reading ----
 *
 * Jansson does not bear to be refused memory: it calls the text wrong, at some line or
 * none, or goes on behind the end of what it has. So while it reads, it is given from
 * a reserve what there is no other memory for, and no more text; then nothing of what
 * it has read is taken. A string that is longer than the reserve may be called wrong.
 */
enum { RESERVE = 96 << 10, GRAIN = 16 }; /* bytes; Jansson takes text by the KiB */

static _Thread_local struct {
    char *memory; /* NULL: nothing is read */
    size_t used;
    int is_used;
} reserve;

static void *
allocate(size_t len)
{
    void *memory = malloc(len);

    if (memory || !reserve.memory)
        return memory;
    reserve.is_used = 1;
    if (len > RESERVE - GRAIN - reserve.used)
        return NULL;
    memory = reserve.memory + reserve.used;
    reserve.used += (len + GRAIN - 1) / GRAIN * GRAIN;
    return memory;
}

static void
release(void *memory)
{
    uintptr_t at = (uintptr_t)memory, from = (uintptr_t)reserve.memory;

    if (!from || at < from || at >= from + RESERVE)
        free(memory);
}

/* What is left of a text. */
struct text {
    const char *at;
    size_t len;
};

static size_t
give_text(void *buffer, size_t most, void *self)
{
    struct text *t = self;
    size_t n = t->len < most ? t->len : most;

    if (reserve.is_used)
        return (size_t)-1;
    if (n)
        memcpy(buffer, t->at, n);
    t->at += n;
    t->len -= n;
    return n;
}

enum iris_status
iris_json_load(const char *text, size_t len, const char *name, json_t **v, struct iris_err *err)
{
    struct text t = {text, len};
    enum iris_status st = IRIS_OK;
    json_error_t why;
    json_t *loaded;

    json_set_alloc_funcs(allocate, release);
    reserve.memory = malloc(RESERVE);
    if (!reserve.memory)
        return iris_fail_memory(err);
    reserve.used = 0;
    reserve.is_used = 0;
    loaded = json_load_callback(give_text, &t, JSON_REJECT_DUPLICATES | JSON_DECODE_ANY, &why);
    if (reserve.is_used) {
        json_decref(loaded);
        st = iris_fail_memory(err);
    } else if (!loaded) {
        st = iris_fail(err, IRIS_E_DATA, "%s:%d: %s", name, why.line, why.text);
    }
    free(reserve.memory);
    reserve.memory = NULL;
    if (!st)
        *v = loaded;
    return st;
}
