/* Molecular files: read, written, read again; broken ones, each by its line; and
 * the made-up molecule. */
#include "check.h"

#include "file.h"
#include "mock_molecule.h"
#include "molecule.h"

/* A file that is as it should be, line 1 first. */
static const char *const good[] = {
    "!MOLECULE",
    "XY",
    "!MOLECULAR WEIGHT",
    "29.0",
    "!NUMBER OF ENERGY LEVELS",
    "4",
    "!LEVEL + ENERGIES(cm^-1) + WEIGHT + J",
    "    1   0.0   1.0  0",
    "    2   1.0   3.0  1",
    "    3   3.0   5.0  2",
    "    4   6.0   7.0  3",
    "!NUMBER OF RADIATIVE TRANSITIONS",
    "3",
    "!TRANS + UP + LOW + EINSTEINA(s^-1) + FREQ(GHz) + E_u(K)",
    "    1   2   1   1.25E-07   29.979   1.44",
    "    2   3   2   6.5E-07    59.958   4.32",
    "    3   4   3   2.0E-06    89.938   8.63",
    "!NUMBER OF COLL PARTNERS",
    "2",
    "!COLLISIONS BETWEEN",
    "2 XY-pH2 from nowhere",
    "!NUMBER OF COLL TRANS",
    "3",
    "!NUMBER OF COLL TEMPS",
    "2",
    "!COLL TEMPS",
    "   10.0   20.0",
    "!TRANS + UP + LOW + COLLRATES(cm^3 s^-1)",
    "    1   2   1   1.5E-11 2.5E-11",
    "    2   3   1   3.5E-11 4.5E-11",
    "    3   4   3   5.5E-11 6.5E-11",
    "!COLLISIONS BETWEEN",
    "3 XY-oH2 from nowhere",
    "!NUMBER OF COLL TRANS",
    "1",
    "!NUMBER OF COLL TEMPS",
    "1",
    "!COLL TEMPS",
    "   10.0",
    "!TRANS + UP + LOW + COLLRATES(cm^3 s^-1)",
    "    1   2   1   7.5E-11",
    "!NOTES",
    "! and more of them",
};
#define LINES       (sizeof good / sizeof *good)
#define LAST_NEEDED 41 /* what comes below are notes */

/* What became of a text. */
struct outcome {
    enum iris_status st;
    struct iris_err err;
    struct iris_buf warnings;
    struct iris_molecule m;
};

static struct outcome
parse(const char *text, size_t len)
{
    struct outcome o = {0};
    char *copy = malloc(len ? len : 1);

    /* a block of just this size, so that reading on would be noticed */
    if (!copy)
        exit(1);
    if (len)
        memcpy(copy, text, len);
    o.st = iris_molecule_parse(copy, len, "f.dat", &o.m, &o.warnings, &o.err);
    free(copy);
    return o;
}

static void
drop(struct outcome *o)
{
    if (!o->st)
        iris_molecule_release(&o->m);
    iris_buf_release(&o->warnings);
}

/* The good file with lines replaced: pairs of a number and a text, or NULL for
 * nothing, until a number 0. */
struct change {
    size_t line;
    const char *text;
};

static struct iris_buf
changed(const struct change *c, size_t n, const char *eol)
{
    struct iris_buf b = {0};
    size_t i, k;

    for (i = 1; i <= LINES; i++) {
        const char *text = good[i - 1];

        for (k = 0; k < n; k++)
            text = c[k].line == i ? c[k].text : text;
        if (text) {
            iris_buf_puts(&b, text);
            iris_buf_puts(&b, eol);
        }
    }
    return b;
}

static struct outcome
parse_changed(const struct change *c, size_t n)
{
    struct iris_buf b = changed(c, n, "\n");
    struct outcome o = parse(b.data, b.len);

    iris_buf_release(&b);
    return o;
}

/* The warnings on one line, for one message at a time. */
static const char *
warned(const struct outcome *o)
{
    static char line[512];
    char *p;

    snprintf(line, sizeof line, "%s", iris_buf_str(&o->warnings));
    for (p = line; (p = strchr(p, '\n'));)
        *p = '|';
    return line;
}

