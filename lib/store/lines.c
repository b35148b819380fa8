#include "lines.h"

#include <stdlib.h>
#include <string.h>

#include "lines_file.h"
#include "num.h"

#define LARGEST_CONTENT ((size_t)64 << 20)

static void
release_item(struct iris_lines_item *item)
{
    iris_line_table_release(&item->table);
    iris_molecule_release(&item->molecule);
    iris_line_settings_release(&item->settings);
}

void
iris_lines_release(struct iris_lines *l)
{
    size_t i;

    for (i = 0; i < l->n; i++)
        release_item(&l->line[i]);
    free(l->line);
    *l = (struct iris_lines){0};
}

/* ---- from the settings ---- */

static enum iris_status
read_molecule(struct iris_lines_item *item, struct iris_buf *warnings, struct iris_err *err)
{
    const char *path = item->settings.chem_path;
    struct iris_buf text = {0};
    enum iris_status st;

    st = iris_read_file(path, LARGEST_CONTENT, &text, err);
    if (!st)
        st = iris_molecule_parse(iris_buf_str(&text), text.len, path, &item->molecule, warnings,
                                 err);
    if (st)
        item->molecule = (struct iris_molecule){0};
    else
        iris_digest_memory(iris_buf_str(&text), text.len, item->content);
    iris_buf_release(&text);
    return st;
}

static struct iris_table_law
law_of(const struct iris_settings *s, const struct iris_line_settings *line)
{
    struct iris_table_law law = {
        .upper = line->upper,
        .lower = line->lower,
        .n_N = line->N_steps,
        .n_x = line->x_steps,
        .n_T = line->T_steps,
        .N_max = line->N_max,
        .bolic = line->bolic,
        .T_max = line->T_max,
        .fine = s->suite.fine_table,
        .m_H = s->observer.m_H,
        .m_He = s->observer.m_He,
        .L = s->observer.L,
        .number = s->dataset.iris_number_unit,
        .balance =
            {
                .k = s->observer.k,
                .h = s->observer.h,
                .c = s->observer.c,
                .T_continuum = s->observer.T_continuum,
                .abundance_He = s->observer.abundance_He,
                .ortho_to_para = s->observer.ortho_to_para,
                .clamp_rates = s->suite.clamp_rates,
            },
    };

    iris_settings_units(s, &law.units);
    return law;
}

static enum iris_status
init_item(struct iris_lines_item *item, const struct iris_hyper *h, const struct iris_settings *s,
          size_t i, struct iris_buf *warnings, struct iris_err *err)
{
    const char *key = CHEM_PATH;
    struct iris_err why = {0};
    enum iris_status st;

    *item = (struct iris_lines_item){0};
    st = iris_hyper_line(h, i, &item->settings, err);
    if (st)
        return st;
    st = read_molecule(item, warnings, &why);
    if (!st) {
        item->law = law_of(s, &item->settings);
        if (!iris_molecule_transition(&item->molecule, item->law.upper, item->law.lower))
            key = "observer_hyper.transition";
        st = iris_line_table_init(&item->table, &item->molecule, &item->law, &why);
        if (st)
            iris_fail_in(&why, "'%s'", item->settings.chem_path);
    }
    if (st)
        iris_fail(err, st, "%s[%zu]: %s", key, i, why.msg);
    return st;
}

/* Sizes of single tables were checked; their sum is here. */
static enum iris_status
check_total(const struct iris_lines *l, struct iris_err *err)
{
    size_t bytes = 0, i;

    for (i = 0; i < l->n; i++) {
        if (iris_add_size(bytes, iris_line_table_size(&l->line[i].table) * sizeof(double), &bytes))
            return iris_fail(err, IRIS_E_DATA, "the tables of %zu lines are too large", l->n);
    }
    return IRIS_OK;
}

enum iris_status
iris_lines_init(struct iris_lines *l, const struct iris_hyper *h, struct iris_buf *warnings,
                struct iris_err *err)
{
    size_t n = iris_hyper_lines(h);
    enum iris_status st = IRIS_OK;
    struct iris_settings s;

    *l = (struct iris_lines){0};
    if (!n)
        return iris_fail(err, IRIS_E_DATA, "observer_hyper.n_lines is null: there are no lines");
    iris_hyper_settings(h, &s);
    l->line = calloc(n, sizeof *l->line);
    if (!l->line)
        return iris_fail_memory(err);
    while (!st && l->n < n) {
        st = init_item(&l->line[l->n], h, &s, l->n, warnings, err);
        l->n++;
    }
    if (!st)
        st = check_total(l, err);
    if (st)
        iris_lines_release(l);
    return st;
}

/* ---- values ---- */

size_t
iris_lines_values(const struct iris_lines *l)
{
    size_t total = 0, i;

    for (i = 0; i < l->n; i++)
        total += iris_line_table_size(&l->line[i].table);
    return total;
}

void
iris_lines_adopt(struct iris_lines *l, double *value)
{
    size_t i;

    for (i = 0; i < l->n; i++) {
        struct iris_line_table *t = &l->line[i].table;

        if (!t->borrowed)
            free(t->node);
        t->node = value;
        t->borrowed = 1;
        value += iris_line_table_size(t);
    }
}

enum iris_status
iris_lines_allocate(struct iris_lines *l, struct iris_err *err)
{
    size_t i;

    for (i = 0; i < l->n; i++) {
        struct iris_line_table *t = &l->line[i].table;

        if (!t->node)
            t->node = malloc(iris_line_table_size(t) * sizeof *t->node);
        if (!t->node)
            return iris_fail(err, IRIS_E_IO, "no memory for the %zu bytes of a line table",
                             iris_line_table_size(t) * sizeof *t->node);
    }
    return IRIS_OK;
}

enum iris_status
iris_lines_key(const struct iris_lines *l, const struct iris_hyper *h, char key[IRIS_DIGEST_TEXT],
               struct iris_err *err)
{
    struct iris_buf text = {0};
    enum iris_status st = IRIS_OK;
    size_t i, k;

    iris_buf_printf(&text, IRIS_LINES_FORMAT " %d\n", IRIS_LINES_VERSION);
    for (i = 0; i < l->n && !st; i++) {
        iris_buf_printf(&text, "%s\n", l->line[i].content);
        for (k = 0; k < iris_table_key_count && !st; k++) {
            st = iris_hyper_table_value(h, iris_table_keys[k], i, &text, err);
            iris_buf_putc(&text, '\n');
        }
    }
    if (!st)
        st = iris_buf_check(&text, err);
    if (!st)
        iris_digest_memory(text.data, text.len, key);
    iris_buf_release(&text);
    return st;
}
