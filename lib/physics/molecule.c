#include "molecule.h"

#include <math.h>
#include <stdlib.h>

#include "num.h"

#define CM3_PER_M3         1e6
#define KELVIN_PER_PER_CM  1.438776877 /* h c / k */
#define DIGITS_OF_A_RATE   4           /* at least, so that columns stand in line */
#define DIGITS_OF_A_DOUBLE 17

static void
release_collisions(struct iris_collisions *c)
{
    free(c->T);
    free(c->pair);
    free(c->rate);
}

void
iris_molecule_release(struct iris_molecule *m)
{
    int p;

    free(m->name);
    free(m->energy);
    free(m->g);
    free(m->transition);
    for (p = 0; p < IRIS_PARTNERS; p++)
        release_collisions(&m->with[p]);
    *m = (struct iris_molecule){0};
}

const struct iris_transition *
iris_molecule_transition(const struct iris_molecule *m, size_t upper, size_t lower)
{
    size_t i;

    for (i = 0; i < m->n_transitions; i++) {
        if (m->transition[i].upper == upper && m->transition[i].lower == lower)
            return &m->transition[i];
    }
    return NULL;
}

static void
put_number(double v, struct iris_buf *out)
{
    char text[IRIS_F64_TEXT];

    iris_buf_printf(out, " %s", iris_format_f64(v, text));
}

/* The shortest number of cm^3/s that the reader turns into this rate. The
 * product is that number but for its last bits, which its first digits do not
 * show; with all digits the neighbours have to be tried. */
static void
put_rate(double rate, struct iris_buf *scratch, struct iris_buf *out)
{
    double product = rate * CM3_PER_M3;
    const double candidate[] = {product, nextafter(product, 0), nextafter(product, 1)};
    int digits;
    size_t i;

    for (digits = DIGITS_OF_A_RATE; digits <= DIGITS_OF_A_DOUBLE; digits++) {
        for (i = 0; i < (digits < DIGITS_OF_A_DOUBLE ? 1 : 3); i++) {
            iris_buf_clear(scratch);
            iris_buf_printf(scratch, " %.*e", digits - 1, candidate[i]);
            if (strtod(iris_buf_str(scratch), NULL) / CM3_PER_M3 == rate) {
                iris_buf_puts(out, iris_buf_str(scratch));
                return;
            }
        }
    }
    iris_buf_printf(out, " %.*e", DIGITS_OF_A_DOUBLE - 1, product);
}

static void
print_collisions(const struct iris_collisions *c, struct iris_buf *out)
{
    struct iris_buf scratch = {0};
    size_t i, k;

    iris_buf_printf(out, "!NUMBER OF COLL TRANS\n%zu\n!NUMBER OF COLL TEMPS\n%zu\n!COLL TEMPS\n",
                    c->n, c->n_T);
    for (k = 0; k < c->n_T; k++)
        put_number(c->T[k], out);
    iris_buf_puts(out, "\n!TRANS + UP + LOW + COLLRATES(cm^3 s^-1)\n");
    for (i = 0; i < c->n; i++) {
        iris_buf_printf(out, "%5zu %4zu %4zu", i + 1, c->pair[i].upper + 1, c->pair[i].lower + 1);
        for (k = 0; k < c->n_T; k++)
            put_rate(c->rate[i * c->n_T + k], &scratch, out);
        iris_buf_putc(out, '\n');
    }
    /* what could not be formatted is not in out */
    out->failed |= scratch.failed;
    iris_buf_release(&scratch);
}

static void
print_levels(const struct iris_molecule *m, struct iris_buf *out)
{
    size_t i;

    iris_buf_printf(out, "!MOLECULE\n%s\n!MOLECULAR WEIGHT\n", m->name);
    put_number(m->weight, out);
    iris_buf_printf(out, "\n!NUMBER OF ENERGY LEVELS\n%zu\n", m->n);
    iris_buf_puts(out, "!LEVEL + ENERGIES(cm^-1) + WEIGHT\n");
    for (i = 0; i < m->n; i++) {
        iris_buf_printf(out, "%5zu", i + 1);
        put_number(m->energy[i], out);
        put_number(m->g[i], out);
        iris_buf_putc(out, '\n');
    }
    iris_buf_printf(out, "!NUMBER OF RADIATIVE TRANSITIONS\n%zu\n", m->n_transitions);
    iris_buf_puts(out, "!TRANS + UP + LOW + EINSTEINA(s^-1) + FREQ(GHz) + E_u(K)\n");
    for (i = 0; i < m->n_transitions; i++) {
        const struct iris_transition *t = &m->transition[i];

        iris_buf_printf(out, "%5zu %4zu %4zu", i + 1, t->upper + 1, t->lower + 1);
        put_number(t->A, out);
        put_number(t->GHz, out);
        iris_buf_printf(out, " %.2f\n", m->energy[t->upper] * KELVIN_PER_PER_CM);
    }
}

void
iris_molecule_print(const struct iris_molecule *m, struct iris_buf *out)
{
    static const char *const partner[IRIS_PARTNERS] = {
        [IRIS_H2] = "1 H2", [IRIS_PARA_H2] = "2 para-H2", [IRIS_ORTHO_H2] = "3 ortho-H2",
        [IRIS_H] = "5 H",   [IRIS_HE] = "6 He",
    };
    size_t partners = 0;
    int p;

    print_levels(m, out);
    for (p = 0; p < IRIS_PARTNERS; p++)
        partners += m->with[p].n_T > 0;
    iris_buf_printf(out, "!NUMBER OF COLL PARTNERS\n%zu\n", partners);
    for (p = 0; p < IRIS_PARTNERS; p++) {
        if (m->with[p].n_T) {
            iris_buf_printf(out, "!COLLISIONS BETWEEN\n%s\n", partner[p]);
            print_collisions(&m->with[p], out);
        }
    }
}