static int
same_collisions(const struct iris_collisions *a, const struct iris_collisions *b)
{
    if (a->n_T != b->n_T || a->n != b->n)
        return 0;
    return !a->n_T || (!memcmp(a->T, b->T, a->n_T * sizeof *a->T) &&
                       !memcmp(a->pair, b->pair, a->n * sizeof *a->pair) &&
                       !memcmp(a->rate, b->rate, a->n * a->n_T * sizeof *a->rate));
}

static int
same(const struct iris_molecule *a, const struct iris_molecule *b)
{
    int p, ok;

    ok = !strcmp(a->name, b->name) && a->n == b->n && a->n_transitions == b->n_transitions &&
         !memcmp(&a->weight, &b->weight, sizeof a->weight) &&
         !memcmp(a->energy, b->energy, a->n * sizeof *a->energy) &&
         !memcmp(a->g, b->g, a->n * sizeof *a->g) &&
         !memcmp(a->transition, b->transition, a->n_transitions * sizeof *a->transition);
    for (p = 0; p < IRIS_PARTNERS && ok; p++)
        ok = same_collisions(&a->with[p], &b->with[p]);
    return ok;
}

static void
check_round_trip(const struct iris_molecule *m, const char *what, size_t warnings)
{
    struct iris_buf text = {0};
    struct outcome o;
    const char *p;
    size_t n = 0;

    iris_molecule_print(m, &text);
    o = parse(text.data, text.len);
    CHECK(!o.st && same(m, &o.m), "%s reads back as it was written: %s", what, o.err.msg);
    for (p = iris_buf_str(&o.warnings); (p = strchr(p, '\n')); p++)
        n++;
    CHECK(n == warnings, "with as many warnings: %s", warned(&o));
    drop(&o);
    iris_buf_release(&text);
}

static void
test_good(void)
{
    struct outcome o = parse_changed(NULL, 0);
    const struct iris_collisions *para = &o.m.with[IRIS_PARA_H2], *ortho = &o.m.with[IRIS_ORTHO_H2];
    const struct iris_transition *t;

    if (!CHECK(!o.st, "a good file is read: %s", o.err.msg)) {
        drop(&o);
        return;
    }
    CHECK(!o.warnings.len, "without a warning: %s", warned(&o));
    CHECK(!strcmp(o.m.name, "XY") && o.m.weight == 29, "name and weight");
    CHECK(o.m.n == 4 && o.m.energy[3] == 6 && o.m.g[3] == 7, "levels");
    CHECK(o.m.n_transitions == 3, "transitions");
    t = iris_molecule_transition(&o.m, 2, 1);
    CHECK(t && t->A == 6.5e-7 && t->GHz == 59.958, "the transition of two levels");
    CHECK(!iris_molecule_transition(&o.m, 2, 0) && !iris_molecule_transition(&o.m, 1, 2) &&
              !iris_molecule_transition(&o.m, 9, 8),
          "one that is not there");
    CHECK(para->n == 3 && para->n_T == 2 && para->T[0] == 10 && para->T[1] == 20, "rates");
    CHECK(para->pair[1].upper == 2 && para->pair[1].lower == 0, "their levels");
    CHECK(para->rate[3] == 4.5e-11 / 1e6, "in m^3/s");
    CHECK(ortho->n == 1 && ortho->n_T == 1 && ortho->rate[0] == 7.5e-11 / 1e6, "another partner");
    CHECK(!o.m.with[IRIS_H2].n_T && !o.m.with[IRIS_H].n_T && !o.m.with[IRIS_HE].n_T, "no others");
    check_round_trip(&o.m, "the good file", 0);
    iris_molecule_release(&o.m);
    iris_molecule_release(&o.m);
    drop(&o);
}

