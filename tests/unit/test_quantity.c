/* What values are in units that others know: from the definitions of these. */
#include "check.h"

#include "hyper.h"
#include "quantity.h"
#include "sampler.h"
#include "units.h"

static struct iris_hyper *hyper;
static struct iris_unit_system p; /* of the settings: how many to a kg, a m, a s, a K */

static struct iris_quantity
quantity(enum iris_kind kind, enum iris_type type, size_t channel)
{
    struct iris_quantity q = {0};

    if (iris_quantity_of(kind, type, channel, hyper, &q, NULL))
        exit(2);
    return q;
}

static void
check(const char *what, const struct iris_quantity *q, const char *cgs, double to_cgs,
      const char *unit, double to_unit)
{
    CHECK(!strcmp(q->cgs, cgs) && check_near(q->to_cgs, to_cgs, 1e-12), "%s in %s", what, cgs);
    CHECK(!strcmp(q->unit, unit) && check_near(q->to_unit, to_unit, 1e-12), "and in '%s'", unit);
}

/* What observe_hyper of the settings writes, by the word of suite_hyper.output_units. */
static void
test_spectra(void)
{
    double SI = 1 / p.mass * p.time * p.time; /* kg s^-2 is W m^-2 Hz^-1 */
    const struct {
        const char *word, *cgs, *unit;
        double to_cgs, to_unit;
    } rows[] = {{"\"I\"", "erg s-1 cm-2 Hz-1 sr-1", "W m⁻² Hz⁻¹ sr⁻¹", 1e7 * 1e-4 * SI, SI},
                {"\"I Jy per Sr\"", "erg s-1 cm-2 Hz-1 sr-1", "Jy sr⁻¹", 1e-23, 1},
                {"\"Tb\"", "K", "K", 1 / p.temperature, 1 / p.temperature},
                {"\"Trj\"", "K", "K", 1 / p.temperature, 1 / p.temperature},
                {"\"Trj K\"", "K", "K", 1, 1},
                {"\"Tb K\"", "K", "K", 1, 1}};
    size_t i;

    for (i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        struct iris_quantity q;

        if (iris_hyper_set(hyper, "suite_hyper.output_units", rows[i].word, NULL))
            exit(2);
        q = quantity(IRIS_OBSERVED, IRIS_SYNTHETIC, 0);
        check(rows[i].word, &q, rows[i].cgs, rows[i].to_cgs, rows[i].unit, rows[i].to_unit);
    }
}

static void
test_others(void)
{
    double kg = 1 / p.mass, m = 1 / p.length, s = 1 / p.time, pc = 3.0856775814913673e16;
    struct iris_quantity q = quantity(IRIS_COLUMN, IRIS_SIMPLE, 0);

    check("a density", &q, "g cm-3", 1e3 * kg / (1e6 * m * m * m), "g cm⁻³",
          1e3 * kg / (1e6 * m * m * m));
    q = quantity(IRIS_TENSOR, IRIS_STANDARD, IRIS_V_R);
    check("a velocity", &q, "cm s-1", 100 * m / s, "km/s", 1e-3 * m / s);
    q = quantity(IRIS_TENSOR, IRIS_STANDARD, IRIS_X_H2);
    check("an abundance", &q, "1", 1, "", 1);
    q = quantity(IRIS_OBSERVED, IRIS_SIMPLE, 0);
    CHECK(!strcmp(q.cgs, "g cm-3 s") && check_near(q.to_cgs, 1e-3 * kg / (m * m * m) * s, 1e-12),
          "mass per area and velocity");
    CHECK(check_near(q.to_unit, kg / 1.98841e30 * pc * pc / (m * m) * 1e3 * s / m, 1e-6),
          "and in solar masses, parsecs and km/s");
}

int
main(void)
{
    struct iris_settings s;

    if (iris_hyper_defaults(&hyper, NULL))
        return 2;
    iris_hyper_settings(hyper, &s);
    iris_settings_units(&s, &p);
    test_spectra();
    test_others();
    iris_hyper_free(hyper);
    return check_done();
}
