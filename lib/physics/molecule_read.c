#include <ctype.h>
#include <math.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include "molecule.h"
#include "molecule_text.h"
#include "num.h"

#define GHZ_PER_PER_CM  29.9792458 /* c */
#define MISFIT          1e-3       /* of a frequency, relative */
#define CM3_PER_M3      1e6
#define PARTNER_NUMBERS 7

/* One row's levels and where they stand. */
struct row {
    struct iris_level_pair pair;
    size_t line;
};

/* ---- levels and transitions ---- */

static enum iris_status
read_level(struct iris_text *r, struct iris_molecule *m, size_t i)
{
    uint64_t number = 0;
    enum iris_status st;

    st = iris_text_content(r, "a level");
    if (!st)
        st = iris_text_whole(r, "level's number", &number);
    if (!st && number != i + 1)
        return iris_text_wrong(r, r->number, "level %llu stands where level %zu should",
                               (unsigned long long)number, i + 1);
    if (!st)
        st = iris_text_number(r, "level's energy", &m->energy[i]);
    if (!st)
        st = iris_text_number(r, "level's weight", &m->g[i]);
    if (st)
        return st;
    if (!(m->g[i] > 0))
        return iris_text_wrong(r, r->number, "the level's weight, %g, is not above 0", m->g[i]);
    if (i && m->energy[i] < m->energy[i - 1])
        iris_buf_printf(r->warnings, "%s:%zu: level %zu lies below level %zu\n", r->name, r->number,
                        i + 1, i);
    return IRIS_OK;
}

static enum iris_status
read_levels(struct iris_text *r, struct iris_molecule *m)
{
    enum iris_status st;
    size_t n, line, i;

    st = iris_text_count(r, "number of levels", &n);
    line = r->number;
    if (!st)
        st = iris_text_heading(r, "the levels");
    if (!st)
        st = iris_text_rows(r, "level", n, line);
    if (st)
        return st;
    m->n = n;
    m->energy = calloc(n, sizeof *m->energy);
    m->g = calloc(n, sizeof *m->g);
    if (!m->energy || !m->g)
        return iris_fail_memory(r->err);
    for (i = 0; i < n && !st; i++)
        st = read_level(r, m, i);
    return st;
}

static enum iris_status
take_level(struct iris_text *r, const struct iris_molecule *m, const char *what, size_t *level)
{
    uint64_t number = 0;
    enum iris_status st = iris_text_whole(r, what, &number);

    if (!st && (number < 1 || number > m->n))
        st = iris_text_wrong(r, r->number, "the %s is %llu, but levels are 1 to %zu", what,
                             (unsigned long long)number, m->n);
    *level = (size_t)number - 1;
    return st;
}

/* The row's own number, which nobody uses, and its two levels. */
static enum iris_status
take_pair(struct iris_text *r, const struct iris_molecule *m, struct row *row)
{
    struct iris_level_pair *p = &row->pair;
    enum iris_status st;
    uint64_t number;

    row->line = r->number;
    st = iris_text_whole(r, "row's number", &number);
    if (!st)
        st = take_level(r, m, "upper level", &p->upper);
    if (!st)
        st = take_level(r, m, "lower level", &p->lower);
    if (!st && (p->upper <= p->lower || m->energy[p->upper] < m->energy[p->lower]))
        st = iris_text_wrong(r, r->number, "upper level %zu is not above lower level %zu",
                             p->upper + 1, p->lower + 1);
    return st;
}

static int
by_levels(const void *a, const void *b)
{
    const struct row *p = a, *q = b;

    if (p->pair.upper != q->pair.upper)
        return p->pair.upper < q->pair.upper ? -1 : 1;
    if (p->pair.lower != q->pair.lower)
        return p->pair.lower < q->pair.lower ? -1 : 1;
    return p->line < q->line ? -1 : p->line > q->line;
}

/* Sort the rows; two of the same levels are a mistake. */
static enum iris_status
sort_rows(const struct iris_text *r, size_t n, struct row *rows)
{
    size_t i;

    qsort(rows, n, sizeof *rows, by_levels);
    for (i = 1; i < n; i++) {
        const struct row *a = &rows[i - 1], *b = &rows[i];

        if (a->pair.upper == b->pair.upper && a->pair.lower == b->pair.lower)
            return iris_text_wrong(r, b->line, "levels %zu and %zu stand in line %zu already",
                                   b->pair.upper + 1, b->pair.lower + 1, a->line);
    }
    return IRIS_OK;
}