/* What real files do, and nothing of it matters. */
static void
test_tolerated(void)
{
    static const struct {
        const char *what;
        struct change change[2];
    } cases[] = {
        {"words behind a level", {{9, " 2 1.0 3.0 1_0_1 and so on"}}},
        {"no quantum numbers", {{9, "2 1.0 3.0"}}},
        {"no energy of the upper level", {{15, "1 2 1 1.25E-07 29.979"}}},
        {"words behind a transition", {{15, "1 2 1 1.25E-07 29.979 1.44 (a)"}}},
        {"Fortran's exponents", {{15, "1 2 1 1.25D-07 2.9979d+01 1.44"}}},
        {"words behind rates", {{29, "1 2 1 1.5E-11 2.5E-11 guessed"}}},
        {"words behind temperatures", {{27, "10.0 20.0 (K)"}}},
        {"words behind a number", {{6, "4 levels"}, {4, "29.0 u"}}},
        {"blanks and tabs", {{2, "  XY\t "}, {29, "\t1\t2  1 1.5E-11\t2.5E-11\t"}}},
        {"headings in other words", {{20, "! collisions between"}, {12, "! Radiation"}}},
        {"empty lines", {{9, "\n 2 1.0 3.0 1\n  \n"}, {32, "!COLLISIONS BETWEEN\n\n"}}},
        {"notes on collisions", {{42, "!COLLISIONS\nwere computed somehow"}}},
        {"notes without '!'", {{42, "!NOTES\n3 men in a boat"}}},
        {"no notes", {{42, NULL}, {43, NULL}}},
        {"one more heading at the end", {{43, NULL}}},
        {"blanks before a partner", {{21, "  2 XY-pH2 from nowhere"}}},
        {"a rate of 0", {{29, "1 2 1 1.5E-11 2.5E-11"}, {15, "1 2 1 1.25E-07 29.979"}}},
    };
    struct outcome o = parse_changed(NULL, 0), other;
    struct iris_buf text = changed(NULL, 0, " \r\n");
    size_t i;

    for (i = 0; i < sizeof cases / sizeof *cases; i++) {
        other = parse_changed(cases[i].change, 2);
        CHECK(!other.st && same(&o.m, &other.m) && !other.warnings.len, "%s: %s%s", cases[i].what,
              other.err.msg, warned(&other));
        drop(&other);
    }
    other = parse(text.data, text.len);
    CHECK(!other.st && same(&o.m, &other.m), "carriage returns: %s", other.err.msg);
    drop(&other);
    iris_buf_release(&text);
    drop(&o);
    other = parse_changed((struct change[]){{15, "1 2 1 0 29.979"}, {29, "1 2 1 0.0 2.5E-11"}}, 2);
    CHECK(!other.st && other.m.transition[0].A == 0 && other.m.with[IRIS_PARA_H2].rate[0] == 0,
          "an Einstein coefficient and a rate of 0: %s", other.err.msg);
    drop(&other);
    other = parse_changed(
        (struct change[]){{10, "3 1.0 5.0"}, {16, "2 3 1 6.5E-07 29.979"}, {30, "2 3 2 1 1"}}, 3);
    CHECK(!other.st, "rates between levels of one energy: %s", other.err.msg);
    drop(&other);
}

#define ONLY_H2                                                                                    \
    {                                                                                              \
        21, "1 XY-H2"                                                                              \
    }

