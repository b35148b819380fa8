#include "molecule_text.h"

#include <ctype.h>
#include <math.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "num.h"

#define WORD  64
#define SHOWN 40

enum iris_status
iris_text_wrong(const struct iris_text *t, size_t line, const char *fmt, ...)
{
    char sentence[512];
    va_list ap;

    va_start(ap, fmt);
    vsnprintf(sentence, sizeof sentence, fmt, ap);
    va_end(ap);
    return iris_fail(t->err, IRIS_E_DATA, "%s:%zu: %s", t->name, line ? line : 1, sentence);
}

static int
is_blank(char c)
{
    return isspace((unsigned char)c);
}

int
iris_text_next(struct iris_text *t)
{
    while (t->rest < t->end) {
        const char *eol = memchr(t->rest, '\n', (size_t)(t->end - t->rest));

        t->line = t->rest;
        t->line_end = eol ? eol : t->end;
        t->rest = eol ? eol + 1 : t->end;
        t->cut = !eol;
        t->number++;
        while (t->line < t->line_end && is_blank(*t->line))
            t->line++;
        while (t->line < t->line_end && is_blank(t->line_end[-1]))
            t->line_end--;
        if (t->line < t->line_end)
            return 1;
    }
    return 0;
}

int
iris_text_shown(const struct iris_text *t)
{
    return t->line_end - t->line < SHOWN ? (int)(t->line_end - t->line) : SHOWN;
}

enum iris_status
iris_text_heading(struct iris_text *t, const char *what)
{
    if (!iris_text_next(t))
        return iris_text_wrong(t, t->number, "the file ends where the heading of %s should be",
                               what);
    if (*t->line != '!')
        return iris_text_wrong(t, t->number,
                               "expected the heading of %s, which begins with '!', not '%.*s'",
                               what, iris_text_shown(t), t->line);
    return IRIS_OK;
}

enum iris_status
iris_text_content(struct iris_text *t, const char *what)
{
    if (!iris_text_next(t))
        return iris_text_wrong(t, t->number, "the file ends where %s should be", what);
    if (*t->line == '!')
        return iris_text_wrong(t, t->number, "expected %s, not the heading '%.*s'", what,
                               iris_text_shown(t), t->line);
    if (t->cut)
        return iris_text_wrong(t, t->number, "the file is cut short: its last line does not end");
    return IRIS_OK;
}

enum iris_status
iris_text_section(struct iris_text *t, const char *what)
{
    enum iris_status st = iris_text_heading(t, what);

    return st ? st : iris_text_content(t, what);
}

enum iris_status
iris_text_rows(const struct iris_text *t, const char *what, size_t promised, size_t line)
{
    struct iris_text ahead = *t;
    size_t rows = 0;
    int more;

    while ((more = iris_text_next(&ahead)) && *ahead.line != '!')
        rows++;
    if (rows < promised && !more)
        return iris_text_wrong(t, ahead.number, "the file ends after %zu of %zu %ss", rows,
                               promised, what);
    if (rows != promised)
        return iris_text_wrong(t, line, "the number of %ss is %zu here, but there are %zu", what,
                               promised, rows);
    return IRIS_OK;
}

/* A word too long for a number is shortened to something that is none. */
static int
take_word(struct iris_text *t, char word[WORD])
{
    const char *from;
    size_t n;

    while (t->line < t->line_end && is_blank(*t->line))
        t->line++;
    from = t->line;
    while (t->line < t->line_end && !is_blank(*t->line))
        t->line++;
    n = (size_t)(t->line - from);
    if (n < WORD) {
        memcpy(word, from, n);
        word[n] = '\0';
    } else {
        memcpy(word, from, WORD - 4);
        memcpy(word + WORD - 4, "...", 4);
    }
    return n > 0;
}

size_t
iris_text_words_left(const struct iris_text *t)
{
    struct iris_text ahead = *t;
    char word[WORD];
    size_t n = 0;

    while (take_word(&ahead, word))
        n++;
    return n;
}

/* A number, if perhaps not a finite one; -1 when the word is none. */
static int
scan(const char *word, double *v)
{
    char text[WORD], *end;
    size_t i;

    for (i = 0; word[i]; i++)
        text[i] = (char)(word[i] == 'D' || word[i] == 'd' ? 'e' : word[i]);
    text[i] = '\0';
    *v = strtod(text, &end);
    return end == text || *end || strpbrk(text, "xX") ? -1 : 0;
}

static enum iris_status
to_number(const struct iris_text *t, const char *what, const char *word, double *v)
{
    if (scan(word, v))
        return iris_text_wrong(t, t->number, "the %s is not a number but '%s'", what, word);
    if (!isfinite(*v))
        return iris_text_wrong(t, t->number, "the %s is not finite: '%s'", what, word);
    return IRIS_OK;
}

enum iris_status
iris_text_number(struct iris_text *t, const char *what, double *v)
{
    char word[WORD];

    if (!take_word(t, word))
        return iris_text_wrong(t, t->number, "the %s is missing", what);
    return to_number(t, what, word, v);
}

enum iris_status
iris_text_whole(struct iris_text *t, const char *what, uint64_t *v)
{
    char word[WORD];

    if (!take_word(t, word))
        return iris_text_wrong(t, t->number, "the %s is missing", what);
    if (iris_parse_u64(word, v))
        return iris_text_wrong(t, t->number, "the %s is not a whole number but '%s'", what, word);
    return IRIS_OK;
}

enum iris_status
iris_text_numbers(struct iris_text *t, const char *what, size_t n, double *v)
{
    enum iris_status st = IRIS_OK;
    char word[WORD];
    double more;
    size_t i;

    for (i = 0; i < n && !st; i++) {
        if (take_word(t, word))
            st = to_number(t, what, word, &v[i]);
        else
            st = iris_text_wrong(t, t->number, "the line has %zu of %zu %ss", i, n, what);
    }
    if (!st && take_word(t, word) && !scan(word, &more))
        st = iris_text_wrong(t, t->number, "the line has more %ss than the %zu promised", what, n);
    return st;
}

enum iris_status
iris_text_count(struct iris_text *t, const char *what, size_t *n)
{
    char whole[64] = "the ";
    enum iris_status st;
    uint64_t v = 0;

    *n = 0;
    st = iris_text_section(t, strncat(whole, what, sizeof whole - 5));
    if (!st)
        st = iris_text_whole(t, what, &v);
    if (!st && (v < 1 || v > SIZE_MAX))
        st = iris_text_wrong(t, t->number, "the %s is %llu", what, (unsigned long long)v);
    *n = (size_t)v;
    return st;
}