static enum iris_status
read_transition(struct iris_text *r, const struct iris_molecule *m, struct row *row,
                struct iris_transition *t)
{
    enum iris_status st;
    double GHz;

    st = iris_text_content(r, "a transition");
    if (!st)
        st = take_pair(r, m, row);
    if (!st)
        st = iris_text_number(r, "Einstein coefficient", &t->A);
    if (!st)
        st = iris_text_number(r, "frequency", &t->GHz);
    if (st)
        return st;
    t->upper = row->pair.upper;
    t->lower = row->pair.lower;
    GHz = (m->energy[t->upper] - m->energy[t->lower]) * GHZ_PER_PER_CM;
    if (t->A < 0)
        return iris_text_wrong(r, r->number, "the Einstein coefficient, %g, is below 0", t->A);
    if (!(t->GHz > 0))
        return iris_text_wrong(r, r->number, "the frequency, %g, is not above 0", t->GHz);
    if (!(GHz > 0))
        return iris_text_wrong(r, r->number, "upper level %zu has the energy of lower level %zu",
                               t->upper + 1, t->lower + 1);
    if (fabs(t->GHz - GHz) > MISFIT * GHz)
        iris_buf_printf(r->warnings,
                        "%s:%zu: the frequency is %.10g GHz, but the energies of levels %zu and "
                        "%zu differ by %.10g GHz\n",
                        r->name, r->number, t->GHz, t->upper + 1, t->lower + 1, GHz);
    return IRIS_OK;
}

static enum iris_status
read_transitions(struct iris_text *r, struct iris_molecule *m)
{
    struct row *rows = NULL;
    enum iris_status st;
    size_t n, line, i;

    st = iris_text_count(r, "number of transitions", &n);
    line = r->number;
    if (!st)
        st = iris_text_heading(r, "the transitions");
    if (!st)
        st = iris_text_rows(r, "transition", n, line);
    if (st)
        return st;
    m->n_transitions = n;
    m->transition = calloc(n, sizeof *m->transition);
    rows = calloc(n, sizeof *rows);
    if (!m->transition || !rows)
        st = iris_fail_memory(r->err);
    for (i = 0; i < n && !st; i++)
        st = read_transition(r, m, &rows[i], &m->transition[i]);
    if (!st)
        st = sort_rows(r, n, rows);
    free(rows);
    return st;
}

/* ---- collisions ---- */

static enum iris_status
read_temperatures(struct iris_text *r, struct iris_collisions *c)
{
    enum iris_status st;
    size_t n, k;

    st = iris_text_count(r, "number of temperatures", &n);
    if (!st)
        st = iris_text_section(r, "the temperatures");
    if (st)
        return st;
    k = iris_text_words_left(r);
    if (k < n)
        return iris_text_wrong(r, r->number, "the line has %zu of %zu temperatures", k, n);
    c->n_T = n;
    c->T = calloc(n, sizeof *c->T);
    if (!c->T)
        return iris_fail_memory(r->err);
    st = iris_text_numbers(r, "temperature", n, c->T);
    if (!st && !(c->T[0] > 0))
        st = iris_text_wrong(r, r->number, "a temperature of %g is not above 0", c->T[0]);
    for (k = 1; k < n && !st; k++) {
        if (!(c->T[k] > c->T[k - 1]))
            st = iris_text_wrong(r, r->number, "temperatures do not increase from %g to %g",
                                 c->T[k - 1], c->T[k]);
    }
    return st;
}

static enum iris_status
read_rate(struct iris_text *r, const struct iris_molecule *m, struct iris_collisions *c, size_t i,
          struct row *row)
{
    double *rate = c->rate + i * c->n_T;
    enum iris_status st;
    size_t k;

    st = iris_text_content(r, "a row of rates");
    if (!st)
        st = take_pair(r, m, row);
    if (!st)
        st = iris_text_numbers(r, "rate", c->n_T, rate);
    c->pair[i] = row->pair;
    for (k = 0; k < c->n_T && !st; k++) {
        if (rate[k] < 0)
            st = iris_text_wrong(r, r->number, "a rate of %g is below 0", rate[k]);
        rate[k] /= CM3_PER_M3;
    }
    return st;
}