static void
test_partners(void)
{
    struct outcome o = parse_changed((struct change[]){ONLY_H2, {33, "6 XY-He"}}, 2);

    CHECK(!o.st && o.m.with[IRIS_H2].n == 3 && o.m.with[IRIS_HE].n == 1 && !o.warnings.len,
          "H2 alone will do, helium besides: %s", o.err.msg);
    drop(&o);
    o = parse_changed((struct change[]){ONLY_H2, {33, "5 XY-H"}}, 2);
    CHECK(!o.st && o.m.with[IRIS_H].n == 1, "hydrogen: %s", o.err.msg);
    drop(&o);
    o = parse_changed((struct change[]){ONLY_H2}, 1);
    CHECK(!o.st && o.m.with[IRIS_H2].n && o.m.with[IRIS_ORTHO_H2].n, "H2 for para-H2: %s",
          o.err.msg);
    check_round_trip(&o.m, "such a file", 0);
    drop(&o);
    o = parse_changed((struct change[]){ONLY_H2, {33, "4 XY-e"}}, 2);
    CHECK(!o.st && !strcmp(iris_buf_str(&o.warnings),
                           "f.dat:33: collisions with electrons are not used\n"),
          "electrons are passed over with a warning: %s%s", o.err.msg, warned(&o));
    drop(&o);
    o = parse_changed((struct change[]){ONLY_H2, {33, "7 XY-H+"}}, 2);
    CHECK(!o.st && strstr(iris_buf_str(&o.warnings), "f.dat:33: collisions with H+ "),
          "so are protons: %s%s", o.err.msg, warned(&o));
    drop(&o);
    o = parse_changed((struct change[]){ONLY_H2, {33, "7 XY-H+"}, {41, "1 2 1 x"}}, 3);
    CHECK(o.st == IRIS_E_DATA && strstr(o.err.msg, "f.dat:41: "), "but looked at: %s", o.err.msg);
    drop(&o);
}

static void
test_warnings(void)
{
    static const struct {
        const char *want;
        struct change change[4];
    } cases[] = {
        {"f.dat:30: the upper levels of the rates run to 2, then comes 4: is 3 meant?\n",
         {{30, "2 4 1 3.5E-11 4.5E-11"}}},
        {"f.dat:16: the frequency is 60.1 GHz, but the energies of levels 3 and 2 differ by "
         "59.9584916 GHz\n",
         {{16, "2 3 2 6.5E-07 60.1"}}},
        {"f.dat:10: level 3 lies below level 2\n",
         {{9, "2 4.0 3.0"},
          {15, "1 2 1 1.25E-07 119.917"},
          {16, "2 3 1 6.5E-07 89.938"},
          {30, "2 3 1 1 1"}}},
        {"f.dat:19: the number of collision partners is 1 here, but there are 2\n", {{19, "1"}}},
        {"f.dat:19: the number of collision partners is 3 here, but there are 2\n", {{19, "3"}}},
        {"f.dat:19: the number of collision partners is 1 here, but there are 2\n",
         {{19, "1"}, {32, "! other collisions"}}},
    };
    size_t i;

    for (i = 0; i < sizeof cases / sizeof *cases; i++) {
        struct outcome o = parse_changed(cases[i].change, 4);

        CHECK(!o.st && strstr(iris_buf_str(&o.warnings), cases[i].want), "warned of: %s%s",
              o.err.msg, warned(&o));
        drop(&o);
    }
}

