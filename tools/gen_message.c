#include "gen_message.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "num.h"

/* Strings in a row, each with its NUL; a string that is missing reads as "". */

static void
put(struct iris_buf *b, const char *s)
{
    iris_buf_append(b, s, strlen(s) + 1);
}

static void
put_number(struct iris_buf *b, uint64_t v)
{
    char text[24];

    snprintf(text, sizeof text, "%" PRIu64, v);
    put(b, text);
}

/* To a microsecond. */
static void
put_seconds(struct iris_buf *b, double v)
{
    put_number(b, v > 0 ? (uint64_t)(v * 1e6 + 0.5) : 0);
}

static const char *
take(const struct iris_buf *b, size_t *at)
{
    const char *s = b->data + *at;

    if (*at >= b->len || !memchr(s, '\0', b->len - *at))
        return "";
    *at += strlen(s) + 1;
    return s;
}

static uint64_t
take_number(const struct iris_buf *b, size_t *at)
{
    uint64_t v = 0;

    iris_parse_u64(take(b, at), &v);
    return v;
}

static double
take_seconds(const struct iris_buf *b, size_t *at)
{
    return (double)take_number(b, at) * 1e-6;
}

static void
put_spent(struct iris_buf *b, const struct iris_spent *s)
{
    int i;

    for (i = 0; i < IRIS_PHASES; i++)
        put_seconds(b, s->seconds[i]);
    put_number(b, s->read);
    put_number(b, s->written);
}

static void
take_spent(const struct iris_buf *b, size_t *at, struct iris_spent *s)
{
    int i;

    for (i = 0; i < IRIS_PHASES; i++)
        s->seconds[i] = take_seconds(b, at);
    s->read = take_number(b, at);
    s->written = take_number(b, at);
}

void
gen_result_release(struct gen_result *r)
{
    iris_buf_release(&r->warnings);
    free(r->strips);
    r->strips = NULL;
}

enum iris_status
gen_write_task(struct iris_buf *b, const struct gen_task *t, struct iris_err *err)
{
    iris_buf_putc(b, GEN_TASK);
    put_number(b, (uint64_t)t->kind);
    put(b, t->id);
    put(b, t->path);
    put_number(b, t->files);
    put_number(b, t->point);
    put_number(b, t->lon0);
    put_number(b, t->lon1);
    put(b, t->changes);
    put(b, t->digest);
    put_number(b, t->on_gpu != 0);
    return iris_buf_check(b, err);
}

void
gen_read_task(const struct iris_buf *b, struct gen_task *t)
{
    size_t at = 1;

    t->kind = (enum gen_kind)take_number(b, &at);
    t->id = take(b, &at);
    t->path = take(b, &at);
    t->files = take_number(b, &at);
    t->point = (uint32_t)take_number(b, &at);
    t->lon0 = take_number(b, &at);
    t->lon1 = take_number(b, &at);
    t->changes = take(b, &at);
    t->digest = take(b, &at);
    t->on_gpu = take_number(b, &at) != 0;
}

enum iris_status
gen_write_result(struct iris_buf *b, const struct gen_result *r, struct iris_err *err)
{
    put_number(b, (uint64_t)r->status);
    put_number(b, (uint64_t)r->scope);
    put(b, r->message);
    put(b, iris_buf_str(&r->warnings));
    put_number(b, (uint64_t)r->gas);
    put_seconds(b, r->seconds);
    put_spent(b, &r->spent);
    put_number(b, r->peak);
    put_number(b, r->own);
    put(b, r->gpu);
    put_number(b, r->gpu_peak);
    put_seconds(b, r->waited);
    if (!r->status && r->strips)
        iris_buf_append(b, r->strips, r->n_strips * sizeof *r->strips);
    return iris_buf_check(b, err);
}

enum iris_status
gen_read_result(const struct iris_buf *b, struct gen_result *r, struct iris_err *err)
{
    size_t at = 0, bytes;

    *r = (struct gen_result){.status = (enum iris_status)take_number(b, &at)};
    r->scope = (enum gen_scope)take_number(b, &at);
    snprintf(r->message, sizeof r->message, "%s", take(b, &at));
    iris_buf_puts(&r->warnings, take(b, &at));
    r->gas = take_number(b, &at) != 0;
    r->seconds = take_seconds(b, &at);
    take_spent(b, &at, &r->spent);
    r->peak = take_number(b, &at);
    r->own = take_number(b, &at);
    snprintf(r->gpu, sizeof r->gpu, "%s", take(b, &at));
    r->gpu_peak = take_number(b, &at);
    r->waited = take_seconds(b, &at);
    bytes = b->len - at;
    if (!bytes)
        return IRIS_OK;
    r->strips = malloc(bytes);
    if (!r->strips)
        return iris_fail_memory(err);
    memcpy(r->strips, b->data + at, bytes);
    r->n_strips = bytes / sizeof *r->strips;
    return IRIS_OK;
}

void
gen_write_break(struct iris_buf *b)
{
    iris_buf_putc(b, GEN_BREAK);
}

void
gen_write_forget(struct iris_buf *b)
{
    iris_buf_putc(b, GEN_FORGET);
}

void
gen_write_end(struct iris_buf *b, enum iris_status status)
{
    iris_buf_putc(b, GEN_END);
    put_number(b, (uint64_t)status);
}

enum iris_status
gen_read_end(const struct iris_buf *b)
{
    size_t at = 1;

    return (enum iris_status)take_number(b, &at);
}