/* Levels without rates between others that have some are rather misnamed than
 * without rates. */
static void
warn_of_gap(const struct iris_text *r, size_t n, const struct row *rows)
{
    size_t i, from, to;

    for (i = 1; i < n; i++) {
        from = rows[i - 1].pair.upper + 1;
        to = rows[i].pair.upper + 1;
        if (to > from + 1) {
            iris_buf_printf(r->warnings,
                            "%s:%zu: the upper levels of the rates run to %zu, then comes %zu: "
                            "is %zu meant?\n",
                            r->name, rows[i].line, from, to, from + 1);
            return;
        }
    }
}

static enum iris_status
read_rates(struct iris_text *r, const struct iris_molecule *m, size_t line,
           struct iris_collisions *c)
{
    struct row *rows;
    enum iris_status st;
    size_t i, all;

    st = iris_text_rows(r, "rate", c->n, line);
    if (st)
        return st;
    /* each takes a digit and a blank */
    if (iris_mul_size(c->n, c->n_T, &all) || all > (size_t)(r->end - r->rest) / 2)
        return iris_text_wrong(r, line, "the rows are too short for %zu temperatures", c->n_T);
    c->pair = calloc(c->n, sizeof *c->pair);
    c->rate = calloc(all, sizeof *c->rate);
    rows = calloc(c->n, sizeof *rows);
    if (!c->pair || !c->rate || !rows)
        st = iris_fail_memory(r->err);
    for (i = 0; i < c->n && !st; i++)
        st = read_rate(r, m, c, i, &rows[i]);
    if (!st)
        st = sort_rows(r, c->n, rows);
    if (!st)
        warn_of_gap(r, c->n, rows);
    free(rows);
    return st;
}

static enum iris_status
read_collisions(struct iris_text *r, const struct iris_molecule *m, struct iris_collisions *c)
{
    enum iris_status st;
    size_t line;

    st = iris_text_count(r, "number of rates", &c->n);
    line = r->number;
    if (!st)
        st = read_temperatures(r, c);
    if (!st)
        st = iris_text_heading(r, "the rates");
    return st ? st : read_rates(r, m, line, c);
}

/* One partner's block after its heading. seen: lines by the file's numbers, or 0. */
static enum iris_status
read_partner(struct iris_text *r, struct iris_molecule *m, size_t seen[PARTNER_NUMBERS + 1])
{
    static const char *const name[] = {"",          "H2", "para-H2", "ortho-H2",
                                       "electrons", "H",  "He",      "H+"};
    static const int partner[] = {-1, IRIS_H2, IRIS_PARA_H2, IRIS_ORTHO_H2,
                                  -1, IRIS_H,  IRIS_HE,      -1};
    struct iris_collisions *c, unused = {0};
    enum iris_status st = iris_text_content(r, "a collision partner");
    int number;

    if (st)
        return st;
    number = *r->line - '0';
    if (number < 1 || number > PARTNER_NUMBERS ||
        (r->line + 1 < r->line_end && isdigit((unsigned char)r->line[1])))
        return iris_text_wrong(r, r->number,
                               "expected a collision partner, 1 to 7 and a name, not '%.*s'",
                               iris_text_shown(r), r->line);
    if (seen[number])
        return iris_text_wrong(r, r->number, "collisions with %s stand in line %zu already",
                               name[number], seen[number]);
    seen[number] = r->number;
    if (partner[number] < 0)
        iris_buf_printf(r->warnings, "%s:%zu: collisions with %s are not used\n", r->name,
                        r->number, name[number]);
    c = partner[number] < 0 ? &unused : &m->with[partner[number]];
    st = read_collisions(r, m, c);
    free(unused.T);
    free(unused.pair);
    free(unused.rate);
    return st;
}

static int
names_collisions(const struct iris_text *r)
{
    static const char word[] = "collision";
    const char *p;

    for (p = r->line; p + strlen(word) <= r->line_end; p++) {
        if (!strncasecmp(p, word, strlen(word)))
            return 1;
    }
    return 0;
}