static void
test_errors(void)
{
    static const struct {
        const char *want;
        struct change change[3];
    } cases[] = {
        /* headings and sections */
        {"1: expected the heading of the molecule's name, which begins with '!', not 'XY'",
         {{1, NULL}}},
        {"2: expected the molecule's name, not the heading '!MOLECULAR WEIGHT'", {{2, NULL}}},
        {"3: expected the heading of the molecular weight, which begins with '!', not '29.0'",
         {{3, NULL}}},
        {"7: expected the heading of the levels", {{7, NULL}}},
        {"14: expected the heading of the transitions", {{14, NULL}}},
        {"13: the number of transitions is 3 here, but there are 4", {{18, NULL}}},
        {"20: expected the heading of a collision partner", {{20, NULL}}},
        {"28: expected the heading of the rates", {{28, NULL}}},
        {"27: expected the temperatures, not the heading '!TRANS + UP + LOW + COLLRATES(cm^3 "
         "s^-1)'",
         {{27, NULL}}},
        /* counts */
        {"6: the number of levels is not a whole number but '4.5'", {{6, "4.5"}}},
        {"6: the number of levels is not a whole number but '99999999999999999999'",
         {{6, "99999999999999999999"}}},
        {"6: the number of levels is 0", {{6, "0"}}},
        {"6: the number of levels is 5 here, but there are 4", {{6, "5"}}},
        {"6: the number of levels is 3 here, but there are 4", {{6, "3"}}},
        {"6: the number of levels is 18446744073709551615 here", {{6, "18446744073709551615"}}},
        {"13: the number of transitions is 4 here, but there are 3", {{13, "4"}}},
        {"13: the number of transitions is 0", {{13, "0"}}},
        {"23: the number of rates is 4 here, but there are 3", {{23, "4"}}},
        {"23: the number of rates is 2 here, but there are 3", {{23, "2"}}},
        {"27: the line has 2 of 3 temperatures", {{25, "3"}}},
        {"27: the line has 2 of 18446744073709551615 temperatures", {{25, "18446744073709551615"}}},
        {"27: the line has more temperatures than the 1 promised", {{25, "1"}}},
        {"19: the number of collision partners is 0", {{19, "0"}}},
        {"41: the file ends after 2 of 3 collision partners", {{19, "3"}, {42, NULL}, {43, NULL}}},
        {"42: the file ends after 2 of 3 collision partners", {{19, "3"}, {43, NULL}}},
        /* numbers */
        {"4: the molecular weight is not a number but 'heavy'", {{4, "heavy"}}},
        {"4: the molecular weight, 0, is not above 0", {{4, "0"}}},
        {"4: the molecular weight is not finite: 'inf'", {{4, "inf"}}},
        {"9: the level's number is not a whole number but 'two'", {{9, "two 1.0 3.0"}}},
        {"9: level 3 stands where level 2 should", {{9, "3 1.0 3.0"}}},
        {"9: the level's energy is missing", {{9, "2"}}},
        {"9: the level's energy is not a number but '1.0x'", {{9, "2 1.0x 3.0"}}},
        {"9: the level's energy is not a number but '0x1p0'", {{9, "2 0x1p0 3.0"}}},
        {"9: the level's energy is not a number but '1.0D'", {{9, "2 1.0D 3.0"}}},
        {"9: the level's energy is not finite: 'NaN'", {{9, "2 NaN 3.0"}}},
        {"9: the level's energy is not finite: '1e999'", {{9, "2 1e999 3.0"}}},
        {"9: the level's energy is not a number but '0000",
         {{9, "2 00000000000000000000000000000000000000000000000000000000000000001 3.0"}}},
        {"9: the level's weight is missing", {{9, "2 1.0"}}},
        {"9: the level's weight, 0, is not above 0", {{9, "2 1.0 0"}}},
        {"9: the level's weight, -3, is not above 0", {{9, "2 1.0 -3"}}},
        /* transitions */
        {"16: the row's number is not a whole number but 'x'", {{16, "x 3 2 1 59.958"}}},
        {"16: the upper level is 5, but levels are 1 to 4", {{16, "2 5 2 1 59.958"}}},
        {"16: the lower level is 0, but levels are 1 to 4", {{16, "2 3 0 1 59.958"}}},
        {"16: the upper level is not a whole number but '-3'", {{16, "2 -3 2 1 59.958"}}},
        {"16: the lower level is missing", {{16, "2 3"}}},
        {"16: upper level 2 is not above lower level 3", {{16, "2 2 3 1 59.958"}}},
        {"16: upper level 3 is not above lower level 3", {{16, "2 3 3 1 59.958"}}},
        {"16: upper level 3 is not above lower level 2", {{10, "3 0.5 5.0"}}},
        {"16: upper level 3 has the energy of lower level 2", {{10, "3 1.0 5.0"}}},
        {"16: the Einstein coefficient is missing", {{16, "2 3 2"}}},
        {"16: the Einstein coefficient, -1, is below 0", {{16, "2 3 2 -1 59.958"}}},
        {"16: the Einstein coefficient is not finite", {{16, "2 3 2 inf 59.958"}}},
        {"16: the frequency is missing", {{16, "2 3 2 1"}}},
        {"16: the frequency, 0, is not above 0", {{16, "2 3 2 1 0"}}},
        {"16: the frequency, -59, is not above 0", {{16, "2 3 2 1 -59"}}},
        {"16: levels 2 and 1 stand in line 15 already", {{16, "2 2 1 1 29.979"}}},
        /* collisions */
        {"21: expected a collision partner, 1 to 7 and a name, not '8 XY-Ne'", {{21, "8 XY-Ne"}}},
        {"21: expected a collision partner, 1 to 7 and a name, not '0 XY'", {{21, "0 XY"}}},
        {"21: expected a collision partner, 1 to 7 and a name, not '12 XY'", {{21, "12 XY"}}},
        {"21: expected a collision partner, 1 to 7 and a name, not 'para-H2'", {{21, "para-H2"}}},
        {"33: collisions with para-H2 stand in line 21 already", {{33, "2 again"}}},
        {"33: collisions with electrons stand in line 21 already", {{21, "4 e"}, {33, "4 e"}}},
        {"27: the temperature is not a number but 'x'", {{27, "10.0 x"}}},
        {"27: the temperature is not finite: 'inf'", {{27, "10.0 inf"}}},
        {"27: a temperature of 0 is not above 0", {{27, "0 20.0"}}},
        {"27: temperatures do not increase from 20 to 20", {{27, "20 20"}}},
        {"27: temperatures do not increase from 20 to 10", {{27, "20 10"}}},
        {"30: the upper level is 5, but levels are 1 to 4", {{30, "2 5 1 1 1"}}},
        {"30: upper level 1 is not above lower level 3", {{30, "2 1 3 1 1"}}},
        {"30: upper level 4 is not above lower level 3",
         {{11, "4 2.0 7.0"}, {17, "3 4 1 1 59.958"}, {30, "2 4 3 1 1"}}},
        {"30: the line has 1 of 2 rates", {{30, "2 3 1 3.5E-11"}}},
        {"30: the line has more rates than the 2 promised", {{30, "2 3 1 1 1 1"}}},
        {"30: the rate is not a number but 'x'", {{30, "2 3 1 1 x"}}},
        {"30: the rate is not finite: '-inf'", {{30, "2 3 1 1 -inf"}}},
        {"30: a rate of -1 is below 0", {{30, "2 3 1 1 -1"}}},
        {"31: levels 3 and 1 stand in line 30 already", {{31, "3 3 1 1 1"}}},
        {"41: no rates for collisions with para-H2, and none with H2", {{21, "5 XY-H"}}},
        {"41: no rates for collisions with ortho-H2, and none with H2", {{33, "5 XY-H"}}},
    };
    size_t i;

    for (i = 0; i < sizeof cases / sizeof *cases; i++) {
        struct outcome o = parse_changed(cases[i].change, 3);
        char want[256];

        snprintf(want, sizeof want, "f.dat:%s", cases[i].want);
        if (!CHECK(o.st == IRIS_E_DATA && !strncmp(o.err.msg, want, strlen(want)), "%s", want))
            printf("# %s\n", o.err.msg);
        CHECK(!o.m.name && !o.m.energy && !o.m.transition, "and nothing is left");
        drop(&o);
    }
}

