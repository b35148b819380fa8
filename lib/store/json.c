#include "json.h"

#include <inttypes.h>
#include <stdint.h>
#include <stdlib.h>

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

/* Jansson takes memory that it cannot have for wrong text, and says so of a line where
 * nothing is wrong. Who asks for memory knows better; it is told to nobody else. */
static _Thread_local int is_out_of_memory;

static void *
allocate(size_t len)
{
    void *memory = malloc(len);

    if (!memory)
        is_out_of_memory = 1;
    return memory;
}

enum iris_status
iris_json_load(const char *text, size_t len, const char *name, json_t **v, struct iris_err *err)
{
    json_error_t why;
    json_t *loaded;

    json_set_alloc_funcs(allocate, free);
    is_out_of_memory = 0;
    loaded = json_loadb(text, len, JSON_REJECT_DUPLICATES | JSON_DECODE_ANY, &why);
    if (is_out_of_memory) {
        json_decref(loaded);
        return iris_fail_memory(err);
    }
    if (!loaded)
        return iris_fail(err, IRIS_E_DATA, "%s:%d: %s", name, why.line, why.text);
    *v = loaded;
    return IRIS_OK;
}
