#include "quantity.h"

#include <math.h>
#include <string.h>

#include "sampler.h"
#include "units.h"

/* kg m^-3 are 1e-3 g cm^-3 */
static void
density(const struct iris_unit_system *p, const char *name, const char *label,
        struct iris_quantity *q)
{
    double factor = 1e-3 / iris_units_density(p);

    *q = (struct iris_quantity){name, "g cm-3", factor, label, "g cm⁻³", factor};
}

static void
temperature(const struct iris_unit_system *p, const char *name, struct iris_quantity *q)
{
    *q = (struct iris_quantity){name, "K", 1 / p->temperature, name, "K", 1 / p->temperature};
}

static void
channel_of(size_t channel, const struct iris_unit_system *p, struct iris_quantity *q)
{
    double velocity = iris_units_velocity(p);

    switch (channel) {
    case IRIS_V_R:
        *q = (struct iris_quantity){"velocity towards the observer", "cm s-1", 100 / velocity,
                                    "velocity towards the observer", "km/s",   1e-3 / velocity};
        break;
    case IRIS_RHO:
        density(p, "mass density of the gas", "gas density", q);
        break;
    case IRIS_T:
        temperature(p, "gas temperature", q);
        break;
    case IRIS_X_H2:
        *q = (struct iris_quantity){
            "H2 molecules per hydrogen nucleus", "1", 1, "H₂ abundance", "", 1};
        break;
    case IRIS_X_CO:
        *q = (struct iris_quantity){
            "CO molecules per hydrogen nucleus", "1", 1, "CO abundance", "", 1};
        break;
    default:
        temperature(p, "dust temperature", q);
    }
}

/* Mass per area and velocity: kg m^-2 (m/s)^-1 to g cm^-2 (cm/s)^-1, and to solar
 * masses pc^-2 (km/s)^-1. */
static void
mass(const struct iris_unit_system *p, double parsec, struct iris_quantity *q)
{
    double SI = 1 / (iris_units_density(p) * p->time);

    *q = (struct iris_quantity){"mass of gas per area and velocity towards the observer",
                                "g cm-3 s",
                                1e-3 * SI,
                                "mass per area and velocity",
                                "M☉ pc⁻² (km/s)⁻¹",
                                1000 * SI * parsec * parsec / IRIS_SOLAR_MASS};
}

/* In the units of suite_hyper.output_units; iris-normalize multiplies it by the factor
 * of temperatures whatever it is. */
static enum iris_status
intensity(const struct iris_hyper *h, const struct iris_unit_system *p, struct iris_quantity *q,
          struct iris_err *err)
{
    struct iris_buf units = {0};
    enum iris_status st;
    const char *word;
    double SI = p->time * p->time / p->mass;

    st = iris_hyper_value(h, "suite_hyper.output_units", &units, err);
    word = iris_buf_str(&units);
    if (!strcmp(word, "\"I\""))
        *q = (struct iris_quantity){"intensity", "erg s-1 cm-2 Hz-1 sr-1", 1e3 * SI,
                                    "intensity", "W m⁻² Hz⁻¹ sr⁻¹",        SI};
    else if (!strcmp(word, "\"I Jy per Sr\""))
        *q = (struct iris_quantity){
            "intensity", "erg s-1 cm-2 Hz-1 sr-1", 1e-23, "intensity", "Jy sr⁻¹", 1};
    else
        temperature(p, "brightness temperature", q);
    if (strstr(word, " K\""))
        q->to_cgs = q->to_unit = 1;
    iris_buf_release(&units);
    return st;
}

enum iris_status
iris_quantity_of(enum iris_kind kind, enum iris_type type, size_t channel,
                 const struct iris_hyper *h, struct iris_quantity *q, struct iris_err *err)
{
    struct iris_settings s;
    struct iris_unit_system p;

    iris_hyper_settings(h, &s);
    iris_settings_units(&s, &p);
    if (kind == IRIS_TENSOR)
        channel_of(channel, &p, q);
    else if (kind == IRIS_COLUMN)
        density(&p, "mass density of H2, mean over latitude", "H₂ mass density, latitude mean", q);
    else if (type == IRIS_SIMPLE)
        mass(&p, s.dataset.meters_per_parsec, q);
    else
        return intensity(h, &p, q, err);
    return IRIS_OK;
}

double
iris_quantity_scaling(enum iris_kind kind, enum iris_type type, size_t channel,
                      const struct iris_unit_factors *u)
{
    if (kind == IRIS_COLUMN || (kind == IRIS_TENSOR && channel == IRIS_RHO))
        return u->density;
    if (kind == IRIS_OBSERVED)
        return type == IRIS_SIMPLE ? u->v_density : u->temperature;
    if (channel == IRIS_X_H2 || channel == IRIS_X_CO)
        return 1;
    return channel == IRIS_V_R ? u->velocity : u->temperature;
}