/* Rows that promise much more than there is are refused before memory is taken. */
static void
test_too_much(void)
{
    struct iris_buf temperatures = {0};
    struct outcome o;
    int k;

    for (k = 1; k <= 1000; k++)
        iris_buf_printf(&temperatures, "%d ", k);
    o = parse_changed((struct change[]){{25, "1000"}, {27, temperatures.data}}, 2);
    CHECK(o.st == IRIS_E_DATA &&
              !strcmp(o.err.msg, "f.dat:23: the rows are too short for 1000 temperatures"),
          "%s", o.err.msg);
    drop(&o);
    iris_buf_release(&temperatures);
}

static void
test_bytes(void)
{
    struct iris_buf text = changed(NULL, 0, "\n");
    size_t needed = 0, i, wrong = 0;
    struct outcome o;

    for (i = 0; i < LAST_NEEDED; i++)
        needed += strlen(good[i]) + 1;
    for (i = 0; i <= text.len; i++) {
        o = parse(text.data, i);
        wrong += o.st != (i < needed ? IRIS_E_DATA : IRIS_OK);
        wrong += o.st && strncmp(o.err.msg, "f.dat:", 6) != 0;
        drop(&o);
    }
    CHECK(!wrong, "a file cut off anywhere before its notes is refused: %zu were not", wrong);
    o = parse(text.data, needed - 1);
    CHECK(!strcmp(o.err.msg, "f.dat:41: the file is cut short: its last line does not end"), "%s",
          o.err.msg);
    drop(&o);
    o = parse("", 0);
    CHECK(!strcmp(o.err.msg,
                  "f.dat:1: the file ends where the heading of the molecule's name should be"),
          "%s", o.err.msg);
    drop(&o);
    text.data[needed - 30] = '\0';
    o = parse(text.data, text.len);
    CHECK(o.st == IRIS_E_DATA &&
              !strcmp(o.err.msg, "f.dat:40: a byte of this line is 0: this is no text"),
          "%s", o.err.msg);
    drop(&o);
    CHECK(iris_molecule_parse("!", 1, "f.dat", &o.m, &o.warnings, NULL) == IRIS_E_DATA,
          "nobody has to listen");
    iris_buf_release(&text);
}