/* Step over the heading of another partner, if there is one: one that is not
 * followed by another heading, as those of notes are. */
static int
next_partner(struct iris_text *r, int promised)
{
    struct iris_text ahead = *r, after;

    if (!iris_text_next(&ahead))
        return 0;
    after = ahead;
    if (!iris_text_next(&after) || *after.line == '!')
        return 0;
    if (!promised && !(names_collisions(&ahead) && isdigit((unsigned char)*after.line)))
        return 0;
    *r = ahead;
    return 1;
}

static enum iris_status
read_partners(struct iris_text *r, struct iris_molecule *m)
{
    size_t seen[PARTNER_NUMBERS + 1] = {0};
    size_t promised, line, n = 0, i;
    enum iris_status st;
    struct iris_text ahead;

    st = iris_text_count(r, "number of collision partners", &promised);
    line = r->number;
    if (!st)
        st = iris_text_heading(r, "a collision partner");
    while (!st) {
        st = read_partner(r, m, seen);
        n++;
        if (st || !next_partner(r, n < promised))
            break;
    }
    if (st || n == promised)
        return st;
    /* what follows the partners are notes, be they two lines: a file with them is whole */
    ahead = *r;
    for (i = 0; i < 2 && n < promised; i++) {
        if (!iris_text_next(&ahead))
            return iris_text_wrong(
                r, ahead.number, "the file ends after %zu of %zu collision partners", n, promised);
    }
    iris_buf_printf(r->warnings,
                    "%s:%zu: the number of collision partners is %zu here, but there are %zu\n",
                    r->name, line, promised, n);
    return IRIS_OK;
}

/* ---- the file ---- */

static enum iris_status
check_H2(const struct iris_text *r, const struct iris_molecule *m)
{
    static const char *const name[] = {[IRIS_PARA_H2] = "para-H2", [IRIS_ORTHO_H2] = "ortho-H2"};
    int p;

    for (p = IRIS_PARA_H2; p <= IRIS_ORTHO_H2; p++) {
        if (!m->with[p].n_T && !m->with[IRIS_H2].n_T)
            return iris_text_wrong(r, r->number,
                                   "no rates for collisions with %s, and none with H2", name[p]);
    }
    return IRIS_OK;
}

static enum iris_status
read_molecule(struct iris_text *r, struct iris_molecule *m)
{
    enum iris_status st;

    st = iris_text_section(r, "the molecule's name");
    if (!st) {
        m->name = strndup(r->line, (size_t)(r->line_end - r->line));
        if (!m->name)
            return iris_fail_memory(r->err);
        st = iris_text_section(r, "the molecular weight");
    }
    if (!st)
        st = iris_text_number(r, "molecular weight", &m->weight);
    if (!st && !(m->weight > 0))
        st = iris_text_wrong(r, r->number, "the molecular weight, %g, is not above 0", m->weight);
    if (!st)
        st = read_levels(r, m);
    if (!st)
        st = read_transitions(r, m);
    if (!st)
        st = read_partners(r, m);
    return st ? st : check_H2(r, m);
}

/* Further on everything is a string. */
static enum iris_status
check_text(struct iris_text *r)
{
    const char *p,
        *nul = r->rest < r->end ? memchr(r->rest, '\0', (size_t)(r->end - r->rest)) : NULL;
    size_t line = 1;

    if (!nul)
        return IRIS_OK;
    for (p = r->rest; p < nul; p++)
        line += *p == '\n';
    return iris_text_wrong(r, line, "a byte of this line is 0: this is no text");
}

enum iris_status
iris_molecule_parse(const char *text, size_t len, const char *name, struct iris_molecule *m,
                    struct iris_buf *warnings, struct iris_err *err)
{
    struct iris_err unheard = {0};
    struct iris_text r = {
        .rest = text,
        .end = len ? text + len : text,
        .name = name,
        .warnings = warnings,
        .err = err ? err : &unheard,
    };
    enum iris_status st;

    *m = (struct iris_molecule){0};
    st = check_text(&r);
    if (!st)
        st = read_molecule(&r, m);
    if (!st)
        st = iris_buf_check(warnings, r.err);
    if (st)
        iris_molecule_release(m);
    return st;
}