/* Any byte changed to any other: read or refused, but nothing else. */
static void
test_noise(void)
{
    static const char noise[] = "\n !0-9eDx.\t\r\xff";
    struct iris_buf text = changed(NULL, 0, "\n");
    size_t i, k, strange = 0;

    for (i = 0; i < text.len; i++) {
        char was = text.data[i];

        for (k = 0; k < sizeof noise; k++) {
            struct outcome o;

            text.data[i] = noise[k];
            o = parse(text.data, text.len);
            strange += o.st != IRIS_OK && o.st != IRIS_E_DATA;
            drop(&o);
        }
        text.data[i] = was;
    }
    CHECK(!strange, "no byte does harm");
    iris_buf_release(&text);
}

/* Rates that no number of cm^3/s gives exactly are off by their last bit. */
static void
test_odd_rates(void)
{
    struct outcome o = parse_changed(NULL, 0), back;
    double *rate = o.m.with[IRIS_PARA_H2].rate, x = 1.2345678901234567e-17;
    struct iris_buf text = {0};
    int i, wrong = 0;

    for (i = 0; i < 1000; i++) {
        x = nextafter(x, 1) * (i % 10 ? 1 : 1.37);
        rate[0] = x;
        rate[1] = x * 1e6 / 1e6;
        iris_buf_clear(&text);
        iris_molecule_print(&o.m, &text);
        back = parse(text.data, text.len);
        wrong += back.st || !check_near(back.m.with[IRIS_PARA_H2].rate[0], x, 2.3e-16) ||
                 back.m.with[IRIS_PARA_H2].rate[1] != rate[1];
        drop(&back);
    }
    CHECK(!wrong, "rates with all digits read back");
    iris_buf_release(&text);
    drop(&o);
}

static void
test_real(void)
{
    const char *shared = check_shared();
    const struct iris_transition *t;
    struct iris_molecule mock;
    struct iris_buf text = {0};
    struct iris_err err = {0};
    struct outcome o;
    char path[4200];
    size_t i;
    double worst = 0;

    snprintf(path, sizeof path, "%s/chem/13C16O.dat", shared ? shared : ".");
    if (!shared || iris_read_file(path, 1 << 24, &text, &err)) {
        check_skip("the real 13CO file", "no shared reference data");
        return;
    }
    o = parse(text.data, text.len);
    iris_buf_release(&text);
    if (!CHECK(!o.st, "the real 13CO file is read: %s", o.err.msg)) {
        drop(&o);
        return;
    }
    CHECK(!strcmp(iris_buf_str(&o.warnings),
                  "f.dat:2289: the upper levels of the rates run to 33, then comes 36: is 34 "
                  "meant?\n"),
          "with a warning: %s", warned(&o));
    CHECK(o.m.n == 41 && o.m.weight == 29 && o.m.n_transitions == 40, "its levels and lines");
    CHECK(o.m.with[IRIS_PARA_H2].n == 820 && o.m.with[IRIS_PARA_H2].n_T == 25 &&
              o.m.with[IRIS_ORTHO_H2].n == 820 && o.m.with[IRIS_ORTHO_H2].n_T == 25 &&
              o.m.with[IRIS_H].n == 561 && o.m.with[IRIS_H].n_T == 29,
          "its rates");
    CHECK(!o.m.with[IRIS_H2].n_T && !o.m.with[IRIS_HE].n_T, "its partners");
    CHECK(o.m.with[IRIS_H].T[0] == 2 && o.m.with[IRIS_H].T[28] == 3000, "its temperatures");
    CHECK(o.m.with[IRIS_ORTHO_H2].rate[0] == 4.231e-11 / 1e6, "its first rate");
    t = iris_molecule_transition(&o.m, 2, 1);
    CHECK(t && t->GHz == 220.3986841281 && t->A == 6.038e-07, "its line from 2 to 1");
    check_round_trip(&o.m, "it", 1);
    if (CHECK(!iris_mock_molecule("13CO", &mock, &err), "a mock: %s", err.msg)) {
        for (i = 0; i < 40; i++)
            worst = fmax(worst, fabs(mock.transition[i].GHz / o.m.transition[i].GHz - 1));
        CHECK(worst < 1e-9, "the mock's lines are where the real ones are: %g", worst);
        iris_molecule_release(&mock);
    }
    drop(&o);
}

static int
between(const double *v, size_t n, double low, double high)
{
    while (n--) {
        if (!(v[n] > low && v[n] < high))
            return 0;
    }
    return 1;
}

static void
test_mock(void)
{
    /* lines of the Cologne database (CDMS) */
    static const struct {
        const char *name;
        double weight, GHz[3];
    } known[] = {
        {"12CO", 28, {115.2712018, 230.538, 345.7959899}},
        {"13CO", 29, {110.2013543, 220.3986842, 330.5879653}},
        {"C18O", 30, {109.7821734, 219.5603541, 329.3305525}},
    };
    static const int partner[] = {IRIS_PARA_H2, IRIS_ORTHO_H2, IRIS_H};
    struct iris_molecule m;
    struct iris_err err = {0};
    size_t i, k;

    for (i = 0; i < 3; i++) {
        if (!CHECK(!iris_mock_molecule(known[i].name, &m, &err), "%s", known[i].name))
            continue;
        CHECK(m.n == 41 && m.n_transitions == 40 && m.weight == known[i].weight, "its size");
        CHECK(!strncmp(m.name, known[i].name, 4) && strstr(m.name, "mock"), "its name: %s", m.name);
        for (k = 0; k < 3; k++)
            CHECK(check_near(m.transition[k].GHz, known[i].GHz[k], 1e-6), "line %zu at %.7f", k,
                  m.transition[k].GHz);
        for (k = 0; k < 3; k++) {
            const struct iris_collisions *c = &m.with[partner[k]];

            CHECK(c->n == 820 && c->n_T == 25 && c->T[0] == 2 && c->T[24] == 3000 &&
                      between(c->rate, c->n * c->n_T, 1e-25, 1e-15),
                  "rates for partner %d", partner[k]);
            CHECK(c->rate[11] > 0.5e-17 && c->rate[11] < 5e-17, "of the right magnitude: %g",
                  c->rate[11]);
        }
        check_round_trip(&m, known[i].name, 0);
        iris_molecule_release(&m);
    }
    if (!iris_mock_molecule("13CO", &m, &err)) {
        CHECK(check_near(m.transition[1].A, 6.038e-7, 0.02), "A of 13CO: %g", m.transition[1].A);
        CHECK(check_near(m.energy[1], 3.6759215030, 1e-7) && m.g[40] == 81, "levels of 13CO");
        iris_molecule_release(&m);
    }
    CHECK(iris_mock_molecule("13C16O", &m, &err) == IRIS_E_USAGE &&
              !strcmp(err.msg, "unknown molecule '13C16O': there are 12CO, 13CO and C18O"),
          "%s", err.msg);
}

int
main(void)
{
    test_good();
    test_tolerated();
    test_partners();
    test_warnings();
    test_errors();
    test_too_much();
    test_bytes();
    test_noise();
    test_odd_rates();
    test_real();
    test_mock();
    return check_done();
}
